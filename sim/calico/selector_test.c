/*
 * The selector language: what parses, what it selects, and where the errors of the rest stand.
 */
#include "selector.h"

#include "calico_test.h"

#include "../../speaker/base/hash.h"

static const struct calico_label labels[] = {
    {"empty", ""}, {"has", "x"}, {"in", "y"}, {"rack", "rack-1"}, {"role", "border"},
};

static const struct {
    const char *text;
    bool matches;
} good[] = {
    {"", true},
    {" \t", true},
    {"all()", true},
    {"all( )", true},
    {"global()", true},
    {"!all()", false},
    {"!!all()", true},
    {"! ! !all()", false},
    {"has(rack)", true},
    {"has( rack )", true},
    {"has(missing)", false},
    {"!has(missing)", true},
    {"rack == 'rack-1'", true},
    {"rack==\"rack-1\"", true},
    {"rack == 'Rack-1'", false},
    {"rack != 'rack-1'", false},
    {"missing == ''", false},
    {"missing != 'x'", true},
    {"empty == ''", true},
    {"rack contains 'ck'", true},
    {"missing contains ''", false},
    {"rack starts with 'rack'", true},
    {"rack startswith 'ack'", false},
    {"rack ends with '-1'", true},
    {"rack endswith '-2'", false},
    {"rack in {'rack-1', 'rack-2'}", true},
    {"rack in{'rack-1',}", true},
    {"rack in {}", false},
    {"rack not in {}", true},
    {"rack notin {\"rack-1\"}", false},
    {"missing in {'a'}", false},
    {"missing not in {'a'}", true},
    {"has == 'x' && in == 'y'", true},
    {"in in {'y'}", true},
    {"!rack == 'rack-1' && role == 'border'", false},
    {"!rack == 'x' && role == 'border'", true},
    {"role == 'x' || rack == 'rack-1' && has(role)", true},
    {"(role == 'x' || rack == 'rack-1') && has(missing)", false},
    {"!(role == 'x' || rack == 'y')", true},
    {"rack == \"it's\"", false},
};

static void test_good(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct selector_error error = {0};
        const struct selector *s = selector_parse(good[i].text, f->arena, &error);
        if (!s)
            fail_msg("\"%s\": %s", good[i].text, error.message);
        if (selector_matches(s, labels, 5) != good[i].matches)
            fail_msg("\"%s\" should be %d", good[i].text, good[i].matches);
    }
}

static const struct {
    const char *text;
    size_t offset;
    const char *message; /* part of it */
} bad[] = {
    {"rack = 'x'", 5, "expected =="},
    {"rack & x", 0, "expected an operator"},
    {"has(a) & has(b)", 7, "expected &&"},
    {"has(a) | has(b)", 7, "expected ||"},
    {"foo", 0, "write has(foo)"},
    {"!node-role.kubernetes.io/master", 1, "write !has(node-role.kubernetes.io/master)"},
    {"'x' == foo", 0, "expected a label name"},
    {"foo == bar", 7, "expected a quoted string"},
    {"foo == \xe2\x80\x98x\xe2\x80\x99", 7, "not one in typographic quotes"},
    {"foo in ''", 7, "expected a set"},
    {"foo inf {'a'}", 4, "expected an operator"},
    {"foo == 'x", 7, "unterminated"},
    {"(has(a)", 7, "expected )"},
    {"has(a", 5, "expected )"},
    {"has (a)", 4, "expected an operator"},
    {"foo in {'a' 'b'}", 12, "expected , or }"},
    {"foo in {,}", 8, "expected a quoted string"},
    {"foo in {'a'", 11, "expected , or }"},
    {"has(a)\n", 6, "line break"},
    {"has(a) has(b)", 7, "unexpected text"},
    {"has(a) &&", 9, "expected a label name"},
    {"all(", 4, "expected )"},
    {"!", 1, "expected a label name"},
};

static void test_bad(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct selector_error error = {0};
        assert_null(selector_parse(bad[i].text, f->arena, &error));
        if (error.offset != bad[i].offset || !strstr(error.message, bad[i].message))
            fail_msg("\"%s\": at %zu: %s", bad[i].text, error.offset, error.message);
    }
}

