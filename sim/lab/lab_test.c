/*
 * A lab from outside: it builds, packets arrive, routes are as planned, it unwinds when the k-th
 * step fails, and the caller's namespace never sees any of it.
 */
#include "lab_fixture.h"
#include "netns.h"

#include <dirent.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/resource.h>

struct build_case {
    const char *name;
    uint32_t hosts;
    enum lab_fabric fabric;
    bool ipv6;
};

static int build_body(int fd, void *argument) {
    const struct build_case *c = argument;
    size_t pairs = (size_t)c->hosts * (c->hosts - 1);
    struct network n;
    struct lab *lab;

    (void)fd;
    network_make(&n, c->hosts, c->fabric, c->ipv6);
    lab = build_network(&n);
    CHECK(lab != NULL);
    CHECK(ping_all(lab, c->hosts, host_addr4, FIXTURE_DEADLINE_MS) == pairs);
    if (c->ipv6)
        CHECK(ping_all(lab, c->hosts, host_addr6, FIXTURE_DEADLINE_MS) == pairs);
    /* No route to pods yet: nothing may carry them. */
    CHECK(ping_all(lab, 3, pod_addr4, 1) == 0);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

/* Whoever finds his deadline past when he comes to look still takes what is there. */
static int late_body(int fd, void *argument) {
    struct lab_probe p = {
        .from = 0, .to = 1, .source = host_addr4(0), .destination = host_addr4(1)};
    struct nanotime end = nanotime_add_ms(lab_now(), FIXTURE_DEADLINE_MS);
    struct network n;
    struct lab *lab;

    (void)fd;
    (void)argument;
    network_make(&n, 2, LAB_FABRIC_L2, false);
    lab = build_network(&n);
    CHECK(lab != NULL);
    while (!lab_ping(lab, &p, 1, 0) && nanotime_before(lab_now(), end))
        continue;
    CHECK(p.arrived && p.attempts == 1);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

static void test_late(void **state) {
    (void)state;
    assert_int_equal(run_supervised(late_body, NULL), 0);
}

static const struct build_case build_cases[] = {
    {"l2, 3 hosts", 3, LAB_FABRIC_L2, false},
    {"l2, 3 hosts, IPv6", 3, LAB_FABRIC_L2, true},
    {"l2, 60 hosts", 60, LAB_FABRIC_L2, false},
    {"routed, 3 hosts", 3, LAB_FABRIC_ROUTED, false},
    {"routed, 3 hosts, IPv6", 3, LAB_FABRIC_ROUTED, true},
    {"routed, 60 hosts", 60, LAB_FABRIC_ROUTED, true},
};

static void test_build(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(build_cases) / sizeof(build_cases[0]); i++) {
        struct build_case c = build_cases[i];
        int status = run_supervised(build_body, &c);
        if (status != 0)
            print_error("%s\n", c.name);
        assert_int_equal(status, 0);
    }
}

/* ---- pods ---- */

static bool add_route(struct lab *lab, uint32_t host, struct ip_prefix p, struct ip_addr via) {
    struct link_route r = {.prefix = p, .gateway = via, .index = LAB_HOST_LINK_FIRST};
    struct netlink nl;
    bool ok;

    if (!lab_open_netlink(lab, host, NETLINK_ROUTE, &nl))
        return false;
    link_add_route(&nl, &r);
    ok = netlink_flush(&nl);
    netlink_close(&nl);
    return ok;
}

static int pods_body(int fd, void *argument) {
    enum lab_fabric fabric = *(enum lab_fabric *)argument;
    bool routed = fabric == LAB_FABRIC_ROUTED;
    struct lab_probe p = {.from = 0, .to = 1, .source = pod_addr4(0), .destination = pod_addr4(1)};
    struct network n;
    struct lab *lab;

    (void)fd;
    network_make(&n, 3, fabric, false);
    lab = build_network(&n);
    CHECK(lab != NULL);
    CHECK(!lab_ping(lab, &p, 1, 10));
    CHECK(strcmp(p.error, "network is unreachable") == 0);
    CHECK(add_route(lab, 0, block4(1), routed ? fabric_gateway(IP_V4) : host_addr4(1)));
    CHECK(!lab_ping(lab, &p, 1, 10)); /* no way back yet */
    CHECK(strcmp(p.error, "no answer") == 0);
    CHECK(p.attempts >= 1);
    CHECK(add_route(lab, 1, block4(0), routed ? fabric_gateway(IP_V4) : host_addr4(0)));
    CHECK(lab_ping(lab, &p, 1, FIXTURE_DEADLINE_MS));
    CHECK(p.arrived && p.rtt_ns > 0 && p.error[0] == '\0');
    p.source = pod_addr4(2);
    CHECK(!lab_ping(lab, &p, 1, 10)); /* not an address of host 0 */
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

static void test_pods(void **state) {
    enum lab_fabric fabrics[] = {LAB_FABRIC_L2, LAB_FABRIC_ROUTED};

    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(run_supervised(pods_body, &fabrics[i]), 0);
}

/* ---- routes ---- */

static const struct lab_route *find_route(const struct lab_route *r, ssize_t count,
                                          const char *prefix) {
    struct ip_prefix p;

    if (!ip_prefix_parse(prefix, &p))
        return NULL;
    for (ssize_t i = 0; i < count; i++)
        if (ip_prefix_equal(r[i].prefix, p))
            return &r[i];
    return NULL;
}

static bool is_sorted(const struct lab_route *r, ssize_t count) {
    for (ssize_t i = 1; i < count; i++)
        if (ip_prefix_compare(r[i - 1].prefix, r[i].prefix) > 0)
            return false;
    return true;
}

static int routes_body(int fd, void *argument) {
    struct network n;
    struct lab *lab;
    struct lab_route *r = NULL;
    const struct lab_route *one;
    ssize_t count;

    (void)fd;
    (void)argument;
    network_make(&n, 3, LAB_FABRIC_ROUTED, true);
    lab = build_network(&n);
    CHECK(lab != NULL);
    CHECK(add_route(lab, 0, block4(1), fabric_gateway(IP_V4)));
    CHECK(add_route(lab, 0, block6(1), fabric_gateway(IP_V6)));
    count = lab_routes(lab, 0, &r);
    CHECK(count >= 4 && is_sorted(r, count));
    CHECK(find_route(r, count, "0.0.0.0/0") == NULL);
    one = find_route(r, count, "10.0.0.0/16");
    CHECK(one != NULL && ip_equal(one->gateway, fabric_gateway(IP_V4)));
    CHECK(strcmp(one->interface, "eth0") == 0 && one->protocol == RTPROT_STATIC);
    one = find_route(r, count, "10.244.1.0/24");
    CHECK(one != NULL && !one->blackhole);
    one = find_route(r, count, "fd44:0:0:100::/64");
    CHECK(one != NULL && ip_equal(one->gateway, fabric_gateway(IP_V6)));
    alloc_free(r);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

/* `ip route add` with these words. */
static bool ip_route_add(struct lab *lab, uint32_t host, const char *const *words) {
    char *argv[16] = {(char *)(uintptr_t) "ip", (char *)(uintptr_t) "route",
                      (char *)(uintptr_t) "add"};

    for (size_t i = 0; words[i] != NULL; i++)
        argv[3 + i] = (char *)(uintptr_t)words[i];
    return lab_exec(lab, host, argv, 0, 1, 2) == 0;
}
#define ADD(...) ip_route_add(lab, 0, (const char *const[]){__VA_ARGS__, NULL})

/* What leads nowhere is a blackhole, the better metric comes first, other tables are no matter. */
static int strange_routes_body(int fd, void *argument) {
    struct network n;
    struct lab *lab;
    struct lab_route *r = NULL;
    const struct lab_route *one;
    ssize_t count;

    (void)fd;
    (void)argument;
    network_make(&n, 2, LAB_FABRIC_L2, false);
    lab = build_network(&n);
    CHECK(lab != NULL);
    CHECK(ADD("unreachable", "10.250.0.0/24") && ADD("prohibit", "10.250.1.0/24"));
    CHECK(ADD("blackhole", "10.250.2.0/24"));
    CHECK(ADD("10.251.0.0/24", "dev", "eth0", "table", "100"));
    CHECK(ADD("10.252.0.0/24", "via", "10.0.0.2", "metric", "20", "proto", "12"));
    CHECK(ADD("10.252.0.0/24", "via", "10.0.0.2", "metric", "10", "proto", "80"));
    count = lab_routes(lab, 0, &r);
    for (int i = 0; i < 3; i++) {
        static const char *const nowhere[] = {"10.250.0.0/24", "10.250.1.0/24", "10.250.2.0/24"};
        one = find_route(r, count, nowhere[i]);
        CHECK(one != NULL && one->blackhole && one->interface[0] == '\0');
    }
    CHECK(find_route(r, count, "10.251.0.0/24") == NULL);
    one = find_route(r, count, "10.252.0.0/24");
    CHECK(one != NULL && one + 1 < r + count && one->metric == 10 && one->protocol == 80);
    CHECK(ip_prefix_equal(one[1].prefix, one->prefix) && one[1].metric == 20);
    alloc_free(r);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

static void test_routes(void **state) {
    (void)state;
    assert_int_equal(run_supervised(routes_body, NULL), 0);
    assert_int_equal(run_supervised(strange_routes_body, NULL), 0);
}

/* ---- changes ---- */

static bool tick_until(struct lab *lab, struct lab_stream *s, const uint64_t *count,
                       uint64_t least) {
    struct nanotime end = nanotime_add_ms(lab_now(), FIXTURE_DEADLINE_MS);

    while (*count < least && nanotime_before(lab_now(), end))
        (void)lab_wait(lab, lab_stream_tick(s), -1);
    return *count >= least;
}

static bool drained(struct lab *lab, struct lab_stream *s) {
    struct nanotime end = nanotime_add_ms(lab_now(), FIXTURE_DEADLINE_MS);

    while (!lab_stream_drained(s) && nanotime_before(lab_now(), end))
        (void)lab_wait(lab, nanotime_add_ms(lab_now(), LAB_STREAM_INTERVAL_MS), -1);
    return lab_stream_drained(s);
}

/* Nothing is lost until a link goes down, and then everything of one flow and nothing of the other
 * until it comes back. */
static int stream_body(int fd, void *argument) {
    struct lab_flow f[2] = {
        {.from = 0, .to = 1, .source = host_addr4(0), .destination = host_addr4(1)},
        {.from = 0, .to = 2, .source = host_addr4(0), .destination = host_addr4(2)}};
    struct diag_list *d = diag_list_new();
    struct lab_stream *s;
    struct network n;
    struct lab *lab;

    (void)fd;
    (void)argument;
    network_make(&n, 3, LAB_FABRIC_ROUTED, false);
    lab = build_network(&n);
    CHECK(lab != NULL);
    for (uint32_t to = 1; to < 3; to++) { /* a fresh link carries nothing for a moment */
        struct lab_probe p = {.source = host_addr4(0), .destination = host_addr4(to), .to = to};
        CHECK(lab_ping(lab, &p, 1, FIXTURE_DEADLINE_MS));
    }
    s = lab_stream_start(lab, f, 2);
    CHECK(s != NULL && tick_until(lab, s, &f[0].sent, 5) && drained(lab, s));
    CHECK(f[0].answered == f[0].sent && f[1].answered == f[1].sent);
    CHECK(lab_fault(lab, LAB_FAULT_LINK_DOWN, 1, UINT32_MAX, 0, d));
    CHECK(tick_until(lab, s, &f[0].sent, f[0].answered + 5));
    CHECK(lab_fault(lab, LAB_FAULT_LINK_UP, 1, UINT32_MAX, 0, d));
    CHECK(tick_until(lab, s, &f[0].answered, f[0].answered + 5));
    CHECK(tick_until(lab, s, &f[1].answered, f[1].sent));
    CHECK(!lab_stream_drained(s));
    lab_stream_end(s);
    CHECK(f[0].sent >= f[0].answered + 5);
    CHECK(f[0].outage_ns >= 5 * LAB_STREAM_INTERVAL_MS * NANOS_PER_MS && f[1].outage_ns == 0);
    f[0].from = 7; /* no such host */
    CHECK(lab_stream_start(lab, f, 2) == NULL);
    diag_list_free(d);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

static void test_stream(void **state) {
    (void)state;
    assert_int_equal(run_supervised(stream_body, NULL), 0);
}

static bool await_ping_error(struct lab *lab, struct lab_probe *p, const char *error) {
    struct nanotime end = nanotime_add_ms(lab_now(), FIXTURE_DEADLINE_MS);

    do {
        if (lab_ping(lab, p, 1, 500))
            return false;
    } while (strcmp(p->error, error) != 0 && nanotime_before(lab_now(), end));
    return strcmp(p->error, error) == 0;
}

static int update_body(int fd, void *argument) {
    struct diag_list *d = diag_list_new();
    struct lab_probe p = {.from = 0, .to = 1, .source = host_addr4(0), .destination = pod_addr4(7)};
    struct lab_local locals[1];
    struct ip_prefix delivered[1] = {block4(7)};
    struct network n;
    struct lab_host want;
    struct lab *lab;

    (void)fd;
    (void)argument;
    network_make(&n, 2, LAB_FABRIC_ROUTED, false);
    lab = build_network(&n);
    CHECK(lab != NULL);
    CHECK(add_route(lab, 0, block4(7), fabric_gateway(IP_V4)));
    CHECK(await_ping_error(lab, &p, "network is unreachable")); /* the router says so */
    want = n.hosts[1];
    locals[0].addr = pod_addr4(7);
    want.locals = locals;
    want.delivered = delivered;
    CHECK(lab_update_host(lab, 1, &want, d));
    CHECK(lab_ping(lab, &p, 1, FIXTURE_DEADLINE_MS));
    want.local_count = want.delivered_count = 0;
    CHECK(lab_update_host(lab, 1, &want, d));
    CHECK(!lab_ping(lab, &p, 1, 10));
    CHECK(diag_count(d) == 0);
    want.interface_count = 0;
    CHECK(!lab_update_host(lab, 1, &want, d) && diag_error_count(d) == 1);
    diag_list_free(d);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

static void test_update(void **state) {
    (void)state;
    assert_int_equal(run_supervised(update_body, NULL), 0);
}

static int limits_body(int fd, void *argument) {
    struct diag_list *d = diag_list_new();
    struct network n;

    (void)fd;
    (void)argument;
    network_make(&n, LAB_BRIDGE_PORTS_MAX + 1, LAB_FABRIC_L2, false);
    CHECK(lab_build(&n.spec, NULL, NULL, d) == NULL);
    CHECK(diag_count(d) == 1);
    CHECK(strcmp(diag_at(d, 0)->id, "lab-bridge-ports") == 0);
    n.interfaces[5].segment = 9;
    CHECK(lab_build(&n.spec, NULL, NULL, d) == NULL);
    CHECK(diag_count(d) == 2);
    diag_list_free(d);
    network_free(&n);
    return 0;
}

static void test_limits(void **state) {
    (void)state;
    assert_int_equal(run_supervised(limits_body, NULL), 0);
}

/* ---- nothing left, nothing seen ---- */

static size_t open_descriptors(void) {
    DIR *d = opendir("/proc/self/fd");
    size_t count = 0;

    while (d != NULL && readdir(d) != NULL)
        count++;
    if (d != NULL)
        closedir(d);
    return count;
}

static int unwind_body(int fd, void *argument) {
    enum lab_fabric fabric = *(enum lab_fabric *)argument;
    size_t before = open_descriptors();
    unsigned long steps;
    struct network n;
    struct lab *lab;

    (void)fd;
    network_make(&n, 3, fabric, true);
    step_fail_at(0);
    lab = build_network(&n);
    CHECK(lab != NULL);
    steps = step_count();
    CHECK(steps > 10);
    lab_teardown(lab);
    CHECK(open_descriptors() == before);
    for (unsigned long k = 1; k <= steps; k++) {
        struct diag_list *d = diag_list_new();
        step_fail_at(k);
        lab = lab_build(&n.spec, NULL, NULL, d);
        step_fail_at(0);
        CHECK(lab == NULL);
        CHECK(diag_error_count(d) >= 1);
        CHECK(open_descriptors() == before);
        diag_list_free(d);
    }
    lab = build_network(&n); /* and afterwards it builds */
    CHECK(lab != NULL);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

static void test_unwind(void **state) {
    enum lab_fabric fabrics[] = {LAB_FABRIC_L2, LAB_FABRIC_ROUTED};

    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(run_supervised(unwind_body, &fabrics[i]), 0);
}

/* Whatever the limit on descriptors: all is built, or nothing and the finding names the limit. */
static int descriptors_body(int fd, void *argument) {
    size_t before = open_descriptors(), failures = 0;
    struct rlimit own;
    struct network n;

    (void)fd;
    (void)argument;
    CHECK(getrlimit(RLIMIT_NOFILE, &own) == 0);
    network_make(&n, 20, LAB_FABRIC_ROUTED, false);
    for (rlim_t limit = 8; limit < 60; limit += 3) {
        struct rlimit r = {.rlim_cur = limit, .rlim_max = own.rlim_max};
        struct diag_list *d = diag_list_new();
        struct lab *lab;
        CHECK(setrlimit(RLIMIT_NOFILE, &r) == 0);
        lab = lab_build(&n.spec, NULL, NULL, d);
        CHECK((lab == NULL) == (diag_error_count(d) > 0));
        if (lab == NULL) {
            failures++;
            CHECK(strstr(diag_at(d, 0)->message, "ulimit -n") != NULL);
        }
        lab_teardown(lab);
        CHECK(setrlimit(RLIMIT_NOFILE, &own) == 0);
        CHECK(open_descriptors() == before);
        diag_list_free(d);
    }
    CHECK(failures > 5 && failures < 17);
    network_free(&n);
    return 0;
}

static void test_descriptor_limit(void **state) {
    (void)state;
    assert_int_equal(run_supervised(descriptors_body, NULL), 0);
}

static void count_message(void *context, const struct nlmsghdr *m) {
    (void)m;
    ++*(size_t *)context;
}

/* Links of the caller's namespace, and the next index the kernel would give there. */
static size_t count_links(void) {
    struct ifinfomsg m = {0};
    struct request r = request_new(RTM_GETLINK, NLM_F_DUMP, &m, sizeof(m));
    struct netlink nl;
    size_t count = 0;

    assert_true(netlink_open(&nl, NETLINK_ROUTE));
    assert_int_equal(netlink_dump(&nl, &r, count_message, &count), 0);
    netlink_close(&nl);
    return count;
}

static void test_caller_sees_nothing(void **state) {
    struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    struct build_case c = build_cases[0];
    size_t before = count_links();
    char event[4096];
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(run_supervised(build_body, &c), 0);
    assert_int_equal(count_links(), before);
    assert_true(recv(fd, event, sizeof(event), 0) < 0); /* not one event about a link */
    assert_int_equal(errno, EAGAIN);
    close(fd);
}

static int exec_body(int fd, void *argument) {
    char *const list[] = {(char[]){"cat"}, (char[]){"/proc/net/dev"}, NULL};
    char *const missing[] = {(char[]){"/nonexistent"}, NULL};
    char *const status[] = {(char[]){"false"}, NULL};
    char output[4096] = "";
    struct network n;
    struct lab *lab;
    int out[2];

    (void)fd;
    (void)argument;
    network_make(&n, 2, LAB_FABRIC_L2, false);
    lab = build_network(&n);
    CHECK(lab != NULL && pipe(out) == 0);
    CHECK(lab_exec(lab, 1, list, 0, out[1], 2) == 0);
    CHECK(read(out[0], output, sizeof(output) - 1) > 0);
    CHECK(strstr(output, "eth0") != NULL && strstr(output, "lo:") != NULL);
    CHECK(lab_exec(lab, 1, status, 0, 1, 2) == 1);
    CHECK(lab_exec(lab, 1, missing, 0, 1, 2) == 127);
    lab_teardown(lab);
    network_free(&n);
    return 0;
}

/* How many hosts a teardown gives up, of which somebody from outside stays in `held` (0 or 1). */
static size_t given_up(const struct network *n, size_t held, uint32_t deadline_ms) {
    struct lab *lab = build_network(n);
    int kept = lab != NULL && held ? dup(lab_host_netns(lab, 1)) : -1;
    size_t count = SIZE_MAX;

    if (lab != NULL) {
        lab->release_deadline_ms = deadline_ms;
        count = lab_teardown(lab);
    }
    if (kept >= 0)
        close(kept);
    return count;
}

/* The teardown gives up in time, and says of how many. The kernel lets the others go in its own
 * time, which may be longer than we wait. */
static int held_body(int fd, void *argument) {
    size_t count = 0;
    struct network n;

    (void)fd;
    (void)argument;
    network_make(&n, 3, LAB_FABRIC_L2, false);
    CHECK(given_up(&n, 0, FIXTURE_DEADLINE_MS) == 0);
    for (uint32_t ms = 100; count != 1 && ms < FIXTURE_DEADLINE_MS; ms *= 4) {
        count = given_up(&n, 1, ms);
        CHECK(count >= 1 && count <= 3);
    }
    CHECK(count == 1);
    network_free(&n);
    return 0;
}

static void test_held(void **state) {
    (void)state;
    assert_int_equal(run_supervised(held_body, NULL), 0);
}

static void test_exec(void **state) {
    (void)state;
    assert_int_equal(run_supervised(exec_body, NULL), 0);
}

/* The caller's links, and events of them, are nobody else's. */
static int own_network(void **state) {
    (void)state;
    return geteuid() == 0 ? unshare(CLONE_NEWNET) : 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build),  cmocka_unit_test(test_pods),
        cmocka_unit_test(test_routes), cmocka_unit_test(test_stream),
        cmocka_unit_test(test_update), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_unwind), cmocka_unit_test(test_descriptor_limit),
        cmocka_unit_test(test_exec),   cmocka_unit_test(test_caller_sees_nothing),
        cmocka_unit_test(test_held),   cmocka_unit_test(test_late),
    };

    return cmocka_run_group_tests(tests, own_network, NULL);
}
