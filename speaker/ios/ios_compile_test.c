/*
 * What statements of `router bgp` come to in struct bgp_config.
 */
#include "../base/diag.h"
#include "ios.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ios_router *load(const char *text) {
    const struct ios_interface interface = {
        .name = "GigabitEthernet0/0", .addr = ip4(0x0A000001), .length = 24, .up = true};
    struct ios_env env = {.hostname = "R1", .interfaces = &interface, .interface_count = 1};
    struct ios_router *r = ios_router_new(&env);
    struct diag_list *d = diag_list_new();
    struct text findings;
    assert_non_null(r);
    assert_non_null(d);
    text_init(&findings);
    assert_true(ios_load(r, text, strlen(text), "t.ios", false, d));
    diag_print(d, &findings);
    if (diag_count(d))
        fail_msg("%s", text_str(&findings));
    text_deinit(&findings);
    diag_list_free(d);
    return r;
}

/* The configuration must also pass the core's own checks. */
static const struct bgp_config *compile(struct ios_router *r) {
    struct diag_list *d = diag_list_new();
    const struct bgp_config *c = ios_bgp_config(r, d);
    struct text findings;
    text_init(&findings);
    assert_non_null(c);
    bgp_config_check(c, "t.ios", d);
    diag_print(d, &findings);
    if (diag_count(d))
        fail_msg("%s", text_str(&findings));
    text_deinit(&findings);
    diag_list_free(d);
    return c;
}

static void listen_ranges_have_their_groups_settings(void **state) {
    (void)state;
    struct ios_router *r = load("router bgp 64512\n bgp listen range 10.0.0.0/24 peer-group NODES\n"
                                " bgp listen range 10.0.1.0/24 peer-group TORS\n"
                                " bgp listen limit 200\n"
                                " neighbor NODES peer-group\n neighbor NODES remote-as 64512\n"
                                " neighbor NODES route-reflector-client\n"
                                " neighbor NODES password cisco\n"
                                " neighbor TORS peer-group\n neighbor TORS remote-as 65001\n"
                                " address-family ipv6\n  neighbor TORS weight 7\n");
    const struct bgp_config *c = compile(r);
    assert_int_equal(c->listen_limit, 200);
    assert_int_equal(c->listen_range_count, 2);
    const struct bgp_peer_config *nodes = &c->listen_ranges[0].peer;
    const struct bgp_peer_config *tors = &c->listen_ranges[1].peer;
    assert_string_equal(nodes->name, "NODES");
    assert_true(nodes->rr_client);
    assert_true(nodes->password->size == 5 && memcmp(nodes->password->octets, "cisco", 5) == 0);
    assert_true(nodes->families[BGP_IPV4_UNICAST]);
    assert_false(nodes->families[BGP_IPV6_UNICAST]);
    assert_int_equal(tors->remote_as, 65001);
    assert_int_equal(tors->weight, 7);
    assert_int_equal(tors->advertisement_interval_ms[0], 30000);
    assert_true(tors->families[BGP_IPV6_UNICAST]);
    assert_int_equal(c->peer_count, 0);
    ios_router_free(r);
}

/* A group without `listen range` is activated by its options only, as IOS says. */
static void a_listening_group_can_be_activated(void **state) {
    (void)state;
    struct ios_router *r = load("router bgp 64512\n no bgp default ipv4-unicast\n"
                                " neighbor A peer-group\n neighbor A remote-as 65001\n"
                                " bgp listen range 10.0.0.0/24 peer-group A\n"
                                " address-family ipv6\n  neighbor A activate\n");
    const struct bgp_config *c = compile(r);
    assert_int_equal(c->listen_range_count, 1);
    assert_false(c->listen_ranges[0].peer.families[BGP_IPV4_UNICAST]);
    assert_true(c->listen_ranges[0].peer.families[BGP_IPV6_UNICAST]);
    ios_router_free(r);
}

