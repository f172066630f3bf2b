#ifndef RIBCAGE_FELIX_H
#define RIBCAGE_FELIX_H

#include "../calico/plan.h"
#include "../lab/overlay.h"

/*
 * Felix's part of the data plane: which tunnels, neighbours and routes it programs into a node,
 * decided from the plan alone. It hears of nodes, blocks and pools, never of BGP: a dead speaker
 * changes nothing here, a Node that is deleted does.
 */

/* Is it Felix (and not BIRD) that writes the routes of this pool's blocks to the kernel? VXLAN
 * always; IPIP and pools without encapsulation as programClusterRoutes says (today IPIP, before
 * v3.33 neither). */
bool felix_programs(const struct calico_plan *p, const struct calico_ip_pool *pool);

/* Is there a pool that needs tunnels or routes of Felix? If not, every overlay is empty. */
bool felix_needed(const struct calico_plan *p);

/*
 * What Felix wants of node `n`. A remote block of a pool it programs goes through the pool's
 * tunnel, or by the other node's address where the pool says CrossSubnet and that address is in
 * this node's own subnet; without encapsulation only the latter exists. Own blocks are blackholes.
 * `hosts` has each plan node's number in the lab (UINT32_MAX: not there). Lists are in `arena`.
 * False: out of memory.
 */
bool felix_overlay(const struct calico_plan *p, const struct calico_plan_node *n,
                   const uint32_t *hosts, struct arena *arena, struct lab_overlay *ret_overlay);

#endif
