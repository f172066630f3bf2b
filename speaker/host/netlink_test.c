/*
 * Batches of route requests: what fails is known one by one, though only the last request asks for
 * an acknowledgement. The kernel of a namespace of our own is the other side.
 */
#include "netlink.h"
#include "nodes_fixture.h"

#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NODES 2
#define COUNT 5

static struct netlink nl; /* large */
static struct netlink_batch batch;

static int lab_up(void **state) {
    (void)state;
    (void)nodes_group_up(NODES);
    if (!nodes_forbidden()) {
        nodes_enter(nodes.at[0].ns);
        assert_true(netlink_open(&nl));
    }
    return 0;
}

static int lab_down(void **state) {
    if (!nodes_forbidden()) {
        netlink_close(&nl);
        nodes_enter(nodes.home_ns);
    }
    return nodes_group_down(state);
}

static void put(uint16_t type, uint16_t flags, unsigned number) {
    struct netlink_route r = {
        .prefix = {ip4(0x0AF40000u + (number << 8)), 24},
        .table = RT_TABLE_MAIN,
        .protocol = RTPROT_BIRD,
        .type = RTN_BLACKHOLE,
    };
    (void)netlink_put_route(&batch, type, flags, &r);
}

/* Sends what was put; are the errors these? */
static void send_expecting(const int expected[COUNT]) {
    assert_int_equal(batch.count, COUNT);
    assert_true(netlink_send(&nl, &batch, NULL, NULL));
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(batch.errors[i], expected[i]);
    netlink_batch_init(&batch);
}

static void test_each_failure_is_told(void **state) {
    static const int made[COUNT] = {0}, again[COUNT] = {0, EEXIST, 0, EEXIST, 0};
    static const int last[COUNT] = {ESRCH, 0, 0, 0, ESRCH},
                     all[COUNT] = {ESRCH, ESRCH, ESRCH, ESRCH, ESRCH};
    (void)state;
    SKIP_IF_FORBIDDEN();
    netlink_batch_init(&batch);
    for (unsigned i = 0; i < COUNT; i++)
        put(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, i);
    send_expecting(made);
    for (unsigned i = 0; i < COUNT; i++) /* 5, 1, 6, 3, 7: two are there */
        put(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, i % 2 ? i : 5 + i / 2);
    send_expecting(again);
    for (unsigned i = 0; i < COUNT; i++)
        put(RTM_DELROUTE, 0, i == 0 || i + 1 == COUNT ? 100 + i : i);
    send_expecting(last);
    for (unsigned i = 0; i < COUNT; i++)
        put(RTM_DELROUTE, 0, 100 + i);
    send_expecting(all);
}

/* A batch that is not sent at all leaves nothing behind and nothing assumed. */
static void test_what_is_not_sent_is_not_done(void **state) {
    struct netlink closed = {.fd = -1};
    (void)state;
    SKIP_IF_FORBIDDEN();
    netlink_batch_init(&batch);
    put(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, 50);
    assert_false(netlink_send(&closed, &batch, NULL, NULL));
    assert_int_equal(batch.errors[0], -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_failure_is_told),
        cmocka_unit_test(test_what_is_not_sent_is_not_done),
    };
    return cmocka_run_group_tests(tests, lab_up, lab_down);
}
