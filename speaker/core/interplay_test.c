/*
 * Where two mechanisms meet: graceful restart (RFC 4724, 8538) with enhanced refresh (7313),
 * several paths (7911), prefix limits (4486), collisions (4271 6.8) and a policy that changes
 * meanwhile. Scripted bytes, the real tables. Names conformance rows C052, C059, C151, C186, C188,
 * C191, C193, C195, C198.
 */
#include "interplay_test.h"

/* RFC 7313 4: "MUST ignore any BoRRs … before the speaker receives the EoR": what came between the
 * two is of the new session and stays. Behind the End-of-RIB a BoRR counts. */
static void test_C186_C188_borr_before_end_of_rib(void **state) {
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        start(&r);
        struct bgp_conn_id c = session(&r, false);
        if (lost) {
            feed_path(&r, c, 0, IDS_NONE);
            feed_end_of_rib(&r, c);
            lose(&r, c);
            c = session(&r, true);
        }
        feed_path(&r, c, 1, IDS_NONE);
        feed_refresh(&r, c, BGP_REFRESH_BORR);
        feed_end_of_rib(&r, c);
        rig_pass(&r, 100);
        assert_false(held(&r, 0));
        assert_true(held(&r, 1));
        feed_refresh(&r, c, BGP_REFRESH_EORR); /* the end of what never began */
        rig_pass(&r, 100);
        assert_true(held(&r, 1));
        feed_refresh(&r, c, BGP_REFRESH_BORR);
        feed_path(&r, c, 2, IDS_NONE);
        feed_refresh(&r, c, BGP_REFRESH_EORR);
        rig_pass(&r, 100);
        assert_false(held(&r, 1));
        assert_true(held(&r, 2));
        rig_end(&r);
    }
}

/* The same where no End-of-RIB is owed, because our OPEN has not the capability (RFC 4724 2). */
static void test_C186_borr_without_graceful_restart(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    r.peer.graceful_restart = BGP_GR_OFF;
    start(&r);
    struct bgp_conn_id c = session(&r, false);
    feed_path(&r, c, 0, IDS_NONE);
    feed_refresh(&r, c, BGP_REFRESH_BORR);
    feed_path(&r, c, 1, IDS_NONE);
    feed_refresh(&r, c, BGP_REFRESH_EORR);
    rig_pass(&r, 100);
    assert_false(held(&r, 0));
    assert_true(held(&r, 1));
    rig_end(&r);
}

/* RFC 7911 3: identifiers mean nothing beyond the session. A peer that numbers anew after its
 * restart gets all its paths in, beside the stale ones, and no more than its own limit of new ones.
 */
static void test_C188_identifiers_after_restart(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    r.peer.add_path_receive[0] = true;
    r.peer.add_path_receive_max[0] = 2;
    start(&r);
    struct bgp_conn_id c = session(&r, false);
    for (uint32_t id = 1; id <= 3; id++)
        feed_path(&r, c, 0, id);
    feed_end_of_rib(&r, c);
    assert_int_equal(paths_of(&r, 0, false), 2);
    lose(&r, c);
    c = session(&r, true);
    for (uint32_t id = 11; id <= 13; id++)
        feed_path(&r, c, 0, id);
    rig_pass(&r, 100);
    assert_int_equal(paths_of(&r, 0, false), 4);
    feed_end_of_rib(&r, c);
    rig_pass(&r, 100);
    assert_int_equal(paths_of(&r, 0, false), 2);
    assert_int_equal(rig_info(&r).prefixes_received[0], 2);
    rig_end(&r);
}

/* RFC 7911 3, 7606 2: what is treated as withdrawn is the one path that was damaged. */
static void test_C198_one_path_damaged(void **state) {
    (void)state;
    struct rig r;
    uint8_t message[512];
    size_t size;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    r.peer.add_path_receive[0] = true;
    start(&r);
    struct bgp_conn_id c = session(&r, false);
    feed_path(&r, c, 0, 1);
    feed_path(&r, c, 0, 2);
    const uint32_t id = 2;
    const struct attr_values v = {.next_hop = ip4(REMOTE), .has_local_pref = true};
    const struct attr_encoding how = {.as4 = true, .path_ids = &id};
    const struct ip_prefix p = prefix(0);
    assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
    assert_int_equal(message[24], ATTR_ORIGIN);
    message[26] = 3; /* its value: none there is */
    rig_feed(&r, c, message, size);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    assert_int_equal(paths_of(&r, 0, false), 1);
    rig_end(&r);
}

/* RFC 4271 9.1.1, 4724 4.2: what a peer left behind goes by the policy of now, where it was kept as
 * received. */
