/*
 * The command in front of a supervisor: reads its records, draws the screen, writes the files.
 *
 * The supervisor may end at any instant. What came last as a partial result has been written to
 * result.json already; when the end comes without a final result, that file is rewritten with the
 * verdict `crashed` (or `interrupted`) and says what was going on.
 */

#include "../scenario/engine.h"
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- records ---- */

void front_keep_result(struct front *f, json_t *result, bool final) {
    json_incref(result);
    json_decref(f->result);
    f->result = result;
    f->final = final;
    if (f->directory_fd < 0)
        return;
    bool written = report_write_json(f->directory_fd, result) &&
                   (!final || report_write_junit(f->directory_fd, result));
    if (!written && !f->report_failed)
        cli_error("the report is not complete: %s", strerror(errno));
    f->report_failed = !written;
}

static enum check_verdict check_verdict_of(const char *name) {
    for (int v = CHECK_PASSED; v <= CHECK_SKIPPED; v++) {
        if (strcmp(check_verdict_name((enum check_verdict)v), name) == 0)
            return (enum check_verdict)v;
    }
    return CHECK_FAILED;
}

static void show_phase(struct front *f, json_t *record) {
    struct run_phase p = {
        .name = report_text_of(record, "name"),
        .summary = report_text_of(record, "summary"),
        .duration_ns = (uint64_t)json_integer_value(json_object_get(record, "duration_ns")),
    };
    terminal_phase(f->terminal, &p);
}

static void show_check(struct front *f, json_t *record) {
    struct run_check c = {
        .phase = report_text_of(record, "phase"),
        .name = report_text_of(record, "name"),
        .reason = report_text_of(record, "reason"),
        .verdict = check_verdict_of(report_text_of(record, "verdict")),
    };
    terminal_check(f->terminal, &c);
}

static void take_record(struct front *f, json_t *record) {
    const char *kind = report_text_of(record, "record");
    if (strcmp(kind, "live") == 0)
        terminal_live(f->terminal, report_text_of(record, "text"));
    else if (strcmp(kind, "begin") == 0)
        terminal_live(f->terminal, report_text_of(record, "phase"));
    else if (strcmp(kind, "phase") == 0)
        show_phase(f, record);
    else if (strcmp(kind, "check") == 0)
        show_check(f, record);
    else if (strcmp(kind, "partial") == 0 || strcmp(kind, "result") == 0)
        front_keep_result(f, json_object_get(record, "result"), kind[0] == 'r');
    else if (strcmp(kind, "teardown") == 0)
        holders_begin(&f->holders, record);
}

static void take_lines(struct front *f, struct text *input) {
    size_t start = 0, size = input->size;
    char *data = text_take(input);
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\n')
            continue;
        json_error_t error;
        json_t *record = json_loadb(data + start, i - start, 0, &error);
        if (record)
            take_record(f, record);
        json_decref(record);
        start = i + 1;
    }
    text_put(input, data + start, size - start);
    alloc_free(data);
}

/* ---- the end ---- */

static void write_crashed(struct front *f) {
    if (f->final || !f->result)
        return;
    json_t *r = json_deep_copy(f->result);
    bool interrupted = f->interrupts > (f->detach ? 0U : 1U);
    enum run_verdict v = interrupted ? RUN_INTERRUPTED : RUN_CRASHED;
    json_object_set_new(r, "verdict", json_string(run_verdict_name(v)));
    json_object_set_new(r, "exit_status", json_integer(run_verdict_exit(v)));
    json_object_set_new(r, "error",
                        json_string(f->interrupts > 1 ? "killed by the second interrupt"
                                    : interrupted     ? "interrupted"
                                                      : "the supervisor ended before its time"));
    front_keep_result(f, r, true);
    json_decref(r);
}

static int exit_status(const struct front *f) {
    enum run_verdict v = RUN_CRASHED;
    if (f->result && f->final)
        (void)report_verdict(f->result, &v);
    if (f->report_failed && (v == RUN_PASSED || v == RUN_WARNINGS))
        v = RUN_HOST; /* what cannot be shown has not passed */
    return run_verdict_exit(v);
}

