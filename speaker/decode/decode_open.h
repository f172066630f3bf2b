#ifndef RIBCAGE_DECODE_OPEN_H
#define RIBCAGE_DECODE_OPEN_H

#include "decode.h"

/* The capabilities of an OPEN the codec has accepted, as an array / as indented lines. */
void decode_put_capabilities_json(const struct decode_message *m, struct json_out *out);
void decode_put_capabilities_text(const struct decode_message *m, struct text *out);

#endif
