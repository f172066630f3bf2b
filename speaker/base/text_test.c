/*
 * Text and findings: escaping, numbers, "did you mean", order and form of findings.
 */
#include "text.h"

#include "arena.h"
#include "diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void test_append(void **state) {
    (void)state;
    struct text t;
    text_init(&t);
    assert_string_equal(text_str(&t), "");
    text_puts(&t, "ab");
    text_putc(&t, 'c');
    text_printf(&t, "%d%s", 7, "x");
    text_put(&t, "yz!", 2);
    assert_string_equal(text_str(&t), "abc7xyz");
    text_clear(&t);
    for (int i = 0; i < 1000; i++) {
        text_printf(&t, "%04d", i);
    }
    assert_int_equal(t.size, 4000);
    assert_int_equal(strlen(text_str(&t)), 4000);
    assert_memory_equal(text_str(&t) + 3996, "0999", 4);
    char *taken = text_take(&t);
    assert_int_equal(strlen(taken), 4000);
    alloc_free(taken);
    taken = text_take(&t);
    assert_string_equal(taken, "");
    alloc_free(taken);
    text_deinit(&t);
}

static void test_pad(void **state) {
    (void)state;
    struct text t;
    text_init(&t);
    text_pad(&t, 2);
    text_puts(&t, "a\nbc");
    text_pad(&t, 4);
    text_puts(&t, "d");
    text_pad(&t, 3);
    assert_string_equal(text_str(&t), "  a\nbc  d");
    text_deinit(&t);
}

static void test_no_memory(void **state) {
    (void)state;
    struct text t;
    text_init(&t);
    text_puts(&t, "kept");
    for (int i = 0; i < 20; i++) {
        text_puts(&t, "0123456789");
        if (i == 2) {
            alloc_fail_after(1, true);
        }
    }
    alloc_fail_after(0, false);
    assert_true(t.failed);
    assert_int_equal(strlen(text_str(&t)), t.size);
    text_printf(&t, "%s", "ignored");
    assert_null(strstr(text_str(&t), "ignored"));
    assert_null(text_take(&t));
    text_puts(&t, "usable again");
    assert_string_equal(text_str(&t), "usable again");
    text_deinit(&t);
}

static void test_escape(void **state) {
    (void)state;
    static const struct {
        const char *data, *escaped, *printable;
    } cases[] = {
        {"plain", "plain", "plain"},
        {"a\"b\\c", "a\\\"b\\\\c", "a\"b\\c"},
        {"\n\r\t\x1b\x7f", "\\n\\r\\t\\x1b\\x7f", "\\n\\r\\t\\x1b\\x7f"},
        {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
         "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"\xC2\x9B", "\\xc2\\x9b", "\\xc2\\x9b"},                             /* C1 control */
        {"\xC0\x80", "\\xc0\\x80", "\\xc0\\x80"},                             /* overlong */
        {"\xE0\x80\xAF", "\\xe0\\x80\\xaf", "\\xe0\\x80\\xaf"},               /* overlong */
        {"\xED\xA0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80"},               /* surrogate */
        {"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80"}, /* too large */
        {"\xE2\x80\xAE", "\\xe2\\x80\\xae", "\\xe2\\x80\\xae"},               /* right to left */
        {"\xE2\x80\x8B", "\\xe2\\x80\\x8b", "\\xe2\\x80\\x8b"},               /* no width */
        {"\xE2\x82", "\\xe2\\x82", "\\xe2\\x82"},                             /* cut off */
        {"\xC3(", "\\xc3(", "\\xc3("},
        {"\xFF", "\\xff", "\\xff"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text t;
        text_init(&t);
        text_put_escaped(&t, cases[i].data, strlen(cases[i].data));
        assert_string_equal(text_str(&t), cases[i].escaped);
        text_clear(&t);
        text_put_printable(&t, cases[i].data, strlen(cases[i].data));
        assert_string_equal(text_str(&t), cases[i].printable);
        text_deinit(&t);
    }
    struct text t;
    text_init(&t);
    text_put_escaped(&t, "a\0b", 3);
    assert_string_equal(text_str(&t), "a\\x00b");
    text_deinit(&t);
}

static void test_numbers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } cases[] = {
        {"0", true, 0},   {"7", true, 7},     {"18446744073709551615", true, UINT64_MAX},
        {"", false, 0},   {"00", false, 0},   {"18446744073709551616", false, 0},
        {"01", false, 0}, {"-1", false, 0},   {"99999999999999999999999", false, 0},
        {"+1", false, 0}, {" 1", false, 0},   {"1 ", false, 0},
        {"1x", false, 0}, {"0x10", false, 0}, {"1.0", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value = 0;
        assert_int_equal(text_to_u64(cases[i].text, 0, UINT64_MAX, &value), cases[i].ok);
        assert_true(value == cases[i].value);
    }
    uint64_t value;
    assert_true(text_to_u64("5", 5, 5, &value));
    assert_false(text_to_u64("4", 5, 9, &value));
    assert_false(text_to_u64("10", 5, 9, &value));
}

static void test_read_number(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t read; /* 0: refused */
        uint64_t value;
    } cases[] = {
        {"7", 1, 7},    {"12-34>", 2, 12},
        {"0 kB", 1, 0}, {"18446744073709551615\n", 20, UINT64_MAX},
        {"", 0, 99},    {" 1", 0, 99},
        {"-1", 0, 99},  {"18446744073709551616", 0, 99},
        {"01", 0, 99},  {"x1", 0, 99},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *at = cases[i].text;
        uint64_t value = 99;
        assert_int_equal(text_read_u64(&at, &value), cases[i].read > 0);
        assert_int_equal(at - cases[i].text, cases[i].read);
        assert_true(value == cases[i].value);
    }
}

