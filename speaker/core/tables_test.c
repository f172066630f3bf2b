/*
 * The tables as a whole against a naive model that shares no code with them: it knows what every
 * peer announced, chooses the best path and makes the outgoing attributes by rules of its own, and
 * says what each peer must hold. What a peer does hold is decoded from the bytes it pulled.
 *
 * The same random sequences run with memory that is missing: then what got lost on the way in is
 * read from the Adj-RIB-In, and everything behind it must be consistent with that.
 *
 * Rows: C062 C063 C069 C073 C075 C076 C079 (sending), C083 C084 C085 C086 C087 C088 C089 C094
 * (decision), C093 (next hops), stale routes and refreshes.
 */
#include "tables_test.h"

#include "adjout.h"
#include "event.h"
#include "nexthop.h"

#define PEERS 8
#define EXTERNAL_FROM 5 /* peers from here on are eBGP, AS 65001 */
#define CLIENTS 3       /* peers before are reflector clients */
#define PREFIXES 40
#define V6_FROM 30
#define HOPS 3
#define OWN PEERS /* as a source */

struct offer {
    bool present, stale, rejected, has_med;
    uint8_t origin, hop;
    uint32_t local_pref, med;
};

struct model {
    struct bench b;
    uint64_t rng;
    struct offer offers[PEERS + 1][PREFIXES];
    uint32_t metric[HOPS]; /* 0: unreachable */
    bool accepts_in[PEERS], accepts_out[PEERS], self[PEERS];
};

static bool is_external(uint32_t source) {
    return source < OWN && source >= EXTERNAL_FROM;
}

static struct ip_prefix prefix_of(uint32_t n) {
    uint8_t bytes[16] = {0x20, 1, 0x0d, 0xb8, 0, (uint8_t)n};
    return n < V6_FROM ? ip_prefix_make(ip4(0x0af00000 + n * 256), 24)
                       : ip_prefix_make(ip6(bytes), 48);
}

static struct ip_addr hop_of(uint32_t hop, uint32_t prefix) {
    uint8_t bytes[16] = {0x20, 1, 0x0d, 0xb8, 0xff, [15] = (uint8_t)(hop + 1)};
    return prefix < V6_FROM ? ip4(0x0a010001 + hop) : ip6(bytes);
}

/* ---- the naive rules ---- */

static bool is_usable(const struct model *m, uint32_t source, const struct offer *o) {
    return o->present && !o->rejected && (source == OWN || m->metric[o->hop]);
}

/* Negative: the first is better. The last step is the router id, which grows with the number. */
static int64_t prefer(const struct model *m, uint32_t x, const struct offer *a, uint32_t y,
                      const struct offer *b) {
    const int64_t steps[] = {
        (y == OWN) - (x == OWN),
        (int64_t)b->local_pref - a->local_pref,
        is_external(x) - is_external(y), /* length of AS_PATH: 2 or 0 */
        a->origin - b->origin,
        (int64_t)(a->has_med ? a->med : 0) - (b->has_med ? b->med : 0),
        (int64_t)m->metric[a->hop] - m->metric[b->hop],
        (int64_t)x - y,
    };
    for (uint32_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i] != 0) {
            return steps[i];
        }
    }
    return 0;
}

/* Who has the best path; UINT32_MAX: nobody. */
static uint32_t best_source(const struct model *m, uint32_t prefix) {
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i <= OWN; i++) {
        const struct offer *o = &m->offers[i][prefix];
        if (is_usable(m, i, o) &&
            (best == UINT32_MAX || prefer(m, i, o, best, &m->offers[best][prefix]) < 0)) {
            best = i;
        }
    }
    return best;
}

static bool is_sent(const struct model *m, uint32_t to, uint32_t from, uint32_t prefix) {
    bool internal = from != OWN && !is_external(from) && !is_external(to);
    if (from == to || (prefix < V6_FROM && !m->accepts_out[to]) || (prefix >= V6_FROM && to == 7)) {
        return false;
    }
    return !internal || from < CLIENTS || to < CLIENTS;
}

