/*
 * Manifests as people paste them from articles and documentation, in pasted/, each beside the nodes
 * of a small cluster: what is found in them, where, and what comes of those that are right.
 */
#include "cli_fixture.h"

#define HERE "sim/cli/pasted/"
#define FOUND_MAX 4
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct {
    const char *files[3]; /* beside nodes.yaml, in this order */
    int status;
    struct {
        const char *id, *place, *message; /* place: "FILE:LINE" */
    } found[FOUND_MAX];
} rows[] = {
    {{"mesh.yaml"}, 0, {{NULL}}},
    {{"reflectors.yaml"},
     3,
     {{"mesh-off-first", "reflectors.yaml:3", "peer-with-rr1"},
      {"node-kind", "reflectors.yaml:16", "removes those this leaves out"},
      {"node-kind", "reflectors.yaml:25", "node2"}}},
    {{"external-router.yaml"},
     3,
     {{"label-shadowed", "external-router.yaml:22", "label role is another: border"},
      {"reexport-all", "external-router.yaml:3", "10.0.1.1"}}},
    {{"filters.yaml"},
     2,
     {{"missing-match-operator", "filters.yaml:12", "export-pod-routes"},
      {"missing-match-operator", "filters.yaml:25", "import-external"}}},
    {{"filters-corrected.yaml"},
     3,
     {{"export-accept", "filters-corrected.yaml:8", "10.244.0.0/16"}}},
    {{"external-router.yaml", "filters-corrected.yaml"},
     3,
     {{"shadowed-by-global", "external-router.yaml:12", "external-router-filtered"}}},
    {{"prepend.yaml"}, 2, {{"unknown-field", "prepend.yaml:9", "prependASPath"}}},
    {{"communities.yaml"}, 2, {{"unused-communities", "communities.yaml:7", "not used"}}},
    {{"pool.yaml"}, 2, {{"bad-selector", "pool.yaml:13", "!has(node-role.kubernetes.io/master)"}}},
    {{"timers.yaml"}, 2, {{"unknown-field", "timers.yaml:9", "240 s"}}},
    {{"reflectors.yaml", "mesh.yaml"},
     3,
     {{"replaced-in-bundle", "mesh.yaml:2", "reflectors.yaml, line 3 already"}}},
    {{"flat-global-peer.yaml"}, 2, {{"lost-indentation", "flat-global-peer.yaml:4", "peerIP"}}},
    {{"flat-rack-peer.yaml"}, 2, {{"lost-indentation", "flat-rack-peer.yaml:4", "nodeSelector"}}},
    {{"flat-reflectors.yaml"}, 2, {{"lost-indentation", "flat-reflectors.yaml:4", "peerSelector"}}},
    {{"flat-filter.yaml"}, 2, {{"yaml-syntax", "flat-filter.yaml:10", "not indented"}}},
    {{"flat-filters-and-peer.yaml"},
     2,
     {{"lost-indentation", "flat-filters-and-peer.yaml:4", "exportV4"},
      {"duplicate-key", "flat-filters-and-peer.yaml:13", "matchOperator"},
      {"lost-indentation", "flat-filters-and-peer.yaml:46", "peerSelector"}}},
    {{"peers.yaml"}, 3, {{"shadowed-by-global", "peers.yaml:10", "my-global-peer"}}},
    {{"selected-reflectors.yaml"}, 3, {{"mesh-and-peer", "selected-reflectors.yaml:1", "2 s"}}},
    {{"patch.yaml"}, 2, {{"patch-document", "patch.yaml:1", "calicoctl patch"}}},
    {{"filter.yaml"}, 3, {{"unused-filter", "filter.yaml:2", "my-filter"}}},
    {{"filters-and-peer.yaml"},
     3,
     {{"filter-no-effect", "filters-and-peer.yaml:1", "IPv6"},
      {"mesh-and-peer", "filters-and-peer.yaml:43", "peer-with-filter"}}},
    {{"one-line.yaml"}, 2, {{"yaml-syntax", "one-line.yaml:1", "line of its own"}}},
    {{"one-line-api-config.yaml"},
     2,
     {{"yaml-syntax", "one-line-api-config.yaml:1", "line of its own"}}},
    {{"cisco-reflector.yaml"},
     3,
     {{"mesh-off-first", "cisco-reflector.yaml:2", "peer-to-external-rr"}}},
};

static json_t *json_of(const struct run *r) {
    json_error_t error;
    json_t *root = json_loads(written(r->out), 0, &error);
    if (!root)
        fail_msg("%s: %s %s", error.text, written(r->out), written(r->err));
    return root;
}

static bool has_finding(json_t *list, const char *id, const char *place, const char *message) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *f = json_array_get(list, i);
        char at[256];
        snprintf(at, sizeof at, "%s:%lld", text_in(f, "file"),
                 (long long)json_integer_value(json_object_get(f, "line")));
        if (strcmp(text_in(f, "id"), id) == 0 && strstr(text_in(f, "message"), message) &&
            strncmp(at, HERE, strlen(HERE)) == 0 && strcmp(at + strlen(HERE), place) == 0)
            return true;
    }
    return false;
}

static void test_found(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *words[8] = {"validate", "-o", "json", HERE "nodes.yaml"};
        char paths[3][96];
        for (size_t k = 0; k < 3 && rows[i].files[k]; k++) {
            snprintf(paths[k], sizeof paths[k], HERE "%s", rows[i].files[k]);
            words[4 + k] = paths[k];
        }
        struct run r = run_words(words);
        json_t *root = json_of(&r), *list = json_object_get(root, "findings");
        if (r.status != rows[i].status)
            fail_msg("%s: status %d: %s", words[4], r.status, written(r.out));
        for (size_t k = 0; k < FOUND_MAX && rows[i].found[k].id; k++)
            if (!has_finding(list, rows[i].found[k].id, rows[i].found[k].place,
                             rows[i].found[k].message))
                fail_msg("%s: no %s at %s: %s", words[4], rows[i].found[k].id,
                         rows[i].found[k].place, written(r.out));
        json_decref(root);
        run_close(&r);
    }
}

/* What those that are right come to. */
static const struct {
    const char *file, *node, *lines[3];
} plans[] = {
    {"mesh.yaml", "node3", {"Mesh_10_0_1_14        node4         64512       iBGP  passive"}},
    {"reflectors.yaml",
     "node1",
     {"route reflector 224.0.0.1",
      "Global_10_0_1_11      node2         64512       iBGP  passive, rr client",
      "Node_10_0_1_14        node4         64512       iBGP  rr client"}},
    {"external-router.yaml", "node4", {"Global_10_0_1_1       outside       65001       eBGP"}},
    {"selected-reflectors.yaml", "node4", {"Node_10_0_1_13        node3"}},
    {"filters-and-peer.yaml",
     "node4",
     {"Global_10_0_1_13      node3", "filters first-bgp-filter, second-bgp-filter"}},
    {"cisco-reflector.yaml", "node3", {"Node_192_168_1_1      outside  64512       iBGP"}},
};

static void test_planned(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        char path[96];
        snprintf(path, sizeof path, HERE "%s", plans[i].file);
        struct run r = run_words(WORDS("plan", HERE "nodes.yaml", path, "--node", plans[i].node));
        assert_int_equal(r.status, 0);
        for (size_t k = 0; k < 3 && plans[i].lines[k]; k++)
            assert_says(r.out, plans[i].lines[k]);
        run_close(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_planned),
    };
    return cmocka_run_group_tests_name("pasted", tests, world_enter, world_leave);
}
