/* Configurations written by hand: short forms mean what the long ones say, findings have places,
 * and the schema in the tree is the one of the tables. */
#include "config_file.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "../base/text.h"
#include "config_fields.h"
#include "config_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct diag_list *diags;

static int set_up(void **state) {
    (void)state;
    arena = arena_new();
    diags = diag_list_new();
    return arena && diags ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    arena_free(arena);
    diag_list_free(diags);
    return 0;
}

static const struct bgp_config *read_file(const char *text) {
    return config_from_file(text, strlen(text), "a.conf", NULL, arena, diags);
}

/* The findings, a line each, are exactly these. */
static void expect_findings(const char *text, const char *expected) {
    struct text out;
    text_init(&out);
    assert_null(read_file(text));
    diag_print(diags, &out);
    assert_string_equal(text_str(&out), expected);
    text_deinit(&out);
}

#define HEAD "{\"local_as\": 65001, \"router_id\": \"10.0.0.1\",\n"

static void test_short_forms(void **state) {
    static const char brief[] =
        "# comment with \"quotes\"\n" HEAD " \"hold_time_s\": 30, # of everyone\n"
        " \"peers\": [{\"remote_addr\": \"10.0.0.2\", \"remote_as\": 65002,\n"
        "  \"description\": \"# no \\\" comment\", \"hold_time_s\": 9,\n"
        "  \"import\": [\"b\", \"a\"], \"export\": {\"ipv4\": \"accept\", \"ipv6\": [1]}}],\n"
        " \"policies\": [\n"
        "  {\"name\": \"a\", \"otherwise\": \"reject\", \"terms\": [{\"name\": \"t\",\n"
        "   \"verdict\": \"accept\",\n"
        "   \"matches\": [{\"kind\": \"prefix\", \"prefixes\": [\"10.0.0.0/8\"]},\n"
        "    {\"kind\": \"source\", \"value\": [\"static\", \"bgp\"]}],\n"
        "   \"actions\": [{\"kind\": \"add-communities\", \"asns\": [\"65001:2\", 7]},\n"
        "    {\"kind\": \"set-origin\", \"value\": \"egp\"}]}]},\n"
        "  {\"name\": \"b\", \"otherwise\": \"next-policy\"}],\n"
        " \"origins\": [\"10.2.0.0/16\", {\"prefix\": \"10.1.0.0/16\", \"med\": 5}]}\n";
    static const char full[] =
        HEAD "\"profile\": \"plain\", \"hold_time_s\": 30, \"hold_time_set\": true,\n"
             " \"peers\": [{\"name\": \"10.0.0.2\", \"remote_addr\": \"10.0.0.2\","
             " \"remote_as\": 65002, \"description\": \"# no \\\" comment\","
             " \"hold_time_s\": 9, \"hold_time_set\": true,"
             " \"import\": {\"ipv4\": {\"policies\": [1, 0], \"accept_by_default\": false},"
             " \"ipv6\": {\"policies\": [1, 0], \"accept_by_default\": false}},"
             " \"export\": {\"ipv4\": {\"accept_by_default\": true},"
             " \"ipv6\": {\"policies\": [1]}}}],"
             " \"policies\": [{\"name\": \"a\", \"otherwise\": \"reject\", \"terms\": ["
             "{\"name\": \"t\", \"verdict\": \"accept\", \"matches\": ["
             "{\"kind\": \"prefix\", \"prefixes\": [{\"prefix\": \"10.0.0.0/8\","
             " \"length_min\": 8, \"length_max\": 8}]}, {\"kind\": \"source\", \"value\": 6}],"
             " \"actions\": [{\"kind\": \"add-communities\", \"asns\": [4259905538, 7]},"
             " {\"kind\": \"set-origin\", \"value\": 1}]}]},"
             " {\"name\": \"b\", \"otherwise\": \"next-policy\"}],"
             " \"origins\": [{\"prefix\": \"10.1.0.0/16\", \"source\": \"static\", \"med\": 5,"
             " \"med_set\": true}, {\"prefix\": \"10.2.0.0/16\", \"source\": \"static\"}]}";
    (void)state;
    const struct bgp_config *a = read_file(brief);
    const struct bgp_config *b = config_from_text(full, strlen(full), "b", arena, diags);
    assert_non_null(a);
    assert_non_null(b);
    json_t *x = config_to_json(a), *y = config_to_json(b);
    assert_true(json_equal(x, y));
    json_decref(x);
    json_decref(y);
}

