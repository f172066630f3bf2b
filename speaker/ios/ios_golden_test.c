/*
 * Every show command of a reflector with three neighbours against show_golden.txt, octet by octet.
 * All four are routers of this folder with real speakers, joined by pipes under virtual time.
 *
 * The file is written by this test (argument: write) and reviewed as a text, against captures of
 * IOS 15.7.
 */
#include "ios_lab_test.h"

#define GOLDEN "speaker/ios/show_golden.txt"

static const char *const CONFIGS[] = {
    "hostname RR\n"
    "interface GigabitEthernet0/0\n"
    " description to the rack\n"
    " ip address 192.168.1.1 255.255.255.0\n"
    "interface Loopback0\n"
    " ip address 10.255.0.1 255.255.255.255\n"
    "interface GigabitEthernet0/1\n"
    " shutdown\n"
    "router bgp 64512\n"
    " bgp router-id 192.168.1.1\n"
    " bgp cluster-id 1\n"
    " template peer-policy OUTSIDE\n"
    "  prefix-list PODS in\n"
    "  soft-reconfiguration inbound\n"
    " exit-peer-policy\n"
    " template peer-session INSIDE\n"
    "  remote-as 64512\n"
    "  timers 10 30\n"
    " exit-peer-session\n"
    " maximum-paths ibgp 2\n"
    " network 172.16.0.0\n"
    " neighbor NODES peer-group\n"
    " neighbor NODES remote-as 64512\n"
    " neighbor NODES route-reflector-client\n"
    " neighbor NODES send-community\n"
    " neighbor 192.168.1.10 peer-group NODES\n"
    " neighbor 192.168.1.10 description node-a\n"
    " neighbor 192.168.1.11 peer-group NODES\n"
    " neighbor 192.168.1.12 remote-as 65001\n"
    " neighbor 192.168.1.12 prefix-list PODS in\n"
    " neighbor 192.168.1.12 soft-reconfiguration inbound\n"
    " neighbor 192.168.1.13 remote-as 65002\n"
    " neighbor 192.168.1.13 shutdown\n"
    " neighbor 192.168.1.13 local-as 65009 no-prepend\n"
    " neighbor 192.168.1.13 fall-over\n"
    " neighbor 192.168.1.13 weight 100\n"
    " neighbor 192.168.1.13 filter-list 1 out\n"
    " neighbor 192.168.1.13 distribute-list 1 in\n"
    " neighbor 192.168.1.13 route-map OTHER in\n"
    " timers bgp 10 30\n"
    "ip domain-name example.net\n"
    "access-list 1 permit 10.0.0.0 0.255.255.255\n"
    "access-list 1 deny any\n"
    "ip access-list extended WEB\n"
    " permit ip any host 10.0.0.1\n"
    "ip bgp-community new-format\n"
    "ip community-list 1 permit 64512:100\n"
    "ip community-list standard NAMED permit no-export\n"
    "ip as-path access-list 1 permit _65001$\n"
    "ip route 172.16.0.0 255.255.0.0 Null0\n"
    "ip route 10.245.1.0 255.255.255.0 192.168.1.13 250\n"
    "ip route 10.3.0.0 255.255.0.0 192.168.1.13\n"
    "ip prefix-list PODS seq 5 permit 10.0.0.0/8 le 32\n"
    "route-map TAGGED permit 10\n"
    " match community 1\n"
    "route-map OTHER permit 10\n"
    " match ip address prefix-list PODS\n"
    " match as-path 1\n"
    " continue 30\n"
    " set community 64512:7 no-export additive\n"
    "route-map OTHER deny 30\n"
    " match ip next-hop 1\n",
    "router bgp 64512\n"
    " bgp router-id 192.168.1.10\n"
    " network 10.244.1.0 mask 255.255.255.192\n"
    " network 10.244.1.64 mask 255.255.255.192 route-map TAG\n"
    " neighbor 192.168.1.1 remote-as 64512\n"
    " neighbor 192.168.1.1 send-community\n"
    "ip route 10.244.1.0 255.255.255.192 Null0\n"
    "ip route 10.244.1.64 255.255.255.192 Null0\n"
    "route-map TAG permit 10\n"
    " set community 64512:100 no-export\n",
    "router bgp 64512\n"
    " bgp router-id 192.168.1.11\n"
    " network 10.244.1.0 mask 255.255.255.192\n"
    " network 192.168.77.0\n"
    " neighbor 192.168.1.1 remote-as 64512\n"
    "ip route 10.244.1.0 255.255.255.192 Null0\n"
    "ip route 192.168.77.0 255.255.255.0 Null0\n",
    "router bgp 65001\n"
    " bgp router-id 192.168.1.12\n"
    " network 10.3.0.0 mask 255.255.0.0\n"
    " network 10.99.0.0 mask 255.255.0.0\n"
    " network 172.20.0.0\n"
    " network 10.245.1.0 mask 255.255.255.0\n"
    " neighbor 192.168.1.1 remote-as 64512\n"
    "ip route 10.3.0.0 255.255.0.0 Null0\n"
    "ip route 10.99.0.0 255.255.0.0 Null0\n"
    "ip route 10.245.1.0 255.255.255.0 Null0\n"
    "ip route 172.20.0.0 255.255.0.0 Null0\n",
};
static const uint32_t ADDRESSES[] = {0xC0A80101, 0xC0A8010A, 0xC0A8010B, 0xC0A8010C};
#define ROUTERS (sizeof CONFIGS / sizeof *CONFIGS)

