/*
 * An OPEN in a captured frame.
 *
 * Owns: decoding of a "cooked" Linux frame (16 octets, the protocol last) with IPv4, or IPv6
 * without extension headers, TCP, and a BGP OPEN (RFC 4271 4.2) at the start of the segment.
 * Leaves to others: where frames come from and what becomes of them (capture.c).
 *
 * Independent of the speaker's own decoder on purpose: a witness must not share its errors. The AS
 * is that of capability 65 (RFC 6793) when there is one; optional parameters may have the extended
 * form (RFC 9072). A frame cut by the snapshot length is read as far as it goes. Malformed optional
 * parameters do not hide the OPEN: it was on the wire.
 */
#include "frame.h"

#include "../../speaker/base/bytes.h"
#include "lab.h"

#include <string.h>

#define SLL_HEADER_BYTES 16
#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd
#define BGP_OPEN 1
#define PARAMETER_CAPABILITIES 2
#define PARAMETER_EXTENDED 255
#define CAPABILITY_AS4 65

static void take_capabilities(struct byte_reader *r, struct lab_open *o) {
    while (bytes_left(r) >= 2) {
        uint8_t code = bytes_u8(r);
        struct byte_reader value = bytes_view(r, bytes_u8(r));
        if (code == CAPABILITY_AS4 && bytes_left(&value) == 4)
            o->as = bytes_u32(&value);
    }
}

static void take_parameters(struct byte_reader *r, struct lab_open *o) {
    size_t size = bytes_u8(r);
    bool extended =
        size == PARAMETER_EXTENDED && bytes_left(r) > 3 && r->data[r->at] == PARAMETER_EXTENDED;
    struct byte_reader list;

    if (extended) {
        (void)bytes_u8(r);
        size = bytes_u16(r);
    }
    list = bytes_view(r, size);
    while (bytes_left(&list) >= 2) {
        uint8_t type = bytes_u8(&list);
        struct byte_reader value = bytes_view(&list, extended ? bytes_u16(&list) : bytes_u8(&list));
        if (type == PARAMETER_CAPABILITIES)
            take_capabilities(&value, o);
    }
}

/* True: an OPEN, as far as the snapshot goes. */
static bool take_open(struct byte_reader *r, struct lab_open *o) {
    static const uint8_t marker[16] = {255, 255, 255, 255, 255, 255, 255, 255,
                                       255, 255, 255, 255, 255, 255, 255, 255};
    const uint8_t *seen = bytes_take(r, sizeof(marker));

    if (seen == NULL || memcmp(seen, marker, sizeof(marker)) != 0)
        return false;
    (void)bytes_u16(r); /* length: a cut segment is read as far as it goes */
    if (bytes_u8(r) != BGP_OPEN)
        return false;
    (void)bytes_u8(r); /* version */
    o->as = bytes_u16(r);
    o->hold_time_s = bytes_u16(r);
    o->router_id = bytes_u32(r);
    if (!bytes_ok(r))
        return false;
    take_parameters(r, o);
    return true;
}

static bool take_tcp(struct byte_reader *r, struct lab_open *o) {
    size_t header;

    (void)bytes_take(r, 12);
    header = (size_t)(bytes_u8(r) >> 4) * 4;
    if (header < 20 || bytes_take(r, header - 13) == NULL)
        return false;
    return take_open(r, o);
}

static bool take_ip4(struct byte_reader *r, struct lab_open *o) {
    size_t header = (size_t)(bytes_u8(r) & 15) * 4;
    uint8_t protocol;

    (void)bytes_take(r, 8);
    protocol = bytes_u8(r);
    (void)bytes_u16(r);
    o->from = ip4(bytes_u32(r));
    o->to = ip4(bytes_u32(r));
    if (header < 20 || protocol != 6)
        return false;
    (void)bytes_take(r, header - 20);
    return take_tcp(r, o);
}

static bool take_ip6(struct byte_reader *r, struct lab_open *o) {
    const uint8_t *head = bytes_take(r, 40);

    if (head == NULL || head[6] != 6)
        return false;
    o->from = ip6(head + 8);
    o->to = ip6(head + 24);
    return take_tcp(r, o);
}

bool frame_decode(const uint8_t *data, size_t size, struct lab_open *ret_open) {
    struct byte_reader r = bytes_reader(data, size);
    struct lab_open o;
    uint16_t protocol;
    bool ok;

    memset(&o, 0, sizeof(o)); /* padding too: pairs are hashed as bytes */
    (void)bytes_take(&r, SLL_HEADER_BYTES - 2);
    protocol = bytes_u16(&r);
    if (!bytes_ok(&r))
        return false;
    ok = protocol == ETHERTYPE_IP4   ? take_ip4(&r, &o)
         : protocol == ETHERTYPE_IP6 ? take_ip6(&r, &o)
                                     : false;
    if (ok)
        *ret_open = o;
    return ok;
}
