/*
 * The files for BIRD: what stands in them, rule by rule, and that Debian's BIRD 1.6 parses those of
 * hand-made and of generated plans and refuses those that Calico's would.
 */
#include "calico_test.h"

#include "bird_check.h"
#include "plan_bird.h"

/* ---- helpers ---- */

static void write_file(const struct fixture *f, const char *node, int family, struct text *t) {
    text_clear(t);
    assert_true(
        calico_plan_bird(f->plan, calico_plan_find(f->plan, node), (enum bgp_family)family, t));
}

static void has(const struct text *t, const char *what) {
    if (!strstr(text_str(t), what))
        fail_msg("no \"%s\" in:\n%s", what, text_str(t));
}

static void has_not(const struct text *t, const char *what) {
    if (strstr(text_str(t), what))
        fail_msg("\"%s\" in:\n%s", what, text_str(t));
}

#define LONG_NAME "a-very-long-filter-name-that-goes-beyond-forty-five.characters"

static const char rich[] =
    "apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata: {name: default}\n"
    "spec:\n  asNumber: 64512\n  bindMode: NodeIP\n  listenPort: 1790\n  logSeverityScreen: Debug\n"
    "  ignoredInterfaces: [docker0]\n  serviceClusterIPs: [{cidr: 10.96.0.0/12}]\n"
    "  communities: [{name: c, value: '64512:100'}, {name: l, value: '64512:1:2'}]\n"
    "  prefixAdvertisements: [{cidr: 10.244.0.0/16, communities: [l, c, '64512:100']}]\n"
    "---\napiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: p}\n"
    "spec: {cidr: 10.244.0.0/16}\n"
    "---\napiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: hidden}\n"
    "spec: {cidr: 10.245.0.0/16, disableBGPExport: true, ipipMode: Always}\n"
    "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: kube-system}\n"
    "stringData: {k: hunter2}\n"
    "---\napiVersion: projectcalico.org/v3\nkind: BGPFilter\nmetadata: {name: " LONG_NAME "}\n"
    "spec:\n  importV4:\n"
    "  - {action: Accept, cidr: 10.0.0.0/8, matchOperator: In, prefixLength: {min: 9, max: 24},"
    " operations: [{addCommunity: {value: '1:2'}}, {addCommunity: {value: '1:2:3'}},"
    " {prependASPath: {prefix: [1, 2]}}, {setPriority: {value: 100}}]}\n"
    "  - {action: Reject, cidr: 11.0.0.0/8, matchOperator: NotIn}\n"
    "  - {action: Reject, cidr: 12.0.0.0/8, matchOperator: Equal}\n"
    "  - {action: Reject, cidr: 13.0.0.0/8, matchOperator: NotEqual}\n"
    "  exportV4:\n"
    "  - {action: Accept, source: RemotePeers, interface: 'eth*', peerType: eBGP,"
    " communities: {values: ['1:2:3']}, asPathPrefix: [1, 2], priority: 5}\n"
    "  - {action: Reject}\n"
    "---\napiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: tor}\n"
    "spec: {peerIP: '10.0.0.254:1179', asNumber: 65001, localASNumber: 64999, ttlSecurity: 2,"
    " password: {secretKeyRef: {name: s, key: k}}, keepOriginalNextHop: true, maxRestartTime: 10s,"
    " keepaliveTime: 5s, numAllowedLocalASNumbers: 2, reachableBy: 10.0.0.9,"
    " filters: [" LONG_NAME "]}\n";

static void rich_plan(struct fixture *f) {
    fixture_nodes(f, 2);
    fixture_node(f, "rr", "10.0.0.200", 0, "1.1.1.1");
    fixture_must_apply(f, rich);
    fixture_must_apply(f, "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: rr}\n"
                          "spec: {nodeSelector: all(), peerSelector: has(route-reflector),"
                          " nextHopMode: Self, sourceAddress: None}\n");
    fixture_plan(f);
}

/* ---- the text ---- */

