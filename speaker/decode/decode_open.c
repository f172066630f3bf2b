/*
 * Capabilities by name, with their values: RFC 5492 and those that define them; the names of
 * those that have no RFC yet are IANA's.
 *
 * Only OPENs that open_decode has accepted come here, so their parameters are framed soundly; a
 * value with a length its capability does not have (those the codec does not read) is shown as
 * octets. Parameters may have the extended form of RFC 9072.
 */
#include "decode_open.h"

#include "../base/text.h"
#include "json_out.h"

#define OPEN_FIXED_SIZE 9
#define PARAMETER_CAPABILITIES 2
#define PARAMETER_EXTENDED 255

typedef bool capability_fn(struct byte_reader *r, struct json_out *o);

/* Of what says enough by itself: people do without. */
static void put_key(struct json_out *o, const char *key) {
    if (!o->plain)
        json_out_key(o, key);
}

static void put_family(struct byte_reader *r, struct json_out *o, bool reserved) {
    struct text name;
    uint16_t afi = bytes_u16(r);
    if (reserved)
        (void)bytes_u8(r);
    text_init(&name);
    decode_family_name(afi, bytes_u8(r), &name);
    put_key(o, "family");
    json_out_text(o, text_str(&name));
    o->text->failed |= name.failed;
    text_deinit(&name);
}

static void put_number(struct json_out *o, const char *key, uint64_t value) {
    json_out_key(o, key);
    json_out_number(o, value);
}

static void put_bool(struct json_out *o, const char *key, bool value) {
    json_out_key(o, key);
    json_out_bool(o, value);
}

static bool put_multiprotocol(struct byte_reader *r, struct json_out *o) {
    if (bytes_left(r) != 4)
        return false;
    put_family(r, o, true);
    return true;
}

static bool put_asn4(struct byte_reader *r, struct json_out *o) {
    if (bytes_left(r) != 4)
        return false;
    put_key(o, "asn");
    json_out_number(o, bytes_u32(r));
    return true;
}

static bool put_graceful_restart(struct byte_reader *r, struct json_out *o) {
    if (bytes_left(r) < 2 || (bytes_left(r) - 2) % 4 != 0)
        return false;
    uint16_t head = bytes_u16(r);
    put_bool(o, "restarting", head & 0x8000);
    put_bool(o, "notification", head & 0x4000);
    put_number(o, "time", head & 0x0FFF);
    json_out_key(o, "families");
    json_out_open(o, '[');
    while (bytes_left(r) > 0) {
        json_out_open(o, '{');
        put_family(r, o, false);
        put_bool(o, "forwarding", bytes_u8(r) & 0x80);
        json_out_close(o, '}');
    }
    json_out_close(o, ']');
    return true;
}

static bool put_llgr(struct byte_reader *r, struct json_out *o) {
    if (bytes_left(r) % 7 != 0)
        return false;
    put_key(o, "families");
    json_out_open(o, '[');
    while (bytes_left(r) > 0) {
        json_out_open(o, '{');
        put_family(r, o, false);
        put_bool(o, "forwarding", bytes_u8(r) & 0x80);
        uint32_t high = bytes_u8(r);
        put_number(o, "time", high << 16 | bytes_u16(r));
        json_out_close(o, '}');
    }
    json_out_close(o, ']');
    return true;
}

/* The value by name, or as it is. */
static void put_choice(struct json_out *o, const char *const *names, size_t count, uint8_t value) {
    if (value < count && names[value])
        json_out_text(o, names[value]);
    else
        json_out_number(o, value);
}

static bool put_add_path(struct byte_reader *r, struct json_out *o) {
    static const char *const modes[] = {NULL, "receive", "send", "send/receive"};
    if (bytes_left(r) % 4 != 0)
        return false;
    put_key(o, "families");
    json_out_open(o, '[');
    while (bytes_left(r) > 0) {
        json_out_open(o, '{');
        put_family(r, o, false);
        json_out_key(o, "mode");
        put_choice(o, modes, sizeof modes / sizeof modes[0], bytes_u8(r));
        json_out_close(o, '}');
    }
    json_out_close(o, ']');
    return true;
}

static bool put_extended_next_hop(struct byte_reader *r, struct json_out *o) {
    if (bytes_left(r) % 6 != 0)
        return false;
    put_key(o, "families");
    json_out_open(o, '[');
    while (bytes_left(r) > 0) {
        json_out_open(o, '{');
        uint16_t afi = bytes_u16(r), safi = bytes_u16(r);
        uint8_t family[] = {(uint8_t)(afi >> 8), (uint8_t)afi, (uint8_t)safi};
        struct byte_reader head = bytes_reader(family, sizeof family);
        put_family(&head, o, false);
        put_number(o, "next_hop_afi", bytes_u16(r));
        json_out_close(o, '}');
    }
    json_out_close(o, ']');
    return true;
}

