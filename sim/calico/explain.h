#ifndef RIBCAGE_CALICO_EXPLAIN_H
#define RIBCAGE_CALICO_EXPLAIN_H

#include "plan.h"

/*
 * Why a node has a session with a peer, or why it has none: every rule that spoke, with the place
 * of the resource it stands in.
 *
 *   {"node", "peer",
 *    "rules":    [{"family": "ipv4", "rule": "mesh" | "bgppeer" | "reverse",
 *                  "verdict": "session" | "loses" | "no", "text", "file", "line"}],
 *    "sessions": [{"session": the plan's, "because": [{"field", "text", "file", "line"}]}],
 *    "pairs":    the plan's pairs of the two}
 *
 * `peer` is an address, the name of a node or the name of one of the node's sessions. NULL: it is
 * none of these (*ret_unknown is true then), or out of memory.
 */
json_t *calico_explain_session(const struct calico_plan *p, const struct calico_plan_node *n,
                               const char *peer, bool *ret_unknown);

/* The same for people. */
void calico_explain_print(const json_t *explanation, struct text *out);

/* The node's session with the peer in this family (-1: any), as BIRD would run it: the mesh's
 * before a BGPPeer's. NULL: none. */
const struct calico_session *calico_explain_find(const struct calico_plan *p,
                                                 const struct calico_plan_node *n, const char *peer,
                                                 int family);

#endif