static const char *const node_lines[] = {
    "router id 10.0.0.1;",
    "listen bgp address 10.0.0.1 port 1790;",
    "interface -\"docker0\", -\"cali*\", -\"kube-ipvs*\", \"*\";",
    "debug all;",
    "route 10.244.0.0/26 blackhole;",
    "route 10.96.0.0/12 blackhole;",
    "route 10.0.0.254/32 via 10.0.0.9;",
    "if (net ~ 10.96.0.0/12) then reject;",
    "if (net ~ 10.245.0.0/16) then reject; # IPIP: Felix writes them",
    "if (net ~ 10.245.0.0/16) then reject; # IPPool hidden",
    "if (net ~ 10.244.0.0/16) then { bgp_community.add((64512, 100)); "
    "bgp_large_community.add((64512, 1, 2)); }",
    "if (net = 10.244.0.0/26) then accept; # an own block",
    "if (net ~ 10.244.0.0/26 && krt_metric < 1024) then accept;",
    "if (net ~ 10.244.0.0/26) then reject;",
    "if (source = RTS_STATIC) then accept;",
    "local as 64512;",
    "protocol bgp Global_10_0_0_254_port_1179 from bgp_template {\n  local as 64999;\n"
    "  neighbor 10.0.0.254 port 1179 as 65001;\n  source address 10.0.0.1;\n"
    "  ttl security on;\n  multihop 2;\n",
    "  graceful restart time 10;\n  keepalive time 5;\n  password \"hunter2\";\n"
    "  next hop keep;\n  allow local as 2;\n",
    "protocol bgp Mesh_10_0_0_2 from bgp_template {\n  neighbor 10.0.0.2 port 1790 as 64512;\n"
    "  source address 10.0.0.1;\n  ttl security off;\n  multihop;\n",
    "passive on;",
    "protocol bgp Node_10_0_0_200_port_1790 from bgp_template {\n"
    "  neighbor 10.0.0.200 port 1790 as 64512;\n  ttl security off;",
    "next hop self;",
    /* BGPFilters: 28 characters of the name and 16 digits of its digest. */
    "function 'bgp_a-very-long-filter-name-that_A271D28DC06206FF_importFilterV4'(bool "
    "internal_peer) {",
    "if (net ~ [ 10.0.0.0/8{9,24} ]) then { bgp_community.add((1, 2)); "
    "bgp_large_community.add((1, 2, 3)); bgp_path.prepend(2); bgp_path.prepend(1); "
    "bgp_local_pref = 2147483547; accept; }",
    "if (net !~ 11.0.0.0/8) then { reject; }",
    "if (net = 12.0.0.0/8) then { reject; }",
    "if (net != 13.0.0.0/8) then { reject; }",
    "if (source = RTS_BGP) && (defined(ifname) && ifname ~ \"eth*\") && (! internal_peer) && "
    "((1, 2, 3) ~ bgp_large_community) && (bgp_path ~ [= 1 2 * =]) && (defined(bgp_local_pref) && "
    "bgp_local_pref = 2147483642) then { accept; }",
    "  reject;\n}",
    "'bgp_a-very-long-filter-name-that_A271D28DC06206FF_exportFilterV4'(false);\n"
    "    calico_export_to_bgp_peers(false);",
    "calico_export_to_bgp_peers(true);",
};

static void test_lines(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    rich_plan(f);
    write_file(f, "kube-1", 0, &t);
    for (size_t i = 0; i < sizeof node_lines / sizeof node_lines[0]; i++)
        has(&t, node_lines[i]);
    has_not(&t, "rr client");
    has_not(&t, "krt_tunnel");
    write_file(f, "rr", 0, &t);
    has(&t, "rr client;\n  rr cluster id 1.1.1.1;");
    has_not(&t, "protocol bgp Mesh_");
    text_deinit(&t);
}

static void test_disabled_family(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    rich_plan(f);
    write_file(f, "kube-1", 1, &t);
    has(&t, "# IPv6 is disabled on this node.");
    has(&t, "protocol kernel");
    has_not(&t, "protocol bgp");
    text_deinit(&t);
}

/* The log level is the node's own before the cluster's; a filter nobody calls is there as well;
 * what WireGuard has to carry is left to Felix. */
