#ifndef RIBCAGE_CORE_SPEAKER_H
#define RIBCAGE_CORE_SPEAKER_H

#include "../base/arena.h"
#include "../base/heap.h"
#include "../base/slab.h"
#include "../base/table.h"
#include "attr.h"
#include "bgp.h"
#include "message.h"
#include "profile.h"

#include <assert.h>

/*
 * The inside of a speaker, shared by the files of the core and by nobody else.
 *
 *   speaker.c   owns struct bgp_speaker: making, time, stopping
 *   configure.c a configuration into force; config_diff.c what it changes
 *   event.c     what the caller is told
 *   peer.c      a neighbour: administrative state, lock, back-off; peer_info.c what it shows
 *   listen.c    neighbours made when they call
 *   neighbor.c  what it is told to be, shared where it is the same
 *   conn.c      one TCP connection: framing of input, control messages out
 *   own_addr.c  the addresses of ours that connections have
 *   fsm.c       RFC 4271 8: one function from (state, event) to actions
 *   session*.c  messages and timers to events, collision (6.8); actions carried out
 *   restart.c   graceful restart (RFC 4724)
 *   rib*.c      paths per prefix: Adj-RIB-In and Loc-RIB in one list; own routes
 *   decide.c    the best path
 *   aggregate.c routes that stand for more specific ones
 *   nexthop.c   reachability of next hops
 *   dampening.c routes that come and go (RFC 2439)
 *   adjout*.c   update groups: Adj-RIB-Out, encoded once, shared by the members
 *   export*.c   what a route becomes on its way out, and who is sent the same
 *   scanner.c   conditions of advertisement
 *   policy*.c   evaluation of chains; explain.c the same in words
 *   tally.c     figures that only IOS shows; malformed.c UPDATEs that were damaged
 *
 * A session (peer.c, conn.c, session*.c) knows the tables only through the functions below, and the
 * other way round.
 */

struct rib;          /* rib.c */
struct adjout;       /* adjout.c */
struct nexthops;     /* nexthop.c */
struct event_queue;  /* event.c */
struct peer_dynamic; /* listen.c */
struct malformed;    /* malformed.c */
struct scanner;      /* scanner.c */
struct dampening;    /* dampening.c */

/*
 * Timers share one heap (speaker->timers). `order` names kind and owner, so that equal deadlines
 * fire in one order and bgp_advance finds the owner. A timer of the tables is a `struct
 * call_timer` with TIMER_CALL as its kind; make room for it with speaker_timers_reserve first.
 */
enum timer_kind {
    TIMER_PEER,     /* peer->timer; index: the peer */
    TIMER_STALE,    /* speaker->stale_timer */
    TIMER_CONN,     /* conn->timer; index: the connection */
    TIMER_DEFERRAL, /* speaker->deferral_timer */
    TIMER_CALL,     /* struct call_timer; index: any number unique among these */
};
static inline uint32_t timer_order(uint32_t index, enum timer_kind kind) {
    return index << 3 | (uint32_t)kind;
}
static inline uint32_t timer_owner(const struct heap_timer *t) {
    return t->order >> 3;
}
#define CALL_TIMER_SCANNER UINT32_C(0x1ffffffe)
#define CALL_TIMER_DAMPENING UINT32_C(0x1fffffff)
struct call_timer {
    struct heap_timer timer; /* first */
    void (*fired)(struct bgp_speaker *s, struct call_timer *t, struct nanotime now);
};

/* What of a peer's last OPEN is looked at again while the session lives, and after it; and what the
 * next one ends. */
struct peer_open {
    bool gr : 1, gr_restarting : 1, gr_notification : 1;
    bool gr_ours : 1, gr_notification_ours : 1; /* of the OPEN it answers */
    bool import_outdated : 1;                   /* see struct bgp_peer_info */
    uint16_t gr_time_s;
    struct bgp_gr_family gr_families[BGP_FAMILIES];
};

/* What went wrong with a peer: kept from its first trouble on. */
struct peer_history {
    struct nanotime last_reset;
    struct nanotime last_error_at; /* for the back-off's amnesia */
    const char *last_error;        /* static text */
    uint32_t error_wait_ms;        /* BIRD: doubled at each error */
    uint32_t idle_hold_ms;         /* RFC 4271 8.1.1: doubled each time the session flaps */
};

/*
 * A mesh has thousands, most of them idle: what only some need stands elsewhere (`history`,
 * `routes`), what many have in common is shared (`config->options`). Ordered by size, so that
 * nothing is lost between members.
 */
