/*
 * Taking connections in, also when descriptors are out.
 *
 * A listener with a connection that cannot be accepted stays ready, and would have the loop turn
 * without end. So one descriptor is kept in reserve, for all listeners: it is given up for a
 * moment, the connection is taken and reset, and the reserve is there again.
 *
 * A second one is kept for whoever wants to know why: the first client of the control socket that
 * finds no other gets it, and it is back when that one has gone. Invariant: nothing is opened
 * between giving one up and taking the connection, so nobody else gets it.
 */
#include "accept.h"

#include "host.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void keep(int *fd) {
    if (*fd < 0)
        *fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void give_up(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void accept_init(struct host *h) {
    keep(&h->reserve_fd);
    keep(&h->operator_fd);
}

void accept_deinit(struct host *h) {
    give_up(&h->reserve_fd);
    give_up(&h->operator_fd);
}

static void accept_without_room(struct host *h, int listener) {
    give_up(&h->reserve_fd);
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        sockopt_reset_on_close(fd, true);
        close(fd);
        log_no_descriptor(h->log);
    }
    keep(&h->reserve_fd);
}

int accept_next(struct host *h, int listener, union sockaddr_any *ret_from) {
    socklen_t size = sizeof *ret_from;
    int fd = accept4(listener, ret_from ? &ret_from->sa : NULL, ret_from ? &size : NULL,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 || (errno != EMFILE && errno != ENFILE))
        return fd;
    int error = errno;
    accept_without_room(h, listener);
    errno = error;
    return -1;
}

int accept_operator(struct host *h, int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 || (errno != EMFILE && errno != ENFILE))
        return fd;
    give_up(&h->operator_fd);
    fd = accept_next(h, listener, NULL);
    if (fd < 0)
        keep(&h->operator_fd);
    return fd;
}

void accept_operator_left(struct host *h) {
    keep(&h->operator_fd);
}
