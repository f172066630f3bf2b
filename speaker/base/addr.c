/*
 * IP addresses and prefixes as values: text, order, containment, arithmetic.
 *
 * Text goes through inet_pton and inet_ntop, so that an address reads as in every other tool of the
 * machine; the length behind the slash is strict decimal. All functions keep the invariant of the
 * header: octets an address family does not have are zero. Nothing here allocates.
 */
#include "addr.h"

#include "text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

struct ip_addr ip4(uint32_t host_order) {
    struct ip_addr a = {.family = IP_V4};
    a.bytes[0] = (uint8_t)(host_order >> 24);
    a.bytes[1] = (uint8_t)(host_order >> 16);
    a.bytes[2] = (uint8_t)(host_order >> 8);
    a.bytes[3] = (uint8_t)host_order;
    return a;
}

struct ip_addr ip6(const uint8_t bytes[16]) {
    struct ip_addr a = {.family = IP_V6};
    memcpy(a.bytes, bytes, sizeof a.bytes);
    return a;
}

uint32_t ip4_to_u32(struct ip_addr a) {
    if (a.family != IP_V4) {
        return 0;
    }
    return (uint32_t)a.bytes[0] << 24 | (uint32_t)a.bytes[1] << 16 | (uint32_t)a.bytes[2] << 8 |
           a.bytes[3];
}

uint8_t ip_bits(enum ip_family family) {
    return (uint8_t)(8 * ip_size(family));
}

size_t ip_size(enum ip_family family) {
    switch (family) {
    case IP_V4:
        return 4;
    case IP_V6:
        return 16;
    case IP_NONE:
        break;
    }
    return 0;
}

bool ip_parse(const char *text, struct ip_addr *ret_addr) {
    struct ip_addr a = {.family = IP_V4};
    if (inet_pton(AF_INET, text, a.bytes) == 1) {
        *ret_addr = a;
        return true;
    }
    a = (struct ip_addr){.family = IP_V6};
    if (inet_pton(AF_INET6, text, a.bytes) == 1) {
        *ret_addr = a;
        return true;
    }
    return false;
}

char *ip_format(struct ip_addr a, char text[IP_ADDR_TEXT_MAX]) {
    text[0] = '\0';
    if (ip_is_set(a)) {
        inet_ntop(a.family == IP_V4 ? AF_INET : AF_INET6, a.bytes, text, IP_ADDR_TEXT_MAX);
    }
    return text;
}

bool ip_prefix_parse(const char *text, struct ip_prefix *ret_prefix) {
    const char *slash = strchr(text, '/');
    size_t size = slash ? (size_t)(slash - text) : strlen(text);
    char address[IP_ADDR_TEXT_MAX];
    if (size >= sizeof address) {
        return false;
    }
    memcpy(address, text, size);
    address[size] = '\0';
    struct ip_addr a;
    if (!ip_parse(address, &a)) {
        return false;
    }
    uint64_t length = ip_bits((enum ip_family)a.family);
    if (slash && !text_to_u64(slash + 1, 0, length, &length)) {
        return false;
    }
    *ret_prefix = (struct ip_prefix){.addr = a, .length = (uint8_t)length};
    return true;
}

char *ip_prefix_format(struct ip_prefix p, char text[IP_PREFIX_TEXT_MAX]) {
    ip_format(p.addr, text);
    size_t size = strlen(text);
    if (size > 0) {
        snprintf(text + size, IP_PREFIX_TEXT_MAX - size, "/%u", p.length);
    }
    return text;
}

/* The octet of a netmask of `length` at place `i`. */
static uint8_t ip_mask_octet(uint8_t length, size_t i) {
    size_t first = i * 8;
    if (length >= first + 8) {
        return 0xFF;
    }
    if (length <= first) {
        return 0;
    }
    return (uint8_t)(0xFF << (8 - (length - first)));
}

struct ip_prefix ip_prefix_make(struct ip_addr a, uint8_t length) {
    assert(length <= ip_bits((enum ip_family)a.family));
    for (size_t i = length / 8; i < sizeof a.bytes; i++) {
        a.bytes[i] &= ip_mask_octet(length, i);
    }
    return (struct ip_prefix){.addr = a, .length = length};
}

/* A struct of octets is copied 16 of them at a time, and a processor that loads these waits until
 * smaller stores into them have reached its cache. So this, which is made for every route that
 * comes in or goes out, is written in the pieces in which it is copied. */