/* Inside an AS everything passes unless something is said; between ASes nothing (RFC 8212). */
static void test_chains_left_out(void **state) {
    (void)state;
    const struct bgp_config *c = read_file(
        HEAD "\"peers\": [{\"remote_addr\": \"10.0.0.2\", \"remote_as\": 65001},"
             "{\"remote_addr\": \"10.0.0.3\", \"remote_as\": 65002},"
             "{\"remote_addr\": \"10.0.0.4\", \"remote_as\": 65001, \"export\": \"reject\"},"
             "{\"remote_addr\": \"10.0.0.5\", \"remote_as\": 65003, \"local_as\": 65003}]}");
    static const bool passes[][2] = {{true, true}, {false, false}, {true, false}, {true, true}};
    assert_non_null(c);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(c->peers[i].import[BGP_IPV6_UNICAST].accept_by_default, passes[i][0]);
        assert_int_equal(c->peers[i].export[BGP_IPV4_UNICAST].accept_by_default, passes[i][1]);
    }
}

/* The long form of a chain, for both families as for one, as the schema has it. */
static void test_long_chains(void **state) {
    (void)state;
    const struct bgp_config *c =
        read_file(HEAD "\"policies\": [{\"name\": \"a\", \"otherwise\": \"next-policy\"}],\n"
                       "\"peers\": [{\"remote_addr\": \"10.0.0.2\", \"remote_as\": 65002,\n"
                       " \"import\": {\"policies\": [\"a\"], \"accept_by_default\": true},\n"
                       " \"export\": {\"ipv6\": {\"policies\": [0]}}}]}");
    assert_non_null(c);
    for (int f = 0; f < BGP_FAMILIES; f++) {
        assert_int_equal(c->peers[0].import[f].count, 1);
        assert_true(c->peers[0].import[f].accept_by_default);
        assert_int_equal(c->peers[0].export[f].count, f == BGP_IPV6_UNICAST);
        assert_false(c->peers[0].export[f].accept_by_default);
    }
}

/* All of them, each where it stands. */
static void test_findings_of_values(void **state) {
    (void)state;
    expect_findings(
        HEAD " \"peers\": [\n"
             "  {\"remote_addr\": \"10.0.0\", \"remote_as\": 65002, \"pasive\": true},\n"
             "  {\"remote_as\": 65002, \"import\": [\"costumers\"], \"export\": \"yes\"}],\n"
             " \"listen_addr6\": \"fe80::1%eth0\", \"policies\": [{\"name\": \"customers\", "
             "\"otherwise\": \"reject\", \"terms\": [\n"
             "  {\"name\": \"t\", \"verdict\": \"accept\", \"actions\": [\n"
             "    {\"kind\": \"set-origin\", \"value\": \"ibgp\"}]}]}]}\n",
        "a.conf:3:19: error: peers[0].remote_addr: expected an IPv4 or IPv6 address\n"
        "a.conf:3:59: error: peers[0].pasive: unknown member \"pasive\" (did you mean "
        "\"passive\"?)\n"
        "a.conf:4:3: error: peers[1]: member \"remote_addr\" is missing\n"
        "a.conf:4:35: error: peers[1].import[0]: unknown policy \"costumers\" (did you mean "
        "\"customers\"?)\n"
        "a.conf:4:59: error: peers[1].export: expected one of \"reject\" \"accept\"\n"
        "a.conf:5:18: error: listen_addr6: expected an address without an interface behind it\n"
        "a.conf:7:37: error: policies[0].terms[0].actions[0].value: expected a number, or a word "
        "that the kind has: \"bgp\" \"static\" \"kernel\" \"direct\" \"aggregate\" (source), "
        "\"igp\" \"egp\" \"incomplete\" (set-origin)\n");
}

