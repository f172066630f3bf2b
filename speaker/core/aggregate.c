/*
 * Aggregates: which are due, what they are made of, which more specific prefixes they silence.
 *
 * Owns one record per configured aggregate and the search through the table that collects what its
 * contributors have in common, one search at a time in turn, within the budget, beside which
 * decisions go on. What changes during a search is searched for again afterwards. Leaves the route
 * itself to rib_path.c, where it is an own path like any other.
 *
 * IOS: without as-set the AS_PATH is empty and ATOMIC_AGGREGATE says that something was lost; with
 * it the ASes all contributors begin with are kept in order, the others go into an AS_SET, members
 * of our confederation into an AS_CONFED_SET in front, which none outside sees, and communities
 * are united. A more specific prefix with a best path makes its aggregate active, so
 * whether it is silenced depends on the configuration alone.
 *
 * Invariants: aggregate i of the configuration has record i; at most one search runs.
 * RFC 4271 5.1.6, 5.1.7, 9.2.2.2; 5065 2 and 4.
 */
#include "aggregate.h"

#include "../base/arena.h"

#include <string.h>

struct aggregate {
    bool due; /* a contributor changed */
    bool made;
};

/* What the contributors found so far have. */
struct search {
    uint32_t aggregate; /* its number + 1; 0: none runs */
    uint32_t cursor;    /* next prefix */
    uint32_t contributors;
    uint8_t origin;
    bool atomic;
    bool failed; /* memory ran out */
    struct as_path lead;
    struct arena *arena;                    /* of the lists */
    uint32_t *ases, *members, *communities; /* members: of our confederation */
    uint32_t as_count, as_capacity, member_count, member_capacity;
    uint32_t community_count, community_capacity;
};

struct aggregates {
    uint32_t count, due_count;
    uint32_t next; /* whose turn it is: one may be due again before its search is over */
    struct search search;
    struct aggregate list[];
};

static const struct bgp_aggregate_config *config_of(const struct bgp_speaker *s, uint32_t i) {
    return &s->config->aggregates[i];
}

static bool contributes(const struct bgp_aggregate_config *a, struct ip_prefix p) {
    return p.length > a->prefix.length && ip_prefix_contains(a->prefix, p);
}

/* ---- which ---- */

static void set_due(struct aggregates *g, uint32_t i) {
    g->due_count += !g->list[i].due;
    g->list[i].due = true;
}

void aggregate_note(struct bgp_speaker *s, struct ip_prefix prefix) {
    struct aggregates *g = s->rib->aggregates;
    for (uint32_t i = 0; g && i < g->count; i++) {
        if (contributes(config_of(s, i), prefix)) {
            set_due(g, i);
        }
    }
}

static bool map_accepts(struct bgp_speaker *s, uint32_t policy, struct ip_prefix prefix,
                        uint32_t attrs) {
    struct policy_route r = {.prefix = prefix,
                             .attrs = attr_get(&s->attrs, attrs)->v,
                             .source = ROUTE_SOURCE_BGP,
                             .interface = "",
                             .metric = UINT32_MAX,
                             .arena = s->scratch};
    return policy_accepts(s->config, policy, &r);
}

bool aggregate_suppresses(struct bgp_speaker *s, struct ip_prefix prefix, uint32_t attrs) {
    const struct aggregates *g = s->rib->aggregates;
    for (uint32_t i = 0; attrs && g && i < g->count; i++) {
        const struct bgp_aggregate_config *a = config_of(s, i);
        if (contributes(a, prefix) &&
            (a->summary_only ||
             (a->suppress_policy && map_accepts(s, a->suppress_policy, prefix, attrs)))) {
            return true;
        }
    }
    return false;
}

/* ---- the search ---- */

static void list_add(struct search *q, uint32_t **list, uint32_t *count, uint32_t *capacity,
                     uint32_t value) {
    for (uint32_t i = 0; i < *count; i++) {
        if ((*list)[i] == value) {
            return;
        }
    }
    if (*count == *capacity) {
        uint32_t more = *capacity ? *capacity * 2 : 32;
        uint32_t *bigger = arena_array(q->arena, more, sizeof *bigger);
        if (!bigger) {
            q->failed = true;
            return;
        }
        if (*count) {
            memcpy(bigger, *list, *count * sizeof *bigger);
        }
        *list = bigger;
        *capacity = more;
    }
    (*list)[(*count)++] = value;
}

