/*
 * Every kind of MRT record, each with what distinguishes it: AS size, address family, path
 * identifiers, direction, microseconds (C213, C214); and the octets of those we write (C217).
 *
 * Records are put together here from RFC 6396 and 8050, sharing nothing with mrt_write.c, and read
 * as lines; damage and round trips are mrt_test.c's.
 */
#include "mrt.h"

#include "../core/codec_test.h"
#include "mrt_sample.h"

#include <string.h>

#define STAMP 1700000000u
#define MICROSECONDS 7u
#define RECORDS_MAX 8192

/* ---- records, made and read ---- */

struct records {
    uint8_t data[RECORDS_MAX];
    struct byte_writer w;
    size_t mark;
};

static void begin(struct records *r, uint16_t type, uint16_t subtype) {
    bytes_put_u32(&r->w, STAMP);
    bytes_put_u16(&r->w, type);
    bytes_put_u16(&r->w, subtype);
    bytes_put_u16(&r->w, 0);
    r->mark = bytes_mark_u16(&r->w);
    if (type == MRT_BGP4MP_ET)
        bytes_put_u32(&r->w, MICROSECONDS);
}

static void end(struct records *r) {
    bytes_patch_u16(&r->w, r->mark);
    assert_false(r->w.failed);
}

static void records_init(struct records *r) {
    r->w = bytes_writer(r->data, sizeof r->data);
}

static void put_hex(struct records *r, const char *hex) {
    uint8_t octets[512];
    bytes_put(&r->w, octets, codec_hex(hex, octets, 0, sizeof octets));
}

static void take_line(void *context, const struct mrt_item *item) {
    mrt_put_lines(item, context);
}

static void take_json(void *context, const struct mrt_item *item) {
    mrt_put_json(item, context);
}

/* The last record's fault, NULL when it has none. */
static const char *read_records(const uint8_t *data, size_t size, mrt_fn *each, struct text *out) {
    struct mrt_reader *reader = mrt_reader_new();
    const char *fault = NULL;
    assert_non_null(reader);
    for (size_t at = 0; at < size;) {
        struct mrt_header h = mrt_header_decode(data + at);
        at += MRT_HEADER_SIZE;
        assert_true(h.size <= size - at);
        fault = mrt_read(reader, &h, data + at, each, out);
        at += h.size;
    }
    mrt_reader_free(reader);
    return fault;
}

static void assert_read(struct records *r, const char *fault, const char *want) {
    struct text out;
    text_init(&out);
    const char *got = read_records(r->data, r->w.at, take_line, &out);
    if (!fault != !got || (fault && strcmp(fault, got) != 0))
        fail_msg("%s", got ? got : "no fault");
    assert_string_equal(text_str(&out), want);
    text_deinit(&out);
}

/* ---- BGP4MP: subtypes as RFC 6396 4.4 and RFC 8050 3 number them ---- */

struct message_kind {
    uint16_t subtype;
    bool as4, sent, ids;
    const char *suffix; /* of the type in a line */
};
static const struct message_kind message_kinds[] = {
    {1, false, false, false, ""},         {4, true, false, false, ""},
    {6, false, true, false, "_LOCAL"},    {7, true, true, false, "_LOCAL"},
    {8, false, false, true, "_AP"},       {9, true, false, true, "_AP"},
    {10, false, true, true, "_LOCAL_AP"}, {11, true, true, true, "_LOCAL_AP"},
};
#define MESSAGE_KINDS (sizeof message_kinds / sizeof message_kinds[0])

static void put_as(struct records *r, bool as4, uint32_t asn) {
    if (as4)
        bytes_put_u32(&r->w, asn);
    else
        bytes_put_u16(&r->w, (uint16_t)asn);
}

static void put_ends(struct records *r, bool as4, bool v6) {
    put_as(r, as4, as4 ? 4200000001u : 65001u);
    put_as(r, as4, 65002);
    bytes_put_u16(&r->w, 3); /* interface */
    bytes_put_u16(&r->w, v6 ? 2 : 1);
    put_hex(r, v6 ? "20010db8000000000000000000000002 20010db8000000000000000000000001"
                  : "0a000002 0a000001");
}

