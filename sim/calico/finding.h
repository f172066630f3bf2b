#ifndef RIBCAGE_CALICO_FINDING_H
#define RIBCAGE_CALICO_FINDING_H

#include "../../speaker/base/diag.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The catalogue of findings: what each id means, what Calico does about it, and the cure.
 * FINDINGS.md is this table for people; a test keeps the two the same, and the ids in the code.
 */
struct finding_rule {
    const char *id;
    enum diag_severity severity; /* the worst it is reported with */
    const char *meaning, *calico, *cure;
};

/* In order of id. */
const struct finding_rule *finding_rules(size_t *ret_count);
/* NULL: no finding about manifests (other texts have ids of their own). */
const struct finding_rule *finding_rule_find(const char *id);
/* calicoctl reads all it is given before it applies anything: where it meets this, nothing is. */
bool finding_refuses_file(const char *id);

#endif
