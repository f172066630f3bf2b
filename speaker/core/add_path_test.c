/*
 * Several paths per prefix (RFC 7911), received and sent: what each peer holds, by identifier, is
 * compared with what a model computes from what the others announced. Names conformance rows C197
 * to C201.
 */
#include "tables_test.h"

static struct bench b;

static struct attr_values route(uint32_t local_pref) {
    return (struct attr_values){
        .next_hop = addr("10.9.9.9"), .has_local_pref = true, .local_pref = local_pref};
}

/* All clients of ours, so that everything is reflected; bit i of `receive` and `send`: peer i. */
static void start(uint32_t count, uint32_t receive, uint32_t send, uint32_t send_max) {
    bench_config(&b, BGP_PROFILE_PLAIN, count);
    for (uint32_t i = 0; i < count; i++) {
        b.peers[i].rr_client = true;
        b.peers[i].families[BGP_IPV6_UNICAST] = true;
        for (unsigned f = 0; f < BGP_FAMILIES; f++) {
            b.peers[i].add_path_receive[f] = receive >> i & 1;
            b.peers[i].add_path_send[f] = send >> i & 1 ? send_max : 0;
        }
    }
    bench_start(&b);
    for (uint32_t i = 0; i < count; i++) {
        for (unsigned f = 0; f < BGP_FAMILIES; f++) {
            b.holds[i].p->add_path[f] = (uint8_t)((receive >> i & 1 ? BGP_ADD_PATH_RECEIVE : 0) |
                                                  (send >> i & 1 ? BGP_ADD_PATH_SEND : 0));
        }
        bench_up(&b, i);
    }
}

static uint32_t held_count(uint32_t peer, const char *prefix) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < b.holds[peer].route_count; i++) {
        count += ip_prefix_equal(b.holds[peer].routes[i].prefix, pfx(prefix));
    }
    return count;
}

/* The identifier under which a peer holds the IPv4 path with this LOCAL_PREF; 0: it does not. */
static uint32_t held_id(uint32_t peer, uint32_t local_pref) {
    for (uint32_t i = 0; i < b.holds[peer].route_count; i++) {
        const struct held_route *r = &b.holds[peer].routes[i];
        if (r->prefix.addr.family == IP_V4 &&
            attr_get(&b.attrs, r->attrs)->v.local_pref == local_pref) {
            return r->path_id;
        }
    }
    return 0;
}

/* RFC 7911 4: what each side can do, and what that makes of the session. */
static void test_C197_negotiation(void **state) {
    static const uint8_t both = BGP_ADD_PATH_BOTH, in = BGP_ADD_PATH_RECEIVE,
                         out = BGP_ADD_PATH_SEND;
    const struct {
        uint8_t ours, theirs, result;
    } rows[] = {
        {in, in, 0},      {in, out, in},   {in, both, in},  {out, in, out},     {out, out, 0},
        {out, both, out}, {both, in, out}, {both, out, in}, {both, both, both},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bgp_peer_options options = {.families = {true, false}};
        const struct bgp_neighbor config = {.options = &options};
        struct peer p = {.config = &config};
        struct bgp_open open = {.add_path = {rows[i].theirs, rows[i].theirs}};
        options.add_path_receive[0] = rows[i].ours & in;
        options.add_path_send[0] = rows[i].ours & out ? 2 : 0;
        assert_int_equal(session_add_path(&p, &open, BGP_IPV4_UNICAST), rows[i].result);
        assert_int_equal(session_add_path(&p, &open, BGP_IPV6_UNICAST), 0);
        p.no_capabilities = true;
        assert_int_equal(session_add_path(&p, &open, BGP_IPV4_UNICAST), 0);
    }
}

