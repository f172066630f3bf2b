/*
 * The forms of a plan beside table and JSON: wide, YAML, matrix and Graphviz, on a small cluster
 * with a mesh, a reflector and a router outside.
 */
#include "calico_test.h"

#include "plan_forms.h"

static void small_plan(struct fixture *f) {
    fixture_nodes(f, 2);
    fixture_node(f, "rr", "10.0.0.9", 0, "1.1.1.1");
    fixture_must_apply(
        f, "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: tor}\n"
           "spec: {node: kube-1, peerIP: 10.0.0.254, asNumber: 65001, ttlSecurity: 3}\n"
           "---\napiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: rr}\n"
           "spec: {nodeSelector: has(worker), peerSelector: has(route-reflector)}\n");
    fixture_plan(f);
}

static void expect_text(const struct text *t, const char *golden) {
    if (strcmp(text_str(t), golden) != 0)
        fail_msg("got:\n%s\nnot:\n%s", text_str(t), golden);
}

static void test_matrix(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    small_plan(f);
    calico_plan_matrix(f->plan, NULL, 0, false, &t);
    expect_text(&t, "\nsessions, seen from the row:\n"
                    "      1  2  3  4\n"
                    "   1  \\  m  N  N  kube-1\n"
                    "   2  M  \\  N  .  kube-2\n"
                    "   3  N  N  \\  .  rr\n"
                    "   4  outside: 10.0.0.254\n"
                    "  m mesh, g global, n node specific, w local workload; upper case: the row"
                    " dials; !: will not come up\n");
    text_clear(&t);
    calico_plan_matrix(f->plan, NULL, 0, true, &t);
    assert_non_null(strstr(text_str(&t), "\033[36m m\033[0m"));
    text_deinit(&t);
}

static void test_matrix_bounds(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    fixture_nodes(f, CALICO_MATRIX_MAX);
    fixture_plan(f);
    calico_plan_matrix(f->plan, NULL, 0, false, &t);
    assert_true(t.size > 0);
    text_clear(&t);
    fixture_node(f, "one-more", "10.9.9.9", 0, NULL);
    fixture_plan(f);
    calico_plan_matrix(f->plan, NULL, 0, false, &t);
    assert_int_equal(t.size, 0);
    text_deinit(&t);
}

static void test_matrix_shows_failures(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    fixture_node(f, "a", "10.0.0.1", 64600, NULL);
    fixture_node(f, "b", "10.0.0.2", 0, NULL);
    fixture_plan(f);
    calico_plan_matrix(f->plan, NULL, 0, false, &t);
    assert_non_null(strstr(text_str(&t), "!m")); /* b is expected in a's AS and has its own */
    text_deinit(&t);
}

static void test_wide(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    small_plan(f);
    assert_true(calico_plan_wide(f->plan, "kube-1", &t));
    assert_non_null(strstr(text_str(&t), "TTL SECURITY"));
    assert_non_null(
        strstr(text_str(&t), "Node_10_0_0_254  ipv4    node  10.0.0.254  -     -       65001"));
    assert_null(strstr(text_str(&t), "kube-2: AS"));
    text_clear(&t);
    assert_true(calico_plan_wide(f->plan, NULL, &t));
    assert_non_null(strstr(text_str(&t), "kube-2: AS 64512"));
    assert_non_null(strstr(text_str(&t), "4 sessions, 1 of them with outside routers"));
    text_deinit(&t);
}

/* Read back with our own reader: the same tree as the JSON's. */
static bool same_tree(json_t *j, const struct yaml_node *y) {
    const char *key;
    json_t *v;
    size_t i;
    if (json_is_object(j)) {
        json_object_foreach(j, key, v) if (!yaml_get(y, key) ||
                                           !same_tree(v, yaml_get(y, key))) return false;
        return y->kind == YAML_MAPPING && y->count == json_object_size(j);
    }
    if (json_is_array(j)) {
        if (y->kind != YAML_SEQUENCE || y->count != json_array_size(j))
            return false;
        json_array_foreach(j, i, v) if (!same_tree(v, y->items[i])) return false;
        return true;
    }
    char number[32];
    snprintf(number, sizeof number, "%lld", (long long)json_integer_value(j));
    const char *text = json_is_string(j)    ? json_string_value(j)
                       : json_is_integer(j) ? number
                       : json_is_true(j)    ? "true"
                       : json_is_false(j)   ? "false"
                                            : NULL;
    if (!text)
        return y->kind == YAML_NULL;
    return y->kind == YAML_SCALAR && y->quoted == json_is_string(j) && strcmp(y->text, text) == 0;
}

