/*
 * The policy engine by itself: every kind of match on one route, every action's octets, and the
 * walk over terms, policies and the chain. What front ends compile into it is their tests' affair.
 */
#include "codec_test.h"
#include "limits.h"
#include "speaker.h"

#include "../base/arena.h"
#include "../base/text.h"

#include <string.h>

/* ---- a route, and a policy around what is tried ---- */

static const uint32_t path[] = {AS_SEQUENCE << 16 | 2, 65001, 65002};
static const uint32_t communities[] = {0xFDE90001, 0xFDE90002};
static const struct large_community larges[] = {{1, 2, 3}, {4, 5, 6}};

static struct policy_route route_of(struct arena *arena) {
    return (struct policy_route){
        .prefix = {ip4(0x0A010200), 24},
        .attrs = {.as_path = {path, 3},
                  .next_hop = ip4(0x0A000002),
                  .has_med = true,
                  .med = 7,
                  .has_local_pref = true,
                  .local_pref = 100,
                  .communities = communities,
                  .community_count = 2,
                  .large_communities = larges,
                  .large_community_count = 2},
        .source = ROUTE_SOURCE_BGP,
        .interface = "cali12",
        .metric = UINT32_MAX,
        .tag = 9,
        .external = true,
        .arena = arena,
    };
}

/* One policy of one term, whose match and action may be left out. */
static bool run_one(const struct policy_match *m, const struct policy_action *a,
                    struct policy_route *r, bool *ret_no_memory) {
    const struct policy_term term = {.name = "one",
                                     .matches = m,
                                     .match_count = m ? 1 : 0,
                                     .actions = a,
                                     .action_count = a ? 1 : 0,
                                     .verdict = POLICY_ACCEPT};
    struct policy policy = {"p", &term, 1, POLICY_REJECT};
    const struct bgp_config c = {.policies = &policy, .policy_count = 1};
    const struct policy_chain chain = {(const uint16_t[]){0}, 1, false};
    *ret_no_memory = false;
    return policy_run(&c, &chain, r, NULL, ret_no_memory);
}

/* ---- matches ---- */

#define PREFIXES(...)                                                                              \
    .prefixes = (const struct policy_prefix[]){__VA_ARGS__},                                       \
    .prefix_count =                                                                                \
        sizeof((const struct policy_prefix[]){__VA_ARGS__}) / sizeof(struct policy_prefix)
#define ASNS(...)                                                                                  \
    .asns = (const uint32_t[]){__VA_ARGS__},                                                       \
    .asn_count = sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)
#define LARGES(...)                                                                                \
    .large_communities = (const struct large_community[]){__VA_ARGS__},                            \
    .large_community_count =                                                                       \
        sizeof((const struct large_community[]){__VA_ARGS__}) / sizeof(struct large_community)
#define TEN(min, max, no)                                                                          \
    { {{IP_V4, {10}}, 8}, min, max, no }
#define HOST(octet, no)                                                                            \
    { {{IP_V4, {10, 0, 0, octet}}, 32}, 32, 32, no }

struct match_row {
    const char *name;
    bool holds;
    struct policy_match match;
};

