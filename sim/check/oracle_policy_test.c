/*
 * Two evaluations of one policy: the oracle's and the speaker's, over routes by chance. They must
 * agree on what passes, which weight and local preference it gets, and which device the kernel's
 * filter names.
 */
#include "oracle.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/core/bgp.h"
#include "../../speaker/core/speaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TERMS 4

static uint32_t seed = 1;
static uint32_t chance(uint32_t below) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static struct ip_prefix any_prefix(void) {
    uint8_t length = (uint8_t)(8 + chance(25));
    struct ip_prefix p = ip_prefix_make(ip4(10u << 24 | chance(4) << 16 | chance(4)), length);
    return p;
}

/* Memory of one chain. */
struct chain {
    struct policy_prefix prefixes[TERMS];
    struct policy_match matches[TERMS];
    struct policy_action actions[TERMS];
    struct policy_term terms[TERMS];
    struct policy policy;
    uint16_t index;
    struct bgp_config config;
};

static void any_term(struct chain *c, size_t i) {
    static const enum policy_verdict verdicts[] = {POLICY_ACCEPT, POLICY_REJECT, POLICY_NEXT_TERM,
                                                   POLICY_NEXT_TERM};
    struct ip_prefix p = any_prefix();
    c->prefixes[i] = (struct policy_prefix){p, p.length, 32, false};
    struct policy_match m = {.negate = chance(4) == 0, .value = 100 + chance(4)};
    switch (chance(4)) {
    case 0:
        m.kind = POLICY_MATCH_LOCAL_PREF_ABOVE;
        break;
    case 1:
        m.kind = POLICY_MATCH_SOURCE;
        m.value = 1u << (1 + chance(4));
        break;
    default:
        m.kind = chance(2) ? POLICY_MATCH_PREFIX : POLICY_MATCH_NEXT_HOP;
        m.prefixes = &c->prefixes[i];
        m.prefix_count = 1;
    }
    c->matches[i] = m;
    c->actions[i] =
        chance(2) ? (struct policy_action){.kind = POLICY_SET_WEIGHT, .value = chance(9)}
        : chance(2)
            ? (struct policy_action){.kind = POLICY_SET_DEVICE, .text = "tunl0"}
            : (struct policy_action){.kind = POLICY_SET_LOCAL_PREF, .value = 100 + chance(5)};
    c->terms[i] = (struct policy_term){.name = "t",
                                       .matches = &c->matches[i],
                                       .match_count = chance(5) > 0,
                                       .actions = &c->actions[i],
                                       .action_count = 1,
                                       .verdict = verdicts[chance(4)]};
}

static void any_chain(struct chain *c) {
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < TERMS; i++)
        any_term(c, i);
    c->policy = (struct policy){"p", c->terms, TERMS, chance(2) ? POLICY_ACCEPT : POLICY_REJECT};
    c->config.policies = &c->policy;
    c->config.policy_count = 1;
    c->config.fib.filter[0] = (struct policy_chain){&c->index, 1, false};
}

static void compare_import(const struct chain *c, const struct attr_values *attrs,
                           struct ip_prefix prefix, struct arena *arena) {
    uint32_t weight = 7;
    const char *rule = NULL;
    bool no_memory = false;
    struct attr_values result;
    struct oracle_candidate candidate = {.prefix = prefix,
                                         .attrs = attrs,
                                         .source = ROUTE_SOURCE_BGP,
                                         .interface = "",
                                         .metric = UINT32_MAX,
                                         .weight = &weight};
    struct policy_route route = {.prefix = prefix,
                                 .attrs = *attrs,
                                 .source = ROUTE_SOURCE_BGP,
                                 .interface = "",
                                 .metric = UINT32_MAX,
                                 .weight = 7,
                                 .arena = arena};
    const struct policy_chain *chain = &c->config.fib.filter[0];
    bool mine = oracle_policy(&c->config, chain, &candidate, arena, &result, &rule);
    assert_int_equal(mine, policy_run(&c->config, chain, &route, NULL, &no_memory));
    if (!mine)
        return;
    assert_int_equal(weight, route.weight);
    assert_int_equal(result.local_pref, route.attrs.local_pref);
}

static bool compare_kernel(const struct chain *c, const struct attr_values *attrs,
                           struct ip_prefix prefix, enum route_source source, struct arena *arena) {
    const char *device = NULL;
    struct oracle_candidate candidate = {
        .prefix = prefix, .attrs = attrs, .source = source, .interface = "", .metric = UINT32_MAX};
    struct bgp_fib_route route = {.prefix = prefix,
                                  .next_hop = attrs->next_hop,
                                  .local_pref = attrs->local_pref,
                                  .source = source};
    bool mine = oracle_kernel_filter(&c->config, &candidate, arena, &device);
    struct bgp_fib_decision d = bgp_fib_decide(&c->config, &route);
    assert_int_equal(mine, d.install);
    assert_int_equal(device != NULL, d.device != NULL);
    return device != NULL;
}

static void both_evaluations_agree(void **state) {
    size_t tunnelled = 0;
    (void)state;
    for (size_t i = 0; i < 20000; i++) {
        struct chain c;
        struct arena *arena = arena_new();
        struct ip_prefix prefix = any_prefix();
        struct attr_values attrs = {
            .next_hop = any_prefix().addr, .has_local_pref = true, .local_pref = 100 + chance(5)};
        any_chain(&c);
        compare_import(&c, &attrs, prefix, arena);
        tunnelled += compare_kernel(&c, &attrs, prefix, ROUTE_SOURCE_BGP, arena);
        attrs = (struct attr_values){.has_local_pref = false};
        (void)compare_kernel(&c, &attrs, prefix, ROUTE_SOURCE_STATIC, arena);
        arena_free(arena);
    }
    assert_true(tunnelled > 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_evaluations_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
