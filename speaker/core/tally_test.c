/*
 * Figures of the IOS profile: whatever a reflector and its clients do to each other, what one end
 * counts as sent is what the other counts as received, and tables number their changes.
 */
#include "pipe_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define CLIENTS 3u
#define HUB 0x0a000001u
#define CLIENT(n) (0x0a00000au + (n))
#define PREFIXES 6u
#define ROUNDS 60u

static struct pipe_world world;

static void add_peer(struct bgp_peer_config *p, uint32_t address, bool client) {
    bgp_peer_config_init(p, BGP_PROFILE_IOS);
    snprintf(p->name, sizeof p->name, "p%x", address);
    p->remote_addr = ip4(address);
    p->remote_as = 65000;
    p->families[BGP_IPV4_UNICAST] = true;
    p->rr_client = client;
    p->import[0].accept_by_default = p->export[0].accept_by_default = true;
}

static void add_node(enum bgp_profile profile, uint32_t id, uint32_t first, uint32_t peers) {
    struct bgp_config c;
    struct bgp_peer_config list[CLIENTS];
    struct bgp_env env = {.seed = id};
    bgp_config_init(&c, profile);
    c.local_as = 65000;
    c.router_id = ip4(id);
    c.peers = list;
    c.peer_count = peers;
    for (uint32_t i = 0; i < peers; i++)
        add_peer(&list[i], first + i, peers > 1);
    pipe_add(&world, &c, &env);
}

static int world_up(void **state) {
    (void)state;
    pipe_init(&world, 7);
    add_node(BGP_PROFILE_IOS, HUB, CLIENT(0), CLIENTS);
    for (uint32_t i = 0; i < CLIENTS; i++)
        add_node(BGP_PROFILE_IOS, CLIENT(i), HUB, 1);
    pipe_run(&world, 60000);
    return 0;
}

static int world_down(void **state) {
    (void)state;
    pipe_free(&world);
    return 0;
}

static struct ip_prefix prefix_of(uint32_t n) {
    return ip_prefix_make(ip4(0x0b000000u + (n << 8)), 24);
}

static struct bgp_session_tally tally_of(uint32_t node, uint32_t peer) {
    struct bgp_peer_info info;
    struct bgp_session_tally t;
    assert_true(bgp_peer_at(world.nodes[node].speaker, peer, &info));
    assert_int_equal(info.state, BGP_ESTABLISHED);
    assert_true(bgp_session_tally_get(world.nodes[node].speaker, info.id, BGP_IPV4_UNICAST, &t));
    return t;
}

static uint32_t version_of(uint32_t node) {
    struct bgp_table_tally t;
    assert_true(bgp_table_tally_get(world.nodes[node].speaker, BGP_IPV4_UNICAST, &t));
    return t.version;
}

static void originate(uint32_t node, uint32_t prefix, uint32_t med) {
    struct bgp_origin_config o = {.prefix = prefix_of(prefix),
                                  .source = ROUTE_SOURCE_STATIC,
                                  .metric = UINT32_MAX,
                                  .med_set = true,
                                  .med = med};
    assert_int_equal(bgp_originate(world.nodes[node].speaker, &o, world.now), BGP_OK);
}

/* Of what may not be there. */
static void withdraw(uint32_t node, uint32_t prefix) {
    enum bgp_status status =
        bgp_withdraw(world.nodes[node].speaker, prefix_of(prefix), ROUTE_SOURCE_STATIC, world.now);
    assert_true(status == BGP_OK || status == BGP_UNKNOWN);
}

static void equal(const struct bgp_prefix_tally *a, const struct bgp_prefix_tally *b) {
    assert_int_equal(a->total, b->total);
    assert_int_equal(a->implicit_withdraws, b->implicit_withdraws);
    assert_int_equal(a->explicit_withdraws, b->explicit_withdraws);
}

static void ends_agree(void) {
    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct bgp_session_tally hub = tally_of(0, i), client = tally_of(i + 1, 0);
        equal(&hub.sent, &client.received);
        equal(&client.sent, &hub.received);
    }
}

