/*
 * A router's configuration, line by line: modes, `no` and `default`, errors with a caret, files.
 *
 * A line that its sub-mode does not know is tried at the top level, and if it is known there the
 * sub-mode is left: that is how configurations pasted without `exit` work. An error stops nothing.
 * No line is dropped: it is stored, acted on, or named in a finding (or on the terminal).
 *
 * Owns: struct ios_router, its mode. Leaves: matching (ios_match.c), effects (ios_edit.c), storage
 * (ios_store.c), one-line texts (ios_unflatten.c).
 */
#include "ios_edit.h"
#include "ios_router.h"
#include "ios_terminal.h"
#include "ios_unflatten.h"

#include "../base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PROMPT_NAME_MAX 20

/* ---- making ---- */

void ios_router_set_env(struct ios_router *r, const struct ios_env *env) {
    size_t count = env->interface_count;
    if (count > IOS_INTERFACES_MAX)
        count = IOS_INTERFACES_MAX;
    struct ios_interface *copy = alloc_zero(count + 1, sizeof *copy);
    if (!copy) {
        r->no_memory = true;
        return;
    }
    if (count)
        memcpy(copy, env->interfaces, count * sizeof *copy);
    alloc_free(r->interfaces);
    r->interfaces = copy;
    r->interface_count = count;
    snprintf(r->hostname, sizeof r->hostname, "%s",
             env->hostname && *env->hostname ? env->hostname : "Router");
    ios_router_changed(r);
}

struct ios_router *ios_router_new(const struct ios_env *env) {
    struct ios_router *r = alloc_zero(1, sizeof *r);
    if (!r)
        return NULL;
    r->root = ios_block_new(NULL);
    r->noted = alloc_zero(ios_row_count, 1);
    text_init(&r->log);
    ios_router_set_env(r, env);
    if (!r->root || !r->noted || r->no_memory) {
        ios_router_free(r);
        return NULL;
    }
    ios_config_end(r);
    return r;
}

void ios_router_free(struct ios_router *r) {
    if (!r)
        return;
    ios_block_free(r->root);
    arena_free(r->compiled);
    text_deinit(&r->log);
    alloc_free(r->interfaces);
    alloc_free(r->noted);
    alloc_free(r->log_peers);
    alloc_free(r);
}

void ios_router_changed(struct ios_router *r) {
    arena_free(r->compiled);
    r->compiled = NULL;
    r->config = NULL;
    r->changed = true;
}

void ios_config_end(struct ios_router *r) {
    r->depth = 0;
    r->levels[0] = (struct ios_level){.mode = IOS_CONFIG, .block = r->root};
    r->in_config = false;
}

void ios_config_begin(struct ios_router *r) {
    ios_config_end(r);
    r->in_config = true;
}

bool ios_config_pending(const struct ios_router *r) {
    return r->changed;
}

const char *ios_hostname(const struct ios_router *r) {
    const struct ios_stmt *s = ios_block_first(r->root, "hostname", NULL, NULL);
    return s ? ios_stmt_word(s, 1) : r->hostname;
}

struct ios_block *ios_bgp_block(const struct ios_router *r) {
    const struct ios_stmt *s = ios_block_first(r->root, "router", "bgp", NULL);
    return s ? s->children : NULL;
}

bool ios_asdot(const struct ios_router *r) {
    return ios_block_first(ios_bgp_block(r), "bgp", "asnotation", NULL) != NULL;
}

static const char *family_word(enum bgp_family f) {
    return f == BGP_IPV4_UNICAST ? "ipv4" : "ipv6";
}

struct ios_block *ios_af_block(const struct ios_router *r, enum bgp_family f) {
    const struct ios_block *bgp = ios_bgp_block(r);
    for (uint32_t i = 0; bgp && i < bgp->count; i++) {
        const struct ios_stmt *s = bgp->items[i];
        if (ios_stmt_is(s, 0, "address-family") && ios_stmt_is(s, 1, family_word(f)) &&
            s->count == 2)
            return s->children;
    }
    return NULL;
}

static const struct ios_row *family_row(void) {
    for (uint16_t i = 0; i < ios_row_count; i++)
        if (ios_rows[i].next == IOS_BGP_AF)
            return &ios_rows[i];
    return NULL;
}

