#ifndef RIBCAGE_DECODE_BODY_H
#define RIBCAGE_DECODE_BODY_H

#include "decode.h"

/* A body whose header is known to be good, or was never there: MRT tables. */
void decode_body(const struct decode_options *how, enum bgp_message_type type, const uint8_t *body,
                 size_t size, struct arena *arena, struct decode_message *ret_message);

#endif
