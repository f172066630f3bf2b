/*
 * Which pods send to which: all pairs, or a fair sample of them.
 *
 * Invariants: every pair is as likely as any other, however many there are (reservoir sampling over
 * their enumeration), and the choice follows from the run's seed.
 */

#include "engine.h"

#include "../../speaker/base/hash.h"

#include <stdlib.h>

struct choice {
    struct engine_pair *list;
    size_t count, max;
    uint64_t met, seed;
};

static void offer(struct choice *c, const struct engine_pair *p) {
    size_t at = c->count < c->max ? c->count++ : (size_t)rng_below(&c->seed, c->met + 1);
    c->met++;
    if (at < c->max)
        c->list[at] = *p;
}

static bool wanted(uint32_t name, uint32_t node, const struct engine *e) {
    return name == UINT32_MAX ? node < e->node_count : name == node;
}

static void offer_all(const struct engine *e, const struct engine_pairs_query *q,
                      const struct ip_addr *addrs, struct choice *c) {
    for (uint32_t a = 0; a < e->count; a++) {
        if (!wanted(q->from, a, e) || !ip_is_set(addrs[a]))
            continue;
        for (uint32_t b = 0; b < e->count; b++) {
            if (a == b || !wanted(q->to, b, e) || !ip_is_set(addrs[b]))
                continue;
            struct engine_pair p = {a, b, addrs[a], addrs[b]};
            offer(c, &p);
        }
    }
}

size_t engine_pairs(const struct engine *e, const struct engine_pairs_query *q,
                    struct engine_pair *ret_list, size_t max) {
    struct choice c = {.list = ret_list, .max = max, .seed = e->seed};
    struct ip_addr *addrs = calloc(e->count + 1, sizeof *addrs);
    if (q->sample && q->sample < max)
        c.max = q->sample;
    for (int f = 0; addrs && f < BGP_FAMILIES; f++) {
        if (!q->families[f])
            continue;
        for (uint32_t i = 0; i < e->count; i++)
            addrs[i] = engine_probe_address(e, i, (enum bgp_family)f);
        offer_all(e, q, addrs, &c);
    }
    free(addrs);
    return c.count;
}
