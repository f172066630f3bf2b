/*
 * Configurations: what the check refuses, that a copy shares nothing and compares equal, what
 * counts as a change.
 */
#include "config.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "config_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct bgp_peer_config peers[BGP_PEERS_MAX + 1];
static struct bgp_origin_config origins[2];

static void good(struct bgp_config *c) {
    bgp_config_init(c, BGP_PROFILE_CALICO);
    c->local_as = 64512;
    c->router_id = ip4(0x0A000001);
    c->peers = peers;
    c->peer_count = 2;
    c->origins = origins;
    c->origin_count = 2;
    for (uint32_t i = 0; i < 2; i++) {
        bgp_peer_config_init(&peers[i], BGP_PROFILE_CALICO);
        snprintf(peers[i].name, sizeof peers[i].name, "p%u", i);
        peers[i].remote_addr = ip4(0x0A000002 + i);
        peers[i].remote_as = 64512;
        origins[i] =
            (struct bgp_origin_config){.prefix = ip_prefix_make(ip4(0x0B000000 + (i << 8)), 24),
                                       .source = ROUTE_SOURCE_STATIC};
    }
}

/* ---- check ---- */

static void as_zero(struct bgp_config *c) {
    c->local_as = 0;
}
static void as_trans(struct bgp_config *c) {
    c->peers[0].remote_as = 23456;
}
static void as_last(struct bgp_config *c) {
    c->peers[0].remote_as = 65535;
}
static void as_max(struct bgp_config *c) {
    c->peers[1].local_as = UINT32_MAX;
}
static void twice(struct bgp_config *c) {
    strncpy(c->peers[1].name, "p0", BGP_PEER_NAME_MAX);
}
static void no_name(struct bgp_config *c) {
    c->peers[1].name[0] = '\0';
}
static void no_id(struct bgp_config *c) {
    c->router_id = ip4(0);
}
static void id_v6(struct bgp_config *c) {
    c->router_id.family = IP_V6;
}
static void hold_one(struct bgp_config *c) {
    c->hold_time_set = true, c->hold_time_s = 1;
}
static void hold_two(struct bgp_config *c) {
    c->peers[0].hold_time_set = true;
    c->peers[0].hold_time_s = 2;
}
static void client(struct bgp_config *c) {
    c->peers[0].rr_client = true, c->peers[0].remote_as = 1;
}
static void key(struct bgp_config *c) {
    static const struct bgp_password long_one = {BGP_PASSWORD_MAX + 1, {[BGP_PASSWORD_MAX] = 1}};
    c->peers[0].password = &long_one;
}
static void ttl(struct bgp_config *c) {
    c->peers[0].ttl_security_hops = 1;
    c->peers[0].multihop = 2;
}
static void no_family(struct bgp_config *c) {
    c->peers[0].families[0] = false;
}
static void no_address(struct bgp_config *c) {
    c->peers[0].remote_addr = (struct ip_addr){0};
}
static void own_address(struct bgp_config *c) {
    c->peers[0].local_addr = c->peers[0].remote_addr;
}
static void foreign_policy(struct bgp_config *c) {
    static const uint16_t index[] = {7};
    c->peers[0].import[0] = (struct policy_chain){.policies = index, .count = 1};
}
static void host_bits(struct bgp_config *c) {
    c->origins[0].prefix.addr.bytes[3] = 1;
}
static void unsorted(struct bgp_config *c) {
    c->origins[1] = c->origins[0];
}
static void internal_role(struct bgp_config *c) {
    c->peers[0].role = BGP_ROLE_PEER;
}
static void strict_without_role(struct bgp_config *c) {
    c->peers[0].role_strict = true;
}
static void short_send_hold(struct bgp_config *c) {
    c->peers[0].hold_time_set = true;
    c->peers[0].hold_time_s = c->peers[0].send_hold_time_s = 90;
}
static void next_hop_without_ipv4(struct bgp_config *c) {
    c->peers[0].families[BGP_IPV4_UNICAST] = false;
    c->peers[0].families[BGP_IPV6_UNICAST] = true;
    c->peers[0].extended_next_hop = true;
}
static void long_text(struct bgp_config *c) {
    static char text[BGP_SHUTDOWN_TEXT_MAX + 2];
    memset(text, 'x', sizeof text - 1);
    c->peers[0].shutdown_text = text;
}
static struct bgp_listen_range ranges[BGP_LISTEN_RANGES_MAX + 1];
static void one_range(struct bgp_config *c) {
    c->listen_ranges = ranges;
    c->listen_range_count = 1;
    memset(ranges, 0, sizeof ranges);
    for (uint32_t i = 0; i <= BGP_LISTEN_RANGES_MAX; i++) {
        ranges[i].prefix = ip_prefix_make(ip4(0x0C000000 + (i << 8)), 24);
        ranges[i].peer = c->peers[0];
        ranges[i].peer.remote_addr = (struct ip_addr){0};
    }
}
static void range_host_bits(struct bgp_config *c) {
    one_range(c);
    ranges[0].prefix.addr.bytes[3] = 1;
}
static void range_twice(struct bgp_config *c) {
    one_range(c);
    ranges[1] = ranges[0];
    c->listen_range_count = 2;
}
static void range_name(struct bgp_config *c) {
    one_range(c);
    memset(ranges[0].peer.name, 'n', BGP_PEER_NAME_MAX - 2);
    ranges[0].peer.name[BGP_PEER_NAME_MAX - 1] = '\0';
}
static void many_ranges(struct bgp_config *c) {
    one_range(c);
    c->listen_range_count = BGP_LISTEN_RANGES_MAX + 1;
}
static void many(struct bgp_config *c) {
    for (uint32_t i = 2; i <= BGP_PEERS_MAX; i++) {
        peers[i] = peers[1];
        snprintf(peers[i].name, sizeof peers[i].name, "p%u", i);
    }
    c->peer_count = BGP_PEERS_MAX + 1;
}

