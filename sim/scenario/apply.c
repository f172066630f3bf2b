/*
 * Manifests put in force while a lab runs.
 *
 * calicoctl reads all of a file before it writes anything, then applies resource after resource,
 * each at once in force and with its whole spec. So do we: what cannot be read or is refused
 * changes nothing; else every resource makes a state of its own, which the speakers have taken
 * before the next one comes. A mesh that is switched off before the peers that replace it exist
 * falls, though the end of the file would have kept the nodes together.
 *
 * Only BGPConfigurations, BGPPeers and Nodes say which sessions there are: the others wait for the
 * next of these, or for the end.
 */

#include "engine.h"

#include <string.h>

static const char *text_of(const struct yaml_node *n, const char *key) {
    const struct yaml_node *value = yaml_get(n, key);
    return value && value->kind == YAML_SCALAR ? value->text : "";
}

/* The items of a list of kind *List, or of a plain sequence; NULL: one resource. */
static const struct yaml_node *items_of(const struct yaml_node *root) {
    if (root->kind == YAML_SEQUENCE)
        return root;
    const char *kind = text_of(root, "kind");
    size_t size = strlen(kind);
    const struct yaml_node *items = yaml_get(root, "items");
    bool list = size >= 4 && strcmp(kind + size - 4, "List") == 0;
    return list && items && items->kind == YAML_SEQUENCE ? items : NULL;
}

static size_t resource_count(const struct yaml_document *documents, size_t count) {
    size_t resources = 0;
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *items = items_of(documents[i].root);
        resources += items ? items->count : 1;
    }
    return resources;
}

/* Documents with one resource each; NULL: out of memory. */
static struct yaml_document *split(const struct yaml_document *documents, size_t count,
                                   size_t resources, struct arena *arena) {
    struct yaml_document *list = arena_array(arena, resources + 1, sizeof *list);
    size_t n = 0;
    for (size_t i = 0; list && i < count; i++) {
        const struct yaml_node *items = items_of(documents[i].root);
        if (!items)
            list[n++] = documents[i];
        for (size_t k = 0; items && k < items->count; k++)
            list[n++].root = items->items[k];
    }
    return list;
}

static bool decides_sessions(const struct yaml_document *d) {
    static const char *const kinds[] = {"BGPConfiguration", "BGPPeer", "Node"};
    const char *kind = d->root->kind == YAML_MAPPING ? text_of(d->root, "kind") : "";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    }
    return false;
}

/* Takes the set over, whatever comes of it. */
static bool put_in_force(struct engine *e, struct calico_set *set, struct diag_list *diags) {
    struct state *old = NULL;
    if (!state_replace(e, set, diags, &old))
        return false;
    bool ok = network_reconfigure(e, old, diags);
    state_release(old);
    return ok;
}

/* The whole set once more, so that what was said about it holds: nothing in force is touched. */
static struct calico_set *changed_set(const struct engine *e, const struct yaml_document *documents,
                                      size_t count, bool remove, struct diag_list *diags) {
    struct calico_set *set = calico_set_copy(e->state->set);
    bool ok = set && (remove ? calico_delete(set, documents, count, diags)
                             : calico_apply(set, documents, count, true, diags));
    if (ok)
        return set;
    calico_set_free(set);
    return NULL;
}

/* All states before the last one. What is said about them is about a moment: it is not kept, and a
 * state that cannot be made is passed over. */
static bool pass_through(struct engine *e, const struct yaml_document *list, size_t count) {
    size_t done = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        if (!decides_sessions(&list[i]))
            continue;
        struct diag_list *diags = diag_list_new();
        struct calico_set *set =
            diags ? changed_set(e, list + done, i + 1 - done, false, diags) : NULL;
        bool made = set && put_in_force(e, set, diags);
        done = made ? i + 1 : done;
        diag_list_free(diags);
        if (!diags)
            return false;
    }
    return true;
}

bool engine_apply(struct engine *e, const struct yaml_document *documents, size_t count,
                  enum engine_apply how, struct diag_list *diags) {
    struct calico_set *set = changed_set(e, documents, count, how == ENGINE_REMOVE, diags);
    if (!set)
        return false;
    size_t resources = resource_count(documents, count);
    struct arena *arena = arena_new();
    struct yaml_document *list =
        arena && how == ENGINE_APPLY ? split(documents, count, resources, arena) : NULL;
    bool ok = arena && (how != ENGINE_APPLY || (list && pass_through(e, list, resources)));
    arena_free(arena);
    if (!ok) {
        calico_set_free(set);
        return false;
    }
    return put_in_force(e, set, diags);
}