/* … of what is wrong with the whole, too. */
static void test_findings_of_the_whole(void **state) {
    (void)state;
    expect_findings(
        "{\"local_as\": 23456, \"router_id\": \"0.0.0.0\", \"listen_addr4\": \"::1\", "
        "\"listen_addr6\": \"127.0.0.1\",\n"
        " \"peers\": [\n"
        "  {\"remote_addr\": \"10.0.0.2\", \"remote_as\": 65002, \"hold_time_s\": 2},\n"
        "  {\"remote_addr\": \"10.0.0.2\", \"remote_as\": 65002}],\n"
        " \"listen_ranges\": [{\"prefix\": \"10.0.0.0/24\",\n"
        "    \"peer\": {\"name\": \"r\", \"families\": []}}],\n"
        " \"origins\": [\"10.2.0.0/16\", \"10.1.0.0/16\",\n"
        "  \"10.2.0.0/16\"]}\n",
        "a.conf:1:1: error: local AS 23456 is AS_TRANS (RFC 6793)\n"
        "a.conf:1:1: error: no router id: an IPv4 address other than 0.0.0.0 is required\n"
        "a.conf:1:1: error: listen_addr4 is no IPv4 address\n"
        "a.conf:1:1: error: listen_addr6 is no IPv6 address\n"
        "a.conf:3:3: error: peer \"10.0.0.2\": hold time 2 s: must be 0 or at least 3 (RFC 4271 "
        "4.2)\n"
        "a.conf:4:3: error: peer \"10.0.0.2\" is defined twice\n"
        "a.conf:5:20: error: peer \"r\": no address family\n"
        "a.conf:8:3: error: route 10.2.0.0/16: is there twice\n");
}

/* What would match nothing, do nothing or be malformed on the wire. */
static void test_findings_of_policies(void **state) {
    (void)state;
    expect_findings(
        HEAD " \"policies\": [\n"
             "  {\"name\": \"a\", \"otherwise\": \"reject\", \"terms\": [\n"
             "   {\"name\": \"t\", \"verdict\": \"accept\", \"matches\": [\n"
             "    {\"kind\": \"any-of\", \"alternatives\": [\n"
             "     {\"kind\": \"as-path-regex\", \"text\": \"^65001_\"},\n"
             "     {\"kind\": \"as-path-regex\", \"text\": \"(65001\"}]}]}]},\n"
             "  {\"name\": \"b\", \"otherwise\": \"reject\", \"terms\": [\n"
             "   {\"name\": \"u\", \"verdict\": \"accept\", \"actions\": [\n"
             "    {\"kind\": \"set-next-hop\"}]},\n"
             "   {\"name\": \"v\", \"verdict\": \"accept\", \"actions\": [\n"
             "    {\"kind\": \"set-origin\", \"value\": 7}]}]}]}\n",
        "a.conf:3:3: error: policy \"a\": term \"t\": text: not a valid regular expression, or too "
        "long a one\n"
        "a.conf:8:3: error: policy \"b\": term \"u\": set-next-hop needs address\n"
        "a.conf:8:3: error: policy \"b\": term \"v\": set-origin has \"igp\", \"egp\" or "
        "\"incomplete\"\n");
}

