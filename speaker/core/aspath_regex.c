/*
 * Regular expressions for AS paths, IOS style.
 *
 * A pattern is turned into a position automaton (Glushkov): every character class, `^`, `$` and `_`
 * of the pattern is a position, and for each position the set of those that may follow is kept.
 * Parsing is by operator precedence on two explicit stacks, so neither pattern nor text makes
 * anything recurse. Matching keeps the set of live positions and reads each character once.
 *
 * `^`, `$` and, at the two ends of the text, `_` read nothing: a set is closed over them before a
 * character is read. The closure follows each position at most once.
 *
 * Leaves to the callers: what text an AS path has (as_path_format), which lists exist.
 */
#include "aspath_regex.h"

#include <string.h>

#define DELIMITER_UNROLLED 3 /* `_`: the start, the end, or one of a class */

/* A piece of the pattern: where it may start, where it may end, may it be empty; how many positions
 * it has once its `+` are unrolled. */
struct piece {
    uint64_t first[ASPATH_REGEX_WORDS];
    uint64_t last[ASPATH_REGEX_WORDS];
    uint32_t unrolled;
    bool empty;
};

struct parser {
    struct aspath_regex *regex;
    const char *at;
    struct piece pieces[ASPATH_REGEX_NODES_MAX];
    uint32_t piece_count;
    char operators[ASPATH_REGEX_NODES_MAX]; /* '(', '|', '.' for concatenation */
    uint32_t operator_count;
    bool after_operand; /* an operand may be concatenated to what stands before */
    bool failed;
};

static bool set_has(const uint64_t *set, uint32_t i) {
    return (set[i / 64] >> (i % 64)) & 1;
}

static void set_add(uint64_t *set, uint32_t i) {
    set[i / 64] |= UINT64_C(1) << (i % 64);
}

static void set_union(uint64_t *set, const uint64_t *other) {
    for (unsigned i = 0; i < ASPATH_REGEX_WORDS; i++) {
        set[i] |= other[i];
    }
}

static bool set_meets(const uint64_t *set, const uint64_t *other) {
    uint64_t common = 0;
    for (unsigned i = 0; i < ASPATH_REGEX_WORDS; i++) {
        common |= set[i] & other[i];
    }
    return common != 0;
}

static bool set_is_empty(const uint64_t *set) {
    return !set_meets(set, set);
}

/* Whatever ends in `from` may go on with `to`. */
static void link_pieces(struct aspath_regex *r, const uint64_t *from, const uint64_t *to) {
    for (uint32_t i = 0; i < r->node_count; i++) {
        if (set_has(from, i)) {
            set_union(r->nodes[i].follow, to);
        }
    }
}

static void push_piece(struct parser *p, const struct piece *piece) {
    if (p->piece_count == ASPATH_REGEX_NODES_MAX) {
        p->failed = true;
        return;
    }
    p->pieces[p->piece_count++] = *piece;
}

static void reduce(struct parser *p) {
    char operator= p->operators[--p->operator_count];
    if (p->piece_count < 2) {
        p->failed = true;
        return;
    }
    struct piece *a = &p->pieces[p->piece_count - 2];
    const struct piece *b = &p->pieces[p->piece_count - 1];
    if (operator== '|') {
        set_union(a->first, b->first);
        set_union(a->last, b->last);
        a->empty = a->empty || b->empty;
    } else {
        link_pieces(p->regex, a->last, b->first);
        if (a->empty) {
            set_union(a->first, b->first);
        }
        if (!b->empty) {
            memset(a->last, 0, sizeof a->last);
        }
        set_union(a->last, b->last);
        a->empty = a->empty && b->empty;
    }
    a->unrolled += b->unrolled;
    p->piece_count--;
}

