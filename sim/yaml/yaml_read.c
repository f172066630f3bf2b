/*
 * What a field of a YAML tree means, decided by the reader's schema.
 *
 * Owns: lookup in mappings, unknown keys, and scalars as text, number, truth value, duration or one
 * of a set of words. Numbers are decimal digits only: 0x10, 010, 1e3, 1:30, +5 and 1_000 are
 * refused with the range that would be right, and NO is a text, not false.
 * Leaves to others: the tree itself (yaml.c).
 *
 * Invariants: an out-parameter is written on success only; NULL nodes are "not given" and silent;
 * every refusal says the place, the field, what stood there and what would be right.
 */

#include "yaml.h"

#include "../../speaker/base/text.h"

#include <ctype.h>
#include <string.h>

#define SHOWN_BYTES_MAX 80 /* of a value repeated in a message */

struct diag_place yaml_place(const struct yaml_node *n) {
    if (!n)
        return (struct diag_place){NULL, 0, 0};
    return (struct diag_place){n->file, n->line, n->column};
}

static bool find_key(const struct yaml_node *mapping, const char *key, uint32_t *ret_index) {
    if (!mapping || mapping->kind != YAML_MAPPING)
        return false;
    for (uint32_t i = 0; i < mapping->count; i++) {
        if (strcmp(mapping->keys[i]->text, key) == 0) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key) {
    uint32_t i;
    return find_key(mapping, key, &i) ? mapping->items[i] : NULL;
}

const struct yaml_node *yaml_key(const struct yaml_node *mapping, const char *key) {
    uint32_t i;
    return find_key(mapping, key, &i) ? mapping->keys[i] : NULL;
}

static bool is_known(const char *word, const char *const *known, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, known[i]) == 0)
            return true;
    return false;
}

size_t yaml_check_keys(const struct yaml_node *mapping, const char *const *known,
                       size_t known_count, const char *what, struct diag_list *diags) {
    size_t unknown = 0;
    if (!mapping || mapping->kind != YAML_MAPPING)
        return 0;
    for (uint32_t i = 0; i < mapping->count; i++) {
        const struct yaml_node *key = mapping->keys[i];
        if (is_known(key->text, known, known_count))
            continue;
        unknown++;
        const char *near = text_nearest(key->text, known, known_count);
        if (near)
            diag_add(diags, DIAG_ERROR, yaml_place(key), "unknown-field",
                     "%s: unknown field \"%.*s\" (did you mean \"%s\"?)", what, SHOWN_BYTES_MAX,
                     key->text, near);
        else
            diag_add(diags, DIAG_ERROR, yaml_place(key), "unknown-field",
                     "%s: unknown field \"%.*s\"", what, SHOWN_BYTES_MAX, key->text);
    }
    return unknown;
}

/* "wrong-type" for anything that is not a scalar; `wanted` completes "must be …". */
static bool is_scalar(const struct yaml_node *n, const char *name, const char *wanted,
                      struct diag_list *diags) {
    static const char *const kinds[] = {
        [YAML_NULL] = "nothing",
        [YAML_SCALAR] = "a value",
        [YAML_SEQUENCE] = "a list",
        [YAML_MAPPING] = "a mapping",
    };
    if (!n)
        return false;
    if (n->kind == YAML_SCALAR)
        return true;
    diag_add(diags, DIAG_ERROR, yaml_place(n), "wrong-type", "%s: must be %s, here is %s", name,
             wanted, kinds[n->kind]);
    return false;
}

bool yaml_string(const struct yaml_node *n, const char *name, struct diag_list *diags,
                 const char **ret_text) {
    if (!is_scalar(n, name, "a text", diags))
        return false;
    *ret_text = n->text;
    return true;
}

bool yaml_u64(const struct yaml_node *n, const char *name, uint64_t min, uint64_t max,
              struct diag_list *diags, uint64_t *ret_value) {
    if (!is_scalar(n, name, "a whole number", diags))
        return false;
    if (n->quoted) {
        diag_add(diags, DIAG_ERROR, yaml_place(n), "wrong-type",
                 "%s: must be a whole number, here is a text in quotes", name);
        return false;
    }
    if (text_to_u64(n->text, min, max, ret_value))
        return true;
    diag_add(diags, DIAG_ERROR, yaml_place(n), "out-of-range",
             "%s: \"%.*s\" is not a whole number from %llu to %llu", name, SHOWN_BYTES_MAX, n->text,
             (unsigned long long)min, (unsigned long long)max);
    return false;
}

