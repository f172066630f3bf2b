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

uint64_t scoreboard_route_digest(const struct ip_prefix *prefix, const struct ip_addr *next_hop) {
    uint8_t bytes[sizeof *prefix + sizeof *next_hop];
    memcpy(bytes, prefix, sizeof *prefix);
    memcpy(bytes + sizeof *prefix, next_hop, sizeof *next_hop);
    return hash_bytes(bytes, sizeof bytes, SCOREBOARD_SEED);
}