static bool is_confed(uint32_t head) {
    return head >> 16 == AS_CONFED_SEQUENCE || head >> 16 == AS_CONFED_SET;
}

static void add_path(struct search *q, struct as_path p) {
    for (uint32_t at = 0; at < p.word_count;) {
        uint32_t head = p.words[at++];
        for (uint32_t end = at + (head & 0xFFFF); at < end; at++) {
            if (q->as_count + q->member_count >= BGP_AS_PATH_MAX) {
                return;
            }
            if (is_confed(head)) {
                list_add(q, &q->members, &q->member_count, &q->member_capacity, p.words[at]);
            } else {
                list_add(q, &q->ases, &q->as_count, &q->as_capacity, p.words[at]);
            }
        }
    }
}

/* The ASes that a path begins with, behind the members of our confederation, and the lead too. */
static void shorten_lead(struct search *q, struct as_path p) {
    uint32_t at = 0, same = 0;
    while (at < p.word_count && is_confed(p.words[at])) {
        at += 1 + (p.words[at] & 0xFFFF);
    }
    bool sequence = at < p.word_count && p.words[at] >> 16 == AS_SEQUENCE;
    uint32_t count = sequence ? p.words[at] & 0xFFFF : 0;
    const uint32_t *asns = count ? p.words + at + 1 : NULL;
    if (q->contributors == 0) {
        uint32_t *words = arena_array(q->arena, count + (size_t)1, sizeof *words);
        q->failed = q->failed || !words;
        if (words && count) {
            memcpy(words, asns, count * sizeof *words);
        }
        q->lead = (struct as_path){words, words ? count : 0};
        return;
    }
    while (same < count && same < q->lead.word_count && q->lead.words[same] == asns[same]) {
        same++;
    }
    q->lead.word_count = same;
}

static void search_add(struct bgp_speaker *s, struct search *q, uint32_t attrs) {
    const struct attr_values *v = &attr_get(&s->attrs, attrs)->v;
    if (config_of(s, q->aggregate - 1)->as_set) {
        shorten_lead(q, v->as_path);
        add_path(q, v->as_path);
        q->origin = v->origin > q->origin ? v->origin : q->origin;
        q->atomic = q->atomic || v->atomic_aggregate;
        for (uint32_t i = 0; i < v->community_count && q->community_count < BGP_COMMUNITIES_MAX;
             i++) {
            list_add(q, &q->communities, &q->community_count, &q->community_capacity,
                     v->communities[i]);
        }
    }
    q->contributors++;
}

static bool search_begin(struct aggregates *g) {
    struct search *q = &g->search;
    for (uint32_t n = 0; n < g->count; n++) {
        uint32_t i = (g->next + n) % g->count;
        if (g->list[i].due) {
            g->list[i].due = false;
            g->due_count--;
            g->next = i + 1;
            *q = (struct search){.aggregate = i + 1, .cursor = 1, .arena = arena_new()};
            q->failed = !q->arena;
            return true;
        }
    }
    return false;
}

/* ---- the route ---- */

/* Sets of at most 255, without those who stand in the lead. Returns the words in use. */
static uint32_t put_sets(uint32_t *words, uint32_t count, enum as_segment_type type,
                         const uint32_t *ases, uint32_t as_count, struct as_path lead) {
    uint32_t head = 0, in_set = 0;
    for (uint32_t i = 0; i < as_count; i++) {
        bool leads = false;
        for (uint32_t j = 0; j < lead.word_count; j++) {
            leads = leads || lead.words[j] == ases[i];
        }
        if (leads) {
            continue;
        }
        if (in_set++ % 255 == 0) {
            head = count++;
            words[head] = (uint32_t)type << 16;
        }
        words[head]++;
        words[count++] = ases[i];
    }
    return count;
}

/* Members of our confederation in sets of their kind, the lead as a sequence, the others as sets.
 * False: no memory. */
