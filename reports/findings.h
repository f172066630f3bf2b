#ifndef RIBCAGE_FINDINGS_H
#define RIBCAGE_FINDINGS_H

#include "../speaker/base/diag.h"

#include <jansson.h>
#include <stddef.h>

/*
 * Findings about texts, for other programs: as plain JSON, and as SARIF 2.1.0, which code review
 * shows in place. What an id means is the caller's to say.
 */

/* What a finding's id means. `calico` and `cure` may be NULL. */
struct report_rule {
    const char *id;
    enum diag_severity severity;
    const char *meaning, *calico, *cure;
};
/* The rule with this id; false: none is known. In its place NULL: no id has one. */
typedef bool report_rule_fn(const char *id, struct report_rule *ret_rule);

/* {"valid", "errors", "warnings", "findings": [{severity, id, file, line, column, message, pair,
 * prefix, step, calico, cure}]}. A new reference; NULL: out of memory. */
json_t *report_findings_json(const struct diag_list *d, report_rule_fn *rule);
/* [{id, severity, file, line, column, message}], as result.json has its warnings; 0 and "": not
 * known. */
json_t *report_findings_list(const struct diag_list *d);
/* A SARIF log of one run: a rule per id that was reported, a result per finding. A new reference;
 * NULL: out of memory. */
json_t *report_findings_sarif(const struct diag_list *d, report_rule_fn *rule, const char *version);

#endif
