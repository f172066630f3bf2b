/*
 * What a person sees, through a pseudo terminal and through a pipe: live lines on the one only,
 * colour where it is wanted, nothing but failures when quiet, no octet of others raw.
 */

#include "report_test.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>

struct screen {
    int master, slave; /* of a pipe: its reading and its writing end */
    char text[65536];
    size_t size;
};

static void environment(const char *term, const char *no_color, const char *ci) {
    const struct {
        const char *name, *value;
    } all[] = {{"TERM", term}, {"NO_COLOR", no_color}, {"CI", ci}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            all[i].value ? setenv(all[i].name, all[i].value, 1) : unsetenv(all[i].name), 0);
}

static void open_pty(struct screen *s) {
    struct termios raw;
    *s = (struct screen){0};
    assert_int_equal(openpty(&s->master, &s->slave, NULL, NULL, NULL), 0);
    assert_int_equal(tcgetattr(s->slave, &raw), 0);
    cfmakeraw(&raw); /* no \n to \r\n */
    assert_int_equal(tcsetattr(s->slave, TCSANOW, &raw), 0);
}

static void open_pipe(struct screen *s) {
    int ends[2];
    *s = (struct screen){0};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    s->master = ends[0];
    s->slave = ends[1];
}

/* All that was written since the last call. */
static const char *seen(struct screen *s) {
    s->size = 0;
    assert_int_equal(fcntl(s->master, F_SETFL, O_NONBLOCK), 0);
    for (;;) {
        ssize_t n = read(s->master, s->text + s->size, sizeof s->text - 1 - s->size);
        if (n <= 0)
            break;
        s->size += (size_t)n;
    }
    s->text[s->size] = '\0';
    return s->text;
}

static void shut(struct screen *s) {
    close(s->master);
    close(s->slave);
}

