/*
 * Whatever happened before, a peer holds what a fresh speaker of the same configuration and the
 * same routes sends it. Eight peers of all kinds announce, come and go, restart, read slowly and
 * ask for their table again, while their options, policies and addresses change, neighbours are
 * taken out and put back, subnets are connected and own routes by way of neighbours come up. What a
 * peer holds is decoded from the bytes that it pulled. Path identifiers, which depend on the past,
 * are left out.
 */
#include "tables_test.h"

#include "adjout.h"

#define PEERS 8u
#define PREFIXES 10u
#define OWN 4u
#define SEEDS 150u
#define ROUNDS 12u

struct offer {
    bool there;
    uint32_t kind; /* of values_of */
};

struct world {
    struct bench b;
    uint64_t rng;
    enum bgp_profile profile;
    struct offer offers[PEERS][PREFIXES];
    bool own_there[OWN];
    struct bgp_origin_config own[OWN];
    struct bgp_aggregate_config aggregate;
    struct ip_prefix subnets[2];
    size_t subnet_count;
    uint32_t moved; /* what addresses end with, from here on */
};

static struct world old, fresh;

static const uint32_t tag = 65000u << 16 | 7, member = 64600, prepended[] = {65099, 65099};
static const struct policy_match tagged = {
    .kind = POLICY_MATCH_COMMUNITY, .asns = &tag, .asn_count = 1};
static const struct policy_action tagging = {
    .kind = POLICY_ADD_COMMUNITIES, .asns = &tag, .asn_count = 1};
static const struct policy_action longer = {
    .kind = POLICY_PREPEND_AS_PATH, .asns = prepended, .asn_count = 2};
static const struct policy_action to_third = {.kind = POLICY_SET_NEXT_HOP,
                                              .address = {IP_V4, {10, 0, 0, 3}}};
static const struct policy_term terms[] = {
    {.name = "all", .verdict = POLICY_ACCEPT},
    {.name = "tagged", .matches = &tagged, .match_count = 1, .verdict = POLICY_REJECT},
    {.name = "tag", .actions = &tagging, .action_count = 1, .verdict = POLICY_ACCEPT},
    {.name = "long", .actions = &longer, .action_count = 1, .verdict = POLICY_ACCEPT},
    {.name = "hop", .actions = &to_third, .action_count = 1, .verdict = POLICY_ACCEPT},
    {.name = "has", .matches = &tagged, .match_count = 1, .verdict = POLICY_ACCEPT},
};
#define POLICIES 6u
static const struct policy policies[2][POLICIES] = {{{"all", terms, 1, POLICY_REJECT},
                                                     {"tagged", terms + 1, 1, POLICY_ACCEPT},
                                                     {"tag", terms + 2, 1, POLICY_REJECT},
                                                     {"long", terms + 3, 1, POLICY_REJECT},
                                                     {"hop", terms + 4, 1, POLICY_REJECT},
                                                     {"has", terms + 5, 1, POLICY_REJECT}},
                                                    {{"hop", terms + 4, 1, POLICY_REJECT},
                                                     {"long", terms + 3, 1, POLICY_REJECT},
                                                     {"tagged", terms + 1, 1, POLICY_ACCEPT},
                                                     {"all", terms, 1, POLICY_REJECT},
                                                     {"tag", terms + 2, 1, POLICY_REJECT},
                                                     {"has", terms + 5, 1, POLICY_REJECT}}};
static const uint16_t indices[POLICIES] = {0, 1, 2, 3, 4, 5};
/* As the policies stand at first: what has not the community is sent while no route has it. */
static const struct bgp_condition_config conditions[] = {
    {.family = BGP_IPV4_UNICAST, .advertise_policy = 2, .exist_policy = 6, .absent = true}};

/* ---- routes ---- */

static struct ip_prefix prefix_of(uint32_t n) {
    uint8_t bytes[16] = {0x20, 1, 0x0d, 0xb8, 0, (uint8_t)n};
    return n == 0  ? pfx("0.0.0.0/0")
           : n < 8 ? ip_prefix_make(ip4(0x14000000 + (n << 8)), 24)
                   : ip_prefix_make(ip6(bytes), 48);
}

static bool is_outside(const struct world *w, uint32_t i) {
    return i < 3 && w->b.config.peer_count > i;
}

