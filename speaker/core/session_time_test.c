/*
 * Timers of a session: keepalives and the hold time (C048, C049, C058), the send hold time (C057),
 * and the wait of a session that flaps (C056). Virtual time, exact to the millisecond.
 */
#include "pipe_test.h"
#include "rig_test.h"

static void feed_refresh_request(struct rig *r, struct bgp_conn_id c) {
    feed_refresh(r, c, BGP_REFRESH_REQUEST);
}

static void feed_update(struct rig *r, struct bgp_conn_id c) {
    uint8_t message[64];
    const struct ip_prefix p = ip_prefix_make(ip4(0x0B000000), 24);
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    size_t size;
    assert_int_equal(update_encode(NULL, &how, &p, 1, message, sizeof message, &size), 1);
    rig_feed(r, c, message, size);
}

/* Whatever flows keeps the session; the next silence of the hold time ends it. */
static void test_C049_hold_timer_restarts(void **state) {
    (void)state;
    static void (*const feeds[])(struct rig * r, struct bgp_conn_id c) = {
        feed_keepalive, feed_refresh_request, feed_update};
    for (unsigned i = 0; i < 3; i++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        r.peer.passive = true;
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
        for (int n = 0; n < 20; n++) {
            rig_pass(&r, 89000);
            rig_pull(&r, c);
            assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
            feeds[i](&r, c);
        }
        rig_pass(&r, 89999);
        assert_int_equal(r.notified_count, 0);
        rig_pass(&r, 1);
        expect_notified(&r, BGP_ERR_HOLD_TIMER, 0);
        rig_end(&r);
    }
}

/* RFC 4271 10: 75 to 100 % of the interval, and not always the same. */
static void test_C058_keepalive_jitter(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
    r.peer.passive = true;
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    uint64_t last_ms = r.now.ns / NANOS_PER_MS, least = UINT64_MAX, most = 0;
    for (int n = 0; n < 100;) {
        rig_pass(&r, 10);
        feed_keepalive(&r, c);
        rig_pull(&r, c);
        if (r.out_size == 0)
            continue;
        assert_int_equal(r.out_size, BGP_HEADER_SIZE);
        uint64_t now_ms = r.now.ns / NANOS_PER_MS, interval = now_ms - last_ms;
        assert_true(interval >= 22490 && interval <= 30010);
        least = interval < least ? interval : least;
        most = interval > most ? interval : most;
        last_ms = now_ms;
        n++;
    }
    assert_true(most - least > 5000);
    rig_end(&r);
}

/* ---- send hold time ---- */

/* Two peers; the first one stops reading. */
static void start_two(struct rig *r, struct bgp_peer_config *two, struct bgp_conn_id *c,
                      uint16_t hold_s, uint16_t send_hold_s) {
    rig_init(r, BGP_PROFILE_PLAIN, 64512, 64512);
    r->peer.passive = true;
    r->peer.send_hold_time_s = send_hold_s;
    r->peer.hold_time_set = true;
    r->peer.hold_time_s = hold_s;
    r->peer.graceful_restart = BGP_GR_OFF;
    two[0] = two[1] = r->peer;
    snprintf(two[1].name, sizeof two[1].name, "other");
    two[1].remote_addr = ip4(REMOTE + 1);
    r->config.peers = two;
    r->config.peer_count = 2;
    rig_start(r);
    for (uint32_t i = 0; i < 2; i++) {
        struct bgp_open open = rig_open(r);
        open.router_id = REMOTE + i;
        open.hold_time_s = hold_s;
        c[i] = rig_establish_from(r, REMOTE + i, &open);
        rig_pull(r, c[i]);
    }
}

/* One second of a peer that says KEEPALIVE, and of the other one that also takes what it gets.
 * True: there was something for the first one. */
static bool second(struct rig *r, const struct bgp_conn_id *c) {
    struct bgp_part part;
    feed_keepalive(r, c[0]);
    feed_keepalive(r, c[1]);
    bool waits = bgp_conn_pull(r->s, c[0], &part, 1, r->now) > 0; /* and nothing is taken */
    rig_pull(r, c[1]);
    rig_pass(r, 1000);
    return waits;
}

