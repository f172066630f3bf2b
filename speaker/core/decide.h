#ifndef RIBCAGE_CORE_DECIDE_H
#define RIBCAGE_CORE_DECIDE_H

#include "config.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The decision process (RFC 4271 9.1.2, 4456 9, 5004) as a table of named steps, one table per
 * profile: BIRD's order for calico and fast, IOS's for ios, the RFC's for plain.
 */

enum decide_step {
    DECIDE_NONE,     /* not compared (only path, or not eligible) */
    DECIDE_ELIGIBLE, /* next hop reachable, no loop, accepted by policy */
    DECIDE_STALE,    /* BIRD: a route with LLGR_STALE loses, RFC 9494 4.3 */
    DECIDE_WEIGHT,   /* IOS */
    DECIDE_LOCAL_PREF,
    DECIDE_LOCAL_ROUTE,    /* originated here */
    DECIDE_AS_PATH_LENGTH, /* RFC 4271 9.1.2.2 a */
    DECIDE_ORIGIN,         /* b */
    DECIDE_MED,            /* c */
    DECIDE_EXTERNAL,       /* d: eBGP over iBGP */
    DECIDE_IGP_METRIC,     /* e */
    DECIDE_OLDEST,         /* RFC 5004: both external, keep the current best */
    DECIDE_ROUTER_ID,      /* f, ORIGINATOR_ID in its place (RFC 4456 9) */
    DECIDE_CLUSTER_LIST,   /* RFC 4456 9 */
    DECIDE_PEER_ADDRESS,   /* g */
};
#define DECIDE_STEPS 15
/* "weight", "local preference", "AS path length"… */
const char *decide_step_name(enum decide_step s);

struct attr_set;

/* What the steps compare: one candidate path. */
struct decide_path {
    const struct attr_set *attrs;
    bool eligible;
    bool stale;    /* with community LLGR_STALE; what a restart of the peer left counts as fresh */
    bool external; /* learned over eBGP */
    bool local;    /* originated here */
    uint32_t weight;
    uint32_t igp_metric;
    uint32_t router_id; /* ORIGINATOR_ID or the peer's identifier, host order */
    struct ip_addr peer_address;
    uint64_t received_order; /* smaller = older */
};

/* The members of struct bgp_config of these names. */
struct decide_rules {
    enum bgp_profile profile;
    uint32_t default_local_pref; /* of a route without LOCAL_PREF */
    bool always_compare_med, deterministic_med, med_missing_as_worst, compare_router_id;
    bool as_path_ignore, igp_metric_ignore, med_confed;
};

/* < 0: a is better, > 0: b is better, 0: indistinguishable. *ret_step says which row decided.
 * MED is compared only between paths of one neighbouring AS unless always_compare_med. */
int decide_compare(const struct decide_rules *rules, const struct decide_path *a,
                   const struct decide_path *b, enum decide_step *ret_step);
/* IOS, and BIRD with merge paths: may `p` share the load with `best`? Equal in everything up to the
 * IGP metric; `mixed`: external and internal ones too. Without `relax`, of the same AS_PATH. */
bool decide_shares(const struct decide_rules *rules, const struct decide_path *best,
                   const struct decide_path *p, bool mixed, bool relax);
/*
 * The index of the best of `count` paths, or -1 when none is eligible. MED eliminates within each
 * neighbouring AS (RFC 4271 9.1.2.2 c). IOS: without deterministic_med paths are compared in pairs,
 * newest first, so the order of arrival counts. ret_steps[i] (count entries, may be NULL) gets the
 * row by which path i lost.
 */
int decide_best(const struct decide_rules *rules, const struct decide_path *paths, uint32_t count,
                enum decide_step *ret_steps);

#endif