static void test_of_the_node(void **state) {
    struct fixture *f = *state;
    struct text t;
    text_init(&t);
    rich_plan(f);
    fixture_must_apply(
        f,
        "apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata: {name: node.kube-2}\n"
        "spec: {logSeverityScreen: warning}\n"
        "---\napiVersion: projectcalico.org/v3\nkind: BGPFilter\nmetadata: {name: idle}\n"
        "spec: {importV4: [{action: Reject}], exportV6: [{action: Reject}]}\n"
        "---\napiVersion: v1\nkind: Node\nmetadata:\n  name: kube-1\n  annotations:\n"
        "    projectcalico.org/IPv4WireguardInterfaceAddr: 10.244.0.9\n"
        "---\napiVersion: v1\nkind: Node\nmetadata:\n  name: rr\n  annotations:\n"
        "    projectcalico.org/IPv4WireguardInterfaceAddr: 10.244.0.10\n");
    fixture_plan(f);
    write_file(f, "kube-1", 0, &t);
    has(&t, "  debug all;\n");
    has(&t, "function 'bgp_idle_importFilterV4'(bool internal_peer) {\n  reject;\n}\n");
    has_not(&t, "bgp_idle_exportFilter");
    has_not(&t, "'bgp_idle_importFilterV4'(false)");
    has(&t, "  if (defined(bgp_next_hop) && bgp_next_hop = 10.0.0.200) then reject; # WireGuard");
    has_not(&t, "bgp_next_hop = 10.0.0.2)");
    write_file(f, "kube-2", 0, &t);
    has_not(&t, "debug");
    has_not(&t, "WireGuard");
    const char *folder = bird_or_skip();
    write_file(f, "kube-1", 0, &t);
    assert_true(bird_accepts(folder, 0, text_str(&t)));
    text_deinit(&t);
}

/* Before v3.32 there were no priorities: no step between metric and local preference. */
static void test_older_version(void **state) {
    struct fixture *f = *state;
    struct calico_plan_options o = {.version = CALICO_VERSION(3, 28, 99)};
    struct text t;
    text_init(&t);
    rich_plan(f);
    calico_plan_free(f->plan);
    f->plan = calico_plan_new(f->set, &o, f->diags);
    write_file(f, "kube-1", 0, &t);
    has_not(&t, "krt_metric");
    has_not(&t, "calico_sync_priority");
    text_deinit(&t);
}

/* ---- the real program's word ---- */

static void test_parses(void **state) {
    struct fixture *f = *state;
    const char *folder = bird_or_skip();
    struct text t;
    text_init(&t);
    rich_plan(f);
    for (size_t i = 0; i < f->plan->node_count; i++)
        for (int family = 0; family < 2; family++) {
            write_file(f, f->plan->nodes[i].node->name, family, &t);
            if (!bird_accepts(folder, family, text_str(&t)))
                fail_msg("refused:\n%s", text_str(&t));
        }
    text_deinit(&t);
}

static const char *const refused_specs[] = {
    /* peerIP without asNumber; two on one key would be one; an empty range of lengths */
    "kind: BGPPeer\nmetadata: {name: a}\nspec: {peerIP: 10.0.0.254}\n",
    "kind: BGPFilter\nmetadata: {name: f}\nspec: {importV4: [{action: Reject, cidr: 10.0.0.0/16,"
    " matchOperator: In, prefixLength: {max: 8}}]}\n"
    "---\napiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: a}\n"
    "spec: {peerIP: 10.0.0.254, asNumber: 65000, filters: [f]}\n",
    "kind: BGPPeer\nmetadata: {name: a}\nspec: {peerIP: 169.254.1.1, asNumber: 65000,"
    " password: {secretKeyRef: {name: quoted, key: k}}}\n"
    "---\napiVersion: v1\nkind: Secret\nmetadata: {name: quoted, namespace: kube-system}\n"
    "stringData: {k: 'a\"b'}\n",
    "kind: BGPPeer\nmetadata: {name: a}\nspec: {peerIP: 192.0.2.1, asNumber: 65000,"
    " password: {secretKeyRef: {name: broken, key: k}}}\n"
    "---\napiVersion: v1\nkind: Secret\nmetadata: {name: broken, namespace: kube-system}\n"
    "stringData: {k: \"a\\n\"}\n",
    "kind: BGPFilter\nmetadata: {name: g}\nspec: {}\n"
    "---\napiVersion: crd.projectcalico.org/v1\nkind: BGPFilter\nmetadata: {name: f}\n"
    "spec: {importV4: [{action: Reject, cidr: 10.0.0.1/16, matchOperator: In}]}\n",
    /* A filter that no session calls stands in the file all the same. */
    "kind: BGPFilter\nmetadata: {name: f}\n"
    "spec: {exportV4: [{action: Reject, cidr: 10.0.0.0/16,"
    " matchOperator: NotIn, prefixLength: {min: 24, max: 20}}]}\n",
};

