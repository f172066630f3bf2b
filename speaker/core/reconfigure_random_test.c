/*
 * However a configuration was reached, what stands in the tables is what a start with it gives.
 *
 * Five speakers, three of AS 65001 and two outside, all with each other. Their configurations
 * change again and again while the sessions live, connections are cut in between. Left alone: what
 * counts from the next session on only (RFC 5492: capabilities). Seeded: same steps each run.
 *
 * As afresh: as many speakers start with the last configurations, and every best path and
 * Adj-RIB-Out must be the same. Without what makes preferences go in circles.
 *
 * Stable: with that, which is weights, paths with our AS or without it, their length ignored, MED.
 * There may be several outcomes then, and which one it is depends on who spoke first (RFC 4264;
 * MED: RFC 3345). So each node is compared with one that starts alone, and is told what its
 * neighbours tell now. Or there is none: A prefers by weight what B has only while C takes the
 * route from A; A sends it to C without our AS, so that C does take it, but not once it came
 * through C (RFC 4271 9.1.2): A's choice undoes itself. What goes to and fro without end is left
 * out, after the same network settled, as afresh, as soon as all of that was gone.
 */
#include "pipe_test.h"
#include "tables_test.h"

#include "attr.h"

#define NODES 5u
#define PREFIXES 3u /* of each node */
#define POLICIES 5u
#define POLICIES_CALM 4u /* the first ones: none sets MED */
#define SEEDS 8u
#define STEPS 12u
#define BUSY_SECONDS 10u /* of virtual time: what has an outcome has it within fewer */

static struct bench alone;

struct setup {
    struct bgp_config configs[NODES];
    struct bgp_peer_config peers[NODES][NODES - 1];
    struct bgp_origin_config origins[NODES][PREFIXES];
    struct bgp_aggregate_config aggregates[NODES];
    bool wide; /* also what can make preferences go in circles */
    uint64_t rng;
};

/* COMMUNITIES of each node's routes: none, BLACKHOLE, and the one policies look for. */
static const char *const attributes[PREFIXES] = {NULL, "c00804ffff029a", "c00804fde80007"};

static const uint32_t tag = 65000u << 16 | 7, prepended[] = {65099, 65099};
static const struct policy_match tagged = {.kind = POLICY_MATCH_COMMUNITY,
                                           .value = 65000u << 16 | 7};
static const struct policy_action actions[] = {
    {.kind = POLICY_ADD_COMMUNITIES, .asns = &tag, .asn_count = 1},
    {.kind = POLICY_PREPEND_AS_PATH, .asns = prepended, .asn_count = 2},
    {.kind = POLICY_SET_MED, .value = 50},
};
static const struct policy_term terms[] = {
    {.name = "all", .verdict = POLICY_ACCEPT},
    {.name = "tagged", .matches = &tagged, .match_count = 1, .verdict = POLICY_REJECT},
    {.name = "tag", .actions = actions, .action_count = 1, .verdict = POLICY_ACCEPT},
    {.name = "long", .actions = actions + 1, .action_count = 1, .verdict = POLICY_ACCEPT},
    {.name = "med", .actions = actions + 2, .action_count = 1, .verdict = POLICY_ACCEPT},
};
static const struct policy policies[POLICIES] = {
    {.name = "all", .terms = terms, .term_count = 1},
    {.name = "untagged", .terms = terms + 1, .term_count = 1, .otherwise = POLICY_ACCEPT},
    {.name = "tag", .terms = terms + 2, .term_count = 1},
    {.name = "long", .terms = terms + 3, .term_count = 1},
    {.name = "med", .terms = terms + 4, .term_count = 1},
};
static const uint16_t indices[POLICIES] = {0, 1, 2, 3, 4};

static uint32_t as_of(uint32_t node) {
    return node < 3 ? 65001 : 65000 + node;
}

static void make_peers(struct setup *x, enum bgp_profile profile, uint32_t node) {
    struct bgp_config *c = &x->configs[node];
    c->peers = x->peers[node];
    for (uint32_t to = 0; to < NODES; to++) {
        struct bgp_peer_config *p = &x->peers[node][c->peer_count];
        if (to == node)
            continue;
        bgp_peer_config_init(p, profile);
        snprintf(p->name, sizeof p->name, "to%u", to);
        p->remote_addr = ip4(0x0A000001 + to);
        p->remote_as = as_of(to);
        p->import[0].accept_by_default = p->export[0].accept_by_default = true;
        c->peer_count++;
    }
}