/* Announces 10.1.128.0/17, path identifier 9, of AS 65001. */
static void put_bgp_update(struct records *r, bool as4, bool ids) {
    put_hex(r, SAMPLE_MARKER);
    bytes_put_u16(&r->w, (uint16_t)(19 + 4 + (as4 ? 20 : 18) + (ids ? 8 : 4)));
    put_hex(r, as4 ? "02 0000 0014" SAMPLE_ATTRS4 : "02 0000 0012" SAMPLE_ATTRS);
    put_hex(r, ids ? "00000009 110a0180" : "110a0180");
}

static void check_message(const struct message_kind *k, bool et, bool v6) {
    struct records r;
    char want[200];
    records_init(&r);
    begin(&r, et ? MRT_BGP4MP_ET : MRT_BGP4MP, k->subtype);
    put_ends(&r, k->as4, v6);
    put_bgp_update(&r, k->as4, k->ids);
    end(&r);
    snprintf(want, sizeof want, "BGP4MP%s%s|1700000000%s|A|%s|%u|10.1.128.0/17%s|%s",
             et ? "_ET" : "", k->suffix, et ? ".000007" : "", v6 ? "2001:db8::2" : "10.0.0.2",
             k->as4 ? 4200000001u : 65001u, k->ids ? "|9" : "", "65001|IGP|10.0.0.2|0|0||NAG||\n");
    assert_read(&r, NULL, want);
}

static void test_C213_C214_messages(void **state) {
    (void)state;
    for (size_t i = 0; i < MESSAGE_KINDS; i++)
        for (int variant = 0; variant < 4; variant++)
            check_message(&message_kinds[i], variant & 1, variant & 2);
}

static void test_C213_states(void **state) {
    (void)state;
    for (int variant = 0; variant < 8; variant++) {
        bool as4 = variant & 1, v6 = variant & 2, et = variant & 4;
        struct records r;
        char want[200];
        records_init(&r);
        begin(&r, et ? MRT_BGP4MP_ET : MRT_BGP4MP, as4 ? 5 : 0);
        put_ends(&r, as4, v6);
        put_hex(&r, "0003 0006");
        end(&r);
        snprintf(want, sizeof want, "BGP4MP%s|1700000000%s|STATE|%s|%u|3|6\n", et ? "_ET" : "",
                 et ? ".000007" : "", v6 ? "2001:db8::2" : "10.0.0.2", as4 ? 4200000001u : 65001u);
        assert_read(&r, NULL, want);
    }
}

/* RFC 8654, 8950: no OPEN tells here what the session allowed, so everything is. */
static void test_C213_messages_of_any_session(void **state) {
    (void)state;
    struct records r;
    records_init(&r);
    begin(&r, MRT_BGP4MP, 4);
    put_ends(&r, true, false);
    put_hex(&r, SAMPLE_MARKER "1388 02 1371");
    for (int i = 0; i < 4977; i++)
        bytes_put_u8(&r.w, i < 4973 ? 0 : (uint8_t[]){24, 10, 1, 2}[i - 4973]);
    put_hex(&r, "0000");
    end(&r);
    struct text out;
    text_init(&out);
    assert_null(read_records(r.data, r.w.at, take_line, &out));
    static const char line[] = "BGP4MP|1700000000|W|10.0.0.2|4200000001|0.0.0.0/0\n";
    assert_int_equal(out.size,
                     4974 * (sizeof line - 1) + strlen("10.1.2.0/24") - strlen("0.0.0.0/0"));
    text_deinit(&out);

    records_init(&r);
    begin(&r, MRT_BGP4MP, 4);
    put_ends(&r, true, false);
    put_hex(&r, SAMPLE_MARKER "0047 02 0000 0030 400101 00 400206 0201 0000fde9"
                              "800e19 0001 01 10 20010db8000000000000000000000002 00 180a0102"
                              "800404 00000005");
    end(&r);
    assert_read(&r, NULL,
                "BGP4MP|1700000000|A|10.0.0.2|4200000001|10.1.2.0/24|65001|IGP|2001:db8::2|0|5||"
                "NAG||\n");
}

