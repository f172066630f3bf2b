/*
 * What is there and should not be: sessions that the plan does not have, routes too many, more
 * processor time than a hold allows. Each is made behind the runner's back, in a run that must say
 * so, where it is, and end with the status of a failure; the same check has passed before it.
 */
#include "cli_fixture.h"

#include "../../speaker/base/scoreboard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* A step that goes on when kube-1 has this route: the test's way to say so. */
#define GO                                                                                         \
    "  - name: until told\n    deadline: 1h\n"                                                     \
    "    expect: {fib: {prefix: 192.0.2.0/24, at: kube-1}}\n"
#define UP "  - name: up\n    expect: {converged: true}\n"
#define END "  - name: end\n    deadline: 200ms\n    expect: {converged: true}\n"
#define BGP_PORT 179

/* Runs the scenario until its first step has passed. */
static struct run start_run(const char *name) {
    struct run r = run_start(
        WORDS("run", fixture_path(name), "--runs", fixture_path("runs"), "--allow-noise"));
    if (!await_file_says(r.out, " up  ", r.pid))
        fail_msg("%s", written(r.out));
    assert_says(r.out, "1/1 checks");
    return r;
}

static void run_well(const char *const *words) {
    struct run r = run_words(words);
    if (r.status != 0)
        fail_msg("%s: %d: %s %s", words[0], r.status, written(r.out), written(r.err));
    run_close(&r);
}

static void go_on(void) {
    run_well(WORDS("exec", "kube-1", "ip", "route", "add", "blackhole", "192.0.2.0/24"));
}

/* A request to the lab, as JSON. False: it has gone, or says no. */
static bool ask(const char *request) {
    char answer[65536] = "";
    size_t size = 0;
    struct sockaddr_un a = lab_address();
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool sent = connect(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
                send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request);
    while (sent && size < sizeof answer - 1 && !memchr(answer, '\n', size)) {
        ssize_t n = recv(fd, answer + size, sizeof answer - 1 - size, 0);
        sent = n > 0;
        size += sent ? (size_t)n : 0;
    }
    close(fd);
    json_t *said = json_loads(answer, 0, NULL);
    bool ok = json_is_true(json_object_get(said, "ok"));
    json_decref(said);
    return ok;
}
#define ASK_SPEAKER(node, request)                                                                 \
    assert_true(ask("{\"op\":\"speaker\",\"node\":\"" node "\",\"request\":" request "}\n"))

/* ---- sessions ---- */

static void scenario_with_router(const char *name, const char *steps) {
    char file[128], text[2048];
    fixture_scenario(name, steps);
    snprintf(file, sizeof file, "%s/topology.yaml", name);
    fixture_text(file, "name: rr\nsegments:\n  - {name: lan, subnet: 10.0.0.0/24}\nnodes:\n"
                       "  - {name: kube-1, address: 10.0.0.10}\n"
                       "  - {name: kube-2, address: 10.0.0.11}\nrouters:\n  - name: rr1\n"
                       "    kind: ios\n    config: rr1.ios\n    interfaces:\n"
                       "      Gi0/0: {segment: lan, address: 10.0.0.1}\n");
    snprintf(file, sizeof file, "%s/rr1.ios", name);
    fixture_text(file, "hostname RR\nrouter bgp 64512\n neighbor 10.0.0.10 remote-as 64512\n"
                       " neighbor 10.0.0.10 shutdown\n");
    snprintf(file, sizeof file, "%s/pool.yaml", name);
    fixture_text(file, "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: rr}\n"
                       "spec: {node: kube-1, peerIP: 10.0.0.1, asNumber: 64512}\n");
    snprintf(file, sizeof file, "%s/scenario.yaml", name);
    snprintf(text, sizeof text,
             "name: %s\ntopology: topology.yaml\nmanifests: pool.yaml\nsteps:\n%s", name, steps);
    fixture_text(file, text);
}

static void type_from(void *argument) {
    (void)dup2(*(int *)argument, 0);
}

static void type_at(const char *router, const char *script) {
    int pipe_fds[2];
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    assert_int_equal(write(pipe_fds[1], script, strlen(script)), (ssize_t)strlen(script));
    close(pipe_fds[1]);
    struct run_options o = {.prepare = type_from, .argument = &pipe_fds[0]};
    struct run r = run_start_with(&o, WORDS("shell", router));
    run_end(&r);
    assert_int_equal(r.status, 0);
    run_close(&r);
    close(pipe_fds[0]);
}

