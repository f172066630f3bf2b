/*
 * Log lines for what happens to a session: a router and one neighbour, joined by pipes under
 * virtual time. Each row does something to the living session and names what must be logged.
 */
#include "../core/pipe_test.h"
#include "ios.h"

#include "../base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char ROUTER[] = "router bgp 64512\n"
                             " bgp router-id 192.168.1.1\n"
                             " neighbor 192.168.1.10 remote-as 65001\n"
                             " neighbor 192.168.1.10 fall-over\n"
                             "interface Loopback0\n"
                             " ip address 10.9.9.9 255.255.255.255\n";

struct lab {
    struct pipe_world world;
    struct ios_router *router;
    struct text log;
};

static void on_event(struct pipe_node *n, const struct bgp_event *e, struct nanotime now) {
    struct lab *l = n->context;
    const struct ios_view view = {.speaker = n->speaker, .now = now, .booted = {1}, .log = &l->log};
    ios_log_event(l->router, &view, e, &l->log);
}

static void add_neighbor(struct lab *l) {
    struct bgp_config c;
    struct bgp_peer_config p;
    struct bgp_origin_config origins[3];
    bgp_config_init(&c, BGP_PROFILE_PLAIN);
    bgp_peer_config_init(&p, BGP_PROFILE_PLAIN);
    c.local_as = 65001;
    c.router_id = ip4(0xC0A8010A);
    c.peers = &p;
    c.peer_count = 1;
    snprintf(p.name, sizeof p.name, "router");
    p.remote_addr = ip4(0xC0A80101);
    p.remote_as = 64512;
    p.passive = true;
    p.families[BGP_IPV4_UNICAST] = true;
    p.import[0].accept_by_default = p.export[0].accept_by_default = true;
    for (uint32_t i = 0; i < 3; i++)
        origins[i] = (struct bgp_origin_config){.prefix = ip_prefix_make(ip4(0x0B000000 + i), 32),
                                                .source = ROUTE_SOURCE_STATIC,
                                                .metric = UINT32_MAX};
    c.origins = origins;
    c.origin_count = 3;
    pipe_add(&l->world, &c, NULL);
}

static void lab_up(struct lab *l) {
    const struct ios_interface i = {
        .name = "GigabitEthernet0/0", .addr = ip4(0xC0A80101), .length = 24, .up = true};
    const struct ios_env env = {.hostname = "R1", .interfaces = &i, .interface_count = 1};
    const struct bgp_env speaker_env = {.seed = 1};
    struct diag_list *d = diag_list_new();
    text_init(&l->log);
    l->router = ios_router_new(&env);
    assert_non_null(l->router);
    assert_true(ios_load(l->router, ROUTER, sizeof ROUTER - 1, "r", false, d));
    pipe_init(&l->world, 1);
    uint32_t node = pipe_add(&l->world, ios_bgp_config(l->router, d), &speaker_env);
    l->world.nodes[node].on_event = on_event;
    l->world.nodes[node].context = l;
    add_neighbor(l);
    pipe_run(&l->world, 60000);
    assert_non_null(strstr(text_str(&l->log), "neighbor 192.168.1.10 Up \n"));
    text_clear(&l->log);
    diag_list_free(d);
}

static void lab_down(struct lab *l) {
    pipe_free(&l->world);
    text_deinit(&l->log);
    ios_router_free(l->router);
}

