/*
 * A decoded message for people: a headline, then a line for everything in it, indented.
 *
 * Attributes come in the order of the wire with their flags (O optional, T transitive, P partial,
 * E extended length) and size, and in words wherever its octets can be read, refused or not; what
 * cannot be read shows its octets. Octets of a remote leave here escaped.
 */
#include "decode.h"

#include "../base/text.h"
#include "decode_attr.h"
#include "decode_mp.h"
#include "decode_notification.h"
#include "decode_opaque.h"
#include "decode_open.h"

#include <ctype.h>

#define HEX_OCTETS_MAX 64

static void put_hex(const uint8_t *data, size_t size, struct text *out) {
    for (size_t i = 0; i < size && i < HEX_OCTETS_MAX; i++)
        text_printf(out, "%02x", data[i]);
    if (size > HEX_OCTETS_MAX)
        text_printf(out, "… (%zu octets)", size);
}

static void put_flags(uint8_t flags, struct text *out) {
    static const char letters[] = "OTPE";
    for (int i = 0; i < 4; i++)
        text_putc(out, flags & (0x80 >> i) ? letters[i] : '-');
}

static void put_item(const struct decode_attr_row *row, const uint8_t *data, struct text *out) {
    if (row->say)
        row->say(data, out);
    else
        row->put(data, out);
}

static void put_list(const struct decode_attr *a, const struct decode_attr_row *row,
                     struct text *out) {
    struct byte_reader r = bytes_reader(a->data, a->size);
    while (bytes_left(&r) > 0) {
        put_item(row, bytes_take(&r, row->item_size), out);
        if (bytes_left(&r) > 0)
            text_putc(out, ' ');
    }
}

/* Family and next hop; the prefixes too, where they are not given one by one below. */
static bool put_mp(const struct decode_message *m, const struct decode_attr *a, struct text *out) {
    struct decode_mp mp;
    if (!decode_mp_fields(a, &mp))
        return false;
    decode_family_name(mp.afi, mp.safi, out);
    if (mp.next_hop_size) {
        text_puts(out, ", next hop ");
        decode_mp_next_hop(&mp, out);
    }
    bool below = decode_mp_is_read(m, &mp) && m->error.outcome < BGP_OUTCOME_SESSION_RESET;
    if (mp.nlri_size == 0 || below)
        return true;
    text_puts(out, ", prefixes ");
    put_hex(mp.nlri, mp.nlri_size, out);
    return true;
}

/* What no member of JSON has. False: its octets are wanted. */
static bool put_hidden(const struct decode_message *m, const struct decode_attr *a,
                       const struct decode_attr_row *row, struct text *out) {
    if (a->repeated)
        return false;
    if (a->code == ATTR_AS4_PATH && m->as4_path.word_count > 0) {
        as_path_format(m->as4_path, false, out);
        return true;
    }
    if (row->say) {
        row->say(a->data, out);
        return true;
    }
    return put_mp(m, a, out);
}

/* An AS path is kept once, and only when it is sound. */
static bool has_path(const struct decode_message *m, const struct decode_attr *a) {
    return !a->repeated && (a->size == 0 || m->update.attrs.as_path.word_count > 0);
}

static bool has_aggregator(const struct decode_message *m, const struct decode_attr *a) {
    return !a->repeated && m->update.attrs.has_aggregator;
}

/* False: nothing but the octets can be shown. */
static bool put_words(const struct decode_message *m, const struct decode_attr *a,
                      const struct decode_attr_row *row, struct text *out) {
    const struct attr_values *v = &m->update.attrs;
    switch (row->kind) {
    case DECODE_TEXT:
    case DECODE_NUMBER:
        put_item(row, a->data, out);
        return true;
    case DECODE_LIST:
        put_list(a, row, out);
        return true;
    case DECODE_PATH:
        if (has_path(m, a))
            as_path_format(v->as_path, false, out);
        return has_path(m, a);
    case DECODE_AGGREGATOR:
        if (has_aggregator(m, a)) {
            text_printf(out, "%u ", v->aggregator_as);
            decode_put_id(v->aggregator_id, out);
        }
        return has_aggregator(m, a);
    case DECODE_FLAG:
        return true;
    case DECODE_HIDDEN:
        return put_hidden(m, a, row, out);
    case DECODE_OPAQUE:
        return decode_opaque_put(a->code, a->data, a->size, out);
    }
    return false;
}

static void put_attr(const struct decode_message *m, const struct decode_attr *a,
                     struct text *out) {
    const struct decode_attr_row *row = decode_attr_row(a->code);
    text_printf(out, "  %-20s %3u ", row ? row->name : "unknown attribute", a->code);
    put_flags(a->flags, out);
    text_printf(out, " %3u  ", a->size);
    if (!row || !decode_attr_well_sized(a, row) || !put_words(m, a, row, out))
        put_hex(a->data, a->size, out);
    if (a->repeated)
        text_puts(out, " (again)");
    else if (m->error.outcome < BGP_OUTCOME_TREAT_AS_WITHDRAW && !decode_attr_used(m, a))
        text_puts(out, " (not used)");
    text_putc(out, '\n');
}

