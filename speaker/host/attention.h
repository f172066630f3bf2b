#ifndef RIBCAGE_HOST_ATTENTION_H
#define RIBCAGE_HOST_ATTENTION_H

#include "../base/nanotime.h"

#include <stdbool.h>
#include <stdint.h>

struct host;

/* A socket of NETLINK_ROUTE, and whether it is among those that hear of changes. */
struct attention {
    struct host *host;
    int fd;
    uint32_t port;
    bool paying;             /* changes are told at once */
    struct nanotime look_at; /* not paying: when to ask whether the rush is over */
    struct nanotime looked;  /* … when the tables were last read instead */
};

enum attention_turn {
    ATTENTION_AS_BEFORE,
    ATTENTION_LOOK, /* read what may have changed meanwhile */
};

/* `fd` is bound. In a large lab nothing is heard at first: a lab starts with a rush. False with
 * errno. */
bool attention_begin(struct attention *a, struct host *h, int fd);
/* So many kernel routes will be written now. ATTENTION_LOOK: nothing is heard from here on, so what
 * stands now is to be remembered. */
enum attention_turn attention_rush(struct attention *a, uint32_t routes);
enum attention_turn attention_advance(struct attention *a, struct nanotime now);
struct nanotime attention_next_deadline(const struct attention *a);

#endif
