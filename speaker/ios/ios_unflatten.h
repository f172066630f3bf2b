#ifndef RIBCAGE_IOS_UNFLATTEN_H
#define RIBCAGE_IOS_UNFLATTEN_H

#include <stdbool.h>
#include <stddef.h>

struct text;

/* Gives the lines back to a configuration that stands on one line. True: `out` is what to load;
 * false: the text has its lines, nothing was appended. */
bool ios_unflatten(const char *text, size_t size, struct text *out);

#endif
