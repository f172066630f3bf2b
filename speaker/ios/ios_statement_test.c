/*
 * Statement by statement: applied, or known and without effect. The table is the list of what the
 * router acts on; a statement that changes sides is changed here.
 */
#include "ios.h"

#include "../base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TOP ""
#define BGP "router bgp 65000\nneighbor G peer-group\nneighbor 10.0.0.2 remote-as 65001\n"
#define FAMILY BGP "address-family ipv4\n"
#define FAMILY6 BGP "address-family ipv6\n"
#define SESSION "router bgp 65000\ntemplate peer-session S\n"
#define POLICY "router bgp 65000\ntemplate peer-policy P\n"
#define MAP "route-map M permit 10\n"

static const struct {
    const char *before, *line;
    bool applied;
} STATEMENTS[] = {
    /* the process */
    {TOP, "router bgp 65000", true},
    {BGP, "bgp router-id 10.0.0.1", true},
    {BGP, "bgp router-id interface Loopback0", true},
    {BGP, "bgp cluster-id 1", true},
    {BGP, "bgp log-neighbor-changes", true},
    {BGP, "no bgp default ipv4-unicast", true},
    {BGP, "bgp default local-preference 200", true},
    {BGP, "timers bgp 10 30 20", true},
    {BGP, "bgp graceful-restart", true},
    {BGP, "bgp graceful-restart restart-time 100", true},
    {BGP, "bgp graceful-restart stalepath-time 100", true},
    {BGP, "bgp always-compare-med", true},
    {BGP, "bgp deterministic-med", true},
    {BGP, "bgp bestpath as-path multipath-relax", true},
    {BGP, "bgp bestpath as-path ignore", true},
    {BGP, "bgp bestpath compare-routerid", true},
    {BGP, "bgp bestpath med missing-as-worst", true},
    {BGP, "bgp bestpath med confed", true},
    {BGP, "bgp bestpath igp-metric ignore", true},
    {BGP, "bgp bestpath cost-community ignore", false},
    {BGP, "no bgp client-to-client reflection", true},
    {BGP, "bgp listen range 10.1.0.0/16 peer-group G", true},
    {BGP, "bgp listen limit 200", true},
    {BGP, "no bgp enforce-first-as", true},
    {BGP, "no bgp fast-external-fallover", true},
    {BGP, "bgp update-delay 5", true},
    {BGP, "bgp scan-time 5", true},
    {FAMILY, "bgp scan-time 5", true},
    {BGP, "bgp nexthop trigger delay 1", false},
    {BGP, "bgp aggregate-timer 0", false},
    {BGP, "bgp confederation identifier 65100", true},
    {BGP, "bgp confederation peers 65002 65003", true},
    {BGP, "bgp nopeerup-delay cold-boot 10", false},
    {BGP, "bgp dampening", true},
    {FAMILY, "bgp dampening 10 750 2000 40", true},
    {FAMILY6, "bgp dampening route-map M", true},
    {FAMILY, "bgp additional-paths select all", true},
    {FAMILY, "bgp additional-paths send receive", true},
    {FAMILY, "bgp additional-paths install", false},
    {FAMILY, "bgp suppress-inactive", false},
    {BGP, "distance bgp 20 200 200", true},
    {FAMILY, "maximum-paths 4", true},
    {FAMILY, "maximum-paths ibgp 4", true},
    {FAMILY6, "maximum-paths eibgp 4", true},
    {BGP, "network 10.0.0.0", true},
    {FAMILY, "network 10.0.0.0 mask 255.255.0.0 route-map M", true},
    {FAMILY, "network 10.0.0.0 mask 255.255.0.0 backdoor", true},
    {FAMILY, "redistribute connected route-map M", true},
    {FAMILY, "redistribute static metric 5", true},
    {FAMILY, "redistribute ospf 1", false},
    {FAMILY, "aggregate-address 10.0.0.0 255.0.0.0 as-set summary-only", true},
    {FAMILY, "aggregate-address 10.0.0.0 255.0.0.0 suppress-map M attribute-map M", true},
    {FAMILY, "aggregate-address 10.0.0.0 255.0.0.0 advertise-map M", true},
    {FAMILY, "default-information originate", true},
    {BGP, "address-family ipv4 vrf RED", false},
    {BGP, "address-family vpnv4", false},
    /* a neighbour */
    {BGP, "neighbor 10.0.0.3 remote-as 65002", true},
    {BGP, "neighbor 10.0.0.2 peer-group G", true},
    {BGP, "neighbor 10.0.0.2 description to the left", true},
    {BGP, "neighbor 10.0.0.2 shutdown", true},
    {BGP, "neighbor 10.0.0.2 update-source Loopback0", true},
    {BGP, "neighbor 10.0.0.2 password secret", true},
    {BGP, "neighbor 10.0.0.2 password 7 070C285F4D06", true},
    {BGP, "neighbor 10.0.0.2 timers 10 30", true},
    {BGP, "neighbor 10.0.0.2 ebgp-multihop 2", true},
    {BGP, "neighbor 10.0.0.2 disable-connected-check", true},
    {BGP, "neighbor 10.0.0.2 ttl-security hops 2", true},
    {BGP, "neighbor 10.0.0.2 local-as 65009 no-prepend replace-as", true},
    {BGP, "neighbor 10.0.0.2 transport connection-mode passive", true},
    {BGP, "neighbor 10.0.0.2 transport path-mtu-discovery", false},
    {BGP, "neighbor 10.0.0.2 version 4", true},
    {FAMILY, "neighbor 10.0.0.2 capability orf prefix-list both", false},
    {FAMILY, "default-metric 70", true},
    {BGP, "bgp asnotation dot", true},
    {BGP, "neighbor 10.0.0.2 fall-over", true},
    {SESSION, "fall-over", true},
    {BGP, "neighbor 10.0.0.2 fall-over bfd", false},
    {BGP, "neighbor 10.0.0.2 fall-over bfd multi-hop", false},
    {BGP, "neighbor 10.0.0.2 log-neighbor-changes disable", false},
    {BGP, "bgp bestpath aigp ignore", false},
    {BGP, "no bgp default route-target filter", false},
    {TOP, "service password-encryption", true},
    {BGP, "bgp nexthop route-map M", false},
    {FAMILY, "neighbor 10.0.0.2 send-label", false},
    {TOP, "ethernet lmi ce", false},
    {BGP, "neighbor 10.0.0.2 fall-over route-map M", false},
    {BGP, "neighbor 10.0.0.2 dont-capability-negotiate", false},
    {BGP, "neighbor 10.0.0.2 inherit peer-session S", true},
    {FAMILY, "neighbor 10.0.0.2 activate", true},
    {FAMILY, "neighbor 10.0.0.2 inherit peer-policy P", true},
    {FAMILY, "neighbor 10.0.0.2 route-reflector-client", true},
    {FAMILY, "neighbor 10.0.0.2 next-hop-self all", true},
    {FAMILY, "neighbor 10.0.0.2 send-community both", true},
    {FAMILY, "neighbor 10.0.0.2 prefix-list L in", true},
    {FAMILY, "neighbor 10.0.0.2 route-map M out", true},
    {FAMILY, "neighbor 10.0.0.2 filter-list 1 in", true},
    {FAMILY, "neighbor 10.0.0.2 distribute-list 1 out", true},
    {FAMILY, "neighbor 10.0.0.2 maximum-prefix 10 80 restart 1", true},
    {FAMILY, "neighbor 10.0.0.2 allowas-in", true},
    {FAMILY, "neighbor 10.0.0.2 as-override", true},
    {FAMILY, "neighbor 10.0.0.2 remove-private-as all replace-as", true},
    {FAMILY, "neighbor 10.0.0.2 soft-reconfiguration inbound", true},
    {FAMILY, "neighbor 10.0.0.2 default-originate", true},
    {FAMILY, "neighbor 10.0.0.2 default-originate route-map M", true},
    {FAMILY, "neighbor 10.0.0.2 advertisement-interval 0", true},
    {FAMILY, "neighbor 10.0.0.2 weight 5", true},
    {FAMILY, "neighbor 10.0.0.2 unsuppress-map M", true},
    {FAMILY, "neighbor 10.0.0.2 advertise-map M exist-map X", true},
    {FAMILY, "neighbor 10.0.0.2 advertise-map M non-exist-map X", true},
    {FAMILY, "neighbor 10.0.0.2 additional-paths send receive", true},
    {FAMILY, "neighbor 10.0.0.2 advertise additional-paths all", true},
    {FAMILY, "neighbor 10.0.0.2 route-server-client", true},
    {FAMILY, "neighbor 10.0.0.2 route-server-client context C", false},
    {FAMILY, "neighbor 10.0.0.2 dmzlink-bw", false},
    {SESSION, "timers 10 30", true},
    {SESSION, "fall-over bfd", false},
    {POLICY, "unsuppress-map M", true},
    {POLICY, "advertise-map M exist-map X", true},
    {POLICY, "soo 1:1", false},
    /* policy */
    {TOP, "ip prefix-list L seq 5 permit 10.0.0.0/8 ge 16 le 24", true},
    {TOP, "ipv6 prefix-list L permit 2001:db8::/32 le 64", true},
    {TOP, "ip community-list standard C permit 65000:1", true},
    {TOP, "ip community-list expanded C permit _65000:", true},
    {TOP, "ip as-path access-list 1 permit ^65000_", true},
    {TOP, "access-list 1 permit 10.0.0.0 0.255.255.255", true},
    {TOP, "access-list 100 permit ip host 10.0.0.0 host 255.0.0.0", true},
    {TOP, "access-list 100 permit tcp any any", false},
    {MAP, "match ip address prefix-list L", true},
    {MAP, "match ip address 1", true},
    {MAP, "match ipv6 address prefix-list L", true},
    {MAP, "match ip next-hop prefix-list L", true},
    {MAP, "match community C exact-match", true},
    {MAP, "match as-path 1", true},
    {MAP, "match metric 5", true},
    {MAP, "match tag 5", true},
    {MAP, "match local-preference 5", true},
    {MAP, "match interface Loopback0", true},
    {MAP, "match source-protocol static", true},
    {MAP, "match extcommunity 1", false},
    {MAP, "set local-preference 5", true},
    {MAP, "set community 65000:1 no-export additive", true},
    {MAP, "set comm-list C delete", true},
    {MAP, "set as-path prepend 65000 65000", true},
    {MAP, "set as-path prepend last-as 2", true},
    {MAP, "set metric +5", true},
    {MAP, "set ip next-hop peer-address", true},
    {MAP, "set weight 5", true},
    {MAP, "set origin incomplete", true},
    {MAP, "set tag 5", true},
    {MAP, "set dampening 15 750 2000 60", true},
    {MAP, "set extcommunity rt 1:1", false},
    {MAP, "continue 20", true},
    /* the rest */
    {TOP, "ip route 10.0.0.0 255.0.0.0 Null0 tag 5", true},
    {TOP, "hostname R2", true},
    {TOP, "ip bgp-community new-format", true},
    {TOP, "router ospf 1", false},
};

