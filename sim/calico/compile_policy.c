/*
 * Owns the policies of a node: BGPFilters rule by rule, and Calico's own export policy
 * (calico_export_to_bgp_peers), as terms of the common policy engine.
 *
 * Rules worth knowing:
 *   - the first matching rule of any filter ends the whole chain; an Accept on export therefore
 *     skips Calico's policy;
 *   - BIRD compares a prefix with a set in `Equal` + prefixLength: never equal; NotEqual always;
 *   - an interface pattern sees the empty name where a route has no interface;
 *   - the metric of a route stands in its local preference as 2147483647 - metric.
 *
 * Prefix lists are used for In and NotIn; peerType is asked of the session, so one policy serves
 * internal and external ones.
 */
#include "compile.h"

#include "../../speaker/base/arena.h"
#include "calico_community.h"

#include <stdlib.h>
#include <string.h>

#define PRIORITY_BASE 2147483647u

static void *take(struct compile *c, size_t count, size_t size) {
    void *memory = arena_array(c->arena, count, size);
    if (!memory)
        c->out_of_memory = true;
    return memory;
}

/* Room for one more of `size` bytes in an arena's array. */
static bool grow(struct compile *c, void **items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : 8;
    void *larger = take(c, wanted, size);
    if (!larger)
        return false;
    if (count)
        memcpy(larger, *items, count * size);
    *items = larger;
    *capacity = wanted;
    return true;
}

static uint16_t add_policy(struct compile *c, const struct policy *p) {
    void *items = c->policies;
    bool fits = c->policy_count < BGP_POLICIES_MAX;
    if (!fits || !grow(c, &items, c->policy_count, &c->policy_capacity, sizeof *c->policies)) {
        c->out_of_memory = true;
        return 0;
    }
    c->policies = items;
    c->policies[c->policy_count] = *p;
    return (uint16_t)c->policy_count++;
}

uint32_t compile_normal_priority(const struct compile *c, int family) {
    return family == FAMILY4 ? c->impl->global->normal_priority4
                             : c->impl->global->normal_priority6;
}

/* ---- matches ---- */

static struct policy_match prefix_match(struct compile *c, struct ip_prefix prefix, uint8_t min,
                                        uint8_t max, bool negate) {
    struct policy_prefix *p = take(c, 1, sizeof *p);
    if (p)
        *p = (struct policy_prefix){prefix, min, max, false};
    return (struct policy_match){
        .kind = POLICY_MATCH_PREFIX, .negate = negate, .prefixes = p, .prefix_count = p != NULL};
}

static struct policy_match inside_match(struct compile *c, struct ip_prefix prefix) {
    return prefix_match(c, prefix, prefix.length, ip_bits((enum ip_family)prefix.addr.family),
                        false);
}

/* False: always true, no match needed. */
static bool cidr_match(struct compile *c, const struct calico_filter_rule *r,
                       struct policy_match *ret_match) {
    uint8_t bits = ip_bits((enum ip_family)r->cidr.addr.family);
    uint8_t low = r->cidr.length, high = bits;
    bool in = r->match_operator == CALICO_OP_IN || r->match_operator == CALICO_OP_NOT_IN;
    bool negate = r->match_operator == CALICO_OP_NOT_IN || r->match_operator == CALICO_OP_NOT_EQUAL;
    if (r->has_prefix_length && !in) {
        *ret_match =
            (struct policy_match){.kind = POLICY_MATCH_NEVER, .name = "Equal with prefixLength"};
        return !negate;
    }
    if (!in)
        high = low;
    if (r->has_min && r->prefix_length_min > low)
        low = r->prefix_length_min;
    if (r->has_max && r->prefix_length_max < high)
        high = r->prefix_length_max;
    if (low > high) {
        /* BIRD: refuses the file; the plan has said so. */
        *ret_match = (struct policy_match){.kind = POLICY_MATCH_NEVER, .name = "empty range"};
        return true;
    }
    *ret_match = prefix_match(c, r->cidr, low, high, negate);
    return true;
}

