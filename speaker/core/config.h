#ifndef RIBCAGE_CORE_CONFIG_H
#define RIBCAGE_CORE_CONFIG_H

#include "../base/addr.h"
#include "limits.h"
#include "policy.h"

#include <stdbool.h>
#include <stdint.h>

struct arena;

/*
 * What a speaker is told to be. Front ends (Calico manifests, IOS text, JSON) compile into this;
 * the core diffs a new one against the old and touches only what changed.
 *
 * Plain data. All pointers belong to the arena the configuration was made in; the core makes its
 * own copy (bgp_config_copy) and keeps no pointer into the caller's. Times are in the unit their
 * name ends in. Zero means "the profile's default" only where said.
 */

enum bgp_family {
    BGP_IPV4_UNICAST = 0,
    BGP_IPV6_UNICAST = 1,
    BGP_FAMILIES = 2,
};

/* Timers and habits of the implementation we stand in for. See profile.h for the tables. */
enum bgp_profile {
    BGP_PROFILE_CALICO, /* Calico's BIRD 1.6: real timers */
    BGP_PROFILE_FAST,   /* the same rules, connection timers in milliseconds */
    BGP_PROFILE_IOS,    /* Cisco IOS 15.7 */
    BGP_PROFILE_PLAIN,  /* RFC 4271 defaults, RFC 8212 policy default: the stand-alone speaker */
};
#define BGP_PROFILES 4

/* How NEXT_HOP is set when a route is sent. */
enum bgp_next_hop_mode {
    BGP_NEXT_HOP_AUTO, /* RFC 4271 5.1.3: self to eBGP (third party allowed where the profile does),
                          kept to iBGP */
    BGP_NEXT_HOP_SELF, /* always self for routes not reflected; IOS next-hop-self */
    BGP_NEXT_HOP_SELF_ALL, /* reflected ones too */
    BGP_NEXT_HOP_KEEP,     /* to eBGP too; BIRD: an own route's gateway as well */
};

enum bgp_graceful_restart {
    BGP_GR_OFF,    /* capability not sent, peer's ignored */
    BGP_GR_HELPER, /* keep a restarting peer's routes; do not announce own restart with families */
    BGP_GR_FULL,   /* helper, and announces that our forwarding survives */
};

/* RFC 9234 4: what we are to the peer. Values less one are those of the wire. */
enum bgp_role {
    BGP_ROLE_NONE,
    BGP_ROLE_PROVIDER,
    BGP_ROLE_RS,
    BGP_ROLE_RS_CLIENT,
    BGP_ROLE_CUSTOMER,
    BGP_ROLE_PEER,
};
#define BGP_ROLES 6

/* A TCP MD5 key (RFC 2385): counted, because any octet may be in it, NUL too. */
struct bgp_password {
    uint8_t size; /* 1 to BGP_PASSWORD_MAX */
    uint8_t octets[];
};

/*
 * How a session is run: what many neighbours have in common. A running speaker keeps one copy for
 * all that have the same (neighbor.h), so that a member costs nothing by the neighbour. Equality is
 * that of octets: bgp_peer_config_init clears what lies between members.
 */
