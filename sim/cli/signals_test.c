/*
 * Interrupts and deaths at seeded points of a run: the exit status, the report, and nothing left.
 *
 * Each kind of end meets a run at 40 points from its first instant to after its last. What must
 * hold wherever it hits: the exit status and the report say the same; the report is whole; no
 * process, namespace or place of a lab is left (after `gc`, where the command itself was killed).
 */

#include "cli_fixture.h"

#include "../../speaker/base/hash.h"

#define POINTS 40

#define POINTS_MAX (10 * POINTS)

static uint64_t run_us; /* how long an undisturbed run takes: the last one that came to its end */

static uint64_t now_us(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int setup(void **state) {
    if (world_enter(state) != 0)
        return -1;
    fixture_scenario("mesh", "  - name: up\n    expect: {sessions: mesh, converged: true}\n"
                             "  - name: packets\n    expect: {ping: all}\n");
    fixture_scenario("long", "  - name: up\n    expect: {sessions: mesh, converged: true}\n"
                             "  - name: forever\n    deadline: 1h\n"
                             "    expect: {log: {node: kube-1, contains: never-said}}\n");
    fixture_scenario("deaf", "  - name: before\n    expect: {sessions: mesh, converged: true}\n"
                             "  - name: up\n    fault: {block: kube-1}\n"
                             "  - name: forever\n    deadline: 1h\n"
                             "    expect: {log: {node: kube-1, contains: never-said}}\n");
    return 0;
}

static struct run start_run(void) {
    fixture_remove(fixture_path("runs"));
    return run_start(WORDS("run", fixture_path("mesh"), "--runs", fixture_path("runs")));
}

/* Up to the moment, or until the run has ended: how long that is then is known anew, for a machine
 * with others on it is now fast and now slow. */
static void await_moment(const struct run *r, uint64_t us) {
    struct pollfd p = {.fd = r->pidfd, .events = POLLIN};
    struct timespec t = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
    uint64_t start = now_us();

    if (ppoll(&p, 1, &t, NULL) == 1)
        run_us = now_us() - start;
}

/* It met a run that had not begun: this machine is slower than it was. */
static void note_too_early(void) {
    run_us += run_us / 4;
}

/* Points go on until there were enough that met a living run. */
static bool more_points(unsigned done, unsigned met) {
    return done < POINTS || (met < POINTS / 4 && done < POINTS_MAX);
}

/* An orderly stop waits for no timer of seconds; what it takes beside that is the machine's matter,
 * and some stops may meet a bad moment of the machine. */
static bool is_prompt(uint64_t stop_us) {
    return stop_us < 5000000 + 10 * run_us;
}

static void test_undisturbed(void **state) {
    uint64_t start = now_us();
    struct run r = start_run();

    (void)state;
    run_end(&r);
    run_us = now_us() - start;
    assert_int_equal(r.status, 0);
    run_close(&r);
    assert_nothing_left();
}

/* ---- the command is asked to stop ---- */

/* True: it was cut off, and says so everywhere. */
static bool check_interrupted(const struct run *r, int signal) {
    json_t *result = only_result("runs");
    const char *verdict = text_in(result, "verdict");

    if (result)
        assert_int_equal(json_integer_value(json_object_get(result, "exit_status")), r->status);
    else if (r->status != 130 && r->status != 128 + signal)
        /* before there was anything to report; before it had begun at all */
        fail_msg("no report, status %d: %s %s", r->status, written(r->out), written(r->err));
    if (!result)
        note_too_early();
    if (!result)
        return false;
    if (strcmp(verdict, r->status == 130 ? "interrupted" : "passed") != 0)
        fail_msg("status %d, %s: %s", r->status, verdict, text_in(result, "error"));
    assert_true(r->status == 130 || r->status == 0);
    json_decref(result);
    return r->status == 130;
}

static void interrupt(int first, int second) {
    uint64_t seed = (uint64_t)first * 1000 + (uint64_t)second;
    unsigned cut = 0, done = 0, prompt = 0;

    for (; more_points(done, cut); done++) {
        struct run r = start_run();
        await_moment(&r, rng_below(&seed, run_us + run_us / 4));
        /* The whole group, as the terminal does. */
        (void)kill(-r.pid, first);
        if (second)
            (void)kill(r.pid, second);
        uint64_t asked = now_us();
        run_end(&r);
        prompt += is_prompt(now_us() - asked);
        cut += check_interrupted(&r, first);
        run_close(&r);
        assert_nothing_left();
    }
    print_message("%u of %u cut off, %u promptly\n", cut, done, prompt);
    assert_true(prompt >= done / 4);
    assert_true(cut >= POINTS / 4);
}

static void test_interrupt(void **state) {
    (void)state;
    interrupt(SIGINT, 0);
}

static void test_interrupt_twice(void **state) {
    (void)state;
    interrupt(SIGINT, SIGTERM); /* two of a kind at once would be one */
}

static void test_terminate(void **state) {
    (void)state;
    interrupt(SIGTERM, 0);
}

static void test_hang_up(void **state) {
    (void)state;
    interrupt(SIGHUP, 0);
}

/* ---- the command is killed ---- */

static void test_kill_front(void **state) {
    uint64_t seed = 9;
    unsigned incomplete = 0, done = 0;

    (void)state;
    for (; more_points(done, incomplete); done++) {
        struct run r = start_run();
        await_moment(&r, rng_below(&seed, run_us + run_us / 4));
        (void)kill(r.pid, SIGKILL);
        run_end(&r);
        assert_true(await_no_children());
        json_t *result = only_result("runs"); /* whole, or not there */
        if (r.status != 0 && result) {
            assert_int_equal(r.status, 128 + SIGKILL);
            bool ended = strcmp(text_in(result, "verdict"), "passed") == 0;
            assert_true(ended || strcmp(text_in(result, "verdict"), "incomplete") == 0);
            assert_true(ended || *text_in(result, "partial_of"));
            incomplete += !ended;
        } else if (!result) {
            note_too_early();
        }
        json_decref(result);
        run_close(&r);
        r = run_words(WORDS("gc"));
        assert_int_equal(r.status, 0);
        run_close(&r);
        assert_nothing_left();
    }
    print_message("%u of %u incomplete\n", incomplete, done);
    assert_true(incomplete >= POINTS / 4);
}

/* ---- the supervisor is killed ---- */

static pid_t first_child(pid_t pid) {
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        (void)!read(fd, text, sizeof text - 1);
        close(fd);
    }
    return (pid_t)strtol(text, NULL, 10);
}