static void test_hex_digit(void **state) {
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *at = c ? strchr(lower, c) : NULL, *other = c ? strchr(upper, c) : NULL;
        int value = at ? (int)(at - lower) : other ? (int)(other - upper) : -1;
        assert_int_equal(text_hex_digit((char)c), value);
    }
}

static void test_C146_asn(void **state) { /* C146 */
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        uint32_t asn;
    } cases[] = {
        {"0", true, 0},        {"64512", true, 64512},
        {"1.0", true, 65536},  {"4294967295", true, UINT32_MAX},
        {"0.7", true, 7},      {"65535.65535", true, UINT32_MAX},
        {"65536.0", false, 0}, {"4294967296", false, 0},
        {"0.65536", false, 0}, {"1.", false, 0},
        {".1", false, 0},      {"1.2.3", false, 0},
        {"01.2", false, 0},    {"AS1", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t asn = 0;
        assert_int_equal(text_to_asn(cases[i].text, &asn), cases[i].ok);
        assert_int_equal(asn, cases[i].asn);
    }
}

/* C146: what is printed is what was read, in either form. */
static void test_C146_asn_printed(void **state) {
    static const struct {
        uint32_t asn;
        const char *plain, *dot;
    } rows[] = {{0, "0", "0"},
                {65535, "65535", "65535"},
                {65536, "65536", "1.0"},
                {4200000001, "4200000001", "64086.59905"},
                {UINT32_MAX, "4294967295", "65535.65535"}};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        struct text t;
        uint32_t again = 7;
        text_init(&t);
        text_put_asn(&t, rows[i / 2].asn, i % 2);
        assert_string_equal(text_str(&t), i % 2 ? rows[i / 2].dot : rows[i / 2].plain);
        assert_true(text_to_asn(text_str(&t), &again));
        assert_int_equal(again, rows[i / 2].asn);
        text_deinit(&t);
    }
}

