/*
 * The cost of a regular expression, before it is compiled.
 *
 * Owns: one pass over the text that keeps, for each open group, the number of positions in it so
 * far, and the number in the piece that a `{n,m}` or `+` would repeat. Nothing recurses. Numbers
 * stop growing at the limit, so no product can wrap. Leaves to regcomp: whether the expression is
 * valid at all. What is not, costs one position here.
 */
#include "regex_bounds.h"

#include <stdbool.h>
#include <string.h>

struct weight {
    uint64_t sums[REGEX_DEPTH_MAX + 1];   /* per open group: all pieces that are complete */
    uint64_t pieces[REGEX_DEPTH_MAX + 1]; /* per open group: the last one */
    unsigned depth;
};

static uint64_t at_most_limit(uint64_t n) {
    return n > REGEX_POSITIONS_MAX ? REGEX_POSITIONS_MAX + 1 : n;
}

static void add_piece(struct weight *w, uint64_t positions) {
    w->sums[w->depth] = at_most_limit(w->sums[w->depth] + w->pieces[w->depth]);
    w->pieces[w->depth] = positions;
}

static uint64_t group_sum(const struct weight *w) {
    return at_most_limit(w->sums[w->depth] + w->pieces[w->depth]);
}

static bool open_group(struct weight *w) {
    if (w->depth == REGEX_DEPTH_MAX)
        return false;
    w->depth++;
    w->sums[w->depth] = 0;
    w->pieces[w->depth] = 0;
    return true;
}

static void close_group(struct weight *w) {
    uint64_t positions = group_sum(w);
    if (w->depth)
        w->depth--;
    add_piece(w, positions ? positions : 1); /* also nothing can be repeated */
}

/* Behind '[': returns what stands behind the bracket expression (POSIX 9.3.5). */
static const char *skip_bracket(const char *c) {
    c += *c == '^';
    c += *c == ']';
    while (*c && *c != ']') {
        const char kind = *c == '[' ? c[1] : '\0';
        if (kind != ':' && kind != '.' && kind != '=') {
            c++;
            continue;
        }
        const char close[] = {kind, ']', '\0'};
        const char *end = strstr(c + 2, close);
        if (!end)
            return c + strlen(c);
        c = end + 2;
    }
    return c + (*c == ']');
}

static const char *read_number(const char *c, uint64_t *ret) {
    for (*ret = 0; *c >= '0' && *c <= '9'; c++)
        *ret = at_most_limit(*ret * 10 + (uint64_t)(*c - '0'));
    return c;
}

/* Behind '{': the last piece counts as often as it may be repeated. */
static const char *take_bounds(struct weight *w, const char *c) {
    uint64_t least = 0, most = 0;
    c = read_number(c, &least);
    if (*c == ',')
        c = read_number(c + 1, &most);
    if (*c != '}')
        return c;
    if (c[-1] == ',')
        most = least + 1; /* the last one may come again */
    w->pieces[w->depth] = at_most_limit(w->pieces[w->depth] * (most > least ? most : least));
    return c + 1;
}

/* One element at `c`. NULL: `*ret_why` has the reason. */
static const char *take(struct weight *w, const char *c, const char **ret_why) {
    switch (*c) {
    case '(':
        *ret_why = "groups may be nested 32 deep";
        return open_group(w) ? c + 1 : NULL;
    case ')':
        close_group(w);
        return c + 1;
    case '{':
        return take_bounds(w, c + 1);
    case '[':
        add_piece(w, 1);
        return skip_bracket(c + 1);
    case '\\':
        *ret_why = "back references are not taken";
        add_piece(w, 1);
        return c[1] >= '1' && c[1] <= '9' ? NULL : c + 1 + (c[1] != '\0');
    case '+': /* once, and then any number of times */
        w->pieces[w->depth] = at_most_limit(w->pieces[w->depth] * 2);
        return c + 1;
    case '|':
        add_piece(w, 0);
        return c + 1;
    case '*':
    case '?':
        return c + 1;
    default:
        add_piece(w, 1);
        return c + 1;
    }
}

const char *regex_refuse(const char *expression) {
    struct weight w = {.depth = 0};
    const char *why = NULL;
    if (strlen(expression) > REGEX_TEXT_MAX)
        return "at most 1000 characters are taken";
    for (const char *c = expression; *c;) {
        c = take(&w, c, &why);
        if (!c)
            return why;
    }
    while (w.depth)
        close_group(&w);
    return group_sum(&w) > REGEX_POSITIONS_MAX ? "with all repetitions it has more than 1000 parts"
                                               : NULL;
}
