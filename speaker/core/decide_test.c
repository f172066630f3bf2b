/*
 * The decision process: a row per step and profile, and every order of arrival against a model that
 * reads the RFC's text literally. Names conformance rows C083 to C094.
 */
#include "../base/hash.h"
#include "attr.h"
#include "decide.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#define PATHS_MAX 6

static struct decide_path base_path(struct attr_set *set) {
    memset(set, 0, sizeof *set);
    set->as_path_length = 2;
    set->neighbor_as = 65001;
    return (struct decide_path){
        .attrs = set, .eligible = true, .external = true, .router_id = 5, .received_order = 5};
}

/* Makes `p` better in one respect. */
typedef void improve_fn(struct decide_path *p, struct attr_set *set);

static void better_weight(struct decide_path *p, struct attr_set *set) {
    (void)set;
    p->weight = 1;
}
static void better_local_pref(struct decide_path *p, struct attr_set *set) {
    (void)p;
    set->v.has_local_pref = true;
    set->v.local_pref = 101; /* against the default of 100 */
}
static void better_local(struct decide_path *p, struct attr_set *set) {
    (void)set;
    p->local = true;
}
static void better_length(struct decide_path *p, struct attr_set *set) {
    (void)p;
    set->as_path_length = 1;
}
static void better_age(struct decide_path *p, struct attr_set *set) {
    (void)set;
    p->received_order = 4;
}
static void better_router_id(struct decide_path *p, struct attr_set *set) {
    (void)set;
    p->router_id = 4;
}

static void better_origin(struct decide_path *p, struct attr_set *set) {
    (void)p;
    set->v.origin = 0;
}
static void better_med(struct decide_path *p, struct attr_set *set) {
    (void)p;
    set->v.med = 0;
}
static void better_external(struct decide_path *p, struct attr_set *set) {
    (void)set;
    p->external = true;
}
static void better_metric(struct decide_path *p, struct attr_set *set) {
    (void)set;
    p->igp_metric = 0;
}
static void better_clusters(struct decide_path *p, struct attr_set *set) {
    (void)p;
    set->v.cluster_count = 0;
}
static void better_address(struct decide_path *p, struct attr_set *set) {
    (void)set;
    p->peer_address = ip4(0);
}

/* Middling in everything, so that each step can be made better alone. */
static struct decide_path middling(struct attr_set *set) {
    struct decide_path p = base_path(set);
    p.external = false;
    p.igp_metric = 5;
    p.peer_address = ip4(9);
    set->v.origin = 2;
    set->v.has_med = true;
    set->v.med = 7;
    set->v.cluster_count = 3;
    return p;
}

static void test_C083_to_C091_each_step(void **state) {
    static const struct {
        enum decide_step step;
        void (*improve)(struct decide_path *p, struct attr_set *set);
    } rows[] = {
        {DECIDE_LOCAL_PREF, better_local_pref}, /* C083 */
        {DECIDE_AS_PATH_LENGTH, better_length}, /* C084 */
        {DECIDE_ORIGIN, better_origin},         /* C085 */
        {DECIDE_MED, better_med},               /* C086 */
        {DECIDE_EXTERNAL, better_external},     /* C087 */
        {DECIDE_IGP_METRIC, better_metric},     /* C088 */
        {DECIDE_ROUTER_ID, better_router_id},   /* C089 */
        {DECIDE_CLUSTER_LIST, better_clusters}, /* C090 */
        {DECIDE_PEER_ADDRESS, better_address},  /* C091 */
    };
    (void)state;
    for (size_t i = 0; i < BGP_PROFILES * (sizeof rows / sizeof *rows); i++) {
        struct decide_rules rules = {.profile = (enum bgp_profile)(i % BGP_PROFILES),
                                     .default_local_pref = 100};
        const size_t row = i / BGP_PROFILES;
        struct attr_set sets[2];
        struct decide_path paths[2] = {middling(&sets[0]), middling(&sets[1])};
        enum decide_step steps[2];
        rows[row].improve(&paths[1], &sets[1]);
        assert_int_equal(decide_best(&rules, paths, 2, steps), 1);
        assert_int_equal(steps[0], rows[row].step);
        for (size_t then = row + 1; then < sizeof rows / sizeof *rows; then++) {
            rows[then].improve(&paths[0], &sets[0]); /* later steps weigh nothing against it */
        }
        assert_int_equal(decide_best(&rules, paths, 2, steps), 1);
        assert_int_equal(steps[0], rows[row].step);
    }
}

