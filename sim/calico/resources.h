#ifndef RIBCAGE_CALICO_RESOURCES_H
#define RIBCAGE_CALICO_RESOURCES_H

#include "../../speaker/base/addr.h"
#include "../../speaker/base/diag.h"
#include "../yaml/yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct selector; /* selector.h */

/*
 * Calico's resources as they are stored: parsed and validated, in Calico's own words.
 * Fields and defaults are those of today's Calico (field by field in the reading code).
 * `place` is where the object's `kind` stood, for later findings.
 */

struct calico_label {
    const char *name;
    const char *value;
};

struct calico_secret_ref {
    const char *name; /* NULL: no password */
    const char *key;
};

struct calico_cidr_communities {
    struct ip_prefix cidr;
    const char *const *communities; /* names or values, resolved by the planner */
    size_t community_count;
};

struct calico_named_community {
    const char *name;
    const char *value;
};

struct calico_bgp_configuration {
    const char *name; /* "default", "node.<name>", anything else is ignored */
    struct diag_place place;
    bool mesh_set, mesh_enabled;
    uint32_t as_number; /* 0 unset */
    const char *log_severity;
    uint16_t listen_port; /* 0 unset */
    bool bind_node_ip;
    struct calico_secret_ref mesh_password;
    bool mesh_restart_time_set;
    uint32_t mesh_restart_time_s;
    const struct ip_prefix *service_cluster_ips, *service_external_ips, *service_lb_ips;
    size_t service_cluster_ip_count, service_external_ip_count, service_lb_ip_count;
    bool service_lb_aggregation_disabled;
    const struct calico_named_community *communities;
    size_t community_count;
    bool prefix_advertisements_set; /* a per-node list replaces the global one, even an empty one */
    const struct calico_cidr_communities *prefix_advertisements;
    size_t prefix_advertisement_count;
    const char *const *ignored_interfaces;
    size_t ignored_interface_count;
    uint32_t normal_priority4, normal_priority6; /* 1024 */
    const char *program_cluster_routes;          /* as given or NULL */
    bool workload_peering4, workload_peering6;   /* localWorkloadPeeringIPV4/6 are given */
};

enum calico_next_hop_mode {
    CALICO_NEXT_HOP_UNSET,
    CALICO_NEXT_HOP_AUTO,
    CALICO_NEXT_HOP_SELF,
    CALICO_NEXT_HOP_KEEP
};

struct calico_bgp_peer {
    const char *name;
    struct diag_place place;
    const char *node;                                                               /* NULL unset */
    const struct selector *node_selector, *peer_selector, *local_workload_selector; /* NULL unset */
    const char *node_selector_text, *peer_selector_text, *local_workload_selector_text;
    bool has_peer_ip;
    bool peer_ip_unreadable; /* of a raw CRD: the BGPPeer has no session */
    struct ip_addr peer_ip;
    uint16_t peer_port;       /* 0 none given */
    uint32_t as_number;       /* 0 unset */
    uint32_t local_as_number; /* 0 unset */
    bool keep_original_next_hop;
    enum calico_next_hop_mode next_hop_mode;
    struct calico_secret_ref password;
    bool source_address_none;
    bool max_restart_time_set;
    uint32_t max_restart_time_s;
    bool keepalive_set;
    uint32_t keepalive_s;
    uint32_t allowed_local_as;
    uint8_t ttl_security;
    struct ip_addr reachable_by;
    const char *const *filters;
    const struct diag_place *filter_places;
    size_t filter_count;
    bool reverse_manual;
};

enum calico_match_operator {
    CALICO_OP_NONE,
    CALICO_OP_EQUAL,
    CALICO_OP_NOT_EQUAL,
    CALICO_OP_IN,
    CALICO_OP_NOT_IN
};
enum calico_operation_kind { CALICO_ADD_COMMUNITY, CALICO_PREPEND_AS_PATH, CALICO_SET_PRIORITY };

struct calico_operation {
    enum calico_operation_kind kind;
    const char *community;
    const uint32_t *as_path;
    size_t as_path_count;
    uint32_t priority;
};

struct calico_filter_rule {
    struct diag_place place;
    const char *text; /* "Reject NotIn 44.0.0.0/16", for explanations */
    bool accept;
    bool has_cidr;
    struct ip_prefix cidr;
    const char *unmasked_cidr; /* as a raw CRD brought it in, with host bits; NULL */
    enum calico_match_operator match_operator;
    bool has_prefix_length, has_min, has_max;
    uint8_t prefix_length_min, prefix_length_max;
    bool remote_peers;     /* source: RemotePeers */
    const char *interface; /* NULL unset */
    int peer_type;         /* 0 unset, 1 eBGP, 2 iBGP */
    const char *community; /* NULL unset */
    const uint32_t *as_path_prefix;
    size_t as_path_prefix_count;
    uint32_t priority; /* 0 unset */
    const struct calico_operation *operations;
    size_t operation_count;
};

