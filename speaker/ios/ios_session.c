/*
 * A session at a line: who may come in, what a line typed does, how its output is shown.
 *
 * Owns: the states of a session, prompts, pages (` --More-- `), the mode of configuration that is
 * this terminal's own. Leaves: sockets and what a command asks of the host to the caller.
 *
 * Between two lines a router stands outside of configuration mode; a session puts its own place
 * back before its line is run. Another session may have removed that place meanwhile: then the
 * session finds itself one level up.
 *
 * Invariants: a session that ended takes no input; output of a command is held back only while the
 * state is STATE_MORE.
 */
#include "ios_session.h"
#include "ios_editor.h"
#include "ios_help.h"
#include "ios_log.h"
#include "ios_login.h"
#include "ios_telnet.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LOGIN_MS 30000
#define TRIES_MAX 3
#define BANNER_BYTES_MAX 3000
#define LOG_WAITING_MAX 65536 /* octets for a terminal that does not read; then no more of it */

static const char MORE[] = " --More-- ";
static const char MORE_GONE[] = "\b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b";

enum state {
    STATE_USERNAME,
    STATE_PASSWORD,
    STATE_ENABLE, /* its password */
    STATE_COMMAND,
    STATE_BANNER, /* its text, up to the delimiter */
    STATE_MORE,
    STATE_ENDED,
};

struct ios_session {
    struct ios_terminal t; /* first */
    bool console;
    uint32_t number;
    enum state state;
    struct ios_line_config line; /* as it was when the session or its last command began */
    unsigned tries;
    struct ios_telnet telnet;
    struct ios_editor editor;
    struct text out;
    struct text page; /* output not shown yet, from page_at on */
    size_t page_at;
    struct text banner; /* the statement so far */
    char delimiter;     /* of the banner */
};

/* ---- output ---- */

static void put(struct ios_session *s, const char *text) {
    ios_telnet_put(text, strlen(text), &s->out);
}

/* What the editor shows: no newlines in it. */
static void put_echo(struct ios_session *s, struct text *echo) {
    ios_telnet_put(text_str(echo), echo->size, &s->out);
    text_deinit(echo);
}

static void end(struct ios_session *s) {
    s->state = STATE_ENDED;
}

static void ask(struct ios_session *s, enum state state, const char *prompt) {
    s->state = state;
    s->editor.hidden = state != STATE_USERNAME;
    ios_editor_clear(&s->editor);
    put(s, prompt);
}

/* ---- the router's mode is this session's while a line of it is run ---- */

/* The deepest level that is still part of the configuration. */
static uint32_t levels_valid(const struct ios_router *r, const struct ios_terminal *t) {
    const struct ios_block *parent = r->root;
    for (uint32_t depth = 1; depth <= t->depth; depth++) {
        bool found = false;
        for (uint32_t i = 0; i < parent->count && !found; i++)
            found = parent->items[i]->children == t->levels[depth].block &&
                    parent->items[i]->row->next == t->levels[depth].mode;
        if (!found)
            return depth - 1;
        parent = t->levels[depth].block;
    }
    return t->depth;
}

static void enter(struct ios_session *s, struct ios_router *r) {
    r->terminal = &s->t;
    ios_config_end(r);
    if (!s->t.in_config)
        return;
    uint32_t depth = levels_valid(r, &s->t);
    for (uint32_t i = 1; i <= depth; i++)
        r->levels[i] = s->t.levels[i];
    r->depth = depth;
    r->in_config = true;
}

static void leave(struct ios_session *s, struct ios_router *r) {
    memcpy(s->t.levels, r->levels, sizeof s->t.levels);
    s->t.depth = r->depth;
    s->t.in_config = r->in_config;
    ios_config_end(r);
    r->terminal = NULL;
}

static void put_prompt(struct ios_session *s, struct ios_router *r) {
    struct text prompt;
    text_init(&prompt);
    enter(s, r);
    ios_prompt(r, &prompt);
    leave(s, r);
    put(s, text_str(&prompt));
    text_deinit(&prompt);
}

static void await_command(struct ios_session *s, struct ios_router *r) {
    s->state = STATE_COMMAND;
    s->editor.hidden = false;
    ios_editor_clear(&s->editor);
    put_prompt(s, r);
}

