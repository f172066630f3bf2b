/*
 * What comes in: a peer's UPDATE becomes paths.
 *
 * Owns the way from a decoded UPDATE to rib_path_put and rib_path_remove: checks that concern all
 * prefixes of the message (loops, next hop, first AS), the import policy per prefix, prefix limits,
 * staleness. Leaves decoding and RFC 7606 to update.c, the decision to rib.c.
 *
 * RFC 4271 4.3: what an UPDATE withdraws and announces, it announces.
 *
 * Invariants: a path that cannot be used, or that policy refuses, replaces the one held before: it
 * is either kept as rejected (soft reconfiguration) or the held one is withdrawn. Nothing a remote
 * sends can make more than one path per prefix, peer and path identifier, and of those not
 * more than configured.
 * RFC 4271 6.3, 9.1.2; 4456 8; 4724 4.2; 7313; 8212.
 */
#include "rib.h"

#include "../base/arena.h"
#include "dampening.h"
#include "nexthop.h"
#include "nlri.h"
#include "otc.h"
#include "own_addr.h"
#include "tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HANDFUL 16 /* prefixes looked for at a time */

/* ---- obstacles ---- */

/* RFC 4271 6.3 a: also asked of what is held as received. */
static bool next_hop_is_bad(const struct bgp_speaker *s, const struct peer *p, struct ip_addr a) {
    if (!ip_is_set(a) || !update_next_hop_usable(a)) {
        return true;
    }
    return ip_equal(a, own_addr_get(s, p->own_addr)) ||
           (p->external && ip4_to_u32(a) == s->router_id);
}

static bool own_as_loops(const struct bgp_speaker *s, const struct peer *p, struct as_path path) {
    uint32_t allowed = p->config->options->allow_local_as;
    uint32_t confederation = s->config->confederation_id;
    if (as_path_count(path, s->config->local_as) > allowed ||
        (confederation && as_path_count(path, confederation) > allowed)) {
        return true;
    }
    return p->config->options->local_as && p->config->options->local_as != s->config->local_as &&
           as_path_count(path, p->config->options->local_as) > allowed;
}

/* BIRD: the cluster id is a setting of sessions with clients; the others have none to look for. */
static bool cluster_loops(const struct bgp_speaker *s, const struct peer *p,
                          const struct attr_values *v) {
    if (s->profile->own_cluster_from_clients && !p->config->options->rr_client) {
        return false;
    }
    for (uint32_t i = 0; i < v->cluster_count; i++) {
        if (v->cluster_list[i] == s->cluster_id) {
            return true;
        }
    }
    return false;
}

const char *rib_import_obstacle(const struct bgp_speaker *s, const struct peer *p,
                                const struct attr_values *v) {
    if (next_hop_is_bad(s, p, v->next_hop)) {
        return "next hop is not usable";
    }
    if (own_as_loops(s, p, v->as_path)) {
        return "own AS in AS_PATH";
    }
    if (!p->external && v->has_originator_id && v->originator_id == s->router_id) {
        return "own router id as ORIGINATOR_ID";
    }
    if (!p->external && cluster_loops(s, p, v)) {
        return "own cluster id in CLUSTER_LIST";
    }
    if (p->confed && as_path_confed_neighbor(v->as_path) != p->config->remote_as) {
        return "AS_PATH does not begin with the member AS of the peer (RFC 5065)";
    }
    if (peer_is_outside(p) && p->config->options->enforce_first_as &&
        as_path_neighbor(v->as_path) != p->config->remote_as) {
        return "first AS of AS_PATH is not the peer's";
    }
    return peer_is_outside(p)
               ? otc_import_obstacle(p->config->options->role, p->config->remote_as, v)
               : NULL;
}

bool rib_policy_missing(const struct bgp_speaker *s, const struct peer *p,
                        const struct policy_chain *chain) {
    return peer_is_outside(p) && s->profile->default_deny_external && chain->count == 0 &&
           !chain->accept_by_default; /* who accepts everything has said so */
}

/* ---- one UPDATE ---- */