struct peer {
    const struct bgp_neighbor *config; /* in speaker->config_arena; `dynamic`: listen.c's */
    struct nanotime since;             /* of `state` */
    struct heap_timer timer;           /* start, retry or error wait */
    struct nanotime stale_until;       /* RFC 4724 4.2: what is kept stale goes then; 0: nothing */
    struct bgp_message_counts sent, received;
    uint16_t index;             /* own slab index */
    uint16_t config_index;      /* into speaker->peer_order */
    uint32_t conn_out, conn_in; /* slab indices of connections, 0: none */
    uint32_t conn;              /* the established one, or 0 */
    uint32_t remote_id;
    uint32_t established_count;
    uint32_t watch;        /* nexthop.c: its own address, held for fall_over; 0: not */
    uint16_t history;      /* slab index, 0: peer_history() */
    uint16_t group_member; /* adjout.c: slab index, 0 when not Established */
    uint16_t routes;       /* rib_path.c: slab index, 0 while it has no path */
    uint16_t own_addr; /* own_addr.c: ours, of the established connection or the last one; … */
    uint16_t own_port, remote_port;
    struct peer_open open;
    uint8_t state;       /* enum bgp_state, as shown: of the connection furthest along */
    uint8_t timer_phase; /* peer.c: what `timer` means */
    uint8_t tries;       /* to connect, since up or started; saturates */
    uint8_t last_reason; /* enum bgp_down_reason */
    uint8_t last_code, last_subcode;
    uint8_t add_path[BGP_FAMILIES]; /* enum bgp_add_path: negotiated, of our side */
    bool families[BGP_FAMILIES];    /* negotiated */
    bool restarting[BGP_FAMILIES];  /* RFC 4724 4.2: its routes are kept stale */
    bool refreshing[BGP_FAMILIES];  /* RFC 7313: between BoRR and EoRR */
    bool end_of_rib_seen[BGP_FAMILIES];
    bool dynamic : 1; /* made by a listen range */
    bool started : 1; /* allowed to run: not shut down, has the lock */
    bool waiting_for_lock : 1;
    bool prefix_limit_down : 1;
    bool active : 1;          /* the outgoing side tries, or waits for a call */
    bool no_capabilities : 1; /* RFC 5492 5: the last OPEN was answered with 2/4 */
    bool removed : 1;         /* its last paths wait to be taken away */
    bool incoming : 1;
    bool last_sent : 1; /* the last NOTIFICATION was ours */
    bool external : 1;  /* session type */
    bool confed : 1;    /* external, to another member of our confederation (RFC 5065) */
    bool as4 : 1, refresh : 1, enhanced_refresh : 1, extended_messages : 1; /* negotiated */
    bool extended_next_hop : 1;                                             /* … */
};
/* Index of a peer, or of something of which each has one at most. */
static inline uint16_t peer_index(uint32_t index) {
    assert(index <= UINT16_MAX);
    return (uint16_t)index;
}
_Static_assert(sizeof(struct peer) <= 128, "a peer costs 128 bytes at most");

struct bgp_speaker {
    struct arena *config_arena;
    struct bgp_config *config;             /* without its peers, which keep what they need */
    const struct bgp_neighbor **templates; /* of the listen ranges */
    uint32_t configured;                   /* peers, the first ones of peer_order */
    const struct profile *profile;
    struct bgp_env env;
    uint64_t rng;
    uint32_t router_id, cluster_id; /* host order */
    struct slab peers;              /* struct peer */
    struct slab histories;          /* struct peer_history */
    struct peer_history lost;       /* of a peer for whose there was no memory */
    uint16_t *peer_order;           /* slab indices in configuration order, dynamic ones last */
    uint32_t peer_count;
    struct slab conns, conn_setups; /* struct conn, struct conn_setup; conn.h */
    struct slab own_addrs;          /* own_addr.c */
    struct table own_addr_index;
    struct heap timers;
    uint32_t talking;      /* peers whose `conn` is set */
    struct arena *scratch; /* reset after each message */
    struct attr_table attrs;
    struct rib *rib;
    struct adjout *adjout;
    struct nexthops *nexthops;
    struct scanner *scanner;     /* NULL: no conditions are configured */
    struct dampening *dampening; /* NULL: none is configured */
    struct event_queue *events;
    bool stopping;
    bool sweep;      /* listen.c: a dynamic peer may have become idle */
    bool restarting; /* RFC 4724 4.1: best paths are deferred */
    struct heap_timer deferral_timer;
    struct heap_timer stale_timer; /* not after the first `stale_until` of a peer */
    uint64_t updates_received, updates_sent, established_count, dropped_count;
    uint32_t malformed_updates;
    struct malformed *malformed; /* NULL before the first one */
    struct tally *tally;         /* NULL: the profile keeps none */
    uint32_t routes_too_long;    /* withheld from a group for that */
    uint32_t sessions[BGP_STATES];
    struct nanotime established_first, established_last, update_last;
    uint16_t *by_address; /* peers by remote address, then in configuration order: peer.c */
    uint32_t address_count;
    uint32_t conn_generation;    /* of the connection made last */
    uint32_t call_timers;        /* room the tables asked for */
    struct nanotime unknown_log; /* not before this may an unknown peer be logged again */
};

