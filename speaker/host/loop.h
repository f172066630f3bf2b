#ifndef RIBCAGE_HOST_LOOP_H
#define RIBCAGE_HOST_LOOP_H

#include "../base/nanotime.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/*
 * One epoll instance and the descriptors registered with it. Level-triggered: what a callback
 * leaves unread comes again.
 */

#define LOOP_BATCH 64
#define LOOP_SLICE_MS 10 /* of callbacks in one turn; the last one may exceed it */

/* Embedded in its owner. `ready` may remove and free any source, its own included. */
struct loop_source {
    int fd;
    uint32_t events; /* registered, EPOLLIN… */
    void (*ready)(struct loop_source *source, uint32_t events);
};

struct loop {
    int epoll_fd;
    struct epoll_event batch[LOOP_BATCH];
    int batch_count, batch_at; /* a round: what was ready, what was called for */
};

struct nanotime loop_now(void);
bool loop_init(struct loop *l);
void loop_deinit(struct loop *l);
bool loop_add(struct loop *l, struct loop_source *source, uint32_t events);
void loop_change(struct loop *l, struct loop_source *source, uint32_t events);
/* Forgets the source, also where the current round has an event for it. Closes nothing. */
void loop_remove(struct loop *l, struct loop_source *source);
/* Goes on with a round that is not finished, or sleeps until something is ready or the deadline has
 * come; then calls what is ready, for LOOP_SLICE_MS. Returns the number of callbacks made. */
int loop_turn(struct loop *l, struct nanotime deadline);

#endif
