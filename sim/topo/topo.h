#ifndef RIBCAGE_TOPO_H
#define RIBCAGE_TOPO_H

#include "../../speaker/base/addr.h"
#include "../../speaker/base/diag.h"
#include "../calico/resources.h"
#include "../yaml/yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/*
 * The topology: which nodes and routers there are, on which segments, with which addresses.
 * topologies/<name>.yaml, schema topologies/schema.json. Generators are expanded on reading, so
 * that the rest of the program sees plain lists only. BGP is not its business: that is in the
 * manifests and in the routers' own configuration.
 */

enum topo_fabric {
    TOPO_FABRIC_AUTO,   /* l2 while that works, routed above */
    TOPO_FABRIC_L2,     /* one bridge per segment */
    TOPO_FABRIC_ROUTED, /* every node a /32, one router namespace, permanent gateway entries */
};

struct topo_segment {
    const char *name;
    struct ip_prefix subnet4, subnet6; /* family not set: none */
    struct diag_place place;
};

struct topo_attachment {
    uint32_t segment;
    const char *interface; /* in the node's namespace: "eth0"; for IOS: "GigabitEthernet0/0" */
    struct ip_addr addr4, addr6; /* not set: none */
};

struct topo_node {
    const char *name;
    struct diag_place place;
    struct topo_attachment attachment;
    const struct calico_label *labels;
    size_t label_count;
    uint32_t as_number;                    /* 0: not said here */
    struct ip_addr cluster_id;             /* not set: no reflector */
    uint32_t pods;                         /* per block's pool and family */
    const struct calico_label *pod_labels; /* of all its pods */
    size_t pod_label_count;
};

struct topo_router {
    const char *name;
    struct diag_place place;
    const char *config_path; /* relative to the topology's or scenario's directory; may be NULL */
    const char *config_text; /* inline, or read by whoever resolves config_path */
    size_t config_size;
    struct topo_attachment *attachments;
    size_t attachment_count;
    struct ip_prefix *loopbacks; /* extra addresses, also routes it can announce */
    size_t loopback_count;
};

struct topology {
    const char *name;
    const char *file;
    enum topo_fabric fabric;
    struct topo_segment *segments;
    size_t segment_count;
    struct topo_node *nodes; /* in order of appearance */
    size_t node_count;
    struct topo_router *routers;
    size_t router_count;
};

/* Reads and expands; parameters (`${nodes}`) have been substituted already. NULL: errors in diags.
 */
struct topology *topology_read(const struct yaml_node *root, struct arena *arena,
                               struct diag_list *diags);
/* Puts the nodes into a set as Calico Node resources. */
bool topology_add_nodes(const struct topology *t, struct calico_set *set, struct diag_list *diags);
/* After the manifests at the start were applied: where a Node resource gives another address, that
 * one is taken over; nodes that stand only in the manifests are added to the first segment whose
 * subnet holds their address. Errors: duplicate addresses, an address outside its segment. */
bool topology_take_addresses(struct topology *t, const struct calico_set *set, struct arena *arena,
                             struct diag_list *diags);
uint32_t topology_find(const struct topology *t,
                       const char *name); /* index over nodes, then routers; UINT32_MAX */

#endif
