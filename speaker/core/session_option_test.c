/*
 * BLACKHOLE (RFC 7999), GRACEFUL_SHUTDOWN (RFC 8326), prefix limits and required families as
 * options, through speakers: 1 - 2 - 3 in three ASes.
 */
#include "pipe_test.h"
#include "rig_test.h"

#define NODES 3
#define PREFIX "20.0.0.0/16"

struct network {
    struct pipe_world w;
    struct bgp_config configs[NODES];
    struct bgp_peer_config peers[NODES][2];
    struct bgp_origin_config origin;
    uint32_t community;
    struct policy_action action;
    struct policy_term term;
    struct policy policy;
};

static const uint16_t chain[] = {0};

static void add_peer(struct network *n, uint32_t from, uint32_t to) {
    struct bgp_config *c = &n->configs[from];
    struct bgp_peer_config *p = &n->peers[from][c->peer_count++];
    bgp_peer_config_init(p, c->profile);
    snprintf(p->name, sizeof p->name, "to%u", to + 1);
    p->remote_addr = ip4(0x0A000001 + to);
    p->remote_as = 65001 + to;
}

/* Node 1 has the route, and sends it with `community` (0: without). */
static void prepare(struct network *n, uint32_t community) {
    memset(n, 0, sizeof *n);
    pipe_init(&n->w, 3);
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
    n->community = community;
    n->action = (struct policy_action){
        .kind = POLICY_SET_COMMUNITIES, .asns = &n->community, .asn_count = 1};
    n->term = (struct policy_term){
        .name = "t", .actions = &n->action, .action_count = 1, .verdict = POLICY_ACCEPT};
    n->policy = (struct policy){.name = "p", .terms = &n->term, .term_count = 1};
    n->origin = (struct bgp_origin_config){.prefix = ip_prefix_make(ip4(0x14000000), 16),
                                           .source = ROUTE_SOURCE_STATIC,
                                           .metric = UINT32_MAX};
    n->configs[0].origins = &n->origin;
    n->configs[0].origin_count = 1;
    n->configs[0].policies = &n->policy;
    n->configs[0].policy_count = 1;
    if (community)
        n->peers[0][0].export[0] = (struct policy_chain){.policies = chain, .count = 1};
}

static void run(struct network *n) {
    for (uint32_t i = 0; i < NODES; i++)
        pipe_add(&n->w, &n->configs[i], NULL);
    pipe_run(&n->w, 20000);
}

static const struct attr_values *best(struct network *n, uint32_t node) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    const struct attr_values *found = NULL;
    if (!bgp_rib_find(n->w.nodes[node].speaker, n->origin.prefix, &it))
        return NULL;
    while (!found && bgp_rib_next_path(n->w.nodes[node].speaker, &it, &path))
        found = path.best ? &path.attrs->v : NULL;
    bgp_rib_end(&it);
    return found;
}

static void note_fib(struct pipe_node *n, const struct bgp_event *e, struct nanotime now) {
    (void)now;
    if (e->kind == BGP_EVENT_FIB)
        *(struct bgp_fib_route *)n->context = e->fib;
}

static void test_C169_blackhole(void **state) {
    (void)state;
    for (int option = 0; option < 2; option++) {
        static struct network n;
        prepare(&n, COMMUNITY_BLACKHOLE);
        n.configs[1].blackhole_no_export = option;
        run(&n);
        assert_true(pipe_has_route(&n.w, 1, PREFIX));
        assert_int_equal(pipe_has_route(&n.w, 2, PREFIX), !option);
        n.configs[1].blackhole_no_export = !option; /* while the sessions live */
        assert_int_equal(bgp_configure(n.w.nodes[1].speaker, &n.configs[1], n.w.now), BGP_OK);
        pipe_run(&n.w, 1000);
        assert_int_equal(pipe_has_route(&n.w, 2, PREFIX), option);
        pipe_free(&n.w);
    }
    struct bgp_config c;
    bgp_config_init(&c, BGP_PROFILE_PLAIN);
    assert_true(c.blackhole_no_export && c.graceful_shutdown_receive);
    bgp_config_init(&c, BGP_PROFILE_CALICO);
    assert_false(c.blackhole_no_export || c.graceful_shutdown_receive);
}

/* RFC 7999 3.3: discarded only where the operator agreed with this peer. */
static void test_C169_blackhole_accept(void **state) {
    (void)state;
    for (int agreed = 0; agreed < 2; agreed++) {
        static struct network n;
        struct bgp_fib_route fib = {0};
        prepare(&n, COMMUNITY_BLACKHOLE);
        n.peers[1][0].blackhole_accept = agreed;
        for (uint32_t i = 0; i < NODES; i++)
            pipe_add(&n.w, &n.configs[i], NULL);
        n.w.nodes[1].on_event = note_fib;
        n.w.nodes[1].context = &fib;
        pipe_run(&n.w, 20000);
        assert_true(ip_is_set(fib.prefix.addr) && !fib.withdrawn);
        assert_int_equal(fib.blackhole, agreed);
        pipe_free(&n.w);
    }
}

