/*
 * Capabilities: RFC 5492 4, and what each of them says.
 *
 * Unknown ones are skipped (5492 3); of a known one that comes twice the last counts, family by
 * family where it has families, but for roles: two that differ are a conflict (9234 4.2).
 *
 * Damage: a capability longer than its parameter, or one of fixed length with another one, spoils
 * the whole OPEN. Lists that we could do without (5, 69, 71) are dropped instead when they do not
 * come out even; tuples of unknown families, or with values that their RFC keeps for later, are
 * skipped one by one.
 *
 * RFC 2918, 4724 3, 4760 8, 6793 3, 7313 3.1, 7911 4, 8538 2, 8654 3, 8950 4, 9234 4.1, 9494 3.1.
 */
#include "capability.h"

#include <assert.h>
#include <string.h>

#define GR_RESTARTING 0x8000
#define GR_NOTIFICATION 0x4000
#define GR_TIME_MASK 0x0FFF
#define GR_FORWARDING 0x80
#define TUPLE_NEXT_HOP_SIZE 6
#define TUPLE_ADD_PATH_SIZE 4
#define TUPLE_LLGR_SIZE 7

/* ---- decode: false spoils the OPEN ---- */

static bool decode_mp(struct byte_reader *r, struct bgp_open *o) {
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

static bool decode_refresh(struct byte_reader *r, struct bgp_open *o) {
    (void)r;
    return o->refresh = true;
}

static bool decode_refresh_old(struct byte_reader *r, struct bgp_open *o) {
    (void)r;
    return o->refresh_old = true;
}

static bool decode_enhanced_refresh(struct byte_reader *r, struct bgp_open *o) {
    (void)r;
    return o->enhanced_refresh = true;
}

static bool decode_extended_message(struct byte_reader *r, struct bgp_open *o) {
    (void)r;
    return o->extended_message = true;
}

/* Passes over a list that does not come out even. True: it does, read on. */
static bool is_even(struct byte_reader *r, size_t tuple_size) {
    bool even = bytes_left(r) % tuple_size == 0;
    if (!even) {
        bytes_take(r, bytes_left(r));
    }
    return even;
}

static bool decode_extended_next_hop(struct byte_reader *r, struct bgp_open *o) {
    bool even = is_even(r, TUPLE_NEXT_HOP_SIZE);
    while (even && bytes_left(r) > 0) {
        uint16_t afi = bytes_u16(r);
        uint16_t safi = bytes_u16(r);
        uint16_t next_hop_afi = bytes_u16(r);
        if (afi == 1 && safi == 1 && next_hop_afi == 2) {
            o->extended_next_hop = true;
        }
    }
    return true;
}

static bool decode_role(struct byte_reader *r, struct bgp_open *o) {
    uint16_t role = (uint16_t)(bytes_u8(r) + 1); /* unassigned: agrees with no role of ours */
    o->role_conflict = o->role_conflict || (o->role != BGP_ROLE_NONE && o->role != role);
    o->role = role;
    return true;
}

static bool decode_gr(struct byte_reader *r, struct bgp_open *o) {
    uint16_t head = bytes_u16(r);
    if (bytes_left(r) % 4 != 0) {
        return false;
    }
    o->gr = true;
    o->gr_restarting = head & GR_RESTARTING;
    o->gr_notification = head & GR_NOTIFICATION;
    o->gr_time_s = head & GR_TIME_MASK;
    memset(o->gr_families, 0, sizeof o->gr_families);
    while (bytes_left(r) > 0) {
        uint16_t afi = bytes_u16(r);
        uint8_t safi = bytes_u8(r);
        uint8_t flags = bytes_u8(r);
        enum bgp_family family;
        if (family_from_afi(afi, safi, &family)) {
            o->gr_families[family].present = true;
            o->gr_families[family].forwarding = flags & GR_FORWARDING;
        }
    }
    return true;
}

static bool decode_as4(struct byte_reader *r, struct bgp_open *o) {
    o->as4 = true;
    o->asn = bytes_u32(r);
    return true;
}

static bool decode_add_path(struct byte_reader *r, struct bgp_open *o) {
    bool even = is_even(r, TUPLE_ADD_PATH_SIZE);
    while (even && bytes_left(r) > 0) {
        uint16_t afi = bytes_u16(r);
        uint8_t safi = bytes_u8(r);
        uint8_t direction = bytes_u8(r);
        enum bgp_family family;
        bool known = direction >= BGP_ADD_PATH_RECEIVE && direction <= BGP_ADD_PATH_BOTH;
        if (known && family_from_afi(afi, safi, &family)) {
            o->add_path[family] = direction;
        }
    }
    return true;
}

static bool decode_llgr(struct byte_reader *r, struct bgp_open *o) {
    bool even = is_even(r, TUPLE_LLGR_SIZE);
    o->llgr = o->llgr || even;
    while (even && bytes_left(r) > 0) {
        uint16_t afi = bytes_u16(r);
        uint8_t safi = bytes_u8(r);
        bytes_u8(r); /* flags: forwarding state, of no use to who keeps no routes that long */
        uint32_t time_s = (uint32_t)bytes_u8(r) << 16;
        time_s |= bytes_u16(r);
        enum bgp_family family;
        if (family_from_afi(afi, safi, &family)) {
            o->llgr_time_s[family] = time_s;
        }
    }
    return true;
}

/* ---- encode ---- */

static void put_family(struct byte_writer *w, enum bgp_family f) {
    bytes_put_u16(w, family_afi(f));
    bytes_put_u8(w, 1);
}

static void put_extended_next_hop(struct byte_writer *w, const struct bgp_open *o) {
    (void)o;
    bytes_put_u16(w, 1);
    bytes_put_u16(w, 1);
    bytes_put_u16(w, 2);
}

static void put_role(struct byte_writer *w, const struct bgp_open *o) {
    assert(o->role != BGP_ROLE_NONE);
    bytes_put_u8(w, (uint8_t)(o->role - 1));
}

static void put_gr(struct byte_writer *w, const struct bgp_open *o) {
    assert(o->gr_time_s <= GR_TIME_MASK);
    unsigned head = o->gr_time_s | (o->gr_restarting ? GR_RESTARTING : 0u) |
                    (o->gr_notification ? GR_NOTIFICATION : 0u);
    bytes_put_u16(w, (uint16_t)head);
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (o->gr_families[f].present) {
            put_family(w, (enum bgp_family)f);
            bytes_put_u8(w, o->gr_families[f].forwarding ? GR_FORWARDING : 0);
        }
    }
}

