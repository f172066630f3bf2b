/*
 * Rules of the configuration language, one row each: what is typed, what IOS answers, and what the
 * running-config says then. Rules of whole commands stand in ios_parse_test.c.
 */
#include "ios.h"

#include "../base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ios_router *router_new(void) {
    const struct ios_interface i = {
        .name = "GigabitEthernet0/0", .addr = ip4(0x0A000001), .length = 24, .up = true};
    const struct ios_env env = {.hostname = "R1", .interfaces = &i, .interface_count = 1};
    struct ios_router *r = ios_router_new(&env);
    assert_non_null(r);
    return r;
}

/* Types lines, as many as there are, and collects what is answered. */
static void type(struct ios_router *r, const char *lines, struct text *answers) {
    const struct ios_view view = {.wall_ms = 0};
    char line[400];
    ios_config_begin(r);
    while (*lines) {
        size_t size = strcspn(lines, "\n");
        snprintf(line, sizeof line, "%.*s", (int)size, lines);
        ios_terminal_line(r, &view, line, answers);
        lines += size + (lines[size] == '\n');
    }
    ios_config_end(r);
}

#define BGP "router bgp 65000\n"
#define PEER BGP "neighbor 10.0.0.2 remote-as 65001\n"
#define CARET(blanks) blanks "^\n% Invalid input detected at '^' marker.\n\n"
#define RESET_NOTE "% All BGP sessions must be reset to take the new graceful restart timers\n"

