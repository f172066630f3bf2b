/*
 * Roles and Only to Customer (RFC 9234 5) at random, with a model from the RFC's text: a speaker
 * with neighbours of every role outside and two inside is sent routes with the attribute,
 * of any AS, or without it, and every neighbour holds what the model says. Roles change, sessions
 * come back, and a confederation's member stands for what is inside.
 */
#include "tables_test.h"

#include "adjout.h"

#define PEERS 8u
#define PREFIXES 4u
#define SEEDS 400u
#define ROUNDS 25u
#define LOCAL_AS 64512u
#define MEMBER 64600u
#define CONFEDERATION 65100u

/* What a route carries; 0: none. */
struct route {
    uint32_t from; /* peer + 1; 0: there is none */
    uint32_t otc;
};

struct world {
    struct bench b;
    uint64_t rng;
    uint32_t public_as;
    struct route routes[PREFIXES];
};

static struct world x;

static uint32_t below(uint32_t n) {
    return (uint32_t)rng_below(&x.rng, n);
}

static struct ip_prefix prefix_of(uint32_t n) {
    return ip_prefix_make(ip4(0x14000000 + (n << 16)), 16);
}

/* Roles are ours towards them: "provider" means that the neighbour is a customer. */
static enum bgp_role role_of(uint32_t peer) {
    return x.b.peers[peer].role;
}

/* ---- the model: RFC 9234 5 ---- */

/* Ingress: 1 leaks from below, 2 leaks from the side, 3 marking. False: ineligible. */
static bool model_in(enum bgp_role ours, uint32_t remote_as, uint32_t *otc) {
    bool from_customer = ours == BGP_ROLE_PROVIDER, from_client = ours == BGP_ROLE_RS;
    bool from_peer = ours == BGP_ROLE_PEER;
    bool from_provider = ours == BGP_ROLE_CUSTOMER, from_server = ours == BGP_ROLE_RS_CLIENT;
    if (*otc && (from_customer || from_client))
        return false;
    if (*otc && from_peer && *otc != remote_as)
        return false;
    if (!*otc && (from_provider || from_peer || from_server))
        *otc = remote_as;
    return true;
}

/* Egress: 1 marking, 2 no way up or aside. */
static bool model_out(enum bgp_role ours, uint32_t local_as, uint32_t *otc) {
    bool to_customer = ours == BGP_ROLE_PROVIDER, to_client = ours == BGP_ROLE_RS;
    bool to_peer = ours == BGP_ROLE_PEER;
    bool to_provider = ours == BGP_ROLE_CUSTOMER, to_server = ours == BGP_ROLE_RS_CLIENT;
    if (*otc && (to_provider || to_peer || to_server))
        return false;
    if (!*otc && (to_customer || to_peer || to_client))
        *otc = local_as;
    return true;
}

/* ---- the speaker ---- */

/* Peers 6 and 7 are inside: clients, or 7 in another member of the confederation. */
static void make(uint64_t seed) {
    static const uint32_t member = MEMBER;
    memset(&x, 0, sizeof x);
    x.rng = seed;
    bench_config(&x.b, BGP_PROFILE_PLAIN, PEERS);
    x.public_as = LOCAL_AS;
    for (uint32_t i = 0; i < PEERS; i++) {
        struct bgp_peer_config *p = &x.b.peers[i];
        p->passive = true;
        if (i < 6) {
            p->remote_as = i == 5 ? 4200000001 : 65001 + i;
            p->role = (enum bgp_role)(BGP_ROLE_NONE + below(BGP_ROLES - BGP_ROLE_NONE));
        }
        p->rr_client = i >= 6;
    }
    if (below(2)) {
        x.b.config.confederation_id = x.public_as = CONFEDERATION;
        x.b.config.confederation_members = &member;
        x.b.config.confederation_member_count = 1;
        x.b.peers[7].remote_as = MEMBER;
        x.b.peers[7].rr_client = false;
    }
    bench_start(&x.b);
    for (uint32_t i = 0; i < PEERS; i++)
        bench_up(&x.b, i);
}

