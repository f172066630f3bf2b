#ifndef RIBCAGE_IOS_EDIT_H
#define RIBCAGE_IOS_EDIT_H

#include "ios.h"
#include "ios_match.h"
#include "ios_store.h"

#include <stdbool.h>

/* What a statement does beyond being stored: checks, normalising, side effects. */

struct diag_list;
struct ios_router;
struct ios_view;
struct text;

/* Where the answer to a line goes: a terminal, or findings about a file. */
struct ios_sink {
    struct text *out;            /* may be NULL */
    struct diag_list *diags;     /* may be NULL */
    const struct ios_view *view; /* for `do`; may be NULL */
    const char *file;
    uint32_t line;
    uint32_t column;
    const char *text; /* the line, for findings */
    /* What became of the line. */
    enum ios_outcome outcome;
    char why[200];
};

struct ios_edit {
    struct ios_router *r;
    const struct ios_row *row;
    struct ios_words *words;
    struct ios_block *block; /* where the statement goes; NULL for actions */
    struct ios_sink *sink;
    bool negated;
};

/* True: store the statement as it stands now. False: refused, or all is done. */
typedef bool ios_edit_fn(struct ios_edit *e);

ios_edit_fn ios_edit_exit, ios_edit_end, ios_edit_do, ios_edit_timestamps, ios_edit_address,
    ios_edit_address_unknown, ios_edit_address6, ios_edit_router_bgp, ios_edit_default_unicast,
    ios_edit_graceful_restart, ios_edit_timers, ios_edit_network, ios_edit_obsolete,
    ios_edit_peer_group, ios_edit_remote_as, ios_edit_member, ios_edit_password, ios_edit_multihop,
    ios_edit_ttl_security, ios_edit_activate, ios_edit_send_community, ios_edit_dampening,
    ios_edit_address_family, ios_edit_prefix_list, ios_edit_static, ios_edit_route_map,
    ios_edit_banner, ios_edit_description, ios_edit_maximum_paths;

/* IOS refuses: its words, on the terminal and as an error. Returns false. */
bool ios_refuse(struct ios_sink *s, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* IOS takes it and warns. */
void ios_warn(struct ios_sink *s, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The line is kept or skipped, and why. No finding. */
void ios_ignore(struct ios_sink *s, const char *why);
/* Nothing IOS would print: a finding only. */
void ios_note(struct ios_sink *s, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Does the statement say what is so without it? IOS does not print it then (ios_default.c). */
bool ios_is_default(const struct ios_words *w);

/* Is `name` a neighbour of `bgp`: has it a remote-as, or is it a group or a member of one? */
bool ios_neighbor_known(const struct ios_block *bgp, const char *name);
bool ios_neighbor_is_group(const struct ios_block *bgp, const char *name);

#endif
