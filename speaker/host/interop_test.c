/*
 * Our speaker against other BGP programs: BIRD 1.6 (what Calico ships), BIRD 2, FRR, GoBGP,
 * OpenBGPD, ExaBGP.
 *
 * Everything is real: namespaces, TCP, kernel routes, the programs of Debian as .ci/peers unpacks
 * them. A few child processes per program share the rows of the table between them, all at
 * once, each in network and mount namespaces of its own. Node 0 is ours, node 1 the other program;
 * where a third is needed it is ours. What a side holds is compared as a whole line of attributes.
 *
 * INTEROP_PROGRAM=bird runs one program in the foreground, INTEROP_ROW=text the rows whose name
 * contains it; INTEROP_WRITE=1 writes speaker/INTEROP.md from the run. INTEROP_MRT=folder keeps
 * every message of node N in folder/N.mrt, for `ribcage decode`: for one row of one program.
 */
#include "interop_fixture.h"
#include "interop_rows_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct program *const programs[] = {
    &program_bird, &program_bird2, &program_frr, &program_gobgp, &program_openbgpd, &program_exabgp,
};
#define PROGRAMS (sizeof programs / sizeof programs[0])
#define SHARDS 3 /* children of a program: most of a row is waiting for timers of seconds */

/* Written by the children, read by the parent. */
static struct board {
    struct interop_cell cells[INTEROP_ROWS_MAX];
    atomic_uint taken; /* rows that a child has taken, from the last one on: long ones first */
} * boards;

static struct {
    const struct program *program;
    unsigned column;
    bool forbidden;
} run;

/* ---- one row with one program ---- */

static int row_index(void **state) {
    return (int)((const struct interop_row *)*state - interop_rows);
}

static void test_row(void **state) {
    const struct interop_row *row = *state;
    struct interop_cell *cell = &boards[run.column].cells[row_index(state)];
    cell->result = CELL_SKIPPED;
    if (!interop_present(run.program)) {
        printf("skipped: %s is missing; .ci/peers fetches it\n", interop_path(run.program, ""));
        skip();
    }
    if (run.forbidden || !nodes_up(row->nodes))
        skip();
    cell->result = CELL_FAILED;
    interop_note = cell->note;
    row->run(run.program, row->argument);
    cell->result = CELL_HELD;
}

static void print_log(const char *path) {
    char line[400];
    FILE *f = fopen(path, "r");
    static char tail[30][400];
    unsigned count = 0;
    while (f && fgets(line, sizeof line, f))
        memcpy(tail[count++ % 30], line, sizeof line);
    for (unsigned i = count > 30 ? count - 30 : 0; i < count; i++)
        printf("    %s: %s", path, tail[i % 30]);
    if (f)
        fclose(f);
}

static int end_row(void **state) {
    if (run.program && boards[run.column].cells[row_index(state)].result == CELL_FAILED) {
        print_log("/run/1.0.log");
        print_log("/run/1.0.out");
        print_log("/run/1.1.log");
        print_log("/run/1.1.out");
    }
    interop_kill_all();
    if (nodes.count)
        nodes_down();
    return 0;
}

/* Takes rows of a program until there are none left; how many failed. */
static int run_program(unsigned column) {
    const char *only = getenv("INTEROP_ROW");
    int failed = 0;
    unsigned taken;
    run.column = column;
    run.program = programs[column];
    while ((taken = atomic_fetch_add(&boards[column].taken, 1)) < interop_row_count) {
        const struct interop_row *row = &interop_rows[interop_row_count - 1 - taken];
        if (!interop_row_applies(row, run.program) || (only && !strstr(row->name, only)))
            continue;
        struct CMUnitTest test = {row->name, test_row, NULL, end_row, (void *)(uintptr_t)row};
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        failed += _cmocka_run_group_tests(run.program->title, &test, 1, NULL, NULL);
        clock_gettime(CLOCK_MONOTONIC, &end);
        printf("%s, %s: %.1f s\n", run.program->title, row->name,
               (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec));
    }
    return failed;
}

/* ---- all programs at once ---- */

static pid_t fork_program(unsigned child, FILE *out) {
    pid_t parent = getpid(), pid;
    fflush(NULL);
    pid = fork();
    if (pid != 0)
        return pid;
    nodes_bind_to_parent(parent);
    if (dup2(fileno(out), 1) < 0 || dup2(fileno(out), 2) < 0)
        _exit(96);
    run.forbidden = !interop_private_run();
    exit(run_program(child / SHARDS) == 0 ? 0 : 1);
}

static void print_file(FILE *f) {
    char line[1024];
    rewind(f);
    while (fgets(line, sizeof line, f))
        fputs(line, stdout);
}

#define CHILDREN (PROGRAMS * SHARDS)

static int run_all(void) {
    FILE *out[CHILDREN];
    pid_t pids[CHILDREN];
    int failed = 0;
    for (unsigned i = 0; i < CHILDREN; i++) {
        out[i] = tmpfile();
        if (!out[i] || (pids[i] = fork_program(i, out[i])) < 0)
            return 1;
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        int status = 0;
        if (waitpid(pids[i], &status, 0) != pids[i] || status != 0)
            failed = 1;
        print_file(out[i]);
        fclose(out[i]);
    }
    return failed;
}

static void write_page(void) {
    const struct interop_cell *cells[PROGRAMS];
    for (unsigned p = 0; p < PROGRAMS; p++)
        cells[p] = boards[p].cells;
    interop_page_write("speaker/INTEROP.md", programs, PROGRAMS, cells);
}

int main(void) {
    const char *only = getenv("INTEROP_PROGRAM");
    boards = mmap(NULL, PROGRAMS * sizeof *boards, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (boards == MAP_FAILED || interop_row_count > INTEROP_ROWS_MAX)
        return 1;
    for (unsigned i = 0; only && i < PROGRAMS; i++)
        if (strcmp(programs[i]->name, only) == 0) {
            run.forbidden = !interop_private_run();
            return run_program(i);
        }
    int failed = run_all();
    if (getenv("INTEROP_WRITE"))
        write_page();
    return failed;
}
