/*
 * Route flap dampening: a figure of merit per route that grows when the route flaps, decays by half
 * in the half-life and, once above a limit, keeps the route from being used until it is below
 * another one.
 *
 * Owns one history per route that flapped (neighbour's address, prefix, path identifier), the
 * parameters each one goes by, and the look at all of them every ten seconds, which lets routes go
 * and forgets what is less than half the reuse limit. A figure is stored with the time of the flap
 * and decayed when it is looked at, so that rounding does not add up. Leaves to rib.c what an
 * unused path means; the path carries RIB_PATH_DAMPED meanwhile.
 *
 * IOS: a session that ends is no flap, with graceful restart or without, and neither is the first
 * announcement after one; internal
 * routes and own ones are never held back; the figures are 1000 for a withdrawal and 500 for an
 * announcement with other attributes.
 *
 * Invariants: a history that suppresses and a path that is there go together with the path's flag;
 * there are at most BGP_DAMPENED_MAX histories, and without memory a flap is not counted.
 * RFC 2439 4.2 to 4.8.
 */
#include "dampening.h"

#include "../base/arena.h"
#include "../base/hash.h"

#include <string.h>

#define PENALTY_WITHDRAWAL 1000u
#define PENALTY_CHANGE 500u
#define TICK_MS 10000u

struct key {
    struct ip_prefix prefix;
    struct ip_addr neighbor;
    uint32_t path_id;
};

struct history {
    struct key key;
    struct nanotime at, first; /* of the last and the first flap */
    uint32_t penalty;          /* as of `at` */
    uint32_t flaps;
    uint32_t half_life_s, reuse, suppress, suppress_max_s;
    bool used, suppressed;
};

struct dampening {
    struct call_timer timer;
    bool reserved, walking;
    uint32_t cursor;
    struct slab histories;
    struct table index;
};

static const struct bgp_dampening_config *config_of(const struct bgp_speaker *s,
                                                    enum bgp_family f) {
    for (uint32_t i = 0; i < s->config->dampening_count; i++) {
        if (s->config->dampening[i].family == f) {
            return &s->config->dampening[i];
        }
    }
    return NULL;
}

static struct history *history_at(const struct dampening *d, uint32_t i) {
    return slab_at(&d->histories, i);
}

/* ---- figures ---- */

/* 2^-(part / whole) in 1/65536, for part <= whole. */
static uint64_t half_power(uint64_t part, uint64_t whole) {
    static const uint32_t SIXTEENTHS[18] = {65536, 62757, 60097, 57549, 55109, 52773,
                                            50535, 48393, 46341, 44376, 42495, 40693,
                                            38968, 37316, 35734, 34219, 32768, 32768};
    uint64_t at = part * 16 / whole, rest = part * 16 % whole;
    return SIXTEENTHS[at] - (SIXTEENTHS[at] - SIXTEENTHS[at + 1]) * rest / whole;
}

uint32_t dampening_decay(uint32_t penalty, uint64_t elapsed_s, uint32_t half_life_s) {
    uint64_t halves = elapsed_s / half_life_s;
    uint64_t scaled = penalty * half_power(elapsed_s % half_life_s, half_life_s);
    return halves > 31 ? 0 : (uint32_t)(scaled >> 16 >> halves);
}

static uint32_t penalty_now(const struct history *h, struct nanotime now) {
    uint64_t elapsed = nanotime_before(now, h->at) ? 0 : (now.ns - h->at.ns) / NANOS_PER_S;
    return dampening_decay(h->penalty, elapsed, h->half_life_s);
}