struct row {
    enum bgp_profile profile;
    enum decide_step step;
    improve_fn *improve;
};

static void test_C092_steps_of_profiles(void **state) {
    static const struct row rows[] = {
        {BGP_PROFILE_CALICO, DECIDE_LOCAL_PREF, better_local_pref},
        {BGP_PROFILE_CALICO, DECIDE_LOCAL_ROUTE, better_local},
        {BGP_PROFILE_CALICO, DECIDE_AS_PATH_LENGTH, better_length},
        {BGP_PROFILE_CALICO, DECIDE_ROUTER_ID, better_router_id},
        {BGP_PROFILE_IOS, DECIDE_WEIGHT, better_weight},
        {BGP_PROFILE_IOS, DECIDE_LOCAL_PREF, better_local_pref},
        {BGP_PROFILE_IOS, DECIDE_AS_PATH_LENGTH, better_length},
        {BGP_PROFILE_IOS, DECIDE_OLDEST, better_age},
        {BGP_PROFILE_PLAIN, DECIDE_LOCAL_PREF, better_local_pref},
        {BGP_PROFILE_PLAIN, DECIDE_ROUTER_ID, better_router_id},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct decide_rules rules = {.profile = rows[i].profile, .default_local_pref = 100};
        struct attr_set sets[2];
        struct decide_path a = base_path(&sets[0]), b = base_path(&sets[1]);
        enum decide_step step = DECIDE_NONE;
        rows[i].improve(&a, &sets[0]);
        assert_true(decide_compare(&rules, &a, &b, &step) < 0);
        assert_int_equal(step, rows[i].step);
        assert_true(decide_compare(&rules, &b, &a, &step) > 0);
        assert_int_equal(step, rows[i].step);
    }
}

/* The order of steps: `first` beats `then` even though the other path is better in `then`. */
struct order_row {
    enum bgp_profile profile;
    improve_fn *first, *then;
};

static void test_order(void **state) {
    static const struct order_row rows[] = {
        {BGP_PROFILE_IOS, better_weight, better_local_pref},
        {BGP_PROFILE_IOS, better_local_pref, better_local},
        {BGP_PROFILE_IOS, better_local, better_length},
        {BGP_PROFILE_IOS, better_age, better_router_id},
        {BGP_PROFILE_CALICO, better_local, better_local_pref},
        {BGP_PROFILE_CALICO, better_local_pref, better_length},
        {BGP_PROFILE_CALICO, better_router_id, better_age},
        {BGP_PROFILE_PLAIN, better_local_pref, better_local},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct decide_rules rules = {.profile = rows[i].profile, .default_local_pref = 100};
        struct attr_set sets[2];
        struct decide_path paths[2] = {base_path(&sets[0]), base_path(&sets[1])};
        rows[i].first(&paths[0], &sets[0]);
        rows[i].then(&paths[1], &sets[1]);
        assert_int_equal(decide_best(&rules, paths, 2, NULL), 0);
    }
}

/* ---- every order of arrival against a model ---- */

static uint32_t model_med(const struct decide_rules *r, const struct decide_path *p) {
    return p->attrs->v.has_med ? p->attrs->v.med : r->med_missing_as_worst ? UINT32_MAX : 0;
}

/* RFC 4271 9.1.2.2 c in its own words: drop a path if another one of the same neighbouring AS has a
 * lower MED. The steps before and after are keys to minimise. */
static uint64_t key_before(const struct decide_path *p) {
    const struct attr_values *v = &p->attrs->v;
    uint64_t pref = v->has_local_pref ? v->local_pref : 100;
    return (1000 - pref) << 40 | (uint64_t)!p->local << 36 |
           (uint64_t)p->attrs->as_path_length << 16 | v->origin;
}

/* RFC 5004, IOS: age stands before the identifiers, among external paths. */
static bool age_counts(const struct decide_rules *r) {
    return r->profile == BGP_PROFILE_IOS && !r->compare_router_id;
}

