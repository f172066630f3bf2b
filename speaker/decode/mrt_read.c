/*
 * MRT records taken apart: RFC 6396 4, RFC 8050.
 *
 * A route of a table is turned into the UPDATE that would announce it (the abbreviated MP_REACH of
 * 6396 4.3.4 made whole again, the prefix put where its family has it), so that the speaker's own
 * codec reads and judges its attributes. The invariant is that nothing is believed beyond the
 * record: counts only end loops that run out of octets sooner, and the peer table grows by what is
 * there.
 */
#include "mrt.h"

#include "../base/arena.h"
#include "../core/limits.h"
#include "decode_body.h"

#include <string.h>

/* MP_REACH's head, next-hop length and reserved octet, the prefix there and behind the attributes,
 * the two lengths of the body. */
#define TABLE_UPDATE_MORE ((size_t)64)
#define AFI_IP4 1
#define AFI_IP6 2

enum table_subtype {
    TABLE_PEERS = 1,
    TABLE_IP4 = 2,
    TABLE_IP4_MULTICAST = 3,
    TABLE_IP6 = 4,
    TABLE_IP6_MULTICAST = 5,
    TABLE_GENERIC = 6,
    TABLE_IP4_ADD_PATH = 8,
    TABLE_IP4_MULTICAST_ADD_PATH = 9,
    TABLE_IP6_ADD_PATH = 10,
    TABLE_IP6_MULTICAST_ADD_PATH = 11,
    TABLE_GENERIC_ADD_PATH = 12,
};

struct mrt_reader {
    struct mrt_peer *peers;
    uint32_t peer_count, peer_capacity;
    struct arena *scratch;
    /* Of the record at hand. */
    mrt_fn *each;
    void *context;
    struct mrt_item item;
};

/* A prefix of a table and how its entries look. */
struct table_prefix {
    enum bgp_family family;
    uint8_t length;
    const uint8_t *octets;
    bool add_path;
};

struct mrt_reader *mrt_reader_new(void) {
    struct mrt_reader *r = alloc_zero(1, sizeof *r);
    if (!r)
        return NULL;
    r->scratch = arena_new();
    if (!r->scratch) {
        alloc_free(r);
        return NULL;
    }
    return r;
}

void mrt_reader_free(struct mrt_reader *r) {
    if (!r)
        return;
    arena_free(r->scratch);
    alloc_free(r->peers);
    alloc_free(r);
}

struct mrt_header mrt_header_decode(const uint8_t data[MRT_HEADER_SIZE]) {
    struct byte_reader r = bytes_reader(data, MRT_HEADER_SIZE);
    struct mrt_header h = {.time_s = bytes_u32(&r)};
    h.type = bytes_u16(&r);
    h.subtype = bytes_u16(&r);
    h.size = bytes_u32(&r);
    return h;
}

const char *mrt_type_name(uint16_t type) {
    switch (type) {
    case MRT_TABLE_DUMP:
        return "TABLE_DUMP";
    case MRT_TABLE_DUMP_V2:
        return "TABLE_DUMP2";
    case MRT_BGP4MP:
        return "BGP4MP";
    case MRT_BGP4MP_ET:
        return "BGP4MP_ET";
    default:
        return NULL;
    }
}

static struct ip_addr take_address(struct byte_reader *r, bool v6) {
    if (!v6)
        return ip4(bytes_u32(r));
    const uint8_t *octets = bytes_take(r, 16);
    return octets ? ip6(octets) : (struct ip_addr){0};
}

/* ---- routes ---- */

/* The next hop of an MP_REACH as tables have it: alone behind its length, or in the whole form that
 * some writers leave. */
static struct byte_reader table_next_hop(struct byte_reader value) {
    if (value.size > 0 && value.data[0] != value.size - 1) {
        (void)bytes_take(&value, 3);
        return bytes_view(&value, bytes_u8(&value));
    }
    return bytes_view(&value, bytes_u8(&value));
}

static void put_prefix(struct byte_writer *w, const struct table_prefix *p, uint32_t path_id) {
    if (p->add_path)
        bytes_put_u32(w, path_id);
    bytes_put_u8(w, p->length);
    bytes_put(w, p->octets, (p->length + 7u) / 8);
}

