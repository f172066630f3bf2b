/*
 * Route-maps as policies.
 *
 * A sequence is one term wherever its match lines are sets of permits. A list that denies cannot be
 * one match: its lines become terms of their own that jump to what follows (the next match line, or
 * the next sequence), which is what "the first line that matches decides" means. `continue` has a
 * second copy of the map, for routes that were permitted already and end permitted.
 *
 * Owns: order, OR within a line and AND between lines, jumps, set clauses. Leaves: single lists to
 * ios_lists.c, evaluation to core/policy.c.
 *
 * IOS: an undefined route-map denies everything, an undefined list permits everything.
 */
#include "ios_policy.h"

#include "../base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ios_policy_note(struct ios_policies *p, const struct ios_stmt *s, const char *id,
                     const char *format, ...) {
    char message[400];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct diag_place place = {.file = p->r->file[0] ? p->r->file : NULL, .line = s ? s->line : 0};
    if (p->diags)
        diag_add(p->diags, DIAG_WARNING, place, id, "%s", message);
}

/* ---- terms under construction ---- */

#define NO_LABEL UINT32_MAX

struct draft {
    struct ios_policies *p;
    const char *name;
    bool out;
    struct policy_term *terms;
    uint32_t *jumps; /* beside terms: label to go on at, or NO_LABEL */
    uint32_t count, capacity;
    const struct ios_stmt **sequences;
    uint32_t sequence_count;
    uint32_t *labels; /* copy * (sequence_count + 1) + sequence -> index of a term */
};

static uint32_t label_of(const struct draft *d, uint32_t copy, uint32_t sequence) {
    return copy * (d->sequence_count + 1) + sequence;
}

static bool draft_grow(struct draft *d) {
    if (d->count < d->capacity)
        return true;
    uint32_t capacity = d->capacity ? d->capacity * 2 : 8;
    struct policy_term *terms = arena_array(d->p->arena, capacity, sizeof *terms);
    uint32_t *jumps = arena_array(d->p->arena, capacity, sizeof *jumps);
    if (!terms || !jumps || capacity > BGP_POLICY_TERMS_MAX) {
        d->p->no_memory = true;
        return false;
    }
    if (d->count) {
        memcpy(terms, d->terms, d->count * sizeof *terms);
        memcpy(jumps, d->jumps, d->count * sizeof *jumps);
    }
    d->terms = terms;
    d->jumps = jumps;
    d->capacity = capacity;
    return true;
}

static struct policy_term *draft_term(struct draft *d, const char *name,
                                      enum policy_verdict verdict, uint32_t jump) {
    if (!draft_grow(d))
        return NULL;
    d->jumps[d->count] = jump;
    d->terms[d->count] = (struct policy_term){.name = name, .verdict = verdict};
    return &d->terms[d->count++];
}

/* ---- match lines ---- */

/* One match line: any of its lists. */
struct line {
    struct ios_list *lists;
    uint32_t count;
    bool always;   /* one of them lets everything through */
    bool ordered;  /* a list denies: needs terms of its own */
    uint32_t size; /* entries in all */
};

static void line_measure(struct line *l) {
    for (uint32_t i = 0; i < l->count; i++) {
        l->size += l->lists[i].count;
        for (uint32_t j = 0; j < l->lists[i].count; j++) {
            const struct ios_list_entry *e = &l->lists[i].entries[j];
            l->ordered |= !e->permit;
            l->always |= e->permit && e->always && j == 0;
        }
    }
}

static struct ios_list single(struct draft *d, struct policy_match match) {
    struct ios_list list = {.entries = arena_array(d->p->arena, 1, sizeof *list.entries)};
    d->p->no_memory |= !list.entries;
    if (list.entries) {
        list.count = 1;
        list.defined = true;
        list.entries[0] = (struct ios_list_entry){.permit = true, .match = match};
    }
    return list;
}

static uint32_t to_number(const char *word) {
    uint64_t n = 0;
    return text_to_u64(word, 0, UINT32_MAX, &n) ? (uint32_t)n : 0;
}

