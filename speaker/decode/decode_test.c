/*
 * Messages in, JSON and text out: the lines of decode_golden.txt and decode_cases.txt, the text of
 * whole messages, and input that is no message at all.
 */
#include "decode_line.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "../core/codec_test.h"
#include "../core/limits.h"

#include <stdlib.h>
#include <string.h>

#define GOLDEN "speaker/decode/decode_golden.txt"
#define CASES "speaker/decode/decode_cases.txt" /* one malformation or oddity each */
#define MARKER "ffffffffffffffffffffffffffffffff"

static void answer(const char *line, size_t size, struct text *out) {
    struct decode_options how = decode_defaults();
    struct arena *scratch = arena_new();
    assert_non_null(scratch);
    decode_line(&how, line, size, scratch, out);
    arena_free(scratch);
}

/* A name after '#', then the line in and the line out. */
static void lines_of(const char *path, unsigned at_least) {
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *lines[3] = {NULL};
    size_t sizes[3] = {0};
    struct text out;
    text_init(&out);
    unsigned checked = 0;
    int at = 0;
    while (getline(&lines[at], &sizes[at], f) > 0) {
        if (lines[at][0] == '#' || lines[at][0] == '\n')
            continue;
        at++;
        if (at < 2)
            continue;
        text_clear(&out);
        answer(lines[0], strlen(lines[0]), &out);
        if (strcmp(text_str(&out), lines[1]) != 0)
            fail_msg("%s\n%s%s", path, lines[0], text_str(&out));
        checked++;
        at = 0;
    }
    assert_int_equal(at, 0);
    assert_true(checked >= at_least);
    for (int i = 0; i < 3; i++)
        free(lines[i]);
    text_deinit(&out);
    fclose(f);
}

static void golden_lines(void **state) {
    (void)state;
    lines_of(GOLDEN, 20);
}

/* Every attribute, capability, field and length that is wrong in one way. */
static void cases(void **state) {
    (void)state;
    lines_of(CASES, 350);
}

/* Lines that are none, and what no file of lines can hold. */
static void odd_lines(void **state) {
    static const struct {
        const char *line;
        size_t size;
        const char *want;
    } rows[] = {
        {"", 0, "not JSON"},
        {"   ", 3, "not JSON"},
        {"\0", 1, "not JSON"},
        {"{\"hex\":\"\xff\"}", 10, "not JSON"},
        {"{\"hex\":\"ff\\u0000ff\"}", 20, "not JSON"},
        {"{\"hex\":\"" MARKER "001304\"}\r\n", 50, "\"keepalive\""},
        {"{\"hex\":\"" MARKER "\\n001304\\r\\n\"}", 54, "\"keepalive\""},
    };
    struct text out;
    (void)state;
    text_init(&out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        text_clear(&out);
        answer(rows[i].line, rows[i].size, &out);
        if (!strstr(text_str(&out), rows[i].want))
            fail_msg("row %zu: %s", i, text_str(&out));
        assert_ptr_equal(strchr(text_str(&out), '\n'), text_str(&out) + out.size - 1);
    }
    text_deinit(&out);
}

static void assert_text(const char *hex, const struct decode_options *how, const char *want) {
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    size_t size = codec_hex(hex, data, 0, sizeof data);
    struct arena *scratch = arena_new();
    struct decode_message m;
    struct text out;
    text_init(&out);
    decode_message(how, data, size, scratch, &m);
    decode_put_text(&m, &out);
    assert_string_equal(text_str(&out), want);
    text_deinit(&out);
    arena_free(scratch);
}

static void text_for_people(void **state) {
    (void)state;
    struct decode_options how = decode_defaults();
    assert_text(MARKER "0013 04", &how, "KEEPALIVE, 19 octets\n");
    assert_text(MARKER "001b 03 0602 05 68656c1b22", &how,
                "NOTIFICATION, 27 octets\n"
                "  6/2 Cease: Administrative Shutdown, \"hel\\x1b\\\"\"\n");
    assert_text(MARKER "0017 05 0001 00 01", &how,
                "ROUTE-REFRESH, 23 octets\n  ipv4 unicast, request\n");
    assert_text(MARKER "001b 02 0004 180a0102 0000", &how,
                "UPDATE, 27 octets\n  withdraw ipv4 unicast 10.1.2.0/24\n");
    assert_text(MARKER "0032 02 0000 0017 400101 03 400206 02010000fde9 400304 0a000001"
                       "c00800"
                       "180a0102",
                &how,
                "UPDATE, 50 octets\n"
                "  ORIGIN                 1 -T--   1  3\n"
                "  AS_PATH                2 -T--   6  65001\n"
                "  NEXT_HOP               3 -T--   4  10.0.0.1\n"
                "  COMMUNITIES            8 OT--   0  \n"
                "  treat as withdrawn ipv4 unicast 10.1.2.0/24\n"
                "  error: withdraw, 3/6 Invalid ORIGIN Attribute, attribute 1 ORIGIN\n");
    assert_text("00", &how,
                "not a message\n  error: session-reset, 1/1 Connection Not Synchronized\n");
}

/* Every proper beginning of a message is answered, and never as a message. */
static void truncations(void **state) {
    (void)state;
    static const char whole[] =
        "{\"hex\":\"" MARKER "0034020000001540010100400206020100 00fde94003040a000001180a0102\"}";
    struct text out;
    text_init(&out);
    for (size_t size = 0; size < sizeof whole - 1; size++) {
        text_clear(&out);
        answer(whole, size, &out);
        assert_non_null(strstr(text_str(&out), "\"class\":\"input\""));
        assert_ptr_equal(strchr(text_str(&out), '\n'), text_str(&out) + out.size - 1);
    }
    text_deinit(&out);
}

static void line_too_long(void **state) {
    (void)state;
    char *line = malloc(DECODE_LINE_MAX + 1);
    struct text out;
    assert_non_null(line);
    memset(line, ' ', DECODE_LINE_MAX + 1);
    text_init(&out);
    answer(line, DECODE_LINE_MAX + 1, &out);
    assert_non_null(strstr(text_str(&out), "the line is too long"));
    text_clear(&out);
    answer(line, DECODE_LINE_MAX, &out);
    assert_non_null(strstr(text_str(&out), "not JSON"));
    text_deinit(&out);
    free(line);
}

/* RFC 8654: 4,097 octets are a message only when the receiver said so. */
static void extended_messages(void **state) {
    (void)state;
    static uint8_t data[4097];
    struct decode_options how = decode_defaults();
    struct arena *scratch = arena_new();
    struct decode_message m;
    memset(data, 0xFF, 16);
    data[16] = 0x10, data[17] = 0x01, data[18] = BGP_MSG_NOTIFICATION, data[19] = 6;
    decode_message(&how, data, sizeof data, scratch, &m);
    assert_int_equal(m.error.outcome, BGP_OUTCOME_SESSION_RESET);
    assert_int_equal(m.error.code * 10 + m.error.subcode, 12);
    how.extended = true;
    decode_message(&how, data, sizeof data, scratch, &m);
    assert_int_equal(m.error.outcome, BGP_OUTCOME_OK);
    assert_int_equal(m.notification.size, 4097 - 21);
    arena_free(scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_lines),      cmocka_unit_test(cases),
        cmocka_unit_test(odd_lines),         cmocka_unit_test(text_for_people),
        cmocka_unit_test(truncations),       cmocka_unit_test(line_too_long),
        cmocka_unit_test(extended_messages),
    };
    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
