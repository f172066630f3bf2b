#ifndef RIBCAGE_BASE_SCOREBOARD_H
#define RIBCAGE_BASE_SCOREBOARD_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * One shared-memory page set per lab with a slot per node. Each speaker writes its own slot, the
 * runner reads all of them: waiting for a thousand nodes costs nothing and needs no poll of
 * sockets.
 *
 * Every field is a single atomic word, written with release order; a reader that sees equal
 * `change_count` before and after reading a slot has a consistent picture. `change_count` is odd
 * while a write is under way.
 *
 * Digests are sums (mod 2^64) of scoreboard_route_digest over all routes, so they can be kept up
 * incrementally and do not depend on order.
 */

#define SCOREBOARD_MAGIC UINT32_C(0x52494243) /* "RIBC" */
#define SCOREBOARD_VERSION 3

enum scoreboard_phase {
    SCOREBOARD_EMPTY = 0, /* not started yet */
    SCOREBOARD_STARTING,  /* process runs, configuration not in force yet */
    SCOREBOARD_RUNNING,   /* listening */
    SCOREBOARD_STOPPED,   /* left cleanly */
    SCOREBOARD_FAILED,    /* left with an error; the log says which */
};

/* Per family: index 0 IPv4, 1 IPv6. */
struct scoreboard_slot {
    _Atomic uint64_t change_count;
    _Atomic uint32_t phase; /* enum scoreboard_phase */
    _Atomic uint32_t pid;
    _Atomic uint32_t sessions[6];       /* by enum bgp_state, Idle first */
    _Atomic uint32_t peers;             /* configured */
    _Atomic uint32_t listening;         /* to the kernel: 1; 0 during a rush of routes */
    _Atomic uint64_t established_count; /* transitions to Established since start */
    _Atomic uint64_t dropped_count;     /* transitions from Established since start */
    _Atomic uint64_t adj_in[2];         /* paths held */
    _Atomic uint64_t loc_rib[2];        /* prefixes with a best path */
    _Atomic uint64_t fib[2];            /* routes confirmed by the kernel */
    _Atomic uint64_t loc_rib_digest;    /* over all best paths, own ones included */
    _Atomic uint64_t fib_digest;        /* over all routes confirmed by the kernel */
    _Atomic uint64_t updates_received;
    _Atomic uint64_t updates_sent;
    _Atomic uint64_t
        established_last_ns; /* CLOCK_MONOTONIC of the last transition to Established */
    _Atomic uint64_t established_first_ns; /* … of the first */
    _Atomic uint64_t loc_rib_last_ns;      /* last change of a best path */
    _Atomic uint64_t fib_last_ns;          /* last kernel confirmation */
    _Atomic uint64_t update_last_ns;       /* last UPDATE received or sent */
    _Atomic uint64_t started_ns;
    _Atomic uint64_t cpu_ns; /* own CPU time, refreshed about once a second and at rest */
    _Atomic uint64_t config_generation; /* of the configuration in force */
    uint8_t padding[64];
} __attribute__((aligned(64)));

struct scoreboard {
    uint32_t magic;
    uint32_t version;
    uint32_t slot_count;
    uint32_t slot_size;
    /*
     * The bell: the runner stores 1, then reads the slots, then sleeps on an eventfd it gave to all
     * speakers. A speaker that has changed its slot exchanges the word with 0 and, if it was 1,
     * writes to the eventfd. So one write wakes the runner however many speakers change, and nobody
     * pays anything while the runner is busy.
     */
    _Atomic uint32_t bell_armed;
    /* CLOCK_MONOTONIC: until then somebody of the lab is taken to be writing kernel routes in bulk
     * (host/attention.c). */
    _Atomic uint64_t rush_until_ns;
    uint8_t padding[32];
    struct scoreboard_slot slots[];
};

/*
 * The contribution of one route. In loc_rib_digest the next hop is BGP's NEXT_HOP (no address for
 * the node's own routes); in fib_digest it is the gateway in the kernel (no address for blackhole
 * and connected). A kernel route with several next hops contributes once for each of its gateways,
 * and counts as one route.
 */
struct ip_prefix;
struct ip_addr;
uint64_t scoreboard_route_digest(const struct ip_prefix *prefix, const struct ip_addr *next_hop);

#endif
