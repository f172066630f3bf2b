/*
 * How routes spread, to a fixed point.
 *
 * Prefix by prefix: every node that originates it chooses; whenever a node's best path changes,
 * what it would send over each session is computed again and handed to the other end, which chooses
 * again. In a network that has exactly one stable outcome the work list runs empty; a node that
 * changes its mind more often than there are nodes is reported as unstable.
 *
 * Leaves AS_PATH and borders to oracle_as_path.c, NEXT_HOP to oracle_next_hop.c, aggregates and
 * conditions to oracle_originate.c.
 *
 * RFC 4271 5.1, 9.1, 9.2; 1997; 4456 6-9; 5065. One path a prefix goes to a neighbour: additional
 * paths (RFC 7911) are not modelled. BIRD: attributes for eBGP are made before the export filter
 * runs; IOS: afterwards.
 */

#include "oracle_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define OWN_END UINT32_MAX
#define CHANGES_PER_NODE_MAX 200 /* of one prefix's best path */

struct spread {
    struct oracle *o;
    uint32_t prefix;
    uint32_t *queue; /* ring of nodes whose best path changed */
    uint32_t head, length, capacity;
    bool *queued;
    uint16_t *changes;
    bool unstable;
};

/* ---- choosing ---- */

static uint32_t local_pref_of(const struct bgp_config *c, const struct oracle_path *p) {
    return p->attrs->has_local_pref ? p->attrs->local_pref : c->default_local_pref;
}

static uint32_t med_of(const struct bgp_config *c, const struct oracle_path *p) {
    if (p->attrs->has_med)
        return p->attrs->med;
    return c->med_missing_as_worst ? UINT32_MAX : 0;
}

