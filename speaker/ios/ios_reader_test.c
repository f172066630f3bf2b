/*
 * show_golden.txt as programs read it: regular expressions, line by line, that know every line a
 * command may print and fail at any other. Columns, separators and trailing blanks that break
 * such readers break this test. The expressions are of our own making.
 */
#include "../base/text.h"

#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN "speaker/ios/show_golden.txt"
#define LINES_MAX 40
#define ADDR "([0-9]+[.][0-9]+[.][0-9]+[.][0-9]+)"
#define AGE "(never|[0-9:]{8}|[0-9]+[dw][0-9]+[hd]|[0-9]+y[0-9]+w)"

/* One kind of line. `count`: how often it stands in the output; -1: any number of times. */
struct kind {
    const char *pattern;
    int count;
    const char *first; /* what the first group of the first such line is; NULL: not looked at */
};

struct reader {
    const char *command;
    struct kind kinds[LINES_MAX];
};

#define EMPTY                                                                                      \
    { "^$", -1, NULL }

static const struct reader READERS[] = {
    {"show ip bgp summary",
     {{"^BGP router identifier " ADDR ", local AS number ([0-9]+)$", 1, "192.168.1.1"},
      {"^BGP table version is ([0-9]+), main routing table version [0-9]+$", 1, NULL},
      {"^([0-9]+) network entries using [0-9]+ bytes of memory$", 1, "8"},
      {"^([0-9]+) path entries using [0-9]+ bytes of memory$", 1, "9"},
      {"^([0-9]+) multipath network entries and [0-9]+ multipath paths$", 1, "1"},
      {"^[0-9]+/[0-9]+ BGP path/bestpath attribute entries using [0-9]+ bytes of memory$", 1, NULL},
      {"^[0-9]+ BGP [A-Za-z-]+( cache)? entries using [0-9]+ bytes of memory$", 4, NULL},
      {"^BGP using ([0-9]+) total bytes of memory$", 1, NULL},
      {"^BGP activity [0-9]+/[0-9]+ prefixes, [0-9]+/[0-9]+ paths, scan interval 60 secs$", 1,
       NULL},
      EMPTY,
      {"^Neighbor +V +AS +MsgRcvd +MsgSent +TblVer +InQ +OutQ +Up/Down +State/PfxRcd$", 1, NULL},
      {"^[*]?" ADDR " +4 +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +" AGE
       " +([0-9]+|Idle|Active|Connect|OpenSent|OpenConfirm|Closing|Idle [(][A-Za-z]+[)])$",
       4, "192.168.1.10"}}},
    {"show ip bgp",
     {{"^BGP table version is ([0-9]+), local router ID is " ADDR "$", 1, NULL},
      {"^Status codes: s suppressed, d damped, h history, [*] valid, > best, i - internal, $", 1,
       NULL},
      {"^ {14}[^,]+, ([^,]+, )*$", 3, NULL},
      {"^Origin codes: i - IGP, e - EGP, [?] - incomplete$", 1, NULL},
      {"^RPKI validation codes: V valid, I invalid, N Not found$", 1, NULL},
      EMPTY,
      {"^ {5}Network {10}Next Hop {12}Metric LocPrf Weight Path$", 1, NULL},
      /* Columns: flags 0..5, network 6..21, next hop 23..37, metric, LocPrf, weight, path. */
      {"^[ VIN][*sdhrS ][>mbx ][i ][at ] ([0-9./]{7,16}) {1,9} ?[0-9.]{7,15} {1,8} {0,10}[0-9]* "
       "{1,7}[0-9]* {1,7}[0-9]+ ([0-9 ]+ )?[ie?]$",
       7, "10.3.0.0/16"},
      {"^ [*][>m ]i {19}[0-9.]{7,15} +[0-9]+ +[0-9]+ +[0-9]+ ([0-9 ]+ )?[ie?]$", 1, NULL}}},
    {"show ip bgp 10.244.1.0/26",
     {{"^BGP routing table entry for ([0-9./]+), version [0-9]+$", 1, "10.244.1.0/26"},
      {"^Paths: [(]([0-9]+) available, best #[0-9]+, table default.*[)]$", 1, "2"},
      {"^Multipath: (eBGP|iBGP|eBGP iBGP)$", 1, "iBGP"},
      {"^  Advertised to update-groups:$", 1, NULL},
      {"^     ([0-9]+ +)+$", 1, NULL},
      {"^  Refresh Epoch ([0-9]+)$", 2, "1"},
      {"^  (Local|[0-9 ]+)(, [(][^)]+[)])*$", 2, "Local"},
      {"^    " ADDR "( [(](metric [0-9]+|inaccessible)[)])? from " ADDR " [(]" ADDR "[)]$", 2,
       "192.168.1.10"},
      {"^      Origin (IGP|EGP|incomplete)(, metric [0-9]+)?, localpref [0-9]+(, weight [0-9]+)?"
       "(, valid)?, (internal|external|sourced)(, local)?(, multipath([(]oldest[)])?)?(, best)?$",
       2, "IGP"},
      {"^      rx pathid: (0|0x[0-9A-F]+), tx pathid: (0x0|0)$", 2, NULL}}},
    {"show ip route",
     {{"^Codes: L - local, .*$", 1, NULL},
      {"^       [A-Za-z0-9*+]+ - .*$", 8, NULL},
      EMPTY,
      {"^Gateway of last resort is (not set|" ADDR " to network 0.0.0.0)$", 1, "not set"},
      {"^ {6}([0-9./]+) is variably subnetted, [0-9]+ subnets, [0-9]+ masks$", 2, "10.0.0.0/8"},
      {"^[A-Z][* ][A-Z0-9]? {3,7}([0-9./]+) \\[[0-9]+/[0-9]+\\] via " ADDR "(, " AGE ")?$", 6,
       "10.3.0.0/16"},
      {"^ +\\[[0-9]+/[0-9]+\\] via " ADDR ", " AGE "$", 1, "192.168.1.11"},
      {"^[A-Z][* ] {3,7}([0-9./]+) is directly connected, [A-Za-z]+[0-9/]+$", 4, "10.255.0.1/32"}}},
    {"show tcp brief all",
     {{"^TCB       Local Address               Foreign Address             [(]state[)]$", 1, NULL},
      {"^([0-9A-F]{8})  [0-9.]+ +[0-9.]+ +ESTAB$", 3, NULL},
      {"^[0-9A-F]{8}  0[.]0[.]0[.]0[.]179 {16} " ADDR "[.][*] +LISTEN$", 4, "192.168.1.10"}}},
    {"show ip interface brief",
     {{"^Interface +IP-Address +OK[?] +Method +Status +Protocol$", 1, NULL},
      {"^([A-Za-z]+[0-9/]+) +([0-9.]+|unassigned) +YES +(manual|unset|NVRAM) +"
       "(up|down|administratively down) +(up|down) *$",
       3, "GigabitEthernet0/0"}}},
    {"show interfaces description",
     {{"^Interface +Status +Protocol +Description$", 1, NULL},
      {"^([A-Z][a-z][0-9/]+) +(up|down|admin down) +(up|down) +.*$", 3, "Gi0/0"}}},
    {"show ip protocols",
     {{"^[*]{3} IP Routing is NSF aware [*]{3}$", 1, NULL},
      EMPTY,
      {"^Routing Protocol is \"(bgp [0-9]+)\"$", 1, "bgp 64512"},
      {"^  (Outgoing|Incoming) update filter list for all interfaces is not set$", 2, "Outgoing"},
      {"^  (IGP synchronization|Automatic route summarization) is disabled$", 2, NULL},
      {"^  Neighbor[(]s[)]:$", 1, NULL},
      {"^    Address +FiltIn FiltOut DistIn DistOut Weight RouteMap$", 1, NULL},
      {"^    " ADDR "$", 3, "192.168.1.10"},
      {"^    " ADDR " +1 +1 +100 (OTHER)$", 1, "192.168.1.13"},
      {"^  Maximum path: ([0-9]+)$", 1, "1"},
      {"^  Routing Information Sources:$", 1, NULL},
      {"^    Gateway +Distance +Last Update$", 1, NULL},
      {"^    " ADDR " +[0-9]+ +" AGE "$", 3, "192.168.1.10"},
      {"^  Distance: external ([0-9]+) internal [0-9]+ local [0-9]+$", 1, "20"}}},
    {"show route-map",
     {{"^route-map ([^,]+), (permit|deny), sequence [0-9]+$", 3, "TAGGED"},
      {"^  (Match|Set) clauses:$", 6, "Match"},
      {"^    ip address prefix-lists: (([^ ]+ )+)$", 1, "PODS "},
      {"^    ip next-hop [(]access-lists[)]: (([^ ]+ )+)$", 1, "1 "},
      {"^    as-path [(]as-path filter[)]: (([^ ]+ )+)$", 1, "1 "},
      {"^    community [(]community-list filter[)]: (([^ ]+ )+)$", 1, "1 "},
      {"^    community ([0-9: a-z-]+) $", 1, "64512:7 no-export additive"},
      {"^  Continue: sequence ([0-9]+)$", 1, "30"},
      {"^  Policy routing matches: ([0-9]+) packets, [0-9]+ bytes$", 3, "0"}}},
    {"show ip prefix-list detail",
     {{"^Prefix-list with the last deletion/insertion: ([^ ]+)$", 1, "PODS"},
      {"^ip prefix-list ([^:]+):$", 1, "PODS"},
      {"^   count: ([0-9]+), range entries: [0-9]+, sequences: [0-9]+ - [0-9]+, refcount: [0-9]+$",
       1, "1"},
      {"^   seq ([0-9]+) (permit|deny) [0-9./]+( ge [0-9]+)?( le [0-9]+)? [(]hit count: [0-9]+, "
       "refcount: [0-9]+[)]$",
       1, "5"}}},
    {"show ip prefix-list",
     {{"^ip prefix-list ([^:]+): [0-9]+ entries$", 1, "PODS"},
      {"^   seq ([0-9]+) (permit|deny) [0-9./]+( ge [0-9]+)?( le [0-9]+)?$", 1, "5"}}},
    {"show access-lists",
     {{"^(Standard|Extended) IP access list [^ ]+$", 2, "Standard"},
      {"^    ([0-9]+) (permit|deny) .*$", 3, "10"}}},
    {"show ip route summary",
     {{"^IP routing table (name is default [(]0x0[)]|maximum-paths is [0-9]+)$", 2, NULL},
      {"^Route Source +Networks +Subnets +Replicates +Overhead +Memory [(]bytes[)]$", 1, NULL},
      {"^([a-z]+( [0-9]+)?|Total) +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+$", 4, "connected"},
      {"^  External: ([0-9]+) Internal: [0-9]+ Local: [0-9]+$", 1, "2"}}},
};

