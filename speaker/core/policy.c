/*
 * Evaluation of policy chains: does a route pass, and as what.
 *
 * Owns the walk over policies and terms, every match and the trace; actions stand in
 * policy_action.c. Leaves to the front ends what a filter or route-map means, and to rib.c and
 * export.c which chain applies and what a next-hop action comes to.
 *
 * Invariants: evaluation only ever moves forward in a policy, so it ends after at most one visit
 * per term; nothing here changes the route but the actions of a term that matched; memory comes
 * from the route's arena.
 *
 * BIRD: what a BGPFilter rule tests is restated in sim/calico; IOS: likewise in speaker/ios.
 */
#include "policy_action.h"

#include "../base/text.h"
#include "aspath_regex.h"
#include "attr.h"
#include "speaker.h"

#include <string.h>

/* ---- matches ---- */

static bool prefix_set_has(const struct policy_match *m, struct ip_prefix p) {
    for (uint32_t i = 0; i < m->prefix_count; i++) {
        const struct policy_prefix *e = &m->prefixes[i];
        if (p.length >= e->length_min && p.length <= e->length_max &&
            ip_prefix_contains(e->prefix, p)) {
            return !e->deny;
        }
    }
    return false;
}

static bool match_prefix(const struct policy_match *m, const struct policy_route *r) {
    return prefix_set_has(m, r->prefix);
}

static bool match_next_hop(const struct policy_match *m, const struct policy_route *r) {
    struct ip_addr a = r->attrs.next_hop;
    return ip_is_set(a) && prefix_set_has(m, ip_prefix_make(a, ip_bits(a.family)));
}

static bool has_community(const struct attr_values *v, uint32_t community) {
    for (uint32_t i = 0; i < v->community_count; i++) {
        if (v->communities[i] == community) {
            return true;
        }
    }
    return false;
}

static bool is_listed(const uint32_t *list, uint32_t count, uint32_t value) {
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == value) {
            return true;
        }
    }
    return false;
}

