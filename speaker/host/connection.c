/*
 * One TCP connection of a peer: made or taken over, read, written, let go.
 *
 * Owns the descriptor and its registration. The speaker owns what is said: output is pulled when
 * the kernel can take it and never queued here, but for the tail of a connection the speaker has
 * let go (CLOSE), whose last words are copied because the speaker forgets them.
 *
 * Leaving: what is left is written, then FIN, then we read and discard until the remote closes or
 * SOCKETS_LEAVE_MS have passed. Closing with unread input would make the kernel send RST, and the
 * remote would lose our NOTIFICATION.
 *
 * A failed send is not the end: input that arrived before (a NOTIFICATION, usually) is read first.
 *
 * Outgoing connects beyond SOCKETS_CONNECTS_MAX wait their turn in the order they were asked for.
 */
#include "connection.h"

#include "../base/arena.h"
#include "host.h"
#include "log.h"
#include "mrt_log.h"
#include "sockopt.h"

#include <errno.h>
#include <netinet/in.h>
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

/* ---- the set of connections ---- */

static bool index_reserve(struct sockets *s, uint32_t index) {
    if (index < s->by_index_size)
        return true;
    uint32_t size = s->by_index_size ? s->by_index_size : 16;
    while (size <= index)
        size *= 2;
    struct connection **grown = alloc_resize(s->by_index, size, sizeof(struct connection *));
    if (!grown)
        return false;
    memset(grown + s->by_index_size, 0, (size - s->by_index_size) * sizeof(struct connection *));
    s->by_index = grown;
    s->by_index_size = size;
    return true;
}

static struct connection *connection_new(struct sockets *s, struct bgp_conn_id id) {
    struct connection *c = index_reserve(s, id.index) ? alloc_zero(1, sizeof *c) : NULL;
    if (!c)
        return NULL;
    if (s->by_index[id.index])
        connection_drop(s->by_index[id.index]); /* its id was reused: it is dead */
    c->owner = s;
    c->id = id;
    c->source = (struct loop_source){.fd = -1, .ready = connection_io};
    s->by_index[id.index] = c;
    s->count++;
    return c;
}

struct connection *connection_find(const struct sockets *s, struct bgp_conn_id id) {
    struct connection *c = id.index < s->by_index_size ? s->by_index[id.index] : NULL;
    return c && c->id.generation == id.generation ? c : NULL;
}

/* Off its queue and out of the index: the id means nothing any more. */
static void connection_detach(struct connection *c) {
    struct sockets *s = c->owner;
    if (c->phase == CONNECTION_WAITING)
        TAILQ_REMOVE(&s->waiting, c, link);
    else if (c->ready)
        TAILQ_REMOVE(&s->ready, c, link);
    else if (c->phase == CONNECTION_LEAVING)
        TAILQ_REMOVE(&s->leaving, c, link);
    if (c->phase == CONNECTION_CONNECTING)
        s->connecting--;
    c->ready = false;
    if (c->phase != CONNECTION_LEAVING)
        s->by_index[c->id.index] = NULL;
}

static void connection_free(struct connection *c) {
    struct sockets *s = c->owner;
    connection_detach(c);
    if (c->source.fd >= 0) {
        loop_remove(&s->host->loop, &c->source);
        close(c->source.fd);
    }
    s->count--;
    mrt_tap_free(c->tap);
    alloc_free(c->tail);
    alloc_free(c);
}

void connection_drop(struct connection *c) {
    struct sockets *s = c->owner;
    connection_free(c);
    connection_next_waiting(s);
}

