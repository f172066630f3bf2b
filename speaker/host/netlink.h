#ifndef RIBCAGE_HOST_NETLINK_H
#define RIBCAGE_HOST_NETLINK_H

#include "../base/addr.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A small rtnetlink: batches of requests in one sendmsg, replies matched by sequence number, dumps.
 *
 * The kernel works a batch off inside sendmsg, so replies wait in our socket when it returns and
 * nothing here blocks for long.
 */

#define NETLINK_BATCH_MAX 128 /* errors that fit into the default receive buffer */
#define NETLINK_BATCH_BYTES (NETLINK_BATCH_MAX * 128)
#define NETLINK_HOPS_MAX 32        /* next hops of one route */
#define NETLINK_REQUEST_BYTES 1024 /* the longest there is: a route with that many */
#define NETLINK_REPLY_BYTES 32768

struct netlink {
    int fd;
    uint32_t port; /* our address: the kernel names us by it in notifications */
    uint32_t sequence;
    uint8_t reply[NETLINK_REPLY_BYTES];
};

struct netlink_batch {
    uint8_t data[NETLINK_BATCH_BYTES];
    size_t size;
    uint32_t count;
    int errors[NETLINK_BATCH_MAX]; /* after netlink_send: 0, a positive errno, or -1: no answer */
};

struct netlink_hop {
    struct ip_addr gateway; /* not set: none */
    uint32_t interface;     /* index, 0: none */
    bool onlink;
};

/* A route as the kernel sees it. */
struct netlink_route {
    struct ip_prefix prefix;
    struct netlink_hop hop; /* of several, the first one */
    uint32_t table;
    uint32_t metric;
    uint8_t protocol; /* RTPROT_* */
    uint8_t type;     /* RTN_* */
    uint8_t scope;
    /* In a request: several that share the load, `hop` is not looked at. Not read (see
     * netlink_parse_hops). */
    uint8_t hop_count;
    const struct netlink_hop *hops;
};

struct netlink_address {
    struct ip_addr addr;
    uint8_t length;
    uint32_t interface;
};

struct netlink_link {
    uint32_t index;
    char name[16];
    bool up;
    bool running; /* up, with a carrier */
};

bool netlink_open(struct netlink *n); /* false with errno */
void netlink_close(struct netlink *n);

/* ---- requests ---- */

void netlink_batch_init(struct netlink_batch *b);
static inline bool netlink_batch_has_room(const struct netlink_batch *b, uint32_t requests) {
    return b->count + requests <= NETLINK_BATCH_MAX &&
           b->size + requests * (size_t)NETLINK_REQUEST_BYTES <= NETLINK_BATCH_BYTES;
}
static inline bool netlink_batch_full(const struct netlink_batch *b) {
    return !netlink_batch_has_room(b, 1);
}
/* RTM_NEWROUTE (with NLM_F_CREATE… in `flags`) or RTM_DELROUTE, acknowledged. The batch must not be
 * full; its index within the batch is returned. */
uint32_t netlink_put_route(struct netlink_batch *b, uint16_t type, uint16_t flags,
                           const struct netlink_route *r);
/* RTM_GETROUTE: which entry of the table answers for `a`; `interface`: of those that lead out of it
 * alone, 0: of all. */
uint32_t netlink_put_lookup(struct netlink_batch *b, struct ip_addr a, uint32_t interface);

/* Called for each reply that is no acknowledgement; `index` in the batch. */
typedef void netlink_reply_fn(void *context, uint32_t index, const struct nlmsghdr *message);
/* Sends the batch and gathers the answers into b->errors. False: sending failed (errno); then no
 * request was carried out. */
bool netlink_send(struct netlink *n, struct netlink_batch *b, netlink_reply_fn *reply,
                  void *context);

typedef void netlink_dump_fn(void *context, const struct nlmsghdr *message);
/* RTM_GETLINK, RTM_GETADDR or RTM_GETROUTE of a family (AF_UNSPEC: all). False with errno: the dump
 * is incomplete. */
bool netlink_dump(struct netlink *n, uint16_t type, uint8_t family, netlink_dump_fn *each,
                  void *context);

/* ---- messages ---- */

/* False: another type, or damaged. */
bool netlink_parse_route(const struct nlmsghdr *m, struct netlink_route *ret_route);
/* The next hops of a route that has several, at most NETLINK_HOPS_MAX; 0: it has one, or none. */
size_t netlink_parse_hops(const struct nlmsghdr *m, struct netlink_hop *ret_hops);
bool netlink_parse_address(const struct nlmsghdr *m, struct netlink_address *ret_address);
bool netlink_parse_link(const struct nlmsghdr *m, struct netlink_link *ret_link);

#endif
