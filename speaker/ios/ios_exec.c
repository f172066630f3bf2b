/*
 * Exec commands: matching, output filters, what a terminal is set to.
 *
 * Owns: `| include|exclude|begin|section|count REGEX` (everything behind the keyword is the
 * expression, bars in it are alternation); `| redirect URL` and its like are refused, there being
 * no files.
 *
 * Leaves: which commands there are to ios_grammar_exec.c, what they print to ios_show*.c.
 */
#include "ios_show.h"
#include "ios_terminal.h"

#include "../base/regex_bounds.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REGEX_BYTES_MAX 200

/* ---- output filters ---- */

enum filter {
    FILTER_NONE,
    FILTER_BEGIN,
    FILTER_COUNT,
    FILTER_EXCLUDE,
    FILTER_INCLUDE,
    FILTER_SECTION,
    FILTER_APPEND, /* these three: to a file, which a mock has not */
    FILTER_REDIRECT,
    FILTER_TEE,
};

static const char *const FILTERS[] = {"",        "begin",  "count",    "exclude", "include",
                                      "section", "append", "redirect", "tee"};

/* Reads `include REGEX`, `redirect URL`; FILTER_NONE: no such filter. */
static enum filter filter_read(const char *text, const char **ret_expression) {
    size_t size = strcspn(text, " ");
    *ret_expression = text + size + strspn(text + size, " ");
    for (enum filter f = FILTER_BEGIN; f <= FILTER_TEE; f++)
        if (size > 0 && size <= strlen(FILTERS[f]) && strncasecmp(FILTERS[f], text, size) == 0)
            return f;
    return FILTER_NONE;
}

/* IOS's expressions have no bounds; `_` is the end, a blank or a separator. What would take for
 * ever (back references) is none for us. */
static bool expression_compile(const char *expression, regex_t *ret) {
    struct text posix;
    bool ok = strlen(expression) <= REGEX_BYTES_MAX;
    text_init(&posix);
    for (const char *c = expression; ok && *c; c++) {
        if (*c == '_')
            text_puts(&posix, "(^|$|[ ,{}()])");
        else if (*c == '{' || *c == '}')
            text_printf(&posix, "[%c]", *c);
        else
            text_putc(&posix, *c);
    }
    ok = ok && !posix.failed && !regex_refuse(text_str(&posix)) &&
         regcomp(ret, text_str(&posix), REG_EXTENDED | REG_NOSUB | REG_NEWLINE) == 0;
    text_deinit(&posix);
    return ok;
}

struct filtering {
    enum filter kind;
    regex_t regex;
    bool open; /* begin: found; section: inside of one */
    size_t indent;
    unsigned count;
};

static bool filter_keeps(struct filtering *f, const char *line) {
    bool match = regexec(&f->regex, line, 0, NULL, 0) == 0;
    size_t indent = strspn(line, " ");
    switch (f->kind) {
    case FILTER_NONE:
    case FILTER_APPEND:
    case FILTER_REDIRECT:
    case FILTER_TEE:
        return true;
    case FILTER_BEGIN:
        return f->open = f->open || match;
    case FILTER_COUNT:
        f->count += match;
        return false;
    case FILTER_EXCLUDE:
        return !match;
    case FILTER_INCLUDE:
        return match;
    case FILTER_SECTION:
        if (f->open && indent > f->indent)
            return true;
        f->open = match;
        f->indent = indent;
        return match;
    }
    return true;
}

static void filter_run(struct filtering *f, char *all, struct text *out) {
    if (f->kind == FILTER_BEGIN)
        text_putc(out, '\n');
    for (char *line = all; line && *line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        if (filter_keeps(f, line))
            text_printf(out, "%s\n", line);
        line = end ? end + 1 : NULL;
    }
    if (f->kind == FILTER_COUNT)
        text_printf(out, "Number of lines which match regexp = %u\n", f->count);
}

/* ---- entry ---- */

/* IOS takes a single unknown word for the name of a host to connect to. */
static void exec_refuse(struct ios_router *r, const struct ios_line *l, const struct ios_match *m,
                        struct ios_sink *sink) {
    struct text prompt;
    if (m->status == IOS_MATCH_INVALID && m->token == 0 && l->count == 1) {
        text_puts(sink->out, "% Unknown command or computer name, or unable to find computer "
                             "address\n");
        return;
    }
    text_init(&prompt);
    ios_prompt(r, &prompt);
    ios_parse_refuse(l, m, prompt.size + r->exec_indent, sink);
    text_deinit(&prompt);
}

