#ifndef RIBCAGE_CORE_TABLES_TEST_H
#define RIBCAGE_CORE_TABLES_TEST_H

#include "../base/arena.h"
#include "../base/hash.h"
#include "../base/text.h"
#include "adjout_group.h"
#include "message.h"
#include "own_addr.h"
#include "session.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

/*
 * The tables without sessions: a speaker whose peers are declared Established by hand. UPDATEs are
 * encoded, decoded and handed to rib_update; what is pulled is decoded again and kept per peer, so
 * that a test sees what each peer holds, and every message that says nothing new is counted.
 */

#define BENCH_PEERS_MAX 16
#define BENCH_ROUTES_MAX 2048
#define TABLES_UNUSED __attribute__((unused))

struct held_route {
    struct ip_prefix prefix;
    uint32_t path_id;
    uint32_t attrs; /* interned in the bench's own table */
    bool stale;     /* RFC 7313: not sent again since the BoRR */
};

struct bench_peer {
    struct peer *p;
    bool up;
    struct held_route routes[BENCH_ROUTES_MAX];
    uint32_t route_count;
    uint32_t updates, end_of_ribs, refreshes;
    bool end_of_rib_seen[BGP_FAMILIES]; /* of this session */
    uint32_t purged;                    /* at an EoRR */
    uint32_t repeated;                  /* announcements of what was held already */
    uint32_t spurious;                  /* withdrawals of what was not */
    uint8_t rest[BGP_MESSAGE_SIZE_MAX]; /* of a message that is half sent */
    size_t rest_size;
};

struct bench {
    struct bgp_config config;
    struct bgp_peer_config peers[BENCH_PEERS_MAX];
    struct bgp_speaker *s;
    struct bgp_peer_options own[BENCH_PEERS_MAX]; /* of bench_options */
    struct bench_peer holds[BENCH_PEERS_MAX];
    struct attr_table attrs;
    struct arena *arena;
    struct nanotime now;
    uint64_t rng;             /* 0: messages are sent whole */
    unsigned long fail_after; /* which allocation of a call into the tables fails; 0: none */
    bool fail_for_ever;       /* … and all after it */
    struct bgp_fib_route fib;
    uint32_t fib_events, log_events;
    enum bgp_log_id last_log;
};

TABLES_UNUSED static struct ip_addr addr(const char *text) {
    struct ip_addr a = {0};
    assert(ip_parse(text, &a));
    return a;
}

TABLES_UNUSED static struct ip_prefix pfx(const char *text) {
    struct ip_prefix p = {0};
    assert(ip_prefix_parse(text, &p));
    return p;
}

/* Around each call into the tables: only their allocations fail. */
TABLES_UNUSED static void bench_arm(const struct bench *b) {
    alloc_fail_after(b->fail_after, b->fail_for_ever);
}

TABLES_UNUSED static void bench_disarm(void) {
    alloc_fail_after(0, false);
}

/* A configuration with `count` peers 10.0.0.1…, all iBGP with AS 64512; the test changes it. */
TABLES_UNUSED static void bench_config(struct bench *b, enum bgp_profile profile, uint32_t count) {
    memset(b, 0, sizeof *b);
    bgp_config_init(&b->config, profile);
    b->config.local_as = 64512;
    b->config.router_id = addr("10.0.0.100");
    b->config.peers = b->peers;
    b->config.peer_count = count;
    for (uint32_t i = 0; i < count; i++) {
        bgp_peer_config_init(&b->peers[i], profile);
        (void)snprintf(b->peers[i].name, sizeof b->peers[i].name, "p%u", i);
        b->peers[i].remote_addr = ip4(0x0a000001 + i);
        b->peers[i].remote_as = 64512;
        b->peers[i].families[BGP_IPV4_UNICAST] = true;
        b->peers[i].import[0].accept_by_default = true;
        b->peers[i].export[0].accept_by_default = true;
        b->peers[i].import[1].accept_by_default = true;
        b->peers[i].export[1].accept_by_default = true;
    }
}

/* What the speaker keeps of a peer's options, for a test to change under its hands: the peer's own
 * from now on, shared with no other. */
TABLES_UNUSED static struct bgp_peer_options *bench_options(struct bench *b, uint32_t i) {
    struct bgp_neighbor *n = (struct bgp_neighbor *)(uintptr_t)b->holds[i].p->config;
    if (n->options != &b->own[i]) {
        b->own[i] = *n->options;
        n->options = &b->own[i];
    }
    return &b->own[i];
}

