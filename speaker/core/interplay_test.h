#ifndef RIBCAGE_CORE_INTERPLAY_TEST_H
#define RIBCAGE_CORE_INTERPLAY_TEST_H

#include "rig_test.h"

/*
 * What tests of several mechanisms at once share: one neighbour that keeps routes of ours and has
 * its own kept, routes it says one by one, and what is held of them.
 */

#define IDS_NONE 0u

RIG_UNUSED static struct ip_prefix prefix(uint32_t n) {
    return ip_prefix_make(ip4(0x0B000000u + (n << 8)), 24);
}

/* `path_id` IDS_NONE: without identifiers. */
RIG_UNUSED static void feed_path(struct rig *r, struct bgp_conn_id c, uint32_t n,
                                 uint32_t path_id) {
    uint8_t message[512];
    size_t size;
    const struct attr_values v = {
        .next_hop = ip4(REMOTE), .has_local_pref = true, .local_pref = 100 + path_id};
    const struct attr_encoding how = {
        .as4 = true, .family = BGP_IPV4_UNICAST, .path_ids = path_id == IDS_NONE ? NULL : &path_id};
    const struct ip_prefix p = prefix(n);
    assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
    rig_feed(r, c, message, size);
}

/* Paths of a prefix that are there, or (usable) that policy let through. */
RIG_UNUSED static uint32_t paths_of(const struct rig *r, uint32_t n, bool usable) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    uint32_t count = 0;
    if (!bgp_rib_find(r->s, prefix(n), &it))
        return 0;
    while (bgp_rib_next_path(r->s, &it, &path))
        count += !usable || !path.rejected;
    bgp_rib_end(&it);
    return count;
}

RIG_UNUSED static bool held(const struct rig *r, uint32_t n) {
    return paths_of(r, n, false) > 0;
}

/* What a neighbour says that keeps routes of ours and has its own kept. */
RIG_UNUSED static struct bgp_open graceful(const struct rig *r, bool back) {
    struct bgp_open open = rig_open(r);
    open.gr = open.gr_notification = open.enhanced_refresh = true;
    open.gr_restarting = back;
    open.gr_time_s = 60;
    open.gr_families[0] = (struct bgp_gr_family){.present = true, .forwarding = true};
    return open;
}

RIG_UNUSED static struct bgp_conn_id session(struct rig *r, bool back) {
    struct bgp_open open = graceful(r, back);
    open.add_path[0] = r->peer.add_path_receive[0] ? BGP_ADD_PATH_SEND : BGP_ADD_PATH_NONE;
    struct bgp_conn_id c = rig_establish_from(r, REMOTE, &open);
    assert_int_equal(rig_info(r).state, BGP_ESTABLISHED);
    return c;
}

RIG_UNUSED static void lose(struct rig *r, struct bgp_conn_id c) {
    bgp_conn_down(r->s, c, BGP_CONN_RESET, r->now);
    rig_events(r);
    rig_pass(r, 100);
}

RIG_UNUSED static void start(struct rig *r) {
    r->peer.passive = true;
    rig_start(r);
}

#endif
