/*
 * Prefix-lists, access-lists, as-path and community lists as matches of the policy engine.
 *
 * Owns: what each kind of list means to a route. An access-list matches the network's address, and
 * an extended one the mask as well, which a set of prefixes with length ranges can say exactly. An
 * undefined list, or one with a description only, permits everything.
 *
 * Leaves: how lists combine to ios_policy.c.
 */
#include "ios_policy.h"

#include "../core/aspath_regex.h"
#include "../core/attr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t small(const char *word, uint8_t otherwise) {
    uint64_t n = 0;
    return word && text_to_u64(word, 0, 255, &n) ? (uint8_t)n : otherwise;
}

static uint64_t sequence(const struct ios_stmt *s) {
    uint64_t n = 0;
    return text_to_u64(ios_stmt_word(s, 4), 0, UINT32_MAX, &n) ? n : 0;
}

/* ---- prefixes ---- */

struct prefixes {
    struct arena *arena;
    struct policy_prefix *list;
    uint32_t count, capacity;
    bool failed;
};

static void prefixes_add(struct prefixes *p, struct ip_prefix prefix, uint8_t min, uint8_t max,
                         bool deny) {
    if (p->count == p->capacity) {
        uint32_t capacity = p->capacity ? p->capacity * 2 : 8;
        struct policy_prefix *list = arena_array(p->arena, capacity, sizeof *list);
        if (!list) {
            p->failed = true;
            return;
        }
        if (p->count)
            memcpy(list, p->list, p->count * sizeof *list);
        p->list = list;
        p->capacity = capacity;
    }
    p->list[p->count++] = (struct policy_prefix){
        .prefix = prefix, .length_min = min, .length_max = max, .deny = deny};
}

static struct ios_list one_entry(struct ios_policies *p, const struct prefixes *set,
                                 const char *kind, const char *name) {
    struct ios_list list = {.entries = arena_array(p->arena, 1, sizeof *list.entries)};
    char *label = arena_printf(p->arena, "%s %s", kind, name);
    if (!list.entries || !label || set->failed) {
        p->no_memory = true;
        return (struct ios_list){.count = 0};
    }
    list.count = 1;
    list.defined = true;
    list.entries[0] = (struct ios_list_entry){
        .permit = true,
        .match = {.kind = POLICY_MATCH_PREFIX,
                  .prefixes = set->list,
                  .prefix_count = set->count,
                  .name = label},
    };
    return list;
}

static struct ios_list permits_all(struct ios_policies *p) {
    struct ios_list list = {.entries = arena_array(p->arena, 1, sizeof *list.entries)};
    p->no_memory |= !list.entries;
    if (list.entries) {
        list.count = 1;
        list.entries[0] = (struct ios_list_entry){.permit = true, .always = true};
    }
    return list;
}

static int compare_sequence(const void *a, const void *b) {
    const struct ios_stmt *const *x = a, *const *y = b;
    uint64_t left = sequence(*x), right = sequence(*y);
    return left < right ? -1 : left > right;
}

/* ip prefix-list NAME seq N permit P/L [ge G] [le L] */
static void prefix_line(struct prefixes *set, const struct ios_stmt *s) {
    struct ip_prefix p;
    if (!ip_prefix_parse(ios_stmt_word(s, 6), &p))
        return;
    const char *ge = ios_stmt_after(s, 6, "ge"), *le = ios_stmt_after(s, 6, "le");
    uint8_t full = ip_bits((enum ip_family)p.addr.family);
    uint8_t min = small(ge, p.length), max = small(le, ge ? full : p.length);
    prefixes_add(set, p, min, max, ios_stmt_is(s, 5, "deny"));
}

struct ios_list ios_list_prefix(struct ios_policies *p, const char *ip, const char *name) {
    const struct ios_block *root = p->r->root;
    const struct ios_stmt **lines = arena_array(p->arena, root->count + 1, sizeof(void *));
    struct prefixes set = {.arena = p->arena};
    uint32_t count = 0;
    for (uint32_t i = 0; lines && i < root->count; i++) {
        const struct ios_stmt *s = root->items[i];
        if (ios_stmt_is(s, 0, ip) && ios_stmt_is(s, 1, "prefix-list") && ios_stmt_is(s, 2, name) &&
            ios_stmt_is(s, 3, "seq"))
            lines[count++] = s;
    }
    p->no_memory |= !lines;
    if (count == 0)
        return permits_all(p);
    qsort(lines, count, sizeof *lines, compare_sequence);
    for (uint32_t i = 0; i < count; i++)
        prefix_line(&set, lines[i]);
    return one_entry(p, &set, strcmp(ip, "ip") == 0 ? "prefix-list" : "ipv6 prefix-list", name);
}

/* ---- access lists ---- */

struct wildcard {
    uint32_t value, wild; /* bits set in `wild` do not matter */
};

