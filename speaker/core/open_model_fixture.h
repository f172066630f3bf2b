#ifndef RIBCAGE_CORE_OPEN_MODEL_FIXTURE_H
#define RIBCAGE_CORE_OPEN_MODEL_FIXTURE_H

#include "message.h"

/*
 * A second opinion on OPENs, for fuzzers: the body read once more, octet by octet, by code that
 * shares nothing with open_decode.
 */

/* The subcode of the OPEN Message Error to refuse it with, or -1 and what it says. */
int open_model_read(const uint8_t *body, size_t size, struct bgp_open *ret_open);
/* Do both say the same in every field that decoding fills in? */
bool open_model_same(const struct bgp_open *a, const struct bgp_open *b);

#endif