static void test_C057_send_hold(void **state) {
    (void)state;
    static const struct {
        uint16_t hold_s, configured_s;
        uint32_t wait_s; /* from the first KEEPALIVE that is not taken */
    } rows[] = {
        {90, 0, 480},  /* eight minutes */
        {300, 0, 600}, /* twice the hold time is more */
        {9, 20, 20},   /* as configured */
        {90, 20, 91},  /* … but more than the hold time that came out */
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;
        struct bgp_peer_config two[2];
        struct bgp_conn_id c[2];
        start_two(&r, two, c, rows[i].hold_s, rows[i].configured_s);
        uint32_t first = 0, seconds = 0;
        for (; r.notified_count == 0 && seconds < 1000; seconds++) {
            if (second(&r, c) && first == 0)
                first = seconds + 1;
        }
        assert_int_equal(r.notified.notified.code, BGP_ERR_SEND_HOLD);
        uint32_t waited = seconds + 1 - first;
        if (waited < rows[i].wait_s || waited > rows[i].wait_s + 2)
            fail_msg("row %u: %u s instead of %u", i, waited, rows[i].wait_s);
        rig_pass(&r, 6000);
        assert_int_equal(r.aborted, 1); /* it does not take the NOTIFICATION either */
        struct bgp_peer_info other;
        assert_true(bgp_peer_at(r.s, 1, &other));
        assert_int_equal(other.state, BGP_ESTABLISHED);
        assert_int_equal(other.dropped_count, 0);
        rig_end(&r);
    }
}

/* Slow is not stuck: an octet now and then, and the timer starts again. */
static void test_C057_slow_reader(void **state) {
    (void)state;
    struct rig r;
    struct bgp_peer_config two[2];
    struct bgp_conn_id c[2];
    struct bgp_part part;
    start_two(&r, two, c, 9, 20);
    for (int n = 0; n < 300; n++) {
        (void)second(&r, c);
        if (n % 15 == 0 && bgp_conn_pull(r.s, c[0], &part, 1, r.now) > 0)
            bgp_conn_sent(r.s, c[0], 1, r.now);
        assert_int_equal(r.notified_count, 0);
    }
    rig_end(&r);
}

/* ---- idle hold ---- */

/* A session that is cut as soon as it is up: the wait doubles, up to a minute, and is forgotten
 * after a minute of peace. */
static void test_C056_idle_hold(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
    r.peer.graceful_restart = BGP_GR_OFF;
    rig_start(&r);
    uint64_t wait_ms = 0;
    for (int n = 0; n < 12; n++) {
        struct bgp_open open = rig_open(&r);
        uint64_t before = r.now.ns;
        r.connecting = (struct bgp_conn_id){0};
        rig_events(&r);
        for (int step = 0; step < 70000 && r.connecting.index == 0 && n > 0; step++)
            rig_pass(&r, 1);
        uint64_t waited = (r.now.ns - before) / NANOS_PER_MS;
        if (n > 0)
            assert_true(waited >= wait_ms * 3 / 4 && waited <= wait_ms + 1);
        if (n > 1)
            wait_ms = wait_ms * 2 > 60000 ? 60000 : wait_ms * 2;
        else
            wait_ms = n == 1 ? 1000 : 0;
        struct bgp_conn_id c = n > 0 ? r.connecting : rig_call(&r);
        if (n > 0)
            bgp_conn_up(r.s, c, (struct bgp_endpoint){ip4(LOCAL), 5555}, r.now);
        feed_open(&r, c, &open);
        feed_keepalive(&r, c);
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        if (n == 10) {
            rig_pass(&r, 61000);
            wait_ms = 0;
        }
        r.connecting = (struct bgp_conn_id){0};
        bgp_conn_down(r.s, c, BGP_CONN_RESET, r.now);
        if (n < 10 && n > 0)
            assert_int_equal(rig_try_call(&r, &c), BGP_REFUSED); /* nor may the peer call */
    }
    rig_end(&r);
}

static void feed_notification(struct rig *r, struct bgp_conn_id c, uint8_t code, uint8_t subcode) {
    uint8_t message[BGP_HEADER_SIZE + 2];
    rig_feed(r, c, message, notification_encode(code, subcode, NULL, 0, message, sizeof message));
}

/* Who ends a session by a Cease may call again at once, as with BIRD and FRR, and only the next
 * time after a second; any other NOTIFICATION is an error, after which nobody is answered for a
 * while. */