/* Lines of `router bgp`, with `/` between them; "route lost" is no line. */
static void act(struct lab *l, const char *lines) {
    struct bgp_speaker *s = l->world.nodes[0].speaker;
    char line[200];
    if (strcmp(lines, "route lost") == 0) {
        bgp_nexthop_set(s, ip4(0xC0A8010A), false, 0, l->world.now);
        pipe_run(&l->world, 100);
        return;
    }
    ios_config_line(l->router, "router bgp 64512", NULL);
    for (; *lines; lines += *lines == '/') {
        size_t size = strcspn(lines, "/");
        snprintf(line, sizeof line, "%.*s", (int)size, lines);
        ios_config_line(l->router, line, NULL);
        lines += size;
    }
    assert_int_equal(bgp_configure(s, ios_bgp_config(l->router, NULL), l->world.now), BGP_OK);
    pipe_run(&l->world, 100);
    struct bgp_peer_info p; /* limits are looked at when routes come */
    if (bgp_peer_at(s, 0, &p) && p.state == BGP_ESTABLISHED)
        assert_int_equal(bgp_clear(s, p.id, BGP_CLEAR_SOFT_IN, l->world.now), BGP_OK);
    pipe_run(&l->world, 100);
}

#define N "neighbor 192.168.1.10 "
#define DOWN(reason) "%BGP-5-ADJCHANGE: neighbor 192.168.1.10 Down " reason "\n"
#define RESET(reason) "%BGP-5-NBR_RESET: Neighbor 192.168.1.10 reset (" reason ")\n"

static const struct {
    const char *lines;
    const char *logged, *and_logged; /* the second one may be NULL */
} ROWS[] = {
    {"bgp router-id 1.1.1.1", DOWN("Router ID changed"), NULL},
    {"bgp cluster-id 7", DOWN("Cluster ID changed"), NULL},
    {"bgp confederation identifier 65100", DOWN("Confederation identifier changed"), NULL},
    {N "remote-as 65002", DOWN("Remote AS changed"), NULL},
    {N "local-as 65009", DOWN("Local AS change"), NULL},
    {N "update-source Loopback0", DOWN("Update source change"), NULL},
    {N "ebgp-multihop 3", DOWN("Multihop config change"), NULL},
    {"address-family ipv6/" N "activate", DOWN("Address family activated"), NULL},
    {"address-family ipv4/bgp additional-paths receive", DOWN("Capability changed"), NULL},
    {N "shutdown", DOWN("Admin. shutdown"), RESET("Admin. shutdown")},
    {"no " N, DOWN("Neighbor deleted"), "6/3 (Peer De-configured) 0 bytes \n"},
    {"no " N "/bgp scan-time 30", "removed from session  Neighbor deleted\n", NULL},
    {"route lost", DOWN("Route to peer lost"), RESET("Route to peer lost")},
    {N "maximum-prefix 2",
     "%BGP-3-MAXPFXEXCEED: No. of prefix received from 192.168.1.10 (afi 0): 3 exceed limit 2\n",
     "6/1 (Maximum Number of Prefixes Reached) 7 bytes 00010100 000002\n"},
    {N "maximum-prefix 4 75",
     "%BGP-4-MAXPFX: No. of prefix received from 192.168.1.10 (afi 0) reaches 3, max 4\n", NULL},
};

static void changes_say_why(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lab l = {.router = NULL};
        lab_up(&l);
        act(&l, ROWS[i].lines);
        if (!strstr(text_str(&l.log), ROWS[i].logged) ||
            (ROWS[i].and_logged && !strstr(text_str(&l.log), ROWS[i].and_logged)))
            fail_msg("%s: %s", ROWS[i].lines, text_str(&l.log));
        lab_down(&l);
    }
}

/* What does not concern the session leaves it alone (RFC 4271 says nothing of either). */
static void others_say_nothing(void **state) {
    static const char *const LINES[] = {N "timers 10 30",    N "description x",
                                        N "weight 5",        N "next-hop-self",
                                        N "send-community",  N "password secret",
                                        "no " N "fall-over", "bgp bestpath as-path ignore"};
    (void)state;
    struct lab l = {.router = NULL};
    lab_up(&l);
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        act(&l, LINES[i]);
        if (l.log.size)
            fail_msg("%s: %s", LINES[i], text_str(&l.log));
    }
    lab_down(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_say_why),
        cmocka_unit_test(others_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
