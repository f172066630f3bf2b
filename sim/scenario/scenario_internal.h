#ifndef RIBCAGE_SCENARIO_INTERNAL_H
#define RIBCAGE_SCENARIO_INTERNAL_H

#include "scenario.h"

/* Shared by the files that read scenarios. */

#define SCENARIO_STEPS_MAX 1000
#define SCENARIO_EXPECTS_MAX 1000 /* of one step */
#define SCENARIO_MANIFESTS_MAX 1000
#define SCENARIO_PAIRS_MAX 100000
#define SCENARIO_PARAMETERS_MAX 100
#define SCENARIO_DEADLINE_DEFAULT_NS 60000000000u
#define SCENARIO_DEADLINE_MAX_NS 86400000000000u

struct scenario_reader {
    struct scenario *scenario;
    struct arena *arena;
    struct diag_list *diags;
    uint64_t deadline_ns; /* of a step that names none */
    bool failed;          /* out of memory */
};

/* ---- scenario_files.c ---- */

/* Finds the scenario's file, folder and root and opens both folders. False with findings. */
bool scenario_open(struct scenario *s, const char *path, struct arena *arena,
                   struct diag_list *diags);
/* `a`/`b`, without "./" noise; `b` alone when `a` is "." or "". NULL: out of memory. */
char *scenario_join(struct arena *arena, const char *a, const char *b);

/* ---- scenario_names.c ---- */

/* Every node and router named in a step exists, in the topology or as a Node in a manifest. */
void scenario_check_names(struct scenario_reader *r);

/* ---- scenario_step.c ---- */

/* One entry of `steps`: an action, an expectation, or an action and, as a step of its own behind
 * it, what must hold then. Returns how many of `steps` it filled. */
size_t scenario_read_step(struct scenario_reader *r, const struct yaml_node *n, size_t index,
                          struct scenario_step steps[2]);
/* `apply`, `delete`, `manifests`: names of files and folders, or documents as mappings. */
struct scenario_manifests {
    const char **paths;
    struct diag_place *places;
    size_t count;
    struct yaml_document *documents;
    size_t document_count;
};
bool scenario_read_names(struct scenario_reader *r, const struct yaml_node *n, const char *field,
                         struct scenario_manifests *ret_manifests);

/* ---- scenario.c ---- */

/* "calicoctl" or "kubectl"; *ret_tool is left alone when `n` is NULL. */
void scenario_read_tool(struct scenario_reader *r, const struct yaml_node *n, const char *field,
                        enum calico_tool *ret_tool);
/* ---- scenario_many.c ---- */

/* The mappings under `churn` and `roll`: set the step's kind, too. */
void scenario_read_churn(struct scenario_reader *r, const struct yaml_node *n,
                         struct scenario_step *step);
void scenario_read_roll(struct scenario_reader *r, const struct yaml_node *n,
                        struct scenario_step *step);

/* ---- scenario_expect.c ---- */

/* The mapping under `expect`; several things in it must hold at once. */
void scenario_read_expects(struct scenario_reader *r, const struct yaml_node *n,
                           struct scenario_step *step);
/* The value of `rejected`: one finding or a list of them. */
void scenario_read_rejected(struct scenario_reader *r, const struct yaml_node *n,
                            struct scenario_step *step);

/* ---- scenario_count.c ---- */

/* A whole number, or arithmetic with + - * / and parentheses: "10 * (10 - 1) / 2". */
bool scenario_read_count(const struct yaml_node *n, const char *name, struct diag_list *diags,
                         uint64_t *ret_count);

/* One value or the items of a list; returns how many. */
size_t scenario_items(const struct yaml_node *n, struct yaml_node *const **ret_items,
                      struct yaml_node **ret_single);

/* The fields each mapping knows: the schema must have the same (checked by a test). */
struct scenario_keys {
    const char *what; /* name of the definition in scenarios/schema.json; "" for the outermost */
    const char *const *keys;
    size_t count;
};
extern const struct scenario_keys scenario_keys_top, scenario_keys_step, scenario_keys_apply,
    scenario_keys_ios, scenario_keys_fault, scenario_keys_hold, scenario_keys_expect,
    scenario_keys_sessions, scenario_keys_route, scenario_keys_fib, scenario_keys_ping,
    scenario_keys_overhead, scenario_keys_log, scenario_keys_exec, scenario_keys_cause,
    scenario_keys_rejected, scenario_keys_finding, scenario_keys_calico, scenario_keys_churn,
    scenario_keys_roll;
bool scenario_check_keys(struct scenario_reader *r, const struct yaml_node *n,
                         const struct scenario_keys *keys);

#endif
