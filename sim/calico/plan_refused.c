/*
 * Owns which files BIRD would refuse: confd renders a node's configuration, has BIRD check it, and
 * keeps the old one if it fails. From then on every change of BGP is frozen on that node, until the
 * cause is gone. IPv4 and IPv6 are two daemons with a file each.
 *
 * What BIRD 1.6 stumbles over: a neighbour in AS 0; two stanzas of one name; link-local IPv6
 * addresses, because Calico's sessions are multihop; a quote or a line break in a password; a
 * router id that is missing; a prefix range without a length, a prefix with host bits. The last two
 * stand in every file of their family, because all BGPFilters do, used or not.
 */
#include "plan_internal.h"

#include "../../speaker/base/arena.h"

#include <string.h>

bool plan_rule_range_empty(const struct calico_filter_rule *r) {
    unsigned bits = ip_bits((enum ip_family)r->cidr.addr.family), low = r->cidr.length, high = bits;
    bool in = r->match_operator == CALICO_OP_IN || r->match_operator == CALICO_OP_NOT_IN;
    if (!r->has_cidr || !r->has_prefix_length || !in)
        return false;
    if (r->has_min && r->prefix_length_min > low)
        low = r->prefix_length_min;
    if (r->has_max && r->prefix_length_max < high)
        high = r->prefix_length_max;
    return low > high;
}

static const char *say(struct plan_build *b, const char *text) {
    b->out_of_memory |= !text;
    return text;
}

/* ---- what stands in every file of a family ---- */

static const char *refused_rule(struct plan_build *b, const struct calico_bgp_filter *f,
                                const struct calico_filter_rule *r) {
    if (plan_rule_range_empty(r))
        return say(b,
                   arena_printf(b->arena, "BGPFilter \"%s\": no prefix length fits the rule \"%s\"",
                                f->name, r->text));
    if (r->unmasked_cidr)
        return say(b, arena_printf(b->arena, "BGPFilter \"%s\": %.60s has bits behind its length",
                                   f->name, r->unmasked_cidr));
    return NULL;
}

static const char *refused_filter(struct plan_build *b, int family) {
    for (size_t i = 0; i < calico_filter_count(b->set); i++) {
        const struct calico_bgp_filter *f = calico_filter_at(b->set, i);
        for (int direction = 0; direction < 2; direction++)
            for (size_t j = 0; j < f->rule_count[direction][family]; j++) {
                const char *why = refused_rule(b, f, &f->rules[direction][family][j]);
                if (why)
                    return why;
            }
    }
    return NULL;
}

/* ---- one node ---- */

/* BIRD 1.6 knows the notion in IPv6 alone: 169.254.0.0/16 is like any other to it. */
static bool is_link_local(struct ip_addr a) {
    return a.family == IP_V6 && ip_is_link_local(a);
}

static const char *refused_session(struct plan_build *b, const struct calico_session *s,
                                   const struct calico_session *before) {
    if (s->peer_as == 0)
        return say(b, arena_printf(b->arena, "%s: no AS number for the neighbor", s->name));
    if (before && before->family == s->family && strcmp(before->name, s->name) == 0)
        return say(b, arena_printf(b->arena, "%s is defined twice", s->name));
    if (is_link_local(s->neighbor) || is_link_local(s->source_address))
        return say(b, arena_printf(b->arena, "%s: multihop with a link-local address", s->name));
    if (s->password && strpbrk(s->password, "\"\n"))
        return say(b,
                   arena_printf(b->arena, "%s: a quote or a line break in the password", s->name));
    return NULL;
}

static void judge_node(struct plan_build *b, struct calico_plan_node *n,
                       const char *const filters[BGP_FAMILIES]) {
    for (int family = 0; family < BGP_FAMILIES; family++) {
        if (!ip_is_set(plan_addr(n->node, family)))
            continue;
        n->refused[family] = !ip_is_set(n->router_id) ? "no router id: the node has no IPv4 address"
                                                      : filters[family];
    }
    for (size_t i = 0; i < n->session_count; i++) {
        const struct calico_session *s = &n->sessions[i];
        if (!n->refused[s->family])
            n->refused[s->family] = refused_session(b, s, i ? s - 1 : NULL);
    }
}

void plan_refused(struct plan_build *b) {
    const char *filters[BGP_FAMILIES] = {refused_filter(b, FAMILY4), refused_filter(b, FAMILY6)};
    for (size_t i = 0; i < b->p->plan.node_count && !b->out_of_memory; i++)
        judge_node(b, &b->p->plan.nodes[i], filters);
}
