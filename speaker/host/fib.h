#ifndef RIBCAGE_HOST_FIB_H
#define RIBCAGE_HOST_FIB_H

#include "../base/addr.h"
#include "../base/nanotime.h"
#include "../base/prefix_order.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;
struct fib;
struct bgp_fib_config;
struct bgp_fib_route;
struct netlink_route;
struct nlmsghdr;

struct fib *fib_new(struct host *h); /* NULL: out of memory */
void fib_free(struct fib *f);
/* Takes over the routes of our protocol that an earlier life left behind; they stay until
 * fib_sweep. False with errno. */
bool fib_adopt(struct fib *f);
bool fib_has_stale(const struct fib *f); /* such routes that nothing has replaced yet */
void fib_sweep(struct fib *f);
/* Routes already in the kernel follow. */
void fib_configure(struct fib *f, const struct bgp_fib_config *c);
/* BGP_EVENT_FIB. */
void fib_route(struct fib *f, const struct bgp_fib_route *r);
/* Does a route wait for its next hop to be resolved? */
bool fib_waits(const struct fib *f);
/* Next hops marked `changed` resolve differently now. */
void fib_resolver_changed(struct fib *f);
/* The kernel may have dropped our routes through this interface, or this very route. */
void fib_interface_lost(struct fib *f, uint32_t interface);
void fib_prefix_lost(struct fib *f, struct ip_prefix prefix);
/* Any of our routes may be gone. */
void fib_doubt_all(struct fib *f);
/* Is the route in this message one of ours (by protocol and table)? Its part of
 * fib_counts.digest; 0: out of memory, or not. */
bool fib_is_ours(const struct fib *f, const struct nlmsghdr *message, const struct netlink_route *r,
                 uint64_t *ret_digest);
/* Foreign routes changed: what the kernel refused before may work now. */
void fib_retry(struct fib *f);
/* Writes a bounded number of routes. True: more is left. */
bool fib_work(struct fib *f);
struct nanotime fib_next_deadline(const struct fib *f);
/* At the end: takes all of ours out of the kernel. */
void fib_remove_all(struct fib *f);

struct fib_counts {
    uint64_t routes[2]; /* confirmed by the kernel: IPv4, IPv6 */
    uint64_t digest;
    struct nanotime last;
};
struct fib_counts fib_counts_get(const struct fib *f);

/* A confirmed route, for dumps: one per next hop. */
struct fib_view {
    struct ip_prefix prefix;
    struct ip_addr gateway;
    uint32_t interface, metric;
    bool blackhole;
};
/* Those of a prefix, sorted by gateway, at most NETLINK_HOPS_MAX. Returns how many. */
size_t fib_views(const struct fib *f, struct ip_prefix prefix, struct fib_view *ret_routes);
/* Confirmed prefixes of a family in order, in slices (base/prefix_order.h); at most `batch` are
 * kept. NULL: no memory. */
struct prefix_order *fib_order_new(const struct fib *f, uint32_t batch);
enum prefix_order_status fib_order_next(const struct fib *f, enum ip_family family,
                                        struct prefix_order *o, uint32_t *budget,
                                        struct ip_prefix *ret_prefix);

#endif
