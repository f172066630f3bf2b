#ifndef RIBCAGE_SIM_CHECK_ORACLE_NET_TEST_H
#define RIBCAGE_SIM_CHECK_ORACLE_NET_TEST_H

/* Small networks for tests of the oracle. */

#include "oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NODES_MAX 6
#define PEERS_MAX 12
#define NET_UNUSED __attribute__((unused))

/* A network under construction: node i has 10.0.0.(i+1)/24 and originates 10.244.i.0/24. */
struct net {
    struct oracle_node nodes[NODES_MAX];
    struct bgp_config configs[NODES_MAX];
    struct bgp_peer_config peers[NODES_MAX][PEERS_MAX];
    struct bgp_origin_config origins[NODES_MAX];
    char names[NODES_MAX][8];
    size_t count;
    struct oracle_cut cuts[2];
    size_t cut_count;
};

NET_UNUSED static struct ip_addr node_addr(uint32_t i) {
    return ip4(0x0a000001 + i);
}

NET_UNUSED static struct ip_prefix node_block(uint32_t i) {
    return ip_prefix_make(ip4(0x0af40000 + (i << 8)), 24);
}

NET_UNUSED static uint32_t add_node(struct net *n, enum bgp_profile profile, uint32_t as) {
    uint32_t i = (uint32_t)n->count++;
    struct bgp_config *c = &n->configs[i];
    bgp_config_init(c, profile);
    c->local_as = as;
    c->router_id = node_addr(i);
    c->peers = n->peers[i];
    c->origins = &n->origins[i];
    c->origin_count = 1;
    c->fib.install = true;
    n->origins[i] = (struct bgp_origin_config){.prefix = node_block(i),
                                               .source = ROUTE_SOURCE_STATIC,
                                               .metric = UINT32_MAX,
                                               .blackhole_in_kernel = true};
    snprintf(n->names[i], sizeof n->names[i], "n%u", i);
    n->nodes[i] = (struct oracle_node){.name = n->names[i],
                                       .config = c,
                                       .addrs = {node_addr(i)},
                                       .addr_count = 1,
                                       .subnets = {ip_prefix_make(ip4(0x0a000000), 24)},
                                       .subnet_count = 1,
                                       .up = true,
                                       .incarnation = 1};
    return i;
}

NET_UNUSED static struct bgp_peer_config *add_peer(struct net *n, uint32_t from, uint32_t to) {
    struct bgp_config *c = &n->configs[from];
    struct bgp_peer_config *p = &c->peers[c->peer_count++];
    bgp_peer_config_init(p, c->profile);
    snprintf(p->name, sizeof p->name, "to%u_%u", to, c->peer_count);
    p->remote_addr = node_addr(to);
    p->local_addr = node_addr(from);
    p->remote_as = n->configs[to].local_as;
    p->families[BGP_IPV4_UNICAST] = true;
    p->multihop = 64;
    p->send_communities = true;
    p->import[0].accept_by_default = p->export[0].accept_by_default = true;
    return p;
}

NET_UNUSED static void add_pair(struct net *n, uint32_t a, uint32_t b) {
    add_peer(n, a, b);
    add_peer(n, b, a);
}

NET_UNUSED static void make_mesh(struct net *n, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        add_node(n, BGP_PROFILE_FAST, 64512);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < i; k++)
            add_pair(n, i, k);
}

NET_UNUSED static struct oracle *solve_after(struct net *n, const struct oracle *previous) {
    static struct oracle_input in;
    in = (struct oracle_input){.nodes = n->nodes,
                               .node_count = n->count,
                               .cuts = n->cuts,
                               .cut_count = n->cut_count,
                               .previous = previous};
    struct oracle *o = oracle_new(&in);
    assert_non_null(o);
    return o;
}

NET_UNUSED static struct oracle *solve(struct net *n) {
    return solve_after(n, NULL);
}

#endif