static void stray_members(struct bgp_config *c) {
    static const uint32_t members[] = {65001};
    c->confederation_members = members;
    c->confederation_member_count = 1;
}
static void bad_confederation(struct bgp_config *c) {
    c->confederation_id = 23456;
}
static struct bgp_aggregate_config aggregates[2] = {{.prefix = {.addr = {.family = IP_V4}}},
                                                    {.prefix = {.addr = {.family = IP_V4}}}};
static void twice_aggregated(struct bgp_config *c) {
    c->aggregates = aggregates;
    c->aggregate_count = 2;
}
static void suppress_unknown(struct bgp_config *c) {
    static struct bgp_aggregate_config a = {.prefix = {.addr = {.family = IP_V4}},
                                            .suppress_policy = 1};
    c->aggregates = &a;
    c->aggregate_count = 1;
}

/* Policies, and what names them by index + 1. */
static struct policy_term two_terms[BGP_POLICY_TERMS_MAX + 1];
static struct policy one_policy;
static void with_one_policy(struct bgp_config *c) {
    memset(two_terms, 0, sizeof two_terms);
    one_policy = (struct policy){"p", two_terms, 2, POLICY_ACCEPT};
    c->policies = &one_policy;
    c->policy_count = 1;
}
static struct policy_prefix element = {.length_min = 24, .length_max = 24};
static const struct policy_match list = {
    .kind = POLICY_MATCH_PREFIX, .prefixes = &element, .prefix_count = 1};
static const struct policy_match lists = {
    .kind = POLICY_MATCH_ANY_OF, .alternatives = &list, .alternative_count = 1};