struct ios_block *ios_af_block_make(struct ios_router *r, enum bgp_family f) {
    struct ios_block *bgp = ios_bgp_block(r), *block = ios_af_block(r, f);
    if (block || !bgp)
        return block;
    struct ios_words w;
    ios_words_clear(&w);
    ios_words_add(&w, "address-family", strlen("address-family"), true);
    ios_words_add(&w, family_word(f), 4, true);
    struct ios_stmt *s = ios_block_put(bgp, family_row(), &w, false, 0);
    r->no_memory |= !s;
    return s ? s->children : NULL;
}

/* ---- answers ---- */

static void sink_say(struct ios_sink *s, enum diag_severity severity, const char *id,
                     const char *message) {
    struct diag_place place = {.file = s->file, .line = s->line, .column = s->column};
    if (s->diags && s->text)
        diag_add(s->diags, severity, place, id, "%s: \"%.200s\"", message, s->text);
    else if (s->diags)
        diag_add(s->diags, severity, place, id, "%s", message);
}

const char *const ios_outcome_names[IOS_OUTCOMES] = {
    [IOS_LINE_EMPTY] = "empty",
    [IOS_LINE_APPLIED] = "applied",
    [IOS_LINE_IGNORED] = "ignored",
    [IOS_LINE_REFUSED] = "refused",
};

static void sink_outcome(struct ios_sink *s, enum ios_outcome outcome, const char *why) {
    s->outcome = outcome;
    snprintf(s->why, sizeof s->why, "%.*s", (int)(sizeof s->why - 1), why);
}

void ios_ignore(struct ios_sink *s, const char *why) {
    sink_outcome(s, IOS_LINE_IGNORED, why);
}

bool ios_refuse(struct ios_sink *s, const char *id, const char *format, ...) {
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (s->out)
        text_printf(s->out, "%s\n", message);
    sink_say(s, DIAG_ERROR, id, message);
    sink_outcome(s, IOS_LINE_REFUSED, message);
    return false;
}

void ios_warn(struct ios_sink *s, const char *id, const char *format, ...) {
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (s->out)
        text_printf(s->out, "%s\n", message);
    sink_say(s, DIAG_WARNING, id, message);
}

void ios_note(struct ios_sink *s, const char *id, const char *format, ...) {
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    sink_say(s, DIAG_WARNING, id, message);
}

void ios_parse_refuse(const struct ios_line *l, const struct ios_match *m, size_t prompt,
                      struct ios_sink *sink) {
    uint16_t offset = m->token < l->count ? l->tokens[m->token].offset : l->size;
    if (m->status == IOS_MATCH_INVALID) {
        sink->column = offset + 1u;
        if (sink->out)
            text_printf(sink->out, "%*s^\n", (int)(prompt + offset), "");
        ios_refuse(sink, "ios-invalid-input", "%% Invalid input detected at '^' marker.");
    } else if (m->status == IOS_MATCH_INCOMPLETE) {
        sink->column = l->size + 1u;
        ios_refuse(sink, "ios-incomplete", "%% Incomplete command.");
    } else {
        sink->column = offset + 1u;
        ios_refuse(sink, "ios-ambiguous", "%% Ambiguous command:  \"%.300s\"", l->text);
    }
    if (sink->out)
        text_putc(sink->out, '\n');
}

static const char *mode_prompt(enum ios_mode mode) {
    static const struct {
        enum ios_mode mode;
        const char *text;
    } PROMPTS[] = {
        {IOS_CONFIG, "(config)#"},
        {IOS_BGP, "(config-router)#"},
        {IOS_BGP_AF, "(config-router-af)#"},
        {IOS_PEER_SESSION, "(config-router-stmp)#"},
        {IOS_PEER_POLICY, "(config-router-ptmp)#"},
        {IOS_ROUTE_MAP, "(config-route-map)#"},
        {IOS_INTERFACE, "(config-if)#"},
        {IOS_TTY, "(config-line)#"},
        {IOS_ACL, "(config-std-nacl)#"},
        {IOS_OPAQUE, "(config-sub)#"},
    };
    for (size_t i = 0; i < sizeof PROMPTS / sizeof *PROMPTS; i++)
        if (PROMPTS[i].mode == mode)
            return PROMPTS[i].text;
    return "#";
}

/* IOS: the two kinds of access-lists are two modes. */
static const char *level_prompt(const struct ios_level *level) {
    const struct ios_stmt *s = level->block ? level->block->owner : NULL;
    bool extended = level->mode == IOS_ACL && s && ios_stmt_is(s, 2, "extended");
    return extended ? "(config-ext-nacl)#" : mode_prompt(level->mode);
}

