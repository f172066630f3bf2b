/*
 * Configurations in, findings, running-config and bgp_config out: both kinds of seed configuration
 * line by line, refusals with their carets, abbreviations, negation, round trips.
 */
#include "ios.h"
#include "ios_unflatten.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "../base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char FLAT[] =
    "! Configure router BGP process router bgp 64512 bgp log-neighbor-changes ! Make this router a "
    "Route Reflector bgp cluster-id 1 ! Calico Node A Peering neighbor 192.168.1.10 remote-as "
    "64512 "
    "neighbor 192.168.1.10 route-reflector-client ! Calico Node B Peering neighbor 192.168.1.11 "
    "remote-as 64512 neighbor 192.168.1.11 route-reflector-client ! Calico Node C Peering neighbor "
    "192.168.1.12 remote-as 64512 neighbor 192.168.1.12 route-reflector-client ! Optional tuning "
    "timers bgp 10 30 address-family ipv4 neighbor 192.168.1.10 activate neighbor 192.168.1.11 "
    "activate neighbor 192.168.1.12 activate exit-address-family\n";

static const char TOR[] = "router bgp 65001\n"
                          " neighbor 10.0.1.10 remote-as 64512\n"
                          " neighbor 10.0.1.11 remote-as 64512\n"
                          " neighbor 10.0.1.12 remote-as 64512\n"
                          " !\n"
                          " address-family ipv4\n"
                          "  network 0.0.0.0 0.0.0.0\n"
                          "  neighbor 10.0.1.10 activate\n"
                          "  neighbor 10.0.1.11 activate\n"
                          "  neighbor 10.0.1.12 activate\n"
                          "  neighbor 10.0.1.10 route-map ALLOW-POD-ROUTES in\n"
                          "  neighbor 10.0.1.11 route-map ALLOW-POD-ROUTES in\n"
                          "  neighbor 10.0.1.12 route-map ALLOW-POD-ROUTES in\n"
                          " exit-address-family\n"
                          "!\n"
                          "ip prefix-list POD-CIDRS permit 10.244.0.0/16 le 32\n"
                          "!\n"
                          "route-map ALLOW-POD-ROUTES permit 10\n"
                          " match ip address prefix-list POD-CIDRS\n";

static struct ios_interface interfaces[1];

static struct ios_router *router(const char *address) {
    struct ios_interface *i = &interfaces[0];
    snprintf(i->name, sizeof i->name, "GigabitEthernet0/0");
    assert_true(ip_parse(address, &i->addr));
    i->length = 24;
    i->up = true;
    struct ios_env env = {.hostname = "R1", .interfaces = interfaces, .interface_count = 1};
    struct ios_router *r = ios_router_new(&env);
    assert_non_null(r);
    return r;
}

static size_t load(struct ios_router *r, const char *text, bool unflatten, struct text *findings) {
    struct diag_list *d = diag_list_new();
    assert_non_null(d);
    assert_true(ios_load(r, text, strlen(text), "r1.ios", unflatten, d));
    size_t errors = diag_error_count(d);
    if (findings)
        diag_print(d, findings);
    diag_list_free(d);
    return errors;
}

static void show(struct ios_router *r, const char *command, struct text *out) {
    struct ios_view view = {.wall_ms = UINT64_C(1597874341000)};
    text_clear(out);
    ios_exec(r, &view, command, out);
}

/* ---- the seeds ---- */

static void flat_reflector_loads(void **state) {
    (void)state;
    struct ios_router *r = router("192.168.1.1");
    assert_int_equal(load(r, FLAT, true, NULL), 0);
    const struct bgp_config *c = ios_bgp_config(r, NULL);
    assert_non_null(c);
    assert_int_equal(c->local_as, 64512);
    assert_int_equal(c->cluster_id, 1);
    assert_int_equal(ip4_to_u32(c->router_id), 0xC0A80101);
    assert_true(c->hold_time_set);
    assert_int_equal(c->hold_time_s, 30);
    assert_int_equal(c->keepalive_s, 10);
    assert_true(c->log_neighbor_changes);
    assert_int_equal(c->peer_count, 3);
    struct diag_list *d = diag_list_new();
    assert_true(bgp_config_check(c, "r1.ios", d));
    diag_list_free(d);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(ip4_to_u32(c->peers[i].remote_addr), 0xC0A8010A + i);
        assert_int_equal(c->peers[i].remote_as, 64512);
        assert_true(c->peers[i].rr_client);
        assert_true(c->peers[i].families[BGP_IPV4_UNICAST]);
        assert_false(c->peers[i].families[BGP_IPV6_UNICAST]);
        assert_false(c->peers[i].send_communities);
        assert_int_equal(c->peers[i].import[0].count, 0);
        assert_true(c->peers[i].import[0].accept_by_default);
    }
    ios_router_free(r);
}

