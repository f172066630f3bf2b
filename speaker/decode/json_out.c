/*
 * JSON into a text: commas, and strings that are safe to print once they are parsed.
 *
 * Strings go through text_put_escaped first (what a terminal must not get becomes \xNN), and what
 * that leaves, backslashes and quotes, is escaped for JSON. Pure.
 */
#include "json_out.h"

#include "../base/text.h"

#include <string.h>

struct json_out json_out(struct text *text) {
    return (struct json_out){.text = text};
}

struct json_out json_out_for_people(struct text *text) {
    return (struct json_out){.text = text, .plain = true};
}

/* For people: commas between the members of the outermost object and the items of its arrays. */
static void json_out_separate(struct json_out *o) {
    if (o->comma && o->plain)
        text_puts(o->text, o->depth > 2 ? " " : ", ");
    else if (o->comma)
        text_putc(o->text, ',');
    o->comma = true;
}

void json_out_open(struct json_out *o, char bracket) {
    json_out_separate(o);
    if (!o->plain)
        text_putc(o->text, bracket);
    o->depth++;
    o->comma = false;
}

void json_out_close(struct json_out *o, char bracket) {
    if (!o->plain)
        text_putc(o->text, bracket);
    else if (!o->comma)
        text_puts(o->text, "none");
    o->depth--;
    o->comma = true;
}

void json_out_key(struct json_out *o, const char *key) {
    json_out_separate(o);
    if (!o->plain)
        text_putc(o->text, '"');
    for (; *key; key++)
        text_putc(o->text, o->plain && *key == '_' ? ' ' : *key);
    text_puts(o->text, o->plain ? " " : "\":");
    o->comma = false;
}

void json_out_number(struct json_out *o, uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    json_out_separate(o);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    text_put(o->text, digits + at, sizeof digits - at);
}

void json_out_bool(struct json_out *o, bool value) {
    json_out_separate(o);
    if (o->plain)
        text_puts(o->text, value ? "yes" : "no");
    else
        text_puts(o->text, value ? "true" : "false");
}

static bool json_out_needs_nothing(const char *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\')
            return false;
    }
    return true;
}

void json_out_string(struct json_out *o, const char *data, size_t size) {
    json_out_separate(o);
    text_putc(o->text, '"');
    if (o->plain) {
        text_put_escaped(o->text, data, size);
    } else if (json_out_needs_nothing(data, size)) {
        text_put(o->text, data, size);
    } else {
        struct text printable;
        text_init(&printable);
        text_put_escaped(&printable, data, size);
        for (size_t i = 0; i < printable.size; i++) {
            char c = printable.data[i];
            if (c == '"' || c == '\\')
                text_putc(o->text, '\\');
            text_putc(o->text, c);
        }
        o->text->failed |= printable.failed;
        text_deinit(&printable);
    }
    text_putc(o->text, '"');
}

void json_out_text(struct json_out *o, const char *string) {
    if (o->plain) {
        json_out_separate(o);
        text_puts(o->text, string);
    } else {
        json_out_string(o, string, strlen(string));
    }
}

void json_out_hex(struct json_out *o, const uint8_t *data, size_t size) {
    static const char digits[] = "0123456789abcdef";
    json_out_separate(o);
    text_puts(o->text, o->plain ? "" : "\"");
    for (size_t i = 0; i < size; i++) {
        text_putc(o->text, digits[data[i] >> 4]);
        text_putc(o->text, digits[data[i] & 15]);
    }
    text_puts(o->text, o->plain ? "" : "\"");
}