void ios_prompt(const struct ios_router *r, struct text *out) {
    bool user = r->terminal && r->terminal->privilege < 15;
    if (!r->in_config)
        text_printf(out, "%s%c", ios_hostname(r), user ? '>' : '#');
    else
        text_printf(out, "%.*s%s", PROMPT_NAME_MAX, ios_hostname(r),
                    level_prompt(&r->levels[r->depth]));
}

/* ---- one statement ---- */

static struct ios_block *statement_block(struct ios_router *r, const struct ios_row *row) {
    const struct ios_level *level = &r->levels[r->depth];
    if (row->flags & ROW_AF && level->mode == IOS_BGP)
        return ios_af_block_make(r, BGP_IPV4_UNICAST);
    if (row->flags & ROW_SESSION && level->mode == IOS_BGP_AF)
        return ios_bgp_block(r);
    return level->block;
}

static void statement_note(struct ios_router *r, const struct ios_row *row, struct ios_sink *sink) {
    uint8_t *noted = &r->noted[row - ios_rows];
    if (row->modes == IOS_OPAQUE)
        ios_ignore(sink, "inside of a block that is kept without effect");
    else if (row->flags & ROW_KEPT)
        ios_ignore(sink, "kept; no session and no route depends on it");
    else if (row->flags & ROW_IGNORED)
        ios_ignore(sink, ios_ignored_reason(row));
    if (!(row->flags & ROW_IGNORED) || *noted || !sink->diags)
        return;
    *noted = 1;
    ios_note(sink, "ios-ignored", "known to IOS, kept, without effect on this router (said once)");
}

static void level_push(struct ios_router *r, const struct ios_row *row, struct ios_stmt *s,
                       uint16_t indent) {
    if (r->depth + 1 >= IOS_LEVELS_MAX)
        return;
    r->levels[++r->depth] =
        (struct ios_level){.mode = row->next, .block = s->children, .indent = indent};
}

void ios_put_line(struct ios_router *r, struct ios_block *b, enum ios_mode mode, const char *line) {
    struct ios_line l;
    struct ios_match m;
    ios_lex(&l, line, strlen(line));
    ios_match(&l, 0, mode, false, &m);
    if (m.status != IOS_MATCH_OK || !ios_block_put(b, m.row, &m.words, false, 0))
        r->no_memory = true;
}

static void statement_store(struct ios_edit *e, uint16_t indent) {
    struct ios_router *r = e->r;
    uint16_t flags = e->row->flags;
    struct ios_stmt *s = NULL;
    bool keep = flags & ROW_ON ? e->negated : !e->negated || flags & ROW_BOTH;
    if (!keep) {
        ios_block_remove(e->block, e->words);
        return;
    }
    if (e->words->failed || r->statement_count >= IOS_STATEMENTS_MAX) {
        ios_refuse(e->sink, "ios-too-much", "%% Not enough memory for this line");
        return;
    }
    r->statement_count++;
    if (flags & ROW_MERGE)
        s = ios_block_merge(e->block, e->row, e->words, e->sink->line);
    else
        s = ios_block_put(e->block, e->row, e->words, e->negated, e->sink->line);
    r->no_memory |= !s;
    /* A new process: IOS writes this default out. */
    if (s && e->row->next == IOS_BGP && s->children && s->children->count == 0)
        ios_put_line(r, s->children, IOS_BGP, "bgp log-neighbor-changes");
    if (s && flags & ROW_BLOCK && !e->negated)
        level_push(r, e->row, s, indent);
}

static bool neighbor_check(struct ios_edit *e) {
    struct ios_block *bgp = ios_bgp_block(e->r);
    if (!(e->row->flags & ROW_NEIGHBOR) || (bgp && ios_neighbor_known(bgp, ios_word(e->words, 1))))
        return true;
    if (e->negated)
        return false; /* `no` of something absent is silent */
    return ios_refuse(e->sink, "ios-no-neighbor",
                      "%% Specify remote-as or peer-group commands first");
}

/* `default <line>` of what is on by default puts it back on: the row's own polarity knows. */
static void statement_apply(struct ios_router *r, struct ios_match *m, bool negated, bool defaulted,
                            uint16_t indent, struct ios_sink *sink) {
    struct ios_edit e = {
        .r = r, .row = m->row, .words = &m->words, .sink = sink, .negated = negated};
    if (m->row->flags & ROW_ACTION) {
        m->row->edit(&e);
        return;
    }
    e.block = statement_block(r, m->row);
    if (!e.block || !neighbor_check(&e))
        return;
    ios_router_changed(r);
    if (m->row->edit && !m->row->edit(&e))
        return;
    if (defaulted && !(m->row->flags & ROW_SHOWN)) {
        ios_block_remove(e.block, e.words);
        return;
    }
    if (!negated && ios_is_default(e.words)) {
        ios_block_remove_one(e.block, e.words);
        statement_note(r, m->row, sink);
        return;
    }
    e.negated = e.negated && !defaulted;
    statement_store(&e, indent);
    statement_note(r, m->row, sink);
}

