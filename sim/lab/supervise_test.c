/*
 * The supervisor's death: whatever dies, and however, no process and no namespace is left.
 *
 * A lab tells its namespaces' inodes through its channel; afterwards no process of the machine may
 * be in one of them and its processes must be gone. Waiting is for pidfds and for conditions, with
 * deadlines.
 */
#include "lab_fixture.h"
#include "netns.h"

#include "../../speaker/base/hash.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Written by the supervisor, read by the test: shared memory survives any death. */
struct witness {
    _Atomic uint64_t pid_namespace; /* inode */
    _Atomic uint32_t rounds;        /* labs built so far */
    _Atomic uint32_t child_pidns_1; /* getpid() inside */
};

static struct witness *share(void) {
    struct witness *w =
        mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(w != MAP_FAILED);
    return w;
}

static uint64_t namespace_inode(const char *path) {
    struct stat s;

    return stat(path, &s) == 0 ? (uint64_t)s.st_ino : 0;
}

static bool await_death(int pidfd) {
    struct pollfd p = {.fd = pidfd, .events = POLLIN};

    return poll(&p, 1, (int)FIXTURE_DEADLINE_MS) == 1;
}

/* Processes of the machine in the PID namespace with this inode. */
static size_t count_inside(uint64_t inode) {
    DIR *d = opendir("/proc");
    struct dirent *e;
    size_t count = 0;

    while (d != NULL && (e = readdir(d)) != NULL) {
        char path[300];
        if (e->d_name[0] < '1' || e->d_name[0] > '9')
            continue;
        snprintf(path, sizeof(path), "/proc/%s/ns/pid", e->d_name);
        count += inode != 0 && namespace_inode(path) == inode;
    }
    if (d != NULL)
        closedir(d);
    return count;
}

/* Builds labs and takes them down until killed, with a child of its own running all the time. */
static int endless_body(int fd, void *argument) {
    struct witness *w = argument;
    struct network n;
    pid_t child;

    (void)fd;
    w->child_pidns_1 = (uint32_t)getpid();
    w->pid_namespace = namespace_inode("/proc/self/ns/pid"); /* last: who waits for it goes on */
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    CHECK(child > 0);
    network_make(&n, 10, LAB_FABRIC_ROUTED, false);
    for (;;) {
        struct lab *lab = build_network(&n);
        CHECK(lab != NULL);
        w->rounds++;
        lab_teardown(lab);
    }
}

/* Waits until the other process has got as far as `ready` says; a condition, with a deadline. */
static bool await_witness(const struct witness *w, uint32_t rounds) {
    struct nanotime deadline = nanotime_add_ms(lab_now(), FIXTURE_DEADLINE_MS);

    while (w->pid_namespace == 0 || w->rounds < rounds) {
        if (!nanotime_before(lab_now(), deadline))
            return false;
        sched_yield();
    }
    return true;
}

static void await_moment(uint64_t ns) {
    struct nanotime end = {lab_now().ns + ns};

    while (nanotime_before(lab_now(), end))
        sched_yield();
}

static void test_kill_supervisor(void **state) {
    struct supervisor_options o = {0};
    uint64_t seed = 1;

    (void)state;
    for (int i = 0; i < 25; i++) {
        struct diag_list *d = diag_list_new();
        struct witness *w = share();
        int fd, pidfd, status;
        pid_t pid = supervise(&o, endless_body, w, &fd, &pidfd, d);
        assert_true(pid > 0);
        assert_true(await_witness(w, 0));
        await_moment(rng_below(&seed, 60 * NANOS_PER_MS)); /* anywhere in building and removing */
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_true(await_death(pidfd));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(count_inside(w->pid_namespace), 0);
        assert_int_equal(w->child_pidns_1, 1);
        close(fd);
        close(pidfd);
        munmap(w, sizeof(*w));
        diag_list_free(d);
    }
}

/* ---- the caller dies ---- */

