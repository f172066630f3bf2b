/*
 * Extended messages (RFC 8654) and extended next hops (RFC 8950), on the wire and through speakers.
 */
#include "pipe_test.h"
#include "rig_test.h"

#include "../base/arena.h"

static struct bgp_conn_id session(struct rig *r, bool ours, bool theirs) {
    rig_init(r, BGP_PROFILE_PLAIN, 64512, 64512);
    r->peer.passive = true;
    r->peer.extended_messages = ours;
    rig_start(r);
    struct bgp_conn_id c = rig_call(r);
    struct bgp_open open = rig_open(r);
    open.extended_message = theirs;
    feed_open(r, c, &open);
    feed_keepalive(r, c);
    assert_int_equal(rig_info(r).state, BGP_ESTABLISHED);
    rig_pull(r, c);
    return c;
}

/* An UPDATE of `size` octets: one route with an unknown attribute of whatever is left. */
static void make_update(uint8_t *out, size_t size) {
    static const uint8_t attrs[] = {0x40, 1, 1, 0,    0x40, 2, 0, 0x40, 3, 4,  10,
                                    0,    0, 2, 0x40, 5,    4, 0, 0,    0, 100};
    static const uint8_t nlri[] = {24, 11, 0, 0};
    size_t all = size - 23 - sizeof nlri, rest = all - sizeof attrs - 4;
    struct byte_writer w = bytes_writer(out, size);
    for (int i = 0; i < 16; i++)
        bytes_put_u8(&w, 0xFF);
    bytes_put_u16(&w, (uint16_t)size);
    bytes_put_u8(&w, BGP_MSG_UPDATE);
    bytes_put_u16(&w, 0);
    bytes_put_u16(&w, (uint16_t)all);
    bytes_put(&w, attrs, sizeof attrs);
    bytes_put_u8(&w, 0xD0);
    bytes_put_u8(&w, 99);
    bytes_put_u16(&w, (uint16_t)rest);
    for (size_t i = 0; i < rest; i++)
        bytes_put_u8(&w, (uint8_t)i);
    bytes_put(&w, nlri, sizeof nlri);
    assert_false(w.failed);
}

static void test_C011_extended_in(void **state) {
    (void)state;
    static const size_t sizes[] = {4096, 4097, 65535};
    static uint8_t message[BGP_MESSAGE_EXTENDED_MAX];
    for (size_t i = 0; i < 3; i++) {
        for (size_t step = 1; step <= sizes[i]; step = step * 37 + 1) { /* split anyhow */
            struct rig r;
            struct bgp_conn_id c = session(&r, true, true);
            make_update(message, sizes[i]);
            for (size_t at = 0; at < sizes[i]; at += step)
                rig_feed(&r, c, message + at, sizes[i] - at < step ? sizes[i] - at : step);
            assert_int_equal(rig_info(&r).prefixes_received[0], 1);
            assert_int_equal(r.notified_count, 0);
            rig_end(&r);
        }
    }
}

/* C003, RFC 8654 4: a listener who has not advertised the capability refuses, with the header; who
 * has must take what comes, whether the sender can take as much or not. */
static void test_C003_one_direction(void **state) {
    (void)state;
    static uint8_t message[4097];
    for (int who = 0; who < 3; who++) {
        bool ours = who == 1;
        struct rig r;
        struct bgp_conn_id c = session(&r, ours, who == 2);
        assert_false(rig_info(&r).extended_messages); /* none is sent */
        make_update(message, sizeof message);
        rig_feed(&r, c, message, ours ? sizeof message : BGP_HEADER_SIZE);
        if (ours) {
            assert_int_equal(rig_info(&r).prefixes_received[0], 1);
            assert_int_equal(r.notified_count, 0);
        } else {
            expect_notified(&r, BGP_ERR_HEADER, 2);
            assert_memory_equal(r.notified.notified.data, message + 16, 2);
        }
        rig_end(&r);
    }
}

/* The other messages that may be long, and C012: those that may not. */
static void test_C012_open_and_keepalive(void **state) {
    (void)state;
    static const struct {
        uint8_t type;
        bool fine;
    } rows[] = {
        {BGP_MSG_OPEN, false},         {BGP_MSG_KEEPALIVE, false}, {BGP_MSG_NOTIFICATION, true},
        {BGP_MSG_ROUTE_REFRESH, true}, /* for its decoder to refuse: 7/1 */
        {BGP_MSG_UPDATE, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned size = 4097; size <= 65535; size += 20479) {
            uint8_t header[BGP_HEADER_SIZE];
            enum bgp_message_type type;
            struct bgp_error error;
            memset(header, 0xFF, 16);
            header[16] = (uint8_t)(size >> 8);
            header[17] = (uint8_t)size;
            header[18] = rows[i].type;
            size_t whole = message_peek_extended(header, sizeof header, &type, &error);
            assert_int_equal(whole, rows[i].fine ? size : 0);
            assert_int_equal(error.code, rows[i].fine ? 0 : BGP_ERR_HEADER);
            assert_int_equal(message_peek(header, sizeof header, &type, &error), 0);
        }
    }
}

