#ifndef RIBCAGE_IOS_EDITOR_H
#define RIBCAGE_IOS_EDITOR_H

#include "ios_terminal.h"

#include "../base/text.h"

/* The line being typed: IOS's editing keys, and the lines typed before. */

enum ios_key {
    IOS_KEY_NONE,     /* edited, nothing to do */
    IOS_KEY_LINE,     /* Return: the line is whole */
    IOS_KEY_HELP,     /* ? */
    IOS_KEY_COMPLETE, /* Tab */
    IOS_KEY_CANCEL,   /* ^C */
    IOS_KEY_END,      /* ^Z */
    IOS_KEY_REDRAW,   /* ^L, ^R: prompt and line anew */
};

struct ios_editor {
    char line[IOS_INPUT_BYTES_MAX + 1];
    uint16_t size, cursor;
    bool hidden;       /* a password: nothing is echoed, no keys but erasing */
    bool after_return; /* CR was read: a LF or NUL that follows belongs to it */
    bool literal;      /* ^V: the next character as it is */
    uint8_t escape;    /* 0: none; 1: ESC; 2: ESC [ */
    uint32_t recalled; /* lines back in the history; 0: the line being typed */
    char killed[IOS_INPUT_BYTES_MAX + 1];
};

/* One character of input; what the terminal shows of it is appended to `out`. */
enum ios_key ios_editor_key(struct ios_editor *e, const struct ios_terminal *t, char c,
                            struct text *out);
void ios_editor_clear(struct ios_editor *e);
/* Types `text` at the cursor. */
void ios_editor_insert(struct ios_editor *e, const char *text, size_t size, struct text *out);
/* The line and the cursor's place, behind a prompt just printed. */
void ios_editor_draw(const struct ios_editor *e, struct text *out);
/* A line for the history; equal to the last one: not kept twice. */
void ios_history_add(struct ios_terminal *t, const char *line);
/* The n-th line back, from 1; NULL: none. */
const char *ios_history_line(const struct ios_terminal *t, uint32_t back);

#endif
