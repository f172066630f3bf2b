/*
 * Everything that can be wrong with a configuration without knowing the network. All findings are
 * reported, not the first only. A compiled configuration has no lines any more: who still has the
 * text says where its parts stand.
 *
 * RFC 7300 and 7607 (AS numbers no one may have), 6793 (AS_TRANS), 4271 4.2 (hold time), 6286
 * (router id), 4456 (clients are internal), 5082 (TTL security), 2385 (key length).
 */
#include "config.h"

#include "../base/diag.h"
#include "../base/hash.h"
#include "../base/table.h"
#include "attr.h"

#include <stdio.h>
#include <string.h>

struct check {
    const struct bgp_config *config;
    const struct bgp_config_places *places;
    enum bgp_config_part part; /* what is being looked at */
    uint32_t index;
    struct diag_list *diags;
};

#define ERROR(check, id, ...) diag_add((check)->diags, DIAG_ERROR, place_of(check), id, __VA_ARGS__)

static struct diag_place place_of(const struct check *k) {
    return k->places->of(k->places->context, k->part, k->index);
}

/* The check of one part. */
static struct check check_of(const struct check *k, enum bgp_config_part part, uint32_t index) {
    struct check here = *k;
    here.part = part;
    here.index = index;
    return here;
}

/* What makes an AS number unusable; NULL: nothing. */
static const char *as_problem(uint32_t asn) {
    switch (asn) {
    case 0:
        return "is reserved (RFC 7607)";
    case AS_TRANS:
        return "is AS_TRANS (RFC 6793)";
    case 65535:
    case UINT32_MAX:
        return "is reserved (RFC 7300)";
    default:
        return NULL;
    }
}

static void check_as(const struct check *k, const char *where, const char *what, uint32_t asn) {
    const char *problem = as_problem(asn);
    if (problem)
        ERROR(k, "bad-as", "%s%s %u %s", where, what, asn, problem);
}

static void check_hold(const struct check *k, const char *where, uint16_t hold_time_s) {
    if (hold_time_s == 1 || hold_time_s == 2)
        ERROR(k, "bad-hold-time", "%shold time %u s: must be 0 or at least 3 (RFC 4271 4.2)", where,
              hold_time_s);
}

static void check_chain(const struct check *k, const char *where, const struct policy_chain *c) {
    if (c->count > BGP_POLICY_CHAIN_MAX)
        ERROR(k, "too-many", "%s%u policies in a chain, at most %d", where, c->count,
              BGP_POLICY_CHAIN_MAX);
    for (uint16_t i = 0; i < c->count; i++) {
        if (c->policies[i] >= k->config->policy_count)
            ERROR(k, "unknown-policy", "%spolicy number %u of %u", where, c->policies[i],
                  k->config->policy_count);
    }
}

/* A policy by index + 1; 0: none. */
static void check_policy(const struct check *k, const char *where, uint32_t policy) {
    if (policy > k->config->policy_count)
        ERROR(k, "unknown-policy", "%spolicy number %u, there are %u", where, policy,
              k->config->policy_count);
}

/* Nothing here names the interface that such an address would need to be called, bound or listened
 * on. In what is rehearsed one may stand all the same, and its neighbour is down. */
static bool lacks_interface(const struct check *k, struct ip_addr a) {
    return k->config->profile == BGP_PROFILE_PLAIN && a.family == IP_V6 && ip_is_link_local(a);
}

static void check_addresses(const struct check *k, const struct bgp_peer_config *p) {
    struct ip_addr a = p->remote_addr, b = p->local_addr;
    if (!ip_is_set(a) || ip_is_unspecified(a) || ip_is_multicast(a))
        ERROR(k, "bad-address", "peer \"%s\": no usable remote address", p->name);
    if (ip_is_set(b) && ip_is_set(a) && a.family != b.family)
        ERROR(k, "bad-address", "peer \"%s\": local and remote address are of different families",
              p->name);
    if (ip_is_set(b) && ip_equal(a, b))
        ERROR(k, "bad-address", "peer \"%s\": its address is our own", p->name);
    if (lacks_interface(k, a) && !p->passive)
        ERROR(k, "bad-address",
              "peer \"%s\": a link-local address cannot be called without its interface, which has "
              "no name here: set \"passive\", or use a routable address",
              p->name);
    else if (lacks_interface(k, b) && !p->passive)
        ERROR(k, "bad-address",
              "peer \"%s\": cannot call from a link-local address, whose interface has no name "
              "here: set \"passive\", or use a routable address",
              p->name);
}

