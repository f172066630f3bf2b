#ifndef RIBCAGE_CORE_BGP_H
#define RIBCAGE_CORE_BGP_H

#include "../base/nanotime.h"
#include "neighbor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A BGP-4 speaker without a socket and without a clock: bytes and time in, bytes and events out.
 *
 * The caller owns the world. It tells the speaker what happened (a connection came up, bytes
 * arrived, a next hop became reachable) and what time it is; after each such call it drains the
 * events, pulls the output of connections that have some, and asks when to call again. Every call
 * does a bounded amount of work; what is left makes bgp_next_deadline "now". Nothing calls back,
 * nothing is global: same inputs and seed, same bytes out.
 *
 * Handles: a peer is named by its index in a slab (struct bgp_peer_id), stable while it is
 * configured and free for another one afterwards; a connection by the id the speaker gave it, which
 * carries a generation, so that a stale one is recognised and ignored, never mistaken.
 */

struct bgp_speaker;

struct bgp_peer_id {
    uint32_t index; /* 0: none */
};

struct bgp_conn_id {
    uint32_t index; /* 0: none */
    uint32_t generation;
};

enum bgp_status {
    BGP_OK = 0,
    BGP_NO_MEMORY = -1,
    BGP_REFUSED = -2, /* not configured, shut down, locked by another peer… */
    BGP_UNKNOWN = -3, /* stale or foreign handle, no such peer */
    BGP_INVALID = -4, /* the argument breaks a documented rule */
};
#define BGP_CHECK __attribute__((warn_unused_result))

/* RFC 4271 8.2.2, in the order of bgpPeerState. */
enum bgp_state {
    BGP_IDLE,
    BGP_CONNECT,
    BGP_ACTIVE,
    BGP_OPEN_SENT,
    BGP_OPEN_CONFIRM,
    BGP_ESTABLISHED,
};
#define BGP_STATES 6
const char *bgp_state_name(enum bgp_state s); /* "Idle" … "Established" */

struct bgp_env {
    uint64_t seed;        /* of all jitter */
    uint32_t work_budget; /* prefixes handled per call; 0 = 4096 */
    bool restarting;      /* RFC 4724 4.1: we come back with our forwarding state kept */
};

/* `config` has passed bgp_config_check; it is copied. NULL: out of memory. */
struct bgp_speaker *bgp_speaker_new(const struct bgp_config *config, const struct bgp_env *env,
                                    struct nanotime now);
void bgp_speaker_free(struct bgp_speaker *s);

/* A new configuration: sessions whose peer did not change in a way that needs a reset stay up;
 * policy changes re-run policy (route refresh or Adj-RIB-In). */
enum bgp_status bgp_configure(struct bgp_speaker *s, const struct bgp_config *config,
                              struct nanotime now) BGP_CHECK;
const struct bgp_config *bgp_config_of(const struct bgp_speaker *s);
/* RFC 4724 4.1, with bgp_env.restarting: best paths are not chosen yet, or not all of them. */
bool bgp_recovering(const struct bgp_speaker *s);

/* Cease/Administrative Shutdown to every peer, with RFC 9003 text ("" or NULL: none). Afterwards no
 * session starts again. Done when bgp_stopped. */
void bgp_stop(struct bgp_speaker *s, const char *text, struct nanotime now);
bool bgp_stopped(const struct bgp_speaker *s); /* every connection is closed */

/* ---- connections ------------------------------------------------------------------------- */

struct bgp_endpoint {
    struct ip_addr addr;
    uint16_t port;
};

/* A remote connected to us: the answer is a connection (already up), or BGP_REFUSED: close it at
 * once (RST), optionally after the 21 bytes of a NOTIFICATION in `ret_reject` (size 0: none). */
struct bgp_reject {
    uint8_t data[BGP_HEADER_SIZE + 2];
    uint8_t size;
};
enum bgp_status bgp_conn_accept(struct bgp_speaker *s, struct bgp_endpoint remote,
                                struct bgp_endpoint local, struct nanotime now,
                                struct bgp_conn_id *ret_conn,
                                struct bgp_reject *ret_reject) BGP_CHECK;