/* As peer `i` says them; `kind` stands for all that is chosen. */
static struct attr_values values_of(const struct world *w, uint32_t i, uint32_t n, uint32_t kind) {
    static const uint32_t lists[][1] = {{65000u << 16 | 7},
                                        {COMMUNITY_NO_EXPORT},
                                        {COMMUNITY_BLACKHOLE},
                                        {COMMUNITY_NO_EXPORT_SUBCONFED}};
    static uint32_t words[8];
    static uint8_t otc[] = {0, 0, 0xfd, 0xe9};
    static const struct attr_unknown marked = {0xc0, ATTR_OTC, 4, otc};
    uint8_t hop[16] = {0x20, 1, 0x0d, 0xb8, 0xff, [15] = (uint8_t)(1 + kind % 3)};
    struct attr_values v = {.origin = (uint8_t)(kind & 1),
                            .next_hop = n < 8 ? ip4(0x0a000001 + kind / 2 % 10) : ip6(hop)};
    uint32_t count = 0;
    if (is_outside(w, i)) {
        const uint32_t far[] = {65001 + i, 70000 + kind % 2, 65002, 100};
        words[0] = AS_SEQUENCE << 16 | (1 + kind % 4);
        memcpy(words + 1, far, sizeof far);
        words[1] = w->b.peers[i].remote_as;
        count = 2 + kind % 4;
    } else if (w->b.peers[i].remote_as == member) {
        words[0] = (uint32_t)AS_CONFED_SEQUENCE << 16 | 1;
        words[1] = member;
        count = 2;
    }
    v.as_path = (struct as_path){count ? words : NULL, count};
    v.has_local_pref = !is_outside(w, i);
    v.local_pref = v.has_local_pref ? 100 + kind / 4 % 3 : 0;
    if (kind / 8 % 2) {
        v.communities = lists[kind / 16 % 4];
        v.community_count = 1;
    }
    v.unknown_count = kind % 7 == 0;
    v.unknown = v.unknown_count ? &marked : NULL;
    return v;
}

static void say(struct world *w, uint32_t i, uint32_t n) {
    const struct offer *o = &w->offers[i][n];
    const struct attr_values v = values_of(w, i, n, o->kind);
    const struct ip_prefix p = prefix_of(n);
    (void)bench_send(&w->b, i, o->there ? &v : NULL, &p, 1);
}

static void random_say(struct world *w) {
    uint32_t i = (uint32_t)rng_below(&w->rng, w->b.config.peer_count);
    uint32_t n = (uint32_t)rng_below(&w->rng, PREFIXES);
    if (!w->b.holds[i].up)
        return;
    w->offers[i][n] = (struct offer){rng_below(&w->rng, 3) > 0, (uint32_t)rng_below(&w->rng, 500)};
    say(w, i, n);
}

static void say_own(struct world *w, uint32_t n) {
    if (w->own_there[n])
        assert_int_equal(bgp_originate(w->b.s, &w->own[n], w->b.now), BGP_OK);
    else
        assert_int_not_equal(bgp_withdraw(w->b.s, prefix_of(n + 1), ROUTE_SOURCE_STATIC, w->b.now),
                             BGP_INVALID);
}

static void random_own(struct world *w) {
    uint32_t n = (uint32_t)rng_below(&w->rng, OWN);
    struct ip_addr hop = ip4(0x0a000001 + (uint32_t)rng_below(&w->rng, 12));
    w->own_there[n] = rng_below(&w->rng, 3) > 0;
    w->own[n] = (struct bgp_origin_config){
        .prefix = prefix_of(n + 1), .source = ROUTE_SOURCE_STATIC, .metric = UINT32_MAX};
    *(rng_below(&w->rng, 3) ? &w->own[n].gateway : &w->own[n].next_hop) = hop;
    say_own(w, n);
}

/* ---- sessions ---- */

static void up(struct world *w, uint32_t i) {
    struct peer *p = w->b.holds[i].p;
    for (unsigned f = 0; f < BGP_FAMILIES; f++)
        p->add_path[f] = w->b.peers[i].add_path_send[f] ? BGP_ADD_PATH_SEND : BGP_ADD_PATH_NONE;
    p->enhanced_refresh = i % 2;
    bench_up(&w->b, i);
    p->extended_next_hop = i == 5;
    p->extended_messages = i == 6;
    adjout_regroup(w->b.s, p);
}

static void down(struct world *w, uint32_t i) {
    if (w->b.holds[i].up)
        bench_down(&w->b, i, false);
    memset(w->offers[i], 0, sizeof w->offers[i]);
}

