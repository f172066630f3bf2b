/*
 * What the supervisor tells the command in front of it: one JSON object a line on a socket pair.
 *
 *   {"record":"live","text":…}      replaces the live line
 *   {"record":"begin","phase":…}
 *   {"record":"phase",…}            a finished phase (report.h: struct run_phase)
 *   {"record":"check",…}            a check's verdict
 *   {"record":"partial","result":…} everything known so far, after each phase
 *   {"record":"result","result":…}  the end
 *   {"record":"teardown",…}         whose namespaces go now (engine_namespaces)
 *
 * The command in front writes the files and draws the screen; if it is gone, records go nowhere and
 * the run does not care. If it does not read (it is stopped, or its own output is full) the run
 * goes on, and records wait for it in a queue: all but those that later ones make superfluous. So
 * when it reads again it hears of every phase, every check and the end; only record_drain waits for
 * it as long as it lives. Live lines are limited to about twenty a second.
 */

#include "engine.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define LIVE_INTERVAL_NS (UINT64_C(50) * NANOS_PER_MS)
#define FRONT_PATIENCE_MS 1000

static bool is_empty(const struct engine *e) {
    return e->front_sent == e->front_queue.size;
}

static void clear_queue(struct engine *e) {
    text_deinit(&e->front_queue);
    e->front_sent = 0;
}

