/*
 * Terminals of the mock Cisco: sockets on one side, sessions of speaker/ios on the other.
 *
 * Owns the listeners and connections. What is typed goes to a session line by line, and after each
 * line the router does what it asked for. A terminal that does not read is not read from either, so
 * what waits for it is one command's output.
 *
 * As many vty sessions as the configuration has lines, CONSOLES_MAX at the console; who comes too
 * many is turned away by closing. When no line is open to telnet, nothing listens on port 23.
 */
#include "vty.h"

#include "../base/arena.h"
#include "../base/console.h"
#include "../base/text.h"
#include "../ios/ios_session.h"
#include "accept.h"
#include "host.h"
#include "log.h"
#include "router.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONSOLES_MAX 4
#define BACKLOG 16
#define INPUT_BYTES 4096

struct terminal {
    struct loop_source source; /* first */
    struct vty *owner;
    TAILQ_ENTRY(terminal) link;
    struct ios_session *session;
    bool console;
    uint32_t number; /* of the vty */
    struct text out; /* for the socket */
    size_t sent;
};

struct entrance {
    struct loop_source source; /* first; fd -1: closed */
    struct vty *owner;
    bool console;
};

struct vty {
    struct host *host;
    struct entrance telnet, console;
    uint32_t lines; /* open to telnet */
    TAILQ_HEAD(, terminal) terminals;
};

static void entrance_ready(struct loop_source *source, uint32_t events);
static void terminal_ready(struct loop_source *source, uint32_t events);

/* ---- terminals ---- */

static size_t unsent(const struct terminal *t) {
    return t->out.size - t->sent;
}

static void terminal_free(struct terminal *t) {
    struct vty *v = t->owner;
    loop_remove(&v->host->loop, &t->source);
    close(t->source.fd);
    TAILQ_REMOVE(&v->terminals, t, link);
    ios_session_free(t->session, router_ios(v->host->router));
    text_deinit(&t->out);
    alloc_free(t);
}

/* False: the terminal is gone. */
static bool terminal_flush(struct terminal *t) {
    while (unsent(t) > 0) {
        ssize_t n =
            send(t->source.fd, t->out.data + t->sent, unsent(t), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n < 0)
            return false;
        t->sent += (size_t)n;
    }
    text_clear(&t->out);
    t->sent = 0;
    return true;
}

/* Sends what the session has to say; ends with it, once everything is said. */
static void terminal_settle(struct terminal *t) {
    struct text *said = ios_session_output(t->session);
    text_put(&t->out, text_str(said), said->size);
    text_clear(said);
    if (t->out.failed || !terminal_flush(t) || (ios_session_ended(t->session) && unsent(t) == 0)) {
        terminal_free(t);
        return;
    }
    bool listens = unsent(t) == 0 && !ios_session_ended(t->session);
    loop_change(&t->owner->host->loop, &t->source, listens ? EPOLLIN : EPOLLOUT);
}

static void terminal_typed(struct terminal *t, const char *data, size_t size) {
    struct router *r = t->owner->host->router;
    for (size_t at = 0; at < size;) {
        struct ios_view view = router_view(r);
        at += ios_session_input(t->session, router_ios(r), &view, data + at, size - at);
        router_settle(r);
    }
}

static void terminal_ready(struct loop_source *source, uint32_t events) {
    struct terminal *t = (struct terminal *)source;
    struct host *h = t->owner->host;
    char data[INPUT_BYTES];
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t n = recv(source->fd, data, sizeof data, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            terminal_free(t);
            return;
        }
        if (n > 0)
            terminal_typed(t, data, (size_t)n);
    }
    terminal_settle(t);
    host_drain(h);
}

/* The lowest line that nobody is on; false: all are taken. */
static bool line_free(const struct vty *v, bool console, uint32_t *ret_number) {
    uint32_t max = console ? CONSOLES_MAX : v->lines;
    for (uint32_t number = 0; number < max; number++) {
        const struct terminal *t;
        bool taken = false;
        TAILQ_FOREACH(t, &v->terminals, link) {
            taken |= t->console == console && t->number == number;
        }
        *ret_number = number;
        if (!taken)
            return true;
    }
    return false;
}

static bool terminal_new(struct entrance *from, int fd, const char *remote) {
    struct vty *v = from->owner;
    struct ios_view view = router_view(v->host->router);
    struct terminal *t = alloc_zero(1, sizeof *t);
    if (!t)
        return false;
    t->owner = v;
    t->console = from->console;
    t->source = (struct loop_source){.fd = fd, .ready = terminal_ready};
    text_init(&t->out);
    if (line_free(v, t->console, &t->number))
        t->session =
            ios_session_new(router_ios(v->host->router), &view, t->console, t->number, remote);
    if (!t->session || !loop_add(&v->host->loop, &t->source, EPOLLIN)) {
        ios_session_free(t->session, router_ios(v->host->router));
        alloc_free(t);
        return false;
    }
    TAILQ_INSERT_TAIL(&v->terminals, t, link);
    terminal_settle(t);
    return true;
}

