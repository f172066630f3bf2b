#ifndef RIBCAGE_CORE_PIPE_TEST_H
#define RIBCAGE_CORE_PIPE_TEST_H

#include "../base/arena.h"
#include "../base/hash.h"
#include "../base/table.h"
#include "bgp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * A network for tests: speakers joined by pipes under virtual time. Bytes arrive in seeded random
 * splits and with seeded delays, connections are made and refused as the speakers ask, next hops
 * resolve. Same seed, same run.
 *
 *   struct pipe_world w;
 *   pipe_init(&w, 1);
 *   pipe_add(&w, &config, &env);            // address: the router id, unless pipe_address says so
 *   pipe_run(&w, 10000);                    // ten seconds
 *   pipe_free(&w);
 */

#define PIPE_NODES_MAX 32
#define PIPE_ADDRESSES_MAX 4
#define PIPE_LINKS_MAX 4096
#define PIPE_UNUSED __attribute__((unused))

struct pipe_node {
    struct bgp_speaker *speaker;
    struct ip_addr addresses[PIPE_ADDRESSES_MAX];
    uint32_t address_count;
    bool unreachable; /* connects to it are never answered */
    uint32_t event_counts[BGP_EVENT_PEERS + 1];
    /* Every event, before it is acted upon; may be NULL. */
    void (*on_event)(struct pipe_node *n, const struct bgp_event *e, struct nanotime now);
    void *context;
};

struct pipe_stream {
    uint8_t *data;
    size_t size, at;
    struct nanotime due;
    bool finished;
    bool reset;
};

struct pipe_end {
    uint32_t node;
    struct bgp_conn_id conn;
    bool open;
    bool output; /* told of output */
};

struct pipe_link {
    bool used, connecting;
    struct nanotime due; /* of the connect's answer */
    struct bgp_endpoint endpoints[2];
    struct pipe_end ends[2];       /* 0: the one that connects */
    struct pipe_stream streams[2]; /* [i]: towards end i */
};

struct pipe_world {
    struct pipe_node nodes[PIPE_NODES_MAX];
    uint32_t node_count;
    struct pipe_link *links;
    uint32_t link_count;
    struct nanotime now;
    uint64_t rng;
    uint64_t delay_max_us; /* of anything that travels */
    uint64_t bytes;        /* delivered so far */
};

PIPE_UNUSED static void pipe_init(struct pipe_world *w, uint64_t seed) {
    memset(w, 0, sizeof *w);
    w->rng = seed;
    w->now.ns = NANOS_PER_S;
    w->delay_max_us = 2000;
    w->links = calloc(PIPE_LINKS_MAX, sizeof *w->links);
    assert(w->links);
}

PIPE_UNUSED static uint32_t pipe_add(struct pipe_world *w, const struct bgp_config *config,
                                     const struct bgp_env *env) {
    assert(w->node_count < PIPE_NODES_MAX);
    struct pipe_node *n = &w->nodes[w->node_count];
    struct bgp_env own = env ? *env : (struct bgp_env){.seed = 100 + w->node_count};
    n->speaker = bgp_speaker_new(config, &own, w->now);
    assert(n->speaker);
    n->addresses[n->address_count++] = config->router_id;
    return w->node_count++;
}

PIPE_UNUSED static void pipe_address(struct pipe_world *w, uint32_t node, struct ip_addr a) {
    struct pipe_node *n = &w->nodes[node];
    assert(n->address_count < PIPE_ADDRESSES_MAX);
    n->addresses[n->address_count++] = a;
}

static void pipe_link_free(struct pipe_link *l) {
    free(l->streams[0].data);
    free(l->streams[1].data);
    memset(l, 0, sizeof *l);
}

PIPE_UNUSED static void pipe_free(struct pipe_world *w) {
    for (uint32_t i = 0; i < w->link_count; i++)
        pipe_link_free(&w->links[i]);
    for (uint32_t i = 0; i < w->node_count; i++)
        bgp_speaker_free(w->nodes[i].speaker);
    free(w->links);
}

static struct nanotime pipe_later(struct pipe_world *w) {
    return (struct nanotime){w->now.ns + 1000 * (1 + rng_below(&w->rng, w->delay_max_us))};
}