static const struct match_row match_rows[] = {
    {"a prefix within", true, {.kind = POLICY_MATCH_PREFIX, PREFIXES(TEN(8, 32, false))}},
    {"a length at the least", true, {.kind = POLICY_MATCH_PREFIX, PREFIXES(TEN(24, 32, false))}},
    {"a length at the most", true, {.kind = POLICY_MATCH_PREFIX, PREFIXES(TEN(8, 24, false))}},
    {"a length too short", false, {.kind = POLICY_MATCH_PREFIX, PREFIXES(TEN(25, 32, false))}},
    {"a length too long", false, {.kind = POLICY_MATCH_PREFIX, PREFIXES(TEN(8, 23, false))}},
    {"another prefix", false, {.kind = POLICY_MATCH_PREFIX, PREFIXES(HOST(2, false))}},
    {"the first element decides",
     false,
     {.kind = POLICY_MATCH_PREFIX, PREFIXES(TEN(8, 32, true), TEN(8, 32, false))}},
    {"the first that fits",
     true,
     {.kind = POLICY_MATCH_PREFIX, PREFIXES(TEN(25, 32, true), TEN(8, 32, false))}},
    {"no prefixes at all", false, {.kind = POLICY_MATCH_PREFIX}},
    {"negated", false, {.kind = POLICY_MATCH_PREFIX, .negate = true, PREFIXES(TEN(8, 32, false))}},
    {"negated, another",
     true,
     {.kind = POLICY_MATCH_PREFIX, .negate = true, PREFIXES(HOST(2, false))}},
    {"the next hop", true, {.kind = POLICY_MATCH_NEXT_HOP, PREFIXES(HOST(2, false))}},
    {"another next hop", false, {.kind = POLICY_MATCH_NEXT_HOP, PREFIXES(HOST(3, false))}},
    {"a community", true, {.kind = POLICY_MATCH_COMMUNITY, ASNS(0xFDE90002)}},
    {"both communities", true, {.kind = POLICY_MATCH_COMMUNITY, ASNS(0xFDE90002, 0xFDE90001)}},
    {"one of them another", false, {.kind = POLICY_MATCH_COMMUNITY, ASNS(0xFDE90001, 0xFDE90003)}},
    {"exactly these communities",
     true,
     {.kind = POLICY_MATCH_COMMUNITY, .exact = true, ASNS(0xFDE90002, 0xFDE90001)}},
    {"exactly one of two",
     false,
     {.kind = POLICY_MATCH_COMMUNITY, .exact = true, ASNS(0xFDE90001)}},
    {"exactly the other of two",
     false,
     {.kind = POLICY_MATCH_COMMUNITY, .exact = true, ASNS(0xFDE90002)}},
    {"a large community", true, {.kind = POLICY_MATCH_LARGE_COMMUNITY, LARGES({4, 5, 6})}},
    {"both large communities",
     true,
     {.kind = POLICY_MATCH_LARGE_COMMUNITY, LARGES({4, 5, 6}, {1, 2, 3})}},
    {"another large community",
     false,
     {.kind = POLICY_MATCH_LARGE_COMMUNITY, LARGES({1, 2, 3}, {1, 2, 4})}},
    {"exactly these large communities",
     true,
     {.kind = POLICY_MATCH_LARGE_COMMUNITY, .exact = true, LARGES({4, 5, 6}, {1, 2, 3})}},
    {"exactly one of two large ones",
     false,
     {.kind = POLICY_MATCH_LARGE_COMMUNITY, .exact = true, LARGES({1, 2, 3})}},
    {"exactly the other of two large ones",
     false,
     {.kind = POLICY_MATCH_LARGE_COMMUNITY, .exact = true, LARGES({4, 5, 6})}},
    {"a path's beginning", true, {.kind = POLICY_MATCH_AS_PATH_PREFIX, ASNS(65001)}},
    {"the whole path", true, {.kind = POLICY_MATCH_AS_PATH_PREFIX, ASNS(65001, 65002)}},
    {"more than the path", false, {.kind = POLICY_MATCH_AS_PATH_PREFIX, ASNS(65001, 65002, 65003)}},
    {"a path's end", false, {.kind = POLICY_MATCH_AS_PATH_PREFIX, ASNS(65002)}},
    {"an expression of the path", true, {.kind = POLICY_MATCH_AS_PATH_REGEX, .text = "_65002$"}},
    {"an expression of no path", false, {.kind = POLICY_MATCH_AS_PATH_REGEX, .text = "^65002"}},
    {"what is no expression", false, {.kind = POLICY_MATCH_AS_PATH_REGEX, .text = "("}},
    {"no expression", false, {.kind = POLICY_MATCH_AS_PATH_REGEX}},
    {"an expression of communities",
     true,
     {.kind = POLICY_MATCH_COMMUNITY_REGEX, .text = "^65001:1 65001:2$"}},
    {"an expression of no community",
     false,
     {.kind = POLICY_MATCH_COMMUNITY_REGEX, .text = "65001:3"}},
    {"what is no expression of communities",
     false,
     {.kind = POLICY_MATCH_COMMUNITY_REGEX, .text = "["}},
    {"no expression of communities", false, {.kind = POLICY_MATCH_COMMUNITY_REGEX}},
    {"the source", true, {.kind = POLICY_MATCH_SOURCE, .value = 1 << ROUTE_SOURCE_BGP}},
    {"all other sources", false, {.kind = POLICY_MATCH_SOURCE, .value = ~(1u << ROUTE_SOURCE_BGP)}},
    {"the interface", true, {.kind = POLICY_MATCH_INTERFACE, .text = "cali12"}},
    {"the interface's beginning", true, {.kind = POLICY_MATCH_INTERFACE, .text = "cali*"}},
    {"the interface's end", true, {.kind = POLICY_MATCH_INTERFACE, .text = "*12"}},
    {"stars that match nothing", true, {.kind = POLICY_MATCH_INTERFACE, .text = "*cali12**"}},
    {"a star to go back to", true, {.kind = POLICY_MATCH_INTERFACE, .text = "c*i?2"}},
    {"any character", true, {.kind = POLICY_MATCH_INTERFACE, .text = "cal?12"}},
    {"a character too many", false, {.kind = POLICY_MATCH_INTERFACE, .text = "cali12?"}},
    {"a character too few", false, {.kind = POLICY_MATCH_INTERFACE, .text = "cali1"}},
    {"another interface", false, {.kind = POLICY_MATCH_INTERFACE, .text = "tunl*"}},
    {"another end", false, {.kind = POLICY_MATCH_INTERFACE, .text = "*13"}},
    {"no interface given", false, {.kind = POLICY_MATCH_INTERFACE}},
    {"an external session", true, {.kind = POLICY_MATCH_PEER_EXTERNAL, .value = 1}},
    {"an internal session", false, {.kind = POLICY_MATCH_PEER_EXTERNAL, .value = 0}},
    {"LOCAL_PREF", true, {.kind = POLICY_MATCH_LOCAL_PREF, .value = 100}},
    {"another LOCAL_PREF", false, {.kind = POLICY_MATCH_LOCAL_PREF, .value = 101}},
    {"LOCAL_PREF above", true, {.kind = POLICY_MATCH_LOCAL_PREF_ABOVE, .value = 99}},
    {"LOCAL_PREF not above itself", false, {.kind = POLICY_MATCH_LOCAL_PREF_ABOVE, .value = 100}},
    {"MED", true, {.kind = POLICY_MATCH_MED, .value = 7}},
    {"another MED", false, {.kind = POLICY_MATCH_MED, .value = 0}},
    {"the tag", true, {.kind = POLICY_MATCH_TAG, .value = 9}},
    {"another tag", false, {.kind = POLICY_MATCH_TAG, .value = 8}},
    {"never", false, {.kind = POLICY_MATCH_NEVER}},
    {"not never", true, {.kind = POLICY_MATCH_NEVER, .negate = true}},
};

