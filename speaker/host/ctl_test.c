/*
 * A speaker as its users have it: the configurations of the manual in two namespaces, asked by
 * `ctl`. This program is the speaker and ctl as well: with arguments it runs what main.c runs.
 *
 * Node 0 is east (192.0.2.1), node 1 west (192.0.2.2); both have files and sockets in one folder.
 */
#include "../base/standard_fds.h"
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
    static char paths[8][96];
    static unsigned at;
    char *out = paths[at++ % 8];
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
    static const char *const names[] = {"conf", "sock", "log", "old", "mrt", "mrt.old"};
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
                    word("--mrt"),
                    word(path_of(node, "mrt")),
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
    char copy[2048], *rest = copy;
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

static void wait_logged(int node, const char *expected) {
    struct nanotime end = nanotime_add_ms(loop_now(), NODES_DEADLINE_MS);
    char log[8192] = "";
    read_file(path_of(node, "log"), log, sizeof log);
    while (!strstr(log, expected) && nanotime_before(loop_now(), end)) {
        poll(NULL, 0, NODES_SLICE_MS);
        read_file(path_of(node, "log"), log, sizeof log);
    }
    if (!strstr(log, expected))
        fail_msg("no \"%s\" in %s", expected, log);
}

/* One that does not come up: its exit status, and what it says. */
static int start_in_vain(int node, const char *socket, struct text *ret_said) {
    char *argv[] = {
        self, word("--config"), word(path_of(node, "conf")), word("--control"), word(socket), NULL};
    return nodes_capture(node, argv, ret_said);
}

static void expect_answer(int node, const char *words, int status, const char *part) {
    struct text said;
    text_init(&said);
    int got = ctl(node, words, &said);
    if (got != status || !strstr(text_str(&said), part))
        fail_msg("%s: exit status %d, expected %d and \"%s\":\n%s", words, got, status, part,
                 text_str(&said));
    text_deinit(&said);
}

static void expect_status(int node, const char *words, int status) {
    expect_answer(node, words, status, "");
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
    wait_says(EAST, "--json neighbors west", "\"import_outdated\":false");
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
        {"communities gshut,65001:1", "\"communities\":[\"65001:1\",\"gshut\"]"},
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
    expect_status(WEST, "announce 10.8.0.0/16 next-hop 127.0.0.1", CTL_EXIT_OK);
    wait_logged(EAST, "malformed_update west attribute=3 outcome=withdraw addr=192.0.2.2\n");
    expect_status(WEST, "announce 10.9.0.0/16 local-pref 7 originator-id 192.0.2.9", CTL_EXIT_OK);
    wait_says(WEST, "--json explain 10.9.0.0/16", "\"local_pref\":7");
    expect_status(WEST, "announce 10.9.0.0/16 unknown 3:40:c0000201", CTL_EXIT_REFUSED);
    expect_status(WEST, "announce 10.9.0.0/16 unknown 99:c0:0", CTL_EXIT_USAGE);
    expect_status(WEST, "announce 10.9.0.0/16 as-path 65010,{65011", CTL_EXIT_USAGE);
    expect_status(WEST, "announce 10.9.0.0/16 communities 65010:70000", CTL_EXIT_USAGE);
    expect_status(WEST, "announce 10.9.0.0/16 aggregator 192.0.2.1", CTL_EXIT_USAGE);
}

/* A mistyped word, one without its value, a value that cannot be: each is told from the others. */
static void test_announce_mistakes(void **state) {
    static const char sets[] = "{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}";
    char line[1200] = "announce 10.9.0.0/16 as-path ";
    (void)state;
    if (skipped())
        skip();
    start(EAST);
    wait_says(EAST, "neighbors", "west");
    expect_answer(EAST, "announce 10.9.0.0/16 comunities 1:2", CTL_EXIT_USAGE,
                  "no attribute \"comunities\" (did you mean \"communities\"?)");
    expect_answer(EAST, "announce 10.9.0.0/16 communities 1:2 med", CTL_EXIT_USAGE,
                  "no value for \"med\"");
    expect_answer(EAST, "announce 10.9.0.0/16 communities 65010:70000", CTL_EXIT_USAGE,
                  "communities cannot be \"65010:70000\"");
    /* More segments than there is room for. */
    size_t at = strlen(line);
    while (at + sizeof sets <= sizeof line) {
        memcpy(line + at, sets, sizeof sets);
        at += sizeof sets - 1;
    }
    expect_answer(EAST, line, CTL_EXIT_USAGE, "as-path cannot be \"{}{}");
}

