/*
 * Which prefixes a load consists of, and who has been told which of them.
 *
 * Owns the numbering of prefixes, the UPDATEs that announce them (encoded by the core before
 * anything is measured) and a bit per prefix and peer. Reading is done here rather than by
 * update_decode: what the measured program sends is counted, not judged, and the counting must
 * cost less than the sending.
 *
 * Invariant: `count` is the number of bits set outside the peer's own range. RFC 4271 4.3.
 */
#include "routes.h"

#include "../base/arena.h"
#include "../core/message.h"

#include <string.h>

#define PREFIX_BASE 0x20000000u
#define PREFIX_LENGTH 24
#define ENCODE_BATCH 1024 /* more than fit into a message */

static struct ip_prefix routes_prefix(uint32_t n) {
    return ip_prefix_make(ip4(PREFIX_BASE + (n << 8)), PREFIX_LENGTH);
}

/* ---- announcing ---- */

/* As much as fits into one message behind *out; grows it. */
static uint32_t encode_one(const struct attr_values *v, const struct routes_own *own, uint32_t done,
                           uint8_t *message, size_t *ret_size) {
    static const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    static struct ip_prefix prefixes[ENCODE_BATCH];
    uint32_t count = own->count - done < ENCODE_BATCH ? own->count - done : ENCODE_BATCH;
    for (uint32_t i = 0; i < count; i++)
        prefixes[i] = routes_prefix(own->first + done + i);
    return (uint32_t)update_encode(v, &how, prefixes, count, message, BGP_MESSAGE_SIZE_MAX,
                                   ret_size);
}

uint8_t *routes_encode(const struct routes_own *own, size_t *ret_size, uint32_t *ret_messages) {
    const uint32_t words[] = {AS_SEQUENCE << 16 | 1, own->as};
    const struct attr_values v = {
        .next_hop = own->next_hop,
        .as_path = {words, own->as ? 2 : 0},
        .has_local_pref = own->as == 0,
        .local_pref = 100,
    };
    size_t room = ((size_t)own->count / 512 + 2) * BGP_MESSAGE_SIZE_MAX, size = 0, used = 0;
    uint8_t *out = alloc_zero(1, room);
    uint32_t messages = 0;
    for (uint32_t done = 0; out && done < own->count; messages++) {
        uint32_t taken = encode_one(&v, own, done, out + used, &size);
        if (taken == 0 || (used += size) + BGP_MESSAGE_SIZE_MAX > room) {
            alloc_free(out);
            return NULL;
        }
        done += taken;
    }
    *ret_size = used;
    *ret_messages = messages;
    return out;
}

/* ---- holding ---- */

bool routes_held_init(struct routes_held *h, uint32_t total, uint32_t first, uint32_t own_count) {
    *h = (struct routes_held){.total = total, .first = first, .own_count = own_count};
    h->bits = alloc_zero(total / 64 + 1, sizeof *h->bits);
    return h->bits != NULL;
}

void routes_held_deinit(struct routes_held *h) {
    alloc_free(h->bits);
    h->bits = NULL;
}

static bool hold(struct routes_held *h, uint32_t n, bool announced) {
    if (n >= h->total)
        return false;
    uint64_t bit = UINT64_C(1) << (n % 64), *word = &h->bits[n / 64];
    if (n - h->first < h->own_count || announced == ((*word & bit) != 0))
        return true;
    *word ^= bit;
    h->count = announced ? h->count + 1 : h->count - 1;
    return true;
}

static bool walk(struct routes_held *h, const uint8_t *data, size_t size, bool announced) {
    for (; size >= 4 && data[0] == PREFIX_LENGTH; data += 4, size -= 4) {
        uint32_t top = (uint32_t)(data[1] << 16 | data[2] << 8 | data[3]);
        if (!hold(h, top - (PREFIX_BASE >> 8), announced))
            return false;
    }
    return size == 0;
}

static size_t read_u16(const uint8_t *at) {
    return (size_t)(at[0] << 8 | at[1]);
}

bool routes_held_update(struct routes_held *h, const uint8_t *body, size_t size) {
    if (size < 4)
        return false;
    size_t withdrawn = read_u16(body);
    if (withdrawn > size - 4)
        return false;
    size_t attributes = read_u16(body + 2 + withdrawn);
    if (attributes > size - 4 - withdrawn)
        return false;
    size_t announced = 4 + withdrawn + attributes;
    return walk(h, body + 2, withdrawn, false) && walk(h, body + announced, size - announced, true);
}
