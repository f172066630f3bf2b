/*
 * What a router shows of living sessions where the golden file has none: dynamic neighbours, paths
 * in every state, why a session was reset.
 */
#include "ios_lab_test.h"

#define ROUTER 0xC0A80101u
#define NEIGHBOR 0xC0A8010Au
#define FARTHER 0xC0A8010Bu

static void assert_shows(struct ios_lab *l, const char *command, const char *piece) {
    struct text out;
    text_init(&out);
    if (!strstr(ios_lab_show(l, command, &out), piece))
        fail_msg("%s: no \"%s\" in\n%s", command, piece, text_str(&out));
    text_deinit(&out);
}

/* ---- dynamic neighbours ---- */

static void dynamic_neighbors_name_their_range(void **state) {
    struct ios_lab l;
    (void)state;
    ios_lab_init(&l);
    ios_lab_add(&l, ROUTER,
                "router bgp 64512\n bgp listen range 192.168.0.0/16 peer-group NODES\n"
                " neighbor NODES peer-group\n neighbor NODES remote-as 65001\n");
    ios_lab_add(&l, NEIGHBOR, "router bgp 65001\n neighbor 192.168.1.1 remote-as 64512\n");
    pipe_run(&l.world, 40000);
    assert_non_null(strstr(text_str(&l.log), "%BGP-5-ADJCHANGE: neighbor *192.168.1.10 Up \n"));
    assert_shows(&l, "show ip bgp neighbors",
                 "BGP neighbor is *192.168.1.10,  remote AS 65001, external link\n");
    assert_shows(&l, "show ip bgp neighbors",
                 " Belongs to the subnet range group: 192.168.0.0/16\n");
    assert_shows(&l, "show ip bgp summary", "\n*192.168.1.10   4        65001 ");
    assert_shows(&l, "show ip bgp summary",
                 "* Dynamically created based on a listen range command\n"
                 "Dynamically created neighbors: 1, Subnet ranges: 1\n"
                 "\n"
                 "BGP peergroup NODES listen range group members: \n"
                 "  192.168.0.0/16 \n"
                 "\n"
                 "Total dynamically created neighbors: 1/(100 max), Subnet ranges: 1\n");
    pipe_cut(&l.world, 0, 1);
    assert_non_null(strstr(text_str(&l.log), "neighbor *192.168.1.10 Down "));
    pipe_run(&l.world, 1000);
    assert_shows(&l, "show ip bgp summary", "Dynamically created neighbors: 0, Subnet ranges: 1\n");
    ios_lab_free(&l);
}

/* ---- paths ---- */

