/*
 * Capabilities by name, with their values: RFC 5492 and those that define them.
 *
 * Only OPENs that open_decode has accepted come here, so their parameters are framed soundly; a
 * value with a length its capability does not have (those the codec does not read) is shown as
 * octets. Parameters may have the extended form of RFC 9072.
 */
#include "decode_open.h"

#include "../base/addr.h"
#include "../base/text.h"
#include "json_out.h"

#define OPEN_FIXED_SIZE 9
#define PARAMETER_CAPABILITIES 2
#define PARAMETER_EXTENDED 255

typedef bool capability_fn(struct byte_reader *r, struct json_out *o);

static void put_family(struct byte_reader *r, struct json_out *o, bool reserved) {
    struct text name;
    uint16_t afi = bytes_u16(r);
    if (reserved)
        (void)bytes_u8(r);
    text_init(&name);
    decode_family_name(afi, bytes_u8(r), &name);
    json_out_key(o, "family");
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
    put_number(o, "asn", bytes_u32(r));
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
    json_out_key(o, "families");
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

static bool put_add_path(struct byte_reader *r, struct json_out *o) {
    static const char *const modes[] = {"receive", "send", "send/receive"};
    if (bytes_left(r) % 4 != 0)
        return false;
    json_out_key(o, "families");
    json_out_open(o, '[');
    while (bytes_left(r) > 0) {
        json_out_open(o, '{');
        put_family(r, o, false);
        uint8_t mode = bytes_u8(r);
        json_out_key(o, "mode");
        if (mode >= 1 && mode <= 3)
            json_out_text(o, modes[mode - 1]);
        else
            json_out_number(o, mode);
        json_out_close(o, '}');
    }
    json_out_close(o, ']');
    return true;
}

static bool put_extended_next_hop(struct byte_reader *r, struct json_out *o) {
    if (bytes_left(r) % 6 != 0)
        return false;
    json_out_key(o, "families");
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
    uint8_t role = bytes_u8(r);
    json_out_key(o, "role");
    if (role < sizeof roles / sizeof roles[0])
        json_out_text(o, roles[role]);
    else
        json_out_number(o, role);
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

static const struct {
    uint8_t code;
    const char *name;
    capability_fn *put; /* NULL: no value */
} rows[] = {
    {1, "multiprotocol", put_multiprotocol},
    {2, "route-refresh", NULL},
    {3, "outbound-route-filtering", NULL},
    {5, "extended-next-hop", put_extended_next_hop},
    {6, "extended-message", NULL},
    {7, "bgpsec", NULL},
    {9, "role", put_role},
    {64, "graceful-restart", put_graceful_restart},
    {65, "asn4", put_asn4},
    {67, "dynamic", NULL},
    {69, "add-path", put_add_path},
    {70, "enhanced-route-refresh", NULL},
    {71, "long-lived-graceful-restart", put_llgr},
    {73, "fqdn", put_fqdn},
    {75, "software-version", put_software},
    {128, "route-refresh-cisco", NULL},
};

static void put_capability(uint8_t code, struct byte_reader *value, struct json_out *o) {
    const char *name = "unknown";
    capability_fn *put = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code) {
            name = rows[i].name;
            put = rows[i].put;
        }
    }
    json_out_open(o, '{');
    put_number(o, "code", code);
    json_out_key(o, "name");
    json_out_text(o, name);
    struct byte_reader whole = *value;
    if ((!put || !put(value, o)) && whole.size > 0) {
        json_out_key(o, "value");
        json_out_hex(o, whole.data, whole.size);
    }
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

void decode_put_capabilities_json(const struct decode_message *m, struct json_out *out) {
    json_out_open(out, '[');
    each_capability(m, put_capability, out);
    json_out_close(out, ']');
}

/* People get the object's members on a line. */
static void put_line(uint8_t code, struct byte_reader *value, struct json_out *o) {
    struct json_out line = json_out(o->text);
    text_puts(o->text, "  capability ");
    put_capability(code, value, &line);
    text_putc(o->text, '\n');
}

void decode_put_capabilities_text(const struct decode_message *m, struct text *out) {
    struct json_out o = json_out(out);
    each_capability(m, put_line, &o);
}
