#ifndef RIBCAGE_CORE_CONFIG_DIFF_H
#define RIBCAGE_CORE_CONFIG_DIFF_H

#include "bgp.h"
#include "neighbor.h"

#include <stddef.h>

/* What differs between two configurations, as far as sessions and tables must act on it. */

/* Why all sessions must be made anew; BGP_DOWN_NONE: they need not. */
enum bgp_down_reason config_diff_resets_all(const struct bgp_config *a, const struct bgp_config *b);
/* … or this one; its client flag is named when nothing else changed. A new password resets BIRD's
 * sessions; elsewhere the host changes the key of the living connection. */
enum bgp_down_reason config_diff_resets_peer(enum bgp_profile profile, const struct bgp_neighbor *a,
                                             const struct bgp_neighbor *b);
/* Would the host listen, connect or authenticate differently? */
bool config_diff_endpoint(const struct bgp_neighbor *a, const struct bgp_neighbor *b);

/* Content hashes of all policies of a configuration (alloc_free), so that chains compare by what
 * their policies say. NULL: no memory. */
uint64_t *config_policy_digests(const struct bgp_config *c);

/* Could another path be the best one, or share the load with it? */
bool config_diff_decision(const struct bgp_config *a, const struct bgp_config *b);

struct config_side {
    const struct bgp_config *config;
    const uint64_t *digests;
    const struct bgp_neighbor *peer;
};
/* Does the peer's import or export come to something else? */
bool config_diff_import(const struct config_side *a, const struct config_side *b);
bool config_diff_export(const struct config_side *a, const struct config_side *b);
/* Is the family's prefix limit, or what happens at it, another one? */
bool config_diff_prefix_limit(const struct bgp_peer_options *x, const struct bgp_peer_options *y,
                              enum bgp_family f);

#endif
