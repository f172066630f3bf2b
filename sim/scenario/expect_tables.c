/*
 * Converged: sessions, every Loc-RIB and every kernel table equal what the oracle computed.
 *
 * The speakers keep digests of their tables on the scoreboard, so equality costs one comparison per
 * node; once they agree, the kernel's tables are read from the kernel itself. Only when the
 * deadline has come are tables dumped and differences named: which prefix, at which node, expected,
 * seen, and the last hop that has it.
 */

#include "engine.h"

#include <stdlib.h>
#include <string.h>

#define REQUEST_DEADLINE_MS 5000
#define NODES_NAMED_MAX 3
#define ROUTES_NAMED_MAX 4

static bool counts_match(const struct scoreboard_slot *s, const struct oracle_totals *t) {
    for (int f = 0; f < 2; f++) {
        if (atomic_load(&s->loc_rib[f]) != t->loc_rib[f] || atomic_load(&s->fib[f]) != t->fib[f])
            return false;
    }
    return true;
}

static bool slot_matches(const struct engine *e, uint32_t node) {
    const struct scoreboard_slot *s = lab_slot(e->lab, node);
    struct oracle_totals t = oracle_totals(e->state->oracle, node);
    if (!counts_match(s, &t))
        return false;
    return t.by_age || (atomic_load(&s->loc_rib_digest) == t.loc_rib_digest &&
                        atomic_load(&s->fib_digest) == t.fib_digest);
}

static bool runs_bgp(const struct engine *e, uint32_t node) {
    return e->nodes[node].up && e->state->configs[node];
}

bool scoreboard_tables_match(const struct engine *e) {
    for (uint32_t i = 0; i < e->count; i++) {
        if (runs_bgp(e, i) && !backend_runs(e, i) && !slot_matches(e, i))
            return false;
    }
    return true;
}

/* ---- the kernel's own word ---- */

struct table_difference {
    struct expectation *x;
    uint32_t node;
    size_t named;
    bool final;
};

static void name_route(struct table_difference *d, const char *table, const char *what,
                       struct ip_prefix prefix, const char *detail) {
    if (!d->final || ++d->named > ROUTES_NAMED_MAX)
        return;
    char text[IP_PREFIX_TEXT_MAX];
    reason_add(d->x, "%s: %s %s %s%s%s", engine_node_name(d->x->e, d->node), table, what,
               ip_prefix_format(prefix, text), *detail ? ": " : "", detail);
}

/* The kernel's entries of one prefix, one per next hop, sorted by prefix. */
struct kernel_route {
    const struct lab_route *hops;
    size_t count;
};

static bool leads_to(const struct kernel_route *have, struct ip_addr gateway) {
    for (size_t i = 0; i < have->count; i++) {
        if (ip_equal(have->hops[i].gateway, gateway))
            return true;
    }
    return false;
}

/* Every gateway that is wanted and no other. */
static bool same_gateways(const struct oracle_route *want, const struct kernel_route *have) {
    if (want->by_age)
        return true;
    for (size_t i = 0; i < want->gateway_count; i++) {
        if (!leads_to(have, want->gateways[i]))
            return false;
    }
    return want->gateway_count == have->count;
}

static bool same_kernel_route(const struct oracle_route *want, const struct kernel_route *have) {
    const struct lab_route *first = &have->hops[0];
    if (want->blackhole || first->blackhole)
        return want->blackhole && first->blackhole && have->count == 1;
    for (size_t i = 0; i < have->count; i++) {
        if (want->metric && have->hops[i].metric != want->metric)
            return false;
    }
    return same_gateways(want, have);
}

static void put_metric(struct text *out, bool blackhole, uint32_t metric) {
    text_puts(out, blackhole ? " blackhole" : "");
    if (metric || !blackhole)
        text_printf(out, " metric %u", metric);
}

static void gateway_detail(const struct oracle_route *want, const struct kernel_route *have,
                           struct text *out) {
    char a[IP_ADDR_TEXT_MAX];
    bool blackhole = have->hops[0].blackhole;
    text_puts(out, want->blackhole ? "expected" : "expected via");
    for (size_t i = 0; i < want->gateway_count; i++)
        text_printf(out, " %s", ip_format(want->gateways[i], a));
    put_metric(out, want->blackhole, want->metric);
    text_puts(out, blackhole ? ", seen" : ", seen via");
    for (size_t i = 0; i < have->count && !blackhole; i++)
        text_printf(out, " %s", ip_format(have->hops[i].gateway, a));
    put_metric(out, blackhole, have->hops[0].metric);
}

static struct kernel_route take_route(const struct lab_route *have, size_t count) {
    struct kernel_route r = {have, 1};
    while (r.count < count && have[r.count].protocol == PROTOCOL_BIRD &&
           ip_prefix_equal(have[r.count].prefix, have[0].prefix))
        r.count++;
    return r;
}

