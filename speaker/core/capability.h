#ifndef RIBCAGE_CORE_CAPABILITY_H
#define RIBCAGE_CORE_CAPABILITY_H

#include "message.h"

/*
 * The capabilities of an OPEN (RFC 5492 4). Private to the codec but for the codes.
 */

enum bgp_capability {
    BGP_CAP_MP = 1,                /* 4760 */
    BGP_CAP_REFRESH = 2,           /* 2918 */
    BGP_CAP_EXTENDED_NEXT_HOP = 5, /* 8950 */
    BGP_CAP_EXTENDED_MESSAGE = 6,  /* 8654 */
    BGP_CAP_ROLE = 9,              /* 9234 */
    BGP_CAP_GR = 64,               /* 4724, 8538 */
    BGP_CAP_AS4 = 65,              /* 6793 */
    BGP_CAP_ADD_PATH = 69,         /* 7911 */
    BGP_CAP_ENHANCED_REFRESH = 70, /* 7313 */
    BGP_CAP_LLGR = 71,             /* 9494 */
    BGP_CAP_REFRESH_OLD = 128,
};

/* All that we ever write take less. */
#define BGP_CAPABILITIES_SIZE_MAX 128

/* Reads a parameter's worth of capabilities. False: one of them is damaged. */
bool capability_decode_all(struct byte_reader *r, struct bgp_open *o);
/* Writes those that `o` has, one after the other. */
void capability_encode_all(const struct bgp_open *o, struct byte_writer *w);

#endif
