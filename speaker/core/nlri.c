/*
 * NLRI: lists of (length in bits, as many octets as that takes).
 *
 * A list is validated once, when its UPDATE is decoded; afterwards nlri_next walks it without being
 * able to fail. Prefixes that mean nothing as a unicast destination (RFC 4271 6.3: semantically
 * incorrect) are passed over while walking: they are ignored alone, their neighbours in the list
 * are used. That is not an error of the message, so it has no outcome.
 */
#include "nlri.h"

#include <assert.h>
#include <string.h>

static uint8_t nlri_bits(enum bgp_family family) {
    return family == BGP_IPV4_UNICAST ? 32 : 128;
}

bool nlri_valid(enum bgp_family family, bool add_path, const uint8_t *data, size_t size) {
    uint8_t bits = nlri_bits(family);
    size_t at = 0;
    while (at < size) {
        if (add_path) {
            if (size - at <= NLRI_PATH_ID_SIZE) {
                return false;
            }
            at += NLRI_PATH_ID_SIZE;
        }
        uint8_t length = data[at];
        size_t octets = (length + 7u) / 8;
        if (length > bits || size - at - 1 < octets) {
            return false;
        }
        at += 1 + octets;
    }
    return true;
}

/* 0/8 (but not the default route or a supernet), 127/8, multicast and class E. */
static bool nlri_martian4(const struct ip_prefix *p) {
    uint8_t first = p->addr.bytes[0];
    if (first >= 224) {
        return true;
    }
    return p->length >= 8 && (first == 0 || first == 127);
}

/* Multicast, link-local, loopback and the unspecified address. */
static bool nlri_martian6(const struct ip_prefix *p) {
    if (p->addr.bytes[0] == 0xFF) {
        return true;
    }
    if (p->addr.bytes[0] == 0 && p->length == 128) {
        return ip_is_unspecified(p->addr) || ip_is_loopback(p->addr);
    }
    return p->length >= 10 && ip_is_link_local(p->addr);
}

bool nlri_is_martian(const struct ip_prefix *p) {
    return p->addr.family == IP_V4 ? nlri_martian4(p) : nlri_martian6(p);
}

bool nlri_next_path(const struct bgp_nlri *n, uint32_t *at, struct ip_prefix *ret_prefix,
                    uint32_t *ret_path_id) {
    if (*at >= n->size) {
        return false;
    }
    const uint8_t *data = n->data + *at;
    uint32_t id_size = n->add_path ? NLRI_PATH_ID_SIZE : 0, left = n->size - *at;
    assert(id_size < left);
    *ret_path_id = id_size ? (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 |
                                 (uint32_t)data[2] << 8 | data[3]
                           : 0;
    data += id_size;
    uint8_t length = data[0];
    uint32_t octets = (length + 7u) / 8;
    assert(length <= nlri_bits(n->family) && octets < left - id_size);
    *at += id_size + 1 + octets;
    *ret_prefix =
        ip_prefix_of_octets(n->family == BGP_IPV4_UNICAST ? IP_V4 : IP_V6, data + 1, length);
    return true;
}

bool nlri_next(const struct bgp_nlri *n, uint32_t *at, struct ip_prefix *ret_prefix) {
    struct ip_prefix p;
    uint32_t path_id;
    while (nlri_next_path(n, at, &p, &path_id)) {
        if (!nlri_is_martian(&p)) {
            *ret_prefix = p;
            return true;
        }
    }
    return false;
}

size_t nlri_size(struct ip_prefix p) {
    return 1 + (p.length + 7u) / 8;
}

void nlri_put(struct byte_writer *w, struct ip_prefix p) {
    bytes_put_u8(w, p.length);
    bytes_put(w, p.addr.bytes, (p.length + 7u) / 8);
}
