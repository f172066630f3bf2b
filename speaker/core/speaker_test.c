/*
 * Whole networks of speakers over pipes: a mesh, reflectors, the way from one to the other, a
 * policy that changes, tables larger than a call's budget. What must hold is counted from the
 * configuration, not asked of a speaker.
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

/* Paths that a node has for the first route of another one; those it may use. */
static uint32_t path_count(const struct pipe_world *w, uint32_t node, uint32_t of) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    uint32_t count = 0;
    assert_true(
        bgp_rib_find(w->nodes[node].speaker, ip_prefix_make(ip4((20 + of) << 24), 24), &it));
    while (bgp_rib_next_path(w->nodes[node].speaker, &it, &path))
        count += path.valid && !path.rejected;
    bgp_rib_end(&it);
    return count;
}

static uint64_t updates_sent(const struct pipe_world *w) {
    uint64_t sum = 0;
    for (uint32_t n = 0; n < w->node_count; n++) {
        struct bgp_counters c;
        bgp_counters_get(w->nodes[n].speaker, &c);
        sum += c.updates_sent;
    }
    return sum;
}

/* Nodes 0 and 1 reflect and know each other; the others are clients of both. A client hears of
 * every route twice. Each reflector takes what the other reflects. BIRD: also where they have
 * one cluster id, for they are no clients of each other (import_test has RFC 4456's rule). */
static void test_C156_two_reflectors(void **state) {
    (void)state;
    for (uint32_t clusters = 1; clusters <= 2; clusters++) {
        struct pipe_world w;
        static struct node_setup u[NODES];
        pipe_init(&w, clusters);
        for (uint32_t n = 0; n < NODES; n++) {
            node_init(&u[n], n, 2);
            u[n].config.cluster_id = n < 2 && clusters == 1 ? 99 : 0;
            for (uint32_t m = 0; m < (n < 2 ? NODES : 2); m++) {
                if (m != n)
                    node_peer(&u[n], m)->rr_client = n < 2 && m >= 2;
            }
            pipe_add(&w, &u[n].config, NULL);
        }
        pipe_run(&w, 20000);
        for (uint32_t n = 0; n < NODES; n++) {
            assert_int_equal(established(&w, n), n < 2 ? NODES - 1 : 2);
            assert_int_equal(best_count(&w, n), 2 * NODES);
        }
        for (uint32_t client = 2; client < NODES; client++) {
            uint32_t other = client == 2 ? 3 : 2;
            assert_int_equal(path_count(&w, client, other), 2);
            assert_int_equal(path_count(&w, 0, client), 2);
            assert_int_equal(path_count(&w, 1, client), 2);
        }
        uint64_t updates = updates_sent(&w);
        pipe_run(&w, 600000);
        assert_int_equal(updates_sent(&w), updates); /* nothing goes round */
        for (uint32_t n = 0; n < NODES; n++)
            free(u[n].origins);
        pipe_free(&w);
    }
}

static uint32_t lost_prefixes;
static void count_lost(struct pipe_node *n, const struct bgp_event *e, struct nanotime now) {
    (void)n;
    (void)now;
    lost_prefixes += e->kind == BGP_EVENT_FIB && e->fib.withdrawn;
}

static void reconfigure(struct pipe_world *w, struct node_setup *u, uint32_t node) {
    assert_int_equal(bgp_configure(w->nodes[node].speaker, &u[node].config, w->now), BGP_OK);
    pipe_run(w, 3000);
}

/* Everyone but node 0 is a client from now on, beside the mesh. */
static void reflect(struct pipe_world *w, struct node_setup *u) {
    for (uint32_t m = 1; m < NODES; m++)
        node_peer(&u[0], m)->rr_client = true;
    reconfigure(w, u, 0);
    for (uint32_t n = 1; n < NODES; n++) {
        node_peer(&u[n], 0);
        reconfigure(w, u, n);
    }
}

/* The sessions with the reflector, if any, are the last of each node. */
static void leave_mesh(struct pipe_world *w, struct node_setup *u, bool with_reflector) {
    for (uint32_t n = 1; n < NODES; n++) {
        u[n].peers[0] = u[n].peers[u[n].config.peer_count - 1];
        u[n].config.peer_count = with_reflector;
        reconfigure(w, u, n);
    }
}

/* From a mesh to a reflector. The new sessions first: no prefix is missing anywhere at any instant.
 * The old ones away first: some are. */
static void test_C160_make_before_break(void **state) {
    (void)state;
    for (int break_first = 0; break_first < 2; break_first++) {
        struct pipe_world w;
        static struct node_setup u[NODES];
        pipe_init(&w, 5);
        for (uint32_t n = 0; n < NODES; n++) {
            node_init(&u[n], n, n > 0 ? 3 : 0);
            for (uint32_t m = 1; n > 0 && m < NODES; m++) {
                if (m != n)
                    node_peer(&u[n], m);
            }
            pipe_add(&w, &u[n].config, NULL);
            w.nodes[n].on_event = count_lost;
        }
        pipe_run(&w, 5000);
        lost_prefixes = 0;
        if (break_first) {
            leave_mesh(&w, u, false);
            assert_int_not_equal(lost_prefixes, 0);
            reflect(&w, u);
        } else {
            reflect(&w, u);
            leave_mesh(&w, u, true);
            assert_int_equal(lost_prefixes, 0);
        }
        for (uint32_t n = 0; n < NODES; n++) {
            assert_int_equal(established(&w, n), n == 0 ? NODES - 1 : 1);
            assert_int_equal(best_count(&w, n), 3 * (NODES - 1));
            free(u[n].origins);
        }
        pipe_free(&w);
    }
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
        cmocka_unit_test(test_C156_two_reflectors),
        cmocka_unit_test(test_C160_make_before_break),
        cmocka_unit_test(table_and_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
