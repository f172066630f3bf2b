/*
 * What a speaker keeps of its neighbours: one copy of what is the same, the neighbour's own as it
 * was given, and nothing half made when memory runs out.
 */
#include "neighbor.h"

#include "../base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 300u

static uint16_t chains[COUNT][2]; /* each peer has an array of its own, as readers make them */
static struct bgp_peer_config peers[COUNT];
static struct bgp_condition_config conditions[2] = {{.advertise_policy = 1, .exist_policy = 2},
                                                    {.advertise_policy = 1, .exist_policy = 2}};

static struct bgp_config mesh(void) {
    for (uint32_t i = 0; i < COUNT; i++) {
        struct bgp_peer_config *p = &peers[i];
        memset(p, 0, sizeof *p);
        bgp_peer_config_init(p, BGP_PROFILE_CALICO);
        (void)snprintf(p->name, sizeof p->name, "Mesh_%u", i);
        p->remote_addr = ip4(0x0A000001u + i);
        p->remote_as = 64512;
        chains[i][0] = 3;
        chains[i][1] = 5;
        p->import[0] = (struct policy_chain){.policies = chains[i], .count = 2};
        p->export[1] = (struct policy_chain){.policies = chains[i], .count = 1};
        p->conditions = &conditions[i % 2];
        p->condition_count = 1;
    }
    return (struct bgp_config){.peers = peers, .peer_count = COUNT};
}

static void the_same_is_kept_once(void **state) {
    struct bgp_config c = mesh();
    struct arena *arena = arena_new();
    const struct bgp_neighbor *kept[COUNT];
    (void)state;
    assert_true(neighbors_make(arena, &c, kept, NULL));
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_ptr_equal(kept[i]->options, kept[0]->options);
        assert_null(kept[i]->texts);
        assert_string_equal(kept[i]->name, peers[i].name);
        assert_true(ip_equal(kept[i]->remote_addr, peers[i].remote_addr));
        assert_int_equal(kept[i]->remote_as, 64512);
    }
    const struct bgp_peer_options *o = kept[0]->options;
    assert_ptr_not_equal(o->import[0].policies, chains[0]);
    assert_int_equal(o->import[0].policies[1], 5);
    assert_int_equal(o->import[0].count, 2);
    assert_int_equal(o->export[1].count, 1);
    assert_ptr_equal(o->conditions, kept[1]->options->conditions);
    assert_ptr_not_equal(o->conditions, conditions);
    assert_true(arena_size(arena) <= COUNT * 64 + sizeof *o + 1024);
    arena_free(arena);
}

/* One member that differs, wherever it stands, and the options are others. */
static void what_differs_is_kept_apart(void **state) {
    struct bgp_config c = mesh();
    struct arena *arena = arena_new();
    const struct bgp_neighbor *kept[COUNT];
    (void)state;
    peers[1].weight = 7;
    chains[2][1] = 6;
    peers[3].export[0].accept_by_default = !peers[3].export[0].accept_by_default;
    peers[4].condition_count = 0;
    peers[5].export[1].count = 2;
    peers[6].families[1] = true;
    assert_true(neighbors_make(arena, &c, kept, NULL));
    for (uint32_t i = 1; i <= 6; i++)
        for (uint32_t j = 0; j < i; j++)
            assert_ptr_not_equal(kept[i]->options, kept[j]->options);
    assert_ptr_equal(kept[7]->options, kept[0]->options);
    assert_int_equal(kept[1]->options->weight, 7);
    assert_int_equal(kept[2]->options->import[0].policies[1], 6);
    arena_free(arena);
}

static void texts_are_the_neighbours_own(void **state) {
    char secret[] = "secret";
    struct arena *given = arena_new();
    struct bgp_config c = mesh();
    struct arena *arena = arena_new();
    const struct bgp_neighbor *kept[COUNT];
    (void)state;
    peers[1].password = bgp_password_new(given, "a\0b", 3);
    peers[2].password = bgp_password_new(given, "a\0b", 3);
    peers[3].description = secret;
    peers[4].shutdown_text = "gone for lunch";
    peers[4].shutdown = true;
    assert_true(neighbors_make(arena, &c, kept, NULL));
    secret[0] = 'S';
    arena_free(given);
    assert_null(bgp_neighbor_password(kept[0]));
    assert_int_equal(bgp_neighbor_password(kept[1])->size, 3);
    assert_memory_equal(bgp_neighbor_password(kept[1])->octets, "a\0b", 3);
    assert_ptr_equal(kept[1]->texts, kept[2]->texts);
    assert_null(bgp_neighbor_password(kept[3]));
    assert_string_equal(bgp_neighbor_description(kept[3]), "secret");
    assert_string_equal(bgp_neighbor_shutdown_text(kept[4]), "gone for lunch");
    assert_true(kept[4]->shutdown);
    assert_ptr_equal(kept[4]->options, kept[0]->options);
    arena_free(arena);
}

static void names_may_be_as_long_as_they_like(void **state) {
    struct bgp_config c = mesh();
    struct arena *arena = arena_new();
    const struct bgp_neighbor *kept[COUNT];
    (void)state;
    memset(peers[1].name, 'n', sizeof peers[1].name - 1);
    assert_true(neighbors_make(arena, &c, kept, NULL));
    assert_string_equal(kept[1]->name, peers[1].name);
    assert_string_equal(kept[2]->name, peers[2].name);
    arena_free(arena);
}

/* Whoever calls from a range is not called. */
static void a_range_has_a_template(void **state) {
    static const struct bgp_password key = {1, {'k'}};
    struct bgp_listen_range ranges[2] = {{.peer = {.name = "RACK", .remote_as = 65001}},
                                         {.peer = {.name = "ANY", .password = &key}}};
    const struct bgp_config c = {.listen_ranges = ranges, .listen_range_count = 2};
    struct arena *arena = arena_new();
    const struct bgp_neighbor *templates[2];
    (void)state;
    assert_true(neighbors_make(arena, &c, NULL, templates));
    assert_string_equal(templates[0]->name, "RACK");
    assert_int_equal(templates[0]->remote_as, 65001);
    assert_true(templates[0]->options->passive);
    assert_false(ip_is_set(templates[0]->remote_addr));
    assert_ptr_equal(templates[0]->options, templates[1]->options);
    assert_true(bgp_password_equal(bgp_neighbor_password(templates[1]), &key));
    arena_free(arena);
}

static void without_memory_it_says_so(void **state) {
    struct bgp_config c = mesh();
    const struct bgp_neighbor *kept[COUNT];
    unsigned refused = 0;
    bool made = false;
    (void)state;
    peers[1].description = "one";
    for (unsigned long n = 1; !made; n++) {
        struct arena *arena = arena_new();
        alloc_fail_after(n, true);
        made = neighbors_make(arena, &c, kept, NULL);
        alloc_fail_after(0, false);
        refused += !made;
        arena_free(arena);
    }
    assert_true(refused >= 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_kept_once),
        cmocka_unit_test(what_differs_is_kept_apart),
        cmocka_unit_test(texts_are_the_neighbours_own),
        cmocka_unit_test(names_may_be_as_long_as_they_like),
        cmocka_unit_test(a_range_has_a_template),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
