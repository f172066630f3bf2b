#ifndef RIBCAGE_HOST_SYSLOG_H
#define RIBCAGE_HOST_SYSLOG_H

struct ios_router;

/* Log lines of a mock Cisco as datagrams to its `logging host`s. Best effort, as syslog is: what
 * the kernel does not take at once is lost. */
void syslog_send(struct ios_router *r, const char *lines);

#endif
