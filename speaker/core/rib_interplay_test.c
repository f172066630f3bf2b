/*
 * Where two mechanisms of the tables meet: what one UPDATE withdraws and announces, dampening, soft
 * reconfiguration, several paths (RFC 7911), limits, aggregates, own routes, missing memory.
 * Peer 0 is in AS 65001, peer 1 in AS 65002, peer 2 is internal and looks on.
 */
#include "tables_test.h"

#include "dampening.h"

#define PREFIX "192.0.2.0/24"

static struct bench b;
static struct bgp_dampening_config dampening;
static struct bgp_aggregate_config aggregate;
static const uint32_t path_of[2][2] = {{AS_SEQUENCE << 16 | 1, 65001},
                                       {AS_SEQUENCE << 16 | 1, 65002}};

static void configure(void) {
    bench_config(&b, BGP_PROFILE_IOS, 3);
    b.peers[0].remote_as = 65001;
    b.peers[1].remote_as = 65002;
    dampening = bgp_dampening_default;
    b.config.dampening = &dampening;
}

static void start(void) {
    bench_start(&b);
    for (uint32_t i = 0; i < 3; i++) {
        bench_up(&b, i);
    }
}

static struct attr_values route(uint32_t peer, uint32_t med) {
    return (struct attr_values){.next_hop = ip4(0x0a000001 + peer),
                                .as_path = {path_of[peer], 2},
                                .has_med = true,
                                .med = med};
}

static void announce(uint32_t peer, const char *prefix, uint32_t med) {
    const struct attr_values v = route(peer, med);
    (void)bench_announce(&b, peer, &v, prefix);
    bench_settle(&b);
}

static uint32_t received(uint32_t peer) {
    return rib_received_count(b.s, b.holds[peer].p, BGP_IPV4_UNICAST);
}

/* ---- one UPDATE ---- */

/* One message that withdraws and announces, with path identifiers unless they are 0. */
static void send_both(const struct attr_values *v, const char *withdrawn, uint32_t withdrawn_id,
                      const char *announced, uint32_t announced_id) {
    uint8_t gone[BGP_MESSAGE_SIZE_MAX], new[BGP_MESSAGE_SIZE_MAX], whole[BGP_MESSAGE_SIZE_MAX];
    const struct ip_prefix old = pfx(withdrawn), next = pfx(announced);
    const struct attr_encoding how = {.as4 = true, .path_ids = withdrawn_id ? &withdrawn_id : NULL};
    const struct attr_encoding then = {.as4 = true,
                                       .path_ids = announced_id ? &announced_id : NULL};
    size_t gone_size, new_size;
    assert_int_equal(update_encode(NULL, &how, &old, 1, gone, sizeof gone, &gone_size), 1);
    assert_int_equal(update_encode(v, &then, &next, 1, new, sizeof new, &new_size), 1);
    size_t head = gone_size - 2, tail = new_size - BGP_HEADER_SIZE - 2; /* lengths between them */
    memcpy(whole, gone, head);
    memcpy(whole + head, new + BGP_HEADER_SIZE + 2, tail);
    whole[16] = (uint8_t)((head + tail) >> 8);
    whole[17] = (uint8_t)(head + tail);
    (void)bench_message(&b, 0, whole, head + tail);
    bench_settle(&b);
}

/* RFC 4271 4.3: as though WITHDRAWN ROUTES did not contain the prefix: no flap, no withdrawal. */
static void test_withdrawn_and_announced(void **state) {
    (void)state;
    struct bgp_dampened h;
    struct bgp_session_tally t;
    uint32_t at = 0;
    configure();
    b.config.dampening_count = 1;
    start();
    announce(0, PREFIX, 5);
    const struct attr_values v = route(0, 5);
    send_both(&v, PREFIX, 0, PREFIX, 0);
    assert_non_null(bench_held(&b, 2, PREFIX));
    assert_int_equal(b.holds[2].repeated, 0);
    assert_false(bgp_dampening_next(b.s, &at, b.now, &h));
    const struct bgp_peer_id id = {b.holds[0].p->index};
    assert_true(bgp_session_tally_get(b.s, id, BGP_IPV4_UNICAST, &t));
    assert_int_equal(t.received.explicit_withdraws, 0);
    assert_int_equal(t.received.implicit_withdraws, 1);
    send_both(&v, PREFIX, 0, "198.51.100.0/24", 0); /* what is not announced too does go */
    assert_null(bench_held(&b, 2, PREFIX));
    at = 0;
    assert_true(bgp_dampening_next(b.s, &at, b.now, &h));
    assert_int_equal(h.penalty, 1000);
    bench_end(&b);
}

