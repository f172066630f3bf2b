/*
 * The prefixes of a table in order, in slices, while the table changes.
 *
 * Owns the walk. Nothing in the tables is sorted, so it looks through them for the smallest
 * prefixes behind the last one it gave, as many as a batch holds, and gives those; then for the
 * next ones. A slice is a number of objects looked at, and no call sorts more than a batch. Leaves
 * what stands at a prefix to whose table it is.
 *
 * Invariants: the batch is a heap, its greatest prefix on top, while the table is looked through,
 * and sorted while it is given; a prefix that is there all the time is given exactly once, one that
 * comes or goes meanwhile at most once.
 */
#include "prefix_order.h"

#include "arena.h"

#include <assert.h>
#include <stdlib.h>

struct prefix_order {
    uint32_t cursor;       /* looking: next object; 0: giving */
    uint32_t count, given; /* of the batch */
    uint32_t capacity;
    bool overflowed;       /* there is more behind the batch */
    bool any;              /* `last` is one */
    struct ip_prefix last; /* given */
    struct ip_prefix batch[];
};

struct prefix_order *prefix_order_new(uint32_t batch) {
    struct prefix_order *o = alloc_zero(1, sizeof *o + batch * sizeof o->batch[0]);
    assert(batch > 0);
    if (o) {
        o->capacity = batch;
        o->cursor = 1;
    }
    return o;
}

void prefix_order_free(struct prefix_order *o) {
    alloc_free(o);
}

/* ---- the batch as a heap ---- */

static void sift_up(struct ip_prefix *heap, uint32_t at) {
    struct ip_prefix moved = heap[at];
    while (at > 0 && ip_prefix_compare(heap[(at - 1) / 2], moved) < 0) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = moved;
}

static void sift_down(struct ip_prefix *heap, uint32_t count) {
    struct ip_prefix moved = heap[0];
    uint32_t at = 0, child;
    while ((child = 2 * at + 1) < count) {
        child += child + 1 < count && ip_prefix_compare(heap[child], heap[child + 1]) < 0;
        if (ip_prefix_compare(heap[child], moved) <= 0) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

/* Keeps it if it is among the smallest behind `last`. */
static void consider(struct prefix_order *o, struct ip_prefix p) {
    if (o->any && ip_prefix_compare(p, o->last) <= 0) {
        return;
    }
    if (o->count < o->capacity) {
        o->batch[o->count] = p;
        sift_up(o->batch, o->count++);
        return;
    }
    o->overflowed = true;
    if (ip_prefix_compare(p, o->batch[0]) < 0) {
        o->batch[0] = p;
        sift_down(o->batch, o->count);
    }
}

/* ---- the walk ---- */

static int prefix_compare(const void *a, const void *b) {
    return ip_prefix_compare(*(const struct ip_prefix *)a, *(const struct ip_prefix *)b);
}

/* False: the budget is used up first. */
static bool look(struct prefix_order *o, const struct prefix_order_table *t, uint32_t *budget) {
    struct ip_prefix p;
    for (; *budget > 0 && o->cursor < t->end; o->cursor++, --*budget) {
        if (t->at(t->context, o->cursor, &p)) {
            consider(o, p);
        }
    }
    if (o->cursor < t->end) {
        return false;
    }
    qsort(o->batch, o->count, sizeof o->batch[0], prefix_compare);
    o->cursor = 0;
    o->given = 0;
    return true;
}

enum prefix_order_status prefix_order_next(struct prefix_order *o,
                                           const struct prefix_order_table *t, uint32_t *budget,
                                           struct ip_prefix *ret_prefix) {
    if (!o->cursor && o->given == o->count && o->overflowed) {
        o->overflowed = false;
        o->count = 0;
        o->cursor = 1;
    }
    if (o->cursor && !look(o, t, budget)) {
        return PREFIX_ORDER_MORE;
    }
    if (o->given == o->count) {
        return PREFIX_ORDER_END;
    }
    o->last = o->batch[o->given++];
    o->any = true;
    *ret_prefix = o->last;
    return PREFIX_ORDER_GIVEN;
}