/* The connection of a BGP_EVENT_CONNECT is up. `local` is what the kernel chose. */
void bgp_conn_up(struct bgp_speaker *s, struct bgp_conn_id c, struct bgp_endpoint local,
                 struct nanotime now);

/*
 * The link a connection's neighbour is on, told as soon as the connection is up: a number of the
 * caller's, the kernel's index of the interface. A link-local next hop that the neighbour announces
 * is one of this link (RFC 2545 3, 4291 2.5.6). 0: not known.
 */
#define BGP_LINK_NONE UINT32_MAX /* on none of ours: such next hops lead nowhere */
void bgp_conn_link(struct bgp_speaker *s, struct bgp_conn_id c, uint32_t link);

enum bgp_conn_end {
    BGP_CONN_CLOSED,      /* orderly end by the remote */
    BGP_CONN_RESET,       /* RST */
    BGP_CONN_REFUSED,     /* connect: RST to our SYN */
    BGP_CONN_TIMEOUT,     /* no answer */
    BGP_CONN_UNREACHABLE, /* no route, host or network unreachable */
    BGP_CONN_FAILED,      /* local error: no descriptor, bad source address… */
};
/* The connection ended or could not be made. The id is dead afterwards. */
void bgp_conn_down(struct bgp_speaker *s, struct bgp_conn_id c, enum bgp_conn_end why,
                   struct nanotime now);
/* Bytes arrived, in any split. */
void bgp_conn_receive(struct bgp_speaker *s, struct bgp_conn_id c, const uint8_t *data, size_t size,
                      struct nanotime now);
/*
 * Output, pulled. bgp_conn_pull fills up to `count` parts (pointers into the speaker's memory,
 * shared between the members of an update group, valid until the next call that changes the
 * speaker) and returns their number; bgp_conn_sent says how many bytes of them were taken. Nothing
 * is encoded before it is pulled.
 */
struct bgp_part {
    const uint8_t *data;
    size_t size;
};
size_t bgp_conn_pull(struct bgp_speaker *s, struct bgp_conn_id c, struct bgp_part *parts,
                     size_t count, struct nanotime now);
void bgp_conn_sent(struct bgp_speaker *s, struct bgp_conn_id c, size_t size, struct nanotime now);
/* Anything to pull? */
bool bgp_conn_has_output(const struct bgp_speaker *s, struct bgp_conn_id c);
/* Is it that of a session that is up? */
bool bgp_conn_established(const struct bgp_speaker *s, struct bgp_conn_id c);

/* ---- time -------------------------------------------------------------------------------- */

struct nanotime bgp_next_deadline(const struct bgp_speaker *s); /* "now" (0) when work is left */
void bgp_advance(struct bgp_speaker *s, struct nanotime now);

/* ---- events ------------------------------------------------------------------------------ */

enum bgp_event_kind {
    BGP_EVENT_NONE,
    BGP_EVENT_CONNECT,  /* open a connection: conn, peer; then bgp_conn_up or bgp_conn_down */
    BGP_EVENT_OUTPUT,   /* conn has bytes to pull (edge: once until it has been pulled empty) */
    BGP_EVENT_CLOSE,    /* close conn after sending what is pulled; the id is dead */
    BGP_EVENT_ABORT,    /* close conn at once, with RST; the id is dead */
    BGP_EVENT_STATE,    /* peer went from old_state to new_state */
    BGP_EVENT_NOTIFIED, /* NOTIFICATION sent or received: code, subcode, data */
    BGP_EVENT_FIB,      /* the best path of `prefix` changed: route or withdrawn; fib.install only,
                           and when that is turned on every route is told */
    BGP_EVENT_TRACK,    /* next hop `address` is wanted (up) or no longer (down): bgp_nexthop_set */
    BGP_EVENT_LOG,      /* something worth a line: id and values */
    BGP_EVENT_PEERS,    /* the set of peers, their passwords or addresses changed: re-read them */
};

