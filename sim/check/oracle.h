#ifndef RIBCAGE_ORACLE_H
#define RIBCAGE_ORACLE_H

#include "../../speaker/base/addr.h"
#include "../../speaker/core/attr.h"
#include "../../speaker/core/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct text;

/*
 * What must hold once things have settled, computed from configurations alone and with code that is
 * not the speaker's: which sessions come up, every node's Loc-RIB and kernel table, why a route
 * that one might expect is not there.
 *
 *   oracle.c         input and lookups
 *   oracle_session.c which configured ends meet, and why others do not
 *   oracle_route.c   propagation to a fixed point: policy, reflection, decision
 *   oracle_outcome.c what is kept of it, equal things once
 *   oracle_result.c  tables and sums made from that
 *   oracle_explain.c why a route is there, or is not
 *   oracle_policy.c  its own evaluation of policy terms
 *   oracle_as_path.c AS_PATH between ASes; oracle_next_hop.c NEXT_HOP
 *   oracle_originate.c aggregates and conditions
 *
 * The computation is synchronous: a route spreads from its origin, every node keeps the best of
 * what its neighbours would send, until nothing changes. BGP configurations that have no or several
 * stable outcomes are reported as such (`unstable`), never guessed.
 */

struct oracle_node {
    const char *name;
    const struct bgp_config *config; /* NULL: no BGP here */
    struct ip_addr addrs[8];         /* the node's own addresses that peers may use */
    size_t addr_count;
    struct ip_prefix subnets[8]; /* connected */
    size_t subnet_count;
    bool default_route;   /* beyond them it reaches every address that a node here has */
    bool up;              /* false: the speaker is stopped or killed */
    uint32_t incarnation; /* how often its speaker was started */
};

/* Traffic between two nodes that a fault cuts (TCP 179). A session that was up before stays up
 * until its hold time ends: the oracle keeps it while neither end was started again. */
struct oracle_cut {
    uint32_t a, b; /* b UINT32_MAX: with everyone */
};

struct oracle_input {
    const struct oracle_node *nodes;
    size_t node_count;
    const struct oracle_cut *cuts;
    size_t cut_count;
    bool routed_fabric; /* next hops resolve to the fabric's gateway */
    struct ip_addr gateway4, gateway6;
    /* The state before this one, or NULL at the start: who holds a neighbour's lock (BIRD lets one
     * session per neighbour run) keeps it while it is configured. Needed during oracle_new only. */
    const struct oracle *previous;
};

struct oracle;

struct oracle *oracle_new(const struct oracle_input *in); /* NULL: out of memory; copies nothing:
                                                             the input must outlive it */
void oracle_free(struct oracle *o);

/* ---- sessions ---- */

struct oracle_session {
    uint32_t a, b;             /* node indices, a < b */
    uint32_t peer_a, peer_b;   /* index into config->peers of the ends that meet */
    enum bgp_family transport; /* family of the addresses */
    struct ip_addr addr_a, addr_b;
    uint16_t hold_time_s; /* negotiated */
    bool families[BGP_FAMILIES];
};
size_t oracle_sessions(const struct oracle *o,
                       const struct oracle_session **ret_sessions); /* sorted */

/* A configured end that does not come up, and why. */
struct oracle_failure {
    uint32_t node, peer; /* config->peers index */
    const char *cause;   /* stable id: "bad-peer-as", "no-such-neighbor", "not-configured-there",
                            "both-passive", "password", "ttl", "waiting-for-lock", "shutdown",
                            "speaker-down", "blocked", "no-common-family", "same-router-id" */
    const char *detail;  /* "remote-as 64512 expected, kube-2 is 64514" */
};
size_t oracle_failures(const struct oracle *o, const struct oracle_failure **ret_failures);

/* ---- routes ---- */

struct oracle_route {
    struct ip_prefix prefix;
    uint32_t from_node; /* neighbour it was learned from; own index for own routes */
    uint32_t origin_node;
    struct ip_addr next_hop;         /* BGP NEXT_HOP; not set for own routes */
    const struct attr_values *attrs; /* the oracle's, often shared by many routes */
    bool in_fib;                     /* the speaker installs it */
    struct ip_addr gateway;          /* in the kernel; of several that of the best path */
    const struct ip_addr
        *gateways; /* with in_fib: all of them, sorted and unique; none: blackhole */
    size_t gateway_count;
    const char *device; /* the kernel filter's tunnel device; NULL: none */
    bool blackhole;
    uint32_t metric;
    bool by_age; /* IOS: tied with another external path, the oldest one wins: any of them may be
                    the best, or be left out where fewer may share the load than are equal; or a
                    neighbour that has chosen so has handed its choice on, next hop and all */
};
/* Loc-RIB of a node, sorted by prefix; good until those of four other nodes were asked for. NULL
 * and 0: nothing there, or out of memory. */
