/*
 * Calico nodes that another BGP program runs (`--backend`): the planner's text as its files, its
 * tables against the oracle's.
 *
 * Owns the difference between a node with a slot on the scoreboard and one that must be asked.
 * Leaves to others: how it is asked (lab/daemon.h), what is in the files (calico/plan_bird.h).
 *
 * What such a program does with routes of its own (a pod's address is a direct route to one and a
 * kernel route to another) is not compared: only what BGP brought.
 */

#include "engine.h"

#include "../calico/plan_bird.h"

#include <stdlib.h>
#include <string.h>

#define REQUEST_DEADLINE_MS 5000
#define RECONFIGURE_DEADLINE_MS 30000

bool backend_runs(const struct engine *e, uint32_t node) {
    return e->backend.driver && node < e->node_count;
}

/* ---- files ---- */

/* One file a family, in the order of the driver's programs. */
struct backend_files {
    struct text texts[BGP_FAMILIES];
    const char *configs[DAEMON_PROGRAMS_MAX];
};

static bool make_files(const struct engine *e, uint32_t node, struct backend_files *f) {
    const struct calico_plan_node *n = calico_plan_find(e->state->plan, e->nodes[node].name);
    *f = (struct backend_files){0};
    bool ok = n != NULL;
    for (int k = 0; ok && k < BGP_FAMILIES; k++) {
        text_init(&f->texts[k]);
        ok = calico_plan_bird(e->state->plan, n, (enum bgp_family)k, &f->texts[k]);
        f->configs[k] = text_str(&f->texts[k]);
    }
    return ok;
}

static void free_files(struct backend_files *f) {
    for (int k = 0; k < BGP_FAMILIES; k++)
        text_deinit(&f->texts[k]);
}

bool backend_start(struct engine *e, uint32_t node, bool restarting, struct diag_list *diags) {
    struct backend_files f;
    struct lab_daemon_spec spec = {
        .driver = e->backend.driver, .root = &e->backend.root, .restarting = restarting};
    bool ok = make_files(e, node, &f);
    memcpy(spec.configs, f.configs, sizeof spec.configs);
    ok = ok && lab_daemon_start(e->lab, node, &spec, diags);
    free_files(&f);
    return ok;
}

static bool is_refused(const struct engine *e, uint32_t node) {
    const struct calico_plan_node *n = calico_plan_find(e->state->plan, e->nodes[node].name);
    return n && (n->refused[BGP_IPV4_UNICAST] || n->refused[BGP_IPV6_UNICAST]);
}

/* A file that the plan says is refused freezes the node, which the state has warned of: that the
 * program really refuses it is no error, that it takes it is one. */
bool backend_reconfigure(struct engine *e, uint32_t node, struct diag_list *diags) {
    struct backend_files f = {0};
    struct diag_list *said = diag_list_new();
    bool frozen = is_refused(e, node);
    bool ok = said && make_files(e, node, &f);
    bool taken = ok && lab_daemon_reconfigure(e->lab, node, f.configs, RECONFIGURE_DEADLINE_MS,
                                              frozen ? said : diags);
    if (ok && frozen && taken)
        diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "not-frozen",
                 "%s: it takes a configuration that should have been refused", e->nodes[node].name);
    free_files(&f);
    diag_list_free(said);
    return ok && taken != frozen;
}

/* ---- tables ---- */

/* A new reference; NULL: *ret_error. */
static json_t *ask_routes(struct engine *e, uint32_t node, const char **ret_error) {
    json_t *request = json_pack("{s:s, s:s}", "op", "rib", "table", "loc");
    json_t *answer =
        request ? lab_request(e->lab, node, request, REQUEST_DEADLINE_MS, ret_error) : NULL;
    json_decref(request);
    json_t *routes = json_incref(json_object_get(answer, "routes"));
    const char *said = json_string_value(json_object_get(answer, "error"));
    if (!routes && said)
        *ret_error = arena_printf(e->arena, "%s", said);
    json_decref(answer);
    return routes;
}

static bool learned(json_t *route) {
    const char *source = json_string_value(json_object_get(route, "source"));
    return source && strcmp(source, "bgp") == 0;
}

static bool next_hop_is(json_t *route, struct ip_addr want) {
    const char *text =
        json_string_value(json_object_get(json_object_get(route, "attrs"), "next_hop"));
    struct ip_addr seen;
    return text && ip_parse(text, &seen) && ip_equal(seen, want);
}

/* Does the oracle have what the daemon has? An own route counts, however the daemon calls it. */
static bool route_fits(const struct engine *e, uint32_t node, json_t *route, uint64_t *known) {
    const char *text = json_string_value(json_object_get(route, "prefix"));
    struct ip_prefix p;
    if (!text || !ip_prefix_parse(text, &p))
        return false;
    const struct oracle_route *want = oracle_find(e->state->oracle, node, p);
    *known += want != NULL;
    if (!learned(route))
        return !want || want->from_node == node;
    return want && want->from_node != node && (want->by_age || next_hop_is(route, want->next_hop));
}

static size_t learned_expected(const struct engine *e, uint32_t node) {
    const struct oracle_route *want = NULL;
    size_t count = oracle_loc_rib(e->state->oracle, node, &want), n = 0;
    for (size_t i = 0; i < count; i++)
        n += want[i].from_node != node;
    return n;
}

bool backend_tables_match(struct engine *e, uint32_t node) {
    const char *error = NULL;
    json_t *routes = ask_routes(e, node, &error), *route;
    uint64_t known = 0;
    size_t i, n = 0;
    bool fits = routes != NULL;
    json_array_foreach(routes, i, route) {
        fits = route_fits(e, node, route, &known) && fits;
        n += learned(route);
    }
    e->nodes[node].seen_loc_rib = known;
    json_decref(routes);
    return fits && n == learned_expected(e, node);
}

struct engine_counts engine_counts(const struct engine *e, uint32_t node) {
    const struct engine_node *n = &e->nodes[node];
    const struct scoreboard_slot *s = lab_slot(e->lab, node);
    if (backend_runs(e, node))
        return (struct engine_counts){n->seen_established, n->seen_loc_rib, n->seen_fib};
    return (struct engine_counts){
        .established = atomic_load(&s->sessions[BGP_ESTABLISHED]),
        .loc_rib = atomic_load(&s->loc_rib[0]) + atomic_load(&s->loc_rib[1]),
        .fib = atomic_load(&s->fib[0]) + atomic_load(&s->fib[1]),
    };
}
