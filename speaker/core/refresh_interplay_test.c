/*
 * Where refreshes meet other mechanisms: what is asked for again, or run through policy again, as a
 * configuration changes (RFC 2918, 4271 9.1.1, 7911), while a neighbour is away (4724), and which
 * of it is a flap (2439). Scripted bytes, the real tables.
 */
#include "interplay_test.h"

/* ---- dampening (RFC 2439): an external neighbour ---- */

static void feed_external(struct rig *r, struct bgp_conn_id c, uint32_t n, bool announce,
                          uint32_t med) {
    static const uint32_t path[] = {AS_SEQUENCE << 16 | 1, 65001};
    const struct attr_values v = {
        .next_hop = ip4(REMOTE), .as_path = {path, 2}, .has_med = true, .med = med};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    const struct ip_prefix p = prefix(n);
    uint8_t message[512];
    size_t size;
    assert_int_equal(
        update_encode(announce ? &v : NULL, &how, &p, 1, message, sizeof message, &size), 1);
    rig_feed(r, c, message, size);
}

static struct bgp_dampening_config dampening;

static struct bgp_conn_id start_damped(struct rig *r) {
    rig_init(r, BGP_PROFILE_PLAIN, 64512, 65001);
    dampening = bgp_dampening_default;
    r->config.dampening = &dampening;
    r->config.dampening_count = 1;
    start(r);
    return session(r, false);
}

static uint32_t flaps(const struct rig *r) {
    struct bgp_dampened h;
    uint32_t at = 0;
    return bgp_dampening_next(r->s, &at, r->now, &h) ? h.flaps : 0;
}

/* What the first announcements after a restart say is compared with nothing, as without one. */
static void test_restart_is_no_flap(void **state) {
    (void)state;
    struct rig r;
    struct bgp_conn_id c = start_damped(&r);
    feed_external(&r, c, 0, true, 1);
    feed_end_of_rib(&r, c);
    lose(&r, c);
    assert_true(held(&r, 0));
    c = session(&r, true);
    feed_external(&r, c, 0, true, 2);
    assert_int_equal(flaps(&r), 0);
    feed_end_of_rib(&r, c);
    rig_pass(&r, 100);
    feed_external(&r, c, 0, true, 3);
    assert_int_equal(flaps(&r), 1);
    rig_end(&r);
}

/* Our policy changed, we asked for it, and the neighbour says the same again (RFC 7313 4): the
 * other attributes are ours. What it takes back meanwhile counts. */
static void test_refresh_is_no_flap(void **state) {
    (void)state;
    static const struct policy_action action = {.kind = POLICY_SET_LOCAL_PREF, .value = 200};
    static const struct policy_term term = {
        .name = "10", .actions = &action, .action_count = 1, .verdict = POLICY_ACCEPT};
    static const struct policy policy = {.name = "map", .terms = &term, .term_count = 1};
    static const uint16_t index = 0;
    struct rig r;
    struct bgp_conn_id c = start_damped(&r);
    feed_external(&r, c, 0, true, 1);
    feed_external(&r, c, 1, true, 1);
    feed_end_of_rib(&r, c);
    r.config.policies = &policy;
    r.config.policy_count = 1;
    r.peer.import[0] = (struct policy_chain){.policies = &index, .count = 1};
    assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
    assert_int_equal(rig_info(&r).sent.refreshes, 1);
    feed_refresh(&r, c, BGP_REFRESH_BORR);
    feed_external(&r, c, 0, true, 1);
    assert_int_equal(flaps(&r), 0);
    feed_external(&r, c, 0, true, 2); /* and this is its own */
    assert_int_equal(flaps(&r), 1);
    bgp_dampening_clear(r.s, NULL);
    feed_external(&r, c, 1, false, 0);
    assert_int_equal(flaps(&r), 1);
    feed_refresh(&r, c, BGP_REFRESH_EORR);
    rig_end(&r);
}

/* The neighbour whose route is held back is taken out of the configuration; before its paths have
 * gone, the route is let go: by the configuration itself, by hand. */
static void test_damped_neighbor_removed(void **state) {
    (void)state;
    for (int by_hand = 0; by_hand < 2; by_hand++) {
        struct rig r;
        struct bgp_conn_id c = start_damped(&r);
        for (uint32_t i = 0; i < 4; i++) {
            feed_external(&r, c, 0, false, 0);
            feed_external(&r, c, 0, true, 0);
        }
        assert_true(flaps(&r) >= 3);
        r.config.peer_count = 0;
        r.config.dampening_count = by_hand ? 1 : 0;
        assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
        if (by_hand)
            bgp_dampening_clear(r.s, NULL);
        assert_int_equal(flaps(&r), 0);
        rig_pass(&r, 100);
        assert_false(held(&r, 0));
        rig_end(&r);
    }
}

/* ---- refresh ---- */

/* RFC 4271 9.1.1, 2918: what policy refused was not kept; kept it is from now on, so it must be
 * said again, also where there is nothing yet. */
