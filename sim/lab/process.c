/*
 * Processes of a lab: speakers, and programs run for a moment.
 *
 * Owns: starting, reaping, stopping; a speaker's configuration in a sealed memory file; its log.
 * Leaves to others: what is said over the control socket (control.c), faults (fault.c).
 *
 * A child shares the supervisor's memory until it has executed (CLONE_VM and CLONE_VFORK on a
 * stack of its own), so that starting a thousand speakers copies no page tables. Until then it
 * makes system calls only. It enters the host's namespace, moves the descriptors it may have to
 * fixed numbers, closes all others, resets signals and executes; no shell, no PATH. Why it could
 * not, it writes into the supervisor's memory.
 *
 * Invariants: speaker.pid > 0 exactly while kind is LAB_RUNNING, and no pid is signalled that has
 * been reaped. All children are reaped here: those of speakers, that of lab_exec, and orphans,
 * which PID 1 inherits.
 */
#include "../../speaker/base/arena.h"
#include "lab_internal.h"
#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_STACK_BYTES 65536u
#define KILL_DEADLINE_MS 20000u

extern char **environ;

/* In the child, on the supervisor's memory: system calls only. The sanitizer does not know its
 * stack. */
__attribute__((no_sanitize("address"))) static int child_main(void *argument) {
    struct child *c = argument;
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int s = 1; s < 32; s++)
        (void)sigaction(s, &plain, NULL);
    sigemptyset(&none);
    if (setns(c->netns_fd, CLONE_NEWNET) != 0)
        goto failed;
    /* First out of the way of the numbers they will have. */
    for (int i = 0; i < c->fd_count; i++) {
        c->fds[i] = fcntl(c->fds[i], F_DUPFD, CHILD_FDS_MAX);
        if (c->fds[i] < 0)
            goto failed;
    }
    for (int i = 0; i < c->fd_count; i++)
        if (dup2(c->fds[i], i) < 0)
            goto failed;
    if (syscall(SYS_close_range, (unsigned)c->fd_count, ~0U, 0) != 0)
        goto failed;
    if (sigprocmask(SIG_SETMASK, &none, NULL) == 0)
        execve(c->path, c->argv, c->envp != NULL ? c->envp : environ);
failed:
    c->error = errno;
    _exit(127);
}

pid_t process_spawn(struct child *c) {
    char *stack = step_ok() ? mmap(NULL, CHILD_STACK_BYTES, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)
                            : MAP_FAILED;
    sigset_t all, before;
    pid_t pid;
    int error;

    if (stack == MAP_FAILED)
        return -1;
    c->error = 0;
    /* A handler must not run in a child that shares our memory. */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid = clone(child_main, stack + CHILD_STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD, c);
    error = pid < 0 ? errno : c->error;
    sigprocmask(SIG_SETMASK, &before, NULL);
    munmap(stack, CHILD_STACK_BYTES);
    if (error == 0)
        return pid;
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    errno = error;
    return -1;
}

/* ---- starting a speaker ---- */

enum speaker_fd { FD_NULL, FD_OUT, FD_ERR, FD_CONTROL, FD_BOARD, FD_BELL, FD_CONFIG, FD_COUNT };

