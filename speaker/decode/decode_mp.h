#ifndef RIBCAGE_DECODE_MP_H
#define RIBCAGE_DECODE_MP_H

#include "decode.h"

/* MP_REACH_NLRI and MP_UNREACH_NLRI cut into their fields, of any family (RFC 4760 3, 4). Pointers
 * go into the message. */
struct decode_mp {
    uint16_t afi;
    uint8_t safi;
    uint8_t next_hop_size; /* 0: MP_UNREACH_NLRI, or none */
    const uint8_t *next_hop;
    const uint8_t *nlri;
    size_t nlri_size;
};

/* False: `a` is neither of the two, or too short for its fields. */
bool decode_mp_fields(const struct decode_attr *a, struct decode_mp *ret_mp);
/* Addresses with a blank between; those of VPNs without their empty route distinguisher (RFC 4364
 * 4.3.2, 4659 3.2.1); octets where the size is that of none. */
void decode_mp_next_hop(const struct decode_mp *mp, struct text *out);
/* Is the family one the session has and the codec reads? */
bool decode_mp_is_read(const struct decode_message *m, const struct decode_mp *mp);

#endif
