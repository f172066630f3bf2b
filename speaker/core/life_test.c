/*
 * The n-th allocation fails, once or from then on, for every n of a session's whole life: calls,
 * routes in and out, a refresh, a new configuration, a restart, dumps. Nothing may break or leak;
 * and with memory back, all is as if there had always been some: what the observer holds is what
 * the speaker is told then, and nothing is left of what was before.
 */
#include "hostile_fixture.h"
#include "observer_fixture.h"

#include "../base/arena.h"
#include "../base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOCAL_AS 64512u
#define REMOTE_AS 65001u
#define REMOTE_ADDR UINT32_C(0x0A000002)
#define OWN_ADDR UINT32_C(0x0A000001)
#define FAILURES_MAX 20000
#define SETTLE_MAX 8
#define TURNS_MAX 60

struct life {
    struct bgp_speaker *s;
    struct bgp_config config;
    struct bgp_peer_config peers[2];
    struct bgp_origin_config origin;
    struct observer observer;
    struct nanotime now;
    struct bgp_conn_id conn;
    bool open;
};

static void events(struct life *l) {
    struct bgp_event e;
    while (bgp_next_event(l->s, &e)) {
        observer_event(&l->observer, &e);
        if (e.kind == BGP_EVENT_TRACK && e.track.wanted)
            bgp_nexthop_set(l->s, e.track.address, true, 0, l->now);
        if ((e.kind == BGP_EVENT_CLOSE || e.kind == BGP_EVENT_ABORT) &&
            e.conn.index == l->conn.index && e.conn.generation == l->conn.generation)
            l->open = false;
    }
}

static void pull(struct life *l) {
    struct bgp_part part;
    while (l->open && bgp_conn_pull(l->s, l->conn, &part, 1, l->now) > 0) {
        bgp_conn_sent(l->s, l->conn, part.size, l->now);
        events(l);
    }
    observer_run(&l->observer, l->now);
    events(l);
}

/* Without memory work may stay undone for as long as that lasts. */
static void settle(struct life *l) {
    for (int i = 0; i < SETTLE_MAX; i++) {
        pull(l);
        if (nanotime_before(l->now, bgp_next_deadline(l->s)))
            break;
        bgp_advance(l->s, l->now);
        events(l);
    }
    pull(l);
}

static void pass(struct life *l, uint64_t ms) {
    struct nanotime end = nanotime_add_ms(l->now, ms), next;
    settle(l);
    for (int i = 0; i < TURNS_MAX && (next = bgp_next_deadline(l->s), !nanotime_before(end, next));
         i++) {
        l->now = nanotime_before(l->now, next) ? next : l->now;
        settle(l);
    }
    l->now = end;
}

static void begin(struct life *l, enum bgp_profile profile) {
    const struct bgp_env env = {.seed = 3};
    memset(l, 0, sizeof *l);
    l->now.ns = NANOS_PER_S;
    bgp_config_init(&l->config, profile);
    l->config.local_as = LOCAL_AS;
    l->config.router_id = ip4(OWN_ADDR);
    l->config.peers = l->peers;
    l->config.peer_count = 2;
    l->origin = (struct bgp_origin_config){.prefix = ip_prefix_make(ip4(0x0B000000), 8),
                                           .source = ROUTE_SOURCE_STATIC,
                                           .metric = UINT32_MAX};
    l->config.origins = &l->origin;
    l->config.origin_count = 1;
    observer_config(&l->peers[0], profile, LOCAL_AS);
    observer_config(&l->peers[1], profile, REMOTE_AS);
    strncpy(l->peers[1].name, "other", sizeof l->peers[1].name - 1);
    l->peers[1].rr_client = false;
    l->peers[1].remote_addr = ip4(REMOTE_ADDR);
    l->peers[1].graceful_restart = BGP_GR_FULL;
    l->peers[1].soft_reconfiguration = true;
    l->s = bgp_speaker_new(&l->config, &env, l->now);
    assert_non_null(l->s);
    observer_start(&l->observer, l->s, LOCAL_AS, l->now);
    events(l);
    assert_true(l->observer.up);
    settle(l);
}

static void hang_up(struct life *l) {
    if (l->open)
        bgp_conn_down(l->s, l->conn, BGP_CONN_RESET, l->now);
    l->open = false;
    events(l);
}

/* The other peer calls and says whom it is. */
static bool call(struct life *l) {
    const struct bgp_endpoint remote = {ip4(REMOTE_ADDR), 4000}, local = {ip4(OWN_ADDR), 179};
    static const struct hostile who = {.asn = REMOTE_AS, .as4 = true};
    struct bgp_reject reject;
    uint8_t greeting[1024];
    size_t size =
        hostile_greeting(&who, HOSTILE_ESTABLISHED, REMOTE_ADDR, greeting, sizeof greeting);
    l->open = bgp_conn_accept(l->s, remote, local, l->now, &l->conn, &reject) == BGP_OK;
    if (l->open)
        bgp_conn_receive(l->s, l->conn, greeting, size, l->now);
    events(l);
    return l->open;
}

static void say(struct life *l, const uint8_t *data, size_t size) {
    if (l->open)
        bgp_conn_receive(l->s, l->conn, data, size, l->now);
    events(l);
}

