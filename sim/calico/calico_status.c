/*
 * Owns the look of `calicoctl node status`: which protocols are listed, what their names become,
 * and the box around them. Up to v3.32 headings are centred and long INFO is wrapped into further
 * rows; later ones have everything on the left and wrap nothing.
 *
 * calicoctl: a session without info is left out; workload sessions are not listed; the address is
 * the protocol's name with its underscores turned back, so a port shows as 10.0.0.3.port.500.
 */
#include "calico_status.h"

#include "../../speaker/base/text.h"
#include "calico_version.h"

#include <stdbool.h>
#include <string.h>

enum { COLUMN_ADDRESS, COLUMN_TYPE, COLUMN_STATE, COLUMN_SINCE, COLUMN_INFO, COLUMNS };

#define INFO_WIDTH_MAX 30
#define CELL_MAX 128

static const char *const headings[COLUMNS] = {"PEER ADDRESS", "PEER TYPE", "STATE", "SINCE",
                                              "INFO"};
static const struct {
    const char *prefix, *type;
} types[] = {
    {"Mesh_", "node-to-node mesh"},
    {"Global_", "global"},
    {"Node_", "node specific"},
};

/* ---- cells ---- */

/* "Mesh_10_0_0_2" -> "10.0.0.2"; NULL: not listed. IPv6 addresses get colons. */
static const char *split_name(const char *name, bool v6, char address[CELL_MAX]) {
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t size = strlen(types[i].prefix);
        if (strncmp(name, types[i].prefix, size) != 0)
            continue;
        size_t n = 0;
        for (const char *c = name + size; *c && n + 1 < CELL_MAX; c++)
            address[n++] = *c != '_' ? *c : v6 ? ':' : '.';
        address[n] = '\0';
        return types[i].type;
    }
    return NULL;
}

/* Runs of blanks become one, and none stands at the end. */
static void squeeze(const char *info, char out[CELL_MAX]) {
    size_t n = 0;
    for (; *info && n + 1 < CELL_MAX; info++)
        if (*info != ' ' || (n > 0 && out[n - 1] != ' '))
            out[n++] = *info;
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
}

/* How much of `text` fits a row, broken between words; a longer word stays whole. */
static size_t row_size(const char *text, bool wrap) {
    size_t size = strlen(text), fit = 0;
    if (size <= INFO_WIDTH_MAX || !wrap)
        return size;
    for (size_t i = 0; i < size; i++)
        if (text[i] == ' ' && (i <= INFO_WIDTH_MAX || fit == 0)) {
            fit = i;
            if (i > INFO_WIDTH_MAX)
                break;
        }
    return fit ? fit : size;
}

static bool listed(const struct calico_status_row *r, bool v6, char address[CELL_MAX],
                   const char **ret_type) {
    const char *type = r->info[0] ? split_name(r->name, v6, address) : NULL;
    if (type)
        *ret_type = type;
    return type != NULL;
}

/* ---- the box ---- */

static void widen(size_t *width, size_t size) {
    if (size > *width)
        *width = size;
}

static size_t measure(const struct calico_status_row *rows, size_t count, bool v6, bool old,
                      size_t width[COLUMNS]) {
    size_t shown = 0;
    for (size_t c = 0; c < COLUMNS; c++)
        width[c] = strlen(headings[c]);
    for (size_t i = 0; i < count; i++) {
        char address[CELL_MAX], info[CELL_MAX] = "";
        const char *type;
        if (!listed(&rows[i], v6, address, &type))
            continue;
        shown++;
        widen(&width[COLUMN_ADDRESS], strlen(address));
        widen(&width[COLUMN_TYPE], strlen(type));
        widen(&width[COLUMN_STATE], strlen(rows[i].state));
        widen(&width[COLUMN_SINCE], strlen(rows[i].since));
        squeeze(rows[i].info, info);
        for (const char *at = info; *at;) {
            size_t size = row_size(at, old);
            widen(&width[COLUMN_INFO], size);
            at += size + (at[size] == ' ');
        }
    }
    return shown;
}

static void repeat(struct text *out, char c, size_t count) {
    while (count-- > 0)
        text_putc(out, c);
}

static void print_rule(const size_t width[COLUMNS], struct text *out) {
    for (size_t c = 0; c < COLUMNS; c++) {
        text_putc(out, '+');
        repeat(out, '-', width[c] + 2);
    }
    text_puts(out, "+\n");
}

static void print_cell(struct text *out, const char *s, size_t size, size_t width, bool centred) {
    size_t left = centred ? (width - size) / 2 : 0;
    text_puts(out, "| ");
    repeat(out, ' ', left);
    text_put(out, s, size);
    repeat(out, ' ', width - size - left + 1);
}

static void print_row(const struct calico_status_row *r, bool v6, bool old,
                      const size_t width[COLUMNS], struct text *out) {
    char address[CELL_MAX], info[CELL_MAX] = "";
    const char *type;
    if (!listed(r, v6, address, &type))
        return;
    squeeze(r->info, info);
    const char *cells[COLUMNS] = {address, type, r->state, r->since, ""};
    const char *at = info;
    do {
        size_t size = row_size(at, old);
        for (size_t c = 0; c < COLUMN_INFO; c++)
            print_cell(out, cells[c], strlen(cells[c]), width[c], false);
        print_cell(out, at, size, width[COLUMN_INFO], false);
        text_puts(out, "|\n");
        at += size + (at[size] == ' ');
        for (size_t c = 0; c < COLUMNS; c++)
            cells[c] = "";
    } while (*at);
}

static void print_family(const struct calico_status_row *rows, size_t count, bool v6, bool old,
                         struct text *out) {
    size_t width[COLUMNS];
    const char *version = v6 ? "IPv6" : "IPv4";
    text_printf(out, "%s BGP status\n", version);
    if (measure(rows, count, v6, old, width) == 0) {
        text_printf(out, "No %s peers found.\n\n", version);
        return;
    }
    print_rule(width, out);
    for (size_t c = 0; c < COLUMNS; c++)
        print_cell(out, headings[c], strlen(headings[c]), width[c], old);
    text_puts(out, "|\n");
    print_rule(width, out);
    for (size_t i = 0; i < count; i++)
        print_row(&rows[i], v6, old, width, out);
    print_rule(width, out);
    text_putc(out, '\n');
}

void calico_status_print(const struct calico_status_row *rows4, size_t count4,
                         const struct calico_status_row *rows6, size_t count6, uint32_t version,
                         struct text *out) {
    bool old = !calico_rules_of(version).status_headings_left;
    text_puts(out, "Calico process is running.\n\n");
    print_family(rows4, count4, false, old, out);
    print_family(rows6, count6, true, old, out);
}
