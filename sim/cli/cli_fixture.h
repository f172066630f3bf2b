#ifndef RIBCAGE_CLI_FIXTURE_H
#define RIBCAGE_CLI_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * For the tests of this folder, which run the real program, by argv, and look at what it leaves.
 *
 * world_enter puts the test program into a user, network and mount namespace of its own with an
 * empty /run and makes it the reaper of orphans: labs of other people are out of sight, a process
 * left behind becomes a child of the test, and network namespaces are counted by the kernel.
 *
 * Nothing waits by time: a wait is for a pidfd, a signal or a condition, and has a deadline.
 */

#define FIXTURE_DEADLINE_MS 120000
#define FIXTURE_NODES "4"

/* ---- files ---- */

static char fixture_root[64]; /* of this test program, removed at its end */

static inline const char *fixture_path(const char *name) {
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", fixture_root, name);
    return path;
}

static inline void fixture_write(const char *name, const char *data, size_t size) {
    int fd = open(fixture_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    close(fd);
}

static inline void fixture_text(const char *name, const char *text) {
    fixture_write(name, text, strlen(text));
}

static inline int remove_one(const char *path, const struct stat *s, int flag, struct FTW *f) {
    (void)s;
    (void)flag;
    (void)f;
    return remove(path);
}

static inline void fixture_remove(const char *path) {
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* A scenario of a few nodes in <root>/<folder>; `steps` is YAML. */
static inline void fixture_scenario(const char *folder, const char *steps) {
    static const char topology[] = "name: mesh\nfabric: auto\nsegments:\n"
                                   "  - {name: lan, subnet: 10.0.0.0/16}\n"
                                   "nodes:\n  - {count: \"${nodes}\", name: \"kube-%d\"}\n";
    static const char pool[] = "apiVersion: projectcalico.org/v3\nkind: IPPool\n"
                               "metadata:\n  name: pool\nspec:\n  cidr: 10.244.0.0/16\n"
                               "  ipipMode: Never\n  vxlanMode: Never\n";
    char name[128], text[4096];

    (void)mkdir(fixture_path(folder), 0755);
    snprintf(name, sizeof name, "%s/topology.yaml", folder);
    fixture_text(name, topology);
    snprintf(name, sizeof name, "%s/pool.yaml", folder);
    fixture_text(name, pool);
    snprintf(name, sizeof name, "%s/scenario.yaml", folder);
    snprintf(text, sizeof text,
             "name: %s\nparameters: {nodes: " FIXTURE_NODES "}\ntopology: topology.yaml\n"
             "manifests: pool.yaml\ndeadline: 60s\nsteps:\n%s",
             folder, steps);
    fixture_text(name, text);
}

/* ---- the world ---- */

static inline bool write_proc(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return ok;
}

/* Only a process outside may map more than one user: a child made before the namespace. */
static inline void map_users(pid_t pid, int go_fd, bool many) {
    char path[64], map[64], byte;

    if (read(go_fd, &byte, 1) != 1)
        _exit(1);
    snprintf(path, sizeof path, "/proc/%d/setgroups", pid);
    if (!many && !write_proc(path, "deny"))
        _exit(1);
    for (int i = 0; i < 2; i++) {
        unsigned id = i == 0 ? (unsigned)geteuid() : (unsigned)getegid();
        snprintf(path, sizeof path, "/proc/%d/%s", pid, i == 0 ? "uid_map" : "gid_map");
        snprintf(map, sizeof map, "0 %u %u", many ? 0 : id, many ? 65536U : 1U);
        if (!write_proc(path, map))
            _exit(1);
    }
    _exit(0);
}

static inline bool enter_user_namespace(void) {
    int go[2], status;
    bool many = geteuid() == 0;
    pid_t parent = getpid(), child;

    if (pipe2(go, O_CLOEXEC) != 0 || (child = fork()) < 0)
        return false;
    if (child == 0)
        map_users(parent, go[0], many);
    bool ok = unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == 0;
    if (ok && write(go[1], "", 1) != 1)
        ok = false;
    close(go[0]);
    close(go[1]);
    return waitpid(child, &status, 0) == child && ok && status == 0;
}

/* What a test opens must not become the standard input of what it starts. */
static inline void open_standard_descriptors(void) {
    int fd = open("/dev/null", O_RDWR);

    while (fd >= 0 && fd <= 2)
        fd = dup(fd);
    if (fd > 2)
        close(fd);
}

/* Who starts tests in the background may have had these ignored, and ribcage would be born so. */
static inline void heed_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        (void)signal(signals[i], SIG_DFL);
}

/* Group setup. Without user namespaces none of these tests is possible: they fail with a word. */
static inline int world_enter(void **state) {
    (void)state;
    sigset_t set;

    open_standard_descriptors();
    heed_signals();
    (void)umask(022); /* another user of a test is to read what the test has made */
    if (!enter_user_namespace() || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", "/run", "tmpfs", 0, "mode=755") != 0) {
        fprintf(stderr, "no user, network and mount namespace for the tests: %s\n",
                strerror(errno));
        return -1;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    unsetenv("SUDO_UID");
    snprintf(fixture_root, sizeof fixture_root, "/run/test");
    return mkdir(fixture_root, 0755);
}

static inline int world_leave(void **state) {
    (void)state;
    fixture_remove(fixture_root); /* the namespaces and /run go with the test program */
    return 0;
}

/* ---- the program ---- */

/* $RIBCAGE, or beside this program's tree: <out>/ribcage, <out>/../release/ribcage. */
static inline const char *program_path(const char *name) {
    static char paths[2][512];
    char *path = paths[name[7] == '-'];
    char self[400];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);

    assert_true(size > 0);
    self[size] = '\0';
    for (int up = 0; up < 3; up++)
        *strrchr(self, '/') = '\0';
    snprintf(path, sizeof paths[0], "%s/%s", self, name);
    if (access(path, X_OK) != 0)
        snprintf(path, sizeof paths[0], "%s/../release/%s", self, name);
    return path;
}

static inline const char *ribcage_path(void) {
    const char *chosen = getenv("RIBCAGE");

    return chosen && *chosen ? chosen : program_path("ribcage");
}

struct run {
    pid_t pid;
    int pidfd, out, err; /* memory files */
    int status;          /* exit status, or 128 + signal */
};

typedef void run_prepare(void *argument);

struct run_options {
    run_prepare *prepare; /* in the child, before the program: limits, user, descriptors */
    void *argument;
    int out; /* 0: a memory file */
};

static inline void run_child(const struct run *r, const struct run_options *o,
                             const char *const *words) {
    sigset_t none;
    char *argv[40] = {(char *)(uintptr_t) "ribcage"};

    (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* a test that fails leaves nothing running */
    for (int i = 0; words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setpgid(0, 0);
    (void)dup2(o->out ? o->out : r->out, 1);
    (void)dup2(r->err, 2);
    if (o->prepare)
        o->prepare(o->argument);
    execv(ribcage_path(), argv);
    _exit(125);
}

static inline struct run run_start_with(const struct run_options *o, const char *const *words) {
    struct run r = {.out = memfd_create("out", MFD_CLOEXEC),
                    .err = memfd_create("err", MFD_CLOEXEC),
                    .status = -1};

    assert_true(r.out >= 0 && r.err >= 0);
    r.pid = fork();
    if (r.pid == 0)
        run_child(&r, o, words);
    assert_true(r.pid > 0);
    (void)setpgid(r.pid, r.pid); /* whoever comes first: a signal to the group must find it */
    r.pidfd = (int)syscall(SYS_pidfd_open, r.pid, 0);
    assert_true(r.pidfd >= 0);
    return r;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline struct run run_start(const char *const *words) {
    return run_start_with(&(struct run_options){.out = 0}, words);
}

static inline bool await_exit(int pidfd, int deadline_ms) {
    struct pollfd p = {.fd = pidfd, .events = POLLIN};

    return poll(&p, 1, deadline_ms) == 1;
}

static inline void run_end(struct run *r) {
    int status;
    bool ended = await_exit(r->pidfd, FIXTURE_DEADLINE_MS);

    if (!ended)
        (void)kill(r->pid, SIGKILL);
    assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
    r->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    close(r->pidfd);
    assert_true(ended);
}

static inline struct run run_words(const char *const *words) {
    struct run r = run_start(words);

    run_end(&r);
    return r;
}

/* A pipe of so many pages that nobody reads, with room for one line at most in each that is free.
 */
static inline void open_stuck_pipe(int pipes[2], int pages, int free_pages) {
    static const char page[4096];

    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_int_equal(fcntl(pipes[1], F_SETPIPE_SZ, pages * 4096), pages * 4096);
    for (int i = free_pages; i < pages; i++)
        assert_int_equal(write(pipes[1], page, sizeof page), sizeof page);
}

/* What was written to r->out or r->err: valid until the next eight calls. */
static inline const char *written(int fd) {
    static char texts[4][65536];
    static unsigned next;
    char *text = texts[next++ % 4];
    ssize_t size = pread(fd, text, sizeof texts[0] - 1, 0);

    text[size > 0 ? size : 0] = '\0';
    return text;
}

static inline void run_close(struct run *r) {
    close(r->out);
    close(r->err);
}

static inline void assert_says(int fd, const char *what) {
    const char *text = written(fd);

    if (strstr(text, what) == NULL)
        fail_msg("no \"%s\" in: %s", what, text);
}

static inline bool has_ended(pid_t pid) {
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
}

/* What a program has written so far; false: it has ended without, or the deadline has come. */
static inline bool await_file_says(int fd, const char *what, pid_t pid) {
    struct timespec now, end;
    bool ended;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += FIXTURE_DEADLINE_MS / 1000;
    do {
        ended = has_ended(pid);
        if (strstr(written(fd), what))
            return true;
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < end.tv_sec && !ended);
    return false;
}

/* ---- reports ---- */

/* The only run's folder below <root>/<runs>, or NULL: none. */
static inline const char *only_run(const char *runs) {
    static char path[600];
    DIR *d = opendir(fixture_path(runs));
    int count = 0;

    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", fixture_path(runs), e->d_name);
        count++;
    }
    if (d)
        closedir(d);
    assert_true(count <= 1);
    return count ? path : NULL;
}

/* Its result, which must be a whole JSON document if the file is there at all. */
static inline json_t *only_result(const char *runs) {
    const char *folder = only_run(runs);
    char path[700];
    json_error_t error;

    snprintf(path, sizeof path, "%s/result.json", folder ? folder : "");
    if (!folder || access(path, F_OK) != 0)
        return NULL;
    json_t *result = json_load_file(path, 0, &error);
    if (!result)
        fail_msg("%s: %s", path, error.text);
    return result;
}

static inline const char *text_in(json_t *o, const char *name) {
    const char *s = json_string_value(json_object_get(o, name));

    return s ? s : "";
}

/* ---- the socket of the only lab there is ---- */

static inline struct sockaddr_un lab_address(void) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    DIR *d = opendir("/run/ribcage");

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            snprintf(a.sun_path, sizeof a.sun_path, "/run/ribcage/%.60s/ctl", e->d_name);
    closedir(d);
    return a;
}

static inline int connect_lab(void) {
    struct sockaddr_un a = lab_address();
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* ---- what is left ---- */

/* Reaps what labs left to us until nothing is; false: a process is left at the deadline. */
static inline bool await_no_children(void) {
    struct timespec patience = {.tv_sec = FIXTURE_DEADLINE_MS / 1000};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (;;) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0 && errno == ECHILD)
            return true;
        if (pid == 0 && sigtimedwait(&set, NULL, &patience) < 0 && errno == EAGAIN)
            return false;
    }
}

static inline size_t count_places(void) {
    DIR *d = opendir("/run/ribcage");
    size_t count = 0;

    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        count += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return count;
}

static inline bool set_namespaces_max(const char *count) {
    return write_proc("/proc/sys/user/max_net_namespaces", count);
}

/* The kernel counts network namespaces per user namespace: with a limit of two, one can be made
 * exactly when this world has none but its own. It lets them go in its own time, one queue for the
 * whole machine: a condition with a deadline. */
static inline bool await_no_namespaces(void) {
    struct timespec now, end;
    int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    bool made = false;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += FIXTURE_DEADLINE_MS / 1000;
    if (own < 0 || !set_namespaces_max("2"))
        return false;
    do {
        made = unshare(CLONE_NEWNET) == 0;
        if (!made)
            sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (!made && now.tv_sec < end.tv_sec);
    bool back = setns(own, CLONE_NEWNET) == 0;
    close(own);
    return set_namespaces_max("1000") && made && back;
}

static inline void assert_nothing_left(void) {
    assert_true(await_no_children());
    assert_int_equal(count_places(), 0);
    assert_true(await_no_namespaces());
}

/* The report's verdict, and its exit status beside the command's. */
static inline json_t *assert_result(const struct run *r, int status, const char *verdict) {
    json_t *result = only_result("runs");

    if (r->status != status)
        fail_msg("status %d, not %d: %s %s", r->status, status, written(r->out), written(r->err));
    assert_non_null(result);
    assert_string_equal(text_in(result, "verdict"), verdict);
    assert_int_equal(json_integer_value(json_object_get(result, "exit_status")), status);
    return result;
}

#endif