/* The connection ended by itself: tell the speaker. */
static void connection_ended(struct connection *c, enum bgp_conn_end why) {
    struct sockets *s = c->owner;
    struct bgp_conn_id id = c->id;
    connection_free(c);
    bgp_conn_down(s->host->speaker, id, why, loop_now());
    connection_next_waiting(s);
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
    if (sockets_prepare(s, fd, p, p->remote_addr, true) && bind_source(fd, o->local_addr) &&
        (connect(fd, &a.sa, size) == 0 || errno == EINPROGRESS))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void connection_connect(struct connection *c) {
    struct sockets *s = c->owner;
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
    TAILQ_INSERT_TAIL(&s->waiting, c, link);
    connection_next_waiting(s);
}

/* A connect that fails at once comes back here through connection_ended; the queue shrinks each
 * time, and the guard keeps the depth at one. */
void connection_next_waiting(struct sockets *s) {
    struct connection *c;
    if (s->starting)
        return;
    s->starting = true;
    while (s->connecting < SOCKETS_CONNECTS_MAX && (c = TAILQ_FIRST(&s->waiting))) {
        TAILQ_REMOVE(&s->waiting, c, link);
        connection_connect(c);
    }
    s->starting = false;
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
    struct sockets *s = c->owner;
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
    connection_next_waiting(s);
}

void connection_refresh(struct connection *c) {
    union sockaddr_any remote = {0}, local = {0};
    socklen_t remote_size = sizeof remote, local_size = sizeof local;
    uint16_t port;
    if (getpeername(c->source.fd, &remote.sa, &remote_size) != 0 ||
        getsockname(c->source.fd, &local.sa, &local_size) != 0)
        return;
    struct ip_addr from = sockaddr_addr(&remote, &port);
    const struct bgp_neighbor *p =
        bgp_peer_config_of_call(c->owner->host->speaker, from, sockaddr_addr(&local, &port));
    if (!p)
        return;
    sockopt_ttl_min(c->source.fd, remote.sa.sa_family, 0);
    if (!bgp_neighbor_password(p))
        sockopt_md5(c->source.fd, from, NULL);
    sockets_prepare(c->owner, c->source.fd, p, from, true);
}

/* ---- writing ---- */

void connection_ready(struct connection *c) {
    if (c->ready || c->phase != CONNECTION_UP)
        return;
    c->ready = true;
    TAILQ_INSERT_TAIL(&c->owner->ready, c, link);
}

/* sendmsg wants writable pointers and writes to none of them. */
static ssize_t send_parts(int fd, const struct bgp_part *parts, size_t count) {
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

static size_t parts_size(const struct bgp_part *parts, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    return size;
}

/* The first `sent` octets of the parts (< 0: none), for the file of messages. */
static void log_sent(struct connection *c, const struct bgp_part *parts, size_t count,
                     ssize_t sent) {
    size_t left = sent > 0 && c->owner->host->mrt ? (size_t)sent : 0;
    for (size_t i = 0; i < count && left > 0; i++) {
        size_t size = parts[i].size < left ? parts[i].size : left;
        mrt_log_octets(c->owner->host->mrt, &c->tap, c->source.fd, true, parts[i].data, size);
        left -= size;
    }
}

void connection_flush(struct connection *c, bool *ret_more) {
    struct bgp_speaker *speaker = c->owner->host->speaker;
    struct bgp_part parts[PARTS_MAX];
    bool blocked = false;
    size_t count = 0;
    for (int i = 0; i < FLUSH_ROUNDS_MAX && !c->write_errno && !blocked; i++) {
        count = bgp_conn_pull(speaker, c->id, parts, PARTS_MAX, loop_now());
        if (count == 0)
            break;
        ssize_t sent = send_parts(c->source.fd, parts, count);
        if (sent < 0 && errno != EAGAIN && errno != ENOBUFS)
            c->write_errno = errno;
        log_sent(c, parts, count, sent);
        if (sent > 0)
            bgp_conn_sent(speaker, c->id, (size_t)sent, loop_now());
        blocked = sent < (ssize_t)parts_size(parts, count);
    }
    loop_change(&c->owner->host->loop, &c->source,
                blocked && !c->write_errno ? EPOLLIN | EPOLLOUT : EPOLLIN);
    *ret_more = count > 0 && !blocked && !c->write_errno;
}

/* ---- leaving ---- */

static bool tail_append(struct connection *c, const struct bgp_part *parts, size_t count) {
    size_t size = parts_size(parts, count);
    if (c->tail_size + size > SOCKETS_TAIL_MAX)
        return false;
    uint8_t *grown = alloc_resize(c->tail, c->tail_size + size, 1);
    if (!grown)
        return false;
    c->tail = grown;
    for (size_t i = 0; i < count; i++) {
        memcpy(c->tail + c->tail_size, parts[i].data, parts[i].size);
        c->tail_size += parts[i].size;
    }
    return true;
}

/* What the speaker still has to say on this connection, moved into the tail. */
static void tail_collect(struct connection *c) {
    struct bgp_speaker *speaker = c->owner->host->speaker;
    struct bgp_part parts[PARTS_MAX];
    size_t count;
    while ((count = bgp_conn_pull(speaker, c->id, parts, PARTS_MAX, loop_now())) > 0) {
        size_t size = parts_size(parts, count);
        if (!tail_append(c, parts, count))
            return;
        bgp_conn_sent(speaker, c->id, size, loop_now());
    }
}

/* Writes the tail; FIN behind it. */
static void tail_send(struct connection *c) {
    while (c->tail_at < c->tail_size) {
        struct bgp_part rest = {c->tail + c->tail_at, c->tail_size - c->tail_at};
        ssize_t sent = send_parts(c->source.fd, &rest, 1);
        if (sent < 0 && errno == EAGAIN) {
            loop_change(&c->owner->host->loop, &c->source, EPOLLIN | EPOLLOUT);
            return;
        }
        if (sent < 0) {
            connection_drop(c);
            return;
        }
        log_sent(c, &rest, 1, sent);
        c->tail_at += (size_t)sent;
    }
    loop_change(&c->owner->host->loop, &c->source, EPOLLIN);
    shutdown(c->source.fd, SHUT_WR);
}

void connection_leave(struct connection *c) {
    struct sockets *s = c->owner;
    if (c->phase != CONNECTION_UP || c->write_errno) {
        connection_drop(c);
        return;
    }
    tail_collect(c);
    connection_detach(c);
    c->phase = CONNECTION_LEAVING;
    c->deadline = nanotime_add_ms(loop_now(), SOCKETS_LEAVE_MS);
    TAILQ_INSERT_TAIL(&s->leaving, c, link);
    tail_send(c);
}

static void leaving_io(struct connection *c, uint32_t events) {
    ssize_t got = recv(c->source.fd, c->owner->buffer, SOCKETS_READ_BYTES, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        connection_free(c);
    else if (events & EPOLLOUT)
        tail_send(c);
}

/* ---- reading ---- */

/*
 * A remote that connected to us and then sent the KEEPALIVE which ends the exchange of OPENs on
 * this connection did so in that order: a collision (RFC 4271 6.8). Seen the other way round it
 * would be a restart (RFC 4724 4.2) and cost the session. So whatever came in before these bytes
 * is accepted before they are handled. That may end this connection: `c` is not to be used then,
 * and the speaker knows a stale id.
 */
static void deliver(struct connection *c, size_t size) {
    struct sockets *s = c->owner;
    struct bgp_conn_id id = c->id;
    if (c->reads < CONNECTION_EARLY_READS) {
        c->reads++;
        sockets_accept(s);
    }
    if (connection_find(s, id))
        mrt_log_octets(s->host->mrt, &c->tap, c->source.fd, false, s->buffer, size);
    bgp_conn_receive(s->host->speaker, id, s->buffer, size, loop_now());
}

static void receive(struct connection *c) {
    struct sockets *s = c->owner;
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
    struct host *h = c->owner->host;
    if (c->phase == CONNECTION_LEAVING) {
        leaving_io(c, events);
        return;
    }
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
