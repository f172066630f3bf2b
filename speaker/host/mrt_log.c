/*
 * Messages into an MRT file, as they pass.
 *
 * Owns cutting of what a connection carries into messages, and the file. A message is written when
 * its last octet has passed; how its AS numbers and prefixes are encoded is learned from the OPENs
 * of both sides, as any listener would. The speaker waits for nothing: memory that is missing or a
 * file that does not take more ends the log, said once, not the speaker.
 *
 * Time is that of the wall clock, since the file is for others to read. RFC 6396 4.4, 8050.
 */
#include "mrt_log.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "../core/limits.h"
#include "../core/message.h"
#include "../decode/mrt.h"
#include "../decode/stream.h"
#include "append_file.h"
#include "host.h"
#include "log.h"
#include "sockopt.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FLUSH_BYTES 65536

struct mrt_log {
    struct host *host;
    int fd; /* -1: given up */
    struct text pending;
};

struct mrt_tap {
    struct mrt_session session;
    struct stream streams[2]; /* received, sent */
    struct bgp_open opens[2];
    bool has_open[2];
};

/* A FIFO that nobody reads is an error, not something to wait for. */
struct mrt_log *mrt_log_new(struct host *h, const char *path) {
    struct mrt_log *l = alloc_zero(1, sizeof *l);
    if (!l)
        return NULL;
    l->host = h;
    l->fd = append_file_open(path, 0644);
    if (l->fd >= 0)
        return l;
    alloc_free(l);
    return NULL;
}

static void give_up(struct mrt_log *l, const char *why) {
    log_line(l->host->log, "mrt", NULL, "messages are no longer written: %s", why);
    close(l->fd);
    l->fd = -1;
    text_deinit(&l->pending);
}

void mrt_log_flush(struct mrt_log *l) {
    if (!l || l->fd < 0)
        return;
    if (l->pending.failed) {
        give_up(l, "out of memory");
        return;
    }
    for (size_t at = 0; at < l->pending.size;) {
        ssize_t n = write(l->fd, l->pending.data + at, l->pending.size - at);
        if (n < 0 && errno != EINTR) {
            give_up(l, strerror(errno));
            return;
        }
        at += n > 0 ? (size_t)n : 0;
    }
    text_clear(&l->pending);
}

void mrt_log_free(struct mrt_log *l) {
    if (!l)
        return;
    mrt_log_flush(l);
    if (l->fd >= 0)
        close(l->fd);
    text_deinit(&l->pending);
    alloc_free(l);
}

/* One that was given up has lost octets: where its messages begin is no longer known. */
void mrt_log_reopen(struct mrt_log *l) {
    mrt_log_flush(l);
    if (!l || l->fd < 0)
        return;
    int fd = append_file_open(l->host->options.mrt_file, 0644);
    if (fd < 0) {
        log_line(l->host->log, "mrt", NULL, "file=%s not opened again: %s",
                 l->host->options.mrt_file, strerror(errno));
        return;
    }
    close(l->fd);
    l->fd = fd;
}

static struct mrt_clock wall_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (struct mrt_clock){(uint32_t)t.tv_sec, (uint32_t)(t.tv_nsec / 1000)};
}

/* ---- states ---- */

void mrt_log_state(struct mrt_log *l, const struct bgp_event *e) {
    struct bgp_peer_info info;
    if (!l || l->fd < 0 || !bgp_peer_get(l->host->speaker, e->peer, &info))
        return;
    const struct bgp_config *config = bgp_config_of(l->host->speaker);
    struct ip_addr remote = info.config->remote_addr;
    struct ip_addr local =
        ip_is_set(info.local.addr) ? info.local.addr : info.config->options->local_addr;
    uint32_t local_as =
        info.config->options->local_as ? info.config->options->local_as : config->local_as;
    struct mrt_session s = {.peer = {remote, info.config->remote_as, info.remote_id},
                            .local_as = local_as,
                            .local = local.family == remote.family ? local : (struct ip_addr){0}};
    /* RFC 6396 4.4.1 counts states from 1, in the order of RFC 4271. */
    mrt_put_state(&l->pending, wall_clock(), &s, (uint16_t)(e->state.old_state + 1),
                  (uint16_t)(e->state.new_state + 1));
}

/* ---- messages ---- */

static struct mrt_tap *tap_new(int fd) {
    union sockaddr_any local = {0}, remote = {0};
    socklen_t local_size = sizeof local, remote_size = sizeof remote;
    uint16_t port;
    struct mrt_tap *t = alloc_zero(1, sizeof *t);
    if (!t)
        return NULL;
    getsockname(fd, &local.sa, &local_size);
    getpeername(fd, &remote.sa, &remote_size);
    t->session.local = sockaddr_addr(&local, &port);
    t->session.peer.addr = sockaddr_addr(&remote, &port);
    stream_start(&t->streams[0], UINT32_MAX);
    stream_start(&t->streams[1], UINT32_MAX);
    return t;
}

void mrt_tap_free(struct mrt_tap *t) {
    if (!t)
        return;
    stream_deinit(&t->streams[0]);
    stream_deinit(&t->streams[1]);
    alloc_free(t);
}

static void learn(struct mrt_tap *t, bool sent, const uint8_t *message, size_t size) {
    struct bgp_error error;
    if (!open_decode(message + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, &t->opens[sent], &error))
        return;
    t->has_open[sent] = true;
    if (sent) {
        t->session.local_as = t->opens[1].asn;
    } else {
        t->session.peer.asn = t->opens[0].asn;
        t->session.peer.router_id = t->opens[0].router_id;
    }
}

/* RFC 7911 4: of which families does the sender of this direction send identifiers? */
static void settle_path_ids(struct mrt_tap *t, bool sent) {
    for (int f = 0; f < BGP_FAMILIES; f++)
        t->session.add_path[f] = (t->opens[sent].add_path[f] & BGP_ADD_PATH_SEND) &&
                                 (t->opens[!sent].add_path[f] & BGP_ADD_PATH_RECEIVE);
}

static void put_messages(struct mrt_log *l, struct mrt_tap *t, bool sent) {
    struct stream *s = &t->streams[sent];
    enum bgp_message_type type;
    struct bgp_error error;
    size_t size;
    while ((size = message_peek_extended(s->data, s->size, &type, &error)) > 0 && size <= s->size) {
        if (type == BGP_MSG_OPEN)
            learn(t, sent, s->data, size);
        bool known = t->has_open[0] && t->has_open[1];
        t->session.as4 = !known || (t->opens[0].as4 && t->opens[1].as4);
        settle_path_ids(t, sent);
        mrt_put_message(&l->pending, wall_clock(), &t->session, sent, s->data, size);
        stream_consume(s, size);
    }
    if (error.code != 0) /* the session ends over it; what follows is no message */
        stream_consume(s, s->size);
}

void mrt_log_octets(struct mrt_log *l, struct mrt_tap **tap, int fd, bool sent, const void *data,
                    size_t size) {
    if (!l || l->fd < 0 || size == 0)
        return;
    if (!*tap && !(*tap = tap_new(fd))) {
        give_up(l, "out of memory");
        return;
    }
    struct stream *s = &(*tap)->streams[sent];
    stream_put(s, s->next, data, size, false, 0);
    if (s->no_memory) {
        give_up(l, "out of memory");
        return;
    }
    put_messages(l, *tap, sent);
    if (l->pending.size >= FLUSH_BYTES)
        mrt_log_flush(l);
}
