/*
 * What stands on the wire and on the machine of a real speaker: TTLs, keys of every length, a
 * system clock that jumps, and who may talk to the control socket.
 *
 * Packets are read by a socket of this test in the second node's namespace, which sees what the
 * first one sends. The clock that jumps is the speakers' own view of it: CLOCK_REALTIME is shifted
 * by a number both share with the test, as if somebody had set it.
 */
#include "../base/text.h"
#include "host.h"
#include "nodes_fixture.h"
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NODES 2
#define NOBODY 65534
#define DAY_S 86400

static _Atomic int64_t *wall_shift_s;

/* The speakers are forks of this program: it is this clock that they read. */
int clock_gettime(clockid_t id, struct timespec *t) {
    long result = syscall(SYS_clock_gettime, id, t);
    if (result == 0 && id == CLOCK_REALTIME && wall_shift_s)
        t->tv_sec += (time_t)atomic_load(wall_shift_s);
    return (int)result;
}

static int lab_up(void **state) {
    (void)state;
    void *shared =
        mmap(NULL, sizeof *wall_shift_s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    wall_shift_s = shared;
    return nodes_group_up(NODES);
}

static int speakers_end(void **state) {
    (void)state;
    atomic_store(wall_shift_s, 0);
    for (int i = 0; !nodes_forbidden() && i < NODES; i++)
        nodes_kill(i);
    return 0;
}

/* ---- configurations ---- */

/* The first node calls, the second one waits. `peer` holds further members of its peer. */
static void start_one(int i, const char *profile, unsigned peer_as, const char *hold_time,
                      const char *peer) {
    char text[1024];
    snprintf(text, sizeof text,
             "{\"profile\":\"%s\",\"hostname\":\"n%d\",\"local_as\":%u,"
             "\"router_id\":\"10.0.0.%d\",\"hold_time_s\":%s,\"hold_time_set\":true,"
             "\"peers\":[{\"name\":\"n%d\",\"remote_addr\":\"10.0.0.%d\",\"remote_as\":%u,"
             "%s\"passive\":%s}]}",
             profile, i + 1, i == 0 ? 64512 : peer_as, i + 1, hold_time, 2 - i, 2 - i,
             i == 0 ? peer_as : 64512, peer, i == 0 ? "false" : "true");
    nodes_start(i, text, "--config-fd");
}

/* The second one has the profile. */
static void start_pair_of(const char *profile, unsigned peer_as, const char *hold_time,
                          const char *peer) {
    for (int i = NODES - 1; i >= 0; i--)
        start_one(i, i == 0 ? "fast" : profile, peer_as, hold_time, peer);
    for (int i = 0; i < NODES; i++)
        WAIT_FOR(established, i, 1);
}

static void start_pair(unsigned peer_as, const char *hold_time, const char *peer) {
    start_pair_of("fast", peer_as, hold_time, peer);
}

static void stop_both(void) {
    assert_int_equal(nodes_stop(0), 0);
    assert_int_equal(nodes_stop(1), 0);
}

/* ---- packets from the first node to the second one ---- */

static int tap_open_at(int node) {
    nodes_enter(nodes.at[node].ns);
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP));
    nodes_enter(nodes.home_ns);
    assert_true(fd >= 0);
    return fd;
}

static int tap_open(void) {
    return tap_open_at(1);
}

/* The next TCP segment that a node sends of the session, IP header included. */
static size_t tap_next_of(int fd, uint8_t node, uint8_t *packet, size_t size) {
    const uint8_t from[] = {10, 0, 0, (uint8_t)(node + 1)};
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, NODES_DEADLINE_MS), 1);
        ssize_t got = recv(fd, packet, size, 0);
        size_t header = (size_t)(packet[0] & 15) * 4;
        if (got >= 40 && packet[9] == IPPROTO_TCP && memcmp(packet + 12, from, 4) == 0 &&
            (size_t)got >= header + 20 && packet[header + (node == 0 ? 3 : 1)] == BGP_PORT)
            return (size_t)got;
    }
}

static size_t tap_next(int fd, uint8_t *packet, size_t size) {
    return tap_next_of(fd, 0, packet, size);
}

/* Reads segments until `count` of them were a KEEPALIVE and nothing else. */
static void tap_keepalives(int fd, unsigned count) {
    uint8_t packet[2048];
    while (count > 0) {
        (void)tap_next(fd, packet, sizeof packet);
        size_t total = (size_t)packet[2] << 8 | packet[3], ip = (size_t)(packet[0] & 15) * 4;
        size_t tcp = (size_t)(packet[ip + 12] >> 4) * 4;
        count -= total == ip + tcp + 19 && packet[ip + tcp + 18] == 4;
    }
}