static void put_as4(struct byte_writer *w, const struct bgp_open *o) {
    bytes_put_u32(w, o->asn);
}

static void put_add_path(struct byte_writer *w, const struct bgp_open *o) {
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (o->add_path[f]) {
            put_family(w, (enum bgp_family)f);
            bytes_put_u8(w, o->add_path[f]);
        }
    }
}

static void put_llgr(struct byte_writer *w, const struct bgp_open *o) {
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (o->llgr_time_s[f]) {
            put_family(w, (enum bgp_family)f);
            bytes_put_u8(w, 0);
            bytes_put_u8(w, (uint8_t)(o->llgr_time_s[f] >> 16));
            bytes_put_u16(w, (uint16_t)o->llgr_time_s[f]);
        }
    }
}

/* ---- the table ---- */

struct capability_row {
    uint8_t code;
    bool (*decode)(struct byte_reader *r, struct bgp_open *o);
    void (*put)(struct byte_writer *w, const struct bgp_open *o); /* NULL: no value */
};

/* BIRD: ascending but for the old refresh code. */
static const struct capability_row rows[] = {
    {BGP_CAP_MP, decode_mp, NULL},
    {BGP_CAP_REFRESH, decode_refresh, NULL},
    {BGP_CAP_REFRESH_OLD, decode_refresh_old, NULL},
    {BGP_CAP_EXTENDED_NEXT_HOP, decode_extended_next_hop, put_extended_next_hop},
    {BGP_CAP_EXTENDED_MESSAGE, decode_extended_message, NULL},
    {BGP_CAP_ROLE, decode_role, put_role},
    {BGP_CAP_GR, decode_gr, put_gr},
    {BGP_CAP_AS4, decode_as4, put_as4},
    {BGP_CAP_ADD_PATH, decode_add_path, put_add_path},
    {BGP_CAP_ENHANCED_REFRESH, decode_enhanced_refresh, NULL},
    {BGP_CAP_LLGR, decode_llgr, put_llgr},
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

/* IOS: the old refresh code first, graceful restart last. */
static const uint8_t ios_order[ROW_COUNT] = {
    BGP_CAP_MP,
    BGP_CAP_REFRESH_OLD,
    BGP_CAP_REFRESH,
    BGP_CAP_EXTENDED_NEXT_HOP,
    BGP_CAP_EXTENDED_MESSAGE,
    BGP_CAP_ROLE,
    BGP_CAP_ENHANCED_REFRESH,
    BGP_CAP_AS4,
    BGP_CAP_ADD_PATH,
    BGP_CAP_GR,
    BGP_CAP_LLGR,
};

static const struct capability_row *row_find(uint8_t code) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].code == code) {
            return &rows[i];
        }
    }
    return NULL;
}

