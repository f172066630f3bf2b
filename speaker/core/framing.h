#ifndef RIBCAGE_CORE_FRAMING_H
#define RIBCAGE_CORE_FRAMING_H

#include "message.h"

/*
 * What every message of the codec has around its body. Private to the codec files.
 */

/* Starts a message in `out`: the header, its length still open. */
struct byte_writer framing_begin(enum bgp_message_type type, uint8_t *out, size_t out_size);
/* Fills in the length. The size of the whole message, or 0 when something did not fit. */
size_t framing_end(struct byte_writer *w);

/* An error with the first bytes of what it is about. `data` may be NULL. */
struct bgp_error framing_error(uint8_t code, uint8_t subcode, const uint8_t *data, size_t size);

#endif