static void test_distance(void **state) {
    (void)state;
    assert_int_equal(text_distance("", "", 9), 0);
    assert_int_equal(text_distance("kitten", "sitting", 9), 3);
    assert_int_equal(text_distance("ab", "ba", 9), 1);
    assert_int_equal(text_distance("abc", "", 9), 3);
    assert_int_equal(text_distance("kitten", "sitting", 1), 2);
    char long_word[200];
    memset(long_word, 'a', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = '\0';
    assert_int_equal(text_distance(long_word, "a", 3), 4);
    assert_int_equal(text_distance(long_word, long_word, 3), 0);
}

static void test_nearest(void **state) {
    (void)state;
    static const char *const words[] = {"r1", "r10", "neighbor", "network", "router"};
    assert_string_equal(text_nearest("neigbour", words, 5), "neighbor");
    assert_string_equal(text_nearest("r1O", words, 5), "r10");
    assert_string_equal(text_nearest("r10", words, 5), "r10");
    assert_string_equal(text_nearest("netwrok", words, 5), "network");
    assert_null(text_nearest("completely", words, 5));
    assert_null(text_nearest("x", words, 0));
}

static void test_diag(void **state) {
    (void)state;
    struct diag_list *d = diag_list_new();
    struct text out;
    diag_add(d, DIAG_WARNING, (struct diag_place){"b.yaml", 3, 0}, NULL, "odd %d", 7);
    diag_add(d, DIAG_ERROR, (struct diag_place){"a.yaml", 41, 9}, "unknown-node",
             "links[7]: unknown node \"%s\"", "r1O");
    diag_add(d, DIAG_NOTE, (struct diag_place){"b.yaml", 1, 5}, NULL, "first");
    diag_add(d, DIAG_ERROR, (struct diag_place){NULL, 0, 0}, NULL, "esc\x1b[1m\n");
    diag_add(d, DIAG_ERROR, (struct diag_place){"a.yaml", 41, 9}, NULL, "second here");
    assert_int_equal(diag_count(d), 5);
    assert_int_equal(diag_error_count(d), 3);
    assert_string_equal(diag_at(d, 1)->id, "unknown-node");
    assert_string_equal(diag_at(d, 0)->id, "");
    diag_sort(d);
    text_init(&out);
    diag_print(d, &out);
    assert_string_equal(text_str(&out), "b.yaml:1:5: note: first\n"
                                        "b.yaml:3: warning: odd 7\n"
                                        "a.yaml:41:9: error: links[7]: unknown node \"r1O\"\n"
                                        "a.yaml:41:9: error: second here\n"
                                        "error: esc\\x1b[1m\\n\n");
    text_deinit(&out);
    diag_list_free(d);
    diag_list_free(NULL);
}

static void test_diag_limit(void **state) {
    (void)state;
    struct diag_list *d = diag_list_new();
    struct text out;
    for (int i = 0; i < DIAG_COUNT_MAX + 5; i++) {
        diag_add(d, DIAG_ERROR, (struct diag_place){"f", 1, 1}, NULL, "x");
    }
    assert_int_equal(diag_count(d), DIAG_COUNT_MAX);
    assert_int_equal(diag_error_count(d), DIAG_COUNT_MAX + 5);
    text_init(&out);
    diag_print(d, &out);
    assert_non_null(strstr(text_str(&out), "5 further findings"));
    text_deinit(&out);
    diag_list_free(d);
}

/* What is graver takes the place of what is less: a thousand notes hide no error. */
static void test_diag_limit_keeps_the_gravest(void **state) {
    (void)state;
    struct diag_list *d = diag_list_new();
    for (int i = 0; i < DIAG_COUNT_MAX; i++)
        diag_add(d, i % 2 ? DIAG_NOTE : DIAG_WARNING, (struct diag_place){"f", 1, 1}, NULL, "n");
    diag_add(d, DIAG_WARNING, (struct diag_place){"f", 2, 1}, NULL, "w");
    diag_add(d, DIAG_ERROR, (struct diag_place){"g", 3, 1}, "id", "e");
    diag_about(d, "a - b", NULL);
    diag_add(d, DIAG_NOTE, (struct diag_place){"f", 4, 1}, NULL, "left out");
    diag_sort(d);
    const struct diag *last = diag_at(d, DIAG_COUNT_MAX - 1);
    assert_string_equal(last->file, "g");
    assert_string_equal(last->pair, "a - b");
    assert_string_equal(diag_at(d, DIAG_COUNT_MAX - 2)->message, "w");
    const struct diag same = {.id = "id", .message = "e"}, other = {.id = "id", .message = "w"};
    assert_true(diag_has(d, &same));
    assert_false(diag_has(d, &other));
    for (int i = 0; i < DIAG_COUNT_MAX + 5; i++)
        diag_add(d, DIAG_ERROR, (struct diag_place){"h", 5, 1}, NULL, "e");
    for (size_t i = 0; i < DIAG_COUNT_MAX; i++)
        assert_int_equal(diag_at(d, i)->severity, DIAG_ERROR);
    assert_int_equal(diag_error_count(d), DIAG_COUNT_MAX + 6);
    diag_list_free(d);
}

/* What is so after a step says after which, also in another list. */
static void test_diag_in_step(void **state) {
    (void)state;
    struct text out;
    struct diag_list *d = diag_list_new(), *all = diag_list_new();
    text_init(&out);
    diag_add(d, DIAG_WARNING, (struct diag_place){"f", 2, 1}, NULL, "w");
    diag_in_step(d, "change (s.yaml:7)");
    diag_add(d, DIAG_WARNING, (struct diag_place){"f", 3, 1}, NULL, "v");
    diag_append(all, d, DIAG_ERROR, NULL);
    diag_print(all, &out);
    assert_string_equal(text_str(&out), "f:2:1: warning: w, after step change (s.yaml:7)\n"
                                        "f:3:1: warning: v\n");
    text_deinit(&out);
    diag_list_free(d);
    diag_list_free(all);
}

static void test_diag_same_notes(void **state) {
    (void)state;
    struct diag_list *d = diag_list_new();
    struct text out;
    for (uint32_t i = 1; i <= 3; i++)
        diag_add(d, DIAG_NOTE, (struct diag_place){"f", i, 1}, "kind", "Node \"n%u\": no kind", i);
    diag_add(d, DIAG_NOTE, (struct diag_place){"f", 4, 1}, "kind", "Node \"n4\": another");
    diag_add(d, DIAG_NOTE, (struct diag_place){"g", 1, 1}, "kind", "Node \"n1\": no kind");
    diag_add(d, DIAG_ERROR, (struct diag_place){"g", 2, 1}, "x", "Node \"n1\": wrong");
    diag_add(d, DIAG_ERROR, (struct diag_place){"g", 3, 1}, "x", "Node \"n2\": wrong");
    text_init(&out);
    diag_print(d, &out);
    assert_string_equal(text_str(&out),
                        "f:1:1: note: Node \"n1\": no kind (2 more of these in this file)\n"
                        "f:4:1: note: Node \"n4\": another\n"
                        "g:1:1: note: Node \"n1\": no kind\n"
                        "g:2:1: error: Node \"n1\": wrong\n"
                        "g:3:1: error: Node \"n2\": wrong\n");
    text_deinit(&out);
    diag_list_free(d);
}

static void test_diag_no_memory(void **state) {
    (void)state;
    alloc_fail_after(2, true);
    assert_null(diag_list_new());
    alloc_fail_after(0, false);
    for (unsigned long n = 1; n < 5; n++) {
        struct diag_list *d = diag_list_new();
        struct text out;
        alloc_fail_after(n, true);
        diag_add(d, DIAG_ERROR, (struct diag_place){"f", 1, 1}, "id", "text");
        alloc_fail_after(0, false);
        assert_int_equal(diag_error_count(d), 1);
        assert_true(diag_count(d) <= 1);
        diag_sort(d);
        text_init(&out);
        diag_print(d, &out);
        assert_true(out.size > 0);
        text_deinit(&out);
        diag_list_free(d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_pad),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_hex_digit),
        cmocka_unit_test(test_read_number),
        cmocka_unit_test(test_C146_asn),
        cmocka_unit_test(test_C146_asn_printed),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_diag),
        cmocka_unit_test(test_diag_limit),
        cmocka_unit_test(test_diag_limit_keeps_the_gravest),
        cmocka_unit_test(test_diag_in_step),
        cmocka_unit_test(test_diag_same_notes),
        cmocka_unit_test(test_diag_no_memory),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
