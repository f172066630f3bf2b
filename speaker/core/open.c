/*
 * OPEN: RFC 4271 4.2 and 6.2, capabilities (5492), extended optional parameters (9072).
 *
 * The decoder reads everything or nothing: a capability that lies about its length spoils the whole
 * OPEN (2/0), so that no session ever runs with half of a peer's capabilities. Unknown capabilities
 * are skipped (5492 3); of a known one that comes twice the last counts.
 *
 * Which AS is meant: capability 65 when it is there, whatever the two-octet field says (RFC 6793
 * 4.2.2 wants AS_TRANS or the same number there; a disagreement is decided for the capability,
 * always). AS 0 anywhere is refused (7607), and so is AS_TRANS without a real number behind it
 * (6793 9). Whether the AS is the expected one, the caller knows; identifier 0 is refused here
 * (6286), our own is the caller's to see.
 *
 * Known fixed-length capabilities: 1 (4760), 2 (2918) and its forerunner 128, 64 (4724, 8538), 65
 * (6793), 70 (7313).
 */
#include "framing.h"
#include "message.h"

#include <assert.h>

#define OPEN_VERSION 4
#define OPEN_PARAM_CAPABILITIES 2
#define OPEN_PARAM_EXTENDED 255
#define OPEN_AS_TRANS 23456
#define OPEN_GR_RESTARTING 0x8000
#define OPEN_GR_NOTIFICATION 0x4000
#define OPEN_GR_TIME_MASK 0x0FFF
#define OPEN_GR_FORWARDING 0x80

enum open_capability {
    OPEN_CAP_MP = 1,
    OPEN_CAP_REFRESH = 2,
    OPEN_CAP_GR = 64,
    OPEN_CAP_AS4 = 65,
    OPEN_CAP_ENHANCED_REFRESH = 70,
    OPEN_CAP_REFRESH_OLD = 128,
};

/* ---- decode ---- */

static bool open_decode_mp(struct byte_reader *r, struct bgp_open *o) {
    uint16_t afi = bytes_u16(r);
    bytes_u8(r); /* reserved */
    uint8_t safi = bytes_u8(r);
    enum bgp_family family;
    o->mp_present = true;
    if (bytes_ok(r) && family_from_afi(afi, safi, &family)) {
        o->families[family] = true;
    }
    return true;
}

static bool open_decode_gr(struct byte_reader *r, struct bgp_open *o) {
    uint16_t head = bytes_u16(r);
    if (bytes_left(r) % 4 != 0) {
        return false;
    }
    o->gr = true;
    o->gr_restarting = head & OPEN_GR_RESTARTING;
    o->gr_notification = head & OPEN_GR_NOTIFICATION;
    o->gr_time_s = head & OPEN_GR_TIME_MASK;
    for (int f = 0; f < BGP_FAMILIES; f++) {
        o->gr_families[f] = (struct bgp_gr_family){0};
    }
    while (bytes_left(r) > 0) {
        uint16_t afi = bytes_u16(r);
        uint8_t safi = bytes_u8(r);
        uint8_t flags = bytes_u8(r);
        enum bgp_family family;
        if (family_from_afi(afi, safi, &family)) {
            o->gr_families[family].present = true;
            o->gr_families[family].forwarding = flags & OPEN_GR_FORWARDING;
        }
    }
    return true;
}

static bool open_decode_as4(struct byte_reader *r, struct bgp_open *o) {
    o->as4 = true;
    o->asn = bytes_u32(r);
    return true;
}

