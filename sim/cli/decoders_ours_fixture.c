/*
 * `ribcage decode --json` as struct told: every member of an object has its place there.
 */
#include "cli_fixture.h"
#include "decoders_fixture.h"

#include "../../speaker/decode/decode_attr.h"

#include <inttypes.h>

static const char *string_in(const json_t *o, const char *key) {
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static long long number_in(const json_t *o, const char *key) {
    return json_integer_value(json_object_get(o, key));
}

/* The place of a word in a list, as the number it stands for on the wire. */
static size_t number_of(const char *word, const char *const *words, size_t count) {
    size_t i = 0;
    while (i < count && strcmp(words[i], word) != 0)
        i++;
    assert_true(i < count);
    return i;
}
#define NUMBER_OF(word, ...)                                                                       \
    number_of(word, (const char *const[]){__VA_ARGS__},                                            \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* ---- OPEN ---- */

static void put_member(const char *key, const json_t *value, struct text *out);

static void put_members(const json_t *object, struct text *out) {
    for (void *at = json_object_iter((json_t *)(uintptr_t)object); at;
         at = json_object_iter_next((json_t *)(uintptr_t)object, at))
        put_member(json_object_iter_key(at), json_object_iter_value(at), out);
}

static void put_member(const char *key, const json_t *value, struct text *out) {
    const char *s = json_string_value(value);
    if (strcmp(key, "code") == 0 || strcmp(key, "name") == 0)
        return;
    if (s && strcmp(key, "mode") == 0)
        text_printf(out, " %zu", NUMBER_OF(s, "", "receive", "send", "send/receive"));
    else if (s)
        text_printf(out, " %s", s);
    else if (json_is_array(value))
        for (size_t i = 0; i < json_array_size(value); i++)
            put_members(json_array_get(value, i), out);
    else if (json_is_boolean(value))
        text_printf(out, " %d", json_is_true(value));
    else
        text_printf(out, " %" JSON_INTEGER_FORMAT, json_integer_value(value));
}

/* Of roles and software versions tshark 4.0 tells the octets, and so do we of what no session of
 * ours uses. */
static bool put_octets(const json_t *capability, struct text *out) {
    const char *version = json_string_value(json_object_get(capability, "version"));
    const char *value = json_string_value(json_object_get(capability, "value"));
    const json_t *role = json_object_get(capability, "role");
    if (value)
        text_printf(out, " %s", value);
    if (json_is_string(role))
        text_printf(
            out, " %02zx",
            NUMBER_OF(json_string_value(role), "provider", "rs", "rs-client", "customer", "peer"));
    else if (role)
        text_printf(out, " %02llx", number_in(capability, "role"));
    if (version) {
        text_printf(out, " %02zx", strlen(version));
        for (; *version; version++)
            text_printf(out, "%02x", (unsigned)(unsigned char)*version);
    }
    return role || version || value;
}

static void take_open(const json_t *o, struct told *m) {
    text_printf(&m->values, "version %lld as %lld hold %lld id %s\n", number_in(o, "version"),
                number_in(o, "asn"), number_in(o, "hold_time"), string_in(o, "router_id"));
    const json_t *list = json_object_get(o, "capabilities");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *capability = json_array_get(list, i);
        text_printf(&m->values, "capability %lld", number_in(capability, "code"));
        if (!put_octets(capability, &m->values))
            put_members(capability, &m->values);
        text_putc(&m->values, '\n');
    }
}

/* ---- UPDATE ---- */

static void put_path(const json_t *path, struct text *out) {
    for (size_t i = 0; i < json_array_size(path); i++) {
        const json_t *segment = json_array_get(path, i), *list = json_object_get(segment, "asns");
        text_printf(out, " %zu:",
                    NUMBER_OF(string_in(segment, "type"), "", "as-set", "as-sequence",
                              "as-confed-sequence", "as-confed-set"));
        for (size_t k = 0; k < json_array_size(list); k++)
            text_printf(out, "%s%" JSON_INTEGER_FORMAT, k ? "," : "",
                        json_integer_value(json_array_get(list, k)));
    }
}

static void put_value(uint8_t code, const json_t *value, struct text *out) {
    const char *s = json_string_value(value);
    text_printf(out, "%u", code);
    if (code == ATTR_ORIGIN)
        text_printf(out, " %zu", NUMBER_OF(s, "igp", "egp", "incomplete"));
    else if (code == ATTR_AS_PATH)
        put_path(value, out);
    else if (s)
        text_printf(out, " %s", s);
    else if (json_is_integer(value))
        text_printf(out, " %" JSON_INTEGER_FORMAT, json_integer_value(value));
    for (size_t i = 0; code != ATTR_AS_PATH && i < json_array_size(value); i++)
        text_printf(out, " %s", json_string_value(json_array_get(value, i)));
    text_putc(out, '\n');
}

static const json_t *unknown_value(const json_t *attrs, long long code) {
    const json_t *list = json_object_get(attrs, "unknown");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (number_in(json_array_get(list, i), "code") == code)
            return json_object_get(json_array_get(list, i), "value");
    return NULL;
}

static void take_attrs(const json_t *o, struct told *m) {
    const json_t *list = json_object_get(o, "attr_list"), *attrs = json_object_get(o, "attrs");
    bool seen[256] = {false}; /* of one that comes again the first counts */
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        long long code = json_integer_value(json_array_get(item, 0));
        const struct decode_attr_row *row = decode_attr_row((uint8_t)code);
        text_printf(&m->framing, "%lld %02llx %lld\n", code,
                    (long long)json_integer_value(json_array_get(item, 2)),
                    (long long)json_integer_value(json_array_get(item, 1)));
        const json_t *value =
            row && row->key ? json_object_get(attrs, row->key) : unknown_value(attrs, code);
        if (value && !seen[code])
            put_value((uint8_t)code, value, &m->values);
        seen[code] = true;
        m->merged |= code == ATTR_AS4_PATH || code == ATTR_AS4_AGGREGATOR;
    }
}

