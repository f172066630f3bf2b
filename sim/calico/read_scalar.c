/*
 * Owns the types of unquoted scalars: YAML 1.1 as calicoctl's and kubectl's library reads it, and
 * the text it makes of a boolean or a number where a text is wanted.
 *
 * Numbers have the prefixes 0x, 0o, 0b and a plain 0 for octal, and may carry underscores; 08 is no
 * octal and so a fraction; times and base 60 stay texts. A fraction is written with the fewest
 * digits that mean it, and with an exponent from a million on.
 */
#include "read_scalar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 80 /* longer ones are texts: no field has room for them */

static int truth_of(const char *text) {
    static const char *const words[] = {
        "true",  "True",  "TRUE",  "yes", "Yes", "YES", "on",  "On",  "ON",  "y", "Y",
        "false", "False", "FALSE", "no",  "No",  "NO",  "off", "Off", "OFF", "n", "N",
    };
    size_t count = sizeof words / sizeof words[0];
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, words[i]) == 0)
            return i < count / 2;
    return -1;
}

/* ---- integers ---- */

/* `digits` to the base, whole. */
static bool to_u64(const char *digits, unsigned base, uint64_t *ret_value) {
    uint64_t value = 0;
    if (!*digits)
        return false;
    for (; *digits; digits++) {
        char c = *digits;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16;
        if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret_value = value;
    return true;
}

static bool to_integer(const char *plain, struct read_scalar *s) {
    bool negative = plain[0] == '-';
    const char *at = plain + (plain[0] == '-' || plain[0] == '+');
    unsigned base = 10;
    if (at[0] == '0' && at[1]) {
        char mark = at[1] | 0x20;
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        at += mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;
    }
    uint64_t magnitude;
    if (!to_u64(at, base, &magnitude) || (negative && magnitude > (uint64_t)INT64_MAX + 1))
        return false;
    s->kind = SCALAR_INTEGER;
    s->negative = negative && magnitude > 0;
    s->magnitude = magnitude;
    return true;
}

/* ---- fractions ---- */

static const char *skip_digits(const char *at) {
    return at + strspn(at, "0123456789");
}

/* [-+] (.digits | digits [. digits]) [e [-+] digits] */
static bool is_fraction(const char *at) {
    at += *at == '-' || *at == '+';
    const char *end = skip_digits(at);
    bool whole = end > at;
    at = end;
    if (*at == '.') {
        end = skip_digits(++at);
        whole |= end > at;
        at = end;
    }
    if (whole && (*at == 'e' || *at == 'E')) {
        at++;
        at += *at == '-' || *at == '+';
        end = skip_digits(at);
        whole = end > at;
        at = end;
    }
    return whole && *at == '\0';
}

static void to_fraction(const char *plain, struct read_scalar *s) {
    double value = is_fraction(plain) ? strtod(plain, NULL) : INFINITY;
    if (!isfinite(value))
        return;
    s->kind = SCALAR_FRACTION;
    s->fraction = value;
}

/* ---- all ---- */

struct read_scalar read_scalar(const char *text) {
    struct read_scalar s = {.kind = SCALAR_TEXT};
    char plain[DIGITS_MAX + 1];
    size_t length = 0;
    int truth = truth_of(text);
    if (truth >= 0)
        return (struct read_scalar){.kind = SCALAR_BOOL, .truth = truth == 1};
    if (text[0] == '\0' || !strchr("+-.0123456789", text[0]) || strlen(text) > DIGITS_MAX)
        return s;
    for (const char *c = text; *c; c++)
        if (*c != '_' || text[0] == '.')
            plain[length++] = *c;
    plain[length] = '\0';
    if (text[0] == '.' || !to_integer(plain, &s))
        to_fraction(plain, &s);
    return s;
}

/* The fewest digits that are read back as the same number. */
static void format_fraction(double value, char buffer[READ_SCALAR_TEXT_MAX]) {
    int digits = 0;
    do
        snprintf(buffer, READ_SCALAR_TEXT_MAX, "%.*e", digits, value);
    while (strtod(buffer, NULL) != value && ++digits < 17);
    long exponent = strtol(strchr(buffer, 'e') + 1, NULL, 10);
    if (exponent >= -4 && exponent < 6)
        snprintf(buffer, READ_SCALAR_TEXT_MAX, "%.*f",
                 digits > exponent ? (int)(digits - exponent) : 0, value);
}

const char *read_scalar_format(const struct read_scalar *s, const char *text,
                               char buffer[READ_SCALAR_TEXT_MAX]) {
    switch (s->kind) {
    case SCALAR_TEXT:
        return text;
    case SCALAR_BOOL:
        return s->truth ? "true" : "false";
    case SCALAR_INTEGER:
        snprintf(buffer, READ_SCALAR_TEXT_MAX, "%s%" PRIu64, s->negative ? "-" : "", s->magnitude);
        break;
    case SCALAR_FRACTION:
        format_fraction(s->fraction, buffer);
        break;
    }
    return buffer;
}

bool read_scalar_u64(const struct read_scalar *s, uint64_t *ret_value) {
    if (s->kind == SCALAR_INTEGER && !s->negative) {
        *ret_value = s->magnitude;
        return true;
    }
    if (s->kind != SCALAR_FRACTION || s->fraction < 0 || s->fraction >= 9007199254740992.0 ||
        (double)(uint64_t)s->fraction != s->fraction)
        return false;
    *ret_value = (uint64_t)s->fraction;
    return true;
}
