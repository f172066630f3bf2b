/*
 * The message header, and the messages without a decoder of their own: KEEPALIVE, ROUTE-REFRESH.
 *
 * message_peek is the only judge of headers: a caller that cuts its stream by it hands decoders
 * bodies whose size suits their type. It looks at the marker octets as they arrive, so that a
 * stranger speaking another protocol is refused at once, and at lengths before any body arrives.
 *
 * Without extended messages (8654) 4096 octets are the limit; OPEN and KEEPALIVE, and all we write
 * but UPDATEs, keep to it always. RFC 4271 4.1, 4.4, 6.1; 2918; 7313; 8654 3.
 * A ROUTE-REFRESH of any other size than 23 is 7/1, as outbound filters (5291) are never offered,
 * unless its subtype is none of ours.
 */
#include "message.h"

#include "framing.h"
#include "limits.h"

#include <assert.h>
#include <string.h>

#define MESSAGE_MARKER_SIZE 16

struct bgp_error framing_error(uint8_t code, uint8_t subcode, const uint8_t *data, size_t size) {
    struct bgp_error e = {.code = code, .subcode = subcode};
    e.size = (uint16_t)(size < sizeof e.data ? size : sizeof e.data);
    if (e.size > 0) {
        memcpy(e.data, data, e.size);
    }
    return e;
}

struct byte_writer framing_begin(enum bgp_message_type type, uint8_t *out, size_t out_size) {
    if (type != BGP_MSG_UPDATE && out_size > BGP_MESSAGE_SIZE_MAX) {
        out_size = BGP_MESSAGE_SIZE_MAX;
    }
    static const uint8_t header[BGP_HEADER_SIZE - 1] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0,    0,
    };
    struct byte_writer w = bytes_writer(out, out_size);
    bytes_put(&w, header, sizeof header);
    bytes_put_u8(&w, (uint8_t)type);
    return w;
}

size_t framing_end(struct byte_writer *w) {
    if (w->failed || w->at > BGP_MESSAGE_EXTENDED_MAX) {
        return 0;
    }
    assert(w->at >= BGP_HEADER_SIZE);
    w->data[MESSAGE_MARKER_SIZE] = (uint8_t)(w->at >> 8);
    w->data[MESSAGE_MARKER_SIZE + 1] = (uint8_t)w->at;
    return w->at;
}

/* Smallest and largest size per type, RFC 4271 6.1. A wrong ROUTE-REFRESH is its decoder's to
 * refuse (7/1). */
static const struct {
    uint16_t size_min, size_max;
    bool may_extend;
} message_sizes[] = {
    [BGP_MSG_OPEN] = {29, BGP_MESSAGE_SIZE_MAX, false},
    [BGP_MSG_UPDATE] = {23, BGP_MESSAGE_SIZE_MAX, true},
    [BGP_MSG_NOTIFICATION] = {21, BGP_MESSAGE_SIZE_MAX, true},
    [BGP_MSG_KEEPALIVE] = {BGP_HEADER_SIZE, BGP_HEADER_SIZE, false},
    [BGP_MSG_ROUTE_REFRESH] = {BGP_HEADER_SIZE, BGP_MESSAGE_SIZE_MAX, true},
};

static bool message_size_fits(size_t whole, uint8_t type, bool extended) {
    extended = extended && message_sizes[type].may_extend;
    return whole >= message_sizes[type].size_min &&
           (extended || whole <= message_sizes[type].size_max);
}

