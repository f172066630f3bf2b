/*
 * What a new configuration changes: which sessions must be made anew, which policies must be run
 * again. Pure comparison; configure.c acts on it.
 *
 * A policy is known by its content, not by its index: front ends number policies afresh each time.
 * Contents are compared by 64-bit hash, computed once per configuration.
 */
#include "config_diff.h"

#include "../base/arena.h"
#include "../base/hash.h"
#include "profile.h"

#include <string.h>

/* ---- sessions ---- */

static bool members_differ(const struct bgp_config *a, const struct bgp_config *b) {
    uint32_t count = a->confederation_member_count;
    return count != b->confederation_member_count ||
           (count > 0 && memcmp(a->confederation_members, b->confederation_members,
                                count * sizeof *a->confederation_members) != 0);
}

enum bgp_down_reason config_diff_resets_all(const struct bgp_config *a,
                                            const struct bgp_config *b) {
    if (!ip_equal(a->router_id, b->router_id))
        return BGP_DOWN_ROUTER_ID_CHANGE;
    if (a->local_as != b->local_as)
        return BGP_DOWN_LOCAL_AS_CHANGE;
    if (a->cluster_id != b->cluster_id)
        return BGP_DOWN_CLUSTER_ID_CHANGE;
    if (a->confederation_id != b->confederation_id || members_differ(a, b))
        return BGP_DOWN_CONFEDERATION_CHANGE;
    return a->profile != b->profile ? BGP_DOWN_CONFIG_CHANGE : BGP_DOWN_NONE;
}

static bool endpoint_moves(const struct bgp_neighbor *a, const struct bgp_neighbor *b) {
    const struct bgp_peer_options *x = a->options, *y = b->options;
    return !ip_equal(a->remote_addr, b->remote_addr) || x->remote_port != y->remote_port ||
           !ip_equal(x->local_addr, y->local_addr) ||
           x->ttl_security_hops != y->ttl_security_hops || x->multihop != y->multihop;
}

bool config_diff_endpoint(const struct bgp_neighbor *a, const struct bgp_neighbor *b) {
    return endpoint_moves(a, b) ||
           !bgp_password_equal(bgp_neighbor_password(a), bgp_neighbor_password(b));
}

static bool ttl_changes(const struct bgp_peer_options *a, const struct bgp_peer_options *b) {
    return a->multihop != b->multihop || a->ttl_security_hops != b->ttl_security_hops;
}

static bool capabilities_change(const struct bgp_peer_options *a,
                                const struct bgp_peer_options *b) {
    return memcmp(a->add_path_send, b->add_path_send, sizeof a->add_path_send) != 0 ||
           memcmp(a->add_path_receive, b->add_path_receive, sizeof a->add_path_receive) != 0 ||
           a->role != b->role || a->role_strict != b->role_strict; /* RFC 9234 4.2 */
}

enum bgp_down_reason config_diff_resets_peer(enum bgp_profile profile, const struct bgp_neighbor *a,
                                             const struct bgp_neighbor *b) {
    const struct bgp_peer_options *x = a->options, *y = b->options;
    if (a->remote_as != b->remote_as)
        return BGP_DOWN_REMOTE_AS_CHANGE;
    if (x->local_as != y->local_as)
        return BGP_DOWN_LOCAL_AS_CHANGE;
    if (!ip_equal(x->local_addr, y->local_addr))
        return BGP_DOWN_SOURCE_CHANGE;
    if (ttl_changes(x, y))
        return BGP_DOWN_MULTIHOP_CHANGE;
    if (profile_is_bird(profile) ? config_diff_endpoint(a, b) : endpoint_moves(a, b))
        return BGP_DOWN_CONFIG_CHANGE;
    if (memcmp(x->families, y->families, sizeof x->families) != 0)
        return BGP_DOWN_FAMILIES_CHANGE;
    if (capabilities_change(x, y))
        return BGP_DOWN_CAPABILITY_CHANGE;
    return x->rr_client != y->rr_client ? BGP_DOWN_RR_CLIENT_CHANGE : BGP_DOWN_NONE;
}

/* ---- digests ---- */

static uint64_t mix_text(uint64_t h, const char *text) {
    return text ? hash_mix(h, hash_bytes(text, strlen(text), 1)) : hash_mix(h, 0);
}

static uint64_t mix_array(uint64_t h, const void *data, size_t count, size_t size) {
    h = hash_mix(h, count);
    return count ? hash_mix(h, hash_bytes(data, count * size, 2)) : h;
}

static uint64_t mix_match(uint64_t h, const struct policy_match *m) {
    h = hash_mix(h, (uint64_t)m->kind << 2 | (uint64_t)m->negate << 1 | (uint64_t)m->exact);
    h = hash_mix(h, m->value);
    h = mix_text(h, m->text);
    h = hash_mix(h, m->prefix_count);
    for (uint32_t i = 0; i < m->prefix_count; i++) {
        const struct policy_prefix *p = &m->prefixes[i];
        h = hash_mix(h, hash_bytes(&p->prefix, sizeof p->prefix, 3));
        h = hash_mix(h, (uint64_t)p->length_min << 9 | (uint64_t)p->length_max << 1 |
                            (uint64_t)p->deny);
    }
    h = mix_array(h, m->asns, m->asn_count, sizeof *m->asns);
    return mix_array(h, m->large_communities, m->large_community_count,
                     sizeof *m->large_communities);
}

