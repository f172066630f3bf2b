/*
 * Extended communities in words.
 *
 * A row per type and subtype. Types 0, 1 and 2 have the same subtypes with three ways to write an
 * administrator (an AS of two octets, an IPv4 address, an AS of four octets), so those rows are
 * shared. The bit 0x40 says "not transitive": expected of some, marked where it is of no use to
 * know a community by.
 *
 * RFC 4360, 5668, 7153; 4577 (OSPF), 5512 and 9012 (encapsulation, color), 6514, 7432 and 8584
 * (EVPN), 8097 (validation state), 8955 (flow specification), 9135 and 9136 (router's MAC); the
 * link bandwidth of draft-ietf-idr-link-bandwidth, in octets a second.
 */
#include "decode_ext.h"

#include "../base/addr.h"
#include "../base/text.h"
#include "decode.h"

#include <stddef.h>
#include <string.h>

#define EXT_NOT_TRANSITIVE 0x40
#define EXT_AS2 0x00
#define EXT_IP4 0x01
#define EXT_AS4 0x02

/* ---- pieces ---- */

static uint16_t u16_at(const uint8_t *data) {
    return (uint16_t)(data[0] << 8 | data[1]);
}

static uint32_t u32_at(const uint8_t *data) {
    return (uint32_t)u16_at(data) << 16 | u16_at(data + 2);
}

static void put_octets(const uint8_t *data, size_t size, struct text *out) {
    for (size_t i = 0; i < size; i++)
        text_printf(out, "%02x", data[i]);
}

static void put_mac(const uint8_t *mac, struct text *out) {
    for (int i = 0; i < 6; i++)
        text_printf(out, i ? ":%02x" : "%02x", mac[i]);
}

/* The four octets of a float. False: nothing a bandwidth or rate can be. */
static bool put_rate(const uint8_t *data, const char *unit, struct text *out) {
    uint32_t bits = u32_at(data);
    float rate;
    memcpy(&rate, &bits, sizeof rate);
    if (bits >> 31 || (bits >> 23 & 0xFF) == 0xFF)
        return false;
    text_printf(out, "%.0f%s", (double)rate, unit);
    return true;
}

void decode_tunnel_type(uint16_t type, struct text *out) {
    static const char *const names[] = {
        [1] = "l2tpv3",       [2] = "gre",          [3] = "ipsec-transmit", [4] = "ipsec-tunnel",
        [5] = "ip-in-ipsec",  [6] = "mpls-ipsec",   [7] = "ip-in-ip",       [8] = "vxlan",
        [9] = "nvgre",        [10] = "mpls",        [11] = "mpls-in-gre",   [12] = "vxlan-gpe",
        [13] = "mpls-in-udp", [14] = "ipv6-tunnel", [15] = "sr-policy",     [16] = "bare",
        [19] = "geneve",
    };
    if (type < sizeof names / sizeof names[0] && names[type])
        text_puts(out, names[type]);
    else
        text_printf(out, "%u", type);
}

/* ---- the value behind a name: six octets; false: not what it should be ---- */

typedef bool ext_fn(const uint8_t *value, struct text *out);

/* Administrator and number, in one of three ways; the name is followed by its colon. */
static void put_administered(uint8_t kind, const uint8_t *value, struct text *out) {
    if (kind == EXT_AS2) {
        text_printf(out, "%u:%u", u16_at(value), u32_at(value + 2));
        return;
    }
    if (kind == EXT_IP4)
        decode_put_id(u32_at(value), out);
    else
        text_printf(out, "%u", u32_at(value));
    text_printf(out, ":%u", u16_at(value + 4));
}

static bool put_link_bandwidth(const uint8_t *value, struct text *out) {
    text_printf(out, "%u:", u16_at(value));
    return put_rate(value + 2, "B/s", out);
}

static bool put_rate_octets(const uint8_t *value, struct text *out) {
    return put_rate(value + 2, "B/s", out);
}

static bool put_rate_packets(const uint8_t *value, struct text *out) {
    return put_rate(value + 2, "packets/s", out);
}

static bool put_address(const uint8_t *value, struct text *out) {
    decode_put_id(u32_at(value), out);
    return true;
}

static bool put_ospf_route(const uint8_t *value, struct text *out) {
    decode_put_id(u32_at(value), out); /* the area */
    text_printf(out, ":%u:%u", value[4], value[5]);
    return true;
}

static bool put_cost(const uint8_t *value, struct text *out) {
    text_printf(out, "%u:%u:%u", value[0], value[1], u32_at(value + 2));
    return true;
}

static bool put_validation(const uint8_t *value, struct text *out) {
    static const char *const states[] = {"valid", "not-found", "invalid"};
    if (value[5] > 2)
        return false;
    text_puts(out, states[value[5]]);
    return true;
}

/* Flags only where there are any: RFC 9256 8.8.1. */
static bool put_color(const uint8_t *value, struct text *out) {
    text_printf(out, "%u", u32_at(value + 2));
    if (u16_at(value))
        text_printf(out, "/0x%04x", u16_at(value));
    return true;
}

static bool put_encapsulation(const uint8_t *value, struct text *out) {
    decode_tunnel_type(u16_at(value + 4), out);
    return true;
}

static bool put_nothing(const uint8_t *value, struct text *out) {
    (void)value;
    (void)out;
    return true;
}

static bool put_mac_mobility(const uint8_t *value, struct text *out) {
    text_printf(out, "%u%s", u32_at(value + 2), value[0] & 1 ? "/sticky" : "");
    return true;
}

