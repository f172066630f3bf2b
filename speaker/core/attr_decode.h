#ifndef RIBCAGE_CORE_ATTR_DECODE_H
#define RIBCAGE_CORE_ATTR_DECODE_H

#include "as_path.h"
#include "message.h"

/*
 * The path attributes of one UPDATE, on their way into a struct bgp_update. Private to the codec.
 */

struct attr_decoder {
    const struct bgp_codec *codec;
    struct arena *scratch;
    struct bgp_update *update;
    uint32_t seen[8]; /* bit per attribute code */
    /* The attribute being read, from its flags on: the data of a NOTIFICATION about it. */
    const uint8_t *start;
    size_t start_size;
    enum bgp_outcome next_hop; /* what a damaged NEXT_HOP calls for, if it is needed at all */
    const uint8_t *next_hop_at;
    bool framing_lost;     /* attributes may have been lost behind damage */
    bool mp_reach_foreign; /* MP_REACH of a family that is not negotiated */
    bool has_as4_path, has_as4_aggregator;
    struct as_path as4_path;
    uint32_t as4_aggregator_as, as4_aggregator_id;
};

/* Reads the whole path attributes field. Stops at the first reason to reset the session. */
void attr_decode(struct attr_decoder *d, struct byte_reader *r);
bool attr_decode_seen(const struct attr_decoder *d, uint8_t code);
/* RFC 6793 4.2.3, once all attributes are read. */
void attr_decode_merge_as4(struct attr_decoder *d);

/* Makes the update's outcome at least `outcome`; `code` is the attribute to blame, or 0. */
void update_worsen(struct bgp_update *u, enum bgp_outcome outcome, uint8_t code);
/* The same of the attribute that begins at `at`. */
void attr_blame(struct attr_decoder *d, enum bgp_outcome outcome, uint8_t code, const uint8_t *at);
/* … SESSION_RESET with this subcode of "UPDATE Message Error". */
void update_reset(struct bgp_update *u, uint8_t code, struct bgp_error error);

/* mp_reach.c: MP_REACH_NLRI and MP_UNREACH_NLRI. */
enum bgp_outcome mp_reach_decode(struct attr_decoder *d, struct byte_reader *r);
enum bgp_outcome mp_unreach_decode(struct attr_decoder *d, struct byte_reader *r);

#endif
