/*
 * Fuzzes a whole stream: headers cut by message_peek, each body through the decoder of its type,
 * UPDATEs with both AS sizes.
 *
 * Holds message_peek to its word: the same verdict for any prefix of the stream long enough to have
 * one, sizes between header and maximum. Broken promises abort.
 */
#include "message.h"

#include "../base/arena.h"
#include "../base/fuzz.h"
#include "../base/text.h"
#include "limits.h"

static void message_fuzz_require(bool holds) {
    if (!holds) {
        abort();
    }
}

static void message_fuzz_update(const uint8_t *body, size_t size) {
    for (int as4 = 0; as4 < 2; as4++) {
        struct bgp_codec codec = {.as4 = as4, .external = as4, .families = {true, true}};
        struct arena *scratch = arena_new();
        struct bgp_update u;
        struct ip_prefix p;
        update_decode(&codec, body, size, scratch, &u);
        for (uint8_t i = 0; i < u.announced_count; i++) {
            for (uint32_t at = 0; nlri_next(&u.announced[i], &at, &p);) {
                message_fuzz_require(p.length <= ip_bits((enum ip_family)p.addr.family));
            }
        }
        arena_free(scratch);
    }
}

static void message_fuzz_notification(const uint8_t *body, size_t size) {
    struct bgp_notification n;
    struct text text;
    text_init(&text);
    message_fuzz_require(notification_decode(body, size, &n) && n.size == size - 2);
    if (notification_shutdown_text(&n, &text)) {
        for (size_t i = 0; i < text.size; i++) {
            message_fuzz_require((unsigned char)text.data[i] >= 0x20 && text.data[i] != 0x7F);
        }
    }
    (void)bgp_suberror_name(n.code, n.subcode);
    text_deinit(&text);
}

static void message_fuzz_body(enum bgp_message_type type, const uint8_t *body, size_t size) {
    struct bgp_open open;
    struct bgp_refresh refresh;
    struct bgp_error error;
    switch (type) {
    case BGP_MSG_OPEN:
        (void)open_decode(body, size, &open, &error);
        break;
    case BGP_MSG_UPDATE:
        message_fuzz_update(body, size);
        break;
    case BGP_MSG_NOTIFICATION:
        message_fuzz_notification(body, size);
        break;
    case BGP_MSG_KEEPALIVE:
        message_fuzz_require(size == 0);
        break;
    case BGP_MSG_ROUTE_REFRESH:
        message_fuzz_require(refresh_decode(body, size, &refresh, &error) ==
                             (size == 4 || (size > 4 && body[2] > 2)));
        break;
    }
}

/* One message off the front of the stream; 0: none whole, or damage. */
static size_t message_fuzz_one(const uint8_t *data, size_t size) {
    enum bgp_message_type type, early_type;
    struct bgp_error error, early;
    size_t whole = message_peek(data, size, &type, &error);
    size_t head = size < BGP_HEADER_SIZE ? size : BGP_HEADER_SIZE;
    message_fuzz_require(message_peek(data, head, &early_type, &early) == whole);
    message_fuzz_require(early.code == error.code && early.subcode == error.subcode);
    if (whole == 0) {
        whole = message_peek_extended(data, size, &type, &error);
        message_fuzz_require(whole == 0 || whole > BGP_MESSAGE_SIZE_MAX);
        return 0;
    }
    message_fuzz_require(message_peek_extended(data, size, &early_type, &early) == whole);
    message_fuzz_require(error.code == 0 && whole >= BGP_HEADER_SIZE &&
                         whole <= BGP_MESSAGE_SIZE_MAX);
    if (whole > size) {
        return 0;
    }
    message_fuzz_body(type, data + BGP_HEADER_SIZE, whole - BGP_HEADER_SIZE);
    return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (size_t whole; size > 0 && (whole = message_fuzz_one(data, size)) > 0;) {
        data += whole;
        size -= whole;
    }
    return 0;
}

#define MARK "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"

static const struct fuzz_seed message_fuzz_seeds[] = {
    FUZZ_SEED(MARK "\0\x13\x04" MARK "\0\x13\x04"),
    FUZZ_SEED(MARK "\0\x1d\x01\x04\xfd\xe9\0\xb4\x01\x02\x03\x04\0" MARK "\0\x13\x04"),
    FUZZ_SEED(MARK "\0\x39\x01\x04\xff\xff\0\xb4\xd1\xa5\xc9\xe1\x1c\x02\x06\x01\x04\0\x01\0\x01"
                   "\x02\x02\x80\0\x02\x02\x02\0\x02\x02\x46\0\x02\x06\x41\x04\0\0\xff\xff"),
    FUZZ_SEED(MARK "\0\x2d\x02\0\0\0\x14\x40\x01\x01\0\x40\x02\x06\x02\x01\0\0\xfd\xe9\x40\x03"
                   "\x04\x0a\0\0\x02\x08\x0a"),
    FUZZ_SEED(MARK "\0\x17\x02\0\0\0\0"),
    FUZZ_SEED(MARK "\0\x1d\x02\0\0\0\x06\x80\x0f\x03\0\x02\x01"),
    FUZZ_SEED(MARK "\0\x1b\x03\x06\x02\x05"
                   "maint"),
    FUZZ_SEED(MARK "\0\x17\x05\0\x01\0\x01"),
};

FUZZ_MAIN(message_fuzz_seeds)