struct import_verdict {
    uint32_t attrs; /* 0: the path is not kept */
    uint32_t weight;
    bool rejected, no_memory;
};

/* A path that an UPDATE announces. */
struct announced {
    struct ip_prefix prefix;
    uint32_t path_id;
};

struct import {
    struct bgp_speaker *s;
    struct peer *p;
    enum bgp_family family;
    struct nanotime now;
    struct attr_values values; /* of all prefixes, before policy */
    uint32_t base;             /* the same interned; one reference is ours */
    uint32_t raw;              /* with soft reconfiguration: as received; one reference is ours */
    uint8_t epoch;             /* of the paths */
    bool unusable;
    bool no_memory;
    bool again;                    /* what is held is run through policy again: no flaps */
    bool by_prefix;                /* policy looks at prefixes */
    bool judged;                   /* it does not, and has been asked: */
    struct import_verdict verdict; /* one reference to its attributes is ours */
    struct announced *announced;   /* of an UPDATE that withdraws, too: sorted */
    uint32_t announced_count;
};

/* None of a session that has ended. */
static uint32_t find_path(const struct import *im, struct ip_prefix prefix, uint32_t path_id,
                          uint32_t *ret_entry) {
    const struct bgp_speaker *s = im->s;
    uint32_t entry = *ret_entry = rib_entry_find(s, im->family, prefix);
    uint32_t path =
        entry ? rib_path_find(s, im->family, entry, im->p->index, ROUTE_SOURCE_BGP, path_id) : 0;
    bool gone = path && rib_path_state(s, im->family, rib_path_at(s, path)) == RIB_EPOCH_GONE;
    return gone ? 0 : path;
}

/* Was there one? */
static bool withdraw_prefix(struct import *im, struct ip_prefix prefix, uint32_t path_id) {
    uint32_t entry, path = find_path(im, prefix, path_id, &entry);
    if (path) {
        rib_path_remove(im->s, im->family, entry, path);
    }
    return path != 0;
}

/* The path held of this peer, if it is accepted; 0: none. What is only kept over its restart (RFC
 * 4724 4.2) is none: the end of a session is no flap, nor is what the next one begins with. */
static uint32_t accepted_path(const struct import *im, struct ip_prefix prefix, uint32_t path_id) {
    const struct bgp_speaker *s = im->s;
    uint32_t entry = rib_entry_find(s, im->family, prefix);
    uint32_t path =
        entry ? rib_path_find(s, im->family, entry, im->p->index, ROUTE_SOURCE_BGP, path_id) : 0;
    const struct rib_path *p = path ? rib_path_at(s, path) : NULL;
    if (!p || p->flags & RIB_PATH_REJECTED || rib_path_doomed(s, im->family, p)) {
        return 0;
    }
    bool kept =
        im->p->restarting[im->family] && rib_path_state(s, im->family, p) == RIB_EPOCH_STALE;
    return kept ? 0 : path;
}

/* RFC 2439: the peer itself takes the route back. */
static void note_withdrawal(const struct import *im, struct ip_prefix prefix, uint32_t path_id) {
    uint32_t path = im->s->dampening ? accepted_path(im, prefix, path_id) : 0;
    if (path) {
        dampening_withdrawn(im->s, im->p, prefix, path_id, rib_path_at(im->s, path)->attrs,
                            im->now);
    }
}

/* RFC 2439: is the route, announced with `attrs`, held back? What a refresh says again (RFC 7313 4)
 * is compared with nothing: as a rule it was our policy that changed, and we asked for it. */
static bool is_damped(const struct import *im, struct ip_prefix prefix, uint32_t path_id,
                      uint32_t attrs) {
    if (!im->s->dampening) {
        return false;
    }
    uint32_t path = im->again ? 0 : accepted_path(im, prefix, path_id);
    if (path && rib_path_state(im->s, im->family, rib_path_at(im->s, path)) == RIB_EPOCH_STALE) {
        path = 0;
    }
    return dampening_announced(im->s, im->p, prefix, path_id, attrs,
                               path ? rib_path_at(im->s, path)->attrs : 0, im->now);
}

