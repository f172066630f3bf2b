/*
 * Verdicts: the words, the exit codes of the README, and the way back from a JSON result.
 */

#include "report_test.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

static const struct {
    enum run_verdict verdict;
    const char *name;
    int exit;
} expected[] = {
    {RUN_PASSED, "passed", 0},
    {RUN_WARNINGS, "passed-with-warnings", 3},
    {RUN_INCOMPLETE, "incomplete", 6},
    {RUN_FAILED, "failed", 1},
    {RUN_NOT_CONVERGED, "not-converged", 5},
    {RUN_REFUSED, "refused", 2},
    {RUN_HOST, "host", 4},
    {RUN_CRASHED, "crashed", 6},
    {RUN_VOID, "void", 7},
    {RUN_INTERRUPTED, "interrupted", 130},
};
#define EXPECTED (sizeof expected / sizeof expected[0])

static void exit_codes(void **state) {
    (void)state;
    assert_int_equal(EXPECTED, RUN_INTERRUPTED + 1);
    for (size_t i = 0; i < EXPECTED; i++) {
        assert_int_equal(expected[i].verdict, i);
        assert_string_equal(run_verdict_name(expected[i].verdict), expected[i].name);
        assert_int_equal(run_verdict_exit(expected[i].verdict), expected[i].exit);
    }
}

static void back_from_json(void **state) {
    (void)state;
    for (size_t i = 0; i < EXPECTED; i++) {
        struct run_result r = {.verdict = expected[i].verdict};
        json_t *j = report_json(&r);
        enum run_verdict v = RUN_VOID;
        assert_true(report_verdict(j, &v));
        assert_int_equal(v, expected[i].verdict);
        assert_int_equal(json_integer_value(json_object_get(j, "exit_status")), expected[i].exit);
        json_decref(j);
    }
}

static void not_a_result(void **state) {
    (void)state;
    static const char *const texts[] = {"{}", "[]", "{\"verdict\":7}", "{\"verdict\":\"fine\"}",
                                        "{\"verdict\":\"\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *j = json_loads(texts[i], 0, NULL);
        enum run_verdict v = RUN_HOST;
        assert_non_null(j);
        assert_false(report_verdict(j, &v));
        assert_int_equal(v, RUN_HOST); /* untouched */
        json_decref(j);
    }
    assert_false(report_verdict(NULL, &(enum run_verdict){RUN_PASSED}));
}

static void check_words(void **state) {
    (void)state;
    assert_string_equal(check_verdict_name(CHECK_PASSED), "passed");
    assert_string_equal(check_verdict_name(CHECK_FAILED), "failed");
    assert_string_equal(check_verdict_name(CHECK_TIMEOUT), "timeout");
    assert_string_equal(check_verdict_name(CHECK_SKIPPED), "skipped");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(back_from_json),
        cmocka_unit_test(not_a_result),
        cmocka_unit_test(check_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