/* RFC 4724 4.2: its routes are kept; then it says some of them again, others, or nothing. */
static void restart(struct world *w, uint32_t i) {
    bench_down(&w->b, i, true);
    (void)rib_work(w->b.s, (uint32_t)rng_below(&w->rng, 20) + 1, w->b.now);
    up(w, i);
    for (uint32_t n = 0; n < PREFIXES; n++) {
        if (rng_below(&w->rng, 4) == 0)
            w->offers[i][n] =
                (struct offer){rng_below(&w->rng, 3) > 0, (uint32_t)rng_below(&w->rng, 500)};
        if (w->offers[i][n].there)
            say(w, i, n);
    }
    for (unsigned f = 0; f < BGP_FAMILIES; f++)
        rib_purge_stale(w->b.s, w->b.holds[i].p, (enum bgp_family)f, false);
}

static void apply(struct world *w) {
    assert_int_equal(bgp_configure(w->b.s, &w->b.config, w->b.now), BGP_OK);
    for (uint32_t i = 0; i < w->b.config.peer_count; i++)
        w->b.holds[i].p = speaker_peer(w->b.s, w->b.s->peer_order[i]);
}

/* ---- changes ---- */

static bool toss(struct world *w) {
    return rng_below(&w->rng, 2);
}

static struct policy_chain any_chain(struct world *w) {
    struct policy_chain c = {.accept_by_default = true};
    if (toss(w)) {
        c.policies = &indices[rng_below(&w->rng, POLICIES)];
        c.count = 1;
    }
    return c;
}

/* What a session lives through. */
static void change_options(struct world *w, struct bgp_peer_config *p) {
    enum bgp_family f = (enum bgp_family)rng_below(&w->rng, 2);
    bool outside = p->remote_as != 64512;
    switch (rng_below(&w->rng, 14)) {
    case 0:
        p->import[f] = any_chain(w);
        break;
    case 1:
    case 2:
        p->export[f] = any_chain(w);
        break;
    case 3:
        p->next_hop_mode = (enum bgp_next_hop_mode)rng_below(&w->rng, 4);
        break;
    case 4:
        p->send_communities = toss(w);
        break;
    case 5:
        p->graceful_shutdown = toss(w);
        break;
    case 6:
        p->default_originate[f] = toss(w);
        break;
    case 7:
        p->transparent = outside && toss(w);
        break;
    case 8:
        p->as_override = outside && toss(w);
        break;
    case 9:
        p->remove_private_as = outside && toss(w);
        p->remove_private_as_all = p->remove_private_as && toss(w);
        p->remove_private_as_replace = p->remove_private_as && toss(w);
        break;
    case 11:
        p->conditions = conditions;
        p->condition_count = toss(w);
        break;
    case 12:
        p->default_policy[f] = (uint32_t)rng_below(&w->rng, POLICIES + 1);
        break;
    case 10:
        p->advertisement_interval_ms[f] = (uint32_t)rng_below(&w->rng, 3) * 700;
        break;
    default:
        p->unsuppress_policy[f] = (uint32_t)rng_below(&w->rng, POLICIES + 1);
        break;
    }
}

static void change_all(struct world *w) {
    struct bgp_config *c = &w->b.config;
    switch (rng_below(&w->rng, 5)) {
    case 0:
        c->client_to_client_reflection = toss(w);
        break;
    case 1:
        c->blackhole_no_export = toss(w);
        break;
    case 2:
        c->policies = policies[rng_below(&w->rng, 2)];
        break;
    case 3:
        c->default_local_pref = 100 + (uint32_t)rng_below(&w->rng, 2);
        break;
    default:
        w->aggregate = (struct bgp_aggregate_config){
            .prefix = pfx("20.0.0.0/16"), .as_set = toss(w), .summary_only = toss(w)};
        c->aggregates = &w->aggregate;
        c->aggregate_count = toss(w);
        break;
    }
}

/* What ends a session. */
static void change_session(struct world *w, uint32_t i) {
    struct bgp_peer_config *p = &w->b.peers[i];
    bool outside = is_outside(w, i);
    switch (rng_below(&w->rng, 4)) {
    case 0:
        p->remote_addr = ip4(0x0a000000 + ++w->moved % 200);
        break;
    case 1:
        p->rr_client = p->remote_as == 64512 && toss(w);
        break;
    case 2:
        p->role = outside ? (enum bgp_role)rng_below(&w->rng, BGP_ROLES) : BGP_ROLE_NONE;
        break;
    default:
        p->add_path_send[0] = (uint32_t)rng_below(&w->rng, 3);
        break;
    }
}