static void other_ases_of_a_range_are_named(void **state) {
    (void)state;
    struct ios_router *r = load("router bgp 64512\n neighbor A peer-group\n"
                                " neighbor A remote-as 65001 alternate-as 65002 65003\n"
                                " bgp listen range 10.0.0.0/24 peer-group A\n");
    struct diag_list *d = diag_list_new();
    const struct bgp_config *c = ios_bgp_config(r, d);
    assert_int_equal(c->listen_ranges[0].peer.remote_as, 65001);
    assert_int_equal(diag_count(d), 1);
    assert_string_equal(diag_at(d, 0)->id, "ios-alternate-as");
    diag_list_free(d);
    ios_router_free(r);
}

static void a_range_without_a_group_is_named(void **state) {
    (void)state;
    struct ios_router *r = load("router bgp 64512\n bgp listen range 10.0.0.0/24 peer-group X\n"
                                " neighbor Y peer-group\n"
                                " bgp listen range 10.0.1.0/24 peer-group Y\n");
    struct diag_list *d = diag_list_new();
    const struct bgp_config *c = ios_bgp_config(r, d);
    assert_int_equal(c->listen_range_count, 0);
    assert_int_equal(c->listen_limit, 100);
    assert_int_equal(diag_count(d), 2);
    assert_string_equal(diag_at(d, 0)->id, "ios-listen-range");
    diag_list_free(d);
    ios_router_free(r);
}

static void process_options_reach_the_core(void **state) {
    (void)state;
    struct ios_router *r = load("router bgp 65101\n bgp confederation identifier 65000\n"
                                " bgp confederation peers 65102 65103\n"
                                " bgp confederation peers 65104\n"
                                " bgp bestpath as-path ignore\n"
                                " bgp bestpath as-path multipath-relax\n"
                                " bgp bestpath igp-metric ignore\n"
                                " bgp bestpath med confed missing-as-worst\n"
                                " no bgp fast-external-fallover\n"
                                " timers bgp 10 30 20\n"
                                " neighbor 10.0.0.2 remote-as 65102\n"
                                " neighbor 10.0.0.3 remote-as 65101\n"
                                " neighbor 10.0.0.3 timers 10 25 9\n"
                                " maximum-paths 4\n maximum-paths ibgp 2\n");
    const struct bgp_config *c = compile(r);
    const uint32_t members[] = {65102, 65103, 65104};
    assert_int_equal(c->confederation_id, 65000);
    assert_int_equal(c->confederation_member_count, 3);
    assert_memory_equal(c->confederation_members, members, sizeof members);
    assert_true(c->as_path_ignore);
    assert_true(c->multipath_as_path_relax);
    assert_true(c->igp_metric_ignore);
    assert_true(c->med_missing_as_worst);
    assert_true(c->med_confed);
    assert_false(c->fast_external_fallover);
    assert_int_equal(c->multipath_external[0], 4);
    assert_int_equal(c->multipath_internal[0], 2);
    assert_int_equal(c->multipath_mixed[0], 0);
    assert_int_equal(c->peers[0].hold_time_min_s, 20);
    assert_int_equal(c->peers[1].hold_time_min_s, 9);
    ios_router_free(r);
}

