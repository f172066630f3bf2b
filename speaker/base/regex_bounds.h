#ifndef RIBCAGE_BASE_REGEX_BOUNDS_H
#define RIBCAGE_BASE_REGEX_BOUNDS_H

#include <stdint.h>

/*
 * Is a POSIX extended regular expression cheap enough for regcomp and regexec?
 *
 * Repetition bounds are unrolled by regcomp, and `+` is what it repeats twice, so that two dozen
 * characters can cost all memory there is; groups make it recurse; with back references regexec
 * tries every way. Expressions come from files that nobody vouches for, so they are weighed before
 * they are compiled.
 */

#define REGEX_TEXT_MAX 1000      /* octets of an expression */
#define REGEX_DEPTH_MAX 32u      /* groups within groups */
#define REGEX_POSITIONS_MAX 1000 /* characters and classes once all repetitions are unrolled */

/* NULL: within bounds, which is not to say that it is valid (regcomp says that). Otherwise why
 * not, in static words that fit behind "matches: ". */
const char *regex_refuse(const char *expression);

#endif