/* Both sorted by prefix. */
static bool compare_kernel(struct table_difference *d, const struct oracle_route *want,
                           size_t want_count, const struct lab_route *have, size_t have_count) {
    size_t i = 0, k = 0;
    bool same = true;
    while (i < want_count || k < have_count) {
        if (i < want_count && !want[i].in_fib) {
            i++;
            continue;
        }
        if (k < have_count && have[k].protocol != PROTOCOL_BIRD) {
            k++;
            continue;
        }
        int c = i == want_count   ? 1
                : k == have_count ? -1
                                  : ip_prefix_compare(want[i].prefix, have[k].prefix);
        if (c < 0) {
            same = false;
            name_route(d, "kernel", "has no route to", want[i++].prefix, "");
        } else if (c > 0) {
            same = false;
            name_route(d, "kernel", "has an unexpected route to", have[k++].prefix, "");
        } else {
            struct kernel_route seen = take_route(&have[k], have_count - k);
            if (!same_kernel_route(&want[i], &seen)) {
                struct text detail;
                text_init(&detail);
                gateway_detail(&want[i], &seen, &detail);
                name_route(d, "kernel", "differs at", want[i].prefix, text_str(&detail));
                text_deinit(&detail);
                same = false;
            }
            i++;
            k += seen.count;
        }
    }
    return same;
}

static uint64_t count_written(const struct lab_route *list, size_t count) {
    uint64_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += list[i].protocol == PROTOCOL_BIRD &&
             (i == 0 || !ip_prefix_equal(list[i].prefix, list[i - 1].prefix));
    return n;
}

bool bird_routes_match(struct expectation *x, uint32_t node, const struct lab_route *have,
                       size_t count, bool final) {
    const struct oracle_route *want = NULL;
    size_t want_count = oracle_loc_rib(x->e->state->oracle, node, &want);
    struct table_difference d = {x, node, 0, final};
    return compare_kernel(&d, want, want_count, have, count);
}

static bool kernel_matches(struct expectation *x, uint32_t node, bool final) {
    struct lab_route *have = NULL;
    ssize_t n = lab_routes(x->e->lab, node, &have);
    if (n < 0) {
        reason_add(x, "%s: its kernel table cannot be read", engine_node_name(x->e, node));
        return false;
    }
    bool same = bird_routes_match(x, node, have, (size_t)n, final);
    if (node < x->e->node_count)
        same = felix_routes_match(x, node, have, (size_t)n, final) && same;
    x->e->nodes[node].seen_fib = count_written(have, (size_t)n);
    alloc_free(have);
    return same;
}

/* ---- naming what differs in a Loc-RIB ---- */

static json_t *best_route(json_t *routes, const char *prefix) {
    size_t index;
    json_t *r;
    json_array_foreach(routes, index, r) {
        const char *p = json_string_value(json_object_get(r, "prefix"));
        if (p && strcmp(p, prefix) == 0 && json_is_true(json_object_get(r, "best")))
            return r;
    }
    return NULL;
}

static bool has_route(struct engine *e, uint32_t node, const char *prefix) {
    json_t *request = json_pack("{s:s, s:s, s:s}", "op", "rib", "table", "loc", "prefix", prefix);
    const char *error = NULL;
    json_t *answer =
        request ? lab_request(e->lab, node, request, REQUEST_DEADLINE_MS, &error) : NULL;
    bool has = best_route(json_object_get(answer, "routes"), prefix) != NULL;
    json_decref(request);
    json_decref(answer);
    return has;
}

/* The last hop on the expected way that really has the prefix. */
static void last_hop(struct engine *e, uint32_t node, struct ip_prefix prefix, struct text *out) {
    char text[IP_PREFIX_TEXT_MAX];
    ip_prefix_format(prefix, text);
    uint32_t at = node;
    for (uint32_t hops = 0; hops < e->count; hops++) {
        const struct oracle_route *r = oracle_find(e->state->oracle, at, prefix);
        if (!r || r->from_node == at)
            break;
        uint32_t before = r->from_node;
        if (e->nodes[before].up && has_route(e, before, text)) {
            text_printf(out, "last seen at %s, not at %s", engine_node_name(e, before),
                        engine_node_name(e, at));
            return;
        }
        at = before;
    }
    text_printf(out, "not even at %s, where it comes from", engine_node_name(e, at));
}