struct bgp_peer_options {
    struct ip_addr local_addr; /* not set: the kernel chooses */
    uint16_t remote_port;      /* 0 = 179 */
    uint32_t local_as;         /* 0 = the speaker's; else RFC 7705 style local AS */
    bool local_as_no_prepend;  /* it is not put into the paths that come in */
    bool local_as_replaces;    /* it alone stands in the paths that go out */
    bool families[BGP_FAMILIES];
    bool passive;   /* never connects */
    bool fall_over; /* the session ends as soon as no route leads to remote_addr */
    bool rr_client;
    uint8_t ttl_security_hops; /* RFC 5082: 0 off; else accept TTL >= 255 - hops + 1, send 255 */
    uint8_t multihop;          /* 0: directly connected (eBGP TTL 1); else TTL to send */
    uint16_t hold_time_s;      /* 0 with hold_time_set: no hold timer */
    bool hold_time_set;        /* false: the profile's */
    uint16_t keepalive_s;      /* 0: a third of the negotiated hold time */
    uint16_t hold_time_min_s;  /* an OPEN with less is refused; 0: nothing but RFC 4271's 3 s */
    uint16_t connect_retry_s;  /* between tries to connect; 0: the profile's */
    uint16_t error_wait_s;     /* Idle after an error; 0: the profile's, which doubles */
    enum bgp_next_hop_mode next_hop_mode;
    uint8_t allow_local_as;         /* how often our AS may stand in a received AS_PATH */
    bool remove_private_as;         /* a path of private ASes alone is emptied */
    bool remove_private_as_all;     /* … they are taken out of any path */
    bool remove_private_as_replace; /* … our AS stands in their place */
    bool as_override;
    bool transparent;      /* RFC 7947 2.2: AS_PATH, NEXT_HOP and MED go on as they came */
    bool send_communities; /* IOS: off unless send-community; else on */
    bool send_ext_communities;
    bool enforce_first_as; /* eBGP: the leftmost AS must be the peer's */
    bool default_originate[BGP_FAMILIES];
    bool soft_reconfiguration;         /* keep what import policy refused */
    uint32_t weight;                   /* IOS */
    uint32_t prefix_max[BGP_FAMILIES]; /* 0: no limit */
    uint8_t prefix_warning_percent;    /* 0: no warning */
    bool prefix_warning_only;
    uint16_t prefix_restart_min; /* minutes; 0: stays down */
    enum bgp_graceful_restart graceful_restart;
    uint16_t restart_time_s; /* 0: the profile's (120) */
    bool gr_notification;    /* RFC 8538: N bit; NOTIFICATIONs restart gracefully too */
    uint32_t advertisement_interval_ms[BGP_FAMILIES]; /* MRAI; 0 = none */
    bool extended_messages;    /* RFC 8654: messages of up to 65,535 octets */
    bool extended_next_hop;    /* RFC 8950: IPv4 prefixes may have IPv6 next hops */
    bool strict_families;      /* RFC 5492 5: all of ours, not one, must be the peer's too */
    uint16_t send_hold_time_s; /* RFC 9687; 0: 480 s or twice the hold time, what is longer */
    enum bgp_role role;        /* RFC 9234; external sessions only */
    bool role_strict;          /* a peer without a role is refused */
    bool blackhole_accept;     /* RFC 7999: routes with BLACKHOLE from this peer discard traffic */
    bool graceful_shutdown;    /* RFC 8326: what we send carries GRACEFUL_SHUTDOWN */
    /* RFC 7911. Sent: at most so many paths per prefix, best first; 0: not offered. */
    uint32_t add_path_send[BGP_FAMILIES]; /* BGP_ADD_PATH_ALL: every usable path */
    bool add_path_receive[BGP_FAMILIES];
    uint32_t add_path_receive_max[BGP_FAMILIES]; /* ids taken per prefix; 0 = BGP_ADD_PATH_IDS */
    struct policy_chain import[BGP_FAMILIES];
    struct policy_chain export[BGP_FAMILIES];
    /* Indices into `policies` + 1, 0: none. What the first does not refuse is sent although an
     * aggregate silences it; the second: the default route is originated while it accepts a best
     * path. */
    uint32_t unsuppress_policy[BGP_FAMILIES];
    uint32_t default_policy[BGP_FAMILIES];
    const struct bgp_condition_config *conditions; /* all must hold for a route they concern */
    uint32_t condition_count;
};

/* A neighbour as front ends describe it: what is its own, and its options as if they were. */
struct bgp_peer_config {
    char name[BGP_PEER_NAME_MAX];        /* unique: "Mesh_10_0_0_2", "192.168.1.10" */
    const char *description;             /* at most BGP_PEER_NAME_MAX - 1 octets; NULL: none */
    const struct bgp_password *password; /* NULL: none */
    const char *shutdown_text;           /* RFC 9003: with Cease 6/2 by `shutdown`; NULL: none */
    struct ip_addr remote_addr;
    uint32_t remote_as;
    bool shutdown; /* administratively down */
    union {
        struct bgp_peer_options;
        struct bgp_peer_options options;
    };
};

/* Conditional advertisement, as IOS's advertise-map does it: what `advertise_policy` does not
 * refuse is sent only while a best path exists that `exist_policy` accepts; `absent`: while none
 * does. Both are looked at each scan_time_s. */
struct bgp_condition_config {
    enum bgp_family family;
    uint32_t advertise_policy, exist_policy; /* indices into `policies` + 1 */
    bool absent;
};

/* RFC 2439: external routes that come and go are held back. The figures of merit are 1000 for a
 * withdrawal and 500 for other attributes. */
struct bgp_dampening_config {
    enum bgp_family family;
    uint32_t half_life_s;
    uint32_t reuse, suppress; /* figures of merit; reuse <= suppress */
    uint32_t suppress_max_s;  /* no route is held back for longer */
    /* Index into `policies` + 1: what it refuses is not dampened, and POLICY_SET_DAMPENING gives
     * others their own values; 0: none. */
    uint32_t policy;
};

