/*
 * C216: packets out of pcapng files: sections in either order of octets, interfaces that differ,
 * each kind of block; and files that are damaged or end early.
 *
 * A file is a row in hexadecimal; what comes out is a line of words.
 */
#include "pcapng.h"

#include "../base/text.h"
#include "../core/codec_test.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct octets {
    const uint8_t *data;
    size_t size, at;
};

static size_t take(void *context, uint8_t *out, size_t size) {
    struct octets *o = context;
    size = size < o->size - o->at ? size : o->size - o->at;
    memcpy(out, o->data + o->at, size);
    o->at += size;
    return size;
}

static void read_octets(const uint8_t *data, size_t size, struct text *out) {
    struct octets o = {data, size, 0};
    struct pcapng_file f = {.input = take, .context = &o};
    struct pcapng_packet p;
    const char *fault = NULL;
    enum pcapng_found found;
    while ((found = pcapng_next(&f, &p, &fault)) == PCAPNG_PACKET) {
        text_printf(out, "%d %" PRIu64 " ", p.link_type, p.time_ns);
        for (size_t i = 0; i < p.size; i++)
            text_printf(out, "%02x", p.data[i]);
        text_puts(out, "; ");
    }
    text_puts(out, found == PCAPNG_END ? "end" : fault);
    pcapng_deinit(&f);
}

static void check(const char *name, const char *hex, const char *want) {
    static uint8_t data[4096];
    struct text out;
    text_init(&out);
    read_octets(data, codec_hex(hex, data, 0, sizeof data), &out);
    if (strcmp(text_str(&out), want) != 0)
        fail_msg("%s: %s, not %s", name, text_str(&out), want);
    text_deinit(&out);
}

#define BIG "0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c "
#define LITTLE "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000 "
#define ETHERNET "00000001 00000014 0001 0000 00000000 00000014 "
#define RAW "00000001 00000014 0065 0000 00000002 00000014 "
/* With a resolution, as an option; 2 octets of a comment before it. */
#define CLOCK(resolution)                                                                          \
    "00000001 00000028 0001 0000 00000000 0001 0002 61620000 0009 0001 " resolution                \
    "000000 00000000 00000028 "
#define OFFSET "00000001 00000020 0001 0000 00000000 000e 0008 ffffffffffffffff 00000020 "
#define PACKET(interface, high, low)                                                               \
    "00000006 00000024 " interface high low "00000003 00000003 aabbcc00 00000024 "
#define OTHER "0000000a 00000010 01020304 00000010 "
#define SIMPLE "00000003 00000014 00000003 aabbcc00 00000014 "
#define OLD "00000002 00000024 0001 ffff 00000000 000f4240 00000003 00000003 aabbcc00 00000024 "