static void test_C188_policy_while_away(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    r.peer.soft_reconfiguration = true;
    start(&r);
    struct bgp_conn_id c = session(&r, false);
    feed_path(&r, c, 0, IDS_NONE);
    feed_end_of_rib(&r, c);
    lose(&r, c);
    for (int accepts = 0; accepts < 2; accepts++) {
        r.peer.import[0].accept_by_default = accepts;
        assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
        rig_pass(&r, 100);
        assert_true(held(&r, 0));
        assert_int_equal(paths_of(&r, 0, true), accepts);
    }
    rig_pass(&r, 61000); /* stale still: the time it was given is over */
    assert_false(held(&r, 0));
    rig_end(&r);
}

/* RFC 4271 6.8 while stale routes wait: the connection that loses ends with 6/7, which ends no
 * retention; the End-of-RIB of the one that stays does. Either side may win. */
static void test_C052_C188_collision_of_the_returned(void **state) {
    (void)state;
    for (uint32_t they_win = 0; they_win < 2; they_win++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
        r.peer.import[0].accept_by_default = true;
        rig_start(&r);
        struct bgp_conn_id c = session(&r, false), in = {0};
        feed_path(&r, c, 0, IDS_NONE);
        feed_path(&r, c, 1, IDS_NONE);
        feed_end_of_rib(&r, c);
        r.connecting = (struct bgp_conn_id){0};
        lose(&r, c);
        struct bgp_conn_id out = r.connecting;
        assert_int_not_equal(out.index, 0);
        bgp_conn_up(r.s, out, (struct bgp_endpoint){ip4(LOCAL), 5555}, r.now);
        assert_int_equal(rig_try_call(&r, &in), BGP_OK);
        struct bgp_open open = graceful(&r, true);
        open.router_id = LOCAL + (they_win ? 1 : UINT32_MAX);
        feed_open(&r, in, &open);
        feed_open(&r, out, &open);
        expect_notified(&r, BGP_ERR_CEASE, BGP_CEASE_COLLISION);
        assert_int_equal(r.notified.notified.incoming, !they_win);
        assert_true(held(&r, 0) && held(&r, 1));
        c = they_win ? in : out;
        feed_keepalive(&r, c);
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        feed_path(&r, c, 1, IDS_NONE);
        rig_pass(&r, 100);
        assert_true(held(&r, 0));
        feed_end_of_rib(&r, c);
        rig_pass(&r, 100);
        assert_false(held(&r, 0));
        assert_true(held(&r, 1));
        rig_end(&r);
    }
}

/* RFC 4486 4: the bound is for what the peer sends. What is kept of a former session does not make
 * it too much, nor what an EoRR took away a moment ago (RFC 7313 4). */
static void test_C059_C188_prefix_limit_counts_what_is_said(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    r.peer.add_path_receive[0] = true;
    r.peer.prefix_max[0] = 3;
    start(&r);
    struct bgp_conn_id c = session(&r, false);
    feed_path(&r, c, 0, 1);
    feed_path(&r, c, 0, 2);
    feed_end_of_rib(&r, c);
    lose(&r, c);
    c = session(&r, true);
    for (uint32_t id = 11; id <= 13; id++)
        feed_path(&r, c, 0, id);
    feed_end_of_rib(&r, c);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    feed_refresh(&r, c, BGP_REFRESH_BORR);
    feed_path(&r, c, 0, 11);
    feed_refresh(&r, c, BGP_REFRESH_EORR);
    feed_path(&r, c, 1, 14); /* before any sweep */
    feed_path(&r, c, 1, 15);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    rig_pass(&r, 100);
    assert_int_equal(rig_info(&r).prefixes_received[0], 3);
    feed_path(&r, c, 1, 16);
    expect_notified(&r, BGP_ERR_CEASE, BGP_CEASE_PREFIX_LIMIT);
    rig_end(&r);
}

/* RFC 8538 4 and 5, 4486 4: too many prefixes are a hard reset with the family and the bound
 * inside. Nothing stays: not what came now, and not what was kept from before the restart. */
