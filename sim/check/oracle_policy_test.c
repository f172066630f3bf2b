/*
 * Two evaluations of one policy: the oracle's and the speaker's, over chains and routes by chance,
 * with every condition, action and way to go on. They must agree on what passes and on everything
 * the route has become. Whatever has never happened in all the tries is a hole in this test.
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

#define POLICIES 2
#define TERMS 4
#define MATCHES 2
#define ACTIONS 3
#define LIST_MAX 4
#define TRIES 60000
#define MATCH_KINDS (POLICY_MATCH_NEVER + 1)
#define ACTION_KINDS (POLICY_SET_DAMPENING + 1)

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

/* ---- chains by chance ---- */

/* Lists of numbers that are ASes and communities alike; of a term's matches and actions. */
struct lists {
    uint32_t numbers[LIST_MAX];
    struct large_community large[LIST_MAX];
    struct policy_prefix prefixes[LIST_MAX];
    uint32_t count;
};

struct term_parts {
    struct lists match_lists[MATCHES], action_lists[ACTIONS], alternative_lists[2];
    struct policy_match matches[MATCHES], alternatives[2];
    struct policy_action actions[ACTIONS];
};

/* Memory of one chain. */
struct chain {
    struct term_parts parts[POLICIES][TERMS];
    struct policy_term terms[POLICIES][TERMS];
    struct policy policies[POLICIES];
    uint16_t indices[POLICIES];
    struct bgp_config config;
};

static uint32_t any_number(void) {
    return chance(2) ? 65001 + chance(3) : 65001u << 16 | chance(4);
}

static struct large_community any_large(void) {
    return (struct large_community){65001, chance(2), chance(3)};
}

static void any_lists(struct lists *l) {
    l->count = chance(LIST_MAX + 1);
    for (uint32_t i = 0; i < LIST_MAX; i++) {
        struct ip_prefix p = any_prefix();
        uint8_t least = (uint8_t)(p.length + chance(3)), most = (uint8_t)(least + chance(24));
        l->numbers[i] = any_number();
        l->large[i] = any_large();
        l->prefixes[i] = (struct policy_prefix){p, least, most > 32 ? 32 : most, chance(4) == 0};
    }
}

static struct policy_match any_match(struct lists *l, enum policy_match_kind kind) {
    /* The last one would double 32 times. */
    static const char *const paths[] = {"_65001_",
                                        "^$",
                                        "^65002",
                                        "65003$",
                                        "^6500[12] ",
                                        "_65002 ",
                                        "6++++++++++++++++++++++++++++++++"};
    static const char *const communities[] = {"65001:1", "^65001:[02]", "^$", "_65001:2_"};
    static const char *const globs[] = {"cali*", "*", "eth?", "", "*0"};
    any_lists(l);
    return (struct policy_match){
        .kind = kind,
        .negate = chance(4) == 0,
        .exact = chance(3) == 0,
        .value = kind == POLICY_MATCH_SOURCE          ? 1u << (1 + chance(5))
                 : kind == POLICY_MATCH_PEER_EXTERNAL ? chance(2)
                                                      : 100 + chance(4),
        .text = kind == POLICY_MATCH_AS_PATH_REGEX     ? paths[chance(7)]
                : kind == POLICY_MATCH_COMMUNITY_REGEX ? communities[chance(4)]
                                                       : globs[chance(5)],
        .prefixes = l->prefixes,
        .prefix_count = l->count,
        .asns = l->numbers,
        .asn_count = kind == POLICY_MATCH_AS_PATH_PREFIX ? l->count % 3 : l->count,
        .large_communities = l->large,
        .large_community_count = l->count % 3};
}

static enum policy_match_kind simple_kind(void) {
    enum policy_match_kind kind = (enum policy_match_kind)chance(MATCH_KINDS);
    return kind == POLICY_MATCH_ANY_OF ? POLICY_MATCH_MED : kind;
}

