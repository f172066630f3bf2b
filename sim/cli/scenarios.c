/*
 * Which scenarios the arguments of a command name.
 *
 * A file is taken as it is (reading it says what is wrong); a folder that holds a scenario.yaml is
 * one scenario; any other folder is searched by scenario_list.
 */

#include "cli.h"

#include "../scenario/scenario.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCENARIOS_MAX 1000

bool cli_is_scenario(const char *path) {
    char inside[4200];
    snprintf(inside, sizeof inside, "%.4000s/scenario.yaml", path);
    const char *slash = strrchr(path, '/');
    return strcmp(slash ? slash + 1 : path, "scenario.yaml") == 0 || access(inside, F_OK) == 0;
}

static bool is_folder(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

bool cli_scenarios(const struct cli_options *o, struct arena *arena, struct diag_list *diags,
                   const char ***ret_paths, size_t *ret_count) {
    const char **all = arena_array(arena, SCENARIOS_MAX, sizeof *all);
    size_t count = 0;
    for (size_t i = 0; all && i < o->argument_count; i++) {
        const char *one = o->arguments[i], **paths = &one;
        size_t found = 1;
        if (!cli_is_scenario(one) && is_folder(one) &&
            !scenario_list(one, arena, diags, &paths, &found))
            return false;
        if (found > SCENARIOS_MAX - count) {
            diag_add(diags, DIAG_ERROR, (struct diag_place){.file = one}, "limit",
                     "more than %d scenarios", SCENARIOS_MAX);
            return false;
        }
        memcpy(all + count, paths, found * sizeof *all);
        count += found;
    }
    *ret_paths = all;
    *ret_count = count;
    return all != NULL;
}
