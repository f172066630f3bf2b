#ifndef RIBCAGE_CORE_MALFORMED_H
#define RIBCAGE_CORE_MALFORMED_H

#include "speaker.h"

/* Malformed UPDATEs (RFC 7606 6): counted by peer and attribute, the last ones kept whole. */

struct malformed; /* malformed.c */

/* Notes one; without memory it is only less well remembered. `body` is copied. */
void malformed_note(struct bgp_speaker *s, const struct peer *p, const struct bgp_update *u,
                    const uint8_t *body, size_t size, struct nanotime now);
void malformed_free(struct bgp_speaker *s);

#endif