static void test_clear_and_stop(void **state) {
    struct stat st;
    int status = -1;
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
    assert_int_equal(waitpid(pids[WEST], &status, WNOHANG), pids[WEST]); /* it has ended */
    pids[WEST] = 0;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == HOST_EXIT_OK);
    expect_status(WEST, "neighbors", CTL_EXIT_UNABLE);
    assert_int_equal(stat(path_of(WEST, "sock"), &st), -1);
    assert_int_equal(kill(pids[EAST], SIGTERM), 0);
    assert_int_equal(exit_status(EAST), HOST_EXIT_OK);
}

/* A script may ask before the speaker listens, and need not ask twice. */
static void test_wait(void **state) {
    char *argv[] = {self,         word("ctl"),         word("-s"), word(path_of(EAST, "sock")),
                    word("wait"), word("established"), NULL};
    int status = -1;
    (void)state;
    if (skipped())
        skip();
    pid_t waiting = nodes_spawn(EAST, argv, STDERR_FILENO);
    start_both();
    assert_int_equal(waitpid(waiting, &status, 0), waiting);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == CTL_EXIT_OK);
    expect_status(WEST, "wait established dyn_192.0.2.1", CTL_EXIT_OK);
    expect_status(WEST, "wait route 203.0.113.0/24 from dyn_192.0.2.1", CTL_EXIT_OK);
    expect_status(EAST, "wait route 203.0.113.0/24 to west", CTL_EXIT_OK);
    expect_status(EAST, "withdraw 203.0.113.0/24", CTL_EXIT_OK);
    expect_status(WEST, "wait no-route 203.0.113.0/24", CTL_EXIT_OK);
    expect_answer(EAST, "-t 1 wait route 203.0.113.0/24", CTL_EXIT_REFUSED,
                  "the time is over: no route for 203.0.113.0/24\n");
    expect_answer(EAST, "-t 1 wait down west", CTL_EXIT_REFUSED, "west is in state Established\n");
    expect_answer(EAST, "-t 1 wait established nobody", CTL_EXIT_REFUSED, "no such peer\n");
    expect_answer(EAST, "wait established a b", CTL_EXIT_USAGE, "at most one neighbor");
    assert_int_equal(kill(pids[WEST], SIGTERM), 0);
    expect_status(EAST, "wait down west", CTL_EXIT_OK);
}

/* What was wrong with the other side's OPEN; what a hard reset (RFC 8538) is about. */
static void test_why_a_session_ended(void **state) {
    (void)state;
    if (skipped())
        skip();
    copy_example(EAST, "\"remote_as\": 65002", "\"remote_as\": 65003");
    start(WEST);
    expect_status(WEST, "wait no-route 192.0.2.0/24", CTL_EXIT_OK);
    start(EAST);
    expect_status(EAST, "wait down west", CTL_EXIT_OK);
    wait_logged(EAST, "notification_sent west code=2 subcode=2 OPEN Message Error/Bad Peer AS "
                      "open_as=65002 open_id=192.0.2.2 open_hold=90\n");
    copy_example(EAST, "\"remote_as\": 65002", "\"remote_as\": 65002, \"prefix_max\": 1");
    expect_status(EAST, "reload", CTL_EXIT_OK);
    wait_logged(EAST, "notification_sent west code=6 subcode=9 Cease/Hard Reset "
                      "inside=Cease/Maximum Number of Prefixes Reached\n");
    wait_says(EAST, "neighbors", "  prefix limit exceeded\n");
    wait_says(EAST, "neighbors west", "prefix_limit_down     yes\n");
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
    expect_status(EAST, "announce 10.9.0/16", CTL_EXIT_USAGE);
    expect_status(EAST, "withdraw ten", CTL_EXIT_USAGE);
    expect_status(EAST, "adj-in nobody", CTL_EXIT_REFUSED);
    expect_status(EAST, "adj-out west 10.9.0.0/16", CTL_EXIT_REFUSED);
    expect_status(EAST, "adj-out west ten", CTL_EXIT_USAGE);
    expect_status(EAST, "policy in west 10.9.0.0/16", CTL_EXIT_USAGE);
    expect_status(EAST, "policy import west ten", CTL_EXIT_USAGE);
    expect_status(EAST, "-t soon neighbors", CTL_EXIT_USAGE);
    expect_status(EAST, "help", CTL_EXIT_OK);
    wait_says(EAST, "adj-in --help", "usage: ribcage-speaker ctl adj-in NAME [PREFIX]\n");
    wait_says(EAST, "neighbors --json", "{\"peers\":[{\"name\":\"west\"");
    wait_says(EAST, "neighbors 192.0.2.2", "name                  west\n");
    wait_says(EAST, "status", "local_as              65001\n");
    wait_says(EAST, "malformed", "NEIGHBOR            ATTRIBUTE");
}

