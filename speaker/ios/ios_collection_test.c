/*
 * C182: configurations that other people wrote. FRR's tests have a thousand routers in a dialect of
 * IOS: `.ci/peers` fetches them. What a router of theirs says and IOS does not must be named, line
 * by line; the rest is in force and stays the same when it is printed and read again.
 */
#include "../base/diag.h"
#include "../base/text.h"
#include "ios.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX 262144
#define LINES_MAX 20000

struct witness {
    const char *file;
    uint32_t line; /* of the last report */
    uint8_t named[LINES_MAX];
    size_t outcomes[IOS_OUTCOMES];
};

static void witness_line(void *context, const struct ios_line_report *report) {
    struct witness *w = context;
    bool judged = report->outcome == IOS_LINE_IGNORED || report->outcome == IOS_LINE_REFUSED;
    if (report->line < w->line || report->line >= LINES_MAX)
        fail_msg("%s: line %u is told of after line %u", w->file, report->line, w->line);
    if (judged != (report->why[0] != '\0') || strlen(report->why) > 2000)
        fail_msg("%s:%u: %s, because \"%s\"", w->file, report->line,
                 ios_outcome_names[report->outcome], report->why);
    w->line = report->line;
    w->named[report->line] = 1;
    w->outcomes[report->outcome]++;
}

static size_t read_file(const char *path, char text[FILE_SIZE_MAX]) {
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    size_t size = fread(text, 1, FILE_SIZE_MAX, f);
    assert_int_equal(ferror(f), 0);
    assert_in_range(size, 0, FILE_SIZE_MAX - 1);
    fclose(f);
    return size;
}

/* Every line of the file was told of, and no other. */
static void check_lines(const struct witness *w, const char *text, size_t size) {
    uint32_t line = 1;
    for (const char *at = text, *end = text + size; at < end; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (!w->named[line])
            fail_msg("%s:%u: nothing is said of this line", w->file, line);
        at = newline ? newline + 1 : end;
    }
    if (w->line >= line)
        fail_msg("%s: line %u is told of, the file has %u", w->file, w->line, line - 1);
}

static struct ios_router *router_new(void) {
    const struct ios_interface interface = {
        .name = "GigabitEthernet0/0", .addr = ip4(0x0A000001), .length = 24, .up = true};
    struct ios_env env = {.hostname = "R1", .interfaces = &interface, .interface_count = 1};
    struct ios_router *r = ios_router_new(&env);
    assert_non_null(r);
    return r;
}

static void running_config(struct ios_router *r, struct text *out) {
    const struct ios_view view = {.wall_ms = 0};
    text_init(out);
    ios_exec(r, &view, "show running-config", out);
}

/* What is in force is printed; read again it is in force once more, and nothing of it refused. */
static void check_again(struct ios_router *r, const char *file) {
    struct diag_list *d = diag_list_new();
    struct ios_router *again = router_new();
    struct text first, second;
    running_config(r, &first);
    assert_true(ios_load(again, first.data, first.size, file, false, d));
    for (size_t i = 0; i < diag_count(d); i++)
        if (diag_at(d, i)->severity == DIAG_ERROR)
            fail_msg("%s: what was printed is refused: %s", file, diag_at(d, i)->message);
    running_config(again, &second);
    if (strcmp(text_str(&first), text_str(&second)) != 0)
        fail_msg("%s: printed and read again:\n%s\n--- not\n%s", file, text_str(&second),
                 text_str(&first));
    (void)ios_bgp_config(again, d);
    text_deinit(&first);
    text_deinit(&second);
    ios_router_free(again);
    diag_list_free(d);
}

static void check_file(const char *path, size_t outcomes[IOS_OUTCOMES]) {
    static char text[FILE_SIZE_MAX];
    static struct witness w;
    size_t size = read_file(path, text);
    struct ios_router *r = router_new();
    struct diag_list *d = diag_list_new();
    assert_non_null(d);
    w = (struct witness){.file = path};
    assert_true(ios_load_reported(r, text, size, path, false, d, witness_line, &w));
    check_lines(&w, text, size);
    (void)ios_bgp_config(r, d);
    check_again(r, path);
    for (int i = 0; i < IOS_OUTCOMES; i++)
        outcomes[i] += w.outcomes[i];
    diag_list_free(d);
    ios_router_free(r);
}

static void test_C182_other_peoples_configurations(void **state) {
    (void)state;
    const char *peers = getenv("RIBCAGE_PEERS");
    size_t outcomes[IOS_OUTCOMES] = {0};
    char pattern[600];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/frr-topotests/*/*/*.conf", peers ? peers : "build/peers");
    if (glob(pattern, 0, NULL, &found) != 0) {
        print_message("skipped: the collection is not there: .ci/peers fetches it\n");
        skip();
    }
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_file(found.gl_pathv[i], outcomes);
    assert_in_range(found.gl_pathc, 500, 100000);
    /* Of that many lines there are some of each kind, or somebody was not listening. */
    for (int i = 0; i < IOS_OUTCOMES; i++)
        assert_in_range(outcomes[i], 500, 1000000);
    globfree(&found);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C182_other_peoples_configurations),
    };
    return cmocka_run_group_tests_name("ios_collection", tests, NULL, NULL);
}