/* 192.168.1.11 is a client of 192.168.1.10, of which we are a client, too. */
static void paths_say_what_they_are(void **state) {
    struct ios_lab l;
    (void)state;
    ios_lab_init(&l);
    ios_lab_add(&l, ROUTER,
                "router bgp 64512\n neighbor 192.168.1.10 remote-as 64512\n"
                " neighbor 192.168.1.10 soft-reconfiguration inbound\n"
                " neighbor 192.168.1.10 prefix-list P in\n"
                "ip prefix-list P deny 10.8.0.0/16\nip prefix-list P permit 0.0.0.0/0 le 32\n");
    ios_lab_add(&l, NEIGHBOR,
                "router bgp 64512\n neighbor 192.168.1.1 remote-as 64512\n"
                " neighbor 192.168.1.1 route-reflector-client\n bgp cluster-id 9\n"
                " neighbor 192.168.1.11 remote-as 64512\n"
                " neighbor 192.168.1.11 route-reflector-client\n");
    ios_lab_add(&l, FARTHER,
                "router bgp 64512\n neighbor 192.168.1.10 remote-as 64512\n"
                " network 10.9.0.0 mask 255.255.0.0\n network 10.8.0.0 mask 255.255.0.0\n"
                "ip route 10.9.0.0 255.255.0.0 Null0\nip route 10.8.0.0 255.255.0.0 Null0\n");
    pipe_run(&l.world, 60000);
    assert_shows(&l, "show ip bgp 10.9.0.0/16",
                 "  Local, (received & used)\n"
                 "    192.168.1.11 from 192.168.1.10 (192.168.1.10)\n"
                 "      Origin IGP, metric 0, localpref 100, valid, internal, best\n"
                 "      Originator: 192.168.1.11, Cluster list: 0.0.0.9\n"
                 "      rx pathid: 0, tx pathid: 0x0\n");
    assert_shows(&l, "show ip bgp 10.9.0.0/16", "  Not advertised to any peer\n");
    assert_shows(&l, "show ip bgp 10.8.0.0/16", "  Local, (received-only)\n");
    assert_shows(&l, "show ip bgp neighbors 192.168.1.10 received-routes",
                 " * i  10.8.0.0/16      192.168.1.11             0    100      0 i\n"
                 " *>i  10.9.0.0/16      192.168.1.11             0    100      0 i\n"
                 "\nTotal number of prefixes 2 \n");
    bgp_nexthop_set(l.world.nodes[0].speaker, ip4(FARTHER), true, 21, l.world.now);
    pipe_run(&l.world, 6000);
    assert_shows(&l, "show ip bgp 10.9.0.0/16", "    192.168.1.11 (metric 21) from 192.168.1.10 ");
    bgp_nexthop_set(l.world.nodes[0].speaker, ip4(FARTHER), false, 0, l.world.now);
    pipe_run(&l.world, 6000);
    assert_shows(&l, "show ip bgp 10.9.0.0/16",
                 "Paths: (1 available, no best path)\n  Not advertised to any peer\n");
    assert_shows(&l, "show ip bgp 10.9.0.0/16",
                 "    192.168.1.11 (inaccessible) from 192.168.1.10 (192.168.1.10)\n");
    ios_lab_free(&l);
}

/* ---- what comes of a route on its way ---- */

#define MIDDLE NEIGHBOR
#define SOURCE FARTHER

/* Of the router in the middle (192.168.1.10), of where the route begins (192.168.1.11, which has
 * 10.9.0.0/16), and of us at the other end; then what we have of it, NULL: nothing. */
