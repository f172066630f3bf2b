#ifndef RIBCAGE_STEP_H
#define RIBCAGE_STEP_H

#include <stdbool.h>

/*
 * Numbered system steps: every request to the kernel that can fail while a lab is built passes
 * step_ok first, so that a test can make the k-th one fail and see everything unwound.
 * Thread-local.
 */

/* The k-th step from now on fails, once; 0 switches it off. Counting starts anew. */
void step_fail_at(unsigned long k);
/* Steps taken since step_fail_at. */
unsigned long step_count(void);
/* False (errno ECANCELED): this is the step that is to fail. */
bool step_ok(void);

#endif
