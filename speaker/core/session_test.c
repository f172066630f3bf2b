/*
 * One speaker against scripted bytes: what it answers to damaged, unwelcome and unexpected
 * messages in each state, and what it negotiates. The rows of the conformance list (C…) are named
 * where they are tested. What is about the wire and about time is in session_wire_test.c.
 */
#include "cases_test.h"
#include "rig_test.h"

/* ---- header ---- */

/* C001-C004, C007: in every state with a connection; the session ends, the routes with it. */
static void test_C001_C010_header_errors(void **state) {
    (void)state;
    static const struct {
        uint8_t at, value, code, subcode;
    } rows[] = {
        {0, 0xFE, 1, 1}, {7, 0x00, 1, 1}, {15, 0x7F, 1, 1}, {17, 18, 1, 2},  {16, 0xFF, 1, 2},
        {18, 0, 1, 3},   {18, 9, 1, 3},   {17, 20, 1, 2},   {18, 255, 1, 3},
    };
    for (unsigned row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (unsigned at = BGP_OPEN_SENT; at <= BGP_ESTABLISHED; at++) {
            struct rig r;
            uint8_t message[BGP_HEADER_SIZE];
            rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
            rig_start(&r);
            struct bgp_conn_id c = rig_up_to(&r, (enum bgp_state)at);
            keepalive_encode(message, sizeof message);
            message[rows[row].at] = rows[row].value;
            rig_feed(&r, c, message, sizeof message);
            expect_notified(&r, rows[row].code, rows[row].subcode);
            rig_pull(&r, c);
            expect_last_message(&r, rows[row].code, rows[row].subcode);
            assert_int_equal(r.closed, 1);
            assert_int_equal(rig_info(&r).state, BGP_IDLE);
            assert_int_equal(r.s->conns.used, 0);
            rig_end(&r);
        }
    }
}

/* The shortest and the longest of each wrong length, to an established session. */
static void test_C002_to_C008_lengths_and_types(void **state) {
    static const struct {
        uint8_t type, subcode;
        uint16_t lengths[2];
    } rows[] = {
        {BGP_MSG_KEEPALIVE, 2, {0, 18}},
        {BGP_MSG_UPDATE, 2, {4097, 65535}},
        {0, 3, {19, 4096}},
        {6, 3, {19, 4096}},
        {128, 3, {23, 23}},
        {BGP_MSG_OPEN, 2, {19, 28}},
        {BGP_MSG_UPDATE, 2, {19, 22}},
        {BGP_MSG_KEEPALIVE, 2, {20, 4096}},
        {BGP_MSG_NOTIFICATION, 2, {19, 20}},
    };
    (void)state;
    for (unsigned i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        uint16_t length = rows[i / 2].lengths[i % 2];
        uint8_t header[BGP_HEADER_SIZE];
        struct rig r;
        rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
        r.peer.extended_messages = false; /* RFC 8654 4: who offers it takes longer ones */
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
        keepalive_encode(header, sizeof header);
        header[16] = (uint8_t)(length >> 8);
        header[17] = (uint8_t)length;
        header[18] = rows[i / 2].type;
        rig_feed(&r, c, header, sizeof header); /* no octet of a body */
        expect_notified(&r, BGP_ERR_HEADER, rows[i / 2].subcode);
        bool type = rows[i / 2].subcode == 3;
        assert_int_equal(r.notified.notified.size, type ? 1 : 2);
        assert_memory_equal(r.notified.notified.data, header + (type ? 18 : 16), type ? 1 : 2);
        rig_pull(&r, c);
        expect_last_message(&r, BGP_ERR_HEADER, rows[i / 2].subcode);
        assert_int_equal(rig_info(&r).state, BGP_IDLE);
        rig_end(&r);
    }
}