static bool make_path(struct search *q, struct as_path *ret_path) {
    size_t all = (size_t)q->lead.word_count + q->as_count + q->member_count, room = all + all / 255;
    uint32_t *words = arena_array(q->arena, room + 4, sizeof *words), count = 0;
    if (!words) {
        return false;
    }
    count = put_sets(words, count, AS_CONFED_SET, q->members, q->member_count, (struct as_path){0});
    if (q->lead.word_count) {
        words[count++] = (uint32_t)AS_SEQUENCE << 16 | q->lead.word_count;
        memcpy(words + count, q->lead.words, q->lead.word_count * sizeof *words);
        count += q->lead.word_count;
    }
    count = put_sets(words, count, AS_SET, q->ases, q->as_count, q->lead);
    *ret_path = (struct as_path){count ? words : NULL, count};
    return true;
}

static int by_number(uint32_t a, uint32_t b) {
    return (a > b) - (a < b);
}

/* Order of arrival must not show: the members of a set are sorted. */
static void sort(uint32_t *list, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        uint32_t value = list[i], at = i;
        for (; at > 0 && by_number(list[at - 1], value) > 0; at--) {
            list[at] = list[at - 1];
        }
        list[at] = value;
    }
}

/* IOS: attribute-map. What it refuses stays as it is. */
static bool run_attribute_map(struct bgp_speaker *s, const struct bgp_aggregate_config *a,
                              struct arena *arena, struct attr_values *v, uint32_t *weight) {
    const uint16_t index = (uint16_t)(a->attribute_policy - 1);
    const struct policy_chain chain = {&index, 1, true};
    bool no_memory = false;
    struct policy_route r = {.prefix = a->prefix,
                             .attrs = *v,
                             .source = ROUTE_SOURCE_AGGREGATE,
                             .interface = "",
                             .metric = UINT32_MAX,
                             .weight = *weight,
                             .arena = arena};
    if (a->attribute_policy && policy_run(s->config, &chain, &r, NULL, &no_memory)) {
        *v = r.attrs;
        v->next_hop = v->link_local = (struct ip_addr){0};
        v->link = 0;
        *weight = r.weight;
    }
    return !no_memory;
}

/* RFC 5065 2: a member AS is seen within the confederation only, and AGGREGATOR leaves it. */
static uint32_t seen_as(const struct bgp_speaker *s) {
    return s->config->confederation_id ? s->config->confederation_id : s->config->local_as;
}

static bool originate(struct bgp_speaker *s, struct search *q, struct nanotime now) {
    const struct bgp_aggregate_config *a = config_of(s, q->aggregate - 1);
    struct attr_values v = {.origin = q->origin,
                            .atomic_aggregate = !a->as_set || q->atomic,
                            .has_aggregator = true,
                            .aggregator_as = seen_as(s),
                            .aggregator_id = s->router_id};
    sort(q->ases, q->as_count);
    sort(q->members, q->member_count);
    v.community_count = q->community_count ? community_sort(q->communities, q->community_count) : 0;
    v.communities = v.community_count ? q->communities : NULL;
    if (!make_path(q, &v.as_path)) {
        return false;
    }
    struct rib_path_values path = {.source = ROUTE_SOURCE_AGGREGATE, .weight = 32768};
    if (!run_attribute_map(s, a, q->arena, &v, &path.weight)) {
        return false;
    }
    path.attrs = attr_intern(&s->attrs, &v);
    path.origin = path.attrs ? slab_alloc(&s->rib->origins) : 0;
    if (!path.origin) {
        attr_release(&s->attrs, path.attrs);
        return false;
    }
    *(struct rib_origin *)slab_at(&s->rib->origins, path.origin) =
        (struct rib_origin){.metric = UINT32_MAX, .blackhole = true}; /* IOS: Null0 */
    return rib_path_put(s, rib_prefix_family(a->prefix), a->prefix, &path, now);
}

static void withdraw(struct bgp_speaker *s, struct ip_prefix prefix) {
    enum bgp_family f = rib_prefix_family(prefix);
    uint32_t entry = rib_entry_find(s, f, prefix);
    uint32_t path = entry ? rib_path_find(s, f, entry, 0, ROUTE_SOURCE_AGGREGATE, 0) : 0;
    if (path) {
        rib_path_remove(s, f, entry, path);
    }
}

/* IOS: advertise-map chooses what is aggregated; what it refuses is silenced all the same. */
static bool is_aggregated(struct bgp_speaker *s, const struct bgp_aggregate_config *a,
                          struct ip_prefix prefix, uint32_t attrs) {
    return contributes(a, prefix) &&
           (!a->advertise_policy || map_accepts(s, a->advertise_policy, prefix, attrs));
}

