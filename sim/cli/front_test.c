/*
 * The command in front against a scripted supervisor: a child that writes records and ends.
 *
 * What is asked each time: the exit status, and that result.json and junit.xml say the same.
 */

#include "cli.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the scripted supervisor ---- */

static void say(int fd, const char *text) {
    size_t size = strlen(text);
    while (size) {
        ssize_t n = send(fd, text, size, MSG_NOSIGNAL);
        if (n <= 0)
            _exit(70);
        text += n;
        size -= (size_t)n;
    }
}

/* A record and its line's end, to be freed. */
static char *result_line(const char *record, enum run_verdict v, const char *partial_of) {
    struct run_check check = {"step 1", "sessions", CHECK_PASSED, "", 1, 2};
    struct run_result r = {.id = "test",
                           .profile = "fast",
                           .fabric = "l2",
                           .verdict = v,
                           .partial_of = partial_of,
                           .checks = &check,
                           .check_count = 1};
    json_t *j = json_pack("{s:s, s:o}", "record", record, "result", report_json(&r));
    char *text = json_dumps(j, JSON_COMPACT), *line = NULL;
    if (!text || asprintf(&line, "%s\n", text) < 0)
        _exit(72);
    free(text);
    json_decref(j);
    return line;
}

static void say_result(int fd, const char *record, enum run_verdict v, const char *partial_of) {
    char *line = result_line(record, v, partial_of);
    say(fd, line);
    free(line);
}

static void await_stop(int fd) {
    char line[8] = "";
    if (recv(fd, line, sizeof line, 0) != 5 || memcmp(line, "stop\n", 5) != 0)
        _exit(71);
}

typedef void script(int fd, int argument);

/* Everything one at a time: no record may depend on how the octets arrive. */
static void whole_run(int fd, int verdict) {
    static const char lines[] =
        "{\"record\":\"begin\",\"phase\":\"build\"}\n{\"record\":\"live\",\"text\":\"1/2\"}\n"
        "{\"record\":\"phase\",\"name\":\"build\",\"summary\":\"2 nodes\",\"duration_ns\":5}\n"
        "{\"record\":\"check\",\"name\":\"sessions\",\"verdict\":\"passed\",\"reason\":\"\"}\n";
    for (size_t i = 0; lines[i]; i++)
        say(fd, (char[]){lines[i], '\0'});
    say_result(fd, "partial", RUN_INCOMPLETE, "step 1");
    say_result(fd, "result", (enum run_verdict)verdict, NULL);
}

static void partial_then_end(int fd, int argument) {
    (void)argument;
    say_result(fd, "partial", RUN_INCOMPLETE, "build");
    say_result(fd, "partial", RUN_INCOMPLETE, "step 7");
    say(fd, "{\"record\":\"result\",\"result\":{\"verdict\":\"passed\""); /* cut off */
}

static void nothing_at_all(int fd, int argument) {
    (void)fd;
    (void)argument;
}

static void nonsense(int fd, int argument) {
    (void)argument;
    say(fd, "\n\n{]\n\xff\xfe\n[]\n7\n{}\n{\"record\":9}\n{\"record\":\"novel\"}\n"
            "{\"record\":\"check\"}\n{\"record\":\"phase\",\"duration_ns\":\"x\"}\n");
    say_result(fd, "result", RUN_PASSED, NULL);
}

static void not_a_verdict(int fd, int argument) {
    (void)argument;
    say(fd, "{\"record\":\"result\",\"result\":{\"verdict\":\"splendid\"}}\n");
}

static void orderly_interrupt(int fd, int argument) {
    (void)argument;
    say_result(fd, "partial", RUN_INCOMPLETE, "step 1");
    kill(getppid(), SIGINT);
    await_stop(fd);
    say_result(fd, "result", RUN_INTERRUPTED, NULL);
}

/* Hears the first interrupt and goes on for ever. */
static void stubborn(int fd, int argument) {
    (void)argument;
    say_result(fd, "partial", RUN_INCOMPLETE, "step 1");
    kill(getppid(), SIGTERM);
    await_stop(fd);
    kill(getppid(), SIGTERM);
    for (;;)
        pause();
}

static void up_and_on(int fd, int verdict) {
    say_result(fd, "result", (enum run_verdict)verdict, NULL);
    if (verdict != RUN_PASSED)
        return;
    char word[8]; /* it is to stay, which is no reason to go */
    while (recv(fd, word, sizeof word, 0) > 0)
        continue;
}

