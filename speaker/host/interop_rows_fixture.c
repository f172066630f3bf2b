/*
 * The rows of the interoperability matrix.
 *
 * Each begins with fresh nodes and no process, and ends however it likes: the caller cleans up.
 * What must not happen is asserted from counters (sessions lost, routes deleted by the kernel's
 * own account), never by waiting whether it does.
 */
#include "interop_rows_fixture.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { OURS, THEIRS, THIRD };
enum role { WE_CONNECT = 1, THEY_CONNECT = 2, BOTH_CONNECT = 4 };
#define EXTERNAL 8
#define PROFILE_CALICO 16

#define OUR_AS 64512
#define REPEATS 20

char *interop_note;

static const struct program *program;

static struct {
    struct setup setup[2];
    const char *profile;
} pair;

/* ---- a pair of speakers ---- */

static void pair_make(uint32_t our_as, uint32_t their_as, int role) {
    pair.profile = "fast";
    pair.setup[OURS] = (struct setup){.node = OURS, .as = our_as, .neighbor_count = 1};
    pair.setup[THEIRS] = (struct setup){.node = THEIRS, .as = their_as, .neighbor_count = 1};
    pair.setup[OURS].neighbors[0] =
        (struct neighbor){.node = THEIRS, .as = their_as, .passive = (role & THEY_CONNECT) != 0};
    pair.setup[THEIRS].neighbors[0] =
        (struct neighbor){.node = OURS, .as = our_as, .passive = (role & WE_CONNECT) != 0};
}

static void pair_start(void) {
    interop_start(&pair.setup[OURS], pair.profile);
    program->start(&pair.setup[THEIRS]);
}

static void wait_up(int ours, int theirs) {
    for (int f = 0; f < FAMILIES; f++) {
        UNTIL(interop_established(ours, f, theirs));
        UNTIL(program->established(theirs, f, ours));
    }
}

static bool external(void) {
    return pair.setup[OURS].as != pair.setup[THEIRS].as;
}

/* ---- routes ---- */

static bool route_of(int node, const char *prefix, int from, struct text *out) {
    text_clear(out);
    return node == THEIRS ? program->route(node, prefix, out)
                          : interop_route(node, prefix, from, out);
}

/* Until the node has from its neighbour exactly this. */
static void expect_route(int node, const char *prefix, int from, const char *expected) {
    struct text seen;
    struct nanotime end = interop_deadline(NODES_DEADLINE_MS);
    text_init(&seen);
    while (!route_of(node, prefix, from, &seen) || strcmp(text_str(&seen), expected) != 0)
        if (!interop_wait(end))
            fail_msg("%s at node %d:\n  has      %s\n  expected %s", prefix, node, text_str(&seen),
                     expected);
    text_deinit(&seen);
}

static bool has_route(int node, const char *prefix, int from) {
    struct text seen;
    text_init(&seen);
    bool has = route_of(node, prefix, from, &seen);
    text_deinit(&seen);
    return has;
}

/* What the other side must hold of a node's route. `tail`: what reflection adds. */
static void expected_line(char *out, size_t size, int at, int of, int f, bool rich,
                          const char *tail) {
    bool other = of == THEIRS, outside = external();
    bool at_distance = at != THEIRS && of != THEIRS; /* by way of them */
    char path[32] = "", med[16] = "", pref[32] = "";
    if (outside)
        snprintf(path, sizeof path, "%u", pair.setup[of].as);
    if (rich && other)
        snprintf(path + strlen(path), sizeof path - strlen(path), "%s",
                 program->no_path ? ""
                 : outside        ? " 65010"
                                  : "65010");
    else if (rich && outside)
        snprintf(path, sizeof path, "64990 %u", pair.setup[of].as);
    else if (rich)
        snprintf(path, sizeof path, "64990");
    if (rich)
        snprintf(med, sizeof med, " med=%d", other ? 70 : 50);
    else if (program->plain_med && (other || at_distance))
        snprintf(med, sizeof med, "%s", program->plain_med);
    if (!outside)
        snprintf(pref, sizeof pref, " local_pref=%d", !rich ? 100 : other ? 170 : 150);
    else if (at != THEIRS || program->local_pref_external)
        snprintf(pref, sizeof pref, " local_pref=100");
    snprintf(out, size, "origin=%s as_path=%s next_hop=%s%s%s%s%s", rich ? "egp" : "igp", path,
             interop_addr(of, f), med, pref,
             !rich   ? ""
             : other ? " communities=64512:1 64512:2 large=64512:3:4"
                     : " communities=64512:5 64512:6 large=64512:7:8",
             tail);
}

