/*
 * Graceful restart (RFC 4724): one side dies and comes back, the other keeps its routes meanwhile.
 *
 * That none went is read from the kernel's own account of deletions, not by looking now and then.
 */
#include "interop_pair_fixture.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int watch_routes(void) {
    struct sockaddr_nl a = {.nl_family = AF_NETLINK,
                            .nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
    nodes_enter(nodes.at[OURS].ns);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    nodes_enter(nodes.home_ns);
    return fd;
}

/* Routes that the kernel has deleted since watch_routes. */
static unsigned deletions(int fd) {
    static union {
        char bytes[65536];
        struct nlmsghdr first;
    } buffer;
    unsigned count = 0;
    ssize_t got;
    while ((got = recv(fd, &buffer, sizeof buffer, 0)) > 0) {
        unsigned left = (unsigned)got;
        for (struct nlmsghdr *m = &buffer.first; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left))
            count += m->nlmsg_type == RTM_DELROUTE;
    }
    return count;
}

void row_restart_theirs(const struct program *p, int argument) {
    (void)argument;
    pair.program = p;
    pair_make(OUR_AS, OUR_AS, WE_CONNECT);
    pair_start();
    pair_wait_up(OURS, THEIRS);
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
    pair_expect_kernel(OURS, THEIRS);
    int watch = watch_routes();
    p->kill(THEIRS);
    UNTIL(dropped(OURS, FAMILIES));
    pair_expect_kernel(OURS, THEIRS);
    pair.setup[THEIRS].restarted = true;
    pair_signal(OURS, SIGSTOP); /* no session before it has all its routes again */
    p->start(&pair.setup[THEIRS]);
    pair_signal(OURS, SIGCONT);
    pair_wait_up(OURS, THEIRS);
    pair_expect_routes(OURS, THEIRS, THEIRS, ""); /* and stale no more */
    pair_expect_routes(THEIRS, OURS, OURS, "");
    assert_int_equal(deletions(watch), 0);
    close(watch);
}
