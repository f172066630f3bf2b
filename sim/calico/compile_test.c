/*
 * What a node's speaker is told, run through the policy engine it is made for: Calico's own export
 * policy, BGPFilters condition by condition, operations, routes of the node's own, sharing.
 */
#include "calico_test.h"

#include "../../speaker/core/speaker.h"

#include <stdlib.h>

#define HEAD(kind, name)                                                                           \
    "apiVersion: projectcalico.org/v3\nkind: " kind "\nmetadata: {name: " name "}\nspec:\n"
#define CONFIG(fields) HEAD("BGPConfiguration", "default") "  {" fields "}\n---\n"
#define PEER(name, fields) HEAD("BGPPeer", name) "  {" fields "}\n---\n"
#define POOL(name, fields) HEAD("IPPool", name) "  {" fields "}\n---\n"

struct route {
    const char *prefix;
    enum route_source source;
    const char *interface;
    uint32_t metric;
};

static struct bgp_config *compiled(struct fixture *f, const char *node) {
    const struct calico_plan_node *n = calico_plan_find(f->plan, node);
    struct bgp_config *c = calico_compile(f->plan, n, BGP_PROFILE_FAST, f->arena);
    assert_non_null(c);
    struct diag_list *diags = diag_list_new();
    bool ok = bgp_config_check(c, "t", diags);
    diag_list_free(diags);
    assert_true(ok);
    return c;
}

static const struct bgp_peer_config *peer_of(const struct bgp_config *c, const char *name) {
    for (uint32_t i = 0; i < c->peer_count; i++)
        if (strcmp(c->peers[i].name, name) == 0)
            return &c->peers[i];
    fail_msg("no peer %s", name);
    return NULL;
}

static struct policy_route candidate(struct fixture *f, const struct bgp_config *c,
                                     const struct bgp_peer_config *p, const struct route *r) {
    struct policy_route route = {
        .source = r->source,
        .interface = r->interface ? r->interface : "",
        .metric = r->source == ROUTE_SOURCE_BGP ? UINT32_MAX
                  : r->metric                   ? r->metric
                                                : 1024,
        .external = p->remote_as != (p->local_as ? p->local_as : c->local_as),
        .arena = f->arena,
    };
    assert_true(ip_prefix_parse(r->prefix, &route.prefix));
    return route;
}

static bool exports(struct fixture *f, const struct bgp_config *c, const char *peer,
                    const struct route *r) {
    const struct bgp_peer_config *p = peer_of(c, peer);
    struct policy_route route = candidate(f, c, p, r);
    bool no_memory = false;
    return policy_run(c, &p->export[route.prefix.addr.family == IP_V6], &route, NULL, &no_memory);
}

/* ---- Calico's own policy ---- */

/* Routes into tunl0 are told to internal peers when BIRD is the one who writes them. */
static void test_export_by_tunnel(void **state) {
    static const struct {
        const char *program;
        bool internal;
    } cases[] = {{"Enabled", true},
                 {"EnabledIPIPOnly", true},
                 {"EnabledNoEncapOnly", false},
                 {"Disabled", false}};
    static const struct route by_tunnel = {"10.244.1.0/26", ROUTE_SOURCE_BGP, "tunl0", 0};
    struct fixture *f = *state;
    fixture_nodes(f, 3);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[400];
        snprintf(text, sizeof text, "%s  programClusterRoutes: %s\n",
                 "apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\n"
                 "metadata: {name: default}\nspec:\n",
                 cases[i].program);
        fixture_must_apply(f, text);
        fixture_must_apply(f, POOL("a", "cidr: 10.244.0.0/16, ipipMode: Always"));
        fixture_plan(f);
        assert_int_equal(exports(f, compiled(f, "kube-1"), "Mesh_10_0_0_2", &by_tunnel),
                         cases[i].internal);
    }
}