static void test_yaml(void **state) {
    struct fixture *f = *state;
    char *written = NULL;
    size_t size = 0;
    small_plan(f);
    FILE *out = open_memstream(&written, &size);
    assert_true(calico_plan_write_yaml(f->plan, f->diags, out));
    fclose(out);
    struct yaml_document *d = NULL;
    assert_int_equal(yaml_parse(written, size, "plan.yaml", f->arena, f->diags, &d), 1);
    json_t *tree = calico_plan_json(f->plan, f->diags);
    assert_true(same_tree(tree, d->root));
    json_decref(tree);
    free(written);
}

static void test_dot(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    small_plan(f);
    assert_true(calico_plan_dot(f->plan, &t));
    expect_text(&t, "digraph plan {\n  graph [overlap=false, splines=true];\n"
                    "  subgraph \"cluster_as64512\" {\n    label=\"AS 64512\";\n"
                    "    subgraph \"as64512_0\" {\n"
                    "      \"kube-1\" [label=\"kube-1\\n10.0.0.1\"];\n"
                    "      \"kube-2\" [label=\"kube-2\\n10.0.0.2\"];\n"
                    "      \"rr\" [label=\"rr\\n10.0.0.9\", shape=doubleoctagon];\n"
                    "    }\n  }\n"
                    "  \"10.0.0.254\" [label=\"10.0.0.254\\nAS 65001\", shape=box,"
                    " style=rounded];\n"
                    "  \"kube-1\" -> \"kube-2\" [dir=none, color=gray60];\n"
                    "  \"kube-1\" -> \"rr\" [dir=back];\n"
                    "  \"kube-1\" -> \"10.0.0.254\" [dir=none];\n"
                    "  \"kube-2\" -> \"rr\" [dir=back];\n"
                    "}\n");
    text_deinit(&t);
}

/* No name or label can become syntax. */
static void test_dot_quotes(void **state) {
    struct fixture *f = *state;
    struct text t;
    struct calico_label label = {"rack", "a\"];}\\"};
    struct calico_node n = {.name = "x\"y", .length4 = 24, .labels = &label, .label_count = 1};
    assert_true(ip_parse("10.0.0.1", &n.addr4));
    assert_true(calico_add_node(f->set, &n));
    fixture_plan(f);
    text_init(&t);
    assert_true(calico_plan_dot(f->plan, &t));
    assert_non_null(strstr(text_str(&t), "\"x\\\"y\" [label=\"x\\\"y\\n10.0.0.1\"];"));
    assert_non_null(strstr(text_str(&t), "label=\"a\\\"];}\\\\\";"));
    text_deinit(&t);
}

static void test_dot_large_mesh_is_a_hub(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    fixture_nodes(f, 40);
    fixture_plan(f);
    assert_true(calico_plan_dot(f->plan, &t));
    assert_non_null(strstr(text_str(&t), "\"mesh 0\" [label=\"mesh, IPv4\\n780 sessions\""));
    assert_null(strstr(text_str(&t), "\"kube-1\" -> \"kube-2\""));
    text_deinit(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_matrix),
        FIXTURE_TEST(test_matrix_bounds),
        FIXTURE_TEST(test_matrix_shows_failures),
        FIXTURE_TEST(test_wide),
        FIXTURE_TEST(test_yaml),
        FIXTURE_TEST(test_dot),
        FIXTURE_TEST(test_dot_quotes),
        FIXTURE_TEST(test_dot_large_mesh_is_a_hub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
