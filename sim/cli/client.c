/*
 * One request to a running lab's supervisor, over its socket.
 */

#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define STOPPED_LOOK_MS 1000

static int connect_to(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* 0: it has ended. */
static pid_t supervisor_of(int fd) {
    struct ucred who = {0};
    socklen_t size = sizeof who;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 ? who.pid : 0;
}

int lab_hold(const struct lab_place *p) {
    int fd = connect_to(p->socket), pidfd = -1;
    pid_t pid = fd >= 0 ? supervisor_of(fd) : 0;
    if (pid > 0)
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd >= 0)
        close(fd);
    return pidfd;
}

static bool send_line(int fd, json_t *request) {
    char *text = json_dumps(request, JSON_COMPACT);
    size_t size = text ? strlen(text) : 0, at = 0;
    if (text)
        text[size++] = '\n';
    while (at < size) {
        ssize_t n = send(fd, text + at, size - at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    bool ok = size && at == size;
    free(text);
    return ok;
}

/* Reads a part; a descriptor that comes along goes to *fd_slot. */
static ssize_t receive(int fd, char *data, size_t size, int *fd_slot) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec io = {data, size};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control.space};
    ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && fd_slot)
        memcpy(fd_slot, CMSG_DATA(h), sizeof *fd_slot);
    return n;
}

/* By a signal, so that it will not answer however long one waits. */
static bool is_stopped(pid_t pid) {
    char path[64], stat[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, stat, sizeof stat - 1) : 0;
    if (fd >= 0)
        close(fd);
    stat[n > 0 ? n : 0] = '\0';
    const char *name_end = strrchr(stat, ')');
    return name_end && (strncmp(name_end, ") T", 3) == 0 || strncmp(name_end, ") t", 3) == 0);
}

static bool await_part(int fd, pid_t *ret_stopped) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    pid_t pid = supervisor_of(fd);
    for (int ready; (ready = poll(&p, 1, STOPPED_LOOK_MS)) <= 0;) {
        if (ready == 0 && pid > 0 && is_stopped(pid)) {
            *ret_stopped = pid;
            return false;
        }
    }
    return true;
}

static json_t *read_answer(int fd, int *ret_fd, pid_t *ret_stopped) {
    struct text all;
    text_init(&all);
    char buffer[65536];
    while (await_part(fd, ret_stopped)) {
        ssize_t n = receive(fd, buffer, sizeof buffer, ret_fd);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        text_put(&all, buffer, (size_t)n);
        /* A lone newline comes along with a descriptor; the answer is the line after it. */
        if (buffer[n - 1] == '\n' && all.size > 1)
            break;
    }
    json_error_t error;
    json_t *answer = json_loadb(text_str(&all), all.size, 0, &error);
    text_deinit(&all);
    return answer;
}

json_t *lab_try(const struct lab_place *p, json_t *request, int *ret_fd, char why[LAB_WHY_MAX]) {
    int fd = connect_to(p->socket);
    pid_t stopped = 0;
    if (fd < 0) {
        snprintf(why, LAB_WHY_MAX, "lab %s does not answer: %s", p->id, strerror(errno));
        return NULL;
    }
    /* Who refuses a request may have said why before it was all written. */
    (void)send_line(fd, request);
    json_t *answer = read_answer(fd, ret_fd, &stopped);
    close(fd);
    if (stopped)
        snprintf(why, LAB_WHY_MAX, "lab %s is stopped by a signal: kill -CONT %d makes it go on",
                 p->id, stopped);
    else
        snprintf(why, LAB_WHY_MAX, "lab %s ended while it was asked", p->id);
    return answer;
}

json_t *lab_ask(const struct lab_place *p, json_t *request, int *ret_fd) {
    char why[LAB_WHY_MAX];
    json_t *answer = lab_try(p, request, ret_fd, why);
    if (!answer)
        cli_error("%s", why);
    return answer;
}

json_t *lab_ask_chosen(const struct cli_options *o, json_t *request) {
    struct lab_place p;
    json_t *answer = NULL;
    if (request && lab_place_choose(o->lab, &p))
        answer = lab_ask(&p, request, NULL);
    json_decref(request);
    if (answer && !json_is_true(json_object_get(answer, "ok"))) {
        const char *error = json_string_value(json_object_get(answer, "error"));
        cli_error("%s", error ? error : "refused");
        json_decref(answer);
        answer = NULL;
    }
    return answer;
}