static struct ip_addr own_address(uint32_t prefix) {
    uint8_t mapped[16] = {[10] = 0xff, 0xff, 10, 0, 0, 100};
    return prefix < V6_FROM ? ip4(0x0a000064) : ip6(mapped);
}

/* The interned attributes `to` should hold, one reference; 0: nothing. */
static uint32_t expected(struct model *m, uint32_t to, uint32_t prefix) {
    static const uint32_t learned[] = {AS_SEQUENCE << 16 | 2, 65001, 64999};
    static const uint32_t passed_on[] = {AS_SEQUENCE << 16 | 3, 64512, 65001, 64999};
    static const uint32_t ours[] = {AS_SEQUENCE << 16 | 1, 64512};
    static const uint32_t cluster[] = {0x0a000064};
    uint32_t from = best_source(m, prefix);
    if (from == UINT32_MAX || !is_sent(m, to, from, prefix)) {
        return 0;
    }
    const struct offer *o = &m->offers[from][prefix];
    bool reflected = from != OWN && !is_external(from) && !is_external(to);
    struct attr_values v = {.origin = o->origin, .next_hop = hop_of(o->hop, prefix)};
    if (from == OWN || is_external(to) || (m->self[to] && !reflected)) {
        v.next_hop = own_address(prefix);
    }
    if (is_external(to)) {
        v.as_path = is_external(from) ? (struct as_path){passed_on, 4} : (struct as_path){ours, 2};
    } else {
        v.as_path = is_external(from) ? (struct as_path){learned, 3} : (struct as_path){0};
        v.has_local_pref = true;
        v.local_pref = from == OWN ? 100 : o->local_pref;
        v.has_med = from != OWN && o->has_med;
        v.med = v.has_med ? o->med : 0;
    }
    if (reflected) {
        v.has_originator_id = true;
        v.originator_id = 0x0a000001 + from;
        v.cluster_list = cluster;
        v.cluster_count = 1;
    }
    uint32_t attrs = attr_intern(&m->b.attrs, &v);
    assert_true(attrs != 0);
    return attrs;
}

static void check_peer(struct model *m, uint32_t to) {
    struct bench_peer *h = &m->b.holds[to];
    uint32_t count = 0;
    for (uint32_t n = 0; n < PREFIXES; n++) {
        uint32_t attrs = expected(m, to, n);
        const struct held_route *held = held_find(h, prefix_of(n), 0);
        assert_int_equal(held ? held->attrs : 0, attrs);
        count += attrs != 0;
        attr_release(&m->b.attrs, attrs);
    }
    assert_int_equal(h->route_count, count);
    assert_int_equal(adjout_count(m->b.s, h->p, 0) + adjout_count(m->b.s, h->p, 1), count);
    assert_int_equal(h->purged, 0);
}

/* ---- what happens ---- */

static void do_update(struct model *m, uint32_t i) {
    uint32_t n = (uint32_t)rng_below(&m->rng, i == 7 ? V6_FROM : PREFIXES);
    const uint32_t words[] = {AS_SEQUENCE << 16 | 2, 65001, 64999};
    struct offer *o = &m->offers[i][n], was = *o;
    struct ip_prefix p = prefix_of(n);
    *o = (struct offer){.present = rng_below(&m->rng, 3) != 0};
    if (!o->present) {
        (void)bench_send(&m->b, i, NULL, &p, 1);
        return;
    }
    o->rejected = was.rejected;
    o->origin = (uint8_t)rng_below(&m->rng, 2);
    o->hop = (uint8_t)rng_below(&m->rng, HOPS);
    o->local_pref = is_external(i) ? 100 : 100 + (uint32_t)rng_below(&m->rng, 2);
    o->has_med = rng_below(&m->rng, 3) == 0;
    o->med = o->has_med ? (uint32_t)rng_below(&m->rng, 3) : 0;
    o->rejected = n < V6_FROM && !m->accepts_in[i];
    struct attr_values v = {.origin = o->origin,
                            .next_hop = hop_of(o->hop, n),
                            .has_local_pref = !is_external(i),
                            .local_pref = is_external(i) ? 0 : o->local_pref,
                            .has_med = o->has_med,
                            .med = o->med};
    v.as_path = is_external(i) ? (struct as_path){words, 3} : (struct as_path){0};
    (void)bench_send(&m->b, i, &v, &p, 1);
}