/* MP_REACH made whole. */
static void put_mp_reach(struct byte_writer *w, const struct table_prefix *p, uint32_t path_id,
                         struct byte_reader value) {
    struct byte_reader next_hop = table_next_hop(value);
    bytes_put_u8(w, ATTR_FLAG_OPTIONAL | ATTR_FLAG_EXTENDED);
    bytes_put_u8(w, ATTR_MP_REACH);
    size_t mark = bytes_mark_u16(w);
    bytes_put_u16(w, family_afi(p->family));
    bytes_put_u8(w, 1);
    bytes_put_u8(w, (uint8_t)bytes_left(&next_hop));
    bytes_put(w, next_hop.data, bytes_left(&next_hop));
    bytes_put_u8(w, 0);
    put_prefix(w, p, path_id);
    bytes_patch_u16(w, mark);
}

/* The body of an UPDATE that announces the prefix with these attributes. */
static void put_update(struct byte_writer *w, const struct table_prefix *p, uint32_t path_id,
                       struct byte_reader attrs) {
    bool mp = false;
    bytes_put_u16(w, 0);
    size_t mark = bytes_mark_u16(w);
    while (bytes_left(&attrs) > 0) {
        size_t start = attrs.at;
        uint8_t flags = bytes_u8(&attrs);
        uint8_t code = bytes_u8(&attrs);
        size_t size = flags & ATTR_FLAG_EXTENDED ? bytes_u16(&attrs) : bytes_u8(&attrs);
        struct byte_reader value = bytes_view(&attrs, size);
        if (!bytes_ok(&attrs)) { /* damaged: the codec shall see it as it is */
            bytes_put(w, attrs.data + start, attrs.size - start);
            break;
        }
        if (code == ATTR_MP_REACH && !mp)
            put_mp_reach(w, p, path_id, value);
        else
            bytes_put(w, attrs.data + start, attrs.at - start);
        mp = mp || code == ATTR_MP_REACH;
    }
    bytes_patch_u16(w, mark);
    if (!mp && p->family == BGP_IPV4_UNICAST)
        put_prefix(w, p, path_id);
}

/* The collector's own routes have next hop 0.0.0.0 in a table: no session could announce them so,
 * but here that is no fault. The codec looks at it last, so nothing else is wrong then. */
static void accept_own_route(struct decode_message *m) {
    const struct decode_attr *a = decode_attr_find(m, m->error.attr);
    bool next_hop = m->error.attr == ATTR_NEXT_HOP || m->error.attr == ATTR_MP_REACH;
    if (m->error.outcome != BGP_OUTCOME_TREAT_AS_WITHDRAW || !next_hop || !a ||
        !ip_is_unspecified(m->update.next_hop[0]) || m->update.announced_count != 1)
        return;
    m->error = (struct decode_error){0};
    m->update.outcome = BGP_OUTCOME_OK;
}

static const char *take_route(struct mrt_reader *r, const struct table_prefix *p, uint32_t path_id,
                              struct byte_reader attrs, bool as4) {
    size_t room = attrs.size + TABLE_UPDATE_MORE;
    struct decode_options how = decode_defaults();
    struct decode_message m;
    arena_reset(r->scratch);
    uint8_t *body = arena_array(r->scratch, room, 1);
    if (!body)
        return "out of memory";
    struct byte_writer w = bytes_writer(body, room);
    put_update(&w, p, path_id, attrs);
    if (w.failed || w.at > BGP_MESSAGE_EXTENDED_MAX - BGP_HEADER_SIZE)
        return "attributes too large for a message";
    how.codec.as4 = as4;
    how.codec.extended_next_hop = true;
    how.codec.add_path[p->family] = p->add_path;
    how.extended = true;
    decode_body(&how, BGP_MSG_UPDATE, body, w.at, r->scratch, &m);
    accept_own_route(&m);
    r->item.kind = MRT_ROUTE;
    r->item.message = &m;
    r->each(r->context, &r->item);
    return NULL;
}

/* ---- TABLE_DUMP ---- */

static const char *read_table_dump(struct mrt_reader *r, const struct mrt_header *h,
                                   struct byte_reader b) {
    bool v6 = h->subtype == AFI_IP6;
    struct table_prefix p = {.family = v6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST};
    if (h->subtype != AFI_IP4 && !v6)
        return "unknown subtype";
    (void)bytes_u32(&b); /* view, sequence */
    p.octets = bytes_take(&b, v6 ? 16 : 4);
    p.length = bytes_u8(&b);
    (void)bytes_u8(&b); /* status */
    r->item.time_s = bytes_u32(&b);
    r->item.peer = (struct mrt_peer){.addr = take_address(&b, v6)};
    r->item.peer.asn = bytes_u16(&b);
    struct byte_reader attrs = bytes_view(&b, bytes_u16(&b));
    if (!bytes_ok(&attrs))
        return "truncated";
    if (p.length > (v6 ? 128 : 32))
        return "impossible prefix length";
    return take_route(r, &p, 0, attrs, false);
}

