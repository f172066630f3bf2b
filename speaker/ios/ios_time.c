/*
 * Times as IOS writes them. UTC only: the mock has no time zone.
 *
 * Owns: layout. Leaves: what time it is; every time is an argument.
 */
#include "ios_time.h"

#include "../base/nanotime.h"
#include "../base/text.h"

#include <stddef.h>

static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const DAYS[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};

struct date {
    unsigned year, month, day, weekday; /* month from 0, day from 1 */
    unsigned hour, minute, second, milli;
};

/* Civil date of a day count since 1970-01-01: whole 400-year eras from 1 March of year 0. */
static void date_from_days(uint64_t days, struct date *d) {
    uint64_t shifted = days + 719468;
    uint64_t era = shifted / 146097, of_era = shifted % 146097;
    uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint64_t month = (5 * of_year + 2) / 153; /* from March */
    d->day = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
    d->month = (unsigned)(month < 10 ? month + 2 : month - 10);
    d->year = (unsigned)(year + era * 400 + (d->month < 2));
    d->weekday = (unsigned)(days % 7);
}

static struct date date_of(uint64_t wall_ms) {
    /* The year 9999 and a sane division, whatever the caller's clock says. */
    uint64_t limit = UINT64_C(253402300799999);
    uint64_t ms = wall_ms > limit ? limit : wall_ms;
    uint64_t s = ms / 1000;
    struct date d = {.milli = (unsigned)(ms % 1000),
                     .second = (unsigned)(s % 60),
                     .minute = (unsigned)(s / 60 % 60),
                     .hour = (unsigned)(s / 3600 % 24)};
    date_from_days(s / 86400, &d);
    return d;
}

void ios_time_age(uint64_t ns, struct text *out) {
    unsigned long s = (unsigned long)(ns / NANOS_PER_S);
    unsigned long days = s / 86400;
    if (days < 1)
        text_printf(out, "%02lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else if (days < 7)
        text_printf(out, "%lud%02luh", days, s / 3600 % 24);
    else if (days < 365)
        text_printf(out, "%luw%lud", days / 7, days % 7);
    else
        text_printf(out, "%luy%luw", days / 365, days % 365 / 7);
}

static void put_time(const struct date *d, bool millis, struct text *out) {
    text_printf(out, "%02u:%02u:%02u", d->hour, d->minute, d->second);
    if (millis)
        text_printf(out, ".%03u", d->milli);
}

void ios_time_clock(uint64_t wall_ms, bool millis, struct text *out) {
    struct date d = date_of(wall_ms);
    put_time(&d, millis, out);
    text_printf(out, " UTC %s %s %u %u", DAYS[d.weekday], MONTHS[d.month], d.day, d.year);
}

void ios_time_log(uint64_t wall_ms, bool millis, bool year, struct text *out) {
    struct date d = date_of(wall_ms);
    text_printf(out, "%s %2u ", MONTHS[d.month], d.day);
    if (year)
        text_printf(out, "%u ", d.year);
    put_time(&d, millis, out);
}

void ios_time_uptime(uint64_t ns, struct text *out) {
    static const struct {
        uint64_t minutes;
        const char *unit;
    } UNITS[] = {{525600, "year"}, {10080, "week"}, {1440, "day"}, {60, "hour"}};
    uint64_t left = ns / NANOS_PER_S / 60;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        unsigned long n = (unsigned long)(left / UNITS[i].minutes);
        left %= UNITS[i].minutes;
        if (n)
            text_printf(out, "%lu %s%s, ", n, UNITS[i].unit, n == 1 ? "" : "s");
    }
    text_printf(out, "%lu minute%s", (unsigned long)left, left == 1 ? "" : "s");
}
