#ifndef RIBCAGE_CALICO_SET_H
#define RIBCAGE_CALICO_SET_H

#include "read_kinds.h"
#include "resources.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The inside of struct calico_set, for the files that change it. Memory comes in batches: an
 * arena with the objects of one apply, shared by a set and its copies and freed with the last of
 * them. Objects never change once they are in a batch, so sharing cannot be noticed.
 */

enum object_kind {
    OBJECT_CONFIGURATION,
    OBJECT_PEER,
    OBJECT_FILTER,
    OBJECT_NODE,
    OBJECT_POOL,
    OBJECT_SECRET,
    OBJECT_SERVICE,        /* named "namespace/name", like Secrets */
    OBJECT_ENDPOINT_SLICE, /* likewise */
    OBJECT_NODE_STATUS,
    OBJECT_AFFINITY,
    OBJECT_KINDS,
};

/* What is known of a node, by where it was said. */
struct node_layers {
    const struct calico_node *base;   /* the topology */
    const struct calico_node *calico; /* projectcalico.org/v3 */
    const struct calico_node *core;   /* v1, annotations and labels */
    uint32_t ordinal;                 /* place in the order of creation, never reused */
};

struct object {
    const char *name; /* Secrets, Services, EndpointSlices: "namespace/name" */
    const void *value;
    struct node_layers layers; /* nodes only */
};

struct object_table {
    struct object *items; /* in order of name */
    size_t count, capacity;
};

struct batch {
    struct arena *arena;
    _Atomic uint32_t references;
};

struct calico_set {
    struct object_table tables[OBJECT_KINDS];
    struct batch **batches;
    size_t batch_count, batch_capacity;
    uint32_t next_ordinal;
};

/* A new batch of the set; NULL: out of memory. */
struct batch *set_batch_add(struct calico_set *s);
struct object *set_find(const struct calico_set *s, enum object_kind kind, const char *name);
/* A new or replaced object, value unset when new. NULL: out of memory. */
struct object *set_put(struct calico_set *s, enum object_kind kind, const char *name);
bool set_remove(struct calico_set *s, enum object_kind kind, const char *name);
/* Exchanges the contents of two sets. */
void set_swap(struct calico_set *a, struct calico_set *b);

/* The node as all layers together have it, in `arena`. NULL: out of memory. */
const struct calico_node *node_merge(struct arena *arena, const struct node_layers *layers);
/* The place of node i (in order of name) in the order of creation. */
uint32_t set_node_ordinal(const struct calico_set *s, size_t i);
/* Is there a Secret of this name in a namespace calico-node does not read? NULL or that name. */
const char *set_secret_elsewhere(const struct calico_set *s, const char *name_space,
                                 const char *name);

#endif
