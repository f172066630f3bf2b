/*
 * What a node's routes are for the kernel and for its peers: the kernel's filter by pool and
 * version, services by policy and endpoint, preference by metric, frozen configurations, and
 * prefix conditions of BGPFilters against a reading of their own.
 */
#include "calico_test.h"

#include "../../speaker/core/bgp.h"
#include "../../speaker/core/speaker.h"

#include <stdlib.h>

#define HEAD(kind, name)                                                                           \
    "apiVersion: projectcalico.org/v3\nkind: " kind "\nmetadata: {name: " name "}\nspec:\n"
#define CONFIG(fields) HEAD("BGPConfiguration", "default") "  {" fields "}\n---\n"
#define PEER(name, fields) HEAD("BGPPeer", name) "  {" fields "}\n---\n"
#define POOL(name, fields) HEAD("IPPool", name) "  {" fields "}\n---\n"
#define V(minor) CALICO_VERSION(3, minor, 99)

static struct bgp_config *compiled_at(struct fixture *f, const char *node, uint32_t version) {
    fixture_plan_with(f, &(struct calico_plan_options){.version = version});
    struct bgp_config *c =
        calico_compile(f->plan, calico_plan_find(f->plan, node), BGP_PROFILE_FAST, f->arena);
    assert_non_null(c);
    return c;
}

static void start_over(struct fixture *f) {
    calico_plan_free(f->plan);
    f->plan = NULL;
    calico_set_free(f->set);
    f->set = calico_set_new();
    fixture_forget(f);
}

static struct ip_prefix prefix_of(const char *text) {
    struct ip_prefix p;
    assert_true(ip_prefix_parse(text, &p));
    return p;
}

/* ---- the kernel's filter ---- */

#define PLAIN POOL("p", "cidr: 10.244.0.0/16")
#define IPIP POOL("p", "cidr: 10.244.0.0/16, ipipMode: Always")
#define IPIP_CROSS POOL("p", "cidr: 10.244.0.0/16, ipipMode: CrossSubnet")
#define VXLAN POOL("p", "cidr: 10.244.0.0/16, vxlanMode: Always")
#define WIREGUARD(node)                                                                            \
    "apiVersion: v1\nkind: Node\nmetadata: {name: " node ", annotations: "                         \
    "{projectcalico.org/IPv4WireguardInterfaceAddr: 10.244.0.9}}\n---\n"
#define PROGRAM(word) CONFIG("programClusterRoutes: " word)

