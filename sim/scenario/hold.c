/*
 * Holding: what stands now stays for a time, and costs no more than it may.
 *
 * Owns the step `hold`. Nothing sleeps: the wait ends at once when a session is lost, a table is
 * not as computed any more, or a speaker ends. CPU time is that of the speakers' processes as they
 * write it on the scoreboard, about once a second, and that of the supervisor; of the kernel's it
 * has what the kernel did on their behalf, as the processes' own system time.
 */

#include "engine.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define NAMED_MAX 8
#define PEERS_MAX 4 /* of a node */
#define PEERS_DEADLINE_MS 1000
#define SHOW_MS 1000

struct hold {
    struct engine *e;
    const struct scenario_step *step;
    struct nanotime began;
    uint64_t *dropped; /* per node, at the beginning */
    uint64_t speakers_cpu_ns, runner_cpu_ns;
};

static bool watched(const struct engine *e, uint32_t node) {
    return e->nodes[node].up && e->state->configs[node] && !backend_runs(e, node);
}

static uint64_t dropped_at(const struct engine *e, uint32_t node) {
    return atomic_load(&lab_slot(e->lab, node)->dropped_count);
}

static uint64_t speakers_cpu_ns(const struct engine *e) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < e->count; i++)
        sum += atomic_load(&lab_slot(e->lab, i)->cpu_ns);
    return sum;
}

static uint64_t runner_cpu_ns(void) {
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0)
        return 0;
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NANOS_PER_S +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

static bool begin(struct hold *h) {
    h->dropped = arena_array(h->e->arena, h->e->count + 1, sizeof *h->dropped);
    if (!h->dropped)
        return false;
    for (uint32_t i = 0; i < h->e->count; i++)
        h->dropped[i] = dropped_at(h->e, i);
    h->began = lab_now();
    h->speakers_cpu_ns = speakers_cpu_ns(h->e);
    h->runner_cpu_ns = runner_cpu_ns();
    return true;
}

/* ---- what changed ---- */

static bool is_planned(const struct engine *e, uint32_t node, struct ip_addr remote) {
    const struct oracle_session *s = NULL;
    size_t n = oracle_sessions(e->state->oracle, &s);
    for (size_t i = 0; i < n; i++)
        if ((s[i].a == node && ip_equal(s[i].addr_b, remote)) ||
            (s[i].b == node && ip_equal(s[i].addr_a, remote)))
            return true;
    return false;
}

/* Planned ones stood when the time began: one that was ever lost, and whose state is newer than
 * that, was lost since. */
static bool lost_since(const struct hold *h, uint32_t node, const json_t *peer,
                       struct ip_addr *ret_remote) {
    const char *remote = json_string_value(json_object_get(peer, "remote"));
    return remote && ip_parse(remote, ret_remote) &&
           json_integer_value(json_object_get(peer, "dropped_count")) > 0 &&
           (uint64_t)json_integer_value(json_object_get(peer, "since_ns")) >= h->began.ns &&
           is_planned(h->e, node, *ret_remote);
}

/* What the speaker said when it lost the session: "90402.241 session_down Mesh_10_0_0_3
 * addr=10.0.0.3 reason=admin_reset …". Else, in IOS's form or not read yet, the last error, which
 * may be that of a call since. */
static void say_why(const struct hold *h, uint32_t node, const json_t *peer, struct text *out) {
    const struct text *log = lab_speaker_log(h->e->lab, node);
    const char *last = json_string_value(json_object_get(peer, "last_error"));
    const char *reason = json_string_value(json_object_get(peer, "last_reason")), *said = NULL;
    char key[BGP_PEER_NAME_MAX + IP_ADDR_TEXT_MAX + 40];
    snprintf(key, sizeof key,
             " session_down %s addr=%s reason=", json_string_value(json_object_get(peer, "name")),
             json_string_value(json_object_get(peer, "remote")));
    for (const char *at = log ? strstr(text_str(log), key) : NULL; at; at = strstr(at + 1, key))
        said = at + strlen(key);
    if (said)
        text_printf(out, ": %.*s", (int)strcspn(said, "\n"), said);
    else if (reason)
        text_printf(out, ": %s %s", reason, last ? last : "");
}

/* Each by name, with the speaker's own word. Returns how many those are. */
static uint64_t name_peers(const struct hold *h, uint32_t node, struct expectation *x) {
    const char *error = NULL;
    char text[IP_ADDR_TEXT_MAX];
    struct ip_addr remote;
    uint64_t named = 0;
    size_t index;
    json_t *peer, *request = json_pack("{s:s}", "op", "peers");
    json_t *answer =
        request ? lab_request(h->e->lab, node, request, PEERS_DEADLINE_MS, &error) : NULL;
    json_array_foreach(json_object_get(answer, "peers"), index, peer) {
        if (named == PEERS_MAX || !lost_since(h, node, peer, &remote))
            continue;
        uint32_t other = oracle_address_owner(h->e->state->oracle, remote);
        struct text why;
        text_init(&why);
        say_why(h, node, peer, &why);
        reason_add(x, "%s has lost its session with %s (%s)%s", engine_node_name(h->e, node),
                   other == UINT32_MAX ? "?" : engine_node_name(h->e, other),
                   ip_format(remote, text), text_str(&why));
        text_deinit(&why);
        named++;
    }
    json_decref(answer);
    json_decref(request);
    return named;
}

