#ifndef RIBCAGE_HOST_INTEROP_ROWS_FIXTURE_H
#define RIBCAGE_HOST_INTEROP_ROWS_FIXTURE_H

#include "interop_fixture.h"

/* One row of the matrix: a test that is run with each program. */
struct interop_row {
    const char *name;
    unsigned nodes; /* on the subnet; node 0 is ours, node 1 the program's. From three on there
                       is a bridge between them */
    void (*run)(const struct program *p, int argument);
    int argument;
    const struct program *only; /* NULL: every program */
    unsigned needs;             /* of enum interop_ability */
};
extern const struct interop_row interop_rows[];
extern const unsigned interop_row_count;
extern const char interop_legend[];

#define INTEROP_NOTE_SIZE 48
/* Where the running row may leave a remark for its cell. */
extern char *interop_note;

#endif
