#ifndef RIBCAGE_CORE_ASPATH_REGEX_H
#define RIBCAGE_CORE_ASPATH_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Regular expressions as IOS has them for AS paths (and for the text of communities).
 *
 *   .  [a-z] [^a-z]  *  +  ?  |  ( )  ^  $  \c
 *   _  the start, the end, a blank, a comma, a brace or a parenthesis
 *
 * Compiled into a position automaton that is run with a set of positions, so matching takes time
 * linear in the text whatever the pattern. No back references: such a pattern is not valid here,
 * nor is one that grows beyond ASPATH_REGEX_UNROLLED_MAX where `x+` is read as `xx*`: engines that
 * do that, the C library's among them, are asked for the same verdict in tests and by the oracle.
 * A match may stand anywhere in the text.
 */

#define ASPATH_REGEX_TEXT_MAX 254 /* characters of a pattern; IOS takes no longer line */
#define ASPATH_REGEX_NODES_MAX 256
#define ASPATH_REGEX_UNROLLED_MAX 1000
#define ASPATH_REGEX_WORDS (ASPATH_REGEX_NODES_MAX / 64)

/* What a position of the pattern reads. */
enum aspath_node_kind {
    ASPATH_NODE_CLASS,     /* one character of `chars` */
    ASPATH_NODE_START,     /* the start of the text, nothing read */
    ASPATH_NODE_END,       /* the end of the text, nothing read */
    ASPATH_NODE_DELIMITER, /* `_`: a delimiter read, or nothing at start or end */
};

struct aspath_node {
    enum aspath_node_kind kind;
    uint64_t chars[4];                   /* CLASS: bit per octet */
    uint64_t follow[ASPATH_REGEX_WORDS]; /* positions that may come next */
};

struct aspath_regex {
    struct aspath_node nodes[ASPATH_REGEX_NODES_MAX];
    uint32_t node_count;
    uint64_t first[ASPATH_REGEX_WORDS];
    uint64_t last[ASPATH_REGEX_WORDS];
    bool empty; /* matches the empty text */
};

/* False: not a valid expression, or too long. */
bool aspath_regex_compile(struct aspath_regex *r, const char *pattern);
bool aspath_regex_match(const struct aspath_regex *r, const char *text, size_t size);

#endif
