/*
 * A verdict is only worth something if it can be bad: each kind of expectation is made to fail
 * once, and the report must name what failed, where, and the last hop of a route that is missing.
 */
#include "cli_fixture.h"

/* Runs steps (YAML) on a mesh; the caller closes. */
static struct run run_steps(const char *steps) {
    fixture_scenario("verdict", steps);
    return run_words(
        WORDS("run", fixture_path("verdict"), "--runs", fixture_path("runs"), "--allow-noise"));
}

/* What is asked for after this stands before there is a network that could be slow. */
#define UP "  - expect: {converged: true}\n"
/* … and then it is wrong at once and for ever: nobody waits for it. */
#define SOON "    deadline: 200ms\n"

#define APPLY(kind, name, spec)                                                                    \
    "  - apply:\n      - apiVersion: projectcalico.org/v3\n        kind: " kind                    \
    "\n        metadata: {name: " name "}\n        spec: {" spec "}\n"
#define MESH_OFF APPLY("BGPConfiguration", "default", "nodeToNodeMeshEnabled: false")
#define TAGGED                                                                                     \
    APPLY("BGPConfiguration", "default",                                                           \
          "prefixAdvertisements: [{cidr: 10.244.0.0/16, communities: [\"64512:1\", "               \
          "\"64512:1:2\"]}]")
#define NO_AS APPLY("Node", "kube-1", "bgp: {ipv4Address: 10.0.0.2/16, asNumber: 64999}")
#define BAD APPLY("BGPPeer", "peer", "nodeSelector: all(), peerSelector: \"a = b\"")

/* kube-1 reflects between kube-2 and kube-3. */
#define PEER_OF(name, node, ip)                                                                    \
    APPLY("BGPPeer", name, "node: " node ", peerIP: " ip ", asNumber: 64512")
#define REFLECTED                                                                                  \
    APPLY("Node", "kube-1", "bgp: {ipv4Address: 10.0.0.2/16, routeReflectorClusterID: 1.1.1.1}")   \
    PEER_OF("a", "kube-1", "10.0.0.3")                                                             \
    PEER_OF("b", "kube-2", "10.0.0.2")                                                             \
    PEER_OF("c", "kube-1", "10.0.0.4") PEER_OF("d", "kube-3", "10.0.0.2") MESH_OFF

/* One that is refused, and one that stands there twice, which is a warning. */
#define PEER(name, spec)                                                                           \
    "      - {apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: {name: " name             \
    "}, spec: {" spec "}}\n"
#define BAD_AND_TWICE                                                                              \
    "  - apply:\n" PEER("bad", "peerSelector: \"a = b\"") PEER("twice", "peerSelector: all()")     \
        PEER("twice", "peerSelector: all()")

struct wrong {
    const char *steps;
    int status;
    const char *says;
};

