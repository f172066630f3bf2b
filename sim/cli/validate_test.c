/*
 * validate, as a reviewer's tools call it: exit statuses, the three forms, several files and
 * standard input as one bundle.
 */

#include "cli_fixture.h"

#define NODES                                                                                      \
    "apiVersion: v1\nkind: Node\nmetadata:\n  name: a1\n  annotations:\n"                          \
    "    projectcalico.org/IPv4Address: 10.0.0.1/24\n---\n"                                        \
    "apiVersion: v1\nkind: Node\nmetadata:\n  name: b1\n  annotations:\n"                          \
    "    projectcalico.org/IPv4Address: 10.0.0.2/24\n"
#define PEER(spec)                                                                                 \
    "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: p}\nspec: {" spec "}\n"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int setup(void **state) {
    if (world_enter(state) != 0)
        return -1;
    fixture_text("nodes.yaml", NODES);
    fixture_text("warns.yaml", PEER("nodeSelector: has(none), peerIP: 192.0.2.1, asNumber: 65001"));
    fixture_text("wrong.yaml", PEER("peerIP: nowhere"));
    fixture_text("strange.yaml", PEER("peerIP: 192.0.2.1, asNumber: 65001, nodeSelecter: all()"));
    return 0;
}

static struct run validate(const char *const *words, int status) {
    struct run r = run_words(words);
    if (r.status != status)
        fail_msg("%s: status %d, not %d: %s %s", words[1], r.status, status, written(r.out),
                 written(r.err));
    return r;
}

static void test_statuses(void **state) {
    (void)state;
    const char *nodes = fixture_path("nodes.yaml"), *warns = fixture_path("warns.yaml"),
               *wrong = fixture_path("wrong.yaml");
    struct run r = validate(WORDS("validate", nodes), 0);
    assert_says(r.out, "1 valid");
    run_close(&r);
    /* Together the selector is seen to match nothing; alone nobody can say. */
    r = validate(WORDS("validate", warns), 0);
    run_close(&r);
    r = validate(WORDS("validate", nodes, warns), 3);
    assert_says(r.err, "warns.yaml:2:7: warning: BGPPeer \"p\": spec.nodeSelector");
    run_close(&r);
    r = validate(WORDS("validate", "--strict", nodes, warns), 2);
    run_close(&r);
    r = validate(WORDS("validate", "--strict", nodes), 0);
    run_close(&r);
    r = validate(WORDS("validate", nodes, wrong), 2);
    assert_says(r.err, "wrong.yaml:4:16: error");
    run_close(&r);
    r = validate(WORDS("validate", "-o", "xml", nodes), 2);
    assert_says(r.err, "text, json or sarif");
    run_close(&r);
}

static json_t *parsed(const struct run *r) {
    json_error_t error;
    json_t *root = json_loads(written(r->out), 0, &error);
    if (!root)
        fail_msg("%s: %s", error.text, written(r->out));
    return root;
}

static void test_nothing_there(void **state) {
    (void)state;
    fixture_text("nothing.yaml", "# to be written\n---\n");
    struct run r = validate(WORDS("validate", fixture_path("nothing.yaml")), 2);
    assert_non_null(strstr(written(r.err), "there is no manifest in it"));
    run_close(&r);
}

static void test_json(void **state) {
    (void)state;
    struct run r = validate(WORDS("validate", "-o", "json", fixture_path("nodes.yaml"),
                                  fixture_path("warns.yaml"), fixture_path("strange.yaml")),
                            2);
    json_t *root = parsed(&r);
    assert_true(json_is_false(json_object_get(root, "valid")));
    assert_int_equal(json_integer_value(json_object_get(root, "errors")), 1);
    json_t *list = json_object_get(root, "findings");
    bool field = false, selector = false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *f = json_array_get(list, i);
        field |= strcmp(text_in(f, "id"), "unknown-field") == 0 &&
                 strstr(text_in(f, "message"), "nodeSelector") && text_in(f, "cure")[0];
        selector |= strcmp(text_in(f, "id"), "selects-nothing") == 0;
    }
    /* What a refused document leaves is planned all the same. */
    assert_true(field && selector);
    json_decref(root);
    run_close(&r);
}

static void test_sarif(void **state) {
    (void)state;
    struct run r = validate(
        WORDS("validate", "-o", "sarif", fixture_path("nodes.yaml"), fixture_path("warns.yaml")),
        3);
    json_t *root = parsed(&r), *run = json_array_get(json_object_get(root, "runs"), 0);
    assert_string_equal(text_in(root, "version"), "2.1.0");
    json_t *result = json_array_get(json_object_get(run, "results"), 0);
    assert_string_equal(text_in(result, "ruleId"), "selects-nothing");
    json_t *rules =
        json_object_get(json_object_get(json_object_get(run, "tool"), "driver"), "rules");
    json_t *help = json_object_get(json_array_get(rules, 0), "help");
    assert_non_null(strstr(text_in(help, "text"), "labels"));
    json_decref(root);
    run_close(&r);
}

/* ---- scenarios: the states after their steps ---- */

#define APPLY(name) "  - apply: " name "\n"
#define TYPED(lines) "  - ios: {router: r1, lines: \"" lines "\"}\n"
#define V3 "apiVersion: projectcalico.org/v3\n"

