/*
 * Show commands and log lines of a router whose speaker really runs: the reflector of the flat
 * configuration with two clients, joined by pipes under virtual time. Layouts are compared byte by
 * byte.
 */
#include "../core/attr.h"
#include "../core/pipe_test.h"
#include "ios_show.h"

#include "../base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char REFLECTOR[] = "hostname RR\n"
                                "router bgp 64512\n"
                                " bgp cluster-id 1\n"
                                " neighbor 192.168.1.10 remote-as 64512\n"
                                " neighbor 192.168.1.10 description node-a\n"
                                " neighbor 192.168.1.10 route-reflector-client\n"
                                " neighbor 192.168.1.11 remote-as 64512\n"
                                " neighbor 192.168.1.11 route-reflector-client\n"
                                " neighbor 192.168.1.11 default-originate\n"
                                " neighbor 192.168.1.12 remote-as 64512\n"
                                " neighbor 192.168.1.12 shutdown\n"
                                " timers bgp 10 30\n"
                                "ip prefix-list A permit 0.0.0.0/0 le 32\n"
                                "ip prefix-list A deny 10.0.0.0/8\n"
                                "route-map M permit 10\n"
                                " match ip address prefix-list A\n";

#define BOOTED ((struct nanotime){NANOS_PER_S})
#define WALL_MS UINT64_C(1597874341079) /* Aug 19 2020 21:59:01.079 */

struct lab {
    struct pipe_world world;
    struct ios_router *router;
    struct text log;
    struct text out;
};

static struct lab lab;

static struct ios_view view_of(const struct lab *l) {
    return (struct ios_view){.speaker = l->world.nodes[0].speaker,
                             .now = l->world.now,
                             .wall_ms = WALL_MS,
                             .booted = BOOTED,
                             .log = &l->log};
}

static void on_event(struct pipe_node *n, const struct bgp_event *e, struct nanotime now) {
    struct lab *l = n->context;
    struct ios_view view = view_of(l);
    view.speaker = n->speaker;
    view.now = now;
    ios_log_event(l->router, &view, e, &l->log);
}

static struct bgp_origin_config block(const char *prefix) {
    struct bgp_origin_config o = {.source = ROUTE_SOURCE_STATIC, .metric = UINT32_MAX};
    assert_true(ip_prefix_parse(prefix, &o.prefix));
    return o;
}

static void add_neighbor(uint32_t id, uint32_t remote_as, const char *prefix) {
    struct bgp_config c;
    struct bgp_peer_config p;
    bgp_config_init(&c, BGP_PROFILE_FAST);
    bgp_peer_config_init(&p, BGP_PROFILE_FAST);
    c.local_as = 64512;
    c.router_id = ip4(id);
    c.peers = &p;
    c.peer_count = 1;
    snprintf(p.name, sizeof p.name, "rr");
    p.remote_addr = ip4(0xC0A80101);
    p.remote_as = remote_as;
    p.restart_time_s = 120; /* as Calico's BIRD has it */
    p.families[BGP_IPV4_UNICAST] = true;
    p.import[0].accept_by_default = p.export[0].accept_by_default = true;
    struct bgp_origin_config o = block(prefix);
    c.origins = &o;
    c.origin_count = 1;
    struct bgp_env env = {.seed = id};
    pipe_add(&lab.world, &c, &env);
}

static void add_client(uint32_t id, const char *prefix) {
    add_neighbor(id, 64512, prefix);
}

static int lab_up(void **state) {
    (void)state;
    struct ios_interface i = {.name = "GigabitEthernet0/0", .length = 24, .up = true};
    i.addr = ip4(0xC0A80101);
    struct ios_env env = {.hostname = "R1", .interfaces = &i, .interface_count = 1};
    struct diag_list *d = diag_list_new();
    lab.router = ios_router_new(&env);
    text_init(&lab.log);
    text_init(&lab.out);
    if (!lab.router || !ios_load(lab.router, REFLECTOR, strlen(REFLECTOR), "rr", true, d))
        return -1;
    struct bgp_env speaker_env = {.seed = 1};
    pipe_init(&lab.world, 1);
    pipe_add(&lab.world, ios_bgp_config(lab.router, d), &speaker_env);
    lab.world.nodes[0].on_event = on_event;
    lab.world.nodes[0].context = &lab;
    add_client(0xC0A8010A, "10.244.1.0/26");
    add_client(0xC0A8010B, "10.244.2.0/26");
    pipe_run(&lab.world, 60000);
    diag_list_free(d);
    return 0;
}

