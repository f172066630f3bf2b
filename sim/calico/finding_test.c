/*
 * The catalogue of findings against the code that reports them and the page that explains them:
 * every id in the sources has a row, every row is reported somewhere, FINDINGS.md has the same
 * rows.
 */
#include "finding.h"

#include "calico_test.h"

#include <dirent.h>
#include <stdlib.h>

/* The folder of this file, from where the compiler saw it. */
static const char *folder(const char *below, char path[512]) {
    snprintf(path, 512, "%.*s%s", (int)(strlen(__FILE__) - strlen("calico/finding_test.c")),
             __FILE__, below);
    return path;
}

static char *read_whole(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s cannot be read (tests run in the root of the sources)", path);
    struct text t;
    text_init(&t);
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
        text_put(&t, piece, n);
    fclose(f);
    char *copy = strdup(text_str(&t));
    text_deinit(&t);
    return copy;
}

static void test_rows(void **state) {
    (void)state;
    size_t count;
    const struct finding_rule *r = finding_rules(&count);
    assert_true(count > 80);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(r[i - 1].id, r[i].id) >= 0)
            fail_msg("%s stands behind %s", r[i].id, r[i - 1].id);
        assert_ptr_equal(finding_rule_find(r[i].id), &r[i]);
        assert_null(strpbrk(r[i].meaning, "|\n"));
        assert_null(strpbrk(r[i].calico, "|\n"));
        assert_null(strpbrk(r[i].cure, "|\n"));
        assert_true(r[i].meaning[0] && r[i].calico[0] && r[i].cure[0]);
    }
    assert_null(finding_rule_find("no-such-finding"));
}

/* ---- the sources ---- */

/* A text literal that could be an id: words joined by hyphens. */
static bool looks_like_id(const char *s, size_t size) {
    bool hyphen = false;
    for (size_t i = 0; i < size; i++) {
        bool word = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');
        hyphen |= s[i] == '-';
        if (!word && (s[i] != '-' || i == 0 || i + 1 == size))
            return false;
    }
    return hyphen;
}

struct sources {
    bool *used; /* per row */
    size_t calls;
};

/* The literals of one call up to its message: ids among them must be known. */
static void check_call(struct sources *s, const char *file, const char *at) {
    size_t count;
    const struct finding_rule *rules = finding_rules(&count);
    s->calls++;
    for (const char *open = strchr(at, '"'); open; open = strchr(open, '"')) {
        const char *close = strchr(++open, '"');
        if (!close || memchr(open, ' ', (size_t)(close - open)) ||
            memchr(open, '%', (size_t)(close - open)) || close - at > 400)
            return;
        char id[64];
        snprintf(id, sizeof id, "%.*s", (int)(close - open), open);
        const struct finding_rule *r = finding_rule_find(id);
        if (r)
            s->used[r - rules] = true;
        else if (looks_like_id(open, (size_t)(close - open)))
            fail_msg("%s: the finding %s is not in the catalogue", file, id);
        open = close + 1;
    }
}

static void check_source(struct sources *s, const char *file) {
    static const char *const calls[] = {
        "diag_add(", "read_error(", "read_unless_raw(", "read_warning(", "read_problem(", "WARN(",
        "FAIL(",     "NOTE(",       "fail_at(",         "] = {\"",
    };
    char *text = read_whole(file);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        for (const char *p = text; (p = strstr(p, calls[i])) != NULL; p += strlen(calls[i])) {
            bool row = calls[i][0] == ']'; /* of a table: {"id", DIAG_… */
            const char *id = row ? p + strlen(calls[i]) : p;
            if (!row)
                check_call(s, file, p);
            else if (strncmp(id + strcspn(id, "\""), "\", DIAG_", 8) == 0)
                check_call(s, file, id - 1);
        }
    free(text);
}

static void check_folder(struct sources *s, const char *below) {
    char path[512], file[1024];
    DIR *d = opendir(folder(below, path));
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        size_t size = strlen(e->d_name);
        if (size < 3 || strcmp(e->d_name + size - 2, ".c") != 0 || strstr(e->d_name, "_test.c") ||
            strstr(e->d_name, "_fuzz.c") || strcmp(e->d_name, "finding.c") == 0)
            continue;
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        check_source(s, file);
    }
    closedir(d);
}

static void test_sources(void **state) {
    (void)state;
    size_t count;
    const struct finding_rule *r = finding_rules(&count);
    struct sources s = {calloc(count, sizeof(bool)), 0};
    check_folder(&s, "calico");
    check_folder(&s, "yaml");
    assert_true(s.calls > 100);
    for (size_t i = 0; i < count; i++)
        if (!s.used[i])
            fail_msg("nothing reports %s", r[i].id);
    free(s.used);
}

/* ---- the page ---- */

static void test_page(void **state) {
    (void)state;
    char path[512], line[2048];
    char *text = read_whole(folder("calico/FINDINGS.md", path));
    size_t count, rows = 0;
    const struct finding_rule *r = finding_rules(&count);
    for (size_t i = 0; i < count; i++) {
        snprintf(line, sizeof line, "\n| `%s` | %s | %s | %s | %s |\n", r[i].id,
                 diag_severity_name(r[i].severity), r[i].meaning, r[i].calico, r[i].cure);
        if (!strstr(text, line))
            fail_msg("%s lacks the row%s", path, line);
    }
    for (const char *p = text; (p = strstr(p, "\n| `")) != NULL; p++)
        rows++;
    assert_int_equal(rows, count);
    /* The second table names findings only. */
    for (const char *p = strstr(text, "## Seen"); p && (p = strchr(p, '`')) != NULL;) {
        char id[64];
        size_t size = strcspn(++p, "`");
        snprintf(id, sizeof id, "%.*s", (int)size, p);
        if (looks_like_id(p, size) && !finding_rule_find(id))
            fail_msg("%s names %s, which is no finding", path, id);
        p += size + 1;
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_page),
    };
    return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