static int order(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

/* Steps until eBGP is preferred to iBGP; 0: still tied. Lower is better. */
static int compare_attributes(const struct bgp_config *c, const struct oracle_path *a,
                              const struct oracle_path *b) {
    /* BIRD: a static route has preference 200, BGP has 100, whatever the local preference says;
     * filters that raise it set a weight here. */
    int d = order(b->weight, a->weight);
    if (!d && oracle_is_bird(c))
        d = order(a->own == NULL, b->own == NULL);
    if (!d && oracle_is_bird(c))
        d = order(attr_has_community(a->attrs, COMMUNITY_LLGR_STALE),
                  attr_has_community(b->attrs, COMMUNITY_LLGR_STALE));
    if (!d)
        d = order(local_pref_of(c, b), local_pref_of(c, a));
    if (!d)
        d = order(a->own == NULL, b->own == NULL);
    if (!d && !c->as_path_ignore)
        d = order(as_path_length(a->attrs->as_path), as_path_length(b->attrs->as_path));
    if (!d)
        d = order(a->attrs->origin, b->attrs->origin);
    if (!d && oracle_med_comparable(c, a->attrs->as_path, b->attrs->as_path))
        d = order(med_of(c, a), med_of(c, b));
    return d;
}

/* Steps until the identifiers; 0: still tied. */
static int compare_merits(const struct bgp_config *c, const struct oracle_path *a,
                          const struct oracle_path *b) {
    int d = compare_attributes(c, a, b);
    return d ? d : order(!a->external, !b->external);
}

static int compare_identity(const struct oracle *o, uint32_t node, const struct oracle_path *a,
                            const struct oracle_path *b) {
    int d = order(a->router_id, b->router_id);
    if (!d)
        d = order(a->attrs->cluster_count, b->attrs->cluster_count);
    if (!d && a->end != OWN_END && b->end != OWN_END)
        d = ip_compare(o->states[node].ends[a->end].remote, o->states[node].ends[b->end].remote);
    if (!d && a->own && b->own)
        d = order(a->own->source, b->own->source);
    return d;
}

static bool same_as_path(struct as_path a, struct as_path b) {
    return a.word_count == b.word_count &&
           (a.word_count == 0 || memcmp(a.words, b.words, a.word_count * sizeof *a.words) == 0);
}

bool oracle_shares(const struct bgp_config *c, enum bgp_family f, const struct oracle_path *best,
                   const struct oracle_path *p) {
    bool mixed = c->multipath_mixed[f] > 1; /* IOS: maximum-paths eibgp */
    return p != best && p->eligible && !p->own && !best->own &&
           (mixed ? compare_attributes(c, best, p) : compare_merits(c, best, p)) == 0 &&
           (c->multipath_as_path_relax || same_as_path(best->attrs->as_path, p->attrs->as_path));
}

static struct oracle_path *choose(const struct oracle *o, uint32_t node) {
    const struct bgp_config *c = oracle_config(o, node);
    struct oracle_path *best = NULL;
    bool tied = false;
    for (struct oracle_path *p = o->states[node].paths; p; p = p->next) {
        if (!p->eligible)
            continue;
        int d = best ? compare_merits(c, p, best) : -1;
        /* IOS: of two external paths as good as each other the older one stays (RFC 5004). */
        bool age = best && d == 0 && c->profile == BGP_PROFILE_IOS && !c->compare_router_id &&
                   p->external && best->external;
        tied = d < 0 ? false : tied || age;
        if (d < 0 || (d == 0 && compare_identity(o, node, p, best) < 0))
            best = p;
    }
    if (best)
        best->by_age = tied;
    return best;
}

/* ---- sending ---- */

static struct attr_values *copy_values(struct oracle *o, const struct attr_values *v) {
    struct attr_values *copy = arena_alloc(o->arena, sizeof *copy);
    if (copy)
        *copy = *v;
    return copy;
}

/* RFC 4456 6: may a path learned over iBGP go to this internal peer? */
static const char *reflection_stop(const struct oracle *o, uint32_t u, const struct oracle_end *e,
                                   const struct oracle_path *best) {
    const struct oracle_state *s = &o->states[u];
    bool from_client = s->ends[best->end].client;
    if (!from_client && !e->client)
        return "learned over iBGP, and neither end is a route reflector client";
    if (from_client && e->client && !oracle_config(o, u)->client_to_client_reflection)
        return "client-to-client reflection is off";
    return NULL;
}

static void make_external(struct oracle *o, uint32_t u, const struct oracle_end *e, bool own,
                          struct attr_values *v) {
    const struct bgp_config *c = oracle_config(o, u);
    if (e->outside && c->peers[e->peer].transparent && !own)
        v->as_path = oracle_path_outside(v->as_path);
    else if (e->outside)
        (void)oracle_path_out(c, &c->peers[e->peer], o->arena, &v->as_path);
    else
        (void)oracle_path_within(c, &c->peers[e->peer], o->arena, &v->as_path);
}

/* What never crosses to an external peer (RFC 4271 5.1.5; 4456 8; 5065 5). */
static void strip_external(const struct oracle_end *e, struct attr_values *v) {
    v->has_local_pref = v->has_local_pref && !e->outside;
    v->has_originator_id = false;
    v->cluster_count = 0;
}

static bool reflect(struct oracle *o, uint32_t u, const struct oracle_path *best,
                    struct attr_values *v) {
    const struct bgp_config *c = oracle_config(o, u);
    if (!v->has_originator_id) {
        v->has_originator_id = true;
        v->originator_id = best->router_id;
    }
    uint32_t *list = arena_array(o->arena, v->cluster_count + 1, sizeof *list);
    if (!list)
        return false;
    list[0] = c->cluster_id ? c->cluster_id : ip4_to_u32(c->router_id);
    for (uint32_t i = 0; i < v->cluster_count; i++)
        list[i + 1] = v->cluster_list[i];
    v->cluster_list = list;
    v->cluster_count++;
    return true;
}

static const char *export_stop(const struct oracle *o, uint32_t u, const struct oracle_end *e,
                               const struct oracle_path *best, struct ip_prefix prefix) {
    const struct oracle_state *s = &o->states[u];
    enum bgp_family f = oracle_family(prefix);
    if (!e->families[f])
        return "the session does not carry that address family";
    const struct bgp_peer_config *p = &oracle_config(o, u)->peers[e->peer];
    const char *held_back = oracle_suppressed(o, u, p, best, prefix);
    held_back = held_back ? held_back : oracle_condition_stop(o, u, p, best, prefix);
    if (held_back || best->own)
        return held_back ? held_back : oracle_community_stop(best->attrs, e);
    if (s->ends[best->end].neighbor == e->neighbor)
        return "never sent back to the neighbor it was learned from";
    if (oracle_is_internal(s, best) && !e->external) {
        const char *stop = reflection_stop(o, u, e, best);
        if (stop)
            return stop;
    }
    return oracle_community_stop(best->attrs, e);
}

static struct oracle_candidate candidate(const struct oracle_path *best, struct ip_prefix prefix,
                                         const struct attr_values *v, bool external,
                                         enum oracle_next_hop *next_hop) {
    struct oracle_candidate r = oracle_held(best, prefix);
    r.attrs = v;
    r.external_session = external;
    r.next_hop = next_hop;
    return r;
}

/* What sessions of the same treatment share; see oracle_next_hop_stop. NULL: nothing. */
static const struct attr_values *make_sent(struct oracle *o, uint32_t u, const struct oracle_end *e,
                                           const struct oracle_path *best, struct ip_prefix prefix,
                                           const char **ret_rule) {
    const struct bgp_config *c = oracle_config(o, u);
    const struct bgp_peer_config *p = &c->peers[e->peer];
    const char *stop = export_stop(o, u, e, best, prefix);
    if (stop) {
        *ret_rule = stop;
        return NULL;
    }
    struct attr_values *v = copy_values(o, best->attrs);
    if (!v)
        return NULL;
    if (e->outside && !best->own && !p->transparent) { /* RFC 4271 5.1.4 */
        v->has_med = false;
        v->med = 0;
    }
    if (oracle_is_bird(c))
        v->next_hop = oracle_next_hop_sent(o, u, e, best);
    if (oracle_is_bird(c) && e->external)
        make_external(o, u, e, best->own, v);
    if (oracle_is_bird(c) && !v->has_local_pref) {
        v->has_local_pref = true;
        v->local_pref = c->default_local_pref;
    }
    enum bgp_family f = oracle_family(prefix);
    enum oracle_next_hop done = ORACLE_NEXT_HOP_UNTOUCHED;
    struct oracle_candidate r = candidate(best, prefix, v, e->external, &done);
    if (!oracle_policy_traced(c, &p->export[f], &r, o -> arena, o -> tracer, v, ret_rule))
        return NULL;
    v->next_hop = oracle_next_hop_behind(o, u, e, best, done, v->next_hop);
    if (!oracle_is_bird(c) && e->external)
        make_external(o, u, e, best->own, v);
    if (e->external)
        strip_external(e, v);
    if (!e->outside && !v->has_local_pref) {
        v->has_local_pref = true;
        v->local_pref = c->default_local_pref;
    }
    if (oracle_is_internal(&o->states[u], best) && !e->external && !reflect(o, u, best, v))
        return NULL;
    if (!p->send_communities)
        v->community_count = v->large_community_count = 0;
    return v;
}

const struct attr_values *oracle_export(struct oracle *o, uint32_t u, const struct oracle_end *e,
                                        const struct oracle_path *best, struct ip_prefix prefix,
                                        const char **ret_rule) {
    const struct attr_values *v = make_sent(o, u, e, best, prefix, ret_rule);
    const char *stop = v ? oracle_next_hop_stop(o, u, e, best, v->next_hop) : NULL;
    *ret_rule = stop ? stop : *ret_rule;
    return stop ? NULL : v;
}

/* ---- receiving ---- */

/* BIRD: the cluster id is a setting of sessions with clients, and looked for there alone. */
static bool cluster_loops(const struct bgp_config *c, const struct oracle_end *e,
                          const struct attr_values *a) {
    uint32_t cluster = c->cluster_id ? c->cluster_id : ip4_to_u32(c->router_id);
    for (uint32_t i = 0; i < a->cluster_count && (e->client || !oracle_is_bird(c)); i++) {
        if (a->cluster_list[i] == cluster)
            return true;
    }
    return false;
}

static const char *loop_stop(const struct oracle *o, uint32_t v, const struct oracle_end *e,
                             const struct attr_values *a) {
    const struct bgp_config *c = oracle_config(o, v);
    const struct bgp_peer_config *p = &c->peers[e->peer];
    if (oracle_path_loops(c, p, a->as_path))
        return "own AS in AS_PATH";
    if (a->has_originator_id && a->originator_id == ip4_to_u32(c->router_id))
        return "own router id as ORIGINATOR_ID";
    if (cluster_loops(c, e, a))
        return "own cluster id in CLUSTER_LIST";
    return e->external ? oracle_path_begins_wrong(c, p, a->as_path) : NULL;
}

static bool own_address(const struct oracle_node *n, struct ip_addr a) {
    for (size_t i = 0; i < n->addr_count; i++) {
        if (ip_equal(n->addrs[i], a))
            return true;
    }
    return false;
}

struct oracle_path *oracle_import(struct oracle *o, uint32_t v, uint32_t end,
                                  const struct attr_values *sent, struct ip_prefix prefix,
                                  const char **ret_rule) {
    const struct bgp_config *c = oracle_config(o, v);
    const struct oracle_end *e = &o->states[v].ends[end];
    const char *stop = loop_stop(o, v, e, sent);
    if (stop) {
        *ret_rule = stop;
        return NULL;
    }
    enum bgp_family f = oracle_family(prefix);
    const struct policy_chain *chain = &c->peers[e->peer].import[f];
    uint32_t weight = c->peers[e->peer].weight;
    struct attr_values received = *sent, result;
    if (oracle_is_bird(c) && !received.has_local_pref) {
        received.has_local_pref = true;
        received.local_pref = c->default_local_pref;
    }
    if (e->external)
        (void)oracle_path_in(c, &c->peers[e->peer], o->arena, &received.as_path);
    enum oracle_next_hop done = ORACLE_NEXT_HOP_UNTOUCHED;
    struct oracle_candidate r = {.prefix = prefix,
                                 .attrs = &received,
                                 .source = ROUTE_SOURCE_BGP,
                                 .interface = "",
                                 .metric = UINT32_MAX,
                                 .external_session = e->external,
                                 .weight = &weight,
                                 .next_hop = &done};
    if (!oracle_policy_traced(c, chain, &r, o->arena, o->tracer, &result, ret_rule))
        return NULL;
    if (done == ORACLE_NEXT_HOP_PEER)
        result.next_hop = e->remote;
    /* A mesh of 1,000 has a million paths: what nothing changed is shared. */
    const struct attr_values *a =
        memcmp(&result, sent, sizeof result) == 0 ? sent : copy_values(o, &result);
    struct oracle_path *p = arena_alloc(o->work, sizeof *p);
    if (!a || !p)
        return NULL;
    const struct oracle_node *n = &o->in.nodes[v];
    struct ip_addr via;
    *p = (struct oracle_path){
        .end = end,
        .attrs = a,
        .external = e->outside,
        .eligible = oracle_reachable(o, n, a->next_hop, &via) && !own_address(n, a->next_hop),
        .weight = weight,
        .router_id = a->has_originator_id ? a->originator_id
                                          : ip4_to_u32(oracle_config(o, e->neighbor)->router_id),
    };
    if (!p->eligible)
        *ret_rule = "next hop unreachable";
    return p;
}

/* ---- spreading ---- */

static void enqueue(struct spread *s, uint32_t node) {
    if (s->queued[node])
        return;
    s->queued[node] = true;
    s->queue[(s->head + s->length++) % s->capacity] = node;
}

static void rechoose(struct spread *s, uint32_t node) {
    struct oracle_state *st = &s->o->states[node];
    struct oracle_path *best = choose(s->o, node);
    if (best == st->best)
        return;
    st->best = best;
    if (++s->changes[node] > CHANGES_PER_NODE_MAX)
        s->unstable = true;
    else
        enqueue(s, node);
}

/* Replaces what `v` holds from `end`. Returns whether there is any difference. */
static bool replace_path(struct oracle_state *v, uint32_t end, struct oracle_path *path) {
    struct oracle_path **at = &v->paths;
    while (*at && (*at)->end != end)
        at = &(*at)->next;
    if (*at)
        *at = (*at)->next;
    else if (!path)
        return false;
    if (path) {
        path->next = v->paths;
        v->paths = path;
    }
    return true;
}

static uint32_t far_end(const struct oracle *o, const struct oracle_end *e) {
    const struct oracle_state *v = &o->states[e->neighbor];
    return v->by_config_peer ? v->by_config_peer[e->neighbor_peer] : 0;
}

static void tell(struct spread *s, uint32_t u, const struct oracle_end *e,
                 const struct attr_values *sent) {
    struct oracle *o = s->o;
    uint32_t end = far_end(o, e);
    if (!end)
        return;
    const char *rule = NULL;
    struct oracle_path *path =
        sent ? oracle_import(o, e->neighbor, end - 1, sent, o->prefixes[s->prefix], &rule) : NULL;
    if (path)
        path->origin_node = o->states[u].best->origin_node;
    if (replace_path(&o->states[e->neighbor], end - 1, path))
        rechoose(s, e->neighbor);
}

/* Would two ends of one node be sent the same bytes? Then the policy need not run again. */
static bool same_treatment(const struct bgp_config *c, const struct oracle_end *a,
                           const struct oracle_end *b, enum bgp_family f) {
    const struct bgp_peer_config *p = &c->peers[a->peer], *q = &c->peers[b->peer];
    return !a->external && !b->external && a->client == b->client &&
           a->families[f] == b->families[f] && ip_equal(a->local, b->local) &&
           p->next_hop_mode == q->next_hop_mode && p->send_communities == q->send_communities &&
           !p->condition_count && !q->condition_count &&
           p->unsuppress_policy[f] == q->unsuppress_policy[f] &&
           p->export[f].count == q->export[f].count &&
           p->export[f].accept_by_default == q->export[f].accept_by_default &&
           (p->export[f].count == 0 ||
            memcmp(p->export[f].policies, q->export[f].policies,
                   p->export[f].count * sizeof *p->export[f].policies) == 0);
}

static void tell_all(struct spread *s, uint32_t u) {
    struct oracle *o = s->o;
    struct oracle_state *st = &o->states[u];
    const struct oracle_path *best = st->best;
    struct ip_prefix prefix = o->prefixes[s->prefix];
    enum bgp_family f = oracle_family(prefix);
    /* An iBGP-learned path goes nowhere but to external peers and, on a reflector, onward. What was
     * sent while another path was best must be taken back everywhere, though. */
    bool narrow = best && oracle_is_internal(st, best) && s->changes[u] == 1;
    uint32_t count = narrow ? st->onward_count : st->end_count;
    assert(st->ends || count == 0);
    const struct oracle_end *last = NULL;
    const struct attr_values *sent = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const struct oracle_end *e = &st->ends[narrow ? st->onward[i] : i];
        const char *rule = NULL;
        if (prefix.length == 0 &&
            oracle_default_sent(o, u, &oracle_config(o, u)->peers[e->peer], f))
            continue; /* what is originated for it stands in for whatever the table has */
        bool own_neighbor = best && !best->own && st->ends[best->end].neighbor == e->neighbor;
        if (own_neighbor || !last || !same_treatment(oracle_config(o, u), last, e, f)) {
            const struct attr_values *now = best ? make_sent(o, u, e, best, prefix, &rule) : NULL;
            if (own_neighbor) {
                tell(s, u, e, NULL);
                continue;
            }
            sent = now;
            last = e;
        }
        bool told = sent && !oracle_next_hop_stop(o, u, e, best, sent->next_hop);
        tell(s, u, e, told ? sent : NULL);
    }
}