static int lab_down(void **state) {
    (void)state;
    pipe_free(&lab.world);
    text_deinit(&lab.log);
    text_deinit(&lab.out);
    ios_router_free(lab.router);
    return 0;
}

static const char *show(const char *command) {
    struct ios_view view = view_of(&lab);
    text_clear(&lab.out);
    (void)ios_exec(lab.router, &view, command, &lab.out);
    return text_str(&lab.out);
}

#define LEGEND                                                                                     \
    "BGP table version is 3, local router ID is 192.168.1.1\n"                                     \
    "Status codes: s suppressed, d damped, h history, * valid, > best, i - internal, \n"           \
    "              r RIB-failure, S Stale, m multipath, b backup-path, f RT-Filter, \n"            \
    "              x best-external, a additional-path, c RIB-compressed, \n"                       \
    "              t secondary path, \n"                                                           \
    "Origin codes: i - IGP, e - EGP, ? - incomplete\n"                                             \
    "RPKI validation codes: V valid, I invalid, N Not found\n"                                     \
    "\n"
#define COLUMNS "     Network          Next Hop            Metric LocPrf Weight Path\n"
#define HEADER LEGEND COLUMNS
#define ROW1 " *>i  10.244.1.0/26    192.168.1.10                  100      0 i\n"
#define ROW2 " *>i  10.244.2.0/26    192.168.1.11                  100      0 i\n"

static void table_is_laid_out_as_ios_does(void **state) {
    (void)state;
    assert_string_equal(show("show ip bgp"), HEADER ROW1 ROW2);
    assert_string_equal(show("sh bgp ipv4 uni"), HEADER ROW1 ROW2);
    assert_string_equal(show("show ip bgp neighbors 192.168.1.10 routes"),
                        HEADER ROW1 "\nTotal number of prefixes 1 \n");
    assert_string_equal(show("show ip bgp neighbors 192.168.1.10 advertised-routes"),
                        HEADER ROW2 "\nTotal number of prefixes 1 \n");
    assert_string_equal(show("show ip bgp neighbors 192.168.1.11 advertised-routes"),
                        LEGEND "Originating default network 0.0.0.0\n\n" COLUMNS ROW1
                               "\nTotal number of prefixes 1 \n");
    assert_string_equal(show("show ip bgp neighbors 192.168.1.10 received-routes"),
                        "% Inbound soft reconfiguration not enabled on 192.168.1.10\n");
}

static void prefix_is_laid_out_as_ios_does(void **state) {
    (void)state;
    const char *want = "BGP routing table entry for 10.244.1.0/26, version 2\n"
                       "Paths: (1 available, best #1, table default)\n"
                       "  Advertised to update-groups:\n"
                       "     2         \n"
                       "  Refresh Epoch 1\n"
                       "  Local, (Received from a RR-client)\n"
                       "    192.168.1.10 from 192.168.1.10 (192.168.1.10)\n"
                       "      Origin IGP, localpref 100, valid, internal, best\n"
                       "      rx pathid: 0, tx pathid: 0x0\n";
    assert_string_equal(show("show ip bgp 10.244.1.0/26"), want);
    assert_string_equal(show("show ip bgp 10.244.1.7"), want);
    assert_string_equal(show("show ip bgp 10.9.0.0/16"), "% Network not in table\n");
}

