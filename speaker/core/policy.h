#ifndef RIBCAGE_CORE_POLICY_H
#define RIBCAGE_CORE_POLICY_H

#include "../base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The one policy engine: ordered terms of matches and actions. BGPFilter, Calico's built-in export
 * policy and IOS route-maps, prefix-lists and filter-lists are compiled into it by their front ends
 * (sim/calico, speaker/ios), which keep their own words out of here.
 *
 * A session has a chain of policies per direction and a chain default. Evaluation walks the chain;
 * in each policy the terms in order. A term whose matches all hold applies its actions, then its
 * verdict decides how to go on. A policy whose terms are exhausted ends with its own `otherwise`.
 * A chain that is exhausted ends with the session's default.
 *
 * Everything here is plain data owned by the configuration's arena; evaluation allocates only what
 * it changes.
 */

enum policy_verdict {
    POLICY_ACCEPT,      /* the chain ends: the route passes */
    POLICY_REJECT,      /* the chain ends: the route does not pass */
    POLICY_NEXT_POLICY, /* go on with the next policy of the chain */
    POLICY_NEXT_TERM,   /* go on with the next term (or with the term `continue_at`) */
};

/* Where a route came from, as far as policy can ask. */
enum route_source {
    ROUTE_SOURCE_BGP = 1, /* learned over BGP (RemotePeers) */
    ROUTE_SOURCE_STATIC,  /* configured: an IPAM block, a service range, IOS `network` */
    ROUTE_SOURCE_KERNEL,  /* found in the kernel: a pod's /32 */
    ROUTE_SOURCE_DIRECT,  /* an interface's subnet */
    ROUTE_SOURCE_AGGREGATE,
};

enum policy_match_kind {
    POLICY_MATCH_PREFIX,          /* prefix set */
    POLICY_MATCH_COMMUNITY,       /* has all of `communities` (or, with `exact`, exactly these) */
    POLICY_MATCH_LARGE_COMMUNITY, /* has all of `large_communities` */
    POLICY_MATCH_AS_PATH_PREFIX,  /* AS_PATH begins with `asns`, in sequences only */
    POLICY_MATCH_AS_PATH_REGEX,   /* `text`: IOS regular expression on the path's text, which is in
                                     asdot (RFC 5396) if `value` is not 0 */
    POLICY_MATCH_SOURCE,          /* bit set of (1 << enum route_source) in `value` */
    POLICY_MATCH_INTERFACE,     /* `text`: glob (* and ?) on the outgoing interface's name; a route
                                   without interface has the empty name */
    POLICY_MATCH_PEER_EXTERNAL, /* the session is eBGP (value 1) or iBGP (value 0) */
    POLICY_MATCH_LOCAL_PREF,    /* == value; false when the route has none */
    POLICY_MATCH_MED,           /* == value; a missing MED is 0 */
    POLICY_MATCH_TAG,           /* == value */
    POLICY_MATCH_NEXT_HOP,      /* prefix set on the next hop as a host route */
    POLICY_MATCH_LOCAL_PREF_ABOVE, /* > value; false when the route has none */
    POLICY_MATCH_ANY_OF, /* `alternatives`: any of these matches holds (IOS: several lists in
                            one match line); one level deep */
    POLICY_MATCH_COMMUNITY_REGEX, /* `text`: regular expression on the communities' text, in
                                     ascending order, blank separated */
    POLICY_MATCH_NEVER, /* never holds (IOS: undefined list that denies; Equal+prefixLength) */
};

/* One element: inside `prefix`, with a length in [length_min, length_max]. */
struct policy_prefix {
    struct ip_prefix prefix;
    uint8_t length_min;
    uint8_t length_max;
    bool deny; /* ordered list semantics: the first element that fits decides */
};

struct large_community {
    uint32_t global, local1, local2;
};

struct policy_match {
    enum policy_match_kind kind;
    bool negate;
    bool exact;
    uint32_t value;
    const char *text;
    /* Prefix set: first fitting element decides; none fits: no match. */
    const struct policy_prefix *prefixes;
    uint32_t prefix_count;
    const uint32_t *asns; /* also the communities of POLICY_MATCH_COMMUNITY, as 32-bit values */
    uint32_t asn_count;
    const struct large_community *large_communities;
    uint32_t large_community_count;
    const struct policy_match *alternatives;
    uint32_t alternative_count;
    const char *name; /* for explanations: "prefix-list POD-CIDRS"; may be NULL */
};

enum policy_action_kind {
    POLICY_SET_LOCAL_PREF, /* value */
    POLICY_SET_MED,        /* value; mode 0 set, 1 add, 2 subtract (both saturate) */
    POLICY_CLEAR_MED,
    POLICY_SET_WEIGHT,   /* value (import only) */
    POLICY_SET_ORIGIN,   /* value 0 IGP, 1 EGP, 2 INCOMPLETE */
    POLICY_SET_NEXT_HOP, /* address */
    POLICY_SET_NEXT_HOP_SELF,
    POLICY_SET_NEXT_HOP_PEER, /* the neighbour's address */
    POLICY_SET_NEXT_HOP_KEEP,
    POLICY_PREPEND_AS_PATH, /* asns, the first one ends up leftmost */
    POLICY_PREPEND_LAST_AS, /* the leftmost AS, `value` times; nothing on an empty path */
    POLICY_ADD_COMMUNITIES, /* asns as 32-bit values */
    POLICY_SET_COMMUNITIES, /* replaces; none given: removes the attribute */
    POLICY_DELETE_COMMUNITIES,
    POLICY_ADD_LARGE_COMMUNITIES,
    POLICY_SET_TAG,
    POLICY_SET_DEVICE,             /* kernel filter: the route goes through the device `text` */
    POLICY_LOCAL_PREF_FROM_METRIC, /* Calico: local_pref = value - metric, where the metric of a
                                      route not learned over BGP is its source's own; BGP routes
                                      keep theirs */
    POLICY_SET_DAMPENING, /* asns: half-life, reuse, suppress, longest suppression; times in s */
};

struct policy_action {
    enum policy_action_kind kind;
    uint8_t mode;
    uint32_t value;
    const char *text;
    struct ip_addr address;
    const uint32_t *asns;
    uint32_t asn_count;
    const struct large_community *large_communities;
    uint32_t large_community_count;
};

struct policy_term {
    const char *name; /* shown in explanations: "exportV4[1] Reject In 10.0.0.0/8"; never NULL */
    const struct policy_match *matches; /* all must hold; none given: always */
    uint32_t match_count;
    const struct policy_action *actions; /* not applied when the verdict is POLICY_REJECT */
    uint32_t action_count;
    enum policy_verdict verdict;
    uint32_t continue_at; /* POLICY_NEXT_TERM: index of the term to go on with, 0 = the next */
};

struct policy {
    const char *name; /* "BGPFilter export-pod-routes exportV4", "route-map ALLOW-POD-ROUTES" */
    const struct policy_term *terms;
    uint32_t term_count;
    enum policy_verdict otherwise; /* no term ended it: ACCEPT, REJECT or NEXT_POLICY */
};

/* A session's policies in one direction and family: indices into bgp_config.policies. */
struct policy_chain {
    const uint16_t *policies;
    uint16_t count;
    bool accept_by_default; /* after the last policy */
};

#endif
