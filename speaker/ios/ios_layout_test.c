/*
 * Columns when what stands in them is as wide as it can be, and every mark of a route.
 */
#include "../core/attr.h"
#include "../core/neighbor.h"
#include "ios_router_test.h"
#include "ios_show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- rows of the table ---- */

static uint32_t wide_path[] = {AS_SEQUENCE << 16 | 3, 4200000001, 65536, 64512};

static const struct {
    const char *prefix, *next_hop;
    uint32_t med, local_pref, weight;
    bool asdot;
    const char *row;
} WIDE[] = {
    {"192.168.10.128/25", "192.168.100.100", 0, 100, 0, false,
     " *>i  192.168.10.128/25\n"
     "                      192.168.100.100          0    100      0 4200000001 65536 64512 i\n"},
    {"192.168.100.0/25", "192.168.100.100", 4294967295, 200000, 65535, false,
     " *>i  192.168.100.0/25 192.168.100.100 4294967295 200000  65535 4200000001 65536 64512 i\n"},
    {"10.0.0.0/8", "10.0.0.1", 4294967295, 4294967295, 4294967295, false,
     " *>i  10.0.0.0         10.0.0.1        429496729542949672954294967295 4200000001 65536 64512 "
     "i\n"},
    {"0.0.0.0/0", "10.0.0.1", 0, 100, 32768, true,
     " *>i  0.0.0.0          10.0.0.1                 0    100  32768 64086.59905 1.0 64512 i\n"},
    {"2001:db8:1234:5678:9abc:def0:1234:0/112", "2001:db8:1234:5678:9abc:def0:1234:5678", 5, 100, 0,
     false,
     " *>i  2001:DB8:1234:5678:9ABC:DEF0:1234:0/112\n"
     "                      2001:DB8:1234:5678:9ABC:DEF0:1234:5678\n"
     "                                                5    100      0 4200000001 65536 64512 i\n"},
    {"::/0", "::1", 5, 100, 0, false,
     " *>i  ::/0             ::1                      5    100      0 4200000001 65536 64512 i\n"},
};

static void wide_values_push_or_wrap(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof WIDE / sizeof *WIDE; i++) {
        struct attr_set set = {.v = {.has_med = true,
                                     .med = WIDE[i].med,
                                     .has_local_pref = true,
                                     .local_pref = WIDE[i].local_pref,
                                     .as_path = {wide_path, 4}}};
        struct bgp_path_info path = {
            .peer = {1}, .attrs = &set, .best = true, .valid = true, .weight = WIDE[i].weight};
        struct ios_table_row row = {.path = &path, .network = true, .asdot = WIDE[i].asdot};
        struct text out;
        text_init(&out);
        assert_true(ip_prefix_parse(WIDE[i].prefix, &row.prefix));
        assert_true(ip_parse(WIDE[i].next_hop, &set.v.next_hop));
        ios_put_table_row(&row, &out);
        assert_string_equal(text_str(&out), WIDE[i].row);
        text_deinit(&out);
    }
}

/* Marks stand in columns 1 to 3; what is local or external has no LOCAL_PREF, what has no MED no
 * metric. */
static const struct {
    struct bgp_path_info path;
    bool rib_failure, again;
    const char *row;
} MARKS[] = {
    {{.peer = {1}, .valid = true, .best = true},
     false,
     false,
     " *>i  10.0.0.0         10.0.0.1                      100      0 i\n"},
    {{.peer = {1}, .valid = true},
     false,
     true,
     " * i                   10.0.0.1                      100      0 i\n"},
    {{.peer = {1}, .valid = true, .multipath = true},
     false,
     true,
     " *mi                   10.0.0.1                      100      0 i\n"},
    {{.peer = {1}},
     false,
     false,
     "   i  10.0.0.0         10.0.0.1                      100      0 i\n"},
    {{.peer = {1}, .valid = true, .best = true, .external = true},
     false,
     false,
     " *>   10.0.0.0         10.0.0.1                               0 i\n"},
    {{.peer = {1}, .valid = true, .best = true, .external = true},
     true,
     false,
     " r>   10.0.0.0         10.0.0.1                               0 i\n"},
    {{.peer = {1}, .valid = true, .best = true, .external = true, .stale = true},
     false,
     false,
     " S>   10.0.0.0         10.0.0.1                               0 i\n"},
    {{.peer = {1}, .valid = true, .best = true, .external = true, .suppressed = true},
     false,
     false,
     " s>   10.0.0.0         10.0.0.1                               0 i\n"},
    {{.peer = {1}, .external = true, .damped = true},
     false,
     false,
     " *d   10.0.0.0         10.0.0.1                               0 i\n"},
    {{.valid = true, .best = true, .weight = 32768},
     false,
     false,
     " *>   10.0.0.0         0.0.0.0                            32768 i\n"},
};

