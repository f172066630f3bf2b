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

#define FLAPS 100
#define RSS_GROWTH_MAX 65536
#define CROSSED_MAX 3
#define ROUTES_EACH 2 /* of a node and family: the plain and the rich one */

/* ---- flaps ---- */

static void clear_hard(void) {
    assert_true(nodes_ask(OURS, "{\"op\":\"clear\",\"how\":\"hard\"}\n", "\"ok\":true"));
}

static uint64_t drops(void) {
    return atomic_load(&nodes_slot(OURS)->dropped_count);
}

/* What must be the same after any number of flaps. */
struct held {
    json_int_t adj_in[FAMILIES], loc_rib[FAMILIES], attr_sets, update_groups, sockets, rss_bytes;
};

static json_int_t number_in(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static struct held held_now(void) {
    json_t *c = nodes_request_json(OURS, "{\"op\":\"counters\"}\n");
    struct held h = {
        .attr_sets = number_in(c, "attr_sets"),
        .update_groups = number_in(c, "update_groups"),
        .sockets = number_in(c, "sockets"),
        .rss_bytes = number_in(c, "rss_bytes"),
    };
    for (int f = 0; f < FAMILIES; f++) {
        const char *family = f == V4 ? "ipv4" : "ipv6";
        h.adj_in[f] = number_in(json_object_get(c, "adj_in"), family);
        h.loc_rib[f] = number_in(json_object_get(c, "loc_rib"), family);
    }
    json_decref(c);
    return h;
}

/* Nothing is on its way out any more: an old connection may still wait for the other side's end
 * when the session is up again, and an ended update group is freed in slices. */
static bool at_rest(struct held *ret_held) {
    *ret_held = held_now();
    return ret_held->sockets == FAMILIES && ret_held->update_groups == FAMILIES;
}

static void expect_held(const struct held *before) {
    struct held now;
    UNTIL(at_rest(&now));
    for (int f = 0; f < FAMILIES; f++) {
        assert_int_equal(now.adj_in[f], ROUTES_EACH);
        assert_int_equal(now.loc_rib[f], 2 * ROUTES_EACH);
    }
    assert_int_equal(now.attr_sets, before->attr_sets);
    if (nodes.speaker)
        assert_true(now.rss_bytes <= before->rss_bytes + RSS_GROWTH_MAX);
}

/* All of it: sessions, and each other's routes. */
static void wait_settled(void) {
    pair_wait_up(OURS, THEIRS);
    for (int f = 0; f < FAMILIES; f++)
        for (int rich = 0; rich < 2; rich++) {
            UNTIL(pair_has_route(OURS, interop_prefix(THEIRS, f, rich != 0), THEIRS));
            UNTIL(pair_has_route(THEIRS, interop_prefix(OURS, f, rich != 0), OURS));
        }
}

static void flap(bool by_them) {
    uint64_t before = drops();
    if (by_them)
        pair.program->reset(THEIRS, OURS);
    else
        clear_hard();
    UNTIL(drops() >= before + FAMILIES);
    if (pair.program->revive)
        pair.program->revive(THEIRS, OURS);
}

void row_flap(const struct program *p, int argument) {
    struct held before = {0};
    (void)argument;
    pair.program = p;
    nodes.speaker = getenv("RIBCAGE_SPEAKER"); /* the sanitizers keep what is freed */
    /* One side calls: when two connections cross, RFC 4271 6.8 may take one that is Established
     * at one end only, and that end counts a flap more; row_collision has them cross. A program
     * that never has two of them calls as well: it may take our call and forget it, between the
     * end of a session and the restart of its neighbour, and then its own is all there is. So
     * with such a program a few may have crossed. */
    bool both = p->lacks & CAN_COLLIDE;
    int crossed_max = both ? CROSSED_MAX : 0;
    pair_make(OUR_AS, OUR_AS, both ? BOTH_CONNECT : WE_CONNECT);
    pair.setup[THEIRS].timers = TIMERS_FAST;
    pair_start();
    for (int i = 0; i < FLAPS; i++) {
        wait_settled();
        if (i == FLAPS / 10)
            UNTIL(at_rest(&before));
        flap(i % 2);
    }
    wait_settled();
    expect_held(&before);
    for (int f = 0; f < FAMILIES; f++) {
        int64_t ended = interop_peer_number(OURS, f, THEIRS, "dropped_count");
        assert_in_range(ended, FLAPS, FLAPS + crossed_max);
        assert_int_equal(interop_peer_number(OURS, f, THEIRS, "established_count"), ended + 1);
        assert_in_range(p->sessions(THEIRS, f, OURS), FLAPS + 1, FLAPS + 1 + crossed_max);
    }
    pair_expect_routes(OURS, THEIRS, THEIRS, "");
    pair_expect_routes(THEIRS, OURS, OURS, "");
    pair_expect_kernel(OURS, THEIRS);
    pair_expect_kernel(THEIRS, OURS);
    assert_int_equal(nodes_stop(OURS), 0);
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
    pair.program->reset(THEIRS, OURS);
    UNTIL(drops() >= before + FAMILIES);
    if (pair.program->revive)
        pair.program->revive(THEIRS, OURS);
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
