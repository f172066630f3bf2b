/*
 * The UPDATEs of update_cases_test.h sent to a speaker that runs: what becomes of the session, of
 * the routes named in the message, of those that are not, and what a second neighbour hears.
 *
 * Peer 0 sends; it is external or internal, new or old, as the row says. Peer 1 is an internal
 * client that only listens: what it holds is read from the bytes it is sent, and its session
 * survives everything. Before the row, peer 0 has announced every prefix of the row and two more.
 */
#include "cases_test.h"
#include "codec_test.h"
#include "rig_test.h"
#include "update_cases_test.h"

#include "../base/arena.h"

#include <stdlib.h>

#define PREFIXES_MAX 8
#define EXTERNAL_AS 65001
#define LOCAL_AS 64900 /* in no path of the rows */
#define OBSERVER 0x0A000003u

struct live {
    struct rig r;
    struct bgp_peer_config peers[2];
    struct bgp_conn_id sender, observer;
    struct arena *scratch;
    struct ip_prefix prefixes[PREFIXES_MAX];
    bool held[PREFIXES_MAX], expected[PREFIXES_MAX]; /* by the observer */
    uint32_t prefix_count;
    uint32_t observer_notified;
};

/* ---- the speaker and its neighbours ---- */

static bool row_is_external(const struct update_case *c) {
    return codecs[c->peer].external;
}

static void peer_init(struct bgp_peer_config *p, const char *name, uint32_t remote, uint32_t as) {
    bgp_peer_config_init(p, BGP_PROFILE_FAST);
    snprintf(p->name, sizeof p->name, "%s", name);
    p->remote_addr = ip4(remote);
    p->remote_as = as;
    for (int f = 0; f < BGP_FAMILIES; f++) {
        p->families[f] = true;
        p->import[f].accept_by_default = true;
        p->export[f].accept_by_default = true;
    }
}

static struct bgp_open open_of(uint32_t as, uint32_t id, const struct bgp_codec *codec) {
    struct bgp_open o = {.asn = as,
                         .hold_time_s = 90,
                         .router_id = id,
                         .has_capabilities = true,
                         .mp_present = true,
                         .as4 = codec->as4};
    memcpy(o.families, codec->families, sizeof o.families);
    return o;
}

static enum bgp_state live_state(const struct live *l, uint32_t n) {
    struct bgp_peer_info info;
    assert_true(bgp_peer_at(l->r.s, n, &info));
    return info.state;
}

static void live_start(struct live *l, const struct update_case *c) {
    uint32_t as = row_is_external(c) ? EXTERNAL_AS : LOCAL_AS;
    rig_init(&l->r, BGP_PROFILE_FAST, LOCAL_AS, as);
    l->r.config.router_id = ip4(0x0A000064);
    peer_init(&l->peers[0], "sender", REMOTE, as);
    peer_init(&l->peers[1], "observer", OBSERVER, LOCAL_AS);
    l->peers[1].rr_client = true;
    l->r.config.peers = l->peers;
    l->r.config.peer_count = 2;
    rig_start(&l->r);
    l->scratch = arena_new();
    assert_non_null(l->scratch);
    struct bgp_open sender = open_of(as, REMOTE, &codecs[c->peer]);
    struct bgp_open observer = open_of(LOCAL_AS, OBSERVER, &codecs[INT]);
    l->sender = rig_establish_from(&l->r, REMOTE, &sender);
    l->observer = rig_establish_from(&l->r, OBSERVER, &observer);
    assert_int_equal(live_state(l, 0), BGP_ESTABLISHED);
    assert_int_equal(live_state(l, 1), BGP_ESTABLISHED);
}

static void live_end(struct live *l) {
    arena_free(l->scratch);
    rig_end(&l->r);
}

/* ---- what the observer holds ---- */

static uint32_t live_prefix(struct live *l, struct ip_prefix p) {
    uint32_t i = 0;
    while (i < l->prefix_count && !ip_prefix_equal(l->prefixes[i], p))
        i++;
    assert_true(i < PREFIXES_MAX);
    if (i == l->prefix_count)
        l->prefixes[l->prefix_count++] = p;
    return i;
}

static void observe_nlri(struct live *l, const struct bgp_nlri *n, bool held) {
    struct ip_prefix p;
    for (uint32_t at = 0; nlri_next(n, &at, &p);)
        l->held[live_prefix(l, p)] = held;
}

static void observe_message(struct live *l, const uint8_t *m, size_t size) {
    struct bgp_update u;
    l->observer_notified += m[18] == BGP_MSG_NOTIFICATION;
    if (m[18] != BGP_MSG_UPDATE)
        return;
    arena_reset(l->scratch);
    update_decode(&codecs[INT], m + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, l->scratch, &u);
    assert_int_equal(u.outcome, BGP_OUTCOME_OK);
    for (uint8_t i = 0; i < u.withdrawn_count; i++)
        observe_nlri(l, &u.withdrawn[i], false);
    for (uint8_t i = 0; i < u.announced_count; i++)
        observe_nlri(l, &u.announced[i], true);
}

/* Lets everything happen that does not wait for a timer of seconds, and reads what was sent. */
static void live_settle(struct live *l) {
    struct ip_addr six;
    assert_true(ip_parse("2001:db8::1", &six));
    bgp_nexthop_set(l->r.s, ip4(REMOTE), true, 1, l->r.now);
    bgp_nexthop_set(l->r.s, six, true, 1, l->r.now);
    rig_pass(&l->r, 10);
    rig_pull(&l->r, l->observer);
    for (size_t at = 0; at < l->r.out_size;) {
        size_t size = (size_t)l->r.out[at + 16] << 8 | l->r.out[at + 17];
        assert_true(size >= BGP_HEADER_SIZE && at + size <= l->r.out_size);
        observe_message(l, l->r.out + at, size);
        at += size;
    }
}