/* A route of the node's own. */
struct bgp_origin_config {
    struct ip_prefix prefix;
    enum route_source source; /* STATIC, KERNEL or DIRECT */
    char interface[16];       /* outgoing interface's name, "" when it has none */
    uint32_t metric;          /* the source's own metric; UINT32_MAX: none */
    uint8_t origin;           /* ORIGIN: 0 IGP, 1 EGP, 2 INCOMPLETE */
    uint32_t weight;          /* IOS: 32768 */
    uint32_t tag;             /* of the route, for policies; 0: none */
    uint32_t med;             /* with med_set */
    bool med_set;
    bool blackhole_in_kernel; /* the host writes a blackhole route for it (IPAM block) */
    /* Index into `policies` + 1: what it refuses is not originated, and it may change the
     * attributes; 0: none. IOS: route-map of network and redistribute. */
    uint32_t policy;
    struct ip_addr gateway; /* the host writes a route through it while it is reachable */
    /* Sent as it is, reachable or not, but to nobody whose address it is; not set: ours. */
    struct ip_addr next_hop;
    /* Path attributes beside, as in an UPDATE with four-octet ASes, in hexadecimal (RFC 4271 4.3;
     * not NEXT_HOP, MP_REACH_NLRI and MP_UNREACH_NLRI); NULL: none. */
    const char *attributes;
};

/* RFC 4271 9.2.2.2, as IOS's aggregate-address does it: originated while a more specific prefix has
 * a best path. */
struct bgp_aggregate_config {
    struct ip_prefix prefix;
    bool as_set;               /* AS_SET of what is aggregated; without it ATOMIC_AGGREGATE */
    bool summary_only;         /* the more specific ones are not sent */
    uint32_t suppress_policy;  /* index into `policies` + 1: what it does not refuse is not sent;
                                  0: none */
    uint32_t attribute_policy; /* index + 1: changes the attributes of the aggregate; 0: none */
    uint32_t advertise_policy; /* index + 1: only what it accepts is aggregated; 0: none */
};

/* How best paths become kernel routes. */
struct bgp_fib_config {
    bool install;
    uint32_t table;              /* 0 = main (254) */
    uint32_t metric;             /* 0 = the kernel's default */
    bool metric_from_local_pref; /* Calico: 2147483647 - local_pref, where it is a route of BGP */
    /* Which best paths (own blackholes too) the kernel gets: matches on prefix, source, next hop
     * and local preference; POLICY_SET_DEVICE sends a route through a tunnel device instead of the
     * next hop's interface. No policies: all of them. */
    struct policy_chain filter[BGP_FAMILIES];
};

/* Neighbours that are not configured one by one: whoever calls from `prefix` gets a peer made from
 * `peer` that lives as long as its session. */
struct bgp_listen_range {
    struct ip_prefix prefix;
    uint32_t limit;              /* peers at a time; 0: as many as a speaker may have */
    struct bgp_peer_config peer; /* its name begins theirs; no remote address; remote_as 0: any */
};

struct bgp_config {
    char hostname[64];
    enum bgp_profile profile;
    uint32_t local_as;
    struct ip_addr router_id;         /* IPv4; required */
    uint32_t cluster_id;              /* host order; 0 = the router id */
    bool client_to_client_reflection; /* default true */
    /* Of its family. Neither set: any address of both; one: the other family is not listened on. */
    struct ip_addr listen_addr4, listen_addr6;
    uint16_t listen_port;        /* 0 = 179 */
    bool listen;                 /* false: never accepts */
    uint32_t default_local_pref; /* 100 */
    bool always_compare_med;
    bool deterministic_med;
    bool compare_router_id;
    bool med_missing_as_worst;
    bool as_path_ignore;    /* IOS: bestpath as-path ignore */
    bool igp_metric_ignore; /* IOS: bestpath igp-metric ignore */
    bool med_confed; /* IOS: bestpath med confed; RFC 5065 5.3: also between members' paths */
    /* Between two looks at the conditions of conditional advertisement; 0: 60. */
    uint16_t scan_time_s;
    /* IOS: from the start no best path is chosen until every neighbour that came up has sent its
     * table, and this long at most; 0: at once. */
    uint16_t update_delay_s;
    /* IOS: an external session without multihop ends when the neighbour's subnet is no longer
     * connected, not when the hold time does. */
    bool fast_external_fallover;
    /* RFC 5065: `local_as` is the member AS then. 0: no confederation. */
    uint32_t confederation_id;
    const uint32_t *confederation_members; /* the other members' ASes */
    uint32_t confederation_member_count;
    /* Paths as good as the best one that share the load, the best included; 0 and 1: none. IOS:
     * maximum-paths, maximum-paths ibgp, maximum-paths eibgp; BIRD: merge paths, by the profile. */
    uint32_t multipath_external[BGP_FAMILIES], multipath_internal[BGP_FAMILIES];
    uint32_t multipath_mixed[BGP_FAMILIES];
    bool multipath_as_path_relax; /* AS_PATHs need equal length only */
    bool log_neighbor_changes;
    uint16_t hold_time_s; /* with hold_time_set: default of all peers */
    uint16_t keepalive_s;
    bool hold_time_set;
    bool blackhole_no_export;       /* RFC 7999 3.2: BLACKHOLE is treated as NO_EXPORT */
    bool graceful_shutdown_receive; /* RFC 8326 4.2: GRACEFUL_SHUTDOWN sets LOCAL_PREF 0 */
    struct bgp_fib_config fib;