/* A member of another kind, or none: the term would hold always, never, or do nothing. */
static void test_findings_of_kinds(void **state) {
    static const struct {
        const char *list, *element, *wrong;
    } cases[] = {
        {"matches", "{\"kind\": \"prefix\"}", "prefix needs prefixes"},
        {"matches", "{\"kind\": \"community\", \"prefixes\": [\"10.0.0.0/8\"]}",
         "community needs asns, community has no prefixes"},
        {"matches", "{\"kind\": \"large-community\", \"asns\": [1]}",
         "large-community needs large_communities, large-community has no asns"},
        {"matches", "{\"kind\": \"as-path-prefix\", \"value\": 1, \"exact\": true}",
         "as-path-prefix needs asns, as-path-prefix has no value and exact"},
        {"matches", "{\"kind\": \"as-path-regex\"}", "as-path-regex needs text"},
        {"matches", "{\"kind\": \"source\"}", "source needs value"},
        {"matches", "{\"kind\": \"any-of\"}", "any-of needs alternatives"},
        {"matches", "{\"kind\": \"any-of\", \"alternatives\": [{\"kind\": \"next-hop\"}]}",
         "next-hop needs prefixes"},
        {"matches", "{\"kind\": \"med\", \"text\": \"5\"}", "med has no text"},
        {"actions", "{\"kind\": \"add-communities\"}", "add-communities needs asns"},
        {"actions", "{\"kind\": \"add-large-communities\", \"asns\": [1]}",
         "add-large-communities needs large_communities, add-large-communities has no asns"},
        {"actions", "{\"kind\": \"set-local-pref\", \"asns\": [200]}",
         "set-local-pref has no asns"},
        {"actions", "{\"kind\": \"set-local-pref\", \"value\": 5, \"mode\": 1}",
         "set-local-pref has no mode"},
        {"actions", "{\"kind\": \"prepend-last-as\"}", "prepend-last-as needs value"},
        {"actions", "{\"kind\": \"set-device\"}", "set-device needs text"},
        {"actions", "{\"kind\": \"clear-med\", \"value\": 1}", "clear-med has no value"},
    };
    char text[512], expected[256];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text,
                 HEAD "\"policies\": [{\"name\": \"a\", \"otherwise\": \"reject\", \"terms\": ["
                      "{\"name\": \"t\", \"verdict\": \"accept\", \"%s\": [%s]}]}]}",
                 cases[i].list, cases[i].element);
        snprintf(expected, sizeof expected, "a.conf:2:14: error: policy \"a\": term \"t\": %s\n",
                 cases[i].wrong);
        expect_findings(text, expected);
        diag_list_free(diags);
        diags = diag_list_new();
    }
}

/* What is there with a kind, and what need not be. */
static void test_kinds_with_their_members(void **state) {
    (void)state;
    assert_non_null(read_file(
        HEAD
        "\"policies\": [{\"name\": \"a\", \"otherwise\": \"reject\", \"terms\": [\n"
        " {\"name\": \"t\", \"verdict\": \"accept\", \"matches\": [\n"
        "  {\"kind\": \"community\", \"asns\": [\"blackhole\"], \"exact\": true, \"name\": "
        "\"n\"},\n"
        "  {\"kind\": \"peer-external\"}, {\"kind\": \"local-pref\", \"negate\": true},\n"
        "  {\"kind\": \"as-path-regex\", \"text\": \"^1[.]1$\", \"value\": 1},\n"
        "  {\"kind\": \"interface\", \"text\": \"\"}, {\"kind\": \"never\"}],\n"
        " \"actions\": [{\"kind\": \"set-communities\"}, {\"kind\": \"set-med\", \"mode\": 2},\n"
        "  {\"kind\": \"set-next-hop-self\"}, {\"kind\": \"set-local-pref\"}]}]}]}\n"));
}

/* A bound that is left out is that of routers' ge and le. */
static void test_lengths_left_out(void **state) {
    static const uint8_t lengths[][2] = {{8, 24}, {24, 32}, {8, 8}, {9, 10}, {40, 128}};
    (void)state;
    const struct bgp_config *c = read_file(
        HEAD "\"policies\": [{\"name\": \"a\", \"otherwise\": \"reject\", \"terms\": [\n"
             " {\"name\": \"t\", \"verdict\": \"accept\", \"matches\": [\n"
             "  {\"kind\": \"any-of\", \"alternatives\": [{\"kind\": \"prefix\", \"prefixes\": [\n"
             "   {\"prefix\": \"10.0.0.0/8\", \"length_max\": 24},\n"
             "   {\"prefix\": \"10.0.0.0/8\", \"length_min\": 24},\n"
             "   {\"prefix\": \"10.0.0.0/8\", \"deny\": true},\n"
             "   {\"prefix\": \"10.0.0.0/8\", \"length_min\": 9, \"length_max\": 10},\n"
             "   {\"prefix\": \"fd00::/32\", \"length_min\": 40}]}]}]}]}]}");
    assert_non_null(c);
    const struct policy_match *m = &c->policies[0].terms[0].matches[0].alternatives[0];
    assert_int_equal(m->prefix_count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(m->prefixes[i].length_min, lengths[i][0]);
        assert_int_equal(m->prefixes[i].length_max, lengths[i][1]);
    }
}

