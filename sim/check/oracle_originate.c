/*
 * What a node originates or holds back because of other routes in its table: aggregates, default
 * routes with a condition, conditional advertisement.
 *
 * An aggregate is made when all more specific prefixes have spread; the longest prefixes go first,
 * so that they have. Conditions look at the whole table and change what is sent, so the answers of
 * one round are the assumptions of the next, until they agree; where they never do, the prefixes
 * they concern have no stable outcome.
 *
 * Owns the answers. Leaves the spreading to oracle_route.c. RFC 4271 9.2.2.2.
 */
#include "oracle_internal.h"

#include <stdlib.h>
#include <string.h>

static bool accepts(const struct oracle *o, const struct bgp_config *c, uint32_t policy,
                    struct oracle_candidate r) {
    const uint16_t index = (uint16_t)(policy - 1);
    const struct policy_chain chain = {&index, 1, true};
    struct attr_values unused;
    return oracle_policy(c, &chain, &r, o->work, &unused, NULL);
}

struct oracle_candidate oracle_held(const struct oracle_path *p, struct ip_prefix prefix) {
    return (struct oracle_candidate){.prefix = prefix,
                                     .attrs = p->attrs,
                                     .source = p->own ? p->own->source : ROUTE_SOURCE_BGP,
                                     .interface = p->own ? p->own->interface : "",
                                     .metric = p->own ? p->own->metric : UINT32_MAX};
}

/* ---- aggregates ---- */

static bool contributes(const struct bgp_aggregate_config *a, struct ip_prefix p) {
    return p.length > a->prefix.length && ip_prefix_contains(a->prefix, p);
}

const char *oracle_suppressed(const struct oracle *o, uint32_t node,
                              const struct bgp_peer_config *p, const struct oracle_path *best,
                              struct ip_prefix prefix) {
    const struct bgp_config *c = oracle_config(o, node);
    uint32_t unsuppress = p->unsuppress_policy[oracle_family(prefix)];
    bool suppressed = false;
    for (uint32_t i = 0; i < c->aggregate_count && !suppressed; i++) {
        const struct bgp_aggregate_config *a = &c->aggregates[i];
        suppressed =
            contributes(a, prefix) &&
            (a->summary_only ||
             (a->suppress_policy && accepts(o, c, a->suppress_policy, oracle_held(best, prefix))));
    }
    if (!suppressed || (unsuppress && accepts(o, c, unsuppress, oracle_held(best, prefix))))
        return NULL;
    return "suppressed, an aggregate stands for it";
}

/* What the contributors have in common. */
struct merge {
    uint32_t contributors;
    uint8_t origin;
    bool atomic;
    uint32_t lead_count;
    uint32_t lead[BGP_AS_PATH_MAX], ases[BGP_AS_PATH_MAX], communities[BGP_COMMUNITIES_MAX];
    uint32_t members[BGP_AS_PATH_MAX]; /* of the confederation */
    uint32_t as_count, member_count, community_count;
};

static void add_once(uint32_t *list, uint32_t *count, uint32_t max, uint32_t value) {
    for (uint32_t i = 0; i < *count; i++)
        if (list[i] == value)
            return;
    if (*count < max)
        list[(*count)++] = value;
}

/* RFC 5065 4: members of the confederation are no ASes to those outside. */
static void merge_path(struct merge *m, struct as_path whole) {
    struct as_path p = oracle_path_outside(whole);
    uint32_t inside = whole.word_count - p.word_count, count;
    bool sequence = p.word_count > 0 && p.words[0] >> 16 == AS_SEQUENCE;
    uint32_t first = sequence ? p.words[0] & 0xFFFF : 0, same = 0;
    if (m->contributors == 0) {
        m->lead_count = first;
        for (uint32_t i = 0; i < first; i++)
            m->lead[i] = p.words[1 + i];
    }
    while (same < first && same < m->lead_count && m->lead[same] == p.words[1 + same])
        same++;
    m->lead_count = same;
    for (uint32_t at = 0; at < whole.word_count; at += count + 1) {
        count = whole.words[at] & 0xFFFF;
        for (uint32_t i = 1; i <= count; i++) {
            if (at < inside)
                add_once(m->members, &m->member_count, BGP_AS_PATH_MAX, whole.words[at + i]);
            else
                add_once(m->ases, &m->as_count, BGP_AS_PATH_MAX, whole.words[at + i]);
        }
    }
}

static void merge_route(struct merge *m, const struct attr_values *v) {
    merge_path(m, v->as_path);
    m->origin = v->origin > m->origin ? v->origin : m->origin;
    m->atomic |= v->atomic_aggregate;
    for (uint32_t i = 0; i < v->community_count; i++)
        add_once(m->communities, &m->community_count, BGP_COMMUNITIES_MAX, v->communities[i]);
    m->contributors++;
}

