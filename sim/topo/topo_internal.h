#ifndef RIBCAGE_TOPO_INTERNAL_H
#define RIBCAGE_TOPO_INTERNAL_H

#include "topo.h"

/* Shared by the files of sim/topo only. */

#define TOPO_NODES_MAX 10000
#define TOPO_ROUTERS_MAX 1000
#define TOPO_SEGMENTS_MAX 1000
#define TOPO_ATTACHMENTS_MAX 64 /* of one router */
#define TOPO_LOOPBACKS_MAX 100000
#define TOPO_LABELS_MAX 256
#define TOPO_PODS_MAX 64
#define TOPO_NAME_BYTES_MAX 63      /* a DNS label */
#define TOPO_INTERFACE_BYTES_MAX 15 /* IFNAMSIZ - 1 */
#define TOPO_IOS_INTERFACE_BYTES_MAX 31
#define TOPO_PATTERN_WIDTH_MAX 6

struct topo_reader {
    struct topology *topology;
    struct arena *arena;
    struct diag_list *diags;
    size_t node_capacity;
    bool failed; /* out of memory */
};

/* ---- topo_name.c ---- */

/* Lower-case letters, digits and '-', a letter or digit at both ends, at most 63 bytes. Reports. */
bool topo_name_check(const char *name, struct diag_place at, const char *field,
                     struct diag_list *diags);
bool topo_interface_check(const char *name, const struct yaml_node *at, bool ios,
                          struct diag_list *diags);
/* "node-%03d": exactly one %d, %Nd or %0Nd. Reports anything else. */
struct topo_pattern {
    const char *before, *after;
    unsigned width;
    bool zeros;
};
bool topo_pattern_parse(const struct yaml_node *at, struct arena *arena, struct diag_list *diags,
                        struct topo_pattern *ret_pattern);
/* NULL: out of memory. */
const char *topo_pattern_name(const struct topo_pattern *p, uint64_t number, struct arena *arena);

/* ---- topo_read_node.c, topo_read_router.c ---- */

/* One entry of `nodes`: a node, or a generator when it has a count. */
void topo_read_node(struct topo_reader *r, const struct yaml_node *entry);
void topo_read_router(struct topo_reader *r, const struct yaml_node *entry,
                      struct topo_router *router);

/* Adds a node; NULL: too many or out of memory (both recorded). */
struct topo_node *topo_node_add(struct topo_reader *r, struct diag_place place);

/* `segment: lan`; without it the only segment. UINT32_MAX after a finding. */
uint32_t topo_read_segment(struct topo_reader *r, const struct yaml_node *entry);
/* One text or a list of texts, for `subnet`, `address` and `loopbacks`. Returns the number of
 * them and sets *ret_items to the scalars. */
size_t topo_list(const struct yaml_node *n, struct yaml_node *const **ret_items,
                 struct yaml_node **ret_single);
/* `address: …`, at most one of each family. Families not named stay as they were. */
bool topo_read_addresses(struct topo_reader *r, const struct yaml_node *n, struct ip_addr *ret4,
                         struct ip_addr *ret6);

/* ---- topo_address.c ---- */

/* Gives addresses to all attachments without one and checks all of them: inside their segment,
 * neither its network nor its broadcast address, no two alike. */
void topo_assign_addresses(struct topo_reader *r);
/* Only the checks. */
void topo_check_addresses(struct topo_reader *r);

extern const char *const topo_keys_topology[],
    *const topo_keys_segment[], *const topo_keys_node[], *const topo_keys_router[],
                                                             *const topo_keys_attachment[];
extern const size_t topo_keys_topology_count, topo_keys_segment_count, topo_keys_node_count,
    topo_keys_router_count, topo_keys_attachment_count;

#endif
