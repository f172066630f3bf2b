/*
 * Our own addresses that sessions run over: reference-counted, found by their octets.
 *
 * Owns the addresses in speaker->own_addrs and their index. Invariant: an address is there exactly
 * as long as somebody holds it.
 */
#include "own_addr.h"

#include "../base/hash.h"

static struct own_addr *at(const struct bgp_speaker *s, uint32_t index) {
    return slab_at(&s->own_addrs, index);
}

static uint64_t addr_hash(struct ip_addr a) {
    return hash_bytes(&a, sizeof a, 0);
}

static bool addr_equal(const void *context, uint32_t index, const void *key) {
    return ip_equal(at(context, index)->addr, *(const struct ip_addr *)key);
}

static uint32_t own_addr_new(struct bgp_speaker *s, struct ip_addr a) {
    uint32_t index = slab_alloc(&s->own_addrs);
    if (!index || !table_insert(&s->own_addr_index, addr_hash(a), index)) {
        if (index)
            slab_free(&s->own_addrs, index);
        return 0;
    }
    at(s, index)->addr = a;
    return index;
}

uint16_t own_addr_hold(struct bgp_speaker *s, struct ip_addr a) {
    uint32_t index = table_find(&s->own_addr_index, addr_hash(a), addr_equal, s, &a);
    if (!index)
        index = own_addr_new(s, a);
    if (index)
        at(s, index)->references++;
    return peer_index(index); /* a peer holds one at most */
}

void own_addr_release(struct bgp_speaker *s, uint16_t own_addr) {
    if (!own_addr || --at(s, own_addr)->references > 0)
        return;
    table_remove(&s->own_addr_index, addr_hash(at(s, own_addr)->addr), own_addr);
    slab_free(&s->own_addrs, own_addr);
}

struct ip_addr own_addr_get(const struct bgp_speaker *s, uint16_t own_addr) {
    return own_addr ? at(s, own_addr)->addr : (struct ip_addr){0};
}
