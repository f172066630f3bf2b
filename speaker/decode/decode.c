/*
 * A message taken apart: the codec's verdict, and beside it the attributes as they stand on the
 * wire.
 *
 * Owns no rule of the protocol but one: the subcode a malformed attribute would have had before
 * RFC 7606 made it milder (RFC 4271 6.3), because people look errors up by it. Everything else is
 * asked of core. Pure: bytes in, structs out, memory from the caller's arena.
 */
#include "decode.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "../core/as_path.h"
#include "../core/limits.h"
#include "decode_attr.h"
#include "decode_body.h"

#include <string.h>

struct decode_options decode_defaults(void) {
    return (struct decode_options){.codec = {.as4 = true, .families = {true, true}}};
}

/* ---- attributes on the wire ---- */

static bool decode_attr_next(struct byte_reader *r, struct decode_attr *ret_attr) {
    if (bytes_left(r) == 0)
        return false;
    struct decode_attr a = {.flags = bytes_u8(r), .code = bytes_u8(r)};
    a.size = a.flags & ATTR_FLAG_EXTENDED ? bytes_u16(r) : bytes_u8(r);
    a.data = bytes_take(r, a.size);
    if (!bytes_ok(r))
        return false;
    *ret_attr = a;
    return true;
}

/* The list of attributes, as far as it is framed soundly; false: out of memory. */
static bool list_attrs(const uint8_t *data, size_t size, struct arena *arena,
                       const struct decode_attr **ret_attrs, uint32_t *ret_count) {
    struct byte_reader r = bytes_reader(data, size);
    struct decode_attr a;
    uint32_t seen[8] = {0};
    uint32_t count = 0;
    while (decode_attr_next(&r, &a))
        count++;
    struct decode_attr *list = arena_array(arena, count ? count : 1, sizeof *list);
    if (!list)
        return false;
    r = bytes_reader(data, size);
    for (uint32_t i = 0; i < count && decode_attr_next(&r, &a); i++) {
        uint32_t bit = UINT32_C(1) << a.code % 32;
        a.repeated = seen[a.code / 32] & bit;
        seen[a.code / 32] |= bit;
        list[i] = a;
    }
    *ret_attrs = list;
    *ret_count = count;
    return true;
}

const struct decode_attr *decode_attr_find(const struct decode_message *m, uint8_t code) {
    for (uint32_t i = 0; i < m->attr_count; i++)
        if (m->attrs[i].code == code)
            return &m->attrs[i];
    return NULL;
}

/* Where it begins: flags and code stand before one or two octets of length. */
static const uint8_t *attr_start(const struct decode_attr *a) {
    return a->data - (a->flags & ATTR_FLAG_EXTENDED ? 4 : 3);
}

/* The attribute the codec blamed, on the wire; NULL: it is missing, or not framed. */
static const struct decode_attr *decode_blamed(const struct decode_message *m) {
    const uint8_t *at = m->update.worst_at;
    if (!at)
        return decode_attr_find(m, m->update.worst_attribute);
    for (uint32_t i = 0; i < m->attr_count; i++)
        if (attr_start(&m->attrs[i]) == at)
            return &m->attrs[i];
    return NULL;
}

bool decode_attr_used(const struct decode_message *m, const struct decode_attr *a) {
    const struct attr_values *v = &m->update.attrs;
    if (a->repeated || m->error.outcome >= BGP_OUTCOME_TREAT_AS_WITHDRAW)
        return false;
    switch (a->code) {
    case ATTR_MED:
        return v->has_med;
    case ATTR_LOCAL_PREF:
        return v->has_local_pref;
    case ATTR_ATOMIC_AGGREGATE:
        return v->atomic_aggregate;
    case ATTR_AGGREGATOR:
        return v->has_aggregator;
    case ATTR_ORIGINATOR_ID:
        return v->has_originator_id;
    case ATTR_CLUSTER_LIST:
        return v->cluster_count > 0;
    case ATTR_AS4_PATH: /* RFC 6793 4.1 */
    case ATTR_AS4_AGGREGATOR:
        return !m->how.codec.as4;
    default: /* discarded only for standing there again, or as a whole */
        return m->error.outcome == BGP_OUTCOME_OK || decode_blamed(m) != a;
    }
}

bool decode_end_of_rib(const struct decode_message *m, struct text *out) {
    const struct decode_attr *a = m->attrs;
    if (m->type != BGP_MSG_UPDATE || m->error.outcome != BGP_OUTCOME_OK)
        return false;
    if (m->update.end_of_rib) {
        text_puts(out, decode_our_family(m->update.end_of_rib_family));
        return true;
    }
    /* Nothing at all, of a session without IPv4 … */
    if (m->body_size == 4) {
        decode_family_name(1, 1, out);
        return true;
    }
    /* … or no withdrawn routes, one MP_UNREACH_NLRI of a family alone, no NLRI. */
    if (m->attr_count != 1 || a->code != ATTR_MP_UNREACH || a->size != 3 || m->body[0] ||
        m->body[1] || a->data + a->size != m->body + m->body_size)
        return false;
    decode_family_name((uint16_t)(a->data[0] << 8 | a->data[1]), a->data[2], out);
    return true;
}

/* ---- errors ---- */

