/*
 * Log lines: one per event, lower case, escaped.
 *
 * Owns the line format ("12.345678 id peer text", monotonic seconds), the pending output and the
 * rate limits. Lines go to --log or --log-fd; without it to the inherited control connection as
 * events; without that to standard error. A reader that is slow never stops the speaker: what does
 * not fit into LOG_PENDING_MAX is dropped and counted. Standard error is shared with others, whose
 * writes must not begin to fail: it stays blocking, and is written to when it has room.
 *
 * What a remote can cause passes a token bucket per kind of line; what was suppressed is said with
 * the next line of that kind. An IOS router logs IOS's own lines for the speaker's events and keeps
 * the last of them for `show logging`.
 */
#include "log.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "../config/config_fields.h"
#include "../core/message.h"
#include "append_file.h"
#include "badauth.h"
#include "control.h"
#include "host.h"
#include "router.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_PENDING_MAX ((size_t)256 * 1024)
#define LOG_RECENT_MAX ((size_t)16 * 1024)
#define LOG_LINE_MAX 1024
#define LOG_BURST 2000    /* lines of one kind at once */
#define LOG_PER_SECOND 20 /* … and in the long run */
#define LOG_KINDS 24

struct bucket {
    uint32_t tokens, suppressed;
    struct nanotime filled;
};

struct log {
    struct loop_source source; /* first; the pipe, while it is full */
    struct host *host;
    bool own_fd, waiting;
    uint64_t dropped;
    struct text pending, recent, line;
    struct bucket buckets[LOG_KINDS];
};

enum log_kind {
    KIND_UP,
    KIND_DOWN,
    KIND_NOTIFIED,
    KIND_IOS,
    KIND_SIGNATURE,
    KIND_NO_DESCRIPTOR,
    KIND_ROUTE_REFUSED,
    KIND_FIRST_ID
};
_Static_assert(KIND_FIRST_ID + BGP_LOG_IMPORT_OUTDATED < LOG_KINDS, "a bucket for each kind");

static const char *const id_names[] = {
    [BGP_LOG_PREFIX_WARNING] = "prefix_warning",
    [BGP_LOG_PREFIX_EXCEEDED] = "prefix_limit",
    [BGP_LOG_MALFORMED_UPDATE] = "malformed_update",
    [BGP_LOG_COLLISION] = "collision",
    [BGP_LOG_GR_STARTED] = "restart_started",
    [BGP_LOG_GR_ENDED] = "restart_ended",
    [BGP_LOG_UNKNOWN_PEER] = "unknown_peer",
    [BGP_LOG_LOCKED] = "locked",
    [BGP_LOG_NO_MEMORY] = "no_memory",
    [BGP_LOG_IMPORT_OUTDATED] = "import_outdated",
};

static const char *const reason_names[] = {
    [BGP_DOWN_NONE] = "none",
    [BGP_DOWN_NOTIFICATION_SENT] = "notification_sent",
    [BGP_DOWN_NOTIFICATION_RECEIVED] = "notification_received",
    [BGP_DOWN_PEER_CLOSED] = "peer_closed",
    [BGP_DOWN_CONNECT_FAILED] = "connect_failed",
    [BGP_DOWN_COLLISION] = "collision",
    [BGP_DOWN_ADMIN_SHUTDOWN] = "admin_shutdown",
    [BGP_DOWN_ADMIN_RESET] = "admin_reset",
    [BGP_DOWN_DECONFIGURED] = "deconfigured",
    [BGP_DOWN_CONFIG_CHANGE] = "config_change",
    [BGP_DOWN_RR_CLIENT_CHANGE] = "rr_client_change",
    [BGP_DOWN_PREFIX_LIMIT] = "prefix_limit",
    [BGP_DOWN_INTERFACE] = "interface",
    [BGP_DOWN_BFD] = "bfd_down",
    [BGP_DOWN_NO_ROUTE] = "no_route",
    [BGP_DOWN_ROUTER_ID_CHANGE] = "router_id_change",
    [BGP_DOWN_CLUSTER_ID_CHANGE] = "cluster_id_change",
    [BGP_DOWN_CONFEDERATION_CHANGE] = "confederation_change",
    [BGP_DOWN_REMOTE_AS_CHANGE] = "remote_as_change",
    [BGP_DOWN_LOCAL_AS_CHANGE] = "local_as_change",
    [BGP_DOWN_SOURCE_CHANGE] = "source_change",
    [BGP_DOWN_MULTIHOP_CHANGE] = "multihop_change",
    [BGP_DOWN_FAMILIES_CHANGE] = "families_change",
    [BGP_DOWN_CAPABILITY_CHANGE] = "capability_change",
};

