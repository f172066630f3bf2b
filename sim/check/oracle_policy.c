/*
 * The oracle's own evaluation of policy chains: the second opinion on core/policy.c.
 *
 * Same data (core/policy.h), separate code, written for clarity and not for speed: values are
 * copied, AS-path expressions go through the C library's regular expressions.
 */

#include "oracle_internal.h"

#include "../../speaker/base/regex_bounds.h"
#include "../../speaker/base/text.h"

#include <fnmatch.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct evaluation {
    const struct bgp_config *config;
    const struct oracle_candidate *route;
    struct arena *arena;
    struct attr_values values;
    uint32_t tag;
    const char *device;
    const struct oracle_tracer *tracer; /* NULL: nobody looks */
};

static bool in_prefixes(const struct policy_match *m, struct ip_prefix p) {
    for (uint32_t i = 0; i < m->prefix_count; i++) {
        const struct policy_prefix *e = &m->prefixes[i];
        if (ip_prefix_contains(e->prefix, p) && p.length >= e->length_min &&
            p.length <= e->length_max)
            return !e->deny;
    }
    return false;
}

static bool has_community(const struct attr_values *v, uint32_t community) {
    for (uint32_t i = 0; i < v->community_count; i++) {
        if (v->communities[i] == community)
            return true;
    }
    return false;
}

static bool is_listed(const struct policy_match *m, uint32_t community) {
    for (uint32_t i = 0; i < m->asn_count; i++) {
        if (m->asns[i] == community)
            return true;
    }
    return false;
}

static bool has_all_communities(const struct policy_match *m, const struct attr_values *v) {
    for (uint32_t i = 0; i < m->asn_count; i++) {
        if (!has_community(v, m->asns[i]))
            return false;
    }
    for (uint32_t i = 0; m->exact && i < v->community_count; i++) {
        if (!is_listed(m, v->communities[i]))
            return false;
    }
    return true;
}

/* Is each of `a` among `b`? */
static bool all_large_in(const struct large_community *a, uint32_t a_count,
                         const struct large_community *b, uint32_t b_count) {
    for (uint32_t i = 0; i < a_count; i++) {
        bool found = false;
        for (uint32_t k = 0; k < b_count; k++)
            found |= large_community_compare(&a[i], &b[k]) == 0;
        if (!found)
            return false;
    }
    return true;
}

static bool has_all_large(const struct policy_match *m, const struct attr_values *v) {
    return all_large_in(m->large_communities, m->large_community_count, v->large_communities,
                        v->large_community_count) &&
           (!m->exact || all_large_in(v->large_communities, v->large_community_count,
                                      m->large_communities, m->large_community_count));
}

/* IOS: `_` is the beginning, the end, a blank, a comma, a brace or a parenthesis; braces repeat
 * nothing. Between brackets all of them are themselves. */
static void translate(const char *pattern, struct text *expression) {
    bool bracket = false;
    for (const char *c = pattern; *c; c++) {
        bool escape = *c == '\\' && !bracket && c[1];
        bracket = bracket ? *c != ']' : *c == '[';
        if (escape)
            text_putc(expression, *c++);
        if (escape || bracket)
            text_putc(expression, *c);
        else if (*c == '_')
            text_puts(expression, "(^|$|[ ,{}()])");
        else if (*c == '{' || *c == '}')
            text_printf(expression, "[%c]", *c);
        else
            text_putc(expression, *c);
    }
}

static bool matches_text(const char *pattern, const char *source) {
    struct text expression;
    text_init(&expression);
    translate(pattern, &expression);
    regex_t r;
    bool hit = false;
    /* What takes for ever is no expression for the router either: it matches nothing. */
    if (!regex_refuse(text_str(&expression)) &&
        regcomp(&r, text_str(&expression), REG_EXTENDED | REG_NOSUB) == 0) {
        hit = regexec(&r, source, 0, NULL, 0) == 0;
        regfree(&r);
    }
    text_deinit(&expression);
    return hit;
}

static bool matches_as_path(const char *pattern, struct as_path path, bool asdot) {
    struct text source;
    text_init(&source);
    as_path_format(path, asdot, &source);
    bool hit = matches_text(pattern, text_str(&source));
    text_deinit(&source);
    return hit;
}

