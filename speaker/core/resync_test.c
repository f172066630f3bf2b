/*
 * Events that found no room: what the FIB and the tracking of next hops did not hear is told as
 * soon as there is room again.
 */
#include "tables_test.h"

#include "event.h"
#include "nexthop.h"

#define ROUTES 20u

static struct bench b;

static void fill_queue(void) {
    while (event_push(b.s, &(struct bgp_event){.kind = BGP_EVENT_LOG})) {
    }
}

/* What the host knows: bit n for prefix n. */
struct host {
    uint32_t fib, tracked, tracks;
};

static struct ip_prefix prefix_of(uint32_t n) {
    return ip_prefix_make(ip4(0xC0000000u + (n << 8)), 24);
}

static void hear(struct host *h) {
    struct bgp_event e;
    do {
        while (bgp_next_event(b.s, &e)) {
            if (e.kind == BGP_EVENT_FIB) {
                uint32_t n = ip4_to_u32(e.fib.prefix.addr) >> 8 & 0xff;
                h->fib = e.fib.withdrawn ? h->fib & ~(1u << n) : h->fib | 1u << n;
            } else if (e.kind == BGP_EVENT_TRACK) {
                h->tracks++;
                h->tracked = e.track.wanted ? h->tracked + 1 : h->tracked - 1;
                bgp_nexthop_set(b.s, e.track.address, e.track.wanted, 10, b.now);
            }
        }
    } while (rib_work(b.s, 64, b.now) || event_count(b.s) > 0);
}

static void announce(bool withdraw) {
    for (uint32_t n = 0; n < ROUTES; n++) {
        const struct attr_values v = {.next_hop = ip4(0x0A090000u + n % 4), .has_local_pref = true};
        struct ip_prefix p = prefix_of(n);
        (void)bench_send(&b, 0, withdraw ? NULL : &v, &p, 1);
    }
}

static void work_unheard(void) {
    for (uint32_t i = 0; i < 100 && rib_work(b.s, 64, b.now); i++) {
    }
}

static void test_full_queue(void **state) {
    struct host host = {0};
    (void)state;
    bench_config(&b, BGP_PROFILE_PLAIN, 1);
    bench_start(&b);
    bench_up(&b, 0);
    fill_queue();
    announce(false);
    work_unheard();
    assert_false(rib_has_work(b.s)); /* nothing can be told: nobody is kept busy */
    hear(&host);
    assert_int_equal(host.fib, (1u << ROUTES) - 1);
    assert_int_equal(host.tracked, 4);
    fill_queue();
    announce(true);
    work_unheard();
    hear(&host);
    assert_int_equal(host.fib, 0);
    assert_int_equal(host.tracked, 0);
    assert_int_equal(b.s->rib->entries[0].used, 0);
    assert_int_equal(b.s->nexthops->slab.used, 0);
    bench_end(&b);
}

/* There may be more next hops, and prefixes, than are looked at in one call: each has its turn. */
static void test_told_a_few_at_a_time(void **state) {
    (void)state;
    for (uint32_t budget = 1; budget < 6; budget++) {
        struct bgp_event e;
        uint32_t tracks = 0, routes = 0;
        bench_config(&b, BGP_PROFILE_PLAIN, 1);
        bench_start(&b);
        bench_up(&b, 0);
        fill_queue();
        announce(false);
        for (uint32_t i = 0; i < 400; i++) {
            while (bgp_next_event(b.s, &e)) {
                tracks += e.kind == BGP_EVENT_TRACK;
                routes += e.kind == BGP_EVENT_FIB;
                if (e.kind == BGP_EVENT_TRACK) {
                    bgp_nexthop_set(b.s, e.track.address, true, 10, b.now);
                }
            }
            (void)rib_work(b.s, budget, b.now);
        }
        assert_int_equal(tracks, 4);
        assert_int_equal(routes, ROUTES);
        assert_false(rib_has_work(b.s));
        bench_end(&b);
    }
}

/* Gone and wanted again before the host heard: it is told the last word only. */
static void test_back_before_told(void **state) {
    struct host host = {0};
    (void)state;
    bench_config(&b, BGP_PROFILE_PLAIN, 1);
    bench_start(&b);
    bench_up(&b, 0);
    announce(false);
    hear(&host);
    fill_queue();
    announce(true);
    work_unheard();
    announce(false);
    work_unheard();
    hear(&host);
    assert_int_equal(host.fib, (1u << ROUTES) - 1);
    assert_int_equal(b.s->nexthops->slab.used, 4);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_queue),
        cmocka_unit_test(test_told_a_few_at_a_time),
        cmocka_unit_test(test_back_before_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
