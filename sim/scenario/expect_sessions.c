/*
 * The exact set of sessions, by three witnesses that must agree: the speakers' own word, the
 * kernel's established TCP sockets, the OPEN messages on the wire. Expected is what the oracle
 * computed.
 *
 * The cheap test (each node's count on the scoreboard) guards the dear one, so that waiting costs
 * nothing until the set may be right. The kernel is asked first: it takes no time of a speaker that
 * has no slot on the scoreboard, which would answer instead of connecting.
 */

#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_DEADLINE_MS 5000
#define STATE_DEADLINE_MS 1000 /* of each session that is named */
#define NAMED_MAX 8            /* differences spelled out */
#define PLANNED_FAILURES_MAX 3
#define TCP_ESTABLISHED_STATE 1

bool scoreboard_sessions_match(const struct engine *e) {
    for (uint32_t i = 0; i < e->count; i++) {
        if (!e->nodes[i].up || backend_runs(e, i))
            continue;
        const struct scoreboard_slot *s = lab_slot(e->lab, i);
        if (atomic_load(&s->sessions[BGP_ESTABLISHED]) !=
            oracle_totals_established(e->state->oracle, i))
            return false;
    }
    return true;
}

static bool node_concerned(const struct expectation *x, uint32_t node) {
    return !x->x->session_node || strcmp(engine_node_name(x->e, node), x->x->session_node) == 0;
}

static bool concerns(const struct expectation *x, const struct oracle_session *s) {
    return node_concerned(x, s->a) || node_concerned(x, s->b);
}

/* ---- witnesses ---- */

static void expected_ends(const struct engine *e, struct witness_set *ret_set) {
    const struct oracle_session *s = NULL;
    size_t n = oracle_sessions(e->state->oracle, &s);
    for (size_t i = 0; i < n; i++) {
        (void)witness_add(ret_set, s[i].a, s[i].addr_b);
        (void)witness_add(ret_set, s[i].b, s[i].addr_a);
    }
    witness_sort(ret_set);
}

static void take_answer(struct expectation *x, uint32_t node, json_t *answer,
                        struct witness_set *set) {
    size_t index;
    json_t *item;
    json_t *hold_times = json_object_get(answer, "hold_time_s");
    json_array_foreach(json_object_get(answer, "remote"), index, item) {
        const char *remote = json_string_value(item);
        struct ip_addr a;
        if (!remote || !ip_parse(remote, &a))
            continue;
        (void)witness_add(set, node, a);
        json_t *hold = json_array_get(hold_times, index);
        if (x->x->hold_time_s < 0 || !node_concerned(x, node))
            continue;
        if (!json_is_integer(hold) || json_integer_value(hold) != x->x->hold_time_s)
            reason_add(x, "%s - %s: hold time %d s expected, %d s negotiated",
                       engine_node_name(x->e, node), remote, x->x->hold_time_s,
                       (int)json_integer_value(hold));
    }
}

static bool ask_speakers(struct expectation *x, struct witness_set *ret_set) {
    struct engine *e = x->e;
    uint32_t *hosts = calloc(e->count + 1, sizeof *hosts);
    json_t **requests = calloc(e->count + 1, sizeof(json_t *));
    json_t **answers = calloc(e->count + 1, sizeof(json_t *));
    json_t *request = json_pack("{s:s}", "op", "established");
    size_t count = 0;
    for (uint32_t i = 0; hosts && requests && i < e->count; i++) {
        if (!e->nodes[i].up || !e->state->configs[i])
            continue;
        hosts[count] = i;
        requests[count++] = request;
    }
    bool ok = answers && request;
    size_t silent = 0;
    if (ok)
        lab_request_all(e->lab, hosts, requests, count, REQUEST_DEADLINE_MS, answers);
    for (size_t i = 0; ok && i < count; i++) {
        if (!answers[i] && silent++ < NAMED_MAX)
            reason_add(x, "%s does not answer", engine_node_name(e, hosts[i]));
        e->nodes[hosts[i]].seen_established =
            json_array_size(json_object_get(answers[i], "remote"));
        take_answer(x, hosts[i], answers[i], ret_set);
        json_decref(answers[i]);
    }
    if (silent > NAMED_MAX)
        reason_add(x, "and %zu more do not answer", silent - NAMED_MAX);
    json_decref(request);
    free(hosts);
    free(requests);
    free(answers);
    witness_sort(ret_set);
    return ok;
}