static inline bool speaker_is_bird(const struct bgp_speaker *s) {
    return profile_is_bird(s->config->profile);
}

/* Does the session cross the border of what is one AS to the rest of the world? */
static inline bool peer_is_outside(const struct peer *p) {
    return p->external && !p->confed;
}

static inline struct peer *speaker_peer(const struct bgp_speaker *s, uint32_t index) {
    return index ? (struct peer *)slab_at(&s->peers, index) : NULL;
}

/* Appends an event; a full queue or no memory is remembered and leads to BGP_LOG_NO_MEMORY. False:
 * it was dropped; FIB and TRACK events are then told later by rib.c and nexthop.c. */
bool event_push(struct bgp_speaker *s, const struct bgp_event *e);

/* speaker.c: room in the heap for all timers of peers and connections there are, for one more
 * connection, and for `more` further TIMER_CALL timers, for good. False: no memory. */
bool speaker_timers_reserve(struct bgp_speaker *s, uint32_t more);

/* ---- what the tables offer to sessions --------------------------------------------------- */

/* rib.c. False from the makers: out of memory. */
bool rib_new(struct bgp_speaker *s);
void rib_free(struct bgp_speaker *s);
/* An UPDATE whose outcome is not SESSION_RESET. May end in a prefix limit: then true is returned in
 * *ret_over_limit and the session must send Cease/1 with family and limit. */
void rib_update(struct bgp_speaker *s, struct peer *p, const struct bgp_update *u,
                struct nanotime now, bool *ret_over_limit, enum bgp_family *ret_family);
/* The peer's limit or its threshold is another one: what is held is compared with it, and logged,
 * as if all of it had just come. True: as above. */
bool rib_over_changed_limit(struct bgp_speaker *s, struct peer *p, enum bgp_family f);
/* The session ended: withdraw the routes of the families, or keep them stale. */
void rib_peer_down(struct bgp_speaker *s, struct peer *p, enum bgp_family f, bool keep_stale,
                   struct nanotime now);
/* What is stale still counts no more and is removed; with `tell`, BGP_LOG_GR_ENDED says how much.
 */
void rib_purge_stale(struct bgp_speaker *s, struct peer *p, enum bgp_family f, bool tell);
/* Everything of the peer becomes stale (enhanced refresh BoRR, restart again). */
void rib_mark_stale(struct bgp_speaker *s, struct peer *p, enum bgp_family f, struct nanotime now);
/* Nothing of the peer is stale any more: what rib_mark_stale did is taken back. */
void rib_mark_fresh(struct bgp_speaker *s, struct peer *p, enum bgp_family f);
/* Import policy, weight, … changed: run it again over what is kept. False: not all was kept
 * (no soft reconfiguration), the session should ask for a refresh. */
bool rib_reimport(struct bgp_speaker *s, struct peer *p);
/* The rules of the decision changed; `publish`: what is made of best paths, too. */
void rib_decide_again(struct bgp_speaker *s, bool publish);
/* A peer is removed that still has paths: its index is free when the last one is taken away. */
void rib_peer_removed(struct bgp_speaker *s);
/* Peers that were removed are gone from the tables. */
void rib_removed_finish(struct bgp_speaker *s, struct nanotime now);
/* The configured routes changed from `old` to the speaker's configuration. */
void rib_origins_changed(struct bgp_speaker *s, const struct bgp_config *old, struct nanotime now);
/* fib.install is on from now on: every best path is told. */
void rib_fib_wanted(struct bgp_speaker *s);
/* Handles at most `budget` dirty prefixes: decision, FIB events, Adj-RIB-Out. Work left? */
bool rib_work(struct bgp_speaker *s, uint32_t budget, struct nanotime now);
/* No best path is chosen while speaker->restarting; this ends it. */
void rib_release_deferred(struct bgp_speaker *s, struct nanotime now);
bool rib_has_work(const struct bgp_speaker *s);
void rib_counters(const struct bgp_speaker *s,
                  struct bgp_counters *ret_counters); /* its fields only */

/* adjout.c */
bool adjout_new(struct bgp_speaker *s);
void adjout_free(struct bgp_speaker *s);
/* The session is Established with peer->families, as4…: joins its update group, initial table and
 * End-of-RIB follow. False: out of memory. */
bool adjout_peer_up(struct bgp_speaker *s, struct peer *p);
void adjout_peer_down(struct bgp_speaker *s, struct peer *p);
/* Send the table again (ROUTE-REFRESH, soft out). Enhanced refresh: BoRR before, EoRR after. */
void adjout_refresh(struct bgp_speaker *s, struct peer *p, enum bgp_family f);
/* Export policy or anything else that groups are formed by changed: regroup, send the difference.
 */
