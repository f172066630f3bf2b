#ifndef RIBCAGE_BASE_STANDARD_OUTPUT_H
#define RIBCAGE_BASE_STANDARD_OUTPUT_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What was printed and did not get out was not said: why not, for a message; NULL: all got out.
 * Before the exit status of a program. Here and not in a .c, because this folder's objects write
 * nothing. */
static inline const char *standard_output_problem(void) {
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return NULL;
    return errno ? strerror(errno) : "part of it is lost"; /* an earlier write failed */
}

#endif