static struct policy_action any_action(struct lists *l) {
    enum policy_action_kind kind = (enum policy_action_kind)chance(ACTION_KINDS);
    static const uint32_t far[] = {UINT32_MAX, UINT32_MAX - 100, 3};
    any_lists(l);
    return (struct policy_action){.kind = kind,
                                  .mode = (uint8_t)chance(3),
                                  .value = kind == POLICY_SET_ORIGIN        ? chance(3)
                                           : kind == POLICY_PREPEND_LAST_AS ? chance(4)
                                           : chance(4) == 0                 ? far[chance(3)]
                                                                            : 100 + chance(5),
                                  .text = chance(2) ? "tunl0" : "vxlan.calico",
                                  .address = any_prefix().addr,
                                  .asns = l->numbers,
                                  .asn_count =
                                      kind == POLICY_PREPEND_AS_PATH ? l->count % 3 : l->count,
                                  .large_communities = l->large,
                                  .large_community_count = l->count};
}

static void any_term(struct policy_term *t, struct term_parts *p) {
    static const enum policy_verdict verdicts[] = {POLICY_ACCEPT,    POLICY_REJECT,
                                                   POLICY_NEXT_TERM, POLICY_NEXT_TERM,
                                                   POLICY_NEXT_TERM, POLICY_NEXT_POLICY};
    for (size_t i = 0; i < MATCHES; i++) {
        bool several = chance(6) == 0;
        p->matches[i] =
            any_match(&p->match_lists[i], several ? POLICY_MATCH_ANY_OF : simple_kind());
        for (size_t k = 0; several && k < 2; k++)
            p->alternatives[k] = any_match(&p->alternative_lists[k], simple_kind());
        p->matches[i].alternatives = p->alternatives;
        p->matches[i].alternative_count = several ? 2 : 0;
    }
    for (size_t i = 0; i < ACTIONS; i++)
        p->actions[i] = any_action(&p->action_lists[i]);
    *t = (struct policy_term){.name = "t",
                              .matches = p->matches,
                              .match_count = chance(MATCHES + 1),
                              .actions = p->actions,
                              .action_count = chance(ACTIONS + 1),
                              .verdict = verdicts[chance(6)],
                              .continue_at = chance(TERMS + 1)};
}

static void any_chain(struct chain *c) {
    static const enum policy_verdict ends[] = {POLICY_ACCEPT, POLICY_REJECT, POLICY_NEXT_POLICY};
    memset(c, 0, sizeof *c);
    for (uint16_t p = 0; p < POLICIES; p++) {
        for (size_t i = 0; i < TERMS; i++)
            any_term(&c->terms[p][i], &c->parts[p][i]);
        c->policies[p] = (struct policy){"p", c->terms[p], TERMS, ends[chance(3)]};
        c->indices[p] = (uint16_t)(POLICIES - 1 - p); /* the second one first */
    }
    c->config.policies = c->policies;
    c->config.policy_count = POLICIES;
    c->config.fib.filter[0] = (struct policy_chain){c->indices, POLICIES, chance(2) == 0};
}

/* ---- routes by chance ---- */

struct route_parts {
    uint32_t path[5], communities[4];
    struct large_community large[2];
};

/* Lists are sorted and unique, as attr.h wants them. */
static struct attr_values any_attrs(struct route_parts *r) {
    uint32_t ases = chance(4), communities = chance(5);
    r->path[0] = (uint32_t)AS_SEQUENCE << 16 | ases;
    for (uint32_t i = 0; i < ases; i++)
        r->path[1 + i] = 65001 + chance(3);
    for (uint32_t i = 0; i < communities; i++)
        r->communities[i] = 65001u << 16 | i;
    r->large[0] = (struct large_community){65001, 0, chance(3)};
    r->large[1] = (struct large_community){65001, 1, chance(3)};
    return (struct attr_values){.origin = (uint8_t)chance(3),
                                .next_hop = any_prefix().addr,
                                .link_local = chance(2) ? ip4(1) : (struct ip_addr){0},
                                .has_local_pref = chance(4) > 0,
                                .local_pref = 100 + chance(5),
                                .has_med = chance(2) > 0,
                                .med = chance(3) ? 100 + chance(4) : UINT32_MAX - 50,
                                .as_path = {r->path, ases ? ases + 1 : 0},
                                .communities = r->communities,
                                .community_count = communities,
                                .large_communities = r->large,
                                .large_community_count = chance(3)};
}

