/*
 * Sets of session ends: sorted arrays, compared by one walk.
 *
 * Owns only the arrays. Who saw what, and what a difference means, is the caller's business.
 */

#include "witness.h"

#include "../../speaker/base/arena.h"

#include <stdlib.h>

static int compare_ends(const void *x, const void *y) {
    const struct witness_end *a = x, *b = y;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return ip_compare(a->remote, b->remote);
}

bool witness_add(struct witness_set *s, uint32_t node, struct ip_addr remote) {
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 64;
        struct witness_end *ends = alloc_resize(s->ends, capacity, sizeof *ends);
        if (!ends) {
            s->failed = true;
            return false;
        }
        s->ends = ends;
        s->capacity = capacity;
    }
    s->ends[s->count++] = (struct witness_end){node, remote};
    return true;
}

void witness_sort(struct witness_set *s) {
    if (!s->count)
        return;
    qsort(s->ends, s->count, sizeof *s->ends, compare_ends);
    size_t kept = 1;
    for (size_t i = 1; i < s->count; i++) {
        if (compare_ends(&s->ends[kept - 1], &s->ends[i]) == 0)
            s->duplicates++;
        else
            s->ends[kept++] = s->ends[i];
    }
    s->count = kept;
}

void witness_free(struct witness_set *s) {
    alloc_free(s->ends);
    *s = (struct witness_set){0};
}

bool witness_has(const struct witness_set *s, uint32_t node, struct ip_addr remote) {
    struct witness_end key = {node, remote};
    return s->count && bsearch(&key, s->ends, s->count, sizeof key, compare_ends);
}

size_t witness_minus(const struct witness_set *a, const struct witness_set *b, witness_fn *each,
                     void *context) {
    size_t found = 0, k = 0;
    for (size_t i = 0; i < a->count; i++) {
        while (k < b->count && compare_ends(&b->ends[k], &a->ends[i]) < 0)
            k++;
        if (k < b->count && compare_ends(&b->ends[k], &a->ends[i]) == 0)
            continue;
        found++;
        if (each)
            each(context, &a->ends[i]);
    }
    return found;
}
