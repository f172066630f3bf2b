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
};

static void take(void *context, const struct capture_item *item) {
    struct rig *r = context;
    const struct decode_message *m = item->message;
    text_printf(&r->out, "%s%s%s%s ", item->lost ? "lost " : "",
                m->type ? decode_type_name(m->type) : "bad",
                m->type == BGP_MSG_UPDATE && !m->how.codec.as4 ? "/2" : "",
                m->type == BGP_MSG_UPDATE && m->how.codec.add_path[0] ? "/ids" : "");
}

static void rig_begin(struct rig *r) {
    struct decode_options how = decode_defaults();
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

/* A segment from 10.0.0.1:40000 to 10.0.0.2:179, or back. */
static void segment(struct rig *r, bool back, uint32_t sequence, bool syn, const uint8_t *data,
                    size_t size) {
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
    bytes_put_u16(&w, back ? 179 : 40000);
    bytes_put_u16(&w, back ? 40000 : 179);
    bytes_put_u32(&w, sequence);
    bytes_put_u32(&w, 0);
    bytes_put_u16(&w, (uint16_t)(0x5010 | (syn ? 2 : 0)));
    bytes_put(&w, (const uint8_t[6]){0}, 6);
    bytes_put(&w, data, size);
    assert_int_equal(w.at, 54 + size);
    capture_packet(r->capture, LINK_ETHERNET, 1, packet, w.at);
    free(packet);
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

static void test_C216_backwards_and_again(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    size_t size = stream_of(KEEPALIVE WITHDRAW KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    segment(&r, false, START, true, NULL, 0);
    for (size_t at = size; at-- > 0;) { /* each octet with the three behind it */
        size_t count = size - at < 4 ? size - at : 4;
        segment(&r, false, START + 1 + (uint32_t)at, false, data + at, count);
    }
    segment(&r, false, START + 1, false, data, size); /* all of it again */
    rig_end(&r, "keepalive update keepalive ");
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

static void test_C216_begins_in_the_middle(void **state) {
    (void)state;
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    size_t size = stream_of("0004 180a0102 0000" KEEPALIVE "0000" KEEPALIVE KEEPALIVE, data);
    struct rig r;
    rig_begin(&r);
    segment(&r, false, 7, false, data, size);
    rig_end(&r, "lost keepalive bad lost keepalive keepalive ");
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

static void test_C216_not_bgp(void **state) {
    (void)state;
    struct packet_tcp t;
    uint8_t data[64] = {0};
    for (size_t size = 0; size <= sizeof data; size++) {
        assert_false(packet_decode(LINK_ETHERNET, data, size, &t));
        assert_false(packet_decode(9999, data, size, &t));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C216_in_pieces), cmocka_unit_test(test_C216_backwards_and_again),
        cmocka_unit_test(test_C216_missing),   cmocka_unit_test(test_C216_gap_given_up),
        cmocka_unit_test(test_C216_learned),   cmocka_unit_test(test_C216_begins_in_the_middle),
        cmocka_unit_test(test_C216_not_bgp),
    };
    return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
