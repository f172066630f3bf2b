/*
 * Owns turning one node's stanzas into a speaker's configuration: peers and the chains of policies
 * each session goes through. Which stanzas there are was decided by the plan.
 *
 * Import: the BGPFilters' import rules, preference by metric, accept. Export: metric to local
 * preference, the BGPFilters' export rules, Calico's own export policy, reject.
 *
 * Invariants: a policy stands once per node however many sessions use it, and so does a chain: a
 * node with a thousand peers has a handful of both. Peers keep the plan's order, which is BIRD's.
 *
 * BIRD: v4 and v6 are two daemons; here they are one speaker, each session with one family.
 */
#include "compile.h"

#include "../../speaker/base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTION_MAX 100
#define HOLD_TIME_S 240

/* ---- chains ---- */

static uint16_t *chain_array(struct compile *c, size_t room) {
    uint16_t *items = arena_array(c->arena, room, sizeof *items);
    if (!items)
        c->out_of_memory = true;
    return items;
}

static void add_filters(struct compile *c, const struct calico_session *s, int direction,
                        struct policy_chain *chain, uint16_t *items) {
    for (size_t i = 0; i < s->filter_count; i++)
        if (s->filters[i]->rule_count[direction][s->family] > 0)
            items[chain->count++] = compile_filter(c, s->filters[i], direction, (int)s->family);
}

static void make_chains(struct compile *c, const struct calico_session *s,
                        struct compile_chains *chains) {
    const struct calico_rules *rules = &c->impl->plan.rules;
    uint16_t *in = chain_array(c, s->filter_count + 1);
    uint16_t *out = chain_array(c, s->filter_count + 2);
    if (c->out_of_memory)
        return;
    chains->import.accept_by_default = true;
    add_filters(c, s, 0, &chains->import, in);
    if (rules->priorities) {
        in[chains->import.count++] = compile_calico_import(c, (int)s->family);
        out[chains->export.count++] = compile_metric_sync(c);
    }
    add_filters(c, s, 1, &chains->export, out);
    out[chains->export.count++] = compile_calico_export(c, (int)s->family);
    chains->import.policies = in;
    chains->export.policies = out;
}

/* The filters of a BGPPeer are one array for all its sessions: its address is the key. */
static const struct compile_chains *chains_for(struct compile *c, const struct calico_session *s) {
    for (size_t i = 0; i < c->chain_count; i++)
        if (c->chains[i].family == s->family && c->chains[i].filter_count == s->filter_count &&
            (s->filter_count == 0 || c->chains[i].filters == s->filters))
            return &c->chains[i];
    if (c->chain_count == c->chain_capacity) {
        size_t capacity = c->chain_capacity ? c->chain_capacity * 2 : 8;
        struct compile_chains *larger = arena_array(c->arena, capacity, sizeof *larger);
        if (!larger) {
            c->out_of_memory = true;
            return NULL;
        }
        if (c->chain_count)
            memcpy(larger, c->chains, c->chain_count * sizeof *larger);
        c->chains = larger;
        c->chain_capacity = capacity;
    }
    struct compile_chains *chains = &c->chains[c->chain_count++];
    *chains = (struct compile_chains){
        .filters = s->filters, .filter_count = s->filter_count, .family = s->family};
    make_chains(c, s, chains);
    return chains;
}

/* ---- peers ---- */

static enum bgp_next_hop_mode next_hop_mode(enum calico_next_hop_mode mode) {
    switch (mode) {
    case CALICO_NEXT_HOP_SELF:
        return BGP_NEXT_HOP_SELF_ALL; /* BIRD: `next hop self` holds for reflected routes too */
    case CALICO_NEXT_HOP_KEEP:
        return BGP_NEXT_HOP_KEEP;
    case CALICO_NEXT_HOP_AUTO:
    case CALICO_NEXT_HOP_UNSET:
        break;
    }
    return BGP_NEXT_HOP_AUTO;
}

/* The plan's text itself where it is short enough: a mesh of 1,000 has a million of them. */
static const char *shortened(const struct compile *c, const char *text, size_t max) {
    return text && strlen(text) > max ? arena_strndup(c->arena, text, max) : text;
}

