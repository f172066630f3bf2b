/*
 * What a scenario's steps come to, without a lab.
 *
 * Owns: the walk through the states that applies, deletes and typed lines make, and what is said of
 * each that was not said of the state before. Faults, restarts and claims of blocks change no plan;
 * what stands between the resources of one file is `plan --diff`'s. Leaves to others: making a
 * state (state.c), what a tool takes (apply.c).
 *
 * Invariants: nothing is built and no program is started; what a scenario expects to be refused, or
 * to be found, is no finding: whether it comes is for the run to say.
 */

#include "engine.h"

#include <string.h>

struct foresight {
    struct engine *e;
    struct diag_list *known; /* said of the state before */
    struct diag_list *diags; /* where new ones go */
};

/* Do the expectations behind the step speak of it? */
static bool is_expected(const struct scenario *s, size_t step, const struct diag *d) {
    if (d->severity == DIAG_ERROR && s->steps[step].may_be_rejected)
        return true;
    for (size_t i = step + 1; i < s->step_count && s->steps[i].kind == STEP_EXPECT; i++)
        for (size_t k = 0; k < s->steps[i].expect_count; k++) {
            const struct scenario_expect *x = &s->steps[i].expects[k];
            if ((x->kind == EXPECT_FINDING || x->kind == EXPECT_REJECTED) && x->finding &&
                strcmp(x->finding, d->id) == 0)
                return true;
        }
    return false;
}

/* Takes `found` over. */
static void keep_new(struct foresight *f, size_t step, struct diag_list *found) {
    const struct scenario *s = f->e->scenario;
    const struct scenario_step *at = &s->steps[step];
    const char *name = arena_printf(f->e->arena, "%s (%s:%u)", at->name,
                                    at->place.file ? at->place.file : s->file, at->place.line);
    for (size_t i = 0; i < diag_count(found); i++) {
        const struct diag *d = diag_at(found, i);
        if (diag_has(f->known, d) || is_expected(s, step, d))
            continue;
        diag_copy(f->diags, d);
        diag_in_step(f->diags, name);
    }
    diag_list_free(f->known);
    f->known = found;
}

/* What resources are in force one by one in a run: all in one change here, the end is the same. */
static void apply(struct engine *e, const struct scenario_step *s, struct diag_list *found) {
    struct engine_how how = {.kind = s->kind == STEP_DELETE ? ENGINE_REMOVE : ENGINE_APPLY_AT_ONCE,
                             .tool = s->tool};
    struct calico_applied applied;
    struct yaml_document *documents = NULL;
    size_t count = 0;
    (void)engine_documents(e, s, found, &documents, &count);
    if (count)
        (void)engine_apply(e, documents, count, how, found, &applied);
}

static void type(struct engine *e, const struct scenario_step *s, struct diag_list *found) {
    uint32_t node = engine_node_find(e, s->router);
    if (node == UINT32_MAX || node < e->node_count)
        return;
    struct engine_typed to = {s->router, s->place, found};
    engine_type(&e->routers[node - e->node_count], s->ios_lines, &to);
    (void)state_replace(e, NULL, found, NULL);
}

bool engine_foresee(struct engine *e, const struct diag_list *said, struct diag_list *diags) {
    const struct scenario *s = e->scenario;
    struct foresight f = {.e = e, .known = diag_list_new(), .diags = diags};
    bool ok = f.known != NULL;
    if (ok)
        diag_append(f.known, said, DIAG_ERROR, NULL);
    for (size_t i = 0; ok && i < s->step_count; i++) {
        const struct scenario_step *step = &s->steps[i];
        bool manifests = step->kind == STEP_APPLY || step->kind == STEP_DELETE;
        if (!manifests && step->kind != STEP_IOS)
            continue;
        struct diag_list *found = diag_list_new();
        ok = found != NULL;
        if (ok)
            (manifests ? apply : type)(e, step, found);
        if (ok)
            keep_new(&f, i, found);
    }
    diag_list_free(f.known);
    return ok;
}
