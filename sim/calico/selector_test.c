/*
 * The selector language: what parses, what it selects, and where the errors of the rest stand.
 */
#include "selector.h"

#include "calico_test.h"

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

static void test_global(void **state) {
    struct fixture *f = *state;
    struct selector_error error;
    assert_true(selector_uses_global(selector_parse("has(a) && !global()", f->arena, &error)));
    assert_false(selector_uses_global(selector_parse("has(global)", f->arena, &error)));
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
        FIXTURE_TEST(test_good),   FIXTURE_TEST(test_bad),       FIXTURE_TEST(test_limits),
        FIXTURE_TEST(test_global), FIXTURE_TEST(test_no_memory),
    };
    return cmocka_run_group_tests_name("selector", tests, NULL, NULL);
}
