/*
 * Listeners, and what the kernel must know about neighbours.
 *
 * Owns the listening sockets of both families, the passwords set on listeners, and the dispatch of
 * the speaker's connection events. One connection's life is connection.c's.
 *
 * RFC 2385: a listener holds the key of every neighbour, so that a SYN without the right signature
 * is dropped by the kernel. RFC 5082: TTL and its minimum are set on the connection as soon as it
 * is accepted; the listener answers with TTL 255, because it cannot tell neighbours apart and a
 * neighbour that checks would drop our SYN-ACK otherwise (BIRD: the same).
 *
 * Accepting is bounded per turn.
 */
#include "sockets.h"

#include "../base/arena.h"
#include "../base/hash.h"
#include "accept.h"
#include "departure.h"
#include "host.h"
#include "log.h"
#include "resolver.h"
#include "sockopt.h"
#include "tcp_state.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTEN_BACKLOG 4096
#define TTL_MAX 255

static void listener_ready(struct loop_source *source, uint32_t events);

struct sockets *sockets_new(struct host *h) {
    struct sockets *s = alloc_zero(1, sizeof *s);
    if (!s)
        return NULL;
    s->host = h;
    for (int i = 0; i < 2; i++) {
        s->listeners[i].owner = s;
        s->listeners[i].source = (struct loop_source){.fd = -1, .ready = listener_ready};
    }
    TAILQ_INIT(&s->leaving);
    return s;
}

static void listener_close(struct listener *l) {
    if (l->source.fd < 0)
        return;
    loop_remove(&l->owner->host->loop, &l->source);
    close(l->source.fd);
    l->source.fd = -1;
}

void sockets_free(struct sockets *s) {
    if (!s)
        return;
    sockets_abort(s);
    listener_close(&s->listeners[0]);
    listener_close(&s->listeners[1]);
    connections_free(s);
    alloc_free(s->keys);
    alloc_free(s);
}

/* ---- listening ---- */

static void listener_options(int fd, int family) {
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    sockopt_common(fd, family);
    sockopt_ttl(fd, family, TTL_MAX);
}

/* A host without IPv6 has no IPv6 listener, which is no error unless the address asks for one. */
static bool listener_open(struct listener *l, struct ip_addr addr, uint16_t port, bool needed) {
    union sockaddr_any a;
    socklen_t size = sockaddr_make(&a, addr, port);
    int family = addr.family == IP_V6 ? AF_INET6 : AF_INET;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return !needed && errno == EAFNOSUPPORT;
    listener_options(fd, family);
    if (bind(fd, &a.sa, size) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        bool absent = !needed && errno == EADDRNOTAVAIL;
        int error = errno;
        close(fd);
        errno = error;
        return absent;
    }
    l->addr = addr;
    l->port = port;
    l->source.fd = fd;
    l->owner->listeners_opened++;
    return loop_add(&l->owner->host->loop, &l->source, EPOLLIN);
}

static bool listen_one(struct listener *l, const struct bgp_config *c, enum ip_family family,
                       struct diag_list *diags) {
    struct ip_addr addr = {.family = (uint8_t)family};
    uint16_t port = c->listen_port ? c->listen_port : BGP_PORT;
    bool wanted = bgp_config_listens(c, family, &addr);
    bool needed = family == IP_V4 || ip_is_set(c->listen_addr6);
    if (l->source.fd >= 0 && wanted && l->port == port && ip_equal(l->addr, addr))
        return true;
    listener_close(l);
    if (!wanted || listener_open(l, addr, port, needed))
        return true;
    char text[IP_ADDR_TEXT_MAX];
    diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "cannot-listen",
             "cannot listen on %s port %u: %s", ip_format(addr, text), port, strerror(errno));
    return false;
}

bool sockets_listen(struct sockets *s, const struct bgp_config *c, struct diag_list *diags) {
    uint64_t opened = s->listeners_opened;
    bool v4 = listen_one(&s->listeners[0], c, IP_V4, diags);
    bool v6 = listen_one(&s->listeners[1], c, IP_V6, diags);
    if (s->listeners_opened != opened) {
        s->key_count = s->range_key_count = 0; /* new listeners know no password yet */
        sockets_peers_changed(s);
    }
    return v4 && v6;
}

/* ---- neighbours ---- */

static int key_compare(const void *a, const void *b) {
    const struct peer_key *x = a, *y = b;
    int order = ip_compare(x->addr, y->addr);
    return order ? order : (x->peer > y->peer) - (x->peer < y->peer);
}

