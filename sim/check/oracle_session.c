/*
 * Which configured ends meet, and why the others do not.
 *
 * A session needs an end at both nodes, each naming the other's address, AS numbers that agree, the
 * same password, TTLs that arrive, one side that dials and another that answers. The answering
 * rules are those of the implementations we stand in for: BIRD runs one session per neighbour and
 * port, and hands an incoming connection to the first stanza of that neighbour in the file, of
 * whichever port, running or not; IOS answers configured neighbours only.
 *
 * RFC 4271 6.2, 6.8, 8; 2385; 5082; 6286.
 */

#include "oracle_internal.h"

#include "../../speaker/base/hash.h"
#include "../../speaker/core/profile.h"

#include <stdlib.h>
#include <string.h>

struct meeting {
    struct oracle *o;
    uint32_t a, b;                         /* nodes */
    const struct bgp_peer_config *pa, *pb; /* pb may be NULL */
    struct ip_addr source_a;
    const char *cause, *detail;
};

static uint16_t port_or(uint16_t port) {
    return port ? port : BGP_PORT;
}

static bool same_neighbor(const struct bgp_peer_config *p, const struct bgp_peer_config *q) {
    return ip_equal(p->remote_addr, q->remote_addr) &&
           port_or(p->remote_port) == port_or(q->remote_port);
}

static bool same_process(const struct oracle *o, uint32_t node) {
    return o->in.previous->in.nodes[node].incarnation == o->in.nodes[node].incarnation;
}

/*
 * BIRD: of several stanzas for one neighbour the first that started runs; the others wait. `holder`
 * gets the config index that runs for each peer. Peers are looked up by address, so cost stays
 * linear in the usual case of one stanza each.
 */
struct neighbor_index {
    const struct bgp_config *config;
    uint32_t *first;   /* per peer: index of the first peer with the same address (any port) */
    uint32_t *next;    /* per peer: index of the next one with the same address; 0: none */
    uint32_t *holder;  /* per peer: index of the one that runs */
    bool *ran;         /* per peer: had the lock before, in the same process, and so has kept it */
    bool *held;        /* per peer: its session was up */
    uint32_t *partner; /* per peer: index + 1 of the end it meets, once one of them has found it */
    struct table table;
};

static bool name_equal(const void *context, uint32_t index, const void *key) {
    const struct bgp_config *c = context;
    return strcmp(c->peers[index - 1].name, key) == 0;
}

static uint64_t name_hash(const char *name) {
    return hash_bytes(name, strlen(name), 0);
}

/* Did stanzas of these names run before, in the same process, and were their sessions up? */
static bool find_held(const struct oracle *o, uint32_t node, struct neighbor_index *x) {
    const struct oracle *old = o->in.previous;
    const struct bgp_config *c = oracle_config(o, node);
    if (!old || node >= old->in.node_count || !oracle_config(old, node) ||
        !old->states[node].by_config_peer ||
        old->in.nodes[node].incarnation != o->in.nodes[node].incarnation)
        return true;
    const struct bgp_config *before = oracle_config(old, node);
    struct table names;
    bool ok = true;
    table_init(&names);
    for (uint32_t i = 0; ok && i < before->peer_count; i++) {
        if (old->states[node].ran[i])
            ok = table_insert(&names, name_hash(before->peers[i].name), i + 1);
    }
    for (uint32_t i = 0; ok && i < c->peer_count; i++) {
        const char *name = c->peers[i].name;
        uint32_t at = table_find(&names, name_hash(name), name_equal, before, name);
        x->ran[i] = at != 0;
        x->held[i] = at && old->states[node].by_config_peer[at - 1];
    }
    table_deinit(&names);
    return ok;
}

static bool first_equal(const void *context, uint32_t index, const void *key) {
    const struct bgp_config *c = context;
    return ip_equal(c->peers[index - 1].remote_addr, *(const struct ip_addr *)key);
}