static void test_C205_ttl_on_the_wire(void **state) {
    static const struct {
        unsigned peer_as;
        const char *peer;
        uint8_t ttl; /* 0: the kernel's */
    } cases[] = {
        {65001, "", 1},
        {65001, "\"multihop\":5,", 5},
        {65001, "\"multihop\":255,", 255},
        {65001, "\"ttl_security_hops\":1,", 255},
        {64512, "", 0},
    };
    (void)state;
    SKIP_IF_FORBIDDEN();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t packet[2048];
        int tap = tap_open();
        start_pair(cases[i].peer_as, "90", cases[i].peer);
        (void)tap_next(tap, packet, sizeof packet); /* the SYN */
        assert_true(packet[(packet[0] & 15) * 4 + 13] & 2);
        for (int n = 0; n < 3; n++) {
            if (cases[i].ttl)
                assert_int_equal(packet[8], cases[i].ttl);
            else
                assert_true(packet[8] > 5 && packet[8] < 255);
            (void)tap_next(tap, packet, sizeof packet);
        }
        close(tap);
        stop_both();
    }
}

/* IOS: 255 inside, 1 outside, and CS6. */
static void test_ttl_of_ios(void **state) {
    static const struct {
        unsigned peer_as;
        uint8_t ttl;
    } cases[] = {{64512, 255}, {65001, 1}};
    (void)state;
    SKIP_IF_FORBIDDEN();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t packet[2048];
        int tap = tap_open_at(0);
        start_pair_of("ios", cases[i].peer_as, "90", "");
        for (int n = 0; n < 3;) {
            (void)tap_next_of(tap, 1, packet, sizeof packet);
            size_t ip = (size_t)(packet[0] & 15) * 4, tcp = (size_t)(packet[ip + 12] >> 4) * 4;
            if (((size_t)packet[2] << 8 | packet[3]) == ip + tcp)
                continue; /* before the call is taken, the kernel answers as the listener */
            assert_int_equal(packet[8], cases[i].ttl);
            assert_int_equal(packet[1], 0xC0);
            n++;
        }
        close(tap);
        stop_both();
    }
}

static uint64_t refused_before;
static bool refused(int node, uint64_t value) {
    return nodes_tcp_counter(node, "TCPMD5Failure") >= refused_before + value;
}

/* The pair agrees on `key` (a password of JSON), and a key that is nearly the same is refused: each
 * octet counts. */
static void check_key(const char *key, const char *nearly) {
    char member[160];
    snprintf(member, sizeof member, "\"password\":%s,", key);
    start_pair(64512, "90", member);
    stop_both();
    refused_before = nodes_tcp_counter(1, "TCPMD5Failure");
    start_one(1, "fast", 64512, "90", member);
    snprintf(member, sizeof member, "\"password\":%s,", nearly);
    start_one(0, "fast", 64512, "90", member);
    WAIT_FOR(refused, 1, 1);
    assert_true(established(0, 0) && established(1, 0));
    stop_both();
}

/* TCP's option takes 1 to 80 octets (the 81st is refused with the configuration). */
static void test_C203_keys(void **state) {
    static const unsigned sizes[] = {1, 79, 80};
    (void)state;
    SKIP_IF_FORBIDDEN();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char key[84], nearly[84];
        for (unsigned n = 0; n < sizes[i]; n++)
            key[n + 1] = (char)('a' + n % 26);
        key[0] = key[sizes[i] + 1] = '"';
        key[sizes[i] + 2] = '\0';
        memcpy(nearly, key, sizeof nearly);
        nearly[sizes[i]] = '#';
        check_key(key, nearly);
    }
}

/* NUL is an octet like any other: alone, first, between others, last. */
static void test_C203_binary_keys(void **state) {
    static const struct {
        const char *key, *nearly;
    } rows[] = {{"{\"octets\":[0]}", "{\"octets\":[0,0]}"},
                {"{\"octets\":[0,0,0]}", "{\"octets\":[0,0]}"},
                {"{\"octets\":[0,107,255]}", "{\"octets\":[0,107,254]}"},
                {"{\"octets\":[107,0,1,10,34]}", "{\"octets\":[107,0,1,10,35]}"},
                {"{\"octets\":[107,0]}", "\"k\""}};
    (void)state;
    SKIP_IF_FORBIDDEN();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_key(rows[i].key, rows[i].nearly);
}

/* ---- the system's clock ---- */