/* Lines of a neighbour that clients look for; the others are not looked at. */
static const struct kind NEIGHBOR[] = {
    {"^BGP neighbor is [*]?" ADDR ",  remote AS [0-9]+, (internal|external) link$", 1,
     "192.168.1.10"},
    {"^ +Description: (.*)$", 1, "node-a"},
    {"^ +BGP version [0-9]+, remote router ID " ADDR "$", 1, "192.168.1.10"},
    {"^ +BGP state = ([A-Za-z]+)(, up for " AGE ")?$", 1, "Established"},
    {"^ +Last read ([0-9:]+), last write [0-9:]+, hold time is [0-9]+, keepalive interval is "
     "[0-9]+ seconds$",
     1, NULL},
    {"^ +Four-octets ASN Capability: (.*)$", 1, "advertised and received"},
    {"^ +Address family IPv4 Unicast: (.*)$", 1, "advertised and received"},
    {"^ +(Opens|Notifications|Updates|Keepalives|Route Refresh|Total): +[0-9]+ +[0-9]+$", 7,
     "Opens"},
    {"^ +Prefixes Current: +([0-9]+) +[0-9]+ [(]Consumes [0-9]+ bytes[)]$", 1, "5"},
    {"^ +Prefixes Total: +([0-9]+) +[0-9]+$", 1, "6"},
    {"^ +(Implicit|Explicit) Withdraw: +[0-9]+ +[0-9]+$", 2, "Implicit"},
    {"^ +Used as (bestpath|multipath|secondary): +n/a +[0-9]+$", 3, "bestpath"},
    {"^ +Refresh Epoch: ([0-9]+)$", 1, "1"},
    {"^ +Last (Sent|Received) Refresh (Start|End)-of-rib: " AGE "$", 4, "Sent"},
    {"^\t+ +Sent\t +Rcvd$", 1, NULL},
    {"^\tRefresh activity:\t +----\t +----$", 1, NULL},
    {"^\t +Refresh (Start|End)-of-RIB +[0-9]+ +[0-9]+$", 2, "Start"},
    {"^ +Connections established ([0-9]+); dropped [0-9]+$", 1, "1"},
    {"^ +Last reset (never|[^,]+, due to .*)$", 1, "never"},
    {"^Connection state is ([A-Z]+), I/O status: [0-9]+, unread input bytes: [0-9]+ +$", 1,
     "ESTAB"},
    {"^Local host: " ADDR ", Local port: [0-9]+$", 1, "192.168.1.1"},
    {"^Foreign host: " ADDR ", Foreign port: [0-9]+$", 1, "192.168.1.10"},
    {"^Connection tableid [(]VRF[)]: ([0-9]+)$", 1, "0"},
    {"^Timer +Starts +Wakeups +Next$", 1, NULL},
    {"^(Retrans|TimeWait|AckHold|SendWnd|KeepAlive|GiveUp|PmtuAger|DeadWait|Linger|ProcessQ) +"
     "[0-9]+ +[0-9]+ +0x[0-9A-F]+$",
     10, "Retrans"},
    {"^iss: +([0-9]+) +snduna: +[0-9]+ +sndnxt: +[0-9]+$", 1, "0"},
    {"^irs: +([0-9]+) +rcvnxt: +[0-9]+$", 1, "0"},
    {"^(snd|rcv)wnd: +[0-9]+ +scale: +[0-9]+ +(max|del)rcvwnd: +[0-9]+$", 2, "snd"},
    {"^SRTT: ([0-9]+) ms, RTTO: [0-9]+ ms, RTV: [0-9]+ ms, KRTT: [0-9]+ ms$", 1, "12"},
    {"^minRTT: ([0-9]+) ms, maxRTT: [0-9]+ ms, ACK hold: [0-9]+ ms$", 1, "1"},
    {"^uptime: ([0-9]+) ms, Sent idletime: [0-9]+ ms, Receive idletime: [0-9]+ ms $", 1, NULL},
    {"^Status Flags: ((active|passive) open, gen tcbs)$", 1, "active open, gen tcbs"},
    {"^Option Flags: (nagle, path mtu capable(, md5)?)$", 1, NULL},
    {"^Datagrams [(]max data segment is ([0-9]+) bytes[)]:$", 1, "1460"},
    {"^Rcvd: ([0-9]+) [(]out of order: [0-9]+[)], with data: [0-9]+, total data bytes: [0-9]+$", 1,
     "32"},
    {"^Sent: ([0-9]+) [(]retransmit: [0-9]+, fastretransmit: [0-9]+, partialack: [0-9]+, Second "
     "Congestion: [0-9]+[)], with data: [0-9]+, total data bytes: [0-9]+$",
     1, "31"},
};