static void do_session(struct model *m, uint32_t i) {
    if (!m->b.holds[i].up) {
        bench_up(&m->b, i);
        return;
    }
    bool keep = rng_below(&m->rng, 3) == 0;
    bench_down(&m->b, i, keep);
    for (uint32_t n = 0; n < PREFIXES; n++) {
        struct offer *o = &m->offers[i][n];
        o->present = o->present && keep && !o->stale;
        o->stale = o->present;
    }
}

static void do_purge(struct model *m, uint32_t i) {
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        rib_purge_stale(m->b.s, m->b.holds[i].p, f, false);
    }
    for (uint32_t n = 0; n < PREFIXES; n++) {
        m->offers[i][n].present = m->offers[i][n].present && !m->offers[i][n].stale;
        m->offers[i][n].stale = false;
    }
}

static void do_export_policy(struct model *m, uint32_t i) {
    struct bgp_peer_options *c = bench_options(&m->b, i);
    c->export[0].accept_by_default = m->accepts_out[i] = rng_below(&m->rng, 2);
    m->self[i] = rng_below(&m->rng, 2);
    c->next_hop_mode = m->self[i] ? BGP_NEXT_HOP_SELF : BGP_NEXT_HOP_AUTO;
    bench_arm(&m->b);
    adjout_regroup(m->b.s, m->b.holds[i].p);
    bench_disarm();
}

static void do_import_policy(struct model *m, uint32_t i) {
    struct bgp_peer_options *c = bench_options(&m->b, i);
    c->import[0].accept_by_default = m->accepts_in[i] = !m->accepts_in[i];
    bench_arm(&m->b);
    assert_true(rib_reimport(m->b.s, m->b.holds[i].p));
    bench_disarm();
    for (uint32_t n = 0; n < V6_FROM; n++) {
        m->offers[i][n].rejected = !m->accepts_in[i];
    }
}

static void do_origin(struct model *m) {
    uint32_t n = (uint32_t)rng_below(&m->rng, PREFIXES);
    struct bgp_origin_config o = {.prefix = prefix_of(n), .source = ROUTE_SOURCE_STATIC};
    struct offer *own = &m->offers[OWN][n];
    o.metric = (uint32_t)rng_below(&m->rng, 2);
    bench_arm(&m->b);
    if (rng_below(&m->rng, 2)) {
        enum bgp_status st = bgp_originate(m->b.s, &o, m->b.now);
        assert_true(st == BGP_OK || (st == BGP_NO_MEMORY && m->b.fail_after));
        own->present = own->present || st == BGP_OK;
    } else {
        enum bgp_status st = bgp_withdraw(m->b.s, o.prefix, o.source, m->b.now);
        assert_int_equal(st, own->present ? BGP_OK : BGP_UNKNOWN);
        own->present = false;
    }
    bench_disarm();
}

static void tell_hops(struct model *m) {
    for (uint32_t hop = 0; hop < HOPS; hop++) {
        bgp_nexthop_set(m->b.s, hop_of(hop, 0), m->metric[hop] != 0, m->metric[hop], m->b.now);
        bgp_nexthop_set(m->b.s, hop_of(hop, V6_FROM), m->metric[hop] != 0, m->metric[hop],
                        m->b.now);
    }
}

static void take_events(struct model *m) {
    struct bgp_event e;
    while (bgp_next_event(m->b.s, &e)) {
    }
    tell_hops(m);
}

