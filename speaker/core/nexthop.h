#ifndef RIBCAGE_CORE_NEXTHOP_H
#define RIBCAGE_CORE_NEXTHOP_H

#include "event.h"
#include "rib.h"

/* A tracked next hop. Where the paths that use it stand is known as a stretch of the table, which
 * is looked through when the next hop changes. */
struct nexthop {
    struct ip_addr addr;
    uint32_t link; /* as in struct bgp_next_hop: the same address on two links is two of them */
    bool reachable;
    bool answered; /* the host has spoken since it was wanted */
    bool untold;   /* the host has not heard of it being wanted, or no longer wanted */
    bool changed;  /* the table is being looked through; listed, and held by that */
    uint32_t metric;
    uint32_t references;
    uint32_t changed_next;               /* of the list */
    struct rib_range used[BGP_FAMILIES]; /* what may use it */
    struct rib_range todo[BGP_FAMILIES]; /* of that: what has not heard of the change */
};

struct nexthops {
    struct slab slab;
    struct table index;
    struct ip_prefix *subnets; /* connected */
    size_t subnet_count;
    uint32_t changed_head, changed_tail;
    uint32_t untold, unanswered; /* how many */
    uint32_t cursor;             /* of the search for the untold */
    uint32_t watched;            /* peers whose address is held */
};

/* Does the address mean something on a link only (RFC 4291 2.5.6)? */
static inline bool nexthop_has_link(struct ip_addr a) {
    return a.family == IP_V6 && ip_is_link_local(a);
}

/* A path of this prefix uses it. */
void nexthop_used_by(struct bgp_speaker *s, uint32_t nexthop, enum bgp_family f, uint32_t entry);
/* Passes changes on to the prefixes they concern, at most `budget` of them looked at. Returns what
 * is left of it. */
uint32_t nexthop_work(struct bgp_speaker *s, uint32_t budget);
/* Is there something left to tell, and room for it? */
static inline bool nexthop_may_tell(const struct bgp_speaker *s) {
    return s->nexthops->untold > 0 && event_count(s) < BGP_EVENTS_MAX / 2;
}
static inline bool nexthop_has_work(const struct bgp_speaker *s) {
    return s->nexthops->changed_head != 0 || nexthop_may_tell(s);
}

/* Has a path this next hop, or is it watched? Not asked of those with a link. */
bool nexthop_is_used(const struct bgp_speaker *s, struct ip_addr a);

/* Is the host still to say about some whether they are reachable? */
static inline bool nexthop_awaits_answers(const struct bgp_speaker *s) {
    return s->nexthops->unanswered > 0;
}

#endif
