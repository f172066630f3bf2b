/*
 * Next hops that mean something on one link only (RFC 2545 3, 4291 2.5.6): two neighbours on two
 * links, who call themselves by the same link-local address. Conformance row C131.
 */
#include "nexthop.h"
#include "own_addr.h"
#include "tables_test.h"

#define PREFIX "2001:db8:9::/48"
#define LINK_A 3
#define LINK_B 7

static struct bench b;
static struct {
    uint32_t wanted[16];
    struct bgp_fib_route fib;
    struct bgp_next_hop hops[4];
} seen;

static struct ip_addr address(const char *text) {
    struct ip_addr a;
    assert_true(ip_parse(text, &a));
    return a;
}

/* By link: how many next hops are wanted there; the last route the kernel should have. */
static void drain(void) {
    struct bgp_event e;
    while (bgp_next_event(b.s, &e)) {
        if (e.kind == BGP_EVENT_TRACK) {
            assert_true(e.track.link < 16);
            seen.wanted[e.track.link] += e.track.wanted ? 1 : UINT32_MAX;
        } else if (e.kind == BGP_EVENT_FIB) {
            seen.fib = e.fib;
            assert_true(e.fib.next_hop_count <= 4);
            for (uint8_t i = 0; i < e.fib.next_hop_count; i++) {
                seen.hops[i] = e.fib.next_hops[i];
            }
        }
    }
}

static void work(void) {
    do {
        drain();
    } while (rib_work(b.s, 64, b.now));
    drain();
}

static void set_reachable(uint32_t link, bool reachable) {
    const struct bgp_next_hop hop = {.addr = address("fe80::1"), .link = link};
    bgp_nexthop_set_on_link(b.s, hop, reachable, 10, b.now);
    work();
}

/* Two neighbours of our AS, one on each link. */
static void configure(void) {
    memset(&seen, 0, sizeof seen);
    bench_config(&b, BGP_PROFILE_PLAIN, 2);
    for (uint32_t i = 0; i < 2; i++) {
        b.peers[i].families[BGP_IPV6_UNICAST] = true;
    }
    b.config.multipath_internal[BGP_IPV6_UNICAST] = 2;
    b.config.fib.install = true;
}

static void start(void) {
    bench_start(&b);
    for (uint32_t i = 0; i < 2; i++) {
        b.holds[i].p->own_addr = own_addr_hold(b.s, b.config.router_id, i == 0 ? LINK_A : LINK_B);
        bench_up(&b, i);
    }
}

static void announce(uint32_t peer, const char *next_hop) {
    const struct attr_values v = {
        .next_hop = address(next_hop), .has_local_pref = true, .local_pref = 100};
    (void)bench_announce(&b, peer, &v, PREFIX);
    work();
}

static void test_C131_link_local_is_its_links(void **state) {
    (void)state;
    configure();
    start();
    announce(0, "fe80::1");
    announce(1, "fe80::1");
    assert_int_equal(seen.wanted[LINK_A], 1);
    assert_int_equal(seen.wanted[LINK_B], 1);
    assert_int_equal(seen.wanted[0], 0);
    set_reachable(0, true); /* nobody's */
    assert_false(ip_is_set(seen.fib.next_hop));
    set_reachable(LINK_B, true);
    assert_true(ip_equal(seen.fib.next_hop, address("fe80::1")));
    assert_int_equal(seen.fib.link, LINK_B);
    assert_int_equal(seen.fib.next_hop_count, 0);
    set_reachable(LINK_A, true); /* the lower address is the better neighbour, the other shares */
    assert_int_equal(seen.fib.link, LINK_A);
    assert_int_equal(seen.fib.next_hop_count, 2);
    assert_int_equal(seen.hops[0].link, LINK_A);
    assert_int_equal(seen.hops[1].link, LINK_B);
    set_reachable(LINK_A, false);
    assert_int_equal(seen.fib.link, LINK_B);
    assert_int_equal(seen.fib.next_hop_count, 0);
    bench_withdraw(&b, 0, PREFIX);
    work();
    assert_int_equal(seen.wanted[LINK_A], 0);
    assert_int_equal(seen.wanted[LINK_B], 1);
    bench_end(&b);
}

/* A next hop that policy sets is one of the neighbour's link where it is link-local, else of none.
 */
static void test_C131_policy_sets_next_hop(void **state) {
    static const uint16_t index = 0;
    (void)state;
    for (unsigned global = 0; global < 2; global++) {
        const struct policy_action action = {
            .kind = POLICY_SET_NEXT_HOP, .address = address(global ? "2001:db8::1" : "fe80::1")};
        const struct policy_term term = {
            .name = "10", .actions = &action, .action_count = 1, .verdict = POLICY_ACCEPT};
        const struct policy policy = {.name = "map", .terms = &term, .term_count = 1};
        configure();
        b.config.policies = &policy;
        b.config.policy_count = 1;
        b.peers[0].import[BGP_IPV6_UNICAST] = (struct policy_chain){.policies = &index, .count = 1};
        start();
        announce(0, global ? "fe80::2" : "2001:db8::2");
        assert_int_equal(seen.wanted[LINK_A], !global);
        assert_int_equal(seen.wanted[0], global);
        bench_end(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C131_link_local_is_its_links),
        cmocka_unit_test(test_C131_policy_sets_next_hop),
    };
    return cmocka_run_group_tests_name("nexthop", tests, NULL, NULL);
}
