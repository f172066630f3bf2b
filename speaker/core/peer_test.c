/*
 * Speakers joined by pipes: coming up, collisions, the neighbour's lock, reconfiguration, hold
 * expiry, graceful restart, stopping, and running out of memory.
 */
#include "pipe_test.h"

#include "conn.h"
#include "speaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct setup {
    struct bgp_config config;
    struct bgp_peer_config peers[8];
    struct bgp_origin_config origins[4];
};

static struct ip_addr address(uint32_t n) {
    return ip4(0x0A000000u + n);
}

static void setup_init(struct setup *u, enum bgp_profile profile, uint32_t n, uint32_t asn) {
    memset(u, 0, sizeof *u);
    bgp_config_init(&u->config, profile);
    u->config.local_as = asn;
    u->config.router_id = address(n);
    u->config.peers = u->peers;
    u->config.origins = u->origins;
}

static struct bgp_peer_config *setup_peer(struct setup *u, const char *name, uint32_t n,
                                          uint32_t asn) {
    struct bgp_peer_config *p = &u->peers[u->config.peer_count++];
    bgp_peer_config_init(p, u->config.profile);
    snprintf(p->name, sizeof p->name, "%s", name);
    p->remote_addr = address(n);
    p->remote_as = asn;
    for (unsigned f = 0; f < BGP_FAMILIES; f++)
        p->import[f].accept_by_default = p->export[f].accept_by_default = true;
    return p;
}

static void setup_origin(struct setup *u, const char *prefix) {
    struct bgp_origin_config *o = &u->origins[u->config.origin_count++];
    bool ok = ip_prefix_parse(prefix, &o->prefix);
    assert_true(ok);
    o->source = ROUTE_SOURCE_STATIC;
    o->metric = UINT32_MAX;
}

/* Two nodes, 1 and 2, with one session, each with a route. */
static void setup_pair(struct pipe_world *w, struct setup u[2], enum bgp_profile profile,
                       uint64_t seed, uint32_t as1, uint32_t as2) {
    pipe_init(w, seed);
    setup_init(&u[0], profile, 1, as1);
    setup_init(&u[1], profile, 2, as2);
    setup_peer(&u[0], "two", 2, as2);
    setup_peer(&u[1], "one", 1, as1);
    setup_origin(&u[0], "10.1.0.0/16");
    setup_origin(&u[1], "10.2.0.0/16");
}

static void add_pair(struct pipe_world *w, struct setup u[2]) {
    pipe_add(w, &u[0].config, NULL);
    pipe_add(w, &u[1].config, NULL);
}

static struct bgp_peer_info info_of(const struct pipe_world *w, uint32_t node, uint32_t n) {
    struct bgp_peer_info info;
    bool there = bgp_peer_at(w->nodes[node].speaker, n, &info);
    assert_true(there);
    return info;
}

static void reconfigure(struct pipe_world *w, uint32_t node, const struct setup *u) {
    int status = bgp_configure(w->nodes[node].speaker, &u->config, w->now);
    assert_int_equal(status, BGP_OK);
}

/* ---- coming up ---- */

struct log {
    enum bgp_state states[64];
    uint32_t count;
    uint8_t cease[16];
    uint32_t ceases;
    uint32_t connects;
};

static void log_event(struct pipe_node *n, const struct bgp_event *e, struct nanotime now) {
    struct log *l = n->context;
    (void)now;
    if (e->kind == BGP_EVENT_STATE && l->count < 64)
        l->states[l->count++] = e->state.new_state;
    if (e->kind == BGP_EVENT_CONNECT)
        l->connects++;
    if (e->kind == BGP_EVENT_NOTIFIED && e->notified.code == BGP_ERR_CEASE && l->ceases < 16)
        l->cease[l->ceases++] = e->notified.subcode;
}