static bool match_community(const struct policy_match *m, const struct policy_route *r) {
    for (uint32_t i = 0; i < m->asn_count; i++) {
        if (!has_community(&r->attrs, m->asns[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; m->exact && i < r->attrs.community_count; i++) {
        if (!is_listed(m->asns, m->asn_count, r->attrs.communities[i])) {
            return false;
        }
    }
    return true;
}

static bool has_large(const struct large_community *list, uint32_t count,
                      const struct large_community *c) {
    for (uint32_t i = 0; i < count; i++) {
        if (large_community_compare(&list[i], c) == 0) {
            return true;
        }
    }
    return false;
}

static bool match_large_community(const struct policy_match *m, const struct policy_route *r) {
    const struct attr_values *v = &r->attrs;
    for (uint32_t i = 0; i < m->large_community_count; i++) {
        if (!has_large(v->large_communities, v->large_community_count, &m->large_communities[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; m->exact && i < v->large_community_count; i++) {
        if (!has_large(m->large_communities, m->large_community_count, &v->large_communities[i])) {
            return false;
        }
    }
    return true;
}

static bool match_as_path_prefix(const struct policy_match *m, const struct policy_route *r) {
    return as_path_starts_with(r->attrs.as_path, m->asns, m->asn_count);
}

static bool match_as_path_regex(const struct policy_match *m, const struct policy_route *r) {
    struct aspath_regex regex;
    struct text path;
    /* An expression the front end let through although it is none matches nothing. */
    if (!m->text || !aspath_regex_compile(&regex, m->text)) {
        return false;
    }
    text_init(&path);
    as_path_format(r->attrs.as_path, m->value != 0, &path);
    bool matched = !path.failed && aspath_regex_match(&regex, text_str(&path), path.size);
    text_deinit(&path);
    return matched;
}

static bool match_community_regex(const struct policy_match *m, const struct policy_route *r) {
    struct aspath_regex regex;
    struct text list;
    if (!m->text || r->attrs.community_count == 0 || !aspath_regex_compile(&regex, m->text)) {
        return false;
    }
    text_init(&list);
    for (uint32_t i = 0; i < r->attrs.community_count; i++) {
        text_puts(&list, i ? " " : "");
        community_format(r->attrs.communities[i], &list);
    }
    bool matched = !list.failed && aspath_regex_match(&regex, text_str(&list), list.size);
    text_deinit(&list);
    return matched;
}

static bool match_source(const struct policy_match *m, const struct policy_route *r) {
    return (m->value >> (unsigned)r->source) & 1;
}

/* `*` any characters, `?` any one; one step back at most, to the last star. */
static bool glob_match(const char *pattern, const char *text) {
    const char *star = NULL, *retry = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == 0;
}

static bool match_interface(const struct policy_match *m, const struct policy_route *r) {
    return m->text && glob_match(m->text, r->interface ? r->interface : "");
}

static bool match_peer_external(const struct policy_match *m, const struct policy_route *r) {
    return (m->value != 0) == r->external;
}

static bool match_local_pref(const struct policy_match *m, const struct policy_route *r) {
    return r->attrs.has_local_pref && r->attrs.local_pref == m->value;
}

static bool match_med(const struct policy_match *m, const struct policy_route *r) {
    return (r->attrs.has_med ? r->attrs.med : 0) == m->value;
}

static bool match_tag(const struct policy_match *m, const struct policy_route *r) {
    return r->tag == m->value;
}

static bool match_local_pref_above(const struct policy_match *m, const struct policy_route *r) {
    return r->attrs.has_local_pref && r->attrs.local_pref > m->value;
}

static bool match_never(const struct policy_match *m, const struct policy_route *r) {
    (void)m;
    (void)r;
    return false;
}

/* POLICY_MATCH_ANY_OF is not among them: match_holds looks one level deep. */
static bool (*const match_table[])(const struct policy_match *, const struct policy_route *) = {
    [POLICY_MATCH_PREFIX] = match_prefix,
    [POLICY_MATCH_COMMUNITY] = match_community,
    [POLICY_MATCH_LARGE_COMMUNITY] = match_large_community,
    [POLICY_MATCH_AS_PATH_PREFIX] = match_as_path_prefix,
    [POLICY_MATCH_AS_PATH_REGEX] = match_as_path_regex,
    [POLICY_MATCH_SOURCE] = match_source,
    [POLICY_MATCH_INTERFACE] = match_interface,
    [POLICY_MATCH_PEER_EXTERNAL] = match_peer_external,
    [POLICY_MATCH_LOCAL_PREF] = match_local_pref,
    [POLICY_MATCH_MED] = match_med,
    [POLICY_MATCH_TAG] = match_tag,
    [POLICY_MATCH_NEXT_HOP] = match_next_hop,
    [POLICY_MATCH_LOCAL_PREF_ABOVE] = match_local_pref_above,
    [POLICY_MATCH_ANY_OF] = match_never,
    [POLICY_MATCH_COMMUNITY_REGEX] = match_community_regex,
    [POLICY_MATCH_NEVER] = match_never,
};

static bool simple_match_holds(const struct policy_match *m, const struct policy_route *r) {
    bool holds = match_table[m->kind](m, r);
    return holds != m->negate;
}

static bool match_holds(const struct policy_match *m, const struct policy_route *r) {
    if (m->kind != POLICY_MATCH_ANY_OF) {
        return simple_match_holds(m, r);
    }
    for (uint32_t i = 0; i < m->alternative_count; i++) {
        if (simple_match_holds(&m->alternatives[i], r)) {
            return !m->negate;
        }
    }
    return m->negate;
}

static bool term_holds(const struct policy_term *t, const struct policy_route *r) {
    for (uint32_t i = 0; i < t->match_count; i++) {
        if (!match_holds(&t->matches[i], r)) {
            return false;
        }
    }
    return true;
}

/* ---- the walk ---- */

static const char *verdict_word(enum policy_verdict v) {
    switch (v) {
    case POLICY_ACCEPT:
        return "accept";
    case POLICY_REJECT:
        return "reject";
    case POLICY_NEXT_POLICY:
        return "next policy";
    case POLICY_NEXT_TERM:
        return "next term";
    }
    return "";
}

static void trace_term(struct text *trace, const struct policy *p, const char *term,
                       enum policy_verdict verdict) {
    if (trace) {
        text_printf(trace, "%s: %s: %s\n", p->name ? p->name : "policy", term,
                    verdict_word(verdict));
    }
}

/* How one policy ends for the route; NEXT_POLICY when it leaves it to the next. */
static enum policy_verdict run_policy(const struct policy *p, struct policy_route *r,
                                      struct text *trace, bool *ret_no_memory) {
    for (uint32_t i = 0; i < p->term_count; i++) {
        const struct policy_term *t = &p->terms[i];
        if (!term_holds(t, r)) {
            continue;
        }
        trace_term(trace, p, t->name, t->verdict);
        if (t->verdict != POLICY_REJECT && !policy_actions_run(t, r)) {
            *ret_no_memory = !r->too_long;
            return POLICY_REJECT;
        }
        if (t->verdict != POLICY_NEXT_TERM) {
            return t->verdict;
        }
        if (t->continue_at > i) { /* never back: a policy ends */
            i = t->continue_at - 1;
        }
    }
    trace_term(trace, p, "no term decided", p->otherwise);
    return p->otherwise == POLICY_NEXT_TERM ? POLICY_NEXT_POLICY : p->otherwise;
}

bool policy_run(const struct bgp_config *c, const struct policy_chain *chain,
                struct policy_route *r, struct text *trace, bool *ret_no_memory) {
    for (uint16_t i = 0; i < chain->count; i++) {
        if (chain->policies[i] >= c->policy_count) {
            continue;
        }
        bool no_memory = false;
        enum policy_verdict v = run_policy(&c->policies[chain->policies[i]], r, trace, &no_memory);
        if (no_memory) {
            *ret_no_memory = true;
            return false;
        }
        if (v != POLICY_NEXT_POLICY) {
            return v == POLICY_ACCEPT;
        }
    }
    if (trace) {
        text_printf(trace, "end of the chain: %s\n",
                    chain->accept_by_default ? "accept" : "reject");
    }
    return chain->accept_by_default;
}

bool policy_accepts(const struct bgp_config *c, uint32_t policy, struct policy_route *r) {
    const uint16_t index = (uint16_t)(policy - 1);
    const struct policy_chain chain = {&index, 1, true};
    bool no_memory = false;
    return policy_run(c, &chain, r, NULL, &no_memory);
}

static bool match_looks_at_prefix(const struct policy_match *m) {
    bool looks = m->kind == POLICY_MATCH_PREFIX;
    for (uint32_t i = 0; i < m->alternative_count; i++) {
        looks = looks || m->alternatives[i].kind == POLICY_MATCH_PREFIX;
    }
    return looks;
}

static bool looks_at_prefix(const struct policy *p) {
    for (uint32_t t = 0; t < p->term_count; t++) {
        for (uint32_t m = 0; m < p->terms[t].match_count; m++) {
            if (match_looks_at_prefix(&p->terms[t].matches[m])) {
                return true;
            }
        }
    }
    return false;
}

bool policy_looks_at_prefix(const struct bgp_config *c, const struct policy_chain *chain) {
    for (uint16_t i = 0; i < chain->count; i++) {
        uint32_t policy = chain->policies[i];
        if (policy < c->policy_count && looks_at_prefix(&c->policies[policy])) {
            return true;
        }
    }
    return false;
}
