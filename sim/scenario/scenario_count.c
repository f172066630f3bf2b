/*
 * Numbers that follow from a parameter.
 *
 * Owns: the arithmetic of `count: "${nodes} * (${nodes} - 1) / 2"`, so that a scenario's expected
 * number of sessions is right at whatever size it is run.
 * Leaves to others: putting the parameters in (sim/yaml).
 *
 * Invariants: unsigned 64-bit values; overflow, a negative intermediate result, a division that
 * leaves a rest and more than DEPTH_MAX parentheses are refused, never wrapped or rounded.
 */

#include "scenario_internal.h"

#define DEPTH_MAX 16

struct expression {
    const char *at;
    unsigned depth;
    const char *why; /* set by the first thing that is wrong */
};

static uint64_t sum(struct expression *e);

static uint64_t fail(struct expression *e, const char *why) {
    if (!e->why)
        e->why = why;
    return 0;
}

static char peek(struct expression *e) {
    while (*e->at == ' ')
        e->at++;
    return *e->at;
}

static uint64_t number(struct expression *e) {
    uint64_t value = 0;
    if (peek(e) < '0' || *e->at > '9')
        return fail(e, "a number or \"(\" is missing");
    for (; *e->at >= '0' && *e->at <= '9'; e->at++)
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*e->at - '0'), &value))
            return fail(e, "too large");
    return value;
}

static uint64_t factor(struct expression *e) {
    if (peek(e) != '(')
        return number(e);
    if (e->depth == DEPTH_MAX)
        return fail(e, "too many parentheses");
    e->depth++;
    e->at++;
    uint64_t value = sum(e);
    if (peek(e) != ')')
        return fail(e, "\")\" is missing");
    e->at++;
    e->depth--;
    return value;
}

static uint64_t product(struct expression *e) {
    uint64_t value = factor(e);
    while (!e->why && (peek(e) == '*' || *e->at == '/')) {
        char sign = *e->at++;
        uint64_t other = factor(e);
        if (sign == '/' && (other == 0 || value % other != 0))
            return fail(e, "the division leaves a rest");
        if (sign == '/')
            value /= other;
        else if (__builtin_mul_overflow(value, other, &value))
            return fail(e, "too large");
    }
    return value;
}

static uint64_t sum(struct expression *e) {
    uint64_t value = product(e);
    while (!e->why && (peek(e) == '+' || *e->at == '-')) {
        char sign = *e->at++;
        uint64_t other = product(e);
        if (sign == '-' && other > value)
            return fail(e, "less than zero");
        if (sign == '-')
            value -= other;
        else if (__builtin_add_overflow(value, other, &value))
            return fail(e, "too large");
    }
    return value;
}

bool scenario_read_count(const struct yaml_node *n, const char *name, struct diag_list *diags,
                         uint64_t *ret_count) {
    const char *text;
    if (!yaml_string(n, name, diags, &text))
        return false;
    struct expression e = {.at = text};
    uint64_t value = sum(&e);
    if (!e.why && peek(&e) != 0)
        fail(&e, "an operator (+ - * /) is missing");
    if (e.why) {
        diag_add(diags, DIAG_ERROR, yaml_place(n), "wrong-type",
                 "%s: \"%.80s\" is not a number or arithmetic like 10 * 9 / 2: %s", name, text,
                 e.why);
        return false;
    }
    *ret_count = value;
    return true;
}
