/*
 * MRT items as lines: the fields, in the order, that readers of routing tables know.
 *
 *   TABLE_DUMP2|time|B|peer|peer as|prefix|as path|origin|next hop|local pref|med|communities|
 *   NAG or AG (ATOMIC_AGGREGATE)|aggregator "as address"|
 *   BGP4MP|time|A|… the same;  BGP4MP|time|W|peer|peer as|prefix;
 *   BGP4MP|time|STATE|peer|peer as|old|new
 *
 * With path identifiers (RFC 8050) the type ends in _AP and the identifier is a field behind the
 * prefix; what the collector itself sent has a type with _LOCAL. Large communities have no field in
 * these lines: JSON has them. Absent numbers are 0, absent texts empty. Only UPDATEs and state
 * changes have lines; one that resets the session has none, and of one that RFC 7606 treats as a
 * withdrawal the prefixes are withdrawn. A table's time is that of the dump. With JSON nothing is
 * left out.
 */
#include "mrt.h"

#include "../base/text.h"
#include "json_out.h"

#include <ctype.h>

static void put_time(const struct mrt_item *item, struct text *out) {
    const struct decode_message *m = item->message;
    bool add_path = m && (m->how.codec.add_path[0] || m->how.codec.add_path[1]);
    text_printf(out, "%s%s%s|%u", item->type, item->local ? "_LOCAL" : "", add_path ? "_AP" : "",
                item->dump_time_s);
    if (item->has_microseconds)
        text_printf(out, ".%06u", item->microseconds);
}

static void put_head(const struct mrt_item *item, const char *what, struct text *out) {
    char peer[IP_ADDR_TEXT_MAX];
    put_time(item, out);
    text_printf(out, "|%s|%s|%u|", what, ip_format(item->peer.addr, peer), item->peer.asn);
}

/* The attribute when it is used, else NULL. */
static const struct decode_attr *used(const struct decode_message *m, uint8_t code) {
    const struct decode_attr *a = decode_attr_find(m, code);
    return a && decode_attr_used(m, a) ? a : NULL;
}

static void put_number(const struct decode_message *m, uint8_t code, uint32_t value,
                       struct text *out) {
    text_printf(out, "%u|", used(m, code) ? value : 0);
}

static void put_origin(const struct decode_message *m, struct text *out) {
    static const char *const names[] = {"IGP", "EGP", "INCOMPLETE"};
    if (used(m, ATTR_ORIGIN))
        text_puts(out, names[m->update.attrs.origin]);
    text_putc(out, '|');
}

static void put_community(uint32_t community, struct text *out) {
    static const char *const names[] = {"no-export", "no-advertise", "local-AS"};
    uint32_t n = community - COMMUNITY_NO_EXPORT;
    if (community >= COMMUNITY_NO_EXPORT && n < sizeof names / sizeof names[0])
        text_puts(out, names[n]);
    else
        text_printf(out, "%u:%u", community >> 16, community & 0xFFFF);
}

/* In the order of the wire; those of RFC 1997 by name. */
static void put_communities(const struct decode_message *m, struct text *out) {
    const struct decode_attr *a = used(m, ATTR_COMMUNITIES);
    for (size_t at = 0; a && at + 4 <= a->size; at += 4) {
        struct byte_reader r = bytes_reader(a->data + at, 4);
        if (at > 0)
            text_putc(out, ' ');
        put_community(bytes_u32(&r), out);
    }
    text_putc(out, '|');
}

static void put_tail(const struct decode_message *m, struct ip_addr next_hop, struct text *out) {
    const struct attr_values *v = &m->update.attrs;
    char text[IP_ADDR_TEXT_MAX];
    if (used(m, ATTR_AS_PATH))
        as_path_format(v->as_path, false, out);
    text_putc(out, '|');
    put_origin(m, out);
    text_printf(out, "%s|", ip_format(next_hop, text));
    put_number(m, ATTR_LOCAL_PREF, v->local_pref, out);
    put_number(m, ATTR_MED, v->med, out);
    put_communities(m, out);
    text_puts(out, used(m, ATTR_ATOMIC_AGGREGATE) ? "AG|" : "NAG|");
    if (used(m, ATTR_AGGREGATOR))
        text_printf(out, "%u %s", v->aggregator_as, ip_format(ip4(v->aggregator_id), text));
    text_puts(out, "|\n");
}

static void put_list(const struct mrt_item *item, const char *what, const struct bgp_nlri *n,
                     const struct ip_addr *next_hop, struct text *out) {
    char text[IP_PREFIX_TEXT_MAX];
    struct ip_prefix prefix;
    uint32_t path_id;
    for (uint32_t at = 0; nlri_next_path(n, &at, &prefix, &path_id);) {
        put_head(item, what, out);
        text_puts(out, ip_prefix_format(prefix, text));
        if (n->add_path)
            text_printf(out, "|%u", path_id);
        if (!next_hop) {
            text_putc(out, '\n');
            continue;
        }
        text_putc(out, '|');
        put_tail(item->message, *next_hop, out);
    }
}

void mrt_put_lines(const struct mrt_item *item, struct text *out) {
    const struct decode_message *m = item->message;
    if (item->kind == MRT_STATE) {
        put_head(item, "STATE", out);
        text_printf(out, "%u|%u\n", item->old_state, item->new_state);
        return;
    }
    if (m->type != BGP_MSG_UPDATE || m->error.outcome == BGP_OUTCOME_SESSION_RESET)
        return;
    const struct bgp_update *u = &m->update;
    bool withdrawn = m->error.outcome == BGP_OUTCOME_TREAT_AS_WITHDRAW;
    for (uint8_t i = 0; i < u->withdrawn_count; i++)
        put_list(item, "W", &u->withdrawn[i], NULL, out);
    for (uint8_t i = 0; i < u->announced_count; i++)
        put_list(item,
                 withdrawn                 ? "W"
                 : item->kind == MRT_ROUTE ? "B"
                                           : "A",
                 &u->announced[i], withdrawn ? NULL : &u->next_hop[i], out);
}

static void put_text(struct json_out *o, const char *key, const char *value) {
    json_out_key(o, key);
    json_out_text(o, value);
}

static void put_u32(struct json_out *o, const char *key, uint32_t value) {
    json_out_key(o, key);
    json_out_number(o, value);
}

void mrt_put_json(const struct mrt_item *item, struct text *out) {
    char peer[IP_ADDR_TEXT_MAX];
    struct json_out o = json_out(out);
    json_out_open(&o, '{');
    put_text(&o, "mrt", item->type);
    put_u32(&o, "time", item->time_s);
    if (item->has_microseconds)
        put_u32(&o, "microseconds", item->microseconds);
    put_text(&o, "peer", ip_format(item->peer.addr, peer));
    put_u32(&o, "peer_asn", item->peer.asn);
    json_out_key(&o, "sent");
    json_out_bool(&o, item->local);
    if (item->kind == MRT_STATE) {
        put_text(&o, "type", "state");
        put_u32(&o, "old", item->old_state);
        put_u32(&o, "new", item->new_state);
    } else {
        decode_put_json(item->message, &o);
    }
    json_out_close(&o, '}');
    text_putc(out, '\n');
}