static void push_operator(struct parser *p, char operator) {
    /* Concatenation binds tighter than `|`; both from the left. */
    while (p->operator_count > 0 && operator!= '(') {
        char top = p->operators[p->operator_count - 1];
        if (top == '(' || (operator== '.' && top == '|')) {
            break;
        }
        reduce(p);
    }
    if (p->operator_count == ASPATH_REGEX_NODES_MAX) {
        p->failed = true;
        return;
    }
    p->operators[p->operator_count++] = operator;
}

static void begin_operand(struct parser *p) {
    if (p->after_operand) {
        push_operator(p, '.');
    }
    p->after_operand = true;
}

static void push_node(struct parser *p, enum aspath_node_kind kind, const uint64_t chars[4]) {
    struct aspath_regex *r = p->regex;
    begin_operand(p);
    if (r->node_count == ASPATH_REGEX_NODES_MAX) {
        p->failed = true;
        return;
    }
    struct aspath_node *n = &r->nodes[r->node_count];
    memset(n, 0, sizeof *n);
    n->kind = kind;
    if (chars) {
        memcpy(n->chars, chars, sizeof n->chars);
    }
    struct piece piece = {.unrolled = kind == ASPATH_NODE_DELIMITER ? DELIMITER_UNROLLED : 1};
    set_add(piece.first, r->node_count);
    set_add(piece.last, r->node_count);
    r->node_count++;
    push_piece(p, &piece);
}

static void push_char(struct parser *p, char c) {
    uint64_t chars[4] = {0};
    set_add(chars, (unsigned char)c);
    push_node(p, ASPATH_NODE_CLASS, chars);
}

static void parse_class(struct parser *p) {
    uint64_t chars[4] = {0};
    bool negate = *p->at == '^';
    p->at += negate;
    for (bool first = true; first || *p->at != ']'; first = false) {
        unsigned low = (unsigned char)*p->at;
        if (low == 0) {
            p->failed = true;
            return;
        }
        p->at++;
        unsigned high = low;
        if (p->at[0] == '-' && p->at[1] != ']' && p->at[1] != 0) {
            high = (unsigned char)p->at[1];
            p->at += 2;
        }
        for (unsigned c = low; c <= high; c++) {
            set_add(chars, c);
        }
    }
    p->at++;
    for (unsigned i = 0; negate && i < 4; i++) {
        chars[i] = ~chars[i];
    }
    push_node(p, ASPATH_NODE_CLASS, chars);
}

static void close_group(struct parser *p) {
    if (!p->after_operand) { /* "()" and "(a|)" hold an empty alternative */
        push_piece(p, &(struct piece){.empty = true});
    }
    while (p->operator_count > 0 && p->operators[p->operator_count - 1] != '(') {
        reduce(p);
    }
    if (p->operator_count == 0) {
        p->failed = true;
        return;
    }
    p->operator_count--;
    p->after_operand = true;
}

static void repeat_piece(struct parser *p, char how) {
    if (!p->after_operand || p->piece_count == 0) {
        p->failed = true;
        return;
    }
    struct piece *piece = &p->pieces[p->piece_count - 1];
    if (how != '?') {
        link_pieces(p->regex, piece->last, piece->first);
    }
    piece->empty = piece->empty || how != '+';
    piece->unrolled *= how == '+' ? 2 : 1;
    p->failed = piece->unrolled > ASPATH_REGEX_UNROLLED_MAX;
}

