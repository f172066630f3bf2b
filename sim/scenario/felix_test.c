/*
 * What Felix programs, from manifests to routes: modes, CrossSubnet, ownership by
 * programClusterRoutes and version, tunnel addresses, nodes that are not there.
 */

// clang-format off
#include "../calico/calico_test.h"
// clang-format on

#include "felix.h"

#define POOL(cidr, modes)                                                                          \
    "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: p}\n"                        \
    "spec: {cidr: " cidr ", " modes "}\n"
#define PROGRAM(word)                                                                              \
    "---\napiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata: {name: default}\n"   \
    "spec: {programClusterRoutes: " word "}\n"

static void make_plan(struct fixture *f, const char *text, uint32_t version) {
    struct calico_plan_options o = {
        .pods_per_node = 1, .node_ip_interface = "eth0", .version = version};
    fixture_node(f, "a", "10.0.0.1", 0, NULL);
    fixture_node(f, "b", "10.0.0.2", 0, NULL);
    fixture_node(f, "c", "10.0.1.1", 0, NULL);
    fixture_must_apply(f, text);
    f->plan = calico_plan_new(f->set, &o, f->diags);
    assert_non_null(f->plan);
}

static void overlay_of(const struct fixture *f, const char *node, const uint32_t hosts[3],
                       struct lab_overlay *o) {
    const struct calico_plan_node *n = calico_plan_find(f->plan, node);
    assert_non_null(n);
    assert_true(felix_overlay(f->plan, n, hosts, f->arena, o));
}

/* "blackhole", "link 10.0.0.2", "vxlan.calico 10.244.0.64", "" for none. */
static const char *route_text(const struct fixture *f, const struct lab_overlay *o,
                              const char *prefix) {
    struct ip_prefix p;
    char gateway[IP_ADDR_TEXT_MAX];
    assert_true(ip_prefix_parse(prefix, &p));
    for (size_t i = 0; i < o->route_count; i++) {
        const struct lab_overlay_route *r = &o->routes[i];
        if (!ip_prefix_equal(r->prefix, p))
            continue;
        assert_int_equal(r->metric, calico_normal_priority(f->plan, p.addr.family));
        if (r->via == LAB_VIA_BLACKHOLE)
            return "blackhole";
        return arena_printf(f->arena, "%s %s",
                            r->via == LAB_VIA_LINK ? "link" : lab_tunnel_name(r->tunnel),
                            ip_format(r->gateway, gateway));
    }
    return "";
}

struct mode_case {
    const char *name, *manifests;
    uint32_t version;
    const char *own, *near, *far; /* at a: its own block, b's, c's */
    size_t vteps;
    enum lab_tunnel tunnel; /* LAB_TUNNELS: none */
};

#define V4 "10.244.0.0/16"
static const struct mode_case mode_cases[] = {
    {"no encapsulation is BIRD's", POOL(V4, "ipipMode: Never"), 0, "", "", "", 0, LAB_TUNNELS},
    {"or Felix's, near only", POOL(V4, "ipipMode: Never") PROGRAM("Disabled"), 0, "blackhole",
     "link 10.0.0.2", "", 0, LAB_TUNNELS},
    {"EnabledIPIPOnly leaves it to Felix", POOL(V4, "ipipMode: Never") PROGRAM("EnabledIPIPOnly"),
     0, "blackhole", "link 10.0.0.2", "", 0, LAB_TUNNELS},
    {"IPIP Always is Felix's today", POOL(V4, "ipipMode: Always"), 0, "blackhole", "tunl0 10.0.0.2",
     "tunl0 10.0.1.1", 0, LAB_TUNNEL_IPIP},
    {"IPIP CrossSubnet", POOL(V4, "ipipMode: CrossSubnet"), 0, "blackhole", "link 10.0.0.2",
     "tunl0 10.0.1.1", 0, LAB_TUNNEL_IPIP},
    {"IPIP was BIRD's in v3.32", POOL(V4, "ipipMode: Always"), CALICO_VERSION(3, 32, 0), "", "", "",
     0, LAB_TUNNEL_IPIP},
    {"IPIP is BIRD's when told so", POOL(V4, "ipipMode: Always") PROGRAM("Enabled"), 0, "", "", "",
     0, LAB_TUNNEL_IPIP},
    {"IPIP is BIRD's alone", POOL(V4, "ipipMode: Always") PROGRAM("EnabledIPIPOnly"), 0, "", "", "",
     0, LAB_TUNNEL_IPIP},
    {"IPIP is Felix's when told so", POOL(V4, "ipipMode: Always") PROGRAM("Disabled"),
     CALICO_VERSION(3, 32, 0), "blackhole", "tunl0 10.0.0.2", "tunl0 10.0.1.1", 0, LAB_TUNNEL_IPIP},
    {"VXLAN Always", POOL(V4, "vxlanMode: Always"), 0, "blackhole", "vxlan.calico 10.244.0.64",
     "vxlan.calico 10.244.0.128", 2, LAB_TUNNEL_VXLAN4},
    {"VXLAN CrossSubnet", POOL(V4, "vxlanMode: CrossSubnet"), 0, "blackhole", "link 10.0.0.2",
     "vxlan.calico 10.244.0.128", 2, LAB_TUNNEL_VXLAN4},
    {"VXLAN is never BIRD's", POOL(V4, "vxlanMode: Always") PROGRAM("Enabled"), 0, "blackhole",
     "vxlan.calico 10.244.0.64", "vxlan.calico 10.244.0.128", 2, LAB_TUNNEL_VXLAN4},
};