static bool list_says(json_t *list, const char *what) {
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        if (strcmp(json_string_value(item), what) == 0)
            return true;
    }
    return false;
}

/* Somebody opens, on the router, a session that was shut down. */
static void test_a_session_too_many(void **state) {
    (void)state;
    scenario_with_router("opened",
                         UP "  - name: until both ends have it\n    deadline: 1h\n"
                            "    expect:\n      log:\n"
                            "        - {node: rr1, contains: neighbor 10.0.0.10 Up}\n"
                            "        - {node: kube-1, contains: session_up}\n"
                            "  - name: end\n    deadline: 200ms\n    expect: {sessions: planned}\n"
                            "  - name: cause\n    deadline: 200ms\n    expect: {cause: {node: "
                            "kube-1, peer: rr1, cause: shutdown}}\n");
    struct run r = start_run("opened");
    type_at("rr1", "enable\nconfigure terminal\nrouter bgp 64512\n"
                   "no neighbor 10.0.0.10 shutdown\nend\nexit\n");
    run_end(&r);
    assert_says(r.out, "kernel: unexpected: kube-1 - rr1 (10.0.0.1)");
    assert_says(r.out, "kernel: unexpected: rr1 - kube-1 (10.0.0.10)");
    assert_says(r.out, "speakers: unexpected: kube-1 - rr1 (10.0.0.1)");
    assert_says(r.out, "speakers: unexpected: rr1 - kube-1 (10.0.0.10)");
    assert_null(strstr(written(r.out), "missing"));
    assert_says(r.out, "the speaker says Established"); /* whatever the plan says of the cause */
    assert_int_equal(r.status, 5);
    json_t *result = only_result("runs");
    json_t *list = json_object_get(json_object_get(result, "sessions"), "unexpected");
    assert_int_equal(json_array_size(list), 2);
    assert_true(list_says(list, "kube-1 - rr1 (10.0.0.1)"));
    json_decref(result);
    run_close(&r);
    fixture_remove(fixture_path("runs"));
}

/* This program inside a node's namespace (main), with this for its standard input. */
static struct run run_self(const char *node, const char *role, int in) {
    static char self[512];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    struct run_options o = {.prepare = type_from, .argument = &in};
    assert_true(size > 0);
    self[size] = '\0';
    struct run r = run_start_with(&o, WORDS("exec", node, self, role));
    if (!await_file_says(r.out, "ready\n", r.pid))
        fail_msg("%s: %s", role, written(r.err));
    return r;
}

static void stop_self(struct run *r) {
    assert_int_equal(kill(r->pid, SIGKILL), 0);
    run_end(r);
    run_close(r);
}

static int play_listener(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(BGP_PORT)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1) != 0)
        return 1;
    (void)!write(1, "ready\n", 6);
    return accept4(fd, NULL, NULL, SOCK_CLOEXEC) >= 0 ? pause() : 1;
}

/* Version 4, AS 64512, hold time 90, router id 9.9.9.9, no parameters (RFC 4271 4.2). */
static int play_caller(bool opens) {
    static const uint8_t open_message[29] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0,    29,   1,    4,    0xfc, 0x00, 0,    90,   9,    9,    9,    9,    0};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(BGP_PORT)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)inet_pton(AF_INET, "10.0.0.4", &to.sin_addr); /* kube-3 */
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        (opens && write(fd, open_message, sizeof open_message) != sizeof open_message))
        return 1;
    (void)!write(1, "ready\n", 6);
    return pause();
}

/* Ends the connections with kube-1 when told to. */
static int play_cutter(void) {
    char byte;
    (void)!write(1, "ready\n", 6);
    if (read(0, &byte, 1) == 1)
        execlp("ss", "ss", "-K", "dst", "10.0.0.2", NULL);
    return 1;
}

/* kube-1 and kube-2 peer; at kube-3 a program of somebody else listens, kube-4 calls it. */
#define PEERS_OF_TWO                                                                               \
    "apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata: {name: default}\n"        \
    "spec: {nodeToNodeMeshEnabled: false}\n---\napiVersion: projectcalico.org/v3\n"                \
    "kind: BGPPeer\nmetadata: {name: two}\nspec: {node: kube-1, peerIP: 10.0.0.3, "                \
    "asNumber: 64512}\n---\napiVersion: projectcalico.org/v3\nkind: BGPPeer\n"                     \
    "metadata: {name: one}\nspec: {node: kube-2, peerIP: 10.0.0.2, asNumber: 64512}\n"

