/*
 * The table of path attributes: one row each, with what its items look like.
 *
 * Items are given as octets of exactly item_size, so nothing here can run over. Names and codes:
 * IANA "BGP Path Attributes"; the shapes: RFC 4271 4.3, 1997, 4360, 4456, 6793, 8092, 9234. What
 * is said of a COMMUNITIES or EXTENDED_COMMUNITIES item is for people; `put` is what JSON has.
 */
#include "decode_attr.h"

#include "../base/addr.h"
#include "../base/bytes.h"
#include "../base/text.h"
#include "../core/attr.h"
#include "../core/community.h"
#include "decode.h"
#include "decode_ext.h"

static void put_origin(const uint8_t *data, struct text *out) {
    static const char *const names[] = {"igp", "egp", "incomplete"};
    if (data[0] < 3)
        text_puts(out, names[data[0]]);
    else
        text_printf(out, "%u", data[0]);
}

static uint32_t word(const uint8_t *data) {
    struct byte_reader r = bytes_reader(data, 4);
    return bytes_u32(&r);
}

void decode_put_id(uint32_t id, struct text *out) {
    char text[IP_ADDR_TEXT_MAX];
    text_puts(out, ip_format(ip4(id), text));
}

void decode_put_address(const uint8_t *data, size_t size, struct text *out) {
    char text[IP_ADDR_TEXT_MAX];
    text_puts(out, ip_format(size == 16 ? ip6(data) : ip4(word(data)), text));
}

static void put_id(const uint8_t *data, struct text *out) {
    decode_put_id(word(data), out);
}

static void put_number(const uint8_t *data, struct text *out) {
    text_printf(out, "%u", word(data));
}

static void put_community(const uint8_t *data, struct text *out) {
    uint32_t c = word(data);
    text_printf(out, "%u:%u", c >> 16, c & 0xFFFF);
}

static void say_community(const uint8_t *data, struct text *out) {
    const char *name = community_registered_name(word(data));
    if (name)
        text_puts(out, name);
    else
        community_format(word(data), out);
}

static void put_ext(const uint8_t *data, struct text *out) {
    text_printf(out, "%08x%08x", word(data), word(data + 4));
}

static void put_large(const uint8_t *data, struct text *out) {
    text_printf(out, "%u:%u:%u", word(data), word(data + 4), word(data + 8));
}

static void say_aggregator(const uint8_t *data, struct text *out) {
    text_printf(out, "%u ", word(data));
    decode_put_id(word(data + 4), out);
}

#define WELL_KNOWN ATTR_FLAG_TRANSITIVE
#define OPTIONAL ATTR_FLAG_OPTIONAL
#define CARRIED (ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE)
#define ROW(code, flags, subcode, kind, item_size, name, key, put)                                 \
    { code, flags, subcode, kind, item_size, name, key, put, NULL, NULL }