static void test_C198_identifiers_on_the_wire(void **state) {
    static const uint32_t ids[] = {0, 1, UINT32_MAX};
    static const uint8_t classic[] = {0, 0, 0,  0,   8,   10,  0,   0, 0,
                                      1, 8, 11, 255, 255, 255, 255, 8, 12};
    static const uint8_t mp[] = {0x90, 15, 0, 12, 0, 2, 1, 0, 0, 0, 0, 32, 0x20, 1, 0x0d, 0xb8};
    const struct ip_prefix prefixes[] = {pfx("10.0.0.0/8"), pfx("11.0.0.0/8"), pfx("12.0.0.0/8")};
    const struct ip_prefix six = pfx("2001:db8::/32");
    struct attr_encoding how = {.as4 = true, .path_ids = ids};
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    size_t size = 0;
    (void)state;
    assert_int_equal(update_encode(NULL, &how, prefixes, 3, message, sizeof message, &size), 3);
    assert_int_equal(size, BGP_HEADER_SIZE + 4 + sizeof classic);
    assert_memory_equal(message + BGP_HEADER_SIZE + 2, classic, sizeof classic);
    how.family = BGP_IPV6_UNICAST;
    assert_int_equal(update_encode(NULL, &how, &six, 1, message, sizeof message, &size), 1);
    assert_int_equal(size, BGP_HEADER_SIZE + 4 + sizeof mp);
    assert_memory_equal(message + BGP_HEADER_SIZE + 4, mp, sizeof mp);
}

static void test_C199_identifiers_apart(void **state) {
    static const uint32_t ids[] = {0, 1, UINT32_MAX};
    const struct ip_prefix p = pfx("192.0.2.0/24"), six = pfx("2001:db8::/32");
    (void)state;
    start(2, 1, 2, BGP_ADD_PATH_ALL);
    for (uint32_t i = 0; i < 3; i++) {
        struct attr_values v = route(100 + i);
        bench_send_path(&b, 0, &v, p, ids[i]);
        v.next_hop = addr("2001:db8::1");
        bench_send_path(&b, 0, &v, six, ids[i]);
    }
    bench_settle(&b);
    assert_int_equal(held_count(1, "192.0.2.0/24"), 3);
    assert_int_equal(held_count(1, "2001:db8::/32"), 3);
    assert_int_equal(rib_received_count(b.s, b.holds[0].p, 0), 3);
    for (uint32_t gone = 0; gone < 3; gone++) {
        assert_true(held_id(1, 100 + gone));
        bench_send_path(&b, 0, NULL, p, ids[gone]);
        bench_settle(&b);
        assert_int_equal(held_count(1, "192.0.2.0/24"), 2 - gone);
        assert_false(held_id(1, 100 + gone));
    }
    assert_int_equal(held_count(1, "2001:db8::/32"), 3);
    assert_int_equal(b.holds[1].spurious + b.holds[1].repeated, 0);
    bench_end(&b);
}

static void test_C200_stable_identifiers(void **state) {
    const struct ip_prefix p = pfx("192.0.2.0/24");
    struct attr_values first = route(101), second = route(102), third = route(103);
    (void)state;
    start(3, 1, 4, BGP_ADD_PATH_ALL);
    bench_send_path(&b, 0, &first, p, 7);
    bench_send_path(&b, 0, &second, p, 8);
    bench_settle(&b);
    uint32_t id = held_id(2, 101), other = held_id(2, 102);
    assert_true(id && other && id != other);
    (void)bench_announce(&b, 1, &third, "192.0.2.0/24"); /* a better one comes */
    bench_settle(&b);
    assert_int_equal(held_id(2, 101), id);
    assert_int_equal(held_id(2, 102), other);
    first.local_pref = 200; /* and the path itself changes */
    bench_send_path(&b, 0, &first, p, 7);
    bench_settle(&b);
    assert_int_equal(held_id(2, 200), id);
    assert_int_equal(held_count(2, "192.0.2.0/24"), 3);
    /* withdrawn and announced again before anybody was told: one path, not two */
    bench_send_path(&b, 0, NULL, p, 8);
    bench_send_path(&b, 0, &second, p, 8);
    bench_settle(&b);
    assert_int_equal(held_count(2, "192.0.2.0/24"), 3);
    bench_end(&b);
}

