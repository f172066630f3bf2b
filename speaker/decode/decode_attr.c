/*
 * The table of path attributes: one row each, with what its items look like.
 *
 * Items are given as octets of exactly item_size, so nothing here can run over. Names and codes:
 * IANA "BGP Path Attributes"; the shapes: RFC 4271 4.3, 1997, 4360, 4456, 6793, 8092, 9234.
 */
#include "decode_attr.h"

#include "../base/addr.h"
#include "../base/bytes.h"
#include "../base/text.h"
#include "../core/attr.h"
#include "decode.h"

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

static void put_ext(const uint8_t *data, struct text *out) {
    text_printf(out, "%08x%08x", word(data), word(data + 4));
}

static void put_large(const uint8_t *data, struct text *out) {
    text_printf(out, "%u:%u:%u", word(data), word(data + 4), word(data + 8));
}

#define WELL_KNOWN ATTR_FLAG_TRANSITIVE
#define OPTIONAL ATTR_FLAG_OPTIONAL
#define CARRIED (ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE)
static const struct decode_attr_row rows[] = {
    {ATTR_ORIGIN, WELL_KNOWN, 6, DECODE_TEXT, 1, "ORIGIN", "origin", put_origin},
    {ATTR_AS_PATH, WELL_KNOWN, 11, DECODE_PATH, 0, "AS_PATH", "as_path", NULL},
    {ATTR_NEXT_HOP, WELL_KNOWN, 8, DECODE_TEXT, 4, "NEXT_HOP", "next_hop", put_id},
    {ATTR_MED, OPTIONAL, 9, DECODE_NUMBER, 4, "MULTI_EXIT_DISC", "med", put_number},
    {ATTR_LOCAL_PREF, WELL_KNOWN, 9, DECODE_NUMBER, 4, "LOCAL_PREF", "local_pref", put_number},
    {ATTR_ATOMIC_AGGREGATE, WELL_KNOWN, 9, DECODE_FLAG, 0, "ATOMIC_AGGREGATE", "atomic_aggregate",
     NULL},
    {ATTR_AGGREGATOR, CARRIED, 9, DECODE_AGGREGATOR, 0, "AGGREGATOR", "aggregator", NULL},
    {ATTR_COMMUNITIES, CARRIED, 9, DECODE_LIST, 4, "COMMUNITIES", "communities", put_community},
    {ATTR_ORIGINATOR_ID, OPTIONAL, 9, DECODE_TEXT, 4, "ORIGINATOR_ID", "originator_id", put_id},
    {ATTR_CLUSTER_LIST, OPTIONAL, 9, DECODE_LIST, 4, "CLUSTER_LIST", "cluster_list", put_id},
    {ATTR_MP_REACH, OPTIONAL, 9, DECODE_HIDDEN, 0, "MP_REACH_NLRI", NULL, NULL},
    {ATTR_MP_UNREACH, OPTIONAL, 9, DECODE_HIDDEN, 0, "MP_UNREACH_NLRI", NULL, NULL},
    {ATTR_EXT_COMMUNITIES, CARRIED, 9, DECODE_LIST, 8, "EXTENDED_COMMUNITIES", "ext_communities",
     put_ext},
    {ATTR_AS4_PATH, CARRIED, 9, DECODE_HIDDEN, 0, "AS4_PATH", NULL, NULL},
    {ATTR_AS4_AGGREGATOR, CARRIED, 9, DECODE_HIDDEN, 0, "AS4_AGGREGATOR", NULL, NULL},
    {22, CARRIED, 9, DECODE_OPAQUE, 0, "PMSI_TUNNEL", NULL, NULL},
    {23, CARRIED, 9, DECODE_OPAQUE, 0, "TUNNEL_ENCAPSULATION", NULL, NULL},
    {24, OPTIONAL, 9, DECODE_OPAQUE, 0, "TRAFFIC_ENGINEERING", NULL, NULL},
    {25, CARRIED, 9, DECODE_OPAQUE, 0, "IPV6_EXTENDED_COMMUNITIES", NULL, NULL},
    {26, OPTIONAL, 9, DECODE_OPAQUE, 0, "AIGP", NULL, NULL},
    {29, OPTIONAL, 9, DECODE_OPAQUE, 0, "BGP-LS", NULL, NULL},
    {ATTR_LARGE_COMMUNITIES, CARRIED, 9, DECODE_LIST, 12, "LARGE_COMMUNITY", "large_communities",
     put_large},
    {33, OPTIONAL, 9, DECODE_OPAQUE, 0, "BGPSEC_PATH", NULL, NULL},
    {ATTR_OTC, CARRIED, 9, DECODE_NUMBER, 4, "ONLY_TO_CUSTOMER", "otc", put_number},
    {40, CARRIED, 9, DECODE_OPAQUE, 0, "PREFIX_SID", NULL, NULL},
    {128, CARRIED, 9, DECODE_OPAQUE, 0, "ATTR_SET", NULL, NULL},
};

const struct decode_attr_row *decode_attr_row(uint8_t code) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code)
            return &rows[i];
    return NULL;
}
