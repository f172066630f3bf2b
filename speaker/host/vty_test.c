/*
 * A router in one namespace, a telnet client in another, as netmiko would be: login, `terminal
 * length 0`, prompts awaited, a change that takes effect in the speaker, syslog datagrams. And the
 * console of the router's own namespace.
 */
#include "nodes_fixture.h"

#include "../base/console.h"
#include "../base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define NODES 2
#define ANSWER_MS NODES_DEADLINE_MS

static const char CONFIG[] = "hostname R1\n"
                             "username admin privilege 15 secret 0 secret\n"
                             "logging host 10.0.0.2 transport udp port 5514\n"
                             "router bgp 64512\n"
                             " bgp router-id 10.0.0.1\n"
                             " neighbor 10.0.0.2 remote-as 64513\n"
                             "line vty 0 1\n"
                             " login local\n"
                             " transport input telnet\n";

static int lab_up(void **state) {
    (void)state;
    return nodes_group_up(NODES);
}

static int router_ends(void **state) {
    (void)state;
    if (!nodes_forbidden())
        nodes_kill(0);
    return 0;
}

static struct sockaddr_in address(const char *text, uint16_t port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET, text, &a.sin_addr), 1);
    return a;
}

/* A socket that lives in a node, while this process stays at home. */
static int socket_in(int node, int family, int type) {
    assert_int_equal(setns(nodes.at[node].ns, CLONE_NEWNET), 0);
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    assert_int_equal(setns(nodes.home_ns, CLONE_NEWNET), 0);
    assert_true(fd >= 0);
    return fd;
}

static int telnet_to_router(void) {
    struct sockaddr_in at = address("10.0.0.1", 23);
    int fd = socket_in(1, AF_INET, SOCK_STREAM);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* Reads until the end of what came is `prompt`. False: it ended, or nothing more comes. */
static bool await(int fd, const char *prompt, struct text *seen) {
    size_t size = strlen(prompt);
    char data[4096];
    for (;;) {
        if (seen->size >= size && strcmp(text_str(seen) + seen->size - size, prompt) == 0)
            return true;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, ANSWER_MS) <= 0)
            return false;
        ssize_t n = read(fd, data, sizeof data);
        if (n <= 0)
            return false;
        text_put(seen, data, (size_t)n);
    }
}

/* Types a line and awaits the prompt; what came in between must contain `answer`. */
static void ask(int fd, const char *line, const char *prompt, const char *answer) {
    struct text seen;
    text_init(&seen);
    assert_int_equal(write(fd, line, strlen(line)), (ssize_t)strlen(line));
    if (!await(fd, prompt, &seen) || !strstr(text_str(&seen), answer))
        fail_msg("%s: no \"%s\", or no prompt \"%s\" in: %s", line, answer, prompt,
                 text_str(&seen));
    text_deinit(&seen);
}

static void expect(int fd, const char *prompt) {
    struct text seen;
    text_init(&seen);
    if (!await(fd, prompt, &seen))
        fail_msg("no \"%s\" in: %s", prompt, text_str(&seen));
    text_deinit(&seen);
}

static bool ended(int fd) {
    struct text seen;
    text_init(&seen);
    bool prompt = await(fd, "never printed", &seen);
    text_deinit(&seen);
    return !prompt && recv(fd, &(char){0}, 1, MSG_DONTWAIT) == 0;
}

static void log_in(int fd) {
    expect(fd, "Username: ");
    ask(fd, "admin\r\n", "Password: ", "admin");
    ask(fd, "secret\r\n", "R1#", "");
    ask(fd, "terminal width 511\r\n", "R1#", "terminal width 511\r\n");
    ask(fd, "terminal length 0\r\n", "R1#", "terminal length 0\r\n");
}