static const struct policy_match alternatives[] = {{.kind = POLICY_MATCH_TAG, .value = 8},
                                                   {.kind = POLICY_MATCH_MED, .value = 7}};
static const struct match_row any_of_rows[] = {
    {"any of two",
     true,
     {.kind = POLICY_MATCH_ANY_OF, .alternatives = alternatives, .alternative_count = 2}},
    {"any of one",
     false,
     {.kind = POLICY_MATCH_ANY_OF, .alternatives = alternatives, .alternative_count = 1}},
    {"none of two",
     false,
     {.kind = POLICY_MATCH_ANY_OF,
      .negate = true,
      .alternatives = alternatives,
      .alternative_count = 2}},
    {"none of one",
     true,
     {.kind = POLICY_MATCH_ANY_OF,
      .negate = true,
      .alternatives = alternatives,
      .alternative_count = 1}},
};

static void check_matches(const struct match_row *rows, size_t count,
                          void (*change)(struct policy_route *r)) {
    for (size_t i = 0; i < count; i++) {
        struct policy_route r = route_of(NULL);
        bool no_memory;
        if (change)
            change(&r);
        if (run_one(&rows[i].match, NULL, &r, &no_memory) != rows[i].holds)
            fail_msg("%s: should %s", rows[i].name, rows[i].holds ? "hold" : "not hold");
        assert_false(no_memory);
    }
}

/* A route with nothing but a prefix. */
static void strip(struct policy_route *r) {
    r->attrs = (struct attr_values){0};
    r->interface = NULL;
    r->external = false;
}

static const struct match_row bare_rows[] = {
    {"no next hop",
     false,
     {.kind = POLICY_MATCH_NEXT_HOP, PREFIXES({{{IP_V4, {0}}, 0}, 0, 32, 0})}},
    {"no communities, any", true, {.kind = POLICY_MATCH_COMMUNITY}},
    {"no communities, one", false, {.kind = POLICY_MATCH_COMMUNITY, ASNS(0)}},
    {"no communities, expression", false, {.kind = POLICY_MATCH_COMMUNITY_REGEX, .text = ".*"}},
    {"empty path, expression", true, {.kind = POLICY_MATCH_AS_PATH_REGEX, .text = "^$"}},
    {"no interface is empty", true, {.kind = POLICY_MATCH_INTERFACE, .text = ""}},
    {"no interface, any", true, {.kind = POLICY_MATCH_INTERFACE, .text = "*"}},
    {"no interface, one character", false, {.kind = POLICY_MATCH_INTERFACE, .text = "?"}},
    {"internal", true, {.kind = POLICY_MATCH_PEER_EXTERNAL, .value = 0}},
    {"not external", false, {.kind = POLICY_MATCH_PEER_EXTERNAL, .value = 1}},
    {"no LOCAL_PREF", false, {.kind = POLICY_MATCH_LOCAL_PREF, .value = 0}},
    {"no LOCAL_PREF above", false, {.kind = POLICY_MATCH_LOCAL_PREF_ABOVE, .value = 0}},
    {"no MED is 0", true, {.kind = POLICY_MATCH_MED, .value = 0}},
};

