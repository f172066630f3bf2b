/*
 * A living speaker under every class of hostile input: three attackers (internal; external;
 * external with two-octet ASes) send, an observer watches. Whatever comes, the observer's session
 * stays and what it is sent can be read; once the attackers are gone, so is what they took of the
 * heap.
 *
 * HOSTILE_MESSAGES messages in all (100,000 by default; 1,000,000 is every stimulus there is).
 */
#include "cases_test.h"
#include "hostile_fixture.h"
#include "message.h"
#include "observer_fixture.h"

#include "../base/hash.h"

#include <stdlib.h>

#define MESSAGES_DEFAULT 100000u
#define SAMPLE_STRIDE 11u
#define ATTACKERS 3
#define OBSERVER ATTACKERS
#define TURN 16 /* stimuli between two looks at the observer */
#define LOCAL_AS 64512u
#define FIRST_ADDR UINT32_C(0x0A000002)
#define OWN_ADDR UINT32_C(0x0A000001)
#define HEAP_SLACK_BYTES 65536u

static const uint32_t attacker_as[ATTACKERS] = {LOCAL_AS, 65001, 65002};

struct siege {
    struct bgp_speaker *s;
    struct bgp_config config;
    struct bgp_peer_config peers[ATTACKERS + 1];
    struct observer observer;
    struct nanotime now;
    struct bgp_conn_id conns[ATTACKERS];
    bool open[ATTACKERS];
    uint64_t sent, lost;
};

/* ---- the speaker ---- */

static const uint32_t prepended[] = {LOCAL_AS, LOCAL_AS, LOCAL_AS};
static const uint32_t communities[] = {0xFC000001, 0xFFFFFF01};
static const struct policy_match path_regex = {
    .kind = POLICY_MATCH_AS_PATH_REGEX, .text = "_(6[0-9]+|1)_.*_[0-9]*7$", .negate = true};
static const struct policy_match community_regex = {.kind = POLICY_MATCH_COMMUNITY_REGEX,
                                                    .text = "64512:[0-9]+"};
static const struct policy_action rewrites[] = {
    {.kind = POLICY_PREPEND_AS_PATH, .asns = prepended, .asn_count = 3},
    {.kind = POLICY_ADD_COMMUNITIES, .asns = communities, .asn_count = 1},
    {.kind = POLICY_SET_LOCAL_PREF, .value = 200},
};
static const struct policy_action shortens[] = {
    {.kind = POLICY_SET_COMMUNITIES, .asns = communities, .asn_count = 1},
    {.kind = POLICY_PREPEND_LAST_AS, .value = 3},
};
static const struct policy_term terms[] = {
    {.name = "regex",
     .matches = &path_regex,
     .match_count = 1,
     .actions = rewrites,
     .action_count = 3,
     .verdict = POLICY_NEXT_TERM},
    {.name = "communities",
     .matches = &community_regex,
     .match_count = 1,
     .actions = shortens,
     .action_count = 2,
     .verdict = POLICY_ACCEPT},
};
static const struct policy policies[] = {
    {.name = "all", .terms = terms, .term_count = 2, .otherwise = POLICY_ACCEPT}};
static const uint16_t chain[] = {0};

static void configure(struct siege *g, enum bgp_profile profile, bool with_policy) {
    bgp_config_init(&g->config, profile);
    g->config.local_as = LOCAL_AS;
    g->config.router_id = ip4(OWN_ADDR);
    g->config.peers = g->peers;
    g->config.peer_count = ATTACKERS + 1;
    g->config.policies = policies;
    g->config.policy_count = 1;
    observer_config(&g->peers[OBSERVER], profile, LOCAL_AS);
    for (uint32_t i = 0; i < ATTACKERS; i++) {
        struct bgp_peer_config *p = &g->peers[i];
        bgp_peer_config_init(p, profile);
        snprintf(p->name, sizeof p->name, "attacker%u", i);
        p->remote_addr = ip4(FIRST_ADDR + i);
        p->remote_as = attacker_as[i];
        p->passive = p->extended_messages = true;
        p->send_communities = p->send_ext_communities = true;
        for (unsigned f = 0; f < BGP_FAMILIES; f++) {
            p->families[f] = true;
            p->import[f].accept_by_default = p->export[f].accept_by_default = true;
            p->import[f].policies = p->export[f].policies = chain;
            p->import[f].count = p->export[f].count = with_policy;
            p->add_path_send[f] = with_policy ? BGP_ADD_PATH_ALL : 0;
        }
    }
}

