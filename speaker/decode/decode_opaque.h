#ifndef RIBCAGE_DECODE_OPAQUE_H
#define RIBCAGE_DECODE_OPAQUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

/* Attributes a speaker of ours only carries, for readers: appends what the value says, in one line
 * of ours ("metric 2000"). False, with nothing appended: not read, or not what its RFC says. */
bool decode_opaque_put(uint8_t code, const uint8_t *data, size_t size, struct text *out);

#endif