static bool ask_kernel(struct engine *e, struct witness_set *ret_set) {
    struct lab_socket *list = NULL;
    ssize_t n = lab_sockets(e->lab, &list);
    for (uint32_t i = 0; i < e->count; i++)
        e->nodes[i].seen_established = 0;
    for (ssize_t i = 0; i < n; i++) {
        bool bgp = e->bgp_ports[list[i].local_port] || e->bgp_ports[list[i].remote_port];
        if (!bgp || list[i].state != TCP_ESTABLISHED_STATE)
            continue;
        e->nodes[list[i].host].seen_established++;
        (void)witness_add(ret_set, list[i].host, list[i].remote);
    }
    alloc_free(list);
    witness_sort(ret_set);
    return n >= 0;
}

static uint32_t owner_of(const struct engine *e, struct ip_addr a) {
    return oracle_address_owner(e->state->oracle, a);
}

/* An OPEN from A to B is B's end having heard A. */
static bool ask_wire(struct expectation *x, struct witness_set *ret_set, uint64_t *ret_lost) {
    struct lab_open *list = NULL;
    ssize_t n = lab_capture_opens(x->e->lab, &list, ret_lost);
    for (ssize_t i = 0; i < n; i++) {
        uint32_t to = owner_of(x->e, list[i].to);
        if (to != UINT32_MAX)
            (void)witness_add(ret_set, to, list[i].from);
    }
    alloc_free(list);
    witness_sort(ret_set);
    return n >= 0;
}

/* ---- differences ---- */

struct naming {
    struct expectation *x;
    const char *what; /* NULL: only counted */
    size_t named;
    bool final;
};

static const char *cause_of(const struct engine *e, uint32_t node, struct ip_addr remote) {
    const struct oracle_failure *f = NULL;
    size_t n = oracle_failures(e->state->oracle, &f);
    const struct bgp_config *c = e->state->configs[node];
    for (size_t i = 0; i < n; i++) {
        if (f[i].node == node && ip_equal(c->peers[f[i].peer].remote_addr, remote))
            return f[i].cause;
    }
    return "";
}

static void name_end(void *context, const struct witness_end *end) {
    struct naming *n = context;
    if (!node_concerned(n->x, end->node) || ++n->named > NAMED_MAX || !n->final || !n->what)
        return;
    char text[IP_ADDR_TEXT_MAX];
    uint32_t other = owner_of(n->x->e, end->remote);
    const char *cause = cause_of(n->x->e, end->node, end->remote);
    reason_add(n->x, "%s: %s - %s (%s)%s%s", n->what, engine_node_name(n->x->e, end->node),
               other == UINT32_MAX ? "?" : engine_node_name(n->x->e, other),
               ip_format(end->remote, text), *cause ? " " : "", cause);
}

/* What is missing is named for all witnesses together (name_missing). */
bool sessions_match(struct expectation *x, const struct witness_set *expected,
                    const struct witness_set *seen, const char *witness, bool final) {
    char unexpected[64];
    snprintf(unexpected, sizeof unexpected, "%s: unexpected", witness);
    struct naming m = {x, NULL, 0, final}, u = {x, unexpected, 0, final};
    witness_minus(expected, seen, name_end, &m);
    witness_minus(seen, expected, name_end, &u);
    if (final && u.named > NAMED_MAX)
        reason_add(x, "%s: %zu more", unexpected, u.named - NAMED_MAX);
    return m.named + u.named == 0;
}

enum witness_kind { WITNESS_KERNEL, WITNESS_SPEAKERS, WITNESS_WIRE, WITNESS_COUNT };
static const char *const witness_names[] = {"kernel", "speakers", "wire"};