/* C009: octet by octet; two hundred in one go; nothing is buffered in between. */
static void test_C009_framing(void **state) {
    (void)state;
    static uint8_t many[200 * BGP_HEADER_SIZE];
    struct rig r;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    for (size_t i = 0; i < sizeof many; i += BGP_HEADER_SIZE)
        keepalive_encode(many + i, BGP_HEADER_SIZE);
    rig_feed(&r, c, many, sizeof many);
    assert_int_equal(rig_info(&r).received.keepalives, 201);
    assert_null(conn_find(r.s, c)->in);
    for (size_t i = 0; i < sizeof many; i++)
        rig_feed(&r, c, many + i, 1);
    assert_int_equal(rig_info(&r).received.keepalives, 401);
    assert_null(conn_find(r.s, c)->in);
    rig_feed(&r, c, many, 30);
    assert_non_null(conn_find(r.s, c)->in);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    rig_end(&r);
}

/* ---- OPEN ---- */

struct open_row {
    const char *name;
    uint32_t local_as, remote_as;
    struct bgp_open open;
    uint8_t code, subcode; /* 0: accepted */
};

#define OPEN(as, hold, id, ...)                                                                    \
    {                                                                                              \
        .asn = (as), .hold_time_s = (hold), .router_id = (id), .has_capabilities = true,           \
        .mp_present = true, .as4 = true, __VA_ARGS__                                               \
    }

static const struct open_row open_rows[] = {
    {"good", 64512, 64512, OPEN(64512, 90, REMOTE, .families = {true, false}), 0, 0},
    {"C015 wrong as", 64512, 64512, OPEN(64513, 90, REMOTE, .families = {true}), 2, 2},
    {"C015 wrong as, four octets", 1, 70000, OPEN(70001, 90, REMOTE, .families = {true}), 2, 2},
    {"C017 as 70000", 64512, 70000, OPEN(70000, 90, REMOTE, .families = {true}), 0, 0},
    {"C020 hold 1", 64512, 64512, OPEN(64512, 1, REMOTE, .families = {true}), 2, 6},
    {"C020 hold 2", 64512, 64512, OPEN(64512, 2, REMOTE, .families = {true}), 2, 6},
    {"C021 hold 0", 64512, 64512, OPEN(64512, 0, REMOTE, .families = {true}), 0, 0},
    {"C023 id 0", 64512, 64512, OPEN(64512, 90, 0, .families = {true}), 2, 3},
    {"C024 own id, internal", 64512, 64512, OPEN(64512, 90, LOCAL, .families = {true}), 2, 3},
    {"C025 own id, external", 64512, 64513, OPEN(64513, 90, LOCAL, .families = {true}), 0, 0},
    {"C026 id 224.0.0.1", 64512, 64512, OPEN(64512, 90, 0xE0000001u, .families = {true}), 0, 0},
    {"C039 no family", 64512, 64512, OPEN(64512, 90, REMOTE, .families = {false, true}), 2, 7},
    {"family implied", 64512, 64512, {.asn = 64512, .hold_time_s = 90, .router_id = REMOTE}, 0, 0},
};

static void opens(void **state) {
    const struct open_row *row = *state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_CALICO, row->local_as, row->remote_as);
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_OPEN_SENT);
    feed_open(&r, c, &row->open);
    if (row->code) {
        expect_notified(&r, row->code, row->subcode);
        assert_int_equal(rig_info(&r).state, BGP_IDLE);
    } else {
        feed_keepalive(&r, c);
        if (rig_info(&r).state != BGP_ESTABLISHED)
            fail_msg("%s: not established", row->name);
    }
    rig_end(&r);
}

/* BIRD: the keepalive time of a neighbour is taken as it stands, whatever hold time comes of the
 * OPENs: too long a one loses the session. Others keep to a third. */
static void test_keepalive_as_configured(void **state) {
    (void)state;
    static const struct {
        enum bgp_profile profile;
        uint16_t keepalive;
    } rows[] = {{BGP_PROFILE_CALICO, 60},
                {BGP_PROFILE_FAST, 60},
                {BGP_PROFILE_IOS, 10},
                {BGP_PROFILE_PLAIN, 10}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;
        rig_init(&r, rows[i].profile, 64512, 64512);
        r.peer.keepalive_s = 60;
        rig_start(&r);
        struct bgp_conn_id c = rig_call(&r);
        struct bgp_open open = rig_open(&r);
        open.hold_time_s = 30;
        feed_open(&r, c, &open);
        feed_keepalive(&r, c);
        assert_int_equal(rig_info(&r).hold_time_s, 30);
        assert_int_equal(rig_info(&r).keepalive_s, rows[i].keepalive);
        rig_end(&r);
    }
}

