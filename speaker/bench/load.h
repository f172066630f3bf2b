#ifndef RIBCAGE_BENCH_LOAD_H
#define RIBCAGE_BENCH_LOAD_H

#include "../base/addr.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A load on a device under test, from one process with one thread.
 *
 * external: `peers` neighbours in an AS each, and one more that announces nothing, the monitor.
 * reflector: `peers` clients of one AS. Each peer announces `prefixes` routes. Neighbour i has the
 * i-th address behind `first_addr`; external ones are in AS `peer_as` + i.
 */
struct load_case {
    bool reflector;
    uint32_t peers, prefixes;
    struct ip_addr device, first_addr;
    uint32_t peer_as;
    uint32_t deadline_s; /* of the opening, and of the announcing */
};

#define LOAD_PEERS_MAX 4000
#define LOAD_ROUTES_MAX 6000000

enum load_exit {
    LOAD_DONE = 0,
    LOAD_USAGE = 2,
    LOAD_UNABLE = 4,  /* no memory, no descriptors */
    LOAD_MISSED = 5,  /* the sessions were not all up in time */
    LOAD_SESSION = 6, /* a session was lost while the load ran */
};

/*
 * Brings the sessions up, waits until nothing has arrived for a moment and prints the line
 * "established"; with the next line on standard input it announces everything and prints one JSON
 * object a line, then waits for the end of standard input, sessions up.
 *
 *   {"monitor_ns":…,"all_ns":…,"messages":…,"updates":…,"octets":…,"sent_messages":…}
 *   {"timeout":true,"held":…,"expected":…, …}
 *
 * Times are from the first octet of the first UPDATE until the monitor, and every neighbour, has
 * all routes of the others; counts are of what came from the device in that time.
 */
enum load_exit load_run(const struct load_case *load);

#endif
