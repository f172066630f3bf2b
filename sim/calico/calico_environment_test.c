/*
 * calico-node's environment: what each variable takes and refuses, and what the plan makes of it.
 */
#include "calico_environment.h"

#include "calico_test.h"

#define CONFIG(spec)                                                                               \
    "---\napiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata: {name: default}\n"   \
    "spec: {" spec "}\n"

static const struct {
    const char *name, *value;
    const char *wrong; /* NULL: taken */
} rows[] = {
    {"CALICO_ROUTER_ID", "hash", NULL},
    {"CALICO_ROUTER_ID", "192.0.2.7", NULL},
    {"CALICO_ROUTER_ID", "fd00::1", "neither an IPv4 address"},
    {"CALICO_ROUTER_ID", "", "neither an IPv4 address"},
    {"USE_POD_CIDR", "true", NULL},
    {"USE_POD_CIDR", "false", NULL},
    {"USE_POD_CIDR", "yes", "true or false"},
    {"CALICO_ADVERTISE_CLUSTER_IPS", "", NULL},
    {"CALICO_ADVERTISE_CLUSTER_IPS", "10.96.0.0/12,fd00:10::/112", NULL},
    {"CALICO_ADVERTISE_CLUSTER_IPS", "10.96.0.0", "list of prefixes"},
    {"CALICO_ADVERTISE_CLUSTER_IPS", "10.96.0.1/12", "list of prefixes"},
    {"CALICO_ADVERTISE_CLUSTER_IPS", "10.96.0.0/12,", "comma too many"},
    {"CALICO_ADVERTISE_CLUSTER_IPS", "10.96.0.0/12,,10.0.0.0/8", "comma too many"},
    {"CALICO_ADVERTISE_CLUSTER_IPS",
     "1.0.0.0/8,2.0.0.0/8,3.0.0.0/8,4.0.0.0/8,5.0.0.0/8,6.0.0.0/8,7.0.0.0/8,8.0.0.0/8,9.0.0.0/8,"
     "11.0.0.0/8,12.0.0.0/8,13.0.0.0/8,14.0.0.0/8,15.0.0.0/8,16.0.0.0/8,17.0.0.0/8,18.0.0.0/8",
     "at most 16"},
    {"CALICO_ROUTER_IDS", "hash", "none of"},
    {"NAMESPACE", "calico-system", NULL},
    {"NAMESPACE", "", "name of a namespace"},
    {"NAMESPACE", "Calico", "name of a namespace"},
    {"NAMESPACE", "-a", "name of a namespace"},
    {"NAMESPACE", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "name of a namespace"},
};

static void test_variables(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct calico_environment e = {.router_id = ""};
        const char *wrong = calico_environment_set(&e, rows[i].name, rows[i].value);
        if (rows[i].wrong ? !wrong || !strstr(wrong, rows[i].wrong) : wrong != NULL)
            fail_msg("%s=%s: %s", rows[i].name, rows[i].value, wrong ? wrong : "taken");
    }
}

static bool announces(const struct fixture *f, const char *node, const char *prefix) {
    const struct calico_plan_node *n = calico_plan_find(f->plan, node);
    const struct bgp_config *c = calico_compile(f->plan, n, BGP_PROFILE_FAST, f->plan->arena);
    char text[IP_PREFIX_TEXT_MAX];
    assert_non_null(c);
    for (uint32_t i = 0; i < c->origin_count; i++)
        if (strcmp(ip_prefix_format(c->origins[i].prefix, text), prefix) == 0)
            return true;
    return false;
}

/* The variable replaces serviceClusterIPs, also where there is no BGPConfiguration. */
static void test_cluster_ips(void **state) {
    struct fixture *f = *state;
    struct calico_environment e = {.router_id = ""};
    struct calico_plan_options o = {.version = 0};
    assert_null(calico_environment_set(&e, "CALICO_ADVERTISE_CLUSTER_IPS", "10.112.0.0/12"));
    calico_environment_apply(&e, &o);
    assert_null(o.router_id);
    fixture_nodes(f, 1);
    fixture_plan_with(f, &o);
    assert_true(announces(f, "kube-1", "10.112.0.0/12"));
    fixture_must_apply(f, CONFIG("asNumber: 65000, serviceClusterIPs: [{cidr: 10.96.0.0/12}], "
                                 "serviceExternalIPs: [{cidr: 198.51.100.0/24}]"));
    fixture_plan_with(f, &o);
    assert_true(announces(f, "kube-1", "10.112.0.0/12"));
    assert_true(announces(f, "kube-1", "198.51.100.0/24"));
    assert_false(announces(f, "kube-1", "10.96.0.0/12"));
    assert_int_equal(f->plan->as_number, 65000);
    fixture_plan(f);
    assert_true(announces(f, "kube-1", "10.96.0.0/12"));
}

#define SECRET(space, value)                                                                       \
    "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: " space                     \
    "}\nstringData: {k: " value "}\n"

/* Without the variable a Secret counts where Calico is usually installed, with it only there. */
static void test_namespace(void **state) {
    struct fixture *f = *state;
    struct calico_environment e = {.router_id = ""};
    struct calico_plan_options o = {.version = 0};
    fixture_nodes(f, 2);
    fixture_must_apply(f, CONFIG("nodeMeshPassword: {secretKeyRef: {name: s, key: k}}")
                              SECRET("kube-system", "usual") SECRET("calico", "own"));
    fixture_plan(f);
    assert_string_equal(fixture_session(f, "kube-1", "Mesh_10_0_0_2")->password, "usual");
    assert_null(calico_environment_set(&e, "NAMESPACE", "calico"));
    calico_environment_apply(&e, &o);
    fixture_plan_with(f, &o);
    assert_string_equal(fixture_session(f, "kube-1", "Mesh_10_0_0_2")->password, "own");
    assert_null(calico_environment_set(&e, "NAMESPACE", "elsewhere"));
    fixture_plan_with(f, &o);
    assert_null(fixture_session(f, "kube-1", "Mesh_10_0_0_2")->password);
    assert_non_null(strstr(fixture_find(f, "missing-secret")->message, "namespace calico"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables),
        FIXTURE_TEST(test_cluster_ips),
        FIXTURE_TEST(test_namespace),
    };
    return cmocka_run_group_tests_name("calico environment", tests, NULL, NULL);
}
