#ifndef RIBCAGE_HOST_VTY_H
#define RIBCAGE_HOST_VTY_H

#include "../base/nanotime.h"

#include <stdbool.h>
#include <stddef.h>

struct host;
struct vty;
struct ios_router;

/*
 * The lines of a mock Cisco: TCP port 23 while the running-config opens it (`line vty …` with
 * `transport input telnet`), and the console, a unix socket in the abstract namespace (so, one per
 * network namespace), open to this user and root.
 */
#define VTY_PORT 23

struct vty *vty_new(struct host *h); /* NULL: out of memory */
void vty_free(struct vty *v);
/* The running-config changed: opens or closes port 23, for as many sessions as there are lines. */
void vty_configure(struct vty *v, struct ios_router *r);
/* Log lines, to the terminals that want them. */
void vty_log(struct vty *v, struct ios_router *r, const char *lines);
struct nanotime vty_next_deadline(const struct vty *v);
void vty_advance(struct vty *v, struct nanotime now);

#endif
