#ifndef RIBCAGE_HOST_LOG_H
#define RIBCAGE_HOST_LOG_H

#include "../base/addr.h"
#include "../base/nanotime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;
struct bgp_event;
struct log;

struct log *log_new(struct host *h); /* NULL with errno: --log FILE, or memory */
void log_free(struct log *l);
/* Opens --log FILE anew, as whoever rotates it wants; keeps the old one, and says so in it, when
 * that fails. */
void log_reopen(struct log *l);
/* One line: "12.345678 id peer text". `id` is stable and has no blanks; `peer` may be NULL. The
 * text is escaped; at most a line. Not rate-limited: for what the operator or the kernel does. */
void log_line(struct log *l, const char *id, const char *peer, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The lines an event of the speaker is worth; rate-limited, because remotes can cause them. */
void log_event(struct log *l, const struct bgp_event *e);
/* A call with a wrong TCP MD5 signature, or (`missing`) without one; rate-limited. */
struct badauth_call;
void log_bad_signature(struct log *l, const char *peer, const struct badauth_call *c, bool missing);
/* A call was reset because no descriptor was left; rate-limited. */
void log_no_descriptor(struct log *l);
/* The kernel does not take a route, which its neighbour may say as often as it likes; likewise. */
void log_route_refused(struct log *l, struct ip_prefix prefix, const char *why);
/* The time of day in UTC, "2026-11-21T22:10:00Z": stamps of lines are those of no calendar. */
#define LOG_WALL_CLOCK_SIZE 24
const char *log_wall_clock(char out[LOG_WALL_CLOCK_SIZE]);
/* Ready-made lines, each ended by \n (IOS's). */
void log_text(struct log *l, const char *lines);
/* What `show logging` shows: the last lines. */
struct text;
const struct text *log_recent(const struct log *l);
void log_clear_recent(struct log *l);

/* "admin_shutdown"…, of enum bgp_down_reason. */
const char *log_reason_name(int reason);

#endif