static void test_export_policy(void **state) {
    static const struct {
        struct route route;
        bool internal, external;
    } cases[] = {
        {{"10.244.0.0/26", ROUTE_SOURCE_STATIC, "", 0}, true, true},
        {{"10.244.0.1/32", ROUTE_SOURCE_KERNEL, "cali00000001", 0}, false, false},
        {{"10.244.0.5/32", ROUTE_SOURCE_BGP, "eth0", 0}, false, false},
        {{"10.244.0.1/32", ROUTE_SOURCE_KERNEL, "cali00000001", 512}, true, true},
        {{"10.244.1.7/32", ROUTE_SOURCE_KERNEL, "cali00000009", 0}, true, true},
        {{"10.244.1.0/26", ROUTE_SOURCE_BGP, "eth0", 0}, true, true},
        {{"10.244.1.0/26", ROUTE_SOURCE_BGP, "tunl0", 0}, false, true},
        {{"10.244.1.0/26", ROUTE_SOURCE_BGP, "vxlan.calico", 0}, false, true},
        {{"10.244.1.0/26", ROUTE_SOURCE_BGP, "wireguard.cali", 0}, false, true},
        {{"10.244.1.0/26", ROUTE_SOURCE_BGP, "bpfout.cali", 0}, false, false},
        {{"10.0.0.0/24", ROUTE_SOURCE_DIRECT, "eth0", 0}, false, false},
        {{"0.0.0.0/0", ROUTE_SOURCE_BGP, "eth0", 0}, false, false},
        {{"10.96.0.0/12", ROUTE_SOURCE_STATIC, "", 0}, true, true},
        {{"10.250.0.0/26", ROUTE_SOURCE_BGP, "eth0", 0}, false, false},
        {{"10.250.1.0/26", ROUTE_SOURCE_STATIC, "", 0}, false, false},
        {{"10.251.0.0/26", ROUTE_SOURCE_BGP, "eth0", 0}, true, true},
        {{"172.16.0.0/12", ROUTE_SOURCE_BGP, "eth0", 0}, false, false},
    };
    struct fixture *f = *state;
    fixture_nodes(f, 3);
    fixture_must_apply(
        f, CONFIG("serviceClusterIPs: [{cidr: 10.96.0.0/12}]") POOL("a", "cidr: 10.244.0.0/16")
               POOL("b", "cidr: 10.250.0.0/16, disableBGPExport: true, "
                         "disabled: true")
                   POOL("c", "cidr: 10.251.0.0/16, disabled: true, vxlanMode: "
                             "Always") PEER("tor", "peerIP: 192.0.2.1, asNumber: 65001"));
    fixture_plan(f);
    struct bgp_config *c = compiled(f, "kube-1");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool internal = exports(f, c, "Mesh_10_0_0_2", &cases[i].route);
        bool external = exports(f, c, "Global_192_0_2_1", &cases[i].route);
        if (internal != cases[i].internal || external != cases[i].external)
            fail_msg("%s source %d interface \"%s\": internal %d, external %d",
                     cases[i].route.prefix, cases[i].route.source, cases[i].route.interface,
                     internal, external);
    }
}

/* A normal route carries 2147483647 - 1024 to internal peers. */
static void test_local_pref(void **state) {
    struct fixture *f = *state;
    struct route r = {"10.244.0.0/26", ROUTE_SOURCE_STATIC, "", 0};
    bool no_memory = false;
    fixture_nodes(f, 2);
    fixture_must_apply(f, POOL("a", "cidr: 10.244.0.0/16"));
    fixture_plan(f);
    struct bgp_config *c = compiled(f, "kube-1");
    const struct bgp_peer_config *p = peer_of(c, "Mesh_10_0_0_2");
    struct policy_route route = candidate(f, c, p, &r);
    assert_true(policy_run(c, &p->export[0], &route, NULL, &no_memory));
    assert_true(route.attrs.has_local_pref);
    assert_int_equal(route.attrs.local_pref, 2147482623);
    assert_true(c->fib.install && c->fib.metric_from_local_pref);
}

static void test_reflector_passes_service_ranges(void **state) {
    struct fixture *f = *state;
    struct route external = {"198.51.100.7/32", ROUTE_SOURCE_BGP, "eth0", 0};
    fixture_node(f, "rr", "10.0.0.9", 0, "244.0.0.1");
    fixture_node(f, "kube-1", "10.0.0.1", 0, NULL);
    fixture_must_apply(f, CONFIG("serviceExternalIPs: [{cidr: 198.51.100.0/24}]")
                              PEER("p", "peerSelector: all()"));
    fixture_plan(f);
    assert_true(exports(f, compiled(f, "rr"), "Global_10_0_0_1", &external));
    assert_false(exports(f, compiled(f, "kube-1"), "Global_10_0_0_9", &external));
}

/* ---- prefixAdvertisements ---- */

