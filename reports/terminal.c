/*
 * What a person sees: a headline, a line a phase, failed checks with their reason, what the plan
 * warns of, the verdict.
 *
 * On a terminal a live line shows what is going on and is replaced; elsewhere only finished lines
 * are written; it is cut to the terminal's width, because a line that wraps is not replaced. Colour
 * only on a terminal and never the sole signal; NO_COLOR, TERM=dumb and CI switch it off. Texts of
 * others are escaped: no control character reaches the screen.
 *
 * A reader that does not read is waited for, until somebody asks for the end (terminal_heed): then
 * for a second, once, and what has no room after that is left out. The files have it all.
 */

#include "report.h"

#include "../speaker/base/text.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READER_PATIENCE_MS 1000

struct terminal {
    int fd;
    int hurry_fd; /* readable: the end is asked for; -1: never */
    bool live, colour, quiet;
    bool live_shown;
    bool hurried,
        given_up; /* the end was asked for; the reader was waited for in vain after that */
    int error;    /* of the first write that failed */
};

struct terminal *terminal_new(int fd, bool quiet) {
    struct terminal *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR"), *ci = getenv("CI");
    bool smart = isatty(fd) && term && strcmp(term, "dumb") != 0;
    t->fd = fd;
    t->hurry_fd = -1;
    t->quiet = quiet;
    bool in_ci = ci && *ci;
    t->live = smart && !quiet && !in_ci;
    t->colour = smart && !in_ci && !(no_color && *no_color);
    return t;
}

void terminal_free(struct terminal *t) {
    free(t);
}

int terminal_error(const struct terminal *t) {
    return t->error;
}

void terminal_heed(struct terminal *t, int fd) {
    t->hurry_fd = fd;
}

void terminal_hurry(struct terminal *t) {
    t->hurried = true;
}

static int poll_all(struct pollfd *p, nfds_t count, int timeout_ms) {
    int ready;
    do
        ready = poll(p, count, timeout_ms);
    while (ready < 0 && errno == EINTR);
    return ready;
}

/* For up to PIPE_BUF octets, or an error. False: nobody reads, and the end is asked for. */
static bool await_room(struct terminal *t) {
    struct pollfd p[2] = {{.fd = t->fd, .events = POLLOUT}, {.fd = t->hurry_fd, .events = POLLIN}};
    while (!t->hurried) {
        if (poll_all(p, 2, -1) < 0 || p[0].revents)
            return true;
        t->hurried = p[1].revents != 0;
    }
    if (poll_all(p, 1, t->given_up ? 0 : READER_PATIENCE_MS) != 0)
        return true;
    t->given_up = true;
    errno = EINTR;
    return false;
}

static void put(struct terminal *t, struct text *x) {
    const char *data = text_str(x);
    size_t size = x->size;
    while (size) {
        ssize_t n = await_room(t) ? write(t->fd, data, size < PIPE_BUF ? size : PIPE_BUF) : -1;
        if (n < 0 && errno == EINTR && !t->given_up)
            continue;
        if (n <= 0) { /* nobody reads: the run goes on, the files have it all */
            t->error = t->error || n == 0 ? t->error : errno;
            break;
        }
        data += n;
        size -= (size_t)n;
    }
    text_deinit(x);
}

static struct text line_begin(struct terminal *t) {
    struct text x;
    text_init(&x);
    if (t->live_shown)
        text_puts(&x, "\r\033[K");
    t->live_shown = false;
    return x;
}

static void escaped(struct text *x, const char *s) {
    text_put_printable(x, s ? s : "", s ? strlen(s) : 0);
}

#define COLUMNS_UNKNOWN 80u

static size_t terminal_columns(int fd) {
    struct winsize w;
    return ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : COLUMNS_UNKNOWN;
}

/* How many octets of a printable text fill at most so many columns. */
static size_t octets_of_columns(const char *s, size_t size, size_t columns) {
    size_t at = 0;
    while (at < size) {
        bool begins = ((unsigned char)s[at] & 0xc0) != 0x80;
        if (begins && columns-- == 0)
            break;
        at++;
    }
    return at;
}

