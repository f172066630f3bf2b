/*
 * RULES.md against the tests it names, and its numbers: those of a section count from one.
 */
#include "../base/rules_page_fixture.h"

#include "../base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void references(void **state) {
    static const struct rules_page page = {
        .page = "speaker/ios/RULES.md", .folder = "speaker/ios/", .rules_min = 150};
    (void)state;
    rules_page_check(&page);
}

/* "## 3 …" and below it 3.1, 3.2, … so that a number names one rule. */
static void numbers(void **state) {
    char *page = rules_page_read("speaker/ios/RULES.md");
    unsigned section = 0, rule = 0;
    (void)state;
    for (const char *row = page, *end; (end = strchr(row, '\n')) != NULL; row = end + 1) {
        char wanted[40];
        if (strncmp(row, "## ", 3) == 0) {
            snprintf(wanted, sizeof wanted, "## %u ", ++section);
            rule = 0;
        } else if (strncmp(row, "| ", 2) == 0 && strncmp(end, "\n|--", 4) != 0) {
            snprintf(wanted, sizeof wanted, "| %u.%u | ", section, ++rule);
        } else {
            continue;
        }
        if (strncmp(row, wanted, strlen(wanted)) != 0)
            fail_msg("not \"%s\": %.*s", wanted, (int)(end - row), row);
    }
    assert_in_range(section, 5, 100);
    free(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests_name("rules page", tests, NULL, NULL);
}
