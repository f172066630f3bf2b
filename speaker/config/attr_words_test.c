/*
 * Attributes in words: the longest of each, and one more, which is refused and leaves the route as
 * it was.
 */
#include "attr_words.h"

#include "../base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* `word` with `count` times `item`, of which all but the first have the separator in front. */
static void assert_taken(const char *word, const char *item, char separator, size_t count,
                         bool taken) {
    size_t size = strlen(item), at = 0;
    char *value = malloc(count * (size + 1) + 1), name[32];
    assert_non_null(value);
    for (size_t i = 0; i < count; i++) {
        if (i && separator)
            value[at++] = separator;
        memcpy(value + at, item, size);
        at += size;
    }
    value[at] = 0;
    snprintf(name, sizeof name, "%s", word);
    char *words[] = {name, value};
    json_t *route = json_object();
    struct text error;
    text_init(&error);
    if (attr_words_put(route, words, 2, &error) != taken)
        fail_msg("%zu of %s: %s", count, word, text_str(&error));
    assert_int_equal(json_object_size(route), taken);
    assert_int_equal(error.size == 0, taken);
    text_deinit(&error);
    json_decref(route);
    free(value);
}

static void test_lists_have_ends(void **state) {
    static const struct {
        const char *word, *item;
        char separator;
        size_t max;
    } rows[] = {
        {"communities", "65001:1", ',', 256},
        {"large-communities", "65001:1:1", ',', 256},
        {"ext-communities", "0002fde900000065", ',', 256},
        {"cluster-list", "10.0.0.1", ',', 256},
        {"as-path", "65001", ' ', 509}, /* two segments */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_taken(rows[i].word, rows[i].item, rows[i].separator, rows[i].max, true);
        assert_taken(rows[i].word, rows[i].item, rows[i].separator, rows[i].max + 1, false);
    }
}

/* As many words as there is room for, each of so many octets. */
static bool unknown_taken(int count, size_t size) {
    char word[] = "unknown", values[17][2 * 4001 + 16], *words[2 * 17];
    assert_in_range(count, 1, 17);
    for (int i = 0; i < count; i++) {
        int at = snprintf(values[i], sizeof values[i], "%d:c0:", 100 + i);
        memset(values[i] + at, 'a', 2 * size);
        values[i][(size_t)at + 2 * size] = 0;
        words[2 * i] = word;
        words[2 * i + 1] = values[i];
    }
    json_t *route = json_object();
    struct text error;
    text_init(&error);
    bool taken = attr_words_put(route, words, 2 * count, &error);
    text_deinit(&error);
    json_decref(route);
    return taken;
}

static void test_unknown_ones_have_room_for_so_much(void **state) {
    (void)state;
    assert_true(unknown_taken(16, 1));
    assert_false(unknown_taken(17, 1));
    assert_true(unknown_taken(1, 4000));
    assert_false(unknown_taken(1, 4001));
    assert_true(unknown_taken(2, 2000));
    assert_false(unknown_taken(2, 2001));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_have_ends),
        cmocka_unit_test(test_unknown_ones_have_room_for_so_much),
    };
    return cmocka_run_group_tests_name("attr_words", tests, NULL, NULL);
}
