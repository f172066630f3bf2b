/*
 * Somebody from outside sits in a host's namespace when the lab is to go: who it is, is said while
 * the lab still waits, and the lab goes as soon as that program has ended.
 */

#include "cli_fixture.h"

#include "cli.h"

static int setup(void **state) {
    if (world_enter(state) != 0)
        return -1;
    fixture_scenario("mesh", "  - name: up\n    expect: {sessions: mesh, converged: true}\n"
                             "  - name: held\n    hold: {for: 1h}\n");
    return 0;
}

static int leave_no_lab(void **state) {
    (void)state;
    struct run r = run_words(WORDS("down", "--all"));
    run_close(&r);
    fixture_remove(fixture_path("runs"));
    return 0;
}

static time_t now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

/* ---- who sits there ---- */

static void read_program(pid_t pid, char *ret, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, ret, size - 1) : 0;
    if (fd >= 0)
        close(fd);
    ret[n > 0 ? n : 0] = '\0';
}

/* A program without an end in kube-2; it is in there when it has become itself. */
static struct run start_sitter(void) {
    char program[32] = "";
    time_t end = now_s() + FIXTURE_DEADLINE_MS / 1000;
    struct run r = run_start(WORDS("exec", "kube-2", "tail", "-f", "/dev/null"));
    while (strcmp(program, "tail\n") != 0 && !has_ended(r.pid) && now_s() < end) {
        sched_yield();
        read_program(r.pid, program, sizeof program);
    }
    if (strcmp(program, "tail\n") != 0)
        fail_msg("%s %s", program, written(r.err));
    return r;
}

/* `waiter` names the sitter while it sits, and ends well after it. */
static void assert_named(struct run *waiter, struct run *sitter, int status) {
    char wanted[128];
    snprintf(wanted, sizeof wanted, "held up by pid %d (tail) in the namespace of kube-2",
             sitter->pid);
    if (!await_file_says(waiter->err, wanted, waiter->pid))
        fail_msg("not named: %s", written(waiter->err));
    assert_false(has_ended(waiter->pid));
    assert_null(
        strstr(written(waiter->err), "ribcage-speaker")); /* one of the lab is no stranger */
    assert_int_equal(kill(sitter->pid, SIGKILL), 0);
    run_end(sitter);
    run_close(sitter);
    run_end(waiter);
    if (waiter->status != status)
        fail_msg("%d: %s %s", waiter->status, written(waiter->out), written(waiter->err));
}

static void test_down_names_who_sits(void **state) {
    (void)state;
    struct run r = run_words(WORDS("up", fixture_path("mesh"), "--runs", fixture_path("runs")));
    assert_int_equal(r.status, 0);
    run_close(&r);
    struct run sitter = start_sitter(), down = run_start(WORDS("down"));
    assert_named(&down, &sitter, 0);
    assert_says(down.out, "is down");
    run_close(&down);
    assert_true(await_no_children() && await_no_namespaces());
    assert_int_equal(count_places(), 0);
}

static pid_t supervisor(void) {
    struct ucred who = {0};
    socklen_t size = sizeof who;
    int fd = connect_lab();
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size), 0);
    close(fd);
    assert_true(who.pid > 0);
    return who.pid;
}

/* The lab ends, and the sitter does not: as after a minute, but the supervisor is killed. */
static void test_down_says_what_stays(void **state) {
    (void)state;
    struct run r = run_words(WORDS("up", fixture_path("mesh"), "--runs", fixture_path("runs")));
    assert_int_equal(r.status, 0);
    run_close(&r);
    pid_t pid = supervisor();
    struct run sitter = start_sitter(), down = run_start(WORDS("down"));
    assert_true(await_file_says(down.err, "held up by pid", down.pid));
    assert_int_equal(kill(pid, SIGKILL), 0);
    run_end(&down);
    char wanted[128];
    snprintf(wanted, sizeof wanted, "pid %d (tail) keeps the namespace of kube-2", sitter.pid);
    assert_says(down.err, wanted);
    assert_says(down.err, "has ended, but namespaces of it are still there");
    assert_null(strstr(written(down.out), "is down"));
    assert_int_equal(down.status, 6);
    run_close(&down);
    assert_int_equal(count_places(), 0);
    assert_int_equal(kill(sitter.pid, SIGKILL), 0);
    run_end(&sitter);
    run_close(&sitter);
    assert_true(await_no_children() && await_no_namespaces());
}

static void test_run_names_who_sits(void **state) {
    (void)state;
    struct run r = run_start(WORDS("run", fixture_path("mesh"), "--runs", fixture_path("runs")));
    assert_true(await_file_says(r.out, " up  ", r.pid));
    struct run sitter = start_sitter();
    assert_int_equal(kill(r.pid, SIGINT), 0);
    assert_named(&r, &sitter, 130);
    assert_says(r.out, "nothing left");
    run_close(&r);
    assert_true(await_no_children() && await_no_namespaces());
}

/* ---- what is said ---- */

/* What is written to standard error meanwhile; the looks are two. */
static const char *looked(json_int_t netns, json_int_t pidns, bool began_before_us) {
    struct holders h = {0};
    int kept = dup(2), file = memfd_create("err", MFD_CLOEXEC);
    json_t *lab = json_pack("{s:{s:i, s:I}, s:I}", "namespaces", "kube-1", 1, "kube-2", netns,
                            "pid_namespace", pidns);
    assert_true(kept >= 0 && file >= 0 && lab && dup2(file, 2) == 2);
    holders_begin(&h, lab);
    if (began_before_us)
        h.began_ticks = 0;
    holders_tell(&h);
    holders_tell(&h);
    holders_end(&h);
    holders_tell(&h); /* nobody goes any more */
    assert_int_equal(dup2(kept, 2), 2);
    const char *text = written(file);
    json_decref(lab);
    close(file);
    close(kept);
    return text;
}

static json_int_t own_namespace(const char *path) {
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    return (json_int_t)s.st_ino;
}

/* This test itself is in a namespace: a stranger to any lab but one of its own PID namespace. */
static void test_each_is_named_once(void **state) {
    json_int_t net = own_namespace("/proc/self/ns/net"), pid = own_namespace("/proc/self/ns/pid");
    char wanted[128];
    (void)state;
    snprintf(wanted, sizeof wanted, "held up by pid %d (holders_test) in the namespace of kube-2",
             getpid());
    const char *said = looked(net, 1, false);
    const char *first = strstr(said, wanted);
    assert_non_null(first);
    assert_null(strstr(first + 1, "held up"));
    assert_string_equal(looked(net, pid, false), "");
    assert_string_equal(looked(2, 1, false), "");
    assert_string_equal(looked(net, 1, true), ""); /* another lab's by now */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_is_named_once),
        cmocka_unit_test_teardown(test_down_names_who_sits, leave_no_lab),
        cmocka_unit_test_teardown(test_down_says_what_stays, leave_no_lab),
        cmocka_unit_test_teardown(test_run_names_who_sits, leave_no_lab),
    };
    return cmocka_run_group_tests(tests, setup, world_leave);
}
