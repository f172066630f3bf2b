/*
 * show ip bgp regexp|community|community-list|prefix-list|filter-list|route-map|cidr-only,
 * longer-prefixes: the table, less what does not match.
 *
 * Owns: which paths are wanted. Leaves: the layout of rows to ios_show_bgp.c, lists and route-maps
 * to ios_lists.c and ios_policy.c, which compile them as for a neighbour.
 */
#include "ios_policy.h"
#include "ios_show.h"

#include "../core/aspath_regex.h"
#include "../core/attr.h"
#include "../core/speaker.h"

#include <string.h>

/* ---- by AS path ---- */

struct wanted_paths {
    const struct aspath_regex *regex;
    bool asdot; /* how it is written */
};

static bool regex_wants(void *context, struct ip_prefix prefix, const struct bgp_path_info *p) {
    const struct wanted_paths *w = context;
    struct text path;
    (void)prefix;
    text_init(&path);
    as_path_format(p->attrs->v.as_path, w->asdot, &path);
    bool match = aspath_regex_match(w->regex, text_str(&path), path.size);
    text_deinit(&path);
    return match;
}

bool ios_show_regexp(struct ios_edit *e) {
    static const char QUOTES[] = "\"";
    char pattern[ASPATH_REGEX_TEXT_MAX + 1];
    const char *text = ios_word(e->words, (uint16_t)(e->words->count - 1));
    size_t size = strlen(text);
    struct aspath_regex *regex = alloc_zero(1, sizeof *regex);
    struct wanted_paths wanted = {.regex = regex, .asdot = ios_asdot(e->r)};
    bool quoted = size > 1 && text[0] == QUOTES[0] && text[size - 1] == QUOTES[0];
    size = quoted ? size - 2 : size;
    if (regex && size < sizeof pattern) {
        memcpy(pattern, text + quoted, size);
        pattern[size] = '\0';
    }
    if (!regex || size >= sizeof pattern || !aspath_regex_compile(regex, pattern))
        text_puts(e->sink->out, "% Failed to compile regular expression.\n");
    else
        ios_show_rows(e, regex_wants, &wanted);
    alloc_free(regex);
    return false;
}

/* ---- by community ---- */

struct communities {
    uint32_t list[32];
    uint32_t count;
    bool exact;
};

static bool communities_want(void *context, struct ip_prefix prefix,
                             const struct bgp_path_info *p) {
    const struct communities *c = context;
    const struct attr_values *v = &p->attrs->v;
    (void)prefix;
    if (v->community_count == 0 || (c->exact && v->community_count != c->count))
        return false;
    for (uint32_t i = 0; i < c->count; i++)
        if (!attr_has_community(v, c->list[i]))
            return false;
    return true;
}

bool ios_show_community(struct ios_edit *e) {
    struct communities c = {.count = 0};
    for (uint16_t i = ios_show_argument(e->words); i < e->words->count; i++) {
        uint32_t value;
        c.exact |= strcmp(ios_word(e->words, i), "exact-match") == 0;
        if (c.count < 32 && ios_community_value(ios_word(e->words, i), &value))
            c.list[c.count++] = value;
    }
    c.count = community_sort(c.list, c.count);
    ios_show_rows(e, communities_want, &c);
    return false;
}

/* ---- by list or route-map ---- */

struct filter {
    struct bgp_config config; /* holds the policies only */
    uint16_t index;
    struct policy_chain chain;
    struct arena *scratch;
};

static bool filter_wants(void *context, struct ip_prefix prefix, const struct bgp_path_info *p) {
    struct filter *f = context;
    bool no_memory = false;
    arena_reset(f->scratch);
    struct policy_route r = {.prefix = prefix,
                             .attrs = p->attrs->v,
                             .source = p->source,
                             .interface = "",
                             .metric = UINT32_MAX,
                             .weight = p->weight,
                             .external = p->external,
                             .arena = f->scratch};
    return policy_run(&f->config, &f->chain, &r, NULL, &no_memory);
}

/* A community-list as a policy of its own: the first line that fits decides. */
static bool community_policy(struct ios_policies *p, const char *name, bool exact) {
    struct ios_list list = ios_list_community(p, name, exact);
    struct policy_term *terms = arena_array(p->arena, list.count + 1, sizeof *terms);
    p->list = arena_array(p->arena, 1, sizeof *p->list);
    if (!terms || !p->list)
        return false;
    for (uint32_t i = 0; i < list.count; i++)
        terms[i] =
            (struct policy_term){.name = name,
                                 .matches = &list.entries[i].match,
                                 .match_count = list.entries[i].always ? 0 : 1,
                                 .verdict = list.entries[i].permit ? POLICY_ACCEPT : POLICY_REJECT};
    p->list[0] = (struct policy){
        .name = name, .terms = terms, .term_count = list.count, .otherwise = POLICY_REJECT};
    p->count = 1;
    return true;
}

static enum ios_policy_kind kind_of(const char *word, enum bgp_family f) {
    if (strcmp(word, "route-map") == 0)
        return IOS_POLICY_ROUTE_MAP;
    if (strcmp(word, "filter-list") == 0)
        return IOS_POLICY_FILTER_LIST;
    return f == BGP_IPV4_UNICAST ? IOS_POLICY_PREFIX_LIST : IOS_POLICY_PREFIX_LIST6;
}

bool ios_show_filtered(struct ios_edit *e) {
    uint16_t at = ios_show_argument(e->words);
    const char *kind = ios_word(e->words, at), *name = ios_word(e->words, (uint16_t)(at + 1));
    bool exact = ios_word(e->words, (uint16_t)(at + 2))[0] != '\0';
    struct filter f = {.scratch = arena_new()};
    struct ios_policies p = {.r = e->r, .arena = arena_new()};
    bool ok = f.scratch && p.arena;
    if (ok && strcmp(kind, "community-list") == 0)
        ok = community_policy(&p, name, exact);
    else if (ok)
        f.index = ios_policy_use(&p, kind_of(kind, ios_show_family(e->words)), name, false);
    if (ok && f.index != IOS_NO_POLICY) {
        f.config.policies = p.list;
        f.config.policy_count = p.count;
        f.chain = (struct policy_chain){.policies = &f.index, .count = 1};
        f.chain.accept_by_default = strcmp(kind, "community-list") != 0;
        ios_show_rows(e, filter_wants, &f);
    }
    arena_free(f.scratch);
    arena_free(p.arena);
    return false;
}

/* ---- by prefix ---- */

static bool within(void *context, struct ip_prefix prefix, const struct bgp_path_info *p) {
    const struct ip_prefix *outer = context;
    (void)p;
    return ip_prefix_contains(*outer, prefix);
}

bool ios_show_longer(struct ios_edit *e) {
    uint16_t at = ios_show_argument(e->words);
    struct ip_prefix p;
    uint8_t length;
    struct ip_addr a;
    const char *word = ios_word(e->words, at);
    if (strchr(word, '/') && ip_prefix_parse(word, &p))
        ios_show_rows(e, within, &p);
    else if (ip_parse(word, &a) &&
             ios_mask_length(ios_word(e->words, (uint16_t)(at + 1)), &length)) {
        p = ip_prefix_make(a, length);
        ios_show_rows(e, within, &p);
    }
    return false;
}

static bool not_classful(void *context, struct ip_prefix prefix, const struct bgp_path_info *p) {
    (void)context;
    (void)p;
    return prefix.addr.family == IP_V4 && prefix.length != ios_classful_length(prefix.addr);
}

bool ios_show_cidr_only(struct ios_edit *e) {
    ios_show_rows(e, not_classful, NULL);
    return false;
}
