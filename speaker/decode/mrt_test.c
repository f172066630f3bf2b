/*
 * MRT written and read again (C217), what damage does (C215), and every kind of record the writer
 * does not make (C213, C214), as octets.
 */
#include "mrt.h"

#include "../base/arena.h"
#include "../core/codec_test.h"
#include "mrt_sample.h"

#include <stdlib.h>
#include <string.h>

struct reading {
    struct text out;
    size_t items, faults;
    const char *fault; /* the last one */
    bool json;
};

static void take(void *context, const struct mrt_item *item) {
    struct reading *r = context;
    r->items++;
    if (r->json)
        mrt_put_json(item, &r->out);
    else
        mrt_put_lines(item, &r->out);
}

/* Reads records from octets; a cut one is not handed over. */
static void read_all(const uint8_t *data, size_t size, struct reading *r) {
    struct mrt_reader *reader = mrt_reader_new();
    assert_non_null(reader);
    for (size_t at = 0; size - at >= MRT_HEADER_SIZE;) {
        struct mrt_header h = mrt_header_decode(data + at);
        at += MRT_HEADER_SIZE;
        if (h.size > size - at)
            break;
        const char *fault = mrt_read(reader, &h, data + at, take, r);
        r->faults += fault != NULL;
        r->fault = fault ? fault : r->fault;
        at += h.size;
    }
    mrt_reader_free(reader);
}

static void assert_lines(const char *hex, const char *want) {
    static uint8_t data[8192];
    struct reading r = {0};
    text_init(&r.out);
    read_all(data, codec_hex(hex, data, 0, sizeof data), &r);
    if (r.faults)
        print_error("%s\n", r.fault);
    assert_int_equal(r.faults, 0);
    assert_string_equal(text_str(&r.out), want);
    text_deinit(&r.out);
}

#define TAIL                                                                                       \
    "|65001 4200000001 {64601,64602}|INCOMPLETE|10.0.0.2|200|7|65001:1 no-export|AG|"              \
    "64601 1.2.3.4|\n"
#define TAIL6                                                                                      \
    "|65001 4200000001 {64601,64602}|INCOMPLETE|2001:db8::2|200|7|65001:1 no-export|AG|"           \
    "64601 1.2.3.4|\n"

/* C217: what was written, in the words of its lines. */
static void test_C217_round_trip(void **state) {
    (void)state;
    struct reading r = {0};
    struct text file;
    text_init(&file);
    text_init(&r.out);
    sample_tables(&file);
    sample_messages(&file);
    assert_false(file.failed);
    read_all((const uint8_t *)file.data, file.size, &r);
    assert_int_equal(r.faults, 0);
    assert_string_equal(text_str(&r.out),
                        "TABLE_DUMP2|1700000000|B|10.0.0.2|65001|10.1.0.0/16" TAIL
                        "TABLE_DUMP2|1700000000|B|2001:db8::2|4200000001|10.1.0.0/16" TAIL
                        "TABLE_DUMP2_AP|1700000000|B|10.0.0.2|65001|0.0.0.0/0|1" TAIL
                        "TABLE_DUMP2_AP|1700000000|B|2001:db8::2|4200000001|0.0.0.0/0|2" TAIL
                        "TABLE_DUMP2|1700000000|B|2001:db8::2|4200000001|2001:db8:1::/48" TAIL6
                        "BGP4MP_ET|1700000000.123456|STATE|10.0.0.2|65001|5|6\n"
                        "BGP4MP_ET|1700000000.123456|A|10.0.0.2|65001|10.2.0.0/16" TAIL
                        "BGP4MP_ET|1700000000.123456|A|10.0.0.2|65001|10.3.0.0/16" TAIL
                        "BGP4MP_ET_LOCAL|1700000000.123456|W|10.0.0.2|65001|10.3.0.0/16\n"
                        "BGP4MP_ET|1700000000.123456|A|10.0.0.2|65001|2001:db8:2::/48" TAIL6);
    text_deinit(&file);
    text_deinit(&r.out);
}

/* Our own routes have no next hop: a table says 0.0.0.0 or ::, and that is no fault in it. */
static void test_C217_own_routes(void **state) {
    (void)state;
    struct reading r = {0};
    struct text file;
    struct mrt_peer own = {ip4(0), 65000, 1};
    struct attr_values v = {.origin = 0};
    struct mrt_entry entry = {0, SAMPLE_TIME, 0, &v};
    text_init(&file);
    text_init(&r.out);
    mrt_put_peers(&file, SAMPLE_TIME, 1, "", &own, 1);
    assert_int_equal(
        mrt_put_rib(&file, SAMPLE_TIME, 0, sample_prefix("10.0.0.0/8"), false, &entry, 1), 1);
    assert_int_equal(
        mrt_put_rib(&file, SAMPLE_TIME, 1, sample_prefix("2001:db8::/32"), false, &entry, 1), 1);
    read_all((const uint8_t *)file.data, file.size, &r);
    assert_int_equal(r.faults, 0);
    assert_string_equal(
        text_str(&r.out),
        "TABLE_DUMP2|1700000000|B|0.0.0.0|65000|10.0.0.0/8||IGP|0.0.0.0|0|0||NAG||\n"
        "TABLE_DUMP2|1700000000|B|0.0.0.0|65000|2001:db8::/32||IGP|::|0|0||NAG||\n");
    text_deinit(&file);
    text_deinit(&r.out);
}

