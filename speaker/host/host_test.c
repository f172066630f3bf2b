/*
 * Two real speakers in two network namespaces joined by a veth pair.
 *
 * Each speaker is a process of its own that runs what main.c runs. The test waits for the
 * scoreboard's bell and for counters of the kernel, with deadlines, never for time to pass; what
 * must not happen is asserted after the kernel has counted the reason (a wrong signature, a low
 * TTL). The kernel's table is read from /proc, not with the speaker's own code.
 */
#include "host.h"

#include "../base/scoreboard.h"
#include "../base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 20000
#define SLICE_MS 100 /* kernel counters ring no bell */
#define NODES 2

struct node {
    int ns;
    int control; /* -1: not running */
    pid_t pid;
};

static struct {
    struct node nodes[NODES];
    struct scoreboard *board;
    size_t board_size;
    int board_fd, bell_fd, home_ns;
    bool forbidden;
} lab;

/* ---- namespaces ---- */

static int own_ns(void) {
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static void enter(int ns) {
    assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

/* Runs `ip` in a namespace; arguments end with NULL. */
static void ip(int ns, ...) {
    char *argv[16] = {(char *)(uintptr_t) "ip"};
    va_list arguments;
    int status, count = 1;
    va_start(arguments, ns);
    while (count < 15 && (argv[count] = va_arg(arguments, char *)))
        count++;
    va_end(arguments);
    pid_t pid = fork();
    if (pid == 0) {
        if (setns(ns, CLONE_NEWNET) == 0)
            execvp("ip", argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void wire(void) {
    char path[40];
    int far = fcntl(lab.nodes[1].ns, F_DUPFD, 100); /* inherited by ip */
    snprintf(path, sizeof path, "/proc/self/fd/%d", far);
    ip(lab.nodes[0].ns, "link", "add", "v0", "type", "veth", "peer", "name", "v1", NULL);
    ip(lab.nodes[0].ns, "link", "set", "v1", "netns", path, NULL);
    close(far);
    ip(lab.nodes[1].ns, "link", "set", "v1", "name", "v0", NULL);
    for (int i = 0; i < NODES; i++) {
        char addr[32];
        snprintf(addr, sizeof addr, "10.0.0.%d/24", i + 1);
        ip(lab.nodes[i].ns, "address", "add", addr, "dev", "v0", NULL);
        ip(lab.nodes[i].ns, "link", "set", "lo", "up", NULL);
        ip(lab.nodes[i].ns, "link", "set", "v0", "up", NULL);
    }
}

static int lab_up(void **state) {
    (void)state;
    lab.home_ns = own_ns();
    for (int i = 0; i < NODES; i++) {
        if (unshare(CLONE_NEWNET) != 0) {
            printf("skipped: the kernel forbids network namespaces: %s\n", strerror(errno));
            lab.forbidden = true;
            return 0;
        }
        lab.nodes[i] = (struct node){.ns = own_ns(), .control = -1};
    }
    enter(lab.home_ns);
    wire();
    lab.board_size = sizeof *lab.board + NODES * sizeof(struct scoreboard_slot);
    lab.board_fd = memfd_create("scoreboard", MFD_CLOEXEC);
    lab.bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (ftruncate(lab.board_fd, (off_t)lab.board_size) != 0)
        return -1;
    lab.board = mmap(NULL, lab.board_size, PROT_READ | PROT_WRITE, MAP_SHARED, lab.board_fd, 0);
    return lab.board == MAP_FAILED ? -1 : 0;
}

static int lab_down(void **state) {
    (void)state;
    for (int i = 0; i < NODES; i++)
        close(lab.nodes[i].ns);
    if (lab.board)
        munmap(lab.board, lab.board_size);
    close(lab.home_ns);
    return 0;
}

/* ---- speakers ---- */

static struct scoreboard_slot *slot_of(int node) {
    return &lab.board->slots[node];
}

static int text_fd(const char *text) {
    int fd = memfd_create("config", 0);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* In the child: the program's main, but for its usage errors. */
static _Noreturn void speaker_main(int node, int config, int control, const char *kind) {
    char numbers[5][16];
    int values[5] = {config, control, fcntl(lab.board_fd, F_DUPFD, 50), node,
                     fcntl(lab.bell_fd, F_DUPFD, 50)};
    struct host_options options;
    struct text error;
    for (int i = 0; i < 5; i++)
        snprintf(numbers[i], sizeof numbers[i], "%d", values[i]);
    char name[16];
    snprintf(name, sizeof name, "%s", kind);
    char *argv[] = {(char *)(uintptr_t) "ribcage-speaker",
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
    text_init(&error);
    if (setns(lab.nodes[node].ns, CLONE_NEWNET) != 0 || !options_parse(&options, 11, argv, &error))
        _exit(99);
    exit(host_run(&options));
}

static void start_kind(int node, const char *config, const char *kind) {
    int pair[2], fd = text_fd(config);
    lab.board->magic = SCOREBOARD_MAGIC;
    lab.board->version = SCOREBOARD_VERSION;
    lab.board->slot_count = NODES;
    lab.board->slot_size = sizeof(struct scoreboard_slot);
    memset(slot_of(node), 0, sizeof *slot_of(node));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fflush(NULL);
    lab.nodes[node].pid = fork();
    if (lab.nodes[node].pid == 0) {
        close(pair[0]);
        speaker_main(node, fd, pair[1], kind);
    }
    close(pair[1]);
    close(fd);
    fcntl(pair[0], F_SETFD, FD_CLOEXEC);
    lab.nodes[node].control = pair[0];
}

static void start(int node, const char *config) {
    start_kind(node, config, "--config-fd");
}

/* Ends a speaker by a signal and returns its exit status. */
static int stop(int node) {
    int status = -1;
    kill(lab.nodes[node].pid, SIGTERM);
    assert_int_equal(waitpid(lab.nodes[node].pid, &status, 0), lab.nodes[node].pid);
    close(lab.nodes[node].control);
    lab.nodes[node].control = -1;
    lab.nodes[node].pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* One request; true if the answer contains `expected`. Log events are passed over. */
static bool ask(int node, const char *request, const char *expected) {
    struct text in;
    bool found = false, answered = false;
    text_init(&in);
    assert_int_equal(write(lab.nodes[node].control, request, strlen(request)),
                     (ssize_t)strlen(request));
    while (!answered) {
        struct pollfd p = {.fd = lab.nodes[node].control, .events = POLLIN};
        char c;
        assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
        assert_int_equal(read(p.fd, &c, 1), 1);
        text_putc(&in, c);
        if (c != '\n')
            continue;
        answered = strstr(text_str(&in), "\"event\"") == NULL;
        found = strstr(text_str(&in), expected) != NULL;
        if (answered && !found)
            print_message("answer: %s", text_str(&in));
        text_clear(&in);
    }
    text_deinit(&in);
    return found;
}

/* ---- waiting ---- */

typedef bool condition_fn(int node, uint64_t value);

static void wait_for(condition_fn *holds, int node, uint64_t value, const char *what) {
    struct nanotime end = nanotime_add_ms(loop_now(), DEADLINE_MS);
    uint64_t rings;
    for (;;) {
        struct pollfd p = {.fd = lab.bell_fd, .events = POLLIN};
        atomic_store(&lab.board->bell_armed, 1);
        if (holds(node, value))
            return;
        if (!nanotime_before(loop_now(), end))
            fail_msg("node %d: %s did not become %llu", node, what, (unsigned long long)value);
        poll(&p, 1, SLICE_MS);
        if (read(lab.bell_fd, &rings, sizeof rings) < 0 && errno != EAGAIN)
            fail_msg("bell: %s", strerror(errno));
    }
}
#define WAIT_FOR(condition, node, value) wait_for(condition, node, value, #condition)

static bool established(int node, uint64_t value) {
    return atomic_load(&slot_of(node)->sessions[BGP_ESTABLISHED]) == value;
}
static bool fib_routes(int node, uint64_t value) {
    return atomic_load(&slot_of(node)->fib[0]) == value;
}
static bool loc_rib(int node, uint64_t value) {
    return atomic_load(&slot_of(node)->loc_rib[0]) == value;
}
static bool running(int node, uint64_t value) {
    return atomic_load(&slot_of(node)->phase) == value;
}
static bool dropped(int node, uint64_t value) {
    return atomic_load(&slot_of(node)->dropped_count) == value;
}

/* A file of the node's /proc/net. */
static void read_proc(int node, const char *file, char *out, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/thread-self/net/%s", file);
    enter(lab.nodes[node].ns);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t at = 0;
    ssize_t got;
    while (fd >= 0 && at < size - 1 && (got = read(fd, out + at, size - 1 - at)) > 0)
        at += (size_t)got;
    out[at] = '\0';
    close(fd);
    enter(lab.home_ns);
}

/* A counter of TcpExt: the n-th word of the second line is named by that of the first. */
static uint64_t tcp_counter(int node, const char *name) {
    static char text[16384];
    char *names, *values, *line = text;
    read_proc(node, "netstat", text, sizeof text);
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

static uint64_t counter_before[NODES];
static bool md5_failures(int node, uint64_t value) {
    return tcp_counter(node, "TCPMD5Failure") >= counter_before[node] + value;
}
static bool ttl_drops(int node, uint64_t value) {
    return tcp_counter(node, "TCPMinTTLDrop") >= counter_before[node] + value;
}

/* Does the node's kernel have 10.244.N.0/26, by the peer and with this metric? */
static bool kernel_has(int node, unsigned block, const char *gateway, const char *metric) {
    static char text[65536];
    char destination[16], line_metric[32], line_gateway[16];
    char *rest = text, *line;
    snprintf(destination, sizeof destination, "00%02XF40A", block);
    read_proc(node, "route", text, sizeof text);
    while ((line = strsep(&rest, "\n"))) {
        char seen[16];
        if (sscanf(line, "%*s %15s %15s %*s %*s %*s %31s", seen, line_gateway, line_metric) == 3 &&
            strcmp(seen, destination) == 0)
            return strcmp(line_gateway, gateway) == 0 && strcmp(line_metric, metric) == 0;
    }
    return false;
}
static bool route_present(int node, uint64_t block) {
    return kernel_has(node, (unsigned)block, node == 0 ? "0200000A" : "0100000A", "2147483547");
}

/* ---- configurations ---- */

static const char *const accept_all = "\"import\":{\"ipv4\":{\"accept_by_default\":true}},"
                                      "\"export\":{\"ipv4\":{\"accept_by_default\":true}}";

/* `peer` holds further members of the peer, each with a comma behind it. */
static const char *config_of(int node, unsigned as, unsigned peer_as, const char *peer,
                             const char *origins) {
    static char text[NODES][2048];
    snprintf(
        text[node], sizeof text[node],
        "{\"profile\":\"fast\",\"hostname\":\"n%d\",\"local_as\":%u,\"router_id\":\"10.0.0.%d\","
        "\"fib\":{\"install\":true,\"metric_from_local_pref\":true},"
        "\"peers\":[{\"name\":\"n%d\",\"remote_addr\":\"10.0.0.%d\",\"remote_as\":%u,%s%s}],"
        "\"origins\":[%s{\"prefix\":\"10.244.%d.0/26\",\"source\":\"static\","
        "\"blackhole_in_kernel\":true}]}",
        node + 1, as, node + 1, 2 - node, 2 - node, peer_as, peer, accept_all, origins, node + 1);
    return text[node];
}

static void start_pair(const char *peer) {
    start(0, config_of(0, 64512, 64512, peer, ""));
    start(1, config_of(1, 64512, 64512, peer, ""));
}

#define SKIP_IF_FORBIDDEN()                                                                        \
    if (lab.forbidden)                                                                             \
    skip()

/* ---- tests ---- */

static void test_routes_reach_the_kernel(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_pair("");
    for (int i = 0; i < NODES; i++) {
        WAIT_FOR(established, i, 1);
        WAIT_FOR(fib_routes, i, 2);
    }
    assert_true(route_present(0, 2));
    assert_true(route_present(1, 1));
    assert_true(kernel_has(0, 1, "00000000", "0"));
    struct ip_prefix own, learned;
    struct ip_addr gateway, none = {0};
    assert_true(ip_prefix_parse("10.244.1.0/26", &own));
    assert_true(ip_prefix_parse("10.244.2.0/26", &learned));
    assert_true(ip_parse("10.0.0.2", &gateway));
    assert_true(atomic_load(&slot_of(0)->fib_digest) ==
                scoreboard_route_digest(&own, &none) + scoreboard_route_digest(&learned, &gateway));
    assert_int_equal(stop(0), 0);
    assert_false(kernel_has(0, 1, "00000000", "0"));
    assert_false(route_present(0, 2));
    WAIT_FOR(dropped, 1, 1);
    WAIT_FOR(fib_routes, 1, 1);
    assert_false(route_present(1, 1));
    assert_true(ask(1, "{\"op\":\"peers\"}\n", "\"last_reason\":\"notification_received\""));
    assert_int_equal(stop(1), 0);
}

static void test_reconfigure_without_flap(void **state) {
    struct text request;
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_pair("");
    WAIT_FOR(established, 0, 1);
    WAIT_FOR(fib_routes, 1, 2);
    text_init(&request);
    text_printf(
        &request, "{\"id\":1,\"op\":\"configure\",\"config\":%s}\n",
        config_of(0, 64512, 64512, "", "{\"prefix\":\"10.244.9.0/26\",\"source\":\"static\"},"));
    assert_true(ask(0, text_str(&request), "\"ok\":true"));
    WAIT_FOR(fib_routes, 1, 3);
    assert_true(route_present(1, 9));
    assert_true(fib_routes(0, 2)); /* not a blackhole in the kernel */
    assert_true(dropped(0, 0) && dropped(1, 0));
    assert_true(ask(0, "{\"id\":2,\"op\":\"configure\",\"config\":{\"profile\":\"fast\"}}\n",
                    "missing-member"));
    assert_true(ask(0, "{\"id\":3,\"op\":\"hello\"}\n", "\"id\":3"));
    assert_true(loc_rib(0, 3));
    text_deinit(&request);
    assert_int_equal(stop(0), 0);
    assert_int_equal(stop(1), 0);
}

static void test_kernel_changes_are_followed(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_pair("");
    WAIT_FOR(fib_routes, 0, 2);
    ip(lab.nodes[0].ns, "route", "del", "10.244.2.0/26", NULL); /* not by us: comes back */
    WAIT_FOR(route_present, 0, 2);
    WAIT_FOR(fib_routes, 0, 2);
    ip(lab.nodes[0].ns, "link", "set", "v0", "down", NULL);
    WAIT_FOR(fib_routes, 0, 1);
    ip(lab.nodes[0].ns, "link", "set", "v0", "up", NULL);
    WAIT_FOR(fib_routes, 0, 2);
    assert_true(route_present(0, 2));
    assert_true(dropped(0, 0));
    assert_int_equal(stop(0), 0);
    assert_int_equal(stop(1), 0);
}

static void test_foreign_route_is_left_alone(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    ip(lab.nodes[0].ns, "route", "add", "10.244.2.0/26", "via", "10.0.0.9", "metric", "2147483547",
       NULL);
    start_pair("");
    WAIT_FOR(loc_rib, 0, 2);
    WAIT_FOR(fib_routes, 0, 1);
    assert_true(kernel_has(0, 2, "0900000A", "2147483547"));
    ip(lab.nodes[0].ns, "route", "del", "10.244.2.0/26", NULL);
    WAIT_FOR(fib_routes, 0, 2);
    assert_true(route_present(0, 2));
    assert_int_equal(stop(0), 0);
    assert_int_equal(stop(1), 0);
}

static void test_password(void **state) {
    struct text request;
    (void)state;
    SKIP_IF_FORBIDDEN();
    for (int i = 0; i < NODES; i++)
        counter_before[i] = tcp_counter(i, "TCPMD5Failure");
    start(0, config_of(0, 64512, 64512, "\"password\":\"right\",", ""));
    start(1, config_of(1, 64512, 64512, "\"password\":\"wrong\",", ""));
    WAIT_FOR(md5_failures, 0, 1);
    assert_true(established(0, 0) && established(1, 0));
    text_init(&request);
    text_printf(&request, "{\"op\":\"configure\",\"config\":%s}\n",
                config_of(1, 64512, 64512, "\"password\":\"right\",", ""));
    assert_true(ask(1, text_str(&request), "\"ok\":true"));
    WAIT_FOR(established, 0, 1);
    WAIT_FOR(established, 1, 1);
    text_deinit(&request);
    assert_int_equal(stop(1), 0);
    assert_int_equal(stop(0), 0);
}

static void test_ttl_security(void **state) {
    struct text request;
    (void)state;
    SKIP_IF_FORBIDDEN();
    for (int i = 0; i < NODES; i++)
        counter_before[i] = tcp_counter(i, "TCPMinTTLDrop");
    start(0, config_of(0, 64512, 65001, "\"ttl_security_hops\":1,\"passive\":true,", ""));
    start(1, config_of(1, 65001, 64512, "", "")); /* sends with TTL 1 */
    WAIT_FOR(ttl_drops, 0, 1);
    assert_true(established(0, 0));
    text_init(&request);
    text_printf(&request, "{\"op\":\"configure\",\"config\":%s}\n",
                config_of(1, 65001, 64512, "\"ttl_security_hops\":1,", ""));
    assert_true(ask(1, text_str(&request), "\"ok\":true"));
    WAIT_FOR(established, 0, 1);
    WAIT_FOR(established, 1, 1);
    text_deinit(&request);
    assert_int_equal(stop(1), 0);
    assert_int_equal(stop(0), 0);
}

static void test_stop_request_aborts(void **state) {
    int status;
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_pair("");
    WAIT_FOR(established, 1, 1);
    assert_true(ask(0, "{\"id\":1,\"op\":\"stop\",\"abort\":true}\n", "\"ok\":true"));
    assert_int_equal(waitpid(lab.nodes[0].pid, &status, 0), lab.nodes[0].pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(lab.nodes[0].control);
    assert_true(running(0, SCOREBOARD_STOPPED));
    WAIT_FOR(dropped, 1, 1);
    assert_false(route_present(0, 2));
    assert_true(ask(1, "{\"op\":\"peers\"}\n", "\"last_reason\":\"peer_closed\""));
    assert_int_equal(stop(1), 0);
}

static void test_refused_configuration(void **state) {
    int status;
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(0, "{\"profile\":\"fast\",\"local_as\":0,\"router_id\":\"10.0.0.1\"}");
    assert_int_equal(waitpid(lab.nodes[0].pid, &status, 0), lab.nodes[0].pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == HOST_EXIT_CONFIG);
    assert_true(running(0, SCOREBOARD_FAILED));
    close(lab.nodes[0].control);
}

static const struct {
    const char *line, *expected;
} requests[] = {
    {"{\"id\":7,\"op\":\"nothing\"}\n", "unknown op"},
    {"{\"id\":7,\"op\":\"hello\",\"x\":1}\n", "unknown member"},
    {"[1]\n", "not a JSON object"},
    {"{\"op\":\"hello\",\"op\":\"hello\"}\n", "not a JSON object"},
    {"[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n", "not a JSON object"},
    {"{\"op\":\"rib\",\"table\":\"x\"}\n", "table is one of"},
    {"{\"op\":\"rib\",\"table\":\"out\"}\n", "peer is needed"},
    {"{\"op\":\"rib\",\"table\":\"out\",\"peer\":\"zz\"}\n", "no such peer"},
    {"{\"op\":\"rib\",\"table\":\"in\",\"family\":\"ipv6\"}\n", "\"routes\":[]}"},
    {"{\"op\":\"rib\",\"table\":\"loc\",\"prefix\":\"10.244.2.0/26\"}\n",
     "\"routes\":[{\"prefix\":\"10.244.2.0/26\",\"peer\":\"n2\""},
    {"{\"op\":\"rib\",\"table\":\"fib\"}\n", "\"gateway\":\"10.0.0.2\",\"interface\":\"v0\""},
    {"{\"op\":\"originate\",\"routes\":[{\"prefix\":\"10.1.0.0/16\",\"source\":\"static\"}]}\n",
     "\"count\":1"},
    {"{\"op\":\"withdraw\",\"routes\":[{\"prefix\":\"10.1.0.0/16\",\"source\":\"static\"}]}\n",
     "\"count\":1"},
    {"{\"op\":\"originate\",\"routes\":[{\"prefix\":\"10.1.0.1/16\",\"source\":\"static\"}]}\n",
     "host bits"},
    {"{\"op\":\"clear\",\"how\":\"soft\"}\n", "how is one of"},
    {"{\"op\":\"configure\"}\n", "one of config and ios"},
    {"{\"op\":\"counters\"}\n", "\"Established\":1"},
    {"{\"op\":\"exec\",\"command\":\"show protocols\"}\n", "Established   "},
    {"{\"op\":\"exec\",\"command\":\"show route for 10.244.2.9\"}\n",
     "10.244.2.0/26      via 10.0.0.2 on v0 [n2 "},
    {"{\"op\":\"exec\",\"command\":\"show nonsense\"}\n", "syntax error"},
};

static void test_requests(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_pair("");
    WAIT_FOR(fib_routes, 0, 2);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        if (!ask(0, requests[i].line, requests[i].expected))
            fail_msg("%s: no \"%s\"", requests[i].line, requests[i].expected);
    assert_true(dropped(0, 0));
    assert_int_equal(stop(0), 0);
    assert_int_equal(stop(1), 0);
}

/* A test that failed half-way leaves speakers behind: they end here. */
static int speakers_end(void **state) {
    (void)state;
    for (int i = 0; i < NODES; i++)
        if (lab.nodes[i].pid > 0 && waitpid(lab.nodes[i].pid, NULL, WNOHANG) == 0) {
            kill(lab.nodes[i].pid, SIGKILL);
            waitpid(lab.nodes[i].pid, NULL, 0);
        }
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_routes_reach_the_kernel, speakers_end),
        cmocka_unit_test_teardown(test_reconfigure_without_flap, speakers_end),
        cmocka_unit_test_teardown(test_kernel_changes_are_followed, speakers_end),
        cmocka_unit_test_teardown(test_foreign_route_is_left_alone, speakers_end),
        cmocka_unit_test_teardown(test_password, speakers_end),
        cmocka_unit_test_teardown(test_ttl_security, speakers_end),
        cmocka_unit_test_teardown(test_stop_request_aborts, speakers_end),
        cmocka_unit_test_teardown(test_refused_configuration, speakers_end),
        cmocka_unit_test_teardown(test_requests, speakers_end),
    };
    return cmocka_run_group_tests(tests, lab_up, lab_down);
}