/* One end of a session: the node, its peer, the address it knows the other end by. */
struct end {
    uint32_t node, peer, other;
    struct ip_addr remote;
};

static struct end end_of(const struct oracle_session *s, bool second) {
    return second ? (struct end){s->b, s->peer_b, s->a, s->addr_a}
                  : (struct end){s->a, s->peer_a, s->b, s->addr_b};
}

/* ", Active at kube-1 (Socket: No route to host)": what the node itself says of the session. */
static void say_state(const struct engine *e, const struct end *end, struct text *out) {
    const char *error = NULL;
    if (!e->nodes[end->node].up)
        return;
    json_t *request = json_pack("{s:s, s:s}", "op", "peers", "name",
                                e->state->configs[end->node]->peers[end->peer].name);
    json_t *answer =
        request ? lab_request(e->lab, end->node, request, STATE_DEADLINE_MS, &error) : NULL;
    json_t *peer = json_array_get(json_object_get(answer, "peers"), 0);
    const char *state = json_string_value(json_object_get(peer, "state"));
    const char *last = json_string_value(json_object_get(peer, "last_error"));
    if (state)
        text_printf(out, ", %s at %s%s%s%s", state, engine_node_name(e, end->node),
                    last && *last ? " (" : "", last ? last : "", last && *last ? ")" : "");
    json_decref(answer);
    json_decref(request);
}

static void name_session(struct expectation *x, const struct end *end, unsigned witnesses) {
    char address[IP_ADDR_TEXT_MAX];
    struct text out;
    text_init(&out);
    for (unsigned w = 0; w < WITNESS_COUNT; w++)
        if (witnesses >> w & 1)
            text_printf(&out, "%s%s", out.size ? ", " : "", witness_names[w]);
    text_printf(&out, ": missing: %s - %s (%s)", engine_node_name(x->e, end->node),
                engine_node_name(x->e, end->other), ip_format(end->remote, address));
    say_state(x->e, end, &out);
    reason_add(x, "%s", text_str(&out));
    text_deinit(&out);
}

/* Which witnesses (a bit each) have not seen it at this end. */
static unsigned unseen(const struct witness_set *const seen[WITNESS_COUNT], const struct end *end) {
    unsigned bits = 0;
    for (unsigned w = 0; w < WITNESS_COUNT; w++)
        bits |= (unsigned)(seen[w] && !witness_has(seen[w], end->node, end->remote)) << w;
    return bits;
}

/* Each session once, by the end that lacks it, with the witnesses that have not seen it. */
static void name_missing(struct expectation *x, const struct witness_set *const seen[]) {
    const struct oracle_session *list = NULL;
    size_t n = oracle_sessions(x->e->state->oracle, &list), missing = 0;
    for (size_t i = 0; i < n; i++) {
        struct end a = end_of(&list[i], false), b = end_of(&list[i], true);
        unsigned at_a = unseen(seen, &a), at_b = unseen(seen, &b);
        if (!concerns(x, &list[i]) || !(at_a | at_b))
            continue;
        if (missing++ < NAMED_MAX)
            name_session(x, at_a ? &a : &b, at_a | at_b);
    }
    if (missing > NAMED_MAX)
        reason_add(x, "%zu of %zu sessions are missing in all", missing, n);
}

/* Both ends of a pair count as one session. */
static uint64_t pairs_of(const struct engine *e, const struct witness_set *s) {
    uint64_t pairs = 0;
    const struct oracle_session *list = NULL;
    size_t n = oracle_sessions(e->state->oracle, &list);
    for (size_t i = 0; i < n; i++)
        pairs +=
            witness_has(s, list[i].a, list[i].addr_b) && witness_has(s, list[i].b, list[i].addr_a);
    return pairs;
}

struct unexpected {
    struct engine *e;
    const char **list;
    size_t count;
};

