#ifndef RIBCAGE_HOST_FIB_TARGET_H
#define RIBCAGE_HOST_FIB_TARGET_H

#include "netlink.h"

/*
 * Where a kernel route leads: one next hop, several that share the load, or none (blackhole).
 * Next hops are unique by (gateway, interface) and sorted, so that two targets are equal whichever
 * path was the best one. Zeroed it is a blackhole; fib_target_free before it is dropped.
 */
struct fib_target {
    uint32_t metric, table;
    uint8_t hop_count;           /* 0: blackhole; at most NETLINK_HOPS_MAX */
    struct netlink_hop only;     /* of one */
    struct netlink_hop *several; /* of more; alloc_free */
};

/* Nothing happens when it is there already or there are NETLINK_HOPS_MAX. False: out of memory,
 * the target is as it was. */
bool fib_target_add(struct fib_target *t, const struct netlink_hop *hop);
void fib_target_free(struct fib_target *t); /* a blackhole then, of the same metric and table */
const struct netlink_hop *fib_target_hops(const struct fib_target *t);
bool fib_target_equal(const struct fib_target *a, const struct fib_target *b);
bool fib_target_uses(const struct fib_target *t, uint32_t interface);
/* The route's contribution to the digest (scoreboard.h). */
uint64_t fib_target_digest(const struct fib_target *t, struct ip_prefix prefix);
/* As a request: borrows the target's next hops. */
struct netlink_route fib_target_route(const struct fib_target *t, struct ip_prefix prefix);
/* As the kernel told it. False: out of memory. */
bool fib_target_read(const struct nlmsghdr *m, const struct netlink_route *r,
                     struct fib_target *ret_target);

#endif
