/*
 * Sessions that end and come back: a hundred times, and with both sides calling at once.
 */
#include "interop_pair_fixture.h"
#include "interop_rows_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FLAPS 20

/* ---- flaps ---- */

static void clear_hard(void) {
    assert_true(nodes_ask(OURS, "{\"op\":\"clear\",\"how\":\"hard\"}\n", "\"ok\":true"));
}

static uint64_t drops(void) {
    return atomic_load(&nodes_slot(OURS)->dropped_count);
}

/* The other side ends the session, or dies and comes back. */
static void reset_theirs(void) {
    if (pair.program->reset) {
        pair.program->reset(THEIRS, OURS);
        return;
    }
    uint64_t before = drops();
    pair.program->kill(THEIRS);
    UNTIL(drops() >= before + FAMILIES);
    pair.program->start(&pair.setup[THEIRS]);
}

void row_flap(const struct program *p, int argument) {
    (void)argument;
    pair.program = p;
    if (p->idles)
        snprintf(interop_note, INTEROP_NOTE_SIZE, "theirs only");
    pair_make(OUR_AS, OUR_AS, BOTH_CONNECT);
    pair.setup[THEIRS].timers = TIMERS_FAST;
    pair_start();
    for (int i = 0; i < FLAPS; i++) {
        pair_wait_up(OURS, THEIRS);
        UNTIL(loc_rib(OURS, 4));
        uint64_t before = drops();
        if (i % 2 || p->idles)
            reset_theirs();
        else
            clear_hard();
        UNTIL(drops() >= before + FAMILIES);
    }
    pair_wait_up(OURS, THEIRS);
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
    pair_expect_routes(THEIRS, OURS, OURS, "");
    pair_expect_kernel(OURS, THEIRS);
    pair_expect_kernel(THEIRS, OURS);
}

/* ---- collisions ---- */

/*
 * A gate that lets TCP's own small segments through and keeps OPEN messages back: both sides open
 * a connection before either has heard of the other's BGP identifier. Both are stopped then until
 * TCP has delivered all four OPENs, so that each reads two at once and RFC 4271 6.8 has two
 * connections to choose from.
 */
#define COLLISIONS 10
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

static void hold_until_crossed(int first) {
    UNTIL(crossed(SENDING));
    pair_signal(OURS, SIGSTOP);
    pair_signal(THEIRS, SIGSTOP);
    gate("1500");
    UNTIL(crossed(RECEIVED));
    pair_signal(first, SIGCONT);
    pair_signal(first == OURS ? THEIRS : OURS, SIGCONT);
}

/* The connection that stays is the one opened by the side with the higher identifier. */
static void check_kept(bool ours_is_higher) {
    for (int f = 0; f < FAMILIES; f++)
        assert_int_equal(interop_peer_number(OURS, f, THEIRS, "incoming"), !ours_is_higher);
}

static void collide(bool ours_is_higher, int first) {
    pair_wait_up(OURS, THEIRS);
    uint64_t before = drops();
    gate(GATE_MTU);
    reset_theirs();
    UNTIL(drops() >= before + FAMILIES);
    hold_until_crossed(first);
    pair_wait_up(OURS, THEIRS);
    check_kept(ours_is_higher);
    UNTIL(loc_rib(OURS, 4));
}

void row_collision(const struct program *p, int ours_is_higher) {
    pair.program = p;
    pair_make(OUR_AS, OUR_AS, BOTH_CONNECT);
    pair.setup[THEIRS].timers = TIMERS_FAST;
    pair.setup[OURS].last_id = ours_is_higher ? 99 : 1;
    pair_start();
    for (int i = 0; i < COLLISIONS; i++)
        collide(ours_is_higher != 0, i % 2 ? OURS : THEIRS);
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
    pair_expect_routes(THEIRS, OURS, OURS, "");
}