/* RFC 4271 6.3: the subcode of a fault in this attribute; `row` NULL: not known by name. */
static uint8_t decode_attr_subcode(const struct decode_attr *a, const struct decode_attr_row *row,
                                   bool as4) {
    if (a->repeated)
        return BGP_UPDATE_ERR_LIST;
    if (!row || (a->flags & (ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE)) != row->flags)
        return row ? BGP_UPDATE_ERR_FLAGS : BGP_UPDATE_ERR_OPTIONAL;
    bool wrong_size = a->code == ATTR_AGGREGATOR ? a->size != (as4 ? 8 : 6)
                                                 : !decode_attr_well_sized(a, row) ||
                                                       (row->kind == DECODE_LIST && a->size == 0);
    return wrong_size ? BGP_UPDATE_ERR_LENGTH : row->subcode;
}

static struct decode_error decode_update_error(const struct decode_message *m) {
    const struct bgp_update *u = &m->update;
    struct decode_error e = {.outcome = u->outcome, .attr = u->worst_attribute};
    if (u->outcome == BGP_OUTCOME_OK)
        return e;
    if (u->outcome == BGP_OUTCOME_SESSION_RESET) {
        e.code = u->error.code;
        e.subcode = u->error.subcode;
        return e;
    }
    const struct decode_attr *a = decode_blamed(m);
    e.code = BGP_ERR_UPDATE;
    if (a)
        e.subcode = decode_attr_subcode(a, decode_attr_row(e.attr), m->how.codec.as4);
    else
        e.subcode = u->worst_at ? BGP_UPDATE_ERR_LIST : BGP_UPDATE_ERR_MISSING;
    return e;
}

static struct decode_error decode_reset(struct bgp_error error) {
    return (struct decode_error){
        .outcome = BGP_OUTCOME_SESSION_RESET, .code = error.code, .subcode = error.subcode};
}

static void decode_no_memory(struct decode_message *m) {
    m->note = "out of memory";
    m->error = (struct decode_error){BGP_OUTCOME_SESSION_RESET, BGP_ERR_CEASE,
                                     BGP_CEASE_OUT_OF_RESOURCES, 0};
}

/* ---- messages ---- */

/* The codec keeps what AS_PATH and AS4_PATH say together; people want to see both. */
static void decode_as4_path(struct decode_message *m, struct arena *arena) {
    const struct decode_attr *a = decode_attr_find(m, ATTR_AS4_PATH);
    struct as_path path;
    if (!a)
        return;
    struct byte_reader r = bytes_reader(a->data, a->size);
    if (as_path_decode(&r, true, AS_PATH_CONFED_KEEP, arena, &path) == AS_PATH_OK)
        m->as4_path = path;
}

static void decode_update(struct decode_message *m, struct arena *arena) {
    struct byte_reader r = bytes_reader(m->body, m->body_size);
    uint16_t withdrawn_size = bytes_u16(&r);
    (void)bytes_take(&r, withdrawn_size);
    uint16_t attrs_size = bytes_u16(&r);
    struct byte_reader attrs = bytes_view(&r, attrs_size);
    update_decode(&m->how.codec, m->body, m->body_size, arena, &m->update);
    if (bytes_ok(&attrs) && !list_attrs(attrs.data, attrs.size, arena, &m->attrs, &m->attr_count)) {
        decode_no_memory(m);
        return;
    }
    decode_as4_path(m, arena);
    m->error = decode_update_error(m);
}

static void decode_by_type(struct decode_message *m, struct arena *arena) {
    struct bgp_error error = {0};
    switch (m->type) {
    case BGP_MSG_OPEN:
        if (!open_decode(m->body, m->body_size, &m->open, &error))
            m->error = decode_reset(error);
        break;
    case BGP_MSG_UPDATE:
        decode_update(m, arena);
        break;
    case BGP_MSG_NOTIFICATION:
        if (!notification_decode(m->body, m->body_size, &m->notification))
            m->error = decode_reset(
                (struct bgp_error){.code = BGP_ERR_HEADER, .subcode = BGP_HEADER_ERR_LENGTH});
        break;
    case BGP_MSG_ROUTE_REFRESH:
        if (!refresh_decode(m->body, m->body_size, &m->refresh, &error))
            m->error = decode_reset(error);
        break;
    case BGP_MSG_KEEPALIVE:
        break;
    }
}

void decode_body(const struct decode_options *how, enum bgp_message_type type, const uint8_t *body,
                 size_t size, struct arena *arena, struct decode_message *ret_message) {
    struct decode_message *m = ret_message;
    memset(m, 0, sizeof *m);
    m->how = *how;
    m->type = type;
    m->size = BGP_HEADER_SIZE + size;
    m->body = body;
    m->body_size = size;
    decode_by_type(m, arena);
}

void decode_message(const struct decode_options *how, const uint8_t *data, size_t size,
                    struct arena *arena, struct decode_message *ret_message) {
    struct decode_message *m = ret_message;
    struct bgp_error error = {0};
    memset(m, 0, sizeof *m);
    m->how = *how;
    enum bgp_message_type type = BGP_MSG_KEEPALIVE;
    size_t whole = how->extended ? message_peek_extended(data, size, &type, &error)
                                 : message_peek(data, size, &type, &error);
    if (error.code != 0) {
        m->error = decode_reset(error);
        return;
    }
    if (whole == 0 || whole != size) {
        m->note = whole == 0 || whole > size ? "truncated: fewer octets than the header says"
                                             : "octets behind the message's end";
        m->error = decode_reset(
            (struct bgp_error){.code = BGP_ERR_HEADER, .subcode = BGP_HEADER_ERR_LENGTH});
        return;
    }
    decode_body(how, type, data + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, arena, m);
}
