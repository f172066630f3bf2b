/*
 * What packets meet while a step changes many things: a stream between sampled pods from the step's
 * first moment to its last.
 *
 * Owns which flows, and how the loss is told. Leaves to others the packets (sim/lab/stream.c).
 */

#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_MS 1000 /* an answer that takes longer is lost */
#define FLOWS_NAMED_MAX 3

bool meanwhile_begin(struct engine *e, const struct scenario_meanwhile *what,
                     struct meanwhile *ret_m) {
    const struct engine_pairs_query q = {
        .from = UINT32_MAX, .to = UINT32_MAX, .families = {true, true}, .sample = what->sample};
    struct engine_pair *pairs = calloc(LAB_FLOWS_MAX, sizeof *pairs);
    struct meanwhile m = {.e = e, .what = what};
    m.count = pairs && what->sample ? engine_pairs(e, &q, pairs, LAB_FLOWS_MAX) : 0;
    m.flows = calloc(m.count + 1, sizeof *m.flows);
    for (size_t i = 0; m.flows && i < m.count; i++)
        m.flows[i] = (struct lab_flow){.from = pairs[i].from,
                                       .to = pairs[i].to,
                                       .source = pairs[i].source,
                                       .destination = pairs[i].destination};
    free(pairs);
    m.stream = m.flows && m.count ? lab_stream_start(e->lab, m.flows, m.count) : NULL;
    if (!m.flows || (m.count && !m.stream)) {
        free(m.flows);
        record_verdict(e, RUN_HOST, "no sockets for packets between pods");
        return false;
    }
    *ret_m = m;
    return true;
}

bool meanwhile_wait(struct meanwhile *m, struct nanotime deadline) {
    struct nanotime next = m->stream ? lab_stream_tick(m->stream) : deadline;
    return engine_wait(m->e, nanotime_before(next, deadline) ? next : deadline);
}

static void drain(struct meanwhile *m) {
    struct nanotime end = nanotime_add_ms(lab_now(), DRAIN_MS);
    while (!lab_stream_drained(m->stream) && nanotime_before(lab_now(), end)) {
        struct nanotime next = nanotime_add_ms(lab_now(), LAB_STREAM_INTERVAL_MS);
        if (!engine_wait(m->e, nanotime_before(next, end) ? next : end))
            return;
    }
}

struct loss {
    uint64_t sent, lost, outage_ns, flows;
    char named[512];
};

static void count_flow(const struct engine *e, const struct lab_flow *f, struct loss *l) {
    uint64_t lost = f->sent - f->answered;
    size_t at = strlen(l->named);
    l->sent += f->sent;
    l->lost += lost;
    l->outage_ns = f->outage_ns > l->outage_ns ? f->outage_ns : l->outage_ns;
    if (lost && l->flows++ < FLOWS_NAMED_MAX)
        snprintf(l->named + at, sizeof l->named - at, "; %s -> %s: %lu of %lu, %.2f s at a stretch",
                 engine_node_name(e, f->from), engine_node_name(e, f->to), (unsigned long)lost,
                 (unsigned long)f->sent, (double)f->outage_ns / 1e9);
}

static void judge(struct engine *e, const struct scenario_meanwhile *what, const struct loss *l) {
    char name[128], reason[768];
    bool ok = l->sent && l->lost <= what->lost_max;
    snprintf(name, sizeof name, "packets lost meanwhile: at most %lu",
             (unsigned long)what->lost_max);
    snprintf(reason, sizeof reason, "%lu of %lu lost on %lu flows%s", (unsigned long)l->lost,
             (unsigned long)l->sent, (unsigned long)l->flows, l->named);
    record_check(e, name, ok ? CHECK_PASSED : CHECK_FAILED, engine_elapsed(e), ok ? "" : reason);
    if (!ok)
        record_late_verdict(e, RUN_FAILED, reason);
}

void meanwhile_end(struct meanwhile *m) {
    struct engine *e = m->e;
    struct loss l = {0};
    size_t at = strlen(m->summary);
    if (m->stream) {
        drain(m);
        lab_stream_end(m->stream);
    }
    for (size_t i = 0; i < m->count; i++)
        count_flow(e, &m->flows[i], &l);
    if (m->count)
        snprintf(m->summary + at, sizeof m->summary - at,
                 "; %lu packets, %lu lost, %.2f s at the longest stretch", (unsigned long)l.sent,
                 (unsigned long)l.lost, (double)l.outage_ns / 1e9);
    e->step_summary = arena_strdup(e->arena, m->summary);
    if (m->what->judged && !engine_stopping(e))
        judge(e, m->what, &l);
    free(m->flows);
}
