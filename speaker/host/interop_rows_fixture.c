/*
 * The rows of the interoperability matrix.
 *
 * Each begins with fresh nodes and no process, and ends however it likes: the caller cleans up.
 * What must not happen is asserted from counters (sessions lost, routes deleted by the kernel's
 * own account), never by waiting whether it does.
 */
#include "interop_rows_fixture.h"

#include "interop_pair_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EXTERNAL 8
#define PROFILE_CALICO 16

char *interop_note;

/* ---- routes ---- */

static void we_announce(int family, bool present) {
    char request[160];
    snprintf(request, sizeof request,
             "{\"op\":\"%s\",\"routes\":[{\"prefix\":\"%s\",\"source\":\"static\"}]}\n",
             present ? "originate" : "withdraw", interop_prefix(OURS, family, false));
    assert_true(nodes_ask(OURS, request, "\"ok\":true"));
}

static void check_withdraw(int f) {
    const char *ours = interop_prefix(OURS, f, false), *theirs = interop_prefix(THEIRS, f, false);
    pair.program->announce(THEIRS, f, false);
    UNTIL(!pair_has_route(OURS, theirs, THEIRS));
    UNTIL(!pair_in_kernel(OURS, theirs, NULL));
    pair.program->announce(THEIRS, f, true);
    UNTIL(pair_has_route(OURS, theirs, THEIRS));
    we_announce(f, false);
    UNTIL(!pair_has_route(THEIRS, ours, OURS));
    if (pair.program->kernel)
        UNTIL(!pair_in_kernel(THEIRS, ours, NULL));
    we_announce(f, true);
    UNTIL(pair_has_route(THEIRS, ours, OURS));
}

static void row_routes(const struct program *p, int argument) {
    pair.program = p;
    pair_make(OUR_AS, argument & EXTERNAL ? 65001 : OUR_AS, argument);
    if (argument & PROFILE_CALICO)
        pair.profile = "calico";
    pair_start();
    pair_wait_up(OURS, THEIRS);
    if (!(argument & BOTH_CONNECT))
        for (int f = 0; f < FAMILIES; f++)
            assert_int_equal(interop_peer_number(OURS, f, THEIRS, "incoming"),
                             (argument & THEY_CONNECT) != 0);
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
    pair_expect_routes(THEIRS, OURS, OURS, "");
    pair_expect_kernel(OURS, THEIRS);
    pair_expect_kernel(THEIRS, OURS);
    for (int f = 0; f < FAMILIES; f++)
        check_withdraw(f);
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
    assert_true(dropped(OURS, 0));
    assert_int_equal(nodes_stop(OURS), 0);
}

static void row_as4(const struct program *p, int argument) {
    (void)argument;
    pair.program = p;
    pair_make(4200000001, 4200000002, WE_CONNECT);
    pair_start();
    pair_wait_up(OURS, THEIRS);
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
    pair_expect_routes(THEIRS, OURS, OURS, "");
    assert_true(dropped(OURS, 0));
}

/* ---- route refresh ---- */

static uint64_t updates(_Atomic uint64_t *counter) {
    return atomic_load(counter);
}

static void row_refresh(const struct program *p, int argument) {
    struct scoreboard_slot *slot = nodes_slot(OURS);
    (void)argument;
    pair.program = p;
    if (!p->refresh)
        snprintf(interop_note, INTEROP_NOTE_SIZE, "asked by us only");
    if (p->keeps_routes || p->must_not_be_asked)
        snprintf(interop_note, INTEROP_NOTE_SIZE, "asked by them only");
    pair_make(OUR_AS, 65001, WE_CONNECT);
    pair_start();
    pair_wait_up(OURS, THEIRS);
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
    pair_expect_routes(THEIRS, OURS, OURS, "");
    for (int f = 0; f < FAMILIES; f++) {
        char request[80];
        uint64_t received = updates(&slot->updates_received), sent = updates(&slot->updates_sent);
        snprintf(request, sizeof request, "{\"op\":\"clear\",\"peer\":\"n1_%d\",\"how\":\"in\"}\n",
                 f == V4 ? 4 : 6);
        if (!p->must_not_be_asked)
            assert_true(nodes_ask(OURS, request, "\"ok\":true"));
        if (!p->keeps_routes && !p->must_not_be_asked)
            UNTIL(updates(&slot->updates_received) >= received + 2); /* both routes again */
        if (!p->refresh)
            continue;
        p->refresh(THEIRS, f, OURS);
        UNTIL(updates(&slot->updates_sent) >= sent + 2);
    }
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
    pair_expect_routes(THEIRS, OURS, OURS, "");
    assert_true(dropped(OURS, 0));
}

