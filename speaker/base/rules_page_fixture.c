/*
 * Pages of rules against the tests they name: every reference is a test function that runs, a piece
 * of a row that is there, or a scenario, and every rule has one.
 */
#include "rules_page_fixture.h"

#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME_SIZE 200
#define PATH_SIZE 512

/* The root of the sources, from where the compiler saw this file. */
static const char *path_of(const char *below, char path[PATH_SIZE]) {
    static const char here[] = "speaker/base/rules_page_fixture.c";
    snprintf(path, PATH_SIZE, "%.*s%s", (int)(strlen(__FILE__) - strlen(here)), __FILE__, below);
    return path;
}

char *rules_page_read(const char *below) {
    char path[PATH_SIZE];
    FILE *f = fopen(path_of(below, path), "rb");
    struct text t;
    if (!f)
        fail_msg("%s cannot be read", path);
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

/* ---- references ---- */

struct check {
    const struct rules_page *page;
    size_t wrong; /* all that is wrong is said, not the first only */
    /* The file that was read last: neighbouring references are of few. */
    char *text;
    char name[NAME_SIZE];
};

#define WRONG(c, ...)                                                                              \
    do {                                                                                           \
        print_message("%s: ", (c)->page->page);                                                    \
        print_message(__VA_ARGS__);                                                                \
        print_message("\n");                                                                       \
        (c)->wrong++;                                                                              \
    } while (0)

static bool is_file(const char *name) {
    return strchr(name, '.') != NULL;
}

static const char *source_of(struct check *c, const char *name) {
    char below[NAME_SIZE * 2], path[PATH_SIZE];
    if (c->text && strcmp(c->name, name) == 0)
        return c->text;
    snprintf(below, sizeof below, "%s%s%s", strchr(name, '/') ? "" : c->page->folder, name,
             is_file(name) ? "" : "_test.c");
    if (access(path_of(below, path), R_OK) != 0)
        return NULL;
    free(c->text);
    snprintf(c->name, sizeof c->name, "%s", name);
    c->text = rules_page_read(below);
    return c->text;
}

static void check_function(struct check *c, const char *source, const char *file,
                           const char *function) {
    char definition[NAME_SIZE * 2], use[NAME_SIZE * 2];
    snprintf(definition, sizeof definition, "static void %s(void **state)", function);
    const char *main_function = strstr(source, "\nint main(");
    snprintf(use, sizeof use, "(%s)", function);
    bool runs = main_function && strstr(main_function, use) != NULL;
    snprintf(use, sizeof use, "(%s,", function); /* with what is set up or torn down */
    runs |= main_function && strstr(main_function, use) != NULL;
    if (!strstr(source, definition) || !runs)
        WRONG(c, "%s of %s does not run", function, file);
}

static void check_scenario(struct check *c, const char *name) {
    char below[NAME_SIZE * 2], path[PATH_SIZE];
    snprintf(below, sizeof below, "%s/scenario.yaml", name);
    if (strncmp(name, "scenarios/", strlen("scenarios/")) != 0 ||
        access(path_of(below, path), R_OK) != 0)
        WRONG(c, "`%s` is no reference", name);
}

static void check_reference(struct check *c, const char *reference) {
    char name[NAME_SIZE];
    const char *what = strchr(reference, ' ');
    if (!what) {
        check_scenario(c, reference);
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)(what - reference), reference);
    const char *source = source_of(c, name);
    size_t size = strlen(++what);
    if (!source) {
        WRONG(c, "`%s`: there is no such file", reference);
    } else if (what[0] != '"' && !is_file(name)) {
        check_function(c, source, name, what);
    } else if (size < 4 || what[0] != '"' || what[size - 1] != '"') {
        WRONG(c, "`%s` is no reference", reference);
    } else {
        char *piece = strndup(what + 1, size - 2);
        if (!strstr(source, piece))
            WRONG(c, "%s has no \"%s\"", name, piece);
        free(piece);
    }
}

/* ---- rows ---- */

/* The references of a row's last cell; how many. */
static size_t check_cell(struct check *c, const char *cell, const char *end) {
    size_t count = 0;
    while (cell < end && (cell = memchr(cell, '`', (size_t)(end - cell))) != NULL) {
        const char *close = memchr(cell + 1, '`', (size_t)(end - cell - 1));
        assert_non_null(close);
        char *reference = strndup(cell + 1, (size_t)(close - cell - 1));
        check_reference(c, reference);
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

static void check_row(struct check *c, const char *row, const char *end) {
    static const char undone[] = "| not done";
    const char *cell = last_cell(row, end);
    if (check_cell(c, cell, end) == 0)
        WRONG(c, "no test guards %.*s", (int)(end - row), row);
    if (strncmp(cell, undone, sizeof undone - 1) == 0 &&
        !memmem(cell, (size_t)(end - cell), ".md \"", strlen(".md \"")))
        WRONG(c, "no page tells users of %.*s", (int)(end - row), row);
}

/* The heading of a table has a row of dashes below it. */
static bool is_heading(const char *end) {
    return strncmp(end, "\n|--", 4) == 0;
}

void rules_page_check(const struct rules_page *page) {
    char *text = rules_page_read(page->page);
    struct check c = {.page = page};
    size_t rules = 0, in_section = 1;
    for (const char *row = text, *end; (end = strchr(row, '\n')) != NULL; row = end + 1) {
        if (strncmp(row, "## ", 3) == 0) {
            assert_true(in_section > 0);
            in_section = 0;
        }
        if (strncmp(row, "| ", 2) != 0 || is_heading(end))
            continue;
        check_row(&c, row, end);
        rules++;
        in_section++;
    }
    assert_int_equal(c.wrong, 0);
    assert_in_range(rules, page->rules_min, 10000);
    free(c.text);
    free(text);
}