static void expect_states(const struct log *l, const enum bgp_state *want, uint32_t count) {
    assert_int_equal(l->count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(l->states[i], want[i]);
}

/* C043: active side; C044: passive side, which never connects. */
static void test_C043_C044_active_and_passive(void **state) {
    (void)state;
    static const enum bgp_state active[] = {BGP_CONNECT, BGP_OPEN_SENT, BGP_OPEN_CONFIRM,
                                            BGP_ESTABLISHED};
    static const enum bgp_state passive[] = {BGP_OPEN_SENT, BGP_OPEN_CONFIRM, BGP_ESTABLISHED};
    struct pipe_world w;
    struct setup u[2];
    struct log log[2] = {0};
    setup_pair(&w, u, BGP_PROFILE_PLAIN, 1, 65001, 65002);
    u[1].peers[0].passive = true;
    add_pair(&w, u);
    for (int i = 0; i < 2; i++) {
        w.nodes[i].on_event = log_event;
        w.nodes[i].context = &log[i];
    }
    pipe_run(&w, 1000);
    expect_states(&log[0], active, 4);
    assert_int_equal(log[1].states[0], BGP_ACTIVE);
    log[1].count--;
    memmove(log[1].states, log[1].states + 1, log[1].count * sizeof log[1].states[0]);
    expect_states(&log[1], passive, 3);
    assert_int_equal(log[1].connects, 0);
    pipe_free(&w);
}

/* Every profile against itself, both internal and external: Established, routes exchanged. */
static void test_every_profile(void **state) {
    (void)state;
    for (unsigned profile = 0; profile < BGP_PROFILES; profile++) {
        for (unsigned external = 0; external < 2; external++) {
            for (uint64_t seed = 1; seed <= 6; seed++) {
                struct pipe_world w;
                struct setup u[2];
                setup_pair(&w, u, (enum bgp_profile)profile, seed, 65001, 65001 + external);
                add_pair(&w, u);
                pipe_run(&w, 400000);
                assert_int_equal(pipe_state(&w, 0, "two"), BGP_ESTABLISHED);
                assert_int_equal(pipe_state(&w, 1, "one"), BGP_ESTABLISHED);
                pipe_free(&w);
            }
        }
    }
}

/* C052, C053: both ends connect at once; whatever the order, one session is left. Which one is
 * looked at in session_test.c, where the order is given. */
static void test_C052_C053_collision(void **state) {
    (void)state;
    uint32_t collided = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct pipe_world w;
        struct setup u[2];
        struct log log[2] = {0};
        bool same_id = seed % 4 == 0; /* RFC 6286: then the larger AS decides */
        setup_pair(&w, u, BGP_PROFILE_FAST, seed, 65001, 65002);
        if (same_id)
            u[1].config.router_id = u[0].config.router_id;
        add_pair(&w, u);
        w.nodes[0].addresses[0] = address(1);
        w.nodes[1].addresses[0] = address(2);
        for (int i = 0; i < 2; i++) {
            w.nodes[i].on_event = log_event;
            w.nodes[i].context = &log[i];
        }
        pipe_run(&w, 5000);
        assert_int_equal(pipe_state(&w, 0, "two"), BGP_ESTABLISHED);
        assert_int_equal(pipe_state(&w, 1, "one"), BGP_ESTABLISHED);
        struct bgp_peer_info a = info_of(&w, 0, 0), b = info_of(&w, 1, 0);
        assert_int_not_equal(a.incoming, b.incoming);
        for (int i = 0; i < 2; i++) {
            for (uint32_t c = 0; c < log[i].ceases; c++)
                assert_int_equal(log[i].cease[c], BGP_CEASE_COLLISION);
        }
        collided += log[0].ceases > 0;
        pipe_free(&w);
    }
    assert_true(collided > 0);
}

/* C045: refused, unreachable: tries go on at the retry interval, nothing is left over. */
static void test_C045_nobody_there(void **state) {
    (void)state;
    struct pipe_world w;
    struct setup u;
    struct log log = {0};
    pipe_init(&w, 3);
    setup_init(&u, BGP_PROFILE_CALICO, 1, 64512);
    setup_peer(&u, "two", 2, 64512);
    pipe_add(&w, &u.config, NULL);
    w.nodes[0].on_event = log_event;
    w.nodes[0].context = &log;
    pipe_run(&w, 100000);
    assert_in_range(log.connects, 18, 28);
    assert_string_equal(info_of(&w, 0, 0).last_error, "Socket: Connection refused");
    assert_int_equal(w.nodes[0].speaker->conns.used, 0);
    pipe_free(&w);
}

/* ---- BIRD: the lock ---- */

/* Two peers of one neighbour: the second waits in Idle; when the first goes it starts after the
 * connect delay, and in between there is no session. */