/* Values without the attribute count for nothing; of the communities the first is left. */
static void leave_values(struct policy_route *r) {
    r->attrs.community_count = r->attrs.large_community_count = 1;
    r->attrs.has_local_pref = r->attrs.has_med = false;
}

static const struct match_row left_rows[] = {
    {"LOCAL_PREF that is not there", false, {.kind = POLICY_MATCH_LOCAL_PREF, .value = 100}},
    {"LOCAL_PREF above", false, {.kind = POLICY_MATCH_LOCAL_PREF_ABOVE, .value = 1}},
    {"exactly the one", true, {.kind = POLICY_MATCH_COMMUNITY, .exact = true, ASNS(0xFDE90001)}},
    {"exactly another one",
     false,
     {.kind = POLICY_MATCH_COMMUNITY, .exact = true, ASNS(0xFDE90002)}},
    {"exactly the large one",
     true,
     {.kind = POLICY_MATCH_LARGE_COMMUNITY, .exact = true, LARGES({1, 2, 3})}},
    {"MED that is not there", true, {.kind = POLICY_MATCH_MED, .value = 0}},
};

static void test_matches(void **state) {
    (void)state;
    check_matches(match_rows, sizeof match_rows / sizeof *match_rows, NULL);
    check_matches(any_of_rows, sizeof any_of_rows / sizeof *any_of_rows, NULL);
    check_matches(bare_rows, sizeof bare_rows / sizeof *bare_rows, strip);
    check_matches(left_rows, sizeof left_rows / sizeof *left_rows, leave_values);
}

/* ---- actions ---- */

#define ORIGIN(o) "40 01 01 0" o " "
#define PATH "40 02 0A 02 02 0000FDE9 0000FDEA "
#define HOP "40 03 04 0A000002 "
#define MED(m) "80 04 04 " m " "
#define MED7 MED("00000007")
#define PREF "40 05 04 00000064 "
#define BASE ORIGIN("0") PATH HOP MED7 PREF
#define COMMUNITIES "C0 08 08 FDE90001 FDE90002 "
#define LARGE(l) "C0 20 " l
#define LARGES2 LARGE("18 000000010000000200000003 000000040000000500000006")

struct action_row {
    const char *name;
    struct policy_action action;
    const char *want;
};

