/*
 * Every figure that is kept as things come and go is what looking through the tables gives.
 *
 * Four speakers, all with each other, two of AS 65001. To one of them things happen at random:
 * routes come and go, its configuration changes (policy, what is kept, limits, dampening,
 * aggregates, neighbours), sessions end with and without graceful restart, refreshes are asked for,
 * next hops vanish, memory is missing. It works a few prefixes at a time, and after each step, in
 * the midst of it all, its figures are compared with an enumeration. What passed each session is
 * tally_test's: what one end counts as sent is what the other counts as received. Seeded: same
 * steps each run.
 */
#include "pipe_test.h"

#include "../base/scoreboard.h"
#include "adjout_group.h"
#include "aggregate.h"
#include "dampening.h"
#include "rib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define NODES 4u
#define PEERS (NODES - 1)
#define PREFIXES 6u /* of each family */
#define POLICIES 4u
#define SEEDS 30u
#define STEPS 800u
#define INDICES_MAX 64u /* of peers */
#define SETS_MAX 1024u  /* of attributes */

static struct pipe_world w;
static uint64_t rng;
static struct bgp_config config; /* of node 0 */
static struct bgp_peer_config peers[PEERS];
static struct bgp_aggregate_config aggregate;
static struct bgp_dampening_config dampening[BGP_FAMILIES];
static const struct policy_match tagged = {
    .kind = POLICY_MATCH_COMMUNITY, .asns = (const uint32_t[]){65000u << 16 | 7}, .asn_count = 1};
static const struct policy_action weigh = {.kind = POLICY_SET_WEIGHT, .value = 9};
static const struct policy_term terms[] = {
    {.name = "tagged", .matches = &tagged, .match_count = 1, .verdict = POLICY_REJECT},
    {.name = "weigh", .actions = &weigh, .action_count = 1, .verdict = POLICY_ACCEPT},
};
static const struct policy policies[POLICIES] = {
    {.name = "all", .otherwise = POLICY_ACCEPT},
    {.name = "untagged", .terms = terms, .term_count = 1, .otherwise = POLICY_ACCEPT},
    {.name = "weigh", .terms = terms + 1, .term_count = 1},
    {.name = "none", .otherwise = POLICY_REJECT},
};
static const uint16_t indices[POLICIES] = {0, 1, 2, 3};

/* What there must have been, or the figures that count it were not tried. */
enum seen {
    SEEN_STALE,
    SEEN_PURGED,
    SEEN_GONE,
    SEEN_REJECTED,
    SEEN_DAMPED,
    SEEN_REMOVED,
    SEEN_OVER_LIMIT,
    SEEN_UNTOLD, /* FIB */
    SEEN_KINDS,
};
static uint32_t seen[SEEN_KINDS];

static uint32_t below(uint32_t n) {
    return (uint32_t)rng_below(&rng, n);
}

static struct ip_prefix prefix_of(enum bgp_family f, uint32_t n) {
    struct ip_addr a = ip4(0x14000000 + (n << 8));
    if (f == BGP_IPV6_UNICAST) {
        a = (struct ip_addr){IP_V6, {0x20, 1, 0x0d, 0xb8, [5] = (uint8_t)n}};
    }
    return ip_prefix_make(a, f == BGP_IPV6_UNICAST ? 48 : 24);
}

/* ---- what the tables hold ---- */

struct counted {
    uint32_t in_state[BGP_FAMILIES][3], accepted[BGP_FAMILIES], best[BGP_FAMILIES];
    uint32_t held;
};

struct enumeration {
    struct counted peers[INDICES_MAX];
    uint32_t tracked[SETS_MAX]; /* paths whose next hop counts, by set of attributes */
    uint64_t adj_in[BGP_FAMILIES], loc_rib[BGP_FAMILIES], digest;
    uint32_t paths[BGP_FAMILIES], prefixes[BGP_FAMILIES], used[BGP_FAMILIES], dirty[BGP_FAMILIES];
    uint32_t own, fib_lost;
};

