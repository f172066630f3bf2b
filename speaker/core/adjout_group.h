#ifndef RIBCAGE_CORE_ADJOUT_GROUP_H
#define RIBCAGE_CORE_ADJOUT_GROUP_H

#include "export.h"
#include "rib.h"

/*
 * The inside of update groups, shared by adjout.c (groups, members), adjout_slot.c (what a group
 * has sent), adjout_table.c (what is due), adjout_held.c (what members take along to another
 * group), adjout_stream.c (encoding, pulling) and adjout_walk.c (members that catch up).
 */

#define ADJOUT_BACKLOG_MAX (4u << 20) /* bytes a group keeps for members that lag behind */
#define ADJOUT_BATCH_MAX 2048         /* prefixes looked at for one message */
#define ADJOUT_WALK_MAX 4096          /* prefixes one step of a walk sorts and packs */
#define ADJOUT_PAGE 256               /* slots per page */
#define ADJOUT_GRAVES_MAX 1024        /* forgotten while a member is served */
#define ADJOUT_IDLE_PAGES 4           /* of changes, kept while none is due */

/*
 * What a group has sent about prefixes in one message: to all its members but `source`, who they
 * came from, and those that are the next hop (export_spares). Every prefix has a slot that names
 * its record. Slots have the number of the prefix in the RIB; where the group sends several paths
 * per prefix (RFC 7911), that of the path, which is the path identifier too.
 */
struct adjout_said {
    uint32_t attrs;      /* held; 0: withdrawn */
    uint32_t source;     /* peer, 0: our own */
    uint32_t version;    /* number of the message that said so */
    uint32_t references; /* slots and copies of slots */
};

/* A change that is due, in the bucket of those that can share a message. */
struct adjout_pending {
    uint32_t number, bucket;
    uint32_t prev, next;
    uint32_t said; /* of the slot, which names the change meanwhile */
};

enum adjout_kind {
    ADJOUT_ANNOUNCE, /* to all but those it is withheld from; withdrawn there if they had it */
    ADJOUT_MOVE,     /* same attributes, other source: announced at `old_source` only, … */
    ADJOUT_WITHDRAW, /* at all but `old_source` and those at the next hop of `old_attrs` */
};

struct adjout_bucket_key {
    uint32_t family, kind, attrs, source, old_source;
    uint32_t old_attrs; /* of a withdrawal, if they were withheld from a neighbour; 0 else */
};
struct adjout_bucket {
    struct adjout_bucket_key key;
    uint32_t first, last; /* struct adjout_pending */
    uint32_t prev, next;  /* buckets of the same queue */
};
struct adjout_queue {
    uint32_t head, tail;
    uint32_t count; /* prefixes */
};

enum adjout_tag {
    ADJOUT_TO_ALL,
    ADJOUT_TO_ALL_BUT,
    ADJOUT_TO_ONE,
};

/* One encoded message. In a group's log it is shared; in a member's list it is its own. */
struct adjout_chunk {
    struct adjout_chunk *next; /* private list only */
    uint32_t standing;         /* log: members whose position is here */
    uint32_t peer;             /* of the tag */
    uint16_t size;
    uint8_t tag;
    struct ip_addr but; /* nor to members with this address, if it is set; log only */
    uint8_t data[];
};

/* What a member that changed groups has in hand: a copy of its old group's slots. */
struct adjout_held {
    struct adjout_held *next;   /* of those that are copied, or freed, in slices */
    struct adjout_held *before; /* while it is copied: what it is laid over; NULL: nothing */
    uint32_t references;
    uint32_t group, changes; /* of which state of which group it is a copy */
    uint32_t of;             /* index of the group while it is copied; 0: it is complete */
    uint32_t page;           /* copied, or freed, next */
    enum bgp_family family;  /* of that */
    bool add_path[BGP_FAMILIES];
    uint32_t count[BGP_FAMILIES];
    uint32_t *said[BGP_FAMILIES]; /* held, by number; 0: nothing; see adjout_held.c */
    bool *copied[BGP_FAMILIES];   /* by page */
};

/* What a member has while it waits or walks, or has messages of its own: few do at a time. */
struct adjout_catchup {
    struct adjout_chunk *private; /* to be sent before the log */
    struct adjout_held *held;
    uint32_t cursor; /* walk: next prefix */
    uint32_t base;   /* walk: up to this message it has everything; of `held` if there is one */
    uint32_t start;  /* walk: later messages come by the log */
};