static void test_C170_graceful_shutdown_received(void **state) {
    (void)state;
    for (int option = 0; option < 2; option++) {
        static struct network n;
        prepare(&n, COMMUNITY_GRACEFUL_SHUTDOWN);
        n.configs[1].graceful_shutdown_receive = option;
        run(&n);
        assert_non_null(best(&n, 1));
        assert_int_equal(best(&n, 1)->local_pref, option ? 0 : 100);
        pipe_free(&n.w);
    }
}

/* Before maintenance: one peer is told, without a reset, and the community goes with the option. */
static void test_C170_graceful_shutdown_sent(void **state) {
    (void)state;
    static struct network n;
    prepare(&n, 0);
    n.configs[1].graceful_shutdown_receive = true;
    run(&n);
    assert_int_equal(best(&n, 1)->community_count, 0);
    for (int on = 1; on >= 0; on--) {
        n.peers[0][0].graceful_shutdown = on;
        assert_int_equal(bgp_configure(n.w.nodes[0].speaker, &n.configs[0], n.w.now), BGP_OK);
        pipe_run(&n.w, 1000);
        assert_int_equal(attr_has_community(best(&n, 1), COMMUNITY_GRACEFUL_SHUTDOWN), on);
        assert_int_equal(best(&n, 1)->local_pref, on ? 0 : 100);
    }
    struct bgp_counters counters;
    bgp_counters_get(n.w.nodes[0].speaker, &counters);
    assert_int_equal(counters.dropped_count, 0);
    pipe_free(&n.w);
}

/* ---- prefix limits ---- */

static void feed_routes(struct rig *r, struct bgp_conn_id c, uint32_t first, uint32_t count) {
    const struct attr_values v = {.next_hop = ip4(REMOTE)};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    uint8_t message[512];
    size_t size;
    for (uint32_t i = first; i < first + count; i++) {
        const struct ip_prefix p = ip_prefix_make(ip4(0x0B000000u + (i << 8)), 24);
        assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
        bgp_conn_receive(r->s, c, message, size, r->now);
    }
}

static uint32_t count_logs(struct rig *r, enum bgp_log_id id) {
    struct bgp_event e;
    uint32_t count = 0;
    while (bgp_next_event(r->s, &e)) {
        count += e.kind == BGP_EVENT_LOG && e.log.id == id;
        if (e.kind == BGP_EVENT_NOTIFIED)
            r->notified_count++;
    }
    return count;
}

static void start_limited(struct rig *r, bool warning_only, uint16_t restart_min) {
    rig_init(r, BGP_PROFILE_IOS, 64512, 64512);
    r->peer.passive = true;
    r->peer.prefix_max[0] = 10;
    r->peer.prefix_warning_percent = 75;
    r->peer.prefix_warning_only = warning_only;
    r->peer.prefix_restart_min = restart_min;
    rig_start(r);
}

static void test_C211_prefix_warning(void **state) {
    (void)state;
    struct rig r;
    start_limited(&r, true, 0);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    feed_routes(&r, c, 0, 7);
    assert_int_equal(count_logs(&r, BGP_LOG_PREFIX_WARNING), 0);
    feed_routes(&r, c, 7, 1);
    assert_int_equal(count_logs(&r, BGP_LOG_PREFIX_WARNING), 1);
    feed_routes(&r, c, 8, 2);
    assert_int_equal(count_logs(&r, BGP_LOG_PREFIX_EXCEEDED), 0);
    feed_routes(&r, c, 10, 10);
    assert_int_equal(count_logs(&r, BGP_LOG_PREFIX_EXCEEDED), 1);
    assert_int_equal(r.notified_count, 0);
    assert_int_equal(rig_info(&r).prefixes_received[0], 20);
    rig_end(&r);
}

static void configure_peer(struct rig *r) {
    r->config.peers = &r->peer;
    assert_int_equal(bgp_configure(r->s, &r->config, r->now), BGP_OK);
}

/* RFC 4271 6.7, 8.1.2: a limit that is lowered below what is held ends the session at once, as one
 * that warned only and does no longer; the NOTIFICATION names the new one (RFC 4486 4). */
static void test_C211_lowered_prefix_limit(void **state) {
    (void)state;
    for (int lowered = 0; lowered < 2; lowered++) {
        struct rig r;
        start_limited(&r, !lowered, 2);
        struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
        feed_routes(&r, c, 0, lowered ? 8 : 12);
        count_logs(&r, BGP_LOG_PREFIX_EXCEEDED);
        r.peer.prefix_max[0] = lowered ? 4 : 10;
        r.peer.prefix_warning_only = false;
        configure_peer(&r);
        assert_int_equal(count_logs(&r, BGP_LOG_PREFIX_EXCEEDED), 1);
        assert_true(rig_info(&r).prefix_limit_down);
        rig_pull(&r, c);
        const uint8_t bound[] = {BGP_ERR_CEASE,   BGP_CEASE_PREFIX_LIMIT, 0, 1, 1, 0, 0, 0,
                                 lowered ? 4 : 10};
        assert_memory_equal(r.out + r.out_size - sizeof bound, bound, sizeof bound);
        rig_pass(&r, 119000);
        assert_int_equal(rig_try_call(&r, &c), BGP_REFUSED);
        rig_pass(&r, 2000);
        rig_up_to(&r, BGP_ESTABLISHED);
        rig_end(&r);
    }
}