/* RFC 7911 3: prefix and identifier together are what is announced; the one that goes makes room
 * for the one that comes. */
static void test_withdrawn_and_announced_as_another_path(void **state) {
    (void)state;
    const struct ip_prefix p = pfx(PREFIX);
    const struct attr_values v = route(0, 5);
    uint32_t at = 0;
    struct bgp_dampened h;
    configure();
    b.config.dampening_count = 1;
    b.peers[0].add_path_receive_max[0] = 1;
    start();
    b.holds[0].p->add_path[0] = BGP_ADD_PATH_RECEIVE;
    bench_send_path(&b, 0, &v, p, 1);
    send_both(&v, PREFIX, 1, PREFIX, 2);
    uint32_t entry = rib_entry_find(b.s, BGP_IPV4_UNICAST, p);
    const uint32_t peer = b.holds[0].p->index;
    assert_int_equal(rib_path_find(b.s, 0, entry, peer, ROUTE_SOURCE_BGP, 1), 0);
    assert_int_not_equal(rib_path_find(b.s, 0, entry, peer, ROUTE_SOURCE_BGP, 2), 0);
    assert_true(bgp_dampening_next(b.s, &at, b.now, &h));
    assert_int_equal(h.path_id, 1);
    bench_end(&b);
}

/* ---- several paths ---- */

/* RFC 7911 3 forbids no identifier: 0 counts like any other. */
static void test_limit_has_identifier_zero(void **state) {
    (void)state;
    const struct ip_prefix p = pfx(PREFIX);
    const struct attr_values v = route(0, 5);
    for (uint32_t first = 0; first < 2; first++) {
        configure();
        b.peers[0].add_path_receive_max[0] = 1;
        start();
        b.holds[0].p->add_path[0] = BGP_ADD_PATH_RECEIVE;
        bench_send_path(&b, 0, &v, p, first);
        bench_send_path(&b, 0, &v, p, !first);
        bench_settle(&b);
        assert_int_equal(received(0), 1);
        bench_end(&b);
    }
}

static void expect_explained(uint32_t peer, const char *want) {
    struct text t;
    text_init(&t);
    const struct bgp_peer_id id = {b.holds[peer].p->index};
    assert_int_equal(bgp_explain(b.s, id, true, pfx(PREFIX), &t), BGP_OK);
    assert_non_null(strstr(text_str(&t), want));
    text_deinit(&t);
}

/* What is explained is each path that is held, whatever its identifier. */
static void test_explained_by_identifier(void **state) {
    (void)state;
    const struct attr_values v = route(0, 5);
    configure();
    start();
    b.holds[0].p->add_path[0] = BGP_ADD_PATH_RECEIVE;
    expect_explained(0, "no path from p0 is held");
    bench_send_path(&b, 0, &v, pfx(PREFIX), 7);
    bench_send_path(&b, 0, &v, pfx(PREFIX), 9);
    bench_settle(&b);
    expect_explained(0, "path 7: run on the attributes as accepted");
    expect_explained(0, "path 9: run on the attributes as accepted");
    bench_end(&b);
}

/* ---- soft reconfiguration ---- */

/* What the operator has run through policy again was announced by nobody. */
static void test_policy_again_is_no_announcement(void **state) {
    (void)state;
    struct bgp_session_tally before, after;
    configure();
    b.peers[0].soft_reconfiguration = true;
    start();
    announce(0, PREFIX, 5);
    const struct bgp_peer_id id = {b.holds[0].p->index};
    assert_true(bgp_session_tally_get(b.s, id, BGP_IPV4_UNICAST, &before));
    assert_true(rib_reimport(b.s, b.holds[0].p));
    bench_settle(&b);
    assert_true(bgp_session_tally_get(b.s, id, BGP_IPV4_UNICAST, &after));
    assert_int_equal(before.received.total, 1);
    assert_memory_equal(&before.received, &after.received, sizeof before.received);
    bench_end(&b);
}

/* What cannot be used is no prefix of the session's, kept or not; what it takes the place of has
 * been withdrawn. */
