/*
 * Captures written: pcap or pcapng of raw IPv4 packets with TCP in them, one a millisecond.
 *
 * Octets go out in network order, which both formats allow: their magic numbers say so. Checksums
 * are left 0: neither decoder looks.
 */
#include "decoders_fixture.h"

#include "../../speaker/base/bytes.h"

#include <assert.h>

#define LINK_RAW_IP 101
#define PACKET_MAX 65535u
#define HEADERS_SIZE 40u
#define START_S 1700000000u

static void put_u16(struct text *t, uint32_t v) {
    const char octets[] = {(char)(v >> 8), (char)v};
    text_put(t, octets, sizeof octets);
}

static void put_u32(struct text *t, uint32_t v) {
    put_u16(t, v >> 16);
    put_u16(t, v & 0xFFFF);
}

void capture_file_begin(struct capture_file *f, bool ng) {
    static const uint32_t pcap[] = {0xa1b2c3d4, 0x00020004, 0, 0, PACKET_MAX, LINK_RAW_IP};
    /* A section header of unknown length, an interface without options: times in microseconds. */
    static const uint32_t pcapng[] = {0x0a0d0d0a, 28, 0x1a2b3c4d, 0x00010000, 0xffffffff,
                                      0xffffffff, 28, 1,          20,         LINK_RAW_IP << 16,
                                      PACKET_MAX, 20};
    *f = (struct capture_file){.ng = ng};
    text_init(&f->out);
    size_t count = ng ? sizeof pcapng / sizeof pcapng[0] : sizeof pcap / sizeof pcap[0];
    for (size_t i = 0; i < count; i++)
        put_u32(&f->out, ng ? pcapng[i] : pcap[i]);
}

/* What stands before a packet of `size` octets; pcapng: also before its padding. */
static void put_packet_head(struct capture_file *f, uint32_t size) {
    uint64_t us = (uint64_t)START_S * 1000000 + (uint64_t)f->packets * 1000;
    if (f->ng) {
        put_u32(&f->out, 6);
        put_u32(&f->out, 32 + (size + 3) / 4 * 4);
        put_u32(&f->out, 0);
        put_u32(&f->out, (uint32_t)(us >> 32));
        put_u32(&f->out, (uint32_t)us);
    } else {
        put_u32(&f->out, (uint32_t)(us / 1000000));
        put_u32(&f->out, (uint32_t)(us % 1000000));
    }
    put_u32(&f->out, size);
    put_u32(&f->out, size);
    f->packets++;
}

static void put_packet_tail(struct capture_file *f, uint32_t size) {
    if (!f->ng)
        return;
    for (uint32_t i = size; i % 4 != 0; i++)
        text_putc(&f->out, '\0');
    put_u32(&f->out, 32 + (size + 3) / 4 * 4);
}

static void put_segment(struct capture_file *f, const struct capture_flow *flow, bool back,
                        bool syn, uint32_t sequence, const uint8_t *data, size_t size) {
    uint32_t whole = HEADERS_SIZE + (uint32_t)size;
    uint32_t ends[] = {0x0A000001, 0x0A000002};
    assert(whole <= PACKET_MAX);
    put_packet_head(f, whole);
    put_u16(&f->out, 0x4500);
    put_u16(&f->out, whole);
    put_u32(&f->out, 0x00004000);
    put_u32(&f->out, 0x40060000);
    put_u32(&f->out, ends[back]);
    put_u32(&f->out, ends[!back]);
    put_u16(&f->out, back ? 179 : flow->port);
    put_u16(&f->out, back ? flow->port : 179);
    put_u32(&f->out, sequence);
    put_u32(&f->out, 0);
    put_u16(&f->out, 0x5010 | (syn ? 2 : 0));
    put_u16(&f->out, 0xFFFF);
    put_u32(&f->out, 0);
    text_put(&f->out, (const char *)data, size);
    put_packet_tail(f, whole);
}

void capture_file_open(struct capture_file *f, struct capture_flow *flow) {
    for (int back = 0; back < 2; back++)
        put_segment(f, flow, back, true, flow->sequence[back]++, NULL, 0);
}

void capture_file_segment(struct capture_file *f, const struct capture_flow *flow, bool back,
                          uint32_t offset, const uint8_t *data, size_t size) {
    put_segment(f, flow, back, false, flow->sequence[back] + offset, data, size);
}

void capture_file_send(struct capture_file *f, struct capture_flow *flow, bool back,
                       const uint8_t *data, size_t size) {
    capture_file_segment(f, flow, back, 0, data, size);
    flow->sequence[back] += (uint32_t)size;
}
