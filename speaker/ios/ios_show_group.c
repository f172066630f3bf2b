/*
 * show ip bgp peer-group, update-group, cluster-ids: neighbours taken together.
 *
 * Owns: the layouts. Leaves: groups of the configuration to the statements, update groups to the
 * core. Figures of messages per group are left out, as the core counts them per peer.
 */
#include "ios_show.h"

#include <string.h>

static const char *const FAMILY_NAMES[] = {"IPv4 Unicast", "IPv6 Unicast"};

/* ---- peer-group ---- */

static void put_members(struct ios_edit *e, const char *group) {
    const struct ios_block *bgp = ios_bgp_block(e->r);
    struct text *out = e->sink->out;
    text_puts(out, "  ");
    for (uint32_t i = 0; i < bgp->count; i++) {
        const struct ios_stmt *s = bgp->items[i];
        if (ios_stmt_is(s, 0, "neighbor") && ios_stmt_is(s, 2, "peer-group") &&
            ios_stmt_is(s, 3, group))
            text_printf(out, "%s ", s->words[1]);
    }
    text_putc(out, '\n');
}

static void put_peer_group(struct ios_edit *e, const char *name) {
    const struct ios_block *bgp = ios_bgp_block(e->r);
    const struct ios_stmt *as = ios_block_first(bgp, "neighbor", name, "remote-as");
    uint32_t own = bgp_config_of(e->sink->view->speaker)->local_as, remote = 0;
    struct text *out = e->sink->out;
    bool known = as && text_to_asn(ios_stmt_word(as, 3), &remote);
    bool internal = known && remote == own;
    text_printf(out, "BGP peer-group is %s", name);
    if (known) {
        text_puts(out, ",  remote AS ");
        text_put_asn(out, remote, ios_asdot(e->r));
    }
    text_printf(out,
                "\n  BGP version 4\n"
                "  Neighbor sessions:\n"
                "    0 active, is not multisession capable (disabled)\n"
                "  Default minimum time between advertisement runs is %u seconds\n\n",
                internal ? 0u : 30u);
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (f != BGP_IPV4_UNICAST && !ios_af_block(e->r, (enum bgp_family)f))
            continue;
        text_printf(out, " For address family: %s\n  BGP neighbor is %s, peer-group %s, members:\n",
                    FAMILY_NAMES[f], name, internal ? "internal" : "external");
        put_members(e, name);
        text_puts(out, "  Index 0, Advertise bit 0\n\n");
    }
}

bool ios_show_peer_group(struct ios_edit *e) {
    const char *wanted = ios_word(e->words, (uint16_t)(ios_show_argument(e->words) + 1));
    if (!ios_show_active(e))
        return false;
    const struct ios_block *bgp = ios_bgp_block(e->r);
    for (uint32_t i = 0; i < bgp->count; i++) {
        const struct ios_stmt *s = bgp->items[i];
        if (ios_stmt_is(s, 0, "neighbor") && ios_stmt_is(s, 2, "peer-group") && s->count == 3 &&
            (!*wanted || ios_stmt_is(s, 1, wanted)))
            put_peer_group(e, s->words[1]);
    }
    return false;
}

/* ---- update-group ---- */

static void put_update_members(const struct bgp_speaker *s, uint32_t group, struct text *out) {
    struct bgp_peer_info p;
    uint32_t count = 0;
    for (uint32_t n = 0; bgp_peer_at(s, n, &p); n++)
        count += p.update_group == group;
    text_printf(out, "  Has %u member%s:\n", count, count == 1 ? "" : "s");
    uint32_t put = 0;
    for (uint32_t n = 0; bgp_peer_at(s, n, &p); n++) {
        struct text addr;
        if (p.update_group != group)
            continue;
        text_init(&addr);
        ios_put_addr(p.config->remote_addr, &addr);
        text_printf(out, "%s%-16s", put % 4 == 0 ? "   " : " ", text_str(&addr));
        text_puts(out, ++put % 4 == 0 || put == count ? "\n" : "");
        text_deinit(&addr);
    }
    text_putc(out, '\n');
}

static void put_update_group(const struct bgp_speaker *s, enum bgp_family f,
                             const struct bgp_peer_info *first, struct text *out) {
    const struct bgp_peer_options *c = first->config->options;
    bool internal = first->config->remote_as == bgp_config_of(s)->local_as;
    text_printf(out, "BGP version 4 update-group %u, %s, Address Family: %s\n", first->update_group,
                internal ? "internal" : "external", FAMILY_NAMES[f]);
    text_printf(out, "  BGP Update version : %u/0\n", ios_table_version(s, f));
    if (c->rr_client)
        text_puts(out, "  Route-Reflector Client\n");
    if (c->next_hop_mode == BGP_NEXT_HOP_SELF)
        text_puts(out, "  NEXT_HOP is always this router for eBGP paths\n");
    if (c->send_communities)
        text_puts(out, "  Community attribute sent to this neighbor\n");
    if (c->send_ext_communities)
        text_puts(out, "  Extended-community attribute sent to this neighbor\n");
    text_printf(out, "  Minimum time between advertisement runs is %u seconds\n",
                c->advertisement_interval_ms[f] / 1000);
    put_update_members(s, first->update_group, out);
}

/* Groups in order of their number, each told by its first member. */
bool ios_show_update_group(struct ios_edit *e) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    const char *word = ios_word(e->words, (uint16_t)(ios_show_argument(e->words) + 1));
    enum bgp_family f = ios_show_family(e->words);
    uint64_t wanted = 0;
    bool one = text_to_u64(word, 1, UINT32_MAX, &wanted);
    uint32_t last = 0;
    if (!ios_show_active(e))
        return false;
    for (bool found = true; found;) {
        struct bgp_peer_info p, first = {.update_group = UINT32_MAX};
        for (uint32_t n = 0; bgp_peer_at(s, n, &p); n++)
            if (p.update_group > last && p.update_group < first.update_group &&
                p.config->options->families[f])
                first = p;
        found = first.update_group != UINT32_MAX;
        if (found && (!one || first.update_group == wanted))
            put_update_group(s, f, &first, e->sink->out);
        last = first.update_group;
    }
    return false;
}

/* ---- cluster-ids ---- */

bool ios_show_cluster_ids(struct ios_edit *e) {
    struct text *out = e->sink->out;
    if (!ios_show_active(e))
        return false;
    const struct bgp_config *c = bgp_config_of(e->sink->view->speaker);
    const struct ios_block *bgp = ios_bgp_block(e->r);
    const struct ios_stmt *id = ios_block_first(bgp, "bgp", "cluster-id", NULL);
    const struct ios_stmt *c2c = ios_block_first(bgp, "bgp", "client-to-client", NULL);
    const char *on = c2c && c2c->negated ? "DISABLED" : "ENABLED";
    text_puts(out, "Global cluster-id: ");
    if (id)
        text_puts(out, ios_stmt_word(id, 2));
    else
        ios_put_addr(c->router_id, out);
    text_printf(out, " (configured: %s)\n", id ? ios_stmt_word(id, 2) : "0.0.0.0");
    text_printf(out,
                "BGP client-to-client reflection:         Configured    Used\n"
                " all (inter-cluster and intra-cluster): %s\n"
                " intra-cluster:                         %-14s%s\n"
                "\n"
                "List of cluster-ids:\n"
                "Cluster-id     #-neighbors C2C-rfl-CFG C2C-rfl-USE\n",
                on, "ENABLED", on);
    return false;
}