/* ---- pages ---- */

/* Shows up to `count` lines (0: all) of what is held back. */
static void page_show(struct ios_session *s, uint32_t count) {
    const char *text = text_str(&s->page);
    size_t at = s->page_at;
    for (uint32_t n = 0; at < s->page.size && (count == 0 || n < count); n++) {
        const char *line_end = memchr(text + at, '\n', s->page.size - at);
        at = line_end ? (size_t)(line_end - text) + 1 : s->page.size;
    }
    ios_telnet_put(text + s->page_at, at - s->page_at, &s->out);
    s->page_at = at;
}

static void page_go_on(struct ios_session *s, struct ios_router *r, uint32_t count) {
    page_show(s, count);
    if (s->page_at < s->page.size) {
        s->state = STATE_MORE;
        put(s, MORE);
        return;
    }
    text_deinit(&s->page);
    text_init(&s->page);
    s->page_at = 0;
    await_command(s, r);
}

static uint32_t page_lines(const struct ios_session *s) {
    return s->t.length > 1 ? s->t.length - 1 : s->t.length;
}

static void more_key(struct ios_session *s, struct ios_router *r, char c) {
    bool belongs = s->editor.after_return && (c == '\n' || c == '\0');
    s->editor.after_return = c == '\r';
    if (belongs)
        return;
    put(s, MORE_GONE);
    if (c != ' ' && c != '\r' && c != '\n')
        s->page_at = s->page.size;
    page_go_on(s, r, c == ' ' ? page_lines(s) : 1);
}

/* ---- login ---- */

/* `banner motd`, `login` or `exec`. */
static void banner(struct ios_session *s, const struct ios_router *r, const char *kind) {
    const struct ios_stmt *b = ios_block_first(r->root, "banner", kind, NULL);
    const char *text = b ? ios_stmt_word(b, 2) : "";
    size_t size = strlen(text);
    if (b && !b->negated && size > 4 && strncmp(text, "^C", 2) == 0) {
        put(s, "\n");
        ios_telnet_put(text + 2, size - 4, &s->out);
        put(s, "\n");
    }
}

static void welcome(struct ios_session *s, struct ios_router *r) {
    if (s->line.privilege >= 15)
        s->t.privilege = 15;
    s->tries = 0;
    banner(s, r, "exec");
    await_command(s, r);
}

static void login_again(struct ios_session *s) {
    bool local = s->line.login == IOS_LOGIN_LOCAL;
    if (local)
        put(s, "% Login invalid\n\n");
    if (++s->tries < TRIES_MAX) {
        ask(s, local ? STATE_USERNAME : STATE_PASSWORD, local ? "Username: " : "Password: ");
        return;
    }
    if (!local)
        put(s, "% Bad passwords\n");
    end(s);
}

static void login_line(struct ios_session *s, struct ios_router *r) {
    const char *typed = s->editor.line;
    uint8_t privilege = s->line.privilege;
    if (s->state == STATE_USERNAME) {
        snprintf(s->t.user, sizeof s->t.user, "%s", typed);
        ask(s, *typed ? STATE_PASSWORD : STATE_USERNAME, *typed ? "Password: " : "Username: ");
        return;
    }
    bool right = s->line.login == IOS_LOGIN_LOCAL
                     ? ios_check_user(r, s->t.user, typed, &privilege)
                     : ios_check_line_password(r, s->console, s->number, typed);
    if (!right) {
        login_again(s);
        return;
    }
    if (privilege > s->line.privilege)
        s->line.privilege = privilege;
    welcome(s, r);
}

static void enable_line(struct ios_session *s, struct ios_router *r) {
    if (ios_check_enable(r, s->editor.line) == IOS_ENABLE_RIGHT) {
        s->t.privilege = 15;
    } else if (++s->tries < TRIES_MAX) {
        ask(s, STATE_ENABLE, "Password: ");
        return;
    } else {
        put(s, "% Bad secrets\n\n");
    }
    s->tries = 0;
    await_command(s, r);
}