static void do_work(struct model *m) {
    take_events(m);
    bench_arm(&m->b);
    (void)rib_work(m->b.s, (uint32_t)rng_below(&m->rng, 20) + 1, m->b.now);
    bench_disarm();
}

/* A peer without enhanced refresh has lost everything of the family: all must come again. */
static void do_refresh(struct model *m, uint32_t i) {
    struct bench_peer *h = &m->b.holds[i];
    enum bgp_family f = (enum bgp_family)rng_below(&m->rng, 2);
    if (!h->up || !h->p->families[f]) {
        return;
    }
    for (uint32_t n = h->route_count; n-- > 0 && !h->p->enhanced_refresh;) {
        if (rib_prefix_family(h->routes[n].prefix) == f) {
            held_remove(&m->b, h, h->routes[n].prefix, 0);
        }
    }
    adjout_refresh(m->b.s, h->p, f);
}

static void step(struct model *m) {
    uint32_t i = (uint32_t)rng_below(&m->rng, PEERS);
    uint64_t what = rng_below(&m->rng, 100);
    if (what < 50) {
        if (m->b.holds[i].up) {
            do_update(m, i);
        }
    } else if (what < 57) {
        do_origin(m);
    } else if (what < 60) {
        do_session(m, i);
    } else if (what < 62) {
        do_purge(m, i);
    } else if (what < 65) {
        do_export_policy(m, i);
    } else if (what < 67) {
        do_import_policy(m, i);
    } else if (what < 71) {
        do_refresh(m, i);
    } else if (what < 74) {
        m->metric[rng_below(&m->rng, HOPS)] = (uint32_t)rng_below(&m->rng, 4) * 10;
        tell_hops(m);
    } else if (what < 88) {
        (void)bench_pull_some(&m->b, i, (uint32_t)rng_below(&m->rng, 4));
    } else {
        do_work(m);
    }
}

#define LOG_SLACK (8 * 256u) /* what one pull may add: small messages */

/* A reader that lags behind keeps no more than the maximum. */
static void check_backlog(const struct model *m) {
    const struct bgp_speaker *s = m->b.s;
    for (uint32_t i = adjout_group_next(s, 0); i && !m->b.fail_after; i = adjout_group_next(s, i)) {
        assert_true(adjout_group_at(s, i)->log_bytes <= s->adjout->backlog_max + LOG_SLACK);
    }
}

/* ---- a run ---- */

static void start(struct model *m, uint64_t seed) {
    static const struct model empty;
    *m = empty;
    m->rng = seed;
    bench_config(&m->b, BGP_PROFILE_FAST, PEERS);
    for (uint32_t i = 0; i < PEERS; i++) {
        m->b.peers[i].families[BGP_IPV6_UNICAST] = i != 7;
        m->b.peers[i].rr_client = i < CLIENTS;
        m->b.peers[i].remote_as = i < EXTERNAL_FROM ? 64512 : 65001;
        m->b.peers[i].enforce_first_as = false;
        m->b.peers[i].soft_reconfiguration = true;
        m->b.peers[i].graceful_restart = BGP_GR_HELPER;
        m->accepts_in[i] = m->accepts_out[i] = true;
    }
    bench_start(&m->b);
    for (uint32_t i = 0; i < PEERS; i++) {
        m->b.holds[i].p->enhanced_refresh = i % 2 == 0;
        m->b.holds[i].p->open.gr = true;
        m->metric[i % HOPS] = 10 * (i % HOPS + 1);
    }
    m->b.rng = seed % 3 ? seed : 0;
    if (seed % 4 < 3) { /* walks of several steps */
        m->b.s->adjout->walk_max = 1 + (uint32_t)(seed % 4) * 3;
    }
    if (seed % 2) {
        m->b.s->adjout->backlog_max = (uint32_t)(300 + seed % 7 * 200);
    }
}

static void settle(struct model *m) {
    do {
        take_events(m);
    } while (rib_work(m->b.s, 64, m->b.now) || event_count(m->b.s) > 0);
    for (uint32_t i = 0; i < PEERS; i++) {
        bench_pull(&m->b, i);
    }
}

