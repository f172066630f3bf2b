/*
 * A lab that outlives the command that made it: who decides that it does, and what it keeps of its
 * maker. Ends of `up` by any signal at any moment: either the lab is there and obeys, or it is not.
 */

#include "cli_fixture.h"

#include <inttypes.h>
#include <sys/file.h>

#include "../../speaker/base/hash.h"

#define POINTS 10

static int setup(void **state) {
    if (world_enter(state) != 0)
        return -1;
    fixture_scenario("mesh", "  - name: up\n    expect: {sessions: mesh, converged: true}\n");
    return 0;
}

static int down_all(void **state) {
    (void)state;
    struct run r = run_words(WORDS("down", "--all"));

    run_close(&r);
    r = run_words(WORDS("gc"));
    run_close(&r);
    fixture_remove(fixture_path("runs"));
    return 0;
}

static struct run start_up(const struct run_options *o) {
    return run_start_with(o, WORDS("up", fixture_path("mesh"), "--runs", fixture_path("runs")));
}

static void says(const char *const *words, int status, const char *what) {
    struct run r = run_words(words);

    if (r.status != status || (!strstr(written(r.out), what) && !strstr(written(r.err), what)))
        fail_msg("%s: %d: %s %s", words[0], r.status, written(r.out), written(r.err));
    run_close(&r);
}

/* ---- who decides ---- */