/* IOS: the console may enable without a password while there is none, a vty may not. */
static bool enable_begin(struct ios_session *s, struct ios_router *r) {
    if (s->t.privilege >= 15)
        return false;
    if (ios_check_enable(r, NULL) != IOS_ENABLE_UNSET) {
        s->tries = 0;
        ask(s, STATE_ENABLE, "Password: ");
        return true;
    }
    if (s->console)
        s->t.privilege = 15;
    else
        put(s, "% No password set\n");
    return false;
}

static void begin(struct ios_session *s, struct ios_router *r) {
    ios_telnet_start(&s->telnet, &s->out);
    banner(s, r, "motd");
    s->line = ios_line_config(r, s->console, s->number);
    s->t.length = s->line.length;
    if (s->line.login == IOS_LOGIN_PASSWORD && !s->line.password_set) {
        put(s, "\nPassword required, but none set\n");
        end(s);
        return;
    }
    if (s->line.login == IOS_LOGIN_NONE) {
        put(s, s->console ? "" : "\n");
        welcome(s, r);
        return;
    }
    banner(s, r, "login");
    put(s, "\nUser Access Verification\n\n");
    bool local = s->line.login == IOS_LOGIN_LOCAL;
    ask(s, local ? STATE_USERNAME : STATE_PASSWORD, local ? "Username: " : "Password: ");
}

/* ---- commands ---- */

/* True: the session goes on with something else than a prompt. */
static bool grant(struct ios_session *s, struct ios_router *r) {
    switch (s->t.wish) {
    case IOS_WISH_NONE:
        return false;
    case IOS_WISH_ENABLE:
        return enable_begin(s, r);
    case IOS_WISH_DISABLE:
        s->t.privilege = 1;
        return false;
    case IOS_WISH_EXIT:
        end(s);
        return true;
    }
    return false;
}

static void run(struct ios_session *s, struct ios_router *r, const struct ios_view *view,
                const char *line) {
    bool configuring = s->t.in_config;
    s->t.wish = IOS_WISH_NONE;
    enter(s, r);
    ios_terminal_line(r, view, line, &s->page);
    leave(s, r);
    if (configuring && !s->t.in_config)
        ios_log_configured(r, view, &s->t);
    s->line = ios_line_config(r, s->console, s->number);
    if (!grant(s, r))
        page_go_on(s, r, page_lines(s));
}

/* ---- banners: the one statement of several lines ---- */

/* A line of the banner's text; with the delimiter in it, the statement is whole. */
static void banner_line(struct ios_session *s, struct ios_router *r, const char *line) {
    char file[sizeof r->file];
    const char *end = strchr(line, s->delimiter);
    if (s->banner.size + strlen(line) > BANNER_BYTES_MAX)
        end = line; /* what is too much is left out */
    text_put(&s->banner, line, end ? (size_t)(end - line) : strlen(line));
    text_putc(&s->banner, end ? s->delimiter : '\n');
    if (!end) {
        s->state = STATE_BANNER;
        ios_editor_clear(&s->editor);
        return;
    }
    /* A file is read the same way; findings go on naming the file that was loaded. */
    memcpy(file, r->file, sizeof file);
    (void)ios_load(r, text_str(&s->banner), s->banner.size, file, false, NULL);
    text_deinit(&s->banner);
    text_init(&s->banner);
    await_command(s, r);
}

/* banner TYPE cTEXT: false, it is another line. */
static bool banner_begin(struct ios_session *s, struct ios_router *r, const char *line) {
    static const char word[] = "banner";
    struct ios_line l;
    ios_lex(&l, line, strlen(line));
    if (!s->t.in_config || l.count < 3 || l.tokens[0].size < 2 || l.tokens[0].size >= sizeof word ||
        strncasecmp(l.text + l.tokens[0].offset, word, l.tokens[0].size) != 0)
        return false;
    struct ios_match m;
    ios_match(&l, 0, IOS_CONFIG, false, &m);
    if (m.status != IOS_MATCH_OK)
        return false;
    const char *text = l.text + l.tokens[2].offset;
    s->delimiter = *text++;
    text_clear(&s->banner);
    text_printf(&s->banner, "%s %.*s %c", word, l.tokens[1].size, l.text + l.tokens[1].offset,
                s->delimiter);
    if (!strchr(text, s->delimiter)) {
        char answer[] = "Enter TEXT message.  End with the character 'c'.\n";
        answer[strlen(answer) - 4] = s->delimiter;
        put(s, answer);
    }
    banner_line(s, r, text);
    return true;
}

