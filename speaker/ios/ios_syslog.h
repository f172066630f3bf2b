#ifndef RIBCAGE_IOS_SYSLOG_H
#define RIBCAGE_IOS_SYSLOG_H

#include "../base/addr.h"
#include "../base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a router's log lines go beside its buffer. */

struct ios_router;

/* The severity in `%FACILITY-5-MNEMONIC`; 7 for a line without one. */
int ios_log_severity(const char *line);
/* Up to which severity "buffered", "console", "monitor" or "trap" takes lines; -1: it is off. */
int ios_log_level(const struct ios_router *r, const char *destination);
/* The n-th `logging host`; false: no more. */
bool ios_syslog_host(const struct ios_router *r, uint32_t n, struct ip_addr *ret_addr,
                     uint16_t *ret_port);
/* One log line as a datagram, appended. False: hosts do not get lines of this severity. */
bool ios_syslog_line(struct ios_router *r, const char *line, size_t size, struct text *out);

#endif