/* A long NOTIFICATION that cuts into a long UPDATE half sent: the rest of it comes first. */
static void test_C011_notification_behind_long_update(void **state) {
    (void)state;
    static uint8_t message[60000], out[BGP_MESSAGE_EXTENDED_MAX + 64];
    struct rig r;
    struct bgp_peer_config two[2];
    struct bgp_part part;
    size_t got = 0;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
    r.peer.passive = r.peer.rr_client = true;
    two[0] = two[1] = r.peer;
    snprintf(two[1].name, sizeof two[1].name, "other");
    two[1].remote_addr = ip4(REMOTE + 1);
    for (int i = 0; i < 2; i++)
        two[i].import[0].accept_by_default = two[i].export[0].accept_by_default = true;
    r.config.peers = two;
    r.config.peer_count = 2;
    rig_start(&r);
    struct bgp_conn_id c[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct bgp_open open = rig_open(&r);
        open.router_id = REMOTE + i;
        open.extended_message = true;
        c[i] = rig_establish_from(&r, REMOTE + i, &open);
        rig_pull(&r, c[i]);
    }
    bgp_nexthop_set(r.s, ip4(REMOTE), true, 0, r.now);
    make_update(message, sizeof message);
    rig_feed(&r, c[0], message, sizeof message);
    bgp_nexthop_set(r.s, ip4(REMOTE), true, 0, r.now);
    rig_pass(&r, 10);
    assert_int_equal(bgp_conn_pull(r.s, c[1], &part, 1, r.now), 1);
    assert_true(part.size > 59000);
    memcpy(out, part.data, got = 1000);
    bgp_conn_sent(r.s, c[1], 1000, r.now);
    assert_int_equal(bgp_clear(r.s, (struct bgp_peer_id){0}, BGP_CLEAR_HARD, r.now), BGP_OK);
    while (bgp_conn_pull(r.s, c[1], &part, 1, r.now) > 0) {
        assert_true(got + part.size <= sizeof out);
        memcpy(out + got, part.data, part.size);
        got += part.size;
        bgp_conn_sent(r.s, c[1], part.size, r.now);
    }
    size_t update = (size_t)out[16] << 8 | out[17];
    assert_int_equal(got, update + 21);
    assert_int_equal(out[update + 18], BGP_MSG_NOTIFICATION);
    rig_end(&r);
}

/* ---- speakers ---- */

#define NODES 3

struct network {
    struct pipe_world w;
    struct bgp_config configs[NODES];
    struct bgp_peer_config peers[NODES][2];
};

static struct bgp_peer_config *add_peer(struct network *n, uint32_t from, uint32_t to) {
    struct bgp_peer_config *p = &n->peers[from][n->configs[from].peer_count++];
    bgp_peer_config_init(p, BGP_PROFILE_FAST);
    snprintf(p->name, sizeof p->name, "to%u", to + 1);
    p->remote_addr = ip4(0x0A000001 + to);
    p->remote_as = 65001 + to;
    p->extended_messages = true;
    return p;
}

/* 1 - 2 - 3 in three ASes. */
static void prepare(struct network *n) {
    memset(n, 0, sizeof *n);
    pipe_init(&n->w, 9);
    for (uint32_t i = 0; i < NODES; i++) {
        bgp_config_init(&n->configs[i], BGP_PROFILE_FAST);
        n->configs[i].local_as = 65001 + i;
        n->configs[i].router_id = ip4(0x0A000001 + i);
        n->configs[i].peers = n->peers[i];
    }
    add_peer(n, 0, 1);
    add_peer(n, 1, 0);
    add_peer(n, 1, 2);
    add_peer(n, 2, 1);
}

static const struct attr_set *best_attrs(struct network *n, uint32_t node, const char *prefix) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    struct ip_prefix p;
    const struct attr_set *found = NULL;
    assert_true(ip_prefix_parse(prefix, &p));
    if (!bgp_rib_find(n->w.nodes[node].speaker, p, &it))
        return NULL;
    while (!found && bgp_rib_next_path(n->w.nodes[node].speaker, &it, &path))
        found = path.best ? path.attrs : NULL;
    bgp_rib_end(&it);
    return found;
}