static uint64_t now_us(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* The socket answers when the lab has been built, and its speakers run. */
static void await_served(void) {
    uint64_t end_us = now_us() + FIXTURE_DEADLINE_MS * UINT64_C(1000);
    int status;

    do {
        struct run r = run_words(WORDS("status"));
        status = r.status;
        run_close(&r);
        assert_true(now_us() < end_us);
    } while (status != 0);
}

static void signal_at(const struct run *r, const char *what, int signal) {
    assert_true(await_file_says(r->out, what, r->pid));
    assert_int_equal(kill(r->pid, signal), 0);
}

/* Unless the signal came late, and the command knew already. */
static void assert_gone(struct run *r) {
    run_end(r);
    if (strstr(written(r->out), " start "))
        says(WORDS("down", "--all"), 0, "");
    run_close(r);
    assert_true(await_no_children());
    says(WORDS("gc"), 0, "0 running");
    assert_nothing_left();
}

/* It was never said that the lab is up: nobody would take it down. */
static void test_killed_before_it_knew(void **state) {
    (void)state;
    struct run r = start_up(&(struct run_options){.out = 0});

    signal_at(&r, " build ", SIGSTOP);
    await_served();
    assert_int_equal(kill(r.pid, SIGKILL), 0);
    assert_gone(&r);
}

/* The same while it is built: the first to notice is who writes a record. */
static void test_killed_while_it_is_built(void **state) {
    (void)state;
    for (int i = 0; i < POINTS; i++) {
        struct run r = start_up(&(struct run_options){.out = 0});
        signal_at(&r, i % 2 ? " build " : "4 nodes", SIGKILL);
        assert_gone(&r);
        fixture_remove(fixture_path("runs"));
    }
}

/* The status, the report and the lab tell the same. */
static bool check_interrupted(const struct run *r) {
    json_t *result = only_result("runs");

    if (r->status == 0) {
        assert_says(r->out, " is up");
        says(WORDS("down"), 0, "is down");
        assert_string_equal(text_in(result, "verdict"), "passed");
    } else if (result) {
        assert_null(strstr(written(r->out), " is up"));
        if (r->status != 130 || strcmp(text_in(result, "verdict"), "interrupted") != 0)
            fail_msg("status %d, %s: %s", r->status, text_in(result, "verdict"), written(r->err));
    }
    json_decref(result);
    assert_nothing_left();
    return r->status == 130;
}

static void test_interrupted(void **state) {
    uint64_t seed = 3, up_us = 0;
    unsigned cut = 0;

    (void)state;
    for (int i = 0; i < 2 * POINTS; i++) {
        uint64_t start = now_us(), us = rng_below(&seed, up_us + 1);
        struct run r = start_up(&(struct run_options){.out = 0});
        struct pollfd p = {.fd = r.pidfd, .events = POLLIN};
        struct timespec t = {.tv_sec = (time_t)(us / 1000000),
                             .tv_nsec = (long)(us % 1000000) * 1000};
        if (i > 0)
            (void)ppoll(&p, 1, &t, NULL);
        if (i > 0)
            (void)kill(r.pid, i % 2 ? SIGINT : SIGTERM);
        run_end(&r);
        if (r.status == 0)
            up_us = now_us() - start; /* this machine is now fast and now slow */
        cut += check_interrupted(&r);
        run_close(&r);
        fixture_remove(fixture_path("runs"));
    }
    print_message("%u of %u cut off\n", cut, 2 * POINTS);
    assert_true(cut > 0);
}

/* It has come up, but its command says something else, to nobody, when it is asked to end. */
static void test_interrupted_while_nobody_reads(void **state) {
    int pipes[2];

    (void)state;
    open_stuck_pipe(pipes, 2, 1);
    struct run r = start_up(&(struct run_options){.out = pipes[1]});
    await_served();
    assert_int_equal(kill(r.pid, SIGTERM), 0);
    run_end(&r);
    json_decref(assert_result(&r, 130, "interrupted"));
    run_close(&r);
    close(pipes[0]);
    close(pipes[1]);
    assert_nothing_left();
}

/* ---- what is kept ---- */

#define INHERITED 9

static void inherit(void *argument) {
    (void)dup2(*(int *)argument, INHERITED);
}

/* A program in a lab finds its signals as it would outside: whoever runs us may ignore some, and
 * only SIGPIPE is our own. */
static void say_ignored(char *line, size_t size) {
    char status[80];
    uint64_t ignored = UINT64_MAX;
    FILE *f = fopen("/proc/self/status", "re");
    assert_non_null(f);
    while (ignored == UINT64_MAX && fgets(status, sizeof status, f))
        if (strncmp(status, "SigIgn:", 7) == 0)
            ignored = strtoull(status + 7, NULL, 16);
    fclose(f);
    assert_true(ignored != UINT64_MAX);
    ignored &= ~(UINT64_C(1) << (SIGPIPE - 1));
    snprintf(line, size, "SigIgn:\t%016" PRIx64, ignored);
}

/* A script that holds a lock while it makes a lab, as scripts do: exec 9>lock; flock 9. */
static void test_lock_of_the_caller(void **state) {
    (void)state;
    int lock = open(fixture_path("lock"), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    struct run_options o = {.prepare = inherit, .argument = &lock};

    assert_true(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0);
    struct run r = start_up(&o);
    run_end(&r);
    assert_int_equal(r.status, 0);
    run_close(&r);
    close(lock);
    lock = open(fixture_path("lock"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
    close(lock);
    says(WORDS("wait", "converged"), 0, "converged");
    char ignored[32];
    say_ignored(ignored, sizeof ignored);
    says(WORDS("exec", "kube-1", "grep", "SigIgn", "/proc/self/status"), 0, ignored);
    says(WORDS("down"), 0, "is down");
    assert_nothing_left();
}

static char long_folder[128];
static uid_t somebody; /* of this process alone: its labs are below /tmp, which is everybody's */

static void become_somebody(void *argument) {
    (void)argument;
    setenv("XDG_RUNTIME_DIR", long_folder, 1);
    if (setresgid(somebody, somebody, somebody) != 0 ||
        setresuid(somebody, somebody, somebody) != 0)
        _exit(124);
}

static int as_somebody(const char *const *words, const char *what) {
    struct run r = run_start_with(&(struct run_options){.prepare = become_somebody}, words);

    run_end(&r);
    if (!strstr(written(r.out), what))
        print_message("%s: %d: %s %s\n", words[0], r.status, written(r.out), written(r.err));
    int status = strstr(written(r.out), what) ? r.status : -1;
    run_close(&r);
    return status;
}

/* The address of a socket has 107 octets: a lab below a longer folder could not be asked. */
static void test_long_runtime_folder(void **state) {
    (void)state;
    if (!write_proc("/proc/self/setgroups", "allow")) { /* only with all users mapped */
        print_message("skipped: only root may become another user here\n");
        skip();
    }
    char base[64];
    somebody = 20000 + (uid_t)getpid() % 40000;
    snprintf(base, sizeof base, "/tmp/ribcage-%u", somebody);
    snprintf(long_folder, sizeof long_folder, "/run/%080d", 0);
    assert_int_equal(mkdir(long_folder, 0700), 0);
    (void)mkdir(fixture_path("runs"), 0755);
    assert_int_equal(chown(long_folder, somebody, somebody), 0);
    assert_int_equal(chown(fixture_path("runs"), somebody, somebody), 0);
    int status = as_somebody(
        WORDS("up", fixture_path("mesh"), "--runs", fixture_path("runs"), "--set", "nodes=2"),
        " is up");
    assert_int_equal(as_somebody(WORDS("wait", "converged"), "converged"), 0);
    assert_int_equal(as_somebody(WORDS("down"), "is down"), 0);
    assert_int_equal(status, 0);
    assert_int_equal(rmdir(long_folder), 0); /* nothing in it */
    assert_int_equal(rmdir(base), 0);
    assert_nothing_left();
}

/* The supervisor of a lab that is up is our child. */
static pid_t only_child(void) {
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && read(fd, line, sizeof line - 1) > 0);
    close(fd);
    return (pid_t)strtol(line, NULL, 10);
}

/* A supervisor that is stopped answers nobody: that is said. It goes down all the same. */
static void test_supervisor_stopped(void **state) {
    (void)state;
    struct run r = start_up(&(struct run_options){.out = 0});
    run_end(&r);
    assert_int_equal(r.status, 0);
    run_close(&r);
    assert_int_equal(kill(only_child(), SIGSTOP), 0);
    says(WORDS("status"), 2, "is stopped by a signal: kill -CONT");
    says(WORDS("exec", "kube-1", "true"), 2, "is stopped by a signal: kill -CONT");
    says(WORDS("list"), 0, "running");
    says(WORDS("down"), 0, "is down");
    assert_nothing_left();
}

#define TEST(f) cmocka_unit_test_teardown(f, down_all)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_killed_before_it_knew), TEST(test_killed_while_it_is_built),
        TEST(test_interrupted),           TEST(test_interrupted_while_nobody_reads),
        TEST(test_lock_of_the_caller),    TEST(test_long_runtime_folder),
        TEST(test_supervisor_stopped),
    };

    return cmocka_run_group_tests(tests, setup, world_leave);
}
