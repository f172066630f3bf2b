/*
 * RULES.md against the tests it names: every reference is there, every rule has one, and every row
 * of plan_rules_test.c is named.
 */
#include "../../speaker/base/rules_page_fixture.h"
#include "calico_test.h"

#include <stdlib.h>

static void test_references(void **state) {
    static const struct rules_page page = {
        .page = "sim/calico/RULES.md", .folder = "sim/calico/", .rules_min = 150};
    (void)state;
    rules_page_check(&page);
}

/* Every row of the table of clusters is somebody's guard. */
static void test_rows_are_named(void **state) {
    char *page = rules_page_read("sim/calico/RULES.md");
    char *source = rules_page_read("sim/calico/plan_rules_test.c");
    char *at = strstr(source, "} rows[] = {\n");
    size_t rows = 0, wrong = 0;
    (void)state;
    assert_non_null(at);
    char *end = strstr(at, "\n};");
    assert_non_null(end);
    for (char *row; (row = strstr(at, "\n    {\"")) != NULL && row < end; rows++) {
        char *name = row + strlen("\n    {\"");
        at = strstr(name, "\",");
        assert_non_null(at);
        struct text wanted;
        text_init(&wanted);
        text_printf(&wanted, "`plan_rules \"%.*s\"`", (int)(at - name), name);
        if (!strstr(page, text_str(&wanted))) {
            print_message("%s is not named\n", text_str(&wanted));
            wrong++;
        }
        text_deinit(&wanted);
    }
    assert_int_equal(wrong, 0);
    assert_in_range(rows, 80, 10000);
    free(source);
    free(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_rows_are_named),
    };
    return cmocka_run_group_tests_name("rules page", tests, NULL, NULL);
}