/* RFC 7911 3: four octets, the first one highest, in front of the length; both ways. */
static void test_C198_octets(void **state) {
    static const uint8_t body[] = {0,    0,    0, 0, 1, 2, 3, 4, 8,  10, 0xF0,
                                   0xE0, 0xD0, 7, 0, 0, 0, 0, 9, 16, 10, 1};
    static const uint32_t ids[] = {0x01020304, 0xF0E0D007, 9};
    struct bgp_codec codec = {.as4 = true, .families = {true, true}, .add_path = {true, false}};
    struct arena *arena = arena_new();
    struct bgp_update u;
    struct ip_prefix p;
    uint32_t id, n = 0;
    (void)state;
    update_decode(&codec, body, sizeof body, arena, &u);
    assert_int_equal(u.announced_count, 1);
    for (uint32_t at = 0; nlri_next_path(&u.announced[0], &at, &p, &id); n++)
        assert_int_equal(id, ids[n]);
    assert_int_equal(n, 3);
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    size_t size;
    struct attr_values v = route(100);
    const struct attr_encoding how = {.as4 = true, .path_ids = ids};
    p = pfx("10.0.0.0/8");
    assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
    static const uint8_t wire[] = {1, 2, 3, 4, 8, 10};
    assert_memory_equal(message + size - sizeof wire, wire, sizeof wire);
    arena_free(arena);
}

static void test_C201_identifiers_without_negotiation(void **state) {
    const struct ip_prefix p = pfx("192.0.2.0/24");
    const uint32_t id = UINT32_MAX; /* read as prefixes: a length no prefix has */
    struct bgp_codec codec = {.as4 = true, .families = {true, true}};
    struct attr_encoding how = {.as4 = true, .path_ids = &id};
    struct attr_values v = route(100);
    struct arena *arena = arena_new();
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    struct bgp_update u;
    size_t size = 0;
    (void)state;
    assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
    const uint8_t *body = message + BGP_HEADER_SIZE;
    update_decode(&codec, body, size - BGP_HEADER_SIZE, arena, &u);
    assert_int_equal(u.outcome, BGP_OUTCOME_SESSION_RESET);
    assert_int_equal(u.error.code, BGP_ERR_UPDATE);
    assert_int_equal(u.error.subcode, 10);
    codec.add_path[0] = true;
    update_decode(&codec, body, size - BGP_HEADER_SIZE, arena, &u);
    assert_int_equal(u.outcome, BGP_OUTCOME_OK);
    /* with identifiers negotiated, every cut inside the list is found */
    for (size_t cut = 1; cut < 8; cut++) {
        update_decode(&codec, body, size - BGP_HEADER_SIZE - cut, arena, &u);
        assert_int_equal(u.outcome, BGP_OUTCOME_SESSION_RESET);
    }
    arena_free(arena);
}

static void test_best_n_only(void **state) {
    const struct ip_prefix p = pfx("192.0.2.0/24");
    (void)state;
    start(2, 1, 2, 2);
    for (uint32_t i = 0; i < 5; i++) {
        struct attr_values v = route(100 + i);
        bench_send_path(&b, 0, &v, p, i);
        bench_settle(&b);
        assert_int_equal(held_count(1, "192.0.2.0/24"), i < 2 ? i + 1 : 2);
        assert_true(held_id(1, 100 + i));
        assert_true(i == 0 || held_id(1, 100 + i - 1));
    }
    bench_send_path(&b, 0, NULL, p, 4); /* the best one goes: the third one moves up */
    bench_settle(&b);
    assert_true(held_id(1, 103) && held_id(1, 102));
    assert_int_equal(held_count(1, "192.0.2.0/24"), 2);
    bench_end(&b);
}

static struct bgp_adj_out sent_of(uint32_t peer, const char *prefix, uint32_t *ret_count) {
    struct bgp_adj_out it = {0}, last = {0};
    *ret_count = 0;
    while (bgp_adj_out_next(b.s, (struct bgp_peer_id){b.holds[peer].p->index}, pfx(prefix), &it)) {
        ++*ret_count;
        last = it;
    }
    return last;
}

/* The default route a session is given is one path, with an identifier no other path has, whatever
 * the table has of the prefix. */
