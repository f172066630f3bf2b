#ifndef RIBCAGE_IOS_MATCH_H
#define RIBCAGE_IOS_MATCH_H

#include "ios_lex.h"

#include <stdbool.h>
#include <stdint.h>

struct ios_edit;

/* Modes as bits, because many statements are legal in several. */
enum ios_mode {
    IOS_EXEC = 1 << 0,
    IOS_CONFIG = 1 << 1,
    IOS_BGP = 1 << 2,
    IOS_BGP_AF = 1 << 3,
    IOS_PEER_SESSION = 1 << 4,
    IOS_PEER_POLICY = 1 << 5,
    IOS_ROUTE_MAP = 1 << 6,
    IOS_INTERFACE = 1 << 7,
    IOS_TTY = 1 << 8,
    IOS_ACL = 1 << 9,
    IOS_OPAQUE = 1 << 10, /* inside a block that is kept but not understood */
    IOS_USER = 1 << 11,   /* exec before `enable` */
};

enum ios_row_flag {
    ROW_BLOCK = 1 << 0,    /* opens the mode `next`; has children */
    ROW_IGNORED = 1 << 1,  /* known, kept, without effect here: a warning once */
    ROW_ON = 1 << 2,       /* on by default: `no` is what is stored */
    ROW_BOTH = 1 << 3,     /* default unknown or shown: both forms are stored */
    ROW_MERGE = 1 << 4,    /* a second line adds its values to the first */
    ROW_AF = 1 << 5,       /* belongs to an address family; at router level IPv4 unicast */
    ROW_SESSION = 1 << 6,  /* belongs to the router level, even if typed in a family */
    ROW_NEIGHBOR = 1 << 7, /* words 0 and 1 are `neighbor X`, which must exist */
    ROW_COMM = 1 << 8,     /* communities in it print as the display format says */
    ROW_ACTION = 1 << 9,   /* does something, is not stored */
    ROW_KEPT = 1 << 11,    /* known, kept, and nothing to warn of */
    ROW_SHOWN = 1 << 12,   /* on by default, and shown: `default` puts it back */
    ROW_APPEND = 1 << 10,  /* equal lines stand beside each other */
};

/* How statements of one row, or of one run of rows, stand in the running-config. */
enum ios_order {
    ORDER_ENTERED,
    ORDER_NEIGHBOR, /* with all other neighbour lines: by subject, then by row */
    ORDER_NAMED,    /* by name (word 2), then number (word 4) */
    ORDER_MAP,      /* by name or family (word 1), then number (word 3) */
    ORDER_VALUE,    /* by word 1 as an address, then as text */
    ORDER_NUMBER,   /* by word 1 as a number, then as entered: the first line that fits decides */
};

/*
 * One legal statement. The pattern's words: a literal keyword; <type>; [x] optional; {a|b} one of;
 * (x) any number of times; ~x not part of what identifies the statement; . a `no` may end here.
 */
struct ios_row {
    uint16_t modes;
    uint16_t flags;
    uint16_t next; /* enum ios_mode of a block */
    uint8_t order; /* enum ios_order; the table's order is that of the running-config */
    const char *pattern;
    bool (*edit)(struct ios_edit *e);
};

/* Why a statement with ROW_IGNORED has no effect (ios_reason.c). */
const char *ios_ignored_reason(const struct ios_row *row);

extern const struct ios_row ios_rows[];
extern const uint16_t ios_row_count;
/* Exec commands (ios_grammar_exec.c). */
extern const struct ios_row ios_exec_rows[];
extern const uint16_t ios_exec_row_count;

enum ios_match_status {
    IOS_MATCH_OK,
    IOS_MATCH_INVALID,
    IOS_MATCH_INCOMPLETE,
    IOS_MATCH_AMBIGUOUS,
};

struct ios_match {
    enum ios_match_status status;
    uint16_t token; /* the one that is wrong */
    const struct ios_row *row;
    struct ios_words words;
};

/* Matches the line from token `first` on against the statements of `mode`. With `negated`, values
 * that identify nothing may be left out. */
void ios_match(const struct ios_line *l, uint16_t first, enum ios_mode mode, bool negated,
               struct ios_match *ret_match);

/* What may stand at token `count` when the tokens before it are read: calls for each different
 * item of the patterns, a keyword or "<type>"; "" stands for the end of the line. The status is
 * that of the tokens before; the match's token names the one that is wrong. */
typedef void ios_expect_fn(void *context, const char *item, size_t size);
void ios_match_expected(const struct ios_line *l, uint16_t first, uint16_t count,
                        enum ios_mode mode, bool negated, ios_expect_fn *each, void *context,
                        struct ios_match *ret_match);

/* "gi0/1" -> "GigabitEthernet0/1". False: no interface name. `number` may be "" for a name whose
 * number is the next word: then only the type is written. */
bool ios_interface_name(const char *text, size_t size, char *ret_name, size_t ret_size,
                        bool *ret_needs_number);

#endif