static void events(struct siege *g) {
    struct bgp_event e;
    while (bgp_next_event(g->s, &e)) {
        observer_event(&g->observer, &e);
        if (e.kind == BGP_EVENT_TRACK && e.track.wanted) {
            bgp_nexthop_set(g->s, e.track.address, true, 0, g->now);
        }
        if (e.kind != BGP_EVENT_CLOSE && e.kind != BGP_EVENT_ABORT) {
            continue;
        }
        for (unsigned i = 0; i < ATTACKERS; i++) {
            if (e.conn.index == g->conns[i].index && e.conn.generation == g->conns[i].generation) {
                g->open[i] = false;
                g->lost++;
            }
        }
    }
    assert_false(g->observer.lost);
}

static void begin(struct siege *g, enum bgp_profile profile, bool with_policy) {
    const struct bgp_env env = {.seed = 5};
    memset(g, 0, sizeof *g);
    configure(g, profile, with_policy);
    g->now.ns = NANOS_PER_S;
    g->s = bgp_speaker_new(&g->config, &env, g->now);
    assert_non_null(g->s);
    observer_start(&g->observer, g->s, LOCAL_AS, g->now);
    g->observer.keeps_view = false;
    events(g);
    assert_true(g->observer.up);
}

static void end(struct siege *g) {
    assert_true(g->observer.up);
    bgp_speaker_free(g->s);
    observer_end(&g->observer);
}

/* ---- time and output ---- */

static void discard(struct siege *g, unsigned i) {
    struct bgp_part part;
    while (g->open[i] && bgp_conn_pull(g->s, g->conns[i], &part, 1, g->now) > 0) {
        bgp_conn_sent(g->s, g->conns[i], part.size, g->now);
        events(g);
    }
}

/* All work is done and all output taken. */
static void settle(struct siege *g) {
    do {
        observer_run(&g->observer, g->now);
        for (unsigned i = 0; i < ATTACKERS; i++) {
            discard(g, i);
        }
        bgp_advance(g->s, g->now);
        events(g);
    } while (!nanotime_before(g->now, bgp_next_deadline(g->s)));
    observer_run(&g->observer, g->now);
    events(g);
}

static void pass(struct siege *g, uint64_t ms) {
    struct nanotime end_at = nanotime_add_ms(g->now, ms), next;
    settle(g);
    while (next = bgp_next_deadline(g->s), !nanotime_before(end_at, next)) {
        g->now = nanotime_before(g->now, next) ? next : g->now;
        settle(g);
    }
    g->now = end_at;
}

/* ---- the attackers ---- */

static void hang_up(struct siege *g, unsigned i) {
    if (g->open[i]) {
        g->open[i] = false;
        bgp_conn_down(g->s, g->conns[i], BGP_CONN_RESET, g->now);
        events(g);
    }
}

static enum bgp_status call(struct siege *g, unsigned i) {
    const struct bgp_endpoint remote = {ip4(FIRST_ADDR + i), 4000}, local = {ip4(OWN_ADDR), 179};
    struct bgp_reject reject;
    enum bgp_status status = bgp_conn_accept(g->s, remote, local, g->now, &g->conns[i], &reject);
    g->open[i] = status == BGP_OK;
    events(g);
    return status;
}

/* One that ended a session with an error may have to wait before it is heard again. */
static void greet(struct siege *g, unsigned i, const struct hostile *h) {
    uint8_t greeting[1024];
    size_t size = hostile_greeting(h, h->stage, FIRST_ADDR + i, greeting, sizeof greeting);
    hang_up(g, i);
    for (int tries = 0; call(g, i) != BGP_OK; tries++) {
        assert_true(tries < 20);
        pass(g, 60000);
    }
    if (size > 0) {
        bgp_conn_receive(g->s, g->conns[i], greeting, size, g->now);
        events(g);
    }
    struct bgp_peer_info info;
    assert_true(bgp_peer_at(g->s, i, &info));
    assert_true(h->stage != HOSTILE_ESTABLISHED || info.state == BGP_ESTABLISHED);
    discard(g, i);
}

/* In random pieces, often all at once. */
static void feed(struct siege *g, unsigned i, struct hostile *h) {
    for (size_t at = 0; at < h->size && g->open[i];) {
        size_t left = h->size - at, step = left;
        if (rng_below(&h->rng, 4) == 0) {
            step = 1 + rng_below(&h->rng, left);
        }
        bgp_conn_receive(g->s, g->conns[i], h->data + at, step, g->now);
        events(g);
        at += step;
    }
}