static void test_C195_prefix_limit_while_stale(void **state) {
    (void)state;
    static const uint8_t inside[] = {6, 9, 6, 1, 0, 1, 1, 0, 0, 0, 2};
    struct rig r;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
    r.peer.gr_notification = true;
    r.peer.prefix_max[0] = 2;
    start(&r);
    struct bgp_conn_id c = session(&r, false);
    feed_path(&r, c, 0, IDS_NONE);
    feed_end_of_rib(&r, c);
    lose(&r, c);
    c = session(&r, true);
    rig_pull(&r, c);
    feed_path(&r, c, 1, IDS_NONE);
    feed_path(&r, c, 2, IDS_NONE);
    assert_true(held(&r, 0) && held(&r, 1) && held(&r, 2));
    feed_path(&r, c, 3, IDS_NONE);
    rig_pull(&r, c);
    assert_memory_equal(r.out + r.out_size - sizeof inside, inside, sizeof inside);
    rig_pass(&r, 1);
    for (uint32_t n = 0; n < 4; n++)
        assert_false(held(&r, n));
    rig_end(&r);
}

/* RFC 4724 4.1: a restarting speaker waits for the End-of-RIBs of its peers; who is shut down or
 * taken out of the configuration meanwhile is none, and holds up nothing. */
static void test_C191_awaited_peer_removed(void **state) {
    (void)state;
    for (int removed = 0; removed < 2; removed++) {
        struct rig r;
        struct bgp_peer_config two[2];
        const struct bgp_env env = {.seed = 7, .restarting = true};
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        r.peer.passive = true;
        two[0] = two[1] = r.peer;
        snprintf(two[1].name, sizeof two[1].name, "gone");
        two[1].remote_addr = ip4(REMOTE + 1);
        r.config.peers = two;
        r.config.peer_count = 2;
        r.s = bgp_speaker_new(&r.config, &env, r.now);
        assert_non_null(r.s);
        rig_events(&r);
        struct bgp_conn_id c = session(&r, false);
        feed_path(&r, c, 0, IDS_NONE);
        feed_end_of_rib(&r, c);
        bgp_nexthop_set(r.s, ip4(REMOTE), true, 0, r.now);
        rig_pass(&r, 100);
        assert_true(bgp_recovering(r.s));
        two[1].shutdown = true;
        r.config.peer_count = removed ? 1 : 2;
        assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
        rig_pass(&r, 100);
        assert_false(bgp_recovering(r.s));
        rig_end(&r);
    }
}

/* RFC 4724 3, 8538 2: what a session was made with counts, not what is configured since: without
 * the capability in our OPEN nothing is kept, no End-of-RIB is owed, no hard reset is understood.
 */
static void test_C193_switched_on_meanwhile(void **state) {
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        r.peer.graceful_restart = BGP_GR_OFF;
        r.peer.gr_notification = false;
        start(&r);
        struct bgp_conn_id c = session(&r, false);
        rig_pull(&r, c);
        feed_path(&r, c, 0, IDS_NONE);
        r.peer.graceful_restart = BGP_GR_FULL;
        r.peer.gr_notification = true;
        assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        if (how == 0) {
            lose(&r, c);
        } else if (how == 1) {
            feed_refresh(&r, c, BGP_REFRESH_BORR);
            feed_refresh(&r, c, BGP_REFRESH_EORR);
        } else {
            assert_int_equal(bgp_clear(r.s, rig_info(&r).id, BGP_CLEAR_HARD, r.now), BGP_OK);
            rig_pull(&r, c);
            expect_last_message(&r, BGP_ERR_CEASE, BGP_CEASE_RESET);
        }
        rig_pass(&r, 100);
        assert_false(held(&r, 0));
        rig_end(&r);
    }
}

/* RFC 7313 4: a BoRR begins anew what one before began, and its time. */
static void test_C186_second_borr(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    start(&r);
    struct bgp_open open = graceful(&r, false);
    open.hold_time_s = 0;
    struct bgp_conn_id c = rig_establish_from(&r, REMOTE, &open);
    feed_path(&r, c, 0, IDS_NONE);
    feed_path(&r, c, 1, IDS_NONE);
    feed_end_of_rib(&r, c);
    feed_refresh(&r, c, BGP_REFRESH_BORR);
    feed_path(&r, c, 0, IDS_NONE);
    rig_pass(&r, 300000);
    feed_refresh(&r, c, BGP_REFRESH_BORR);
    rig_pass(&r, 61000); /* since the first one: more than what is waited */
    assert_true(held(&r, 0) && held(&r, 1));
    feed_path(&r, c, 1, IDS_NONE);
    rig_pass(&r, 300000);
    assert_false(held(&r, 0));
    assert_true(held(&r, 1));
    rig_end(&r);
}

/* What the second peer is sent of the first prefix; NULL: nothing. */
static const struct attr_values *passed_on(const struct rig *r) {
    struct bgp_peer_info second;
    assert_true(bgp_peer_at(r->s, 1, &second));
    const struct attr_set *sent = bgp_adj_out_find(r->s, second.id, prefix(0));
    return sent ? &sent->v : NULL;
}