static bool exec_plain(struct ios_router *r, const struct ios_view *view, const char *command,
                       size_t size, struct text *out) {
    struct ios_line l;
    struct ios_match m;
    struct ios_sink sink = {.out = out, .view = view};
    ios_lex(&l, command, size);
    bool user = r->terminal && r->terminal->privilege < 15;
    if (ios_lex_is_blank(&l))
        return true;
    if (l.bad || l.too_long)
        m = (struct ios_match){.status = IOS_MATCH_INVALID, .token = l.count};
    else
        ios_match(&l, 0, user ? IOS_USER : IOS_EXEC, false, &m);
    if (m.status != IOS_MATCH_OK) {
        exec_refuse(r, &l, &m, &sink);
        return false;
    }
    struct ios_edit e = {.r = r, .row = m.row, .words = &m.words, .sink = &sink};
    m.row->edit(&e);
    return true;
}

/* A caret under what is wrong, `offset` octets into the command. */
static void refuse_at(const struct ios_router *r, size_t offset, struct text *out) {
    struct text prompt;
    text_init(&prompt);
    ios_prompt(r, &prompt);
    text_printf(out, "%*s^\n%% Invalid input detected at '^' marker.\n\n",
                (int)(prompt.size + r->exec_indent + offset), "");
    text_deinit(&prompt);
}

/* Behind the bar at `command`+`bar`: which filter, and its expression compiled. False after IOS's
 * words. */
static bool filtering_read(const struct ios_router *r, struct filtering *f, const char *command,
                           size_t bar, struct text *out) {
    size_t at = bar + 1 + strspn(command + bar + 1, " ");
    const char *expression = "";
    *f = (struct filtering){.kind = filter_read(command + at, &expression)};
    if (f->kind == FILTER_NONE && command[at])
        refuse_at(r, at, out);
    else if (!*expression)
        text_puts(out, "% Incomplete command.\n\n");
    else if (f->kind >= FILTER_APPEND)
        text_printf(out, "%%Error opening %.*s (No such device)\n", (int)strcspn(expression, " "),
                    expression);
    else if (!expression_compile(expression, &f->regex))
        text_puts(out, "% Failed to compile regular expression.\n");
    else
        return true;
    return false;
}

bool ios_exec(struct ios_router *r, const struct ios_view *view, const char *command,
              struct text *out) {
    const char *bar = strchr(command, '|');
    struct filtering f;
    struct text all;
    if (!bar)
        return exec_plain(r, view, command, strlen(command), out);
    if (!filtering_read(r, &f, command, (size_t)(bar - command), out))
        return false;
    text_init(&all);
    bool ok = exec_plain(r, view, command, (size_t)(bar - command), &all);
    char *lines = text_take(&all);
    if (ok && lines)
        filter_run(&f, lines, out);
    else if (lines)
        text_puts(out, lines);
    alloc_free(lines);
    regfree(&f.regex);
    return ok;
}

/* ---- the terminal ---- */

/* IOS: without a terminal of its own (a file, another program) these say nothing. */
bool ios_show_terminal(struct ios_edit *e) {
    struct ios_terminal *t = e->r->terminal;
    uint64_t n = 0;
    if (!t || !text_to_u64(ios_word(e->words, 2), 0, 512, &n))
        return false;
    if (strcmp(ios_word(e->words, 1), "length") == 0)
        t->length = (uint32_t)n;
    else
        t->width = (uint32_t)n;
    return false;
}

bool ios_show_history_size(struct ios_edit *e) {
    struct ios_terminal *t = e->r->terminal;
    uint64_t n = 0;
    if (t && text_to_u64(ios_word(e->words, 3), 0, 256, &n))
        t->history_size = (uint32_t)n;
    return false;
}

bool ios_show_monitor(struct ios_edit *e) {
    if (e->r->terminal)
        e->r->terminal->monitor = strcmp(ios_word(e->words, 1), "no") != 0;
    return false;
}

static bool wish(struct ios_edit *e, enum ios_wish w) {
    if (e->r->terminal)
        e->r->terminal->wish = w;
    return false;
}

bool ios_show_enable(struct ios_edit *e) {
    return wish(e, IOS_WISH_ENABLE);
}

bool ios_show_disable(struct ios_edit *e) {
    return wish(e, IOS_WISH_DISABLE);
}

bool ios_show_exit(struct ios_edit *e) {
    return wish(e, IOS_WISH_EXIT);
}

bool ios_show_configure(struct ios_edit *e) {
    ios_config_begin(e->r);
    text_puts(e->sink->out, "Enter configuration commands, one per line.  End with CNTL/Z.\n");
    return false;
}