/* C014 */
static void test_C014_versions(void **state) {
    (void)state;
    static const uint8_t bad[] = {3, 5, 0, 255};
    for (unsigned i = 0; i < sizeof bad; i++) {
        struct rig r;
        uint8_t message[512];
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, BGP_OPEN_SENT);
        struct bgp_open open = rig_open(&r);
        size_t size = open_encode(&open, message, sizeof message);
        message[BGP_HEADER_SIZE] = bad[i];
        rig_feed(&r, c, message, size);
        expect_notified(&r, 2, 1);
        assert_int_equal(r.notified.notified.size, 2);
        assert_int_equal(r.notified.notified.data[1], 4);
        rig_end(&r);
    }
}

/* C021, C022: the smaller hold time, a third of it for the keepalives. */
static void test_C021_C022_negotiation(void **state) {
    (void)state;
    static const struct {
        uint16_t ours, theirs, hold, keepalive;
    } rows[] = {{240, 90, 90, 30}, {30, 65535, 30, 10}, {240, 3, 3, 1},
                {0, 90, 0, 0},     {90, 0, 0, 0},       {0, 0, 0, 0}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        r.peer.hold_time_set = true;
        r.peer.hold_time_s = rows[i].ours;
        rig_start(&r);
        struct bgp_conn_id c = rig_call(&r);
        struct bgp_open open = rig_open(&r);
        open.hold_time_s = rows[i].theirs;
        feed_open(&r, c, &open);
        feed_keepalive(&r, c);
        assert_int_equal(rig_info(&r).hold_time_s, rows[i].hold);
        assert_int_equal(rig_info(&r).keepalive_s, rows[i].keepalive);
        if (rows[i].hold == 0) {
            uint32_t before = rig_info(&r).sent.keepalives;
            rig_pass(&r, 10000000);
            assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
            assert_int_equal(rig_info(&r).sent.keepalives, before);
        }
        rig_end(&r);
    }
}

/* C040: 2/4 to our OPEN: once without capabilities, then with them again. */
static void test_C040_fallback(void **state) {
    (void)state;
    struct rig r;
    uint8_t message[64];
    size_t with = 0;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    for (int attempt = 0; attempt < 3; attempt++) {
        struct bgp_conn_id c = rig_answer(&r);
        rig_pull(&r, c);
        if (attempt == 0)
            with = r.out_size;
        assert_int_equal(r.out_size, attempt == 1 ? 29 : with);
        rig_feed(&r, c, message, notification_encode(2, 4, NULL, 0, message, sizeof message));
        rig_pull(&r, c);
        assert_int_equal(r.out_size, 0);
    }
    assert_true(with > 29);
    rig_end(&r);
}

/* IOS: on an incoming connection our OPEN follows theirs; it has 57 octets. */
static void test_ios_passive(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_IOS, 64512, 64512);
    rig_start(&r);
    struct bgp_conn_id c = rig_call(&r);
    rig_pull(&r, c);
    assert_int_equal(r.out_size, 0);
    struct bgp_open open = rig_open(&r);
    feed_open(&r, c, &open);
    rig_pull(&r, c);
    assert_int_equal(r.out_size, 57 + BGP_HEADER_SIZE);
    assert_int_equal(rig_info(&r).state, BGP_OPEN_CONFIRM);
    feed_keepalive(&r, c);
    assert_int_equal(rig_info(&r).received.opens, 1);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    rig_end(&r);
}

/* ---- messages out of place ---- */

