#ifndef RIBCAGE_CORE_OTC_H
#define RIBCAGE_CORE_OTC_H

#include "attr.h"

struct arena;

/*
 * Only to Customer, RFC 9234 5: a route once sent to a customer, or among peers, goes on to
 * customers only. `role` is ours on the session.
 */

/* Why a route that came in is a leak and not to be used; NULL: it is none. */
const char *otc_import_obstacle(enum bgp_role role, uint32_t remote_as,
                                const struct attr_values *v);
/* Why it may not go out; NULL: it may. */
const char *otc_export_obstacle(enum bgp_role role, const struct attr_values *v);
/* Adds the attribute where the role calls for it and it is not there: coming in with the peer's
 * AS, going out with ours. New arrays stand in `arena`. False: no memory. */
bool otc_import(enum bgp_role role, uint32_t remote_as, struct arena *arena, struct attr_values *v)
    __attribute__((warn_unused_result));
bool otc_export(enum bgp_role role, uint32_t local_as, struct arena *arena, struct attr_values *v)
    __attribute__((warn_unused_result));

#endif