static void say(uint32_t peer, uint32_t n) {
    uint32_t asn = x.b.peers[peer].remote_as;
    uint32_t type = asn == MEMBER ? AS_CONFED_SEQUENCE : AS_SEQUENCE;
    uint32_t words[] = {type << 16 | 1, asn};
    uint32_t otc = x.routes[n].otc;
    uint8_t data[] = {(uint8_t)(otc >> 24), (uint8_t)(otc >> 16), (uint8_t)(otc >> 8),
                      (uint8_t)otc};
    const struct attr_unknown unknown = {0xc0, ATTR_OTC, 4, data};
    const struct attr_values v = {.next_hop = x.b.peers[peer].remote_addr,
                                  .as_path = asn == LOCAL_AS ? (struct as_path){0}
                                                             : (struct as_path){words, 2},
                                  .has_local_pref = peer >= 6,
                                  .local_pref = 100,
                                  .unknown = otc ? &unknown : NULL,
                                  .unknown_count = otc != 0};
    const struct ip_prefix p = prefix_of(n);
    (void)bench_send(&x.b, peer, &v, &p, 1);
}

/* A prefix has one source at a time, so that there is nothing to choose. */
static void change_route(void) {
    const uint32_t ases[] = {0, 65001, 65002, 65003, 4200000001, 9, LOCAL_AS};
    uint32_t n = below(PREFIXES), peer = below(PEERS);
    const struct ip_prefix p = prefix_of(n);
    if (x.routes[n].from && x.routes[n].from != peer + 1)
        (void)bench_send(&x.b, x.routes[n].from - 1, NULL, &p, 1);
    x.routes[n] = (struct route){peer + 1, below(3) ? ases[below(7)] : x.b.peers[peer].remote_as};
    say(peer, n);
}

/* A role counts from the next session on. */
static void change_role(void) {
    uint32_t peer = below(6);
    bench_down(&x.b, peer, false);
    for (uint32_t n = 0; n < PREFIXES; n++)
        if (x.routes[n].from == peer + 1)
            x.routes[n].from = 0;
    x.b.peers[peer].role = (enum bgp_role)(BGP_ROLE_NONE + below(BGP_ROLES - BGP_ROLE_NONE));
    assert_int_equal(bgp_configure(x.b.s, &x.b.config, x.b.now), BGP_OK);
    for (uint32_t i = 0; i < PEERS; i++)
        x.b.holds[i].p = speaker_peer(x.b.s, x.b.s->peer_order[i]);
    bench_work(&x.b);
    bench_up(&x.b, peer);
}

static uint32_t otc_of(const struct attr_values *v) {
    uint32_t found = 0, value = 0;
    for (uint32_t i = 0; i < v->unknown_count; i++) {
        const uint8_t *d = v->unknown[i].data;
        if (v->unknown[i].code != ATTR_OTC)
            continue;
        assert_int_equal(v->unknown[i].size, 4);
        value = (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
        found++;
    }
    assert_true(found <= 1);
    return value;
}

static void expect(uint32_t n, uint32_t to, uint64_t seed, unsigned round) {
    const struct route *r = &x.routes[n];
    char text[IP_PREFIX_TEXT_MAX];
    uint32_t from = r->from - 1, otc = r->otc;
    bool sent = r->from && from != to && model_in(role_of(from), x.b.peers[from].remote_as, &otc) &&
                model_out(role_of(to), x.public_as, &otc);
    const struct attr_values *held = bench_held(&x.b, to, ip_prefix_format(prefix_of(n), text));
    if (!held != !sent || (held && otc_of(held) != otc))
        fail_msg("seed %u, round %u: OTC %u from %u (role %d) to %u (role %d): %s with %u, not %s "
                 "with %u",
                 (unsigned)seed, round, r->otc, from, r->from ? (int)role_of(from) : -1, to,
                 (int)role_of(to), held ? "sent" : "not sent", held ? otc_of(held) : 0,
                 sent ? "sent" : "not sent", otc);
}

static void test_C209_otc_at_random(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        make(seed);
        for (unsigned round = 0; round < ROUNDS; round++) {
            for (uint32_t i = 1 + below(4); i > 0; i--) {
                if (below(6))
                    change_route();
                else
                    change_role();
            }
            bench_settle(&x.b);
            for (uint32_t n = 0; n < PREFIXES; n++)
                for (uint32_t to = 0; to < PEERS; to++)
                    expect(n, to, seed, round);
        }
        bench_end(&x.b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C209_otc_at_random),
    };
    return cmocka_run_group_tests_name("otc_random", tests, NULL, NULL);
}
