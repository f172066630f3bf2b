/*
 * Update groups against a naive model: random announcements, withdrawals, sessions up and down,
 * refreshes, changes of policy and slow readers; in the end every peer must hold exactly what
 * export_route makes of each best path for it alone, as decoded from the bytes it really pulled.
 */
#include "tables_test.h"

#include "adjout.h"

/* What one peer should hold, from the RIB and export_route, without groups. */
static void check_against_model(struct bench *b, uint32_t i) {
    struct bench_peer *h = &b->holds[i];
    struct bgp_rib_iterator it;
    struct export_key key;
    uint32_t expected = 0;
    export_key_make(b->s, h->p, &key);
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        assert_int_equal(bgp_rib_begin(b->s, f, &it), BGP_OK);
        while (bgp_rib_next_prefix(b->s, &it)) {
            struct adjout_route r = rib_entry_route(b->s, f, rib_entry_find(b->s, f, it.prefix));
            struct attr_values v;
            if (!r.attrs || r.source_peer == h->p->index ||
                export_route(b->s, &key, h->p->config->options, &r, b->arena, NULL, &v) !=
                    EXPORT_SEND) {
                assert_null(held_find(h, it.prefix, 0));
                continue;
            }
            const struct held_route *held = held_find(h, it.prefix, 0);
            assert_non_null(held);
            uint32_t attrs = attr_intern(&b->attrs, &v);
            assert_int_equal(held->attrs, attrs);
            attr_release(&b->attrs, attrs);
            expected++;
        }
        bgp_rib_end(&it);
    }
    assert_int_equal(h->route_count, expected);
    assert_int_equal(adjout_count(b->s, h->p, 0) + adjout_count(b->s, h->p, 1), expected);
}

/* AS_PATHs of one and of two ASes, shared by several peers so that moves without a change of
 * attributes happen. */
static struct attr_values random_attrs(uint64_t *rng, bool external, uint32_t peer_as,
                                       const uint32_t *words) {
    struct attr_values v = {.next_hop = ip4(0x0a010001 + (uint32_t)rng_below(rng, 3))};
    (void)peer_as;
    v.origin = (uint8_t)rng_below(rng, 2);
    v.as_path.words = words;
    v.as_path.word_count = external ? 3 : 0;
    if (!external) {
        v.has_local_pref = true;
        v.local_pref = 100 + (uint32_t)rng_below(rng, 2);
    } else if (rng_below(rng, 3) == 0) {
        v.has_med = true;
        v.med = (uint32_t)rng_below(rng, 4);
    }
    return v;
}

static struct ip_prefix random_prefix(uint64_t *rng) {
    if (rng_below(rng, 4) == 0) {
        uint8_t bytes[16] = {0x20, 1, 0x0d, 0xb8, 0, (uint8_t)rng_below(rng, 12)};
        return ip_prefix_make(ip6(bytes), 48);
    }
    return ip_prefix_make(ip4(0x0af00000 + (uint32_t)rng_below(rng, 40) * 256), 24);
}

static void random_update(struct bench *b, uint64_t *rng, uint32_t i) {
    const uint32_t words[] = {AS_SEQUENCE << 16 | 2, b->peers[i].remote_as, 64999};
    struct ip_prefix p = random_prefix(rng);
    if (!b->holds[i].up) {
        return;
    }
    struct attr_values v = random_attrs(rng, b->holds[i].p->external, b->peers[i].remote_as, words);
    if (p.addr.family == IP_V6) {
        uint8_t bytes[16] = {0x20, 1, 0x0d, 0xb8, 0xff, 0, [15] = 1};
        v.next_hop = ip6(bytes);
    }
    (void)bench_send(b, i, rng_below(rng, 3) ? &v : NULL, &p, 1);
}

static void random_session(struct bench *b, uint64_t *rng, uint32_t i) {
    if (b->holds[i].up) {
        bench_down(b, i, rng_below(rng, 3) == 0);
    } else {
        bench_up(b, i);
    }
}