static struct run run_with_stranger(const char *role) {
    fixture_scenario("strange", "  - {name: gone, fault: {kill: kube-3}}\n"
                                "  - name: up\n    expect: {sessions: 1}\n" GO
                                "  - name: end\n    deadline: 200ms\n"
                                "    expect: {sessions: {pairs: [[kube-1, kube-2]]}}\n");
    fixture_text("strange/pool.yaml", PEERS_OF_TWO);
    struct run r = start_run("strange");
    struct run listener = run_self("kube-3", "listener", 0), caller = run_self("kube-4", role, 0);
    go_on();
    assert_true(await_file_says(r.out, " end  ", r.pid));
    stop_self(&listener);
    stop_self(&caller);
    run_end(&r);
    assert_says(r.out, "nothing left");
    assert_says(r.out, "kernel: unexpected: kube-3 - kube-4 (10.0.0.5)");
    assert_says(r.out, "kernel: unexpected: kube-4 - kube-3 (10.0.0.4)");
    assert_null(strstr(written(r.out), "speakers: unexpected"));
    assert_int_equal(r.status, 5);
    fixture_remove(fixture_path("runs"));
    return r;
}

static void test_a_connection_too_many(void **state) {
    (void)state;
    struct run r = run_with_stranger("caller");
    assert_null(strstr(written(r.out), "wire: "));
    run_close(&r);
}

static void test_an_open_too_many(void **state) {
    (void)state;
    struct run r = run_with_stranger("opener");
    assert_says(r.out, "wire: OPEN without a configured session: kube-3 - kube-4 (10.0.0.5)");
    run_close(&r);
}

/* ---- routes ---- */

static void test_routes_of_felix_too_many(void **state) {
    (void)state;
    fixture_scenario("felix", UP GO END);
    fixture_text("felix/pool.yaml",
                 "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: pool}\n"
                 "spec: {cidr: 10.244.0.0/16, ipipMode: Never, vxlanMode: Always}\n");
    struct run r = start_run("felix");
    run_well(
        WORDS("exec", "kube-2", "ip", "route", "add", "blackhole", "10.244.9.0/26", "proto", "80"));
    run_well(WORDS("exec", "kube-3", "ip", "route", "add", "10.244.9.64/26", "via", "10.244.0.0",
                   "dev", "vxlan.calico", "onlink", "proto", "80"));
    run_well(
        WORDS("exec", "kube-4", "ip", "route", "add", "10.244.0.199", "dev", "lo", "proto", "80"));
    go_on();
    run_end(&r);
    assert_says(r.out, "kube-2: kernel still has Felix's route to 10.244.9.0/26");
    assert_says(r.out, "kube-3: kernel still has Felix's route to 10.244.9.64/26");
    assert_says(r.out, "kube-4: kernel still has Felix's route to 10.244.0.199/32");
    assert_null(strstr(written(r.out), "kube-1: kernel"));
    assert_int_equal(r.status, 5);
    run_close(&r);
    fixture_remove(fixture_path("runs"));
}

#define ROUTE "{\"prefix\":\"203.0.113.0/24\",\"source\":\"static\"}"

/* A speaker that has taken a route nobody planned tells it to all. */
static void test_a_route_too_many(void **state) {
    (void)state;
    fixture_scenario("told", UP GO END);
    struct run r = start_run("told");
    ASK_SPEAKER("kube-2", "{\"op\":\"originate\",\"routes\":[" ROUTE "]}");
    go_on();
    run_end(&r);
    assert_says(r.out, "kube-2: Loc-RIB has an unexpected route to 203.0.113.0/24");
    assert_int_equal(r.status, 5);
    run_close(&r);
    fixture_remove(fixture_path("runs"));
}

/* ---- holding ---- */

#define HOLD(spec) "  - name: held\n    hold: {" spec "}\n"

/* Something happens to what stands: the hold ends at once. */
static struct run start_hold(void) {
    fixture_scenario("hold", UP HOLD("for: 1h") "  - {name: later, expect: {sessions: 7}}\n");
    struct run r = run_start(
        WORDS("run", "-x", fixture_path("hold"), "--runs", fixture_path("runs"), "--allow-noise"));
    if (!await_file_says(r.out, " up  ", r.pid))
        fail_msg("%s", written(r.out));
    return r;
}