static void flat_reflector_is_a_comment_to_ios(void **state) {
    (void)state;
    struct ios_router *r = router("192.168.1.1");
    assert_int_equal(load(r, FLAT, false, NULL), 0);
    assert_null(ios_bgp_config(r, NULL));
    struct text out;
    text_init(&out);
    show(r, "show ip bgp summary", &out);
    assert_string_equal(text_str(&out), "% BGP not active\n");
    text_deinit(&out);
    ios_router_free(r);
}

static void flat_reflector_prints(void **state) {
    (void)state;
    struct ios_router *r = router("192.168.1.1");
    struct text out;
    text_init(&out);
    load(r, FLAT, true, NULL);
    show(r, "show running-config | section router bgp", &out);
    assert_string_equal(text_str(&out), "router bgp 64512\n"
                                        " bgp cluster-id 0.0.0.1\n"
                                        " bgp log-neighbor-changes\n"
                                        " timers bgp 10 30\n"
                                        " neighbor 192.168.1.10 remote-as 64512\n"
                                        " neighbor 192.168.1.11 remote-as 64512\n"
                                        " neighbor 192.168.1.12 remote-as 64512\n"
                                        " !\n"
                                        " address-family ipv4\n"
                                        "  neighbor 192.168.1.10 activate\n"
                                        "  neighbor 192.168.1.10 route-reflector-client\n"
                                        "  neighbor 192.168.1.11 activate\n"
                                        "  neighbor 192.168.1.11 route-reflector-client\n"
                                        "  neighbor 192.168.1.12 activate\n"
                                        "  neighbor 192.168.1.12 route-reflector-client\n"
                                        " exit-address-family\n");
    text_deinit(&out);
    ios_router_free(r);
}

static void tor_loads_but_for_its_network_line(void **state) {
    (void)state;
    struct ios_router *r = router("10.0.1.1");
    struct text findings;
    text_init(&findings);
    assert_int_equal(load(r, TOR, true, &findings), 1);
    assert_string_equal(text_str(&findings),
                        "r1.ios:7:19: error: % Invalid input detected at '^' marker.: "
                        "\"network 0.0.0.0 0.0.0.0\"\n");
    const struct bgp_config *c = ios_bgp_config(r, NULL);
    assert_non_null(c);
    assert_int_equal(c->local_as, 65001);
    assert_int_equal(c->peer_count, 3);
    assert_int_equal(c->origin_count, 0);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(c->peers[i].remote_as, 64512);
        assert_int_equal(c->peers[i].import[0].count, 1);
        assert_int_equal(c->peers[i].import[0].policies[0], 0);
        assert_int_equal(c->peers[i].export[0].count, 0);
        assert_int_equal(c->peers[i].multihop, 0);
    }
    text_deinit(&findings);
    ios_router_free(r);
}

static void allow_pod_routes_compiles(void **state) {
    (void)state;
    struct ios_router *r = router("10.0.1.1");
    load(r, TOR, true, NULL);
    const struct bgp_config *c = ios_bgp_config(r, NULL);
    assert_non_null(c);
    assert_int_equal(c->policy_count, 1);
    const struct policy *p = &c->policies[0];
    assert_string_equal(p->name, "route-map ALLOW-POD-ROUTES");
    assert_int_equal(p->otherwise, POLICY_REJECT);
    assert_int_equal(p->term_count, 1);
    assert_int_equal(p->terms[0].verdict, POLICY_NEXT_POLICY);
    assert_int_equal(p->terms[0].match_count, 1);
    const struct policy_match *m = &p->terms[0].matches[0];
    assert_int_equal(m->kind, POLICY_MATCH_PREFIX);
    assert_int_equal(m->prefix_count, 1);
    assert_int_equal(m->prefixes[0].length_min, 16);
    assert_int_equal(m->prefixes[0].length_max, 32);
    assert_int_equal(ip4_to_u32(m->prefixes[0].prefix.addr), 0x0AF40000);
    assert_false(m->prefixes[0].deny);
    ios_router_free(r);
}

