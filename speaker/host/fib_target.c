/*
 * Where a kernel route leads.
 *
 * Owns the set of next hops of one route, in order and without repetition: a set of one costs no
 * allocation. Which next hops these are is fib.c's business.
 */
#include "fib_target.h"

#include "../base/arena.h"
#include "../base/scoreboard.h"

#include <string.h>

const struct netlink_hop *fib_target_hops(const struct fib_target *t) {
    return t->hop_count > 1 ? t->several : &t->only;
}

static int compare_hops(const struct netlink_hop *a, const struct netlink_hop *b) {
    int order = ip_compare(a->gateway, b->gateway);
    return order ? order : (a->interface > b->interface) - (a->interface < b->interface);
}

bool fib_target_add(struct fib_target *t, const struct netlink_hop *hop) {
    const struct netlink_hop *hops = fib_target_hops(t);
    uint8_t at = 0;
    if (t->hop_count == NETLINK_HOPS_MAX)
        return true;
    while (at < t->hop_count && compare_hops(&hops[at], hop) < 0)
        at++;
    if (at < t->hop_count && compare_hops(&hops[at], hop) == 0)
        return true;
    if (t->hop_count == 0) {
        t->only = *hop;
        t->hop_count = 1;
        return true;
    }
    struct netlink_hop *more = alloc_zero(t->hop_count + 1u, sizeof *more);
    if (!more)
        return false;
    memcpy(more, hops, at * sizeof *more);
    more[at] = *hop;
    memcpy(more + at + 1, hops + at, (size_t)(t->hop_count - at) * sizeof *more);
    alloc_free(t->several);
    t->several = more;
    t->hop_count++;
    return true;
}

void fib_target_free(struct fib_target *t) {
    alloc_free(t->several);
    t->several = NULL;
    t->hop_count = 0;
}

bool fib_target_equal(const struct fib_target *a, const struct fib_target *b) {
    const struct netlink_hop *x = fib_target_hops(a), *y = fib_target_hops(b);
    if (a->metric != b->metric || a->table != b->table || a->hop_count != b->hop_count)
        return false;
    for (uint8_t i = 0; i < a->hop_count; i++)
        if (compare_hops(&x[i], &y[i]) != 0 || x[i].onlink != y[i].onlink)
            return false;
    return true;
}

bool fib_target_uses(const struct fib_target *t, uint32_t interface) {
    const struct netlink_hop *hops = fib_target_hops(t);
    for (uint8_t i = 0; i < t->hop_count; i++)
        if (hops[i].interface == interface)
            return true;
    return false;
}

uint64_t fib_target_digest(const struct fib_target *t, struct ip_prefix prefix) {
    static const struct ip_addr none;
    const struct netlink_hop *hops = fib_target_hops(t);
    uint64_t digest = 0;
    if (t->hop_count == 0)
        return scoreboard_route_digest(&prefix, &none);
    for (uint8_t i = 0; i < t->hop_count; i++)
        digest += scoreboard_route_digest(&prefix, &hops[i].gateway);
    return digest;
}

struct netlink_route fib_target_route(const struct fib_target *t, struct ip_prefix prefix) {
    struct netlink_route r = {
        .prefix = prefix,
        .table = t->table,
        .metric = t->metric,
        .protocol = RTPROT_BIRD,
        .type = t->hop_count ? RTN_UNICAST : RTN_BLACKHOLE,
    };
    if (t->hop_count == 1)
        r.hop = t->only;
    else if (t->hop_count > 1) {
        r.hops = t->several;
        r.hop_count = t->hop_count;
    }
    return r;
}

bool fib_target_read(const struct nlmsghdr *m, const struct netlink_route *r,
                     struct fib_target *ret_target) {
    struct netlink_hop hops[NETLINK_HOPS_MAX];
    struct fib_target t = {.metric = r->metric, .table = r->table};
    size_t count = r->type == RTN_UNICAST ? netlink_parse_hops(m, hops) : 0;
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        ok = ok && fib_target_add(&t, &hops[i]);
    if (r->type == RTN_UNICAST && count == 0)
        ok = fib_target_add(&t, &r->hop);
    if (ok)
        *ret_target = t;
    else
        fib_target_free(&t);
    return ok;
}
