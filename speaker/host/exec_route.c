/*
 * BIRD: `show route [for ADDRESS | PREFIX] [all] [protocol NAME]`.
 *
 * Owns the layout: one line per path, `%-18s via GATEWAY on INTERFACE [PROTOCOL SINCE] * (100/0)
 * [AS65001i]`, the prefix on the first line of it only, and with `all` the attributes below. The
 * gateway is what the kernel's table says of the next hop.
 */
#include "exec.h"

#include "../base/text.h"
#include "../core/attr.h"
#include "host.h"
#include "monitor.h"
#include "resolver.h"

#include <string.h>

#define PREFERENCE_BGP 100
#define PREFERENCE_STATIC 200

struct query {
    struct host *host;
    struct text *out;
    const char *protocol; /* NULL: all */
    bool all;
    uint32_t shown;
};

static const struct {
    const char *protocol, *type;
} sources[] = {
    [ROUTE_SOURCE_BGP] = {"bgp", "BGP"},
    [ROUTE_SOURCE_STATIC] = {"static1", "static"},
    [ROUTE_SOURCE_KERNEL] = {"kernel1", "inherit"},
    [ROUTE_SOURCE_DIRECT] = {"direct1", "device"},
    [ROUTE_SOURCE_AGGREGATE] = {"static1", "static"},
};

static const char *protocol_of(const struct query *q, const struct bgp_path_info *p) {
    const struct bgp_neighbor *peer =
        p->peer.index ? bgp_peer_config(q->host->speaker, p->peer) : NULL;
    return peer ? peer->name : sources[p->source].protocol;
}

static const struct resolver_route *way_of(const struct query *q, const struct bgp_path_info *p) {
    const struct attr_values *v = &p->attrs->v;
    return resolver_find(q->host->resolver, (struct bgp_next_hop){v->next_hop, v->link});
}

static void put_via(const struct query *q, const struct bgp_path_info *p) {
    char gateway[IP_ADDR_TEXT_MAX];
    const struct resolver_route *hop = NULL;
    if (p->peer.index)
        hop = way_of(q, p);
    if (!p->peer.index)
        text_puts(q->out, p->source == ROUTE_SOURCE_STATIC ? "blackhole" : "dev");
    else if (hop && hop->reachable)
        text_printf(q->out, "via %s on %s", ip_format(hop->gateway, gateway),
                    monitor_interface_name(q->host->monitor, hop->interface));
    else
        text_puts(q->out, "unreachable");
}

/* The AS a path began in: its rightmost one, 0 when it ends in a set or is empty. */
static uint32_t origin_as(struct as_path path) {
    uint32_t last = 0;
    for (uint32_t i = 0; i < path.word_count;) {
        uint32_t type = path.words[i] >> 16, count = path.words[i] & 0xffff;
        if (count > path.word_count - i - 1)
            return 0;
        last = type == AS_SEQUENCE && count ? path.words[i + count] : 0;
        i += count + 1;
    }
    return last;
}

static void put_info(const struct query *q, const struct bgp_path_info *p) {
    uint32_t asn = origin_as(p->attrs->v.as_path);
    const struct resolver_route *hop = way_of(q, p);
    if (!p->peer.index) {
        text_printf(q->out, " (%u)", PREFERENCE_STATIC);
        return;
    }
    text_printf(q->out, " (%u%s/", PREFERENCE_BGP, p->stale ? "s" : "");
    if (hop && hop->reachable)
        text_printf(q->out, "%u) [", hop->metric);
    else
        text_puts(q->out, "-) [");
    if (asn)
        text_printf(q->out, "AS%u", asn);
    text_printf(q->out, "%c]", "ie?"[p->attrs->v.origin % 3]);
}

static void put_communities(const struct query *q, const struct attr_values *v) {
    for (uint32_t i = 0; i < v->community_count; i++)
        text_printf(q->out, "%s(%u,%u)", i ? " " : "\tBGP.community: ", v->communities[i] >> 16,
                    v->communities[i] & 0xffff);
    text_puts(q->out, v->community_count ? "\n" : "");
    for (uint32_t i = 0; i < v->large_community_count; i++)
        text_printf(q->out, "%s(%u, %u, %u)",
                    i ? " " : "\tBGP.large_community: ", v->large_communities[i].global,
                    v->large_communities[i].local1, v->large_communities[i].local2);
    text_puts(q->out, v->large_community_count ? "\n" : "");
}