/* The highest loopback, else the highest address that is up, of the lab's or of the text's. */
static void router_ids_are_chosen(void **state) {
    static const struct {
        const char *text;
        uint32_t id; /* 0: none, and that is said */
        bool bare;   /* the surroundings have no interface */
    } rows[] = {
        {"router bgp 1\n", 0x0A000001, false},
        {"interface GigabitEthernet0/1\n ip address 10.9.0.1 255.255.255.0\nrouter bgp 1\n",
         0x0A090001, false},
        {"interface Loopback0\n ip address 1.1.1.1 255.255.255.255\n"
         "interface Loopback1\n ip address 1.1.1.2 255.255.255.255\nrouter bgp 1\n",
         0x01010102, false},
        {"interface Loopback1\n ip address 1.1.1.2 255.255.255.255\n shutdown\nrouter bgp 1\n",
         0x0A000001, false},
        {"interface Loopback0\n ip address 1.1.1.1 255.255.255.255\n"
         "router bgp 1\n bgp router-id 7.7.7.7\n",
         0x07070707, false},
        {"interface Loopback0\n ip address 1.1.1.1 255.255.255.255\n"
         "router bgp 1\n bgp router-id interface GigabitEthernet0/0\n",
         0x0A000001, false},
        {"router bgp 1\n", 0, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct ios_env bare = {.hostname = "R1"};
        struct ios_router *r = load(rows[i].text);
        struct diag_list *d = diag_list_new();
        if (rows[i].bare)
            ios_router_set_env(r, &bare);
        const struct bgp_config *c = ios_bgp_config(r, d);
        if (ip4_to_u32(c->router_id) != rows[i].id)
            fail_msg("row %zu: %08x", i, ip4_to_u32(c->router_id));
        assert_int_equal(diag_count(d), rows[i].id == 0);
        if (rows[i].id == 0)
            assert_string_equal(diag_at(d, 0)->message,
                                "%BGP-4-NORTRID: BGP could not pick a router-id. Please configure "
                                "manually.");
        diag_list_free(d);
        ios_router_free(r);
    }
}

/* What is on without a line, and what a line makes of it. */
static void switches_are_on(void **state) {
    (void)state;
    struct ios_router *r = load("router bgp 1\n neighbor 10.0.0.2 remote-as 2\n");
    const struct bgp_config *c = compile(r);
    assert_true(c->client_to_client_reflection);
    assert_true(c->fast_external_fallover);
    assert_true(c->peers[0].enforce_first_as);
    assert_int_equal(c->default_local_pref, 100);
    ios_config_line(r, "router bgp 1", NULL);
    ios_config_line(r, "no bgp client-to-client reflection", NULL);
    ios_config_line(r, "no bgp fast-external-fallover", NULL);
    ios_config_line(r, "no bgp enforce-first-as", NULL);
    ios_config_line(r, "bgp default local-preference 300", NULL);
    c = compile(r);
    assert_false(c->client_to_client_reflection);
    assert_false(c->fast_external_fallover);
    assert_false(c->peers[0].enforce_first_as);
    assert_int_equal(c->default_local_pref, 300);
    ios_router_free(r);
}

static void redistributed_routes_are_incomplete(void **state) {
    (void)state;
    struct ios_router *r = load("ip route 10.9.0.0 255.255.0.0 Null0\nrouter bgp 1\n"
                                " redistribute connected\n redistribute static metric 7\n");
    const struct bgp_config *c = compile(r);
    assert_int_equal(c->origin_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(c->origins[i].origin, 2);
        assert_int_equal(c->origins[i].weight, 32768);
        assert_true(c->origins[i].med_set);
    }
    assert_int_equal(c->origins[0].med + c->origins[1].med, 7);
    ios_router_free(r);
}

static void sources_are_addresses(void **state) {
    (void)state;
    struct ios_router *r = load("interface Loopback0\n ip address 1.1.1.1 255.255.255.255\n"
                                "router bgp 1\n neighbor 10.0.0.2 remote-as 1\n"
                                " neighbor 10.0.0.2 update-source Loopback0\n"
                                " neighbor 10.0.0.3 remote-as 1\n");
    const struct bgp_config *c = compile(r);
    assert_int_equal(ip4_to_u32(c->peers[0].local_addr), 0x01010101);
    assert_false(ip_is_set(c->peers[1].local_addr));
    ios_router_free(r);
}

static void communities_are_sent_when_told(void **state) {
    static const struct {
        const char *line;
        bool standard, extended;
    } rows[] = {
        {"description none", false, false},       {"send-community", true, false},
        {"send-community standard", true, false}, {"send-community extended", false, true},
        {"send-community both", true, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "router bgp 1\n neighbor 10.0.0.2 remote-as 2\n neighbor 10.0.0.2 %s\n",
                 rows[i].line);
        struct ios_router *r = load(text);
        const struct bgp_config *c = compile(r);
        if (c->peers[0].send_communities != rows[i].standard ||
            c->peers[0].send_ext_communities != rows[i].extended)
            fail_msg("%s", rows[i].line);
        ios_router_free(r);
    }
}

static void multipath_is_of_a_family(void **state) {
    (void)state;
    struct ios_router *r =
        load("router bgp 1\n address-family ipv4\n  maximum-paths 4\n exit-address-family\n"
             " address-family ipv6\n  maximum-paths eibgp 3\n");
    const struct bgp_config *c = compile(r);
    assert_int_equal(c->multipath_external[0], 4);
    assert_int_equal(c->multipath_external[1], 0);
    assert_int_equal(c->multipath_mixed[0], 0);
    assert_int_equal(c->multipath_mixed[1], 3);
    ios_router_free(r);
}

/* IOS: what a dampening line leaves out. */
static const struct {
    const char *line;
    uint32_t half_life_s, reuse, suppress, suppress_max_s;
} DAMPENING[] = {
    {"bgp dampening", 900, 750, 2000, 3600},
    {"bgp dampening 10", 600, 750, 2000, 2400},
    {"bgp dampening 5 1000 3000 20", 300, 1000, 3000, 1200},
};

static void dampening_has_the_values_of_ios(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof DAMPENING / sizeof *DAMPENING; i++) {
        char text[128];
        snprintf(text, sizeof text, "router bgp 1\n address-family ipv6\n  %s\n",
                 DAMPENING[i].line);
        struct ios_router *r = load(text);
        const struct bgp_config *c = compile(r);
        assert_int_equal(c->dampening_count, 1);
        assert_int_equal(c->dampening[0].family, BGP_IPV6_UNICAST);
        assert_int_equal(c->dampening[0].half_life_s, DAMPENING[i].half_life_s);
        assert_int_equal(c->dampening[0].reuse, DAMPENING[i].reuse);
        assert_int_equal(c->dampening[0].suppress, DAMPENING[i].suppress);
        assert_int_equal(c->dampening[0].suppress_max_s, DAMPENING[i].suppress_max_s);
        assert_int_equal(c->dampening[0].policy, 0);
        ios_router_free(r);
    }
}