/* ---- entrances ---- */

/* Who is at the other end of a unix socket. */
static bool credentials_ok(int fd) {
    struct ucred who;
    socklen_t size = sizeof who;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
           (who.uid == 0 || who.uid == geteuid());
}

static void remote_text(int fd, char text[INET6_ADDRSTRLEN]) {
    struct sockaddr_in6 a = {.sin6_family = AF_UNSPEC};
    socklen_t size = sizeof a;
    text[0] = '\0';
    if (getpeername(fd, (struct sockaddr *)&a, &size) != 0 || a.sin6_family != AF_INET6)
        return;
    if (IN6_IS_ADDR_V4MAPPED(&a.sin6_addr))
        inet_ntop(AF_INET, &a.sin6_addr.s6_addr[12], text, INET6_ADDRSTRLEN);
    else
        inet_ntop(AF_INET6, &a.sin6_addr, text, INET6_ADDRSTRLEN);
}

static void entrance_ready(struct loop_source *source, uint32_t events) {
    struct entrance *e = (struct entrance *)source;
    char remote[INET6_ADDRSTRLEN];
    int fd = accept_next(e->owner->host, source->fd, NULL), on = 1;
    (void)events;
    if (fd < 0)
        return;
    remote_text(fd, remote);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if ((e->console && !credentials_ok(fd)) || !terminal_new(e, fd, remote))
        close(fd);
}

static void entrance_close(struct entrance *e) {
    if (e->source.fd < 0)
        return;
    loop_remove(&e->owner->host->loop, &e->source);
    close(e->source.fd);
    e->source.fd = -1;
}

static void entrance_open(struct entrance *e, int family, const void *at, socklen_t size) {
    struct host *h = e->owner->host;
    int on = 1, off = 0;
    e->source.fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (e->source.fd < 0)
        return;
    setsockopt(e->source.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6)
        setsockopt(e->source.fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(e->source.fd, at, size) == 0 && listen(e->source.fd, BACKLOG) == 0 &&
        loop_add(&h->loop, &e->source, EPOLLIN))
        return;
    log_line(h->log, "terminal_refused", NULL, "%s: %s", e->console ? "console" : "telnet port",
             strerror(errno));
    close(e->source.fd);
    e->source.fd = -1;
}

static void console_open(struct vty *v) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path + 1, CONSOLE_NAME, strlen(CONSOLE_NAME));
    entrance_open(&v->console, AF_UNIX, &at,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(CONSOLE_NAME)));
}

struct vty *vty_new(struct host *h) {
    struct vty *v = alloc_zero(1, sizeof *v);
    if (!v)
        return NULL;
    v->host = h;
    TAILQ_INIT(&v->terminals);
    v->telnet = (struct entrance){.source = {.fd = -1, .ready = entrance_ready}, .owner = v};
    v->console = v->telnet;
    v->console.console = true;
    console_open(v);
    return v;
}

void vty_free(struct vty *v) {
    struct terminal *t;
    if (!v)
        return;
    while ((t = TAILQ_FIRST(&v->terminals)))
        terminal_free(t);
    entrance_close(&v->telnet);
    entrance_close(&v->console);
    alloc_free(v);
}

void vty_configure(struct vty *v, struct ios_router *r) {
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(VTY_PORT)};
    v->lines = ios_telnet_lines(r);
    if (v->lines == 0)
        entrance_close(&v->telnet);
    else if (v->telnet.source.fd < 0)
        entrance_open(&v->telnet, AF_INET6, &at, sizeof at);
}

/* ---- log and time ---- */

void vty_log(struct vty *v, struct ios_router *r, const char *lines) {
    struct terminal *t, *next;
    for (t = TAILQ_FIRST(&v->terminals); t; t = next) {
        next = TAILQ_NEXT(t, link);
        ios_session_log(t->session, r, lines);
        struct text *said = ios_session_output(t->session);
        if (said->size && t->source.events)
            loop_change(&v->host->loop, &t->source, EPOLLIN | EPOLLOUT);
    }
}

struct nanotime vty_next_deadline(const struct vty *v) {
    struct nanotime first = NANOTIME_NEVER;
    const struct terminal *t;
    if (!v)
        return first;
    TAILQ_FOREACH(t, &v->terminals, link) {
        if (nanotime_before(ios_session_deadline(t->session), first))
            first = ios_session_deadline(t->session);
    }
    return first;
}

void vty_advance(struct vty *v, struct nanotime now) {
    struct terminal *t, *next;
    for (t = v ? TAILQ_FIRST(&v->terminals) : NULL; t; t = next) {
        next = TAILQ_NEXT(t, link);
        if (nanotime_before(now, ios_session_deadline(t->session)))
            continue;
        ios_session_advance(t->session, router_ios(v->host->router), now);
        terminal_settle(t);
    }
}