bool yaml_bool(const struct yaml_node *n, const char *name, struct diag_list *diags,
               bool *ret_value) {
    static const char *const words[] = {"true", "True", "TRUE", "false", "False", "FALSE"};
    if (!is_scalar(n, name, "true or false", diags))
        return false;
    for (size_t i = 0; i < 6 && !n->quoted; i++) {
        if (strcmp(n->text, words[i]) == 0) {
            *ret_value = i < 3;
            return true;
        }
    }
    diag_add(diags, DIAG_ERROR, yaml_place(n), "wrong-type",
             "%s: must be true or false, here is %s\"%.*s\"", name, n->quoted ? "the text " : "",
             SHOWN_BYTES_MAX, n->text);
    return false;
}

static const struct {
    const char *name;
    uint64_t ns;
} units[] = {
    {"ns", 1},          {"us", 1000},        {"\xc2\xb5s", 1000},     {"ms", 1000000},
    {"s", 1000000000u}, {"m", 60000000000u}, {"h", 3600000000000ull},
};

/* One "12.5ms" of a duration. `*text` moves behind it. */
static bool duration_part(const char **text, uint64_t *sum_ns) {
    const char *p = *text;
    uint64_t whole = 0, fraction = 0, scale = 1;
    const char *start = p;
    for (; isdigit((unsigned char)*p); p++)
        if (__builtin_mul_overflow(whole, 10u, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
            return false;
    bool digits = p > start;
    if (*p == '.') {
        for (p++; isdigit((unsigned char)*p); p++, digits = true) {
            if (scale < 1000000000u) { /* finer than this is below a nanosecond in most units */
                fraction = fraction * 10 + (uint64_t)(*p - '0');
                scale *= 10;
            }
        }
    }
    if (!digits)
        return false;
    size_t letters = 0;
    while (p[letters] && p[letters] != '.' && !isdigit((unsigned char)p[letters]))
        letters++;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strlen(units[i].name) != letters || strncmp(units[i].name, p, letters) != 0)
            continue;
        uint64_t ns;
        if (__builtin_mul_overflow(whole, units[i].ns, &ns) ||
            __builtin_add_overflow(
                ns, (uint64_t)((unsigned __int128)fraction * units[i].ns / scale), &ns) ||
            __builtin_add_overflow(*sum_ns, ns, sum_ns))
            return false;
        *text = p + letters;
        return true;
    }
    return false;
}

static bool parse_duration(const char *text, uint64_t *ret_ns) {
    uint64_t sum_ns = 0;
    if (strcmp(text, "0") == 0) {
        *ret_ns = 0;
        return true;
    }
    if (!*text)
        return false;
    while (*text)
        if (!duration_part(&text, &sum_ns))
            return false;
    *ret_ns = sum_ns;
    return true;
}

bool yaml_duration(const struct yaml_node *n, const char *name, struct diag_list *diags,
                   uint64_t *ret_ns) {
    if (!is_scalar(n, name, "a duration like 250ms, 5s or 2m30s", diags))
        return false;
    if (parse_duration(n->text, ret_ns))
        return true;
    diag_add(diags, DIAG_ERROR, yaml_place(n), "wrong-type",
             "%s: \"%.*s\" is not a duration like 250ms, 5s or 2m30s", name, SHOWN_BYTES_MAX,
             n->text);
    return false;
}

bool yaml_enum(const struct yaml_node *n, const char *name, const char *const *words, size_t count,
               struct diag_list *diags, size_t *ret_index) {
    if (!is_scalar(n, name, "one of a set of words", diags))
        return false;
    struct text all;
    text_init(&all);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(n->text, words[i]) == 0) {
            text_deinit(&all);
            *ret_index = i;
            return true;
        }
        text_printf(&all, "%s%s", i ? ", " : "", words[i]);
    }
    const char *near = text_nearest(n->text, words, count);
    if (near)
        diag_add(diags, DIAG_ERROR, yaml_place(n), "unknown-value",
                 "%s: \"%.*s\" is none of %s (did you mean \"%s\"?)", name, SHOWN_BYTES_MAX,
                 n->text, text_str(&all), near);
    else
        diag_add(diags, DIAG_ERROR, yaml_place(n), "unknown-value", "%s: \"%.*s\" is none of %s",
                 name, SHOWN_BYTES_MAX, n->text, text_str(&all));
    text_deinit(&all);
    return false;
}
