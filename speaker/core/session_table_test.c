/*
 * What a neighbour is sent of the table as a whole: when its session comes up, with an End-of-RIB
 * behind each family (C135), and again when it asks for one family (C184, C186).
 */
#include "../base/arena.h"
#include "rig_test.h"

#define ROUTES4 3
#define ROUTES6 2

/* A letter for each message, in order, and what is in it: "4" and "6" announcements of a family,
 * "e" and "E" its End-of-RIB, "b" and "B" a BoRR, "r" and "R" an EoRR, "o" OPEN, "k" KEEPALIVE. */
static void describe(const struct rig *r, char *out, uint32_t routes[BGP_FAMILIES]) {
    static const struct bgp_codec codec = {.as4 = true, .families = {true, true}};
    static const char borders[2][2] = {{'b', 'r'}, {'B', 'R'}};
    static const char ends[] = {'e', 'E'}, news[] = {'4', '6'};
    struct arena *scratch = arena_new();
    assert_non_null(scratch);
    memset(routes, 0, BGP_FAMILIES * sizeof *routes);
    for (size_t at = 0, size; at < r->out_size; at += size) {
        const uint8_t *m = r->out + at;
        struct bgp_update u;
        struct ip_prefix p;
        size = (size_t)m[16] << 8 | m[17];
        if (m[18] == BGP_MSG_ROUTE_REFRESH) {
            assert_in_range(m[21], 1, 2);
            *out++ = borders[m[20] == 2][m[21] == 2];
            continue;
        }
        if (m[18] != BGP_MSG_UPDATE) {
            *out++ = m[18] == BGP_MSG_OPEN ? 'o' : m[18] == BGP_MSG_KEEPALIVE ? 'k' : '?';
            continue;
        }
        arena_reset(scratch);
        update_decode(&codec, m + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, scratch, &u);
        assert_int_equal(u.outcome, BGP_OUTCOME_OK);
        assert_int_equal(u.withdrawn_count, 0);
        if (u.end_of_rib)
            *out++ = ends[u.end_of_rib_family];
        for (uint8_t i = 0; i < u.announced_count; i++) {
            for (uint32_t n = 0; nlri_next(&u.announced[i], &n, &p);)
                routes[u.announced[i].family]++;
            *out++ = news[u.announced[i].family];
        }
    }
    *out = '\0';
    arena_free(scratch);
}

static void expect_sent(struct rig *r, struct bgp_conn_id c, const char *want, uint32_t routes4,
                        uint32_t routes6) {
    char got[64];
    uint32_t routes[BGP_FAMILIES];
    rig_pass(r, 10);
    rig_pull(r, c);
    describe(r, got, routes);
    assert_string_equal(got, want);
    assert_int_equal(routes[0], routes4);
    assert_int_equal(routes[1], routes6);
    assert_int_equal(rig_info(r).state, BGP_ESTABLISHED);
}

static void init(struct rig *r) {
    static struct bgp_origin_config origins[ROUTES4 + ROUTES6];
    rig_init(r, BGP_PROFILE_PLAIN, 64512, 64512);
    r->peer.passive = true;
    r->peer.families[BGP_IPV6_UNICAST] = true;
    r->peer.export[0].accept_by_default = r->peer.export[1].accept_by_default = true;
    for (uint32_t i = 0; i < ROUTES4 + ROUTES6; i++) {
        struct ip_prefix p = ip_prefix_make(ip4(0x0B000000u + (i << 8)), 24);
        if (i >= ROUTES4)
            p = (struct ip_prefix){{IP_V6, {0x20, 1, 0xd, 0xb8, 0, (uint8_t)i}}, 48};
        origins[i] = (struct bgp_origin_config){
            .prefix = p, .source = ROUTE_SOURCE_STATIC, .metric = UINT32_MAX};
    }
    r->config.origins = origins;
    r->config.origin_count = ROUTES4 + ROUTES6;
}

static struct bgp_conn_id up(struct rig *r, bool gr, bool enhanced) {
    struct bgp_conn_id c = rig_call(r);
    struct bgp_open open = rig_open(r);
    open.families[BGP_IPV6_UNICAST] = true;
    open.gr = gr;
    open.enhanced_refresh = enhanced;
    feed_open(r, c, &open);
    feed_keepalive(r, c);
    return c;
}

static void ask(struct rig *r, struct bgp_conn_id c, uint16_t afi) {
    uint8_t message[64];
    const struct bgp_refresh refresh = {.afi = afi, .safi = 1};
    rig_feed(r, c, message, refresh_encode(&refresh, message, sizeof message));
}

/* RFC 4724 2: one behind the last route of each family; who has not the capability hears of none.
 */
static void test_C135_end_of_rib_sent(void **state) {
    (void)state;
    for (int gr = 0; gr < 2; gr++) {
        struct rig r;
        init(&r);
        rig_start(&r);
        struct bgp_conn_id c = up(&r, gr, false);
        expect_sent(&r, c, gr ? "ok4e6E" : "ok46", ROUTES4, ROUTES6);
        rig_end(&r);
    }
}

/* An empty table has an End-of-RIB, too. */
static void test_C135_nothing_to_send(void **state) {
    (void)state;
    struct rig r;
    init(&r);
    r.config.origin_count = 0;
    rig_start(&r);
    struct bgp_conn_id c = up(&r, true, false);
    expect_sent(&r, c, "okeE", 0, 0);
    rig_end(&r);
}

/* RFC 2918 4, 7313 4: all of the family that was asked for and nothing of the other, as often as
 * it is asked for. */
static void test_C184_C186_sent_again(void **state) {
    (void)state;
    for (int enhanced = 0; enhanced < 2; enhanced++) {
        struct rig r;
        init(&r);
        rig_start(&r);
        struct bgp_conn_id c = up(&r, false, enhanced);
        expect_sent(&r, c, "ok46", ROUTES4, ROUTES6);
        for (int again = 0; again < 2; again++) {
            ask(&r, c, 1);
            expect_sent(&r, c, enhanced ? "b4r" : "4", ROUTES4, 0);
            ask(&r, c, 2);
            expect_sent(&r, c, enhanced ? "B6R" : "6", 0, ROUTES6);
        }
        rig_end(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C135_end_of_rib_sent),
        cmocka_unit_test(test_C135_nothing_to_send),
        cmocka_unit_test(test_C184_C186_sent_again),
    };
    return cmocka_run_group_tests_name("session_table", tests, NULL, NULL);
}