/* C041, C050 */
static void test_C041_C050_unexpected(void **state) {
    (void)state;
    static const struct {
        enum bgp_state at;
        enum bgp_message_type type;
        uint8_t subcode;
    } rows[] = {
        {BGP_OPEN_SENT, BGP_MSG_KEEPALIVE, 1},     {BGP_OPEN_SENT, BGP_MSG_UPDATE, 1},
        {BGP_OPEN_SENT, BGP_MSG_ROUTE_REFRESH, 1}, {BGP_OPEN_CONFIRM, BGP_MSG_OPEN, 2},
        {BGP_OPEN_CONFIRM, BGP_MSG_UPDATE, 2},     {BGP_OPEN_CONFIRM, BGP_MSG_ROUTE_REFRESH, 2},
        {BGP_ESTABLISHED, BGP_MSG_OPEN, 3},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;
        uint8_t message[512];
        size_t size = 0;
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, rows[i].at);
        struct bgp_open open = rig_open(&r);
        const struct bgp_refresh refresh = {.afi = 1, .safi = 1};
        if (rows[i].type == BGP_MSG_OPEN)
            size = open_encode(&open, message, sizeof message);
        else if (rows[i].type == BGP_MSG_UPDATE)
            size = end_of_rib_encode(BGP_IPV4_UNICAST, message, sizeof message);
        else if (rows[i].type == BGP_MSG_ROUTE_REFRESH)
            size = refresh_encode(&refresh, message, sizeof message);
        else
            size = keepalive_encode(message, sizeof message);
        rig_feed(&r, c, message, size);
        expect_notified(&r, 5, rows[i].subcode);
        assert_int_equal(r.notified.notified.size, 1);
        assert_int_equal(r.notified.notified.data[0], rows[i].type);
        rig_end(&r);
    }
}

/* C051: nothing goes back, whatever it says. */
static void test_C051_notifications(void **state) {
    (void)state;
    uint64_t rng = 5;
    for (unsigned i = 0; i < 60; i++) {
        struct rig r;
        uint8_t message[256], data[64];
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, (enum bgp_state)(BGP_OPEN_SENT + i % 3));
        for (unsigned b = 0; b < sizeof data; b++)
            data[b] = (uint8_t)rng_next(&rng);
        size_t size = notification_encode((uint8_t)(i * 7), (uint8_t)(i * 11), data,
                                          rng_below(&rng, sizeof data), message, sizeof message);
        rig_feed(&r, c, message, size);
        rig_pull(&r, c);
        assert_int_equal(r.out_size, 0);
        assert_int_equal(r.closed, 1);
        assert_false(r.notified.notified.sent);
        assert_int_equal(rig_info(&r).state < BGP_OPEN_SENT, true);
        rig_end(&r);
    }
}

/* C185: a length other than 4 is 7/1; a foreign family or subtype is nothing. */
static void test_C185_refreshes(void **state) {
    (void)state;
    struct rig r;
    uint8_t message[64];
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    const struct bgp_refresh good[] = {{1, 0, 1}, {2, 0, 1}, {25, 0, 70}, {1, 9, 1}};
    for (unsigned i = 0; i < 4; i++)
        rig_feed(&r, c, message, refresh_encode(&good[i], message, sizeof message));
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    assert_int_equal(rig_info(&r).received.refreshes, 4);
    size_t size = refresh_encode(&good[0], message, sizeof message);
    message[17] = (uint8_t)(size + 1);
    message[size] = 0;
    rig_feed(&r, c, message, size + 1);
    expect_notified(&r, 7, 1);
    rig_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C001_C010_header_errors),
        cmocka_unit_test(test_C002_to_C008_lengths_and_types),
        cmocka_unit_test(test_C009_framing),
        cmocka_unit_test(test_keepalive_as_configured),
        cmocka_unit_test(test_C014_versions),
        cmocka_unit_test(test_C021_C022_negotiation),
        cmocka_unit_test(test_C040_fallback),
        cmocka_unit_test(test_ios_passive),
        cmocka_unit_test(test_C041_C050_unexpected),
        cmocka_unit_test(test_C051_notifications),
        cmocka_unit_test(test_C185_refreshes),
    };
    static struct cases all;
    CASES_ADD_TABLE(&all, open_rows, opens);
    cases_add_tests(&all, tests, sizeof tests / sizeof tests[0]);
    return cases_run(&all, "session");
}
