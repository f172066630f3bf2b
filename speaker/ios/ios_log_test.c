/*
 * Log lines for what happens to a session: a router and one neighbour, joined by pipes under
 * virtual time. Each row does something to the living session and names what must be logged.
 */
#include "../core/codec_test.h"
#include "../core/pipe_test.h"
#include "ios.h"

#include "../base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* %u: the neighbour's AS, 65001 unless a row says otherwise. */
static const char ROUTER[] = "router bgp 64512\n"
                             " bgp router-id 192.168.1.1\n"
                             " neighbor 192.168.1.10 remote-as %u\n"
                             " neighbor 192.168.1.10 fall-over\n"
                             "interface Loopback0\n"
                             " ip address 10.9.9.9 255.255.255.255\n";

struct lab {
    struct pipe_world world;
    struct ios_router *router;
    struct text log;
    uint32_t remote_as;   /* as the router has it; 0: 65001 */
    uint32_t neighbor_as; /* as it is; 0: the same */
};

static void on_event(struct pipe_node *n, const struct bgp_event *e, struct nanotime now) {
    struct lab *l = n->context;
    const struct ios_view view = {.speaker = n->speaker, .now = now, .booted = {1}, .log = &l->log};
    ios_log_event(l->router, &view, e, &l->log);
}

static void add_neighbor(struct lab *l) {
    struct bgp_config c;
    struct bgp_peer_config p;
    struct bgp_origin_config origins[3];
    bgp_config_init(&c, BGP_PROFILE_PLAIN);
    bgp_peer_config_init(&p, BGP_PROFILE_PLAIN);
    c.local_as = l->neighbor_as ? l->neighbor_as : l->remote_as ? l->remote_as : 65001;
    c.router_id = ip4(0xC0A8010A);
    c.peers = &p;
    c.peer_count = 1;
    snprintf(p.name, sizeof p.name, "router");
    p.remote_addr = ip4(0xC0A80101);
    p.remote_as = 64512;
    p.passive = true;
    p.families[BGP_IPV4_UNICAST] = true;
    p.import[0].accept_by_default = p.export[0].accept_by_default = true;
    for (uint32_t i = 0; i < 3; i++)
        origins[i] = (struct bgp_origin_config){.prefix = ip_prefix_make(ip4(0x0B000000 + i), 32),
                                                .source = ROUTE_SOURCE_STATIC,
                                                .metric = UINT32_MAX};
    c.origins = origins;
    c.origin_count = 3;
    pipe_add(&l->world, &c, NULL);
}

static void lab_start(struct lab *l) {
    const struct ios_interface i = {
        .name = "GigabitEthernet0/0", .addr = ip4(0xC0A80101), .length = 24, .up = true};
    const struct ios_env env = {.hostname = "R1", .interfaces = &i, .interface_count = 1};
    const struct bgp_env speaker_env = {.seed = 1};
    struct diag_list *d = diag_list_new();
    char text[400];
    int size = snprintf(text, sizeof text, ROUTER, l->remote_as ? l->remote_as : 65001);
    text_init(&l->log);
    l->router = ios_router_new(&env);
    assert_non_null(l->router);
    assert_true(ios_load(l->router, text, (size_t)size, "r", false, d));
    pipe_init(&l->world, 1);
    uint32_t node = pipe_add(&l->world, ios_bgp_config(l->router, d), &speaker_env);
    l->world.nodes[node].on_event = on_event;
    l->world.nodes[node].context = l;
    add_neighbor(l);
    diag_list_free(d);
}

static void lab_up(struct lab *l) {
    lab_start(l);
    pipe_run(&l->world, 60000);
    assert_non_null(strstr(text_str(&l->log), "neighbor 192.168.1.10 Up \n"));
    text_clear(&l->log);
}

static void lab_down(struct lab *l) {
    pipe_free(&l->world);
    text_deinit(&l->log);
    ios_router_free(l->router);
}

