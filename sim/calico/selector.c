/*
 * Owns the selector language: a recursive descent parser with a depth limit and the evaluation
 * over a sorted list of labels. What a selector selects is the planner's business.
 *
 *   selector := "" | or       or := and { "||" and }       and := op { "&&" op }
 *   op   := { "!" } ( "has(" label ")" | "all()" | "global()" | "(" or ")" | label test )
 *   test := "==" str | "!=" str | "contains" str | "starts with" str | "ends with" str
 *         | "in" set | "not in" set
 *   set  := "{" [ str { "," str } [","] ] "}"         str := '…' or "…", without escapes
 *
 * A blank is a space or a tab only: a newline is an error, as it is for Calico. A missing label
 * makes `!=` and `not in` true and every other test false. `!` binds to the operation behind it.
 *
 * Invariants: a tree is never deeper than a few levels per nested parenthesis, so evaluation may
 * recurse; operands of || and && form a list, so their number is not limited by the stack.
 */
#include "selector.h"

#include "../yaml/yaml_pasted.h"

#include "../../speaker/base/arena.h"
#include "resources.h"

#include <string.h>

enum selector_kind {
    SELECTOR_ALL,
    SELECTOR_GLOBAL,
    SELECTOR_HAS,
    SELECTOR_EQUAL,
    SELECTOR_NOT_EQUAL,
    SELECTOR_CONTAINS,
    SELECTOR_STARTS_WITH,
    SELECTOR_ENDS_WITH,
    SELECTOR_IN,
    SELECTOR_NOT_IN,
    SELECTOR_AND,
    SELECTOR_OR,
};

struct selector_value {
    const char *text;
    const struct selector_value *next;
};

struct selector {
    enum selector_kind kind;
    bool negate;
    const char *label;
    const char *value;
    const struct selector_value *set;
    struct selector *first, *next; /* operands of AND and OR */
};

struct parser {
    const char *text;
    size_t at;
    struct arena *arena;
    unsigned depth;
    struct selector_error *error;
    bool failed;
};

static struct selector *parse_or(struct parser *p);

/* ---- errors and characters ---- */

static void *fail_at(struct parser *p, size_t offset, const char *message) {
    if (!p->failed) {
        p->failed = true;
        p->error->offset = offset;
        p->error->message = message ? message : "out of memory";
    }
    return NULL;
}

static void *fail(struct parser *p, const char *message) {
    return fail_at(p, p->at, message);
}

static void skip_blanks(struct parser *p) {
    while (p->text[p->at] == ' ' || p->text[p->at] == '\t')
        p->at++;
}

static bool is_label_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_./-", c) != NULL);
}

static size_t label_span(const char *s) {
    size_t n = 0;
    while (is_label_char(s[n]))
        n++;
    return n;
}

static bool take(struct parser *p, const char *token) {
    size_t size = strlen(token);
    if (strncmp(p->text + p->at, token, size) != 0)
        return false;
    p->at += size;
    return true;
}

/* A word operator; it must end where a label would. */
static bool take_word(struct parser *p, const char *word) {
    size_t size = strlen(word);
    const char *s = p->text + p->at;
    if (strncmp(s, word, size) != 0 || is_label_char(s[size]))
        return false;
    p->at += size;
    return true;
}

/* "starts with" and "startswith". */
static bool take_words(struct parser *p, const char *first, const char *second) {
    size_t start = p->at;
    if (!take(p, first))
        return false;
    skip_blanks(p);
    if (take_word(p, second))
        return true;
    p->at = start;
    return false;
}

static struct selector *make(struct parser *p, enum selector_kind kind) {
    struct selector *s = arena_alloc(p->arena, sizeof *s);
    if (!s)
        return fail(p, NULL);
    s->kind = kind;
    return s;
}

/* ---- literals ---- */

static const char *parse_string(struct parser *p, const char *expected) {
    skip_blanks(p);
    char quote = p->text[p->at];
    if (quote != '\'' && quote != '"')
        return fail(p, expected);
    const char *begin = p->text + p->at + 1;
    const char *end = strchr(begin, quote);
    if (!end)
        return fail(p, "unterminated string");
    p->at = (size_t)(end + 1 - p->text);
    const char *value = arena_strndup(p->arena, begin, (size_t)(end - begin));
    return value ? value : fail(p, NULL);
}

