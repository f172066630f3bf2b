/*
 * The keyword-tree parser: a line against the patterns of a mode.
 *
 * All patterns are walked side by side, as a set of places; each word of the line moves every place
 * it fits. So what is legal at a point is known over all statements, as IOS's parser tree knows it:
 * an exact keyword wins, then a typed value (number, address), then an abbreviation if it is
 * unique, then a free word, then the rest of the line.
 *
 * Owns: abbreviation, ambiguity, normalising of values. Leaves: what statements there are
 * (ios_grammar.c) and what they do (ios_edit.c).
 *
 * Invariants: places are unique, so that the set is bounded by the text of the patterns; recursion
 * is over the nesting of our own patterns, never over the input.
 */
#include "ios_match.h"

#include "../base/addr.h"
#include "../base/text.h"
#include "../core/attr.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PLACES_MAX 1500

struct place {
    uint16_t row;
    uint16_t at; /* offset of an item in the pattern, or of its NUL: accepted */
    bool may_end;
    bool needs_number; /* "loopback" was read, "0" is to come */
    uint64_t keys;
};

struct places {
    uint32_t count;
    struct place list[PLACES_MAX];
};

struct walk {
    bool negated;
    struct places *out;
    uint16_t row;
    uint64_t keys;
};

/* ---- patterns ---- */

/* Rows are numbered through both tables. */
static const struct ios_row *row_at(uint16_t row) {
    return row < ios_row_count ? &ios_rows[row] : &ios_exec_rows[row - ios_row_count];
}

static const char *pattern_of(uint16_t row) {
    return row_at(row)->pattern;
}

static char closer(char open) {
    return open == '[' ? ']' : open == '{' ? '}' : ')';
}

/* The place behind the group that opens at `at`. */
static uint16_t group_end(const char *p, uint16_t at) {
    char open = p[at], close = closer(p[at]);
    unsigned depth = 0;
    for (;; at++) {
        assert(p[at]);
        if (p[at] == open)
            depth++;
        if (p[at] == close && --depth == 0)
            return (uint16_t)(at + 1);
    }
}

/* The opening of the group that closes at `at`. */
static uint16_t group_start(const char *p, uint16_t at) {
    unsigned depth = 0;
    for (;; at--) {
        if (p[at] == ')')
            depth++;
        if (p[at] == '(' && --depth == 0)
            return at;
        assert(at > 0);
    }
}

/* From a `|` behind a finished alternative to behind the group. */
static uint16_t alternatives_end(const char *p, uint16_t at) {
    unsigned depth = 1;
    for (;; at++) {
        assert(p[at]);
        if (strchr("[{(", p[at]))
            depth++;
        if (strchr("]})", p[at]) && --depth == 0)
            return at;
    }
}

static uint16_t item_size(const char *item) {
    if (*item == '<')
        return (uint16_t)(strchr(item, '>') - item + 1);
    return (uint16_t)strcspn(item, " []{}()|~");
}

/* False: it is there already, and so is what can be reached from it. */
static bool place_add(struct walk *w, uint16_t at, bool may_end) {
    for (uint32_t i = w->out->count; i-- > 0 && w->out->list[i].row == w->row;)
        if (w->out->list[i].at == at) {
            w->out->list[i].may_end |= may_end;
            return false;
        }
    assert(w->out->count < PLACES_MAX);
    w->out->list[w->out->count++] =
        (struct place){.row = w->row, .at = at, .may_end = may_end, .keys = w->keys};
    return true;
}

static void walk_from(struct walk *w, uint16_t at, bool may_end);

/* The alternatives of the group that opens before `at`. */
static void walk_alternatives(struct walk *w, uint16_t at, bool may_end) {
    const char *p = pattern_of(w->row);
    unsigned depth = 0;
    walk_from(w, at, may_end);
    for (; depth || !strchr("]})", p[at]); at++) {
        assert(p[at]);
        if (strchr("[{(", p[at]))
            depth++;
        else if (strchr("]})", p[at]))
            depth--;
        else if (p[at] == '|' && depth == 0)
            walk_from(w, (uint16_t)(at + 1), may_end);
    }
}