/* ---- refusals ---- */

static const struct {
    const char *lines; /* the last one is the one looked at */
    const char *says;
} REPLIES[] = {
    {"router bgp x", "                      ^\n% Invalid input detected at '^' marker.\n\n"},
    {"router bgp", "% Incomplete command.\n\n"},
    {"a", "% Ambiguous command:  \"a\"\n\n"},
    {"no", "% Incomplete command.\n\n"},
    {"router bgp 1\nrouter bgp 2", "BGP is already running; AS is 1\n"},
    {"router bgp 1\nneighbor 10.0.0.2 activate",
     "% Specify remote-as or peer-group commands first\n"},
    {"router bgp 1\nno neighbor 10.0.0.2", ""},
    {"router bgp 1\nneighbor 10.0.0.1 remote-as 2",
     "% Cannot configure the local system as neighbor\n"},
    {"router bgp 1\ntimers bgp 5 15",
     "% Warning: A hold time of less than 20 seconds increases the chances of peer flapping\n"},
    {"router bgp 1\ntimers bgp 10 30 40", "% Minimum acceptable hold time should be less than or "
                                          "equal to the configured hold time\n"},
    {"ip prefix-list A permit 1.2.3.0/24 ge 20",
     "% Invalid prefix range for 1.2.3.0/24, make sure: len < ge-value <= le-value\n"},
    {"router bgp 1\nneighbor G peer-group\nneighbor G activate",
     "% Peergroups are automatically activated when parameters are configured\n"},
    {"router bgp 1\nneighbor G remote-as 7", "% Create the peer-group first\n"},
    {"hostname x\nlogging buffered 4096", ""},
    {"! a comment", ""},
    {"   ", ""},
    {"interface gi /1", "                        ^\n% Invalid input detected at '^' marker.\n\n"},
    {"rooter bgp 1", "           ^\n% Invalid input detected at '^' marker.\n\n"},
    {"router bgp 1\naddress-family ipv4\nnetwork 0.0.0.0 0.0.0.0",
     "                                     ^\n% Invalid input detected at '^' marker.\n\n"},
};

static void lines_are_refused_in_ios_words(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof REPLIES / sizeof *REPLIES; i++) {
        struct ios_router *r = router("10.0.0.1");
        struct text out;
        char line[200];
        text_init(&out);
        for (const char *at = REPLIES[i].lines; *at;) {
            size_t size = strcspn(at, "\n");
            snprintf(line, sizeof line, "%.*s", (int)size, at);
            text_clear(&out);
            ios_config_line(r, line, &out);
            at += size + (at[size] == '\n');
        }
        if (strcmp(text_str(&out), REPLIES[i].says) != 0)
            print_error("case %zu: %s\n", i, REPLIES[i].lines);
        assert_string_equal(text_str(&out), REPLIES[i].says);
        text_deinit(&out);
        ios_router_free(r);
    }
}

/* ---- what lines come to ---- */