static void test_C217_as_json(void **state) {
    (void)state;
    struct reading r = {.json = true};
    struct text file;
    text_init(&file);
    text_init(&r.out);
    sample_messages(&file);
    read_all((const uint8_t *)file.data, file.size, &r);
    const char *first = "{\"mrt\":\"BGP4MP_ET\",\"time\":1700000000,\"microseconds\":123456,"
                        "\"peer\":\"10.0.0.2\",\"peer_asn\":65001,\"sent\":false,"
                        "\"type\":\"state\",\"old\":5,\"new\":6}\n";
    assert_memory_equal(text_str(&r.out), first, strlen(first));
    assert_non_null(strstr(text_str(&r.out), "\"sent\":true,\"type\":\"update\""));
    assert_non_null(strstr(text_str(&r.out), "\"type\":\"keepalive\",\"length\":19"));
    text_deinit(&file);
    text_deinit(&r.out);
}

#define T SAMPLE_STAMP

/* C213: records that others write. */
static void test_C213_others_records(void **state) {
    (void)state;
    assert_lines(
        SAMPLE_TABLE_DUMP,
        "TABLE_DUMP|1699950464|B|10.0.0.2|65001|10.1.0.0/16|65001|IGP|10.0.0.2|0|0||NAG||\n");
    assert_lines(SAMPLE_STATE, "BGP4MP|1699950464|STATE|10.0.0.2|65001|6|1\n");
    assert_lines(SAMPLE_MESSAGE, "BGP4MP|1699950464|W|10.0.0.2|65001|10.1.2.0/24\n");
}

/* C214: generic and add-path tables, add-path messages. */
static void test_C214_add_path_records(void **state) {
    (void)state;
    static const char with_id[] =
        "TABLE_DUMP2_AP|1699950464|B|10.0.0.2|65001|10.1.0.0/16|9|65001|IGP|10.0.0.2|0|0||NAG||\n";
    static const char route[] =
        "TABLE_DUMP2|1699950464|B|10.0.0.2|65001|10.1.0.0/16|65001|IGP|10.0.0.2|0|0||NAG||\n";
    assert_lines(SAMPLE_PEERS SAMPLE_GENERIC, route);
    assert_lines(SAMPLE_PEERS SAMPLE_TABLE_AP, with_id);
    assert_lines(
        SAMPLE_MESSAGE_AP,
        "BGP4MP_AP|1699950464|A|10.0.0.2|65001|10.1.2.0/24|9|65001|IGP|10.0.0.2|0|0||NAG||\n");
}

/* C215: every cut of a file, every octet wrong: no crash, and nothing after the cut. */
static void test_C215_damage(void **state) {
    (void)state;
    struct text file;
    text_init(&file);
    sample_tables(&file);
    sample_messages(&file);
    for (size_t size = 0; size < file.size; size++) {
        struct reading r = {0};
        uint8_t *exact = malloc(size ? size : 1);
        assert_non_null(exact);
        memcpy(exact, file.data, size);
        text_init(&r.out);
        read_all(exact, size, &r);
        assert_true(r.items <= 10 && r.faults == 0);
        text_deinit(&r.out);
        free(exact);
    }
    for (size_t i = 0; i < file.size; i++) {
        struct reading r = {0};
        file.data[i] ^= (char)0xFF;
        text_init(&r.out);
        read_all((const uint8_t *)file.data, file.size, &r);
        text_deinit(&r.out);
        file.data[i] ^= (char)0xFF;
    }
    text_deinit(&file);
}

static void assert_fault(const char *hex, const char *want) {
    uint8_t data[256];
    struct reading r = {0};
    text_init(&r.out);
    read_all(data, codec_hex(hex, data, 0, sizeof data), &r);
    assert_int_equal(r.faults, 1);
    assert_int_equal(r.items, 0);
    assert_string_equal(r.fault, want);
    text_deinit(&r.out);
}

