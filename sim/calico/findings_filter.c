/*
 * Owns what is said about BGPFilters: rules that never or always match, rules nobody comes to,
 * filters nobody uses, and exports that go round Calico's own policy.
 */
#include "findings.h"

#include <string.h>

/* ---- BGPFilters ---- */

/* An Accept that lets routes longer than a pool's blocks through. */
static const struct calico_ip_pool *bypassed_pool(const struct plan_build *b,
                                                  const struct calico_filter_rule *r, int family) {
    if (!r->accept || r->remote_peers || r->community || r->as_path_prefix_count)
        return NULL;
    for (size_t i = 0; i < calico_pool_count(b->set); i++) {
        const struct calico_ip_pool *p = calico_pool_at(b->set, i);
        bool narrow = r->has_max && r->prefix_length_max <= p->block_size;
        bool in = !r->has_cidr || (r->match_operator == CALICO_OP_IN && !narrow &&
                                   ip_prefix_overlaps(r->cidr, p->cidr));
        if (plan_family(p->cidr.addr) == family && in)
            return p;
    }
    return NULL;
}

/* Do the rules before one refuse everything longer than the pool's blocks? */
static bool refused_before(const struct calico_filter_rule *rules, size_t count,
                           const struct calico_ip_pool *p) {
    for (size_t i = 0; i < count; i++) {
        const struct calico_filter_rule *r = &rules[i];
        bool conditional = r->remote_peers || r->interface || r->peer_type || r->community ||
                           r->as_path_prefix_count || r->priority;
        if (!r->accept && !conditional && r->has_cidr && r->match_operator == CALICO_OP_IN &&
            ip_prefix_contains(r->cidr, p->cidr) && !r->has_max &&
            (!r->has_min || r->prefix_length_min <= p->block_size + 1))
            return true;
    }
    return false;
}

/* Does the rule take every route that comes to it? */
static bool takes_all(const struct calico_filter_rule *r) {
    return !r->has_cidr && !r->remote_peers && !r->interface && !r->peer_type && !r->community &&
           !r->as_path_prefix_count && !r->priority;
}

static void order_findings(struct plan_build *b, const struct calico_bgp_filter *f, int direction,
                           int family) {
    const struct calico_filter_rule *rules = f->rules[direction][family];
    for (size_t i = 0; i + 1 < f->rule_count[direction][family]; i++)
        if (takes_all(&rules[i])) {
            WARN(b, rules[i + 1].place, "unreachable-rule",
                 "BGPFilter \"%s\": the rule \"%s\" is never come to: \"%s\" before it takes "
                 "every route",
                 f->name, rules[i + 1].text, rules[i].text);
            return;
        }
}

/* RFC 1997 and RFC 7999: NO_EXPORT, NO_ADVERTISE, NO_EXPORT_SUBCONFED, BLACKHOLE. */
static const char *well_known(const char *community) {
    static const struct {
        const char *value, *name;
    } known[] = {{"65535:65281", "NO_EXPORT"},
                 {"65535:65282", "NO_ADVERTISE"},
                 {"65535:65283", "NO_EXPORT_SUBCONFED"},
                 {"65535:666", "BLACKHOLE"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].value, community) == 0)
            return known[i].name;
    return NULL;
}

static void operation_findings(struct plan_build *b, const struct calico_bgp_filter *f,
                               const struct calico_filter_rule *r) {
    for (size_t i = 0; i < r->operation_count; i++) {
        const char *name = r->operations[i].kind == CALICO_ADD_COMMUNITY
                               ? well_known(r->operations[i].community)
                               : NULL;
        if (name)
            WARN(b, r->place, "well-known-community",
                 "BGPFilter \"%s\": community %s is %s: routers act on it", f->name,
                 r->operations[i].community, name);
    }
}

