/*
 * Our own addresses: the same one has one name while it is held, memory may be missing.
 */
#include "own_addr.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct bgp_speaker *speaker(void) {
    const struct bgp_env env = {.seed = 1};
    struct bgp_config config;
    bgp_config_init(&config, BGP_PROFILE_PLAIN);
    config.local_as = 64512;
    config.router_id = ip4(1);
    struct bgp_speaker *s = bgp_speaker_new(&config, &env, (struct nanotime){NANOS_PER_S});
    assert_non_null(s);
    return s;
}

static void test_shared(void **state) {
    struct bgp_speaker *s = speaker();
    (void)state;
    uint16_t a = own_addr_hold(s, ip4(0x0A000001u), 0), b = own_addr_hold(s, ip4(0x0A000002u), 0);
    assert_true(a && b && a != b);
    assert_int_equal(own_addr_hold(s, ip4(0x0A000001u), 0), a);
    own_addr_release(s, a);
    assert_true(ip_equal(own_addr_get(s, a), ip4(0x0A000001u)));
    assert_int_equal(s->own_addrs.used, 2);
    own_addr_release(s, a);
    assert_int_equal(s->own_addrs.used, 1);
    assert_true(ip_equal(own_addr_get(s, b), ip4(0x0A000002u)));
    uint16_t c = own_addr_hold(s, ip4(0x0A000002u), 5); /* on another link: another one */
    assert_true(c && c != b);
    assert_int_equal(own_addr_link(s, b), 0);
    assert_int_equal(own_addr_link(s, c), 5);
    assert_int_equal(own_addr_link(s, 0), 0);
    own_addr_release(s, c);
    own_addr_release(s, b);
    own_addr_release(s, 0);
    assert_int_equal(s->own_addrs.used, 0);
    assert_int_equal(s->own_addr_index.count, 0);
    assert_false(ip_is_set(own_addr_get(s, 0)));
    bgp_speaker_free(s);
}

static void test_without_memory(void **state) {
    struct bgp_speaker *s = speaker();
    (void)state;
    unsigned long n = 1;
    for (uint16_t held = 0; !held; n++) {
        alloc_fail_after(n, false);
        held = own_addr_hold(s, ip4(0x0A000001u), 0);
        alloc_fail_after(0, false);
        assert_int_equal(s->own_addrs.used, held != 0);
        assert_int_equal(s->own_addr_index.count, held != 0);
    }
    assert_true(n > 3); /* pages, their list, the index */
    bgp_speaker_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
