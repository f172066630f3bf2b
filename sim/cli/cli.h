#ifndef RIBCAGE_CLI_H
#define RIBCAGE_CLI_H

#include "../../reports/report.h"
#include "../../speaker/base/arena.h"
#include "../../speaker/base/diag.h"
#include "../../speaker/base/text.h"
#include "../calico/calico_environment.h"
#include "../yaml/yaml.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The command `ribcage`: a table of verbs, one file per verb (or per family of small ones).
 *
 * Exit status: 0 passed; 1 a check failed; 2 bad usage or bad input; 3 passed with warnings; 4 the
 * host cannot do it; 5 not converged in time; 6 something crashed; 7 result void; 130 interrupted.
 */

enum cli_format { CLI_TABLE, CLI_JSON, CLI_WIDE, CLI_YAML, CLI_DOT, CLI_BIRD, CLI_SARIF };

#define CLI_SETS_MAX 64
#define CLI_ARGUMENTS_MAX 256
#define CLI_FAMILIES_MAX 8

/* All options of all verbs; each verb says which it takes (options.c prints the rest as unknown).
 */
struct cli_options {
    const char *arguments[CLI_ARGUMENTS_MAX];
    size_t argument_count;
    char **rest; /* after the node of `exec`: taken as it stands */
    struct yaml_parameter sets[CLI_SETS_MAX];
    size_t set_count;
    const char *cisco[CLI_ARGUMENTS_MAX];
    size_t cisco_count;
    const char *lab, *node, *profile, *backend, *runs, *table, *prefix, *peer, *directory, *to;
    int runs_fd; /* > 0: the folder that `runs` names, open already */
    enum cli_format format;
    bool quiet, why, all, remove, matrix, json, diff, strict, prune;
    const char *tool;        /* --tool; NULL: not given */
    uint32_t calico_version; /* 0: today's */
    struct calico_environment environment;
    uint64_t seed, repeat, patience, timeout_ms, nodes;
    bool seed_set, warnings_warn, warnings_fail;
    const char *add_path[CLI_FAMILIES_MAX]; /* decode */
    size_t add_path_count;
    bool jsonl, external, extended, as2, extended_next_hop;
    bool mrt;                     /* run, up */
    bool listen;                  /* shell */
    uint64_t listen_port;         /* … 0: the kernel's choice */
    const char *resume, *compare; /* scale */
    bool allow_noise, repeat_set;
    bool fail_fast; /* run */
    /* What a verb wrote to standard output by itself and lost: errno; 0: nothing. */
    int output_error;
};

typedef int cli_verb(struct cli_options *o);

int verb_run(struct cli_options *o);
int verb_up(struct cli_options *o);
int verb_down(struct cli_options *o);
int verb_gc(struct cli_options *o);
int verb_list(struct cli_options *o);
int verb_scale(struct cli_options *o);
int verb_plan(struct cli_options *o);
int verb_validate(struct cli_options *o);
int verb_explain(struct cli_options *o);
/* What help says of them below the options. */
extern const char help_plan[], help_explain[], help_scale[];
int verb_status(struct cli_options *o);
int verb_sessions(struct cli_options *o);
int verb_rib(struct cli_options *o);
int verb_logs(struct cli_options *o);
int verb_exec(struct cli_options *o);
int verb_shell(struct cli_options *o);
int verb_apply(struct cli_options *o);
int verb_wait(struct cli_options *o);
int verb_decode(struct cli_options *o);
int verb_ios(struct cli_options *o);
int verb_doctor(struct cli_options *o);
int verb_version(struct cli_options *o);

/* ---- options.c ---- */

struct verb {
    const char *name, *alias;
    const char *usage; /* "SCENARIO… [--set K=V]…" */
    const char *summary;
    const char *takes; /* letters of the options it takes: see options.c */
    cli_verb *run;
};
/* False: the message is printed. */
bool options_parse(const struct verb *v, int argc, char **argv, struct cli_options *ret_o);
void options_help(const struct verb *v);
/* Adds a parameter "KEY=VALUE" (copied; its name is the allocation). False: the message is printed.
 */
bool options_set(struct cli_options *o, const char *value);
void options_free_sets(struct cli_options *o);

/* ---- labs.c: which labs run, found by their locks, never by name or pattern ---- */

#define LAB_ID_MAX 40

struct lab_place {
    char id[LAB_ID_MAX];
    char directory[160]; /* …/ribcage/<id> */
    char socket[200];
    int lock_fd; /* held by the supervisor; -1 elsewhere */
};

/* "20261121-020304-7f3a51c0". */
void lab_id_make(char id[LAB_ID_MAX]);
/* Makes the lab's directory (0700) and takes its lock. `stays`: made by `up`; `scenario` is the
 * name it is listed by. False: errno. */
bool lab_place_make(const char *id, bool stays, const char *scenario, struct lab_place *ret_place);
#define LAB_ABOUT_MAX 128
/* "up two-racks", "run full-mesh"; "" where nothing was written. */
void lab_place_about(const struct lab_place *p, char out[LAB_ABOUT_MAX]);
/* Does its supervisor hold the lock still? */
bool lab_place_lives(const struct lab_place *p);
/* The directory of a lab that is gone. */
void lab_place_remove(const struct lab_place *p);
/* The same for a lab found dead; false: it lives after all (it may just have been made). */
bool lab_place_collect(const struct lab_place *p);
/* Calls for every lab; `alive`: its lock is held. Returns the count. */
typedef void lab_place_fn(void *context, const struct lab_place *p, bool alive);
size_t lab_places(lab_place_fn *each, void *context);
/* The lab with this id, or the only one, or the only one that `up` made beside those of runs;
 * false: the message is printed. */