static const struct {
    const char *typed;
    const char *answers; /* all of them */
    const char *prints;  /* stands in the running-config; NULL: not looked at */
    const char *lacks;   /* does not; may be NULL */
} ROWS[] = {
    /* ---- the parser ---- */
    {"! router bgp 1\n  ! router bgp 1\n\n   \n", "", NULL, "router"},
    {"     router     bgp 1\n", "", "\nrouter bgp 1\n", NULL},
    {"ROUTER BGP 1\nBGP Router-ID 1.1.1.1\n", "", " bgp router-id 1.1.1.1\n", NULL},
    {"route-map a\nroute-map A\n", "", "route-map A permit 10\n!\nroute-map a permit 10\n", NULL},
    {"ip prefix-list p permit 10.0.0.0/8\nip prefix-list P permit 10.0.0.0/8\n", "",
     "ip prefix-list P seq 5 permit 10.0.0.0/8\nip prefix-list p seq 5 permit 10.0.0.0/8\n", NULL},
    {BGP "neighbor g peer-group\nneighbor 10.0.0.2 remote-as 2\nneighbor 10.0.0.2 peer-group G\n",
     "% Configure the peer-group G first\n", NULL, "peer-group G"},
    {"router b 1\nnei 10.0.0.2 remote 2\nnei 10.0.0.2 soft in\n", "",
     " neighbor 10.0.0.2 soft-reconfiguration inbound\n", NULL},
    {"ip pre A permit 10.0.0.0/8\nipv p B permit 2001:db8::/32\n", "",
     "ipv6 prefix-list B seq 5 permit 2001:DB8::/32\n", NULL},
    {PEER "neighbor 10.0.0.2 r 5\n", "% Ambiguous command:  \"neighbor 10.0.0.2 r 5\"\n\n", NULL,
     NULL},
    {PEER "neighbor 10.0.0.2 description say ! so\n", "", " description say ! so\n", NULL},
    {PEER "neighbor 10.0.0.2 weight 5 ! so\n",
     CARET("                                             "), NULL, "weight"},
    {PEER "neighbor 10.0.0.2 weight 5\nno neighbor 10.0.0.2 weight\n", "", NULL, "weight"},
    {PEER "no neighbor 10.0.0.2\n", "", NULL, "10.0.0.2"},
    {PEER "no neighbor 10.0.0.7\nno network 10.0.0.0\nno bgp cluster-id\n", "", NULL, NULL},
    {"route-map M deny 5\nno route-map M deny 5\n", "", NULL, "route-map"},
    {"ip prefix-list P permit 10.0.0.0/8\nno ip prefix-list P\n", "", NULL, "prefix-list"},
    {PEER "neighbor 10.0.0.2 timers 5 30\ndefault neighbor 10.0.0.2 timers\n", "", NULL, "timers"},
    {BGP "no bgp log-neighbor-changes\ndefault bgp log-neighbor-changes\n", "",
     " bgp log-neighbor-changes\n", "no bgp"},
    {PEER "interface Loopback0\nip address 1.1.1.1 255.255.255.255\nrouter bgp 65000\n"
          "neighbor 10.0.0.2 weight 5\n",
     "", " neighbor 10.0.0.2 weight 5\n", NULL},
    {BGP "address-family ipv4\nneighbor 10.0.0.2 remote-as 5\nneighbor 10.0.0.2 description x\n",
     "", " neighbor 10.0.0.2 remote-as 5\n neighbor 10.0.0.2 description x\n !\n", NULL},
    {BGP "nonsense\nneighbor 10.0.0.2 remote-as 5\n", CARET("                  "),
     " neighbor 10.0.0.2 remote-as 5\n", "nonsense"},
    {BGP "exit\nrouter bgp 65000\nbgp cluster-id 7\n", "", " bgp cluster-id 0.0.0.7\n", NULL},
    {BGP "address-family ipv4\nexit\nbgp always-compare-med\nexit\nhostname X\n", "",
     "hostname X\n", NULL},
    {BGP "do show privilege\nbgp always-compare-med\n", "Current privilege level is 15\n",
     " bgp always-compare-med\n", NULL},
    /* ---- refusals of single statements ---- */
    {"ip route 10.0.0.1 255.0.0.0 Null0\n", "% Inconsistent address and mask\n", NULL, "ip route"},
    {"no ip prefix-list A permit 10.0.0.0/8\n", "% Can't find specified prefix-list\n", NULL, NULL},
    {PEER "neighbor 10.0.0.2 password 7 123\n", "% Invalid encrypted password: 123\n", NULL,
     "password"},
    {"ip prefix-list A permit 10.0.0.0/8 ge 8\n",
     "% Invalid prefix range for 10.0.0.0/8, make sure: len < ge-value <= le-value\n", NULL, "A"},
    {"ip prefix-list A permit 10.0.0.0/8 ge 25 le 24\n",
     "% Invalid prefix range for 10.0.0.0/8, make sure: len < ge-value <= le-value\n", NULL, "A"},
    {"ip prefix-list A permit 10.0.0.0/8 ge 9 le 9\n", "",
     "ip prefix-list A seq 5 permit 10.0.0.0/8 ge 9 le 9\n", NULL},
    {BGP "no neighbor H peer-group\n",
     "% peer-group H is not present, but will go ahead and delete\n", NULL, NULL},
    {PEER "neighbor 10.0.0.2 ttl-security hops 1\nneighbor 10.0.0.2 ebgp-multihop\n",
     "% Remove ttl-security before configuring ebgp-multihop\n", NULL, "multihop"},
    {PEER "neighbor 10.0.0.2 ebgp-multihop 2\nneighbor 10.0.0.2 ttl-security hops 1\n",
     "% Remove ebgp-multihop before configuring ttl-security\n", NULL, "ttl-security"},
    {PEER "neighbor 10.0.0.2 timers 5 15\n",
     "% Warning: A hold time of less than 20 seconds increases the chances of peer flapping\n",
     " neighbor 10.0.0.2 timers 5 15\n", NULL},
    {BGP "timers bgp 1 2\n", "% Invalid hold time 2: 0 or at least 3\n", NULL, "timers"},
    {BGP "timers bgp 0 0\n", "", " timers bgp 0 0\n", NULL},
    {BGP "bgp graceful-restart restart-time 100\n", RESET_NOTE,
     " bgp graceful-restart\n bgp graceful-restart restart-time 100\n", NULL},
    /* ---- the process ---- */
    {"router bgp 1.5\n", "", "router bgp 65541\n", NULL},
    {"router bgp 1.5\nneighbor 10.0.0.2 remote-as 70000\nneighbor 10.0.0.3 remote-as 65535\n"
     "bgp asnotation dot\nbgp confederation identifier 65536\nroute-map M\n"
     "set as-path prepend 65536 7\n",
     "", "router bgp 1.5\n", "65536"},
    {"router bgp 1.5\nneighbor 10.0.0.2 remote-as 70000\nneighbor 10.0.0.2 local-as 65536\n"
     "bgp asnotation dot\n",
     "", " neighbor 10.0.0.2 remote-as 1.4464\n neighbor 10.0.0.2 local-as 1.0\n", NULL},
    {"route-map M\nset as-path prepend 65536 7\n" BGP "bgp asnotation dot\n", "",
     " set as-path prepend 1.0 7\n", NULL},
    {BGP "timers bgp 60 180\nbgp default local-preference 100\nbgp listen limit 100\n"
         "bgp update-delay 120\nbgp scan-time 60\nbgp nexthop trigger delay 5\n"
         "bgp aggregate-timer 30\nbgp dynamic-med-interval 600\nbgp refresh stalepath-time 0\n"
         "bgp refresh max-eor-time 0\ndistance bgp 20 200 200\nmaximum-paths 1\n"
         "bgp nexthop trigger enable\nbgp transport path-mtu-discovery\nbgp regexp deterministic\n"
         "bgp route-map-cache\nbgp client-to-client reflection\nbgp enforce-first-as\n"
         "bgp fast-external-fallover\nbgp default ipv4-unicast\nno auto-summary\n"
         "no synchronization\n",
     "", "\nrouter bgp 65000\n bgp log-neighbor-changes\n!\nend\n", NULL},
    {BGP "timers bgp 5 30\ntimers bgp 60 180\n", "", NULL, "timers"},
    {BGP "maximum-paths 4\nmaximum-paths ibgp 2\nno maximum-paths\n", "", " maximum-paths ibgp 2\n",
     "maximum-paths 4"},
    {BGP "maximum-paths 4\nmaximum-paths ibgp 2\nmaximum-paths 1\n", "", " maximum-paths ibgp 2\n",
     "maximum-paths 4"},
    {BGP "bgp graceful-restart restart-time 100 stalepath-time 200\n", RESET_NOTE,
     " bgp graceful-restart\n bgp graceful-restart restart-time 100\n"
     " bgp graceful-restart stalepath-time 200\n",
     NULL},
    {BGP "bgp graceful-restart restart-time 120\n", RESET_NOTE, " bgp graceful-restart\n", "120"},
    {BGP "bgp graceful-restart restart-time 100\nno bgp graceful-restart\n", RESET_NOTE, NULL,
     "graceful"},
    {BGP "no bgp default ipv4-unicast\nneighbor 10.0.0.2 remote-as 2\n", "",
     " no bgp default ipv4-unicast\n neighbor 10.0.0.2 remote-as 2\n", "activate"},
    {PEER "no bgp default ipv4-unicast\nneighbor 10.0.0.3 remote-as 2\n", "",
     " !\n address-family ipv4\n  neighbor 10.0.0.2 activate\n exit-address-family\n",
     "10.0.0.3 activate"},
    {BGP "network 10.0.0.0\nnetwork 172.16.0.0\nnetwork 192.168.122.0\nnetwork 0.0.0.0\n", "",
     " network 0.0.0.0\n network 10.0.0.0\n network 172.16.0.0\n network 192.168.122.0\n", "mask"},
    {BGP "network 192.168.0.0 mask 255.255.0.0\n", "", " network 192.168.0.0 mask 255.255.0.0\n",
     NULL},
    {BGP "redistribute connected metric 4 route-map X\nredistribute ospf 1 route-map Y\n", "",
     " redistribute connected metric 4 route-map X\n redistribute ospf 1 route-map Y\n", NULL},
    {BGP "bgp nopeerup-delay cold-boot 5\nbgp suppress-inactive\nbgp advertise-best-external\n", "",
     " bgp nopeerup-delay cold-boot 5\n", NULL},
    {BGP "address-family ipv4 vrf RED\nneighbor 10.7.0.1 remote-as 5\n"
         "neighbor 10.7.0.1 activate\nexit-address-family\naddress-family vpnv4\n"
         "neighbor 10.0.0.9 send-community extended\nexit-address-family\nbgp cluster-id 5\n",
     "",
     " bgp cluster-id 0.0.0.5\n bgp log-neighbor-changes\n !\n address-family ipv4 vrf RED\n"
     "  neighbor 10.7.0.1 remote-as 5\n  neighbor 10.7.0.1 activate\n exit-address-family\n"
     " !\n address-family vpnv4\n  neighbor 10.0.0.9 send-community extended\n"
     " exit-address-family\n",
     NULL},
    /* ---- a neighbour ---- */
    {PEER "neighbor 10.0.0.2 description 12345678901234567890123456789012345678901234567890123456"
          "7890123456789012345678901\n",
     "", "6789012345678901234567890\n", "678901234567890123456789012345678901\n"},
    {PEER "neighbor 10.0.0.2 description 12345678901234567890123456789012345678901234567890123456"
          "78901234567890123456789 tail\n",
     "", "567890123456789\n", "567890123456789 "},
    /* No short form of the interface's `ipv6 router`. */
    {"interface Loopback0\nip address 1.1.1.1 255.255.255.255\n!\n"
     "ipv6 route 2001:DB8::/48 Null0\n",
     "", "\nipv6 route 2001:DB8::/48 Null0\n", "ipv6 router"},
    {"interface Loopback0\nip address 1.1.1.1 255.255.255.255\n!\nip local policy route-map M\n",
     "", "\nip local policy route-map M\n", "proxy"},
    {PEER "neighbor 10.0.0.2 ebgp-multihop\nneighbor 10.0.0.2 allowas-in\n"
          "neighbor 10.0.0.2 send-community\nneighbor 10.0.0.2 maximum-prefix 9\n",
     "",
     " neighbor 10.0.0.2 ebgp-multihop\n neighbor 10.0.0.2 send-community\n"
     " neighbor 10.0.0.2 allowas-in\n neighbor 10.0.0.2 maximum-prefix 9\n",
     NULL},
    {PEER "neighbor 10.0.0.2 send-community both\nno neighbor 10.0.0.2 send-community extended\n",
     "", " neighbor 10.0.0.2 send-community standard\n", "both"},
    {PEER "neighbor 10.0.0.2 password secret\n", "", " neighbor 10.0.0.2 password secret\n", NULL},
    {PEER "neighbor 10.0.0.2 password 7 094F471A1A0A\n", "",
     " neighbor 10.0.0.2 password 7 094F471A1A0A\n", NULL},
    {PEER "neighbor 10.0.0.2 password cisco\nservice password-encryption\n", "",
     " neighbor 10.0.0.2 password 7 05080F1C2243\n", "password cisco"},
    {PEER "neighbor 10.0.0.2 password 0 cisco\nservice password-encryption\n", "",
     " neighbor 10.0.0.2 password 7 05080F1C2243\n", "password 0"},
    {PEER "neighbor 10.0.0.2 route-map A in\nneighbor 10.0.0.2 route-map B in\n", "",
     " neighbor 10.0.0.2 route-map B in\n", "route-map A"},
    /* ---- lists, route-maps, interfaces ---- */
    {"ip prefix-list L description of pods\nip prefix-list L permit 10.0.0.0/8\n", "",
     "ip prefix-list L description of pods\nip prefix-list L seq 5 permit 10.0.0.0/8\n", NULL},
    {"ip prefix-list L seq 7 permit 10.0.0.0/8\nip prefix-list L permit 11.0.0.0/8\n"
     "ip prefix-list L seq 1 deny 12.0.0.0/8\n",
     "",
     "L seq 1 deny 12.0.0.0/8\nip prefix-list L seq 7 permit 10.0.0.0/8\n"
     "ip prefix-list L seq 10 permit 11.0.0.0/8\n",
     NULL},
    {"route-map M\nroute-map M 30\nroute-map M deny 20\n", "",
     "route-map M permit 10\n!\nroute-map M deny 20\n!\nroute-map M permit 30\n", NULL},
    {"route-map M\nmatch ip address prefix-list A B\nmatch ip address prefix-list C\n"
     "match as-path 1 2\n",
     "", " match ip address prefix-list A B C\n match as-path 1 2\n", NULL},
    {"route-map M\nset community 65000:1 no-export\nset community none\n", "",
     " set community none\n", "no-export"},
    {"route-map M\nset community 65000:100\n", "", " set community 4259840100\n", NULL},
    {"ip bgp-community new-format\nroute-map M\nset community 4259840100 gshut additive\n", "",
     " set community 65000:100 gshut additive\n", NULL},
    {"ip community-list 100 permit \"_65000:1_\"\nip community-list expanded E deny 65000:[1-3]\n",
     "", "ip community-list 100 permit \"_65000:1_\"\n", NULL},
    {"ip community-list 50 permit 65000:.*\n", CARET("                                       "),
     NULL, "list 50"},
    {"ip as-path access-list 501 permit ^$\n", CARET("                                  "), NULL,
     "501"},
    {"access-list 10 deny 10.1.0.0 0.0.255.255\naccess-list 10 permit host 10.2.0.1\n"
     "access-list 10 permit any\naccess-list 3 remark of old\naccess-list 3 permit 10.0.0.0\n",
     "",
     "access-list 3 remark of old\naccess-list 3 permit 10.0.0.0\n"
     "access-list 10 deny 10.1.0.0 0.0.255.255\naccess-list 10 permit host 10.2.0.1\n"
     "access-list 10 permit any\n",
     NULL},
    {"access-list 110 permit ip host 10.0.0.0 host 255.0.0.0\n", "",
     "access-list 110 permit ip host 10.0.0.0 host 255.0.0.0\n", NULL},
    {"ip route 10.9.0.0 255.255.0.0 Null0 250 tag 7\nip route 10.8.0.0 255.255.0.0 10.0.0.9\n", "",
     "ip route 10.9.0.0 255.255.0.0 Null0 250 tag 7\nip route 10.8.0.0 255.255.0.0 10.0.0.9\n",
     NULL},
    {"int lo0\nip addr 1.1.1.1 255.255.255.255\nint gi0/1\nip addr 10.1.0.1 255.255.255.0\n"
     "ip addr 10.1.1.1 255.255.255.0 sec\nipv6 addr 2001:db8::1/64\ndesc to rack\nshut\n",
     "",
     "interface GigabitEthernet0/1\n description to rack\n ip address 10.1.0.1 255.255.255.0\n"
     " ip address 10.1.1.1 255.255.255.0 secondary\n ipv6 address 2001:db8::1/64\n shutdown\n",
     NULL},
    {"int gi0/1\nshutdown\nno shutdown\n", "", "interface GigabitEthernet0/1\n", "shutdown"},
    {"no ip domain lookup\nip routing\nipv6 unicast-routing\nlogging buffered 8192\n"
     "enable secret x\nusername a privilege 15 password 0 P\nline vty 0 4\nlogin local\n"
     "password P\ntransport input telnet\nexec-timeout 5 0\nlength 0\n",
     "",
     "line vty 0 4\n login local\n password P\n transport input telnet\n exec-timeout 5 0\n"
     " length 0\n",
     NULL},
};

