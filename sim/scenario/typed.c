/*
 * Lines typed into a router while its scenario goes on.
 *
 * Owns: what a router's configuration becomes by them, which `run` needs for its oracle and
 * `validate` without a lab. Exec commands among the lines are for the router alone: here they find
 * nothing to show.
 */

#include "engine.h"

#include <string.h>

static bool begins(const char *text, const char *const *words) {
    for (; *words; words++)
        if (strncmp(text, *words, strlen(*words)) == 0)
            return true;
    return false;
}

/* Exec commands ask for what only the router that runs has: of them what is wrong with the line. */
static bool is_refused(const char *line, const char *answer) {
    static const char *const execs[] = {"do ", "clear ", "show ", NULL};
    static const char *const wrong[] = {"% Invalid input", "% Incomplete", "% Ambiguous", NULL};
    return strncmp(answer, "% ", 2) == 0 && (!begins(line, execs) || begins(answer, wrong));
}

/* "% Invalid input detected at '^' marker.": the first such line of what IOS answers. */
static void find_complaint(const char *answer, const char *line, const struct engine_typed *to) {
    line += strspn(line, " ");
    while (*answer && !is_refused(line, answer)) {
        answer += strcspn(answer, "\n");
        answer += *answer == '\n';
    }
    if (*answer && to->diags)
        diag_add(to->diags, DIAG_WARNING, to->place, "ios-invalid-input", "%s: \"%s\": %.*s",
                 to->router, line, (int)strcspn(answer, "\r\n"), answer);
}

void engine_type(struct engine_router *r, const char *lines, const struct engine_typed *to) {
    static const struct ios_view nothing;
    struct text out;
    char line[1024];
    text_printf(&r->text, "\n%s\n", lines);
    text_init(&out);
    ios_config_begin(r->ios);
    while (*lines) {
        size_t size = strcspn(lines, "\n");
        size_t kept = size < sizeof line - 1 ? size : sizeof line - 1;
        memcpy(line, lines, kept);
        line[kept] = '\0';
        text_clear(&out);
        ios_terminal_line(r->ios, &nothing, line, &out);
        find_complaint(text_str(&out), line, to);
        lines += size + (lines[size] == '\n');
    }
    ios_config_end(r->ios);
    text_deinit(&out);
}