static struct oracle_candidate any_candidate(const struct attr_values *attrs) {
    static const char *const interfaces[] = {"", "cali1", "eth0", "tunl0"};
    static const uint32_t metrics[] = {UINT32_MAX, 0, 50, 1024};
    return (struct oracle_candidate){.prefix = any_prefix(),
                                     .attrs = attrs,
                                     .source = (enum route_source)(1 + chance(5)),
                                     .interface = interfaces[chance(4)],
                                     .metric = metrics[chance(4)],
                                     .external_session = chance(2),
                                     .tag = 100 + chance(4)};
}

/* ---- what they say ---- */

static void same_values(const struct attr_values *a, const struct attr_values *b) {
    assert_int_equal(a->origin, b->origin);
    assert_int_equal(a->has_med, b->has_med);
    assert_int_equal(a->med, b->med);
    assert_int_equal(a->has_local_pref, b->has_local_pref);
    assert_int_equal(a->local_pref, b->local_pref);
    assert_true(ip_equal(a->next_hop, b->next_hop));
    assert_true(ip_equal(a->link_local, b->link_local));
    assert_int_equal(a->as_path.word_count, b->as_path.word_count);
    for (uint32_t i = 0; i < a->as_path.word_count; i++)
        assert_int_equal(a->as_path.words[i], b->as_path.words[i]);
    assert_int_equal(a->community_count, b->community_count);
    for (uint32_t i = 0; i < a->community_count; i++)
        assert_int_equal(a->communities[i], b->communities[i]);
    assert_int_equal(a->large_community_count, b->large_community_count);
    for (uint32_t i = 0; i < a->large_community_count; i++)
        assert_int_equal(
            large_community_compare(&a->large_communities[i], &b->large_communities[i]), 0);
}

static enum oracle_next_hop next_hop_of(const struct policy_route *r) {
    return r->next_hop_self   ? ORACLE_NEXT_HOP_SELF
           : r->next_hop_peer ? ORACLE_NEXT_HOP_PEER
           : r->next_hop_keep ? ORACLE_NEXT_HOP_SET
                              : ORACLE_NEXT_HOP_UNTOUCHED;
}

/* Conditions that held and did not, and actions of terms that were taken. */
static size_t held[MATCH_KINDS][2], acted[ACTION_KINDS];

static void count_match(void *context, const struct policy_match *m, bool holds) {
    (void)context;
    held[m->kind][holds]++;
}

static void count_term(void *context, const struct policy *p, const struct policy_term *t,
                       bool holds) {
    (void)context;
    (void)p;
    for (uint32_t i = 0; holds && t->verdict != POLICY_REJECT && i < t->action_count; i++)
        acted[t->actions[i].kind]++;
}

/* True: it passes. */
static bool compare_chain(const struct chain *c, const struct oracle_candidate *given,
                          struct arena *arena) {
    static const struct oracle_tracer tracer = {count_match, count_term, NULL};
    uint32_t weight = 7, again = 7;
    enum oracle_next_hop next_hop = ORACLE_NEXT_HOP_UNTOUCHED;
    struct attr_values mine, traced;
    bool no_memory = false;
    const struct policy_chain *chain = &c->config.fib.filter[0];
    struct oracle_candidate candidate = *given;
    candidate.weight = &weight;
    candidate.next_hop = &next_hop;
    struct policy_route theirs = {.prefix = given->prefix,
                                  .attrs = *given->attrs,
                                  .source = given->source,
                                  .interface = given->interface,
                                  .metric = given->metric,
                                  .weight = 7,
                                  .tag = given->tag,
                                  .external = given->external_session,
                                  .arena = arena};
    const char *rule = NULL;
    bool passes = oracle_policy(&c->config, chain, &candidate, arena, &mine, &rule);
    assert_int_equal(passes, policy_run(&c->config, chain, &theirs, NULL, &no_memory));
    assert_false(no_memory);
    assert_non_null(rule);
    candidate.weight = &again; /* looking changes nothing */
    assert_int_equal(
        passes, oracle_policy_traced(&c->config, chain, &candidate, arena, &tracer, &traced, NULL));
    same_values(&mine, &traced);
    if (!passes)
        return false;
    assert_int_equal(weight, theirs.weight);
    assert_int_equal(again, theirs.weight);
    assert_int_equal(next_hop, next_hop_of(&theirs));
    same_values(&mine, &theirs.attrs);
    return true;
}