static struct pipe_link *pipe_find(struct pipe_world *w, uint32_t node, struct bgp_conn_id c,
                                   unsigned *ret_side) {
    for (uint32_t i = 0; i < w->link_count; i++) {
        struct pipe_link *l = &w->links[i];
        for (unsigned side = 0; side < 2; side++) {
            const struct pipe_end *e = &l->ends[side];
            if (l->used && e->open && e->node == node && e->conn.index == c.index &&
                e->conn.generation == c.generation) {
                *ret_side = side;
                return l;
            }
        }
    }
    return NULL;
}

static struct pipe_link *pipe_link_new(struct pipe_world *w) {
    for (uint32_t i = 0; i < w->link_count; i++) {
        if (!w->links[i].used)
            return &w->links[i];
    }
    assert(w->link_count < PIPE_LINKS_MAX);
    return &w->links[w->link_count++];
}

/* The address it calls from: its first of the neighbour's family, unless it has to be another. */
static struct ip_addr pipe_source(const struct pipe_node *n, const struct bgp_neighbor *p) {
    for (uint32_t i = 0; i < n->address_count && !ip_is_set(p->options->local_addr); i++)
        if (n->addresses[i].family == p->remote_addr.family)
            return n->addresses[i];
    return ip_is_set(p->options->local_addr) ? p->options->local_addr : n->addresses[0];
}

static void pipe_connect(struct pipe_world *w, uint32_t node, const struct bgp_event *e) {
    struct pipe_link *l = pipe_link_new(w);
    struct pipe_node *n = &w->nodes[node];
    const struct bgp_neighbor *p = bgp_peer_config(n->speaker, e->peer);
    assert(p);
    memset(l, 0, sizeof *l);
    l->used = l->connecting = true;
    l->due = pipe_later(w);
    l->ends[0] = (struct pipe_end){.node = node, .conn = e->conn, .open = true};
    l->endpoints[0].addr = pipe_source(n, p);
    l->endpoints[0].port = (uint16_t)(40000 + rng_below(&w->rng, 20000));
    l->endpoints[1].addr = p->remote_addr;
    l->endpoints[1].port = p->options->remote_port ? p->options->remote_port : BGP_PORT;
}

static bool pipe_listens(const struct pipe_node *n, struct bgp_endpoint at) {
    const struct bgp_config *c = bgp_config_of(n->speaker);
    bool has = false;
    for (uint32_t i = 0; i < n->address_count; i++)
        has = has || ip_equal(n->addresses[i], at.addr);
    return has && c->listen && (c->listen_port ? c->listen_port : BGP_PORT) == at.port;
}

/* The SYN arrives. */
static void pipe_answer(struct pipe_world *w, struct pipe_link *l) {
    struct pipe_end *from = &l->ends[0], *to = &l->ends[1];
    struct bgp_speaker *caller = w->nodes[from->node].speaker;
    struct bgp_reject reject;
    l->connecting = false;
    for (uint32_t i = 0; i < w->node_count; i++) {
        struct pipe_node *n = &w->nodes[i];
        if (n->unreachable || !pipe_listens(n, l->endpoints[1]))
            continue;
        /* The connection is up for the caller first: the kernel answers, not the speaker. */
        bgp_conn_up(caller, from->conn, l->endpoints[0], w->now);
        to->node = i;
        if (bgp_conn_accept(n->speaker, l->endpoints[0], l->endpoints[1], w->now, &to->conn,
                            &reject) == BGP_OK) {
            to->open = true;
        } else {
            l->streams[0].finished = l->streams[0].reset = true;
            l->streams[0].due = pipe_later(w);
        }
        return;
    }
    from->open = false;
    bgp_conn_down(caller, from->conn, BGP_CONN_REFUSED, w->now);
    l->used = false;
}

/* End `side` closes: the other one hears of it after what was sent before. */
static void pipe_close(struct pipe_world *w, struct pipe_link *l, unsigned side, bool reset) {
    struct pipe_stream *out = &l->streams[!side];
    l->ends[side].open = false;
    if (!l->ends[!side].open) {
        pipe_link_free(l);
        return;
    }
    out->finished = true;
    out->reset = reset;
    if (out->at == out->size || reset)
        out->due = pipe_later(w);
}