static void put_nlri(const char *what, const struct bgp_nlri *n, struct ip_addr next_hop,
                     struct text *out) {
    char text[IP_PREFIX_TEXT_MAX];
    struct ip_prefix prefix;
    uint32_t path_id;
    for (uint32_t at = 0; nlri_next_path(n, &at, &prefix, &path_id);) {
        text_printf(out, "  %s %s %s", what, decode_our_family(n->family),
                    ip_prefix_format(prefix, text));
        if (n->add_path)
            text_printf(out, " path %u", path_id);
        if (ip_is_set(next_hop))
            text_printf(out, " via %s", ip_format(next_hop, text));
        text_putc(out, '\n');
    }
}

static void put_update(const struct decode_message *m, struct text *out) {
    const struct bgp_update *u = &m->update;
    bool announced = m->error.outcome < BGP_OUTCOME_TREAT_AS_WITHDRAW;
    bool reset = m->error.outcome == BGP_OUTCOME_SESSION_RESET;
    const char *what = announced ? "announce" : reset ? "ignored" : "treat as withdrawn";
    static const struct ip_addr none = {0};
    for (uint32_t i = 0; i < m->attr_count; i++)
        put_attr(m, &m->attrs[i], out);
    for (uint8_t i = 0; i < u->withdrawn_count; i++)
        put_nlri(reset ? "ignored" : "withdraw", &u->withdrawn[i], none, out);
    for (uint8_t i = 0; i < u->announced_count; i++)
        put_nlri(what, &u->announced[i], announced ? u->next_hop[i] : none, out);
    struct text family;
    text_init(&family);
    if (decode_end_of_rib(m, &family))
        text_printf(out, "  end of RIB %s\n", text_str(&family));
    else if (u->foreign_family)
        text_puts(out, "  prefixes of a family that is not read here\n");
    text_deinit(&family);
}

static void put_open(const struct decode_message *m, struct text *out) {
    uint32_t my_as = (uint32_t)(m->body[1] << 8 | m->body[2]);
    text_printf(out, "  AS %u", m->open.asn);
    if (my_as != m->open.asn) /* capability 65 counts */
        text_printf(out, " (My Autonomous System %u)", my_as);
    text_printf(out, ", hold time %u s, identifier ", m->open.hold_time_s);
    decode_put_id(m->open.router_id, out);
    text_putc(out, '\n');
    decode_put_capabilities_text(m, out);
}

static void put_notification(const struct decode_message *m, struct text *out) {
    const struct bgp_notification *n = &m->notification;
    struct text words;
    const char *name = bgp_error_name(n->code);
    text_printf(out, "  %u/%u%s%s", n->code, n->subcode, name[0] ? " " : "", name);
    if (bgp_suberror_name(n->code, n->subcode)[0])
        text_printf(out, ": %s", bgp_suberror_name(n->code, n->subcode));
    text_init(&words);
    if (decode_notification_data(n, &words))
        text_printf(out, " (%s)", text_str(&words));
    text_clear(&words);
    if (notification_shutdown_text(n, &words)) {
        text_printf(out, ", \"%s\"", text_str(&words));
    } else if (n->size > 0) {
        text_puts(out, ", data ");
        put_hex(n->data, n->size, out);
    }
    text_deinit(&words);
    text_putc(out, '\n');
}

static void put_refresh(const struct decode_message *m, struct text *out) {
    static const char *const subtypes[] = {"request", "begin of refresh", "end of refresh"};
    text_puts(out, "  ");
    decode_family_name(m->refresh.afi, m->refresh.safi, out);
    if (m->refresh.subtype < 3)
        text_printf(out, ", %s\n", subtypes[m->refresh.subtype]);
    else
        text_printf(out, ", subtype %u\n", m->refresh.subtype);
}

static void put_error(const struct decode_message *m, struct text *out) {
    const struct decode_error *e = &m->error;
    const struct decode_attr_row *row = e->attr ? decode_attr_row(e->attr) : NULL;
    text_printf(out, "  error: %s, %u/%u", bgp_outcome_name(e->outcome), e->code, e->subcode);
    const char *name = bgp_suberror_name(e->code, e->subcode);
    text_printf(out, " %s", name[0] ? name : bgp_error_name(e->code));
    if (e->attr)
        text_printf(out, ", attribute %u %s", e->attr, row ? row->name : "(unknown)");
    if (m->note)
        text_printf(out, " (%s)", m->note);
    text_putc(out, '\n');
}

/* Damaged bodies of these have nothing to show. */
static void put_body(const struct decode_message *m, struct text *out) {
    bool reset = m->error.outcome == BGP_OUTCOME_SESSION_RESET;
    switch (m->type) {
    case BGP_MSG_OPEN:
        if (!reset)
            put_open(m, out);
        break;
    case BGP_MSG_UPDATE:
        put_update(m, out);
        break;
    case BGP_MSG_NOTIFICATION:
        if (!reset)
            put_notification(m, out);
        break;
    case BGP_MSG_ROUTE_REFRESH:
        if (!reset)
            put_refresh(m, out);
        break;
    case BGP_MSG_KEEPALIVE:
        break;
    }
}

void decode_put_text(const struct decode_message *m, struct text *out) {
    if (m->type == 0) {
        text_puts(out, "not a message\n");
    } else {
        for (const char *p = decode_type_name(m->type); *p; p++)
            text_putc(out, (char)toupper((unsigned char)*p));
        text_printf(out, ", %zu octets\n", m->size);
        put_body(m, out);
    }
    if (m->error.outcome != BGP_OUTCOME_OK)
        put_error(m, out);
}
