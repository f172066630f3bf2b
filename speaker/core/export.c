/*
 * What a route becomes on its way out, and whether it goes at all.
 *
 * Owns the rules of sending that do not depend on the single receiver: reflection, well-known
 * communities, conditional advertisement, AS_PATH, NEXT_HOP, MED, LOCAL_PREF, and the place of the
 * export policy among them. Leaves "not back to the source", "not to the next hop" and everything
 * about messages to adjout.c, which sessions are sent the same to export_key.c.
 *
 * The order differs: BIRD makes the outgoing attributes first (own AS in the path, next hop set)
 * and filters then see and change those; IOS and the RFC profile run policy on the route as it is
 * held and make the outgoing attributes from what policy left.
 *
 * Invariants: no state; the result is a function of the arguments.
 * RFC 1997; 4271 5.1, 9.2; 4360 6; 4456; 5065; 7705; 7999; 8212; 8326; 8950; 9234 5.
 */
#include "export.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "nexthop.h"
#include "otc.h"
#include "rib.h"
#include "scanner.h"

#include <string.h>

/* ---- whether ---- */

static bool is_outside(const struct export_key *k) {
    return k->external && !k->confed;
}

static bool is_reflected(const struct export_key *k, const struct peer *source) {
    return source && !source->external && !k->external;
}

/* Why a route of this source does not go to sessions of this key; NULL: it may. */
static const char *source_obstacle(const struct export_key *k, const struct peer *source) {
    if (!is_reflected(k, source)) {
        return NULL;
    }
    bool from_client = source->config->options->rr_client;
    if (!from_client && !k->rr_client) {
        return "learned over iBGP and neither side is a route reflector client";
    }
    if (from_client && k->rr_client && !k->client_to_client) {
        return "client-to-client reflection is off";
    }
    return NULL;
}

static const char *community_obstacle(const struct export_key *k, const struct attr_values *v) {
    if (attr_has_community(v, COMMUNITY_NO_ADVERTISE)) {
        return "community no-advertise";
    }
    if (!k->external) {
        return NULL;
    }
    if (attr_has_community(v, COMMUNITY_NO_EXPORT_SUBCONFED)) {
        return "community local-AS";
    }
    if (k->confed) {
        return NULL;
    }
    if (attr_has_community(v, COMMUNITY_NO_EXPORT)) {
        return "community no-export";
    }
    if (k->blackhole_no_export && attr_has_community(v, COMMUNITY_BLACKHOLE)) { /* RFC 7999 3.2 */
        return "community blackhole";
    }
    return NULL;
}

static bool accepts(const struct bgp_speaker *s, uint32_t policy, const struct adjout_route *r,
                    struct arena *arena) {
    struct policy_route route = {.prefix = r->prefix,
                                 .attrs = attr_get(&s->attrs, r->attrs)->v,
                                 .source = r->source,
                                 .interface = r->interface,
                                 .metric = r->metric,
                                 .arena = arena};
    return policy_accepts(s->config, policy, &route);
}

/* An aggregate stands for it, or a condition under which it is advertised does not hold. */
static const char *condition_obstacle(const struct bgp_speaker *s, const struct bgp_peer_options *c,
                                      const struct adjout_route *r, struct arena *arena) {
    enum bgp_family f = rib_prefix_family(r->prefix);
    uint32_t unsuppress = c->unsuppress_policy[f];
    if (r->suppressed && (!unsuppress || !accepts(s, unsuppress, r, arena))) {
        return "suppressed, an aggregate stands for it";
    }
    for (uint32_t i = 0; i < c->condition_count; i++) {
        const struct bgp_condition_config *k = &c->conditions[i];
        if (k->family == f && !scanner_condition_holds(s, k) &&
            accepts(s, k->advertise_policy, r, arena)) {
            return k->absent ? "a route of its non-exist-map exists, or may"
                             : "no route of its exist-map is known";
        }
    }
    return NULL;
}

/* ---- AS_PATH ---- */

static bool is_private_as(uint32_t asn) {
    return (asn >= 64512 && asn <= 65534) || (asn >= UINT32_C(4200000000) && asn < UINT32_MAX);
}

/* IOS: only a path made of private ASes alone, and without the neighbour's, is cleared. */
static bool path_is_private(struct as_path p, uint32_t remote_as) {
    for (uint32_t i = 0; i < p.word_count;) {
        uint32_t count = p.words[i++] & 0xffff;
        for (uint32_t end = i + count; i < end && i < p.word_count; i++) {
            if (!is_private_as(p.words[i]) || p.words[i] == remote_as) {
                return false;
            }
        }
    }
    return true;
}