static void check(struct model *m) {
    for (uint32_t i = 0; i < PEERS; i++) {
        if (m->b.holds[i].up) {
            check_peer(m, i);
        }
    }
}

/* Everything is taken back: whatever is left then leaked. */
static void finish(struct model *m) {
    const struct bgp_speaker *s = m->b.s;
    for (uint32_t i = 0; i < PEERS; i++) {
        bench_down(&m->b, i, false);
    }
    for (uint32_t n = 0; n < PREFIXES; n++) {
        (void)!bgp_withdraw(m->b.s, prefix_of(n), ROUTE_SOURCE_STATIC, m->b.now);
    }
    settle(m);
    assert_int_equal(s->attrs.sets.used, 0);
    assert_int_equal(s->rib->paths.used + s->rib->origins.used, 0);
    assert_int_equal(s->rib->entries[0].used + s->rib->entries[1].used, 0);
    assert_int_equal(s->nexthops->slab.used, 0);
    assert_int_equal(s->adjout->groups.used + s->adjout->members.used, 0);
    assert_int_equal(s->adjout->pendings.used + s->adjout->buckets.used, 0);
    assert_true(s->rib->digest == 0);
    bench_end(&m->b);
}

static void test_model(void **state) {
    static struct model m;
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        start(&m, seed);
        for (uint32_t round = 0; round < 8; round++) {
            for (uint64_t n = rng_below(&m.rng, 150); n > 0; n--) {
                step(&m);
                check_backlog(&m);
            }
            settle(&m);
            check(&m);
        }
        finish(&m);
    }
}

/* One client never reads while the others do: the log keeps within its maximum because that one is
 * dropped back, and afterwards it is told what it missed. */
static void test_backlog_has_a_maximum(void **state) {
    static struct model m;
    const uint32_t slow = 1;
    bool dropped = false;
    (void)state;
    start(&m, 3);
    m.b.s->adjout->backlog_max = 500;
    for (uint32_t i = 0; i < PEERS; i++) {
        bench_up(&m.b, i);
    }
    settle(&m);
    for (uint32_t n = 0; n < 2000; n++) {
        do_update(&m, (uint32_t)rng_below(&m.rng, PEERS));
        do_work(&m);
        for (uint32_t i = 0; i < PEERS; i++) {
            (void)bench_pull_some(&m.b, i, i == slow ? 0 : UINT32_MAX);
        }
        check_backlog(&m);
        uint32_t member = m.b.holds[slow].p->group_member;
        dropped = dropped || adjout_member_at(m.b.s, member)->flags & ADJOUT_MEMBER_RESYNC;
    }
    assert_true(dropped);
    settle(&m);
    check(&m);
    finish(&m);
}

/* What is held of the offers after allocations failed. */
static void read_offers(struct model *m) {
    for (uint32_t i = 0; i < PEERS; i++) {
        const struct peer *p = m->b.holds[i].p;
        for (uint32_t n = 0; n < PREFIXES; n++) {
            enum bgp_family f = rib_prefix_family(prefix_of(n));
            uint32_t entry = rib_entry_find(m->b.s, f, prefix_of(n));
            uint32_t path =
                entry ? rib_path_find(m->b.s, f, entry, p->index, ROUTE_SOURCE_BGP, 0) : 0;
            path = path && rib_path_doomed(m->b.s, f, rib_path_at(m->b.s, path)) ? 0 : path;
            struct offer *o = &m->offers[i][n];
            assert_true(!path || o->present); /* nothing comes from nowhere */
            o->present = path != 0;
            o->rejected = path && rib_path_at(m->b.s, path)->flags & RIB_PATH_REJECTED;
        }
    }
}

/* The n-th allocation of a call fails, or all from there on; nobody crashes, nothing leaks, and
 * once there is memory again everybody holds what follows from the Adj-RIBs-In. */
