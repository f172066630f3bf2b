/* MD5 against the test suite of RFC 1321 A.5, in one piece and octet by octet. */
#include "md5.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text, *digest;
} ROWS[] = {
    {"", "d41d8cd98f00b204e9800998ecf8427e"},
    {"a", "0cc175b9c0f1b6a831c399e269772661"},
    {"abc", "900150983cd24fb0d6963f7d28e17f72"},
    {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
     "d174ab98d277d9f5a5611c2c9f419d9f"},
    {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
     "57edf4a22be3c955ac49da2e2107b67a"},
};

static void digest_of(const char *text, size_t piece, char ret_hex[33]) {
    struct md5 m;
    uint8_t digest[MD5_SIZE];
    size_t size = strlen(text);
    md5_init(&m);
    for (size_t at = 0; at < size; at += piece)
        md5_update(&m, text + at, size - at < piece ? size - at : piece);
    md5_final(&m, digest);
    for (unsigned i = 0; i < MD5_SIZE; i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
}

static void digests_are_those_of_the_rfc(void **state) {
    (void)state;
    char hex[33];
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        digest_of(ROWS[i].text, 1000, hex);
        assert_string_equal(hex, ROWS[i].digest);
        digest_of(ROWS[i].text, 1, hex);
        assert_string_equal(hex, ROWS[i].digest);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(digests_are_those_of_the_rfc)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
