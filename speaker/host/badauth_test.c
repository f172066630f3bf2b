/*
 * Two routers whose passwords differ: each logs the other's calls, as IOS does; once they agree the
 * session comes up and nothing more is logged. And packets that lie about their lengths.
 */
#include "badauth.h"

#include "../base/text.h"
#include "nodes_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NODES 2

static int lab_up(void **state) {
    (void)state;
    return nodes_group_up(NODES);
}

static void start(int node, const char *password) {
    char config[512];
    snprintf(config, sizeof config,
             "router bgp 64512\n bgp router-id 10.0.0.%d\n neighbor 10.0.0.%d remote-as 64512\n"
             "%s%s\n",
             node + 1, 2 - node, *password ? " neighbor 10.0.0." : "", password);
    nodes_start(node, config, "--ios-fd");
}

static const char *wanted[NODES];

static bool logged(int node, uint64_t value) {
    struct text answer;
    (void)value;
    text_init(&answer);
    nodes_request(node, "{\"op\":\"exec\",\"command\":\"show logging\"}\n", &answer);
    const char *at = strstr(text_str(&answer), wanted[node]);
    bool found = at && strstr(at, "(179) tableid - 0");
    text_deinit(&answer);
    return found;
}

static void test_both_ends_log_a_wrong_password(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(0, "2 password one");
    start(1, "1 password two");
    wanted[0] = "%TCP-6-BADAUTH: Invalid MD5 digest from 10.0.0.2(";
    wanted[1] = "%TCP-6-BADAUTH: Invalid MD5 digest from 10.0.0.1(";
    WAIT_FOR(logged, 0, 0);
    WAIT_FOR(logged, 1, 0);
    assert_true(nodes_ask(
        0,
        "{\"op\":\"ios-lines\",\"lines\":\"do clear logging\\nrouter bgp 64512\\n neighbor "
        "10.0.0.2 password two\"}\n",
        "\"ok\":true"));
    WAIT_FOR(established, 0, 1);
    assert_false(logged(0, 0));
    assert_int_equal(nodes_stop(0), 0);
    assert_int_equal(nodes_stop(1), 0);
}

static void test_missing_password_is_told_apart(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start(0, "2 password one");
    start(1, "");
    wanted[0] = "%TCP-6-BADAUTH: No MD5 digest from 10.0.0.2(";
    WAIT_FOR(logged, 0, 0);
    assert_int_equal(nodes_stop(0), 0);
    assert_int_equal(nodes_stop(1), 0);
}

/* ---- another port ---- */

static char log_path[] = "/tmp/badauth_test.XXXXXX";

static const char *moved(int node, unsigned port, const char *password) {
    static char text[NODES][512];
    snprintf(text[node], sizeof text[node],
             "{\"profile\":\"plain\",\"hostname\":\"n%d\",\"local_as\":64512,"
             "\"router_id\":\"10.0.0.%d\",\"listen_port\":%u,\"peers\":[{\"name\":\"other\","
             "\"remote_addr\":\"10.0.0.%d\",\"remote_as\":64512,\"remote_port\":1790,"
             "\"passive\":%s,\"password\":\"%s\"}]}",
             node + 1, node + 1, port, 2 - node, node == 0 ? "true" : "false", password);
    return text[node];
}

static bool written(int node, uint64_t value) {
    char log[4096];
    FILE *f = fopen(log_path, "r");
    (void)node;
    (void)value;
    assert_non_null(f);
    log[fread(log, 1, sizeof log - 1, f)] = '\0';
    fclose(f);
    return strstr(log, " bad_signature other addr=10.0.0.2 ") != NULL;
}

/* Where it listens, also when that changes, calls are watched. */
static void test_listening_elsewhere(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    char option[] = "--log", *more[] = {option, log_path, NULL};
    int fd = mkstemp(log_path);
    struct text request;
    assert_true(fd >= 0);
    close(fd);
    nodes_start_with(0, moved(0, 179, "one"), "--config-fd", more);
    WAIT_FOR(running, 0, SCOREBOARD_RUNNING);
    text_init(&request);
    text_printf(&request, "{\"op\":\"configure\",\"config\":%s}\n", moved(0, 1790, "one"));
    assert_true(nodes_ask(0, text_str(&request), "\"ok\":true"));
    text_deinit(&request);
    nodes_start(1, moved(1, 1790, "two"), "--config-fd");
    WAIT_FOR(written, 0, 0);
    unlink(log_path);
}

/* ---- packets ---- */

/* A SYN with a signature, as it stands on the wire. */
static const uint8_t SYN[] = {0x45, 0,  0,    60, 0,    0,    0x40, 0, 1,    6, 0, 0, 10, 0,  0,
                              1,    10, 0,    0,  2,    0x9c, 0x40, 0, 0xb3, 0, 0, 0, 1,  0,  0,
                              0,    0,  0xa0, 2,  0xff, 0xff, 0,    0, 0,    0, 1, 1, 19, 18, 0,
                              0,    0,  0,    0,  0,    0,    0,    0, 0,    0, 0, 0, 0,  0,  0};

static void test_lengths_are_not_believed(void **state) {
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        bool read;
        enum badauth_verdict verdict;
    } ROWS[] = {
        {0, 0x45, true, BADAUTH_INVALID},  /* as it is */
        {0, 0x4f, false, BADAUTH_OTHER},   /* the IP header fills the packet */
        {0, 0x44, false, BADAUTH_OTHER},   /* … or is too short */
        {3, 61, false, BADAUTH_OTHER},     /* longer than what came */
        {3, 39, false, BADAUTH_OTHER},     /* no room for TCP */
        {6, 0x20, false, BADAUTH_OTHER},   /* a fragment */
        {9, 17, false, BADAUTH_OTHER},     /* UDP */
        {32, 0xf0, false, BADAUTH_OTHER},  /* the TCP header exceeds the packet */
        {32, 0x40, false, BADAUTH_OTHER},  /* … or is too short */
        {33, 0x12, false, BADAUTH_OTHER},  /* SYN and ACK */
        {32, 0x50, true, BADAUTH_MISSING}, /* no options */
        {43, 19, true, BADAUTH_MISSING},   /* the option exceeds the header */
        {43, 0, true, BADAUTH_MISSING},    /* an option of no length */
        {42, 2, true, BADAUTH_MISSING},    /* another option */
        {40, 0, true, BADAUTH_MISSING},    /* the end of options */
    };
    static const struct bgp_password x = {1, {'x'}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        uint8_t packet[sizeof SYN];
        struct badauth_call c;
        memcpy(packet, SYN, sizeof packet);
        packet[ROWS[i].at] = ROWS[i].value;
        if (badauth_read(packet, sizeof packet, &c) != ROWS[i].read)
            fail_msg("row %zu", i);
        if (ROWS[i].read && badauth_judge(&c, &x) != ROWS[i].verdict)
            fail_msg("row %zu: %d", i, (int)badauth_judge(&c, &x));
    }
    struct badauth_call c;
    for (size_t size = 0; size < sizeof SYN; size++)
        assert_false(badauth_read(SYN, size, &c));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_both_ends_log_a_wrong_password, nodes_kill_all),
        cmocka_unit_test_teardown(test_missing_password_is_told_apart, nodes_kill_all),
        cmocka_unit_test_teardown(test_listening_elsewhere, nodes_kill_all),
        cmocka_unit_test(test_lengths_are_not_believed),
    };
    return cmocka_run_group_tests(tests, lab_up, nodes_group_down);
}
