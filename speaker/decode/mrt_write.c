/*
 * MRT records put together: RFC 6396 4.3, 4.4, RFC 8050.
 *
 * A record is appended to a text of octets; its length is filled in once its body stands there. In
 * a table MP_REACH has the abbreviated form (6396 4.3.4: length and next hop), and AS numbers have
 * four octets always. Messages are written as they went over the wire. Missing memory is the text's
 * sticky failure: its caller throws the whole away.
 */
#include "mrt.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "../core/attr.h"
#include "../core/limits.h"
#include "decode_mp.h"

#include <string.h>

#define MRT_AFI_IP4 1
#define MRT_AFI_IP6 2
#define PEER_IP6 1
#define PEER_AS4 2

static void put_u8(struct text *out, uint8_t v) {
    text_putc(out, (char)v);
}

static void put_u16(struct text *out, uint16_t v) {
    put_u8(out, (uint8_t)(v >> 8));
    put_u8(out, (uint8_t)v);
}

static void put_u32(struct text *out, uint32_t v) {
    put_u16(out, (uint16_t)(v >> 16));
    put_u16(out, (uint16_t)v);
}

static void put_octets(struct text *out, const uint8_t *data, size_t size) {
    text_put(out, (const char *)data, size);
}

static void put_address(struct text *out, struct ip_addr a, bool v6) {
    put_octets(out, a.bytes, v6 ? 16 : 4);
}

static size_t begin(struct text *out, uint32_t time_s, uint16_t type, uint16_t subtype) {
    put_u32(out, time_s);
    put_u16(out, type);
    put_u16(out, subtype);
    put_u32(out, 0);
    return out->size;
}

/* Fills in how much was put since `mark`. */
static void end(struct text *out, size_t mark) {
    if (out->failed)
        return;
    size_t size = out->size - mark;
    for (size_t i = 0; i < 4; i++)
        out->data[mark - 4 + i] = (char)(size >> (24 - 8 * i));
}

/* ---- tables ---- */

void mrt_put_peers(struct text *out, uint32_t time_s, uint32_t collector_id, const char *view,
                   const struct mrt_peer *peers, uint16_t count) {
    size_t size = strnlen(view, UINT16_MAX);
    size_t mark = begin(out, time_s, MRT_TABLE_DUMP_V2, 1);
    put_u32(out, collector_id);
    put_u16(out, (uint16_t)size);
    text_put(out, view, size);
    put_u16(out, count);
    for (uint16_t i = 0; i < count; i++) {
        bool v6 = peers[i].addr.family == IP_V6;
        put_u8(out, PEER_AS4 | (v6 ? PEER_IP6 : 0));
        put_u32(out, peers[i].router_id);
        put_address(out, peers[i].addr, v6);
        put_u32(out, peers[i].asn);
    }
    end(out, mark);
}

/* The attributes field of an entry into `w`; false: it does not fit. */
static bool put_attrs(struct byte_writer *w, enum bgp_family family, const struct attr_values *v) {
    static const uint8_t unspecified[16] = {0};
    struct attr_encoding how = {.as4 = true, .family = family, .extended = true};
    struct attr_values values = *v;
    if (!ip_is_set(v->next_hop)) /* our own route */
        values.next_hop = family == BGP_IPV6_UNICAST ? ip6(unspecified) : ip4(0);
    if (!attr_encode(&values, &how, w))
        return false;
    if (values.next_hop.family == IP_V6) { /* of IPv4, too: RFC 8950 */
        uint8_t size = ip_is_set(v->link_local) ? 32 : 16;
        bytes_put_u8(w, ATTR_FLAG_OPTIONAL);
        bytes_put_u8(w, ATTR_MP_REACH);
        bytes_put_u8(w, (uint8_t)(size + 1));
        bytes_put_u8(w, size);
        bytes_put(w, values.next_hop.bytes, 16);
        bytes_put(w, v->link_local.bytes, size - 16u);
    }
    return !w->failed && w->at <= UINT16_MAX;
}

static uint16_t put_entries(struct text *out, enum bgp_family family, bool add_path,
                            const struct mrt_entry *entries, uint16_t count, uint8_t *room) {
    uint16_t written = 0;
    for (uint16_t i = 0; i < count; i++) {
        struct byte_writer w = bytes_writer(room, UINT16_MAX);
        if (!put_attrs(&w, family, entries[i].attrs))
            continue;
        put_u16(out, entries[i].peer);
        put_u32(out, entries[i].time_s);
        if (add_path)
            put_u32(out, entries[i].path_id);
        put_u16(out, (uint16_t)w.at);
        put_octets(out, room, w.at);
        written++;
    }
    return written;
}