static const char *const COMMANDS[] = {
    "show ip bgp summary",
    "show bgp all summary",
    "show ip bgp",
    "show bgp ipv4 unicast 10.244.1.0/24 longer-prefixes",
    "show ip bgp 10.244.0.0 255.255.0.0 longer-prefixes",
    "show ip bgp cidr-only",
    "show ip bgp regexp _65001_",
    "show ip bgp quote-regexp \"^$\"",
    "show ip bgp filter-list 1",
    "show ip bgp prefix-list PODS",
    "show ip bgp route-map TAGGED",
    "show ip bgp community",
    "show ip bgp community 64512:100",
    "show ip bgp community 64512:100 exact-match",
    "show ip bgp community-list 1",
    "show ip bgp community-list NAMED",
    "show ip bgp 10.244.1.0/26",
    "show ip bgp 10.244.1.64 255.255.255.192",
    "show ip bgp 10.3.1.1",
    "show ip bgp 172.16.0.0",
    "show ip bgp 11.0.0.0",
    "show bgp all",
    "show ip bgp rib-failure",
    "show ip bgp inconsistent-as",
    "show ip bgp paths",
    "show ip bgp paths ^65001",
    "show ip bgp neighbors 192.168.1.10 policy",
    "show ip bgp neighbors 192.168.1.12 policy",
    "show ip bgp template peer-policy",
    "show ip bgp template peer-session INSIDE",
    "show bgp all neighbors | include neighbor is|family",
    "show ip bgp neighbors 192.168.1.10",
    "show ip bgp neighbors 192.168.1.12",
    "show ip bgp neighbors 192.168.1.13",
    "show ip bgp neighbors 192.168.1.12 routes",
    "show ip bgp neighbors 192.168.1.12 received-routes",
    "show ip bgp neighbors 192.168.1.12 advertised-routes",
    "show ip bgp neighbors 192.168.1.10 received-routes",
    "show ip bgp neighbors 192.168.1.13 routes",
    "show ip bgp peer-group",
    "show ip bgp update-group",
    "show ip bgp cluster-ids",
    "show ip route",
    "show ip route bgp",
    "show ip route static",
    "show ip route 10.244.1.1",
    "show ip route 10.99.0.0 255.255.0.0",
    "show ip route 192.168.1.1",
    "show ip route 10.200.0.1",
    "show ip route 11.0.0.0",
    "show ip route 10.244.0.0/16 longer-prefixes | begin 10.0.0.0",
    "show ip route 10.244.1.0",
    "show ip route summary",
    "show ip protocols",
    "show ip protocols | include bgp",
    "show ip prefix-list",
    "show ip prefix-list detail",
    "show ip prefix-list summary PODS",
    "show ip community-list",
    "show ip as-path-access-list",
    "show route-map",
    "show tcp brief",
    "show tcp brief all",
    "show version",
    "show clock",
    "show logging",
    "show ip interface brief",
    "show interfaces description",
    "show interfaces",
    "show interfaces gi0/0",
    "show access-lists",
    "show ip access-lists WEB",
    "show hosts",
    "show running-config | section bgp",
    "show ip bgp summary | begin Neighbor",
    "show ip bgp summary | exclude 192|entries",
    "show ip bgp summary | count 64512",
    "show ip bgp summary | frobnicate x",
    "show ip bgp | include (",
    "show ip bgp neighbors 1.2.3.4",
    "show ip bgp sumary",
    "show ip",
    "show i",
    "show i bgp",
};