/* RFC 2545 3: a link-local next hop is one of the link it was learned on. */
static uint32_t link_of(const struct import *im, struct ip_addr next_hop) {
    return nexthop_has_link(next_hop) ? own_addr_link(im->s, im->p->own_addr) : 0;
}

static bool run_import_policy(const struct import *im, struct policy_route *r,
                              bool *ret_no_memory) {
    const struct policy_chain *chain = &im->p->config->options->import[im->family];
    if (rib_policy_missing(im->s, im->p, chain)) {
        return false;
    }
    if (!policy_run(im->s->config, chain, r, NULL, ret_no_memory)) {
        return false;
    }
    if (r->next_hop_peer && !ip_equal(r->attrs.next_hop, im->p->config->remote_addr)) {
        r->attrs.next_hop = im->p->config->remote_addr;
        r->attrs.link_local = (struct ip_addr){0}; /* of another router */
    }
    if (!ip_equal(r->attrs.next_hop, im->values.next_hop)) {
        r->attrs.link = link_of(im, r->attrs.next_hop);
    }
    return true;
}

/* Interns what policy made of the attributes; usually nothing, and then it is the base. */
static uint32_t intern_result(const struct import *im, const struct attr_values *v) {
    if (memcmp(v, &im->values, sizeof *v) == 0) {
        attr_hold(&im->s->attrs, im->base);
        return im->base;
    }
    return attr_intern(&im->s->attrs, v);
}

/* RFC 7911 does not bound how many paths a peer sends of one prefix; we do. What is kept over its
 * restart (RFC 4724 4.2) takes no room from what it says now, under other identifiers perhaps. */
static bool too_many_paths(const struct import *im, struct ip_prefix prefix, uint32_t path_id) {
    const struct bgp_speaker *s = im->s;
    uint32_t entry = rib_entry_find(s, im->family, prefix), count = 0;
    uint32_t max = im->p->config->options->add_path_receive_max[im->family];
    for (uint32_t i = entry ? rib_entry_at(s, im->family, entry)->paths : 0; i;
         i = rib_path_at(s, i)->next) {
        const struct rib_path *path = rib_path_at(s, i);
        bool own = path->peer == im->p->index && !rib_path_doomed(s, im->family, path);
        if (own && rib_side_get(&s->rib->ids, i) == path_id) {
            return false;
        }
        bool kept =
            im->p->restarting[im->family] && rib_path_state(s, im->family, path) == RIB_EPOCH_STALE;
        count += own && !kept;
    }
    return count >= (max ? max : BGP_ADD_PATH_IDS);
}

/* What policy makes of a prefix; one reference to `attrs` is the caller's. */
static struct import_verdict judge(const struct import *im, struct ip_prefix prefix) {
    struct import_verdict verdict = {.attrs = 0};
    struct policy_route r = {.prefix = prefix,
                             .attrs = im->values,
                             .source = ROUTE_SOURCE_BGP,
                             .interface = "",
                             .metric = UINT32_MAX,
                             .weight = im->p->config->options->weight,
                             .external = im->p->external,
                             .arena = im->s->scratch};
    bool passes = !im->unusable && run_import_policy(im, &r, &verdict.no_memory);
    verdict.rejected = !passes;
    verdict.weight = r.weight;
    if (!verdict.no_memory && (passes || im->p->config->options->soft_reconfiguration)) {
        verdict.attrs = intern_result(im, passes ? &r.attrs : &im->values);
        verdict.no_memory = verdict.attrs == 0;
    }
    return verdict;
}

/* The same, found once for all prefixes where policy does not look at them. */
static struct import_verdict verdict_of(struct import *im, struct ip_prefix prefix) {
    if (im->by_prefix) {
        return judge(im, prefix);
    }
    if (!im->judged) {
        im->verdict = judge(im, prefix);
        im->judged = !im->verdict.no_memory;
    }
    if (im->verdict.attrs) {
        attr_hold(&im->s->attrs, im->verdict.attrs);
    }
    return im->verdict;
}

