/*
 * Rules of the decision, multipath and blackholes that change while sessions live: what stands in
 * the tables follows, nothing else happens.
 */
#include "tables_test.h"

#include "event.h"
#include "rib.h"

static struct bench b;

/* Two external peers of different ASes, the first with the worse MED but the lower identifier. */
static void begin(void) {
    bench_config(&b, BGP_PROFILE_PLAIN, 2);
    for (uint32_t i = 0; i < 2; i++) {
        b.peers[i].remote_as = 65001 + i;
    }
    b.config.fib.install = true;
    b.config.compare_router_id = true;
    b.config.deterministic_med = true;
    bench_start(&b);
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t words[] = {AS_SEQUENCE << 16 | 2, 65001 + i, 64999};
        const uint32_t blackhole = COMMUNITY_BLACKHOLE;
        const struct attr_values v = {.next_hop = ip4(0x0a000001 + i),
                                      .as_path = {words, 3},
                                      .has_med = true,
                                      .med = 20 - 10 * i,
                                      .communities = &blackhole,
                                      .community_count = 1};
        bench_up(&b, i);
        (void)bench_announce(&b, i, &v, "192.0.2.0/24");
    }
    bench_work(&b);
}

static uint32_t best_peer(void) {
    return rib_entry_at(b.s, BGP_IPV4_UNICAST,
                        rib_entry_find(b.s, BGP_IPV4_UNICAST, pfx("192.0.2.0/24")))
        ->best_peer;
}

/* Returns how often the FIB was told. */
static uint32_t configure(void) {
    uint32_t before = b.fib_events;
    assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
    do {
        bench_work(&b);
    } while (event_count(b.s) > 0);
    return b.fib_events - before;
}

static void test_bestpath(void **state) {
    (void)state;
    begin();
    assert_int_equal(best_peer(), b.holds[0].p->index);
    assert_int_equal(configure(), 0);
    b.config.always_compare_med = true;
    assert_int_equal(configure(), 1);
    assert_int_equal(best_peer(), b.holds[1].p->index);
    b.config.always_compare_med = false;
    assert_int_equal(configure(), 1);
    assert_int_equal(best_peer(), b.holds[0].p->index);
    assert_int_equal(b.s->dropped_count, 0);
    bench_end(&b);
}

static void test_multipath(void **state) {
    (void)state;
    begin();
    assert_false(b.fib.multipath);
    b.config.multipath_external[BGP_IPV4_UNICAST] = 2;
    b.config.multipath_as_path_relax = true;
    b.config.always_compare_med = false;
    assert_int_equal(configure(), 1);
    assert_true(b.fib.multipath);
    assert_int_equal(b.fib.next_hop_count, 2);
    b.config.multipath_external[BGP_IPV4_UNICAST] = 1;
    assert_int_equal(configure(), 1);
    assert_false(b.fib.multipath);
    bench_end(&b);
}

/* RFC 7999 3.3: the operator agrees later, and changes his mind. */
static void test_C169_blackhole_accept(void **state) {
    (void)state;
    begin();
    assert_false(b.fib.blackhole);
    b.peers[0].blackhole_accept = true;
    assert_int_equal(configure(), 1);
    assert_true(b.fib.blackhole);
    b.peers[0].blackhole_accept = false;
    assert_int_equal(configure(), 1);
    assert_false(b.fib.blackhole);
    bench_end(&b);
}

/* The kernel's metric may be made of it, so every route is told. */
static void test_default_local_pref(void **state) {
    (void)state;
    begin();
    b.config.default_local_pref = 150;
    assert_int_equal(configure(), 1);
    assert_int_equal(b.fib.local_pref, 150);
    bench_end(&b);
}

