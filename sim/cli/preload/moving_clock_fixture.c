/*
 * A library for LD_PRELOAD: the wall clock jumps by a day, to and fro, each time it is read.
 *
 * Owns clock_gettime of the clocks that somebody may set, time, gettimeofday and timespec_get of
 * the program it is loaded into. The clocks that only go forward stay as they are. How many
 * processes loaded it, and how often they read the wall clock, is counted in the file that
 * $MOVING_CLOCK_COUNTS names (moving_clock.h), shared by all of them: without it a test could not
 * tell a clock that nobody minds from one that never moved.
 *
 * It asks the kernel itself, so that it works before any other library is ready.
 */
#include "moving_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define DAY_S 86400

static struct moving_clock *counts; /* NULL: nobody counts */

static bool is_speaker(void) {
    return strcmp(program_invocation_short_name, "ribcage-speaker") == 0;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("MOVING_CLOCK_COUNTS");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;
    void *at = MAP_FAILED;
    if (fd >= 0) {
        at = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        syscall(SYS_close, fd);
    }
    if (at == MAP_FAILED)
        return;
    counts = at;
    atomic_fetch_add(&counts->of[is_speaker()].processes, 1);
}

/* A day behind and a day ahead, in turns. */
static time_t jump(void) {
    static _Atomic unsigned reads;
    if (counts)
        atomic_fetch_add(&counts->of[is_speaker()].reads, 1);
    return atomic_fetch_add(&reads, 1) % 2 ? DAY_S : -DAY_S;
}

static bool may_be_set(clockid_t id) {
    return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE || id == CLOCK_REALTIME_ALARM ||
           id == CLOCK_TAI;
}

int clock_gettime(clockid_t id, struct timespec *t) {
    int result = (int)syscall(SYS_clock_gettime, id, t);
    if (result == 0 && may_be_set(id))
        t->tv_sec += jump();
    return result;
}

time_t time(time_t *ret_now) {
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_REALTIME, &t);
    if (ret_now)
        *ret_now = t.tv_sec;
    return t.tv_sec;
}

int gettimeofday(struct timeval *restrict ret_now, void *restrict zone) {
    struct timespec t = {0};
    (void)zone;
    int result = clock_gettime(CLOCK_REALTIME, &t);
    *ret_now = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
    return result;
}

int timespec_get(struct timespec *ret_now, int base) {
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, ret_now) == 0 ? base : 0;
}
