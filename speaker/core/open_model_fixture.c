/*
 * OPEN as the RFCs have it, in the plainest way that works: positions are counted by hand, every
 * capability is a case.
 *
 * RFC 4271 4.2 and 6.2, 5492 4, 9072 2; capabilities: see capability.c. Where the RFCs leave it
 * open, it is as C030 to C042 have it: a list that does not come out even (5, 69, 71) says nothing,
 * any other wrong length spoils the OPEN.
 */
#include "open_model_fixture.h"

#include <string.h>

#define ACCEPTED (-1)

static unsigned two(const uint8_t *at) {
    return (unsigned)at[0] * 256 + at[1];
}

/* 0 and 1, our families' numbers; -1: none of ours. */
static int family_of(const uint8_t *afi, uint8_t safi) {
    return safi == 1 && two(afi) == 1 ? 0 : safi == 1 && two(afi) == 2 ? 1 : -1;
}

static bool graceful(const uint8_t *v, size_t size, struct bgp_open *o) {
    if (size < 2 || (size - 2) % 4 != 0)
        return false;
    memset(o->gr_families, 0, sizeof o->gr_families);
    o->gr = true;
    o->gr_restarting = v[0] / 128 == 1;
    o->gr_notification = v[0] / 64 % 2 == 1;
    o->gr_time_s = (uint16_t)(two(v) % 4096);
    for (size_t at = 2; at < size; at += 4) {
        int f = family_of(v + at, v[at + 2]);
        if (f >= 0)
            o->gr_families[f] = (struct bgp_gr_family){true, v[at + 3] >= 128};
    }
    return true;
}

static void add_path(const uint8_t *v, size_t size, struct bgp_open *o) {
    for (size_t at = 0; size % 4 == 0 && at < size; at += 4) {
        int f = family_of(v + at, v[at + 2]);
        if (f >= 0 && v[at + 3] >= 1 && v[at + 3] <= 3)
            o->add_path[f] = v[at + 3];
    }
}

static void long_lived(const uint8_t *v, size_t size, struct bgp_open *o) {
    if (size % 7 != 0)
        return;
    o->llgr = true;
    for (size_t at = 0; at < size; at += 7) {
        int f = family_of(v + at, v[at + 2]);
        if (f >= 0)
            o->llgr_time_s[f] = v[at + 4] * 65536u + two(v + at + 5);
    }
}

static void next_hops(const uint8_t *v, size_t size, struct bgp_open *o) {
    static const uint8_t ipv4_by_ipv6[6] = {0, 1, 0, 1, 0, 2};
    for (size_t at = 0; size % 6 == 0 && at < size; at += 6) {
        if (memcmp(v + at, ipv4_by_ipv6, 6) == 0)
            o->extended_next_hop = true;
    }
}

static bool role(const uint8_t *v, size_t size, struct bgp_open *o) {
    if (size != 1)
        return false;
    uint16_t said = (uint16_t)(v[0] + 1);
    if (o->role != BGP_ROLE_NONE && o->role != said)
        o->role_conflict = true;
    o->role = said;
    return true;
}

static bool multiprotocol(const uint8_t *v, size_t size, struct bgp_open *o) {
    if (size != 4)
        return false;
    int f = family_of(v, v[3]);
    o->mp_present = true;
    if (f >= 0)
        o->families[f] = true;
    return true;
}

static bool flag(size_t size, bool *ret_said) {
    *ret_said = true;
    return size == 0;
}

/* False: it spoils the OPEN. */
static bool capability(uint8_t code, const uint8_t *v, size_t size, struct bgp_open *o) {
    switch (code) {
    case 1:
        return multiprotocol(v, size, o);
    case 2:
        return flag(size, &o->refresh);
    case 5:
        next_hops(v, size, o);
        return true;
    case 6:
        return flag(size, &o->extended_message);
    case 9:
        return role(v, size, o);
    case 64:
        return graceful(v, size, o);
    case 65:
        o->as4 = true;
        if (size == 4)
            o->asn = two(v) * 65536u + two(v + 2);
        return size == 4;
    case 69:
        add_path(v, size, o);
        return true;
    case 70:
        return flag(size, &o->enhanced_refresh);
    case 71:
        long_lived(v, size, o);
        return true;
    case 128:
        return flag(size, &o->refresh_old);
    default:
        return true;
    }
}

static bool capabilities(const uint8_t *v, size_t size, struct bgp_open *o) {
    o->has_capabilities = true;
    for (size_t at = 0; at < size; at += (size_t)2 + v[at + 1]) {
        if (size - at < 2 || size - at - 2 < v[at + 1] ||
            !capability(v[at], v + at + 2, v[at + 1], o))
            return false;
    }
    return true;
}

/* The optional parameters: their length field is at 9. */
static int parameters(const uint8_t *body, size_t size, struct bgp_open *o) {
    bool extended = size > 10 && body[9] > 0 && body[10] == 255;
    size_t at = extended ? 13 : 10, head = extended ? 3 : 2;
    if (size < at || size - at != (extended ? two(body + 11) : body[9]))
        return 0;
    while (at < size) {
        if (size - at < head)
            return 0;
        size_t length = extended ? two(body + at + 1) : body[at + 1];
        if (size - at - head < length)
            return 0;
        if (body[at] != 2)
            return 4;
        if (!capabilities(body + at + head, length, o))
            return 0;
        at += head + length;
    }
    return ACCEPTED;
}

int open_model_read(const uint8_t *body, size_t size, struct bgp_open *ret_open) {
    struct bgp_open *o = ret_open;
    *o = (struct bgp_open){0};
    if (size < 9)
        return 0;
    if (body[0] != 4)
        return 1;
    o->asn = two(body + 1);
    o->hold_time_s = (uint16_t)two(body + 3);
    o->router_id = two(body + 5) * 65536u + two(body + 7);
    int wrong = parameters(body, size, o);
    if (wrong != ACCEPTED)
        return wrong;
    if (two(body + 1) == 0 || o->asn == 0 || o->asn == 23456)
        return 2;
    if (o->router_id == 0)
        return 3;
    if (o->hold_time_s == 1 || o->hold_time_s == 2)
        return 6;
    o->families[0] |= !o->mp_present;
    return ACCEPTED;
}

static bool same_families(const struct bgp_open *a, const struct bgp_open *b) {
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (a->families[f] != b->families[f] || a->add_path[f] != b->add_path[f] ||
            a->llgr_time_s[f] != b->llgr_time_s[f] ||
            a->gr_families[f].present != b->gr_families[f].present ||
            a->gr_families[f].forwarding != b->gr_families[f].forwarding)
            return false;
    }
    return true;
}

bool open_model_same(const struct bgp_open *a, const struct bgp_open *b) {
    return same_families(a, b) && a->asn == b->asn && a->hold_time_s == b->hold_time_s &&
           a->router_id == b->router_id && a->mp_present == b->mp_present &&
           a->refresh == b->refresh && a->refresh_old == b->refresh_old &&
           a->enhanced_refresh == b->enhanced_refresh && a->as4 == b->as4 && a->gr == b->gr &&
           a->gr_restarting == b->gr_restarting && a->gr_notification == b->gr_notification &&
           a->gr_time_s == b->gr_time_s && a->extended_message == b->extended_message &&
           a->extended_next_hop == b->extended_next_hop && a->llgr == b->llgr &&
           a->role == b->role && a->role_conflict == b->role_conflict;
}
