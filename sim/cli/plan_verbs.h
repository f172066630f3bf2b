#ifndef RIBCAGE_CLI_PLAN_VERBS_H
#define RIBCAGE_CLI_PLAN_VERBS_H

#include "../calico/plan.h"
#include "../calico/plan_forms.h"
#include "../check/oracle.h"
#include "cli.h"

struct manifests;

/* What the verbs on plans share. */

/* A node of a plan as the oracle sees it, its configuration in `arena`. False: out of memory. */
bool plan_oracle_node(const struct calico_plan *plan, const struct calico_plan_node *n,
                      struct arena *arena, struct oracle_node *ret_node);

/* The routers of --cisco as the oracle sees them; with at least one address each, if it is known.
 */
struct plan_routers {
    struct oracle_node *nodes;
    size_t count;
};

/* The set behind some paths, and its plan. */
struct planned {
    struct arena *arena;
    struct diag_list *diags;
    struct calico_set *set;
    struct calico_plan *plan;
    struct plan_routers routers; /* none unless given; another's */
    /* With the oracle: the plan's nodes in its order, then `routers`, then the other neighbours
     * outside the cluster as routers that answer each stanza as it wants, let every route in and
     * reflect none. */
    struct oracle_node *nodes;
    struct oracle *oracle; /* NULL until planned_oracle */
};
struct calico_plan_options plan_options(const struct cli_options *o);
/* Reads, applies and plans; false: findings are in p->diags (or memory ran out). */
bool planned_read(struct planned *p, const char *const *paths, size_t count,
                  const struct cli_options *o);
/* `before`: the state whose sessions nodes keep where BIRD refuses their file now; NULL: none. */
bool planned_oracle(struct planned *p, const struct planned *before);
void planned_release(struct planned *p);

/* plan_states.c: the sessions that are up in a state, in order of address. */
struct plan_up_pair {
    const char *node_a, *node_b; /* NULL: an outside router */
    struct ip_addr addr_a, addr_b;
    enum bgp_family family;
    const char *kind; /* of struct calico_pair */
};
struct plan_up {
    struct plan_up_pair *items;
    size_t count;
};
/* Those of `next`: what its plan expects, and of nodes whose file BIRD refuses what was up before
 * (NULL: nothing) and the other end still has. In `arena`, apart from either plan. False: no
 * memory. */
bool plan_up(const struct calico_plan *old, const struct plan_up *before,
             const struct calico_plan *next, struct arena *arena, struct plan_up *ret_up);
/* Into `step`: how many "sessions" are up in `next`, and lists of those that "fall", "rise", or
 * "startAnew" with "why". */
void plan_states_compare(const struct calico_plan *old, const struct plan_up *a,
                         const struct calico_plan *next, const struct plan_up *b, json_t *step);
/* The count of (node, block) that are without each other, with some `examples`; -1: not known.
 * `before`: as planned_oracle has it. */
json_int_t plan_unreachable(struct planned *p, const struct planned *before, json_t *examples);
#define PLAN_EXAMPLES_MAX 5

/* plan --diff OLD NEW; the exit status. */
int plan_diff(struct cli_options *o);

/* explain NODE PREFIX --to PEER, on a plan that was read; the exit status. */
int explain_route(struct planned *p, const struct calico_plan_node *n, const struct cli_options *o);

/* plan_routers.c: reads the routers of --cisco into in->arena. An address that a text does not have
 * is the peerIP of `set` that fits. False: one cannot be read, or out of memory. */
bool plan_routers_read(struct manifests *in, const struct calico_set *set,
                       const struct cli_options *opt, struct plan_routers *ret_routers);
bool plan_router_has(const struct oracle_node *router, struct ip_addr a);
/* What the routers of --cisco make of a plan. */
struct plan_around {
    struct text out;                /* their sessions; its caller's, as text_init has it */
    struct calico_failing *failing; /* of the nodes' sessions; in the arena of the manifests */
    size_t failing_count;
};
/* Reads them and fills *ret_around, findings into in->diags. False: a router cannot be read, or out
 * of memory. */
bool plan_routers(struct manifests *in, const struct calico_set *set,
                  const struct calico_plan *plan, const struct cli_options *opt,
                  struct plan_around *ret_around);

#endif