static void summary_is_laid_out_as_ios_does(void **state) {
    (void)state;
    const char *text = show("show ip bgp summary");
    const char *head = "BGP router identifier 192.168.1.1, local AS number 64512\n"
                       "BGP table version is 3, main routing table version 3\n"
                       "2 network entries using 288 bytes of memory\n"
                       "2 path entries using 168 bytes of memory\n"
                       "2/2 BGP path/bestpath attribute entries using 320 bytes of memory\n"
                       "0 BGP route-map cache entries using 0 bytes of memory\n"
                       "0 BGP filter-list cache entries using 0 bytes of memory\n"
                       "BGP using 776 total bytes of memory\n"
                       "BGP activity 2/0 prefixes, 2/0 paths, scan interval 60 secs\n"
                       "\n"
                       "Neighbor        V           AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down "
                       " State/PfxRcd\n"
                       "192.168.1.10    4        64512 ";
    assert_true(strlen(text) > strlen(head));
    assert_memory_equal(text, head, strlen(head));
    assert_string_equal(show("show ip bgp summary | include 1.12"),
                        "192.168.1.12    4        64512       0       0        1    0    0 never   "
                        " Idle (Admin)\n");
    assert_string_equal(show("show ip bgp summary | count ^192"),
                        "Number of lines which match regexp = 3\n");
}

static void neighbor_has_the_lines_clients_parse(void **state) {
    (void)state;
    static const char *const LINES[] = {
        "BGP neighbor is 192.168.1.10,  remote AS 64512, internal link\n Description: node-a\n",
        "  BGP version 4, remote router ID 192.168.1.10\n  BGP state = Established, up for 00:",
        "hold time is 30, keepalive interval is 10 seconds\n",
        "    Graceful Restart Capability: received\n"
        "      Remote Restart timer is 120 seconds\n"
        "      Address families advertised by peer:\n"
        "        IPv4 Unicast (was not preserved\n"
        "    Enhanced Refresh Capability: ",
        "    Opens:                  1          1\n",
        "  Route-Reflector Client\n",
        "    Prefixes Current:               1          1 (Consumes 84 bytes)\n",
        "  Connections established 1; dropped 0\n  Last reset never\n",
        "Local host: 192.168.1.1, Local port: ",
    };
    const char *text = show("show ip bgp neighbors 192.168.1.10");
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++)
        if (!strstr(text, LINES[i]))
            fail_msg("missing: %s in\n%s", LINES[i], text);
    assert_string_equal(show("show ip bgp neighbors 1.2.3.4"),
                        "% No such neighbor or address family\n");
}

static void lists_and_clock_are_shown(void **state) {
    (void)state;
    assert_string_equal(show("show ip prefix-list"), "ip prefix-list A: 2 entries\n"
                                                     "   seq 5 permit 0.0.0.0/0 le 32\n"
                                                     "   seq 10 deny 10.0.0.0/8\n");
    assert_string_equal(show("show route-map"), "route-map M, permit, sequence 10\n"
                                                "  Match clauses:\n"
                                                "    ip address prefix-lists: A \n"
                                                "  Set clauses:\n"
                                                "  Policy routing matches: 0 packets, 0 bytes\n");
    assert_string_equal(show("show clock"), "*21:59:01.079 UTC Wed Aug 19 2020\n");
    assert_string_equal(show("show version | include uptime"), "RR uptime is 1 minute\n");
    assert_string_equal(show("show ip bgp | include (.*)*(.*)*\\1\\2zzz"),
                        "% Failed to compile regular expression.\n");
    assert_string_equal(show("show ip bgp | include ("),
                        "% Failed to compile regular expression.\n");
    assert_string_equal(show("shov"), "% Unknown command or computer name, or unable to find "
                                      "computer address\n");
    assert_string_equal(show("shov ip bgp"), "   ^\n% Invalid input detected at '^' marker.\n\n");
}

static void clear_leaves_a_request(void **state) {
    (void)state;
    assert_string_equal(show("clear ip bgp *"), "");
    struct ios_request q = ios_take_request(lab.router);
    assert_int_equal(q.kind, IOS_REQUEST_CLEAR);
    assert_int_equal(q.how, BGP_CLEAR_HARD);
    assert_int_equal(q.scope, IOS_CLEAR_ALL);
    assert_false(q.and_out);
    assert_string_equal(show("clear ip bgp 192.168.1.10 soft in"), "");
    q = ios_take_request(lab.router);
    assert_int_equal(q.how, BGP_CLEAR_SOFT_IN);
    assert_int_equal(ip4_to_u32(q.peer), 0xC0A8010A);
    assert_int_equal(ios_take_request(lab.router).kind, IOS_REQUEST_NONE);
}