/* The first peer, of AS `as`, comes up with this identifier and says one route. */
static struct bgp_conn_id say_route(struct rig *r, uint32_t as, uint32_t id, bool back) {
    static const uint32_t words[] = {AS_SEQUENCE << 16 | 1, 65001};
    uint8_t message[512];
    size_t size;
    struct bgp_open open = graceful(r, back);
    open.asn = as;
    open.router_id = id;
    struct bgp_conn_id c = rig_establish_from(r, REMOTE, &open);
    const struct attr_values v = {.next_hop = ip4(REMOTE),
                                  .as_path = {words, 2},
                                  .has_local_pref = as == 64512,
                                  .local_pref = 100};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    const struct ip_prefix p = prefix(0);
    assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
    rig_feed(r, c, message, size);
    feed_end_of_rib(r, c);
    bgp_nexthop_set(r->s, ip4(REMOTE), true, 0, r->now);
    rig_pass(r, 100);
    return c;
}

static void two_peers(struct rig *r, struct bgp_peer_config two[2]) {
    rig_init(r, BGP_PROFILE_CALICO, 64512, 64512);
    r->peer.passive = r->peer.gr_notification = true;
    r->peer.export[0].accept_by_default = true;
    two[0] = two[1] = r->peer;
    snprintf(two[1].name, sizeof two[1].name, "second");
    two[1].remote_addr = ip4(REMOTE + 1);
    r->config.peers = two;
    r->config.peer_count = 2;
}

/* RFC 4456 8: ORIGINATOR_ID is the identifier of who says the route, also when it is back with
 * another one and says what is held already. */
static void test_C151_C188_back_with_another_identifier(void **state) {
    (void)state;
    struct rig r;
    struct bgp_peer_config two[2];
    two_peers(&r, two);
    two[0].rr_client = true;
    rig_start(&r);
    struct bgp_open second = rig_open(&r);
    second.router_id = REMOTE + 1;
    (void)rig_establish_from(&r, REMOTE + 1, &second);
    struct bgp_conn_id c = say_route(&r, 64512, REMOTE, false);
    assert_non_null(passed_on(&r));
    assert_int_equal(passed_on(&r)->originator_id, REMOTE);
    lose(&r, c);
    assert_non_null(passed_on(&r));
    (void)say_route(&r, 64512, REMOTE + 9, true);
    assert_non_null(passed_on(&r));
    assert_int_equal(passed_on(&r)->originator_id, REMOTE + 9);
    rig_end(&r);
}

/* IOS: until a neighbour that is up has sent its table nothing is chosen, for this long; who takes
 * the delay out of the configuration waits no longer, and another change is none to the wait. */
static void test_delay_taken_away(void **state) {
    (void)state;
    struct rig r;
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    rig_init(&r, BGP_PROFILE_IOS, 64512, 64512);
    r.config.update_delay_s = 600;
    start(&r);
    struct bgp_open open = rig_open(&r);
    struct bgp_conn_id c = rig_establish_from(&r, REMOTE, &open);
    feed_path(&r, c, 0, IDS_NONE);
    bgp_nexthop_set(r.s, ip4(REMOTE), true, 0, r.now);
    for (int taken = 0; taken < 2; taken++) {
        r.config.scan_time_s = 30;
        r.config.update_delay_s = taken ? 0 : 600;
        assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
        rig_pass(&r, 100);
        assert_true(bgp_rib_find(r.s, prefix(0), &it));
        assert_true(bgp_rib_next_path(r.s, &it, &path));
        assert_int_equal(path.best, taken);
        bgp_rib_end(&it);
    }
    rig_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C186_C188_borr_before_end_of_rib),
        cmocka_unit_test(test_C186_borr_without_graceful_restart),
        cmocka_unit_test(test_C188_identifiers_after_restart),
        cmocka_unit_test(test_C198_one_path_damaged),
        cmocka_unit_test(test_C188_policy_while_away),
        cmocka_unit_test(test_C052_C188_collision_of_the_returned),
        cmocka_unit_test(test_C059_C188_prefix_limit_counts_what_is_said),
        cmocka_unit_test(test_C195_prefix_limit_while_stale),
        cmocka_unit_test(test_C191_awaited_peer_removed),
        cmocka_unit_test(test_C193_switched_on_meanwhile),
        cmocka_unit_test(test_C186_second_borr),
        cmocka_unit_test(test_delay_taken_away),
        cmocka_unit_test(test_C151_C188_back_with_another_identifier),
    };
    return cmocka_run_group_tests_name("interplay", tests, NULL, NULL);
}
