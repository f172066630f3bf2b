/*
 * Kernel routes with several next hops, and those that outlive the speaker that wrote them: one
 * node between two others in two autonomous systems, IPv4 and IPv6.
 *
 * The kernel's word is that of iproute2. What must not happen too early is judged by times that the
 * scoreboard gives.
 */
#include "nodes_fixture.h"

#include "../base/addr.h"
#include "../base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NODES 3
#define PREFIX4 "10.244.9.0/26"
#define PREFIX6 "fd00:9::/64"
#define DEFERRAL_NS UINT64_C(4000000000)          /* of the profile `fast` */
#define CALICO_DEFERRAL_NS UINT64_C(240000000000) /* of the profile `calico` */

static int lab_up(void **state) {
    (void)state;
    return nodes_group_up(NODES);
}

static int speakers_end(void **state) {
    (void)state;
    for (int i = 0; !nodes_forbidden() && i < NODES; i++) {
        nodes_kill(i);
        nodes_ip(i, "route", "flush", "proto", "12", NULL);
        nodes_ip(i, "-6", "route", "flush", "proto", "12", NULL);
    }
    return 0;
}

/* ---- configurations ---- */

static void put_peer(struct text *t, int peer, bool v6, bool calls) {
    text_printf(t,
                "{\"name\":\"n%d-%d\",\"remote_addr\":\"%s%d\",\"remote_as\":%d,%s"
                "\"families\":[\"%s\"],\"import\":{\"%s\":{\"accept_by_default\":true}},"
                "\"export\":{\"%s\":{\"accept_by_default\":true}}}",
                peer + 1, v6 ? 6 : 4, v6 ? "fd00::" : "10.0.0.", peer + 1, 64501 + peer,
                calls ? "" : "\"passive\":true,", v6 ? "ipv6" : "ipv4", v6 ? "ipv6" : "ipv4",
                v6 ? "ipv6" : "ipv4");
}

/* The first node has sessions with both others; `originates`: this one has the prefixes. */
static const char *config_of(int node, const char *profile, bool originates) {
    static struct text texts[NODES];
    struct text *t = &texts[node];
    text_deinit(t);
    text_init(t);
    text_printf(t,
                "{\"profile\":\"%s\",\"hostname\":\"n%d\",\"local_as\":%d,"
                "\"router_id\":\"10.0.0.%d\",\"fib\":{\"install\":true},\"peers\":[",
                profile, node + 1, 64501 + node, node + 1);
    for (int v6 = 0; v6 < 2; v6++) {
        for (int peer = node ? 0 : 1; peer < (node ? 1 : NODES); peer++) {
            put_peer(t, peer, v6, node == 0);
            text_puts(t, v6 && peer == (node ? 0 : NODES - 1) ? "]" : ",");
        }
    }
    text_puts(t, ",\"origins\":[");
    if (originates)
        text_puts(t, "{\"prefix\":\"" PREFIX4 "\",\"source\":\"static\"},"
                     "{\"prefix\":\"" PREFIX6 "\",\"source\":\"static\"}");
    text_puts(t, "]}");
    return text_str(t);
}

static void configure(int node, bool originates) {
    struct text request;
    text_init(&request);
    text_printf(&request, "{\"op\":\"configure\",\"config\":%s}\n",
                config_of(node, "fast", originates));
    assert_true(nodes_ask(node, text_str(&request), "\"ok\":true"));
    text_deinit(&request);
}

/* Returns when it listens: the first node calls the others. */
static void start(int node, const char *config) {
    nodes_start(node, config, "--config-fd");
    WAIT_FOR(running, node, SCOREBOARD_RUNNING);
}

static void start_all(void) {
    for (int i = NODES - 1; i >= 0; i--)
        start(i, config_of(i, "fast", i > 0));
}

/* ---- the kernel ---- */

/* Does the first node's route to the prefix lead to exactly those of the nodes 2 and 3 whose bit
 * (value 2 and 4) is set? */
static bool leads_to(bool v6, uint64_t nodes_wanted) {
    static char family[2][3] = {"-4", "-6"}, ip[] = "ip", route[] = "route", show[] = "show",
                prefix[2][24] = {PREFIX4, PREFIX6};
    char *argv[] = {ip, family[v6], route, show, prefix[v6], NULL};
    struct text out;
    text_init(&out);
    assert_int_equal(nodes_capture(0, argv, &out), 0); /* also when there is none */
    uint64_t seen = 0;
    for (int node = 1; node < NODES; node++) {
        char via[32];
        snprintf(via, sizeof via, "via %s%d ", v6 ? "fd00::" : "10.0.0.", node + 1);
        seen |= strstr(text_str(&out), via) ? UINT64_C(1) << node : 0;
    }
    bool several = strstr(text_str(&out), "nexthop");
    text_deinit(&out);
    return seen == nodes_wanted && several == (nodes_wanted == 6);
}

static bool kernel_leads_to(int node, uint64_t nodes_wanted) {
    (void)node;
    return leads_to(false, nodes_wanted) && leads_to(true, nodes_wanted);
}

static bool kernel_has_own(void) {
    static char text[65536];
    nodes_read_proc(0, "route", text, sizeof text);
    return strstr(text, "0008F40A") != NULL; /* 10.244.8.0 */
}

