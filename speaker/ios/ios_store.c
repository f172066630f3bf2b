/*
 * The statements in force, as a tree in the order they were first entered.
 *
 * Each statement knows which of its words identify it; a second line with the same ones replaces
 * the first in place, a `no` removes all that begin with the ones it names.
 *
 * Owns: memory of statements. Leaves: which words identify (the grammar), the order of printing
 * (ios_print.c), meaning (ios_compile.c).
 */
#include "ios_store.h"

#include "../base/arena.h"
#include "../base/hash.h"

#include <string.h>

struct ios_block *ios_block_new(struct ios_stmt *owner) {
    struct ios_block *b = alloc_zero(1, sizeof *b);
    if (b)
        b->owner = owner;
    return b;
}

static void stmt_free(struct ios_stmt *s) {
    if (!s)
        return;
    ios_block_free(s->children);
    alloc_free(s);
}

/* Blocks nest three deep at most: the modes say so. */
void ios_block_free(struct ios_block *b) {
    if (!b)
        return;
    for (uint32_t i = 0; i < b->count; i++)
        stmt_free(b->items[i]);
    alloc_free(b->items);
    alloc_free(b->hashes);
    alloc_free(b->heads);
    alloc_free(b);
}

static bool is_key(uint64_t keys, uint16_t index) {
    return index < 64 ? (keys >> index & 1) : keys == UINT64_MAX;
}

static uint64_t words_hash(const struct ios_words *w) {
    uint64_t hash = 0;
    for (uint16_t i = 0; i < w->count; i++)
        if (is_key(w->keys, i))
            hash = hash_bytes(ios_word(w, i), strlen(ios_word(w, i)), hash);
    return hash;
}

static uint64_t head_hash(const char *word0, const char *word1) {
    return hash_bytes(word1, strlen(word1), hash_bytes(word0, strlen(word0), 0));
}

/* Do the identifying words of `s` begin with (or, `whole`, equal) those of `w`? */
static bool stmt_fits(const struct ios_stmt *s, const struct ios_words *w, bool whole) {
    uint16_t at = 0;
    for (uint16_t i = 0; i < w->count; i++) {
        if (!is_key(w->keys, i))
            continue;
        while (at < s->count && !is_key(s->keys, at))
            at++;
        if (at == s->count || strcmp(s->words[at], ios_word(w, i)) != 0)
            return false;
        at++;
    }
    while (whole && at < s->count)
        if (is_key(s->keys, at++))
            return false;
    return true;
}

static bool block_index(const struct ios_block *b, const struct ios_words *w, uint32_t *ret_index) {
    uint64_t hash = words_hash(w);
    for (uint32_t i = 0; i < b->count; i++)
        if (b->hashes[i] == hash && stmt_fits(b->items[i], w, true)) {
            *ret_index = i;
            return true;
        }
    return false;
}

struct ios_stmt *ios_block_find(const struct ios_block *b, const struct ios_words *w) {
    uint32_t index;
    return block_index(b, w, &index) ? b->items[index] : NULL;
}

static struct ios_stmt *stmt_new(const struct ios_row *row, const struct ios_words *w, bool negated,
                                 uint32_t line) {
    size_t pointers = w->count * sizeof(char *);
    struct ios_stmt *s = alloc_zero(1, sizeof *s + pointers + w->used);
    if (!s)
        return NULL;
    char *text = (char *)s + sizeof *s + pointers;
    memcpy(text, w->buffer, w->used);
    for (uint16_t i = 0; i < w->count; i++)
        s->words[i] = text + w->at[i];
    s->row = row;
    s->negated = negated;
    s->line = line;
    s->keys = w->keys;
    s->count = w->count;
    if (row->flags & ROW_BLOCK && !negated) {
        s->children = ios_block_new(s);
        if (!s->children) {
            alloc_free(s);
            return NULL;
        }
    }
    return s;
}

static bool block_grow(struct ios_block *b) {
    if (b->count < b->capacity)
        return true;
    uint32_t capacity = b->capacity ? b->capacity * 2 : 8;
    struct ios_stmt **items = alloc_resize(b->items, capacity, sizeof(struct ios_stmt *));
    if (!items)
        return false;
    b->items = items;
    uint64_t *hashes = alloc_resize(b->hashes, capacity, sizeof *hashes);
    if (!hashes)
        return false;
    b->hashes = hashes;
    uint64_t *heads = alloc_resize(b->heads, capacity, sizeof *heads);
    if (!heads)
        return false;
    b->heads = heads;
    b->capacity = capacity;
    return true;
}

