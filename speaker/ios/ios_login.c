/*
 * Lines and who may use them.
 *
 * Owns: the settings of `line console` and `line vty`, passwords of types 0, 5 and 7, users. IOS:
 * a vty asks for a password unless told otherwise and turns everybody away while there is none; the
 * console asks for nothing. Telnet must be allowed by `transport input telnet` or `all`.
 *
 * Hashes of types 4, 8 and 9 are not computed: any password that is not empty passes for them, so
 * that a configuration pasted from a real router can be logged in to. They guard a rehearsal, not a
 * network.
 */
#include "ios_login.h"
#include "ios_options.h"

#include <crypt.h>
#include <stdio.h>
#include <string.h>

#define PASSWORD_BYTES_MAX 256
#define OPTION_WORDS_MAX 6
#define IDLE_MINUTES 10

/* A statement's words from `from` on, cut at blanks: some stand as one rest of a line. */
struct option_words {
    char text[PASSWORD_BYTES_MAX];
    const char *at[OPTION_WORDS_MAX];
    size_t count;
};

static void words_read(const struct ios_stmt *s, uint16_t from, struct option_words *w) {
    struct text all;
    text_init(&all);
    for (uint16_t i = from; i < s->count; i++)
        text_printf(&all, "%s%s", i > from ? " " : "", s->words[i]);
    snprintf(w->text, sizeof w->text, "%s", text_str(&all));
    text_deinit(&all);
    w->count = 0;
    char *rest = w->text, *word;
    while (w->count < OPTION_WORDS_MAX && (word = strsep(&rest, " ")))
        if (*word)
            w->at[w->count++] = word;
}

static const char *word_at(const struct option_words *w, size_t index) {
    return index < w->count ? w->at[index] : "";
}

static uint64_t number_at(const struct option_words *w, size_t index, uint64_t max) {
    uint64_t n = 0;
    return text_to_u64(word_at(w, index), 0, max, &n) ? n : 0;
}

/* ---- lines ---- */

static uint64_t word_number(const struct ios_stmt *s, uint16_t index) {
    uint64_t n = 0;
    return text_to_u64(ios_stmt_word(s, index), 0, 999, &n) ? n : 0;
}

/* Is this the block of that line? `line vty 0 4`, `line con 0`. */
static bool is_line(const struct ios_stmt *s, bool console, uint32_t number) {
    if (!s->children || s->row->next != IOS_TTY || !ios_stmt_is(s, 1, console ? "console" : "vty"))
        return false;
    uint64_t from = word_number(s, 2), to = s->count > 3 ? word_number(s, 3) : from;
    return console || (number >= from && number <= to);
}

typedef void each_option_fn(void *context, const struct ios_stmt *s);

static void each_option(const struct ios_router *r, bool console, uint32_t number,
                        each_option_fn *each, void *context) {
    for (uint32_t i = 0; i < r->root->count; i++) {
        const struct ios_stmt *line = r->root->items[i];
        for (uint32_t k = 0; is_line(line, console, number) && k < line->children->count; k++)
            each(context, line->children->items[k]);
    }
}

static void read_option(void *context, const struct ios_stmt *s) {
    struct ios_line_config *c = context;
    struct option_words w;
    words_read(s, 1, &w);
    if (ios_stmt_is(s, 0, "login"))
        c->login = s->negated                             ? IOS_LOGIN_NONE
                   : strcmp(word_at(&w, 0), "local") == 0 ? IOS_LOGIN_LOCAL
                                                          : IOS_LOGIN_PASSWORD;
    else if (ios_stmt_is(s, 0, "password"))
        c->password_set = !s->negated;
    else if (ios_stmt_is(s, 0, "privilege") && !s->negated)
        c->privilege = (uint8_t)number_at(&w, 1, 15);
    else if (ios_stmt_is(s, 0, "exec-timeout"))
        c->timeout_ms = s->negated ? 0
                                   : number_at(&w, 0, 35791) * UINT64_C(60000) +
                                         number_at(&w, 1, 2147483) * UINT64_C(1000);
    else if (ios_stmt_is(s, 0, "length") && !s->negated)
        c->length = (uint32_t)number_at(&w, 0, 512);
}

struct ios_line_config ios_line_config(const struct ios_router *r, bool console, uint32_t number) {
    struct ios_line_config c = {.login = console ? IOS_LOGIN_NONE : IOS_LOGIN_PASSWORD,
                                .privilege = 1,
                                .timeout_ms = IDLE_MINUTES * UINT64_C(60000),
                                .length = 24};
    each_option(r, console, number, read_option, &c);
    return c;
}

