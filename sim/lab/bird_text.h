#ifndef RIBCAGE_BIRD_TEXT_H
#define RIBCAGE_BIRD_TEXT_H

#include "../../speaker/base/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What BIRD says on its control socket, as text and as data; no socket in here.
 *
 * An answer is lines; each begins with a four-digit code and '-' (more follows) or ' ' (the last),
 * or with one blank instead of the code when it continues the line before. 0000 to 0999 are ends
 * of success, 8000 to 9999 errors. BIRD: doc/reply_codes.
 */

/* Has the last line of an answer come? */
bool bird_complete(const struct text *in);
/* The code of the last line; 0 for one that is not an answer. */
unsigned bird_code(const struct text *in);
/* Without codes, as birdc prints it. The last line is left out when it has no text. */
void bird_plain(const struct text *in, struct text *out);

/* Appends one object per BGP protocol of `show protocols all` to `list`; shape: daemon.h. False:
 * out of memory. */
bool bird_read_sessions(const struct text *in, json_t *list);
/* The same for `show route all …`; `best` is what BIRD marks with '*', or all when `all_best`. */
bool bird_read_routes(const struct text *in, bool all_best, json_t *list);

#endif