static const struct {
    const char *manifests, *prefix, *next_hop; /* next_hop NULL: an own block */
    bool install;
    const char *device;
    uint32_t version;
} kernel_rows[] = {
    /* today: Felix has IPIP and VXLAN, BIRD the rest */
    {PLAIN, "10.244.1.0/26", "10.0.0.2", true, NULL, 0},
    {PLAIN, "10.244.0.0/26", NULL, true, NULL, 0},
    {PLAIN, "172.16.0.0/12", "192.0.2.1", true, NULL, 0},
    {IPIP, "10.244.1.0/26", "10.0.0.2", false, NULL, 0},
    {IPIP, "172.16.0.0/12", "192.0.2.1", true, NULL, 0},
    {IPIP_CROSS, "10.244.1.0/26", "10.0.0.2", false, NULL, 0},
    {VXLAN, "10.244.1.0/26", "10.0.0.2", false, NULL, 0},
    {VXLAN, "10.244.0.0/26", NULL, false, NULL, 0},
    /* v3.32 and before: BIRD has all but VXLAN */
    {PLAIN, "10.244.1.0/26", "10.0.0.2", true, NULL, V(32)},
    {IPIP, "10.244.1.0/26", "10.0.0.2", true, "tunl0", V(32)},
    {IPIP, "10.244.1.0/26", "10.0.0.2", true, "tunl0", V(28)},
    {IPIP_CROSS, "10.244.1.0/26", "10.0.0.2", true, NULL, V(28)},
    {IPIP_CROSS, "10.244.1.0/26", "10.0.9.2", true, "tunl0", V(28)},
    {VXLAN, "10.244.1.0/26", "10.0.0.2", false, NULL, V(28)},
    /* programClusterRoutes */
    {PLAIN PROGRAM("Enabled"), "10.244.1.0/26", "10.0.0.2", true, NULL, 0},
    {IPIP PROGRAM("Enabled"), "10.244.1.0/26", "10.0.0.2", true, "tunl0", 0},
    {PLAIN PROGRAM("Disabled"), "10.244.1.0/26", "10.0.0.2", false, NULL, 0},
    {IPIP PROGRAM("Disabled"), "10.244.1.0/26", "10.0.0.2", false, NULL, 0},
    {PLAIN PROGRAM("EnabledIPIPOnly"), "10.244.1.0/26", "10.0.0.2", false, NULL, 0},
    {IPIP PROGRAM("EnabledIPIPOnly"), "10.244.1.0/26", "10.0.0.2", true, "tunl0", 0},
    {IPIP_CROSS PROGRAM("EnabledIPIPOnly"), "10.244.1.0/26", "10.0.0.2", true, NULL, 0},
    {PLAIN PROGRAM("EnabledNoEncapOnly"), "10.244.1.0/26", "10.0.0.2", true, NULL, 0},
    {VXLAN PROGRAM("Enabled"), "10.244.1.0/26", "10.0.0.2", false, NULL, 0},
    {PLAIN PROGRAM("Disabled"), "10.244.1.0/26", "10.0.0.2", true, NULL, V(31)},
    /* services are never in the kernel, received or own */
    {CONFIG("serviceClusterIPs: [{cidr: 10.96.0.0/12}]"), "10.96.0.0/12", "10.0.0.2", false, NULL,
     0},
    {CONFIG("serviceExternalIPs: [{cidr: 198.51.100.0/24}]"), "198.51.100.7/32", "10.0.0.2", false,
     NULL, 0},
    {CONFIG("serviceLoadBalancerIPs: [{cidr: 203.0.113.0/24}]"), "203.0.113.0/24", "10.0.0.2",
     false, NULL, 0},
    /* by a WireGuard neighbour, on a node that runs it too */
    {PLAIN WIREGUARD("kube-1") WIREGUARD("kube-2"), "10.244.1.0/26", "10.0.0.2", false, NULL, 0},
    {PLAIN WIREGUARD("kube-1") WIREGUARD("kube-2"), "10.244.1.0/26", "10.0.0.3", true, NULL, 0},
    {PLAIN WIREGUARD("kube-2"), "10.244.1.0/26", "10.0.0.2", true, NULL, 0},
    {PLAIN WIREGUARD("kube-1"), "10.244.1.0/26", "10.0.0.2", true, NULL, 0},
    /* disabled pools count */
    {POOL("p", "cidr: 10.244.0.0/16, vxlanMode: CrossSubnet, disabled: true"), "10.244.1.0/26",
     "10.0.0.2", false, NULL, 0},
    /* IPv6: only what Felix has is refused */
    {POOL("p", "cidr: 'fd01::/48', vxlanMode: Always"), "fd01::/122", "fd00::2", false, NULL, 0},
    {POOL("p", "cidr: 'fd01::/48'"), "fd01::/122", "fd00::2", true, NULL, 0},
    {POOL("p", "cidr: 'fd01::/48'") PROGRAM("Disabled"), "fd01::/122", "fd00::2", false, NULL, 0},
};

