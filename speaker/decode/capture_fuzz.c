/*
 * Fuzzes captures: packets of any octets on any link, and segments in any order with any overlap,
 * some of them cut.
 *
 * The input is a list: an octet that says what (bit 0: a raw packet; else a segment, bit 1 its
 * direction, bit 2 SYN, bit 3 that more was not captured, then two octets of sequence number), an
 * octet of size, the octets. A message is handed over at most once per 19 octets that came in.
 */
#include "capture.h"

#include "../base/fuzz.h"
#include "../base/text.h"
#include "json_out.h"

#define SEGMENT_HEAD 40

struct seen {
    struct text out;
    size_t messages;
};

static void require(bool holds) {
    if (!holds)
        abort();
}

static void take(void *context, const struct capture_item *item) {
    struct seen *s = context;
    struct json_out o = json_out(&s->out);
    text_clear(&s->out);
    json_out_open(&o, '{');
    decode_put_json(item->message, &o);
    json_out_close(&o, '}');
    decode_put_text(item->message, &s->out);
    require(!s->out.failed);
    s->messages++;
}

static void put_segment(struct capture *c, uint8_t what, uint16_t sequence, const uint8_t *data,
                        size_t size) {
    static const int link_raw = 101;
    uint8_t packet[SEGMENT_HEAD + 256];
    bool back = what & 2;
    struct byte_writer w = bytes_writer(packet, sizeof packet);
    bytes_put_u16(&w, 0x4500);
    bytes_put_u16(&w, (uint16_t)(SEGMENT_HEAD + size + (what & 8)));
    bytes_put_u32(&w, 0);
    bytes_put_u32(&w, 0x40060000);
    bytes_put_u32(&w, back ? 2 : 1);
    bytes_put_u32(&w, back ? 1 : 2);
    bytes_put_u16(&w, back ? 179 : 9);
    bytes_put_u16(&w, back ? 9 : 179);
    bytes_put_u32(&w, 0xFFFFFF00u + sequence);
    bytes_put_u32(&w, 0);
    bytes_put_u16(&w, (uint16_t)(0x5010 | (what & 4 ? 2 : 0)));
    bytes_put(&w, (const uint8_t[6]){0}, 6);
    bytes_put(&w, data, size);
    capture_packet(c, link_raw, 0, packet, w.at);
}

static void put_packet(struct capture *c, uint8_t what, const uint8_t *data, size_t size) {
    static const int links[] = {0,  1,  12,  101, 113, 228, 276, 999, 9,
                                50, 51, 104, 107, 108, 14,  166, 178, 229};
    uint8_t *exact = malloc(size ? size : 1);
    require(exact != NULL);
    if (size > 0)
        memcpy(exact, data, size);
    capture_packet(c, links[(what >> 1) % (sizeof links / sizeof links[0])], 0, exact, size);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct decode_options how = decode_defaults();
    struct seen s = {.messages = 0};
    struct capture *c = capture_new(&how, take, &s);
    struct byte_reader r = bytes_reader(data, size);
    text_init(&s.out);
    while (c && bytes_left(&r) > 0) {
        uint8_t what = bytes_u8(&r);
        uint16_t sequence = what & 1 ? 0 : bytes_u16(&r);
        size_t count = bytes_u8(&r);
        count = count < bytes_left(&r) ? count : bytes_left(&r);
        const uint8_t *octets = bytes_take(&r, count);
        if (!octets)
            break;
        if (what & 1)
            put_packet(c, what, octets, count);
        else
            put_segment(c, what, sequence, octets, count);
    }
    if (c)
        (void)capture_finish(c);
    require(s.messages <= size);
    capture_free(c);
    text_deinit(&s.out);
    return 0;
}

#define M "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
#define KEEPALIVE M "\x00\x13\x04"
#define OPEN(as)                                                                                   \
    M "\x00\x2b\x01\x04\xfd" as "\x00\xb4\x0a\x00\x00\x01\x0e\x02\x0c\x41\x04\x00\x00\xfd" as      \
      "\x45\x04\x00\x01\x01\x03"
#define WITHDRAW M "\x00\x1f\x02\x00\x08\x00\x00\x00\x09\x18\x0a\x01\x02\x00\x00"
#define UPDATE2                                                                                    \
    M "\x00\x31\x02\0\0\x00\x12\x40\1\1\0\x40\2\4\2\1\xfd\xe9\x40\3\4\x0a\0\0\1\x18\x0a\1\2"       \
      "\x18\x0a\1\3"
#define IP "\x45\x00\x00\x3b\x00\x00\x00\x00\x40\x06\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02"
#define TCP "\x00\xb3\x9c\x40\x00\x00\x00\x01\x00\x00\x00\x00\x50\x10\x00\x00\x00\x00\x00\x00"

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED("\x00\x00\x01\x13" KEEPALIVE "\x00\x00\x14\x13" KEEPALIVE),
    FUZZ_SEED("\x04\x00\x00\x00\x06\x00\x00\x00\x00\x00\x01\x2b" OPEN(
        "\xe9") "\x02\x00\x01\x2b" OPEN("\xea") "\x00\x00\x2c\x1f" WITHDRAW
                                                "\x02\x00\x2c\x1f" WITHDRAW),
    FUZZ_SEED("\x00\x00\x30\x13" KEEPALIVE "\x00\x00\x01\x13" KEEPALIVE "\x00\x00\x10\x20" M M),
    FUZZ_SEED("\x07\x3b" IP TCP KEEPALIVE
              "\x03\x49\0\0\0\0\0\0\0\0\0\0\0\0\x08\x00" IP TCP KEEPALIVE),
    FUZZ_SEED("\x00\x00\x00\x31" UPDATE2 "\x0a\x00\x00\x31" UPDATE2 "\x02\x00\x39\x13" KEEPALIVE),
    FUZZ_SEED("\x11\x3f\xff\x03\0\x21" IP TCP KEEPALIVE
              "\x15\x43\x11\0\0\1\0\x3d\0\x21" IP TCP KEEPALIVE
              "\x19\x40\x18\x41\x03\x00\xcc" IP TCP KEEPALIVE),
};

FUZZ_MAIN(seeds)
