/*
 * OPEN, octet by octet: what is accepted and how it reads, what is refused and why, and what we
 * write. Names start with the number of the conformance check a row stands for.
 */
#include "message.h"

#include "cases_test.h"
#include "codec_test.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

#define HEAD "04 FDE9 00B4 01020304 "
#define MP4 "01 04 00010001 "
#define MP6 "01 04 00020001 "

struct open_case {
    const char *name;
    const char *body;
    int subcode; /* -1: accepted */
    struct bgp_open want;
};

/* Every accepted row repeats these in `want`. */
#define COMMON .asn = 65001, .hold_time_s = 180, .router_id = 0x01020304
#define IPV4_ONLY .families = {true, false}

static const struct open_case open_cases[] = {
    {"no parameters", HEAD "00", -1, {COMMON, IPV4_ONLY}},
    {"C014 version 3", "03 FDE9 00B4 01020304 00", 1, {0}},
    {"C014 version 5", "05 FDE9 00B4 01020304 00", 1, {0}},
    {"C014 version 0", "00 FDE9 00B4 01020304 00", 1, {0}},
    {"C014 version 255", "FF FDE9 00B4 01020304 00", 1, {0}},
    {"C016 My AS 0", "04 0000 00B4 01020304 00", 2, {0}},
    {"C016 My AS 0 beside a real one", "04 0000 00B4 01020304 08 02 06 41 04 0000FDE9", 2, {0}},
    {"C016 capability AS 0", HEAD "08 02 06 41 04 00000000", 2, {0}},
    {"C017 AS_TRANS with the real AS",
     "04 5BA0 00B4 01020304 08 02 06 41 04 00010000",
     -1,
     {.asn = 65536,
      .hold_time_s = 180,
      .router_id = 0x01020304,
      IPV4_ONLY,
      .as4 = true,
      .has_capabilities = true}},
    {"C018 AS_TRANS alone", "04 5BA0 00B4 01020304 00", 2, {0}},
    {"C018 AS_TRANS in the capability too",
     "04 5BA0 00B4 01020304 08 02 06 41 04 00005BA0",
     2,
     {0}},
    {"C019 the capability wins",
     "04 FDE8 00B4 01020304 08 02 06 41 04 0000FDE9",
     -1,
     {COMMON, IPV4_ONLY, .as4 = true, .has_capabilities = true}},
    {"C020 hold time 1", "04 FDE9 0001 01020304 00", 6, {0}},
    {"C020 hold time 2", "04 FDE9 0002 01020304 00", 6, {0}},
    {"C021 hold time 0",
     "04 FDE9 0000 01020304 00",
     -1,
     {.asn = 65001, .router_id = 0x01020304, IPV4_ONLY}},
    {"C022 hold time 3",
     "04 FDE9 0003 01020304 00",
     -1,
     {.asn = 65001, .hold_time_s = 3, .router_id = 0x01020304, IPV4_ONLY}},
    {"C022 hold time 65535",
     "04 FDE9 FFFF 01020304 00",
     -1,
     {.asn = 65001, .hold_time_s = 65535, .router_id = 0x01020304, IPV4_ONLY}},
    {"C023 identifier 0", "04 FDE9 00B4 00000000 00", 3, {0}},
    {"C026 identifier 255.255.255.255",
     "04 FDE9 00B4 FFFFFFFF 00",
     -1,
     {.asn = 65001, .hold_time_s = 180, .router_id = 0xFFFFFFFF, IPV4_ONLY}},
    {"C026 identifier 224.0.0.1",
     "04 FDE9 00B4 E0000001 00",
     -1,
     {.asn = 65001, .hold_time_s = 180, .router_id = 0xE0000001, IPV4_ONLY}},
    {"C027 parameter of type 3", HEAD "02 03 00", 4, {0}},
    {"C027 parameter of type 254", HEAD "03 FE 01 00", 4, {0}},
    {"C028 parameters longer than the message", HEAD "08 02 06 01 04 0001", 0, {0}},
    {"C028 parameters shorter than the message", HEAD "02 02 00 00", 0, {0}},
    {"C028 no parameters but octets", HEAD "00 02 00", 0, {0}},
    {"C028 parameter longer than the parameters", HEAD "04 02 03 02 00", 0, {0}},
    {"C028 half a parameter", HEAD "01 02", 0, {0}},
    {"C029 extended form",
     HEAD "FF FF 0009 02 0006 " MP6,
     -1,
     {COMMON, .has_capabilities = true, .mp_present = true, .families = {false, true}}},
    {"C029 extended form, other one-octet length",
     HEAD "09 FF 0009 02 0006 " MP6,
     -1,
     {COMMON, .has_capabilities = true, .mp_present = true, .families = {false, true}}},
    {"C029 extended form, no parameters", HEAD "FF FF 0000", -1, {COMMON, IPV4_ONLY}},
    {"C029 255 octets that are not extended", HEAD "FF 03", 0, {0}},
    {"C030 extended form, length too long", HEAD "FF FF 000A 02 0006 " MP6, 0, {0}},
    {"C030 extended form, length too short", HEAD "FF FF 0008 02 0006 " MP6, 0, {0}},
    {"B7 extended header cut", HEAD "FF FF 00", 0, {0}},
    {"B7 extended header of one octet", HEAD "FF FF", 0, {0}},
    {"B9 ends after the length octet", HEAD "FF", 0, {0}},
    {"B9 ends before the length octet", HEAD, 0, {0}},
    {"C031 authentication", HEAD "03 01 01 00", 4, {0}},
    {"C032 unknown capability, empty",
     HEAD "04 02 02 99 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true}},
    {"C032 unknown capabilities beside known",
     HEAD "0C 02 0A 99 02 BEEF 02 00 83 00 46 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .refresh = true, .enhanced_refresh = true}},
    {"C033 one per parameter",
     HEAD "10 02 06 " MP4 "02 02 02 00 02 02 80 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .mp_present = true, .refresh = true,
      .refresh_old = true}},
    {"C033 all in one parameter",
     HEAD "0C 02 0A " MP4 "02 00 80 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .mp_present = true, .refresh = true,
      .refresh_old = true}},
    {"C033 the same twice",
     HEAD "12 02 10 " MP4 MP4 "02 00 02 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .mp_present = true, .refresh = true}},
    {"C034 capability beyond the parameter", HEAD "06 02 02 41 04 0000", 0, {0}},
    {"C034 capability beyond the message", HEAD "04 02 02 41 04", 0, {0}},
    {"C034 half a capability", HEAD "03 02 01 41", 0, {0}},
    {"C035 multiprotocol of 3", HEAD "07 02 05 01 03 000100", 0, {0}},
    {"C035 multiprotocol of 5", HEAD "09 02 07 01 05 0001000100", 0, {0}},
    {"C035 multiprotocol of 0", HEAD "04 02 02 01 00", 0, {0}},
    {"C138 other families are passed over",
     HEAD "0E 02 0C 01 04 00190046 01 04 00010080",
     -1,
     {COMMON, .has_capabilities = true, .mp_present = true}},
    {"C036 AS4 of 0", HEAD "04 02 02 41 00", 0, {0}},
    {"C036 AS4 of 2", HEAD "06 02 04 41 02 FDE9", 0, {0}},
    {"C036 AS4 of 3", HEAD "07 02 05 41 03 00FDE9", 0, {0}},
    {"C036 AS4 of 5", HEAD "09 02 07 41 05 0000FDE900", 0, {0}},
    {"C037 graceful restart of 0", HEAD "04 02 02 40 00", 0, {0}},
    {"C037 graceful restart of 1", HEAD "05 02 03 40 01 00", 0, {0}},
    {"C037 graceful restart of 3", HEAD "07 02 05 40 03 007800", 0, {0}},
    {"C037 graceful restart of 2 + 5", HEAD "0B 02 09 40 07 0078 0001018000", 0, {0}},
    {"C037 graceful restart without families",
     HEAD "06 02 04 40 02 0078",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .gr = true, .gr_time_s = 120}},
    {"C037 graceful restart, all bits",
     HEAD "0E 02 0C 40 0A CFFF 0001 01 80 0002 01 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .gr = true, .gr_restarting = true,
      .gr_notification = true, .gr_time_s = 4095, .gr_families = {{true, true}, {true, false}}}},
    {"C042 FQDN and software version lengths that lie",
     HEAD "0A 02 08 49 02 FF41 4B 02 4062",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true}},
    {"C011 extended messages",
     HEAD "04 02 02 06 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .extended_message = true}},
    {"C011 extended messages of 1", HEAD "05 02 03 06 01 00", 0, {0}},
    {"C038 role of 0", HEAD "04 02 02 09 00", 0, {0}},
    {"C038 role of 4", HEAD "08 02 06 09 04 00000000", 0, {0}},
    {"C208 provider",
     HEAD "05 02 03 09 01 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .role = BGP_ROLE_PROVIDER}},
    {"C208 peer, twice",
     HEAD "08 02 06 09 01 04 09 01 04",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .role = BGP_ROLE_PEER}},
    {"C208 two roles",
     HEAD "08 02 06 09 01 03 09 01 04",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .role = BGP_ROLE_PEER, .role_conflict = true}},
    {"C208 unassigned role",
     HEAD "05 02 03 09 01 FF",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .role = BGP_ROLES}},
    {"C137 extended next hop",
     HEAD "0A 02 08 05 06 0001 0001 0002",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .extended_next_hop = true}},
    {"C137 extended next hop, other families before ours",
     HEAD "16 02 14 05 12 0001 0080 0002 0063 0001 0002 0001 0001 0002",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .extended_next_hop = true}},
    {"C137 extended next hop of 7",
     HEAD "0B 02 09 05 07 0001 0001 0002 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true}},
    {"C137 extended next hop of 5",
     HEAD "09 02 07 05 05 0001 0001 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true}},
    {"C197 add-path both ways",
     HEAD "0C 02 0A 45 08 0001 01 03 0002 01 01",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true,
      .add_path = {BGP_ADD_PATH_BOTH, BGP_ADD_PATH_RECEIVE}}},
    {"C197 add-path values that mean nothing",
     HEAD "0C 02 0A 45 08 0001 01 00 0002 01 04",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true}},
    {"C197 add-path of 5",
     HEAD "09 02 07 45 05 0001 01 03 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true}},
    {"C196 long-lived graceful restart",
     HEAD "0B 02 09 47 07 0002 01 80 015180",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .llgr = true, .llgr_time_s = {0, 86400}}},
    {"C196 long-lived graceful restart of 8",
     HEAD "0C 02 0A 47 08 0002 01 80 015180 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true}},
    {"C196 long-lived graceful restart, good and bad",
     HEAD "16 02 14 47 07 0002 01 80 015180 47 07 0001 01 80 000001 47 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .llgr = true, .llgr_time_s = {1, 86400}}},
    {"C196 long-lived graceful restart, a bad one behind",
     HEAD "0E 02 0C 47 07 0002 01 80 015180 47 01 00",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true, .llgr = true, .llgr_time_s = {0, 86400}}},
    {"C219 BGPsec capability",
     HEAD "07 02 05 07 03 000001",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true}},
    {"C222 BGP-LS family",
     HEAD "0E 02 0C 01 04 40040047 01 04 40040048",
     -1,
     {COMMON, .has_capabilities = true, .mp_present = true}},
    {"C223 ORF capability",
     HEAD "0B 02 09 03 07 00010001014003",
     -1,
     {COMMON, IPV4_ONLY, .has_capabilities = true}},
};

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