/* IOS: remove-private-as all, with replace-as ours in their place. A segment left empty goes; the
 * neighbour's own AS stays where it is not replaced. */
static bool remove_private(const struct export_key *k, struct arena *arena, struct as_path *path) {
    uint32_t *words = arena_array(arena, (size_t)path->word_count + 1, sizeof *words), used = 0;
    if (!words) {
        return false;
    }
    for (uint32_t i = 0; i < path->word_count;) {
        uint32_t head = used++, count = path->words[i] & 0xffff, kept = 0;
        uint32_t type = path->words[i++] >> 16;
        for (uint32_t end = i + count; i < end && i < path->word_count; i++) {
            uint32_t asn = path->words[i];
            bool goes = is_private_as(asn) && asn != k->remote_as;
            if (!goes || k->remove_private_as_replace) {
                words[used++] = goes ? k->local_as : asn;
                kept++;
            }
        }
        words[head] = type << 16 | kept;
        used -= kept == 0;
    }
    *path = (struct as_path){used ? words : NULL, used};
    return true;
}

/* remove-private-as in its three forms. */
static bool make_public(const struct export_key *k, struct arena *arena, struct as_path *path) {
    if (k->remove_private_as_all || k->remove_private_as_replace) {
        return remove_private(k, arena, path);
    }
    if (k->remove_private_as && path_is_private(*path, k->remote_as)) {
        *path = (struct as_path){0};
    }
    return true;
}

static bool override_as(const struct export_key *k, struct arena *arena, struct as_path *path) {
    uint32_t *words = arena_array(arena, (size_t)path->word_count + 1, sizeof *words);
    if (!words) {
        return false;
    }
    for (uint32_t i = 0; i < path->word_count;) {
        uint32_t count = path->words[i] & 0xffff;
        words[i] = path->words[i];
        i++;
        for (uint32_t end = i + count; i < end && i < path->word_count; i++) {
            words[i] = path->words[i] == k->remote_as ? k->local_as : path->words[i];
        }
    }
    path->words = words;
    return true;
}

/* RFC 5065 4 b: within the confederation the member AS goes in front, among its kind. */
static enum export_result make_confed_path(const struct export_key *k, struct arena *arena,
                                           struct attr_values *v) {
    if (!as_path_has_room(v->as_path, 1)) {
        return EXPORT_WITHHOLD;
    }
    return as_path_prepend_confed(v->as_path, k->local_as, arena, &v->as_path) ? EXPORT_SEND
                                                                               : EXPORT_NO_MEMORY;
}

/* RFC 7947 2.2: a route server's client gets routes of others as if it had a session with them. */
static bool passes_through(const struct export_key *k, const struct peer *source) {
    return k->transparent && source;
}

static enum export_result make_as_path(const struct bgp_speaker *s, const struct export_key *k,
                                       const struct peer *source, struct arena *arena,
                                       struct attr_values *v) {
    uint32_t own[2] = {k->local_as, k->speaker_as};
    /* RFC 7705: the local AS stands before the real one. BIRD: the session's AS is all there is. */
    bool both = k->local_as != k->speaker_as && !k->local_as_replaces && !speaker_is_bird(s);
    uint32_t count = both ? 2 : 1;
    if (!k->external) {
        return EXPORT_SEND;
    }
    if (k->confed) {
        return make_confed_path(k, arena, v);
    }
    if (!as_path_drop_confed(v->as_path, arena, &v->as_path)) { /* RFC 5065 4 c */
        return EXPORT_NO_MEMORY;
    }
    if (passes_through(k, source)) {
        return EXPORT_SEND;
    }
    if (!make_public(k, arena, &v->as_path)) {
        return EXPORT_NO_MEMORY;
    }
    if (k->as_override && !override_as(k, arena, &v->as_path)) {
        return EXPORT_NO_MEMORY;
    }
    if (!as_path_has_room(v->as_path, count)) {
        return EXPORT_WITHHOLD;
    }
    return as_path_prepend(v->as_path, own, count, arena, &v->as_path) ? EXPORT_SEND
                                                                       : EXPORT_NO_MEMORY;
}

/* ---- NEXT_HOP ---- */

/* Our address as next hop of a family; not set: we have none. */
static struct ip_addr self_address(const struct export_key *k, enum bgp_family f) {
    if (f == BGP_IPV4_UNICAST) { /* RFC 8950: the session's own address, where that is IPv6 */
        bool usable = k->local_addr.family == IP_V4 || k->extended_next_hop;
        return usable ? k->local_addr : (struct ip_addr){0};
    }
    if (k->local_addr.family == IP_V4) { /* RFC 4291 2.5.5.2, as IOS does */
        uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};
        memcpy(&mapped[12], k->local_addr.bytes, 4);
        return ip6(mapped);
    }
    return k->local_addr;
}