/* Wherever a policy is asked for, its name may stand. */
static void test_policies_by_name(void **state) {
    (void)state;
    const struct bgp_config *c = read_file(
        HEAD "\"policies\": [{\"name\": \"a\", \"otherwise\": \"accept\"}, {\"name\": \"b\", "
             "\"otherwise\": \"reject\"}],\n"
             "\"peers\": [{\"remote_addr\": \"10.0.0.2\", \"remote_as\": 65002,\n"
             "  \"default_policy\": \"b\", \"unsuppress_policy\": {\"ipv4\": \"a\", \"ipv6\": 2},\n"
             "  \"conditions\": [{\"family\": \"ipv4\", \"advertise_policy\": \"a\", "
             "\"exist_policy\": \"b\"}]}],\n"
             "\"origins\": [{\"prefix\": \"10.1.0.0/16\", \"policy\": \"b\"}],\n"
             "\"aggregates\": [{\"prefix\": \"10.0.0.0/8\", \"suppress_policy\": \"a\",\n"
             "  \"attribute_policy\": 0, \"advertise_policy\": \"b\"}],\n"
             "\"dampening\": [{\"family\": \"ipv4\", \"policy\": \"b\"}]}\n");
    assert_non_null(c);
    const struct bgp_peer_config *p = &c->peers[0];
    assert_int_equal(p->default_policy[BGP_IPV4_UNICAST], 2);
    assert_int_equal(p->default_policy[BGP_IPV6_UNICAST], 2);
    assert_int_equal(p->unsuppress_policy[BGP_IPV4_UNICAST], 1);
    assert_int_equal(p->unsuppress_policy[BGP_IPV6_UNICAST], 2);
    assert_int_equal(p->conditions[0].advertise_policy, 1);
    assert_int_equal(p->conditions[0].exist_policy, 2);
    assert_int_equal(c->origins[0].policy, 2);
    assert_int_equal(c->aggregates[0].suppress_policy, 1);
    assert_int_equal(c->aggregates[0].attribute_policy, 0);
    assert_int_equal(c->aggregates[0].advertise_policy, 2);
    assert_int_equal(c->dampening[0].policy, 2);
}

static void test_findings_of_policies_asked_for(void **state) {
    (void)state;
    expect_findings(
        HEAD "\"policies\": [{\"name\": \"some\", \"otherwise\": \"accept\"}],\n"
             "\"origins\": [{\"prefix\": \"10.1.0.0/16\", \"policy\": \"same\"}],\n"
             "\"peers\": [{\"remote_addr\": \"10.0.0.2\", \"remote_as\": 65002,\n"
             "  \"default_policy\": \"sole\", \"unsuppress_policy\": true,\n"
             "  \"prefix_max\": \"some\"}]}\n",
        "a.conf:3:49: error: origins[0].policy: unknown policy \"same\" (did you mean \"some\"?)\n"
        "a.conf:5:21: error: peers[0].default_policy: unknown policy \"sole\" (did you mean "
        "\"some\"?)\n"
        "a.conf:5:50: error: peers[0].unsuppress_policy: expected a policy's name, or an object "
        "with \"ipv4\" and \"ipv6\"\n"
        "a.conf:6:17: error: peers[0].prefix_max: expected a number, or an object with \"ipv4\" "
        "and \"ipv6\"\n");
}

static void test_findings_of_policy_numbers(void **state) {
    (void)state;
    expect_findings(HEAD
                    "\"aggregates\": [{\"prefix\": \"10.0.0.0/8\", \"suppress_policy\": 3}]}\n",
                    "a.conf:2:16: error: aggregate 10.0.0.0/8: policy number 3, there are 0\n");
}

