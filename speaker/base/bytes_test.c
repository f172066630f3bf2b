/*
 * Readers and writers: order of octets, stickiness, nesting.
 */
#include "bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void test_read(void **state) {
    (void)state;
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct byte_reader r = bytes_reader(data, sizeof data);
    assert_int_equal(bytes_u8(&r), 0x01);
    assert_int_equal(bytes_u16(&r), 0x0203);
    assert_int_equal(bytes_u32(&r), 0x04050607);
    assert_true(bytes_u64(&r) == UINT64_C(0x08090A0B0C0D0E0F));
    assert_true(bytes_ok(&r));
    assert_int_equal(bytes_left(&r), 0);
    assert_int_equal(bytes_u8(&r), 0);
    assert_false(bytes_ok(&r));
}

static void test_read_sticky(void **state) {
    (void)state;
    static const uint8_t data[] = {1, 2, 3};
    struct byte_reader r = bytes_reader(data, sizeof data);
    assert_int_equal(bytes_u32(&r), 0); /* one short: nothing is taken */
    assert_int_equal(r.at, 0);
    assert_int_equal(bytes_u8(&r), 0); /* and nothing more is read, although it is there */
    assert_null(bytes_take(&r, 0));
    assert_int_equal(bytes_left(&r), 0);
    struct byte_reader empty = bytes_reader(NULL, 0);
    assert_true(bytes_ok(&empty));
    assert_int_equal(bytes_u16(&empty), 0);
    assert_false(bytes_ok(&empty));
}

static void test_view(void **state) {
    (void)state;
    static const uint8_t data[] = {1, 2, 3, 4, 5};
    struct byte_reader r = bytes_reader(data, sizeof data);
    struct byte_reader inner = bytes_view(&r, 2);
    assert_int_equal(bytes_u8(&r), 3);
    assert_int_equal(bytes_u16(&inner), 0x0102);
    assert_int_equal(bytes_u8(&inner), 0);
    assert_false(bytes_ok(&inner));
    assert_true(bytes_ok(&r)); /* a damaged inside does not spoil the outside */
    struct byte_reader too_long = bytes_view(&r, 3);
    assert_false(bytes_ok(&too_long));
    assert_false(bytes_ok(&r));
    assert_int_equal(bytes_left(&too_long), 0);
    struct byte_reader of_failed = bytes_view(&r, 0);
    assert_false(bytes_ok(&of_failed));
    struct byte_reader huge = bytes_reader(data, sizeof data);
    bytes_u8(&huge);
    assert_null(bytes_take(&huge, SIZE_MAX));
}

static void test_write(void **state) {
    (void)state;
    uint8_t out[20];
    struct byte_writer w = bytes_writer(out, sizeof out);
    bytes_put_u8(&w, 1);
    bytes_put_u16(&w, 0x0203);
    bytes_put_u32(&w, 0x04050607);
    bytes_put_u64(&w, UINT64_C(0x08090A0B0C0D0E0F));
    bytes_put(&w, "\x10\x11", 2);
    assert_int_equal(w.at, 17);
    for (uint8_t i = 0; i < 17; i++) {
        assert_int_equal(out[i], i + 1);
    }
    bytes_put_u32(&w, 7); /* three octets of room */
    assert_true(w.failed);
    assert_int_equal(w.at, 17);
    bytes_put_u8(&w, 7);
    assert_int_equal(w.at, 17);
}

static void test_mark(void **state) {
    (void)state;
    uint8_t out[8] = {0};
    struct byte_writer w = bytes_writer(out, sizeof out);
    size_t outer = bytes_mark_u16(&w);
    size_t inner = bytes_mark_u16(&w);
    bytes_put_u16(&w, 0xAABB);
    bytes_patch_u16(&w, inner);
    bytes_patch_u16(&w, outer);
    static const uint8_t want[] = {0, 4, 0, 2, 0xAA, 0xBB};
    assert_memory_equal(out, want, sizeof want);
    bytes_put_u32(&w, 1); /* does not fit: later patches leave what was written */
    bytes_patch_u16(&w, outer);
    assert_memory_equal(out, want, sizeof want);
    static uint8_t large[70000];
    static const uint8_t zeros[65535];
    w = bytes_writer(large, sizeof large);
    size_t mark = bytes_mark_u16(&w);
    bytes_put(&w, zeros, sizeof zeros);
    bytes_patch_u16(&w, mark);
    assert_false(w.failed);
    bytes_put_u8(&w, 0);
    bytes_patch_u16(&w, mark);
    assert_true(w.failed); /* longer than a length field can say */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read), cmocka_unit_test(test_read_sticky),
        cmocka_unit_test(test_view), cmocka_unit_test(test_write),
        cmocka_unit_test(test_mark),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
