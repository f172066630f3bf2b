/*
 * Owns the comparison of an oracle with the speakers it judges: session by session, route by route,
 * and what neighbours are told.
 */
#include "oracle_compare_fixture.h"

#include "../../speaker/base/text.h"
#include "../../speaker/core/as_path.h"
#include "../../speaker/core/pipe_test.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- sessions ---- */

bool compare_expects_session(const struct oracle *o, uint32_t node, uint32_t peer) {
    const struct oracle_session *s = NULL;
    size_t n = oracle_sessions(o, &s);
    for (size_t i = 0; i < n; i++)
        if ((s[i].a == node && s[i].peer_a == peer) || (s[i].b == node && s[i].peer_b == peer))
            return true;
    return false;
}

size_t compare_sessions(const struct oracle *o, const struct oracle_input *in,
                        const struct pipe_world *w, const char *what) {
    size_t up = 0;
    for (uint32_t i = 0; i < w->node_count; i++) {
        for (uint32_t k = 0; k < in->nodes[i].config->peer_count; k++) {
            const char *name = in->nodes[i].config->peers[k].name;
            bool seen = pipe_state(w, i, name) == BGP_ESTABLISHED;
            if (seen != compare_expects_session(o, i, k))
                fail_msg("%s: %s %s: %s", what, in->nodes[i].name, name,
                         seen ? "up, though it must not be" : "not up");
            up += seen;
        }
    }
    return up;
}

/* ---- routes ---- */

static void describe(const struct attr_values *v, struct text *out) {
    char next_hop[IP_ADDR_TEXT_MAX];
    text_printf(out, "via %s path ", ip_format(v->next_hop, next_hop));
    as_path_format(v->as_path, false, out);
    text_printf(out, " origin %u", v->origin);
    if (v->has_local_pref)
        text_printf(out, " local-pref %u", v->local_pref);
    if (v->has_med)
        text_printf(out, " med %u", v->med);
    if (v->has_originator_id)
        text_printf(out, " originator %08x", v->originator_id);
    text_puts(out, v->atomic_aggregate ? " atomic" : "");
    for (uint32_t i = 0; i < v->cluster_count; i++)
        text_printf(out, " cluster %08x", v->cluster_list[i]);
    for (uint32_t i = 0; i < v->community_count; i++)
        text_printf(out, " community %08x", v->communities[i]);
    for (uint32_t i = 0; i < v->large_community_count; i++)
        text_printf(out, " large %u:%u:%u", v->large_communities[i].global,
                    v->large_communities[i].local1, v->large_communities[i].local2);
}

static bool best_of(const struct pipe_world *w, uint32_t node, struct bgp_rib_iterator *it,
                    struct bgp_path_info *ret_best) {
    struct bgp_path_info path;
    bool found = false;
    while (bgp_rib_next_path(w->nodes[node].speaker, it, &path)) {
        if (path.best) {
            *ret_best = path;
            found = true;
        }
    }
    return found;
}

static uint32_t owner_of(const struct oracle_input *in, struct ip_addr a) {
    for (uint32_t i = 0; i < in->node_count; i++)
        for (size_t k = 0; k < in->nodes[i].addr_count; k++)
            if (ip_equal(in->nodes[i].addrs[k], a))
                return i;
    return UINT32_MAX;
}

static uint32_t learned_from(const struct oracle_input *in, const struct pipe_world *w,
                             uint32_t node, const struct bgp_path_info *p) {
    const struct bgp_neighbor *n = bgp_peer_config(w->nodes[node].speaker, p->peer);
    uint32_t owner = n ? owner_of(in, n->remote_addr) : UINT32_MAX;
    return owner == UINT32_MAX ? node : owner;
}

