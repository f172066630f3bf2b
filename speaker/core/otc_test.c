/*
 * Roles and Only to Customer (RFC 9234): which sessions come up, which routes pass and what is
 * added, first as functions, then through a speaker with a provider above and a customer below.
 */
#include "otc.h"

#include "../base/arena.h"
#include "pipe_test.h"
#include "rig_test.h"

static const enum bgp_role opposite[BGP_ROLES] = {
    [BGP_ROLE_PROVIDER] = BGP_ROLE_CUSTOMER, [BGP_ROLE_RS] = BGP_ROLE_RS_CLIENT,
    [BGP_ROLE_RS_CLIENT] = BGP_ROLE_RS,      [BGP_ROLE_CUSTOMER] = BGP_ROLE_PROVIDER,
    [BGP_ROLE_PEER] = BGP_ROLE_PEER,
};

static void expect_open(enum bgp_role ours, enum bgp_role theirs, bool strict, bool accepted) {
    struct rig r;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64513);
    r.peer.passive = true;
    r.peer.role = ours;
    r.peer.role_strict = strict;
    rig_start(&r);
    struct bgp_conn_id c = rig_call(&r);
    struct bgp_open open = rig_open(&r);
    open.role = (uint8_t)theirs;
    feed_open(&r, c, &open);
    if (accepted)
        assert_int_equal(rig_info(&r).state, BGP_OPEN_CONFIRM);
    else
        expect_notified(&r, BGP_ERR_OPEN, 11);
    rig_end(&r);
}

static void test_C208_role_pairs(void **state) {
    (void)state;
    for (int ours = BGP_ROLE_PROVIDER; ours < BGP_ROLES; ours++) {
        for (int theirs = BGP_ROLE_PROVIDER; theirs < BGP_ROLES; theirs++)
            expect_open((enum bgp_role)ours, (enum bgp_role)theirs, false,
                        opposite[ours] == (enum bgp_role)theirs);
        expect_open((enum bgp_role)ours, (enum bgp_role)BGP_ROLES, false, false); /* unassigned */
    }
}

static void test_C208_strict_mode(void **state) {
    (void)state;
    for (int ours = BGP_ROLE_PROVIDER; ours < BGP_ROLES; ours++) {
        expect_open((enum bgp_role)ours, BGP_ROLE_NONE, false, true);
        expect_open((enum bgp_role)ours, BGP_ROLE_NONE, true, false);
        expect_open((enum bgp_role)ours, opposite[ours], true, true);
    }
    expect_open(BGP_ROLE_NONE, BGP_ROLE_PEER, false, true);
}

/* An OPEN with two Role capabilities, their values as on the wire. */
static void expect_two_roles(enum bgp_role ours, uint8_t first, uint8_t second, bool accepted) {
    struct rig r;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64513);
    r.peer.passive = true;
    r.peer.role = ours;
    rig_start(&r);
    struct bgp_conn_id c = rig_call(&r);
    const uint8_t open[] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,  0xFF, 0xFF, 0xFF,   0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0,    37,   1,    4,    0xFC,  0x01, 0,    90,     10,   0,
        0,    2,    8,    2,    6,    9,    1,    first, 9,    1,    second,
    };
    rig_feed(&r, c, open, sizeof open);
    if (accepted)
        assert_int_equal(rig_info(&r).state, BGP_OPEN_CONFIRM);
    else
        expect_notified(&r, BGP_ERR_OPEN, 11);
    rig_end(&r);
}

/* RFC 9234 4.2: two that differ are refused whichever comes last, and by who has no role, too;
 * the same one twice is one. */
static void test_C208_two_roles(void **state) {
    (void)state;
    static const enum bgp_role ours[] = {BGP_ROLE_CUSTOMER, BGP_ROLE_NONE};
    for (size_t i = 0; i < 2; i++) {
        expect_two_roles(ours[i], 4, 0, false);
        expect_two_roles(ours[i], 0, 4, false);
        expect_two_roles(ours[i], 0, 200, false);
        expect_two_roles(ours[i], 200, 0, false);
        expect_two_roles(ours[i], 0, 0, true);
    }
    expect_two_roles(BGP_ROLE_NONE, 254, 255, false); /* unassigned, both */
    expect_two_roles(BGP_ROLE_NONE, 255, 255, true);
    expect_two_roles(BGP_ROLE_CUSTOMER, 255, 255, false);
}

