/*
 * show ip bgp PREFIX: the paths of one prefix, at length.
 *
 * Owns: the layout of 15.7. Leaves: the table to ios_show_bgp.c, policy to the core.
 */
#include "ios_show.h"

#include "../core/attr.h"

#include <stdio.h>
#include <string.h>

/* What the lines above the paths say of them. */
struct count {
    uint32_t available, total;
    uint32_t best; /* number of the best path, 0: none */
    bool shares;   /* multipath: others share the load with it */
    bool suppressed;
    const struct attr_values *best_attrs; /* as long as the table is not changed */
    struct nanotime oldest;               /* of the external paths that share the load */
};

static struct count paths_count(const struct bgp_speaker *s, struct ip_prefix p) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    struct count c = {.total = 0};
    if (!bgp_rib_find(s, p, &it))
        return c;
    while (bgp_rib_next_path(s, &it, &path)) {
        c.total++;
        c.available += !path.rejected;
        c.shares |= path.multipath;
        if (path.best) {
            c.best = c.total;
            c.suppressed = path.suppressed;
            c.best_attrs = &path.attrs->v;
        }
        bool shares = path.external && (path.best || path.multipath);
        if (shares && (c.oldest.ns == 0 || nanotime_before(path.received, c.oldest)))
            c.oldest = path.received;
    }
    bgp_rib_end(&it);
    return c;
}

/* Update groups that were told of the prefix, each once, in order. */
static void put_advertised(const struct bgp_speaker *s, struct ip_prefix p, struct text *out) {
    uint32_t last = 0;
    for (bool found = true; found;) {
        uint32_t next = UINT32_MAX;
        struct bgp_peer_info info;
        for (uint32_t n = 0; bgp_peer_at(s, n, &info); n++)
            if (info.update_group > last && info.update_group < next &&
                bgp_adj_out_find(s, info.id, p))
                next = info.update_group;
        found = next != UINT32_MAX;
        if (found && last == 0)
            text_puts(out, "  Advertised to update-groups:\n     ");
        if (found)
            text_printf(out, "%-10u", next);
        last = found ? next : last;
    }
    text_puts(out, last ? "\n" : "  Not advertised to any peer\n");
}

static void put_origin_line(const struct bgp_path_info *path, const struct count *c,
                            uint32_t default_local_pref, struct text *out) {
    static const char *const ORIGINS[] = {"IGP", "EGP", "incomplete"};
    const struct attr_values *v = &path->attrs->v;
    text_printf(out, "      Origin %s", ORIGINS[v->origin < 3 ? v->origin : 2]);
    if (v->has_med)
        text_printf(out, ", metric %u", v->med);
    text_printf(out, ", localpref %u", v->has_local_pref ? v->local_pref : default_local_pref);
    if (path->weight)
        text_printf(out, ", weight %u", path->weight);
    if (path->valid)
        text_puts(out, ", valid");
    if (path->source == ROUTE_SOURCE_AGGREGATE)
        text_puts(out, ", aggregated, local");
    else if (path->peer.index)
        text_puts(out, path->external ? ", external" : ", internal");
    else
        text_puts(out, v->origin == 0 ? ", sourced, local" : ", sourced");
    if (v->atomic_aggregate)
        text_puts(out, ", atomic-aggregate");
    if (path->multipath && path->external && path->received.ns == c->oldest.ns)
        text_puts(out, ", multipath(oldest)");
    else if (path->multipath || (path->best && c->shares))
        text_puts(out, ", multipath");
    text_puts(out, path->best ? ", best\n" : "\n");
}

/* IOS names the targets and origins it knows, others by type and value. */
static void put_extended(const struct attr_values *v, struct text *out) {
    if (v->ext_community_count == 0)
        return;
    text_puts(out, "      Extended Community:");
    for (uint32_t i = 0; i < v->ext_community_count; i++) {
        uint64_t x = v->ext_communities[i];
        unsigned type = (unsigned)(x >> 56) & 0xbf, sub = (unsigned)(x >> 48) & 0xff;
        const char *name = sub == 2 ? "RT" : sub == 3 ? "SoO" : NULL;
        if (name && type == 0)
            text_printf(out, " %s:%u:%u", name, (unsigned)(x >> 32) & 0xffff, (unsigned)x);
        else if (name && type == 1) {
            text_printf(out, " %s:", name);
            ios_put_addr(ip4((uint32_t)(x >> 16)), out);
            text_printf(out, ":%u", (unsigned)x & 0xffff);
        } else if (name && type == 2)
            text_printf(out, " %s:%u:%u", name, (unsigned)(x >> 16), (unsigned)x & 0xffff);
        else
            text_printf(out, " 0x%X:0x%llX", (unsigned)(x >> 48),
                        (unsigned long long)(x & UINT64_C(0xffffffffffff)));
    }
    text_putc(out, '\n');
}