/* Both routes of both families of `of`, as `at` has them from `from`. */
static void expect_routes(int at, int of, int from, const char *tail) {
    for (int f = 0; f < FAMILIES; f++)
        for (int rich = 0; rich < 2; rich++) {
            char line[300];
            expected_line(line, sizeof line, at, of, f, rich != 0, tail);
            expect_route(at, interop_prefix(of, f, rich != 0), from, line);
        }
}

static bool in_kernel(int node, const char *prefix, const char *gateway) {
    char words[64], via[64];
    struct text out;
    text_init(&out);
    snprintf(words, sizeof words, "%s", prefix);
    snprintf(via, sizeof via, "via %s ", gateway ? gateway : "");
    char *argv[] = {(char *)(uintptr_t) "ip",
                    (char *)(uintptr_t)(strchr(prefix, ':') ? "-6" : "-4"),
                    (char *)(uintptr_t) "route",
                    (char *)(uintptr_t) "show",
                    words,
                    NULL};
    assert_int_equal(nodes_capture(node, argv, &out), 0);
    bool has = strstr(text_str(&out), gateway ? via : prefix) != NULL;
    text_deinit(&out);
    return has;
}

static void expect_kernel(int at, int of) {
    if (at == THEIRS && !program->kernel)
        return;
    for (int f = 0; f < FAMILIES; f++)
        for (int rich = 0; rich < 2; rich++)
            UNTIL(in_kernel(at, interop_prefix(of, f, rich != 0), interop_addr(of, f)));
}

static void we_announce(int family, bool present) {
    char request[160];
    snprintf(request, sizeof request,
             "{\"op\":\"%s\",\"routes\":[{\"prefix\":\"%s\",\"source\":\"static\"}]}\n",
             present ? "originate" : "withdraw", interop_prefix(OURS, family, false));
    assert_true(nodes_ask(OURS, request, "\"ok\":true"));
}

static void check_withdraw(int f) {
    const char *ours = interop_prefix(OURS, f, false), *theirs = interop_prefix(THEIRS, f, false);
    program->announce(THEIRS, f, false);
    UNTIL(!has_route(OURS, theirs, THEIRS));
    UNTIL(!in_kernel(OURS, theirs, NULL));
    program->announce(THEIRS, f, true);
    UNTIL(has_route(OURS, theirs, THEIRS));
    we_announce(f, false);
    UNTIL(!has_route(THEIRS, ours, OURS));
    if (program->kernel)
        UNTIL(!in_kernel(THEIRS, ours, NULL));
    we_announce(f, true);
    UNTIL(has_route(THEIRS, ours, OURS));
}

static void row_routes(const struct program *p, int argument) {
    program = p;
    pair_make(OUR_AS, argument & EXTERNAL ? 65001 : OUR_AS, argument);
    if (argument & PROFILE_CALICO)
        pair.profile = "calico";
    pair_start();
    wait_up(OURS, THEIRS);
    if (!(argument & BOTH_CONNECT))
        for (int f = 0; f < FAMILIES; f++)
            assert_int_equal(interop_peer_number(OURS, f, THEIRS, "incoming"),
                             (argument & THEY_CONNECT) != 0);
    expect_routes(OURS, THEIRS, THEIRS, "");
    expect_routes(THEIRS, OURS, OURS, "");
    expect_kernel(OURS, THEIRS);
    expect_kernel(THEIRS, OURS);
    for (int f = 0; f < FAMILIES; f++)
        check_withdraw(f);
    expect_routes(OURS, THEIRS, THEIRS, "");
    assert_true(dropped(OURS, 0));
    assert_int_equal(nodes_stop(OURS), 0);
}

