/*
 * What the loss of a connected subnet does to sessions: bgp fast-external-fallover of IOS.
 */
#include "message.h"
#include "rig_test.h"

static void set_subnets(struct rig *r, const struct ip_prefix *subnets, size_t count) {
    assert_int_equal(bgp_connected_set(r->s, subnets, count, r->now), BGP_OK);
    rig_events(r);
}

static const struct {
    const char *name;
    bool fallover;
    uint32_t remote_as;
    uint8_t multihop;
    bool falls;
} rows[] = {
    {"direct and external", true, 65001, 0, true},
    {"switched off", false, 65001, 0, false},
    {"over several hops", true, 65001, 2, false},
    {"internal", true, 64512, 0, false},
};

static void test_subnet_lost(void **state) {
    const struct ip_prefix subnets[] = {ip_prefix_make(ip4(0x0A000000u), 24),
                                        ip_prefix_make(ip4(0x0B000000u), 24)};
    struct rig r;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_init(&r, BGP_PROFILE_IOS, 64512, rows[i].remote_as);
        r.config.fast_external_fallover = rows[i].fallover;
        r.peer.multihop = rows[i].multihop;
        rig_start(&r);
        set_subnets(&r, subnets, 2);
        struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
        set_subnets(&r, subnets, 1); /* another one */
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        set_subnets(&r, NULL, 0);
        if ((rig_info(&r).state != BGP_ESTABLISHED) != rows[i].falls)
            fail_msg("%s: %s", rows[i].name, bgp_state_name(rig_info(&r).state));
        if (rows[i].falls) {
            rig_pull(&r, c);
            expect_notified(&r, BGP_ERR_CEASE, BGP_CEASE_CONFIG_CHANGE);
            assert_int_equal(rig_info(&r).last_reason, BGP_DOWN_INTERFACE);
            set_subnets(&r, subnets, 2); /* and it comes back */
            (void)rig_up_to(&r, BGP_ESTABLISHED);
        }
        rig_end(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subnet_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