static void walk_item(struct walk *w, uint16_t at, bool may_end) {
    const char *p = pattern_of(w->row);
    if (place_add(w, at, may_end) && p[at] == '~' && w->negated)
        walk_from(w, (uint16_t)(at + 1 + item_size(p + at + 1)), may_end);
}

/* Everything that may come at `at`, without reading a word. */
static void walk_from(struct walk *w, uint16_t at, bool may_end) {
    const char *p = pattern_of(w->row);
    for (;;) {
        switch (p[at]) {
        case ' ':
        case ']':
        case '}':
            at++;
            continue;
        case '.':
            may_end = true;
            at++;
            continue;
        case '|':
            at = alternatives_end(p, at);
            continue;
        case ')':
            walk_alternatives(w, (uint16_t)(group_start(p, at) + 1), may_end);
            at++;
            continue;
        case '[':
        case '(':
            walk_alternatives(w, (uint16_t)(at + 1), may_end);
            at = group_end(p, at);
            continue;
        case '{':
            walk_alternatives(w, (uint16_t)(at + 1), may_end);
            return;
        case '\0':
            place_add(w, at, true);
            return;
        default:
            walk_item(w, at, may_end);
            return;
        }
    }
}

/* ---- values ---- */

struct value_text {
    char text[80];
    bool needs_number;
};

static bool value_range(const char *type, const char *s, struct value_text *ret) {
    uint64_t min, max, n;
    const char *at = type + 1;
    bool range = text_read_u64(&at, &min) && *at++ == '-' && text_read_u64(&at, &max) && *at == '>';
    if (!range || !text_to_u64(s, min, max, &n))
        return false;
    snprintf(ret->text, sizeof ret->text, "%llu", (unsigned long long)n);
    return true;
}

static bool value_addr(const char *s, enum ip_family family, struct value_text *ret) {
    struct ip_addr a;
    if (!ip_parse(s, &a) || (family != IP_NONE && a.family != family))
        return false;
    ip_format(a, ret->text);
    for (char *c = ret->text; *c; c++)
        if (*c >= 'a' && *c <= 'f')
            *c = (char)(*c - 'a' + 'A'); /* IOS: IPv6 in capitals */
    return true;
}

static bool value_prefix(const char *s, enum ip_family family, struct value_text *ret) {
    struct ip_prefix p;
    if (!strchr(s, '/') || !ip_prefix_parse(s, &p) || p.addr.family != family)
        return false;
    ip_prefix_format(ip_prefix_make(p.addr, p.length), ret->text);
    for (char *c = ret->text; *c; c++)
        if (*c >= 'a' && *c <= 'f')
            *c = (char)(*c - 'a' + 'A');
    return true;
}

static bool value_asn(const char *s, struct value_text *ret) {
    uint32_t n;
    if (!text_to_asn(s, &n) || n == 0)
        return false;
    snprintf(ret->text, sizeof ret->text, "%u", n);
    return true;
}

/* A community is kept as AA:NN, however it was typed. */
static bool value_community(const char *s, struct value_text *ret) {
    uint32_t value;
    uint64_t number;
    if (text_to_u64(s, 1, UINT32_MAX, &number))
        value = (uint32_t)number;
    else if (!community_parse(s, &value))
        return false;
    snprintf(ret->text, sizeof ret->text, "%u:%u", value >> 16, value & 65535);
    return true;
}

/* 1 is 0.0.0.1: kept as an address. */
static bool value_cluster_id(const char *s, struct value_text *ret) {
    uint64_t n = 0;
    if (!text_to_u64(s, 1, UINT32_MAX, &n))
        return value_addr(s, IP_V4, ret);
    ip_format(ip4((uint32_t)n), ret->text);
    return true;
}

static bool value_metric(const char *s, struct value_text *ret) {
    uint64_t n = 0;
    bool sign = *s == '+' || *s == '-';
    if (!text_to_u64(s + sign, 0, UINT32_MAX, &n))
        return false;
    snprintf(ret->text, sizeof ret->text, "%.*s%u", sign, s, (unsigned)n);
    return true;
}