static void test_model_without_memory(void **state) {
    static struct model m;
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        start(&m, seed);
        for (uint32_t round = 0; round < 8; round++) {
            for (uint64_t n = rng_below(&m.rng, 150); n > 0; n--) {
                m.b.fail_after = rng_below(&m.rng, 3) ? 0 : 1 + rng_below(&m.rng, 6);
                m.b.fail_for_ever = rng_below(&m.rng, 2);
                step(&m);
            }
            m.b.fail_after = 0;
            settle(&m);
            read_offers(&m);
            check(&m);
        }
        finish(&m);
    }
}

/* IOS: with local-as the own AS is put into paths that come in. What soft reconfiguration keeps is
 * the path without it: run again, it is no loop, and the AS is not put in twice. C071 */
static void test_C071_local_as_and_soft_reconfiguration(void **state) {
    static struct bench b;
    static const uint32_t words[] = {AS_SEQUENCE << 16 | 1, 65001};
    struct bgp_path_info path = {0};
    struct bgp_rib_iterator it;
    (void)state;
    bench_config(&b, BGP_PROFILE_IOS, 1);
    b.peers[0].remote_as = 65001;
    b.peers[0].local_as = 65010;
    b.peers[0].soft_reconfiguration = true;
    bench_start(&b);
    bench_up(&b, 0);
    const struct attr_values v = {.next_hop = ip4(0x0a000001), .as_path = {words, 2}};
    (void)bench_announce(&b, 0, &v, "10.1.0.0/16");
    bench_work(&b);
    for (uint32_t again = 0; again < 2; again++) {
        assert_true(bgp_rib_find(b.s, pfx("10.1.0.0/16"), &it));
        assert_true(bgp_rib_next_path(b.s, &it, &path));
        assert_true(path.best && !path.rejected);
        assert_int_equal(as_path_length(path.attrs->v.as_path), 2);
        assert_int_equal(as_path_neighbor(path.attrs->v.as_path), 65010);
        bgp_rib_end(&it);
        assert_true(rib_reimport(b.s, b.holds[0].p));
        bench_work(&b);
    }
    bench_end(&b);
}

/* A route that policy makes too long is refused, once: that is no lack of memory, and no reason to
 * look again and again. C070 */
static void test_C070_too_long_is_no_lack_of_memory(void **state) {
    static struct bench b;
    static uint32_t many[BGP_AS_PATH_MAX];
    static struct policy_action action = {.kind = POLICY_PREPEND_AS_PATH, .asns = many};
    static struct policy_term term = {.verdict = POLICY_ACCEPT, .actions = &action};
    static struct policy policy = {.name = "long", .terms = &term, .term_count = 1};
    static const uint32_t words[] = {AS_SEQUENCE << 16 | 1, 65001};
    static const uint16_t first = 0;
    (void)state;
    for (uint32_t i = 0; i < BGP_AS_PATH_MAX; i++) {
        many[i] = 64512;
    }
    action.asn_count = BGP_AS_PATH_MAX;
    term.action_count = 1;
    bench_config(&b, BGP_PROFILE_IOS, 2);
    b.config.policies = &policy;
    b.config.policy_count = 1;
    b.peers[0].remote_as = 65001;
    b.peers[1].export[0] = (struct policy_chain){.policies = &first, .count = 1};
    bench_start(&b);
    bench_up(&b, 0);
    bench_up(&b, 1);
    const struct attr_values v = {.next_hop = ip4(0x0a000001), .as_path = {words, 2}};
    (void)bench_announce(&b, 0, &v, "10.1.0.0/16");
    bench_settle(&b);
    assert_null(bench_held(&b, 1, "10.1.0.0/16"));
    assert_int_equal(b.log_events, 0);
    assert_false(rib_has_work(b.s));
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C071_local_as_and_soft_reconfiguration),
        cmocka_unit_test(test_C070_too_long_is_no_lack_of_memory),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_backlog_has_a_maximum),
        cmocka_unit_test(test_model_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