/* ---- the loop ---- */

static const int interrupts[] = {SIGINT, SIGTERM, SIGHUP};
#define INTERRUPTS (sizeof interrupts / sizeof interrupts[0])

static sigset_t interrupt_set(void) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < INTERRUPTS; i++)
        sigaddset(&set, interrupts[i]);
    return set;
}

static char last_word[400];

void front_set_last_word(const char *line) {
    snprintf(last_word, sizeof last_word, "%s", line);
}

static void leave(int signal) {
    (void)signal;
    (void)!write(STDERR_FILENO, last_word, strlen(last_word));
    _exit(run_verdict_exit(RUN_INTERRUPTED));
}

bool front_hold_signals(struct front *f) {
    sigset_t set = interrupt_set();
    sigprocmask(SIG_BLOCK, &set, NULL);
    f->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return f->signals >= 0;
}

bool front_free_signals(void) {
    sigset_t set = interrupt_set();
    struct sigaction action = {.sa_handler = leave};
    struct timespec now = {0};
    if (sigtimedwait(&set, NULL, &now) > 0)
        return false; /* it came when the last run had ended already */
    for (size_t i = 0; i < INTERRUPTS; i++)
        sigaction(interrupts[i], &action, NULL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    return true;
}

/* First the supervisor is asked to stop in order; asked again, it is killed. */
static void pass_signal(struct front *f, int fd, int pidfd) {
    struct signalfd_siginfo info;
    if (read(f->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    terminal_hurry(f->terminal);
    if (f->interrupts++ == 0)
        (void)send(fd, "stop\n", 5, MSG_NOSIGNAL);
    else
        (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

static bool read_records(struct front *f, int fd, struct text *input) {
    char buffer[65536];
    ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n < 0)
        return errno == EINTR;
    if (n == 0)
        return false;
    text_put(input, buffer, (size_t)n);
    if (memchr(buffer, '\n', (size_t)n))
        take_lines(f, input);
    return true;
}

static bool has_come_up(const struct front *f) {
    enum run_verdict v = RUN_CRASHED;
    return f->detach && f->final && report_verdict(f->result, &v) && v == RUN_PASSED;
}

static bool signal_waits(const struct front *f) {
    struct pollfd p = {.fd = f->signals, .events = POLLIN};
    return poll(&p, 1, 0) != 0;
}

/* Once it was asked to stop it will, though it may have come up before it heard of that. */
static bool is_up(const struct front *f) {
    return has_come_up(f) && f->interrupts == 0 && !signal_waits(f);
}

/* True: the lab is up; false: its supervisor has ended. */
static bool read_until_end(struct front *f, int fd, int pidfd) {
    struct text input;
    text_init(&input);
    bool open = true;
    while (open && !is_up(f)) {
        struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = f->signals, .events = POLLIN}};
        int ready = poll(p, 2, f->holders.lab ? HOLDERS_LOOK_MS : -1);
        if (ready == 0)
            holders_tell(&f->holders);
        if (ready <= 0)
            continue; /* < 0: EINTR */
        if (p[1].revents)
            pass_signal(f, fd, pidfd);
        if (p[0].revents)
            open = read_records(f, fd, &input);
    }
    text_deinit(&input);
    return open;
}

static bool let_stay(int fd) {
    return send(fd, ENGINE_STAY, strlen(ENGINE_STAY), MSG_NOSIGNAL) > 0;
}

int front_run(struct front *f, int fd, int pidfd) {
    if (!read_until_end(f, fd, pidfd) || !let_stay(fd)) {
        siginfo_t info; /* nothing of the lab is left when this returns */
        while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0 && errno == EINTR)
            continue;
        f->final = f->final && !has_come_up(f); /* it came up, and was to stay */
    }
    holders_end(&f->holders);
    write_crashed(f);
    return exit_status(f);
}
