/*
 * One prefix (or a node's blocks) at one node or everywhere: in the Loc-RIB with the attributes
 * asked for, or absent; in the kernel's table, or absent.
 *
 * Loc-RIB routes come from the speaker's own dump, kernel routes from rtnetlink inside the node's
 * namespace.
 */

#include "engine.h"

#include <stdlib.h>
#include <string.h>

#define REQUEST_DEADLINE_MS 5000

/* ---- which prefixes, which nodes ---- */

/* The n-th prefix that is asked for; false: there are no more. */
static bool prefix_at(const struct expectation *x, size_t n, struct ip_prefix *ret_prefix) {
    if (!x->x->block_of) {
        *ret_prefix = x->x->prefix;
        return n == 0;
    }
    const struct calico_plan_node *node = calico_plan_find(x->e->state->plan, x->x->block_of);
    if (!node || n >= node->block_count)
        return false;
    *ret_prefix = node->blocks[n].prefix;
    return true;
}

static bool originates(const struct engine *e, uint32_t node, struct ip_prefix p) {
    const struct oracle_route *r = oracle_find(e->state->oracle, node, p);
    return r && r->from_node == node;
}

/* "Everywhere" means every running Calico node but the one it comes from. */
static bool asked_at(const struct expectation *x, uint32_t node, struct ip_prefix p) {
    if (x->x->node)
        return engine_node_find(x->e, x->x->node) == node;
    return node < x->e->node_count && x->e->nodes[node].up && !originates(x->e, node, p);
}

/* ---- attributes ---- */

static void want(struct expectation *x, const char *where, const char *what, const char *expected,
                 const char *seen) {
    reason_add(x, "%s: %s expected %s, seen %s", where, what, expected,
               !seen   ? "none"
               : *seen ? seen
                       : "empty");
}

static bool want_text(struct expectation *x, const char *where, json_t *attrs, const char *name,
                      const char *expected) {
    const char *seen = json_string_value(json_object_get(attrs, name));
    if (strcmp(seen ? seen : "", expected) == 0)
        return true;
    want(x, where, name, *expected ? expected : "empty", seen);
    return false;
}

static bool want_number(struct expectation *x, const char *where, json_t *attrs, const char *name,
                        uint32_t expected) {
    json_t *seen = json_object_get(attrs, name);
    char a[16], b[24];
    snprintf(a, sizeof a, "%u", expected);
    snprintf(b, sizeof b, "%ld", (long)json_integer_value(seen));
    if (json_is_integer(seen) && strcmp(a, b) == 0)
        return true;
    want(x, where, name, a, json_is_integer(seen) ? b : NULL);
    return false;
}

static struct ip_addr node_address(const struct engine *e, const char *name, uint8_t family) {
    uint32_t node = engine_node_find(e, name);
    const struct oracle_node *n = node == UINT32_MAX ? NULL : &e->state->nodes[node];
    for (size_t i = 0; n && i < n->addr_count; i++) {
        if (n->addrs[i].family == family)
            return n->addrs[i];
    }
    return (struct ip_addr){0};
}

static bool want_next_hop(struct expectation *x, const char *where, json_t *attrs,
                          struct ip_prefix p) {
    struct ip_addr expected = x->x->next_hop;
    if (x->x->next_hop_of)
        expected = node_address(x->e, x->x->next_hop_of, p.addr.family);
    char text[IP_ADDR_TEXT_MAX];
    if (x->x->next_hop_unchanged) {
        uint32_t at = x->x->node ? engine_node_find(x->e, x->x->node) : 0;
        for (uint32_t i = 0; i < x->e->count; i++)
            at = originates(x->e, i, p) ? i : at;
        expected = node_address(x->e, x->e->nodes[at].name, p.addr.family);
    } else if (!x->x->has_next_hop && !x->x->next_hop_of) {
        return true;
    }
    return want_text(x, where, attrs, "next_hop", ip_format(expected, text));
}

static bool want_originator(struct expectation *x, const char *where, json_t *attrs) {
    char text[IP_ADDR_TEXT_MAX];
    if (x->x->originator_of) {
        uint32_t node = engine_node_find(x->e, x->x->originator_of);
        const struct bgp_config *c = node == UINT32_MAX ? NULL : x->e->state->configs[node];
        return c && want_text(x, where, attrs, "originator_id", ip_format(c->router_id, text));
    }
    return !x->x->has_originator ||
           want_text(x, where, attrs, "originator_id", ip_format(x->x->originator, text));
}