static void check_kernel_row(struct fixture *f, size_t i) {
    start_over(f);
    fixture_nodes(f, 2);
    fixture_must_apply(f, HEAD("Node", "kube-1") "  bgp: {ipv4Address: 10.0.0.1/24, ipv6Address: "
                                                 "'fd00::1/64'}\n");
    fixture_must_apply(f, kernel_rows[i].manifests);
    struct bgp_config *c = compiled_at(f, "kube-1", kernel_rows[i].version);
    struct bgp_fib_route r = {.prefix = prefix_of(kernel_rows[i].prefix),
                              .source =
                                  kernel_rows[i].next_hop ? ROUTE_SOURCE_BGP : ROUTE_SOURCE_STATIC,
                              .blackhole = !kernel_rows[i].next_hop,
                              .local_pref = 2147482623};
    if (kernel_rows[i].next_hop)
        assert_true(ip_parse(kernel_rows[i].next_hop, &r.next_hop));
    struct bgp_fib_decision d = bgp_fib_decide(c, &r);
    const char *wanted = kernel_rows[i].device;
    if (d.install != kernel_rows[i].install || (d.device != NULL) != (wanted != NULL) ||
        (wanted && strcmp(d.device, wanted) != 0))
        fail_msg("row %zu: %s by %s: %s %s", i, kernel_rows[i].prefix, kernel_rows[i].next_hop,
                 d.install ? "installed" : "refused", d.device ? d.device : "");
}

static void test_kernel_filter(void **state) {
    for (size_t i = 0; i < sizeof kernel_rows / sizeof kernel_rows[0]; i++)
        check_kernel_row(*state, i);
}

/* ---- prefix conditions, by chance ---- */

static uint32_t seed = 1;
static uint32_t chance(uint32_t below) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

enum { EQUAL, NOT_EQUAL, IN, NOT_IN };
static const char *const operators[] = {"Equal", "NotEqual", "In", "NotIn"};

struct condition {
    uint32_t addr, mask_length, operator;
    bool bounded, has_min, has_max;
    uint32_t min, max;
};

static uint32_t mask_of(uint32_t length) {
    return length ? UINT32_MAX << (32 - length) : 0;
}

static struct condition any_condition(void) {
    struct condition c = {.mask_length = chance(33), .operator= chance(4), .bounded = chance(2)};
    c.addr = (10u << 24 | chance(4) << 22 | chance(16)) & mask_of(c.mask_length);
    c.has_min = c.bounded && chance(2);
    c.has_max = c.bounded && chance(2);
    c.min = chance(33);
    c.max = chance(33);
    return c;
}

/* A set of lengths, one bit each: what [C{lo,hi}] means; 0: BIRD refuses it. */
static uint64_t lengths_of(const struct condition *c) {
    uint64_t set = 0;
    for (uint32_t length = 0; length <= 32; length++)
        if (length >= c->mask_length && (!c->has_min || length >= c->min) &&
            (!c->has_max || length <= c->max))
            set |= UINT64_C(1) << length;
    return set;
}

static bool holds(const struct condition *c, uint32_t addr, uint32_t length) {
    bool inside = length >= c->mask_length && (addr & mask_of(c->mask_length)) == c->addr;
    bool same = inside && length == c->mask_length;
    bool in_set = inside && (lengths_of(c) >> length & 1);
    switch (c->operator) {
    case EQUAL:
        return !c->bounded && same;
    case NOT_EQUAL:
        return c->bounded || !same;
    case IN:
        return c->bounded ? in_set : inside;
    default:
        return c->bounded ? !in_set : !inside;
    }
}

static void write_condition(const struct condition *c, char *out, size_t size) {
    char addr[IP_ADDR_TEXT_MAX], min[24] = "", max[24] = "", bounds[80] = "";
    if (c->has_min)
        snprintf(min, sizeof min, "min: %u", c->min);
    if (c->has_max)
        snprintf(max, sizeof max, "%smax: %u", c->has_min ? ", " : "", c->max);
    if (c->bounded)
        snprintf(bounds, sizeof bounds, ", prefixLength: {%s%s}", min, max);
    snprintf(out, size,
             HEAD("BGPFilter", "f") "  importV4: [{action: Reject, cidr: %s/%u, matchOperator: "
                                    "%s%s}]\n---\n" PEER("p", "peerIP: 192.0.2.1, asNumber: 1, "
                                                              "filters: [f]"),
             ip_format(ip4(c->addr), addr), c->mask_length, operators[c->operator], bounds);
}

