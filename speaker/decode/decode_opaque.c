/*
 * Values of attributes that are carried without being looked into: for readers, in a line.
 *
 * Nothing here is a judge: a value that is not what its RFC says is left to whoever shows octets,
 * and no outcome follows from it. Each function gets a reader over exactly the value, must read it
 * to its end, and what it wrote is thrown away if it did not.
 *
 * PMSI_TUNNEL: RFC 6514 5, 7524 (mLDP), 7988 and 8365 (ingress replication). TUNNEL_ENCAPSULATION:
 * 9012 2. IPV6_EXTENDED_COMMUNITIES: 5701. AIGP: 7311 3. BFD_DISCRIMINATOR: 9026 3.1.6.
 * PREFIX_SID: 8669 3, 9252 2. ATTR_SET: 6368 5.
 */
#include "decode_opaque.h"

#include "../base/bytes.h"
#include "../base/text.h"
#include "decode.h"
#include "decode_attr.h"
#include "decode_ext.h"

#include <inttypes.h>

#define AIGP_METRIC 1
#define AIGP_TLV_HEAD_SIZE 3
#define SID_LABEL_INDEX 1
#define SID_ORIGINATOR_SRGB 3
#define SID_SRV6_L3 5
#define SID_SRV6_L2 6

/* Between the items of a list. */
static void put_comma(const struct byte_reader *r, struct text *out) {
    if (bytes_left(r) > 0)
        text_puts(out, ", ");
}

static uint32_t read_u24(struct byte_reader *r) {
    uint32_t high = bytes_u8(r);
    return high << 16 | bytes_u16(r);
}

/* ---- AIGP ---- */

static bool put_aigp(struct byte_reader *r, struct text *out) {
    while (bytes_left(r) > 0) {
        uint8_t type = bytes_u8(r);
        uint16_t size = bytes_u16(r); /* of the whole TLV */
        if (size < AIGP_TLV_HEAD_SIZE || (type == AIGP_METRIC && size != AIGP_TLV_HEAD_SIZE + 8))
            return false;
        struct byte_reader value = bytes_view(r, size - AIGP_TLV_HEAD_SIZE);
        if (!bytes_ok(&value))
            return false;
        uint64_t metric = (uint64_t)bytes_u32(&value) << 32;
        if (type == AIGP_METRIC)
            text_printf(out, "metric %" PRIu64, metric | bytes_u32(&value));
        else
            text_printf(out, "TLV %u of %u octets", type, size);
        put_comma(r, out);
    }
    return true;
}

/* ---- PMSI tunnel ---- */

/* `size` is that of an address, 4 or 16; false: fewer octets are there. */
static bool put_address(struct byte_reader *r, size_t size, struct text *out) {
    const uint8_t *data = bytes_take(r, size);
    if (data)
        decode_put_address(data, size, out);
    return data;
}

/* Sender and group, or an endpoint, or octets. */
static bool put_tunnel(uint8_t type, struct byte_reader *r, struct text *out) {
    size_t size = bytes_left(r);
    bool is_pair = type >= 3 && type <= 5 && (size == 8 || size == 32);
    text_puts(out, ", tunnel ");
    if (is_pair) {
        (void)put_address(r, size / 2, out);
        text_putc(out, ' ');
        return put_address(r, size / 2, out);
    }
    if (type == 6 && (size == 4 || size == 16))
        return put_address(r, size, out);
    while (bytes_left(r) > 0)
        text_printf(out, "%02x", bytes_u8(r));
    return true;
}

static bool put_pmsi(struct byte_reader *r, struct text *out) {
    static const char *const types[] = {
        "no tunnel", "rsvp-te-p2mp", "mldp-p2mp",           "pim-ssm",
        "pim-sm",    "bidir-pim",    "ingress-replication", "mldp-mp2mp"};
    uint8_t flags = bytes_u8(r), type = bytes_u8(r);
    uint32_t label = read_u24(r);
    if (!bytes_ok(r))
        return false;
    if (type < sizeof types / sizeof types[0])
        text_puts(out, types[type]);
    else
        text_printf(out, "type %u", type);
    if (flags)
        text_printf(out, ", flags 0x%02x", flags);
    if (label)
        text_printf(out, ", label %u (VNI %u)", label >> 4, label);
    return bytes_left(r) == 0 || put_tunnel(type, r, out);
}

/* ---- tunnel encapsulation ---- */

static bool put_tunnels(struct byte_reader *r, struct text *out) {
    while (bytes_left(r) > 0) {
        uint16_t type = bytes_u16(r);
        struct byte_reader value = bytes_view(r, bytes_u16(r));
        if (!bytes_ok(&value))
            return false;
        decode_tunnel_type(type, out);
        for (const char *between = " sub-TLVs "; bytes_left(&value) > 0; between = " ") {
            uint8_t sub = bytes_u8(&value);
            size_t size = sub >= 128 ? bytes_u16(&value) : bytes_u8(&value);
            (void)bytes_take(&value, size);
            text_printf(out, "%s%u", between, sub);
        }
        if (!bytes_ok(&value))
            return false;
        put_comma(r, out);
    }
    return true;
}

