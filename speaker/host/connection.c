/*
 * One TCP connection of a peer: made or taken over, read, written, let go.
 *
 * Owns the descriptor and its registration until the speaker lets go (CLOSE): then departure.c has
 * it. The speaker owns what is said: output is pulled when the kernel can take it and never queued
 * here.
 *
 * A connection's place is its index in the speaker; places stand in pages that never move, because
 * epoll knows them by address. A place that is free has generation 0.
 *
 * A failed send is not the end: input that arrived before (a NOTIFICATION, usually) is read first.
 *
 * Outgoing connects wait until everybody's output was written: who is told that a session is over
 * must not hear our next call first. Beyond SOCKETS_CONNECTS_MAX they wait their turn in the order
 * they were asked for.
 */
#include "departure.h"

#include "../base/arena.h"
#include "host.h"
#include "log.h"
#include "mrt_log.h"
#include "sockopt.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PARTS_MAX 64
#define FLUSH_ROUNDS_MAX 16

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

static void connection_io(struct loop_source *source, uint32_t events);

static enum bgp_conn_end end_of_errno(int error) {
    switch (error) {
    case ECONNRESET:
    case EPIPE:
        return BGP_CONN_RESET;
    case ECONNREFUSED:
        return BGP_CONN_REFUSED;
    case ETIMEDOUT:
        return BGP_CONN_TIMEOUT;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
        return BGP_CONN_UNREACHABLE;
    }
    return BGP_CONN_FAILED;
}

/* ---- lists ---- */

/* What was taken makes room first. */
static void list_compact(struct connection_list *l) {
    l->count -= l->at;
    if (l->count)
        memmove(l->ids, l->ids + l->at, l->count * sizeof *l->ids);
    l->at = 0;
}

static bool list_put(struct connection_list *l, struct bgp_conn_id id) {
    if (l->count == l->capacity && l->at >= l->capacity / 2)
        list_compact(l);
    if (l->count == l->capacity) {
        uint32_t capacity = l->capacity ? l->capacity * 2 : 16;
        struct bgp_conn_id *grown = alloc_resize(l->ids, capacity, sizeof *grown);
        if (!grown)
            return false;
        l->ids = grown;
        l->capacity = capacity;
    }
    l->ids[l->count++] = id;
    return true;
}

/* The next one that is still there; NULL: no more. */
static struct connection *list_take(const struct sockets *s, struct connection_list *l) {
    while (l->at < l->count) {
        struct connection *c = connection_find(s, l->ids[l->at++]);
        if (c)
            return c;
    }
    return NULL;
}

static void list_free(struct connection_list *l) {
    alloc_free(l->ids);
    *l = (struct connection_list){.ids = NULL};
}

/* ---- the set of connections ---- */

static struct connection_page *page_new(struct sockets *s) {
    struct connection_page *page = alloc_zero(1, sizeof *page);
    if (page && s->host->mrt) {
        page->taps = alloc_zero(CONNECTIONS_PER_PAGE, sizeof(struct mrt_tap *));
        if (!page->taps) {
            alloc_free(page);
            return NULL;
        }
    }
    if (page)
        page->owner = s;
    return page;
}

static void page_free(struct connection_page *page) {
    alloc_free(page->taps);
    alloc_free(page);
}

static bool places_reserve(struct sockets *s, uint32_t index) {
    while (index >= connection_places(s)) {
        struct connection_page **grown =
            alloc_resize(s->pages, s->page_count + (size_t)1, sizeof(struct connection_page *));
        if (!grown)
            return false;
        s->pages = grown;
        s->pages[s->page_count] = page_new(s);
        if (!s->pages[s->page_count])
            return false;
        s->page_count++;
    }
    return true;
}

static struct connection *place_of(const struct sockets *s, uint32_t index) {
    return &s->pages[index / CONNECTIONS_PER_PAGE]->places[index % CONNECTIONS_PER_PAGE];
}

/* Its place says where its page begins. */
static const struct connection_page *page_of(const struct connection *c) {
    const struct connection *first = c - c->id.index % CONNECTIONS_PER_PAGE;
    uintptr_t page = (uintptr_t)first - offsetof(struct connection_page, places);
    return (const struct connection_page *)page;
}

struct sockets *connection_owner(const struct connection *c) {
    return page_of(c)->owner;
}