struct adjout_member {
    uint32_t peer, group;
    uint32_t next, prev;        /* members of the group, by time of joining */
    uint32_t catchup;           /* slab index; 0: it has all but what its place in the log says */
    uint32_t position;          /* next message of the log */
    uint32_t own[BGP_FAMILIES]; /* slots of the group that are withheld from it */
    uint16_t offset;            /* bytes sent of the message in hand */
    uint8_t flags;              /* ADJOUT_MEMBER_* */
    uint8_t masks;              /* see below: two bits each, by family */
};
_Static_assert(sizeof(struct adjout_member) <= 36, "a member costs 36 bytes at most");

#define ADJOUT_MEMBER_WAITING 0x01 /* for its group to be filled; not on the stream */
#define ADJOUT_MEMBER_WALKING 0x02
#define ADJOUT_MEMBER_RESYNC 0x04    /* fell behind: has everything up to `base` */
#define ADJOUT_MEMBER_V6 0x08        /* the walk is in the second family */
#define ADJOUT_MEMBER_BEGUN 0x10     /* the walk's BoRR of this family is out */
#define ADJOUT_MEMBER_MISPLACED 0x20 /* no memory to move it to the group it belongs to */

/* masks, what a walk is for: families to send everything of, to end with End-of-RIB, to frame by
 * BoRR and EoRR. */
#define ADJOUT_MASK_ALL 0
#define ADJOUT_MASK_EOR 2
#define ADJOUT_MASK_FRAME 4
static inline uint8_t adjout_mask(enum bgp_family f, unsigned which) {
    return (uint8_t)(1u << ((unsigned)f + which));
}

/* What the group made of a learned route, kept while the next ones have the same attributes from
 * the same peer; until adjout_work ends, because what export_route looks at may change then. */
struct adjout_memo {
    uint32_t attrs, result; /* held; attrs 0: nothing kept; result 0: withheld */
    uint32_t source;
    enum bgp_family family;
};

/* RFC 4271 9.2.1.1: the time between announcements of a family. */
struct adjout_interval {
    struct call_timer timer; /* running: announcements wait */
    uint32_t window;         /* … but for so many */
};

struct adjout_group {
    struct adjout_interval mrai[BGP_FAMILIES];
    struct export_key key;
    uint32_t index, number;
    struct adjout_memo memo;
    uint32_t default_path[BGP_FAMILIES]; /* number of default-originate among paths; 0: none yet */
    bool used, news, filling;
    bool refill; /* memory ran out while it was filled: once more from the start */
    enum bgp_family fill_family;
    uint32_t fill_cursor;
    uint32_t members, last_member, member_count;
    uint32_t waiting, walking, at_end; /* members */
    uint32_t **pages[BGP_FAMILIES];    /* of slots */
    uint32_t page_count[BGP_FAMILIES];
    uint32_t slot_count[BGP_FAMILIES];          /* with attributes */
    struct bgp_prefix_tally sent[BGP_FAMILIES]; /* tally.c: to all members */
    uint32_t changes;                           /* of slots, ever */
    struct adjout_chunk **log;                  /* ring: message n at n & (capacity - 1) */
    uint32_t log_capacity;
    uint32_t log_first, log_end;
    uint32_t log_bytes;
    struct adjout_queue announces[BGP_FAMILIES], withdraws;
    uint8_t turn; /* family whose announcement is encoded next, if it may go */
    struct table buckets;
    uint32_t copies;  /* struct adjout_held that are not complete */
    uint32_t retired; /* without members: the group to be freed after it; see adjout_table_free */
    enum bgp_family free_family;
    uint32_t free_page;
    uint64_t *graves; /* withdrawn slots some member may not know of: family << 32 | number */
    uint32_t grave_count, grave_capacity;
};

struct adjout {
    struct slab groups, members, catchups, said, pendings, buckets;
    uint32_t last_said;       /* of adjout_said_make; 0: gone */
    uint32_t add_path_groups; /* those that send several paths per prefix */
    uint32_t group_count, next_number, timers_reserved;
    bool misplaced;       /* some member is: see ADJOUT_MEMBER_MISPLACED */
    bool stalled;         /* some pull found no memory: its member is told again */
    bool buried;          /* some group may have graves that adjout_graves_sweep left */
    uint32_t backlog_max; /* ADJOUT_BACKLOG_MAX, less in tests */
    uint32_t walk_max;    /* ADJOUT_WALK_MAX, less in tests */
    uint32_t graves_max;  /* ADJOUT_GRAVES_MAX, less in tests */
    struct arena *arena;  /* of one evaluation */
    struct adjout_held *last_held;
    struct adjout_held *copying, *dropped; /* for adjout_held_work */
    uint32_t retired_first, retired_last;  /* groups to be freed */
    uint64_t swept;                        /* slots looked at by adjout_sweep, ever */
    struct ip_prefix batch[ADJOUT_BATCH_MAX];
    uint32_t batch_numbers[ADJOUT_BATCH_MAX];
    uint64_t walk[ADJOUT_WALK_MAX];
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
};