static void dampening_by_route_map(void **state) {
    (void)state;
    struct ios_router *r = load("route-map D permit 10\n set dampening 15 700 2000 60\n"
                                "router bgp 1\n bgp dampening route-map D\n");
    const struct bgp_config *c = compile(r);
    const uint32_t values[] = {900, 700, 2000, 3600};
    assert_int_equal(c->dampening[0].policy, 1);
    const struct policy_action *a = &c->policies[0].terms[0].actions[0];
    assert_int_equal(a->kind, POLICY_SET_DAMPENING);
    assert_int_equal(a->asn_count, 4);
    assert_memory_equal(a->asns, values, sizeof values);
    ios_router_free(r);
}

/* A member's own line stands for its group's line of the same map. */
static void conditions_are_inherited(void **state) {
    (void)state;
    struct ios_router *r = load("route-map A permit 10\nroute-map B permit 10\n"
                                "route-map X permit 10\n"
                                "router bgp 1\n bgp scan-time 5\n neighbor G peer-group\n"
                                " neighbor G advertise-map A exist-map X\n"
                                " neighbor G unsuppress-map B\n"
                                " neighbor 10.0.0.2 remote-as 2\n"
                                " neighbor 10.0.0.2 peer-group G\n"
                                " neighbor 10.0.0.2 advertise-map A non-exist-map X\n"
                                " neighbor 10.0.0.3 remote-as 2\n"
                                " neighbor 10.0.0.3 peer-group G\n"
                                " neighbor 10.0.0.3 advertise-map B exist-map X\n");
    const struct bgp_config *c = compile(r);
    assert_int_equal(c->scan_time_s, 5);
    assert_int_equal(c->peers[0].condition_count, 1);
    assert_true(c->peers[0].conditions[0].absent);
    assert_int_equal(c->peers[1].condition_count, 2);
    assert_false(c->peers[1].conditions[0].absent);
    assert_string_equal(c->policies[c->peers[1].conditions[1].advertise_policy - 1].name,
                        "route-map B");
    assert_string_equal(c->policies[c->peers[1].conditions[1].exist_policy - 1].name,
                        "route-map X");
    assert_string_equal(c->policies[c->peers[1].unsuppress_policy[0] - 1].name, "route-map B");
    ios_router_free(r);
}