static void test_kept_from_now_on(void **state) {
    (void)state;
    for (uint32_t others = 0; others < 2; others++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
        r.peer.import[0].accept_by_default = others;
        start(&r);
        struct bgp_conn_id c = session(&r, false);
        feed_path(&r, c, 0, IDS_NONE);
        assert_int_equal(held(&r, 0), others);
        r.peer.soft_reconfiguration = true;
        assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
        rig_pass(&r, 100);
        assert_int_equal(rig_info(&r).sent.refreshes, 1);
        feed_path(&r, c, 0, IDS_NONE);
        r.peer.import[0].accept_by_default = true;
        assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
        rig_pass(&r, 100);
        assert_int_equal(paths_of(&r, 0, true), 1);
        assert_int_equal(rig_info(&r).sent.refreshes, 1);
        rig_end(&r);
    }
}

/* RFC 7911, 2918: what had no room was not kept, so a higher limit asks for it; a lower one, or the
 * same said otherwise, for nothing. */
static void test_room_for_more_paths(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
    r.peer.add_path_receive[0] = true;
    r.peer.add_path_receive_max[0] = 1;
    start(&r);
    struct bgp_conn_id c = session(&r, false);
    feed_path(&r, c, 0, 1);
    feed_path(&r, c, 0, 2);
    assert_int_equal(paths_of(&r, 0, false), 1);
    static const struct {
        uint32_t max, refreshes;
    } steps[] = {{2, 1}, {0, 2}, {BGP_ADD_PATH_IDS, 2}, {2, 2}};
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        r.peer.add_path_receive_max[0] = steps[i].max;
        assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
        assert_int_equal(rig_info(&r).sent.refreshes, steps[i].refreshes);
    }
    feed_path(&r, c, 0, 2);
    assert_int_equal(paths_of(&r, 0, false), 2);
    rig_end(&r);
}

/* Policy is run again over what a neighbour left behind (RFC 4724 4.2), and finds that it was not
 * kept as received; before it is through, the neighbour is taken out of the configuration. */
static void test_removed_while_policy_runs_again(void **state) {
    (void)state;
    for (uint32_t calls = 0; calls < 12; calls++) {
        struct rig r;
        const struct bgp_env env = {.seed = 7, .work_budget = 2};
        rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
        r.peer.passive = true;
        r.s = bgp_speaker_new(&r.config, &env, r.now);
        assert_non_null(r.s);
        rig_events(&r);
        struct bgp_conn_id c = session(&r, false);
        for (uint32_t n = 0; n < 8; n++)
            feed_path(&r, c, n, IDS_NONE);
        feed_end_of_rib(&r, c);
        lose(&r, c);
        assert_true(held(&r, 7));
        r.peer.soft_reconfiguration = true;
        assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
        for (uint32_t i = 0; i < calls; i++)
            bgp_advance(r.s, r.now);
        r.config.peer_count = 0;
        assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
        rig_pass(&r, 100);
        assert_false(held(&r, 7));
        rig_end(&r);
    }
}

/* How often the operator was told that routes stand by a policy that is not in force any more. */
static uint32_t told_outdated(struct rig *r) {
    struct bgp_event e;
    uint32_t count = 0;
    while (bgp_next_event(r->s, &e))
        count += e.kind == BGP_EVENT_LOG && e.log.id == BGP_LOG_IMPORT_OUTDATED;
    return count;
}

/* Policy changes: who can be asked for its routes again (RFC 2918) is asked, what was kept as it
 * came is run through policy, and else the operator is told, until a new session brings everything.
 */
static void test_policy_without_refresh(void **state) {
    static const struct {
        bool refresh, kept, concerns, outdated;
    } rows[] = {{false, false, true, true},
                {true, false, true, false},
                {false, true, true, false},
                {false, false, false, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
        r.peer.soft_reconfiguration = rows[i].kept;
        start(&r);
        struct bgp_open open = rig_open(&r);
        open.refresh = rows[i].refresh;
        struct bgp_conn_id c = rig_establish_from(&r, REMOTE, &open);
        feed_path(&r, c, 0, IDS_NONE);
        rig_pass(&r, 100);
        r.peer.import[0].accept_by_default = !rows[i].concerns;
        r.peer.export[0].accept_by_default = true;
        assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
        assert_int_equal(told_outdated(&r), rows[i].outdated);
        assert_int_equal(rig_info(&r).import_outdated, rows[i].outdated);
        assert_int_equal(bgp_clear(r.s, rig_info(&r).id, BGP_CLEAR_SOFT_IN, r.now), BGP_OK);
        assert_int_equal(told_outdated(&r), rows[i].outdated || (!rows[i].concerns));
        lose(&r, c);
        (void)rig_establish_from(&r, REMOTE, &open);
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        assert_false(rig_info(&r).import_outdated);
        rig_end(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restart_is_no_flap),
        cmocka_unit_test(test_refresh_is_no_flap),
        cmocka_unit_test(test_damped_neighbor_removed),
        cmocka_unit_test(test_kept_from_now_on),
        cmocka_unit_test(test_room_for_more_paths),
        cmocka_unit_test(test_removed_while_policy_runs_again),
        cmocka_unit_test(test_policy_without_refresh),
    };
    return cmocka_run_group_tests_name("refresh_interplay", tests, NULL, NULL);
}
