/*
 * Messages in hexadecimal: on the command line, in a file with one a line, and in the line
 * protocol.
 *
 * A line of a file may begin with '#' (a comment) or be empty. In the line protocol every line is
 * answered before the next read, so that a program may wait for each answer; lines that are there
 * already are answered in one write.
 */

#include "../../speaker/decode/decode_line.h"
#include "decode_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void put_error(struct decode_job *j, const char *what, const char *why) {
    text_printf(&j->out,
                j->json ? "{\"error\":{\"class\":\"input\",\"text\":\"%s%s\"}}\n" : "%s%s\n", what,
                why);
    j->status = 1;
}

void decode_hex_text(struct decode_job *j, const char *hex, size_t size, const char *why) {
    uint8_t *data = alloc_zero(size / 2 + 1, 1);
    size_t count;
    if (data && decode_hex(hex, size, data, &count)) {
        decode_octets(j, data, count);
    } else {
        put_error(j, data ? "not hexadecimal" : "out of memory", data ? why : "");
        j->status = data ? 1 : 4;
    }
    alloc_free(data);
}

void decode_hex_file(struct decode_job *j, struct decode_input *in) {
    struct text line;
    uint8_t c = 0;
    text_init(&line);
    for (size_t got = 1; got > 0 && !j->deaf;) {
        got = decode_input_read(in, &c, 1);
        if (got > 0 && c != '\n') {
            if (line.size <= DECODE_LINE_MAX)
                text_putc(&line, (char)c);
            continue;
        }
        const char *start = text_str(&line);
        size_t blank = strspn(start, " \t\r");
        bool is_message = start[blank] != '\0' && start[blank] != '#';
        if (is_message && line.size > DECODE_LINE_MAX)
            put_error(j, "the line is too long", "");
        else if (is_message)
            decode_hex_text(j, start, line.size, "");
        text_clear(&line);
    }
    text_deinit(&line);
}

/* ---- the line protocol ---- */

struct line_buffer {
    char *data;
    size_t size, capacity;
    bool skipping; /* the rest of a line that is too long */
};

static void answer(struct decode_job *j, const char *line, size_t size) {
    decode_line(&j->how, line, size, j->scratch, &j->out);
    decode_flush(j, false);
}

/* Answers the whole lines in the buffer and keeps the rest. */
static void answer_lines(struct decode_job *j, struct line_buffer *b) {
    size_t at = 0;
    for (const char *end; (end = memchr(b->data + at, '\n', b->size - at));) {
        size_t size = (size_t)(end - b->data) - at;
        if (!b->skipping)
            answer(j, b->data + at, size);
        b->skipping = false;
        at += size + 1;
    }
    memmove(b->data, b->data + at, b->size - at);
    b->size -= at;
    if (b->size == b->capacity) { /* no line may be as long as this */
        if (!b->skipping)
            answer(j, b->data, b->size);
        b->skipping = true;
        b->size = 0;
    }
}

int decode_lines(struct decode_job *j) {
    struct line_buffer b = {.capacity = DECODE_LINE_MAX + 1};
    b.data = alloc_zero(b.capacity, 1);
    if (!b.data)
        return 4;
    while (!j->deaf) {
        ssize_t got = read(STDIN_FILENO, b.data + b.size, b.capacity - b.size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        b.size += (size_t)got;
        answer_lines(j, &b);
        decode_flush(j, true);
    }
    if (b.size > 0 && !b.skipping)
        answer(j, b.data, b.size);
    decode_flush(j, true);
    alloc_free(b.data);
    return 0;
}
