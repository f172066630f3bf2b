/*
 * A decoded message as members of a JSON object: the form `ribcage decode --json` and --jsonl print
 * (decode.schema.json).
 *
 * An UPDATE always has attr_list, attrs, announce and withdraw. Where RFC 7606 treats it as a
 * withdrawal, attrs and announce are empty and its prefixes stand in withdraw, beside the error; of
 * a message that resets the session there is the error alone.
 */
#include "decode.h"

#include "../base/text.h"
#include "../core/as_path.h"
#include "decode_attr.h"
#include "decode_mp.h"
#include "decode_notification.h"
#include "decode_opaque.h"
#include "decode_open.h"
#include "json_out.h"

#include <string.h>

static void put_number(struct json_out *o, const char *key, uint64_t value) {
    json_out_key(o, key);
    json_out_number(o, value);
}

static void put_text(struct json_out *o, const char *key, const char *value) {
    json_out_key(o, key);
    json_out_text(o, value);
}

static void put_address(struct json_out *o, const char *key, struct ip_addr a) {
    char text[IP_ADDR_TEXT_MAX];
    put_text(o, key, ip_format(a, text));
}

/* ---- attributes ---- */

static void put_attr_list(const struct decode_message *m, struct json_out *o) {
    json_out_key(o, "attr_list");
    json_out_open(o, '[');
    for (uint32_t i = 0; i < m->attr_count; i++) {
        json_out_open(o, '[');
        json_out_number(o, m->attrs[i].code);
        json_out_number(o, m->attrs[i].size);
        json_out_number(o, m->attrs[i].flags);
        json_out_close(o, ']');
    }
    json_out_close(o, ']');
}

static void put_as_path(struct as_path p, struct json_out *o) {
    static const char *const types[] = {
        [AS_SET] = "as-set",
        [AS_SEQUENCE] = "as-sequence",
        [AS_CONFED_SEQUENCE] = "as-confed-sequence",
        [AS_CONFED_SET] = "as-confed-set",
    };
    json_out_open(o, '[');
    for (uint32_t at = 0; at < p.word_count;) {
        uint32_t count = p.words[at] & 0xFFFF;
        json_out_open(o, '{');
        put_text(o, "type", types[p.words[at++] >> 16]);
        json_out_key(o, "asns");
        json_out_open(o, '[');
        for (uint32_t i = 0; i < count; i++)
            json_out_number(o, p.words[at++]);
        json_out_close(o, ']');
        json_out_close(o, '}');
    }
    json_out_close(o, ']');
}

/* An item as a string; plain text of ours, so nothing to escape. */
static void put_item(void (*put)(const uint8_t *, struct text *), const uint8_t *data,
                     struct json_out *o) {
    if (o->comma)
        text_putc(o->text, ',');
    o->comma = true;
    text_putc(o->text, '"');
    put(data, o->text);
    text_putc(o->text, '"');
}

static void put_list(const char *key, void (*put)(const uint8_t *, struct text *),
                     const struct decode_attr *a, size_t item_size, struct json_out *o) {
    struct byte_reader r = bytes_reader(a->data, a->size);
    json_out_key(o, key);
    json_out_open(o, '[');
    while (bytes_left(&r) > 0)
        put_item(put, bytes_take(&r, item_size), o);
    json_out_close(o, ']');
}

static void put_value(const struct decode_message *m, const struct decode_attr *a,
                      const struct decode_attr_row *row, struct json_out *o) {
    const struct attr_values *v = &m->update.attrs;
    struct byte_reader r = bytes_reader(a->data, a->size);
    if (row->kind != DECODE_LIST)
        json_out_key(o, row->key);
    switch (row->kind) {
    case DECODE_TEXT:
        put_item(row->put, a->data, o);
        break;
    case DECODE_NUMBER:
        json_out_number(o, bytes_u32(&r));
        break;
    case DECODE_FLAG:
        json_out_bool(o, true);
        break;
    case DECODE_LIST:
        put_list(row->key, row->put, a, row->item_size, o);
        if (row->said_key)
            put_list(row->said_key, row->say, a, row->item_size, o);
        break;
    case DECODE_PATH:
        put_as_path(v->as_path, o);
        break;
    case DECODE_AGGREGATOR:
        text_printf(o->text, "\"%u:", v->aggregator_as);
        decode_put_id(v->aggregator_id, o->text);
        text_putc(o->text, '"');
        o->comma = true;
        break;
    case DECODE_OPAQUE:
    case DECODE_HIDDEN:
        break;
    }
}