static void assert_has(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void assert_lacks(const char *text, const char *part) {
    if (strstr(text, part))
        fail_msg("\"%s\" is in \"%s\"", part, text);
}

/* A whole run on `s`. */
static void show_run(struct screen *s, bool quiet, enum run_verdict v) {
    struct sample sample;
    struct run_result *r = sample_full(&sample);
    struct terminal *t = terminal_new(s->slave, quiet);
    assert_non_null(t);
    r->verdict = v;
    json_t *j = report_json(r);
    terminal_headline(t, r);
    terminal_live(t, "10/45 sessions");
    for (size_t i = 0; i < 4; i++)
        terminal_check(t, &sample.checks[i]);
    terminal_live(t, "20/45 sessions");
    terminal_phase(t, &sample.phases[1]);
    terminal_verdict(t, j);
    terminal_free(t);
    json_decref(j);
    json_decref(r->warnings);
}

static void live_on_a_terminal(void **state) {
    (void)state;
    struct screen s;
    environment("xterm", NULL, NULL);
    open_pty(&s);
    struct terminal *t = terminal_new(s.slave, false);
    terminal_live(t, "first");
    assert_string_equal(seen(&s), " first");
    terminal_live(t, "second");
    assert_string_equal(seen(&s), "\r\033[K second");
    terminal_phase(t, &(struct run_phase){"build", 0, 1234567890, true, "10 nodes"});
    assert_string_equal(seen(&s),
                        "\r\033[K build                                  1.235s  10 nodes\n");
    terminal_phase(t, &(struct run_phase){"start", 0, 0, true, ""});
    assert_lacks(seen(&s), "\r"); /* nothing to replace any more */
    terminal_free(t);
    shut(&s);
}

static void live_lines_do_not_wrap(void **state) {
    (void)state;
    struct screen s;
    const struct winsize narrow = {.ws_row = 24, .ws_col = 12};
    environment("xterm", NULL, NULL);
    open_pty(&s);
    assert_int_equal(ioctl(s.slave, TIOCSWINSZ, &narrow), 0);
    struct terminal *t = terminal_new(s.slave, false);
    terminal_live(t, "0123456789abcdef");
    assert_string_equal(seen(&s), " 0123456789");
    terminal_live(t, "\xc3\xa4\xc3\xb6 23456789abc");
    assert_string_equal(seen(&s), "\r\033[K \xc3\xa4\xc3\xb6 2345678");
    terminal_free(t);
    shut(&s);
}

/* A reader that does not read is waited for until the end is asked for, and for no longer. */
static void who_does_not_read(void **state) {
    (void)state;
    static char filling[65536];
    static const struct run_phase build = {"build", 0, 0, true, "10 nodes"};
    struct screen s;
    int hurry[2], status;
    environment(NULL, NULL, NULL);
    open_pipe(&s);
    assert_int_equal(pipe2(hurry, O_CLOEXEC), 0);
    assert_int_equal(fcntl(s.slave, F_SETPIPE_SZ, 4096), 4096);
    assert_int_equal(write(s.slave, filling, 4096), 4096);
    struct terminal *t = terminal_new(s.slave, false);
    assert_non_null(t);
    terminal_heed(t, hurry[0]);
    pid_t pid = fork();
    if (pid == 0) {
        terminal_phase(t, &build);
        bool lost = terminal_error(t) == EINTR;
        terminal_phase(t, &build); /* at once */
        (void)!read(s.master, filling, sizeof filling);
        terminal_phase(t, &build); /* there is room */
        terminal_free(t);
        _exit(lost ? 0 : 1);
    }
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    assert_int_equal(poll(&ended, 1, 50), 0); /* nobody has asked yet */
    assert_int_equal(write(hurry[1], "", 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_string_equal(seen(&s), " build                                  0.000s  10 nodes\n");
    terminal_free(t);
    close(ended.fd);
    close(hurry[0]);
    close(hurry[1]);
    shut(&s);
}

/* Reasons stand one a line, with their quotes as they are. */
static void reasons_one_a_line(void **state) {
    (void)state;
    struct screen s;
    environment("xterm", NULL, NULL);
    open_pipe(&s);
    struct terminal *t = terminal_new(s.slave, false);
    terminal_check(t,
                   &(struct run_check){"", "c", CHECK_FAILED, "no \"a\"; b\033; and 2 more", 0, 0});
    assert_string_equal(seen(&s), "   FAIL  c\n         no \"a\"\n         b\\x1b\n"
                                  "         and 2 more\n");
    terminal_check(t, &(struct run_check){"", "c", CHECK_PASSED, "a; b", 0, 0});
    assert_string_equal(seen(&s), "   ok    c — a; b\n");
    terminal_free(t);
    shut(&s);
}

static void colour_on_a_terminal(void **state) {
    (void)state;
    struct screen s;
    environment("xterm", "", ""); /* empty is not set */
    open_pty(&s);
    show_run(&s, false, RUN_FAILED);
    const char *text = seen(&s);
    assert_has(text, "\033[32mok  \033[0m");
    assert_has(text, "\033[31mFAIL\033[0m");
    assert_has(text, "\033[33mskip\033[0m");
    assert_has(text, " 10/45 sessions");
    shut(&s);
}

/* The same text without a single escape. */
static void assert_plain(const char *text) {
    assert_lacks(text, "\033[3");
    assert_lacks(text, "\033[0");
    assert_has(text, "full-mesh  10 nodes  2 routers  profile fast  fabric l2  seed 7");
    assert_has(text, "   ok    sessions\n");
    assert_has(text, "   FAIL  route\n         kube-2: absent\n");
    assert_has(text, "   FAIL  converged\n         1 missing\n");
    assert_has(text, "   skip  wire\n");
    assert_has(
        text, "FAIL failed: 1 of 4 checks passed  report: runs/20261121-020304-7f3a/result.json\n");
    assert_has(text, " sessions expected 45: speakers 44, kernel 43, wire 42");
    assert_lacks(text, " something\n"); /* the failed checks have said why */
}

static void no_colour(void **state) {
    (void)state;
    static const struct {
        const char *term, *no_color, *ci;
        bool live;
    } cases[] = {
        {"xterm", "1", NULL, true}, /* NO_COLOR says nothing of live lines */
        {"xterm", NULL, "true", false},
        {"dumb", NULL, NULL, false},
        {NULL, NULL, NULL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct screen s;
        environment(cases[i].term, cases[i].no_color, cases[i].ci);
        open_pty(&s);
        show_run(&s, false, RUN_FAILED);
        const char *text = seen(&s);
        assert_plain(text);
        assert_int_equal(strstr(text, "10/45 sessions") != NULL, cases[i].live);
        assert_int_equal(strchr(text, '\033') != NULL, cases[i].live);
        shut(&s);
    }
}

static void plain_in_a_pipe(void **state) {
    (void)state;
    struct screen s;
    environment("xterm", NULL, NULL);
    open_pipe(&s);
    show_run(&s, false, RUN_FAILED);
    const char *text = seen(&s);
    assert_plain(text);
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\r'));
    assert_lacks(text, "10/45 sessions");
    shut(&s);
}

/* Failures only, and nothing at all of a run that passed. */
static void quiet(void **state) {
    (void)state;
    struct screen s;
    environment("xterm", NULL, NULL);
    open_pty(&s);
    struct sample sample;
    struct run_result *r = sample_full(&sample);
    struct terminal *t = terminal_new(s.slave, true);
    r->verdict = RUN_PASSED;
    json_t *j = report_json(r);
    terminal_headline(t, r);
    terminal_live(t, "live");
    terminal_check(t, &sample.checks[0]);
    terminal_phase(t, &sample.phases[0]);
    terminal_verdict(t, j);
    assert_string_equal(seen(&s), "");
    terminal_check(t, &sample.checks[1]);
    assert_has(seen(&s), "kube-2: absent");
    terminal_check(t, &sample.checks[2]);
    assert_has(seen(&s), "1 missing");
    terminal_check(t, &sample.checks[3]);
    assert_has(seen(&s), "no capture");
    json_decref(j);
    r->verdict = RUN_NOT_CONVERGED;
    j = report_json(r);
    terminal_verdict(t, j);
    const char *text = seen(&s);
    assert_has(text, "not-converged: 1 of 4 checks passed");
    assert_lacks(text, "sessions expected");
    json_decref(j);
    json_decref(r->warnings);
    terminal_free(t);
    shut(&s);
}

static void verdict_lines(void **state) {
    (void)state;
    environment("xterm", "1", NULL);
    for (int v = RUN_PASSED; v <= RUN_INTERRUPTED; v++) {
        struct screen s;
        char want[64];
        bool good = v == RUN_PASSED || v == RUN_WARNINGS;
        open_pipe(&s);
        show_run(&s, false, (enum run_verdict)v);
        snprintf(want, sizeof want, "%s %s: 1 of 4 checks passed", good ? "PASS" : "FAIL",
                 run_verdict_name((enum run_verdict)v));
        const char *text = seen(&s);
        assert_has(text, want);
        bool checks_say_it = v == RUN_FAILED || v == RUN_NOT_CONVERGED;
        assert_int_equal(strstr(text, "\n something\n") != NULL, !good && !checks_say_it);
        shut(&s);
    }
}

/* What failed checks have said is not said again; a run that failed without one says it itself. */
static void a_failed_run_says_why(void **state) {
    static const struct {
        size_t first, count;
        bool said;
    } rows[] = {{0, 1, true}, {1, 1, false}, {2, 1, false}, {3, 1, true}, {0, 4, false}};
    (void)state;
    environment("xterm", "1", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct screen s;
        struct sample sample;
        struct run_result *r = sample_full(&sample);
        r->verdict = RUN_FAILED;
        r->checks += rows[i].first;
        r->check_count = rows[i].count;
        open_pipe(&s);
        struct terminal *t = terminal_new(s.slave, false);
        json_t *j = report_json(r);
        terminal_verdict(t, j);
        assert_int_equal(strstr(seen(&s), "\n something\n") != NULL, rows[i].said);
        assert_has(s.text, "others held the lab up for 50 % of its time; timers 0.0 ms late");
        assert_has(s.text, "; result void: others took it\n");
        terminal_free(t);
        json_decref(j);
        json_decref(r->warnings);
        shut(&s);
    }
}

static json_t *warning(const char *severity, const char *message) {
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:s}", "id", "partition", "severity", severity,
                     "file", "a.yaml", "line", 3, "column", 4, "message", message);
}

/* Each once, notes not at all, and of many the first few; none when quiet. */
static void warnings_before_the_verdict(void **state) {
    (void)state;
    struct screen s;
    environment("xterm", "1", NULL);
    for (int quiet = 0; quiet < 2; quiet++) {
        struct sample sample;
        struct run_result *r = sample_full(&sample);
        char many[32];
        open_pipe(&s);
        struct terminal *t = terminal_new(s.slave, quiet);
        json_decref(r->warnings);
        r->warnings = json_array();
        json_array_append_new(r->warnings, warning("note", "aside"));
        for (int i = 0; i < 2; i++)
            json_array_append_new(r->warnings, warning("warning", "two parts"));
        for (int i = 2; i < 12; i++) {
            snprintf(many, sizeof many, "part %d", i);
            json_array_append_new(r->warnings, warning("warning", many));
        }
        json_t *j = report_json(r);
        terminal_verdict(t, j);
        const char *text = seen(&s), *first = strstr(text, "two parts");
        if (quiet) {
            assert_null(first);
        } else {
            assert_has(text, "\n   warn  a.yaml:3:4: two parts [partition]\n"
                             "   warn  a.yaml:3:4: part 2 [partition]\n");
            assert_null(strstr(first + 1, "two parts"));
            assert_has(text, "part 8 [partition]\n         and 3 more, in the report\n");
            assert_lacks(text, "aside");
        }
        json_decref(j);
        json_decref(r->warnings);
        terminal_free(t);
        shut(&s);
    }
}

static void hostile_texts(void **state) {
    (void)state;
    struct screen s;
    environment("xterm", "1", NULL);
    open_pty(&s);
    struct sample sample;
    struct run_result *r = sample_full(&sample);
    struct terminal *t = terminal_new(s.slave, false);
    r->scenario = r->error = r->directory = every_octet();
    r->verdict = RUN_FAILED;
    json_t *j = report_json(r);
    terminal_headline(t, r);
    terminal_check(t, &(struct run_check){"", every_octet(), CHECK_FAILED, every_octet(), 0, 0});
    terminal_phase(t, &(struct run_phase){every_octet(), 0, 0, true, every_octet()});
    terminal_verdict(t, j);
    terminal_verdict(t, NULL); /* a result that is none */
    const unsigned char *text = (const unsigned char *)seen(&s);
    for (size_t i = 0; i < s.size; i++)
        assert_true(text[i] == '\n' || (text[i] >= 0x20 && text[i] != 0x7f));
    assert_has(s.text, "\\x01\\x02");
    assert_has(s.text, "FAIL incomplete: 0 of 0 checks passed");
    json_decref(j);
    json_decref(r->warnings);
    terminal_free(t);
    shut(&s);
}

/* Whoever closes the pipe does not stop the run. */
static void nobody_reads(void **state) {
    (void)state;
    struct screen s;
    environment("xterm", NULL, NULL);
    open_pipe(&s);
    signal(SIGPIPE, SIG_IGN);
    close(s.master);
    show_run(&s, false, RUN_PASSED);
    close(s.slave);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_on_a_terminal),
        cmocka_unit_test(live_lines_do_not_wrap),
        cmocka_unit_test(who_does_not_read),
        cmocka_unit_test(reasons_one_a_line),
        cmocka_unit_test(colour_on_a_terminal),
        cmocka_unit_test(no_colour),
        cmocka_unit_test(plain_in_a_pipe),
        cmocka_unit_test(quiet),
        cmocka_unit_test(verdict_lines),
        cmocka_unit_test(a_failed_run_says_why),
        cmocka_unit_test(warnings_before_the_verdict),
        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(nobody_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
