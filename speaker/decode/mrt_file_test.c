/*
 * Records cut out of octets: where each begins, what the end of the input means, bodies that are
 * too large or only claim to be; and which records of tables are not IPv4 or IPv6 unicast.
 */
#include "mrt_file.h"

#include "../core/codec_test.h"

#include <string.h>

/* Octets, then `zeros` more of them. */
struct source {
    uint8_t data[256];
    size_t size, at;
    uint64_t zeros;
};

static size_t input(void *context, uint8_t *out, size_t size) {
    struct source *s = context;
    size_t done = 0;
    for (; done < size && s->at < s->size; done++, s->at++)
        if (out)
            out[done] = s->data[s->at];
    size_t zeros = size - done < s->zeros ? size - done : (size_t)s->zeros;
    if (out)
        memset(out + done, 0, zeros);
    s->zeros -= zeros;
    return done + zeros;
}

static struct source source_of(const char *hex) {
    struct source s = {.size = 0};
    s.size = codec_hex(hex, s.data, 0, sizeof s.data);
    return s;
}

static void expect(struct mrt_file *f, enum mrt_found found, uint64_t record, uint64_t offset) {
    assert_int_equal(mrt_file_next(f), found);
    assert_int_equal(f->record, record);
    assert_int_equal(f->offset, offset);
}

static void test_records_follow_each_other(void **state) {
    (void)state;
    struct source s = source_of("00000001 000d0002 00000002 aabb 00000002 00100004 00000000");
    struct mrt_file f = {.input = input, .context = &s};
    expect(&f, MRT_FOUND_RECORD, 1, 0);
    assert_int_equal(f.header.type, MRT_TABLE_DUMP_V2);
    assert_memory_equal(f.body, "\xaa\xbb", 2);
    expect(&f, MRT_FOUND_RECORD, 2, 14);
    assert_int_equal(f.header.size, 0);
    expect(&f, MRT_FOUND_END, 3, 26);
    mrt_file_deinit(&f);
}

static void test_cut_records(void **state) {
    static const char *const cut[] = {
        "00", "00000001 000d0002 000000", "00000001 000d0002 00000002 aa",
        "00000001 000d0002 04000000 aa", /* the largest there may be */
        "00000001 000d0002 ffffffff aa"};
    (void)state;
    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
        struct source s = source_of(cut[i]);
        struct mrt_file f = {.input = input, .context = &s};
        expect(&f, MRT_FOUND_TRUNCATED, 1, 0);
        assert_true(f.capacity <= 65536); /* what is claimed costs nothing */
        mrt_file_deinit(&f);
    }
}

static void test_bodies_too_large_are_passed_over(void **state) {
    (void)state;
    struct source s = source_of("00000001 000d0002 04000001");
    struct mrt_file f = {.input = input, .context = &s};
    s.zeros = MRT_RECORD_MAX + 1 + MRT_HEADER_SIZE; /* a header of zeros behind it */
    expect(&f, MRT_FOUND_TOO_LARGE, 1, 0);
    assert_null(f.body);
    expect(&f, MRT_FOUND_RECORD, 2, MRT_HEADER_SIZE + MRT_RECORD_MAX + 1);
    expect(&f, MRT_FOUND_END, 3, 2 * MRT_HEADER_SIZE + MRT_RECORD_MAX + 1);
    mrt_file_deinit(&f);
}

static void test_foreign_records(void **state) {
    static const struct {
        uint16_t type, subtype;
        const char *body;
        bool foreign;
    } rows[] = {
        {MRT_TABLE_DUMP, 1, "", false},
        {MRT_TABLE_DUMP, 2, "", false},
        {MRT_TABLE_DUMP, 3, "", true},
        {MRT_TABLE_DUMP_V2, 1, "", false},
        {MRT_TABLE_DUMP_V2, 2, "", false},
        {MRT_TABLE_DUMP_V2, 3, "", true}, /* multicast */
        {MRT_TABLE_DUMP_V2, 4, "", false},
        {MRT_TABLE_DUMP_V2, 5, "", true},
        {MRT_TABLE_DUMP_V2, 6, "00000000 0001 01", false},
        {MRT_TABLE_DUMP_V2, 6, "00000000 0002 01", false},
        {MRT_TABLE_DUMP_V2, 6, "00000000 0001 02", true},
        {MRT_TABLE_DUMP_V2, 6, "00000000 0019 46", true}, /* EVPN */
        {MRT_TABLE_DUMP_V2, 6, "00000000 0019", false},   /* truncated: a fault */
        {MRT_TABLE_DUMP_V2, 7, "", true},                 /* RFC 6397 */
        {MRT_TABLE_DUMP_V2, 8, "", false},
        {MRT_TABLE_DUMP_V2, 9, "", true},
        {MRT_TABLE_DUMP_V2, 10, "", false},
        {MRT_TABLE_DUMP_V2, 11, "", true},
        {MRT_TABLE_DUMP_V2, 12, "00000000 0001 01", false},
        {MRT_TABLE_DUMP_V2, 12, "00000000 0001 80", true},
        {MRT_TABLE_DUMP_V2, 13, "", true},
        {MRT_BGP4MP, 99, "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct source s = source_of(rows[i].body);
        struct mrt_header h = {
            .type = rows[i].type, .subtype = rows[i].subtype, .size = (uint32_t)s.size};
        if (mrt_is_foreign(&h, s.data) != rows[i].foreign)
            fail_msg("row %zu: type %d, subtype %d", i, rows[i].type, rows[i].subtype);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_follow_each_other),
        cmocka_unit_test(test_cut_records),
        cmocka_unit_test(test_bodies_too_large_are_passed_over),
        cmocka_unit_test(test_foreign_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