static bool put_role(struct byte_reader *r, struct json_out *o) {
    static const char *const roles[] = {"provider", "rs", "rs-client", "customer", "peer"};
    if (bytes_left(r) != 1)
        return false;
    put_key(o, "role");
    put_choice(o, roles, sizeof roles / sizeof roles[0], bytes_u8(r));
    return true;
}

/* A counted string; false: it is longer than the capability. */
static bool put_counted(struct byte_reader *r, struct json_out *o, const char *key) {
    struct byte_reader text = bytes_view(r, bytes_u8(r));
    if (!bytes_ok(&text))
        return false;
    json_out_key(o, key);
    json_out_string(o, (const char *)text.data, text.size);
    return true;
}

static bool put_fqdn(struct byte_reader *r, struct json_out *o) {
    struct byte_reader check = *r;
    (void)bytes_view(&check, bytes_u8(&check));
    (void)bytes_view(&check, bytes_u8(&check));
    return bytes_ok(&check) && put_counted(r, o, "host") && put_counted(r, o, "domain");
}

static bool put_software(struct byte_reader *r, struct json_out *o) {
    return put_counted(r, o, "version");
}

/* ---- those the codec has no use for ---- */

static void put_orf_type(uint8_t type, uint8_t mode, struct json_out *o) {
    static const char *const modes[] = {NULL, "receive", "send", "both"};
    json_out_open(o, '{');
    put_key(o, "type");
    json_out_number(o, type);
    put_key(o, "mode");
    put_choice(o, modes, sizeof modes / sizeof modes[0], mode);
    json_out_close(o, '}');
}

/* RFC 5291 5: are all entries as long as their counts say? */
static bool is_orf(struct byte_reader r) {
    while (bytes_left(&r) > 0) {
        (void)bytes_take(&r, 4);
        (void)bytes_take(&r, 2 * (size_t)bytes_u8(&r));
    }
    return bytes_ok(&r) && r.size > 0;
}

static bool put_orf(struct byte_reader *r, struct json_out *o) {
    if (!is_orf(*r))
        return false;
    put_key(o, "families");
    json_out_open(o, '[');
    while (bytes_left(r) > 0) {
        json_out_open(o, '{');
        put_family(r, o, true);
        put_key(o, "types");
        json_out_open(o, '[');
        for (unsigned count = bytes_u8(r); count > 0; count--) {
            uint8_t type = bytes_u8(r);
            put_orf_type(type, bytes_u8(r), o);
        }
        json_out_close(o, ']');
        json_out_close(o, '}');
    }
    json_out_close(o, ']');
    return true;
}

/* A list of families, each with a number of `size` octets behind it. */
static bool put_family_numbers(struct byte_reader *r, struct json_out *o, size_t size,
                               const char *key) {
    if (bytes_left(r) == 0 || bytes_left(r) % (3 + size) != 0)
        return false;
    put_key(o, "families");
    json_out_open(o, '[');
    while (bytes_left(r) > 0) {
        json_out_open(o, '{');
        put_family(r, o, false);
        put_number(o, key, size == 1 ? bytes_u8(r) : bytes_u16(r));
        json_out_close(o, '}');
    }
    json_out_close(o, ']');
    return true;
}

static bool put_multiple_labels(struct byte_reader *r, struct json_out *o) {
    return put_family_numbers(r, o, 1, "labels");
}

static bool put_paths_limit(struct byte_reader *r, struct json_out *o) {
    return put_family_numbers(r, o, 2, "limit");
}

/* The capabilities that may change while the session is up. */
static bool put_dynamic(struct byte_reader *r, struct json_out *o) {
    put_key(o, "codes");
    json_out_open(o, '[');
    while (bytes_left(r) > 0)
        json_out_number(o, bytes_u8(r));
    json_out_close(o, ']');
    return true;
}