bool lab_place_choose(const char *id, struct lab_place *ret_place);

/* ---- client.c ---- */

/* One request to a running lab; a new reference, or NULL with a message printed. With `ret_fd`, the
 * descriptor that came with the answer. */
json_t *lab_ask(const struct lab_place *p, json_t *request, int *ret_fd);
#define LAB_WHY_MAX 160
/* The same without a message: `why` has it. */
json_t *lab_try(const struct lab_place *p, json_t *request, int *ret_fd, char why[LAB_WHY_MAX]);
/* The supervisor of a running lab, held by a pidfd; -1: it does not answer. */
int lab_hold(const struct lab_place *p);
/* Takes this process into the network namespace of a node of the chosen lab (enter.c). 0, or the
 * exit status with the message printed. */
int lab_enter(const struct cli_options *o, const char *node);
/* Chooses the lab, asks, prints errors; NULL: printed. Takes `request` over. */
json_t *lab_ask_chosen(const struct cli_options *o, json_t *request);

/* ---- holders.c: who keeps a lab from going ---- */

#define HOLDERS_LOOK_MS 500 /* between two looks: a lab that is gone by then needs none */
#define HOLDERS_TOLD_MAX 32

struct holders {
    json_t *lab;          /* NULL: none is going */
    uint64_t began_ticks; /* of the clock, since the machine began */
    pid_t told[HOLDERS_TOLD_MAX];
    size_t told_count;
};
/* `lab`: "namespaces", inodes by host, and "pid_namespace", as engine_namespaces makes them; a
 * reference is kept until holders_end. */
void holders_begin(struct holders *h, json_t *lab);
/* Names on standard error, with pid and program, who is in a host's namespace and no process of
 * the lab, and was before holders_begin: each once. */
void holders_tell(struct holders *h);
/* When the lab has ended: says on standard error who of them is still there. False: nobody. */
bool holders_stay(const struct holders *h);
void holders_end(struct holders *h);

/* ---- front.c: the command in front of a supervisor ---- */

struct front {
    struct terminal *terminal;
    int directory_fd; /* runs/<id> */
    json_t *result;   /* last result or partial one */
    bool final;
    bool report_failed;  /* a file could not be written; said once */
    bool detach;         /* `up`: done when the lab is up */
    int signals;         /* signalfd of what interrupts */
    unsigned interrupts; /* so far */
    struct holders holders;
};
/* From here on SIGINT, SIGTERM and SIGHUP wait in f->signals: what has begun ends in order. */
bool front_hold_signals(struct front *f);
/* They end the command, with status 130: nothing has begun. False: one has come meanwhile. */
bool front_free_signals(void);
/* A line for standard error in that case; before front_free_signals. "": none. */
void front_set_last_word(const char *line);
/* Keeps the result as the last one known and writes the report. */
void front_keep_result(struct front *f, json_t *result, bool final);
/* Reads records until the supervisor ends (or, detached, has said it is up); passes on the first
 * interrupt, kills at the second; names who holds up the teardown. Returns the exit status. */
int front_run(struct front *f, int fd, int pidfd);

/* ---- run_folder.c ---- */

/* Makes the folder `name` below `runs`, and that if it is missing; below `runs_fd`, which stays the
 * caller's, if that is > 0: `runs` is its name then. Under sudo both are the user's.
 * Its path goes to `ret_path`, of `size` octets. A descriptor; -1: there is one of that name
 * already, or it cannot be, or its path does not fit, and the message has been printed. */
int run_folder_make(const char *runs, int runs_fd, const char *name, char *ret_path, size_t size);
/* Under sudo: hands what was written into the folder over to the user. */
void run_folder_give(int directory_fd);

/* ---- scenarios.c ---- */

struct arena;
/* Is this path a scenario: a scenario.yaml, or a folder that holds one? */
bool cli_is_scenario(const char *path);
/* The scenarios that the arguments name: those of a folder and below it, each one itself. Paths
 * live in the arena. False with findings. */
bool cli_scenarios(const struct cli_options *o, struct arena *arena, struct diag_list *diags,
                   const char ***ret_paths, size_t *ret_count);

/* ---- tables ---- */

/* Prints columns padded to their widest cell; rows are arrays of `columns` texts. */
struct cli_table {
    size_t columns, rows, capacity;
    char **cells;
};
void table_begin(struct cli_table *t, size_t columns, const char *const *headers);
void table_cell(struct cli_table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_print(struct cli_table *t); /* and frees */

void cli_print_diags(const struct diag_list *d); /* standard error */
/* "ribcage: …" and a newline on standard error, control characters escaped. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_print_json(json_t *j); /* standard output, takes the reference */
/* The exit status when output was lost, which is said then, by stdio or with the error `error` (0:
 * none) beside it: 4 in the place of 0 and 3. A reader that went away wanted no more. */
int cli_status_with_output(int status, int error);
/* Lines a node wrote: newlines and tabs pass, other control characters are escaped. */
void cli_print_lines(const char *lines);

#endif
