/*
 * The supervisor: PID 1 of a lab.
 *
 * Owns: the one clone that makes the lab's PID, mount, network and IPC namespaces (and a user
 * namespace when the caller may not make them otherwise), identity maps, private mounts with an
 * own /proc and /sys, the death signal, the finding when the kernel refuses.
 * Leaves to others: what runs inside (`body`); reaping orphans, which lab_wait does, since it owns
 * the only waitpid(-1).
 *
 * Invariants: once `body` runs, SIGINT, SIGTERM, SIGHUP and SIGCHLD are blocked (a signalfd reads
 * them) and SIGPIPE is ignored. PID 1 has no default actions for signals from inside, and the
 * death of PID 1, by SIGKILL from outside or by return, ends every process of the namespace: the
 * kernel leaves nothing. Without `outlive_caller` the kernel kills the supervisor when the
 * *thread* that called supervise ends.
 *
 * A raw clone3 is a fork that libc does not know of, so the caller must have one thread only.
 */
#include "lab.h"
#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC)

/* What the child says about its own preparation; nothing at all when it went well. */
struct failure {
    int error;
    char what[60];
};

struct child {
    const struct supervisor_options *options;
    supervisor_body *body;
    void *argument;
    int fd;        /* the body's end */
    int report_fd; /* struct failure goes here; closed when all is well */
    int life_fd;   /* end of file: the caller is gone */
    bool user_namespace;
    uid_t uid;
    gid_t gid;
};

/* ---- in the child ---- */

static void set_failure(struct failure *f, const char *what) {
    f->error = errno;
    snprintf(f->what, sizeof(f->what), "%s", what);
}

static bool write_file(const char *path, const char *data) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok;

    if (fd < 0)
        return false;
    ok = write(fd, data, strlen(data)) == (ssize_t)strlen(data);
    close(fd);
    return ok;
}

static bool map_identity(const struct child *c, struct failure *f) {
    char map[32];

    /* user_namespaces(7): an unprivileged process must give up setgroups before gid_map. */
    if (!write_file("/proc/self/setgroups", "deny") && errno != ENOENT)
        return set_failure(f, "write /proc/self/setgroups"), false;
    snprintf(map, sizeof(map), "0 %u 1", (unsigned)c->gid);
    if (!write_file("/proc/self/gid_map", map))
        return set_failure(f, "write /proc/self/gid_map"), false;
    snprintf(map, sizeof(map), "0 %u 1", (unsigned)c->uid);
    if (!write_file("/proc/self/uid_map", map))
        return set_failure(f, "write /proc/self/uid_map"), false;
    return true;
}

static bool prepare_mounts(struct failure *f) {
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return set_failure(f, "make mounts private"), false;
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return set_failure(f, "mount an own /proc"), false;
    /* Nothing reads /sys; an own one only keeps the caller's links out of sight. A host that
     * hides parts of its /sys refuses this to user namespaces, and that does no harm. */
    (void)mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    return true;
}

static bool prepare_signals(struct failure *f) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_SETMASK, &set, NULL) != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0)
        return set_failure(f, "set signals"), false;
    return true;
}

/* A host of a lab costs about four descriptors. Best effort: doctor names what is short. */
static void raise_descriptor_limit(void) {
    struct rlimit now, want;

    if (getrlimit(RLIMIT_NOFILE, &now) != 0)
        return;
    want = now;
    want.rlim_cur = now.rlim_max;
    if (want.rlim_max < LAB_DESCRIPTORS_MAX)
        want.rlim_cur = want.rlim_max = LAB_DESCRIPTORS_MAX;
    if (setrlimit(RLIMIT_NOFILE, &want) != 0) {
        want.rlim_cur = want.rlim_max = now.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &want);
    }
}

static bool bind_to_caller(const struct child *c, struct failure *f) {
    struct pollfd life = {.fd = c->life_fd};

    /* A key pressed at the terminal is for the caller, which tells us: speakers must not hear it.
     */
    (void)setsid();
    if (c->options->outlive_caller)
        return true;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return set_failure(f, "set the death signal"), false;
    /* The caller may have died before the line above. */
    if (poll(&life, 1, 0) == 1) {
        errno = EOWNERDEAD;
        return set_failure(f, "find the caller alive"), false;
    }
    return true;
}

static bool prepare(const struct child *c, struct failure *f) {
    if (c->user_namespace && !map_identity(c, f))
        return false;
    if (!prepare_mounts(f) || !prepare_signals(f))
        return false;
    raise_descriptor_limit();
    (void)prctl(PR_SET_NAME, "ribcage-lab");
    return bind_to_caller(c, f);
}

static int run_child(const struct child *c) {
    struct failure f = {0};
    int status;

    if (!prepare(c, &f)) {
        (void)!write(c->report_fd, &f, sizeof(f));
        return 1;
    }
    close(c->life_fd);
    close(c->report_fd);
    status = c->body(c->fd, c->argument);
    (void)fflush(NULL);
    return status;
}

/* ---- in the caller ---- */

struct cure {
    int error;
    const char *path; /* a file that explains it, when it holds `value`; NULL: always */
    const char *value;
    const char *text;
};