/* Who is meant, among an internal and an external neighbour and one of a listen range. */
static void clear_chooses_peers(void **state) {
    (void)state;
    static const struct {
        const char *command;
        enum bgp_clear how;
        bool and_out, internal, external, ranged;
    } ROWS[] = {
        {"clear ip bgp *", BGP_CLEAR_HARD, false, true, true, true},
        {"clear ip bgp * soft", BGP_CLEAR_SOFT_IN, true, true, true, true},
        {"clear ip bgp * in", BGP_CLEAR_SOFT_IN, false, true, true, true},
        {"clear ip bgp 65001 soft out", BGP_CLEAR_SOFT_OUT, false, false, true, false},
        {"clear ip bgp external", BGP_CLEAR_HARD, false, false, true, false},
        {"clear ip bgp peer-group NODES", BGP_CLEAR_HARD, false, true, false, true},
        {"clear bgp ipv4 unicast 10.0.0.2 soft in", BGP_CLEAR_SOFT_IN, false, true, false, false},
        {"clear ip bgp ipv4 unicast 10.0.9.9", BGP_CLEAR_HARD, false, false, false, true},
    };
    static const char TEXT[] =
        "router bgp 64512\n bgp router-id 1.1.1.1\n neighbor NODES peer-group\n"
        " neighbor NODES remote-as 64512\n neighbor 10.0.0.2 peer-group NODES\n"
        " neighbor 10.0.0.3 remote-as 65001\n"
        " bgp listen range 10.0.9.0/24 peer-group NODES\n";
    struct ios_env env = {.hostname = "R1"};
    struct ios_router *r = ios_router_new(&env);
    assert_true(ios_load(r, TEXT, sizeof TEXT - 1, "t.ios", false, NULL));
    struct arena *arena = arena_new();
    struct bgp_config c = *ios_bgp_config(r, NULL);
    struct bgp_peer_config peers[3] = {c.peers[0], c.peers[1], c.listen_ranges[0].peer};
    const struct bgp_neighbor *n[3], *template;
    snprintf(peers[2].name, sizeof peers[2].name, "NODES_10.0.9.9");
    peers[2].remote_addr = ip4(0x0A000909);
    c.peers = peers;
    c.peer_count = 3;
    assert_true(neighbors_make(arena, &c, n, &template));
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct ios_view view = view_of(&lab);
        struct text out;
        text_init(&out);
        ios_exec(r, &view, ROWS[i].command, &out);
        struct ios_request q = ios_take_request(r);
        if (out.size || q.kind != IOS_REQUEST_CLEAR || q.how != ROWS[i].how ||
            q.and_out != ROWS[i].and_out || ios_request_concerns(r, &q, n[0]) != ROWS[i].internal ||
            ios_request_concerns(r, &q, n[1]) != ROWS[i].external ||
            ios_request_concerns(r, &q, n[2]) != ROWS[i].ranged)
            fail_msg("%s: %s", ROWS[i].command, text_str(&out));
        text_deinit(&out);
    }
    arena_free(arena);
    ios_router_free(r);
}

/* Last: it ends a session. */
static void log_lines_read_as_ios_writes_them(void **state) {
    (void)state;
    static const char STAMP[] = "*Aug 19 21:59:01.079: ";
    char want[600];
    struct bgp_peer_info p;
    snprintf(want, sizeof want, "%s%%BGP-5-ADJCHANGE: neighbor 192.168.1.10 Up \n", STAMP);
    assert_non_null(strstr(text_str(&lab.log), want));
    text_clear(&lab.log);
    assert_true(bgp_peer_at(lab.world.nodes[0].speaker, 0, &p));
    assert_int_equal(bgp_clear(lab.world.nodes[0].speaker, p.id, BGP_CLEAR_HARD, lab.world.now),
                     BGP_OK);
    pipe_run(&lab.world, 100);
    snprintf(want, sizeof want,
             "%s%%BGP-3-NOTIFICATION: sent to neighbor 192.168.1.10 6/4 (Administrative Reset) 0 "
             "bytes \n"
             "%s%%BGP-5-ADJCHANGE: neighbor 192.168.1.10 Down User reset\n"
             "%s%%BGP_SESSION-5-ADJCHANGE: neighbor 192.168.1.10 IPv4 Unicast topology base "
             "removed from session  User reset\n",
             STAMP, STAMP, STAMP);
    assert_memory_equal(text_str(&lab.log), want, strlen(want));
}