/* ---- prefix SID ---- */

static bool put_srgb(struct byte_reader *r, struct text *out) {
    (void)bytes_u16(r); /* flags: none is defined */
    text_puts(out, "SRGB");
    while (bytes_left(r) > 0) {
        uint32_t base = read_u24(r);
        text_printf(out, " %u+%u", base, read_u24(r));
    }
    return bytes_ok(r);
}

static bool put_label_index(struct byte_reader *r, struct text *out) {
    (void)bytes_u8(r); /* reserved */
    (void)bytes_u16(r);
    text_printf(out, "label index %u", bytes_u32(r));
    return bytes_ok(r) && bytes_left(r) == 0;
}

/* The SID of each service: reserved, sub-TLVs of type 1 with reserved, SID, flags, behaviour. */
static bool put_srv6(const char *service, struct byte_reader *r, struct text *out) {
    (void)bytes_u8(r);
    text_puts(out, service);
    while (bytes_left(r) > 0) {
        uint8_t type = bytes_u8(r);
        struct byte_reader value = bytes_view(r, bytes_u16(r));
        if (!bytes_ok(&value))
            return false;
        if (type != 1)
            continue;
        (void)bytes_u8(&value);
        text_puts(out, " SID ");
        if (!put_address(&value, 16, out))
            return false;
        (void)bytes_u8(&value);
        text_printf(out, " behaviour 0x%04x", bytes_u16(&value));
        if (!bytes_ok(&value))
            return false;
    }
    return bytes_ok(r);
}

static bool put_sid_value(uint8_t type, struct byte_reader *value, struct text *out) {
    switch (type) {
    case SID_LABEL_INDEX:
        return put_label_index(value, out);
    case SID_ORIGINATOR_SRGB:
        return put_srgb(value, out);
    case SID_SRV6_L3:
        return put_srv6("SRv6 L3", value, out);
    case SID_SRV6_L2:
        return put_srv6("SRv6 L2", value, out);
    default:
        text_printf(out, "TLV %u of %zu octets", type, value->size);
        return true;
    }
}

static bool put_prefix_sid(struct byte_reader *r, struct text *out) {
    while (bytes_left(r) > 0) {
        uint8_t type = bytes_u8(r);
        struct byte_reader value = bytes_view(r, bytes_u16(r));
        if (!bytes_ok(&value) || !put_sid_value(type, &value, out))
            return false;
        put_comma(r, out);
    }
    return true;
}

/* ---- the others ---- */

static bool put_ext6(struct byte_reader *r, struct text *out) {
    if (bytes_left(r) % DECODE_EXT6_SIZE != 0)
        return false;
    while (bytes_left(r) > 0) {
        decode_ext6_put(bytes_take(r, DECODE_EXT6_SIZE), out);
        if (bytes_left(r) > 0)
            text_putc(out, ' ');
    }
    return true;
}

static bool put_bfd(struct byte_reader *r, struct text *out) {
    uint8_t mode = bytes_u8(r);
    uint32_t discriminator = bytes_u32(r);
    text_printf(out, "mode %u, discriminator %u", mode, discriminator);
    (void)bytes_take(r, bytes_left(r)); /* TLVs */
    return bytes_ok(r);
}

/* The customer's AS, and by name what the customer's route has. */
static bool put_attr_set(struct byte_reader *r, struct text *out) {
    text_printf(out, "origin AS %u:", bytes_u32(r));
    while (bytes_left(r) > 0) {
        uint8_t flags = bytes_u8(r), code = bytes_u8(r);
        size_t size = flags & ATTR_FLAG_EXTENDED ? bytes_u16(r) : bytes_u8(r);
        const uint8_t *value = bytes_take(r, size);
        const struct decode_attr_row *row = decode_attr_row(code);
        if (!value)
            return false;
        text_printf(out, " %s", row ? row->name : "unknown");
        if (row && row->put && row->item_size == size) {
            text_putc(out, ' ');
            row->put(value, out);
        }
        text_puts(out, bytes_left(r) > 0 ? "," : "");
    }
    return bytes_ok(r);
}

static const struct {
    uint8_t code;
    bool (*put)(struct byte_reader *r, struct text *out);
} rows[] = {
    {22, put_pmsi}, {23, put_tunnels},    {25, put_ext6},      {26, put_aigp},
    {38, put_bfd},  {40, put_prefix_sid}, {128, put_attr_set},
};

bool decode_opaque_put(uint8_t code, const uint8_t *data, size_t size, struct text *out) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code != code || size == 0)
            continue;
        struct byte_reader r = bytes_reader(data, size);
        struct text line;
        text_init(&line);
        bool ok = rows[i].put(&r, &line) && bytes_ok(&r) && bytes_left(&r) == 0;
        if (ok)
            text_put(out, line.data, line.size);
        out->failed |= line.failed;
        text_deinit(&line);
        return ok && !line.failed;
    }
    return false;
}
