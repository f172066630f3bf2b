/*
 * RULES.md against the tests it names: every reference is a test function that runs or a piece of
 * a row that is there, every rule has one, and every row of plan_rules_test.c is named.
 */
#include "calico_test.h"

#include <stdlib.h>

#define RULES_MIN 150
#define PATH_MAX_TEXT 512

/* The root of the sources, from where the compiler saw this file. */
static const char *path_of(const char *below, char path[PATH_MAX_TEXT]) {
    static const char here[] = "sim/calico/rules_page_test.c";
    snprintf(path, PATH_MAX_TEXT, "%.*s%s", (int)(strlen(__FILE__) - strlen(here)), __FILE__,
             below);
    return path;
}

/* A text file with `\"` as `"`: quotes stand in a reference as they stand in the text they are of.
 */
static char *read_unescaped(const char *below) {
    char path[PATH_MAX_TEXT];
    FILE *f = fopen(path_of(below, path), "rb");
    struct text t;
    if (!f)
        fail_msg("RULES.md names %s, which cannot be read", path);
    text_init(&t);
    int last = 0;
    for (int c; (c = fgetc(f)) != EOF; last = c) {
        if (last == '\\' && c != '"')
            text_putc(&t, '\\');
        if (c != '\\')
            text_putc(&t, (char)c);
    }
    fclose(f);
    char *copy = strdup(text_str(&t));
    text_deinit(&t);
    return copy;
}

/* All that is wrong is said, not the first only. */
static size_t wrong;

#define WRONG(...)                                                                                 \
    do {                                                                                           \
        print_message("RULES.md: " __VA_ARGS__);                                                   \
        print_message("\n");                                                                       \
        wrong++;                                                                                   \
    } while (0)

/* ---- references ---- */

/* The test that was read last: neighbouring references are of few. */
struct source {
    char *text;
    char name[160];
};

static const char *source_of(struct source *s, const char *name) {
    char below[200];
    if (strcmp(s->name, name) == 0)
        return s->text;
    free(s->text);
    snprintf(s->name, sizeof s->name, "%s", name);
    snprintf(below, sizeof below, "%s%s_test.c", strchr(name, '/') ? "" : "sim/calico/", name);
    s->text = read_unescaped(below);
    return s->text;
}

static void check_function(const char *source, const char *file, const char *function) {
    char definition[160], use[160];
    snprintf(definition, sizeof definition, "static void %s(void **state)", function);
    snprintf(use, sizeof use, "_TEST(%s)", function);
    const char *main_function = strstr(source, "\nint main(void)");
    assert_non_null(main_function);
    bool runs = strstr(main_function, use) != NULL;
    snprintf(use, sizeof use, "cmocka_unit_test(%s)", function);
    runs |= strstr(main_function, use) != NULL;
    if (!strstr(source, definition) || !runs)
        WRONG("%s of %s does not run", function, file);
}

/* "plan_rules test_rules", `plan_rules "mesh: off"`. */
static void check_reference(struct source *s, const char *reference) {
    char name[160];
    const char *what = strchr(reference, ' ');
    if (!what || (size_t)(what - reference) >= sizeof name) {
        WRONG("`%s` is no reference", reference);
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)(what - reference), reference);
    const char *source = source_of(s, name);
    size_t size = strlen(++what);
    if (strncmp(what, "test_", 5) == 0) {
        check_function(source, name, what);
        return;
    }
    if (size < 4 || what[0] != '"' || what[size - 1] != '"') {
        WRONG("`%s` is no reference", reference);
        return;
    }
    char *piece = strndup(what + 1, size - 2);
    if (!strstr(source, piece))
        WRONG("%s_test.c has no \"%s\"", name, piece);
    free(piece);
}

/* The references of a row's last cell; how many. */
static size_t check_cell(struct source *s, const char *cell, const char *end) {
    size_t count = 0;
    while (cell < end && (cell = memchr(cell, '`', (size_t)(end - cell))) != NULL) {
        const char *close = memchr(cell + 1, '`', (size_t)(end - cell - 1));
        assert_non_null(close);
        char *reference = strndup(cell + 1, (size_t)(close - cell - 1));
        check_reference(s, reference);
        free(reference);
        count++;
        cell = close + 1;
    }
    return count;
}

/* Where the last cell of a row begins: behind the last bar but one. */
static const char *last_cell(const char *row, const char *end) {
    const char *bar = end - 1;
    while (bar > row && *--bar != '|')
        ;
    return bar;
}

static void test_references(void **state) {
    char *page = read_unescaped("sim/calico/RULES.md");
    struct source s = {.text = NULL};
    size_t rules = 0, in_section = 1;
    (void)state;
    wrong = 0;
    for (const char *row = page, *end; (end = strchr(row, '\n')) != NULL; row = end + 1) {
        if (strncmp(row, "## ", 3) == 0) {
            assert_true(in_section > 0);
            in_section = 0;
        }
        if (strncmp(row, "| ", 2) != 0 || strncmp(row, "| rule |", 8) == 0)
            continue;
        if (check_cell(&s, last_cell(row, end), end) == 0)
            WRONG("no test guards %.*s", (int)(end - row), row);
        rules++;
        in_section++;
    }
    assert_int_equal(wrong, 0);
    assert_in_range(rules, RULES_MIN, 10000);
    free(s.text);
    free(page);
}

/* ---- the other way round ---- */

/* Every row of the table of clusters is somebody's guard. */
static void test_rows_are_named(void **state) {
    char *page = read_unescaped("sim/calico/RULES.md");
    char *source = read_unescaped("sim/calico/plan_rules_test.c");
    char *at = strstr(source, "} rows[] = {\n");
    size_t rows = 0;
    (void)state;
    wrong = 0;
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
        if (!strstr(page, text_str(&wanted)))
            WRONG("%s is not named", text_str(&wanted));
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