/* A known capability is read to its last octet, or damaged. Unknown ones are left unread. */
static bool open_decode_capability(uint8_t code, struct byte_reader *r, struct bgp_open *o) {
    bool ok = true;
    switch (code) {
    case OPEN_CAP_MP:
        ok = open_decode_mp(r, o);
        break;
    case OPEN_CAP_REFRESH:
        o->refresh = true;
        break;
    case OPEN_CAP_REFRESH_OLD:
        o->refresh_old = true;
        break;
    case OPEN_CAP_ENHANCED_REFRESH:
        o->enhanced_refresh = true;
        break;
    case OPEN_CAP_GR:
        ok = open_decode_gr(r, o);
        break;
    case OPEN_CAP_AS4:
        ok = open_decode_as4(r, o);
        break;
    default:
        return true;
    }
    return ok && bytes_ok(r) && bytes_left(r) == 0;
}

static bool open_decode_capabilities(struct byte_reader *r, struct bgp_open *o) {
    o->has_capabilities = true;
    while (bytes_left(r) > 0) {
        uint8_t code = bytes_u8(r);
        uint8_t size = bytes_u8(r);
        struct byte_reader value = bytes_view(r, size);
        if (!bytes_ok(&value) || !open_decode_capability(code, &value, o)) {
            return false;
        }
    }
    return bytes_ok(r);
}

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

/* Subcode of the error, or 255 for none: 0 is a subcode (2/0, unspecific). */
static uint8_t open_decode_parameters(struct byte_reader *r, struct bgp_open *o) {
    bool extended;
    struct byte_reader parameters = open_parameters(r, &extended);
    if (!bytes_ok(&parameters) || bytes_left(r) > 0) {
        return 0;
    }
    while (bytes_left(&parameters) > 0) {
        uint8_t type = bytes_u8(&parameters);
        size_t size = extended ? bytes_u16(&parameters) : bytes_u8(&parameters);
        struct byte_reader value = bytes_view(&parameters, size);
        if (!bytes_ok(&value)) {
            return 0;
        }
        if (type != OPEN_PARAM_CAPABILITIES) {
            return 4;
        }
        if (!open_decode_capabilities(&value, o)) {
            return 0;
        }
    }
    return 255;
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
        return open_fail(0, ret_error);
    }
    if (version != OPEN_VERSION) {
        static const uint8_t supported[2] = {0, OPEN_VERSION};
        *ret_error = framing_error(BGP_ERR_OPEN, 1, supported, sizeof supported);
        return false;
    }
    uint8_t subcode = open_decode_parameters(&r, &o);
    if (subcode != 255) {
        return open_fail(subcode, ret_error);
    }
    if (asn == 0 || o.asn == 0 || o.asn == OPEN_AS_TRANS) {
        return open_fail(2, ret_error);
    }
    if (o.router_id == 0) {
        return open_fail(3, ret_error);
    }
    if (o.hold_time_s == 1 || o.hold_time_s == 2) {
        return open_fail(6, ret_error);
    }
    if (!o.mp_present) {
        o.families[BGP_IPV4_UNICAST] = true;
    }
    *ret_open = o;
    return true;
}

/* ---- encode ---- */

static void open_put_mp(struct byte_writer *w, enum bgp_family f) {
    bytes_put_u16(w, family_afi(f));
    bytes_put_u8(w, 0);
    bytes_put_u8(w, 1);
}

static void open_put_gr(struct byte_writer *w, const struct bgp_open *o) {
    assert(o->gr_time_s <= OPEN_GR_TIME_MASK);
    unsigned head = o->gr_time_s | (o->gr_restarting ? OPEN_GR_RESTARTING : 0u) |
                    (o->gr_notification ? OPEN_GR_NOTIFICATION : 0u);
    bytes_put_u16(w, (uint16_t)head);
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (o->gr_families[f].present) {
            bytes_put_u16(w, family_afi((enum bgp_family)f));
            bytes_put_u8(w, 1);
            bytes_put_u8(w, o->gr_families[f].forwarding ? OPEN_GR_FORWARDING : 0);
        }
    }
}

struct open_entry {
    uint8_t code;
    uint8_t family; /* of OPEN_CAP_MP */
};

