/*
 * Nodes restarted batch after batch, as an upgrade does it: those of a batch one after the other
 * without waiting for their sessions, the next batch when all tables are as computed again.
 *
 * Owns the order, the waiting and the times. Leaves to others: ending and starting a speaker
 * (run.c, network.c), packets meanwhile (meanwhile.c), the exact set of everything: that is what
 * `expect` behind it is for.
 */

#include "engine.h"

#include <stdio.h>

#define ASK_BACKEND_AGAIN_MS 100

struct roll {
    struct engine *e;
    const struct scenario_step *step;
    uint32_t next;      /* node */
    uint32_t *batch;    /* nodes */
    size_t batch_count; /* in it */
    uint64_t nodes, batches, slowest_ns;
};

/* The next nodes whose speakers run. */
static void fill_batch(struct roll *r) {
    struct engine *e = r->e;
    r->batch_count = 0;
    for (; r->next < e->node_count && r->batch_count < r->step->roll.batch; r->next++) {
        if (e->nodes[r->next].up && e->state->configs[r->next])
            r->batch[r->batch_count++] = r->next;
    }
}

static bool wait_ended(struct roll *r, uint32_t node, struct meanwhile *m,
                       struct nanotime deadline) {
    while (lab_speaker_state(r->e->lab, node).kind == LAB_RUNNING) {
        if (!nanotime_before(lab_now(), deadline) || !meanwhile_wait(m, deadline))
            return false;
    }
    return true;
}

/* One after the other, each started as soon as it has ended: as long as many are dead, all others
 * call them in vain, and in a mesh of a thousand that leaves them no processor to come back. */
static bool restart_batch(struct roll *r, struct meanwhile *m, struct nanotime deadline) {
    struct engine *e = r->e;
    bool graceful = r->step->roll.graceful, ok = true;
    for (size_t i = 0; ok && i < r->batch_count; i++) {
        uint32_t node = r->batch[i];
        e->nodes[node].up = false;
        ok = lab_fault(e->lab, graceful ? LAB_FAULT_KILL : LAB_FAULT_STOP, node, UINT32_MAX, 0,
                       e->diags) &&
             wait_ended(r, node, m, deadline) && engine_start_again(e, node, graceful, e->diags);
    }
    return ok && state_restarted(e, e->diags);
}

/* What is missing, by name. */
static void report_late(struct engine *e) {
    static const struct scenario_expect all = {.kind = EXPECT_CONVERGED, .hold_time_s = -1};
    struct expectation *x = arena_alloc(e->arena, sizeof *x);
    if (!x)
        return;
    *x = (struct expectation){.e = e, .x = &all};
    (void)expect_converged(x, true);
    record_check(e, "every batch comes back within the deadline", CHECK_TIMEOUT, engine_elapsed(e),
                 x->reason);
    record_late_verdict(e, RUN_NOT_CONVERGED, x->reason);
}

/* By what the speakers say; a restarted one begins with an empty slot. */
static bool settled(struct engine *e) {
    static const struct scenario_expect all = {.kind = EXPECT_CONVERGED, .hold_time_s = -1};
    struct expectation x = {.e = e, .x = &all};
    e->witnesses_agree = false;
    return e->backend.driver ? expect_converged(&x, false)
                             : scoreboard_sessions_match(e) && scoreboard_tables_match(e);
}

/* A backend is asked at intervals, our speakers' slots are read at every wake-up. */
static bool wait_settled(struct roll *r, struct meanwhile *m, struct nanotime deadline) {
    struct engine *e = r->e;
    while (!settled(e)) {
        struct nanotime now = lab_now(), ask = nanotime_add_ms(now, ASK_BACKEND_AGAIN_MS);
        struct nanotime next = e->backend.driver ? ask : deadline;
        if (!nanotime_before(now, deadline)) {
            report_late(e);
            return false;
        }
        next = nanotime_before(next, deadline) ? next : deadline;
        do {
            if (!meanwhile_wait(m, next))
                return false;
        } while (e->backend.driver && nanotime_before(lab_now(), next));
    }
    return true;
}

static bool roll_batch(struct roll *r, struct meanwhile *m) {
    struct nanotime begun = lab_now();
    struct nanotime deadline = {begun.ns + r->step->deadline_ns};
    if (!restart_batch(r, m, deadline)) {
        record_verdict(r->e, RUN_HOST, "a speaker could not be restarted");
        return false;
    }
    if (!wait_settled(r, m, deadline))
        return false;
    uint64_t took = nanotime_since(lab_now(), begun);
    r->slowest_ns = took > r->slowest_ns ? took : r->slowest_ns;
    r->nodes += r->batch_count;
    r->batches++;
    return true;
}

static bool run_batches(struct roll *r, struct meanwhile *m) {
    for (fill_batch(r); r->batch_count; fill_batch(r)) {
        record_live(r->e, "%s: %lu nodes restarted", r->e->phase, (unsigned long)r->nodes);
        if (!roll_batch(r, m))
            return false;
    }
    return true;
}

bool step_roll(struct engine *e, const struct scenario_step *s) {
    struct roll r = {.e = e, .step = s, .batch = arena_array(e->arena, e->node_count + 1, 4)};
    struct meanwhile m;
    if (!r.batch || !meanwhile_begin(e, &s->meanwhile, &m))
        return false;
    bool ok = run_batches(&r, &m);
    snprintf(m.summary, sizeof m.summary, "%lu nodes in %lu batches, the slowest in %.2f s",
             (unsigned long)r.nodes, (unsigned long)r.batches, (double)r.slowest_ns / 1e9);
    meanwhile_end(&m);
    return ok;
}