static void test_communities(void **state) {
    struct fixture *f = *state;
    struct route r = {"10.244.0.0/26", ROUTE_SOURCE_STATIC, "", 0};
    bool no_memory = false;
    fixture_nodes(f, 2);
    fixture_must_apply(
        f, CONFIG("communities: [{name: gold, value: '64512:200'}], prefixAdvertisements: [{cidr: "
                  "10.244.0.0/16, communities: [gold, '64512:100', '64512:200', '1:2:3']}]")
               POOL("a", "cidr: 10.244.0.0/16"));
    fixture_plan(f);
    struct bgp_config *c = compiled(f, "kube-1");
    const struct bgp_peer_config *p = peer_of(c, "Mesh_10_0_0_2");
    struct policy_route route = candidate(f, c, p, &r);
    assert_true(policy_run(c, &p->export[0], &route, NULL, &no_memory));
    assert_int_equal(route.attrs.community_count, 2);
    assert_int_equal(route.attrs.communities[0], 64512u << 16 | 100);
    assert_int_equal(route.attrs.large_community_count, 1);
    /* A node's own list replaces the global one, an empty one too. */
    fixture_must_apply(f, HEAD("BGPConfiguration", "node.kube-1") "  {prefixAdvertisements: []}\n");
    fixture_plan(f);
    c = compiled(f, "kube-1");
    p = peer_of(c, "Mesh_10_0_0_2");
    route = candidate(f, c, p, &r);
    assert_true(policy_run(c, &p->export[0], &route, NULL, &no_memory));
    assert_int_equal(route.attrs.community_count, 0);
}

/* ---- BGPFilters ---- */

#define IN "cidr: 10.0.0.0/8, matchOperator: In"
#define NOT_IN "cidr: 10.0.0.0/8, matchOperator: NotIn"
#define EQUAL "cidr: 10.0.0.0/8, matchOperator: Equal"
#define NOT_EQUAL "cidr: 10.0.0.0/8, matchOperator: NotEqual"

/* Does an import rule match? (A Reject that does not match leaves import's accept.) */
static const struct {
    const char *conditions, *prefix;
    bool matches;
} import_cases[] = {
    {"", "192.0.2.0/24", true},
    {IN, "10.0.0.0/8", true},
    {IN, "10.1.0.0/16", true},
    {IN, "0.0.0.0/0", false},
    {NOT_IN, "10.1.0.0/16", false},
    {NOT_IN, "11.0.0.0/8", true},
    {NOT_IN, "0.0.0.0/0", true},
    {EQUAL, "10.0.0.0/8", true},
    {EQUAL, "10.0.0.0/9", false},
    {NOT_EQUAL, "10.0.0.0/8", false},
    {NOT_EQUAL, "10.0.0.0/9", true},
    {IN ", prefixLength: {min: 16, max: 24}", "10.0.0.0/8", false},
    {IN ", prefixLength: {min: 16, max: 24}", "10.1.0.0/16", true},
    {IN ", prefixLength: {min: 16, max: 24}", "10.1.1.0/25", false},
    {IN ", prefixLength: {min: 4}", "10.0.0.0/8", true},
    {IN ", prefixLength: {}", "10.1.1.1/32", true},
    {NOT_IN ", prefixLength: {min: 16}", "10.0.0.0/8", true},
    {NOT_IN ", prefixLength: {min: 16}", "10.1.0.0/16", false},
    {EQUAL ", prefixLength: {min: 8}", "10.0.0.0/8", false},
    {NOT_EQUAL ", prefixLength: {min: 8}", "10.0.0.0/8", true},
    {"source: RemotePeers", "10.0.0.0/8", true},
    {"peerType: eBGP", "10.0.0.0/8", true},
    {"peerType: iBGP", "10.0.0.0/8", false},
    {"interface: '*'", "10.0.0.0/8", true},
    {"interface: 'eth*'", "10.0.0.0/8", false},
    {"communities: {values: ['1:2']}", "10.0.0.0/8", true},
    {"communities: {values: ['1:3']}", "10.0.0.0/8", false},
    {"communities: {values: ['1:2:3']}", "10.0.0.0/8", true},
    {"communities: {values: ['1:2:4']}", "10.0.0.0/8", false},
    {"asPathPrefix: [65001]", "10.0.0.0/8", true},
    {"asPathPrefix: [65001, 65002]", "10.0.0.0/8", true},
    {"asPathPrefix: [65002]", "10.0.0.0/8", false},
    {"priority: 2147483547", "10.0.0.0/8", true},
    {"priority: 1024", "10.0.0.0/8", false},
    {IN ", peerType: iBGP", "10.0.0.0/8", false},
};