static void put_reflection(const struct query *q, const struct attr_values *v) {
    char id[IP_ADDR_TEXT_MAX];
    if (v->has_originator_id)
        text_printf(q->out, "\tBGP.originator_id: %s\n", ip_format(ip4(v->originator_id), id));
    for (uint32_t i = 0; i < v->cluster_count; i++)
        text_printf(q->out, "%s%s",
                    i ? " " : "\tBGP.cluster_list: ", ip_format(ip4(v->cluster_list[i]), id));
    text_puts(q->out, v->cluster_count ? "\n" : "");
}

static void put_attributes(const struct query *q, const struct bgp_path_info *p) {
    static const char *const origins[] = {"IGP", "EGP", "Incomplete"};
    const struct attr_values *v = &p->attrs->v;
    char next_hop[IP_ADDR_TEXT_MAX];
    text_printf(q->out, "\tType: %s unicast univ\n", sources[p->source].type);
    if (!p->peer.index)
        return;
    text_printf(q->out, "\tBGP.origin: %s\n\tBGP.as_path: ", origins[v->origin % 3]);
    as_path_format(v->as_path, false, q->out);
    text_printf(q->out, "\n\tBGP.next_hop: %s\n", ip_format(v->next_hop, next_hop));
    if (v->has_med)
        text_printf(q->out, "\tBGP.med: %u\n", v->med);
    if (v->has_local_pref)
        text_printf(q->out, "\tBGP.local_pref: %u\n", v->local_pref);
    put_communities(q, v);
    put_reflection(q, v);
}

static void put_prefix(struct query *q, struct bgp_rib_iterator *it) {
    struct bgp_path_info p;
    bool first = true;
    while (bgp_rib_next_path(q->host->speaker, it, &p)) {
        char since[16], prefix[IP_PREFIX_TEXT_MAX];
        if (p.rejected || (q->protocol && strcmp(q->protocol, protocol_of(q, &p)) != 0))
            continue;
        exec_since(q->host, p.received.ns, since);
        text_printf(q->out, "%-18s ", first ? ip_prefix_format(it->prefix, prefix) : "");
        put_via(q, &p);
        text_printf(q->out, " [%s %s]%s", protocol_of(q, &p), since, p.best ? " *" : "");
        put_info(q, &p);
        text_putc(q->out, '\n');
        if (q->all)
            put_attributes(q, &p);
        first = false;
        q->shown++;
    }
}

static void walk_all(struct query *q) {
    for (int f = 0; f < BGP_FAMILIES; f++) {
        struct bgp_rib_iterator it;
        if (bgp_rib_begin(q->host->speaker, (enum bgp_family)f, &it) != BGP_OK)
            continue;
        while (bgp_rib_next_prefix(q->host->speaker, &it))
            put_prefix(q, &it);
        bgp_rib_end(&it);
    }
}

static bool walk_one(struct query *q, struct ip_prefix prefix) {
    struct bgp_rib_iterator it;
    if (!bgp_rib_find(q->host->speaker, prefix, &it))
        return false;
    put_prefix(q, &it);
    bgp_rib_end(&it);
    return true;
}

/* The longest prefix around `p`. */
static void walk_longest(struct query *q, struct ip_prefix p) {
    for (int length = p.length; length >= 0; length--)
        if (walk_one(q, ip_prefix_make(p.addr, (uint8_t)length)))
            return;
}

void exec_route(struct host *h, char *const words[], int count, struct text *out) {
    struct query q = {.host = h, .out = out};
    struct ip_prefix prefix = {0};
    bool one = false, longest = false;
    for (int i = 0; i < count; i++) {
        bool good = true;
        if (strcmp(words[i], "all") == 0)
            q.all = true;
        else if (strcmp(words[i], "protocol") == 0 && i + 1 < count)
            q.protocol = words[++i];
        else if (strcmp(words[i], "for") == 0 && i + 1 < count)
            good = longest = one = ip_prefix_parse(words[++i], &prefix);
        else
            good = one = ip_prefix_parse(words[i], &prefix);
        if (!good) {
            text_puts(out, "syntax error\n");
            return;
        }
    }
    if (h->speaker && longest)
        walk_longest(&q, prefix);
    else if (h->speaker && one)
        walk_one(&q, prefix);
    else if (h->speaker)
        walk_all(&q);
    if (one && q.shown == 0)
        text_puts(out, "Network not in table\n");
}
