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

#define INTEROP_NOTE_SIZE 48
/* Where the running row may leave a remark for its cell. */
extern char *interop_note;

/* What became of a row with a program. */
struct interop_cell {
    enum { CELL_NONE, CELL_SKIPPED, CELL_FAILED, CELL_HELD } result;
    char note[INTEROP_NOTE_SIZE];
};
#define INTEROP_ROWS_MAX 32

/* Is the row for this program, and has the program what it needs? */
bool interop_row_applies(const struct interop_row *row, const struct program *p);
/* Writes the page: a column per program, whose cells are in the order of interop_rows. */
void interop_page_write(const char *path, const struct program *const programs[], unsigned count,
                        const struct interop_cell *const cells[]);

#endif