static void import_prefix(struct import *im, struct ip_prefix prefix, uint32_t path_id) {
    struct bgp_speaker *s = im->s;
    bool several = im->p->add_path[im->family] & BGP_ADD_PATH_RECEIVE;
    if (several && too_many_paths(im, prefix, path_id)) {
        return;
    }
    const struct import_verdict verdict = verdict_of(im, prefix);
    if (!verdict.attrs) {
        bool had = withdraw_prefix(im, prefix, path_id);
        im->no_memory = im->no_memory || verdict.no_memory;
        if (!im->again) {
            tally_received(s, im->p, im->family, false, had);
        }
        return;
    }
    uint32_t entry;
    if (s->tally && !im->again) {
        tally_received(s, im->p, im->family, !verdict.rejected,
                       find_path(im, prefix, path_id, &entry) != 0);
    }
    struct rib_path_values v = {.attrs = verdict.attrs,
                                .peer = im->p->index,
                                .path_id = path_id,
                                .weight = verdict.weight,
                                .source = ROUTE_SOURCE_BGP,
                                .epoch = im->epoch,
                                .rejected = verdict.rejected};
    v.damped = !verdict.rejected && is_damped(im, prefix, path_id, verdict.attrs);
    if (im->p->config->options->soft_reconfiguration) {
        v.raw = im->raw;
        attr_hold(&s->attrs, v.raw);
    }
    if (!rib_path_put(s, im->family, prefix, &v, im->now)) {
        im->no_memory = true;
        (void)withdraw_prefix(im, prefix, path_id);
    }
}

/* RFC 8326 4.2: nobody's first choice any more. */
static void prepare_shutdown(const struct bgp_speaker *s, struct attr_values *v) {
    if (s->config->graceful_shutdown_receive &&
        attr_has_community(v, COMMUNITY_GRACEFUL_SHUTDOWN)) {
        v->has_local_pref = true;
        v->local_pref = 0;
    }
}

bool rib_import_prepare(const struct bgp_speaker *s, const struct peer *p, struct arena *arena,
                        struct attr_values *v) {
    const struct bgp_peer_options *o = p->config->options;
    /* BIRD: LOCAL_PREF is there from the start, so that filters can look at it. */
    if (speaker_is_bird(s) && !v->has_local_pref) {
        v->has_local_pref = true;
        v->local_pref = s->config->default_local_pref;
    }
    if (p->external) {
        prepare_shutdown(s, v);
    }
    /* RFC 9234 5: no member AS of a confederation is to be seen in it. */
    if (peer_is_outside(p) && !otc_import(o->role, p->config->remote_as, arena, v)) {
        return false;
    }
    /* IOS: neighbor local-as stands in the paths that come in too. */
    if (peer_is_outside(p) && o->local_as && o->local_as != s->config->local_as &&
        !o->local_as_no_prepend && !speaker_is_bird(s)) {
        return as_path_prepend(v->as_path, &o->local_as, 1, arena, &v->as_path);
    }
    return true;
}

/* From im->values as received; takes over one reference to `raw` (0: not kept). */
static bool import_values(struct import *im, uint32_t raw) {
    im->raw = raw;
    im->unusable = rib_import_obstacle(im->s, im->p, &im->values) != NULL;
    if (!rib_import_prepare(im->s, im->p, im->s->scratch, &im->values)) {
        im->unusable = true; /* longer than BGP_AS_PATH_MAX */
    }
    im->by_prefix =
        policy_looks_at_prefix(im->s->config, &im->p->config->options->import[im->family]);
    im->judged = false;
    im->base = attr_intern(&im->s->attrs, &im->values);
    if (!im->base) {
        attr_release(&im->s->attrs, raw);
    }
    return im->base != 0;
}

static void import_end(const struct import *im) {
    attr_release(&im->s->attrs, im->judged ? im->verdict.attrs : 0);
    attr_release(&im->s->attrs, im->base);
    attr_release(&im->s->attrs, im->raw);
}