static void rules_hold(void **state) {
    const struct ios_view view = {.wall_ms = 0};
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct ios_router *r = router_new();
        struct text answers, config;
        text_init(&answers);
        text_init(&config);
        type(r, ROWS[i].typed, &answers);
        ios_exec(r, &view, "show running-config", &config);
        bool answered = strcmp(text_str(&answers), ROWS[i].answers) == 0;
        bool printed = (!ROWS[i].prints || strstr(text_str(&config), ROWS[i].prints)) &&
                       (!ROWS[i].lacks || !strstr(text_str(&config), ROWS[i].lacks));
        if (!answered || !printed)
            print_error("%s\n%s\n", ROWS[i].typed, text_str(answered ? &config : &answers));
        wrong += !answered || !printed;
        text_deinit(&answers);
        text_deinit(&config);
        ios_router_free(r);
    }
    assert_int_equal(wrong, 0);
}

/* ---- the order of the running-config ---- */

/* Typed from the last to the first, whatever that comes to: the order is not that of typing. */
static void type_backwards(struct ios_router *r, const char *mode, const char *const *lines,
                           size_t count) {
    struct text typed;
    text_init(&typed);
    for (size_t i = count; i-- > 0;)
        text_printf(&typed, "%s%s\n", mode, lines[i]);
    type(r, text_str(&typed), NULL);
    text_deinit(&typed);
}

