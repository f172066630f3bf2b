/*
 * Link-local next hops in the kernel (RFC 2545 3, 4291 2.5.6): they are of the link the neighbour
 * is on, whatever other interface the kernel would choose. Conformance row C131.
 *
 * The first node is us. It has a second interface, whose fe80::/64 the kernel prefers.
 */
#include "nodes_fixture.h"

#include "../base/text.h"
#include "sockopt.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NODES 2
#define PREFIX4 "10.244.9.0/26"
#define PREFIX6 "fd00:9::/64"
#define OTHER6 "fd00:8::/64"
#define FAR "fd00:77::2" /* the second node's, behind fd00::2 */

static int lab_up(void **state) {
    (void)state;
    nodes_group_up(NODES);
    if (nodes_forbidden())
        return 0;
    nodes_ip(0, "link", "add", "d0", "type", "veth", "peer", "name", "d1", NULL);
    nodes_ip(0, "link", "set", "d1", "up", NULL);
    nodes_ip(0, "link", "set", "d0", "addrgenmode", "none", "up", NULL);
    nodes_ip(0, "-6", "route", "add", "fe80::/64", "dev", "d0", "metric", "1", NULL);
    nodes_ip(1, "-6", "address", "add", FAR "/128", "dev", "lo", "nodad", NULL);
    nodes_ip(0, "-6", "route", "add", FAR "/128", "via", "fd00::2", NULL);
    return 0;
}

#define ACCEPT_ALL "{\"accept_by_default\":true}"

static const char *config_of(int node, const char *members) {
    static char text[NODES][2048];
    snprintf(text[node], sizeof text[node],
             "{\"profile\":\"plain\",\"hostname\":\"n%d\",\"local_as\":64512,"
             "\"router_id\":\"10.0.0.%d\",\"fib\":{\"install\":true},%s}",
             node + 1, node + 1, members);
    return text[node];
}

/* Of the second node: IPv4 and the first of two IPv6 routes go out with fe80::2 as their next hop.
 */
#define ANNOUNCER(local)                                                                           \
    "\"peers\":[{\"name\":\"n1\",\"remote_addr\":\"fd00::1\",\"remote_as\":64512," local           \
    "\"families\":[\"ipv4\",\"ipv6\"],\"extended_next_hop\":true,\"import\":" ACCEPT_ALL ","       \
    "\"export\":{\"policies\":[\"hop\"],\"accept_by_default\":true}}],"                            \
    "\"policies\":[{\"name\":\"hop\",\"otherwise\":\"next-policy\",\"terms\":[{\"name\":\"9\","    \
    "\"matches\":[{\"kind\":\"prefix\",\"prefixes\":[\"" PREFIX4 "\",\"" PREFIX6 "\"]}],"          \
    "\"actions\":[{\"kind\":\"set-next-hop\",\"address\":\"fe80::2\"}],"                           \
    "\"verdict\":\"accept\"}]}],"                                                                  \
    "\"origins\":[\"" PREFIX4 "\",\"" PREFIX6 "\",\"" OTHER6 "\"]"

/* Of the first node: waits for a neighbour with this address. */
#define WAITER(remote)                                                                             \
    "\"peers\":[{\"name\":\"n2\",\"remote_addr\":\"" remote "\",\"remote_as\":64512,"              \
    "\"families\":[\"ipv4\",\"ipv6\"],\"extended_next_hop\":true,\"passive\":true,"                \
    "\"import\":" ACCEPT_ALL ",\"export\":" ACCEPT_ALL "}]"

static void start(int node, const char *config) {
    nodes_start(node, config, "--config-fd");
    WAIT_FOR(running, node, SCOREBOARD_RUNNING);
}

/* Does the first node's kernel have a route to the prefix, by these words of iproute2? */
static bool kernel_has(const char *family, const char *prefix, const char *words) {
    static char ip[] = "ip", route[] = "route", show[] = "show";
    char which[8], what[32];
    snprintf(which, sizeof which, "%s", family);
    snprintf(what, sizeof what, "%s", prefix);
    char *argv[] = {ip, which, route, show, what, NULL};
    struct text out;
    text_init(&out);
    bool found = nodes_capture(0, argv, &out) == 0 && strstr(text_str(&out), words);
    text_deinit(&out);
    return found;
}

static bool leads_to_the_link(int node, uint64_t value) {
    (void)node, (void)value;
    return kernel_has("-6", PREFIX6, "via fe80::2 dev v0");
}

static bool ipv4_leads_to_the_link(int node, uint64_t value) {
    (void)node, (void)value;
    return kernel_has("-4", PREFIX4, "via inet6 fe80::2 dev v0");
}