/* ---- the rules ---- */

#define REMOTE_AS 64513u
#define LOCAL_AS 64512u

static const uint8_t otc_remote[4] = {0, 0, 0xFC, 0x01}, otc_other[4] = {0, 0, 0, 9};

static uint32_t otc_of(const struct attr_values *v) {
    for (uint32_t i = 0; i < v->unknown_count; i++) {
        const uint8_t *d = v->unknown[i].data;
        assert_true(i == 0 || v->unknown[i - 1].code < v->unknown[i].code);
        if (v->unknown[i].code == ATTR_OTC)
            return (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
    }
    return 0;
}

struct rule {
    enum bgp_role role;
    const uint8_t *otc; /* on the route; NULL: none */
    bool leak_in, leak_out;
    uint32_t after_in, after_out; /* when it passes */
};

static const struct rule rules[] = {
    {BGP_ROLE_NONE, NULL, false, false, 0, 0},
    {BGP_ROLE_NONE, otc_other, false, false, 9, 9},
    {BGP_ROLE_PROVIDER, NULL, false, false, 0, LOCAL_AS},
    {BGP_ROLE_PROVIDER, otc_remote, true, false, 0, REMOTE_AS},
    {BGP_ROLE_PROVIDER, otc_other, true, false, 0, 9},
    {BGP_ROLE_RS, NULL, false, false, 0, LOCAL_AS},
    {BGP_ROLE_RS, otc_other, true, false, 0, 9},
    {BGP_ROLE_RS_CLIENT, NULL, false, false, REMOTE_AS, 0},
    {BGP_ROLE_RS_CLIENT, otc_other, false, true, 9, 0},
    {BGP_ROLE_CUSTOMER, NULL, false, false, REMOTE_AS, 0},
    {BGP_ROLE_CUSTOMER, otc_other, false, true, 9, 0},
    {BGP_ROLE_PEER, NULL, false, false, REMOTE_AS, LOCAL_AS},
    {BGP_ROLE_PEER, otc_remote, false, true, REMOTE_AS, 0},
    {BGP_ROLE_PEER, otc_other, true, true, 0, 0},
};

static void test_C209_otc_rules(void **state) {
    (void)state;
    static const uint8_t neighbours[2] = {1, 2};
    struct arena *arena = arena_new();
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *q = &rules[i];
        const struct attr_unknown list[3] = {{0xC0, 30, 1, neighbours},
                                             {0xC0, q->otc ? ATTR_OTC : 34, 4, otc_other},
                                             {0xC0, 40, 1, neighbours + 1}};
        struct attr_unknown own[3];
        memcpy(own, list, sizeof own);
        own[1].data = q->otc ? q->otc : otc_other;
        struct attr_values in = {.unknown = own, .unknown_count = 3}, out = in;
        assert_int_equal(otc_import_obstacle(q->role, REMOTE_AS, &in) != NULL, q->leak_in);
        assert_int_equal(otc_export_obstacle(q->role, &out) != NULL, q->leak_out);
        assert_true(otc_import(q->role, REMOTE_AS, arena, &in));
        assert_true(otc_export(q->role, LOCAL_AS, arena, &out));
        if (!q->leak_in)
            assert_int_equal(otc_of(&in), q->after_in);
        if (!q->leak_out)
            assert_int_equal(otc_of(&out), q->after_out);
        assert_int_equal(own[0].code, 30); /* the route's own list is not touched */
        assert_int_equal(in.unknown[0].code, 30);
        assert_int_equal(in.unknown[in.unknown_count - 1].code, 40);
    }
    struct attr_values v = {0}; /* nothing beside it; four octets of an AS */
    assert_true(otc_import(BGP_ROLE_CUSTOMER, 4200000001, arena, &v) && v.unknown_count == 1);
    assert_int_equal(otc_of(&v), 4200000001);
    arena_free(arena);
}

/* ---- through speakers: 1 provider - 2 - 3 customer, 4 lateral peer of 2 ---- */

#define NODES 4

struct network {
    struct pipe_world w;
    struct bgp_config configs[NODES];
    struct bgp_peer_config peers[NODES][3];
    struct bgp_origin_config origins[NODES];
};