static struct ios_list next_hop_list(struct ios_list list) {
    for (uint32_t i = 0; i < list.count; i++)
        list.entries[i].match.kind = POLICY_MATCH_NEXT_HOP;
    return list;
}

static struct policy_match source_match(const struct ios_stmt *s) {
    enum route_source source = ios_stmt_is(s, 2, "connected") ? ROUTE_SOURCE_DIRECT
                               : ios_stmt_is(s, 2, "static")  ? ROUTE_SOURCE_STATIC
                                                              : ROUTE_SOURCE_BGP;
    return (struct policy_match){.kind = POLICY_MATCH_SOURCE, .value = UINT32_C(1) << source};
}

/* The list that word `at` of a match line names. */
static struct ios_list line_list(struct draft *d, const struct ios_stmt *s, uint16_t at) {
    const char *kind = ios_stmt_word(s, 1), *word = ios_stmt_word(s, at);
    bool ip = strcmp(kind, "ip") == 0, ipv6 = strcmp(kind, "ipv6") == 0;
    bool next_hop = ios_stmt_is(s, 2, "next-hop"), prefix = ios_stmt_is(s, 3, "prefix-list");
    struct ios_list list;
    if (ip || ipv6) {
        list = prefix ? ios_list_prefix(d->p, kind, word) : ios_list_access(d->p, word);
        if (!list.defined)
            ios_policy_note(d->p, s, "ios-undefined-list",
                            "%s: undefined list %s permits everything", d->name, word);
        return next_hop ? next_hop_list(list) : list;
    }
    if (strcmp(kind, "community") == 0)
        return ios_list_community(d->p, word, ios_stmt_has(s, 2, "exact-match"));
    if (strcmp(kind, "as-path") == 0)
        return ios_list_as_path(d->p, word);
    if (strcmp(kind, "source-protocol") == 0)
        return single(d, source_match(s));
    if (strcmp(kind, "interface") == 0)
        return single(d, (struct policy_match){.kind = POLICY_MATCH_INTERFACE,
                                               .text = arena_strndup(d->p->arena, word, 15)});
    enum policy_match_kind number = strcmp(kind, "metric") == 0 ? POLICY_MATCH_MED
                                    : strcmp(kind, "tag") == 0  ? POLICY_MATCH_TAG
                                                                : POLICY_MATCH_LOCAL_PREF;
    return single(d, (struct policy_match){.kind = number, .value = to_number(word)});
}

/* Where the values of a match line begin. */
static uint16_t line_values_at(const struct ios_stmt *s) {
    if (ios_stmt_is(s, 1, "ip") || ios_stmt_is(s, 1, "ipv6"))
        return ios_stmt_is(s, 3, "prefix-list") ? 4 : 3;
    return 2;
}

static struct line line_read(struct draft *d, const struct ios_stmt *s) {
    struct line l = {.lists = arena_array(d->p->arena, s->count, sizeof *l.lists)};
    bool one_value = ios_stmt_is(s, 1, "source-protocol");
    d->p->no_memory |= !l.lists;
    for (uint16_t i = line_values_at(s); l.lists && i < s->count; i++) {
        if (ios_stmt_is(s, i, "exact-match") || (one_value && l.count))
            continue;
        l.lists[l.count++] = line_list(d, s, i);
    }
    line_measure(&l);
    return l;
}

/* A line of permits as one match. */
static struct policy_match line_match(struct draft *d, const struct line *l) {
    struct policy_match *all = arena_array(d->p->arena, l->size + 1, sizeof *all);
    uint32_t count = 0;
    d->p->no_memory |= !all;
    for (uint32_t i = 0; all && i < l->count; i++)
        for (uint32_t j = 0; j < l->lists[i].count; j++)
            all[count++] = l->lists[i].entries[j].match;
    if (count == 1)
        return all[0];
    return (struct policy_match){
        .kind = POLICY_MATCH_ANY_OF, .alternatives = all, .alternative_count = count};
}

static struct policy_match *match_copy(struct draft *d, const struct policy_match *m) {
    struct policy_match *copy = arena_array(d->p->arena, 1, sizeof *copy);
    d->p->no_memory |= !copy;
    if (copy)
        *copy = *m;
    return copy;
}