static void make(struct setup *x, enum bgp_profile profile, uint64_t seed) {
    memset(x, 0, sizeof *x);
    x->rng = seed;
    for (uint32_t i = 0; i < NODES; i++) {
        struct bgp_config *c = &x->configs[i];
        bgp_config_init(c, profile);
        c->local_as = as_of(i);
        c->router_id = ip4(0x0A000001 + i);
        c->compare_router_id = true; /* or it depends on who came first */
        c->deterministic_med = true;
        c->policies = policies;
        c->policy_count = POLICIES;
        make_peers(x, profile, i);
        for (uint32_t k = 0; k < PREFIXES; k++)
            x->origins[i][k] = (struct bgp_origin_config){
                .prefix = ip_prefix_make(ip4(0x14000000 + (i << 16) + (k << 8)), 24),
                .source = ROUTE_SOURCE_STATIC,
                .metric = UINT32_MAX,
                .attributes = attributes[k]};
        c->origins = x->origins[i];
        c->origin_count = PREFIXES;
    }
}

/* ---- changes ---- */

static bool toss(struct setup *x) {
    return rng_below(&x->rng, 2);
}

static struct policy_chain any_chain(struct setup *x) {
    struct policy_chain c = {.accept_by_default = true};
    if (toss(x)) {
        c.policies = &indices[rng_below(&x->rng, x->wide ? POLICIES : POLICIES_CALM)];
        c.count = 1;
    }
    return c;
}

static void change_peer(struct setup *x, struct bgp_peer_config *p) {
    switch (rng_below(&x->rng, x->wide ? 16 : 12)) {
    case 0:
        p->import[0] = any_chain(x);
        break;
    case 1:
        p->export[0] = any_chain(x);
        break;
    case 2:
        p->send_communities = toss(x);
        break;
    case 3:
        p->next_hop_mode = (enum bgp_next_hop_mode)rng_below(&x->rng, 4);
        break;
    case 4:
        p->graceful_shutdown = toss(x);
        break;
    case 5:
        p->soft_reconfiguration = toss(x);
        break;
    case 6:
        p->default_originate[0] = toss(x);
        break;
    case 7:
        p->enforce_first_as = toss(x);
        break;
    case 8:
        p->shutdown = rng_below(&x->rng, 4) == 0;
        break;
    case 9:
        p->advertisement_interval_ms[0] = (uint32_t)rng_below(&x->rng, 3) * 700;
        break;
    case 10:
        p->as_override = toss(x);
        break;
    case 12:
        p->weight = (uint16_t)(100 * rng_below(&x->rng, 3));
        break;
    case 13:
        p->allow_local_as = toss(x);
        break;
    case 14:
        p->transparent = toss(x);
        break;
    case 15:
        p->remove_private_as = toss(x);
        p->remove_private_as_all = p->remove_private_as && toss(x);
        p->remove_private_as_replace = p->remove_private_as_all && toss(x);
        break;
    default:
        p->rr_client = p->remote_as == 65001 && toss(x);
        break;
    }
}

/* What a node's decisions, and its own routes, are made by. */
static void change_rules(struct setup *x, uint32_t node) {
    struct bgp_config *c = &x->configs[node];
    struct bgp_origin_config *o = &x->origins[node][rng_below(&x->rng, PREFIXES)];
    switch (rng_below(&x->rng, 6)) {
    case 0:
        c->default_local_pref = toss(x) ? 100 : 150;
        break;
    case 1:
        c->always_compare_med = toss(x);
        break;
    case 2:
        c->med_missing_as_worst = toss(x);
        break;
    case 3:
        c->graceful_shutdown_receive = toss(x);
        break;
    case 4:
        c->as_path_ignore = toss(x);
        break;
    default:
        o->med_set = toss(x);
        o->med = 20;
        o->origin = (uint8_t)rng_below(&x->rng, 3);
        o->weight = toss(x) ? 32768 : 0;
        break;
    }
}