const char *log_reason_name(int reason) {
    size_t count = sizeof reason_names / sizeof reason_names[0];
    return reason >= 0 && (size_t)reason < count ? reason_names[reason] : "";
}

static void log_writable(struct loop_source *source, uint32_t events);
static void log_flush(struct log *l);

struct log *log_new(struct host *h) {
    struct log *l = alloc_zero(1, sizeof *l);
    if (!l)
        return NULL;
    l->host = h;
    l->own_fd = h->options.log_fd >= 0 || h->options.log_file;
    l->source.ready = log_writable;
    l->source.fd = h->options.log_file ? append_file_open(h->options.log_file, 0640)
                   : l->own_fd         ? h->options.log_fd
                                       : STDERR_FILENO;
    if (l->source.fd < 0) {
        alloc_free(l);
        return NULL;
    }
    if (l->own_fd)
        fcntl(l->source.fd, F_SETFL, fcntl(l->source.fd, F_GETFL) | O_NONBLOCK);
    text_init(&l->pending);
    text_init(&l->recent);
    text_init(&l->line);
    for (int i = 0; i < LOG_KINDS; i++)
        l->buckets[i] = (struct bucket){.tokens = LOG_BURST, .filled = loop_now()};
    return l;
}

void log_reopen(struct log *l) {
    const char *path = l->host->options.log_file;
    int fd = path ? append_file_open(path, 0640) : -1;
    if (path && fd < 0)
        log_line(l, "log_not_reopened", NULL, "file=%s %s", path, strerror(errno));
    if (fd < 0)
        return;
    if (l->waiting)
        loop_remove(&l->host->loop, &l->source);
    l->waiting = false;
    close(l->source.fd);
    l->source.fd = fd;
    log_flush(l);
}

void log_free(struct log *l) {
    if (!l)
        return;
    if (l->host->options.log_file)
        close(l->source.fd);
    text_deinit(&l->pending);
    text_deinit(&l->recent);
    text_deinit(&l->line);
    alloc_free(l);
}

/* ---- output ---- */

