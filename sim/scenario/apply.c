/*
 * Manifests put in force while a lab runs.
 *
 * calicoctl and kubectl apply resource after resource, each at once in force and with its whole
 * spec; one that is refused stays out, those behind it come all the same (calico_apply_each). So
 * every resource makes a state of its own here, which the speakers have taken before the next one
 * comes. A mesh that is switched off before the peers that replace it exist falls, though the end
 * of the file would have kept the nodes together.
 *
 * Only BGPConfigurations, BGPPeers and Nodes say which sessions there are: the others wait for the
 * next of these, or for the end.
 */

#include "engine.h"

#include <string.h>

static bool decides_sessions(const struct calico_applied_resource *r) {
    static const char *const kinds[] = {"BGPConfiguration", "BGPPeer", "Node"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (r->outcome == CALICO_TAKEN && strcmp(r->kind, kinds[i]) == 0)
            return true;
    }
    return false;
}

/* Takes the set over, whatever comes of it. */
static bool put_in_force(struct engine *e, struct calico_set *set, struct diag_list *diags) {
    struct state *old = NULL;
    if (!state_replace(e, set, diags, &old))
        return false;
    bool ok = !e->lab || network_reconfigure(e, old, diags);
    state_release(old);
    return ok;
}

/* All states before the last one. What is said about them is about a moment: it is not kept, and a
 * state that cannot be made is passed over. */
static bool pass_through(struct engine *e, const struct yaml_document *documents, size_t count,
                         const struct calico_applied *applied) {
    size_t done = 0;
    for (size_t i = 0; i + 1 < applied->count; i++) {
        if (!decides_sessions(&applied->items[i]))
            continue;
        struct diag_list *diags = diag_list_new();
        struct calico_set *set = diags ? calico_set_copy(e->state->set) : NULL;
        bool made = set && calico_apply_part(set, documents, count, applied, done, i + 1, diags);
        if (set && !made)
            calico_set_free(set);
        if (made && put_in_force(e, set, diags))
            done = i + 1;
        diag_list_free(diags);
        if (!diags)
            return false;
    }
    return true;
}

static bool apply_each(struct engine *e, struct calico_set *set,
                       const struct yaml_document *documents, size_t count, struct engine_how how,
                       struct diag_list *diags, struct calico_applied *applied) {
    return calico_apply_each(set, documents, count, how.tool, e->arena, diags, applied) &&
           (how.kind == ENGINE_APPLY_AT_ONCE || pass_through(e, documents, count, applied));
}

bool engine_apply(struct engine *e, const struct yaml_document *documents, size_t count,
                  struct engine_how how, struct diag_list *diags,
                  struct calico_applied *ret_applied) {
    struct calico_applied applied = {0};
    struct calico_set *set = calico_set_copy(e->state->set);
    bool ok = set && (how.kind == ENGINE_REMOVE
                          ? calico_delete(set, documents, count, diags)
                          : apply_each(e, set, documents, count, how, diags, &applied));
    *ret_applied = applied;
    if (!ok || (applied.taken == 0 && applied.refused > 0)) {
        calico_set_free(set);
        return false;
    }
    return put_in_force(e, set, diags) && applied.refused == 0;
}

/* ---- what a step applies ---- */

bool engine_documents(struct engine *e, const struct scenario_step *s, struct diag_list *diags,
                      struct yaml_document **ret_documents, size_t *ret_count) {
    struct yaml_document *files = NULL;
    size_t count = 0;
    bool sound =
        scenario_read_manifests(e->scenario, s->manifests, s->manifest_places, s->manifest_count,
                                s->tool, e->arena, diags, &files, &count);
    struct yaml_document *all = arena_array(e->arena, count + s->inline_count + 1, sizeof *all);
    if (!all || (!sound && count == 0))
        return false;
    for (size_t i = 0; i < count; i++)
        all[i] = files[i];
    for (size_t i = 0; i < s->inline_count; i++)
        all[count + i] = s->inline_documents[i];
    *ret_documents = all;
    *ret_count = count + s->inline_count;
    return sound;
}

/* ---- what took effect, in words ---- */

#define NAMED_MAX 6 /* of each sort */

static void name_those(const struct calico_applied *a, enum calico_outcome outcome, size_t all,
                       struct text *out) {
    size_t named = 0;
    for (size_t i = 0; i < a->count && named < NAMED_MAX; i++) {
        const struct calico_applied_resource *r = &a->items[i];
        if (r->outcome != outcome)
            continue;
        const char *kind = *r->kind ? r->kind : "no kind";
        text_printf(out, "%s%.40s%s%.80s", named++ ? ", " : "", kind, *r->name ? " " : "", r->name);
        if (outcome == CALICO_REFUSED && r->place.line)
            text_printf(out, " (line %u)", r->place.line);
    }
    if (named < all)
        text_printf(out, " and %zu more", all - named);
}

void engine_applied_text(const struct calico_applied *a, struct text *out) {
    if (a->refused == 0) {
        text_printf(out, "%zu %s took effect", a->taken, a->taken == 1 ? "resource" : "resources");
        return;
    }
    text_printf(out, "%zu of %zu took effect%s", a->taken, a->taken + a->refused,
                a->taken ? ": " : "");
    name_those(a, CALICO_TAKEN, a->taken, out);
    text_puts(out, "; refused: ");
    name_those(a, CALICO_REFUSED, a->refused, out);
}