static bool has_other(int node, uint64_t value) {
    (void)node, (void)value;
    return kernel_has("-6", OTHER6, "via fd00::2 dev v0");
}

/* A session over global addresses: the link is the one that the neighbour's subnet is on. */
static void test_C131_link_of_the_subnet(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(0, config_of(0, WAITER("fd00::2")));
    start(1, config_of(1, ANNOUNCER("")));
    WAIT_FOR(leads_to_the_link, 0, 1);
    WAIT_FOR(ipv4_leads_to_the_link, 0, 1);
    assert_int_equal(nodes_stop(1), 0);
    assert_int_equal(nodes_stop(0), 0);
}

/* The same where it is we who call. */
static void test_C131_link_of_a_call(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(1, config_of(1, ANNOUNCER("\"passive\":true,")));
    start(0, config_of(0, "\"peers\":[{\"name\":\"n2\",\"remote_addr\":\"fd00::2\",\"remote_as\":"
                          "64512,\"families\":[\"ipv6\"],\"import\":" ACCEPT_ALL "}]"));
    WAIT_FOR(leads_to_the_link, 0, 1);
    assert_int_equal(nodes_stop(1), 0);
    assert_int_equal(nodes_stop(0), 0);
}

/* A neighbour behind a router: its link-local next hop is nobody's we know, the other is used. */
static void test_C131_neighbor_of_no_link(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(0, config_of(0, WAITER(FAR)));
    start(1, config_of(1, ANNOUNCER("\"local_addr\":\"" FAR "\",")));
    WAIT_FOR(has_other, 0, 1);
    assert_false(kernel_has("-6", PREFIX6, "via"));
    assert_true(nodes_ask(0, "{\"op\":\"rib\",\"table\":\"in\"}\n", PREFIX6));
    assert_int_equal(nodes_stop(1), 0);
    assert_int_equal(nodes_stop(0), 0);
}

/* ---- a neighbour by its link-local address ---- */

/* An OPEN of AS 64512 for IPv6 unicast, a KEEPALIVE, and an UPDATE: fd00:9::/64, LOCAL_PREF 100,
 * next hop fe80::2. */
static const uint8_t said[] = {
#define MARKER 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255
    MARKER, 0,    37, 1, 4,    252, 0,  0,    90,   10, 0, 0, 2, 8,  2, 6, 1, 4, 0, 2, 0, 1, //
    MARKER, 0,    19, 4,                                                                     //
    MARKER, 0,    70, 2, 0,    0,   0,  47,                                                  //
    0x80,   14,   30, 0, 2,    1,   16, 0xFE, 0x80, 0,  0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,
    2,      0,                                   //
    64,     0xFD, 0,  0, 9,    0,   0,  0,    0, //
    0x40,   1,    1,  0, 0x40, 2,   0,  0x40, 5,    4,  0, 0, 0, 100};

/* In the second node: calls fe80::1 from fe80::2, says that and listens until it is killed. */
static void call(pid_t parent) {
    uint8_t heard[4096];
    union sockaddr_any to, from;
    struct ip_addr a;
    nodes_bind_to_parent(parent);
    nodes_enter(nodes.at[1].ns);
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (fd < 0 || !ip_parse("fe80::1", &a))
        _exit(1);
    socklen_t size = sockaddr_make(&to, a, 179);
    ((struct sockaddr_in6 *)&to.storage)->sin6_scope_id = if_nametoindex("v0");
    (void)ip_parse("fe80::2", &a);
    (void)sockaddr_make(&from, a, 0);
    ((struct sockaddr_in6 *)&from.storage)->sin6_scope_id = if_nametoindex("v0");
    if (bind(fd, &from.sa, size) != 0 || connect(fd, &to.sa, size) != 0 ||
        write(fd, said, sizeof said) != sizeof said)
        _exit(2);
    while (read(fd, heard, sizeof heard) > 0)
        ;
    _exit(3);
}

static void test_C131_link_of_the_session(void **state) {
    int status;
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(0, config_of(0, WAITER("fe80::2")));
    pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        call(parent);
    WAIT_FOR(leads_to_the_link, 0, 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(nodes_stop(0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_C131_link_of_the_subnet, nodes_kill_all),
        cmocka_unit_test_teardown(test_C131_link_of_a_call, nodes_kill_all),
        cmocka_unit_test_teardown(test_C131_neighbor_of_no_link, nodes_kill_all),
        cmocka_unit_test_teardown(test_C131_link_of_the_session, nodes_kill_all),
    };
    return cmocka_run_group_tests_name("link", tests, lab_up, nodes_group_down);
}
