/*
 * Timers in a binary array heap, ordered by deadline, then by the owner's `order`.
 *
 * A timer knows its own place (1-based), so that moving and cancelling cost a sift and no search.
 * Room is reserved beforehand: arming a timer cannot fail in the middle of a state change.
 *
 * Invariants: slots[i].timer->slot == i + 1 for all i < count; no timer sorts before its parent; a
 * timer that is not armed has slot 0.
 */
#include "heap.h"

#include "arena.h"

#include <assert.h>

void heap_init(struct heap *h) {
    *h = (struct heap){0};
}

void heap_deinit(struct heap *h) {
    for (uint32_t i = 0; i < h->count; i++) {
        h->slots[i].timer->slot = 0;
    }
    alloc_free(h->slots);
    heap_init(h);
}

bool heap_reserve(struct heap *h, uint32_t count) {
    if (count <= h->capacity) {
        return true;
    }
    uint32_t more = count / 8 + 8; /* what is reserved and never armed costs, too */
    uint32_t capacity = count > UINT32_MAX - more ? count : count + more;
    struct heap_slot *slots = alloc_resize(h->slots, capacity, sizeof *slots);
    if (!slots) {
        return false;
    }
    h->slots = slots;
    h->capacity = capacity;
    return true;
}

static bool heap_less(struct heap_slot a, struct heap_slot b) {
    if (a.deadline.ns != b.deadline.ns) {
        return a.deadline.ns < b.deadline.ns;
    }
    return a.timer->order < b.timer->order;
}

static void heap_put(struct heap *h, uint32_t at, struct heap_slot slot) {
    h->slots[at] = slot;
    slot.timer->slot = at + 1;
}

static void heap_up(struct heap *h, uint32_t at) {
    const struct heap_slot moved = h->slots[at];
    while (at > 0 && heap_less(moved, h->slots[(at - 1) / 2])) {
        heap_put(h, at, h->slots[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(h, at, moved);
}

static void heap_down(struct heap *h, uint32_t at) {
    const struct heap_slot moved = h->slots[at];
    for (;;) {
        size_t child = 2 * (size_t)at + 1;
        if (child >= h->count) {
            break;
        }
        if (child + 1 < h->count && heap_less(h->slots[child + 1], h->slots[child])) {
            child++;
        }
        if (!heap_less(h->slots[child], moved)) {
            break;
        }
        heap_put(h, at, h->slots[child]);
        at = (uint32_t)child;
    }
    heap_put(h, at, moved);
}

void heap_set(struct heap *h, struct heap_timer *t, struct nanotime deadline) {
    if (t->slot == 0) {
        assert(h->count < h->capacity);
        t->slot = ++h->count;
    } else {
        assert(t->slot <= h->count && h->slots[t->slot - 1].timer == t);
    }
    heap_put(h, t->slot - 1, (struct heap_slot){deadline, t});
    heap_up(h, t->slot - 1);
    heap_down(h, t->slot - 1);
}

void heap_cancel(struct heap *h, struct heap_timer *t) {
    if (t->slot == 0) {
        return;
    }
    uint32_t at = t->slot - 1;
    assert(at < h->count && h->slots[at].timer == t);
    const struct heap_slot last = h->slots[--h->count];
    t->slot = 0;
    if (last.timer != t) {
        heap_put(h, at, last);
        heap_up(h, at);
        heap_down(h, last.timer->slot - 1);
    }
}

struct nanotime heap_next(const struct heap *h) {
    return h->count ? h->slots[0].deadline : NANOTIME_NEVER;
}

struct heap_timer *heap_pop_due(struct heap *h, struct nanotime now) {
    if (h->count == 0 || nanotime_before(now, h->slots[0].deadline)) {
        return NULL;
    }
    struct heap_timer *t = h->slots[0].timer;
    heap_cancel(h, t);
    return t;
}
