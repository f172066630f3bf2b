/*
 * Frames with and without an OPEN: a table of octets, every cut of them, and every single octet
 * changed.
 */
#include "frame.h"
#include "lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SLL4 "00000001000600000000000000000800"
#define SLL6 "000000010006000000000000000086dd"
#define IP4 "4500004d00004000400600000a0000010a000002"
#define IP4_OPTIONS "4700005500004000400600000a0000010a0000020101010101010101"
#define IP4_UDP "4500004d00004000401100000a0000010a000002"
#define IP6                                                                                        \
    "6000000000390640fd000000000000000000000000000001"                                             \
    "fd000000000000000000000000000002"
#define TCP "c00000b3000000010000000250180200000000 00"
#define TCP_OPTIONS "c00000b3000000010000000280180200000000000101080a0000000100000002"
#define MARKER "ffffffffffffffffffffffffffffffff"
#define OPEN_AS2 "001d0104fdea00b40102030400"
#define OPEN_AS4 "002501045ba0005a0102030408020641 04fa56ea00"
#define OPEN_EXTENDED "002901045ba0005a01020304ffff00090200064104fa56ea00"
#define OPEN_TORN "002501045ba0005a010203040802ff4104fa56ea00"

struct frame_case {
    const char *name, *octets;
    uint32_t as;
    uint16_t hold_time_s;
    bool found;
};

static const struct frame_case cases[] = {
    {"two octets of AS", SLL4 IP4 TCP MARKER OPEN_AS2, 65002, 180, true},
    {"four octets of AS", SLL4 IP4 TCP MARKER OPEN_AS4, 4200000000, 90, true},
    {"RFC 9072 parameters", SLL4 IP4 TCP MARKER OPEN_EXTENDED, 4200000000, 90, true},
    {"torn parameters", SLL4 IP4 TCP MARKER OPEN_TORN, 23456, 90, true},
    {"IPv4 options", SLL4 IP4_OPTIONS TCP MARKER OPEN_AS2, 65002, 180, true},
    {"TCP options", SLL4 IP4 TCP_OPTIONS MARKER OPEN_AS2, 65002, 180, true},
    {"IPv6", SLL6 IP6 TCP MARKER OPEN_AS4, 4200000000, 90, true},
    {"a KEEPALIVE", SLL4 IP4 TCP MARKER "001304", 0, 0, false},
    {"no marker", SLL4 IP4 TCP "00" MARKER OPEN_AS2, 0, 0, false},
    {"UDP", SLL4 IP4_UDP TCP MARKER OPEN_AS2, 0, 0, false},
    {"no payload", SLL4 IP4 TCP, 0, 0, false},
    {"nothing", "", 0, 0, false},
};

static size_t from_hex(const char *hex, uint8_t *out, size_t size) {
    size_t count = 0;

    while (*hex != '\0') {
        unsigned octet = 0;
        if (*hex == ' ') {
            hex++;
            continue;
        }
        assert_true(count < size);
        assert_int_equal(sscanf(hex, "%2x", &octet), 1);
        out[count++] = (uint8_t)octet;
        hex += 2;
    }
    return count;
}

static void test_frames(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct frame_case *c = &cases[i];
        struct lab_open o = {.as = 7};
        uint8_t data[256];
        size_t size = from_hex(c->octets, data, sizeof(data));
        if (frame_decode(data, size, &o) != c->found)
            fail_msg("%s", c->name);
        assert_int_equal(o.as, c->found ? c->as : 7);
        if (!c->found)
            continue;
        assert_int_equal(o.hold_time_s, c->hold_time_s);
        assert_int_equal(o.router_id, 0x01020304);
        assert_int_equal(o.from.bytes[o.from.family == IP_V4 ? 3 : 15], 1);
        assert_int_equal(o.to.bytes[o.to.family == IP_V4 ? 3 : 15], 2);
    }
}

/* Each in memory of its exact size, so that the sanitizer sees a read past the end. */
static void decode_exact(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size + 1);
    struct lab_open o;

    memcpy(copy + 1, data, size);
    (void)frame_decode(copy + 1, size, &o);
    free(copy);
}

static void test_damage(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t data[256];
        size_t size = from_hex(cases[i].octets, data, sizeof(data));
        for (size_t cut = 0; cut <= size; cut++)
            decode_exact(data, cut);
        for (size_t at = 0; at < size; at++)
            for (unsigned value = 0; value < 256; value += 5) {
                uint8_t before = data[at];
                data[at] = (uint8_t)value;
                decode_exact(data, size);
                data[at] = before;
            }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
