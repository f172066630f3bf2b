#ifndef RIBCAGE_BASE_MD5_H
#define RIBCAGE_BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

/* MD5 (RFC 1321): for RFC 2385, which knows no other. Not for anything that must be secure. */

#define MD5_SIZE 16

struct md5 {
    uint32_t state[4];
    uint64_t size; /* octets so far */
    uint8_t block[64];
};

void md5_init(struct md5 *m);
void md5_update(struct md5 *m, const void *data, size_t size);
void md5_final(struct md5 *m, uint8_t ret_digest[MD5_SIZE]);

#endif