static const struct wrong wrongs[] = {
    {"  - expect: {sessions: 4}\n", 1, "4 sessions expected, the plan has"},
    {"  - expect: {sessions: {pairs: [[kube-1, kube-2]]}}\n", 1, "planned but not listed"},
    {UP "  - expect: {route: {prefix: 10.99.0.0/16, at: kube-1}}\n" SOON, 1,
     "10.99.0.0/16 at kube-1: not there (nobody originates it)"},
    {UP "  - expect: {route: {blockOf: kube-1, at: kube-2, absent: true}}\n" SOON, 1,
     "there, though it must not be (kube-1 -> kube-2)"},
    {UP "  - expect: {route: {blockOf: kube-1, at: kube-2, asPath: \"65000\"}}\n" SOON, 1,
     "as_path expected 65000, seen empty"},
    {UP "  - expect: {route: {blockOf: kube-1, at: kube-2, nextHop: kube-3}}\n" SOON, 1,
     "next_hop expected 10.0.0.4, seen 10.0.0.2"},
    {UP "  - expect: {fib: {prefix: 10.99.0.0/16, at: kube-1}}\n" SOON, 1,
     "10.99.0.0/16 at kube-1: not in the kernel"},
    {UP "  - expect: {ping: {from: kube-1, to: kube-2, absent: true}}\n" SOON, 1,
     "kube-2 (10.244.0.65): arrived"},
    {UP "  - expect: {log: {node: kube-1, contains: no such line}}\n" SOON, 1,
     "there is no line with"},
    {UP "  - expect:\n      exec: {node: kube-1, command: show protocols, contains: "
        "Mesh_10_9_9_9}\n" SOON,
     1, "Mesh_10_9_9_9"},
    {UP "  - expect: {overhead: {pool: pool, bytes: 20}}\n" SOON, 1,
     "kube-1 -> kube-2: 0 octets added (no encapsulation), 20 expected"},
    {"  - expect: {overhead: {pool: no-such-pool, bytes: 0}}\n", 1, "there is no IPPool"},
    {UP "  - expect: {fib: {blockOf: kube-1, at: kube-2, interface: tunl0}}\n" SOON, 1,
     "interface expected tunl0, seen eth0"},
    {UP "  - expect: {fib: {blockOf: kube-1, at: kube-2, by: felix}}\n" SOON, 1,
     "programmed by expected felix, seen bird"},
    {"  - expect: {finding: {finding: mesh-off-first}}\n", 1,
     "the last apply was not said to have it"},
    {"  - expect: {cause: {node: kube-1, peer: kube-2, cause: bad-peer-as}}\n", 1,
     "no session fails for that cause"},
    {"  - expect: {sessions: none}\n", 1, "0 sessions expected, the plan has 6"},
    {"  - expect: {sessions: {node: kube-1, count: 4}}\n", 1,
     "4 sessions expected, the plan has 3"},
    {"  - expect: {sessions: {pairs: [[kube-1, kube-2]]}}\n", 1,
     "planned but not listed: kube-3 - kube-4"},
    {MESH_OFF "    expect: {sessions: mesh}\n", 1, "6 sessions expected"},
    {MESH_OFF "    expect: {sessions: {pairs: [[kube-2, kube-1]]}}\n", 1,
     "listed but not planned: kube-1 - kube-2"},
    {UP "  - delete: pool.yaml\n  - roll: {sample: 12, lost: 0}\n", 1, "0 of 0 lost on 0 flows"},
    {UP "  - expect: {sessions: {set: mesh, hold: 31}}\n" SOON, 5,
     "kube-1 - 10.0.0.3: hold time 31 s expected, "},
    {UP "  - expect: {route: {blockOf: kube-1, at: kube-2, localPref: 7}}\n" SOON, 1,
     "local_pref expected 7, seen 2147482623"},
    {UP "  - expect: {route: {blockOf: kube-1, at: kube-2, med: 0}}\n" SOON, 1,
     "med expected 0, seen none"},
    {UP "  - expect: {route: {blockOf: kube-1, at: kube-2, originator: kube-1}}\n" SOON, 1,
     "originator_id expected 10.0.0.2, seen none"},
    {UP "  - expect: {route: {blockOf: kube-1, at: kube-2, originator: 0.0.0.0}}\n" SOON, 1,
     "originator_id expected 0.0.0.0, seen none"},
    {UP "  - expect: {route: {blockOf: kube-1, at: kube-2, nextHop: 10.9.9.9}}\n" SOON, 1,
     "next_hop expected 10.9.9.9, seen 10.0.0.2"},
    {UP "  - expect: {route: {blockOf: kube-1, at: kube-2, communities: \"64512:1\"}}\n" SOON, 1,
     "community 64512:1 is not there"},
    {UP TAGGED "    expect: {route: {blockOf: kube-1, communities: [\"64512:1\"]}}\n"
               "  - expect: {route: {blockOf: kube-1, communities: []}}\n" SOON,
     1, "no communities expected, 2 seen"},
    {UP TAGGED
     "    expect: {route: {blockOf: kube-1, communities: [\"64512:1\", \"64512:2\"]}}\n" SOON,
     1, "community 64512:2 is not there"},
    {UP "  - expect: {route: {blockOf: kube-1, at: kube-2, clusterList: [1.1.1.1]}}\n" SOON, 1,
     "cluster list expected 1.1.1.1\xe2\x80\xa6, seen none"},
    {REFLECTED UP "  - expect: {route: {blockOf: kube-2, at: kube-3, clusterList: []}}\n" SOON, 1,
     "cluster list expected none\xe2\x80\xa6, seen [\"1.1.1.1\"]"},
    {REFLECTED UP
     "  - expect: {route: {blockOf: kube-2, at: kube-3, clusterList: [1.1.1.2]}}\n" SOON,
     1, "cluster list expected 1.1.1.2\xe2\x80\xa6, seen [\"1.1.1.1\"]"},
    {REFLECTED UP "  - expect: {route: {blockOf: kube-2, at: kube-3, originator: kube-3}}\n" SOON,
     1, "originator_id expected 10.0.0.4, seen 10.0.0.3"},
    {UP "  - expect: {route: {blockOf: kube-1, at: kube-2, from: kube-3}}\n" SOON, 1,
     "neighbor expected kube-3, seen Mesh_10_0_0_2"},
    {UP "  - expect: {fib: {blockOf: kube-1, at: kube-2, absent: true}}\n" SOON, 1,
     "10.244.0.0/26 at kube-2: in the kernel, though it must not be"},
    {UP "  - expect: {fib: {blockOf: kube-1, at: kube-2, nextHop: kube-3}}\n" SOON, 1,
     "gateway expected 10.0.0.4, seen 10.0.0.2"},
    {UP "  - delete: pool.yaml\n    expect: {route: {blockOf: kube-1, absent: true}}\n", 1,
     "nothing to check"},
    {UP "  - delete: pool.yaml\n    expect: {ping: {absent: true}}\n", 1, "nothing to probe"},
    {UP "  - delete: pool.yaml\n    expect: {overhead: {pool: pool, bytes: 0}}\n", 1,
     "there is no IPPool"},
    {UP "  - expect: {log: {contains: session_up, absent: true}}\n" SOON, 1,
     "kube-4: there is a line with"},
    {UP "  - expect: {log: {node: kube-1, matches: \"^session_down$\"}}\n" SOON, 1,
     "there is no line with"},
    {UP "  - expect:\n      exec: {node: kube-1, command: show protocols, contains: Mesh_10_0_0_3,"
        " absent: true}\n" SOON,
     1, "there is a line with \"Mesh_10_0_0_3\""},
    {UP "  - expect:\n      exec: {node: kube-1, command: show protocolls, contains: Mesh_10_0_0_3,"
        " absent: true}\n" SOON,
     1, "kube-1: it is no command there: "},
    {UP "  - expect: {cause: {node: kube-2, cause: filtered, prefix: 10.9.0.0/16}}\n" SOON, 1,
     "nobody originates it"},
    {UP "  - expect: {cause: {node: kube-2, cause: filtered, prefix: 10.244.0.0/26}}\n" SOON, 1,
     "10.244.0.0/26 at kube-2: there, though it must not be"},
    {UP "  - expect: {cause: {node: kube-2, cause: filtered, prefix: 10.9.0.0/16, contains: "
        "rule}}\n" SOON,
     1, "nobody originates it"},
    {NO_AS
     "    expect: {cause: {node: kube-1, peer: kube-2, cause: bad-peer-as, contains: AS 7}}\n",
     1, "no session fails for that cause, naming AS 7"},
    {NO_AS "    expect: {cause: {node: kube-2, peer: kube-3, cause: bad-peer-as}}\n", 1,
     "no session fails for that cause"},
    {NO_AS "    expect: {ping: {from: kube-1, to: kube-2}}\n", 1,
     "kube-1 Mesh_10_0_0_3 does not come up: bad-peer-as: "},
    {UP MESH_OFF "    expect: {finding: {finding: as-mismatch}}\n", 1,
     "the last apply was not said to have it"},
    {"  - apply: pool.yaml\n    rejected: {finding: bad-selector}\n", 1, "nothing was refused"},
    {BAD "    rejected: {finding: bad-selector, line: 999}\n", 1, "what was found instead"},
    {BAD "    rejected: {finding: bad-selector, column: 999}\n", 1, "what was found instead"},
    {BAD "    rejected: {finding: bad-selector, file: other.yaml}\n", 1, "what was found instead"},
    {BAD "    rejected: {finding: bad-selector, suggestion: no such word}\n", 1,
     "what was found instead"},
    {BAD "    rejected: {finding: unknown-field}\n", 1, "what was found instead"},
    {BAD_AND_TWICE "    rejected: {finding: replaced-in-bundle}\n", 1,
     "warning: BGPPeer \"twice\" stands"},
    {BAD, 1, "manifests are accepted"},
    {UP MESH_OFF "  - roll: {sample: 12, lost: 0}\n", 1, "lost on 12 flows"},
    {UP "  - fault: {freeze: kube-2}\n  - roll: {}\n    deadline: 2s\n", 5,
     "every batch comes back within the deadline"},
    {UP "  - fault: {freeze: kube-1}\n  - roll: {}\n    deadline: 200ms\n", 4,
     "a speaker could not be restarted"},
    {UP "  - churn: {rate: 100000, for: 10s}\n    deadline: 100ms\n", 1,
     "the changes were not done within the deadline"},
    {UP "  - churn: {rate: 10, for: 1s, blocks: 1000}\n", 2, "the pool has not that many blocks"},
    {UP "  - delete: pool.yaml\n  - churn: {rate: 10, for: 1s}\n", 2, "there is no IPPool"},
    {UP "  - fault: {kill: kube-1}\n  - fault: {freeze: kube-1}\n", 4, "a fault could not be set"},
};