/* Why a session ended; IOS prints these, BIRD classifies them. */
enum bgp_down_reason {
    BGP_DOWN_NONE,
    BGP_DOWN_NOTIFICATION_SENT,
    BGP_DOWN_NOTIFICATION_RECEIVED,
    BGP_DOWN_PEER_CLOSED,
    BGP_DOWN_CONNECT_FAILED,
    BGP_DOWN_COLLISION,
    BGP_DOWN_ADMIN_SHUTDOWN,
    BGP_DOWN_ADMIN_RESET, /* user: clear */
    BGP_DOWN_DECONFIGURED,
    BGP_DOWN_CONFIG_CHANGE,
    BGP_DOWN_RR_CLIENT_CHANGE,
    BGP_DOWN_PREFIX_LIMIT,
    BGP_DOWN_INTERFACE, /* the neighbour's subnet is no longer connected */
    BGP_DOWN_BFD,
    BGP_DOWN_NO_ROUTE, /* fall_over: no route leads to the neighbour */
    /* What of the configuration changed; CONFIG_CHANGE: something else. */
    BGP_DOWN_ROUTER_ID_CHANGE,
    BGP_DOWN_CLUSTER_ID_CHANGE,
    BGP_DOWN_CONFEDERATION_CHANGE,
    BGP_DOWN_REMOTE_AS_CHANGE,
    BGP_DOWN_LOCAL_AS_CHANGE,
    BGP_DOWN_SOURCE_CHANGE,   /* local_addr */
    BGP_DOWN_MULTIHOP_CHANGE, /* TTL security, too */
    BGP_DOWN_FAMILIES_CHANGE,
    BGP_DOWN_CAPABILITY_CHANGE,
};

enum bgp_log_id {
    BGP_LOG_PREFIX_WARNING, /* value1 count, value2 limit */
    BGP_LOG_PREFIX_EXCEEDED,
    BGP_LOG_MALFORMED_UPDATE, /* value1 attribute, value2 enum of the outcome */
    BGP_LOG_COLLISION,        /* value1: 1 kept incoming */
    BGP_LOG_GR_STARTED,       /* peer restarts, routes kept stale */
    BGP_LOG_GR_ENDED,         /* value1: routes purged */
    BGP_LOG_UNKNOWN_PEER,     /* connection from an address that is not configured */
    BGP_LOG_LOCKED,           /* BIRD: another peer of the same address runs; value1 its index */
    BGP_LOG_NO_MEMORY,
    BGP_LOG_IMPORT_OUTDATED, /* see struct bgp_peer_info; value1 the family */
};

/* More is not told: the longest shutdown text, its length, and the code and subcode that a hard
 * reset puts before it (RFC 9003, 8538). */
#define BGP_NOTIFICATION_DATA_MAX (2 + 1 + BGP_SHUTDOWN_TEXT_MAX)

/* `link`: of a link-local address of IPv6 the link it is on (bgp_conn_link), else 0. */
struct bgp_next_hop {
    struct ip_addr addr;
    uint32_t link;
};

struct bgp_fib_route {
    struct ip_prefix prefix;
    bool withdrawn;
    struct ip_addr next_hop;   /* BGP NEXT_HOP; an own route's gateway, or not set */
    struct ip_addr link_local; /* RFC 2545, or not set */
    uint32_t link;             /* next_hop's, as in struct bgp_next_hop */
    uint32_t local_pref;
    uint32_t med;
    bool external; /* learned over eBGP */
    enum route_source source;
    bool multipath; /* other paths share the load */
    /* Multipath: the next hops of equal paths, sorted and unique; 0: `next_hop` alone. Valid until
     * the next event is taken off. */
    uint8_t next_hop_count;
    const struct bgp_next_hop *next_hops;
    bool blackhole; /* own route with blackhole_in_kernel; learned: discard (RFC 7999) */
};

