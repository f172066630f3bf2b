/*
 * The OPENs of open_cases_test.h sent to a speaker that waits for one: the NOTIFICATION that
 * refuses them, or the session they lead to and what was agreed for it. Each in one piece, and
 * octet by octet.
 */
#include "cases_test.h"
#include "codec_test.h"
#include "open_cases_test.h"
#include "rig_test.h"

#include <stdlib.h>

#define OPEN_SIZE_MIN 29 /* RFC 4271 6.1 */

/* An external peer with the AS that the row tells, and every family we have. */
static void open_live_start(struct rig *r, const struct open_case *c) {
    rig_init(r, BGP_PROFILE_PLAIN, 64900, c->want.asn ? c->want.asn : 65001);
    for (int f = 0; f < BGP_FAMILIES; f++) {
        r->peer.families[f] = true;
        r->peer.import[f].accept_by_default = true;
    }
    rig_start(r);
}

static size_t message_of(const struct open_case *c, uint8_t *out, size_t out_size) {
    memset(out, 0xFF, 16);
    size_t size = codec_hex(c->body, out, BGP_HEADER_SIZE, out_size);
    out[16] = (uint8_t)(size >> 8);
    out[17] = (uint8_t)size;
    out[18] = BGP_MSG_OPEN;
    return size;
}

static bool family_in_common(const struct bgp_open *open) {
    return open->families[BGP_IPV4_UNICAST] || open->families[BGP_IPV6_UNICAST];
}

static void expect_refused(struct rig *r, struct bgp_conn_id conn, uint8_t code, uint8_t subcode) {
    expect_notified(r, code, subcode);
    rig_pull(r, conn);
    expect_last_message(r, code, subcode);
    assert_int_equal(r->established, 0);
    assert_int_not_equal(rig_info(r).state, BGP_OPEN_CONFIRM);
}

static void expect_session(struct rig *r, struct bgp_conn_id conn, const struct bgp_open *open) {
    assert_int_equal(r->notified_count, 0);
    assert_int_equal(rig_info(r).state, BGP_OPEN_CONFIRM);
    feed_keepalive(r, conn);
    struct bgp_peer_info info = rig_info(r);
    assert_int_equal(info.state, BGP_ESTABLISHED);
    assert_int_equal(info.remote_id, open->router_id);
    assert_int_equal(info.as4, open->as4);
    assert_int_equal(info.enhanced_refresh, open->enhanced_refresh);
    uint16_t ours = 90; /* the profile's */
    assert_int_equal(info.hold_time_s, open->hold_time_s < ours ? open->hold_time_s : ours);
    for (int f = 0; f < BGP_FAMILIES; f++)
        assert_int_equal(info.families[f], open->families[f]);
    rig_pass(r, 2000); /* less than any hold time */
    assert_int_equal(rig_info(r).state, BGP_ESTABLISHED);
}

static void answer(const struct open_case *c, size_t step) {
    uint8_t message[600];
    size_t size = message_of(c, message, sizeof message);
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    open_live_start(r, c);
    struct bgp_conn_id conn = rig_up_to(r, BGP_OPEN_SENT);
    for (size_t at = 0; at < size; at += size - at < step ? size - at : step)
        rig_feed(r, conn, message + at, size - at < step ? size - at : step);
    if (size < OPEN_SIZE_MIN)
        expect_refused(r, conn, BGP_ERR_HEADER, 2);
    else if (c->subcode >= 0)
        expect_refused(r, conn, BGP_ERR_OPEN, (uint8_t)c->subcode);
    else if (c->want.role_conflict)
        expect_refused(r, conn, BGP_ERR_OPEN, BGP_OPEN_ERR_ROLE);
    else if (!family_in_common(&c->want))
        expect_refused(r, conn, BGP_ERR_OPEN, 7);
    else
        expect_session(r, conn, &c->want);
    rig_end(r);
    free(r);
}

static void test_row(void **state) {
    answer(*state, SIZE_MAX);
    answer(*state, 1);
}

int main(void) {
    static struct cases all;
    CASES_ADD_TABLE(&all, open_cases, test_row);
    return cases_run(&all, "open_live");
}