static int compare_numbers(const void *x, const void *y) {
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

static const uint32_t *copy_numbers(struct arena *arena, const uint32_t *list, uint32_t count) {
    uint32_t *copy = count ? arena_array(arena, count, sizeof *copy) : NULL;
    if (copy)
        memcpy(copy, list, count * sizeof *copy);
    return copy;
}

/* Sets of at most 255, in order. Returns how many words are used. */
static uint32_t put_sets(uint32_t *words, uint32_t used, enum as_segment_type type, uint32_t *list,
                         uint32_t count) {
    qsort(list, count, sizeof *list, compare_numbers);
    for (uint32_t from = 0; from < count; from += 255) {
        uint32_t size = count - from < 255 ? count - from : 255;
        words[used++] = (uint32_t)type << 16 | size;
        memcpy(words + used, list + from, size * sizeof *words);
        used += size;
    }
    return used;
}

/* The members of the confederation in front, then the lead, what it lacks behind it. */
static bool merged_path(struct merge *m, struct arena *arena, struct as_path *ret_path) {
    uint32_t others = 0;
    for (uint32_t i = 0; i < m->as_count; i++) {
        bool leads = false;
        for (uint32_t k = 0; k < m->lead_count; k++)
            leads |= m->lead[k] == m->ases[i];
        if (!leads)
            m->ases[others++] = m->ases[i];
    }
    size_t all = m->lead_count + others + (size_t)m->member_count;
    uint32_t *words = arena_array(arena, all + all / 255 + 4, sizeof *words);
    if (!words)
        return false;
    uint32_t used = put_sets(words, 0, AS_CONFED_SET, m->members, m->member_count);
    if (m->lead_count) {
        words[used++] = (uint32_t)AS_SEQUENCE << 16 | m->lead_count;
        memcpy(words + used, m->lead, m->lead_count * sizeof *words);
        used += m->lead_count;
    }
    used = put_sets(words, used, AS_SET, m->ases, others);
    *ret_path = (struct as_path){words, used};
    return true;
}

static bool merged_values(const struct oracle *o, uint32_t node,
                          const struct bgp_aggregate_config *a, struct merge *m,
                          struct attr_values *v, uint32_t *weight) {
    const struct bgp_config *c = oracle_config(o, node);
    *v = (struct attr_values){.atomic_aggregate = !a->as_set || m->atomic,
                              .has_aggregator = true,
                              .aggregator_as =
                                  c->confederation_id ? c->confederation_id : c->local_as,
                              .aggregator_id = ip4_to_u32(c->router_id)};
    if (a->as_set) {
        v->origin = m->origin;
        qsort(m->communities, m->community_count, sizeof *m->communities, compare_numbers);
        v->communities = copy_numbers(o->arena, m->communities, m->community_count);
        v->community_count = v->communities ? m->community_count : 0;
        if (!merged_path(m, o->arena, &v->as_path))
            return false;
    }
    struct attr_values changed;
    const uint16_t index = (uint16_t)(a->attribute_policy - 1);
    const struct policy_chain chain = {&index, 1, true};
    const struct oracle_candidate r = {.prefix = a->prefix,
                                       .attrs = v,
                                       .source = ROUTE_SOURCE_AGGREGATE,
                                       .interface = "",
                                       .metric = UINT32_MAX,
                                       .weight = weight};
    if (a->attribute_policy && oracle_policy(c, &chain, &r, o->arena, &changed, NULL)) {
        *v = changed;
        v->next_hop = (struct ip_addr){.family = IP_NONE};
    }
    return true;
}

/* What the node's table has inside of the aggregate. */
static void merge_table(const struct oracle *o, uint32_t node, uint32_t prefix,
                        const struct bgp_aggregate_config *a, struct merge *m) {
    const struct bgp_config *c = oracle_config(o, node);
    for (uint32_t k = prefix + 1; k < o->prefix_count; k++) {
        struct ip_prefix p = o->prefixes[k];
        const struct oracle_path *best = oracle_outcome_of(o, node, k)->best;
        if (!ip_prefix_contains(a->prefix, p))
            return;
        if (best && contributes(a, p) &&
            (!a->advertise_policy || accepts(o, c, a->advertise_policy, oracle_held(best, p))))
            merge_route(m, best->attrs);
    }
}

const struct bgp_origin_config *oracle_aggregate(struct oracle *o, uint32_t node, uint32_t prefix,
                                                 const struct attr_values **ret_attrs,
                                                 bool *ret_no_memory) {
    const struct bgp_config *c = oracle_config(o, node);
    const struct bgp_aggregate_config *a = NULL;
    for (uint32_t i = 0; i < c->aggregate_count && !a; i++)
        if (ip_prefix_equal(c->aggregates[i].prefix, o->prefixes[prefix]))
            a = &c->aggregates[i];
    struct merge *m = a ? arena_alloc(o->work, sizeof *m) : NULL;
    *ret_no_memory = a && !m;
    if (!m)
        return NULL;
    merge_table(o, node, prefix, a, m);
    if (m->contributors == 0)
        return NULL;
    struct bgp_origin_config *origin = arena_alloc(o->arena, sizeof *origin);
    struct attr_values *v = arena_alloc(o->arena, sizeof *v);
    uint32_t weight = 32768;
    *ret_no_memory = !origin || !v || !merged_values(o, node, a, m, v, &weight);
    if (*ret_no_memory)
        return NULL;
    *origin = (struct bgp_origin_config){.prefix = a->prefix,
                                         .source = ROUTE_SOURCE_AGGREGATE,
                                         .metric = UINT32_MAX,
                                         .origin = v->origin,
                                         .weight = weight,
                                         .blackhole_in_kernel = true};
    *ret_attrs = v;
    return origin;
}

/* ---- conditions ---- */

static struct oracle_question *question_find(const struct oracle *o, uint32_t node,
                                             enum bgp_family f, uint32_t policy) {
    for (uint32_t i = 0; i < o->question_count; i++) {
        struct oracle_question *q = &o->questions[i];
        if (q->node == node && q->family == f && q->policy == policy)
            return q;
    }
    return NULL;
}

static bool is_present(const struct oracle *o, uint32_t node, enum bgp_family f, uint32_t policy) {
    const struct oracle_question *q = question_find(o, node, f, policy);
    return q && q->present;
}

bool oracle_default_sent(const struct oracle *o, uint32_t node, const struct bgp_peer_config *p,
                         enum bgp_family f) {
    return p->default_originate[f] &&
           (!p->default_policy[f] || is_present(o, node, f, p->default_policy[f]));
}

const char *oracle_condition_stop(const struct oracle *o, uint32_t node,
                                  const struct bgp_peer_config *p, const struct oracle_path *best,
                                  struct ip_prefix prefix) {
    for (uint32_t i = 0; i < p->condition_count; i++) {
        const struct bgp_condition_config *k = &p->conditions[i];
        if (k->family == oracle_family(prefix) &&
            is_present(o, node, k->family, k->exist_policy) == k->absent &&
            accepts(o, oracle_config(o, node), k->advertise_policy, oracle_held(best, prefix)))
            return k->absent ? "a route of its non-exist-map exists"
                             : "no route of its exist-map exists";
    }
    return NULL;
}

static void ask(struct oracle *o, uint32_t node, enum bgp_family f, uint32_t policy) {
    if (policy && !question_find(o, node, f, policy))
        o->questions[o->question_count++] =
            (struct oracle_question){.node = node, .family = f, .policy = policy};
}

bool oracle_collect_questions(struct oracle *o) {
    size_t total = 0;
    for (uint32_t i = 0; i < o->in.node_count; i++) {
        const struct bgp_config *c = oracle_config(o, i);
        for (uint32_t k = 0; c && k < c->peer_count; k++)
            total += c->peers[k].condition_count + (c->peers[k].default_policy[0] != 0) +
                     (c->peers[k].default_policy[1] != 0);
    }
    o->questions = total ? arena_array(o->arena, total, sizeof *o->questions) : NULL;
    if (total && !o->questions)
        return false;
    for (uint32_t i = 0; total && i < o->in.node_count; i++) {
        const struct bgp_config *c = oracle_config(o, i);
        for (uint32_t k = 0; c && k < c->peer_count; k++) {
            const struct bgp_peer_config *p = &c->peers[k];
            ask(o, i, BGP_IPV4_UNICAST, p->default_policy[0]);
            ask(o, i, BGP_IPV6_UNICAST, p->default_policy[1]);
            for (uint32_t j = 0; j < p->condition_count; j++)
                ask(o, i, p->conditions[j].family, p->conditions[j].exist_policy);
        }
    }
    return true;
}

static bool answer(const struct oracle *o, const struct oracle_question *q) {
    for (uint32_t k = 0; k < o->prefix_count; k++) {
        const struct oracle_path *best = oracle_outcome_of(o, q->node, k)->best;
        if (best && oracle_family(o->prefixes[k]) == q->family &&
            accepts(o, oracle_config(o, q->node), q->policy, oracle_held(best, o->prefixes[k])))
            return true;
    }
    return false;
}

bool oracle_answers_change(struct oracle *o) {
    bool changed = false;
    for (uint32_t i = 0; i < o->question_count; i++) {
        bool now = answer(o, &o->questions[i]);
        changed |= now != o->questions[i].present;
        o->questions[i].present = now;
    }
    arena_reset(o->work);
    return changed;
}
