#ifndef RIBCAGE_HOST_ACCEPT_H
#define RIBCAGE_HOST_ACCEPT_H

#include "sockopt.h"

struct host;

/* Keeps descriptors for when there is no other: one for all, one for the control socket. */
void accept_init(struct host *h);
void accept_deinit(struct host *h);
/* The next connection of a listener, nonblocking; `ret_from`: whose, or NULL. -1 with errno: there
 * is none, or (EMFILE, ENFILE) no descriptor for it: then it was reset, which is said in the log.
 */
int accept_next(struct host *h, int listener, union sockaddr_any *ret_from);
/* The same for the control socket, nonblocking: with no other descriptor its clients get the one
 * that is kept for them, one at a time. */
int accept_operator(struct host *h, int listener);
/* A descriptor of a control client was closed: one is kept again. */
void accept_operator_left(struct host *h);

#endif
