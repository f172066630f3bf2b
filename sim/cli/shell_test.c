/*
 * The console of a mock Cisco in a lab: typed at by a script, offered on a port of the loopback,
 * and what `exec` says of commands that are none.
 */

#include "cli_fixture.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define ANSWER_MS FIXTURE_DEADLINE_MS

static pid_t server; /* of test_shell_listens, while it runs */

static bool loopback_up(void) {
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
    close(fd);
    return ok;
}

static int setup(void **state) {
    struct run r;
    if (world_enter(state) != 0 || !loopback_up())
        return -1;
    fixture_scenario("rr", "  - name: up\n    expect: {converged: true}\n");
    fixture_text("rr/topology.yaml", "name: rr\nsegments:\n  - {name: lan, subnet: 10.0.0.0/24}\n"
                                     "nodes:\n  - {name: node-a, address: 10.0.0.10}\n"
                                     "routers:\n  - name: rr1\n    kind: ios\n"
                                     "    config: rr1.ios\n    interfaces:\n"
                                     "      Gi0/0: {segment: lan, address: 10.0.0.1}\n");
    fixture_text("rr/rr1.ios", "hostname RR\nrouter bgp 64512\n bgp router-id 10.0.0.1\n");
    fixture_text("rr/scenario.yaml", "name: rr\ntopology: topology.yaml\nmanifests: pool.yaml\n"
                                     "steps:\n  - name: up\n    expect: {converged: true}\n");
    r = run_words(WORDS("up", fixture_path("rr"), "--runs", fixture_path("runs")));
    if (r.status != 0)
        printf("up: %d: %s %s\n", r.status, written(r.out), written(r.err));
    bool ok = r.status == 0;
    run_close(&r);
    return ok ? 0 : -1;
}

static int teardown(void **state) {
    if (server > 0)
        kill(server, SIGKILL);
    struct run r = run_words(WORDS("down", "--all"));
    run_close(&r);
    return world_leave(state);
}

static void says(const char *const *words, int status, const char *what) {
    struct run r = run_words(words);
    if (r.status != status || (!strstr(written(r.out), what) && !strstr(written(r.err), what)))
        fail_msg("%s: %d: %s %s", words[0], r.status, written(r.out), written(r.err));
    run_close(&r);
}

static void test_exec_of_no_command(void **state) {
    (void)state;
    says(WORDS("exec", "rr1", "show", "clock"), 0, " UTC ");
    says(WORDS("exec", "rr1", "show ip bgp sumary"), 2, "% Invalid input detected at '^' marker.");
    says(WORDS("exec", "rr1", "show ip"), 2, "% Incomplete command.");
    says(WORDS("exec", "rr1", "show ip bgp 1.2.3.4"), 0, "% Network not in table");
    says(WORDS("exec", "node-a", "birdcl", "show", "nothing"), 2, "syntax error");
}

static void type_from(void *argument) {
    (void)dup2(*(int *)argument, 0);
}

static void test_shell_runs_a_script(void **state) {
    (void)state;
    static const char script[] = "enable\nterminal length 0\nconfigure terminal\n"
                                 "hostname NEW\nend\nshow running-config\nexit\n";
    int pipe_fds[2];
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    assert_int_equal(write(pipe_fds[1], script, sizeof script - 1), (ssize_t)sizeof script - 1);
    close(pipe_fds[1]);
    struct run_options o = {.prepare = type_from, .argument = &pipe_fds[0]};
    struct run r = run_start_with(&o, WORDS("shell", "rr1"));
    run_end(&r);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(written(r.out), "RR>enable\r\nRR#terminal length 0\r\n"));
    assert_non_null(strstr(written(r.out), "NEW(config)#end\r\n"));
    assert_non_null(strstr(written(r.out), "\r\nhostname NEW\r\n"));
    assert_null(strchr(written(r.out), '\xff'));
    run_close(&r);
    close(pipe_fds[0]);
    says(WORDS("shell", "node-a"), 2, "node-a has no console: it is no mock Cisco");
    says(WORDS("shell", "rr2"), 2, "no such node: rr2 (did you mean \"rr1\"?)");
    says(WORDS("shell"), 2, "which router?");
}

/* The port it says it listens on, from what it prints. */
static uint16_t port_from(int fd) {
    static const char before[] = "127.0.0.1 port ";
    char line[64] = "";
    struct pollfd p = {.fd = fd, .events = POLLIN};
    unsigned port = 0;
    assert_int_equal(poll(&p, 1, ANSWER_MS), 1);
    assert_true(read(fd, line, sizeof line - 1) > 0);
    assert_int_equal(strncmp(line, before, strlen(before)), 0);
    assert_int_equal(sscanf(line + strlen(before), "%u", &port), 1);
    return (uint16_t)port;
}

static bool hears(int fd, const char *what) {
    char seen[4096] = "";
    size_t size = 0;
    while (!memmem(seen, size, what, strlen(what)) && size < sizeof seen) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t n = poll(&p, 1, ANSWER_MS) > 0 ? read(fd, seen + size, sizeof seen - size) : 0;
        if (n <= 0)
            return false;
        size += (size_t)n;
    }
    return true;
}

static void test_shell_listens(void **state) {
    (void)state;
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    struct run_options o = {.out = out[1]};
    struct run r = run_start_with(&o, WORDS("shell", "rr1", "--listen", "0"));
    server = r.pid;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port_from(out[0]))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(first, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(connect(second, (struct sockaddr *)&at, sizeof at), 0);
    assert_true(hears(first, ">") && hears(second, ">"));
    assert_int_equal(write(second, "en\rshow users\r", 14), 14);
    assert_true(hears(second, "con 0"));
    assert_int_equal(write(first, "exit\r", 5), 5);
    assert_false(hears(first, "never said"));
    close(first);
    close(second);
    close(out[0]);
    close(out[1]);
    kill(r.pid, SIGTERM);
    run_end(&r);
    server = 0;
    assert_int_equal(r.status, 128 + SIGTERM);
    run_close(&r);
    says(WORDS("shell", "rr1", "--listen", "x"), 2, "not a number");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_of_no_command),
        cmocka_unit_test(test_shell_runs_a_script),
        cmocka_unit_test(test_shell_listens),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