static void with_list(struct bgp_config *c, const struct policy_match *m, uint8_t length_min) {
    with_one_policy(c);
    element.length_min = length_min;
    two_terms[1].matches = m;
    two_terms[1].match_count = 1;
}
static void no_length_fits(struct bgp_config *c) {
    with_list(c, &list, 25);
}
static void no_length_of_any_fits(struct bgp_config *c) {
    with_list(c, &lists, 25);
}
static void many_terms(struct bgp_config *c) {
    with_one_policy(c);
    one_policy.term_count = BGP_POLICY_TERMS_MAX + 1;
}
static void goes_on_at_itself(struct bgp_config *c) {
    with_one_policy(c);
    two_terms[1].continue_at = 1;
}
static void goes_on_behind(struct bgp_config *c) {
    with_one_policy(c);
    two_terms[0].continue_at = 3;
}
static void long_chain(struct bgp_config *c) {
    static const uint16_t chain[BGP_POLICY_CHAIN_MAX + 1];
    with_one_policy(c);
    c->peers[0].export[1] =
        (struct policy_chain){.policies = chain, .count = BGP_POLICY_CHAIN_MAX + 1};
}
static void unknown_export(struct bgp_config *c) {
    static const uint16_t chain[] = {1};
    with_one_policy(c);
    c->peers[0].export[1] = (struct policy_chain){.policies = chain, .count = 1};
}
static void unknown_default(struct bgp_config *c) {
    with_one_policy(c);
    c->peers[0].default_policy[1] = 2;
}
static void unknown_unsuppress(struct bgp_config *c) {
    c->peers[0].unsuppress_policy[0] = 1;
}
static struct bgp_condition_config conditions[BGP_CONDITIONS_MAX + 1];
static void with_conditions(struct bgp_config *c, uint32_t count) {
    with_one_policy(c);
    for (uint32_t i = 0; i <= BGP_CONDITIONS_MAX; i++)
        conditions[i] = (struct bgp_condition_config){.advertise_policy = 1, .exist_policy = 1};
    c->peers[0].conditions = conditions;
    c->peers[0].condition_count = count;
}
static void many_conditions(struct bgp_config *c) {
    with_conditions(c, BGP_CONDITIONS_MAX + 1);
}
static void half_condition(struct bgp_config *c) {
    with_conditions(c, 2);
    conditions[1].exist_policy = 0;
}
static void other_half(struct bgp_config *c) {
    with_conditions(c, 2);
    conditions[1].advertise_policy = 0;
}
static void unknown_exist(struct bgp_config *c) {
    with_conditions(c, 2);
    conditions[1].exist_policy = 2;
}
static void unknown_advertise(struct bgp_config *c) {
    with_conditions(c, 2);
    conditions[1].advertise_policy = 2;
}
static void other_family(struct bgp_config *c) {
    c->peers[0].local_addr = (struct ip_addr){IP_V6, {0x20, 1, [15] = 1}};
}
static void warns_above_all(struct bgp_config *c) {
    c->peers[0].prefix_warning_percent = 101;
}
static void bad_origin(struct bgp_config *c) {
    c->origins[0].origin = 3;
}
static void learned_origin(struct bgp_config *c) {
    c->origins[0].source = ROUTE_SOURCE_BGP;
}
static void aggregate_origin(struct bgp_config *c) {
    c->origins[0].source = ROUTE_SOURCE_AGGREGATE;
}
static void sourceless_origin(struct bgp_config *c) {
    c->origins[1].source = (enum route_source)0;
}
static void listens_elsewhere(struct bgp_config *c) {
    c->listen_addr4 = ip6((const uint8_t[16]){[15] = 1});
}
static void listens_on_ipv4(struct bgp_config *c) {
    c->listen_addr6 = ip4(0x7F000001);
}
/* Octets that differ from digits in one bit. */
static void bad_digits(struct bgp_config *c) {
    c->origins[0].attributes = "40 05 04 0000006\x14";
}

static void bad_attributes(struct bgp_config *c) {
    c->origins[0].attributes = "40 05 03 000064";
}
static void aggregate_bits(struct bgp_config *c) {
    static struct bgp_aggregate_config a = {.prefix = {.addr = {.family = IP_V4, .bytes = {10}}}};
    c->aggregates = &a;
    c->aggregate_count = 1;
}
static struct bgp_dampening_config dampening[2];
static void with_dampening(struct bgp_config *c) {
    for (uint32_t i = 0; i < 2; i++)
        dampening[i] = (struct bgp_dampening_config){.family = (enum bgp_family)i,
                                                     .half_life_s = 1,
                                                     .reuse = 1,
                                                     .suppress = 1,
                                                     .suppress_max_s = 1};
    c->dampening = dampening;
    c->dampening_count = 2;
}
static void no_half_life(struct bgp_config *c) {
    with_dampening(c);
    dampening[1].half_life_s = 0;
}
static void no_reuse(struct bgp_config *c) {
    with_dampening(c);
    dampening[1].reuse = 0;
}
static void reuse_above(struct bgp_config *c) {
    with_dampening(c);
    dampening[1].reuse = 2;
}
static void no_longest(struct bgp_config *c) {
    with_dampening(c);
    dampening[1].suppress_max_s = 0;
}
static void dampened_twice(struct bgp_config *c) {
    with_dampening(c);
    dampening[0].family = dampening[1].family;
}
static void dampened_by_nothing(struct bgp_config *c) {
    with_dampening(c);
    dampening[1].policy = 1;
}

