/*
 * A pair of speakers, ours and the program's, and what each must hold of the other.
 *
 * Owns the running row's pair. A third node is ours, too.
 */
#include "interop_pair_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct pair pair;

void pair_make(uint32_t our_as, uint32_t their_as, int role) {
    pair.profile = "fast";
    pair.setup[OURS] = (struct setup){.node = OURS, .as = our_as, .neighbor_count = 1};
    pair.setup[THEIRS] = (struct setup){.node = THEIRS, .as = their_as, .neighbor_count = 1};
    pair.setup[OURS].neighbors[0] =
        (struct neighbor){.node = THEIRS, .as = their_as, .passive = (role & THEY_CONNECT) != 0};
    pair.setup[THEIRS].neighbors[0] =
        (struct neighbor){.node = OURS, .as = our_as, .passive = (role & WE_CONNECT) != 0};
}

void pair_start(void) {
    interop_start(&pair.setup[OURS], pair.profile);
    pair.program->start(&pair.setup[THEIRS]);
}

void pair_wait_up(int ours, int theirs) {
    for (int f = 0; f < FAMILIES; f++) {
        UNTIL(interop_established(ours, f, theirs));
        UNTIL(pair.program->established(theirs, f, ours));
    }
}

static bool external(void) {
    return pair.setup[OURS].as != pair.setup[THEIRS].as;
}

/* ---- routes ---- */

static bool route_of(int node, const char *prefix, int from, struct text *out) {
    text_clear(out);
    return node == THEIRS ? pair.program->route(node, prefix, out)
                          : interop_route(node, prefix, from, out);
}

/* Until the node has from its neighbour exactly this. */
void pair_expect_route(int node, const char *prefix, int from, const char *expected) {
    struct text seen;
    struct nanotime end = interop_deadline(NODES_DEADLINE_MS);
    text_init(&seen);
    while (!route_of(node, prefix, from, &seen) || strcmp(text_str(&seen), expected) != 0)
        if (!interop_wait(end))
            fail_msg("%s at node %d:\n  has      %s\n  expected %s", prefix, node, text_str(&seen),
                     expected);
    text_deinit(&seen);
}

bool pair_has_route(int node, const char *prefix, int from) {
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
                 pair.program->no_path ? ""
                 : outside             ? " 65010"
                                       : "65010");
    else if (rich && outside)
        snprintf(path, sizeof path, "64990 %u", pair.setup[of].as);
    else if (rich)
        snprintf(path, sizeof path, "64990");
    if (rich)
        snprintf(med, sizeof med, " med=%d", other ? 70 : 50);
    else if (pair.program->plain_med && (other || at_distance))
        snprintf(med, sizeof med, "%s", pair.program->plain_med);
    if (!outside)
        snprintf(pref, sizeof pref, " local_pref=%d", !rich ? 100 : other ? 170 : 150);
    else if (at != THEIRS || pair.program->local_pref_external)
        snprintf(pref, sizeof pref, " local_pref=100");
    snprintf(out, size, "origin=%s as_path=%s next_hop=%s%s%s%s%s", rich ? "egp" : "igp", path,
             interop_addr(of, f), med, pref,
             !rich   ? ""
             : other ? " communities=64512:1 64512:2 large=64512:3:4"
                     : " communities=64512:5 64512:6 large=64512:7:8",
             tail);
}

/* Both routes of both families of `of`, as `at` has them from `from`. */
void pair_expect_routes(int at, int of, int from, const char *tail) {
    for (int f = 0; f < FAMILIES; f++)
        for (int rich = 0; rich < 2; rich++) {
            char line[300];
            expected_line(line, sizeof line, at, of, f, rich != 0, tail);
            pair_expect_route(at, interop_prefix(of, f, rich != 0), from, line);
        }
}

void pair_expect_rich(int at, int of, int family) {
    char line[300];
    expected_line(line, sizeof line, at, of, family, true, "");
    pair_expect_route(at, interop_prefix(of, family, true), of, line);
}

bool pair_has_kept(int node, const char *prefix, int from) {
    struct text seen;
    text_init(&seen);
    if (node == THEIRS)
        pair.program->route(node, prefix, &seen);
    else
        interop_paths(node, prefix, from, &seen);
    bool has = seen.size > 0;
    text_deinit(&seen);
    return has;
}

bool pair_in_kernel(int node, const char *prefix, const char *gateway) {
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

void pair_expect_kernel(int at, int of) {
    if (at == THEIRS && !pair.program->kernel)
        return;
    for (int f = 0; f < FAMILIES; f++)
        for (int rich = 0; rich < 2; rich++)
            UNTIL(pair_in_kernel(at, interop_prefix(of, f, rich != 0), interop_addr(of, f)));
}

void pair_signal(int node, int number) {
    if (node == OURS) {
        kill(nodes.at[OURS].pid, number);
        return;
    }
    for (int slot = 0; slot < 2; slot++)
        if (interop_pid(node, slot) > 0)
            kill(interop_pid(node, slot), number);
}