static const struct {
    const char *name;
    capability_fn *put; /* NULL: no value */
    uint8_t code;
    bool in_octets; /* JSON has the value's octets, too */
} rows[] = {
    {"multiprotocol", put_multiprotocol, 1, false},
    {"route-refresh", NULL, 2, false},
    {"outbound-route-filtering", put_orf, 3, true},
    {"multiple-routes", NULL, 4, false},
    {"extended-next-hop", put_extended_next_hop, 5, false},
    {"extended-message", NULL, 6, false},
    {"bgpsec", NULL, 7, false},
    {"multiple-labels", put_multiple_labels, 8, true},
    {"role", put_role, 9, false},
    {"graceful-restart", put_graceful_restart, 64, false},
    {"asn4", put_asn4, 65, false},
    {"dynamic-old", put_dynamic, 66, true},
    {"dynamic", put_dynamic, 67, true},
    {"multisession", NULL, 68, false},
    {"add-path", put_add_path, 69, false},
    {"enhanced-route-refresh", NULL, 70, false},
    {"long-lived-graceful-restart", put_llgr, 71, false},
    {"routing-policy-distribution", NULL, 72, false},
    {"fqdn", put_fqdn, 73, false},
    {"bfd-strict-mode", NULL, 74, false},
    {"software-version", put_software, 75, false},
    {"paths-limit", put_paths_limit, 76, true},
    {"link-local-next-hop", NULL, 77, false},
    {"route-refresh-cisco", NULL, 128, false},
    {"outbound-route-filtering-old", put_orf, 129, true},
    {"outbound-route-filtering-cisco", put_orf, 130, true},
    {"multisession-cisco", NULL, 131, false},
};

static size_t row_find(uint8_t code) {
    size_t i = 0;
    while (i < sizeof rows / sizeof rows[0] && rows[i].code != code)
        i++;
    return i;
}

static const char *row_name(size_t row) {
    return row < sizeof rows / sizeof rows[0] ? rows[row].name : "unknown";
}

static void put_value(size_t row, struct byte_reader *value, struct json_out *o) {
    struct byte_reader whole = *value;
    bool known = row < sizeof rows / sizeof rows[0] && rows[row].put;
    bool read = known && rows[row].put(value, o);
    if (whole.size > 0 && (!read || (rows[row].in_octets && !o->plain))) {
        json_out_key(o, "value");
        json_out_hex(o, whole.data, whole.size);
    }
}

static void put_capability(uint8_t code, struct byte_reader *value, struct json_out *o) {
    size_t row = row_find(code);
    json_out_open(o, '{');
    put_number(o, "code", code);
    json_out_key(o, "name");
    json_out_text(o, row_name(row));
    put_value(row, value, o);
    json_out_close(o, '}');
}

/* Calls for every capability of every parameter. */
static void each_capability(const struct decode_message *m,
                            void (*each)(uint8_t, struct byte_reader *, struct json_out *),
                            struct json_out *o) {
    struct byte_reader r = bytes_reader(m->body, m->body_size);
    (void)bytes_take(&r, OPEN_FIXED_SIZE);
    uint8_t size = bytes_u8(&r);
    bool extended = size > 0 && bytes_left(&r) > 0 && r.data[r.at] == PARAMETER_EXTENDED;
    if (extended) {
        (void)bytes_u8(&r);
        (void)bytes_u16(&r);
    }
    while (bytes_left(&r) > 0) {
        uint8_t type = bytes_u8(&r);
        struct byte_reader list = bytes_view(&r, extended ? bytes_u16(&r) : bytes_u8(&r));
        while (type == PARAMETER_CAPABILITIES && bytes_left(&list) > 0) {
            uint8_t code = bytes_u8(&list);
            struct byte_reader value = bytes_view(&list, bytes_u8(&list));
            if (bytes_ok(&value))
                each(code, &value, o);
        }
    }
}

/* The list of a 2/7: RFC 5492 5. */
bool decode_put_capability_names(const uint8_t *data, size_t size, struct text *out) {
    struct byte_reader r = bytes_reader(data, size);
    while (bytes_left(&r) > 0) {
        uint8_t code = bytes_u8(&r);
        struct byte_reader value = bytes_view(&r, bytes_u8(&r));
        struct json_out o = json_out_for_people(out);
        if (!bytes_ok(&value))
            return false;
        text_puts(out, row_name(row_find(code)));
        if (value.size > 0) {
            text_putc(out, ' ');
            o.depth = 1;
            put_value(row_find(code), &value, &o);
        }
        text_puts(out, bytes_left(&r) > 0 ? ", " : "");
    }
    return size > 0;
}

void decode_put_capabilities_json(const struct decode_message *m, struct json_out *out) {
    json_out_open(out, '[');
    each_capability(m, put_capability, out);
    json_out_close(out, ']');
}

static void put_line(uint8_t code, struct byte_reader *value, struct json_out *o) {
    struct json_out line = json_out_for_people(o->text);
    size_t row = row_find(code);
    text_printf(o->text, "  capability %3u %s", code, row_name(row));
    if (value->size > 0) {
        text_puts(o->text, ": ");
        line.depth = 1;
        put_value(row, value, &line);
    }
    text_putc(o->text, '\n');
}

void decode_put_capabilities_text(const struct decode_message *m, struct text *out) {
    struct json_out o = json_out(out);
    each_capability(m, put_line, &o);
}
