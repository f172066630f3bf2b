/*
 * The line protocol: a JSON object with a message in hexadecimal, answered by what it means.
 *
 * Every line gets exactly one answer, whatever it is; a caller pairs them by counting. A member
 * that is not known is refused: passed over, a misspelt option would change what the answer says.
 */
#include "decode_line.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "json_out.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- hexadecimal ---- */

static bool hex_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ':';
}

bool decode_hex(const char *text, size_t size, uint8_t *out, size_t *ret_size) {
    size_t count = 0;
    for (size_t i = 0; i < size;) {
        if (hex_blank(text[i])) {
            i++;
            continue;
        }
        if (i + 1 >= size)
            return false;
        if (text[i] == '0' && (text[i + 1] | 0x20) == 'x') {
            i += 2;
            continue;
        }
        int high = text_hex_digit(text[i]), low = text_hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[count++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    *ret_size = count;
    return true;
}

/* ---- options ---- */

static const char *take_bool(const json_t *value, bool *out) {
    if (!json_is_boolean(value))
        return "true or false is wanted";
    *out = json_is_true(value);
    return NULL;
}

static const char *take_families(const json_t *value, bool families[BGP_FAMILIES]) {
    size_t i;
    json_t *name;
    enum bgp_family f;
    if (!json_is_array(value))
        return "an array of families is wanted";
    memset(families, 0, BGP_FAMILIES * sizeof *families);
    json_array_foreach(value, i, name) {
        if (!json_is_string(name) || !decode_family_find(json_string_value(name), &f))
            return "unknown family";
        families[f] = true;
    }
    return NULL;
}

enum member_kind { MEMBER_HEX, MEMBER_BOOL, MEMBER_INTERNAL, MEMBER_FAMILIES };

static const struct member {
    const char *name;
    enum member_kind kind;
    size_t offset; /* in struct decode_options */
} members[] = {
    {"hex", MEMBER_HEX, 0},
    {"asn4", MEMBER_BOOL, offsetof(struct decode_options, codec.as4)},
    {"add_path", MEMBER_FAMILIES, offsetof(struct decode_options, codec.add_path)},
    {"families", MEMBER_FAMILIES, offsetof(struct decode_options, codec.families)},
    {"extended", MEMBER_BOOL, offsetof(struct decode_options, extended)},
    {"extended_next_hop", MEMBER_BOOL, offsetof(struct decode_options, codec.extended_next_hop)},
    {"internal", MEMBER_INTERNAL, offsetof(struct decode_options, codec.external)},
    {"external", MEMBER_BOOL, offsetof(struct decode_options, codec.external)},
};
#define MEMBER_COUNT (sizeof members / sizeof *members)

static const char *unknown_member(const char *key, struct arena *scratch) {
    const char *names[MEMBER_COUNT];
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        names[i] = members[i].name;
    const char *near = text_nearest(key, names, MEMBER_COUNT);
    const char *text =
        near ? arena_printf(scratch, "unknown member (did you mean %s?)", near) : NULL;
    return text ? text : "unknown member";
}

/* NULL, or what is wrong with it. */
static const char *take_member(const char *key, const json_t *value, struct arena *scratch,
                               struct decode_options *how) {
    const struct member *m = members;
    while (m < members + MEMBER_COUNT && strcmp(m->name, key) != 0)
        m++;
    if (m == members + MEMBER_COUNT)
        return unknown_member(key, scratch);
    bool *place = (bool *)((char *)how + m->offset);
    const char *error = NULL;
    switch (m->kind) {
    case MEMBER_HEX:
        return json_is_string(value) ? NULL : "text is wanted";
    case MEMBER_BOOL:
        return take_bool(value, place);
    case MEMBER_INTERNAL:
        if (!(error = take_bool(value, place)))
            *place = !*place;
        return error;
    case MEMBER_FAMILIES:
        return take_families(value, place);
    }
    return error;
}

/* ---- lines ---- */

static void put_input_error(struct text *out, const char *member, const char *what) {
    struct json_out o = json_out(out);
    struct text message;
    text_init(&message);
    text_printf(&message, "%.64s%s%s", member ? member : "", member ? ": " : "", what);
    json_out_open(&o, '{');
    json_out_key(&o, "error");
    json_out_open(&o, '{');
    json_out_key(&o, "class");
    json_out_text(&o, "input");
    json_out_key(&o, "text");
    json_out_text(&o, text_str(&message));
    json_out_close(&o, '}');
    json_out_close(&o, '}');
    text_putc(out, '\n');
    text_deinit(&message);
}

static void answer(const struct decode_options *how, const char *hex, struct arena *scratch,
                   struct text *out) {
    size_t digits = strlen(hex), size = 0;
    uint8_t *data = arena_array(scratch, digits / 2 + 1, 1);
    struct decode_message *m = arena_alloc(scratch, sizeof *m);
    if (!data || !m) {
        put_input_error(out, NULL, "out of memory");
        return;
    }
    if (!decode_hex(hex, digits, data, &size)) {
        put_input_error(out, "hex", "not hexadecimal octets");
        return;
    }
    struct json_out o = json_out(out);
    decode_message(how, data, size, scratch, m);
    json_out_open(&o, '{');
    decode_put_json(m, &o);
    json_out_close(&o, '}');
    text_putc(out, '\n');
}

static void answer_object(const struct decode_options *defaults, json_t *in, struct arena *scratch,
                          struct text *out) {
    struct decode_options how = *defaults;
    const char *key, *error;
    json_t *value;
    json_object_foreach(in, key, value) {
        if ((error = take_member(key, value, scratch, &how))) {
            put_input_error(out, key, error);
            return;
        }
    }
    const char *hex = json_string_value(json_object_get(in, "hex"));
    if (hex)
        answer(&how, hex, scratch, out);
    else
        put_input_error(out, "hex", "is missing");
}

void decode_line(const struct decode_options *defaults, const char *line, size_t size,
                 struct arena *scratch, struct text *out) {
    json_error_t error;
    arena_reset(scratch);
    if (size > DECODE_LINE_MAX) {
        put_input_error(out, NULL, "the line is too long");
        return;
    }
    json_t *in = json_loadb(line, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (json_is_object(in))
        answer_object(defaults, in, scratch, out);
    else if (in)
        put_input_error(out, NULL, "an object is wanted");
    else
        put_input_error(out, NULL,
                        json_error_code(&error) == json_error_duplicate_key
                            ? "a member stands there twice"
                            : "not JSON");
    json_decref(in);
}