static void test_C215_message_of_another_world(void **state) {
    (void)state;
    struct records r;
    records_init(&r);
    begin(&r, MRT_BGP4MP, 1);
    put_hex(&r, "fde9 fdea 0000 0003 0a000002 0a000001" SAMPLE_MARKER "0013 04");
    end(&r);
    assert_read(&r, "unknown address family", "");
}

/* ---- TABLE_DUMP_V2: RFC 6396 4.3, RFC 8050 4 ---- */

struct table_kind {
    uint16_t subtype;
    const char *family; /* what a generic record has before the prefix */
    bool v6, ids;
};
static const struct table_kind table_kinds[] = {
    {2, "", false, false}, {3, "", false, false},        {4, "", true, false},
    {5, "", true, false},  {6, "0001 01", false, false}, {6, "0002 01", true, false},
    {8, "", false, true},  {9, "", false, true},         {10, "", true, true},
    {11, "", true, true},  {12, "0001 01", false, true}, {12, "0002 01", true, true},
};

#define HOP6 "20010db8000000000000000000000002"
/* MP_REACH_NLRI in the abbreviated form, and whole as some write it. */
#define ATTRS6 "400101 00 400206 0201 0000fde9 800e11 10" HOP6
#define ATTRS6_WHOLE "400101 00 400206 0201 0000fde9 800e15 0002 01 10" HOP6 "00"

/* Of each sort of entry in the peer table one. */
static void put_peer_table(struct records *r) {
    begin(r, MRT_TABLE_DUMP_V2, 1);
    put_hex(r, "0a000009 0002 6869 0004");
    put_hex(r, "00 0a000001 0a000001 fde9");
    put_hex(r, "01 0a000002 " HOP6 " fdea");
    put_hex(r, "02 0a000003 0a000003 fa56ea01");
    put_hex(r, "03 0a000004 20010db8000000000000000000000004 fa56ea02");
    end(r);
}

static void put_entry(struct records *r, uint16_t peer, bool ids, const char *attrs) {
    bytes_put_u16(&r->w, peer);
    bytes_put_u32(&r->w, STAMP - 10);
    if (ids)
        bytes_put_u32(&r->w, 9);
    size_t mark = bytes_mark_u16(&r->w);
    put_hex(r, attrs);
    bytes_patch_u16(&r->w, mark);
}

static void check_table(const struct table_kind *k, const char *attrs6) {
    static const char *const peers[] = {"10.0.0.1|65001", "2001:db8::2|65002",
                                        "10.0.0.3|4200000001", "2001:db8::4|4200000002"};
    struct records r;
    char want[600] = "";
    size_t size = 0;
    records_init(&r);
    put_peer_table(&r);
    begin(&r, MRT_TABLE_DUMP_V2, k->subtype);
    put_hex(&r, "00000005");
    put_hex(&r, k->family);
    put_hex(&r, k->v6 ? "21 20010db880" : "11 0a0180");
    put_hex(&r, "0004");
    for (uint16_t i = 0; i < 4; i++) {
        put_entry(&r, i, k->ids, k->v6 ? attrs6 : SAMPLE_ATTRS4);
        size += (size_t)snprintf(
            want + size, sizeof want - size, "TABLE_DUMP2%s|1700000000|B|%s|%s%s|65001|IGP|%s|%s",
            k->ids ? "_AP" : "", peers[i], k->v6 ? "2001:db8:8000::/33" : "10.1.128.0/17",
            k->ids ? "|9" : "", k->v6 ? "2001:db8::2" : "10.0.0.2", "0|0||NAG||\n");
    }
    end(&r);
    assert_read(&r, NULL, want);
}

static void test_C213_C214_tables(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof table_kinds / sizeof table_kinds[0]; i++) {
        check_table(&table_kinds[i], ATTRS6);
        check_table(&table_kinds[i], ATTRS6_WHOLE);
    }
}

/* What one route of 10.1.0.0/16 in a table of one peer comes to. */
static void assert_route(const char *attrs, const char *want) {
    struct records r;
    records_init(&r);
    put_hex(&r, SAMPLE_PEERS);
    begin(&r, MRT_TABLE_DUMP_V2, 2);
    put_hex(&r, "00000005 100a01 0001");
    put_entry(&r, 0, false, attrs);
    end(&r);
    assert_read(&r, NULL, want);
}