static void add_path(const struct bgp_speaker *s, enum bgp_family f, const struct rib_path *p,
                     struct enumeration *e) {
    assert_true(p->peer < INDICES_MAX && p->attrs < SETS_MAX);
    struct counted *c = &e->peers[p->peer];
    enum rib_epoch_state state = rib_path_state(s, f, p);
    seen[SEEN_STALE] += state == RIB_EPOCH_STALE;
    seen[SEEN_PURGED] += state == RIB_EPOCH_PURGED;
    seen[SEEN_GONE] += state == RIB_EPOCH_GONE;
    seen[SEEN_REJECTED] += (p->flags & RIB_PATH_REJECTED) != 0;
    bool next_hop = p->peer || ip_is_set(attr_get(&s->attrs, p->attrs)->v.next_hop);
    e->paths[f]++;
    e->tracked[p->attrs] += next_hop && !(p->flags & RIB_PATH_REJECTED);
    if (p->peer == 0) {
        e->own++;
        return;
    }
    c->held++;
    if (state == RIB_EPOCH_GONE) {
        return;
    }
    assert_int_not_equal(state, RIB_EPOCH_FREE);
    e->adj_in[f]++;
    c->in_state[f][state - RIB_EPOCH_FRESH]++;
    c->accepted[f] += !(p->flags & RIB_PATH_REJECTED);
    c->best[f] += (p->flags & RIB_PATH_BEST) != 0;
}

static void add_entry(const struct bgp_speaker *s, enum bgp_family f, uint32_t i,
                      struct enumeration *e) {
    const struct rib_entry *entry = rib_entry_at(s, f, i);
    if (!(entry->flags & RIB_ENTRY_USED)) {
        return;
    }
    e->used[f]++;
    e->prefixes[f] += entry->paths != 0;
    e->dirty[f] += (entry->flags & RIB_ENTRY_DIRTY) != 0;
    e->fib_lost += (entry->flags & RIB_ENTRY_FIB_LOST) != 0;
    seen[SEEN_UNTOLD] += (entry->flags & RIB_ENTRY_FIB_LOST) != 0;
    if (entry->best_attrs) {
        struct ip_prefix prefix = rib_entry_prefix(s, f, i);
        struct ip_addr next_hop = attr_get(&s->attrs, entry->best_attrs)->v.next_hop;
        bool learned = (entry->flags & RIB_ENTRY_SOURCE) == ROUTE_SOURCE_BGP;
        e->loc_rib[f]++;
        e->digest += scoreboard_route_digest(&prefix, learned ? &next_hop : &(struct ip_addr){0});
    }
    for (uint32_t path = entry->paths; path; path = rib_path_at(s, path)->next) {
        add_path(s, f, rib_path_at(s, path), e);
    }
}

static void enumerate(const struct bgp_speaker *s, struct enumeration *e) {
    memset(e, 0, sizeof *e);
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        for (uint32_t i = 1; s->rib->entries[f].page_count && i < s->rib->entries[f].next_new; i++)
            add_entry(s, (enum bgp_family)f, i, e);
    }
}

/* ---- and what is kept ---- */

static void expect_tables(const struct bgp_speaker *s, const struct enumeration *e) {
    const struct rib *r = s->rib;
    struct bgp_counters c;
    struct bgp_table_tally t;
    bgp_counters_get(s, &c);
    assert_int_equal(c.loc_rib_digest, e->digest);
    assert_int_equal(r->fib_lost, e->fib_lost);
    assert_int_equal(r->origins.used, e->own);
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        assert_int_equal(c.adj_in[f], e->adj_in[f]);
        assert_int_equal(c.loc_rib[f], e->loc_rib[f]);
        assert_int_equal(r->entries[f].used, e->used[f]);
        assert_int_equal(r->dirty[f].count + r->dirty[f].unlisted, e->dirty[f]);
        if (bgp_table_tally_get(s, (enum bgp_family)f, &t)) {
            assert_int_equal(t.paths_made - t.paths_gone, e->paths[f]);
            assert_int_equal(t.prefixes_made - t.prefixes_gone, e->prefixes[f]);
        }
    }
    for (uint32_t i = 1; i < s->attrs.sets.next_new; i++) {
        if (e->tracked[i]) {
            assert_int_equal(attr_get(&s->attrs, i)->nexthop_paths, e->tracked[i]);
        }
    }
}

