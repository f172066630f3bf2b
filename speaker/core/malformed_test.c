/* Malformed UPDATEs are counted by peer and attribute, and the last ones kept (C127). */
#include "rig_test.h"

/* An UPDATE with ORIGIN of two octets (attribute 1) or with a MED of three (4). */
static size_t make(uint8_t *out, bool med, uint8_t number) {
    static const uint8_t origin[] = {0x40, 1, 2, 0, 0, 0x40, 2, 0, 0x40, 3, 4, 10, 0, 0, 2};
    static const uint8_t bad_med[] = {0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 3, 4,
                                      10,   0, 0, 2, 0x80, 4, 3, 0,    0, 0};
    const uint8_t *attrs = med ? bad_med : origin;
    size_t size = med ? sizeof bad_med : sizeof origin, at = 0;
    memset(out, 0xFF, 16);
    at = 18;
    out[at++] = BGP_MSG_UPDATE;
    out[at++] = 0;
    out[at++] = 0;
    out[at++] = 0;
    out[at++] = (uint8_t)size;
    memcpy(out + at, attrs, size);
    at += size;
    const uint8_t nlri[] = {24, 11, 0, number};
    memcpy(out + at, nlri, sizeof nlri);
    at += sizeof nlri;
    out[16] = 0;
    out[17] = (uint8_t)at;
    return at;
}

static void test_C127_counted_and_kept(void **state) {
    (void)state;
    struct rig r;
    uint8_t message[128];
    struct bgp_malformed kept;
    uint32_t count;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    assert_false(bgp_malformed_at(r.s, 0, &kept));
    assert_null(bgp_malformed_counts(r.s, &count));
    assert_int_equal(count, 0);
    for (unsigned i = 0; i < BGP_MALFORMED_KEPT_MAX + 5; i++) {
        rig_feed(&r, c, message, make(message, i % 3 == 2, (uint8_t)i));
        rig_pass(&r, 1);
    }
    const struct bgp_malformed_count *counts = bgp_malformed_counts(r.s, &count);
    assert_int_equal(count, 2);
    assert_int_equal(counts[0].attribute, ATTR_ORIGIN);
    assert_int_equal(counts[0].count, 14);
    assert_int_equal(counts[1].attribute, ATTR_MED);
    assert_int_equal(counts[1].count, 7);
    assert_string_equal(counts[0].peer, "peer");
    for (unsigned n = 0; n < BGP_MALFORMED_KEPT_MAX; n++) {
        unsigned number = BGP_MALFORMED_KEPT_MAX + 4 - n; /* the last one first */
        assert_true(bgp_malformed_at(r.s, n, &kept));
        assert_string_equal(kept.outcome, "withdraw");
        assert_string_equal(kept.peer, "peer");
        size_t size = make(message, number % 3 == 2, (uint8_t)number) - BGP_HEADER_SIZE;
        assert_int_equal(kept.attribute, number % 3 == 2 ? ATTR_MED : ATTR_ORIGIN);
        assert_int_equal(kept.size, size);
        assert_memory_equal(kept.body, message + BGP_HEADER_SIZE, size);
    }
    assert_false(bgp_malformed_at(r.s, BGP_MALFORMED_KEPT_MAX, &kept));
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    rig_end(&r);
}

/* Without memory less is remembered; nothing else changes. */
static void test_C127_no_memory(void **state) {
    (void)state;
    for (unsigned long n = 1; n < 6; n++) {
        struct rig r;
        uint8_t message[128];
        struct bgp_malformed kept;
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
        size_t size = make(message, false, 1);
        alloc_fail_after(n, true);
        bgp_conn_receive(r.s, c, message, size, r.now);
        alloc_fail_after(0, false);
        rig_events(&r);
        if (bgp_malformed_at(r.s, 0, &kept))
            assert_true(kept.body ? kept.size > 0 : kept.size == 0);
        rig_feed(&r, c, message, size);
        assert_true(bgp_malformed_at(r.s, 0, &kept));
        assert_int_equal(kept.size, size - BGP_HEADER_SIZE);
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        rig_end(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C127_counted_and_kept),
        cmocka_unit_test(test_C127_no_memory),
    };
    return cmocka_run_group_tests_name("malformed", tests, NULL, NULL);
}