static bool is_peer_address(const struct bgp_speaker *s, struct ip_addr a) {
    for (uint32_t i = 0; i < s->peer_count; i++) {
        if (ip_equal(speaker_peer(s, s->peer_order[i])->config->remote_addr, a)) {
            return true;
        }
    }
    return false;
}

/* RFC 4271 5.1.3 2: a router of the shared subnet, but never the receiver itself. The source's own
 * address is safe, because the source gets nothing back. */
static bool is_third_party(const struct bgp_speaker *s, const struct export_key *k,
                           const struct peer *source, struct ip_addr next_hop) {
    if (!source || k->subnet == 0 || nexthop_connected(s, next_hop) != k->subnet) {
        return false;
    }
    return ip_equal(next_hop, source->config->remote_addr) || !is_peer_address(s, next_hop);
}

static bool next_hop_is_self(const struct bgp_speaker *s, const struct export_key *k,
                             const struct peer *source, struct ip_addr next_hop) {
    if (!ip_is_set(next_hop)) {
        return true;
    }
    /* RFC 2545 3, 4291 2.5.6: beyond the link it was learned on, a link-local one means nothing. */
    bool on_link = next_hop.family == IP_V6 && ip_is_link_local(next_hop);
    if (!source) { /* BIRD: inside, a static route's gateway is its next hop, and if kept outside */
        bool kept = !is_outside(k) || (speaker_is_bird(s) && k->next_hop_mode == BGP_NEXT_HOP_KEEP);
        return !kept || on_link || k->next_hop_mode == BGP_NEXT_HOP_SELF ||
               k->next_hop_mode == BGP_NEXT_HOP_SELF_ALL;
    }
    switch ((enum bgp_next_hop_mode)k->next_hop_mode) {
    case BGP_NEXT_HOP_AUTO:
        return !passes_through(k, source) &&
               (on_link || (is_outside(k) && !is_third_party(s, k, source, next_hop)));
    case BGP_NEXT_HOP_SELF:
        return on_link || !is_reflected(k, source);
    case BGP_NEXT_HOP_SELF_ALL:
        return true;
    case BGP_NEXT_HOP_KEEP:
        return false;
    }
    return true;
}

static void make_next_hop(const struct bgp_speaker *s, const struct export_key *k,
                          const struct peer *source, const struct adjout_route *r,
                          struct attr_values *v) {
    enum bgp_family f = rib_prefix_family(r->prefix);
    v->link_local = (struct ip_addr){0}; /* RFC 2545 3: only of the shared link, which it left */
    if (ip_is_set(r->next_hop)) {
        v->next_hop = r->next_hop;
    } else if (next_hop_is_self(s, k, source, v->next_hop)) {
        v->next_hop = self_address(k, f);
    }
}

/* ---- the rest of the attributes ---- */

static bool reflect(const struct bgp_speaker *s, const struct peer *source, struct arena *arena,
                    struct attr_values *v) {
    uint32_t *list = arena_array(arena, (size_t)v->cluster_count + 1, sizeof *list);
    if (!list) {
        return false;
    }
    list[0] = s->cluster_id;
    if (v->cluster_count) {
        memcpy(list + 1, v->cluster_list, v->cluster_count * sizeof *list);
    }
    v->cluster_list = list;
    v->cluster_count++;
    if (!v->has_originator_id) { /* RFC 4456 8: never overwritten */
        v->has_originator_id = true;
        v->originator_id = source->remote_id;
    }
    return true;
}

/* RFC 4360 6: the second bit of the type says non-transitive across ASes. */
static bool drop_local_communities(struct arena *arena, struct attr_values *v) {
    uint64_t *list = arena_array(arena, (size_t)v->ext_community_count + 1, sizeof *list);
    uint32_t kept = 0;
    if (!list) {
        return false;
    }
    for (uint32_t i = 0; i < v->ext_community_count; i++) {
        if (!(v->ext_communities[i] >> 62 & 1)) {
            list[kept++] = v->ext_communities[i];
        }
    }
    v->ext_communities = kept ? list : NULL;
    v->ext_community_count = kept;
    return true;
}

