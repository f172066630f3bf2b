#ifndef RIBCAGE_CALICO_PLAN_H
#define RIBCAGE_CALICO_PLAN_H

#include "../../speaker/base/diag.h"
#include "../../speaker/core/config.h"
#include "calico_version.h"
#include "resources.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct arena;
struct text;

/*
 * The peering plan: what every node's confd would write, decided from the whole set of resources.
 *
 * One session here is one `protocol bgp` stanza of a node in one family. The rules are Calico's
 * (confd's bgp_processor and templates), each with its own function in plan_*.c.
 */

enum calico_session_kind {
    CALICO_MESH,
    CALICO_GLOBAL,
    CALICO_NODE_SPECIFIC,
    CALICO_LOCAL_WORKLOAD
};

#define CALICO_NO_NODE UINT32_MAX

struct calico_session {
    const char *name; /* "Mesh_10_0_0_2", "Node_10_0_0_3_port_500" */
    enum calico_session_kind kind;
    enum bgp_family family;
    struct ip_addr neighbor;
    uint16_t port;                 /* 0: none known (179) */
    const char *peer_node;         /* NULL: not a Calico node */
    uint32_t peer_index;           /* its place in the plan's nodes; CALICO_NO_NODE */
    uint32_t peer_as, local_as;    /* effective */
    bool local_as_override;        /* localASNumber */
    struct ip_addr source_address; /* not set: sourceAddress None */
    bool passive;
    bool rr_client;
    uint32_t cluster_id; /* with rr_client, host order */
    enum { CALICO_PASSWORD_NONE, CALICO_PASSWORD_PRESENT, CALICO_PASSWORD_MISSING } password_state;
    const char *password; /* NULL unless present */
    uint8_t ttl_security; /* 0 off */
    uint8_t multihop;     /* 64, or the ttlSecurity hops */
    enum calico_next_hop_mode next_hop;
    uint32_t allow_local_as;
    bool restart_time_set, keepalive_set;
    uint32_t restart_time_s, keepalive_s;
    const struct calico_bgp_filter *const *filters; /* existing ones, in order; those with rules for
                                                       the direction and family take part */
    size_t filter_count;
    bool internal;      /* iBGP */
    const char *origin; /* the BGPPeer's name, "" for the mesh */
    bool reverse;       /* a reverse peering */
};

struct calico_block {
    struct ip_prefix prefix;
    const struct calico_ip_pool *pool;
};

struct calico_pod {
    struct ip_addr addr;
    char interface[16]; /* "cali0001": the name policy sees */
};

struct calico_plan_node {
    const struct calico_node *node;
    uint32_t as_number;                /* effective */
    struct ip_addr router_id;          /* not set: none can be had */
    const char *refused[BGP_FAMILIES]; /* why BIRD refuses this family's file; NULL: it does not */
    uint16_t listen_port;              /* 0: 179 */
    struct ip_addr listen_addr[2];     /* with bindMode NodeIP, per family */
    struct calico_session
        *sessions; /* sorted by name within each family, IPv4 first: BIRD's order */
    size_t session_count;
    struct calico_block *blocks;
    size_t block_count;
    struct calico_pod *pods;
    size_t pod_count;
};

struct calico_plan {
    struct arena *arena;
    const struct calico_set *set;
    struct calico_plan_node *nodes; /* in order of name */
    size_t node_count;
    uint32_t as_number;
    bool mesh_enabled;
    uint32_t version; /* 0: today's */
    struct calico_rules rules;
};

/* How many pods a node runs, in each block's pool and family. */
typedef uint32_t calico_pods_fn(void *context, const char *node);

/* The labels of a node's pods, sorted by name. */
typedef const struct calico_label *calico_pod_labels_fn(void *context, const char *node,
                                                        size_t *ret_count);

/* A block that IPAM gave a node beyond its first of the pool; no pod is in it. */
struct calico_claim {
    const char *node;
    struct ip_prefix block;
};