/* ---- TABLE_DUMP_V2 ---- */

static bool add_peer(struct mrt_reader *r, struct mrt_peer p) {
    if (r->peer_count == r->peer_capacity) {
        uint32_t capacity = r->peer_capacity ? 2 * r->peer_capacity : 16;
        struct mrt_peer *grown = alloc_resize(r->peers, capacity, sizeof *grown);
        if (!grown)
            return false;
        r->peers = grown;
        r->peer_capacity = capacity;
    }
    r->peers[r->peer_count++] = p;
    return true;
}

static const char *read_peers(struct mrt_reader *r, struct byte_reader b) {
    r->peer_count = 0;
    (void)bytes_u32(&b); /* collector */
    (void)bytes_view(&b, bytes_u16(&b));
    uint16_t count = bytes_u16(&b);
    for (uint32_t i = 0; i < count && bytes_ok(&b); i++) {
        uint8_t type = bytes_u8(&b);
        struct mrt_peer p = {.router_id = bytes_u32(&b)};
        p.addr = take_address(&b, type & 1);
        p.asn = type & 2 ? bytes_u32(&b) : bytes_u16(&b);
        if (bytes_ok(&b) && !add_peer(r, p))
            return "out of memory";
    }
    return bytes_ok(&b) ? NULL : "truncated";
}

static const char *read_entries(struct mrt_reader *r, const struct table_prefix *p,
                                struct byte_reader *b) {
    const char *error = NULL;
    uint16_t count = bytes_u16(b);
    for (uint32_t i = 0; i < count && bytes_ok(b); i++) {
        uint16_t peer = bytes_u16(b);
        r->item.time_s = bytes_u32(b);
        uint32_t path_id = p->add_path ? bytes_u32(b) : 0;
        struct byte_reader attrs = bytes_view(b, bytes_u16(b));
        if (!bytes_ok(&attrs))
            return "truncated";
        if (peer >= r->peer_count) {
            error = "a peer that the peer table has not";
            continue;
        }
        r->item.peer = r->peers[peer];
        r->item.peer_index = peer;
        const char *failed = take_route(r, p, path_id, attrs, true);
        error = failed ? failed : error;
    }
    return bytes_ok(b) ? error : "truncated";
}

/* False: a family of the generic form that is not ours. */
static bool table_family(uint16_t subtype, struct byte_reader *b, struct table_prefix *p) {
    bool generic = subtype == TABLE_GENERIC || subtype == TABLE_GENERIC_ADD_PATH;
    p->add_path = subtype >= TABLE_IP4_ADD_PATH;
    p->family = subtype == TABLE_IP6 || subtype == TABLE_IP6_MULTICAST ||
                        subtype == TABLE_IP6_ADD_PATH || subtype == TABLE_IP6_MULTICAST_ADD_PATH
                    ? BGP_IPV6_UNICAST
                    : BGP_IPV4_UNICAST;
    if (!generic)
        return true;
    uint16_t afi = bytes_u16(b);
    uint8_t safi = bytes_u8(b);
    return family_from_afi(afi, safi, &p->family);
}

static const char *read_table(struct mrt_reader *r, const struct mrt_header *h,
                              struct byte_reader b) {
    struct table_prefix p = {0};
    if (h->subtype == TABLE_PEERS)
        return read_peers(r, b);
    if (h->subtype < TABLE_IP4 || h->subtype > TABLE_GENERIC_ADD_PATH || h->subtype == 7)
        return "unknown subtype";
    (void)bytes_u32(&b); /* sequence */
    if (!table_family(h->subtype, &b, &p))
        return bytes_ok(&b) ? "a family that is not read here" : "truncated";
    p.length = bytes_u8(&b);
    if (p.length > (p.family == BGP_IPV6_UNICAST ? 128 : 32))
        return "impossible prefix length";
    p.octets = bytes_take(&b, (p.length + 7u) / 8);
    return p.octets ? read_entries(r, &p, &b) : "truncated";
}

