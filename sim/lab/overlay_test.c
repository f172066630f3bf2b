/*
 * Tunnels between hosts: packets of pods arrive through them, the octets they add are on the wire,
 * what is wanted no more goes, and nobody else's routes are touched.
 *
 * Host h's pod is in block4(h); its VTEP and its tunl0 have the block's first address.
 */
#include "lab_fixture.h"
#include "overlay.h"
#include "wire.h"

#define HOSTS 3u

struct overlay_case {
    const char *name;
    enum lab_fabric fabric;
    enum lab_tunnel tunnel;
    bool direct; /* routes on the link, no tunnel */
    enum wire_encapsulation encapsulation;
    uint32_t added_bytes;
};

/* 10.244.h.0: the fixture's pod is 10.244.h.1. */
static struct ip_addr tunnel_addr(uint32_t host) {
    return block4(host).addr;
}

struct wanted {
    struct lab_overlay overlay;
    struct lab_overlay_route routes[HOSTS];
    struct lab_overlay_vtep vteps[HOSTS];
};

static void add_remote(struct wanted *w, const struct overlay_case *c, uint32_t other) {
    bool vxlan = c->tunnel == LAB_TUNNEL_VXLAN4;

    w->routes[w->overlay.route_count++] = (struct lab_overlay_route){
        .prefix = block4(other),
        .via = c->direct ? LAB_VIA_LINK : LAB_VIA_TUNNEL,
        .tunnel = c->direct ? LAB_TUNNEL_IPIP : c->tunnel,
        .gateway = vxlan && !c->direct ? tunnel_addr(other) : host_addr4(other)};
    if (vxlan && !c->direct)
        w->vteps[w->overlay.vtep_count++] = (struct lab_overlay_vtep){.tunnel = c->tunnel,
                                                                      .host = other,
                                                                      .addr = tunnel_addr(other),
                                                                      .outer = host_addr4(other)};
}

/* What host `h` wants while the first `hosts` are there. */
static void make_wanted(struct wanted *w, const struct overlay_case *c, uint32_t h,
                        uint32_t hosts) {
    memset(w, 0, sizeof(*w));
    w->overlay.routes = w->routes;
    w->overlay.vteps = w->vteps;
    if (!c->direct)
        w->overlay.ends[c->tunnel] =
            (struct lab_tunnel_end){.wanted = true, .addr = tunnel_addr(h), .local = host_addr4(h)};
    for (uint32_t other = 0; other < hosts; other++)
        if (other != h)
            add_remote(w, c, other);
    w->routes[w->overlay.route_count++] =
        (struct lab_overlay_route){.prefix = block4(h), .via = LAB_VIA_BLACKHOLE};
}

static bool set_all(struct lab *lab, const struct overlay_case *c, uint32_t hosts) {
    struct diag_list *d = diag_list_new();
    bool ok = true;

    for (uint32_t h = 0; ok && h < HOSTS; h++) {
        struct wanted w;
        make_wanted(&w, c, h, hosts);
        ok = lab_overlay_set(lab, h, &w.overlay, d);
    }
    print_findings(d);
    diag_list_free(d);
    return ok;
}

static int check_wire(struct lab *lab, const struct overlay_case *c) {
    struct lab_probe p = {.from = 0, .to = 1, .source = pod_addr4(0), .destination = pod_addr4(1)};
    struct lab_wire w;
    uint64_t lost = 99;
    struct diag_list *d = diag_list_new();

    CHECK(lab_ping_on_wire(lab, &p, 1, FIXTURE_DEADLINE_MS, &w, &lost, d) && lost == 0);
    print_findings(d);
    diag_list_free(d);
    CHECK(p.arrived);
    CHECK(w.seen);
    CHECK(w.echo.encapsulation == c->encapsulation);
    CHECK(w.echo.wire_bytes - w.echo.packet_bytes == c->added_bytes);
    CHECK(w.echo.packet_bytes >= 28);
    return 0;
}

/* Felix's routes in a host's main table; `interface` NULL: any. */
static size_t count_routes(struct lab *lab, uint32_t host, const char *interface) {
    struct lab_route *list = NULL;
    ssize_t n = lab_routes(lab, host, &list);
    size_t count = 0;

    for (ssize_t i = 0; i < n; i++)
        count += list[i].protocol == LAB_FELIX_PROTOCOL &&
                 (interface == NULL || strcmp(list[i].interface, interface) == 0);
    alloc_free(list);
    return count;
}