/* RFC 2439 4.2: no figure is higher than what decays to the reuse limit in the longest time. */
static uint32_t ceiling(const struct history *h) {
    uint64_t halves = h->suppress_max_s / h->half_life_s, rest = h->suppress_max_s % h->half_life_s;
    uint64_t power = half_power(h->half_life_s - rest, h->half_life_s); /* 2^(rest - 1) */
    uint64_t value = halves > 20 ? UINT32_MAX : ((uint64_t)h->reuse << (halves + 1)) * power >> 16;
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* ---- histories ---- */

static uint64_t key_hash(const struct key *k) {
    uint64_t h = hash_bytes(&k->prefix, sizeof k->prefix, k->path_id);
    return hash_bytes(&k->neighbor, sizeof k->neighbor, h);
}

static bool key_equal(const void *context, uint32_t index, const void *key) {
    const struct key *a = &history_at(context, index)->key, *b = key;
    return ip_prefix_equal(a->prefix, b->prefix) && ip_equal(a->neighbor, b->neighbor) &&
           a->path_id == b->path_id;
}

static struct key key_of(const struct peer *p, struct ip_prefix prefix, uint32_t path_id) {
    struct key k;
    memset(&k, 0, sizeof k);
    k.prefix = prefix;
    k.neighbor = p->config->remote_addr;
    k.path_id = path_id;
    return k;
}

static struct history *history_find(const struct dampening *d, const struct key *k) {
    uint32_t i = table_find(&d->index, key_hash(k), key_equal, d, k);
    return i ? history_at(d, i) : NULL;
}

static void tick(struct bgp_speaker *s, struct nanotime now) {
    struct dampening *d = s->dampening;
    heap_set(&s->timers, &d->timer.timer, nanotime_add_ms(now, TICK_MS));
}

static struct history *history_make(struct bgp_speaker *s, const struct key *k,
                                    struct nanotime now) {
    struct dampening *d = s->dampening;
    uint32_t i = d->histories.used < BGP_DAMPENED_MAX ? slab_alloc(&d->histories) : 0;
    if (!i) {
        return NULL;
    }
    if (!table_insert(&d->index, key_hash(k), i)) {
        slab_free(&d->histories, i);
        return NULL;
    }
    struct history *h = history_at(d, i);
    *h = (struct history){.key = *k, .first = now, .at = now, .used = true};
    if (d->histories.used == 1 && !d->walking) {
        tick(s, now);
    }
    return h;
}

static void history_free(struct dampening *d, uint32_t i) {
    struct history *h = history_at(d, i);
    h->used = false;
    table_remove(&d->index, key_hash(&h->key), i);
    slab_free(&d->histories, i);
}

/* The path the history is of, with its flag as the history wants it. */
static void mark_path(struct bgp_speaker *s, const struct history *h) {
    enum bgp_family f = rib_prefix_family(h->key.prefix);
    uint32_t entry = rib_entry_find(s, f, h->key.prefix);
    for (uint32_t i = entry ? rib_entry_at(s, f, entry)->paths : 0; i;
         i = rib_path_at(s, i)->next) {
        struct rib_path *p = rib_path_at(s, i);
        const struct peer *peer = speaker_peer(s, p->peer);
        /* A peer that was removed has no configuration, and its paths only wait to be taken away.
         */
        if (peer && !peer->removed && ip_equal(peer->config->remote_addr, h->key.neighbor) &&
            rib_side_get(&s->rib->ids, i) == h->key.path_id) {
            p->flags =
                (uint16_t)((p->flags & ~RIB_PATH_DAMPED) | (h->suppressed ? RIB_PATH_DAMPED : 0));
            rib_entry_dirty(s, f, entry);
        }
    }
}

static void release(struct bgp_speaker *s, struct history *h) {
    h->suppressed = false;
    mark_path(s, h);
}

/* ---- flaps ---- */

/* What a route of these attributes goes by; false: it is not dampened. */
static bool parameters(struct bgp_speaker *s, const struct bgp_dampening_config *c,
                       struct ip_prefix prefix, uint32_t attrs, struct history *h) {
    struct policy_route r = {.prefix = prefix,
                             .attrs = attr_get(&s->attrs, attrs)->v,
                             .source = ROUTE_SOURCE_BGP,
                             .interface = "",
                             .metric = UINT32_MAX,
                             .external = true,
                             .arena = s->scratch};
    if (c->policy && !policy_accepts(s->config, c->policy, &r)) {
        return false;
    }
    const uint32_t *own = r.dampening;
    bool sound = own && own[0] && own[1] && own[1] <= own[2] && own[3];
    h->half_life_s = sound ? own[0] : c->half_life_s;
    h->reuse = sound ? own[1] : c->reuse;
    h->suppress = sound ? own[2] : c->suppress;
    h->suppress_max_s = sound ? own[3] : c->suppress_max_s;
    return true;
}

static const struct bgp_dampening_config *dampens(const struct bgp_speaker *s, const struct peer *p,
                                                  struct ip_prefix prefix) {
    return s->dampening && peer_is_outside(p) ? config_of(s, rib_prefix_family(prefix)) : NULL;
}

static struct history *flap(struct bgp_speaker *s, const struct peer *p, struct ip_prefix prefix,
                            uint32_t path_id, uint32_t attrs, uint32_t penalty,
                            struct nanotime now) {
    const struct bgp_dampening_config *c = dampens(s, p, prefix);
    struct history values = {.used = false};
    if (!c || !parameters(s, c, prefix, attrs, &values)) {
        return NULL;
    }
    const struct key k = key_of(p, prefix, path_id);
    struct history *h = history_find(s->dampening, &k);
    uint64_t before = h ? penalty_now(h, now) : 0;
    h = h ? h : history_make(s, &k, now);
    if (!h) {
        return NULL;
    }
    h->half_life_s = values.half_life_s;
    h->reuse = values.reuse;
    h->suppress = values.suppress;
    h->suppress_max_s = values.suppress_max_s;
    h->penalty = (uint32_t)(before + penalty < ceiling(h) ? before + penalty : ceiling(h));
    h->at = now;
    h->flaps++;
    h->suppressed = h->suppressed || h->penalty > h->suppress;
    return h;
}

void dampening_withdrawn(struct bgp_speaker *s, const struct peer *p, struct ip_prefix prefix,
                         uint32_t path_id, uint32_t attrs, struct nanotime now) {
    (void)flap(s, p, prefix, path_id, attrs, PENALTY_WITHDRAWAL, now);
}

bool dampening_announced(struct bgp_speaker *s, const struct peer *p, struct ip_prefix prefix,
                         uint32_t path_id, uint32_t attrs, uint32_t old_attrs,
                         struct nanotime now) {
    if (!dampens(s, p, prefix)) {
        return false;
    }
    if (old_attrs && old_attrs != attrs) {
        (void)flap(s, p, prefix, path_id, attrs, PENALTY_CHANGE, now);
    }
    const struct key k = key_of(p, prefix, path_id);
    struct history *h = history_find(s->dampening, &k);
    if (h && h->suppressed && penalty_now(h, now) < h->reuse) {
        h->suppressed = false; /* between two looks at all of them */
    }
    return h && h->suppressed;
}

/* ---- letting go ---- */

static void look_at(struct bgp_speaker *s, struct dampening *d, uint32_t i, struct nanotime now) {
    struct history *h = history_at(d, i);
    if (!h->used) {
        return;
    }
    uint32_t penalty = penalty_now(h, now);
    if (h->suppressed && penalty < h->reuse) {
        release(s, h);
    }
    if (!h->suppressed && penalty < (h->reuse + 1) / 2) {
        history_free(d, i);
    }
}

uint32_t dampening_work(struct bgp_speaker *s, uint32_t budget, struct nanotime now) {
    struct dampening *d = s->dampening;
    if (!d || !d->walking) {
        return budget;
    }
    for (; budget > 0 && d->cursor < d->histories.next_new; budget--) {
        look_at(s, d, d->cursor++, now);
    }
    if (d->cursor >= d->histories.next_new) {
        d->walking = false;
        if (d->histories.used > 0) {
            tick(s, now);
        }
    }
    return budget;
}

bool dampening_has_work(const struct bgp_speaker *s) {
    return s->dampening && s->dampening->walking;
}

static void fired(struct bgp_speaker *s, struct call_timer *t, struct nanotime now) {
    (void)t;
    (void)now;
    s->dampening->walking = true;
    s->dampening->cursor = 1;
}

/* ---- configuration ---- */

static bool dampening_make(struct bgp_speaker *s) {
    struct dampening *d = alloc_zero(1, sizeof *d);
    if (!d || !speaker_timers_reserve(s, 1)) {
        alloc_free(d);
        return false;
    }
    slab_init(&d->histories, sizeof(struct history), 64);
    table_init(&d->index);
    d->timer.timer.order = timer_order(CALL_TIMER_DAMPENING, TIMER_CALL);
    d->timer.fired = fired;
    s->dampening = d;
    return true;
}

/* Forgets what `which` has, or (NULL) everything. */
static void forget(struct bgp_speaker *s, const struct ip_prefix *which) {
    struct dampening *d = s->dampening;
    for (uint32_t i = 1; d && i < d->histories.next_new; i++) {
        struct history *h = history_at(d, i);
        if (h->used && (!which || ip_prefix_equal(*which, h->key.prefix))) {
            release(s, h);
            history_free(d, i);
        }
    }
}

void dampening_changed(struct bgp_speaker *s) {
    if (s->dampening && s->config->dampening_count == 0) {
        forget(s, NULL);
    } else if (!s->dampening && s->config->dampening_count && !dampening_make(s)) {
        struct bgp_event e = {.kind = BGP_EVENT_LOG};
        e.log.id = BGP_LOG_NO_MEMORY; /* until the next configuration nothing is held back */
        event_push(s, &e);
    }
    for (uint32_t i = 1; s->dampening && i < s->dampening->histories.next_new; i++) {
        struct history *h = history_at(s->dampening, i);
        if (h->used && h->suppressed && !config_of(s, rib_prefix_family(h->key.prefix))) {
            release(s, h);
        }
    }
}

void dampening_free(struct bgp_speaker *s) {
    struct dampening *d = s->dampening;
    if (!d) {
        return;
    }
    heap_cancel(&s->timers, &d->timer.timer);
    slab_deinit(&d->histories);
    table_deinit(&d->index);
    alloc_free(d);
    s->dampening = NULL;
}

/* ---- the operator's view ---- */

void bgp_dampening_clear(struct bgp_speaker *s, const struct ip_prefix *prefix) {
    forget(s, prefix);
}

bool bgp_dampening_next(const struct bgp_speaker *s, uint32_t *at, struct nanotime now,
                        struct bgp_dampened *ret) {
    const struct dampening *d = s->dampening;
    while (d && ++*at < d->histories.next_new) {
        const struct history *h = history_at(d, *at);
        if (!h->used) {
            continue;
        }
        *ret = (struct bgp_dampened){.prefix = h->key.prefix,
                                     .neighbor = h->key.neighbor,
                                     .path_id = h->key.path_id,
                                     .penalty = penalty_now(h, now),
                                     .flaps = h->flaps,
                                     .suppressed = h->suppressed,
                                     .first = h->first};
        while (h->suppressed &&
               dampening_decay(ret->penalty, ret->reuse_in_s, h->half_life_s) >= h->reuse) {
            ret->reuse_in_s += 10;
        }
        return true;
    }
    return false;
}
