/*
 * Explanations, a row per rule: which rule spoke, with which verdict, and what a session's fields
 * come from; and the difference of two plans.
 */
#include "calico_test.h"

#include "explain.h"
#include "plan_diff.h"

#define V3 "apiVersion: projectcalico.org/v3\n"
#define PEER(name, spec) V3 "kind: BGPPeer\nmetadata: {name: " name "}\nspec: {" spec "}\n---\n"
#define CONFIG(spec) V3 "kind: BGPConfiguration\nmetadata: {name: default}\nspec: {" spec "}\n---\n"
#define SECRET                                                                                     \
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: kube-system}\n"                  \
    "stringData: {k: one}\n---\n"
#define POOL V3 "kind: IPPool\nmetadata: {name: p}\nspec: {cidr: 10.244.0.0/16}\n---\n"

static const struct {
    const char *name, *manifests, *node, *peer;
    const char *words[3]; /* all of them in the text, those behind a ! not */
} cases[] = {
    {"mesh by default", "", "kube-1", "kube-2", {"on by default", "Mesh_10_0_0_2", "comes up"}},
    {"mesh on",
     CONFIG("nodeToNodeMeshEnabled: true"),
     "kube-1",
     "kube-2",
     {"mesh is on (t.yaml:2)"}},
    {"mesh off",
     CONFIG("nodeToNodeMeshEnabled: false"),
     "kube-1",
     "kube-2",
     {"no session with kube-2", "nodeToNodeMeshEnabled is false (t.yaml:2)"}},
    {"peer is a reflector", "", "kube-1", "rr", {"the peer has a routeReflectorClusterID"}},
    {"node is a reflector", "", "rr", "kube-1", {"the node has a routeReflectorClusterID"}},
    {"outside",
     PEER("p", "peerIP: 10.0.0.77, asNumber: 65001"),
     "kube-1",
     "10.0.0.77",
     {"Global_10_0_0_77", "the session comes up if 10.0.0.77 wants it, too"}},
    {"not a node", "", "kube-1", "10.0.0.77", {"joins Calico nodes only"}},
    {"self", "", "kube-1", "10.0.0.1", {"the peer's address is the node's own"}},
    {"by address", "", "kube-1", "10.0.0.2", {"Mesh_10_0_0_2"}},
    {"by session", "", "kube-1", "Mesh_10_0_0_2", {"Mesh_10_0_0_2", "on by default"}},
    {"passive by text", "", "kube-1", "kube-2", {"yes: \"10.0.0.2\" is the larger text"}},
    {"dials by text", "", "kube-2", "kube-1", {"no: \"10.0.0.2\" is the larger text"}},
    {"mesh AS", "", "kube-1", "kube-2", {"so this node expects its own"}},
    {"default AS",
     "",
     "kube-1",
     "kube-2",
     {"64512: the node has no asNumber of its own, the cluster "
      "sets none"}},
    {"cluster AS",
     CONFIG("asNumber: 64999"),
     "kube-1",
     "kube-2",
     {"64999", "this is the cluster's"}},
    {"forward",
     PEER("p", "nodeSelector: has(worker), peerSelector: has(route-reflector)"),
     "kube-1",
     "rr",
     {"BGPPeer p (nodeSelector: has(worker); peerSelector: has(route-reflector)): Node_10_0_0_9"}},
    {"reverse",
     PEER("p", "nodeSelector: has(worker), peerSelector: has(route-reflector)"),
     "rr",
     "kube-1",
     {"from its other side: Node_10_0_0_1", "rrClient       yes", "(t.yaml:2)"}},
    {"reverse, manual",
     PEER("p", "node: kube-1, peerSelector: has(route-reflector), reversePeering: Manual"),
     "rr",
     "kube-1",
     {"no session with kube-1", "reversePeering is Manual"}},
    {"reverse, other AS",
     PEER("p", "node: kube-1, peerIP: 10.0.0.9, asNumber: 65000"),
     "rr",
     "kube-1",
     {"but with AS 65000 where the node has 64512"}},
    {"selector does not fit",
     PEER("p", "node: kube-2, peerIP: 10.0.0.254, asNumber: 65000"),
     "kube-1",
     "10.0.0.254",
     {"names the peer, but its node: kube-2 does not fit"}},
    {"global wins",
     PEER("g", "peerIP: 10.0.0.254, asNumber: 65000")
         PEER("n", "node: kube-1, peerIP: 10.0.0.254, asNumber: 65001"),
     "kube-1",
     "10.0.0.254",
     {"loses", "of BGPPeer g has the key: a global entry", "65000: asNumber of the BGPPeer"}},
    {"first writer wins",
     PEER("a", "node: kube-1, peerIP: 10.0.0.254, asNumber: 65000")
         PEER("b", "node: kube-1, peerIP: 10.0.0.254, asNumber: 65001"),
     "kube-1",
     "10.0.0.254",
     {"of BGPPeer a has the key: it was written first", "random order"}},
    {"reachableBy",
     PEER("p", "peerIP: 10.0.0.254, asNumber: 65000, sourceAddress: None, ttlSecurity: 2"),
     "kube-1",
     "10.0.0.254",
     {"none: sourceAddress None", "2 hops: both ends need it", "peers outside the cluster"}},
    {"password missing",
     PEER("p", "peerIP: 10.0.0.254, asNumber: 65000, password: {secretKeyRef: {name: s, key: k}}"),
     "kube-1",
     "10.0.0.254",
     {"missing: Secret s has no key k"}},
    {"localASNumber and next hop",
     PEER("p", "peerIP: 10.0.0.254, asNumber: 65000, localASNumber: 64998, nextHopMode: Keep"),
     "kube-1",
     "10.0.0.254",
     {"64998: localASNumber", "keep: nextHopMode"}},
    {"no AS",
     PEER("p", "peerIP: 10.0.0.254"),
     "kube-1",
     "10.0.0.254",
     {"peerIP without asNumber", "BIRD refuses the node's file"}},
    {"both mesh and BGPPeer",
     PEER("p", "node: kube-1, peerSelector: has(worker)"),
     "kube-1",
     "kube-2",
     {"kube-1 has 2 sessions with kube-2", "wait for its lock"}},
    {"two ports have two locks",
     PEER("a", "node: kube-1, peerIP: 10.0.0.254, asNumber: 65000")
         PEER("b", "node: kube-1, peerIP: '10.0.0.254:1790', asNumber: 65000"),
     "kube-1",
     "10.0.0.254",
     {"kube-1 has 2 sessions with 10.0.0.254", "!wait for its lock"}},
    {"0 and 179 are one port",
     PEER("a", "node: kube-1, peerSelector: has(worker)") CONFIG("listenPort: 179"),
     "kube-1",
     "kube-2",
     {"kube-1 has 2 sessions with kube-2", "wait for its lock"}},
    {"by selector both dial",
     CONFIG("nodeToNodeMeshEnabled: false") PEER("g", "peerSelector: has(worker)"),
     "kube-1",
     "kube-2",
     {"Global_10_0_0_2", "no: both ends of a peerSelector always dial", "!larger text"}},
    {"by address the larger one",
     CONFIG("nodeToNodeMeshEnabled: false") PEER("g", "peerIP: 10.0.0.2, asNumber: 64512"),
     "kube-1",
     "kube-2",
     {"yes: \"10.0.0.2\" is the larger text beside \"10.0.0.1\""}},
    {"a workload",
     SECRET POOL PEER("w", "nodeSelector: all(), localWorkloadSelector: all(), asNumber: 65100, "
                           "password: {secretKeyRef: {name: s, key: k}}"),
     "kube-1",
     "Local_Workload_10_244_0_1",
     {"BGPPeer w (nodeSelector: all(); localWorkloadSelector: all()): Local_Workload_10_244_0_1",
      "65100: asNumber of the BGPPeer", "none: a workload's session never has one"}},
};

