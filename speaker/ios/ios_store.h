#ifndef RIBCAGE_IOS_STORE_H
#define RIBCAGE_IOS_STORE_H

#include "ios_match.h"

#include <stdbool.h>
#include <stdint.h>

/* The running-config: a tree of statements. */

struct ios_block;

struct ios_stmt {
    const struct ios_row *row;
    struct ios_block *children; /* of a block, else NULL */
    bool negated;               /* stands there as `no …` */
    uint32_t line;              /* of the file it came from, 0: typed */
    uint64_t keys;              /* words that identify it */
    uint16_t count;
    const char *words[]; /* and their text behind them */
};

struct ios_block {
    struct ios_stmt *owner; /* NULL: the top level */
    struct ios_stmt **items;
    uint64_t *hashes; /* of the identifying words, beside items */
    uint64_t *heads;  /* of the first two words */
    uint32_t count, capacity;
};

struct ios_block *ios_block_new(struct ios_stmt *owner);
void ios_block_free(struct ios_block *b); /* and everything below; NULL is fine */
/* The statement that these words identify, or NULL. */
struct ios_stmt *ios_block_find(const struct ios_block *b, const struct ios_words *w);
/* Adds the statement or replaces what it identifies (children stay). NULL: out of memory. */
struct ios_stmt *ios_block_put(struct ios_block *b, const struct ios_row *row,
                               const struct ios_words *w, bool negated, uint32_t line);
/* Adds the values of `w` that the statement does not have yet to it. NULL: out of memory. */
struct ios_stmt *ios_block_merge(struct ios_block *b, const struct ios_row *row,
                                 const struct ios_words *w, uint32_t line);
/* Removes every statement whose identifying words begin with those of `w`; returns how many. */
uint32_t ios_block_remove(struct ios_block *b, const struct ios_words *w);
/* Removes the statement that these words identify, and no other. */
void ios_block_remove_one(struct ios_block *b, const struct ios_words *w);
/* Removes every statement that begins with these words. */
uint32_t ios_block_remove_words(struct ios_block *b, const char *word0, const char *word1);
void ios_block_remove_at(struct ios_block *b, uint32_t index);

/* The first statement that begins with these words (NULL: any), or NULL. No block, no statement. */
struct ios_stmt *ios_block_first(const struct ios_block *b, const char *word0, const char *word1,
                                 const char *word2);
/* … at or after *at, which is moved behind it: all of them, from 0. */
struct ios_stmt *ios_block_next(const struct ios_block *b, const char *word0, const char *word1,
                                const char *word2, uint32_t *at);
const char *ios_stmt_word(const struct ios_stmt *s, uint16_t index); /* "" past the end */
bool ios_stmt_is(const struct ios_stmt *s, uint16_t index, const char *word);
/* The word after `keyword` at or after `from`; NULL. */
const char *ios_stmt_after(const struct ios_stmt *s, uint16_t from, const char *keyword);
bool ios_stmt_has(const struct ios_stmt *s, uint16_t from, const char *word);

#endif