static void test_limits(void **state) {
    struct fixture *f = *state;
    struct selector_error error = {0};
    struct text t;
    text_init(&t);
    for (int depth = SELECTOR_DEPTH_MAX; depth <= SELECTOR_DEPTH_MAX + 1; depth++) {
        text_clear(&t);
        for (int i = 0; i < depth; i++)
            text_putc(&t, '(');
        text_puts(&t, "all()");
        for (int i = 0; i < depth; i++)
            text_putc(&t, ')');
        assert_int_equal(selector_parse(text_str(&t), f->arena, &error) != NULL,
                         depth == SELECTOR_DEPTH_MAX);
    }
    for (int size = SELECTOR_LABEL_MAX; size <= SELECTOR_LABEL_MAX + 1; size++) {
        text_clear(&t);
        text_puts(&t, "has(");
        for (int i = 0; i < size; i++)
            text_putc(&t, 'a');
        text_putc(&t, ')');
        assert_int_equal(selector_parse(text_str(&t), f->arena, &error) != NULL,
                         size == SELECTOR_LABEL_MAX);
    }
    /* Not nested: no limit but the text's own. */
    text_clear(&t);
    for (int i = 0; i < 20000; i++)
        text_puts(&t, "has(a) || ");
    text_puts(&t, "has(rack)");
    const struct selector *s = selector_parse(text_str(&t), f->arena, &error);
    assert_non_null(s);
    assert_true(selector_matches(s, labels, 5));
    text_deinit(&t);
}

/* What must hold of single labels for the whole to hold, as far as that is asked for. */
static const struct {
    const char *text, *tests;
} asked[] = {
    {"", ""},
    {"all()", ""},
    {"has(a)", "a "},
    {"a == 'x'", "a=x "},
    {"a in {'x'} || b starts with 'y'", "a b "},
    {"(a == 'x' && has(b)) && !has(c)", "a=x b "},
    {"a != 'x' && b not in {'y'}", ""},
    {"!(a == 'x' || has(b))", ""},
    {"!(!has(a))", "a "},
    {"has(a) && has(b) && has(c) && has(d) && has(e)", "a b c d "},
};

static void test_tests(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct arena *arena = arena_new();
        struct selector_error error;
        struct selector_test tests[4];
        const struct selector *s = selector_parse(asked[i].text, arena, &error);
        struct text t;
        text_init(&t);
        size_t count = selector_tests(s, tests, 4);
        for (size_t k = 0; k < count; k++)
            text_printf(&t, "%s%s%s ", tests[k].label, tests[k].value ? "=" : "",
                        tests[k].value ? tests[k].value : "");
        assert_string_equal(text_str(&t), asked[i].tests);
        text_deinit(&t);
        arena_free(arena);
    }
}

static void test_global(void **state) {
    struct fixture *f = *state;
    struct selector_error error;
    assert_true(selector_uses_global(selector_parse("has(a) && !global()", f->arena, &error)));
    assert_false(selector_uses_global(selector_parse("has(global)", f->arena, &error)));
}

/* ---- generated selectors against a second reading of the language ---- */

/*
 * Each text is generated together with what it must yield, straight from the rules: the generator
 * never looks at the parser. Values and labels come from few, so that they often meet.
 */
struct generator {
    uint64_t rng;
    const char *values[4]; /* of labels a, b.c/d, in, has; NULL: the label is missing */
    struct text text;
};

static const char *const names[4] = {"a", "b.c/d", "in", "has"};
static const char *const values[] = {"", "x", "xy", "yx", "x y", "it's"};
#define VALUES (sizeof values / sizeof values[0])

static uint64_t below(struct generator *g, uint64_t n) {
    return rng_below(&g->rng, n);
}

static void put_blanks(struct generator *g, bool needed) {
    static const char *const blanks[] = {"", " ", "\t", "  "};
    text_puts(&g->text, blanks[needed ? 1 + below(g, 3) : below(g, 4)]);
}

static const char *put_value(struct generator *g) {
    const char *v = values[below(g, VALUES)];
    char quote = strchr(v, '\'') || below(g, 2) ? '"' : '\'';
    text_printf(&g->text, "%c%s%c", quote, v, quote);
    return v;
}

static bool put_set(struct generator *g, const char *value) {
    bool member = false;
    uint64_t n = below(g, 4);
    text_putc(&g->text, '{');
    for (uint64_t i = 0; i < n; i++) {
        put_blanks(g, false);
        const char *v = put_value(g);
        member |= value && strcmp(v, value) == 0;
        put_blanks(g, false);
        if (i + 1 < n || below(g, 2))
            text_putc(&g->text, ',');
    }
    put_blanks(g, false);
    text_putc(&g->text, '}');
    return member;
}

static bool expected_test(unsigned op, const char *value, const char *wanted) {
    size_t size = value ? strlen(value) : 0, part = strlen(wanted);
    bool at_end = size >= part && value && memcmp(value + size - part, wanted, part) == 0;
    bool at_start = size >= part && value && memcmp(value, wanted, part) == 0;
    bool inside = false;
    for (size_t i = 0; value && i + part <= size; i++)
        inside |= memcmp(value + i, wanted, part) == 0;
    const bool results[] = {value && size == part && at_start, !(value && size == part && at_start),
                            inside, at_start, at_end};
    return results[op];
}