static void test_findings_of_lengths(void **state) {
    (void)state;
    expect_findings(
        HEAD " \"policies\": [\n"
             "  {\"name\": \"a\", \"otherwise\": \"reject\", \"terms\": []},\n"
             "  {\"name\": \"b\", \"otherwise\": \"reject\", \"terms\": [\n"
             "   {\"name\": \"t\", \"verdict\": \"accept\", \"matches\": [\n"
             "    {\"kind\": \"prefix\", \"prefixes\": [\n"
             "     {\"prefix\": \"10.0.0.0/8\", \"length_min\": 24, \"length_max\": 16}]}]}]}]}\n",
        "a.conf:4:3: error: policy \"b\": term 0: 10.0.0.0/8: length_min 24 is above length_max "
        "16\n");
}

/* The place of a real aggregate is no own route's. */
static void test_aggregate_is_no_origin(void **state) {
    (void)state;
    expect_findings(HEAD " \"origins\": [\n"
                         "  {\"prefix\": \"10.0.0.0/8\", \"source\": \"aggregate\"}]}\n",
                    "a.conf:3:38: error: origins[0].source: expected one of \"static\" \"kernel\" "
                    "\"direct\"\n");
}

/* Words are the octets of `ctl announce`, and what is written reads the same. */
static void test_attributes_in_words(void **state) {
    static const char octets[] = "40021002010000fdf201020000fdf30000fdf440050400000007400600"
                                 "c00808fde90001ffffff01c063020102c06400";
    (void)state;
    const struct bgp_config *c =
        read_file(HEAD " \"origins\": [{\"prefix\": \"10.0.0.0/8\", \"med\": 5, \"attributes\": {\n"
                       "  \"as-path\": \"65010 {65011 65012}\", \"local-pref\": 7,\n"
                       "  \"communities\": [\"65001:1\", \"no-export\"],\n"
                       "  \"atomic-aggregate\": true, \"unknown\": [\"99:c0:0102\","
                       " \"100:c0:\"]}}]}\n");
    assert_non_null(c);
    assert_string_equal(c->origins[0].attributes, octets);
    assert_true(bgp_attributes_valid(octets));
    json_t *written = config_to_json(c);
    char *text = json_dumps(written, 0);
    const struct bgp_config *again = read_file(text);
    assert_non_null(again);
    assert_string_equal(again->origins[0].attributes, octets);
    assert_int_equal(again->origins[0].med, 5);
    json_decref(written);
    free(text);
}

static void test_findings_of_attributes(void **state) {
    (void)state;
    expect_findings(
        HEAD " \"origins\": [\n"
             "  {\"prefix\": \"10.1.0.0/16\", \"attributes\": {\"comunities\": \"1:2\"}},\n"
             "  {\"prefix\": \"10.2.0.0/16\", \"attributes\": {\"communities\": [\"1:2\", "
             "\"1:70000\"]}},\n"
             "  {\"prefix\": \"10.3.0.0/16\", \"attributes\": {\"med\": 5}},\n"
             "  {\"prefix\": \"10.4.0.0/16\", \"attributes\": {\"next-hop\": \"10.0.0.1\"}},\n"
             "  {\"prefix\": \"10.5.0.0/16\", \"attributes\": {\"as-path\": {}}},\n"
             "  {\"prefix\": \"10.6.0.0/16\", \"attributes\": {\"local-pref\": -1}},\n"
             "  {\"prefix\": \"10.7.0.0/16\", \"attributes\": [\"40\"]},\n"
             "  {\"prefix\": \"10.8.0.0/16\", \"communities\": [\"1:2\"]}]}\n",
        "a.conf:3:43: error: origins[0].attributes: no attribute \"comunities\" (did you mean "
        "\"communities\"?)\n"
        "a.conf:4:43: error: origins[1].attributes: communities cannot be \"1:70000\"\n"
        "a.conf:5:43: error: origins[2].attributes: \"med\" stands beside the attributes, as "
        "\"med\"\n"
        "a.conf:6:43: error: origins[3].attributes: \"next-hop\" stands beside the attributes, as "
        "\"next_hop\"\n"
        "a.conf:7:43: error: origins[4].attributes: expected text, a number, true or false\n"
        "a.conf:8:43: error: origins[5].attributes: local-pref cannot be \"-1\"\n"
        "a.conf:9:43: error: origins[6].attributes: expected text\n"
        "a.conf:10:44: error: origins[7].communities: a path attribute stands among the "
        "\"attributes\" of the route\n");
}