static void row_as4(const struct program *p, int argument) {
    (void)argument;
    program = p;
    pair_make(4200000001, 4200000002, WE_CONNECT);
    pair_start();
    wait_up(OURS, THEIRS);
    expect_routes(OURS, THEIRS, THEIRS, "");
    expect_routes(THEIRS, OURS, OURS, "");
    assert_true(dropped(OURS, 0));
}

/* ---- route refresh ---- */

static uint64_t updates(_Atomic uint64_t *counter) {
    return atomic_load(counter);
}

static void row_refresh(const struct program *p, int argument) {
    struct scoreboard_slot *slot = nodes_slot(OURS);
    (void)argument;
    program = p;
    if (!p->refresh)
        snprintf(interop_note, INTEROP_NOTE_SIZE, "asked by us only");
    if (p->keeps_routes)
        snprintf(interop_note, INTEROP_NOTE_SIZE, "asked by them only");
    pair_make(OUR_AS, 65001, WE_CONNECT);
    pair_start();
    wait_up(OURS, THEIRS);
    expect_routes(OURS, THEIRS, THEIRS, "");
    expect_routes(THEIRS, OURS, OURS, "");
    for (int f = 0; f < FAMILIES; f++) {
        char request[80];
        uint64_t received = updates(&slot->updates_received), sent = updates(&slot->updates_sent);
        snprintf(request, sizeof request, "{\"op\":\"clear\",\"peer\":\"n1_%d\",\"how\":\"in\"}\n",
                 f == V4 ? 4 : 6);
        assert_true(nodes_ask(OURS, request, "\"ok\":true"));
        if (!p->keeps_routes)
            UNTIL(updates(&slot->updates_received) >= received + 2); /* both routes again */
        if (!p->refresh)
            continue;
        p->refresh(THEIRS, f, OURS);
        UNTIL(updates(&slot->updates_sent) >= sent + 2);
    }
    expect_routes(OURS, THEIRS, THEIRS, "");
    expect_routes(THEIRS, OURS, OURS, "");
    assert_true(dropped(OURS, 0));
}

/* ---- passwords ---- */

static uint64_t md5_failures(void) {
    return nodes_tcp_counter(OURS, "TCPMD5Failure") + nodes_tcp_counter(THEIRS, "TCPMD5Failure");
}

static void row_password(const struct program *p, int role) {
    program = p;
    pair_make(OUR_AS, 65001, role);
    pair.setup[OURS].neighbors[0].password = "wrong";
    pair.setup[THEIRS].neighbors[0].password = "right";
    uint64_t before = md5_failures();
    pair_start();
    UNTIL(md5_failures() >= before + 2);
    assert_true(established(OURS, 0));
    pair.setup[OURS].neighbors[0].password = "right";
    char *config = interop_config(&pair.setup[OURS], pair.profile);
    struct text request;
    text_init(&request);
    text_printf(&request, "{\"op\":\"configure\",\"config\":%s}\n", config);
    assert_true(nodes_ask(OURS, text_str(&request), "\"ok\":true"));
    text_deinit(&request);
    free(config);
    wait_up(OURS, THEIRS);
    expect_routes(OURS, THEIRS, THEIRS, "");
}

/* ---- reflection ---- */

static void reflect(int reflector, struct setup *third) {
    pair_make(OUR_AS, OUR_AS, BOTH_CONNECT);
    struct setup *r = &pair.setup[reflector];
    *third = (struct setup){.node = THIRD, .as = OUR_AS, .neighbor_count = 1};
    third->neighbors[0] = (struct neighbor){.node = reflector, .as = OUR_AS};
    r->neighbors[0].rr_client = true;
    r->neighbors[1] = (struct neighbor){.node = THIRD, .as = OUR_AS, .rr_client = true};
    r->neighbor_count = 2;
}

