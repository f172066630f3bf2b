#ifndef RIBCAGE_CORE_ATTR_H
#define RIBCAGE_CORE_ATTR_H

#include "../base/addr.h"
#include "../base/slab.h"
#include "../base/table.h"
#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Path attributes: one immutable, interned set per distinct content, shared by all routes that have
 * it. A set is one allocation: the struct, then its arrays. Two sets are the same iff their ids
 * are.
 *
 * RFC 4271 5, 1997, 4360, 4456, 6793 (AS numbers always held as four octets), 8092. Unknown
 * optional transitive attributes are kept raw and passed on with the Partial bit; OTC (RFC 9234)
 * is kept among them.
 */

enum bgp_attr_code {
    ATTR_ORIGIN = 1,
    ATTR_AS_PATH = 2,
    ATTR_NEXT_HOP = 3,
    ATTR_MED = 4,
    ATTR_LOCAL_PREF = 5,
    ATTR_ATOMIC_AGGREGATE = 6,
    ATTR_AGGREGATOR = 7,
    ATTR_COMMUNITIES = 8,
    ATTR_ORIGINATOR_ID = 9,
    ATTR_CLUSTER_LIST = 10,
    ATTR_MP_REACH = 14,
    ATTR_MP_UNREACH = 15,
    ATTR_EXT_COMMUNITIES = 16,
    ATTR_AS4_PATH = 17,
    ATTR_AS4_AGGREGATOR = 18,
    ATTR_LARGE_COMMUNITIES = 32,
    ATTR_OTC = 35,
};

#define ATTR_FLAG_OPTIONAL 0x80
#define ATTR_FLAG_TRANSITIVE 0x40
#define ATTR_FLAG_PARTIAL 0x20
#define ATTR_FLAG_EXTENDED 0x10

enum as_segment_type {
    AS_SET = 1,
    AS_SEQUENCE = 2,
    AS_CONFED_SEQUENCE = 3,
    AS_CONFED_SET = 4,
};

#define AS_TRANS UINT32_C(23456) /* RFC 6793 9: stands for one of four octets */

/* AS_PATH as held: segments one after the other in `words`: (type << 16 | count), then the ASes. */
struct as_path {
    const uint32_t *words;
    uint32_t word_count;
};

struct attr_unknown {
    uint8_t flags;
    uint8_t code;
    uint16_t size;
    const uint8_t *data;
};

/* What a set holds. Also the plain form in which decoders and policies build one before interning
 * (then the arrays belong to the builder's scratch arena). Counts stand apart from their arrays:
 * there may be a set per route, and this order leaves no gaps. */
struct attr_values {
    uint8_t origin; /* 0 IGP, 1 EGP, 2 INCOMPLETE */
    bool has_med : 1, has_local_pref : 1, has_originator_id : 1, atomic_aggregate : 1;
    bool has_aggregator : 1;
    struct ip_addr next_hop;
    struct ip_addr link_local; /* second next hop of RFC 2545, or not set */
    uint32_t link; /* next_hop's (struct bgp_next_hop): where it was learned; not sent */
    struct as_path as_path;
    const uint32_t *communities;                     /* sorted, unique, host order */
    const struct large_community *large_communities; /* sorted, unique */
    const uint64_t *ext_communities;                 /* sorted, unique */
    const uint32_t *cluster_list;                    /* host order, most recent first */
    const struct attr_unknown *unknown;              /* sorted by code */
    uint32_t community_count;
    uint32_t large_community_count;
    uint32_t ext_community_count;
    uint32_t cluster_count;
    uint32_t unknown_count;
    uint32_t med, local_pref;
    uint32_t aggregator_as;
    uint32_t aggregator_id; /* host order */
    uint32_t originator_id; /* host order */
};

struct attr_set {
    struct attr_values v;
    uint32_t id; /* slab index in its table */
    uint32_t references;
    uint64_t hash;
    uint32_t as_path_length; /* RFC 4271 9.1.2.2 a: sets count 1, confederation segments 0 */
    uint32_t neighbor_as;    /* leftmost AS of a first AS_SEQUENCE, 0 when there is none */
    /* Owned by rib_path.c: the tracked next hop, held while paths that may be used have the set. */
    uint32_t nexthop, nexthop_paths;
};
_Static_assert(sizeof(struct attr_set) == 168, "a set costs 168 bytes and its arrays");

