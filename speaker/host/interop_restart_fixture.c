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

static int watch_routes(int node) {
    struct sockaddr_nl a = {.nl_family = AF_NETLINK,
                            .nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
    nodes_enter(nodes.at[node].ns);
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

/* What comes back without its plain routes keeps the rich ones; the plain ones go with End-of-RIB,
 * and nothing goes before. */
static void expect_purged(int at, int of) {
    pair_wait_up(OURS, THEIRS);
    for (int f = 0; f < FAMILIES; f++) {
        UNTIL(!pair_has_route(at, interop_prefix(of, f, false), of));
        pair_expect_rich(at, of, f);
        if (at == OURS || pair.program->kernel)
            UNTIL(!pair_in_kernel(at, interop_prefix(of, f, false), NULL));
    }
}

static void expect_kept(int at, int of) {
    for (int f = 0; f < FAMILIES; f++)
        for (int rich = 0; rich < 2; rich++)
            assert_true(pair_has_kept(at, interop_prefix(of, f, rich != 0), of));
}

static void come_back(int node) {
    pair.setup[node].restarted = true;
    pair.setup[node].rich_only = true;
}

void row_restart_theirs(const struct program *p, int argument) {
    (void)argument;
    pair.program = p;
    pair_make(OUR_AS, OUR_AS, WE_CONNECT);
    pair_start();
    pair_wait_up(OURS, THEIRS);
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
    pair_expect_kernel(OURS, THEIRS);
    int watch = watch_routes(OURS);
    p->kill(THEIRS);
    UNTIL(dropped(OURS, FAMILIES));
    expect_kept(OURS, THEIRS);
    come_back(THEIRS);
    pair_signal(OURS, SIGSTOP); /* no session before it has all its routes again */
    p->start(&pair.setup[THEIRS]);
    assert_int_equal(deletions(watch), 0);
    pair_signal(OURS, SIGCONT);
    expect_purged(OURS, THEIRS);
    pair_expect_routes(THEIRS, OURS, OURS, "");
    assert_int_equal(deletions(watch), FAMILIES);
    close(watch);
}

void row_restart_ours(const struct program *p, int argument) {
    (void)argument;
    pair.program = p;
    pair_make(OUR_AS, OUR_AS, WE_CONNECT);
    pair.profile = "calico"; /* GoBGP takes no call for five seconds */
    pair_start();
    pair_wait_up(OURS, THEIRS);
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
    pair_expect_routes(THEIRS, OURS, OURS, "");
    pair_expect_kernel(THEIRS, OURS);
    pair_expect_kernel(OURS, THEIRS);
    int ours = watch_routes(OURS), theirs = watch_routes(THEIRS);
    nodes_kill(OURS);
    for (int f = 0; f < FAMILIES; f++)
        UNTIL(!p->established(THEIRS, f, OURS));
    expect_kept(THEIRS, OURS);
    come_back(OURS);
    interop_start(&pair.setup[OURS], pair.profile);
    expect_purged(THEIRS, OURS);
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
    assert_int_equal(deletions(theirs), p->kernel ? FAMILIES : 0);
    if (!p->claims_restart) /* RFC 4724 4.1: nobody waits for its routes then */
        assert_int_equal(deletions(ours), 0);
    pair_expect_kernel(OURS, THEIRS);
    close(theirs);
    close(ours);
}
