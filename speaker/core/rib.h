#ifndef RIBCAGE_CORE_RIB_H
#define RIBCAGE_CORE_RIB_H

#include "../base/slim.h"
#include "decide.h"
#include "speaker.h"

/*
 * The tables behind rib.c, shared by the files of the RIB (rib*.c, nexthop.c, aggregate.c,
 * dampening.c), by update groups (adjout*.c), which number their own tables by the index of a
 * prefix here, and by those that look: scanner.c, explain.c, peer_info.c, tally.c.
 */

/* One path to a prefix: of a peer (Adj-RIB-In) or our own. What only few paths have (attributes as
 * received, path identifiers, weights) stands in arrays of its own, by path. */
struct rib_path {
    uint32_t next;  /* of the prefix, by peer, source and path identifier; own paths first */
    uint32_t attrs; /* after import policy; held */
    union {
        uint32_t sequence; /* of a peer: order of arrival */
        uint32_t origin;   /* own: index in origins */
    };
    uint32_t received_16ms; /* when, in units of 2^24 ns */
    uint16_t peer;          /* 0: own */
    uint16_t flags;         /* RIB_PATH_* */
};
_Static_assert(sizeof(struct rib_path) == 20, "a path costs 20 bytes");

#define RIB_PATH_SOURCE 0x0007 /* enum route_source; never 0 while in use */
#define RIB_PATH_BEST 0x0008
#define RIB_PATH_REJECTED 0x0010 /* by policy or a loop; kept for soft reconfiguration */
#define RIB_PATH_VALID 0x0020    /* as of the last decision: eligible */
#define RIB_PATH_PICKED 0x0040   /* by rib_pick */
#define RIB_PATH_SHARES 0x0080   /* multipath: shares the load with the best one */
#define RIB_PATH_GONE 0x0100     /* no longer a path: kept until update groups have withdrawn it */
#define RIB_PATH_DAMPED 0x0100   /* … with a source it is one: held back (RFC 2439) */
#define RIB_PATH_STEP 0x1e00     /* enum decide_step by which it lost */
#define RIB_PATH_STEP_SHIFT 9
_Static_assert(DECIDE_STEPS <= 16, "a step fits into its four bits");
#define RIB_PATH_EPOCH_SHIFT 13 /* the upper three bits: of its peer's eight epochs */
#define RIB_RECEIVED_SHIFT 24

/* One prefix. `best_*` is what has been published: digest, FIB and Adj-RIB-Out know it. */
struct rib_entry {
    uint32_t paths;
    uint32_t best_attrs;          /* held; 0: none */
    uint32_t out_references : 24; /* update groups that have something about it */
    uint32_t length : 8;
    uint16_t best_peer;
    uint16_t flags;  /* RIB_ENTRY_* */
    uint8_t bytes[]; /* of the address, as many as the family has */
};
_Static_assert(sizeof(struct rib_entry) == 16, "a prefix costs 16 bytes and its address");

#define RIB_ENTRY_SOURCE 0x0007 /* of the published best */
#define RIB_ENTRY_USED 0x0008
#define RIB_ENTRY_DIRTY 0x0010
#define RIB_ENTRY_FORCE 0x0020 /* the best path's origin changed beside its attributes */
#define RIB_ENTRY_EXTERNAL 0x0040
#define RIB_ENTRY_BLACKHOLE 0x0080
#define RIB_ENTRY_FIB_LOST 0x0200   /* its FIB event was dropped: to be told again */
#define RIB_ENTRY_SHARES 0x0400     /* the paths that share the load changed */
#define RIB_ENTRY_SUPPRESSED 0x0100 /* an aggregate is sent in its place */

/* What an own route has beside attributes. */
struct rib_origin {
    char interface[16];
    uint32_t metric;
    bool blackhole;
    struct ip_addr next_hop; /* sent as it is; or not set */
};

/* Prefixes whose decision is due, oldest first. What no memory was there for is marked in its entry
 * alone (`unlisted`) and found by looking through the table. */
struct rib_queue {
    uint32_t *ring;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t head, count;
    uint32_t unlisted;
    uint32_t cursor; /* of the search for them */
};

/* A number per path that few paths have; 0 where there is none. */
struct rib_side {
    uint32_t *values; /* NULL: never needed */
    uint32_t capacity;
};

/* A stretch of table, in indices of prefixes: [first, end). Empty: all zero. */
struct rib_range {
    uint32_t first, end;
};
static inline void rib_range_add(struct rib_range *r, uint32_t entry) {
    if (r->end == 0) {
        *r = (struct rib_range){entry, entry + 1};
    }
    r->first = entry < r->first ? entry : r->first;
    r->end = entry >= r->end ? entry + 1 : r->end;
}

