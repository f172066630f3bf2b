#ifndef RIBCAGE_CORE_TALLY_H
#define RIBCAGE_CORE_TALLY_H

#include "speaker.h"

/*
 * Figures that routers of the IOS profile show and nothing else needs: how often the tables changed
 * and what passed each session, withdrawals apart. Without that profile s->tally is NULL, nothing
 * is kept and every function here returns at once. Memory that is missing leaves figures low; it
 * never fails the caller.
 */

struct adjout_group;
struct adjout_bucket_key;
struct adjout_said;

/* False: out of memory. */
bool tally_new(struct bgp_speaker *s);
void tally_free(struct bgp_speaker *s);

/* ---- tables ---- */

/* The best path of a prefix, or the paths that share its load, changed: the table's next version.
 */
void tally_published(struct bgp_speaker *s, enum bgp_family f, uint32_t entry);
/* A path came (`more`) or went; `alone`: the prefix had, or has, no other. */
void tally_path(struct bgp_speaker *s, enum bgp_family f, bool more, bool alone);

/* ---- sessions ---- */

/* The session is Established: it counts from nothing. */
void tally_session(struct bgp_speaker *s, const struct peer *p);
/* A prefix was announced to us and is kept, or not; `had`: one of the peer stood there before. */
void tally_received(struct bgp_speaker *s, const struct peer *p, enum bgp_family f, bool kept,
                    bool had);
/* … withdrawn, that was there. */
void tally_withdrawn(struct bgp_speaker *s, const struct peer *p, enum bgp_family f);

/* A BoRR (`start`) or EoRR came. */
void tally_refresh_received(struct bgp_speaker *s, const struct peer *p, enum bgp_family f,
                            bool start, struct nanotime now);
/* … is about to go, at the time of the last tally_clock. */
void tally_refresh_sent(struct bgp_speaker *s, uint32_t peer, enum bgp_family f, bool start);
void tally_clock(struct bgp_speaker *s, struct nanotime now);

/* What a group encodes counts for each member on its stream: from joining it to leaving it. */
void tally_member_joins(struct bgp_speaker *s, const struct adjout_group *g, uint32_t peer);
void tally_member_leaves(struct bgp_speaker *s, const struct adjout_group *g, uint32_t peer);
/* A change goes out to the members, less those it is not for. `was`: what had been said of the
 * prefix; NULL: nothing. */
void tally_group_sends(struct bgp_speaker *s, struct adjout_group *g,
                       const struct adjout_bucket_key *key, const struct adjout_said *was);
/* `count` prefixes go to one member that catches up; `again`: it asked for what it had. */
void tally_member_sends(struct bgp_speaker *s, uint32_t peer, enum bgp_family f, bool announce,
                        bool again, uint32_t count);

#endif