/* Whoever of the address stands before `p` with its port; UINT32_MAX: nobody. */
static uint32_t first_of_port(const struct neighbor_index *x, uint32_t first,
                              const struct bgp_peer_config *p) {
    uint32_t k = first;
    while (!same_neighbor(&x->config->peers[k], p) && x->next[k])
        k = x->next[k];
    return same_neighbor(&x->config->peers[k], p) ? k : UINT32_MAX;
}

static void append(struct neighbor_index *x, uint32_t first, uint32_t peer) {
    while (x->next[first])
        first = x->next[first];
    x->next[first] = peer;
}

static bool index_neighbors(struct oracle *o, uint32_t node, struct neighbor_index *x) {
    const struct bgp_config *c = oracle_config(o, node);
    table_init(&x->table);
    x->config = c;
    if (!c)
        return true;
    x->first = arena_array(o->arena, c->peer_count + 1, sizeof *x->first);
    x->holder = arena_array(o->arena, c->peer_count + 1, sizeof *x->holder);
    x->ran = arena_array(o->arena, c->peer_count + 1, sizeof *x->ran);
    x->held = arena_array(o->arena, c->peer_count + 1, sizeof *x->held);
    x->next = arena_array(o->arena, c->peer_count + 1, sizeof *x->next);
    x->partner = arena_array(o->arena, c->peer_count + 1, sizeof *x->partner);
    if (!x->first || !x->holder || !x->ran || !x->held || !x->next || !x->partner ||
        !find_held(o, node, x))
        return false;
    bool lock = oracle_is_bird(c);
    for (uint32_t i = 0; i < c->peer_count; i++) {
        const struct bgp_peer_config *p = &c->peers[i];
        uint64_t hash = hash_bytes(&p->remote_addr, sizeof p->remote_addr, 0);
        uint32_t first = table_find(&x->table, hash, first_equal, c, &p->remote_addr);
        x->first[i] = first ? first - 1 : i;
        x->holder[i] = i;
        if (!first) {
            if (!table_insert(&x->table, hash, i + 1))
                return false;
            continue;
        }
        uint32_t rival = first_of_port(x, first - 1, p);
        append(x, first - 1, i);
        if (!lock || rival == UINT32_MAX)
            continue;
        uint32_t holder = x->holder[rival];
        if (x->ran[i] && !x->ran[holder])
            holder = i;
        for (uint32_t k = first - 1; k <= i; k++) {
            if (x->first[k] == first - 1 && same_neighbor(&c->peers[k], p))
                x->holder[k] = holder;
        }
    }
    return true;
}

/* The end at `node` for connections from `from`: the first in the file. UINT32_MAX: none. */
static uint32_t first_for(const struct neighbor_index *x, struct ip_addr from) {
    if (!x->config)
        return UINT32_MAX;
    uint64_t hash = hash_bytes(&from, sizeof from, 0);
    uint32_t at = table_find(&x->table, hash, first_equal, x->config, &from);
    return at ? at - 1 : UINT32_MAX;
}

static bool cut(const struct oracle *o, uint32_t a, uint32_t b) {
    for (size_t i = 0; i < o->in.cut_count; i++) {
        const struct oracle_cut *c = &o->in.cuts[i];
        if (c->b == UINT32_MAX ? (c->a == a || c->a == b)
                               : ((c->a == a && c->b == b) || (c->a == b && c->b == a)))
            return true;
    }
    return false;
}

static bool is_external(const struct bgp_config *c, const struct bgp_peer_config *p) {
    return p->remote_as != oracle_local_as(c, p);
}

/* TTL a peer's packets have when they leave. */
static unsigned ttl_sent(const struct bgp_config *c, const struct bgp_peer_config *p) {
    if (p->ttl_security_hops)
        return 255;
    if (p->multihop)
        return p->multihop;
    return is_external(c, p) ? 1 : 255;
}

static bool ttl_fits(const struct bgp_config *ca, const struct bgp_peer_config *pa,
                     const struct bgp_peer_config *pb, unsigned hops) {
    unsigned ttl = ttl_sent(ca, pa);
    if (ttl <= hops)
        return false;
    return !pb->ttl_security_hops || ttl - hops >= 256u - pb->ttl_security_hops;
}

