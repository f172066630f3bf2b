/*
 * The control socket: connections, lines in, lines out.
 *
 * Owns the listening path (mode 0600, SO_PEERCRED), the inherited connection and the buffers. What
 * a line asks for is requests.c's. Answers go out in the order of the requests: while a dump is
 * under way, further lines wait, and a client that does not read is not read from either, so that
 * buffers stay bounded.
 *
 * A path left behind by a dead speaker is replaced; one that answers is in use.
 */
#include "control.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "../base/text.h"
#include "accept.h"
#include "dump.h"
#include "host.h"
#include "log.h"
#include "requests.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONTROL_CLIENTS_MAX 16
#define CONTROL_LINE_MAX ((size_t)64 << 20)
#define CONTROL_READ_BYTES 65536
#define CONTROL_OUT_HIGH ((size_t)1 << 20)
#define CONTROL_LOG_HIGH ((size_t)256 << 10)
#define CONTROL_DUMP_MS 100 /* of one turn */

struct client {
    struct loop_source source; /* first */
    struct control *owner;
    TAILQ_ENTRY(client) link;
    struct text in, out;
    size_t scanned; /* bytes of `in` known to hold no newline */
    size_t sent;    /* bytes of `out` */
    struct dump *dump;
    bool inherited;
    bool ended; /* reads no more; closed when `out` is empty */
};

struct control {
    struct loop_source source; /* first: the listener, fd -1 when there is none */
    struct host *host;
    const char *path;
    TAILQ_HEAD(, client) clients;
    size_t client_count;
};

static void client_ready(struct loop_source *source, uint32_t events);
static void listener_ready(struct loop_source *source, uint32_t events);

/* ---- clients ---- */

static bool client_new(struct control *c, int fd, bool inherited) {
    struct client *client = alloc_zero(1, sizeof *client);
    if (!client)
        return false;
    client->owner = c;
    client->inherited = inherited;
    client->source = (struct loop_source){.fd = fd, .ready = client_ready};
    text_init(&client->in);
    text_init(&client->out);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (!loop_add(&c->host->loop, &client->source, EPOLLIN)) {
        alloc_free(client);
        return false;
    }
    TAILQ_INSERT_TAIL(&c->clients, client, link);
    c->client_count++;
    return true;
}

static void client_free(struct client *client) {
    struct control *c = client->owner;
    loop_remove(&c->host->loop, &client->source);
    close(client->source.fd);
    accept_operator_left(c->host);
    TAILQ_REMOVE(&c->clients, client, link);
    c->client_count--;
    dump_free(client->dump);
    text_deinit(&client->in);
    text_deinit(&client->out);
    alloc_free(client);
}

static size_t unsent(const struct client *client) {
    return client->out.size - client->sent;
}

/* Memory of a large answer is not kept. */
static void out_reset(struct client *client) {
    if (client->out.capacity > CONTROL_READ_BYTES) {
        text_deinit(&client->out);
        text_init(&client->out);
        client->owner->host->trim_wanted = true;
    }
    text_clear(&client->out);
    client->sent = 0;
}

/* False: the client is gone. */
static bool client_flush(struct client *client) {
    while (unsent(client) > 0) {
        ssize_t sent = send(client->source.fd, client->out.data + client->sent, unsent(client),
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0)
            return false;
        client->sent += (size_t)sent;
    }
    if (unsent(client) == 0)
        out_reset(client);
    return true;
}

/* Pieces of the dump, until the client is slow or the turn's time is over. */
static bool client_dump(struct client *client) {
    struct nanotime end = nanotime_add_ms(loop_now(), CONTROL_DUMP_MS);
    while (client->dump && unsent(client) == 0 && nanotime_before(loop_now(), end)) {
        if (!dump_step(client->dump, &client->out, CONTROL_OUT_HIGH)) {
            dump_free(client->dump);
            client->dump = NULL;
        }
        if (client->out.failed || !client_flush(client))
            return false;
    }
    return true;
}

static void client_watch(struct client *client) {
    bool busy = client->dump || unsent(client) > CONTROL_OUT_HIGH;
    uint32_t events = busy || client->ended ? 0 : EPOLLIN;
    if (unsent(client) > 0)
        events |= EPOLLOUT;
    loop_change(&client->owner->host->loop, &client->source, events);
}

/* The next whole line in `in`, or NULL. */
static const char *next_line(struct client *client, size_t at, size_t *ret_size) {
    size_t from = client->scanned > at ? client->scanned : at;
    if (!client->in.data || from >= client->in.size)
        return NULL;
    const char *end = memchr(client->in.data + from, '\n', client->in.size - from);
    client->scanned = client->in.size;
    if (!end)
        return NULL;
    *ret_size = (size_t)(end - client->in.data) - at;
    client->scanned = at + *ret_size + 1;
    return client->in.data + at;
}

static void in_consume(struct client *client, size_t size) {
    if (size == 0)
        return;
    memmove(client->in.data, client->in.data + size, client->in.size - size + 1);
    client->in.size -= size;
    client->scanned = client->scanned > size ? client->scanned - size : 0;
    if (client->in.size == 0 && client->in.capacity > CONTROL_READ_BYTES) {
        text_deinit(&client->in);
        text_init(&client->in);
        client->owner->host->trim_wanted = true;
    }
}

/* Runs the lines that are whole. False: the client is to be dropped. */
static bool client_lines(struct client *client) {
    size_t at = 0, size;
    const char *line;
    bool ok = true;
    while (ok && !client->dump && unsent(client) <= CONTROL_OUT_HIGH &&
           (line = next_line(client, at, &size))) {
        if (size > 0)
            client->dump = request_run(client->owner->host, line, size, &client->out);
        at += size + 1;
        ok = !client->out.failed && (!client->dump || client_dump(client));
    }
    in_consume(client, at);
    return ok && client->in.size <= CONTROL_LINE_MAX;
}