static bool is_opaque(const struct decode_attr *a) {
    const struct decode_attr_row *row = decode_attr_row(a->code);
    return !row || row->kind == DECODE_OPAQUE;
}

static void put_opaque(const struct decode_attr *a, struct json_out *o) {
    const struct decode_attr_row *row = decode_attr_row(a->code);
    struct text words;
    text_init(&words);
    json_out_open(o, '{');
    put_number(o, "code", a->code);
    put_number(o, "flags", a->flags);
    json_out_key(o, "value");
    json_out_hex(o, a->data, a->size);
    if (row)
        put_text(o, "name", row->name);
    if (decode_opaque_put(a->code, a->data, a->size, &words))
        put_text(o, "text", text_str(&words));
    json_out_close(o, '}');
    o->text->failed |= words.failed;
    text_deinit(&words);
}

/* What is carried without being read: [{"code":…,"flags":…,"value":"hex",…}]. */
static void put_unknown(const struct decode_message *m, struct json_out *o) {
    bool any = false;
    for (uint32_t i = 0; i < m->attr_count; i++) {
        const struct decode_attr *a = &m->attrs[i];
        if (!is_opaque(a) || !decode_attr_used(m, a))
            continue;
        if (!any) {
            json_out_key(o, "unknown");
            json_out_open(o, '[');
        }
        any = true;
        put_opaque(a, o);
    }
    if (any)
        json_out_close(o, ']');
}

static void put_attrs(const struct decode_message *m, struct json_out *o) {
    json_out_key(o, "attrs");
    json_out_open(o, '{');
    for (uint32_t i = 0; i < m->attr_count; i++) {
        const struct decode_attr *a = &m->attrs[i];
        const struct decode_attr_row *row = decode_attr_row(a->code);
        if (row && row->key && decode_attr_used(m, a) && decode_attr_well_sized(a, row))
            put_value(m, a, row, o);
    }
    put_unknown(m, o);
    json_out_close(o, '}');
}

/* ---- prefixes ---- */

static void put_nlri(const struct bgp_nlri *n, const struct ip_addr *next_hop,
                     const struct ip_addr *link_local, struct json_out *o) {
    char text[IP_PREFIX_TEXT_MAX];
    struct ip_prefix prefix;
    uint32_t path_id;
    for (uint32_t at = 0; nlri_next_path(n, &at, &prefix, &path_id);) {
        json_out_open(o, '{');
        put_text(o, "family", decode_our_family(n->family));
        if (next_hop)
            put_address(o, "next_hop", *next_hop);
        if (link_local && ip_is_set(*link_local))
            put_address(o, "link_local", *link_local);
        put_text(o, "nlri", ip_prefix_format(prefix, text));
        if (n->add_path)
            put_address(o, "path-information", ip4(path_id));
        json_out_close(o, '}');
    }
}

static void put_announce(const struct decode_message *m, struct json_out *o) {
    const struct bgp_update *u = &m->update;
    bool withdrawn = u->outcome == BGP_OUTCOME_TREAT_AS_WITHDRAW;
    json_out_key(o, "announce");
    json_out_open(o, '[');
    for (uint8_t i = 0; i < u->announced_count && !withdrawn; i++)
        put_nlri(&u->announced[i], &u->next_hop[i], &u->link_local[i], o);
    json_out_close(o, ']');
}

static void put_withdraw(const struct decode_message *m, struct json_out *o) {
    const struct bgp_update *u = &m->update;
    bool withdrawn = u->outcome == BGP_OUTCOME_TREAT_AS_WITHDRAW;
    json_out_key(o, "withdraw");
    json_out_open(o, '[');
    for (uint8_t i = 0; i < u->withdrawn_count; i++)
        put_nlri(&u->withdrawn[i], NULL, NULL, o);
    for (uint8_t i = 0; i < u->announced_count && withdrawn; i++)
        put_nlri(&u->announced[i], NULL, NULL, o);
    json_out_close(o, ']');
}