/* Figures of no real connection: each another one, so that columns cannot be mixed up. */
static bool tcp_state(void *context, struct bgp_conn_id conn, struct ios_tcp *ret_tcp) {
    (void)context;
    (void)conn;
    *ret_tcp = (struct ios_tcp){.mss = 1460,
                                .rtt_us = 12345,
                                .rtt_variance_us = 2600,
                                .rtt_min_us = 700,
                                .retransmit_timeout_us = 212000,
                                .delayed_ack_us = 40000,
                                .send_window = 64256,
                                .receive_window = 65000,
                                .receive_window_max = 65483,
                                .send_scale = 7,
                                .receive_scale = 8,
                                .bytes_sent = 1201,
                                .bytes_acked = 1182,
                                .bytes_received = 1103,
                                .segments_sent = 31,
                                .segments_received = 32,
                                .data_segments_sent = 21,
                                .data_segments_received = 22,
                                .retransmitted = 3,
                                .out_of_order = 4,
                                .sent_idle_ms = 7008,
                                .received_idle_ms = 4009,
                                .unread_bytes = 0};
    return true;
}

static struct ios_lab *lab_new(void) {
    static struct ios_lab l;
    ios_lab_init(&l);
    l.tcp = tcp_state;
    for (size_t i = 0; i < ROUTERS; i++)
        ios_lab_add(&l, ADDRESSES[i], CONFIGS[i]);
    pipe_run(&l.world, 90000);
    return &l;
}

/* Whole output, each command in front of what it prints. */
static void show_all(struct ios_lab *l, struct text *out) {
    struct ios_view view = ios_lab_view(l);
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        text_printf(out, "RR#%s\n", COMMANDS[i]);
        (void)ios_exec(l->routers[0], &view, COMMANDS[i], out);
    }
}

static void read_golden(struct text *out) {
    char data[4096];
    FILE *f = fopen(GOLDEN, "r");
    assert_non_null(f);
    for (size_t n; (n = fread(data, 1, sizeof data, f)) > 0;)
        text_put(out, data, n);
    fclose(f);
}

/* The first line that differs, with the command it belongs to. */
static void compare(const char *seen, const char *golden) {
    char command[200] = "";
    for (unsigned line = 1; *seen || *golden; line++) {
        size_t a = strcspn(seen, "\n"), b = strcspn(golden, "\n");
        if (strncmp(seen, "RR#", 3) == 0)
            snprintf(command, sizeof command, "%.*s", (int)a, seen);
        if (a != b || memcmp(seen, golden, a) != 0 || seen[a] != golden[b])
            fail_msg("%s:%u: %s\nnow  \"%.*s\"\nfile \"%.*s\"", GOLDEN, line, command, (int)a, seen,
                     (int)b, golden);
        seen += a + (seen[a] == '\n');
        golden += b + (golden[b] == '\n');
    }
}

static void shows_equal_the_golden_file(void **state) {
    (void)state;
    struct ios_lab *l = lab_new();
    struct text seen, golden;
    text_init(&seen);
    text_init(&golden);
    show_all(l, &seen);
    read_golden(&golden);
    compare(text_str(&seen), text_str(&golden));
    text_deinit(&seen);
    text_deinit(&golden);
    ios_lab_free(l);
}

static int write_golden(void) {
    struct ios_lab *l = lab_new();
    struct text seen;
    text_init(&seen);
    show_all(l, &seen);
    FILE *f = fopen(GOLDEN, "w");
    bool ok = f && fputs(text_str(&seen), f) >= 0 && fclose(f) == 0;
    text_deinit(&seen);
    ios_lab_free(l);
    return ok ? 0 : 1;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shows_equal_the_golden_file)};
    if (argc > 1 && strcmp(argv[1], "write") == 0)
        return write_golden();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