/* ---- one line ---- */

/* A statement without effect whose second word is short for something: almost any line fits. */
static bool is_loose(const struct ios_line *l, uint16_t first, const struct ios_match *m) {
    if (m->status != IOS_MATCH_OK || !(m->row->flags & ROW_IGNORED) || m->words.count < 2 ||
        l->count < first + 2)
        return false;
    const char *word = ios_word(&m->words, 1);
    const struct ios_token *t = &l->tokens[first + 1];
    return strlen(word) > t->size && !strchr(word, ' ') &&
           strncasecmp(word, l->text + t->offset, t->size) == 0;
}

static bool is_spelled_out(const struct ios_line *l, uint16_t first, const struct ios_match *m) {
    return m->status == IOS_MATCH_OK && m->words.count > 1 &&
           ios_lex_is(l, first, ios_word(&m->words, 0)) &&
           ios_lex_is(l, (uint16_t)(first + 1), ios_word(&m->words, 1));
}

/* Matches in the current mode, then at the top level (*ret_top). What a statement without effect
 * would swallow as a short form goes to the top level, where it is written out. */
static void line_match(struct ios_router *r, const struct ios_line *l, uint16_t first, bool negated,
                       struct ios_match *m, bool *ret_top) {
    enum ios_mode mode = r->levels[r->depth].mode;
    *ret_top = false;
    ios_match(l, first, mode, negated, m);
    bool loose = is_loose(l, first, m);
    if ((m->status == IOS_MATCH_OK && !loose) || mode == IOS_CONFIG)
        return;
    struct ios_match top;
    ios_match(l, first, IOS_CONFIG, negated, &top);
    if (loose ? !is_spelled_out(l, first, &top)
              : top.status != IOS_MATCH_OK && top.token <= m->token)
        return;
    *ret_top = top.status == IOS_MATCH_OK;
    *m = top;
}

/*
 * Inside of a block that is not understood every line fits. It belongs to the block if it is
 * indented more, or, without indentation, if the top level does not know it either.
 */
static void line_match_opaque(struct ios_router *r, const struct ios_line *l, uint16_t first,
                              bool negated, bool loading, struct ios_match *m, bool *ret_top) {
    const struct ios_level *level = &r->levels[r->depth];
    ios_match(l, first, IOS_OPAQUE, negated, m);
    *ret_top = false;
    if (loading && l->tokens[0].offset > level->indent)
        return;
    if (m->status == IOS_MATCH_OK && m->row->flags & ROW_ACTION)
        return;
    struct ios_match top;
    ios_match(l, first, IOS_CONFIG, negated, &top);
    bool outside = loading && level->indent == l->tokens[0].offset && r->depth == 1;
    if (top.status != IOS_MATCH_OK && !outside)
        return;
    *ret_top = top.status == IOS_MATCH_OK;
    *m = top;
}

/* A comment behind a statement: blogs write it, IOS refuses it. Cuts it off; true if there was. */
static bool line_cut_comment(struct ios_line *l, const struct ios_match *m) {
    if (m->status != IOS_MATCH_INVALID || m->token == 0 || m->token >= l->count ||
        l->text[l->tokens[m->token].offset] != '!')
        return false;
    l->size = (uint16_t)(l->tokens[m->token - 1].offset + l->tokens[m->token - 1].size);
    l->text[l->size] = '\0';
    l->count = m->token;
    return true;
}

static void line_try(struct ios_router *r, const struct ios_line *l, uint16_t first, bool negated,
                     bool loading, struct ios_match *m, bool *ret_top) {
    if (r->levels[r->depth].mode == IOS_OPAQUE)
        line_match_opaque(r, l, first, negated, loading, m, ret_top);
    else
        line_match(r, l, first, negated, m, ret_top);
}

static size_t prompt_size(const struct ios_router *r) {
    struct text prompt;
    text_init(&prompt);
    ios_prompt(r, &prompt);
    size_t size = prompt.size;
    text_deinit(&prompt);
    return size;
}

