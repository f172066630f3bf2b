#ifndef RIBCAGE_ORACLE_INTERNAL_H
#define RIBCAGE_ORACLE_INTERNAL_H

#include "../../speaker/base/arena.h"
#include "../../speaker/base/table.h"
#include "oracle.h"

/* The inside of the oracle, shared by its files. Everything lives in one arena. */

/* One end of a session as seen from its node. */
struct oracle_end {
    uint32_t neighbor;      /* node index */
    uint32_t peer;          /* own config->peers index */
    uint32_t neighbor_peer; /* theirs */
    struct ip_addr local, remote;
    bool external, client; /* client: our rr_client */
    bool outside;          /* external, but not to a member of our confederation (RFC 5065) */
    bool families[BGP_FAMILIES];
};

/* A path a node knows for a prefix. While the prefix spreads, in `work`; kept ones are shared. */
struct oracle_path {
    struct oracle_path *next;
    uint32_t end; /* index into its node's ends; UINT32_MAX: own route */
    uint32_t origin_node;
    const struct attr_values *attrs;
    bool eligible, by_age;
    bool external; /* learned outside of the AS, or of the confederation (RFC 5065 5.3) */
    uint32_t weight, metric;
    uint32_t router_id; /* ORIGINATOR_ID or the neighbour's */
    const struct bgp_origin_config *own;
};

struct oracle_state {
    struct oracle_end *ends;
    uint32_t end_count;
    /* Ends that may get an iBGP-learned route: external ones, and on a reflector the internal ones.
     */
    uint32_t *onward;
    uint32_t onward_count;
    uint32_t *by_config_peer;         /* config peer index -> end index + 1; 0: down */
    bool *ran;                        /* config peer index: it has the lock, up or not */
    struct oracle_path *paths, *best; /* of the prefix that spreads: candidates, newest first */
    uint32_t *outcomes;               /* per prefix: number of an outcome; NULL: no BGP */
    struct oracle_totals totals;
};

/* Where a prefix has spread to: a node's paths, newest first, and the best of them. */
struct oracle_outcome {
    struct oracle_path *paths, *best;
};
struct oracle_keeper;
struct oracle_results;

/* Has the node a best path that a policy (index + 1) accepts? As of the round before. */
struct oracle_question {
    uint32_t node;
    enum bgp_family family;
    uint32_t policy;
    bool present;
};

struct oracle {
    struct arena *arena;
    struct arena *work; /* of the prefix that spreads */
    struct oracle_outcome *outcomes;
    uint32_t outcome_count, outcome_capacity;
    struct oracle_keeper *keeper;
    struct oracle_results *results;
    const struct oracle_tracer *tracer; /* of the policy that runs; NULL: nobody looks */
    struct oracle_input in;
    struct oracle_state *states;
    struct table addresses; /* index into owners + 1 */
    struct oracle_owner {
        struct ip_addr addr;
        uint32_t node;
    } * owners;
    uint32_t owner_count;
    struct oracle_session *sessions;
    size_t session_count;
    struct oracle_failure *failures;
    size_t failure_count;
    struct ip_prefix *prefixes; /* sorted, unique */
    uint32_t prefix_count;
    struct ip_prefix *unstable;
    size_t unstable_count;
    struct oracle_question *questions;
    uint32_t question_count;
};

uint32_t oracle_address_owner(const struct oracle *o, struct ip_addr a);  /* node or UINT32_MAX */
uint32_t oracle_prefix_index(const struct oracle *o, struct ip_prefix p); /* or UINT32_MAX */
/* The address node `n` uses towards `remote`; not set when it has none of the family. */
struct ip_addr oracle_source_address(const struct oracle_node *n, const struct bgp_peer_config *p);
bool oracle_connected(const struct oracle_node *n, struct ip_addr a);
/* Connected, or behind the gateway of an own route; which address packets go to first. */
bool oracle_reachable(const struct oracle *o, const struct oracle_node *n, struct ip_addr a,
                      struct ip_addr *ret_gateway);
uint32_t oracle_local_as(const struct bgp_config *c, const struct bgp_peer_config *p);
/* Is the neighbour in another member AS of our confederation? */
bool oracle_confederate(const struct bgp_config *c, const struct bgp_peer_config *p);

/* May the path share the load with the best one (BIRD: merge paths, IOS: maximum-paths)? */
bool oracle_shares(const struct bgp_config *c, enum bgp_family f, const struct oracle_path *best,
                   const struct oracle_path *p);
static inline const struct bgp_config *oracle_config(const struct oracle *o, uint32_t node) {
    return o->in.nodes[node].config;
}
/* Does the profile stand in for BIRD? */
static inline bool oracle_is_bird(const struct bgp_config *c) {
    return c->profile == BGP_PROFILE_CALICO || c->profile == BGP_PROFILE_FAST;
}
/* Learned over a session inside of the AS? */
static inline bool oracle_is_internal(const struct oracle_state *s, const struct oracle_path *p) {
    return !p->own && !s->ends[p->end].external;
}
static inline enum bgp_family oracle_family(struct ip_prefix p) {
    return p.addr.family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
}