/* Carried and not read by the codec. */
#define CARRIED_ROW(code, flags, name) ROW(code, flags, 9, DECODE_OPAQUE, 0, name, NULL, NULL)
static const struct decode_attr_row rows[] = {
    ROW(ATTR_ORIGIN, WELL_KNOWN, 6, DECODE_TEXT, 1, "ORIGIN", "origin", put_origin),
    ROW(ATTR_AS_PATH, WELL_KNOWN, 11, DECODE_PATH, 0, "AS_PATH", "as_path", NULL),
    ROW(ATTR_NEXT_HOP, WELL_KNOWN, 8, DECODE_TEXT, 4, "NEXT_HOP", "next_hop", put_id),
    ROW(ATTR_MED, OPTIONAL, 9, DECODE_NUMBER, 4, "MULTI_EXIT_DISC", "med", put_number),
    ROW(ATTR_LOCAL_PREF, WELL_KNOWN, 9, DECODE_NUMBER, 4, "LOCAL_PREF", "local_pref", put_number),
    ROW(ATTR_ATOMIC_AGGREGATE, WELL_KNOWN, 9, DECODE_FLAG, 0, "ATOMIC_AGGREGATE",
        "atomic_aggregate", NULL),
    ROW(ATTR_AGGREGATOR, CARRIED, 9, DECODE_AGGREGATOR, 0, "AGGREGATOR", "aggregator", NULL),
    {ATTR_COMMUNITIES, CARRIED, 9, DECODE_LIST, 4, "COMMUNITIES", "communities", put_community,
     say_community, NULL},
    ROW(ATTR_ORIGINATOR_ID, OPTIONAL, 9, DECODE_TEXT, 4, "ORIGINATOR_ID", "originator_id", put_id),
    ROW(ATTR_CLUSTER_LIST, OPTIONAL, 9, DECODE_LIST, 4, "CLUSTER_LIST", "cluster_list", put_id),
    ROW(ATTR_MP_REACH, OPTIONAL, 9, DECODE_HIDDEN, 0, "MP_REACH_NLRI", NULL, NULL),
    ROW(ATTR_MP_UNREACH, OPTIONAL, 9, DECODE_HIDDEN, 0, "MP_UNREACH_NLRI", NULL, NULL),
    {ATTR_EXT_COMMUNITIES, CARRIED, 9, DECODE_LIST, DECODE_EXT_SIZE, "EXTENDED_COMMUNITIES",
     "ext_communities", put_ext, decode_ext_put, "ext_communities_text"},
    ROW(ATTR_AS4_PATH, CARRIED, 9, DECODE_HIDDEN, 0, "AS4_PATH", NULL, NULL),
    {ATTR_AS4_AGGREGATOR, CARRIED, 9, DECODE_HIDDEN, 8, "AS4_AGGREGATOR", NULL, NULL,
     say_aggregator, NULL},
    CARRIED_ROW(20, CARRIED, "CONNECTOR"),
    CARRIED_ROW(21, CARRIED, "AS_PATHLIMIT"),
    CARRIED_ROW(22, CARRIED, "PMSI_TUNNEL"),
    CARRIED_ROW(23, CARRIED, "TUNNEL_ENCAPSULATION"),
    CARRIED_ROW(24, OPTIONAL, "TRAFFIC_ENGINEERING"),
    CARRIED_ROW(25, CARRIED, "IPV6_EXTENDED_COMMUNITIES"),
    CARRIED_ROW(26, OPTIONAL, "AIGP"),
    CARRIED_ROW(27, CARRIED, "PE_DISTINGUISHER_LABELS"),
    CARRIED_ROW(28, CARRIED, "ENTROPY_LABEL"),
    CARRIED_ROW(29, OPTIONAL, "BGP-LS"),
    ROW(ATTR_LARGE_COMMUNITIES, CARRIED, 9, DECODE_LIST, 12, "LARGE_COMMUNITY", "large_communities",
        put_large),
    CARRIED_ROW(33, OPTIONAL, "BGPSEC_PATH"),
    CARRIED_ROW(34, CARRIED, "COMMUNITY_CONTAINER"),
    ROW(ATTR_OTC, CARRIED, 9, DECODE_NUMBER, 4, "ONLY_TO_CUSTOMER", "otc", put_number),
    CARRIED_ROW(36, CARRIED, "D_PATH"),
    CARRIED_ROW(37, CARRIED, "SFP"),
    CARRIED_ROW(38, CARRIED, "BFD_DISCRIMINATOR"),
    CARRIED_ROW(39, CARRIED, "NEXT_HOP_CHARACTERISTICS"),
    CARRIED_ROW(40, CARRIED, "PREFIX_SID"),
    CARRIED_ROW(128, CARRIED, "ATTR_SET"),
};

const struct decode_attr_row *decode_attr_row(uint8_t code) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code)
            return &rows[i];
    return NULL;
}

bool decode_attr_well_sized(const struct decode_attr *a, const struct decode_attr_row *row) {
    if (row->kind == DECODE_LIST)
        return a->size % row->item_size == 0;
    if (row->kind == DECODE_FLAG)
        return a->size == 0;
    return row->item_size == 0 || a->size == row->item_size;
}