struct attr_table {
    struct slab sets; /* of struct attr_set * */
    struct table index;
};

void attr_table_init(struct attr_table *t);
void attr_table_deinit(struct attr_table *t); /* asserts that nobody holds a reference */
/* The interned set with this content (copied in), with one more reference. 0: out of memory. */
uint32_t attr_intern(struct attr_table *t, const struct attr_values *v);
void attr_hold(struct attr_table *t, uint32_t id);
void attr_release(struct attr_table *t, uint32_t id); /* 0 is fine */
const struct attr_set *attr_get(const struct attr_table *t, uint32_t id);
/* For what is not content: the fields of their owners. */
struct attr_set *attr_get_mutable(struct attr_table *t, uint32_t id);

/* ---- AS paths ---- */

uint32_t as_path_length(struct as_path p);              /* 9.1.2.2 a */
uint32_t as_path_count(struct as_path p, uint32_t asn); /* occurrences */
uint32_t as_path_neighbor(struct as_path p);
bool as_path_starts_with(struct as_path p, const uint32_t *asns, uint32_t count);
struct arena;
/* The path with `asns` before it, in `arena`; a segment never exceeds 255 (RFC 4271 5.1.2).
 * False: out of memory or longer than BGP_AS_PATH_MAX. */
bool as_path_prepend(struct as_path p, const uint32_t *asns, uint32_t count, struct arena *arena,
                     struct as_path *ret_path);
/* … with one AS among the confederation's, which stand first (RFC 5065 4 b). */
bool as_path_prepend_confed(struct as_path p, uint32_t asn, struct arena *arena,
                            struct as_path *ret_path);
/* Without confederation segments (RFC 5065 4 c); `p` itself when it has none. False: no memory. */
bool as_path_drop_confed(struct as_path p, struct arena *arena, struct as_path *ret_path);
/* The member AS a path came from: the first of a leading AS_CONFED_SEQUENCE, else 0. */
uint32_t as_path_confed_neighbor(struct as_path p);
/* Made of confederation segments alone, and of one at least. */
bool as_path_is_confed(struct as_path p);
/* Do `count` more ASes fit? */
bool as_path_has_room(struct as_path p, uint32_t count);
/* "65001 64512 {1,2} (65100)": blank separated, IOS style; `dot`: "1.0 2.5". Appended. */
struct text;
void as_path_format(struct as_path p, bool dot, struct text *out);

/* "64512:100", well-known names as IOS and Calico print them ("no-export"), or number. */
void community_format(uint32_t community, struct text *out);
/* "aa:nn" only, 16 bits each. */
bool community_parse(const char *text, uint32_t *ret_community);
/* What community_format writes. */
bool community_parse_name(const char *text, uint32_t *ret_community);
bool large_community_parse(const char *text, struct large_community *ret_community);
int large_community_compare(const struct large_community *a, const struct large_community *b);
/* Brings a list into the order and uniqueness a set wants. Returns the new count. */
uint32_t community_sort(uint32_t *communities, uint32_t count);
uint32_t large_community_sort(struct large_community *communities, uint32_t count);
uint32_t ext_community_sort(uint64_t *communities, uint32_t count);
bool attr_has_community(const struct attr_values *v, uint32_t community);

#define COMMUNITY_GRACEFUL_SHUTDOWN UINT32_C(0xFFFF0000)
#define COMMUNITY_LLGR_STALE UINT32_C(0xFFFF0006) /* RFC 9494 4.1 */
#define COMMUNITY_BLACKHOLE UINT32_C(0xFFFF029A)
#define COMMUNITY_NO_EXPORT UINT32_C(0xFFFFFF01)
#define COMMUNITY_NO_ADVERTISE UINT32_C(0xFFFFFF02)
#define COMMUNITY_NO_EXPORT_SUBCONFED UINT32_C(0xFFFFFF03)

#endif
