/*
 * Who can take long messages (RFC 8654) gets long routes, and who cannot keeps none of them: at
 * random, among sessions that come back with other capabilities, connections that are cut and
 * routes that grow and shrink. A reflector has two sources, one inside and one outside, and sends
 * to a client, to one that takes several paths (RFC 7911) and outside; an aggregate gathers the
 * communities of its parts. Near 4,096 octets either is right, as long as the sessions stay.
 */
#include "pipe_test.h"

#include "attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define HUB 0u
#define INSIDE 1u  /* a source: best, for its path is shorter */
#define OUTSIDE 2u /* a source */
#define CLIENT 3u
#define SEVERAL 4u /* several paths a prefix */
#define FAR 5u
#define NODES 6u
#define PREFIXES 3u
#define SEEDS 12u
#define STEPS 15u
#define COMMUNITIES_MAX 3000u

struct world {
    struct pipe_world w;
    struct bgp_config configs[NODES];
    struct bgp_peer_config to_hub[NODES], from_hub[NODES];
    struct bgp_origin_config origins[NODES][PREFIXES];
    char attributes[NODES][PREFIXES][9 + COMMUNITIES_MAX * 8];
    uint32_t communities[NODES][PREFIXES]; /* of each; 0: no route */
    struct bgp_aggregate_config aggregate;
    uint64_t rng;
};

static struct world x;

static uint32_t below(uint32_t n) {
    return (uint32_t)rng_below(&x.rng, n);
}

static struct ip_prefix prefix_of(uint32_t n) {
    return ip_prefix_make(ip4(0x14000000 + (n << 16)), 16);
}

static uint32_t as_of(uint32_t node) {
    return node == OUTSIDE || node == FAR ? 65001 + node : 65001;
}

static void set_peer(struct bgp_peer_config *p, uint32_t to, bool extended) {
    bgp_peer_config_init(p, BGP_PROFILE_PLAIN);
    snprintf(p->name, sizeof p->name, "to%u", to);
    p->remote_addr = ip4(0x0A000001 + to);
    p->remote_as = as_of(to);
    p->send_communities = true;
    p->import[0].accept_by_default = p->export[0].accept_by_default = true;
    p->extended_messages = extended;
}

/* COMMUNITIES with this many of the node's own. */
static void write_route(uint32_t node, uint32_t n, uint32_t count) {
    struct bgp_config *c = &x.configs[node];
    char *out = x.attributes[node][n];
    int at = snprintf(out, 9, "d008%04x", count * 4);
    for (uint32_t i = 0; i < count; i++)
        at += snprintf(out + at, 9, "%04x%04x", node + 1, n * 4096 + i);
    x.communities[node][n] = count;
    c->origin_count = 0;
    for (uint32_t i = 0; i < PREFIXES; i++)
        if (x.communities[node][i])
            x.origins[node][c->origin_count++] =
                (struct bgp_origin_config){.prefix = prefix_of(i),
                                           .source = ROUTE_SOURCE_STATIC,
                                           .metric = UINT32_MAX,
                                           .attributes = x.attributes[node][i]};
}

static void make(uint64_t seed) {
    memset(&x, 0, sizeof x);
    x.rng = seed;
    pipe_init(&x.w, seed);
    for (uint32_t i = 0; i < NODES; i++) {
        struct bgp_config *c = &x.configs[i];
        bgp_config_init(c, BGP_PROFILE_PLAIN);
        c->local_as = as_of(i);
        c->router_id = ip4(0x0A000001 + i);
        c->peers = i == HUB ? &x.from_hub[1] : &x.to_hub[i];
        c->peer_count = i == HUB ? NODES - 1 : 1;
        c->origins = x.origins[i];
        set_peer(&x.to_hub[i], HUB, true);
        set_peer(&x.from_hub[i], i, true);
        x.from_hub[i].rr_client = as_of(i) == 65001;
    }
    x.to_hub[SEVERAL].add_path_receive[0] = true;
    x.from_hub[SEVERAL].add_path_send[0] = 4;
    x.aggregate = (struct bgp_aggregate_config){.prefix = ip_prefix_make(ip4(0x14000000), 8)};
    x.configs[HUB].aggregates = &x.aggregate;
    for (uint32_t i = 0; i < NODES; i++)
        pipe_add(&x.w, &x.configs[i], NULL);
}

/* ---- changes ---- */

static void configure(uint32_t node) {
    assert_int_equal(bgp_configure(x.w.nodes[node].speaker, &x.configs[node], x.w.now), BGP_OK);
}

static void change_route(void) {
    static const uint32_t counts[] = {0, 1, 500, 1200, COMMUNITIES_MAX};
    uint32_t node = INSIDE + below(2), at = below(6);
    write_route(node, below(PREFIXES), at < 5 ? counts[at] : 960 + below(60));
    configure(node);
}

/* Either side says whether it takes long messages. */
static void change_session(void) {
    uint32_t node = CLIENT + below(3);
    if (below(3)) {
        x.to_hub[node].extended_messages = below(2);
        configure(node);
    } else {
        x.from_hub[node].extended_messages = below(2);
        configure(HUB);
    }
    pipe_cut(&x.w, HUB, node); /* RFC 5492: from the next session on */
}