static void date_of(int node, char out[16]) {
    struct text answer;
    text_init(&answer);
    nodes_request(node, "{\"op\":\"exec\",\"command\":\"show status\"}\n", &answer);
    const char *at = strstr(text_str(&answer), "Current server time is ");
    assert_non_null(at);
    snprintf(out, 16, "%.10s", at + strlen("Current server time is "));
    text_deinit(&answer);
}

/* A day forth, two back: the speakers see it, and the session goes on. Whatever the hold time, any
 * timer on that clock would end it; 12 s leave room for a machine that stands still for a while. */
static void test_C061_clock_jumps(void **state) {
    static const int64_t shifts[] = {DAY_S, -DAY_S};
    char before[16], after[16];
    (void)state;
    SKIP_IF_FORBIDDEN();
    int tap = tap_open();
    start_pair(64512, "12", "");
    for (size_t i = 0; i < sizeof shifts / sizeof shifts[0]; i++) {
        date_of(0, before);
        atomic_store(wall_shift_s, shifts[i]);
        date_of(0, after);
        assert_string_not_equal(before, after);
        tap_keepalives(tap, 2);
        assert_true(established(0, 1) && established(1, 1));
        assert_true(dropped(0, 0) && dropped(1, 0));
    }
    close(tap);
    stop_both();
}

/* ---- the control socket ---- */

/* A speaker with a control socket at `path`, in the first node; its log can be read from *ret_log.
 */
static pid_t start_with_control(const char *path, int *ret_log) {
    static const char config[] =
        "{\"profile\":\"plain\",\"local_as\":1,\"router_id\":\"10.0.0.1\"}";
    int log[2], file = memfd_create("config", 0);
    assert_int_equal(pipe2(log, O_NONBLOCK), 0);
    assert_int_equal(write(file, config, sizeof config - 1), sizeof config - 1);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        nodes_bind_to_parent(parent);
        nodes_enter(nodes.at[0].ns);
        struct host_options o = {.config_fd = file,
                                 .ios_fd = -1,
                                 .control_path = path,
                                 .control_fd = -1,
                                 .scoreboard_fd = -1,
                                 .bell_fd = -1,
                                 .log_fd = log[1],
                                 .no_fib = true};
        exit(host_run(&o));
    }
    close(log[1]);
    close(file);
    *ret_log = log[0];
    return pid;
}

/* Reads the log until a line has `word`. */
static void log_wait(int fd, const char *word) {
    char text[8192] = "";
    size_t at = 0;
    while (!strstr(text, word)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, NODES_DEADLINE_MS), 1);
        ssize_t got = read(fd, text + at, sizeof text - 1 - at);
        assert_true(got > 0);
        at += (size_t)got;
        text[at] = '\0';
    }
}

/* In a process of user `uid`: 0 when the speaker answers, 1 when it hangs up, 2 when the socket's
 * mode forbids it. */
static int ask_as(uid_t uid, const char *path) {
    int status;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        static const char request[] = "{\"op\":\"hello\"}\n";
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        char answer;
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
        if (setresuid(uid, uid, uid) != 0)
            _exit(3);
        if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
            _exit(errno == EACCES ? 2 : 3);
        (void)!send(fd, request, sizeof request - 1, MSG_NOSIGNAL);
        _exit(recv(fd, &answer, 1, 0) == 1 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_C212_control_socket(void **state) {
    char folder[] = "/tmp/wire-test-XXXXXX", path[64];
    struct stat st;
    int log, status;
    (void)state;
    SKIP_IF_FORBIDDEN();
    if (geteuid() != 0) {
        print_message("skipped: to be another user takes root\n");
        skip();
    }
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    snprintf(path, sizeof path, "%s/control", folder);
    pid_t pid = start_with_control(path, &log);
    log_wait(log, " running ");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(ask_as(0, path), 0);
    assert_int_equal(ask_as(NOBODY, path), 2);
    assert_int_equal(chmod(path, 0666), 0); /* were the mode ever wrong */
    assert_int_equal(ask_as(NOBODY, path), 1);
    log_wait(log, " control_refused ");
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_not_equal(access(path, F_OK), 0);
    close(log);
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_C205_ttl_on_the_wire, speakers_end),
        cmocka_unit_test_teardown(test_ttl_of_ios, speakers_end),
        cmocka_unit_test_teardown(test_C203_keys, speakers_end),
        cmocka_unit_test_teardown(test_C203_binary_keys, speakers_end),
        cmocka_unit_test_teardown(test_C061_clock_jumps, speakers_end),
        cmocka_unit_test_teardown(test_C212_control_socket, speakers_end),
    };
    return cmocka_run_group_tests_name("wire", tests, lab_up, nodes_group_down);
}