static struct bgp_peer_config *add_peer(struct network *n, uint32_t from, uint32_t to,
                                        enum bgp_role role) {
    struct bgp_config *c = &n->configs[from];
    struct bgp_peer_config *p = &n->peers[from][c->peer_count++];
    bgp_peer_config_init(p, BGP_PROFILE_FAST);
    snprintf(p->name, sizeof p->name, "to%u", to + 1);
    p->remote_addr = ip4(0x0A000001 + to);
    p->remote_as = 65001 + to;
    p->role = role;
    return p;
}

static void prepare(struct network *n) {
    memset(n, 0, sizeof *n);
    pipe_init(&n->w, 5);
    for (uint32_t i = 0; i < NODES; i++) {
        struct bgp_config *c = &n->configs[i];
        bgp_config_init(c, BGP_PROFILE_FAST);
        c->local_as = 65001 + i;
        c->router_id = ip4(0x0A000001 + i);
        c->peers = n->peers[i];
        n->origins[i] =
            (struct bgp_origin_config){.prefix = ip_prefix_make(ip4(0x14000000 + (i << 16)), 16),
                                       .source = ROUTE_SOURCE_STATIC,
                                       .metric = UINT32_MAX};
        c->origins = &n->origins[i];
        c->origin_count = 1;
    }
}

static void run(struct network *n) {
    for (uint32_t i = 0; i < NODES; i++)
        pipe_add(&n->w, &n->configs[i], NULL);
    pipe_run(&n->w, 20000);
}

static void build(struct network *n) {
    prepare(n);
    add_peer(n, 0, 1, BGP_ROLE_PROVIDER);
    add_peer(n, 1, 0, BGP_ROLE_CUSTOMER);
    add_peer(n, 1, 2, BGP_ROLE_PROVIDER);
    add_peer(n, 2, 1, BGP_ROLE_CUSTOMER);
    add_peer(n, 1, 3, BGP_ROLE_PEER);
    add_peer(n, 3, 1, BGP_ROLE_PEER);
    run(n);
}

/* What came from above or from the side goes down only; what came from below goes everywhere. */
static void test_C209_otc_network(void **state) {
    (void)state;
    static struct network n;
    build(&n);
    static const char *const prefixes[NODES] = {"20.0.0.0/16", "20.1.0.0/16", "20.2.0.0/16",
                                                "20.3.0.0/16"};
    static const bool want[NODES][NODES] = {
        /* node 1 (provider), 2, 3 (customer), 4 (peer) against the origins 1 to 4 */
        {true, true, true, false},
        {true, true, true, true},
        {true, true, true, true},
        {false, true, true, true},
    };
    for (uint32_t i = 0; i < NODES; i++) {
        for (uint32_t j = 0; j < NODES; j++) {
            if (pipe_has_route(&n.w, i, prefixes[j]) != want[i][j])
                fail_msg("node %u, %s", i + 1, prefixes[j]);
        }
    }
    pipe_free(&n.w);
}

/* RFC 9234 5: "equal to the AS number of the local AS" is the one the neighbour knows. Were it the
 * one behind `local_as`, a lateral peer would take the route for a leak. */
static void test_C209_otc_of_local_as(void **state) {
    (void)state;
    static struct network n;
    prepare(&n);
    add_peer(&n, 0, 1, BGP_ROLE_PEER)->local_as = 65077;
    add_peer(&n, 1, 0, BGP_ROLE_PEER)->remote_as = 65077;
    run(&n);
    assert_int_equal(pipe_state(&n.w, 1, "to1"), BGP_ESTABLISHED);
    assert_true(pipe_has_route(&n.w, 1, "20.0.0.0/16"));
    assert_true(pipe_has_route(&n.w, 0, "20.1.0.0/16"));
    pipe_free(&n.w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C208_role_pairs),  cmocka_unit_test(test_C208_strict_mode),
        cmocka_unit_test(test_C208_two_roles),   cmocka_unit_test(test_C209_otc_rules),
        cmocka_unit_test(test_C209_otc_network), cmocka_unit_test(test_C209_otc_of_local_as),
    };
    return cmocka_run_group_tests_name("otc", tests, NULL, NULL);
}