static void test_refused_like_calico(void **state) {
    struct fixture *f = *state;
    const char *folder = bird_or_skip();
    struct text t, manifest;
    text_init(&t);
    text_init(&manifest);
    for (size_t i = 0; i < sizeof refused_specs / sizeof refused_specs[0]; i++) {
        calico_plan_free(f->plan);
        f->plan = NULL;
        calico_set_free(f->set);
        f->set = calico_set_new();
        fixture_nodes(f, 2);
        text_clear(&manifest);
        text_printf(&manifest, "apiVersion: projectcalico.org/v3\n%s", refused_specs[i]);
        fixture_must_apply(f, text_str(&manifest));
        fixture_plan(f);
        write_file(f, "kube-1", 0, &t);
        if (bird_accepts(folder, 0, text_str(&t)))
            fail_msg("case %zu was accepted:\n%s", i, text_str(&t));
        assert_non_null(calico_plan_find(f->plan, "kube-1")->refused[0]);
    }
    text_deinit(&manifest);
    text_deinit(&t);
}

/* ---- generated plans ---- */

static uint32_t random_below(uint32_t *seed, uint32_t bound) {
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % bound;
}

static void put_rule(struct text *t, uint32_t *seed, bool accept) {
    static const char *const operators[] = {"In", "NotIn", "Equal", "NotEqual"};
    uint32_t mask = random_below(seed, 25), low = mask + random_below(seed, 33 - mask);
    struct ip_prefix p =
        ip_prefix_make(ip4(0x0A000000u | random_below(seed, 1u << 24)), (uint8_t)mask);
    char text[IP_PREFIX_TEXT_MAX];
    text_printf(t, "  - {action: %s, cidr: %s, matchOperator: %s", accept ? "Accept" : "Reject",
                ip_prefix_format(p, text), operators[random_below(seed, 4)]);
    if (random_below(seed, 2))
        text_printf(t, ", prefixLength: {min: %u, max: %u}", low, low);
    if (random_below(seed, 3) == 0)
        text_puts(t, ", peerType: iBGP");
    if (accept && random_below(seed, 2))
        text_printf(t, ", operations: [{addCommunity: {value: '%u:%u'}}]",
                    random_below(seed, 65536), random_below(seed, 65536));
    text_puts(t, "}\n");
}

static void generate(struct fixture *f, uint32_t seed) {
    struct text t;
    text_init(&t);
    fixture_nodes(f, 3 + random_below(&seed, 3));
    fixture_node(f, "rr", "10.0.0.200", 64600 * random_below(&seed, 2), "1.1.1.1");
    text_puts(&t, "apiVersion: projectcalico.org/v3\nkind: BGPFilter\nmetadata: {name: f.1-a}\n"
                  "spec:\n  importV4:\n");
    for (uint32_t i = 0; i < 4; i++)
        put_rule(&t, &seed, random_below(&seed, 2));
    text_puts(&t, "  exportV4:\n");
    for (uint32_t i = 0; i < 4; i++)
        put_rule(&t, &seed, random_below(&seed, 2));
    text_printf(&t,
                "---\napiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: a}\n"
                "spec: {peerIP: 10.0.1.%u, asNumber: %u, filters: [f.1-a]}\n"
                "---\napiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: b}\n"
                "spec: {nodeSelector: %s, peerSelector: %s, filters: [f.1-a]}\n",
                1 + random_below(&seed, 250), 1 + random_below(&seed, 4000000000u),
                random_below(&seed, 2) ? "has(worker)" : "all()",
                random_below(&seed, 2) ? "has(route-reflector)" : "all()");
    fixture_must_apply(f, text_str(&t));
    text_deinit(&t);
}

static void test_generated(void **state) {
    struct fixture *f = *state;
    const char *folder = bird_or_skip();
    struct text t;
    text_init(&t);
    for (uint32_t seed = 1; seed <= 20; seed++) {
        calico_plan_free(f->plan);
        f->plan = NULL;
        calico_set_free(f->set);
        f->set = calico_set_new();
        generate(f, seed);
        fixture_plan(f);
        for (size_t i = 0; i < f->plan->node_count; i++) {
            write_file(f, f->plan->nodes[i].node->name, 0, &t);
            if (!bird_accepts(folder, 0, text_str(&t)))
                fail_msg("seed %u: refused:\n%s", seed, text_str(&t));
        }
    }
    text_deinit(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_lines),
        FIXTURE_TEST(test_disabled_family),
        FIXTURE_TEST(test_of_the_node),
        FIXTURE_TEST(test_older_version),
        FIXTURE_TEST(test_parses),
        FIXTURE_TEST(test_generated),
        FIXTURE_TEST(test_refused_like_calico),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