static void keep_name(void *context, const struct witness_end *end) {
    struct unexpected *u = context;
    if (u->count >= 100 || !u->list)
        return;
    char text[IP_ADDR_TEXT_MAX];
    uint32_t other = owner_of(u->e, end->remote);
    u->list[u->count++] = arena_printf(
        u->e->arena, "%s - %s (%s)", engine_node_name(u->e, end->node),
        other == UINT32_MAX ? "?" : engine_node_name(u->e, other), ip_format(end->remote, text));
}

static void keep_differences(struct engine *e, const struct witness_set *expected,
                             const struct witness_set *seen) {
    struct unexpected missing = {e, arena_array(e->arena, 100, sizeof(char *)), 0};
    struct unexpected extra = {e, arena_array(e->arena, 100, sizeof(char *)), 0};
    witness_minus(expected, seen, keep_name, &missing);
    witness_minus(seen, expected, keep_name, &extra);
    e->result.sessions.missing = missing.list;
    e->result.sessions.missing_count = missing.count;
    e->result.sessions.unexpected = extra.list;
    e->result.sessions.unexpected_count = extra.count;
}

/* Ends seen on the wire that no configuration of this run ever gave a reason for. */
static bool wire_has_strangers(struct expectation *x, const struct witness_set *wire, bool final) {
    struct naming n = {x, "wire: OPEN without a configured session", 0, final};
    witness_minus(wire, &x->e->wire_known, name_end, &n);
    return n.named != 0;
}

bool wire_matches(struct expectation *x, const struct witness_set *expected,
                  const struct witness_set *wire, uint64_t lost, bool final) {
    struct naming n = {x, NULL, 0, final};
    if (lost)
        reason_add(x, "the capture lost %lu packets: the wire witness is not complete",
                   (unsigned long)lost);
    witness_minus(expected, wire, name_end, &n);
    return n.named == 0 && !wire_has_strangers(x, wire, final);
}

/* No time of a speaker is taken before the kernel agrees. */
static bool ask_all(struct expectation *x, const struct witness_set *expected,
                    struct witness_set sets[WITNESS_COUNT], bool final) {
    struct engine *e = x->e;
    uint64_t lost = 0;
    bool ok = ask_kernel(e, &sets[WITNESS_KERNEL]);
    ok = sessions_match(x, expected, &sets[WITNESS_KERNEL], "kernel", final) && ok;
    if (!ok && !final)
        return false;
    ok = ask_speakers(x, &sets[WITNESS_SPEAKERS]) && ok && !x->reason[0];
    ok = sessions_match(x, expected, &sets[WITNESS_SPEAKERS], "speakers", final) && ok;
    if (e->scenario->capture) {
        ok = ask_wire(x, &sets[WITNESS_WIRE], &lost) && ok;
        ok = wire_matches(x, expected, &sets[WITNESS_WIRE], lost, final) && ok;
    }
    return ok;
}

static bool three_witnesses(struct expectation *x, bool final) {
    struct engine *e = x->e;
    struct witness_set expected = {0}, sets[WITNESS_COUNT] = {0};
    const struct witness_set *const seen[WITNESS_COUNT] = {
        &sets[WITNESS_KERNEL], &sets[WITNESS_SPEAKERS],
        e->scenario->capture ? &sets[WITNESS_WIRE] : NULL};
    expected_ends(e, &expected);
    bool ok = ask_all(x, &expected, sets, final);
    if (ok || final) {
        e->result.sessions.speakers = pairs_of(e, &sets[WITNESS_SPEAKERS]);
        e->result.sessions.kernel = pairs_of(e, &sets[WITNESS_KERNEL]);
        e->result.sessions.wire = pairs_of(e, &sets[WITNESS_WIRE]);
        keep_differences(e, &expected, &sets[WITNESS_SPEAKERS]);
    }
    if (final && !ok)
        name_missing(x, seen);
    ok = ok && !expected.failed;
    for (unsigned w = 0; w < WITNESS_COUNT; w++) {
        ok = ok && !sets[w].failed;
        witness_free(&sets[w]);
    }
    witness_free(&expected);
    e->witnesses_agree = ok;
    return ok;
}