/* What cannot be printed was not given. */
static void test_output_full(void **state) {
    char *argv[] = {self,           word("ctl"), word("-s"), word(path_of(EAST, "sock")),
                    word("routes"), NULL};
    int status, full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    (void)state;
    if (skipped())
        skip();
    start(EAST);
    wait_says(EAST, "neighbors", "west");
    assert_true(full >= 0);
    pid_t pid = nodes_spawn(EAST, argv, full);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == CTL_EXIT_UNABLE);
    close(full);
}

/* One that takes connections and says nothing. */
static void test_stuck_speaker(void **state) {
    struct text said;
    (void)state;
    if (skipped())
        skip();
    start(EAST);
    wait_says(EAST, "neighbors", "west");
    text_init(&said);
    assert_int_equal(kill(pids[EAST], SIGSTOP), 0);
    assert_int_equal(ctl(EAST, "-t 1 neighbors", &said), CTL_EXIT_UNABLE);
    assert_non_null(strstr(text_str(&said), "does not answer: it is stuck or busy"));
    assert_int_equal(kill(pids[EAST], SIGCONT), 0);
    text_deinit(&said);
    wait_says(EAST, "-t 0 neighbors", "west");
}

static void test_second_instance(void **state) {
    struct text said;
    struct stat st;
    (void)state;
    if (skipped())
        skip();
    start(EAST);
    wait_says(EAST, "neighbors", "west");
    text_init(&said);
    assert_int_equal(start_in_vain(EAST, path_of(EAST, "sock"), &said), HOST_EXIT_UNABLE);
    assert_non_null(strstr(text_str(&said), "a running speaker has it"));
    assert_int_equal(start_in_vain(EAST, path_of(WEST, "sock"), &said), HOST_EXIT_UNABLE);
    assert_non_null(strstr(text_str(&said), "port 179: Address already in use"));
    assert_int_equal(stat(path_of(WEST, "sock"), &st), -1);
    assert_int_equal(start_in_vain(EAST, folder, &said), HOST_EXIT_UNABLE);
    assert_non_null(strstr(text_str(&said), "something that is no socket is there"));
    text_deinit(&said);
    wait_says(EAST, "neighbors", "west");
    kill_node(EAST); /* leaves its socket behind */
    assert_int_equal(stat(path_of(EAST, "sock"), &st), 0);
    expect_status(EAST, "neighbors", CTL_EXIT_UNABLE);
    start(EAST);
    wait_says(EAST, "neighbors", "west");
}

/* Standard error that nobody reads holds up nothing, and what it had no room for comes later. */
static void test_blocked_standard_error(void **state) {
    static char filling[65536];
    char *argv[] = {self,
                    word("--config"),
                    word(path_of(EAST, "conf")),
                    word("--control"),
                    word(path_of(EAST, "sock")),
                    NULL};
    int ends[2];
    struct text said;
    (void)state;
    if (skipped())
        skip();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
    memset(filling, '.', sizeof filling);
    assert_int_equal(write(ends[1], filling, 4096), 4096);
    pids[EAST] = nodes_spawn(EAST, argv, ends[1]);
    close(ends[1]);
    wait_says(EAST, "neighbors", "west");
    expect_status(EAST, "reload", CTL_EXIT_OK);
    text_init(&said);
    while (!strstr(text_str(&said), "reloaded")) {
        struct pollfd readable = {.fd = ends[0], .events = POLLIN};
        assert_int_equal(poll(&readable, 1, NODES_DEADLINE_MS), 1);
        ssize_t got = read(ends[0], filling, sizeof filling);
        assert_true(got > 0);
        text_put(&said, filling, (size_t)got);
    }
    assert_non_null(strstr(text_str(&said), " running - version="));
    text_deinit(&said);
    close(ends[0]);
    expect_status(EAST, "reload", CTL_EXIT_OK);
}