static bool matches_communities(const char *pattern, const struct attr_values *v) {
    struct text source;
    text_init(&source);
    for (uint32_t i = 0; i < v->community_count; i++) {
        community_format(v->communities[i], &source);
        text_puts(&source, i + 1 < v->community_count ? " " : "");
    }
    bool hit = v->community_count > 0 && matches_text(pattern, text_str(&source));
    text_deinit(&source);
    return hit;
}

static struct ip_prefix host_route(struct ip_addr a) {
    return ip_prefix_make(a, ip_bits((enum ip_family)a.family));
}

static bool match_one(const struct evaluation *e, const struct policy_match *m) {
    const struct attr_values *v = &e->values;
    switch (m->kind) {
    case POLICY_MATCH_PREFIX:
        return in_prefixes(m, e->route->prefix);
    case POLICY_MATCH_COMMUNITY:
        return has_all_communities(m, v);
    case POLICY_MATCH_LARGE_COMMUNITY:
        return has_all_large(m, v);
    case POLICY_MATCH_AS_PATH_PREFIX:
        return as_path_starts_with(v->as_path, m->asns, m->asn_count);
    case POLICY_MATCH_AS_PATH_REGEX:
        return matches_as_path(m->text, v->as_path, m->value != 0);
    case POLICY_MATCH_SOURCE:
        return (m->value >> e->route->source) & 1;
    case POLICY_MATCH_INTERFACE:
        return fnmatch(m->text, e->route->interface ? e->route->interface : "", FNM_NOESCAPE) == 0;
    case POLICY_MATCH_PEER_EXTERNAL:
        return e->route->external_session == (m->value != 0);
    case POLICY_MATCH_LOCAL_PREF:
        return v->has_local_pref && v->local_pref == m->value;
    case POLICY_MATCH_MED:
        return (v->has_med ? v->med : 0) == m->value;
    case POLICY_MATCH_TAG:
        return e->tag == m->value;
    case POLICY_MATCH_NEXT_HOP:
        return ip_is_set(v->next_hop) && in_prefixes(m, host_route(v->next_hop));
    case POLICY_MATCH_LOCAL_PREF_ABOVE:
        return v->has_local_pref && v->local_pref > m->value;
    case POLICY_MATCH_COMMUNITY_REGEX:
        return matches_communities(m->text, v);
    case POLICY_MATCH_ANY_OF:
    case POLICY_MATCH_NEVER:
        return false;
    }
    return false;
}

static bool match_holds(const struct evaluation *e, const struct policy_match *m) {
    bool hit = false;
    if (m->kind == POLICY_MATCH_ANY_OF) {
        for (uint32_t i = 0; i < m->alternative_count && !hit; i++)
            hit = match_one(e, &m->alternatives[i]) != m->alternatives[i].negate;
    } else {
        hit = match_one(e, m);
    }
    return hit != m->negate;
}

/* Asked by somebody who wants to see every condition, also those after the first that fails. */
static bool term_traced(const struct evaluation *e, const struct policy *p,
                        const struct policy_term *t) {
    bool all = true;
    for (uint32_t i = 0; i < t->match_count; i++) {
        bool holds = match_holds(e, &t->matches[i]);
        e->tracer->match(e->tracer->context, &t->matches[i], holds);
        all &= holds;
    }
    e->tracer->term(e->tracer->context, p, t, all);
    return all;
}

static bool term_holds(const struct evaluation *e, const struct policy *p,
                       const struct policy_term *t) {
    if (e->tracer)
        return term_traced(e, p, t);
    for (uint32_t i = 0; i < t->match_count; i++) {
        if (!match_holds(e, &t->matches[i]))
            return false;
    }
    return true;
}

/* ---- actions ---- */

static int compare_u32(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void set_communities(struct evaluation *e, const uint32_t *add, uint32_t count, bool keep) {
    struct attr_values *v = &e->values;
    uint32_t old = keep ? v->community_count : 0, n = 0;
    uint32_t *list = arena_array(e->arena, old + count + 1, sizeof *list);
    if (!list)
        return;
    for (uint32_t i = 0; i < old; i++)
        list[n++] = v->communities[i];
    for (uint32_t i = 0; i < count; i++)
        list[n++] = add[i];
    qsort(list, n, sizeof *list, compare_u32);
    uint32_t unique = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!unique || list[unique - 1] != list[i])
            list[unique++] = list[i];
    }
    v->communities = list;
    v->community_count = unique;
}

