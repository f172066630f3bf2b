/*
 * Maxima of limits.h that nothing else meets: at each the speaker does as ever, one above it says
 * so or does what the limit's owner promises.
 */
#include "tables_test.h"

#include "../base/diag.h"
#include "dampening.h"
#include "malformed.h"

#define PREFIX "192.0.2.0/24"

static struct bench b;

/* ---- a configuration's lists ---- */

static void plain_config(struct bgp_config *c) {
    bgp_config_init(c, BGP_PROFILE_IOS);
    c->local_as = 64512;
    c->router_id = ip4(0x0A000001);
}

/* `says` NULL: it is as it should be. */
static void assert_checked(const struct bgp_config *c, const char *says) {
    struct diag_list *d = diag_list_new();
    bool ok = bgp_config_check(c, "file", d);
    if (!says && !ok)
        fail_msg("%s", diag_at(d, 0)->message);
    if (says) {
        assert_int_equal(diag_error_count(d), 1);
        assert_string_equal(diag_at(d, 0)->id, "too-many");
        assert_string_equal(diag_at(d, 0)->message, says);
    }
    diag_list_free(d);
}

static void test_origins(void **state) {
    struct bgp_config c;
    struct bgp_origin_config *list = calloc(BGP_ORIGINS_MAX + 1, sizeof *list);
    (void)state;
    assert_non_null(list);
    for (uint32_t i = 0; i <= BGP_ORIGINS_MAX; i++)
        list[i] = (struct bgp_origin_config){.prefix = ip_prefix_make(ip4(0x0B000000 + i), 32),
                                             .source = ROUTE_SOURCE_STATIC,
                                             .metric = UINT32_MAX};
    plain_config(&c);
    c.origins = list;
    c.origin_count = BGP_ORIGINS_MAX;
    assert_checked(&c, NULL);
    c.origin_count++;
    assert_checked(&c, "1000001 routes, at most 1000000");
    free(list);
}

static void test_aggregates(void **state) {
    static struct bgp_aggregate_config list[BGP_AGGREGATES_MAX + 1];
    struct bgp_config c;
    (void)state;
    for (uint32_t i = 0; i <= BGP_AGGREGATES_MAX; i++)
        list[i].prefix = ip_prefix_make(ip4(0x0B000000 + (i << 8)), 24);
    plain_config(&c);
    c.aggregates = list;
    c.aggregate_count = BGP_AGGREGATES_MAX;
    assert_checked(&c, NULL);
    c.aggregate_count++;
    assert_checked(&c, "1025 aggregates, at most 1024");
}

static void test_confederation_members(void **state) {
    static uint32_t list[BGP_CONFEDERATION_MEMBERS_MAX + 1];
    struct bgp_config c;
    (void)state;
    for (uint32_t i = 0; i <= BGP_CONFEDERATION_MEMBERS_MAX; i++)
        list[i] = 4200000000 + i;
    plain_config(&c);
    c.confederation_id = 65000;
    c.confederation_members = list;
    c.confederation_member_count = BGP_CONFEDERATION_MEMBERS_MAX;
    assert_checked(&c, NULL);
    c.confederation_member_count++;
    assert_checked(&c, "1025 confederation members, at most 1024");
}

static void test_policies(void **state) {
    static struct policy list[BGP_POLICIES_MAX + 1];
    static char names[BGP_POLICIES_MAX + 1][8];
    struct bgp_config c;
    (void)state;
    for (uint32_t i = 0; i <= BGP_POLICIES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "p%u", i);
        list[i].name = names[i];
    }
    plain_config(&c);
    c.policies = list;
    c.policy_count = BGP_POLICIES_MAX;
    assert_checked(&c, NULL);
    c.policy_count++;
    assert_checked(&c, "4097 policies, at most 4096");
}

/* ---- what peers make grow ---- */

/* New pairs go uncounted; those there are go on. */
static void test_malformed_counts(void **state) {
    struct bgp_update u = {.outcome = BGP_OUTCOME_TREAT_AS_WITHDRAW};
    uint32_t count = 0;
    (void)state;
    bench_config(&b, BGP_PROFILE_CALICO, BGP_MALFORMED_COUNTS_MAX / 256 + 1);
    bench_start(&b);
    for (uint32_t i = 0; i < BGP_MALFORMED_COUNTS_MAX + 256; i++) {
        u.worst_attribute = (uint8_t)i;
        malformed_note(b.s, b.holds[i / 256].p, &u, NULL, 0, b.now);
        (void)bgp_malformed_counts(b.s, &count);
        assert_int_equal(count, i < BGP_MALFORMED_COUNTS_MAX ? i + 1 : BGP_MALFORMED_COUNTS_MAX);
    }
    malformed_note(b.s, b.holds[0].p, &u, NULL, 0, b.now);
    const struct bgp_malformed_count *counts = bgp_malformed_counts(b.s, &count);
    assert_int_equal(count, BGP_MALFORMED_COUNTS_MAX);
    assert_int_equal(counts[255].count, 2);
    assert_string_equal(counts[BGP_MALFORMED_COUNTS_MAX - 1].peer, "p3");
    assert_int_equal(malformed_number(b.s), BGP_MALFORMED_COUNTS_MAX + 257);
    bench_end(&b);
}

