/*
 * Fuzzes the MRT reader: any octets as a file, cut into records by their own lengths, shown as
 * lines and as JSON.
 *
 * Held to its word: an item has a kind that fits what comes with it, its JSON is an object a line,
 * its lines have the fields that readers of the format count; records cut out of the file lie in it
 * one behind the other.
 */
#include "mrt_file.h"

#include "../base/fuzz.h"
#include "mrt_sample.h"

#include <jansson.h>
#include <string.h>

static void require(bool holds) {
    if (!holds)
        abort();
}

/* "TYPE|time|A|peer|as|prefix|…": 15 fields of a route, 6 of a withdrawal, 7 of a state; a path
 * identifier is one more. */
static void check_lines(const struct text *out) {
    const char *at = text_str(out), *end = at + out->size;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        require(line_end != NULL);
        unsigned bars = 0;
        for (const char *c = at; c < line_end; c++)
            bars += *c == '|';
        require(bars == 5 || bars == 6 || bars == 14 || bars == 15);
        at = line_end + 1;
    }
}

static void check_json(const struct text *out) {
    require(memchr(out->data, '\n', out->size) == out->data + out->size - 1);
    json_t *object = json_loadb(out->data, out->size, JSON_REJECT_DUPLICATES, NULL);
    require(json_is_object(object));
    json_decref(object);
}

static void take(void *context, const struct mrt_item *item) {
    struct text *out = context;
    require(item->type != NULL);
    require((item->kind == MRT_STATE) == (item->message == NULL));
    require(item->kind != MRT_ROUTE || item->message->type == BGP_MSG_UPDATE);
    text_clear(out);
    mrt_put_lines(item, out);
    require(!out->failed);
    check_lines(out);
    text_clear(out);
    mrt_put_json(item, out);
    require(!out->failed);
    check_json(out);
}

static size_t input(void *context, uint8_t *out, size_t size) {
    struct byte_reader *in = context;
    size_t have = bytes_left(in) < size ? bytes_left(in) : size;
    const uint8_t *data = bytes_take(in, have);
    if (out && have > 0)
        memcpy(out, data, have);
    return have;
}

static void check_file(const uint8_t *data, size_t size) {
    struct byte_reader in = bytes_reader(data, size);
    struct mrt_file f = {.input = input, .context = &in};
    enum mrt_found found;
    while ((found = mrt_file_next(&f)) == MRT_FOUND_RECORD) {
        require(f.next == f.offset + MRT_HEADER_SIZE + f.header.size && f.next <= size);
        require(memcmp(f.body, data + f.offset + MRT_HEADER_SIZE, f.header.size) == 0);
        (void)mrt_is_foreign(&f.header, f.body);
    }
    require(found == MRT_FOUND_TRUNCATED || (found == MRT_FOUND_END && f.offset == size));
    mrt_file_deinit(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct mrt_reader *r = mrt_reader_new();
    struct text out;
    text_init(&out);
    check_file(data, size);
    while (r && size >= MRT_HEADER_SIZE) {
        struct mrt_header h = mrt_header_decode(data);
        data += MRT_HEADER_SIZE;
        size -= MRT_HEADER_SIZE;
        if (h.size > size)
            h.size = (uint32_t)size; /* a length that lies: what is there is the record */
        (void)mrt_read(r, &h, data, take, &out);
        data += h.size;
        size -= h.size;
    }
    text_deinit(&out);
    mrt_reader_free(r);
    return 0;
}

int main(int argc, char **argv) {
    struct text tables, messages;
    text_init(&tables);
    text_init(&messages);
    sample_tables(&tables);
    sample_messages(&messages);
    struct fuzz_seed seeds[] = {
        {(const uint8_t *)tables.data, tables.size},
        {(const uint8_t *)messages.data, messages.size},
        FUZZ_SEED("ABCD\0\x0c\0\x01\0\0\0\x28\0\0\0\x01\x0a\x01\0\0\x10\x01"
                  "ABCD\x0a\0\0\x02\xfd\xe9\0\x12@\x01\x01\0@\x02\x04\x02\x01\xfd\xe9@"
                  "\x03\x04\x0a\0\0\x02"),
    };
    const struct fuzz_target target = {.seeds = seeds,
                                       .seed_count = sizeof seeds / sizeof seeds[0]};
    int status = fuzz_main(argc, argv, &target);
    text_deinit(&tables);
    text_deinit(&messages);
    return status;
}