static void test_each_expectation_can_fail(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        struct run r = run_steps(wrongs[i].steps);
        assert_says(r.out, wrongs[i].says);
        assert_says(r.out, "FAIL");
        assert_int_equal(r.status, wrongs[i].status);
        run_close(&r);
    }
    assert_true(await_no_children());
}

/* What holds is what can come up: that there is more to come up is said beside it, of each session
 * once; what the scenario itself brought down is not of the plan. */
static void test_a_plan_that_fails_is_no_good_news(void **state) {
    static const char all[] = "3 planned sessions do not come up by plan: kube-1 Mesh_10_0_0_3: "
                              "bad-peer-as: ";
    (void)state;
    struct run r = run_steps(NO_AS "    expect: {sessions: planned}\n");
    assert_says(r.out, "ok    sessions: exactly the planned ones \xe2\x80\x94 3 planned");
    assert_says(r.out, all);
    assert_int_equal(r.status, 0);
    run_close(&r);
    r = run_steps(NO_AS "    expect: {converged: true}\n");
    assert_says(r.out, "kernel tables as computed \xe2\x80\x94 3 planned");
    assert_says(r.out, all);
    run_close(&r);
    r = run_steps(NO_AS "    expect: {sessions: {node: kube-2, set: planned}}\n");
    assert_says(r.out, "1 planned session does not come up by plan: kube-1 Mesh_10_0_0_3: bad-");
    run_close(&r);
    r = run_steps(UP "  - fault: {kill: kube-1}\n    expect: {sessions: planned}\n");
    assert_null(strstr(written(r.out), "by plan"));
    assert_int_equal(r.status, 0);
    run_close(&r);
}