/* Members that only make sense with another one. */
static void check_features(const struct check *k, const char *where,
                           const struct bgp_peer_config *p) {
    uint32_t local_as = p->local_as ? p->local_as : k->config->local_as;
    if (!p->families[BGP_IPV4_UNICAST] && !p->families[BGP_IPV6_UNICAST])
        ERROR(k, "no-family", "%sno address family", where);
    if (p->rr_client && local_as != p->remote_as)
        ERROR(k, "external-client", "%sa route reflector client must be internal (AS %u, ours %u)",
              where, p->remote_as, local_as);
    if (p->role != BGP_ROLE_NONE && local_as == p->remote_as)
        ERROR(k, "internal-role", "%sa role is for external sessions (RFC 9234 4.1)", where);
    if (p->role_strict && p->role == BGP_ROLE_NONE)
        ERROR(k, "strict-role", "%srole_strict without a role", where);
    if (p->send_hold_time_s && p->hold_time_set && p->send_hold_time_s <= p->hold_time_s)
        ERROR(k, "bad-send-hold-time",
              "%ssend hold time %u s: must be longer than the hold time, "
              "%u s (RFC 9687 6)",
              where, p->send_hold_time_s, p->hold_time_s);
    if (p->extended_next_hop && !p->families[BGP_IPV4_UNICAST])
        ERROR(k, "no-family", "%sextended next hops without IPv4 unicast (RFC 8950)", where);
    if (p->shutdown_text && strlen(p->shutdown_text) > BGP_SHUTDOWN_TEXT_MAX)
        ERROR(k, "too-long", "%sshutdown text longer than %d octets (RFC 9003)", where,
              BGP_SHUTDOWN_TEXT_MAX);
}

static void check_peer_policies(const struct check *k, const char *where,
                                const struct bgp_peer_config *p) {
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        check_chain(k, where, &p->import[f]);
        check_chain(k, where, &p->export[f]);
        check_policy(k, where, p->unsuppress_policy[f]);
        check_policy(k, where, p->default_policy[f]);
    }
    if (p->condition_count > BGP_CONDITIONS_MAX)
        ERROR(k, "too-many", "%s%u conditions, at most %d", where, p->condition_count,
              BGP_CONDITIONS_MAX);
    for (uint32_t i = 0; i < p->condition_count; i++) {
        const struct bgp_condition_config *condition = &p->conditions[i];
        check_policy(k, where, condition->advertise_policy);
        check_policy(k, where, condition->exist_policy);
        if (!condition->advertise_policy || !condition->exist_policy)
            ERROR(k, "bad-condition", "%sa condition needs both of its policies", where);
    }
}

static void check_peer(const struct check *k, const struct bgp_peer_config *p, bool template) {
    char where[BGP_PEER_NAME_MAX + 16];
    size_t size = strnlen(p->name, sizeof p->name);
    if (size == 0 || size == sizeof p->name) {
        ERROR(k, "bad-name", "peer name is empty or longer than %d octets", BGP_PEER_NAME_MAX - 1);
        return;
    }
    memcpy(where, "peer \"", 6);
    memcpy(where + 6, p->name, size);
    memcpy(where + 6 + size, "\": ", 4);
    if (!template || p->remote_as)
        check_as(k, where, "remote AS", p->remote_as);
    if (p->local_as)
        check_as(k, where, "local AS", p->local_as);
    if (p->hold_time_set)
        check_hold(k, where, p->hold_time_s);
    if (!template)
        check_addresses(k, p);
    check_features(k, where, p);
    if (p->password && p->password->size > BGP_PASSWORD_MAX)
        ERROR(k, "bad-password", "%spassword longer than %d octets", where, BGP_PASSWORD_MAX);
    if (p->ttl_security_hops && p->multihop)
        ERROR(k, "ttl-conflict", "%sttl security and multihop exclude each other", where);
    if (p->prefix_warning_percent > 100)
        ERROR(k, "bad-percent", "%sprefix warning at %u %%", where, p->prefix_warning_percent);
    check_peer_policies(k, where, p);
}

