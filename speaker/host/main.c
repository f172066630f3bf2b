/*
 * ribcage-speaker: one BGP speaker in the network namespace it is started in; and `ctl`, which
 * talks to one.
 *
 * The command line and nothing else; host.c is the program.
 */
#include "../base/standard_fds.h"
#include "../base/standard_output.h"
#include "../base/text.h"
#include "../config/config_file.h"
#include "ctl.h"
#include "host.h"

#include <stdio.h>
#include <string.h>

static int print_schema(void) {
    json_t *schema = config_schema();
    if (schema && json_dumpf(schema, stdout, JSON_INDENT(2)) == 0)
        putchar('\n');
    json_decref(schema);
    return schema ? HOST_EXIT_OK : HOST_EXIT_INTERNAL;
}

static int with_output(int status) {
    const char *problem = standard_output_problem();
    if (!problem)
        return status;
    fprintf(stderr, "ribcage-speaker: cannot write to standard output: %s\n", problem);
    return status == HOST_EXIT_OK ? HOST_EXIT_UNABLE : status;
}

/* Whoever starts a speaker by hand wants to ask it something. */
static void default_control(struct host_options *o) {
    static char path[4096];
    if ((!o->config_file && !o->ios_file) || o->control_path || o->control_fd >= 0)
        return;
    ctl_default_socket(path, sizeof path);
    o->control_path = path[0] ? path : NULL;
}

int main(int argc, char *argv[]) {
    struct host_options options;
    struct text error;
    if (!standard_fds_hold())
        return HOST_EXIT_UNABLE;
    if (argc > 1 && strcmp(argv[1], "ctl") == 0)
        return ctl_main(argc - 1, argv + 1);
    text_init(&error);
    if (!options_parse(&options, argc, argv, &error)) {
        fprintf(stderr, "ribcage-speaker: %s\n", text_str(&error));
        text_deinit(&error);
        return HOST_EXIT_USAGE;
    }
    if (options.help) {
        fputs(options_help, stdout);
        return with_output(HOST_EXIT_OK);
    }
    if (options.version) {
        puts("ribcage-speaker " RIBCAGE_VERSION);
        return with_output(HOST_EXIT_OK);
    }
    if (options.schema)
        return with_output(print_schema());
    default_control(&options);
    return host_run(&options);
}
