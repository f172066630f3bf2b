#ifndef RIBCAGE_DECODE_LINE_H
#define RIBCAGE_DECODE_LINE_H

#include "decode.h"

/*
 * The line protocol of `ribcage decode --jsonl`: one JSON object in, one out, in the same order
 * (decode.schema.json).
 *
 *   {"hex":"ffff…","asn4":true,"add_path":["ipv4 unicast"],"internal":true,"extended":false,
 *    "families":["ipv4 unicast","ipv6 unicast"],"extended_next_hop":false}
 *
 * Only "hex" has to be there; what else is not said is taken from `defaults`. Other members are
 * refused.
 */

/* Octets of a line; a message has 131,070 hex digits at most. */
#define DECODE_LINE_MAX (1u << 20)

/* Appends the answer, with a newline. A line that is no such object, or too long, is answered with
 * {"error":{"class":"input","text":"…"}}. `scratch` is reset. */
void decode_line(const struct decode_options *defaults, const char *line, size_t size,
                 struct arena *scratch, struct text *out);

/* Hexadecimal digits, upper or lower case; blanks, colons and "0x" before a pair are passed over.
 * `out` has room for size / 2 octets. False: something else is in there, or half an octet. */
bool decode_hex(const char *text, size_t size, uint8_t *out, size_t *ret_size);

#endif
