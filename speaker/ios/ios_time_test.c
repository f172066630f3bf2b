/*
 * Ages, uptimes and stamps at the borders of their units.
 */
#include "ios_time.h"

#include "../base/nanotime.h"
#include "../base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MINUTE 60ul
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define WEEK (7 * DAY)
#define YEAR (365 * DAY)

static const struct {
    unsigned long s;
    const char *age;
} AGES[] = {
    {0, "00:00:00"},
    {59, "00:00:59"},
    {6 * MINUTE + 12, "00:06:12"},
    {DAY - 1, "23:59:59"},
    {DAY, "1d00h"},
    {DAY + 2 * HOUR + 59 * MINUTE, "1d02h"},
    {WEEK - 1, "6d23h"},
    {WEEK, "1w0d"},
    {3 * WEEK, "3w0d"},
    {12 * WEEK + 5 * DAY, "12w5d"},
    {YEAR - 1, "52w0d"},
    {YEAR, "1y0w"},
    {YEAR + 10 * WEEK, "1y10w"},
    {12 * YEAR + 51 * WEEK, "12y51w"},
};

static void ages_change_their_units(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof AGES / sizeof *AGES; i++) {
        struct text out;
        text_init(&out);
        ios_time_age(AGES[i].s * NANOS_PER_S, &out);
        assert_string_equal(text_str(&out), AGES[i].age);
        text_deinit(&out);
    }
}

static const struct {
    unsigned long s;
    const char *uptime;
} UPTIMES[] = {
    {59, "0 minutes"},
    {MINUTE, "1 minute"},
    {2 * HOUR + 3 * MINUTE, "2 hours, 3 minutes"},
    {DAY + HOUR, "1 day, 1 hour, 0 minutes"},
    {YEAR + 2 * WEEK + 3 * DAY + 4 * MINUTE, "1 year, 2 weeks, 3 days, 4 minutes"},
};

static void uptimes_are_spelled_out(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof UPTIMES / sizeof *UPTIMES; i++) {
        struct text out;
        text_init(&out);
        ios_time_uptime(UPTIMES[i].s * NANOS_PER_S, &out);
        assert_string_equal(text_str(&out), UPTIMES[i].uptime);
        text_deinit(&out);
    }
}

static const struct {
    uint64_t wall_ms;
    bool millis, year;
    const char *stamp, *clock;
} STAMPS[] = {
    {UINT64_C(1598143512079), true, false, "Aug 23 00:45:12.079",
     "00:45:12.079 UTC Sun Aug 23 2020"},
    {UINT64_C(1614556800000), false, false, "Mar  1 00:00:00", "00:00:00 UTC Mon Mar 1 2021"},
    {UINT64_C(1445281058347), true, true, "Oct 19 2015 18:57:38.347",
     "18:57:38.347 UTC Mon Oct 19 2015"},
    {UINT64_C(1582934400000), false, true, "Feb 29 2020 00:00:00", "00:00:00 UTC Sat Feb 29 2020"},
};

static void stamps_have_two_columns_for_the_day(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof STAMPS / sizeof *STAMPS; i++) {
        struct text out;
        text_init(&out);
        ios_time_log(STAMPS[i].wall_ms, STAMPS[i].millis, STAMPS[i].year, &out);
        assert_string_equal(text_str(&out), STAMPS[i].stamp);
        text_clear(&out);
        ios_time_clock(STAMPS[i].wall_ms, STAMPS[i].millis, &out);
        assert_string_equal(text_str(&out), STAMPS[i].clock);
        text_deinit(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ages_change_their_units),
        cmocka_unit_test(uptimes_are_spelled_out),
        cmocka_unit_test(stamps_have_two_columns_for_the_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