static const struct cure cures[] = {
    {EPERM, "/proc/sys/kernel/unprivileged_userns_clone", "0",
     "the kernel forbids user namespaces to users: run as root, or sysctl -w "
     "kernel.unprivileged_userns_clone=1"},
    {EPERM, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
     "AppArmor restricts user namespaces: run as root, or sysctl -w "
     "kernel.apparmor_restrict_unprivileged_userns=0"},
    {EACCES, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
     "AppArmor restricts user namespaces: run as root, or sysctl -w "
     "kernel.apparmor_restrict_unprivileged_userns=0"},
    {ENOSPC, "/proc/sys/user/max_user_namespaces", "0",
     "user namespaces are switched off: run as root, or sysctl -w user.max_user_namespaces=10000"},
    {ENOSPC, NULL, NULL,
     "a limit on namespaces is reached: see sysctl user.max_user_namespaces, "
     "user.max_net_namespaces and user.max_pid_namespaces"},
    {EPERM, NULL, NULL,
     "namespaces are not permitted here: run as root on the host, or give the container "
     "CAP_SYS_ADMIN and an unmasked /proc"},
    {EAGAIN, NULL, NULL, "no process can be made: see ulimit -u and sysctl kernel.pid_max"},
    {EINVAL, NULL, NULL, "the kernel lacks a kind of namespace (PID, NET, IPC or USER)"},
    {ENOMEM, NULL, NULL, "the kernel is out of memory"},
};

static bool file_holds(const char *path, const char *value) {
    char data[16] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, data, sizeof(data) - 1);

    if (fd >= 0)
        close(fd);
    return got > 0 && strncmp(data, value, strlen(value)) == 0 && data[strlen(value)] <= ' ';
}

static const char *find_cure(int error) {
    for (size_t i = 0; i < sizeof(cures) / sizeof(cures[0]); i++)
        if (cures[i].error == error &&
            (cures[i].path == NULL || file_holds(cures[i].path, cures[i].value)))
            return cures[i].text;
    return "ribcage doctor says what this machine can do";
}

static void add_finding(struct diag_list *diags, const char *what, int error) {
    diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "supervisor", "cannot %s: %s (%s)", what,
             strerror(error), find_cure(error));
}

static pid_t clone_child(uint64_t flags, int *ret_pidfd) {
    struct clone_args a = {.flags = flags | CLONE_PIDFD,
                           .pidfd = (uint64_t)(uintptr_t)ret_pidfd,
                           .exit_signal = SIGCHLD};

    (void)fflush(NULL); /* what is in stdio's buffers would be written twice */
    return step_ok() ? (pid_t)syscall(SYS_clone3, &a, sizeof(a)) : -1;
}

/* True: the child is ready. False: it is not, has been reaped, and a finding tells. */
static bool await_ready(pid_t pid, int report_fd, struct diag_list *diags) {
    struct failure f = {0};
    ssize_t got;

    do
        got = read(report_fd, &f, sizeof(f));
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return true;
    f.what[sizeof(f.what) - 1] = '\0';
    add_finding(diags, f.what[0] != '\0' ? f.what : "prepare the supervisor", f.error);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return false;
}

struct channels {
    int pair[2];   /* 0: the caller's end */
    int report[2]; /* 0: the caller reads */
    int life[2];   /* 1: held by the caller only */
};

static void close_two(int fd[2]) {
    for (int i = 0; i < 2; i++) {
        if (fd[i] >= 0)
            close(fd[i]);
        fd[i] = -1;
    }
}

static bool open_channels(struct channels *ch) {
    *ch = (struct channels){{-1, -1}, {-1, -1}, {-1, -1}};
    return step_ok() && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ch->pair) == 0 &&
           pipe2(ch->report, O_CLOEXEC) == 0 && pipe2(ch->life, O_CLOEXEC) == 0;
}

static void close_channels(struct channels *ch) {
    close_two(ch->pair);
    close_two(ch->report);
    close_two(ch->life);
}

/* Clones; in the child this does not return. */
static pid_t start_child(struct child *c, struct channels *ch, int *ret_pidfd) {
    uint64_t flags = NAMESPACES | (c->user_namespace ? CLONE_NEWUSER : 0);
    pid_t pid = clone_child(flags, ret_pidfd);

    if (pid < 0 && errno == EPERM && !c->user_namespace) {
        /* Root without CAP_SYS_ADMIN, as in most containers. */
        c->user_namespace = true;
        pid = clone_child(flags | CLONE_NEWUSER, ret_pidfd);
    }
    if (pid == 0) {
        close(ch->pair[0]);
        close(ch->report[0]);
        close(ch->life[1]);
        _exit(run_child(c));
    }
    return pid;
}

pid_t supervise(const struct supervisor_options *o, supervisor_body *body, void *argument,
                int *ret_fd, int *ret_pidfd, struct diag_list *diags) {
    struct channels ch;
    struct child c = {.options = o,
                      .body = body,
                      .argument = argument,
                      .user_namespace = geteuid() != 0,
                      .uid = geteuid(),
                      .gid = getegid()};
    int pidfd = -1;
    pid_t pid = -1;

    if (!open_channels(&ch)) {
        add_finding(diags, "open the supervisor's channels", errno);
        goto out;
    }
    c.fd = ch.pair[1];
    c.report_fd = ch.report[1];
    c.life_fd = ch.life[0];
    pid = start_child(&c, &ch, &pidfd);
    if (pid < 0) {
        add_finding(diags, "make the lab's namespaces", errno);
        goto out;
    }
    close(ch.report[1]);
    ch.report[1] = -1;
    if (!await_ready(pid, ch.report[0], diags)) {
        close(pidfd);
        pid = -1;
        goto out;
    }
    *ret_fd = ch.pair[0];
    *ret_pidfd = pidfd;
    ch.pair[0] = -1;
out:
    close_channels(&ch);
    return pid;
}
