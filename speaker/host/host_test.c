/*
 * Two real speakers in two network namespaces joined by a veth pair.
 *
 * Each speaker is a process of its own that runs what main.c runs. The test waits for the
 * scoreboard's bell and for counters of the kernel, with deadlines, never for time to pass; what
 * must not happen is asserted after the kernel has counted the reason (a wrong signature, a low
 * TTL). The kernel's table is read from /proc, not with the speaker's own code.
 */
#include "../base/text.h"
#include "../decode/mrt.h"
#include "host.h"
#include "nodes_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#define NODES 2

static int lab_up(void **state) {
    (void)state;
    return nodes_group_up(NODES);
}

static void start(int node, const char *config) {
    nodes_start(node, config, "--config-fd");
}

static uint64_t counter_before[NODES];
static bool md5_failures(int node, uint64_t value) {
    return nodes_tcp_counter(node, "TCPMD5Failure") >= counter_before[node] + value;
}
static bool ttl_drops(int node, uint64_t value) {
    return nodes_tcp_counter(node, "TCPMinTTLDrop") >= counter_before[node] + value;
}

/* Does the node's kernel have 10.244.N.0/26, by the peer and with this metric? */
static bool kernel_has(int node, unsigned block, const char *gateway, const char *metric) {
    static char text[65536];
    char destination[16], line_metric[32], line_gateway[16];
    char *rest = text, *line;
    snprintf(destination, sizeof destination, "00%02XF40A", block);
    nodes_read_proc(node, "route", text, sizeof text);
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

/* Only the first node calls: where both do, a collision may cost an end its session just after it
 * was up (RFC 4271 6.8), and some tests count sessions that were lost. */
static void start_calling(void) {
    start(0, config_of(0, 64512, 64512, "", ""));
    start(1, config_of(1, 64512, 64512, "\"passive\":true,", ""));
}

/* The second node's kernel is not to have the first one's block. */
static const char *filtered_config(void) {
    static char text[4096];
    const char *config = config_of(1, 64512, 64512, "\"passive\":true,", "");
    const char *fib = strstr(config, "\"metric_from_local_pref\":true}");
    snprintf(text, sizeof text,
             "%.*s\"metric_from_local_pref\":true,\"filter\":{\"ipv4\":{\"policies\":[0],"
             "\"accept_by_default\":true}}},\"policies\":[{\"name\":\"kernel\",\"terms\":[{"
             "\"name\":\"not this\",\"matches\":[{\"kind\":\"prefix\",\"prefixes\":[{\"prefix\":"
             "\"10.244.1.0/24\",\"length_min\":24,\"length_max\":32}]}],\"verdict\":\"reject\"}],"
             "\"otherwise\":\"next-policy\"}]%s",
             (int)(fib - config), config, fib + strlen("\"metric_from_local_pref\":true}"));
    return text;
}

/* The second node's kernel is to have no route at all. */
static const char *uninstalled_config(void) {
    static char text[2048];
    const char *config = config_of(1, 64512, 64512, "\"passive\":true,", "");
    const char *install = strstr(config, "\"install\":true");
    snprintf(text, sizeof text, "%.*s\"install\":false%s", (int)(install - config), config,
             install + strlen("\"install\":true"));
    return text;
}

/* ---- tests ---- */

static void test_routes_reach_the_kernel(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_calling();
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
    assert_true(atomic_load(&nodes_slot(0)->fib_digest) ==
                scoreboard_route_digest(&own, &none) + scoreboard_route_digest(&learned, &gateway));
    assert_int_equal(nodes_stop(0), 0); /* BIRD: its kernel routes outlive it */
    assert_true(kernel_has(0, 1, "00000000", "0"));
    assert_true(route_present(0, 2));
    WAIT_FOR(dropped, 1, 1);
    WAIT_FOR(fib_routes, 1, 1);
    assert_false(route_present(1, 1));
    assert_true(nodes_ask(1, "{\"op\":\"peers\"}\n", "\"last_reason\":\"notification_received\""));
    assert_int_equal(nodes_stop(1), 0);
}

static void configure(int node, const char *config) {
    struct text request;
    text_init(&request);
    text_printf(&request, "{\"id\":1,\"op\":\"configure\",\"config\":%s}\n", config);
    assert_true(nodes_ask(node, text_str(&request), "\"ok\":true"));
    text_deinit(&request);
}

/* Installing is turned off, a route goes and another comes meanwhile, and on again. */
static void test_installing_off_and_on(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_calling();
    WAIT_FOR(fib_routes, 1, 2);
    configure(1, uninstalled_config());
    WAIT_FOR(fib_routes, 1, 0);
    assert_false(route_present(1, 1));
    assert_true(loc_rib(1, 2));
    configure(
        0, config_of(0, 64512, 64512, "", "{\"prefix\":\"10.244.9.0/26\",\"source\":\"static\"},"));
    WAIT_FOR(loc_rib, 1, 3);
    assert_true(fib_routes(1, 0));
    configure(1, config_of(1, 64512, 64512, "\"passive\":true,", ""));
    WAIT_FOR(fib_routes, 1, 3);
    assert_true(route_present(1, 1) && route_present(1, 9));
    assert_int_equal(nodes_stop(0), 0);
    assert_int_equal(nodes_stop(1), 0);
}

static void test_reconfigure_without_flap(void **state) {
    struct text request;
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_calling();
    WAIT_FOR(established, 0, 1);
    WAIT_FOR(fib_routes, 1, 2);
    text_init(&request);
    text_printf(
        &request, "{\"id\":1,\"op\":\"configure\",\"config\":%s}\n",
        config_of(0, 64512, 64512, "", "{\"prefix\":\"10.244.9.0/26\",\"source\":\"static\"},"));
    assert_true(nodes_ask(0, text_str(&request), "\"ok\":true"));
    WAIT_FOR(fib_routes, 1, 3);
    assert_true(route_present(1, 9));
    WAIT_FOR(fib_routes, 0, 2); /* its own new route is no blackhole in the kernel */
    assert_true(dropped(0, 0) && dropped(1, 0));
    assert_true(nodes_ask(0, "{\"id\":2,\"op\":\"configure\",\"config\":{\"profile\":\"fast\"}}\n",
                          "missing-member"));
    assert_true(nodes_ask(0, "{\"id\":3,\"op\":\"hello\"}\n", "\"id\":3"));
    assert_true(loc_rib(0, 3));
    text_deinit(&request);
    assert_int_equal(nodes_stop(0), 0);
    assert_int_equal(nodes_stop(1), 0);
}

/* A new filter takes routes out of the kernel and, gone again, lets them back in. */
static void test_kernel_filter(void **state) {
    struct text request;
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_calling();
    WAIT_FOR(fib_routes, 1, 2);
    text_init(&request);
    text_printf(&request, "{\"id\":1,\"op\":\"configure\",\"config\":%s}\n", filtered_config());
    assert_true(nodes_ask(1, text_str(&request), "\"ok\":true"));
    WAIT_FOR(fib_routes, 1, 1);
    assert_false(route_present(1, 1));
    assert_true(loc_rib(1, 2));
    text_clear(&request);
    text_printf(&request, "{\"id\":2,\"op\":\"configure\",\"config\":%s}\n",
                config_of(1, 64512, 64512, "\"passive\":true,", ""));
    assert_true(nodes_ask(1, text_str(&request), "\"ok\":true"));
    WAIT_FOR(fib_routes, 1, 2);
    assert_true(route_present(1, 1) && dropped(1, 0));
    text_deinit(&request);
    assert_int_equal(nodes_stop(0), 0);
    assert_int_equal(nodes_stop(1), 0);
}

static void test_kernel_changes_are_followed(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_calling();
    WAIT_FOR(fib_routes, 0, 2);
    nodes_ip(0, "route", "del", "10.244.2.0/26", NULL); /* not by us: comes back */
    WAIT_FOR(route_present, 0, 2);
    WAIT_FOR(fib_routes, 0, 2);
    nodes_ip(0, "link", "set", "v0", "down", NULL);
    WAIT_FOR(fib_routes, 0, 1);
    nodes_ip(0, "link", "set", "v0", "up", NULL);
    WAIT_FOR(fib_routes, 0, 2);
    assert_true(route_present(0, 2));
    assert_true(dropped(0, 0));
    assert_int_equal(nodes_stop(0), 0);
    assert_int_equal(nodes_stop(1), 0);
}

static void test_foreign_route_is_left_alone(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    nodes_ip(0, "route", "add", "10.244.2.0/26", "via", "10.0.0.9", "metric", "2147483547", NULL);
    start_pair("");
    WAIT_FOR(loc_rib, 0, 2);
    WAIT_FOR(fib_routes, 0, 1);
    assert_true(kernel_has(0, 2, "0900000A", "2147483547"));
    nodes_ip(0, "route", "del", "10.244.2.0/26", NULL);
    WAIT_FOR(fib_routes, 0, 2);
    assert_true(route_present(0, 2));
    assert_int_equal(nodes_stop(0), 0);
    assert_int_equal(nodes_stop(1), 0);
}

/* Two speakers whose keys differ, until the second one is told the key of the first. */
static void key_is_corrected(const char *right, const char *wrong) {
    struct text request;
    for (int i = 0; i < NODES; i++)
        counter_before[i] = nodes_tcp_counter(i, "TCPMD5Failure");
    start(0, config_of(0, 64512, 64512, right, ""));
    start(1, config_of(1, 64512, 64512, wrong, ""));
    WAIT_FOR(md5_failures, 0, 1);
    assert_true(established(0, 0) && established(1, 0));
    text_init(&request);
    text_printf(&request, "{\"op\":\"configure\",\"config\":%s}\n",
                config_of(1, 64512, 64512, right, ""));
    assert_true(nodes_ask(1, text_str(&request), "\"ok\":true"));
    WAIT_FOR(established, 0, 1);
    WAIT_FOR(established, 1, 1);
    text_deinit(&request);
    assert_int_equal(nodes_stop(1), 0);
    assert_int_equal(nodes_stop(0), 0);
}

static void test_C202_password(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    key_is_corrected("\"password\":\"right\",", "\"password\":\"wrong\",");
}

static void test_C203_keys_that_differ_behind_a_nul(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    key_is_corrected("\"password\":{\"octets\":[107,0,1]},",
                     "\"password\":{\"octets\":[107,0,2]},");
}

static void test_C204_ttl_security(void **state) {
    struct text request;
    (void)state;
    SKIP_IF_FORBIDDEN();
    for (int i = 0; i < NODES; i++)
        counter_before[i] = nodes_tcp_counter(i, "TCPMinTTLDrop");
    start(0, config_of(0, 64512, 65001, "\"ttl_security_hops\":1,\"passive\":true,", ""));
    start(1, config_of(1, 65001, 64512, "", "")); /* sends with TTL 1 */
    WAIT_FOR(ttl_drops, 0, 1);
    assert_true(established(0, 0));
    text_init(&request);
    text_printf(&request, "{\"op\":\"configure\",\"config\":%s}\n",
                config_of(1, 65001, 64512, "\"ttl_security_hops\":1,", ""));
    assert_true(nodes_ask(1, text_str(&request), "\"ok\":true"));
    WAIT_FOR(established, 0, 1);
    WAIT_FOR(established, 1, 1);
    text_deinit(&request);
    assert_int_equal(nodes_stop(1), 0);
    assert_int_equal(nodes_stop(0), 0);
}

static void test_stop_request_aborts(void **state) {
    int status;
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_calling();
    WAIT_FOR(established, 1, 1);
    WAIT_FOR(fib_routes, 0, 2);
    assert_true(nodes_ask(0, "{\"id\":1,\"op\":\"stop\",\"abort\":true}\n", "\"ok\":true"));
    assert_int_equal(waitpid(nodes.at[0].pid, &status, 0), nodes.at[0].pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    nodes_forget(0);
    assert_true(running(0, SCOREBOARD_STOPPED));
    WAIT_FOR(dropped, 1, 1);
    assert_true(route_present(0, 2)); /* BIRD: its kernel routes outlive it, here too */
    assert_true(nodes_ask(1, "{\"op\":\"peers\"}\n", "\"last_reason\":\"peer_closed\""));
    assert_int_equal(nodes_stop(1), 0);
}

static void test_refused_configuration(void **state) {
    int status;
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(0, "{\"profile\":\"fast\",\"local_as\":0,\"router_id\":\"10.0.0.1\"}");
    assert_int_equal(waitpid(nodes.at[0].pid, &status, 0), nodes.at[0].pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == HOST_EXIT_CONFIG);
    assert_true(running(0, SCOREBOARD_FAILED));
    nodes_forget(0);
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
    {"{\"op\":\"malformed\"}\n", "\"kept\":[]"},
    {"{\"op\":\"exec\",\"command\":\"show protocols\"}\n", "Established   "},
    {"{\"op\":\"exec\",\"command\":\"show route for 10.244.2.9\"}\n",
     "10.244.2.0/26      via 10.0.0.2 on v0 [n2 "},
    {"{\"op\":\"exec\",\"command\":\"show nonsense\"}\n", "syntax error"},
};

static void test_requests(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_calling();
    WAIT_FOR(fib_routes, 0, 2);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        if (!nodes_ask(0, requests[i].line, requests[i].expected))
            fail_msg("%s: no \"%s\"", requests[i].line, requests[i].expected);
    assert_true(dropped(0, 0));
    assert_int_equal(nodes_stop(0), 0);
    assert_int_equal(nodes_stop(1), 0);
}

static void take_line(void *context, const struct mrt_item *item) {
    mrt_put_lines(item, context);
}

/* All records of a file as lines. */
static void read_mrt(const char *path, struct text *out) {
    static uint8_t data[65536];
    struct mrt_reader *reader = mrt_reader_new();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(reader && fd >= 0);
    ssize_t size = read(fd, data, sizeof data);
    close(fd);
    for (ssize_t at = 0; size - at >= MRT_HEADER_SIZE;) {
        struct mrt_header h = mrt_header_decode(data + at);
        at += MRT_HEADER_SIZE;
        assert_true(h.size <= (uint32_t)(size - at));
        assert_null(mrt_read(reader, &h, data + at, take_line, out));
        at += (ssize_t)h.size;
    }
    mrt_reader_free(reader);
}

/* The table, asked for while it runs: own route and learned one, as the tables have them. */
static void test_C217_table_file(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    char folder[] = "/tmp/host-test-XXXXXX", path[64], request[128];
    struct text lines;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/table.mrt", folder);
    snprintf(request, sizeof request, "{\"id\":1,\"op\":\"mrt\",\"path\":\"%s\"}\n", path);
    start_calling();
    WAIT_FOR(loc_rib, 0, 2);
    assert_true(nodes_ask(0, request, "\"prefixes\":2"));
    assert_true(nodes_ask(0, "{\"op\":\"mrt\",\"path\":\"/nowhere/at/all\"}\n", "No such file"));
    text_init(&lines);
    read_mrt(path, &lines);
    assert_non_null(strstr(text_str(&lines), "|B|0.0.0.0|64512|10.244.1.0/26||IGP|"));
    assert_non_null(strstr(text_str(&lines), "|B|10.0.0.2|64512|10.244.2.0/26||IGP|10.0.0.2|"));
    text_deinit(&lines);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(nodes_stop(0), 0);
    assert_int_equal(nodes_stop(1), 0);
}

/* A test that failed half-way leaves speakers behind: they end here. So do routes, always. */
static int speakers_end(void **state) {
    (void)state;
    for (int i = 0; !nodes_forbidden() && i < NODES; i++) {
        nodes_kill(i);
        nodes_ip(i, "route", "flush", "proto", "12", NULL);
    }
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_routes_reach_the_kernel, speakers_end),
        cmocka_unit_test_teardown(test_installing_off_and_on, speakers_end),
        cmocka_unit_test_teardown(test_reconfigure_without_flap, speakers_end),
        cmocka_unit_test_teardown(test_kernel_filter, speakers_end),
        cmocka_unit_test_teardown(test_kernel_changes_are_followed, speakers_end),
        cmocka_unit_test_teardown(test_foreign_route_is_left_alone, speakers_end),
        cmocka_unit_test_teardown(test_C202_password, speakers_end),
        cmocka_unit_test_teardown(test_C203_keys_that_differ_behind_a_nul, speakers_end),
        cmocka_unit_test_teardown(test_C204_ttl_security, speakers_end),
        cmocka_unit_test_teardown(test_stop_request_aborts, speakers_end),
        cmocka_unit_test_teardown(test_refused_configuration, speakers_end),
        cmocka_unit_test_teardown(test_requests, speakers_end),
        cmocka_unit_test_teardown(test_C217_table_file, speakers_end),
    };
    return cmocka_run_group_tests(tests, lab_up, nodes_group_down);
}