/* ---- the file ---- */

static struct text golden;

static int golden_read(void **state) {
    char data[4096];
    FILE *f = fopen(GOLDEN, "r");
    (void)state;
    if (!f)
        return -1;
    text_init(&golden);
    for (size_t n; (n = fread(data, 1, sizeof data, f)) > 0;)
        text_put(&golden, data, n);
    fclose(f);
    return 0;
}

static int golden_free(void **state) {
    (void)state;
    text_deinit(&golden);
    return 0;
}

/* What a command printed; the size up to the next prompt. */
static const char *output_of(const char *command, size_t *ret_size) {
    char prompt[200];
    snprintf(prompt, sizeof prompt, "RR#%s\n", command);
    const char *at = strstr(text_str(&golden), prompt);
    if (!at)
        fail_msg("%s is not in " GOLDEN, command);
    at += strlen(prompt);
    const char *end = strstr(at, "\nRR#");
    *ret_size = end ? (size_t)(end - at) + 1 : strlen(at);
    return at;
}

/* ---- reading ---- */

struct reading {
    const char *command;
    const struct kind *kinds;
    size_t count;
    regex_t compiled[LINES_MAX];
    int seen[LINES_MAX];
};

static void reading_begin(struct reading *r, const char *command, const struct kind *kinds,
                          size_t count) {
    *r = (struct reading){.command = command, .kinds = kinds, .count = count};
    for (size_t i = 0; i < count; i++)
        if (regcomp(&r->compiled[i], kinds[i].pattern, REG_EXTENDED) != 0)
            fail_msg("%s: bad expression %s", command, kinds[i].pattern);
}

