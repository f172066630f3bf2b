/*
 * C216: messages out of captured packets, whatever TCP did to them on the way.
 *
 * Packets are made here, Ethernet around IPv4 around TCP; what comes out is compared as a list of
 * words, a message each.
 */
#include "capture.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "../core/codec_test.h"
#include "../core/limits.h"
#include "packet.h"
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#define LINK_ETHERNET 1
#define MARKER "ffffffffffffffffffffffffffffffff"
#define KEEPALIVE MARKER "001304"
#define WITHDRAW MARKER "001b02 0004 180a0102 0000"

struct rig {
    struct capture *capture;
    struct text out;
    size_t left_out;                  /* octets at the end of each segment that are not captured */
    bool external, extended_next_hop; /* how the last message was read */
    uint32_t acknowledged;            /* in every segment */
    uint16_t from, to;                /* its ports, and its packet's number */
    uint64_t packet, packets;
};

static void take(void *context, const struct capture_item *item) {
    struct rig *r = context;
    const struct decode_message *m = item->message;
    text_printf(&r->out, "%s%s%s%s ", item->lost ? "lost " : "",
                m->type ? decode_type_name(m->type) : "bad",
                m->type == BGP_MSG_UPDATE && !m->how.codec.as4 ? "/2" : "",
                m->type != BGP_MSG_UPDATE  ? ""
                : m->how.codec.add_path[0] ? "/ids"
                : m->how.codec.add_path[1] ? "/ids6"
                                           : "");
    if (m->type == BGP_MSG_UPDATE && m->size > BGP_MESSAGE_SIZE_MAX)
        text_printf(&r->out, "(%zu octets) ", m->size);
    if (item->guessed)
        text_puts(&r->out, "guessed ");
    r->from = item->from.port;
    r->to = item->to.port;
    r->packet = item->time_ns;
    r->external = m->how.codec.external;
    r->extended_next_hop = m->how.codec.extended_next_hop;
}

static void rig_begin(struct rig *r) {
    struct decode_options how = decode_defaults();
    *r = (struct rig){0};
    text_init(&r->out);
    r->capture = capture_new(&how, take, r);
    assert_non_null(r->capture);
}

static void rig_end(struct rig *r, const char *want) {
    assert_true(capture_finish(r->capture));
    assert_string_equal(text_str(&r->out), want);
    capture_free(r->capture);
    text_deinit(&r->out);
}

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

/* A segment from 10.0.0.1:40000 (or another port) to 10.0.0.2:179, or back. */
static void flagged(struct rig *r, const uint16_t ports[2], bool back, uint32_t sequence,
                    uint16_t flags, const uint8_t *data, size_t size) {
    uint8_t *packet = malloc(54 + size);
    assert_non_null(packet);
    struct byte_writer w = bytes_writer(packet, 54 + size);
    bytes_put(&w, (const uint8_t[12]){0}, 12);
    bytes_put_u16(&w, 0x0800);
    bytes_put_u16(&w, 0x4500);
    bytes_put_u16(&w, (uint16_t)(40 + size));
    bytes_put_u32(&w, 0x4000);
    bytes_put_u32(&w, 0x40060000);
    bytes_put_u32(&w, back ? 0x0A000002 : 0x0A000001);
    bytes_put_u32(&w, back ? 0x0A000001 : 0x0A000002);
    bytes_put_u16(&w, ports[back]);
    bytes_put_u16(&w, ports[!back]);
    bytes_put_u32(&w, sequence);
    bytes_put_u32(&w, r->acknowledged);
    bytes_put_u16(&w, (uint16_t)(0x5000 | flags));
    bytes_put(&w, (const uint8_t[6]){0}, 6);
    bytes_put(&w, data, size);
    assert_int_equal(w.at, 54 + size);
    capture_packet(r->capture, LINK_ETHERNET, ++r->packets, packet, w.at - r->left_out);
    free(packet);
}

static void segment_of(struct rig *r, const uint16_t ports[2], bool back, uint32_t sequence,
                       bool syn, const uint8_t *data, size_t size) {
    flagged(r, ports, back, sequence, (uint16_t)(ACK | (syn ? SYN : 0)), data, size);
}