static void attack(struct siege *g, struct hostile *h) {
    unsigned i = (unsigned)rng_below(&h->rng, ATTACKERS);
    g->sent++;
    h->asn = attacker_as[i];
    h->as4 = h->extended = i != 2;
    hostile_next(h);
    if (!g->open[i] || h->stage != HOSTILE_ESTABLISHED) {
        greet(g, i, h);
    }
    feed(g, i, h);
    if (h->stage != HOSTILE_ESTABLISHED || h->ends_inside) {
        hang_up(g, i);
    }
    if (g->sent % TURN == 0) {
        settle(g);
    }
}

/* Malformed UPDATEs are kept for the operator, a fixed number of them: not counted. */
static size_t heap_without_kept(const struct siege *g) {
    struct bgp_malformed m;
    size_t kept = 0;
    for (uint32_t i = 0; bgp_malformed_at(g->s, i, &m); i++) {
        kept += m.body ? m.size : 0;
    }
    return hostile_heap() - kept;
}

/* Octets of heap once the attackers have gone. */
static size_t round_of(struct siege *g, enum hostile_class class, uint32_t messages, bool sample) {
    struct hostile *h = hostile_new(class, 1 + class);
    h->stride = sample ? SAMPLE_STRIDE : 1;
    for (uint32_t n = 0; n < messages; n++) {
        attack(g, h);
    }
    for (unsigned i = 0; i < ATTACKERS; i++) {
        hang_up(g, i);
    }
    free(h);
    pass(g, 600000); /* stale routes and waits are over */
    struct bgp_counters c;
    bgp_counters_get(g->s, &c);
    assert_int_equal(c.adj_in[0] + c.adj_in[1], 0);
    assert_int_equal(c.attr_sets, 0);
    return heap_without_kept(g);
}

static uint32_t messages_in_all(void) {
    const char *wanted = getenv("HOSTILE_MESSAGES");
    unsigned long n = wanted ? strtoul(wanted, NULL, 10) : 0;
    return n > 0 && n <= 1000000000 ? (uint32_t)n : MESSAGES_DEFAULT;
}

static uint32_t messages_of(enum hostile_class class) {
    uint32_t all = messages_in_all(), listed = 0;
    for (unsigned i = 0; i < HOSTILE_CLASS_COUNT; i++) {
        listed += hostile_rows[i].per_million;
    }
    uint32_t share = hostile_rows[class].per_million;
    return (uint32_t)((uint64_t)(share ? share : 1000000 - listed) * all / 1000000);
}

/* Twice as many as a profile's share: the second half must not cost memory. */
static void lay_siege(enum hostile_class class, bool with_policy) {
    uint32_t each = messages_of(class) / (2 * BGP_PROFILES) + 1;
    uint64_t lost = 0, sent = 0, updates = 0;
    for (unsigned p = 0; p < BGP_PROFILES; p++) {
        static struct siege g;
        bool sample = messages_in_all() < 1000000;
        begin(&g, (enum bgp_profile)p, with_policy);
        size_t first = round_of(&g, class, each, sample);
        size_t second = round_of(&g, class, each, sample);
        if (second > first + HEAP_SLACK_BYTES) {
            fail_msg("profile %u: %zu octets of heap, then %zu", p, first, second);
        }
        sent += g.sent;
        lost += g.lost;
        updates += g.observer.updates;
        end(&g);
    }
    print_message("%llu stimuli, %llu connections closed by the speaker, the observer heard %llu\n",
                  (unsigned long long)sent, (unsigned long long)lost, (unsigned long long)updates);
}

static void test_class(void **state) {
    const struct hostile_row *row = *state;
    lay_siege((enum hostile_class)(row - hostile_rows), false);
}

/* I17: the same with prepending, rewritten communities, expressions on paths, all paths out. */
static void test_class_with_policy(void **state) {
    const struct hostile_row *row = *state;
    lay_siege((enum hostile_class)(row - hostile_rows), true);
}

/* ---- whole connections ---- */

static void change(struct siege *g) {
    assert_int_equal(bgp_configure(g->s, &g->config, g->now), BGP_OK);
    events(g);
}

/* Calls of peer i are refused, but that it may be heard and told why. */
static void refused(struct siege *g, unsigned i) {
    hang_up(g, i);
    if (call(g, i) == BGP_OK) {
        settle(g);
    }
    assert_false(g->open[i]);
}