static void expect_received(const struct bgp_speaker *s, const struct peer *p,
                            const struct enumeration *e) {
    const struct counted *want = &e->peers[p->index];
    const struct rib_peer *r = p->routes ? rib_peer_at(s, p->routes) : NULL;
    assert_int_equal(r ? r->held : 0, want->held);
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        const uint32_t *in = want->in_state[f];
        uint32_t limited = in[0] + (p->restarting[f] ? 0 : in[1]);
        for (unsigned n = 0; n < 3; n++) {
            assert_int_equal(r ? r->in_state[f][n] : 0, in[n]);
        }
        assert_int_equal(rib_received_count(s, p, f), in[0] + in[1] + in[2]);
        assert_int_equal(rib_limited_count(s, p, f), limited);
        assert_int_equal(rib_accepted_count(s, p, f), want->accepted[f]);
        assert_int_equal(rib_best_count(s, p, f), want->best[f]);
    }
}

static uint32_t sent_to(const struct bgp_speaker *s, struct bgp_peer_id peer, enum bgp_family f) {
    uint32_t count = 0;
    const struct slab *slab = &s->rib->entries[f];
    for (uint32_t i = 1; slab->page_count && i < slab->next_new; i++) {
        struct bgp_adj_out it = {0};
        bool used = rib_entry_at(s, f, i)->flags & RIB_ENTRY_USED;
        while (used && bgp_adj_out_next(s, peer, rib_entry_prefix(s, f, i), &it))
            count++;
    }
    return count;
}

static void expect_info(const struct bgp_speaker *s, const struct bgp_peer_info *i,
                        const struct enumeration *e) {
    const struct counted *want = &e->peers[i->id.index];
    const struct peer *p = speaker_peer(s, i->id.index);
    bool up = i->state == BGP_ESTABLISHED;
    seen[SEEN_OVER_LIMIT] += i->prefix_limit_down;
    assert_int_equal(i->established_count - i->dropped_count, up);
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        const uint32_t *in = want->in_state[f];
        assert_int_equal(i->prefixes_received[f], in[0] + in[1] + in[2]);
        assert_int_equal(i->prefixes_accepted[f], want->accepted[f]);
        assert_int_equal(i->prefixes_best[f], up ? want->best[f] : 0);
        /* Of several paths one that has gone is told no more, and counts until it is withdrawn. */
        if (!p->add_path[f] || !(rib_has_work(s) || adjout_pending(s, p))) {
            assert_int_equal(i->prefixes_sent[f], sent_to(s, i->id, (enum bgp_family)f));
        }
    }
}

static void expect_peers(const struct bgp_speaker *s, const struct enumeration *e) {
    uint32_t states[BGP_STATES] = {0}, groups[PEERS] = {0}, group_count = 0, with_routes = 0;
    struct bgp_peer_info info;
    struct bgp_counters c;
    bgp_counters_get(s, &c);
    for (uint32_t n = 0; bgp_peer_at(s, n, &info); n++) {
        bool known = info.update_group == 0;
        for (uint32_t i = 0; i < group_count; i++)
            known = known || groups[i] == info.update_group;
        if (!known)
            groups[group_count++] = info.update_group;
        states[info.state]++;
        with_routes += speaker_peer(s, info.id.index)->routes != 0;
        expect_info(s, &info, e);
        expect_received(s, speaker_peer(s, info.id.index), e);
    }
    assert_memory_equal(c.sessions, states, sizeof states);
    assert_int_equal(c.established_count - c.dropped_count, states[BGP_ESTABLISHED]);
    assert_int_equal(c.update_groups, group_count);
    assert_int_equal(s->rib->peers.used, with_routes + s->rib->removed_peers);
}