/* IOS: a route of the routing table that is connected or static makes it true for good. */
static void the_default_route_has_a_condition(void **state) {
    (void)state;
    static const char TEXT[] = "ip prefix-list P permit %s\n"
                               "route-map M permit 10\n match ip address prefix-list P\n"
                               "router bgp 1\n neighbor 10.0.0.2 remote-as 2\n"
                               " neighbor 10.0.0.2 default-originate route-map M\n";
    static const struct {
        const char *prefix;
        bool conditional;
    } rows[] = {{"10.0.0.0/24", false}, {"172.16.0.0/12", true}};
    for (size_t i = 0; i < 2; i++) {
        char text[512];
        snprintf(text, sizeof text, TEXT, rows[i].prefix);
        struct ios_router *r = load(text);
        const struct bgp_config *c = compile(r);
        assert_true(c->peers[0].default_originate[0]);
        assert_int_equal(c->peers[0].default_policy[0] != 0, rows[i].conditional);
        ios_router_free(r);
    }
}

static void too_many_conditions_are_named(void **state) {
    (void)state;
    struct text text;
    text_init(&text);
    text_puts(&text, "router bgp 1\n neighbor 10.0.0.2 remote-as 2\n");
    for (unsigned i = 0; i < 33; i++)
        text_printf(&text, " neighbor 10.0.0.2 advertise-map M%u exist-map X\n", i);
    struct ios_router *r = load(text_str(&text));
    struct diag_list *d = diag_list_new();
    const struct bgp_config *c = ios_bgp_config(r, d);
    bool named = false;
    for (size_t i = 0; i < diag_count(d); i++)
        named |= strcmp(diag_at(d, i)->id, "ios-too-many") == 0;
    assert_true(named);
    assert_int_equal(c->peers[0].condition_count, 32);
    diag_list_free(d);
    text_deinit(&text);
    ios_router_free(r);
}

static void paths_are_added_where_selected(void **state) {
    (void)state;
    struct ios_router *r = load("router bgp 1\n address-family ipv4\n"
                                "  bgp additional-paths select all best 2\n"
                                "  bgp additional-paths send receive\n"
                                "  neighbor 10.0.0.2 remote-as 1\n"
                                "  neighbor 10.0.0.2 advertise additional-paths all\n"
                                "  neighbor 10.0.0.3 remote-as 1\n"
                                "  neighbor 10.0.0.3 advertise additional-paths best 2\n"
                                "  neighbor 10.0.0.4 remote-as 1\n"
                                "  neighbor 10.0.0.4 additional-paths disable\n"
                                "  neighbor 10.0.0.5 remote-as 1\n"
                                "  neighbor 10.0.0.5 additional-paths receive\n"
                                "  neighbor 10.0.0.6 remote-as 1\n");
    const struct bgp_config *c = compile(r);
    const uint32_t send[] = {BGP_ADD_PATH_ALL, 2, 0, 0, 1};
    const bool receive[] = {true, true, false, true, true};
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(c->peers[i].add_path_send[0], send[i]);
        assert_int_equal(c->peers[i].add_path_receive[0], receive[i]);
        assert_int_equal(c->peers[i].add_path_send[1], 0);
    }
    ios_router_free(r);
}