static void test_telnet_changes_the_router(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    nodes_start(0, CONFIG, "--ios-fd");
    WAIT_FOR(running, 0, SCOREBOARD_RUNNING);
    int fd = telnet_to_router();
    log_in(fd);
    ask(fd, "show running-config | section bgp\r\n", "R1#", "neighbor 10.0.0.2 remote-as 64513");
    ask(fd, "configure terminal\r\n", "R1(config)#", "End with CNTL/Z.");
    ask(fd, "router bgp 64512\r\n", "R1(config-router)#", "");
    ask(fd, "neighbor 10.0.0.9 remote-as 65000\r\n", "R1(config-router)#", "");
    ask(fd, "neighbor 10.0.0.9 remote-ass 65000\r\n", "R1(config-router)#",
        "^\r\n% Invalid input detected at '^' marker.\r\n");
    assert_true(nodes_ask(0, "{\"op\":\"peers\"}\n", "10.0.0.9"));
    ask(fd, "no neighbor 10.0.0.9\r\n", "R1(config-router)#", "");
    assert_false(nodes_ask(0, "{\"op\":\"peers\"}\n", "10.0.0.9"));
    ask(fd, "end\r\n", "R1#", "");
    ask(fd, "show logging\r\n", "R1#",
        "%SYS-5-CONFIG_I: Configured from console by admin on vty0 (10.0.0.2)");
    assert_int_equal(write(fd, "exit\r\n", 6), 6);
    assert_true(ended(fd));
    close(fd);
    assert_int_equal(nodes_stop(0), 0);
}

static void test_as_many_sessions_as_lines(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    nodes_start(0, CONFIG, "--ios-fd");
    WAIT_FOR(running, 0, SCOREBOARD_RUNNING);
    int first = telnet_to_router(), second = telnet_to_router();
    log_in(first);
    log_in(second);
    ask(first, "configure terminal\r\n", "R1(config)#", "");
    ask(second, "show users\r\n", "R1#", "vty 1");
    int third = telnet_to_router();
    assert_true(ended(third));
    close(third);
    /* A line taken away lets nobody new in; who is there stays. */
    ask(first, "line vty 0 1\r\n", "R1(config-line)#", "");
    ask(first, "transport input none\r\n", "R1(config-line)#", "");
    struct sockaddr_in at = address("10.0.0.1", 23);
    third = socket_in(1, AF_INET, SOCK_STREAM);
    assert_int_equal(connect(third, (struct sockaddr *)&at, sizeof at), -1);
    assert_int_equal(errno, ECONNREFUSED);
    ask(second, "show clock\r\n", "R1#", "UTC");
    close(first);
    close(second);
    close(third);
    assert_int_equal(nodes_stop(0), 0);
}

static void test_console_asks_for_nothing(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    nodes_start(0, CONFIG, "--ios-fd");
    WAIT_FOR(running, 0, SCOREBOARD_RUNNING);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path + 1, CONSOLE_NAME, strlen(CONSOLE_NAME));
    int fd = socket_in(0, AF_UNIX, SOCK_STREAM);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(CONSOLE_NAME));
    assert_int_equal(connect(fd, (struct sockaddr *)&at, size), 0);
    expect(fd, "R1>");
    ask(fd, "enable\r", "R1#", "");
    ask(fd, "clear ip bgp *\r", "R1#", "clear ip bgp *\r\n");
    /* Log lines come to the console unasked, and the prompt after them. */
    assert_true(nodes_ask(0, "{\"op\":\"ios-lines\",\"lines\":\"hostname R2\"}\n", "\"ok\":true"));
    struct text seen;
    text_init(&seen);
    assert_true(await(fd, "R2#", &seen));
    assert_non_null(strstr(text_str(&seen), "%SYS-5-CONFIG_I: Configured from console by console"));
    text_deinit(&seen);
    close(fd);
    assert_int_equal(nodes_stop(0), 0);
}

static void test_log_lines_go_to_syslog(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    struct sockaddr_in at = address("10.0.0.2", 5514);
    int fd = socket_in(1, AF_INET, SOCK_DGRAM);
    char line[512];
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    nodes_start(0, CONFIG, "--ios-fd");
    WAIT_FOR(running, 0, SCOREBOARD_RUNNING);
    assert_true(nodes_ask(0, "{\"op\":\"ios-lines\",\"lines\":\"hostname R2\"}\n", "\"ok\":true"));
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, ANSWER_MS), 1);
    ssize_t n = recv(fd, line, sizeof line - 1, 0);
    assert_true(n > 0);
    line[n] = '\0';
    assert_int_equal(strncmp(line, "<189>1: *", 9), 0);
    const char *text = strstr(line, ": %SYS-5-CONFIG_I: Configured from console by console");
    assert_non_null(text);
    close(fd);
    assert_int_equal(nodes_stop(0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_telnet_changes_the_router, router_ends),
        cmocka_unit_test_teardown(test_as_many_sessions_as_lines, router_ends),
        cmocka_unit_test_teardown(test_console_asks_for_nothing, router_ends),
        cmocka_unit_test_teardown(test_log_lines_go_to_syslog, router_ends),
    };
    return cmocka_run_group_tests(tests, lab_up, nodes_group_down);
}
