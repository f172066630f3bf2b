/*
 * Names of labs: any number may begin within a second.
 */

#include "cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LABS 500

static int compare(const void *a, const void *b) {
    return strcmp(a, b);
}

static void test_names_differ(void **state) {
    static char ids[LABS][LAB_ID_MAX];

    (void)state;
    for (size_t i = 0; i < LABS; i++)
        lab_id_make(ids[i]);
    qsort(ids, LABS, sizeof ids[0], compare);
    for (size_t i = 1; i < LABS; i++)
        assert_string_not_equal(ids[i - 1], ids[i]);
    assert_int_equal(strlen(ids[0]), strlen("20261121-020304-7f3a51c0"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names_differ)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