static int seal_config(const char *data, size_t size) {
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    int fd = step_ok() ? memfd_create("config", MFD_CLOEXEC | MFD_ALLOW_SEALING) : -1;

    if (fd < 0)
        return -1;
    while (size > 0) {
        ssize_t wrote = write(fd, data, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            goto failed;
        data += wrote;
        size -= (size_t)wrote;
    }
    if (fcntl(fd, F_ADD_SEALS, seals) == 0 && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
failed:
    close(fd);
    return -1;
}

struct speaker_pipes {
    int control[2]; /* 0: ours */
    int log[2];     /* 0: ours */
    int config_fd;
};

static void close_pipes(struct speaker_pipes *p) {
    int fds[] = {p->control[0], p->control[1], p->log[0], p->log[1], p->config_fd};
    int saved = errno;

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    errno = saved;
}

static bool open_pipes(const struct lab_speaker_spec *spec, struct speaker_pipes *p) {
    const char *data = spec->ios != NULL ? spec->ios : spec->config;

    *p = (struct speaker_pipes){{-1, -1}, {-1, -1}, -1};
    p->config_fd = seal_config(data, spec->ios != NULL ? spec->ios_size : spec->config_size);
    return p->config_fd >= 0 && step_ok() &&
           socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->control) == 0 &&
           pipe2(p->log, O_CLOEXEC) == 0 && fcntl(p->log[0], F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(p->control[0], F_SETFL, O_NONBLOCK) == 0;
}

static int add_option(char **argv, int count, const char *name, const char *value) {
    if (value != NULL) {
        argv[count++] = (char *)(uintptr_t)name;
        argv[count++] = (char *)(uintptr_t)value;
    }
    return count;
}

static pid_t start_speaker(struct lab *lab, uint32_t host, const struct lab_speaker_spec *spec,
                           const struct speaker_pipes *p) {
    char slot[16], *argv[24];
    int count = 0;
    /* execve does not change its strings. */
    const char *plain[] = {lab->speaker_path,
                           spec->ios != NULL ? "--ios-fd" : "--config-fd",
                           "6",
                           "--control-fd",
                           "3",
                           "--scoreboard-fd",
                           "4",
                           "--bell-fd",
                           "5",
                           "--log-fd",
                           "2",
                           "--slot",
                           slot};
    struct child c = {.netns_fd = lab->nodes[host].netns_fd,
                      .path = lab->speaker_path,
                      .argv = argv,
                      .fds = {[FD_NULL] = lab->null_fd,
                              [FD_OUT] = p->log[1],
                              [FD_ERR] = p->log[1],
                              [FD_CONTROL] = p->control[1],
                              [FD_BOARD] = lab->board_fd,
                              [FD_BELL] = lab->bell_fd,
                              [FD_CONFIG] = p->config_fd},
                      .fd_count = FD_COUNT};

    snprintf(slot, sizeof(slot), "%u", host);
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        argv[count++] = (char *)(uintptr_t)plain[i];
    count = add_option(argv, count, "--profile", spec->profile);
    count = add_option(argv, count, "--hostname", spec->hostname);
    count = add_option(argv, count, "--interfaces", spec->interfaces);
    count = add_option(argv, count, "--mrt", spec->mrt_file);
    if (spec->restarting)
        argv[count++] = (char *)(uintptr_t) "--restart";
    argv[count] = NULL;
    return process_spawn(&c);
}

static void clear_slot(struct scoreboard_slot *s) {
    uint64_t count = atomic_load(&s->change_count);

    /* A predecessor killed in the middle of a write leaves an odd count. */
    memset((char *)s + sizeof(s->change_count), 0, sizeof(*s) - sizeof(s->change_count));
    atomic_store(&s->change_count, (count | 1) + 1);
}

static bool watch_speaker(struct lab *lab, uint32_t host, struct speaker *s) {
    return lab_watch(lab, s->control_fd, LAB_WATCH_CONTROL, host, false) &&
           lab_watch(lab, s->log_fd, LAB_WATCH_LOG, host, false);
}

bool lab_speaker_start(struct lab *lab, uint32_t host, const struct lab_speaker_spec *spec,
                       struct diag_list *diags) {
    struct lab_node *n = &lab->nodes[host];
    struct speaker *s = &n->speaker;
    struct speaker_pipes p;
    pid_t pid;

    if (s->kind == LAB_RUNNING) {
        lab_add_finding(diags, n->name, "start a speaker", EALREADY, NULL);
        return false;
    }
    process_forget(lab, host);
    pid = open_pipes(spec, &p) ? start_speaker(lab, host, spec, &p) : -1;
    if (pid < 0) {
        lab_add_finding(diags, n->name, "start ribcage-speaker", errno, lab->speaker_path);
        close_pipes(&p);
        return false;
    }
    s->pid = pid;
    s->kind = LAB_RUNNING;
    s->code = 0;
    s->expected = false;
    s->control_fd = p.control[0];
    s->log_fd = p.log[0];
    s->log_bytes_max = spec->extra_log ? LAB_LOG_EXTRA_BYTES_MAX : LAB_LOG_BYTES_MAX;
    p.control[0] = p.log[0] = -1;
    close_pipes(&p);
    if (watch_speaker(lab, host, s))
        return true;
    lab_add_finding(diags, n->name, "watch a speaker", errno, NULL);
    (void)kill(pid, SIGKILL);
    return false;
}

/* ---- its life ---- */

void process_init(struct speaker *s) {
    s->kind = LAB_NEVER_STARTED;
    s->control_fd = s->log_fd = -1;
    s->log_bytes_max = LAB_LOG_BYTES_MAX;
    text_init(&s->out);
    text_init(&s->in);
    text_init(&s->log);
}

static void close_watched(struct lab *lab, int *fd) {
    if (*fd < 0)
        return;
    lab_unwatch(lab, *fd);
    close(*fd);
    *fd = -1;
}

/* Forgets the connection; the log stays until the lab ends. */
static void drop_connection(struct lab *lab, struct speaker *s) {
    close_watched(lab, &s->control_fd);
    close_watched(lab, &s->log_fd);
    lab->control_queued_bytes -= s->out.size - s->out_sent;
    text_deinit(&s->out);
    text_deinit(&s->in);
    s->out_sent = s->in_scanned = 0;
}

void process_forget(struct lab *lab, uint32_t host) {
    struct speaker *s = &lab->nodes[host].speaker;

    process_read_log(lab, host);
    drop_connection(lab, s);
    clear_slot(lab_slot(lab, host));
    s->daemon = (struct daemon){0};
}

void process_deinit(struct lab *lab, struct speaker *s) {
    drop_connection(lab, s);
    text_deinit(&s->log);
}

static void note_exit(struct lab *lab, uint32_t host, int status) {
    struct speaker *s = &lab->nodes[host].speaker;

    s->kind = WIFEXITED(status) ? LAB_EXITED : LAB_KILLED;
    s->code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    s->pid = 0;
    lab->child_ended = true;
    process_read_log(lab, host);
    control_read(lab, host); /* what it said last */
    control_close(lab, host);
}

/* One of a daemon's processes: a node of which a part has ended has ended; the others follow. */
static void note_part(struct lab *lab, uint32_t host, size_t program, int status) {
    struct speaker *s = &lab->nodes[host].speaker;
    struct daemon *d = &s->daemon;

    d->pids[program] = 0;
    if (!d->ending)
        d->status = status;
    d->ending = true;
    s->pid = 0;
    for (size_t i = 0; i < DAEMON_PROGRAMS_MAX; i++)
        if (d->pids[i] > 0)
            s->pid = d->pids[i];
    if (s->pid == 0)
        note_exit(lab, host, d->status);
    else if (!s->expected)
        (void)process_signal(s, SIGKILL);
}

static void note_child(struct lab *lab, uint32_t host, pid_t pid, int status) {
    struct speaker *s = &lab->nodes[host].speaker;

    if (s->daemon.driver == NULL && s->pid == pid)
        note_exit(lab, host, status);
    for (size_t i = 0; s->daemon.driver != NULL && i < DAEMON_PROGRAMS_MAX; i++)
        if (s->daemon.pids[i] == pid)
            note_part(lab, host, i, status);
}

bool process_signal(const struct speaker *s, int signal) {
    bool ok = s->pid > 0;

    if (s->daemon.driver == NULL)
        return ok && kill(s->pid, signal) == 0;
    for (size_t i = 0; i < DAEMON_PROGRAMS_MAX; i++)
        if (s->daemon.pids[i] > 0)
            ok = kill(s->daemon.pids[i], signal) == 0 && ok;
    return ok;
}

void process_reap_all(struct lab *lab) {
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == lab->exec_pid) {
            lab->exec_done = true;
            lab->exec_status = status;
        }
        for (uint32_t h = 0; h < lab->node_count; h++)
            note_child(lab, h, pid, status);
    }
}