static void test_lock_and_gap(void **state) {
    (void)state;
    struct pipe_world w;
    struct setup u[2];
    setup_pair(&w, u, BGP_PROFILE_CALICO, 5, 64512, 64512);
    snprintf(u[0].peers[0].name, 32, "Mesh_2");
    snprintf(u[1].peers[0].name, 32, "Mesh_1");
    setup_peer(&u[0], "Node_2", 2, 64512);
    setup_peer(&u[1], "Node_1", 1, 64512);
    add_pair(&w, u);
    pipe_run(&w, 20000);
    assert_int_equal(pipe_state(&w, 0, "Mesh_2"), BGP_ESTABLISHED);
    assert_int_equal(pipe_state(&w, 0, "Node_2"), BGP_IDLE);
    assert_true(info_of(&w, 0, 1).waiting_for_lock);
    assert_true(pipe_has_route(&w, 0, "10.2.0.0/16"));
    for (int i = 0; i < 2; i++) {
        u[i].peers[0] = u[i].peers[1];
        u[i].config.peer_count = 1;
        int status = bgp_configure(w.nodes[i].speaker, &u[i].config, w.now);
        assert_int_equal(status, BGP_OK);
    }
    pipe_run(&w, 1400);
    assert_int_equal(pipe_state(&w, 0, "Node_2"), BGP_ACTIVE);
    assert_false(info_of(&w, 0, 0).waiting_for_lock);
    assert_false(pipe_has_route(&w, 0, "10.2.0.0/16"));
    pipe_run(&w, 1600);
    assert_int_equal(pipe_state(&w, 0, "Node_2"), BGP_ESTABLISHED);
    assert_int_equal(pipe_state(&w, 1, "Node_1"), BGP_ESTABLISHED);
    assert_true(pipe_has_route(&w, 0, "10.2.0.0/16"));
    pipe_free(&w);
}

/* A second peer that comes first in the file: it waits, and while it waits all calls of the
 * neighbour are refused, although another peer of it runs. */
static void test_waiting_peer_refuses_calls(void **state) {
    (void)state;
    struct pipe_world w;
    struct setup u[2];
    struct bgp_conn_id conn;
    struct bgp_reject reject;
    setup_pair(&w, u, BGP_PROFILE_CALICO, 5, 64512, 64512);
    snprintf(u[0].peers[0].name, 32, "Node_2");
    pipe_add(&w, &u[0].config, NULL);
    struct bgp_speaker *s = w.nodes[0].speaker;
    u[0].peers[1] = u[0].peers[0];
    u[0].config.peer_count = 2;
    snprintf(u[0].peers[0].name, 32, "Mesh_2");
    assert_int_equal(bgp_configure(s, &u[0].config, w.now), BGP_OK);
    assert_true(info_of(&w, 0, 0).waiting_for_lock);
    assert_int_equal(info_of(&w, 0, 1).state, BGP_ACTIVE);
    struct bgp_endpoint remote = {address(2), 4000}, local = {address(1), 179};
    assert_int_equal(bgp_conn_accept(s, remote, local, w.now, &conn, &reject), BGP_REFUSED);
    assert_int_equal(reject.size, 0);
    u[0].peers[1].shutdown = true;
    assert_int_equal(bgp_configure(s, &u[0].config, w.now), BGP_OK);
    assert_false(info_of(&w, 0, 0).waiting_for_lock);
    assert_int_equal(bgp_conn_accept(s, remote, local, w.now, &conn, &reject), BGP_OK);
    pipe_free(&w);
}

/* Made passive while it waits for its next try: it tries no more; and the other way round. */
static void test_passive_while_waiting(void **state) {
    (void)state;
    struct pipe_world w;
    struct setup u[2];
    struct log log = {0};
    setup_pair(&w, u, BGP_PROFILE_CALICO, 5, 64512, 64512);
    pipe_add(&w, &u[0].config, NULL);
    w.nodes[0].on_event = log_event;
    w.nodes[0].context = &log;
    u[0].peers[0].passive = true;
    reconfigure(&w, 0, &u[0]);
    pipe_run(&w, 60000);
    assert_int_equal(log.connects, 0);
    assert_int_equal(info_of(&w, 0, 0).state, BGP_IDLE);
    u[0].peers[0].passive = false;
    reconfigure(&w, 0, &u[0]);
    pipe_run(&w, 3000);
    assert_int_equal(log.connects, 1);
    pipe_free(&w);
}

