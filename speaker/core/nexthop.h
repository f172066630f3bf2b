#ifndef RIBCAGE_CORE_NEXTHOP_H
#define RIBCAGE_CORE_NEXTHOP_H

#include "speaker.h"

/* A tracked next hop. `paths` is the head of the list rib.c keeps of the paths that use it. */
struct nexthop {
    struct ip_addr addr;
    bool reachable;
    uint32_t metric;
    uint32_t references;
    uint32_t paths;
};

struct nexthops {
    struct slab slab;
    struct table index;
    struct ip_prefix *subnets; /* connected */
    size_t subnet_count;
};

struct nexthop *nexthop_at(const struct bgp_speaker *s, uint32_t nexthop);

#endif