/* ---- IPv6 ---- */

/* What is too long for its column stands alone; the rest goes on below, where it belongs. */
static void long_columns_wrap(void **state) {
    (void)state;
    static const struct {
        const char *prefix, *next_hop, *row;
    } ROWS[] = {
        {"2001:db8:1::/48", "2001:db8::2",
         " *>   2001:DB8:1::/48  2001:DB8::2              5             0 ?\n"},
        {"2001:db8:12:3456::/64", "2001:db8::2",
         " *>   2001:DB8:12:3456::/64\n"
         "                      2001:DB8::2              5             0 ?\n"},
        {"2001:db8:1::/48", "2001:db8:0:1234::2",
         " *>   2001:DB8:1::/48  2001:DB8:0:1234::2\n"
         "                                                5             0 ?\n"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct attr_set set = {.v = {.origin = 2, .has_med = true, .med = 5}};
        struct bgp_path_info path = {
            .peer = {1}, .attrs = &set, .best = true, .valid = true, .external = true};
        struct ios_table_row row = {.path = &path, .network = true};
        struct text out;
        text_init(&out);
        assert_true(ip_prefix_parse(ROWS[i].prefix, &row.prefix));
        assert_true(ip_parse(ROWS[i].next_hop, &set.v.next_hop));
        ios_put_table_row(&row, &out);
        assert_string_equal(text_str(&out), ROWS[i].row);
        text_deinit(&out);
    }
}

static void neighbors_of_ipv6_take_two_lines(void **state) {
    (void)state;
    static const char TEXT[] = "router bgp 64512\n bgp router-id 1.1.1.1\n"
                               " neighbor 2001:db8:ffff::2 remote-as 65001\n"
                               " neighbor 2001:db8::2 remote-as 65001\n"
                               " address-family ipv6\n"
                               "  neighbor 2001:db8:ffff::2 activate\n"
                               "  neighbor 2001:db8::2 activate\n";
    struct ios_env env = {.hostname = "R1"};
    struct ios_router *r = ios_router_new(&env);
    assert_true(ios_load(r, TEXT, sizeof TEXT - 1, "t.ios", false, NULL));
    struct bgp_env speaker_env = {.seed = 1};
    struct nanotime now = {NANOS_PER_S};
    struct bgp_speaker *s = bgp_speaker_new(ios_bgp_config(r, NULL), &speaker_env, now);
    assert_non_null(s);
    struct ios_view view = {.speaker = s, .now = now};
    struct text out;
    text_init(&out);
    assert_true(ios_exec(r, &view, "show bgp ipv6 unicast summary", &out));
    assert_string_equal(
        text_str(&out),
        "BGP router identifier 1.1.1.1, local AS number 64512\n"
        "BGP table version is 1, main routing table version 1\n"
        "\n"
        "Neighbor        V           AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd\n"
        "2001:DB8::2     4        65001       0       0        1    0    0 never    Idle\n"
        "2001:DB8:FFFF::2\n"
        "                4        65001       0       0        1    0    0 never    Idle\n");
    text_deinit(&out);
    bgp_speaker_free(s);
    ios_router_free(r);
}

/* ---- dampening ---- */

static const char DAMPENING[] = "hostname RR\n"
                                "router bgp 65001\n"
                                " bgp dampening\n"
                                " neighbor 192.168.1.10 remote-as 64512\n";

static int flapping_up(void **state) {
    (void)state;
    struct ios_interface i = {.name = "GigabitEthernet0/0", .length = 24, .up = true};
    i.addr = ip4(0xC0A80101);
    struct ios_env env = {.hostname = "R1", .interfaces = &i, .interface_count = 1};
    struct bgp_env speaker_env = {.seed = 1};
    lab.router = ios_router_new(&env);
    text_init(&lab.log);
    text_init(&lab.out);
    if (!lab.router || !ios_load(lab.router, DAMPENING, strlen(DAMPENING), "d", true, NULL))
        return -1;
    pipe_init(&lab.world, 1);
    pipe_add(&lab.world, ios_bgp_config(lab.router, NULL), &speaker_env);
    add_neighbor(0xC0A8010A, 65001, "10.244.1.0/26");
    pipe_run(&lab.world, 60000);
    return 0;
}

static void flap(void) {
    struct bgp_origin_config o = block("10.244.1.0/26");
    struct bgp_speaker *s = lab.world.nodes[1].speaker;
    assert_int_equal(bgp_withdraw(s, o.prefix, o.source, lab.world.now), BGP_OK);
    pipe_run(&lab.world, 5000);
    assert_int_equal(bgp_originate(s, &o, lab.world.now), BGP_OK);
    pipe_run(&lab.world, 5000);
}

static void routes_that_flap_are_shown(void **state) {
    (void)state;
    assert_string_equal(show("show ip bgp dampening parameters"),
                        " dampening 15 750 2000 60 (DEFAULT)\n"
                        "  Half-life time      : 15 mins       Decay Time       : 2320 secs\n"
                        "  Max suppress penalty: 12000         Max suppress time: 60 mins\n"
                        "  Suppress penalty    :  2000         Reuse penalty    : 750\n\n");
    assert_string_equal(show("show ip bgp dampening dampened-paths"), "");
    assert_string_equal(show("show ip bgp dampening flap-statistics"), "");
    flap();
    assert_non_null(strstr(show("show ip bgp dampening flap-statistics"),
                           "\n     Network          From            Flaps Duration Reuse    Path\n"
                           " *>   10.244.1.0/26    192.168.1.10    1     00:00:"));
    assert_string_equal(show("show ip bgp dampening dampened-paths"), "");
    flap();
    flap();
    assert_non_null(strstr(show("show ip bgp dampening dampened-paths"),
                           "\n     Network          From             Reuse    Path\n"
                           " *d   10.244.1.0/26    192.168.1.10    00:2"));
    assert_non_null(strstr(show("show ip bgp"), "\n *d   10.244.1.0/26    192.168.1.10 "));
    const char *text = show("show ip bgp 10.244.1.0/26");
    assert_non_null(strstr(text, "  64512, (suppressed due to dampening)\n"));
    assert_non_null(strstr(text, "      Dampinfo: penalty 2"));
    assert_non_null(strstr(text, ", flapped 3 times in 00:00:"));
    assert_non_null(strstr(text, ", reuse in 00:2"));
    assert_string_equal(show("clear ip bgp dampening 10.244.1.0 255.255.255.192"), "");
    struct ios_request q = ios_take_request(lab.router);
    assert_int_equal(q.kind, IOS_REQUEST_CLEAR_DAMPENING);
    assert_int_equal(q.prefix.length, 26);
    bgp_dampening_clear(lab.world.nodes[0].speaker, &q.prefix);
    pipe_run(&lab.world, 1000);
    assert_non_null(strstr(show("show ip bgp"), "\n *>   10.244.1.0/26    192.168.1.10 "));
    assert_string_equal(show("clear ip bgp dampening"), "");
    q = ios_take_request(lab.router);
    assert_int_equal(q.kind, IOS_REQUEST_CLEAR_DAMPENING);
    assert_false(ip_is_set(q.prefix.addr));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_laid_out_as_ios_does),
        cmocka_unit_test(prefix_is_laid_out_as_ios_does),
        cmocka_unit_test(summary_is_laid_out_as_ios_does),
        cmocka_unit_test(neighbor_has_the_lines_clients_parse),
        cmocka_unit_test(lists_and_clock_are_shown),
        cmocka_unit_test(clear_leaves_a_request),
        cmocka_unit_test(clear_chooses_peers),
        cmocka_unit_test(long_columns_wrap),
        cmocka_unit_test(neighbors_of_ipv6_take_two_lines),
        cmocka_unit_test(log_lines_read_as_ios_writes_them),
    };
    const struct CMUnitTest flapping[] = {
        cmocka_unit_test(routes_that_flap_are_shown),
    };
    int failed = cmocka_run_group_tests(tests, lab_up, lab_down);
    return failed + cmocka_run_group_tests(flapping, flapping_up, lab_down);
}
