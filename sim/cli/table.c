/*
 * Tables for people, and small things all verbs share.
 */

#include "cli.h"

#include "../../speaker/base/standard_output.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void table_begin(struct cli_table *t, size_t columns, const char *const *headers) {
    *t = (struct cli_table){.columns = columns};
    for (size_t i = 0; i < columns; i++)
        table_cell(t, "%s", headers[i]);
}

void table_cell(struct cli_table *t, const char *format, ...) {
    if (t->rows == t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 64;
        char **cells = realloc(t->cells, capacity * sizeof *cells);
        if (!cells)
            return;
        t->cells = cells;
        t->capacity = capacity;
    }
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&t->cells[t->rows], format, arguments) < 0)
        t->cells[t->rows] = NULL;
    t->rows++;
    va_end(arguments);
}

void table_print(struct cli_table *t) {
    size_t widths[32] = {0};
    for (size_t i = 0; i < t->rows; i++) {
        size_t width = strlen(t->cells[i] ? t->cells[i] : "");
        if (width > widths[i % t->columns])
            widths[i % t->columns] = width;
    }
    for (size_t i = 0; i < t->rows; i++) {
        bool last = i % t->columns == t->columns - 1;
        const char *cell = t->cells[i] ? t->cells[i] : "";
        if (last)
            printf("%s\n", cell);
        else
            printf("%-*s  ", (int)widths[i % t->columns], cell);
        free(t->cells[i]);
    }
    free(t->cells);
    *t = (struct cli_table){0};
}

void cli_print_diags(const struct diag_list *d) {
    struct text out;
    text_init(&out);
    diag_print(d, &out);
    fputs(text_str(&out), stderr);
    text_deinit(&out);
}

void cli_error(const char *format, ...) {
    char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&message, format, arguments);
    va_end(arguments);
    if (size < 0)
        return;
    struct text out;
    text_init(&out);
    text_put_printable(&out, message, (size_t)size);
    fprintf(stderr, "ribcage: %s\n", text_str(&out));
    text_deinit(&out);
    free(message);
}

void cli_print_lines(const char *lines) {
    struct text out;
    text_init(&out);
    while (*lines) {
        size_t size = strcspn(lines, "\n\t");
        text_put_printable(&out, lines, size);
        lines += size;
        if (*lines)
            text_putc(&out, *lines++);
    }
    fputs(text_str(&out), stdout);
    text_deinit(&out);
}

/* Is standard output a pipe, or a socket, that nobody reads any more? */
static bool reader_gone(void) {
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

int cli_status_with_output(int status, int error) {
    const char *problem = standard_output_problem();
    if (!problem && error)
        problem = strerror(error);
    if (!problem || reader_gone())
        return status;
    cli_error("cannot write to standard output: %s", problem);
    return status == 0 || status == 3 ? 4 : status;
}

void cli_print_json(json_t *j) {
    if (j) {
        json_dumpf(j, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(j);
}