static void at_its_limits(struct bgp_config *c) {
    static const uint16_t chain[BGP_POLICY_CHAIN_MAX];
    with_conditions(c, BGP_CONDITIONS_MAX);
    element.length_min = 24;
    two_terms[1].matches = &list;
    two_terms[1].match_count = 1;
    one_policy.term_count = BGP_POLICY_TERMS_MAX;
    two_terms[0].continue_at = BGP_POLICY_TERMS_MAX;
    two_terms[1].continue_at = 2;
    c->peers[0].import[0] = (struct policy_chain){.policies = chain, .count = BGP_POLICY_CHAIN_MAX};
    c->peers[0].default_policy[0] = c->peers[0].unsuppress_policy[0] = 1;
    c->peers[0].prefix_warning_percent = 100;
    c->origins[0].origin = 2;
    c->origins[0].attributes = "40 05 04 00000064";
    with_dampening(c);
}

static void with_link_local(struct bgp_config *c) {
    static const uint8_t bytes[16] = {0xFE, 0x80, [15] = 9};
    c->profile = BGP_PROFILE_PLAIN;
    c->peers[0].remote_addr = ip6(bytes);
    c->peers[0].passive = true;
}
static void calls_link_local(struct bgp_config *c) {
    with_link_local(c);
    c->peers[0].passive = false;
}

static void calls_from_link_local(struct bgp_config *c) {
    static const uint8_t bytes[16] = {0xFD, [15] = 9};
    with_link_local(c);
    c->peers[0].local_addr = c->peers[0].remote_addr;
    c->peers[0].remote_addr = ip6(bytes);
    c->peers[0].passive = false;
}
static void listens_on_link_local(struct bgp_config *c) {
    with_link_local(c);
    c->listen_addr6 = c->peers[0].remote_addr;
}

struct spoil {
    const char *id;
    void (*spoil)(struct bgp_config *c);
};

/* The speaker, its peers and ranges. */
static const struct spoil spoiled_peers[] = {
    {"bad-as", as_zero},
    {"bad-as", as_trans},
    {"bad-as", as_last},
    {"bad-as", as_max},
    {"duplicate-peer", twice},
    {"bad-name", no_name},
    {"no-router-id", no_id},
    {"no-router-id", id_v6},
    {"bad-hold-time", hold_one},
    {"bad-hold-time", hold_two},
    {"external-client", client},
    {"bad-password", key},
    {"ttl-conflict", ttl},
    {"no-family", no_family},
    {"bad-address", no_address},
    {"bad-address", own_address},
    {"bad-address", calls_link_local},
    {"bad-address", calls_from_link_local},
    {"bad-address", listens_on_link_local},
    {"internal-role", internal_role},
    {"strict-role", strict_without_role},
    {"bad-send-hold-time", short_send_hold},
    {"no-family", next_hop_without_ipv4},
    {"too-long", long_text},
    {"host-bits", range_host_bits},
    {"duplicate-range", range_twice},
    {"bad-name", range_name},
    {"too-many", many_ranges},
    {"no-confederation", stray_members},
    {"bad-as", bad_confederation},
};

/* What it does with routes. */
static const struct spoil spoiled_policies[] = {
    {"unknown-policy", foreign_policy},
    {"host-bits", host_bits},
    {"bad-order", unsorted},
    {"too-many", many},
    {"duplicate-aggregate", twice_aggregated},
    {"unknown-policy", suppress_unknown},
    {"too-many", many_terms},
    {"bad-continue", goes_on_at_itself},
    {"bad-continue", goes_on_behind},
    {"bad-length", no_length_fits},
    {"bad-length", no_length_of_any_fits},
    {"too-many", long_chain},
    {"unknown-policy", unknown_export},
    {"unknown-policy", unknown_default},
    {"unknown-policy", unknown_unsuppress},
    {"too-many", many_conditions},
    {"bad-condition", half_condition},
    {"bad-condition", other_half},
    {"unknown-policy", unknown_exist},
    {"unknown-policy", unknown_advertise},
    {"bad-address", other_family},
    {"bad-percent", warns_above_all},
    {"bad-origin", bad_origin},
    {"bad-source", learned_origin},
    {"bad-source", aggregate_origin},
    {"bad-source", sourceless_origin},
    {"bad-address", listens_elsewhere},
    {"bad-address", listens_on_ipv4},
    {"bad-attributes", bad_attributes},
    {"bad-attributes", bad_digits},
    {"host-bits", aggregate_bits},
    {"bad-dampening", no_half_life},
    {"bad-dampening", no_reuse},
    {"bad-dampening", reuse_above},
    {"bad-dampening", no_longest},
    {"duplicate-dampening", dampened_twice},
    {"unknown-policy", dampened_by_nothing},
};

