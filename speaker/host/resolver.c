/*
 * BGP next hops, resolved through the kernel's table (RFC 4271 9.1.2.1).
 *
 * Owns the set of tracked next hops and their routes. A next hop is asked for when the speaker
 * first wants it and again, all in one batch, when something that is not ours changes in the
 * kernel.
 *
 * A next hop never resolves through a BGP route: where the kernel's answer is one of ours, the
 * longest route beneath it decides. A BGP route that covers its own next hop could otherwise switch
 * itself off and on for ever. Only unicast routes count: our own addresses, blackholes and
 * prohibitions make a next hop unreachable. Behind an own static route with a gateway it is the
 * gateway that is asked for. A next hop with a link (RFC 2545 3) is asked for on that interface and
 * no other, for every interface has its fe80::/64; without a link of ours it is unreachable.
 *
 * The array is dense; removing moves the last one, so indices mean nothing between calls.
 */
#include "resolver.h"

#include "../base/arena.h"
#include "../base/hash.h"
#include "../base/table.h"
#include "host.h"
#include "log.h"
#include "netlink.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

struct resolver {
    struct host *host;
    struct resolver_route *hops;
    uint32_t count, capacity;
    struct table index;    /* by address and link; values are place + 1 */
    bool pending;          /* some are not known */
    uint32_t unknown_from; /* all before this place are known */
    struct netlink_batch batch;
};

static uint64_t hop_hash(struct bgp_next_hop h) {
    return hash_bytes(&h.addr, sizeof h.addr, h.link);
}

static bool hop_equal(const void *context, uint32_t index, const void *key) {
    const struct resolver *n = context;
    const struct bgp_next_hop *a = &n->hops[index - 1].hop, *b = key;
    return a->link == b->link && ip_equal(a->addr, b->addr);
}

struct resolver *resolver_new(struct host *h) {
    struct resolver *n = alloc_zero(1, sizeof *n);
    if (n) {
        n->host = h;
        table_init(&n->index);
    }
    return n;
}

void resolver_free(struct resolver *n) {
    if (!n)
        return;
    table_deinit(&n->index);
    alloc_free(n->hops);
    alloc_free(n);
}

static struct resolver_route *find(const struct resolver *n, struct bgp_next_hop hop) {
    uint32_t at = table_find(&n->index, hop_hash(hop), hop_equal, n, &hop);
    if (!at)
        return NULL;
    assert(n->hops && at <= n->count);
    return &n->hops[at - 1];
}

const struct resolver_route *resolver_find(const struct resolver *n, struct bgp_next_hop hop) {
    return find(n, hop);
}

static bool add(struct resolver *n, struct bgp_next_hop hop) {
    if (n->count == n->capacity) {
        uint32_t capacity = n->capacity ? n->capacity * 2 : 16;
        struct resolver_route *grown = alloc_resize(n->hops, capacity, sizeof *grown);
        if (!grown)
            return false;
        n->hops = grown;
        n->capacity = capacity;
    }
    n->hops[n->count] = (struct resolver_route){.hop = hop};
    if (!table_insert(&n->index, hop_hash(hop), n->count + 1))
        return false;
    n->count++;
    n->pending = true; /* unknown_from is not behind it */
    return true;
}

static void drop(struct resolver *n, struct resolver_route *hop) {
    uint32_t at = (uint32_t)(hop - n->hops);
    table_remove(&n->index, hop_hash(hop->hop), at + 1);
    if (--n->count < n->unknown_from)
        n->unknown_from = n->count;
    if (n->count == at)
        return;
    struct bgp_next_hop moved = n->hops[n->count].hop;
    table_remove(&n->index, hop_hash(moved), n->count + 1);
    n->hops[at] = n->hops[n->count];
    if (at < n->unknown_from && !n->hops[at].known)
        n->unknown_from = at;
    if (!table_insert(&n->index, hop_hash(moved), at + 1))
        log_line(n->host->log, "no_memory", NULL, "next hop index");
}

static void ask_again(struct resolver *n, uint32_t at) {
    n->pending = true;
    if (at < n->unknown_from)
        n->unknown_from = at;
}

