/*
 * Two real speakers and what the kernel must be told of neighbours: keys that change under a living
 * session, neighbours by range, IPv4 by way of IPv6, which connection is written to first. The
 * stand-alone daemon's profile.
 *
 * The passive side starts first, so that the other one's first call is answered.
 */
#include "nodes_fixture.h"

#include "../base/text.h"
#include "../core/bgp.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NODES 2

static int lab_up(void **state) {
    (void)state;
    return nodes_group_up(NODES);
}

#define ACCEPT_ALL                                                                                 \
    "\"import\":{\"ipv4\":{\"accept_by_default\":true}},"                                          \
    "\"export\":{\"ipv4\":{\"accept_by_default\":true}}"

/* `neighbors` are members of the configuration, `block` the third octet of its own route. */
static const char *config_of(int node, const char *neighbors, unsigned block) {
    static char text[NODES][2048];
    snprintf(text[node], sizeof text[node],
             "{\"profile\":\"plain\",\"hostname\":\"n%d\",\"local_as\":64512,"
             "\"router_id\":\"10.0.0.%d\",\"fib\":{\"install\":true},%s,"
             "\"origins\":[{\"prefix\":\"10.244.%u.0/26\",\"source\":\"static\","
             "\"blackhole_in_kernel\":true}]}",
             node + 1, node + 1, neighbors, block);
    return text[node];
}

/* Returns when it listens: a call that is refused is not repeated for two minutes. */
static void start(int node, const char *config) {
    nodes_start(node, config, "--config-fd");
    WAIT_FOR(running, node, SCOREBOARD_RUNNING);
}

static void configure(int node, const char *config) {
    struct text request;
    text_init(&request);
    text_printf(&request, "{\"op\":\"configure\",\"config\":%s}\n", config);
    assert_true(nodes_ask(node, text_str(&request), "\"ok\":true"));
    text_deinit(&request);
}

static const char *peer_with(int node, const char *key) {
    static char text[NODES][512];
    snprintf(text[node], sizeof text[node],
             "\"peers\":[{\"name\":\"n%d\",\"remote_addr\":\"10.0.0.%d\",\"remote_as\":64512,"
             "\"password\":\"%s\",%s%s}]",
             2 - node, 2 - node, key, node == 0 ? "\"passive\":true," : "", ACCEPT_ALL);
    return text[node];
}

static void stop_both(void) {
    assert_int_equal(nodes_stop(1), 0);
    assert_int_equal(nodes_stop(0), 0);
}

static bool table_has(int node, const char *table, uint64_t block) {
    char prefix[32], request[64];
    snprintf(prefix, sizeof prefix, "10.244.%u.0/26", (unsigned)block);
    snprintf(request, sizeof request, "{\"op\":\"rib\",\"table\":\"%s\"}\n", table);
    struct text answer;
    text_init(&answer);
    nodes_request(node, request, &answer);
    bool found = strstr(text_str(&answer), prefix);
    text_deinit(&answer);
    return found;
}

static bool has_route(int node, uint64_t block) {
    return table_has(node, "loc", block);
}

static bool was_sent(int node, uint64_t block) {
    return table_has(node, "in", block);
}

static uint64_t failures_before;
static bool md5_failures(int node, uint64_t value) {
    return nodes_tcp_counter(node, "TCPMD5Failure") >= failures_before + value;
}

/* Both sides change their key, one after the other: between, nothing passes; then the session lives
 * on with the new one, and what was sent meanwhile arrives. */
static void test_C202_key_changed_live(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(0, config_of(0, peer_with(0, "first"), 1));
    start(1, config_of(1, peer_with(1, "first"), 2));
    WAIT_FOR(established, 0, 1);
    WAIT_FOR(established, 1, 1);
    WAIT_FOR(loc_rib, 1, 2);
    failures_before = nodes_tcp_counter(1, "TCPMD5Failure");
    configure(0, config_of(0, peer_with(0, "second"), 1));
    configure(0, config_of(0, peer_with(0, "second"), 3));
    WAIT_FOR(md5_failures, 1, 1);
    assert_false(has_route(1, 3));
    configure(1, config_of(1, peer_with(1, "second"), 2));
    WAIT_FOR(has_route, 1, 3);
    assert_true(established(0, 1) && established(1, 1));
    assert_true(dropped(0, 0) && dropped(1, 0));
    stop_both();
}