static void command_line(struct ios_session *s, struct ios_router *r, const struct ios_view *view) {
    char line[IOS_INPUT_BYTES_MAX + 1];
    memcpy(line, s->editor.line, sizeof line);
    ios_history_add(&s->t, line);
    if (!banner_begin(s, r, line))
        run(s, r, view, line);
}

static void line_typed(struct ios_session *s, struct ios_router *r, const struct ios_view *view) {
    put(s, "\n");
    if (s->state == STATE_COMMAND)
        command_line(s, r, view);
    else if (s->state == STATE_BANNER)
        banner_line(s, r, s->editor.line);
    else if (s->state == STATE_ENABLE)
        enable_line(s, r);
    else
        login_line(s, r);
}

/* ^C and ^Z leave configuration mode; ^Z runs what was typed first. */
static void interrupt(struct ios_session *s, struct ios_router *r, const struct ios_view *view,
                      bool run_line) {
    put(s, run_line ? "^Z\n" : "^C\n");
    if (s->state == STATE_ENABLE || s->state == STATE_BANNER) {
        text_clear(&s->banner);
        await_command(s, r);
        return;
    }
    if (s->state != STATE_COMMAND) {
        login_again(s);
        return;
    }
    if (run_line && s->editor.size)
        command_line(s, r, view);
    if (s->state != STATE_COMMAND)
        return;
    if (s->t.in_config) {
        run(s, r, view, "end");
    } else if (!run_line || s->editor.size == 0) {
        await_command(s, r);
    }
}

static void redraw(struct ios_session *s, struct ios_router *r) {
    struct text echo;
    text_init(&echo);
    put_prompt(s, r);
    ios_editor_draw(&s->editor, &echo);
    put_echo(s, &echo);
}

/* Where `?` is no request for help. */
static void insert(struct ios_session *s, char c) {
    struct text echo;
    text_init(&echo);
    ios_editor_insert(&s->editor, &c, 1, &echo);
    put_echo(s, &echo);
}

static void help(struct ios_session *s, struct ios_router *r) {
    char before[IOS_INPUT_BYTES_MAX + 1];
    struct text out;
    text_init(&out);
    snprintf(before, sizeof before, "%.*s", s->editor.cursor, s->editor.line);
    enter(s, r);
    ios_help_put(r, before, &out);
    leave(s, r);
    put(s, "?\n");
    put(s, text_str(&out));
    text_deinit(&out);
    redraw(s, r);
}

/* IOS: the completed line stands on a new line, behind its prompt. */
static void complete(struct ios_session *s, struct ios_router *r) {
    struct text rest, hidden;
    text_init(&rest);
    text_init(&hidden);
    enter(s, r);
    bool found = s->editor.cursor == s->editor.size && ios_help_complete(r, s->editor.line, &rest);
    leave(s, r);
    if (found)
        ios_editor_insert(&s->editor, text_str(&rest), rest.size, &hidden);
    put(s, "\n");
    redraw(s, r);
    text_deinit(&rest);
    text_deinit(&hidden);
}

/* True: a line was run. */
static bool key(struct ios_session *s, struct ios_router *r, const struct ios_view *view, char c) {
    struct text echo;
    text_init(&echo);
    enum ios_key k = ios_editor_key(&s->editor, &s->t, c, &echo);
    put_echo(s, &echo);
    switch (k) {
    case IOS_KEY_NONE:
        return false;
    case IOS_KEY_LINE:
        line_typed(s, r, view);
        return true;
    case IOS_KEY_CANCEL:
    case IOS_KEY_END:
        interrupt(s, r, view, k == IOS_KEY_END);
        return true;
    case IOS_KEY_HELP:
        if (s->state == STATE_COMMAND)
            help(s, r);
        else
            insert(s, '?');
        return false;
    case IOS_KEY_REDRAW:
        put(s, "\n");
        if (s->state == STATE_COMMAND)
            redraw(s, r);
        return false;
    case IOS_KEY_COMPLETE:
        if (s->state == STATE_COMMAND)
            complete(s, r);
        return false;
    }
    return false;
}