static void test_C213_attributes_of_routes(void **state) {
    (void)state;
#define HEAD "TABLE_DUMP2|1700000000|B|10.0.0.2|65001|10.1.0.0/16|"
#define GONE "TABLE_DUMP2|1700000000|W|10.0.0.2|65001|10.1.0.0/16\n"
    assert_route("400101 01 400200 400304 0a000002 800404 00000007 400504 000000c8 400600"
                 "c00708 fa56ea01 01020304 c0080c ffffff01 fde90001 ffffff03",
                 HEAD "|EGP|10.0.0.2|200|7|no-export 65001:1 local-AS|AG|4200000001 1.2.3.4|\n");
    assert_route("400101 02 400200 400304 0a000002 c00808 ffffff02 ffffff04",
                 HEAD "|INCOMPLETE|10.0.0.2|0|0|no-advertise 65535:65284|NAG||\n");
    /* RFC 8950: the next hop is IPv6. Attributes behind MP_REACH_NLRI count. */
    assert_route("400101 00 400200 800e11 10" HOP6 "800404 00000007",
                 HEAD "|IGP|2001:db8::2|0|7||NAG||\n");
    /* MP_REACH_NLRI twice stays twice, which no session would allow. */
    assert_route("400101 00 400200 800e11 10" HOP6 "800e11 10" HOP6, "");
    /* A fault is not excused by the next hop of an own route, nor is that by another attribute. */
    assert_route("400101 03 400200 400304 00000000", GONE);
    assert_route("400101 00 400200 400304 7f000001", GONE);
    assert_route("400101 00 400200 400304 0a000002 8004", GONE);
    assert_route("400101 00 400200 400304 0a000002 80", GONE);
}

/* A peer table takes the place of the one before. */
static void test_C213_two_peer_tables(void **state) {
    (void)state;
    struct records r;
    records_init(&r);
    put_peer_table(&r);
    put_hex(&r, SAMPLE_PEERS);
    begin(&r, MRT_TABLE_DUMP_V2, 2);
    put_hex(&r, "00000005 100a01 0002");
    put_entry(&r, 0, false, SAMPLE_ATTRS4);
    put_entry(&r, 1, false, SAMPLE_ATTRS4);
    end(&r);
    assert_read(
        &r, "a peer that the peer table has not",
        "TABLE_DUMP2|1700000000|B|10.0.0.2|65001|10.1.0.0/16|65001|IGP|10.0.0.2|0|0||NAG||\n");
}

/* ---- TABLE_DUMP ---- */

static void check_old_table(bool v6, const char *prefix, uint8_t length, const char *fault,
                            const char *want) {
    struct records r;
    records_init(&r);
    begin(&r, MRT_TABLE_DUMP, v6 ? 2 : 1);
    put_hex(&r, "0000 0001");
    put_hex(&r, prefix);
    bytes_put_u8(&r.w, length);
    put_hex(&r, "01 65532f00");
    put_hex(&r, v6 ? HOP6 : "0a000002");
    put_hex(&r, "fde9");
    size_t mark = bytes_mark_u16(&r.w);
    put_hex(&r, v6 ? "400101 00 400204 0201 fdea 800e11 10" HOP6 : SAMPLE_ATTRS);
    bytes_patch_u16(&r.w, mark);
    end(&r);
    assert_read(&r, fault, want);
}

static void test_C213_old_tables(void **state) {
    (void)state;
#define NET6 "20010db8000000000000000000000080"
    check_old_table(false, "0a01ffff", 17, NULL,
                    "TABLE_DUMP|1700000000|B|10.0.0.2|65001|10.1.128.0/17|65001|IGP|10.0.0.2|0|0||"
                    "NAG||\n");
    check_old_table(false, "0a01ff01", 32, NULL,
                    "TABLE_DUMP|1700000000|B|10.0.0.2|65001|10.1.255.1/32|65001|IGP|10.0.0.2|0|0||"
                    "NAG||\n");
    check_old_table(false, "0a01ff01", 33, "impossible prefix length", "");
    check_old_table(true, NET6, 33, NULL,
                    "TABLE_DUMP|1700000000|B|2001:db8::2|65001|2001:db8::/33|65002|IGP|2001:db8::2|"
                    "0|0||NAG||\n");
    check_old_table(true, NET6, 128, NULL,
                    "TABLE_DUMP|1700000000|B|2001:db8::2|65001|2001:db8::80/128|65002|IGP|"
                    "2001:db8::2|0|0||NAG||\n");
    check_old_table(true, NET6, 129, "impossible prefix length", "");
}