/* An address that is not ours, or a family that another program has: the configuration is refused,
 * and calls are taken where they were taken before. */
static void test_listener_that_cannot_move(void **state) {
    static char request[2200];
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(0, config_of(0, peer_with(0, "key"), 1));
    snprintf(request, sizeof request, "{\"op\":\"configure\",\"config\":%s}\n",
             config_of(0,
                       "\"listen_addr4\":\"192.0.2.9\",\"listen_addr6\":\"fd00::1\","
                       "\"listen_port\":1790",
                       1));
    assert_true(nodes_ask(0, request, "cannot listen on 192.0.2.9 port 1790"));
    start(1, config_of(1, peer_with(1, "key"), 2));
    WAIT_FOR(established, 0, 1);
    WAIT_FOR(established, 1, 1);
    stop_both();
}

#define UNSIGNED(node, members)                                                                    \
    "\"peers\":[{\"name\":\"n\",\"remote_addr\":\"10.0.0." node                                    \
    "\",\"remote_as\":64512," members ACCEPT_ALL "}]"

/* A listener that moves knows the keys where it is then, whatever number its descriptor has. */
static void test_C202_listener_moves(void **state) {
    char members[600];
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(0, config_of(0, peer_with(0, "key"), 1));
    snprintf(members, sizeof members, "\"listen_port\":1790,%s", peer_with(0, "key"));
    configure(0, config_of(0, members, 1));
    start(1, config_of(1, UNSIGNED("1", "\"password\":\"key\",\"remote_port\":1790,"), 2));
    WAIT_FOR(established, 0, 1);
    WAIT_FOR(established, 1, 1);
    stop_both();
}

static bool md5_unexpected(int node, uint64_t value) {
    return nodes_tcp_counter(node, "TCPMD5Unexpected") >= value;
}

static bool calling(int node, uint64_t value) {
    return nodes_ask(node, "{\"op\":\"peers\"}\n",
                     value == BGP_CONNECT ? "\"state\":\"Connect\"" : "\"state\":\"OpenSent\"");
}

/* A call that the kernel had taken before it was told of the password, and that is handed over
 * after: without signatures it is no session. */
static void test_C202_key_set_before_the_call_is_taken(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    uint64_t before = nodes_tcp_counter(1, "TCPMD5Unexpected");
    struct text request;
    start(0, config_of(0, UNSIGNED("2", "\"passive\":true,"), 1));
    assert_int_equal(kill(nodes.at[0].pid, SIGSTOP), 0);
    text_init(&request);
    text_printf(&request, "{\"op\":\"configure\",\"config\":%s}\n",
                config_of(0, peer_with(0, "key"), 1));
    assert_int_equal(write(nodes.at[0].control, text_str(&request), request.size), request.size);
    start(1, config_of(1, UNSIGNED("1", ""), 2));
    WAIT_FOR(calling, 1, BGP_OPEN_SENT);
    assert_int_equal(kill(nodes.at[0].pid, SIGCONT), 0);
    WAIT_FOR(md5_unexpected, 1, before + 1);
    assert_true(established(0, 0) && established(1, 0));
    text_deinit(&request);
}

#define FAR "10.0.0.77"