static struct policy_route learned(struct fixture *f, const char *prefix) {
    static const uint32_t words[] = {AS_SEQUENCE << 16 | 2, 65001, 65002};
    static const uint32_t communities[] = {1 << 16 | 2};
    static const struct large_community large[] = {{1, 2, 3}};
    struct policy_route r = {.source = ROUTE_SOURCE_BGP,
                             .interface = "",
                             .metric = UINT32_MAX,
                             .external = true,
                             .arena = f->arena};
    assert_true(ip_prefix_parse(prefix, &r.prefix));
    r.attrs.as_path = (struct as_path){words, 3};
    r.attrs.communities = communities;
    r.attrs.community_count = 1;
    r.attrs.large_communities = large;
    r.attrs.large_community_count = 1;
    r.attrs.has_local_pref = true;
    r.attrs.local_pref = 100;
    return r;
}

static void filtered_peer(struct fixture *f, const char *list, const char *rule) {
    struct text t;
    text_init(&t);
    text_printf(&t,
                HEAD("BGPFilter", "f") "  %s:\n  - {%s}\n---\n" PEER(
                    "tor", "peerIP: 192.0.2.1, asNumber: 65001, filters: [f]"),
                list, rule);
    fixture_must_apply(f, text_str(&t));
    text_deinit(&t);
    fixture_plan(f);
}

static void test_import_conditions(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 1);
    for (size_t i = 0; i < sizeof import_cases / sizeof import_cases[0]; i++) {
        char rule[256];
        bool no_memory = false;
        snprintf(rule, sizeof rule, "action: Reject%s%s", import_cases[i].conditions[0] ? ", " : "",
                 import_cases[i].conditions);
        filtered_peer(f, "importV4", rule);
        struct bgp_config *c = compiled(f, "kube-1");
        struct policy_route r = learned(f, import_cases[i].prefix);
        bool passes = policy_run(c, &c->peers[0].import[0], &r, NULL, &no_memory);
        if (passes == import_cases[i].matches)
            fail_msg("\"%s\" on %s should %smatch", rule, import_cases[i].prefix,
                     import_cases[i].matches ? "" : "not ");
    }
}

/* An export Accept ends everything: pods, subnets, disableBGPExport are let out. */
static void test_export_filters(void **state) {
    struct fixture *f = *state;
    struct route subnet = {"10.0.0.0/24", ROUTE_SOURCE_DIRECT, "eth0", 0};
    struct route remote = {"10.9.0.0/24", ROUTE_SOURCE_BGP, "eth0", 0};
    fixture_nodes(f, 2);
    filtered_peer(f, "exportV4", "action: Accept, interface: 'eth*'");
    assert_true(exports(f, compiled(f, "kube-1"), "Global_192_0_2_1", &subnet));
    assert_false(exports(f, compiled(f, "kube-1"), "Mesh_10_0_0_2", &subnet));
    filtered_peer(f, "exportV4", "action: Accept, source: RemotePeers");
    assert_false(exports(f, compiled(f, "kube-1"), "Global_192_0_2_1", &subnet));
    assert_true(exports(f, compiled(f, "kube-1"), "Global_192_0_2_1", &remote));
    filtered_peer(f, "exportV6", "action: Accept");
    assert_false(exports(f, compiled(f, "kube-1"), "Global_192_0_2_1", &subnet));
}

static void test_operations(void **state) {
    struct fixture *f = *state;
    bool no_memory = false;
    struct text path;
    fixture_nodes(f, 1);
    filtered_peer(f, "importV4",
                  "action: Accept, operations: [{addCommunity: {value: '9:9'}}, {addCommunity: "
                  "{value: '7:8:9'}}, {prependASPath: {prefix: [65009, 65008]}}, {setPriority: "
                  "{value: 512}}]");
    struct bgp_config *c = compiled(f, "kube-1");
    struct policy_route r = learned(f, "10.0.0.0/8");
    assert_true(policy_run(c, &c->peers[0].import[0], &r, NULL, &no_memory));
    assert_int_equal(r.attrs.community_count, 2);
    assert_int_equal(r.attrs.communities[1], 9u << 16 | 9);
    assert_int_equal(r.attrs.large_community_count, 2);
    assert_int_equal(r.attrs.local_pref, 2147483647u - 512);
    text_init(&path);
    as_path_format(r.attrs.as_path, false, &path);
    assert_string_equal(text_str(&path), "65009 65008 65001 65002");
    text_deinit(&path);
}

