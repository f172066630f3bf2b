#ifndef RIBCAGE_CORE_ADJOUT_H
#define RIBCAGE_CORE_ADJOUT_H

#include "speaker.h"

/* What rib.c and the session layer call beside the functions of speaker.h. */

struct rib_entry;

/* As adjout_route_changed, for callers that have the prefix's index at hand. */
void adjout_entry_changed(struct bgp_speaker *s, enum bgp_family f, uint32_t entry,
                          const struct adjout_route *r, struct nanotime now);
/* Fills new groups, at most `budget` prefixes; returns how many were handled. */
uint32_t adjout_fill(struct bgp_speaker *s, uint32_t budget, struct nanotime now);
bool adjout_filling(const struct bgp_speaker *s);
/* Tells the members of groups that have something new. */
void adjout_notify(struct bgp_speaker *s);
/* When an advertisement interval ends, so that adjout_advance must be called; never: none runs. */
struct nanotime adjout_next_deadline(const struct bgp_speaker *s);
void adjout_advance(struct bgp_speaker *s, struct nanotime now);

#endif
