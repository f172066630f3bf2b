/*
 * The longest lists and the largest numbers that a resource may have, and one more: refused with a
 * finding that names the limit.
 */
#include "calico_test.h"

#include "document.h"

#define V3(kind, name)                                                                             \
    "apiVersion: projectcalico.org/v3\nkind: " kind "\nmetadata: {name: " name "}\n"
#define CONFIG V3("BGPConfiguration", "default") "spec: {"
#define RULE V3("BGPFilter", "f") "spec: {importV4: [{action: Accept, "
#define SERVICE "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: d}\n"
#define SLICE                                                                                      \
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s, namespace: d, "     \
    "labels: {kubernetes.io/service-name: s}}\naddressType: IPv4\nports: []\n"
#define STATUS V3("CalicoNodeStatus", "s") "spec: {node: n, classes: [BGP], updatePeriodSeconds: "

/* `before`, the item so many times with commas between, `after`. Of `item` %zu is which it is. */
static const struct {
    const char *before, *item, *after;
    size_t max;
    const char *says;
} lists[] = {
    {CONFIG "serviceClusterIPs: [", "{cidr: 10.0.0.0/8}", "]}\n", 500, "at most 500"},
    {CONFIG "serviceExternalIPs: [", "{cidr: 10.0.0.0/8}", "]}\n", 500, "at most 500"},
    {CONFIG "ignoredInterfaces: [", "eth%zu", "]}\n", 500, "at most 500"},
    {CONFIG "communities: [", "{name: c%zu, value: '1:1'}", "]}\n", 500, "at most 500"},
    {CONFIG "prefixAdvertisements: [{cidr: 10.0.0.0/8, communities: [", "'1:%zu'", "]}]}\n", 50,
     "at most 50"},
    {V3("BGPFilter", "f") "spec: {importV4: [", "{action: Reject}", "]}\n", 65000, "at most 65000"},
    {RULE "operations: [", "{addCommunity: {value: '1:%zu'}}", "]}]}\n", 10, "at most 10"},
    {RULE "operations: [{prependASPath: {prefix: [", "65000", "]}}]}]}\n", 10, "at most 10"},
    {RULE "asPathPrefix: [", "65000", "]}]}\n", 255, "at most 255"},
    {V3("BGPPeer", "p") "spec: {peerIP: 10.0.0.1, asNumber: 1, filters: [", "f", "]}\n", 500,
     "at most 500"},
    {"apiVersion: v1\nkind: Node\nmetadata: {name: n}\nspec: {podCIDRs: [", "10.0.%zu.0/24", "]}\n",
     16, "at most 16"},
    {SERVICE "spec: {externalIPs: [", "10.0.0.1", "]}\n", 1000, "at most 1000"},
    {SERVICE "spec: {type: LoadBalancer}\nstatus: {loadBalancer: {ingress: [", "{ip: 10.0.0.1}",
     "]}}\n", 1000, "at most 1000"},
    {SLICE "endpoints: [", "{addresses: [10.0.0.1]}", "]\n", 1000, "at most 1000"},
};

static const struct {
    const char *before, *after;
    unsigned long max;
} numbers[] = {
    {CONFIG "ipv4NormalRoutePriority: ", "}\n", 2147483646},
    {CONFIG "ipv6NormalRoutePriority: ", "}\n", 2147483646},
    {RULE "priority: ", "}]}\n", 2147483646},
    {STATUS, "}\n", 86400},
};

/* `says` NULL: nothing is wrong with the length. */
static void assert_applied(struct fixture *f, const char *text, const char *id, const char *says) {
    fixture_forget(f);
    (void)fixture_apply(f, text, true);
    const struct diag *d = fixture_find(f, id);
    if ((d != NULL) == (says != NULL) && (!says || strstr(d->message, says)))
        return;
    fixture_show(f);
    fail_msg("%s \"%s\" expected: %.300s", says ? id : "no", says ? says : id, text);
}

static void test_lists(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (size_t more = 0; more < 2; more++) {
            const char *item = lists[i].item, *at = strstr(item, "%zu");
            struct text t;
            text_init(&t);
            text_puts(&t, lists[i].before);
            for (size_t k = 0; k < lists[i].max + more; k++) {
                text_puts(&t, k ? ", " : "");
                text_printf(&t, "%.*s", at ? (int)(at - item) : (int)strlen(item), item);
                if (at)
                    text_printf(&t, "%zu%s", k, at + 3);
            }
            text_puts(&t, lists[i].after);
            assert_applied(f, text_str(&t), "too-many", more ? lists[i].says : NULL);
            text_deinit(&t);
        }
}

static void test_numbers(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        for (unsigned more = 0; more < 2; more++) {
            char text[512], max[24];
            snprintf(text, sizeof text, "%s%lu%s", numbers[i].before, numbers[i].max + more,
                     numbers[i].after);
            snprintf(max, sizeof max, "%lu", numbers[i].max);
            assert_applied(f, text, "out-of-range", more ? max : NULL);
        }
}

/* Lists in lists. */
static void test_depth(void **state) {
    struct fixture *f = *state;
    for (size_t depth = DOCUMENT_LIST_DEPTH_MAX; depth <= DOCUMENT_LIST_DEPTH_MAX + 1; depth++) {
        struct text t;
        text_init(&t);
        for (size_t i = 0; i < depth; i++)
            text_puts(&t, "{apiVersion: v1, kind: List, items: [");
        for (size_t i = 0; i < depth; i++)
            text_puts(&t, "]}");
        assert_applied(f, text_str(&t), "too-deep",
                       depth > DOCUMENT_LIST_DEPTH_MAX ? "too deeply" : NULL);
        text_deinit(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lists, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_numbers, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_depth, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
