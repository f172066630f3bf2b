/*
 * From a captured packet to the TCP segment in it: link layer, VLAN tags, IPv4 or IPv6 with
 * extension headers, TCP.
 *
 * The IP header's own length cuts off what Ethernet padded. Fragments are passed over (BGP's TCP
 * does not fragment). Every length is met by the reader's views, so any octets may come. RFC 791,
 * 8200, 9293.
 */
#include "packet.h"

#include "../base/bytes.h"

#define PROTOCOL_TCP 6
#define EXTENSIONS_MAX 8

enum link_type { /* libpcap's numbers */
                 LINK_NULL = 0,
                 LINK_ETHERNET = 1,
                 LINK_RAW_BSD = 12,
                 LINK_RAW_OPENBSD = 14,
                 LINK_RAW = 101,
                 LINK_LOOP = 108,
                 LINK_COOKED = 113,
                 LINK_IP4 = 228,
                 LINK_IP6 = 229,
                 LINK_COOKED2 = 276,
};

static bool tcp_decode(struct byte_reader *r, struct packet_tcp *t) {
    t->from_port = bytes_u16(r);
    t->to_port = bytes_u16(r);
    t->sequence = bytes_u32(r);
    (void)bytes_u32(r); /* acknowledgment */
    size_t header = (size_t)(bytes_u8(r) >> 4) * 4;
    uint8_t flags = bytes_u8(r);
    (void)bytes_take(r, 6); /* window, checksum, urgent pointer */
    if (header < 20 || !bytes_take(r, header - 20))
        return false;
    t->fin = flags & 1;
    t->syn = flags & 2;
    t->rst = flags & 4;
    t->size = bytes_left(r);
    t->data = bytes_take(r, t->size);
    return bytes_ok(r);
}

static bool ip4_decode(struct byte_reader *r, struct packet_tcp *t) {
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
    if (!bytes_ok(r) || header < 20 || protocol != PROTOCOL_TCP || fragment)
        return false;
    if (total == 0) /* segmentation was left to the card: as much as was captured */
        total = bytes_left(&whole);
    struct byte_reader packet = bytes_view(&whole, total);
    return bytes_take(&packet, header) && tcp_decode(&packet, t);
}

static bool ip6_decode(struct byte_reader *r, struct packet_tcp *t) {
    (void)bytes_u32(r);
    size_t size = bytes_u16(r);
    uint8_t protocol = bytes_u8(r);
    (void)bytes_u8(r);
    const uint8_t *from = bytes_take(r, 16), *to = bytes_take(r, 16);
    if (!from || !to)
        return false;
    t->from = ip6(from);
    t->to = ip6(to);
    struct byte_reader packet = bytes_view(r, size ? size : bytes_left(r));
    /* Hop-by-hop, routing and destination options may stand before TCP. */
    for (int i = 0; i < EXTENSIONS_MAX && (protocol == 0 || protocol == 43 || protocol == 60);
         i++) {
        protocol = bytes_u8(&packet);
        size_t more = bytes_u8(&packet);
        (void)bytes_take(&packet, 6 + 8 * more);
    }
    return protocol == PROTOCOL_TCP && tcp_decode(&packet, t);
}

static bool ip_decode(struct byte_reader *r, struct packet_tcp *t) {
    if (bytes_left(r) == 0)
        return false;
    uint8_t version = r->data[r->at] >> 4;
    return version == 4 ? ip4_decode(r, t) : version == 6 && ip6_decode(r, t);
}

static bool ethertype_decode(uint16_t type, struct byte_reader *r, struct packet_tcp *t) {
    for (int tags = 0; tags < 2 && (type == 0x8100 || type == 0x88A8); tags++) {
        (void)bytes_u16(r);
        type = bytes_u16(r);
    }
    return (type == 0x0800 || type == 0x86DD) && ip_decode(r, t);
}

bool packet_decode(int link_type, const uint8_t *data, size_t size, struct packet_tcp *ret_tcp) {
    struct byte_reader r = bytes_reader(data, size);
    struct packet_tcp *t = ret_tcp;
    uint16_t type;
    *t = (struct packet_tcp){0};
    switch (link_type) {
    case LINK_ETHERNET:
        (void)bytes_take(&r, 12);
        type = bytes_u16(&r);
        return ethertype_decode(type, &r, t);
    case LINK_COOKED:
        (void)bytes_take(&r, 14);
        type = bytes_u16(&r);
        return ethertype_decode(type, &r, t);
    case LINK_COOKED2:
        type = bytes_u16(&r);
        (void)bytes_take(&r, 18);
        return ethertype_decode(type, &r, t);
    case LINK_NULL:
    case LINK_LOOP:
        (void)bytes_u32(&r);
        return ip_decode(&r, t);
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_IP4:
    case LINK_IP6:
        return ip_decode(&r, t);
    default:
        return false;
    }
}