static uint16_t hold_time(const struct bgp_config *c, const struct bgp_peer_config *p) {
    if (p->hold_time_set)
        return p->hold_time_s;
    return c->hold_time_set ? c->hold_time_s : profile_get(c->profile)->hold_time_s;
}

static bool refuse(struct meeting *m, const char *cause, const char *detail) {
    m->cause = cause;
    m->detail = detail ? detail : "";
    return false;
}

static bool agree_as(struct meeting *m) {
    const struct bgp_config *ca = oracle_config(m->o, m->a), *cb = oracle_config(m->o, m->b);
    uint32_t as_a = oracle_local_as(ca, m->pa), as_b = oracle_local_as(cb, m->pb);
    if (m->pa->remote_as != as_b)
        return refuse(m, "bad-peer-as",
                      arena_printf(m->o->arena, "%s expects AS %u, %s is AS %u",
                                   m->o->in.nodes[m->a].name, m->pa->remote_as,
                                   m->o->in.nodes[m->b].name, as_b));
    if (m->pb->remote_as != as_a)
        return refuse(m, "bad-peer-as",
                      arena_printf(m->o->arena, "%s expects AS %u, %s is AS %u",
                                   m->o->in.nodes[m->b].name, m->pb->remote_as,
                                   m->o->in.nodes[m->a].name, as_a));
    if (as_a == as_b && ip_equal(ca->router_id, cb->router_id))
        return refuse(m, "same-router-id", "both ends have one BGP identifier");
    return true;
}

static bool agree_transport(struct meeting *m) {
    const struct bgp_config *ca = oracle_config(m->o, m->a), *cb = oracle_config(m->o, m->b);
    if (!bgp_password_equal(m->pa->password, m->pb->password))
        return refuse(m, "password", "the TCP MD5 passwords differ");
    unsigned hops = m->o->in.routed_fabric ? 1 : 0;
    if (!ttl_fits(ca, m->pa, m->pb, hops) || !ttl_fits(cb, m->pb, m->pa, hops))
        return refuse(m, "ttl",
                      "packets of one end do not reach the other with the TTL it asks for");
    bool common = false;
    for (int f = 0; f < BGP_FAMILIES; f++)
        common |= m->pa->families[f] && m->pb->families[f];
    return common || refuse(m, "no-common-family", "no address family is active at both ends");
}

/* Can `pa` open a connection that `b` takes for `pb`? */
static bool can_dial(const struct oracle *o, const struct bgp_peer_config *pa, uint32_t b,
                     uint32_t peer_b, const struct neighbor_index *xb) {
    const struct bgp_config *cb = oracle_config(o, b);
    struct ip_addr listens;
    if (pa->passive || !bgp_config_listens(cb, (enum ip_family)pa->remote_addr.family, &listens))
        return false;
    if (port_or(pa->remote_port) != port_or(cb->listen_port))
        return false;
    if (!ip_is_unspecified(listens) && !ip_equal(listens, pa->remote_addr))
        return false;
    bool lock = oracle_is_bird(cb);
    return !lock || xb->first[peer_b] == peer_b;
}

static bool someone_dials(struct meeting *m, const struct neighbor_index *x, uint32_t peer_a,
                          uint32_t peer_b) {
    /* What runs already need not dial. */
    if (x[m->a].held[peer_a] && x[m->b].held[peer_b])
        return true;
    if (can_dial(m->o, m->pa, m->b, peer_b, &x[m->b]) ||
        can_dial(m->o, m->pb, m->a, peer_a, &x[m->a]))
        return true;
    if (m->pa->passive && m->pb->passive)
        return refuse(m, "both-passive", "each end waits for the other to connect");
    return refuse(m, "port", "no end can reach the other's listening port");
}

static uint32_t neighbor_of(const struct oracle *o, const struct bgp_peer_config *p) {
    return oracle_address_owner(o, p->remote_addr);
}

