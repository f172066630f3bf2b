#ifndef RIBCAGE_IOS_H
#define RIBCAGE_IOS_H

#include "../base/addr.h"
#include "../base/nanotime.h"
#include "../base/text.h"
#include "../core/bgp.h"
#include "../core/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag_list;

/*
 * The mock Cisco: a router whose state is the statements of its running-config. Pure: it reads no
 * file, clock or socket. IOS 15.7(3)M3 is what it copies.
 *
 *   parse     ios_parse.c     lines, modes, abbreviations, `no`, errors with a caret
 *   unflatten ios_unflatten.c a configuration pasted on one line with `!` between statements
 *   compile   ios_compile.c   statements -> struct bgp_config
 *   exec      ios_exec.c      commands and their filters; ios_show*.c what they print
 *   session   ios_session.c   somebody at a terminal: login, prompts, pages (ios_session.h)
 *   log       ios_log.c       %BGP-5-ADJCHANGE …
 */

struct ios_router;

/* What the router's surroundings give it: its interfaces as they are in the lab. */
struct ios_interface {
    char name[32];       /* "GigabitEthernet0/0", "Loopback0" */
    struct ip_addr addr; /* address and mask; not set: none */
    uint8_t length;
    bool up;
};
struct ios_env {
    const char *hostname; /* until a `hostname` line says otherwise */
    const struct ios_interface *interfaces;
    size_t interface_count;
};

struct ios_router *ios_router_new(const struct ios_env *env); /* NULL: out of memory */
void ios_router_free(struct ios_router *r);
/* The surroundings changed. */
void ios_router_set_env(struct ios_router *r, const struct ios_env *env);

/*
 * Loads a running-config text over what is there (an empty router at first). `unflatten`: give the
 * lines back to a text that stands on one line. Every line not applied becomes a finding (error:
 * IOS refuses it; warning: known and ignored, unknown top-level statement kept verbatim); loading
 * goes on, as IOS does. False: out of memory.
 */
bool ios_load(struct ios_router *r, const char *text, size_t size, const char *file, bool unflatten,
              struct diag_list *diags);
/* Hands findings of ios_load on, none worse than a warning: IOS refuses single lines and goes on. A
 * router's whole configuration has dozens of lines that no session depends on; they become one
 * note. */
void ios_findings(const struct diag_list *found, const char *file, struct diag_list *to);
/* What became of one line of a file. */
enum ios_outcome {
    IOS_LINE_EMPTY,   /* blank, a comment, or part of a banner */
    IOS_LINE_APPLIED, /* the router is as the line says */
    IOS_LINE_IGNORED, /* kept or skipped by a rule: `why` */
    IOS_LINE_REFUSED, /* in IOS's words: `why` */
};
#define IOS_OUTCOMES 4
extern const char *const ios_outcome_names[IOS_OUTCOMES]; /* "empty", "applied"… */

struct ios_line_report {
    uint32_t line;
    uint32_t column; /* of what is wrong, from 1; 0: none */
    enum ios_outcome outcome;
    const char *text; /* `size` octets, without the newline */
    size_t size;
    const char *why; /* "" when applied */
};
typedef void ios_report_fn(void *context, const struct ios_line_report *report);
/* ios_load that says of every line of the text what became of it, in their order; of a text that
 * was split, of every statement. */
bool ios_load_reported(struct ios_router *r, const char *text, size_t size, const char *file,
                       bool unflatten, struct diag_list *diags, ios_report_fn *report,
                       void *context);
/* One line as typed in `configure terminal`; what IOS prints is appended to `out`. The mode is kept
 * between calls; ios_config_end goes back to exec. */
void ios_config_line(struct ios_router *r, const char *line, struct text *out);
void ios_config_end(struct ios_router *r);
/* As `configure terminal` does, without its answer. */
void ios_config_begin(struct ios_router *r);
/* Did anything change since ios_bgp_config? */
bool ios_config_pending(const struct ios_router *r);

/* The configuration in force, compiled; pointers live until the router is changed or freed.
 * NULL: BGP is not configured. Findings: no router id, undefined route-map… */
const struct bgp_config *ios_bgp_config(struct ios_router *r, struct diag_list *diags);
/* Addresses that interface statements give the router (for the lab to configure). Returns the
 * count, fills up to `max`. */
size_t ios_interfaces(const struct ios_router *r, struct ios_interface *interfaces, size_t max);
const char *ios_hostname(const struct ios_router *r);

