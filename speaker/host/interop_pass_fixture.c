/*
 * Routes of a third party on their way through: every attribute that an external peer may set, and
 * several paths for one prefix (RFC 7911).
 *
 * One side has the sessions with the sources and passes their routes on to the other in an internal
 * session. A program that passes nothing on announces the same routes as its own.
 */
#include "interop_pair_fixture.h"
#include "interop_rows_fixture.h"
#include "interop_source_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SOURCES_MAX 2

static int sources[SOURCES_MAX][FAMILIES];

/* The pair, with `passing` as the one that has the sources. */
static void start(int passing, int source_count) {
    struct setup *s = &pair.setup[passing];
    bool itself = passing == THEIRS && pair.program->lacks & CAN_REFLECT;
    s->sources = itself;
    for (int i = 0; i < source_count && !itself; i++)
        s->neighbors[s->neighbor_count++] =
            (struct neighbor){.node = THIRD + i, .as = SOURCE_AS(THIRD + i), .passive = true};
    pair_start();
    pair_wait_up(OURS, THEIRS);
    for (int i = 0; i < source_count && !itself; i++)
        for (int f = 0; f < FAMILIES; f++)
            sources[i][f] = source_start(THIRD + i, passing, f);
}

static void stop(int source_count) {
    for (int i = 0; i < source_count; i++)
        for (int f = 0; f < FAMILIES; f++)
            if (sources[i][f] > 0)
                close(sources[i][f]);
    memset(sources, 0, sizeof sources);
}

void row_attributes(const struct program *p, int passing) {
    pair.program = p;
    pair_make(OUR_AS, OUR_AS, WE_CONNECT);
    start(passing, 1);
    bool hidden = passing == OURS && p->hides_unknown;
    if (hidden)
        snprintf(interop_note, INTEROP_NOTE_SIZE, "unknown ones are not shown");
    for (int f = 0; f < FAMILIES; f++) {
        char line[300];
        snprintf(line, sizeof line,
                 "origin=incomplete as_path=" SOURCE_AS_PATH
                 " next_hop=%s med=77 local_pref=100 " SOURCE_TAIL "%s",
                 interop_addr(THIRD, f), hidden ? "" : SOURCE_UNKNOWN);
        pair_expect_route(passing == OURS ? THEIRS : OURS, source_prefix(f), passing, line);
    }
    stop(1);
}

/* ---- several paths ---- */

static bool has_both(int at, int family, struct text *seen) {
    text_clear(seen);
    if (at == THEIRS)
        pair.program->paths(THEIRS, source_prefix(family), seen);
    else
        interop_paths(OURS, source_prefix(family), THEIRS, seen);
    return strstr(text_str(seen), " as_path=" SOURCE_AS_PATH " ") &&
           strstr(text_str(seen), " as_path=" SOURCE_SECOND_AS_PATH " ");
}

static void expect_both(int at, int family) {
    struct text seen;
    struct nanotime end = interop_deadline(NODES_DEADLINE_MS);
    text_init(&seen);
    while (!has_both(at, family, &seen))
        if (!interop_wait(end))
            fail_msg("node %d has only\n%s", at, text_str(&seen));
    text_deinit(&seen);
}

static void expect_one(int at, int family) {
    struct text seen;
    struct nanotime end = interop_deadline(NODES_DEADLINE_MS);
    text_init(&seen);
    while (has_both(at, family, &seen) || !strstr(text_str(&seen), SOURCE_AS_PATH))
        if (!interop_wait(end))
            fail_msg("node %d still has\n%s", at, text_str(&seen));
    text_deinit(&seen);
}

/* Both paths arrive; the second goes away, the first stays. */
void row_add_path(const struct program *p, int passing) {
    int at = passing == OURS ? THEIRS : OURS;
    pair.program = p;
    pair_make(OUR_AS, OUR_AS, WE_CONNECT);
    for (int side = OURS; side <= THEIRS; side++)
        pair.setup[side].neighbors[0].add_path = true;
    start(passing, SOURCES_MAX);
    for (int f = 0; f < FAMILIES; f++)
        expect_both(at, f);
    for (int f = 0; f < FAMILIES && sources[1][f]; f++) {
        close(sources[1][f]);
        sources[1][f] = 0;
        expect_one(at, f);
    }
    stop(SOURCES_MAX);
}