/* 0: the run was over before it was seen. */
static pid_t await_supervisor(const struct run *r) {
    for (;;) {
        pid_t pid = first_child(r->pid);
        if (pid > 0 || await_exit(r->pidfd, 0))
            return pid;
        sched_yield();
    }
}

static void test_kill_supervisor(void **state) {
    uint64_t seed = 11;
    unsigned crashed = 0, done = 0;

    (void)state;
    for (; more_points(done, crashed); done++) {
        struct run r = start_run();
        pid_t supervisor = await_supervisor(&r);
        await_moment(&r, rng_below(&seed, run_us));
        if (supervisor > 0 && first_child(r.pid) == supervisor)
            (void)kill(supervisor, SIGKILL);
        run_end(&r);
        json_t *result = only_result("runs");
        assert_non_null(result);
        assert_int_equal(json_integer_value(json_object_get(result, "exit_status")), r.status);
        if (r.status == 6) {
            assert_string_equal(text_in(result, "verdict"), "crashed");
            assert_true(*text_in(result, "error"));
            crashed++;
        } else if (r.status == 4) { /* it had not finished its own preparation */
            note_too_early();
        } else {
            assert_int_equal(r.status, 0);
        }
        json_decref(result);
        run_close(&r);
        assert_nothing_left(); /* at once: the command collects the place */
    }
    print_message("%u of %u crashed\n", crashed, done);
    assert_true(crashed >= POINTS / 4);
}

/* Once the step `up` is over. */
static void kill_supervisor_of(const char *scenario) {
    fixture_remove(fixture_path("runs"));
    struct run r = run_start(WORDS("run", fixture_path(scenario), "--runs", fixture_path("runs")));

    while (!strstr(written(r.out), " up  ")) {
        assert_false(await_exit(r.pidfd, 0));
        sched_yield();
    }
    assert_int_equal(kill(first_child(r.pid), SIGKILL), 0);
    run_end(&r);
    assert_int_equal(r.status, 6);
    run_close(&r);
    uint64_t start = now_us();
    assert_nothing_left();
    print_message("gone after %lu ms\n", (unsigned long)(now_us() - start) / 1000);
}

/* With sessions up: what their sockets still have to say must not keep a namespace. */
static void test_kill_established(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++)
        kill_supervisor_of("long");
}

/* Their FINs are never answered. */
static void test_kill_unanswered(void **state) {
    (void)state;
    kill_supervisor_of("deaf");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undisturbed),     cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_interrupt_twice), cmocka_unit_test(test_terminate),
        cmocka_unit_test(test_hang_up),         cmocka_unit_test(test_kill_front),
        cmocka_unit_test(test_kill_supervisor), cmocka_unit_test(test_kill_established),
        cmocka_unit_test(test_kill_unanswered),
    };
    return cmocka_run_group_tests(tests, setup, world_leave);
}
