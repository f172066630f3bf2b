/*
 * Owns reading a BlockAffinity: which IPAM block a node has. Calico writes these itself; they come
 * with what a cluster is asked for (kubectl get blockaffinities -o yaml).
 *
 * Only a block whose state is confirmed, or was never written, is a node's to announce; one that is
 * claimed (pending) or given back (pendingDeletion, deleted) is not.
 */
#include "read_kinds.h"

#include "../../speaker/base/arena.h"

#include <string.h>

#define FIELD(name)                                                                                \
    static void name(struct read_context *c, const struct yaml_node *n, const char *path,          \
                     void *object)
#define AFFINITY ((struct calico_block_affinity *)object)

FIELD(field_node) {
    read_text(c, n, path, 253, &AFFINITY->node);
}
FIELD(field_cidr) {
    read_cidr(c, n, path, IP_NONE, &AFFINITY->cidr, NULL);
}
FIELD(field_state) {
    static const char *const words[] = {"confirmed", "pending", "pendingDeletion"};
    size_t index;
    if (n->kind == YAML_SCALAR && n->text[0] == '\0')
        return;
    if (read_word(c, n, path, words, 3, &index))
        AFFINITY->confirmed &= index == 0;
}
/* The CRD has it as a text, projectcalico.org/v3 as a boolean. */
FIELD(field_deleted) {
    bool deleted = n->kind == YAML_SCALAR && strcmp(n->text, "true") == 0;
    if (n->kind != YAML_SCALAR || !n->quoted)
        read_bool(c, n, path, &deleted);
    AFFINITY->confirmed &= !deleted;
}

struct calico_block_affinity *read_block_affinity(struct read_context *c,
                                                  const struct yaml_node *root) {
    static const struct read_field fields[] = {{"cidr", field_cidr},
                                               {"deleted", field_deleted},
                                               {"node", field_node},
                                               {"state", field_state},
                                               {"type", NULL}};
    struct calico_block_affinity *o = arena_alloc(c->arena, sizeof *o);
    const struct yaml_node *spec = read_spec(root);
    if (!o)
        return NULL;
    o->confirmed = true;
    size_t before = diag_error_count(c->diags);
    if (spec)
        READ_FIELDS(c, spec, "spec", fields, o);
    if (diag_error_count(c->diags) == before && (!o->node || !ip_is_set(o->cidr.addr)))
        read_error(c, spec ? spec : root, "required-field", "spec", "needs node and cidr");
    return o;
}