static void own_routes_and_aggregates_have_their_maps(void **state) {
    (void)state;
    struct ios_router *r = load("ip route 10.9.0.0 255.255.0.0 Null0 tag 7\n"
                                "ip route 0.0.0.0 0.0.0.0 10.0.0.9\n"
                                "route-map M permit 10\n match tag 7\n"
                                "router bgp 1\n network 10.0.0.0 mask 255.255.255.0 backdoor\n"
                                " redistribute static route-map M\n"
                                " aggregate-address 10.0.0.0 255.0.0.0 summary-only\n"
                                " aggregate-address 11.0.0.0 255.0.0.0 as-set suppress-map M "
                                "attribute-map M advertise-map M\n");
    const struct bgp_config *c = ios_bgp_config(r, NULL);
    assert_int_equal(c->origin_count, 1);
    assert_int_equal(c->origins[0].tag, 7);
    assert_int_equal(c->origins[0].policy, 1);
    assert_int_equal(c->aggregate_count, 2);
    assert_true(c->aggregates[0].summary_only);
    assert_int_equal(c->aggregates[0].suppress_policy, 0);
    assert_true(c->aggregates[1].as_set);
    assert_int_equal(c->aggregates[1].suppress_policy, 1);
    assert_int_equal(c->aggregates[1].attribute_policy, 1);
    assert_int_equal(c->aggregates[0].advertise_policy, 0);
    assert_int_equal(c->aggregates[1].advertise_policy, 1);
    ios_router_free(r);
}

static void the_default_route_is_redistributed_when_told(void **state) {
    (void)state;
    struct ios_router *r = load("ip route 0.0.0.0 0.0.0.0 10.0.0.9\n"
                                "router bgp 1\n redistribute static\n"
                                " default-information originate\n");
    assert_int_equal(compile(r)->origin_count, 1);
    ios_config_line(r, "router bgp 1", NULL);
    ios_config_line(r, "no default-information originate", NULL);
    assert_int_equal(compile(r)->origin_count, 0);
    ios_router_free(r);
}

/* IOS: a metric on the line wins, and connected routes bring 0. */
static void the_default_metric_is_for_what_has_none(void **state) {
    static const struct {
        const char *line;
        uint32_t med;
    } rows[] = {
        {"redistribute static", 70},
        {"redistribute static metric 5", 5},
        {"redistribute connected", 0},
        {"network 10.1.0.0 mask 255.255.0.0", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ios_router *r = load("ip route 10.1.0.0 255.255.0.0 Null0\n"
                                    "router bgp 1\n default-metric 70\n");
        ios_config_line(r, "router bgp 1", NULL);
        ios_config_line(r, rows[i].line, NULL);
        const struct bgp_config *c = compile(r);
        if (c->origin_count != 1 || !c->origins[0].med_set || c->origins[0].med != rows[i].med)
            fail_msg("%s: %u routes, MED %u", rows[i].line, c->origin_count, c->origins[0].med);
        ios_router_free(r);
    }
}

/* Each line gives one neighbour; what is looked at is a member of it. */
static const struct {
    const char *line;
    size_t offset, size;
    uint32_t value;
} OPTIONS[] = {
#define MEMBER(m) offsetof(struct bgp_peer_config, m), sizeof(((struct bgp_peer_config *)0)->m)
    {"local-as 65009", MEMBER(local_as), 65009},
    {"local-as 65009", MEMBER(local_as_no_prepend), 0},
    {"local-as 65009 no-prepend", MEMBER(local_as_no_prepend), 1},
    {"local-as 65009 no-prepend", MEMBER(local_as_replaces), 0},
    {"local-as 65009 no-prepend replace-as", MEMBER(local_as_replaces), 1},
    {"remove-private-as", MEMBER(remove_private_as), 1},
    {"remove-private-as", MEMBER(remove_private_as_all), 0},
    {"remove-private-as all", MEMBER(remove_private_as_all), 1},
    {"remove-private-as all replace-as", MEMBER(remove_private_as_replace), 1},
    {"next-hop-unchanged", MEMBER(next_hop_mode), BGP_NEXT_HOP_KEEP},
    {"next-hop-self all", MEMBER(next_hop_mode), BGP_NEXT_HOP_SELF_ALL},
    {"ttl-security hops 2", MEMBER(ttl_security_hops), 3},
    {"ebgp-multihop", MEMBER(multihop), 255},
    {"ebgp-multihop 7", MEMBER(multihop), 7},
    {"disable-connected-check", MEMBER(multihop), 1},
    {"allowas-in", MEMBER(allow_local_as), 3},
    {"as-override", MEMBER(as_override), 1},
    {"maximum-prefix 10", MEMBER(prefix_warning_percent), 75},
    {"maximum-prefix 10 50 restart 3", MEMBER(prefix_restart_min), 3},
    {"maximum-prefix 10 warning-only", MEMBER(prefix_warning_only), 1},
    {"soft-reconfiguration inbound", MEMBER(soft_reconfiguration), 1},
    {"transport connection-mode passive", MEMBER(passive), 1},
    {"advertisement-interval 5", MEMBER(advertisement_interval_ms[0]), 5000},
#undef MEMBER
};

static void options_reach_the_neighbour(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        char text[256];
        uint32_t value = 0;
        snprintf(text, sizeof text,
                 "router bgp 1\n neighbor 10.0.0.2 remote-as 2\n neighbor 10.0.0.2 %s\n",
                 OPTIONS[i].line);
        struct ios_router *r = load(text);
        const struct bgp_config *c = compile(r);
        memcpy(&value, (const char *)&c->peers[0] + OPTIONS[i].offset, OPTIONS[i].size);
        if (value != OPTIONS[i].value)
            fail_msg("%s: %u", OPTIONS[i].line, value);
        ios_router_free(r);
    }
}