struct calico_plan_options {
    uint32_t pods_per_node;  /* in each block's pool and family; 1 by default */
    calico_pods_fn *pods_of; /* over pods_per_node when given; 0: the node needs no block either */
    calico_pod_labels_fn *pod_labels; /* NULL: they have none */
    void *context;
    /* Read while the plan is made. A claim of an unknown node, outside all pools, or with
     * use_pod_cidr counts for nothing. */
    const struct calico_claim *claims;
    size_t claim_count;
    bool use_pod_cidr;             /* USE_POD_CIDR: the nodes' podCIDRs instead of IPAM blocks */
    const char *node_ip_interface; /* name of the node's interface, "eth0" */
    uint32_t version;              /* calico_version.h; 0: today's */
    const char *router_id;         /* CALICO_ROUTER_ID: an IPv4 address, "hash", or NULL */
    const char *name_space;        /* NAMESPACE: whose Secrets count; NULL: not set */
    /* CALICO_ADVERTISE_CLUSTER_IPS, in place of serviceClusterIPs; none: not set. */
    const struct ip_prefix *cluster_ips;
    size_t cluster_ip_count;
};

/* The set must outlive the plan. Findings: what Calico would do silently and an operator would want
 * to know (AS disagreement, missing filters and secrets, shadowed peers, partition…). NULL: out of
 * memory. */
struct calico_plan *calico_plan_new(const struct calico_set *set,
                                    const struct calico_plan_options *o, struct diag_list *diags);
void calico_plan_free(struct calico_plan *p);
/* programClusterRoutes and serviceLoadBalancerAggregation as the plan's version has them. */
enum calico_program_routes calico_program_routes(const struct calico_plan *p);
/* The metric of Felix's kernel routes of a family (ipv4NormalRoutePriority,
 * ipv6NormalRoutePriority); 0: the version has none. */
uint32_t calico_normal_priority(const struct calico_plan *p, uint8_t family);
bool calico_lb_aggregation_disabled(const struct calico_plan *p);
const struct calico_plan_node *calico_plan_find(const struct calico_plan *p, const char *node);
/* The first pool that IPAM gives blocks of to nodes; NULL: none. */
const struct calico_ip_pool *calico_block_pool(const struct calico_set *set);

/*
 * A node's stanzas as a speaker's configuration: peers in BIRD's order, BGPFilters and Calico's own
 * import and export policy as chains, the node's routes (blocks: STATIC without interface,
 * blackhole in the kernel; pods: KERNEL with their interface; the node's subnet: DIRECT). In
 * `arena`, which the plan must outlive. NULL: out of memory.
 */
struct bgp_config *calico_compile(const struct calico_plan *p, const struct calico_plan_node *n,
                                  enum bgp_profile profile, struct arena *arena);

/*
 * Makes `c`, just compiled for a node some of whose families BIRD refuses, what that node really
 * runs: in those families the sessions of `old` (what it ran before; NULL: nothing yet, so none).
 * `old` may go afterwards. False: out of memory, or more policies than fit.
 */
bool calico_compile_frozen(struct bgp_config *c, const struct calico_plan_node *n,
                           const struct bgp_config *old, struct arena *arena);

/* One session between two ends, as both configurations would have it. */
struct calico_pair {
    const char *node_a, *node_b; /* node_b NULL: outside router */
    struct ip_addr addr_a, addr_b;
    enum bgp_family family;
    const char *kind;    /* "mesh", "global", "node" */
    bool both_ends;      /* both ends have a stanza (always false for an outside router) */
    bool expected;       /* AS, password, TTL agree, one side dials, BIRD takes both files */
    const char *why_not; /* "" when expected */
};
/* All pairs, sorted by (family, a, b); a pair that has several stanzas (mesh and node specific) is
 * listed once with the one that runs. Returns the count. */
size_t calico_pairs(const struct calico_plan *p, struct calico_pair **ret_pairs);

/* `ribcage plan`: a table per node (only `node` when not NULL), the total with its formula,
 * warnings are the caller's. Shape of the JSON: topologies/plan.schema.json. */
void calico_plan_print(const struct calico_plan *p, const char *node, struct text *out);
json_t *calico_plan_json(const struct calico_plan *p, const struct diag_list *findings);
/* The same to a stream, a node or pair a line: a mesh of 1,000 has a million stanzas, too many for
 * one tree. False: out of memory, or the stream failed; what has been written is not whole then. */
bool calico_plan_write_json(const struct calico_plan *p, const struct diag_list *findings,
                            FILE *out);

#endif