static bool line_usable(const struct ios_line *l, struct ios_router *r, struct ios_sink *sink) {
    if (!l->bad && !l->too_long)
        return true;
    uint16_t offset = l->bad ? (uint16_t)(l->bad - 1) : l->size;
    if (sink->out)
        text_printf(sink->out, "%*s^\n", (int)(prompt_size(r) + offset), "");
    sink->column = offset + 1u;
    return ios_refuse(sink, "ios-invalid-input", "%% Invalid input detected at '^' marker.");
}

/* One line of configuration. `loading`: indentation counts, trailing comments are forgiven. */
static void parse_line(struct ios_router *r, const char *text, size_t size, struct ios_sink *sink,
                       bool loading) {
    struct ios_line l;
    struct ios_match m;
    bool top;
    ios_lex(&l, text, size);
    sink_outcome(sink, IOS_LINE_EMPTY, "");
    if (ios_lex_is_blank(&l))
        return;
    sink_outcome(sink, IOS_LINE_APPLIED, "");
    sink->text = l.text + l.tokens[0].offset;
    sink->column = l.tokens[0].offset + 1u;
    if (!line_usable(&l, r, sink))
        return;
    bool defaulted = ios_lex_is(&l, 0, "default") && l.count > 1;
    bool negated = ios_lex_is(&l, 0, "no") || defaulted;
    uint16_t first = negated ? 1 : 0;
    line_try(r, &l, first, negated, loading, &m, &top);
    if (loading && line_cut_comment(&l, &m)) {
        ios_note(sink, "ios-trailing-comment", "IOS would refuse the comment behind the statement");
        line_try(r, &l, first, negated, loading, &m, &top);
    }
    if (m.status != IOS_MATCH_OK || (negated && l.count == 1)) {
        if (m.status == IOS_MATCH_OK)
            m.status = IOS_MATCH_INCOMPLETE;
        ios_parse_refuse(&l, &m, prompt_size(r), sink);
        return;
    }
    if (top)
        r->depth = 0;
    statement_apply(r, &m, negated, defaulted, l.tokens[0].offset, sink);
}

void ios_config_line(struct ios_router *r, const char *line, struct text *out) {
    struct ios_sink sink = {.out = out};
    r->in_config = true;
    parse_line(r, line, strlen(line), &sink, false);
}

void ios_terminal_line(struct ios_router *r, const struct ios_view *view, const char *line,
                       struct text *out) {
    struct ios_sink sink = {.out = out, .view = view};
    if (r->in_config)
        parse_line(r, line, strlen(line), &sink, false);
    else
        (void)ios_exec(r, view, line, out);
}

/* ---- files ---- */

struct load {
    struct ios_router *r;
    struct ios_sink sink;
    struct text banner;    /* its text so far, while one is open */
    char type[16];         /* "motd" */
    char delimiter[3];     /* of the open banner, "" when none is */
    ios_report_fn *report; /* may be NULL */
    void *context;
};

static const struct ios_row *banner_row(void) {
    for (uint16_t i = 0; i < ios_row_count; i++)
        if (strncmp(ios_rows[i].pattern, "banner ", strlen("banner ")) == 0)
            return &ios_rows[i];
    return NULL;
}

static void banner_close(struct load *b) {
    struct ios_words w;
    ios_words_clear(&w);
    ios_words_add(&w, "banner", strlen("banner"), true);
    ios_words_add(&w, b->type, strlen(b->type), true);
    ios_words_add(&w, text_str(&b->banner), b->banner.size, false);
    b->delimiter[0] = '\0';
    if (w.failed || b->banner.failed)
        ios_refuse(&b->sink, "ios-too-much", "%% Banner is too long");
    else
        b->r->no_memory |= !ios_block_put(b->r->root, banner_row(), &w, false, b->sink.line);
}

/* A line of an open banner, up to the delimiter. */
static void banner_line(struct load *b, const char *line, size_t size) {
    const char *end = memmem(line, size, b->delimiter, strlen(b->delimiter));
    size_t count = end ? (size_t)(end - line) : size;
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c != '\r')
            text_putc(&b->banner, c < 0x20 || c == 0x7f ? ' ' : (char)c);
        /* Printed between ^C, so the text itself must not hold one. */
        if (c == '^' && i + 1 < count && line[i + 1] == 'C')
            text_putc(&b->banner, ' ');
    }
    text_puts(&b->banner, end ? "^C" : "\n");
    if (end)
        banner_close(b);
}