static uint64_t mix_action(uint64_t h, const struct policy_action *a) {
    h = hash_mix(h, (uint64_t)a->kind << 8 | a->mode);
    h = hash_mix(h, a->value);
    h = mix_text(h, a->text);
    h = hash_mix(h, hash_bytes(&a->address, sizeof a->address, 4));
    h = mix_array(h, a->asns, a->asn_count, sizeof *a->asns);
    return mix_array(h, a->large_communities, a->large_community_count,
                     sizeof *a->large_communities);
}

static uint64_t mix_term(uint64_t h, const struct policy_term *t) {
    h = mix_text(h, t->name);
    h = hash_mix(h, (uint64_t)t->verdict << 32 | t->continue_at);
    h = hash_mix(h, (uint64_t)t->match_count << 32 | t->action_count);
    for (uint32_t i = 0; i < t->match_count; i++) {
        const struct policy_match *m = &t->matches[i];
        h = mix_match(h, m);
        h = hash_mix(h, m->alternative_count);
        for (uint32_t j = 0; j < m->alternative_count; j++)
            h = mix_match(h, &m->alternatives[j]);
    }
    for (uint32_t i = 0; i < t->action_count; i++)
        h = mix_action(h, &t->actions[i]);
    return h;
}

uint64_t *config_policy_digests(const struct bgp_config *c) {
    uint64_t *digests = alloc_zero(c->policy_count + (size_t)1, sizeof *digests);
    for (uint32_t i = 0; digests && i < c->policy_count; i++) {
        const struct policy *p = &c->policies[i];
        uint64_t h = hash_mix(mix_text(0, p->name), (uint64_t)p->otherwise);
        for (uint32_t t = 0; t < p->term_count; t++)
            h = mix_term(h, &p->terms[t]);
        digests[i] = h;
    }
    return digests;
}

/* ---- policies of a peer ---- */

static bool chain_differs(const struct config_side *a, const struct policy_chain *x,
                          const struct config_side *b, const struct policy_chain *y) {
    if (x->count != y->count || x->accept_by_default != y->accept_by_default)
        return true;
    for (uint16_t i = 0; i < x->count; i++) {
        if (a->digests[x->policies[i]] != b->digests[y->policies[i]])
            return true;
    }
    return false;
}

bool config_diff_import(const struct config_side *a, const struct config_side *b) {
    const struct bgp_peer_options *x = a->peer->options, *y = b->peer->options;
    if (x->weight != y->weight || x->allow_local_as != y->allow_local_as ||
        x->enforce_first_as != y->enforce_first_as ||
        x->soft_reconfiguration != y->soft_reconfiguration ||
        x->local_as_no_prepend != y->local_as_no_prepend ||
        a->config->graceful_shutdown_receive != b->config->graceful_shutdown_receive)
        return true;
    /* BIRD: it stands in the routes that come in. */
    if (profile_is_bird(b->config->profile) &&
        a->config->default_local_pref != b->config->default_local_pref)
        return true;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        if (chain_differs(a, &x->import[f], b, &y->import[f]))
            return true;
    }
    return false;
}

bool config_diff_prefix_limit(const struct bgp_peer_options *x, const struct bgp_peer_options *y,
                              enum bgp_family f) {
    return x->prefix_max[f] != y->prefix_max[f] ||
           x->prefix_warning_percent != y->prefix_warning_percent ||
           x->prefix_warning_only != y->prefix_warning_only;
}

bool config_diff_export(const struct config_side *a, const struct config_side *b) {
    const struct bgp_peer_options *x = a->peer->options, *y = b->peer->options;
    if (x->next_hop_mode != y->next_hop_mode || x->remove_private_as != y->remove_private_as ||
        x->remove_private_as_all != y->remove_private_as_all ||
        x->remove_private_as_replace != y->remove_private_as_replace ||
        x->local_as_replaces != y->local_as_replaces || x->as_override != y->as_override ||
        x->transparent != y->transparent || x->send_communities != y->send_communities ||
        x->send_ext_communities != y->send_ext_communities ||
        x->graceful_shutdown != y->graceful_shutdown ||
        a->config->blackhole_no_export != b->config->blackhole_no_export ||
        a->config->default_local_pref != b->config->default_local_pref ||
        a->config->client_to_client_reflection != b->config->client_to_client_reflection)
        return true;
    if (x->condition_count || y->condition_count)
        return true; /* what they withhold is known by the table only */
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        if (x->advertisement_interval_ms[f] != y->advertisement_interval_ms[f] ||
            x->default_originate[f] != y->default_originate[f] || x->default_policy[f] ||
            y->default_policy[f] || x->unsuppress_policy[f] || y->unsuppress_policy[f] ||
            chain_differs(a, &x->export[f], b, &y -> export[f]))
            return true;
    }
    return false;
}

/* ---- the decision ---- */

static bool rules_differ(const struct bgp_config *a, const struct bgp_config *b) {
    return a->always_compare_med != b->always_compare_med ||
           a->deterministic_med != b->deterministic_med ||
           a->compare_router_id != b->compare_router_id ||
           a->med_missing_as_worst != b->med_missing_as_worst ||
           a->as_path_ignore != b->as_path_ignore || a->igp_metric_ignore != b->igp_metric_ignore ||
           a->med_confed != b->med_confed || a->default_local_pref != b->default_local_pref;
}

bool config_diff_decision(const struct bgp_config *a, const struct bgp_config *b) {
    size_t size = sizeof a->multipath_external;
    return rules_differ(a, b) || memcmp(a->multipath_external, b->multipath_external, size) != 0 ||
           memcmp(a->multipath_internal, b->multipath_internal, size) != 0 ||
           memcmp(a->multipath_mixed, b->multipath_mixed, size) != 0 ||
           a->multipath_as_path_relax != b->multipath_as_path_relax;
}
