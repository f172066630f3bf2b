#ifndef RIBCAGE_CORE_CODEC_TEST_H
#define RIBCAGE_CORE_CODEC_TEST_H

#include <assert.h>
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/*
 * Octets as text, for the tables of the codec's tests: "40 01 01 00", blanks where one likes.
 */

static inline unsigned codec_hex_digit(char c) {
    assert(isxdigit((unsigned char)c));
    return (unsigned)(isdigit((unsigned char)c) ? c - '0' : toupper((unsigned char)c) - 'A' + 10);
}

/* Appends; returns the new size. */
static inline size_t codec_hex(const char *hex, uint8_t *out, size_t at, size_t out_size) {
    for (; *hex; hex++) {
        if (*hex == ' ') {
            continue;
        }
        assert(at < out_size && hex[1] != '\0');
        out[at++] = (uint8_t)(codec_hex_digit(hex[0]) << 4 | codec_hex_digit(hex[1]));
        hex++;
    }
    return at;
}

static inline void codec_assert_bytes(const char *name, const uint8_t *got, size_t got_size,
                                      const char *want_hex) {
    uint8_t want[4096];
    size_t want_size = codec_hex(want_hex, want, 0, sizeof want);
    bool same = got_size == want_size;
    for (size_t i = 0; same && i < got_size; i++) {
        same = got[i] == want[i];
    }
    if (!same) {
        print_error("%s: octets differ, got", name);
        for (size_t i = 0; i < got_size; i++) {
            print_error(" %02x", got[i]);
        }
        print_error("\n");
        fail();
    }
}

#endif