static void compare_route(const struct oracle_input *in, const struct pipe_world *w, uint32_t node,
                          const struct oracle_route *r, const struct bgp_path_info *p,
                          const char *what) {
    struct text expected, seen;
    char prefix[IP_PREFIX_TEXT_MAX];
    assert_false(r->by_age);
    text_init(&expected);
    text_init(&seen);
    text_printf(&expected, "%s ", in->nodes[r->from_node].name);
    text_printf(&seen, "%s ", in->nodes[learned_from(in, w, node, p)].name);
    describe(r->attrs, &expected);
    describe(&p->attrs->v, &seen);
    if (strcmp(text_str(&expected), text_str(&seen)) != 0)
        fail_msg("%s: %s %s: expected %s, seen %s", what, in->nodes[node].name,
                 ip_prefix_format(r->prefix, prefix), text_str(&expected), text_str(&seen));
    text_deinit(&expected);
    text_deinit(&seen);
}

/* The oracle's table holds both families, each in order. */
static size_t of_family(const struct oracle_route **list, size_t count, enum bgp_family family) {
    uint8_t wanted = family == BGP_IPV6_UNICAST ? IP_V6 : IP_V4;
    size_t first = 0, last = count;
    while (first < count && (*list)[first].prefix.addr.family != wanted)
        first++;
    while (last > first && (*list)[last - 1].prefix.addr.family != wanted)
        last--;
    *list += first;
    return last - first;
}

size_t compare_routes(const struct oracle *o, const struct oracle_input *in,
                      const struct pipe_world *w, uint32_t node, enum bgp_family family,
                      const char *what) {
    const struct oracle_route *want = NULL;
    const char *name = in->nodes[node].name;
    size_t count = oracle_loc_rib(o, node, &want), at = 0;
    struct bgp_rib_iterator it;
    struct bgp_path_info best;
    char prefix[IP_PREFIX_TEXT_MAX];
    count = of_family(&want, count, family);
    assert_int_equal(bgp_rib_begin(w->nodes[node].speaker, family, &it), BGP_OK);
    while (bgp_rib_next_prefix(w->nodes[node].speaker, &it)) {
        if (!best_of(w, node, &it, &best))
            continue;
        if (at < count && ip_prefix_equal(want[at].prefix, it.prefix))
            compare_route(in, w, node, &want[at++], &best, what);
        else if (at == count || ip_prefix_compare(want[at].prefix, it.prefix) > 0)
            fail_msg("%s: %s has %s", what, name, ip_prefix_format(it.prefix, prefix));
        else
            break;
    }
    bgp_rib_end(&it);
    if (at < count)
        fail_msg("%s: %s lacks %s", what, name, ip_prefix_format(want[at].prefix, prefix));
    return count;
}

/* ---- what neighbours are told ---- */

static struct bgp_peer_id peer_named(const struct pipe_world *w, uint32_t node, const char *name) {
    struct bgp_peer_info info = {.state = BGP_IDLE};
    for (uint32_t i = 0; bgp_peer_at(w->nodes[node].speaker, i, &info); i++)
        if (strcmp(info.config->name, name) == 0)
            break;
    return info.id;
}

size_t compare_sent(struct oracle *o, const struct oracle_input *in, const struct pipe_world *w,
                    uint32_t node, const char *what) {
    const struct bgp_config *c = in->nodes[node].config;
    const struct oracle_route *routes = NULL;
    size_t total = oracle_loc_rib(o, node, &routes), count = 0;
    char text[IP_PREFIX_TEXT_MAX];
    for (uint32_t k = 0; k < c->peer_count; k++) {
        struct bgp_peer_id peer = peer_named(w, node, c->peers[k].name);
        for (size_t i = 0; i < total; i++) {
            struct oracle_passage p;
            oracle_follow(o, node, k, routes[i].prefix, NULL, NULL, &p);
            if (!p.session || routes[i].prefix.length == 0)
                continue;
            bool sent = bgp_adj_out_find(w->nodes[node].speaker, peer, routes[i].prefix);
            if (sent != p.sent)
                fail_msg("%s: %s to %s, %s: %s", what, in->nodes[node].name, c->peers[k].name,
                         ip_prefix_format(routes[i].prefix, text), sent ? "sent" : "not sent");
            count += sent;
        }
    }
    return count;
}