static const struct {
    const char *text;   /* loaded */
    const char *prints; /* must be a part of the running-config */
    const char *lacks;  /* must not be, or NULL */
} PRINTS[] = {
    {"router bgp 1\n nei 10.0.0.2 remote 2\n nei 10.0.0.2 soft in\n",
     " neighbor 10.0.0.2 soft-reconfiguration inbound\n", "nei 10"},
    {"int gi0/1\n ip add 10.9.0.1 255.255.255.0\n no shut\n",
     "interface GigabitEthernet0/1\n ip address 10.9.0.1 255.255.255.0\n", NULL},
    {"interface loopback 0\n ip address 1.1.1.1 255.255.255.255\n", "interface Loopback0\n", NULL},
    {"router bgp 1\n network 10.0.0.0\n network 172.16.1.0 mask 255.255.255.0\n",
     " network 10.0.0.0\n network 172.16.1.0 mask 255.255.255.0\n", "255.0.0.0"},
    {"router bgp 1\n no bgp default ipv4-unicast\n neighbor 10.0.0.2 remote-as 1\n",
     " no bgp default ipv4-unicast\n neighbor 10.0.0.2 remote-as 1\n", "activate"},
    {"router bgp 1\n neighbor 10.0.0.2 remote-as 1\n neighbor 10.0.0.2 weight 5\n"
     " no neighbor 10.0.0.2\n",
     "router bgp 1\n bgp log-neighbor-changes\n", "10.0.0.2"},
    {"ip prefix-list A permit 10.0.0.0/8\nip prefix-list A deny 11.0.0.0/8\n",
     "ip prefix-list A seq 5 permit 10.0.0.0/8\nip prefix-list A seq 10 deny 11.0.0.0/8\n", NULL},
    {"ip prefix-list A permit 10.0.0.0/8\nip prefix-list B permit 10.0.0.0/8\n"
     "no ip prefix-list A\n",
     "ip prefix-list B seq 5 permit 10.0.0.0/8\n", "list A"},
    {"ip community-list 1 permit 64512:100\n", "ip community-list 1 permit 4227858532\n", NULL},
    {"ip bgp-community new-format\nip community-list 1 permit 64512:100\n",
     "ip community-list 1 permit 64512:100\n", NULL},
    {"route-map X\n match ip address 1\n match ip address 2\n",
     "route-map X permit 10\n match ip address 1 2\n", NULL},
    {"banner motd #hello\nthere#\nhostname Z\n", "banner motd ^Chello\nthere^C\n", NULL},
    {"router bgp 1\n bgp router-id 1.1.1.1 ! comment\n", " bgp router-id 1.1.1.1\n", NULL},
    {"router bgp 1\r\n bgp router-id 1.1.1.1   \r\n", " bgp router-id 1.1.1.1\n", NULL},
    {"\xef\xbb\xbfrouter bgp 1\n bgp router-id 1.1.1.1\n", " bgp router-id 1.1.1.1\n", NULL},
    {"router bgp 1.1\n", "router bgp 65537\n", NULL},
    {"class-map match-any X\n match dscp ef\nrouter bgp 1\n",
     "class-map match-any X\n match dscp ef\n", NULL},
    {"router bgp 1\n neighbor 2001:db8::1 remote-as 1\n address-family ipv6\n"
     "  neighbor 2001:db8::1 activate\n",
     "  neighbor 2001:DB8::1 activate\n", NULL},
    {"router bgp 1\n neighbor 10.0.0.2 remote-as 1\n no neighbor 10.0.0.2 activate\n",
     "  no neighbor 10.0.0.2 activate\n", NULL},
};

static void statements_print_in_full(void **state) {
    (void)state;
    struct text out;
    text_init(&out);
    for (size_t i = 0; i < sizeof PRINTS / sizeof *PRINTS; i++) {
        struct ios_router *r = router("10.0.0.1");
        struct text findings;
        text_init(&findings);
        if (load(r, PRINTS[i].text, false, &findings) != 0)
            fail_msg("case %zu: %s", i, text_str(&findings));
        text_deinit(&findings);
        show(r, "show running-config", &out);
        bool good = strstr(text_str(&out), PRINTS[i].prints) &&
                    !(PRINTS[i].lacks && strstr(text_str(&out), PRINTS[i].lacks));
        if (!good)
            print_error("case %zu: %s\n%s", i, PRINTS[i].text, text_str(&out));
        assert_true(good);
        ios_router_free(r);
    }
    text_deinit(&out);
}

