/*
 * The growing text buffer, escaping, strict numbers, and "did you mean".
 *
 * A text that ran out of memory keeps what it had, ignores what follows and yields NULL when taken:
 * writers of long texts check once. Escaping is the border between octets of a remote and a
 * terminal: only printable ASCII and well-formed UTF-8 (RFC 3629: no overlong forms, surrogates or
 * values above U+10FFFF, and none of the C1 control characters) pass it.
 *
 * Invariants: data is NULL or data[size] == '\0'; size < capacity once there is memory.
 */
#include "text.h"

#include "arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_CAPACITY_MIN 64u
#define TEXT_WORD_MAX 63u /* longer words have no nearest */

void text_init(struct text *t) {
    *t = (struct text){0};
}

void text_deinit(struct text *t) {
    alloc_free(t->data);
    text_init(t);
}

const char *text_str(const struct text *t) {
    return t->data ? t->data : "";
}

/* Room for `size` more bytes and the NUL. */
static bool text_reserve(struct text *t, size_t size) {
    if (t->failed || size > SIZE_MAX / 2 - t->size) {
        t->failed = true;
        return false;
    }
    size_t wanted = t->size + size + 1;
    if (wanted <= t->capacity) {
        return true;
    }
    size_t capacity = t->capacity ? t->capacity : TEXT_CAPACITY_MIN;
    while (capacity < wanted) {
        capacity *= 2;
    }
    char *data = alloc_resize(t->data, capacity, 1);
    if (!data) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->capacity = capacity;
    t->data[t->size] = '\0';
    return true;
}

void text_put(struct text *t, const char *data, size_t size) {
    if (size == 0 || !text_reserve(t, size)) {
        return;
    }
    memcpy(t->data + t->size, data, size);
    t->size += size;
    t->data[t->size] = '\0';
}

void text_putc(struct text *t, char c) {
    text_put(t, &c, 1);
}

void text_puts(struct text *t, const char *s) {
    text_put(t, s, strlen(s));
}

void text_printf(struct text *t, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    /* Most pieces are short: try the room that is there before growing. */
    size_t room = t->failed ? 0 : t->capacity - t->size;
    int size = vsnprintf(room ? t->data + t->size : NULL, room, format, args);
    va_end(args);
    if (size < 0) {
        t->failed = true;
    } else if (room > 0 && (size_t)size < room) {
        t->size += (size_t)size;
    } else if (text_reserve(t, (size_t)size)) {
        vsnprintf(t->data + t->size, (size_t)size + 1, format, again);
        t->size += (size_t)size;
    } else if (t->data) {
        t->data[t->size] = '\0';
    }
    va_end(again);
}

/* Without a width, or turning the direction of writing: what is seen is not what is there. */
static bool text_is_deceptive(uint32_t code) {
    return (code >= 0x200B && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

/* How many bytes at `p` form one printable character: 0 when they form none. */
static size_t text_character_size(const unsigned char *p, size_t left) {
    if (p[0] < 0x80) {
        return p[0] >= 0x20 && p[0] != 0x7F ? 1 : 0;
    }
    size_t size = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || left < size) {
        return 0;
    }
    uint32_t code = p[0] & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
        code = code << 6 | (p[i] & 0x3F);
    }
    static const uint32_t smallest[5] = {0, 0, 0xA0, 0x800, 0x10000};
    bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    bool bad = code < smallest[size] || code > 0x10FFFF || surrogate;
    return bad || text_is_deceptive(code) ? 0 : size;
}

static void text_put_octet(struct text *t, unsigned char octet) {
    static const char named[] = "\n\r\t";
    static const char *const names[] = {"\\n", "\\r", "\\t"};
    const char *found = octet ? strchr(named, octet) : NULL;
    if (found) {
        text_puts(t, names[found - named]);
    } else {
        text_printf(t, "\\x%02x", octet);
    }
}

static void text_put_safe(struct text *t, const char *data, size_t size, bool quotes) {
    const unsigned char *p = (const unsigned char *)data;
    while (size > 0) {
        size_t step = text_character_size(p, size);
        if (step == 0) {
            text_put_octet(t, *p);
            step = 1;
        } else {
            if (quotes && (*p == '"' || *p == '\\')) {
                text_putc(t, '\\');
            }
            text_put(t, (const char *)p, step);
        }
        p += step;
        size -= step;
    }
}