/* Do the two ends make a session? */
static bool fit(struct meeting *m, const struct neighbor_index *x, uint32_t peer_a,
                uint32_t peer_b) {
    m->pb = &oracle_config(m->o, m->b)->peers[peer_b];
    struct ip_addr source_b = oracle_source_address(&m->o->in.nodes[m->b], m->pb);
    if (!ip_equal(source_b, m->pa->remote_addr))
        return refuse(m, "source-address", "the neighbor would answer from another address");
    if (m->pb->shutdown)
        return refuse(m, "shutdown", "administratively down at the other end");
    return agree_as(m) && agree_transport(m) && someone_dials(m, x, peer_a, peer_b);
}

/* `b` may have several stanzas for us, one running for each port. The one it hands connections to
 * is asked first, and says why not if none fits. */
static bool find_partner(struct meeting *m, const struct neighbor_index *x, uint32_t peer_a,
                         uint32_t first, uint32_t *ret_peer) {
    const struct neighbor_index *xb = &x[m->b];
    uint32_t asked = xb->holder[first];
    bool found = !xb->partner[asked] && fit(m, x, peer_a, asked);
    const char *cause = m->cause, *detail = m->detail;
    *ret_peer = asked;
    for (uint32_t k = first; !found && oracle_is_bird(xb->config); k = xb->next[k]) {
        if (k != asked && xb->holder[k] == k && !xb->partner[k] && fit(m, x, peer_a, k)) {
            *ret_peer = k;
            found = true;
        }
        if (!xb->next[k])
            break;
    }
    return found || refuse(m, cause ? cause : "waiting-for-lock",
                           cause ? detail : "another session of the same neighbor runs");
}

/* Finds the end of `b` that meets `pa`; false with a cause otherwise. */
static bool find_other_end(struct meeting *m, const struct neighbor_index *x, uint32_t peer_a,
                           uint32_t *ret_peer) {
    struct oracle *o = m->o;
    if (!oracle_config(o, m->b))
        return refuse(m, "not-configured-there", "no BGP there");
    if (!ip_is_set(m->source_a))
        return refuse(m, "no-source-address", "no address of that family");
    if (x[m->a].partner[peer_a]) {
        *ret_peer = x[m->a].partner[peer_a] - 1;
        m->pb = &oracle_config(o, m->b)->peers[*ret_peer];
        return true;
    }
    uint32_t at = first_for(&x[m->b], m->source_a);
    if (at == UINT32_MAX)
        return refuse(m, "not-configured-there",
                      arena_printf(o->arena, "%s has no neighbor for %s", o->in.nodes[m->b].name,
                                   o->in.nodes[m->a].name));
    if (!find_partner(m, x, peer_a, at, ret_peer))
        return false;
    x[m->a].partner[peer_a] = *ret_peer + 1;
    x[m->b].partner[*ret_peer] = peer_a + 1;
    return true;
}

static bool meet(struct meeting *m, const struct neighbor_index *x, uint32_t peer_a,
                 uint32_t *ret_peer_b) {
    struct oracle *o = m->o;
    const struct oracle_node *na = &o->in.nodes[m->a];
    m->source_a = oracle_source_address(na, m->pa);
    if (x[m->a].holder[peer_a] != peer_a)
        return refuse(m, "waiting-for-lock", "another session of the same neighbor runs");
    if (m->pa->shutdown)
        return refuse(m, "shutdown", "administratively down");
    if (m->b == UINT32_MAX)
        return refuse(m, "no-such-neighbor", "nobody has that address");
    const struct oracle_node *nb = &o->in.nodes[m->b];
    if (!na->up || !nb->up)
        return refuse(m, "speaker-down",
                      arena_printf(o->arena, "%s is not running", na->up ? nb->name : na->name));
    if (cut(o, m->a, m->b) && !(x[m->a].held[peer_a] && same_process(o, m->b)))
        return refuse(m, "blocked", "SYNs to TCP port 179 are dropped");
    return find_other_end(m, x, peer_a, ret_peer_b);
}

static void add_failure(struct oracle *o, const struct meeting *m, uint32_t peer) {
    o->failures[o->failure_count++] =
        (struct oracle_failure){m->a, peer, m->cause, m->detail ? m->detail : ""};
}