static void test_refused_is_not_counted(void **state) {
    (void)state;
    static const uint32_t looped[] = {AS_SEQUENCE << 16 | 2, 65001, 64512};
    for (int kept = 0; kept < 2; kept++) {
        struct bgp_session_tally t;
        struct attr_values v = route(0, 5);
        configure();
        b.peers[0].soft_reconfiguration = kept;
        start();
        announce(0, PREFIX, 5);
        v.as_path = (struct as_path){looped, 3};
        (void)bench_announce(&b, 0, &v, PREFIX);
        bench_settle(&b);
        const struct bgp_peer_id id = {b.holds[0].p->index};
        assert_true(bgp_session_tally_get(b.s, id, BGP_IPV4_UNICAST, &t));
        assert_int_equal(t.received.total, 1);
        assert_int_equal(t.received.implicit_withdraws, 1);
        assert_int_equal(received(0), kept);
        bench_end(&b);
    }
}

/* ---- limits ---- */

/* The warning is for each time the threshold is reached, also where the table was emptied between
 * two UPDATEs, and whatever the other family has. */
static void test_warned_again(void **state) {
    (void)state;
    const struct ip_prefix two[] = {pfx("192.0.2.0/24"), pfx("198.51.100.0/24")};
    const struct attr_values v = route(0, 5);
    struct attr_values v6 = v;
    v6.next_hop = addr("2001:db8::1");
    for (int other = 0; other < 2; other++) {
        configure();
        b.peers[0].families[BGP_IPV6_UNICAST] = true;
        b.peers[0].prefix_max[0] = 2;
        b.peers[0].prefix_warning_percent = 75;
        start();
        if (other) {
            (void)bench_announce(&b, 0, &v6, "2001:db8:1::/48");
        }
        for (uint32_t round = 1; round < 4; round++) {
            bench_events(&b);
            b.log_events = 0;
            (void)bench_send(&b, 0, &v, two, 2);
            bench_events(&b);
            assert_int_equal(b.log_events, 1);
            assert_int_equal(b.last_log, BGP_LOG_PREFIX_WARNING);
            (void)bench_send(&b, 0, NULL, two, 2);
            bench_settle(&b);
        }
        bench_end(&b);
    }
}

/* ---- policy ---- */

/* A next hop that policy makes the peer's has no link-local address of somebody else beside it. */
static void test_next_hop_peer_without_link_local(void **state) {
    (void)state;
    static const struct policy_action action = {.kind = POLICY_SET_NEXT_HOP_PEER};
    static const struct policy_term term = {
        .name = "10", .actions = &action, .action_count = 1, .verdict = POLICY_ACCEPT};
    static const struct policy policy = {.name = "map", .terms = &term, .term_count = 1};
    static const uint16_t index = 0;
    configure();
    b.config.policies = &policy;
    b.config.policy_count = 1;
    b.config.fib.install = true;
    b.peers[0].remote_addr = addr("2001:db8::1");
    b.peers[0].families[BGP_IPV6_UNICAST] = true;
    b.peers[0].import[1] = (struct policy_chain){.policies = &index, .count = 1};
    start();
    struct attr_values v = route(0, 5);
    v.next_hop = addr("2001:db8::99");
    v.link_local = addr("fe80::99");
    (void)bench_announce(&b, 0, &v, "2001:db8:1::/48");
    bench_settle(&b);
    assert_int_equal(b.fib_events, 1);
    assert_true(ip_equal(b.fib.next_hop, addr("2001:db8::1")));
    assert_false(ip_is_set(b.fib.link_local));
    bench_end(&b);
}

/* ---- aggregates and own routes ---- */

static struct bgp_origin_config origins[] = {
    {.prefix = {.addr = {.family = IP_V4, .bytes = {10, 1, 1, 0}}, .length = 24},
     .source = ROUTE_SOURCE_STATIC,
     .metric = UINT32_MAX},
    {.prefix = {.addr = {.family = IP_V4, .bytes = {10, 2, 1, 0}}, .length = 24},
     .source = ROUTE_SOURCE_STATIC,
     .metric = UINT32_MAX},
    {.prefix = {.addr = {.family = IP_V4, .bytes = {10, 3, 1, 0}}, .length = 24},
     .source = ROUTE_SOURCE_STATIC,
     .metric = UINT32_MAX},
};

static void configure_aggregate(bool summary_only) {
    configure();
    aggregate =
        (struct bgp_aggregate_config){.prefix = pfx("10.1.0.0/16"), .summary_only = summary_only};
    b.config.aggregates = &aggregate;
    b.config.aggregate_count = 1;
    b.config.origins = origins;
    b.config.origin_count = 1;
}

static const struct attr_values *best_of(const char *prefix) {
    uint32_t entry = rib_entry_find(b.s, BGP_IPV4_UNICAST, pfx(prefix));
    uint32_t attrs = entry ? rib_entry_at(b.s, BGP_IPV4_UNICAST, entry)->best_attrs : 0;
    return attrs ? &attr_get(&b.s->attrs, attrs)->v : NULL;
}

