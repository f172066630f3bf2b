#ifndef RIBCAGE_CORE_MALFORMED_H
#define RIBCAGE_CORE_MALFORMED_H

#include "speaker.h"

/* Malformed UPDATEs (RFC 7606 6): counted by peer and attribute, the last ones kept whole. */

struct malformed; /* malformed.c */

/* Notes one; without memory it is only less well remembered. `body` is copied. */
void malformed_note(struct bgp_speaker *s, const struct peer *p, const struct bgp_update *u,
                    const uint8_t *body, size_t size, struct nanotime now);
/* The number of the one that was noted last; 0: none. */
uint32_t malformed_number(const struct bgp_speaker *s);
/* Keeps a refused OPEN until the next one. `body` is copied. */
void malformed_note_open(struct bgp_speaker *s, const struct peer *p, const uint8_t *body,
                         size_t size);
void malformed_free(struct bgp_speaker *s);

#endif
