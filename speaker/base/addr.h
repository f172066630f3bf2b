#ifndef RIBCAGE_BASE_ADDR_H
#define RIBCAGE_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * IP addresses and prefixes of both families, as plain values.
 *
 * Bytes are in network order; an IPv4 address uses the first four and keeps the other twelve zero,
 * so that two equal values are equal byte for byte and may be hashed and compared with memcmp.
 */

enum ip_family {
    IP_NONE = 0, /* "no address": the all-zero struct */
    IP_V4 = 4,
    IP_V6 = 6,
};

struct ip_addr {
    uint8_t family; /* enum ip_family */
    uint8_t bytes[16];
};

/* Host bits are zero (ip_prefix_make makes it so). Length 0..32 or 0..128. */
struct ip_prefix {
    struct ip_addr addr;
    uint8_t length;
};

#define IP_ADDR_TEXT_MAX 46   /* INET6_ADDRSTRLEN, with the NUL */
#define IP_PREFIX_TEXT_MAX 50 /* "/128" behind it */

struct ip_addr ip4(uint32_t host_order);
struct ip_addr ip6(const uint8_t bytes[16]);
/* The IPv4 address as a number in host order; 0 for anything else. */
uint32_t ip4_to_u32(struct ip_addr a);

static inline bool ip_is_set(struct ip_addr a) {
    return a.family != IP_NONE;
}
/* 32, 128, or 0 for no address. */
uint8_t ip_bits(enum ip_family family);
/* 4, 16 or 0. */
size_t ip_size(enum ip_family family);

/* Strict canonical-or-not text of one address (inet_pton rules, no zone). false: not an address. */
bool ip_parse(const char *text, struct ip_addr *ret_addr);
/* RFC 5952 text; "" for no address. `text` holds IP_ADDR_TEXT_MAX. Returns `text`. */
char *ip_format(struct ip_addr a, char text[IP_ADDR_TEXT_MAX]);

/* "A/len" or a bare address (= full length). Host bits are kept: see ip_prefix_is_masked. */
bool ip_prefix_parse(const char *text, struct ip_prefix *ret_prefix);
/* `text` holds IP_PREFIX_TEXT_MAX. Returns `text`. */
char *ip_prefix_format(struct ip_prefix p, char text[IP_PREFIX_TEXT_MAX]);

struct ip_prefix ip_prefix_make(struct ip_addr a, uint8_t length); /* masks the host bits */
/* The same of the octets that NLRI have: the first (length + 7) / 8 of an address. */
struct ip_prefix ip_prefix_of_octets(enum ip_family family, const uint8_t *octets, uint8_t length);
bool ip_prefix_is_masked(struct ip_prefix p);
/* Is `inner` equal to or inside `outer`? Families must agree. */
bool ip_prefix_contains(struct ip_prefix outer, struct ip_prefix inner);
bool ip_prefix_contains_addr(struct ip_prefix outer, struct ip_addr a);
bool ip_prefix_overlaps(struct ip_prefix a, struct ip_prefix b);

/* Total orders: family, then bytes (then length). <0, 0, >0. */
int ip_compare(struct ip_addr a, struct ip_addr b);
int ip_prefix_compare(struct ip_prefix a, struct ip_prefix b);
static inline bool ip_equal(struct ip_addr a, struct ip_addr b) {
    return ip_compare(a, b) == 0;
}
static inline bool ip_prefix_equal(struct ip_prefix a, struct ip_prefix b) {
    return ip_prefix_compare(a, b) == 0;
}

/* The address `offset` places after `a`, carrying over octets; IP_NONE when it would wrap. */
struct ip_addr ip_offset(struct ip_addr a, uint64_t offset);
/* The n-th prefix of `length` inside `pool`; false when there are not that many. */
bool ip_prefix_nth(struct ip_prefix pool, uint8_t length, uint64_t n, struct ip_prefix *ret_prefix);

bool ip_is_multicast(struct ip_addr a);
bool ip_is_loopback(struct ip_addr a);
bool ip_is_unspecified(struct ip_addr a);
bool ip_is_link_local(struct ip_addr a);

#endif
