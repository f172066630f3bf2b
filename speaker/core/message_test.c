/*
 * Headers, KEEPALIVE, ROUTE-REFRESH, NOTIFICATION and the names of errors, octet by octet.
 */
#include "message.h"

#include "../base/text.h"
#include "cases_test.h"
#include "codec_test.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

#define MARKER "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF "

static void test_C001_peek_marker(void **state) {
    (void)state;
    uint8_t data[BGP_HEADER_SIZE];
    enum bgp_message_type type;
    struct bgp_error error;
    for (size_t bad = 0; bad < 16; bad++) { /* C001 */
        size_t size = codec_hex(MARKER "0013 04", data, 0, sizeof data);
        data[bad] = 0xFE;
        for (size_t have = 0; have <= size; have++) {
            assert_int_equal(message_peek(data, have, &type, &error), 0);
            assert_int_equal(error.code, have > bad ? BGP_ERR_HEADER : 0);
            assert_int_equal(have > bad ? error.subcode : 1, 1);
        }
    }
}

struct peek_case {
    const char *name;
    uint8_t type;
    unsigned first, last; /* lengths */
    uint8_t subcode;      /* 0: fine */
};

static const struct peek_case peek_cases[] = {
    {"C002 below a header", 4, 0, 18, 2},
    {"C003 above 4096", 2, 4097, 65535, 2},
    {"C004 type 0", 0, 19, 4096, 3},
    {"C004 type 6", 6, 19, 4096, 3},
    {"C004 type 128", 128, 23, 23, 3},
    {"C004 type 255", 255, 19, 4096, 3},
    {"C005 short OPEN", 1, 19, 28, 2},
    {"OPEN", 1, 29, 4096, 0},
    {"C006 short UPDATE", 2, 19, 22, 2},
    {"UPDATE", 2, 23, 4096, 0},
    {"C007 KEEPALIVE", 4, 19, 19, 0},
    {"C007 long KEEPALIVE", 4, 20, 4096, 2},
    {"C008 short NOTIFICATION", 3, 19, 20, 2},
    {"NOTIFICATION", 3, 21, 4096, 0},
    {"ROUTE-REFRESH of any length is its decoder's", 5, 19, 4096, 0},
};

static void test_peek_lengths(void **state) {
    const struct peek_case *c = *state;
    for (unsigned length = c->first; length <= c->last; length++) {
        uint8_t data[BGP_HEADER_SIZE];
        enum bgp_message_type type;
        struct bgp_error error;
        codec_hex(MARKER, data, 0, sizeof data);
        data[16] = (uint8_t)(length >> 8);
        data[17] = (uint8_t)length;
        data[18] = c->type;
        size_t whole = message_peek(data, sizeof data, &type, &error);
        bool fine = c->subcode == 0;
        const uint8_t *about = c->subcode == 3 ? data + 18 : data + 16;
        size_t about_size = c->subcode == 3 ? 1 : 2;
        if (whole != (fine ? length : 0) || error.code != (fine ? 0 : BGP_ERR_HEADER) ||
            (!fine && (error.subcode != c->subcode || error.size != about_size ||
                       memcmp(error.data, about, about_size) != 0))) {
            fail_msg("%s: length %u: size %zu, error %u/%u", c->name, length, whole, error.code,
                     error.subcode);
        }
    }
}

/* C009: octet by octet, the verdict comes with the 19th and stays. */
static void test_C009_peek_split(void **state) {
    (void)state;
    uint8_t data[32];
    size_t size = codec_hex(MARKER "0017 02 0000 0000", data, 0, sizeof data);
    for (size_t have = 0; have <= size; have++) {
        enum bgp_message_type type = 0;
        struct bgp_error error;
        size_t whole = message_peek(data, have, &type, &error);
        assert_int_equal(whole, have < BGP_HEADER_SIZE ? 0 : 23);
        assert_int_equal(error.code, 0);
        assert_int_equal(type, have < BGP_HEADER_SIZE ? 0 : BGP_MSG_UPDATE);
    }
}

