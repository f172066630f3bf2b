#ifndef RIBCAGE_IOS_SYSLOG_H
#define RIBCAGE_IOS_SYSLOG_H

#include "../base/addr.h"
#include "../base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a router's log lines go beside its buffer. */

struct ios_router;

/* The n-th `logging host`; false: no more. */
bool ios_syslog_host(const struct ios_router *r, uint32_t n, struct ip_addr *ret_addr,
                     uint16_t *ret_port);
/* One log line as a datagram, appended. False: hosts do not get lines of this severity. */
bool ios_syslog_line(struct ios_router *r, const char *line, size_t size, struct text *out);

#endif