static uint32_t histories(void) {
    struct bgp_dampened h;
    uint32_t at = 0, count = 0;
    while (bgp_dampening_next(b.s, &at, b.now, &h))
        count++;
    return count;
}

/* A flap behind the last history is not remembered, and nothing is held back for it. */
static void test_dampened(void **state) {
    struct bgp_dampening_config dampening = bgp_dampening_default;
    (void)state;
    bench_config(&b, BGP_PROFILE_IOS, 1);
    b.config.dampening = &dampening;
    b.config.dampening_count = 1;
    b.peers[0].remote_as = 65001;
    bench_start(&b);
    bench_up(&b, 0);
    const uint32_t path[] = {AS_SEQUENCE << 16 | 1, 65001};
    struct attr_values v = {.next_hop = ip4(0x0a000001), .as_path = {path, 2}};
    uint32_t attrs = attr_intern(&b.s->attrs, &v);
    assert_true(attrs != 0);
    for (uint32_t i = 0; i <= BGP_DAMPENED_MAX; i++) {
        struct ip_prefix p = ip_prefix_make(ip4(0x0B000000 + i), 32);
        for (int times = 0; times < 3; times++)
            dampening_withdrawn(b.s, b.holds[0].p, p, 0, attrs, b.now);
        if (i + 1 >= BGP_DAMPENED_MAX)
            assert_int_equal(dampening_announced(b.s, b.holds[0].p, p, 0, attrs, 0, b.now),
                             i < BGP_DAMPENED_MAX);
    }
    assert_int_equal(histories(), BGP_DAMPENED_MAX);
    attr_release(&b.s->attrs, attrs);
    bench_end(&b);
}

/* ---- many paths of one prefix, of one peer by their identifiers (RFC 7911) ---- */

static void start_paths(enum bgp_profile profile, uint32_t peers) {
    bench_config(&b, profile, peers);
    for (uint32_t i = 0; i < peers; i++) {
        b.peers[i].remote_as = 65001;
        b.peers[i].add_path_receive[0] = true;
        b.peers[i].add_path_receive_max[0] = BGP_PATHS_PER_PREFIX_MAX + 1;
        b.peers[i].export[0].accept_by_default = false;
    }
}

static void up(void) {
    bench_start(&b);
    for (uint32_t i = 0; i < b.config.peer_count; i++) {
        b.holds[i].p->add_path[0] = BGP_ADD_PATH_RECEIVE;
        bench_up(&b, i);
    }
}

static void announce(uint32_t peer, uint32_t path_id, uint32_t hops) {
    const uint32_t path[] = {AS_SEQUENCE << 16 | hops, 65001, 65002};
    struct attr_values v = {.next_hop = ip4(0x0B000000 + (peer << 20) + path_id),
                            .as_path = {path, 1 + hops}};
    bench_send_path(&b, peer, &v, pfx(PREFIX), path_id);
}

/* However many share the load, the kernel has so many next hops. */
static void test_multipath(void **state) {
    (void)state;
    start_paths(BGP_PROFILE_IOS, 1);
    b.config.multipath_external[0] = 2 * BGP_MULTIPATH_MAX;
    up();
    for (uint32_t id = 1; id <= BGP_MULTIPATH_MAX + 1; id++) {
        announce(0, id, 1);
        bench_work(&b);
        uint32_t want = id < BGP_MULTIPATH_MAX ? id : BGP_MULTIPATH_MAX;
        assert_int_equal(b.fib.next_hop_count, id > 1 ? want : 0);
    }
    bench_end(&b);
}

struct seen {
    uint32_t paths, best, valid;
};

static struct seen look(void) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    struct seen s = {0};
    assert_true(bgp_rib_find(b.s, pfx(PREFIX), &it));
    while (bgp_rib_next_path(b.s, &it, &path)) {
        s.paths++;
        s.best += path.best;
        s.valid += path.valid;
    }
    bgp_rib_end(&it);
    return s;
}

/* The last in order is the best one; those behind the limit are held, and out of the decision. */
static void test_paths_per_prefix(void **state) {
    (void)state;
    start_paths(BGP_PROFILE_IOS, 2);
    up();
    announce(1, 1, 1);
    for (uint32_t id = 1; id < BGP_PATHS_PER_PREFIX_MAX; id++)
        announce(0, id, 2);
    bench_work(&b);
    struct seen s = look();
    assert_int_equal(s.paths, BGP_PATHS_PER_PREFIX_MAX);
    assert_int_equal(s.valid, BGP_PATHS_PER_PREFIX_MAX);
    assert_int_equal(s.best, 1);
    assert_int_equal(ip4_to_u32(b.fib.next_hop), 0x0B100001);
    announce(0, BGP_PATHS_PER_PREFIX_MAX, 2);
    bench_work(&b);
    s = look();
    assert_int_equal(s.paths, BGP_PATHS_PER_PREFIX_MAX + 1);
    assert_int_equal(s.best, 1);
    assert_int_equal(s.valid, BGP_PATHS_PER_PREFIX_MAX);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_aggregates),
        cmocka_unit_test(test_confederation_members),
        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_malformed_counts),
        cmocka_unit_test(test_dampened),
        cmocka_unit_test(test_multipath),
        cmocka_unit_test(test_paths_per_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