/* `or_says`: … or this, where chance decides which of two speakers is heard first; NULL: only that.
 */
static void end_hold(struct run *r, const char *says, const char *or_says) {
    run_end(r);
    if (!or_says || !strstr(written(r->out), or_says))
        assert_says(r->out, says);
    assert_says(r->out, "held for 3600 s: no session lost, tables as computed");
    assert_null(strstr(written(r->out), "7 sessions expected")); /* -x: a hold is a step, too */
    assert_int_equal(r->status, 1);
    run_close(r);
    fixture_remove(fixture_path("runs"));
}

static void test_a_hold_sees_a_session_fall(void **state) {
    (void)state;
    struct run r = start_hold();
    ASK_SPEAKER("kube-2", "{\"op\":\"clear\",\"peer\":\"Mesh_10_0_0_2\",\"how\":\"hard\"}");
    end_hold(&r, "kube-1 has lost its session with kube-2 (10.0.0.3): notification_received ",
             "kube-2 has lost its session with kube-1 (10.0.0.2): admin_reset ");
}

static void test_a_hold_sees_a_route_come(void **state) {
    (void)state;
    struct run r = start_hold();
    ASK_SPEAKER("kube-2", "{\"op\":\"originate\",\"routes\":[" ROUTE "]}");
    end_hold(&r, "not all tables are as computed", NULL);
}

static json_int_t number_in(json_t *o, const char *name) {
    assert_true(json_is_integer(json_object_get(o, name)));
    return json_integer_value(json_object_get(o, name));
}

/* Both holds together: about two seconds, and above a hundredth of the longer one in CPU time. */
static void assert_cost_in(json_t *usage) {
    json_int_t wall = number_in(usage, "held_ns"), runner = number_in(usage, "held_runner_cpu_ns");
    assert_true(wall >= INT64_C(2010000000));
    assert_true(runner > 0);
    assert_true(runner + number_in(usage, "held_speakers_cpu_ns") > wall / 101);
}

static pid_t supervisor_pid(void) {
    struct ucred who = {0};
    socklen_t size = sizeof who;
    int fd = connect_lab();
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size), 0);
    close(fd);
    return who.pid;
}

/* The lab's scoreboard, among what its supervisor has open. */
static const struct scoreboard *map_scoreboard(pid_t pid, size_t *ret_size) {
    char path[64], target[64];
    for (int fd = 3; fd < 256; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
        ssize_t size = readlink(path, target, sizeof target - 1);
        target[size > 0 ? size : 0] = '\0';
        if (!strstr(target, "memfd:scoreboard"))
            continue;
        struct stat st;
        int own = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(own >= 0 && fstat(own, &st) == 0);
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, own, 0);
        close(own);
        assert_true(map != MAP_FAILED);
        *ret_size = (size_t)st.st_size;
        return map;
    }
    fail_msg("no scoreboard");
    return NULL;
}

#define SLOT_ESTABLISHED 5 /* of sessions */

/* Node 1 has lost a session since, and all is again as it was. */
static bool has_flapped(const struct scoreboard *b, const struct scoreboard_slot before[4]) {
    bool same = b->slots[1].dropped_count > before[1].dropped_count;
    for (int i = 0; same && i < 4; i++) {
        const struct scoreboard_slot *s = &b->slots[i];
        same = s->sessions[SLOT_ESTABLISHED] == 3 && s->fib[0] == before[i].fib[0] &&
               s->loc_rib_digest == before[i].loc_rib_digest &&
               s->fib_digest == before[i].fib_digest;
    }
    return same;
}

static bool await_flap(const struct scoreboard *b, const struct scoreboard_slot before[4]) {
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += FIXTURE_DEADLINE_MS / 1000;
    do {
        if (has_flapped(b, before))
            return true;
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < end.tv_sec);
    return false;
}