/* Each line stands, and stands behind the one before it. */
static void assert_in_order(struct ios_router *r, const char *indent, const char *const *lines,
                            size_t count) {
    const struct ios_view view = {.wall_ms = 0};
    struct text config, line;
    text_init(&config);
    text_init(&line);
    ios_exec(r, &view, "show running-config", &config);
    const char *at = text_str(&config);
    for (size_t i = 0; i < count; i++) {
        text_clear(&line);
        text_printf(&line, "\n%s%s\n", indent, lines[i]);
        const char *found = strstr(at, text_str(&line));
        if (!found)
            fail_msg("\"%s\" is not behind \"%s\":\n%s", lines[i], i ? lines[i - 1] : "the head",
                     text_str(&config));
        at = found + 1;
    }
    text_deinit(&config);
    text_deinit(&line);
}

static void process_lines_have_their_order(void **state) {
    static const char *const lines[] = {
        "bgp router-id 1.1.1.1",
        "bgp cluster-id 0.0.0.7",
        "bgp log-neighbor-changes",
        "bgp dynamic-med-interval 60",
        "bgp listen limit 50",
        "bgp update-delay 60",
        "bgp refresh stalepath-time 5",
        "bgp default local-preference 50",
        "bgp nexthop trigger delay 1",
        "bgp scan-time 30",
        "timers bgp 10 30",
        "distance bgp 30 200 200",
        "network 172.16.0.0",
        "redistribute connected",
        "aggregate-address 10.0.0.0 255.0.0.0",
        "neighbor G peer-group",
        "neighbor 10.0.0.2 remote-as 2",
        "maximum-paths 4",
    };
    (void)state;
    struct ios_router *r = router_new();
    type(r, BGP, NULL);
    type_backwards(r, BGP, lines, sizeof lines / sizeof *lines);
    assert_in_order(r, " ", lines, sizeof lines / sizeof *lines);
    ios_router_free(r);
}

