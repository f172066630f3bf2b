/*
 * Help in place: what may follow, and what a word that was begun can become.
 *
 * Owns: the layout of `?` (one word a line with its sentence; words begun on one line), the names
 * of values (A.B.C.D, WORD, <1-99>), completion. Leaves: what is legal to ios_match.c.
 *
 * Invariants: at most CHOICES_MAX words are listed, more than any mode has.
 */
#include "ios_help.h"
#include "ios_match.h"
#include "ios_terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHOICES_MAX 500

struct choice {
    char word[64];
    const char *help;
};

struct choices {
    struct choice list[CHOICES_MAX];
    size_t count;
    bool end;           /* the line may end here */
    bool negated_start; /* the first word behind `no` or `default` */
    const char *begun;
};

/* Where on the line help is asked for. */
struct question {
    struct ios_line line;
    uint16_t first; /* token that the mode's patterns begin at */
    uint16_t count; /* tokens that are whole */
    enum ios_mode mode;
    bool negated;
    bool begun; /* the last token is not whole */
};

static const struct {
    const char *type, *word, *help;
} TYPES[] = {
    {"<ip4>", "A.B.C.D", "IP address"},
    {"<ip6>", "X:X:X:X::X", "IPv6 address"},
    {"<peer>", "A.B.C.D", "Neighbor address"},
    {"<peer>", "WORD", "Neighbor tag"},
    {"<peer>", "X:X:X:X::X", "Neighbor IPv6 address"},
    {"<pfx4>", "A.B.C.D/nn", "IP prefix <network>/<length>, e.g., 35.0.0.0/8"},
    {"<pfx6>", "X:X:X:X::X/<0-128>", "IPv6 prefix"},
    {"<asn>", "<1-4294967295>", "Autonomous system number"},
    {"<asn>", "<1.0-XX.YY>", "Autonomous system number"},
    {"<comm>", "<1-4294967295>", "community number"},
    {"<comm>", "aa:nn", "community number"},
    {"<cid>", "<1-4294967295>", "Route-Reflector Cluster-id as 32 bit quantity"},
    {"<cid>", "A.B.C.D", "Route-Reflector Cluster-id in IP address format"},
    {"<metric>", "<+/-metric>", "Add or subtract metric"},
    {"<metric>", "<0-4294967295>", "Metric value"},
    {"<word>", "WORD", ""},
    {"<line>", "LINE", ""},
    {"<if>", "WORD", "Interface name and number"},
};

static void choice_add(struct choices *c, const char *word, size_t size, const char *help) {
    if (c->count == CHOICES_MAX || size >= sizeof c->list->word)
        return;
    struct choice *new = &c->list[c->count];
    snprintf(new->word, sizeof new->word, "%.*s", (int)size, word);
    new->help = help;
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->list[i].word, new->word) == 0)
            return;
    c->count++;
}

/* What acts instead of being stored has no `no`. */
static bool is_action(const char *item, size_t size) {
    static const char *const ACTIONS[] = {
        "do", "end", "exit", "exit-address-family", "exit-peer-policy", "exit-peer-session"};
    for (size_t i = 0; i < sizeof ACTIONS / sizeof *ACTIONS; i++)
        if (strlen(ACTIONS[i]) == size && strncmp(item, ACTIONS[i], size) == 0)
            return true;
    return false;
}

static void on_expected(void *context, const char *item, size_t size) {
    struct choices *c = context;
    bool typed = false;
    if (size == 0) {
        c->end = true;
        return;
    }
    if (*item != '<') {
        if (c->negated_start && is_action(item, size))
            return;
        if (!c->begun || strncasecmp(item, c->begun, strlen(c->begun)) == 0)
            choice_add(c, item, size, ios_help_words(item, size));
        return;
    }
    if (c->begun)
        return;
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (strncmp(item, TYPES[i].type, size) == 0 && strlen(TYPES[i].type) == size) {
            choice_add(c, TYPES[i].word, strlen(TYPES[i].word), TYPES[i].help);
            typed = true;
        }
    if (!typed)
        choice_add(c, item, size, "");
}

/* ---- the question ---- */

static void question_read(const struct ios_router *r, const char *line, struct question *q) {
    size_t size = strlen(line);
    bool user = r->terminal && r->terminal->privilege < 15;
    ios_lex(&q->line, line, size);
    q->begun = size > 0 && line[size - 1] != ' ' && q->line.count > 0;
    q->count = (uint16_t)(q->line.count - q->begun);
    q->first = 0;
    q->negated = false;
    q->mode = r->in_config ? r->levels[r->depth].mode : user ? IOS_USER : IOS_EXEC;
    if (!r->in_config || q->count == 0)
        return;
    q->negated = ios_lex_is(&q->line, 0, "no") || ios_lex_is(&q->line, 0, "default");
    bool exec = ios_lex_is(&q->line, 0, "do");
    if (exec)
        q->mode = IOS_EXEC;
    q->first = q->negated || exec;
}

static const char *begun_word(const struct question *q) {
    return q->begun ? q->line.text + q->line.tokens[q->line.count - 1].offset : NULL;
}