static void test_keepalive_refresh(void **state) {
    (void)state;
    uint8_t out[64];
    codec_assert_bytes("KEEPALIVE", out, keepalive_encode(out, sizeof out), MARKER "0013 04");
    assert_int_equal(keepalive_encode(out, 18), 0);
    struct bgp_refresh r = {.afi = 2, .subtype = 1, .safi = 1};
    codec_assert_bytes("refresh", out, refresh_encode(&r, out, sizeof out),
                       MARKER "0017 05 0002 01 01");
    assert_int_equal(refresh_encode(&r, out, 22), 0);
    struct bgp_refresh got;
    struct bgp_error error;
    assert_true(refresh_decode(out + BGP_HEADER_SIZE, 4, &got, &error));
    assert_int_equal(got.afi, 2);
    assert_int_equal(got.subtype, 1);
    assert_int_equal(got.safi, 1);
}

static void test_C185_refresh_length(void **state) {
    (void)state;
    static const uint8_t body[4077];
    struct bgp_refresh r;
    struct bgp_error error;
    for (size_t size = 0; size <= sizeof body; size++) { /* C185, C223 */
        bool ok = refresh_decode(body, size, &r, &error);
        assert_int_equal(ok, size == 4);
        if (!ok) {
            assert_int_equal(error.code, BGP_ERR_REFRESH);
            assert_int_equal(error.subcode, 1);
            assert_int_equal(error.data[16] << 8 | error.data[17], size + BGP_HEADER_SIZE);
            size_t want = size + BGP_HEADER_SIZE;
            assert_int_equal(error.size, want < sizeof error.data ? want : sizeof error.data);
        }
    }
}

/* RFC 7313 5: only subtypes 0 to 2 have a length that can be wrong. */
static void test_refresh_of_later_days(void **state) {
    (void)state;
    for (unsigned subtype = 0; subtype <= 255; subtype++) {
        const uint8_t body[] = {0, 2, (uint8_t)subtype, 1, 0x40, 0, 0};
        for (size_t size = 0; size <= sizeof body; size++) {
            struct bgp_refresh r;
            struct bgp_error error;
            bool ok = refresh_decode(body, size, &r, &error);
            assert_int_equal(ok, size == 4 || (size > 4 && subtype > 2));
            if (ok) {
                assert_int_equal(r.afi, 2);
                assert_int_equal(r.subtype, subtype);
                assert_int_equal(r.safi, 1);
            }
        }
    }
}

static void test_C051_notification(void **state) {
    (void)state;
    static const uint8_t data[] = {1, 2, 3};
    uint8_t out[64];
    struct bgp_notification n;
    size_t size = notification_encode(6, 1, data, sizeof data, out, sizeof out);
    codec_assert_bytes("NOTIFICATION", out, size, MARKER "0018 03 06 01 010203");
    assert_true(notification_decode(out + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, &n));
    assert_int_equal(n.code, 6);
    assert_int_equal(n.subcode, 1);
    assert_int_equal(n.size, 3);
    assert_memory_equal(n.data, data, 3);
    assert_int_equal(notification_encode(6, 1, data, sizeof data, out, 23), 0);
    size = notification_encode(4, 0, NULL, 0, out, sizeof out);
    codec_assert_bytes("without data", out, size, MARKER "0015 03 04 00");
    assert_true(notification_decode(out + BGP_HEADER_SIZE, 2, &n));
    assert_int_equal(n.size, 0);
    assert_false(notification_decode(out, 1, &n));
    assert_false(notification_decode(out, 0, &n));
    /* C051: unknown code, subcode and data are numbers. */
    size = codec_hex("FF FE 00 01", out, 0, sizeof out);
    assert_true(notification_decode(out, size, &n));
    assert_string_equal(bgp_error_name(n.code), "");
    assert_string_equal(bgp_suberror_name(n.code, n.subcode), "");
}