/* ---- entry ---- */

struct ios_session *ios_session_new(struct ios_router *r, const struct ios_view *view, bool console,
                                    uint32_t number, const char *remote) {
    struct ios_session *s = alloc_zero(1, sizeof *s);
    if (!s)
        return NULL;
    s->console = console;
    s->number = number;
    s->t.width = IOS_TERMINAL_WIDTH;
    s->t.history_size = IOS_HISTORY_LINES;
    s->t.privilege = 1;
    s->t.active = view->now;
    s->t.monitor = console;
    snprintf(s->t.remote, sizeof s->t.remote, "%s", remote);
    if (console)
        snprintf(s->t.name, sizeof s->t.name, "con 0");
    else
        snprintf(s->t.name, sizeof s->t.name, "vty %u", number);
    text_init(&s->out);
    text_init(&s->page);
    text_init(&s->banner);
    struct ios_terminal **last = &r->terminals;
    while (*last)
        last = &(*last)->next;
    *last = &s->t;
    begin(s, r);
    return s;
}

void ios_session_free(struct ios_session *s, struct ios_router *r) {
    if (!s)
        return;
    struct ios_terminal **at = &r->terminals;
    while (*at && *at != &s->t)
        at = &(*at)->next;
    if (*at)
        *at = s->t.next;
    text_deinit(&s->out);
    text_deinit(&s->page);
    text_deinit(&s->banner);
    alloc_free(s);
}

static void take_window(struct ios_session *s) {
    if (!s->telnet.resized)
        return;
    s->telnet.resized = false;
    if (s->telnet.width)
        s->t.width = s->telnet.width;
    /* `terminal length 0` and the line's `length` are stronger than the window. */
    if (s->telnet.height && s->t.length == IOS_TERMINAL_LENGTH)
        s->t.length = s->telnet.height;
}

size_t ios_session_input(struct ios_session *s, struct ios_router *r, const struct ios_view *view,
                         const char *data, size_t size) {
    size_t at = 0;
    bool ran = false;
    if (size)
        s->t.active = view->now;
    while (at < size && !ran && s->state != STATE_ENDED) {
        char c;
        bool input = ios_telnet_input(&s->telnet, (uint8_t)data[at++], &s->out, &c);
        take_window(s);
        if (input && s->state == STATE_MORE)
            more_key(s, r, c);
        else if (input)
            ran = key(s, r, view, c);
    }
    return s->state == STATE_ENDED ? size : at;
}

struct text *ios_session_output(struct ios_session *s) {
    return &s->out;
}

void ios_session_log(struct ios_session *s, struct ios_router *r, const char *lines) {
    const struct ios_stmt *console = ios_block_first(r->root, "logging", "console", NULL);
    bool wanted = s->console ? !console || !console->negated : s->t.monitor;
    bool inside = s->state == STATE_COMMAND || s->state == STATE_MORE;
    if (!wanted || !inside || s->out.size > LOG_WAITING_MAX)
        return;
    put(s, "\n");
    put(s, lines);
    if (s->state == STATE_COMMAND)
        redraw(s, r);
}

bool ios_session_ended(const struct ios_session *s) {
    return s->state == STATE_ENDED;
}

struct nanotime ios_session_deadline(const struct ios_session *s) {
    bool inside = s->state >= STATE_COMMAND;
    uint64_t ms = inside ? s->line.timeout_ms : LOGIN_MS;
    return ms && s->state != STATE_ENDED ? nanotime_add_ms(s->t.active, ms) : NANOTIME_NEVER;
}

void ios_session_advance(struct ios_session *s, struct ios_router *r, struct nanotime now) {
    (void)r;
    if (nanotime_before(now, ios_session_deadline(s)))
        return;
    if (s->state == STATE_USERNAME)
        put(s, "\n% Username:  timeout expired!\n");
    else if (s->state == STATE_PASSWORD)
        put(s, "\n% Password:  timeout expired!\n");
    end(s);
}

void ios_router_adopt(struct ios_router *r, struct ios_router *old) {
    r->terminals = old->terminals;
    old->terminals = NULL;
    for (struct ios_terminal *t = r->terminals; t; t = t->next) {
        t->in_config = false;
        t->depth = 0;
    }
}