TABLES_UNUSED static void bench_start(struct bench *b) {
    struct bgp_env env = {.seed = 1};
    b->now.ns = 1000 * NANOS_PER_S;
    b->s = bgp_speaker_new(&b->config, &env, b->now);
    assert_non_null(b->s);
    b->arena = arena_new();
    attr_table_init(&b->attrs);
    for (uint32_t i = 0; i < b->config.peer_count; i++) {
        b->holds[i].p = speaker_peer(b->s, b->s->peer_order[i]);
    }
}

/* Answers what the speaker asks: every next hop is reachable. */
TABLES_UNUSED static void bench_events(struct bench *b) {
    struct bgp_event e;
    while (bgp_next_event(b->s, &e)) {
        if (e.kind == BGP_EVENT_TRACK && e.track.wanted) {
            const struct bgp_next_hop hop = {e.track.address, e.track.link};
            bgp_nexthop_set_on_link(b->s, hop, true, 10, b->now);
        } else if (e.kind == BGP_EVENT_FIB) {
            b->fib = e.fib;
            b->fib_events++;
        } else if (e.kind == BGP_EVENT_LOG) {
            b->last_log = e.log.id;
            b->log_events++;
        }
    }
}

TABLES_UNUSED static void bench_work(struct bench *b) {
    do {
        bench_events(b);
    } while (rib_work(b->s, 64, b->now));
    bench_events(b);
    while (rib_work(b->s, 64, b->now)) {
    }
}

TABLES_UNUSED static void bench_up(struct bench *b, uint32_t i) {
    struct bench_peer *h = &b->holds[i];
    struct peer *p = h->p;
    heap_cancel(&b->s->timers, &p->timer); /* this session needs no connection */
    p->state = BGP_ESTABLISHED;
    p->external = p->config->remote_as != session_local_as(b->s, p);
    p->confed = p->external && session_is_confed(b->s, p);
    memcpy(p->families, p->config->options->families, sizeof p->families);
    p->as4 = true;
    if (!p->own_addr)
        p->own_addr = own_addr_hold(b->s, b->config.router_id, 0);
    assert_true(p->own_addr);
    p->remote_id = ip4_to_u32(p->config->remote_addr);
    memset(h->end_of_rib_seen, 0, sizeof h->end_of_rib_seen);
    bench_arm(b);
    h->up = adjout_peer_up(b->s, p);
    bench_disarm();
    assert_true(h->up || b->fail_after);
    p->state = h->up ? BGP_ESTABLISHED : BGP_IDLE;
}

TABLES_UNUSED static void bench_forget(struct bench *b, struct bench_peer *h) {
    for (uint32_t i = 0; i < h->route_count; i++) {
        attr_release(&b->attrs, h->routes[i].attrs);
    }
    h->route_count = 0;
}

TABLES_UNUSED static void bench_down(struct bench *b, uint32_t i, bool keep_stale) {
    struct bench_peer *h = &b->holds[i];
    adjout_peer_down(b->s, h->p);
    h->p->state = BGP_IDLE;
    h->up = false;
    h->rest_size = 0;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        rib_peer_down(b->s, h->p, f, keep_stale, b->now);
    }
    bench_forget(b, h);
}

/* ---- in ---- */

TABLES_UNUSED static bool bench_message(struct bench *b, uint32_t i, const uint8_t *message,
                                        size_t size) {
    struct peer *p = b->holds[i].p;
    struct bgp_codec codec = {
        .as4 = p->as4, .external = peer_is_outside(p), .families = {true, true}};
    struct bgp_update u;
    enum bgp_family f;
    bool over = false;
    for (unsigned n = 0; n < BGP_FAMILIES; n++) {
        codec.add_path[n] = p->add_path[n] & BGP_ADD_PATH_RECEIVE;
    }
    arena_reset(b->s->scratch);
    update_decode(&codec, message + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, b->s->scratch, &u);
    assert_int_not_equal(u.outcome, BGP_OUTCOME_SESSION_RESET);
    bench_arm(b);
    rib_update(b->s, p, &u, b->now, &over, &f);
    bench_disarm();
    arena_reset(b->s->scratch);
    return over;
}

/* v NULL: withdraws. */
TABLES_UNUSED static bool bench_send(struct bench *b, uint32_t i, const struct attr_values *v,
                                     const struct ip_prefix *prefixes, size_t count) {
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    size_t size = 0;
    struct attr_encoding how = {.as4 = true,
                                .family = prefixes[0].addr.family == IP_V6 ? BGP_IPV6_UNICAST : 0};
    assert_int_equal(update_encode(v, &how, prefixes, count, message, sizeof message, &size),
                     count);
    return bench_message(b, i, message, size);
}

