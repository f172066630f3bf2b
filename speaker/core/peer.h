#ifndef RIBCAGE_CORE_PEER_H
#define RIBCAGE_CORE_PEER_H

#include "session.h"

/* A configured neighbour: whether it may run, when it tries, what it shows. */

/* Binds a fresh slab object to its configuration; `config_index`: its place in peer_order. */
void peer_init(struct bgp_speaker *s, struct peer *p, uint32_t index, uint32_t config_index,
               const struct bgp_neighbor *config, struct nanotime now);
/* What went wrong with it, all zero if nothing did. */
const struct peer_history *peer_history(const struct bgp_speaker *s, const struct peer *p);
/* The same to write down what did; without memory it is lost. */
struct peer_history *peer_history_make(struct bgp_speaker *s, struct peer *p);
/* It starts afresh: no error is shown, and the next one's wait is the first. */
void peer_forgive(struct bgp_speaker *s, struct peer *p, bool error, bool wait);
/* No connection, no routes kept, nothing waited for but a call. */
bool peer_is_idle(const struct peer *p);
/* May it run now? Then it starts, or waits for its neighbour's lock. Idempotent. */
void peer_try_start(struct bgp_speaker *s, struct peer *p, struct nanotime now);
/* Ends its sessions with a Cease and keeps it from running until peer_try_start. The lock is handed
 * on by peer_pass_lock. */
void peer_halt(struct bgp_speaker *s, struct peer *p, const struct session_cause *cause,
               struct nanotime now);
/* Ends its sessions with a Cease and starts it again after the connect delay. */
void peer_reset(struct bgp_speaker *s, struct peer *p, const struct session_cause *cause,
                struct nanotime now);
/* Starts the first peer that waits for the lock `p` held. */
void peer_pass_lock(struct bgp_speaker *s, const struct peer *p, struct nanotime now);
/* RFC 4271 5.1.3: a neighbour has this address from now on, or no longer: what names it as a third
 * party is sent with another next hop. */
void peer_address_changed(struct bgp_speaker *s, struct ip_addr a);
/* Halts it and withdraws what is left of it in the tables. */
void peer_remove(struct bgp_speaker *s, struct peer *p, struct nanotime now);
/* Then gives it back, once its last path is taken away. */
void peer_free(struct bgp_speaker *s, struct peer *p);

/* Actions of the state machine. */
void peer_start_after_delay(struct bgp_speaker *s, struct peer *p, struct nanotime now);
void peer_arm_retry(struct bgp_speaker *s, struct peer *p, uint32_t ms, struct nanotime now);
void peer_stop_retry(struct bgp_speaker *s, struct peer *p);
void peer_back_off(struct bgp_speaker *s, struct peer *p, struct nanotime now);
/* RFC 4271 8.1.1: a session that was up for a moment only, or whose connections all lose to one the
 * neighbour has, starts again after a wait that doubles, where the profile damps flapping. */
void peer_idle_hold(struct bgp_speaker *s, struct peer *p, struct nanotime now);
/* Its prefix limit ended the session: it stays down, or for prefix_restart_min. */
void peer_over_limit(struct bgp_speaker *s, struct peer *p, struct nanotime now);

/* p->timer fired. */
void peer_timer(struct bgp_speaker *s, struct peer *p, struct nanotime now);
/* Recomputes the state shown and tells of a change. */
void peer_show(struct bgp_speaker *s, struct peer *p, struct nanotime now);
/* The other connection of the same peer, or NULL. */
struct conn *peer_other_conn(const struct bgp_speaker *s, const struct peer *p,
                             const struct conn *c);
/* `ms` shortened by a random part of up to `percent` of it. */
uint64_t peer_jitter_ms(struct bgp_speaker *s, uint64_t ms, uint32_t percent);
/* The first peer in configuration order with this address, or NULL. */
struct peer *peer_by_address(const struct bgp_speaker *s, struct ip_addr a);
/* The next one with the address of `p`, or NULL. */
struct peer *peer_next_by_address(const struct bgp_speaker *s, const struct peer *p);
/* Puts a peer behind those with the same address; there must be room in s->by_address. */
void peer_link_address(struct bgp_speaker *s, const struct peer *p);
void peer_unlink_address(struct bgp_speaker *s, const struct peer *p);

#endif