static void every_mark_has_its_column(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof MARKS / sizeof *MARKS; i++) {
        struct attr_set set = {.v = {.has_local_pref = true, .local_pref = 100}};
        struct bgp_path_info path = MARKS[i].path;
        struct ios_table_row row = {
            .path = &path, .network = !MARKS[i].again, .rib_failure = MARKS[i].rib_failure};
        struct text out;
        text_init(&out);
        path.attrs = &set;
        set.v.next_hop = ip4(0x0A000001);
        row.prefix = ip_prefix_make(ip4(0x0A000000), 8);
        ios_put_table_row(&row, &out);
        if (strcmp(text_str(&out), MARKS[i].row) != 0)
            fail_msg("row %zu: \"%s\"", i, text_str(&out));
        text_deinit(&out);
    }
}

/* ---- rows of the summary ---- */

#define DAY_NS (86400 * NANOS_PER_S)

static const struct {
    const char *address;
    uint32_t remote_as, messages, prefixes, version;
    enum bgp_state state;
    uint64_t age_ns;
    bool dynamic, admin_down, limit, never;
    const char *row;
} NEIGHBORS[] = {
    {"192.168.1.10", 64512, 12, 2, 5, BGP_ESTABLISHED, 372 * NANOS_PER_S, false, false, false,
     false,
     "192.168.1.10    4        64512      12      12        5    0    0 00:06:12        2\n"},
    {"192.168.100.100", 4200000001, 1234567, 1000000, 12345678, BGP_ESTABLISHED, 2 * DAY_NS, false,
     false, false, false,
     "192.168.100.100 4   4200000001 1234567 1234567 12345678    0    0 2d00h     1000000\n"},
    {"10.0.0.1", 65000, 12345678, 1234567890, 1234567890, BGP_ESTABLISHED, 800 * DAY_NS, false,
     false, false, false,
     "10.0.0.1        4        65000 12345678 12345678 1234567890    0    0 2y10w    1234567890\n"},
    {"10.152.0.24", 65000, 5, 1, 2, BGP_ESTABLISHED, 22 * DAY_NS, true, false, false, false,
     "*10.152.0.24    4        65000       5       5        2    0    0 3w1d            1\n"},
    {"192.168.100.10", 65000, 5, 1, 2, BGP_ESTABLISHED, NANOS_PER_S, true, false, false, false,
     "*192.168.100.10 4        65000       5       5        2    0    0 00:00:01        1\n"},
    {"192.168.100.100", 65000, 5, 1, 2, BGP_ESTABLISHED, NANOS_PER_S, true, false, false, false,
     "*192.168.100.100\n"
     "                4        65000       5       5        2    0    0 00:00:01        1\n"},
    {"2001:db8:ffff::2", 65000, 5, 1, 2, BGP_ESTABLISHED, NANOS_PER_S, false, false, false, false,
     "2001:DB8:FFFF::2\n"
     "                4        65000       5       5        2    0    0 00:00:01        1\n"},
    {"10.0.0.1", 65000, 0, 0, 9, BGP_IDLE, 0, false, false, false, true,
     "10.0.0.1        4        65000       0       0        1    0    0 never    Idle\n"},
    {"10.0.0.1", 65000, 0, 0, 9, BGP_CONNECT, 0, false, false, false, true,
     "10.0.0.1        4        65000       0       0        1    0    0 never    Active\n"},
    {"10.0.0.1", 65000, 0, 0, 9, BGP_ACTIVE, 0, false, false, false, true,
     "10.0.0.1        4        65000       0       0        1    0    0 never    Idle\n"},
    {"10.0.0.1", 65000, 0, 0, 9, BGP_OPEN_SENT, 5 * NANOS_PER_S, false, false, false, false,
     "10.0.0.1        4        65000       0       0        1    0    0 00:00:05 OpenSent\n"},
    {"10.0.0.1", 65000, 0, 0, 9, BGP_OPEN_CONFIRM, 5 * NANOS_PER_S, false, false, false, false,
     "10.0.0.1        4        65000       0       0        1    0    0 00:00:05 OpenConfirm\n"},
    {"10.0.0.1", 65000, 0, 0, 9, BGP_IDLE, 90 * DAY_NS, false, true, false, false,
     "10.0.0.1        4        65000       0       0        1    0    0 12w6d    Idle (Admin)\n"},
    {"10.0.0.1", 65000, 0, 0, 9, BGP_IDLE, 5 * NANOS_PER_S, false, false, true, false,
     "10.0.0.1        4        65000       0       0        1    0    0 00:00:05 Idle (PfxCt)\n"},
};