static inline struct adjout_group *adjout_group_at(const struct bgp_speaker *s, uint32_t group) {
    return slab_at(&s->adjout->groups, group);
}
static inline struct adjout_member *adjout_member_at(const struct bgp_speaker *s, uint32_t member) {
    return slab_at(&s->adjout->members, member);
}
/* NULL: it has none. */
static inline struct adjout_catchup *adjout_catchup_of(const struct bgp_speaker *s,
                                                       const struct adjout_member *m) {
    return m->catchup ? slab_at(&s->adjout->catchups, m->catchup) : NULL;
}
/* Memory ran out over a route of the group: its table is looked through again. */
void adjout_group_failed(struct bgp_speaker *s, struct adjout_group *g);
/* The next group in use after `group` (0 at first); 0: no more. */
uint32_t adjout_group_next(const struct bgp_speaker *s, uint32_t group);

/* ---- adjout_slot.c ---- */

/* A record, with a reference of the caller's; 0: no memory. Its version is set by adjout_said_date
 * while no slot has it. */
uint32_t adjout_said_new(struct bgp_speaker *s, uint32_t attrs, uint32_t source);
void adjout_said_date(struct bgp_speaker *s, uint32_t said, uint32_t version);
/* The same, or the one made last if that is equal. */
uint32_t adjout_said_make(struct bgp_speaker *s, uint32_t attrs, uint32_t source, uint32_t version);
void adjout_said_hold(struct bgp_speaker *s, uint32_t said);
void adjout_said_release(struct bgp_speaker *s, uint32_t said); /* 0 is fine */
const struct adjout_said *adjout_said_get(const struct bgp_speaker *s, uint32_t said); /* 0: NULL */
/* The attributes that a member was told, as far as this says; 0: none. `said` may be NULL. */
uint32_t adjout_said_to(const struct bgp_speaker *s, const struct adjout_said *said, uint32_t peer);
bool adjout_is_member(const struct bgp_speaker *s, const struct adjout_group *g, uint32_t peer);
/* The members from whom it is withheld that `source` said something that became `attrs`, one by
 * one: the peer after `at`, 0 at first. 0: no more. */
uint32_t adjout_withheld_next(const struct bgp_speaker *s, const struct adjout_group *g,
                              uint32_t attrs, uint32_t source, uint32_t at);

/* What was said of a number; NULL: nothing. */
const struct adjout_said *adjout_said_of(const struct bgp_speaker *s, const struct adjout_group *g,
                                         enum bgp_family f, uint32_t number);
uint32_t adjout_slot_said(const struct bgp_speaker *s, const struct adjout_group *g,
                          enum bgp_family f, uint32_t number);
/* Every slot in use is below this. */
static inline uint32_t adjout_slot_limit(const struct adjout_group *g, enum bgp_family f) {
    return g->page_count[f] * ADJOUT_PAGE;
}
/* Something was said, is due, or a grave. */
bool adjout_slot_used(const struct adjout_group *g, enum bgp_family f, uint32_t number);
struct ip_prefix adjout_slot_prefix(const struct bgp_speaker *s, const struct adjout_group *g,
                                    enum bgp_family f, uint32_t number);
/* Room for the slot, which everything below takes for granted. False: no memory. */
bool adjout_slot_make(struct adjout_group *g, enum bgp_family f, uint32_t number);
/* What is sent from now on is this record, 0: nothing. */
void adjout_slot_set(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                     uint32_t number, uint32_t said);
/* The change that is due, 0: none. */
uint32_t adjout_slot_pending(const struct adjout_group *g, enum bgp_family f, uint32_t number);
void adjout_slot_pend(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                      uint32_t number, uint32_t pending);
void adjout_slot_unpend(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                        uint32_t number);
/* Marks it as a grave; false: it is one. */
bool adjout_slot_bury(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                      uint32_t number);
void adjout_slot_unbury(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                        uint32_t number);
/* Frees a page of slots; no change is due in it any more. */
void adjout_page_free(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                      uint32_t page);
/* The prefix or path of a slot is kept. */
void adjout_number_hold(struct bgp_speaker *s, bool add_path, enum bgp_family f, uint32_t number);
void adjout_number_release(struct bgp_speaker *s, bool add_path, enum bgp_family f,
                           uint32_t number);

/* ---- adjout_table.c ---- */

