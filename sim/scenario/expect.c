/*
 * Expectations: waiting until all parts of a step hold at the same time, or the deadline.
 *
 * Nothing here sleeps for a time and hopes: each part is evaluated at once, then again whenever the
 * scoreboard's bell rings or a child ends; parts that no bell announces (packets, logs, show
 * output) are asked again at short intervals. What holds is reported the moment it holds; what does
 * not is evaluated a last time with words. Nodes that another program runs ring no bell: with a
 * backend everything is asked again.
 */

#include "engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ASK_AGAIN_MS 10
#define ASK_BACKEND_AGAIN_MS 100 /* another program: a dialogue of its own for each node */

typedef bool expect_fn(struct expectation *x, bool final);

static expect_fn *const evaluators[] = {
    [EXPECT_SESSIONS] = expect_sessions, [EXPECT_CONVERGED] = expect_converged,
    [EXPECT_ROUTE] = expect_route,       [EXPECT_FIB] = expect_fib,
    [EXPECT_PING] = expect_ping,         [EXPECT_LOG] = expect_log,
    [EXPECT_EXEC] = expect_exec,         [EXPECT_CAUSE] = expect_cause,
    [EXPECT_REJECTED] = expect_rejected, [EXPECT_OVERHEAD] = expect_overhead,
    [EXPECT_FINDING] = expect_finding,
};

/* Differences are as many as nodes, lines of a report are not: what is beyond is counted. */
#define REASONS_MAX 24u
#define REASONS_ROOM 64u /* for the count */

static void reason_clear(struct expectation *x) {
    x->reason[0] = '\0';
    x->reason_count = x->reasons_left_out = 0;
}

/* Says how many were left out. */
static void reason_end(struct expectation *x) {
    size_t at = strlen(x->reason);
    if (x->reasons_left_out)
        snprintf(&x->reason[at], sizeof x->reason - at, "; and %u more", x->reasons_left_out);
}

void reason_add(struct expectation *x, const char *format, ...) {
    size_t at = strlen(x->reason);
    if (x->reason_count >= REASONS_MAX || at + REASONS_ROOM >= sizeof x->reason) {
        x->reasons_left_out++;
        return;
    }
    x->reason_count++;
    if (at) {
        memcpy(&x->reason[at], "; ", 3);
        at += 2;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(&x->reason[at], sizeof x->reason - REASONS_ROOM / 2 - at, format, arguments);
    va_end(arguments);
}

/* ---- names ---- */

static const char *or_all(const char *name) {
    return name ? name : "every node";
}

static void name_sessions(const struct scenario_expect *x, char *out, size_t size) {
    static const char *const sets[] = {
        [SESSIONS_PLANNED] = "exactly the planned ones",
        [SESSIONS_MESH] = "exactly the full mesh",
        [SESSIONS_COUNT] = "exactly",
        [SESSIONS_LIST] = "exactly the listed pairs",
        [SESSIONS_NONE] = "none",
    };
    int n = snprintf(out, size, "sessions%s%s: %s", x->session_node ? " of " : "",
                     x->session_node ? x->session_node : "", sets[x->set]);
    if (x->set == SESSIONS_COUNT && n > 0 && (size_t)n < size)
        n += snprintf(out + n, size - (size_t)n, " %lu", (unsigned long)x->count);
    if (x->hold_time_s >= 0 && n > 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, ", hold time %d s", x->hold_time_s);
}

static void name_prefix(const struct scenario_expect *x, char *out, size_t size) {
    char prefix[IP_PREFIX_TEXT_MAX];
    snprintf(out, size, "%s %s%s at %s%s", x->kind == EXPECT_FIB ? "kernel route" : "route",
             x->block_of ? "blocks of " : "",
             x->block_of ? x->block_of : ip_prefix_format(x->prefix, prefix), or_all(x->node),
             x->absent ? ": absent" : "");
}

static void name_check(const struct scenario_expect *x, char *out, size_t size) {
    switch (x->kind) {
    case EXPECT_SESSIONS:
        name_sessions(x, out, size);
        break;
    case EXPECT_CONVERGED:
        snprintf(out, size, "converged: sessions, Loc-RIBs and kernel tables as computed");
        break;
    case EXPECT_ROUTE:
    case EXPECT_FIB:
        name_prefix(x, out, size);
        break;
    case EXPECT_PING:
        snprintf(out, size, "packets from %s to %s%s", or_all(x->from), or_all(x->to),
                 x->absent ? ": none arrive" : "");
        break;
    case EXPECT_OVERHEAD:
        snprintf(out, size, "packets of pool %s from %s to %s: %u octets added", x->pool,
                 or_all(x->from), or_all(x->to), x->bytes);
        break;
    case EXPECT_LOG:
        snprintf(out, size, "log of %s: %s%s", or_all(x->node), x->absent ? "no " : "",
                 x->contains  ? x->contains
                 : x->matches ? x->matches
                              : "");
        break;
    case EXPECT_EXEC:
        snprintf(out, size, "%s: %s", or_all(x->node), x->command ? x->command : "");
        break;
    case EXPECT_CAUSE:
        snprintf(out, size, "cause at %s: %s", or_all(x->node), x->cause ? x->cause : "");
        break;
    case EXPECT_FINDING:
        snprintf(out, size, "said at apply: %s", x->finding ? x->finding : "any finding");
        break;
    case EXPECT_REJECTED:
        snprintf(out, size, "refused: %s", x->finding ? x->finding : "any finding");
        break;
    }
}

/* ---- waiting ---- */

static bool announced_by_bell(enum scenario_expect_kind k) {
    return k == EXPECT_SESSIONS || k == EXPECT_CONVERGED;
}

/* Where the step waits for tables, nobody is asked for anything before the scoreboard says that
 * sessions and tables may be right: thousands of speakers would be woken for an answer that
 * cannot help. */
static bool may_hold(const struct engine *e, const struct expectation *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (list[i].x->kind == EXPECT_CONVERGED)
            return scoreboard_sessions_match(e) && scoreboard_tables_match(e);
    }
    return true;
}