static bool value_typed(const char *type, const char *s, struct value_text *ret) {
    if (type[1] >= '0' && type[1] <= '9')
        return value_range(type, s, ret);
    if (strncmp(type, "<ip4>", 5) == 0)
        return value_addr(s, IP_V4, ret);
    if (strncmp(type, "<ip6>", 5) == 0)
        return value_addr(s, IP_V6, ret);
    if (strncmp(type, "<peer>", 6) == 0)
        return value_addr(s, IP_NONE, ret);
    if (strncmp(type, "<asn>", 5) == 0)
        return value_asn(s, ret);
    if (strncmp(type, "<pfx4>", 6) == 0)
        return value_prefix(s, IP_V4, ret);
    if (strncmp(type, "<pfx6>", 6) == 0)
        return value_prefix(s, IP_V6, ret);
    if (strncmp(type, "<comm>", 6) == 0)
        return value_community(s, ret);
    if (strncmp(type, "<cid>", 5) == 0)
        return value_cluster_id(s, ret);
    if (strncmp(type, "<metric>", 8) == 0)
        return value_metric(s, ret);
    if (strncmp(type, "<if>", 4) == 0)
        return ios_interface_name(s, strlen(s), ret->text, sizeof ret->text, &ret->needs_number);
    return false;
}

static const char *const INTERFACE_TYPES[] = {
    "GigabitEthernet",
    "Loopback",
    "FastEthernet",
    "Ethernet",
    "TenGigabitEthernet",
    "Serial",
    "Tunnel",
    "Vlan",
    "Port-channel",
    "Null",
    "BDI",
    "BVI",
    "Dialer",
    "Bundle-Ether",
    "HundredGigE",
    "FortyGigabitEthernet",
    "Virtual-Template",
    "Multilink",
    "ATM",
    "POS",
    "nve",
    "Cellular",
    "Async",
    "Embedded-Service-Engine",
    "VirtualPortGroup",
    "Dot11Radio",
    "Management",
};

bool ios_interface_name(const char *text, size_t size, char *ret_name, size_t ret_size,
                        bool *ret_needs_number) {
    size_t letters = 0;
    while (letters < size && !(text[letters] >= '0' && text[letters] <= '9'))
        letters++;
    for (size_t i = letters; i < size; i++)
        if (!strchr("0123456789/.:", text[i]))
            return false;
    if (letters == 0 || size - letters > 20)
        return false;
    for (size_t i = 0; i < sizeof INTERFACE_TYPES / sizeof *INTERFACE_TYPES; i++) {
        if (letters > strlen(INTERFACE_TYPES[i]) ||
            strncasecmp(INTERFACE_TYPES[i], text, letters) != 0)
            continue;
        snprintf(ret_name, ret_size, "%s%.*s", INTERFACE_TYPES[i], (int)(size - letters),
                 text + letters);
        *ret_needs_number = letters == size;
        return true;
    }
    return false;
}

/* ---- one word ---- */

enum fit {
    FIT_NONE,
    FIT_LINE,
    FIT_WORD,
    FIT_ABBREVIATION,
    FIT_TYPED,
    FIT_EXACT,
};

struct word {
    const char *text; /* NUL-terminated copy */
    size_t size;
};

static enum fit item_fit(const char *item, const struct place *at, const struct word *w,
                         struct value_text *ret) {
    if (at->needs_number)
        return isdigit((unsigned char)*w->text) && w->text[strspn(w->text, "0123456789/.:")] == '\0'
                   ? FIT_TYPED
                   : FIT_NONE;
    if (*item == '\0')
        return FIT_NONE;
    if (*item != '<') {
        size_t size = item_size(item);
        if (w->size > size || strncasecmp(item, w->text, w->size) != 0)
            return FIT_NONE;
        return w->size == size ? FIT_EXACT : FIT_ABBREVIATION;
    }
    if (strncmp(item, "<line>", 6) == 0)
        return FIT_LINE;
    if (w->size < sizeof ret->text && value_typed(item, w->text, ret))
        return FIT_TYPED;
    bool is_word = strncmp(item, "<word>", 6) == 0;
    /* A peer-group is a name; a number or a half address is a mistyped neighbour. */
    if (strncmp(item, "<peer>", 6) == 0)
        is_word = !(w->text[0] >= '0' && w->text[0] <= '9') && !strchr(w->text, ':');
    return is_word ? FIT_WORD : FIT_NONE;
}

static const char *place_item(const struct place *p) {
    const char *item = pattern_of(p->row) + p->at;
    return *item == '~' ? item + 1 : item;
}