/* What the configuration's kernel filter (bgp_fib_config.filter) says of a route. */
struct bgp_fib_decision {
    bool install;
    const char *device; /* the tunnel's, the configuration's memory; NULL: the next hop's own */
};
struct bgp_fib_decision bgp_fib_decide(const struct bgp_config *c, const struct bgp_fib_route *r);

struct bgp_event {
    enum bgp_event_kind kind;
    struct bgp_peer_id peer;
    struct bgp_conn_id conn;
    union {
        struct {
            enum bgp_state old_state, new_state;
            enum bgp_down_reason reason;
        } state;
        struct {
            bool sent;
            bool incoming; /* on a connection the remote opened */
            enum bgp_state in_state;
            uint8_t code, subcode;
            uint16_t size;
            uint8_t data[BGP_NOTIFICATION_DATA_MAX];
        } notified;
        struct bgp_fib_route fib;
        struct {
            struct ip_addr address;
            uint32_t link; /* as in struct bgp_next_hop */
            bool wanted;
        } track;
        struct {
            enum bgp_log_id id;
            uint64_t value1, value2;
            struct ip_addr address;
            enum bgp_family family; /* of PREFIX_WARNING and PREFIX_EXCEEDED */
            uint32_t number;        /* of MALFORMED_UPDATE: struct bgp_malformed's */
        } log;
    };
};

/* The oldest event, taken off; false when there is none. Drain after every call. FIB changes of one
 * prefix are coalesced while they wait. */
bool bgp_next_event(struct bgp_speaker *s, struct bgp_event *ret_event);

/* ---- routes ------------------------------------------------------------------------------ */

/* A route of our own, beside the configured ones. BGP_INVALID: prefix not masked, or attributes
 * that no UPDATE could have. */
enum bgp_status bgp_originate(struct bgp_speaker *s, const struct bgp_origin_config *o,
                              struct nanotime now) BGP_CHECK;
enum bgp_status bgp_withdraw(struct bgp_speaker *s, struct ip_prefix prefix,
                             enum route_source source, struct nanotime now) BGP_CHECK;
/* The answer to BGP_EVENT_TRACK, given also when it is "unreachable", and every later change: until
 * told, a next hop is unreachable, and a restarting speaker waits before its End-of-RIB.
 * `metric`: IGP cost (RFC 4271 9.1.2.2 e). */
void bgp_nexthop_set(struct bgp_speaker *s, struct ip_addr address, bool reachable, uint32_t metric,
                     struct nanotime now);
/* The same of a next hop with a link, or without one (0). */
void bgp_nexthop_set_on_link(struct bgp_speaker *s, struct bgp_next_hop next_hop, bool reachable,
                             uint32_t metric, struct nanotime now);
/* Connected subnets, for third-party next hops and the directly-connected check. */
enum bgp_status bgp_connected_set(struct bgp_speaker *s, const struct ip_prefix *subnets,
                                  size_t count, struct nanotime now) BGP_CHECK;

/* ---- operator ---------------------------------------------------------------------------- */

enum bgp_clear {
    BGP_CLEAR_HARD,     /* Cease/Administrative Reset, then start again */
    BGP_CLEAR_SOFT_IN,  /* ROUTE-REFRESH, or Adj-RIB-In with soft reconfiguration */
    BGP_CLEAR_SOFT_OUT, /* resend */
    BGP_CLEAR_BFD_DOWN, /* BFD, run by somebody else, says so (RFC 9384): Cease, start again */
};
/* peer.index 0: every peer. */
enum bgp_status bgp_clear(struct bgp_speaker *s, struct bgp_peer_id peer, enum bgp_clear how,
                          struct nanotime now) BGP_CHECK;

/* RFC 2439: histories of unstable routes (of `prefix`, NULL: all) are forgotten, and routes that
 * were held back are used again. */
void bgp_dampening_clear(struct bgp_speaker *s, const struct ip_prefix *prefix);

/* ---- looking --------------------------------------------------------------------------------
 * Dumps are sorted and deterministic: peers by configuration order, routes by prefix, paths best
 * first, then by peer. Returned structs are views, valid until the next call that changes the
 * speaker. */

