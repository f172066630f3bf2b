#ifndef RIBCAGE_IOS_ROUTER_H
#define RIBCAGE_IOS_ROUTER_H

#include "ios.h"
#include "ios_match.h"
#include "ios_store.h"

#include "../base/arena.h"

/* The inside of a router, shared by the files of this folder. */

#define IOS_LEVELS_MAX 4
#define IOS_STATEMENTS_MAX 1000000
#define IOS_INTERFACES_MAX 4096

struct ios_level {
    enum ios_mode mode;
    struct ios_block *block;
    uint16_t indent; /* of the line that opened it */
};

struct ios_terminal;

/* A connection that a NOTIFICATION went over last: the Down line that follows names its side. */
struct ios_last_notified {
    uint32_t peer;
    bool incoming;
    bool established;
};

/* Whom log lines are about. */
struct ios_log_peer {
    struct ip_addr addr;
    bool dynamic;
    bool families[BGP_FAMILIES];
};

struct ios_router {
    char hostname[64]; /* of the surroundings */
    char file[256];    /* loaded last: what line numbers in findings refer to */
    struct ios_interface *interfaces;
    size_t interface_count;
    struct ios_block *root;
    struct ios_level levels[IOS_LEVELS_MAX]; /* [0] is the top level of the configuration */
    uint32_t depth;                          /* of the current level */
    bool in_config;                          /* the terminal is in configure terminal */
    uint32_t exec_indent;                    /* of an exec command behind `do`: for the caret */
    bool af_style;                           /* an address-family line was seen */
    bool changed;                            /* since it was compiled last */
    bool no_memory;
    uint32_t statement_count;
    uint8_t *noted; /* per row: its warning was given */
    struct arena *compiled;
    struct bgp_config *config; /* in `compiled`; NULL: not compiled yet */
    struct ios_request request;
    struct ios_last_notified last_notified;
    struct ios_log_peer *log_peers; /* by the peer's index: those that were up */
    uint32_t log_peer_count;
    uint32_t log_sequence;
    uint32_t syslog_count;          /* datagrams made */
    struct ios_terminal *terminals; /* sessions, in the order they began */
    struct ios_terminal *terminal;  /* whose line is being run; NULL: no terminal's */
    struct text log;                /* lines for the host to take: %SYS-5-CONFIG_I… */
};

/* ---- ios_parse.c ---- */

struct ios_sink;
struct ios_match;
void ios_router_changed(struct ios_router *r);
/* Stores a statement that another one brings along, as if it had been typed in `mode`. */
void ios_put_line(struct ios_router *r, struct ios_block *b, enum ios_mode mode, const char *line);
/* Caret and words for a line that did not match. `prompt` blanks before the line's text. */
void ios_parse_refuse(const struct ios_line *l, const struct ios_match *m, size_t prompt,
                      struct ios_sink *sink);
/* The children of `router bgp`, or NULL. */
struct ios_block *ios_bgp_block(const struct ios_router *r);
/* `bgp asnotation dot`: AS numbers above 65535 are written "1.0". */
bool ios_asdot(const struct ios_router *r);
/* The children of `address-family ipv4|ipv6`, or NULL. */
struct ios_block *ios_af_block(const struct ios_router *r, enum bgp_family f);
/* … made if need be. NULL: out of memory or no BGP. */
struct ios_block *ios_af_block_make(struct ios_router *r, enum bgp_family f);

/* ---- ios_print.c ---- */

void ios_print_config(const struct ios_router *r, const struct ios_view *view, struct text *out);

/* ---- ios_rib.c: what the router itself knows of the network ---- */

struct ios_own_route {
    struct ip_prefix prefix;
    bool connected;         /* else static */
    bool local;             /* the router's own address, /32 or /128 */
    char interface[32];     /* "" unless known */
    struct ip_addr gateway; /* static; not set: by interface */
    uint8_t distance;
    uint32_t tag;
};
struct ios_rib {
    struct ios_own_route *routes; /* sorted by prefix, best of each source first */
    size_t count;
};
/* In `arena`. False: out of memory. */
bool ios_rib_build(const struct ios_router *r, struct arena *arena, struct ios_rib *ret_rib);
/* The route for exactly this prefix, connected or static; NULL. */
const struct ios_own_route *ios_rib_find(const struct ios_rib *rib, struct ip_prefix p);
/* The address of an interface in the configuration, or the surroundings. False: none. */
bool ios_interface_addr(const struct ios_router *r, const char *name, enum ip_family family,
                        struct ip_addr *ret_addr);

/* "255.255.0.0" -> 16; false: not contiguous. */
bool ios_mask_length(const char *mask, uint8_t *ret_length);
/* 8, 16 or 24 by class; 0 for 0.0.0.0, 32 beyond class C. */
uint8_t ios_classful_length(struct ip_addr a);
/* Dotted mask of a length. */
void ios_mask_format(uint8_t length, char text[IP_ADDR_TEXT_MAX]);

#endif
