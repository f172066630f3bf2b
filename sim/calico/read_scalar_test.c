/*
 * Unquoted scalars: what each is to YAML, the text it becomes, and the number.
 */
#include "read_scalar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
    const char *text;
    enum read_scalar_kind kind;
    const char *as_text;
    int64_t number; /* -1: none */
} rows[] = {
    {"", SCALAR_TEXT, "", -1},
    {"plain", SCALAR_TEXT, "plain", -1},
    {"yes", SCALAR_BOOL, "true", -1},
    {"On", SCALAR_BOOL, "true", -1},
    {"y", SCALAR_BOOL, "true", -1},
    {"OFF", SCALAR_BOOL, "false", -1},
    {"yEs", SCALAR_TEXT, "yEs", -1},
    {"0", SCALAR_INTEGER, "0", 0},
    {"64512", SCALAR_INTEGER, "64512", 64512},
    {"+12", SCALAR_INTEGER, "12", 12},
    {"-12", SCALAR_INTEGER, "-12", -1},
    {"-0", SCALAR_INTEGER, "0", 0},
    {"010", SCALAR_INTEGER, "8", 8},
    {"0o17", SCALAR_INTEGER, "15", 15},
    {"0x1F", SCALAR_INTEGER, "31", 31},
    {"0b101", SCALAR_INTEGER, "5", 5},
    {"1_000", SCALAR_INTEGER, "1000", 1000},
    {"08", SCALAR_FRACTION, "8", 8},
    {"0x", SCALAR_TEXT, "0x", -1},
    {"0b12", SCALAR_TEXT, "0b12", -1},
    {"0x1G", SCALAR_TEXT, "0x1G", -1},
    {"9223372036854775808", SCALAR_INTEGER, "9223372036854775808", INT64_MIN},
    {"-9223372036854775809", SCALAR_FRACTION, "-9.223372036854776e+18", -1},
    {"18446744073709551616", SCALAR_FRACTION, "1.8446744073709552e+19", -1},
    {"1e3", SCALAR_FRACTION, "1000", 1000},
    {"1E+3", SCALAR_FRACTION, "1000", 1000},
    {"1e6", SCALAR_FRACTION, "1e+06", 1000000},
    {"1e-5", SCALAR_FRACTION, "1e-05", -1},
    {"1.10", SCALAR_FRACTION, "1.1", -1},
    {"1.0", SCALAR_FRACTION, "1", 1},
    {"1.", SCALAR_FRACTION, "1", 1},
    {".5", SCALAR_FRACTION, "0.5", -1},
    {"-.25", SCALAR_FRACTION, "-0.25", -1},
    {"123456.75", SCALAR_FRACTION, "123456.75", -1},
    {"1234567.5", SCALAR_FRACTION, "1.2345675e+06", -1},
    {"1e999", SCALAR_TEXT, "1e999", -1},
    {"1e", SCALAR_TEXT, "1e", -1},
    {".", SCALAR_TEXT, ".", -1},
    {"-", SCALAR_TEXT, "-", -1},
    {"1.2.3", SCALAR_TEXT, "1.2.3", -1},
    {"10.0.0.1", SCALAR_TEXT, "10.0.0.1", -1},
    {"100:6532", SCALAR_TEXT, "100:6532", -1},
    {"2026-01-02", SCALAR_TEXT, "2026-01-02", -1},
    {"12a", SCALAR_TEXT, "12a", -1},
};

static void test_rows(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buffer[READ_SCALAR_TEXT_MAX];
        uint64_t number = 0;
        struct read_scalar s = read_scalar(rows[i].text);
        bool is_number = read_scalar_u64(&s, &number);
        if (s.kind != rows[i].kind || is_number != (rows[i].number != -1) ||
            (is_number && number != (uint64_t)rows[i].number))
            fail_msg("%s: kind %d, number %llu", rows[i].text, (int)s.kind,
                     (unsigned long long)number);
        assert_string_equal(read_scalar_format(&s, rows[i].text, buffer), rows[i].as_text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests_name("scalars", tests, NULL, NULL);
}
