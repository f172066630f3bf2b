/* What `ctl` prints of answers. */
#include "../base/text.h"
#include "ctl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Long names and addresses move what stands behind them, in the heading too. */
static void test_columns(void **state) {
    json_t *answer =
        json_loads("{\"routes\":[{\"prefix\":\"10.0.0.0/8\",\"source\":\"static\",\"attrs\":{}},"
                   "{\"prefix\":\"2001:db8:1234:5678::/64\",\"peer\":\"a neighbour of many words\","
                   "\"best\":true,\"attrs\":{\"next_hop\":\"2001:db8:1234:5678::9\",\"med\":7,"
                   "\"as_path\":\"65001\",\"origin\":\"igp\"}}],\"ok\":true}",
                   0, NULL);
    struct text out;
    (void)state;
    assert_non_null(answer);
    text_init(&out);
    ctl_print_routes(answer, &out);
    assert_string_equal(
        text_str(&out),
        "  PREFIX                  NEXT HOP              FROM                       LOCALPREF"
        "       MED  PATH\n"
        "  10.0.0.0/8                                    static                             -"
        "         -  ?\n"
        "* 2001:db8:1234:5678::/64 2001:db8:1234:5678::9 a neighbour of many words          -"
        "         7  65001 i\n");
    text_deinit(&out);
    json_decref(answer);
}

/* A damaged UPDATE is shown as the message it was, which `ribcage decode` reads. */
static void test_malformed_in_words(void **state) {
    json_t *answer =
        json_loads("{\"counts\":[{\"peer\":\"west\",\"attribute\":2,\"count\":3},"
                   "{\"peer\":\"west\",\"attribute\":0,\"count\":1}],"
                   "\"kept\":[{\"peer\":\"west\",\"time_ns\":9000000000000000000,\"attribute\":200,"
                   "\"outcome\":\"attribute-discard\",\"hex\":\"00000000\"}],\"ok\":true}",
                   0, NULL);
    struct text out;
    (void)state;
    assert_non_null(answer);
    text_init(&out);
    ctl_print_malformed(answer, &out);
    assert_string_equal(text_str(&out), "NEIGHBOR            ATTRIBUTE                   COUNT\n"
                                        "west                AS_PATH                         3\n"
                                        "west                -                               1\n"
                                        "west, 00:00:00 ago, attribute 200: attribute-discard\n"
                                        "  ffffffffffffffffffffffffffffffff00170200000000\n");
    text_deinit(&out);
    json_decref(answer);
}

/* Why a session is not up: what keeps it down goes before what ended the last one. */
static void test_why_it_is_down(void **state) {
    json_t *answer = json_loads(
        "{\"peers\":[{\"name\":\"a\",\"remote\":\"10.0.0.1\",\"remote_as\":1,\"state\":\"Idle\","
        "\"prefix_limit_down\":true,\"last_error\":\"\"},"
        "{\"name\":\"b\",\"remote\":\"10.0.0.2\",\"remote_as\":1,\"state\":\"Idle\","
        "\"shutdown\":true,\"last_error\":\"Socket: Connection refused\"},"
        "{\"name\":\"c\",\"remote\":\"10.0.0.3\",\"remote_as\":1,\"state\":\"Active\","
        "\"last_error\":\"Socket: Connection refused\"},"
        "{\"name\":\"d\",\"remote\":\"10.0.0.4\",\"remote_as\":1,\"state\":\"Established\","
        "\"last_error\":\"Socket: Connection refused\"}],\"ok\":true}",
        0, NULL);
    static const char *const ends[] = {"0  prefix limit exceeded\n", "0  shut down\n",
                                       "0  Socket: Connection refused\n", "0\n"};
    struct text out;
    (void)state;
    assert_non_null(answer);
    text_init(&out);
    ctl_print_neighbors(answer, &out);
    const char *line = strchr(text_str(&out), '\n') + 1;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t size = strcspn(line, "\n") + 1;
        assert_true(size > strlen(ends[i]));
        assert_memory_equal(line + size - strlen(ends[i]), ends[i], strlen(ends[i]));
        line += size;
    }
    text_deinit(&out);
    json_decref(answer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_malformed_in_words),
        cmocka_unit_test(test_why_it_is_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