static bool put_esi_label(const uint8_t *value, struct text *out) {
    text_printf(out, "%u%s", (uint32_t)value[3] << 12 | u16_at(value + 4) >> 4,
                value[0] & 1 ? "/single-active" : "");
    return true;
}

static bool put_mac_value(const uint8_t *value, struct text *out) {
    put_mac(value, out);
    return true;
}

static bool put_df_election(const uint8_t *value, struct text *out) {
    text_printf(out, "%u", value[0] & 0x1F);
    return true;
}

static bool put_l2_attributes(const uint8_t *value, struct text *out) {
    text_printf(out, "0x%04x:mtu-%u", u16_at(value), u16_at(value + 2));
    return true;
}

/* The bit called "terminal action" has later rules looked at when it is set: RFC 8955 7.3. */
static bool put_traffic_action(const uint8_t *value, struct text *out) {
    static const char *const actions[] = {NULL, "continue", "sample", "sample+continue"};
    if (value[5] % 4 == 0)
        return false;
    text_puts(out, actions[value[5] % 4]);
    return true;
}

static bool put_marking(const uint8_t *value, struct text *out) {
    text_printf(out, "dscp-%u", value[5] & 0x3F);
    return true;
}

static bool put_redirect_as2(const uint8_t *value, struct text *out) {
    put_administered(EXT_AS2, value, out);
    return true;
}

static bool put_redirect_ip4(const uint8_t *value, struct text *out) {
    put_administered(EXT_IP4, value, out);
    return true;
}

static bool put_redirect_as4(const uint8_t *value, struct text *out) {
    put_administered(EXT_AS4, value, out);
    return true;
}

/* ---- the tables ---- */

/* Subtypes of types 0, 1 and 2 whose value is administrator and number. */
static const struct {
    uint8_t subtype;
    const char *name;
} administered[] = {
    {0x02, "rt"},
    {0x03, "soo"},
    {0x05, "ospf-domain-id"},
    {0x08, "data-collection"},
    {0x09, "source-as"},
    {0x0A, "l2vpn-id"},
    {0x0B, "vrf-route-import"},
    {0x10, "vpn-distinguisher"},
    {0x13, "rt-record"},
};

/* All others, by both octets. */
static const struct {
    uint16_t type;
    const char *name;
    ext_fn *put;
} named[] = {
    {0x0004, "link-bandwidth:", put_link_bandwidth},
    {0x4004, "link-bandwidth:", put_link_bandwidth},
    {0x0107, "ospf-router-id:", put_address},
    {0x0301, "cost:", put_cost},
    {0x4301, "cost:", put_cost},
    {0x0306, "ospf-route:", put_ospf_route},
    {0x030B, "color:", put_color},
    {0x030C, "encapsulation:", put_encapsulation},
    {0x030D, "default-gateway", put_nothing},
    {0x4300, "validation:", put_validation},
    {0x0600, "mac-mobility:", put_mac_mobility},
    {0x0601, "esi-label:", put_esi_label},
    {0x0602, "es-import:", put_mac_value},
    {0x0603, "router-mac:", put_mac_value},
    {0x0604, "l2-attributes:", put_l2_attributes},
    {0x0606, "df-election:", put_df_election},
    {0x8006, "traffic-rate:", put_rate_octets},
    {0x8007, "traffic-action:", put_traffic_action},
    {0x8008, "redirect:", put_redirect_as2},
    {0x8009, "traffic-marking:", put_marking},
    {0x800C, "traffic-rate:", put_rate_packets},
    {0x8108, "redirect:", put_redirect_ip4},
    {0x8208, "redirect:", put_redirect_as4},
};

static const char *administered_name(uint8_t subtype) {
    for (size_t i = 0; i < sizeof administered / sizeof administered[0]; i++)
        if (administered[i].subtype == subtype)
            return administered[i].name;
    return NULL;
}

static bool put_named(const uint8_t *data, struct text *out) {
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        if (named[i].type == u16_at(data)) {
            text_puts(out, named[i].name);
            return named[i].put(data + 2, out);
        }
    }
    return false;
}

static bool put_words(const uint8_t *data, struct text *out) {
    uint8_t kind = data[0] & (uint8_t)~EXT_NOT_TRANSITIVE;
    const char *name = kind <= EXT_AS4 ? administered_name(data[1]) : NULL;
    if (!name)
        return put_named(data, out);
    text_printf(out, "%s:", name);
    put_administered(kind, data + 2, out);
    if (data[0] & EXT_NOT_TRANSITIVE)
        text_puts(out, "/non-transitive");
    return true;
}

void decode_ext_put(const uint8_t *data, struct text *out) {
    struct text words;
    text_init(&words);
    if (put_words(data, &words))
        text_puts(out, text_str(&words));
    else
        put_octets(data, DECODE_EXT_SIZE, out);
    out->failed |= words.failed;
    text_deinit(&words);
}

/* "rt:[2001:db8::1]:100": an address has colons of its own. */
void decode_ext6_put(const uint8_t *data, struct text *out) {
    char address[IP_ADDR_TEXT_MAX];
    bool known = data[0] == 0 || data[0] == EXT_NOT_TRANSITIVE;
    const char *name = known ? administered_name(data[1]) : NULL;
    if (!name) {
        put_octets(data, DECODE_EXT6_SIZE, out);
        return;
    }
    text_printf(out, "%s:[%s]:%u%s", name, ip_format(ip6(data + 2), address), u16_at(data + 18),
                data[0] ? "/non-transitive" : "");
}
