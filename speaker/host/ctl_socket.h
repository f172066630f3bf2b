#ifndef RIBCAGE_HOST_CTL_SOCKET_H
#define RIBCAGE_HOST_CTL_SOCKET_H

#include "../base/nanotime.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * ctl's end of a speaker's control socket.
 */

/* How long a speaker may be silent before it counts as stuck; 0: for ever. */
#define CTL_SILENCE_S 30
#define CTL_SILENCE_S_MAX 86400

/* The descriptor; -1: it has been said why not. That nobody listens there is an answer from `end`
 * on only: a speaker may still be starting. Unless we are root, who answers must be us or root:
 * what listens on a path that anybody could have bound is not believed. */
int ctl_connect(const char *path, unsigned silence_s, struct nanotime end);

/* A pidfd of the speaker's process; -1: it is not to be had, as of another pid namespace. */
int ctl_process(int fd);
/* Waits until the process has ended, so long at most (0: for ever). */
bool ctl_process_ends(int pidfd, unsigned seconds);

/* Takes the request. The answer; NULL: it has been said that none came. */
json_t *ctl_ask(int fd, json_t *request);

#endif
