/*
 * Any octets as a captured frame.
 *
 * Checked: an OPEN that is reported has two addresses of one family, and a frame without one leaves
 * the result alone.
 */
#include "frame.h"
#include "lab.h"

#include "../../speaker/base/fuzz.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lab_open o = {.as = 7, .count = 9};

    if (frame_decode(data, size, &o)) {
        assert(ip_is_set(o.from) && o.from.family == o.to.family);
        assert(o.count == 0);
    } else {
        assert(o.as == 7 && o.count == 9 && !ip_is_set(o.from));
    }
    return 0;
}

/* Cooked header, IPv4 header, TCP header, OPEN with two capabilities. */
static const uint8_t seed_frame[] = {
    0,    0,    0,    1,    0,    6,    0,    0,    0,    0,    0,    0,    0,    0,    8,
    0,    0x45, 0,    0,    0x53, 0,    0,    0x40, 0,    64,   6,    0,    0,    10,   0,
    0,    1,    10,   0,    0,    2,    0xc0, 0,    0,    179,  0,    0,    0,    1,    0,
    0,    0,    2,    0x50, 0x18, 2,    0,    0,    0,    0,    0,    0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,    43,   1,
    4,    0x5b, 0xa0, 0,    90,   1,    2,    3,    4,    14,   2,    12,   65,   4,    0xfa,
    0x56, 0xea, 0,    1,    4,    0,    1,    0,    1,
};

static const struct fuzz_seed seeds[] = {{seed_frame, sizeof seed_frame}};

FUZZ_MAIN(seeds)