static void test_C215_faults(void **state) {
    (void)state;
    assert_fault(T "00200000 00000000", "unknown type");
    assert_fault(T "000d0007 00000000", "unknown subtype");
    assert_fault(T "000d0001 00000000", "truncated");
    assert_fault(T "000d0001 00000006 0a000001 ffff", "truncated");
    assert_fault(T "000d0001 00000008 0a000001 0000 ffff", "truncated");
    assert_fault(T "000d0002 00000005 00000000 21", "impossible prefix length");
    assert_fault(T "000d0002 00000007 00000000 00 ffff", "truncated");
    assert_fault(T "000d0002 0000000f 00000000 00 0001 0000 00000000 0000",
                 "a peer that the peer table has not");
    assert_fault(SAMPLE_PEERS T
                 "000d0002 00000015 00000000 18 0a0102 0001 0000 00000000 0004 400101",
                 "truncated"); /* attributes longer than the record (B25) */
    assert_fault(T "000d0006 00000007 00000000 0001 80", "a family that is not read here");
    assert_fault(T "00100001 00000000", "truncated");
    assert_fault(T "0010000c 00000000", "unknown subtype");
}

/* I15: as large as the fields allow: 65,535 peers, a name of 65,535 octets, 65,535 paths. */
static void test_C215_largest(void **state) {
    (void)state;
    struct reading r = {0};
    struct text file;
    struct attr_values v = sample_attrs("10.0.0.2");
    struct mrt_peer *peers = calloc(65535, sizeof *peers);
    struct mrt_entry *entries = calloc(65535, sizeof *entries);
    char *view = calloc(65536, 1);
    assert_true(peers && entries && view);
    memset(view, 'v', 65535);
    for (uint32_t i = 0; i < 65535; i++) {
        peers[i] = (struct mrt_peer){ip4(0x0A000000 + i), 65000, i};
        entries[i] = (struct mrt_entry){(uint16_t)i, SAMPLE_TIME, i, &v};
    }
    text_init(&file);
    text_init(&r.out);
    mrt_put_peers(&file, SAMPLE_TIME, 1, view, peers, 65535);
    assert_int_equal(
        mrt_put_rib(&file, SAMPLE_TIME, 0, sample_prefix("10.0.0.0/8"), true, entries, 65535),
        65535);
    read_all((const uint8_t *)file.data, file.size, &r);
    assert_int_equal(r.items, 65535);
    assert_int_equal(r.faults, 0);
    text_deinit(&file);
    text_deinit(&r.out);
    free(peers);
    free(entries);
    free(view);
}

/* RFC 8654 and RFC 6396 4.3.4: a table's attributes may be larger than a message of 4,096 octets,
 * up to the largest message; those that no field holds are left out. */
static void test_C217_large_attributes(void **state) {
    static uint32_t communities[16380];
    static const struct {
        uint32_t count;
        uint16_t entries, written, read;
    } rows[] = {{2000, 300, 300, 300},
                {16373, 2, 2, 2},
                {16374, 2, 2, 0},
                {16379, 2, 2, 0},
                {16380, 2, 0, 0}};
    (void)state;
    for (uint32_t i = 0; i < 16380; i++)
        communities[i] = 0xFDE90000 + i;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reading r = {0};
        struct text file;
        struct mrt_peer peer = {sample_address("10.0.0.2"), 65001, 0};
        struct attr_values v = {.next_hop = sample_address("10.0.0.2"),
                                .communities = communities,
                                .community_count = rows[i].count};
        struct mrt_entry entries[300];
        for (int n = 0; n < 300; n++)
            entries[n] = (struct mrt_entry){0, SAMPLE_TIME, 0, &v};
        text_init(&file);
        text_init(&r.out);
        mrt_put_peers(&file, SAMPLE_TIME, 1, "", &peer, 1);
        assert_int_equal(mrt_put_rib(&file, SAMPLE_TIME, 0, sample_prefix("10.0.0.0/8"), false,
                                     entries, rows[i].entries),
                         rows[i].written);
        read_all((const uint8_t *)file.data, file.size, &r);
        assert_int_equal(r.items, rows[i].read);
        if (rows[i].written && !rows[i].read)
            assert_string_equal(r.fault, "attributes too large for a message");
        else
            assert_int_equal(r.faults, 0);
        static const char head[] = "TABLE_DUMP2|1700000000|B|";
        if (rows[i].read)
            assert_memory_equal(text_str(&r.out), head, sizeof head - 1);
        text_deinit(&file);
        text_deinit(&r.out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C217_round_trip),     cmocka_unit_test(test_C217_large_attributes),
        cmocka_unit_test(test_C217_as_json),        cmocka_unit_test(test_C217_own_routes),
        cmocka_unit_test(test_C213_others_records), cmocka_unit_test(test_C214_add_path_records),
        cmocka_unit_test(test_C215_damage),         cmocka_unit_test(test_C215_faults),
        cmocka_unit_test(test_C215_largest),
    };
    return cmocka_run_group_tests_name("mrt", tests, NULL, NULL);
}