static void random_change(struct world *w) {
    uint32_t i = (uint32_t)rng_below(&w->rng, w->b.config.peer_count);
    switch (rng_below(&w->rng, 8)) {
    case 0:
        change_all(w);
        break;
    case 1:
        down(w, i);
        change_session(w, i);
        break;
    case 2: /* the last one is taken out, or put back */
        if (w->b.config.peer_count == PEERS) {
            down(w, PEERS - 1);
            w->b.config.peer_count--;
        } else {
            w->b.config.peer_count++;
        }
        break;
    default:
        change_options(w, &w->b.peers[i]);
        break;
    }
    apply(w);
}

static void random_subnets(struct world *w) {
    static const char *const either[] = {"10.0.0.0/24", "172.16.0.0/24"};
    bool first = toss(w);
    w->subnets[0] = pfx(either[first]);
    w->subnets[1] = pfx(either[!first]);
    w->subnet_count = (size_t)rng_below(&w->rng, 3);
    assert_int_equal(bgp_connected_set(w->b.s, w->subnets, w->subnet_count, w->b.now), BGP_OK);
}

/* Now and then there is no memory for it. */
static void pull_some(struct world *w, uint32_t i) {
    w->b.fail_after = rng_below(&w->rng, 5) ? 0 : (unsigned long)rng_below(&w->rng, 6) + 1;
    (void)bench_pull_some(&w->b, i, (uint32_t)rng_below(&w->rng, 4));
    w->b.fail_after = 0;
}

/* Advertisement intervals run. */
static void pass(struct world *w, uint64_t ms) {
    w->b.now = nanotime_add_ms(w->b.now, ms);
    bgp_advance(w->b.s, w->b.now);
}

/* … and end. */
static void settle(struct world *w) {
    for (int n = 0; n < 4; n++) {
        bench_settle(&w->b);
        pass(w, n ? 61000 : 1500); /* scans */
    }
    bench_settle(&w->b);
}

static void random_step(struct world *w) {
    uint32_t i = (uint32_t)rng_below(&w->rng, w->b.config.peer_count);
    uint64_t what = rng_below(&w->rng, 100);
    if (what < 48)
        random_say(w);
    else if (what < 52)
        random_own(w);
    else if (what < 61)
        random_change(w);
    else if (what < 62)
        random_subnets(w);
    else if (what < 64 && w->b.holds[i].up)
        down(w, i);
    else if (what < 66 && w->b.holds[i].up)
        restart(w, i);
    else if (what < 72 && !w->b.holds[i].up)
        up(w, i);
    else if (what < 72)
        adjout_refresh(w->b.s, w->b.holds[i].p, (enum bgp_family)rng_below(&w->rng, 2));
    else if (what < 86)
        pull_some(w, i);
    else
        (void)rib_work(w->b.s, (uint32_t)rng_below(&w->rng, 20) + 1, w->b.now);
    if (what % 8 == 0)
        pass(w, rng_below(&w->rng, 400));
    bench_events(&w->b);
}

/* ---- the comparison ---- */

static void make(struct world *w, enum bgp_profile profile, uint64_t seed) {
    memset(w, 0, sizeof *w);
    w->rng = seed;
    w->profile = profile;
    w->moved = 20;
    bench_config(&w->b, profile, PEERS);
    w->b.config.policies = policies[0];
    w->b.config.policy_count = POLICIES;
    w->b.config.compare_router_id = w->b.config.deterministic_med = true;
    w->b.config.fast_external_fallover = false;
    for (uint32_t i = 0; i < PEERS; i++) {
        struct bgp_peer_config *p = &w->b.peers[i];
        p->soft_reconfiguration = true;
        p->enforce_first_as = false;
        p->passive = true; /* or timers of connections ran, too */
        p->families[BGP_IPV6_UNICAST] = i != 1;
        p->remote_as = i < 3 ? 65001 + i / 2 : 64512;
        p->rr_client = i > 4 && i < 7;
    }
    if (seed % 3 == 0) { /* the last one is of another member */
        w->b.config.confederation_id = 65100;
        w->b.config.confederation_members = &member;
        w->b.config.confederation_member_count = 1;
        w->b.peers[7].remote_as = member;
    }
}

/* The same, from the start. */
static void start_afresh(const struct world *from, struct world *w) {
    memset(w, 0, sizeof *w);
    w->b.config = from->b.config;
    memcpy(w->b.peers, from->b.peers, sizeof w->b.peers);
    memcpy(w->offers, from->offers, sizeof w->offers);
    memcpy(w->own, from->own, sizeof w->own);
    memcpy(w->own_there, from->own_there, sizeof w->own_there);
    w->b.config.peers = w->b.peers;
    bench_start(&w->b);
    assert_int_equal(bgp_connected_set(w->b.s, from->subnets, from->subnet_count, w->b.now),
                     BGP_OK);
    for (uint32_t i = 0; i < w->b.config.peer_count; i++) {
        if (from->b.holds[i].up)
            up(w, i);
        for (uint32_t n = 0; n < PREFIXES; n++) {
            if (w->offers[i][n].there)
                say(w, i, n);
        }
    }
    for (uint32_t n = 0; n < OWN; n++) {
        if (w->own_there[n])
            say_own(w, n);
    }
    settle(w);
}

