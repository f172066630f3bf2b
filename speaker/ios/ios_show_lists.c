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

/* What the statements of one list add up to. */
struct list_sum {
    unsigned entries, ranges, references;
    uint64_t first, last; /* sequence numbers */
    const char *description;
};

static bool is_range(const struct ios_stmt *s) {
    return ios_stmt_has(s, 6, "ge") || ios_stmt_has(s, 6, "le");
}

/* How many lines of neighbours and route-maps name the list. */
static unsigned references_in(const struct ios_block *b, const char *name) {
    unsigned count = 0;
    for (uint32_t i = 0; b && i < b->count; i++) {
        const struct ios_stmt *s = b->items[i];
        bool uses = (ios_stmt_is(s, 0, "neighbor") || ios_stmt_is(s, 0, "match") ||
                     ios_stmt_is(s, 0, "prefix-list")) &&
                    ios_stmt_has(s, 0, "prefix-list");
        count += (uses && ios_stmt_has(s, 1, name)) + references_in(s->children, name);
    }
    return count;
}

static struct list_sum sum_of(const struct ios_block *root, const char *ip, const char *name) {
    struct list_sum sum = {.first = UINT64_MAX, .references = references_in(root, name) + 1};
    for (uint32_t i = 0; i < root->count; i++) {
        const struct ios_stmt *s = root->items[i];
        uint64_t seq = 0;
        if (ios_stmt_is(s, 0, ip) && ios_stmt_is(s, 1, "prefix-list") && ios_stmt_is(s, 2, name) &&
            ios_stmt_is(s, 3, "description"))
            sum.description = ios_stmt_word(s, 4);
        if (!is_list(s, ip, name) || !text_to_u64(ios_stmt_word(s, 4), 0, UINT32_MAX, &seq))
            continue;
        sum.entries++;
        sum.ranges += is_range(s);
        sum.first = seq < sum.first ? seq : sum.first;
        sum.last = seq > sum.last ? seq : sum.last;
    }
    return sum;
}

static void put_list_head(const struct list_sum *sum, const char *ip, const char *name, bool brief,
                          struct text *out) {
    if (brief)
        text_printf(out, "%s prefix-list %s: %u entries\n", ip, name, sum->entries);
    else
        text_printf(out, "%s prefix-list %s:\n", ip, name);
    if (sum->description)
        text_printf(out, "   Description: %s\n", sum->description);
    if (!brief)
        text_printf(out, "   count: %u, range entries: %u, sequences: %llu - %llu, refcount: %u\n",
                    sum->entries, sum->ranges, (unsigned long long)sum->first,
                    (unsigned long long)sum->last, sum->references);
}

/* The entry behind sequence number `last`; NULL: no more. */
static const struct ios_stmt *entry_behind(const struct ios_block *root, const char *ip,
                                           const char *name, uint64_t *last) {
    const struct ios_stmt *next = NULL;
    uint64_t next_seq = UINT64_MAX, seq = 0;
    for (uint32_t i = 0; i < root->count; i++)
        if (is_list(root->items[i], ip, name) &&
            text_to_u64(ios_stmt_word(root->items[i], 4), 0, UINT32_MAX, &seq) && seq > *last &&
            seq < next_seq) {
            next = root->items[i];
            next_seq = seq;
        }
    *last = next_seq;
    return next;
}

enum list_form { LIST_PLAIN, LIST_DETAIL, LIST_SUMMARY };

static void put_prefix_list(const struct ios_block *root, const char *ip, const char *name,
                            enum list_form form, struct text *out) {
    const struct list_sum sum = sum_of(root, ip, name);
    const struct ios_stmt *s;
    put_list_head(&sum, ip, name, form == LIST_PLAIN, out);
    for (uint64_t last = 0;
         form != LIST_SUMMARY && (s = entry_behind(root, ip, name, &last)) != NULL;) {
        text_puts(out, "  ");
        for (uint16_t i = 3; i < s->count; i++)
            text_printf(out, " %s", s->words[i]);
        text_puts(out, form == LIST_DETAIL ? " (hit count: 0, refcount: 1)\n" : "\n");
    }
}

/* Was a list of this name met before statement `before`? */
static bool seen_before(const struct ios_block *root, uint32_t before, const char *ip) {
    for (uint32_t i = 0; i < before; i++)
        if (is_list(root->items[i], ip, ios_stmt_word(root->items[before], 2)))
            return true;
    return false;
}