/* ---- the frame ---- */

static const struct bgp_origin_config *origin_of(const struct bgp_config *c, const char *prefix) {
    char text[IP_PREFIX_TEXT_MAX];
    for (uint32_t i = 0; i < c->origin_count; i++)
        if (strcmp(ip_prefix_format(c->origins[i].prefix, text), prefix) == 0)
            return &c->origins[i];
    return NULL;
}

static void test_origins(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 1);
    fixture_must_apply(f, CONFIG("serviceClusterIPs: [{cidr: 10.96.0.0/12}], serviceExternalIPs: "
                                 "[{cidr: 198.51.100.0/24}, {cidr: 203.0.113.1/32}]")
                              POOL("a", "cidr: 10.244.0.0/16")
                                  PEER("tor", "peerIP: 192.0.2.1, asNumber: 65001, reachableBy: "
                                              "10.0.0.254"));
    fixture_plan(f);
    struct bgp_config *c = compiled(f, "kube-1");
    assert_int_equal(origin_of(c, "10.0.0.0/24")->source, ROUTE_SOURCE_DIRECT);
    assert_string_equal(origin_of(c, "10.0.0.0/24")->interface, "eth0");
    assert_true(origin_of(c, "10.244.0.0/26")->blackhole_in_kernel);
    assert_string_equal(origin_of(c, "10.244.0.0/26")->interface, "");
    assert_int_equal(origin_of(c, "10.244.0.1/32")->source, ROUTE_SOURCE_KERNEL);
    assert_string_equal(origin_of(c, "10.244.0.1/32")->interface, "cali00000001");
    assert_false(origin_of(c, "10.96.0.0/12")->blackhole_in_kernel);
    assert_non_null(origin_of(c, "198.51.100.0/24"));
    assert_null(origin_of(c, "203.0.113.1/32"));
    assert_int_equal(origin_of(c, "192.0.2.1/32")->source, ROUTE_SOURCE_STATIC);
    assert_int_equal(ip4_to_u32(origin_of(c, "192.0.2.1/32")->gateway), 0x0a0000fe);
    for (uint32_t i = 1; i < c->origin_count; i++)
        assert_true(ip_prefix_compare(c->origins[i - 1].prefix, c->origins[i].prefix) <= 0);
    fixture_must_apply(f, CONFIG("ignoredInterfaces: ['eth*']"));
    fixture_plan(f);
    assert_null(origin_of(compiled(f, "kube-1"), "10.0.0.0/24"));
}

/* Blocks of one address: no route of their own, but the policy that tells them from others. */
static void test_single_address_blocks(void **state) {
    struct fixture *f = *state;
    struct route pod = {"10.244.0.0/32", ROUTE_SOURCE_KERNEL, "cali00000001", 0};
    fixture_nodes(f, 2);
    fixture_must_apply(f, POOL("a", "cidr: 10.244.0.0/24, blockSize: 32"));
    fixture_plan(f);
    struct bgp_config *c = compiled(f, "kube-1");
    assert_int_equal(origin_of(c, "10.244.0.0/32")->source, ROUTE_SOURCE_KERNEL);
    assert_true(exports(f, c, "Mesh_10_0_0_2", &pod));
}

/* The way to a peer behind a gateway is on the nodes whose own BGPPeer names it. */
static void test_reachable(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 2);
    fixture_must_apply(f, PEER("p", "node: kube-1, peerIP: 10.0.0.2, asNumber: 64512, reachableBy: "
                                    "10.0.0.254")
                              PEER("q", "node: kube-2, peerIP: 192.0.2.1, asNumber: 65001, "
                                        "reachableBy: 10.0.0.253"));
    fixture_plan(f);
    const struct bgp_config *one = compiled(f, "kube-1"), *two = compiled(f, "kube-2");
    assert_int_equal(ip4_to_u32(origin_of(one, "10.0.0.2/32")->gateway), 0x0a0000fe);
    assert_null(origin_of(one, "192.0.2.1/32"));
    assert_int_equal(ip4_to_u32(origin_of(two, "192.0.2.1/32")->gateway), 0x0a0000fd);
    assert_non_null(fixture_session(f, "kube-2", "Node_10_0_0_1")); /* from the other side */
    assert_null(origin_of(two, "10.0.0.1/32"));
}

