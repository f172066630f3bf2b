/*
 * Connections that the speaker has let go.
 *
 * Owns the descriptor from then on, and the last words: the speaker forgets them, so they are
 * copied. What is left is written, then FIN, then we read and discard until the remote closes or
 * LEAVE_MS have passed. Closing with unread input would make the kernel send RST, and the remote
 * would lose our NOTIFICATION.
 *
 * Apart from struct connection, because few connections leave at a time and thousands stay.
 */
#include "departure.h"

#include "../base/arena.h"
#include "host.h"
#include "mrt_log.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LEAVE_MS 1000 /* to hear the remote close after our last word */
#define TAIL_MAX (1 << 20)
#define PARTS_MAX 64

struct departure {
    struct loop_source source; /* first: the callback gets it back */
    struct sockets *owner;
    TAILQ_ENTRY(departure) link; /* by deadline */
    struct nanotime deadline;
    struct mrt_tap *tap;
    uint8_t *tail; /* what the kernel did not take yet */
    size_t tail_size, tail_at;
};

static void departure_io(struct loop_source *source, uint32_t events);

static void departure_free(struct departure *d) {
    struct sockets *s = d->owner;
    TAILQ_REMOVE(&s->leaving, d, link);
    loop_remove(&s->host->loop, &d->source);
    close(d->source.fd);
    s->count--;
    mrt_tap_free(d->tap);
    alloc_free(d->tail);
    alloc_free(d);
}

/* ---- the tail ---- */

static bool tail_append(struct departure *d, const struct bgp_part *parts, size_t count) {
    size_t size = connection_parts_size(parts, count);
    if (d->tail_size + size > TAIL_MAX)
        return false;
    uint8_t *grown = alloc_resize(d->tail, d->tail_size + size, 1);
    if (!grown)
        return false;
    d->tail = grown;
    for (size_t i = 0; i < count; i++) {
        memcpy(d->tail + d->tail_size, parts[i].data, parts[i].size);
        d->tail_size += parts[i].size;
    }
    return true;
}

/* What the speaker still has to say on this connection, moved into the tail. */
static void tail_collect(struct departure *d, struct bgp_conn_id id) {
    struct bgp_speaker *speaker = d->owner->host->speaker;
    struct bgp_part parts[PARTS_MAX];
    size_t count;
    while ((count = bgp_conn_pull(speaker, id, parts, PARTS_MAX, loop_now())) > 0) {
        size_t size = connection_parts_size(parts, count);
        if (!tail_append(d, parts, count))
            return;
        bgp_conn_sent(speaker, id, size, loop_now());
    }
}

/* Writes the tail; FIN behind it. */
static void tail_send(struct departure *d) {
    while (d->tail_at < d->tail_size) {
        struct bgp_part rest = {d->tail + d->tail_at, d->tail_size - d->tail_at};
        ssize_t sent = connection_send(d->source.fd, &rest, 1);
        if (sent < 0 && errno == EAGAIN) {
            loop_change(&d->owner->host->loop, &d->source, EPOLLIN | EPOLLOUT);
            return;
        }
        if (sent < 0) {
            departure_free(d);
            return;
        }
        connection_log_sent(d->owner, &d->tap, d->source.fd, &rest, 1, sent);
        d->tail_at += (size_t)sent;
    }
    loop_change(&d->owner->host->loop, &d->source, EPOLLIN);
    shutdown(d->source.fd, SHUT_WR);
}

/* ---- from the first to the last ---- */

bool departure_begin(struct connection *c) {
    struct sockets *s = connection_owner(c);
    struct mrt_tap **tap = connection_tap(c);
    struct departure *d = alloc_zero(1, sizeof *d);
    if (!d)
        return false;
    *d = (struct departure){.source = {.fd = c->source.fd, .ready = departure_io},
                            .owner = s,
                            .deadline = nanotime_add_ms(loop_now(), LEAVE_MS)};
    loop_remove(&s->host->loop, &c->source);
    if (!loop_add(&s->host->loop, &d->source, EPOLLIN)) {
        alloc_free(d);
        return false;
    }
    if (tap) {
        d->tap = *tap;
        *tap = NULL;
    }
    c->source.fd = -1;
    s->count++;
    TAILQ_INSERT_TAIL(&s->leaving, d, link);
    tail_collect(d, c->id);
    tail_send(d);
    return true;
}

static void departure_io(struct loop_source *source, uint32_t events) {
    struct departure *d = (struct departure *)source;
    ssize_t got = recv(d->source.fd, d->owner->buffer, SOCKETS_READ_BYTES, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        departure_free(d);
    else if (events & EPOLLOUT)
        tail_send(d);
}

void departures_advance(struct sockets *s, struct nanotime now) {
    struct departure *d;
    while ((d = TAILQ_FIRST(&s->leaving)) && !nanotime_before(now, d->deadline))
        departure_free(d);
}

struct nanotime departures_next_deadline(const struct sockets *s) {
    const struct departure *d = TAILQ_FIRST(&s->leaving);
    return d ? d->deadline : NANOTIME_NEVER;
}

void departures_abort(struct sockets *s) {
    struct departure *d;
    while ((d = TAILQ_FIRST(&s->leaving)))
        departure_free(d);
}