/* The peer's export default flips: its group changes, as after a new configuration. */
static void random_regroup(struct bench *b, uint64_t *rng, uint32_t i) {
    struct bgp_peer_options *c = bench_options(b, i);
    c->export[0].accept_by_default = !c->export[0].accept_by_default;
    c->next_hop_mode = rng_below(rng, 2) ? BGP_NEXT_HOP_AUTO : BGP_NEXT_HOP_SELF;
    adjout_regroup(b->s, b->holds[i].p);
}

static void random_origin(struct bench *b, uint64_t *rng) {
    struct bgp_origin_config o = {.prefix = random_prefix(rng), .source = ROUTE_SOURCE_STATIC};
    o.metric = (uint32_t)rng_below(rng, 2);
    if (rng_below(rng, 2)) {
        assert_int_equal(bgp_originate(b->s, &o, b->now), BGP_OK);
    } else {
        enum bgp_status st = bgp_withdraw(b->s, o.prefix, o.source, b->now);
        assert_true(st == BGP_OK || st == BGP_UNKNOWN);
    }
}

static void random_step(struct bench *b, uint64_t *rng) {
    uint32_t i = (uint32_t)rng_below(rng, b->config.peer_count);
    uint64_t what = rng_below(rng, 100);
    if (what < 50) {
        random_update(b, rng, i);
    } else if (what < 60) {
        random_origin(b, rng);
    } else if (what < 65) {
        random_session(b, rng, i);
    } else if (what < 70) {
        random_regroup(b, rng, i);
    } else if (what < 73 && b->holds[i].up) {
        adjout_refresh(b->s, b->holds[i].p, (enum bgp_family)rng_below(rng, 2));
    } else if (what < 88) {
        (void)bench_pull_some(b, i, (uint32_t)rng_below(rng, 4));
    } else {
        bench_events(b);
        (void)rib_work(b->s, (uint32_t)rng_below(rng, 20) + 1, b->now);
    }
}

static void mixed_peers(struct bench *b, enum bgp_profile profile) {
    bench_config(b, profile, 8);
    for (uint32_t i = 0; i < 8; i++) {
        b->peers[i].families[BGP_IPV6_UNICAST] = i != 7;
        b->peers[i].rr_client = i < 3;
        if (i >= 5) {
            b->peers[i].remote_as = 65001;
        }
        b->peers[i].enforce_first_as = false;
    }
}

/* Every second peer checks what stands between BoRR and EoRR. */
static void enhance_refresh(struct bench *b) {
    for (uint32_t i = 0; i < b->config.peer_count; i += 2) {
        b->holds[i].p->enhanced_refresh = true;
    }
}

/* `backlog_max`: how many bytes a slow reader may be behind; 0: the real limit. */
static void run_model(uint64_t seed, enum bgp_profile profile, uint32_t backlog_max) {
    static struct bench b;
    uint64_t rng = seed;
    mixed_peers(&b, profile);
    bench_start(&b);
    enhance_refresh(&b);
    b.rng = seed % 3 ? seed : 0;
    if (backlog_max) {
        b.s->adjout->backlog_max = backlog_max;
    }
    if (seed % 4 == 0) {
        b.s->adjout->graves_max = 1; /* forgetting takes many slices */
    }
    for (uint32_t round = 0; round < 12; round++) {
        uint64_t steps = rng_below(&rng, 120);
        for (uint64_t n = 0; n < steps; n++) {
            random_step(&b, &rng);
        }
        bench_settle(&b);
        for (uint32_t i = 0; i < b.config.peer_count; i++) {
            if (b.holds[i].up) {
                check_against_model(&b, i);
            }
        }
        assert_int_equal(b.s->adjout->catchups.used, 0); /* who has all needs nothing */
    }
    bench_end(&b);
}

static void test_model(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        run_model(seed, seed % 2 ? BGP_PROFILE_FAST : BGP_PROFILE_IOS, 0);
    }
}

/* Readers that fall behind all the time walk again, and end up right. */
static void test_model_slow_readers(void **state) {
    (void)state;
    for (uint64_t seed = 1000; seed <= 1150; seed++) {
        run_model(seed, seed % 2 ? BGP_PROFILE_FAST : BGP_PROFILE_IOS,
                  (uint32_t)(300 + seed % 5 * 200));
    }
}