/* BIRD: of a longer one the first octets count. */
static const struct bgp_password *key_of(struct compile *c, const char *text) {
    if (text && text != c->password_text) {
        c->password = bgp_password_new(c->arena, text, strnlen(text, BGP_PASSWORD_MAX));
        c->password_text = text;
        c->out_of_memory |= !c->password && text[0];
    }
    return text ? c->password : NULL;
}

static void compile_peer(struct compile *c, const struct calico_session *s,
                         struct bgp_peer_config *p) {
    const struct compile_chains *chains = chains_for(c, s);
    bgp_peer_config_init(p, c->config->profile);
    snprintf(p->name, sizeof p->name, "%s", s->name);
    p->description = shortened(c, s->peer_node, DESCRIPTION_MAX);
    p->remote_addr = s->neighbor;
    p->local_addr = s->source_address;
    p->remote_port = s->port;
    p->remote_as = s->peer_as;
    p->local_as = s->local_as_override ? s->local_as : 0;
    p->families[BGP_IPV4_UNICAST] = s->family == BGP_IPV4_UNICAST;
    p->families[BGP_IPV6_UNICAST] = s->family == BGP_IPV6_UNICAST;
    p->passive = s->passive;
    p->rr_client = s->rr_client;
    p->ttl_security_hops = s->ttl_security;
    p->multihop = s->ttl_security ? 0 : s->multihop; /* ttl security says both */
    p->password = key_of(c, s->password);
    p->hold_time_set = true;
    p->hold_time_s = HOLD_TIME_S;
    p->keepalive_s = s->keepalive_set ? (uint16_t)s->keepalive_s : 0;
    p->next_hop_mode = next_hop_mode(s->next_hop);
    p->allow_local_as = s->allow_local_as > UINT8_MAX ? UINT8_MAX : (uint8_t)s->allow_local_as;
    p->send_communities = true;
    p->graceful_restart = BGP_GR_FULL;
    p->restart_time_s = s->restart_time_set ? (uint16_t)s->restart_time_s : 0;
    if (chains) {
        p->import[s->family] = chains->import;
        p->export[s->family] = chains->export;
    }
}

static void compile_peers(struct compile *c) {
    size_t count = c->node->session_count;
    c->config->peers = arena_array(c->arena, count + 1, sizeof *c->config->peers);
    if (!c->config->peers) {
        c->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < count && !c->out_of_memory; i++)
        compile_peer(c, &c->node->sessions[i], &c->config->peers[i]);
    c->config->peer_count = (uint32_t)count;
}

/* ---- the whole ---- */

static void compile_frame(struct compile *c, enum bgp_profile profile) {
    struct bgp_config *config = c->config;
    const struct calico_plan_node *n = c->node;
    bgp_config_init(config, profile);
    snprintf(config->hostname, sizeof config->hostname, "%s", n->node->name);
    config->local_as = n->as_number;
    config->router_id = n->router_id;
    config->cluster_id = n->node->has_cluster_id ? ip4_to_u32(n->node->cluster_id) : 0;
    config->listen = true;
    config->listen_port = n->listen_port;
    config->listen_addr4 = n->listen_addr[FAMILY4];
    config->listen_addr6 = n->listen_addr[FAMILY6];
    config->default_local_pref = 100;
    config->fib.install = true;
    config->fib.metric_from_local_pref = c->impl->plan.rules.priorities;
}

struct bgp_config *calico_compile(const struct calico_plan *p, const struct calico_plan_node *n,
                                  enum bgp_profile profile, struct arena *arena) {
    struct compile c = {.impl = plan_impl(p), .node = n, .arena = arena};
    c.config = arena_alloc(arena, sizeof *c.config);
    if (!c.config)
        return NULL;
    compile_frame(&c, profile);
    compile_peers(&c);
    if (!c.out_of_memory)
        compile_origins(&c);
    if (!c.out_of_memory)
        compile_kernel_filter(&c);
    c.config->policies = c.policies;
    c.config->policy_count = (uint32_t)c.policy_count;
    return c.out_of_memory ? NULL : c.config;
}