static void test_C207_shutdown_text(void **state) {
    (void)state;
    static const struct {
        const char *name, *body;
        const char *text; /* NULL: none */
    } cases[] = {
        {"C207 text", "06 02 05 6D61696E74", "maint"},
        {"C207 reset", "06 04 02 6869", "hi"},
        {"C207 none", "06 02", NULL},
        {"C207 length 0", "06 02 00", NULL},
        {"C207 length octet too big", "06 02 06 6D61696E74", NULL},
        {"C207 octets behind the text", "06 02 02 6869 6D", "hi"},
        {"C207 another subcode", "06 03 02 6869", NULL},
        {"C207 another code", "04 02 02 6869", NULL},
        {"C207 invalid UTF-8", "06 02 03 41FF42",
         "A\\xff"
         "B"},
        {"C207 terminal escape, NUL, newline", "06 02 04 1B5B000A", "\\x1b[\\x00\\n"},
        {"C207 quotes", "06 02 02 225C", "\\\"\\\\"},
        {"C207 UTF-8", "06 02 02 C3A9", "\xC3\xA9"},
        {"C207 overlong UTF-8", "06 02 02 C0AF", "\\xc0\\xaf"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t body[64];
        struct bgp_notification n;
        struct text out;
        size_t size = codec_hex(cases[i].body, body, 0, sizeof body);
        text_init(&out);
        assert_true(notification_decode(body, size, &n));
        bool found = notification_shutdown_text(&n, &out);
        const char *want = cases[i].text ? cases[i].text : "";
        if (found != (cases[i].text != NULL) || strcmp(text_str(&out), want) != 0) {
            fail_msg("%s: \"%s\"", cases[i].name, text_str(&out));
        }
        text_deinit(&out);
    }
}

static void test_C207_shutdown_lengths(void **state) {
    (void)state;
    for (size_t length = 1; length <= BGP_SHUTDOWN_TEXT_MAX; length++) { /* C207: 128, 129, 255 */
        uint8_t data[1 + BGP_SHUTDOWN_TEXT_MAX];
        uint8_t *exact = malloc(1 + length);
        struct text out;
        assert_non_null(exact);
        data[0] = (uint8_t)length;
        memset(data + 1, 'x', length);
        memcpy(exact, data, 1 + length);
        struct bgp_notification n = {
            .code = 6, .subcode = 2, .data = exact, .size = (uint16_t)(1 + length)};
        text_init(&out);
        assert_true(notification_shutdown_text(&n, &out));
        assert_int_equal(out.size, length);
        n.size--;
        assert_false(notification_shutdown_text(&n, &out));
        text_deinit(&out);
        free(exact);
    }
}

static void test_names_and_families(void **state) {
    (void)state;
    assert_string_equal(bgp_error_name(2), "OPEN Message Error");
    assert_string_equal(bgp_suberror_name(2, 2), "Bad Peer AS");
    assert_string_equal(bgp_suberror_name(2, 0), "");
    assert_string_equal(bgp_suberror_name(6, 9), "Hard Reset");
    assert_string_equal(bgp_error_name(8), "Send Hold Timer Expired");
    for (uint8_t code = 1; code <= 8; code++) {
        assert_string_not_equal(bgp_error_name(code), "");
    }
    assert_string_equal(bgp_outcome_name(BGP_OUTCOME_TREAT_AS_WITHDRAW), "withdraw");
    enum bgp_family family;
    unsigned found = 0;
    for (unsigned afi = 0; afi <= 0xFFFF; afi++) {
        for (unsigned safi = 0; safi <= 3; safi++) {
            if (family_from_afi((uint16_t)afi, (uint8_t)safi, &family)) {
                assert_int_equal(family_afi(family), afi);
                assert_int_equal(safi, 1);
                found++;
            }
        }
    }
    assert_int_equal(found, BGP_FAMILIES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C001_peek_marker),      cmocka_unit_test(test_C009_peek_split),
        cmocka_unit_test(test_keepalive_refresh),     cmocka_unit_test(test_C185_refresh_length),
        cmocka_unit_test(test_refresh_of_later_days), cmocka_unit_test(test_C051_notification),
        cmocka_unit_test(test_C207_shutdown_text),    cmocka_unit_test(test_C207_shutdown_lengths),
        cmocka_unit_test(test_names_and_families),
    };
    static struct cases all;
    CASES_ADD_TABLE(&all, peek_cases, test_peek_lengths);
    cases_add_tests(&all, tests, sizeof tests / sizeof tests[0]);
    return cases_run(&all, "message");
}
