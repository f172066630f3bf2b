#ifndef RIBCAGE_CORE_POLICY_ACTION_H
#define RIBCAGE_CORE_POLICY_ACTION_H

#include <stdbool.h>

/* What a matching policy term does to a route. */

struct policy_term;
struct policy_route;

/* All actions of the term, in order; what they build stands in the route's arena. False: out of
 * memory or, with r->too_long, the route would exceed a limit of limits.h. */
bool policy_actions_run(const struct policy_term *t, struct policy_route *r);

#endif