bool capability_decode_all(struct byte_reader *r, struct bgp_open *o) {
    o->has_capabilities = true;
    while (bytes_left(r) > 0) {
        const struct capability_row *row = row_find(bytes_u8(r));
        uint8_t size = bytes_u8(r);
        struct byte_reader value = bytes_view(r, size);
        if (!bytes_ok(&value)) {
            return false;
        }
        /* A known one is read to its last octet, or damaged. */
        if (row && (!row->decode(&value, o) || !bytes_ok(&value) || bytes_left(&value) > 0)) {
            return false;
        }
    }
    return bytes_ok(r);
}

static bool is_wanted(const struct bgp_open *o, uint8_t code) {
    switch ((enum bgp_capability)code) {
    case BGP_CAP_MP:
        return o->mp_present;
    case BGP_CAP_REFRESH:
        return o->refresh;
    case BGP_CAP_REFRESH_OLD:
        return o->refresh_old;
    case BGP_CAP_EXTENDED_NEXT_HOP:
        return o->extended_next_hop;
    case BGP_CAP_EXTENDED_MESSAGE:
        return o->extended_message;
    case BGP_CAP_ROLE:
        return o->role != BGP_ROLE_NONE;
    case BGP_CAP_GR:
        return o->gr;
    case BGP_CAP_AS4:
        return o->as4;
    case BGP_CAP_ADD_PATH:
        return o->add_path[BGP_IPV4_UNICAST] || o->add_path[BGP_IPV6_UNICAST];
    case BGP_CAP_ENHANCED_REFRESH:
        return o->enhanced_refresh;
    case BGP_CAP_LLGR:
        return o->llgr;
    }
    return false;
}

/* One for each family. */
static void put_mp(struct byte_writer *w, const struct bgp_open *o) {
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (o->families[f]) {
            bytes_put_u8(w, BGP_CAP_MP);
            bytes_put_u8(w, 4);
            bytes_put_u16(w, family_afi((enum bgp_family)f));
            bytes_put_u8(w, 0);
            bytes_put_u8(w, 1);
        }
    }
}

static void put_one(struct byte_writer *w, const struct bgp_open *o,
                    const struct capability_row *row) {
    bytes_put_u8(w, row->code);
    bytes_put_u8(w, 0);
    size_t mark = w->at;
    if (row->put) {
        row->put(w, o);
    }
    if (!w->failed) {
        assert(w->at - mark <= UINT8_MAX);
        w->data[mark - 1] = (uint8_t)(w->at - mark);
    }
}

void capability_encode_all(const struct bgp_open *o, struct byte_writer *w) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        uint8_t code = o->one_capability_per_parameter ? ios_order[i] : rows[i].code;
        if (!is_wanted(o, code)) {
            continue;
        }
        if (code == BGP_CAP_MP) {
            put_mp(w, o);
        } else {
            put_one(w, o, row_find(code));
        }
    }
}
