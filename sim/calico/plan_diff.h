#ifndef RIBCAGE_CALICO_PLAN_DIFF_H
#define RIBCAGE_CALICO_PLAN_DIFF_H

#include "plan.h"

/*
 * What a change does to a plan, as JSON:
 *
 *   {"nodes": [{"name", "change": "added" | "removed" | "altered",
 *               "sessionsAdded": [session…], "sessionsRemoved": [session…],
 *               "sessionsAltered": [{"name", "family", "fields": {KEY: [old, new]…}}],
 *               "routesAdded": [prefix…], "routesRemoved": [prefix…]}],
 *    "filters": {"added": [name…], "removed": [name…], "altered": [name…]},
 *    "totals": {"sessionsAdded", "sessionsRemoved", "sessionsAltered", "routesAdded",
 *               "routesRemoved", "filtersAdded", "filtersRemoved", "filtersAltered"}}
 *
 * A session is what the plan's own JSON has; routes are those a node originates. Nodes that stay as
 * they are are left out.
 */

/* A new reference; NULL: out of memory. */
json_t *calico_plan_diff(const struct calico_plan *old, const struct calico_plan *new);
/* The same for people. */
void calico_plan_diff_print(const json_t *diff, struct text *out);

#endif