/* The command has read all of it when it is asked to end, and what it says first is not read. */
static void up_and_asked_to_end(int fd, int argument) {
    char *line = result_line("result", RUN_PASSED, NULL), *both = NULL;
    int unread = 1;
    (void)argument;
    if (asprintf(&both, "{\"record\":\"phase\",\"name\":\"build\"}\n%s", line) < 0)
        _exit(72);
    say(fd, both);
    free(both);
    free(line);
    while (ioctl(fd, SIOCOUTQ, &unread) == 0 && unread > 0)
        sched_yield();
    kill(getppid(), SIGTERM);
    await_stop(fd);
}

/* ---- running it ---- */

struct stage {
    struct front front;
    char directory[64];
    int fd, pidfd, status;
    pid_t pid;
};

static void remove_directory(struct stage *s) {
    (void)unlinkat(s->front.directory_fd, "result.json", 0);
    (void)unlinkat(s->front.directory_fd, "junit.xml", 0);
    (void)rmdir(s->directory);
}

static void stage_begin(struct stage *s, script *play, int argument) {
    int pair[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    *s = (struct stage){0};
    snprintf(s->directory, sizeof s->directory, "/tmp/front-test-XXXXXX");
    assert_non_null(mkdtemp(s->directory));
    s->front.directory_fd = open(s->directory, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    s->front.terminal = terminal_new(null, true);
    assert_true(null >= 0 && s->front.directory_fd >= 0 && s->front.terminal);
    assert_true(front_hold_signals(&s->front));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    s->pid = fork();
    if (s->pid == 0) {
        close(pair[0]);
        play(pair[1], argument);
        _exit(0);
    }
    assert_true(s->pid > 0);
    close(pair[1]);
    s->fd = pair[0];
    s->pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0);
    assert_true(s->pidfd >= 0);
}

static void stage_run(struct stage *s) {
    s->status = front_run(&s->front, s->fd, s->pidfd);
}

static void stage_end(struct stage *s) {
    close(s->fd);
    (void)waitpid(s->pid, NULL, 0); /* front_run has, unless detached */
    close(s->pidfd);
    close(s->front.signals);
    terminal_free(s->front.terminal);
    remove_directory(s);
    close(s->front.directory_fd);
    json_decref(s->front.result);
}

static json_t *result_file(const struct stage *s) {
    char path[100];
    snprintf(path, sizeof path, "%s/result.json", s->directory);
    return json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
}

static void assert_report(const struct stage *s, enum run_verdict v) {
    enum run_verdict written = RUN_PASSED;
    json_t *r = result_file(s);
    assert_non_null(r);
    assert_true(report_verdict(r, &written));
    assert_int_equal(written, v);
    assert_int_equal(json_integer_value(json_object_get(r, "exit_status")), s->status);
    assert_int_equal(s->status, run_verdict_exit(v));
    assert_int_equal(faccessat(s->front.directory_fd, "junit.xml", R_OK, 0), 0);
    json_decref(r);
}

/* ---- tests ---- */

static void every_verdict(void **state) {
    (void)state;
    for (int v = RUN_PASSED; v <= RUN_INTERRUPTED; v++) {
        struct stage s;
        stage_begin(&s, whole_run, v);
        stage_run(&s);
        assert_report(&s, (enum run_verdict)v);
        assert_true(s.front.final);
        assert_null(json_object_get(s.front.result, "partial_of"));
        stage_end(&s);
    }
}

static void crash_keeps_the_partial_result(void **state) {
    (void)state;
    struct stage s;
    stage_begin(&s, partial_then_end, 0);
    stage_run(&s);
    assert_report(&s, RUN_CRASHED);
    json_t *r = result_file(&s);
    assert_string_equal(json_string_value(json_object_get(r, "partial_of")), "step 7");
    assert_string_equal(json_string_value(json_object_get(r, "error")),
                        "the supervisor ended before its time");
    assert_int_equal(json_array_size(json_object_get(r, "checks")), 1);
    json_decref(r);
    stage_end(&s);
}

static void crash_before_the_first_record(void **state) {
    (void)state;
    struct stage s;
    stage_begin(&s, nothing_at_all, 0);
    stage_run(&s);
    assert_int_equal(s.status, run_verdict_exit(RUN_CRASHED));
    assert_null(s.front.result);
    stage_end(&s);
    /* With what the command itself knew of the run, there is a report all the same. */
    stage_begin(&s, nothing_at_all, 0);
    struct run_result known = {.id = "test", .verdict = RUN_INCOMPLETE};
    s.front.result = report_json(&known);
    stage_run(&s);
    assert_report(&s, RUN_CRASHED);
    stage_end(&s);
}

static void nonsense_is_passed_over(void **state) {
    (void)state;
    struct stage s;
    stage_begin(&s, nonsense, 0);
    stage_run(&s);
    assert_report(&s, RUN_PASSED);
    stage_end(&s);
}

static void unknown_verdict_is_a_crash(void **state) {
    (void)state;
    struct stage s;
    stage_begin(&s, not_a_verdict, 0);
    stage_run(&s);
    assert_int_equal(s.status, run_verdict_exit(RUN_CRASHED));
    stage_end(&s);
}

static void first_interrupt_asks(void **state) {
    (void)state;
    struct stage s;
    stage_begin(&s, orderly_interrupt, 0);
    stage_run(&s);
    assert_report(&s, RUN_INTERRUPTED);
    stage_end(&s);
}

static void second_interrupt_kills(void **state) {
    (void)state;
    struct stage s;
    stage_begin(&s, stubborn, 0);
    stage_run(&s);
    assert_report(&s, RUN_INTERRUPTED);
    assert_int_equal(kill(s.pid, 0), -1); /* gone, and waited for */
    assert_int_equal(errno, ESRCH);
    stage_end(&s);
}

static void detached_when_up(void **state) {
    (void)state;
    struct stage s;
    stage_begin(&s, up_and_on, RUN_PASSED);
    s.front.detach = true;
    stage_run(&s);
    assert_int_equal(s.status, 0);
    struct pollfd p = {.fd = s.pidfd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 0), 0); /* the supervisor lives */
    stage_end(&s);
}