static bool import_begin(struct import *im, const struct attr_values *v, struct ip_addr next_hop,
                         struct ip_addr link_local) {
    im->values = *v;
    im->values.next_hop = next_hop;
    im->values.link_local = link_local;
    im->values.link = link_of(im, next_hop);
    bool keep = im->p->config->options->soft_reconfiguration;
    uint32_t raw = keep ? attr_intern(&im->s->attrs, &im->values) : 0;
    return (raw || !keep) && import_values(im, raw);
}

/* ---- limits ---- */

static void push_limit(struct bgp_speaker *s, const struct peer *p, enum bgp_family f,
                       enum bgp_log_id id) {
    struct bgp_event e = {.kind = BGP_EVENT_LOG, .peer = {p->index}};
    e.log.id = id;
    e.log.value1 = rib_limited_count(s, p, f);
    e.log.value2 = p->config->options->prefix_max[f];
    e.log.address = p->config->remote_addr;
    e.log.family = f;
    event_push(s, &e);
}

/* True: the session must end. `before`: how many paths were held before this list. */
static bool over_limit(struct bgp_speaker *s, struct peer *p, enum bgp_family f, uint32_t before) {
    uint64_t limit = p->config->options->prefix_max[f], count = rib_limited_count(s, p, f);
    if (limit == 0 || count == 0) {
        return false;
    }
    struct rib_peer *held = rib_peer_at(s, p->routes);
    uint64_t threshold = limit * p->config->options->prefix_warning_percent; /* in hundredths */
    bool warn = threshold && count * 100 >= threshold;
    if (warn && !(held->warned[f] && before * UINT64_C(100) >= threshold)) {
        push_limit(s, p, f, BGP_LOG_PREFIX_WARNING);
    }
    held->warned[f] = warn;
    /* What ends a session is always said, also when the limit was lowered below what is held. */
    if (count > limit && (before <= limit || !p->config->options->prefix_warning_only)) {
        push_limit(s, p, f, BGP_LOG_PREFIX_EXCEEDED);
    }
    return count > limit && !p->config->options->prefix_warning_only;
}

bool rib_over_changed_limit(struct bgp_speaker *s, struct peer *p, enum bgp_family f) {
    return over_limit(s, p, f, 0);
}

/* Some prefixes of a list. Their places in the index are far apart: all are fetched at a time. */
struct handful {
    struct ip_prefix prefix[HANDFUL];
    uint32_t path_id[HANDFUL];
    uint32_t count;
};

static bool take_handful(const struct bgp_speaker *s, const struct bgp_nlri *list, uint32_t *at,
                         struct handful *h) {
    h->count = 0;
    while (h->count < HANDFUL &&
           nlri_next_path(list, at, &h->prefix[h->count], &h->path_id[h->count])) {
        if (!nlri_is_martian(&h->prefix[h->count])) {
            rib_entry_prefetch(s, list->family, &h->prefix[h->count++]);
        }
    }
    return h->count > 0;
}

static int announced_order(const void *a, const void *b) {
    const struct announced *x = a, *y = b;
    int order = ip_prefix_compare(x->prefix, y->prefix);
    return order ? order : (x->path_id > y->path_id) - (x->path_id < y->path_id);
}

/* `list` NULL: only counts them. */
static uint32_t announced_take(const struct bgp_update *u, struct announced *list) {
    struct announced one;
    uint32_t count = 0;
    for (uint8_t i = 0; i < u->announced_count; i++) {
        for (uint32_t at = 0; nlri_next_path(&u->announced[i], &at, &one.prefix, &one.path_id);
             count++) {
            if (list) {
                list[count] = one;
            }
        }
    }
    return count;
}

/* Sorted, since an UPDATE may have thousands of both. Without memory none are known. */
static void announced_note(struct import *im, const struct bgp_update *u) {
    uint32_t count = announced_take(u, NULL);
    struct announced *list = arena_array(im->s->scratch, count, sizeof *list);
    if (list) {
        im->announced_count = announced_take(u, list);
        qsort(list, count, sizeof *list, announced_order);
    }
    im->announced = list;
}