static void neighbors_have_a_row_each(void **state) {
    struct ios_router *r = ios_router_of("router bgp 65000\n");
    const struct ios_view view = {.now = {1000 * DAY_NS}};
    (void)state;
    for (size_t i = 0; i < sizeof NEIGHBORS / sizeof *NEIGHBORS; i++) {
        struct bgp_peer_options options = {.passive = false};
        struct bgp_neighbor config = {.remote_as = NEIGHBORS[i].remote_as, .options = &options};
        struct bgp_peer_info p = {.config = &config,
                                  .state = NEIGHBORS[i].state,
                                  .since = {1000 * DAY_NS - NEIGHBORS[i].age_ns},
                                  .dynamic = NEIGHBORS[i].dynamic,
                                  .admin_down = NEIGHBORS[i].admin_down,
                                  .prefix_limit_down = NEIGHBORS[i].limit,
                                  .established_count = !NEIGHBORS[i].never,
                                  .sent = {.updates = NEIGHBORS[i].messages},
                                  .received = {.updates = NEIGHBORS[i].messages}};
        struct text out;
        struct ios_sink sink = {.out = &out, .view = &view};
        struct ios_edit e = {.r = r, .sink = &sink};
        text_init(&out);
        assert_true(ip_parse(NEIGHBORS[i].address, &config.remote_addr));
        p.prefixes_accepted[0] = NEIGHBORS[i].prefixes;
        ios_put_summary_row(&e, &p, BGP_IPV4_UNICAST, NEIGHBORS[i].version);
        if (strcmp(text_str(&out), NEIGHBORS[i].row) != 0)
            fail_msg("row %zu: \"%s\"", i, text_str(&out));
        text_deinit(&out);
    }
    ios_router_free(r);
}

/* ---- whole commands ---- */

#define TABLE                                                                                      \
    "ip route 0.0.0.0 0.0.0.0 10.0.0.254\n"                                                        \
    "ip route 192.168.1.0 255.255.255.0 10.0.0.9\n"                                                \
    "ip route 192.168.123.1 255.255.255.255 10.0.0.9\n"                                            \
    "ip route 192.168.123.2 255.255.255.255 Null0 250\n"                                           \
    "ip route 172.16.1.0 255.255.255.0 10.0.0.9 5\n"

