#ifndef RIBCAGE_CORE_OWN_ADDR_H
#define RIBCAGE_CORE_OWN_ADDR_H

#include "speaker.h"

/*
 * Our own addresses that sessions run over, each kept once: a thousand sessions of a node have one
 * in common. Names are 16 bits, as those of peers, so there are never too few: one is held by a
 * session at least.
 */

struct own_addr {
    uint32_t references;
    uint32_t link; /* of the neighbours: see bgp_conn_link */
    struct ip_addr addr;
};

/* A name for the address on this link, held. 0: no memory. */
uint16_t own_addr_hold(struct bgp_speaker *s, struct ip_addr a, uint32_t link);
void own_addr_release(struct bgp_speaker *s, uint16_t own_addr); /* 0 is fine */
/* Not set for 0. */
struct ip_addr own_addr_get(const struct bgp_speaker *s, uint16_t own_addr);
/* 0 for 0. */
uint32_t own_addr_link(const struct bgp_speaker *s, uint16_t own_addr);

#endif
