/*
 * Fuzzes hexadecimal: whatever is accepted, written again and read again, is the same octets; and
 * all of them go through the decoder as a message, for both kinds of session.
 */
#include "decode_line.h"

#include "../base/arena.h"
#include "../base/fuzz.h"
#include "../base/text.h"
#include "json_out.h"

static void require(bool holds) {
    if (!holds)
        abort();
}

static void again(const uint8_t *octets, size_t count) {
    uint8_t *back = malloc(count + 1);
    struct text text;
    size_t size = 0;
    text_init(&text);
    struct json_out o = json_out(&text);
    json_out_hex(&o, octets, count);
    require(back && text.size == 2 * count + 2);
    require(decode_hex(text.data + 1, 2 * count, back, &size));
    require(size == count && memcmp(back, octets, count) == 0);
    text_deinit(&text);
    free(back);
}

static void decode(const uint8_t *octets, size_t count, bool external) {
    struct decode_options how = decode_defaults();
    struct arena *scratch = arena_new();
    struct decode_message m;
    struct text out;
    how.codec.external = external;
    how.codec.as4 = !external;
    how.codec.add_path[BGP_IPV4_UNICAST] = external;
    text_init(&out);
    if (scratch) {
        decode_message(&how, octets, count, scratch, &m);
        decode_put_text(&m, &out);
        require(!out.failed && out.size > 0);
    }
    text_deinit(&out);
    arena_free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *octets = malloc(size / 2 + 1);
    size_t count = 0;
    if (octets && decode_hex((const char *)data, size, octets, &count)) {
        require(count <= size / 2);
        again(octets, count);
        decode(octets, count, false);
        decode(octets, count, true);
    }
    free(octets);
    return 0;
}

#define M "ffffffffffffffffffffffffffffffff"

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED(M "001304"),
    FUZZ_SEED("0xff:FF " M "\n001702 0000 0000"),
    FUZZ_SEED(M "0032020000001740010103400206020100 00fde94003040a000001c00800180a0102"),
    FUZZ_SEED(M "002b0104fdea00b40a0000020e020c41040000fdea450400010103"),
};

FUZZ_MAIN(seeds)