/* What all paths of a peer and family that came in one epoch are (rib_sweep.c). */
enum rib_epoch_state {
    RIB_EPOCH_FREE, /* there are none */
    RIB_EPOCH_FRESH,
    RIB_EPOCH_STALE,  /* kept for a while: RFC 4724, 7313 */
    RIB_EPOCH_PURGED, /* to be removed: no candidates */
    RIB_EPOCH_GONE,   /* … and counted nowhere: their session has ended */
};
#define RIB_EPOCH_STATES 5
#define RIB_EPOCHS 8
#define RIB_EPOCH_NOW 0xff /* of rib_path_values: the one of what arrives */

struct rib_epochs {
    uint32_t states;  /* of each epoch, four bits: enum rib_epoch_state */
    uint32_t cursor;  /* of a sweep under way: next prefix; 0: none is */
    uint32_t purged;  /* paths it has removed */
    uint8_t now;      /* what arrives is of this epoch */
    uint8_t doomed;   /* epochs, as bits, that are free when the sweep has ended */
    uint8_t does;     /* what the sweep does; private to rib_sweep.c */
    uint8_t wants;    /* … the next one */
    bool raw_missing; /* some path's attributes were not kept */
};

/* What a peer with paths has. */
struct rib_peer {
    uint32_t in_state[BGP_FAMILIES][3];  /* paths that are not gone: rib_in_state() */
    uint32_t accepted[BGP_FAMILIES];     /* … that import policy let through */
    bool warned[BGP_FAMILIES];           /* of its prefix limit */
    uint32_t best[BGP_FAMILIES];         /* paths with RIB_PATH_BEST */
    struct rib_range used[BGP_FAMILIES]; /* where it may have paths */
    struct rib_epochs epochs[BGP_FAMILIES];
    uint32_t held;       /* paths, gone ones too */
    uint32_t sweep_next; /* peer */
    bool listed;         /* among those whose sweep is due */
};

/* How many paths are in epochs of one state, which is not FREE or GONE. */
static inline uint32_t *rib_in_state(struct rib_peer *r, enum bgp_family f,
                                     enum rib_epoch_state state) {
    return &r->in_state[f][state - RIB_EPOCH_FRESH];
}

/* The whole table is looked through once. */
struct rib_review {
    uint32_t cursor;
    enum bgp_family family;
    uint8_t does, wants; /* RIB_REVIEW_*: this time; the next; 0: nothing */
};
#define RIB_REVIEW_DECIDE 1u
#define RIB_REVIEW_PUBLISH 2u /* also where the best path is the same */
#define RIB_REVIEW_FIB 4u

/* What update groups that send several paths per prefix hold of a path. */
struct rib_out {
    uint32_t entry;
    uint32_t references;
};