/* What is printed loads without an error and prints the same. */
static void assert_round_trip(const char *text) {
    struct ios_router *a = router("10.0.0.1"), *b = router("10.0.0.1");
    struct text first, second, findings;
    text_init(&first);
    text_init(&second);
    text_init(&findings);
    load(a, text, true, NULL);
    show(a, "show running-config", &first);
    if (load(b, text_str(&first), false, &findings) != 0)
        print_error("%s\n%s", text_str(&first), text_str(&findings));
    show(b, "show running-config", &second);
    assert_string_equal(text_str(&first), text_str(&second));
    assert_null(strstr(text_str(&findings), "error"));
    text_deinit(&first);
    text_deinit(&second);
    text_deinit(&findings);
    ios_router_free(a);
    ios_router_free(b);
}

static void printed_configurations_load_back(void **state) {
    (void)state;
    assert_round_trip(FLAT);
    assert_round_trip(TOR);
    for (size_t i = 0; i < sizeof PRINTS / sizeof *PRINTS; i++)
        assert_round_trip(PRINTS[i].text);
}

static const char *const PARTS[] = {
    "router bgp 65000\n",
    "address-family ipv4\n",
    "address-family ipv6\n",
    "exit-address-family\n",
    "neighbor 10.0.%u.2 remote-as 65%u\n",
    "neighbor 2001:db8::%u remote-as 6%u\n",
    "neighbor G%u peer-group\n",
    "neighbor G%u remote-as 65%u\n",
    "neighbor 10.0.%u.2 peer-group G%u\n",
    "neighbor 10.0.%u.2 route-map M%u in\n",
    "neighbor 10.0.%u.2 send-community both\n",
    "neighbor G%u next-hop-self\n",
    "no neighbor 10.0.%u.2 activate\n",
    "neighbor 10.0.%u.2 maximum-prefix 1%u 80 restart 5\n",
    "no neighbor 10.0.%u.2\n",
    "network 10.%u.0.0 mask 255.255.%u.0\n",
    "bgp cluster-id %u\n",
    "no bgp default ipv4-unicast\n",
    "route-map M%u permit 1%u\n",
    " match community C%u\n",
    " set community 65000:%u additive\n",
    " set as-path prepend 65%u\n",
    "ip community-list standard C%u permit 65000:%u\n",
    "ip prefix-list P%u permit 10.%u.0.0/16 le 24\n",
    "no route-map M%u\n",
    "interface Loopback%u\n",
    " ip address 10.250.%u.1 255.255.255.0\n",
    "ip route 10.%u.0.0 255.255.0.0 Null0\n",
    "template peer-policy T%u\n",
    " route-map M%u out\n",
    "neighbor 10.0.%u.2 inherit peer-policy T%u\n",
    "access-list %u permit 10.%u.0.0 0.0.255.255\n",
    "ip as-path access-list 1%u permit ^65%u_\n",
    "exit\n",
};

static void generated_configurations_round_trip(void **state) {
    (void)state;
    uint64_t seed = 20;
    for (unsigned run = 0; run < 300; run++) {
        struct text text;
        text_init(&text);
        text_puts(&text, PARTS[0]);
        for (unsigned i = 0; i < 40; i++) {
            char line[128];
            const char *part = PARTS[rng_below(&seed, sizeof PARTS / sizeof *PARTS)];
            unsigned values[2] = {(unsigned)rng_below(&seed, 4) + 1,
                                  (unsigned)rng_below(&seed, 4) + 1};
            size_t size = 0, used = 0;
            for (const char *c = part; *c && size + 8 < sizeof line; c++) {
                if (c[0] == '%' && c[1] == 'u') {
                    size += (size_t)snprintf(line + size, 8, "%u", values[used++ & 1]);
                    c++;
                } else {
                    line[size++] = *c;
                }
            }
            text_put(&text, line, size);
        }
        assert_round_trip(text_str(&text));
        text_deinit(&text);
    }
}

/* ---- compiling ---- */

static const struct bgp_config *compile(struct ios_router *r, const char *text) {
    assert_int_equal(load(r, text, false, NULL), 0);
    const struct bgp_config *c = ios_bgp_config(r, NULL);
    assert_non_null(c);
    return c;
}