static uint64_t key_after(const struct decide_rules *r, const struct decide_path *p) {
    uint64_t age = age_counts(r) && p->external ? p->received_order : 0;
    return (uint64_t)!p->external << 60 | (uint64_t)p->igp_metric << 48 | age << 40 |
           (uint64_t)p->router_id << 24 | (uint64_t)p->attrs->v.cluster_count << 16 |
           p->peer_address.bytes[3];
}

/* IOS without deterministic-med: the newest path against the next older one, the winner against the
 * next, and so on; MED counts where the two are of one neighbouring AS. */
static bool model_older_wins(const struct decide_rules *r, const struct decide_path *winner,
                             const struct decide_path *older) {
    bool same = r->always_compare_med || winner->attrs->neighbor_as == older->attrs->neighbor_as;
    if (key_before(winner) != key_before(older)) {
        return key_before(older) < key_before(winner);
    }
    if (same && model_med(r, winner) != model_med(r, older)) {
        return model_med(r, older) < model_med(r, winner);
    }
    return key_after(r, older) < key_after(r, winner);
}

static int model_pairs(const struct decide_rules *r, const struct decide_path *p, uint32_t n) {
    int best = -1;
    for (uint64_t age = n; age > 0; age--) { /* ages are 1 to n, each once */
        for (uint32_t i = 0; i < n; i++) {
            bool next = p[i].received_order == age && p[i].eligible;
            if (next && (best < 0 || model_older_wins(r, &p[best], &p[i]))) {
                best = (int)i;
            }
        }
    }
    return best;
}

