/*
 * A configuration as plain data: defaults and deep copies. What can be wrong with one is in
 * config_check.c, what a new one changes in config_diff.c.
 *
 * A copy shares nothing with its source: every array and text is put into the new arena, nested
 * ones too (policies: terms: matches and actions: their arrays). Arrays are copied whole, then the
 * pointers inside are replaced one level at a time; on failure the half-made copy stays in the
 * arena, whose owner frees it.
 */
#include "config.h"

#include "../base/arena.h"
#include "profile.h"

#include <assert.h>
#include <string.h>

/* ---- defaults ---- */

const struct bgp_dampening_config bgp_dampening_default = {
    .half_life_s = 15 * 60, .reuse = 750, .suppress = 2000, .suppress_max_s = 60 * 60};

void bgp_config_init(struct bgp_config *c, enum bgp_profile profile) {
    const struct profile *f = profile_get(profile);
    *c = (struct bgp_config){
        .profile = profile,
        .client_to_client_reflection = true,
        .listen_port = BGP_PORT,
        .listen = true,
        .default_local_pref = 100,
        .multipath_external = {f->merge_paths, f->merge_paths},
        .multipath_internal = {f->merge_paths, f->merge_paths},
        .multipath_as_path_relax = f->merge_paths > 0,
        .log_neighbor_changes = true,
        .blackhole_no_export = f->blackhole_no_export,
        .graceful_shutdown_receive = f->graceful_shutdown_receive,
        .fib = {.install = true},
    };
}

void bgp_peer_config_init(struct bgp_peer_config *p, enum bgp_profile profile) {
    const struct profile *f = profile_get(profile);
    memset(p, 0, sizeof *p); /* what lies between members, too: see struct bgp_peer_options */
    p->remote_port = BGP_PORT;
    p->families[BGP_IPV4_UNICAST] = true;
    p->send_communities = p->send_ext_communities = f->send_communities;
    p->enforce_first_as = f->enforce_first_as;
    p->graceful_restart = f->graceful_restart;
    p->gr_notification = f->gr_notification;
    p->extended_messages = f->extended_messages;
    for (unsigned i = 0; i < BGP_FAMILIES; i++) {
        /* RFC 8212: without a policy nothing passes, unless the front end says otherwise. */
        p->import[i].accept_by_default = !f->default_deny_external;
        p->export[i].accept_by_default = !f->default_deny_external;
    }
}

bool bgp_config_listens(const struct bgp_config *c, enum ip_family family,
                        struct ip_addr *ret_addr) {
    struct ip_addr given = family == IP_V6 ? c->listen_addr6 : c->listen_addr4;
    struct ip_addr other = family == IP_V6 ? c->listen_addr4 : c->listen_addr6;
    if (!c->listen || (!ip_is_set(given) && ip_is_set(other)))
        return false;
    *ret_addr = ip_is_set(given) ? given : (struct ip_addr){.family = (uint8_t)family};
    return true;
}

const struct bgp_listen_range *bgp_config_range_of(const struct bgp_config *c, struct ip_addr a) {
    const struct bgp_listen_range *best = NULL;
    for (uint32_t i = 0; i < c->listen_range_count; i++) {
        const struct bgp_listen_range *r = &c->listen_ranges[i];
        if (ip_prefix_contains_addr(r->prefix, a) &&
            (!best || r->prefix.length > best->prefix.length))
            best = r;
    }
    return best;
}

/* ---- copying ---- */

/* A copy of an array; NULL for an empty one. Failure sticks in `ok`. */
static void *copy_array(struct arena *arena, const void *data, size_t count, size_t size,
                        bool *ok) {
    if (count == 0 || !*ok)
        return NULL;
    void *copy = arena_array(arena, count, size);
    if (copy)
        memcpy(copy, data, count * size);
    else
        *ok = false;
    return copy;
}

static const char *copy_text(struct arena *arena, const char *text, bool *ok) {
    const char *copy = text && *ok ? arena_strdup(arena, text) : NULL;
    if (text && !copy)
        *ok = false;
    return copy;
}

static void copy_match_arrays(struct arena *arena, struct policy_match *m, bool *ok) {
    m->text = copy_text(arena, m->text, ok);
    m->name = copy_text(arena, m->name, ok);
    m->prefixes = copy_array(arena, m->prefixes, m->prefix_count, sizeof *m->prefixes, ok);
    m->asns = copy_array(arena, m->asns, m->asn_count, sizeof *m->asns, ok);
    m->large_communities = copy_array(arena, m->large_communities, m->large_community_count,
                                      sizeof *m->large_communities, ok);
}

static void copy_match(struct arena *arena, struct policy_match *m, bool *ok) {
    struct policy_match *alternatives =
        copy_array(arena, m->alternatives, m->alternative_count, sizeof *m->alternatives, ok);
    copy_match_arrays(arena, m, ok);
    for (uint32_t i = 0; *ok && i < m->alternative_count; i++) {
        copy_match_arrays(arena, &alternatives[i], ok); /* one level deep: policy.h */
        alternatives[i].alternatives = NULL;
        alternatives[i].alternative_count = 0;
    }
    m->alternatives = alternatives;
}