static struct policy_match community_match(struct compile *c, const char *text) {
    struct calico_community community;
    struct policy_match m = {.kind = POLICY_MATCH_NEVER, .name = text};
    enum calico_community_kind kind = calico_community_parse(text, &community);
    if (kind == COMMUNITY_STANDARD) {
        uint32_t *value = take(c, 1, sizeof *value);
        if (value)
            *value = community.standard;
        m = (struct policy_match){
            .kind = POLICY_MATCH_COMMUNITY, .asns = value, .asn_count = value != NULL};
    } else if (kind == COMMUNITY_LARGE) {
        struct large_community *value = take(c, 1, sizeof *value);
        if (value)
            *value = community.large;
        m = (struct policy_match){.kind = POLICY_MATCH_LARGE_COMMUNITY,
                                  .large_communities = value,
                                  .large_community_count = value != NULL};
    }
    return m;
}

#define RULE_MATCHES_MAX 8

static void rule_matches(struct compile *c, const struct calico_filter_rule *r, int direction,
                         struct policy_term *term) {
    struct policy_match *m = take(c, RULE_MATCHES_MAX, sizeof *m);
    uint32_t n = 0;
    if (!m)
        return;
    if (r->has_cidr)
        n += cidr_match(c, r, &m[n]);
    if (r->remote_peers && direction == 1) /* what is imported came over BGP */
        m[n++] = (struct policy_match){.kind = POLICY_MATCH_SOURCE, .value = 1 << ROUTE_SOURCE_BGP};
    if (r->interface)
        m[n++] = (struct policy_match){.kind = POLICY_MATCH_INTERFACE, .text = r->interface};
    if (r->peer_type)
        m[n++] =
            (struct policy_match){.kind = POLICY_MATCH_PEER_EXTERNAL, .value = r->peer_type == 1};
    if (r->community)
        m[n++] = community_match(c, r->community);
    if (r->as_path_prefix_count)
        m[n++] = (struct policy_match){.kind = POLICY_MATCH_AS_PATH_PREFIX,
                                       .asns = r->as_path_prefix,
                                       .asn_count = (uint32_t)r->as_path_prefix_count};
    if (r->priority)
        m[n++] = (struct policy_match){.kind = POLICY_MATCH_LOCAL_PREF,
                                       .value = PRIORITY_BASE - r->priority};
    term->matches = m;
    term->match_count = n;
}

/* ---- actions ---- */

static struct policy_action community_action(const uint32_t *values, size_t count) {
    return (struct policy_action){
        .kind = POLICY_ADD_COMMUNITIES, .asns = values, .asn_count = (uint32_t)count};
}

static struct policy_action add_community(struct compile *c, const char *text) {
    struct calico_community community;
    if (calico_community_parse(text, &community) == COMMUNITY_LARGE) {
        struct large_community *value = take(c, 1, sizeof *value);
        if (value)
            *value = community.large;
        return (struct policy_action){.kind = POLICY_ADD_LARGE_COMMUNITIES,
                                      .large_communities = value,
                                      .large_community_count = value != NULL};
    }
    uint32_t *value = take(c, 1, sizeof *value);
    if (value)
        *value = community.standard;
    return community_action(value, value != NULL);
}

static struct policy_action operation_action(struct compile *c, const struct calico_operation *o) {
    switch (o->kind) {
    case CALICO_ADD_COMMUNITY:
        break;
    case CALICO_PREPEND_AS_PATH:
        return (struct policy_action){.kind = POLICY_PREPEND_AS_PATH,
                                      .asns = o->as_path,
                                      .asn_count = (uint32_t)o->as_path_count};
    case CALICO_SET_PRIORITY:
        return (struct policy_action){.kind = POLICY_SET_LOCAL_PREF,
                                      .value = PRIORITY_BASE - o->priority};
    }
    return add_community(c, o->community);
}

