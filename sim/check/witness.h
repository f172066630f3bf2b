#ifndef RIBCAGE_WITNESS_H
#define RIBCAGE_WITNESS_H

#include "../../speaker/base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Sets of session ends as different witnesses see them: the speakers, the kernel's sockets, the
 * wire, the oracle. An end is (node, address of the other side). All sets are compared the same
 * way.
 */

struct witness_end {
    uint32_t node;
    struct ip_addr remote;
};

struct witness_set {
    struct witness_end *ends; /* after witness_sort: sorted, unique */
    size_t count, capacity;
    size_t duplicates; /* ends that were there more than once */
    bool failed;       /* out of memory: the set is not complete */
};

/* A set is empty when zeroed. False: out of memory (and `failed`). */
bool witness_add(struct witness_set *s, uint32_t node, struct ip_addr remote);
void witness_sort(struct witness_set *s);
void witness_free(struct witness_set *s);
bool witness_has(const struct witness_set *s, uint32_t node, struct ip_addr remote);

/* Calls for each end in `a` that is not in `b`; both sorted. Returns how many. */
typedef void witness_fn(void *context, const struct witness_end *end);
size_t witness_minus(const struct witness_set *a, const struct witness_set *b, witness_fn *each,
                     void *context);

#endif