static void row_we_reflect(const struct program *p, int argument) {
    struct setup third;
    (void)argument;
    program = p;
    reflect(OURS, &third);
    pair_start();
    interop_start(&third, "fast");
    wait_up(OURS, THEIRS);
    UNTIL(established(THIRD, 2));
    expect_routes(THEIRS, THIRD, OURS, " originator=10.0.0.3 clusters=10.0.0.1");
    expect_routes(THIRD, THEIRS, OURS, " originator=10.0.0.2 clusters=10.0.0.1");
    expect_routes(OURS, THEIRS, THEIRS, "");
    expect_kernel(THIRD, THEIRS);
    expect_kernel(THEIRS, THIRD);
}

static void row_they_reflect(const struct program *p, int argument) {
    struct setup third;
    (void)argument;
    program = p;
    reflect(THEIRS, &third);
    program->start(&pair.setup[THEIRS]); /* OpenBGPD: routes that come before it has read all of its
                                            configuration are passed on as if it did not reflect */
    interop_start(&pair.setup[OURS], pair.profile);
    interop_start(&third, "fast");
    wait_up(OURS, THEIRS);
    wait_up(THIRD, THEIRS);
    expect_routes(OURS, THIRD, THEIRS, " originator=10.0.0.3 clusters=10.9.9.2");
    expect_routes(THIRD, OURS, THEIRS, " originator=10.0.0.1 clusters=10.9.9.2");
    expect_routes(OURS, THEIRS, THEIRS,
                  p->reflects_own ? " originator=10.0.0.2 clusters=10.9.9.2" : "");
    expect_kernel(OURS, THIRD);
    expect_kernel(THIRD, OURS);
}

/* ---- again and again ---- */

static void clear_hard(void) {
    assert_true(nodes_ask(OURS, "{\"op\":\"clear\",\"how\":\"hard\"}\n", "\"ok\":true"));
}

static uint64_t drops(void) {
    return atomic_load(&nodes_slot(OURS)->dropped_count);
}

/* The other side ends the session, or dies and comes back. */
static void reset_theirs(void) {
    if (program->reset) {
        program->reset(THEIRS, OURS);
        return;
    }
    uint64_t before = drops();
    program->kill(THEIRS);
    UNTIL(drops() >= before + FAMILIES);
    program->start(&pair.setup[THEIRS]);
}

static void row_flap(const struct program *p, int argument) {
    (void)argument;
    program = p;
    if (p->idles)
        snprintf(interop_note, INTEROP_NOTE_SIZE, "theirs only");
    pair_make(OUR_AS, OUR_AS, BOTH_CONNECT);
    pair.setup[THEIRS].timers = TIMERS_FAST;
    pair_start();
    for (int i = 0; i < REPEATS; i++) {
        wait_up(OURS, THEIRS);
        UNTIL(loc_rib(OURS, 4));
        uint64_t before = drops();
        if (i % 2 || p->idles)
            reset_theirs();
        else
            clear_hard();
        UNTIL(drops() >= before + FAMILIES);
    }
    wait_up(OURS, THEIRS);
    expect_routes(OURS, THEIRS, THEIRS, "");
    expect_routes(THEIRS, OURS, OURS, "");
    expect_kernel(OURS, THEIRS);
    expect_kernel(THEIRS, OURS);
}

/*
 * A gate that lets TCP's own small segments through and keeps OPEN messages back: both sides open
 * a connection before either has heard of the other's BGP identifier. Both are stopped then until
 * TCP has delivered all four OPENs, so that each reads two at once and RFC 4271 6.8 has two
 * connections to choose from.
 */
#define GATE_MTU "96"

static void gate(const char *mtu) {
    nodes_fabric_ip("link", "set", "n0", "mtu", mtu, NULL);
    nodes_fabric_ip("link", "set", "n1", "mtu", mtu, NULL);
}

enum queue { SENDING, RECEIVED }; /* what TCP has: not acknowledged, not read */

