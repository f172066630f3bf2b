/*
 * Hostile and ordinary texts against the YAML tree.
 *
 * Each table row is a text and what must become of it: the ids and places of the findings, or none.
 * Limits are met exactly (64 levels pass, 65 do not) and memory runs out at every allocation once.
 */

#include "yaml.h"
#include "yaml_limits.h"

#include "../../speaker/base/arena.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct parsed {
    struct arena *arena;
    struct diag_list *diags;
    struct yaml_document *documents;
    int count;
};

static struct parsed parse_sized(const char *text, size_t size) {
    struct parsed p = {arena_new(), diag_list_new(), NULL, 0};
    p.count = yaml_parse(text, size, "t.yaml", p.arena, p.diags, &p.documents);
    return p;
}

static struct parsed parse(const char *text) {
    return parse_sized(text, strlen(text));
}

static void done(struct parsed *p) {
    diag_list_free(p->diags);
    arena_free(p->arena);
}

/* Parses a text that must be fine and hold one document; returns its root. */
static struct yaml_node *parse_one(struct parsed *p, const char *text) {
    *p = parse(text);
    assert_int_equal(diag_count(p->diags), 0);
    assert_int_equal(p->count, 1);
    return p->documents[0].root;
}

static void expect_finding(const struct diag_list *diags, size_t i, const char *id, uint32_t line,
                           uint32_t column) {
    assert_true(i < diag_count(diags));
    assert_string_equal(diag_at(diags, i)->id, id);
    assert_int_equal(diag_at(diags, i)->line, line);
    assert_int_equal(diag_at(diags, i)->column, column);
    assert_string_equal(diag_at(diags, i)->file, "t.yaml");
}

/* ---- what is accepted ---- */

static void tree_has_kinds_and_places(void **state) {
    (void)state;
    struct parsed p;
    struct yaml_node *root = parse_one(&p, "a: 1\nb:\n  - x\n  - \"\"\n  - ~\nc:\n");
    assert_int_equal(root->kind, YAML_MAPPING);
    assert_int_equal(root->count, 3);
    const struct yaml_node *b = yaml_get(root, "b");
    assert_int_equal(b->kind, YAML_SEQUENCE);
    assert_int_equal(b->line, 3);
    assert_int_equal(b->column, 3);
    assert_int_equal(b->count, 3);
    assert_int_equal(b->items[1]->kind, YAML_SCALAR);
    assert_true(b->items[1]->quoted);
    assert_int_equal(b->items[2]->kind, YAML_NULL);
    assert_int_equal(yaml_get(root, "c")->kind, YAML_NULL);
    assert_string_equal(yaml_get(root, "c")->text, "");
    assert_int_equal(yaml_key(root, "b")->line, 2);
    assert_null(yaml_get(root, "d"));
    done(&p);
}