void resolver_track(struct resolver *n, struct bgp_next_hop hop, bool wanted) {
    struct resolver_route *known = find(n, hop);
    if (known && !wanted) {
        drop(n, known);
    } else if (known) { /* wanted anew before it was unwanted: the speaker forgot the answer */
        known->known = known->told = false;
        ask_again(n, (uint32_t)(known - n->hops));
    } else if (wanted && !add(n, hop)) {
        log_line(n->host->log, "no_memory", NULL, "next hop");
        bgp_nexthop_set_on_link(n->host->speaker, hop, false, 0, loop_now());
    }
}

void resolver_invalidate(struct resolver *n) {
    for (uint32_t i = 0; i < n->count; i++)
        n->hops[i].known = false;
    n->unknown_from = 0;
    n->pending = n->count > 0;
}

void resolver_settled(struct resolver *n) {
    for (uint32_t i = 0; i < n->count; i++)
        n->hops[i].changed = false;
}

/* ---- asking ---- */

/* What the kernel says of one batch; found routes by place in the batch. */
struct answers {
    struct netlink_route routes[NETLINK_BATCH_MAX];
    bool found[NETLINK_BATCH_MAX];
};

static void on_answer(void *context, uint32_t index, const struct nlmsghdr *m) {
    struct answers *a = context;
    a->found[index] = netlink_parse_route(m, &a->routes[index]);
}

/* The longest route to `addr` that is not ours. */
struct beneath {
    struct ip_addr addr;
    uint32_t interface; /* 0: any */
    struct netlink_route best;
    bool found;
};

static void on_route(void *context, const struct nlmsghdr *m) {
    struct beneath *b = context;
    struct netlink_route r;
    if (!netlink_parse_route(m, &r) || r.protocol == RTPROT_BIRD ||
        (r.table != RT_TABLE_MAIN && r.table != RT_TABLE_LOCAL) ||
        (b->interface && r.hop.interface != b->interface) ||
        !ip_prefix_contains_addr(r.prefix, b->addr))
        return;
    if (b->found && (r.prefix.length < b->best.prefix.length ||
                     (r.prefix.length == b->best.prefix.length && r.metric >= b->best.metric)))
        return;
    b->best = r;
    b->found = true;
}

/* Also where the dump is cut short or changed under our hands: the next change asks again. */
static bool look_beneath(struct resolver *n, struct ip_addr addr, uint32_t interface,
                         struct netlink_route *ret_route) {
    struct beneath b = {.addr = addr, .interface = interface};
    netlink_dump(n->host->netlink, RTM_GETROUTE, addr.family == IP_V6 ? AF_INET6 : AF_INET,
                 on_route, &b);
    if (b.found)
        *ret_route = b.best;
    return b.found;
}

/* What the kernel is asked for: the next hop itself, or the gateway of the own route it is behind.
 */
static struct ip_addr asked_for(const struct resolver *n, struct bgp_next_hop hop) {
    const struct bgp_config *c = n->host->speaker ? bgp_config_of(n->host->speaker) : NULL;
    for (uint32_t i = 0; c && !hop.link && i < c->origin_count; i++)
        if (ip_is_set(c->origins[i].gateway) &&
            ip_prefix_contains_addr(c->origins[i].prefix, hop.addr))
            return c->origins[i].gateway;
    return hop.addr;
}

/* `asked`: asked_for(of). */
static struct resolver_route result(struct bgp_next_hop of, struct ip_addr asked,
                                    const struct netlink_route *r) {
    struct resolver_route hop = {.hop = of, .known = true, .answered = true};
    if (!r || r->type != RTN_UNICAST || r->hop.interface == 0)
        return hop;
    hop.reachable = true;
    hop.gateway = ip_is_set(r->hop.gateway) ? r->hop.gateway : asked;
    hop.interface = r->hop.interface;
    hop.metric = r->metric;
    hop.onlink = r->hop.onlink && ip_is_set(r->hop.gateway);
    return hop;
}

