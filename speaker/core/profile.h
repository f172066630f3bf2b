#ifndef RIBCAGE_CORE_PROFILE_H
#define RIBCAGE_CORE_PROFILE_H

#include "config.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The habits of the implementation a speaker stands in for, one row per profile: timers, and the
 * places where BIRD 1.6 (as Calico configures it) and IOS 15.7 do it their own way. Every use of a
 * row is marked `BIRD:` or `IOS:` in the code.
 */

struct profile {
    const char *name;                /* "calico", "fast", "ios", "plain" */
    uint32_t connect_delay_ms;       /* Idle -> first try after start */
    uint32_t connect_retry_ms;       /* between tries */
    uint32_t connect_retry_max_ms;   /* it doubles with every second try up to this; 0: it stays */
    uint32_t connect_jitter_percent; /* a delay is drawn from [100 - jitter, 100] % of the value */
    uint32_t error_wait_min_ms;      /* after an error; doubles up to the maximum */
    uint32_t error_wait_max_ms;
    uint32_t open_wait_ms; /* how long a connection may stay without the peer's OPEN, or its first
                            * KEEPALIVE where there is no hold time */
    uint16_t hold_time_s;
    uint16_t keepalive_s;                       /* 0 = a third */
    uint16_t restart_time_s;                    /* announced in the graceful restart capability */
    uint32_t gr_deferral_ms;                    /* RFC 4724 4.1 Selection_Deferral_Timer */
    enum bgp_graceful_restart graceful_restart; /* default of a peer */
    bool lock_per_neighbor; /* BIRD: one session per (address, port); others wait */
    bool
        passive_shows_idle; /* BIRD: passive sessions stay in Idle ("Passive") until a call comes */
    bool passive_awaits_open;          /* IOS: on an incoming connection our OPEN follows theirs */
    bool one_capability_per_parameter; /* IOS */
    bool send_refresh_old;             /* IOS: capability 128 too */
    bool send_enhanced_refresh;
    bool end_of_rib_always;     /* IOS: EoR even without graceful restart */
    bool third_party_next_hop;  /* eBGP on a shared subnet keeps the next hop */
    bool send_communities;      /* default of a peer */
    bool default_deny_external; /* RFC 8212 */
    bool enforce_first_as;
    bool extended_messages;   /* default of a peer, RFC 8654 */
    bool gr_notification;     /* default of a peer, RFC 8538 */
    bool blackhole_no_export; /* RFC 7999 3.2; BIRD and IOS leave it to policy */
    bool graceful_shutdown_receive;
    uint32_t idle_hold_max_ms; /* a session that flaps waits up to this, doubled; 0: not damped */
    bool own_cluster_from_clients; /* BIRD: CLUSTER_LIST is looked at on sessions with clients only
                                    */
    /* BIRD: `merge paths on` of the kernel protocol: next hops of one route, of paths that are
     * equal up to the IGP metric, whatever their AS_PATHs say; 0: one. */
    uint32_t merge_paths;
    /* BIRD, started with -R, its kernel protocol with `persist`: kernel routes outlive the speaker,
     * and one that finds some is a restarting speaker (RFC 4724 4.1). */
    bool persist;
    uint32_t mrai_external_ms;
    bool keeps_tally; /* IOS: counts what its show commands tell, see tally.h */
};

const struct profile *profile_get(enum bgp_profile p);

/* Does it stand in for BIRD, with whatever timers? */
static inline bool profile_is_bird(enum bgp_profile p) {
    return p == BGP_PROFILE_CALICO || p == BGP_PROFILE_FAST;
}

#endif
