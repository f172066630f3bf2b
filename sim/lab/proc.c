/*
 * What /proc says of a lab's processes: memory, processor time, whether one is about to end.
 *
 * A process closes its sockets before its parent is told of its end, so that its peers' sessions
 * are seen to go down first. Whoever judges what was seen asks lab_await_exits before, and knows
 * a fallen speaker from a lost session.
 */
#include "lab_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FLAG_EXITING 0x4u /* PF_EXITING, set before anything of a process is closed */

uint64_t proc_kib_line(const char *line, const char *key) {
    size_t size = strlen(key);
    uint64_t kib;

    if (strncmp(line, key, size) != 0)
        return 0;
    line += size;
    line += strspn(line, " \t");
    return text_read_u64(&line, &kib) ? kib << 10 : 0;
}

static bool read_proc(pid_t pid, const char *name, char *ret_data, size_t size) {
    char path[64];
    ssize_t got = -1;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = read(fd, ret_data, size - 1);
        close(fd);
    }
    ret_data[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* Values `first` and, if asked for, the one after it of /proc/PID/stat, counted from 1. The 2nd, a
 * name in parentheses, may hold blanks and parentheses itself. */
static bool read_stat(pid_t pid, int first, uint64_t *ret_value, uint64_t *ret_next) {
    char data[512];
    const char *at = read_proc(pid, "stat", data, sizeof(data)) ? strrchr(data, ')') : NULL;

    for (int value = 2; at != NULL && value < first; value++)
        if ((at = strchr(at, ' ')) != NULL)
            at++;
    if (at == NULL || !text_read_u64(&at, ret_value))
        return false;
    return ret_next == NULL || (*at++ == ' ' && text_read_u64(&at, ret_next));
}

/* The scheduler counts nanoseconds of the one thread a speaker has, run and waited; kernels built
 * without that count leave clock ticks, which are longer than many a speaker's whole life. */
static void add_times(pid_t pid, struct lab_usage *u) {
    char data[512];
    const char *at = data;
    uint64_t ns, wait_ns, user, system; /* `utime`, `stime` */
    long ticks_per_s = sysconf(_SC_CLK_TCK);

    if (read_proc(pid, "schedstat", data, sizeof(data)) && text_read_u64(&at, &ns)) {
        u->cpu_ns += ns;
        at += strspn(at, " ");
        u->wait_ns += text_read_u64(&at, &wait_ns) ? wait_ns : 0;
    } else if (ticks_per_s > 0 && read_stat(pid, 14, &user, &system)) {
        u->cpu_ns += (user + system) * (NANOS_PER_S / (uint64_t)ticks_per_s);
    }
}

static void add_usage(pid_t pid, struct lab_usage *u) {
    char path[64], line[256];
    FILE *f;

    if (pid <= 0)
        return;
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        u->pss_bytes += proc_kib_line(line, "Pss:");
        u->rss_bytes += proc_kib_line(line, "Rss:");
    }
    if (f != NULL)
        fclose(f);
    add_times(pid, u);
}

struct lab_usage lab_speaker_usage(const struct lab *lab, uint32_t host) {
    const struct speaker *s = &lab->nodes[host].speaker;
    struct lab_usage u = {0};

    if (s->daemon.driver == NULL)
        add_usage(s->pid, &u);
    for (size_t i = 0; i < DAEMON_PROGRAMS_MAX; i++)
        add_usage(s->daemon.pids[i], &u);
    return u;
}

bool lab_process_began(pid_t pid, uint64_t *ret_ticks) {
    return read_stat(pid, 22, ret_ticks, NULL);
}

/* ---- about to end ---- */

static bool is_exiting(pid_t pid) {
    uint64_t flags;

    return pid > 0 && read_stat(pid, 9, &flags, NULL) && (flags & FLAG_EXITING) != 0;
}

static bool speaker_is_exiting(const struct speaker *s) {
    bool exiting = s->daemon.driver == NULL && is_exiting(s->pid);

    for (size_t i = 0; i < DAEMON_PROGRAMS_MAX; i++)
        exiting = exiting || is_exiting(s->daemon.pids[i]);
    return exiting;
}

bool lab_await_exits(struct lab *lab, uint32_t deadline_ms) {
    struct nanotime deadline = nanotime_add_ms(lab_now(), deadline_ms);

    process_reap_all(lab);
    for (size_t h = 0; h < lab->node_count; h++)
        while (speaker_is_exiting(&lab->nodes[h].speaker) && nanotime_before(lab_now(), deadline))
            lab_pump(lab, deadline, -1, NULL);
    return lab->child_ended;
}