static struct policy_term *entry_term(struct draft *d, const char *name,
                                      const struct ios_list_entry *e) {
    struct policy_term *t = draft_term(d, name, POLICY_NEXT_TERM, NO_LABEL);
    if (t && !e->always) {
        t->matches = match_copy(d, &e->match);
        t->match_count = t->matches ? 1 : 0;
    }
    return t;
}

/* The terms of a line whose lists deny: each list in turn; fails to label `fail`. */
static void line_terms(struct draft *d, const struct line *l, const char *name, uint32_t fail) {
    uint32_t behind = d->count + l->size + 1;
    for (uint32_t i = 0; i < l->count; i++) {
        uint32_t next_list = d->count + l->lists[i].count;
        for (uint32_t j = 0; j < l->lists[i].count; j++) {
            const struct ios_list_entry *e = &l->lists[i].entries[j];
            struct policy_term *t = entry_term(d, name, e);
            if (t)
                t->continue_at = e->permit ? behind : next_list;
        }
    }
    draft_term(d, name, POLICY_NEXT_TERM, fail);
}

/* ---- set lines ---- */

/* The lines of a sequence in the grammar's order, which is the order they are carried out in. */
struct lines {
    const struct ios_stmt **items;
    uint32_t count;
};

static struct lines lines_sorted(struct draft *d, const struct ios_block *b) {
    struct lines all = {.items = arena_array(d->p->arena, b->count + 1, sizeof(void *))};
    d->p->no_memory |= !all.items;
    for (uint32_t i = 0; all.items && i < b->count; i++) {
        uint32_t at = all.count++;
        for (; at > 0 && all.items[at - 1]->row > b->items[i]->row; at--)
            all.items[at] = all.items[at - 1];
        all.items[at] = b->items[i];
    }
    return all;
}

struct actions {
    struct policy_action *list;
    uint32_t count;
};

/* The numbers of a line from word `at` on, through `read`; NULL with 0 when there are none. */
static const uint32_t *numbers(struct draft *d, const struct ios_stmt *s, uint16_t at,
                               bool (*read)(const char *, uint32_t *), uint32_t *ret_count) {
    uint32_t *list = arena_array(d->p->arena, s->count, sizeof *list);
    uint32_t count = 0;
    d->p->no_memory |= !list;
    for (uint16_t i = at; list && i < s->count; i++)
        count += read(s->words[i], &list[count]);
    *ret_count = count;
    return list;
}

static struct policy_action set_metric(const char *word) {
    uint8_t mode = *word == '+' ? 1 : *word == '-' ? 2 : 0;
    return (struct policy_action){
        .kind = POLICY_SET_MED, .mode = mode, .value = to_number(word + (mode != 0))};
}

static struct policy_action set_next_hop(const struct draft *d, const char *word) {
    struct policy_action a = {.kind = POLICY_SET_NEXT_HOP_SELF};
    if (ip_parse(word, &a.address))
        a.kind = POLICY_SET_NEXT_HOP;
    else if (strcmp(word, "unchanged") == 0)
        a.kind = POLICY_SET_NEXT_HOP_KEEP;
    else if (strcmp(word, "peer-address") == 0 && !d->out)
        a.kind = POLICY_SET_NEXT_HOP_PEER; /* IOS: outbound it is the router's own */
    return a;
}

static struct policy_action set_communities(struct draft *d, const struct ios_stmt *s) {
    struct policy_action a = {.kind = POLICY_SET_COMMUNITIES};
    if (ios_stmt_has(s, 2, "additive"))
        a.kind = POLICY_ADD_COMMUNITIES;
    a.asns = numbers(d, s, 2, ios_community_value, &a.asn_count);
    return a;
}

/* What the permitting lines of a community-list name. */
static struct policy_action delete_communities(struct draft *d, const struct ios_stmt *s) {
    struct ios_list list = ios_list_community(d->p, ios_stmt_word(s, 2), false);
    uint32_t count = 0;
    for (uint32_t i = 0; i < list.count; i++)
        count += list.entries[i].permit ? list.entries[i].match.asn_count : 0;
    uint32_t *values = arena_array(d->p->arena, count + 1, sizeof *values);
    d->p->no_memory |= !values;
    count = 0;
    for (uint32_t i = 0; values && i < list.count; i++)
        for (uint32_t j = 0; list.entries[i].permit && j < list.entries[i].match.asn_count; j++)
            values[count++] = list.entries[i].match.asns[j];
    return (struct policy_action){
        .kind = POLICY_DELETE_COMMUNITIES, .asns = values, .asn_count = count};
}