static void refuses(const struct spoil *s) {
    struct bgp_config c;
    struct diag_list *d = diag_list_new();
    good(&c);
    s->spoil(&c);
    assert_false(bgp_config_check(&c, "file", d));
    assert_int_equal(diag_error_count(d), 1);
    assert_string_equal(diag_at(d, 0)->id, s->id);
    diag_list_free(d);
}

static void test_C149_check(void **state) {
    (void)state;
    struct bgp_config c;
    struct diag_list *d = diag_list_new();
    good(&c);
    assert_true(bgp_config_check(&c, "file", d));
    assert_int_equal(diag_count(d), 0);
    one_range(&c);
    c.listen_range_count = BGP_LISTEN_RANGES_MAX;
    at_its_limits(&c);
    with_link_local(&c);
    assert_true(bgp_config_check(&c, "file", d));
    assert_int_equal(diag_count(d), 0);
    diag_list_free(d);
    for (unsigned i = 0; i < sizeof spoiled_peers / sizeof *spoiled_peers; i++)
        refuses(&spoiled_peers[i]);
    for (unsigned i = 0; i < sizeof spoiled_policies / sizeof *spoiled_policies; i++)
        refuses(&spoiled_policies[i]);
}

/* ---- copy and difference ---- */

static const uint16_t chain[] = {0};
static uint32_t asns[] = {1, 2};
static struct policy_prefix prefixes[1];
static struct policy_match inner = {
    .kind = POLICY_MATCH_AS_PATH_PREFIX, .asns = asns, .asn_count = 2};
static struct policy_match matches[] = {
    {.kind = POLICY_MATCH_PREFIX, .prefixes = prefixes, .prefix_count = 1, .name = "list"},
    {.kind = POLICY_MATCH_ANY_OF, .alternatives = &inner, .alternative_count = 1}};
static struct policy_action action = {.kind = POLICY_PREPEND_AS_PATH, .asns = asns, .asn_count = 2};
static struct policy_term term = {
    .name = "t", .matches = matches, .match_count = 2, .actions = &action, .action_count = 1};
static struct policy policies[] = {{.name = "p", .terms = &term, .term_count = 1}};

static void with_policy(struct bgp_config *c) {
    good(c);
    c->policies = policies;
    c->policy_count = 1;
    c->peers[0].import[0] = (struct policy_chain){.policies = chain, .count = 1};
}

static bool import_differs(const struct bgp_config *a, const struct bgp_config *b) {
    uint64_t *x = config_policy_digests(a), *y = config_policy_digests(b);
    struct arena *arena = arena_new();
    const struct bgp_neighbor *p[2], *q[2];
    assert_true(a->peer_count == 2 && b->peer_count == 2);
    assert_true(neighbors_make(arena, a, p, NULL) && neighbors_make(arena, b, q, NULL));
    const struct config_side left = {a, x, p[0]}, right = {b, y, q[0]};
    bool differs = config_diff_import(&left, &right);
    arena_free(arena);
    alloc_free(x);
    alloc_free(y);
    return differs;
}

/* A change anywhere in the source after copying shows as a difference: so nothing is shared, and
 * nothing is left out of the digest. */
static void copy_shares_nothing(void **state) {
    (void)state;
    uint32_t *const words[] = {&asns[1], &inner.value, &matches[0].value, &action.value,
                               &term.continue_at};
    struct bgp_config c;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        struct arena *arena = arena_new();
        with_policy(&c);
        struct bgp_config *copy = bgp_config_copy(arena, &c);
        assert_non_null(copy);
        assert_false(import_differs(&c, copy));
        *words[i] += 1;
        assert_true(import_differs(&c, copy));
        *words[i] -= 1;
        prefixes[0].deny = true;
        assert_true(import_differs(&c, copy));
        prefixes[0].deny = false;
        assert_false(import_differs(&c, copy));
        arena_free(arena);
    }
}

static void copy_without_memory(void **state) {
    (void)state;
    struct bgp_config c;
    with_policy(&c);
    for (unsigned long n = 1; n < 10; n++) {
        struct arena *arena = arena_new();
        alloc_fail_after(n, true);
        struct bgp_config *copy = bgp_config_copy(arena, &c);
        alloc_fail_after(0, false);
        if (copy)
            assert_false(import_differs(&c, copy));
        else
            assert_true(n < 9);
        arena_free(arena);
    }
}

