/*
 * A speaker that has no descriptor left: who calls it is sent away, one operator at a time is
 * heard, it does not turn without end, and is itself again when there are some.
 */
#include "accept.h"
#include "host.h"
#include "nodes_fixture.h"

#include "../base/text.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CALLS 4000
#define BURST 2000
#define PER_SECOND 20

static char folder[] = "/tmp/accept_test.XXXXXX";
static pid_t pid;

static const char *path_of(const char *name) {
    static char paths[4][64];
    static unsigned at;
    char *out = paths[at++ % 4];
    snprintf(out, sizeof paths[0], "%s/%s", folder, name);
    return out;
}

static char *word(const char *s) {
    return (char *)(uintptr_t)s;
}

/* ---- the speaker ---- */

static int set_up(void **state) {
    (void)state;
    nodes_group_up(2);
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
    static const char *const names[] = {"conf", "sock", "log"};
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path_of(names[i]));
    rmdir(folder);
    return nodes_group_down(state);
}

static void write_configuration(void) {
    FILE *f = fopen(path_of("conf"), "w");
    assert_non_null(f);
    assert_true(fputs("{\"local_as\": 65001, \"router_id\": \"10.0.0.1\"}", f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void start(void) {
    char *argv[] = {
        word("speaker"),       word("--config"), word(path_of("conf")), word("--control"),
        word(path_of("sock")), word("--log"),    word(path_of("log")),  NULL};
    const pid_t parent = getpid();
    struct host_options options;
    struct text error;
    write_configuration();
    text_init(&error);
    assert_true(options_parse(&options, 7, argv, &error));
    text_deinit(&error);
    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return;
    nodes_bind_to_parent(parent);
    nodes_enter(nodes.at[0].ns);
    _exit(host_run(&options));
}

/* So few that those in reserve, the root folder, are the last ones it may have. */
static rlim_t descriptors_up_to_reserve(void) {
    char path[64], target[8];
    rlim_t most = 0;
    for (rlim_t fd = 0; fd < 256; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%u", (int)pid, (unsigned)fd);
        if (readlink(path, target, sizeof target) == 1 && target[0] == '/')
            most = fd + 1;
    }
    assert_true(most > 0);
    return most;
}

/* ---- who comes ---- */

/* A connection to the speaker's control socket, or to its BGP port; -1: none. */
static int connect_to(int family) {
    union sockaddr_any to = {0};
    struct sockaddr_un *control = (struct sockaddr_un *)&to.storage;
    socklen_t size = sizeof *control;
    if (family == AF_INET) {
        size = sockaddr_make(&to, ip4(0x0A000001), 179);
    } else {
        control->sun_family = AF_UNIX;
        snprintf(control->sun_path, sizeof control->sun_path, "%s", path_of("sock"));
    }
    nodes_enter(nodes.at[0].ns);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    nodes_enter(nodes.home_ns);
    assert_true(fd >= 0);
    if (connect(fd, &to.sa, size) == 0)
        return fd;
    close(fd);
    return -1;
}

/* What it says first; 0 or less: it hung up. */
static ssize_t hear(int fd, char *out, size_t size) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, NODES_DEADLINE_MS), 1);
    return recv(fd, out, size, 0);
}

/* A reset can be there before connect() has returned, which says so then. */
static void expect_hang_up(int family) {
    char octet;
    int fd = connect_to(family);
    if (fd < 0) {
        assert_int_equal(family, AF_INET);
        assert_int_equal(errno, ECONNRESET);
        return;
    }
    assert_true(hear(fd, &octet, 1) <= 0);
    close(fd);
}

/* The speaker says hello to who is connected to its control socket. */
static bool greets(int fd) {
    static const char hello[] = "{\"op\":\"hello\"}\n";
    char answer[512];
    bool asked = send(fd, hello, sizeof hello - 1, MSG_NOSIGNAL) == (ssize_t)sizeof hello - 1;
    ssize_t got = asked ? hear(fd, answer, sizeof answer - 1) : 0;
    answer[got > 0 ? got : 0] = '\0';
    return strstr(answer, "\"ok\":true") != NULL;
}

static bool answers(int node, uint64_t value) {
    int fd = connect_to(AF_UNIX);
    (void)node;
    (void)value;
    bool yes = fd >= 0 && greets(fd);
    if (fd >= 0)
        close(fd);
    return yes;
}

/* ---- the test ---- */

static unsigned lines_in_log(const char *id) {
    static char log[1 << 20];
    FILE *f = fopen(path_of("log"), "r");
    unsigned lines = 0;
    assert_non_null(f);
    log[fread(log, 1, sizeof log - 1, f)] = '\0';
    fclose(f);
    for (const char *at = log; (at = strstr(at, id)); at++)
        lines++;
    return lines;
}

/* One at a time: the second one is sent away while the first is there, and callers all the time. */
static void expect_one_operator(void) {
    for (int i = 0; i < 3; i++) {
        int fd = connect_to(AF_UNIX);
        assert_true(fd >= 0 && greets(fd));
        expect_hang_up(AF_UNIX);
        expect_hang_up(AF_INET);
        assert_true(greets(fd));
        close(fd);
        expect_hang_up(AF_INET);
    }
}

/* It is said that they are sent away, but not of each. */
static void test_no_descriptors(void **state) {
    struct rlimit few, many;
    (void)state;
    SKIP_IF_FORBIDDEN();
    struct nanotime begin = loop_now();
    start();
    WAIT_FOR(answers, 0, 0);
    assert_int_equal(prlimit(pid, RLIMIT_NOFILE, NULL, &many), 0);
    few = many;
    few.rlim_cur = descriptors_up_to_reserve();
    assert_int_equal(prlimit(pid, RLIMIT_NOFILE, &few, NULL), 0);
    expect_one_operator();
    for (int i = 0; i < CALLS; i++)
        expect_hang_up(AF_INET);
    expect_one_operator();
    unsigned lines = lines_in_log(" no_descriptor ");
    uint64_t seconds = nanotime_since(loop_now(), begin) / NANOS_PER_S + 1;
    assert_in_range(lines, 1, BURST + PER_SECOND * seconds);
    assert_int_equal(prlimit(pid, RLIMIT_NOFILE, &many, NULL), 0);
    assert_true(answers(0, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_descriptors)};
    return cmocka_run_group_tests_name("accept", tests, set_up, tear_down);
}
