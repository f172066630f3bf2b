/*
 * shell: the console of a mock Cisco, on this terminal or on a port of the host's loopback.
 *
 * The console is a unix socket in the router's namespace that speaks telnet. Without --listen this
 * command is the telnet client: the terminal is raw, what the router negotiates is taken out. With
 * --listen it is a console server: octets pass as they are, clients are telnet clients themselves.
 * The port exists as long as the command runs; nothing of the lab listens on the host.
 */

#include "cli.h"

#include "../../speaker/base/console.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define FLOW_BYTES 8192
#define PAIRS_MAX ((size_t)8)
#define ENTRIES (4 * PAIRS_MAX) /* of poll */
#define ESCAPE 0x1d             /* ^] */

/* Octets on their way from one descriptor to another. */
struct flow {
    int from, to;
    char data[FLOW_BYTES];
    size_t size, at;
    bool ended; /* no more will come */
};

static bool flow_waits(const struct flow *f) {
    return f->at < f->size;
}

static void flow_read(struct flow *f) {
    ssize_t n = read(f->from, f->data, sizeof f->data);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    f->ended = n <= 0;
    f->at = 0;
    f->size = n > 0 ? (size_t)n : 0;
}

/* False: nobody takes it any more. */
static bool flow_write(struct flow *f) {
    ssize_t n = write(f->to, f->data + f->at, f->size - f->at);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n > 0)
        f->at += (size_t)n;
    return n > 0;
}

static struct pollfd flow_reads(const struct flow *f) {
    bool reads = !f->ended && !flow_waits(f);
    return (struct pollfd){.fd = reads ? f->from : -1, .events = POLLIN};
}

static struct pollfd flow_writes(const struct flow *f) {
    return (struct pollfd){.fd = flow_waits(f) ? f->to : -1, .events = POLLOUT};
}

static int console_connect(const char *node) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(CONSOLE_NAME));
    memcpy(at.sun_path + 1, CONSOLE_NAME, strlen(CONSOLE_NAME));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, size) == 0)
        return fd;
    if (errno == ECONNREFUSED)
        cli_error("%s has no console: it is no mock Cisco, or its speaker does not run", node);
    else
        cli_error("the console of %s: %s", node, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* ---- on this terminal ---- */

enum telnet { TELNET_DATA, TELNET_COMMAND, TELNET_OPTION, TELNET_SUB, TELNET_SUB_IAC };

/* One octet of the router: is it text? */
static bool telnet_text(enum telnet *state, uint8_t octet) {
    switch (*state) {
    case TELNET_DATA:
        *state = octet == 255 ? TELNET_COMMAND : TELNET_DATA;
        return octet != 255;
    case TELNET_COMMAND:
        *state = octet >= 251 && octet <= 254 ? TELNET_OPTION
                 : octet == 250               ? TELNET_SUB
                                              : TELNET_DATA;
        return octet == 255;
    case TELNET_OPTION:
        *state = TELNET_DATA;
        return false;
    case TELNET_SUB:
        *state = octet == 255 ? TELNET_SUB_IAC : TELNET_SUB;
        return false;
    case TELNET_SUB_IAC:
        *state = octet == 240 ? TELNET_DATA : TELNET_SUB;
        return false;
    }
    return false;
}

static void telnet_strip(enum telnet *state, struct flow *f) {
    size_t kept = 0;
    for (size_t i = 0; i < f->size; i++)
        if (telnet_text(state, (uint8_t)f->data[i]))
            f->data[kept++] = f->data[i];
    f->size = kept;
}

/* The size of this terminal's window (RFC 1073) waits to be sent. */
static void tell_window(struct flow *f) {
    struct winsize w;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_row == 0 || w.ws_row > 254 ||
        w.ws_col > 254)
        return;
    const char message[] = {(char)255, (char)251,      31, (char)255,      (char)250, 31,
                            0,         (char)w.ws_col, 0,  (char)w.ws_row, (char)255, (char)240};
    memcpy(f->data, message, sizeof message);
    f->size = sizeof message;
}

/* True: ^] was typed; what stands before it is still to be sent. */
static bool cut_at_escape(struct flow *f) {
    const char *escape = f->size ? memchr(f->data, ESCAPE, f->size) : NULL;
    if (escape)
        f->size = (size_t)(escape - f->data);
    return escape != NULL;
}