struct bgp_message_counts {
    uint32_t updates, keepalives, refreshes;
    uint16_t opens, notifications; /* a few */
};

struct bgp_peer_info {
    struct bgp_peer_id id;
    const struct bgp_neighbor *config;
    enum bgp_state state;
    bool waiting_for_lock; /* BIRD: another peer of the same neighbour runs */
    bool admin_down;
    bool prefix_limit_down;
    struct nanotime since;   /* last change of state (established: of the session) */
    bool incoming;           /* the established connection was opened by the remote */
    struct bgp_conn_id conn; /* established connection */
    struct bgp_endpoint local, remote;
    uint32_t remote_id;   /* BGP identifier, host order; 0 never seen */
    uint16_t hold_time_s; /* negotiated */
    uint16_t keepalive_s;
    bool as4, refresh, enhanced_refresh, graceful_restart; /* received capabilities */
    uint16_t remote_restart_time_s;                        /* of its capability 64 */
    bool restart_families[BGP_FAMILIES];                   /* in its capability 64 */
    bool restart_preserved[BGP_FAMILIES];      /* … with the F bit: its forwarding went on */
    bool extended_messages, extended_next_hop; /* negotiated */
    bool dynamic;                              /* made by a listen range */
    bool families[BGP_FAMILIES];               /* negotiated */
    bool path_ids[BGP_FAMILIES];               /* RFC 7911: negotiated, of what is received; as
                                     the last session had it */
    uint32_t prefixes_received[BGP_FAMILIES];  /* paths held in Adj-RIB-In */
    uint32_t prefixes_accepted[BGP_FAMILIES];  /* … that import policy let through */
    uint32_t prefixes_sent[BGP_FAMILIES];      /* Adj-RIB-Out */
    /* Established: what the session brought before import policy changed stands by the old one, so
     * far as that refused or changed it, because the peer cannot be asked to send it again (no RFC
     * 2918) and it was not kept as received. A new session ends it. */
    bool import_outdated;
    /* RFC 8212: nothing passes, because the session is external and has no policy. */
    bool import_policy_missing[BGP_FAMILIES], export_policy_missing[BGP_FAMILIES];
    uint32_t prefixes_best[BGP_FAMILIES];
    struct bgp_message_counts sent, received; /* of the current session */
    uint32_t established_count, dropped_count;
    enum bgp_down_reason last_reason;
    uint8_t last_code, last_subcode; /* of last NOTIFICATION */
    bool last_sent;                  /* we sent it */
    const char *last_error;          /* BIRD's words, e.g. "BGP Error: Bad peer AS"; "" if none */
    struct nanotime last_reset;
    struct nanotime last_read; /* established, with a hold time: of the last message; else 0 */
    struct nanotime
        last_write;        /* … of the last one that set the keepalive timer, less its jitter */
    uint32_t update_group; /* its number; 0: in none */
};
uint32_t bgp_peer_count(const struct bgp_speaker *s);
/* The n-th peer in configuration order; false past the end. */
bool bgp_peer_at(const struct bgp_speaker *s, uint32_t n, struct bgp_peer_info *ret_info);
bool bgp_peer_get(const struct bgp_speaker *s, struct bgp_peer_id id,
                  struct bgp_peer_info *ret_info);
/* What the host needs to make or accept a connection of this peer; NULL: there is none. */
const struct bgp_neighbor *bgp_peer_config(const struct bgp_speaker *s, struct bgp_peer_id id);
/* … of the n-th configured peer; NULL past the end. Those of listen ranges are not among them. */
const struct bgp_neighbor *bgp_peer_config_at(const struct bgp_speaker *s, uint32_t n);
/* Whose call this is: the peer with this address, and with this local one where several have it, or
 * the template of its listen range, which has no address; NULL: nobody's. */
const struct bgp_neighbor *bgp_peer_config_of_call(const struct bgp_speaker *s,
                                                   struct ip_addr remote, struct ip_addr local);

struct attr_set; /* attr.h */

