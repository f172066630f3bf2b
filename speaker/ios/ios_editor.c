/*
 * Line editing: what is typed, where the cursor stands, what the terminal is told.
 *
 * Owns: the keys of IOS (^A ^B ^C ^D ^E ^F ^H ^K ^L ^N ^P ^R ^T ^U ^V ^W ^X ^Y ^Z, arrows, Esc B D
 * F) and the history. Leaves: prompts, help and completion to ios_session.c and ios_help.c.
 *
 * Invariants: cursor <= size <= IOS_INPUT_BYTES_MAX, the line ends in NUL. Only backspaces and
 * printable characters go to the terminal, so any terminal will do. A line too long rings the bell.
 */
#include "ios_editor.h"

#include <assert.h>
#include <string.h>

#define CTRL(letter) ((char)((letter) - '@'))
#define BELL '\a'
#define DELETE '\177'
#define ESCAPE '\033'

/* ---- moving and changing ---- */

static void show(const struct ios_editor *e, const char *data, size_t size, struct text *out) {
    if (!e->hidden)
        text_put(out, data, size);
}

static void show_times(const struct ios_editor *e, char c, size_t count, struct text *out) {
    for (size_t i = 0; i < count; i++)
        show(e, &c, 1, out);
}

static void move_to(struct ios_editor *e, uint16_t cursor, struct text *out) {
    assert(cursor <= e->size);
    if (cursor < e->cursor)
        show_times(e, '\b', (size_t)(e->cursor - cursor), out);
    else
        show(e, e->line + e->cursor, (size_t)(cursor - e->cursor), out);
    e->cursor = cursor;
}

/* What stands behind the cursor anew, and `blanks` where something was before. */
static void show_tail(const struct ios_editor *e, size_t blanks, struct text *out) {
    size_t tail = (size_t)(e->size - e->cursor);
    show(e, e->line + e->cursor, tail, out);
    show_times(e, ' ', blanks, out);
    show_times(e, '\b', tail + blanks, out);
}

/* Takes out [from, to) and leaves the cursor at `from`. */
static void cut(struct ios_editor *e, uint16_t from, uint16_t to, bool keep, struct text *out) {
    uint16_t count = (uint16_t)(to - from);
    if (count == 0)
        return;
    if (keep) {
        memcpy(e->killed, e->line + from, count);
        e->killed[count] = '\0';
    }
    move_to(e, from, out);
    memmove(e->line + from, e->line + to, (size_t)(e->size - to) + 1);
    e->size = (uint16_t)(e->size - count);
    show_tail(e, count, out);
}

void ios_editor_insert(struct ios_editor *e, const char *text, size_t size, struct text *out) {
    if (e->size + size > IOS_INPUT_BYTES_MAX) {
        text_putc(out, BELL);
        return;
    }
    memmove(e->line + e->cursor + size, e->line + e->cursor, (size_t)(e->size - e->cursor) + 1);
    memcpy(e->line + e->cursor, text, size);
    e->size = (uint16_t)(e->size + size);
    show(e, text, size, out);
    e->cursor = (uint16_t)(e->cursor + size);
    show_tail(e, 0, out);
}

void ios_editor_clear(struct ios_editor *e) {
    e->size = e->cursor = 0;
    e->line[0] = '\0';
    e->recalled = 0;
}

void ios_editor_draw(const struct ios_editor *e, struct text *out) {
    show(e, e->line, e->size, out);
    show_times(e, '\b', (size_t)(e->size - e->cursor), out);
}

static uint16_t word_left(const struct ios_editor *e) {
    uint16_t at = e->cursor;
    while (at > 0 && e->line[at - 1] == ' ')
        at--;
    while (at > 0 && e->line[at - 1] != ' ')
        at--;
    return at;
}

static uint16_t word_right(const struct ios_editor *e) {
    uint16_t at = e->cursor;
    while (at < e->size && e->line[at] == ' ')
        at++;
    while (at < e->size && e->line[at] != ' ')
        at++;
    return at;
}

static void transpose(struct ios_editor *e, struct text *out) {
    if (e->cursor == 0 || e->size < 2)
        return;
    if (e->cursor == e->size)
        move_to(e, (uint16_t)(e->cursor - 1), out);
    char swap = e->line[e->cursor - 1];
    uint16_t right = (uint16_t)(e->cursor + 1);
    move_to(e, (uint16_t)(e->cursor - 1), out);
    e->line[e->cursor] = e->line[e->cursor + 1];
    e->line[e->cursor + 1] = swap;
    move_to(e, right, out);
}

/* ---- history ---- */

void ios_history_add(struct ios_terminal *t, const char *line) {
    const char *last = ios_history_line(t, 1);
    if (!*line || (last && strcmp(last, line) == 0))
        return;
    char *slot = t->history[t->history_count++ % IOS_HISTORY_LINES];
    size_t size = strnlen(line, IOS_INPUT_BYTES_MAX);
    memcpy(slot, line, size);
    slot[size] = '\0';
}

const char *ios_history_line(const struct ios_terminal *t, uint32_t back) {
    if (back == 0 || back > t->history_count || back > IOS_HISTORY_LINES || back > t->history_size)
        return NULL;
    return t->history[(t->history_count - back) % IOS_HISTORY_LINES];
}