static void documents_are_counted(void **state) {
    static const struct {
        const char *text;
        int count;
    } rows[] = {
        {"", 0},
        {"# nothing\n", 0},
        {"---\n---\n", 0},
        {"a: 1\n---\nb: 2\n---\n\n---\nc: 3", 3},
        {"\xef\xbb\xbf"
         "a: 1\r\nb: 2\r\n",
         1},
        {"{\"kind\": \"Node\", \"n\": [1, 2]}", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parsed p = parse(rows[i].text);
        assert_int_equal(diag_count(p.diags), 0);
        assert_int_equal(p.count, rows[i].count);
        done(&p);
    }
}

static void byte_order_mark_takes_no_column(void **state) {
    (void)state;
    struct parsed p;
    assert_int_equal(parse_one(&p, "\xef\xbb\xbf"
                                   "a: 1\n")
                         ->column,
                     1);
    done(&p);
}

/* ---- what is refused ---- */

static void refusals_have_id_and_place(void **state) {
    static const struct {
        const char *text, *id;
        uint32_t line, column;
    } rows[] = {
        {"a: &x 1\nb: 2", "yaml-alias", 1, 4},
        {"a: &x {b: 1}\n", "yaml-alias", 1, 4},
        {"a: &x [b]\n", "yaml-alias", 1, 4},
        {"b: *x\n", "yaml-alias", 1, 4},
        {"*x : 1\n", "yaml-alias", 1, 1},
        {"<<: {a: 1}\n", "yaml-alias", 1, 1},
        {"a: 1\nb: 2\na: 3\n", "duplicate-key", 3, 1},
        {"x: {b: 1, \"b\": 2}\n", "duplicate-key", 1, 11},
        {"a: !!binary aGk=\n", "yaml-tag", 1, 4},
        {"a: !thing {b: 1}\n", "yaml-tag", 1, 4},
        {"a: !thing [b]\n", "yaml-tag", 1, 4},
        {"? [a, b]\n: 1\n", "yaml-key", 1, 3},
        {"a:\n\tb: 1\n", "yaml-syntax", 2, 1},
        {"a: [1, 2\nb: 3\n", "yaml-syntax", 2, 2},
        {"a: \"open\n", "yaml-syntax", 2, 1},
        {"a: 1\n  b: 2\n", "yaml-syntax", 2, 4},
        {"kind: A metadata: b\n", "yaml-syntax", 1, 17},
        {"a: \"x\\0y\"\n", "yaml-encoding", 1, 4},
        {"a: \xff\n", "yaml-encoding", 1, 4},
        {"a: 1\nb: \xc0\xaf\n", "yaml-encoding", 2, 4},
        {"a: \x01\n", "yaml-encoding", 1, 4},
        {"\xc3\xa4: \xe2\x82\xac\xff\n", "yaml-encoding", 1, 5}, /* characters, not octets */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parsed p = parse(rows[i].text);
        assert_true(p.count >= 0);
        expect_finding(p.diags, 0, rows[i].id, rows[i].line, rows[i].column);
        done(&p);
    }
}

/* What a reader that goes document by document has by the first mistake. */
static void sound_documents_stand_before_the_first_error(void **state) {
    static const struct {
        const char *text;
        size_t sound;
    } rows[] = {
        {"", 0},
        {"a: 1\n", 1},
        {"a: 1\n---\nb: 2\n--- # third\nc: 3\n", 3},
        {"a: 1\n---\nb: [\n---\nc: 3\n", 1},
        {"a: 1\n---\nb: 2\n---\nc: 1\nc: 2\n---\nd: 4\n", 2},
        {"a: 1\n---\nb: 2\n}\n---\nc: 3\n", 1},
        {"a: \"x\n---\nb: 2\n", 0},
        {"---\na: 1\n---\nb: *x\n", 1},
        {"---\na: 1\n b: 2\n---\nc: 3\n", 0},
        {"# first\n---\n---\na: 1\n---\n\tb: 1\n", 1},
        {"a: |\n  text\n  ---\n  more\n---\nb: !t 1\n", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parsed p = parse(rows[i].text);
        assert_true(p.count >= 0);
        size_t sound = yaml_sound_documents(rows[i].text, strlen(rows[i].text), p.documents,
                                            (size_t)p.count, p.diags, 0);
        if (sound != rows[i].sound)
            fail_msg("%zu sound documents, not %zu, in:\n%s", sound, rows[i].sound, rows[i].text);
        done(&p);
    }
}

static void all_mistakes_are_reported(void **state) {
    (void)state;
    struct parsed p = parse("a: &x 1\na: *x\nb: !t 1\n");
    assert_int_equal(diag_count(p.diags), 4);
    expect_finding(p.diags, 0, "yaml-alias", 1, 4);
    expect_finding(p.diags, 1, "yaml-alias", 2, 4);
    expect_finding(p.diags, 2, "yaml-tag", 3, 4);
    expect_finding(p.diags, 3, "duplicate-key", 2, 1);
    assert_non_null(strstr(diag_at(p.diags, 3)->message, "line 1"));
    done(&p);
}

/* What browsers and word processors leave is named where it stands, once. */
static void marks_of_pasting_are_named(void **state) {
    static const struct {
        const char *text, *says;
        uint32_t line, column;
    } rows[] = {
        {"```yaml\na: 1\n```\n", "Markdown", 1, 1},
        {"a: 1\n```\n", "Markdown", 2, 1},
        {"a: 1\n\xe2\x80\x94\nb: 1\n", "three hyphens", 2, 1},
        {"a: 1\n\xe2\x80\x93-\nb: 1\n", "three hyphens", 2, 1},
        {"  a: 1\n  ---\n  b: 1\n", "beginning of its line", 2, 1},
        {"a:\n\xc2\xa0\xc2\xa0"
         "b: 1\nc:\n\xc2\xa0"
         "d: 1\n",
         "no-break space U+00A0", 2, 1},
        {"a:\n  b: 1\n\xc2\xa0\xc2\xa0 c: 1\n", "U+00A0", 3, 1},
        {"\xff\xfe"
         "a",
         "this is UTF-16", 1, 1},
        {"kind: A\nspec: 1\nkind: B\nspec: 2\n", "\"---\" is missing", 3, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parsed p = parse(rows[i].text);
        assert_int_equal(diag_count(p.diags), 1);
        const struct diag *d = diag_at(p.diags, 0);
        if (!strstr(d->message, rows[i].says) || d->line != rows[i].line ||
            d->column != rows[i].column)
            fail_msg("%zu: %u:%u: %s", i, d->line, d->column, d->message);
        assert_int_equal(d->severity, DIAG_ERROR);
        done(&p);
    }
}

static void marks_in_values_are_warned_of(void **state) {
    (void)state;
    struct parsed p = parse("a: \xe2\x80\x9c"
                            "x\xe2\x80\x9d\nb: \xe2\x80\x8b"
                            "1\n"
                            "c: \"\xe2\x80\x9c"
                            "x\"\nd: x\xe2\x80\x99s\n");
    assert_int_equal(p.count, 1);
    assert_int_equal(diag_count(p.diags), 2);
    assert_int_equal(diag_warning_count(p.diags), 2);
    expect_finding(p.diags, 0, "pasted-mark", 1, 4);
    expect_finding(p.diags, 1, "pasted-mark", 2, 4);
    done(&p);
}

/* One key twice is a slip of its own; so are two, where no object begins anew. */
static void duplicates_are_no_lost_separator(void **state) {
    (void)state;
    struct parsed p = parse("a: 1\nb: 1\nc: 1\nb: 2\nc: 2\n");
    assert_int_equal(diag_count(p.diags), 2);
    assert_non_null(strstr(diag_at(p.diags, 0)->message, "only one of them can count"));
    done(&p);
    p = parse("x: {a: 1, b: 1, a: 1, b: 1}\n");
    assert_int_equal(diag_count(p.diags), 2);
    done(&p);
}

static void nul_bytes_are_refused(void **state) {
    static const char text[] = "a: 1\nb: x\0y\n";
    (void)state;
    struct parsed p = parse_sized(text, sizeof(text) - 1);
    expect_finding(p.diags, 0, "yaml-encoding", 2, 5);
    done(&p);
}

static void documents_before_a_mistake_are_kept(void **state) {
    (void)state;
    struct parsed p = parse("a: 1\n---\nb: [\n---\nc: 1\n");
    assert_int_equal(p.count, 1);
    assert_int_equal(diag_error_count(p.diags), 1);
    done(&p);
}

/* ---- limits ---- */

static char *repeated(const char *unit, size_t count, const char *end) {
    size_t size = strlen(unit);
    char *text = malloc(size * count + strlen(end) + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * size, unit, size);
    memcpy(text + size * count, end, strlen(end) + 1);
    return text;
}

static void depth_is_limited(void **state) {
    static const struct {
        const char *unit;
        size_t count;
        bool fine;
    } rows[] = {
        {"- ", YAML_DEPTH_MAX, true}, {"- ", YAML_DEPTH_MAX + 1, false},
        {"[", 1000000, false},        {"{a: ", 1000000, false},
        {"- ", 100000, false},        {"? ", 100000, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *text = repeated(rows[i].unit, rows[i].count, "x\n");
        struct parsed p = parse(text);
        assert_int_equal(diag_error_count(p.diags) == 0, rows[i].fine);
        assert_true(arena_size(p.arena) < 16u << 20);
        done(&p);
        free(text);
    }
}

static void many_duplicates_do_not_cost_a_square(void **state) {
    (void)state;
    char *text = repeated("a: 1\n", 200000, "");
    struct parsed p = parse(text);
    assert_int_equal(diag_error_count(p.diags), 199999);
    done(&p);
    free(text);
}

static void nodes_are_limited(void **state) {
    (void)state;
    char *text = repeated("-\n", YAML_NODES_MAX, "");
    struct parsed p = parse(text);
    assert_int_equal(diag_error_count(p.diags), 1);
    assert_string_equal(diag_at(p.diags, 0)->id, "yaml-limit");
    done(&p);
    free(text);
}

static void bytes_are_limited(void **state) {
    (void)state;
    char *text = repeated("#", YAML_BYTES_MAX, "#");
    struct parsed p = parse(text);
    assert_string_equal(diag_at(p.diags, 0)->id, "yaml-limit");
    done(&p);
    p = parse_sized(text, YAML_BYTES_MAX);
    assert_int_equal(diag_count(p.diags), 0);
    done(&p);
    free(text);
}

static void memory_may_run_out_anywhere(void **state) {
    static const char text[] = "a: [1, {b: c}]\nd: 2\n---\ne: {f: g}\n";
    (void)state;
    int failed = 0;
    for (unsigned long n = 1; n < 100; n++) {
        struct parsed p = {arena_new(), diag_list_new(), NULL, 0};
        alloc_fail_after(n, false);
        p.count = yaml_parse(text, strlen(text), "t.yaml", p.arena, p.diags, &p.documents);
        alloc_fail_after(0, false);
        assert_true(p.count == -1 || p.count == 2);
        failed += p.count == -1;
        done(&p);
    }
    assert_true(failed > 0);
}

/* ---- typed reading ---- */

static void numbers_are_decimal_only(void **state) {
    static const struct {
        const char *text;
        bool fine;
        uint64_t value;
    } rows[] = {
        {"0", true, 0},
        {"1", true, 1},
        {"4294967295", true, 4294967295u},
        {"-1", false, 0},
        {"0x10", false, 0},
        {"010", false, 0},
        {"1e3", false, 0},
        {"1:30", false, 0},
        {"1_000", false, 0},
        {"+5", false, 0},
        {"NO", false, 0},
        {"4294967296", false, 0},
        {"1.0", false, 0},
        {"\"1\"", false, 0},
        {"18446744073709551616", false, 0},
        {"9223372036854775808", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parsed p = parse(rows[i].text);
        uint64_t value = 77;
        bool fine = yaml_u64(p.documents[0].root, "n", 0, UINT32_MAX, p.diags, &value);
        assert_int_equal(fine, rows[i].fine);
        assert_int_equal(value, fine ? rows[i].value : 77);
        assert_int_equal(diag_count(p.diags), fine ? 0 : 1);
        done(&p);
    }
}

static void truth_values_are_two_words(void **state) {
    static const struct {
        const char *text;
        int value; /* -1: refused */
    } rows[] = {{"true", 1}, {"false", 0}, {"True", 1},      {"yes", -1},
                {"on", -1},  {"NO", -1},   {"\"true\"", -1}, {"1", -1}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parsed p = parse(rows[i].text);
        bool value = false;
        bool fine = yaml_bool(p.documents[0].root, "b", p.diags, &value);
        assert_int_equal(fine ? value : -1, rows[i].value);
        done(&p);
    }
}

static void durations_follow_go(void **state) {
    static const struct {
        const char *text;
        bool fine;
        uint64_t ns;
    } rows[] = {
        {"250ms", true, 250000000},
        {"2m30s", true, 150000000000},
        {"1h", true, 3600000000000},
        {"1.5s", true, 1500000000},
        {".5us", true, 500},
        {"0", true, 0},
        {"5", false, 0},
        {"s", false, 0},
        {"-1s", false, 0},
        {"1 s", false, 0},
        {"1d", false, 0},
        {"99999999999999999999s", false, 0},
        {"9999999999h", false, 0},
        {"1.s.", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parsed p = parse(rows[i].text);
        uint64_t ns = 77;
        assert_int_equal(yaml_duration(p.documents[0].root, "d", p.diags, &ns), rows[i].fine);
        assert_int_equal(ns, rows[i].fine ? rows[i].ns : 77);
        done(&p);
    }
}

static void unknown_words_name_the_nearest(void **state) {
    static const char *const known[] = {"peerIP", "asNumber", "nodeSelector"};
    (void)state;
    struct parsed p;
    struct yaml_node *root = parse_one(&p, "peerIp: 1\nasNumber: 2\nzzz: 3\n");
    size_t i;
    assert_int_equal(yaml_check_keys(root, known, 3, "spec", p.diags), 2);
    assert_non_null(strstr(diag_at(p.diags, 0)->message, "did you mean \"peerIP\"?"));
    expect_finding(p.diags, 0, "unknown-field", 1, 1);
    assert_null(strstr(diag_at(p.diags, 1)->message, "did you mean"));
    assert_false(yaml_enum(yaml_key(root, "peerIp"), "w", known, 3, p.diags, &i));
    assert_non_null(strstr(diag_at(p.diags, 2)->message, "did you mean \"peerIP\"?"));
    assert_true(yaml_enum(yaml_key(root, "asNumber"), "w", known, 3, p.diags, &i));
    assert_int_equal(i, 1);
    done(&p);
}

static void what_is_not_given_is_silent(void **state) {
    (void)state;
    struct parsed p = parse("a: 1");
    const char *text;
    uint64_t value;
    bool truth;
    assert_false(yaml_string(NULL, "x", p.diags, &text));
    assert_false(yaml_u64(NULL, "x", 0, 1, p.diags, &value));
    assert_false(yaml_bool(NULL, "x", p.diags, &truth));
    assert_int_equal(diag_count(p.diags), 0);
    done(&p);
}

/* ---- parameters ---- */

static void parameters_are_put_in(void **state) {
    static const struct yaml_parameter parameters[] = {{"n", "10"}, {"s", "${n}"}};
    (void)state;
    struct parsed p;
    struct yaml_node *root =
        parse_one(&p, "${n}: \"${n}\"\nb: x${n}y${n}\nc: $${n}\nd: \"${s}\"\ne: $n\n");
    uint64_t value = 0;
    assert_true(yaml_substitute(root, parameters, 2, p.arena, p.diags));
    assert_true(yaml_u64(root->items[0], "a", 0, 99, p.diags, &value));
    assert_int_equal(value, 10);
    assert_string_equal(root->keys[0]->text, "${n}");
    assert_string_equal(yaml_get(root, "b")->text, "x10y10");
    assert_string_equal(yaml_get(root, "c")->text, "${n}");
    assert_string_equal(yaml_get(root, "d")->text, "${n}");
    assert_string_equal(yaml_get(root, "e")->text, "$n");
    done(&p);
}

static void wrong_parameters_are_findings(void **state) {
    static const struct yaml_parameter parameters[] = {{"nodes", "10"}};
    (void)state;
    struct parsed p;
    struct yaml_node *root = parse_one(&p, "a: ${node}\nb: \"${nodes\"\n");
    assert_false(yaml_substitute(root, parameters, 1, p.arena, p.diags));
    assert_int_equal(diag_count(p.diags), 2);
    expect_finding(p.diags, 0, "unknown-parameter", 1, 4);
    assert_non_null(strstr(diag_at(p.diags, 0)->message, "did you mean \"nodes\"?"));
    expect_finding(p.diags, 1, "unknown-parameter", 2, 4);
    done(&p);
}

static void substitution_is_limited(void **state) {
    (void)state;
    char *value = repeated("x", 1000, "");
    char *text = repeated("${v}", 2000, "\n");
    struct yaml_parameter parameter = {"v", value};
    struct parsed p;
    struct yaml_node *root = parse_one(&p, text);
    assert_false(yaml_substitute(root, &parameter, 1, p.arena, p.diags));
    assert_string_equal(diag_at(p.diags, 0)->id, "yaml-limit");
    done(&p);
    free(text);
    text = repeated("${v}", 1000, "\n");
    char *all = NULL;
    assert_true(asprintf(&all, "- repeat: 100\n  each: %s", text) > 0);
    root = parse_one(&p, all);
    assert_false(yaml_substitute(root, &parameter, 1, p.arena, p.diags)); /* 100 MB */
    assert_string_equal(diag_at(p.diags, 0)->id, "yaml-limit");
    done(&p);
    free(all);
    free(value);
    free(text);
}

/* As many, and as long, as may be; and one more. */
static void limits_of_substitution_are_met(void **state) {
    static const char *const texts[] = {"- repeat: 10000\n  each: a\n",
                                        "- repeat: 10001\n  each: a\n"};
    (void)state;
    char *value = repeated("x", 1024, "");
    struct yaml_parameter parameter = {"v", value};
    for (int more = 0; more < 2; more++) {
        struct parsed p;
        struct yaml_node *root = parse_one(&p, texts[more]);
        assert_int_equal(yaml_substitute(root, &parameter, 1, p.arena, p.diags), !more);
        assert_int_equal(more ? diag_count(p.diags) : root->count, more ? 1 : YAML_REPEAT_MAX);
        done(&p);
        char *text = repeated("${v}", YAML_SUBSTITUTED_BYTES_MAX / 1024, more ? "x\n" : "\n");
        root = parse_one(&p, text);
        assert_int_equal(yaml_substitute(root, &parameter, 1, p.arena, p.diags), !more);
        assert_int_equal(more ? 0 : strlen(root->text), more ? 0 : YAML_SUBSTITUTED_BYTES_MAX);
        done(&p);
        free(text);
    }
    free(value);
}

static void items_are_repeated(void **state) {
    static const struct yaml_parameter parameters[] = {{"racks", "2"}};
    (void)state;
    struct parsed p;
    struct yaml_node *root =
        parse_one(&p, "- first\n"
                      "- {repeat: \"${racks}\", as: r, each: {name: \"rack-${r}\"}}\n"
                      "- repeat: 2\n  as: r\n  each:\n"
                      "  - a${r}\n  - {repeat: \"${r}\", as: k, each: \"${r}.${k}\"}\n"
                      "- {repeat: 0, each: nothing}\n"
                      "- last\n");
    assert_true(yaml_substitute(root, parameters, 1, p.arena, p.diags));
    static const char *const plain[] = {"a1", "1.1", "a2", "2.1", "2.2", "last"};
    assert_int_equal(root->count, 9);
    assert_string_equal(yaml_get(root->items[1], "name")->text, "rack-1");
    assert_string_equal(yaml_get(root->items[2], "name")->text, "rack-2");
    for (uint32_t i = 0; i < 6; i++)
        assert_string_equal(root->items[3 + i]->text, plain[i]);
    assert_int_equal(root->items[2]->line, 2);
    done(&p);
}

static void wrong_repetitions_are_findings(void **state) {
    static const struct {
        const char *text, *id;
    } cases[] = {
        {"- {repeat: many, each: a}\n", "out-of-range"},
        {"- {repeat: 10001, each: a}\n", "out-of-range"},
        {"- {repeat: 2, as: r, each: \"${rack}\"}\n", "unknown-parameter"},
        {"- {repeat: 2, for: r, each: a}\n", "unknown-field"},
        {"- {repeat: 10000, each: [{repeat: 10000, each: a}]}\n", "yaml-limit"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p;
        struct yaml_node *root = parse_one(&p, cases[i].text);
        assert_false(yaml_substitute(root, NULL, 0, p.arena, p.diags));
        assert_string_equal(diag_at(p.diags, 0)->id, cases[i].id);
        done(&p);
    }
}

/* ---- files ---- */

static int make_tree(char *folder) {
    int fd;
    assert_non_null(mkdtemp(folder));
    int root = open(folder, O_PATH | O_DIRECTORY);
    assert_true(root >= 0);
    assert_int_equal(mkdirat(root, "in", 0700), 0);
    fd = openat(root, "in/a.yaml", O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "a: 1\n", 5), 5);
    close(fd);
    fd = openat(root, "out.yaml", O_WRONLY | O_CREAT, 0600);
    close(fd);
    assert_int_equal(mkfifoat(root, "in/fifo", 0600), 0);
    assert_int_equal(symlinkat("../out.yaml", root, "in/up"), 0);
    assert_int_equal(symlinkat("/etc/passwd", root, "in/absolute"), 0);
    assert_int_equal(symlinkat("a.yaml", root, "in/inside"), 0);
    assert_int_equal(symlinkat("loop", root, "in/loop"), 0);
    assert_int_equal(symlinkat("/proc/self/fd/0", root, "in/magic"), 0);
    close(root);
    fd = open(folder, O_PATH | O_DIRECTORY);
    int in = openat(fd, "in", O_PATH | O_DIRECTORY);
    close(fd);
    return in;
}

static void remove_tree(const char *folder) {
    static const char *const names[] = {"in/a.yaml", "in/fifo", "in/up",    "in/absolute",
                                        "in/inside", "in/loop", "in/magic", "out.yaml"};
    int fd = open(folder, O_PATH | O_DIRECTORY);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlinkat(fd, names[i], 0);
    unlinkat(fd, "in", AT_REMOVEDIR);
    close(fd);
    rmdir(folder);
}

static void nothing_outside_is_opened(void **state) {
    static const char *const hostile[] = {
        "../out.yaml",
        "/etc/passwd",
        "/proc/self/mem",
        "/dev/zero",
        "up",
        "absolute",
        "loop",
        "fifo",
        "magic",
        ".",
        "",
        "missing",
        "a.yaml/x",
        "../in/../out.yaml",
        "./../in/a.yaml",
    };
    (void)state;
    char folder[] = "/tmp/yaml-test-XXXXXX";
    int in = make_tree(folder);
    struct parsed p = parse("a: 1");
    struct diag_place place = {"t.yaml", 3, 4};
    size_t size = 0;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        assert_null(file_read_beneath(in, hostile[i], hostile[i], p.arena, place, p.diags, &size));
        expect_finding(p.diags, i, "unreadable-file", 3, 4);
    }
    const char *text = file_read_beneath(in, "a.yaml", "a.yaml", p.arena, place, p.diags, &size);
    assert_string_equal(text, "a: 1\n");
    assert_int_equal(size, 5);
    text = file_read_beneath(in, "inside", "inside", p.arena, place, p.diags, &size);
    assert_string_equal(text, "a: 1\n");
    done(&p);
    close(in);
    remove_tree(folder);
}

static void own_paths_must_be_regular(void **state) {
    (void)state;
    struct parsed p = parse("a: 1");
    size_t size = 0;
    assert_null(file_read("/", p.arena, p.diags, &size));
    assert_null(file_read("/dev/zero", p.arena, p.diags, &size));
    assert_null(file_read("/nonexistent.yaml", p.arena, p.diags, &size));
    assert_int_equal(diag_error_count(p.diags), 3);
    done(&p);
}

/* One octet too many, none of them on the disk. */
static void files_are_limited(void **state) {
    (void)state;
    char name[] = "/tmp/yaml-test-XXXXXX";
    struct parsed p = parse("a: 1");
    size_t size = 0;
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, YAML_BYTES_MAX), 0);
    assert_non_null(file_read(name, p.arena, p.diags, &size));
    assert_int_equal(size, YAML_BYTES_MAX);
    assert_int_equal(ftruncate(fd, YAML_BYTES_MAX + 1), 0);
    assert_null(file_read(name, p.arena, p.diags, &size));
    assert_non_null(strstr(diag_at(p.diags, 0)->message, "larger than 64 MiB"));
    close(fd);
    unlink(name);
    done(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_has_kinds_and_places),
        cmocka_unit_test(documents_are_counted),
        cmocka_unit_test(byte_order_mark_takes_no_column),
        cmocka_unit_test(refusals_have_id_and_place),
        cmocka_unit_test(all_mistakes_are_reported),
        cmocka_unit_test(marks_of_pasting_are_named),
        cmocka_unit_test(marks_in_values_are_warned_of),
        cmocka_unit_test(duplicates_are_no_lost_separator),
        cmocka_unit_test(sound_documents_stand_before_the_first_error),
        cmocka_unit_test(nul_bytes_are_refused),
        cmocka_unit_test(documents_before_a_mistake_are_kept),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(many_duplicates_do_not_cost_a_square),
        cmocka_unit_test(nodes_are_limited),
        cmocka_unit_test(bytes_are_limited),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(numbers_are_decimal_only),
        cmocka_unit_test(truth_values_are_two_words),
        cmocka_unit_test(durations_follow_go),
        cmocka_unit_test(unknown_words_name_the_nearest),
        cmocka_unit_test(what_is_not_given_is_silent),
        cmocka_unit_test(parameters_are_put_in),
        cmocka_unit_test(wrong_parameters_are_findings),
        cmocka_unit_test(substitution_is_limited),
        cmocka_unit_test(limits_of_substitution_are_met),
        cmocka_unit_test(items_are_repeated),
        cmocka_unit_test(wrong_repetitions_are_findings),
        cmocka_unit_test(nothing_outside_is_opened),
        cmocka_unit_test(own_paths_must_be_regular),
        cmocka_unit_test(files_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