/* I12: from nobody we know, from one that is disabled, from one just deleted; silent; slow. */
static void test_connections(void **state) {
    static struct siege g;
    static const uint8_t slow[BGP_HEADER_SIZE] = {[0 ... 15] = 0xFF, 0, 43, 1};
    size_t heap = 0;
    (void)state;
    begin(&g, BGP_PROFILE_FAST, false);
    for (unsigned n = 0; n < 200; n++) {
        const struct bgp_endpoint stranger = {ip4(0x0A090000 + n), 4000}, local = {ip4(1), 179};
        struct bgp_conn_id c;
        struct bgp_reject reject;
        assert_int_equal(bgp_conn_accept(g.s, stranger, local, g.now, &c, &reject), BGP_REFUSED);
        g.peers[0].shutdown = true;
        change(&g);
        refused(&g, 0);
        g.config.peers = g.peers + 1;
        g.config.peer_count--;
        change(&g);
        refused(&g, 0);
        g.config.peers = g.peers;
        g.config.peer_count++;
        g.peers[0].shutdown = false;
        change(&g);
        for (unsigned i = 0; i < ATTACKERS; i++) { /* half open, then octet by octet */
            (void)call(&g, i);
            for (unsigned at = 0; at < sizeof slow && g.open[i] && n % 20 == 0; at++) {
                pass(&g, 1000);
                bgp_conn_receive(g.s, g.conns[i], slow + at, 1, g.now);
                events(&g);
            }
        }
        pass(&g, 600000);
        for (unsigned i = 0; i < ATTACKERS; i++) {
            assert_false(g.open[i]);
        }
        heap = n == 100 ? hostile_heap() : heap;
    }
    assert_true(hostile_heap() <= heap + HEAP_SLACK_BYTES);
    end(&g);
}

static void flap(struct siege *g, unsigned i, uint64_t *rng) {
    struct hostile h = {
        .asn = attacker_as[i], .as4 = true, .rng = rng_next(rng), .stage = HOSTILE_ESTABLISHED};
    greet(g, i, &h);
    h.class = HOSTILE_REALISTIC;
    for (uint64_t updates = rng_below(rng, 4); updates > 0; updates--) {
        h.index = 0; /* undamaged */
        hostile_next(&h);
        feed(g, i, &h);
    }
    if (rng_below(rng, 4) == 0) {
        settle(g);
    }
    hang_up(g, i);
}

/* I13: up and down, with a prefix limit, dampening (B5) and graceful restart. */
static void test_flapping(void **state) {
    static struct siege g;
    uint64_t rng = 13;
    uint32_t flaps = messages_in_all() / 100 + 1;
    (void)state;
    for (unsigned p = 0; p < BGP_PROFILES; p++) {
        size_t heap[2];
        begin(&g, (enum bgp_profile)p, false);
        for (unsigned i = 0; i < ATTACKERS; i++) {
            g.peers[i].prefix_max[BGP_IPV4_UNICAST] = i ? 4 : 0;
            g.peers[i].prefix_restart_min = 1;
            g.peers[i].graceful_restart = BGP_GR_FULL;
            g.peers[i].gr_notification = i == 2;
        }
        g.config.dampening = &bgp_dampening_default;
        g.config.dampening_count = 1;
        change(&g);
        for (unsigned half = 0; half < 2; half++) {
            for (uint32_t n = 0; n < flaps / (2 * BGP_PROFILES) + 1; n++) {
                flap(&g, (unsigned)rng_below(&rng, ATTACKERS), &rng);
            }
            pass(&g, 3600000);
            heap[half] = heap_without_kept(&g);
        }
        assert_true(heap[1] <= heap[0] + HEAP_SLACK_BYTES);
        end(&g);
    }
}

int main(void) {
    static struct cases cases;
    char name[CASES_NAME_MAX];
    for (unsigned i = 0; i < HOSTILE_CLASS_COUNT; i++) {
        snprintf(name, sizeof name, "%s %s", hostile_rows[i].id, hostile_rows[i].text);
        cases_add(&cases, name, test_class, &hostile_rows[i]);
    }
    for (unsigned i = 0; i <= HOSTILE_MANY; i++) {
        snprintf(name, sizeof name, "I17 %s with policy", hostile_rows[i].id);
        cases_add(&cases, name, test_class_with_policy, &hostile_rows[i]);
    }
    cases_add(&cases, "I12 unknown, disabled, deleted, silent and slow callers", test_connections,
              NULL);
    cases_add(&cases, "I13 flapping with prefix limit, dampening and graceful restart",
              test_flapping, NULL);
    return cases_run(&cases, "hostile");
}