struct calico_bgp_filter {
    const char *name;
    struct diag_place place;
    /* [direction][family]: direction 0 import, 1 export; family 0 v4, 1 v6 */
    const struct calico_filter_rule *rules[2][2];
    size_t rule_count[2][2];
};

struct calico_node {
    const char *name;
    struct diag_place place;
    struct ip_addr addr4, addr6; /* not set: the node has no BGP of that family */
    uint8_t length4, length6;
    uint32_t as_number; /* 0 unset */
    bool has_cluster_id;
    struct ip_addr cluster_id;
    const struct calico_label *labels; /* merged, sorted by name */
    size_t label_count;
    struct ip_addr ipip_tunnel4;           /* not set: no tunl0 */
    struct ip_addr wireguard4, wireguard6; /* addresses of the interface; not set: none */
    const struct ip_prefix *pod_cidrs;     /* core v1 spec.podCIDRs */
    size_t pod_cidr_count;
};

struct calico_ip_pool {
    const char *name;
    struct diag_place place;
    struct ip_prefix cidr;
    uint8_t block_size; /* 26 or 122 by default */
    bool ipip, vxlan;   /* Always or CrossSubnet */
    bool cross_subnet;
    bool disable_bgp_export;
    bool disabled;
    bool workload;                        /* allowedUses contains Workload (default) */
    bool manual;                          /* assignmentMode Manual */
    bool by_namespace;                    /* namespaceSelector is given */
    const struct selector *node_selector; /* NULL: all() */
};

/* Which IPAM block a node has. Calico makes these; a set that holds one holds all of a cluster's.
 */
struct calico_block_affinity {
    const char *name;
    struct diag_place place;
    const char *node;
    struct ip_prefix cidr;
    bool confirmed; /* neither pending nor on its way out */
};

/* core v1 Service, as far as its advertisement asks. */
enum calico_service_type {
    CALICO_SERVICE_CLUSTER_IP,
    CALICO_SERVICE_NODE_PORT,
    CALICO_SERVICE_LOAD_BALANCER,
    CALICO_SERVICE_EXTERNAL_NAME,
};
struct calico_service {
    const char *name, *name_space;
    struct diag_place place;
    enum calico_service_type type;
    bool local_policy;                  /* externalTrafficPolicy: Local */
    const struct ip_addr *cluster_ips;  /* clusterIPs, or clusterIP; none for a headless one */
    const struct ip_addr *external_ips; /* externalIPs */
    const struct ip_addr *lb_ips;       /* status.loadBalancer.ingress, else loadBalancerIP */
    size_t cluster_ip_count, external_ip_count, lb_ip_count;
};

/* discovery.k8s.io/v1 EndpointSlice. */
struct calico_endpoint {
    const char *node; /* nodeName; NULL: none */
    bool ready;       /* conditions.ready; not given: true */
};
struct calico_endpoint_slice {
    const char *name, *name_space;
    struct diag_place place;
    const char *service; /* label kubernetes.io/service-name; NULL: of no service */
    const struct calico_endpoint *endpoints;
    size_t endpoint_count;
    enum ip_family family; /* addressType; IP_NONE: FQDN */
};

struct calico_secret {
    const char *name;
    const char *name_space;
    const char *key;
    const char *value; /* decoded */
};

enum calico_status_class {
    CALICO_STATUS_AGENT = 1,
    CALICO_STATUS_BGP = 2,
    CALICO_STATUS_ROUTES = 4
};

/* CalicoNodeStatus: what is to be reported of a node. */
struct calico_node_status {
    const char *name;
    struct diag_place place;
    const char *node;
    unsigned classes;         /* enum calico_status_class, or-ed */
    uint32_t update_period_s; /* 0: off */
};

/* Everything an operator has applied. Objects are immutable; applying replaces one by kind and
 * name. */
struct calico_set;

struct calico_set *calico_set_new(void); /* NULL: out of memory */
void calico_set_free(struct calico_set *s);
/* A copy that shares nothing: the state before a step. */
struct calico_set *calico_set_copy(const struct calico_set *s);

/*
 * Reads documents (v3, crd v1, core v1 Node, Secret and Service, EndpointSlice, List kinds, plain
 * lists; other kinds are listed as notes) and applies them in order, as `calicoctl apply` would:
 * the given spec replaces the whole stored one. Nothing is applied if any document has an error.
 * `strict_references`: a BGPPeer naming a BGPFilter that does not exist (yet) is an error, as for
 * calicoctl. False: there were errors.
 */
