#ifndef RIBCAGE_CALICO_READ_KINDS_H
#define RIBCAGE_CALICO_READ_KINDS_H

#include "read.h"
#include "resources.h"

/*
 * One reader per kind. `root` is the whole object, c->name its name. Each checks all that a
 * validator can check on the object alone, reports it, and returns the object as far as it could
 * be read; the errors counted in c->diags say whether it may be used. NULL: out of memory.
 */

struct calico_secrets {
    const struct calico_secret *items;
    size_t count;
};

struct calico_bgp_configuration *read_bgp_configuration(struct read_context *c,
                                                        const struct yaml_node *root);
struct calico_bgp_peer *read_bgp_peer(struct read_context *c, const struct yaml_node *root);
struct calico_bgp_filter *read_bgp_filter(struct read_context *c, const struct yaml_node *root);
struct calico_ip_pool *read_ip_pool(struct read_context *c, const struct yaml_node *root);
/* projectcalico.org/v3 Node, and Kubernetes' own with Calico's annotations. */
struct calico_node *read_node(struct read_context *c, const struct yaml_node *root);
struct calico_node *read_core_node(struct read_context *c, const struct yaml_node *root);
struct calico_block_affinity *read_block_affinity(struct read_context *c,
                                                  const struct yaml_node *root);
struct calico_secrets *read_secret(struct read_context *c, const struct yaml_node *root);
struct calico_service *read_service(struct read_context *c, const struct yaml_node *root);
struct calico_endpoint_slice *read_endpoint_slice(struct read_context *c,
                                                  const struct yaml_node *root);
struct calico_node_status *read_node_status(struct read_context *c, const struct yaml_node *root);

/* The value of `spec`, or NULL when it is missing or null. */
const struct yaml_node *read_spec(const struct yaml_node *root);
/* Both sorted; `over` wins. Sorted by name, in the arena; NULL with *ret_count 0 when empty. */
const struct calico_label *labels_merge(struct arena *arena, const struct calico_label *under,
                                        size_t under_count, const struct calico_label *over,
                                        size_t over_count, size_t *ret_count);
/* The first label of `under` that `over` gives another value; NULL: none. */
const struct calico_label *labels_shadowed(const struct calico_label *under, size_t under_count,
                                           const struct calico_label *over, size_t over_count);

#endif