static void rule_actions(struct compile *c, const struct calico_filter_rule *r,
                         struct policy_term *term) {
    if (r->operation_count == 0)
        return;
    struct policy_action *a = take(c, r->operation_count, sizeof *a);
    for (size_t i = 0; a && i < r->operation_count; i++)
        a[i] = operation_action(c, &r->operations[i]);
    term->actions = a;
    term->action_count = a ? (uint32_t)r->operation_count : 0;
}

/* ---- BGPFilters ---- */

static const char *const list_names[2][2] = {{"importV4", "importV6"}, {"exportV4", "exportV6"}};

static uint16_t make_filter(struct compile *c, const struct calico_bgp_filter *f, int direction,
                            int family) {
    size_t count = f->rule_count[direction][family];
    const struct calico_filter_rule *rules = f->rules[direction][family];
    struct policy_term *terms = take(c, count + 1, sizeof *terms);
    for (size_t i = 0; terms && i < count; i++) {
        terms[i].name =
            arena_printf(c->arena, "%s[%zu] %s", list_names[direction][family], i, rules[i].text);
        terms[i].verdict = rules[i].accept ? POLICY_ACCEPT : POLICY_REJECT;
        rule_matches(c, &rules[i], direction, &terms[i]);
        rule_actions(c, &rules[i], &terms[i]);
        c->out_of_memory |= !terms[i].name;
    }
    struct policy p = {
        .name = arena_printf(c->arena, "BGPFilter %s %s", f->name, list_names[direction][family]),
        .terms = terms,
        .term_count = (uint32_t)count,
        .otherwise = POLICY_NEXT_POLICY,
    };
    c->out_of_memory |= !p.name;
    return add_policy(c, &p);
}

uint16_t compile_filter(struct compile *c, const struct calico_bgp_filter *f, int direction,
                        int family) {
    for (size_t i = 0; i < c->filter_count; i++)
        if (c->filters[i].filter == f && c->filters[i].direction == direction &&
            c->filters[i].family == family)
            return c->filters[i].policy;
    uint16_t policy = make_filter(c, f, direction, family);
    void *items = c->filters;
    if (grow(c, &items, c->filter_count, &c->filter_capacity, sizeof *c->filters)) {
        c->filters = items;
        c->filters[c->filter_count++] = (struct compiled_filter){f, direction, family, policy};
    }
    return policy;
}

/* ---- Calico's own policies ---- */

uint16_t compile_metric_sync(struct compile *c, int family) {
    if (c->sync[family])
        return (uint16_t)(c->sync[family] - 1);
    struct policy_term *t = take(c, 1, sizeof *t);
    struct policy_action *a = take(c, 1, sizeof *a);
    if (!t || !a)
        return 0;
    *a = (struct policy_action){.kind = POLICY_LOCAL_PREF_FROM_METRIC, .value = PRIORITY_BASE};
    *t = (struct policy_term){.name = "local preference from metric",
                              .actions = a,
                              .action_count = 1,
                              .verdict = POLICY_NEXT_POLICY};
    struct policy p = {.name = family == FAMILY4 ? "metric and local preference"
                                                 : "metric and local preference, IPv6",
                       .terms = t,
                       .term_count = 1,
                       .otherwise = POLICY_NEXT_POLICY};
    uint16_t index = add_policy(c, &p);
    c->sync[family] = (uint16_t)(index + 1);
    return index;
}

/* The terms of calico_export_to_bgp_peers, in its order. */
struct export_terms {
    struct compile *c;
    int family;
    struct policy_term *items;
    size_t count, capacity;
};

static struct policy_term *add_term(struct export_terms *e, const char *name,
                                    enum policy_verdict verdict) {
    void *items = e->items;
    if (!name || !grow(e->c, &items, e->count, &e->capacity, sizeof *e->items)) {
        e->c->out_of_memory = true;
        return NULL;
    }
    e->items = items;
    e->items[e->count] = (struct policy_term){.name = name, .verdict = verdict};
    return &e->items[e->count++];
}

