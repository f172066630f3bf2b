/*
 * Whether a speaker hears of the kernel's changes, or looks: two nodes of a lab that pretends to be
 * small or large. What changed while nobody listened must be put right all the same.
 */
#include "nodes_fixture.h"

#include "../base/text.h"
#include "loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NODES 2
#define SMALL NODES_MAX
#define LARGE 128
#define ROUTES 100 /* at once: a rush */

static int lab_up(void **state) {
    (void)state;
    return nodes_group_up(NODES);
}

static int speakers_end(void **state) {
    (void)state;
    for (int i = 0; !nodes_forbidden() && i < NODES; i++) {
        nodes_kill(i);
        nodes_ip(i, "route", "flush", "proto", "12", NULL);
    }
    return 0;
}

/* The second node calls the first and has so many prefixes. */
static const char *config_of(int node, int prefixes) {
    static struct text texts[NODES];
    struct text *t = &texts[node];
    text_deinit(t);
    text_init(t);
    text_printf(t,
                "{\"profile\":\"fast\",\"hostname\":\"n%d\",\"local_as\":64512,"
                "\"router_id\":\"10.0.0.%d\",\"fib\":{\"install\":true},\"peers\":[{\"name\":"
                "\"other\",\"remote_addr\":\"10.0.0.%d\",\"remote_as\":64512%s}],\"origins\":[",
                node + 1, node + 1, 2 - node, node ? "" : ",\"passive\":true");
    for (int i = 0; node && i < prefixes; i++)
        text_printf(t, "%s{\"prefix\":\"10.244.%d.0/24\",\"source\":\"static\"}", i ? "," : "", i);
    text_puts(t, "]}");
    return text_str(t);
}

static void start_both(int prefixes) {
    for (int i = 0; i < NODES; i++) {
        nodes_start(i, config_of(i, prefixes), "--config-fd");
        WAIT_FOR(running, i, SCOREBOARD_RUNNING);
    }
    WAIT_FOR(fib_routes, 0, (uint64_t)prefixes);
}

static void configure(int node, int prefixes) {
    struct text request;
    text_init(&request);
    text_printf(&request, "{\"op\":\"configure\",\"config\":%s}\n", config_of(node, prefixes));
    assert_true(nodes_ask(node, text_str(&request), "\"ok\":true"));
    text_deinit(&request);
}

static bool listening(int node, uint64_t value) {
    return atomic_load(&nodes_slot(node)->listening) == value;
}

/* Has the kernel the route to the first prefix? */
static bool kernel_has_first(int node, uint64_t value) {
    static char text[65536];
    nodes_read_proc(node, "route", text, sizeof text);
    return (strstr(text, "0000F40A") != NULL) == (value != 0);
}

static uint64_t rush_until(void) {
    return atomic_load(&nodes.board->rush_until_ns);
}

static void test_a_small_lab_always_listens(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    nodes_pretend(SMALL);
    start_both(ROUTES);
    assert_true(listening(0, 1) && listening(1, 1));
    assert_int_equal(rush_until(), 0);
    nodes_ip(0, "route", "del", "10.244.0.0/24", NULL);
    WAIT_FOR(kernel_has_first, 0, 1);
    assert_true(listening(0, 1));
}

/* Others write without end: what somebody does to the kernel is seen by looking. */
static void test_looks_during_a_rush(void **state) {
    const uint64_t hour_ns = UINT64_C(3600) * NANOS_PER_S;
    (void)state;
    SKIP_IF_FORBIDDEN();
    nodes_pretend(LARGE);
    atomic_store(&nodes.board->rush_until_ns, loop_now().ns + hour_ns);
    start_both(2);
    assert_true(listening(0, 0));
    nodes_ip(0, "route", "del", "10.244.0.0/24", NULL);
    WAIT_FOR(kernel_has_first, 0, 1);
    nodes_ip(0, "link", "set", "v0", "down", NULL);
    WAIT_FOR(fib_routes, 0, 0);
    nodes_ip(0, "link", "set", "v0", "up", NULL);
    WAIT_FOR(fib_routes, 0, 2);
    assert_true(kernel_has_first(0, 1));
    assert_true(listening(0, 0));
}

/* The rush is over: everybody listens, and puts right what happened in between. */
static void test_listens_after_a_rush(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    nodes_pretend(LARGE);
    start_both(2);
    assert_true(rush_until() > 0);
    nodes_ip(0, "route", "del", "10.244.0.0/24", NULL);
    WAIT_FOR(listening, 0, 1);
    WAIT_FOR(listening, 1, 1);
    WAIT_FOR(kernel_has_first, 0, 1);
    nodes_ip(0, "route", "del", "10.244.0.0/24", NULL);
    WAIT_FOR(kernel_has_first, 0, 1);
}

/* A few routes are no rush, many are: who writes them says so to all and stops listening. */
static void test_many_routes_are_a_rush(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    nodes_pretend(LARGE);
    start_both(1);
    WAIT_FOR(listening, 0, 1);
    uint64_t before = rush_until();
    configure(1, 3);
    WAIT_FOR(fib_routes, 0, 3);
    assert_int_equal(rush_until(), before);
    configure(1, ROUTES);
    WAIT_FOR(fib_routes, 0, ROUTES);
    assert_true(rush_until() > before);
    WAIT_FOR(listening, 0, 1);
    assert_true(kernel_has_first(0, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_small_lab_always_listens, speakers_end),
        cmocka_unit_test_teardown(test_looks_during_a_rush, speakers_end),
        cmocka_unit_test_teardown(test_listens_after_a_rush, speakers_end),
        cmocka_unit_test_teardown(test_many_routes_are_a_rush, speakers_end),
    };
    return cmocka_run_group_tests(tests, lab_up, nodes_group_down);
}
