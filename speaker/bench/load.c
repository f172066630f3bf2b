/*
 * A load as it runs: sessions, silence, announcements, result.
 *
 * Owns the clients, their loop and the phases. Few connections are opened at a time, because some
 * programs listen with a backlog of eight. The monitor is read before the others whenever both are
 * readable, so that its time is not that of the reading.
 *
 * Invariant: everything that costs memory or time and is not the wire's (encoding, tables of what
 * is held) is done before the sessions are opened.
 */
#include "load.h"

#include "../base/arena.h"
#include "client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define OPENING_MAX 6 /* connections not yet established at a time */
#define RETRY_MS 50
#define SILENCE_MS 500
#define KEEPALIVE_MS 20000
#define BATCH 16
#define INPUT UINT32_MAX /* the epoll mark of standard input */

enum phase { PHASE_OPENING, PHASE_SILENCE, PHASE_READY, PHASE_RUNNING, PHASE_HOLDING, PHASE_END };

struct announcement {
    uint8_t *data;
    size_t size;
};

struct load {
    const struct load_case *the;
    struct client *clients;
    struct announcement *announcements; /* of each announcing client */
    struct client_buffer *buffer;
    uint32_t client_count;
    uint32_t opening, established, complete;
    uint32_t next_open; /* clients before this one have been started once */
    uint64_t sent_messages;
    int epoll_fd;
    enum phase phase;
    enum load_exit exit;
    struct nanotime begun, last_octet, keepalive_at, deadline;
    uint64_t monitor_ns;
};

static struct nanotime now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (struct nanotime){(uint64_t)t.tv_sec * NANOS_PER_S + (uint64_t)t.tv_nsec};
}

static uint32_t announcing(const struct load *l, uint32_t i) {
    return i < l->the->peers ? l->the->prefixes : 0;
}

static uint32_t expected(const struct load *l, uint32_t i) {
    return l->the->peers * l->the->prefixes - announcing(l, i);
}

static void end(struct load *l, enum load_exit how) {
    l->phase = PHASE_END;
    l->exit = how;
}

/* ---- before ---- */

static bool prepare_client(struct load *l, uint32_t i) {
    const struct load_case *the = l->the;
    struct client *c = &l->clients[i];
    const struct routes_own own = {.next_hop = ip_offset(the->first_addr, i),
                                   .as = the->reflector ? 0 : the->peer_as + i,
                                   .first = i * the->prefixes,
                                   .count = announcing(l, i)};
    *c = (struct client){
        .local = own.next_hop, .as = the->reflector ? the->peer_as : the->peer_as + i, .fd = -1};
    if (!routes_held_init(&c->held, the->peers * the->prefixes, own.first, own.count))
        return false;
    if (own.count == 0)
        return true;
    uint32_t messages = 0;
    struct announcement *a = &l->announcements[i];
    a->data = routes_encode(&own, &a->size, &messages);
    l->sent_messages += messages;
    return a->data != NULL;
}

static bool prepare(struct load *l) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    l->client_count = l->the->peers + !l->the->reflector;
    l->clients = alloc_zero(l->client_count, sizeof *l->clients);
    l->announcements = alloc_zero(l->client_count, sizeof *l->announcements);
    l->buffer = alloc_zero(1, sizeof *l->buffer);
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!l->clients || !l->announcements || !l->buffer || l->epoll_fd < 0)
        return false;
    for (uint32_t i = 0; i < l->client_count; i++)
        if (!prepare_client(l, i))
            return false;
    struct epoll_event e = {.events = EPOLLIN, .data = {.u32 = INPUT}};
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &e) == 0;
}

static void clean(struct load *l) {
    for (uint32_t i = 0; l->clients && i < l->client_count; i++) {
        if (l->clients[i].held.bits)
            client_close(&l->clients[i]);
        routes_held_deinit(&l->clients[i].held);
    }
    for (uint32_t i = 0; l->announcements && i < l->client_count; i++)
        alloc_free(l->announcements[i].data);
    alloc_free(l->clients);
    alloc_free(l->announcements);
    alloc_free(l->buffer);
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
}

