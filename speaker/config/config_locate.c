/*
 * Finds the line and column of a value in a JSON text, by its path.
 *
 * The JSON library keeps no positions, so a finding about a value is placed by walking the text
 * once more. The text has been parsed already; a walker that meets something else stops with
 * "not there" and reads nothing past the end. No recursion: skipping a value counts brackets.
 */
#include "config_fields.h"

#include <string.h>

struct walker {
    const char *text;
    size_t size;
    size_t at;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct walker *w) {
    while (w->at < w->size && is_blank(w->text[w->at]))
        w->at++;
}

static bool take(struct walker *w, char c) {
    skip_blanks(w);
    if (w->at >= w->size || w->text[w->at] != c)
        return false;
    w->at++;
    return true;
}

/* Behind the string that starts here; its content without quotes. */
static bool skip_string(struct walker *w, const char **ret_start, size_t *ret_size) {
    if (!take(w, '"'))
        return false;
    size_t start = w->at;
    while (w->at < w->size && w->text[w->at] != '"')
        w->at += w->text[w->at] == '\\' ? 2 : 1;
    if (w->at >= w->size)
        return false;
    *ret_start = w->text + start;
    *ret_size = w->at - start;
    w->at++;
    return true;
}

static bool skip_value(struct walker *w) {
    size_t depth = 0;
    skip_blanks(w);
    while (w->at < w->size) {
        char c = w->text[w->at];
        if (c == '"') {
            const char *start;
            size_t size;
            if (!skip_string(w, &start, &size))
                return false;
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return true;
        if (c == '{' || c == '[')
            depth++;
        if (c == '}' || c == ']')
            depth--;
        w->at++;
    }
    return true;
}

static bool enter_member(struct walker *w, const char *key) {
    size_t key_size = strlen(key);
    if (!take(w, '{'))
        return false;
    do {
        const char *name;
        size_t size;
        if (!skip_string(w, &name, &size) || !take(w, ':'))
            return false;
        if (size == key_size && memcmp(name, key, size) == 0)
            return true;
        if (!skip_value(w))
            return false;
    } while (take(w, ','));
    return false;
}

static bool enter_element(struct walker *w, size_t index) {
    if (!take(w, '['))
        return false;
    for (size_t i = 0; i < index; i++)
        if (!skip_value(w) || !take(w, ','))
            return false;
    return true;
}

bool config_locate(const char *text, size_t size, const struct config_step *path, size_t depth,
                   uint32_t *ret_line, uint32_t *ret_column) {
    struct walker w = {text, size, 0};
    for (size_t i = 0; i < depth; i++) {
        bool found = path[i].key ? enter_member(&w, path[i].key) : enter_element(&w, path[i].index);
        if (!found)
            return false;
    }
    skip_blanks(&w);
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < w.at && i < size; i++) {
        bool begins = ((unsigned char)text[i] & 0xC0) != 0x80;
        column += begins; /* characters, as the JSON library counts */
        if (text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    *ret_line = line;
    *ret_column = column;
    return true;
}

size_t config_text_depth(const char *text, size_t size) {
    size_t depth = 0, deepest = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!quoted && (c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return deepest;
}

void config_blank_comments(char *text, size_t size) {
    bool quoted = false, comment = false;
    for (size_t i = 0; i < size; i++) {
        comment = (comment || (!quoted && text[i] == '#')) && text[i] != '\n';
        if (comment)
            text[i] = ' ';
        else if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
    }
}