static void test_default_originate(void **state) {
    uint32_t count;
    (void)state;
    start(3, 0, 1, 4);
    struct attr_values v = route(200), w = route(300);
    bench_options(&b, 0)->default_originate[0] = true;
    adjout_regroup(b.s, b.holds[0].p);
    bench_settle(&b);
    assert_int_equal(held_count(0, "0.0.0.0/0"), 1);
    (void)bench_announce(&b, 1, &v, "0.0.0.0/0");
    (void)bench_announce(&b, 1, &v, "192.0.2.0/24");
    (void)bench_announce(&b, 2, &w, "192.0.2.0/24");
    bench_settle(&b);
    assert_int_equal(held_count(0, "0.0.0.0/0"), 1);
    assert_int_equal(held_count(2, "0.0.0.0/0"), 1);
    assert_int_equal(held_count(0, "192.0.2.0/24"), 2);
    uint32_t id = sent_of(0, "0.0.0.0/0", &count).path_id;
    assert_int_equal(count, 1);
    assert_true(id != 0 && id != held_id(0, 200) && id != held_id(0, 300));
    (void)sent_of(0, "192.0.2.0/24", &count);
    assert_int_equal(count, 2);
    (void)sent_of(2, "192.0.2.0/24",
                  &count); /* it sent the best one itself, and has no identifiers */
    assert_int_equal(count, 0);
    bench_options(&b, 0)->default_originate[0] = false;
    adjout_regroup(b.s, b.holds[0].p);
    bench_settle(&b);
    assert_int_equal(held_count(0, "0.0.0.0/0"), 1);
    bench_withdraw(&b, 1, "0.0.0.0/0");
    bench_settle(&b);
    assert_int_equal(held_count(0, "0.0.0.0/0"), 0);
    for (uint32_t i = 0; i < 3; i++) {
        bench_down(&b, i, false);
    }
    bench_work(&b);
    assert_int_equal(b.s->rib->paths.used + b.s->rib->entries[0].used, 0);
    bench_end(&b);
}

static void test_limit_of_paths_received(void **state) {
    const struct ip_prefix p = pfx("192.0.2.0/24");
    struct attr_values v = route(100);
    (void)state;
    start(1, 1, 0, 0);
    for (uint32_t i = 0; i < BGP_ADD_PATH_IDS + 10; i++) {
        bench_send_path(&b, 0, &v, p, i + 1);
    }
    assert_int_equal(rib_received_count(b.s, b.holds[0].p, 0), BGP_ADD_PATH_IDS);
    v.local_pref = 7; /* one that is held may still change */
    bench_send_path(&b, 0, &v, p, 1);
    bench_settle(&b);
    assert_int_equal(rib_received_count(b.s, b.holds[0].p, 0), BGP_ADD_PATH_IDS);
    bench_end(&b);
}

/* Paths of others do not count against the limit, nor stand for a peer's own. */
static void test_limit_is_of_each_peer(void **state) {
    const struct ip_prefix p = pfx("192.0.2.0/24");
    struct attr_values v = route(100);
    (void)state;
    start(2, 3, 0, 0);
    bench_options(&b, 0)->add_path_receive_max[0] = 2;
    for (uint32_t i = 0; i < 4; i++)
        bench_send_path(&b, 1, &v, p, i + 1);
    for (uint32_t i = 0; i < 4; i++) /* with identifiers the other one uses, and with none of its */
        bench_send_path(&b, 0, &v, p, 2 * i + 3);
    assert_int_equal(rib_received_count(b.s, b.holds[0].p, 0), 2);
    assert_int_equal(rib_received_count(b.s, b.holds[1].p, 0), 4);
    bench_end(&b);
}

/* ---- random steps against a model ---- */

#define MODEL_PEERS 4u
#define MODEL_IDS 3u
#define MODEL_PREFIXES 6u

static uint32_t offers[MODEL_PEERS][MODEL_PREFIXES][MODEL_IDS]; /* LOCAL_PREF, 0: none */

static struct ip_prefix model_prefix(uint32_t n) {
    return ip_prefix_make(ip4(0xC0000000u + (n << 8)), 24);
}

static bool model_holds(uint32_t to, struct ip_prefix prefix, uint32_t pref) {
    for (uint32_t i = 0; i < b.holds[to].route_count; i++) {
        const struct held_route *r = &b.holds[to].routes[i];
        if (ip_prefix_equal(r->prefix, prefix) &&
            attr_get(&b.attrs, r->attrs)->v.local_pref == pref) {
            return true;
        }
    }
    return false;
}