struct lab_speaker_state lab_speaker_state(const struct lab *lab, uint32_t host) {
    const struct speaker *s = &lab->nodes[host].speaker;

    return (struct lab_speaker_state){
        .kind = s->kind, .code = s->code, .expected = s->expected, .pid = s->pid};
}

bool lab_speaker_stop(struct lab *lab, uint32_t host, uint32_t deadline_ms) {
    struct speaker *s = &lab->nodes[host].speaker;
    struct nanotime deadline = nanotime_add_ms(lab_now(), deadline_ms);

    if (s->kind != LAB_RUNNING)
        return true;
    s->expected = true;
    (void)process_signal(s, SIGTERM);
    (void)process_signal(s, SIGCONT); /* a frozen one would never see it */
    while (s->kind == LAB_RUNNING && nanotime_before(lab_now(), deadline))
        lab_pump(lab, deadline, -1, NULL);
    return s->kind != LAB_RUNNING;
}

static bool any_running(const struct lab *lab) {
    for (size_t h = 0; h < lab->node_count; h++)
        if (lab->nodes[h].speaker.pid > 0)
            return true;
    return false;
}

void process_kill_all(struct lab *lab) {
    struct nanotime deadline = nanotime_add_ms(lab_now(), KILL_DEADLINE_MS);

    for (size_t h = 0; h < lab->node_count; h++) {
        lab->nodes[h].speaker.expected = true;
        (void)process_signal(&lab->nodes[h].speaker, SIGKILL);
    }
    while (any_running(lab) && nanotime_before(lab_now(), deadline))
        lab_pump(lab, deadline, -1, NULL);
}