static int overlay_body(int fd, void *argument) {
    const struct overlay_case *c = argument;
    const struct overlay_case none = {.direct = true};
    const char *device = c->direct ? "eth0" : lab_tunnel_name(c->tunnel);
    struct network n;
    struct lab *lab;

    (void)fd;
    network_make(&n, HOSTS, c->fabric, false);
    lab = build_network(&n);
    CHECK(lab != NULL);
    CHECK(set_all(lab, c, HOSTS));
    CHECK(set_all(lab, c, HOSTS)); /* the same once more changes nothing */
    CHECK(ping_all(lab, HOSTS, pod_addr4, FIXTURE_DEADLINE_MS) == HOSTS * (HOSTS - 1));
    CHECK(check_wire(lab, c) == 0);
    CHECK(count_routes(lab, 0, device) == HOSTS - 1);
    CHECK(count_routes(lab, 0, NULL) == HOSTS);
    /* One host is gone: its routes go everywhere, the others' stay. */
    CHECK(set_all(lab, c, HOSTS - 1));
    CHECK(count_routes(lab, 0, device) == HOSTS - 2);
    CHECK(ping_all(lab, HOSTS - 1, pod_addr4, FIXTURE_DEADLINE_MS) == 2);
    /* From tunnel to no tunnel, and to nothing at all. */
    CHECK(set_all(lab, &none, HOSTS));
    CHECK(count_routes(lab, 0, "eth0") == HOSTS - 1);
    CHECK(ping_all(lab, HOSTS, pod_addr4, FIXTURE_DEADLINE_MS) == HOSTS * (HOSTS - 1));
    CHECK(set_all(lab, c, HOSTS));
    CHECK(ping_all(lab, HOSTS, pod_addr4, FIXTURE_DEADLINE_MS) == HOSTS * (HOSTS - 1));
    for (uint32_t h = 0; h < HOSTS; h++) {
        struct lab_overlay nothing = {0};
        CHECK(lab_overlay_set(lab, h, &nothing, NULL));
    }
    CHECK(count_routes(lab, 0, NULL) == 0);
    CHECK(ping_all(lab, HOSTS, pod_addr4, 1) == 0);
    CHECK((c->encapsulation == WIRE_IPIP) == (lab_ipip_used(lab) != LAB_IPIP_UNUSED));
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

static const struct overlay_case overlay_cases[] = {
    {"direct, l2", LAB_FABRIC_L2, LAB_TUNNEL_IPIP, true, WIRE_PLAIN, 0},
    {"direct, routed", LAB_FABRIC_ROUTED, LAB_TUNNEL_IPIP, true, WIRE_PLAIN, 0},
    {"VXLAN, l2", LAB_FABRIC_L2, LAB_TUNNEL_VXLAN4, false, WIRE_VXLAN, 50},
    {"VXLAN, routed", LAB_FABRIC_ROUTED, LAB_TUNNEL_VXLAN4, false, WIRE_VXLAN, 50},
    {"IPIP, l2", LAB_FABRIC_L2, LAB_TUNNEL_IPIP, false, WIRE_IPIP, 20},
    {"IPIP, routed", LAB_FABRIC_ROUTED, LAB_TUNNEL_IPIP, false, WIRE_IPIP, 20},
};

static void test_overlay(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(overlay_cases) / sizeof(overlay_cases[0]); i++) {
        struct overlay_case c = overlay_cases[i];
        int status = run_supervised(overlay_body, &c);
        if (status != 0)
            print_error("%s\n", c.name);
        assert_int_equal(status, 0);
    }
}

/* ---- the k-th step fails ---- */

struct retry {
    const struct overlay_case *c;
    unsigned long k;
};