/* IOS: which list was changed last stands above all of them. */
static void put_last_changed(const struct ios_block *root, const char *ip, struct text *out) {
    for (uint32_t i = root->count; i-- > 0;)
        if (is_list(root->items[i], ip, NULL)) {
            text_printf(out, "Prefix-list with the last deletion/insertion: %s\n",
                        ios_stmt_word(root->items[i], 2));
            return;
        }
}

bool ios_show_prefix_list(struct ios_edit *e) {
    const struct ios_block *root = e->r->root;
    const char *ip = ios_word(e->words, 1), *name = ios_word(e->words, 3);
    enum list_form form = strcmp(name, "detail") == 0    ? LIST_DETAIL
                          : strcmp(name, "summary") == 0 ? LIST_SUMMARY
                                                         : LIST_PLAIN;
    if (form != LIST_PLAIN)
        name = ios_word(e->words, 4);
    if (form != LIST_PLAIN && !*name)
        put_last_changed(root, ip, e->sink->out);
    for (uint32_t i = 0; i < root->count; i++)
        if (is_list(root->items[i], ip, *name ? name : NULL) && !seen_before(root, i, ip))
            put_prefix_list(root, ip, ios_stmt_word(root->items[i], 2), form, e->sink->out);
    return false;
}

/* ---- route-maps ---- */

/* How IOS announces the names of a match; the first that fits stands. */
static const struct {
    const char *words[3]; /* behind `match` */
    const char *shown;
} MATCHES[] = {
    {{"ip", "address", "prefix-list"}, "ip address prefix-lists:"},
    {{"ip", "address"}, "ip address (access-lists):"},
    {{"ip", "next-hop", "prefix-list"}, "ip next-hop prefix-lists:"},
    {{"ip", "next-hop"}, "ip next-hop (access-lists):"},
    {{"ipv6", "address", "prefix-list"}, "ipv6 address prefix-lists:"},
    {{"ipv6", "next-hop", "prefix-list"}, "ipv6 next-hop prefix-lists:"},
    {{"as-path"}, "as-path (as-path filter):"},
    {{"community"}, "community (community-list filter):"},
};

/* Writes the words that name the kind of a match; returns the index of the next one. */
static uint16_t put_match_kind(const struct ios_stmt *s, struct text *out) {
    for (size_t i = 0; i < sizeof MATCHES / sizeof *MATCHES; i++) {
        uint16_t n = 0;
        while (n < 3 && MATCHES[i].words[n] &&
               ios_stmt_is(s, (uint16_t)(n + 1), MATCHES[i].words[n]))
            n++;
        if (n < 3 && MATCHES[i].words[n])
            continue;
        text_printf(out, "%s ", MATCHES[i].shown);
        return (uint16_t)(n + 1);
    }
    return 1;
}

/* Communities as `ip bgp-community new-format` says. */
static void put_word(const struct ios_router *r, const struct ios_stmt *s, uint16_t at,
                     struct text *out) {
    uint32_t value;
    if (s->row->flags & ROW_COMM && community_parse(s->words[at], &value))
        ios_put_communities(r, &value, 1, out);
    else
        text_puts(out, s->words[at]);
}

static void put_clauses(const struct ios_router *r, const struct ios_stmt *map, const char *which,
                        struct text *out) {
    for (uint32_t i = 0; i < map->children->count; i++) {
        const struct ios_stmt *s = map->children->items[i];
        if (!ios_stmt_is(s, 0, which))
            continue;
        text_puts(out, "    ");
        uint16_t at = ios_stmt_is(s, 0, "match") ? put_match_kind(s, out) : 1;
        for (; at < s->count; at++) {
            put_word(r, s, at, out);
            text_putc(out, ' ');
        }
        text_putc(out, '\n');
    }
}

static void put_continue(const struct ios_stmt *map, struct text *out) {
    const struct ios_stmt *s = ios_block_first(map->children, "continue", NULL, NULL);
    if (s)
        text_printf(out, "  Continue: %s%s\n", s->count > 1 ? "sequence " : "to next entry",
                    ios_stmt_word(s, 1));
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
        put_clauses(e->r, s, "match", out);
        put_continue(s, out);
        text_puts(out, "  Set clauses:\n");
        put_clauses(e->r, s, "set", out);
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
        text_putc(out, ' ');
        put_word(r, s, at, out);
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
