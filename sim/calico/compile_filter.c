/*
 * Owns BGPFilters as policies of the common engine, rule by rule.
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
    *ret_match = compile_prefix_match(c, r->cidr, low, high, negate);
    return true;
}

static struct policy_match community_match(struct compile *c, const char *text) {
    struct calico_community community;
    struct policy_match m = {.kind = POLICY_MATCH_NEVER, .name = text};
    enum calico_community_kind kind = calico_community_parse(text, &community);
    if (kind == COMMUNITY_STANDARD) {
        uint32_t *value = compile_take(c, 1, sizeof *value);
        if (value)
            *value = community.standard;
        m = (struct policy_match){
            .kind = POLICY_MATCH_COMMUNITY, .asns = value, .asn_count = value != NULL};
    } else if (kind == COMMUNITY_LARGE) {
        struct large_community *value = compile_take(c, 1, sizeof *value);
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
    struct policy_match *m = compile_take(c, RULE_MATCHES_MAX, sizeof *m);
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
                                       .value = CALICO_PRIORITY_BASE - r->priority};
    term->matches = m;
    term->match_count = n;
}

/* ---- actions ---- */

static struct policy_action add_community(struct compile *c, const char *text) {
    struct calico_community community;
    if (calico_community_parse(text, &community) == COMMUNITY_LARGE) {
        struct large_community *value = compile_take(c, 1, sizeof *value);
        if (value)
            *value = community.large;
        return (struct policy_action){.kind = POLICY_ADD_LARGE_COMMUNITIES,
                                      .large_communities = value,
                                      .large_community_count = value != NULL};
    }
    uint32_t *value = compile_take(c, 1, sizeof *value);
    if (value)
        *value = community.standard;
    return (struct policy_action){
        .kind = POLICY_ADD_COMMUNITIES, .asns = value, .asn_count = value != NULL};
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
                                      .value = CALICO_PRIORITY_BASE - o->priority};
    }
    return add_community(c, o->community);
}

static void rule_actions(struct compile *c, const struct calico_filter_rule *r,
                         struct policy_term *term) {
    if (r->operation_count == 0)
        return;
    struct policy_action *a = compile_take(c, r->operation_count, sizeof *a);
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
    struct policy_term *terms = compile_take(c, count + 1, sizeof *terms);
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
    return compile_add_policy(c, &p);
}

uint16_t compile_filter(struct compile *c, const struct calico_bgp_filter *f, int direction,
                        int family) {
    for (size_t i = 0; i < c->filter_count; i++)
        if (c->filters[i].filter == f && c->filters[i].direction == direction &&
            c->filters[i].family == family)
            return c->filters[i].policy;
    uint16_t policy = make_filter(c, f, direction, family);
    void *items = c->filters;
    if (compile_grow(c, &items, c->filter_count, &c->filter_capacity, sizeof *c->filters)) {
        c->filters = items;
        c->filters[c->filter_count++] = (struct compiled_filter){f, direction, family, policy};
    }
    return policy;
}