static void test_C174_undefined_route_map_denies(void **state) {
    (void)state;
    struct ios_router *r = router("10.0.0.1");
    const struct bgp_config *c =
        compile(r, "router bgp 1\n neighbor 10.0.0.2 remote-as 2\n neighbor 10.0.0.2 route-map X "
                   "in\n neighbor 10.0.0.2 prefix-list Y in\n");
    assert_int_equal(c->peers[0].import[0].count, 2);
    const struct policy *map = &c->policies[c->peers[0].import[0].policies[0]];
    const struct policy *list = &c->policies[c->peers[0].import[0].policies[1]];
    assert_int_equal(map->term_count, 0);
    assert_int_equal(map->otherwise, POLICY_REJECT);
    assert_int_equal(list->term_count, 0);
    assert_int_equal(list->otherwise, POLICY_NEXT_POLICY);
    ios_router_free(r);
}

static void network_needs_a_route(void **state) {
    (void)state;
    struct ios_router *r = router("10.0.0.1");
    const struct bgp_config *c =
        compile(r, "ip route 10.7.0.0 255.255.0.0 Null0\nrouter bgp 1\n network 10.0.0.0 mask "
                   "255.255.255.0\n network 10.7.0.0 mask 255.255.0.0\n network 10.8.0.0 mask "
                   "255.255.0.0\n");
    assert_int_equal(c->origin_count, 2);
    assert_int_equal(ip4_to_u32(c->origins[0].prefix.addr), 0x0A000000);
    assert_int_equal(ip4_to_u32(c->origins[1].prefix.addr), 0x0A070000);
    assert_int_equal(c->origins[0].weight, 32768);
    assert_true(c->origins[0].med_set);
    ios_router_free(r);
}

static void test_C179_groups_and_templates_are_inherited(void **state) {
    (void)state;
    struct ios_router *r = router("10.0.0.1");
    const struct bgp_config *c = compile(
        r,
        "router bgp 1\n template peer-policy TP\n  next-hop-self\n  weight 7\n exit-peer-policy\n"
        " neighbor G peer-group\n neighbor G remote-as 9\n neighbor G timers 5 25\n"
        " neighbor G ebgp-multihop\n"
        " neighbor 10.0.0.2 peer-group G\n neighbor 10.0.0.2 weight 3\n"
        " neighbor 10.0.0.3 peer-group G\n neighbor 10.0.0.3 inherit peer-policy TP\n");
    assert_int_equal(c->peer_count, 2);
    assert_int_equal(c->peers[0].remote_as, 9);
    assert_int_equal(c->peers[0].hold_time_s, 25);
    assert_int_equal(c->peers[0].multihop, 255);
    assert_int_equal(c->peers[0].weight, 3);
    assert_true(c->peers[0].families[0]);
    assert_int_equal(c->peers[1].weight, 7);
    assert_int_equal(c->peers[1].next_hop_mode, BGP_NEXT_HOP_SELF);
    ios_router_free(r);
}

static void denying_lists_become_jumps(void **state) {
    (void)state;
    struct ios_router *r = router("10.0.0.1");
    const struct bgp_config *c = compile(
        r, "ip community-list 1 deny 1:1\nip community-list 1 permit internet\n"
           "route-map M permit 10\n match community 1\n set local-preference 200\n"
           "router bgp 1\n neighbor 10.0.0.2 remote-as 2\n neighbor 10.0.0.2 route-map M in\n");
    const struct policy *p = &c->policies[0];
    assert_int_equal(p->term_count, 5);
    assert_int_equal(p->terms[0].match_count, 1);
    assert_int_equal(p->terms[0].continue_at, 2); /* denied: the fail term */
    assert_int_equal(p->terms[1].match_count, 0);
    assert_int_equal(p->terms[1].continue_at, 3); /* permitted: the set term */
    assert_int_equal(p->terms[2].continue_at, 4); /* next sequence: the end */
    assert_int_equal(p->terms[3].action_count, 1);
    assert_int_equal(p->terms[4].verdict, POLICY_REJECT);
    ios_router_free(r);
}

static void password_type7_is_decoded(void **state) {
    (void)state;
    struct ios_router *r = router("10.0.0.1");
    const struct bgp_config *c =
        compile(r, "router bgp 1\n neighbor 10.0.0.2 remote-as 2\n"
                   " neighbor 10.0.0.2 password 7 094F471A1A0A\n neighbor 10.0.0.3 remote-as 2\n"
                   " neighbor 10.0.0.3 password se cret\n");
    const struct bgp_password *first = c->peers[0].password, *second = c->peers[1].password;
    assert_true(first->size == 5 && memcmp(first->octets, "cisco", 5) == 0);
    assert_true(second->size == 7 && memcmp(second->octets, "se cret", 7) == 0);
    ios_router_free(r);
}

