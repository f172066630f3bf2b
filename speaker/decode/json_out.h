#ifndef RIBCAGE_DECODE_JSON_OUT_H
#define RIBCAGE_DECODE_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

/*
 * JSON written piece by piece into a text, without a tree in between: a line of the decoder is made
 * once and printed once. The caller balances what it opens; commas are put here. Out of memory is
 * the text's sticky failure.
 *
 * For people the same calls write a line without brackets, quotes of our own words and colons:
 * "time 120, families ipv4 unicast forwarding yes, ipv6 unicast forwarding no".
 */
struct json_out {
    struct text *text;
    bool comma;    /* a value stands before the next one */
    bool plain;    /* for people */
    uint8_t depth; /* of brackets that are open */
};

struct json_out json_out(struct text *text);
struct json_out json_out_for_people(struct text *text);
void json_out_open(struct json_out *o, char bracket);   /* '{' or '[' */
void json_out_close(struct json_out *o, char bracket);  /* '}' or ']' */
void json_out_key(struct json_out *o, const char *key); /* of ours: nothing to escape */
void json_out_number(struct json_out *o, uint64_t value);
void json_out_bool(struct json_out *o, bool value);
/* Text of ours or octets of a remote: control characters and invalid UTF-8 become \xNN, quotes and
 * backslashes get one before them, so that what a reader of the JSON gets may be printed. */
void json_out_string(struct json_out *o, const char *data, size_t size);
void json_out_text(struct json_out *o, const char *string); /* NUL-terminated */
void json_out_hex(struct json_out *o, const uint8_t *data, size_t size);

#endif