static const struct {
    const char *name, *us, *middle, *source;
    const char *command, *shows;
} WAYS[] = {
    {"our AS in the path is no obstacle there, MED goes no further, the next hop stays",
     "router bgp 64512\n neighbor 192.168.1.10 remote-as 65001\n"
     " neighbor 192.168.1.10 allowas-in\n",
     "router bgp 65001\n neighbor 192.168.1.1 remote-as 64512\n"
     " neighbor 192.168.1.11 remote-as 64512\n",
     "router bgp 64512\n neighbor 192.168.1.10 remote-as 65001\n", "show ip bgp",
     " *>   10.9.0.0/16      192.168.1.11                           0 65001 64512 i\n"},
    {"… but ours is one here", "router bgp 64512\n neighbor 192.168.1.10 remote-as 65001\n",
     "router bgp 65001\n neighbor 192.168.1.1 remote-as 64512\n"
     " neighbor 192.168.1.11 remote-as 64512\n",
     "router bgp 64512\n neighbor 192.168.1.10 remote-as 65001\n", "show ip bgp", NULL},
    {"a reflector leaves next hop, MED and LOCAL_PREF alone",
     "router bgp 64512\n neighbor 192.168.1.10 remote-as 64512\n",
     "router bgp 64512\n neighbor 192.168.1.1 remote-as 64512\n"
     " neighbor 192.168.1.1 next-hop-self\n"
     " neighbor 192.168.1.11 remote-as 64512\n neighbor 192.168.1.11 route-reflector-client\n",
     "router bgp 64512\n neighbor 192.168.1.10 remote-as 64512\n", "show ip bgp",
     " *>i  10.9.0.0/16      192.168.1.11             0    100      0 i\n"},
    {"… next-hop-self all does not", "router bgp 64512\n neighbor 192.168.1.10 remote-as 64512\n",
     "router bgp 64512\n neighbor 192.168.1.1 remote-as 64512\n"
     " neighbor 192.168.1.1 next-hop-self all\n"
     " neighbor 192.168.1.11 remote-as 64512\n neighbor 192.168.1.11 route-reflector-client\n",
     "router bgp 64512\n neighbor 192.168.1.10 remote-as 64512\n", "show ip bgp",
     " *>i  10.9.0.0/16      192.168.1.10             0    100      0 i\n"},
    {"between two that are no clients nothing goes",
     "router bgp 64512\n neighbor 192.168.1.10 remote-as 64512\n",
     "router bgp 64512\n neighbor 192.168.1.1 remote-as 64512\n"
     " neighbor 192.168.1.11 remote-as 64512\n",
     "router bgp 64512\n neighbor 192.168.1.10 remote-as 64512\n", "show ip bgp", NULL},
    {"… nor between clients without client-to-client reflection",
     "router bgp 64512\n neighbor 192.168.1.10 remote-as 64512\n",
     "router bgp 64512\n no bgp client-to-client reflection\n"
     " neighbor 192.168.1.1 remote-as 64512\n neighbor 192.168.1.1 route-reflector-client\n"
     " neighbor 192.168.1.11 remote-as 64512\n neighbor 192.168.1.11 route-reflector-client\n",
     "router bgp 64512\n neighbor 192.168.1.10 remote-as 64512\n", "show ip bgp", NULL},
    {"communities go where they are told to go",
     "ip bgp-community new-format\nrouter bgp 64512\n neighbor 192.168.1.10 remote-as 65001\n",
     "router bgp 65001\n neighbor 192.168.1.1 remote-as 64512\n"
     " neighbor 192.168.1.1 send-community\n neighbor 192.168.1.11 remote-as 65002\n",
     "router bgp 65002\n neighbor 192.168.1.10 remote-as 65001\n"
     " neighbor 192.168.1.10 send-community\n neighbor 192.168.1.10 route-map TAG out\n"
     "route-map TAG permit 10\n set community 64512:100\n",
     "show ip bgp 10.9.0.0/16", "      Community: 64512:100\n"},
    {"… and nowhere else", "router bgp 64512\n neighbor 192.168.1.10 remote-as 65001\n",
     "router bgp 65001\n neighbor 192.168.1.1 remote-as 64512\n"
     " neighbor 192.168.1.11 remote-as 65002\n",
     "router bgp 65002\n neighbor 192.168.1.10 remote-as 65001\n"
     " neighbor 192.168.1.10 send-community\n neighbor 192.168.1.10 route-map TAG out\n"
     "route-map TAG permit 10\n set community 64512:100\n",
     "show ip bgp 10.9.0.0/16 | include Community", NULL},
    {"no-export ends at the next AS", "router bgp 64512\n neighbor 192.168.1.10 remote-as 65001\n",
     "router bgp 65001\n neighbor 192.168.1.1 remote-as 64512\n"
     " neighbor 192.168.1.11 remote-as 65002\n",
     "router bgp 65002\n neighbor 192.168.1.10 remote-as 65001\n"
     " neighbor 192.168.1.10 send-community\n neighbor 192.168.1.10 route-map TAG out\n"
     "route-map TAG permit 10\n set community no-export\n",
     "show ip bgp", NULL},
    {"a client of a route server sees who announced it",
     "router bgp 64512\n no bgp enforce-first-as\n neighbor 192.168.1.10 remote-as 65001\n",
     "router bgp 65001\n neighbor 192.168.1.1 remote-as 64512\n"
     " neighbor 192.168.1.1 route-server-client\n neighbor 192.168.1.1 ebgp-multihop 2\n"
     " neighbor 192.168.1.11 remote-as 65002\n",
     "router bgp 65002\n neighbor 192.168.1.10 remote-as 65001\n", "show ip bgp",
     " *>   10.9.0.0/16      192.168.1.11             0             0 65002 i\n"},
    {"a default route without one in the table",
     "router bgp 64512\n neighbor 192.168.1.10 remote-as 65001\n",
     "router bgp 65001\n neighbor 192.168.1.1 remote-as 64512\n"
     " neighbor 192.168.1.1 default-originate\n",
     "router bgp 65002\n", "show ip bgp",
     " *>   0.0.0.0          192.168.1.10                           0 65001 i\n"},
};