static void family_lines_have_their_order(void **state) {
    static const char *const lines[] = {
        "bgp additional-paths select all", "network 172.16.0.0",
        "redistribute connected",          "aggregate-address 10.0.0.0 255.0.0.0",
        "neighbor 10.0.0.2 activate",      "maximum-paths 4",
    };
    (void)state;
    struct ios_router *r = router_new();
    type(r, BGP "neighbor 10.0.0.2 remote-as 1\nno neighbor 10.0.0.2 activate\n", NULL);
    type_backwards(r, BGP "address-family ipv4\n", lines, sizeof lines / sizeof *lines);
    assert_in_order(r, "  ", lines, sizeof lines / sizeof *lines);
    ios_router_free(r);
}

#define N "neighbor 10.0.0.2 "
static void session_lines_have_their_order(void **state) {
    static const char *const lines[] = {
        N "remote-as 65001", N "local-as 65009", N "description x",     N "shutdown",
        N "password secret", N "timers 10 30",   N "ebgp-multihop 255", N "update-source Loopback0",
    };
    (void)state;
    struct ios_router *r = router_new();
    type(r, PEER, NULL);
    type_backwards(r, BGP, lines, sizeof lines / sizeof *lines);
    assert_in_order(r, " ", lines, sizeof lines / sizeof *lines);
    ios_router_free(r);
}

