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

struct row {
    enum bgp_profile profile;
    enum decide_step step;
    improve_fn *improve;
};

static void test_steps_c083_c084_c089_c092(void **state) {
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

static uint64_t key_after(const struct decide_path *p) {
    return (uint64_t)!p->external << 60 | (uint64_t)p->igp_metric << 40 |
           (uint64_t)p->router_id << 24 | (uint64_t)p->attrs->v.cluster_count << 16 |
           p->peer_address.bytes[3];
}

static int model_best(const struct decide_rules *r, const struct decide_path *p, uint32_t n) {
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
        if (in && key_after(&p[i]) < best_key) {
            best_key = key_after(&p[i]);
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

static void check_orders(const struct decide_rules *rules, const struct decide_path *paths,
                         uint32_t n, int expected) {
    uint32_t order[PATHS_MAX];
    struct decide_path shuffled[PATHS_MAX];
    enum decide_step steps[PATHS_MAX];
    for (uint32_t i = 0; i < n; i++) {
        order[i] = i;
    }
    do {
        for (uint32_t i = 0; i < n; i++) {
            shuffled[i] = paths[order[i]];
        }
        int best = decide_best(rules, shuffled, n, steps);
        assert_int_equal(best < 0 ? -1 : (int)order[best], expected);
        for (uint32_t i = 0; i < n && best >= 0; i++) {
            assert_true((steps[i] == DECIDE_NONE) == ((int)i == best));
        }
    } while (permute(order, n));
}

static void test_model_c086_c094(void **state) {
    static const enum bgp_profile profiles[] = {BGP_PROFILE_PLAIN, BGP_PROFILE_IOS};
    uint64_t rng = 94;
    (void)state;
    for (uint32_t round = 0; round < 1500; round++) {
        struct attr_set sets[PATHS_MAX];
        struct decide_path paths[PATHS_MAX];
        struct decide_rules rules = {.profile = profiles[round % 2],
                                     .default_local_pref = 100,
                                     .deterministic_med = true,
                                     .compare_router_id = true,
                                     .always_compare_med = rng_below(&rng, 4) == 0,
                                     .med_missing_as_worst = rng_below(&rng, 4) == 0};
        uint32_t n = 2 + (uint32_t)rng_below(&rng, round < 100 ? 5 : 3);
        for (uint32_t i = 0; i < n; i++) {
            random_path(&rng, &paths[i], &sets[i], (uint8_t)(i + 1));
        }
        check_orders(&rules, paths, n, model_best(&rules, paths, n));
    }
}

/* IOS without deterministic-med depends on ages, never on the order of the array. */
static void test_ios_pairs(void **state) {
    uint64_t rng = 95;
    uint32_t differs = 0;
    (void)state;
    for (uint32_t round = 0; round < 1500; round++) {
        struct attr_set sets[PATHS_MAX];
        struct decide_path paths[PATHS_MAX];
        struct decide_rules rules = {.profile = BGP_PROFILE_IOS, .default_local_pref = 100};
        for (uint32_t i = 0; i < 4; i++) {
            random_path(&rng, &paths[i], &sets[i], (uint8_t)(i + 1));
        }
        int best = decide_best(&rules, paths, 4, NULL);
        check_orders(&rules, paths, 4, best);
        rules.deterministic_med = true;
        differs += decide_best(&rules, paths, 4, NULL) != best;
    }
    assert_true(differs > 0);
}

static void test_none_eligible_c093(void **state) {
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

static void test_stale_loses_in_bird(void **state) {
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_c083_c084_c089_c092),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_model_c086_c094),
        cmocka_unit_test(test_ios_pairs),
        cmocka_unit_test(test_none_eligible_c093),
        cmocka_unit_test(test_stale_loses_in_bird),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
