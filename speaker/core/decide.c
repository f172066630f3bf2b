/*
 * The decision process: which of several paths to one prefix is the best, and by which step.
 *
 * Owns the order of the steps, one table per profile, and nothing else: whether a path is eligible,
 * what its next hop costs and how old it is are facts that rib.c brings along.
 *
 * Two ways of using the table:
 *   - elimination (RFC 4271 9.1.2.2): step by step, what is worse than the best of those still in
 *     goes out. MED eliminates within a neighbouring AS only, so the outcome does not depend on
 *     the order of the paths.
 *   - IOS: without deterministic-med, pairwise from the newest to the oldest path. That depends on
 *     the age of the paths, which is part of the input, but not on their order in the array.
 * Both are the same where MED cannot decide; then a single pass finds the best.
 *
 * Invariants: no allocation, no recursion; the comparison of a row is antisymmetric.
 * RFC 4271 9.1.2, 4456 9, 5004.
 */
#include "decide.h"

#include "attr.h"
#include "limits.h"

#include <assert.h>
#include <string.h>

struct decide_row {
    enum decide_step step;
    int (*compare)(const struct decide_rules *rules, const struct decide_path *a,
                   const struct decide_path *b);
};

static int low_wins(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

static int high_wins(uint64_t a, uint64_t b) {
    return low_wins(b, a);
}

static uint32_t local_pref_of(const struct decide_rules *rules, const struct decide_path *p) {
    return p->attrs->v.has_local_pref ? p->attrs->v.local_pref : rules->default_local_pref;
}

static uint32_t med_of(const struct decide_rules *rules, const struct decide_path *p) {
    if (p->attrs->v.has_med) {
        return p->attrs->v.med;
    }
    return rules->med_missing_as_worst ? UINT32_MAX : 0;
}

static int by_eligible(const struct decide_rules *rules, const struct decide_path *a,
                       const struct decide_path *b) {
    (void)rules;
    return high_wins(a->eligible, b->eligible);
}

static int by_stale(const struct decide_rules *rules, const struct decide_path *a,
                    const struct decide_path *b) {
    (void)rules;
    return low_wins(a->stale, b->stale);
}

static int by_weight(const struct decide_rules *rules, const struct decide_path *a,
                     const struct decide_path *b) {
    (void)rules;
    return high_wins(a->weight, b->weight);
}

static int by_local_pref(const struct decide_rules *rules, const struct decide_path *a,
                         const struct decide_path *b) {
    return high_wins(local_pref_of(rules, a), local_pref_of(rules, b));
}

static int by_local_route(const struct decide_rules *rules, const struct decide_path *a,
                          const struct decide_path *b) {
    (void)rules;
    return high_wins(a->local, b->local);
}

static int by_as_path_length(const struct decide_rules *rules, const struct decide_path *a,
                             const struct decide_path *b) {
    return rules->as_path_ignore ? 0 : low_wins(a->attrs->as_path_length, b->attrs->as_path_length);
}

static int by_origin(const struct decide_rules *rules, const struct decide_path *a,
                     const struct decide_path *b) {
    (void)rules;
    return low_wins(a->attrs->v.origin, b->attrs->v.origin);
}

/* IOS: between paths that never left the confederation only with `bestpath med confed`.
 * RFC 4271 9.1.2.2 c: comparable only between paths of one neighbouring AS. */
static bool med_comparable(const struct decide_rules *rules, const struct decide_path *a,
                           const struct decide_path *b) {
    bool confed = as_path_is_confed(a->attrs->v.as_path) || as_path_is_confed(b->attrs->v.as_path);
    if (confed && rules->profile == BGP_PROFILE_IOS && !rules->always_compare_med) {
        return rules->med_confed && as_path_is_confed(a->attrs->v.as_path) &&
               as_path_is_confed(b->attrs->v.as_path);
    }
    return rules->always_compare_med || a->attrs->neighbor_as == b->attrs->neighbor_as;
}

static int by_med(const struct decide_rules *rules, const struct decide_path *a,
                  const struct decide_path *b) {
    return med_comparable(rules, a, b) ? low_wins(med_of(rules, a), med_of(rules, b)) : 0;
}

static int by_external(const struct decide_rules *rules, const struct decide_path *a,
                       const struct decide_path *b) {
    (void)rules;
    return high_wins(a->external, b->external);
}

static int by_igp_metric(const struct decide_rules *rules, const struct decide_path *a,
                         const struct decide_path *b) {
    return rules->igp_metric_ignore ? 0 : low_wins(a->igp_metric, b->igp_metric);
}

/* RFC 5004; switched off by compare_router_id. */
static int by_age(const struct decide_rules *rules, const struct decide_path *a,
                  const struct decide_path *b) {
    if (rules->compare_router_id || !a->external || !b->external) {
        return 0;
    }
    return low_wins(a->received_order, b->received_order);
}

static int by_router_id(const struct decide_rules *rules, const struct decide_path *a,
                        const struct decide_path *b) {
    (void)rules;
    return low_wins(a->router_id, b->router_id);
}

static int by_cluster_list(const struct decide_rules *rules, const struct decide_path *a,
                           const struct decide_path *b) {
    (void)rules;
    return low_wins(a->attrs->v.cluster_count, b->attrs->v.cluster_count);
}

static int by_peer_address(const struct decide_rules *rules, const struct decide_path *a,
                           const struct decide_path *b) {
    (void)rules;
    return ip_compare(a->peer_address, b->peer_address);
}

/* BIRD: a protocol's preference stands before everything of BGP, so own routes win first. The
 * weight is what filters made of that preference; nobody else sets it there. */
static const struct decide_row bird_rows[] = {
    {DECIDE_ELIGIBLE, by_eligible},
    {DECIDE_WEIGHT, by_weight},
    {DECIDE_LOCAL_ROUTE, by_local_route},
    {DECIDE_STALE, by_stale},
    {DECIDE_LOCAL_PREF, by_local_pref},
    {DECIDE_AS_PATH_LENGTH, by_as_path_length},
    {DECIDE_ORIGIN, by_origin},
    {DECIDE_MED, by_med},
    {DECIDE_EXTERNAL, by_external},
    {DECIDE_IGP_METRIC, by_igp_metric},
    {DECIDE_ROUTER_ID, by_router_id},
    {DECIDE_CLUSTER_LIST, by_cluster_list},
    {DECIDE_PEER_ADDRESS, by_peer_address},
    {DECIDE_NONE, NULL},
};

/* IOS: weight first, age among external paths before the router id. */
static const struct decide_row ios_rows[] = {
    {DECIDE_ELIGIBLE, by_eligible},
    {DECIDE_WEIGHT, by_weight},
    {DECIDE_LOCAL_PREF, by_local_pref},
    {DECIDE_LOCAL_ROUTE, by_local_route},
    {DECIDE_AS_PATH_LENGTH, by_as_path_length},
    {DECIDE_ORIGIN, by_origin},
    {DECIDE_MED, by_med},
    {DECIDE_EXTERNAL, by_external},
    {DECIDE_IGP_METRIC, by_igp_metric},
    {DECIDE_OLDEST, by_age},
    {DECIDE_ROUTER_ID, by_router_id},
    {DECIDE_CLUSTER_LIST, by_cluster_list},
    {DECIDE_PEER_ADDRESS, by_peer_address},
    {DECIDE_NONE, NULL},
};

static const struct decide_row rfc_rows[] = {
    {DECIDE_ELIGIBLE, by_eligible},
    {DECIDE_LOCAL_PREF, by_local_pref},
    {DECIDE_LOCAL_ROUTE, by_local_route},
    {DECIDE_AS_PATH_LENGTH, by_as_path_length},
    {DECIDE_ORIGIN, by_origin},
    {DECIDE_MED, by_med},
    {DECIDE_EXTERNAL, by_external},
    {DECIDE_IGP_METRIC, by_igp_metric},
    {DECIDE_ROUTER_ID, by_router_id},
    {DECIDE_CLUSTER_LIST, by_cluster_list},
    {DECIDE_PEER_ADDRESS, by_peer_address},
    {DECIDE_NONE, NULL},
};

static const struct decide_row *const profile_rows[BGP_PROFILES] = {
    [BGP_PROFILE_CALICO] = bird_rows,
    [BGP_PROFILE_FAST] = bird_rows,
    [BGP_PROFILE_IOS] = ios_rows,
    [BGP_PROFILE_PLAIN] = rfc_rows,
};

const char *decide_step_name(enum decide_step s) {
    static const char *const names[DECIDE_STEPS] = {
        [DECIDE_NONE] = "not compared",
        [DECIDE_ELIGIBLE] = "eligibility",
        [DECIDE_STALE] = "stale",
        [DECIDE_WEIGHT] = "weight",
        [DECIDE_LOCAL_PREF] = "local preference",
        [DECIDE_LOCAL_ROUTE] = "local route",
        [DECIDE_AS_PATH_LENGTH] = "AS path length",
        [DECIDE_ORIGIN] = "origin",
        [DECIDE_MED] = "MED",
        [DECIDE_EXTERNAL] = "external over internal",
        [DECIDE_IGP_METRIC] = "IGP metric",
        [DECIDE_OLDEST] = "oldest external",
        [DECIDE_ROUTER_ID] = "router id",
        [DECIDE_CLUSTER_LIST] = "cluster list length",
        [DECIDE_PEER_ADDRESS] = "peer address",
    };
    return (unsigned)s < DECIDE_STEPS ? names[s] : "";
}

int decide_compare(const struct decide_rules *rules, const struct decide_path *a,
                   const struct decide_path *b, enum decide_step *ret_step) {
    for (const struct decide_row *row = profile_rows[rules->profile]; row->compare; row++) {
        int order = row->compare(rules, a, b);
        if (order != 0) {
            *ret_step = row->step;
            return order;
        }
    }
    *ret_step = DECIDE_NONE;
    return 0;
}

static bool same_path(struct as_path a, struct as_path b) {
    return a.word_count == b.word_count &&
           (a.word_count == 0 || memcmp(a.words, b.words, a.word_count * sizeof *a.words) == 0);
}

bool decide_shares(const struct decide_rules *rules, const struct decide_path *best,
                   const struct decide_path *p, bool mixed, bool relax) {
    if (!p->eligible || p->local || best->local) {
        return false;
    }
    for (const struct decide_row *row = profile_rows[rules->profile]; row->compare; row++) {
        bool skipped = mixed && (row->step == DECIDE_EXTERNAL || row->step == DECIDE_IGP_METRIC);
        if (!skipped && row->compare(rules, best, p) != 0) {
            return false;
        }
        if (row->step == DECIDE_IGP_METRIC) {
            break;
        }
    }
    return relax || same_path(best->attrs->v.as_path, p->attrs->v.as_path);
}

/* ---- elimination ---- */

/* Who is still in: one bit per path. */
struct survivors {
    uint64_t bits[BGP_PATHS_PER_PREFIX_MAX / 64];
    uint32_t count; /* paths in all */
    uint32_t left;
};

static bool survivor(const struct survivors *s, uint32_t i) {
    return (s->bits[i / 64] >> (i % 64)) & 1;
}

static void survivors_all(struct survivors *s, uint32_t count) {
    memset(s->bits, 0xff, (count + 63) / 64 * sizeof s->bits[0]);
    s->count = count;
    s->left = count;
}

static void eliminate(struct survivors *s, uint32_t i, enum decide_step step,
                      enum decide_step *ret_steps) {
    s->bits[i / 64] &= ~(UINT64_C(1) << (i % 64));
    s->left--;
    if (ret_steps) {
        ret_steps[i] = step;
    }
}

static uint32_t first_survivor(const struct survivors *s, uint32_t from) {
    while (from < s->count && !survivor(s, from)) {
        from++;
    }
    return from;
}

static void run_row(const struct decide_row *row, const struct decide_rules *rules,
                    const struct decide_path *paths, struct survivors *s,
                    enum decide_step *ret_steps) {
    uint32_t best = first_survivor(s, 0);
    for (uint32_t i = first_survivor(s, best + 1); i < s->count; i = first_survivor(s, i + 1)) {
        if (row->compare(rules, &paths[i], &paths[best]) < 0) {
            best = i;
        }
    }
    for (uint32_t i = first_survivor(s, 0); i < s->count; i = first_survivor(s, i + 1)) {
        if (i != best && row->compare(rules, &paths[i], &paths[best]) > 0) {
            eliminate(s, i, row->step, ret_steps);
        }
    }
}

/* RFC 4271 9.1.2.2 c, a pass per neighbouring AS that has a choice to make. */
static void run_med_row(const struct decide_rules *rules, const struct decide_path *paths,
                        struct survivors *s, enum decide_step *ret_steps) {
    struct survivors todo = *s;
    for (uint32_t i = first_survivor(&todo, 0); i < s->count; i = first_survivor(&todo, i + 1)) {
        uint32_t lowest = med_of(rules, &paths[i]);
        for (uint32_t j = i + 1; j < s->count; j++) {
            if (survivor(s, j) && med_comparable(rules, &paths[i], &paths[j]) &&
                med_of(rules, &paths[j]) < lowest) {
                lowest = med_of(rules, &paths[j]);
            }
        }
        for (uint32_t j = i; j < s->count; j++) {
            if (!survivor(&todo, j) || !med_comparable(rules, &paths[i], &paths[j])) {
                continue;
            }
            eliminate(&todo, j, DECIDE_NONE, NULL);
            if (med_of(rules, &paths[j]) > lowest) {
                eliminate(s, j, DECIDE_MED, ret_steps);
            }
        }
    }
}

/* Can MED order some pair and not another? Only then is it not a plain row. */
static bool med_is_partial(const struct decide_rules *rules, const struct decide_path *paths,
                           const struct survivors *s) {
    if (rules->always_compare_med) {
        return false;
    }
    uint32_t first = first_survivor(s, 0);
    bool comparable = true, same_med = true;
    for (uint32_t i = first_survivor(s, first + 1); i < s->count; i = first_survivor(s, i + 1)) {
        comparable = comparable && med_comparable(rules, &paths[i], &paths[first]);
        same_med = same_med && med_of(rules, &paths[i]) == med_of(rules, &paths[first]);
    }
    return !comparable && !same_med;
}

/* The oldest of those no row could tell apart (two sessions with one router). */
static uint32_t break_tie(const struct decide_path *paths, struct survivors *s,
                          enum decide_step *ret_steps) {
    uint32_t best = first_survivor(s, 0);
    for (uint32_t i = first_survivor(s, best + 1); i < s->count; i = first_survivor(s, i + 1)) {
        if (paths[i].received_order < paths[best].received_order) {
            best = i;
        }
    }
    for (uint32_t i = first_survivor(s, 0); i < s->count; i = first_survivor(s, i + 1)) {
        if (i != best) {
            eliminate(s, i, DECIDE_PEER_ADDRESS, ret_steps);
        }
    }
    return best;
}

static uint32_t best_by_elimination(const struct decide_rules *rules,
                                    const struct decide_path *paths, struct survivors *s,
                                    enum decide_step *ret_steps) {
    for (const struct decide_row *row = profile_rows[rules->profile]; row->compare && s->left > 1;
         row++) {
        if (row->step == DECIDE_MED && med_is_partial(rules, paths, s)) {
            run_med_row(rules, paths, s, ret_steps);
        } else {
            run_row(row, rules, paths, s, ret_steps);
        }
    }
    return break_tie(paths, s, ret_steps);
}

/* ---- IOS, pairwise ---- */

/* The next older survivor than `than`; count when there is none. Equal ages go by place. */
static uint32_t next_older(const struct decide_path *paths, const struct survivors *s,
                           uint32_t than) {
    uint32_t found = s->count;
    for (uint32_t i = first_survivor(s, 0); i < s->count; i = first_survivor(s, i + 1)) {
        bool older = than == s->count || paths[i].received_order < paths[than].received_order ||
                     (paths[i].received_order == paths[than].received_order && i > than);
        if (i != than && older &&
            (found == s->count || paths[i].received_order > paths[found].received_order)) {
            found = i;
        }
    }
    return found;
}

static uint32_t best_by_pairs(const struct decide_rules *rules, const struct decide_path *paths,
                              const struct survivors *s, enum decide_step *ret_steps) {
    enum decide_step step;
    uint32_t best = next_older(paths, s, s->count);
    for (uint32_t i = next_older(paths, s, best); i < s->count; i = next_older(paths, s, i)) {
        if (decide_compare(rules, &paths[i], &paths[best], &step) <= 0) {
            best = i;
        }
    }
    for (uint32_t i = 0; ret_steps && i < s->count; i++) {
        if (survivor(s, i) && i != best) {
            (void)decide_compare(rules, &paths[best], &paths[i], &step);
            ret_steps[i] = step == DECIDE_NONE ? DECIDE_PEER_ADDRESS : step;
        }
    }
    return best;
}

int decide_best(const struct decide_rules *rules, const struct decide_path *paths, uint32_t count,
                enum decide_step *ret_steps) {
    assert(count <= BGP_PATHS_PER_PREFIX_MAX);
    struct survivors s;
    survivors_all(&s, count);
    for (uint32_t i = 0; i < count; i++) {
        if (ret_steps) {
            ret_steps[i] = DECIDE_NONE;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!paths[i].eligible) {
            eliminate(&s, i, DECIDE_ELIGIBLE, ret_steps);
        }
    }
    if (s.left == 0) {
        for (uint32_t i = 0; ret_steps && i < count; i++) {
            ret_steps[i] = DECIDE_NONE; /* there was no best to lose against */
        }
        return -1;
    }
    /* IOS: bgp deterministic-med is off unless configured. */
    if (rules->profile == BGP_PROFILE_IOS && !rules->deterministic_med &&
        med_is_partial(rules, paths, &s)) {
        return (int)best_by_pairs(rules, paths, &s, ret_steps);
    }
    return (int)best_by_elimination(rules, paths, &s, ret_steps);
}
