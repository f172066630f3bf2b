/*
 * Network namespaces.
 *
 * Owns: making, opening and entering namespaces by descriptor; reading and writing sysctls.
 * Leaves to others: what is built inside (link.c, fabric.c) and what runs inside (process.c).
 *
 * A namespace has no name and no mount: it lives as long as a descriptor or a process is in it.
 * The calling thread alone moves; other threads of the supervisor stay where they are. sysctls
 * are opened under /proc/sys/net, which shows the namespace of whoever opens the file; they cost
 * more the more namespaces exist, so they are used only where netlink has no attribute.
 */
#include "netns.h"

#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int netns_open_current(void) {
    return step_ok() ? open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC) : -1;
}

int netns_create(void) {
    if (!step_ok() || unshare(CLONE_NEWNET) != 0)
        return -1;
    return netns_open_current();
}

bool netns_enter(int fd) {
    return setns(fd, CLONE_NEWNET) == 0;
}

static int open_sysctl(const char *path, int flags) {
    char full[128];
    int size = snprintf(full, sizeof(full), "/proc/sys/%s", path);

    if (size < 0 || (size_t)size >= sizeof(full)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(full, flags | O_CLOEXEC);
}

bool netns_write_sysctl(const char *path, const char *value) {
    int fd = open_sysctl(path, O_WRONLY);
    bool ok;
    int saved;

    if (fd < 0)
        return false;
    ok = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
    saved = errno;
    close(fd);
    errno = saved;
    return ok;
}

bool netns_read_sysctl(const char *path, char *ret_value, size_t size) {
    int fd = open_sysctl(path, O_RDONLY);
    ssize_t got;

    if (fd < 0)
        return false;
    got = read(fd, ret_value, size - 1);
    close(fd);
    if (got < 0)
        return false;
    while (got > 0 && ret_value[got - 1] == '\n')
        got--;
    ret_value[got] = '\0';
    return true;
}