static void check_ranges(const struct check *whole) {
    const struct bgp_config *c = whole->config;
    char text[IP_PREFIX_TEXT_MAX];
    for (uint32_t i = 0; i < c->listen_range_count; i++) {
        const struct bgp_listen_range *r = &c->listen_ranges[i];
        const struct check here = check_of(whole, BGP_PART_RANGE, i), *k = &here;
        check_peer(k, &r->peer, true);
        ip_prefix_format(r->prefix, text);
        if (!ip_prefix_is_masked(r->prefix))
            ERROR(k, "host-bits", "listen range %s has bits behind its length", text);
        if (strnlen(r->peer.name, BGP_PEER_NAME_MAX) + IP_ADDR_TEXT_MAX >= BGP_PEER_NAME_MAX)
            ERROR(k, "bad-name", "listen range %s: its name leaves no room for an address", text);
        for (uint32_t j = 0; j < i; j++) {
            if (ip_prefix_compare(c->listen_ranges[j].prefix, r->prefix) == 0)
                ERROR(k, "duplicate-range", "listen range %s is defined twice", text);
        }
    }
}

static bool name_equal(const void *context, uint32_t index, const void *key) {
    const struct bgp_config *c = context;
    return strncmp(c->peers[index - 1].name, key, BGP_PEER_NAME_MAX) == 0;
}

static void check_names(const struct check *whole) {
    const struct bgp_config *c = whole->config;
    struct table names;
    table_init(&names);
    (void)table_reserve(&names, c->peer_count); /* missing memory is said below */
    for (uint32_t i = 0; i < c->peer_count; i++) {
        const struct check here = check_of(whole, BGP_PART_PEER, i), *k = &here;
        const char *name = c->peers[i].name;
        uint64_t hash = hash_bytes(name, strnlen(name, BGP_PEER_NAME_MAX), 0);
        if (table_find(&names, hash, name_equal, c, name))
            ERROR(k, "duplicate-peer", "peer \"%.*s\" is defined twice", BGP_PEER_NAME_MAX - 1,
                  name);
        else if (!table_insert(&names, hash, i + 1))
            ERROR(k, "no-memory", "out of memory");
    }
    table_deinit(&names);
}

static void check_lengths(const struct check *k, const struct policy *p, uint32_t term,
                          const struct policy_match *m) {
    char text[IP_PREFIX_TEXT_MAX];
    for (uint32_t i = 0; i < m->prefix_count; i++) {
        const struct policy_prefix *e = &m->prefixes[i];
        if (e->length_min > e->length_max)
            ERROR(k, "bad-length",
                  "policy \"%s\": term %u: %s: length_min %u is above length_max %u", p->name, term,
                  ip_prefix_format(e->prefix, text), e->length_min, e->length_max);
    }
}

static void check_matches(const struct check *k, const struct policy *p, uint32_t term) {
    const struct policy_term *t = &p->terms[term];
    for (uint32_t i = 0; i < t->match_count; i++) {
        check_lengths(k, p, term, &t->matches[i]);
        for (uint32_t j = 0; j < t->matches[i].alternative_count; j++)
            check_lengths(k, p, term, &t->matches[i].alternatives[j]);
    }
}