struct ios_stmt *ios_block_put(struct ios_block *b, const struct ios_row *row,
                               const struct ios_words *w, bool negated, uint32_t line) {
    uint32_t index = 0;
    bool found = !(row->flags & ROW_APPEND) && block_index(b, w, &index);
    struct ios_stmt *old = found ? b->items[index] : NULL;
    if (old && row->flags & ROW_BLOCK && old->children && !negated && w->count == old->count)
        old->line = line;
    struct ios_stmt *s = old || block_grow(b) ? stmt_new(row, w, negated, line) : NULL;
    if (!s)
        return NULL;
    if (old) {
        if (old->children && s->children) {
            ios_block_free(s->children);
            s->children = old->children;
            s->children->owner = s;
            old->children = NULL;
        }
        stmt_free(old);
    } else {
        index = b->count++;
    }
    b->items[index] = s;
    b->hashes[index] = words_hash(w);
    b->heads[index] = head_hash(ios_stmt_word(s, 0), ios_stmt_word(s, 1));
    return s;
}

static void words_from_stmt(struct ios_words *w, const struct ios_stmt *s, const char *except) {
    ios_words_clear(w);
    for (uint16_t i = 0; i < s->count; i++)
        if (is_key(s->keys, i) || !except || strcmp(s->words[i], except) != 0)
            ios_words_add(w, s->words[i], strlen(s->words[i]), is_key(s->keys, i));
}

struct ios_stmt *ios_block_merge(struct ios_block *b, const struct ios_row *row,
                                 const struct ios_words *w, uint32_t line) {
    const struct ios_stmt *old = ios_block_find(b, w);
    struct ios_words all;
    if (!old || old->negated)
        return ios_block_put(b, row, w, false, line);
    bool exact = ios_stmt_has(old, 0, "exact-match");
    words_from_stmt(&all, old, "exact-match");
    for (uint16_t i = 0; i < w->count; i++) {
        const char *word = ios_word(w, i);
        exact |= strcmp(word, "exact-match") == 0;
        if (!is_key(w->keys, i) && !ios_stmt_has(old, 0, word) && strcmp(word, "exact-match") != 0)
            ios_words_add(&all, word, strlen(word), false);
    }
    if (exact)
        ios_words_add(&all, "exact-match", strlen("exact-match"), false);
    return all.failed ? NULL : ios_block_put(b, row, &all, false, line);
}

void ios_block_remove_at(struct ios_block *b, uint32_t index) {
    stmt_free(b->items[index]);
    b->count--;
    memmove(&b->items[index], &b->items[index + 1], (b->count - index) * sizeof *b->items);
    memmove(&b->hashes[index], &b->hashes[index + 1], (b->count - index) * sizeof *b->hashes);
    memmove(&b->heads[index], &b->heads[index + 1], (b->count - index) * sizeof *b->heads);
}

uint32_t ios_block_remove(struct ios_block *b, const struct ios_words *w) {
    uint32_t removed = 0;
    for (uint32_t i = b->count; i-- > 0;)
        if (stmt_fits(b->items[i], w, false)) {
            ios_block_remove_at(b, i);
            removed++;
        }
    return removed;
}

void ios_block_remove_one(struct ios_block *b, const struct ios_words *w) {
    uint32_t index;
    if (block_index(b, w, &index))
        ios_block_remove_at(b, index);
}

uint32_t ios_block_remove_words(struct ios_block *b, const char *word0, const char *word1) {
    uint32_t removed = 0;
    for (uint32_t i = b->count; i-- > 0;)
        if (ios_stmt_is(b->items[i], 0, word0) && ios_stmt_is(b->items[i], 1, word1)) {
            ios_block_remove_at(b, i);
            removed++;
        }
    return removed;
}

const char *ios_stmt_word(const struct ios_stmt *s, uint16_t index) {
    return index < s->count ? s->words[index] : "";
}

bool ios_stmt_is(const struct ios_stmt *s, uint16_t index, const char *word) {
    return index < s->count && strcmp(s->words[index], word) == 0;
}

/* A block of thousands of neighbours is asked for one of them again and again: the hashes pass over
 * the others. */
struct ios_stmt *ios_block_next(const struct ios_block *b, const char *word0, const char *word1,
                                const char *word2, uint32_t *at) {
    bool hashed = word0 && word1;
    uint64_t head = hashed ? head_hash(word0, word1) : 0;
    while (b && *at < b->count) {
        uint32_t i = (*at)++;
        if (hashed && b->heads[i] != head)
            continue;
        struct ios_stmt *s = b->items[i];
        if ((!word0 || ios_stmt_is(s, 0, word0)) && (!word1 || ios_stmt_is(s, 1, word1)) &&
            (!word2 || ios_stmt_is(s, 2, word2)))
            return s;
    }
    return NULL;
}

struct ios_stmt *ios_block_first(const struct ios_block *b, const char *word0, const char *word1,
                                 const char *word2) {
    uint32_t at = 0;
    return ios_block_next(b, word0, word1, word2, &at);
}

const char *ios_stmt_after(const struct ios_stmt *s, uint16_t from, const char *keyword) {
    for (uint16_t i = from; i + 1 < s->count; i++)
        if (strcmp(s->words[i], keyword) == 0)
            return s->words[i + 1];
    return NULL;
}

bool ios_stmt_has(const struct ios_stmt *s, uint16_t from, const char *word) {
    for (uint16_t i = from; i < s->count; i++)
        if (strcmp(s->words[i], word) == 0)
            return true;
    return false;
}