/* ---- passwords ---- */

static uint64_t md5_failures(void) {
    return nodes_tcp_counter(OURS, "TCPMD5Failure") + nodes_tcp_counter(THEIRS, "TCPMD5Failure");
}

static void row_password(const struct program *p, int role) {
    pair.program = p;
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
    pair_wait_up(OURS, THEIRS);
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
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
    pair.program = p;
    reflect(OURS, &third);
    pair_start();
    interop_start(&third, "fast");
    pair_wait_up(OURS, THEIRS);
    UNTIL(established(THIRD, 2));
    pair_expect_routes(THEIRS, THIRD, OURS, " originator=10.0.0.3 clusters=10.0.0.1");
    pair_expect_routes(THIRD, THEIRS, OURS, " originator=10.0.0.2 clusters=10.0.0.1");
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
    pair_expect_kernel(THIRD, THEIRS);
    pair_expect_kernel(THEIRS, THIRD);
}

static void row_they_reflect(const struct program *p, int argument) {
    struct setup third;
    (void)argument;
    pair.program = p;
    reflect(THEIRS, &third);
    pair.program->start(
        &pair.setup[THEIRS]); /* OpenBGPD: routes that come before it has read all of its
                            configuration are passed on as if it did not reflect */
    interop_start(&pair.setup[OURS], pair.profile);
    interop_start(&third, "fast");
    pair_wait_up(OURS, THEIRS);
    pair_wait_up(THIRD, THEIRS);
    pair_expect_routes(OURS, THIRD, THEIRS, " originator=10.0.0.3 clusters=10.9.9.2");
    pair_expect_routes(THIRD, OURS, THEIRS, " originator=10.0.0.1 clusters=10.9.9.2");
    pair_expect_routes(OURS, THEIRS, THEIRS,
                       p->reflects_own ? " originator=10.0.0.2 clusters=10.9.9.2" : "");
    pair_expect_kernel(OURS, THIRD);
    pair_expect_kernel(THIRD, OURS);
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
        pair.program->start(&s);
}

static bool mesh_up(int node, int other, int f) {
    return mesh_is_ours(node) ? interop_established(node, f, other)
                              : pair.program->established(node, f, other);
}

static bool mesh_has(int node, int other, int f, bool rich) {
    struct text seen;
    char hop[80];
    text_init(&seen);
    bool has = mesh_is_ours(node)
                   ? interop_route(node, interop_prefix(other, f, rich), other, &seen)
                   : pair.program->route(node, interop_prefix(other, f, rich), &seen);
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
            UNTIL(
                pair_in_kernel(node, interop_prefix(other, f, rich != 0), interop_addr(other, f)));
        }
    }
}

static void row_mesh(const struct program *p, int argument) {
    (void)argument;
    pair.program = p;
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
    {"every attribute of a third, passed on by us", 3, row_attributes, OURS, NULL, 0},
    {"every attribute of a third, passed on by them", 3, row_attributes, THEIRS, NULL, 0},
    {"several paths a prefix, sent by us", 4, row_add_path, OURS, NULL, 0},
    {"several paths a prefix, sent by them", 4, row_add_path, THEIRS, NULL, 0},
    {"10 collisions, their identifier higher", 3, row_collision, 0, NULL, CAN_COLLIDE},
    {"10 collisions, ours higher", 3, row_collision, 1, NULL, CAN_COLLIDE},
    {"graceful restart of theirs", 2, row_restart_theirs, 0, NULL, CAN_RESTART},
    {"graceful restart of ours", 2, row_restart_ours, 0, NULL, CAN_HELP},
    {"mesh of three of each, our profile `calico`", MESH, row_mesh, 0, &program_bird, 0},
    {"100 flaps", 2, row_flap, 0, NULL, 0},
};
const unsigned interop_row_count = sizeof interop_rows / sizeof interop_rows[0];