/* Different ports are different neighbours for the lock, but a call belongs to the first peer. */
static void test_calls_go_to_the_first(void **state) {
    (void)state;
    struct pipe_world w;
    struct setup u[2];
    struct bgp_conn_id conn;
    struct bgp_reject reject;
    setup_pair(&w, u, BGP_PROFILE_CALICO, 5, 64512, 64512);
    setup_peer(&u[0], "two-1790", 2, 64512)->remote_port = 1790;
    pipe_add(&w, &u[0].config, NULL);
    struct bgp_speaker *s = w.nodes[0].speaker;
    struct bgp_endpoint remote = {address(2), 4000}, local = {address(1), 179};
    assert_false(info_of(&w, 0, 1).waiting_for_lock);
    assert_int_equal(bgp_conn_accept(s, remote, local, w.now, &conn, &reject), BGP_OK);
    assert_int_equal(pipe_state(&w, 0, "two"), BGP_OPEN_SENT);
    assert_int_equal(bgp_conn_accept(s, remote, local, w.now, &conn, &reject), BGP_REFUSED);
    /* C055 */
    remote.addr = address(77);
    assert_int_equal(bgp_conn_accept(s, remote, local, w.now, &conn, &reject), BGP_REFUSED);
    pipe_free(&w);
}

/* RFC 4271 8.2.1: one machine per configured peer. Two sessions with one neighbour, from two
 * addresses of ours: a call belongs to the one whose address was called. */
static void test_calls_by_local_address(void **state) {
    (void)state;
    struct pipe_world w;
    struct setup u[2];
    struct bgp_conn_id conn;
    struct bgp_reject reject;
    setup_pair(&w, u, BGP_PROFILE_PLAIN, 5, 64512, 64512);
    setup_peer(&u[0], "too", 2, 64512)->local_addr = address(21);
    u[0].peers[0].local_addr = address(1);
    u[0].peers[0].passive = u[0].peers[1].passive = true;
    pipe_add(&w, &u[0].config, NULL);
    struct bgp_speaker *s = w.nodes[0].speaker;
    struct bgp_endpoint remote = {address(2), 4000}, local = {address(21), 179};
    assert_int_equal(bgp_conn_accept(s, remote, local, w.now, &conn, &reject), BGP_OK);
    assert_int_equal(pipe_state(&w, 0, "too"), BGP_OPEN_SENT);
    assert_int_equal(pipe_state(&w, 0, "two"), BGP_ACTIVE);
    local.addr = address(1);
    assert_int_equal(bgp_conn_accept(s, remote, local, w.now, &conn, &reject), BGP_OK);
    assert_int_equal(pipe_state(&w, 0, "two"), BGP_OPEN_SENT);
    pipe_free(&w);
}

/* ---- reconfiguration ---- */

static void test_reconfiguration_keeps_sessions(void **state) {
    (void)state;
    struct pipe_world w;
    struct setup u[2];
    setup_pair(&w, u, BGP_PROFILE_FAST, 9, 64512, 64512);
    add_pair(&w, u);
    pipe_run(&w, 1000);
    struct bgp_peer_config *p = &u[0].peers[0];
    p->passive = true;
    p->keepalive_s = 20;
    p->hold_time_set = true;
    p->hold_time_s = 60;
    p->description = "other";
    setup_peer(&u[0], "three", 3, 64512);
    setup_origin(&u[0], "10.9.0.0/16");
    reconfigure(&w, 0, &u[0]);
    pipe_run(&w, 1000);
    assert_int_equal(info_of(&w, 0, 0).established_count, 1);
    assert_int_equal(info_of(&w, 0, 0).state, BGP_ESTABLISHED);
    assert_int_equal(bgp_peer_count(w.nodes[0].speaker), 2);
    assert_true(pipe_has_route(&w, 1, "10.9.0.0/16"));
    /* what a session is made of */
    p->rr_client = true;
    reconfigure(&w, 0, &u[0]);
    assert_int_equal(info_of(&w, 0, 0).last_reason, BGP_DOWN_RR_CLIENT_CHANGE);
    pipe_run(&w, 2000);
    assert_int_equal(info_of(&w, 0, 0).established_count, 2);
    assert_int_equal(info_of(&w, 1, 0).last_subcode, BGP_CEASE_CONFIG_CHANGE);
    /* shutdown and back: C046 */
    p->shutdown = true;
    reconfigure(&w, 0, &u[0]);
    pipe_run(&w, 10); /* before the next try: that one is refused, and says so */
    assert_int_equal(info_of(&w, 0, 0).state, BGP_IDLE);
    assert_int_equal(info_of(&w, 1, 0).last_subcode, BGP_CEASE_SHUTDOWN);
    assert_string_equal(info_of(&w, 1, 0).last_error, "Received: Administrative shutdown");
    p->shutdown = false;
    reconfigure(&w, 0, &u[0]);
    pipe_run(&w, 2000);
    assert_int_equal(info_of(&w, 0, 0).state, BGP_ESTABLISHED);
    /* gone */
    u[0].config.peer_count = 0;
    reconfigure(&w, 0, &u[0]);
    pipe_run(&w, 100);
    assert_int_equal(info_of(&w, 1, 0).last_subcode, BGP_CEASE_DECONFIGURED);
    assert_false(pipe_has_route(&w, 1, "10.1.0.0/16"));
    pipe_free(&w);
}

