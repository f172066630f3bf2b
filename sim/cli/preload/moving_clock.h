#ifndef RIBCAGE_MOVING_CLOCK_H
#define RIBCAGE_MOVING_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

/* What moving_clock_fixture.c has done in all processes of a test; begins as zeros. */
struct moving_clock {
    struct {
        _Atomic uint64_t processes; /* that were started with it */
        _Atomic uint64_t reads;     /* of a clock that jumped */
    } of[2];                        /* all programs but the speaker; the speaker */
};

#endif
