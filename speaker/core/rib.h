#ifndef RIBCAGE_CORE_RIB_H
#define RIBCAGE_CORE_RIB_H

#include "decide.h"
#include "speaker.h"

/*
 * The tables behind rib.c, shared by the files of the RIB (rib.c, rib_import.c, rib_origin.c,
 * rib_dump.c), by adjout.c, which numbers its own tables by the index of a prefix here, and by
 * explain.c.
 */

/* One path to a prefix: of a peer (Adj-RIB-In) or our own. 40 bytes. */
struct rib_path {
    uint32_t next;                       /* of the prefix, by peer (then source); own paths first */
    uint32_t entry;                      /* the prefix, in entries[family] */
    uint32_t attrs;                      /* after import policy; held */
    uint32_t peer;                       /* 0: own */
    uint32_t nexthop;                    /* held; own paths: index in origins */
    uint32_t nexthop_next, nexthop_prev; /* paths of the same next hop */
    uint32_t sequence;                   /* order of arrival */
    uint32_t received_16ms;              /* when, in units of 2^24 ns */
    uint16_t weight;
    uint8_t flags; /* RIB_PATH_* */
    uint8_t step;  /* enum decide_step by which it lost */
};

#define RIB_PATH_SOURCE 0x07 /* enum route_source; never 0 while in use */
#define RIB_PATH_V6 0x08
#define RIB_PATH_BEST 0x10
#define RIB_PATH_STALE 0x20
#define RIB_PATH_REJECTED 0x40 /* by policy or a loop; kept for soft reconfiguration */
#define RIB_PATH_VALID 0x80    /* as of the last decision: eligible */
#define RIB_RECEIVED_SHIFT 24

/* One prefix. `best_*` is what has been published: digest, FIB and Adj-RIB-Out know it. */
struct rib_entry {
    struct ip_prefix prefix;
    uint16_t flags; /* RIB_ENTRY_* */
    uint32_t paths;
    uint32_t best_attrs; /* held; 0: none */
    uint32_t best_peer;
    uint32_t queue_next;
    uint32_t out_references; /* update groups that have something about it */
};

#define RIB_ENTRY_SOURCE 0x0007 /* of the published best */
#define RIB_ENTRY_USED 0x0008
#define RIB_ENTRY_DIRTY 0x0010
#define RIB_ENTRY_FORCE 0x0020 /* the best path's origin changed beside its attributes */
#define RIB_ENTRY_EXTERNAL 0x0040
#define RIB_ENTRY_BLACKHOLE 0x0080

/* What an own route has beside attributes. */
struct rib_origin {
    char interface[16];
    uint32_t metric;
    bool blackhole;
};

struct rib_queue {
    uint32_t head, tail, count;
};

struct rib {
    struct slab entries[BGP_FAMILIES]; /* struct rib_entry */
    struct table index[BGP_FAMILIES];
    struct rib_queue dirty[BGP_FAMILIES];
    struct slab paths;
    struct slab origins;
    uint32_t *raw; /* by path: attributes as received, held; NULL: never needed */
    uint32_t raw_capacity;
    struct decide_path *candidates; /* scratch of a decision */
    enum decide_step *steps;
    uint32_t candidate_capacity;
    uint32_t sequence;
    bool releasing; /* RFC 4724 4.1: the first decisions after a restart are under way */
    uint64_t adj_in[BGP_FAMILIES], loc_rib[BGP_FAMILIES];
    uint64_t digest;
    struct nanotime loc_rib_last;
};

static inline struct rib_entry *rib_entry_at(const struct bgp_speaker *s, enum bgp_family f,
                                             uint32_t entry) {
    return slab_at(&s->rib->entries[f], entry);
}
static inline struct rib_path *rib_path_at(const struct bgp_speaker *s, uint32_t path) {
    return slab_at(&s->rib->paths, path);
}
static inline enum bgp_family rib_path_family(const struct rib_path *p) {
    return p->flags & RIB_PATH_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
}
static inline enum bgp_family rib_prefix_family(struct ip_prefix p) {
    return p.addr.family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
}

/* ---- prefixes ---- */

uint32_t rib_entry_find(const struct bgp_speaker *s, enum bgp_family f, struct ip_prefix p);
/* Finds or makes; 0: out of memory. */
uint32_t rib_entry_make(struct bgp_speaker *s, enum bgp_family f, struct ip_prefix p);
/* Frees it when nobody needs it any more. */
void rib_entry_tidy(struct bgp_speaker *s, enum bgp_family f, uint32_t entry);
void rib_entry_dirty(struct bgp_speaker *s, enum bgp_family f, uint32_t entry);
/* The published best path of a prefix as update groups want it; attrs 0: none. */
struct adjout_route rib_entry_route(const struct bgp_speaker *s, enum bgp_family f, uint32_t entry);

/* ---- paths ---- */

/* What a path is to become. The references to attrs, raw and nexthop/origin are taken over. */
struct rib_path_values {
    uint32_t attrs;
    uint32_t raw;     /* 0: not kept */
    uint32_t nexthop; /* of own paths: origin */
    uint32_t peer;
    uint32_t weight;
    enum route_source source;
    bool rejected;
};
/* Adds or replaces; false: out of memory, nothing changed but the references are gone. */
bool rib_path_put(struct bgp_speaker *s, enum bgp_family f, struct ip_prefix prefix,
                  const struct rib_path_values *v, struct nanotime now);
/* The path of a peer (own: of a source) for a prefix, 0: none. */
uint32_t rib_path_find(const struct bgp_speaker *s, enum bgp_family f, uint32_t entry,
                       uint32_t peer, enum route_source source);
void rib_path_remove(struct bgp_speaker *s, uint32_t path);
/* The next path of a peer from `from` on (1 at first) in table order; 0: no more. */
uint32_t rib_path_next_of(const struct bgp_speaker *s, uint32_t peer, enum bgp_family f,
                          uint32_t from);
/* Best paths learned from a peer. */
uint32_t rib_best_count(const struct bgp_speaker *s, const struct peer *p, enum bgp_family f);

/* ---- import (rib_import.c) ---- */

/* Policy chain of a direction under RFC 8212: denies an external session without policy. */
bool rib_policy_missing(const struct bgp_speaker *s, const struct peer *p,
                        const struct policy_chain *chain);
/* What every route of this peer gets before policy sees it. False: AS_PATH too long, or no memory.
 */
bool rib_import_prepare(const struct bgp_speaker *s, const struct peer *p, struct arena *arena,
                        struct attr_values *v);
/* Why a path with these attributes from this peer, as received, cannot be used; NULL: it can. */
const char *rib_import_obstacle(const struct bgp_speaker *s, const struct peer *p,
                                const struct attr_values *v);

#endif