/* Those that were removed and wait for their paths to go are found by the sweep that is due. */
static void expect_removed(const struct bgp_speaker *s, const struct enumeration *e) {
    uint32_t removed = 0;
    for (uint32_t i = s->rib->sweep_first; i;) {
        const struct peer *p = speaker_peer(s, i);
        removed += p->removed;
        seen[SEEN_REMOVED] += p->removed;
        if (p->removed) {
            expect_received(s, p, e);
        }
        i = rib_peer_at(s, p->routes)->sweep_next;
    }
    assert_int_equal(s->rib->removed_peers, removed);
}

/* A route that is held back is one whose history says so, and the other way round. */
static bool history_of(const struct bgp_speaker *s, struct ip_prefix prefix,
                       const struct bgp_path_info *path) {
    struct bgp_dampened h;
    const struct peer *p = speaker_peer(s, path->peer.index);
    for (uint32_t at = 0; p && bgp_dampening_next(s, &at, w.now, &h);) {
        if (h.suppressed && h.path_id == path->path_id && ip_prefix_equal(h.prefix, prefix) &&
            ip_equal(h.neighbor, p->config->remote_addr))
            return true;
    }
    return false;
}

static void expect_damped(const struct bgp_speaker *s) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        assert_int_equal(bgp_rib_begin(s, (enum bgp_family)f, &it), BGP_OK);
        while (bgp_rib_next_prefix(s, &it)) {
            while (bgp_rib_next_path(s, &it, &path)) {
                seen[SEEN_DAMPED] += path.damped;
                bool removed = path.peer.index && speaker_peer(s, path.peer.index)->removed;
                if (!path.rejected && !removed)
                    assert_int_equal(path.damped, history_of(s, it.prefix, &path));
            }
        }
        bgp_rib_end(&it);
    }
}

/* Messages of the sessions that are the same ones as at the last look. */
static void expect_messages(const struct bgp_speaker *s) {
    static uint64_t in, out, peers_in, peers_out;
    static uint64_t sessions;
    struct bgp_counters c;
    struct bgp_peer_info info;
    uint64_t now_in = 0, now_out = 0;
    bgp_counters_get(s, &c);
    for (uint32_t n = 0; bgp_peer_at(s, n, &info); n++) {
        now_in += info.state == BGP_ESTABLISHED ? info.received.updates : 0;
        now_out += info.state == BGP_ESTABLISHED ? info.sent.updates : 0;
    }
    uint64_t changes = c.established_count + c.dropped_count;
    if (changes == sessions && changes) {
        assert_int_equal(c.updates_received - in, now_in - peers_in);
        assert_int_equal(c.updates_sent - out, now_out - peers_out);
    }
    in = c.updates_received;
    out = c.updates_sent;
    peers_in = now_in;
    peers_out = now_out;
    sessions = changes;
}

static void look(void) {
    static struct enumeration e;
    const struct bgp_speaker *s = w.nodes[0].speaker;
    enumerate(s, &e);
    expect_tables(s, &e);
    expect_peers(s, &e);
    expect_removed(s, &e);
    expect_damped(s);
    expect_messages(s);
}

/* ---- what happens ---- */

static uint32_t as_of(uint32_t node) {
    return node < 2 ? 65001 : 65000 + node;
}

static void make_peer(struct bgp_peer_config *p, enum bgp_profile profile, uint32_t node,
                      uint32_t to) {
    bgp_peer_config_init(p, profile);
    snprintf(p->name, sizeof p->name, "to%u", to);
    p->remote_addr = ip4(0x0A000001 + to);
    p->remote_as = as_of(to);
    p->graceful_restart = node + to == 2 || node + to == 4 ? BGP_GR_OFF : BGP_GR_FULL;
    p->gr_notification = node + to == 3;
    p->send_communities = true;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        p->families[f] = true;
        p->import[f].accept_by_default = p->export[f].accept_by_default = true;
        p->add_path_send[f] = node + to == 3 ? 2 : 0;
        p->add_path_receive[f] = node + to == 3;
    }
}

