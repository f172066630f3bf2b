/*
 * show ip prefix-list, route-map, community-list, as-path-access-list, access-lists: policy as it
 * is configured.
 *
 * Owns: the layouts, which are not those of the running-config. Counts of matches are not kept, as
 * the policy engine keeps none: a route-map's are those of policy routing, which there is none of.
 */
#include "ios_show.h"

#include "../core/attr.h"

#include <string.h>

/* ---- prefix-lists ---- */

static bool is_list(const struct ios_stmt *s, const char *ip, const char *name) {
    return ios_stmt_is(s, 0, ip) && ios_stmt_is(s, 1, "prefix-list") &&
           (!name || ios_stmt_is(s, 2, name)) && ios_stmt_is(s, 3, "seq");
}

static void put_prefix_list(const struct ios_block *root, const char *ip, const char *name,
                            struct text *out) {
    unsigned count = 0;
    for (uint32_t i = 0; i < root->count; i++)
        count += is_list(root->items[i], ip, name);
    text_printf(out, "%s prefix-list %s: %u entries\n", ip, name, count);
    uint64_t last = 0;
    for (unsigned n = 0; n < count; n++) {
        const struct ios_stmt *next = NULL;
        uint64_t next_seq = UINT64_MAX, seq = 0;
        for (uint32_t i = 0; i < root->count; i++)
            if (is_list(root->items[i], ip, name) &&
                text_to_u64(ios_stmt_word(root->items[i], 4), 0, UINT32_MAX, &seq) && seq > last &&
                seq < next_seq) {
                next = root->items[i];
                next_seq = seq;
            }
        if (!next)
            break;
        text_puts(out, "  ");
        for (uint16_t i = 3; i < next->count; i++)
            text_printf(out, " %s", next->words[i]);
        text_putc(out, '\n');
        last = next_seq;
    }
}

/* Was a list of this name met before statement `before`? */
static bool seen_before(const struct ios_block *root, uint32_t before, const char *ip) {
    for (uint32_t i = 0; i < before; i++)
        if (is_list(root->items[i], ip, ios_stmt_word(root->items[before], 2)))
            return true;
    return false;
}

bool ios_show_prefix_list(struct ios_edit *e) {
    const struct ios_block *root = e->r->root;
    const char *ip = ios_word(e->words, 1), *name = ios_word(e->words, 3);
    bool form = strcmp(name, "detail") == 0 || strcmp(name, "summary") == 0;
    if (form)
        name = ios_word(e->words, 4);
    for (uint32_t i = 0; i < root->count; i++)
        if (is_list(root->items[i], ip, *name ? name : NULL) && !seen_before(root, i, ip))
            put_prefix_list(root, ip, ios_stmt_word(root->items[i], 2), e->sink->out);
    return false;
}

/* "prefix-list" reads "prefix-lists:", other lists likewise. */
static void put_clauses(const struct ios_stmt *map, const char *which, struct text *out) {
    for (uint32_t i = 0; i < map->children->count; i++) {
        const struct ios_stmt *s = map->children->items[i];
        if (!ios_stmt_is(s, 0, which))
            continue;
        text_puts(out, "    ");
        for (uint16_t at = 1; at < s->count; at++)
            text_printf(out, "%s%s ", s->words[at],
                        strcmp(s->words[at], "prefix-list") == 0 ? "s:" : "");
        text_putc(out, '\n');
    }
}

bool ios_show_route_map(struct ios_edit *e) {
    const struct ios_block *root = e->r->root;
    struct text *out = e->sink->out;
    const char *name = ios_word(e->words, 2);
    bool any = false;
    for (uint32_t i = 0; i < root->count; i++) {
        const struct ios_stmt *s = root->items[i];
        if (!s->children || s->row->next != IOS_ROUTE_MAP || (*name && !ios_stmt_is(s, 1, name)))
            continue;
        any = true;
        text_printf(out, "route-map %s, %s, sequence %s\n  Match clauses:\n", ios_stmt_word(s, 1),
                    ios_stmt_word(s, 2), ios_stmt_word(s, 3));
        put_clauses(s, "match", out);
        text_puts(out, "  Set clauses:\n");
        put_clauses(s, "set", out);
        text_puts(out, "  Policy routing matches: 0 packets, 0 bytes\n");
    }
    if (!any && *name)
        text_printf(out, "route-map %s not found\n", name);
    return false;
}

/* ---- lists with one statement a line ---- */

/* The list's name: `standard NAME`, `expanded NAME` or a number. */
static const char *list_name(const struct ios_stmt *s) {
    bool named = ios_stmt_is(s, 2, "standard") || ios_stmt_is(s, 2, "expanded");
    return ios_stmt_word(s, named ? 3 : 2);
}

static bool is_community_list(const struct ios_stmt *s, const char *name) {
    return ios_stmt_is(s, 0, "ip") && ios_stmt_is(s, 1, "community-list") &&
           (!*name || strcmp(list_name(s), name) == 0);
}

static void put_community_line(const struct ios_router *r, const struct ios_stmt *s,
                               struct text *out) {
    bool named = list_name(s) != s->words[2];
    uint16_t at = named ? 4 : 3;
    text_printf(out, "    %s", ios_stmt_word(s, at++));
    for (; at < s->count; at++) {
        uint32_t value;
        text_putc(out, ' ');
        if (community_parse(s->words[at], &value))
            ios_put_communities(r, &value, 1, out);
        else
            text_puts(out, s->words[at]);
    }
    text_putc(out, '\n');
}

