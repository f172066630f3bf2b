/*
 * The peer of a load as a stream of octets: the opening, what it answers, what ends it.
 */
#include "client.h"

#include "../base/arena.h"
#include "../core/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint8_t reply[BGP_MESSAGE_SIZE_MAX];
static size_t reply_size;

static struct client client_in(enum client_state state) {
    struct client c = {.local = ip4(0x0A400001), .as = 64600, .fd = -1, .state = state};
    assert_true(routes_held_init(&c.held, 100, 0, 0));
    return c;
}

static size_t take(struct client *c, const uint8_t *data, size_t size) {
    return client_take(c, data, size, reply, &reply_size);
}

/* The device's OPEN, KEEPALIVE and one UPDATE, one after the other. */
static size_t device_stream(uint8_t *out, size_t room) {
    const struct bgp_open open = {.asn = 64512, .hold_time_s = 90, .router_id = 1};
    const struct routes_own own = {.next_hop = ip4(0x0A400002), .as = 64601, .count = 7};
    size_t size = open_encode(&open, out, room), update_size;
    uint32_t messages;
    size += keepalive_encode(out + size, room - size);
    uint8_t *updates = routes_encode(&own, &update_size, &messages);
    assert_true(updates && update_size <= room - size);
    memcpy(out + size, updates, update_size);
    alloc_free(updates);
    return size + update_size;
}

static void opens_and_counts_whole(void **state) {
    uint8_t stream[1024];
    struct client c = client_in(CLIENT_OPENING);
    size_t size = device_stream(stream, sizeof stream);
    (void)state;
    assert_int_equal(take(&c, stream, size), size);
    assert_int_equal(reply_size, BGP_HEADER_SIZE); /* the KEEPALIVE that answers the OPEN */
    assert_int_equal(c.state, CLIENT_ESTABLISHED);
    assert_int_equal(c.held.count, 7);
    assert_int_equal(c.messages, 3);
    assert_int_equal(c.updates, 1);
    routes_held_deinit(&c.held);
}

/* However the stream is cut, the same comes of it. */
static void opens_and_counts_in_pieces(void **state) {
    uint8_t stream[1024];
    struct client c = client_in(CLIENT_OPENING);
    size_t size = device_stream(stream, sizeof stream), at = 0;
    (void)state;
    for (size_t end = 1; end <= size; end++) {
        size_t taken = take(&c, stream + at, end - at);
        assert_true(taken <= end - at);
        at += taken;
    }
    assert_int_equal(at, size);
    assert_int_equal(c.state, CLIENT_ESTABLISHED);
    assert_int_equal(c.held.count, 7);
    assert_int_equal(c.messages, 3);
    routes_held_deinit(&c.held);
}

static void says_who_it_is(void **state) {
    struct client c = client_in(CLIENT_OPENING);
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    struct bgp_open open;
    struct bgp_error error;
    (void)state;
    size_t size = client_open(&c, message, sizeof message);
    assert_true(open_decode(message + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, &open, &error));
    assert_int_equal(open.asn, 64600);
    assert_int_equal(open.router_id, 0x0A400001);
    assert_true(open.as4 && open.families[BGP_IPV4_UNICAST]);
    assert_false(open.families[BGP_IPV6_UNICAST] || open.gr || open.extended_message);
    routes_held_deinit(&c.held);
}

static void ends_with_what_it_cannot_count(void **state) {
    uint8_t message[BGP_MESSAGE_SIZE_MAX], stream[1024];
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct client c = client_in(i == 1 ? CLIENT_OPENING : CLIENT_ESTABLISHED);
        size_t size = device_stream(stream, sizeof stream);
        if (i == 0)
            size = notification_encode(6, 2, NULL, 0, message, sizeof message);
        else if (i == 1)
            size = keepalive_encode(message, sizeof message); /* before the OPEN */
        else
            memcpy(message, stream, size); /* a second OPEN */
        if (i == 3)
            message[0] = 0; /* no header */
        assert_true(take(&c, message, size) == SIZE_MAX);
        routes_held_deinit(&c.held);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_and_counts_whole),
        cmocka_unit_test(opens_and_counts_in_pieces),
        cmocka_unit_test(says_who_it_is),
        cmocka_unit_test(ends_with_what_it_cannot_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
