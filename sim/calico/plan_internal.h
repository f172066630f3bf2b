#ifndef RIBCAGE_CALICO_PLAN_INTERNAL_H
#define RIBCAGE_CALICO_PLAN_INTERNAL_H

#include "plan.h"
#include "set.h"

#include "../../speaker/base/table.h"

/*
 * The plan while it is made and what stays beside it. One file per part:
 *
 *   plan.c          nodes, assembling each node's sessions
 *   plan_peers.c    BGPPeers -> entries: who, where, reverse, first writer wins
 *   plan_session.c  an entry or a mesh neighbour -> one session
 *   plan_workload.c sessions with pods
 *   plan_refused.c  files that BIRD refuses
 *   plan_ipam.c     blocks and pods
 *   plan_pairs.c    both ends of a session together
 *   plan_findings.c what an operator would want to know
 */

enum { FAMILY4 = 0, FAMILY6 = 1 };

/* What a node is to others. */
struct plan_info {
    char text[BGP_FAMILIES][IP_ADDR_TEXT_MAX]; /* canonical: passive is decided on text */
    const char *mesh_name[BGP_FAMILIES];
    uint16_t own_port; /* node.<name>'s listenPort, 0 none */
    uint16_t port;     /* own or global, 0 none */
};

/* Why two ends do not meet, in the order in which it is asked. */
enum pair_cause {
    PAIR_FINE,
    PAIR_NO_AS,
    PAIR_NO_STANZA,
    PAIR_AS,
    PAIR_PASSIVE,
    PAIR_PASSWORD,
    PAIR_TTL,
    PAIR_PORT,
    PAIR_FROZEN, /* nothing but a file that BIRD refuses; an older one may have the session */
    PAIR_CAUSES,
};

struct plan_pair_list {
    struct calico_pair *items;
    uint8_t *causes;   /* enum pair_cause, per pair */
    const char **from; /* per pair: the BGPPeer it comes from, "" mesh */
    size_t count, room;
};

struct plan_impl {
    struct calico_plan plan; /* first: calico_plan_new hands out its address */
    const struct calico_bgp_configuration *global; /* never NULL */
    struct plan_info *info;
    const char *node_ip_interface;
    const char *router_id;  /* of the environment; NULL: the node's IPv4 address */
    const char *name_space; /* NAMESPACE or NULL, the caller's: only while the plan is made */
    uint32_t pods_per_node;
    calico_pods_fn *pods_of;          /* may be NULL */
    calico_pod_labels_fn *pod_labels; /* may be NULL */
    void *pods_context;
    const struct calico_claim *claims; /* the caller's: only while the plan is made */
    size_t claim_count;
    bool use_pod_cidr;
    struct calico_bgp_configuration own_global;  /* `global`, where the environment changes it */
    const struct calico_endpoint_slice **slices; /* by namespace and service */
    size_t slice_count;
    struct plan_pair_list met;  /* those of calico_pairs */
    struct plan_pair_list left; /* first stanzas in whose place others of another port came up */
};

/* One BGPPeer with everything it selects. */
struct peering {
    const struct calico_bgp_peer *peer;
    bool global;
    const uint32_t *nodes; /* the node side */
    size_t node_count;
    const uint32_t *remotes; /* peerSelector's nodes; with peerIP: nodes it is recognised as */
    size_t remote_count;
    struct entry *forward, *reverse; /* sorted by name */
    size_t forward_count, reverse_count;
    const struct calico_bgp_filter **filters; /* existing ones */
    size_t filter_count;
    const struct calico_secret *password; /* NULL: none or missing */
    bool has_session[BGP_FAMILIES];       /* some node has a stanza of it */
    /* What first-writer-wins took away from it. */
    const struct peering *lost_to, *lost_to_global;
    size_t lost_count, lost_to_global_count;
};

/* A peer as one BGPPeer describes it, the same for all nodes that get it. */
struct entry {
    struct peering *from;
    const char *name;
    struct ip_addr addr;
    uint16_t port;
    uint32_t as_number;
    uint32_t node;      /* index, or CALICO_NO_NODE */
    bool passive_rule;  /* Global_ by address of a Calico node: the larger address connects */
    bool by_address;    /* from peerIP, forward: local AS fields apply */
    bool cluster_known; /* with peerSelector and in reverse, of a reflector */
    bool reverse;
    uint32_t cluster_id; /* any value where it is known: 0.0.0.0 is one */
};