struct bgp_path_info {
    struct bgp_peer_id peer;      /* index 0: own route */
    const struct attr_set *attrs; /* after import policy */
    uint32_t weight;
    uint32_t peer_router_id; /* host order; own id for own routes */
    enum route_source source;
    bool best;
    bool valid;    /* eligible: next hop reachable, no loop */
    bool rejected; /* kept although import policy refused it */
    bool stale;
    bool external;
    bool multipath;        /* shares the load with the best one */
    bool damped;           /* RFC 2439: held back, therefore not valid */
    bool suppressed;       /* the best one, and an aggregate is sent in its place */
    uint32_t igp_metric;   /* to the next hop; 0 where there is none to look up */
    uint32_t path_id;      /* RFC 7911, as received; 0 without */
    uint8_t decision_step; /* decide.h: the row that chose the best against this one */
    struct nanotime received;
};

struct bgp_rib_iterator {
    enum bgp_family family;
    struct ip_prefix prefix; /* current */
    void *at;                /* private */
    uint32_t position, path; /* private */
};
/* Walks prefixes in order. The iterator snapshots the order; free it with bgp_rib_end. */
enum bgp_status bgp_rib_begin(const struct bgp_speaker *s, enum bgp_family family,
                              struct bgp_rib_iterator *ret_it) BGP_CHECK;
bool bgp_rib_next_prefix(const struct bgp_speaker *s, struct bgp_rib_iterator *it);
bool bgp_rib_next_path(const struct bgp_speaker *s, struct bgp_rib_iterator *it,
                       struct bgp_path_info *ret_path);
void bgp_rib_end(struct bgp_rib_iterator *it);
/* Every prefix once, in no order, and without a snapshot: the speaker may go on between two calls.
 * What changes meanwhile is shown as it was, as it is, or not at all. `at` starts at 0; free each
 * iterator with bgp_rib_end. BGP_UNKNOWN: no more. */
enum bgp_status bgp_rib_walk(const struct bgp_speaker *s, enum bgp_family family, uint32_t *at,
                             struct bgp_rib_iterator *ret_it) BGP_CHECK;
/*
 * Every prefix of a family in order, and those that stand in an Adj-RIB-Out alone, too (a default
 * route that is originated for a session); in slices, while the speaker goes on. What is there all
 * the time is given exactly once. At most `batch` prefixes are kept, and as often as that the table
 * is looked through. NULL: no memory.
 */
struct bgp_rib_order;
#define BGP_RIB_ORDER_BATCH 65536u /* a million prefixes: looked through 16 times */
struct bgp_rib_order *bgp_rib_order_new(const struct bgp_speaker *s, enum bgp_family family,
                                        uint32_t batch);
/* BGP_OK: the next one; BGP_REFUSED: `*budget`, the prefixes that may still be looked at, is 0 and
 * more are needed; BGP_UNKNOWN: no more. */
enum bgp_status bgp_rib_order_next(const struct bgp_speaker *s, struct bgp_rib_order *o,
                                   uint32_t *budget, struct ip_prefix *ret_prefix) BGP_CHECK;
void bgp_rib_order_free(struct bgp_rib_order *o);
/* Starts at one prefix (exact); false: not in the table. */
bool bgp_rib_find(const struct bgp_speaker *s, struct ip_prefix prefix,
                  struct bgp_rib_iterator *ret_it);
/* What stands in the Adj-RIB-Out towards a peer for this prefix, as sent, path by path (RFC 7911):
 * begins with a zeroed `it`; false: no more. */
struct bgp_adj_out {
    const struct attr_set *attrs;
    uint32_t path_id; /* 0: the session has none */
    uint32_t at;      /* private */
};
bool bgp_adj_out_next(const struct bgp_speaker *s, struct bgp_peer_id peer, struct ip_prefix prefix,
                      struct bgp_adj_out *it);
/* The first of them; NULL: nothing. */
const struct attr_set *bgp_adj_out_find(const struct bgp_speaker *s, struct bgp_peer_id peer,
                                        struct ip_prefix prefix);