/* Of one node its own sessions are asked for, and no other's. */
static void test_the_sessions_of_a_node(void **state) {
    (void)state;
    struct run r = run_steps("  - expect:\n      sessions:\n        node: kube-1\n        pairs: "
                             "[[kube-1, kube-2], [kube-3, kube-1], [kube-1, kube-4]]\n");
    assert_says(r.out, "ok    sessions of kube-1: exactly the listed pairs");
    assert_int_equal(r.status, 0);
    run_close(&r);
}

#define PORTED_NODES 18
#define V3 "      - {apiVersion: projectcalico.org/v3, "

static void put_neighbor(FILE *f, int node, int other) {
    fprintf(f,
            V3 "kind: BGPPeer, metadata: {name: p%d-%d}, spec: {node: kube-%d, peerIP: "
               "\"10.0.0.%d:%d\", asNumber: 64512}}\n",
            node, other, node, other + 1, 2000 + other);
}

/* A star around kube-1; each node listens on a port of its own from the first step on. */
static void put_ported(FILE *f) {
    fputs("name: ports\ntopology:\n  name: ports\n  segments: {name: lan, subnet: 10.0.0.0/24}\n",
          f);
    fprintf(f, "  nodes: {count: %d, name: \"kube-%%d\"}\n", PORTED_NODES);
    fputs("steps:\n  - apply:\n" V3 "kind: BGPConfiguration, metadata: {name: default}, spec: "
          "{nodeToNodeMeshEnabled: false}}\n    expect: {sessions: none}\n  - apply:\n",
          f);
    for (int i = 1; i <= PORTED_NODES; i++)
        fprintf(f,
                V3 "kind: BGPConfiguration, metadata: {name: node.kube-%d}, spec: {listenPort: "
                   "%d}}\n",
                i, 2000 + i);
    for (int i = 2; i <= PORTED_NODES; i++) {
        put_neighbor(f, 1, i);
        put_neighbor(f, i, 1);
    }
    fputs("  - expect: {sessions: planned}\n", f);
}

