/*
 * The longest lists and the largest numbers that a scenario may have, and one more: refused with a
 * finding that names the limit. All that is read is inline, in a file under /tmp.
 */
#include "scenario.h"
#include "scenario_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOPOLOGY                                                                                   \
    "topology:\n  segments: {name: lan, subnet: 10.0.0.0/24}\n  nodes: {count: 2, name: k%d}\n"
#define STEPS "steps:\n  - expect: {sessions: mesh}\n"

struct row {
    const char *name, *head, *before, *item, *between, *after;
    size_t max;
    const char *says;
};

/* `item` may have one number: which it is. */
static const struct row rows[] = {
    {"steps", TOPOLOGY, "steps:\n", "  - {name: s%zu, expect: {sessions: mesh}}\n", "", "",
     SCENARIO_STEPS_MAX, "steps: must be a list of 1 to 1000 steps"},
    {"expect", TOPOLOGY, "steps:\n  - expect:\n      ping:\n", "        - {sample: %zu}\n", "", "",
     SCENARIO_EXPECTS_MAX, "expect: more than 1000 of them"},
    {"manifests", TOPOLOGY STEPS, "manifests:\n", "  - {kind: Nothing, metadata: {name: n%zu}}\n",
     "", "", SCENARIO_MANIFESTS_MAX, "manifests: at most 1000"},
    {"parameters", TOPOLOGY STEPS, "parameters: {", "p%zu: 1", ", ", "}\n", SCENARIO_PARAMETERS_MAX,
     "parameters: must be a mapping of at most 100 names to values"},
    {"pairs", TOPOLOGY, "steps:\n  - expect:\n      sessions:\n        pairs: [", "[k1, k%zu]", ",",
     "]\n", SCENARIO_PAIRS_MAX, "pairs: must be a list of at most 100000 pairs"},
};

/* Steps with a number: the largest, and one more. */
static const struct {
    const char *before, *key;
    unsigned long min, max;
} numbers[] = {
    {"churn: {for: 1s", "rate", 1, 100000},
    {"churn: {for: 1s, rate: 1", "blocks", 1, 1000},
    {"churn: {for: 1s, rate: 1", "sample", 0, 1000},
    {"roll: {graceful: true", "sample", 0, 1000},
    {"roll: {graceful: true", "batch", 1, 10000},
    {"hold: {for: 1s", "cpu", 1, 102400},
};

static void write_row(const struct row *row, size_t count, FILE *f) {
    fprintf(f, "name: limits\n%s%s", row->head, row->before);
    const char *at = strstr(row->item, "%zu");
    assert_non_null(at);
    for (size_t i = 0; i < count; i++) {
        size_t number = strcmp(row->name, "pairs") == 0 ? 2 : i + 1;
        fprintf(f, "%s%.*s%zu%s", i ? row->between : "", (int)(at - row->item), row->item, number,
                at + 3);
    }
    fprintf(f, "%s", row->after);
}

/* A new file; `path` ends in XXXXXX.yaml. */
static FILE *open_file(char *path) {
    int fd = mkstemps(path, 5);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    assert_non_null(f);
    return f;
}

/* Closes and removes the file. `says` NULL: it is read; else what is said first. */
static void assert_file(const char *path, FILE *f, const char *name, size_t count,
                        const char *says) {
    assert_int_equal(fclose(f), 0);
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct scenario *s = scenario_read(path, NULL, 0, arena, diags);
    unlink(path);
    const char *first = diag_count(diags) ? diag_at(diags, 0)->message : "";
    if ((s == NULL) != (says != NULL) || strcmp(first, says ? says : "") != 0)
        fail_msg("%s, %zu: %s \"%s\"", name, count, s ? "read" : "refused", first);
    if (s)
        scenario_close(s);
    diag_list_free(diags);
    arena_free(arena);
}

static void assert_read(const struct row *row, size_t count, const char *says) {
    char path[] = "/tmp/scenario-limits-XXXXXX.yaml";
    FILE *f = open_file(path);
    write_row(row, count, f);
    assert_file(path, f, row->name, count, says);
}

static void lists_are_limited(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_read(&rows[i], rows[i].max, NULL);
        assert_read(&rows[i], rows[i].max + 1, rows[i].says);
    }
}

static void numbers_are_limited(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        for (unsigned more = 0; more < 2; more++) {
            char path[] = "/tmp/scenario-limits-XXXXXX.yaml", says[200];
            const char *key = numbers[i].key;
            unsigned long number = numbers[i].max + more;
            FILE *f = open_file(path);
            fputs("name: limits\n" TOPOLOGY "steps:\n", f);
            fprintf(f, "  - %s, %s: %lu}\n", numbers[i].before, key, number);
            snprintf(says, sizeof says, "%s: \"%lu\" is not a whole number from %lu to %lu", key,
                     number, numbers[i].min, numbers[i].max);
            assert_file(path, f, key, number, more ? says : NULL);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_limited),
        cmocka_unit_test(numbers_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