/* ---- is the plan itself what the scenario says? ---- */

struct pair {
    uint32_t low, high; /* nodes */
};

static struct pair pair_of(uint32_t a, uint32_t b) {
    return a < b ? (struct pair){a, b} : (struct pair){b, a};
}

static int compare_pairs(const void *x, const void *y) {
    const struct pair *a = x, *b = y;
    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    return a->high < b->high ? -1 : a->high > b->high;
}

static bool has_pair(const struct pair *sorted, size_t count, struct pair p) {
    return count && bsearch(&p, sorted, count, sizeof p, compare_pairs);
}

static bool lists_agree(struct expectation *x, const struct oracle_session *s, size_t n,
                        struct pair *planned, struct pair *listed) {
    const struct scenario_expect *w = x->x;
    bool ok = true;
    for (size_t i = 0; i < n; i++)
        planned[i] = pair_of(s[i].a, s[i].b);
    for (size_t k = 0; k < w->pair_count; k++)
        listed[k] =
            pair_of(engine_node_find(x->e, w->pairs[k].a), engine_node_find(x->e, w->pairs[k].b));
    qsort(planned, n, sizeof *planned, compare_pairs);
    qsort(listed, w->pair_count, sizeof *listed, compare_pairs);
    for (size_t i = 0; i < n; i++) {
        if (!concerns(x, &s[i]) || has_pair(listed, w->pair_count, pair_of(s[i].a, s[i].b)))
            continue;
        ok = false;
        reason_add(x, "planned but not listed: %s - %s", engine_node_name(x->e, s[i].a),
                   engine_node_name(x->e, s[i].b));
    }
    for (size_t k = 0; k < w->pair_count; k++) {
        if (has_pair(planned, n, listed[k]))
            continue;
        ok = false;
        reason_add(x, "listed but not planned: %s - %s", engine_node_name(x->e, listed[k].low),
                   engine_node_name(x->e, listed[k].high));
    }
    return ok;
}

static bool plan_is_list(struct expectation *x) {
    const struct oracle_session *s = NULL;
    size_t n = oracle_sessions(x->e->state->oracle, &s);
    struct pair *planned = calloc(n + 1, sizeof *planned);
    struct pair *listed = calloc(x->x->pair_count + 1, sizeof *listed);
    bool ok = planned && listed && lists_agree(x, s, n, planned, listed);
    free(planned);
    free(listed);
    return ok;
}

void name_failures(struct expectation *x) {
    const struct engine *e = x->e;
    const struct oracle_failure *f = NULL;
    size_t n = oracle_failures(e->state->oracle, &f);
    for (size_t i = 0; i < n && i < NAMED_MAX; i++)
        reason_add(x, "%s %s does not come up: %s%s%s", engine_node_name(e, f[i].node),
                   e->state->configs[f[i].node]->peers[f[i].peer].name, f[i].cause,
                   *f[i].detail ? ": " : "", f[i].detail);
    if (n > NAMED_MAX)
        reason_add(x, "%zu do not come up in all", n);
}

/* What a fault of the scenario does, and a stanza beside the one that runs, is as it should be. */
static bool is_fault_of_plan(const struct oracle_failure *f) {
    static const char *const others[] = {"speaker-down", "blocked", "waiting-for-lock"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(f->cause, others[i]) == 0)
            return false;
    return true;
}

struct failed {
    struct pair pair; /* first, for compare_pairs; the low node's lowest bit is the family */
    const struct oracle_failure *failure;
};

/* Both ends of a session are one; an address that is nobody's counts by its stanza. */
static struct failed failed_of(const struct engine *e, const struct oracle_failure *f) {
    struct ip_addr remote = e->state->configs[f->node]->peers[f->peer].remote_addr;
    uint32_t other = owner_of(e, remote);
    struct failed x = {.failure = f};
    x.pair = other == UINT32_MAX ? (struct pair){f->node, UINT32_MAX - f->peer}
                                 : pair_of(f->node, other);
    x.pair.low = x.pair.low << 1 | (remote.family == IP_V6);
    return x;
}