struct rib {
    struct slab entries[BGP_FAMILIES]; /* struct rib_entry */
    struct slim_table index[BGP_FAMILIES];
    struct rib_queue dirty[BGP_FAMILIES];
    struct slab paths;
    struct slab origins;
    struct bgp_next_hop next_hops[BGP_MULTIPATH_MAX]; /* of the FIB event taken off last */
    uint32_t fib_lost;                                /* prefixes with RIB_ENTRY_FIB_LOST */
    uint32_t fib_cursor[BGP_FAMILIES];
    struct aggregates *aggregates; /* aggregate.c; NULL: none configured */
    struct slab peers;             /* struct rib_peer */
    struct rib_side raw;           /* attributes as received, held */
    struct rib_side ids;           /* RFC 7911: path identifiers as received */
    struct rib_side weights;       /* IOS's, at most 65,535 */
    struct rib_out *out;           /* by path; NULL: no such group yet */
    uint32_t out_capacity;
    struct decide_path *candidates; /* scratch of a decision */
    enum decide_step *steps;
    uint32_t candidate_capacity;
    uint32_t sequence;
    uint32_t sweep_first, sweep_last; /* peers whose sweep is due */
    uint32_t removed_peers;           /* that wait for the end of theirs */
    struct rib_review review;
    uint64_t swept; /* prefixes looked at by sweeps and reviews, ever */
    bool releasing; /* RFC 4724 4.1: the first decisions after a restart are under way: they
                       end when the host has answered about all next hops */
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
static inline enum bgp_family rib_prefix_family(struct ip_prefix p) {
    return p.addr.family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
}
static inline uint32_t rib_side_get(const struct rib_side *side, uint32_t path) {
    return path < side->capacity ? side->values[path] : 0;
}
static inline struct rib_peer *rib_peer_at(const struct bgp_speaker *s, uint32_t index) {
    return slab_at(&s->rib->peers, index);
}
static inline enum rib_epoch_state rib_epoch_state(const struct rib_epochs *ep, uint8_t epoch) {
    return (enum rib_epoch_state)(ep->states >> 4 * epoch & 15);
}
static inline uint8_t rib_path_epoch(const struct rib_path *p) {
    return (uint8_t)(p->flags >> RIB_PATH_EPOCH_SHIFT);
}
static inline void rib_path_set_epoch(struct rib_path *p, uint8_t epoch) {
    unsigned others = p->flags & ((1u << RIB_PATH_EPOCH_SHIFT) - 1);
    p->flags = (uint16_t)(others | (unsigned)epoch << RIB_PATH_EPOCH_SHIFT);
}
static inline enum rib_epoch_state rib_path_state(const struct bgp_speaker *s, enum bgp_family f,
                                                  const struct rib_path *p) {
    if (p->peer == 0) {
        return RIB_EPOCH_FRESH;
    }
    const struct rib_peer *r = rib_peer_at(s, speaker_peer(s, p->peer)->routes);
    return rib_epoch_state(&r->epochs[f], rib_path_epoch(p));
}
/* Only waits to be removed. */
static inline bool rib_path_doomed(const struct bgp_speaker *s, enum bgp_family f,
                                   const struct rib_path *p) {
    return rib_path_state(s, f, p) >= RIB_EPOCH_PURGED;
}
static inline bool rib_path_is_gone(const struct rib_path *p) {
    return (p->flags & (RIB_PATH_GONE | RIB_PATH_SOURCE)) == RIB_PATH_GONE;
}
static inline enum route_source rib_path_source(const struct rib_path *p) {
    return (enum route_source)(p->flags & RIB_PATH_SOURCE);
}
static inline enum decide_step rib_path_step(const struct rib_path *p) {
    return (enum decide_step)(p->flags >> RIB_PATH_STEP_SHIFT);
}

/* ---- prefixes ---- */

/* Before several are looked for or made: their places in the index are fetched meanwhile. */
void rib_entry_prefetch(const struct bgp_speaker *s, enum bgp_family f, const struct ip_prefix *p);
uint32_t rib_entry_find(const struct bgp_speaker *s, enum bgp_family f, struct ip_prefix p);
/* Finds or makes; 0: out of memory. */
uint32_t rib_entry_make(struct bgp_speaker *s, enum bgp_family f, struct ip_prefix p);
/* Frees it when nobody needs it any more. */
void rib_entry_tidy(struct bgp_speaker *s, enum bgp_family f, uint32_t entry);
void rib_entry_dirty(struct bgp_speaker *s, enum bgp_family f, uint32_t entry);
struct ip_prefix rib_entry_prefix(const struct bgp_speaker *s, enum bgp_family f, uint32_t entry);
/* The next prefix whose decision is due, no longer marked so; 0: none. May look through the table
 * for `*budget` prefixes, which it takes off. */
uint32_t rib_dirty_pop(struct bgp_speaker *s, enum bgp_family f, uint32_t *budget);
static inline bool rib_dirty_any(const struct rib_queue *q) {
    return q->count > 0 || q->unlisted > 0;
}
void rib_dirty_deinit(struct rib_queue *q);
/* The published best path of a prefix as update groups want it; attrs 0: none. */
struct adjout_route rib_entry_route(const struct bgp_speaker *s, enum bgp_family f, uint32_t entry);

/* ---- paths ---- */

/* What a path is to become. The references to attrs, raw and origin are taken over. */
struct rib_path_values {
    uint32_t attrs;
    uint32_t raw;    /* 0: not kept */
    uint32_t origin; /* own paths */
    uint32_t peer;
    uint32_t path_id; /* RFC 7911, as received; 0 without */
    uint32_t weight;
    enum route_source source;
    uint8_t epoch; /* of its peer, or RIB_EPOCH_NOW */
    bool rejected;
    bool damped;
};
/* Adds or replaces; false: out of memory, nothing changed but the references are gone. */
bool rib_path_put(struct bgp_speaker *s, enum bgp_family f, struct ip_prefix prefix,
                  const struct rib_path_values *v, struct nanotime now);
/* The path of a peer with a path identifier (own: of a source) for a prefix, 0: none. */
uint32_t rib_path_find(const struct bgp_speaker *s, enum bgp_family f, uint32_t entry,
                       uint32_t peer, enum route_source source, uint32_t path_id);
void rib_path_remove(struct bgp_speaker *s, enum bgp_family f, uint32_t entry, uint32_t path);
/* What an own route has beside attributes is not needed any more. */
void rib_origin_free(struct bgp_speaker *s, uint32_t origin);
/* Forgets what a peer without paths has; one that was removed goes with it. */
void rib_peer_drop(struct bgp_speaker *s, uint32_t peer);
/* How many paths are the peer's, how many import policy let through, how many are best. */
uint32_t rib_received_count(const struct bgp_speaker *s, const struct peer *p, enum bgp_family f);
/* … those that prefix limits are about: what the peer says now, and not what is only kept over its
 * restart (RFC 4724 4.2) or waits to be removed. */
uint32_t rib_limited_count(const struct bgp_speaker *s, const struct peer *p, enum bgp_family f);
uint32_t rib_accepted_count(const struct bgp_speaker *s, const struct peer *p, enum bgp_family f);
uint32_t rib_best_count(const struct bgp_speaker *s, const struct peer *p, enum bgp_family f);
/* One of them becomes, or no longer is, a best path. */
void rib_best_step(struct bgp_speaker *s, uint32_t peer, enum bgp_family f, bool more);
/* RFC 7911: the number of a path, as a path identifier, stands for it as long as update groups hold
 * it, longer than the path itself if need be. Before the first hold, room must be made for it;
 * false: no memory. */
bool rib_path_out_reserve(struct bgp_speaker *s, uint32_t entry, uint32_t path);
void rib_path_out_hold(struct bgp_speaker *s, enum bgp_family f, uint32_t path);
void rib_path_out_release(struct bgp_speaker *s, enum bgp_family f, uint32_t path);
/* A number without a path is given back, now or with the last hold. */
void rib_path_out_end(struct bgp_speaker *s, uint32_t path);
static inline uint32_t rib_path_entry(const struct bgp_speaker *s, uint32_t path) {
    return s->rib->out[path].entry;
}
/* Next hops of the best path and of those that share its load, into rib->next_hops; returns their
 * number, 0 where none shares. */
uint8_t rib_next_hops(const struct bgp_speaker *s, struct ip_prefix prefix);
/* Marks the best `count` usable paths with RIB_PATH_PICKED, and no others. False: no memory. */
bool rib_pick(struct bgp_speaker *s, enum bgp_family f, uint32_t entry, uint32_t count);
/* A path as update groups want it. */
struct adjout_route rib_path_route(const struct bgp_speaker *s, enum bgp_family f, uint32_t entry,
                                   uint32_t path);
/* What it holds, at the end of everything. */
void rib_path_release(struct bgp_speaker *s, uint32_t path);

/* A walk over the paths of a peer, in the order of the table. The path it stands on may be changed
 * or removed. */
struct rib_walk {
    uint32_t peer;
    enum bgp_family family;
    uint32_t entry, path;
    uint32_t end;  /* private: prefix to stop at */
    uint32_t next; /* private: path to look at next; 0: of the next prefix */
};
struct rib_walk rib_walk_begin(const struct bgp_speaker *s, const struct peer *p,
                               enum bgp_family f);
bool rib_walk_next(const struct bgp_speaker *s, struct rib_walk *w);

/* ---- slices of what concerns a whole table (rib_sweep.c) ---- */

/* Looks at no more than `budget` prefixes; what is left of it. */
uint32_t rib_sweep_work(struct bgp_speaker *s, uint32_t budget, struct nanotime now);
bool rib_sweep_pending(const struct bgp_speaker *s);

/* ---- import (rib_import.c) ---- */

/* Policy chain of a direction under RFC 8212: denies an external session without policy. */
bool rib_policy_missing(const struct bgp_speaker *s, const struct peer *p,
                        const struct policy_chain *chain);
/* What every route of this peer gets before policy sees it. False: AS_PATH too long, or no memory.
 */
bool rib_import_prepare(const struct bgp_speaker *s, const struct peer *p, struct arena *arena,
                        struct attr_values *v);
/* A path as it was received through the import policy of now. False: its attributes were not kept,
 * or there was no memory (which is told): the path stays as it is. */
bool rib_import_again(struct bgp_speaker *s, struct peer *p, enum bgp_family f, uint32_t entry,
                      uint32_t path, struct nanotime now);
/* Why a path with these attributes from this peer, as received, cannot be used; NULL: it can. */
const char *rib_import_obstacle(const struct bgp_speaker *s, const struct peer *p,
                                const struct attr_values *v);

#endif
