/*
 * Our own addresses that sessions run over: reference-counted, found by their octets and link.
 *
 * Owns the addresses in speaker->own_addrs and their index. Invariant: an address is there exactly
 * as long as somebody holds it.
 */
#include "own_addr.h"

#include "../base/hash.h"

static struct own_addr *at(const struct bgp_speaker *s, uint32_t index) {
    return slab_at(&s->own_addrs, index);
}

static uint64_t own_addr_hash(struct ip_addr a, uint32_t link) {
    return hash_bytes(&a, sizeof a, link);
}

static bool own_addr_equal(const void *context, uint32_t index, const void *key) {
    const struct own_addr *x = at(context, index), *y = key;
    return x->link == y->link && ip_equal(x->addr, y->addr);
}

static uint32_t own_addr_new(struct bgp_speaker *s, struct ip_addr a, uint32_t link) {
    uint32_t index = slab_alloc(&s->own_addrs);
    if (!index || !table_insert(&s->own_addr_index, own_addr_hash(a, link), index)) {
        if (index)
            slab_free(&s->own_addrs, index);
        return 0;
    }
    at(s, index)->addr = a;
    at(s, index)->link = link;
    return index;
}

uint16_t own_addr_hold(struct bgp_speaker *s, struct ip_addr a, uint32_t link) {
    const struct own_addr key = {.addr = a, .link = link};
    uint32_t index =
        table_find(&s->own_addr_index, own_addr_hash(a, link), own_addr_equal, s, &key);
    if (!index)
        index = own_addr_new(s, a, link);
    if (index)
        at(s, index)->references++;
    return peer_index(index); /* a peer holds one at most */
}

void own_addr_release(struct bgp_speaker *s, uint16_t own_addr) {
    if (!own_addr || --at(s, own_addr)->references > 0)
        return;
    const struct own_addr *a = at(s, own_addr);
    table_remove(&s->own_addr_index, own_addr_hash(a->addr, a->link), own_addr);
    slab_free(&s->own_addrs, own_addr);
}

struct ip_addr own_addr_get(const struct bgp_speaker *s, uint16_t own_addr) {
    return own_addr ? at(s, own_addr)->addr : (struct ip_addr){0};
}

uint32_t own_addr_link(const struct bgp_speaker *s, uint16_t own_addr) {
    return own_addr ? at(s, own_addr)->link : 0;
}