static void change(void) {
    switch (below(5)) {
    case 0:
        change_session();
        break;
    case 1:
        x.aggregate.as_set = below(2);
        x.configs[HUB].aggregate_count = below(2);
        configure(HUB);
        break;
    case 2:
        pipe_cut(&x.w, HUB, 1 + below(NODES - 1));
        break;
    default:
        change_route();
        break;
    }
    pipe_run(&x.w, below(3) ? below(50) : 5000);
}

/* ---- what is expected ---- */

/* RFC 8654 4: to who takes them, and here by who takes them, too. */
static bool is_extended(uint32_t node) {
    return x.to_hub[node].extended_messages && x.from_hub[node].extended_messages;
}

enum fit { FITS, TOO_LONG, EITHER };

static enum fit fit_of(uint32_t communities, bool extended) {
    return extended || communities < 940 ? FITS : communities > 1024 ? TOO_LONG : EITHER;
}

/* How many paths with this many communities `node` has of the prefix. */
static uint32_t count_paths(uint32_t node, struct ip_prefix prefix, uint32_t communities) {
    const struct bgp_speaker *s = x.w.nodes[node].speaker;
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    uint32_t count = 0;
    if (!bgp_rib_find(s, prefix, &it))
        return 0;
    while (bgp_rib_next_path(s, &it, &path))
        count += path.attrs->v.community_count == communities;
    bgp_rib_end(&it);
    return count;
}

static uint32_t count_all(uint32_t node, struct ip_prefix prefix) {
    const struct bgp_speaker *s = x.w.nodes[node].speaker;
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    uint32_t count = 0;
    if (!bgp_rib_find(s, prefix, &it))
        return 0;
    while (bgp_rib_next_path(s, &it, &path))
        count++;
    bgp_rib_end(&it);
    return count;
}

static void expect_paths(uint32_t node, struct ip_prefix prefix, const uint32_t *communities,
                         uint32_t count, uint64_t seed, unsigned step) {
    bool extended = is_extended(node);
    uint32_t at_least = 0, at_most = 0;
    char text[IP_PREFIX_TEXT_MAX];
    for (uint32_t i = 0; i < count; i++) {
        enum fit fit = communities[i] ? fit_of(communities[i], extended) : TOO_LONG;
        at_least += fit == FITS;
        at_most += fit != TOO_LONG;
        uint32_t held = communities[i] ? count_paths(node, prefix, communities[i]) : 0;
        if (fit != EITHER && (held > 0) != (fit == FITS))
            fail_msg("seed %u, step %u, node %u: %s with %u communities %s", (unsigned)seed, step,
                     node, ip_prefix_format(prefix, text), communities[i],
                     held ? "came" : "did not come");
    }
    uint32_t all = count_all(node, prefix);
    if (all < at_least || all > at_most)
        fail_msg("seed %u, step %u, node %u: %u paths of %s", (unsigned)seed, step, node, all,
                 ip_prefix_format(prefix, text));
}

/* The best path: of the source inside, if it has one. */
static uint32_t best_of(uint32_t n) {
    return x.communities[INSIDE][n] ? x.communities[INSIDE][n] : x.communities[OUTSIDE][n];
}

static void expect_aggregate(uint32_t node, uint64_t seed, unsigned step) {
    uint32_t communities = 0, parts = 0;
    for (uint32_t n = 0; n < PREFIXES; n++) {
        communities += best_of(n);
        parts += best_of(n) > 0;
    }
    bool there = x.configs[HUB].aggregate_count && parts;
    uint32_t held = count_all(node, x.aggregate.prefix);
    enum fit fit = fit_of(x.aggregate.as_set ? communities : 1, is_extended(node));
    if (!there || fit != EITHER)
        if (held != (there && fit == FITS))
            fail_msg("seed %u, step %u, node %u: aggregate of %u communities: %u", (unsigned)seed,
                     step, node, communities, held);
}

static void expect_all(uint64_t seed, unsigned step) {
    struct bgp_peer_info info;
    for (uint32_t i = 0; bgp_peer_at(x.w.nodes[HUB].speaker, i, &info); i++)
        assert_int_equal(info.state, BGP_ESTABLISHED);
    for (uint32_t n = 0; n < PREFIXES; n++) {
        const uint32_t best = best_of(n);
        const uint32_t both[] = {x.communities[INSIDE][n], x.communities[OUTSIDE][n]};
        expect_paths(CLIENT, prefix_of(n), &best, 1, seed, step);
        expect_paths(FAR, prefix_of(n), &best, 1, seed, step);
        expect_paths(SEVERAL, prefix_of(n), both, 2, seed, step);
    }
    for (uint32_t node = CLIENT; node < NODES; node++)
        expect_aggregate(node, seed, step);
}

static void test_C013_long_routes_at_random(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        make(seed);
        pipe_run(&x.w, 20000);
        for (unsigned step = 0; step < STEPS; step++) {
            for (uint32_t n = 1 + below(4); n > 0; n--)
                change();
            pipe_run(&x.w, 600000);
            expect_all(seed, step);
        }
        pipe_free(&x.w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C013_long_routes_at_random),
    };
    return cmocka_run_group_tests_name("extended_random", tests, NULL, NULL);
}