static size_t try_routes(struct fixture *f, const struct condition *c, const char *manifest) {
    struct bgp_config *config = compiled_at(f, "kube-1", 0);
    size_t matched = 0;
    for (size_t i = 0; i < 60; i++) {
        uint32_t length = i < 33 ? (uint32_t)i : chance(33);
        uint32_t addr = i % 3 ? c->addr : 10u << 24 | chance(4) << 22 | chance(16);
        addr &= mask_of(length);
        struct policy_route r = {.prefix = {ip4(addr), (uint8_t)length},
                                 .source = ROUTE_SOURCE_BGP,
                                 .interface = "",
                                 .external = true,
                                 .arena = f->arena};
        bool no_memory = false;
        bool refused = !policy_run(config, &config->peers[0].import[0], &r, NULL, &no_memory);
        if (refused != holds(c, addr, length))
            fail_msg("%s on %08x/%u: %d", manifest, addr, length, refused);
        matched += refused;
    }
    return matched;
}

static void test_random_conditions(void **state) {
    struct fixture *f = *state;
    size_t matched = 0, tried = 0, frozen = 0;
    fixture_nodes(f, 1);
    for (size_t i = 0; i < 1500; i++) {
        struct condition c = any_condition();
        char manifest[512];
        write_condition(&c, manifest, sizeof manifest);
        fixture_must_apply(f, manifest);
        fixture_plan(f);
        bool impossible =
            c.bounded && (c.operator== IN || c.operator== NOT_IN) && lengths_of(&c) == 0;
        assert_int_equal(f->plan->nodes[0].refused[0] != NULL, impossible);
        frozen += impossible;
        if (impossible)
            continue;
        matched += try_routes(f, &c, manifest);
        tried += 60;
    }
    /* All outcomes were there. */
    assert_true(matched > tried / 10 && matched < tried * 9 / 10 && frozen > 50);
}

/* ---- preference by metric ---- */

static struct policy_route with_local_pref(struct fixture *f, uint32_t local_pref) {
    return (struct policy_route){.prefix = prefix_of("10.244.0.1/32"),
                                 .source = ROUTE_SOURCE_BGP,
                                 .interface = "",
                                 .metric = UINT32_MAX,
                                 .attrs = {.has_local_pref = true, .local_pref = local_pref},
                                 .arena = f->arena};
}

static uint32_t imported_weight(struct fixture *f, const struct bgp_config *c,
                                uint32_t local_pref) {
    struct policy_route r = with_local_pref(f, local_pref);
    bool no_memory = false;
    assert_true(policy_run(c, &c->peers[0].import[0], &r, NULL, &no_memory));
    return r.weight;
}

static void test_preference(void **state) {
    struct fixture *f = *state;
    bool no_memory = false;
    fixture_nodes(f, 2);
    fixture_must_apply(f, POOL("p", "cidr: 10.244.0.0/16") CONFIG("ipv4NormalRoutePriority: 2000"));
    struct bgp_config *c = compiled_at(f, "kube-1", 0);
    assert_int_equal(imported_weight(f, c, 100), 0);
    assert_int_equal(imported_weight(f, c, 2147483647u - 2000), 0);
    uint32_t preferred = imported_weight(f, c, 2147483647u - 1999);
    for (uint32_t i = 0; i < c->origin_count; i++) {
        bool pod = c->origins[i].source == ROUTE_SOURCE_KERNEL;
        assert_true(pod ? c->origins[i].weight < preferred : c->origins[i].weight > preferred);
        assert_int_equal(c->origins[i].metric, 2000);
    }
    /* Only such a route leaves the node from inside its own block. */
    struct policy_route better = with_local_pref(f, 2147483647u - 1999);
    struct policy_route normal = with_local_pref(f, 2147483647u - 2000);
    assert_true(policy_run(c, &c->peers[0].export[0], &better, NULL, &no_memory));
    assert_false(policy_run(c, &c->peers[0].export[0], &normal, NULL, &no_memory));
    /* v3.31 and before know no priorities. */
    c = compiled_at(f, "kube-1", V(31));
    assert_int_equal(imported_weight(f, c, 2147483647u - 1), 0);
    assert_false(c->fib.metric_from_local_pref);
    better = with_local_pref(f, 2147483647u - 1);
    assert_false(policy_run(c, &c->peers[0].export[0], &better, NULL, &no_memory));
}