struct ip_prefix ip_prefix_of_octets(enum ip_family family, const uint8_t *octets, uint8_t length) {
    typedef uint64_t pair __attribute__((vector_size(16)));
    uint64_t word[2] = {0}; /* of the address, the first octet lowest */
    uint32_t count = (length + 7u) / 8;
    struct ip_prefix p;
    for (uint32_t i = 0; i < count; i++) {
        word[i / 8] |= (uint64_t)octets[i] << i % 8 * 8;
    }
    if (length % 8 != 0) {
        uint64_t host_bits = 0xFFu >> length % 8;
        word[length / 64] &= ~(host_bits << (count - 1) % 8 * 8);
    }
    pair head = {htole64((uint64_t)family | word[0] << 8), htole64(word[0] >> 56 | word[1] << 8)};
    uint16_t tail = htole16((uint16_t)(word[1] >> 56 | (unsigned)length << 8));
    static_assert(sizeof head + sizeof tail == sizeof p, "the pieces of a prefix");
    memcpy(&p, &head, sizeof head);
    memcpy((uint8_t *)&p + sizeof head, &tail, sizeof tail);
    return p;
}

bool ip_prefix_is_masked(struct ip_prefix p) {
    return ip_prefix_equal(p, ip_prefix_make(p.addr, p.length));
}

bool ip_prefix_contains_addr(struct ip_prefix outer, struct ip_addr a) {
    if (a.family != outer.addr.family) {
        return false;
    }
    size_t whole = outer.length / 8;
    if (memcmp(a.bytes, outer.addr.bytes, whole) != 0) {
        return false;
    }
    if (outer.length % 8 == 0) {
        return true;
    }
    return ((a.bytes[whole] ^ outer.addr.bytes[whole]) & ip_mask_octet(outer.length, whole)) == 0;
}

bool ip_prefix_contains(struct ip_prefix outer, struct ip_prefix inner) {
    return inner.length >= outer.length && ip_prefix_contains_addr(outer, inner.addr);
}

bool ip_prefix_overlaps(struct ip_prefix a, struct ip_prefix b) {
    return ip_prefix_contains(a, b) || ip_prefix_contains(b, a);
}

int ip_compare(struct ip_addr a, struct ip_addr b) {
    if (a.family != b.family) {
        return a.family < b.family ? -1 : 1;
    }
    return memcmp(a.bytes, b.bytes, sizeof a.bytes);
}

int ip_prefix_compare(struct ip_prefix a, struct ip_prefix b) {
    int c = ip_compare(a.addr, b.addr);
    if (c != 0) {
        return c;
    }
    return (int)a.length - (int)b.length;
}

struct ip_addr ip_offset(struct ip_addr a, uint64_t offset) {
    uint64_t carry = 0;
    for (size_t i = ip_size((enum ip_family)a.family); i-- > 0;) {
        uint64_t sum = a.bytes[i] + (offset & 0xFF) + carry;
        a.bytes[i] = (uint8_t)sum;
        carry = sum >> 8;
        offset >>= 8;
    }
    return offset + carry == 0 ? a : (struct ip_addr){0};
}

bool ip_prefix_nth(struct ip_prefix pool, uint8_t length, uint64_t n,
                   struct ip_prefix *ret_prefix) {
    if (length < pool.length || length > ip_bits((enum ip_family)pool.addr.family)) {
        return false;
    }
    unsigned free_bits = (unsigned)length - pool.length;
    if (free_bits < 64 && n >> free_bits != 0) {
        return false;
    }
    struct ip_prefix p = ip_prefix_make(pool.addr, pool.length);
    p.length = length;
    for (unsigned bit = length; n != 0; n >>= 1) {
        bit--;
        if (n & 1) {
            p.addr.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        }
    }
    *ret_prefix = p;
    return true;
}

bool ip_is_multicast(struct ip_addr a) {
    return (a.family == IP_V4 && (a.bytes[0] & 0xF0) == 0xE0) ||
           (a.family == IP_V6 && a.bytes[0] == 0xFF);
}

bool ip_is_loopback(struct ip_addr a) {
    static const uint8_t loopback6[16] = {[15] = 1};
    return (a.family == IP_V4 && a.bytes[0] == 127) ||
           (a.family == IP_V6 && memcmp(a.bytes, loopback6, sizeof loopback6) == 0);
}

bool ip_is_unspecified(struct ip_addr a) {
    static const uint8_t zero[16];
    return ip_is_set(a) && memcmp(a.bytes, zero, sizeof zero) == 0;
}

bool ip_is_link_local(struct ip_addr a) {
    return (a.family == IP_V4 && a.bytes[0] == 169 && a.bytes[1] == 254) ||
           (a.family == IP_V6 && a.bytes[0] == 0xFE && (a.bytes[1] & 0xC0) == 0x80);
}
