/*
 * Fuzzes the line protocol and with it both writers: any octets as a line, answered by exactly one
 * line that is a JSON object; and hexadecimal text, which is octets or nothing.
 */
#include "decode_line.h"

#include "../base/arena.h"
#include "../base/fuzz.h"
#include "../base/text.h"

#include <jansson.h>

static void require(bool holds) {
    if (!holds)
        abort();
}

static void one_line(const struct text *out) {
    require(!out->failed && out->size > 1);
    require(memchr(out->data, '\n', out->size) == out->data + out->size - 1);
    json_t *answer = json_loadb(out->data, out->size, JSON_REJECT_DUPLICATES, NULL);
    require(json_is_object(answer));
    require(json_object_get(answer, "type") || json_object_get(answer, "error"));
    json_decref(answer);
}

static void as_text(const struct decode_options *how, const uint8_t *data, size_t size,
                    struct arena *scratch, struct text *out) {
    struct decode_message m;
    arena_reset(scratch);
    decode_message(how, data, size, scratch, &m);
    text_clear(out);
    decode_put_text(&m, out);
    require(!out->failed && out->data[out->size - 1] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct decode_options how = decode_defaults();
    struct arena *scratch = arena_new();
    struct text out;
    size_t octets;
    uint8_t *decoded = malloc(size / 2 + 1);
    text_init(&out);
    if (scratch && decoded) {
        decode_line(&how, (const char *)data, size, scratch, &out);
        one_line(&out);
        const uint8_t *hex = memchr(data, 'f', size);
        size_t left = hex ? size - (size_t)(hex - data) : 0;
        const uint8_t *end = hex ? memchr(hex, '"', left) : NULL;
        if (end && decode_hex((const char *)hex, (size_t)(end - hex), decoded, &octets)) {
            require(octets <= size / 2);
            as_text(&how, decoded, octets, scratch, &out);
        }
    }
    text_deinit(&out);
    free(decoded);
    arena_free(scratch);
    return 0;
}

#define M "ffffffffffffffffffffffffffffffff"
#define LINE(octets) FUZZ_SEED("{\"hex\":\"" octets "\"}")

static const struct fuzz_seed seeds[] = {
    LINE(M "001304"),
    LINE(M "001b0306020568656c1b22"),
    LINE(M "00170500010001"),
    LINE(M "001702000000 00"),
    LINE(M "004b0104fde900b40a0000012e022c010400010001020041040000fde940064078000101804504"
           "0001010306004b04034142434906036162630164"),
    LINE(M "0096020000007340010100400214020200"
           "00fde90000fdea01020000fdeb0000fdec4003040a000001800404000000004005040000006440060"
           "0c007080000fde901020304c00808fde90001ffffff0180090401010101800a080202020203030303"
           "c0100800 02fde900000001c0200c000000010000000200000003e06303010203180a0102"),
    LINE(M "00490104006400b4010203042c022a080400010407430201404c0500010100ff03090001000102400181ff"
           "8207000100010180024d00c80100"),
    LINE(M "00600200000049400101004002060201"
           "0000fde9800e200001800c0000000000000000c000020100700001010000fe0c000000010a0102800f16"
           "00194603110001c000020100010000000020c0000202"),
    LINE(M "0097020000007c4001010040020602010000fde94003040a000001801a0b01000b00000000000003"
           "e9c016090006000641c0000207c0170a0008000604040000000ac0280a01000700000000000009c0"
           "1914000220010db80000000000000000000000010064c0800f0000fe0c40010100400504000000c8"
           "c010080002fe0c0000002a18c00002"),
    FUZZ_SEED("{\"hex\":\"" M "003a02000000134001010040020602010000fde94003040a000001"
              "00000001180a01020000000200\",\"asn4\":true,\"add_path\":[\"ipv4 unicast\"],"
              "\"internal\":false,\"extended\":true,\"families\":[\"ipv6 unicast\"]}"),
};

FUZZ_MAIN(seeds)