/* IOS: the route-map of `network` and `redistribute`. False: the route is refused. */
static bool run_origin_policy(const struct oracle *o, uint32_t node,
                              const struct bgp_origin_config *origin, struct attr_values *v,
                              uint32_t *weight) {
    const uint16_t index = (uint16_t)(origin->policy - 1);
    const struct policy_chain chain = {&index, 1, true};
    const struct attr_values before = *v;
    const struct oracle_candidate r = {.prefix = origin->prefix,
                                       .attrs = &before,
                                       .source = origin->source,
                                       .interface = origin->interface,
                                       .metric = origin->metric,
                                       .weight = weight,
                                       .tag = origin->tag};
    if (origin->policy && !oracle_policy(oracle_config(o, node), &chain, &r, o->arena, v, NULL))
        return false;
    v->next_hop = origin->gateway;
    return true;
}

/* `attrs`: of an aggregate; NULL: what the origin says. False: no memory. */
static bool add_own(struct spread *s, uint32_t node, const struct bgp_origin_config *origin,
                    const struct attr_values *attrs) {
    struct oracle *o = s->o;
    struct oracle_path *p = arena_alloc(o->work, sizeof *p);
    struct attr_values *v = arena_alloc(o->arena, sizeof *v);
    uint32_t weight = origin->weight;
    if (!p || !v)
        return false;
    v->origin = origin->origin;
    v->has_med = origin->med_set;
    v->med = origin->med_set ? origin->med : 0;
    v->next_hop = origin->gateway;
    if (attrs)
        *v = *attrs;
    else if (!run_origin_policy(o, node, origin, v, &weight))
        return true;
    *p = (struct oracle_path){
        .next = o->states[node].paths,
        .end = OWN_END,
        .origin_node = node,
        .attrs = v,
        .eligible =
            !ip_is_set(origin->gateway) || oracle_connected(&o->in.nodes[node], origin->gateway),
        .weight = weight,
        .router_id = ip4_to_u32(oracle_config(o, node)->router_id),
        .own = origin,
    };
    o->states[node].paths = p;
    return true;
}