/* Lines of `router bgp`, with `/` between them; "route lost" is no line. */
static void act(struct lab *l, const char *lines) {
    struct bgp_speaker *s = l->world.nodes[0].speaker;
    char line[200];
    if (strcmp(lines, "route lost") == 0) {
        bgp_nexthop_set(s, ip4(0xC0A8010A), false, 0, l->world.now);
        pipe_run(&l->world, 100);
        return;
    }
    ios_config_line(l->router, "router bgp 64512", NULL);
    for (; *lines; lines += *lines == '/') {
        size_t size = strcspn(lines, "/");
        snprintf(line, sizeof line, "%.*s", (int)size, lines);
        ios_config_line(l->router, line, NULL);
        lines += size;
    }
    assert_int_equal(bgp_configure(s, ios_bgp_config(l->router, NULL), l->world.now), BGP_OK);
    pipe_run(&l->world, 100);
    struct bgp_peer_info p; /* limits are looked at when routes come */
    if (bgp_peer_at(s, 0, &p) && p.state == BGP_ESTABLISHED)
        assert_int_equal(bgp_clear(s, p.id, BGP_CLEAR_SOFT_IN, l->world.now), BGP_OK);
    pipe_run(&l->world, 100);
}

#define N "neighbor 192.168.1.10 "
#define DOWN(reason) "%BGP-5-ADJCHANGE: neighbor 192.168.1.10 Down " reason "\n"
#define RESET(reason) "%BGP-5-NBR_RESET: Neighbor 192.168.1.10 reset (" reason ")\n"

static const struct {
    const char *lines;
    const char *logged, *and_logged; /* the second one may be NULL */
} ROWS[] = {
    {"bgp router-id 1.1.1.1", DOWN("Router ID changed"), NULL},
    {"bgp cluster-id 7", DOWN("Cluster ID changed"), NULL},
    {"bgp confederation identifier 65100", DOWN("Confederation identifier changed"), NULL},
    {N "remote-as 65002", DOWN("Remote AS changed"), NULL},
    {N "local-as 65009", DOWN("Local AS change"), NULL},
    {N "update-source Loopback0", DOWN("Update source change"), NULL},
    {N "ebgp-multihop 3", DOWN("Multihop config change"), NULL},
    {"address-family ipv6/" N "activate", DOWN("Address family activated"), NULL},
    {"address-family ipv4/bgp additional-paths receive", DOWN("Capability changed"), NULL},
    {N "shutdown", DOWN("Admin. shutdown"), RESET("Admin. shutdown")},
    {"no " N, DOWN("Neighbor deleted"), "6/3 (Peer De-configured) 0 bytes \n"},
    {"no " N "/bgp scan-time 30", "removed from session  Neighbor deleted\n", NULL},
    {"route lost", DOWN("Route to peer lost"), RESET("Route to peer lost")},
    {N "maximum-prefix 2",
     "%BGP-3-MAXPFXEXCEED: No. of prefix received from 192.168.1.10 (afi 0): 3 exceed limit 2\n",
     "6/1 (Maximum Number of Prefixes Reached) 7 bytes 00010100 000002\n"},
    {N "maximum-prefix 4 75",
     "%BGP-4-MAXPFX: No. of prefix received from 192.168.1.10 (afi 0) reaches 3, max 4\n", NULL},
};

static void changes_say_why(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lab l = {.router = NULL};
        lab_up(&l);
        act(&l, ROWS[i].lines);
        if (!strstr(text_str(&l.log), ROWS[i].logged) ||
            (ROWS[i].and_logged && !strstr(text_str(&l.log), ROWS[i].and_logged)))
            fail_msg("%s: %s", ROWS[i].lines, text_str(&l.log));
        lab_down(&l);
    }
}

/* What does not concern the session leaves it alone (RFC 4271 says nothing of either). */
static void others_say_nothing(void **state) {
    static const char *const LINES[] = {N "timers 10 30",    N "description x",
                                        N "weight 5",        N "next-hop-self",
                                        N "send-community",  N "password secret",
                                        "no " N "fall-over", "bgp bestpath as-path ignore"};
    (void)state;
    struct lab l = {.router = NULL};
    lab_up(&l);
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        act(&l, LINES[i]);
        if (l.log.size)
            fail_msg("%s: %s", LINES[i], text_str(&l.log));
    }
    lab_down(&l);
}

/* ---- whole sequences ---- */

/* The cable is gone: nobody hears of it but by the hold timer. */
static void cut_silently(struct lab *l) {
    for (uint32_t i = 0; i < l->world.link_count; i++)
        if (l->world.links[i].used)
            pipe_link_free(&l->world.links[i]);
    l->world.nodes[1].unreachable = true;
    pipe_run(&l->world, 181000);
}