bool mrt_is_foreign(const struct mrt_header *h, const uint8_t *body) {
    enum bgp_family f;
    if (h->type == MRT_TABLE_DUMP)
        return h->subtype != AFI_IP4 && h->subtype != AFI_IP6;
    if (h->type != MRT_TABLE_DUMP_V2)
        return false;
    switch (h->subtype) {
    case TABLE_PEERS:
    case TABLE_IP4:
    case TABLE_IP6:
    case TABLE_IP4_ADD_PATH:
    case TABLE_IP6_ADD_PATH:
        return false;
    case TABLE_GENERIC:
    case TABLE_GENERIC_ADD_PATH:
        return h->size >= 7 && !family_from_afi((uint16_t)(body[4] << 8 | body[5]), body[6], &f);
    default:
        return true;
    }
}

/* ---- BGP4MP ---- */

/* Subtypes by what they are: RFC 6396 4.4, RFC 8050 3. */
static const struct {
    bool known, state, as4, local, add_path;
} messages[] = {
    [0] = {.known = true, .state = true},
    [1] = {.known = true},
    [4] = {.known = true, .as4 = true},
    [5] = {.known = true, .state = true, .as4 = true},
    [6] = {.known = true, .local = true},
    [7] = {.known = true, .as4 = true, .local = true},
    [8] = {.known = true, .add_path = true},
    [9] = {.known = true, .as4 = true, .add_path = true},
    [10] = {.known = true, .local = true, .add_path = true},
    [11] = {.known = true, .as4 = true, .local = true, .add_path = true},
};

static const char *take_message(struct mrt_reader *r, uint16_t subtype, struct byte_reader *b) {
    struct decode_options how = decode_defaults();
    struct decode_message m;
    size_t size = bytes_left(b);
    const uint8_t *data = bytes_take(b, size);
    if (!data)
        return "truncated";
    how.extended = true;
    how.codec.as4 = messages[subtype].as4;
    how.codec.extended_next_hop = true;
    for (int f = 0; f < BGP_FAMILIES; f++)
        how.codec.add_path[f] = messages[subtype].add_path;
    arena_reset(r->scratch);
    decode_message(&how, data, size, r->scratch, &m);
    r->item.kind = MRT_MESSAGE;
    r->item.message = &m;
    r->each(r->context, &r->item);
    return NULL;
}

static const char *read_message(struct mrt_reader *r, const struct mrt_header *h,
                                struct byte_reader b) {
    if (h->subtype >= sizeof messages / sizeof messages[0] || !messages[h->subtype].known)
        return "unknown subtype";
    bool as4 = messages[h->subtype].as4;
    if (h->type == MRT_BGP4MP_ET) {
        r->item.has_microseconds = true;
        r->item.microseconds = bytes_u32(&b);
    }
    r->item.local = messages[h->subtype].local;
    r->item.peer.asn = as4 ? bytes_u32(&b) : bytes_u16(&b);
    (void)(as4 ? bytes_u32(&b) : bytes_u16(&b)); /* local AS */
    (void)bytes_u16(&b);                         /* interface */
    uint16_t afi = bytes_u16(&b);
    if (afi != AFI_IP4 && afi != AFI_IP6)
        return bytes_ok(&b) ? "unknown address family" : "truncated";
    r->item.peer.addr = take_address(&b, afi == AFI_IP6);
    (void)take_address(&b, afi == AFI_IP6);
    if (!messages[h->subtype].state)
        return bytes_ok(&b) ? take_message(r, h->subtype, &b) : "truncated";
    r->item.kind = MRT_STATE;
    r->item.old_state = bytes_u16(&b);
    r->item.new_state = bytes_u16(&b);
    if (!bytes_ok(&b))
        return "truncated";
    r->each(r->context, &r->item);
    return NULL;
}

const char *mrt_read(struct mrt_reader *r, const struct mrt_header *h, const uint8_t *body,
                     mrt_fn *each, void *context) {
    struct byte_reader b = bytes_reader(body, h->size);
    r->each = each;
    r->context = context;
    r->item = (struct mrt_item){.type = mrt_type_name(h->type),
                                .time_s = h->time_s,
                                .dump_time_s = h->time_s,
                                .peer_index = MRT_NO_PEER};
    switch (h->type) {
    case MRT_TABLE_DUMP:
        return read_table_dump(r, h, b);
    case MRT_TABLE_DUMP_V2:
        return read_table(r, h, b);
    case MRT_BGP4MP:
    case MRT_BGP4MP_ET:
        return read_message(r, h, b);
    default:
        return "unknown type";
    }
}