/* Of the last line that is not empty. */
static void note(void *context, const struct ios_line_report *report) {
    enum ios_outcome *last = context;
    if (report->outcome != IOS_LINE_EMPTY)
        *last = report->outcome;
}

static enum ios_outcome outcome_of(const char *before, const char *line) {
    const struct ios_env env = {.hostname = "R1"};
    struct ios_router *r = ios_router_new(&env);
    struct diag_list *d = diag_list_new();
    enum ios_outcome last = IOS_LINE_EMPTY;
    char text[512];
    assert_non_null(r);
    assert_non_null(d);
    int size = snprintf(text, sizeof text, "%s%s\n", before, line);
    assert_true(ios_load_reported(r, text, (size_t)size, "t.ios", false, d, note, &last));
    diag_list_free(d);
    ios_router_free(r);
    return last;
}

static void each_statement(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof STATEMENTS / sizeof *STATEMENTS; i++) {
        enum ios_outcome wanted = STATEMENTS[i].applied ? IOS_LINE_APPLIED : IOS_LINE_IGNORED;
        enum ios_outcome outcome = outcome_of(STATEMENTS[i].before, STATEMENTS[i].line);
        if (outcome != wanted)
            fail_msg("%s: %s", STATEMENTS[i].line, ios_outcome_names[outcome]);
    }
}

/* What no router has, and values that cannot be. */
static void each_refusal(void **state) {
    (void)state;
    static const char *const lines[] = {
        "bgp dampening 46",
        "bgp dampening 10 2001 2000 60",
        "bgp dampening 40 750 2000 30",
        "neighbor 10.0.0.2 advertise-map M",
        "neighbor 10.0.0.2 advertise-map M until-map X",
        "neighbor 10.0.0.2 unsuppress-map",
        "network 0.0.0.0 0.0.0.0",
        "bgp scan-time 4",
        "maximum-paths 33",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (outcome_of(FAMILY, lines[i]) != IOS_LINE_REFUSED)
            fail_msg("%s: not refused", lines[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_statement),
        cmocka_unit_test(each_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