static void search_end(struct bgp_speaker *s, struct aggregates *g, struct nanotime now) {
    struct search *q = &g->search;
    struct aggregate *a = &g->list[q->aggregate - 1];
    bool done = !q->failed;
    if (done && q->contributors > 0) {
        done = originate(s, q, now);
        a->made = a->made || done;
    } else if (done && a->made) {
        withdraw(s, config_of(s, q->aggregate - 1)->prefix);
        a->made = false;
    }
    if (!done) {
        set_due(g, q->aggregate - 1); /* no memory: once more */
    }
    arena_free(q->arena);
    *q = (struct search){0};
}

uint32_t aggregate_work(struct bgp_speaker *s, uint32_t budget, struct nanotime now) {
    struct aggregates *g = s->rib->aggregates;
    while (g && budget > 0 && (g->search.aggregate || search_begin(g))) {
        struct search *q = &g->search;
        const struct bgp_aggregate_config *a = config_of(s, q->aggregate - 1);
        enum bgp_family f = rib_prefix_family(a->prefix);
        uint32_t end = s->rib->entries[f].next_new;
        for (; q->cursor < end && budget > 0; q->cursor++, budget--) {
            const struct rib_entry *e = rib_entry_at(s, f, q->cursor);
            if (!q->failed && e->flags & RIB_ENTRY_USED && e->best_attrs &&
                is_aggregated(s, a, rib_entry_prefix(s, f, q->cursor), e->best_attrs)) {
                search_add(s, q, e->best_attrs);
            }
        }
        if (q->cursor >= end) {
            bool failed = q->failed;
            search_end(s, g, now);
            budget = failed ? 0 : budget > 0 ? budget - 1 : 0;
        }
    }
    return budget;
}

bool aggregate_has_work(const struct bgp_speaker *s) {
    const struct aggregates *g = s->rib->aggregates;
    return g && (g->due_count > 0 || g->search.aggregate);
}

/* ---- configuration ---- */

void aggregates_free(struct bgp_speaker *s) {
    if (s->rib->aggregates) {
        arena_free(s->rib->aggregates->search.arena);
        alloc_free(s->rib->aggregates);
        s->rib->aggregates = NULL;
    }
}

static bool same(const struct bgp_config *a, const struct bgp_config *b) {
    uint32_t count = a ? a->aggregate_count : 0;
    if (count != b->aggregate_count) {
        return false;
    }
    if (count && (!ip_equal(a->router_id, b->router_id) || a->local_as != b->local_as ||
                  a->confederation_id != b->confederation_id)) {
        return false; /* who the AGGREGATOR is */
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct bgp_aggregate_config *x = &a->aggregates[i], *y = &b->aggregates[i];
        if (!ip_prefix_equal(x->prefix, y->prefix) || x->as_set != y->as_set ||
            x->summary_only != y->summary_only || x->suppress_policy || y->suppress_policy ||
            x->attribute_policy || y->attribute_policy || x->advertise_policy ||
            y->advertise_policy) {
            return false; /* a map's content is not compared: looked through again */
        }
    }
    return true;
}

void aggregates_changed(struct bgp_speaker *s, const struct bgp_config *old) {
    uint32_t count = s->config->aggregate_count;
    if (same(old, s->config) && (s->rib->aggregates || count == 0)) {
        return;
    }
    for (uint32_t i = 0; old && i < old->aggregate_count; i++) {
        withdraw(s, old->aggregates[i].prefix);
    }
    aggregates_free(s);
    rib_decide_again(s, true); /* what is silenced may differ for every prefix */
    struct aggregates *g =
        count ? alloc_zero(1, sizeof *g + count * sizeof(struct aggregate)) : NULL;
    if (count && !g) {
        struct bgp_event e = {.kind = BGP_EVENT_LOG};
        e.log.id = BGP_LOG_NO_MEMORY; /* until the next configuration there are none */
        event_push(s, &e);
        return;
    }
    s->rib->aggregates = g;
    for (uint32_t i = 0; i < count; i++) {
        g->count = i + 1;
        set_due(g, i);
    }
}
