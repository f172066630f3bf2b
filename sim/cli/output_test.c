/*
 * What becomes of a command whose output is lost: closed descriptors, a reader that goes away or
 * does not read, a full device. The real program runs real labs; what it writes into a run's folder
 * is whole.
 */

#include "cli_fixture.h"

static int setup(void **state) {
    if (world_enter(state) != 0)
        return -1;
    setenv("RIBCAGE_SPEAKER", program_path("ribcage-speaker"), 0);
    fixture_scenario("mesh", "  - name: up\n    expect: {sessions: mesh, converged: true}\n");
    fixture_scenario("long", "  - name: forever\n    deadline: 1h\n"
                             "    expect: {log: {node: kube-1, contains: never-said}}\n");
    return 0;
}

static int fresh(void **state) {
    (void)state;
    fixture_remove(fixture_path("runs"));
    return 0;
}

static void close_output(void *argument) {
    (void)argument;
    close(0);
    close(1);
    close(2);
}

static void test_closed_output(void **state) {
    (void)state;
    struct run_options o = {.prepare = close_output};
    struct run r =
        run_start_with(&o, WORDS("run", fixture_path("mesh"), "--runs", fixture_path("runs")));

    run_end(&r);
    json_decref(assert_result(&r, 0, "passed"));
    run_close(&r);
    assert_nothing_left();
}

static void test_reader_goes_away(void **state) {
    int pipes[2];

    (void)state;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    close(pipes[0]);
    struct run_options o = {.out = pipes[1]};
    struct run r =
        run_start_with(&o, WORDS("run", fixture_path("mesh"), "--runs", fixture_path("runs")));
    close(pipes[1]);
    run_end(&r);
    json_decref(assert_result(&r, 0, "passed"));
    run_close(&r);
    assert_nothing_left();
}

static void join_output(void *argument) {
    if (argument)
        (void)dup2(1, 2);
}

/* It is waited for, but not by who is asked to end; also where errors go the same way. */
static void test_reader_does_not_read(void **state) {
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

    (void)state;
    for (int i = 0; i < 3; i++) {
        int pipes[2];
        json_t *begun = NULL;
        open_stuck_pipe(pipes, 2, i % 2);
        struct run_options o = {
            .out = pipes[1], .prepare = join_output, .argument = i == 2 ? pipes : NULL};
        struct run r =
            run_start_with(&o, WORDS("run", fixture_path("long"), "--runs", fixture_path("runs")));
        while (!begun && !has_ended(r.pid))
            begun = only_result("runs");
        assert_int_equal(kill(r.pid, signals[i]), 0);
        run_end(&r);
        json_decref(assert_result(&r, 130, "interrupted"));
        json_decref(begun);
        run_close(&r);
        close(pipes[0]);
        close(pipes[1]);
        fixture_remove(fixture_path("runs"));
        assert_nothing_left();
    }
}

static void test_output_full(void **state) {
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct run_options o = {.out = full};

    assert_true(full >= 0);
    struct run r = run_start_with(&o, WORDS("version"));
    run_end(&r);
    assert_int_equal(r.status, 4);
    assert_says(r.err, "cannot write to standard output: No space left on device");
    run_close(&r);
    r = run_start_with(&o, WORDS("help", "plan"));
    run_end(&r);
    assert_int_equal(r.status, 4);
    run_close(&r);
    r = run_start_with(&o, WORDS("plan", "--help"));
    run_end(&r);
    assert_int_equal(r.status, 4);
    run_close(&r);
    /* More than a buffer: it fails on the way. */
    r = run_start_with(&o, WORDS("plan", fixture_path("mesh/pool.yaml"), "-o", "json"));
    run_end(&r);
    close(full);
    assert_int_equal(r.status, 4);
    assert_says(r.err, "cannot write to standard output");
    assert_null(strstr(written(r.err), "Success"));
    run_close(&r);
}

/* What a run says goes out line by line; what it writes into its folder is there all the same. */
static void test_output_of_run_full(void **state) {
    static const char *const forms[] = {"--allow-noise", "--json", "--quiet"};
    static const int statuses[] = {4, 4, 0}; /* quiet, and nothing to say */

    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct run_options o = {.out = full};

    assert_true(full >= 0);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        fixture_remove(fixture_path("runs"));
        struct run r = run_start_with(
            &o, WORDS("run", fixture_path("mesh"), "--runs", fixture_path("runs"), forms[i]));
        run_end(&r);
        json_t *result = only_result("runs");
        assert_string_equal(text_in(result, "verdict"), "passed");
        json_decref(result);
        if (r.status != statuses[i])
            fail_msg("%s: status %d: %s", forms[i], r.status, written(r.err));
        if (statuses[i])
            assert_says(r.err, "cannot write to standard output: No space left on device");
        run_close(&r);
    }
    close(full);
    assert_nothing_left();
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_closed_output), TEST(test_reader_goes_away),   TEST(test_reader_does_not_read),
        TEST(test_output_full),   TEST(test_output_of_run_full),
    };

    return cmocka_run_group_tests(tests, setup, world_leave);
}