static bool open_entry_wanted(const struct bgp_open *o, struct open_entry e) {
    switch ((enum open_capability)e.code) {
    case OPEN_CAP_MP:
        return o->mp_present && o->families[e.family];
    case OPEN_CAP_REFRESH:
        return o->refresh;
    case OPEN_CAP_REFRESH_OLD:
        return o->refresh_old;
    case OPEN_CAP_ENHANCED_REFRESH:
        return o->enhanced_refresh;
    case OPEN_CAP_GR:
        return o->gr;
    case OPEN_CAP_AS4:
        return o->as4;
    }
    return false;
}

/* Places of one-octet lengths still open. */
static size_t open_mark(struct byte_writer *w) {
    bytes_put_u8(w, 0);
    return w->at;
}

static void open_patch(struct byte_writer *w, size_t mark) {
    if (!w->failed) {
        assert(w->at - mark <= UINT8_MAX);
        w->data[mark - 1] = (uint8_t)(w->at - mark);
    }
}

static void open_put_capability(struct byte_writer *w, const struct bgp_open *o,
                                struct open_entry e) {
    bytes_put_u8(w, e.code);
    size_t mark = open_mark(w);
    if (e.code == OPEN_CAP_MP) {
        open_put_mp(w, (enum bgp_family)e.family);
    } else if (e.code == OPEN_CAP_GR) {
        open_put_gr(w, o);
    } else if (e.code == OPEN_CAP_AS4) {
        bytes_put_u32(w, o->asn);
    }
    open_patch(w, mark);
}

#define OPEN_ENTRIES 7

/* BIRD: ascending but for the old refresh code, all in one parameter. */
static const struct open_entry open_order_bird[OPEN_ENTRIES] = {
    {OPEN_CAP_MP, BGP_IPV4_UNICAST},
    {OPEN_CAP_MP, BGP_IPV6_UNICAST},
    {OPEN_CAP_REFRESH, 0},
    {OPEN_CAP_REFRESH_OLD, 0},
    {OPEN_CAP_GR, 0},
    {OPEN_CAP_AS4, 0},
    {OPEN_CAP_ENHANCED_REFRESH, 0},
};

/* IOS: the old refresh code first, a parameter for each. */
static const struct open_entry open_order_ios[OPEN_ENTRIES] = {
    {OPEN_CAP_MP, BGP_IPV4_UNICAST},
    {OPEN_CAP_MP, BGP_IPV6_UNICAST},
    {OPEN_CAP_REFRESH_OLD, 0},
    {OPEN_CAP_REFRESH, 0},
    {OPEN_CAP_ENHANCED_REFRESH, 0},
    {OPEN_CAP_AS4, 0},
    {OPEN_CAP_GR, 0},
};

static void open_put_parameters(struct byte_writer *w, const struct bgp_open *o) {
    bool each = o->one_capability_per_parameter;
    const struct open_entry *order = each ? open_order_ios : open_order_bird;
    size_t parameter = 0;
    for (int i = 0; i < OPEN_ENTRIES; i++) {
        if (!open_entry_wanted(o, order[i])) {
            continue;
        }
        if (each || parameter == 0) {
            bytes_put_u8(w, OPEN_PARAM_CAPABILITIES);
            parameter = open_mark(w);
        }
        open_put_capability(w, o, order[i]);
        open_patch(w, parameter);
    }
}

size_t open_encode(const struct bgp_open *o, uint8_t *out, size_t out_size) {
    struct byte_writer w = framing_begin(BGP_MSG_OPEN, out, out_size);
    bytes_put_u8(&w, OPEN_VERSION);
    bytes_put_u16(&w, o->asn > UINT16_MAX ? OPEN_AS_TRANS : (uint16_t)o->asn);
    bytes_put_u16(&w, o->hold_time_s);
    bytes_put_u32(&w, o->router_id);
    size_t mark = open_mark(&w);
    if (o->has_capabilities) {
        open_put_parameters(&w, o);
    }
    open_patch(&w, mark);
    return framing_end(&w);
}
