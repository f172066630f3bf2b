/*
 * ribcage-speaker: one BGP speaker in the network namespace it is started in.
 *
 * The command line and nothing else; host.c is the program.
 */
#include "../base/text.h"
#include "host.h"

#include <stdio.h>

int main(int argc, char *argv[]) {
    struct host_options options;
    struct text error;
    text_init(&error);
    if (!options_parse(&options, argc, argv, &error)) {
        fprintf(stderr, "ribcage-speaker: %s\n", text_str(&error));
        text_deinit(&error);
        return HOST_EXIT_USAGE;
    }
    if (options.help) {
        fputs(options_help, stdout);
        return HOST_EXIT_OK;
    }
    if (options.version) {
        puts("ribcage-speaker " RIBCAGE_VERSION);
        return HOST_EXIT_OK;
    }
    return host_run(&options);
}
