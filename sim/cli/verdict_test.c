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

/* Calico's BIRD waits two seconds before it connects: nothing stands when the hold begins. */
static void test_a_hold_can_fail(void **state) {
    (void)state;
    fixture_scenario("held", "  - hold: {for: 1h}\n");
    struct run r = run_words(WORDS("run", fixture_path("held"), "--runs", fixture_path("runs"),
                                   "--profile", "calico", "--allow-noise"));
    assert_says(r.out, "held for 3600 s: no session lost, tables as computed");
    assert_says(r.out, "not all planned sessions are there");
    assert_int_equal(r.status, 1);
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
    const char *text = written(r.out);
    assert_true(strstr(text, "by plan kube-1") < strstr(text, "kube-2 (10.244.0.65):"));
    assert_int_equal(r.status, 1);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_expectation_can_fail),
        cmocka_unit_test(test_the_last_hop_is_named),
        cmocka_unit_test(test_a_hold_can_fail),
        cmocka_unit_test(test_a_cut_by_plan_is_explained_at_once),
        cmocka_unit_test(test_differences_are_counted),
    };
    return cmocka_run_group_tests(tests, world_enter, world_leave);
}
