#ifndef RIBCAGE_IOS_LOG_H
#define RIBCAGE_IOS_LOG_H

#include "ios_router.h"

/* Log lines that have another cause than the speaker. */

/* %SYS-5-CONFIG_I, into r->log. `t` NULL: the console. */
void ios_log_configured(struct ios_router *r, const struct ios_view *view,
                        const struct ios_terminal *t);

/* What IOS calls an error of a NOTIFICATION, "Administrative Reset". */
const char *ios_log_phrase(uint8_t code, uint8_t subcode);
/* A message whole, in groups of four digits, sixteen a line; `body` behind its header. */
void ios_log_put_message(uint8_t type, const uint8_t *body, uint32_t size, struct text *out);
/* What a malformed UPDATE announced, "10.0.0.0/8 " each. */
void ios_log_put_prefixes(const struct bgp_peer_info *p, const uint8_t *body, uint32_t size,
                          struct text *out);

#endif