static const struct action_row action_rows[] = {
    {"LOCAL_PREF",
     {.kind = POLICY_SET_LOCAL_PREF, .value = 200},
     ORIGIN("0") PATH HOP MED7 "40 05 04 000000C8" COMMUNITIES LARGES2},
    {"MED",
     {.kind = POLICY_SET_MED, .value = 9},
     ORIGIN("0") PATH HOP MED("00000009") PREF COMMUNITIES LARGES2},
    {"MED more",
     {.kind = POLICY_SET_MED, .mode = 1, .value = 9},
     ORIGIN("0") PATH HOP MED("00000010") PREF COMMUNITIES LARGES2},
    {"MED to the most",
     {.kind = POLICY_SET_MED, .mode = 1, .value = UINT32_MAX - 7},
     ORIGIN("0") PATH HOP MED("FFFFFFFF") PREF COMMUNITIES LARGES2},
    {"MED more than the most",
     {.kind = POLICY_SET_MED, .mode = 1, .value = UINT32_MAX - 6},
     ORIGIN("0") PATH HOP MED("FFFFFFFF") PREF COMMUNITIES LARGES2},
    {"MED less",
     {.kind = POLICY_SET_MED, .mode = 2, .value = 6},
     ORIGIN("0") PATH HOP MED("00000001") PREF COMMUNITIES LARGES2},
    {"MED to nothing",
     {.kind = POLICY_SET_MED, .mode = 2, .value = 7},
     ORIGIN("0") PATH HOP MED("00000000") PREF COMMUNITIES LARGES2},
    {"MED less than nothing",
     {.kind = POLICY_SET_MED, .mode = 2, .value = 8},
     ORIGIN("0") PATH HOP MED("00000000") PREF COMMUNITIES LARGES2},
    {"no MED", {.kind = POLICY_CLEAR_MED}, ORIGIN("0") PATH HOP PREF COMMUNITIES LARGES2},
    {"ORIGIN",
     {.kind = POLICY_SET_ORIGIN, .value = 2},
     ORIGIN("2") PATH HOP MED7 PREF COMMUNITIES LARGES2},
    {"next hop",
     {.kind = POLICY_SET_NEXT_HOP, .address = {IP_V4, {10, 0, 0, 9}}},
     ORIGIN("0") PATH "40 03 04 0A000009" MED7 PREF COMMUNITIES LARGES2},
    {"path",
     {.kind = POLICY_PREPEND_AS_PATH, ASNS(1, 2)},
     ORIGIN("0") "40 02 12 02 04 00000001 00000002 0000FDE9 0000FDEA" HOP MED7 PREF COMMUNITIES
         LARGES2},
    {"last AS",
     {.kind = POLICY_PREPEND_LAST_AS, .value = 2},
     ORIGIN("0") "40 02 12 02 04 0000FDE9 0000FDE9 0000FDE9 0000FDEA" HOP MED7 PREF COMMUNITIES
         LARGES2},
    {"communities in front, between, behind, again",
     {.kind = POLICY_ADD_COMMUNITIES, ASNS(0xFDE90003, 1, 0xFDE90002, 0xFDE90001, 1)},
     BASE "C0 08 10 00000001 FDE90001 FDE90002 FDE90003" LARGES2},
    {"other communities",
     {.kind = POLICY_SET_COMMUNITIES, ASNS(9, 8)},
     BASE "C0 08 08 00000008 00000009" LARGES2},
    {"no communities", {.kind = POLICY_SET_COMMUNITIES}, BASE LARGES2},
    {"the first community away",
     {.kind = POLICY_DELETE_COMMUNITIES, ASNS(7, 0xFDE90001)},
     BASE "C0 08 04 FDE90002" LARGES2},
    {"the last community away",
     {.kind = POLICY_DELETE_COMMUNITIES, ASNS(0xFDE90002, 7)},
     BASE "C0 08 04 FDE90001" LARGES2},
    {"all communities away",
     {.kind = POLICY_DELETE_COMMUNITIES, ASNS(0xFDE90002, 0xFDE90001)},
     BASE LARGES2},
    {"large communities in front, between, behind, again",
     {.kind = POLICY_ADD_LARGE_COMMUNITIES,
      LARGES({9, 0, 0}, {0, 9, 9}, {1, 2, 4}, {4, 5, 6}, {1, 2, 3})},
     BASE COMMUNITIES LARGE("3C 000000000000000900000009 000000010000000200000003 "
                            "000000010000000200000004 000000040000000500000006 "
                            "000000090000000000000000")},
};

static void assert_octets(const char *name, const struct policy_route *r, const char *want) {
    bool ipv4 = ip_is_set(r->attrs.next_hop); /* IPv4 is not written without NEXT_HOP */
    const struct attr_encoding how = {.as4 = true,
                                      .family = ipv4 ? BGP_IPV4_UNICAST : BGP_IPV6_UNICAST};
    uint8_t out[256];
    struct byte_writer w = bytes_writer(out, sizeof out);
    assert_true(attr_encode(&r->attrs, &how, &w));
    codec_assert_bytes(name, out, w.at, want);
}

static void test_actions(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof action_rows / sizeof *action_rows; i++) {
        struct arena *arena = arena_new();
        assert_non_null(arena);
        struct policy_route r = route_of(arena);
        bool no_memory;
        assert_true(run_one(NULL, &action_rows[i].action, &r, &no_memory));
        assert_octets(action_rows[i].name, &r, action_rows[i].want);
        /* Interned lists are never changed in place. */
        assert_true(communities[0] == 0xFDE90001 && communities[1] == 0xFDE90002);
        assert_true(larges[0].global == 1 && larges[1].global == 4);
        arena_free(arena);
    }
}

