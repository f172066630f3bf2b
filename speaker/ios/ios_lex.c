/*
 * Lines into words.
 *
 * Owns: the limits of a line (bytes, words), what counts as blank, and the buffer a canonical
 * statement is built in. Knows nothing of keywords: that is ios_match.c.
 *
 * Invariants: offsets and sizes lie inside the line's text; a line that is too long or holds a
 * control character says so and is refused by the caller, never cut in silence.
 */
#include "ios_lex.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static void lex_copy(struct ios_line *l, const char *text, size_t size) {
    while (size > 0 && (is_blank(text[size - 1]) || text[size - 1] == '\r'))
        size--;
    l->too_long = size > IOS_LINE_BYTES_MAX;
    if (l->too_long)
        size = IOS_LINE_BYTES_MAX;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            l->bad = l->bad ? l->bad : (uint16_t)(i + 1);
            c = '?';
        }
        l->text[i] = c == '\t' ? ' ' : (char)c;
    }
    l->text[size] = '\0';
    l->size = (uint16_t)size;
}

void ios_lex(struct ios_line *l, const char *text, size_t size) {
    l->count = 0;
    l->bad = 0;
    lex_copy(l, text, size);
    uint16_t at = 0;
    while (l->count < IOS_TOKENS_MAX) {
        while (at < l->size && l->text[at] == ' ')
            at++;
        if (at == l->size)
            break;
        struct ios_token *t = &l->tokens[l->count++];
        t->offset = at;
        while (at < l->size && l->text[at] != ' ')
            at++;
        t->size = (uint16_t)(at - t->offset);
    }
}

bool ios_lex_is_blank(const struct ios_line *l) {
    return l->count == 0 || l->text[l->tokens[0].offset] == '!';
}

bool ios_lex_is(const struct ios_line *l, uint16_t index, const char *word) {
    if (index >= l->count)
        return false;
    const struct ios_token *t = &l->tokens[index];
    return strlen(word) == t->size && strncasecmp(l->text + t->offset, word, t->size) == 0;
}

void ios_words_clear(struct ios_words *w) {
    w->count = 0;
    w->failed = false;
    w->keys = 0;
    w->used = 0;
}

void ios_words_add(struct ios_words *w, const char *text, size_t size, bool key) {
    if (w->count == IOS_TOKENS_MAX || w->used + size + 1 > sizeof w->buffer) {
        w->failed = true;
        return;
    }
    memcpy(w->buffer + w->used, text, size);
    w->buffer[w->used + size] = '\0';
    w->at[w->count] = (uint16_t)w->used;
    if (key && w->count < 64)
        w->keys |= UINT64_C(1) << w->count;
    w->used += (uint32_t)size + 1;
    w->count++;
}

const char *ios_word(const struct ios_words *w, uint16_t index) {
    return index < w->count ? w->buffer + w->at[index] : "";
}

void ios_words_cut(struct ios_words *w, uint16_t count) {
    if (count >= w->count)
        return;
    w->used = w->at[count];
    w->count = count;
    if (count < 64)
        w->keys &= (UINT64_C(1) << count) - 1;
}

const char *ios_words_after(const struct ios_words *w, uint16_t from, const char *keyword) {
    for (uint16_t i = from; i + 1 < w->count; i++)
        if (strcmp(ios_word(w, i), keyword) == 0)
            return ios_word(w, (uint16_t)(i + 1));
    return NULL;
}
