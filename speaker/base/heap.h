#ifndef RIBCAGE_BASE_HEAP_H
#define RIBCAGE_BASE_HEAP_H

#include "nanotime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Timers in an array heap. A timer is embedded in its object as a `struct heap_timer`; ties break
 * by `order`, which the owner sets once to something deterministic (peer index, kind), so that two
 * runs fire equal deadlines in the same order.
 */

struct heap_timer {
    uint32_t slot;  /* 1-based place in the heap, 0: not armed */
    uint32_t order; /* tie break, unique per heap */
};

/* The deadline stands beside the timer, not in it: a timer that is not armed needs none. */
struct heap_slot {
    struct nanotime deadline;
    struct heap_timer *timer;
};

struct heap {
    struct heap_slot *slots;
    uint32_t count;
    uint32_t capacity;
};

void heap_init(struct heap *h);
void heap_deinit(struct heap *h);
/* Makes room for `count` timers in all, so that heap_set cannot fail. False: out of memory. */
bool heap_reserve(struct heap *h, uint32_t count);
/* Arms or moves a timer. The room must have been reserved. */
void heap_set(struct heap *h, struct heap_timer *t, struct nanotime deadline);
void heap_cancel(struct heap *h, struct heap_timer *t); /* not armed is fine */
static inline bool heap_armed(const struct heap_timer *t) {
    return t->slot != 0;
}
/* When an armed timer fires. */
static inline struct nanotime heap_deadline(const struct heap *h, const struct heap_timer *t) {
    return h->slots[t->slot - 1].deadline;
}
struct nanotime heap_next(const struct heap *h); /* NANOTIME_NEVER when empty */
/* Takes off and returns the earliest timer due at `now`, or NULL. */
struct heap_timer *heap_pop_due(struct heap *h, struct nanotime now);

#endif