/* any | host A | A [W]: reads one at *at. */
static struct wildcard wildcard_read(const struct ios_stmt *s, uint16_t *at) {
    struct ip_addr a = {.family = IP_NONE}, w = {.family = IP_NONE};
    if (ios_stmt_is(s, *at, "any")) {
        *at = (uint16_t)(*at + 1);
        return (struct wildcard){0, UINT32_MAX};
    }
    if (ios_stmt_is(s, *at, "host")) {
        ip_parse(ios_stmt_word(s, (uint16_t)(*at + 1)), &a);
        *at = (uint16_t)(*at + 2);
        return (struct wildcard){ip4_to_u32(a), 0};
    }
    ip_parse(ios_stmt_word(s, *at), &a);
    bool has_wild = ip_parse(ios_stmt_word(s, (uint16_t)(*at + 1)), &w);
    *at = (uint16_t)(*at + (has_wild ? 2 : 1));
    uint32_t wild = has_wild ? ip4_to_u32(w) : 0;
    return (struct wildcard){ip4_to_u32(a) & ~wild, wild};
}

/* Addresses of a contiguous wildcard with masks of `length`: as a prefix and, for masks shorter
 * than the fixed bits, as the one network that has its address there. */
static void access_length(struct prefixes *set, struct wildcard source, uint8_t fixed,
                          uint8_t length, bool deny) {
    uint32_t mask = length ? ~UINT32_C(0) << (32 - length) : 0;
    if (length >= fixed)
        prefixes_add(set, ip_prefix_make(ip4(source.value), fixed), length, length, deny);
    else if ((source.value & ~mask) == 0)
        prefixes_add(set, ip_prefix_make(ip4(source.value), length), length, length, deny);
}

static bool access_line(struct prefixes *set, struct wildcard source, struct wildcard mask,
                        bool deny) {
    if (source.wild & (source.wild + 1))
        return false;
    uint8_t fixed = (uint8_t)(32 - __builtin_popcount(source.wild));
    if (mask.wild == UINT32_MAX) {
        prefixes_add(set, ip_prefix_make(ip4(source.value), fixed), fixed, 32, deny);
        for (uint8_t length = 0; length < fixed; length++)
            access_length(set, source, fixed, length, deny);
        return true;
    }
    for (unsigned length = 0; length <= 32; length++) {
        uint32_t bits = length ? ~UINT32_C(0) << (32 - length) : 0;
        if (((bits ^ mask.value) & ~mask.wild) == 0)
            access_length(set, source, fixed, (uint8_t)length, deny);
    }
    return true;
}

/* `at`: the word permit or deny. */
static void access_stmt(struct ios_policies *p, struct prefixes *set, const struct ios_stmt *s,
                        uint16_t at) {
    bool deny = ios_stmt_is(s, at, "deny");
    if (s->row->flags & ROW_IGNORED || (!deny && !ios_stmt_is(s, at, "permit")))
        return;
    at++;
    bool extended = ios_stmt_is(s, at, "ip");
    at = (uint16_t)(at + extended);
    struct wildcard source = wildcard_read(s, &at);
    struct wildcard mask = {0, UINT32_MAX};
    if (extended)
        mask = wildcard_read(s, &at);
    if (!access_line(set, source, mask, deny))
        ios_policy_note(p, s, "ios-wildcard",
                        "a wildcard with holes cannot be matched on routes: the line is left out");
}

struct ios_list ios_list_access(struct ios_policies *p, const char *name) {
    struct prefixes set = {.arena = p->arena};
    bool defined = false;
    for (uint32_t i = 0; i < p->r->root->count; i++) {
        const struct ios_stmt *s = p->r->root->items[i];
        bool numbered = ios_stmt_is(s, 0, "access-list") && ios_stmt_is(s, 1, name);
        bool named = s->children && s->row->next == IOS_ACL && ios_stmt_is(s, 3, name);
        if (numbered && !ios_stmt_is(s, 2, "remark")) {
            defined = true;
            access_stmt(p, &set, s, 2);
        }
        for (uint32_t j = 0; named && j < s->children->count; j++) {
            const struct ios_stmt *line = s->children->items[j];
            uint64_t n;
            defined |= !ios_stmt_is(line, 0, "remark");
            access_stmt(p, &set, line, text_to_u64(line->words[0], 0, UINT32_MAX, &n) ? 1 : 0);
        }
    }
    return defined ? one_entry(p, &set, "access-list", name) : permits_all(p);
}

/* ---- lists of several matches ---- */

/* An expression that is none matches nothing: said here, because IOS refuses it when it is typed.
 */
static void check_regex(struct ios_policies *p, const struct ios_stmt *s, const char *text) {
    struct aspath_regex regex;
    if (text && !aspath_regex_compile(&regex, text))
        ios_policy_note(p, s, "ios-regex", "not a regular expression, it matches nothing: %s",
                        text);
}

