#ifndef RIBCAGE_IOS_LEX_H
#define RIBCAGE_IOS_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One configuration line cut into words, each with its place. */

#define IOS_LINE_BYTES_MAX 4000
#define IOS_TOKENS_MAX 200

struct ios_token {
    uint16_t offset; /* into the line's text */
    uint16_t size;
};

struct ios_line {
    char text[IOS_LINE_BYTES_MAX + 1]; /* blanks for tabs, no trailing blanks or CR */
    uint16_t size;
    uint16_t count; /* tokens; more than fit are left in the text only */
    bool too_long;
    uint16_t bad; /* offset + 1 of a control character, 0: none */
    struct ios_token tokens[IOS_TOKENS_MAX];
};

/* `text` without its newline; it need not end in NUL. */
void ios_lex(struct ios_line *l, const char *text, size_t size);
/* Nothing but blanks, or a comment: IOS ignores it in every mode. */
bool ios_lex_is_blank(const struct ios_line *l);
/* Is token `index` this word, letter case aside? */
bool ios_lex_is(const struct ios_line *l, uint16_t index, const char *word);

/* A statement's words in canonical form: keywords written out, addresses normalised. */
struct ios_words {
    uint16_t count;
    bool failed;   /* did not fit */
    uint64_t keys; /* bit i: word i is part of what identifies the statement (i < 64) */
    uint16_t at[IOS_TOKENS_MAX];
    uint32_t used;
    char buffer[IOS_LINE_BYTES_MAX * 2];
};

void ios_words_clear(struct ios_words *w);
void ios_words_add(struct ios_words *w, const char *text, size_t size, bool key);
const char *ios_word(const struct ios_words *w, uint16_t index); /* "" past the end */
/* Cuts down to `count` words. */
void ios_words_cut(struct ios_words *w, uint16_t count);
/* The word after `keyword` at or after `from`, or NULL. */
const char *ios_words_after(const struct ios_words *w, uint16_t from, const char *keyword);

#endif