/* ---- logs ---- */

/* Cuts whole lines off the front until half of the room is free. */
static void trim_log(struct speaker *s) {
    size_t cut = s->log.size - s->log_bytes_max / 2, lines = 0;
    const char *end = memchr(s->log.data + cut, '\n', s->log.size - cut);

    cut = end == NULL ? s->log.size : (size_t)(end - s->log.data) + 1;
    for (size_t i = 0; i < cut; i++)
        lines += s->log.data[i] == '\n';
    memmove(s->log.data, s->log.data + cut, s->log.size - cut);
    s->log.size -= cut;
    s->log.data[s->log.size] = '\0';
    s->log_dropped += lines;
}

void process_append_log(struct speaker *s, const char *data, size_t size) {
    text_put(&s->log, data, size);
    if (s->log.size > s->log_bytes_max)
        trim_log(s);
}

void process_read_log(struct lab *lab, uint32_t host) {
    struct speaker *s = &lab->nodes[host].speaker;
    char buffer[16384];
    /* Bounded: a speaker that never stops writing must not keep the rest waiting. */
    for (int round = 0; s->log_fd >= 0 && round < 8; round++) {
        ssize_t got = read(s->log_fd, buffer, sizeof(buffer));
        if (got < 0)
            break;
        if (got == 0) {
            close_watched(lab, &s->log_fd);
            break;
        }
        process_append_log(s, buffer, (size_t)got);
    }
}

const struct text *lab_speaker_log(const struct lab *lab, uint32_t host) {
    return &lab->nodes[host].speaker.log;
}

uint64_t lab_speaker_log_first(const struct lab *lab, uint32_t host) {
    return lab->nodes[host].speaker.log_dropped;
}

/* ---- other programs ---- */

/* A name without a slash is looked for along PATH, as a shell would. */
static const char *find_program(const char *name, char *path, size_t size) {
    const char *at = getenv("PATH");

    if (strchr(name, '/') != NULL)
        return name;
    if (at == NULL || at[0] == '\0')
        at = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    while (*at != '\0') {
        size_t length = strcspn(at, ":");
        int n = snprintf(path, size, "%.*s/%s", (int)length, at, name);
        if (n > 0 && (size_t)n < size && length > 0 && access(path, X_OK) == 0)
            return path;
        at += length + (at[length] == ':');
    }
    return name;
}

int lab_exec(struct lab *lab, uint32_t host, char *const argv[], int in, int out, int err) {
    char path[512];
    struct child c = {.netns_fd = lab->nodes[host].netns_fd,
                      .path = find_program(argv[0], path, sizeof(path)),
                      .argv = argv,
                      .fds = {in, out, err},
                      .fd_count = 3};
    int status;

    lab->exec_done = false;
    lab->exec_pid = process_spawn(&c);
    if (lab->exec_pid < 0) {
        lab->exec_pid = 0;
        return 127;
    }
    while (!lab->exec_done)
        lab_pump(lab, NANOTIME_NEVER, -1, NULL);
    lab->exec_pid = 0;
    status = lab->exec_status;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