static void name_lost(const struct hold *h, struct expectation *x) {
    size_t nodes = 0;
    for (uint32_t i = 0; i < h->e->count; i++) {
        uint64_t lost = watched(h->e, i) ? dropped_at(h->e, i) - h->dropped[i] : 0;
        if (!lost || nodes++ >= NAMED_MAX)
            continue;
        if (name_peers(h, i, x) < lost)
            reason_add(x, "%s has lost %lu session%s in all", engine_node_name(h->e, i),
                       (unsigned long)lost, lost == 1 ? "" : "s");
    }
    if (nodes > NAMED_MAX)
        reason_add(x, "%zu node%s more", nodes - NAMED_MAX, nodes == NAMED_MAX + 1 ? "" : "s");
}

static bool stands(const struct hold *h) {
    const struct engine *e = h->e;
    for (uint32_t i = 0; i < e->count; i++) {
        if (watched(e, i) && dropped_at(e, i) != h->dropped[i])
            return false;
    }
    return e->result.verdict != RUN_CRASHED && scoreboard_sessions_match(e) &&
           scoreboard_tables_match(e);
}

static void name_change(const struct hold *h, struct expectation *x) {
    reason_add(x, "%.1f s after the step began", (double)nanotime_since(lab_now(), h->began) / 1e9);
    name_lost(h, x);
    if (!scoreboard_sessions_match(h->e))
        reason_add(x, "not all planned sessions are there");
    if (!scoreboard_tables_match(h->e))
        reason_add(x, "not all tables are as computed");
}

/* ---- the step ---- */

/* False: something changed, or the run is to end. */
static bool watch(const struct hold *h) {
    struct nanotime end = {h->began.ns + h->step->hold_ns};
    while (stands(h)) {
        struct nanotime now = lab_now(), next = nanotime_add_ms(now, SHOW_MS);
        if (!nanotime_before(now, end))
            return true;
        record_live(h->e, "%s: %.0f s left", h->e->phase, (double)nanotime_since(end, now) / 1e9);
        if (!engine_wait(h->e, nanotime_before(end, next) ? end : next))
            return false;
    }
    return false;
}

/* Nodes that another program runs have no slot to watch: they are asked when the time is over. */
static bool others_stand(struct engine *e, struct expectation *x) {
    static const struct scenario_expect all = {.kind = EXPECT_CONVERGED, .hold_time_s = -1};
    x->x = &all;
    e->witnesses_agree = false;
    return !e->backend.driver || expect_converged(x, true);
}

static double percent(uint64_t cpu_ns, uint64_t wall_ns) {
    return wall_ns ? 100.0 * (double)cpu_ns / (double)wall_ns : 0;
}

bool hold_cost_fits(const struct hold_cost *c, uint32_t percent_max) {
    return !percent_max ||
           percent(c->speakers_cpu_ns + c->runner_cpu_ns, c->wall_ns) <= percent_max;
}

/* What it cost; true: no more than it may. */
static bool account(const struct hold *h, struct expectation *x) {
    struct run_usage *u = &h->e->result.usage;
    struct hold_cost c = {
        .wall_ns = nanotime_since(lab_now(), h->began),
        .speakers_cpu_ns = speakers_cpu_ns(h->e) - h->speakers_cpu_ns,
        .runner_cpu_ns = runner_cpu_ns() - h->runner_cpu_ns,
    };
    u->held_ns += c.wall_ns;
    u->held_speakers_cpu_ns += c.speakers_cpu_ns;
    u->held_runner_cpu_ns += c.runner_cpu_ns;
    reason_add(x, "%.1f %% of one processor by the speakers, %.1f %% by the runner",
               percent(c.speakers_cpu_ns, c.wall_ns), percent(c.runner_cpu_ns, c.wall_ns));
    return hold_cost_fits(&c, h->step->hold_cpu_percent);
}

bool step_hold(struct engine *e, const struct scenario_step *s) {
    struct hold h = {.e = e, .step = s};
    struct expectation x = {.e = e};
    uint64_t since = engine_elapsed(e);
    char name[128], limit[48] = "";
    if (s->hold_ns == 0)
        return true;
    if (!begin(&h))
        return false;
    bool still = watch(&h);
    if (engine_stopping(e))
        return false;
    if (!still)
        name_change(&h, &x);
    still = still && others_stand(e, &x);
    bool cheap = account(&h, &x);
    if (s->hold_cpu_percent)
        snprintf(limit, sizeof limit, ", at most %u %% of one processor", s->hold_cpu_percent);
    snprintf(name, sizeof name, "held for %g s: no session lost, tables as computed%s",
             (double)s->hold_ns / 1e9, limit);
    record_check(e, name, still && cheap ? CHECK_PASSED : CHECK_FAILED, since, x.reason);
    if (!still || !cheap)
        (cheap ? record_late_verdict : record_verdict)(e, RUN_FAILED, x.reason);
    return true;
}