static void add_term_matches(struct export_terms *e, const char *name, enum policy_verdict verdict,
                             const struct policy_match *matches, uint32_t count) {
    struct policy_term *t = add_term(e, name, verdict);
    struct policy_match *m = t ? take(e->c, count, sizeof *m) : NULL;
    if (!m)
        return;
    memcpy(m, matches, count * sizeof *m);
    t->matches = m;
    t->match_count = count;
}

static void add_prefix_term(struct export_terms *e, const char *what, struct ip_prefix prefix,
                            enum policy_verdict verdict) {
    char text[IP_PREFIX_TEXT_MAX];
    struct policy_match m = inside_match(e->c, prefix);
    add_term_matches(e, arena_printf(e->c->arena, "%s %s", what, ip_prefix_format(prefix, text)),
                     verdict, &m, 1);
}

static void add_pools(struct export_terms *e, bool disabled_export) {
    const struct calico_set *set = e->c->impl->plan.set;
    for (size_t i = 0; i < calico_pool_count(set); i++) {
        const struct calico_ip_pool *p = calico_pool_at(set, i);
        if (plan_family(p->cidr.addr) == e->family && p->disable_bgp_export == disabled_export)
            add_prefix_term(e, disabled_export ? "pool with disableBGPExport" : "pool", p->cidr,
                            disabled_export ? POLICY_REJECT : POLICY_ACCEPT);
    }
}

static void add_interfaces(struct export_terms *e) {
    static const char *const internal[] = {"*.cali", "*.calico", "tunl0"};
    const char *routes = e->c->impl->global->program_cluster_routes;
    bool bird_owns_ipip =
        routes && (strcmp(routes, "Enabled") == 0 || strcmp(routes, "EnabledIPIPOnly") == 0);
    for (size_t i = 0; i < (bird_owns_ipip ? 2u : 3u); i++) {
        const struct policy_match m[] = {
            {.kind = POLICY_MATCH_PEER_EXTERNAL, .value = 0},
            {.kind = POLICY_MATCH_INTERFACE, .text = internal[i]},
        };
        add_term_matches(e, "tunnel interface to an internal peer", POLICY_REJECT, m, 2);
    }
    const struct policy_match bpf = {.kind = POLICY_MATCH_INTERFACE, .text = "bpf*.cali"};
    add_term_matches(e, "bpf interface", POLICY_REJECT, &bpf, 1);
}

/* ---- communities of prefixAdvertisements ---- */

/* The node's own list replaces the global one, even for the other family. */
const struct calico_bgp_configuration *compile_advertising(const struct compile *c) {
    const char *name = arena_printf(c->arena, "node.%s", c->node->node->name);
    const struct calico_bgp_configuration *own =
        name ? calico_config_find(c->impl->plan.set, name) : NULL;
    return own && own->prefix_advertisements_set ? own : c->impl->global;
}

const char *compile_community_value(const struct compile *c,
                                    const struct calico_bgp_configuration *from, const char *use) {
    const struct calico_bgp_configuration *all[] = {from, c->impl->global};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < all[k]->community_count; i++)
            if (strcmp(all[k]->communities[i].name, use) == 0)
                return all[k]->communities[i].value;
    return use;
}