static void coloured(struct terminal *t, struct text *x, const char *code, const char *word) {
    if (t->colour)
        text_printf(x, "\033[%sm%s\033[0m", code, word);
    else
        text_puts(x, word);
}

void terminal_headline(struct terminal *t, const struct run_result *r) {
    if (t->quiet)
        return;
    struct text x = line_begin(t);
    escaped(&x, r->scenario);
    text_printf(&x, "  %lu nodes", (unsigned long)r->nodes);
    if (r->routers)
        text_printf(&x, "  %lu routers", (unsigned long)r->routers);
    text_printf(&x, "  profile %s  fabric %s  seed %lu  run %s\n", r->profile, r->fabric,
                (unsigned long)r->seed, r->id);
    put(t, &x);
}

void terminal_live(struct terminal *t, const char *line) {
    if (!t->live)
        return;
    struct text x = line_begin(t), printable;
    size_t columns = terminal_columns(t->fd), room = columns > 2 ? columns - 2 : 0;
    text_init(&printable);
    escaped(&printable, line);
    text_puts(&x, " ");
    /* What wraps could not be taken back. */
    text_put(&x, text_str(&printable),
             octets_of_columns(text_str(&printable), printable.size, room));
    text_deinit(&printable);
    t->live_shown = true;
    put(t, &x);
}

void terminal_phase(struct terminal *t, const struct run_phase *p) {
    if (t->quiet)
        return;
    struct text x = line_begin(t), name;
    text_init(&name);
    escaped(&name, p->name);
    text_printf(&x, " %-36.60s %7.3fs  ", text_str(&name), (double)p->duration_ns / 1e9);
    escaped(&x, p->summary);
    text_putc(&x, '\n');
    text_deinit(&name);
    put(t, &x);
}

/* One a line: a check joins them with "; ". */
static void put_reasons(struct text *x, const char *reasons) {
    while (*reasons) {
        const char *end = strstr(reasons, "; ");
        size_t size = end ? (size_t)(end - reasons) : strlen(reasons);
        text_puts(x, "\n         ");
        text_put_printable(x, reasons, size);
        reasons += size + (end ? 2 : 0);
    }
}

void terminal_check(struct terminal *t, const struct run_check *c) {
    if (t->quiet && c->verdict == CHECK_PASSED)
        return;
    struct text x = line_begin(t);
    text_puts(&x, "   ");
    switch (c->verdict) {
    case CHECK_PASSED:
        coloured(t, &x, "32", "ok  ");
        break;
    case CHECK_SKIPPED:
        coloured(t, &x, "33", "skip");
        break;
    case CHECK_FAILED:
    case CHECK_TIMEOUT:
        coloured(t, &x, "31", "FAIL");
        break;
    }
    text_puts(&x, "  ");
    escaped(&x, c->name);
    if (c->reason && *c->reason && c->verdict == CHECK_PASSED) {
        text_puts(&x, " — ");
        escaped(&x, c->reason);
    } else if (c->reason) {
        put_reasons(&x, c->reason);
    }
    text_putc(&x, '\n');
    put(t, &x);
}

/* ---- the end ---- */

static uint64_t number(const json_t *o, const char *group, const char *name) {
    const json_t *g = group ? json_object_get(o, group) : o;
    return (uint64_t)json_integer_value(json_object_get(g, name));
}

static void convergence_line(struct text *x, const json_t *r) {
    uint64_t sessions = number(r, "convergence", "last_session_ns");
    uint64_t fib = number(r, "convergence", "last_fib_ns");
    if (!sessions)
        return;
    text_printf(x,
                " since the first speaker started: last session %.3f s, last kernel route %.3f s\n",
                (double)sessions / 1e9, (double)fib / 1e9);
}

static void witness_line(struct text *x, const json_t *r) {
    if (!number(r, "sessions", "expected") && !number(r, "sessions", "speakers"))
        return;
    text_printf(x, " sessions expected %lu: speakers %lu, kernel %lu, wire %lu",
                (unsigned long)number(r, "sessions", "expected"),
                (unsigned long)number(r, "sessions", "speakers"),
                (unsigned long)number(r, "sessions", "kernel"),
                (unsigned long)number(r, "sessions", "wire"));
    uint64_t speakers = number(r, "speakers", "speakers");
    if (speakers)
        text_printf(x, "; %.2f MiB PSS a speaker",
                    (double)number(r, "speakers", "pss_bytes") / (double)speakers / 1048576.0);
    text_putc(x, '\n');
}