/* ---- services ---- */

#define SERVICE(name, spec, status)                                                                \
    "apiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: n}\nspec: {" spec        \
    "}\nstatus: {" status "}\n---\n"
#define SLICE(service, endpoints)                                                                  \
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " service              \
    "-1, namespace: n, labels: {kubernetes.io/service-name: " service                              \
    "}}\naddressType: IPv4\nendpoints: [" endpoints "]\n---\n"
#define READY(node) "{addresses: [10.244.0.9], nodeName: " node "}"
#define UNREADY(node) "{addresses: [10.244.0.9], conditions: {ready: false}, nodeName: " node "}"
#define RANGES                                                                                     \
    "serviceClusterIPs: [{cidr: 10.96.0.0/12}], serviceExternalIPs: [{cidr: 198.51.100.0/24}, "    \
    "{cidr: 198.51.101.1/32}], serviceLoadBalancerIPs: [{cidr: 203.0.113.0/24}]"
#define LB(name, policy)                                                                           \
    SERVICE(name,                                                                                  \
            "type: LoadBalancer, clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], externalIPs: "   \
            "[198.51.100.7, 198.51.101.1, 192.0.2.9], externalTrafficPolicy: " policy,             \
            "loadBalancer: {ingress: [{ip: 203.0.113.5}]}")
#define ALL "10.96.0.0/12 198.51.100.0/24 203.0.113.0/24"