size_t oracle_loc_rib(const struct oracle *o, uint32_t node,
                      const struct oracle_route **ret_routes);
/* One route of it, good until 64 others were asked for. NULL: none. */
const struct oracle_route *oracle_find(const struct oracle *o, uint32_t node, struct ip_prefix p);
/* Sums of scoreboard_route_digest as the speaker keeps them; prefix counts per family. */
struct oracle_totals {
    uint64_t loc_rib[2], fib[2];
    uint64_t loc_rib_digest, fib_digest;
    uint32_t established; /* sessions of this node */
    bool by_age;          /* some route depends on which came first: digests say nothing */
};
struct oracle_totals oracle_totals(const struct oracle *o, uint32_t node);
/* The node's sessions alone, at no cost. */
uint32_t oracle_totals_established(const struct oracle *o, uint32_t node);
/* The node that has this address; UINT32_MAX: nobody. */
uint32_t oracle_address_owner(const struct oracle *o, struct ip_addr a);
/* Prefixes for which no stable outcome was found (they oscillate); 0 in a well-made network. */
size_t oracle_unstable(const struct oracle *o, const struct ip_prefix **ret_prefixes);

/* Why `node` has no route to `prefix`, or why it has the one it has: the chain of hops from the
 * origin, and at the last hop the rule that stopped it: "kube-3 -> rr1: rejected by BGPFilter
 * block-two exportV4[0] Reject In 10.244.2.0/24". */
void oracle_explain(struct oracle *o, uint32_t node, struct ip_prefix prefix, struct text *out);

/* What a policy did to the next hop, for the caller to make an address of. */
enum oracle_next_hop {
    ORACLE_NEXT_HOP_UNTOUCHED,
    ORACLE_NEXT_HOP_SET, /* to an address, or to what it was */
    ORACLE_NEXT_HOP_SELF,
    ORACLE_NEXT_HOP_PEER,
};

/* The oracle's own evaluation of a chain: passes? *ret_attrs (in arena) as changed; *ret_rule names
 * the deciding policy and term. */
struct oracle_candidate {
    struct ip_prefix prefix;
    const struct attr_values *attrs;
    enum route_source source;
    const char *interface;
    uint32_t metric;
    bool external_session;
    uint32_t *weight; /* import: where a weight that is set goes; may be NULL */
    uint32_t tag;
    enum oracle_next_hop *next_hop; /* where an action on the next hop is noted; may be NULL */
};
bool oracle_policy(const struct bgp_config *c, const struct policy_chain *chain,
                   const struct oracle_candidate *r, struct arena *arena,
                   struct attr_values *ret_attrs, const char **ret_rule);
/* Sees a chain's evaluation: each condition of a term, then the term (`holds`: all of them do, its
 * verdict is taken). */
struct oracle_tracer {
    void (*match)(void *context, const struct policy_match *m, bool holds);
    void (*term)(void *context, const struct policy *p, const struct policy_term *t, bool holds);
    void *context;
};
/* `tracer` may be NULL. */
bool oracle_policy_traced(const struct bgp_config *c, const struct policy_chain *chain,
                          const struct oracle_candidate *r, struct arena *arena,
                          const struct oracle_tracer *tracer, struct attr_values *ret_attrs,
                          const char **ret_rule);

/* The way of a node's best route to one of its peers, on a finished oracle. */
struct oracle_passage {
    bool session, known, sent, accepted; /* as far as it came */
    const char *export_rule, *import_rule;
    uint32_t neighbor;               /* with session */
    const struct attr_values *attrs; /* with accepted: as the neighbour keeps them */
};
/* `peer`: index into the node's config->peers. */
void oracle_follow(struct oracle *o, uint32_t node, uint32_t peer, struct ip_prefix prefix,
                   const struct oracle_tracer *on_export, const struct oracle_tracer *on_import,
                   struct oracle_passage *ret_passage);
/* Does the node's kernel filter (bgp_fib_config.filter) let the route into the kernel's table, and
 * through which tunnel device (NULL: none)? */
bool oracle_kernel_filter(const struct bgp_config *c, const struct oracle_candidate *r,
                          struct arena *arena, const char **ret_device);

#endif
