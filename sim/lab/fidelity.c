/*
 * Was the host quiet enough?
 *
 * Owns the probe thread. It blocks every signal, so that those of the lab reach the thread that
 * waits for them; it ends when fidelity_end writes to its eventfd. Lags go into a histogram of
 * powers of two: the 99th percentile is the upper end of its class.
 */
#include "fidelity.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS UINT64_C(10000000)

struct processors {
    uint64_t busy_ns, stolen_ns;
};

struct fidelity_probe {
    pthread_t thread;
    int end_fd, timer_fd;
    uint64_t begin_ns;
    struct processors begin;
    int64_t kernel_begin;
    /* Written by the thread, read after it was joined. */
    struct fidelity_lags lags;
};

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- lags ---- */

void fidelity_lag_note(struct fidelity_lags *l, uint64_t lag_ns) {
    unsigned class = 0;
    while (class + 1 < FIDELITY_LAG_CLASSES && (UINT64_C(1) << class) <= lag_ns)
        class ++;
    l->classes[class]++;
    l->count++;
    if (lag_ns > l->max_ns)
        l->max_ns = lag_ns;
}

uint64_t fidelity_lag_p99(const struct fidelity_lags *l) {
    uint64_t seen = 0;
    for (unsigned i = 0; l->count && i < FIDELITY_LAG_CLASSES; i++) {
        seen += l->classes[i];
        if (seen * 100 >= l->count * 99)
            return i + 1 < FIDELITY_LAG_CLASSES ? UINT64_C(1) << i : l->max_ns;
    }
    return 0;
}

/* ---- the thread ---- */

static bool arm(const struct fidelity_probe *p, uint64_t at_ns) {
    struct itimerspec t = {.it_value = {.tv_sec = (time_t)(at_ns / 1000000000),
                                        .tv_nsec = (long)(at_ns % 1000000000)}};
    return timerfd_settime(p->timer_fd, TFD_TIMER_ABSTIME, &t, NULL) == 0;
}

static void *probe_run(void *argument) {
    struct fidelity_probe *p = argument;
    struct pollfd fds[2] = {{.fd = p->end_fd, .events = POLLIN},
                            {.fd = p->timer_fd, .events = POLLIN}};
    uint64_t at = now_ns() + TICK_NS, expirations;
    while (arm(p, at)) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[0].revents)
            break;
        if (!fds[1].revents || read(p->timer_fd, &expirations, sizeof expirations) < 0)
            continue;
        uint64_t now = now_ns();
        fidelity_lag_note(&p->lags, now > at ? now - at : 0);
        at = now + TICK_NS;
    }
    return NULL;
}

/* ---- /proc ---- */