/* A path without the confederation's own part in front. */
struct as_path oracle_path_outside(struct as_path path);
/* oracle_as_path.c: a path sent to an external peer, and what comes in from one. False: no memory.
 */
bool oracle_path_out(const struct bgp_config *c, const struct bgp_peer_config *p,
                     struct arena *arena, struct as_path *path);
bool oracle_path_in(const struct bgp_config *c, const struct bgp_peer_config *p,
                    struct arena *arena, struct as_path *path);
/* Within the confederation: its segments stand first. */
bool oracle_path_within(const struct bgp_config *c, const struct bgp_peer_config *p,
                        struct arena *arena, struct as_path *path);
/* Is the path no loop, but not what the neighbour may begin one with? NULL: it may. */
const char *oracle_path_begins_wrong(const struct bgp_config *c, const struct bgp_peer_config *p,
                                     struct as_path path);
/* Is the MED of both paths that of one neighbour, so that it may be compared? */
bool oracle_med_comparable(const struct bgp_config *c, struct as_path a, struct as_path b);
/* RFC 1997: which well-known community keeps a route from this end; NULL: none. */
const char *oracle_community_stop(const struct attr_values *v, const struct oracle_end *e);
bool oracle_path_loops(const struct bgp_config *c, const struct bgp_peer_config *p,
                       struct as_path path);

/* oracle_next_hop.c: what `u` sends over end `e` before a policy has its say, and behind it, where
 * the attributes have `now`. BIRD makes it before. */
struct ip_addr oracle_next_hop_sent(const struct oracle *o, uint32_t u, const struct oracle_end *e,
                                    const struct oracle_path *best);
struct ip_addr oracle_next_hop_behind(const struct oracle *o, uint32_t u,
                                      const struct oracle_end *e, const struct oracle_path *best,
                                      enum oracle_next_hop done, struct ip_addr now);
/* Why the neighbour at this end is not told a route of this next hop; NULL: nothing stops it. */
const char *oracle_next_hop_stop(const struct oracle *o, uint32_t u, const struct oracle_end *e,
                                 const struct oracle_path *best, struct ip_addr next_hop);

/* oracle_originate.c: a held route as policies see it. */
struct oracle_candidate oracle_held(const struct oracle_path *p, struct ip_prefix prefix);
/* Why an aggregate, or a condition, keeps the route from this peer; NULL: nothing does. */
const char *oracle_suppressed(const struct oracle *o, uint32_t node,
                              const struct bgp_peer_config *p, const struct oracle_path *best,
                              struct ip_prefix prefix);
const char *oracle_condition_stop(const struct oracle *o, uint32_t node,
                                  const struct bgp_peer_config *p, const struct oracle_path *best,
                                  struct ip_prefix prefix);
/* Is the peer sent a default route of ours, whatever the table has? */
bool oracle_default_sent(const struct oracle *o, uint32_t node, const struct bgp_peer_config *p,
                         enum bgp_family f);
/* The aggregate the node makes of what it has inside of the prefix; NULL: none, or no memory. */
const struct bgp_origin_config *oracle_aggregate(struct oracle *o, uint32_t node, uint32_t prefix,
                                                 const struct attr_values **ret_attrs,
                                                 bool *ret_no_memory);
bool oracle_collect_questions(struct oracle *o); /* false: no memory */
/* Answers all questions from the outcomes; is some answer another one than was assumed? */
bool oracle_answers_change(struct oracle *o);

bool oracle_find_sessions(struct oracle *o);
bool oracle_spread_routes(struct oracle *o);

/* oracle_outcome.c: takes over what the nodes have of the prefix that has spread. False: no
 * memory. */
bool oracle_keep_outcomes(struct oracle *o, uint32_t prefix);
const struct oracle_outcome *oracle_outcome_of(const struct oracle *o, uint32_t node,
                                               uint32_t prefix);
void oracle_free_outcomes(struct oracle *o);
/* … so that prefixes can spread once more. */
void oracle_forget_outcomes(struct oracle *o);
/* oracle_result.c: the totals of all nodes, and room for lists. False: no memory. */
bool oracle_make_results(struct oracle *o);
void oracle_free_results(struct oracle *o);

/* What node `u` would send over end `e`: attributes in the oracle's arena, or NULL and, in
 * *ret_rule, what stopped it. */
const struct attr_values *oracle_export(struct oracle *o, uint32_t u, const struct oracle_end *e,
                                        const struct oracle_path *best, struct ip_prefix prefix,
                                        const char **ret_rule);
/* What the receiving end makes of it; NULL and *ret_rule: refused. */
struct oracle_path *oracle_import(struct oracle *o, uint32_t v, uint32_t end,
                                  const struct attr_values *sent, struct ip_prefix prefix,
                                  const char **ret_rule);

#endif