/* One path of a prefix, by identifier (RFC 7911) where that is negotiated. */
TABLES_UNUSED static void bench_send_path(struct bench *b, uint32_t i, const struct attr_values *v,
                                          struct ip_prefix prefix, uint32_t path_id) {
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    size_t size = 0;
    struct attr_encoding how = {
        .as4 = true, .family = rib_prefix_family(prefix), .path_ids = &path_id};
    assert_int_equal(update_encode(v, &how, &prefix, 1, message, sizeof message, &size), 1);
    (void)bench_message(b, i, message, size);
}

TABLES_UNUSED static bool bench_announce(struct bench *b, uint32_t i, const struct attr_values *v,
                                         const char *prefix) {
    struct ip_prefix p = pfx(prefix);
    return bench_send(b, i, v, &p, 1);
}

TABLES_UNUSED static void bench_withdraw(struct bench *b, uint32_t i, const char *prefix) {
    struct ip_prefix p = pfx(prefix);
    (void)bench_send(b, i, NULL, &p, 1);
}

/* ---- out ---- */

static struct held_route *held_find(struct bench_peer *h, struct ip_prefix p, uint32_t path_id) {
    for (uint32_t i = 0; i < h->route_count; i++) {
        if (h->routes[i].path_id == path_id && ip_prefix_equal(h->routes[i].prefix, p)) {
            return &h->routes[i];
        }
    }
    return NULL;
}

static void held_remove(struct bench *b, struct bench_peer *h, struct ip_prefix p,
                        uint32_t path_id) {
    struct held_route *r = held_find(h, p, path_id);
    if (!r) {
        h->spurious++;
        return;
    }
    attr_release(&b->attrs, r->attrs);
    *r = h->routes[--h->route_count];
}

static void held_put(struct bench *b, struct bench_peer *h, struct ip_prefix p, uint32_t path_id,
                     const struct attr_values *v) {
    struct held_route *r = held_find(h, p, path_id);
    uint32_t attrs = attr_intern(&b->attrs, v);
    assert(attrs);
    if (!r) {
        assert(h->route_count < BENCH_ROUTES_MAX);
        r = &h->routes[h->route_count++];
        *r = (struct held_route){.prefix = p, .path_id = path_id};
    }
    r->stale = false;
    h->repeated += r->attrs == attrs;
    attr_release(&b->attrs, r->attrs);
    r->attrs = attrs;
}

/* RFC 7313 4: what is not sent again between BoRR and EoRR is gone. */
static void bench_frame(struct bench *b, struct bench_peer *h, const uint8_t *m) {
    enum bgp_family f = m[20] == 2 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
    uint8_t family = f == BGP_IPV6_UNICAST ? IP_V6 : IP_V4, subtype = m[21];
    h->refreshes++;
    assert_true(h->end_of_rib_seen[f] || (!h->p->open.gr && !b->s->profile->end_of_rib_always));
    for (uint32_t i = h->route_count; i-- > 0;) {
        struct held_route *r = &h->routes[i];
        if (r->prefix.addr.family != family) {
            continue;
        }
        if (subtype == 1) {
            r->stale = true;
        } else if (subtype == 2 && r->stale) {
            held_remove(b, h, r->prefix, r->path_id);
            h->purged++;
        }
    }
}

static void bench_take(struct bench *b, struct bench_peer *h, const uint8_t *m, size_t size) {
    struct bgp_codec codec = {.as4 = h->p->as4,
                              .external = peer_is_outside(h->p),
                              .extended_next_hop = h->p->extended_next_hop,
                              .families = {true, true}};
    struct bgp_update u;
    struct ip_prefix prefix;
    uint32_t path_id;
    if (m[18] == BGP_MSG_ROUTE_REFRESH) {
        bench_frame(b, h, m);
        return;
    }
    assert_int_equal(m[18], BGP_MSG_UPDATE);
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        codec.add_path[f] = h->p->add_path[f] & BGP_ADD_PATH_SEND;
    }
    arena_reset(b->arena);
    update_decode(&codec, m + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, b->arena, &u);
    assert_int_equal(u.outcome, BGP_OUTCOME_OK);
    h->updates++;
    h->end_of_ribs += u.end_of_rib;
    h->end_of_rib_seen[u.end_of_rib_family] |= u.end_of_rib;
    for (uint8_t i = 0; i < u.withdrawn_count; i++) {
        for (uint32_t at = 0; nlri_next_path(&u.withdrawn[i], &at, &prefix, &path_id);) {
            held_remove(b, h, prefix, path_id);
        }
    }
    for (uint8_t i = 0; i < u.announced_count; i++) {
        u.attrs.next_hop = u.next_hop[i];
        for (uint32_t at = 0; nlri_next_path(&u.announced[i], &at, &prefix, &path_id);) {
            held_put(b, h, prefix, path_id, &u.attrs);
        }
    }
}