static void put_reflection(const struct attr_values *v, struct text *out) {
    if (!v->has_originator_id && v->cluster_count == 0)
        return;
    text_puts(out, "      Originator: ");
    ios_put_addr(ip4(v->originator_id), out);
    text_puts(out, ", Cluster list: ");
    for (uint32_t i = 0; i < v->cluster_count; i++) {
        text_puts(out, i ? ", " : "");
        ios_put_addr(ip4(v->cluster_list[i]), out);
    }
    text_putc(out, '\n');
}

static void put_source_line(const struct bgp_path_info *path, const struct bgp_peer_info *peer,
                            struct ip_prefix p, struct text *out) {
    bool own = path->peer.index == 0;
    struct ip_addr none = {.family = p.addr.family};
    text_puts(out, "    ");
    ios_put_addr(ios_path_next_hop(path, (enum ip_family)p.addr.family), out);
    if (!own && !path->valid && !path->rejected)
        text_puts(out, " (inaccessible)");
    else if (!own && path->igp_metric)
        text_printf(out, " (metric %u)", path->igp_metric);
    text_puts(out, " from ");
    ios_put_addr(own || !peer ? none : peer->remote.addr, out);
    text_puts(out, " (");
    ios_put_addr(ip4(path->peer_router_id), out);
    text_puts(out, ")\n");
}

/* "65001, (aggregated by 65001 10.0.0.1), (received & used)". */
static void put_path_head(const struct bgp_path_info *path, const struct bgp_peer_info *peer,
                          bool asdot, struct text *out) {
    const struct attr_values *v = &path->attrs->v;
    text_puts(out, "  ");
    if (v->as_path.word_count)
        as_path_format(v->as_path, asdot, out);
    else
        text_puts(out, "Local");
    if (v->has_aggregator) {
        text_puts(out, ", (aggregated by ");
        text_put_asn(out, v->aggregator_as, asdot);
        text_putc(out, ' ');
        ios_put_addr(ip4(v->aggregator_id), out);
        text_putc(out, ')');
    }
    if (peer && peer->config->options->rr_client)
        text_puts(out, ", (Received from a RR-client)");
    if (peer && path->rejected)
        text_puts(out, ", (received-only)");
    else if (peer && peer->config->options->soft_reconfiguration)
        text_puts(out, ", (received & used)");
    if (path->damped)
        text_puts(out, ", (suppressed due to dampening)");
    text_puts(out, path->stale ? ", (stale)\n" : "\n");
}

static void put_path_detail(struct ios_edit *e, const struct bgp_path_info *path,
                            struct ip_prefix p, const struct count *c) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct text *out = e->sink->out;
    const struct attr_values *v = &path->attrs->v;
    struct bgp_peer_info peer;
    bool learned = path->peer.index && bgp_peer_get(s, path->peer, &peer);
    text_puts(out, "  Refresh Epoch 1\n");
    put_path_head(path, learned ? &peer : NULL, ios_asdot(e->r), out);
    if (learned)
        peer.remote.addr = peer.config->remote_addr;
    put_source_line(path, learned ? &peer : NULL, p, out);
    put_origin_line(path, c, bgp_config_of(s)->default_local_pref, out);
    if (v->community_count) {
        text_puts(out, "      Community: ");
        ios_put_communities(e->r, v->communities, v->community_count, out);
        text_putc(out, '\n');
    }
    put_extended(v, out);
    ios_put_dampening(e, p, path, out);
    put_reflection(v, out);
    text_printf(out, path->path_id ? "      rx pathid: 0x%X" : "      rx pathid: %u",
                path->path_id);
    text_printf(out, ", tx pathid: %s\n", path->best ? "0x0" : "0");
}