static void test_C056_after_a_notification(void **state) {
    static const struct {
        uint8_t code, subcode;
        bool at_once;
    } rows[] = {{BGP_ERR_CEASE, BGP_CEASE_RESET, true},
                {BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN, true},
                {BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, true},
                {BGP_ERR_CEASE, BGP_CEASE_REJECTED, true},
                {BGP_ERR_HOLD_TIMER, 0, false},
                {BGP_ERR_UPDATE, 1, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;
        struct bgp_conn_id c;
        rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
        r.peer.passive = true;
        rig_start(&r);
        feed_notification(&r, rig_up_to(&r, BGP_ESTABLISHED), rows[i].code, rows[i].subcode);
        if (rows[i].at_once) {
            feed_notification(&r, rig_up_to(&r, BGP_ESTABLISHED), rows[i].code, rows[i].subcode);
            assert_int_equal(rig_try_call(&r, &c), BGP_REFUSED);
            rig_pass(&r, 1001);
            assert_int_equal(rig_try_call(&r, &c), BGP_OK);
        } else {
            rig_pass(&r, 44000);
            assert_int_equal(rig_try_call(&r, &c), BGP_REFUSED);
        }
        rig_end(&r);
    }
}

/* ---- a neighbour that takes us for alive ---- */

/* RFC 4271 6.8: it has our former session still, unaware that we died, and ends each new one with
 * 6/7 until its hold timer is over. Our tries grow apart (8.1.1). */
static void test_C056_collision_with_the_dead(void **state) {
    (void)state;
    struct rig r;
    uint8_t cease[32];
    size_t size =
        notification_encode(BGP_ERR_CEASE, BGP_CEASE_COLLISION, NULL, 0, cease, sizeof cease);
    uint32_t tries = 0;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
    rig_start(&r);
    struct nanotime end = nanotime_add_ms(r.now, 90000);
    while (nanotime_before(r.now, end) && tries < 100) {
        struct bgp_conn_id c = r.connecting;
        r.connecting = (struct bgp_conn_id){0};
        if (c.index == 0) {
            rig_pass(&r, 100);
            continue;
        }
        tries++;
        bgp_conn_up(r.s, c, (struct bgp_endpoint){ip4(LOCAL), 5555}, r.now);
        rig_pull(&r, c);
        rig_feed(&r, c, cease, size);
    }
    assert_in_range(tries, 4, 12);
    rig_end(&r);
}

/* ---- calls that nobody takes ---- */

/* How long the speaker waits for the next try; the one that runs is refused then. */
static uint64_t wait_for_try(struct rig *r) {
    uint64_t before = r->now.ns;
    r->connecting = (struct bgp_conn_id){0};
    for (int ms = 0; ms < 10000 && r->connecting.index == 0; ms++)
        rig_pass(r, 1);
    assert_int_not_equal(r->connecting.index, 0);
    uint64_t waited_ms = (r->now.ns - before) / NANOS_PER_MS;
    bgp_conn_down(r->s, r->connecting, BGP_CONN_REFUSED, r->now);
    rig_events(r);
    return waited_ms;
}

static void expect_wait(struct rig *r, uint64_t ms) {
    uint64_t waited_ms = wait_for_try(r);
    assert_in_range(waited_ms, ms * 3 / 4, ms + 1);
}

/* BIRD calls again at one interval. In its image for tests the interval grows, up to a limit, and
 * is the short one again when the session was up. */
static void test_refused_calls(void **state) {
    (void)state;
    static const uint64_t fast_ms[] = {50, 100, 100, 200, 200, 400, 400, 800, 800, 1600, 1600};
    struct rig r;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    expect_wait(&r, 2000);
    for (int n = 0; n < 40; n++)
        expect_wait(&r, 5000);
    rig_end(&r);

    rig_init(&r, BGP_PROFILE_FAST, 64512, 64512);
    rig_start(&r);
    for (int round = 0; round < 2; round++) {
        expect_wait(&r, 2);
        for (size_t n = 0; n < sizeof fast_ms / sizeof *fast_ms; n++)
            expect_wait(&r, fast_ms[n]);
        for (int n = 0; n < 300; n++)
            expect_wait(&r, 1600);
        struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
        bgp_conn_down(r.s, c, BGP_CONN_RESET, r.now);
        rig_events(&r);
    }
    rig_end(&r);
}

/* When the first session came up, and the last one: no later session changes the former. */
static void test_when_sessions_came_up(void **state) {
    (void)state;
    struct rig r;
    struct bgp_counters n;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    r.peer.passive = true;
    rig_start(&r);
    bgp_counters_get(r.s, &n);
    assert_true(n.established_first.ns == 0 && n.established_last.ns == 0);
    const struct nanotime first = r.now;
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    bgp_conn_down(r.s, c, BGP_CONN_RESET, r.now);
    rig_events(&r);
    rig_pass(&r, 60000);
    const struct nanotime last = r.now;
    (void)rig_up_to(&r, BGP_ESTABLISHED);
    bgp_counters_get(r.s, &n);
    assert_true(n.established_first.ns == first.ns);
    assert_true(n.established_last.ns == last.ns);
    rig_end(&r);
}

/* RFC 9687 3.3: with a negotiated hold time of zero the SendHoldTimer is stopped, whatever it is
 * configured to be. */
static void test_C057_hold_time_zero(void **state) {
    (void)state;
    for (uint16_t configured_s = 0; configured_s <= 100; configured_s += 100) {
        struct rig r;
        struct bgp_peer_config two[2];
        struct bgp_conn_id c[2];
        bool waits = true;
        start_two(&r, two, c, 0, configured_s);
        assert_int_equal(bgp_clear(r.s, (struct bgp_peer_id){0}, BGP_CLEAR_SOFT_IN, r.now), BGP_OK);
        for (uint32_t seconds = 0; seconds < 1000; seconds++)
            waits = second(&r, c) && waits;
        assert_true(waits);
        assert_int_equal(r.notified_count, 0);
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        rig_end(&r);
    }
}

/* The hold time begins with the session when it is zero: whoever sends an OPEN and then no
 * KEEPALIVE must not keep the connection for ever (RFC 4271 8.2.2 has a timer in every state
 * before). */
static void test_silence_behind_open(void **state) {
    (void)state;
    for (int incoming = 0; incoming < 2; incoming++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
        r.peer.passive = incoming;
        rig_start(&r);
        struct bgp_conn_id c = incoming ? rig_call(&r) : rig_answer(&r);
        struct bgp_open open = rig_open(&r);
        open.hold_time_s = 0;
        feed_open(&r, c, &open);
        assert_int_equal(rig_info(&r).state, BGP_OPEN_CONFIRM);
        rig_pass(&r, 239000);
        assert_int_equal(rig_info(&r).state, BGP_OPEN_CONFIRM);
        rig_pass(&r, 2000);
        expect_notified(&r, BGP_ERR_HOLD_TIMER, 0);
        assert_int_equal(rig_info(&r).state, BGP_IDLE);
        rig_end(&r);
    }
}

/* … and who says it in time, be it late, has a session without hold time. */
static void test_late_keepalive(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
    r.peer.passive = true;
    rig_start(&r);
    struct bgp_conn_id c = rig_call(&r);
    struct bgp_open open = rig_open(&r);
    open.hold_time_s = 0;
    feed_open(&r, c, &open);
    rig_pass(&r, 200000);
    feed_keepalive(&r, c);
    rig_pull(&r, c);
    rig_pass(&r, 10000000);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    assert_int_equal(r.notified_count, 0);
    rig_end(&r);
}

/* A connection that the neighbour opened and ended before it was up: while our own next call waits
 * for its time, and again and again. We call all the same. */
static void test_C056_calls_after_ended_calls(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
    rig_start(&r);
    bgp_conn_down(r.s, rig_answer(&r), BGP_CONN_RESET, r.now);
    for (int n = 0; n < 5; n++) {
        struct bgp_conn_id c;
        while (rig_try_call(&r, &c) != BGP_OK)
            rig_pass(&r, 1000);
        feed_notification(&r, c, BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN);
    }
    (void)rig_answer(&r);
    rig_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when_sessions_came_up),
        cmocka_unit_test(test_refused_calls),
        cmocka_unit_test(test_C049_hold_timer_restarts),
        cmocka_unit_test(test_C058_keepalive_jitter),
        cmocka_unit_test(test_C057_send_hold),
        cmocka_unit_test(test_C057_hold_time_zero),
        cmocka_unit_test(test_silence_behind_open),
        cmocka_unit_test(test_late_keepalive),
        cmocka_unit_test(test_C057_slow_reader),
        cmocka_unit_test(test_C056_idle_hold),
        cmocka_unit_test(test_C056_after_a_notification),
        cmocka_unit_test(test_C056_calls_after_ended_calls),
        cmocka_unit_test(test_C056_collision_with_the_dead),
    };
    return cmocka_run_group_tests_name("session_time", tests, NULL, NULL);
}
