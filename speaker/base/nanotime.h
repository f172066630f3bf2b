#ifndef RIBCAGE_BASE_NANOTIME_H
#define RIBCAGE_BASE_NANOTIME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A point in time: nanoseconds of CLOCK_MONOTONIC. All nodes of a lab share one kernel, so points
 * taken by different speakers compare directly. The core never reads a clock: time is an argument.
 * A struct, so that it is never mixed up with a duration or a count.
 */
struct nanotime {
    uint64_t ns;
};

#define NANOTIME_NEVER ((struct nanotime){UINT64_MAX})
#define NANOS_PER_MS UINT64_C(1000000)
#define NANOS_PER_S UINT64_C(1000000000)

static inline struct nanotime nanotime_add_ms(struct nanotime t, uint64_t ms) {
    return (struct nanotime){t.ns + ms * NANOS_PER_MS};
}

static inline bool nanotime_before(struct nanotime a, struct nanotime b) {
    return a.ns < b.ns;
}

static inline bool nanotime_is_never(struct nanotime t) {
    return t.ns == UINT64_MAX;
}

/* Nanoseconds from `from` to `to`; 0 when `to` is earlier. */
static inline uint64_t nanotime_since(struct nanotime to, struct nanotime from) {
    return to.ns > from.ns ? to.ns - from.ns : 0;
}

#endif