static bool parse_set(struct parser *p, struct selector *s) {
    skip_blanks(p);
    if (!take(p, "{"))
        return fail(p, "expected a set: {'a', 'b'}") != NULL;
    skip_blanks(p);
    while (!take(p, "}")) {
        if (s->set && !take(p, ","))
            return fail(p, "expected , or } in the set") != NULL;
        skip_blanks(p);
        if (s->set && take(p, "}"))
            return true;
        struct selector_value *v = arena_alloc(p->arena, sizeof *v);
        if (!v)
            return fail(p, NULL) != NULL;
        v->text = parse_string(p, "expected a quoted string or } in the set");
        if (!v->text)
            return false;
        v->next = s->set;
        s->set = v;
        skip_blanks(p);
    }
    return true;
}

static char *parse_label(struct parser *p) {
    size_t size = label_span(p->text + p->at);
    if (size == 0)
        return fail(p, "expected a label name");
    if (size > SELECTOR_LABEL_MAX)
        return fail(p, "a label name has at most 512 characters");
    char *label = arena_strndup(p->arena, p->text + p->at, size);
    if (!label)
        return fail(p, NULL);
    p->at += size;
    return label;
}

/* ---- operations ---- */

static struct selector *parse_test_value(struct parser *p, struct selector *s) {
    const char *expected = "expected a quoted string: 'value'";
    if (s->kind == SELECTOR_IN || s->kind == SELECTOR_NOT_IN)
        return parse_set(p, s) ? s : NULL;
    skip_blanks(p);
    if (yaml_pasted_quote(p->text + p->at))
        expected = "expected a quoted string: 'value', not one in typographic quotes";
    s->value = parse_string(p, expected);
    return s->value ? s : NULL;
}

static bool take_operator(struct parser *p, enum selector_kind *ret_kind) {
    if (take(p, "=="))
        *ret_kind = SELECTOR_EQUAL;
    else if (take(p, "!="))
        *ret_kind = SELECTOR_NOT_EQUAL;
    else if (take_word(p, "contains"))
        *ret_kind = SELECTOR_CONTAINS;
    else if (take_words(p, "starts", "with"))
        *ret_kind = SELECTOR_STARTS_WITH;
    else if (take_words(p, "ends", "with"))
        *ret_kind = SELECTOR_ENDS_WITH;
    else if (take_word(p, "in"))
        *ret_kind = SELECTOR_IN;
    else if (take_words(p, "not", "in"))
        *ret_kind = SELECTOR_NOT_IN;
    else
        return false;
    return true;
}

static struct selector *parse_test(struct parser *p, bool negated) {
    size_t start = p->at;
    char *label = parse_label(p);
    if (!label)
        return NULL;
    skip_blanks(p);
    enum selector_kind kind;
    if (!take_operator(p, &kind)) {
        char c = p->text[p->at];
        if (c == '=')
            return fail(p, "expected == (a single = is no operator)");
        return fail_at(p, c == '\0' || c == ')' || c == '&' || c == '|' ? start : p->at,
                       arena_printf(p->arena,
                                    "expected an operator after label \"%.100s\"; to ask whether "
                                    "it is present write %shas(%.100s)",
                                    label, negated ? "!" : "", label));
    }
    struct selector *s = make(p, kind);
    if (!s)
        return NULL;
    s->label = label;
    return parse_test_value(p, s);
}

static struct selector *close_call(struct parser *p, struct selector *s) {
    skip_blanks(p);
    if (s && !take(p, ")"))
        return fail(p, "expected )");
    return s;
}

static struct selector *parse_has(struct parser *p) {
    struct selector *s = make(p, SELECTOR_HAS);
    skip_blanks(p);
    if (!s || !(s->label = parse_label(p)))
        return NULL;
    return close_call(p, s);
}

static struct selector *parse_parenthesis(struct parser *p) {
    if (++p->depth > SELECTOR_DEPTH_MAX)
        return fail(p, "too many nested parentheses");
    struct selector *s = close_call(p, parse_or(p));
    p->depth--;
    return s;
}

static struct selector *parse_operation(struct parser *p) {
    bool negate = false, negated = false;
    skip_blanks(p);
    while (take(p, "!")) {
        negate = !negate;
        negated = true;
        skip_blanks(p);
    }
    struct selector *s;
    if (take(p, "has("))
        s = parse_has(p);
    else if (take(p, "all("))
        s = close_call(p, make(p, SELECTOR_ALL));
    else if (take(p, "global("))
        s = close_call(p, make(p, SELECTOR_GLOBAL));
    else if (take(p, "("))
        s = parse_parenthesis(p);
    else
        s = parse_test(p, negated);
    if (s && negate)
        s->negate = !s->negate;
    return s;
}