static void run(struct spread *s) {
    while (s->length && !s->unstable) {
        uint32_t node = s->queue[s->head];
        s->head = (s->head + 1) % s->capacity;
        s->length--;
        s->queued[node] = false;
        tell_all(s, node);
    }
    if (s->unstable)
        s->o->unstable[s->o->unstable_count++] = s->o->prefixes[s->prefix];
}

/* IOS `neighbor X default-originate`: the default route to this neighbour alone. False: no memory.
 */
static bool tell_default(struct spread *s, uint32_t node) {
    struct oracle *o = s->o;
    struct ip_prefix prefix = o->prefixes[s->prefix];
    if (prefix.length != 0)
        return true;
    bool v6 = prefix.addr.family == IP_V6;
    for (uint32_t i = 0; i < o->states[node].end_count; i++) {
        const struct oracle_end *e = &o->states[node].ends[i];
        const struct bgp_peer_config *p = &oracle_config(o, node)->peers[e->peer];
        uint32_t end = far_end(o, e);
        bool sent = oracle_default_sent(o, node, p, v6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST);
        if (!sent || !e->families[v6] || !end)
            continue;
        struct attr_values *v = arena_alloc(o->arena, sizeof *v);
        if (!v)
            return false;
        v->next_hop = e->local;
        if (e->external)
            make_external(o, node, e, true, v);
        if (!e->outside) {
            v->has_local_pref = true;
            v->local_pref = oracle_config(o, node)->default_local_pref;
        }
        const char *rule = NULL;
        struct oracle_path *path = oracle_import(o, e->neighbor, end - 1, v, prefix, &rule);
        if (!path)
            continue;
        path->origin_node = node;
        if (replace_path(&o->states[e->neighbor], end - 1, path))
            rechoose(s, e->neighbor);
    }
    return true;
}