void record_flush(struct engine *e) {
    while (!is_empty(e)) {
        ssize_t n = send(e->front_fd, e->front_queue.data + e->front_sent,
                         e->front_queue.size - e->front_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            e->front_sent += (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            return;
        } else if (n == 0 || errno != EINTR) {
            e->front_gone = true;
            break;
        }
    }
    e->front_stalled = false;
    clear_queue(e);
}

/* Sends what waits; false: the deadline (-1: none) has come before that. */
static bool send_all(struct engine *e, int deadline_ms) {
    struct pollfd p = {.fd = e->front_fd, .events = POLLOUT};
    record_flush(e);
    while (!is_empty(e)) {
        if (poll(&p, 1, deadline_ms) == 0)
            return false;
        record_flush(e);
    }
    return true;
}

void record_drain(struct engine *e) {
    (void)send_all(e, -1);
}

/* A busy machine is given its time, once: who did not read then is not waited for again. */
static void send_line(struct engine *e, const char *line) {
    text_puts(&e->front_queue, line);
    text_putc(&e->front_queue, '\n');
    e->front_gone |= e->front_queue.failed; /* half a line tells nothing */
    if (e->front_gone)
        clear_queue(e);
    else
        e->front_stalled = !send_all(e, e->front_stalled ? 0 : FRONT_PATIENCE_MS);
}

enum weight {
    PASSING, /* a later one says it again: nobody who does not read misses it */
    LASTING,
};

static void send_record(struct engine *e, enum weight w, json_t *record) {
    bool wanted = e->front_fd >= 0 && !e->front_gone && (w == LASTING || is_empty(e));
    char *line = wanted && record ? json_dumps(record, JSON_COMPACT) : NULL;
    if (line)
        send_line(e, line);
    free(line);
    json_decref(record);
}

void record_live(struct engine *e, const char *format, ...) {
    static struct nanotime last; /* of this process: there is one engine in a supervisor */
    struct nanotime now = lab_now();
    if (nanotime_since(now, last) < LIVE_INTERVAL_NS)
        return;
    last = now;
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    send_record(e, PASSING, json_pack("{s:s, s:o}", "record", "live", "text", report_text(text)));
}

json_t *engine_namespaces(const struct engine *e) {
    struct stat s;
    json_t *hosts = json_object();
    for (uint32_t i = 0; e->lab && i < e->count; i++) {
        if (fstat(lab_host_netns(e->lab, i), &s) == 0)
            json_object_set_new(hosts, e->nodes[i].name, json_integer((json_int_t)s.st_ino));
    }
    json_int_t own = stat("/proc/self/ns/pid", &s) == 0 ? (json_int_t)s.st_ino : 0;
    return json_pack("{s:o, s:I}", "namespaces", hosts, "pid_namespace", own);
}

void record_teardown(struct engine *e) {
    json_t *record = engine_namespaces(e);
    if (record)
        json_object_set_new(record, "record", json_string("teardown"));
    send_record(e, LASTING, record);
}

uint64_t engine_elapsed(const struct engine *e) {
    return nanotime_since(lab_now(), e->started);
}

/* Arrays grow in the run's arena: what is outgrown stays until the end, which is soon enough. */
static void *grown(struct engine *e, void *old, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return old;
    size_t next = *capacity ? *capacity * 2 : 32;
    char *list = arena_array(e->arena, next, size);
    if (!list)
        return NULL;
    if (count)
        memcpy(list, old, count * size);
    *capacity = next;
    return list;
}

void record_phase_begin(struct engine *e, const char *name) {
    struct run_result *r = &e->result;
    struct run_phase *list =
        grown(e, r->phases, r->phase_count, &e->phase_capacity, sizeof *r->phases);
    if (!list)
        return;
    r->phases = list;
    e->phase = arena_strdup(e->arena, name);
    r->partial_of = e->phase;
    r->phases[r->phase_count++] =
        (struct run_phase){.name = e->phase, .start_ns = engine_elapsed(e), .summary = ""};
    send_record(e, PASSING, json_pack("{s:s, s:o}", "record", "begin", "phase", report_text(name)));
}

void record_phase_end(struct engine *e, const char *format, ...) {
    struct run_result *r = &e->result;
    if (!r->phase_count)
        return;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct run_phase *p = &r->phases[r->phase_count - 1];
    p->duration_ns = engine_elapsed(e) - p->start_ns;
    p->done = true;
    p->summary = arena_strdup(e->arena, text);
    send_record(e, LASTING,
                json_pack("{s:s, s:o, s:o, s:I, s:I}", "record", "phase", "name",
                          report_text(p->name), "summary", report_text(text), "start_ns",
                          (json_int_t)p->start_ns, "duration_ns", (json_int_t)p->duration_ns));
    record_result(e, false);
}

void record_check_until(struct engine *e, const char *name, enum check_verdict v, uint64_t since_ns,
                        uint64_t until_ns, const char *reason) {
    struct run_result *r = &e->result;
    struct run_check *list =
        grown(e, r->checks, r->check_count, &e->check_capacity, sizeof *r->checks);
    if (!list)
        return;
    r->checks = list;
    r->checks[r->check_count++] = (struct run_check){
        .phase = e->phase ? e->phase : "",
        .name = arena_strdup(e->arena, name),
        .verdict = v,
        .reason = arena_strdup(e->arena, reason ? reason : ""),
        .at_ns = since_ns,
        .duration_ns = until_ns - since_ns,
    };
    send_record(e, LASTING,
                json_pack("{s:s, s:o, s:o, s:s, s:o, s:I}", "record", "check", "phase",
                          report_text(e->phase), "name", report_text(name), "verdict",
                          check_verdict_name(v), "reason", report_text(reason), "duration_ns",
                          (json_int_t)(until_ns - since_ns)));
}

void record_check(struct engine *e, const char *name, enum check_verdict v, uint64_t since_ns,
                  const char *reason) {
    record_check_until(e, name, v, since_ns, engine_elapsed(e), reason);
}

/* The first thing that went wrong explains the run best; a worse kind of verdict replaces it. What
 * did not converge is why packets and routes asked for in the same step were missing. */
void record_verdict(struct engine *e, enum run_verdict v, const char *error) {
    static const unsigned char rank[] = {
        [RUN_PASSED] = 0,        [RUN_WARNINGS] = 1,    [RUN_INCOMPLETE] = 0, [RUN_FAILED] = 2,
        [RUN_NOT_CONVERGED] = 3, [RUN_REFUSED] = 5,     [RUN_HOST] = 6,       [RUN_CRASHED] = 7,
        [RUN_VOID] = 4,          [RUN_INTERRUPTED] = 8,
    };
    struct run_result *r = &e->result;
    e->failed_for_certain |= v == RUN_FAILED || v == RUN_NOT_CONVERGED;
    if (r->verdict != RUN_INCOMPLETE && rank[v] <= rank[r->verdict])
        return;
    r->verdict = v;
    if (error)
        r->error = arena_strdup(e->arena, error);
}

void record_late_verdict(struct engine *e, enum run_verdict v, const char *error) {
    bool certain = e->failed_for_certain;
    record_verdict(e, v, error);
    e->failed_for_certain = certain;
}

void record_result(struct engine *e, bool final) {
    if (e->front_fd < 0 || e->front_gone)
        return;
    struct run_result r = e->result;
    if (!final) {
        r.verdict = RUN_INCOMPLETE;
    } else {
        r.partial_of = NULL;
    }
    send_record(
        e, final ? LASTING : PASSING,
        json_pack("{s:s, s:o}", "record", final ? "result" : "partial", "result", report_json(&r)));
}
