#ifndef RIBCAGE_CORE_CASES_TEST_H
#define RIBCAGE_CORE_CASES_TEST_H

#include <assert.h>
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/*
 * Rows of tables as tests of their own, each named after its row: "C014 version 3" becomes
 * test_C014_version_3, so that a report can tell which conformance check it stands for. The test
 * function finds its row in *state.
 */

#define CASES_MAX 512
#define CASES_NAME_MAX 100

struct cases {
    struct CMUnitTest tests[CASES_MAX];
    char names[CASES_MAX][CASES_NAME_MAX];
    size_t count;
};

static inline void cases_add(struct cases *c, const char *row_name, CMUnitTestFunction run,
                             const void *row) {
    assert(c->count < CASES_MAX);
    char *name = c->names[c->count];
    snprintf(name, CASES_NAME_MAX, "test_%.*s", CASES_NAME_MAX - 6, row_name);
    for (; *name; name++) {
        *name = isalnum((unsigned char)*name) ? *name : '_';
    }
    c->tests[c->count] = (struct CMUnitTest){
        .name = c->names[c->count], .test_func = run, .initial_state = (void *)(uintptr_t)row};
    c->count++;
}

#define CASES_ADD_TABLE(cases, table, run)                                                         \
    do {                                                                                           \
        for (size_t i_ = 0; i_ < sizeof(table) / sizeof(table)[0]; i_++) {                         \
            cases_add(cases, (table)[i_].name, run, &(table)[i_]);                                 \
        }                                                                                          \
    } while (0)

static inline void cases_add_tests(struct cases *c, const struct CMUnitTest *tests, size_t count) {
    assert(c->count + count <= CASES_MAX);
    memcpy(c->tests + c->count, tests, count * sizeof *tests);
    c->count += count;
}

static inline int cases_run(const struct cases *c, const char *group) {
    return _cmocka_run_group_tests(group, c->tests, c->count, NULL, NULL);
}

#endif