/* A session falls and is back while the runner does not look: it counts as lost. */
static void test_a_hold_knows_what_it_did_not_see(void **state) {
    int go[2];
    size_t size = 0;
    struct scoreboard_slot before[4];
    (void)state;
    struct run r = start_hold();
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    struct run cutter = run_self("kube-2", "cutter", go[0]);
    pid_t supervisor = supervisor_pid();
    const struct scoreboard *board = map_scoreboard(supervisor, &size);
    memcpy(before, board->slots, sizeof before);
    assert_int_equal(kill(supervisor, SIGSTOP), 0);
    assert_int_equal(write(go[1], "\n", 1), 1);
    run_end(&cutter);
    bool flapped = await_flap(board, before);
    assert_int_equal(kill(supervisor, SIGCONT), 0);
    end_hold(&r, "kube-1 has lost its session with kube-2 (10.0.0.3): ",
             "kube-2 has lost its session with kube-1 (10.0.0.2): ");
    assert_true(flapped);
    run_close(&cutter);
    munmap((void *)(uintptr_t)board, size);
    close(go[0]);
    close(go[1]);
}

/* Another program has no slot to watch: what it holds is looked at in the end. */
static void test_a_hold_of_another_program(void **state) {
    (void)state;
    fixture_scenario("other",
                     UP HOLD("for: 10ms") "  - name: until it is there\n    deadline: 1h\n"
                                          "    expect: {fib: {prefix: 10.244.9.0/26, at: kube-2}}\n"
                                          "  - {name: held again, hold: {for: 20ms}}\n");
    struct run r = run_start(WORDS("run", fixture_path("other"), "--backend", "bird", "--runs",
                                   fixture_path("runs"), "--allow-noise"));
    if (!await_file_says(r.out, " held  ", r.pid)) {
        run_end(&r);
        if (strstr(written(r.err), "BIRD 1.6 is not installed"))
            print_message("skipped: BIRD is not installed: .ci/peers fetches it\n");
        else
            fail_msg("%s %s", written(r.out), written(r.err));
        run_close(&r);
        fixture_remove(fixture_path("runs")); /* it was refused in a report */
        skip();
    }
    assert_says(r.out, "ok    held for 0.01 s");
    run_well(
        WORDS("exec", "kube-2", "ip", "route", "add", "blackhole", "10.244.9.0/26", "proto", "80"));
    run_end(&r);
    assert_says(r.out, "FAIL  held for 0.02 s");
    assert_says(r.out, "kube-2: kernel still has Felix's route to 10.244.9.0/26");
    assert_int_equal(r.status, 1);
    run_close(&r);
    fixture_remove(fixture_path("runs"));
}

/* Held without work, then with all that one client can ask for: a hundredth of a processor is not
 * enough for that. */
static void test_a_hold_costs_too_much(void **state) {
    (void)state;
    fixture_scenario("dear", UP HOLD("for: 10ms, cpu: 100000") HOLD("for: 2s, cpu: 1"));
    struct run r = start_run("dear");
    while (!await_exit(r.pidfd, 0) && !strstr(written(r.out), "at most 1 %"))
        (void)ask("{\"op\":\"status\"}\n");
    run_end(&r);
    assert_says(r.out, "tables as computed, at most 1 % of one processor");
    assert_says(r.out, "% by the runner");
    json_t *result = only_result("runs"), *check;
    size_t i;
    json_array_foreach(json_object_get(result, "checks"), i, check) {
        bool dear = strstr(text_in(check, "name"), "at most 1 %") != NULL;
        assert_string_equal(text_in(check, "verdict"), dear ? "failed" : "passed");
    }
    assert_int_equal(i, 3);
    assert_cost_in(json_object_get(result, "speakers"));
    json_decref(result);
    assert_int_equal(r.status, 1);
    run_close(&r);
    fixture_remove(fixture_path("runs"));
}

static int play(const char *role) {
    return strcmp(role, "listener") == 0 ? play_listener()
           : strcmp(role, "cutter") == 0 ? play_cutter()
                                         : play_caller(strcmp(role, "opener") == 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_session_too_many),
        cmocka_unit_test(test_a_connection_too_many),
        cmocka_unit_test(test_an_open_too_many),
        cmocka_unit_test(test_routes_of_felix_too_many),
        cmocka_unit_test(test_a_route_too_many),
        cmocka_unit_test(test_a_hold_sees_a_session_fall),
        cmocka_unit_test(test_a_hold_sees_a_route_come),
        cmocka_unit_test(test_a_hold_knows_what_it_did_not_see),
        cmocka_unit_test(test_a_hold_of_another_program),
        cmocka_unit_test(test_a_hold_costs_too_much),
    };
    if (argc == 2)
        return play(argv[1]);
    return cmocka_run_group_tests(tests, world_enter, world_leave);
}