static bool same_keyword(const char *a, const char *b) {
    uint16_t size = item_size(a);
    return size == item_size(b) && strncmp(a, b, size) == 0;
}

/* The best kind of fit over all places. *ret_keyword: the keyword meant. Ambiguous: FIT_NONE and
 * *ret_ambiguous. */
static enum fit word_best(const struct places *live, const struct word *w, const char **ret_keyword,
                          bool *ret_ambiguous) {
    enum fit best = FIT_NONE;
    struct value_text value;
    for (uint32_t i = 0; i < live->count; i++) {
        const char *item = place_item(&live->list[i]);
        enum fit f = item_fit(item, &live->list[i], w, &value);
        if (f == FIT_ABBREVIATION && best == f && !same_keyword(item, *ret_keyword))
            *ret_ambiguous = true;
        if (f <= best)
            continue;
        best = f;
        *ret_ambiguous = false;
        *ret_keyword = item;
    }
    if (best == FIT_ABBREVIATION && *ret_ambiguous)
        return FIT_NONE;
    *ret_ambiguous = false;
    return best;
}

struct step {
    const struct ios_line *line;
    uint16_t token;
    bool negated;
    struct word word;
    struct ios_words *words;
};

/* Writes the canonical word; true when a place was the first to fit. */
static void step_write(const struct step *s, enum fit fit, const char *item,
                       const struct value_text *value) {
    const struct ios_token *t = &s->line->tokens[s->token];
    if (fit == FIT_LINE)
        ios_words_add(s->words, s->line->text + t->offset, (size_t)(s->line->size - t->offset),
                      false);
    else if (fit == FIT_TYPED)
        ios_words_add(s->words, value->text, strlen(value->text), false);
    else if (fit == FIT_WORD)
        ios_words_add(s->words, s->word.text, s->word.size, false);
    else
        ios_words_add(s->words, item, item_size(item), false);
}

/* "loopback 0": the number joins the word before. */
static void step_join_number(const struct step *s) {
    struct ios_words *w = s->words;
    if (w->used + s->word.size > sizeof w->buffer) {
        w->failed = true;
        return;
    }
    memcpy(w->buffer + w->used - 1, s->word.text, s->word.size);
    w->used += (uint32_t)s->word.size;
    w->buffer[w->used - 1] = '\0';
}

static void step_advance(const struct step *s, const struct place *p, struct places *next,
                         bool needs_number) {
    struct walk w = {.negated = s->negated, .out = next, .row = p->row, .keys = p->keys};
    if (needs_number) {
        if (place_add(&w, p->at, false))
            next->list[next->count - 1].needs_number = true;
        return;
    }
    const char *pattern = pattern_of(p->row);
    bool key = pattern[p->at] != '~';
    uint16_t item = (uint16_t)(p->at + (key ? 0 : 1));
    uint16_t index = (uint16_t)(s->words->count - 1);
    if (key && index < 64)
        w.keys |= UINT64_C(1) << index;
    walk_from(&w, (uint16_t)(item + item_size(pattern + item)), false);
}

/* Moves every place the word fits in the best way. False: none. */
static bool step_run(const struct step *s, const struct places *live, struct places *next,
                     bool *ret_ambiguous, bool *ret_line) {
    const char *keyword = NULL;
    bool written = false;
    enum fit best = word_best(live, &s->word, &keyword, ret_ambiguous);
    next->count = 0;
    if (best == FIT_NONE)
        return false;
    for (uint32_t i = 0; i < live->count; i++) {
        const struct place *p = &live->list[i];
        const char *item = place_item(p);
        struct value_text value = {.needs_number = false};
        if (item_fit(item, p, &s->word, &value) != best)
            continue;
        if ((best == FIT_EXACT || best == FIT_ABBREVIATION) && !same_keyword(item, keyword))
            continue;
        if (!written && p->needs_number)
            step_join_number(s);
        else if (!written)
            step_write(s, best, item, &value);
        written = true;
        step_advance(s, p, next, value.needs_number && !p->needs_number);
    }
    *ret_line = best == FIT_LINE;
    return true;
}

/* ---- entry ---- */