static bool list_has(json_t *list, const char *text) {
    size_t index;
    json_t *item;
    json_array_foreach(list, index, item) {
        if (strcmp(json_string_value(item) ? json_string_value(item) : "", text) == 0)
            return true;
    }
    return false;
}

static bool want_communities(struct expectation *x, const char *where, json_t *attrs) {
    bool ok = true;
    size_t seen = json_array_size(json_object_get(attrs, "communities")) +
                  json_array_size(json_object_get(attrs, "large_communities"));
    if (x->x->has_communities && x->x->community_count == 0 && seen > 0) {
        reason_add(x, "%s: no communities expected, %zu seen", where, seen);
        return false;
    }
    for (size_t i = 0; i < x->x->community_count; i++) {
        const char *c = x->x->communities[i];
        if (list_has(json_object_get(attrs, "communities"), c) ||
            list_has(json_object_get(attrs, "large_communities"), c))
            continue;
        reason_add(x, "%s: community %s is not there", where, c);
        ok = false;
    }
    return ok;
}

static bool want_cluster_list(struct expectation *x, const char *where, json_t *attrs) {
    json_t *list = json_object_get(attrs, "cluster_list");
    if (!x->x->has_cluster_list)
        return true;
    bool ok = json_array_size(list) == x->x->cluster_count;
    for (size_t i = 0; ok && i < x->x->cluster_count; i++) {
        const char *seen = json_string_value(json_array_get(list, i));
        ok = seen && strcmp(seen, x->x->cluster_list[i]) == 0;
    }
    if (!ok) {
        char *seen = list ? json_dumps(list, JSON_COMPACT) : NULL;
        reason_add(x, "%s: cluster list expected %s…, seen %s", where,
                   x->x->cluster_count ? x->x->cluster_list[0] : "none", seen ? seen : "none");
        free(seen);
    }
    return ok;
}

static bool want_neighbor(struct expectation *x, const char *where, uint32_t node, json_t *route) {
    if (!x->x->learned_from)
        return true;
    const char *peer = json_string_value(json_object_get(route, "peer"));
    const struct bgp_config *c = x->e->state->configs[node];
    uint32_t expected = engine_node_find(x->e, x->x->learned_from);
    for (uint32_t i = 0; peer && c && i < c->peer_count; i++) {
        if (strcmp(c->peers[i].name, peer) == 0 &&
            oracle_address_owner(x->e->state->oracle, c->peers[i].remote_addr) == expected)
            return true;
    }
    want(x, where, "neighbor", x->x->learned_from, peer);
    return false;
}

static bool check_attributes(struct expectation *x, uint32_t node, struct ip_prefix p,
                             json_t *route) {
    char prefix[IP_PREFIX_TEXT_MAX], where[256];
    snprintf(where, sizeof where, "%s at %s", ip_prefix_format(p, prefix),
             engine_node_name(x->e, node));
    json_t *attrs = json_object_get(route, "attrs");
    bool ok = want_next_hop(x, where, attrs, p);
    if (x->x->as_path)
        ok = want_text(x, where, attrs, "as_path", x->x->as_path) && ok;
    if (x->x->has_local_pref)
        ok = want_number(x, where, attrs, "local_pref", x->x->local_pref) && ok;
    if (x->x->has_med)
        ok = want_number(x, where, attrs, "med", x->x->med) && ok;
    ok = want_originator(x, where, attrs) && ok;
    ok = want_communities(x, where, attrs) && ok;
    ok = want_cluster_list(x, where, attrs) && ok;
    return want_neighbor(x, where, node, route) && ok;
}

/* ---- asking ---- */

static json_t *ask_best(struct expectation *x, uint32_t node, struct ip_prefix p,
                        json_t **ret_answer) {
    char text[IP_PREFIX_TEXT_MAX];
    json_t *request = json_pack("{s:s, s:s, s:s}", "op", "rib", "table", "loc", "prefix",
                                ip_prefix_format(p, text));
    const char *error = NULL;
    *ret_answer =
        request ? lab_request(x->e->lab, node, request, REQUEST_DEADLINE_MS, &error) : NULL;
    json_decref(request);
    size_t index;
    json_t *r;
    json_array_foreach(json_object_get(*ret_answer, "routes"), index, r) {
        if (json_is_true(json_object_get(r, "best")))
            return r;
    }
    return NULL;
}

static void say_why(struct expectation *x, uint32_t node, struct ip_prefix p, const char *what) {
    char prefix[IP_PREFIX_TEXT_MAX];
    struct text why;
    text_init(&why);
    oracle_explain(x->e->state->oracle, node, p, &why);
    reason_add(x, "%s at %s: %s (%s)", ip_prefix_format(p, prefix), engine_node_name(x->e, node),
               what, text_str(&why));
    text_deinit(&why);
}

