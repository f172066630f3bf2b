/*
 * Which sessions are sent the same: the key of update groups.
 *
 * Owns what a key consists of. Policies are in it by their content, so that sessions with equal
 * route-maps share a group whatever these are called; conditions by what they withhold at the
 * moment, so that one that begins or ceases to hold moves its sessions to another group. Leaves
 * what is sent to export.c.
 *
 * Invariant: export_route's result depends on nothing of a session that its key has not.
 */
#include "export.h"

#include "../base/hash.h"
#include "own_addr.h"
#include "rib.h"
#include "scanner.h"
#include "session.h"

#include <string.h>

/* ---- what a policy says ---- */

static uint64_t hash_text(uint64_t h, const char *text) {
    return text ? hash_bytes(text, strlen(text), h) : hash_mix(h, 0);
}

static uint64_t hash_words(uint64_t h, const uint32_t *words, uint32_t count) {
    h = hash_mix(h, count);
    return count ? hash_bytes(words, count * sizeof *words, h) : h;
}

static uint64_t hash_large(uint64_t h, const struct large_community *list, uint32_t count) {
    h = hash_mix(h, count);
    return count ? hash_bytes(list, count * sizeof *list, h) : h;
}

static uint64_t hash_match(uint64_t h, const struct policy_match *m) {
    h = hash_mix(h, (uint64_t)m->kind << 2 | (uint64_t)m->negate << 1 | m->exact);
    h = hash_text(hash_mix(h, m->value), m->text);
    h = hash_mix(h, m->prefix_count);
    if (m->prefix_count) {
        h = hash_bytes(m->prefixes, m->prefix_count * sizeof *m->prefixes, h);
    }
    h = hash_words(h, m->asns, m->asn_count);
    return hash_large(h, m->large_communities, m->large_community_count);
}

static uint64_t hash_term(uint64_t h, const struct policy_term *t) {
    for (uint32_t i = 0; i < t->match_count; i++) {
        h = hash_mix(hash_match(h, &t->matches[i]), t->matches[i].alternative_count);
        for (uint32_t j = 0; j < t->matches[i].alternative_count; j++) {
            h = hash_match(h, &t->matches[i].alternatives[j]);
        }
    }
    for (uint32_t i = 0; i < t->action_count; i++) {
        const struct policy_action *a = &t->actions[i];
        h = hash_mix(h, (uint64_t)a->kind << 40 | (uint64_t)a->mode << 32 | a->value);
        h = hash_text(h, a->text);
        h = hash_bytes(&a->address, sizeof a->address, h);
        h = hash_words(h, a->asns, a->asn_count);
        h = hash_large(h, a->large_communities, a->large_community_count);
    }
    h = hash_mix(h, (uint64_t)t->match_count << 32 | t->action_count);
    return hash_mix(h, (uint64_t)t->verdict << 32 | t->continue_at);
}

static uint64_t hash_policy(uint64_t h, const struct bgp_config *c, uint32_t policy) {
    const struct policy *p = policy < c->policy_count ? &c->policies[policy] : NULL;
    if (!p) {
        return h;
    }
    h = hash_mix(h, (uint64_t)p->otherwise << 32 | p->term_count);
    for (uint32_t t = 0; t < p->term_count; t++) {
        h = hash_term(h, &p->terms[t]);
    }
    return h;
}

static uint64_t hash_chain(const struct bgp_config *c, const struct policy_chain *chain) {
    uint64_t h = chain->accept_by_default;
    for (uint16_t i = 0; i < chain->count; i++) {
        h = hash_policy(h, c, chain->policies[i]);
    }
    return h;
}

/* What the session's conditions withhold at the moment, and what it is sent although an aggregate
 * silences it. 0: nothing. */
static uint64_t hash_conditions(const struct bgp_speaker *s, const struct bgp_peer_options *c,
                                enum bgp_family f) {
    uint64_t h = 0;
    if (c->unsuppress_policy[f]) {
        h = hash_policy(1, s->config, c->unsuppress_policy[f] - 1);
    }
    for (uint32_t i = 0; i < c->condition_count; i++) {
        if (c->conditions[i].family == f && !scanner_condition_holds(s, &c->conditions[i])) {
            h = hash_policy(h + 2, s->config, c->conditions[i].advertise_policy - 1);
        }
    }
    return h;
}

