#ifndef RIBCAGE_CORE_ADJOUT_H
#define RIBCAGE_CORE_ADJOUT_H

#include "speaker.h"

/* What rib.c calls beside the functions of speaker.h. */

/* The best path of the prefix `entry` changed: for every group. */
void adjout_entry_changed(struct bgp_speaker *s, enum bgp_family f, uint32_t entry,
                          const struct adjout_route *r);
/* The paths of a prefix, or their order, may have changed: for groups that send several. */
void adjout_paths_changed(struct bgp_speaker *s, enum bgp_family f, uint32_t entry);
/* A path that groups hold is gone (RIB_PATH_GONE). */
void adjout_path_gone(struct bgp_speaker *s, enum bgp_family f, uint32_t path);
/* Fills new groups, at most `budget` prefixes, and does again what memory was missing for. */
void adjout_work(struct bgp_speaker *s, uint32_t budget);
bool adjout_has_work(const struct bgp_speaker *s);
/* Tables of groups that ended, copies of tables and graves, a slice: at most `budget` slots and a
 * page more. Returns what is left of the budget. */
uint32_t adjout_sweep(struct bgp_speaker *s, uint32_t budget);
bool adjout_sweep_pending(const struct bgp_speaker *s);
/* What export_route looks at beside routes and keys changed: every group is looked through again.
 */
void adjout_reevaluate(struct bgp_speaker *s);
/* Tells the members of groups that have something new; `all`: the members of all groups. */
void adjout_notify(struct bgp_speaker *s, bool all);

#endif