/* C015 as both ends show it. */
static void test_C015_wrong_as(void **state) {
    (void)state;
    struct pipe_world w;
    struct setup u[2];
    setup_pair(&w, u, BGP_PROFILE_CALICO, 4, 64512, 64512);
    u[1].peers[0].remote_as = 64999;
    u[1].peers[0].passive = true;
    add_pair(&w, u);
    pipe_run(&w, 4000);
    assert_string_equal(info_of(&w, 1, 0).last_error, "BGP Error: Bad peer AS");
    assert_string_equal(info_of(&w, 0, 0).last_error, "Received: Bad peer AS");
    assert_int_equal(info_of(&w, 0, 0).state, BGP_IDLE);
    pipe_free(&w);
}

/* C048: silence in Established. */
static void test_C048_hold_expiry(void **state) {
    (void)state;
    struct pipe_world w;
    struct setup u[2];
    setup_pair(&w, u, BGP_PROFILE_FAST, 6, 64512, 64512);
    u[0].peers[0].hold_time_set = true;
    u[0].peers[0].hold_time_s = 30;
    add_pair(&w, u);
    pipe_run(&w, 100000); /* C049: keepalives hold it up */
    assert_int_equal(info_of(&w, 0, 0).established_count, 1);
    assert_int_equal(info_of(&w, 0, 0).hold_time_s, 30);
    assert_int_equal(info_of(&w, 1, 0).keepalive_s, 10);
    assert_in_range(info_of(&w, 0, 0).sent.keepalives, 10, 15); /* C058: 75 to 100 % */
    for (uint32_t i = 0; i < w.link_count; i++)
        w.links[i].ends[0].open = false; /* one direction is dead */
    struct bgp_speaker *s = w.nodes[0].speaker;
    struct bgp_speaker *t = w.nodes[1].speaker;
    w.now = nanotime_add_ms(w.now, 31000);
    bgp_advance(s, w.now);
    bgp_advance(t, w.now);
    assert_string_equal(info_of(&w, 0, 0).last_error, "BGP Error: Hold timer expired");
    assert_int_equal(info_of(&w, 0, 0).last_code, BGP_ERR_HOLD_TIMER);
    assert_int_equal(info_of(&w, 0, 0).state, BGP_IDLE);
    pipe_free(&w);
}

/* ---- graceful restart ---- */

/* C188, C190, C193: the transport goes; with the capability the routes stay until the peer is
 * back and vouches for nothing, without it they go at once. */