static void change(struct setup *x, uint32_t node) {
    struct bgp_config *c = &x->configs[node];
    switch (rng_below(&x->rng, x->wide ? 12 : 10)) {
    case 10:
    case 11:
        change_rules(x, node);
        break;
    case 0:
        c->blackhole_no_export = toss(x);
        break;
    case 1:
        c->client_to_client_reflection = toss(x);
        break;
    case 2:
        c->origin_count = (uint32_t)rng_below(&x->rng, PREFIXES + 1);
        break;
    case 3:
        x->aggregates[node] =
            (struct bgp_aggregate_config){.prefix = ip_prefix_make(ip4(0x14000000), 8),
                                          .as_set = toss(x),
                                          .summary_only = toss(x)};
        c->aggregates = &x->aggregates[node];
        c->aggregate_count = (x->wide || node == 0) && toss(x);
        break;
    default:
        change_peer(x, &c->peers[rng_below(&x->rng, NODES - 1)]);
        break;
    }
}

/* ---- what stands in the tables ---- */

static void put_words(struct text *out, const char *what, const uint32_t *words, uint32_t count) {
    text_puts(out, what);
    for (uint32_t i = 0; i < count; i++)
        text_printf(out, " %x", words[i]);
}

static void put_values(struct text *out, const struct attr_values *v) {
    char hop[IP_ADDR_TEXT_MAX];
    text_printf(out, " via %s origin %u med %d.%u pref %d.%u atomic %d by %u.%u from %x",
                ip_is_set(v->next_hop) ? ip_format(v->next_hop, hop) : "-", v->origin, v->has_med,
                v->med, v->has_local_pref, v->local_pref, v->atomic_aggregate, v->aggregator_as,
                v->aggregator_id, v->originator_id);
    put_words(out, " path", v->as_path.words, v->as_path.word_count);
    put_words(out, " communities", v->communities, v->community_count);
    put_words(out, " clusters", v->cluster_list, v->cluster_count);
    text_puts(out, "\n");
}

static void put_prefix(struct text *out, struct bgp_speaker *s, struct bgp_rib_iterator *it) {
    char prefix[IP_PREFIX_TEXT_MAX];
    struct bgp_path_info path;
    while (bgp_rib_next_path(s, it, &path)) {
        if (!path.best)
            continue;
        text_printf(out, "best %s", ip_prefix_format(it->prefix, prefix));
        put_values(out, &path.attrs->v);
    }
    for (uint32_t i = 0; i < s->peer_count; i++) {
        const struct peer *p = speaker_peer(s, s->peer_order[i]);
        const struct attr_set *sent =
            bgp_adj_out_find(s, (struct bgp_peer_id){p->index}, it->prefix);
        if (!sent)
            continue;
        text_printf(out, "%s gets %s", p->config->name, ip_prefix_format(it->prefix, prefix));
        put_values(out, &sent->v);
    }
}

static void put_node(struct text *out, struct bgp_speaker *s, uint32_t node) {
    struct bgp_rib_iterator it;
    text_printf(out, "node %u\n", node);
    for (uint32_t n = 0; n < s->peer_count; n++) {
        const struct peer *p = speaker_peer(s, s->peer_order[n]);
        text_printf(out, "%s %d\n", p->config->name, p->state == BGP_ESTABLISHED);
    }
    assert_int_equal(bgp_rib_begin(s, BGP_IPV4_UNICAST, &it), BGP_OK);
    while (bgp_rib_next_prefix(s, &it))
        put_prefix(out, s, &it);
    bgp_rib_end(&it);
}

static void put_tables(struct text *out, const struct pipe_world *w) {
    for (uint32_t i = 0; i < NODES; i++)
        put_node(out, w->nodes[i].speaker, i);
}

/* The first line that differs. */
static void expect_same(const char *a, const char *b, uint64_t seed, unsigned step) {
    const char *line = a;
    for (; *a && *a == *b; a++, b++)
        line = *a == '\n' ? a + 1 : line;
    if (*a == *b)
        return;
    size_t back = (size_t)(a - line);
    fail_msg("seed %u, step %u:\n%.300s\n-- afresh:\n%.300s", (unsigned)seed, step, line, b - back);
}

/* What `node` knows of its neighbour `of`. */
static struct bgp_peer_info peer_of(const struct pipe_world *w, uint32_t node, uint32_t of) {
    struct bgp_peer_info info = {0};
    uint32_t n = 0;
    while (bgp_peer_at(w->nodes[node].speaker, n, &info) &&
           strtoul(info.config->name + 2, NULL, 10) != of)
        n++;
    return info;
}