static void policy_lines_have_their_order(void **state) {
    static const char *const lines[] = {
        N "activate",
        N "send-community both",
        N "route-reflector-client",
        N "next-hop-self",
        N "default-originate",
        N "additional-paths send",
        N "advertise additional-paths all",
        N "weight 5",
        N "soft-reconfiguration inbound",
        N "prefix-list P in",
        N "prefix-list P out",
        N "route-map R in",
        N "route-map R out",
        N "filter-list 1 in",
        N "maximum-prefix 10",
    };
    (void)state;
    struct ios_router *r = router_new();
    type(r, PEER "no bgp default ipv4-unicast\n", NULL);
    type_backwards(r, BGP "address-family ipv4\n", lines, sizeof lines / sizeof *lines);
    assert_in_order(r, "  ", lines, sizeof lines / sizeof *lines);
    ios_router_free(r);
}

/* Groups, then addresses by their raw octets whatever the family; those that are not active stand
 * in their places. */
static void neighbors_have_their_order(void **state) {
    static const char *const typed[] = {
        "neighbor FD00::1 remote-as 1",  "neighbor 172.16.0.2 remote-as 1",
        "neighbor 10.0.0.2 remote-as 1", "neighbor 2::1 remote-as 1",
        "neighbor 1::2 remote-as 1",     "neighbor B remote-as 1",
        "neighbor B peer-group",         "neighbor A peer-group",
    };
    static const char *const session[] = {
        "neighbor A peer-group",           "neighbor B peer-group",
        "neighbor B remote-as 1",          "neighbor 1::2 remote-as 1",
        "neighbor 2::1 remote-as 1",       "neighbor 10.0.0.2 remote-as 1",
        "neighbor 172.16.0.2 remote-as 1", "neighbor FD00::1 remote-as 1",
    };
    static const char *const family[] = {
        "network 172.16.0.0",
        "no neighbor 1::2 activate",
        "no neighbor 2::1 activate",
        "neighbor 10.0.0.2 activate",
        "neighbor 172.16.0.2 activate",
        "no neighbor FD00::1 activate",
        "maximum-paths 4",
    };
    (void)state;
    struct ios_router *r = router_new();
    type(r, BGP, NULL);
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
        char line[100];
        snprintf(line, sizeof line, BGP "%s\n", typed[i]);
        type(r, line, NULL);
    }
    type(r,
         BGP "neighbor B peer-group\nneighbor B remote-as 1\nnetwork 172.16.0.0\n"
             "maximum-paths 4\n",
         NULL);
    assert_in_order(r, " ", session, sizeof session / sizeof *session);
    assert_in_order(r, "  ", family, sizeof family / sizeof *family);
    ios_router_free(r);
}