/* C013: a route with 3,000 communities: to those who can take it, withdrawn from who cannot. */
static void test_C013_too_long_for_one(void **state) {
    (void)state;
    static struct network n;
    static uint32_t communities[3000];
    for (uint32_t i = 0; i < 3000; i++)
        communities[i] = (1 + i) << 16 | 1;
    static struct policy_action action = {
        .kind = POLICY_SET_COMMUNITIES, .asns = communities, .asn_count = 3000};
    static const struct policy_term term = {
        .name = "many", .actions = &action, .action_count = 1, .verdict = POLICY_ACCEPT};
    static const struct policy policy = {.name = "p", .terms = &term, .term_count = 1};
    static const uint16_t chain[] = {0};
    struct bgp_origin_config origin = {.prefix = ip_prefix_make(ip4(0x14000000), 16),
                                       .source = ROUTE_SOURCE_STATIC,
                                       .metric = UINT32_MAX};
    prepare(&n);
    n.peers[2][0].extended_messages = false;
    n.configs[0].policies = &policy;
    n.configs[0].policy_count = 1;
    n.configs[0].origins = &origin;
    n.configs[0].origin_count = 1;
    for (uint32_t i = 0; i < NODES; i++)
        pipe_add(&n.w, &n.configs[i], NULL);
    pipe_run(&n.w, 20000);
    assert_true(pipe_has_route(&n.w, 2, "20.0.0.0/16")); /* short as yet */
    n.peers[0][0].export[0] = (struct policy_chain){.policies = chain, .count = 1};
    assert_int_equal(bgp_configure(n.w.nodes[0].speaker, &n.configs[0], n.w.now), BGP_OK);
    pipe_run(&n.w, 20000);
    const struct attr_set *at_2 = best_attrs(&n, 1, "20.0.0.0/16");
    assert_non_null(at_2);
    assert_int_equal(at_2->v.community_count, 3000);
    assert_false(pipe_has_route(&n.w, 2, "20.0.0.0/16"));
    struct bgp_counters counters;
    bgp_counters_get(n.w.nodes[1].speaker, &counters);
    assert_int_equal(counters.routes_too_long, 1);
    assert_int_equal(pipe_state(&n.w, 2, "to2"), BGP_ESTABLISHED);
    pipe_free(&n.w);
}

static struct ip_addr address6(uint32_t node) {
    uint8_t bytes[16] = {0xFD, [15] = (uint8_t)(1 + node)};
    return ip6(bytes);
}

/* C136: IPv4 routes over IPv6 sessions; the third speaker does not offer it and gets none. */
static void test_C136_extended_next_hop(void **state) {
    (void)state;
    static struct network n;
    struct bgp_origin_config origin = {.prefix = ip_prefix_make(ip4(0x14000000), 16),
                                       .source = ROUTE_SOURCE_STATIC,
                                       .metric = UINT32_MAX};
    prepare(&n);
    n.configs[0].origins = &origin;
    n.configs[0].origin_count = 1;
    for (uint32_t i = 0; i < NODES; i++) {
        for (uint32_t j = 0; j < n.configs[i].peer_count; j++) {
            struct bgp_peer_config *p = &n.peers[i][j];
            p->remote_addr = address6(ip4_to_u32(p->remote_addr) - 0x0A000001);
            p->local_addr = address6(i);
            p->extended_next_hop = i != 2;
        }
    }
    for (uint32_t i = 0; i < NODES; i++) {
        pipe_add(&n.w, &n.configs[i], NULL);
        pipe_address(&n.w, i, address6(i));
    }
    pipe_run(&n.w, 20000);
    const struct attr_set *at_2 = best_attrs(&n, 1, "20.0.0.0/16");
    assert_non_null(at_2);
    assert_true(ip_equal(at_2->v.next_hop, address6(0)));
    assert_int_equal(pipe_state(&n.w, 2, "to2"), BGP_ESTABLISHED);
    assert_false(pipe_has_route(&n.w, 2, "20.0.0.0/16"));
    assert_int_equal(
        bgp_withdraw(n.w.nodes[0].speaker, origin.prefix, ROUTE_SOURCE_STATIC, n.w.now), BGP_OK);
    pipe_run(&n.w, 1000);
    assert_false(pipe_has_route(&n.w, 1, "20.0.0.0/16"));
    pipe_free(&n.w);
}

/* C136: an IPv6 next hop without the capability is damage to the family. */
static void test_C136_not_negotiated(void **state) {
    (void)state;
    const struct attr_values v = {.next_hop = address6(7)};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    const struct ip_prefix p = ip_prefix_make(ip4(0x0B000000), 24);
    uint8_t message[512];
    size_t size;
    assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
    for (int negotiated = 0; negotiated < 2; negotiated++) {
        struct bgp_codec codec = {
            .as4 = true, .families = {true, false}, .extended_next_hop = negotiated};
        struct bgp_update u;
        struct arena *scratch = arena_new();
        update_decode(&codec, message + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, scratch, &u);
        if (negotiated) {
            assert_int_equal(u.outcome, BGP_OUTCOME_OK);
            assert_int_equal(u.announced[0].family, BGP_IPV4_UNICAST);
            assert_true(ip_equal(u.next_hop[0], address6(7)));
        } else {
            assert_int_equal(u.outcome, BGP_OUTCOME_SESSION_RESET);
            assert_int_equal(u.error.subcode, 9);
        }
        arena_free(scratch);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C011_extended_in),
        cmocka_unit_test(test_C003_one_direction),
        cmocka_unit_test(test_C012_open_and_keepalive),
        cmocka_unit_test(test_C011_notification_behind_long_update),
        cmocka_unit_test(test_C013_too_long_for_one),
        cmocka_unit_test(test_C136_extended_next_hop),
        cmocka_unit_test(test_C136_not_negotiated),
    };
    return cmocka_run_group_tests_name("extended", tests, NULL, NULL);
}