/* RFC 4271 5.1.7: AGGREGATOR is who we are now, also where no contributor changed. */
static void test_aggregator_is_who_we_are(void **state) {
    (void)state;
    for (int what = 0; what < 3; what++) {
        configure_aggregate(false);
        bench_start(&b);
        bench_work(&b);
        assert_int_equal(best_of("10.1.0.0/16")->aggregator_as, 64512);
        if (what == 0) {
            b.config.router_id = addr("10.0.0.101");
        } else if (what == 1) {
            b.config.local_as = 64513;
        } else {
            b.config.confederation_id = 100;
        }
        assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
        bench_work(&b);
        const struct attr_values *v = best_of("10.1.0.0/16");
        const uint32_t as[] = {64512, 64513, 100};
        assert_int_equal(v->aggregator_id, ip4_to_u32(b.config.router_id));
        assert_int_equal(v->aggregator_as, as[what]);
        bench_end(&b);
    }
}

/* An aggregate comes and goes with its contributors alone: its place is given to nobody. */
static void test_aggregate_is_no_own_route(void **state) {
    (void)state;
    const struct bgp_origin_config same = {
        .prefix = pfx("10.1.0.0/16"), .source = ROUTE_SOURCE_AGGREGATE, .metric = UINT32_MAX};
    configure_aggregate(false);
    bench_start(&b);
    bench_work(&b);
    assert_int_equal(bgp_originate(b.s, &same, b.now), BGP_INVALID);
    assert_int_equal(bgp_withdraw(b.s, same.prefix, same.source, b.now), BGP_INVALID);
    bench_work(&b);
    assert_true(best_of("10.1.0.0/16")->has_aggregator);
    bench_end(&b);
}

/* Without memory for the records of aggregates nothing is silenced, and the next configuration,
 * the same one again, brings them. */
static void test_aggregates_without_memory(void **state) {
    (void)state;
    bool failed = false;
    for (unsigned long n = 1; n < 400; n++) {
        configure_aggregate(true);
        start();
        bench_settle(&b);
        assert_null(bench_held(&b, 2, "10.1.1.0/24"));
        aggregate.as_set = true;
        alloc_fail_after(n, false);
        enum bgp_status status = bgp_configure(b.s, &b.config, b.now);
        alloc_fail_after(0, false);
        bench_settle(&b);
        if (status == BGP_OK && !b.s->rib->aggregates) {
            failed = true;
            assert_non_null(bench_held(&b, 2, "10.1.1.0/24"));
        }
        assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
        bench_settle(&b);
        assert_non_null(bench_held(&b, 2, "10.1.0.0/16"));
        assert_null(bench_held(&b, 2, "10.1.1.0/24"));
        bench_end(&b);
    }
    assert_true(failed);
}

/* The own route that there is no memory for is the only one that is missing. */
static void test_own_routes_without_memory(void **state) {
    (void)state;
    uint32_t hit = 0;
    for (unsigned long n = 1; n < 100; n++) {
        configure();
        b.config.origins = origins;
        start();
        bench_settle(&b);
        b.config.origin_count = 3;
        alloc_fail_after(n, false);
        enum bgp_status status = bgp_configure(b.s, &b.config, b.now);
        alloc_fail_after(0, false);
        bench_settle(&b);
        uint32_t there = 0;
        for (uint32_t i = 0; i < 3; i++) {
            char text[IP_PREFIX_TEXT_MAX];
            there += best_of(ip_prefix_format(origins[i].prefix, text)) != NULL;
        }
        if (status == BGP_OK) {
            assert_in_range(there, 2, 3);
            hit += there == 2;
        }
        bench_end(&b);
    }
    assert_int_not_equal(hit, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_withdrawn_and_announced),
        cmocka_unit_test(test_withdrawn_and_announced_as_another_path),
        cmocka_unit_test(test_limit_has_identifier_zero),
        cmocka_unit_test(test_explained_by_identifier),
        cmocka_unit_test(test_policy_again_is_no_announcement),
        cmocka_unit_test(test_refused_is_not_counted),
        cmocka_unit_test(test_warned_again),
        cmocka_unit_test(test_next_hop_peer_without_link_local),
        cmocka_unit_test(test_aggregator_is_who_we_are),
        cmocka_unit_test(test_aggregate_is_no_own_route),
        cmocka_unit_test(test_aggregates_without_memory),
        cmocka_unit_test(test_own_routes_without_memory),
    };
    return cmocka_run_group_tests_name("rib_interplay", tests, NULL, NULL);
}
