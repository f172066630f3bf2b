/*
 * The names in a scenario's steps, against the things that have names.
 *
 * Owns: one check after everything has been read: every node, router and peer a step speaks of
 * stands in the topology, or is the name of a Node in one of the scenario's manifests. And that a
 * step's files can be read, unless the step expects them to be refused: what is not there will not
 * be there when the step has come.
 * Leaves to others: the mistakes of what the files hold (applying them will report).
 */

#include "scenario_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

#include <string.h>

struct known {
    const char **names;
    size_t count, capacity;
};

static void known_add(struct scenario_reader *r, struct known *k, const char *name) {
    if (k->count == k->capacity) {
        size_t wanted = k->capacity ? k->capacity * 2 : 64;
        const char **bigger = arena_array(r->arena, wanted, sizeof(*bigger));
        if (!bigger) {
            r->failed = true;
            return;
        }
        if (k->count)
            memcpy(bigger, k->names, k->count * sizeof(*bigger));
        k->names = bigger;
        k->capacity = wanted;
    }
    k->names[k->count++] = name;
}

static void known_add_topology(struct scenario_reader *r, struct known *k) {
    const struct topology *t = r->scenario->topology;
    for (size_t i = 0; t && i < t->node_count; i++)
        known_add(r, k, t->nodes[i].name);
    for (size_t i = 0; t && i < t->router_count; i++)
        known_add(r, k, t->routers[i].name);
}

static void known_add_document(struct scenario_reader *r, struct known *k,
                               const struct yaml_node *root) {
    const struct yaml_node *kind = yaml_get(root, "kind");
    const struct yaml_node *name = yaml_get(yaml_get(root, "metadata"), "name");
    if (root->kind == YAML_SEQUENCE) /* a plain list of objects; they do not nest */
        for (uint32_t i = 0; i < root->count; i++)
            if (root->items[i]->kind == YAML_MAPPING)
                known_add_document(r, k, root->items[i]);
    if (kind && name && strcmp(kind->text, "Node") == 0)
        known_add(r, k, name->text);
}

/* `diags`: where findings go; NULL: nobody wants them. */
static void known_add_manifests(struct scenario_reader *r, struct known *k,
                                const char *const *paths, const struct diag_place *places,
                                size_t count, const struct yaml_document *inline_documents,
                                size_t inline_count, struct diag_list *diags) {
    struct yaml_document *documents;
    size_t document_count = 0;
    struct diag_list *ignored = diag_list_new();
    if (!ignored) {
        r->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) { /* one by one: a broken one must not hide the others */
        if (scenario_read_manifests(r->scenario, &paths[i], &places[i], 1, CALICO_TOOL_CALICOCTL,
                                    r->arena, diags ? diags : ignored, &documents, &document_count))
            for (size_t j = 0; j < document_count; j++)
                known_add_document(r, k, documents[j].root);
    }
    for (size_t i = 0; i < inline_count; i++)
        known_add_document(r, k, inline_documents[i].root);
    diag_list_free(ignored);
}

static void check(struct scenario_reader *r, const struct known *k, const char *name,
                  struct diag_place place) {
    if (!name)
        return;
    for (size_t i = 0; i < k->count; i++)
        if (strcmp(k->names[i], name) == 0)
            return;
    const char *near = text_nearest(name, k->names, k->count);
    diag_add(r->diags, DIAG_ERROR, place, "unknown-node",
             near ? "unknown node \"%.80s\" (did you mean \"%s\"?)" : "unknown node \"%.80s\"",
             name, near);
}

static void check_expect(struct scenario_reader *r, const struct known *k,
                         const struct scenario_expect *e) {
    const char *const names[] = {e->node,         e->from,         e->to,
                                 e->session_node, e->block_of,     e->next_hop_of,
                                 e->peer,         e->learned_from, e->originator_of};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        check(r, k, names[i], e->place);
    for (size_t i = 0; i < e->pair_count; i++) {
        check(r, k, e->pairs[i].a, e->pairs[i].place);
        check(r, k, e->pairs[i].b, e->pairs[i].place);
    }
}

static void check_router(struct scenario_reader *r, const struct scenario_step *step) {
    const struct topology *t = r->scenario->topology;
    uint32_t index = step->router ? topology_find(t, step->router) : UINT32_MAX;
    if (step->router && (index == UINT32_MAX || index < t->node_count))
        diag_add(r->diags, DIAG_ERROR, step->place, "unknown-node",
                 "ios: \"%.80s\" is not a router of the topology", step->router);
}

void scenario_check_names(struct scenario_reader *r) {
    const struct scenario *s = r->scenario;
    struct known k = {0};
    if (!s->topology)
        return;
    known_add_topology(r, &k);
    known_add_manifests(r, &k, s->manifests, s->manifest_places, s->manifest_count,
                        s->inline_documents, s->inline_count, NULL);
    for (size_t i = 0; i < s->step_count; i++) {
        const struct scenario_step *step = &s->steps[i];
        known_add_manifests(r, &k, step->manifests, step->manifest_places, step->manifest_count,
                            step->inline_documents, step->inline_count,
                            step->may_be_rejected ? NULL : r->diags);
    }
    for (size_t i = 0; i < s->step_count && !r->failed; i++) {
        const struct scenario_step *step = &s->steps[i];
        check_router(r, step);
        check(r, &k, step->fault.node, step->place);
        check(r, &k, step->fault.peer, step->place);
        for (size_t j = 0; j < step->expect_count; j++)
            check_expect(r, &k, &step->expects[j]);
    }
}