/* `moves`: the host listens, connects or authenticates differently. */
static enum bgp_down_reason resets(enum bgp_profile profile, const struct bgp_peer_config *a,
                                   const struct bgp_peer_config *b, bool moves) {
    struct bgp_peer_config both[] = {*a, *b};
    const struct bgp_config c = {.peers = both, .peer_count = 2};
    const struct bgp_neighbor *n[2];
    struct arena *arena = arena_new();
    assert_true(neighbors_make(arena, &c, n, NULL));
    enum bgp_down_reason why = config_diff_resets_peer(profile, n[0], n[1]);
    assert_int_equal(config_diff_endpoint(n[0], n[1]), moves);
    arena_free(arena);
    return why;
}

static void what_resets(void **state) {
    (void)state;
    static const struct bgp_password k = {1, {'k'}};
    const enum bgp_profile ios = BGP_PROFILE_IOS, calico = BGP_PROFILE_CALICO;
    struct bgp_peer_config a, b;
    bgp_peer_config_init(&a, calico);
    b = a;
    b.passive = true;
    b.keepalive_s = 7;
    b.weight = 9;
    b.fall_over = true;
    assert_int_equal(resets(calico, &a, &b, false), BGP_DOWN_NONE);
    b = a;
    b.password = &k;
    assert_int_equal(resets(calico, &a, &b, true), BGP_DOWN_CONFIG_CHANGE);
    assert_int_equal(resets(ios, &a, &b, true), BGP_DOWN_NONE); /* C202: a live change */
    b = a;
    /* What is changed beside counts for more. */
    b.rr_client = true;
    assert_int_equal(resets(ios, &a, &b, false), BGP_DOWN_RR_CLIENT_CHANGE);
    b.role = BGP_ROLE_PEER;
    assert_int_equal(resets(ios, &a, &b, false), BGP_DOWN_CAPABILITY_CHANGE);
    b.families[BGP_IPV6_UNICAST] = !a.families[BGP_IPV6_UNICAST];
    assert_int_equal(resets(ios, &a, &b, false), BGP_DOWN_FAMILIES_CHANGE);
    b.remote_port = 1179;
    assert_int_equal(resets(ios, &a, &b, true), BGP_DOWN_CONFIG_CHANGE);
    b.multihop = 9;
    assert_int_equal(resets(ios, &a, &b, true), BGP_DOWN_MULTIHOP_CHANGE);
    b.local_addr = ip4(0x0A000009);
    assert_int_equal(resets(ios, &a, &b, true), BGP_DOWN_SOURCE_CHANGE);
    b.local_as = 65009;
    assert_int_equal(resets(ios, &a, &b, true), BGP_DOWN_LOCAL_AS_CHANGE);
    b.remote_as = 65008;
    assert_int_equal(resets(ios, &a, &b, true), BGP_DOWN_REMOTE_AS_CHANGE);
}

static void where_it_listens(void **state) {
    static const struct {
        const char *given4, *given6, *on4, *on6; /* NULL: not given; not at all */
    } rows[] = {
        {NULL, NULL, "0.0.0.0", "::"},
        {"10.0.0.1", NULL, "10.0.0.1", NULL},
        {NULL, "fd00::1", NULL, "fd00::1"},
        {"10.0.0.1", "fd00::1", "10.0.0.1", "fd00::1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bgp_config c = {.listen = true};
        struct ip_addr on;
        char text[IP_ADDR_TEXT_MAX];
        if (rows[i].given4)
            assert_true(ip_parse(rows[i].given4, &c.listen_addr4));
        if (rows[i].given6)
            assert_true(ip_parse(rows[i].given6, &c.listen_addr6));
        assert_int_equal(bgp_config_listens(&c, IP_V4, &on), rows[i].on4 != NULL);
        if (rows[i].on4)
            assert_string_equal(ip_format(on, text), rows[i].on4);
        assert_int_equal(bgp_config_listens(&c, IP_V6, &on), rows[i].on6 != NULL);
        if (rows[i].on6)
            assert_string_equal(ip_format(on, text), rows[i].on6);
        c.listen = false;
        assert_false(bgp_config_listens(&c, IP_V4, &on) || bgp_config_listens(&c, IP_V6, &on));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C149_check),     cmocka_unit_test(copy_shares_nothing),
        cmocka_unit_test(copy_without_memory), cmocka_unit_test(what_resets),
        cmocka_unit_test(where_it_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