static void nodes(struct fixture *f) {
    fixture_nodes(f, 2);
    fixture_node(f, "rr", "10.0.0.9", 0, "1.1.1.1");
}

static void explain(struct fixture *f, size_t i, struct text *out) {
    bool unknown = true;
    const struct calico_plan_node *n = calico_plan_find(f->plan, cases[i].node);
    json_t *j = calico_explain_session(f->plan, n, cases[i].peer, &unknown);
    assert_false(unknown);
    assert_non_null(j);
    calico_explain_print(j, out);
    json_decref(j);
}

static void check_word(const char *name, const char *text, const char *word) {
    bool unwanted = word[0] == '!';
    if ((strstr(text, word + unwanted) != NULL) == unwanted)
        fail_msg("%s: %s \"%s\" in:\n%s", name, unwanted ? "there is" : "no", word + unwanted,
                 text);
}

static void test_cases(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        calico_plan_free(f->plan);
        f->plan = NULL;
        calico_set_free(f->set);
        f->set = calico_set_new();
        nodes(f);
        fixture_must_apply(f, cases[i].manifests);
        fixture_plan(f);
        text_clear(&t);
        explain(f, i, &t);
        for (size_t k = 0; k < 3 && cases[i].words[k]; k++)
            check_word(cases[i].name, text_str(&t), cases[i].words[k]);
    }
    text_deinit(&t);
}

