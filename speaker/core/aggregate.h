#ifndef RIBCAGE_CORE_AGGREGATE_H
#define RIBCAGE_CORE_AGGREGATE_H

#include "rib.h"

/*
 * Routes that stand for more specific ones (RFC 4271 9.2.2.2), as IOS's aggregate-address makes
 * them: originated while a more specific prefix has a best path.
 */

/* The configured ones changed from `old` (NULL: none) to the speaker's configuration. */
void aggregates_changed(struct bgp_speaker *s, const struct bgp_config *old);
void aggregates_free(struct bgp_speaker *s);
/* The published best path of a prefix changed. */
void aggregate_note(struct bgp_speaker *s, struct ip_prefix prefix);
/* Is the prefix, with these attributes, not to be sent because an aggregate stands for it? */
bool aggregate_suppresses(struct bgp_speaker *s, struct ip_prefix prefix, uint32_t attrs);
/* Makes and withdraws aggregates; looks at no more than `budget` prefixes. Returns what is left. */
uint32_t aggregate_work(struct bgp_speaker *s, uint32_t budget, struct nanotime now);
bool aggregate_has_work(const struct bgp_speaker *s);

#endif