/* Routes of `h` with this prefix and these attributes, which are interned in `b`. */
static uint32_t count_same(const struct bench *b, const struct bench_peer *h, struct ip_prefix p,
                           const struct attr_values *v) {
    uint32_t count = 0, attrs = attr_intern((struct attr_table *)(uintptr_t)&b->attrs, v);
    for (uint32_t i = 0; i < h->route_count; i++)
        count += h->routes[i].attrs == attrs && ip_prefix_equal(h->routes[i].prefix, p);
    attr_release((struct attr_table *)(uintptr_t)&b->attrs, attrs);
    return count;
}

static void describe(const struct bench *b, const struct bench_peer *h, struct ip_prefix p,
                     const char *who) {
    char hop[IP_ADDR_TEXT_MAX];
    for (uint32_t i = 0; i < h->route_count; i++) {
        const struct attr_values *v = &attr_get(&b->attrs, h->routes[i].attrs)->v;
        if (ip_prefix_equal(h->routes[i].prefix, p))
            print_error("%s has it by %s, path of %u words from %x, %u communities, %u unknown, "
                        "pref %u, originator %x, %u clusters, aggregator %u\n",
                        who, ip_is_set(v->next_hop) ? ip_format(v->next_hop, hop) : "-",
                        v->as_path.word_count, v->as_path.word_count ? v->as_path.words[1] : 0,
                        v->community_count, v->unknown_count, v->local_pref, v->originator_id,
                        v->cluster_count, v->aggregator_as);
    }
}

/* Everything the first holds, the second holds as often. */
static void expect_within(const struct bench *x, const struct bench *y, uint32_t i, uint64_t seed,
                          unsigned round) {
    const struct bench_peer *a = &x->holds[i], *c = &y->holds[i];
    char text[IP_PREFIX_TEXT_MAX];
    for (uint32_t n = 0; n < a->route_count; n++) {
        struct ip_prefix p = a->routes[n].prefix;
        const struct attr_values *v = &attr_get(&x->attrs, a->routes[n].attrs)->v;
        if (count_same(x, a, p, v) == count_same(y, c, p, v))
            continue;
        describe(x, a, p, x == &old.b ? "it" : "one afresh");
        describe(y, c, p, x == &old.b ? "one afresh" : "it");
        fail_msg("seed %u, round %u: peer %u, %s", (unsigned)seed, round, i,
                 ip_prefix_format(p, text));
    }
}

static void check(uint64_t seed, unsigned round) {
    settle(&old);
    start_afresh(&old, &fresh);
    for (uint32_t i = 0; i < old.b.config.peer_count; i++) {
        if (!old.b.holds[i].up)
            continue;
        expect_within(&old.b, &fresh.b, i, seed, round);
        expect_within(&fresh.b, &old.b, i, seed, round);
        assert_int_equal(adjout_count(old.b.s, old.b.holds[i].p, 0) +
                             adjout_count(old.b.s, old.b.holds[i].p, 1),
                         old.b.holds[i].route_count);
    }
    bench_end(&fresh.b);
}

static void run(uint64_t seed) {
    static const enum bgp_profile profiles[] = {BGP_PROFILE_FAST, BGP_PROFILE_PLAIN,
                                                BGP_PROFILE_IOS, BGP_PROFILE_CALICO};
    make(&old, profiles[seed % 4], seed);
    bench_start(&old.b);
    old.b.rng = seed % 5 ? seed : 0;
    if (seed % 2)
        old.b.s->adjout->backlog_max = (uint32_t)(300 + seed % 7 * 200);
    old.b.s->adjout->walk_max = seed % 3 ? old.b.s->adjout->walk_max : 3;
    for (uint32_t i = 0; i < PEERS; i++)
        up(&old, i);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (uint64_t n = rng_below(&old.rng, 120); n > 0; n--)
            random_step(&old);
        check(seed, round);
    }
    bench_end(&old.b);
}

static void test_as_afresh(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run(seed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_afresh),
    };
    return cmocka_run_group_tests_name("export_random", tests, NULL, NULL);
}
