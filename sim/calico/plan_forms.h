#ifndef RIBCAGE_CALICO_PLAN_FORMS_H
#define RIBCAGE_CALICO_PLAN_FORMS_H

#include "plan.h"

/*
 * The plan for the eye and for other programs, beside the table (calico_plan_print) and the JSON
 * (calico_plan_json). Same plan, same octets. False: out of memory, or the stream failed.
 */

/* Every field of the JSON in a column, one line per session (only of `node` when not NULL). */
bool calico_plan_wide(const struct calico_plan *p, const char *node, struct text *out);

/* The tree of calico_plan_json as YAML, written node by node. */
bool calico_plan_write_yaml(const struct calico_plan *p, const struct diag_list *findings,
                            FILE *out);

#define CALICO_MATRIX_MAX 60 /* nodes and outside neighbours of a family */

/* Of a node's sessions with neighbours outside: one that the router there keeps from coming up. A
 * plan alone does not know. */
struct calico_failing {
    struct ip_addr node, neighbor;
};
/* Who peers with whom, a row and a column per node: nothing when there are more than
 * CALICO_MATRIX_MAX, or no session. `failing`: beside what the plan itself knows; NULL with 0.
 * `colour`: ANSI colours beside the letters. */
void calico_plan_matrix(const struct calico_plan *p, const struct calico_failing *failing,
                        size_t failing_count, bool colour, struct text *out);

/* Graphviz: nodes in boxes by AS and rack (label "rack"), a line per pair; a large mesh is one hub,
 * because nobody can read its lines. */
bool calico_plan_dot(const struct calico_plan *p, struct text *out);

#endif