/* The kernel's filter knows a route's prefix, source, next hop and local preference. */
static bool compare_kernel(const struct chain *c, const struct oracle_candidate *given,
                           struct arena *arena) {
    const char *device = NULL;
    struct attr_values attrs = {.next_hop = given->attrs->next_hop,
                                .has_local_pref = given->source == ROUTE_SOURCE_BGP,
                                .local_pref = given->attrs->local_pref};
    struct oracle_candidate candidate = {.prefix = given->prefix,
                                         .attrs = &attrs,
                                         .source = given->source,
                                         .interface = "",
                                         .metric = UINT32_MAX};
    if (!attrs.has_local_pref)
        attrs.next_hop = (struct ip_addr){0};
    struct bgp_fib_route route = {.prefix = given->prefix,
                                  .next_hop = attrs.next_hop,
                                  .local_pref = attrs.local_pref,
                                  .source = given->source};
    bool mine = oracle_kernel_filter(&c->config, &candidate, arena, &device);
    struct bgp_fib_decision d = bgp_fib_decide(&c->config, &route);
    assert_int_equal(mine, d.install);
    assert_string_equal(device ? device : "", d.device ? d.device : "");
    return device != NULL;
}

static void both_evaluations_agree(void **state) {
    size_t passed = 0;
    (void)state;
    for (size_t i = 0; i < TRIES; i++) {
        struct chain c;
        struct route_parts parts;
        struct arena *arena = arena_new();
        struct attr_values attrs = any_attrs(&parts);
        struct oracle_candidate candidate = any_candidate(&attrs);
        any_chain(&c);
        passed += compare_chain(&c, &candidate, arena);
        arena_free(arena);
    }
    assert_in_range(passed, TRIES / 10, TRIES - TRIES / 10);
    for (size_t k = 0; k < MATCH_KINDS; k++) {
        assert_true(held[k][false] > 0);
        assert_true(held[k][true] > 0);
    }
    for (size_t k = 0; k < ACTION_KINDS; k++)
        assert_true(acted[k] > 0);
}

/* What the kernel's filter asks, and no more: its conditions and its one action. */
static void keep_what_kernels_ask(struct chain *c) {
    static const enum policy_match_kind kinds[] = {POLICY_MATCH_PREFIX, POLICY_MATCH_SOURCE,
                                                   POLICY_MATCH_NEXT_HOP,
                                                   POLICY_MATCH_LOCAL_PREF_ABOVE};
    for (size_t p = 0; p < POLICIES; p++) {
        for (size_t i = 0; i < TERMS; i++) {
            struct term_parts *t = &c->parts[p][i];
            for (size_t k = 0; k < MATCHES; k++)
                t->matches[k] = any_match(&t->match_lists[k], kinds[chance(4)]);
            for (size_t k = 0; k < ACTIONS; k++)
                t->actions[k].kind = POLICY_SET_DEVICE;
        }
    }
}

static void both_kernel_filters_agree(void **state) {
    size_t tunnelled = 0;
    (void)state;
    for (size_t i = 0; i < TRIES / 3; i++) {
        struct chain c;
        struct route_parts parts;
        struct arena *arena = arena_new();
        struct attr_values attrs = any_attrs(&parts);
        struct oracle_candidate candidate = any_candidate(&attrs);
        any_chain(&c);
        keep_what_kernels_ask(&c);
        tunnelled += compare_kernel(&c, &candidate, arena);
        arena_free(arena);
    }
    assert_in_range(tunnelled, TRIES / 30, TRIES / 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_evaluations_agree),
        cmocka_unit_test(both_kernel_filters_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