static bool set_prepend(struct draft *d, const struct ios_stmt *s, struct policy_action *a) {
    if (ios_stmt_is(s, 3, "last-as")) {
        *a = (struct policy_action){.kind = POLICY_PREPEND_LAST_AS,
                                    .value = to_number(ios_stmt_word(s, 4))};
        return true;
    }
    *a = (struct policy_action){.kind = POLICY_PREPEND_AS_PATH};
    a->asns = numbers(d, s, 3, text_to_asn, &a->asn_count);
    return true;
}

/* Minutes and figures of merit, as POLICY_SET_DAMPENING wants them. */
static struct policy_action set_dampening(struct draft *d, const struct ios_stmt *s) {
    uint32_t *values = arena_array(d->p->arena, 4, sizeof *values);
    d->p->no_memory |= !values;
    for (uint16_t i = 0; values && i < 4; i++)
        values[i] = to_number(ios_stmt_word(s, (uint16_t)(i + 2))) * (i == 0 || i == 3 ? 60 : 1);
    return (struct policy_action){
        .kind = POLICY_SET_DAMPENING, .asns = values, .asn_count = values ? 4 : 0};
}

static bool set_action(struct draft *d, const struct ios_stmt *s, struct policy_action *a) {
    const char *what = ios_stmt_word(s, 1), *value = ios_stmt_word(s, 2);
    if (strcmp(what, "local-preference") == 0)
        *a = (struct policy_action){.kind = POLICY_SET_LOCAL_PREF, .value = to_number(value)};
    else if (strcmp(what, "metric") == 0)
        *a = set_metric(value);
    else if (strcmp(what, "weight") == 0 && !d->out)
        *a = (struct policy_action){.kind = POLICY_SET_WEIGHT, .value = to_number(value)};
    else if (strcmp(what, "tag") == 0)
        *a = (struct policy_action){.kind = POLICY_SET_TAG, .value = to_number(value)};
    else if (strcmp(what, "origin") == 0)
        *a = (struct policy_action){.kind = POLICY_SET_ORIGIN,
                                    .value = *value == 'e'     ? 1
                                             : value[1] == 'n' ? 2
                                                               : 0};
    else if (strcmp(what, "ip") == 0 || strcmp(what, "ipv6") == 0)
        *a = set_next_hop(d, ios_stmt_word(s, 3));
    else if (strcmp(what, "community") == 0)
        *a = set_communities(d, s);
    else if (strcmp(what, "comm-list") == 0)
        *a = delete_communities(d, s);
    else if (strcmp(what, "dampening") == 0)
        *a = set_dampening(d, s);
    else if (strcmp(what, "as-path") == 0)
        return set_prepend(d, s, a);
    else
        return false;
    return true;
}

static struct actions actions_read(struct draft *d, const struct lines *b) {
    struct actions all = {.list = arena_array(d->p->arena, b->count + 1, sizeof *all.list)};
    d->p->no_memory |= !all.list;
    for (uint32_t i = 0; all.list && i < b->count; i++) {
        const struct ios_stmt *s = b->items[i];
        if (ios_stmt_is(s, 0, "set") && !(s->row->flags & ROW_IGNORED) &&
            set_action(d, s, &all.list[all.count]))
            all.count++;
    }
    return all;
}

/* ---- sequences ---- */

static uint32_t sequence_find(const struct draft *d, uint32_t number) {
    for (uint32_t i = 0; i < d->sequence_count; i++)
        if (to_number(ios_stmt_word(d->sequences[i], 3)) == number)
            return i;
    return d->sequence_count;
}

