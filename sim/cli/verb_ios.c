/*
 * ios check: what a router would make of a configuration, line by line.
 *
 * Every line is reported: applied, ignored by a rule (and which), or refused in IOS's words with
 * the caret in place; then what the configuration as a whole comes to. Nothing is built. Exit
 * status 3: a line was refused or something was found; with --strict that is 2, as is a file that
 * cannot be read; 0: neither.
 */

#include "cli.h"
#include "decode_input.h"

#include "../../reports/findings.h"
#include "../../speaker/ios/ios.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CONFIGURATION_BYTES_MAX (64u << 20)

struct checked {
    const char *file;
    const struct cli_options *options;
    size_t counts[IOS_OUTCOMES];
    json_t *lines; /* NULL: text */
    bool failed;   /* no memory */
};

/* ---- lines ---- */

/* The column of the first character that is no ASCII, which looks like a blank or a hyphen where
 * somebody pasted; 0: none. */
static size_t foreign_column(const struct ios_line_report *l) {
    for (size_t i = 0; i < l->size; i++)
        if ((unsigned char)l->text[i] >= 0x80)
            return i + 1;
    return 0;
}

static void print_refused(const struct checked *c, const struct ios_line_report *l) {
    size_t foreign = foreign_column(l);
    size_t indent = (size_t)snprintf(NULL, 0, "%s:%u:%u: refused: ", c->file, l->line, l->column);
    printf("%s:%u:%u: refused: %.*s\n", c->file, l->line, l->column, (int)l->size, l->text);
    if (l->column)
        printf("%*s^\n", (int)(indent + l->column - 1), "");
    printf("%s\n", l->why);
    if (foreign)
        printf(
            "(column %zu has a character that is no ASCII, such as a no-break space or a dash of "
            "a word processor)\n",
            foreign);
}

static void print_line(const struct checked *c, const struct ios_line_report *l) {
    if (l->outcome == IOS_LINE_REFUSED)
        print_refused(c, l);
    else if (l->outcome == IOS_LINE_IGNORED)
        printf("%s:%u: ignored: %.*s (%s)\n", c->file, l->line, (int)l->size, l->text, l->why);
    else if (l->outcome == IOS_LINE_APPLIED && !c->options->quiet)
        printf("%s:%u: applied: %.*s\n", c->file, l->line, (int)l->size, l->text);
}

