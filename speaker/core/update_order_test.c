/*
 * The order in which attributes arrive decides nothing: all 5,040 orders of seven attributes, from
 * a NEW and from an OLD speaker, are one and the same set (C065, B30).
 */
#include "message.h"

#include "../base/arena.h"
#include "codec_test.h"

#include <string.h>

#define ATTRIBUTES 7

struct order_case {
    const char *name;
    struct bgp_codec codec;
    const char *attributes[ATTRIBUTES];
};

static const struct order_case order_cases[] = {
    {"C065 from a NEW speaker",
     {.as4 = true, .families = {true, true}},
     {"40 01 01 00", "40 02 06 02 01 0000FDE9", "40 03 04 0A000002", "80 04 04 00000001",
      "40 05 04 00000064", "C0 08 04 00010001", "C0 63 01 07"}},
    {"B30 from an OLD speaker",
     {.as4 = false, .external = true, .families = {true, true}},
     {"40 01 01 00", "40 02 06 02 02 0007 5BA0", "40 03 04 0A000002", "C0 07 06 5BA0 01020304",
      "C0 11 06 02 01 00010000", "C0 12 08 00010000 01020304", "C0 63 01 07"}},
};

struct order_run {
    const struct order_case *c;
    struct attr_table table;
    struct arena *scratch;
    uint32_t first; /* the set of the first order */
    unsigned count;
};

static void order_decode(struct order_run *run, const unsigned order[ATTRIBUTES]) {
    uint8_t body[256] = {0};
    size_t size = 4;
    struct bgp_update u;
    for (unsigned i = 0; i < ATTRIBUTES; i++) {
        size = codec_hex(run->c->attributes[order[i]], body, size, sizeof body);
    }
    body[3] = (uint8_t)(size - 4);
    size = codec_hex("08 0A", body, size, sizeof body);
    arena_reset(run->scratch);
    update_decode(&run->c->codec, body, size, run->scratch, &u);
    uint32_t id = attr_intern(&run->table, &u.attrs);
    if (run->count++ == 0) {
        run->first = id;
    }
    if (u.outcome != BGP_OUTCOME_OK || id != run->first) {
        fail_msg("%s: order %u: %s, set %u", run->c->name, run->count, bgp_outcome_name(u.outcome),
                 id);
    }
}

/* Heap's permutations, without recursion: `turns` counts what recursion would. */
static void order_all(struct order_run *run) {
    unsigned order[ATTRIBUTES], turns[ATTRIBUTES] = {0};
    for (unsigned i = 0; i < ATTRIBUTES; i++) {
        order[i] = i;
    }
    order_decode(run, order);
    for (unsigned i = 1; i < ATTRIBUTES;) {
        if (turns[i] >= i) {
            turns[i++] = 0;
            continue;
        }
        unsigned other = i % 2 ? turns[i] : 0;
        unsigned kept = order[other];
        order[other] = order[i];
        order[i] = kept;
        order_decode(run, order);
        turns[i]++;
        i = 1;
    }
}

static void test_C065_orders(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof order_cases / sizeof order_cases[0]; i++) {
        struct order_run run = {.c = &order_cases[i], .scratch = arena_new()};
        attr_table_init(&run.table);
        order_all(&run);
        assert_int_equal(run.count, 5040);
        assert_int_equal(run.table.sets.used, 1);
        assert_int_equal(attr_get(&run.table, run.first)->references, run.count);
        for (; run.count > 0; run.count--) {
            attr_release(&run.table, run.first);
        }
        attr_table_deinit(&run.table);
        arena_free(run.scratch);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_C065_orders)};
    return cmocka_run_group_tests_name("update_order", tests, NULL, NULL);
}
