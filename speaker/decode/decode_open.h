#ifndef RIBCAGE_DECODE_OPEN_H
#define RIBCAGE_DECODE_OPEN_H

#include "decode.h"

/* The capabilities of an OPEN the codec has accepted, as an array / as indented lines. */
void decode_put_capabilities_json(const struct decode_message *m, struct json_out *out);
void decode_put_capabilities_text(const struct decode_message *m, struct text *out);
/* A list of capabilities that stands alone: appends names and values, commas between. False, and
 * perhaps some of them: it is empty, or ends within one. */
bool decode_put_capability_names(const uint8_t *data, size_t size, struct text *out);

#endif
