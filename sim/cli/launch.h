#ifndef RIBCAGE_LAUNCH_H
#define RIBCAGE_LAUNCH_H

#include "../scenario/engine.h"
#include "cli.h"

/* What `run` and `up` share: from a scenario's path to a supervisor with a command in front of it.
 */

struct launch {
    const struct cli_options *o;
    struct arena *arena;
    struct diag_list *diags;
    struct scenario *scenario;
    struct engine engine;
    struct lab_place place;
    struct front front;
    char id[LAB_ID_MAX];
    char directory[300]; /* <runs>/<id> */
    bool up;             /* serve instead of walking through the steps */
    int output_error;    /* errno of what was drawn and lost on standard output; 0: nothing */
};

/* Reads, plans, runs. Returns the exit status; every message has been printed. */
int launch(struct launch *l, const char *path);

#endif