static bool client_read(struct client *client) {
    static char buffer[CONTROL_READ_BYTES];
    ssize_t got = recv(client->source.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got < 0)
        return false;
    if (got == 0)
        client->ended = true;
    text_put(&client->in, buffer, (size_t)got);
    return !client->in.failed;
}

/* Everything that can go on goes on; drops the client when it ended or failed. */
static void client_run(struct client *client) {
    bool ok =
        client_flush(client) && client_dump(client) && client_lines(client) && client_flush(client);
    if (!ok || (client->ended && unsent(client) == 0 && !client->dump))
        client_free(client);
    else
        client_watch(client);
}

static void client_ready(struct loop_source *source, uint32_t events) {
    struct client *client = (struct client *)source;
    struct host *h = client->owner->host;
    bool ok = true;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        ok = client_read(client);
    if (ok)
        client_run(client);
    else
        client_free(client);
    host_drain(h);
}

bool control_work(struct control *c) {
    struct client *client, *next;
    bool more = false;
    for (client = TAILQ_FIRST(&c->clients); client; client = next) {
        next = TAILQ_NEXT(client, link);
        if (client->dump && unsent(client) == 0)
            client_run(client);
    }
    TAILQ_FOREACH(client, &c->clients, link)
    more |= client->dump && unsent(client) == 0;
    return more;
}

bool control_idle(const struct control *c) {
    const struct client *client;
    TAILQ_FOREACH(client, &c->clients, link)
    if (unsent(client) > 0)
        return false;
    return true;
}

void control_log(struct control *c, const char *line, size_t size) {
    struct client *client = TAILQ_FIRST(&c->clients);
    if (!client || !client->inherited || client->dump || unsent(client) > CONTROL_LOG_HIGH)
        return;
    size -= size > 0 && line[size - 1] == '\n';
    json_t *event = json_pack("{s:s, s:I, s:s%}", "event", "log", "time_ns",
                              (json_int_t)loop_now().ns, "text", line, size);
    if (event) {
        request_put_json(&client->out, event);
        text_putc(&client->out, '\n');
        json_decref(event);
    }
    if (client_flush(client))
        client_watch(client);
}

/* ---- listening ---- */

static bool credentials_ok(int fd) {
    struct ucred who;
    socklen_t size = sizeof who;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
           (who.uid == 0 || who.uid == geteuid());
}

static void listener_ready(struct loop_source *source, uint32_t events) {
    struct control *c = (struct control *)source;
    int fd = accept_operator(c->host, source->fd);
    (void)events;
    if (fd < 0)
        return;
    if (c->client_count >= CONTROL_CLIENTS_MAX || !credentials_ok(fd) ||
        !client_new(c, fd, false)) {
        log_line(c->host->log, "control_refused", NULL, "too many clients, or another user");
        close(fd);
        accept_operator_left(c->host);
    }
}

/* Is somebody listening there? */
static bool path_alive(const struct sockaddr_un *at) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool alive = fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof *at) == 0;
    if (fd >= 0)
        close(fd);
    return alive;
}

static bool bind_path(int fd, const struct sockaddr_un *at) {
    struct stat st;
    mode_t mask;
    if (lstat(at->sun_path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        if (path_alive(at)) {
            errno = EADDRINUSE;
            return false;
        }
        unlink(at->sun_path);
    }
    mask = umask(0177);
    bool ok = bind(fd, (const struct sockaddr *)at, sizeof *at) == 0;
    umask(mask);
    return ok && listen(fd, CONTROL_CLIENTS_MAX) == 0;
}

static bool control_listen(struct control *c, const char *path) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(at.sun_path, path, strlen(path));
    c->source.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->source.fd < 0 || !bind_path(c->source.fd, &at))
        return false;
    c->path = path;
    return loop_add(&c->host->loop, &c->source, EPOLLIN);
}

/* Why there is no listening on `path`, for whoever named it. */
static const char *listen_problem(const char *path, int error) {
    struct stat st;
    if (error != EADDRINUSE || !path || lstat(path, &st) != 0)
        return strerror(error);
    return S_ISSOCK(st.st_mode) ? "a running speaker has it; --control PATH names another"
                                : "something that is no socket is there";
}

struct control *control_new(struct host *h, struct diag_list *diags) {
    struct control *c = alloc_zero(1, sizeof *c);
    const struct host_options *o = &h->options;
    if (!c)
        return NULL;
    c->host = h;
    c->source = (struct loop_source){.fd = -1, .ready = listener_ready};
    TAILQ_INIT(&c->clients);
    bool ok = true;
    if (o->control_fd >= 0)
        ok = client_new(c, o->control_fd, true);
    else if (o->control_path)
        ok = control_listen(c, o->control_path);
    if (ok)
        return c;
    diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "control", "control socket%s%s: %s",
             o->control_path ? " " : "", o->control_path ? o->control_path : "",
             listen_problem(o->control_path, errno));
    control_free(c);
    return NULL;
}

void control_free(struct control *c) {
    struct client *client;
    if (!c)
        return;
    while ((client = TAILQ_FIRST(&c->clients)))
        client_free(client);
    if (c->source.fd >= 0) {
        loop_remove(&c->host->loop, &c->source);
        close(c->source.fd);
    }
    if (c->path)
        unlink(c->path);
    alloc_free(c);
}