/* A stream of bytes becomes messages again. Returns how many. */
static uint32_t bench_bytes(struct bench *b, struct bench_peer *h, const uint8_t *data,
                            size_t size) {
    uint32_t messages = 0;
    while (size > 0) {
        size_t whole = h->rest_size < BGP_HEADER_SIZE ? BGP_HEADER_SIZE
                                                      : (size_t)h->rest[16] << 8 | h->rest[17];
        size_t step = whole - h->rest_size < size ? whole - h->rest_size : size;
        memcpy(h->rest + h->rest_size, data, step);
        h->rest_size += step;
        data += step;
        size -= step;
        whole = h->rest_size < BGP_HEADER_SIZE ? BGP_HEADER_SIZE
                                               : (size_t)h->rest[16] << 8 | h->rest[17];
        if (h->rest_size == whole) {
            bench_take(b, h, h->rest, whole);
            h->rest_size = 0;
            messages++;
        }
    }
    return messages;
}

/* Pulls at most `times` times; with `rng`, any number of the bytes is sent. */
TABLES_UNUSED static uint32_t bench_pull_some(struct bench *b, uint32_t i, uint32_t times) {
    struct bench_peer *h = &b->holds[i];
    struct bgp_part parts[4];
    uint32_t done = 0;
    while (done < times && h->up) {
        bench_arm(b);
        size_t count = adjout_pull(b->s, h->p, parts, b->rng ? 4 : 1, b->now), bytes = 0;
        bench_disarm();
        for (size_t n = 0; n < count; n++) {
            bytes += parts[n].size;
        }
        if (bytes == 0) { /* no memory: it will be told again */
            assert_true(!adjout_pending(b->s, h->p) || rib_has_work(b->s));
            break;
        }
        size_t send = b->rng ? 1 + rng_below(&b->rng, bytes) : bytes, left = send;
        uint32_t messages = 0;
        for (size_t n = 0; n < count && left > 0; n++) {
            size_t step = parts[n].size < left ? parts[n].size : left;
            messages += bench_bytes(b, h, parts[n].data, step);
            left -= step;
        }
        assert_int_equal(adjout_sent(b->s, h->p, send), messages);
        done++;
    }
    return done;
}

TABLES_UNUSED static void bench_pull(struct bench *b, uint32_t i) {
    (void)bench_pull_some(b, i, UINT32_MAX);
    if (b->holds[i].up) {
        assert_false(adjout_pending(b->s, b->holds[i].p));
    }
}

TABLES_UNUSED static void bench_settle(struct bench *b) {
    bench_work(b);
    for (uint32_t i = 0; i < b->config.peer_count; i++) {
        bench_pull(b, i);
    }
}

/* What a peer holds of a prefix; NULL: nothing. */
TABLES_UNUSED static const struct attr_values *bench_held(struct bench *b, uint32_t i,
                                                          const char *prefix) {
    const struct held_route *r = held_find(&b->holds[i], pfx(prefix), 0);
    return r ? &attr_get(&b->attrs, r->attrs)->v : NULL;
}

/* A timer that fires every millisecond, and counts: long work that is done in slices lets it. */
struct bench_timer {
    struct call_timer call; /* first */
    uint32_t fired;
};

TABLES_UNUSED static void bench_timer_fired(struct bgp_speaker *s, struct call_timer *t,
                                            struct nanotime now) {
    struct bench_timer *c = (struct bench_timer *)t;
    c->fired++;
    heap_set(&s->timers, &t->timer, nanotime_add_ms(now, 1));
}

TABLES_UNUSED static void bench_timer_start(struct bench *b, struct bench_timer *t) {
    *t = (struct bench_timer){.call.fired = bench_timer_fired};
    assert_true(speaker_timers_reserve(b->s, 1));
    t->call.timer.order = timer_order(1, TIMER_CALL);
    heap_set(&b->s->timers, &t->call.timer, b->now);
}

TABLES_UNUSED static void bench_end(struct bench *b) {
    for (uint32_t i = 0; i < b->config.peer_count; i++) {
        bench_forget(b, &b->holds[i]);
        adjout_peer_down(b->s, b->holds[i].p);
    }
    bgp_speaker_free(b->s);
    attr_table_deinit(&b->attrs);
    arena_free(b->arena);
}

#endif