bool ios_show_community_list(struct ios_edit *e) {
    const struct ios_block *root = e->r->root;
    const char *wanted = ios_word(e->words, 3), *last = "";
    for (uint32_t i = 0; i < root->count; i++) {
        const struct ios_stmt *s = root->items[i];
        uint64_t number = 0;
        if (!is_community_list(s, wanted))
            continue;
        bool is_number = text_to_u64(list_name(s), 1, 500, &number);
        bool expanded = ios_stmt_is(s, 2, "expanded") || number >= 100;
        if (strcmp(last, list_name(s)) != 0)
            text_printf(e->sink->out, "%sCommunity %s list %s\n", is_number ? "" : "Named ",
                        expanded ? "expanded" : "standard", list_name(s));
        last = list_name(s);
        put_community_line(e->r, s, e->sink->out);
    }
    return false;
}

bool ios_show_as_path_list(struct ios_edit *e) {
    const struct ios_block *root = e->r->root;
    const char *wanted = ios_word(e->words, 3), *last = "";
    for (uint32_t i = 0; i < root->count; i++) {
        const struct ios_stmt *s = root->items[i];
        if (!ios_stmt_is(s, 1, "as-path") || (*wanted && !ios_stmt_is(s, 3, wanted)))
            continue;
        if (strcmp(last, ios_stmt_word(s, 3)) != 0)
            text_printf(e->sink->out, "AS path access list %s\n", ios_stmt_word(s, 3));
        last = ios_stmt_word(s, 3);
        text_printf(e->sink->out, "    %s %s\n", ios_stmt_word(s, 4), ios_stmt_word(s, 5));
    }
    return false;
}

/* ---- access-lists ---- */

/* "10.0.0.0, wildcard bits 0.255.255.255", "any", "10.0.0.1"; words [from, end). */
static void put_standard(const struct ios_stmt *s, uint16_t from, struct text *out) {
    uint16_t at = (uint16_t)(ios_stmt_is(s, from, "host") ? from + 1 : from);
    text_puts(out, ios_stmt_word(s, at));
    const char *wildcard = ios_stmt_word(s, (uint16_t)(at + 1));
    if (*wildcard && strcmp(wildcard, "log") != 0)
        text_printf(out, ", wildcard bits %s", wildcard);
    text_putc(out, '\n');
}

/* An entry, whose words begin with `permit` or `deny` at `at`. */
static void put_access_entry(const struct ios_stmt *s, uint16_t at, unsigned sequence,
                             bool standard, struct text *out) {
    text_printf(out, "    %u %s", sequence, ios_stmt_word(s, at));
    if (standard) {
        text_putc(out, ' ');
        if (ios_stmt_is(s, at, "deny"))
            text_puts(out, "  ");
        put_standard(s, (uint16_t)(at + 1), out);
        return;
    }
    for (uint16_t i = (uint16_t)(at + 1); i < s->count; i++)
        text_printf(out, " %s", s->words[i]);
    text_putc(out, '\n');
}

static bool is_numbered(const struct ios_stmt *s) {
    return ios_stmt_is(s, 0, "access-list") && !ios_stmt_is(s, 2, "remark");
}

static void put_numbered(const struct ios_block *root, const char *number, struct text *out) {
    uint64_t n = 0;
    unsigned sequence = 0;
    bool standard = text_to_u64(number, 1, 2699, &n) && (n < 100 || (n >= 1300 && n < 2000));
    text_printf(out, "%s IP access list %s\n", standard ? "Standard" : "Extended", number);
    for (uint32_t i = 0; i < root->count; i++)
        if (is_numbered(root->items[i]) && ios_stmt_is(root->items[i], 1, number))
            put_access_entry(root->items[i], 2, sequence += 10, standard, out);
}

static void put_named(const struct ios_stmt *list, struct text *out) {
    bool standard = ios_stmt_is(list, 2, "standard");
    unsigned sequence = 0;
    text_printf(out, "%s IP access list %s\n", standard ? "Standard" : "Extended",
                ios_stmt_word(list, 3));
    for (uint32_t i = 0; list->children && i < list->children->count; i++) {
        const struct ios_stmt *s = list->children->items[i];
        uint64_t own = 0;
        bool numbered = text_to_u64(ios_stmt_word(s, 0), 1, INT32_MAX, &own);
        sequence = numbered ? (unsigned)own : sequence + 10;
        if (!ios_stmt_is(s, 0, "remark"))
            put_access_entry(s, numbered, sequence, standard, out);
    }
}

bool ios_show_access_lists(struct ios_edit *e) {
    const struct ios_block *root = e->r->root;
    bool ip = strcmp(ios_word(e->words, 1), "ip") == 0;
    const char *wanted = ios_word(e->words, ip ? 3 : 2), *last = "";
    for (uint32_t i = 0; i < root->count; i++) {
        const struct ios_stmt *s = root->items[i];
        if (is_numbered(s) && strcmp(last, ios_stmt_word(s, 1)) != 0) {
            last = ios_stmt_word(s, 1);
            if (!*wanted || strcmp(wanted, last) == 0)
                put_numbered(root, last, e->sink->out);
        } else if (ios_stmt_is(s, 1, "access-list") && s->children &&
                   (!*wanted || ios_stmt_is(s, 3, wanted))) {
            put_named(s, e->sink->out);
        }
    }
    return false;
}
