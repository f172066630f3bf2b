/*
 * A speaker as its users have it: the configurations of the manual in two namespaces, asked by
 * `ctl`. This program is the speaker and ctl as well: with arguments it runs what main.c runs.
 *
 * Node 0 is east (192.0.2.1), node 1 west (192.0.2.2); both have files and sockets in one folder.
 */
#include "../base/text.h"
#include "ctl.h"
#include "host.h"
#include "loop.h"
#include "nodes_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY 65534

enum { EAST, WEST };

static bool forbidden;
static char folder[] = "/tmp/ctl_test.XXXXXX", self[512];
static pid_t pids[2];

static char *word(const char *s) {
    return (char *)(uintptr_t)s;
}

static const char *path_of(int node, const char *what) {
    static char paths[4][96];
    static unsigned at;
    char *out = paths[at++ % 4];
    snprintf(out, sizeof paths[0], "%s/%s.%s", folder, node == EAST ? "east" : "west", what);
    return out;
}

/* ---- the lab ---- */

static void write_file(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void read_file(const char *path, char *out, size_t size) {
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    out[fread(out, 1, size - 1, f)] = '\0';
    fclose(f);
}

/* An example of the tree, with something in it replaced. */
static void copy_example(int node, const char *old, const char *new) {
    static char text[8192], changed[8192];
    char from[64];
    snprintf(from, sizeof from, "speaker/examples/%s.conf", node == EAST ? "east" : "west");
    read_file(from, text, sizeof text);
    const char *at = strstr(text, old);
    if (!at)
        fail_msg("%s has no %s", from, old);
    snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    write_file(path_of(node, "conf"), changed);
}

static int set_up(void **state) {
    (void)state;
    forbidden = !nodes_up(2);
    if (forbidden)
        return 0;
    memcpy(strchr(folder, '.'), ".XXXXXX", 7);
    if (!mkdtemp(folder) || chmod(folder, 0777) != 0)
        return -1;
    nodes_ip(EAST, "addr", "add", "192.0.2.1/24", "dev", "v0", NULL);
    nodes_ip(WEST, "addr", "add", "192.0.2.2/24", "dev", "v0", NULL);
    copy_example(EAST, "\"connect_retry_s\": 5", "\"connect_retry_s\": 1");
    copy_example(WEST, "AS 65002", "AS 65002");
    return 0;
}

static void kill_node(int node) {
    if (pids[node] > 0) {
        kill(pids[node], SIGKILL);
        waitpid(pids[node], NULL, 0);
    }
    pids[node] = 0;
}

static int tear_down(void **state) {
    static const char *const names[] = {"conf", "sock", "log", "old"};
    (void)state;
    if (forbidden)
        return 0;
    for (int node = 0; node < 2; node++) {
        kill_node(node);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            unlink(path_of(node, names[i]));
    }
    rmdir(folder);
    nodes_down();
    return 0;
}

static void start(int node) {
    char *argv[] = {self,
                    word("--config"),
                    word(path_of(node, "conf")),
                    word("--control"),
                    word(path_of(node, "sock")),
                    word("--log"),
                    word(path_of(node, "log")),
                    NULL};
    pids[node] = nodes_spawn(node, argv, STDERR_FILENO);
}

static int exit_status(int node) {
    int status = -1;
    assert_int_equal(waitpid(pids[node], &status, 0), pids[node]);
    pids[node] = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- asking ---- */

/* Words separated by blanks. The exit status; what was said is in ret_said. */
static int ctl(int node, const char *words, struct text *ret_said) {
    char copy[256], *rest = copy;
    char *argv[12] = {self, word("ctl"), word("-s"), word(path_of(node, "sock"))};
    int argc = 4;
    snprintf(copy, sizeof copy, "%s", words);
    while (argc < 11 && (argv[argc] = strsep(&rest, " ")))
        argc++;
    text_clear(ret_said);
    return nodes_capture(node, argv, ret_said);
}

static bool says(int node, const char *words, const char *expected) {
    struct text said;
    text_init(&said);
    bool ok = ctl(node, words, &said) == CTL_EXIT_OK && strstr(text_str(&said), expected);
    text_deinit(&said);
    return ok;
}

static void wait_until(int node, const char *words, const char *expected, bool said_so) {
    struct nanotime end = nanotime_add_ms(loop_now(), NODES_DEADLINE_MS);
    while (says(node, words, expected) != said_so) {
        struct text said;
        if (nanotime_before(loop_now(), end)) {
            poll(NULL, 0, NODES_SLICE_MS);
            continue;
        }
        text_init(&said);
        ctl(node, words, &said);
        fail_msg("%s: %s \"%s\" in\n%s", words, said_so ? "no" : "still", expected,
                 text_str(&said));
    }
}

static void wait_says(int node, const char *words, const char *expected) {
    wait_until(node, words, expected, true);
}

static void expect_status(int node, const char *words, int status) {
    struct text said;
    text_init(&said);
    int got = ctl(node, words, &said);
    if (got != status)
        fail_msg("%s: exit status %d, expected %d:\n%s", words, got, status, text_str(&said));
    text_deinit(&said);
}

static bool skipped(void) {
    if (forbidden)
        print_message("skipped: the kernel forbids network namespaces\n");
    return forbidden;
}

static void start_both(void) {
    start(WEST);
    wait_says(WEST, "neighbors", "NEIGHBOR");
    start(EAST);
    wait_says(EAST, "neighbors", "Established");
}

/* ---- tests ---- */

static void test_the_manuals_example(void **state) {
    (void)state;
    if (skipped())
        skip();
    start_both();
    wait_says(WEST, "routes", "* 203.0.113.0/24      192.0.2.1       dyn_192.0.2.1");
    wait_says(WEST, "routes -4", "  65001 ?\n");
    wait_says(WEST, "routes 203.0.113.9", "communities         65001:100\n");
    wait_says(WEST, "adj-in dyn_192.0.2.1", "50  65001 i\n");
    wait_says(EAST, "routes", "* 10.2.0.0/16         192.0.2.2       west");
    wait_says(EAST, "adj-out west", "198.51.100.0/25     192.0.2.1");
    wait_says(EAST, "neighbors west", "families              ipv4\n");
    wait_says(EAST, "policy export west 203.0.113.0/24", "own routes: marked: accept\n");
    wait_says(EAST, "policy export west 10.2.0.0/16", "not sent");
    wait_says(EAST, "fib", "10.2.0.0/16         192.0.2.2       v0");
    wait_says(EAST, "--json neighbors west", "\"state\":\"Established\"");
    wait_says(EAST, "counters", "established_count     1\n");
}

/* Two paths for one prefix: the longer one says at which step it lost. */
static void test_why_a_path_is_best(void **state) {
    (void)state;
    if (skipped())
        skip();
    start_both();
    expect_status(WEST, "announce 203.0.113.0/24 med 9 origin egp", CTL_EXIT_OK);
    wait_says(WEST, "explain 203.0.113.0/24", "  from static: best\n");
    wait_says(WEST, "explain 203.0.113.0/24", "from dyn_192.0.2.1: lost at: local route\n");
    expect_status(WEST, "withdraw 203.0.113.0/24", CTL_EXIT_OK);
    wait_says(WEST, "explain 203.0.113.77", "  from dyn_192.0.2.1: best\n");
    expect_status(WEST, "withdraw 203.0.113.0/24", CTL_EXIT_REFUSED);
    expect_status(WEST, "explain 172.16.0.0/12", CTL_EXIT_REFUSED);
}

/* Every attribute a test peer may want, as the neighbour sees it. */
static void test_announce_attributes(void **state) {
    static const char *const words[][2] = {
        {"next-hop 192.0.2.99", "\"next_hop\":\"192.0.2.99\""},
        {"as-path 65010,{65011,65012},4200000000", "65010 {65011,65012} 4200000000\""},
        {"communities 65001:1,65535:65284", "\"communities\":[\"65001:1\",\""},
        {"large-communities 65001:1:2", "\"large_communities\":[\"65001:1:2\"]"},
        {"ext-communities 0002fde900000064", "\"ext_communities\":[\"0002fde900000064\"]"},
        {"aggregator 65001:192.0.2.7", "\"aggregator\":\"65001:192.0.2.7\""},
        {"atomic-aggregate yes", "\"atomic_aggregate\":true"},
        {"unknown 99:c0:0102ff", "\"data\":\"0102ff\""},
    };
    (void)state;
    if (skipped())
        skip();
    start_both();
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char line[160], prefix[32];
        snprintf(prefix, sizeof prefix, "198.51.%zu.0/24", i);
        snprintf(line, sizeof line, "announce %s %s", prefix, words[i][0]);
        expect_status(WEST, line, CTL_EXIT_OK);
        snprintf(line, sizeof line, "--json explain %s", prefix);
        wait_says(EAST, line, words[i][1]);
    }
    expect_status(WEST, "announce 10.9.0.0/16 local-pref 7 originator-id 192.0.2.9", CTL_EXIT_OK);
    wait_says(WEST, "--json explain 10.9.0.0/16", "\"local_pref\":7");
    expect_status(WEST, "announce 10.9.0.0/16 unknown 3:40:c0000201", CTL_EXIT_REFUSED);
    expect_status(WEST, "announce 10.9.0.0/16 unknown 99:c0:0", CTL_EXIT_USAGE);
    expect_status(WEST, "announce 10.9.0.0/16 as-path 65010,{65011", CTL_EXIT_USAGE);
    expect_status(WEST, "announce 10.9.0.0/16 communities 65010:70000", CTL_EXIT_USAGE);
    expect_status(WEST, "announce 10.9.0.0/16 aggregator 192.0.2.1", CTL_EXIT_USAGE);
}

static void test_clear_and_stop(void **state) {
    struct stat st;
    (void)state;
    if (skipped())
        skip();
    start_both();
    assert_int_equal(stat(path_of(EAST, "sock"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    expect_status(EAST, "clear west soft-in", CTL_EXIT_OK);
    expect_status(EAST, "clear west soft-out", CTL_EXIT_OK);
    expect_status(EAST, "clear nobody", CTL_EXIT_REFUSED);
    expect_status(EAST, "clear west", CTL_EXIT_OK);
    wait_says(EAST, "counters", "dropped_count         1\n");
    expect_status(WEST, "stop moving", CTL_EXIT_OK);
    assert_int_equal(exit_status(WEST), HOST_EXIT_OK);
    expect_status(WEST, "neighbors", CTL_EXIT_UNABLE);
    assert_int_equal(stat(path_of(WEST, "sock"), &st), -1);
    assert_int_equal(kill(pids[EAST], SIGTERM), 0);
    assert_int_equal(exit_status(EAST), HOST_EXIT_OK);
}

static void test_usage(void **state) {
    (void)state;
    if (skipped())
        skip();
    start(EAST);
    wait_says(EAST, "neighbors", "west");
    expect_status(EAST, "neighbours", CTL_EXIT_USAGE);
    expect_status(EAST, "explain", CTL_EXIT_USAGE);
    expect_status(EAST, "routes 10.0.0.300", CTL_EXIT_USAGE);
    expect_status(EAST, "announce 10.9.0.0/16 med", CTL_EXIT_USAGE);
    expect_status(EAST, "announce 10.9.0.0/16 med x", CTL_EXIT_USAGE);
    expect_status(EAST, "adj-in nobody", CTL_EXIT_REFUSED);
    expect_status(EAST, "help", CTL_EXIT_OK);
}

/* A change is taken over and leaves the session alone; a wrong one changes nothing and is named. */
static void test_reload(void **state) {
    char log[8192];
    struct text said;
    (void)state;
    if (skipped())
        skip();
    start_both();
    copy_example(WEST, "\"10.2.0.0/16\"", "\"10.3.0.0/16\"");
    assert_int_equal(rename(path_of(WEST, "log"), path_of(WEST, "old")), 0);
    assert_int_equal(kill(pids[WEST], SIGHUP), 0);
    wait_says(EAST, "routes", "10.3.0.0/16");
    read_file(path_of(WEST, "log"), log, sizeof log);
    assert_non_null(strstr(log, "reloaded"));
    copy_example(WEST, "\"10.2.0.0/16\"", "\"10.2.0.1/16\"");
    text_init(&said);
    assert_int_equal(ctl(WEST, "reload", &said), CTL_EXIT_REFUSED);
    assert_int_equal(ctl(WEST, "--json reload", &said), CTL_EXIT_REFUSED);
    assert_non_null(strstr(text_str(&said), "host bits are set"));
    assert_non_null(strstr(text_str(&said), "\"line\":9,\"column\":15"));
    text_deinit(&said);
    wait_says(WEST, "routes", "10.3.0.0/16");
    copy_example(WEST, "\"10.2.0.0/16\", ", "");
    expect_status(WEST, "reload", CTL_EXIT_OK);
    wait_until(EAST, "routes", "10.3.0.0/16", false);
    wait_says(EAST, "routes -4", "203.0.113.0/24");
    wait_says(WEST, "counters", "dropped_count         0\n");
}

/* An ordinary user: a high port, no kernel routes; and a socket that serves nobody else. */
static void test_without_privilege(void **state) {
    (void)state;
    if (skipped())
        skip();
    if (geteuid() != 0) {
        print_message("skipped: only root can become somebody else\n");
        skip();
    }
    for (int node = 0; node < 2; node++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{\"local_as\": 65000, \"router_id\": \"192.0.2.%d\", \"listen_port\": 1790,\n"
                 " \"listen_addr4\": \"192.0.2.%d\", \"fib\": {\"install\": false},\n"
                 " \"peers\": [{\"remote_addr\": \"192.0.2.%d\", \"remote_port\": 1790,\n"
                 "  \"remote_as\": 65000, \"connect_retry_s\": 1, \"local_addr\": \"192.0.2.%d\"}],"
                 " \"origins\": [\"10.%d.0.0/16\"]}\n",
                 node + 1, node + 1, 2 - node, node + 1, node + 1);
        write_file(path_of(node, "conf"), text);
    }
    setenv("CTL_TEST_USER", "nobody", 1);
    start(EAST);
    start(WEST);
    unsetenv("CTL_TEST_USER");
    wait_says(EAST, "neighbors", "Established");
    wait_says(EAST, "routes", "10.2.0.0/16");
    wait_says(WEST, "routes", "10.1.0.0/16");
    assert_int_equal(kill(pids[EAST], SIGTERM), 0);
    assert_int_equal(exit_status(EAST), HOST_EXIT_OK);
}

/* ---- the programs ---- */

static int run_speaker(int argc, char *const argv[]) {
    struct host_options options;
    struct text error;
    text_init(&error);
    if (getenv("CTL_TEST_USER") && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        return 99;
    return options_parse(&options, argc, argv, &error) ? host_run(&options) : HOST_EXIT_USAGE;
}

int main(int argc, char *argv[]) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_the_manuals_example),
        TEST(test_why_a_path_is_best),
        TEST(test_announce_attributes),
        TEST(test_clear_and_stop),
        TEST(test_usage),
        TEST(test_reload),
        TEST(test_without_privilege),
    };
    if (argc > 1) { /* no leak check: it would be the exit status */
        int status =
            strcmp(argv[1], "ctl") == 0 ? ctl_main(argc - 1, argv + 1) : run_speaker(argc, argv);
        fflush(NULL);
        _exit(status);
    }
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0)
        return 1;
    self[size] = '\0';
    return cmocka_run_group_tests(tests, NULL, NULL);
}