/* RFC 4271 4.3: the withdrawal is none. Without memory to tell, what goes comes again. */
static bool is_announced(const struct import *im, struct ip_prefix prefix, uint32_t path_id) {
    const struct announced key = {prefix, path_id};
    uint32_t low = 0, high = im->announced_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = announced_order(&im->announced[middle], &key);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

static void import_list(struct import *im, const struct bgp_nlri *list, bool withdraw) {
    struct handful h;
    for (uint32_t at = 0; take_handful(im->s, list, &at, &h);) {
        for (uint32_t i = 0; i < h.count; i++) {
            if (!withdraw) {
                import_prefix(im, h.prefix[i], h.path_id[i]);
                continue;
            }
            if (is_announced(im, h.prefix[i], h.path_id[i])) {
                continue;
            }
            note_withdrawal(im, h.prefix[i], h.path_id[i]);
            if (withdraw_prefix(im, h.prefix[i], h.path_id[i])) {
                tally_withdrawn(im->s, im->p, im->family);
            }
        }
    }
}

static void push_no_memory(struct bgp_speaker *s, const struct peer *p) {
    struct bgp_event e = {.kind = BGP_EVENT_LOG, .peer = {p->index}};
    e.log.id = BGP_LOG_NO_MEMORY;
    e.log.address = p->config->remote_addr;
    event_push(s, &e);
}

void rib_update(struct bgp_speaker *s, struct peer *p, const struct bgp_update *u,
                struct nanotime now, bool *ret_over_limit, enum bgp_family *ret_family) {
    assert(u->outcome != BGP_OUTCOME_SESSION_RESET);
    struct import im = {.s = s, .p = p, .epoch = RIB_EPOCH_NOW, .now = now};
    bool withdraw_all = u->outcome == BGP_OUTCOME_TREAT_AS_WITHDRAW;
    *ret_over_limit = false;
    if (u->withdrawn_count && u->announced_count) {
        announced_note(&im, u);
    }
    for (uint8_t i = 0; i < u->withdrawn_count; i++) {
        im.family = u->withdrawn[i].family;
        import_list(&im, &u->withdrawn[i], true);
    }
    im.announced_count = 0; /* what cannot be taken in goes */
    for (uint8_t i = 0; i < u->announced_count; i++) {
        im.family = u->announced[i].family;
        uint32_t before = rib_limited_count(s, p, im.family);
        bool begun =
            !withdraw_all && import_begin(&im, &u->attrs, u->next_hop[i], u->link_local[i]);
        im.no_memory = im.no_memory || (!withdraw_all && !begun);
        import_list(&im, &u->announced[i], !begun);
        if (begun) {
            import_end(&im);
        }
        if (over_limit(s, p, im.family, before)) {
            *ret_over_limit = true;
            *ret_family = im.family;
        }
    }
    if (im.no_memory) {
        push_no_memory(s, p);
    }
}

/* ---- running policy again ---- */

bool rib_import_again(struct bgp_speaker *s, struct peer *p, enum bgp_family f, uint32_t entry,
                      uint32_t path, struct nanotime now) {
    struct import im = {.s = s, .p = p, .family = f, .now = now, .again = true};
    uint32_t raw = rib_side_get(&s->rib->raw, path);
    uint32_t path_id = rib_side_get(&s->rib->ids, path);
    if (!raw) {
        return false;
    }
    im.epoch = rib_path_epoch(rib_path_at(s, path));
    attr_hold(&s->attrs, raw);
    im.values = attr_get(&s->attrs, raw)->v;
    if (import_values(&im, raw)) {
        import_prefix(&im, rib_entry_prefix(s, f, entry), path_id);
        import_end(&im);
    } else {
        im.no_memory = true; /* the path stays as it is */
    }
    arena_reset(s->scratch);
    if (im.no_memory) {
        push_no_memory(s, p);
    }
    return true;
}
