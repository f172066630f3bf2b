/*
 * A line for what happens as often as somebody likes: so many at once, then a few a second.
 */
#include "log.h"

#include "loop.h"
#include "nodes_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TIMES 4000
#define BURST 2000
#define PER_SECOND 20

#define ROUTE "{\"prefix\":\"10.77.0.0/24\",\"source\":\"static\",\"blackhole_in_kernel\":true}"

static char log_path[] = "/tmp/log_test.XXXXXX";

static int lab_up(void **state) {
    (void)state;
    return nodes_group_up(2);
}

static unsigned lines_of(const char *id) {
    static char log[1 << 20];
    FILE *f = fopen(log_path, "r");
    unsigned lines = 0;
    assert_non_null(f);
    log[fread(log, 1, sizeof log - 1, f)] = '\0';
    fclose(f);
    for (const char *at = log; (at = strstr(at, id)); at++)
        lines++;
    return lines;
}

static bool refused(int node, uint64_t value) {
    (void)node;
    return lines_of(" route_refused 10.77.0.0/24 ") >= value;
}

/* A route that flaps and that the kernel does not take, for somebody else's stands there. */
static void test_route_refused_again_and_again(void **state) {
    char option[] = "--log", *more[] = {option, log_path, NULL};
    (void)state;
    SKIP_IF_FORBIDDEN();
    int fd = mkstemp(log_path);
    assert_true(fd >= 0);
    close(fd);
    nodes_ip(0, "route", "add", "10.77.0.0/24", "via", "10.0.0.9", NULL);
    struct nanotime begin = loop_now();
    nodes_start_with(0,
                     "{\"profile\":\"plain\",\"local_as\":64512,\"router_id\":\"10.0.0.1\","
                     "\"fib\":{\"install\":true}}",
                     "--config-fd", more);
    WAIT_FOR(running, 0, SCOREBOARD_RUNNING);
    for (int i = 0; i < TIMES; i++) {
        assert_true(nodes_ask(0, "{\"op\":\"originate\",\"routes\":[" ROUTE "]}\n", "\"count\":1"));
        assert_true(nodes_ask(0, "{\"op\":\"withdraw\",\"routes\":[" ROUTE "]}\n", "\"count\":1"));
    }
    WAIT_FOR(refused, 0, 1);
    unsigned lines = lines_of(" route_refused ");
    uint64_t seconds = nanotime_since(loop_now(), begin) / NANOS_PER_S + 1;
    print_message("%u lines for %d times\n", lines, TIMES);
    assert_in_range(lines, BURST, BURST + PER_SECOND * seconds);
    assert_true(lines_of(" log_suppressed ") > 0 || lines == TIMES);
    unlink(log_path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_route_refused_again_and_again, nodes_kill_all),
    };
    return cmocka_run_group_tests_name("log", tests, lab_up, nodes_group_down);
}
