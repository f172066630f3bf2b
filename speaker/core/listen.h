#ifndef RIBCAGE_CORE_LISTEN_H
#define RIBCAGE_CORE_LISTEN_H

#include "neighbor.h"
#include "speaker.h"

/* Peers that are made when they call, from a listen range, and go when they are idle. */

struct peer_dynamic {
    uint32_t range;             /* index in the configuration */
    bool any_as;                /* the template names none: the first OPEN decides */
    struct bgp_neighbor config; /* last: its name follows. Options and texts are the template's */
};

/* Of a dynamic peer; NULL: it is configured. */
struct peer_dynamic *listen_dynamic(const struct peer *p);
/* What a peer with this address would be told to be; alloc_free. NULL: no memory. `remote_as`: what
 * it is known to be, 0 if it is not. */
struct peer_dynamic *listen_describe(const struct bgp_neighbor *template, uint32_t range,
                                     struct ip_addr a, uint32_t remote_as);
/* A peer for a caller that is not configured. NULL: no range has it, the range is full, or no
 * memory. */
struct peer *listen_peer_new(struct bgp_speaker *s, struct ip_addr a, struct nanotime now);
/* Takes away those that have no connection, keep no routes and wait for nothing. */
void listen_sweep(struct bgp_speaker *s, struct nanotime now);
/* Who the peer has to be when its OPEN says `asn`: just that, where the range leaves it open. */
uint32_t listen_remote_as(const struct peer *p, uint32_t asn);
/* An OPEN of this AS is accepted: what another AS left there over a restart goes. */
void listen_learn_as(struct bgp_speaker *s, struct peer *p, uint32_t asn);

#endif