static size_t message_peek_any(const uint8_t *data, size_t size, bool extended,
                               enum bgp_message_type *ret_type, struct bgp_error *ret_error) {
    ret_error->code = 0;
    ret_error->subcode = 0;
    ret_error->size = 0;
    for (size_t i = 0; i < MESSAGE_MARKER_SIZE && i < size; i++) {
        if (data[i] != 0xFF) {
            *ret_error = framing_error(BGP_ERR_HEADER, BGP_HEADER_ERR_SYNC, NULL, 0);
            return 0;
        }
    }
    if (size < BGP_HEADER_SIZE) {
        return 0;
    }
    const uint8_t *length = data + MESSAGE_MARKER_SIZE;
    size_t whole = (size_t)(length[0] << 8 | length[1]);
    uint8_t type = data[BGP_HEADER_SIZE - 1];
    if (whole < BGP_HEADER_SIZE || (whole > BGP_MESSAGE_SIZE_MAX && !extended)) {
        *ret_error = framing_error(BGP_ERR_HEADER, BGP_HEADER_ERR_LENGTH, length, 2);
        return 0;
    }
    if (type < BGP_MSG_OPEN || type > BGP_MSG_ROUTE_REFRESH) {
        *ret_error = framing_error(BGP_ERR_HEADER, BGP_HEADER_ERR_TYPE, &type, 1);
        return 0;
    }
    if (!message_size_fits(whole, type, extended)) {
        *ret_error = framing_error(BGP_ERR_HEADER, BGP_HEADER_ERR_LENGTH, length, 2);
        return 0;
    }
    *ret_type = (enum bgp_message_type)type;
    return whole;
}

size_t message_peek(const uint8_t *data, size_t size, enum bgp_message_type *ret_type,
                    struct bgp_error *ret_error) {
    return message_peek_any(data, size, false, ret_type, ret_error);
}

size_t message_peek_extended(const uint8_t *data, size_t size, enum bgp_message_type *ret_type,
                             struct bgp_error *ret_error) {
    return message_peek_any(data, size, true, ret_type, ret_error);
}

size_t keepalive_encode(uint8_t *out, size_t out_size) {
    struct byte_writer w = framing_begin(BGP_MSG_KEEPALIVE, out, out_size);
    return framing_end(&w);
}

/* RFC 7313 5: a subtype nobody knows is to be ignored, and so is what its messages are like. */
static bool refresh_is_later(const uint8_t *body, size_t size) {
    return size > 4 && body[2] > BGP_REFRESH_EORR;
}

bool refresh_decode(const uint8_t *body, size_t size, struct bgp_refresh *ret_r,
                    struct bgp_error *ret_error) {
    if (size != 4 && !refresh_is_later(body, size)) {
        /* RFC 7313 5: the data field is the complete message. */
        uint8_t whole[sizeof ret_error->data];
        struct byte_writer w = framing_begin(BGP_MSG_ROUTE_REFRESH, whole, sizeof whole);
        size_t room = sizeof whole - w.at;
        bytes_put(&w, body, size < room ? size : room);
        whole[MESSAGE_MARKER_SIZE] = (uint8_t)((size + BGP_HEADER_SIZE) >> 8);
        whole[MESSAGE_MARKER_SIZE + 1] = (uint8_t)(size + BGP_HEADER_SIZE);
        *ret_error = framing_error(BGP_ERR_REFRESH, BGP_REFRESH_ERR_LENGTH, whole, w.at);
        return false;
    }
    struct byte_reader r = bytes_reader(body, size);
    ret_r->afi = bytes_u16(&r);
    ret_r->subtype = bytes_u8(&r);
    ret_r->safi = bytes_u8(&r);
    return true;
}

size_t refresh_encode(const struct bgp_refresh *r, uint8_t *out, size_t out_size) {
    struct byte_writer w = framing_begin(BGP_MSG_ROUTE_REFRESH, out, out_size);
    bytes_put_u16(&w, r->afi);
    bytes_put_u8(&w, r->subtype);
    bytes_put_u8(&w, r->safi);
    return framing_end(&w);
}

bool family_from_afi(uint16_t afi, uint8_t safi, enum bgp_family *ret_family) {
    if (safi != 1 || afi < 1 || afi > 2) {
        return false;
    }
    *ret_family = afi == 1 ? BGP_IPV4_UNICAST : BGP_IPV6_UNICAST;
    return true;
}

uint16_t family_afi(enum bgp_family f) {
    return f == BGP_IPV4_UNICAST ? 1 : 2;
}