static int model_best(const struct decide_rules *r, const struct decide_path *p, uint32_t n) {
    if (r->profile == BGP_PROFILE_IOS && !r->deterministic_med) {
        return model_pairs(r, p, n);
    }
    uint64_t lowest = UINT64_MAX, best_key = UINT64_MAX;
    int best = -1;
    for (uint32_t i = 0; i < n; i++) {
        if (p[i].eligible && key_before(&p[i]) < lowest) {
            lowest = key_before(&p[i]);
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        bool in = p[i].eligible && key_before(&p[i]) == lowest;
        for (uint32_t j = 0; in && j < n; j++) {
            bool same = r->always_compare_med || p[i].attrs->neighbor_as == p[j].attrs->neighbor_as;
            in = !(p[j].eligible && key_before(&p[j]) == lowest && same &&
                   model_med(r, &p[j]) < model_med(r, &p[i]));
        }
        if (in && key_after(r, &p[i]) < best_key) {
            best_key = key_after(r, &p[i]);
            best = (int)i;
        }
    }
    return best;
}

static void random_path(uint64_t *rng, struct decide_path *p, struct attr_set *set, uint8_t n) {
    *p = base_path(set);
    p->eligible = rng_below(rng, 8) > 0;
    p->external = rng_below(rng, 2);
    p->igp_metric = (uint32_t)rng_below(rng, 2);
    p->router_id = (uint32_t)rng_below(rng, 3);
    p->peer_address = ip4(n);
    p->received_order = n;
    set->v.has_local_pref = rng_below(rng, 4) == 0;
    set->v.local_pref = 100 + (uint32_t)rng_below(rng, 2);
    set->as_path_length = (uint16_t)(1 + (rng_below(rng, 4) == 0));
    set->v.origin = rng_below(rng, 5) == 0;
    set->v.has_med = rng_below(rng, 3) > 0;
    set->v.med = (uint32_t)rng_below(rng, 3);
    set->neighbor_as = 65001 + (uint32_t)rng_below(rng, 2);
    set->v.cluster_count = (uint32_t)rng_below(rng, 2);
}

/* The next permutation in order; false after the last. */
static bool permute(uint32_t *order, uint32_t n) {
    uint32_t i = n - 1, j = n - 1;
    while (i > 0 && order[i - 1] >= order[i]) {
        i--;
    }
    if (i == 0) {
        return false;
    }
    while (order[j] <= order[i - 1]) {
        j--;
    }
    uint32_t t = order[i - 1];
    order[i - 1] = order[j];
    order[j] = t;
    for (j = n - 1; i < j; i++, j--) {
        t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    return true;
}

/* The paths arrive one after the other, in every order. Where age does not count the best one is
 * always the same; the place in the array never counts. */
static void check_orders(const struct decide_rules *rules, const struct decide_path *paths,
                         uint32_t n) {
    bool by_age = rules->profile == BGP_PROFILE_IOS &&
                  !(rules->compare_router_id && rules->deterministic_med);
    int always = model_best(rules, paths, n);
    uint32_t order[PATHS_MAX];
    struct decide_path shuffled[PATHS_MAX];
    enum decide_step steps[PATHS_MAX];
    for (uint32_t i = 0; i < n; i++) {
        order[i] = i;
    }
    do {
        for (uint32_t i = 0; i < n; i++) {
            shuffled[i] = paths[order[i]];
            shuffled[i].received_order = (i + order[0]) % n + 1;
        }
        int best = decide_best(rules, shuffled, n, steps);
        assert_int_equal(best, model_best(rules, shuffled, n));
        assert_true(by_age || (best < 0 ? -1 : (int)order[best]) == always);
        for (uint32_t i = 0; i < n && best >= 0; i++) {
            assert_true((steps[i] == DECIDE_NONE) == ((int)i == best));
        }
    } while (permute(order, n));
}

static struct decide_rules random_rules(uint64_t *rng) {
    static const enum bgp_profile profiles[] = {BGP_PROFILE_PLAIN, BGP_PROFILE_CALICO,
                                                BGP_PROFILE_IOS, BGP_PROFILE_IOS};
    return (struct decide_rules){.profile = profiles[rng_below(rng, 4)],
                                 .default_local_pref = 100,
                                 .deterministic_med = rng_below(rng, 2),
                                 .compare_router_id = rng_below(rng, 2),
                                 .always_compare_med = rng_below(rng, 4) == 0,
                                 .med_missing_as_worst = rng_below(rng, 4) == 0};
}

static void random_paths(uint64_t *rng, uint32_t n, struct decide_path *paths,
                         struct attr_set *sets) {
    for (uint32_t i = 0; i < n; i++) {
        random_path(rng, &paths[i], &sets[i], (uint8_t)(i + 1));
    }
}

/* All orders of arrival of up to 6 paths. */
static void test_C086_med_orders(void **state) {
    uint64_t rng = 86;
    (void)state;
    for (uint32_t round = 0; round < 400; round++) {
        struct attr_set sets[PATHS_MAX];
        struct decide_path paths[PATHS_MAX];
        struct decide_rules rules = random_rules(&rng);
        uint32_t n = 2 + round % 5;
        random_paths(&rng, n, paths, sets);
        check_orders(&rules, paths, n);
    }
}

static void test_C094_random_sets(void **state) {
    uint64_t rng = 94;
    (void)state;
    for (uint32_t round = 0; round < 100000; round++) {
        struct attr_set sets[PATHS_MAX];
        struct decide_path paths[PATHS_MAX];
        enum decide_step steps[PATHS_MAX];
        struct decide_rules rules = random_rules(&rng);
        uint32_t n = 1 + (uint32_t)rng_below(&rng, PATHS_MAX);
        random_paths(&rng, n, paths, sets);
        int best = decide_best(&rules, paths, n, steps);
        assert_int_equal(best, model_best(&rules, paths, n));
        for (uint32_t i = 0; i < n && best >= 0; i++) { /* a reason for every loser */
            assert_true((steps[i] == DECIDE_NONE) == ((int)i == best));
        }
    }
}

/* The two ways of IOS to look at MED are two. */
static void test_ios_pairs(void **state) {
    uint64_t rng = 95;
    uint32_t differs = 0;
    (void)state;
    for (uint32_t round = 0; round < 1500; round++) {
        struct attr_set sets[PATHS_MAX];
        struct decide_path paths[PATHS_MAX];
        struct decide_rules rules = {.profile = BGP_PROFILE_IOS, .default_local_pref = 100};
        random_paths(&rng, 4, paths, sets);
        int best = decide_best(&rules, paths, 4, NULL);
        assert_int_equal(best, model_best(&rules, paths, 4));
        rules.deterministic_med = true;
        differs += decide_best(&rules, paths, 4, NULL) != best;
    }
    assert_true(differs > 0);
}

/* RFC 4271 9.1.2.2 c, 5065 5.3: two paths without an AS compare their MEDs, also where a third one
 * never left the confederation and is compared with neither, whoever stands first. */
static void test_C086_beside_a_path_of_the_confederation(void **state) {
    (void)state;
    static const uint32_t words[] = {AS_CONFED_SEQUENCE << 16 | 1, 65010};
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const struct decide_rules rules = {
        .profile = BGP_PROFILE_IOS, .deterministic_med = true, .default_local_pref = 100};
    struct attr_set sets[3] = {{.id = 0}};
    struct decide_path paths[3];
    for (uint32_t i = 0; i < 3; i++) {
        paths[i] = base_path(&sets[i]);
        paths[i].external = false;
        paths[i].router_id = 10 + i;
        sets[i].neighbor_as = sets[i].as_path_length = 0;
        sets[i].v.as_path = (struct as_path){0};
        sets[i].v.has_med = true;
    }
    sets[0].v.med = 10; /* the lowest router id, and the worse MED */
    sets[1].v.med = 5;
    sets[2].v.as_path = (struct as_path){words, 2};
    for (uint32_t n = 0; n < 6; n++) {
        struct decide_path list[3];
        for (uint32_t i = 0; i < 3; i++) {
            list[i] = paths[orders[n][i]];
        }
        int best = decide_best(&rules, list, 3, NULL);
        assert_int_equal(orders[n][best], 1);
    }
}

static void test_C093_none_eligible(void **state) {
    struct attr_set set;
    struct decide_path p = base_path(&set);
    struct decide_rules rules = {.profile = BGP_PROFILE_PLAIN};
    enum decide_step step;
    (void)state;
    p.eligible = false;
    assert_int_equal(decide_best(&rules, &p, 1, &step), -1);
    assert_int_equal(step, DECIDE_NONE);
    assert_int_equal(decide_best(&rules, &p, 0, NULL), -1);
}

static void test_llgr_stale_loses_in_bird(void **state) {
    struct attr_set sets[2];
    struct decide_path paths[2] = {base_path(&sets[0]), base_path(&sets[1])};
    struct decide_rules rules = {.profile = BGP_PROFILE_FAST, .default_local_pref = 100};
    enum decide_step steps[2];
    (void)state;
    paths[0].stale = true;
    better_local_pref(&paths[0], &sets[0]);
    assert_int_equal(decide_best(&rules, paths, 2, steps), 1);
    assert_int_equal(steps[0], DECIDE_STALE);
    rules.profile = BGP_PROFILE_IOS;
    assert_int_equal(decide_best(&rules, paths, 2, steps), 0);
}

/* IOS: a row that is switched off decides nothing, the next one does. */
static void test_ios_ignored_rows(void **state) {
    (void)state;
    for (unsigned ignored = 0; ignored < 2; ignored++) {
        struct attr_set sets[2];
        struct decide_path a = middling(&sets[0]), b = middling(&sets[1]);
        struct decide_rules rules = {.profile = BGP_PROFILE_IOS, .default_local_pref = 100};
        enum decide_step step;
        better_length(&a, &sets[0]);
        better_metric(&a, &sets[0]);
        better_router_id(&b, &sets[1]);
        rules.as_path_ignore = true;
        rules.igp_metric_ignore = ignored;
        int order = decide_compare(&rules, &a, &b, &step);
        assert_true(ignored ? order > 0 : order < 0);
        assert_int_equal(step, ignored ? DECIDE_ROUTER_ID : DECIDE_IGP_METRIC);
    }
}

/* What explanations call them: a word for each, none twice. */
static void test_step_names(void **state) {
    (void)state;
    for (unsigned i = DECIDE_NONE + 1; i < DECIDE_STEPS; i++) {
        assert_string_not_equal(decide_step_name((enum decide_step)i), "");
        for (unsigned j = DECIDE_NONE; j < i; j++)
            assert_string_not_equal(decide_step_name((enum decide_step)i),
                                    decide_step_name((enum decide_step)j));
    }
    assert_string_equal(decide_step_name(DECIDE_STEPS), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C092_steps_of_profiles),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_ios_ignored_rows),
        cmocka_unit_test(test_C086_med_orders),
        cmocka_unit_test(test_C094_random_sets),
        cmocka_unit_test(test_C083_to_C091_each_step),
        cmocka_unit_test(test_ios_pairs),
        cmocka_unit_test(test_C086_beside_a_path_of_the_confederation),
        cmocka_unit_test(test_C093_none_eligible),
        cmocka_unit_test(test_llgr_stale_loses_in_bird),
        cmocka_unit_test(test_step_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
