#ifndef RIBCAGE_FRAME_H
#define RIBCAGE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lab_open;

/* The OPEN in a frame of link type LINUX_SLL (count and last are left 0). False: there is none,
 * and *ret_open is untouched. Any octets may come. */
bool frame_decode(const uint8_t *data, size_t size, struct lab_open *ret_open);

#endif