static void pipe_write(struct pipe_world *w, struct pipe_stream *st, const uint8_t *data,
                       size_t size) {
    st->data = realloc(st->data, st->size + size);
    assert(st->data);
    if (st->at == st->size)
        st->due = pipe_later(w);
    memcpy(st->data + st->size, data, size);
    st->size += size;
}

static void pipe_flush(struct pipe_world *w, struct pipe_link *l, unsigned side) {
    struct pipe_end *e = &l->ends[side];
    struct bgp_speaker *s = w->nodes[e->node].speaker;
    struct bgp_part parts[5];
    size_t count;
    e->output = false;
    while ((count = bgp_conn_pull(s, e->conn, parts, 1 + rng_below(&w->rng, 5), w->now)) > 0) {
        size_t total = 0, taken;
        for (size_t i = 0; i < count; i++)
            total += parts[i].size;
        size_t want = 1 + rng_below(&w->rng, total), left = want;
        for (size_t i = 0; i < count && left > 0; i++) {
            taken = parts[i].size < left ? parts[i].size : left;
            pipe_write(w, &l->streams[!side], parts[i].data, taken);
            left -= taken;
        }
        bgp_conn_sent(s, e->conn, want, w->now);
    }
}

static void pipe_handle(struct pipe_world *w, uint32_t node, const struct bgp_event *e) {
    unsigned side;
    struct pipe_link *l;
    if (e->kind == BGP_EVENT_CONNECT)
        pipe_connect(w, node, e);
    else if (e->kind == BGP_EVENT_TRACK && e->track.wanted)
        bgp_nexthop_set(w->nodes[node].speaker, e->track.address, true, 0, w->now);
    else if (e->kind == BGP_EVENT_OUTPUT && (l = pipe_find(w, node, e->conn, &side)))
        l->ends[side].output = true;
    else if (e->kind == BGP_EVENT_CLOSE && (l = pipe_find(w, node, e->conn, &side)))
        pipe_close(w, l, side, false);
    else if (e->kind == BGP_EVENT_ABORT && (l = pipe_find(w, node, e->conn, &side)))
        pipe_close(w, l, side, true);
}

/* Drains events and output of all until nobody has any. */
static void pipe_settle(struct pipe_world *w) {
    bool again = true;
    while (again) {
        again = false;
        for (uint32_t i = 0; i < w->node_count; i++) {
            struct pipe_node *n = &w->nodes[i];
            struct bgp_event e;
            while (n->speaker && bgp_next_event(n->speaker, &e)) {
                again = true;
                n->event_counts[e.kind]++;
                if (n->on_event)
                    n->on_event(n, &e, w->now);
                pipe_handle(w, i, &e);
            }
        }
        for (uint32_t i = 0; i < w->link_count; i++) {
            for (unsigned side = 0; side < 2; side++) {
                struct pipe_link *l = &w->links[i];
                if (l->used && l->ends[side].open && l->ends[side].output) {
                    again = true;
                    pipe_flush(w, l, side);
                }
            }
        }
    }
}

static void pipe_deliver(struct pipe_world *w, struct pipe_link *l, unsigned side) {
    struct pipe_stream *st = &l->streams[side];
    struct pipe_end *e = &l->ends[side];
    struct bgp_speaker *s = w->nodes[e->node].speaker;
    if (st->at < st->size && !st->reset) {
        size_t size = 1 + rng_below(&w->rng, st->size - st->at);
        /* A copy of its own size, so that reading past it is caught. */
        uint8_t *chunk = malloc(size);
        assert(chunk);
        memcpy(chunk, st->data + st->at, size);
        st->at += size;
        w->bytes += size;
        st->due = pipe_later(w);
        bgp_conn_receive(s, e->conn, chunk, size, w->now);
        free(chunk);
        return;
    }
    struct bgp_conn_id conn = e->conn;
    enum bgp_conn_end why = st->reset ? BGP_CONN_RESET : BGP_CONN_CLOSED;
    e->open = false;
    if (l->ends[!side].open)
        st->finished = false;
    else
        pipe_link_free(l);
    bgp_conn_down(s, conn, why, w->now);
}