static uint64_t digest_of(uint64_t nodes_counted) {
    const char *prefixes[] = {PREFIX4, PREFIX6};
    uint64_t digest = 0;
    for (int v6 = 0; v6 < 2; v6++) {
        for (int node = 1; node < NODES; node++) {
            struct ip_prefix p;
            struct ip_addr a;
            char text[32];
            snprintf(text, sizeof text, "%s%d", v6 ? "fd00::" : "10.0.0.", node + 1);
            assert_true(ip_prefix_parse(prefixes[v6], &p) && ip_parse(text, &a));
            if (nodes_counted >> node & 1)
                digest += scoreboard_route_digest(&p, &a);
        }
    }
    return digest;
}

static bool digest_is(int node, uint64_t nodes_counted) {
    return atomic_load(&nodes_slot(node)->fib_digest) == digest_of(nodes_counted);
}

/* ---- tests ---- */

static void test_several_next_hops(void **state) {
    /* Bits of the nodes that announce: both, one, the other, none, and back. */
    static const unsigned steps[] = {6, 2, 6, 4, 6, 0, 6, 4, 2, 0};
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_all();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        for (int node = 1; node < NODES && i > 0; node++)
            configure(node, steps[i] >> node & 1);
        WAIT_FOR(kernel_leads_to, 0, steps[i]);
        WAIT_FOR(digest_is, 0, steps[i]);
        assert_int_equal(atomic_load(&nodes_slot(0)->fib[0]), steps[i] != 0);
        assert_int_equal(atomic_load(&nodes_slot(0)->fib[1]), steps[i] != 0);
    }
    assert_true(dropped(0, 0));
}

/* Somebody deletes them, or their interface goes down and comes up: they come back. */
static void test_several_come_back(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_all();
    WAIT_FOR(kernel_leads_to, 0, 6);
    nodes_ip(0, "route", "del", PREFIX4, NULL);
    WAIT_FOR(kernel_leads_to, 0, 6);
    nodes_ip(0, "link", "set", "v0", "down", NULL);
    WAIT_FOR(digest_is, 0, 0);
    nodes_ip(0, "link", "set", "v0", "up", NULL);
    nodes_ip(0, "-6", "address", "replace", "fd00::1/64", "dev", "v0", "nodad", NULL);
    WAIT_FOR(kernel_leads_to, 0, 6);
    WAIT_FOR(digest_is, 0, 6);
}

/* A clean stop leaves them in the kernel; the next speaker, which reaches nobody, keeps them until
 * its deferral timer has run out. */
static void test_kept_until_deferral(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_all();
    WAIT_FOR(kernel_leads_to, 0, 6);
    assert_int_equal(nodes_stop(0), 0);
    assert_true(kernel_leads_to(0, 6));
    nodes_kill(1);
    nodes_kill(2);
    start(0, config_of(0, "fast", false));
    WAIT_FOR(kernel_leads_to, 0, 0);
    const struct scoreboard_slot *s = nodes_slot(0);
    WAIT_FOR(digest_is, 0, 0);
    assert_true(atomic_load(&s->fib_last_ns) >= atomic_load(&s->started_ns) + DEFERRAL_NS);
}

/* After a kill, the neighbours answer: what they no longer have goes with their End-of-RIB, long
 * before the timer, which has Calico's four minutes here; the rest is never gone. */
static void test_replaced_at_end_of_rib(void **state) {
    (void)state;
    SKIP_IF_FORBIDDEN();
    start_all();
    WAIT_FOR(kernel_leads_to, 0, 6);
    nodes_kill(0);
    assert_true(kernel_leads_to(0, 6));
    configure(1, false);
    start(0, config_of(0, "calico", false));
    WAIT_FOR(kernel_leads_to, 0, 4);
    WAIT_FOR(digest_is, 0, 4);
    const struct scoreboard_slot *s = nodes_slot(0);
    assert_true(atomic_load(&s->fib_last_ns) - atomic_load(&s->started_ns) < CALICO_DEFERRAL_NS);
}

/* The stand-alone daemon's profile takes its routes along, and leaves none of an earlier life. */
static void test_plain_takes_routes_along(void **state) {
    static const char config[] =
        "{\"profile\":\"plain\",\"hostname\":\"n1\",\"local_as\":64501,"
        "\"router_id\":\"10.0.0.1\",\"fib\":{\"install\":true},\"origins\":[{\"prefix\":"
        "\"10.244.8.0/26\",\"source\":\"static\",\"blackhole_in_kernel\":true}]}";
    (void)state;
    SKIP_IF_FORBIDDEN();
    nodes_ip(0, "route", "add", PREFIX4, "proto", "12", "metric", "7", "nexthop", "via", "10.0.0.2",
             "nexthop", "via", "10.0.0.3", NULL);
    assert_true(leads_to(false, 6));
    start(0, config);
    WAIT_FOR(fib_routes, 0, 1); /* two until the old one has gone */
    assert_true(leads_to(false, 0));
    assert_true(kernel_has_own());
    assert_int_equal(nodes_stop(0), 0);
    assert_false(kernel_has_own());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_several_next_hops, speakers_end),
        cmocka_unit_test_teardown(test_several_come_back, speakers_end),
        cmocka_unit_test_teardown(test_kept_until_deferral, speakers_end),
        cmocka_unit_test_teardown(test_replaced_at_end_of_rib, speakers_end),
        cmocka_unit_test_teardown(test_plain_takes_routes_along, speakers_end),
    };
    return cmocka_run_group_tests(tests, lab_up, nodes_group_down);
}