static void test_C188_C190_C193_transport_lost(void **state) {
    (void)state;
    for (int graceful = 0; graceful < 2; graceful++) {
        struct pipe_world w;
        struct setup u[2];
        setup_pair(&w, u, BGP_PROFILE_CALICO, 8, 64512, 64512);
        for (int i = 0; i < 2; i++)
            u[i].peers[0].graceful_restart = graceful ? BGP_GR_FULL : BGP_GR_OFF;
        add_pair(&w, u);
        pipe_run(&w, 10000);
        assert_true(pipe_has_route(&w, 0, "10.2.0.0/16"));
        pipe_cut(&w, 0, 1);
        pipe_run(&w, 500);
        assert_int_not_equal(info_of(&w, 0, 0).state, BGP_ESTABLISHED);
        assert_int_equal(pipe_has_route(&w, 0, "10.2.0.0/16"), graceful);
        pipe_run(&w, 10000);
        assert_int_equal(info_of(&w, 0, 0).established_count, 2);
        assert_true(pipe_has_route(&w, 0, "10.2.0.0/16"));
        /* C189: the restart time runs out */
        w.nodes[1].unreachable = w.nodes[0].unreachable = true;
        pipe_cut(&w, 0, 1);
        pipe_run(&w, 119000);
        assert_int_equal(pipe_has_route(&w, 0, "10.2.0.0/16"), graceful);
        pipe_run(&w, 2000);
        assert_false(pipe_has_route(&w, 0, "10.2.0.0/16"));
        pipe_free(&w);
    }
}

/* C191: a restarting speaker chooses nothing before the End-of-RIB of all, or the timer. */
static void test_C191_own_restart(void **state) {
    (void)state;
    struct pipe_world w;
    struct setup u[2];
    const struct bgp_env restarting = {.seed = 1, .restarting = true};
    const uint64_t deferral_ms = profile_get(BGP_PROFILE_FAST)->gr_deferral_ms;
    setup_pair(&w, u, BGP_PROFILE_FAST, 8, 64512, 64512);
    setup_peer(&u[0], "never", 9, 64512);
    pipe_add(&w, &u[0].config, &restarting);
    pipe_add(&w, &u[1].config, NULL);
    pipe_run(&w, deferral_ms / 2);
    assert_int_equal(pipe_state(&w, 0, "two"), BGP_ESTABLISHED);
    assert_false(pipe_has_route(&w, 0, "10.2.0.0/16"));
    pipe_run(&w, deferral_ms);
    assert_true(pipe_has_route(&w, 0, "10.2.0.0/16"));
    pipe_free(&w);
    setup_pair(&w, u, BGP_PROFILE_FAST, 8, 64512, 64512);
    pipe_add(&w, &u[0].config, &restarting);
    pipe_add(&w, &u[1].config, NULL);
    pipe_run(&w, deferral_ms / 2);
    assert_true(pipe_has_route(&w, 0, "10.2.0.0/16"));
    pipe_free(&w);
}

/* ---- operator ---- */

static void test_C059_C184_clear_and_stop(void **state) {
    (void)state;
    struct pipe_world w;
    struct setup u[2];
    setup_pair(&w, u, BGP_PROFILE_FAST, 2, 64512, 64513);
    /* With graceful restart a new call can overtake the NOTIFICATION and stand for a restart. */
    for (int i = 0; i < 2; i++)
        u[i].peers[0].graceful_restart = BGP_GR_OFF;
    add_pair(&w, u);
    pipe_run(&w, 1000);
    struct bgp_speaker *s = w.nodes[0].speaker;
    assert_int_equal(bgp_clear(s, (struct bgp_peer_id){999}, BGP_CLEAR_HARD, w.now), BGP_UNKNOWN);
    assert_int_equal(bgp_clear(s, (struct bgp_peer_id){0}, BGP_CLEAR_SOFT_IN, w.now), BGP_OK);
    assert_int_equal(bgp_clear(s, (struct bgp_peer_id){0}, BGP_CLEAR_SOFT_OUT, w.now), BGP_OK);
    pipe_run(&w, 1000);
    assert_int_equal(info_of(&w, 1, 0).received.refreshes, 3); /* C184; BoRR and EoRR of soft out */
    assert_int_equal(info_of(&w, 0, 0).established_count, 1);
    assert_int_equal(bgp_clear(s, (struct bgp_peer_id){0}, BGP_CLEAR_HARD, w.now), BGP_OK);
    pipe_run(&w, 1000);
    assert_int_equal(info_of(&w, 1, 0).last_subcode, BGP_CEASE_RESET);
    assert_int_equal(info_of(&w, 0, 0).established_count, 2);
    bgp_stop(s, "going down for lunch", w.now);
    assert_false(bgp_stopped(s));
    pipe_run(&w, 100);
    assert_true(bgp_stopped(s));
    assert_int_equal(info_of(&w, 1, 0).last_subcode, BGP_CEASE_SHUTDOWN);
    pipe_free(&w);
}

