/*
 * Programs from outside that sit in a lab's network namespaces while it is taken down.
 *
 * The kernel keeps a namespace as long as a process is in it, and the supervisor waits for the
 * kernel. It cannot see who that is, for it has a PID namespace and a /proc of its own. So it says
 * which namespaces the hosts have and which PID namespace is the lab's, and the command outside
 * looks for processes that are in one of the former and not in the latter. Each is named once while
 * the lab waits, and once more when the lab has ended without it.
 *
 * Processes that the kernel hides from this user are not found, nor is one that keeps a namespace
 * by an open descriptor alone. The kernel gives the inode of a namespace that has gone to the next
 * one, another lab's perhaps: who began after the teardown did is no holder of ours.
 */

#include "../lab/lab.h"
#include "cli.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM_SIZE 64

static uint64_t ticks_since_boot(void) {
    struct timespec t;
    uint64_t per_s = (uint64_t)sysconf(_SC_CLK_TCK);
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * per_s + (uint64_t)t.tv_nsec * per_s / 1000000000;
}

void holders_begin(struct holders *h, json_t *lab) {
    json_decref(h->lab);
    *h = (struct holders){.lab = json_incref(lab), .began_ticks = ticks_since_boot()};
}

void holders_end(struct holders *h) {
    json_decref(h->lab);
    h->lab = NULL;
}

/* 0: it has ended, or is not ours to look at. */
static uint64_t namespace_of(pid_t pid, const char *kind) {
    char path[64];
    struct stat s;
    snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, kind);
    return stat(path, &s) == 0 ? s.st_ino : 0;
}

/* The host it is in, or NULL. */
static const char *host_of(const struct holders *h, pid_t pid) {
    const char *name;
    json_t *inode;
    uint64_t netns = namespace_of(pid, "net");
    if (!netns)
        return NULL;
    json_object_foreach(json_object_get(h->lab, "namespaces"), name, inode) {
        if ((uint64_t)json_integer_value(inode) == netns)
            return name;
    }
    return NULL;
}

static bool is_of_the_lab(const struct holders *h, pid_t pid) {
    json_int_t of_lab = json_integer_value(json_object_get(h->lab, "pid_namespace"));
    uint64_t own = namespace_of(pid, "pid");
    return !own || own == (uint64_t)of_lab;
}

static bool was_there(const struct holders *h, pid_t pid) {
    uint64_t ticks;
    return lab_process_began(pid, &ticks) && ticks <= h->began_ticks;
}

/* True: for the first time. */
static bool is_new(struct holders *h, pid_t pid) {
    for (size_t i = 0; i < h->told_count; i++) {
        if (h->told[i] == pid)
            return false;
    }
    if (h->told_count == HOLDERS_TOLD_MAX)
        return false;
    h->told[h->told_count++] = pid;
    return true;
}

static void read_program(pid_t pid, char ret_program[PROGRAM_SIZE]) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, ret_program, PROGRAM_SIZE - 1) : 0;
    if (fd >= 0)
        close(fd);
    ret_program[n > 0 ? n : 0] = '\0';
    ret_program[strcspn(ret_program, "\n")] = '\0';
    if (!*ret_program)
        snprintf(ret_program, PROGRAM_SIZE, "?");
}

/* The next one in /proc; 0: there is none any more. */
static pid_t next_holder(const struct holders *h, DIR *proc, const char **ret_host) {
    for (struct dirent *e; proc && (e = readdir(proc)) != NULL;) {
        uint64_t pid = 0;
        const char *host =
            text_to_u64(e->d_name, 1, INT32_MAX, &pid) ? host_of(h, (pid_t)pid) : NULL;
        if (!host || is_of_the_lab(h, (pid_t)pid) || !was_there(h, (pid_t)pid))
            continue;
        *ret_host = host;
        return (pid_t)pid;
    }
    return 0;
}

void holders_tell(struct holders *h) {
    DIR *proc = h->lab ? opendir("/proc") : NULL;
    char program[PROGRAM_SIZE];
    const char *host = NULL;
    for (pid_t pid; (pid = next_holder(h, proc, &host)) != 0;) {
        if (!is_new(h, pid))
            continue;
        read_program(pid, program);
        cli_error("the lab is held up by pid %d (%s) in the namespace of %s; it waits for its end, "
                  "a minute at most",
                  pid, program, host);
    }
    if (proc)
        closedir(proc);
}

bool holders_stay(const struct holders *h) {
    DIR *proc = h->lab ? opendir("/proc") : NULL;
    char program[PROGRAM_SIZE];
    const char *host = NULL;
    size_t count = 0;
    for (pid_t pid; (pid = next_holder(h, proc, &host)) != 0; count++) {
        if (count >= HOLDERS_TOLD_MAX)
            continue;
        read_program(pid, program);
        cli_error("pid %d (%s) keeps the namespace of %s", pid, program, host);
    }
    if (proc)
        closedir(proc);
    return count > 0;
}