static void match_start(enum ios_mode mode, bool negated, struct places *ret_live) {
    bool exec = mode == IOS_EXEC || mode == IOS_USER;
    uint16_t from = exec ? ios_row_count : 0;
    uint16_t to = exec ? (uint16_t)(ios_row_count + ios_exec_row_count) : ios_row_count;
    ret_live->count = 0;
    for (uint16_t row = from; row < to; row++) {
        if (!(row_at(row)->modes & mode))
            continue;
        struct walk w = {.negated = negated, .out = ret_live, .row = row};
        walk_from(&w, 0, false);
    }
}

/* The line is read: is one of the places an end? The first row of the table wins. */
static void match_finish(const struct places *live, bool negated, struct ios_match *m) {
    for (uint32_t i = 0; i < live->count; i++) {
        const struct place *p = &live->list[i];
        bool end = pattern_of(p->row)[p->at] == '\0' && !p->needs_number;
        if (!end && !(negated && p->may_end))
            continue;
        m->status = m->words.failed ? IOS_MATCH_INVALID : IOS_MATCH_OK;
        m->row = row_at(p->row);
        m->words.keys = p->keys;
        return;
    }
    m->status = IOS_MATCH_INCOMPLETE;
}

static bool match_word(const struct ios_line *l, uint16_t token, char copy[IOS_LINE_BYTES_MAX + 1],
                       struct word *ret) {
    const struct ios_token *t = &l->tokens[token];
    memcpy(copy, l->text + t->offset, t->size);
    copy[t->size] = '\0';
    *ret = (struct word){.text = copy, .size = t->size};
    return t->size > 0;
}

/* Reads tokens `first` to `end`; `*live` is left with where the line may go on. False: status is
 * set. */
static bool match_words(const struct ios_line *l, uint16_t first, uint16_t end, bool negated,
                        struct places sets[2], struct places **ret_live, struct ios_match *m) {
    struct places *live = &sets[0], *next = &sets[1];
    char copy[IOS_LINE_BYTES_MAX + 1];
    for (uint16_t i = first; i < end; i++) {
        struct step s = {.line = l, .token = i, .negated = negated, .words = &m->words};
        bool ambiguous = false, line = false;
        m->token = i;
        if (!match_word(l, i, copy, &s.word) || !step_run(&s, live, next, &ambiguous, &line)) {
            m->status = ambiguous ? IOS_MATCH_AMBIGUOUS : IOS_MATCH_INVALID;
            return false;
        }
        struct places *swap = live;
        live = next;
        next = swap;
        if (line)
            break;
    }
    *ret_live = live;
    return true;
}

void ios_match(const struct ios_line *l, uint16_t first, enum ios_mode mode, bool negated,
               struct ios_match *ret_match) {
    struct places sets[2], *live;
    ret_match->row = NULL;
    ios_words_clear(&ret_match->words);
    match_start(mode, negated, &sets[0]);
    if (match_words(l, first, l->count, negated, sets, &live, ret_match))
        match_finish(live, negated, ret_match);
}

/* Was this item met at an earlier place? */
static bool item_seen(const struct places *live, uint32_t before, const char *item) {
    for (uint32_t i = 0; i < before; i++)
        if (!live->list[i].needs_number && same_keyword(place_item(&live->list[i]), item))
            return true;
    return false;
}

void ios_match_expected(const struct ios_line *l, uint16_t first, uint16_t count,
                        enum ios_mode mode, bool negated, ios_expect_fn *each, void *context,
                        struct ios_match *ret_match) {
    struct places sets[2], *live;
    ret_match->row = NULL;
    ios_words_clear(&ret_match->words);
    match_start(mode, negated, &sets[0]);
    if (!match_words(l, first, count, negated, sets, &live, ret_match))
        return;
    bool number = false;
    for (uint32_t i = 0; i < live->count; i++) {
        const char *item = place_item(&live->list[i]);
        if (live->list[i].needs_number && !number)
            each(context, "<0-9>", strlen("<0-9>"));
        number |= live->list[i].needs_number;
        if (*item && !live->list[i].needs_number && !item_seen(live, i, item))
            each(context, item, item_size(item));
    }
    match_finish(live, negated, ret_match);
    if (ret_match->status == IOS_MATCH_OK)
        each(context, "", 0);
}