/* The hexadecimal number behind the colon of an "address:port" or "sending:received". */
static unsigned long behind_colon(const char *word) {
    const char *colon = strrchr(word, ':');
    return colon ? strtoul(colon + 1, NULL, 16) : 0;
}

/* Has a node an established TCP connection of a family that it opened (or the other did), with
 * something in this queue? */
static bool connected(int node, int family, bool opened, enum queue queue) {
    static char text[65536];
    char *rest = text, *line;
    nodes_read_proc(node, family == V4 ? "tcp" : "tcp6", text, sizeof text);
    while ((line = strsep(&rest, "\n"))) {
        char local[64], remote[64], state[8], queues[32];
        if (sscanf(line, " %*s %63s %63s %7s %31s", local, remote, state, queues) != 4)
            continue;
        unsigned long queued = queue == SENDING ? strtoul(queues, NULL, 16) : behind_colon(queues);
        bool right_way = opened ? behind_colon(remote) == 179 : behind_colon(local) == 179;
        if (strcmp(state, "01") == 0 && queued > 0 && right_way)
            return true;
    }
    return false;
}

/* Both connections of both families at both nodes: each has an OPEN in this queue. */
static bool crossed(enum queue queue) {
    for (int f = 0; f < FAMILIES; f++)
        for (int node = OURS; node <= THEIRS; node++)
            if (!connected(node, f, true, queue) || !connected(node, f, false, queue))
                return false;
    return true;
}

static void signal_side(int node, int number) {
    if (node == OURS) {
        kill(nodes.at[OURS].pid, number);
        return;
    }
    for (int slot = 0; slot < 2; slot++)
        if (interop_pid(node, slot) > 0)
            kill(interop_pid(node, slot), number);
}

static void hold_until_crossed(int first) {
    UNTIL(crossed(SENDING));
    signal_side(OURS, SIGSTOP);
    signal_side(THEIRS, SIGSTOP);
    gate("1500");
    UNTIL(crossed(RECEIVED));
    signal_side(first, SIGCONT);
    signal_side(first == OURS ? THEIRS : OURS, SIGCONT);
}

/* The connection that stays is the one opened by the side with the higher identifier. */
static void check_kept(bool ours_is_higher) {
    for (int f = 0; f < FAMILIES; f++)
        assert_int_equal(interop_peer_number(OURS, f, THEIRS, "incoming"), !ours_is_higher);
}

static void collide(bool ours_is_higher, int first) {
    wait_up(OURS, THEIRS);
    uint64_t before = drops();
    gate(GATE_MTU);
    reset_theirs();
    UNTIL(drops() >= before + FAMILIES);
    hold_until_crossed(first);
    wait_up(OURS, THEIRS);
    check_kept(ours_is_higher);
    UNTIL(loc_rib(OURS, 4));
}

static void row_collision(const struct program *p, int ours_is_higher) {
    program = p;
    pair_make(OUR_AS, OUR_AS, BOTH_CONNECT);
    pair.setup[THEIRS].timers = TIMERS_FAST;
    pair.setup[OURS].last_id = ours_is_higher ? 99 : 1;
    pair_start();
    for (int i = 0; i < REPEATS / 2; i++)
        collide(ours_is_higher != 0, i % 2 ? OURS : THEIRS);
    expect_routes(OURS, THEIRS, THEIRS, "");
    expect_routes(THEIRS, OURS, OURS, "");
}

/* ---- graceful restart ---- */

static int watch_routes(void) {
    struct sockaddr_nl a = {.nl_family = AF_NETLINK,
                            .nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
    nodes_enter(nodes.at[OURS].ns);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    nodes_enter(nodes.home_ns);
    return fd;
}

/* Routes that the kernel has deleted since watch_routes. */
static unsigned deletions(int fd) {
    static union {
        char bytes[65536];
        struct nlmsghdr first;
    } buffer;
    unsigned count = 0;
    ssize_t got;
    while ((got = recv(fd, &buffer, sizeof buffer, 0)) > 0) {
        unsigned left = (unsigned)got;
        for (struct nlmsghdr *m = &buffer.first; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left))
            count += m->nlmsg_type == RTM_DELROUTE;
    }
    return count;
}

