/*
 * show ip protocols: what BGP is told about routes, one line a neighbour.
 *
 * Owns: the layout. Leaves: distances to ios_show_route.c.
 *
 * IOS: numbers stand under the right end of their heading; prefix-lists have no column.
 */
#include "ios_show.h"
#include "ios_time.h"

#include <string.h>

static const char *filter(const struct bgp_config *g, const struct policy_chain *chain,
                          const char *kind) {
    const char *name = ios_chain_policy(g, chain, kind);
    return name ? name : "";
}

static void put_neighbor(const struct bgp_config *g, const struct bgp_neighbor *c,
                         struct text *out) {
    const struct policy_chain *in = &c->options->import[BGP_IPV4_UNICAST];
    const struct policy_chain *sent = &c->options->export[BGP_IPV4_UNICAST];
    struct text addr, row;
    text_init(&addr);
    text_init(&row);
    ios_put_addr(c->remote_addr, &addr);
    text_printf(&row, "    %-16s %6s %7s %6s %7s ", text_str(&addr), filter(g, in, "filter-list "),
                filter(g, sent, "filter-list "), filter(g, in, "distribute-list "),
                filter(g, sent, "distribute-list "));
    if (c->options->weight)
        text_printf(&row, "%6u", c->options->weight);
    else
        text_printf(&row, "%6s", "");
    text_printf(&row, " %s%s", filter(g, in, "route-map "),
                *filter(g, in, "route-map ") ? "" : filter(g, sent, "route-map "));
    size_t size = row.size;
    while (size > 0 && text_str(&row)[size - 1] == ' ')
        size--;
    text_put(out, text_str(&row), size);
    text_putc(out, '\n');
    text_deinit(&row);
    text_deinit(&addr);
}

static void put_sources(struct ios_edit *e, struct text *out) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct bgp_peer_info p;
    text_puts(out, "  Routing Information Sources:\n"
                   "    Gateway         Distance      Last Update\n");
    for (uint32_t n = 0; bgp_peer_at(s, n, &p); n++) {
        struct text addr;
        if (p.state != BGP_ESTABLISHED || p.prefixes_accepted[BGP_IPV4_UNICAST] == 0)
            continue;
        text_init(&addr);
        ios_put_addr(p.config->remote_addr, &addr);
        bool internal = p.config->remote_as == bgp_config_of(s)->local_as;
        text_printf(out, "    %-16s%8u      ", text_str(&addr), ios_bgp_distance(e->r, internal));
        ios_time_age(nanotime_since(e->sink->view->now, p.since), out);
        text_putc(out, '\n');
        text_deinit(&addr);
    }
}

static uint32_t maximum_paths(const struct bgp_config *c) {
    uint32_t external = c->multipath_external[BGP_IPV4_UNICAST];
    uint32_t mixed = c->multipath_mixed[BGP_IPV4_UNICAST];
    uint32_t max = external > mixed ? external : mixed;
    return max > 1 ? max : 1;
}

bool ios_show_protocols(struct ios_edit *e) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct text *out = e->sink->out;
    struct bgp_peer_info p;
    text_puts(out, "*** IP Routing is NSF aware ***\n\n");
    if (!s || !ios_bgp_block(e->r))
        return false;
    text_puts(out, "Routing Protocol is \"bgp ");
    text_put_asn(out, bgp_config_of(s)->local_as, ios_asdot(e->r));
    text_puts(out, "\"\n"
                   "  Outgoing update filter list for all interfaces is not set\n"
                   "  Incoming update filter list for all interfaces is not set\n"
                   "  IGP synchronization is disabled\n"
                   "  Automatic route summarization is disabled\n"
                   "  Neighbor(s):\n"
                   "    Address          FiltIn FiltOut DistIn DistOut Weight RouteMap\n");
    for (uint32_t n = 0; bgp_peer_at(s, n, &p); n++) {
        if (p.config->remote_addr.family != IP_V4)
            continue;
        put_neighbor(bgp_config_of(s), p.config, out);
    }
    text_printf(out, "  Maximum path: %u\n", maximum_paths(bgp_config_of(s)));
    put_sources(e, out);
    text_printf(out, "  Distance: external %u internal %u local %u\n\n", ios_bgp_distance(e->r, 0),
                ios_bgp_distance(e->r, 1), ios_bgp_distance(e->r, 2));
    return false;
}