static int compare_u32(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Both kinds of communities as actions; standard ones sorted and without duplicates. */
static void advertisement_actions(struct compile *c, const struct calico_bgp_configuration *from,
                                  const struct calico_cidr_communities *a, struct policy_term *t) {
    uint32_t *standard = take(c, a->community_count + 1, sizeof *standard);
    struct large_community *large = take(c, a->community_count + 1, sizeof *large);
    struct policy_action *actions = take(c, 2, sizeof *actions);
    struct calico_community parsed;
    size_t standards = 0, larges = 0, kept = 0;
    if (!standard || !large || !actions)
        return;
    for (size_t i = 0; i < a->community_count; i++) {
        enum calico_community_kind kind =
            calico_community_parse(compile_community_value(c, from, a->communities[i]), &parsed);
        if (kind == COMMUNITY_STANDARD)
            standard[standards++] = parsed.standard;
        else if (kind == COMMUNITY_LARGE)
            large[larges++] = parsed.large;
    }
    qsort(standard, standards, sizeof *standard, compare_u32);
    for (size_t i = 0; i < standards; i++)
        if (kept == 0 || standard[kept - 1] != standard[i])
            standard[kept++] = standard[i];
    if (kept)
        actions[t->action_count++] = community_action(standard, kept);
    if (larges)
        actions[t->action_count++] =
            (struct policy_action){.kind = POLICY_ADD_LARGE_COMMUNITIES,
                                   .large_communities = large,
                                   .large_community_count = (uint32_t)larges};
    t->actions = actions;
}

static void add_advertisements(struct export_terms *e) {
    const struct calico_bgp_configuration *from = compile_advertising(e->c);
    for (size_t i = 0; i < from->prefix_advertisement_count; i++) {
        const struct calico_cidr_communities *a = &from->prefix_advertisements[i];
        if (!ip_is_set(a->cidr.addr) || plan_family(a->cidr.addr) != e->family)
            continue;
        size_t before = e->count;
        add_prefix_term(e, "communities for", a->cidr, POLICY_NEXT_TERM);
        if (e->count > before)
            advertisement_actions(e->c, from, a, &e->items[e->count - 1]);
    }
}

/* ---- blocks, services ---- */

static void add_block(struct export_terms *e, struct ip_prefix block) {
    char text[IP_PREFIX_TEXT_MAX];
    ip_prefix_format(block, text);
    struct compile *c = e->c;
    struct policy_match exact = prefix_match(c, block, block.length, block.length, false);
    add_term_matches(e, arena_printf(c->arena, "own block %s", text), POLICY_ACCEPT, &exact, 1);
    const struct policy_match migrating[] = {
        inside_match(c, block),
        {.kind = POLICY_MATCH_METRIC_BELOW, .value = compile_normal_priority(c, e->family)},
    };
    add_term_matches(e, arena_printf(c->arena, "preferred route in own block %s", text),
                     POLICY_ACCEPT, migrating, 2);
    add_prefix_term(e, "aggregated into own block", block, POLICY_REJECT);
}

static void add_blocks(struct export_terms *e) {
    for (size_t i = 0; i < e->c->node->block_count; i++)
        if (plan_family(e->c->node->blocks[i].prefix.addr) == e->family)
            add_block(e, e->c->node->blocks[i].prefix);
}

static void add_service_ranges(struct export_terms *e, const struct ip_prefix *p, size_t count,
                               const char *what) {
    for (size_t i = 0; i < count; i++)
        if (plan_family(p[i].addr) == e->family)
            add_prefix_term(e, what, p[i], POLICY_ACCEPT);
}

uint16_t compile_calico_export(struct compile *c, int family) {
    struct export_terms e = {.c = c, .family = family};
    const struct calico_bgp_configuration *g = c->impl->global;
    if (c->export[family])
        return (uint16_t)(c->export[family] - 1);
    add_pools(&e, true);
    add_interfaces(&e);
    add_advertisements(&e);
    add_blocks(&e);
    const struct policy_match is_static = {.kind = POLICY_MATCH_SOURCE,
                                           .value = 1 << ROUTE_SOURCE_STATIC};
    add_term_matches(&e, "static route", POLICY_ACCEPT, &is_static, 1);
    if (c->node->node->has_cluster_id) {
        add_service_ranges(&e, g->service_lb_ips, g->service_lb_ip_count, "load balancer range");
        add_service_ranges(&e, g->service_external_ips, g->service_external_ip_count,
                           "external service range");
    }
    add_pools(&e, false);
    struct policy p = {.name = family == FAMILY4 ? "calico_export_to_bgp_peers"
                                                 : "calico_export_to_bgp_peers, IPv6",
                       .terms = e.items,
                       .term_count = (uint32_t)e.count,
                       .otherwise = POLICY_REJECT};
    uint16_t index = add_policy(c, &p);
    c->export[family] = (uint16_t)(index + 1);
    return index;
}