static void forget_held(struct expectation *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        list[i].held_ns = 0;
}

static bool all_hold(struct engine *e, struct expectation *list, size_t count, bool *ret_poll) {
    *ret_poll = false;
    e->witnesses_agree = false;
    if (!may_hold(e, list, count)) {
        forget_held(list, count);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        reason_clear(&list[i]);
        /* What can never hold is not waited for; the others still get their time. */
        if (list[i].hopeless || evaluators[list[i].x->kind](&list[i], false) || list[i].hopeless) {
            list[i].held_ns = list[i].held_ns ? list[i].held_ns : engine_elapsed(e);
            continue;
        }
        *ret_poll = !announced_by_bell(list[i].x->kind);
        forget_held(&list[i], count - i);
        return false;
    }
    return !e->interrupted;
}

static void show_waiting(struct engine *e, struct nanotime deadline) {
    engine_fill_totals(e);
    const struct run_result *r = &e->result;
    record_live(e, "%s: %lu/%lu sessions, %lu/%lu routes, %lu in kernel, %.1f s left", e->phase,
                (unsigned long)r->sessions.speakers, (unsigned long)r->sessions.expected,
                (unsigned long)r->routes.loc_rib, (unsigned long)r->routes.expected,
                (unsigned long)r->routes.fib, (double)nanotime_since(deadline, lab_now()) / 1e9);
}

static bool any_hopeless(const struct expectation *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (list[i].hopeless)
            return true;
    }
    return false;
}

static bool wait_for_all(struct engine *e, struct expectation *list, size_t count,
                         struct nanotime deadline) {
    bool poll = false;
    while (!all_hold(e, list, count, &poll)) {
        struct nanotime now = lab_now();
        if (engine_stopping(e) || !nanotime_before(now, deadline))
            return false;
        show_waiting(e, deadline);
        struct nanotime next = e->backend.driver ? nanotime_add_ms(now, ASK_BACKEND_AGAIN_MS)
                               : poll            ? nanotime_add_ms(now, ASK_AGAIN_MS)
                                                 : deadline;
        (void)engine_wait(e, nanotime_before(next, deadline) ? next : deadline);
    }
    return !any_hopeless(list, count);
}

static bool report_each(struct engine *e, struct expectation *list, size_t count,
                        uint64_t since_ns) {
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        char name[512];
        name_check(list[i].x, name, sizeof name);
        reason_clear(&list[i]);
        bool holds = evaluators[list[i].x->kind](&list[i], true);
        /* What no waiting could bring has failed, however busy the host was. */
        bool late = !list[i].hopeless && announced_by_bell(list[i].x->kind);
        reason_end(&list[i]);
        enum check_verdict v = holds ? CHECK_PASSED : late ? CHECK_TIMEOUT : CHECK_FAILED;
        record_check(e, name, v, since_ns, list[i].reason);
        if (!holds)
            (list[i].hopeless ? record_verdict : record_late_verdict)(
                e, late ? RUN_NOT_CONVERGED : RUN_FAILED, list[i].reason);
        all &= holds;
    }
    return all;
}

static void report_passed(struct engine *e, struct expectation *list, size_t count,
                          uint64_t since_ns) {
    for (size_t i = 0; i < count; i++) {
        char name[512];
        name_check(list[i].x, name, sizeof name);
        record_check_until(e, name, CHECK_PASSED, since_ns, list[i].held_ns, list[i].reason);
    }
}

bool expect_all(struct engine *e, const struct scenario_expect *list, size_t count,
                uint64_t deadline_ns) {
    uint64_t since = engine_elapsed(e);
    struct expectation *x = arena_array(e->arena, count + 1, sizeof *x);
    if (!x)
        return false;
    for (size_t i = 0; i < count; i++)
        x[i] = (struct expectation){.e = e, .x = &list[i]};
    struct nanotime deadline = {lab_now().ns + deadline_ns};
    if (wait_for_all(e, x, count, deadline)) {
        report_passed(e, x, count, since);
        return true;
    }
    return !engine_stopping(e) && report_each(e, x, count, since);
}
