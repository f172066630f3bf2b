#ifndef RIBCAGE_HOST_SOCKETS_H
#define RIBCAGE_HOST_SOCKETS_H

#include "../base/nanotime.h"
#include "../core/bgp.h"

#include <stdbool.h>
#include <stddef.h>

struct host;
struct sockets;
struct diag_list;
struct ios_tcp;

struct sockets *sockets_new(struct host *h); /* NULL: out of memory */
/* Closes everything with RST. */
void sockets_free(struct sockets *s);
/* Listens as the configuration says: opens, moves or closes listeners. False with a finding. */
bool sockets_listen(struct sockets *s, const struct bgp_config *c, struct diag_list *diags);
/* Peers, addresses or passwords changed. */
void sockets_peers_changed(struct sockets *s);
/* BGP_EVENT_CONNECT, OUTPUT, CLOSE, ABORT. */
void sockets_event(struct sockets *s, const struct bgp_event *e);
/* Writes what connections have to send, a bounded amount each, then makes the calls that wait for
 * that. True: more is left for next time. */
bool sockets_flush(struct sockets *s);
bool sockets_may_connect(const struct sockets *s); /* calls have come since that can be made */
struct nanotime sockets_next_deadline(const struct sockets *s);
void sockets_advance(struct sockets *s, struct nanotime now);
/* Everything said was sent and taken. */
bool sockets_idle(const struct sockets *s);
/* RST on what the speaker still has; connections that are leaving stay. */
void sockets_abort_live(struct sockets *s);
/* RST on all connections. */
void sockets_abort(struct sockets *s);
size_t sockets_count(const struct sockets *s);
/* TCP's figures of an established connection. False: there is no such. */
bool sockets_tcp_state(const struct sockets *s, struct bgp_conn_id conn, struct ios_tcp *ret_tcp);

#endif