/* Begins a banner if the line does. IOS takes any character as the delimiter, ^C by custom. */
static bool banner_open(struct load *b, struct ios_line *l, const char *line, size_t size) {
    struct ios_match m;
    if (l->count < 3 || !ios_lex_is(l, 0, "banner") || l->too_long ||
        (l->bad && l->bad <= l->tokens[2].offset))
        return false;
    ios_match(l, 0, IOS_CONFIG, false, &m);
    if (m.status != IOS_MATCH_OK || m.row != banner_row())
        return false;
    const char *text = line + l->tokens[2].offset;
    size_t left = size - l->tokens[2].offset;
    size_t width = left > 1 && text[0] == '^' && text[1] == 'C' ? 2 : 1;
    b->r->depth = 0;
    snprintf(b->type, sizeof b->type, "%s", ios_word(&m.words, 1));
    memcpy(b->delimiter, text, width);
    b->delimiter[width] = '\0';
    text_clear(&b->banner);
    text_puts(&b->banner, "^C");
    sink_outcome(&b->sink, IOS_LINE_APPLIED, "");
    banner_line(b, text + width, left - width);
    return true;
}

/* What `show running-config` prints before the configuration. */
static bool is_header(const struct ios_line *l) {
    return ios_lex_is(l, 0, "Building") || (ios_lex_is(l, 0, "Current") && l->count > 2) ||
           (ios_lex_is(l, 0, "Using") && l->count > 2);
}

static void load_report(struct load *b, const char *line, size_t size) {
    const struct ios_sink *s = &b->sink;
    struct ios_line_report report = {
        .line = s->line, .outcome = s->outcome, .text = line, .size = size, .why = s->why};
    if (s->outcome == IOS_LINE_REFUSED)
        report.column = s->column;
    if (b->report)
        b->report(b->context, &report);
}

static void load_line(struct load *b, const char *line, size_t size) {
    struct ios_line l;
    b->sink.column = 0;
    b->sink.text = NULL;
    b->r->in_config = true;
    sink_outcome(&b->sink, IOS_LINE_EMPTY, "");
    if (b->delimiter[0]) {
        banner_line(b, line, size);
        return;
    }
    ios_lex(&l, line, size);
    if (is_header(&l)) {
        b->sink.text = l.text;
        ios_ignore(&b->sink, "printed before a configuration");
        ios_note(&b->sink, "ios-header", "not a statement: printed before a configuration");
    } else if (!banner_open(b, &l, line, size)) {
        parse_line(b->r, line, size, &b->sink, true);
    }
}

static void load_lines(struct load *b, const char *text, size_t size) {
    while (size > 0 && !b->r->no_memory) {
        const char *end = memchr(text, '\n', size);
        size_t line = end ? (size_t)(end - text) : size;
        b->sink.line++;
        load_line(b, text, line);
        load_report(b, text, line);
        line += end ? 1 : 0;
        text += line;
        size -= line;
    }
    if (b->delimiter[0]) {
        ios_refuse(&b->sink, "ios-banner", "%% Banner is not closed by its delimiter");
        text_puts(&b->banner, "^C");
        banner_close(b);
    }
}

bool ios_load(struct ios_router *r, const char *text, size_t size, const char *file, bool unflatten,
              struct diag_list *diags) {
    return ios_load_reported(r, text, size, file, unflatten, diags, NULL, NULL);
}

bool ios_load_reported(struct ios_router *r, const char *text, size_t size, const char *file,
                       bool unflatten, struct diag_list *diags, ios_report_fn *report,
                       void *context) {
    struct load b = {
        .r = r, .sink = {.diags = diags, .file = file}, .report = report, .context = context};
    snprintf(r->file, sizeof r->file, "%s", file ? file : "");
    struct text lines;
    bool changed = false;
    size_t mark = text_byte_order_mark(text, size);
    text += mark;
    size -= mark;
    text_init(&lines);
    text_init(&b.banner);
    ios_config_end(r);
    if (unflatten)
        changed = ios_unflatten(text, size, &lines);
    if (changed) {
        b.sink.line = 1;
        ios_note(&b.sink, "ios-unflattened",
                 "statements stand on one line, where IOS would see a comment; they were split");
    }
    if (changed)
        load_lines(&b, text_str(&lines), lines.size);
    else
        load_lines(&b, text, size);
    bool ok = !r->no_memory && !lines.failed;
    r->no_memory = false;
    text_deinit(&lines);
    text_deinit(&b.banner);
    ios_config_end(r);
    ios_router_changed(r);
    return ok;
}
