/*
 * Timers of many peers in one heap: there is room for what can run at a time, also when all leave
 * at once and memory is missing; what is kept stale goes when its own peer's time is over.
 */
#include "rig_test.h"

#define PEERS 40u

struct many {
    struct rig r;
    struct bgp_peer_config peers[PEERS];
    struct bgp_conn_id conns[PEERS];
};

static void many_start(struct many *m, uint32_t count, bool passive) {
    rig_init(&m->r, BGP_PROFILE_CALICO, 64512, 64512);
    for (uint32_t i = 0; i < count; i++) {
        m->peers[i] = m->r.peer;
        snprintf(m->peers[i].name, sizeof m->peers[i].name, "peer%u", i);
        m->peers[i].remote_addr = ip4(REMOTE + i);
        m->peers[i].passive = passive;
    }
    m->r.config.peers = m->peers;
    m->r.config.peer_count = count;
    rig_start(&m->r);
}

static void establish(struct many *m, uint32_t i, const struct bgp_open *like) {
    struct rig *r = &m->r;
    struct bgp_open open = *like;
    open.router_id = REMOTE + i;
    m->conns[i] = rig_establish_from(r, REMOTE + i, &open);
    rig_pull(r, m->conns[i]);
    assert_int_equal(r->established, i + 1);
}

static void feed_route(struct many *m, uint32_t i) {
    uint8_t message[512];
    size_t size;
    const struct attr_values v = {
        .next_hop = ip4(REMOTE), .has_local_pref = true, .local_pref = 100};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    const struct ip_prefix p = ip_prefix_make(ip4(0x0B000000u + (i << 8)), 24);
    assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
    rig_feed(&m->r, m->conns[i], message, size);
}

static bool held(const struct many *m, uint32_t i) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    if (!bgp_rib_find(m->r.s, ip_prefix_make(ip4(0x0B000000u + (i << 8)), 24), &it))
        return false;
    bool any = bgp_rib_next_path(m->r.s, &it, &path);
    bgp_rib_end(&it);
    return any;
}

/* Restart times in no order, and one that comes later and is over first. */
static void test_times_of_several(void **state) {
    static const uint16_t SECONDS[] = {60, 30, 90, 120, 30};
    static struct many m;
    const uint32_t count = sizeof SECONDS / sizeof *SECONDS;
    (void)state;
    many_start(&m, count, true);
    for (uint32_t i = 0; i < count; i++) {
        struct bgp_open open = rig_open(&m.r);
        open.gr = true;
        open.gr_time_s = SECONDS[i];
        open.gr_families[0].present = true;
        establish(&m, i, &open);
        feed_route(&m, i);
    }
    for (uint32_t i = 0; i < count; i++) {
        bgp_conn_down(m.r.s, m.conns[i], BGP_CONN_RESET, m.r.now);
        rig_events(&m.r);
    }
    for (uint32_t second = 0; second < 130; second++) {
        for (uint32_t i = 0; i < count; i++)
            assert_int_equal(held(&m, i), second < SECONDS[i]);
        rig_pass(&m.r, second ? 1000 : 1500);
    }
    rig_end(&m.r);
}

/* All leave at once: each connection has a NOTIFICATION to send, and a time to do so while its peer
 * has a timer of its own. What there is no memory for is not waited for. */
static void test_all_leave(void **state) {
    static struct many m;
    uint32_t waited = 0;
    (void)state;
    for (unsigned long n = 1; waited < PEERS; n++) {
        many_start(&m, PEERS, false);
        const struct bgp_open open = rig_open(&m.r);
        for (uint32_t i = 0; i < PEERS; i++)
            establish(&m, i, &open);
        alloc_fail_after(n, true);
        for (uint32_t i = 0; i < PEERS; i++) {
            const struct bgp_peer_id id = {m.r.s->peer_order[i]};
            assert_int_equal(bgp_clear(m.r.s, id, BGP_CLEAR_HARD, m.r.now), BGP_OK);
        }
        alloc_fail_after(0, false);
        assert_int_equal(m.r.s->talking, 0);
        waited = m.r.s->conns.used;
        for (uint32_t i = 0; i < PEERS; i++)
            assert_true(heap_armed(&speaker_peer(m.r.s, m.r.s->peer_order[i])->timer));
        rig_events(&m.r);
        rig_pass(&m.r, 5000); /* nobody takes it */
        assert_int_equal(m.r.aborted, waited);
        rig_end(&m.r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_of_several),
        cmocka_unit_test(test_all_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
