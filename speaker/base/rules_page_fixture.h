#ifndef RIBCAGE_BASE_RULES_PAGE_FIXTURE_H
#define RIBCAGE_BASE_RULES_PAGE_FIXTURE_H

#include <stddef.h>

/*
 * A page of rules in tables, the last cell of a row naming the tests that guard it, each between
 * backquotes:
 *
 *   `STEM function`        a test of STEM_test.c that runs
 *   `STEM "piece"`         a piece of a row of STEM_test.c
 *   `file.txt "piece"`     a piece of another file
 *   `scenarios/folder/it`  a scenario
 *
 * A STEM or file without a slash stands in the page's folder, others below the root of the sources.
 */
struct rules_page {
    const char *page;   /* "sim/calico/RULES.md" */
    const char *folder; /* "sim/calico/" */
    size_t rules_min;   /* fewer rows, and the page was not read right */
};

/* Fails with all that is wrong: a reference to nothing, a rule without a test, an empty section. A
 * row that says "not done" must name where that is said to users. */
void rules_page_check(const struct rules_page *page);

/* A file below the root of the sources, with `\"` as `"`: quotes stand in a reference as they stand
 * in the text they are of. free() it. */
char *rules_page_read(const char *below);

#endif