/* C079: without joining or leaving, every message says something new to its receiver. */
static void test_C079_nothing_superfluous(void **state) {
    static struct bench b;
    uint64_t rng = 7;
    (void)state;
    mixed_peers(&b, BGP_PROFILE_FAST);
    bench_start(&b);
    for (uint32_t i = 0; i < 8; i++) {
        bench_up(&b, i);
    }
    bench_settle(&b);
    for (uint32_t n = 0; n < 4000; n++) {
        random_update(&b, &rng, (uint32_t)rng_below(&rng, 8));
        if (n % 3 == 0) {
            random_origin(&b, &rng);
            bench_work(&b);
            (void)bench_pull_some(&b, (uint32_t)rng_below(&rng, 8), 3);
        }
    }
    bench_settle(&b);
    for (uint32_t i = 0; i < 8; i++) {
        check_against_model(&b, i);
        assert_int_equal(b.holds[i].repeated, 0);
        assert_int_equal(b.holds[i].spurious, 0);
    }
    bench_end(&b);
}

/* A refresh was asked for while there is no memory for it: it comes as soon as there is. */
static void test_refresh_without_memory(void **state) {
    static struct bench b;
    const struct attr_values v = {
        .next_hop = addr("10.0.0.1"), .has_local_pref = true, .local_pref = 100};
    (void)state;
    bench_config(&b, BGP_PROFILE_FAST, 2);
    b.peers[0].rr_client = true;
    bench_start(&b);
    bench_up(&b, 0);
    bench_up(&b, 1);
    (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
    bench_settle(&b);
    assert_non_null(bench_held(&b, 1, "192.0.2.0/24"));
    for (uint32_t times = 1; times <= 3; times++) {
        adjout_refresh(b.s, b.holds[1].p, BGP_IPV4_UNICAST);
        b.fail_after = 1;
        b.fail_for_ever = true;
        assert_int_equal(bench_pull_some(&b, 1, UINT32_MAX), 0);
        assert_int_equal(b.holds[1].repeated, times - 1);
        b.fail_after = 0;
        bench_settle(&b);
        assert_int_equal(b.holds[1].repeated, times);
        assert_int_equal(b.s->adjout->catchups.used, 0);
    }
    bench_end(&b);
}

/* A withdrawal that the peer has not been sent in its first group goes with it to the second one
 * and, in the middle of the walk there, to the third. */
static void test_withdrawal_through_two_groups(void **state) {
    static struct bench b;
    const struct attr_values v = {
        .next_hop = addr("10.0.0.1"), .has_local_pref = true, .local_pref = 100};
    (void)state;
    bench_config(&b, BGP_PROFILE_FAST, 3);
    b.peers[0].rr_client = true;
    bench_start(&b);
    b.s->adjout->walk_max = 1;
    for (uint32_t i = 0; i < 3; i++) {
        bench_up(&b, i);
    }
    for (uint32_t n = 0; n < 8; n++) {
        const struct ip_prefix p = ip_prefix_make(ip4(0x0af00000 + n * 256), 24);
        (void)bench_send(&b, 0, &v, &p, 1);
    }
    bench_settle(&b);
    assert_non_null(bench_held(&b, 1, "10.240.7.0/24"));
    bench_withdraw(&b, 0, "10.240.7.0/24");
    bench_work(&b);
    bench_pull(&b, 2); /* the message is there now, and peer 1 does not take it */
    assert_non_null(bench_held(&b, 1, "10.240.7.0/24"));
    bench_options(&b, 1)->next_hop_mode = BGP_NEXT_HOP_SELF_ALL;
    adjout_regroup(b.s, b.holds[1].p);
    bench_work(&b);
    assert_int_equal(bench_pull_some(&b, 1, 2), 2);
    assert_int_equal(b.s->adjout->catchups.used, 1); /* it has not been through all */
    bench_options(&b, 1)->next_hop_mode = BGP_NEXT_HOP_AUTO;
    adjout_regroup(b.s, b.holds[1].p);
    bench_settle(&b);
    check_against_model(&b, 1);
    assert_null(bench_held(&b, 1, "10.240.7.0/24"));
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_model_slow_readers),
        cmocka_unit_test(test_C079_nothing_superfluous),
        cmocka_unit_test(test_refresh_without_memory),
        cmocka_unit_test(test_withdrawal_through_two_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
