#ifndef RIBCAGE_IOS_TIME_H
#define RIBCAGE_IOS_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct text;

/* IOS's ways to write a time. */

/* "00:06:12", "1d02h", "3w0d", "1y10w". */
void ios_time_age(uint64_t ns, struct text *out);
/* "21:59:01 UTC Wed Aug 19 2020"; with `millis` "18:57:38.347 UTC …". */
void ios_time_clock(uint64_t wall_ms, bool millis, struct text *out);
/* "Aug 23 00:45:12.079": log lines. `year` puts it behind the day. */
void ios_time_log(uint64_t wall_ms, bool millis, bool year, struct text *out);
/* "2 hours, 3 minutes". */
void ios_time_uptime(uint64_t ns, struct text *out);

#endif