/* Statements of the top level that begin with these words, as entries to fill in. */
static struct ios_list list_make(struct ios_policies *p, uint32_t count) {
    struct ios_list list = {.entries = arena_array(p->arena, count + 1, sizeof *list.entries)};
    p->no_memory |= !list.entries;
    list.defined = count > 0;
    return list;
}

static bool is_as_path(const struct ios_stmt *s, const char *name) {
    return ios_stmt_is(s, 0, "ip") && ios_stmt_is(s, 1, "as-path") && ios_stmt_is(s, 3, name);
}

struct ios_list ios_list_as_path(struct ios_policies *p, const char *name) {
    const struct ios_block *root = p->r->root;
    uint32_t count = 0;
    for (uint32_t i = 0; i < root->count; i++)
        count += is_as_path(root->items[i], name);
    if (count == 0)
        return permits_all(p);
    struct ios_list list = list_make(p, count);
    char *label = arena_printf(p->arena, "as-path %s", name);
    for (uint32_t i = 0; list.entries && i < root->count; i++) {
        const struct ios_stmt *s = root->items[i];
        if (!is_as_path(s, name))
            continue;
        list.entries[list.count++] = (struct ios_list_entry){
            .permit = ios_stmt_is(s, 4, "permit"),
            .match = {.kind = POLICY_MATCH_AS_PATH_REGEX,
                      .text = arena_strdup(p->arena, ios_stmt_word(s, 5)),
                      .value = ios_asdot(p->r),
                      .name = label},
        };
        p->no_memory |= !list.entries[list.count - 1].match.text;
        check_regex(p, s, list.entries[list.count - 1].match.text);
    }
    return list;
}

bool ios_community_value(const char *word, uint32_t *ret_community) {
    return community_parse_name(word, ret_community);
}

/* The name's index in `ip community-list [standard|expanded] NAME permit …`, 0: another line. */
static uint16_t community_name_at(const struct ios_stmt *s, const char *name) {
    if (!ios_stmt_is(s, 0, "ip") || !ios_stmt_is(s, 1, "community-list"))
        return 0;
    uint16_t at = ios_stmt_is(s, 2, "standard") || ios_stmt_is(s, 2, "expanded") ? 3 : 2;
    return ios_stmt_is(s, at, name) ? at : 0;
}

static void community_standard(struct ios_policies *p, const struct ios_stmt *s, uint16_t at,
                               bool exact, struct ios_list_entry *entry) {
    uint32_t *values = arena_array(p->arena, s->count, sizeof *values);
    uint32_t count = 0;
    p->no_memory |= !values;
    for (uint16_t i = at; values && i < s->count; i++)
        count += ios_community_value(s->words[i], &values[count]);
    entry->always = count == 0; /* internet */
    entry->match = (struct policy_match){.kind = POLICY_MATCH_COMMUNITY,
                                         .exact = exact,
                                         .asns = values,
                                         .asn_count = count,
                                         .name = arena_strdup(p->arena, s->words[at - 2])};
}

/* The text of the expression, without the quotes it may stand in. */
static void community_expanded(struct ios_policies *p, const struct ios_stmt *s, uint16_t at,
                               struct ios_list_entry *entry) {
    const char *text = ios_stmt_word(s, at);
    size_t size = strlen(text);
    bool quoted = size >= 2 && text[0] == '"' && text[size - 1] == '"';
    const char *copy = arena_strndup(p->arena, text + quoted, quoted ? size - 2 : size);
    p->no_memory |= !copy;
    entry->match = (struct policy_match){
        .kind = POLICY_MATCH_COMMUNITY_REGEX, .text = copy, .name = s->words[at - 2]};
    check_regex(p, s, copy);
}

struct ios_list ios_list_community(struct ios_policies *p, const char *name, bool exact) {
    const struct ios_block *root = p->r->root;
    uint32_t count = 0;
    for (uint32_t i = 0; i < root->count; i++)
        count += community_name_at(root->items[i], name) > 0;
    if (count == 0)
        return permits_all(p);
    struct ios_list list = list_make(p, count);
    for (uint32_t i = 0; list.entries && i < root->count; i++) {
        const struct ios_stmt *s = root->items[i];
        uint16_t at = community_name_at(s, name);
        uint64_t n = 0;
        if (!at)
            continue;
        struct ios_list_entry *entry = &list.entries[list.count++];
        bool expanded =
            ios_stmt_is(s, 2, "expanded") || (text_to_u64(s->words[at], 100, 500, &n) && n >= 100);
        entry->permit = ios_stmt_is(s, (uint16_t)(at + 1), "permit");
        if (expanded)
            community_expanded(p, s, (uint16_t)(at + 2), entry);
        else
            community_standard(p, s, (uint16_t)(at + 2), exact, entry);
    }
    return list;
}