static void advertisement_findings(struct plan_build *b) {
    const struct calico_bgp_configuration *c = b->p->global;
    for (size_t i = 0; i < c->community_count; i++) {
        const char *value = c->communities[i].value, *name = value ? well_known(value) : NULL;
        if (name)
            WARN(b, c->place, "well-known-community",
                 "BGPConfiguration \"%s\": community \"%s\" (%s) is %s: routers act on it", c->name,
                 c->communities[i].name ? c->communities[i].name : "", value, name);
    }
}

static void rule_findings(struct plan_build *b, const struct calico_bgp_filter *f, size_t index,
                          int direction, int family) {
    const struct calico_filter_rule *rules = f->rules[direction][family], *r = &rules[index];
    bool equal = r->match_operator == CALICO_OP_EQUAL,
         not_equal = r->match_operator == CALICO_OP_NOT_EQUAL;
    if (r->has_prefix_length && (equal || not_equal))
        WARN(b, r->place, "equal-with-prefix-length",
             "BGPFilter \"%s\": %s with prefixLength %s: use %s", f->name,
             equal ? "Equal" : "NotEqual", equal ? "never matches" : "always matches",
             equal ? "In" : "NotIn");
    if (plan_rule_range_empty(r))
        FAIL(b, r->place, "empty-prefix-range",
             "BGPFilter \"%s\": no prefix length fits the rule \"%s\": BIRD refuses the "
             "configuration of every node",
             f->name, r->text);
    if (r->has_prefix_length && (equal || not_equal || plan_rule_range_empty(r)))
        finding_prefix(b, r->cidr);
    operation_findings(b, f, r);
    const struct calico_ip_pool *pool = direction == 1 ? bypassed_pool(b, r, family) : NULL;
    if (pool && !refused_before(rules, index, pool)) {
        WARN(b, r->place, "export-accept",
             "BGPFilter \"%s\": the export rule \"%s\" ends Calico's own policy: single pods "
             "(/%d) of IPPool \"%s\" are sent beside its blocks (/%u)",
             f->name, r->text, family == FAMILY4 ? 32 : 128, pool->name, pool->block_size);
        finding_prefix(b, pool->cidr);
    }
}

/* ---- use ---- */

static bool names_filter(const struct peering *g, const struct calico_bgp_filter *f) {
    for (size_t i = 0; i < g->filter_count; i++)
        if (g->filters[i] == f)
            return true;
    return false;
}

static void use_findings(struct plan_build *b, const struct calico_bgp_filter *f) {
    bool used = false, reached[BGP_FAMILIES] = {false};
    for (size_t i = 0; i < b->peering_count; i++) {
        const struct peering *g = &b->peerings[i];
        if (!names_filter(g, f))
            continue;
        used = true;
        for (int family = 0; family < BGP_FAMILIES; family++)
            reached[family] = reached[family] || g->has_session[family];
    }
    if (!used)
        WARN(b, f->place, "unused-filter",
             "BGPFilter \"%s\": no BGPPeer names it, so it never applies%s", f->name,
             b->p->plan.mesh_enabled ? " (filters have no effect on the mesh)" : "");
    for (int family = 0; used && b->p->plan.node_count > 0 && family < BGP_FAMILIES; family++)
        if (!reached[family] && f->rule_count[0][family] + f->rule_count[1][family] > 0)
            WARN(b, f->place, "filter-no-effect",
                 "BGPFilter \"%s\": has rules for IPv%d, but no session of a BGPPeer that names it "
                 "is IPv%d",
                 f->name, family == FAMILY4 ? 4 : 6, family == FAMILY4 ? 4 : 6);
}

void filter_findings(struct plan_build *b) {
    advertisement_findings(b);
    for (size_t i = 0; i < calico_filter_count(b->set); i++) {
        const struct calico_bgp_filter *f = calico_filter_at(b->set, i);
        use_findings(b, f);
        for (int d = 0; d < 2; d++)
            for (int family = 0; family < BGP_FAMILIES; family++) {
                order_findings(b, f, d, family);
                for (size_t k = 0; k < f->rule_count[d][family]; k++)
                    rule_findings(b, f, k, d, family);
            }
    }
}
