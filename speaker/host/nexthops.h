#ifndef RIBCAGE_HOST_NEXTHOPS_H
#define RIBCAGE_HOST_NEXTHOPS_H

#include "../base/addr.h"

#include <stdbool.h>
#include <stdint.h>

struct host;
struct nexthop_set;

/* How the kernel reaches a BGP next hop. */
struct nexthop_route {
    struct ip_addr addr;    /* the next hop itself */
    struct ip_addr gateway; /* what to write into a route: the next hop or a router before it */
    uint32_t interface;
    uint32_t metric;
    bool reachable, onlink;
    bool known;   /* the kernel was asked */
    bool changed; /* since the last nexthops_settled */
};

struct nexthop_set *nexthops_new(struct host *h); /* NULL: out of memory */
void nexthops_free(struct nexthop_set *n);
/* BGP_EVENT_TRACK. */
void nexthops_track(struct nexthop_set *n, struct ip_addr addr, bool wanted);
/* The kernel's table changed: ask again for all of them. */
void nexthops_invalidate(struct nexthop_set *n);
/* Asks the kernel about what is pending and tells the speaker. True: some route changed, so kernel
 * routes through it must be looked at. */
bool nexthops_work(struct nexthop_set *n);
bool nexthops_pending(const struct nexthop_set *n);
/* NULL: not tracked. Valid until the next call. */
const struct nexthop_route *nexthops_find(const struct nexthop_set *n, struct ip_addr addr);
/* Whoever looks at `changed` has done so. */
void nexthops_settled(struct nexthop_set *n);

#endif