uint16_t mrt_put_rib(struct text *out, uint32_t time_s, uint32_t sequence, struct ip_prefix prefix,
                     bool add_path, const struct mrt_entry *entries, uint16_t count) {
    bool v6 = prefix.addr.family == IP_V6;
    enum bgp_family family = v6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
    uint16_t subtype = (uint16_t)((v6 ? 4 : 2) + (add_path ? 6 : 0));
    uint8_t *room = alloc_zero(UINT16_MAX, 1);
    if (!room) {
        out->failed = true;
        return 0;
    }
    size_t mark = begin(out, time_s, MRT_TABLE_DUMP_V2, subtype);
    put_u32(out, sequence);
    put_u8(out, prefix.length);
    put_octets(out, prefix.addr.bytes, (prefix.length + 7u) / 8);
    size_t at = out->size;
    put_u16(out, 0);
    uint16_t written = put_entries(out, family, add_path, entries, count, room);
    if (!out->failed) {
        out->data[at] = (char)(written >> 8);
        out->data[at + 1] = (char)written;
    }
    end(out, mark);
    alloc_free(room);
    return written;
}

/* ---- messages ---- */

static void put_session(struct text *out, struct mrt_clock when, const struct mrt_session *s,
                        bool as4) {
    bool v6 = s->peer.addr.family == IP_V6;
    put_u32(out, when.microseconds);
    if (as4) {
        put_u32(out, s->peer.asn);
        put_u32(out, s->local_as);
    } else {
        put_u16(out, (uint16_t)(s->peer.asn > UINT16_MAX ? AS_TRANS : s->peer.asn));
        put_u16(out, (uint16_t)(s->local_as > UINT16_MAX ? AS_TRANS : s->local_as));
    }
    put_u16(out, 0); /* interface: not known here */
    put_u16(out, v6 ? MRT_AFI_IP6 : MRT_AFI_IP4);
    put_address(out, s->peer.addr, v6);
    put_address(out, s->local, v6);
}

/* Does a list of prefixes in this UPDATE have path identifiers? One with lists of both kinds has no
 * subtype that fits. */
static bool has_path_ids(const struct mrt_session *s, const uint8_t *message, size_t size) {
    struct byte_reader r = bytes_reader(message, size);
    (void)bytes_take(&r, BGP_HEADER_SIZE - 1);
    if (bytes_u8(&r) != BGP_MSG_UPDATE)
        return false;
    struct byte_reader withdrawn = bytes_view(&r, bytes_u16(&r));
    struct byte_reader attrs = bytes_view(&r, bytes_u16(&r));
    bool any = s->add_path[BGP_IPV4_UNICAST] && (bytes_left(&withdrawn) > 0 || bytes_left(&r) > 0);
    while (bytes_left(&attrs) > 0) {
        struct decode_attr a = {.flags = bytes_u8(&attrs), .code = bytes_u8(&attrs)};
        a.size = a.flags & ATTR_FLAG_EXTENDED ? bytes_u16(&attrs) : bytes_u8(&attrs);
        a.data = bytes_take(&attrs, a.size);
        struct decode_mp mp;
        enum bgp_family f;
        if (bytes_ok(&attrs) && decode_mp_fields(&a, &mp) && mp.nlri_size > 0 &&
            family_from_afi(mp.afi, mp.safi, &f))
            any = any || s->add_path[f];
    }
    return any;
}

void mrt_put_message(struct text *out, struct mrt_clock when, const struct mrt_session *s,
                     bool sent, const uint8_t *message, size_t size) {
    static const uint16_t subtypes[2][2][2] = {
        /* [as4][sent][add_path] */
        {{1, 8}, {6, 10}},
        {{4, 9}, {7, 11}},
    };
    bool ids = has_path_ids(s, message, size);
    size_t mark = begin(out, when.time_s, MRT_BGP4MP_ET, subtypes[s->as4][sent][ids]);
    put_session(out, when, s, s->as4);
    put_octets(out, message, size);
    end(out, mark);
}

void mrt_put_state(struct text *out, struct mrt_clock when, const struct mrt_session *s,
                   uint16_t old_state, uint16_t new_state) {
    size_t mark = begin(out, when.time_s, MRT_BGP4MP_ET, 5);
    put_session(out, when, s, true);
    put_u16(out, old_state);
    put_u16(out, new_state);
    end(out, mark);
}