static void add_end(struct oracle *o, const struct meeting *m, uint32_t peer_a, uint32_t peer_b) {
    struct oracle_state *s = &o->states[m->a];
    const struct bgp_config *c = oracle_config(o, m->a);
    struct oracle_end *e = &s->ends[s->end_count];
    *e = (struct oracle_end){
        .neighbor = m->b,
        .peer = peer_a,
        .neighbor_peer = peer_b,
        .local = m->source_a,
        .remote = m->pa->remote_addr,
        .external = is_external(c, m->pa),
        .client = m->pa->rr_client,
    };
    e->outside = e->external && !oracle_confederate(c, m->pa);
    for (int f = 0; f < BGP_FAMILIES; f++)
        e->families[f] = m->pa->families[f] && m->pb->families[f];
    s->by_config_peer[peer_a] = ++s->end_count;
}

static void add_session(struct oracle *o, const struct meeting *m, uint32_t peer_a,
                        uint32_t peer_b) {
    uint16_t ha = hold_time(oracle_config(o, m->a), m->pa),
             hb = hold_time(oracle_config(o, m->b), m->pb);
    struct oracle_session *s = &o->sessions[o->session_count++];
    *s = (struct oracle_session){
        .a = m->a,
        .b = m->b,
        .peer_a = peer_a,
        .peer_b = peer_b,
        .transport = m->pa->remote_addr.family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST,
        .addr_a = m->source_a,
        .addr_b = m->pa->remote_addr,
        .hold_time_s = ha < hb ? ha : hb,
    };
    for (int f = 0; f < BGP_FAMILIES; f++)
        s->families[f] = m->pa->families[f] && m->pb->families[f];
}

static bool node_sessions(struct oracle *o, uint32_t node, const struct neighbor_index *x) {
    const struct bgp_config *c = oracle_config(o, node);
    if (!c)
        return true;
    struct oracle_state *s = &o->states[node];
    s->ends = arena_array(o->arena, c->peer_count + 1, sizeof *s->ends);
    s->by_config_peer = arena_array(o->arena, c->peer_count + 1, sizeof *s->by_config_peer);
    s->ran = arena_array(o->arena, c->peer_count + 1, sizeof *s->ran);
    if (!s->ends || !s->by_config_peer || !s->ran)
        return false;
    for (uint32_t i = 0; i < c->peer_count; i++) {
        const struct bgp_peer_config *p = &c->peers[i];
        struct meeting m = {.o = o, .a = node, .b = neighbor_of(o, p), .pa = p};
        uint32_t peer_b = UINT32_MAX;
        s->ran[i] = o->in.nodes[node].up && x[node].holder[i] == i && !p->shutdown;
        if (!meet(&m, x, i, &peer_b)) {
            add_failure(o, &m, i);
            continue;
        }
        add_end(o, &m, i, peer_b);
        if (m.a < m.b)
            add_session(o, &m, i, peer_b);
    }
    return true;
}

static int compare_sessions(const void *x, const void *y) {
    const struct oracle_session *a = x, *b = y;
    if (a->transport != b->transport)
        return a->transport < b->transport ? -1 : 1;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return a->b < b->b ? -1 : a->b > b->b;
}

bool oracle_find_sessions(struct oracle *o) {
    size_t total = 0;
    for (size_t i = 0; i < o->in.node_count; i++)
        total += oracle_config(o, (uint32_t)i) ? oracle_config(o, (uint32_t)i)->peer_count : 0;
    struct neighbor_index *x = arena_array(o->arena, o->in.node_count + 1, sizeof *x);
    o->sessions = arena_array(o->arena, total + 1, sizeof *o->sessions);
    o->failures = arena_array(o->arena, total + 1, sizeof *o->failures);
    bool ok = x && o->sessions && o->failures;
    for (uint32_t i = 0; ok && i < o->in.node_count; i++)
        ok = index_neighbors(o, i, &x[i]);
    for (uint32_t i = 0; ok && i < o->in.node_count; i++)
        ok = node_sessions(o, i, x);
    for (uint32_t i = 0; x && i < o->in.node_count; i++)
        table_deinit(&x[i].table);
    if (ok)
        qsort(o->sessions, o->session_count, sizeof *o->sessions, compare_sessions);
    return ok;
}