struct mrt_tap **connection_tap(const struct connection *c) {
    struct mrt_tap **taps = page_of(c)->taps;
    return taps ? &taps[c->id.index % CONNECTIONS_PER_PAGE] : NULL;
}

struct connection *connection_at(const struct sockets *s, uint32_t n) {
    struct connection *c = place_of(s, n);
    return c->id.generation ? c : NULL;
}

struct connection *connection_find(const struct sockets *s, struct bgp_conn_id id) {
    struct connection *c = id.index < connection_places(s) ? connection_at(s, id.index) : NULL;
    return c && c->id.generation == id.generation ? c : NULL;
}

static struct connection *connection_new(struct sockets *s, struct bgp_conn_id id) {
    if (!places_reserve(s, id.index))
        return NULL;
    struct connection *c = connection_at(s, id.index);
    if (c)
        connection_drop(c); /* its id was reused: it is dead */
    c = place_of(s, id.index);
    *c = (struct connection){.source = {.fd = -1, .ready = connection_io}, .id = id};
    s->count++;
    return c;
}

static void connection_free(struct connection *c) {
    struct sockets *s = connection_owner(c);
    struct mrt_tap **tap = connection_tap(c);
    if (c->phase == CONNECTION_CONNECTING)
        s->connecting--;
    if (c->source.fd >= 0) {
        loop_remove(&s->host->loop, &c->source);
        close(c->source.fd);
    }
    s->count--;
    if (tap) {
        mrt_tap_free(*tap);
        *tap = NULL;
    }
    *c = (struct connection){.source = {.fd = -1}};
}

void connections_free(struct sockets *s) {
    for (uint32_t i = 0; i < s->page_count; i++)
        page_free(s->pages[i]);
    alloc_free(s->pages);
    list_free(&s->waiting);
    list_free(&s->ready);
}

void connection_drop(struct connection *c) {
    connection_free(c);
}

/* The connection ended by itself: tell the speaker. */
static void connection_ended(struct connection *c, enum bgp_conn_end why) {
    struct sockets *s = connection_owner(c);
    struct bgp_conn_id id = c->id;
    connection_free(c);
    bgp_conn_down(s->host->speaker, id, why, loop_now());
}

/* ---- making ---- */

static bool bind_source(int fd, struct ip_addr local) {
    union sockaddr_any a;
    int one = 1;
    if (!ip_is_set(local))
        return true;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    return bind(fd, &a.sa, sockaddr_make(&a, local, 0)) == 0;
}