/* A segment without an AS is none (RFC 4271 4.3); octets have hexadecimal digits, and no others. */
static void test_attributes_that_cannot_be(void **state) {
    (void)state;
    expect_findings(
        HEAD " \"origins\": [\n"
             "{\"prefix\": \"10.1.0.0/16\", \"attributes\": {\"as-path\": \"{}\"}},\n"
             "{\"prefix\": \"10.2.0.0/16\", \"attributes\": {\"as-path\": \"1 ()\"}},\n"
             "{\"prefix\": \"10.3.0.0/16\", \"attributes\": {\"as-path\": \"[ , ] 1\"}},\n"
             "{\"prefix\": \"10.4.0.0/16\", \"attributes\":"
             " {\"ext-communities\": \"0x02fde900000064\"}},\n"
             "{\"prefix\": \"10.5.0.0/16\", \"attributes\":"
             " {\"ext-communities\": \"-002fde900000064\"}},\n"
             "{\"prefix\": \"10.6.0.0/16\", \"attributes\":"
             " {\"ext-communities\": \"0002fde90000006\"}},\n"
             "{\"prefix\": \"10.7.0.0/16\", \"attributes\": {\"unknown\": \"99:\\t0:01\"}}]}\n",
        "a.conf:3:41: error: origins[0].attributes: as-path cannot be \"{}\"\n"
        "a.conf:4:41: error: origins[1].attributes: as-path cannot be \"1 ()\"\n"
        "a.conf:5:41: error: origins[2].attributes: as-path cannot be \"[ , ] 1\"\n"
        "a.conf:6:41: error: origins[3].attributes: ext-communities cannot be "
        "\"0x02fde900000064\"\n"
        "a.conf:7:41: error: origins[4].attributes: ext-communities cannot be "
        "\"-002fde900000064\"\n"
        "a.conf:8:41: error: origins[5].attributes: ext-communities cannot be "
        "\"0002fde90000006\"\n"
        "a.conf:9:41: error: origins[6].attributes: unknown cannot be \"99:\\t0:01\"\n");
}

/* Of two policies with a name nobody knows which is meant; numbers do. Columns are of characters.
 */
static void test_policies_of_one_name(void **state) {
    static const char policies[] =
        "\"policies\": [{\"name\": \"\xc3\xa9\", \"otherwise\": \"reject\"},"
        " {\"name\": \"\xc3\xa9\", \"otherwise\": \"accept\"}],\n";
    char text[400];
    (void)state;
    snprintf(text, sizeof text,
             HEAD
             "%s\"peers\": [{\"remote_addr\": \"10.0.0.2\", \"remote_as\": 65002, \"description\":"
             " \"\xe2\x82\xac\", \"import\": [%s]}]}\n",
             policies, "\"\xc3\xa9\"");
    expect_findings(text,
                    "a.conf:3:90: error: peers[0].import[0]: several policies have this name\n");
    snprintf(
        text, sizeof text,
        HEAD
        "%s\"peers\": [{\"remote_addr\": \"10.0.0.2\", \"remote_as\": 65002, \"import\": [1]}]}\n",
        policies);
    assert_non_null(read_file(text));
}

/* An AS of its own that is 0 is none: the session is as internal as without. */
static void test_internal_with_no_as_of_its_own(void **state) {
    (void)state;
    const struct bgp_config *c = read_file(
        HEAD "\"peers\": [{\"remote_addr\": \"10.0.0.2\", \"remote_as\": 65001, \"local_as\": 0},"
             " {\"remote_addr\": \"10.0.0.3\", \"remote_as\": 65001, \"local_as\": 65009}]}");
    assert_non_null(c);
    assert_true(c->peers[0].import[0].accept_by_default);
    assert_true(c->peers[0].export[1].accept_by_default);
    assert_false(c->peers[1].import[0].accept_by_default);
}

static void test_empty(void **state) {
    (void)state;
    expect_findings("", "a.conf: error: empty: a configuration is one JSON object\n");
    expect_findings(" # a comment\n", "a.conf: error: empty: a configuration is one JSON object\n"
                                      "a.conf: error: empty: a configuration is one JSON object\n");
}