struct plan_build {
    struct plan_impl *p;
    const struct calico_set *set;
    struct diag_list *diags;
    struct arena *arena;   /* the plan's */
    struct arena *scratch; /* gone when the plan is made */
    struct table by_addr;  /* addresses of nodes -> index * 2 + family + 1 */
    struct peering *peerings;
    size_t peering_count;
    struct entry **globals; /* by name, unique by address and port */
    size_t global_count;
    struct table global_keys; /* of globals, index + 1 */
    const struct calico_secret *mesh_password;
    bool has_workload_peers;
    bool out_of_memory;
};

static inline struct ip_addr plan_addr(const struct calico_node *n, int family) {
    return family == FAMILY4 ? n->addr4 : n->addr6;
}
static inline struct ip_addr plan_wireguard(const struct calico_node *n, int family) {
    return family == FAMILY4 ? n->wireguard4 : n->wireguard6;
}
static inline int plan_family(struct ip_addr a) {
    return a.family == IP_V6 ? FAMILY6 : FAMILY4;
}
static inline const struct plan_impl *plan_impl(const struct calico_plan *p) {
    return (const struct plan_impl *)p;
}

/* arena_array that marks the build as failed. */
void *plan_array(struct plan_build *b, struct arena *arena, size_t count, size_t size);
/* The first node that has this address; CALICO_NO_NODE. */
uint32_t plan_node_by_addr(const struct plan_build *b, struct ip_addr a);
/* "Node_10_0_0_3_port_500"; port 0 leaves it out. */
const char *plan_session_name(struct plan_build *b, const char *prefix, struct ip_addr addr,
                              uint16_t port);

/* plan_peers.c */
void plan_peers_collect(struct plan_build *b);
/* For every node its entries beside the global ones, by family and name. */
struct node_entries {
    uint32_t *start;      /* node_count + 1 */
    struct entry **items; /* NULL when there are none at all */
};
bool plan_peers_by_node(struct plan_build *b, struct node_entries *ret_entries);

/* plan_session.c: what all sessions of a node start from. */
struct calico_session plan_session_frame(const struct plan_build *b, uint32_t node, int family);
/* False: this node drops it (its own address, no address of that family). */
bool plan_session_from_entry(const struct plan_build *b, uint32_t node, const struct entry *e,
                             struct calico_session *ret_session);
void plan_session_mesh(const struct plan_build *b, uint32_t node, uint32_t other, int family,
                       struct calico_session *ret_session);

/* compile_services.c: the EndpointSlices in order, for all nodes that look for a service's. */
void plan_slices(struct plan_build *b);

/* plan_ipam.c, plan_pairs.c, plan_findings.c */
void plan_ipam(struct plan_build *b);
void plan_pairs(struct plan_build *b);
void plan_findings(struct plan_build *b);

/* plan_json.c: one item of the plan's JSON; *failed is set when memory ran out. */
json_t *plan_json_session(const struct calico_session *s, bool *failed);
/* … and the BGPPeer it comes from, which is no part of the plan's JSON. */
json_t *plan_json_session_origin(const struct calico_session *s, bool *failed);
json_t *plan_json_node(const struct calico_plan_node *n, bool *failed);
json_t *plan_json_pair(const struct calico_pair *p, bool *failed);
json_t *plan_json_finding(const struct diag *d, bool *failed);

/* plan_print.c: a node's heading lines; the pairs that will not meet and the totals. */
void plan_print_heading(const struct calico_plan_node *n, struct text *out);
void plan_print_summary(const struct calico_plan *p, struct text *out);

/* plan_workload.c: the node's sessions of a family with its pods, by name; at most one per pod. */
size_t plan_workload_sessions(struct plan_build *b, uint32_t node, int family,
                              struct calico_session *sessions);

/* plan_refused.c */
void plan_refused(struct plan_build *b);
/* prefixLength leaves no length for In or NotIn. */
bool plan_rule_range_empty(const struct calico_filter_rule *r);

/* CALICO_ROUTER_ID=hash: from the node's name. */
struct ip_addr router_id_hash(const char *name);
/* The SHA-256 digest of a text, most significant word first (router_id.c). */
void sha256_words(const char *text, uint32_t h[8]);

#endif