static const struct {
    const char *manifests, *routes; /* of kube-1, its static ones */
    uint32_t version;
} service_rows[] = {
    {CONFIG(RANGES), ALL " ", 0},
    {CONFIG("serviceClusterIPs: [{cidr: 10.96.0.1/32}], serviceExternalIPs: [{cidr: "
            "198.51.101.1/32}]"),
     "10.96.0.1/32 ", 0},
    {CONFIG("serviceClusterIPs: [{cidr: 'fd00::/112'}]"), "", 0},
    {CONFIG(RANGES ", serviceLoadBalancerAggregation: Disabled"), "10.96.0.0/12 198.51.100.0/24 ",
     0},
    {CONFIG(RANGES ", serviceLoadBalancerAggregation: Disabled"), ALL " ", V(30)},
    {CONFIG(RANGES) LB("s", "Local") SLICE("s", READY("kube-1")),
     "10.96.0.0/12 10.96.0.10/32 198.51.100.0/24 198.51.100.7/32 198.51.101.1/32 203.0.113.0/24 "
     "203.0.113.5/32 ",
     0},
    {CONFIG(RANGES) LB("s", "Local") SLICE("s", READY("kube-2")), ALL " ", 0},
    {CONFIG(RANGES) LB("s", "Local") SLICE("s", UNREADY("kube-1")), ALL " ", 0},
    {CONFIG(RANGES) LB("s", "Local") SLICE("t", READY("kube-1")), ALL " ", 0},
    {CONFIG(RANGES) LB("s", "Local"), ALL " ", 0},
    {CONFIG(RANGES) LB("s", "Cluster") SLICE("s", READY("kube-2")),
     "10.96.0.0/12 198.51.100.0/24 198.51.101.1/32 203.0.113.0/24 ", 0},
    {CONFIG(RANGES) LB("s", "Cluster"),
     "10.96.0.0/12 198.51.100.0/24 198.51.101.1/32 203.0.113.0/24 ", 0},
    {CONFIG(RANGES ", serviceLoadBalancerAggregation: Disabled") LB("s", "Cluster")
         SLICE("s", READY("kube-2")),
     "10.96.0.0/12 198.51.100.0/24 198.51.101.1/32 203.0.113.5/32 ", 0},
    {CONFIG(RANGES ", serviceLoadBalancerAggregation: Disabled") LB("s", "Cluster")
         SLICE("s", UNREADY("kube-2")),
     "10.96.0.0/12 198.51.100.0/24 198.51.101.1/32 ", 0},
    {CONFIG(RANGES ", serviceLoadBalancerAggregation: Disabled") LB("s", "Local")
         SLICE("s", READY("kube-2")),
     "10.96.0.0/12 198.51.100.0/24 ", 0},
    {CONFIG(RANGES) SERVICE("s", "clusterIP: None, externalTrafficPolicy: Local", "")
         SLICE("s", READY("kube-1")),
     ALL " ", 0},
    {CONFIG(RANGES) LB("s", "Local") SLICE("s", READY("kube-1"))
         HEAD("Node", "kube-1") "  bgp: {ipv4Address: 10.0.0.1/24}\n---\napiVersion: v1\nkind: "
                                "Node\nmetadata: {name: kube-1, labels: "
                                "{node.kubernetes.io/exclude-from-external-load-balancers: "
                                "'true'}}\n---\n",
     "", 0},
};

static void check_services(struct fixture *f, size_t i) {
    struct text t;
    char text[IP_PREFIX_TEXT_MAX];
    start_over(f);
    fixture_nodes(f, 2);
    fixture_must_apply(f, service_rows[i].manifests);
    struct bgp_config *c = compiled_at(f, "kube-1", service_rows[i].version);
    text_init(&t);
    for (uint32_t j = 0; j < c->origin_count; j++) {
        if (c->origins[j].source != ROUTE_SOURCE_STATIC)
            continue;
        text_printf(&t, "%s ", ip_prefix_format(c->origins[j].prefix, text));
        assert_false(c->origins[j].blackhole_in_kernel);
    }
    if (strcmp(text_str(&t), service_rows[i].routes) != 0)
        fail_msg("row %zu: expected \"%s\", got \"%s\"", i, service_rows[i].routes, text_str(&t));
    text_deinit(&t);
}

static void test_services(void **state) {
    for (size_t i = 0; i < sizeof service_rows / sizeof service_rows[0]; i++)
        check_services(*state, i);
}

/* ---- USE_POD_CIDR, frozen nodes ---- */

static void test_pod_cidrs(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 1);
    fixture_must_apply(
        f, POOL("p", "cidr: 10.244.0.0/16") "apiVersion: v1\nkind: Node\nmetadata: {name: "
                                            "kube-1}\nspec: {podCIDRs: [10.100.7.0/24]}\n");
    fixture_plan_with(f, &(struct calico_plan_options){.use_pod_cidr = true});
    const struct calico_plan_node *n = &f->plan->nodes[0];
    assert_int_equal(n->block_count, 1);
    assert_true(ip_prefix_equal(n->blocks[0].prefix, prefix_of("10.100.7.0/24")));
    assert_int_equal(n->pod_count, 1);
    struct bgp_config *c = calico_compile(f->plan, n, BGP_PROFILE_FAST, f->arena);
    assert_non_null(c);
    assert_true(c->origins[1].blackhole_in_kernel);
    fixture_plan(f);
    assert_true(ip_prefix_equal(f->plan->nodes[0].blocks[0].prefix, prefix_of("10.244.0.0/26")));
}