/* Templates first, families last; flat until something asks for families. */
static void blocks_have_their_order(void **state) {
    static const char *const flat[] = {"router bgp 65000",
                                       " template peer-policy P",
                                       " template peer-session S",
                                       " bgp log-neighbor-changes",
                                       " neighbor 10.0.0.2 remote-as 65001",
                                       " neighbor 10.0.0.2 weight 5"};
    static const char *const family[] = {
        "router bgp 65000",
        " template peer-policy P",
        " bgp log-neighbor-changes",
        " neighbor 10.0.0.2 remote-as 65001",
        " !",
        " address-family ipv4",
        "  neighbor 10.0.0.2 activate",
        "  neighbor 10.0.0.2 weight 5",
        " exit-address-family",
    };
    (void)state;
    struct ios_router *r = router_new();
    type(r,
         PEER "neighbor 10.0.0.2 weight 5\ntemplate peer-session S\nexit-peer-session\n"
              "template peer-policy P\nweight 7\nexit-peer-policy\n",
         NULL);
    assert_in_order(r, "", flat, sizeof flat / sizeof *flat);
    type(r, BGP "address-family ipv4\n", NULL);
    assert_in_order(r, "", family, sizeof family / sizeof *family);
    ios_router_free(r);
}

/* "Current configuration" counts from "version" to "end". */
static void the_header_stands_in_front(void **state) {
    static const char HEAD[] = "Building configuration...\n\nCurrent configuration : 76 bytes\n!\n"
                               "! Last configuration change at 21:59:01 UTC Wed Aug 19 2020\n!\n";
    static const char BODY[] = "version 15.7\nhostname R1\n!\nrouter bgp 65000\n"
                               " bgp log-neighbor-changes\n!\nend\n";
    const struct ios_view view = {.wall_ms = 1597874341079};
    char want[sizeof HEAD + sizeof BODY + 8];
    struct text out;
    (void)state;
    struct ios_router *r = router_new();
    text_init(&out);
    type(r, BGP, NULL);
    ios_exec(r, &view, "show running-config", &out);
    snprintf(want, sizeof want, "%s%s", HEAD, BODY);
    assert_string_equal(text_str(&out), want);
    text_deinit(&out);
    ios_router_free(r);
}

