/*
 * Waiting: epoll with a deadline in nanoseconds.
 *
 * Owns the epoll descriptor and the round in progress; descriptors belong to those who register
 * them. A source that is removed during a round gets no late callback: its event is blanked.
 * epoll_pwait2 takes the deadline as nanoseconds; where the kernel lacks it, milliseconds rounded
 * up do.
 *
 * Where many are ready at once, a turn ends in the middle of the round after LOOP_SLICE_MS, so that
 * timers fire and output goes; the next turn goes on with the same round, so nobody is passed over.
 */
#include "loop.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

struct nanotime loop_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (struct nanotime){(uint64_t)t.tv_sec * NANOS_PER_S + (uint64_t)t.tv_nsec};
}

bool loop_init(struct loop *l) {
    *l = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    return l->epoll_fd >= 0;
}

void loop_deinit(struct loop *l) {
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
    l->epoll_fd = -1;
}

bool loop_add(struct loop *l, struct loop_source *source, uint32_t events) {
    struct epoll_event e = {.events = events, .data = {.ptr = source}};
    source->events = events;
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, source->fd, &e) == 0;
}

void loop_change(struct loop *l, struct loop_source *source, uint32_t events) {
    struct epoll_event e = {.events = events, .data = {.ptr = source}};
    if (source->events == events)
        return;
    source->events = events;
    epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, source->fd, &e);
}

void loop_remove(struct loop *l, struct loop_source *source) {
    epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    for (int i = l->batch_at; i < l->batch_count; i++)
        if (l->batch[i].data.ptr == source)
            l->batch[i].data.ptr = NULL;
}

static int wait_until(struct loop *l, struct nanotime deadline) {
    if (nanotime_is_never(deadline))
        return epoll_wait(l->epoll_fd, l->batch, LOOP_BATCH, -1);
    uint64_t left = nanotime_since(deadline, loop_now());
    struct timespec t = {(time_t)(left / NANOS_PER_S), (long)(left % NANOS_PER_S)};
    int count = epoll_pwait2(l->epoll_fd, l->batch, LOOP_BATCH, &t, NULL);
    if (count >= 0 || errno != ENOSYS)
        return count;
    uint64_t ms = (left + NANOS_PER_MS - 1) / NANOS_PER_MS;
    return epoll_wait(l->epoll_fd, l->batch, LOOP_BATCH, ms > 60000 ? 60000 : (int)ms);
}

static void next_round(struct loop *l, struct nanotime deadline) {
    int count = wait_until(l, deadline);
    l->batch_count = count > 0 ? count : 0;
    l->batch_at = 0;
}

int loop_turn(struct loop *l, struct nanotime deadline) {
    int called = 0;
    if (l->batch_at == l->batch_count)
        next_round(l, deadline);
    struct nanotime until = nanotime_add_ms(loop_now(), LOOP_SLICE_MS);
    while (l->batch_at < l->batch_count && (called == 0 || nanotime_before(loop_now(), until))) {
        const struct epoll_event *e = &l->batch[l->batch_at++];
        struct loop_source *source = e->data.ptr;
        if (source) {
            source->ready(source, e->events);
            called++;
        }
    }
    return called;
}