/* What a session must not carry goes, after policy too. */
static bool strip(const struct export_key *k, struct arena *arena, struct attr_values *v) {
    if (!k->send_communities) {
        v->communities = NULL;
        v->community_count = 0;
        v->large_communities = NULL;
        v->large_community_count = 0;
    }
    if (!k->send_ext_communities) {
        v->ext_communities = NULL;
        v->ext_community_count = 0;
    }
    if (!k->external) {
        return true;
    }
    v->has_originator_id = false;
    v->originator_id = 0;
    v->cluster_list = NULL;
    v->cluster_count = 0;
    if (k->confed) {
        return true;
    }
    v->has_local_pref = false;
    v->local_pref = 0;
    return v->ext_community_count == 0 || drop_local_communities(arena, v);
}

/* RFC 8326 4.1: our side of the session is about to go down. */
static bool add_graceful_shutdown(struct arena *arena, struct attr_values *v) {
    uint32_t *list = arena_array(arena, (size_t)v->community_count + 1, sizeof *list);
    if (!list) {
        return false;
    }
    if (v->community_count) {
        memcpy(list, v->communities, v->community_count * sizeof *list);
    }
    list[v->community_count] = COMMUNITY_GRACEFUL_SHUTDOWN;
    v->community_count = community_sort(list, v->community_count + 1);
    v->communities = list;
    return true;
}

/* What all that goes to a session says, policy or not. False: no memory. */
static bool mark(const struct export_key *k, struct arena *arena, struct attr_values *v) {
    return otc_export(k->role, k->local_as, arena, v) &&
           (!k->graceful_shutdown || add_graceful_shutdown(arena, v));
}

static void default_local_pref(const struct export_key *k, struct attr_values *v) {
    if (!v->has_local_pref) {
        v->has_local_pref = true;
        v->local_pref = k->default_local_pref;
    }
}

/* ---- putting it together ---- */

struct passage {
    const struct bgp_speaker *s;
    const struct export_key *key;
    const struct policy_chain *chain;
    const struct peer *source;
    const struct adjout_route *route;
    enum bgp_family family;
    struct arena *arena;
    struct text *trace;
};

static enum export_result withhold(const struct passage *e, const char *why) {
    if (e->trace) {
        text_printf(e->trace, "not sent: %s\n", why);
    }
    return EXPORT_WITHHOLD;
}

static enum export_result run_policy(const struct passage *e, struct attr_values *v,
                                     bool *ret_next_hop_done) {
    bool no_memory = false;
    struct policy_route r = {.prefix = e->route->prefix,
                             .attrs = *v,
                             .source = e->route->source,
                             .interface = e->route->interface,
                             .metric = e->route->metric,
                             .external = e->key->external,
                             .arena = e->arena};
    if (e->key->deny[e->family]) {
        return withhold(e, "external session without export policy (RFC 8212)");
    }
    if (!policy_run(e->s->config, e->chain, &r, e->trace, &no_memory)) {
        return no_memory ? EXPORT_NO_MEMORY : EXPORT_WITHHOLD;
    }
    *v = r.attrs;
    if (r.next_hop_self) {
        v->next_hop = self_address(e->key, e->family);
    } else if (r.next_hop_peer) {
        v->next_hop = e->key->remote_addr;
    }
    *ret_next_hop_done =
        (r.next_hop_self || r.next_hop_peer || r.next_hop_keep) && ip_is_set(v->next_hop);
    return EXPORT_SEND;
}

/* BIRD: attributes first, then filters, which see the own AS in the path. */
static enum export_result pass_bird(const struct passage *e, struct attr_values *v) {
    bool done;
    make_next_hop(e->s, e->key, e->source, e->route, v);
    default_local_pref(e->key, v);
    enum export_result result = make_as_path(e->s, e->key, e->source, e->arena, v);
    return result == EXPORT_SEND ? run_policy(e, v, &done) : result;
}

static enum export_result pass_rfc(const struct passage *e, struct attr_values *v) {
    bool done = false;
    enum export_result result = run_policy(e, v, &done);
    if (result != EXPORT_SEND) {
        return result;
    }
    if (!done) {
        make_next_hop(e->s, e->key, e->source, e->route, v);
    }
    v->link_local = (struct ip_addr){0};
    default_local_pref(e->key, v);
    return make_as_path(e->s, e->key, e->source, e->arena, v);
}

static bool family_fits(const struct export_key *k, struct ip_addr next_hop, enum bgp_family f) {
    if (f == BGP_IPV4_UNICAST && k->extended_next_hop && next_hop.family == IP_V6) {
        return true;
    }
    return next_hop.family == (f == BGP_IPV4_UNICAST ? IP_V4 : IP_V6);
}

