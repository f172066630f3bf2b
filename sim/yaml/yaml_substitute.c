/*
 * yaml_substitute.c: parameters of a scenario put into its scalars.
 *
 * Owns: "${name}", its escape "$${", and the limit on what a scalar may grow to.
 * Leaves to others: where parameters come from (the scenario reader).
 *
 * Invariants: keys are left alone, so that no substitution can make a duplicate key; text that was
 * put in is not looked at again, so that a value cannot name another parameter. A scalar that is
 * nothing but one "${name}" becomes what the value is without quotes: `count: "${nodes}"` is a
 * number, since YAML's flow style forces the quotes on the writer.
 */

#include "yaml.h"
#include "yaml_limits.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

#include <string.h>

struct substitution {
    const struct yaml_parameter *parameters;
    size_t count;
    struct arena *arena;
    struct diag_list *diags;
    bool ok;
};

static void report_unknown(struct substitution *s, const struct yaml_node *n, const char *name) {
    const char *near = NULL;
    const char **names = s->count ? arena_array(s->arena, s->count, sizeof(*names)) : NULL;
    for (size_t i = 0; names && i < s->count; i++)
        names[i] = s->parameters[i].name;
    if (names)
        near = text_nearest(name, names, s->count);
    diag_add(s->diags, DIAG_ERROR, yaml_place(n), "unknown-parameter",
             near ? "unknown parameter \"%.80s\" (did you mean \"%s\"?)"
                  : "unknown parameter \"%.80s\"",
             name, near);
    s->ok = false;
}

static const char *value_of(struct substitution *s, const struct yaml_node *n, const char *name) {
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->parameters[i].name, name) == 0)
            return s->parameters[i].value;
    report_unknown(s, n, name);
    return NULL;
}

/* `p` is behind "${". Returns where to go on, or NULL after a finding. */
static const char *put_parameter(struct substitution *s, const struct yaml_node *n, const char *p,
                                 struct text *out) {
    const char *end = strchr(p, '}');
    char *name = end ? arena_strndup(s->arena, p, (size_t)(end - p)) : NULL;
    if (!name) {
        diag_add(s->diags, DIAG_ERROR, yaml_place(n), "unknown-parameter",
                 "\"${\" without \"}\"; \"$${\" stands for the two characters themselves");
        s->ok = false;
        return NULL;
    }
    const char *value = value_of(s, n, name);
    if (!value)
        return NULL;
    text_puts(out, value);
    return end + 1;
}

static bool expand(struct substitution *s, const struct yaml_node *n, struct text *out) {
    const char *p = n->text;
    while (*p) {
        if (strncmp(p, "$${", 3) == 0) {
            text_puts(out, "${");
            p += 3;
        } else if (strncmp(p, "${", 2) == 0) {
            p = put_parameter(s, n, p + 2, out);
            if (!p)
                return false;
        } else {
            text_putc(out, *p++);
        }
        if (out->size > YAML_SUBSTITUTED_BYTES_MAX) {
            diag_add(s->diags, DIAG_ERROR, yaml_place(n), "yaml-limit",
                     "longer than %d bytes with its parameters put in", YAML_SUBSTITUTED_BYTES_MAX);
            return false;
        }
    }
    return true;
}

static void substitute_scalar(struct substitution *s, struct yaml_node *n) {
    struct text out;
    if (!strstr(n->text, "${"))
        return;
    bool only_parameter =
        strncmp(n->text, "${", 2) == 0 && strchr(n->text, '}') && strchr(n->text, '}')[1] == 0;
    text_init(&out);
    if (expand(s, n, &out) && !out.failed) {
        const char *text = arena_strndup(s->arena, text_str(&out), out.size);
        if (text) {
            n->text = text;
            n->quoted = n->quoted && !only_parameter;
        } else {
            s->ok = false;
        }
    } else {
        s->ok = false;
    }
    text_deinit(&out);
}

/* As deep as the tree: YAML_DEPTH_MAX at most. */
static void substitute(struct substitution *s, struct yaml_node *n) {
    switch (n->kind) {
    case YAML_NULL:
        break;
    case YAML_SCALAR:
        substitute_scalar(s, n);
        break;
    case YAML_SEQUENCE:
    case YAML_MAPPING:
        for (uint32_t i = 0; i < n->count; i++)
            substitute(s, n->items[i]);
        break;
    }
}

bool yaml_substitute(struct yaml_node *root, const struct yaml_parameter *parameters, size_t count,
                     struct arena *arena, struct diag_list *diags) {
    struct substitution s = {parameters, count, arena, diags, true};
    substitute(&s, root);
    return s.ok;
}