/* Same seed, same run. */
static void test_deterministic(void **state) {
    (void)state;
    uint64_t bytes[2], now[2];
    for (int i = 0; i < 2; i++) {
        struct pipe_world w;
        struct setup u[2];
        setup_pair(&w, u, BGP_PROFILE_FAST, 42, 65001, 65002);
        add_pair(&w, u);
        pipe_run(&w, 500000);
        bytes[i] = w.bytes;
        now[i] = bgp_next_deadline(w.nodes[0].speaker).ns;
        pipe_free(&w);
    }
    assert_true(bytes[0] > 0 && bytes[0] == bytes[1] && now[0] == now[1]);
}

/* C056: flapping does not wear anything out. */
static void test_C056_flapping(void **state) {
    (void)state;
    struct pipe_world w;
    struct setup u[2];
    setup_pair(&w, u, BGP_PROFILE_FAST, 11, 64512, 64512);
    add_pair(&w, u);
    for (int i = 0; i < 100; i++) {
        pipe_run(&w, 600);
        pipe_cut(&w, 0, 1);
    }
    pipe_run(&w, 2000);
    assert_int_equal(info_of(&w, 0, 0).state, BGP_ESTABLISHED);
    assert_true(w.nodes[0].speaker->conns.used <= 2);
    pipe_free(&w);
}

/* The n-th allocation fails, for every n: nothing breaks, nothing leaks. */
static void test_out_of_memory(void **state) {
    (void)state;
    for (unsigned long n = 1; n < 400; n++) {
        struct pipe_world w;
        struct setup u[2];
        const struct bgp_env env = {.seed = 1};
        setup_pair(&w, u, BGP_PROFILE_FAST, 3, 64512, 64512);
        alloc_fail_after(n, false);
        struct bgp_speaker *s = bgp_speaker_new(&u[0].config, &env, w.now);
        alloc_fail_after(0, false);
        if (!s) {
            pipe_free(&w);
            continue;
        }
        w.nodes[0].speaker = s;
        w.nodes[0].addresses[0] = address(1);
        w.nodes[0].address_count = 1;
        w.node_count = 1;
        pipe_add(&w, &u[1].config, NULL);
        alloc_fail_after(n, false);
        pipe_run(&w, 300);
        alloc_fail_after(n, false);
        setup_peer(&u[0], "three", 3, 64512);
        int status = bgp_configure(s, &u[0].config, w.now);
        alloc_fail_after(0, false);
        assert_true(status == BGP_OK || status == BGP_NO_MEMORY);
        assert_int_equal(bgp_peer_count(s), status == BGP_OK ? 2 : 1);
        pipe_run(&w, 600000);
        assert_int_equal(pipe_state(&w, 0, "two"), BGP_ESTABLISHED);
        pipe_free(&w);
    }
}

/* The budget of an idle established peer. */
static void test_footprint(void **state) {
    (void)state;
    size_t bytes = sizeof(struct peer) + sizeof(struct conn) + 3 * sizeof(struct heap_timer *);
    print_message("peer %zu, connection %zu, with heap slots %zu bytes\n", sizeof(struct peer),
                  sizeof(struct conn), bytes);
    assert_true(bytes <= 400);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C043_C044_active_and_passive),
        cmocka_unit_test(test_every_profile),
        cmocka_unit_test(test_C052_C053_collision),
        cmocka_unit_test(test_C045_nobody_there),
        cmocka_unit_test(test_lock_and_gap),
        cmocka_unit_test(test_waiting_peer_refuses_calls),
        cmocka_unit_test(test_passive_while_waiting),
        cmocka_unit_test(test_calls_go_to_the_first),
        cmocka_unit_test(test_calls_by_local_address),
        cmocka_unit_test(test_reconfiguration_keeps_sessions),
        cmocka_unit_test(test_C015_wrong_as),
        cmocka_unit_test(test_C048_hold_expiry),
        cmocka_unit_test(test_C188_C190_C193_transport_lost),
        cmocka_unit_test(test_C191_own_restart),
        cmocka_unit_test(test_C059_C184_clear_and_stop),
        cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_C056_flapping),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_footprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
