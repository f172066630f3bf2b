#ifndef RIBCAGE_DECODE_MRT_SAMPLE_H
#define RIBCAGE_DECODE_MRT_SAMPLE_H

#include "mrt.h"

#include "../base/text.h"
#include "../core/limits.h"

/*
 * A small MRT file with every record that is written here, for tests, fuzzers and benchmarks.
 */

#define SAMPLE_TIME 1700000000u

static const uint32_t sample_path[] = {AS_SEQUENCE << 16 | 2, 65001, 4200000001,
                                       AS_SET << 16 | 2,      64601, 64602};
static const uint32_t sample_communities[] = {0xFDE90001, 0xFFFFFF01};

static inline struct ip_addr sample_address(const char *text) {
    struct ip_addr a = {0};
    (void)ip_parse(text, &a);
    return a;
}

static inline struct ip_prefix sample_prefix(const char *text) {
    struct ip_prefix p = {0};
    (void)ip_prefix_parse(text, &p);
    return p;
}

static inline struct attr_values sample_attrs(const char *next_hop) {
    return (struct attr_values){
        .origin = 2,
        .as_path = {sample_path, 6},
        .next_hop = sample_address(next_hop),
        .has_med = true,
        .med = 7,
        .has_local_pref = true,
        .local_pref = 200,
        .atomic_aggregate = true,
        .has_aggregator = true,
        .aggregator_as = 64601,
        .aggregator_id = 0x01020304,
        .communities = sample_communities,
        .community_count = 2,
    };
}

/* In hexadecimal, what others write and we do not. */
#define SAMPLE_STAMP "65532f80"
#define SAMPLE_MARKER "ffffffffffffffffffffffffffffffff"
#define SAMPLE_ATTRS "400101 00 400204 0201 fde9 400304 0a000002"
#define SAMPLE_ATTRS4 "400101 00 400206 0201 0000fde9 400304 0a000002"
#define SAMPLE_TABLE_DUMP                                                                          \
    SAMPLE_STAMP                                                                                   \
    "000c0001 00000028 0000 0001 0a010000 10 01 65532f00 0a000002 fde9 0012" SAMPLE_ATTRS
#define SAMPLE_STATE                                                                               \
    SAMPLE_STAMP "00100000 00000014 fde9 fdea 0000 0001 0a000002 0a000001 0006 0001"
#define SAMPLE_MESSAGE                                                                             \
    SAMPLE_STAMP "00100001 0000002b fde9 fdea 0000 0001 0a000002 0a000001" SAMPLE_MARKER           \
                 "001b 02 0004 180a0102 0000"
/* A peer table, and behind it RIB_GENERIC and RIB_IPV4_UNICAST_ADDPATH. */
#define SAMPLE_PEERS                                                                               \
    SAMPLE_STAMP "000d0001 00000015 0a000001 0000 0001 02 0a000002 0a000002 0000fde9"
#define SAMPLE_GENERIC                                                                             \
    SAMPLE_STAMP                                                                                   \
    "000d0006 00000028 00000000 0001 01 100a01 0001 0000 65532f00 0014" SAMPLE_ATTRS4
#define SAMPLE_TABLE_AP                                                                            \
    SAMPLE_STAMP                                                                                   \
    "000d0008 00000029 00000000 100a01 0001 0000 65532f00 00000009 0014" SAMPLE_ATTRS4
#define SAMPLE_MESSAGE_AP                                                                          \
    SAMPLE_STAMP "00100009 00000047 0000fde9 0000fdea 0000 0001 0a000002 0a000001" SAMPLE_MARKER   \
                 "0033 02 0000 0014" SAMPLE_ATTRS4 "00000009 180a0102"

static inline void sample_tables(struct text *out) {
    struct mrt_peer peers[] = {{sample_address("10.0.0.2"), 65001, 0x0A000002},
                               {sample_address("2001:db8::2"), 4200000001, 0x0A000003}};
    struct attr_values v4 = sample_attrs("10.0.0.2"), v6 = sample_attrs("2001:db8::2");
    struct mrt_entry e4[] = {{0, SAMPLE_TIME - 5, 1, &v4}, {1, SAMPLE_TIME - 6, 2, &v4}};
    struct mrt_entry e6 = {1, SAMPLE_TIME - 7, 0, &v6};
    mrt_put_peers(out, SAMPLE_TIME, 0x0A000001, "sample", peers, 2);
    mrt_put_rib(out, SAMPLE_TIME, 0, sample_prefix("10.1.0.0/16"), false, e4, 2);
    mrt_put_rib(out, SAMPLE_TIME, 1, sample_prefix("0.0.0.0/0"), true, e4, 2);
    mrt_put_rib(out, SAMPLE_TIME, 2, sample_prefix("2001:db8:1::/48"), false, &e6, 1);
}

static inline size_t sample_update(const char *prefix, bool as4, bool withdraw, uint8_t *out) {
    struct ip_prefix p = sample_prefix(prefix);
    bool v6 = p.addr.family == IP_V6;
    struct attr_values v = sample_attrs(v6 ? "2001:db8::2" : "10.0.0.2");
    struct attr_encoding how = {.as4 = as4, .family = v6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST};
    size_t size = 0;
    update_encode(withdraw ? NULL : &v, &how, &p, 1, out, BGP_MESSAGE_SIZE_MAX, &size);
    return size;
}

static inline void sample_messages(struct text *out) {
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    struct mrt_clock when = {SAMPLE_TIME, 123456};
    struct mrt_session s = {.peer = {sample_address("10.0.0.2"), 65001, 0},
                            .local_as = 65002,
                            .local = sample_address("10.0.0.1"),
                            .as4 = true};
    mrt_put_state(out, when, &s, 5, 6);
    size_t size = sample_update("10.2.0.0/16", true, false, message);
    mrt_put_message(out, when, &s, false, message, size);
    s.as4 = false;
    size = sample_update("10.3.0.0/16", false, false, message);
    mrt_put_message(out, when, &s, false, message, size);
    size = sample_update("10.3.0.0/16", false, true, message);
    mrt_put_message(out, when, &s, true, message, size);
    s.as4 = true;
    size = sample_update("2001:db8:2::/48", true, false, message);
    mrt_put_message(out, when, &s, false, message, size);
    size = keepalive_encode(message, sizeof message);
    mrt_put_message(out, when, &s, false, message, size);
}

#endif