/* One or more operands joined by `token`; a single one stands for itself. */
static struct selector *parse_joined(struct parser *p, const char *token, enum selector_kind kind,
                                     struct selector *(*operand)(struct parser *)) {
    struct selector *first = operand(p);
    if (!first)
        return NULL;
    skip_blanks(p);
    if (strncmp(p->text + p->at, token, 2) != 0)
        return first;
    struct selector *s = make(p, kind);
    if (!s)
        return NULL;
    s->first = first;
    struct selector **tail = &first->next;
    while (take(p, token)) {
        *tail = operand(p);
        if (!*tail)
            return NULL;
        tail = &(*tail)->next;
        skip_blanks(p);
    }
    return s;
}

static struct selector *parse_and(struct parser *p) {
    return parse_joined(p, "&&", SELECTOR_AND, parse_operation);
}

static struct selector *parse_or(struct parser *p) {
    return parse_joined(p, "||", SELECTOR_OR, parse_and);
}

static const char *trailing_message(char c) {
    switch (c) {
    case '&':
        return "expected && (a single & is no operator)";
    case '|':
        return "expected || (a single | is no operator)";
    case '\n':
    case '\r':
        return "a line break is not allowed in a selector (with a YAML block write >- or |-)";
    case '=':
        return "expected a label name before =";
    }
    return "unexpected text after the expression";
}

const struct selector *selector_parse(const char *text, struct arena *arena,
                                      struct selector_error *ret_error) {
    struct parser p = {.text = text, .arena = arena, .error = ret_error};
    skip_blanks(&p);
    if (text[p.at] == '\0')
        return make(&p, SELECTOR_ALL);
    struct selector *s = parse_or(&p);
    if (!s)
        return NULL;
    skip_blanks(&p);
    if (text[p.at] != '\0')
        return fail(&p, trailing_message(text[p.at]));
    return s;
}

/* ---- evaluation ---- */

static const char *label_find(const struct calico_label *labels, size_t count, const char *name) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = strcmp(labels[middle].name, name);
        if (c == 0)
            return labels[middle].value;
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static bool set_has(const struct selector_value *v, const char *value) {
    for (; v; v = v->next)
        if (strcmp(v->text, value) == 0)
            return true;
    return false;
}

static bool test_matches(const struct selector *s, const char *value) {
    switch (s->kind) {
    case SELECTOR_HAS:
        return value != NULL;
    case SELECTOR_EQUAL:
        return value && strcmp(value, s->value) == 0;
    case SELECTOR_NOT_EQUAL:
        return !value || strcmp(value, s->value) != 0;
    case SELECTOR_CONTAINS:
        return value && strstr(value, s->value) != NULL;
    case SELECTOR_STARTS_WITH:
        return value && strncmp(value, s->value, strlen(s->value)) == 0;
    case SELECTOR_ENDS_WITH:
        return value && ends_with(value, s->value);
    case SELECTOR_IN:
        return value && set_has(s->set, value);
    case SELECTOR_NOT_IN:
        return !value || !set_has(s->set, value);
    case SELECTOR_ALL:
    case SELECTOR_GLOBAL:
    case SELECTOR_AND:
    case SELECTOR_OR:
        break;
    }
    return true;
}

bool selector_matches(const struct selector *s, const struct calico_label *labels, size_t count) {
    bool holds = s->kind != SELECTOR_OR;
    if (s->kind == SELECTOR_AND || s->kind == SELECTOR_OR) {
        /* The first operand that differs from the neutral value decides. */
        for (const struct selector *o = s->first; o; o = o->next)
            if (selector_matches(o, labels, count) != holds) {
                holds = !holds;
                break;
            }
    } else {
        holds = test_matches(s, s->label ? label_find(labels, count, s->label) : NULL);
    }
    return holds != s->negate;
}

size_t selector_tests(const struct selector *s, struct selector_test *ret_tests, size_t max) {
    size_t count = 0;
    if (s->negate || s->kind == SELECTOR_NOT_EQUAL || s->kind == SELECTOR_NOT_IN)
        return 0;
    if (s->label && max > 0)
        ret_tests[count++] =
            (struct selector_test){s->label, s->kind == SELECTOR_EQUAL ? s->value : NULL};
    for (const struct selector *o = s->first; o; o = o->next)
        count += selector_tests(o, ret_tests + count, max - count);
    return count;
}

bool selector_uses_global(const struct selector *s) {
    if (s->kind == SELECTOR_GLOBAL)
        return true;
    for (const struct selector *o = s->first; o; o = o->next)
        if (selector_uses_global(o))
            return true;
    return false;
}
