#ifndef RIBCAGE_CORE_RESTART_H
#define RIBCAGE_CORE_RESTART_H

#include "speaker.h"

/* Graceful restart (RFC 4724), both sides, and the stale routes of enhanced refresh (RFC 7313). */

/* Did both sides agree, so that the routes of an Established session may outlive its connection? */
bool restart_negotiated(const struct bgp_speaker *s, const struct peer *p);
/* RFC 8538: and a NOTIFICATION other than a hard reset, too? */
bool restart_by_notification(const struct peer *p);
/* The session left Established: keeps or withdraws the routes of every family. */
void restart_leave(struct bgp_speaker *s, struct peer *p, bool keep, struct nanotime now);
/* The session is Established (again): what the new OPEN does not vouch for goes. */
void restart_established(struct bgp_speaker *s, struct peer *p, struct nanotime now);
void restart_end_of_rib(struct bgp_speaker *s, struct peer *p, enum bgp_family f,
                        struct nanotime now);
/* BoRR and EoRR from the peer. */
void restart_refresh_begin(struct bgp_speaker *s, struct peer *p, enum bgp_family f,
                           struct nanotime now);
void restart_refresh_end(struct bgp_speaker *s, struct peer *p, enum bgp_family f);
/* No route of a former session stays. */
void restart_abandon(struct bgp_speaker *s, struct peer *p);
/* speaker->stale_timer fired: of the peers whose time is over nothing stale stays. */
void restart_stale_expired(struct bgp_speaker *s, struct nanotime now);

/* Our own restart: ends the deferral of best paths when nobody is waited for any more. */
void restart_check_deferral(struct bgp_speaker *s, struct nanotime now);
void restart_deferral_expired(struct bgp_speaker *s, struct nanotime now);

#endif