/* Node `to` holds of `from` nothing that `from` has not sent it. */
static void expect_sent(const struct pipe_world *w, uint32_t from, uint32_t to, uint64_t seed) {
    struct bgp_speaker *s = w->nodes[to].speaker;
    struct bgp_peer_info sender = peer_of(w, to, from), receiver = peer_of(w, from, to);
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    char text[IP_PREFIX_TEXT_MAX];
    assert_int_equal(bgp_rib_begin(s, BGP_IPV4_UNICAST, &it), BGP_OK);
    while (bgp_rib_next_prefix(s, &it)) {
        while (bgp_rib_next_path(s, &it, &path)) {
            if (path.peer.index == sender.id.index &&
                !bgp_adj_out_find(w->nodes[from].speaker, receiver.id, it.prefix))
                fail_msg("seed %u: node %u holds %s of %u, which did not send it", (unsigned)seed,
                         to, ip_prefix_format(it.prefix, text), from);
        }
    }
    bgp_rib_end(&it);
}

static void expect_as_afresh(struct pipe_world *w, struct setup *x, uint64_t seed, unsigned step) {
    struct text changed, fresh;
    struct pipe_world other;
    text_init(&changed);
    text_init(&fresh);
    put_tables(&changed, w);
    pipe_init(&other, seed + 1);
    for (uint32_t i = 0; i < NODES; i++)
        pipe_add(&other, &x->configs[i], NULL);
    pipe_run(&other, 65000); /* intervals, too */
    put_tables(&fresh, &other);
    expect_same(text_str(&changed), text_str(&fresh), seed, step);
    for (uint32_t i = 0; i < NODES * NODES; i++) {
        if (i / NODES != i % NODES)
            expect_sent(w, i / NODES, i % NODES, seed);
    }
    pipe_free(&other);
    text_deinit(&changed);
    text_deinit(&fresh);
}

/* ---- each node alone ---- */

static void repeat_one(const struct pipe_world *w, uint32_t from, uint32_t to, struct ip_prefix p) {
    const struct attr_set *sent =
        bgp_adj_out_find(w->nodes[from].speaker, peer_of(w, from, to).id, p);
    if (sent)
        (void)bench_send(&alone, from - (from > to), &sent->v, &p, 1);
}

/* What `from` sends `to` is said to a speaker that knows nothing else. */
static void repeat(const struct pipe_world *w, uint32_t from, uint32_t to) {
    struct bgp_rib_iterator it;
    repeat_one(w, from, to, pfx("0.0.0.0/0")); /* default_originate needs no route */
    assert_int_equal(bgp_rib_begin(w->nodes[from].speaker, BGP_IPV4_UNICAST, &it), BGP_OK);
    while (bgp_rib_next_prefix(w->nodes[from].speaker, &it))
        repeat_one(w, from, to, it.prefix);
    bgp_rib_end(&it);
}

/* The state is a stable one: a node that starts now, with these neighbours who say what they say,
 * comes to the same. That is so in each of several outcomes that preferences may have. */
static void expect_stable(struct pipe_world *w, struct setup *x, uint64_t seed, unsigned step) {
    for (uint32_t i = 0; i < NODES; i++) {
        struct text changed, fresh;
        text_init(&changed);
        text_init(&fresh);
        put_node(&changed, w->nodes[i].speaker, i);
        memset(&alone, 0, sizeof alone);
        alone.config = x->configs[i];
        bench_start(&alone);
        for (uint32_t from = 0; from < NODES; from++) {
            if (from == i || peer_of(w, i, from).state != BGP_ESTABLISHED)
                continue;
            bench_up(&alone, from - (from > i));
            repeat(w, from, i);
        }
        bench_settle(&alone);
        put_node(&fresh, alone.s, i);
        expect_same(text_str(&changed), text_str(&fresh), seed, step);
        bench_end(&alone);
        text_deinit(&changed);
        text_deinit(&fresh);
    }
}

/* ---- the run ---- */

static uint64_t updates_of(const struct pipe_world *w) {
    struct bgp_counters counters;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < NODES; i++) {
        bgp_counters_get(w->nodes[i].speaker, &counters);
        sum += counters.updates_sent;
    }
    return sum;
}

/* Until the waits of those who were refused are over. False: UPDATEs have gone to and fro for
 * BUSY_SECONDS without a pause. */
