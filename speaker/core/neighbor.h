#ifndef RIBCAGE_CORE_NEIGHBOR_H
#define RIBCAGE_CORE_NEIGHBOR_H

#include "config.h"

/*
 * Neighbours as a running speaker keeps them: what is one's own in some forty octets and its name,
 * the options shared by all that have the same. Made from struct bgp_peer_config; nobody changes
 * them after.
 * Everything stands in the arena of the speaker's configuration.
 */

struct bgp_neighbor_texts {
    const char *description, *shutdown_text; /* NULL: none */
    const struct bgp_password *password;     /* NULL: none */
};

struct bgp_neighbor {
    const struct bgp_peer_options *options;
    const struct bgp_neighbor_texts *texts; /* NULL: it has none */
    uint32_t remote_as;
    struct ip_addr remote_addr;
    bool shutdown;
    char name[]; /* at most BGP_PEER_NAME_MAX octets */
};

static inline const char *bgp_neighbor_description(const struct bgp_neighbor *n) {
    return n->texts ? n->texts->description : NULL;
}
static inline const struct bgp_password *bgp_neighbor_password(const struct bgp_neighbor *n) {
    return n->texts ? n->texts->password : NULL;
}
static inline const char *bgp_neighbor_shutdown_text(const struct bgp_neighbor *n) {
    return n->texts ? n->texts->shutdown_text : NULL;
}

/* Octets of a neighbour with this name. */
size_t neighbor_size(const char *name);

/*
 * Makes the neighbours of `c` in its order, and one for each listen range: that of its template,
 * without an address, passive. Both arrays have the caller's room. False: no memory; what was made
 * stays in the arena.
 */
bool neighbors_make(struct arena *arena, const struct bgp_config *c,
                    const struct bgp_neighbor **ret_peers, const struct bgp_neighbor **ret_ranges);

#endif