/* ---- messages of the sender ---- */

static size_t put_field(const char *hex, uint8_t *out, size_t at, size_t out_size) {
    size_t end = codec_hex(hex, out, at + 2, out_size);
    out[at] = (uint8_t)((end - at - 2) >> 8);
    out[at + 1] = (uint8_t)(end - at - 2);
    return end;
}

static void send_row(struct live *l, const struct update_case *c) {
    uint8_t m[BGP_MESSAGE_SIZE_MAX];
    memset(m, 0xFF, 16);
    m[18] = BGP_MSG_UPDATE;
    size_t size = put_field(c->withdrawn, m, BGP_HEADER_SIZE, sizeof m);
    size = put_field(c->attrs, m, size, sizeof m);
    size = codec_hex(c->nlri, m, size, sizeof m);
    m[16] = (uint8_t)(size >> 8);
    m[17] = (uint8_t)size;
    rig_feed(&l->r, l->sender, m, size);
}

static void announce(struct live *l, const struct update_case *c, struct ip_prefix p) {
    static const uint32_t path[] = {AS_SEQUENCE << 16 | 1, EXTERNAL_AS};
    bool ipv4 = p.addr.family == IP_V4;
    uint8_t m[BGP_MESSAGE_SIZE_MAX];
    size_t size;
    struct attr_values v = {.next_hop = ip4(REMOTE), .as_path = {path, 2}};
    const struct attr_encoding how = {.as4 = codecs[c->peer].as4,
                                      .family = ipv4 ? BGP_IPV4_UNICAST : BGP_IPV6_UNICAST};
    if (!codecs[c->peer].families[how.family])
        return;
    if (!ipv4)
        assert_true(ip_parse("2001:db8::1", &v.next_hop));
    if (!row_is_external(c)) {
        v.has_local_pref = true;
        v.local_pref = 100;
    }
    assert_int_equal(update_encode(&v, &how, &p, 1, m, sizeof m, &size), 1);
    rig_feed(&l->r, l->sender, m, size);
    l->expected[live_prefix(l, p)] = true;
}

/* Calls `use` for each prefix of "+announced -withdrawn". */
static void each_prefix(struct live *l, const struct update_case *c,
                        void (*use)(struct live *, const struct update_case *, struct ip_prefix,
                                    char sign)) {
    char words[200], *rest = words, *word;
    snprintf(words, sizeof words, "%s", c->prefixes);
    while ((word = strsep(&rest, " "))) {
        struct ip_prefix p;
        if (*word == '\0')
            continue;
        assert_true(ip_prefix_parse(word + 1, &p));
        use(l, c, p, *word);
    }
}

static void announce_first(struct live *l, const struct update_case *c, struct ip_prefix p,
                           char sign) {
    (void)sign;
    announce(l, c, p);
}

/* RFC 7606 2: announced prefixes stay or come, or go as if withdrawn; a reset takes them all. */
static void expect_after(struct live *l, const struct update_case *c, struct ip_prefix p,
                         char sign) {
    bool used = c->outcome == OK || c->outcome == DISCARD;
    l->expected[live_prefix(l, p)] = sign == '+' && used;
}

static void check_held(struct live *l, const struct update_case *c, const char *when) {
    char text[IP_PREFIX_TEXT_MAX];
    for (uint32_t i = 0; i < l->prefix_count; i++) {
        if (l->held[i] != l->expected[i])
            fail_msg("%s: %s, the observer should %s %s", c->name, when,
                     l->expected[i] ? "hold" : "not hold", ip_prefix_format(l->prefixes[i], text));
    }
}

static void check_session(struct live *l, const struct update_case *c) {
    assert_int_equal(live_state(l, 1), BGP_ESTABLISHED);
    assert_int_equal(l->observer_notified, 0);
    if (c->outcome != RESET) {
        assert_int_equal(live_state(l, 0), BGP_ESTABLISHED);
        assert_int_equal(l->r.notified_count, 0);
        return;
    }
    memset(l->expected, 0, sizeof l->expected);
    expect_notified(&l->r, BGP_ERR_UPDATE, c->subcode);
    assert_int_not_equal(live_state(l, 0), BGP_ESTABLISHED);
    rig_pull(&l->r, l->sender);
    expect_last_message(&l->r, BGP_ERR_UPDATE, c->subcode);
}

static void test_row(void **state) {
    const struct update_case *c = *state;
    struct live *l = calloc(1, sizeof *l);
    assert_non_null(l);
    live_start(l, c);
    each_prefix(l, c, announce_first);
    announce(l, c, ip_prefix_make(ip4(0xC6336400), 24)); /* 198.51.100.0/24: in no row */
    struct ip_prefix six;
    assert_true(ip_prefix_parse("2001:db8:ffff::/48", &six));
    announce(l, c, six);
    live_settle(l);
    check_held(l, c, "before");
    send_row(l, c);
    each_prefix(l, c, expect_after);
    check_session(l, c);
    live_settle(l);
    check_held(l, c, "after");
    live_end(l);
    free(l);
}

int main(void) {
    static struct cases all;
    CASES_ADD_TABLE(&all, sound_cases, test_row);
    CASES_ADD_TABLE(&all, damage_cases, test_row);
    CASES_ADD_TABLE(&all, as4_cases, test_row);
    return cases_run(&all, "update_live");
}