static const struct peer_key *key_find(const struct peer_key *keys, uint32_t count,
                                       struct ip_addr addr) {
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = ip_compare(keys[middle].addr, addr);
        if (order == 0)
            return &keys[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void key_apply(struct sockets *s, struct ip_addr addr, const struct bgp_password *key) {
    char text[IP_ADDR_TEXT_MAX];
    struct listener *l = &s->listeners[addr.family == IP_V6 ? 1 : 0];
    if (l->source.fd < 0 || sockopt_md5(l->source.fd, addr, key))
        return;
    if (!key && errno == ENOENT)
        return;
    log_line(s->host->log, "md5_failed", ip_format(addr, text), "%s%s", strerror(errno),
             errno == ENOMEM ? "; raise net.core.optmem_max" : "");
}

/* The passwords of neighbours, by address; of several with one address the first counts. NULL: no
 * memory. */
static struct peer_key *keys_collect(const struct bgp_speaker *speaker, uint32_t *ret_count) {
    const struct bgp_neighbor *n;
    uint32_t count = 0, kept = 0;
    for (uint32_t i = 0; (n = bgp_peer_config_at(speaker, i)); i++)
        count += bgp_neighbor_password(n) && !n->shutdown;
    struct peer_key *keys = alloc_zero(count + (size_t)1, sizeof *keys);
    if (!keys)
        return NULL;
    count = 0;
    for (uint32_t i = 0; (n = bgp_peer_config_at(speaker, i)); i++)
        if (bgp_neighbor_password(n) && !n->shutdown)
            keys[count++] = (struct peer_key){n->remote_addr, i, 0};
    qsort(keys, count, sizeof *keys, key_compare);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || !ip_equal(keys[kept - 1].addr, keys[i].addr))
            keys[kept++] = keys[i];
    *ret_count = kept;
    return keys;
}

/* Sets, changes and removes passwords so that listeners know those of the configuration. */
static void keys_rebuild(struct sockets *s) {
    const struct bgp_speaker *speaker = s->host->speaker;
    uint32_t count = 0;
    struct peer_key *keys = keys_collect(speaker, &count);
    if (!keys)
        return;
    for (uint32_t i = 0; i < count; i++) {
        const struct bgp_password *password =
            bgp_neighbor_password(bgp_peer_config_at(speaker, keys[i].peer));
        keys[i].hash = hash_bytes(password->octets, password->size, 1);
        const struct peer_key *old = key_find(s->keys, s->key_count, keys[i].addr);
        if (!old || old->hash != keys[i].hash)
            key_apply(s, keys[i].addr, password);
    }
    for (uint32_t i = 0; i < s->key_count; i++)
        if (!key_find(keys, count, s->keys[i].addr))
            key_apply(s, s->keys[i].addr, NULL);
    alloc_free(s->keys);
    s->keys = keys;
    s->key_count = count;
}

static void range_key_apply(struct sockets *s, struct ip_prefix prefix,
                            const struct bgp_password *key) {
    char text[IP_PREFIX_TEXT_MAX];
    const struct listener *l = &s->listeners[prefix.addr.family == IP_V6 ? 1 : 0];
    if (l->source.fd < 0 || sockopt_md5_prefix(l->source.fd, prefix, key))
        return;
    if (!key && errno == ENOENT)
        return;
    log_line(s->host->log, "md5_failed", ip_prefix_format(prefix, text), "%s", strerror(errno));
}

static const struct range_key *range_key_find(const struct range_key *keys, uint32_t count,
                                              struct ip_prefix prefix) {
    for (uint32_t i = 0; i < count; i++)
        if (ip_prefix_compare(keys[i].prefix, prefix) == 0)
            return &keys[i];
    return NULL;
}

/* The same for listen ranges: one key for whoever calls from there. */
static void range_keys_rebuild(struct sockets *s, const struct bgp_config *c) {
    struct range_key keys[BGP_LISTEN_RANGES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->listen_range_count; i++) {
        const struct bgp_listen_range *r = &c->listen_ranges[i];
        if (!r->peer.password)
            continue;
        uint64_t hash = hash_bytes(r->peer.password->octets, r->peer.password->size, 1);
        const struct range_key *old = range_key_find(s->range_keys, s->range_key_count, r->prefix);
        if (!old || old->hash != hash)
            range_key_apply(s, r->prefix, r->peer.password);
        keys[count++] = (struct range_key){r->prefix, hash};
    }
    for (uint32_t i = 0; i < s->range_key_count; i++)
        if (!range_key_find(keys, count, s->range_keys[i].prefix))
            range_key_apply(s, s->range_keys[i].prefix, NULL);
    memcpy(s->range_keys, keys, count * sizeof *keys);
    s->range_key_count = count;
}

void sockets_peers_changed(struct sockets *s) {
    if (!s->host->speaker)
        return;
    keys_rebuild(s);
    range_keys_rebuild(s, bgp_config_of(s->host->speaker));
    for (uint32_t i = 0; i < connection_places(s); i++) {
        struct connection *c = connection_at(s, i);
        if (c && c->source.fd >= 0)
            connection_refresh(c);
    }
}

static uint8_t peer_ttl(const struct bgp_config *c, const struct bgp_neighbor *p) {
    uint32_t local_as = p->options->local_as ? p->options->local_as : c->local_as;
    if (p->options->ttl_security_hops)
        return TTL_MAX;
    if (p->options->multihop)
        return p->options->multihop;
    if (local_as != p->remote_as)
        return 1;
    return c->profile == BGP_PROFILE_IOS ? TTL_MAX : 64; /* BIRD: 64 */
}

bool sockets_prepare(struct sockets *s, int fd, const struct bgp_neighbor *p,
                     struct ip_addr remote) {
    int family = remote.family == IP_V6 ? AF_INET6 : AF_INET;
    uint8_t hops = p->options->ttl_security_hops;
    const struct bgp_password *password = bgp_neighbor_password(p);
    bool ok = sockopt_common(fd, family);
    sockopt_reset_on_close(fd, true);
    ok = sockopt_ttl(fd, family, peer_ttl(bgp_config_of(s->host->speaker), p)) && ok;
    if (hops)
        ok = sockopt_ttl_min(fd, family, (uint8_t)(TTL_MAX - hops + 1)) && ok;
    if (password)
        ok = sockopt_md5(fd, remote, password) && ok;
    return ok;
}

/* ---- accepting ---- */

static void refuse(int fd, const struct bgp_reject *reject) {
    bool said = reject->size > 0 && send(fd, reject->data, reject->size, MSG_NOSIGNAL) > 0;
    sockopt_reset_on_close(fd, !said);
    close(fd);
}

uint32_t sockets_link(struct sockets *s, const union sockaddr_any *local,
                      const struct bgp_neighbor *p, struct ip_addr remote) {
    const struct bgp_peer_options *o = p->options;
    uint32_t scope = sockaddr_scope(local);
    if (scope || (!o->families[BGP_IPV6_UNICAST] && !o->extended_next_hop))
        return scope;
    return resolver_link_to(s->host->resolver, remote);
}

static void accept_one(struct sockets *s, int fd, const union sockaddr_any *from) {
    struct bgp_speaker *speaker = s->host->speaker;
    union sockaddr_any at = {0};
    socklen_t size = sizeof at;
    struct bgp_endpoint remote, local = {0};
    struct bgp_reject reject = {.size = 0};
    struct bgp_conn_id id;
    getsockname(fd, &at.sa, &size);
    remote.addr = sockaddr_addr(from, &remote.port);
    local.addr = sockaddr_addr(&at, &local.port);
    const struct bgp_neighbor *p =
        speaker ? bgp_peer_config_of_call(speaker, remote.addr, local.addr) : NULL;
    if (p) /* with the key, too: the kernel may have taken the call before it knew that */
        sockets_prepare(s, fd, p, remote.addr);
    if (!speaker || bgp_conn_accept(speaker, remote, local, loop_now(), &id, &reject) != BGP_OK)
        refuse(fd, &reject);
    else if (!connection_adopt(s, fd, id))
        bgp_conn_down(speaker, id, BGP_CONN_FAILED, loop_now());
    else if (p)
        bgp_conn_link(speaker, id, sockets_link(s, &at, p, remote.addr));
    host_drain(s->host);
}

static void listener_ready(struct loop_source *source, uint32_t events) {
    struct listener *l = (struct listener *)source;
    struct sockets *s = l->owner;
    (void)events;
    for (int i = 0; i < SOCKETS_ACCEPTS_MAX && l->source.fd >= 0; i++) {
        union sockaddr_any from = {0};
        int fd = accept_next(s->host, l->source.fd, &from);
        if (fd >= 0)
            accept_one(s, fd, &from);
        else if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

void sockets_accept(struct sockets *s) {
    for (int i = 0; i < 2; i++)
        if (s->listeners[i].source.fd >= 0)
            listener_ready(&s->listeners[i].source, EPOLLIN);
}

/* ---- events of the speaker ---- */

void sockets_event(struct sockets *s, const struct bgp_event *e) {
    if (e->kind == BGP_EVENT_CONNECT) {
        connection_start(s, e->conn, e->peer);
        return;
    }
    struct connection *c = connection_find(s, e->conn);
    if (!c)
        return;
    if (e->kind == BGP_EVENT_OUTPUT)
        connection_ready(c);
    else if (e->kind == BGP_EVENT_CLOSE)
        connection_leave(c);
    else if (e->kind == BGP_EVENT_ABORT)
        connection_drop(c);
}

bool sockets_flush(struct sockets *s) {
    bool more = connections_flush(s);
    connections_connect(s);
    return more;
}

bool sockets_may_connect(const struct sockets *s) {
    return connections_may_connect(s);
}

struct nanotime sockets_next_deadline(const struct sockets *s) {
    return departures_next_deadline(s);
}

void sockets_advance(struct sockets *s, struct nanotime now) {
    departures_advance(s, now);
}

bool sockets_idle(const struct sockets *s) {
    return TAILQ_EMPTY(&s->leaving) && s->ready.at == s->ready.count && !s->ready_lost;
}

void sockets_abort_live(struct sockets *s) {
    for (uint32_t i = 0; i < connection_places(s); i++) {
        struct connection *c = connection_at(s, i);
        if (c)
            connection_drop(c);
    }
}

void sockets_abort(struct sockets *s) {
    departures_abort(s);
    sockets_abort_live(s);
}

size_t sockets_count(const struct sockets *s) {
    return s->count;
}

bool sockets_tcp_state(const struct sockets *s, struct bgp_conn_id conn, struct ios_tcp *ret_tcp) {
    const struct connection *c = connection_find(s, conn);
    return c && c->phase == CONNECTION_UP && tcp_state_read(c->source.fd, ret_tcp);
}
