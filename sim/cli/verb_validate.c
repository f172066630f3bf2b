/*
 * validate: reading scenarios, topologies or manifests and saying what is wrong, without building
 * anything. Exit status 2: errors (with --strict warnings too), 3: warnings only, 0: neither.
 */

#include "cli.h"
#include "manifests.h"
#include "plan_verbs.h"

#include "../../reports/findings.h"
#include "../calico/finding.h"
#include "../calico/plan.h"
#include "../scenario/engine.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* All that a run would refuse: the files it names, the plan at the start, those of the states that
 * its steps make. Where the manifests are there to be refused, that is for the run to check. */
static void validate_scenario(struct manifests *in, const char *path, const struct cli_options *o) {
    struct scenario *s = scenario_read(path, o->sets, o->set_count, in->arena, in->diags);
    if (!s)
        return;
    struct diag_list *said = diag_list_new();
    struct engine e = {.scenario = s,
                       .arena = in->arena,
                       .diags = said,
                       .seed = s->seed,
                       .front_fd = -1,
                       .wait_fd = -1};
    bool prepared = said && !s->no_lab && engine_prepare(&e, said);
    if (said)
        diag_append(in->diags, said, DIAG_ERROR, NULL);
    if (!said || (prepared && e.state && !engine_foresee(&e, said, in->diags)))
        diag_add(in->diags, DIAG_ERROR, (struct diag_place){.file = path}, "out-of-memory",
                 "out of memory");
    engine_release(&e);
    diag_list_free(said);
    scenario_close(s);
}

/* A folder of scenarios, like `ribcage run` takes one. */
static bool validate_below(struct manifests *in, const char *path, const struct cli_options *o) {
    struct stat s;
    struct diag_list *none = diag_list_new(); /* no scenario there: it holds manifests */
    const char **paths = NULL;
    size_t count = 0;
    bool found = none && stat(path, &s) == 0 && S_ISDIR(s.st_mode) &&
                 scenario_list(path, in->arena, none, &paths, &count);
    for (size_t i = 0; found && i < count; i++)
        validate_scenario(in, paths[i], o);
    diag_list_free(none);
    return found;
}

/* ---- manifests: one bundle, as `calicoctl apply` would take all that is named ---- */

#define SEPARATE_MAX 2000 /* documents that are tried one by one */

/* After a refusal: what can be applied without the refused documents, to say more at once. */
static void apply_rest(const struct manifests *in, struct calico_set *set) {
    struct diag_list *known = diag_list_new(); /* said already */
    for (size_t i = 0; known && in->count <= SEPARATE_MAX && i < in->count; i++)
        (void)calico_apply(set, in->documents + i, 1, false, known);
    diag_list_free(known);
}

static void validate_bundle(struct manifests *in, const struct cli_options *o) {
    struct calico_set *set = calico_set_new();
    struct calico_plan_options po = plan_options(o);
    bool refused = set && !calico_apply(set, in->documents, in->count, true, in->diags);
    if (refused)
        apply_rest(in, set);
    struct diag_list *found = diag_list_new();
    struct calico_plan *plan = set && found ? calico_plan_new(set, &po, found) : NULL;
    /* A filter that is missing because it was refused has been spoken of. */
    if (plan)
        diag_append(in->diags, found, DIAG_ERROR, refused ? "missing-filter" : NULL);
    diag_list_free(found);
    if (!plan)
        diag_add(in->diags, DIAG_ERROR, (struct diag_place){0}, "out-of-memory", "out of memory");
    calico_plan_free(plan);
    calico_set_free(set);
}

/* Most likely not the path that was meant: calicoctl ends with an error, too. */
static void expect_some(struct manifests *in, const char *path, size_t from, size_t errors) {
    for (size_t i = from; i < in->count; i++)
        if (in->documents[i].root->kind != YAML_NULL)
            return;
    if (diag_error_count(in->diags) == errors)
        diag_add(in->diags, DIAG_ERROR, (struct diag_place){.file = path}, "no-manifest",
                 "there is no manifest in it");
}

/* A topology is checked here; manifests are kept for the bundle. */
static void validate_one(struct manifests *in, const char *path, const struct cli_options *o) {
    if (cli_is_scenario(path)) {
        validate_scenario(in, path, o);
        return;
    }
    if (validate_below(in, path, o))
        return;
    size_t before = in->count, errors = diag_error_count(in->diags);
    manifests_read(in, path);
    expect_some(in, path, before, errors);
    const struct yaml_node *root = in->count > before ? in->documents[before].root : NULL;
    if (root && root->kind == YAML_MAPPING && yaml_get(root, "segments")) {
        (void)topology_read(root, in->arena, in->diags);
        in->count = before;
    }
}

/* ---- the verb ---- */

static bool rule_of(const char *id, struct report_rule *ret_rule) {
    const struct finding_rule *r = finding_rule_find(id);
    if (r)
        *ret_rule = (struct report_rule){r->id, r->severity, r->meaning, r->calico, r->cure};
    return r != NULL;
}

static int exit_status(const struct diag_list *d, bool strict) {
    if (diag_error_count(d) || (strict && diag_warning_count(d)))
        return 2;
    return diag_warning_count(d) ? 3 : 0;
}

static int print_findings(const struct diag_list *d, const struct cli_options *o) {
    int status = exit_status(d, o->strict);
    if (o->format == CLI_JSON)
        cli_print_json(report_findings_json(d, rule_of));
    else if (o->format == CLI_SARIF)
        cli_print_json(report_findings_sarif(d, rule_of, RIBCAGE_VERSION));
    else
        cli_print_diags(d);
    if (status != 2 && o->format == CLI_TABLE)
        printf("%zu valid\n", o->argument_count);
    return status;
}

int verb_validate(struct cli_options *o) {
    struct manifests in = {.arena = arena_new(), .diags = diag_list_new()};
    if (!o->argument_count || !in.arena || !in.diags) {
        fprintf(stderr, "ribcage validate: which files?\n");
        return 2;
    }
    for (size_t i = 0; i < o->argument_count; i++)
        validate_one(&in, o->arguments[i], o);
    if (in.count)
        validate_bundle(&in, o);
    diag_sort(in.diags);
    int status = print_findings(in.diags, o);
    diag_list_free(in.diags);
    arena_free(in.arena);
    return status;
}