/* Prefixes of families that are not read here, in MP_* attributes: family, next hop, octets. */
static void put_foreign(const struct decode_message *m, struct json_out *o) {
    bool any = false;
    struct text words;
    text_init(&words);
    for (uint32_t i = 0; i < m->attr_count; i++) {
        struct decode_mp mp;
        const struct decode_attr *a = &m->attrs[i];
        if (!decode_mp_fields(a, &mp) || decode_mp_is_read(m, &mp) || mp.nlri_size == 0)
            continue;
        if (!any) {
            json_out_key(o, "foreign");
            json_out_open(o, '[');
        }
        any = true;
        json_out_open(o, '{');
        put_number(o, "attr", a->code);
        text_clear(&words);
        decode_family_name(mp.afi, mp.safi, &words);
        put_text(o, "family", text_str(&words));
        text_clear(&words);
        decode_mp_next_hop(&mp, &words);
        if (mp.next_hop_size)
            put_text(o, "next_hop", text_str(&words));
        json_out_key(o, "nlri");
        json_out_hex(o, mp.nlri, mp.nlri_size);
        json_out_close(o, '}');
    }
    if (any)
        json_out_close(o, ']');
    o->text->failed |= words.failed;
    text_deinit(&words);
}

/* ---- messages ---- */

static void put_open(const struct decode_message *m, struct json_out *o) {
    put_number(o, "version", m->body[0]);
    put_number(o, "asn", m->open.asn);
    put_number(o, "my_as", (uint64_t)(m->body[1] << 8 | m->body[2]));
    put_number(o, "hold_time", m->open.hold_time_s);
    put_address(o, "router_id", ip4(m->open.router_id));
    json_out_key(o, "capabilities");
    decode_put_capabilities_json(m, o);
}

static void put_notification(const struct decode_message *m, struct json_out *o) {
    const struct bgp_notification *n = &m->notification;
    const uint8_t *text;
    uint8_t size;
    put_number(o, "code", n->code);
    put_number(o, "subcode", n->subcode);
    put_text(o, "name", bgp_error_name(n->code));
    put_text(o, "subname", bgp_suberror_name(n->code, n->subcode));
    json_out_key(o, "data");
    json_out_hex(o, n->data, n->size);
    struct text words;
    text_init(&words);
    if (decode_notification_data(n, &words)) {
        json_out_key(o, "data_text");
        json_out_string(o, text_str(&words), words.size);
    }
    o->text->failed |= words.failed;
    text_deinit(&words);
    if (notification_shutdown_octets(n, &text, &size)) {
        json_out_key(o, "text");
        json_out_string(o, (const char *)text, size);
    }
}

static void put_refresh(const struct decode_message *m, struct json_out *o) {
    static const char *const subtypes[] = {"request", "begin-of-rr", "end-of-rr"};
    const struct bgp_refresh *r = &m->refresh;
    struct text family;
    text_init(&family);
    decode_family_name(r->afi, r->safi, &family);
    put_text(o, "family", text_str(&family));
    text_deinit(&family);
    put_number(o, "subtype", r->subtype);
    put_text(o, "name", r->subtype < 3 ? subtypes[r->subtype] : "unknown");
}

static void put_update(const struct decode_message *m, struct json_out *o) {
    put_attr_list(m, o);
    put_attrs(m, o);
    put_announce(m, o);
    put_withdraw(m, o);
    if (m->update.foreign_family)
        put_foreign(m, o);
    struct text family;
    text_init(&family);
    if (decode_end_of_rib(m, &family))
        put_text(o, "eor", text_str(&family));
    text_deinit(&family);
}

static void put_error(const struct decode_message *m, struct json_out *o) {
    json_out_key(o, "error");
    json_out_open(o, '{');
    put_text(o, "class", bgp_outcome_name(m->error.outcome));
    put_number(o, "code", m->error.code);
    put_number(o, "subcode", m->error.subcode);
    if (m->error.attr)
        put_number(o, "attr", m->error.attr);
    if (m->note)
        put_text(o, "text", m->note);
    json_out_close(o, '}');
}

static void put_message(const struct decode_message *m, struct json_out *o) {
    put_text(o, "type", decode_type_name(m->type));
    put_number(o, "length", m->size);
    switch (m->type) {
    case BGP_MSG_OPEN:
        put_open(m, o);
        break;
    case BGP_MSG_UPDATE:
        put_update(m, o);
        break;
    case BGP_MSG_NOTIFICATION:
        put_notification(m, o);
        break;
    case BGP_MSG_ROUTE_REFRESH:
        put_refresh(m, o);
        break;
    case BGP_MSG_KEEPALIVE:
        break;
    }
}

void decode_put_json(const struct decode_message *m, struct json_out *out) {
    if (m->error.outcome != BGP_OUTCOME_SESSION_RESET)
        put_message(m, out);
    if (m->error.outcome != BGP_OUTCOME_OK)
        put_error(m, out);
}