static void test_not_json(void **state) {
    (void)state;
    expect_findings("# a\n{\"local_as\" 1}\n", "a.conf:2:13: error: ':' expected near '1'\n");
}

/* An editor's byte order mark is no part of the text and takes no column. */
static void test_byte_order_mark(void **state) {
    (void)state;
    assert_non_null(read_file("\xef\xbb\xbf" HEAD "\"peers\": []}"));
    expect_findings("\xef\xbb\xbf{\"local_as\": 1, \"x\": 2, \"router_id\": \"10.0.0.1\"}",
                    "a.conf:1:22: error: x: unknown member \"x\"\n");
}

static void test_profile_over_the_texts(void **state) {
    static const char text[] = HEAD "\"profile\": \"plain\"}";
    (void)state;
    const struct bgp_config *c =
        config_from_file(text, strlen(text), "a.conf", "ios", arena, diags);
    assert_non_null(c);
    assert_int_equal(c->profile, BGP_PROFILE_IOS);
}

static void test_schema_in_the_tree(void **state) {
    (void)state;
    json_t *made = config_schema();
    json_t *kept = json_load_file("speaker/config/config.schema.json", 0, NULL);
    assert_non_null(made);
    if (!kept || !json_equal(made, kept))
        fail_msg("speaker/config/config.schema.json is not what ribcage-speaker --schema prints");
    json_decref(made);
    json_decref(kept);
}

/* ---- the manual ---- */

static char page[65536]; /* ribcage-speaker(8) without its backslashes */

static void read_page(void) {
    size_t size = 0;
    FILE *f = fopen("speaker/ribcage-speaker.8", "r");
    assert_non_null(f);
    for (int c; (c = fgetc(f)) != EOF && size < sizeof page - 1;)
        if (c != '\\')
            page[size++] = (char)c;
    assert_true(feof(f));
    fclose(f);
    page[size] = '\0';
}

static bool is_of_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static void expect_on_page(const char *word) {
    size_t size = strlen(word);
    for (const char *at = page; (at = strstr(at, word)); at += size)
        if (!is_of_word(at[-1]) && !is_of_word(at[size]))
            return;
    fail_msg("ribcage-speaker(8) does not say what \"%s\" is", word);
}

/* Every member, and every word that a member may have. */
static void expect_documented(const json_t *schema) {
    const json_t *words = json_object_get(schema, "enum");
    const char *key;
    json_t *value;
    for (size_t i = 0; i < json_array_size(words); i++)
        expect_on_page(json_string_value(json_array_get(words, i)));
    json_object_foreach(json_object_get(schema, "properties"), key, value) expect_on_page(key);
    json_object_foreach((json_t *)(uintptr_t)schema, key, value) expect_documented(value);
    for (size_t i = 0; i < json_array_size(schema); i++)
        expect_documented(json_array_get(schema, i));
}

static void test_the_manual_has_every_member(void **state) {
    (void)state;
    json_t *schema = config_schema();
    assert_non_null(schema);
    read_page();
    expect_documented(schema);
    json_decref(schema);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_short_forms),
        TEST(test_chains_left_out),
        TEST(test_long_chains),
        TEST(test_findings_of_values),
        TEST(test_findings_of_the_whole),
        TEST(test_findings_of_policies),
        TEST(test_findings_of_kinds),
        TEST(test_kinds_with_their_members),
        TEST(test_lengths_left_out),
        TEST(test_policies_by_name),
        TEST(test_findings_of_policies_asked_for),
        TEST(test_findings_of_policy_numbers),
        TEST(test_findings_of_lengths),
        TEST(test_aggregate_is_no_origin),
        TEST(test_attributes_in_words),
        TEST(test_attributes_that_cannot_be),
        TEST(test_policies_of_one_name),
        TEST(test_internal_with_no_as_of_its_own),
        TEST(test_findings_of_attributes),
        TEST(test_byte_order_mark),
        TEST(test_not_json),
        TEST(test_empty),
        TEST(test_profile_over_the_texts),
        TEST(test_schema_in_the_tree),
        TEST(test_the_manual_has_every_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