/* Octets that are no UTF-8 are shown as question marks. */
static json_t *text_to_json(const char *text, size_t size) {
    json_t *o = json_stringn(text, size);
    char *copy = o ? NULL : alloc_zero(size + 1, 1);
    for (size_t i = 0; copy && i < size; i++)
        copy[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
    o = copy ? json_stringn(copy, size) : o;
    alloc_free(copy);
    return o;
}

static json_t *line_to_json(const struct ios_line_report *l) {
    json_t *o = json_pack("{s:i, s:s, s:o}", "line", (int)l->line, "outcome",
                          ios_outcome_names[l->outcome], "text", text_to_json(l->text, l->size));
    if (o && l->column)
        json_object_set_new(o, "column", json_integer(l->column));
    if (o && *l->why)
        json_object_set_new(o, "why", json_string(l->why));
    return o;
}

static void on_line(void *context, const struct ios_line_report *l) {
    struct checked *c = context;
    struct ios_line_report shown = *l;
    while (shown.size && strchr("\r \t", shown.text[shown.size - 1]))
        shown.size--;
    c->counts[l->outcome]++;
    if (!c->lines)
        print_line(c, &shown);
    else if (json_array_append_new(c->lines, line_to_json(&shown)) != 0)
        c->failed = true;
}

/* ---- files ---- */

/* What holds of the configuration as a whole: lists that are not defined, networks without a
 * route… What is wrong with single lines was said beside them. */
static void check_whole(struct ios_router *r, const char *file, struct diag_list *diags) {
    const struct bgp_config *config = ios_bgp_config(r, diags);
    if (config && ip_is_set(config->router_id))
        bgp_config_check(config, file, diags);
}

/* "-" is standard input. False: the message is printed. */
static bool read_file(const char *path, struct text *out) {
    struct decode_input in;
    char buffer[4096];
    if (!decode_input_open(&in, path)) {
        cli_error("%s: %s", path, strerror(errno));
        return false;
    }
    for (size_t n; (n = decode_input_read(&in, (uint8_t *)buffer, sizeof buffer)) > 0;) {
        text_put(out, buffer, n);
        if (out->size > CONFIGURATION_BYTES_MAX)
            break;
    }
    bool ok = !in.failed && !out->failed && out->size <= CONFIGURATION_BYTES_MAX;
    decode_input_close(&in);
    if (!ok)
        cli_error("%s: cannot be read, or is longer than 64 MiB", path);
    return ok;
}

/* That a text stood on one line is no matter of a single line: numbers are those of statements. */
static void keep_unflattened(const struct diag_list *said, struct diag_list *found) {
    for (size_t i = 0; i < diag_count(said); i++) {
        struct diag d = *diag_at(said, i);
        d.column = 0;
        if (strcmp(d.id, "ios-unflattened") == 0)
            diag_copy(found, &d);
    }
}

static bool load_file(struct checked *c, struct diag_list *found) {
    const struct ios_env nothing = {.hostname = NULL};
    struct diag_list *said = diag_list_new(); /* beside the lines */
    struct ios_router *r = ios_router_new(&nothing);
    struct text text;
    text_init(&text);
    bool ok = said && r && read_file(c->file, &text);
    if (ok) {
        ok = ios_load_reported(r, text_str(&text), text.size, c->file, true, said, on_line, c);
        keep_unflattened(said, found);
        check_whole(r, c->file, found);
    }
    text_deinit(&text);
    ios_router_free(r);
    diag_list_free(said);
    return ok && !c->failed;
}

static void print_counts(const struct checked *c) {
    printf("%s: %zu applied, %zu ignored, %zu refused, %zu empty\n", c->file,
           c->counts[IOS_LINE_APPLIED], c->counts[IOS_LINE_IGNORED], c->counts[IOS_LINE_REFUSED],
           c->counts[IOS_LINE_EMPTY]);
}

static json_t *file_to_json(struct checked *c, const struct diag_list *found) {
    json_t *counts = json_object();
    for (size_t i = 0; counts && i < IOS_OUTCOMES; i++)
        json_object_set_new(counts, ios_outcome_names[i], json_integer((json_int_t)c->counts[i]));
    return json_pack("{s:s, s:O, s:o, s:o}", "file", c->file, "lines", c->lines, "counts", counts,
                     "findings", report_findings_json(found, NULL));
}

static int file_status(const struct checked *c, const struct diag_list *found) {
    if (!c->counts[IOS_LINE_REFUSED] && !diag_count(found))
        return 0;
    return c->options->strict ? 2 : 3;
}

/* Exit status for one file; a JSON object is appended to `all` when that is not NULL. */
static int check_file(const char *file, const struct cli_options *o, json_t *all) {
    struct checked c = {.file = file, .options = o, .lines = all ? json_array() : NULL};
    struct diag_list *found = diag_list_new();
    int status = found && load_file(&c, found) ? file_status(&c, found) : 2;
    if (found && all) {
        json_array_append_new(all, file_to_json(&c, found));
    } else if (found) {
        cli_print_diags(found);
        print_counts(&c);
    }
    json_decref(c.lines);
    diag_list_free(found);
    return status;
}

/* 2 before 3 before 0. */
static int worse(int a, int b) {
    return a == 2 || b == 2 ? 2 : a > b ? a : b;
}

int verb_ios(struct cli_options *o) {
    int status = 0;
    json_t *all = o->format == CLI_JSON ? json_array() : NULL;
    if (o->argument_count < 2 || strcmp(o->arguments[0], "check") != 0) {
        cli_error("ios: check FILE|-…");
        return 2;
    }
    if (o->format == CLI_SARIF) {
        cli_error("ios check: -o is text or json");
        return 2;
    }
    for (size_t i = 1; i < o->argument_count; i++)
        status = worse(status, check_file(o->arguments[i], o, all));
    if (all)
        cli_print_json(all);
    return status;
}