static void segment(struct rig *r, bool back, uint32_t sequence, bool syn, const uint8_t *data,
                    size_t size) {
    segment_of(r, (const uint16_t[2]){40000, 179}, back, sequence, syn, data, size);
}

static size_t stream_of(const char *hex, uint8_t out[BGP_MESSAGE_SIZE_MAX]) {
    return codec_hex(hex, out, 0, BGP_MESSAGE_SIZE_MAX);
}

/* From a sequence number that wraps on the way. */
#define START UINT32_C(0xFFFFFFF0)

static void test_C216_in_pieces(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    size_t size = stream_of(KEEPALIVE WITHDRAW KEEPALIVE, data);
    for (size_t step = 1; step <= size; step++) {
        struct rig r;
        rig_begin(&r);
        segment(&r, false, START, true, NULL, 0);
        for (size_t at = 0; at < size; at += step)
            segment(&r, false, START + 1 + (uint32_t)at, false, data + at,
                    size - at < step ? size - at : step);
        rig_end(&r, "keepalive update keepalive ");
    }
}

/* Segments in an order, each octet with the three behind it; `step` and the size have no divisor in
 * common, so that each stands there once. */
static void in_order(size_t step, bool again, const char *want) {
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    size_t size = stream_of(KEEPALIVE WITHDRAW KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    segment(&r, false, START, true, NULL, 0);
    for (size_t i = 0, at = size - 1; i < size; i++, at = (at + step) % size) {
        size_t count = size - at < 4 ? size - at : 4;
        segment(&r, false, START + 1 + (uint32_t)at, false, data + at, count);
    }
    if (again)
        segment(&r, false, START + 1, false, data, size); /* all of it */
    rig_end(&r, want);
}

static void test_C216_any_order(void **state) {
    (void)state;
    for (size_t step = 1; step < 65; step++) /* of 65 octets; the last is backwards */
        if (step % 5 != 0 && step % 13 != 0)
            in_order(step, false, "keepalive update keepalive ");
    in_order(64, true, "keepalive update keepalive ");
}

/* Of octets that come twice the first count, also while they wait. */
static void test_C216_overlapping(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX], other[BGP_MESSAGE_SIZE_MAX] = {0};
    size_t size = stream_of(KEEPALIVE WITHDRAW KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    segment(&r, false, START, true, NULL, 0);
    segment(&r, false, START + 1 + 5, false, data + 5, size - 5);
    segment(&r, false, START + 1 + 5, false, other, size - 5);
    segment(&r, false, START + 1, false, data, 5);
    segment(&r, false, START + 1, false, other, size);
    rig_end(&r, "keepalive update keepalive ");
}

/* A gap of one octet is one. */
static void test_C216_one_octet_missing(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    size_t size = stream_of(KEEPALIVE KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    segment(&r, false, START, true, NULL, 0);
    segment(&r, false, START + 1, false, data, 18);
    segment(&r, false, START + 1 + 19, false, data + 19, size - 19);
    assert_string_equal(text_str(&r.out), "");
    segment(&r, false, START + 1 + 18, false, data + 18, 1);
    rig_end(&r, "keepalive keepalive ");
}

/* What is missing costs the messages it was in, and is said. */
static void test_C216_missing(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    size_t size = stream_of(KEEPALIVE WITHDRAW KEEPALIVE KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    segment(&r, false, START, true, NULL, 0);
    segment(&r, false, START + 1, false, data, 25);
    segment(&r, false, START + 1 + 30, false, data + 30, size - 30);
    rig_end(&r, "keepalive lost keepalive keepalive ");
}

/* The gap is given up once too much waits behind it, not only at the end. */
static void test_C216_gap_given_up(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    size_t size = stream_of(KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    segment(&r, false, START, true, NULL, 0);
    for (uint32_t i = 0; i <= STREAM_PENDING_MAX; i++)
        segment(&r, false, START + 100 + i * (uint32_t)size, false, data, size);
    assert_memory_equal(text_str(&r.out), "lost keepalive keepalive ", 25);
    capture_free(r.capture);
    text_deinit(&r.out);
}

/* However it is cut, octets that are no message are said once; what could begin one is kept. */
static void test_C216_begins_in_the_middle(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    size_t size = stream_of("0004 180a0102 0000" KEEPALIVE "0000" KEEPALIVE KEEPALIVE, data);
    for (size_t step = 1; step <= size; step++) {
        struct rig r;
        rig_begin(&r);
        for (size_t at = 0; at < size; at += step)
            segment(&r, false, 7 + (uint32_t)at, false, data + at,
                    size - at < step ? size - at : step);
        rig_end(&r, "lost keepalive bad lost keepalive keepalive ");
    }
}

/* The end of a marker that was lost is none, and not said to be a damaged one. */
static void test_C216_begins_in_a_marker(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    size_t size = stream_of(KEEPALIVE KEEPALIVE, data);
    for (size_t first = 1; first < 19; first++) {
        for (size_t step = 1; step <= size; step++) {
            struct rig r;
            rig_begin(&r);
            for (size_t at = first; at < size; at += step)
                segment(&r, false, 7 + (uint32_t)at, false, data + at,
                        size - at < step ? size - at : step);
            rig_end(&r, "lost keepalive ");
        }
    }
}

#define OPEN2 MARKER "001d01 04 fde9 00b4 0a000001 00"
#define OPEN4 MARKER "002b01 04 fdea 00b4 0a000002 0e 02 0c 4104 0000fdea 4504 00010103"
#define OPEN4_SAME MARKER "002b01 04 fde9 00b4 0a000001 0e 02 0c 4104 0000fde9 4504 00010101"

static void both_ways(struct rig *r, const char *one, const char *other) {
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    rig_begin(r);
    segment(r, false, 0, true, NULL, 0);
    segment(r, true, 0, true, NULL, 0);
    segment(r, false, 1, false, data, stream_of(one, data));
    segment(r, true, 1, false, data, stream_of(other, data));
}

/* The two OPENs say how the rest is to be read. */
static void test_C216_learned(void **state) {
    (void)state;
    struct rig r;
    both_ways(&r, OPEN2, OPEN4 WITHDRAW);
    rig_end(&r, "open open update/2 ");
    both_ways(&r, OPEN4_SAME, OPEN4 MARKER "001f02 0008 00000009 180a0102 0000");
    rig_end(&r, "open open update/ids ");
}

#define OPEN_LARGE                                                                                 \
    MARKER "002f01 04 fdea 00b4 0a000002 12 02 10 4104 0000fdea 0600 0506 0001 0001 0002"

/* RFC 8950, 5492: what both said counts, what one said does not. RFC 8654 4: who takes large
 * messages says so, whatever it sends itself. */
static void test_C216_learned_of_both(void **state) {
    (void)state;
    static uint8_t large[5000];
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    struct rig r;
    both_ways(&r, OPEN_LARGE, OPEN_LARGE);
    memcpy(large, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x13\x88\2", 19);
    large[19] = 4977 >> 8, large[20] = 4977 & 0xFF; /* so many octets of withdrawn default routes */
    segment(&r, true, 1 + 47, false, large, sizeof large);
    assert_false(r.external);
    assert_true(r.extended_next_hop);
    rig_end(&r, "open open update (5000 octets) ");
    both_ways(&r, OPEN_LARGE, OPEN4_SAME);
    segment(&r, true, 1 + 43, false, large, sizeof large);
    assert_true(r.external);
    assert_false(r.extended_next_hop);
    rig_end(&r, "open open update (5000 octets) ");
    both_ways(&r, OPEN_LARGE, OPEN4_SAME);
    segment(&r, false, 1 + 47, false, large, sizeof large);
    assert_memory_equal(text_str(&r.out), "open open bad ", 14);
    capture_free(r.capture);
    text_deinit(&r.out);
    rig_begin(&r); /* the receiver's OPEN alone */
    segment(&r, false, 1, false, data, stream_of(OPEN_LARGE, data));
    segment(&r, true, 1, false, large, sizeof large);
    rig_end(&r, "open lost update (5000 octets) ");
}

/* One OPEN, on either side, says what the session does without, and nothing else; those of the
 * connection before say nothing. */
static void test_C216_one_open(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    for (int back = 0; back < 2; back++) {
        struct rig r;
        rig_begin(&r);
        segment(&r, false, 0, true, NULL, 0);
        segment(&r, true, 0, true, NULL, 0);
        segment(&r, back, 1, false, data, stream_of(OPEN2 WITHDRAW, data));
        rig_end(&r, "open update/2 ");
        rig_begin(&r);
        segment(&r, back, 1, false, data, stream_of(OPEN4 WITHDRAW, data));
        rig_end(&r, "open update ");
        both_ways(&r, OPEN2, OPEN2 WITHDRAW);
        segment(&r, back, 70000, true, NULL, 0);
        segment(&r, !back, 80000, true, NULL, 0);
        segment(&r, back, 70001, false, data, stream_of(OPEN4 WITHDRAW, data));
        rig_end(&r, "open open update/2 open update ");
    }
}

#define ATTRS(path) "40010100 " path " 4003040a000001 "
#define PATH2 "400204 0201fde9"
#define PATH4 "400206 02010000fde9"
#define EMPTY_PATH "400200"
#define UPDATE2 MARKER "003102 0000 0012 " ATTRS(PATH2) "180a0102 180a0103 "
#define UPDATE4 MARKER "003302 0000 0014 " ATTRS(PATH4) "180a0102 180a0103 "
#define DEFAULT_ROUTE MARKER "002902 0000 000e " ATTRS(EMPTY_PATH) "00 100a01 "
#define WITH_IDS MARKER "003902 0000 0012 " ATTRS(PATH2) "00000001 180a0102 00000001 180a0103"
#define ONE_ID MARKER "002d02 0000 000e " ATTRS(EMPTY_PATH) "00000001 180a0102"
#define NOT_SOUND MARKER "002d02 0000 0012 " ATTRS("400204 0901fde9") "180a0102"

/* The first packet of a connection nobody saw begin. */
static void midstream(const char *messages, const char *want) {
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    struct rig r;
    rig_begin(&r);
    segment(&r, false, 7, false, data, stream_of(messages, data));
    rig_end(&r, want);
}

/* Without OPENs what is only sound otherwise is read so, from there on. */
static void test_C216_guessed(void **state) {
    (void)state;
    midstream(UPDATE4 UPDATE4, "lost update update ");
    midstream(UPDATE2 UPDATE2 WITHDRAW, "lost update/2 guessed update/2 update/2 ");
    midstream(UPDATE2 UPDATE4 UPDATE4, "lost update/2 guessed update guessed update ");
    midstream(DEFAULT_ROUTE, "lost update ");
    midstream(WITH_IDS ONE_ID WITHDRAW, "lost update/2/ids guessed update/2/ids update/2 guessed ");
    midstream(ONE_ID, "lost update/ids guessed ");
    midstream(NOT_SOUND UPDATE4, "lost update update ");
    midstream(UPDATE2 NOT_SOUND UPDATE2, "lost update/2 guessed update/2 update/2 ");
}

#define REACH6_HEAD "40010100 " EMPTY_PATH "800e"
#define NEXT_HOP6 "10 20010db8000000000000000000000001 00 "
/* 2a00:1450:4000::/37 and 2a00:1450:4001::/48, which may be read as a prefix with an identifier. */
#define UPDATE6                                                                                    \
    MARKER "0043 02 0000 002c " REACH6_HEAD "22 0002 01 " NEXT_HOP6 "25 2a00145040 30 "            \
           "2a0014504001"
#define UPDATE6_IDS                                                                                \
    MARKER "003f 02 0000 0028 " REACH6_HEAD "1e 0002 01 " NEXT_HOP6 "00000001 20 20010db8"
#define NEXT_HOP6_OF_IP4                                                                           \
    MARKER "003d 02 0000 0026 " REACH6_HEAD "1c 0001 01 " NEXT_HOP6 "180a0102 10 0a02"

/* Path identifiers are a family's: what one has, the other need not have. */
static void test_C216_guessed_of_one_family(void **state) {
    (void)state;
    midstream(ONE_ID UPDATE6 ONE_ID WITHDRAW,
              "lost update/ids guessed update/ids update/ids update guessed ");
    midstream(UPDATE6_IDS WITHDRAW, "lost update/ids6 guessed update/ids6 ");
}

/* RFC 8950: an IPv6 next hop of IPv4 prefixes is not damage where no OPEN denies it. */
static void test_C216_guessed_next_hop(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    struct rig r;
    rig_begin(&r);
    segment(&r, false, 7, false, data, stream_of(NEXT_HOP6_OF_IP4 NEXT_HOP6_OF_IP4, data));
    assert_true(r.extended_next_hop);
    rig_end(&r, "lost update guessed update ");
    rig_begin(&r);
    segment(&r, true, 7, false, data, stream_of(OPEN4, data));
    segment(&r, false, 7, false, data, stream_of(NEXT_HOP6_OF_IP4, data));
    assert_false(r.extended_next_hop);
    rig_end(&r, "open lost update ");
}

/* The AS size is the session's, path identifiers are a side's. */
static void test_C216_guessed_of_the_other(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    struct rig r;
    rig_begin(&r);
    segment(&r, false, 7, false, data, stream_of(WITH_IDS, data));
    segment(&r, true, 7, false, data, stream_of(WITHDRAW, data));
    rig_end(&r, "lost update/2/ids guessed lost update/2 ");
}

/* What the OPENs say is not guessed about; a new connection is guessed about anew. */
static void test_C216_not_guessed(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    struct rig r;
    rig_begin(&r);
    segment(&r, true, 1, false, data, stream_of(OPEN2 UPDATE4, data));
    rig_end(&r, "open update/2 "); /* damaged: there are no four octets without capability 65 */
    both_ways(&r, OPEN_LARGE, OPEN_LARGE UPDATE2);
    rig_end(&r, "open open update ");
    rig_begin(&r);
    segment(&r, false, 1, false, data, stream_of(UPDATE2, data));
    segment(&r, false, 9000, true, NULL, 0);
    segment(&r, false, 9001, false, data, stream_of(WITHDRAW, data));
    rig_end(&r, "lost update/2 guessed update ");
}

/* What a snapshot length left out costs its message, and nobody waits for it. */
static void test_C216_left_out(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    size_t size = stream_of(KEEPALIVE WITHDRAW, data);
    struct rig r;
    rig_begin(&r);
    r.left_out = 3;
    segment(&r, false, START, true, data, 3); /* nothing of what the SYN had with it */
    for (uint32_t i = 0; i < 3; i++)
        segment(&r, false, START + 4 + i * (uint32_t)size, false, data, size);
    assert_string_equal(text_str(&r.out), "lost keepalive lost keepalive lost keepalive ");
    r.left_out = 0;
    segment(&r, false, START + 4 + 3 * (uint32_t)size, false, data, size);
    struct capture_counts n = capture_counts(r.capture);
    assert_int_equal(n.packets, 5);
    assert_int_equal(n.cut, 4);
    assert_int_equal(n.messages, 5);
    rig_end(&r, "lost keepalive lost keepalive lost keepalive lost keepalive update ");
}

/* … also while it waits itself; and what was left out once may come whole. */
static void test_C216_left_out_and_late(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    size_t size = stream_of(KEEPALIVE WITHDRAW, data);
    struct rig r;
    rig_begin(&r);
    segment(&r, false, START, true, NULL, 0);
    r.left_out = 3;
    segment(&r, false, START + 1 + (uint32_t)size, false, data, size);
    segment(&r, false, START + 1, false, data, size);
    r.left_out = 0;
    assert_string_equal(text_str(&r.out), "keepalive lost keepalive ");
    segment(&r, false, START + 1 + (uint32_t)size, false, data, size);
    rig_end(&r, "keepalive lost keepalive update ");
}

/* A header that cannot be is said, though nobody knows what was before it; and once. */
static void test_C216_bad_from_the_start(void **state) {
    (void)state;
    midstream(MARKER "001302" MARKER "001302" KEEPALIVE, "lost bad lost keepalive ");
    midstream(KEEPALIVE "0000" KEEPALIVE "0000" KEEPALIVE,
              "lost keepalive bad lost keepalive bad lost keepalive ");
}

/* What came of each packet. */
static void test_C216_counts(void **state) {
    (void)state;
    static const uint8_t fragment[20] = {0x45, 0, 0, 20, 0, 0, 0x20, 0, 64, 6};
    static const uint8_t udp[20] = {0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17};
    static const uint8_t short_tcp[20] = {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6};
    struct rig r;
    rig_begin(&r);
    for (int i = 0; i < 2; i++)
        capture_packet(r.capture, 101, 0, fragment, sizeof fragment);
    for (int i = 0; i < 3; i++)
        capture_packet(r.capture, 101, 0, udp, sizeof udp);
    for (int i = 0; i < 4; i++)
        capture_packet(r.capture, 101, 0, short_tcp, sizeof short_tcp);
    for (int i = 0; i < 5; i++)
        capture_packet(r.capture, 9999, 0, udp, sizeof udp);
    struct capture_counts n = capture_counts(r.capture);
    assert_int_equal(n.packets, 14);
    assert_int_equal(n.fragments, 2);
    assert_int_equal(n.other, 3);
    assert_int_equal(n.damaged, 4);
    assert_int_equal(n.unknown_link, 5);
    assert_int_equal(n.cut + n.messages, 0);
    rig_end(&r, "");
}

/* Connections of the same two routers are kept apart; any port will do where messages begin. */
static void test_C216_connections(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    struct rig r;
    rig_begin(&r);
    const size_t size = stream_of(KEEPALIVE, data);
    for (uint16_t i = 0; i < 40; i++) {
        const uint16_t ports[2] = {(uint16_t)(50000 + i), 2000};
        segment_of(&r, ports, i % 2, 9, false, data, i == 0 ? 15 : 16); /* 15 are no marker */
    }
    for (uint16_t i = 0; i < 40; i++) {
        const uint16_t ports[2] = {(uint16_t)(50000 + i), 2000};
        segment_of(&r, ports, i % 2, 9 + 16, false, data + 16, size - 16);
    }
    static const char keepalive[] = "lost keepalive ";
    assert_int_equal(r.out.size, 39 * (sizeof keepalive - 1));
    rig_end(&r, text_str(&r.out));
}

/* What goes on behind the last gap is read at the end, of every connection. */
static void test_C216_gaps_at_the_end(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    const size_t size = stream_of(KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    for (uint16_t i = 0; i < 6; i++) {
        const uint16_t ports[2] = {(uint16_t)(50000 + i / 2), 179};
        segment_of(&r, ports, i % 2, 0, true, NULL, 0);
        segment_of(&r, ports, i % 2, 9, false, data, size);
    }
    assert_string_equal(text_str(&r.out), "");
    rig_end(&r, "lost keepalive lost keepalive lost keepalive lost keepalive lost keepalive "
                "lost keepalive ");
}

/* More connections than are kept: those that are go on, and it is said that some were not. */
static void test_C216_too_many(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    const size_t size = stream_of(KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    for (uint32_t i = 0; i <= CAPTURE_FLOWS_MAX; i++) {
        const uint16_t ports[2] = {(uint16_t)i, 179};
        segment_of(&r, ports, false, 0, true, data, size);
    }
    assert_int_equal(r.out.size, CAPTURE_FLOWS_MAX * strlen("keepalive "));
    assert_false(capture_finish(r.capture));
    capture_free(r.capture);
    text_deinit(&r.out);
}

/* Connections that are over, or that nothing came of, make room: a router that nobody lets in calls
 * again and again. */
static void test_C216_calls_without_end(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    const size_t size = stream_of(KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    const uint16_t first[2] = {179, 179};
    segment_of(&r, first, false, 0, true, data, size);
    for (uint32_t i = 0; i < 2 * CAPTURE_FLOWS_MAX; i++) {
        const uint16_t ports[2] = {(uint16_t)(1000 + i), 179};
        flagged(&r, ports, false, 5, SYN, NULL, 0);
        if (i % 3 == 0)
            flagged(&r, ports, true, 0, RST | ACK, NULL, 0);
        if (i % 3 == 1)
            segment(&r, false, 6 + 1000, false, data, 0);
    }
    for (uint16_t i = 0; i < 2; i++) { /* in the middle of a message */
        const uint16_t ports[2] = {(uint16_t)(100 + i), 179};
        segment_of(&r, ports, true, 0, true, data, size);
        segment_of(&r, ports, true, 1 + 19 + 19, false, data, size);
        flagged(&r, ports, true, 1 + 19 + 38, FIN | ACK, NULL, 0);
        flagged(&r, ports, false, 1, FIN | ACK, NULL, 0);
    }
    assert_string_equal(text_str(&r.out), "keepalive keepalive keepalive ");
    for (uint32_t i = 0; i < 2 * CAPTURE_FLOWS_MAX; i++) {
        const uint16_t ports[2] = {(uint16_t)(1000 + i), 179};
        flagged(&r, ports, false, 9, SYN, NULL, 0);
    }
    segment_of(&r, first, false, 1 + (uint32_t)size, false, data, size);
    rig_end(&r, "keepalive keepalive keepalive lost keepalive lost keepalive keepalive ");
}

/* Whose message it is, and the packet that made it whole. */
static void test_C216_whose(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    struct rig r;
    both_ways(&r, OPEN2, OPEN4);
    assert_int_equal(r.from, 179);
    assert_int_equal(r.to, 40000);
    assert_int_equal(r.packet, 4);
    const size_t size = stream_of(KEEPALIVE, data);
    segment(&r, false, 1 + 29 + 4, false, data + 4, size - 4);
    segment(&r, false, 1 + 29, false, data, 4);
    assert_int_equal(r.from, 40000);
    assert_int_equal(r.to, 179);
    assert_int_equal(r.packet, 6);
    rig_end(&r, "open open keepalive ");
}

/* However often segments overtook each other: what was filled in is no gap any more. */
static void test_C216_many_overtakings(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    const size_t size = stream_of(KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    segment(&r, false, START, true, NULL, 0);
    uint32_t at = START + 1;
    for (uint32_t i = 0; i <= STREAM_PENDING_MAX; i++, at += (uint32_t)size) {
        segment(&r, false, at + 9, false, data + 9, size - 9);
        segment(&r, false, at, false, data, 9);
    }
    assert_int_equal(r.out.size, (STREAM_PENDING_MAX + 1) * strlen("keepalive "));
    text_clear(&r.out);
    rig_end(&r, "");
}

/* What a gap is given up for has the time of its own packets. */
static void test_C216_when(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    const size_t size = stream_of(KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    segment(&r, false, 0, true, NULL, 0);
    segment(&r, false, 9, false, data, 5);
    segment(&r, false, 9 + 5, false, data + 5, size - 5); /* the third */
    for (int i = 0; i < 9; i++)
        segment(&r, true, 1, false, data, size);
    assert_true(capture_finish(r.capture));
    assert_int_equal(r.packet, 3);
    rig_end(&r, "lost keepalive lost keepalive ");
}

/* Consuming moves nothing, and memory is that of what is not consumed. */
static void test_C216_many_messages_in_a_run(void **state) {
    (void)state;
    static uint8_t data[60000];
    struct stream s = {0};
    stream_start(&s, 0);
    for (int i = 0; i < 50; i++) {
        stream_put(&s, s.next, data, sizeof data, false, 0);
        while (s.size > (size_t)i) {
            const uint8_t *before = s.data;
            stream_consume(&s, 1);
            assert_ptr_equal(s.data, before + 1);
        }
    }
    assert_in_range(s.capacity, sizeof data, 3 * sizeof data);
    stream_deinit(&s);
}

/* A SYN that is sent again, or captured twice, begins nothing. */
static void test_C216_same_syn(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    const size_t size = stream_of(OPEN4 KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    segment(&r, false, 0, true, NULL, 0);
    segment(&r, false, 1, false, data, size - 9);
    segment(&r, false, 0, true, NULL, 0);
    segment(&r, false, 1 + (uint32_t)size - 9, false, data + size - 9, 9);
    rig_end(&r, "open keepalive ");
}

/* The same ports again: what waits is said first, and the other side's octets are no longer looked
 * for where those of the connection before ended, whether or not its SYN is there. */
static void test_C216_same_ports(void **state) {
    static const uint16_t ports[2] = {40000, 179};
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    const size_t size = stream_of(KEEPALIVE, data);
    struct rig r;
    both_ways(&r, OPEN4, OPEN4);
    segment(&r, false, 1 + 43 + 19, false, data, size);
    segment(&r, true, 1 + 43 + 19, false, data, size);
    flagged(&r, ports, false, 70000, SYN, NULL, 0);
    assert_string_equal(text_str(&r.out), "open open lost keepalive lost keepalive ");
    segment(&r, true, 0xF0000000, false, data, stream_of(OPEN4, data));
    rig_end(&r, "open open lost keepalive lost keepalive open ");
    /* The answer to a call whose SYN is not there … */
    both_ways(&r, OPEN4, OPEN4);
    r.acknowledged = 0xF0000000;
    flagged(&r, ports, true, 70000, SYN | ACK, NULL, 0);
    segment(&r, false, 0xF0000000, false, data, stream_of(OPEN4, data));
    rig_end(&r, "open open open ");
    /* … and one that is late. */
    rig_begin(&r);
    flagged(&r, ports, false, 6, SYN, NULL, 0);
    segment(&r, false, 7, false, data, stream_of(OPEN4, data) - 9);
    r.acknowledged = 7;
    flagged(&r, ports, true, 70000, SYN | ACK, NULL, 0);
    segment(&r, false, 7 + 43 - 9, false, data + 43 - 9, 9);
    rig_end(&r, "open ");
}

/* What a reset says beside is no part of the stream. */
static void test_C216_reset(void **state) {
    static const uint16_t ports[2] = {40000, 179};
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    struct rig r;
    both_ways(&r, OPEN4, OPEN4);
    flagged(&r, ports, false, 1 + 43, RST | ACK, (const uint8_t *)"go away", 7);
    segment(&r, false, 1 + 43, false, data, stream_of(KEEPALIVE, data));
    rig_end(&r, "open open keepalive ");
}

/* A SYN begins anew: neither half a message nor a loss is left of the connection before. */
static void test_C216_again(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    const size_t size = stream_of(KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    segment(&r, false, 7, false, data, 9); /* not seen from its beginning */
    segment(&r, false, 70000, true, NULL, 0);
    segment(&r, false, 70001, false, data, size);
    rig_end(&r, "keepalive ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C216_in_pieces),
        cmocka_unit_test(test_C216_any_order),
        cmocka_unit_test(test_C216_overlapping),
        cmocka_unit_test(test_C216_one_octet_missing),
        cmocka_unit_test(test_C216_missing),
        cmocka_unit_test(test_C216_gap_given_up),
        cmocka_unit_test(test_C216_begins_in_the_middle),
        cmocka_unit_test(test_C216_begins_in_a_marker),
        cmocka_unit_test(test_C216_learned),
        cmocka_unit_test(test_C216_learned_of_both),
        cmocka_unit_test(test_C216_one_open),
        cmocka_unit_test(test_C216_guessed),
        cmocka_unit_test(test_C216_guessed_of_the_other),
        cmocka_unit_test(test_C216_not_guessed),
        cmocka_unit_test(test_C216_left_out),
        cmocka_unit_test(test_C216_left_out_and_late),
        cmocka_unit_test(test_C216_bad_from_the_start),
        cmocka_unit_test(test_C216_counts),
        cmocka_unit_test(test_C216_connections),
        cmocka_unit_test(test_C216_gaps_at_the_end),
        cmocka_unit_test(test_C216_too_many),
        cmocka_unit_test(test_C216_whose),
        cmocka_unit_test(test_C216_many_overtakings),
        cmocka_unit_test(test_C216_again),
        cmocka_unit_test(test_C216_guessed_of_one_family),
        cmocka_unit_test(test_C216_guessed_next_hop),
        cmocka_unit_test(test_C216_when),
        cmocka_unit_test(test_C216_many_messages_in_a_run),
        cmocka_unit_test(test_C216_same_syn),
        cmocka_unit_test(test_C216_same_ports),
        cmocka_unit_test(test_C216_reset),
        cmocka_unit_test(test_C216_calls_without_end),
    };
    return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