static void test_standard_descriptors(void **state) {
    int status;
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        for (int fd = 0; fd <= 2; fd++)
            close(fd);
        _exit(standard_fds_hold() && open("/", O_RDONLY | O_CLOEXEC) > 2 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Messages are written behind those that leave in the same turn. */
static void wait_filled(const char *path) {
    struct nanotime end = nanotime_add_ms(loop_now(), NODES_DEADLINE_MS);
    struct stat st = {0};
    while (stat(path, &st) == 0 && st.st_size == 0 && nanotime_before(loop_now(), end))
        poll(NULL, 0, NODES_SLICE_MS);
    assert_true(st.st_size > 0);
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
    assert_int_equal(rename(path_of(WEST, "mrt"), path_of(WEST, "mrt.old")), 0);
    assert_int_equal(kill(pids[WEST], SIGHUP), 0);
    wait_says(EAST, "routes", "10.3.0.0/16");
    read_file(path_of(WEST, "log"), log, sizeof log);
    assert_non_null(strstr(log, "reloaded"));
    wait_filled(path_of(WEST, "mrt")); /* with the UPDATE that east has by now */
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

/* RFC 8212 3: where nothing passes and there is no policy, the status says so, until there is one.
 */
static void test_C180_policy_missing(void **state) {
    (void)state;
    if (skipped())
        skip();
    copy_example(EAST, "\"import\": \"accept\", \"export\": [\"own routes\"]",
                 "\"families\": [\"ipv4\", \"ipv6\"], \"export\": {\"ipv4\": [\"own routes\"]}");
    start_both();
    wait_says(EAST, "neighbors", " 2  no import policy  no export policy\n");
    wait_says(EAST, "neighbors west", "\nimport_policy_missing ipv4 ipv6\n");
    wait_says(EAST, "neighbors west", "\nexport_policy_missing ipv6\n");
    wait_until(WEST, "neighbors", "policy", false);
    copy_example(EAST, "west", "west");
    expect_status(EAST, "reload", CTL_EXIT_OK);
    wait_until(EAST, "neighbors", "policy", false);
    wait_says(EAST, "--json neighbors west", "\"export_policy_missing\":[]");
}

/* In place of west's configuration and MRT file: what would be waited for, or has no end. */
static void put_fifo(const char *what) {
    unlink(path_of(WEST, what));
    assert_int_equal(mkfifo(path_of(WEST, what), 0600), 0);
}

static void put_huge(const char *what) {
    unlink(path_of(WEST, what));
    write_file(path_of(WEST, what), "{");
    assert_int_equal(truncate(path_of(WEST, what), (off_t)1 << 40), 0);
}

static void put_device(const char *what) {
    unlink(path_of(WEST, what));
    assert_int_equal(symlink("/dev/zero", path_of(WEST, what)), 0);
}

/* Refused at once, at the start and by `--check`, and by a speaker at work, which goes on. */
static void test_no_regular_file(void **state) {
    static const struct {
        void (*put)(const char *what);
        const char *why;
    } rows[] = {{put_fifo, "not a regular file"},
                {put_device, "not a regular file"},
                {put_huge, "larger than 64 MiB"}};
    struct text said;
    (void)state;
    if (skipped())
        skip();
    text_init(&said);
    start_both();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *check[] = {self, word("--check"), word("--config"), word(path_of(WEST, "conf")),
                         NULL};
        rows[i].put("conf");
        assert_int_equal(start_in_vain(WEST, path_of(WEST, "old"), &said), HOST_EXIT_CONFIG);
        assert_non_null(strstr(text_str(&said), rows[i].why));
        text_clear(&said);
        assert_int_equal(nodes_capture(WEST, check, &said), HOST_EXIT_CONFIG);
        assert_non_null(strstr(text_str(&said), rows[i].why));
        assert_int_equal(ctl(WEST, "--json reload", &said), CTL_EXIT_REFUSED);
        assert_non_null(strstr(text_str(&said), rows[i].why));
    }
    put_fifo("mrt");
    assert_int_equal(kill(pids[WEST], SIGHUP), 0);
    wait_says(WEST, "counters", "dropped_count         0\n");
    wait_says(WEST, "routes", "203.0.113.0/24");
    text_deinit(&said);
}

/* A router takes the lines it understands; the others are said, whoever asked for it. */
static void test_reload_of_a_router(void **state) {
    static const char text[] = "hostname rr1\nrouter bgp 65001\n bgp router-id 192.0.2.1\n"
                               " neighbor 192.0.2.2 remote-as 65002\n";
    char *argv[] = {self,
                    word("--ios"),
                    word(path_of(EAST, "conf")),
                    word("--control"),
                    word(path_of(EAST, "sock")),
                    word("--log"),
                    word(path_of(EAST, "log")),
                    NULL};
    char longer[512];
    struct text said;
    (void)state;
    if (skipped())
        skip();
    write_file(path_of(EAST, "conf"), text);
    pids[EAST] = nodes_spawn(EAST, argv, STDERR_FILENO);
    wait_says(EAST, "neighbors", "65002");
    snprintf(longer, sizeof longer, "%s neighbor 192.0.2.3 remote-as 65003\n nonsense\n", text);
    write_file(path_of(EAST, "conf"), longer);
    text_init(&said);
    assert_int_equal(ctl(EAST, "reload", &said), CTL_EXIT_OK);
    assert_non_null(strstr(text_str(&said), "conf:6:"));
    text_deinit(&said);
    wait_says(EAST, "neighbors", "65003");
    assert_int_equal(kill(pids[EAST], SIGHUP), 0);
    wait_logged(EAST, "conf:6:");
}

/* What cannot be opened again is said in what is still open. */
static void test_rotation_that_fails(void **state) {
    char log[8192] = "";
    struct nanotime end;
    (void)state;
    if (skipped())
        skip();
    start(WEST);
    wait_says(WEST, "neighbors", "NEIGHBOR");
    assert_int_equal(rename(path_of(WEST, "log"), path_of(WEST, "old")), 0);
    assert_int_equal(rename(path_of(WEST, "mrt"), path_of(WEST, "mrt.old")), 0);
    assert_int_equal(mkdir(path_of(WEST, "log"), 0700), 0);
    assert_int_equal(mkdir(path_of(WEST, "mrt"), 0700), 0);
    assert_int_equal(kill(pids[WEST], SIGHUP), 0);
    for (end = nanotime_add_ms(loop_now(), NODES_DEADLINE_MS);
         !strstr(log, " reloaded ") && nanotime_before(loop_now(), end);
         read_file(path_of(WEST, "old"), log, sizeof log))
        poll(NULL, 0, NODES_SLICE_MS);
    rmdir(path_of(WEST, "log"));
    rmdir(path_of(WEST, "mrt"));
    assert_non_null(strstr(log, " log_not_reopened - file="));
    assert_non_null(strstr(log, "west.mrt not opened again: Is a directory"));
}

/* Who owns the folder plants a link and a second name of a file; neither is written to. */
static void test_rotation_into_links(void **state) {
    char log[8192] = "";
    struct stat s[2];
    struct nanotime end;
    (void)state;
    if (skipped())
        skip();
    start(WEST);
    wait_says(WEST, "neighbors", "NEIGHBOR");
    assert_int_equal(rename(path_of(WEST, "log"), path_of(WEST, "old")), 0);
    assert_int_equal(rename(path_of(WEST, "mrt"), path_of(WEST, "mrt.old")), 0);
    write_file(path_of(EAST, "old"), "precious");
    write_file(path_of(EAST, "mrt.old"), "precious");
    assert_int_equal(symlink(path_of(EAST, "old"), path_of(WEST, "log")), 0);
    assert_int_equal(link(path_of(EAST, "mrt.old"), path_of(WEST, "mrt")), 0);
    assert_int_equal(kill(pids[WEST], SIGHUP), 0);
    for (end = nanotime_add_ms(loop_now(), NODES_DEADLINE_MS);
         !strstr(log, " reloaded ") && nanotime_before(loop_now(), end);
         read_file(path_of(WEST, "old"), log, sizeof log))
        poll(NULL, 0, NODES_SLICE_MS);
    assert_int_equal(kill(pids[WEST], SIGTERM), 0);
    assert_int_equal(exit_status(WEST), 0); /* all is written */
    assert_int_equal(stat(path_of(EAST, "old"), &s[0]), 0);
    assert_int_equal(stat(path_of(EAST, "mrt.old"), &s[1]), 0);
    assert_true(s[0].st_size == 8 && s[1].st_size == 8);
    assert_non_null(strstr(log, " log_not_reopened - file="));
    assert_non_null(strstr(log, "west.mrt not opened again: Too many links"));
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
        assert_int_equal(chmod(path_of(node, "conf"), 0644), 0);
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
        TEST(test_announce_mistakes),
        TEST(test_clear_and_stop),
        TEST(test_wait),
        TEST(test_why_a_session_ended),
        TEST(test_usage),
        TEST(test_output_full),
        TEST(test_stuck_speaker),
        TEST(test_second_instance),
        TEST(test_blocked_standard_error),
        cmocka_unit_test(test_standard_descriptors),
        TEST(test_C180_policy_missing),
        TEST(test_reload),
        TEST(test_no_regular_file),
        TEST(test_reload_of_a_router),
        TEST(test_rotation_that_fails),
        TEST(test_rotation_into_links),
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
