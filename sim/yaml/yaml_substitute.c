/*
 * Parameters of a scenario put into its scalars; items of a list repeated.
 *
 * Owns: "${name}", its escape "$${", and the limit on what a scalar may grow to; in a sequence the
 * item {repeat: N, as: name, each: …}, which stands for N items with ${name} from 1 to N (where
 * `each` is a sequence itself, for N times its items).
 * Leaves to others: where parameters come from (the scenario reader).
 *
 * Invariants: keys are left alone, so that no substitution can make a duplicate key; text that was
 * put in is not looked at again, so that a value cannot name another parameter. A scalar that is
 * nothing but one "${name}" becomes what the value is without quotes: `count: "${nodes}"` is a
 * number, since YAML's flow style forces the quotes on the writer. Repetition ends at
 * YAML_NODES_MAX nodes in all; copies keep the place of what they are copies of.
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
    size_t *copied;   /* nodes, by repetition */
    size_t *expanded; /* octets, of all scalars */
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
    bool fits = expand(s, n, &out) && !out.failed;
    *s->expanded += out.size;
    if (fits && *s->expanded > YAML_BYTES_MAX) {
        diag_add(s->diags, DIAG_ERROR, yaml_place(n), "yaml-limit",
                 "longer than %d bytes in all with parameters put in", YAML_BYTES_MAX);
        fits = false;
    }
    if (fits) {
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

static void substitute_items(struct substitution *s, struct yaml_node *n);

/* As deep as the tree: YAML_DEPTH_MAX at most. */
static void substitute(struct substitution *s, struct yaml_node *n) {
    switch (n->kind) {
    case YAML_NULL:
        break;
    case YAML_SCALAR:
        substitute_scalar(s, n);
        break;
    case YAML_SEQUENCE:
        substitute_items(s, n);
        break;
    case YAML_MAPPING:
        for (uint32_t i = 0; i < n->count; i++)
            substitute(s, n->items[i]);
        break;
    }
}

/* ---- repeated items ---- */

static const struct yaml_node *repeated(const struct yaml_node *item) {
    return item->kind == YAML_MAPPING && yaml_get(item, "repeat") ? yaml_get(item, "each") : NULL;
}

static struct yaml_node *copy(struct substitution *s, const struct yaml_node *n) {
    struct yaml_node *c =
        (*s->copied)++ < YAML_NODES_MAX ? arena_alloc(s->arena, sizeof(*c)) : NULL;
    if (!c)
        return NULL;
    *c = *n;
    if (n->count) /* keys are never changed: both have the same */
        c->items = arena_array(s->arena, n->count, sizeof(struct yaml_node *));
    for (uint32_t i = 0; c->items && i < n->count; i++) {
        c->items[i] = copy(s, n->items[i]);
        if (!c->items[i])
            return NULL;
    }
    return n->count && !c->items ? NULL : c;
}

struct sequence {
    struct yaml_node **items;
    uint32_t count, capacity;
};

static bool sequence_add(struct substitution *s, struct sequence *q, struct yaml_node *n) {
    if (n && q->count == q->capacity) {
        uint32_t capacity = q->capacity ? q->capacity * 2 : 16;
        struct yaml_node **items = arena_array(s->arena, capacity, sizeof(struct yaml_node *));
        if (items && q->count)
            memcpy(items, q->items, q->count * sizeof(*items));
        q->items = items;
        q->capacity = capacity;
    }
    if (n && q->items)
        q->items[q->count++] = n;
    return n && q->items;
}

static bool add_copy(struct substitution *s, struct sequence *q, const struct yaml_node *each) {
    struct yaml_node *c = copy(s, each);
    if (c)
        substitute(s, c);
    if (!c || c->kind != YAML_SEQUENCE)
        return sequence_add(s, q, c);
    for (uint32_t i = 0; i < c->count; i++)
        if (!sequence_add(s, q, c->items[i]))
            return false;
    return true;
}

static bool repeat_item(struct substitution *s, struct sequence *q, struct yaml_node *item,
                        const struct yaml_node *each) {
    static const char *const known[] = {"repeat", "as", "each"};
    struct yaml_node *times = (struct yaml_node *)(uintptr_t)yaml_get(item, "repeat");
    const struct yaml_node *as = yaml_get(item, "as");
    struct yaml_parameter *all = arena_array(s->arena, s->count + 1, sizeof(*all));
    struct substitution inner = *s;
    uint64_t count = 0;
    substitute(s, times);
    s->ok = yaml_check_keys(item, known, 3, "repeat", s->diags) == 0 &&
            yaml_u64(times, "repeat", 0, YAML_REPEAT_MAX, s->diags, &count) && all && s->ok;
    if (!s->ok)
        return all != NULL;
    if (s->count)
        memcpy(all, s->parameters, s->count * sizeof(*all));
    inner.parameters = all;
    all[inner.count].name = "";
    if (as && !yaml_string(as, "as", s->diags, &all[inner.count].name))
        inner.ok = false;
    inner.count++;
    bool room = true;
    for (uint64_t i = 1; inner.ok && room && i <= count; i++) {
        all[inner.count - 1].value = arena_printf(s->arena, "%lu", (unsigned long)i);
        room = all[inner.count - 1].value && add_copy(&inner, q, each);
    }
    s->ok = inner.ok;
    return room;
}

static void substitute_items(struct substitution *s, struct yaml_node *n) {
    struct sequence q = {0};
    bool any = false, room = true;
    for (uint32_t i = 0; i < n->count; i++)
        any |= repeated(n->items[i]) != NULL;
    for (uint32_t i = 0; room && i < n->count; i++) {
        const struct yaml_node *each = repeated(n->items[i]);
        if (each)
            room = repeat_item(s, &q, n->items[i], each);
        else
            substitute(s, n->items[i]);
        if (any && !each)
            room = sequence_add(s, &q, n->items[i]);
    }
    if (!room) {
        diag_add(s->diags, DIAG_ERROR, yaml_place(n), "yaml-limit",
                 "repeat: more than %d values, or no memory for them", YAML_NODES_MAX);
        s->ok = false;
    } else if (any) {
        n->items = q.items;
        n->count = q.count;
    }
}

bool yaml_substitute(struct yaml_node *root, const struct yaml_parameter *parameters, size_t count,
                     struct arena *arena, struct diag_list *diags) {
    size_t copied = 0, expanded = 0;
    struct substitution s = {parameters, count, arena, diags, true, &copied, &expanded};
    substitute(&s, root);
    return s.ok;
}
