/*
 * Every form of one plan that has a bit of everything (plan_golden.yaml), octet by octet: the
 * table, all columns, the matrix, Graphviz, JSON, the files for BIRD and the compiled configuration
 * of every node. What they are to be stands in plan_golden.*, read and judged like code;
 * GOLDEN_WRITE=1 writes them anew.
 */
#include "calico_test.h"

#include "../../speaker/config/config_json.h"
#include "plan_bird.h"
#include "plan_forms.h"

#include <stdlib.h>

#define GOLDEN(extension) "sim/calico/plan_golden." extension

static char *read_file(const char *path) {
    char *data = NULL;
    size_t size = 0;
    FILE *in = fopen(path, "rb"), *out = open_memstream(&data, &size);
    if (!in)
        fail_msg("%s is not there", path);
    assert_non_null(out);
    for (int c; (c = fgetc(in)) != EOF;)
        (void)fputc(c, out);
    fclose(in);
    fclose(out);
    return data;
}

static void write_file(const char *path, const char *data) {
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_true(fputs(data, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* Names the first line that differs. */
static void expect_golden(const char *path, const char *got) {
    if (getenv("GOLDEN_WRITE"))
        write_file(path, got);
    char *golden = read_file(path);
    size_t line = 1, at = 0;
    assert_true(strlen(golden) > 100);
    while (golden[at] && golden[at] == got[at])
        line += golden[at++] == '\n';
    if (golden[at] != got[at])
        fail_msg("%s:%zu: another octet: \"%.60s\", not \"%.60s\"", path, line, &got[at],
                 &golden[at]);
    free(golden);
}

/* The pods of the first node are routers. */
static const struct calico_label *pod_labels(void *context, const char *node, size_t *ret_count) {
    static const struct calico_label router = {"app", "router"};
    (void)context;
    *ret_count = strcmp(node, "kube-1") == 0;
    return &router;
}

static void plan_everything(struct fixture *f) {
    const struct calico_plan_options options = {
        .pods_per_node = 1, .pod_labels = pod_labels, .node_ip_interface = "eth0"};
    char *manifests = read_file(GOLDEN("yaml"));
    fixture_must_apply(f, manifests);
    fixture_plan_with(f, &options);
    free(manifests);
}

static void test_texts(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    plan_everything(f);
    calico_plan_print(f->plan, NULL, &t);
    calico_plan_matrix(f->plan, NULL, 0, false, &t);
    assert_true(calico_plan_wide(f->plan, NULL, &t));
    expect_golden(GOLDEN("txt"), text_str(&t));
    text_clear(&t);
    assert_true(calico_plan_dot(f->plan, &t));
    expect_golden(GOLDEN("dot"), text_str(&t));
    text_deinit(&t);
}

static void test_json(void **state) {
    struct fixture *f = *state;
    char *written = NULL;
    size_t size = 0;
    plan_everything(f);
    FILE *out = open_memstream(&written, &size);
    assert_non_null(out);
    assert_true(calico_plan_write_json(f->plan, f->diags, out));
    fclose(out);
    json_t *streamed = json_loads(written, 0, NULL), *whole = calico_plan_json(f->plan, f->diags);
    assert_true(streamed && json_equal(streamed, whole));
    json_decref(streamed);
    json_decref(whole);
    expect_golden(GOLDEN("json"), written);
    free(written);
}

static void test_bird(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    plan_everything(f);
    for (size_t i = 0; i < f->plan->node_count; i++) {
        for (int family = 0; family < BGP_FAMILIES; family++) {
            text_printf(&t, "######## %s %s\n", f->plan->nodes[i].node->name,
                        calico_bird_file_name((enum bgp_family)family));
            assert_true(calico_plan_bird(f->plan, &f->plan->nodes[i], (enum bgp_family)family, &t));
        }
    }
    expect_golden(GOLDEN("cfg"), text_str(&t));
    text_deinit(&t);
}

static void put_line(struct text *t, const char *key, const json_t *value) {
    char *line = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    assert_non_null(line);
    text_printf(t, "%s ", key);
    text_puts(t, line);
    text_putc(t, '\n');
    free(line);
}

/* A line for each field, and for each element of the long ones. */
static void put_config(struct text *t, const struct bgp_config *c) {
    json_t *root = config_to_json(c), *value, *item;
    const char *key;
    size_t i;
    assert_non_null(root);
    json_object_foreach(root, key, value) {
        if (json_array_size(value) == 0)
            put_line(t, key, value);
        json_array_foreach(value, i, item) put_line(t, key, item);
    }
    json_decref(root);
}

static void test_configurations(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    plan_everything(f);
    for (size_t i = 0; i < f->plan->node_count; i++) {
        struct bgp_config *c =
            calico_compile(f->plan, &f->plan->nodes[i], BGP_PROFILE_CALICO, f->arena);
        assert_non_null(c);
        put_config(&t, c);
    }
    expect_golden(GOLDEN("config"), text_str(&t));
    text_deinit(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_texts),
        FIXTURE_TEST(test_json),
        FIXTURE_TEST(test_bird),
        FIXTURE_TEST(test_configurations),
    };
    return cmocka_run_group_tests_name("plan golden", tests, NULL, NULL);
}