static void row_restart(const struct program *p, int argument) {
    (void)argument;
    program = p;
    pair_make(OUR_AS, OUR_AS, WE_CONNECT);
    pair_start();
    wait_up(OURS, THEIRS);
    expect_routes(OURS, THEIRS, THEIRS, "");
    expect_kernel(OURS, THEIRS);
    int watch = watch_routes();
    p->kill(THEIRS);
    UNTIL(dropped(OURS, FAMILIES));
    expect_kernel(OURS, THEIRS);
    pair.setup[THEIRS].restarted = true;
    signal_side(OURS, SIGSTOP); /* no session before it has all its routes again */
    p->start(&pair.setup[THEIRS]);
    signal_side(OURS, SIGCONT);
    wait_up(OURS, THEIRS);
    expect_routes(OURS, THEIRS, THEIRS, ""); /* and stale no more */
    expect_routes(THEIRS, OURS, OURS, "");
    assert_int_equal(deletions(watch), 0);
    close(watch);
}

/* ---- a mesh ---- */

#define MESH 6
#define MESH_SESSIONS 10 /* of a node, both families */
#define MESH_ROUTES 12   /* of a family */
static bool mesh_is_ours(int node) {
    return node % 2 == 0;
}

static void mesh_start(int node) {
    struct setup s = {.node = node, .as = OUR_AS};
    for (int n = 0; n < MESH; n++)
        if (n != node) /* Calico: of two, the one with the higher address waits */
            s.neighbors[s.neighbor_count++] =
                (struct neighbor){.node = n, .as = OUR_AS, .passive = node > n};
    if (mesh_is_ours(node))
        interop_start(&s, "calico");
    else
        program->start(&s);
}

static bool mesh_up(int node, int other, int f) {
    return mesh_is_ours(node) ? interop_established(node, f, other)
                              : program->established(node, f, other);
}

static bool mesh_has(int node, int other, int f, bool rich) {
    struct text seen;
    char hop[80];
    text_init(&seen);
    bool has = mesh_is_ours(node)
                   ? interop_route(node, interop_prefix(other, f, rich), other, &seen)
                   : program->route(node, interop_prefix(other, f, rich), &seen);
    snprintf(hop, sizeof hop, " next_hop=%s ", interop_addr(other, f));
    has = has && strstr(text_str(&seen), hop) != NULL;
    text_deinit(&seen);
    return has;
}

static void mesh_check(int node, int other) {
    for (int f = 0; f < FAMILIES; f++) {
        UNTIL(mesh_up(node, other, f));
        for (int rich = 0; rich < 2; rich++) {
            UNTIL(mesh_has(node, other, f, rich != 0));
            UNTIL(in_kernel(node, interop_prefix(other, f, rich != 0), interop_addr(other, f)));
        }
    }
}

static void row_mesh(const struct program *p, int argument) {
    (void)argument;
    program = p;
    for (int n = 0; n < MESH; n++)
        mesh_start(n);
    for (int n = 0; n < MESH; n++)
        for (int other = 0; other < MESH; other++)
            if (n != other)
                mesh_check(n, other);
    for (int n = 0; n < MESH; n += 2) {
        assert_true(established(n, MESH_SESSIONS));
        assert_true(loc_rib(n, MESH_ROUTES));
        assert_true(dropped(n, 0));
    }
}

/* ---- the table ---- */

