/*
 * The data of NOTIFICATIONs in words, where an RFC says what it is. Shutdown texts are the codec's.
 *
 * RFC 4271 6.1-6.3, 4486 4 (prefix limit), 5492 5, 6608 4, 8538 3 (hard reset).
 */
#include "decode_notification.h"

#include "../base/text.h"
#include "decode_attr.h"
#include "decode_open.h"

typedef bool data_fn(struct byte_reader *r, struct text *out);

static bool put_length(struct byte_reader *r, struct text *out) {
    text_printf(out, "length %u", bytes_u16(r));
    return true;
}

static bool put_type(struct byte_reader *r, struct text *out) {
    text_printf(out, "message type %u", bytes_u8(r));
    return true;
}

static bool put_version(struct byte_reader *r, struct text *out) {
    text_printf(out, "version %u", bytes_u16(r));
    return true;
}

static bool put_capabilities(struct byte_reader *r, struct text *out) {
    size_t size = bytes_left(r);
    return decode_put_capability_names(bytes_take(r, size), size, out);
}

static void put_name(uint8_t code, struct text *out) {
    const struct decode_attr_row *row = decode_attr_row(code);
    text_printf(out, "attribute %u%s%s", code, row ? " " : "", row ? row->name : "");
}

/* The attribute as it was received, however damaged: its head is all that is looked at. */
static bool put_attribute(struct byte_reader *r, struct text *out) {
    (void)bytes_u8(r);
    put_name(bytes_u8(r), out);
    (void)bytes_take(r, bytes_left(r));
    return true;
}

static bool put_missing(struct byte_reader *r, struct text *out) {
    put_name(bytes_u8(r), out);
    return true;
}

static bool put_limit(struct byte_reader *r, struct text *out) {
    uint16_t afi = bytes_u16(r);
    decode_family_name(afi, bytes_u8(r), out);
    text_printf(out, ", limit %u", bytes_u32(r));
    return true;
}

/* A whole NOTIFICATION without its header. */
static bool put_inner(struct byte_reader *r, struct text *out) {
    uint8_t code = bytes_u8(r), subcode = bytes_u8(r);
    const char *name = bgp_error_name(code);
    text_printf(out, "%u/%u%s%s", code, subcode, name[0] ? " " : "", name);
    if (bgp_suberror_name(code, subcode)[0])
        text_printf(out, ": %s", bgp_suberror_name(code, subcode));
    (void)bytes_take(r, bytes_left(r));
    return true;
}

#define ANY_SUBCODE 255

static const struct {
    uint8_t code, subcode;
    data_fn *put;
} rows[] = {
    {BGP_ERR_HEADER, BGP_HEADER_ERR_LENGTH, put_length},
    {BGP_ERR_HEADER, BGP_HEADER_ERR_TYPE, put_type},
    {BGP_ERR_OPEN, BGP_OPEN_ERR_VERSION, put_version},
    {BGP_ERR_OPEN, BGP_OPEN_ERR_CAPABILITY, put_capabilities},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_UNRECOGNIZED, put_attribute},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_MISSING, put_missing},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_FLAGS, put_attribute},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_LENGTH, put_attribute},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_ORIGIN, put_attribute},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_NEXT_HOP, put_attribute},
    {BGP_ERR_UPDATE, BGP_UPDATE_ERR_OPTIONAL, put_attribute},
    {BGP_ERR_FSM, ANY_SUBCODE, put_type},
    {BGP_ERR_CEASE, BGP_CEASE_PREFIX_LIMIT, put_limit},
    {BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, put_inner},
};

bool decode_notification_data(const struct bgp_notification *n, struct text *out) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_any = rows[i].subcode == ANY_SUBCODE;
        if (rows[i].code != n->code || (!is_any && rows[i].subcode != n->subcode) || n->size == 0)
            continue;
        struct byte_reader r = bytes_reader(n->data, n->size);
        struct text line;
        text_init(&line);
        bool ok = rows[i].put(&r, &line) && bytes_ok(&r) && bytes_left(&r) == 0;
        if (ok)
            text_put(out, line.data, line.size);
        out->failed |= line.failed;
        text_deinit(&line);
        return ok;
    }
    return false;
}
