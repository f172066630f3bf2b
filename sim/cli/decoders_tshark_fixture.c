/*
 * `tshark -T pdml` as struct told. The names of fields are those of Wireshark's BGP dissector.
 *
 * tshark knows no session: it reads each message as it finds it, and has no opinion of RFC 7606.
 * Of attributes it does not know it tells no octets: their value here is "?".
 */
#include "cli_fixture.h"
#include "decoders_fixture.h"

#include "../../speaker/decode/decode.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#define XML (const xmlChar *)

/* ---- fields ---- */

static const char *attribute(xmlNodePtr node, const char *name, char out[512]) {
    xmlChar *value = xmlGetProp(node, XML name);
    snprintf(out, 512, "%s", value ? (const char *)value : "");
    xmlFree(value);
    return out;
}

static bool is(xmlNodePtr node, const char *name) {
    char text[512];
    return strcmp(attribute(node, "name", text), name) == 0;
}

/* Is the last word of its dotted name this one? */
static bool ends(xmlNodePtr node, const char *word) {
    char text[512];
    const char *dot = strrchr(attribute(node, "name", text), '.');
    return strcmp(dot ? dot + 1 : text, word) == 0;
}

static xmlNodePtr child(xmlNodePtr node, const char *name) {
    for (xmlNodePtr n = xmlFirstElementChild(node); n; n = xmlNextElementSibling(n))
        if (is(n, name))
            return n;
    return NULL;
}

static unsigned long shown_number(xmlNodePtr node) {
    char text[512];
    return node ? strtoul(attribute(node, "show", text), NULL, 0) : 0;
}

static void put_shown(struct text *out, const char *before, xmlNodePtr node) {
    char text[512];
    text_puts(out, before);
    text_puts(out, node ? attribute(node, "show", text) : "");
}

static void put_octets(struct text *out, xmlNodePtr node) {
    char text[512];
    text_puts(out, attribute(node, "value", text));
}

static bool holds(xmlNodePtr node, const char *name) {
    if (is(node, name))
        return true;
    for (xmlNodePtr n = xmlFirstElementChild(node); n; n = xmlNextElementSibling(n))
        if (holds(n, name))
            return true;
    return false;
}

/* ---- OPEN, NOTIFICATION, ROUTE-REFRESH ---- */

/* The scalars of a capability in the order of the wire. */
static void put_capability(xmlNodePtr node, uint16_t *afi, struct text *out) {
    static const char *const shown[] = {"4as",      "restart_flag", "notification_flag",
                                        "pfs",      "restart_time", "sendreceive",
                                        "hostname", "domain_name",  "nhafi"};
    for (xmlNodePtr n = xmlFirstElementChild(node); n; n = xmlNextElementSibling(n)) {
        if (ends(n, "afi")) {
            *afi = (uint16_t)shown_number(n);
        } else if (ends(n, "safi")) {
            text_putc(out, ' ');
            decode_family_name(*afi, (uint8_t)shown_number(n), out);
        } else if (ends(n, "unknown")) {
            text_putc(out, ' ');
            put_octets(out, n);
        }
        for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
            if (ends(n, shown[i]))
                put_shown(out, " ", n);
        put_capability(n, afi, out);
    }
}

/* ORF and BGPsec are octets with us, LLGR with tshark 4.0. */
static bool read_by_both(unsigned long capability) {
    return capability != 3 && capability != 7 && capability != 71;
}

static void take_capabilities(xmlNodePtr node, struct text *out, unsigned long *as) {
    for (xmlNodePtr n = xmlFirstElementChild(node); n; n = xmlNextElementSibling(n)) {
        uint16_t afi = 0;
        if (!is(n, "bgp.cap")) {
            take_capabilities(n, out, as);
            continue;
        }
        put_shown(out, "capability ", child(n, "bgp.cap.type"));
        if (read_by_both(shown_number(child(n, "bgp.cap.type"))))
            put_capability(n, &afi, out);
        else if (shown_number(child(n, "bgp.cap.length")) > 0)
            text_puts(out, " ?");
        text_putc(out, '\n');
        if (child(n, "bgp.cap.4as"))
            *as = shown_number(child(n, "bgp.cap.4as"));
    }
}

static void take_open(xmlNodePtr bgp, struct told *m) {
    struct text list;
    unsigned long as = shown_number(child(bgp, "bgp.open.myas"));
    text_init(&list);
    take_capabilities(bgp, &list, &as);
    put_shown(&m->values, "version ", child(bgp, "bgp.open.version"));
    text_printf(&m->values, " as %lu", as);
    put_shown(&m->values, " hold ", child(bgp, "bgp.open.holdtime"));
    put_shown(&m->values, " id ", child(bgp, "bgp.open.identifier"));
    text_printf(&m->values, "\n%s", text_str(&list));
    text_deinit(&list);
}