static const struct {
    const char *config, *command, *prints; /* ends what is printed */
} COMMANDS[] = {
    {TABLE, "show ip route",
     "Gateway of last resort is 10.0.0.254 to network 0.0.0.0\n\n"
     "S*    0.0.0.0/0 [1/0] via 10.0.0.254\n"
     "      10.0.0.0/8 is variably subnetted, 2 subnets, 2 masks\n"
     "C        10.0.0.0/24 is directly connected, GigabitEthernet0/0\n"
     "L        10.0.0.1/32 is directly connected, GigabitEthernet0/0\n"
     "      172.16.0.0/24 is subnetted, 1 subnets\n"
     "S        172.16.1.0 [5/0] via 10.0.0.9\n"
     "S     192.168.1.0/24 [1/0] via 10.0.0.9\n"
     "      192.168.123.0/32 is subnetted, 2 subnets\n"
     "S        192.168.123.1 [1/0] via 10.0.0.9\n"
     "S        192.168.123.2 is directly connected, Null0\n"},
    {"router bgp 4200000001\n", "show ip bgp summary",
     "BGP router identifier 10.0.0.1, local AS number 4200000001\n"
     "BGP table version is 1, main routing table version 1\n"},
    {"router bgp 4200000001\n bgp asnotation dot\n neighbor 10.0.0.2 remote-as 65536\n",
     "show ip bgp summary",
     "BGP router identifier 10.0.0.1, local AS number 64086.59905\n"
     "BGP table version is 1, main routing table version 1\n"
     "\n"
     "Neighbor        V           AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd\n"
     "10.0.0.2        4          1.0       0       0        1    0    0 never    Idle\n"},
    {"ip route 10.9.0.0 255.255.0.0 Null0\nrouter bgp 4200000001\n bgp scan-time 15\n"
     " network 10.9.0.0 mask 255.255.0.0\n",
     "show ip bgp summary",
     "1 network entries using 144 bytes of memory\n"
     "1 path entries using 84 bytes of memory\n"
     "1/1 BGP path/bestpath attribute entries using 160 bytes of memory\n"
     "0 BGP route-map cache entries using 0 bytes of memory\n"
     "0 BGP filter-list cache entries using 0 bytes of memory\n"
     "BGP using 388 total bytes of memory\n"
     "BGP activity 1/0 prefixes, 1/0 paths, scan interval 15 secs\n"},
    {"router bgp 65000\n distance bgp 30 210 220\n",
     "show ip protocols | include Distance:", "  Distance: external 30 internal 210 local 220\n"},
    {"router bgp 1.5\n bgp asnotation dot\n", "show ip protocols | include bgp",
     "Routing Protocol is \"bgp 1.5\"\n"},
    {"router bgp 65000\n neighbor 10.0.0.2 remote-as 65000\n"
     " neighbor 10.0.0.2 timers 10 30 20\n",
     "show ip bgp neighbors | include holdtime",
     "  Minimum holdtime from neighbor is 20 seconds\n"},
    {"router bgp 65000\n neighbor 10.0.0.2 remote-as 1\n neighbor 10.0.0.2 ebgp-multihop 2\n",
     "show ip bgp neighbors | include External",
     "  External BGP neighbor may be up to 2 hops away.\n"
     "  External BGP neighbor NOT configured for connected checks (multi-hop "
     "no-disable-connected-check)\n"},
    {"router bgp 65000\n neighbor 10.0.0.2 remote-as 1\n"
     " neighbor 10.0.0.2 disable-connected-check\n",
     "show ip bgp neighbors | include External",
     "  External BGP neighbor not directly connected.\n"
     "  External BGP neighbor NOT configured for connected checks (single-hop "
     "disable-connected-check)\n"},
    {"router bgp 65000\n bgp graceful-restart restart-time 100\n neighbor 10.0.0.2 remote-as 1\n",
     "show ip bgp neighbors | include Graceful",
     "  Graceful-Restart is enabled, restart-time 100 seconds, stalepath-time 360 seconds\n"},
    {"router bgp 65000\n neighbor 10.9.9.9 remote-as 65000\n",
     "show ip bgp neighbors | include Interface",
     "  Interface associated: (none) (peering address NOT in same link)\n"},
    {"router bgp 65000\n neighbor 10.0.0.2 remote-as 65000\n", "show ip bgp neighbors | inc active",
     "    0 active, is not multisession capable (disabled)\n  No active TCP connection\n"},
    {"router bgp 65000\n neighbor 10.0.0.2 remote-as 65000\n", "show ip bgp neigh 10.0.0.2 routes",
     "\nTotal number of prefixes 0 \n"},
    {"router bgp 65000\n", "show running-config | i ^router", "router bgp 65000\n"},
    {"router bgp 65000\n", "show running-config | sec router",
     "router bgp 65000\n bgp log-neighbor-changes\n"},
    {"router bgp 65000\n", "show running-config | b ^end", "\nend\n"},
    {"router bgp 65000\n", "show running-config | include nothing|^router|^end",
     "router bgp 65000\nend\n"},
    {"router bgp 65000\n", "terminal width 511", ""},
    {"router bgp 65000\n", "term length 0", ""},
    {"router bgp 65000\n", "term width 0", ""},
    {"router bgp 65000\n", "clear ip bgp 10.9.9.9", "%BGP: Unknown neighbor - \"10.9.9.9\"\n"},
    {"router bgp 65000\n", "show bgp all cluster-ids",
     "Global cluster-id: 10.0.0.1 (configured: 0.0.0.0)\n"
     "BGP client-to-client reflection:         Configured    Used\n"
     " all (inter-cluster and intra-cluster): ENABLED\n"
     " intra-cluster:                         ENABLED       ENABLED\n"
     "\n"
     "List of cluster-ids:\n"
     "Cluster-id     #-neighbors C2C-rfl-CFG C2C-rfl-USE\n"},
    {"router bgp 65000\n no bgp client-to-client reflection\n", "show ip bgp cluster-ids",
     " all (inter-cluster and intra-cluster): DISABLED\n"
     " intra-cluster:                         ENABLED       DISABLED\n"
     "\n"
     "List of cluster-ids:\n"
     "Cluster-id     #-neighbors C2C-rfl-CFG C2C-rfl-USE\n"},
};

static void commands_end_so(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        struct ios_router *r = ios_router_of(COMMANDS[i].config);
        struct bgp_env env = {.seed = 1};
        struct nanotime now = {NANOS_PER_S};
        const struct bgp_config *c = ios_bgp_config(r, NULL);
        struct bgp_speaker *s = c ? bgp_speaker_new(c, &env, now) : NULL;
        if (s)
            bgp_advance(s, now);
        struct ios_view view = {.speaker = s, .now = now, .booted = now};
        struct text out;
        text_init(&out);
        (void)ios_exec(r, &view, COMMANDS[i].command, &out);
        size_t want = strlen(COMMANDS[i].prints);
        bool ends = want ? out.size >= want &&
                               strcmp(text_str(&out) + out.size - want, COMMANDS[i].prints) == 0
                         : out.size == 0;
        if (!ends)
            print_error("%s: \"%s\"\n", COMMANDS[i].command, text_str(&out));
        wrong += !ends;
        text_deinit(&out);
        bgp_speaker_free(s);
        ios_router_free(r);
    }
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide_values_push_or_wrap),
        cmocka_unit_test(every_mark_has_its_column),
        cmocka_unit_test(neighbors_have_a_row_each),
        cmocka_unit_test(commands_end_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