/* Undamaged UPDATEs, the same ones for the same seed. */
static void routes(struct life *l, uint64_t seed) {
    struct hostile *h = hostile_new(HOSTILE_REALISTIC, seed);
    h->asn = REMOTE_AS;
    h->as4 = true;
    for (int i = 0; i < 6; i++) {
        h->index = 0;
        hostile_next(h);
        say(l, h->data, h->size);
        settle(l);
    }
    free(h);
}

static void look(struct life *l) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    struct text text;
    text_init(&text);
    if (bgp_rib_begin(l->s, BGP_IPV4_UNICAST, &it) == BGP_OK) {
        while (bgp_rib_next_prefix(l->s, &it)) {
            while (bgp_rib_next_path(l->s, &it, &path)) {
                assert_non_null(path.attrs);
            }
        }
        bgp_rib_end(&it);
    }
    struct bgp_peer_info info;
    if (bgp_peer_at(l->s, 1, &info))
        (void)!bgp_explain(l->s, info.id, true, l->origin.prefix, &text);
    text_deinit(&text);
}

/* What there is to a session; any step may have come to nothing. */
static void live(struct life *l) {
    static const uint8_t refresh[23] = {[0 ... 15] = 0xFF, 0, 23, 5, 0, 1, 0, 1};
    static const uint8_t broken[23] = {[0 ... 15] = 0xFF, 0, 23, 2, 0, 9, 0, 0};
    struct bgp_origin_config more = l->origin;
    more.prefix = ip_prefix_make(ip4(0x0C000000), 8);
    call(l);
    routes(l, 1);
    say(l, refresh, sizeof refresh);
    (void)!bgp_originate(l->s, &more, l->now);
    (void)!bgp_clear(l->s, (struct bgp_peer_id){0}, BGP_CLEAR_SOFT_IN, l->now);
    (void)!bgp_clear(l->s, (struct bgp_peer_id){0}, BGP_CLEAR_SOFT_OUT, l->now);
    settle(l);
    look(l);
    l->peers[1].weight = 7;
    l->peers[1].soft_reconfiguration = false;
    (void)!bgp_configure(l->s, &l->config, l->now);
    settle(l);
    hang_up(l); /* a restart */
    pass(l, 1000);
    call(l);
    routes(l, 2);
    (void)!bgp_withdraw(l->s, more.prefix, more.source, l->now);
    say(l, broken, sizeof broken);
    pass(l, 1000);
}

/* With memory again: everything that was is over; a new session's routes arrive, and no others. */
static void recover(struct life *l, unsigned long n) {
    struct model_table sources[MODEL_SOURCES] = {{0}};
    struct ip_prefix about, wanted = ip_prefix_make(ip4(0x14000000), 8);
    const struct model_session told = {
        .as4 = true, .external = true, .families = {true, true}, .local_as = LOCAL_AS};
    static const uint8_t update[] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0,    45,   2,    0,    0,    0,    20,   0x40, 1,    1,    0,    0x40, 2,    6,
        2,    1,    0,    0,    0xFD, 0xE9, 0x40, 3,    4,    10,   0,    0,    2,    8,    20};
    struct model_update u;
    hang_up(l);
    (void)!bgp_withdraw(l->s, ip_prefix_make(ip4(0x0C000000), 8), ROUTE_SOURCE_STATIC, l->now);
    pass(l, 600000);
    if (!l->observer.up) {
        observer_end(&l->observer);
        observer_start(&l->observer, l->s, LOCAL_AS, l->now);
        events(l);
    }
    if (!call(l))
        fail_msg("allocation %lu: the peer is not heard again", n);
    say(l, update, sizeof update);
    pass(l, 60000);
    model_read(&told, update, sizeof update, &u);
    model_apply(&sources[0], &told, &u);
    assert_non_null(model_find(&sources[0], wanted));
    if (!model_agrees(sources, &l->observer.view, &l->origin.prefix, 1, &about)) {
        char text[IP_PREFIX_TEXT_MAX];
        fail_msg("allocation %lu: the observer is wrong about %s", n,
                 ip_prefix_format(about, text));
    }
    model_table_free(&sources[0]);
}

/* False: the life was over before the n-th allocation. */
static bool live_with_failure(enum bgp_profile profile, unsigned long n, bool for_ever) {
    static struct life l;
    begin(&l, profile);
    alloc_fail_after(n, for_ever);
    live(&l);
    void *probe = alloc_zero(1, 1);
    bool hit = for_ever && !probe;
    alloc_fail_after(0, false);
    alloc_free(probe);
    recover(&l, n);
    bgp_speaker_free(l.s);
    observer_end(&l.observer);
    return hit;
}

static void test_every_allocation(void **state) {
    (void)state;
    for (unsigned profile = 0; profile < BGP_PROFILES; profile++) {
        unsigned long n = 1;
        while (live_with_failure((enum bgp_profile)profile, n, true)) {
            (void)live_with_failure((enum bgp_profile)profile, n, false);
            assert_true(++n < FAILURES_MAX);
        }
        assert_true(n > 50);
        print_message("profile %u: %lu allocations\n", profile, n);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation)};
    return cmocka_run_group_tests_name("life without memory", tests, NULL, NULL);
}