/* Kernel and wire are asked for BGP at any port, those that a step brought included. */
static void test_ports_of_their_own(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    assert_non_null(f);
    put_ported(f);
    assert_int_equal(fclose(f), 0);
    (void)mkdir(fixture_path("ports"), 0755);
    fixture_text("ports/scenario.yaml", text);
    free(text);
    struct run r = run_words(
        WORDS("run", fixture_path("ports"), "--runs", fixture_path("runs"), "--allow-noise"));
    assert_says(r.out, "sessions expected 17: speakers 17, kernel 17, wire 17");
    run_close(&r);
}

/* The port is closed under a session that stays up: what is new on one side cannot cross. */
static void test_the_last_hop_is_named(void **state) {
    (void)state;
    struct run r = run_steps("  - expect: {converged: true}\n"
                             "  - fault: {block: kube-2}\n"
                             "  - apply:\n"
                             "      - apiVersion: projectcalico.org/v3\n"
                             "        kind: IPPool\n"
                             "        metadata: {name: second}\n"
                             "        spec: {cidr: 10.99.0.0/16}\n"
                             "    expect: {fib: {prefix: 10.99.0.64/26, at: kube-2}}\n"
                             "  - expect: {converged: true}\n"
                             "    deadline: 200ms\n"
                             "  - fault: {unblock: kube-2}\n"
                             "    expect: {converged: true}\n");
    assert_says(r.out, "kube-1: Loc-RIB has no route to 10.99.0.64/26: last seen at kube-2, not at "
                       "kube-1");
    assert_says(r.out, "kube-1: kernel has no route to 10.99.0.64/26");
    assert_int_equal(r.status, 5);
    run_close(&r);
}

/* A cut by plan: the cause comes first, and nobody waits for the deadline. */
static void test_a_cut_by_plan_is_explained_at_once(void **state) {
    (void)state;
    struct run r = run_steps("  - apply:\n"
                             "      - apiVersion: projectcalico.org/v3\n"
                             "        kind: BGPConfiguration\n"
                             "        metadata: {name: default}\n"
                             "        spec: {nodeToNodeMeshEnabled: false}\n"
                             "    expect: {converged: true, ping: {from: kube-1, to: kube-2}}\n"
                             "    deadline: 10m\n"); /* the fixture waits for two */
    assert_says(r.out, "by plan kube-1 has no route to 10.244.0.64/26: kube-2 has it, but no chain "
                       "of sessions leads from there to kube-1");
    assert_says(r.out, "warning: the mesh is off and no BGPPeer replaces it");
    const char *text = written(r.out);
    assert_true(strstr(text, "by plan kube-1") < strstr(text, "kube-2 (10.244.0.65):"));
    assert_int_equal(r.status, 1);
    run_close(&r);
}