static void neighbor_clears(struct lab *l) {
    const struct bgp_peer_id all = {0};
    assert_int_equal(bgp_clear(l->world.nodes[1].speaker, all, BGP_CLEAR_HARD, l->world.now),
                     BGP_OK);
    pipe_run(&l->world, 100);
}

static void neighbor_closes(struct lab *l) {
    pipe_cut(&l->world, 0, 1);
}

static void router_clears(struct lab *l) {
    const struct bgp_peer_id all = {0};
    assert_int_equal(bgp_clear(l->world.nodes[0].speaker, all, BGP_CLEAR_HARD, l->world.now),
                     BGP_OK);
    pipe_run(&l->world, 100);
}

static void neighbor_goes(struct lab *l) {
    act(l, "no " N);
}

static void neighbor_is_shut(struct lab *l) {
    act(l, N "shutdown");
}

static void neighbor_becomes_client(struct lab *l) {
    act(l, N "route-reflector-client");
}

static void route_goes(struct lab *l) {
    act(l, "route lost");
}

#define SENT(what) "%BGP-3-NOTIFICATION: sent to neighbor 192.168.1.10 " what "\n"
#define RECEIVED(what) "%BGP-3-NOTIFICATION: received from neighbor 192.168.1.10 " what "\n"
#define REMOVED(reason)                                                                            \
    "%BGP_SESSION-5-ADJCHANGE: neighbor 192.168.1.10 IPv4 Unicast topology base removed from "     \
    "session  " reason "\n"

static const struct {
    const char *name;
    void (*happens)(struct lab *l);
    uint32_t remote_as;
    const char *logged; /* all of it, without stamps */
} SEQUENCES[] = {
    {"the hold timer expires", cut_silently, 0,
     SENT("4/0 (hold time expired) 0 bytes ") RESET("BGP Notification sent")
         DOWN("BGP Notification sent") REMOVED("BGP Notification sent")},
    {"the neighbour sends a NOTIFICATION", neighbor_clears, 0,
     RECEIVED("6/4 (Administrative Reset) 0 bytes ") RESET("BGP Notification received")
         DOWN("BGP Notification received") REMOVED("BGP Notification received")},
    {"the neighbour closes the connection", neighbor_closes, 0,
     RESET("Peer closed the session") DOWN("Peer closed the session")
         REMOVED("Peer closed the session")},
    {"clear ip bgp", router_clears, 0,
     SENT("6/4 (Administrative Reset) 0 bytes ") DOWN("User reset") REMOVED("User reset")},
    {"no neighbor", neighbor_goes, 0,
     SENT("6/3 (Peer De-configured) 0 bytes ") REMOVED("Neighbor deleted")
         DOWN("Neighbor deleted")},
    {"shutdown", neighbor_is_shut, 0,
     SENT("6/2 (Administrative Shutdown) 0 bytes ") RESET("Admin. shutdown")
         DOWN("Admin. shutdown")},
    {"a client of the reflector", neighbor_becomes_client, 64512,
     SENT("6/6 (Other Configuration Change) 0 bytes ") DOWN("RR client config change")
         REMOVED("RR client config change")},
    {"no route to the neighbour", route_goes, 0,
     SENT("6/6 (Other Configuration Change) 0 bytes ") RESET("Route to peer lost")
         DOWN("Route to peer lost") REMOVED("Route to peer lost")},
};

/* Without "*Aug 19 21:59:01.079: " in front of each line. */
static void put_unstamped(const char *log, struct text *out) {
    while (*log) {
        size_t size = strcspn(log, "\n") + 1;
        const char *body = strstr(log, ": %");
        assert_true(body && body < log + size);
        text_put(out, body + 2, size - (size_t)(body + 2 - log));
        log += size;
    }
}

static void sequences_are_those_of_ios(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof SEQUENCES / sizeof *SEQUENCES; i++) {
        struct lab l = {.remote_as = SEQUENCES[i].remote_as};
        struct text seen;
        text_init(&seen);
        lab_up(&l);
        SEQUENCES[i].happens(&l);
        put_unstamped(text_str(&l.log), &seen);
        if (strcmp(text_str(&seen), SEQUENCES[i].logged) != 0)
            print_error("%s:\n%s", SEQUENCES[i].name, text_str(&seen));
        assert_string_equal(text_str(&seen), SEQUENCES[i].logged);
        text_deinit(&seen);
        lab_down(&l);
    }
}