void adjout_regroup(struct bgp_speaker *s, struct peer *p);
/* Next bytes for this member: up to `count` parts, encoded now if need be and shared with others.
 */
size_t adjout_pull(struct bgp_speaker *s, struct peer *p, struct bgp_part *parts, size_t count,
                   struct nanotime now);
/* `size` bytes of what was pulled last were taken. Returns how many whole messages that ended. */
uint32_t adjout_sent(struct bgp_speaker *s, struct peer *p, size_t size);
bool adjout_pending(const struct bgp_speaker *s, const struct peer *p);
/* The best path of `prefix`. attrs 0: withdrawn. `source_peer`: it was learned from, 0 for own
 * routes. */
struct adjout_route {
    struct ip_prefix prefix;
    uint32_t attrs;
    uint32_t source_peer;
    enum route_source source;
    const char *interface; /* own routes; "" if none */
    uint32_t metric;
    bool suppressed; /* an aggregate is sent in its place, unless unsuppress_policy wants it */
    struct ip_addr next_hop; /* own routes: sent as it is, or not set */
    bool stands_in;          /* no path's: RFC 7911's number of default-originate */
};
uint32_t adjout_count(const struct bgp_speaker *s, const struct peer *p, enum bgp_family f);
uint32_t adjout_group_count(const struct bgp_speaker *s);
/* 1, 2, … in order of creation; 0: none. */
uint32_t adjout_group_number(const struct bgp_speaker *s, const struct peer *p);

/* nexthop.c */
bool nexthops_new(struct bgp_speaker *s);
void nexthops_free(struct bgp_speaker *s);
/* A reference-counted entry for an address, on a link where it has one (struct bgp_next_hop); the
 * first one pushes BGP_EVENT_TRACK. 0: no memory. */
uint32_t nexthop_hold(struct bgp_speaker *s, struct ip_addr a, uint32_t link);
void nexthop_release(struct bgp_speaker *s, uint32_t nexthop);
/* The peer's state or configuration changed: is the way to it to be watched? */
void nexthop_watch_peer(struct bgp_speaker *s, struct peer *p);
/* It is watched from now on: ends the session if no route to the peer is known already. */
void nexthop_judge_peer(struct bgp_speaker *s, struct peer *p, struct nanotime now);
bool nexthop_reachable(const struct bgp_speaker *s, uint32_t nexthop, uint32_t *ret_metric);
/* Is `a` in a subnet we are connected to; if so, the subnet's index + 1, else 0. */
uint32_t nexthop_connected(const struct bgp_speaker *s, struct ip_addr a);

/* policy.c */
struct policy_route {
    struct ip_prefix prefix;
    struct attr_values attrs; /* changed by actions; arrays in `arena` once changed */
    enum route_source source;
    const char *interface; /* "" when the route has none */
    uint32_t metric;       /* the source's own; UINT32_MAX: none */
    uint32_t weight;
    uint32_t tag;
    const char *device;        /* set by actions of the kernel's filter */
    const uint32_t *dampening; /* set by actions: four values, see POLICY_SET_DAMPENING */
    bool next_hop_self, next_hop_peer, next_hop_keep; /* set by actions; the caller resolves them */
    bool external;                                    /* the session the policy stands on is eBGP */
    bool too_long; /* set by actions: beyond a limit of limits.h, refused */
    struct arena *arena;
};
/* True: passes. `trace`, when not NULL, gets one line per term that matched. Out of memory: false
 * with *ret_no_memory. */
bool policy_run(const struct bgp_config *c, const struct policy_chain *chain,
                struct policy_route *r, struct text *trace, bool *ret_no_memory);
/* … of one policy, by index + 1: does it not refuse the route? Out of memory: it does. */
bool policy_accepts(const struct bgp_config *c, uint32_t policy, struct policy_route *r);
/* Does what the chain makes of a route depend on its prefix? */
bool policy_looks_at_prefix(const struct bgp_config *c, const struct policy_chain *chain);

/* ---- what sessions offer to the tables --------------------------------------------------- */

/* peer.c: the member has output: push BGP_EVENT_OUTPUT (once until it was pulled empty). */
void peer_output(struct bgp_speaker *s, struct peer *p);
/* peer.c: ask the peer to send a family again, if it can. */
bool peer_request_refresh(struct bgp_speaker *s, struct peer *p, enum bgp_family f);
/* … because the tables want it by another policy: where it cannot, the operator is told
 * (BGP_LOG_IMPORT_OUTDATED, struct bgp_peer_info). */
bool peer_ask_again(struct bgp_speaker *s, struct peer *p, enum bgp_family f);

#endif