static void recall(struct ios_editor *e, const struct ios_terminal *t, int step, struct text *out) {
    if (step < 0 && e->recalled == 0)
        return;
    uint32_t back = step > 0 ? e->recalled + 1 : e->recalled - 1;
    const char *line = back ? ios_history_line(t, back) : "";
    if (!line) {
        text_putc(out, BELL);
        return;
    }
    cut(e, 0, e->size, false, out);
    ios_editor_insert(e, line, strlen(line), out);
    e->recalled = back;
}

/* ---- keys ---- */

static void erase_left(struct ios_editor *e, uint16_t from, struct text *out) {
    cut(e, from, e->cursor, e->cursor - from > 1, out);
}

/* ESC X, ESC [ X. */
static void escaped(struct ios_editor *e, const struct ios_terminal *t, char c, struct text *out) {
    bool bracket = e->escape == 2;
    e->escape = 0;
    if (!bracket && (c == '[' || c == 'O')) {
        e->escape = 2;
    } else if (bracket && c == 'A') {
        recall(e, t, 1, out);
    } else if (bracket && c == 'B') {
        recall(e, t, -1, out);
    } else if (bracket && c == 'C' && e->cursor < e->size) {
        move_to(e, (uint16_t)(e->cursor + 1), out);
    } else if (bracket && c == 'D' && e->cursor > 0) {
        move_to(e, (uint16_t)(e->cursor - 1), out);
    } else if (!bracket && (c == 'b' || c == 'B')) {
        move_to(e, word_left(e), out);
    } else if (!bracket && (c == 'f' || c == 'F')) {
        move_to(e, word_right(e), out);
    } else if (!bracket && (c == 'd' || c == 'D')) {
        cut(e, e->cursor, word_right(e), true, out);
    }
}

static void move_key(struct ios_editor *e, char c, struct text *out) {
    if (c == CTRL('A'))
        move_to(e, 0, out);
    else if (c == CTRL('E'))
        move_to(e, e->size, out);
    else if (c == CTRL('F') && e->cursor < e->size)
        move_to(e, (uint16_t)(e->cursor + 1), out);
    else if (c == CTRL('B') && e->cursor > 0)
        move_to(e, (uint16_t)(e->cursor - 1), out);
}

static void erase_key(struct ios_editor *e, char c, struct text *out) {
    if ((c == '\b' || c == DELETE) && e->cursor > 0)
        erase_left(e, (uint16_t)(e->cursor - 1), out);
    else if (c == CTRL('D') && e->cursor < e->size)
        cut(e, e->cursor, (uint16_t)(e->cursor + 1), false, out);
    else if (c == CTRL('K'))
        cut(e, e->cursor, e->size, true, out);
    else if (c == CTRL('U') || c == CTRL('X'))
        erase_left(e, 0, out);
    else if (c == CTRL('W'))
        erase_left(e, word_left(e), out);
    else if (c == CTRL('Y'))
        ios_editor_insert(e, e->killed, strlen(e->killed), out);
}

static enum ios_key control_key(struct ios_editor *e, const struct ios_terminal *t, char c,
                                struct text *out) {
    switch (c) {
    case CTRL('C'):
        return IOS_KEY_CANCEL;
    case CTRL('Z'):
        return IOS_KEY_END;
    case CTRL('L'):
    case CTRL('R'):
        return IOS_KEY_REDRAW;
    case '\t':
        return IOS_KEY_COMPLETE;
    case CTRL('P'):
    case CTRL('N'):
        recall(e, t, c == CTRL('P') ? 1 : -1, out);
        return IOS_KEY_NONE;
    case CTRL('T'):
        transpose(e, out);
        return IOS_KEY_NONE;
    case CTRL('V'):
        e->literal = true;
        return IOS_KEY_NONE;
    case ESCAPE:
        e->escape = 1;
        return IOS_KEY_NONE;
    default:
        break;
    }
    move_key(e, c, out);
    erase_key(e, c, out);
    return IOS_KEY_NONE;
}

static bool is_printable(char c) {
    return (unsigned char)c >= ' ' && c != DELETE;
}

/* A password: only erasing and ending are keys. */
static enum ios_key hidden_key(struct ios_editor *e, char c, struct text *out) {
    if (is_printable(c))
        ios_editor_insert(e, &c, 1, out);
    else if (c == '\b' || c == DELETE || c == CTRL('U') || c == CTRL('W') || c == CTRL('X'))
        erase_key(e, c, out);
    else if (c == CTRL('C') || c == CTRL('Z'))
        return IOS_KEY_CANCEL;
    return IOS_KEY_NONE;
}

enum ios_key ios_editor_key(struct ios_editor *e, const struct ios_terminal *t, char c,
                            struct text *out) {
    bool belongs = e->after_return && (c == '\n' || c == '\0');
    e->after_return = c == '\r';
    if (belongs)
        return IOS_KEY_NONE;
    if (c == '\r' || c == '\n') {
        e->escape = 0;
        return IOS_KEY_LINE;
    }
    if (e->hidden)
        return hidden_key(e, c, out);
    if (e->escape) {
        escaped(e, t, c, out);
        return IOS_KEY_NONE;
    }
    bool literal = e->literal;
    e->literal = false;
    if (c == '?' && !literal)
        return IOS_KEY_HELP;
    if (!is_printable(c))
        return literal ? IOS_KEY_NONE : control_key(e, t, c, out);
    ios_editor_insert(e, &c, 1, out);
    return IOS_KEY_NONE;
}
