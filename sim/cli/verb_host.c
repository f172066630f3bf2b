/*
 * doctor and version: what this machine and this build are.
 */

#include "cli.h"

#include "../lab/lab.h"

#include <stdio.h>
#include <stdlib.h>

int verb_doctor(struct cli_options *o) {
    struct diag_list *diags = diag_list_new();
    json_t *facts = json_object();
    size_t n = o->nodes ? (size_t)o->nodes : 100;
    struct lab_needs needs = {
        .hosts = n,
        .sessions = n * (n - 1) / 2,
        .routes = n * n,
        .sockets_per_speaker_max = n,
        .capture = true,
    };
    host_check(&needs, diags, facts);
    int status = diag_error_count(diags) ? 4 : 0;
    if (o->format == CLI_JSON) {
        cli_print_json(json_incref(facts));
    } else {
        const char *name;
        json_t *value;
        json_object_foreach(facts, name, value) {
            char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
            printf("%-32s %s\n", name, text ? text : "");
            free(text);
        }
        printf("\na full mesh of %zu nodes (%zu sessions) %s here\n", n, needs.sessions,
               status ? "does not fit" : "fits");
    }
    fflush(stdout);
    cli_print_diags(diags);
    json_decref(facts);
    diag_list_free(diags);
    return status;
}

int verb_version(struct cli_options *o) {
    if (o->format == CLI_JSON)
        cli_print_json(json_pack("{s:s}", "version", RIBCAGE_VERSION));
    else
        printf("ribcage %s\n", RIBCAGE_VERSION);
    return 0;
}