static void delete_communities(struct evaluation *e, const struct policy_action *a) {
    struct attr_values *v = &e->values;
    uint32_t n = 0;
    uint32_t *list = arena_array(e->arena, v->community_count + 1, sizeof *list);
    if (!list)
        return;
    for (uint32_t i = 0; i < v->community_count; i++) {
        bool gone = false;
        for (uint32_t k = 0; k < a->asn_count; k++)
            gone |= a->asns[k] == v->communities[i];
        if (!gone)
            list[n++] = v->communities[i];
    }
    v->communities = list;
    v->community_count = n;
}

static int compare_large(const void *a, const void *b) {
    return large_community_compare(a, b);
}

static void add_large(struct evaluation *e, const struct policy_action *a) {
    struct attr_values *v = &e->values;
    uint32_t n = v->large_community_count + a->large_community_count, unique = 0;
    struct large_community *list = arena_array(e->arena, n + 1, sizeof *list);
    if (!list)
        return;
    for (uint32_t i = 0; i < n; i++)
        list[i] = i < v->large_community_count ? v->large_communities[i]
                                               : a->large_communities[i - v->large_community_count];
    qsort(list, n, sizeof *list, compare_large);
    for (uint32_t i = 0; i < n; i++) {
        if (!unique || compare_large(&list[unique - 1], &list[i]) != 0)
            list[unique++] = list[i];
    }
    v->large_communities = list;
    v->large_community_count = unique;
}

static void set_med(struct attr_values *v, const struct policy_action *a) {
    uint32_t old = v->has_med ? v->med : 0;
    v->has_med = true;
    if (a->mode == 0)
        v->med = a->value;
    else if (a->mode == 1)
        v->med = old > UINT32_MAX - a->value ? UINT32_MAX : old + a->value;
    else
        v->med = old < a->value ? 0 : old - a->value;
}

/* A route that has no metric of its own keeps what it has. */
static void set_local_pref_from_metric(struct evaluation *e, const struct policy_action *a) {
    uint32_t metric = e->route->metric;
    if (e->route->source == ROUTE_SOURCE_BGP || metric == UINT32_MAX)
        return;
    e->values.has_local_pref = true;
    e->values.local_pref = a->value < metric ? 0 : a->value - metric;
}

static void prepend_last(struct evaluation *e, uint32_t times) {
    uint32_t last = as_path_neighbor(e->values.as_path);
    for (uint32_t i = 0; last && i < times; i++)
        (void)as_path_prepend(e->values.as_path, &last, 1, e->arena, &e->values.as_path);
}

static void note_next_hop(struct evaluation *e, enum oracle_next_hop what) {
    if (e->route->next_hop)
        *e->route->next_hop = what;
}

static void apply(struct evaluation *e, const struct policy_action *a) {
    struct attr_values *v = &e->values;
    switch (a->kind) {
    case POLICY_SET_LOCAL_PREF:
        v->has_local_pref = true;
        v->local_pref = a->value;
        break;
    case POLICY_SET_MED:
        set_med(v, a);
        break;
    case POLICY_CLEAR_MED:
        v->has_med = false;
        v->med = 0;
        break;
    case POLICY_SET_ORIGIN:
        v->origin = (uint8_t)a->value;
        break;
    case POLICY_SET_NEXT_HOP:
        v->next_hop = a->address;
        v->link_local = (struct ip_addr){0};
        note_next_hop(e, ORACLE_NEXT_HOP_SET);
        break;
    case POLICY_PREPEND_AS_PATH:
        (void)as_path_prepend(v->as_path, a->asns, a->asn_count, e->arena, &v->as_path);
        break;
    case POLICY_PREPEND_LAST_AS:
        prepend_last(e, a->value);
        break;
    case POLICY_ADD_COMMUNITIES:
        set_communities(e, a->asns, a->asn_count, true);
        break;
    case POLICY_SET_COMMUNITIES:
        set_communities(e, a->asns, a->asn_count, false);
        break;
    case POLICY_DELETE_COMMUNITIES:
        delete_communities(e, a);
        break;
    case POLICY_ADD_LARGE_COMMUNITIES:
        add_large(e, a);
        break;
    case POLICY_SET_TAG:
        e->tag = a->value;
        break;
    case POLICY_SET_DEVICE:
        e->device = a->text;
        break;
    case POLICY_LOCAL_PREF_FROM_METRIC:
        set_local_pref_from_metric(e, a);
        break;
    case POLICY_SET_WEIGHT:
        if (e->route->weight)
            *e->route->weight = a->value;
        break;
    case POLICY_SET_DAMPENING: /* what has settled is not held back */
        break;
    case POLICY_SET_NEXT_HOP_SELF: /* resolved by the caller, who knows the session */
        note_next_hop(e, ORACLE_NEXT_HOP_SELF);
        break;
    case POLICY_SET_NEXT_HOP_PEER:
        note_next_hop(e, ORACLE_NEXT_HOP_PEER);
        break;
    case POLICY_SET_NEXT_HOP_KEEP:
        note_next_hop(e, ORACLE_NEXT_HOP_SET);
        break;
    }
}