static void check_mode(const struct mode_case *c) {
    static const uint32_t hosts[] = {0, 1, 2};
    struct fixture *f;
    struct lab_overlay o;
    assert_int_equal(fixture_setup((void **)&f), 0);
    make_plan(f, c->manifests, c->version);
    overlay_of(f, "a", hosts, &o);
    assert_string_equal(route_text(f, &o, "10.244.0.0/26"), c->own);
    assert_string_equal(route_text(f, &o, "10.244.0.64/26"), c->near);
    assert_string_equal(route_text(f, &o, "10.244.0.128/26"), c->far);
    assert_int_equal(o.vtep_count, c->vteps);
    for (int t = 0; t < LAB_TUNNELS; t++)
        assert_int_equal(o.ends[t].wanted, t == (int)c->tunnel);
    assert_int_equal(felix_needed(f->plan), o.route_count > 0 || c->tunnel != LAB_TUNNELS);
    fixture_teardown((void **)&f);
}

static void test_modes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof mode_cases / sizeof mode_cases[0]; i++) {
        print_message("%s\n", mode_cases[i].name);
        check_mode(&mode_cases[i]);
    }
}

static void test_ends(void **state) {
    static const uint32_t hosts[] = {7, 8, UINT32_MAX};
    struct fixture *f = *state;
    struct lab_overlay o;
    make_plan(f, POOL(V4, "vxlanMode: Always"), 0);
    overlay_of(f, "a", hosts, &o);
    /* The device has the block's first address, which no pod gets. */
    assert_true(ip_equal(o.ends[LAB_TUNNEL_VXLAN4].addr, ip4(0x0af40000)));
    assert_true(ip_equal(o.ends[LAB_TUNNEL_VXLAN4].local, ip4(0x0a000001)));
    /* c is not in the lab. */
    assert_int_equal(o.vtep_count, 1);
    assert_int_equal(o.vteps[0].host, 8);
    assert_true(ip_equal(o.vteps[0].addr, ip4(0x0af40040)));
    assert_true(ip_equal(o.vteps[0].outer, ip4(0x0a000002)));
    assert_string_equal(route_text(f, &o, "10.244.0.128/26"), "");
}

static void test_own_tunnel_address(void **state) {
    static const uint32_t hosts[] = {0, 1, 2};
    struct fixture *f = *state;
    struct lab_overlay o;
    make_plan(f,
              POOL(V4, "ipipMode: Always") "---\napiVersion: v1\nkind: Node\nmetadata:\n  name: a\n"
                                           "  annotations: {projectcalico.org/IPv4IPIPTunnelAddr: "
                                           "10.244.9.9}\n",
              0);
    overlay_of(f, "a", hosts, &o);
    assert_true(ip_equal(o.ends[LAB_TUNNEL_IPIP].addr, ip4(0x0af40909)));
}

/* IPIP knows IPv4 only; a VXLAN pool of IPv6 has a device of its own, on nodes with IPv6. */
static void test_ipv6_needs_ipv6(void **state) {
    static const uint32_t hosts[] = {0, 1, 2};
    struct fixture *f = *state;
    struct lab_overlay o;
    make_plan(f, POOL("fd00:10:244::/48", "blockSize: 122, vxlanMode: Always"), 0);
    overlay_of(f, "a", hosts, &o);
    assert_false(o.ends[LAB_TUNNEL_VXLAN6].wanted);
    assert_int_equal(o.route_count + o.vtep_count, 0);
}

/* Whichever allocation fails, the answer is no and not a half of it. */
static void test_without_memory(void **state) {
    static const uint32_t hosts[] = {0, 1, 2};
    struct fixture *f = *state;
    struct lab_overlay o = {.route_count = 77};
    make_plan(f, POOL(V4, "vxlanMode: Always"), 0);
    const struct calico_plan_node *n = calico_plan_find(f->plan, "a");
    unsigned long nth = 1;
    bool made = false;
    while (!made) {
        struct arena *arena = arena_new();
        alloc_fail_after(nth, true);
        made = felix_overlay(f->plan, n, hosts, arena, &o);
        alloc_fail_after(0, false);
        assert_int_equal(o.route_count, made ? 3 : 77);
        arena_free(arena);
        nth++;
    }
    assert_true(nth > 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes),
        cmocka_unit_test_setup_teardown(test_ends, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_own_tunnel_address, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_without_memory, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_ipv6_needs_ipv6, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