static void one_route_comes_changes_and_goes(void **state) {
    (void)state;
    assert_int_equal(version_of(0), 1);
    originate(1, 0, 5);
    pipe_run(&world, 1000);
    assert_int_equal(tally_of(0, 0).received.total, 1);
    assert_int_equal(tally_of(0, 0).sent.total, 0);
    assert_int_equal(tally_of(0, 1).sent.total, 1);
    assert_int_equal(version_of(0), 2);
    assert_int_equal(bgp_prefix_version(world.nodes[0].speaker, prefix_of(0)), 2);
    originate(1, 0, 6);
    pipe_run(&world, 1000);
    assert_int_equal(tally_of(0, 2).sent.total, 2);
    assert_int_equal(tally_of(0, 2).sent.implicit_withdraws, 1);
    assert_int_equal(tally_of(0, 0).received.implicit_withdraws, 1);
    withdraw(1, 0);
    pipe_run(&world, 1000);
    assert_int_equal(tally_of(0, 2).sent.explicit_withdraws, 1);
    assert_int_equal(tally_of(0, 0).received.explicit_withdraws, 1);
    assert_int_equal(version_of(0), 4);
    struct bgp_table_tally t;
    assert_true(bgp_table_tally_get(world.nodes[0].speaker, BGP_IPV4_UNICAST, &t));
    assert_int_equal(t.prefixes_made, 1);
    assert_int_equal(t.prefixes_gone, 1);
    assert_int_equal(t.paths_made, 1);
    assert_int_equal(t.paths_gone, 1);
    ends_agree();
}

/* The same prefixes from several clients: best paths move from one to the other. */
static void both_ends_count_alike(void **state) {
    uint64_t rng = 11;
    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t n = 0; n < 4; n++) {
            uint32_t node = 1 + (uint32_t)rng_below(&rng, CLIENTS);
            uint32_t prefix = (uint32_t)rng_below(&rng, PREFIXES);
            if (rng_below(&rng, 3))
                originate(node, prefix, (uint32_t)rng_below(&rng, 3));
            else
                withdraw(node, prefix);
        }
        pipe_run(&world, 1000);
        ends_agree();
    }
    struct bgp_session_tally t = tally_of(0, 0);
    assert_true(t.sent.total > 20 && t.sent.implicit_withdraws > 5 &&
                t.sent.explicit_withdraws > 5);
}

/* Asked for again, everything counts as announced over what stood there. */
static void a_refresh_is_counted(void **state) {
    (void)state;
    for (uint32_t n = 0; n < PREFIXES; n++)
        originate(1, n, 0);
    pipe_run(&world, 1000);
    struct bgp_session_tally before = tally_of(2, 0);
    struct bgp_peer_info info;
    assert_true(bgp_peer_at(world.nodes[2].speaker, 0, &info));
    assert_int_equal(bgp_clear(world.nodes[2].speaker, info.id, BGP_CLEAR_SOFT_IN, world.now),
                     BGP_OK);
    pipe_run(&world, 1000);
    struct bgp_session_tally after = tally_of(2, 0), hub = tally_of(0, 1);
    assert_int_equal(after.received.total, before.received.total + PREFIXES);
    assert_int_equal(before.refresh_received.starts, 0);
    assert_int_equal(after.refresh_received.starts, 1);
    assert_int_equal(after.refresh_received.ends, 1);
    assert_int_equal(hub.refresh_sent.starts, 1);
    assert_int_equal(hub.refresh_sent.ends, 1);
    assert_true(nanotime_before(hub.refresh_sent.last_start, after.refresh_received.last_end));
    assert_true(world.now.ns - after.refresh_received.last_end.ns < NANOS_PER_S);
    ends_agree();
}

static void a_session_counts_from_nothing(void **state) {
    struct bgp_peer_info info;
    (void)state;
    for (uint32_t n = 0; n < PREFIXES; n++)
        originate(1, n, 0);
    originate(1, 0, 1);
    pipe_run(&world, 1000);
    assert_true(bgp_peer_at(world.nodes[0].speaker, 1, &info));
    assert_int_equal(bgp_clear(world.nodes[0].speaker, info.id, BGP_CLEAR_HARD, world.now), BGP_OK);
    pipe_run(&world, 60000);
    struct bgp_session_tally t = tally_of(0, 1);
    assert_int_equal(t.sent.implicit_withdraws + t.sent.explicit_withdraws, 0);
    assert_int_equal(t.sent.total, PREFIXES);
    ends_agree();
}

static void other_profiles_keep_none(void **state) {
    (void)state;
    struct bgp_table_tally t;
    struct bgp_session_tally session;
    pipe_init(&world, 1);
    add_node(BGP_PROFILE_FAST, HUB, CLIENT(0), 1);
    assert_false(bgp_table_tally_get(world.nodes[0].speaker, BGP_IPV4_UNICAST, &t));
    assert_false(bgp_session_tally_get(world.nodes[0].speaker, (struct bgp_peer_id){1},
                                       BGP_IPV4_UNICAST, &session));
    assert_int_equal(bgp_prefix_version(world.nodes[0].speaker, prefix_of(0)), 0);
    pipe_free(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_route_comes_changes_and_goes, world_up, world_down),
        cmocka_unit_test_setup_teardown(both_ends_count_alike, world_up, world_down),
        cmocka_unit_test_setup_teardown(a_refresh_is_counted, world_up, world_down),
        cmocka_unit_test_setup_teardown(a_session_counts_from_nothing, world_up, world_down),
        cmocka_unit_test(other_profiles_keep_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