const struct interop_row interop_rows[] = {
    {"routes, external, we connect", 2, row_routes, WE_CONNECT | EXTERNAL, NULL, 0},
    {"routes, external, they connect", 2, row_routes, THEY_CONNECT | EXTERNAL, NULL, 0},
    {"routes, internal, we connect", 2, row_routes, WE_CONNECT, NULL, 0},
    {"routes, internal, they connect", 2, row_routes, THEY_CONNECT, NULL, 0},
    {"routes, our profile `calico`, we connect", 2, row_routes, WE_CONNECT | PROFILE_CALICO,
     &program_bird, 0},
    {"routes, our profile `calico`, they connect", 2, row_routes, THEY_CONNECT | PROFILE_CALICO,
     &program_bird, 0},
    {"routes, our profile `calico`, external, both connect", 2, row_routes,
     BOTH_CONNECT | EXTERNAL | PROFILE_CALICO, &program_bird, 0},
    {"AS numbers of four octets", 2, row_as4, 0, NULL, 0},
    {"route refresh both ways", 2, row_refresh, 0, NULL, 0},
    {"MD5: wrong key, then right, we connect", 2, row_password, WE_CONNECT, NULL, CAN_SIGN_PASSIVE},
    {"MD5: wrong key, then right, they connect", 2, row_password, THEY_CONNECT, NULL, 0},
    {"reflection by us", 3, row_we_reflect, 0, NULL, 0},
    {"reflection by them", 3, row_they_reflect, 0, NULL, CAN_REFLECT},
    {"20 flaps", 2, row_flap, 0, NULL, 0},
    {"10 collisions, their identifier higher", 3, row_collision, 0, NULL, CAN_COLLIDE},
    {"10 collisions, ours higher", 3, row_collision, 1, NULL, CAN_COLLIDE},
    {"graceful restart of theirs", 2, row_restart, 0, NULL, CAN_RESTART},
    {"mesh of three of each, our profile `calico`", MESH, row_mesh, 0, &program_bird, 0},
};
const unsigned interop_row_count = sizeof interop_rows / sizeof interop_rows[0];

const char interop_legend[] =
    "- **routes**: two routes a family each way; one with ORIGIN, AS_PATH, MED, LOCAL_PREF,\n"
    "  communities and large communities set; both kernels' tables; withdrawn and announced again\n"
    "  while the session stays. IPv6 routes travel over IPv6.\n"
    "- BIRD 1.6 is configured as Calico's template does: multihop, gateway recursive, add paths,\n"
    "  graceful restart, connect delay 2, connect retry 5, error wait 5,30. Flaps and collisions\n"
    "  use waits of one second. Our profile is `fast` where nothing else is said.\n"
    "- **flaps**: every other one by us, Cease/Administrative Reset, and by them.\n"
    "- **collisions**: OPEN messages are held back until each side has connected to the other;\n"
    "  the connection that stays must be the one of the higher identifier (RFC 4271 6.8).\n"
    "- **graceful restart**: killed and started again; the kernel deletes no route meanwhile.\n"
    "\n## What the programs do their own way\n\n"
    "- FRR sends MED 0 with routes of `network`, and adds MED 0 to a route without one that it\n"
    "  reflects. It applies a route map that stands behind its use in the file only seconds "
    "later,\n"
    "  after End-of-RIB: a helper has dropped the routes by then.\n"
    "- GoBGP sends its own routes to clients with ORIGINATOR_ID and CLUSTER_LIST, as if they were\n"
    "  reflected. Its soft reset asks for nothing (it keeps what it received). After a reset it\n"
    "  stays idle for 30 s whatever its configuration says, so its process is restarted instead.\n"
    "  It closes what comes in while it is idle; in 20 s of both sides trying there were never "
    "two\n"
    "  connections at once, so there is no collision to test.\n"
    "  It runs without zebra here: its kernel's table is not looked at.\n"
    "- OpenBGPD cannot set an AS_PATH of its own choice on a network. It says \"AID not "
    "negotiated\"\n"
    "  to every ROUTE-REFRESH of ours and sends nothing. It is idle for half a minute after a\n"
    "  NOTIFICATION, so its process is ended and started instead. Behind the gate of the "
    "collisions\n"
    "  its sessions did not end within 20 s; and where it is called, its kernel counted no wrong\n"
    "  key within 20 s: neither row is run. It runs without kernel routes, and keeps none over a\n"
    "  restart.\n"
    "- BIRD 1.6 waits in whole seconds: its connect timer often fires in the very turn in which "
    "it\n"
    "  answers our OPEN, and it connects once more although the session is about to be up.\n";
