/*
 * Into a node's network namespace, which the lab's supervisor hands out as a descriptor.
 *
 * The calling process itself goes in and does not come back; what it has open stays where it was.
 */

#include "cli.h"

#include <errno.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A lab without root has a user namespace, which its owner may enter, and is root in. */
static bool enter(int netns) {
    if (setns(netns, CLONE_NEWNET) == 0)
        return true;
    int owner = errno == EPERM ? ioctl(netns, NS_GET_USERNS) : -1;
    bool ok = owner >= 0 && setns(owner, CLONE_NEWUSER) == 0 && setns(netns, CLONE_NEWNET) == 0;
    int error = owner >= 0 ? errno : EPERM;
    if (owner >= 0)
        close(owner);
    errno = error;
    return ok;
}

int lab_enter(const struct cli_options *o, const char *node) {
    struct lab_place p;
    int fd = -1;
    if (!lab_place_choose(o->lab, &p))
        return 2;
    json_t *request = json_pack("{s:s, s:s}", "op", "netns", "node", node);
    json_t *answer = lab_ask(&p, request, &fd);
    json_decref(request);
    if (fd < 0) {
        const char *error = json_string_value(json_object_get(answer, "error"));
        cli_error("%s", error ? error : "the lab hands out no namespace");
        json_decref(answer);
        return 2;
    }
    json_decref(answer);
    bool ok = enter(fd);
    int error = errno;
    close(fd);
    if (ok)
        return 0;
    cli_error("cannot enter the node's namespace: %s", strerror(error));
    return 4;
}
