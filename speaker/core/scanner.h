#ifndef RIBCAGE_CORE_SCANNER_H
#define RIBCAGE_CORE_SCANNER_H

#include "speaker.h"

/*
 * Questions about the whole table that routes are advertised by, asked again at an interval as
 * IOS's scanner does: is there a best path that a policy accepts?
 */

/* The speaker's configuration is another one: what it asks for is collected anew. Answers to
 * questions that stay (by family and the policy's name) are kept. */
void scanner_changed(struct bgp_speaker *s, struct nanotime now);
void scanner_free(struct bgp_speaker *s);

/* May what the condition concerns be advertised? Not before the first look at the table. */
bool scanner_condition_holds(const struct bgp_speaker *s, const struct bgp_condition_config *c);
/* May a peer be sent the default route that is originated for it? */
bool scanner_default_holds(const struct bgp_speaker *s, const struct bgp_peer_options *peer,
                           enum bgp_family f);

/* Looks at no more than `budget` prefixes; sessions that something changed for are regrouped.
 * Returns what is left. */
uint32_t scanner_work(struct bgp_speaker *s, uint32_t budget, struct nanotime now);
bool scanner_has_work(const struct bgp_speaker *s);

#endif