    struct bgp_peer_config *peers; /* in the order of the file (BIRD: by name) */
    uint32_t peer_count;
    struct bgp_listen_range *listen_ranges; /* the longest match counts */
    uint32_t listen_range_count;
    uint32_t listen_limit; /* peers of all ranges at a time; 0: no limit beside theirs */
    const struct policy *policies;
    uint32_t policy_count;
    struct bgp_origin_config *origins; /* sorted by prefix; unique by (prefix, source) */
    uint32_t origin_count;
    struct bgp_aggregate_config *aggregates; /* in the order of the file; prefixes are unique */
    uint32_t aggregate_count;
    const struct bgp_dampening_config *dampening; /* one per family at most */
    uint32_t dampening_count;
};

/* IPv4, and the values of IOS: half-life 15 min, reuse 750, suppress 2000, an hour at most. */
extern const struct bgp_dampening_config bgp_dampening_default;

/* Fills in everything a front end need not say: profile's habits, 179, install on… */
void bgp_config_init(struct bgp_config *c, enum bgp_profile profile);
void bgp_peer_config_init(struct bgp_peer_config *p, enum bgp_profile profile);

/* The address to listen on for `family`, unspecified (0.0.0.0, ::) for any; false: not at all. */
bool bgp_config_listens(const struct bgp_config *c, enum ip_family family,
                        struct ip_addr *ret_addr);
/* The listen range with the longest prefix that has `a`; NULL: none. */
const struct bgp_listen_range *bgp_config_range_of(const struct bgp_config *c, struct ip_addr a);

/* Of `size` octets, 255 at most (more than BGP_PASSWORD_MAX are refused with the configuration);
 * NULL: `octets` is NULL or `size` 0, or memory is out. */
const struct bgp_password *bgp_password_new(struct arena *arena, const void *octets, size_t size);
bool bgp_password_equal(const struct bgp_password *a, const struct bgp_password *b);

/* A deep copy in `arena`; NULL when memory is out. */
struct bgp_config *bgp_config_copy(struct arena *arena, const struct bgp_config *c);

/* Are these path attributes, as bgp_origin_config.attributes wants them? */
bool bgp_attributes_valid(const char *text);

struct diag_list;
/*
 * Everything that can be wrong with a configuration without knowing the network: AS 0, AS_TRANS,
 * 65535 and 4294967295 as configured AS (RFC 7300, 7607), duplicate names, router id 0, hold time
 * 1 or 2, rr_client on an external peer, password too long, ttl-security with multihop, limits.
 * False if there was an error. `file` names the source in the findings.
 */
bool bgp_config_check(const struct bgp_config *c, const char *file, struct diag_list *diags);

/* The same where parts have places of their own: `of` is asked for that of the index-th one. */
enum bgp_config_part {
    BGP_PART_WHOLE,
    BGP_PART_PEER,
    BGP_PART_RANGE,
    BGP_PART_POLICY,
    BGP_PART_ORIGIN,
    BGP_PART_AGGREGATE,
};
struct diag_place;
struct bgp_config_places {
    struct diag_place (*of)(const void *context, enum bgp_config_part part, uint32_t index);
    const void *context;
};
bool bgp_config_check_at(const struct bgp_config *c, const struct bgp_config_places *places,
                         struct diag_list *diags);

#endif