/* Behind a bar: the filters. */
static bool filter_choices(const struct question *q, struct choices *c) {
    static const char *const FILTERS[] = {"append",  "begin",    "count",   "exclude",
                                          "include", "redirect", "section", "tee"};
    const char *bar = strchr(q->line.text, '|');
    if (!bar || !(q->mode & (IOS_EXEC | IOS_USER)))
        return false;
    uint16_t before = 0;
    while (before < q->count && q->line.tokens[before].offset <= (size_t)(bar - q->line.text))
        before++;
    if (before < q->count) {
        choice_add(c, "LINE", 4, "Regular Expression");
        c->begun = NULL;
        return true;
    }
    for (size_t i = 0; i < sizeof FILTERS / sizeof *FILTERS; i++)
        on_expected(c, FILTERS[i], strlen(FILTERS[i]));
    return true;
}

/* Every word that may stand there. False: the words before are wrong; *ret_ambiguous. */
static bool choices_make(const struct question *q, struct choices *c, bool *ret_ambiguous) {
    struct ios_match m;
    c->begun = begun_word(q);
    c->negated_start = q->negated && q->first == q->count;
    *ret_ambiguous = false;
    if (filter_choices(q, c))
        return true;
    m.status = IOS_MATCH_OK;
    ios_match_expected(&q->line, q->first, q->count, q->mode, q->negated, on_expected, c, &m);
    bool first = q->first == q->count && !q->negated;
    if (first && !(q->mode & (IOS_EXEC | IOS_USER))) {
        on_expected(c, "no", 2);
        on_expected(c, "default", 7);
    }
    *ret_ambiguous = m.status == IOS_MATCH_AMBIGUOUS;
    return m.status == IOS_MATCH_OK || m.status == IOS_MATCH_INCOMPLETE;
}

/* ---- layout ---- */

static int compare_choices(const void *a, const void *b) {
    const struct choice *x = a, *y = b;
    return strcmp(x->word, y->word);
}

static void put_list(const struct choices *c, bool exec, struct text *out) {
    size_t width = 4;
    for (size_t i = 0; i < c->count; i++)
        if (strlen(c->list[i].word) > width)
            width = strlen(c->list[i].word);
    for (size_t i = 0; i < c->count; i++)
        if (c->list[i].help[0])
            text_printf(out, "  %-*s  %s\n", (int)width, c->list[i].word, c->list[i].help);
        else
            text_printf(out, "  %s\n", c->list[i].word);
    if (c->end && exec)
        text_printf(out, "  %-*s  Output modifiers\n", (int)width, "|");
    if (c->end)
        text_puts(out, "  <cr>\n");
}

/* What stands above the list of a mode's first words. */
static const char *mode_title(enum ios_mode mode) {
    static const struct {
        enum ios_mode mode;
        const char *title;
    } TITLES[] = {
        {IOS_EXEC, "Exec commands:\n"},
        {IOS_USER, "Exec commands:\n"},
        {IOS_CONFIG, "Configure commands:\n"},
        {IOS_BGP, "Router configuration commands:\n"},
        {IOS_BGP_AF, "Router Address Family configuration commands:\n"},
        {IOS_PEER_SESSION, "Session-template configuration commands:\n"},
        {IOS_PEER_POLICY, "Policy-template configuration commands:\n"},
        {IOS_ROUTE_MAP, "Route Map configuration commands:\n"},
        {IOS_INTERFACE, "Interface configuration commands:\n"},
        {IOS_TTY, "Line configuration commands:\n"},
    };
    for (size_t i = 0; i < sizeof TITLES / sizeof *TITLES; i++)
        if (TITLES[i].mode == mode)
            return TITLES[i].title;
    return "";
}

void ios_help_put(const struct ios_router *r, const char *line, struct text *out) {
    struct question *q = alloc_zero(1, sizeof *q);
    struct choices *c = alloc_zero(1, sizeof *c);
    bool ambiguous = false;
    if (!q || !c) {
        alloc_free(q);
        alloc_free(c);
        return;
    }
    question_read(r, line, q);
    bool ok = choices_make(q, c, &ambiguous);
    if (c->count)
        qsort(c->list, c->count, sizeof *c->list, compare_choices);
    if (ambiguous)
        text_printf(out, "%% Ambiguous command:  \"%s\"\n", line);
    else if (!ok || (c->begun && c->count == 0))
        text_puts(out, "% Unrecognized command\n");
    else if (c->begun)
        for (size_t i = 0; i < c->count; i++)
            text_printf(out, "%s%s", c->list[i].word, i + 1 < c->count ? "  " : "\n");
    else {
        if (q->line.count == 0)
            text_puts(out, mode_title(q->mode));
        put_list(c, (q->mode & (IOS_EXEC | IOS_USER)) != 0 && q->line.count > 0, out);
    }
    text_putc(out, '\n');
    alloc_free(q);
    alloc_free(c);
}

bool ios_help_complete(const struct ios_router *r, const char *line, struct text *ret_rest) {
    struct question *q = alloc_zero(1, sizeof *q);
    struct choices *c = alloc_zero(1, sizeof *c);
    bool ambiguous = false, found = false;
    if (q && c) {
        question_read(r, line, q);
        found = q->begun && choices_make(q, c, &ambiguous) && c->count == 1 && c->begun;
    }
    if (found)
        text_printf(ret_rest, "%s ", c->list[0].word + strlen(c->begun));
    alloc_free(q);
    alloc_free(c);
    return found;
}
