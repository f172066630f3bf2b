/*
 * OPEN: RFC 4271 4.2 and 6.2, extended optional parameters (9072). Capabilities are in
 * capability.c.
 *
 * The decoder reads everything or nothing: a capability that lies about its length spoils the whole
 * OPEN (2/0), so that no session ever runs with half of a peer's capabilities.
 *
 * Which AS is meant: capability 65 when it is there, whatever the two-octet field says (RFC 6793
 * 4.2.2 wants AS_TRANS or the same number there; a disagreement is decided for the capability,
 * always). AS 0 anywhere is refused (7607), and so is AS_TRANS without a real number behind it
 * (6793 9). Whether the AS is the expected one, the caller knows; identifier 0 is refused here
 * (6286), our own is the caller's to see.
 *
 * We write the short form of the optional parameters as long as it holds them.
 */
#include "capability.h"
#include "framing.h"

#include <assert.h>

#define OPEN_VERSION 4
#define OPEN_PARAM_CAPABILITIES 2
#define OPEN_PARAM_EXTENDED 255
#define OPEN_SOUND 255 /* no subcode */

/* ---- decode ---- */

/* RFC 9072 2: type 255 in the first place says that lengths have two octets, whatever the one-octet
 * length before it was, as long as that was not 0. */
static struct byte_reader open_parameters(struct byte_reader *r, bool *ret_extended) {
    uint8_t size = bytes_u8(r);
    *ret_extended = size > 0 && bytes_left(r) > 0 && r->data[r->at] == OPEN_PARAM_EXTENDED;
    if (!*ret_extended) {
        return bytes_view(r, size);
    }
    bytes_u8(r);
    uint16_t extended_size = bytes_u16(r);
    return bytes_view(r, extended_size);
}

/* Subcode of the error (2/0 is one), or OPEN_SOUND. */
static uint8_t open_decode_parameters(struct byte_reader *r, struct bgp_open *o) {
    bool extended;
    struct byte_reader parameters = open_parameters(r, &extended);
    if (!bytes_ok(&parameters) || bytes_left(r) > 0) {
        return BGP_OPEN_ERR_UNSPECIFIC;
    }
    while (bytes_left(&parameters) > 0) {
        uint8_t type = bytes_u8(&parameters);
        size_t size = extended ? bytes_u16(&parameters) : bytes_u8(&parameters);
        struct byte_reader value = bytes_view(&parameters, size);
        if (!bytes_ok(&value)) {
            return BGP_OPEN_ERR_UNSPECIFIC;
        }
        if (type != OPEN_PARAM_CAPABILITIES) {
            return BGP_OPEN_ERR_PARAMETER;
        }
        if (!capability_decode_all(&value, o)) {
            return BGP_OPEN_ERR_UNSPECIFIC;
        }
    }
    return OPEN_SOUND;
}

static bool open_fail(uint8_t subcode, struct bgp_error *ret_error) {
    *ret_error = framing_error(BGP_ERR_OPEN, subcode, NULL, 0);
    return false;
}

bool open_decode(const uint8_t *body, size_t size, struct bgp_open *ret_open,
                 struct bgp_error *ret_error) {
    struct byte_reader r = bytes_reader(body, size);
    struct bgp_open o = {0};
    uint8_t version = bytes_u8(&r);
    uint16_t asn = bytes_u16(&r);
    o.asn = asn;
    o.hold_time_s = bytes_u16(&r);
    o.router_id = bytes_u32(&r);
    if (!bytes_ok(&r)) {
        return open_fail(BGP_OPEN_ERR_UNSPECIFIC, ret_error);
    }
    if (version != OPEN_VERSION) {
        static const uint8_t supported[2] = {0, OPEN_VERSION};
        *ret_error = framing_error(BGP_ERR_OPEN, BGP_OPEN_ERR_VERSION, supported, sizeof supported);
        return false;
    }
    uint8_t subcode = open_decode_parameters(&r, &o);
    if (subcode != OPEN_SOUND) {
        return open_fail(subcode, ret_error);
    }
    if (asn == 0 || o.asn == 0 || o.asn == AS_TRANS) {
        return open_fail(BGP_OPEN_ERR_PEER_AS, ret_error);
    }
    if (o.router_id == 0) {
        return open_fail(BGP_OPEN_ERR_IDENTIFIER, ret_error);
    }
    if (o.hold_time_s == 1 || o.hold_time_s == 2) {
        return open_fail(BGP_OPEN_ERR_HOLD_TIME, ret_error);
    }
    if (!o.mp_present) {
        o.families[BGP_IPV4_UNICAST] = true;
    }
    *ret_open = o;
    return true;
}

/* ---- encode ---- */

static void open_put_parameters(struct byte_writer *w, const struct bgp_open *o) {
    uint8_t capabilities[BGP_CAPABILITIES_SIZE_MAX];
    struct byte_writer all = bytes_writer(capabilities, sizeof capabilities);
    size_t at = 0;
    capability_encode_all(o, &all);
    assert(!all.failed && all.at <= UINT8_MAX - 2);
    while (at < all.at) {
        /* IOS: a parameter for each. */
        size_t size = o->one_capability_per_parameter ? capabilities[at + 1] + (size_t)2 : all.at;
        bytes_put_u8(w, OPEN_PARAM_CAPABILITIES);
        bytes_put_u8(w, (uint8_t)size);
        bytes_put(w, capabilities + at, size);
        at += size;
    }
}

size_t open_encode(const struct bgp_open *o, uint8_t *out, size_t out_size) {
    struct byte_writer w = framing_begin(BGP_MSG_OPEN, out, out_size);
    bytes_put_u8(&w, OPEN_VERSION);
    bytes_put_u16(&w, (uint16_t)(o->asn > UINT16_MAX ? AS_TRANS : o->asn));
    bytes_put_u16(&w, o->hold_time_s);
    bytes_put_u32(&w, o->router_id);
    bytes_put_u8(&w, 0);
    size_t mark = w.at;
    if (o->has_capabilities) {
        open_put_parameters(&w, o);
    }
    if (!w.failed) {
        assert(w.at - mark <= UINT8_MAX - 1);
        w.data[mark - 1] = (uint8_t)(w.at - mark);
    }
    return framing_end(&w);
}
