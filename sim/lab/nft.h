#ifndef RIBCAGE_NFT_H
#define RIBCAGE_NFT_H

#include "../../speaker/base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netlink;

/*
 * Dropping TCP by port with nf_tables, inside one namespace. The socket is NETLINK_NETFILTER, of
 * that namespace. A block is a table of its own, so removing it is one request.
 */

/* Drops TCP from and to `port` in both directions: all of it when `count` is 0, else with these
 * remote addresses only. Counts the SYNs it drops. False: see nl->error. */
bool nft_block(struct netlink *nl, const char *table, uint16_t port, const struct ip_addr *remotes,
               size_t count);
bool nft_unblock(struct netlink *nl, const char *table);
/* SYNs dropped since nft_block; 0 when there is no such table. */
uint64_t nft_dropped_syns(struct netlink *nl, const char *table);

#endif