/* ---- messages that cannot be read ---- */

/* Its AS is 65002, and the router, which calls, expects 65001. */
static void a_refused_open_names_its_side(void **state) {
    struct lab l = {.neighbor_as = 65002};
    (void)state;
    lab_start(&l);
    while (!l.log.size)
        pipe_run(&l.world, 1000);
    assert_non_null(strstr(text_str(&l.log),
                           "%BGP-3-NOTIFICATION: sent to neighbor 192.168.1.10 active 2/2 (peer in "
                           "wrong AS) 2 bytes FDEA\n"
                           "*Jan  1 00:00:00.000: %BGP-4-MSGDUMP: unsupported or mal-formatted "
                           "message received from 192.168.1.10: \n"
                           "FFFF FFFF FFFF FFFF FFFF FFFF FFFF FFFF "));
    assert_non_null(strstr(text_str(&l.log), " 0104 FDEA 005A C0A8 010A "));
    assert_non_null(strstr(text_str(&l.log),
                           "%BGP-5-NBR_RESET: Neighbor 192.168.1.10 active reset (BGP Notification "
                           "sent)\n"));
    assert_non_null(strstr(text_str(&l.log), "neighbor 192.168.1.10 active Down BGP Notification "
                                             "sent\n"));
    assert_null(strstr(text_str(&l.log), "BGP_SESSION"));
    lab_down(&l);
}

/* ORIGIN has two octets: what came with it is withdrawn, and the session stays. */
static void malformed_attributes_name_prefixes(void **state) {
    static const char UPDATE[] = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF 0034 02 0000 0015 4001020000 "
                                 "4002060201 0000FDE9 400304C0A8010A 2006060606 080B";
    uint8_t message[100];
    struct lab l = {.router = NULL};
    struct bgp_peer_info p;
    (void)state;
    size_t size = codec_hex(UPDATE, message, 0, sizeof message);
    message[17] = (uint8_t)size;
    lab_up(&l);
    assert_true(bgp_peer_at(l.world.nodes[0].speaker, 0, &p));
    bgp_conn_receive(l.world.nodes[0].speaker, p.conn, message, size, l.world.now);
    pipe_run(&l.world, 100);
    struct text seen;
    text_init(&seen);
    text_puts(&seen, text_str(&l.log));
    assert_non_null(strstr(text_str(&seen),
                           "%BGP-6-MSGDUMP_LIMIT: unsupported or mal-formatted message received "
                           "from 192.168.1.10: \nFFFF FFFF FFFF FFFF FFFF FFFF FFFF FFFF 0033 0200 "
                           "0000 1540 0102 0000 4002 0602\n0100 00FD E940 0304 C0A8 010A 2006 "
                           "0606 0608 0B\n"));
    assert_non_null(strstr(text_str(&seen),
                           "%BGP-6-MALFORMEDATTR: Malformed attribute in (BGP(0) Prefixes: "
                           "6.6.6.6/32 11.0.0.0/8 ) received from 192.168.1.10,\n"));
    assert_null(strstr(text_str(&seen), "Down"));
    text_deinit(&seen);
    lab_down(&l);
}

/* ---- phrases ---- */

static const struct {
    uint8_t code, subcode;
    const char *phrase;
} PHRASES[] = {
    {1, 1, "connection not synchronized"},
    {1, 2, "bad message length"},
    {2, 2, "peer in wrong AS"},
    {2, 3, "BGP identifier wrong"},
    {2, 5, "authentication failure"},
    {2, 6, "unacceptable hold time"},
    {2, 7, "unsupported/disjoint capability"},
    {2, 8, "no supported AFI/SAFI"},
    {3, 1, "update malformed"},
    {3, 5, "attribute length error"},
    {3, 8, "invalid nexthop"},
    {3, 10, "illegal network"},
    {3, 11, "invalid or corrupt AS path"},
    {4, 0, "hold time expired"},
    {6, 1, "Maximum Number of Prefixes Reached"},
    {6, 2, "Administrative Shutdown"},
    {6, 3, "Peer De-configured"},
    {6, 4, "Administrative Reset"},
    {6, 5, "Connection Rejected"},
    {6, 7, "Connection Collision Resolution"},
    {6, 8, "Out of Resources"},
};