static void scenario(const char *steps) {
    static const char head[] = "name: steps\ntopology:\n  name: steps\n  segments:\n"
                               "    - {name: lan, subnet: 10.0.0.0/24}\n  nodes:\n"
                               "    - {count: 2, name: \"kube-%d\"}\n  routers:\n"
                               "    - name: r1\n      kind: ios\n      config: r1.ios\n"
                               "      interfaces:\n        GigabitEthernet0/0: {segment: lan, "
                               "address: 10.0.0.254}\nsteps:\n";
    char text[4096];

    snprintf(text, sizeof text, "%s%s", head, steps);
    (void)mkdir(fixture_path("steps"), 0755);
    fixture_text("steps/scenario.yaml", text);
    fixture_text("steps/r1.ios", "hostname r1\nrouter bgp 64512\n bgp router-id 10.0.0.254\n");
    fixture_text("steps/typo.yaml", V3 "kind: BGPPeer\nmetadata: {name: typo}\nspec: "
                                       "{nodeSelector: has(rackk), peerIP: 10.0.0.254, asNumber: "
                                       "64512}\n");
    fixture_text("steps/pool.yaml", V3 "kind: IPPool\nmetadata: {name: p}\nspec: {cidr: "
                                       "10.244.0.0/16}\n");
    fixture_text("steps/bad.yaml", V3 "kind: BGPPeer\nmetadata: {name: x}\nspec: {peerSelector: "
                                      "\"a = b\"}\n");
    fixture_text("steps/off.yaml", V3 "kind: BGPConfiguration\nmetadata: {name: default}\nspec: "
                                      "{nodeToNodeMeshEnabled: false}\n---\n" V3
                                      "kind: BGPPeer\nmetadata: {name: all}\nspec: {nodeSelector: "
                                      "all(), peerSelector: all()}\n");
}

/* Frozen from the first state on: that it stays so is nothing new. */
static void test_what_stays_is_said_once(void **state) {
    (void)state;
    scenario(APPLY("pool.yaml") "manifests: noas.yaml\n");
    fixture_text("steps/noas.yaml",
                 V3 "kind: BGPPeer\nmetadata: {name: n}\nspec: {peerIP: 192.0.2.1}\n");
    struct run r = validate(WORDS("validate", fixture_path("steps")), 3);
    assert_says(r.err, "BIRD refuses the IPv4 configuration");
    assert_null(strstr(written(r.err), "after step"));
    run_close(&r);
}

static size_t count_of(const char *text, const char *what) {
    size_t n = 0;

    for (text = strstr(text, what); text; text = strstr(text + 1, what))
        n++;
    return n;
}

static const struct {
    const char *steps;
    int status;
    const char *says;
} states[] = {
    {"  - expect: {sessions: mesh}\n" APPLY("pool.yaml"), 0, ""},
    /* Once, though the states of two more steps have it. */
    {APPLY("typo.yaml") APPLY("pool.yaml") "  - delete: pool.yaml\n", 3, "spec.nodeSelector"},
    {APPLY("bad.yaml"), 2, "steps/bad.yaml:4:25: error: "},
    {APPLY("bad.yaml") "    rejected: {finding: bad-selector}\n", 0, ""},
    {APPLY("off.yaml"), 3, "steps/off.yaml:2:7: warning: "},
    {APPLY("off.yaml") "    expect: {finding: {finding: mesh-off-first}}\n", 0, ""},
    {"  - delete: pool.yaml\n", 3, "IPPool \"p\" does not exist"},
    {TYPED("router bgp 64512\\n  neighbor 10.0.0.1 remote-as 64512"), 0, ""},
    {TYPED("do clear ip bgp *"), 0, ""},
    {TYPED("do cleer ip bgp *"), 3, "r1: \"do cleer ip bgp *\": % Invalid input"},
    {TYPED("router bgp 64512\\n  nieghbor 10.0.0.1 remote-as 64512"), 3,
     "r1: \"nieghbor 10.0.0.1 remote-as 64512\": % Invalid input"},
};

static void test_states_of_steps(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        scenario(states[i].steps);
        const char *path = fixture_path("steps");
        struct run r = validate(WORDS("validate", path), states[i].status);
        assert_says(r.err, states[i].says);
        assert_int_equal(count_of(written(r.err), "after step "), states[i].status != 0);
        run_close(&r);
        r = validate(WORDS("validate", "--strict", path), states[i].status ? 2 : 0);
        run_close(&r);
    }
}

/* The step is a member of its own, by its name and place. */
static void test_states_of_steps_json(void **state) {
    (void)state;
    scenario(APPLY("pool.yaml") APPLY("typo.yaml"));
    const char *path = fixture_path("steps");
    struct run r = validate(WORDS("validate", "--json", path), 3);
    json_t *root = parsed(&r), *list = json_object_get(root, "findings");
    bool found = false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *f = json_array_get(list, i);
        found |= strcmp(text_in(f, "id"), "selects-nothing") == 0 &&
                 strstr(text_in(f, "step"), "apply typo.yaml (") &&
                 strstr(text_in(f, "step"), "steps/scenario.yaml:16)");
    }
    if (!found)
        fail_msg("%s", written(r.out));
    json_decref(root);
    run_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_nothing_there),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_sarif),
        cmocka_unit_test(test_states_of_steps),
        cmocka_unit_test(test_states_of_steps_json),
        cmocka_unit_test(test_what_stays_is_said_once),
    };
    return cmocka_run_group_tests_name("validate", tests, setup, world_leave);
}