static bool put_label_test(struct generator *g) {
    static const char *const operators[][2] = {{"==", "=="},
                                               {"!=", "!="},
                                               {"contains", "contains"},
                                               {"starts with", "startswith"},
                                               {"ends \twith", "endswith"}};
    size_t label = below(g, 4);
    const char *value = g->values[label];
    unsigned op = (unsigned)below(g, 7);
    text_puts(&g->text, names[label]);
    put_blanks(g, op > 1);
    if (op < 5) {
        text_puts(&g->text, operators[op][below(g, 2)]);
        put_blanks(g, false);
        return expected_test(op, value, put_value(g));
    }
    static const char *const words[][2] = {{"in", "in"}, {"not in", "notin"}};
    text_puts(&g->text, words[op - 5][below(g, 2)]);
    put_blanks(g, false);
    bool member = put_set(g, value);
    return op == 5 ? member : !member;
}

static bool put_or(struct generator *g, unsigned depth);

static bool put_primary(struct generator *g, unsigned depth) {
    uint64_t choice = below(g, depth ? 8 : 6);
    if (choice < 3)
        return put_label_test(g);
    if (choice < 5) {
        size_t label = below(g, 4);
        text_puts(&g->text, "has(");
        put_blanks(g, false);
        text_puts(&g->text, names[label]);
        put_blanks(g, false);
        text_putc(&g->text, ')');
        return g->values[label] != NULL;
    }
    if (choice == 5) {
        text_puts(&g->text, below(g, 2) ? "all(" : "global(");
        put_blanks(g, false);
        text_putc(&g->text, ')');
        return true;
    }
    text_putc(&g->text, '(');
    bool result = put_or(g, depth - 1);
    text_putc(&g->text, ')');
    return result;
}

static bool put_operation(struct generator *g, unsigned depth) {
    uint64_t negations = below(g, 4) == 0 ? 1 + below(g, 3) : 0;
    put_blanks(g, false);
    for (uint64_t i = 0; i < negations; i++) {
        text_putc(&g->text, '!');
        put_blanks(g, false);
    }
    bool result = put_primary(g, depth) != (negations % 2 == 1);
    put_blanks(g, false);
    return result;
}

static bool put_and(struct generator *g, unsigned depth) {
    bool result = put_operation(g, depth);
    while (below(g, 3) == 0) {
        text_puts(&g->text, "&&");
        bool right = put_operation(g, depth);
        result = result && right;
    }
    return result;
}

static bool put_or(struct generator *g, unsigned depth) {
    bool result = put_and(g, depth);
    while (below(g, 3) == 0) {
        text_puts(&g->text, "||");
        bool right = put_and(g, depth);
        result = result || right;
    }
    return result;
}

#define GENERATED 50000

static void test_generated(void **state) {
    (void)state;
    struct generator g = {.rng = 20};
    unsigned held = 0;
    text_init(&g.text);
    for (unsigned i = 0; i < GENERATED; i++) {
        struct calico_label given[4];
        size_t count = 0;
        for (size_t k = 0; k < 4; k++) {
            g.values[k] = below(&g, 3) ? values[below(&g, VALUES)] : NULL;
            if (g.values[k])
                given[count++] = (struct calico_label){names[k], g.values[k]};
        }
        /* names[] is not in order: a, b.c/d, has, in is. */
        if (count > 1 && strcmp(given[count - 2].name, given[count - 1].name) > 0) {
            struct calico_label last = given[count - 1];
            given[count - 1] = given[count - 2];
            given[count - 2] = last;
        }
        text_clear(&g.text);
        bool expected = put_or(&g, 3);
        struct arena *arena = arena_new();
        struct selector_error error = {0};
        const struct selector *s = selector_parse(text_str(&g.text), arena, &error);
        if (!s)
            fail_msg("\"%s\": at %zu: %s", text_str(&g.text), error.offset, error.message);
        if (selector_matches(s, given, count) != expected)
            fail_msg("\"%s\" should be %d", text_str(&g.text), expected);
        held += expected;
        arena_free(arena);
    }
    assert_in_range(held, GENERATED / 5, GENERATED * 4 / 5);
    text_deinit(&g.text);
}

static void test_no_memory(void **state) {
    struct fixture *f = *state;
    struct selector_error error;
    bool failed = false;
    for (unsigned long n = 1; n < 40; n++) {
        struct arena *arena = arena_new();
        alloc_fail_after(n, true);
        const struct selector *s =
            selector_parse("a == 'b' && (c in {'d'} || has(e))", arena, &error);
        alloc_fail_after(0, false);
        failed |= s == NULL;
        arena_free(arena);
    }
    assert_true(failed);
    (void)f;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_good),      FIXTURE_TEST(test_bad),    FIXTURE_TEST(test_limits),
        FIXTURE_TEST(test_tests),     FIXTURE_TEST(test_global), FIXTURE_TEST(test_no_memory),
        FIXTURE_TEST(test_generated),
    };
    return cmocka_run_group_tests_name("selector", tests, NULL, NULL);
}
