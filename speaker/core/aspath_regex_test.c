/*
 * AS path expressions: a table of pattern, text and verdict (C177), patterns that are refused, and
 * a pattern that makes backtracking engines take for ever.
 */
#include "aspath_regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

struct row {
    const char *pattern, *text;
    bool matches;
};

static void test_C177_verdicts(void **state) {
    static const struct row rows[] = {
        {"", "", true},
        {"", "65001", true},
        {".*", "", true},
        {".*", "65001 65002", true},
        {"^$", "", true},
        {"^$", "65001", false},
        {"^65001$", "65001", true},
        {"^65001$", "65001 65002", false},
        {"^65001$", "165001", false},
        {"_65002_", "65001 65002 65003", true},
        {"_65002_", "65002", true},
        {"_65002_", "65001 65002", true},
        {"_65002_", "65001 650021", false},
        {"_65002_", "165002 65001", false},
        {"^65001_", "65001 65002", true},
        {"^65001_", "65001", true},
        {"^65001_", "650010", false},
        {"_65003$", "65001 65003", true},
        {"_65003$", "65003 65001", false},
        {"^65001_65002$", "65001 65002", true},
        {"^[0-9]+$", "65001", true},
        {"^[0-9]+$", "65001 65002", false},
        {"^[0-9]+_[0-9]+$", "65001 65002", true},
        {"^6500[1-3]_", "65002 1", true},
        {"^6500[^1-3]_", "65002 1", false},
        {"^6500[^1-3]_", "65004 1", true},
        {"^(65001|65002)_", "65002 3", true},
        {"^(65001|65002)_", "65003 2", false},
        {"^65001( 65001)*$", "65001 65001 65001", true},
        {"^65001( 65001)*$", "65001 65002", false},
        {"^65001(_65002)?$", "65001", true},
        {"^65001(_65002)?$", "65001 65002", true},
        {"_{65010", "65001 {65010,65011}", true},
        {"_65011_", "65001 {65010,65011}", true},
        {"_65100_", "(65100) 65001", true},
        {"\\(65100\\)", "(65100) 65001", true},
        {"a|b|", "zzz", true},
        {"1.3", "123", true},
        {"1\\.3", "123", false},
        {"5+$", "6555", true},
    };
    struct aspath_regex r;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(aspath_regex_compile(&r, rows[i].pattern));
        if (aspath_regex_match(&r, rows[i].text, strlen(rows[i].text)) != rows[i].matches) {
            fail_msg("\"%s\" on \"%s\"", rows[i].pattern, rows[i].text);
        }
    }
}

static void test_refused(void **state) {
    static const char *const patterns[] = {"(",  ")", "(1", "1)",          "[1", "[",  "*",
                                           "+1", "?", "\\", "(65001)_\\1", "|*", "(*)"};
    struct aspath_regex r;
    char longest[ASPATH_REGEX_TEXT_MAX + 2];
    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        if (aspath_regex_compile(&r, patterns[i])) {
            fail_msg("\"%s\" was taken", patterns[i]);
        }
    }
    memset(longest, '1', sizeof longest);
    longest[ASPATH_REGEX_TEXT_MAX + 1] = 0;
    assert_false(aspath_regex_compile(&r, longest));
    longest[ASPATH_REGEX_TEXT_MAX] = 0;
    assert_true(aspath_regex_compile(&r, longest));
    memset(longest, '(', sizeof longest);
    longest[ASPATH_REGEX_TEXT_MAX] = 0;
    assert_false(aspath_regex_compile(&r, longest));
}

/* `+` doubles what it repeats, for those who unroll it. */
static void test_unrolled(void **state) {
    static const struct {
        const char *pattern;
        bool taken;
    } rows[] = {
        {"1+++++++++", true},
        {"1++++++++++", false},
        {"(((((((((1+)+)+)+)+)+)+)+)+)", true},
        {"((((((((((1+)+)+)+)+)+)+)+)+)+)", false},
        {"1+++++++++|2++++++++123456789012345678901234567890", true},
        {"1+++++++++|2+++++++++", false},
        {"1+++++++++2+++++++++", false},
        {"_++++++++", true},
        {"_+++++++++", false},
        {"1*********?????????", true},
        {"1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1_",
         true},
    };
    struct aspath_regex r;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (aspath_regex_compile(&r, rows[i].pattern) != rows[i].taken) {
            fail_msg("\"%s\": taken is %d", rows[i].pattern, !rows[i].taken);
        }
    }
}

static void test_no_backtracking(void **state) {
    static char text[20000];
    struct aspath_regex r;
    (void)state;
    memset(text, '1', sizeof text);
    assert_true(aspath_regex_compile(&r, "^(1+)+(1*)*(1?1)*2$"));
    assert_false(aspath_regex_match(&r, text, sizeof text));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C177_verdicts),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_unrolled),
        cmocka_unit_test(test_no_backtracking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