/* TCP's own figures of a connection. Sequence numbers count from 0, as the kernel keeps the real
 * ones to itself. */
struct ios_tcp {
    uint32_t mss;
    uint32_t rtt_us, rtt_variance_us, rtt_min_us, retransmit_timeout_us, delayed_ack_us;
    uint32_t send_window, receive_window, receive_window_max; /* octets */
    uint8_t send_scale, receive_scale;
    uint64_t bytes_sent, bytes_acked, bytes_received; /* each octet once */
    uint32_t segments_sent, segments_received, data_segments_sent, data_segments_received;
    uint32_t retransmitted, out_of_order;
    uint32_t sent_idle_ms, received_idle_ms;
    uint32_t unread_bytes;
};
/* False: nothing is known of the connection. */
typedef bool ios_tcp_fn(void *context, struct bgp_conn_id conn, struct ios_tcp *ret_tcp);

/* What a show command looks at. `wall_ms`: UTC, for clocks and log times. */
struct ios_view {
    const struct bgp_speaker *speaker; /* NULL: BGP not running */
    struct nanotime now;
    uint64_t wall_ms; /* since the epoch */
    struct nanotime booted;
    const struct text *log; /* the log buffer, for show logging; may be NULL */
    ios_tcp_fn *tcp;        /* NULL: connections are not looked at */
    void *tcp_context;
};
/* One exec command (`show ip bgp summary | include 10`): IOS's text, errors included, appended.
 * False: there is no such command; IOS's words for that are in the text. */
bool ios_exec(struct ios_router *r, const struct ios_view *view, const char *command,
              struct text *out);
/* Some exec commands act: what the host must do after ios_exec. */
enum ios_clear_scope {
    IOS_CLEAR_ALL,
    IOS_CLEAR_ADDRESS,  /* `peer` */
    IOS_CLEAR_AS,       /* `asn` */
    IOS_CLEAR_GROUP,    /* `group` */
    IOS_CLEAR_EXTERNAL, /* every external session */
};
struct ios_request {
    enum {
        IOS_REQUEST_NONE,
        IOS_REQUEST_CLEAR,
        IOS_REQUEST_CLEAR_LOG,
        IOS_REQUEST_CLEAR_DAMPENING
    } kind;
    enum bgp_clear how;
    bool and_out; /* soft in both directions: after `how`, BGP_CLEAR_SOFT_OUT too */
    enum ios_clear_scope scope;
    struct ip_addr peer;
    uint32_t asn;
    char group[64];
    struct ip_prefix prefix; /* of IOS_REQUEST_CLEAR_DAMPENING; no address: all */
};
/* Does a request to clear concern this peer? */
bool ios_request_concerns(const struct ios_router *r, const struct ios_request *q,
                          const struct bgp_neighbor *p);
struct ios_request ios_take_request(struct ios_router *r);

/*
 * One line as typed on a terminal: exec commands outside of configuration mode, `configure
 * terminal`, then configuration lines, and `do <exec command>` among them. ios_config_line and
 * ios_exec in one; after it, ios_take_request.
 */
void ios_terminal_line(struct ios_router *r, const struct ios_view *view, const char *line,
                       struct text *out);
/* "R1#", "R1(config-router-af)#", cut as IOS cuts it. Appended. */
void ios_prompt(const struct ios_router *r, struct text *out);

/* Log lines for an event of the speaker, zero or more, each ended by \n, with IOS's timestamp:
 * "*Nov 21 01:02:03.456: %BGP-5-ADJCHANGE: neighbor 10.0.0.1 Up ". */
void ios_log_event(struct ios_router *r, const struct ios_view *view, const struct bgp_event *e,
                   struct text *out);

/* Log lines that have another cause than the speaker (%SYS-5-CONFIG_I), taken off and appended. */
void ios_take_log(struct ios_router *r, struct text *out);
/* Lines were typed on something that is no terminal: logs as the console would. */
void ios_configured(struct ios_router *r, const struct ios_view *view);

/* %TCP-6-BADAUTH: a segment came with a wrong signature, or (`missing`) without one. */
void ios_log_bad_signature(struct ios_router *r, const struct ios_view *view, bool missing,
                           struct ip_addr from, uint16_t from_port, struct ip_addr to,
                           uint16_t to_port, struct text *out);

#endif