static void check_policies(const struct check *whole) {
    const struct bgp_config *c = whole->config;
    for (uint32_t i = 0; i < c->policy_count; i++) {
        const struct check here = check_of(whole, BGP_PART_POLICY, i), *k = &here;
        const struct policy *p = &c->policies[i];
        if (p->term_count > BGP_POLICY_TERMS_MAX)
            ERROR(k, "too-many", "policy \"%s\": %u terms, at most %d", p->name, p->term_count,
                  BGP_POLICY_TERMS_MAX);
        for (uint32_t t = 0; t < p->term_count; t++) {
            uint32_t at = p->terms[t].continue_at;
            if (at != 0 && (at <= t || at > p->term_count))
                ERROR(k, "bad-continue", "policy \"%s\": term %u goes on at %u", p->name, t, at);
            check_matches(k, p, t);
        }
    }
}

static void check_origins(const struct check *whole) {
    const struct bgp_config *c = whole->config;
    char text[IP_PREFIX_TEXT_MAX], where[IP_PREFIX_TEXT_MAX + 16];
    for (uint32_t i = 0; i < c->origin_count; i++) {
        const struct check here = check_of(whole, BGP_PART_ORIGIN, i), *k = &here;
        const struct bgp_origin_config *o = &c->origins[i];
        if (!ip_prefix_is_masked(o->prefix))
            ERROR(k, "host-bits", "route %s has bits behind its length",
                  ip_prefix_format(o->prefix, text));
        if (o->source <= ROUTE_SOURCE_BGP || o->source > ROUTE_SOURCE_AGGREGATE)
            ERROR(k, "bad-source", "route %s: own routes are not learned over BGP",
                  ip_prefix_format(o->prefix, text));
        if (o->source == ROUTE_SOURCE_AGGREGATE) /* its place is that of a real one */
            ERROR(k, "bad-source", "route %s: an aggregate is configured among the aggregates",
                  ip_prefix_format(o->prefix, text));
        if (o->origin > 2)
            ERROR(k, "bad-origin", "route %s: ORIGIN %u", ip_prefix_format(o->prefix, text),
                  o->origin);
        snprintf(where, sizeof where, "route %s: ", ip_prefix_format(o->prefix, text));
        check_policy(k, where, o->policy);
        if (o->attributes && !bgp_attributes_valid(o->attributes))
            ERROR(k, "bad-attributes", "%sattributes are not those of a sound UPDATE", where);
        if (i == 0)
            continue;
        int order = ip_prefix_compare(c->origins[i - 1].prefix, o->prefix);
        if (order > 0 || (order == 0 && c->origins[i - 1].source == o->source))
            ERROR(k, "bad-order", "route %s: %s", ip_prefix_format(o->prefix, text),
                  order > 0 ? "out of order" : "is there twice");
    }
}

static void check_listening(const struct check *k) {
    const struct bgp_config *c = k->config;
    if (ip_is_set(c->listen_addr4) && c->listen_addr4.family != IP_V4)
        ERROR(k, "bad-address", "listen_addr4 is no IPv4 address");
    if (ip_is_set(c->listen_addr6) && c->listen_addr6.family != IP_V6)
        ERROR(k, "bad-address", "listen_addr6 is no IPv6 address");
    if (lacks_interface(k, c->listen_addr6))
        ERROR(k, "bad-address",
              "listen_addr6 is link-local, and its interface has no name here: use a routable "
              "address, or none for all");
}

/* RFC 5065 4: the identifier is seen outside, the members inside. */
static void check_confederation(const struct check *k) {
    const struct bgp_config *c = k->config;
    if (c->confederation_id)
        check_as(k, "", "confederation identifier", c->confederation_id);
    else if (c->confederation_member_count)
        ERROR(k, "no-confederation", "confederation members without a confederation identifier");
    for (uint32_t i = 0; i < c->confederation_member_count; i++)
        check_as(k, "", "confederation member", c->confederation_members[i]);
}

