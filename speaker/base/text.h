#ifndef RIBCAGE_BASE_TEXT_H
#define RIBCAGE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A growing text buffer and a few strict conversions. Text is always NUL-terminated. Running out of
 * memory is sticky (`failed`); text_take then returns NULL.
 */

struct text {
    char *data;  /* NULL while empty: use text_str */
    size_t size; /* without the NUL */
    size_t capacity;
    bool failed;
};

void text_init(struct text *t);
void text_deinit(struct text *t);
const char *text_str(const struct text *t); /* "" while empty; valid until the next change */
void text_putc(struct text *t, char c);
void text_puts(struct text *t, const char *s);
void text_put(struct text *t, const char *data, size_t size);
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* How many octets a UTF-8 byte order mark takes at the beginning of a text: 3, or 0. */
size_t text_byte_order_mark(const char *data, size_t size);
/* Appends `data` with control characters, quotes, backslashes and invalid UTF-8 escaped (\n,
 * \x1b…), so that no octet string of a remote reaches a terminal or a log raw. */
void text_put_escaped(struct text *t, const char *data, size_t size);
/* The same, but quotes and backslashes pass: for whole lines that are read by people. */
void text_put_printable(struct text *t, const char *data, size_t size);
/* Pads with blanks until the current line (since the last newline) has `column` bytes. */
void text_pad(struct text *t, size_t column);
void text_clear(struct text *t); /* keeps the memory */
/* Hands the memory over to the caller (alloc_free); the text is empty again. */
char *text_take(struct text *t);

/* The whole of `s` as a decimal number within [min, max]: no sign, no blanks, no leading zeros but
 * "0" itself. */
bool text_to_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret_value);
/* The same of the digits `*at` begins with; `*at` then stands behind them. False, and `*at` as it
 * was: no digit there, a leading zero, or more than 64 bits. */
bool text_read_u64(const char **at, uint64_t *ret_value);
/* The value of a hexadecimal digit in either case; -1: it is none. */
int text_hex_digit(char c);
/* AS numbers: asplain or asdot "X.Y" (RFC 5396), 0..4294967295. */
bool text_to_asn(const char *s, uint32_t *ret_asn);
/* RFC 5396 2: "65536", or with `dot` "1.0". ASes below 65536 are the same in both. Appended. */
void text_put_asn(struct text *t, uint32_t asn, bool dot);
/* Edit distance (insert, delete, replace, swap) capped at `limit` + 1: for "did you mean". */
unsigned text_distance(const char *a, const char *b, unsigned limit);
/* The candidate nearest to `word` within a third of its length, or NULL. */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

#endif
