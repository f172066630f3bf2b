/*
 * Which scenarios arguments name: as many as there may be, and one more, of which none is left out
 * in silence.
 */
#include "cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FOUR 4

/* A folder of four scenarios. */
static void make_folder(char *folder) {
    char path[128];
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < FOUR; i++) {
        snprintf(path, sizeof path, "%s/%d", folder, i);
        assert_int_equal(mkdir(path, 0755), 0);
        snprintf(path, sizeof path, "%s/%d/scenario.yaml", folder, i);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fclose(f);
    }
}

static void remove_folder(const char *folder) {
    char path[128];
    for (int i = 0; i < FOUR; i++) {
        snprintf(path, sizeof path, "%s/%d/scenario.yaml", folder, i);
        unlink(path);
        snprintf(path, sizeof path, "%s/%d", folder, i);
        rmdir(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void test_too_many(void **state) {
    (void)state;
    char folder[] = "/tmp/scenarios-test-XXXXXX", one[128];
    struct cli_options o = {.argument_count = 250};
    make_folder(folder);
    snprintf(one, sizeof one, "%s/1", folder);
    for (size_t i = 0; i < o.argument_count; i++)
        o.arguments[i] = folder;
    for (int more = 0; more < 2; more++) {
        struct arena *arena = arena_new();
        struct diag_list *diags = diag_list_new();
        const char **paths = NULL;
        size_t count = 0;
        assert_int_equal(cli_scenarios(&o, arena, diags, &paths, &count), !more);
        if (more)
            assert_string_equal(diag_at(diags, 0)->message, "more than 1000 scenarios");
        else
            assert_int_equal(count, 1000);
        diag_list_free(diags);
        arena_free(arena);
        o.arguments[o.argument_count++] = one;
    }
    remove_folder(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_too_many)};
    return cmocka_run_group_tests_name("scenarios", tests, NULL, NULL);
}