/* What is held is compared with a limit or a threshold that changed, and with that alone: the same
 * configuration once more says nothing. */
static void test_C211_lowered_prefix_warning(void **state) {
    (void)state;
    static const struct {
        uint32_t max;
        uint8_t percent;
        uint32_t warned, exceeded;
    } rows[] = {
        {10, 75, 0, 0}, /* six are held: as before */
        {10, 60, 1, 0}, /* from six on */
        {10, 60, 0, 0}, {8, 75, 1, 0},   {6, 75, 1, 0},
        {5, 75, 1, 1},  {100, 75, 0, 0}, {0, 75, 0, 0}, /* no limit */
        {5, 0, 0, 1},                                   /* no warning */
        {5, 100, 1, 1},
    };
    struct rig r;
    start_limited(&r, true, 0);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    feed_routes(&r, c, 0, 6);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t warned = 0, exceeded = 0;
        struct bgp_event e;
        r.peer.prefix_max[0] = rows[i].max;
        r.peer.prefix_warning_percent = rows[i].percent;
        configure_peer(&r);
        while (bgp_next_event(r.s, &e)) {
            warned += e.kind == BGP_EVENT_LOG && e.log.id == BGP_LOG_PREFIX_WARNING;
            exceeded += e.kind == BGP_EVENT_LOG && e.log.id == BGP_LOG_PREFIX_EXCEEDED;
        }
        assert_int_equal(warned, rows[i].warned);
        assert_int_equal(exceeded, rows[i].exceeded);
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    }
    rig_end(&r);
}

/* IOS: the third value of `timers`. */
static void test_hold_time_min(void **state) {
    (void)state;
    static const struct {
        uint16_t offered_s;
        bool taken;
    } rows[] = {{19, false}, {0, false}, {20, true}, {90, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_IOS, 64512, 64513);
        r.peer.passive = true;
        r.peer.hold_time_min_s = 20;
        rig_start(&r);
        struct bgp_conn_id c = rig_call(&r);
        struct bgp_open open = rig_open(&r);
        open.hold_time_s = rows[i].offered_s;
        feed_open(&r, c, &open);
        assert_int_equal(rig_info(&r).state == BGP_OPEN_CONFIRM, rows[i].taken);
        if (!rows[i].taken)
            expect_notified(&r, BGP_ERR_OPEN, 6);
        rig_end(&r);
    }
}

static void test_C211_prefix_restart(void **state) {
    (void)state;
    struct rig r;
    start_limited(&r, false, 2);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    feed_routes(&r, c, 0, 11);
    assert_int_equal(count_logs(&r, BGP_LOG_PREFIX_EXCEEDED), 1);
    assert_int_equal(r.notified_count, 1);
    assert_true(rig_info(&r).prefix_limit_down);
    rig_pull(&r, c);
    expect_last_message(&r, BGP_ERR_CEASE, BGP_CEASE_PREFIX_LIMIT);
    rig_pass(&r, 119000);
    assert_int_equal(rig_try_call(&r, &c), BGP_REFUSED);
    rig_pass(&r, 2000);
    assert_false(rig_info(&r).prefix_limit_down);
    rig_up_to(&r, BGP_ESTABLISHED);
    rig_end(&r);
}

/* ---- families ---- */

/* C039: one family in common is enough, or all are needed; the answer names what is. */
static void test_C039_strict_families(void **state) {
    (void)state;
    for (int strict = 0; strict < 2; strict++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
        r.peer.passive = true;
        r.peer.families[BGP_IPV6_UNICAST] = true;
        r.peer.strict_families = strict;
        rig_start(&r);
        struct bgp_conn_id c = rig_call(&r);
        struct bgp_open open = rig_open(&r);
        feed_open(&r, c, &open);
        if (strict) {
            static const uint8_t needed[] = {1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1};
            expect_notified(&r, BGP_ERR_OPEN, 7);
            assert_int_equal(r.notified.notified.size, sizeof needed);
            assert_memory_equal(r.notified.notified.data, needed, sizeof needed);
        } else {
            feed_keepalive(&r, c);
            assert_true(rig_info(&r).families[0] && !rig_info(&r).families[1]);
        }
        rig_end(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C169_blackhole),
        cmocka_unit_test(test_C169_blackhole_accept),
        cmocka_unit_test(test_C170_graceful_shutdown_received),
        cmocka_unit_test(test_C170_graceful_shutdown_sent),
        cmocka_unit_test(test_C211_prefix_warning),
        cmocka_unit_test(test_C211_lowered_prefix_limit),
        cmocka_unit_test(test_C211_lowered_prefix_warning),
        cmocka_unit_test(test_hold_time_min),
        cmocka_unit_test(test_C211_prefix_restart),
        cmocka_unit_test(test_C039_strict_families),
    };
    return cmocka_run_group_tests_name("session_option", tests, NULL, NULL);
}
