#ifndef RIBCAGE_BENCH_ROUTES_H
#define RIBCAGE_BENCH_ROUTES_H

#include "../base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The routes of a load: prefix n is the n-th /24 from 32.0.0.0 on. Each peer announces as many of
 * them as every other, no prefix comes from two peers, and all of a peer's share one set of
 * attributes.
 */

#define ROUTES_MAX 6000000u /* below 127.0.0.0/8 */

/* What a peer announces: prefixes `first` to `first + count - 1`. */
struct routes_own {
    struct ip_addr next_hop;
    uint32_t as; /* AS_PATH of this one; 0: empty, with LOCAL_PREF 100, as inside an AS */
    uint32_t first, count;
};

/* UPDATEs of at most 4,096 octets for all of them, in memory for alloc_free; NULL: none left.
 * *ret_size in octets, *ret_messages how many UPDATEs. */
uint8_t *routes_encode(const struct routes_own *own, size_t *ret_size, uint32_t *ret_messages);

/* What a peer was told by the device under test. */
struct routes_held {
    uint64_t *bits;            /* by prefix number; alloc_free */
    uint32_t total;            /* prefixes there are */
    uint32_t first, own_count; /* the peer's own, which do not count */
    uint32_t count;            /* held now */
};

bool routes_held_init(struct routes_held *h, uint32_t total, uint32_t first, uint32_t own_count);
void routes_held_deinit(struct routes_held *h);
/* An UPDATE's body (RFC 4271 4.3) with IPv4 prefixes in its classic fields; false: it is not one,
 * or speaks of a prefix that nobody announced. */
bool routes_held_update(struct routes_held *h, const uint8_t *body, size_t size);

#endif