/* Whether the times mean anything; checks hold on any host. */
static void host_line(struct text *x, const json_t *r) {
    const json_t *host = json_object_get(r, "host");
    const char *why = report_text_of(host, "spoiled");
    double wanted =
        (double)number(host, NULL, "own_cpu_ns") + (double)number(host, NULL, "wait_ns");
    if (!host)
        return;
    text_printf(
        x, " host: others held the lab up for %.0f %% of its time; timers %.1f ms late (p99); ",
        wanted > 0 ? 100 * (double)number(host, NULL, "delayed_ns") / wanted : 0,
        (double)number(host, NULL, "timer_lag_p99_ns") / 1e6);
    text_printf(x, *why ? "result void: %s\n" : "result valid%s\n", why);
}

#define WARNINGS_SHOWN 8u /* the report has them all */

static bool is_said(const json_t *warnings, size_t at) {
    const json_t *w = json_array_get(warnings, at);
    for (size_t i = 0; i < at; i++)
        if (json_equal(json_array_get(warnings, i), w))
            return true;
    return false;
}

static void put_warning(struct terminal *t, struct text *x, const json_t *w) {
    text_puts(x, "   ");
    coloured(t, x, "33", "warn");
    text_puts(x, "  ");
    escaped(x, report_text_of(w, "file"));
    if (number(w, NULL, "line"))
        text_printf(x, ":%lu:%lu", (unsigned long)number(w, NULL, "line"),
                    (unsigned long)number(w, NULL, "column"));
    text_puts(x, *report_text_of(w, "file") ? ": " : "");
    escaped(x, report_text_of(w, "message"));
    text_puts(x, " [");
    escaped(x, report_text_of(w, "id"));
    text_puts(x, "]\n");
}

/* A step that says again what was said before says nothing new. */
static void warning_lines(struct terminal *t, struct text *x, const json_t *r) {
    const json_t *warnings = json_object_get(r, "warnings");
    size_t shown = 0, left = 0;
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        const json_t *w = json_array_get(warnings, i);
        if (strcmp(report_text_of(w, "severity"), "warning") != 0)
            continue;
        if (shown == WARNINGS_SHOWN) {
            left++;
        } else if (!is_said(warnings, i)) {
            put_warning(t, x, w);
            shown++;
        }
    }
    if (left)
        text_printf(x, "         and %zu more, in the report\n", left);
}

void terminal_verdict(struct terminal *t, const json_t *r) {
    struct text x = line_begin(t);
    enum run_verdict v = RUN_INCOMPLETE;
    (void)report_verdict(r, &v);
    size_t passed = 0, failed = 0, index;
    json_t *checks = json_object_get(r, "checks"), *c;
    json_array_foreach(checks, index, c) {
        passed += strcmp(report_text_of(c, "verdict"), "passed") == 0;
        failed += strcmp(report_text_of(c, "verdict"), "failed") == 0 ||
                  strcmp(report_text_of(c, "verdict"), "timeout") == 0;
    }
    if (!t->quiet) {
        witness_line(&x, r);
        convergence_line(&x, r);
        host_line(&x, r);
        warning_lines(t, &x, r);
    }
    bool good = v == RUN_PASSED || v == RUN_WARNINGS;
    if (good && t->quiet) {
        text_deinit(&x);
        return;
    }
    coloured(t, &x, good ? "32" : "31", good ? "PASS" : "FAIL");
    text_printf(&x, " %s: %zu of %zu checks passed  report: ", run_verdict_name(v), passed,
                json_array_size(checks));
    escaped(&x, report_text_of(r, "directory"));
    text_puts(&x, "/result.json\n");
    /* Failed checks have said why already. */
    const char *error = report_text_of(r, "error");
    bool said = failed && (v == RUN_FAILED || v == RUN_NOT_CONVERGED);
    if (!good && !said && *error) {
        text_puts(&x, " ");
        escaped(&x, error);
        text_putc(&x, '\n');
    }
    put(t, &x);
}