/* The two codes, then the octets of what is left. */
static void take_notification(xmlNodePtr bgp, struct told *m) {
    for (xmlNodePtr n = xmlFirstElementChild(bgp); n; n = xmlNextElementSibling(n)) {
        char name[512];
        attribute(n, "name", name);
        if (strncmp(name, "bgp.notify.minor_error", 22) == 0) {
            put_shown(&m->values, "/", n);
            text_putc(&m->values, ' ');
        } else if (is(n, "bgp.notify.major_error")) {
            put_shown(&m->values, "", n);
        } else if (strncmp(name, "bgp.notify.", 11) == 0) {
            put_octets(&m->values, n);
        }
    }
    text_putc(&m->values, '\n');
}

static void take_refresh(xmlNodePtr bgp, struct told *m) {
    decode_family_name((uint16_t)shown_number(child(bgp, "bgp.route_refresh.afi")),
                       (uint8_t)shown_number(child(bgp, "bgp.route_refresh.safi")), &m->values);
    put_shown(&m->values, " ", child(bgp, "bgp.route_refresh.subtype"));
    text_putc(&m->values, '\n');
}

/* ---- attributes ---- */

static void put_segment(xmlNodePtr node, struct text *out) {
    const char *before = ":";
    for (xmlNodePtr n = xmlFirstElementChild(node); n; n = xmlNextElementSibling(n)) {
        if (ends(n, "type"))
            put_shown(out, " ", n);
        if (ends(n, "as2") || ends(n, "as4")) {
            put_shown(out, before, n);
            before = ",";
        }
    }
    text_puts(out, *before == ':' ? ":" : "");
}

/* A field made of others, whose octets one behind the other are its own. */
static void put_parts(xmlNodePtr node, struct text *out) {
    text_putc(out, ' ');
    for (xmlNodePtr n = xmlFirstElementChild(node); n; n = xmlNextElementSibling(n))
        put_octets(out, n);
}

static void put_three(xmlNodePtr node, struct text *out) {
    put_shown(out, " ", child(node, "bgp.large_communities.ga"));
    put_shown(out, ":", child(node, "bgp.large_communities.ldp1"));
    put_shown(out, ":", child(node, "bgp.large_communities.ldp2"));
}

/* False: nothing that stands for itself, its parts may. */
static bool put_field(xmlNodePtr n, struct text *out) {
    static const char *const shown[] = {"origin",     "next_hop",      "multi_exit_disc",
                                        "local_pref", "aggregator_as", "originator_id",
                                        "cluster_id"};
    unsigned long c = shown_number(n);
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        if (ends(n, shown[i])) {
            put_shown(out, " ", n);
            return true;
        }
    }
    if (ends(n, "as_path_segment"))
        put_segment(n, out);
    else if (ends(n, "aggregator_origin") || ends(n, "community_value"))
        put_shown(out, ":", n);
    else if (ends(n, "community_as"))
        put_shown(out, " ", n);
    else if (ends(n, "community_wellknown"))
        text_printf(out, " %lu:%lu", c >> 16, c & 0xFFFF);
    else if (ends(n, "ext_community"))
        put_parts(n, out);
    else if (ends(n, "large_communities"))
        put_three(n, out);
    else if (ends(n, "unknown") || ends(n, "link_state"))
        text_puts(out, " ?");
    else
        return false;
    return true;
}

static void put_fields(xmlNodePtr node, struct text *out) {
    for (xmlNodePtr n = xmlFirstElementChild(node); n; n = xmlNextElementSibling(n))
        if (!put_field(n, out))
            put_fields(n, out);
}

/* ---- prefixes ---- */

/* What is around the prefixes being read. */
struct place {
    bool withdrawn;
    struct text via; /* " via next hop [link-local]" of the attribute they stand in */
};

static void put_prefix(xmlNodePtr node, const struct place *p, struct told *m) {
    struct text t;
    unsigned long id = 0;
    bool v6 = false;
    text_init(&t);
    for (xmlNodePtr n = xmlFirstElementChild(node); n; n = xmlNextElementSibling(n)) {
        char name[512];
        attribute(n, "name", name);
        if (strstr(name, "path_id"))
            id = shown_number(n);
        if (strstr(name, "_prefix")) {
            put_shown(&t, "", n);
            v6 |= strchr(text_str(&t), ':') != NULL;
        }
    }
    text_printf(&t, "/%lu", shown_number(child(node, "bgp.prefix_length")));
    if (holds(node, "bgp.nlri_path_id")) {
        text_puts(&t, " path ");
        decode_put_id((uint32_t)id, &t);
    }
    text_puts(&t, p->withdrawn ? "" : text_str(&p->via));
    struct text *list = p->withdrawn ? m->withdrawn : m->announced;
    text_printf(&list[v6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST], "%s\n", text_str(&t));
    text_deinit(&t);
}

static void take_prefixes(xmlNodePtr node, const struct place *p, struct told *m) {
    for (xmlNodePtr n = xmlFirstElementChild(node); n; n = xmlNextElementSibling(n)) {
        if (child(n, "bgp.prefix_length"))
            put_prefix(n, p, m);
        else
            take_prefixes(n, p, m);
    }
}