static void read_transport(void *context, const struct ios_stmt *s) {
    bool *telnet = context;
    struct option_words w;
    if (!ios_stmt_is(s, 0, "transport"))
        return;
    words_read(s, 1, &w);
    if (strcmp(word_at(&w, 0), "input") != 0)
        return;
    *telnet = false;
    for (size_t i = 1; i < w.count && !s->negated; i++)
        *telnet |= strcmp(w.at[i], "telnet") == 0 || strcmp(w.at[i], "all") == 0;
}

uint32_t ios_telnet_lines(const struct ios_router *r) {
    uint32_t count = 0;
    for (uint32_t n = 0; n < IOS_VTY_LINES_MAX; n++) {
        bool telnet = false;
        each_option(r, false, n, read_transport, &telnet);
        if (!telnet)
            break;
        count++;
    }
    return count;
}

/* ---- passwords ---- */

static bool check_md5(const char *hash, const char *password) {
    struct crypt_data data;
    memset(&data, 0, sizeof data);
    const char *made = crypt_r(password, hash, &data);
    return made && strcmp(made, hash) == 0;
}

/* `[TYPE] TEXT` from word `at` on. */
static bool check(const struct option_words *w, size_t at, const char *password) {
    bool typed = at + 1 < w->count && strlen(w->at[at]) == 1;
    const char *text = word_at(w, at + typed);
    char plain[PASSWORD_BYTES_MAX];
    if (typed && strchr("489", w->at[at][0]))
        return *password != '\0';
    if (typed && w->at[at][0] == '5')
        return check_md5(text, password);
    if (typed && w->at[at][0] == '7') {
        ios_password_type7(text, plain, sizeof plain);
        text = plain;
    }
    return *text && strcmp(text, password) == 0;
}

struct attempt {
    const char *password;
    bool right;
};

static void try_password(void *context, const struct ios_stmt *s) {
    struct attempt *a = context;
    struct option_words w;
    if (!ios_stmt_is(s, 0, "password") || s->negated)
        return;
    words_read(s, 1, &w);
    a->right = check(&w, 0, a->password);
}

bool ios_check_line_password(const struct ios_router *r, bool console, uint32_t number,
                             const char *password) {
    struct attempt a = {.password = password};
    each_option(r, console, number, try_password, &a);
    return a.right;
}

/* username NAME [privilege N] {password|secret} [TYPE] TEXT; options may stand in several lines. */
static bool user_line(const struct ios_stmt *s, const char *user, const char *password,
                      uint8_t *privilege) {
    struct option_words w;
    words_read(s, 1, &w);
    if (strcmp(word_at(&w, 0), user) != 0)
        return false;
    for (size_t i = 1; i < w.count; i++) {
        if (strcmp(w.at[i], "privilege") == 0)
            *privilege = (uint8_t)number_at(&w, i + 1, 15);
        if (strcmp(w.at[i], "password") == 0 || strcmp(w.at[i], "secret") == 0)
            return check(&w, i + 1, password);
    }
    return false;
}

bool ios_check_user(const struct ios_router *r, const char *user, const char *password,
                    uint8_t *ret_privilege) {
    bool right = false;
    uint8_t privilege = 1;
    for (uint32_t i = 0; i < r->root->count; i++) {
        const struct ios_stmt *s = r->root->items[i];
        if (ios_stmt_is(s, 0, "username") && !s->negated)
            right |= user_line(s, user, password, &privilege);
    }
    if (right)
        *ret_privilege = privilege;
    return right;
}

/* IOS: with both, the secret is what counts. */
enum ios_enable ios_check_enable(const struct ios_router *r, const char *password) {
    static const char *const KINDS[] = {"secret", "password"};
    for (size_t kind = 0; kind < 2; kind++)
        for (uint32_t i = 0; i < r->root->count; i++) {
            const struct ios_stmt *s = r->root->items[i];
            struct option_words w;
            if (!ios_stmt_is(s, 0, "enable") || s->negated)
                continue;
            words_read(s, 1, &w);
            if (strcmp(word_at(&w, 0), KINDS[kind]) == 0)
                return password && check(&w, 1, password) ? IOS_ENABLE_RIGHT : IOS_ENABLE_WRONG;
        }
    return IOS_ENABLE_UNSET;
}
