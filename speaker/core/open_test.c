/*
 * OPEN, octet by octet: what is accepted and how it reads, what is refused and why, and what we
 * write. The rows stand in open_cases_test.h.
 */
#include "message.h"

#include "cases_test.h"
#include "codec_test.h"
#include "limits.h"
#include "open_cases_test.h"

#include <stdlib.h>
#include <string.h>

static bool open_run(const char *name, const uint8_t *data, size_t size, struct bgp_open *ret_open,
                     struct bgp_error *ret_error) {
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact) {
        fail_msg("%s: no memory", name);
        return false;
    }
    memcpy(exact, data, size);
    bool ok = open_decode(exact, size, ret_open, ret_error);
    free(exact);
    return ok;
}

static void open_expect(const char *name, const struct bgp_open *got, const struct bgp_open *want) {
    bool same =
        got->asn == want->asn && got->hold_time_s == want->hold_time_s &&
        got->router_id == want->router_id && got->has_capabilities == want->has_capabilities &&
        got->mp_present == want->mp_present && got->refresh == want->refresh &&
        got->refresh_old == want->refresh_old && got->enhanced_refresh == want->enhanced_refresh &&
        got->as4 == want->as4 && got->gr == want->gr && got->gr_restarting == want->gr_restarting &&
        got->gr_notification == want->gr_notification && got->gr_time_s == want->gr_time_s &&
        got->extended_message == want->extended_message &&
        got->extended_next_hop == want->extended_next_hop && got->role == want->role &&
        got->role_conflict == want->role_conflict && got->llgr == want->llgr;
    for (int f = 0; f < BGP_FAMILIES; f++) {
        same = same && got->families[f] == want->families[f] &&
               got->gr_families[f].present == want->gr_families[f].present &&
               got->gr_families[f].forwarding == want->gr_families[f].forwarding &&
               got->add_path[f] == want->add_path[f] && got->llgr_time_s[f] == want->llgr_time_s[f];
    }
    if (!same) {
        fail_msg("%s: reads differently (AS %u)", name, got->asn);
    }
}

static void test_decode(void **state) {
    const struct open_case *c = *state;
    uint8_t body[512];
    size_t size = codec_hex(c->body, body, 0, sizeof body);
    struct bgp_open got;
    struct bgp_error error = {0};
    bool ok = open_run(c->name, body, size, &got, &error);
    if (ok != (c->subcode < 0)) {
        fail_msg("%s: %s (%u/%u)", c->name, ok ? "accepted" : "refused", error.code, error.subcode);
    }
    if (ok) {
        open_expect(c->name, &got, &c->want);
    } else if (error.code != BGP_ERR_OPEN || error.subcode != c->subcode) {
        fail_msg("%s: got %u/%u", c->name, error.code, error.subcode);
    }
}

static void test_C014_version_data(void **state) {
    (void)state;
    uint8_t body[16];
    struct bgp_open o;
    struct bgp_error error;
    size_t size = codec_hex("03 FDE9 00B4 01020304 00", body, 0, sizeof body);
    assert_false(open_decode(body, size, &o, &error));
    codec_assert_bytes("C014 data", error.data, error.size, "0004");
}

/* C030, I2: any truncation of either form is refused, and reads nothing behind it. */
static void test_C030_truncations(void **state) {
    (void)state;
    static const char *const bodies[] = {
        HEAD "1C 02 06 " MP4 "02 02 80 00 02 02 02 00 02 02 46 00 02 06 41 04 0000FFFF",
        HEAD "FF FF 0015 02 0012 " MP4 MP6 "41 04 0000FDE9",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        uint8_t body[512];
        size_t size = codec_hex(bodies[i], body, 0, sizeof body);
        struct bgp_open o;
        struct bgp_error error;
        assert_true(open_run("whole", body, size, &o, &error));
        for (size_t cut = 0; cut < size; cut++) {
            assert_false(open_run("cut", body, cut, &o, &error));
            assert_int_equal(error.code, BGP_ERR_OPEN);
            assert_int_equal(error.subcode, 0);
        }
    }
}

/* C029: extended form filled up to the largest message. */
static void test_C029_extended_full(void **state) {
    (void)state;
    static uint8_t body[BGP_MESSAGE_SIZE_MAX - BGP_HEADER_SIZE];
    struct bgp_open o;
    struct bgp_error error;
    size_t at = codec_hex(HEAD "FF FF", body, 0, sizeof body);
    size_t left = sizeof body - at - 2;
    body[at++] = (uint8_t)(left >> 8);
    body[at++] = (uint8_t)left;
    body[at++] = 2;
    body[at++] = (uint8_t)((left - 3) >> 8);
    body[at++] = (uint8_t)(left - 3);
    for (left -= 3; left > 0;) { /* unknown capabilities, 255 octets each but the last */
        size_t value = left - 2 > 255 ? 255 : left - 2;
        value = left - 2 - value == 1 ? value - 1 : value; /* never leave half a head */
        body[at++] = 0x99;
        body[at++] = (uint8_t)value;
        at += value;
        left -= 2 + value;
    }
    assert_int_equal(at, sizeof body);
    assert_true(open_decode(body, sizeof body, &o, &error));
    assert_true(o.has_capabilities);
}

