/*
 * Listen ranges of routers, as the oracle wants them: a range is as many passive neighbours as
 * there are participants in it.
 *
 * Owns: who falls into which range. The speaker makes such a neighbour when it calls; here
 * all of them are known beforehand. Configured neighbours and the longest range come first, as in
 * the core.
 */
#include "engine.h"

#include "../../speaker/base/arena.h"

#include <stdio.h>
#include <string.h>

struct ranges {
    const struct state *s;
    struct bgp_config *config;
    uint32_t configured; /* neighbours before any was added */
};

static bool is_configured(const struct ranges *r, struct ip_addr a) {
    for (uint32_t i = 0; i < r->configured; i++)
        if (ip_equal(r->config->peers[i].remote_addr, a))
            return true;
    return false;
}

/* The neighbour that the participant `node` is from its address `a`, if it is one. */
static void add_neighbor(struct ranges *r, uint32_t node, struct ip_addr a) {
    struct bgp_config *c = r->config;
    const struct bgp_listen_range *range = ip_is_set(a) ? bgp_config_range_of(c, a) : NULL;
    char text[IP_ADDR_TEXT_MAX];
    if (!range || is_configured(r, a) || !r->s->configs[node] ||
        (c->listen_limit && c->peer_count - r->configured >= c->listen_limit))
        return;
    struct bgp_peer_config *p = &c->peers[c->peer_count++];
    *p = range->peer;
    p->remote_addr = a;
    p->passive = true;
    if (p->remote_as == 0)
        p->remote_as = r->s->configs[node]->local_as;
    snprintf(p->name, sizeof p->name, "%.*s_%s", BGP_PEER_NAME_MAX - IP_ADDR_TEXT_MAX - 2,
             range->peer.name, ip_format(a, text));
}

/* A router may call from any of its addresses. */
static void add_router(struct ranges *r, uint32_t index, const struct topo_router *router) {
    for (size_t i = 0; i < router->attachment_count; i++) {
        add_neighbor(r, index, router->attachments[i].addr4);
        add_neighbor(r, index, router->attachments[i].addr6);
    }
    for (size_t i = 0; i < router->loopback_count; i++)
        add_neighbor(r, index, router->loopbacks[i].addr);
}

static size_t addresses_max(const struct topology *t) {
    size_t max = (size_t)t->node_count * BGP_FAMILIES;
    for (uint32_t i = 0; i < t->router_count; i++)
        max += t->routers[i].attachment_count * BGP_FAMILIES + t->routers[i].loopback_count;
    return max;
}

bool state_expand_ranges(const struct topology *t, const struct state *s, uint32_t router) {
    uint32_t own = (uint32_t)t->node_count + router;
    struct bgp_config *c = s->configs[own];
    if (!c || c->listen_range_count == 0)
        return true;
    struct ranges r = {.s = s, .config = c, .configured = c->peer_count};
    size_t max = (size_t)c->peer_count + addresses_max(t);
    struct bgp_peer_config *peers = arena_array(s->arena, max + 1, sizeof *peers);
    if (!peers)
        return false;
    if (c->peer_count)
        memcpy(peers, c->peers, c->peer_count * sizeof *peers);
    c->peers = peers;
    for (uint32_t i = 0; i < t->node_count; i++) {
        add_neighbor(&r, i, t->nodes[i].attachment.addr4);
        add_neighbor(&r, i, t->nodes[i].attachment.addr6);
    }
    for (uint32_t i = 0; i < t->router_count; i++) {
        if (i != router)
            add_router(&r, (uint32_t)t->node_count + i, &t->routers[i]);
    }
    return true;
}
