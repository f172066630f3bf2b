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
        cmocka_unit_test(resets_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