static void make_node(enum bgp_profile profile, uint32_t node, uint64_t seed) {
    struct bgp_config *c = &config, other;
    struct bgp_peer_config list[PEERS], *to_peers = node ? list : peers;
    const struct bgp_env env = {.seed = seed + node,
                                .work_budget = node ? 0 : 1 + (uint32_t)(seed % 7),
                                .restarting = node == 0 && seed % 2};
    c = node ? &other : c;
    bgp_config_init(c, profile);
    c->local_as = as_of(node);
    c->router_id = ip4(0x0A000001 + node);
    c->policies = policies;
    c->policy_count = POLICIES;
    c->peers = to_peers;
    c->fib.install = true;
    for (uint32_t to = 0; to < NODES; to++) {
        if (to != node)
            make_peer(&to_peers[c->peer_count++], profile, node, to);
    }
    pipe_add(&w, c, &env);
}

static void originate(uint32_t node) {
    static const char *const attributes[] = {NULL, "c00804fde80007", "c00804ffff029a"};
    static const struct ip_addr via = {IP_V6, {0x20, 1, 0x0d, 0xb8, [15] = 9}};
    enum bgp_family f = (enum bgp_family)below(BGP_FAMILIES);
    const struct bgp_origin_config o = {
        .prefix = prefix_of(f, below(PREFIXES)),
        .source = ROUTE_SOURCE_STATIC,
        .metric = UINT32_MAX,
        .med_set = true,
        .med = below(3),
        .next_hop = f == BGP_IPV6_UNICAST ? via : (struct ip_addr){0},
        .attributes = attributes[below(3)],
    };
    if (below(3)) {
        assert_int_equal(bgp_originate(w.nodes[node].speaker, &o, w.now), BGP_OK);
    } else {
        enum bgp_status status = bgp_withdraw(w.nodes[node].speaker, o.prefix, o.source, w.now);
        assert_true(status == BGP_OK || status == BGP_UNKNOWN);
    }
}

static void change_peer(struct bgp_peer_config *p) {
    enum bgp_family f = (enum bgp_family)below(BGP_FAMILIES);
    switch (below(12)) {
    case 0:
        p->soft_reconfiguration = below(2);
        break;
    case 1:
        p->prefix_max[f] = below(3) ? 0 : 4;
        p->prefix_restart_min = 1;
        break;
    case 2:
        p->shutdown = below(4) == 0;
        break;
    case 3:
        p->add_path_receive_max[f] = below(2);
        break;
    case 4:
        p->export[f].policies = &indices[below(POLICIES)];
        p->export[f].count = 1;
        break;
    case 5:
        p->graceful_restart = (enum bgp_graceful_restart)below(3);
        break;
    case 6:
        p->rr_client = p->remote_as == 65001 && below(2);
        break;
    case 7:
        p->families[1] = below(3) > 0;
        break;
    case 8:
        p->default_originate[f] = below(2);
        p->blackhole_accept = below(2);
        break;
    case 9:
        p->fall_over = below(2);
        p->local_as = p->remote_as != 65001 && below(3) == 0 ? 64999 : 0;
        break;
    default:
        p->import[f].policies = &indices[below(POLICIES)];
        p->import[f].count = 1;
        break;
    }
}

