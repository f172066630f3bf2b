#ifndef RIBCAGE_IOS_HELP_H
#define RIBCAGE_IOS_HELP_H

#include "ios_router.h"

/* `?` and Tab, from the same patterns that lines are matched against. */

/* What may come where `line` ends (a word begun: what it may become), as IOS lists it. */
void ios_help_put(const struct ios_router *r, const char *line, struct text *out);
/* The keyword that the last word of `line` can only be; false: none, or several. What is missing of
 * it and a blank are appended to `ret_rest`. */
bool ios_help_complete(const struct ios_router *r, const char *line, struct text *ret_rest);

/* The sentence IOS has for a keyword; "" if none is kept (ios_help_words.c). */
const char *ios_help_words(const char *keyword, size_t size);

#endif