static void name_missing(struct table_difference *d, const struct oracle_route *want,
                         json_t *routes) {
    struct engine *e = d->x->e;
    char prefix[IP_PREFIX_TEXT_MAX], hop[IP_ADDR_TEXT_MAX];
    json_t *seen = best_route(routes, ip_prefix_format(want->prefix, prefix));
    struct text detail;
    text_init(&detail);
    if (!seen) {
        last_hop(e, d->node, want->prefix, &detail);
        name_route(d, "Loc-RIB", "has no route to", want->prefix, text_str(&detail));
    } else {
        const char *next_hop =
            json_string_value(json_object_get(json_object_get(seen, "attrs"), "next_hop"));
        ip_format(want->next_hop, hop);
        if (!want->by_age && strcmp(next_hop ? next_hop : "", hop) != 0) {
            text_printf(&detail, "expected next hop %s, seen %s", *hop ? hop : "none (own route)",
                        next_hop ? next_hop : "none (own route)");
            name_route(d, "Loc-RIB", "differs at", want->prefix, text_str(&detail));
        }
    }
    text_deinit(&detail);
}

static void name_unexpected(struct table_difference *d, json_t *routes) {
    size_t index;
    json_t *r;
    json_array_foreach(routes, index, r) {
        const char *text = json_string_value(json_object_get(r, "prefix"));
        struct ip_prefix p;
        if (!text || !ip_prefix_parse(text, &p) || !json_is_true(json_object_get(r, "best")))
            continue;
        if (!oracle_find(d->x->e->state->oracle, d->node, p))
            name_route(d, "Loc-RIB", "has an unexpected route to", p, "");
    }
}

static void name_loc_rib(struct expectation *x, uint32_t node) {
    struct engine *e = x->e;
    json_t *request = json_pack("{s:s, s:s}", "op", "rib", "table", "loc");
    const char *error = "";
    json_t *answer =
        request ? lab_request(e->lab, node, request, REQUEST_DEADLINE_MS, &error) : NULL;
    json_decref(request);
    if (!answer) {
        reason_add(x, "%s: its tables cannot be read: %s", engine_node_name(e, node), error);
        return;
    }
    json_t *routes = json_object_get(answer, "routes");
    struct table_difference d = {x, node, 0, true};
    const struct oracle_route *want = NULL;
    size_t count = oracle_loc_rib(e->state->oracle, node, &want);
    for (size_t i = 0; i < count && d.named < ROUTES_NAMED_MAX; i++)
        name_missing(&d, &want[i], routes);
    name_unexpected(&d, routes);
    json_decref(answer);
}

static void name_node(struct expectation *x, uint32_t node) {
    struct engine_counts seen = engine_counts(x->e, node);
    struct oracle_totals t = oracle_totals(x->e->state->oracle, node);
    reason_add(x, "%s: %lu of %lu routes, %lu of %lu in the kernel", engine_node_name(x->e, node),
               (unsigned long)seen.loc_rib, (unsigned long)(t.loc_rib[0] + t.loc_rib[1]),
               (unsigned long)seen.fib, (unsigned long)(t.fib[0] + t.fib[1]));
    name_loc_rib(x, node);
    (void)kernel_matches(x, node, true);
}

/* What costs a speaker no time first: a backend's dialogue is the last thing. */
static bool node_matches(struct expectation *x, uint32_t node) {
    struct engine *e = x->e;
    if (!backend_runs(e, node))
        return slot_matches(e, node) && kernel_matches(x, node, false);
    return kernel_matches(x, node, false) && backend_tables_match(e, node);
}

/* While there is time the first node that differs decides, and is asked first the next time. */
static bool all_nodes_match(struct expectation *x) {
    struct engine *e = x->e;
    for (uint32_t i = 0; i < e->count; i++) {
        uint32_t node = (e->differed_last + i) % e->count;
        if (!runs_bgp(e, node) || node_matches(x, node))
            continue;
        e->differed_last = node;
        return false;
    }
    return true;
}

static bool name_nodes(struct expectation *x) {
    struct engine *e = x->e;
    size_t named = 0;
    for (uint32_t i = 0; i < e->count; i++) {
        if (runs_bgp(e, i) && !node_matches(x, i) && named++ < NODES_NAMED_MAX)
            name_node(x, i);
    }
    if (named > NODES_NAMED_MAX)
        reason_add(x, "and %zu more nodes", named - NODES_NAMED_MAX);
    return named == 0;
}

static bool stable(struct expectation *x) {
    const struct ip_prefix *p = NULL;
    size_t n = oracle_unstable(x->e->state->oracle, &p);
    char text[IP_PREFIX_TEXT_MAX];
    for (size_t i = 0; i < n && i < ROUTES_NAMED_MAX; i++)
        reason_add(x, "no stable outcome exists for %s", ip_prefix_format(p[i], text));
    return n == 0;
}

bool expect_converged(struct expectation *x, bool final) {
    struct engine *e = x->e;
    if (!stable(x))
        return false;
    if (!final && !(scoreboard_sessions_match(e) && scoreboard_tables_match(e)))
        return false;
    bool ok = final ? name_nodes(x) : all_nodes_match(x);
    if (final || (ok && !e->witnesses_agree)) /* asked already in this round? */
        ok = expect_sessions(x, final) && ok;
    if (ok)
        name_planned_failures(x);
    return ok;
}