/* ---- opening ---- */

static void watch(struct load *l, uint32_t i, int operation, uint32_t events) {
    struct epoll_event e = {.events = events, .data = {.u32 = i}};
    if (epoll_ctl(l->epoll_fd, operation, l->clients[i].fd, &e) != 0)
        end(l, LOAD_UNABLE);
}

static void lose(struct load *l, uint32_t i, enum client_state before) {
    if (before == CLIENT_ESTABLISHED) {
        fprintf(stderr, "bgp-load: session %u was lost\n", i);
        end(l, LOAD_SESSION);
        return;
    }
    l->opening--;
    l->clients[i].retry_at = nanotime_add_ms(now(), RETRY_MS);
}

static void open_one(struct load *l, uint32_t i) {
    l->opening++;
    if (client_connect(&l->clients[i], l->the->device) == CLIENT_OK)
        watch(l, i, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
    else
        lose(l, i, CLIENT_IDLE);
}

static void open_more(struct load *l) {
    struct nanotime t = now();
    for (uint32_t i = 0; i < l->next_open && l->opening < OPENING_MAX; i++)
        if (l->clients[i].state == CLIENT_IDLE && !nanotime_before(t, l->clients[i].retry_at))
            open_one(l, i);
    while (l->next_open < l->client_count && l->opening < OPENING_MAX)
        open_one(l, l->next_open++);
}

/* ---- announcing ---- */

static void reset_counts(struct load *l) {
    for (uint32_t i = 0; i < l->client_count; i++)
        l->clients[i].messages = l->clients[i].updates = l->clients[i].octets = 0;
}

static void write_some(struct load *l, uint32_t i) {
    struct client *c = &l->clients[i];
    if (client_write(c) != CLIENT_OK)
        lose(l, i, CLIENT_ESTABLISHED);
    else
        watch(l, i, EPOLL_CTL_MOD, c->out_at < c->out_size ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void announce(struct load *l) {
    reset_counts(l);
    l->phase = PHASE_RUNNING;
    l->complete = 0;
    l->begun = now();
    l->deadline = nanotime_add_ms(l->begun, (uint64_t)l->the->deadline_s * 1000);
    for (uint32_t i = 0; i < l->client_count; i++)
        l->complete += expected(l, i) == 0; /* the only one that announces hears of nothing */
    for (uint32_t i = 0; i < l->client_count && l->phase == PHASE_RUNNING; i++) {
        l->clients[i].out = l->announcements[i].data;
        l->clients[i].out_size = l->announcements[i].size;
        if (l->clients[i].out_size)
            write_some(l, i);
    }
}

static void print_result(struct load *l, bool timeout) {
    uint64_t messages = 0, updates = 0, octets = 0, held = 0, wanted = 0;
    uint64_t all_ns = nanotime_since(now(), l->begun);
    for (uint32_t i = 0; i < l->client_count; i++) {
        messages += l->clients[i].messages;
        updates += l->clients[i].updates;
        octets += l->clients[i].octets;
        held += l->clients[i].held.count;
        wanted += expected(l, i);
    }
    printf("{\"timeout\":%s,\"held\":%" PRIu64 ",\"expected\":%" PRIu64 ",\"monitor_ns\":%" PRIu64
           ",\"all_ns\":%" PRIu64 ",\"messages\":%" PRIu64 ",\"updates\":%" PRIu64
           ",\"octets\":%" PRIu64 ",\"sent_messages\":%" PRIu64 "}\n",
           timeout ? "true" : "false", held, wanted, l->monitor_ns, all_ns, messages, updates,
           octets, l->sent_messages);
    fflush(stdout);
    l->phase = PHASE_HOLDING;
}

static void check_complete(struct load *l, uint32_t i, bool before) {
    bool after = l->clients[i].held.count == expected(l, i);
    l->complete += after && !before;
    l->complete -= before && !after;
    if (after && i == l->client_count - 1 && !l->the->reflector && !l->monitor_ns)
        l->monitor_ns = nanotime_since(now(), l->begun);
    if (l->phase == PHASE_RUNNING && l->complete == l->client_count)
        print_result(l, false);
}

/* ---- the loop ---- */

static void on_established(struct load *l, uint32_t i) {
    l->opening--;
    l->established++;
    watch(l, i, EPOLL_CTL_MOD, EPOLLIN);
    if (l->established == l->client_count)
        l->phase = PHASE_SILENCE;
}

static void on_client(struct load *l, uint32_t i, uint32_t events) {
    struct client *c = &l->clients[i];
    enum client_state before = c->state;
    if (events & EPOLLOUT && before == CLIENT_ESTABLISHED)
        write_some(l, i);
    if (c->fd < 0 || (!(events & ~(uint32_t)EPOLLOUT) && before != CLIENT_CONNECTING))
        return;
    bool complete = c->held.count == expected(l, i);
    l->last_octet = now();
    if (client_ready(c, l->buffer) != CLIENT_OK) {
        lose(l, i, before);
        return;
    }
    if (before == CLIENT_CONNECTING)
        watch(l, i, EPOLL_CTL_MOD, EPOLLIN);
    if (before != CLIENT_ESTABLISHED && c->state == CLIENT_ESTABLISHED)
        on_established(l, i);
    if (l->phase == PHASE_RUNNING)
        check_complete(l, i, complete);
}

static void on_input(struct load *l) {
    char line[64];
    ssize_t got = read(STDIN_FILENO, line, sizeof line);
    if (got <= 0)
        end(l, l->phase == PHASE_HOLDING ? LOAD_DONE : LOAD_MISSED);
    else if (l->phase == PHASE_READY)
        announce(l);
}

static void keepalives(struct load *l, struct nanotime t) {
    if (nanotime_before(t, l->keepalive_at))
        return;
    l->keepalive_at = nanotime_add_ms(t, KEEPALIVE_MS);
    for (uint32_t i = 0; i < l->client_count; i++)
        if (client_keepalive(&l->clients[i]) != CLIENT_OK)
            lose(l, i, CLIENT_ESTABLISHED);
}

static void on_time(struct load *l) {
    struct nanotime t = now();
    bool late = !nanotime_before(t, l->deadline);
    keepalives(l, t);
    if (l->phase == PHASE_OPENING)
        open_more(l);
    if (l->phase == PHASE_SILENCE &&
        !nanotime_before(t, nanotime_add_ms(l->last_octet, SILENCE_MS))) {
        l->phase = PHASE_READY;
        puts("established");
        fflush(stdout);
    } else if (late && l->phase <= PHASE_SILENCE) {
        fprintf(stderr, "bgp-load: %u of %u sessions\n", l->established, l->client_count);
        end(l, LOAD_MISSED);
    } else if (late && l->phase == PHASE_RUNNING) {
        print_result(l, true);
    }
}

static int by_monitor_first(const struct load *l, const struct epoll_event *events, int count) {
    for (int i = 0; i < count; i++)
        if (events[i].data.u32 == l->client_count - 1)
            return i;
    return 0;
}

static void turn(struct load *l) {
    struct epoll_event events[BATCH];
    int count = epoll_wait(l->epoll_fd, events, BATCH, RETRY_MS);
    int first = by_monitor_first(l, events, count);
    for (int n = 0; n < count && l->phase != PHASE_END; n++) {
        const struct epoll_event *e = &events[(first + n) % count];
        if (e->data.u32 == INPUT)
            on_input(l);
        else
            on_client(l, e->data.u32, e->events);
    }
    if (l->phase != PHASE_END)
        on_time(l);
}

enum load_exit load_run(const struct load_case *load) {
    struct load l = {.the = load, .epoll_fd = -1, .exit = LOAD_UNABLE};
    if (prepare(&l)) {
        l.deadline = nanotime_add_ms(now(), (uint64_t)load->deadline_s * 1000);
        l.keepalive_at = nanotime_add_ms(now(), KEEPALIVE_MS);
        while (l.phase != PHASE_END)
            turn(&l);
    }
    clean(&l);
    return l.exit;
}