/* More octets than the message needs for them and any prefix. */
static size_t rough_size(const struct attr_values *v) {
    size_t rough = (size_t)v->as_path.word_count * 8 + (size_t)v->community_count * 4 +
                   (size_t)v->large_community_count * 12 + (size_t)v->ext_community_count * 8 +
                   (size_t)v->cluster_count * 4 + 200;
    for (uint32_t i = 0; i < v->unknown_count; i++) {
        rough += (size_t)v->unknown[i].size + 4;
    }
    return rough;
}

bool export_is_short(const struct attr_values *v) {
    return rough_size(v) < BGP_MESSAGE_SIZE_MAX;
}

/* RFC 8654 4: what does not fit into a message with its prefix is not sent. */
static enum export_result fits_message(const struct passage *e, const struct attr_values *v) {
    bool extended = e->key->extended_messages;
    size_t size = 0, size_max = extended ? BGP_MESSAGE_EXTENDED_MAX : BGP_MESSAGE_SIZE_MAX;
    if (rough_size(v) < size_max) {
        return EXPORT_SEND;
    }
    uint8_t *message = arena_alloc(e->arena, size_max);
    if (!message) {
        return EXPORT_NO_MEMORY;
    }
    const uint32_t path_id = 0;
    struct attr_encoding how = {.as4 = e->key->as4,
                                .family = e->family,
                                .extended = extended,
                                .path_ids = e->key->add_path[e->family] ? &path_id : NULL};
    bool fits = update_encode(v, &how, &e->route->prefix, 1, message, size_max, &size) == 1;
    if (fits) {
        return EXPORT_SEND;
    }
    withhold(e, "attributes do not fit into one message");
    return EXPORT_TOO_LONG;
}

enum export_result export_route(const struct bgp_speaker *s, const struct export_key *key,
                                const struct bgp_peer_options *peer, const struct adjout_route *r,
                                struct arena *arena, struct text *trace,
                                struct attr_values *ret_values) {
    const struct passage e = {.s = s,
                              .key = key,
                              .chain = &peer->export[rib_prefix_family(r->prefix)],
                              .source = speaker_peer(s, r->source_peer),
                              .route = r,
                              .family = rib_prefix_family(r->prefix),
                              .arena = arena,
                              .trace = trace};
    struct attr_values v = attr_get(&s->attrs, r->attrs)->v;
    v.link = 0; /* where it was learned is nothing that is said */
    const char *why = source_obstacle(key, e.source);
    why = why ? why : community_obstacle(key, &v);
    why = why ? why : condition_obstacle(s, peer, r, arena);
    why = why ? why : otc_export_obstacle(key->role, &v);
    if (!why && v.as_path.word_count + 2 > BGP_AS_PATH_MAX) {
        why = "AS_PATH is too long";
    }
    if (why || !key->families[e.family]) {
        return withhold(&e, why ? why : "the family is not negotiated");
    }
    /* RFC 4271 5.1.4: MED goes no further than one AS. */
    if (is_outside(key) && e.source && !passes_through(key, e.source)) {
        v.has_med = false;
        v.med = 0;
    }
    if (is_reflected(key, e.source) && !reflect(s, e.source, arena, &v)) {
        return EXPORT_NO_MEMORY;
    }
    enum export_result result = speaker_is_bird(s) ? pass_bird(&e, &v) : pass_rfc(&e, &v);
    if (result != EXPORT_SEND) {
        return result;
    }
    if (!strip(key, arena, &v) || !mark(key, arena, &v)) {
        return EXPORT_NO_MEMORY;
    }
    if (!family_fits(key, v.next_hop, e.family)) {
        return withhold(&e, "no next hop of the prefix's family");
    }
    result = fits_message(&e, &v);
    if (result == EXPORT_SEND) {
        *ret_values = v;
    }
    return result;
}

bool export_spares(const struct bgp_speaker *s, uint32_t source) {
    return source == 0 || speaker_is_bird(s);
}

enum export_result export_default(const struct bgp_speaker *s, const struct export_key *key,
                                  enum bgp_family f, struct arena *arena,
                                  struct attr_values *ret_values) {
    struct attr_values v = {.next_hop = self_address(key, f)};
    if (!family_fits(key, v.next_hop, f)) {
        return EXPORT_WITHHOLD;
    }
    enum export_result result = make_as_path(s, key, NULL, arena, &v);
    if (result != EXPORT_SEND) {
        return result;
    }
    if (!is_outside(key)) {
        default_local_pref(key, &v);
    }
    if (!mark(key, arena, &v)) {
        return EXPORT_NO_MEMORY;
    }
    *ret_values = v;
    return EXPORT_SEND;
}
