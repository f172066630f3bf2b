#ifndef RIBCAGE_HOST_MRT_LOG_H
#define RIBCAGE_HOST_MRT_LOG_H

#include "../core/bgp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;

/*
 * Every message and change of state of this speaker's sessions, in an MRT file (BGP4MP_ET).
 */
struct mrt_log;

/* What has gone over one connection; NULL until its first octets. */
struct mrt_tap;

/* Appends to `path`. NULL: errno. */
struct mrt_log *mrt_log_new(struct host *h, const char *path);
void mrt_log_free(struct mrt_log *l); /* writes what is left; NULL is fine */
/* Opens the file of --mrt anew, as whoever rotates it wants; keeps the old one, and says so in the
 * log, when that fails. NULL is fine. */
void mrt_log_reopen(struct mrt_log *l);
/* Writes what has gathered. */
void mrt_log_flush(struct mrt_log *l);
void mrt_log_state(struct mrt_log *l, const struct bgp_event *e);
/* Octets that went over the connected descriptor `fd`. `l` NULL: nothing is done. */
void mrt_log_octets(struct mrt_log *l, struct mrt_tap **tap, int fd, bool sent, const void *data,
                    size_t size);
void mrt_tap_free(struct mrt_tap *t); /* NULL is fine */

#endif