/* Lists that are not there yet. */
static void test_actions_on_nothing(void **state) {
    const struct action_row rows[] = {
        {"MED more",
         {.kind = POLICY_SET_MED, .mode = 1, .value = 9},
         ORIGIN("0") "40 02 00" MED("00000009")},
        {"MED less",
         {.kind = POLICY_SET_MED, .mode = 2, .value = 9},
         ORIGIN("0") "40 02 00" MED("00000000")},
        {"path", {.kind = POLICY_PREPEND_AS_PATH, ASNS(1)}, ORIGIN("0") "40 02 06 02 01 00000001"},
        {"last AS of none", {.kind = POLICY_PREPEND_LAST_AS, .value = 2}, ORIGIN("0") "40 02 00"},
        {"communities",
         {.kind = POLICY_ADD_COMMUNITIES, ASNS(2, 1)},
         ORIGIN("0") "40 02 00 C0 08 08 00000001 00000002"},
        {"no communities away",
         {.kind = POLICY_DELETE_COMMUNITIES, ASNS(1)},
         ORIGIN("0") "40 02 00"},
        {"large communities",
         {.kind = POLICY_ADD_LARGE_COMMUNITIES, LARGES({1, 0, 0}, {0, 1, 0})},
         ORIGIN("0") "40 02 00" LARGE("18 000000000000000100000000 000000010000000000000000")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_new();
        assert_non_null(arena);
        struct policy_route r = route_of(arena);
        bool no_memory;
        strip(&r);
        assert_true(run_one(NULL, &rows[i].action, &r, &no_memory));
        assert_octets(rows[i].name, &r, rows[i].want);
        arena_free(arena);
    }
}

/* Only the session knows what these come to; the last one counts. */
static void test_next_hop_words(void **state) {
    static const struct {
        enum policy_action_kind kind;
        bool self, peer, keep;
    } rows[] = {{POLICY_SET_NEXT_HOP_SELF, true, false, false},
                {POLICY_SET_NEXT_HOP_PEER, false, true, false},
                {POLICY_SET_NEXT_HOP_KEEP, false, false, true},
                {POLICY_SET_NEXT_HOP, false, false, true}};
    (void)state;
    for (size_t before = 0; before < 4; before++) {
        for (size_t i = 0; i < 4; i++) {
            struct policy_route r = route_of(NULL);
            bool no_memory;
            const struct policy_action first = {.kind = rows[before].kind},
                                       then = {.kind = rows[i].kind};
            r.attrs.link_local = ip4(1);
            assert_true(run_one(NULL, &first, &r, &no_memory));
            assert_true(run_one(NULL, &then, &r, &no_memory));
            assert_int_equal(r.next_hop_self, rows[i].self);
            assert_int_equal(r.next_hop_peer, rows[i].peer);
            assert_int_equal(r.next_hop_keep, rows[i].keep);
            bool replaced = i == 3 || before == 3;
            assert_int_equal(ip_is_set(r.attrs.link_local), !replaced);
        }
    }
}

static void test_values_of_the_route(void **state) {
    static const uint32_t four[] = {900, 750, 2000, 3600};
    struct policy_route r = route_of(NULL);
    bool no_memory;
    (void)state;
    const struct policy_action weight = {.kind = POLICY_SET_WEIGHT, .value = 77},
                               tag = {.kind = POLICY_SET_TAG, .value = 78},
                               device = {.kind = POLICY_SET_DEVICE, .text = "tunl0"},
                               dampening = {.kind = POLICY_SET_DAMPENING,
                                            .asns = four,
                                            .asn_count = 4},
                               half = {.kind = POLICY_SET_DAMPENING, .asns = four, .asn_count = 3};
    assert_true(run_one(NULL, &weight, &r, &no_memory));
    assert_true(run_one(NULL, &tag, &r, &no_memory));
    assert_true(run_one(NULL, &device, &r, &no_memory));
    assert_true(run_one(NULL, &dampening, &r, &no_memory));
    assert_int_equal(r.weight, 77);
    assert_int_equal(r.tag, 78);
    assert_string_equal(r.device, "tunl0");
    assert_memory_equal(r.dampening, four, sizeof four);
    assert_true(run_one(NULL, &half, &r, &no_memory));
    assert_null(r.dampening);
}

/* Calico: what was not learned over BGP is preferred by its source's own metric. */
static void test_local_pref_from_metric(void **state) {
    static const struct {
        enum route_source source;
        uint32_t metric, local_pref;
    } rows[] = {{ROUTE_SOURCE_BGP, 32, 100},          {ROUTE_SOURCE_STATIC, UINT32_MAX, 100},
                {ROUTE_SOURCE_STATIC, 0, 2147483647}, {ROUTE_SOURCE_KERNEL, 32, 2147483615},
                {ROUTE_SOURCE_KERNEL, 2147483647, 0}, {ROUTE_SOURCE_DIRECT, 2147483648, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct policy_action a = {.kind = POLICY_LOCAL_PREF_FROM_METRIC, .value = 2147483647};
        struct policy_route r = route_of(NULL);
        bool no_memory;
        r.source = rows[i].source;
        r.metric = rows[i].metric;
        assert_true(run_one(NULL, &a, &r, &no_memory));
        assert_int_equal(r.attrs.local_pref, rows[i].local_pref);
        strip(&r);
        assert_true(run_one(NULL, &a, &r, &no_memory));
        assert_int_equal(r.attrs.has_local_pref, rows[i].local_pref != 100);
    }
}

/* Beyond limits.h a route is refused, which is no lack of memory; at the limit it passes. */
static void test_limits(void **state) {
    static uint32_t many[BGP_COMMUNITIES_MAX], long_path[BGP_AS_PATH_MAX];
    static struct large_community many_large[BGP_COMMUNITIES_MAX];
    (void)state;
    for (uint32_t i = 0; i < BGP_COMMUNITIES_MAX; i++) {
        many[i] = i;
        many_large[i].global = 100 + i;
    }
    for (uint32_t i = 0; i < BGP_AS_PATH_MAX; i++)
        long_path[i] = 1;
    const struct policy_action at_limit[] = {
        {.kind = POLICY_ADD_COMMUNITIES, .asns = many, .asn_count = BGP_COMMUNITIES_MAX - 2},
        {.kind = POLICY_SET_COMMUNITIES, .asns = many, .asn_count = BGP_COMMUNITIES_MAX},
        {.kind = POLICY_ADD_LARGE_COMMUNITIES,
         .large_communities = many_large,
         .large_community_count = BGP_COMMUNITIES_MAX - 2},
        {.kind = POLICY_PREPEND_AS_PATH, .asns = long_path, .asn_count = BGP_AS_PATH_MAX - 2},
        {.kind = POLICY_PREPEND_LAST_AS, .value = BGP_AS_PATH_MAX - 2},
    };
    for (size_t i = 0; i < sizeof at_limit / sizeof *at_limit; i++) {
        struct policy_action beyond = at_limit[i];
        struct arena *arena = arena_new();
        assert_non_null(arena);
        struct policy_route r = route_of(arena);
        bool no_memory;
        assert_true(run_one(NULL, &at_limit[i], &r, &no_memory));
        assert_false(r.too_long);
        r = route_of(arena);
        beyond.asn_count += beyond.asn_count > 0;
        beyond.large_community_count += beyond.large_community_count > 0;
        beyond.value += beyond.value > 0;
        assert_false(run_one(NULL, &beyond, &r, &no_memory));
        assert_true(r.too_long);
        assert_false(no_memory);
        arena_free(arena);
    }
}

static void test_no_memory(void **state) {
    (void)state;
    const struct policy_action rows[] = {
        {.kind = POLICY_ADD_COMMUNITIES, ASNS(1)},
        {.kind = POLICY_DELETE_COMMUNITIES, ASNS(1)},
        {.kind = POLICY_ADD_LARGE_COMMUNITIES, LARGES({1, 1, 1})},
        {.kind = POLICY_PREPEND_AS_PATH, ASNS(1)},
        {.kind = POLICY_PREPEND_LAST_AS, .value = 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_new();
        assert_non_null(arena);
        struct policy_route r = route_of(arena);
        bool no_memory;
        alloc_fail_after(1, true);
        bool passed = run_one(NULL, &rows[i], &r, &no_memory);
        alloc_fail_after(0, false);
        assert_false(passed);
        assert_true(no_memory);
        arena_free(arena);
    }
}

/* ---- the walk ---- */

#define PREFS(v) &(const struct policy_action){.kind = POLICY_SET_LOCAL_PREF, .value = v}, 1
#define WEIGHS(v) &(const struct policy_action){.kind = POLICY_SET_WEIGHT, .value = v}, 1
#define ALWAYS NULL, 0
#define NEVER &(const struct policy_match){.kind = POLICY_MATCH_NEVER}, 1
#define EVER &(const struct policy_match){.kind = POLICY_MATCH_NEVER, .negate = true}, 1

static const struct policy_match half_holds[] = {{.kind = POLICY_MATCH_TAG, .value = 9},
                                                 {.kind = POLICY_MATCH_NEVER}};

static void walk(const struct policy *policies, uint32_t count, bool by_default, bool passes,
                 uint32_t local_pref, uint32_t weight, const char *trace) {
    static const uint16_t order[] = {0, 1, 99, 2}; /* 99: none of ours, passed over */
    const struct bgp_config c = {.policies = policies, .policy_count = count};
    const struct policy_chain chain = {order, 4, by_default};
    struct policy_route r = route_of(NULL);
    struct text out;
    bool no_memory = false;
    text_init(&out);
    assert_int_equal(policy_run(&c, &chain, &r, &out, &no_memory), passes);
    assert_string_equal(text_str(&out), trace);
    assert_int_equal(r.attrs.local_pref, local_pref);
    assert_int_equal(r.weight, weight);
    text_deinit(&out);
}

static void test_terms(void **state) {
    const struct policy_term terms[] = {
        {"half", half_holds, 2, PREFS(1), POLICY_ACCEPT, 0},
        {"goes on", EVER, PREFS(2), POLICY_NEXT_TERM, 0},
        {"goes far", ALWAYS, WEIGHS(3), POLICY_NEXT_TERM, 4},
        {"left out", ALWAYS, PREFS(4), POLICY_ACCEPT, 0},
        {"not back", ALWAYS, PREFS(5), POLICY_NEXT_TERM, 1},
        {"last", ALWAYS, PREFS(6), POLICY_REJECT, 0},
    };
    (void)state;
    /* A term that rejects changes nothing. */
    walk(
        &(const struct policy){"p", terms, 6, POLICY_ACCEPT}, 1, true, false, 5, 3,
        "p: goes on: next term\np: goes far: next term\np: not back: next term\np: last: reject\n");
    walk(&(const struct policy){"p", terms, 5, POLICY_ACCEPT}, 1, false, true, 5, 3,
         "p: goes on: next term\np: goes far: next term\np: not back: next term\n"
         "p: no term decided: accept\n");
    walk(&(const struct policy){NULL, terms, 2, POLICY_REJECT}, 1, true, false, 2, 0,
         "policy: goes on: next term\npolicy: no term decided: reject\n");
}

static void test_chain(void **state) {
    const struct policy_term next[] = {{"on", ALWAYS, PREFS(1), POLICY_NEXT_POLICY, 0},
                                       {"not this", ALWAYS, PREFS(2), POLICY_REJECT, 0}};
    const struct policy_term weighs[] = {{"no", NEVER, WEIGHS(9), POLICY_REJECT, 0}};
    const struct policy_term takes[] = {{"yes", ALWAYS, WEIGHS(8), POLICY_ACCEPT, 0}};
    const struct policy policies[] = {{"a", next, 2, POLICY_REJECT},
                                      {"b", weighs, 1, POLICY_NEXT_TERM},
                                      {"c", takes, 1, POLICY_REJECT}};
    (void)state;
    static const char before[] = "a: on: next policy\nb: no term decided: next term\n";
    char want[200];
    snprintf(want, sizeof want, "%s%s", before, "c: yes: accept\n");
    walk(policies, 3, false, true, 1, 8, want);
    snprintf(want, sizeof want, "%s%s", before, "end of the chain: reject\n");
    walk(policies, 2, false, false, 1, 0, want);
    snprintf(want, sizeof want, "%s%s", before, "end of the chain: accept\n");
    walk(policies, 2, true, true, 1, 0, want);
}

/* One policy by its index and one: what it leaves to others passes. */
static void test_accepts(void **state) {
    const struct policy policies[] = {{"a", NULL, 0, POLICY_REJECT},
                                      {"b", NULL, 0, POLICY_NEXT_POLICY},
                                      {"c", NULL, 0, POLICY_ACCEPT}};
    const struct bgp_config c = {.policies = policies, .policy_count = 3};
    struct policy_route r = route_of(NULL);
    (void)state;
    assert_false(policy_accepts(&c, 1, &r));
    assert_true(policy_accepts(&c, 2, &r));
    assert_true(policy_accepts(&c, 3, &r));
}

static void test_looks_at_prefix(void **state) {
    static const struct policy_match
        tag[] = {{.kind = POLICY_MATCH_TAG}, {.kind = POLICY_MATCH_NEXT_HOP}},
        prefix[] = {{.kind = POLICY_MATCH_TAG}, {.kind = POLICY_MATCH_PREFIX}},
        among = {.kind = POLICY_MATCH_ANY_OF, .alternatives = prefix, .alternative_count = 2},
        not_among = {.kind = POLICY_MATCH_ANY_OF, .alternatives = tag, .alternative_count = 2};
    const struct policy_term terms[][2] = {{{.name = "", .matches = tag, .match_count = 2},
                                            {.name = "", .matches = &not_among, .match_count = 1}},
                                           {{.name = "", .matches = tag, .match_count = 2},
                                            {.name = "", .matches = prefix, .match_count = 2}},
                                           {{.name = "", .matches = tag, .match_count = 2},
                                            {.name = "", .matches = &among, .match_count = 1}}};
    const struct policy policies[] = {{"none", terms[0], 2, POLICY_ACCEPT},
                                      {"prefix", terms[1], 2, POLICY_ACCEPT},
                                      {"among", terms[2], 2, POLICY_ACCEPT}};
    const struct bgp_config c = {.policies = policies, .policy_count = 3};
    static const struct {
        uint16_t order[2], count;
        bool looks;
    } rows[] = {{{0}, 0, false},   {{0}, 1, false},     {{1}, 1, true},    {{2}, 1, true},
                {{0, 2}, 2, true}, {{0, 99}, 2, false}, {{0, 3}, 2, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct policy_chain chain = {rows[i].order, rows[i].count, false};
        assert_int_equal(policy_looks_at_prefix(&c, &chain), rows[i].looks);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_actions_on_nothing),
        cmocka_unit_test(test_next_hop_words),
        cmocka_unit_test(test_values_of_the_route),
        cmocka_unit_test(test_local_pref_from_metric),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_looks_at_prefix),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
