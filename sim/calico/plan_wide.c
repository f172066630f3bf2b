/*
 * Owns the wide table and the YAML of a plan. Both are made from the items of the JSON, so that no
 * field can be in one form and be missing from another.
 */
#include "plan_forms.h"

#include "../../speaker/base/text.h"
#include "plan_internal.h"

#include <string.h>

/* ---- the wide table ---- */

struct column {
    const char *key, *heading;
};

static const struct column columns[] = {
    {"name", "SESSION"},
    {"family", "FAMILY"},
    {"kind", "KIND"},
    {"neighbor", "NEIGHBOR"},
    {"port", "PORT"},
    {"peerNode", "PEER"},
    {"peerAS", "PEER AS"},
    {"localAS", "LOCAL AS"},
    {"internal", "INTERNAL"},
    {"sourceAddress", "SOURCE"},
    {"passive", "PASSIVE"},
    {"rrClient", "RR CLIENT"},
    {"clusterID", "CLUSTER ID"},
    {"password", "PASSWORD"},
    {"ttlSecurity", "TTL SECURITY"},
    {"multihop", "MULTIHOP"},
    {"nextHop", "NEXT HOP"},
    {"allowLocalAS", "ALLOW LOCAL AS"},
    {"gracefulRestartTime_s", "RESTART"},
    {"keepaliveTime_s", "KEEPALIVE"},
    {"importFilters", "IMPORT FILTERS"},
    {"exportFilters", "EXPORT FILTERS"},
    {"origin", "ORIGIN"},
    {"reverse", "REVERSE"},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static void put_cell(const json_t *v, struct text *out) {
    size_t before = out->size;
    if (json_is_string(v))
        text_puts(out, json_string_value(v));
    else if (json_is_integer(v))
        text_printf(out, "%lld", (long long)json_integer_value(v));
    else if (json_is_boolean(v))
        text_puts(out, json_is_true(v) ? "yes" : "no");
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++)
        text_printf(out, "%s%s", i ? "," : "", json_string_value(json_array_get(v, i)));
    if (out->size == before)
        text_putc(out, '-');
}

static void measure(const json_t *session, size_t widths[COLUMNS]) {
    struct text cell;
    text_init(&cell);
    for (size_t i = 0; i < COLUMNS; i++) {
        text_clear(&cell);
        put_cell(json_object_get(session, columns[i].key), &cell);
        widths[i] = cell.size > widths[i] ? cell.size : widths[i];
    }
    text_deinit(&cell);
}

/* `session` NULL: the headings. */
static void put_line(const json_t *session, const size_t widths[COLUMNS], struct text *out) {
    size_t at = 2;
    text_puts(out, "  ");
    for (size_t i = 0; i < COLUMNS; i++) {
        text_pad(out, at);
        if (session)
            put_cell(json_object_get(session, columns[i].key), out);
        else
            text_puts(out, columns[i].heading);
        at += widths[i] + 2;
    }
    text_putc(out, '\n');
}

static void wide_node(const struct calico_plan_node *n, struct text *out, bool *failed) {
    json_t *sessions = json_array();
    size_t widths[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++)
        widths[i] = strlen(columns[i].heading);
    for (size_t i = 0; i < n->session_count; i++) {
        json_t *s = plan_json_session_origin(&n->sessions[i], failed);
        measure(s, widths);
        *failed |= json_array_append_new(sessions, s) != 0;
    }
    plan_print_heading(n, out);
    if (json_array_size(sessions) == 0)
        text_puts(out, "  no sessions\n");
    else
        put_line(NULL, widths, out);
    for (size_t i = 0; i < json_array_size(sessions); i++)
        put_line(json_array_get(sessions, i), widths, out);
    text_putc(out, '\n');
    json_decref(sessions);
}

bool calico_plan_wide(const struct calico_plan *p, const char *node, struct text *out) {
    bool failed = false;
    for (size_t i = 0; i < p->node_count && !failed; i++)
        if (!node || strcmp(node, p->nodes[i].node->name) == 0)
            wide_node(&p->nodes[i], out, &failed);
    if (!node)
        plan_print_summary(p, out);
    return !failed && !out->failed;
}

/* ---- YAML ---- */

static void put_scalar(const json_t *v, FILE *out) {
    switch (json_typeof(v)) {
    case JSON_STRING: /* JSON's quoted strings are YAML's */
        json_dumpf(v, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        break;
    case JSON_INTEGER:
        fprintf(out, "%lld", (long long)json_integer_value(v));
        break;
    case JSON_REAL:
        fprintf(out, "%g", json_real_value(v));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        fputs(json_is_true(v) ? "true" : "false", out);
        break;
    case JSON_NULL:
        fputs("null", out);
        break;
    case JSON_OBJECT:
        fputs("{}", out);
        break;
    case JSON_ARRAY:
        fputs("[]", out);
        break;
    }
}

static bool is_block(const json_t *v) {
    return json_object_size(v) > 0 || json_array_size(v) > 0;
}

static void put_block(json_t *v, int indent, bool inline_first, FILE *out);

static void put_value(json_t *v, int indent, FILE *out) {
    if (is_block(v)) {
        fputc('\n', out);
        put_block(v, indent, false, out);
    } else {
        fputc(' ', out);
        put_scalar(v, out);
        fputc('\n', out);
    }
}

/* A non-empty mapping or list; `inline_first`: the cursor stands behind "- ". The depth is that of
 * the plan's own tree. */
static void put_block(json_t *v, int indent, bool inline_first, FILE *out) {
    const char *key;
    json_t *child;
    size_t i;
    json_object_foreach(v, key, child) {
        fprintf(out, "%*s%s:", inline_first ? 0 : indent, "", key);
        inline_first = false;
        put_value(child, indent + 2, out);
    }
    json_array_foreach(v, i, child) {
        fprintf(out, "%*s-", indent, "");
        if (json_object_size(child) > 0) {
            fputc(' ', out);
            put_block(child, indent + 2, true, out);
        } else {
            put_value(child, indent + 2, out);
        }
    }
}

static void begin_list(const char *name, size_t count, FILE *out) {
    fprintf(out, "%s:%s\n", name, count ? "" : " []");
}

/* Takes the item. */
static void put_item(json_t *item, FILE *out, bool *failed) {
    json_t *list = json_array();
    *failed |= !item || json_array_append_new(list, item) != 0;
    if (!*failed)
        put_block(list, 0, false, out);
    json_decref(list);
}

bool calico_plan_write_yaml(const struct calico_plan *p, const struct diag_list *findings,
                            FILE *out) {
    bool failed = false;
    struct calico_pair *pairs;
    size_t pair_count = calico_pairs(p, &pairs),
           finding_count = findings ? diag_count(findings) : 0;
    begin_list("nodes", p->node_count, out);
    for (size_t i = 0; i < p->node_count && !failed; i++)
        put_item(plan_json_node(&p->nodes[i], &failed), out, &failed);
    begin_list("pairs", pair_count, out);
    for (size_t i = 0; i < pair_count && !failed; i++)
        put_item(plan_json_pair(&pairs[i], &failed), out, &failed);
    begin_list("findings", finding_count, out);
    for (size_t i = 0; i < finding_count && !failed; i++)
        put_item(plan_json_finding(diag_at(findings, i), &failed), out, &failed);
    return !failed && !ferror(out);
}
