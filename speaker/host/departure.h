#ifndef RIBCAGE_HOST_DEPARTURE_H
#define RIBCAGE_HOST_DEPARTURE_H

#include "connection.h"

/*
 * A connection that the speaker has let go: what is left to be said is written, then FIN, then we
 * read and discard until the remote closes or its time is over.
 */

/* Takes over the descriptor and the tap of `c`, whose output is collected; on failure it takes
 * nothing. */
bool departure_begin(struct connection *c);
/* Ends those whose time is over. */
void departures_advance(struct sockets *s, struct nanotime now);
struct nanotime departures_next_deadline(const struct sockets *s);
/* At once, RST. */
void departures_abort(struct sockets *s);

/* connection.c: sendmsg, without waiting. < 0: errno. */
ssize_t connection_send(int fd, const struct bgp_part *parts, size_t count);
size_t connection_parts_size(const struct bgp_part *parts, size_t count);
/* The first `sent` octets of the parts (< 0: none), for the file of messages. */
void connection_log_sent(const struct sockets *s, struct mrt_tap **tap, int fd,
                         const struct bgp_part *parts, size_t count, ssize_t sent);

#endif
