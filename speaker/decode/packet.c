/*
 * From a captured packet to the TCP segment in it: link layer, IPv4 or IPv6 with extension headers,
 * TCP.
 *
 * The IP header's own length cuts off what Ethernet padded, and says how much a capture with
 * a snapshot length left out. Fragments are passed over (BGP's TCP does not fragment). Every length
 * is met by the reader's views, so any octets may come. RFC 791, 8200, 9293.
 */
#include "packet.h"

#include "../base/bytes.h"
#include "link.h"

#define PROTOCOL_TCP 6
#define PROTOCOL_FRAGMENT 44
#define EXTENSIONS_MAX 8

static enum packet_kind tcp_decode(struct byte_reader *r, struct packet_tcp *t) {
    t->from_port = bytes_u16(r);
    t->to_port = bytes_u16(r);
    t->sequence = bytes_u32(r);
    t->acknowledgment = bytes_u32(r);
    size_t header = (size_t)(bytes_u8(r) >> 4) * 4;
    uint8_t flags = bytes_u8(r);
    (void)bytes_take(r, 6); /* window, checksum, urgent pointer */
    if (header < 20 || !bytes_take(r, header - 20))
        return PACKET_DAMAGED;
    t->fin = flags & 1;
    t->syn = flags & 2;
    t->rst = flags & 4;
    t->ack = flags & 16;
    t->size = bytes_left(r);
    t->data = bytes_take(r, t->size);
    return PACKET_SEGMENT;
}

/* What of `total` octets is there; all of it when segmentation was left to the card, which is
 * a total of 0. */
static struct byte_reader captured(struct byte_reader *r, size_t total, struct packet_tcp *t) {
    size_t left = bytes_left(r);
    if (total > left)
        t->missing = total - left;
    return bytes_view(r, total > 0 && total < left ? total : left);
}

static enum packet_kind ip4_decode(struct byte_reader *r, struct packet_tcp *t) {
    struct byte_reader whole = *r;
    size_t header = (size_t)(bytes_u8(r) & 15) * 4;
    (void)bytes_u8(r);
    size_t total = bytes_u16(r);
    (void)bytes_u16(r);
    bool fragment = bytes_u16(r) & 0x3FFF;
    (void)bytes_u8(r);
    uint8_t protocol = bytes_u8(r);
    (void)bytes_u16(r);
    t->from = ip4(bytes_u32(r));
    t->to = ip4(bytes_u32(r));
    if (bytes_ok(r) && protocol != PROTOCOL_TCP)
        return PACKET_OTHER;
    if (bytes_ok(r) && fragment)
        return PACKET_FRAGMENT;
    struct byte_reader packet = captured(&whole, total, t);
    return bytes_ok(r) && header >= 20 && bytes_take(&packet, header) ? tcp_decode(&packet, t)
                                                                      : PACKET_DAMAGED;
}

/* Hop-by-hop, routing and destination options, and the header of a fragment, which may be the whole
 * packet (RFC 6946), may stand before TCP. */
static bool is_extension(uint8_t protocol) {
    return protocol == 0 || protocol == 43 || protocol == PROTOCOL_FRAGMENT || protocol == 60;
}

static enum packet_kind ip6_decode(struct byte_reader *r, struct packet_tcp *t) {
    (void)bytes_u32(r);
    size_t size = bytes_u16(r);
    uint8_t protocol = bytes_u8(r);
    (void)bytes_u8(r);
    const uint8_t *from = bytes_take(r, 16), *to = bytes_take(r, 16);
    if (!from || !to)
        return PACKET_DAMAGED;
    t->from = ip6(from);
    t->to = ip6(to);
    struct byte_reader packet = captured(r, size, t);
    for (int i = 0; i < EXTENSIONS_MAX && is_extension(protocol); i++) {
        bool may_be_part = protocol == PROTOCOL_FRAGMENT;
        protocol = bytes_u8(&packet);
        size_t more = bytes_u8(&packet);
        uint16_t offset = bytes_u16(&packet); /* of a fragment, and whether others follow */
        (void)bytes_take(&packet, 4 + (may_be_part ? 0 : 8 * more));
        if (may_be_part && offset & 0xFFF9)
            return protocol == PROTOCOL_TCP ? PACKET_FRAGMENT : PACKET_OTHER;
    }
    if (!bytes_ok(&packet))
        return PACKET_DAMAGED;
    return protocol == PROTOCOL_TCP ? tcp_decode(&packet, t) : PACKET_OTHER;
}

enum packet_kind packet_decode(int link_type, const uint8_t *data, size_t size,
                               struct packet_tcp *ret_tcp) {
    struct byte_reader r = bytes_reader(data, size);
    *ret_tcp = (struct packet_tcp){0};
    if (!link_enter(link_type, &r) || bytes_left(&r) == 0)
        return PACKET_OTHER;
    switch (r.data[r.at] >> 4) {
    case 4:
        return ip4_decode(&r, ret_tcp);
    case 6:
        return ip6_decode(&r, ret_tcp);
    default:
        return PACKET_OTHER;
    }
}