/* A node keeps the sessions of the refused family, with policies that still mean the same. */
static void test_frozen(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 3);
    fixture_must_apply(f, HEAD("BGPFilter", "f") "  importV4: [{action: Reject}]\n---\n" PEER(
                              "p", "peerIP: 192.0.2.1, asNumber: 65001, filters: [f]"));
    struct bgp_config *old = compiled_at(f, "kube-1", 0);
    fixture_must_apply(f, CONFIG("nodeToNodeMeshEnabled: false, asNumber: 65009")
                              PEER("p", "peerIP: 192.0.2.2"));
    struct bgp_config *c = compiled_at(f, "kube-1", 0);
    assert_non_null(f->plan->nodes[0].refused[0]);
    assert_true(calico_compile_frozen(c, &f->plan->nodes[0], old, f->arena));
    assert_int_equal(c->peer_count, 3);
    assert_int_equal(c->local_as, 64512);
    assert_string_equal(c->peers[0].name, "Global_192_0_2_1");
    assert_string_equal(c->policies[c->peers[0].import[0].policies[0]].name,
                        "BGPFilter f importV4");
    struct diag_list *diags = diag_list_new();
    assert_true(bgp_config_check(c, "t", diags));
    diag_list_free(diags);
    /* Nothing before: no sessions at all. */
    c = compiled_at(f, "kube-1", 0);
    assert_true(calico_compile_frozen(c, &f->plan->nodes[0], NULL, f->arena));
    assert_int_equal(c->peer_count, 0);
}

#define BOTH(name, n)                                                                              \
    "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: " name                         \
    "}\nspec: {bgp: {ipv4Address: 10.0.0." n "/24, ipv6Address: 'fd00::" n "/64'}}\n---\n"

/* One daemon refuses its file, the other one goes on. */
static void test_frozen_in_one_family(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(f, BOTH("a", "1") BOTH("b", "2") CONFIG("listenPort: 1790"));
    struct bgp_config *old = compiled_at(f, "a", 0);
    assert_int_equal(old->peer_count, 2);
    fixture_must_apply(f,
                       CONFIG("listenPort: 1791, asNumber: 65009") PEER("p", "peerIP: 'fd00::9'"));
    struct bgp_config *c = compiled_at(f, "a", 0);
    assert_true(!f->plan->nodes[0].refused[0] && f->plan->nodes[0].refused[1]);
    assert_true(calico_compile_frozen(c, &f->plan->nodes[0], old, f->arena));
    assert_int_equal(c->peer_count, 2);
    assert_string_equal(c->peers[0].name, "Mesh_10_0_0_2");
    assert_int_equal(c->peers[0].remote_port, 1791);
    assert_string_equal(c->peers[1].name, "Mesh_fd00__2");
    assert_int_equal(c->peers[1].remote_port, 1790);
    assert_int_equal(c->local_as, 65009); /* the frame is the one that runs on */
    assert_int_equal(c->listen_port, 1791);
    fixture_must_apply(f, PEER("q", "peerIP: 192.0.2.9"));
    c = compiled_at(f, "a", 0);
    assert_true(f->plan->nodes[0].refused[0] && f->plan->nodes[0].refused[1]);
    assert_true(calico_compile_frozen(c, &f->plan->nodes[0], old, f->arena));
    assert_int_equal(c->local_as, 64512);
    assert_int_equal(c->listen_port, 1790);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_kernel_filter),
        FIXTURE_TEST(test_random_conditions),
        FIXTURE_TEST(test_preference),
        FIXTURE_TEST(test_services),
        FIXTURE_TEST(test_pod_cidrs),
        FIXTURE_TEST(test_frozen),
        FIXTURE_TEST(test_frozen_in_one_family),
    };
    return cmocka_run_group_tests_name("compile rules", tests, NULL, NULL);
}