static void test_unknown(void **state) {
    struct fixture *f = *state;
    bool unknown = false;
    nodes(f);
    fixture_plan(f);
    assert_null(calico_explain_session(f->plan, calico_plan_find(f->plan, "rr"), "who", &unknown));
    assert_true(unknown);
}

/* ---- differences ---- */

static void test_diff(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    nodes(f);
    fixture_must_apply(f, PEER("p", "node: kube-1, peerIP: 10.0.0.254, asNumber: 65000"));
    struct calico_plan *same = fixture_plan(f);
    json_t *d = calico_plan_diff(same, same);
    assert_int_equal(json_array_size(json_object_get(d, "nodes")), 0);
    const char *what;
    json_t *number;
    json_object_foreach(json_object_get(d, "totals"), what, number) {
        assert_int_equal(json_integer_value(number), 0);
    }
    json_decref(d);
    struct calico_set *changed = calico_set_copy(f->set);
    struct yaml_document *documents = NULL;
    int count = fixture_documents(
        f,
        CONFIG("nodeToNodeMeshEnabled: false, serviceClusterIPs: [{cidr: 10.96.0.0/12}]") V3
        "kind: BGPFilter\nmetadata: {name: f}\nspec: {exportV4: [{action: Reject}]}\n---\n" PEER(
            "p", "node: kube-1, peerIP: 10.0.0.254, asNumber: 65001, filters: [f]"),
        &documents);
    assert_true(calico_apply(changed, documents, (size_t)count, true, f->diags));
    struct calico_plan *new = calico_plan_new(changed, NULL, f->diags);
    d = calico_plan_diff(same, new);
    calico_plan_diff_print(d, &t);
    const char *golden =
        "kube-1\n  - session Mesh_10_0_0_2 (kube-2)\n"
        "  ~ session Node_10_0_0_254: peerAS 65000 -> 65001, exportFilters [] -> [\"f\"]\n"
        "  + route 10.96.0.0/12\n"
        "kube-2\n  - session Mesh_10_0_0_1 (kube-1)\n  + route 10.96.0.0/12\n"
        "rr\n  + route 10.96.0.0/12\n"
        "filters\n  + BGPFilter f\n"
        "in sum: sessions +0 -2 ~1; routes +3 -0; filters +1 -0 ~0\n";
    if (strcmp(text_str(&t), golden) != 0)
        fail_msg("got:\n%s\nnot:\n%s", text_str(&t), golden);
    json_decref(d);
    d = calico_plan_diff(new, same);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(d, "totals"), "filtersRemoved")), 1);
    json_decref(d);
    calico_plan_free(new);
    calico_set_free(changed);
    text_deinit(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_cases),
        FIXTURE_TEST(test_unknown),
        FIXTURE_TEST(test_diff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