/* Whatever failed, the next call makes it whole. 1: it failed and is fine now; 0: no step did. */
static int retry_body(int fd, void *argument) {
    const struct retry *a = argument;
    struct diag_list *d = diag_list_new();
    struct network n;
    struct wanted w;
    struct lab *lab;
    bool failed;

    (void)fd;
    network_make(&n, HOSTS, a->c->fabric, false);
    lab = build_network(&n);
    make_wanted(&w, a->c, 0, HOSTS);
    step_fail_at(a->k);
    failed = lab == NULL || !lab_overlay_set(lab, 0, &w.overlay, d);
    step_fail_at(0);
    if (lab == NULL || failed != (diag_error_count(d) > 0) || !set_all(lab, a->c, HOSTS) ||
        ping_all(lab, HOSTS, pod_addr4, FIXTURE_DEADLINE_MS) != HOSTS * (HOSTS - 1))
        return 2;
    diag_list_free(d);
    lab_teardown(lab);
    network_free(&n);
    return failed;
}

static void test_each_step_fails_once(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(overlay_cases) / sizeof(overlay_cases[0]); i++) {
        struct retry a = {&overlay_cases[i], 0};
        int status;
        do {
            a.k++;
            status = run_supervised(retry_body, &a);
        } while (status == 1);
        if (status != 0)
            print_error("%s, step %lu\n", a.c->name, a.k);
        assert_int_equal(status, 0);
        assert_true(a.k > 1);
    }
}

/* ---- what is in a frame ---- */

#define SLL(type) 0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, (type) >> 8, (type)&255
#define IP4(protocol, a, b) 0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, a, 10, 0, 0, b
#define ECHO(type) type, 0, 0, 0, 0, 1, 0, 1
#define ETHERNET 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0
#define UDP(port) 1, 2, (port) >> 8, (port)&255, 0, 0, 0, 0
#define VXLAN 8, 0, 0, 0, 0, 16, 0, 0

static const struct frame_case {
    const char *name;
    uint8_t bytes[128];
    size_t size;
    bool echo;
    enum wire_encapsulation encapsulation;
    uint32_t added_bytes;
} frame_cases[] = {
    {"plain", {SLL(0x0800), IP4(1, 1, 2), ECHO(8)}, 44, true, WIRE_PLAIN, 0},
    {"a reply", {SLL(0x0800), IP4(1, 1, 2), ECHO(0)}, 44, false, WIRE_PLAIN, 0},
    {"IPIP", {SLL(0x0800), IP4(4, 8, 9), IP4(1, 1, 2), ECHO(8)}, 64, true, WIRE_IPIP, 20},
    {"VXLAN",
     {SLL(0x0800), IP4(17, 8, 9), UDP(4789), VXLAN, ETHERNET, IP4(1, 1, 2), ECHO(8)},
     94,
     true,
     WIRE_VXLAN,
     50},
    {"another port",
     {SLL(0x0800), IP4(17, 8, 9), UDP(4790), VXLAN, ETHERNET, IP4(1, 1, 2), ECHO(8)},
     94,
     false,
     WIRE_PLAIN,
     0},
    {"IPIP twice",
     {SLL(0x0800), IP4(4, 8, 9), IP4(4, 6, 7), IP4(1, 1, 2), ECHO(8)},
     84,
     false,
     WIRE_PLAIN,
     0},
    {"a header of 16 octets",
     {SLL(0x0800), 0x44, 0, 0, 0, 0, 0, 0, 0, 64, 1},
     36,
     false,
     WIRE_PLAIN,
     0},
};

static void test_frames(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(frame_cases) / sizeof(frame_cases[0]); i++) {
        const struct frame_case *c = &frame_cases[i];
        struct wire_echo e = {.packet_bytes = 7};
        bool found = wire_echo_decode(c->bytes, c->size, c->size + 56, &e);
        if (found != c->echo)
            print_error("%s\n", c->name);
        assert_int_equal(found, c->echo);
        if (!c->echo) {
            assert_int_equal(e.packet_bytes, 7); /* untouched */
            continue;
        }
        assert_int_equal(e.encapsulation, c->encapsulation);
        assert_int_equal(e.wire_bytes, c->size + 56 - 16);
        assert_int_equal(e.wire_bytes - e.packet_bytes, c->added_bytes);
        assert_true(ip_equal(e.source, ip4(0x0a000001)));
        assert_true(ip_equal(e.destination, ip4(0x0a000002)));
        for (size_t size = 0; size < c->size - 7; size++)
            assert_false(wire_echo_decode(c->bytes, size, c->size, &e)); /* cut short */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overlay),
        cmocka_unit_test(test_each_step_fails_once),
        cmocka_unit_test(test_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