size_t text_byte_order_mark(const char *data, size_t size) {
    return size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

void text_put_escaped(struct text *t, const char *data, size_t size) {
    text_put_safe(t, data, size, true);
}

void text_put_printable(struct text *t, const char *data, size_t size) {
    text_put_safe(t, data, size, false);
}

void text_pad(struct text *t, size_t column) {
    const char *newline = t->data ? memrchr(t->data, '\n', t->size) : NULL;
    size_t start = newline ? (size_t)(newline - t->data) + 1 : 0;
    size_t have = t->size - start;
    if (have >= column || !text_reserve(t, column - have)) {
        return;
    }
    memset(t->data + t->size, ' ', column - have);
    t->size += column - have;
    t->data[t->size] = '\0';
}

void text_clear(struct text *t) {
    t->size = 0;
    t->failed = false;
    if (t->data) {
        t->data[0] = '\0';
    }
}

char *text_take(struct text *t) {
    if (!t->failed) {
        text_reserve(t, 0); /* an empty text is taken as "" */
    }
    char *data = t->data;
    if (t->failed) {
        alloc_free(data);
        data = NULL;
    }
    text_init(t);
    return data;
}

bool text_read_u64(const char **at, uint64_t *ret_value) {
    const char *p = *at;
    uint64_t v = 0;
    if (p[0] == '0' && p[1] >= '0' && p[1] <= '9') {
        return false;
    }
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (v > (UINT64_MAX - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    if (p == *at) {
        return false;
    }
    *at = p;
    *ret_value = v;
    return true;
}

bool text_to_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret_value) {
    uint64_t v;
    if (!text_read_u64(&s, &v) || *s != '\0' || v < min || v > max) {
        return false;
    }
    *ret_value = v;
    return true;
}

int text_hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool text_to_asn(const char *s, uint32_t *ret_asn) {
    uint64_t high, low;
    if (!text_read_u64(&s, &high)) {
        return false;
    }
    if (*s == '\0') {
        if (high > UINT32_MAX) {
            return false;
        }
        *ret_asn = (uint32_t)high;
        return true;
    }
    if (*s != '.' || high > UINT16_MAX) {
        return false;
    }
    s++;
    if (!text_read_u64(&s, &low) || *s != '\0' || low > UINT16_MAX) {
        return false;
    }
    *ret_asn = (uint32_t)(high << 16 | low);
    return true;
}

void text_put_asn(struct text *t, uint32_t asn, bool dot) {
    if (dot && asn > 65535)
        text_printf(t, "%u.%u", asn >> 16, asn & 65535);
    else
        text_printf(t, "%u", asn);
}

static unsigned text_min3(unsigned a, unsigned b, unsigned c) {
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

unsigned text_distance(const char *a, const char *b, unsigned limit) {
    size_t a_size = strlen(a), b_size = strlen(b);
    if (a_size > TEXT_WORD_MAX || b_size > TEXT_WORD_MAX) {
        return strcmp(a, b) == 0 ? 0 : limit + 1;
    }
    /* Rows of the edit matrix: the current one and the two above (a swap looks two back). */
    unsigned rows[3][TEXT_WORD_MAX + 1];
    for (unsigned j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (unsigned i = 1; i <= a_size; i++) {
        unsigned *row = rows[i % 3], *up = rows[(i - 1) % 3], *up2 = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= b_size; j++) {
            unsigned differs = a[i - 1] != b[j - 1];
            row[j] = text_min3(up[j] + 1, row[j - 1] + 1, up[j - 1] + differs);
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && up2[j - 2] + 1 < row[j]) {
                row[j] = up2[j - 2] + 1;
            }
        }
    }
    unsigned distance = rows[a_size % 3][b_size];
    return distance > limit ? limit + 1 : distance;
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count) {
    size_t size = strlen(word);
    if (size > TEXT_WORD_MAX) {
        return NULL;
    }
    const char *nearest = NULL;
    unsigned best = (unsigned)(size / 3 > 0 ? size / 3 : 1);
    for (size_t i = 0; i < count; i++) {
        unsigned distance = text_distance(word, candidates[i], best);
        /* Of equally near ones that of the same length: a mistyped character is likelier than a
         * missing one ("r1O": "r10" rather than "r1"). */
        bool tie = distance == best &&
                   (!nearest || (strlen(nearest) != size && strlen(candidates[i]) == size));
        if (distance < best || tie) {
            nearest = candidates[i];
            best = distance;
        }
    }
    return nearest;
}