/* The label `continue` leads to; NO_LABEL: there is none. */
static uint32_t sequence_continue(const struct draft *d, uint32_t index) {
    const struct ios_stmt *s =
        ios_block_first(d->sequences[index]->children, "continue", NULL, NULL);
    if (!s || ios_stmt_is(d->sequences[index], 2, "deny"))
        return NO_LABEL;
    uint32_t to = s->count > 1 ? sequence_find(d, to_number(s->words[1])) : index + 1;
    /* Backwards would be a loop; IOS refuses it too. */
    return label_of(d, 1, to > index ? to : d->sequence_count);
}

static void sequence_terms(struct draft *d, uint32_t copy, uint32_t index) {
    const struct ios_stmt *s = d->sequences[index];
    const struct lines sorted = lines_sorted(d, s->children), *b = &sorted;
    const char *name =
        arena_printf(d->p->arena, "%s %s %s", d->name, ios_stmt_word(s, 2), ios_stmt_word(s, 3));
    struct policy_match *matches = arena_array(d->p->arena, b->count + 1, sizeof *matches);
    uint32_t count = 0;
    d->labels[label_of(d, copy, index)] = d->count;
    if (!name || !matches) {
        d->p->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < b->count; i++) {
        if (!ios_stmt_is(b->items[i], 0, "match") || b->items[i]->row->flags & ROW_IGNORED)
            continue;
        struct line l = line_read(d, b->items[i]);
        if (l.ordered)
            line_terms(d, &l, name, label_of(d, copy, index + 1));
        else if (!l.always)
            matches[count++] = line_match(d, &l);
    }
    uint32_t jump = sequence_continue(d, index);
    bool deny = ios_stmt_is(s, 2, "deny");
    struct actions actions = actions_read(d, b);
    struct policy_term *t = draft_term(d, name,
                                       deny               ? POLICY_REJECT
                                       : jump == NO_LABEL ? POLICY_NEXT_POLICY
                                                          : POLICY_NEXT_TERM,
                                       jump);
    if (!t)
        return;
    t->matches = matches;
    t->match_count = count;
    t->actions = deny ? NULL : actions.list;
    t->action_count = deny ? 0 : actions.count;
}

static int compare_sequences(const void *a, const void *b) {
    const struct ios_stmt *const *x = a, *const *y = b;
    uint32_t left = to_number(ios_stmt_word(*x, 3)), right = to_number(ios_stmt_word(*y, 3));
    return left < right ? -1 : left > right;
}

static bool sequences_read(struct draft *d, const char *map) {
    const struct ios_block *root = d->p->r->root;
    d->sequences = arena_array(d->p->arena, root->count + 1, sizeof(void *));
    if (!d->sequences)
        return false;
    for (uint32_t i = 0; i < root->count; i++)
        if (root->items[i]->row->next == IOS_ROUTE_MAP && ios_stmt_is(root->items[i], 1, map) &&
            root->items[i]->children)
            d->sequences[d->sequence_count++] = root->items[i];
    qsort(d->sequences, d->sequence_count, sizeof *d->sequences, compare_sequences);
    d->labels = arena_array(d->p->arena, 2 * ((size_t)d->sequence_count + 1), sizeof *d->labels);
    return d->labels != NULL;
}

static bool jumps_to(const struct draft *d, uint32_t label) {
    for (uint32_t i = 0; i < d->count; i++)
        if (d->jumps[i] == label)
            return true;
    return false;
}

static void draft_resolve(struct draft *d) {
    for (uint32_t i = 0; i < d->count; i++)
        if (d->jumps[i] != NO_LABEL)
            d->terms[i].continue_at = d->labels[d->jumps[i]];
}

