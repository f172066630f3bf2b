#ifndef RIBCAGE_CORE_DAMPENING_H
#define RIBCAGE_CORE_DAMPENING_H

#include "rib.h"

/*
 * Route flap dampening (RFC 2439) of external routes, with the figures of IOS. Remembered is what
 * a neighbour's routes did, by its address, so that it outlives sessions.
 */

/* The configuration's parameters changed; without any, everything is forgotten. */
void dampening_changed(struct bgp_speaker *s);
void dampening_free(struct bgp_speaker *s);

/* A route that was held and accepted is withdrawn by its neighbour. `attrs`: what it had. */
void dampening_withdrawn(struct bgp_speaker *s, const struct peer *p, struct ip_prefix prefix,
                         uint32_t path_id, uint32_t attrs, struct nanotime now);
/* A route is about to be held with `attrs`; `old_attrs`: what it had, 0: it was not there, or what
 * it had does not count. True: it is held back. */
bool dampening_announced(struct bgp_speaker *s, const struct peer *p, struct ip_prefix prefix,
                         uint32_t path_id, uint32_t attrs, uint32_t old_attrs, struct nanotime now);

/* Looks at no more than `budget` histories. Returns what is left. */
uint32_t dampening_work(struct bgp_speaker *s, uint32_t budget, struct nanotime now);
bool dampening_has_work(const struct bgp_speaker *s);

/* `penalty` after so many seconds. For tests too. */
uint32_t dampening_decay(uint32_t penalty, uint64_t elapsed_s, uint32_t half_life_s);

#endif
