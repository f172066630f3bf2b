/*
 * NOTIFICATION: RFC 4271 4.5, and the text a Cease may carry (RFC 9003).
 *
 * A NOTIFICATION is never answered with another one (RFC 4271 6.4), so decoding can only fail
 * quietly; unknown codes are passed on as numbers. The text is a remote's octets: it is cut to its
 * own length field, which must fit the data, and leaves here escaped only. A hard reset (RFC 8538)
 * has a whole NOTIFICATION inside; one level of that is looked through.
 */
#include "message.h"

#include "../base/text.h"
#include "framing.h"
#include "limits.h"

#include <string.h>

bool notification_decode(const uint8_t *body, size_t size, struct bgp_notification *ret_n) {
    struct byte_reader r = bytes_reader(body, size);
    struct bgp_notification n = {.code = bytes_u8(&r), .subcode = bytes_u8(&r)};
    if (!bytes_ok(&r) || size > BGP_MESSAGE_EXTENDED_MAX) {
        return false;
    }
    n.size = (uint16_t)bytes_left(&r);
    n.data = bytes_take(&r, n.size);
    *ret_n = n;
    return true;
}

size_t notification_encode(uint8_t code, uint8_t subcode, const uint8_t *data, size_t data_size,
                           uint8_t *out, size_t out_size) {
    struct byte_writer w = framing_begin(BGP_MSG_NOTIFICATION, out, out_size);
    bytes_put_u8(&w, code);
    bytes_put_u8(&w, subcode);
    bytes_put(&w, data, data_size);
    return framing_end(&w);
}

bool notification_hard_reset(const struct bgp_notification *n, struct bgp_notification *ret_inner) {
    return n->code == BGP_ERR_CEASE && n->subcode == BGP_CEASE_HARD_RESET &&
           notification_decode(n->data, n->size, ret_inner);
}

bool notification_shutdown_octets(const struct bgp_notification *n, const uint8_t **ret_text,
                                  uint8_t *ret_size) {
    struct bgp_notification inner;
    if (notification_hard_reset(n, &inner)) {
        n = &inner;
    }
    if (n->code != BGP_ERR_CEASE ||
        (n->subcode != BGP_CEASE_SHUTDOWN && n->subcode != BGP_CEASE_RESET)) {
        return false;
    }
    struct byte_reader r = bytes_reader(n->data, n->size);
    struct byte_reader text = bytes_view(&r, bytes_u8(&r));
    if (!bytes_ok(&text) || text.size == 0) {
        return false;
    }
    *ret_text = text.data;
    *ret_size = (uint8_t)text.size;
    return true;
}

bool notification_shutdown_text(const struct bgp_notification *n, struct text *out) {
    const uint8_t *text;
    uint8_t size;
    if (!notification_shutdown_octets(n, &text, &size)) {
        return false;
    }
    text_put_escaped(out, (const char *)text, size);
    return true;
}

uint16_t notification_shutdown_data(const char *text, uint8_t *out) {
    size_t size = text ? strlen(text) : 0;
    if (size == 0)
        return 0;
    if (size > BGP_SHUTDOWN_TEXT_MAX) {
        size = BGP_SHUTDOWN_TEXT_MAX;
        while (size > 0 && ((uint8_t)text[size] & 0xC0) == 0x80)
            size--;
    }
    out[0] = (uint8_t)size;
    memcpy(out + 1, text, size);
    return (uint16_t)(size + 1);
}