/* ---- every refusal ---- */

/* Clients look for a percent sign and a blank at the start of a line. */
static void refusals_begin_as_clients_expect(void **state) {
    static const char *const lines[] = {
        PEER "neighbor 10.0.0.2 password 7 12",
        BGP "neighbor 10.0.0.3 weight 5",
        BGP "neighbor 10.0.0.1 remote-as 5",
        BGP "neighbor X remote-as 5",
        BGP "timers bgp 10 30 40",
        BGP "timers bgp 1 1",
        "ip route 10.0.0.1 255.0.0.0 Null0",
        "ip route 10.0.0.0 255.0.255.0 Null0",
        "interface lo0\nip address 1.1.1.1 255.0.255.0",
        "ip prefix-list A permit 10.0.0.0/8 le 8",
        "no ip prefix-list A permit 10.0.0.0/8",
        "route-map",
        "banner motd x",
        BGP "bgp dampening 10 2001 2000 60",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct ios_router *r = router_new();
        struct text out;
        text_init(&out);
        type(r, lines[i], &out);
        if (!out.size || strncmp(text_str(&out), "% ", 2) != 0)
            fail_msg("%s: \"%s\"", lines[i], text_str(&out));
        text_deinit(&out);
        ios_router_free(r);
    }
}

/* ---- files ---- */

static const struct {
    const char *text, *id; /* of the finding */
    const char *prints;    /* all the same */
} FINDINGS[] = {
    {"router bgp 1 ! ours\n", "ios-trailing-comment", "router bgp 1\n"},
    {"router ospf 1\n network 10.0.0.0 0.255.255.255 area 0\nrouter bgp 1\n", "ios-ignored",
     "router ospf 1\n network 10.0.0.0 0.255.255.255 area 0\n"},
    {"do show clock\nrouter bgp 1\n", "ios-do", "router bgp 1\n"},
    {"Building configuration...\nrouter bgp 1\n", "ios-header", "router bgp 1\n"},
    {"frobnicate 7\nrouter bgp 1\n", "ios-invalid-input", "router bgp 1\n"},
};

static void files_are_forgiven(void **state) {
    const struct ios_view view = {.wall_ms = 0};
    (void)state;
    for (size_t i = 0; i < sizeof FINDINGS / sizeof *FINDINGS; i++) {
        struct ios_router *r = router_new();
        struct diag_list *d = diag_list_new();
        struct text config;
        text_init(&config);
        assert_true(ios_load(r, FINDINGS[i].text, strlen(FINDINGS[i].text), "r1.ios", false, d));
        ios_exec(r, &view, "show running-config", &config);
        if (diag_count(d) != 1 || strcmp(diag_at(d, 0)->id, FINDINGS[i].id) != 0 ||
            !strstr(text_str(&config), FINDINGS[i].prints))
            fail_msg("%s: %s\n%s", FINDINGS[i].text, diag_count(d) ? diag_at(d, 0)->id : "nothing",
                     text_str(&config));
        text_deinit(&config);
        diag_list_free(d);
        ios_router_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_hold),
        cmocka_unit_test(process_lines_have_their_order),
        cmocka_unit_test(family_lines_have_their_order),
        cmocka_unit_test(session_lines_have_their_order),
        cmocka_unit_test(policy_lines_have_their_order),
        cmocka_unit_test(neighbors_have_their_order),
        cmocka_unit_test(blocks_have_their_order),
        cmocka_unit_test(the_header_stands_in_front),
        cmocka_unit_test(refusals_begin_as_clients_expect),
        cmocka_unit_test(files_are_forgiven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
