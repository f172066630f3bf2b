/*
 * The event queue: order, coalescing of FIB changes, growth, its limit, and what is said when it
 * was met.
 */
#include "event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void push_fib(struct bgp_speaker *s, uint32_t n, bool withdrawn) {
    struct bgp_event e = {.kind = BGP_EVENT_FIB};
    e.fib.prefix = ip_prefix_make(ip4(n << 8), 24);
    e.fib.withdrawn = withdrawn;
    event_push(s, &e);
}

static void push_plain(struct bgp_speaker *s, enum bgp_event_kind kind, uint32_t n) {
    event_push(s, &(struct bgp_event){.kind = kind, .conn = {n, 1}});
}

static void order_and_coalescing(void **state) {
    (void)state;
    struct bgp_speaker s = {0};
    struct bgp_event e;
    assert_true(event_queue_new(&s));
    for (int round = 0; round < 50; round++) {
        for (uint32_t n = 0; n < 40; n++) {
            push_fib(&s, n, false);
            push_plain(&s, BGP_EVENT_OUTPUT, n);
            push_fib(&s, n / 2, true);
        }
        assert_int_equal(event_count(&s), 80);
        for (uint32_t n = 0; n < 40; n++) {
            assert_true(bgp_next_event(&s, &e));
            assert_int_equal(e.kind, BGP_EVENT_FIB);
            assert_int_equal(ip4_to_u32(e.fib.prefix.addr), n << 8);
            assert_int_equal(e.fib.withdrawn, n < 20);
            assert_true(bgp_next_event(&s, &e));
            assert_int_equal(e.kind, BGP_EVENT_OUTPUT);
            assert_int_equal(e.conn.index, n);
        }
        assert_false(bgp_next_event(&s, &e));
    }
    event_queue_free(&s);
}

/* BGP_EVENTS_MAX: what a remote can multiply is dropped and said; the others still fit. */
static void full(void **state) {
    (void)state;
    struct bgp_speaker s = {0};
    struct bgp_event e;
    uint32_t fibs = 0, closes = 0, lost = 0;
    assert_true(event_queue_new(&s));
    for (uint32_t n = 0; n < BGP_EVENTS_MAX; n++)
        push_fib(&s, n, false);
    push_plain(&s, BGP_EVENT_CLOSE, 1);
    while (bgp_next_event(&s, &e)) {
        fibs += e.kind == BGP_EVENT_FIB;
        closes += e.kind == BGP_EVENT_CLOSE;
        lost += e.kind == BGP_EVENT_LOG && e.log.id == BGP_LOG_NO_MEMORY;
    }
    assert_int_equal(fibs, BGP_EVENTS_MAX - BGP_EVENTS_MAX / 8);
    assert_int_equal(closes, 1);
    assert_int_equal(lost, 1);
    event_queue_free(&s);
}

static void every_kind_comes_back(void **state) {
    (void)state;
    struct bgp_speaker s = {0};
    struct bgp_event in = {.kind = BGP_EVENT_NOTIFIED, .peer = {3}}, out;
    assert_true(event_queue_new(&s));
    in.notified.sent = true;
    in.notified.code = 6;
    in.notified.size = BGP_NOTIFICATION_DATA_MAX;
    memset(in.notified.data, 0x5A, sizeof in.notified.data);
    event_push(&s, &in);
    assert_true(bgp_next_event(&s, &out));
    assert_memory_equal(&in.notified.data, &out.notified.data, sizeof in.notified.data);
    assert_int_equal(out.notified.code, 6);
    event_push(&s, &in); /* freed with the queue */
    memset(&in, 0, sizeof in);
    in.kind = BGP_EVENT_LOG;
    in.log.id = BGP_LOG_GR_ENDED;
    in.log.value2 = 77;
    in.log.address = ip4(9);
    event_push(&s, &in);
    assert_true(bgp_next_event(&s, &out) && bgp_next_event(&s, &out));
    assert_memory_equal(&in.log, &out.log, sizeof in.log);
    event_push(&s, &(struct bgp_event){.kind = BGP_EVENT_NOTIFIED,
                                       .notified = {.size = 4, .data = {1, 2, 3, 4}}});
    event_queue_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_and_coalescing),
        cmocka_unit_test(full),
        cmocka_unit_test(every_kind_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