/* The addresses in an attribute: one, or a global and a link-local. */
static void put_next_hops(xmlNodePtr node, struct text *via) {
    for (xmlNodePtr n = xmlFirstElementChild(node); n; n = xmlNextElementSibling(n)) {
        bool v4 = ends(n, "next_hop") && !xmlFirstElementChild(n);
        if (v4 || ends(n, "ipv4") || ends(n, "ipv6") || ends(n, "link_local"))
            put_shown(via, via->size ? " " : " via ", n);
        put_next_hops(n, via);
    }
}

static void take_list(xmlNodePtr node, bool withdrawn, xmlNodePtr next_hop, struct told *m) {
    struct place p = {.withdrawn = withdrawn};
    text_init(&p.via);
    if (next_hop)
        put_next_hops(next_hop, &p.via);
    take_prefixes(node, &p, m);
    text_deinit(&p.via);
}

/* ---- UPDATE ---- */

static void take_attribute(xmlNodePtr node, struct told *m) {
    unsigned long code = shown_number(child(node, "bgp.update.path_attribute.type_code"));
    text_printf(&m->framing, "%lu %02lx %lu\n", code,
                shown_number(child(node, "bgp.update.path_attribute.flags")),
                shown_number(child(node, "bgp.update.path_attribute.length")));
    if (code == ATTR_MP_REACH || code == ATTR_MP_UNREACH) {
        take_list(node, code == ATTR_MP_UNREACH, node, m);
    } else if (code != ATTR_AS4_PATH && code != ATTR_AS4_AGGREGATOR) {
        text_printf(&m->values, "%lu", code);
        put_fields(node, &m->values);
        text_putc(&m->values, '\n');
    }
}

static void take_update(xmlNodePtr bgp, struct told *m) {
    xmlNodePtr attrs = child(bgp, "bgp.update.path_attributes"), next_hop = NULL;
    for (xmlNodePtr n = attrs ? xmlFirstElementChild(attrs) : NULL; n;
         n = xmlNextElementSibling(n)) {
        if (!is(n, "bgp.update.path_attribute"))
            continue;
        take_attribute(n, m);
        if (child(n, "bgp.update.path_attribute.next_hop"))
            next_hop = n;
    }
    for (xmlNodePtr n = xmlFirstElementChild(bgp); n; n = xmlNextElementSibling(n))
        if (is(n, "bgp.update.withdrawn_routes") || is(n, "bgp.update.nlri"))
            take_list(n, is(n, "bgp.update.withdrawn_routes"), next_hop, m);
}

/* ---- messages ---- */

static void take_message(xmlNodePtr bgp, const char *where, struct told *m) {
    enum bgp_message_type type = (enum bgp_message_type)shown_number(child(bgp, "bgp.type"));
    text_puts(&m->where, where);
    m->gave_up = holds(bgp, "_ws.malformed");
    text_printf(&m->what, "%s %lu", decode_type_name(type), shown_number(child(bgp, "bgp.length")));
    if (type == BGP_MSG_OPEN)
        take_open(bgp, m);
    else if (type == BGP_MSG_UPDATE)
        take_update(bgp, m);
    else if (type == BGP_MSG_NOTIFICATION)
        take_notification(bgp, m);
    else if (type == BGP_MSG_ROUTE_REFRESH)
        take_refresh(bgp, m);
}

static void put_where(xmlNodePtr packet, struct text *out) {
    char seconds[512];
    xmlNodePtr frame = NULL, ip = NULL, tcp = NULL;
    for (xmlNodePtr n = xmlFirstElementChild(packet); n; n = xmlNextElementSibling(n)) {
        frame = is(n, "frame") ? n : frame;
        ip = is(n, "ip") ? n : ip;
        tcp = is(n, "tcp") ? n : tcp;
    }
    assert_true(frame && ip && tcp);
    attribute(child(frame, "frame.time_epoch"), "show", seconds);
    char *dot = strchr(seconds, '.');
    assert_non_null(dot);
    text_printf(out, "%.*s%s", (int)(dot - seconds), seconds, dot + 1);
    put_shown(out, " ", child(ip, "ip.src"));
    put_shown(out, ":", child(tcp, "tcp.srcport"));
    put_shown(out, " > ", child(ip, "ip.dst"));
    put_shown(out, ":", child(tcp, "tcp.dstport"));
}

void told_by_tshark(const char *document, size_t size, struct told_list *out) {
    xmlDocPtr doc = xmlReadMemory(document, (int)size, "pdml", NULL,
                                  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_HUGE);
    assert_non_null(doc);
    xmlNodePtr root = xmlDocGetRootElement(doc);
    for (xmlNodePtr p = xmlFirstElementChild(root); p; p = xmlNextElementSibling(p)) {
        struct text where;
        text_init(&where);
        put_where(p, &where);
        for (xmlNodePtr n = xmlFirstElementChild(p); n; n = xmlNextElementSibling(n)) {
            if (is(n, "bgp"))
                take_message(n, text_str(&where), told_list_add(out));
            else if (is(n, "_ws.malformed") && out->count > 0)
                out->items[out->count - 1].gave_up = true;
        }
        text_deinit(&where);
    }
    xmlFreeDoc(doc);
}