static void copy_action(struct arena *arena, struct policy_action *a, bool *ok) {
    a->text = copy_text(arena, a->text, ok);
    a->asns = copy_array(arena, a->asns, a->asn_count, sizeof *a->asns, ok);
    a->large_communities = copy_array(arena, a->large_communities, a->large_community_count,
                                      sizeof *a->large_communities, ok);
}

static void copy_term(struct arena *arena, struct policy_term *t, bool *ok) {
    struct policy_match *matches =
        copy_array(arena, t->matches, t->match_count, sizeof *t->matches, ok);
    struct policy_action *actions =
        copy_array(arena, t->actions, t->action_count, sizeof *t->actions, ok);
    t->name = copy_text(arena, t->name, ok);
    for (uint32_t i = 0; *ok && i < t->match_count; i++)
        copy_match(arena, &matches[i], ok);
    for (uint32_t i = 0; *ok && i < t->action_count; i++)
        copy_action(arena, &actions[i], ok);
    t->matches = matches;
    t->actions = actions;
}

static void copy_policy(struct arena *arena, struct policy *p, bool *ok) {
    struct policy_term *terms = copy_array(arena, p->terms, p->term_count, sizeof *p->terms, ok);
    p->name = copy_text(arena, p->name, ok);
    for (uint32_t i = 0; *ok && i < p->term_count; i++)
        copy_term(arena, &terms[i], ok);
    p->terms = terms;
}

static void copy_chain(struct arena *arena, struct policy_chain *c, bool *ok) {
    c->policies = copy_array(arena, c->policies, c->count, sizeof *c->policies, ok);
}

static const struct bgp_password *copy_password(struct arena *arena, const struct bgp_password *p,
                                                bool *ok) {
    const struct bgp_password *copy = p ? bgp_password_new(arena, p->octets, p->size) : NULL;
    *ok = *ok && (copy || !p);
    return copy;
}

/* `before`: a copy whose chains may be shared, NULL: none. Most peers of a node have the same. */
static void copy_chain_shared(struct arena *arena, const struct policy_chain *before,
                              struct policy_chain *c, bool *ok) {
    if (before && c->count && before->count == c->count &&
        memcmp(before->policies, c->policies, c->count * sizeof *c->policies) == 0)
        c->policies = before->policies;
    else
        copy_chain(arena, c, ok);
}

static void copy_peer(struct arena *arena, const struct bgp_peer_config *before,
                      struct bgp_peer_config *p, bool *ok) {
    p->shutdown_text = copy_text(arena, p->shutdown_text, ok);
    p->description = copy_text(arena, p->description, ok);
    p->password = copy_password(arena, p->password, ok);
    p->conditions = copy_array(arena, p->conditions, p->condition_count, sizeof *p->conditions, ok);
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        copy_chain_shared(arena, before ? &before->import[f] : NULL, &p->import[f], ok);
        copy_chain_shared(arena, before ? &before->export[f] : NULL, &p->export[f], ok);
    }
}

const struct bgp_password *bgp_password_new(struct arena *arena, const void *octets, size_t size) {
    assert(size <= UINT8_MAX);
    struct bgp_password *p = octets && size ? arena_alloc(arena, sizeof *p + size) : NULL;
    if (p) {
        p->size = (uint8_t)size;
        memcpy(p->octets, octets, size);
    }
    return p;
}

bool bgp_password_equal(const struct bgp_password *a, const struct bgp_password *b) {
    if (!a || !b)
        return a == b;
    return a->size == b->size && memcmp(a->octets, b->octets, a->size) == 0;
}

struct bgp_config *bgp_config_copy(struct arena *arena, const struct bgp_config *c) {
    bool ok = true;
    struct bgp_config *copy = copy_array(arena, c, 1, sizeof *c, &ok);
    if (!copy)
        return NULL;
    copy->peers = copy_array(arena, c->peers, c->peer_count, sizeof *c->peers, &ok);
    copy->listen_ranges =
        copy_array(arena, c->listen_ranges, c->listen_range_count, sizeof *c->listen_ranges, &ok);
    copy->origins = copy_array(arena, c->origins, c->origin_count, sizeof *c->origins, &ok);
    copy->aggregates =
        copy_array(arena, c->aggregates, c->aggregate_count, sizeof *c->aggregates, &ok);
    copy->dampening =
        copy_array(arena, c->dampening, c->dampening_count, sizeof *c->dampening, &ok);
    copy->confederation_members =
        copy_array(arena, c->confederation_members, c->confederation_member_count,
                   sizeof *c->confederation_members, &ok);
    struct policy *policies =
        copy_array(arena, c->policies, c->policy_count, sizeof *c->policies, &ok);
    copy->policies = policies;
    for (uint32_t i = 0; ok && i < c->peer_count; i++)
        copy_peer(arena, i ? &copy->peers[i - 1] : NULL, &copy->peers[i], &ok);
    for (uint32_t i = 0; ok && i < c->origin_count; i++)
        copy->origins[i].attributes = copy_text(arena, copy->origins[i].attributes, &ok);
    for (uint32_t i = 0; ok && i < c->listen_range_count; i++)
        copy_peer(arena, NULL, &copy->listen_ranges[i].peer, &ok);
    for (unsigned f = 0; f < BGP_FAMILIES; f++)
        copy_chain(arena, &copy->fib.filter[f], &ok);
    for (uint32_t i = 0; ok && i < c->policy_count; i++)
        copy_policy(arena, &policies[i], &ok);
    return ok ? copy : NULL;
}