static void parse_one(struct parser *p) {
    static const uint64_t any[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    char c = *p->at++;
    switch (c) {
    case '(':
        begin_operand(p);
        push_operator(p, '(');
        p->after_operand = false;
        break;
    case ')':
        close_group(p);
        break;
    case '|':
        if (!p->after_operand) {
            push_piece(p, &(struct piece){.empty = true});
        }
        push_operator(p, '|');
        p->after_operand = false;
        break;
    case '*':
    case '+':
    case '?':
        repeat_piece(p, c);
        break;
    case '.':
        push_node(p, ASPATH_NODE_CLASS, any);
        break;
    case '[':
        parse_class(p);
        break;
    case '^':
        push_node(p, ASPATH_NODE_START, NULL);
        break;
    case '$':
        push_node(p, ASPATH_NODE_END, NULL);
        break;
    case '_':
        push_node(p, ASPATH_NODE_DELIMITER, NULL);
        break;
    case '\\':
        /* A digit would be a back reference, which no automaton has. */
        if (*p->at == 0 || (*p->at >= '1' && *p->at <= '9')) {
            p->failed = true;
            break;
        }
        push_char(p, *p->at++);
        break;
    default:
        push_char(p, c);
        break;
    }
}

bool aspath_regex_compile(struct aspath_regex *r, const char *pattern) {
    if (strnlen(pattern, ASPATH_REGEX_TEXT_MAX + 1) > ASPATH_REGEX_TEXT_MAX) {
        return false;
    }
    struct parser p = {.regex = r, .at = pattern};
    r->node_count = 0;
    while (*p.at && !p.failed) {
        parse_one(&p);
    }
    if (!p.failed && !p.after_operand) {
        push_piece(&p, &(struct piece){.empty = true});
    }
    while (!p.failed && p.operator_count > 0) {
        p.failed = p.operators[p.operator_count - 1] == '(';
        if (!p.failed) {
            reduce(&p);
        }
    }
    if (p.failed || p.piece_count != 1 || p.pieces[0].unrolled > ASPATH_REGEX_UNROLLED_MAX) {
        return false;
    }
    memcpy(r->first, p.pieces[0].first, sizeof r->first);
    memcpy(r->last, p.pieces[0].last, sizeof r->last);
    r->empty = p.pieces[0].empty;
    return true;
}

/* ---- matching ---- */

static bool is_delimiter(char c) {
    return c != 0 && strchr(" ,{}()", c) != NULL;
}

static bool reads_nothing(const struct aspath_node *n, bool at_start, bool at_end) {
    switch (n->kind) {
    case ASPATH_NODE_START:
        return at_start;
    case ASPATH_NODE_END:
        return at_end;
    case ASPATH_NODE_DELIMITER:
        return at_start || at_end;
    case ASPATH_NODE_CLASS:
        return false;
    }
    return false;
}

/* Adds what is reachable without reading. True: the pattern is through. */
static bool close_set(const struct aspath_regex *r, uint64_t *live, bool at_start, bool at_end) {
    uint64_t done[ASPATH_REGEX_WORDS] = {0};
    bool through = false;
    for (bool grown = true; grown;) {
        grown = false;
        for (uint32_t i = 0; i < r->node_count; i++) {
            if (!set_has(live, i) || set_has(done, i) ||
                !reads_nothing(&r->nodes[i], at_start, at_end)) {
                continue;
            }
            set_add(done, i);
            set_union(live, r->nodes[i].follow);
            through = through || set_has(r->last, i);
            grown = true;
        }
    }
    return through;
}

static bool reads(const struct aspath_node *n, char c) {
    if (n->kind == ASPATH_NODE_CLASS) {
        return set_has(n->chars, (unsigned char)c);
    }
    return n->kind == ASPATH_NODE_DELIMITER && is_delimiter(c);
}

bool aspath_regex_match(const struct aspath_regex *r, const char *text, size_t size) {
    uint64_t live[ASPATH_REGEX_WORDS] = {0};
    if (r->empty) {
        return true;
    }
    for (size_t at = 0;; at++) {
        set_union(live, r->first); /* a match may start anywhere */
        if (close_set(r, live, at == 0, at == size)) {
            return true;
        }
        if (at == size || set_is_empty(live)) {
            return false;
        }
        uint64_t next[ASPATH_REGEX_WORDS] = {0};
        for (uint32_t i = 0; i < r->node_count; i++) {
            if (set_has(live, i) && reads(&r->nodes[i], text[at])) {
                if (set_has(r->last, i)) {
                    return true;
                }
                set_union(next, r->nodes[i].follow);
            }
        }
        memcpy(live, next, sizeof live);
    }
}