/* Behind the runner's back: the kernels' tables are read from the kernels. */
static void change_route(const char *node, const char *const *route) {
    const char *words[16] = {"exec", node, "ip", "route"};
    for (size_t i = 0; route[i]; i++)
        words[4 + i] = route[i];
    struct run r = run_words(words);
    if (r.status != 0)
        fail_msg("exec: %d: %s %s", r.status, written(r.out), written(r.err));
    run_close(&r);
}

static void test_changed_kernels_are_seen(void **state) {
    (void)state;
    fixture_scenario("changed", "  - name: up\n    expect: {converged: true}\n"
                                "  - name: until it is there\n    deadline: 1h\n"
                                "    expect: {fib: {prefix: 203.0.113.0/24, at: kube-1}}\n"
                                "  - name: end\n" SOON "    expect: {converged: true}\n");
    struct run r = run_start(
        WORDS("run", fixture_path("changed"), "--runs", fixture_path("runs"), "--allow-noise"));
    assert_true(await_file_says(r.out, " up  ", r.pid));
    change_route("kube-2",
                 WORDS("add", "10.244.0.0/26", "via", "10.0.0.5", "metric", "7", "proto", "bird"));
    change_route("kube-1", WORDS("add", "blackhole", "203.0.113.0/24", "proto", "bird"));
    run_end(&r);
    assert_says(r.out, "kube-1: kernel has an unexpected route to 203.0.113.0/24");
    assert_says(r.out,
                "kube-2: kernel differs at 10.244.0.0/26: expected via 10.0.0.2 metric 1024, "
                "seen via 10.0.0.5 10.0.0.2 metric 7");
    assert_int_equal(r.status, 5);
    run_close(&r);
}

/* Many differences are counted: the text stays short. */
static void test_differences_are_counted(void **state) {
    (void)state;
    fixture_scenario("many", "  - expect: {sessions: {pairs: [[kube-1, kube-2]]}}\n");
    struct run r = run_words(WORDS("run", fixture_path("many"), "--runs", fixture_path("runs"),
                                   "--set", "nodes=9", "--allow-noise"));
    assert_says(r.out, "planned but not listed");
    assert_says(r.out, "and 11 more"); /* 36 pairs, one is listed, 24 are named */
    assert_int_equal(r.status, 1);
    run_close(&r);
}

static struct run run_with_warning(const char *as) {
    fixture_scenario("warned", "  - apply: change.yaml\n    expect: {converged: true}\n");
    fixture_text("warned/change.yaml",
                 "apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\n"
                 "metadata: {name: default}\nspec: {nodeToNodeMeshEnabled: false}\n---\n"
                 "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: all}\n"
                 "spec: {nodeSelector: all(), peerSelector: all()}\n");
    fixture_remove(fixture_path("warned-runs"));
    return run_words(WORDS("run", fixture_path("warned"), "--runs", fixture_path("warned-runs"),
                           "--allow-noise", "--warnings-as", as));
}

