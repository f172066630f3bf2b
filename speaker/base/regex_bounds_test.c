/*
 * What is weighed, at each limit from both sides; and that regcomp and regexec are quick with the
 * worst of what passes.
 */
#include "regex_bounds.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void expressions_are_weighed(void **state) {
    (void)state;
    static const struct {
        const char *expression, *why; /* NULL: taken */
    } cases[] = {
        {"", NULL},
        {"%BGP-5-ADJCHANGE: neighbor \\*10\\.0\\.0\\.11 Up", NULL},
        {"^(a|b)*[^]\\1[:alpha:]{9}]+x?$", NULL},
        {"[[.].]](a)", NULL},
        {"[\\1](a)", NULL},
        {"\\\\1", NULL},
        {"a\\", NULL},
        {"a{1000}", NULL},
        {"a{1001}", "with all repetitions it has more than 1000 parts"},
        {"a{1,1000}", NULL},
        {"a{0,1001}", "with all repetitions it has more than 1000 parts"},
        {"a{998,}b", NULL},
        {"a{998,}bc", "with all repetitions it has more than 1000 parts"},
        {"a{33}{31}", "with all repetitions it has more than 1000 parts"},
        {"(a{1,31}){1,32}", NULL},
        {"(ab{1,31}){1,32}", "with all repetitions it has more than 1000 parts"},
        {"((((a{1,250}){1,250}){1,250}){1,250})",
         "with all repetitions it has more than 1000 parts"},
        {"a{99999999999999999999999999}", "with all repetitions it has more than 1000 parts"},
        {"((a{1,40}){1,40}", "with all repetitions it has more than 1000 parts"},
        {"(){31}{33}", "with all repetitions it has more than 1000 parts"},
        {"a+++++++++", NULL},
        {"a++++++++++", "with all repetitions it has more than 1000 parts"},
        {"a+++++++++|bc+++++++++", "with all repetitions it has more than 1000 parts"},
        {"(((((((((a+)+)+)+)+)+)+)+)+)", NULL},
        {"((((((((((a+)+)+)+)+)+)+)+)+)+)", "with all repetitions it has more than 1000 parts"},
        {"a{500}+", NULL},
        {"a{501}+", "with all repetitions it has more than 1000 parts"},
        {"a{500}|++++b", NULL},
        {"+++++++++++", NULL},
        {"[0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+", NULL},
        {"(.*)\\1", "back references are not taken"},
        {"(((((((((((((((((((((((((((((((())))))))))))))))))))))))))))))))", NULL},
        {"((((((((((((((((((((((((((((((((()))))))))))))))))))))))))))))))))",
         "groups may be nested 32 deep"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *why = regex_refuse(cases[i].expression);
        if (!cases[i].why != !why)
            print_message("%s: %s\n", cases[i].expression, why ? why : "taken");
        if (cases[i].why)
            assert_non_null(why);
        else
            assert_null(why);
        if (why)
            assert_string_equal(why, cases[i].why);
    }
}

static void length_is_limited(void **state) {
    (void)state;
    char text[REGEX_TEXT_MAX + 2];
    memset(text, '|', sizeof text);
    text[REGEX_TEXT_MAX + 1] = '\0';
    assert_non_null(regex_refuse(text));
    text[REGEX_TEXT_MAX] = '\0';
    assert_null(regex_refuse(text));
}

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A second is three hundred times what they take; what they are kept from does not end. */
static void what_passes_is_cheap(void **state) {
    (void)state;
    static const char *const worst[] = {
        "(.*)*(.*)*(.*)*zzz", "(a|aa|aaa)*(.*.*.*.*.*.*.*.*)*x",
        "(a|b)*a(a|b){300}",  "((((a{1,5}){1,5}){1,5}){1,5})*b",
        "a+++++++++b",        "(((((((((a+)+)+)+)+)+)+)+)+)b",
    };
    char line[4096];
    for (size_t i = 0; i < sizeof line; i++)
        line[i] = (i * i + i / 7) % 3 ? 'a' : 'b';
    line[sizeof line - 1] = '\0';
    double start = cpu_seconds();
    for (size_t i = 0; i < sizeof worst / sizeof worst[0]; i++) {
        regex_t r;
        assert_null(regex_refuse(worst[i]));
        assert_int_equal(regcomp(&r, worst[i], REG_EXTENDED | REG_NOSUB), 0);
        (void)regexec(&r, line, 0, NULL, 0);
        regfree(&r);
    }
    print_message("%.3f s of CPU time\n", cpu_seconds() - start);
    assert_true(cpu_seconds() - start < 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_are_weighed),
        cmocka_unit_test(length_is_limited),
        cmocka_unit_test(what_passes_is_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