static void test_C216_blocks(void **state) {
    static const char *const rows[][3] = {
        {"nothing but a section", BIG, "end"},
        {"two interfaces that differ",
         BIG ETHERNET RAW OTHER PACKET("00000001", "00000000", "000f4240")
             PACKET("00000000", "00000000", "00000001"),
         "101 1000000000 aabbcc; 1 1000 aabbcc; end"},
        {"the old block, and the one without a time", BIG RAW ETHERNET OLD SIMPLE,
         "1 1000000000 aabbcc; 101 0 aabb; end"},
        {"the other order of octets",
         LITTLE "01000000 14000000 0100 0000 00000000 14000000"
                "06000000 24000000 00000000 00000000 40420f00 03000000 09000000 aabbcc00 24000000",
         "1 1000000000 aabbcc; end"},
        {"a second section has its own interfaces",
         BIG RAW LITTLE "03000000 14000000 03000000 aabbcc00 14000000",
         "a packet of an interface that is not described"},
        {"sections in both orders",
         LITTLE "01000000 14000000 0100 0000 00000000 14000000" BIG RAW SIMPLE, "101 0 aabb; end"},
        {"nanoseconds", BIG CLOCK("09") PACKET("00000000", "00000001", "00000002"),
         "1 4294967298 aabbcc; end"},
        {"picoseconds", BIG CLOCK("0c") PACKET("00000000", "00000001", "00000000"),
         "1 4294967 aabbcc; end"},
        {"seconds", BIG CLOCK("00") PACKET("00000000", "00000000", "00000002"),
         "1 2000000000 aabbcc; end"},
        {"halves of seconds", BIG CLOCK("81") PACKET("00000000", "00000000", "00000003"),
         "1 1500000000 aabbcc; end"},
        {"2^-32 seconds", BIG CLOCK("a0") PACKET("00000000", "00000001", "40000000"),
         "1 1250000000 aabbcc; end"},
        {"2^-40 seconds", BIG CLOCK("a8") PACKET("00000000", "00000140", "00000000"),
         "1 1250000000 aabbcc; end"},
        {"a clock behind", BIG OFFSET PACKET("00000000", "00000000", "001e8480"),
         "1 1000000000 aabbcc; end"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(rows[i][0], rows[i][1], rows[i][2]);
}

static void test_C216_damaged_blocks(void **state) {
    static const char *const rows[][3] = {
        {"no section", ETHERNET, "no section is there"},
        {"no order of octets", "0a0d0d0a 0000001c 1a2b3c4e 0001 0000 ffffffffffffffff 0000001c",
         "a section of an unknown order of octets"},
        {"a block of 0", BIG "00000001 00000000", "a block of an impossible size"},
        {"a block of 11", BIG "00000001 0000000b", "a block of an impossible size"},
        {"a block of 13", BIG "00000001 0000000d", "a block of an impossible size"},
        {"a section of 12", "0a0d0d0a 0000000c 1a2b3c4d", "a block of an impossible size"},
        {"a block of 16 MiB and 4", BIG "00000001 01000004", "a block of an impossible size"},
        {"a block of 16 MiB that is not there", BIG "00000001 01000000", "truncated"},
        {"another length behind it", BIG "0000000a 00000010 01020304 00000014",
         "a block that is damaged"},
        {"an interface too short", BIG "00000001 00000010 00010000 00000010",
         "an interface description too short"},
        {"an option too long", BIG "00000001 00000018 0001 0000 00000000 00090001 00000018",
         "an option longer than its block"},
        {"2^-64 seconds", BIG CLOCK("c0"), "an impossible resolution of time"},
        {"10^-29 seconds", BIG CLOCK("1d"), "an impossible resolution of time"},
        {"a packet block too short", BIG RAW "00000006 00000010 00000000 00000010",
         "a packet block too short"},
        {"a packet block of nothing", BIG RAW "00000006 0000000c 0000000c",
         "a packet block too short"},
        {"a simple block of nothing", BIG RAW "00000003 0000000c 0000000c",
         "a packet block too short"},
        {"no such interface", BIG RAW PACKET("00000001", "00000000", "00000000"),
         "a packet of an interface that is not described"},
        {"a packet longer than its block",
         BIG RAW "00000006 00000024 00000000 00000000 00000000 00000005 00000005 aabbcc00 00000024",
         "a packet longer than its block"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(rows[i][0], rows[i][1], rows[i][2]);
}

/* Wherever a file ends: what was whole is there, and it is said that the rest is not. */
static void test_C216_cut_files(void **state) {
    (void)state;
    static const char hex[] = BIG ETHERNET PACKET("00000000", "00000000", "00000001") OTHER;
    static const size_t ends[] = {0, 28, 48, 84, 100};
    uint8_t data[200];
    size_t whole = codec_hex(hex, data, 0, sizeof data);
    assert_int_equal(whole, 100);
    for (size_t size = 0; size <= whole; size++) {
        struct text out;
        bool between = false;
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
            between = between || ends[i] == size;
        uint8_t *exact = malloc(size ? size : 1);
        assert_non_null(exact);
        memcpy(exact, data, size);
        text_init(&out);
        read_octets(exact, size, &out);
        assert_string_equal(strchr(text_str(&out), ';') ? strchr(text_str(&out), ';') + 2
                                                        : text_str(&out),
                            between ? "end" : "truncated");
        assert_int_equal(size >= 84, strchr(text_str(&out), ';') != NULL);
        text_deinit(&out);
        free(exact);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C216_blocks),
        cmocka_unit_test(test_C216_damaged_blocks),
        cmocka_unit_test(test_C216_cut_files),
    };
    return cmocka_run_group_tests_name("pcapng", tests, NULL, NULL);
}