static void the_highest_sequence_of_a_policy_wins(void **state) {
    (void)state;
    struct ios_router *r = load("router bgp 1\n template peer-policy A\n  weight 1\n"
                                " exit-peer-policy\n template peer-policy B\n  weight 2\n"
                                " exit-peer-policy\n template peer-policy TOP\n"
                                "  inherit peer-policy A 20\n  inherit peer-policy B 10\n"
                                " exit-peer-policy\n neighbor 10.0.0.2 remote-as 2\n"
                                " neighbor 10.0.0.2 inherit peer-policy TOP\n");
    assert_int_equal(compile(r)->peers[0].weight, 1);
    ios_router_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listen_ranges_have_their_groups_settings),
        cmocka_unit_test(a_listening_group_can_be_activated),
        cmocka_unit_test(other_ases_of_a_range_are_named),
        cmocka_unit_test(a_range_without_a_group_is_named),
        cmocka_unit_test(process_options_reach_the_core),
        cmocka_unit_test(router_ids_are_chosen),
        cmocka_unit_test(switches_are_on),
        cmocka_unit_test(redistributed_routes_are_incomplete),
        cmocka_unit_test(sources_are_addresses),
        cmocka_unit_test(communities_are_sent_when_told),
        cmocka_unit_test(multipath_is_of_a_family),
        cmocka_unit_test(dampening_has_the_values_of_ios),
        cmocka_unit_test(dampening_by_route_map),
        cmocka_unit_test(conditions_are_inherited),
        cmocka_unit_test(the_default_route_has_a_condition),
        cmocka_unit_test(too_many_conditions_are_named),
        cmocka_unit_test(paths_are_added_where_selected),
        cmocka_unit_test(own_routes_and_aggregates_have_their_maps),
        cmocka_unit_test(the_default_route_is_redistributed_when_told),
        cmocka_unit_test(the_default_metric_is_for_what_has_none),
        cmocka_unit_test(options_reach_the_neighbour),
        cmocka_unit_test(the_highest_sequence_of_a_policy_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