static void phrases_are_those_of_ios(void **state) {
    struct lab l = {.router = NULL};
    struct bgp_peer_info p;
    (void)state;
    lab_up(&l);
    const struct ios_view view = {.speaker = l.world.nodes[0].speaker, .log = &l.log};
    assert_true(bgp_peer_at(view.speaker, 0, &p));
    for (size_t i = 0; i < sizeof PHRASES / sizeof *PHRASES; i++) {
        const struct bgp_event e = {.kind = BGP_EVENT_NOTIFIED,
                                    .peer = p.id,
                                    .notified = {.in_state = BGP_ESTABLISHED,
                                                 .code = PHRASES[i].code,
                                                 .subcode = PHRASES[i].subcode}};
        char want[200];
        snprintf(want, sizeof want,
                 ": %%BGP-3-NOTIFICATION: received from neighbor 192.168.1.10 %u/%u (%s) 0 bytes "
                 "\n",
                 PHRASES[i].code, PHRASES[i].subcode, PHRASES[i].phrase);
        text_clear(&l.log);
        ios_log_event(l.router, &view, &e, &l.log);
        if (!strstr(text_str(&l.log), want))
            fail_msg("%s", text_str(&l.log));
    }
    lab_down(&l);
}

/* ---- the head of a line ---- */

static const struct {
    const char *config, *head;
} HEADS[] = {
    {"", "*Aug 19 21:59:01.079: %"},
    {"service timestamps log datetime msec\n", "*Aug 19 21:59:01.079: %"},
    {"service timestamps log datetime\n", "*Aug 19 21:59:01: %"},
    {"service timestamps log datetime msec localtime show-timezone\n",
     "*Aug 19 21:59:01.079 UTC: %"},
    {"service timestamps log datetime msec year\n", "*Aug 19 2020 21:59:01.079: %"},
    {"service timestamps log uptime\n", "00:01:02: %"},
    {"no service timestamps log\n", "%"},
    {"service sequence-numbers\n", "000001: *Aug 19 21:59:01.079: %"},
};

static void heads_are_as_configured(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof HEADS / sizeof *HEADS; i++) {
        const struct ios_env env = {.hostname = "R1"};
        const struct ios_view view = {
            .now = {63 * NANOS_PER_S}, .booted = {NANOS_PER_S}, .wall_ms = 1597874341079};
        struct ios_router *r = ios_router_new(&env);
        struct text log;
        text_init(&log);
        assert_true(ios_load(r, HEADS[i].config, strlen(HEADS[i].config), "r", false, NULL));
        ios_configured(r, &view);
        ios_take_log(r, &log);
        size_t size = strlen(HEADS[i].head);
        if (strncmp(text_str(&log), HEADS[i].head, size) != 0 ||
            strcmp(text_str(&log) + size, "SYS-5-CONFIG_I: Configured from console by console\n"))
            fail_msg("%s: %s", HEADS[i].config, text_str(&log));
        text_deinit(&log);
        ios_router_free(r);
    }
}

static void wrong_signatures_are_named(void **state) {
    const struct ios_env env = {.hostname = "R1"};
    const struct ios_view view = {.wall_ms = 1597874341079};
    (void)state;
    struct ios_router *r = ios_router_new(&env);
    struct text log;
    text_init(&log);
    ios_log_bad_signature(r, &view, false, ip4(0x02020202), 54006, ip4(0x01010101), 179, &log);
    ios_log_bad_signature(r, &view, true, ip4(0x02020202), 54006, ip4(0x01010101), 179, &log);
    assert_string_equal(text_str(&log),
                        "*Aug 19 21:59:01.079: %TCP-6-BADAUTH: Invalid MD5 digest from "
                        "2.2.2.2(54006) to 1.1.1.1(179) tableid - 0\n"
                        "*Aug 19 21:59:01.079: %TCP-6-BADAUTH: No MD5 digest from "
                        "2.2.2.2(54006) to 1.1.1.1(179) tableid - 0\n");
    text_deinit(&log);
    ios_router_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_say_why),
        cmocka_unit_test(others_say_nothing),
        cmocka_unit_test(sequences_are_those_of_ios),
        cmocka_unit_test(a_refused_open_names_its_side),
        cmocka_unit_test(malformed_attributes_name_prefixes),
        cmocka_unit_test(phrases_are_those_of_ios),
        cmocka_unit_test(heads_are_as_configured),
        cmocka_unit_test(wrong_signatures_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