/* Like write() where it does not block: standard error takes PIPE_BUF octets once it takes any. */
static ssize_t log_write(const struct log *l, const char *data, size_t size) {
    struct pollfd room = {.fd = l->source.fd, .events = POLLOUT};
    if (l->own_fd)
        return write(l->source.fd, data, size);
    if (poll(&room, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(l->source.fd, data, size < PIPE_BUF ? size : PIPE_BUF);
}

/* Writes what is pending; stops without blocking where the reader is slow. */
static void log_flush(struct log *l) {
    size_t at = 0;
    while (at < l->pending.size) {
        ssize_t wrote = log_write(l, l->pending.data + at, l->pending.size - at);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            break;
        at += (size_t)wrote;
    }
    bool full = at < l->pending.size && errno == EAGAIN;
    if (full && at > 0) {
        memmove(l->pending.data, l->pending.data + at, l->pending.size - at + 1);
        l->pending.size -= at;
    } else if (!full) {
        text_clear(&l->pending);
    }
    if (full && !l->waiting)
        l->waiting = loop_add(&l->host->loop, &l->source, EPOLLOUT);
    if (!full && l->waiting) {
        loop_remove(&l->host->loop, &l->source);
        l->waiting = false;
    }
}

static void log_writable(struct loop_source *source, uint32_t events) {
    struct log *l = (struct log *)source;
    (void)events;
    log_flush(l);
}

static void keep_recent(struct log *l, const char *line, size_t size) {
    text_put(&l->recent, line, size);
    if (l->recent.failed || l->recent.size < LOG_RECENT_MAX)
        return;
    const char *middle = memchr(l->recent.data + LOG_RECENT_MAX / 2, '\n', l->recent.size / 2);
    size_t cut = middle ? (size_t)(middle - l->recent.data) + 1 : l->recent.size;
    memmove(l->recent.data, l->recent.data + cut, l->recent.size - cut + 1);
    l->recent.size -= cut;
}

/* One whole line with its newline. */
static void put_line(struct log *l, const char *line, size_t size) {
    if (!l->own_fd && l->host->options.control_fd >= 0 && l->host->control) {
        control_log(l->host->control, line, size);
        return;
    }
    if (l->pending.size + size > LOG_PENDING_MAX) {
        l->dropped++;
        return;
    }
    if (l->dropped && l->pending.size == 0) {
        text_printf(&l->pending, "log_dropped - lines=%llu\n", (unsigned long long)l->dropped);
        l->dropped = 0;
    }
    text_put(&l->pending, line, size);
    if (!l->waiting)
        log_flush(l);
}

static void put_stamp(struct log *l, const char *id, const char *peer) {
    uint64_t us = loop_now().ns / 1000;
    text_clear(&l->line);
    text_printf(&l->line, "%llu.%06llu %s %s", (unsigned long long)(us / 1000000),
                (unsigned long long)(us % 1000000), id, peer && peer[0] ? "" : "-");
    if (peer)
        text_put_escaped(&l->line, peer, strlen(peer));
    text_putc(&l->line, ' ');
}

void log_line(struct log *l, const char *id, const char *peer, const char *format, ...) {
    char facts[LOG_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(facts, sizeof facts, format, arguments);
    va_end(arguments);
    if (!l || size < 0)
        return;
    put_stamp(l, id, peer);
    text_put_escaped(&l->line, facts, strlen(facts));
    text_putc(&l->line, '\n');
    if (!l->line.failed)
        put_line(l, l->line.data, l->line.size);
}

const char *log_wall_clock(char out[LOG_WALL_CLOCK_SIZE]) {
    time_t now = time(NULL);
    struct tm t;
    if (!gmtime_r(&now, &t) || !strftime(out, LOG_WALL_CLOCK_SIZE, "%Y-%m-%dT%H:%M:%SZ", &t))
        out[0] = '\0';
    return out;
}

void log_text(struct log *l, const char *lines) {
    while (*lines) {
        size_t size = strcspn(lines, "\n");
        size += lines[size] == '\n';
        keep_recent(l, lines, size);
        put_line(l, lines, size);
        lines += size;
    }
}

const struct text *log_recent(const struct log *l) {
    return &l->recent;
}

void log_clear_recent(struct log *l) {
    text_clear(&l->recent);
}

/* ---- events of the speaker ---- */

static bool bucket_take(struct log *l, unsigned kind) {
    struct bucket *b = &l->buckets[kind % LOG_KINDS];
    struct nanotime now = loop_now();
    uint64_t earned = nanotime_since(now, b->filled) * LOG_PER_SECOND / NANOS_PER_S;
    if (earned) {
        b->filled = now;
        b->tokens = b->tokens + earned > LOG_BURST ? LOG_BURST : b->tokens + (uint32_t)earned;
    }
    if (b->tokens == 0) {
        b->suppressed++;
        return false;
    }
    b->tokens--;
    if (b->suppressed) {
        uint32_t count = b->suppressed;
        b->suppressed = 0;
        log_line(l, "log_suppressed", NULL, "lines=%u", count);
    }
    return true;
}

static void log_state(struct log *l, const struct bgp_event *e, const struct bgp_peer_info *info) {
    char addr[IP_ADDR_TEXT_MAX];
    ip_format(info->config->remote_addr, addr);
    if (e->state.new_state == BGP_ESTABLISHED && bucket_take(l, KIND_UP))
        log_line(l, "session_up", info->config->name, "addr=%s as=%u hold=%u side=%s", addr,
                 info->config->remote_as, info->hold_time_s, info->incoming ? "in" : "out");
    else if (e->state.old_state == BGP_ESTABLISHED && bucket_take(l, KIND_DOWN))
        log_line(l, "session_down", info->config->name, "addr=%s reason=%s %s", addr,
                 log_reason_name((int)e->state.reason), info->last_error ? info->last_error : "");
}

/* What the OPEN said that was refused, or the reason that a hard reset carries. */
static void put_notified(const struct log *l, const struct bgp_event *e,
                         const struct bgp_notification *n, struct text *out) {
    char id[IP_ADDR_TEXT_MAX];
    uint32_t size = 0;
    struct bgp_notification inner;
    struct bgp_open open;
    struct bgp_error error;
    if (notification_hard_reset(n, &inner))
        text_printf(out, " inside=%s/%s", bgp_error_name(inner.code),
                    bgp_suberror_name(inner.code, inner.subcode));
    if (!e->notified.sent || n->code != BGP_ERR_OPEN)
        return;
    const uint8_t *body = bgp_refused_open(l->host->speaker, e->peer, &size);
    if (body && open_decode(body, size, &open, &error))
        text_printf(out, " open_as=%u open_id=%s open_hold=%u", open.asn,
                    ip_format(ip4(open.router_id), id), open.hold_time_s);
}

static void log_notified(struct log *l, const struct bgp_event *e, const char *peer) {
    struct text shutdown, facts;
    const char *suberror = bgp_suberror_name(e->notified.code, e->notified.subcode);
    struct bgp_notification n = {.code = e->notified.code,
                                 .subcode = e->notified.subcode,
                                 .data = e->notified.data,
                                 .size = e->notified.size};
    if (!bucket_take(l, KIND_NOTIFIED))
        return;
    text_init(&shutdown);
    text_init(&facts);
    put_notified(l, e, &n, &facts);
    if (!notification_shutdown_text(&n, &shutdown))
        text_clear(&shutdown);
    log_line(l, e->notified.sent ? "notification_sent" : "notification_received", peer,
             "code=%u subcode=%u %s%s%s%s%s%s", n.code, n.subcode, bgp_error_name(n.code),
             suberror[0] ? "/" : "", suberror, text_str(&facts), shutdown.size ? " text=" : "",
             text_str(&shutdown));
    text_deinit(&facts);
    text_deinit(&shutdown);
}

/* What the numbers of an event are, a blank behind each. */
static void put_values(struct text *out, const struct bgp_event *e) {
    unsigned long long a = e->log.value1, b = e->log.value2;
    switch (e->log.id) {
    case BGP_LOG_PREFIX_WARNING:
    case BGP_LOG_PREFIX_EXCEEDED:
        text_printf(out, "family=%s count=%llu limit=%llu ", config_family_names[e->log.family], a,
                    b);
        break;
    case BGP_LOG_MALFORMED_UPDATE:
        text_printf(out, "attribute=%llu outcome=%s ", a, bgp_outcome_name((enum bgp_outcome)b));
        break;
    case BGP_LOG_COLLISION:
        text_printf(out, "kept=%s ", a ? "in" : "out");
        break;
    case BGP_LOG_GR_STARTED:
        text_printf(out, "restart_time=%llu ", a);
        break;
    case BGP_LOG_GR_ENDED:
        text_printf(out, "family=%s purged=%llu ", config_family_names[b], a);
        break;
    case BGP_LOG_IMPORT_OUTDATED:
        text_printf(out, "family=%s ", config_family_names[a]);
        break;
    case BGP_LOG_UNKNOWN_PEER:
    case BGP_LOG_LOCKED:
    case BGP_LOG_NO_MEMORY:
        break;
    }
}

static void log_id(struct log *l, const struct bgp_event *e, const char *peer) {
    char addr[IP_ADDR_TEXT_MAX];
    struct text values;
    if (!bucket_take(l, KIND_FIRST_ID + (unsigned)e->log.id))
        return;
    text_init(&values);
    put_values(&values, e);
    bool has_addr = ip_is_set(e->log.address);
    log_line(l, id_names[e->log.id], peer, "%s%s%s", text_str(&values), has_addr ? "addr=" : "",
             has_addr ? ip_format(e->log.address, addr) : "");
    text_deinit(&values);
}

static void log_ios(struct log *l, const struct bgp_event *e) {
    struct text lines;
    text_init(&lines);
    router_log_event(l->host->router, e, &lines);
    if (lines.size && bucket_take(l, KIND_IOS))
        router_log_lines(l->host->router, text_str(&lines));
    text_deinit(&lines);
}

void log_bad_signature(struct log *l, const char *peer, const struct badauth_call *c,
                       bool missing) {
    char from[IP_ADDR_TEXT_MAX];
    if (!bucket_take(l, l->host->router ? KIND_IOS : KIND_SIGNATURE))
        return;
    if (l->host->router)
        router_log_bad_signature(l->host->router, missing, c->from, c->from_port, c->to,
                                 c->to_port);
    else
        log_line(l, "bad_signature", peer, "addr=%s port=%u signature=%s", ip_format(c->from, from),
                 c->from_port, missing ? "missing" : "invalid");
}

void log_no_descriptor(struct log *l) {
    if (l && bucket_take(l, KIND_NO_DESCRIPTOR))
        log_line(l, "no_descriptor", NULL, "connection reset; raise RLIMIT_NOFILE");
}

void log_route_refused(struct log *l, struct ip_prefix prefix, const char *why) {
    char text[IP_PREFIX_TEXT_MAX];
    if (l && bucket_take(l, KIND_ROUTE_REFUSED))
        log_line(l, "route_refused", ip_prefix_format(prefix, text), "%s", why);
}

void log_event(struct log *l, const struct bgp_event *e) {
    struct bgp_peer_info info;
    bool known = e->peer.index && bgp_peer_get(l->host->speaker, e->peer, &info);
    const char *peer = known ? info.config->name : NULL;
    if (l->host->router) {
        log_ios(l, e);
        return;
    }
    if (e->kind == BGP_EVENT_STATE && known)
        log_state(l, e, &info);
    else if (e->kind == BGP_EVENT_NOTIFIED)
        log_notified(l, e, peer);
    else if (e->kind == BGP_EVENT_LOG)
        log_id(l, e, peer);
}