static void routes_go_their_ways(void **state) {
    static const char OWN[] = " network 10.9.0.0 mask 255.255.0.0\n"
                              "ip route 10.9.0.0 255.255.0.0 Null0\n";
    const struct ip_prefix subnet = ip_prefix_make(ip4(ROUTER), 24);
    (void)state;
    for (size_t i = 0; i < sizeof WAYS / sizeof *WAYS; i++) {
        struct ios_lab l;
        struct text out;
        char source[600];
        text_init(&out);
        ios_lab_init(&l);
        ios_lab_add(&l, ROUTER, WAYS[i].us);
        ios_lab_add(&l, MIDDLE, WAYS[i].middle);
        snprintf(source, sizeof source, "%srouter bgp %.5s\n%s", WAYS[i].source,
                 WAYS[i].source + strlen("router bgp "), OWN);
        ios_lab_add(&l, SOURCE, source);
        assert_int_equal(bgp_connected_set(l.world.nodes[1].speaker, &subnet, 1, l.world.now),
                         BGP_OK);
        pipe_run(&l.world, 60000);
        const char *shows = ios_lab_show(&l, WAYS[i].command, &out);
        if (WAYS[i].shows ? !strstr(shows, WAYS[i].shows) : out.size != 0)
            fail_msg("%s:\n%s", WAYS[i].name, shows);
        text_deinit(&out);
        ios_lab_free(&l);
    }
}

/* ---- resets ---- */

#define EXTERNAL "router bgp 64512\n neighbor 192.168.1.10 remote-as 65001\n"

static void clear_there(struct ios_lab *l) {
    assert_int_equal(
        bgp_clear(l->world.nodes[1].speaker, (struct bgp_peer_id){0}, BGP_CLEAR_HARD, l->world.now),
        BGP_OK);
}

static void clear_here(struct ios_lab *l) {
    assert_int_equal(
        bgp_clear(l->world.nodes[0].speaker, (struct bgp_peer_id){0}, BGP_CLEAR_HARD, l->world.now),
        BGP_OK);
}

static void cut(struct ios_lab *l) {
    pipe_cut(&l->world, 0, 1);
}

static void nothing(struct ios_lab *l) {
    (void)l;
}

static const struct {
    void (*happens)(struct ios_lab *l);
    const char *reset, *counted;
} RESETS[] = {
    {nothing, "  Last reset never\n", "  Connections established 1; dropped 0\n"},
    {clear_there, ", due to BGP Notification received of session 1, Administrative Reset\n",
     "  Connections established 2; dropped 1\n"},
    {clear_here, ", due to User reset of session 1\n", "  Connections established 2; dropped 1\n"},
    {cut, ", due to Peer closed the session of session 1\n",
     "  Connections established 2; dropped 1\n"},
};

static void resets_are_explained(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof RESETS / sizeof *RESETS; i++) {
        struct ios_lab l;
        ios_lab_init(&l);
        ios_lab_add(&l, ROUTER, EXTERNAL);
        ios_lab_add(&l, NEIGHBOR, "router bgp 65001\n neighbor 192.168.1.1 remote-as 64512\n");
        pipe_run(&l.world, 40000);
        RESETS[i].happens(&l);
        pipe_run(&l.world, 40000);
        assert_shows(&l, "show ip bgp neighbors", RESETS[i].reset);
        assert_shows(&l, "show ip bgp neighbors", RESETS[i].counted);
        ios_lab_free(&l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dynamic_neighbors_name_their_range),
        cmocka_unit_test(paths_say_what_they_are),
        cmocka_unit_test(routes_go_their_ways),
        cmocka_unit_test(resets_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