static bool read_file(const char *path, char *ret, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);
    if (fd >= 0)
        close(fd);
    ret[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* "cpu  user nice system idle iowait irq softirq steal …" in ticks. */
static struct processors read_processors(void) {
    char data[512];
    uint64_t v[8] = {0}, tick = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
    const char *at = data + 4;
    if (!read_file("/proc/stat", data, sizeof data) || strncmp(data, "cpu ", 4) != 0)
        return (struct processors){0};
    for (int i = 0; i < 8; i++) {
        at += strspn(at, " ");
        if (!text_read_u64(&at, &v[i]))
            break;
    }
    return (struct processors){(v[0] + v[1] + v[2]) * tick, v[7] * tick};
}

static int64_t meminfo_kib(const char *data, const char *name) {
    uint64_t kib = 0;
    const char *at = strstr(data, name);
    if (!at)
        return 0;
    at += strlen(name);
    at += strspn(at, " ");
    return text_read_u64(&at, &kib) ? (int64_t)kib : 0;
}

static int64_t read_kernel_bytes(void) {
    char data[4096];
    if (!read_file("/proc/meminfo", data, sizeof data))
        return 0;
    return 1024 * (meminfo_kib(data, "\nSlab:") + meminfo_kib(data, "\nPageTables:") +
                   meminfo_kib(data, "\nKernelStack:") + meminfo_kib(data, "\nPercpu:"));
}

/* "run wait slices": of this process's main thread. */
static bool read_wait_ns(uint64_t *ret_ns) {
    char data[128];
    uint64_t run = 0;
    const char *at = data;
    if (!read_file("/proc/self/schedstat", data, sizeof data) || !text_read_u64(&at, &run))
        return false;
    at += strspn(at, " ");
    return text_read_u64(&at, ret_ns);
}

static uint64_t rusage_ns(int who) {
    struct rusage u;
    if (getrusage(who, &u) != 0)
        return 0;
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

/* ---- begin and end ---- */

static void probe_free(struct fidelity_probe *p) {
    if (p->end_fd >= 0)
        close(p->end_fd);
    if (p->timer_fd >= 0)
        close(p->timer_fd);
    alloc_free(p);
}

static int start_thread(struct fidelity_probe *p) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = pthread_create(&p->thread, NULL, probe_run, p);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error;
}

struct fidelity_probe *fidelity_begin(void) {
    struct fidelity_probe *p = alloc_zero(1, sizeof *p);
    if (!p)
        return NULL;
    p->end_fd = eventfd(0, EFD_CLOEXEC);
    p->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    p->begin_ns = now_ns();
    p->begin = read_processors();
    p->kernel_begin = read_kernel_bytes();
    int error = p->end_fd < 0 || p->timer_fd < 0 ? errno : start_thread(p);
    if (error) {
        probe_free(p);
        errno = error;
        return NULL;
    }
    return p;
}

void fidelity_end(struct fidelity_probe *p, uint64_t speakers_cpu_ns, uint64_t speakers_wait_ns,
                  struct fidelity *ret_f) {
    struct processors end = read_processors();
    uint64_t one = 1, own_wait_ns = 0;
    bool wait_known = read_wait_ns(&own_wait_ns);
    struct fidelity f = {
        .cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
        .wall_ns = now_ns() - p->begin_ns,
        .busy_cpu_ns = end.busy_ns - p->begin.busy_ns,
        .stolen_cpu_ns = end.stolen_ns - p->begin.stolen_ns,
        .own_cpu_ns = speakers_cpu_ns + rusage_ns(RUSAGE_SELF) + rusage_ns(RUSAGE_CHILDREN),
        .wait_ns = own_wait_ns + speakers_wait_ns,
        .wait_known = wait_known,
        .kernel_bytes = read_kernel_bytes() - p->kernel_begin,
    };
    while (write(p->end_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    pthread_join(p->thread, NULL);
    f.ticks = p->lags.count;
    f.timer_lag_p99_ns = fidelity_lag_p99(&p->lags);
    f.timer_lag_max_ns = p->lags.max_ns;
    probe_free(p);
    *ret_f = f;
}

/* ---- the verdict ---- */

static double percent_of_all(const struct fidelity *f, double ns) {
    double all = (double)f->wall_ns * f->cpus;
    return all > 0 ? 100 * ns / all : 0;
}

static double foreign_ns(const struct fidelity *f) {
    double foreign = (double)f->busy_cpu_ns - (double)f->own_cpu_ns;
    return (foreign > 0 ? foreign : 0) + (double)f->stolen_cpu_ns;
}

double fidelity_foreign_percent(const struct fidelity *f) {
    return percent_of_all(f, foreign_ns(f));
}

/* Others' part of what was used; all of it when nothing was: then it was nobody of this machine. */
static double foreign_share(const struct fidelity *f) {
    double used = (double)f->busy_cpu_ns + (double)f->stolen_cpu_ns;
    double share = used > 0 ? foreign_ns(f) / used : 1;
    return share < 1 ? share : 1;
}

uint64_t fidelity_delayed_ns(const struct fidelity *f) {
    return f->wait_known ? (uint64_t)((double)f->wait_ns * foreign_share(f)) : 0;
}

/* The same in percent of the time in which they wanted to run: ran or waited. */
static double delayed_percent(const struct fidelity *f) {
    double wanted = (double)f->own_cpu_ns + (double)f->wait_ns;
    return wanted > 0 ? 100 * (double)fidelity_delayed_ns(f) / wanted : 0;
}

static void judge_processors(const struct fidelity *f, struct text *why) {
    double delayed = delayed_percent(f), foreign = fidelity_foreign_percent(f);
    double stolen = percent_of_all(f, (double)f->stolen_cpu_ns);
    if (!f->wait_known && foreign > FIDELITY_FOREIGN_PERCENT)
        text_printf(why, "others took %.0f %% of the processors (limit %d %%)", foreign,
                    FIDELITY_FOREIGN_PERCENT);
    else if (f->wait_known && delayed > FIDELITY_DELAYED_PERCENT)
        text_printf(why,
                    "others ran for %.0f %% of the time in which the lab wanted to (limit %d %%)",
                    delayed, FIDELITY_DELAYED_PERCENT);
    else if (stolen > FIDELITY_STOLEN_PERCENT)
        text_printf(why, "the hypervisor took %.0f %% of the processors (limit %d %%)", stolen,
                    FIDELITY_STOLEN_PERCENT);
}

bool fidelity_spoiled(const struct fidelity *f, struct text *why) {
    size_t before = why->size;
    if (f->wall_ns < FIDELITY_WALL_MIN_NS)
        return false;
    judge_processors(f, why);
    if ((double)f->timer_lag_p99_ns * foreign_share(f) > (double)FIDELITY_LAG_P99_NS)
        text_printf(why, "%sone timer in a hundred was %.0f ms late or more (limit %.0f ms)",
                    why->size > before ? "; " : "", (double)f->timer_lag_p99_ns / 2e6,
                    (double)FIDELITY_LAG_P99_NS / 1e6);
    return why->size > before;
}