static void unflatten_leaves_lines_alone(void **state) {
    (void)state;
    struct text out;
    text_init(&out);
    assert_false(ios_unflatten(TOR, strlen(TOR), &out));
    assert_true(ios_unflatten(FLAT, strlen(FLAT), &out));
    const char *commented = "! neighbor 10.0.0.1 remote-as 1\n! timers bgp 10 30\nrouter bgp 1\n";
    assert_false(ios_unflatten(commented, strlen(commented), &out));
    text_deinit(&out);
}

/* The n-th allocation and all later ones fail: an answer, no crash, no leak. */
static void survives_failing_allocations(void **state) {
    (void)state;
    unsigned failed = 0;
    for (unsigned long n = 1; n < 400; n++) {
        struct ios_router *r = router("10.0.1.1");
        struct ios_view view = {.wall_ms = 0};
        struct text out;
        text_init(&out);
        alloc_fail_after(n, true);
        bool loaded = ios_load(r, TOR, strlen(TOR), "r1.ios", true, NULL);
        const struct bgp_config *c = ios_bgp_config(r, NULL);
        ios_exec(r, &view, "show running-config", &out);
        alloc_fail_after(0, false);
        failed += !loaded || !c || out.failed;
        text_deinit(&out);
        ios_router_free(r);
    }
    assert_in_range(failed, 20, 398);
}

static void every_mode_has_its_prompt(void **state) {
    static const struct {
        const char *lines[2];
        const char *prompt;
    } ROWS[] = {
        {{"hostname R1"}, "R1(config)#"},
        {{"router bgp 1"}, "R1(config-router)#"},
        {{"router bgp 1", "address-family ipv6"}, "R1(config-router-af)#"},
        {{"router bgp 1", "template peer-session S"}, "R1(config-router-stmp)#"},
        {{"router bgp 1", "template peer-policy P"}, "R1(config-router-ptmp)#"},
        {{"route-map M"}, "R1(config-route-map)#"},
        {{"interface Loopback0"}, "R1(config-if)#"},
        {{"line vty 0 4"}, "R1(config-line)#"},
        {{"ip access-list standard A"}, "R1(config-std-nacl)#"},
        {{"ip access-list extended A"}, "R1(config-ext-nacl)#"},
        {{"hostname a-name-much-longer-than-that"}, "a-name-much-longer-t(config)#"},
    };
    const struct ios_env env = {.hostname = "R1"};
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct ios_router *r = ios_router_new(&env);
        struct text out;
        text_init(&out);
        ios_config_begin(r);
        for (size_t k = 0; k < 2 && ROWS[i].lines[k]; k++)
            ios_config_line(r, ROWS[i].lines[k], NULL);
        ios_prompt(r, &out);
        assert_string_equal(text_str(&out), ROWS[i].prompt);
        text_deinit(&out);
        ios_router_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_reflector_loads),
        cmocka_unit_test(flat_reflector_is_a_comment_to_ios),
        cmocka_unit_test(flat_reflector_prints),
        cmocka_unit_test(tor_loads_but_for_its_network_line),
        cmocka_unit_test(allow_pod_routes_compiles),
        cmocka_unit_test(lines_are_refused_in_ios_words),
        cmocka_unit_test(statements_print_in_full),
        cmocka_unit_test(printed_configurations_load_back),
        cmocka_unit_test(generated_configurations_round_trip),
        cmocka_unit_test(test_C174_undefined_route_map_denies),
        cmocka_unit_test(network_needs_a_route),
        cmocka_unit_test(test_C179_groups_and_templates_are_inherited),
        cmocka_unit_test(denying_lists_become_jumps),
        cmocka_unit_test(password_type7_is_decoded),
        cmocka_unit_test(unflatten_leaves_lines_alone),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(every_mode_has_its_prompt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
