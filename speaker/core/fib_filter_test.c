/* The kernel's filter: what it lets through, and through which device. */
#include "bgp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct ip_prefix prefix_of(const char *text) {
    struct ip_prefix p;
    assert_true(ip_prefix_parse(text, &p));
    return p;
}

static struct ip_addr addr_of(const char *text) {
    struct ip_addr a;
    assert_true(ip_parse(text, &a));
    return a;
}

static const struct {
    const char *prefix, *next_hop;
    enum route_source source;
    bool install;
    const char *device;
} rows[] = {
    {"10.1.0.0/26", "10.0.0.2", ROUTE_SOURCE_BGP, false, NULL},
    {"10.1.0.0/26", NULL, ROUTE_SOURCE_STATIC, false, NULL},
    {"10.2.0.0/26", "10.0.0.2", ROUTE_SOURCE_BGP, true, NULL},
    {"10.2.0.0/26", "192.0.2.2", ROUTE_SOURCE_BGP, true, "tunl0"},
    {"10.2.0.0/26", NULL, ROUTE_SOURCE_STATIC, true, NULL},
    {"10.3.0.0/26", "192.0.2.2", ROUTE_SOURCE_BGP, true, NULL},
    {"fd00::/64", "fd01::1", ROUTE_SOURCE_BGP, true, NULL},
};

static void test_decisions(void **state) {
    (void)state;
    struct policy_prefix refused = {prefix_of("10.1.0.0/16"), 16, 32, false};
    struct policy_prefix tunnelled = {prefix_of("10.2.0.0/16"), 16, 32, false};
    struct policy_prefix subnet = {prefix_of("10.0.0.0/24"), 24, 32, false};
    struct policy_match in_refused = {
        .kind = POLICY_MATCH_PREFIX, .prefixes = &refused, .prefix_count = 1};
    struct policy_match far[] = {
        {.kind = POLICY_MATCH_PREFIX, .prefixes = &tunnelled, .prefix_count = 1},
        {.kind = POLICY_MATCH_SOURCE, .value = 1 << ROUTE_SOURCE_BGP},
        {.kind = POLICY_MATCH_NEXT_HOP, .negate = true, .prefixes = &subnet, .prefix_count = 1},
    };
    struct policy_action into = {.kind = POLICY_SET_DEVICE, .text = "tunl0"};
    struct policy_term terms[] = {
        {.name = "a", .matches = &in_refused, .match_count = 1, .verdict = POLICY_REJECT},
        {.name = "b",
         .matches = far,
         .match_count = 3,
         .actions = &into,
         .action_count = 1,
         .verdict = POLICY_ACCEPT},
    };
    struct policy policy = {"kernel", terms, 2, POLICY_ACCEPT};
    uint16_t index = 0;
    struct bgp_config c = {.policies = &policy,
                           .policy_count = 1,
                           .fib = {.filter[0] = {.policies = &index, .count = 1}}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bgp_fib_route r = {.prefix = prefix_of(rows[i].prefix), .source = rows[i].source};
        if (rows[i].next_hop)
            r.next_hop = addr_of(rows[i].next_hop);
        struct bgp_fib_decision d = bgp_fib_decide(&c, &r);
        assert_int_equal(d.install, rows[i].install);
        assert_int_equal(d.device != NULL, rows[i].device != NULL);
        if (rows[i].device)
            assert_string_equal(d.device, rows[i].device);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_decisions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