/* RFC 2439: what is remembered of a route that flapped. */
struct bgp_dampened {
    struct ip_prefix prefix;
    struct ip_addr neighbor;
    uint32_t path_id;
    uint32_t penalty, flaps;
    bool suppressed;
    uint32_t reuse_in_s; /* suppressed: in steps of ten seconds */
    struct nanotime first;
};
/* The next one behind *at (0 at first), in no order; false: no more. */
bool bgp_dampening_next(const struct bgp_speaker *s, uint32_t *at, struct nanotime now,
                        struct bgp_dampened *ret);

struct bgp_counters {
    uint32_t sessions[BGP_STATES];
    uint64_t established_count, dropped_count;
    uint64_t adj_in[BGP_FAMILIES], loc_rib[BGP_FAMILIES];
    uint64_t loc_rib_digest; /* scoreboard.h */
    uint64_t updates_received, updates_sent;
    struct nanotime established_first, established_last, loc_rib_last, update_last;
    uint32_t attr_sets, update_groups;
    uint32_t malformed_updates;
    uint32_t routes_too_long; /* times a route was withheld because no message holds it */
};
void bgp_counters_get(const struct bgp_speaker *s, struct bgp_counters *ret_counters);

/* Figures of the IOS profile; elsewhere they are not kept, and these return false or 0. */
struct bgp_table_tally {
    uint32_t version; /* 1, and one more for every change of a best path */
    uint32_t prefixes_made, prefixes_gone, paths_made, paths_gone;
};
bool bgp_table_tally_get(const struct bgp_speaker *s, enum bgp_family f,
                         struct bgp_table_tally *ret_tally);
/* The table's version when the best path of this prefix changed last. */
uint32_t bgp_prefix_version(const struct bgp_speaker *s, struct ip_prefix prefix);
/* Of the current session. `total`: prefixes announced, one announced again included (an implicit
 * withdrawal of what stood there). */
struct bgp_prefix_tally {
    uint32_t total, implicit_withdraws, explicit_withdraws;
};
/* RFC 7313: times are 0 where there was none. */
struct bgp_refresh_tally {
    uint32_t starts, ends;
    struct nanotime last_start, last_end;
};
struct bgp_session_tally {
    struct bgp_prefix_tally sent, received;
    struct bgp_refresh_tally refresh_sent, refresh_received;
};
bool bgp_session_tally_get(const struct bgp_speaker *s, struct bgp_peer_id peer, enum bgp_family f,
                           struct bgp_session_tally *ret_tally);

/* RFC 7606 6: the last malformed UPDATEs, and how many of each kind there were. Views. */
struct bgp_malformed {
    uint32_t number;  /* from one, as they came */
    const char *peer; /* name */
    struct nanotime at;
    uint8_t attribute;   /* code to blame, 0: none */
    const char *outcome; /* "discard", "withdraw", "session-reset" */
    const uint8_t *body; /* behind the header; NULL: there was no memory to keep it */
    uint32_t size;
};
struct bgp_malformed_count {
    char peer[BGP_PEER_NAME_MAX];
    uint8_t attribute;
    uint64_t count;
};
/* The n-th, last one first; false past the end. */
bool bgp_malformed_at(const struct bgp_speaker *s, uint32_t n, struct bgp_malformed *ret);
/* The OPEN that was refused last, behind its header, while events of that call are drained; NULL:
 * it was another peer's, or there was no memory to keep it. */
const uint8_t *bgp_refused_open(const struct bgp_speaker *s, struct bgp_peer_id peer,
                                uint32_t *ret_size);
const struct bgp_malformed_count *bgp_malformed_counts(const struct bgp_speaker *s,
                                                       uint32_t *ret_count);

/* Policy dry run: which term of which policy decided about this prefix towards or from this peer.
 * Text for people, one line per term that spoke, appended to `out`. */
struct text;
enum bgp_status bgp_explain(const struct bgp_speaker *s, struct bgp_peer_id peer, bool import,
                            struct ip_prefix prefix, struct text *out) BGP_CHECK;

#endif