/* The other way round: a password while our call is on its way, to somebody who has none. */
static void test_C202_key_set_while_calling(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    uint64_t before = nodes_tcp_counter(0, "TCPMD5Unexpected");
    nodes_ip(1, "neigh", "add", FAR, "lladdr", "02:00:00:00:00:77", "dev", "v0", "nud", "permanent",
             NULL);
    start(0, config_of(0, UNSIGNED("2", "\"passive\":true,"), 1));
    start(1, config_of(1, UNSIGNED("77", ""), 2));
    WAIT_FOR(calling, 1, BGP_CONNECT);
    configure(1, config_of(1, UNSIGNED("77", "\"password\":\"key\","), 2));
    nodes_ip(0, "addr", "add", FAR "/32", "dev", "v0", NULL);
    nodes_ip(1, "neigh", "del", FAR, "dev", "v0", NULL);
    WAIT_FOR(md5_unexpected, 0, before + 1);
    assert_true(established(0, 0) && established(1, 0));
    nodes_ip(0, "addr", "del", FAR "/32", "dev", "v0", NULL);
}

#define RANGE(key)                                                                                 \
    "\"listen_ranges\":[{\"prefix\":\"10.0.0.0/24\",\"limit\":5,\"peer\":{\"name\":\"any\","       \
    "\"remote_as\":0,\"password\":\"" key "\"," ACCEPT_ALL "}}]"

/* A neighbour nobody configured, signed by the range's key; with another key there is none. */
static void test_listen_range_with_key(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(0, config_of(0, RANGE("shared"), 1));
    start(1, config_of(1, peer_with(1, "shared"), 2));
    WAIT_FOR(established, 0, 1);
    WAIT_FOR(established, 1, 1);
    WAIT_FOR(fib_routes, 0, 2);
    assert_true(nodes_ask(0, "{\"op\":\"peers\"}\n", "any_10.0.0.2"));
    assert_int_equal(nodes_stop(1), 0);
    WAIT_FOR(dropped, 0, 1);
    WAIT_FOR(fib_routes, 0, 1);
    failures_before = nodes_tcp_counter(0, "TCPMD5Failure");
    start(1, config_of(1, peer_with(1, "other"), 2));
    WAIT_FOR(md5_failures, 0, 1);
    assert_true(established(0, 0));
    stop_both();
}

static bool route_via_ipv6(int node, uint64_t block) {
    char prefix[32];
    struct text out;
    snprintf(prefix, sizeof prefix, "10.244.%u.0/26", (unsigned)block);
    char ip[] = "ip", route[] = "route", show[] = "show";
    char *argv[] = {ip, route, show, prefix, NULL};
    text_init(&out);
    bool found = nodes_capture(node, argv, &out) == 0 && strstr(text_str(&out), "via inet6 fd00::");
    text_deinit(&out);
    return found;
}

/* RFC 8950: IPv4 routes learned over IPv6, in the kernel by way of an IPv6 gateway. */
static void test_C136_ipv4_by_way_of_ipv6(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    for (int i = 0; i < NODES; i++) {
        char neighbors[512];
        snprintf(neighbors, sizeof neighbors,
                 "\"peers\":[{\"name\":\"six\",\"remote_addr\":\"fd00::%d\",\"remote_as\":64512,"
                 "\"extended_next_hop\":true,%s%s}]",
                 2 - i, i == 0 ? "\"passive\":true," : "", ACCEPT_ALL);
        start(i, config_of(i, neighbors, (unsigned)i + 1));
    }
    for (int i = 0; i < NODES; i++) {
        WAIT_FOR(established, i, 1);
        WAIT_FOR(fib_routes, i, 2);
        WAIT_FOR(route_via_ipv6, i, (uint64_t)(2 - i));
    }
    assert_int_equal(nodes_stop(1), 0);
    WAIT_FOR(fib_routes, 0, 1);
    assert_false(route_via_ipv6(0, 2));
    assert_int_equal(nodes_stop(0), 0);
}

/* The second node's peer; 10.244.9.0/26 goes out with a next hop inside of it. */
#define PEER_WITH_INNER_NEXT_HOP                                                                   \
    "\"peers\":[{\"name\":\"n1\",\"remote_addr\":\"10.0.0.1\",\"remote_as\":64512,"                \
    "\"import\":{\"ipv4\":{\"accept_by_default\":true}},"                                          \
    "\"export\":{\"ipv4\":{\"policies\":[0],\"accept_by_default\":true}}}],"                       \
    "\"policies\":[{\"name\":\"inner\",\"otherwise\":\"next-policy\",\"terms\":[{\"name\":\"9\","  \
    "\"matches\":[{\"kind\":\"prefix\",\"prefixes\":[{\"prefix\":\"10.244.9.0/26\","               \
    "\"length_min\":26,\"length_max\":26}]}],"                                                     \
    "\"actions\":[{\"kind\":\"set-next-hop\",\"address\":\"10.244.9.1\"}],"                        \
    "\"verdict\":\"accept\"}]}]"