/* True: some kind has the line. */
static bool reading_line(struct reading *r, const char *line) {
    regmatch_t groups[2];
    for (size_t i = 0; i < r->count; i++) {
        const char *first = r->kinds[i].first;
        if (regexec(&r->compiled[i], line, 2, groups, 0) != 0)
            continue;
        size_t size = groups[1].rm_so < 0 ? 0 : (size_t)(groups[1].rm_eo - groups[1].rm_so);
        bool same =
            !first || (size == strlen(first) && strncmp(line + groups[1].rm_so, first, size) == 0);
        if (r->seen[i]++ == 0 && !same)
            fail_msg("%s: \"%s\" begins with another value than %s", r->command, line, first);
        return true;
    }
    return false;
}

static void reading_end(struct reading *r) {
    for (size_t i = 0; i < r->count; i++) {
        if (r->kinds[i].count >= 0 && r->seen[i] != r->kinds[i].count)
            fail_msg("%s: %d lines like %s, not %d", r->command, r->seen[i], r->kinds[i].pattern,
                     r->kinds[i].count);
        regfree(&r->compiled[i]);
    }
}

/* `strict`: a line of no kind is an error. */
static void read_output(const char *command, const struct kind *kinds, size_t count, bool strict) {
    struct reading r;
    size_t size = 0;
    const char *at = output_of(command, &size), *end = at + size;
    reading_begin(&r, command, kinds, count);
    while (at < end) {
        char line[400];
        size_t length = strcspn(at, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, at);
        if (!reading_line(&r, line) && strict)
            fail_msg("%s: no reader for \"%s\"", command, line);
        at += length + 1;
    }
    reading_end(&r);
}

