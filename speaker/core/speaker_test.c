/*
 * Whole networks of speakers over pipes: a mesh, a reflector, a policy that changes, tables larger
 * than a call's budget. What must hold is counted from the configuration, not asked of a speaker.
 */
#include "pipe_test.h"

#include "speaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define NODES 6
#define ROUTES_MAX 5000

struct node_setup {
    struct bgp_config config;
    struct bgp_peer_config peers[NODES];
    struct bgp_origin_config *origins;
};

static struct ip_addr address(uint32_t n) {
    return ip4(0x0A000001u + n);
}

static void node_init(struct node_setup *u, uint32_t n, uint32_t routes) {
    memset(u, 0, sizeof *u);
    bgp_config_init(&u->config, BGP_PROFILE_FAST);
    u->config.local_as = 64512;
    u->config.router_id = address(n);
    u->config.peers = u->peers;
    u->origins = calloc(routes + 1, sizeof *u->origins);
    assert_non_null(u->origins);
    u->config.origins = u->origins;
    u->config.origin_count = routes;
    for (uint32_t i = 0; i < routes; i++) {
        u->origins[i].prefix = ip_prefix_make(ip4((20 + n) << 24 | i << 8), 24);
        u->origins[i].source = ROUTE_SOURCE_STATIC;
        u->origins[i].metric = UINT32_MAX;
    }
}

static struct bgp_peer_config *node_peer(struct node_setup *u, uint32_t n) {
    struct bgp_peer_config *p = &u->peers[u->config.peer_count++];
    bgp_peer_config_init(p, u->config.profile);
    snprintf(p->name, sizeof p->name, "node%u", n);
    p->remote_addr = address(n);
    p->remote_as = 64512;
    return p;
}

static uint64_t best_count(const struct pipe_world *w, uint32_t node) {
    struct bgp_counters c;
    bgp_counters_get(w->nodes[node].speaker, &c);
    return c.loc_rib[BGP_IPV4_UNICAST];
}

static uint32_t established(const struct pipe_world *w, uint32_t node) {
    struct bgp_counters c;
    bgp_counters_get(w->nodes[node].speaker, &c);
    return c.sessions[BGP_ESTABLISHED];
}

/* Everyone with everyone, all dialling at once. */
static void mesh(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct pipe_world w;
        static struct node_setup u[NODES];
        pipe_init(&w, seed);
        for (uint32_t n = 0; n < NODES; n++) {
            node_init(&u[n], n, 3);
            for (uint32_t m = 0; m < NODES; m++) {
                if (m != n)
                    node_peer(&u[n], m);
            }
            pipe_add(&w, &u[n].config, NULL);
        }
        pipe_run(&w, 5000);
        for (uint32_t n = 0; n < NODES; n++) {
            assert_int_equal(established(&w, n), NODES - 1);
            assert_int_equal(best_count(&w, n), 3 * NODES);
            free(u[n].origins);
        }
        pipe_free(&w);
    }
}

/* Node 0 reflects; the others know only it. */
static void reflector(void **state) {
    (void)state;
    struct pipe_world w;
    static struct node_setup u[NODES];
    pipe_init(&w, 4);
    for (uint32_t n = 0; n < NODES; n++) {
        node_init(&u[n], n, 2);
        for (uint32_t m = 1; n == 0 && m < NODES; m++)
            node_peer(&u[0], m)->rr_client = true;
        if (n > 0)
            node_peer(&u[n], 0);
        pipe_add(&w, &u[n].config, NULL);
    }
    pipe_run(&w, 5000);
    for (uint32_t n = 0; n < NODES; n++) {
        assert_int_equal(established(&w, n), n == 0 ? NODES - 1 : 1);
        assert_int_equal(best_count(&w, n), 2 * NODES);
    }
    /* C046, C047: the reflector goes; only the own routes are left */
    bgp_stop(w.nodes[0].speaker, NULL, w.now);
    pipe_run(&w, 1000);
    assert_true(bgp_stopped(w.nodes[0].speaker));
    for (uint32_t n = 1; n < NODES; n++) {
        assert_int_equal(established(&w, n), 0);
        assert_int_equal(best_count(&w, n), 2);
    }
    for (uint32_t n = 0; n < NODES; n++)
        free(u[n].origins);
    pipe_free(&w);
}

/* A table larger than one call's budget, and a policy that is changed, both ways, on a live
 * session. */
static void table_and_policy(void **state) {
    (void)state;
    struct pipe_world w;
    static struct node_setup u[2];
    static const uint16_t chain[] = {0};
    struct policy_prefix low = {.length_min = 24, .length_max = 24};
    struct policy_match match = {.kind = POLICY_MATCH_PREFIX, .prefixes = &low, .prefix_count = 1};
    struct policy_term term = {
        .name = "low", .matches = &match, .match_count = 1, .verdict = POLICY_ACCEPT};
    struct policy policy = {
        .name = "only-low", .terms = &term, .term_count = 1, .otherwise = POLICY_REJECT};
    low.prefix = ip_prefix_make(ip4(20u << 24), 20); /* sixteen /24s */
    pipe_init(&w, 4);
    for (uint32_t n = 0; n < 2; n++) {
        const struct bgp_env env = {.seed = n, .work_budget = 100};
        node_init(&u[n], n, n == 0 ? ROUTES_MAX : 0);
        node_peer(&u[n], !n);
        u[n].config.policies = &policy;
        u[n].config.policy_count = 1;
        pipe_add(&w, &u[n].config, &env);
    }
    pipe_run(&w, 5000);
    assert_int_equal(best_count(&w, 1), ROUTES_MAX);
    for (int side = 0; side < 2; side++) {
        struct policy_chain *c = side == 0 ? &u[0].peers[0].export[0] : &u[1].peers[0].import[0];
        const struct policy_chain was = *c;
        *c = (struct policy_chain){.policies = chain, .count = 1};
        assert_int_equal(bgp_configure(w.nodes[side].speaker, &u[side].config, w.now), BGP_OK);
        pipe_run(&w, 5000);
        assert_int_equal(best_count(&w, 1), 16);
        *c = was;
        assert_int_equal(bgp_configure(w.nodes[side].speaker, &u[side].config, w.now), BGP_OK);
        pipe_run(&w, 5000);
        assert_int_equal(best_count(&w, 1), ROUTES_MAX);
        struct bgp_peer_info info;
        assert_true(bgp_peer_at(w.nodes[1].speaker, 0, &info));
        assert_int_equal(info.established_count, 1);
    }
    free(u[0].origins);
    free(u[1].origins);
    pipe_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mesh),
        cmocka_unit_test(reflector),
        cmocka_unit_test(table_and_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