static struct policy map_compile(struct ios_policies *p, const char *map, bool out) {
    struct draft d = {.p = p, .out = out, .name = arena_printf(p->arena, "route-map %s", map)};
    struct policy none = {.name = d.name ? d.name : "", .otherwise = POLICY_REJECT};
    bool continues = false;
    if (!d.name || !sequences_read(&d, map)) {
        p->no_memory = true;
        return none;
    }
    if (d.sequence_count == 0)
        ios_policy_note(p, NULL, "ios-undefined-route-map",
                        "route-map %s is not defined: it denies everything", map);
    for (uint32_t i = 0; i < d.sequence_count; i++) {
        sequence_terms(&d, 0, i);
        continues |= sequence_continue(&d, i) != NO_LABEL;
    }
    uint32_t end = label_of(&d, 0, d.sequence_count);
    d.labels[end] = d.count;
    if (jumps_to(&d, end) || continues)
        draft_term(&d, d.name, POLICY_REJECT, NO_LABEL);
    for (uint32_t i = 0; continues && i < d.sequence_count; i++)
        sequence_terms(&d, 1, i);
    d.labels[label_of(&d, 1, d.sequence_count)] = d.count;
    if (continues)
        draft_term(&d, d.name, POLICY_NEXT_POLICY, NO_LABEL);
    draft_resolve(&d);
    none.terms = d.terms;
    none.term_count = d.count;
    return none;
}

/* ---- lists as policies ---- */

static struct ios_list list_of(struct ios_policies *p, enum ios_policy_kind kind,
                               const char *name) {
    if (kind == IOS_POLICY_PREFIX_LIST)
        return ios_list_prefix(p, "ip", name);
    if (kind == IOS_POLICY_PREFIX_LIST6)
        return ios_list_prefix(p, "ipv6", name);
    if (kind == IOS_POLICY_FILTER_LIST)
        return ios_list_as_path(p, name);
    return ios_list_access(p, name);
}

static bool list_compile(struct ios_policies *p, enum ios_policy_kind kind, const char *name,
                         struct policy *ret) {
    static const char *const LABELS[] = {"route-map", "prefix-list", "ipv6 prefix-list",
                                         "filter-list", "distribute-list"};
    struct ios_list list = list_of(p, kind, name);
    struct draft d = {.p = p, .name = arena_printf(p->arena, "%s %s", LABELS[kind], name)};
    p->no_memory |= !d.name;
    if (!list.defined) {
        ios_policy_note(p, NULL, "ios-undefined-list", "%s %s is not defined: permits everything",
                        LABELS[kind], name);
        *ret = (struct policy){.name = d.name, .otherwise = POLICY_NEXT_POLICY};
        return !p->no_memory;
    }
    for (uint32_t i = 0; d.name && i < list.count; i++) {
        struct policy_term *t = entry_term(&d, d.name, &list.entries[i]);
        if (t)
            t->verdict = list.entries[i].permit ? POLICY_NEXT_POLICY : POLICY_REJECT;
    }
    *ret = (struct policy){
        .name = d.name, .terms = d.terms, .term_count = d.count, .otherwise = POLICY_REJECT};
    return !p->no_memory;
}

static bool policies_grow(struct ios_policies *p) {
    if (p->count < p->capacity)
        return true;
    uint32_t capacity = p->capacity ? p->capacity * 2 : 16;
    struct policy *list = arena_array(p->arena, capacity, sizeof *list);
    struct ios_policy_key *keys = arena_array(p->arena, capacity, sizeof *keys);
    if (!list || !keys) {
        p->no_memory = true;
        return false;
    }
    if (p->count) {
        memcpy(list, p->list, p->count * sizeof *list);
        memcpy(keys, p->keys, p->count * sizeof *keys);
    }
    p->list = list;
    p->keys = keys;
    p->capacity = capacity;
    return true;
}

uint16_t ios_policy_use(struct ios_policies *p, enum ios_policy_kind kind, const char *name,
                        bool out) {
    struct policy made;
    for (uint32_t i = 0; i < p->count; i++)
        if (p->keys[i].kind == kind && p->keys[i].out == out && strcmp(p->keys[i].name, name) == 0)
            return (uint16_t)i;
    if (kind == IOS_POLICY_ROUTE_MAP)
        made = map_compile(p, name, out);
    else if (!list_compile(p, kind, name, &made))
        return IOS_NO_POLICY;
    if (p->count >= BGP_POLICIES_MAX || !policies_grow(p)) {
        p->no_memory = true;
        return IOS_NO_POLICY;
    }
    p->list[p->count] = made;
    p->keys[p->count] = (struct ios_policy_key){.kind = kind, .out = out, .name = name};
    return (uint16_t)p->count++;
}
