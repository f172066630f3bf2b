#ifndef RIBCAGE_HOST_RESOLVER_H
#define RIBCAGE_HOST_RESOLVER_H

#include "../core/bgp.h"

#include <stdbool.h>
#include <stdint.h>

struct host;
struct resolver;

/* How the kernel reaches a BGP next hop. */
struct resolver_route {
    struct bgp_next_hop hop; /* the next hop itself; its link is the kernel's interface */
    struct ip_addr gateway;  /* what to write into a route: the next hop or a router before it */
    uint32_t interface;
    uint32_t metric;
    bool reachable, onlink;
    bool known;    /* the kernel was asked */
    bool answered; /* … ever: what was said may be out of date */
    bool told;     /* … and the speaker has the answer */
    bool changed;  /* since the last resolver_settled */
};

struct resolver *resolver_new(struct host *h); /* NULL: out of memory */
void resolver_free(struct resolver *n);
/* BGP_EVENT_TRACK. */
void resolver_track(struct resolver *n, struct bgp_next_hop hop, bool wanted);
/* The kernel's table changed: ask again for all of them. */
void resolver_invalidate(struct resolver *n);
/* Asks the kernel about what is pending and tells the speaker. */
enum resolver_news {
    RESOLVER_NOTHING,
    RESOLVER_ANSWERED, /* next hops nobody had asked for before: routes may wait for them */
    RESOLVER_CHANGED,  /* some route changed: kernel routes through it must be looked at */
};
enum resolver_news resolver_work(struct resolver *n);
bool resolver_pending(const struct resolver *n);
/* NULL: not tracked. Valid until the next call. */
const struct resolver_route *resolver_find(const struct resolver *n, struct bgp_next_hop hop);
/* The interface that a neighbour is reached by without a router between; BGP_LINK_NONE: there is
 * one, or no way. Asks the kernel. */
uint32_t resolver_link_to(struct resolver *n, struct ip_addr neighbor);
/* Whoever looks at `changed` has done so. */
void resolver_settled(struct resolver *n);

#endif