/* Later than: message numbers may wrap. */
static inline bool adjout_later(uint32_t a, uint32_t b) {
    return (int32_t)(a - b) > 0;
}
/* Evaluates the published route of a prefix for one group and notes what is due. */
void adjout_group_route(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                        uint32_t entry, const struct adjout_route *r);
/* … all paths of a prefix, for a group that sends several. */
void adjout_group_paths(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                        uint32_t entry);
/* A path is gone: what the group has sent of it is withdrawn. */
void adjout_group_path_gone(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                            uint32_t path);
/* … all that are gone, where memory was missing to note it. */
void adjout_group_paths_gone(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f);
void adjout_pending_drop(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                         uint32_t number);
void adjout_memo_drop(struct bgp_speaker *s, struct adjout_group *g);
bool adjout_graves_reserve(struct adjout_group *g, uint32_t more);
void adjout_grave_add(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                      uint32_t number);
/* Forgets withdrawn slots once all members know, at most `budget`; adjout_sweep goes on. Returns
 * what is left of the budget. */
uint32_t adjout_graves_sweep(struct bgp_speaker *s, struct adjout_group *g, uint32_t budget);
/* A slice of the end of a group's table; returns what is left of the budget, not 0 when it is
 * freed. Only when nothing is copied of it any more. */
uint32_t adjout_table_free(struct bgp_speaker *s, struct adjout_group *g, uint32_t budget);

/* ---- adjout_held.c ---- */

/* A copy of the group's slots, shared by all that leave it in this state; with `before`, what a
 * member had in hand from an earlier group, a copy of its own that has both. NULL: no memory. */
struct adjout_held *adjout_held_take(struct bgp_speaker *s, struct adjout_group *g,
                                     struct adjout_held *before);
void adjout_held_drop(struct bgp_speaker *s, struct adjout_held *h); /* NULL is fine */
/* What is in hand of a number; *ret_unsure: perhaps. NULL: nothing; `h` may be NULL. */
const struct adjout_said *adjout_held_said(struct bgp_speaker *s, struct adjout_held *h,
                                           enum bgp_family f, uint32_t number, bool *ret_unsure);
/* A slot of a group with copies under way is about to change. */
void adjout_held_before_change(struct bgp_speaker *s, const struct adjout_group *g,
                               enum bgp_family f, uint32_t number);
/* A slice of copying and freeing; returns what is left of the budget. */
uint32_t adjout_held_work(struct bgp_speaker *s, uint32_t budget);
/* The budget after a page of slots; the last one may exceed it. */
static inline uint32_t adjout_spend_page(struct bgp_speaker *s, uint32_t budget) {
    s->adjout->swept += ADJOUT_PAGE;
    return budget > ADJOUT_PAGE ? budget - ADJOUT_PAGE : 0;
}

/* ---- adjout_stream.c ---- */

/* A copy of one whole message, to all; the caller's until it is put into a log or a list
 * (alloc_free). NULL: no memory. */
struct adjout_chunk *adjout_chunk_new(const uint8_t *data, size_t size);
/* A message with the first *ret_taken, at least one, of the `count` prefixes of the batch; attrs 0
 * withdraws them. Longer than 4,096 octets only where one prefix needs it (RFC 8654). NULL: no
 * memory. */
struct adjout_chunk *adjout_chunk_encode(struct bgp_speaker *s, const struct adjout_group *g,
                                         enum bgp_family f, uint32_t attrs, uint32_t count,
                                         uint32_t *ret_taken);
void adjout_log_free(struct adjout_group *g);
/* Off its place in the log, for good. */
void adjout_member_unplace(const struct bgp_speaker *s, struct adjout_group *g,
                           struct adjout_member *m);
/* Turns the rest of a half-sent message of the log into one of its own, in `c`, which is the
 * member's. False: no memory. */
bool adjout_member_keep_rest(struct adjout_group *g, struct adjout_member *m,
                             struct adjout_catchup *c);

/* ---- adjout_walk.c ---- */

/* What the member has, or a new one; NULL: no memory. */
struct adjout_catchup *adjout_catchup_make(struct bgp_speaker *s, struct adjout_member *m);
/* Frees what the member has, if nothing is left to be done with it. */
void adjout_catchup_end(struct bgp_speaker *s, struct adjout_member *m);
/* … whatever is left. */
void adjout_catchup_free(struct bgp_speaker *s, struct adjout_member *m);
/* From the start; the member has its struct adjout_catchup. */
void adjout_walk_begin(const struct bgp_speaker *s, struct adjout_group *g,
                       struct adjout_member *m);
/* Encodes the next messages of a member's walk into its private list; false: out of memory.
 * The member stands at the end of the log. */
bool adjout_walk_step(struct bgp_speaker *s, struct adjout_group *g, struct adjout_member *m);

#endif