static void test_frame(void **state) {
    struct fixture *f = *state;
    fixture_node(f, "rr", "10.0.0.9", 65000, "244.0.0.1");
    fixture_node(f, "kube-1", "10.0.0.1", 65000, NULL);
    fixture_must_apply(f, CONFIG("listenPort: 1179, bindMode: NodeIP")
                              PEER("p", "peerSelector: all(), nextHopMode: Self, maxRestartTime: "
                                        "30s, keepaliveTime: 5s"));
    fixture_plan(f);
    struct bgp_config *c = compiled(f, "rr");
    assert_int_equal(c->cluster_id, 0xf4000001);
    assert_int_equal(c->local_as, 65000);
    assert_int_equal(c->listen_port, 1179);
    assert_int_equal(ip4_to_u32(c->listen_addr4), 0x0a000009);
    const struct bgp_peer_config *p = peer_of(c, "Global_10_0_0_1_port_1179");
    assert_true(p->rr_client && p->families[0] && !p->families[1]);
    assert_int_equal(p->remote_port, 1179);
    assert_int_equal(p->multihop, 64);
    assert_int_equal(p->hold_time_s, 240);
    assert_int_equal(p->keepalive_s, 5);
    assert_int_equal(p->restart_time_s, 30);
    assert_int_equal(p->next_hop_mode, BGP_NEXT_HOP_SELF_ALL);
    assert_int_equal(p->graceful_restart, BGP_GR_FULL);
    assert_string_equal(p->description, "kube-1");
}

/* A thousand peers share a handful of policies and chains. */
/* bindMode NodeIP of a node with both families: each daemon listens on its own address. */
static void test_listens_on_both(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(
        f, CONFIG("bindMode: NodeIP") "---\napiVersion: projectcalico.org/v3\nkind: "
                                      "Node\nmetadata: {name: "
                                      "both}\nspec: {bgp: {ipv4Address: 10.0.0.1/24, ipv6Address: "
                                      "'fd00::1/64'}}\n");
    fixture_plan(f);
    struct bgp_config *c = compiled(f, "both");
    struct ip_addr on;
    assert_true(bgp_config_listens(c, IP_V4, &on) && ip4_to_u32(on) == 0x0a000001);
    assert_true(bgp_config_listens(c, IP_V6, &on) && on.bytes[15] == 1 && on.bytes[0] == 0xfd);
}

static void test_sharing(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 1000);
    fixture_must_apply(f, POOL("a", "cidr: 10.244.0.0/16"));
    fixture_plan(f);
    struct bgp_config *c = compiled(f, "kube-1");
    assert_int_equal(c->peer_count, 999);
    assert_int_equal(c->policy_count, 3); /* import, metric, export */
    assert_ptr_equal(c->peers[0].export[0].policies, c->peers[998].export[0].policies);
}

static void test_no_memory(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 2);
    filtered_peer(f, "exportV4", "action: Accept, operations: [{setPriority: {value: 1}}]");
    bool failed = false;
    for (unsigned long n = 1; n < 10; n++) {
        struct arena *arena = arena_new();
        alloc_fail_after(n, true);
        failed |= !calico_compile(f->plan, &f->plan->nodes[0], BGP_PROFILE_CALICO, arena);
        alloc_fail_after(0, false);
        arena_free(arena);
    }
    assert_true(failed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_export_by_tunnel),
        FIXTURE_TEST(test_export_policy),
        FIXTURE_TEST(test_local_pref),
        FIXTURE_TEST(test_reflector_passes_service_ranges),
        FIXTURE_TEST(test_communities),
        FIXTURE_TEST(test_import_conditions),
        FIXTURE_TEST(test_export_filters),
        FIXTURE_TEST(test_operations),
        FIXTURE_TEST(test_origins),
        FIXTURE_TEST(test_frame),
        FIXTURE_TEST(test_single_address_blocks),
        FIXTURE_TEST(test_reachable),
        FIXTURE_TEST(test_listens_on_both),
        FIXTURE_TEST(test_sharing),
        FIXTURE_TEST(test_no_memory),
    };
    return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
