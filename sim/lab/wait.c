/*
 * The one place where a lab waits.
 *
 * Owns: the epoll set, the signal descriptor, the scoreboard's bell, the news kept for lab_wait.
 * Leaves to others: what is read (process.c, control.c); reaping (process.c).
 *
 * Everything of a lab that may block goes through lab_pump, so that while anything is waited for
 * (an answer, a child, a deadline) logs are read, answers are taken and the dead are reaped. News
 * that lab_pump met on behalf of somebody else is kept until lab_wait reports it.
 *
 * The bell (scoreboard.h) is armed again before lab_wait returns: the caller reads the slots after
 * that, so no change is missed. Between two reports of the bell there is a least time that grows
 * with the hosts (1 ms, 20 ms for a thousand), so that reading all slots takes a small part of the
 * processor however fast they change. Times of events come from the slots, not from the reports.
 */
#include "lab_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64
#define BELL_SPACING_MIN_NS UINT64_C(1000000)
#define BELL_SPACING_PER_HOST_NS UINT64_C(20000)

bool lab_watch(struct lab *lab, int fd, uint32_t kind, uint32_t host, bool writable) {
    struct epoll_event e = {.events = EPOLLIN | (writable ? EPOLLOUT : 0U),
                            .data.u64 = (uint64_t)kind << 32 | host};

    if (epoll_ctl(lab->epoll_fd, EPOLL_CTL_MOD, fd, &e) == 0)
        return true;
    return errno == ENOENT && epoll_ctl(lab->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0;
}

void lab_unwatch(struct lab *lab, int fd) {
    (void)epoll_ctl(lab->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static void read_signals(struct lab *lab) {
    struct signalfd_siginfo s[16];
    ssize_t got;

    while ((got = read(lab->signal_fd, s, sizeof(s))) > 0)
        for (size_t i = 0; i < (size_t)got / sizeof(s[0]); i++)
            if (s[i].ssi_signo != SIGCHLD)
                lab->signal_pending = lab->signal_last = (int)s[i].ssi_signo;
    process_reap_all(lab);
}

static void read_bell(struct lab *lab) {
    uint64_t count;

    if (read(lab->bell_fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
        lab->bell_rung = true;
}

static void handle_event(struct lab *lab, const struct epoll_event *e) {
    uint32_t host = (uint32_t)e->data.u64;

    switch ((enum lab_watch_kind)(e->data.u64 >> 32)) {
    case LAB_WATCH_SIGNAL:
        read_signals(lab);
        break;
    case LAB_WATCH_BELL:
        read_bell(lab);
        break;
    case LAB_WATCH_CONTROL:
        if ((e->events & EPOLLOUT) != 0)
            control_write(lab, host);
        if ((e->events & ~(uint32_t)EPOLLOUT) != 0)
            control_read(lab, host);
        break;
    case LAB_WATCH_LOG:
        process_read_log(lab, host);
        break;
    }
}

static struct timespec until(struct nanotime deadline) {
    uint64_t ns = nanotime_since(deadline, lab_now());

    return (struct timespec){.tv_sec = (time_t)(ns / NANOS_PER_S),
                             .tv_nsec = (long)(ns % NANOS_PER_S)};
}

void lab_pump(struct lab *lab, struct nanotime deadline, int extra_fd, bool *ret_extra) {
    struct pollfd p[2] = {{.fd = lab->epoll_fd, .events = POLLIN},
                          {.fd = extra_fd, .events = POLLIN}};
    struct epoll_event events[EVENTS_AT_ONCE];
    struct timespec left = until(deadline);
    int ready;

    ready = ppoll(p, 2, nanotime_is_never(deadline) ? NULL : &left, NULL);
    if (ready <= 0)
        return;
    if (p[1].revents != 0 && ret_extra != NULL)
        *ret_extra = true;
    if (p[0].revents == 0)
        return;
    ready = epoll_wait(lab->epoll_fd, events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < ready; i++)
        handle_event(lab, &events[i]);
}

static struct nanotime earlier(struct nanotime a, struct nanotime b) {
    return nanotime_before(a, b) ? a : b;
}

static struct nanotime bell_due(const struct lab *lab) {
    uint64_t spacing = lab->node_count * BELL_SPACING_PER_HOST_NS;

    if (spacing < BELL_SPACING_MIN_NS)
        spacing = BELL_SPACING_MIN_NS;
    return (struct nanotime){lab->bell_last.ns + spacing};
}

/* True: there is something to report. Signals first, for they end the run. */
static bool take_news(struct lab *lab, bool extra, enum lab_wake *ret_wake) {
    if (lab->signal_pending != 0) {
        lab->signal_pending = 0;
        *ret_wake = LAB_WAKE_SIGNAL;
        return true;
    }
    if (lab->child_ended) {
        lab->child_ended = false;
        *ret_wake = LAB_WAKE_CHILD;
        return true;
    }
    if (extra) {
        *ret_wake = LAB_WAKE_FD;
        return true;
    }
    if (!lab->bell_rung || nanotime_before(lab_now(), bell_due(lab)))
        return false;
    lab->bell_rung = false;
    lab->bell_last = lab_now();
    atomic_store(&lab->board->bell_armed, 1);
    *ret_wake = LAB_WAKE_BELL;
    return true;
}

enum lab_wake lab_wait(struct lab *lab, struct nanotime deadline, int extra_fd) {
    enum lab_wake wake = LAB_WAKE_DEADLINE;
    bool extra = false;

    /* What is there already counts even when the deadline is past. */
    lab_pump(lab, lab_now(), extra_fd, &extra);
    while (!take_news(lab, extra, &wake)) {
        struct nanotime next = deadline;
        if (!nanotime_is_never(deadline) && !nanotime_before(lab_now(), deadline))
            break;
        if (lab->bell_rung)
            next = earlier(next, bell_due(lab));
        lab_pump(lab, next, extra_fd, &extra);
    }
    return wake;
}

int lab_signal(const struct lab *lab) {
    return lab->signal_last;
}
