#ifndef RIBCAGE_HOST_ROUTER_H
#define RIBCAGE_HOST_ROUTER_H

#include "../core/bgp.h"
#include "../ios/ios.h"

#include <stdbool.h>
#include <stddef.h>

struct host;
struct router;
struct diag_list;
struct text;

/* The mock Cisco's running-config beside the speaker (speaker/ios). NULL: out of memory. */
struct router *router_new(struct host *h);
void router_free(struct router *r);
/* Replaces the running-config by a text. False with findings: the old one stays. Findings that are
 * no errors are added too. */
bool router_load(struct router *r, const char *text, size_t size, const char *file,
                 struct diag_list *diags);
/* Reads the text and says what is wrong with it, changing nothing. */
bool router_check(struct router *r, const char *text, size_t size, const char *file,
                  struct diag_list *diags);
/* Lines as typed in `configure terminal`; IOS's words go to `out`. */
void router_lines(struct router *r, const char *lines, struct text *out);
/* An exec command; carries out what it asks for (clear). False: there is no such command. */
bool router_exec(struct router *r, const char *command, struct text *out);
/* After a line was run: carries out what it asked for, puts a changed configuration in force, logs.
 */
void router_settle(struct router *r);
void router_log_event(struct router *r, const struct bgp_event *e, struct text *out);
void router_log_bad_signature(struct router *r, bool missing, struct ip_addr from,
                              uint16_t from_port, struct ip_addr to, uint16_t to_port);
void router_interfaces_changed(struct router *r);

/* For the terminals (vty.c). */
struct ios_router *router_ios(struct router *r);
struct ios_view router_view(const struct router *r);
/* Log lines: into the host's log, to terminals and syslog hosts. */
void router_log_lines(struct router *r, const char *lines);
/* When something is due: a terminal idle for too long. */
struct nanotime router_next_deadline(const struct router *r);
void router_advance(struct router *r, struct nanotime now);

#endif
