/*
 * Several runs by one command: where they end, and what their end is.
 */

#include "cli_fixture.h"

static int setup(void **state) {
    if (world_enter(state) != 0)
        return -1;
    fixture_scenario("twice", "  - {name: one, expect: {sessions: 4}}\n"
                              "  - {name: two, expect: {sessions: 5}}\n");
    fixture_scenario("fine", "  - expect: {sessions: mesh}\n");
    return 0;
}

static struct run run_both(const char *how) {
    fixture_remove(fixture_path("runs"));
    return run_words(WORDS("run", how, fixture_path("twice"), fixture_path("fine"), "--runs",
                           fixture_path("runs")));
}

/* The first step that fails is the last, and so is its run. */
static void test_fail_fast(void **state) {
    (void)state;
    struct run r = run_both("-x");
    assert_says(r.out, "4 sessions expected");
    assert_null(strstr(written(r.out), "5 sessions expected"));
    assert_says(r.out, "0 of 1 checks passed");
    assert_says(r.out, "0 scenarios passed, 1 failed, the others did not begin");
    assert_non_null(only_run("runs"));
    assert_int_equal(r.status, 1);
    run_close(&r);
}

static void test_all_of_them(void **state) {
    (void)state;
    struct run r = run_both("--allow-noise");
    assert_says(r.out, "5 sessions expected");
    assert_says(r.out, "1 scenarios passed, 1 failed\n");
    assert_int_equal(r.status, 1);
    run_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_fast),
        cmocka_unit_test(test_all_of_them),
    };
    return cmocka_run_group_tests(tests, setup, world_leave);
}