struct orphan {
    struct witness *w;
    int report_fd;
    bool outlive;
};

/* A caller that starts a supervisor, hands its pidfd's number to nobody, and is killed. */
static void run_caller(const struct orphan *o) {
    struct supervisor_options options = {.outlive_caller = o->outlive};
    struct diag_list *d = diag_list_new();
    int fd, pidfd;
    pid_t pid = supervise(&options, endless_body, o->w, &fd, &pidfd, d);

    if (write(o->report_fd, &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
        _exit(1);
    for (;;)
        pause();
}

/* The supervisor is then a child of this process, which is a subreaper. */
static pid_t kill_caller(bool outlive, struct witness *w, int *ret_pidfd) {
    int pipes[2], status;
    pid_t caller, supervisor = -1;

    assert_int_equal(pipe(pipes), 0);
    caller = fork();
    if (caller == 0)
        run_caller(&(struct orphan){.w = w, .report_fd = pipes[1], .outlive = outlive});
    assert_true(caller > 0);
    assert_int_equal(read(pipes[0], &supervisor, sizeof(supervisor)), sizeof(supervisor));
    assert_true(supervisor > 0);
    *ret_pidfd = (int)syscall(SYS_pidfd_open, supervisor, 0);
    assert_true(*ret_pidfd >= 0);
    assert_true(await_witness(w, 1));
    assert_int_equal(kill(caller, SIGKILL), 0);
    assert_int_equal(waitpid(caller, &status, 0), caller);
    close(pipes[0]);
    close(pipes[1]);
    return supervisor;
}

/* One that goes on must not outlive this test: whoever reads our output would wait for it. */
static void reap(pid_t pid, int pidfd) {
    bool died = await_death(pidfd);
    int status;

    if (!died)
        (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(pidfd);
    assert_true(died && WIFSIGNALED(status));
}

static void test_kill_caller(void **state) {
    struct witness *w = share();
    int pidfd;
    pid_t pid;

    (void)state;
    pid = kill_caller(false, w, &pidfd);
    reap(pid, pidfd);
    assert_int_equal(count_inside(w->pid_namespace), 0);
    munmap(w, sizeof(*w));
}

static void test_outlive_caller(void **state) {
    struct witness *w = share();
    uint32_t rounds;
    int pidfd;
    pid_t pid;

    (void)state;
    pid = kill_caller(true, w, &pidfd);
    rounds = w->rounds;
    assert_true(await_witness(w, rounds + 2)); /* it goes on building */
    assert_int_equal(syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0), 0);
    reap(pid, pidfd);
    assert_int_equal(count_inside(w->pid_namespace), 0);
    munmap(w, sizeof(*w));
}

/* Where a supervisor stands that is about to ask for its death signal; NULL: nobody looks. */
enum { ON_ITS_WAY, ABOUT_TO_ASK, CALLER_IS_DEAD };
static _Atomic uint32_t *moment;

static bool await_moment_is(uint32_t wanted) {
    struct nanotime deadline = nanotime_add_ms(lab_now(), FIXTURE_DEADLINE_MS);

    while (*moment != wanted && nanotime_before(lab_now(), deadline))
        sched_yield();
    return *moment == wanted;
}

/* Before libc's own. None of ours has more than one argument. */
int prctl(int option, ...) {
    unsigned long argument;
    va_list list;

    va_start(list, option);
    argument = va_arg(list, unsigned long);
    va_end(list);
    if (option == PR_SET_PDEATHSIG && moment != NULL) {
        *moment = ABOUT_TO_ASK;
        (void)await_moment_is(CALLER_IS_DEAD);
    }
    return (int)syscall(SYS_prctl, option, argument, 0, 0, 0);
}

static int body_without_caller(int fd, void *argument) {
    (void)fd;
    (void)argument;
    return 7;
}

/* No signal comes for a death that was before it was asked for: the lab does not begin. */
static void test_caller_died_before(void **state) {
    struct supervisor_options o = {0};
    struct diag_list *d = diag_list_new();
    int fd, pidfd, status;
    pid_t caller, pid;
    bool asks;

    (void)state;
    moment = mmap(NULL, sizeof(*moment), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(moment != MAP_FAILED);
    caller = fork();
    if (caller == 0)
        _exit(supervise(&o, body_without_caller, NULL, &fd, &pidfd, d) > 0);
    assert_true(caller > 0);
    asks = await_moment_is(ABOUT_TO_ASK);
    assert_int_equal(kill(caller, SIGKILL), 0);
    assert_int_equal(waitpid(caller, &status, 0), caller);
    *moment = CALLER_IS_DEAD;
    pid = waitpid(-1, &status, 0); /* the supervisor, ours by now */
    munmap(moment, sizeof(*moment));
    moment = NULL;
    diag_list_free(d);
    assert_true(asks && pid > 0 && WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

/* ---- several at once; as an ordinary user ---- */

static int small_body(int fd, void *argument) {
    struct network n;
    struct lab *lab;

    (void)fd;
    (void)argument;
    CHECK(getpid() == 1);
    CHECK(getsid(0) == 1); /* what is pressed at the caller's terminal does not come here */
    network_make(&n, 5, LAB_FABRIC_L2, true);
    lab = build_network(&n);
    CHECK(lab != NULL);
    CHECK(ping_all(lab, 5, host_addr4, FIXTURE_DEADLINE_MS) == 20);
    CHECK(ping_all(lab, 5, host_addr6, FIXTURE_DEADLINE_MS) == 20);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

#define PARALLEL 8

static void test_parallel(void **state) {
    struct supervisor_options o = {0};
    struct diag_list *d = diag_list_new();
    int fds[PARALLEL], pidfds[PARALLEL];
    pid_t pids[PARALLEL];

    (void)state;
    for (int i = 0; i < PARALLEL; i++) {
        pids[i] = supervise(&o, small_body, NULL, &fds[i], &pidfds[i], d);
        assert_true(pids[i] > 0);
    }
    for (int i = 0; i < PARALLEL; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        close(fds[i]);
        close(pidfds[i]);
    }
    assert_int_equal(diag_count(d), 0);
    diag_list_free(d);
}

static void test_unprivileged(void **state) {
    int status;
    pid_t pid;

    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: only root may become another user here\n");
        skip();
    }
    pid = fork();
    if (pid == 0) {
        if (setgroups(0, NULL) != 0 || setresgid(65534, 65534, 65534) != 0 ||
            setresuid(65534, 65534, 65534) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0)
            _exit(90);
        _exit(run_supervised(small_body, NULL));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int status_body(int fd, void *argument) {
    const char word[] = "ready";
    char answer[8] = "";

    (void)argument;
    CHECK(write(fd, word, sizeof(word)) == (ssize_t)sizeof(word));
    CHECK(read(fd, answer, sizeof(answer)) == 3);
    return strcmp(answer, "go") == 0 ? 42 : 1;
}

static void test_channel(void **state) {
    struct supervisor_options o = {0};
    struct diag_list *d = diag_list_new();
    char word[16] = "";
    int fd, pidfd, status;
    pid_t pid = supervise(&o, status_body, NULL, &fd, &pidfd, d);

    (void)state;
    assert_true(pid > 0);
    assert_int_equal(read(fd, word, sizeof(word)), 6);
    assert_string_equal(word, "ready");
    assert_int_equal(write(fd, "go", 3), 3);
    assert_true(await_death(pidfd));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 42);
    close(fd);
    close(pidfd);
    diag_list_free(d);
}

static void test_refusal(void **state) {
    struct supervisor_options o = {0};
    int fd, pidfd;

    (void)state;
    for (unsigned long k = 1; k <= 2; k++) {
        struct diag_list *d = diag_list_new();
        step_fail_at(k);
        assert_int_equal(supervise(&o, status_body, NULL, &fd, &pidfd, d), -1);
        step_fail_at(0);
        assert_int_equal(diag_error_count(d), 1);
        assert_non_null(strstr(diag_at(d, 0)->message, "cannot "));
        diag_list_free(d);
    }
}

static int doctor_check(const struct lab_needs *needs, json_t **ret_facts, struct diag_list *d) {
    *ret_facts = json_object();
    host_check(needs, d, *ret_facts);
    return (int)diag_error_count(d);
}

static void test_doctor(void **state) {
    struct lab_needs small = {.hosts = 10, .sessions = 45, .capture = true};
    struct lab_needs huge = {.hosts = 15000, .sessions = 100u << 20};
    struct diag_list *d = diag_list_new();
    json_t *facts;

    (void)state;
    assert_int_equal(doctor_check(&small, &facts, d), 0);
    assert_true(json_integer_value(json_object_get(facts, "nodes_max")) >= 10);
    assert_true(json_is_true(json_object_get(json_object_get(facts, "features"), "veth")));
    json_decref(facts);
    assert_true(doctor_check(&huge, &facts, d) >= 1); /* a terabyte of sessions */
    json_decref(facts);
    diag_list_free(d);
}

static const struct lab_need *need_of(const struct lab_need *list, size_t count, const char *what) {
    for (size_t i = 0; i < count; i++)
        if (strncmp(list[i].what, what, strlen(what)) == 0)
            return &list[i];
    return NULL;
}

static void test_needs(void **state) {
    struct lab_needs l2 = {.hosts = 2000, .sessions = 10, .sockets_per_speaker_max = 7};
    struct lab_needs huge = {.hosts = 10, .sessions = 100u << 20, .routed = true};
    struct lab_need list[LAB_NEEDS_MAX];
    struct diag_list *d = diag_list_new();

    (void)state;
    size_t count = host_weigh(&l2, list, d);
    const struct lab_need *ports = need_of(list, count, "bridge ports");
    assert_non_null(ports);
    assert_true(ports->needed == 2000 && ports->here == 1023);
    assert_true(need_of(list, count, "ports, a speaker")->needed == 7);
    assert_true(need_of(list, count, "memory")->estimated);
    assert_int_equal(diag_error_count(d), 0);
    count = host_weigh(&huge, list, d);
    assert_true(need_of(list, count, "memory")->needed > UINT64_C(1) << 20); /* MiB: a terabyte */
    assert_int_equal(need_of(list, count, "bridge ports")->needed, 0);
    assert_int_equal(diag_error_count(d), 1);
    diag_list_free(d);
}

/* What large labs took of a whole machine. */
static void test_memory_estimates(void **state) {
    static const struct {
        struct lab_needs needs;
        uint64_t measured_mib;
    } labs[] = {
        {{.hosts = 1000, .sessions = 499500, .routes = 1002000, .routed = true}, 7066},
        {{.hosts = 4004, .sessions = 8005, .routes = 16032014, .routed = true}, 15360},
    };
    struct lab_need list[LAB_NEEDS_MAX];
    struct diag_list *d = diag_list_new();

    (void)state;
    for (size_t i = 0; i < sizeof labs / sizeof *labs; i++) {
        size_t count = host_weigh(&labs[i].needs, list, d);
        uint64_t mib = need_of(list, count, "memory")->needed, measured = labs[i].measured_mib;
        assert_in_range(mib, measured * 9 / 10, measured * 13 / 10);
    }
    diag_list_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_estimates), cmocka_unit_test(test_needs),
        cmocka_unit_test(test_channel),          cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_kill_supervisor),  cmocka_unit_test(test_kill_caller),
        cmocka_unit_test(test_outlive_caller),   cmocka_unit_test(test_caller_died_before),
        cmocka_unit_test(test_parallel),         cmocka_unit_test(test_unprivileged),
        cmocka_unit_test(test_doctor),
    };

    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