static bool pipe_stream_waits(const struct pipe_link *l, unsigned side) {
    const struct pipe_stream *st = &l->streams[side];
    return l->used && l->ends[side].open && !l->connecting && (st->at < st->size || st->finished);
}

static struct nanotime pipe_next(const struct pipe_world *w) {
    struct nanotime next = NANOTIME_NEVER, t;
    for (uint32_t i = 0; i < w->node_count; i++) {
        t = w->nodes[i].speaker ? bgp_next_deadline(w->nodes[i].speaker) : NANOTIME_NEVER;
        next = nanotime_before(t, next) ? t : next;
    }
    for (uint32_t i = 0; i < w->link_count; i++) {
        const struct pipe_link *l = &w->links[i];
        if (l->used && l->connecting && nanotime_before(l->due, next))
            next = l->due;
        for (unsigned side = 0; side < 2; side++) {
            if (pipe_stream_waits(l, side) && nanotime_before(l->streams[side].due, next))
                next = l->streams[side].due;
        }
    }
    return next;
}

/* Everything that is due now. */
static void pipe_step(struct pipe_world *w) {
    for (uint32_t i = 0; i < w->node_count; i++) {
        struct bgp_speaker *s = w->nodes[i].speaker;
        if (s && !nanotime_before(w->now, bgp_next_deadline(s)))
            bgp_advance(s, w->now);
    }
    pipe_settle(w);
    for (uint32_t i = 0; i < w->link_count; i++) {
        struct pipe_link *l = &w->links[i];
        if (l->used && l->connecting && !nanotime_before(w->now, l->due)) {
            if (!l->ends[0].open)
                pipe_link_free(l);
            else
                pipe_answer(w, l);
            pipe_settle(w);
        }
        for (unsigned side = 0; side < 2; side++) {
            if (pipe_stream_waits(l, side) && !nanotime_before(w->now, l->streams[side].due)) {
                pipe_deliver(w, l, side);
                pipe_settle(w);
            }
        }
    }
}

/* Lets `ms` of virtual time pass. */
PIPE_UNUSED static void pipe_run(struct pipe_world *w, uint64_t ms) {
    struct nanotime end = nanotime_add_ms(w->now, ms), next;
    pipe_settle(w);
    while (next = pipe_next(w), !nanotime_before(end, next)) {
        if (nanotime_before(w->now, next))
            w->now = next;
        pipe_step(w);
    }
    w->now = end;
}

/* Ends all connections between two nodes, as a cut would show: RST on both sides. */
PIPE_UNUSED static void pipe_cut(struct pipe_world *w, uint32_t a, uint32_t b) {
    for (uint32_t i = 0; i < w->link_count; i++) {
        struct pipe_link l = w->links[i];
        bool between = (l.ends[0].node == a && l.ends[1].node == b) ||
                       (l.ends[0].node == b && l.ends[1].node == a);
        if (!l.used || l.connecting || !between)
            continue;
        pipe_link_free(&w->links[i]);
        for (unsigned side = 0; side < 2; side++) {
            if (l.ends[side].open)
                bgp_conn_down(w->nodes[l.ends[side].node].speaker, l.ends[side].conn,
                              BGP_CONN_RESET, w->now);
        }
        pipe_settle(w);
    }
}

/* State of the peer with this name; BGP_STATES: there is none. */
PIPE_UNUSED static int pipe_state(const struct pipe_world *w, uint32_t node, const char *name) {
    struct bgp_peer_info info;
    for (uint32_t i = 0; bgp_peer_at(w->nodes[node].speaker, i, &info); i++) {
        if (strcmp(info.config->name, name) == 0)
            return (int)info.state;
    }
    return BGP_STATES;
}

/* Has this node a best path to `prefix`? */
PIPE_UNUSED static bool pipe_has_route(const struct pipe_world *w, uint32_t node,
                                       const char *prefix) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    struct ip_prefix p;
    bool best = false, valid = ip_prefix_parse(prefix, &p);
    assert(valid);
    if (!bgp_rib_find(w->nodes[node].speaker, p, &it))
        return false;
    while (bgp_rib_next_path(w->nodes[node].speaker, &it, &path))
        best = best || path.best;
    bgp_rib_end(&it);
    return best;
}

#endif