/* I9: every known capability with every length: accepted only as specified, never read past. */
static void test_C034_C042_capability_lengths(void **state) {
    (void)state;
    static const uint8_t codes[] = {1, 2, 3, 5, 6, 9, 64, 65, 69, 70, 71, 73, 75, 128};
    for (size_t i = 0; i < sizeof codes; i++) {
        for (unsigned length = 0; length <= 251; length++) {
            uint8_t body[512] = {0};
            struct bgp_open o;
            struct bgp_error error;
            size_t at = codec_hex(HEAD, body, 0, sizeof body);
            const uint8_t head[] = {(uint8_t)(length + 4), 2, (uint8_t)(length + 2), codes[i],
                                    (uint8_t)length};
            memcpy(body + at, head, sizeof head);
            memset(body + at + sizeof head, 1, length);
            bool ok = open_run("length", body, at + sizeof head + length, &o, &error);
            bool known_bad =
                ((codes[i] == 1 || codes[i] == 65) && length != 4) ||
                (codes[i] == 9 && length != 1) ||
                ((codes[i] == 2 || codes[i] == 6 || codes[i] == 70 || codes[i] == 128) &&
                 length > 0) ||
                (codes[i] == 64 && (length < 2 || length % 4 != 2));
            assert_int_equal(ok, !known_bad);
        }
    }
}

static void test_encode_all(void **state) {
    (void)state;
    uint8_t out[256];
    struct bgp_open all = {
        .asn = 65001,
        .hold_time_s = 90,
        .router_id = 1,
        .has_capabilities = true,
        .mp_present = true,
        .families = {true, true},
        .refresh = true,
        .as4 = true,
        .extended_message = true,
        .extended_next_hop = true,
        .role = BGP_ROLE_CUSTOMER,
        .gr = true,
        .gr_notification = true,
        .gr_time_s = 120,
        .add_path = {BGP_ADD_PATH_BOTH, 0},
        .enhanced_refresh = true,
        .llgr = true,
        .llgr_time_s = {0, 86400},
    };
    size_t size = open_encode(&all, out, sizeof out);
    codec_assert_bytes("all", out, size,
                       "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF 0055 01 04 FDE9 005A 00000001 38 02 36"
                       "010400010001 010400020001 0200 0506000100010002 0600 090103 40024078"
                       "41040000FDE9 450400010103 4600 4707000201000151 80");
}

static void test_C040_encode(void **state) {
    (void)state;
    uint8_t out[256];
    /* The default OPEN of IOS: 57 octets, a parameter for each capability. */
    struct bgp_open ios = {
        .asn = 65535,
        .hold_time_s = 180,
        .router_id = 0xD1A5C9E1,
        .has_capabilities = true,
        .mp_present = true,
        .families = {true, false},
        .refresh = true,
        .refresh_old = true,
        .enhanced_refresh = true,
        .as4 = true,
        .one_capability_per_parameter = true,
    };
    size_t size = open_encode(&ios, out, sizeof out);
    codec_assert_bytes("IOS", out, size,
                       "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF 0039 01 04 FFFF 00B4 D1A5C9E1 1C"
                       "0206010400010001 02028000 02020200 02024600 02064104 0000FFFF");
    struct bgp_open bird = {
        .asn = 4200000000,
        .hold_time_s = 240,
        .router_id = 0x0A000001,
        .has_capabilities = true,
        .mp_present = true,
        .families = {true, true},
        .refresh = true,
        .enhanced_refresh = true,
        .as4 = true,
        .gr = true,
        .gr_restarting = true,
        .gr_time_s = 120,
        .gr_families = {{true, true}, {false, false}},
    };
    size = open_encode(&bird, out, sizeof out);
    codec_assert_bytes("BIRD", out, size,
                       "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF 003D 01 04 5BA0 00F0 0A000001 20 02 1E"
                       "010400010001 010400020001 0200 4006 8078 00010180 4104 FA56EA00 4600");
    struct bgp_open plain = {.asn = 65001, .hold_time_s = 90, .router_id = 1, .refresh = true};
    size = open_encode(&plain, out, sizeof out);
    codec_assert_bytes("C040 without capabilities", out, size,
                       "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF 001D 01 04 FDE9 005A 00000001 00");
    for (size_t room = 0; room < 57; room++) {
        assert_int_equal(open_encode(&ios, out, room), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C014_version_data),
        cmocka_unit_test(test_C030_truncations),
        cmocka_unit_test(test_C029_extended_full),
        cmocka_unit_test(test_C034_C042_capability_lengths),
        cmocka_unit_test(test_C040_encode),
        cmocka_unit_test(test_encode_all),
    };
    static struct cases all;
    CASES_ADD_TABLE(&all, open_cases, test_decode);
    cases_add_tests(&all, tests, sizeof tests / sizeof tests[0]);
    return cases_run(&all, "open");
}