static void every_line_is_understood(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof READERS / sizeof *READERS; i++) {
        size_t count = 0;
        while (count < LINES_MAX && READERS[i].kinds[count].pattern)
            count++;
        read_output(READERS[i].command, READERS[i].kinds, count, true);
    }
}

static void a_neighbor_has_what_clients_look_for(void **state) {
    (void)state;
    read_output("show ip bgp neighbors 192.168.1.10", NEIGHBOR, sizeof NEIGHBOR / sizeof *NEIGHBOR,
                false);
}

/* Fixed columns: what stands under the words of the header. */
static void columns_stand_under_their_header(void **state) {
    (void)state;
    size_t size = 0;
    const char *all = output_of("show ip bgp", &size);
    const char *header = strstr(all, "     Network");
    assert_non_null(header);
    size_t hop = (size_t)(strstr(header, "Next Hop") - header);
    size_t weight = (size_t)(strstr(header, "Weight") - header) + strlen("Weight");
    assert_int_equal(hop, 22);
    for (const char *at = strchr(header, '\n') + 1; at < all + size; at = strchr(at, '\n') + 1) {
        /* IOS: rows stand one column right of the header's words. */
        assert_true(at[hop] == ' ' && at[hop + 1] >= '0' && at[hop + 1] <= '9');
        assert_true(at[weight] >= '0' && at[weight] <= '9' && at[weight + 1] == ' ');
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_understood),
        cmocka_unit_test(a_neighbor_has_what_clients_look_for),
        cmocka_unit_test(columns_stand_under_their_header),
    };
    return cmocka_run_group_tests(tests, golden_read, golden_free);
}