/* Sorted, each session once. */
static size_t failed_by_plan(const struct expectation *x, struct failed *ret_list) {
    const struct oracle_failure *f = NULL;
    size_t n = oracle_failures(x->e->state->oracle, &f), count = 0, kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct ip_addr remote = x->e->state->configs[f[i].node]->peers[f[i].peer].remote_addr;
        uint32_t other = owner_of(x->e, remote);
        bool asked =
            node_concerned(x, f[i].node) || (other != UINT32_MAX && node_concerned(x, other));
        if (asked && is_fault_of_plan(&f[i]))
            ret_list[count++] = failed_of(x->e, &f[i]);
    }
    qsort(ret_list, count, sizeof *ret_list, compare_pairs);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || compare_pairs(&ret_list[i], &ret_list[kept - 1]) != 0)
            ret_list[kept++] = ret_list[i];
    return kept;
}

void name_planned_failures(struct expectation *x) {
    const struct engine *e = x->e;
    const struct oracle_failure *f = NULL;
    struct failed *list = calloc(oracle_failures(e->state->oracle, &f) + 1, sizeof *list);
    size_t count = list ? failed_by_plan(x, list) : 0;
    char lead[80];
    snprintf(lead, sizeof lead, "%zu planned session%s not come up by plan: ", count,
             count == 1 ? " does" : "s do");
    for (size_t i = 0; i < count && i < PLANNED_FAILURES_MAX; i++) {
        f = list[i].failure;
        reason_add(x, "%s%s %s: %s%s%s", i ? "" : lead, engine_node_name(e, f->node),
                   e->state->configs[f->node]->peers[f->peer].name, f->cause,
                   *f->detail ? ": " : "", f->detail);
    }
    if (count > PLANNED_FAILURES_MAX)
        reason_add(x, "%zu more", count - PLANNED_FAILURES_MAX);
    free(list);
}

static bool plan_count(struct expectation *x, uint64_t want, const char *formula) {
    const struct oracle_session *s = NULL;
    size_t n = oracle_sessions(x->e->state->oracle, &s);
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += concerns(x, &s[i]);
    if (count != want)
        reason_add(x, "%lu sessions expected%s, the plan has %lu", (unsigned long)want, formula,
                   (unsigned long)count);
    if (count < want)
        name_failures(x);
    return count == want;
}

static bool plan_is_mesh(struct expectation *x) {
    const struct engine *e = x->e;
    uint64_t want = 0;
    for (int f = 0; f < 2; f++) {
        uint64_t n = 0;
        for (uint32_t i = 0; i < e->node_count; i++) {
            const struct topo_attachment *a = &e->scenario->topology->nodes[i].attachment;
            n += ip_is_set(f ? a->addr6 : a->addr4);
        }
        want += n ? n * (n - 1) / 2 : 0;
    }
    return plan_count(x, want, " = n(n-1)/2 per family");
}

static bool plan_fits(struct expectation *x) {
    switch (x->x->set) {
    case SESSIONS_PLANNED:
        return true;
    case SESSIONS_MESH:
        return plan_is_mesh(x);
    case SESSIONS_COUNT:
        return plan_count(x, x->x->count, "");
    case SESSIONS_LIST:
        return plan_is_list(x);
    case SESSIONS_NONE:
        return plan_count(x, 0, "");
    }
    return false;
}

bool expect_sessions(struct expectation *x, bool final) {
    x->hopeless = !plan_fits(x); /* whatever the lab does, the plan is another */
    if (x->hopeless)
        return false;
    if (!final && !scoreboard_sessions_match(x->e))
        return false;
    bool holds = three_witnesses(x, final);
    if (holds && x->x->kind == EXPECT_SESSIONS && x->x->set == SESSIONS_PLANNED)
        name_planned_failures(x);
    return holds;
}
