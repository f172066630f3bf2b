/*
 * Network namespaces on one subnet and speakers in them, for tests.
 *
 * Each speaker is a process of its own that runs what main.c runs, in this build's variant. Two
 * nodes are joined by a veth pair, more of them by a bridge in a namespace of its own. Waiting
 * is for the scoreboard's bell, with deadlines, never for time to pass. Every process made here
 * dies with the one that made it, and namespaces are held by descriptors only, so a test that is
 * killed leaves nothing.
 */
#include "nodes_fixture.h"

#include "../base/text.h"
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGUMENTS_MAX 24

struct nodes nodes;

/* ---- namespaces ---- */

static int own_ns(void) {
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

void nodes_enter(int ns) {
    assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

static int new_ns(void) {
    int ns = unshare(CLONE_NEWNET) == 0 ? own_ns() : -1;
    if (setns(nodes.home_ns, CLONE_NEWNET) != 0)
        return -1;
    return ns;
}

void nodes_bind_to_parent(pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(98);
}

static pid_t spawn(int ns, char *const argv[], int out) {
    pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    nodes_bind_to_parent(parent);
    int null = open("/dev/null", O_RDWR);
    int to = out >= 0 ? out : null;
    if (dup2(null, 0) < 0 || (out >= -1 && (dup2(to, 1) < 0 || dup2(to, 2) < 0)) ||
        setns(ns, CLONE_NEWNET) != 0)
        _exit(97);
    execvp(argv[0], argv);
    _exit(127);
}

pid_t nodes_spawn(int node, char *const argv[], int log) {
    return spawn(nodes.at[node].ns, argv, log < 0 ? -1 : log);
}

static void run_ip(int ns, const char *first, va_list arguments) {
    char *argv[ARGUMENTS_MAX] = {(char *)(uintptr_t) "ip", (char *)(uintptr_t)first};
    int status, count = 2;
    while (count < ARGUMENTS_MAX - 1 && (argv[count] = va_arg(arguments, char *)))
        count++;
    pid_t pid = spawn(ns, argv, -2);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

void nodes_ip(int node, const char *first, ...) {
    va_list arguments;
    va_start(arguments, first);
    run_ip(nodes.at[node].ns, first, arguments);
    va_end(arguments);
}

void nodes_fabric_ip(const char *first, ...) {
    va_list arguments;
    va_start(arguments, first);
    run_ip(nodes.fabric_ns, first, arguments);
    va_end(arguments);
}

static void __attribute__((sentinel)) ip(int ns, const char *first, ...) {
    va_list arguments;
    va_start(arguments, first);
    run_ip(ns, first, arguments);
    va_end(arguments);
}

int nodes_capture(int node, char *const argv[], struct text *out) {
    int pair[2], status;
    char buffer[4096];
    ssize_t got;
    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    pid_t pid = spawn(nodes.at[node].ns, argv, pair[1]);
    close(pair[1]);
    text_clear(out);
    while ((got = read(pair[0], buffer, sizeof buffer)) > 0)
        text_put(out, buffer, (size_t)got);
    close(pair[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* A veth pair: `name` in `ns`, v0 in the node. */
static void join(int ns, const char *name, int node) {
    char path[40];
    int far = fcntl(nodes.at[node].ns, F_DUPFD, 100); /* inherited by ip */
    snprintf(path, sizeof path, "/proc/self/fd/%d", far);
    ip(ns, "link", "add", name, "type", "veth", "peer", "name", "far", NULL);
    ip(ns, "link", "set", "far", "netns", path, NULL);
    close(far);
    nodes_ip(node, "link", "set", "far", "name", "v0", NULL);
}

/* No detection of duplicates: every address is there from the start, the link-local one, too. */
static void address(int node) {
    char v4[32], v6[32], link_local[32];
    snprintf(link_local, sizeof link_local, "fe80::%d/64", node + 1);
    snprintf(v4, sizeof v4, "10.0.0.%d/24", node + 1);
    snprintf(v6, sizeof v6, "fd00::%d/64", node + 1);
    nodes_ip(node, "address", "add", v4, "dev", "v0", NULL);
    nodes_ip(node, "-6", "address", "add", v6, "dev", "v0", "nodad", NULL);
    nodes_ip(node, "link", "set", "v0", "addrgenmode", "none", NULL);
    nodes_ip(node, "-6", "address", "add", link_local, "dev", "v0", "nodad", NULL);
    nodes_ip(node, "link", "set", "lo", "up", NULL);
    nodes_ip(node, "link", "set", "v0", "up", NULL);
}

static void bridge(void) {
    nodes.fabric_ns = new_ns();
    ip(nodes.fabric_ns, "link", "add", "br0", "type", "bridge", NULL);
    ip(nodes.fabric_ns, "link", "set", "br0", "up", NULL);
    for (int i = 0; i < (int)nodes.count; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        join(nodes.fabric_ns, name, i);
        ip(nodes.fabric_ns, "link", "set", name, "master", "br0", "up", NULL);
    }
}

static void board_up(void) {
    nodes.board_size = sizeof *nodes.board + NODES_MAX * sizeof(struct scoreboard_slot);
    nodes.board_fd = memfd_create("scoreboard", MFD_CLOEXEC);
    nodes.bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(ftruncate(nodes.board_fd, (off_t)nodes.board_size), 0);
    nodes.board =
        mmap(NULL, nodes.board_size, PROT_READ | PROT_WRITE, MAP_SHARED, nodes.board_fd, 0);
    assert_true(nodes.board != MAP_FAILED);
    nodes.board->magic = SCOREBOARD_MAGIC;
    nodes.board->version = SCOREBOARD_VERSION;
    nodes.board->slot_count = NODES_MAX;
    nodes.board->slot_size = sizeof(struct scoreboard_slot);
}

bool nodes_up(unsigned count) {
    assert_in_range(count, 2, NODES_MAX);
    nodes = (struct nodes){.home_ns = own_ns(), .fabric_ns = -1};
    for (unsigned i = 0; i < count; i++) {
        int ns = new_ns();
        if (ns < 0 && errno != EPERM)
            fail_msg("no network namespace: %s", strerror(errno));
        if (ns < 0) {
            printf("skipped: the kernel forbids network namespaces: %s\n", strerror(errno));
            nodes_down();
            return false;
        }
        nodes.at[nodes.count++] = (struct node){.ns = ns, .control = -1};
    }
    if (count == 2) {
        join(nodes.at[0].ns, "v0", 1);
    } else {
        bridge();
    }
    for (int i = 0; i < (int)count; i++)
        address(i);
    board_up();
    return true;
}

/* The mapping here keeps its size: the nodes there are have the first slots. */
void nodes_pretend(uint32_t slots) {
    size_t size = sizeof *nodes.board + slots * sizeof(struct scoreboard_slot);
    assert_true(slots >= NODES_MAX);
    assert_int_equal(ftruncate(nodes.board_fd, (off_t)size), 0);
    nodes.board->slot_count = slots;
    atomic_store(&nodes.board->rush_until_ns, 0);
}

void nodes_down(void) {
    for (unsigned i = 0; i < nodes.count; i++) {
        struct node *n = &nodes.at[i];
        nodes_kill((int)i);
        close(n->ns);
    }
    if (nodes.fabric_ns >= 0)
        close(nodes.fabric_ns);
    if (nodes.board) {
        munmap(nodes.board, nodes.board_size);
        close(nodes.board_fd);
        close(nodes.bell_fd);
    }
    close(nodes.home_ns);
    nodes = (struct nodes){.home_ns = -1, .fabric_ns = -1};
}

int nodes_group_up(unsigned count) {
    (void)nodes_up(count);
    return 0;
}

int nodes_group_down(void **state) {
    (void)state;
    if (!nodes_forbidden())
        nodes_down();
    return 0;
}

int nodes_kill_all(void **state) {
    (void)state;
    for (unsigned i = 0; i < nodes.count; i++)
        nodes_kill((int)i);
    return 0;
}

bool nodes_forbidden(void) {
    return nodes.count == 0;
}

/* ---- speakers ---- */

struct scoreboard_slot *nodes_slot(int node) {
    return &nodes.board->slots[node];
}

static int text_fd(const char *text) {
    int fd = memfd_create("config", 0);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

#define SPEAKER_ARGUMENTS_MAX 16

/* In the child: the program's main, but for its usage errors. */
static _Noreturn void speaker_main(int node, int config, int control, const char *kind,
                                   char *const more[]) {
    char numbers[5][16];
    int values[5] = {config, control, fcntl(nodes.board_fd, F_DUPFD, 50), node,
                     fcntl(nodes.bell_fd, F_DUPFD, 50)};
    struct host_options options;
    struct text error;
    for (int i = 0; i < 5; i++)
        snprintf(numbers[i], sizeof numbers[i], "%d", values[i]);
    char name[16];
    snprintf(name, sizeof name, "%s", kind);
    char *argv[SPEAKER_ARGUMENTS_MAX] = {(char *)(uintptr_t) "ribcage-speaker",
                                         name,
                                         numbers[0],
                                         (char *)(uintptr_t) "--control-fd",
                                         numbers[1],
                                         (char *)(uintptr_t) "--scoreboard-fd",
                                         numbers[2],
                                         (char *)(uintptr_t) "--slot",
                                         numbers[3],
                                         (char *)(uintptr_t) "--bell-fd",
                                         numbers[4]};
    int count = 11;
    while (more && *more && count < SPEAKER_ARGUMENTS_MAX - 1)
        argv[count++] = *more++;
    argv[count] = NULL;
    text_init(&error);
    if (setns(nodes.at[node].ns, CLONE_NEWNET) != 0)
        _exit(99);
    if (nodes.speaker)
        execv(nodes.speaker, argv);
    if (nodes.speaker || !options_parse(&options, count, argv, &error))
        _exit(99);
    exit(host_run(&options));
}

void nodes_start(int node, const char *config, const char *kind) {
    nodes_start_with(node, config, kind, NULL);
}

void nodes_start_with(int node, const char *config, const char *kind, char *const more[]) {
    int pair[2], fd = text_fd(config);
    memset(nodes_slot(node), 0, sizeof *nodes_slot(node));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fcntl(pair[0], F_SETFD, FD_CLOEXEC);
    fflush(NULL);
    pid_t parent = getpid();
    nodes.at[node].pid = fork();
    assert_true(nodes.at[node].pid >= 0);
    if (nodes.at[node].pid == 0) {
        nodes_bind_to_parent(parent);
        close(pair[0]);
        speaker_main(node, fd, pair[1], kind, more);
    }
    close(pair[1]);
    close(fd);
    nodes.at[node].control = pair[0];
}

int nodes_stop(int node) {
    struct node *n = &nodes.at[node];
    int status = -1;
    kill(n->pid, SIGTERM);
    assert_int_equal(waitpid(n->pid, &status, 0), n->pid);
    nodes_forget(node);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void nodes_kill(int node) {
    struct node *n = &nodes.at[node];
    if (n->pid > 0) {
        kill(n->pid, SIGKILL); /* not reaped yet: the number is still its own */
        waitpid(n->pid, NULL, 0);
    }
    nodes_forget(node);
}

void nodes_forget(int node) {
    struct node *n = &nodes.at[node];
    if (n->control >= 0)
        close(n->control);
    n->control = -1;
    n->pid = 0;
}

void nodes_request(int node, const char *request, struct text *ret_answer) {
    int fd = nodes.at[node].control;
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    text_clear(ret_answer);
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        char c;
        assert_int_equal(poll(&p, 1, NODES_DEADLINE_MS), 1);
        assert_int_equal(read(fd, &c, 1), 1);
        text_putc(ret_answer, c);
        if (c != '\n')
            continue;
        if (!strstr(text_str(ret_answer), "\"event\""))
            return;
        text_clear(ret_answer);
    }
}

bool nodes_ask(int node, const char *request, const char *expected) {
    struct text answer;
    text_init(&answer);
    nodes_request(node, request, &answer);
    bool found = strstr(text_str(&answer), expected) != NULL;
    if (!found)
        print_message("answer: %s", text_str(&answer));
    text_deinit(&answer);
    return found;
}

json_t *nodes_request_json(int node, const char *request) {
    struct text answer;
    text_init(&answer);
    nodes_request(node, request, &answer);
    json_t *json = json_loads(text_str(&answer), 0, NULL);
    text_deinit(&answer);
    assert_non_null(json);
    return json;
}

/* ---- waiting ---- */

/* As one picture of the node's slot: what was written half says nothing. A speaker that was killed
 * while it wrote has written its last. */
static bool holds_whole(nodes_condition *holds, int node, uint64_t value) {
    uint64_t before = atomic_load(&nodes_slot(node)->change_count);
    bool held = holds(node, value);
    return held && (nodes.at[node].pid == 0 ||
                    (before % 2 == 0 && atomic_load(&nodes_slot(node)->change_count) == before));
}

bool nodes_reached(nodes_condition *holds, int node, uint64_t value, uint64_t deadline_ms) {
    struct nanotime end = nanotime_add_ms(loop_now(), deadline_ms);
    uint64_t rings;
    for (;;) {
        struct pollfd p = {.fd = nodes.bell_fd, .events = POLLIN};
        atomic_store(&nodes.board->bell_armed, 1);
        if (holds_whole(holds, node, value))
            return true;
        if (!nanotime_before(loop_now(), end))
            return false;
        poll(&p, 1, NODES_SLICE_MS);
        if (read(nodes.bell_fd, &rings, sizeof rings) < 0 && errno != EAGAIN)
            fail_msg("bell: %s", strerror(errno));
    }
}

void nodes_wait(nodes_condition *holds, int node, uint64_t value, const char *what) {
    if (!nodes_reached(holds, node, value, NODES_DEADLINE_MS))
        fail_msg("node %d: %s did not become %llu", node, what, (unsigned long long)value);
}

bool established(int node, uint64_t value) {
    return atomic_load(&nodes_slot(node)->sessions[BGP_ESTABLISHED]) == value;
}
bool fib_routes(int node, uint64_t value) {
    return atomic_load(&nodes_slot(node)->fib[0]) == value;
}
bool loc_rib(int node, uint64_t value) {
    return atomic_load(&nodes_slot(node)->loc_rib[0]) == value;
}
bool running(int node, uint64_t value) {
    return atomic_load(&nodes_slot(node)->phase) == value;
}
bool dropped(int node, uint64_t value) {
    return atomic_load(&nodes_slot(node)->dropped_count) == value;
}

/* ---- the kernel ---- */

void nodes_read_proc(int node, const char *file, char *out, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/thread-self/net/%s", file);
    nodes_enter(nodes.at[node].ns);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t at = 0;
    ssize_t got;
    while (fd >= 0 && at < size - 1 && (got = read(fd, out + at, size - 1 - at)) > 0)
        at += (size_t)got;
    out[at] = '\0';
    close(fd);
    nodes_enter(nodes.home_ns);
}

/* The n-th word of the second line is named by that of the first. */
uint64_t nodes_tcp_counter(int node, const char *name) {
    static char text[16384];
    char *names, *values, *line = text;
    nodes_read_proc(node, "netstat", text, sizeof text);
    names = strsep(&line, "\n");
    values = strsep(&line, "\n");
    while (names && values) {
        char *n = strsep(&names, " "), *v = strsep(&values, " ");
        if (n && v && strcmp(n, name) == 0)
            return strtoull(v, NULL, 10);
    }
    fail_msg("the kernel has no counter %s", name);
    return 0;
}