/* A warning of a step counts as one of the start does; report and exit status say the same. */
static void test_warnings_count(void **state) {
    static const struct {
        const char *as, *verdict, *says;
        int status;
    } rows[] = {
        {"ok", "passed", "PASS passed: 1 of 1", 0},
        {"warn", "passed-with-warnings", "PASS passed-with-warnings: 1 of 1", 3},
        {"fail", "failed", "FAIL  no warnings\n         mesh-off-first: ", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct run r = run_with_warning(rows[i].as);
        assert_says(r.out, rows[i].says);
        assert_int_equal(r.status, rows[i].status);
        json_t *result = only_result("warned-runs");
        assert_string_equal(text_in(result, "verdict"), rows[i].verdict);
        assert_int_equal(json_integer_value(json_object_get(result, "exit_status")), r.status);
        json_decref(result);
        run_close(&r);
    }
}

/* A note is no warning. */
static void test_notes_do_not_count(void **state) {
    (void)state;
    fixture_scenario("noted", "  - expect: {converged: true}\n");
    fixture_text("noted/pool.yaml",
                 "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: kube-1}\n"
                 "spec: {bgp: {ipv4Address: 10.0.0.2/16}}\n---\napiVersion: v1\nkind: Node\n"
                 "metadata: {name: kube-2}\n");
    struct run r =
        run_words(WORDS("run", fixture_path("noted"), "--runs", fixture_path("noted-runs"),
                        "--allow-noise", "--warnings-as", "fail"));
    json_t *result = only_result("noted-runs");
    json_t *note = json_array_get(json_object_get(result, "warnings"), 0);
    assert_string_equal(text_in(note, "severity"), "note");
    assert_int_equal(r.status, 0);
    json_decref(result);
    run_close(&r);
}

static struct run run_two_segments(const char *fabric, const char *steps) {
    char topology[400];
    fixture_scenario("apart", steps);
    snprintf(topology, sizeof topology,
             "name: apart\nfabric: %s\nsegments:\n  - {name: one, subnet: 10.1.0.0/24}\n"
             "  - {name: two, subnet: 10.2.0.0/24}\nnodes:\n"
             "  - {name: a-1, segment: one}\n  - {name: a-2, segment: one}\n"
             "  - {name: b-1, segment: two}\n",
             fabric);
    fixture_text("apart/topology.yaml", topology);
    return run_words(WORDS("run", fixture_path("apart"), "--runs", fixture_path("runs"), "--set",
                           "nodes=3", "--allow-noise"));
}

/* A session that is missing stands there once, with who misses it and what its own end says. */
static void test_a_missing_session_is_named_once(void **state) {
    (void)state;
    struct run r = run_two_segments("l2", "  - expect:\n      log:\n"
                                          "        - {node: a-1, contains: session_up}\n"
                                          "        - {node: a-2, contains: session_up}\n"
                                          "  - expect: {sessions: mesh, converged: true}\n" SOON);
    assert_says(r.err, "no router joins segment \"two\" with \"one\"");
    assert_says(r.out, "kernel, speakers, wire: missing: a-1 - b-1 (10.2.0.");
    assert_says(r.out, "at a-1");
    assert_null(strstr(written(r.out), "missing: b-1 - a-1"));
    assert_null(strstr(written(r.out), "missing: a-1 - a-2"));
    assert_int_equal(r.status, 5);
    run_close(&r);
}

/* Not all that is planned can stand, so that the hold ends as it begins. */
static void test_a_hold_can_fail(void **state) {
    (void)state;
    struct run r = run_two_segments("l2", "  - hold: {for: 1h}\n");
    assert_says(r.out, "held for 3600 s: no session lost, tables as computed");
    assert_says(r.out, "not all planned sessions are there");
    assert_int_equal(r.status, 1);
    run_close(&r);
}

/* Subnets that no router joins are joined by the fabric. */
static void test_segments_are_joined(void **state) {
    (void)state;
    struct run r = run_two_segments("auto", "  - expect: {sessions: mesh, converged: true}\n");
    assert_says(r.out, "fabric routed");
    assert_null(strstr(written(r.err), "no router joins"));
    assert_int_equal(r.status, 0);
    run_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_expectation_can_fail),
        cmocka_unit_test(test_a_plan_that_fails_is_no_good_news),
        cmocka_unit_test(test_the_sessions_of_a_node),
        cmocka_unit_test(test_warnings_count),
        cmocka_unit_test(test_notes_do_not_count),
        cmocka_unit_test(test_ports_of_their_own),
        cmocka_unit_test(test_the_last_hop_is_named),
        cmocka_unit_test(test_a_hold_can_fail),
        cmocka_unit_test(test_a_cut_by_plan_is_explained_at_once),
        cmocka_unit_test(test_changed_kernels_are_seen),
        cmocka_unit_test(test_differences_are_counted),
        cmocka_unit_test(test_a_missing_session_is_named_once),
        cmocka_unit_test(test_segments_are_joined),
    };
    return cmocka_run_group_tests(tests, world_enter, world_leave);
}