static void change_node(void) {
    switch (below(10)) {
    case 0: /* the last neighbour goes, or comes back */
        config.peer_count = PEERS - (below(2) != 0);
        break;
    case 1:
        config.dampening_count = below(4) ? BGP_FAMILIES : below(2);
        break;
    case 2:
        aggregate = (struct bgp_aggregate_config){.prefix = ip_prefix_make(ip4(0x14000000), 8),
                                                  .as_set = below(2),
                                                  .summary_only = below(2)};
        config.aggregates = &aggregate;
        config.aggregate_count = below(2);
        break;
    case 3:
        config.multipath_mixed[0] = below(4);
        config.always_compare_med = below(2);
        break;
    case 4:
        config.confederation_id = below(2) ? 100 : 0;
        break;
    case 5:
        config.cluster_id = below(2);
        break;
    case 6:
        config.multipath_external[0] = below(4);
        config.multipath_internal[1] = below(3);
        config.multipath_as_path_relax = below(2);
        break;
    case 7:
        config.graceful_shutdown_receive = below(2);
        config.default_local_pref = below(2) ? 100 : 120;
        break;
    case 8:
        peers[1].role = below(2) ? BGP_ROLE_PEER : BGP_ROLE_NONE;
        break;
    default:
        config.fib.install = below(2);
        break;
    }
}

static void configure(void) {
    assert_int_equal(bgp_configure(w.nodes[0].speaker, &config, w.now), BGP_OK);
}

static void clear(uint32_t node) {
    static const enum bgp_clear how[] = {BGP_CLEAR_SOFT_IN, BGP_CLEAR_SOFT_OUT, BGP_CLEAR_SOFT_IN,
                                         BGP_CLEAR_HARD};
    struct bgp_peer_info info;
    if (bgp_peer_at(w.nodes[node].speaker, below(PEERS), &info))
        assert_int_equal(bgp_clear(w.nodes[node].speaker, info.id, how[below(4)], w.now), BGP_OK);
}

static void happen(void) {
    switch (below(12)) {
    case 0:
        change_peer(&peers[below(PEERS)]);
        configure();
        break;
    case 1:
        change_node();
        configure();
        break;
    case 2:
        pipe_cut(&w, 0, 1 + below(PEERS));
        break;
    case 3:
        clear(0);
        break;
    case 4:
        clear(1 + below(PEERS));
        break;
    case 5:
        bgp_nexthop_set(w.nodes[0].speaker, ip4(0x0A000002 + below(PEERS)), below(3), below(2),
                        w.now);
        break;
    case 6:
        pipe_run(&w, below(4) ? 1000 : 50000);
        break;
    default:
        originate(below(NODES));
        break;
    }
}

/* One withdrawal is enough, and for less than a minute. */
static void dampen(void) {
    for (unsigned f = 0; f < BGP_FAMILIES; f++)
        dampening[f] = (struct bgp_dampening_config){.family = (enum bgp_family)f,
                                                     .half_life_s = 60,
                                                     .reuse = 750,
                                                     .suppress = 900,
                                                     .suppress_max_s = 120};
    config.dampening = dampening;
    config.dampening_count = BGP_FAMILIES;
}

static void run(enum bgp_profile profile, uint64_t seed) {
    memset(&config, 0, sizeof config);
    rng = seed;
    pipe_init(&w, seed);
    for (uint32_t i = 0; i < NODES; i++)
        make_node(profile, i, seed);
    dampen();
    configure();
    for (unsigned step = 0; step < STEPS; step++) {
        happen();
        look();
        for (uint32_t n = below(4); n > 0; n--) {
            alloc_fail_after(below(3) ? 0 : 1 + below(12), below(4) == 0);
            bgp_advance(w.nodes[0].speaker, w.now);
            alloc_fail_after(0, false);
            look();
        }
        alloc_fail_after(below(3) ? 0 : 1 + below(60), false);
        pipe_run(&w, below(4));
        alloc_fail_after(0, false);
        look();
    }
    pipe_free(&w);
}

static void test_counters(void **state) {
    (void)state;
    static const enum bgp_profile profiles[] = {BGP_PROFILE_IOS, BGP_PROFILE_PLAIN,
                                                BGP_PROFILE_FAST};
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run(profiles[seed % 3], seed);
    for (unsigned kind = 0; kind < SEEN_KINDS; kind++)
        assert_int_not_equal(seen[kind], 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counters),
    };
    return cmocka_run_group_tests_name("counters_random", tests, NULL, NULL);
}
