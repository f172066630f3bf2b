#ifndef RIBCAGE_HOST_CTL_H
#define RIBCAGE_HOST_CTL_H

#include <jansson.h>
#include <stddef.h>

/*
 * `ribcage-speaker ctl`: the operator's end of the control protocol (speaker/CONTROL.md).
 */

enum ctl_exit {
    CTL_EXIT_OK = 0,
    CTL_EXIT_REFUSED = 1, /* the speaker said no; or there is no such route */
    CTL_EXIT_USAGE = 2,
    CTL_EXIT_UNABLE = 4, /* no speaker answers on the socket, or its answer cannot be printed */
};

/* argv[0] is "ctl". */
int ctl_main(int argc, char *const argv[]);

/* Where a speaker listens and ctl asks when nobody says otherwise: $RIBCAGE_SPEAKER_SOCKET, for
 * root /run/ribcage-speaker.sock, else ribcage-speaker.sock in $XDG_RUNTIME_DIR; "" when none is
 * known. */
void ctl_default_socket(char *out, size_t size);

/* ---- text of answers (ctl_print.c) ---- */

struct text;
/* A line a neighbour. */
void ctl_print_neighbors(const json_t *answer, struct text *out);
/* Everything about each. */
void ctl_print_neighbor(const json_t *answer, struct text *out);
/* A line a route. */
void ctl_print_routes(const json_t *answer, struct text *out);
/* The paths of one prefix, the best first, and which step of the decision each other one lost at.
 */
void ctl_print_paths(const json_t *answer, struct text *out);
void ctl_print_fib(const json_t *answer, struct text *out);
/* Members by name, a line each. */
void ctl_print_members(const json_t *answer, struct text *out);
/* Who the speaker is, and for how long. */
void ctl_print_status(const json_t *answer, struct text *out);
/* Damaged UPDATEs by neighbour and attribute, then the last ones in hexadecimal, as `ribcage
 * decode` reads them. */
void ctl_print_malformed(const json_t *answer, struct text *out);

#endif