/* BIRD: LOCAL_PREF is given to a route where it comes in, to those that are held, too. */
static void test_default_local_pref_of_bird(void **state) {
    const uint32_t words[] = {AS_SEQUENCE << 16 | 1, 65001};
    const struct attr_values v = {.next_hop = ip4(0x0a000001), .as_path = {words, 2}};
    (void)state;
    bench_config(&b, BGP_PROFILE_FAST, 2);
    b.peers[0].remote_as = 65001;
    b.peers[0].soft_reconfiguration = true;
    bench_start(&b);
    bench_up(&b, 0);
    bench_up(&b, 1);
    (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
    bench_settle(&b);
    assert_int_equal(bench_held(&b, 1, "192.0.2.0/24")->local_pref, 100);
    b.config.default_local_pref = 150;
    assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
    bench_settle(&b);
    assert_int_equal(bench_held(&b, 1, "192.0.2.0/24")->local_pref, 150);
    bench_end(&b);
}

static void test_fib_install(void **state) {
    (void)state;
    begin();
    b.config.fib.install = false;
    assert_int_equal(configure(), 0);
    b.config.fib.install = true;
    assert_int_equal(configure(), 1);
    assert_false(b.fib.withdrawn);
    bench_end(&b);
}

/* Every best path is told, and then there is nothing to do, whatever the budget and however many
 * prefixes each family has: the second one's turn comes. */
static void test_fib_install_of_two_families(void **state) {
    (void)state;
    struct attr_values v = {.next_hop = addr("2001:db8::1")};
    for (uint32_t budget = 1; budget < 8; budget++) {
        bench_config(&b, BGP_PROFILE_PLAIN, 1);
        b.peers[0].families[BGP_IPV6_UNICAST] = true;
        b.config.fib.install = false;
        bench_start(&b);
        bench_up(&b, 0);
        for (uint32_t i = 0; i < 6; i++) {
            struct ip_prefix p = ip_prefix_make(ip4(0x0b000000 + (i << 8)), 24);
            v.next_hop = addr("10.0.0.1");
            (void)bench_send(&b, 0, &v, &p, 1);
            p = pfx("2001:db8:1::/48");
            p.addr.bytes[5] = (uint8_t)i;
            v.next_hop = addr("2001:db8::1");
            (void)bench_send(&b, 0, &v, &p, 1);
        }
        bench_work(&b);
        assert_int_equal(b.fib_events, 0);
        b.config.fib.install = true;
        assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
        for (uint32_t n = 0; n < 200; n++) {
            (void)rib_work(b.s, budget, b.now);
        }
        assert_false(rib_has_work(b.s));
        bench_events(&b);
        assert_int_equal(b.fib_events, 12);
        bench_end(&b);
    }
}

/* The second in which our path from this source for 11.0.N.0/24 came; 0: there is none. */
static uint64_t own_since(struct bench *own, uint32_t n, enum route_source source) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    uint64_t since = 0;
    if (!bgp_rib_find(own->s, ip_prefix_make(ip4(0x0B000000u + (n << 8)), 24), &it))
        return 0;
    while (bgp_rib_next_path(own->s, &it, &path))
        since = path.source == source ? (path.received.ns + NANOS_PER_S / 2) / NANOS_PER_S : since;
    bgp_rib_end(&it);
    return since;
}

#define OWN 20u

/* Two sources for each prefix, in either order; which of the prefixes `keeps`. */
static uint32_t own_routes(struct bgp_origin_config *list, bool (*keeps)(uint32_t n)) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < 2 * OWN; i++) {
        const uint32_t n = i / 2;
        bool kernel = (i + n) % 2;
        if (keeps(n))
            list[count++] = (struct bgp_origin_config){
                .prefix = ip_prefix_make(ip4(0x0B000000u + (n << 8)), 24),
                .source = kernel ? ROUTE_SOURCE_KERNEL : ROUTE_SOURCE_STATIC,
                .metric = UINT32_MAX};
    }
    return count;
}
static bool before(uint32_t n) {
    return n != OWN - 1;
}
static bool after(uint32_t n) {
    return n % 3 != 1; /* OWN - 1 is new */
}

/* Own routes that stay are not touched nor mentioned; those that are left out go, new ones come. */
static void test_own_routes_change(void **state) {
    static struct bench own;
    static struct bgp_origin_config all[2 * OWN], some[2 * OWN];
    (void)state;
    bench_config(&own, BGP_PROFILE_PLAIN, 1);
    own.config.origins = all;
    own.config.origin_count = own_routes(all, before);
    bench_start(&own);
    bench_up(&own, 0);
    bench_settle(&own);
    assert_int_equal(own.holds[0].route_count, OWN - 1);
    const uint64_t first = own.now.ns / NANOS_PER_S;
    own.now = nanotime_add_ms(own.now, 60000);
    struct bgp_config other = own.config;
    other.origins = some;
    other.origin_count = own_routes(some, after);
    assert_int_equal(bgp_configure(own.s, &other, own.now), BGP_OK);
    bench_settle(&own);
    assert_int_equal(own.holds[0].route_count, other.origin_count / 2);
    for (uint32_t n = 0; n < OWN; n++) {
        uint64_t since = !after(n) ? 0 : before(n) ? first : own.now.ns / NANOS_PER_S;
        assert_int_equal(own_since(&own, n, ROUTE_SOURCE_STATIC), since);
        assert_int_equal(own_since(&own, n, ROUTE_SOURCE_KERNEL), since);
    }
    assert_int_equal(own.holds[0].repeated, 0);
    assert_int_equal(own.holds[0].spurious, 0);
    bench_end(&own);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_routes_change),
        cmocka_unit_test(test_bestpath),
        cmocka_unit_test(test_multipath),
        cmocka_unit_test(test_C169_blackhole_accept),
        cmocka_unit_test(test_default_local_pref),
        cmocka_unit_test(test_default_local_pref_of_bird),
        cmocka_unit_test(test_fib_install),
        cmocka_unit_test(test_fib_install_of_two_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