/* ---- what we write ---- */

#define MARKER "ffffffffffffffffffffffffffffffff"
#define WITH_ID MARKER "001f02 0008 00000001 180a0102 0000"

/* RFC 8050 3: the subtype says how the prefixes of this very message are to be read. */
static void test_C214_path_ids_of_a_family(void **state) {
    static const struct {
        const char *message;
        bool ids[BGP_FAMILIES], want;
    } rows[] = {
        {WITH_ID, {true, false}, true},
        {WITH_ID, {false, true}, false},
        {MARKER "002302 0000 0004 40010100 00000001 180a0102", {true, false}, true},
        {MARKER "002402 0000 000d 800f0a 0002 01 3020010db80001", {true, false}, false},
        {MARKER "002402 0000 000d 800f0a 0002 01 3020010db80001", {false, true}, true},
        {MARKER "002502 0000 000e 900f000a 0002 01 3020010db80001", {false, true}, true},
        {MARKER "001d02 0000 0006 800f03 0002 01", {true, true}, false}, /* End-of-RIB */
        {MARKER "001702 0000 0000", {true, true}, false},
        {MARKER "001304", {true, true}, false},
        {MARKER "002302 0000 0004 800f09 00", {true, true}, false}, /* shorter than it says */
        {"ff", {true, true}, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mrt_session s = {.as4 = true, .add_path = {rows[i].ids[0], rows[i].ids[1]}};
        uint8_t message[BGP_MESSAGE_SIZE_MAX];
        size_t size = codec_hex(rows[i].message, message, 0, sizeof message);
        struct text file;
        text_init(&file);
        mrt_put_message(&file, (struct mrt_clock){STAMP, 0}, &s, false, message, size);
        if (file.data[7] != (rows[i].want ? 9 : 4))
            fail_msg("row %zu: subtype %d", i, file.data[7]);
        text_deinit(&file);
    }
}

/* An AS of four octets is AS_TRANS where a record has room for two (RFC 6793 9). */
static void test_C217_written_messages(void **state) {
    (void)state;
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    const size_t size = codec_hex(WITH_ID, message, 0, sizeof message);
    for (size_t i = 0; i < MESSAGE_KINDS; i++) {
        const struct message_kind *k = &message_kinds[i];
        struct text file;
        struct mrt_session s = {.peer = {sample_address("10.0.0.2"), 4200000001, 0},
                                .local_as = 65536,
                                .local = sample_address("10.0.0.1"),
                                .as4 = k->as4,
                                .add_path = {k->ids, false}};
        char want[300];
        text_init(&file);
        mrt_put_message(&file, (struct mrt_clock){STAMP, MICROSECONDS}, &s, k->sent, message, size);
        snprintf(want, sizeof want, "6553f100 0011 %04x %08x 00000007 %s 0000 0001 %s " WITH_ID,
                 k->subtype, k->as4 ? 24 + 31 : 20 + 31, k->as4 ? "fa56ea01 00010000" : "5ba0 5ba0",
                 "0a000002 0a000001");
        codec_assert_bytes(k->suffix, (const uint8_t *)file.data, file.size, want);
        text_deinit(&file);
    }
}

static void test_C217_written_state(void **state) {
    (void)state;
    struct mrt_session s = {.peer = {sample_address("2001:db8::2"), 65001, 0},
                            .local_as = 65002,
                            .local = sample_address("2001:db8::1")};
    struct text file;
    text_init(&file);
    mrt_put_state(&file, (struct mrt_clock){STAMP, MICROSECONDS}, &s, 3, 6);
    codec_assert_bytes("state", (const uint8_t *)file.data, file.size,
                       "6553f100 0011 0005 00000034 00000007 0000fde9 0000fdea 0000 0002 " HOP6
                       "20010db8000000000000000000000001 0003 0006");
    text_deinit(&file);
}

static void check_written_rib(const char *prefix, struct attr_values v, bool ids,
                              const char *want) {
    struct mrt_entry entries[] = {{0x0102, STAMP, 9, &v}, {0x0103, STAMP, 10, &v}};
    struct text file;
    text_init(&file);
    assert_int_equal(mrt_put_rib(&file, STAMP, 5, sample_prefix(prefix), ids, entries, ids ? 2 : 1),
                     ids ? 2 : 1);
    codec_assert_bytes(prefix, (const uint8_t *)file.data, file.size, want);
    text_deinit(&file);
}

static void test_C217_written_tables(void **state) {
    (void)state;
    struct attr_values v = {.next_hop = sample_address("10.0.0.2")};
    check_written_rib("10.1.128.0/17", v, false,
                      "6553f100 000d 0002 00000020 00000005 11 0a0180 0001"
                      "0102 6553f100 000e 400101 00 400200 400304 0a000002");
    check_written_rib("10.1.128.0/17", v, true,
                      "6553f100 000d 0008 0000003e 00000005 11 0a0180 0002"
                      "0102 6553f100 00000009 000e 400101 00 400200 400304 0a000002"
                      "0103 6553f100 0000000a 000e 400101 00 400200 400304 0a000002");
    v.next_hop = sample_address("2001:db8::2");
    check_written_rib("10.1.128.0/17", v, false, /* RFC 8950 */
                      "6553f100 000d 0002 0000002d 00000005 11 0a0180 0001"
                      "0102 6553f100 001b 400101 00 400200 800e11 10" HOP6);
    v.link_local = sample_address("fe80::2");
    check_written_rib("2001:db8:8000::/33", v, false,
                      "6553f100 000d 0004 0000003f 00000005 21 20010db880 0001"
                      "0102 6553f100 002b 400101 00 400200 800e21 20" HOP6
                      "fe800000000000000000000000000002");
}

static void test_C217_sent_as_json(void **state) {
    (void)state;
    struct records r;
    struct text out;
    records_init(&r);
    put_hex(&r, SAMPLE_PEERS);
    begin(&r, MRT_TABLE_DUMP_V2, 2);
    put_hex(&r, "00000005 100a01 0001");
    put_entry(&r, 0, false, "400101 00 400200 400304 00000000");
    end(&r);
    text_init(&out);
    assert_null(read_records(r.data, r.w.at, take_json, &out));
    assert_string_equal(
        text_str(&out),
        "{\"mrt\":\"TABLE_DUMP2\",\"time\":1699999990,\"peer\":\"10.0.0.2\",\"peer_asn\":65001,"
        "\"sent\":false,\"type\":\"update\",\"length\":40,\"attr_list\":[[1,1,64],[2,0,64],"
        "[3,4,64]],\"attrs\":{\"origin\":\"igp\",\"as_path\":[],\"next_hop\":\"0.0.0.0\"},"
        "\"announce\":[{\"family\":\"ipv4 unicast\",\"next_hop\":\"0.0.0.0\","
        "\"nlri\":\"10.1.0.0/16\"}],\"withdraw\":[]}\n");
    text_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C213_C214_messages),
        cmocka_unit_test(test_C213_states),
        cmocka_unit_test(test_C213_messages_of_any_session),
        cmocka_unit_test(test_C215_message_of_another_world),
        cmocka_unit_test(test_C213_C214_tables),
        cmocka_unit_test(test_C213_attributes_of_routes),
        cmocka_unit_test(test_C213_two_peer_tables),
        cmocka_unit_test(test_C213_old_tables),
        cmocka_unit_test(test_C214_path_ids_of_a_family),
        cmocka_unit_test(test_C217_written_messages),
        cmocka_unit_test(test_C217_written_state),
        cmocka_unit_test(test_C217_written_tables),
        cmocka_unit_test(test_C217_sent_as_json),
    };
    return cmocka_run_group_tests_name("mrt_record", tests, NULL, NULL);
}