static void talk(int fd, bool terminal) {
    static struct flow typed, said;
    enum telnet state = TELNET_DATA;
    bool left = false;
    typed = (struct flow){.from = STDIN_FILENO, .to = fd};
    said = (struct flow){.from = fd, .to = STDOUT_FILENO};
    if (terminal)
        tell_window(&typed);
    while (!left && !(said.ended && !flow_waits(&said))) {
        struct pollfd p[] = {flow_reads(&typed), flow_writes(&typed), flow_reads(&said),
                             flow_writes(&said)};
        if (poll(p, 4, -1) < 0 && errno != EINTR)
            return;
        if (p[0].revents) {
            flow_read(&typed);
            left = terminal && cut_at_escape(&typed);
            if (typed.ended)
                shutdown(fd, SHUT_WR);
        }
        if (p[1].revents && !flow_write(&typed))
            typed.at = typed.size;
        if (p[2].revents) {
            flow_read(&said);
            telnet_strip(&state, &said);
        }
        if (p[3].revents && !flow_write(&said))
            return;
    }
}

static int talk_here(const char *node) {
    struct termios before, raw;
    int fd = console_connect(node);
    if (fd < 0)
        return 2;
    bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        fprintf(stderr, "console of %s; ^] leaves it\n", node);
        raw = before;
        cfmakeraw(&raw);
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    }
    talk(fd, terminal);
    if (terminal)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    printf("\n");
    close(fd);
    return 0;
}

/* ---- as a console server ---- */

struct pair {
    struct flow in, out; /* client to router, router to client; in.from -1: free */
};

static int loopback_listen(uint16_t port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof at;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(fd, (int)PAIRS_MAX) != 0 || getsockname(fd, (struct sockaddr *)&at, &size) != 0) {
        cli_error("127.0.0.1:%u: %s", port, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    printf("127.0.0.1 port %u\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static void pair_open(struct pair *pairs, int client, const char *node) {
    for (size_t i = 0; client >= 0 && i < PAIRS_MAX; i++) {
        if (pairs[i].in.from >= 0)
            continue;
        int router = console_connect(node);
        if (router < 0)
            break;
        pairs[i].in = (struct flow){.from = client, .to = router};
        pairs[i].out = (struct flow){.from = router, .to = client};
        return;
    }
    if (client >= 0)
        close(client);
}

static void pair_close(struct pair *p) {
    close(p->in.from);
    close(p->in.to);
    p->in.from = -1;
}

/* p: the four entries of this pair. */
static void pair_run(struct pair *pair, const struct pollfd *p) {
    bool ok = true;
    if (p[0].revents) {
        flow_read(&pair->in);
        if (pair->in.ended)
            shutdown(pair->in.to, SHUT_WR);
    }
    if (p[1].revents)
        ok &= flow_write(&pair->in);
    if (p[2].revents)
        flow_read(&pair->out);
    if (p[3].revents)
        ok &= flow_write(&pair->out);
    if (!ok || (pair->out.ended && !flow_waits(&pair->out)))
        pair_close(pair);
}

static _Noreturn void serve(int listener, const char *node) {
    static struct pair pairs[PAIRS_MAX];
    struct pollfd p[ENTRIES + 1];
    for (size_t i = 0; i < PAIRS_MAX; i++)
        pairs[i].in.from = -1;
    for (;;) {
        for (size_t i = 0; i < PAIRS_MAX; i++) {
            bool open = pairs[i].in.from >= 0;
            struct pollfd none = {.fd = -1};
            p[4 * i] = open ? flow_reads(&pairs[i].in) : none;
            p[4 * i + 1] = open ? flow_writes(&pairs[i].in) : none;
            p[4 * i + 2] = open ? flow_reads(&pairs[i].out) : none;
            p[4 * i + 3] = open ? flow_writes(&pairs[i].out) : none;
        }
        p[ENTRIES] = (struct pollfd){.fd = listener, .events = POLLIN};
        if (poll(p, ENTRIES + 1, -1) < 0)
            continue;
        for (size_t i = 0; i < PAIRS_MAX; i++)
            if (pairs[i].in.from >= 0)
                pair_run(&pairs[i], &p[4 * i]);
        if (p[ENTRIES].revents)
            pair_open(pairs, accept4(listener, NULL, NULL, SOCK_CLOEXEC), node);
    }
}

int verb_shell(struct cli_options *o) {
    if (o->argument_count != 1) {
        fprintf(stderr, "ribcage shell: which router?\n");
        return 2;
    }
    int listener = o->listen ? loopback_listen((uint16_t)o->listen_port) : -1;
    if (o->listen && listener < 0)
        return 4;
    int status = lab_enter(o, o->arguments[0]);
    if (status != 0)
        return status;
    if (o->listen)
        serve(listener, o->arguments[0]);
    return talk_here(o->arguments[0]);
}