static void check_peer(uint32_t to) {
    uint32_t expected = 0;
    for (uint32_t from = 0; from < MODEL_PEERS; from++) {
        for (uint32_t n = 0; from != to && n < MODEL_PREFIXES * MODEL_IDS; n++) {
            uint32_t pref = offers[from][n / MODEL_IDS][n % MODEL_IDS];
            expected += pref != 0;
            assert_true(!pref || model_holds(to, model_prefix(n / MODEL_IDS), pref));
        }
    }
    assert_int_equal(b.holds[to].route_count, expected);
}

static void model_announce(uint64_t *rng, uint32_t i, uint32_t step) {
    uint32_t n = (uint32_t)rng_below(rng, MODEL_PREFIXES), id = (uint32_t)rng_below(rng, MODEL_IDS);
    bool withdraw = rng_below(rng, 3) == 0;
    struct attr_values v = route(1000 + step); /* unique: tells the paths apart */
    if (b.holds[i].up) {
        offers[i][n][id] = withdraw ? 0 : v.local_pref;
        bench_send_path(&b, i, withdraw ? NULL : &v, model_prefix(n), id);
    }
}

static void model_step(uint64_t *rng, uint32_t step) {
    uint32_t i = (uint32_t)rng_below(rng, MODEL_PEERS);
    switch (rng_below(rng, 12)) {
    case 0:
        if (b.holds[i].up) {
            bench_down(&b, i, false);
            memset(offers[i], 0, sizeof offers[i]);
        } else {
            bench_up(&b, i);
        }
        break;
    case 1:
        bench_work(&b);
        break;
    case 2:
        (void)bench_pull_some(&b, i, 1);
        break;
    case 3:
        if (b.holds[i].up) {
            adjout_refresh(b.s, b.holds[i].p, BGP_IPV4_UNICAST);
        }
        break;
    default:
        model_announce(rng, i, step);
    }
}

static void model_check(void) {
    for (uint32_t i = 0; i < 4; i++) {
        bench_settle(&b);
    }
    for (uint32_t i = 0; i < MODEL_PEERS; i++) {
        if (b.holds[i].up) {
            check_peer(i);
        }
    }
}

static void run_model(uint64_t seed, bool slow) {
    uint64_t rng = seed;
    memset(offers, 0, sizeof offers);
    start(MODEL_PEERS, 15, 15, BGP_ADD_PATH_ALL);
    b.rng = slow ? seed + 1 : 0;
    b.s->adjout->backlog_max = slow ? 300 : b.s->adjout->backlog_max;
    b.s->adjout->walk_max = slow ? 3 : b.s->adjout->walk_max;
    for (uint32_t step = 0; step < 400; step++) {
        model_step(&rng, step);
        if (step % 40 == 39) {
            model_check();
        }
    }
    bench_end(&b);
}

static void test_model(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        run_model(seed, seed % 2 == 0);
    }
}

/* Memory fails now and then; once it is back, everything is made good. */
static void test_model_without_memory(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        uint64_t rng = seed;
        memset(offers, 0, sizeof offers);
        start(MODEL_PEERS, 15, 15, BGP_ADD_PATH_ALL);
        for (uint32_t step = 0; step < 200; step++) {
            uint32_t i = (uint32_t)rng_below(&rng, MODEL_PEERS);
            model_announce(&rng, i, step);
            alloc_fail_after(1 + rng_below(&rng, 8), rng_below(&rng, 2) != 0);
            (void)rib_work(b.s, 64, b.now);
            alloc_fail_after(0, false);
            b.fail_after = 1 + rng_below(&rng, 8);
            (void)bench_pull_some(&b, i, 2);
            b.fail_after = 0;
        }
        model_check();
        bench_end(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C197_negotiation),
        cmocka_unit_test(test_C198_identifiers_on_the_wire),
        cmocka_unit_test(test_C199_identifiers_apart),
        cmocka_unit_test(test_C200_stable_identifiers),
        cmocka_unit_test(test_C201_identifiers_without_negotiation),
        cmocka_unit_test(test_best_n_only),
        cmocka_unit_test(test_default_originate),
        cmocka_unit_test(test_limit_of_paths_received),
        cmocka_unit_test(test_limit_is_of_each_peer),
        cmocka_unit_test(test_C198_octets),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_model_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
