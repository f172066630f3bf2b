/*
 * Our slot of the lab's scoreboard (speaker/base/scoreboard.h).
 *
 * Owns the mapping and the writing order: change_count odd, the fields, change_count even, then
 * the bell. A turn that changed nothing writes nothing; CPU time alone is written without the bell,
 * about once a second while there is work and once more when it has ended, so that a speaker at
 * rest shows all it has used and then sleeps for good.
 */
#include "board.h"

#include "../base/arena.h"
#include "fib.h"
#include "host.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BOARD_CPU_MS 1000

struct board {
    struct host *host;
    struct scoreboard *map; /* NULL: no scoreboard */
    size_t map_size;
    struct scoreboard_slot *slot;
    enum scoreboard_phase phase;
    struct bgp_counters counters; /* as last written */
    struct fib_counts fib;
    uint32_t peers;
    uint64_t generation;
    bool written;
    struct nanotime cpu_at; /* when CPU time is due */
};

uint64_t board_cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * NANOS_PER_S + (uint64_t)t.tv_nsec;
}

static bool board_fits(const struct scoreboard *map, size_t size, uint32_t slot) {
    return map->magic == SCOREBOARD_MAGIC && map->version == SCOREBOARD_VERSION &&
           map->slot_size == sizeof(struct scoreboard_slot) && slot < map->slot_count &&
           size >= sizeof *map + (size_t)map->slot_count * sizeof(struct scoreboard_slot);
}

static bool board_map(struct board *b, int fd, uint32_t slot) {
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    if ((size_t)st.st_size < sizeof(struct scoreboard)) {
        errno = EINVAL;
        return false;
    }
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return false;
    b->map = map;
    b->map_size = (size_t)st.st_size;
    if (board_fits(b->map, b->map_size, slot)) {
        b->slot = &b->map->slots[slot];
        return true;
    }
    errno = EINVAL;
    return false;
}

struct board *board_new(struct host *h) {
    struct board *b = alloc_zero(1, sizeof *b);
    if (!b)
        return NULL;
    b->host = h;
    b->cpu_at = NANOTIME_NEVER;
    if (h->options.scoreboard_fd >= 0 && !board_map(b, h->options.scoreboard_fd, h->options.slot)) {
        int error = errno;
        board_free(b);
        errno = error;
        return NULL;
    }
    return b;
}

void board_free(struct board *b) {
    if (!b)
        return;
    if (b->map)
        munmap(b->map, b->map_size);
    alloc_free(b);
}

static void bell_ring(struct board *b) {
    uint64_t one = 1;
    if (b->host->options.bell_fd < 0 || atomic_exchange(&b->map->bell_armed, 0) != 1)
        return;
    while (write(b->host->options.bell_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

#define PUT(field, value) atomic_store_explicit(&(field), (value), memory_order_release)

static void put_counters(struct scoreboard_slot *s, const struct bgp_counters *c) {
    for (int i = 0; i < BGP_STATES; i++)
        PUT(s->sessions[i], c->sessions[i]);
    for (int i = 0; i < BGP_FAMILIES; i++) {
        PUT(s->adj_in[i], c->adj_in[i]);
        PUT(s->loc_rib[i], c->loc_rib[i]);
    }
    PUT(s->established_count, c->established_count);
    PUT(s->dropped_count, c->dropped_count);
    PUT(s->loc_rib_digest, c->loc_rib_digest);
    PUT(s->updates_received, c->updates_received);
    PUT(s->updates_sent, c->updates_sent);
    PUT(s->established_first_ns, c->established_first.ns);
    PUT(s->established_last_ns, c->established_last.ns);
    PUT(s->loc_rib_last_ns, c->loc_rib_last.ns);
    PUT(s->update_last_ns, c->update_last.ns);
}

static void put_slot(struct board *b) {
    struct scoreboard_slot *s = b->slot;
    uint64_t count = atomic_load_explicit(&s->change_count, memory_order_relaxed) | 1;
    atomic_store(&s->change_count, count);
    PUT(s->phase, (uint32_t)b->phase);
    PUT(s->pid, (uint32_t)getpid());
    PUT(s->peers, b->peers);
    PUT(s->started_ns, b->host->started.ns);
    PUT(s->config_generation, b->generation);
    put_counters(s, &b->counters);
    PUT(s->fib[0], b->fib.routes[0]);
    PUT(s->fib[1], b->fib.routes[1]);
    PUT(s->fib_digest, b->fib.digest);
    PUT(s->fib_last_ns, b->fib.last.ns);
    PUT(s->cpu_ns, board_cpu_ns());
    atomic_store(&s->change_count, count + 1);
}

static void write_and_ring(struct board *b) {
    b->written = true;
    if (!b->slot)
        return;
    put_slot(b);
    bell_ring(b);
}

void board_phase(struct board *b, enum scoreboard_phase phase) {
    if (!b)
        return;
    b->phase = phase;
    write_and_ring(b);
}

static bool board_gather(struct board *b) {
    struct host *h = b->host;
    struct bgp_counters counters;
    memset(&counters, 0, sizeof counters); /* padding too: compared as bytes */
    struct fib_counts fib = h->fib ? fib_counts_get(h->fib) : b->fib;
    uint32_t peers = h->speaker ? bgp_peer_count(h->speaker) : 0;
    if (h->speaker)
        bgp_counters_get(h->speaker, &counters);
    bool same = memcmp(&counters, &b->counters, sizeof counters) == 0 &&
                memcmp(&fib, &b->fib, sizeof fib) == 0 && peers == b->peers &&
                h->config_generation == b->generation;
    b->counters = counters;
    b->fib = fib;
    b->peers = peers;
    b->generation = h->config_generation;
    return !same;
}

/* A turn happened: something used CPU time, so it is due again a second from now. The turn that
 * only refreshes it asks for no other. */
void board_update(struct board *b) {
    struct nanotime now;
    if (!b->slot)
        return;
    if (board_gather(b))
        write_and_ring(b);
    now = loop_now();
    if (nanotime_is_never(b->cpu_at)) {
        b->cpu_at = nanotime_add_ms(now, BOARD_CPU_MS);
    } else if (!nanotime_before(now, b->cpu_at)) {
        PUT(b->slot->cpu_ns, board_cpu_ns());
        b->cpu_at = b->host->worked ? nanotime_add_ms(now, BOARD_CPU_MS) : NANOTIME_NEVER;
    }
}

uint32_t board_slots(const struct board *b) {
    return b->map ? b->map->slot_count : 0;
}

void board_rush(struct board *b, struct nanotime until) {
    if (!b->map)
        return;
    _Atomic uint64_t *word = &b->map->rush_until_ns;
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
    while (seen < until.ns && !atomic_compare_exchange_weak(word, &seen, until.ns))
        continue;
}

struct nanotime board_rush_until(const struct board *b) {
    return (struct nanotime){b->map ? atomic_load(&b->map->rush_until_ns) : 0};
}

void board_listening(struct board *b, bool listening) {
    if (b->slot)
        PUT(b->slot->listening, listening);
}

struct nanotime board_next_deadline(const struct board *b) {
    return b->cpu_at;
}
