/*
 * validate: reading scenarios, topologies or manifests and saying what is wrong, without building
 * anything.
 */

#include "cli.h"
#include "manifests.h"

#include "../calico/resources.h"
#include "../scenario/engine.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* All that a run would refuse before it builds: the files it names, the plan at the start. Where
 * the manifests are there to be refused, that is for the run to check. */
static void validate_scenario(struct manifests *in, const char *path, const struct cli_options *o) {
    struct scenario *s = scenario_read(path, o->sets, o->set_count, in->arena, in->diags);
    if (!s)
        return;
    struct engine e = {.scenario = s,
                       .arena = in->arena,
                       .diags = in->diags,
                       .seed = s->seed,
                       .front_fd = -1,
                       .wait_fd = -1};
    if (!s->no_lab)
        (void)engine_prepare(&e, in->diags);
    engine_release(&e);
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

static void validate_one(struct manifests *in, const char *path, const struct cli_options *o) {
    if (cli_is_scenario(path)) {
        validate_scenario(in, path, o);
        return;
    }
    if (validate_below(in, path, o))
        return;
    size_t before = in->count;
    manifests_read(in, path);
    const struct yaml_node *root = in->count > before ? in->documents[before].root : NULL;
    if (root && root->kind == YAML_MAPPING && yaml_get(root, "segments"))
        (void)topology_read(root, in->arena, in->diags);
    else {
        struct calico_set *set = calico_set_new();
        (void)calico_apply(set, in->documents + before, in->count - before, true, in->diags);
        calico_set_free(set);
    }
}

int verb_validate(struct cli_options *o) {
    struct manifests in = {.arena = arena_new(), .diags = diag_list_new()};
    if (!o->argument_count || !in.arena || !in.diags) {
        fprintf(stderr, "ribcage validate: which files?\n");
        return 2;
    }
    for (size_t i = 0; i < o->argument_count; i++)
        validate_one(&in, o->arguments[i], o);
    cli_print_diags(in.diags);
    int status = diag_error_count(in.diags) ? 2 : 0;
    if (!status)
        printf("%zu valid\n", o->argument_count);
    diag_list_free(in.diags);
    arena_free(in.arena);
    return status;
}