static void check_aggregates(const struct check *whole) {
    const struct bgp_config *c = whole->config;
    char text[IP_PREFIX_TEXT_MAX], where[IP_PREFIX_TEXT_MAX + 16];
    for (uint32_t i = 0; i < c->aggregate_count; i++) {
        const struct check here = check_of(whole, BGP_PART_AGGREGATE, i), *k = &here;
        const struct bgp_aggregate_config *a = &c->aggregates[i];
        if (!ip_prefix_is_masked(a->prefix))
            ERROR(k, "host-bits", "aggregate %s has bits behind its length",
                  ip_prefix_format(a->prefix, text));
        snprintf(where, sizeof where, "aggregate %s: ", ip_prefix_format(a->prefix, text));
        check_policy(k, where, a->suppress_policy);
        check_policy(k, where, a->attribute_policy);
        check_policy(k, where, a->advertise_policy);
        for (uint32_t j = 0; j < i; j++) {
            if (ip_prefix_equal(c->aggregates[j].prefix, a->prefix))
                ERROR(k, "duplicate-aggregate", "aggregate %s is there twice",
                      ip_prefix_format(a->prefix, text));
        }
    }
}

/* RFC 2439 4.2: no figure of merit decays from below the reuse threshold to it. */
static void check_dampening(const struct check *k) {
    const struct bgp_config *c = k->config;
    for (uint32_t i = 0; i < c->dampening_count && i < BGP_FAMILIES; i++) {
        const struct bgp_dampening_config *d = &c->dampening[i];
        if (!d->half_life_s || !d->reuse || d->reuse > d->suppress || !d->suppress_max_s)
            ERROR(k, "bad-dampening",
                  "dampening: half-life and longest suppression of at least 1 s, reuse at least 1 "
                  "and not above suppress are required");
        if (i > 0 && d->family == c->dampening[0].family)
            ERROR(k, "duplicate-dampening", "dampening of one family is there twice");
        check_policy(k, "dampening: ", d->policy);
    }
}

static void check_limits(const struct check *k) {
    const struct bgp_config *c = k->config;
    const struct {
        const char *what;
        uint32_t count, max;
    } limits[] = {
        {"peers", c->peer_count, BGP_PEERS_MAX},
        {"listen ranges", c->listen_range_count, BGP_LISTEN_RANGES_MAX},
        {"policies", c->policy_count, BGP_POLICIES_MAX},
        {"routes", c->origin_count, BGP_ORIGINS_MAX},
        {"aggregates", c->aggregate_count, BGP_AGGREGATES_MAX},
        {"dampening", c->dampening_count, BGP_FAMILIES},
        {"confederation members", c->confederation_member_count, BGP_CONFEDERATION_MEMBERS_MAX},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (limits[i].count > limits[i].max)
            ERROR(k, "too-many", "%u %s, at most %u", limits[i].count, limits[i].what,
                  limits[i].max);
    }
}

bool bgp_config_check_at(const struct bgp_config *c, const struct bgp_config_places *places,
                         struct diag_list *diags) {
    const struct check k = {c, places, BGP_PART_WHOLE, 0, diags};
    size_t before = diag_error_count(diags);
    check_as(&k, "", "local AS", c->local_as);
    if (c->router_id.family != IP_V4 || ip4_to_u32(c->router_id) == 0)
        ERROR(&k, "no-router-id", "no router id: an IPv4 address other than 0.0.0.0 is required");
    if (c->hold_time_set)
        check_hold(&k, "", c->hold_time_s);
    check_limits(&k);
    check_listening(&k);
    for (unsigned f = 0; f < BGP_FAMILIES; f++)
        check_chain(&k, "kernel filter: ", &c->fib.filter[f]);
    for (uint32_t i = 0; i < c->peer_count; i++) {
        const struct check here = check_of(&k, BGP_PART_PEER, i);
        check_peer(&here, &c->peers[i], false);
    }
    if (c->listen_range_count <= BGP_LISTEN_RANGES_MAX)
        check_ranges(&k);
    check_names(&k);
    check_policies(&k);
    check_origins(&k);
    check_confederation(&k);
    check_aggregates(&k);
    check_dampening(&k);
    return diag_error_count(diags) == before;
}

static struct diag_place place_of_file(const void *file, enum bgp_config_part part,
                                       uint32_t index) {
    (void)part;
    (void)index;
    return (struct diag_place){.file = file};
}

bool bgp_config_check(const struct bgp_config *c, const char *file, struct diag_list *diags) {
    const struct bgp_config_places places = {place_of_file, file};
    return bgp_config_check_at(c, &places, diags);
}
