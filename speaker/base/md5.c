/*
 * MD5 as RFC 1321 describes it.
 *
 * Owns: the 64 steps, as tables of shifts and sines. Octet order is explicit, so that the machine's
 * does not matter.
 */
#include "md5.h"

#include <string.h>

static const uint32_t SINES[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static const uint8_t SHIFTS[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static uint32_t rotate(uint32_t x, unsigned bits) {
    return x << bits | x >> (32 - bits);
}

/* The round's function of b, c, d; *ret_word: which word of the block the step reads. */
static uint32_t mix(unsigned step, const uint32_t v[4], unsigned *ret_word) {
    switch (step / 16) {
    case 0:
        *ret_word = step;
        return (v[1] & v[2]) | (~v[1] & v[3]);
    case 1:
        *ret_word = (5 * step + 1) % 16;
        return (v[1] & v[3]) | (v[2] & ~v[3]);
    case 2:
        *ret_word = (3 * step + 5) % 16;
        return v[1] ^ v[2] ^ v[3];
    default:
        *ret_word = 7 * step % 16;
        return v[2] ^ (v[1] | ~v[3]);
    }
}

static void block_run(struct md5 *m) {
    uint32_t words[16], v[4];
    for (size_t i = 0; i < 16; i++)
        words[i] = (uint32_t)m->block[4 * i] | (uint32_t)m->block[4 * i + 1] << 8 |
                   (uint32_t)m->block[4 * i + 2] << 16 | (uint32_t)m->block[4 * i + 3] << 24;
    memcpy(v, m->state, sizeof v);
    for (unsigned step = 0; step < 64; step++) {
        unsigned word;
        uint32_t sum = mix(step, v, &word);
        sum += v[0] + SINES[step] + words[word];
        v[0] = v[3];
        v[3] = v[2];
        v[2] = v[1];
        v[1] += rotate(sum, SHIFTS[step / 16][step % 4]);
    }
    for (unsigned i = 0; i < 4; i++)
        m->state[i] += v[i];
}

void md5_init(struct md5 *m) {
    *m = (struct md5){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

void md5_update(struct md5 *m, const void *data, size_t size) {
    const uint8_t *octets = data;
    for (size_t i = 0; i < size; i++) {
        m->block[m->size++ % 64] = octets[i];
        if (m->size % 64 == 0)
            block_run(m);
    }
}

void md5_final(struct md5 *m, uint8_t ret_digest[MD5_SIZE]) {
    static const uint8_t PADDING[64] = {0x80};
    uint64_t bits = m->size * 8;
    uint8_t tail[8];
    for (unsigned i = 0; i < 8; i++)
        tail[i] = (uint8_t)(bits >> (8 * i));
    md5_update(m, PADDING, 1 + (119 - m->size % 64) % 64);
    md5_update(m, tail, sizeof tail);
    for (unsigned i = 0; i < MD5_SIZE; i++)
        ret_digest[i] = (uint8_t)(m->state[i / 4] >> (8 * (i % 4)));
}