/* May it make the peer's address a next hop, whatever that address is? */
static bool chain_names_peer(const struct bgp_config *c, const struct policy_chain *chain) {
    for (uint16_t i = 0; i < chain->count; i++) {
        const struct policy *p =
            chain->policies[i] < c->policy_count ? &c->policies[chain->policies[i]] : NULL;
        for (uint32_t t = 0; p && t < p->term_count; t++) {
            for (uint32_t a = 0; a < p->terms[t].action_count; a++) {
                if (p->terms[t].actions[a].kind == POLICY_SET_NEXT_HOP_PEER) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* ---- the key ---- */

static void key_add_session(const struct bgp_speaker *s, const struct peer *p,
                            struct export_key *k) {
    const struct bgp_peer_options *c = p->config->options;
    k->external = p->external;
    k->confed = p->confed;
    k->rr_client = c->rr_client;
    k->as4 = p->as4;
    k->local_as = session_local_as(s, p);
    if (p->external && (c->as_override || c->remove_private_as || c->remove_private_as_all ||
                        c->remove_private_as_replace)) {
        k->remote_as = p->config->remote_as;
    }
    k->next_hop_mode = (uint8_t)c->next_hop_mode;
    k->send_communities = c->send_communities;
    k->send_ext_communities = c->send_ext_communities;
    k->local_as_replaces = c->local_as_replaces;
    k->remove_private_as = c->remove_private_as;
    k->remove_private_as_all = c->remove_private_as_all;
    k->remove_private_as_replace = c->remove_private_as_replace;
    k->as_override = c->as_override;
    k->transparent = c->transparent && p->external && !p->confed;
    k->extended_messages = p->extended_messages;
    k->extended_next_hop = p->extended_next_hop;
    k->graceful_shutdown = c->graceful_shutdown;
    k->role = peer_is_outside(p) ? (uint8_t)c->role : (uint8_t)BGP_ROLE_NONE;
    k->local_addr = own_addr_get(s, p->own_addr);
    if (!ip_is_set(k->local_addr))
        k->local_addr = c->local_addr;
    if (p->external && c->multihop == 0 && s->profile->third_party_next_hop) {
        k->subnet = nexthop_connected(s, p->config->remote_addr);
    }
}

void export_key_make(const struct bgp_speaker *s, const struct peer *p,
                     struct export_key *ret_key) {
    struct export_key *k = ret_key;
    memset(k, 0, sizeof *k);
    key_add_session(s, p, k);
    /* RFC 5065 4: the member AS is not seen outside. */
    k->speaker_as = s->config->confederation_id && !p->confed ? s->config->confederation_id
                                                              : s->config->local_as;
    k->cluster_id = s->cluster_id;
    k->router_id = s->router_id;
    k->default_local_pref = s->config->default_local_pref;
    k->client_to_client = s->config->client_to_client_reflection;
    k->blackhole_no_export = s->config->blackhole_no_export;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        const struct policy_chain *chain = &p->config->options->export[f];
        k->families[f] = p->families[f];
        k->add_path[f] =
            p->add_path[f] & BGP_ADD_PATH_SEND ? p->config->options->add_path_send[f] : 0;
        k->mrai_ms[f] = p->config->options->advertisement_interval_ms[f];
        k->default_originate[f] = p->config->options->default_originate[f] &&
                                  scanner_default_holds(s, p->config->options, f);
        k->deny[f] = rib_policy_missing(s, p, chain);
        uint64_t conditions = hash_conditions(s, p->config->options, f);
        k->chain_hash[f] = hash_chain(s->config, chain);
        k->chain_hash[f] = conditions ? hash_mix(k->chain_hash[f], conditions) : k->chain_hash[f];
        k->by_prefix[f] = conditions || policy_looks_at_prefix(s->config, chain);
        if (chain_names_peer(s->config, chain)) {
            k->remote_addr = p->config->remote_addr;
        }
    }
}

bool export_key_equal(const struct export_key *a, const struct export_key *b) {
    return memcmp(a, b, sizeof *a) == 0;
}