/* Is the best path one of a peer's, for a prefix the router has a better route to? */
static bool has_rib_failure(struct ios_edit *e, struct ip_prefix p) {
    struct arena *scratch = arena_new();
    struct ios_rib rib = {.count = 0};
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    bool failure = false;
    if (scratch && ios_rib_build(e->r, scratch, &rib) &&
        bgp_rib_find(e->sink->view->speaker, p, &it)) {
        while (bgp_rib_next_path(e->sink->view->speaker, &it, &path))
            failure |= ios_is_rib_failure(e->r, &rib, p, &path);
        bgp_rib_end(&it);
    }
    arena_free(scratch);
    return failure;
}

/* "Paths: (2 available, best #1, table default)", and what keeps the best one from being sent. */
static void put_paths_line(struct ios_edit *e, struct ip_prefix p, const struct count *c) {
    static const struct {
        uint32_t community;
        const char *text;
    } KEPT[] = {{COMMUNITY_NO_ADVERTISE, ", not advertised to any peer"},
                {COMMUNITY_NO_EXPORT_SUBCONFED, ", not advertised outside local AS"},
                {COMMUNITY_NO_EXPORT, ", not advertised to EBGP peer"}};
    struct text *out = e->sink->out;
    text_printf(out, "Paths: (%u available, ", c->available);
    if (!c->best) {
        text_puts(out, "no best path)\n");
        return;
    }
    text_printf(out, "best #%u, table default", c->best);
    if (c->suppressed)
        text_puts(out, ", Advertisements suppressed by an aggregate.");
    for (size_t i = 0; i < sizeof KEPT / sizeof *KEPT; i++)
        if (attr_has_community(c->best_attrs, KEPT[i].community)) {
            text_puts(out, KEPT[i].text);
            break;
        }
    text_puts(out, has_rib_failure(e, p) ? ", RIB-failure(17))\n" : ")\n");
}

static void put_multipath(const struct bgp_config *g, enum bgp_family f, const struct count *c,
                          struct text *out) {
    bool mixed = g->multipath_mixed[f] > 1;
    bool external = mixed || g->multipath_external[f] > 1;
    bool internal = mixed || g->multipath_internal[f] > 1;
    if (c->shares)
        text_printf(out, "Multipath: %s%s%s\n", external ? "eBGP" : "",
                    external && internal ? " " : "", internal ? "iBGP" : "");
}

static void put_prefix(struct ios_edit *e, struct ip_prefix p) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct text *out = e->sink->out;
    const struct count c = paths_count(s, p);
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    if (!bgp_rib_find(s, p, &it))
        return;
    text_puts(out, "BGP routing table entry for ");
    ios_put_addr(p.addr, out);
    text_printf(out, "/%u, version %u\n", p.length, bgp_prefix_version(s, p));
    put_paths_line(e, p, &c);
    put_multipath(bgp_config_of(s), p.addr.family == IP_V6, &c, out);
    put_advertised(s, p, out);
    while (bgp_rib_next_path(s, &it, &path))
        put_path_detail(e, &path, p, &c);
    bgp_rib_end(&it);
}

/* The prefix asked for: A/len, A MASK, or the longest one that contains A. */
static bool find_prefix(const struct bgp_speaker *s, const struct ios_words *w,
                        struct ip_prefix *ret) {
    uint16_t at = ios_show_argument(w);
    uint8_t length;
    struct ip_addr a;
    struct ip_prefix p;
    if (strchr(ios_word(w, at), '/')) {
        if (!ip_prefix_parse(ios_word(w, at), ret))
            return false;
        return paths_count(s, *ret).total > 0;
    }
    if (!ip_parse(ios_word(w, at), &a))
        return false;
    bool exact = ios_mask_length(ios_word(w, (uint16_t)(at + 1)), &length);
    for (unsigned n = ip_bits((enum ip_family)a.family) + 1u; n-- > 0;) {
        p = ip_prefix_make(a, (uint8_t)n);
        if ((!exact || n == length) && paths_count(s, p).total > 0) {
            *ret = p;
            return true;
        }
    }
    return false;
}

bool ios_show_prefix(struct ios_edit *e) {
    struct ip_prefix p;
    if (!ios_show_active(e))
        return false;
    if (find_prefix(e->sink->view->speaker, e->words, &p))
        put_prefix(e, p);
    else
        text_puts(e->sink->out, "% Network not in table\n");
    return false;
}
