/*
 * The digest of one route, on which speakers and runner must agree bit for bit.
 *
 * The page set itself is plain memory: the host maps and writes it, the runner maps and reads it;
 * neither needs code from here. What stands here is the one function both sides share. A digest of
 * a table is the sum of its routes' digests, so a route's own must avalanche well: a sum of weak
 * hashes cancels out.
 */
#include "scoreboard.h"

#include "addr.h"
#include "hash.h"

#include <assert.h>
#include <string.h>

#define SCOREBOARD_SEED UINT64_C(0x726f757465)

static_assert(sizeof(struct ip_prefix) == 18 && sizeof(struct ip_addr) == 17,
              "no padding: the bytes are hashed as they stand");

/* Of a prefix and next hop (or none) of IPv4, which are two words; the others are hashed as bytes.
 */
static uint64_t digest4(const struct ip_prefix *prefix, const struct ip_addr *next_hop) {
    uint64_t to = (uint64_t)prefix->length << 32 | ip4_to_u32(prefix->addr);
    uint64_t via = (uint64_t)next_hop->family << 32 | ip4_to_u32(*next_hop);
    return hash_finish(hash_fold(hash_fold(SCOREBOARD_SEED, to), via));
}

uint64_t scoreboard_route_digest(const struct ip_prefix *prefix, const struct ip_addr *next_hop) {
    if (prefix->addr.family == IP_V4 && next_hop->family != IP_V6) {
        return digest4(prefix, next_hop);
    }
    uint8_t bytes[sizeof *prefix + sizeof *next_hop];
    memcpy(bytes, prefix, sizeof *prefix);
    memcpy(bytes + sizeof *prefix, next_hop, sizeof *next_hop);
    return hash_bytes(bytes, sizeof bytes, SCOREBOARD_SEED);
}