static void detached_when_it_fails(void **state) {
    (void)state;
    struct stage s;
    stage_begin(&s, up_and_on, RUN_HOST);
    s.front.detach = true;
    stage_run(&s);
    assert_int_equal(s.status, run_verdict_exit(RUN_HOST));
    assert_int_equal(kill(s.pid, 0), -1);
    stage_end(&s);
}

/* Its lab has come up, but it was asked to end before it could say so. */
static void detached_while_nobody_reads(void **state) {
    static char page[4096];
    struct stage s;
    int pipes[2];
    (void)state;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_int_equal(fcntl(pipes[1], F_SETPIPE_SZ, sizeof page), sizeof page);
    assert_int_equal(write(pipes[1], page, sizeof page), sizeof page);
    stage_begin(&s, up_and_asked_to_end, 0);
    s.front.detach = true;
    terminal_free(s.front.terminal);
    s.front.terminal = terminal_new(pipes[1], false);
    assert_non_null(s.front.terminal);
    terminal_heed(s.front.terminal, s.front.signals);
    stage_run(&s);
    assert_report(&s, RUN_INTERRUPTED);
    stage_end(&s);
    close(pipes[0]);
    close(pipes[1]);
}

/* A pass nobody can read about is none. */
static void report_cannot_be_written(void **state) {
    (void)state;
    struct stage s;
    int saved = dup(2), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    stage_begin(&s, whole_run, RUN_PASSED);
    assert_int_equal(rmdir(s.directory), 0);
    assert_true(saved >= 0 && null >= 0 && dup2(null, 2) == 2);
    stage_run(&s);
    assert_true(dup2(saved, 2) == 2);
    close(saved);
    close(null);
    assert_int_equal(s.status, run_verdict_exit(RUN_HOST));
    stage_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verdict),
        cmocka_unit_test(crash_keeps_the_partial_result),
        cmocka_unit_test(crash_before_the_first_record),
        cmocka_unit_test(nonsense_is_passed_over),
        cmocka_unit_test(unknown_verdict_is_a_crash),
        cmocka_unit_test(first_interrupt_asks),
        cmocka_unit_test(second_interrupt_kills),
        cmocka_unit_test(detached_when_up),
        cmocka_unit_test(detached_when_it_fails),
        cmocka_unit_test(detached_while_nobody_reads),
        cmocka_unit_test(report_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