/* A descriptor that is connecting (or connected); -1 with errno. */
static int connect_to(struct sockets *s, const struct bgp_neighbor *p) {
    const struct bgp_peer_options *o = p->options;
    union sockaddr_any a;
    socklen_t size = sockaddr_make(&a, p->remote_addr, o->remote_port ? o->remote_port : BGP_PORT);
    int fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (sockets_prepare(s, fd, p, p->remote_addr) && bind_source(fd, o->local_addr) &&
        (connect(fd, &a.sa, size) == 0 || errno == EINPROGRESS))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void connection_connect(struct connection *c) {
    struct sockets *s = connection_owner(c);
    const struct bgp_neighbor *p = bgp_peer_config(s->host->speaker, c->peer);
    c->phase = CONNECTION_CONNECTING;
    s->connecting++;
    errno = EINVAL;
    c->source.fd = p ? connect_to(s, p) : -1;
    if (c->source.fd < 0 || !loop_add(&s->host->loop, &c->source, EPOLLOUT)) {
        enum bgp_conn_end why = end_of_errno(errno);
        if (why == BGP_CONN_FAILED)
            log_line(s->host->log, "connect_failed", p ? p->name : NULL, "%s", strerror(errno));
        connection_ended(c, why);
    }
}

void connection_start(struct sockets *s, struct bgp_conn_id id, struct bgp_peer_id peer) {
    struct connection *c = connection_new(s, id);
    if (!c) {
        bgp_conn_down(s->host->speaker, id, BGP_CONN_FAILED, loop_now());
        return;
    }
    c->peer = peer;
    c->phase = CONNECTION_WAITING;
    if (!list_put(&s->waiting, id))
        connection_ended(c, BGP_CONN_FAILED);
}

bool connections_may_connect(const struct sockets *s) {
    return s->connecting < SOCKETS_CONNECTS_MAX && s->waiting.at < s->waiting.count;
}

void connections_connect(struct sockets *s) {
    struct connection *c;
    while (s->connecting < SOCKETS_CONNECTS_MAX && (c = list_take(s, &s->waiting)))
        connection_connect(c);
    if (s->waiting.at == s->waiting.count)
        list_free(&s->waiting);
}

bool connection_adopt(struct sockets *s, int fd, struct bgp_conn_id id) {
    struct connection *c = connection_new(s, id);
    if (!c) {
        close(fd);
        return false;
    }
    c->phase = CONNECTION_UP;
    c->source.fd = fd;
    if (loop_add(&s->host->loop, &c->source, EPOLLIN))
        return true;
    connection_free(c);
    return false;
}

static void connected(struct connection *c) {
    struct sockets *s = connection_owner(c);
    int error = 0;
    socklen_t size = sizeof error;
    union sockaddr_any at = {0};
    socklen_t at_size = sizeof at;
    struct bgp_endpoint local = {0};
    getsockopt(c->source.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        connection_ended(c, end_of_errno(error));
        return;
    }
    s->connecting--;
    c->phase = CONNECTION_UP;
    loop_change(&s->host->loop, &c->source, EPOLLIN);
    getsockname(c->source.fd, &at.sa, &at_size);
    local.addr = sockaddr_addr(&at, &local.port);
    bgp_conn_up(s->host->speaker, c->id, local, loop_now());
    const struct bgp_neighbor *p = bgp_peer_config(s->host->speaker, c->peer);
    if (p)
        bgp_conn_link(s->host->speaker, c->id, sockets_link(s, &at, p, p->remote_addr));
}

/* Whose it is; NULL: nobody's any more. A call that is not answered yet has no remote name, but we
 * know whom we called. */
static const struct bgp_neighbor *neighbor_of(const struct connection *c,
                                              struct ip_addr *ret_remote) {
    const struct bgp_speaker *speaker = connection_owner(c)->host->speaker;
    union sockaddr_any remote = {0}, local = {0};
    socklen_t remote_size = sizeof remote, local_size = sizeof local;
    const struct bgp_neighbor *p = NULL;
    uint16_t port;
    if (c->phase == CONNECTION_CONNECTING) {
        p = bgp_peer_config(speaker, c->peer);
        *ret_remote = p ? p->remote_addr : *ret_remote;
    } else if (getpeername(c->source.fd, &remote.sa, &remote_size) == 0 &&
               getsockname(c->source.fd, &local.sa, &local_size) == 0) {
        *ret_remote = sockaddr_addr(&remote, &port);
        p = bgp_peer_config_of_call(speaker, *ret_remote, sockaddr_addr(&local, &port));
    }
    return p;
}

void connection_refresh(struct connection *c) {
    struct ip_addr remote = {0};
    const struct bgp_neighbor *p = neighbor_of(c, &remote);
    if (!p)
        return;
    sockopt_ttl_min(c->source.fd, remote.family == IP_V6 ? AF_INET6 : AF_INET, 0);
    if (!bgp_neighbor_password(p))
        sockopt_md5(c->source.fd, remote, NULL);
    sockets_prepare(connection_owner(c), c->source.fd, p, remote);
}

/* ---- writing ---- */

void connection_ready(struct connection *c) {
    if (c->ready || c->phase != CONNECTION_UP)
        return;
    c->ready = true;
    if (!list_put(&connection_owner(c)->ready, c->id))
        connection_owner(c)->ready_lost = true;
}

/* sendmsg wants writable pointers and writes to none of them. */
ssize_t connection_send(int fd, const struct bgp_part *parts, size_t count) {
    struct iovec vector[PARTS_MAX];
    struct msghdr message = {.msg_iov = vector, .msg_iovlen = count};
    for (size_t i = 0; i < count; i++)
        vector[i] = (struct iovec){(void *)(uintptr_t)parts[i].data, parts[i].size};
    ssize_t sent;
    do
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent;
}

size_t connection_parts_size(const struct bgp_part *parts, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    return size;
}

void connection_log_sent(const struct sockets *s, struct mrt_tap **tap, int fd,
                         const struct bgp_part *parts, size_t count, ssize_t sent) {
    size_t left = sent > 0 && s->host->mrt ? (size_t)sent : 0;
    for (size_t i = 0; i < count && left > 0; i++) {
        size_t size = parts[i].size < left ? parts[i].size : left;
        mrt_log_octets(s->host->mrt, tap, fd, true, parts[i].data, size);
        left -= size;
    }
}

/* True: there is more than one turn may take. */
static bool connection_flush(struct connection *c) {
    struct bgp_speaker *speaker = connection_owner(c)->host->speaker;
    struct bgp_part parts[PARTS_MAX];
    bool blocked = false;
    size_t count = 0;
    for (int i = 0; i < FLUSH_ROUNDS_MAX && !c->write_errno && !blocked; i++) {
        count = bgp_conn_pull(speaker, c->id, parts, PARTS_MAX, loop_now());
        if (count == 0)
            break;
        ssize_t sent = connection_send(c->source.fd, parts, count);
        if (sent < 0 && errno != EAGAIN && errno != ENOBUFS)
            c->write_errno = (uint16_t)errno;
        connection_log_sent(connection_owner(c), connection_tap(c), c->source.fd, parts, count,
                            sent);
        if (sent > 0)
            bgp_conn_sent(speaker, c->id, (size_t)sent, loop_now());
        blocked = sent < (ssize_t)connection_parts_size(parts, count);
    }
    loop_change(&connection_owner(c)->host->loop, &c->source,
                blocked && !c->write_errno ? EPOLLIN | EPOLLOUT : EPOLLIN);
    return count > 0 && !blocked && !c->write_errno;
}

static bool flush_ready(struct connection *c) {
    if (!c->ready)
        return false;
    c->ready = false;
    if (!connection_flush(c))
        return false;
    connection_ready(c);
    return true;
}

bool connections_flush(struct sockets *s) {
    struct connection_list now = s->ready;
    bool all = s->ready_lost, more = false;
    struct connection *c;
    s->ready = (struct connection_list){.ids = NULL};
    s->ready_lost = false;
    while ((c = list_take(s, &now)))
        more |= flush_ready(c);
    for (uint32_t i = 0; all && i < connection_places(s); i++)
        if ((c = connection_at(s, i)))
            more |= flush_ready(c);
    list_free(&now);
    return more;
}

/* ---- leaving ---- */

void connection_leave(struct connection *c) {
    bool talks = c->phase == CONNECTION_UP && !c->write_errno;
    if (talks && departure_begin(c))
        connection_free(c);
    else
        connection_drop(c);
}

/* ---- reading ---- */

/*
 * A remote that connected to us and then sent the KEEPALIVE which ends the exchange of OPENs on
 * this connection did so in that order: a collision (RFC 4271 6.8). Seen the other way round it
 * would be a restart (RFC 4724 4.2) and cost the session. So whatever came in before these bytes
 * is accepted before they are handled. That may end this connection: `c` is not to be used then,
 * and the speaker knows a stale id. Once the session is up the order is the other one: who ends it
 * and calls again is not to be refused because of what it has ended.
 */
static void deliver(struct connection *c, size_t size) {
    struct sockets *s = connection_owner(c);
    struct bgp_conn_id id = c->id;
    if (!bgp_conn_established(s->host->speaker, id))
        sockets_accept(s);
    if (connection_find(s, id))
        mrt_log_octets(s->host->mrt, connection_tap(c), c->source.fd, false, s->buffer, size);
    bgp_conn_receive(s->host->speaker, id, s->buffer, size, loop_now());
}

static void receive(struct connection *c) {
    struct sockets *s = connection_owner(c);
    ssize_t got = recv(c->source.fd, s->buffer, SOCKETS_READ_BYTES, MSG_DONTWAIT);
    if (got > 0)
        deliver(c, (size_t)got);
    else if (got == 0)
        connection_ended(c, c->write_errno ? end_of_errno(c->write_errno) : BGP_CONN_CLOSED);
    else if (errno != EAGAIN && errno != EINTR)
        connection_ended(c, end_of_errno(errno));
    else if (c->write_errno)
        connection_ended(c, end_of_errno(c->write_errno));
}

static void connection_io(struct loop_source *source, uint32_t events) {
    struct connection *c = (struct connection *)source;
    struct host *h = connection_owner(c)->host;
    if (c->phase == CONNECTION_CONNECTING) {
        connected(c);
    } else {
        if (events & EPOLLOUT)
            connection_ready(c);
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            receive(c);
    }
    host_drain(h);
}