static bool route_holds(struct expectation *x, uint32_t node, struct ip_prefix p, bool final) {
    json_t *answer = NULL;
    json_t *best = ask_best(x, node, p, &answer);
    bool ok = x->x->absent ? answer && !best : best != NULL;
    if (!answer)
        reason_add(x, "%s does not answer", engine_node_name(x->e, node));
    else if (!ok && final)
        say_why(x, node, p, x->x->absent ? "there, though it must not be" : "not there");
    if (ok && best)
        ok = check_attributes(x, node, p, best);
    json_decref(answer);
    return ok;
}

/* ---- the kernel ---- */

static bool same_text(struct expectation *x, uint32_t node, const char *what, const char *wanted,
                      const char *seen) {
    if (!wanted || strcmp(wanted, seen) == 0)
        return true;
    want(x, engine_node_name(x->e, node), what, wanted, seen);
    return false;
}

static const char *programmer_name(uint8_t protocol) {
    return protocol == PROTOCOL_BIRD        ? "bird"
           : protocol == LAB_FELIX_PROTOCOL ? "felix"
                                            : "somebody else";
}

static bool wanted_gateway(const struct expectation *x, uint8_t family, struct ip_addr *ret_hop) {
    *ret_hop = x->x->next_hop;
    if (x->x->next_hop_of)
        *ret_hop = node_address(x->e, x->x->next_hop_of, family);
    return x->x->has_next_hop || x->x->next_hop_of;
}

/* The kernel's entry of the prefix; of several next hops the one that is asked for. */
static const struct lab_route *find_route(const struct expectation *x, struct ip_prefix p,
                                          const struct lab_route *list, ssize_t count) {
    const struct lab_route *found = NULL;
    struct ip_addr hop;
    bool asks_hop = wanted_gateway(x, p.addr.family, &hop);
    for (ssize_t i = 0; i < count; i++) {
        if (!ip_prefix_equal(list[i].prefix, p))
            continue;
        if (!found || (asks_hop && ip_equal(list[i].gateway, hop)))
            found = &list[i];
    }
    return found;
}

/* What a kernel route must be besides being there. */
static bool fib_fits(struct expectation *x, uint32_t node, const struct lab_route *r) {
    static const char *const names[] = {
        [PROGRAMMER_ANY] = NULL, [PROGRAMMER_BIRD] = "bird", [PROGRAMMER_FELIX] = "felix"};
    char wanted[IP_ADDR_TEXT_MAX], seen[IP_ADDR_TEXT_MAX];
    struct ip_addr hop;
    bool asks_hop = wanted_gateway(x, r->prefix.addr.family, &hop);
    bool ok = same_text(x, node, "gateway", asks_hop ? ip_format(hop, wanted) : NULL,
                        ip_format(r->gateway, seen));
    ok = same_text(x, node, "interface", x->x->interface, r->interface) && ok;
    return same_text(x, node, "programmed by", names[x->x->by], programmer_name(r->protocol)) && ok;
}

static bool fib_holds(struct expectation *x, uint32_t node, struct ip_prefix p, bool final) {
    struct lab_route *list = NULL;
    ssize_t n = lab_routes(x->e->lab, node, &list);
    const struct lab_route *found = find_route(x, p, list, n);
    bool ok = n >= 0 && (found != NULL) != x->x->absent;
    if (!ok && final)
        say_why(x, node, p,
                x->x->absent ? "in the kernel, though it must not be" : "not in the kernel");
    ok = ok && (!found || fib_fits(x, node, found));
    alloc_free(list);
    return ok;
}

typedef bool holds_fn(struct expectation *x, uint32_t node, struct ip_prefix p, bool final);

static bool everywhere(struct expectation *x, holds_fn *holds, bool final) {
    struct ip_prefix prefix;
    size_t asked = 0;
    bool ok = true;
    for (size_t k = 0; prefix_at(x, k, &prefix); k++) {
        for (uint32_t i = 0; i < x->e->count && (ok || final); i++) {
            if (!asked_at(x, i, prefix))
                continue;
            asked++;
            ok = holds(x, i, prefix, final) && ok;
        }
    }
    x->hopeless = asked == 0;
    if (!asked)
        reason_add(x, "nothing to check: no such node or no block");
    return ok && asked;
}

bool expect_route(struct expectation *x, bool final) {
    return everywhere(x, route_holds, final);
}

bool expect_fib(struct expectation *x, bool final) {
    return everywhere(x, fib_holds, final);
}
