/*
 * ctl's end of the control socket: a request out, a line in.
 *
 * Owns the connection's limits. A speaker that is stopped, or busy beyond reason, accepts
 * connections and says nothing, so every wait has an end: that of a silence, since a large table
 * may well take longer than that to arrive.
 */
#include "ctl_socket.h"

#include "../base/text.h"
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define TRY_EVERY_MS 50

static bool socket_trusted(int fd) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid() || geteuid() == 0);
}

static const char *connect_problem(int error) {
    switch (error) {
    case ENOENT:
    case ECONNREFUSED:
        return "no speaker listens there (-s SOCKET names another)";
    case EAGAIN:
        return "the speaker takes no more connections: it is stuck or busy";
    default:
        return strerror(error);
    }
}

/* -1 with errno; 0: it belongs to somebody else. */
static int try_connect(const struct sockaddr_un *at, unsigned silence_s) {
    const struct timeval silence = {.tv_sec = silence_s};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence) == 0 &&
              setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof silence) == 0 &&
              connect(fd, (const struct sockaddr *)at, sizeof *at) == 0;
    int error = ok ? 0 : errno;
    if (ok && socket_trusted(fd))
        return fd;
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

/* Nobody listens there, so far. */
static bool may_come(int error) {
    return error == ENOENT || error == ECONNREFUSED;
}

int ctl_connect(const char *path, unsigned silence_s, struct nanotime end) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (!path[0] || strlen(path) >= sizeof at.sun_path) {
        fprintf(stderr, "ribcage-speaker ctl: %s: say which one with -s SOCKET\n",
                path[0] ? "the socket's name is too long" : "no socket");
        return -1;
    }
    memcpy(at.sun_path, path, strlen(path));
    int fd = try_connect(&at, silence_s);
    while (fd < 0 && may_come(errno) && nanotime_before(loop_now(), end)) {
        poll(NULL, 0, TRY_EVERY_MS);
        fd = try_connect(&at, silence_s);
    }
    if (fd < 0)
        fprintf(stderr, "ribcage-speaker ctl: %s: %s\n", path,
                errno ? connect_problem(errno) : "it belongs to somebody else");
    return fd;
}

int ctl_process(int fd) {
    struct ucred who;
    socklen_t size = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || who.pid <= 0)
        return -1;
    return (int)syscall(SYS_pidfd_open, who.pid, 0);
}

bool ctl_process_ends(int pidfd, unsigned seconds) {
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    struct nanotime end = nanotime_add_ms(loop_now(), seconds * UINT64_C(1000));
    int got;
    do {
        uint64_t left_ms = nanotime_since(end, loop_now()) / NANOS_PER_MS;
        got = poll(&ended, 1, seconds ? (int)left_ms + 1 : -1);
    } while (got < 0 && errno == EINTR);
    return got > 0;
}

/* False with errno; 0: the speaker has closed. */
static bool write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool read_line(int fd, struct text *line) {
    char buffer[16384];
    while (!line->size || line->data[line->size - 1] != '\n') {
        ssize_t got = recv(fd, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || line->failed) {
            errno = got < 0 ? errno : line->failed ? ENOMEM : 0;
            return false;
        }
        text_put(line, buffer, (size_t)got);
    }
    return true;
}

json_t *ctl_ask(int fd, json_t *request) {
    char *text = json_dumps(request, JSON_COMPACT);
    struct text line;
    json_t *answer = NULL;
    text_init(&line);
    errno = text ? 0 : ENOMEM;
    if (text && write_all(fd, text, strlen(text)) && write_all(fd, "\n", 1) && read_line(fd, &line))
        answer = json_loadb(line.data, line.size, 0, NULL);
    if (!answer)
        fprintf(stderr, "ribcage-speaker ctl: the speaker does not answer%s%s\n", errno ? ": " : "",
                errno == EAGAIN ? "it is stuck or busy (-t SECONDS waits longer, 0 for ever)"
                : errno         ? strerror(errno)
                                : "");
    text_deinit(&line);
    free(text);
    json_decref(request);
    return answer;
}