static bool settles(struct pipe_world *w) {
    unsigned busy = 0;
    for (unsigned second = 0; second < 600 && busy < BUSY_SECONDS; second++) {
        uint64_t before = updates_of(w);
        pipe_run(w, 1000);
        busy = updates_of(w) == before ? 0 : busy + 1;
    }
    return busy < BUSY_SECONDS;
}

static void shake(struct pipe_world *w, struct setup *x) {
    for (uint32_t n = (uint32_t)rng_below(&x->rng, 4) + 1; n > 0; n--) {
        uint32_t node = (uint32_t)rng_below(&x->rng, NODES);
        change(x, node);
        assert_int_equal(bgp_configure(w->nodes[node].speaker, &x->configs[node], w->now), BGP_OK);
        pipe_run(w, rng_below(&x->rng, 3) ? rng_below(&x->rng, 20) : 500);
        if (rng_below(&x->rng, 4) == 0)
            assert_int_equal(
                bgp_clear(w->nodes[node].speaker, (struct bgp_peer_id){0},
                          rng_below(&x->rng, 2) ? BGP_CLEAR_SOFT_IN : BGP_CLEAR_SOFT_OUT, w->now),
                BGP_OK);
        if (rng_below(&x->rng, 4) == 0)
            pipe_cut(w, (uint32_t)rng_below(&x->rng, NODES), (uint32_t)rng_below(&x->rng, NODES));
    }
}

/* With little work in each call: whatever is done in slices meets what is not done yet. */
static void start(struct pipe_world *w, struct setup *x, uint64_t seed) {
    pipe_init(w, seed);
    for (uint32_t i = 0; i < NODES; i++) {
        const struct bgp_env env = {.seed = 100 + i, .work_budget = 1 + (uint32_t)((seed + i) % 7)};
        pipe_add(w, &x->configs[i], &env);
    }
    pipe_run(w, 20000);
}

static void run(enum bgp_profile profile, uint64_t seed) {
    static struct setup x;
    struct pipe_world w;
    make(&x, profile, seed);
    start(&w, &x, seed);
    for (unsigned step = 0; step < STEPS; step++) {
        shake(&w, &x);
        assert_true(settles(&w));
        expect_as_afresh(&w, &x, seed, step);
    }
    pipe_free(&w);
}

/* Takes out what makes circles: then there is one outcome. */
static void calm(struct pipe_world *w, struct setup *x) {
    for (uint32_t i = 0; i < NODES; i++) {
        for (uint32_t k = 0; k < NODES - 1; k++) {
            struct bgp_peer_config *p = &x->peers[i][k];
            p->weight = 0;
            p->allow_local_as = 0;
            p->transparent = p->rr_client = false;
            p->import[0] = p->export[0] = (struct policy_chain){.accept_by_default = true};
        }
        x->configs[i].as_path_ignore = false;
        assert_int_equal(bgp_configure(w->nodes[i].speaker, &x->configs[i], w->now), BGP_OK);
    }
}

/* How many steps had no outcome. */
static uint32_t run_wide(enum bgp_profile profile, uint64_t seed) {
    static struct setup x;
    struct pipe_world w;
    uint32_t circles = 0;
    make(&x, profile, seed);
    x.wide = true;
    start(&w, &x, seed);
    for (unsigned step = 0; step < STEPS; step++) {
        shake(&w, &x);
        if (settles(&w)) {
            expect_stable(&w, &x, seed, step);
            continue;
        }
        circles++;
        calm(&w, &x);
        assert_true(settles(&w));
        expect_as_afresh(&w, &x, seed, step);
    }
    pipe_free(&w);
    return circles;
}

static void test_as_afresh(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(BGP_PROFILE_FAST, seed);
        run(BGP_PROFILE_PLAIN, seed);
        run(BGP_PROFILE_IOS, seed);
    }
}

/* Circles are rare, and few networks may be left out for them. */
static void test_stable(void **state) {
    (void)state;
    uint32_t circles = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        circles += run_wide(BGP_PROFILE_FAST, seed);
        circles += run_wide(BGP_PROFILE_PLAIN, seed);
        circles += run_wide(BGP_PROFILE_IOS, seed);
    }
    assert_in_range(circles, 0, SEEDS * STEPS * 3 / 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_afresh),
        cmocka_unit_test(test_stable),
    };
    return cmocka_run_group_tests_name("reconfigure_random", tests, NULL, NULL);
}