/* Puts a result in place and tells the speaker. */
static enum resolver_news settle(struct resolver *n, struct resolver_route *hop,
                                 struct resolver_route new) {
    bool same_route = hop->reachable == new.reachable && hop->interface == new.interface &&
                      hop->onlink == new.onlink &&ip_equal(hop->gateway, new.gateway);
    bool tell = !hop->told || hop->reachable != new.reachable || hop->metric != new.metric;
    new.told = n->host->speaker != NULL;
    bool first = !hop->answered;
    new.changed = hop->changed || !same_route;
    *hop = new;
    if (tell && n->host->speaker)
        bgp_nexthop_set_on_link(n->host->speaker, new.hop, new.reachable, new.metric, loop_now());
    return same_route ? RESOLVER_NOTHING : first ? RESOLVER_ANSWERED : RESOLVER_CHANGED;
}

static enum resolver_news graver(enum resolver_news a, enum resolver_news b) {
    return a > b ? a : b;
}

/* The kernel's answer to the i-th question; NULL: no way. */
static struct netlink_route *answer_to(struct resolver *n, struct answers *a, uint32_t i,
                                       struct ip_addr asked, uint32_t interface) {
    struct netlink_route *r = a->found[i] ? &a->routes[i] : NULL;
    bool ours = r && r->protocol == RTPROT_BIRD;
    return ours && !look_beneath(n, asked, interface, r) ? NULL : r;
}

/* One batch from `*at` on. */
static enum resolver_news resolve_batch(struct resolver *n, uint32_t *at) {
    static struct answers answers; /* large; used by one call at a time */
    uint32_t places[NETLINK_BATCH_MAX] = {0};
    enum resolver_news news = RESOLVER_NOTHING;
    memset(answers.found, 0, sizeof answers.found);
    netlink_batch_init(&n->batch);
    for (; *at < n->count && !netlink_batch_full(&n->batch); ++*at) {
        struct bgp_next_hop hop = n->hops[*at].hop;
        if (n->hops[*at].known)
            continue;
        if (hop.link == BGP_LINK_NONE)
            news = graver(news, settle(n, &n->hops[*at], result(hop, hop.addr, NULL)));
        else
            places[netlink_put_lookup(&n->batch, asked_for(n, hop), hop.link)] = *at;
    }
    if (!netlink_send(n->host->netlink, &n->batch, on_answer, &answers)) {
        log_line(n->host->log, "netlink_failed", NULL, "next hops: %s", strerror(errno));
        n->unknown_from = 0;
        return RESOLVER_NOTHING;
    }
    for (uint32_t i = 0; i < n->batch.count; i++) {
        struct resolver_route *hop = &n->hops[places[i]];
        struct ip_addr asked = asked_for(n, hop->hop);
        struct netlink_route *r = answer_to(n, &answers, i, asked, hop->hop.link);
        if (n->batch.errors[i] == -1) /* no answer: ask again */
            ask_again(n, places[i]);
        else
            news = graver(news, settle(n, hop, result(hop->hop, asked, r)));
    }
    return news;
}

bool resolver_pending(const struct resolver *n) {
    return n->pending;
}

enum resolver_news resolver_work(struct resolver *n) {
    enum resolver_news news = RESOLVER_NOTHING;
    uint32_t at = n->unknown_from;
    if (!n->pending)
        return RESOLVER_NOTHING;
    n->pending = false;
    n->unknown_from = n->count;
    while (at < n->count)
        news = graver(news, resolve_batch(n, &at));
    return news;
}

/* ---- where a neighbour is ---- */

uint32_t resolver_link_to(struct resolver *n, struct ip_addr neighbor) {
    static struct answers answers; /* large; used by one call at a time */
    answers.found[0] = false;
    netlink_batch_init(&n->batch);
    netlink_put_lookup(&n->batch, neighbor, 0);
    if (!netlink_send(n->host->netlink, &n->batch, on_answer, &answers)) {
        log_line(n->host->log, "netlink_failed", NULL, "a neighbor: %s", strerror(errno));
        return BGP_LINK_NONE;
    }
    const struct netlink_route *r = answer_to(n, &answers, 0, neighbor, 0);
    bool direct = r && r->type == RTN_UNICAST && !ip_is_set(r->hop.gateway);
    return direct && r->hop.interface ? r->hop.interface : BGP_LINK_NONE;
}
