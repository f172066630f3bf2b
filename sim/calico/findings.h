#ifndef RIBCAGE_CALICO_FINDINGS_H
#define RIBCAGE_CALICO_FINDINGS_H

#include "plan_internal.h"

/*
 * What the files that report on a plan share. One file per subject:
 *
 *   plan_findings.c     nodes, BGPPeers, pools; the order of the rest
 *   findings_select.c   what selectors take, and what they miss
 *   findings_filter.c   BGPFilters and communities
 *   findings_session.c  sessions that do not come up, duplicates, how many there are
 *   findings_version.c  fields that came later
 *   findings_reach.c    who can learn whose routes
 *
 * Every id stands in the catalogue, finding.c.
 */

#define FINDING_NAMES_MAX 5 /* examples in one message */

#define WARN(b, place, id, ...) diag_add((b)->diags, DIAG_WARNING, place, id, __VA_ARGS__)
#define FAIL(b, place, id, ...) diag_add((b)->diags, DIAG_ERROR, place, id, __VA_ARGS__)
#define NOTE(b, place, id, ...) diag_add((b)->diags, DIAG_NOTE, place, id, __VA_ARGS__)

/* The finding just added is about a session of two ends. */
void finding_pair(struct plan_build *b, const char *one, const char *other);
void finding_prefix(struct plan_build *b, struct ip_prefix p);
/* Where a finding is to be looked for: the BGPPeer; for "", the mesh's: the BGPConfiguration or,
 * where there is none, the first node. */
struct diag_place finding_place(const struct plan_build *b, const char *peer);

void select_findings(struct plan_build *b, const struct peering *g);
void filter_findings(struct plan_build *b);
void session_findings(struct plan_build *b);
void reach_findings(struct plan_build *b);
void version_findings(struct plan_build *b);

#endif
