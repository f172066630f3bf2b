/*
 * Words and exit codes of verdicts. What follows from a verdict is decided here and nowhere else.
 */

#include "report.h"

#include <string.h>

static const struct {
    const char *name;
    int exit;
} verdicts[] = {
    [RUN_PASSED] = {"passed", 0},
    [RUN_WARNINGS] = {"passed-with-warnings", 3},
    [RUN_INCOMPLETE] = {"incomplete", 6},
    [RUN_FAILED] = {"failed", 1},
    [RUN_NOT_CONVERGED] = {"not-converged", 5},
    [RUN_REFUSED] = {"refused", 2},
    [RUN_HOST] = {"host", 4},
    [RUN_CRASHED] = {"crashed", 6},
    [RUN_VOID] = {"void", 7},
    [RUN_INTERRUPTED] = {"interrupted", 130},
};

const char *run_verdict_name(enum run_verdict v) {
    return verdicts[v].name;
}

int run_verdict_exit(enum run_verdict v) {
    return verdicts[v].exit;
}

bool report_verdict(const json_t *result, enum run_verdict *ret_verdict) {
    const char *name = json_string_value(json_object_get(result, "verdict"));
    for (size_t i = 0; name && i < sizeof verdicts / sizeof verdicts[0]; i++) {
        if (strcmp(verdicts[i].name, name) == 0) {
            *ret_verdict = (enum run_verdict)i;
            return true;
        }
    }
    return false;
}

const char *check_verdict_name(enum check_verdict v) {
    static const char *const names[] = {
        [CHECK_PASSED] = "passed",
        [CHECK_FAILED] = "failed",
        [CHECK_TIMEOUT] = "timeout",
        [CHECK_SKIPPED] = "skipped",
    };
    return names[v];
}