/* RFC 4271 9.1.2.1: a next hop that only BGP routes lead to, the route itself or one that covers
 * it, is not reachable; a route of somebody else makes it so. */
static void test_C093_next_hop_through_bgp(void **state) {
    static const char originate[] =
        "{\"op\":\"originate\",\"routes\":[{\"prefix\":\"10.244.8.0/22\",\"source\":\"static\"},"
        "{\"prefix\":\"10.244.9.0/26\",\"source\":\"static\"}]}\n";
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(0, config_of(0, peer_with(0, ""), 1));
    start(1, config_of(1, PEER_WITH_INNER_NEXT_HOP, 2));
    WAIT_FOR(established, 0, 1);
    assert_true(nodes_ask(1, originate, "\"count\":2"));
    WAIT_FOR(was_sent, 0, 9);
    WAIT_FOR(fib_routes, 0, 3); /* its own, the other's, the one that covers the next hop */
    assert_false(has_route(0, 9));
    nodes_ip(0, "route", "add", "10.244.9.1/32", "via", "10.0.0.2", NULL);
    WAIT_FOR(has_route, 0, 9);
    WAIT_FOR(fib_routes, 0, 4);
    nodes_ip(0, "route", "del", "10.244.9.1/32", NULL);
    WAIT_FOR(fib_routes, 0, 3);
    assert_false(has_route(0, 9));
    assert_true(was_sent(0, 9) && established(0, 1));
    stop_both();
}

/* ---- a reset ---- */

/* Who resets a session says so before it calls again: the neighbour would refuse a call that comes
 * while it thinks that the session is up, or with graceful restart take it for that of a speaker
 * that was started again (RFC 4724 4.2), and never hear of the hard reset. */
static void test_C056_reset_is_said_before_the_call(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(0, config_of(0, UNSIGNED("2", "\"passive\":true,\"graceful_restart\":\"full\","), 1));
    start(1, config_of(1, UNSIGNED("1", "\"graceful_restart\":\"full\","), 2));
    WAIT_FOR(established, 0, 1);
    WAIT_FOR(established, 1, 1);
    assert_true(nodes_ask(1, "{\"op\":\"clear\",\"how\":\"hard\"}\n", "\"ok\":true"));
    WAIT_FOR(dropped, 0, 1);
    WAIT_FOR(established, 0, 1);
    WAIT_FOR(established, 1, 1);
    assert_true(nodes_ask(0, "{\"op\":\"peers\"}\n", "\"last_reason\":\"notification_received\""));
    stop_both();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_listener_that_cannot_move, nodes_kill_all),
        cmocka_unit_test_teardown(test_C202_listener_moves, nodes_kill_all),
        cmocka_unit_test_teardown(test_C202_key_changed_live, nodes_kill_all),
        cmocka_unit_test_teardown(test_C202_key_set_before_the_call_is_taken, nodes_kill_all),
        cmocka_unit_test_teardown(test_C202_key_set_while_calling, nodes_kill_all),
        cmocka_unit_test_teardown(test_listen_range_with_key, nodes_kill_all),
        cmocka_unit_test_teardown(test_C136_ipv4_by_way_of_ipv6, nodes_kill_all),
        cmocka_unit_test_teardown(test_C093_next_hop_through_bgp, nodes_kill_all),
        cmocka_unit_test_teardown(test_C056_reset_is_said_before_the_call, nodes_kill_all),
    };
    return cmocka_run_group_tests_name("neighbors", tests, lab_up, nodes_group_down);
}