/* Runs one policy; POLICY_NEXT_POLICY: go on. */
static enum policy_verdict run_policy(struct evaluation *e, const struct policy *p,
                                      const struct policy_term **ret_term) {
    uint32_t at = 0, steps = 0;
    while (at < p->term_count && steps++ <= p->term_count) {
        const struct policy_term *t = &p->terms[at];
        if (!term_holds(e, p, t)) {
            at++;
            continue;
        }
        if (t->verdict != POLICY_REJECT) {
            for (uint32_t i = 0; i < t->action_count; i++)
                apply(e, &t->actions[i]);
        }
        *ret_term = t;
        if (t->verdict != POLICY_NEXT_TERM)
            return t->verdict;
        at = t->continue_at > at ? t->continue_at : at + 1;
    }
    *ret_term = NULL;
    return p->otherwise;
}

/* `ret_rule` may be NULL. */
static bool run_chain(struct evaluation *e, const struct policy_chain *chain,
                      const char **ret_rule) {
    const struct bgp_config *c = e->config;
    for (uint16_t i = 0; i < chain->count; i++) {
        const struct policy *p = &c->policies[chain->policies[i]];
        const struct policy_term *term = NULL;
        enum policy_verdict v = run_policy(e, p, &term);
        if (v == POLICY_NEXT_POLICY || v == POLICY_NEXT_TERM)
            continue;
        if (ret_rule)
            *ret_rule =
                arena_printf(e->arena, "%s %s", p->name, term ? term->name : "(no rule matched)");
        return v == POLICY_ACCEPT;
    }
    if (ret_rule)
        *ret_rule = chain->accept_by_default ? "accepted by default" : "rejected by default";
    return chain->accept_by_default;
}

bool oracle_policy(const struct bgp_config *c, const struct policy_chain *chain,
                   const struct oracle_candidate *r, struct arena *arena,
                   struct attr_values *ret_attrs, const char **ret_rule) {
    return oracle_policy_traced(c, chain, r, arena, NULL, ret_attrs, ret_rule);
}

bool oracle_policy_traced(const struct bgp_config *c, const struct policy_chain *chain,
                          const struct oracle_candidate *r, struct arena *arena,
                          const struct oracle_tracer *tracer, struct attr_values *ret_attrs,
                          const char **ret_rule) {
    struct evaluation e = {.tracer = tracer,
                           .config = c,
                           .route = r,
                           .arena = arena,
                           .values = *r->attrs,
                           .tag = r->tag};
    bool passes = run_chain(&e, chain, ret_rule);
    *ret_attrs = e.values;
    return passes;
}

bool oracle_kernel_filter(const struct bgp_config *c, const struct oracle_candidate *r,
                          struct arena *arena, const char **ret_device) {
    struct evaluation e = {.config = c, .route = r, .arena = arena, .values = *r->attrs};
    const struct policy_chain *chain = &c->fib.filter[r->prefix.addr.family == IP_V6];
    bool passes = chain->count == 0 || run_chain(&e, chain, NULL);
    *ret_device = passes ? e.device : NULL;
    return passes;
}