bool calico_apply(struct calico_set *s, const struct yaml_document *documents, size_t count,
                  bool strict_references, struct diag_list *diags);
/* The tool an operator applies with. Objects of crd.projectcalico.org/v1 and Kubernetes' own kinds
 * are kubectl's whatever is said. */
enum calico_tool { CALICO_TOOL_CALICOCTL, CALICO_TOOL_KUBECTL };
extern const char *const calico_tool_names[2];

enum calico_outcome { CALICO_TAKEN, CALICO_REFUSED, CALICO_NOT_LOOKED_AT };
/* What became of one resource of the documents; texts are theirs, "" where there is none. */
struct calico_applied_resource {
    const char *kind, *name;
    struct diag_place place;
    size_t document; /* index of the document it stands in */
    enum calico_outcome outcome;
};
struct calico_applied {
    struct calico_applied_resource *items; /* in the order of the documents */
    size_t count, taken, refused;
};
/*
 * Applies resource after resource as the tool does: one that is refused changes nothing, those
 * before and behind it take effect. calicoctl reads everything first: behind an unknown field, a
 * value of the wrong type or no kind at all (finding.h) nothing is applied of what is its own.
 * kubectl takes each resource by itself, knows no Node of projectcalico.org/v3, and behind raw CRDs
 * nobody asks whether the filters of a BGPPeer exist. *ret_applied is the arena's. False: out of
 * memory, and the set stays as it was.
 */
bool calico_apply_each(struct calico_set *s, const struct yaml_document *documents, size_t count,
                       enum calico_tool tool, struct arena *arena, struct diag_list *diags,
                       struct calico_applied *ret_applied);
/* Resources `from` to `to` (excluded) of what calico_apply_each judged, where it took them. */
bool calico_apply_part(struct calico_set *s, const struct yaml_document *documents, size_t count,
                       const struct calico_applied *applied, size_t from, size_t to,
                       struct diag_list *diags);
/* What of Calico's BGPPeers, BGPFilters, BGPConfigurations and IPPools in a set is not `named`:
 * what `kubectl apply --prune` with these kinds would take out, in this order. NULL: no memory.
 * Texts are the set's. */
const struct calico_applied_resource *calico_unnamed(const struct calico_set *s,
                                                     const struct calico_applied *named,
                                                     struct arena *arena, size_t *ret_count);
bool calico_remove(struct calico_set *s, const char *kind, const char *name);
/* Removes the objects the documents name (kind and name suffice). Missing ones are findings. */
bool calico_delete(struct calico_set *s, const struct yaml_document *documents, size_t count,
                   struct diag_list *diags);
/* A node made by a topology generator; replaced by a Node document of the same name field by field:
 * what the document gives wins, labels are merged. False: out of memory or duplicate name. */
bool calico_add_node(struct calico_set *s, const struct calico_node *node);

/* Objects in order of name. */
size_t calico_node_count(const struct calico_set *s);
const struct calico_node *calico_node_at(const struct calico_set *s, size_t i);
const struct calico_node *calico_node_find(const struct calico_set *s, const char *name);
size_t calico_peer_count(const struct calico_set *s);
const struct calico_bgp_peer *calico_peer_at(const struct calico_set *s, size_t i);
const struct calico_bgp_peer *calico_peer_find(const struct calico_set *s, const char *name);
size_t calico_filter_count(const struct calico_set *s);
const struct calico_bgp_filter *calico_filter_at(const struct calico_set *s, size_t i);
const struct calico_bgp_filter *calico_filter_find(const struct calico_set *s, const char *name);
size_t calico_pool_count(const struct calico_set *s);
const struct calico_ip_pool *calico_pool_at(const struct calico_set *s, size_t i);
size_t calico_service_count(const struct calico_set *s);
const struct calico_service *calico_service_at(const struct calico_set *s, size_t i);
size_t calico_slice_count(const struct calico_set *s);
const struct calico_endpoint_slice *calico_slice_at(const struct calico_set *s, size_t i);
const struct calico_bgp_configuration *calico_config_find(const struct calico_set *s,
                                                          const char *name);
/* The one named node.<node>; NULL. */
const struct calico_bgp_configuration *calico_config_of_node(const struct calico_set *s,
                                                             const char *node);
/* Where calico-node looks: in `name_space`; NULL: in kube-system or calico-system. */
const struct calico_secret *calico_secret_find(const struct calico_set *s, const char *name_space,
                                               const char *name, const char *key);
size_t calico_node_status_count(const struct calico_set *s);
const struct calico_node_status *calico_node_status_at(const struct calico_set *s, size_t i);
size_t calico_affinity_count(const struct calico_set *s);
const struct calico_block_affinity *calico_affinity_at(const struct calico_set *s, size_t i);

#endif
