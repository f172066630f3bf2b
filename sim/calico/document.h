#ifndef RIBCAGE_CALICO_DOCUMENT_H
#define RIBCAGE_CALICO_DOCUMENT_H

#include "set.h"

struct arena;

/* One object as it stood in a document, in the order of the documents. */
struct document_object {
    enum object_kind kind;
    enum read_group group;
    const char *name; /* key in the set: Secrets "namespace/name" */
    const struct yaml_node *root;
    struct diag_place place; /* of its kind */
    bool stored;             /* it has a resourceVersion: a cluster has it already */
    void *value;             /* NULL when only names were read */
};

/* One resource as it stands, be it readable or not, in the order of the documents. */
struct document_leaf {
    const struct yaml_node *root;
    size_t document;   /* its index */
    bool by_kubectl;   /* an apiVersion that only kubectl takes */
    bool refused;      /* there were errors … */
    bool refuses_file; /* … of those behind which calicoctl applies nothing */
    size_t object;     /* its index, DOCUMENT_NO_OBJECT: none came of it */
};
#define DOCUMENT_NO_OBJECT SIZE_MAX

struct document_list {
    struct document_object *items;
    size_t count, capacity;
    struct document_leaf *leaves;
    size_t leaf_count, leaf_capacity;
    size_t from, to; /* only the objects of these leaves are read; to 0: of all */
};

#define DOCUMENT_LIST_DEPTH_MAX 8 /* lists in lists */

/* Takes documents apart: lists, kinds, metadata, and (with `values`) everything else. False: out
 * of memory. Errors are counted in `diags`. */
bool document_read(const struct yaml_document *documents, size_t count, bool values,
                   struct arena *arena, struct diag_list *diags, struct document_list *ret_list);

const char *object_kind_name(enum object_kind kind);

#endif