static void take_prefixes(const json_t *list, struct text out[BGP_FAMILIES]) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *p = json_array_get(list, i);
        bool v6 = strcmp(string_in(p, "family"), "ipv6 unicast") == 0;
        struct text *t = &out[v6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST];
        text_puts(t, string_in(p, "nlri"));
        if (json_object_get(p, "path-information"))
            text_printf(t, " path %s", string_in(p, "path-information"));
        if (json_object_get(p, "next_hop"))
            text_printf(t, " via %s", string_in(p, "next_hop"));
        if (json_object_get(p, "link_local"))
            text_printf(t, " %s", string_in(p, "link_local"));
        text_putc(t, '\n');
    }
}

/* ---- messages ---- */

static void take_message(const json_t *o, struct told *m) {
    const char *type = string_in(o, "type");
    text_printf(&m->where, "%lld %s > %s", number_in(o, "time_ns"), string_in(o, "from"),
                string_in(o, "to"));
    snprintf(m->error, sizeof m->error, "%s", string_in(json_object_get(o, "error"), "class"));
    text_printf(&m->what, "%s %lld", type, number_in(o, "length"));
    assert_null(json_object_get(o, "lost"));
    if (strcmp(type, "open") == 0) {
        take_open(o, m);
    } else if (strcmp(type, "update") == 0) {
        take_attrs(o, m);
        take_prefixes(json_object_get(o, "announce"), m->announced);
        take_prefixes(json_object_get(o, "withdraw"), m->withdrawn);
    } else if (strcmp(type, "notification") == 0) {
        text_printf(&m->values, "%lld/%lld %s\n", number_in(o, "code"), number_in(o, "subcode"),
                    string_in(o, "data"));
    } else if (strcmp(type, "route-refresh") == 0) {
        text_printf(&m->values, "%s %lld\n", string_in(o, "family"), number_in(o, "subtype"));
    }
}

void told_by_us(const char *lines, size_t size, struct told_list *out) {
    for (const char *at = lines, *end = lines + size; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        json_error_t error;
        assert_non_null(newline);
        json_t *o = json_loadb(at, (size_t)(newline - at), JSON_REJECT_DUPLICATES, &error);
        if (!o)
            fail_msg("ours: %s: %.*s", error.text, (int)(newline - at), at);
        take_message(o, told_list_add(out));
        json_decref(o);
        at = newline + 1;
    }
}