static bool make_states(struct oracle *o) {
    for (uint32_t i = 0; i < o->in.node_count; i++) {
        struct oracle_state *s = &o->states[i];
        if (!oracle_config(o, i))
            continue;
        s->outcomes = arena_array(o->arena, o->prefix_count + 1, sizeof *s->outcomes);
        s->onward = arena_array(o->arena, s->end_count + 1, sizeof *s->onward);
        if (!s->outcomes || !s->onward)
            return false;
        bool reflector = false;
        for (uint32_t k = 0; k < s->end_count; k++)
            reflector |= s->ends[k].client;
        for (uint32_t k = 0; k < s->end_count; k++) {
            if (reflector || s->ends[k].external)
                s->onward[s->onward_count++] = k;
        }
    }
    return true;
}

/* Own routes by prefix: (prefix index, node, origin), sorted by prefix. */
struct own_route {
    uint32_t prefix, node;
    const struct bgp_origin_config *origin;
};

static int compare_own(const void *x, const void *y) {
    const struct own_route *a = x, *b = y;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

static struct own_route *collect_own(struct oracle *o, size_t *ret_count) {
    size_t total = 0, n = 0;
    for (uint32_t i = 0; i < o->in.node_count; i++)
        total += oracle_config(o, i) ? oracle_config(o, i)->origin_count : 0;
    struct own_route *list = arena_array(o->arena, total + 1, sizeof *list);
    for (uint32_t i = 0; list && i < o->in.node_count; i++) {
        const struct bgp_config *c = oracle_config(o, i);
        for (uint32_t k = 0; c && o->in.nodes[i].up && k < c->origin_count; k++)
            list[n++] =
                (struct own_route){oracle_prefix_index(o, c->origins[k].prefix), i, &c->origins[k]};
    }
    if (list)
        qsort(list, n, sizeof *list, compare_own);
    *ret_count = n;
    return list;
}

static bool add_aggregates(struct spread *s) {
    struct oracle *o = s->o;
    for (uint32_t i = 0; i < o->in.node_count; i++) {
        const struct attr_values *v = NULL;
        bool no_memory = false;
        if (!oracle_config(o, i) || !o->in.nodes[i].up || !oracle_config(o, i)->aggregate_count)
            continue;
        const struct bgp_origin_config *origin = oracle_aggregate(o, i, s->prefix, &v, &no_memory);
        if (no_memory || (origin && !add_own(s, i, origin, v)))
            return false;
    }
    return true;
}

static bool spread_prefix(struct spread *s, const struct own_route *own, size_t count) {
    memset(s->changes, 0, s->o->in.node_count * sizeof *s->changes);
    memset(s->queued, 0, s->o->in.node_count * sizeof *s->queued);
    s->head = s->length = 0;
    s->unstable = false;
    for (size_t i = 0; i < count; i++) {
        if (!add_own(s, own[i].node, own[i].origin, NULL))
            return false;
    }
    if (!add_aggregates(s))
        return false;
    for (size_t i = 0; i < count; i++)
        rechoose(s, own[i].node);
    for (uint32_t i = 0; i < s->o->in.node_count; i++)
        if (oracle_config(s->o, i) && oracle_config(s->o, i)->aggregate_count)
            rechoose(s, i);
    if (s->o->prefixes[s->prefix].length == 0) {
        for (uint32_t i = 0; i < s->o->in.node_count; i++) {
            if (oracle_config(s->o, i) && !tell_default(s, i))
                return false;
        }
    }
    run(s);
    return oracle_keep_outcomes(s->o, s->prefix);
}

/* All own routes, where those of a prefix begin, and the order of spreading. */
struct plan {
    struct own_route *own;
    size_t *first;   /* [prefix_count + 1] */
    uint32_t *order; /* prefixes, the longest first */
};

/* By counting, so that equal lengths stay in order. */
static void plan_order(const struct oracle *o, uint32_t *order) {
    uint32_t at[130] = {0}; /* where the next prefix of a length goes; [i]: of 128 - i */
    for (uint32_t i = 0; i < o->prefix_count; i++)
        at[129 - o->prefixes[i].length]++;
    for (uint32_t i = 1; i < 130; i++)
        at[i] += at[i - 1];
    for (uint32_t i = 0; i < o->prefix_count; i++)
        order[at[128 - o->prefixes[i].length]++] = i;
}

static bool plan_make(struct oracle *o, struct plan *p) {
    size_t count = 0, at = 0;
    p->own = collect_own(o, &count);
    p->first = arena_array(o->arena, o->prefix_count + (size_t)1, sizeof *p->first);
    p->order = arena_array(o->arena, o->prefix_count + (size_t)1, sizeof *p->order);
    if (!p->own || !p->first || !p->order)
        return false;
    for (uint32_t i = 0; i <= o->prefix_count; i++) {
        while (at < count && p->own[at].prefix < i)
            at++;
        p->first[i] = i < o->prefix_count ? at : count;
    }
    plan_order(o, p->order);
    return true;
}

static bool spread_all(struct spread *s, const struct plan *p) {
    for (uint32_t i = 0; i < s->o->prefix_count; i++) {
        s->prefix = p->order[i];
        size_t first = p->first[s->prefix];
        if (!spread_prefix(s, &p->own[first], p->first[s->prefix + 1] - first))
            return false;
    }
    return true;
}

#define ROUNDS_MAX 8 /* of conditions that hang on one another */

/* Whatever comes out hangs on answers that never agree: nothing of it can be expected. */
static void note_undecided(struct oracle *o) {
    o->unstable_count = o->prefix_count;
    if (o->prefix_count)
        memcpy(o->unstable, o->prefixes, o->prefix_count * sizeof *o->unstable);
}

bool oracle_spread_routes(struct oracle *o) {
    size_t n = o->in.node_count;
    struct spread s = {.o = o, .capacity = (uint32_t)n + 1};
    struct plan p = {0};
    s.queue = arena_array(o->arena, n + 1, sizeof *s.queue);
    s.queued = arena_array(o->arena, n + 1, sizeof *s.queued);
    s.changes = arena_array(o->arena, n + 1, sizeof *s.changes);
    o->unstable = arena_array(o->arena, o->prefix_count + 1, sizeof *o->unstable);
    if (!s.queue || !s.queued || !s.changes || !o->unstable || !plan_make(o, &p) ||
        !make_states(o) || !oracle_collect_questions(o))
        return false;
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        if (!spread_all(&s, &p))
            return false;
        if (!o->question_count || !oracle_answers_change(o))
            return true;
        oracle_forget_outcomes(o);
        o->unstable_count = 0;
    }
    bool ok = spread_all(&s, &p);
    note_undecided(o);
    return ok;
}
