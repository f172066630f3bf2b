/*
 * Fuzzes the pcapng reader: any octets as a file.
 *
 * Held to its word: packets lie in blocks that lie in the file one behind the other, so that all of
 * them together are no more than the file; what is read ends, with a reason if there is one; and
 * every packet may be one of a capture.
 */
#include "capture.h"
#include "pcapng.h"

#include "../base/fuzz.h"

static void require(bool holds) {
    if (!holds)
        abort();
}

static size_t input(void *context, uint8_t *out, size_t size) {
    struct byte_reader *in = context;
    size = size < bytes_left(in) ? size : bytes_left(in);
    memcpy(out, bytes_take(in, size), size);
    return size;
}

static void ignore(void *context, const struct capture_item *item) {
    (void)context;
    require(item->message != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct decode_options how = decode_defaults();
    struct byte_reader in = bytes_reader(data, size);
    struct pcapng_file f = {.input = input, .context = &in};
    struct capture *c = capture_new(&how, ignore, NULL);
    struct pcapng_packet p;
    const char *fault = NULL;
    size_t all = 0;
    enum pcapng_found found = PCAPNG_END;
    while (c && (found = pcapng_next(&f, &p, &fault)) == PCAPNG_PACKET) {
        all += p.size;
        require(all <= size);
        capture_packet(c, p.link_type, p.time_ns, p.data, p.size);
    }
    require((found == PCAPNG_FAULT) == (fault != NULL));
    require(found == PCAPNG_FAULT || !c || bytes_left(&in) == 0);
    capture_free(c);
    pcapng_deinit(&f);
    return 0;
}

#define SECTION                                                                                    \
    "\x0a\x0d\x0d\x0a\0\0\0\x1c\x1a\x2b\x3c\x4d\0\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\x1c"
#define INTERFACE "\0\0\0\1\0\0\0\x14\0\x65\0\0\0\0\0\0\0\0\0\x14"
#define CLOCK "\0\0\0\1\0\0\0\x20\0\1\0\0\0\0\0\0\0\x09\0\1\x89\0\0\0\0\0\0\0\0\0\0\x20"
#define PACKET                                                                                     \
    "\0\0\0\6\0\0\0\x24\0\0\0\0\0\0\0\1\0\x0f\x42\x42\0\0\0\3\0\0\0\3\x45\0\0\0\0\0\0\x24"
#define SIMPLE "\0\0\0\3\0\0\0\x14\0\0\0\3\x45\0\0\0\0\0\0\x14"

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED(SECTION INTERFACE PACKET SIMPLE),
    FUZZ_SEED(SECTION CLOCK PACKET),
    FUZZ_SEED("\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
              "\x1c\0\0\0"
              "\1\0\0\0\x14\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\3\0\0\0\x14\0\0\0\3\0\0\0\x45\0\0\0\x14"
              "\0\0\0"),
};

FUZZ_MAIN(seeds)
