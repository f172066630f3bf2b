/*
 * What is encoded is held, whole and once; own prefixes do not count; damage is seen.
 */
#include "routes.h"

#include "../base/arena.h"
#include "../core/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct routes_own external = {.as = 64601, .first = 5000, .count = 5000};

static struct routes_own own_of(const struct routes_own *like) {
    struct routes_own own = *like;
    own.next_hop = ip4(0x0A400002);
    return own;
}

/* Everything the encoded messages say; returns their number. */
static uint32_t feed(struct routes_held *h, const uint8_t *data, size_t size) {
    uint32_t messages = 0;
    while (size > 0) {
        size_t length = (size_t)(data[16] << 8 | data[17]);
        assert_in_range(length, BGP_HEADER_SIZE + 4, BGP_MESSAGE_SIZE_MAX);
        assert_true(length <= size);
        assert_true(routes_held_update(h, data + BGP_HEADER_SIZE, length - BGP_HEADER_SIZE));
        data += length;
        size -= length;
        messages++;
    }
    return messages;
}

static void all_announced_are_held_once(void **state) {
    struct routes_own own = own_of(&external);
    struct routes_held held;
    uint32_t messages;
    size_t size;
    (void)state;
    uint8_t *data = routes_encode(&own, &size, &messages);
    assert_non_null(data);
    assert_true(routes_held_init(&held, 10000, 0, 0));
    assert_int_equal(feed(&held, data, size), messages);
    assert_int_equal(held.count, own.count);
    feed(&held, data, size);
    assert_int_equal(held.count, own.count);
    assert_in_range(messages, 5, 6); /* about a thousand prefixes each */
    routes_held_deinit(&held);
    alloc_free(data);
}

static void own_prefixes_do_not_count(void **state) {
    struct routes_own own = own_of(&external);
    struct routes_held held;
    uint32_t messages;
    size_t size;
    (void)state;
    own.as = 0;
    uint8_t *data = routes_encode(&own, &size, &messages);
    assert_non_null(data);
    assert_true(routes_held_init(&held, 10000, 6000, 1000));
    feed(&held, data, size);
    assert_int_equal(held.count, own.count - 1000);
    routes_held_deinit(&held);
    alloc_free(data);
}

static void withdrawals_are_taken_back(void **state) {
    static const uint8_t announce[] = {0, 0, 0, 0, 24, 0x20, 0, 1, 24, 0x20, 0, 2};
    static const uint8_t withdraw[] = {0, 4, 24, 0x20, 0, 1, 0, 0};
    struct routes_held held;
    (void)state;
    assert_true(routes_held_init(&held, 8, 0, 0));
    assert_true(routes_held_update(&held, announce, sizeof announce));
    assert_int_equal(held.count, 2);
    assert_true(routes_held_update(&held, withdraw, sizeof withdraw));
    assert_true(routes_held_update(&held, withdraw, sizeof withdraw));
    assert_int_equal(held.count, 1);
    routes_held_deinit(&held);
}

static void damage_is_seen(void **state) {
    static const struct {
        uint8_t size, data[12];
    } bad[] = {
        {3, {0, 0, 0}},
        {4, {0, 1, 0, 0}},
        {4, {0, 0, 0, 1}},
        {8, {0, 0, 0, 0, 25, 0x20, 0, 1}},
        {7, {0, 0, 0, 0, 24, 0x20, 0}},
        {8, {0, 0, 0, 0, 24, 0x20, 0, 8}}, /* nobody announced it */
        {8, {0, 0, 0, 0, 24, 0x1F, 0, 0}},
    };
    struct routes_held held;
    (void)state;
    assert_true(routes_held_init(&held, 8, 0, 0));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(routes_held_update(&held, bad[i].data, bad[i].size));
    assert_int_equal(held.count, 0);
    routes_held_deinit(&held);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_announced_are_held_once),
        cmocka_unit_test(own_prefixes_do_not_count),
        cmocka_unit_test(withdrawals_are_taken_back),
        cmocka_unit_test(damage_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
