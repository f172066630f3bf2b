/*
 * show ip bgp neighbors, and a neighbour's routes.
 *
 * Owns: the long layout of one neighbour on 15.7. Leaves: counters and states to the core, TCP's
 * figures to ios_show_tcp.c. What nobody counts is not printed rather than made up; the lines that
 * clients parse are there.
 */
#include "ios_log.h"
#include "ios_show.h"
#include "ios_time.h"

#include "../core/attr.h"

#include <stdio.h>
#include <string.h>

static const char *const FAMILY_NAMES[] = {"IPv4 Unicast", "IPv6 Unicast"};

static bool no_neighbor(struct ios_edit *e) {
    text_puts(e->sink->out, "% No such neighbor or address family\n");
    return false;
}

bool ios_show_peer(struct ios_edit *e, struct bgp_peer_info *ret_info) {
    const char *name = ios_words_after(e->words, 0, "neighbors");
    struct ip_addr a;
    if (!name || !ip_parse(name, &a))
        return no_neighbor(e);
    for (uint32_t n = 0; bgp_peer_at(e->sink->view->speaker, n, ret_info); n++)
        if (ip_equal(ret_info->config->remote_addr, a))
            return true;
    return no_neighbor(e);
}

static void put_age(struct nanotime now, struct nanotime then, struct text *out) {
    ios_time_age(nanotime_since(now, then), out);
}

static bool is_external(const struct bgp_speaker *s, const struct bgp_neighbor *c) {
    uint32_t own = c->options->local_as ? c->options->local_as : bgp_config_of(s)->local_as;
    return c->remote_as != own;
}

/* In another member AS of our confederation? */
static bool is_confederate(const struct bgp_config *g, const struct bgp_neighbor *c) {
    bool found = false;
    for (uint32_t i = 0; i < g->confederation_member_count; i++)
        found |= g->confederation_members[i] == c->remote_as;
    return found && c->remote_as != g->local_as;
}

/* The group a neighbour is a member of, or NULL. */
static const char *group_name(const struct ios_router *r, const char *neighbor) {
    const struct ios_stmt *s =
        ios_block_first(ios_bgp_block(r), "neighbor", neighbor, "peer-group");
    return s && s->count > 3 ? s->words[3] : NULL;
}

/* Something was said when the session came up at the latest. */
static struct nanotime later(struct nanotime a, struct nanotime b) {
    return nanotime_before(a, b) ? b : a;
}

static void put_state(struct ios_edit *e, const struct bgp_peer_info *p) {
    struct text *out = e->sink->out;
    struct nanotime now = e->sink->view->now;
    text_puts(out, "  BGP version 4, remote router ID ");
    ios_put_addr(ip4(p->remote_id), out);
    text_printf(out, "\n  BGP state = %s", ios_state_name(p));
    if (p->state == BGP_ESTABLISHED) {
        text_puts(out, ", up for ");
        put_age(now, p->since, out);
    }
    text_putc(out, '\n');
    if (p->state == BGP_ESTABLISHED) {
        text_puts(out, "  Last read ");
        put_age(now, later(p->last_read, p->since), out);
        text_puts(out, ", last write ");
        put_age(now, later(p->last_write, p->since), out);
        text_printf(out, ", hold time is %u, keepalive interval is %u seconds\n", p->hold_time_s,
                    p->keepalive_s);
    }
    const struct bgp_config *g = bgp_config_of(e->sink->view->speaker);
    bool own = p->config->options->hold_time_set;
    if (own || g->hold_time_set)
        text_printf(out,
                    "  Configured hold time is %u, keepalive interval is %u seconds\n"
                    "  Minimum holdtime from neighbor is %u seconds\n",
                    own ? p->config->options->hold_time_s : g->hold_time_s,
                    own ? p->config->options->keepalive_s : g->keepalive_s,
                    p->config->options->hold_time_min_s);
}

/* IOS leaves the parenthesis of a family open. */
static void put_restart(const struct bgp_peer_info *p, struct text *out) {
    bool advertised = p->config->options->graceful_restart != BGP_GR_OFF;
    if (!advertised && !p->graceful_restart)
        return;
    text_printf(out, "    Graceful Restart Capability: %s%s%s\n", advertised ? "advertised" : "",
                advertised && p->graceful_restart ? " and " : "",
                p->graceful_restart ? "received" : "");
    if (!p->graceful_restart)
        return;
    text_printf(out,
                "      Remote Restart timer is %u seconds\n"
                "      Address families advertised by peer:\n",
                p->remote_restart_time_s);
    bool any = false;
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (!p->restart_families[f])
            continue;
        text_printf(out, "        %s (was %spreserved\n", FAMILY_NAMES[f],
                    p->restart_preserved[f] ? "" : "not ");
        any = true;
    }
    if (!any)
        text_puts(out, "        none\n");
}

static void put_capabilities(const struct bgp_peer_info *p, struct text *out) {
    bool up = p->state == BGP_ESTABLISHED;
    text_puts(out, "  Neighbor sessions:\n");
    if (!up) {
        text_puts(out, "    0 active, is not multisession capable (disabled)\n"
                       "    Stateful switchover support enabled: NO for session 0\n");
        return;
    }
    text_puts(out, "    1 active, is not multisession capable (disabled)\n"
                   "  Neighbor capabilities:\n");
    text_printf(out, "    Route refresh: advertised%s\n", p->refresh ? " and received(new)" : "");
    text_printf(out, "    Four-octets ASN Capability: advertised%s\n",
                p->as4 ? " and received" : "");
    for (int f = 0; f < BGP_FAMILIES; f++)
        if (p->config->options->families[f])
            text_printf(out, "    Address family %s: advertised%s\n", FAMILY_NAMES[f],
                        p->families[f] ? " and received" : "");
    put_restart(p, out);
    text_printf(out, "    Enhanced Refresh Capability: advertised%s\n",
                p->enhanced_refresh ? " and received" : "");
    text_puts(out, "    Multisession Capability: \n"
                   "    Stateful switchover support enabled: NO for session 1\n");
}

static void put_statistics(const struct bgp_peer_info *p, struct text *out) {
    const struct bgp_message_counts *s = &p->sent, *r = &p->received;
    text_puts(out, "  Message statistics:\n"
                   "    InQ depth is 0\n"
                   "    OutQ depth is 0\n"
                   "    \n"
                   "                         Sent       Rcvd\n");
    text_printf(out, "    Opens:         %10u %10u\n", s->opens, r->opens);
    text_printf(out, "    Notifications: %10u %10u\n", s->notifications, r->notifications);
    text_printf(out, "    Updates:       %10u %10u\n", s->updates, r->updates);
    text_printf(out, "    Keepalives:    %10u %10u\n", s->keepalives, r->keepalives);
    text_printf(out, "    Route Refresh: %10u %10u\n", s->refreshes, r->refreshes);
    text_printf(out, "    Total:         %10u %10u\n", ios_message_count(s), ios_message_count(r));
}

const char *ios_chain_policy(const struct bgp_config *g, const struct policy_chain *chain,
                             const char *kind) {
    for (uint16_t i = 0; i < chain->count; i++) {
        const char *name = g->policies[chain->policies[i]].name;
        if (strncmp(name, kind, strlen(kind)) == 0)
            return name + strlen(kind);
    }
    return NULL;
}

static void put_policies(const struct bgp_config *g, const struct bgp_peer_options *c,
                         enum bgp_family f, struct text *out) {
    static const struct {
        const char *policy, *in, *out;
    } FILTERS[] = {
        {"prefix-list ", "  Incoming update prefix filter list is ",
         "  Outgoing update prefix filter list is "},
        {"distribute-list ", "  Incoming update network filter list is ",
         "  Outgoing update network filter list is "},
        {"filter-list ", "  Incoming update AS path filter list is ",
         "  Outgoing update AS path filter list is "},
        {"route-map ", "  Route map for incoming advertisements is ",
         "  Route map for outgoing advertisements is "},
    };
    if (c->import[f].count)
        text_puts(out, "  Inbound path policy configured\n");
    if (c->export[f].count)
        text_puts(out, "  Outbound path policy configured\n");
    for (size_t i = 0; i < sizeof FILTERS / sizeof *FILTERS; i++) {
        const char *in = ios_chain_policy(g, &c->import[f], FILTERS[i].policy);
        const char *sent = ios_chain_policy(g, &c->export[f], FILTERS[i].policy);
        if (in)
            text_printf(out, "%s%s\n", FILTERS[i].in, in);
        if (sent)
            text_printf(out, "%s%s\n", FILTERS[i].out, sent);
    }
}

/* Paths of the peer that share the load with the best one, which may be its own. */
static uint32_t shared_paths(const struct bgp_speaker *s, const struct bgp_peer_info *p,
                             enum bgp_family f) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    uint32_t count = 0;
    if (bgp_rib_begin(s, f, &it) != BGP_OK)
        return 0;
    while (bgp_rib_next_prefix(s, &it))
        while (bgp_rib_next_path(s, &it, &path))
            count += path.multipath && path.peer.index == p->id.index;
    bgp_rib_end(&it);
    return count;
}

static void put_prefix_activity(const struct bgp_speaker *s, const struct bgp_peer_info *p,
                                enum bgp_family f, struct text *out) {
    struct bgp_session_tally t = {.sent = {.total = p->prefixes_sent[f]},
                                  .received = {.total = p->prefixes_accepted[f]}};
    bool may_share = bgp_config_of(s)->multipath_internal[f] > 1 ||
                     bgp_config_of(s)->multipath_external[f] > 1 ||
                     bgp_config_of(s)->multipath_mixed[f] > 1;
    (void)bgp_session_tally_get(s, p->id, f, &t);
    text_puts(out, "  Slow-peer detection is disabled\n"
                   "  Slow-peer split-update-group dynamic is disabled\n"
                   "                                 Sent       Rcvd\n"
                   "  Prefix activity:               ----       ----\n");
    text_printf(out, "    Prefixes Current:      %10u %10u", p->prefixes_sent[f],
                p->prefixes_accepted[f]);
    if (p->prefixes_accepted[f])
        text_printf(out, " (Consumes %u bytes)", p->prefixes_accepted[f] * 84);
    text_printf(out, "\n    Prefixes Total:        %10u %10u\n", t.sent.total, t.received.total);
    text_printf(out, "    Implicit Withdraw:     %10u %10u\n", t.sent.implicit_withdraws,
                t.received.implicit_withdraws);
    text_printf(out, "    Explicit Withdraw:     %10u %10u\n", t.sent.explicit_withdraws,
                t.received.explicit_withdraws);
    text_printf(out, "    Used as bestpath:             n/a %10u\n", p->prefixes_best[f]);
    text_printf(out, "    Used as multipath:            n/a %10u\n",
                may_share ? shared_paths(s, p, f) : 0);
    text_printf(out, "    Used as secondary:            n/a %10u\n", 0);
}

/* The one kind of filter that may have refused, as IOS names its row. */
static const char *refused_by(const struct bgp_config *g, const struct policy_chain *chain) {
    static const struct {
        const char *policy, *name;
    } KINDS[] = {{"route-map ", "route-map:"},
                 {"filter-list ", "filter-list:"},
                 {"prefix-list ", "prefix-list"},
                 {"distribute-list ", "distribute-list"}};
    const char *name = NULL;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (ios_chain_policy(g, chain, KINDS[i].policy))
            name = name ? "Inbound policy:" : KINDS[i].name;
    return name ? name : "Invalid Path:";
}

static void put_refresh_time(struct ios_edit *e, const char *which, struct nanotime at) {
    struct text *out = e->sink->out;
    text_printf(out, "  Last %s-of-rib: ", which);
    if (at.ns)
        put_age(e->sink->view->now, at, out);
    else
        text_puts(out, "never");
    text_putc(out, '\n');
}

static void put_refreshes(struct ios_edit *e, const struct bgp_peer_info *p, enum bgp_family f) {
    struct bgp_session_tally t = {.sent = {0}};
    struct text *out = e->sink->out;
    (void)bgp_session_tally_get(e->sink->view->speaker, p->id, f, &t);
    const struct bgp_refresh_tally *sent = &t.refresh_sent, *received = &t.refresh_received;
    text_printf(out, "  Refresh Epoch: %u\n", received->starts + 1);
    put_refresh_time(e, "Sent Refresh Start", sent->last_start);
    put_refresh_time(e, "Sent Refresh End", sent->last_end);
    put_refresh_time(e, "Received Refresh Start", received->last_start);
    put_refresh_time(e, "Received Refresh End", received->last_end);
    text_printf(out,
                "\t\t\t\t       Sent\t  Rcvd\n"
                "\tRefresh activity:\t       ----\t  ----\n"
                "\t  Refresh Start-of-RIB %10u %10u\n"
                "\t  Refresh End-of-RIB   %10u %10u\n",
                sent->starts, received->starts, sent->ends, received->ends);
}

/* What policy and reflection keep back now; IOS counts since the session began. */
static void put_denied(const struct bgp_config *g, const struct bgp_peer_info *p, enum bgp_family f,
                       struct text *out) {
    uint32_t refused = p->prefixes_received[f] - p->prefixes_accepted[f];
    text_puts(out, "\n                                   Outbound    Inbound\n"
                   "  Local Policy Denied Prefixes:    --------    -------\n");
    if (refused)
        text_printf(out, "    %-28s %10u %10u\n", refused_by(g, &p->config->options->import[f]), 0u,
                    refused);
    if (p->prefixes_best[f])
        text_printf(out, "    %-28s %10u %10s\n", "Bestpath from this peer:", p->prefixes_best[f],
                    "n/a");
    text_printf(out, "    %-28s %10u %10u\n", "Total:", p->prefixes_best[f], refused);
    text_puts(out, "  Last detected as dynamic slow peer: never\n"
                   "  Dynamic slow peer recovered: never\n");
}

/* What the neighbour is told to do in a family, one line each. */
static void put_options(const struct bgp_peer_options *c, enum bgp_family f, struct text *out) {
    if (c->soft_reconfiguration)
        text_puts(out, "  Inbound soft reconfiguration allowed\n");
    if (c->next_hop_mode == BGP_NEXT_HOP_SELF)
        text_puts(out, "  NEXT_HOP is always this router for eBGP paths\n");
    if (c->next_hop_mode == BGP_NEXT_HOP_SELF_ALL)
        text_puts(out, "  NEXT_HOP is always this router for eBGP and iBGP paths\n");
    if (c->allow_local_as)
        text_printf(out, "  My AS number is allowed for %u number of times\n", c->allow_local_as);
    if (c->transparent)
        text_puts(out, "  Route-Server Client\n");
    if (c->as_override)
        text_puts(out, "  Overrides the neighbor AS with my AS before sending updates\n");
    if (c->remove_private_as)
        text_puts(out, "  Private AS number removed from updates to this neighbor\n");
    if (c->send_communities)
        text_puts(out, "  Community attribute sent to this neighbor\n");
    if (c->send_ext_communities)
        text_puts(out, "  Extended-community attribute sent to this neighbor\n");
    if (c->default_originate[f])
        text_puts(out, "  Default information originate, default sent\n");
    if (c->weight)
        text_printf(out, "  Default weight %u\n", c->weight);
    if (c->prefix_max[f]) {
        text_printf(out, "  Maximum prefixes allowed %u%s\n  Threshold for warning message %u%%",
                    c->prefix_max[f], c->prefix_warning_only ? " (warning-only)" : "",
                    c->prefix_warning_percent);
        if (c->prefix_restart_min)
            text_printf(out, ", restart interval %u min", c->prefix_restart_min);
        text_putc(out, '\n');
    }
}

static void put_family(struct ios_edit *e, const struct bgp_peer_info *p, enum bgp_family f) {
    const struct bgp_config *g = bgp_config_of(e->sink->view->speaker);
    const struct bgp_neighbor *c = p->config;
    struct text *out = e->sink->out;
    const char *group = group_name(e->r, c->name);
    uint32_t version = ios_table_version(e->sink->view->speaker, f);
    bool up = p->state == BGP_ESTABLISHED;
    text_printf(out, "\n For address family: %s\n  Session: ", FAMILY_NAMES[f]);
    ios_put_addr(c->remote_addr, out);
    text_printf(out, "\n  BGP table version %u, neighbor version %u/0\n  Output queue size : 0\n",
                version, up ? version : 1);
    text_printf(out, "  Index %u, Advertise bit 0\n", p->update_group);
    if (c->options->rr_client)
        text_puts(out, "  Route-Reflector Client\n");
    if (p->update_group)
        text_printf(out, "  %u update-group member\n", p->update_group);
    if (group)
        text_printf(out, "  %s peer-group member\n", group);
    put_options(c->options, f, out);
    put_policies(g, c->options, f, out);
    put_prefix_activity(e->sink->view->speaker, p, f, out);
    put_denied(g, p, f, out);
    put_refreshes(e, p, f);
}

static void put_last_reset(struct ios_edit *e, const struct bgp_peer_info *p) {
    static const char *const REASONS[] = {
        [BGP_DOWN_NONE] = "BGP protocol initialization",
        [BGP_DOWN_NOTIFICATION_SENT] = "BGP Notification sent of session 1",
        [BGP_DOWN_NOTIFICATION_RECEIVED] = "BGP Notification received of session 1",
        [BGP_DOWN_PEER_CLOSED] = "Peer closed the session of session 1",
        [BGP_DOWN_CONNECT_FAILED] = "Active open failed",
        [BGP_DOWN_COLLISION] = "Error during connection collision",
        [BGP_DOWN_ADMIN_SHUTDOWN] = "Admin. shutdown of session 1",
        [BGP_DOWN_ADMIN_RESET] = "User reset of session 1",
        [BGP_DOWN_DECONFIGURED] = "Neighbor deleted of session 1",
        [BGP_DOWN_CONFIG_CHANGE] = "Capability changed of session 1",
        [BGP_DOWN_RR_CLIENT_CHANGE] = "RR client config change of session 1",
        [BGP_DOWN_PREFIX_LIMIT] = "BGP Notification sent of session 1",
        [BGP_DOWN_INTERFACE] = "Interface flap of session 1",
        [BGP_DOWN_BFD] = "BFD adjacency down of session 1",
        [BGP_DOWN_NO_ROUTE] = "Route to peer lost of session 1",
        [BGP_DOWN_ROUTER_ID_CHANGE] = "Router ID changed of session 1",
        [BGP_DOWN_CLUSTER_ID_CHANGE] = "Cluster ID changed of session 1",
        [BGP_DOWN_CONFEDERATION_CHANGE] = "Confederation identifier changed of session 1",
        [BGP_DOWN_REMOTE_AS_CHANGE] = "Remote AS changed of session 1",
        [BGP_DOWN_LOCAL_AS_CHANGE] = "Local AS change of session 1",
        [BGP_DOWN_SOURCE_CHANGE] = "Update source change of session 1",
        [BGP_DOWN_MULTIHOP_CHANGE] = "Multihop config change of session 1",
        [BGP_DOWN_FAMILIES_CHANGE] = "Address family activated of session 1",
        [BGP_DOWN_CAPABILITY_CHANGE] = "Capability changed of session 1",
    };
    struct text *out = e->sink->out;
    text_printf(out, "  Connections established %u; dropped %u\n", p->established_count,
                p->dropped_count);
    text_puts(out, "  Last reset ");
    if (p->last_reason == BGP_DOWN_NONE) {
        text_puts(out, "never\n");
        return;
    }
    put_age(e->sink->view->now, p->last_reset, out);
    text_printf(out, ", due to %s", REASONS[p->last_reason]);
    if (p->last_reason == BGP_DOWN_NOTIFICATION_SENT ||
        p->last_reason == BGP_DOWN_NOTIFICATION_RECEIVED)
        text_printf(out, ", %s", ios_log_phrase(p->last_code, p->last_subcode));
    text_putc(out, '\n');
}

/* The connected route that holds the address; NULL: none. */
static const struct ios_own_route *link_of(const struct ios_rib *rib, struct ip_addr a) {
    for (size_t i = 0; i < rib->count; i++)
        if (rib->routes[i].connected && !rib->routes[i].local &&
            ip_prefix_contains_addr(rib->routes[i].prefix, a))
            return &rib->routes[i];
    return NULL;
}

static void put_reachability(const struct ios_own_route *link, struct ip_addr a, bool up,
                             struct text *out) {
    text_printf(out, "  Address tracking is enabled, the RIB does%s have a route to ",
                link || up ? "" : " not");
    ios_put_addr(a, out);
    text_putc(out, '\n');
}

static void put_interface(const struct ios_own_route *link, struct text *out) {
    if (link)
        text_printf(out, "  Interface associated: %s (peering address in same link)\n",
                    link->interface);
    else
        text_puts(out, "  Interface associated: (none) (peering address NOT in same link)\n");
}

static void put_external(const struct bgp_peer_options *c, struct text *out) {
    if (c->multihop > 1) {
        text_printf(out, "  External BGP neighbor may be up to %u hops away.\n", c->multihop);
        text_puts(out, "  External BGP neighbor NOT configured for connected checks "
                       "(multi-hop no-disable-connected-check)\n");
    } else if (c->multihop == 1) {
        text_puts(out, "  External BGP neighbor not directly connected.\n"
                       "  External BGP neighbor NOT configured for connected checks (single-hop "
                       "disable-connected-check)\n");
    } else {
        text_puts(out, "  External BGP neighbor configured for connected checks (single-hop "
                       "no-disable-connected-check)\n");
    }
}

static unsigned restart_time(const struct ios_router *r, const char *which, unsigned otherwise) {
    const struct ios_stmt *s = ios_block_first(ios_bgp_block(r), "bgp", "graceful-restart", which);
    uint64_t seconds = otherwise;
    if (s)
        (void)text_to_u64(ios_stmt_word(s, 3), 1, 3600, &seconds);
    return (unsigned)seconds;
}

static void put_transport(struct ios_edit *e, const struct bgp_peer_info *p) {
    struct text *out = e->sink->out;
    text_puts(out, "  Transport(tcp) path-mtu-discovery is enabled\n");
    if (p->config->options->graceful_restart == BGP_GR_OFF)
        text_puts(out, "  Graceful-Restart is disabled\n");
    else
        text_printf(out,
                    "  Graceful-Restart is enabled, restart-time %u seconds, stalepath-time %u "
                    "seconds\n",
                    restart_time(e->r, "restart-time", 120),
                    restart_time(e->r, "stalepath-time", 360));
    text_puts(out, "  SSO is disabled\n");
    if (p->state != BGP_ESTABLISHED) {
        text_puts(out, "  No active TCP connection\n");
        return;
    }
    bool guarded = p->config->options->ttl_security_hops != 0;
    struct ios_show_tcp_ttl ttl = {.outgoing = 255};
    if (guarded)
        ttl.incoming_min = 256u - p->config->options->ttl_security_hops;
    else if (is_external(e->sink->view->speaker, p->config))
        ttl.outgoing = p->config->options->multihop ? p->config->options->multihop : 1u;
    ios_put_connection(e->sink->view, p, &ttl, out);
}

static void put_range(const struct bgp_speaker *s, const struct bgp_peer_info *p,
                      struct text *out) {
    char prefix[IP_PREFIX_TEXT_MAX];
    const struct bgp_listen_range *r =
        p->dynamic ? bgp_config_range_of(bgp_config_of(s), p->config->remote_addr) : NULL;
    if (r)
        text_printf(out, " Belongs to the subnet range group: %s\n",
                    ip_prefix_format(r->prefix, prefix));
}

static void put_whom(struct ios_edit *e, const struct bgp_peer_info *p) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    const struct bgp_neighbor *c = p->config;
    struct text *out = e->sink->out;
    const struct bgp_peer_options *o = c->options;
    text_printf(out, "BGP neighbor is %s", p->dynamic ? "*" : "");
    ios_put_addr(c->remote_addr, out);
    text_puts(out, ",  remote AS ");
    text_put_asn(out, c->remote_as, ios_asdot(e->r));
    if (o->local_as) {
        text_puts(out, ",  local AS ");
        text_put_asn(out, o->local_as, ios_asdot(e->r));
        text_printf(out, "%s%s", o->local_as_no_prepend ? " no-prepend" : "",
                    o->local_as_replaces ? " replace-as" : "");
    }
    text_printf(out, ", %s link\n", is_external(s, c) ? "external" : "internal");
    if (o->fall_over)
        text_puts(out, " Fall over configured for session\n");
    if (is_confederate(bgp_config_of(s), c))
        text_puts(out, " Neighbor under common administration\n");
    if (bgp_neighbor_description(c))
        text_printf(out, " Description: %s\n", bgp_neighbor_description(c));
}

/* `only`: of the families, one; -1 all. */
static void put_neighbor(struct ios_edit *e, const struct bgp_peer_info *p, int only) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    const struct bgp_neighbor *c = p->config;
    struct text *out = e->sink->out;
    const char *group = group_name(e->r, c->name);
    struct arena *scratch = arena_new();
    struct ios_rib rib = {.count = 0};
    if (!scratch || !ios_rib_build(e->r, scratch, &rib)) {
        arena_free(scratch);
        return;
    }
    const struct ios_own_route *link = link_of(&rib, c->remote_addr);
    put_whom(e, p);
    if (group)
        text_printf(out, " Member of peer-group %s for session parameters\n", group);
    put_range(s, p, out);
    if (c->shutdown)
        text_puts(out, " Administratively shut down\n");
    put_state(e, p);
    put_capabilities(p, out);
    put_statistics(p, out);
    if (bgp_config_of(s)->log_neighbor_changes)
        text_puts(out, "  Do log neighbor state changes (via global configuration)\n");
    text_printf(out, "  Default minimum time between advertisement runs is %u seconds\n",
                c->options->advertisement_interval_ms[only > 0 ? only : 0] / 1000);
    for (int f = 0; f < BGP_FAMILIES; f++)
        if (c->options->families[f] && (only < 0 || only == f))
            put_family(e, p, (enum bgp_family)f);
    text_putc(out, '\n');
    put_reachability(link, c->remote_addr, p->state == BGP_ESTABLISHED, out);
    put_last_reset(e, p);
    if (is_external(s, c))
        put_external(c->options, out);
    put_interface(link, out);
    put_transport(e, p);
    arena_free(scratch);
}

/* Each with all its families, or those of one family with that one. */
static void put_neighbors(struct ios_edit *e, int only) {
    struct bgp_peer_info p;
    bool any = false;
    for (uint32_t n = 0; bgp_peer_at(e->sink->view->speaker, n, &p); n++) {
        if (only >= 0 && !p.config->options->families[only])
            continue;
        text_puts(e->sink->out, any ? "\n" : "");
        put_neighbor(e, &p, only);
        any = true;
    }
}

bool ios_show_neighbors(struct ios_edit *e) {
    struct bgp_peer_info p;
    if (!ios_show_active(e))
        return false;
    if (ios_words_after(e->words, 0, "neighbors")) {
        if (ios_show_peer(e, &p))
            put_neighbor(e, &p, -1);
        return false;
    }
    put_neighbors(e, -1);
    return false;
}

bool ios_show_neighbors_all(struct ios_edit *e) {
    if (!ios_show_active(e))
        return false;
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (!ios_af_block(e->r, (enum bgp_family)f))
            continue;
        text_printf(e->sink->out, "For address family: %s\n", FAMILY_NAMES[f]);
        put_neighbors(e, f);
        text_putc(e->sink->out, '\n');
    }
    return false;
}

/* ---- routes of a neighbour ---- */

enum routes {
    ROUTES_ACCEPTED,
    ROUTES_RECEIVED,
    ROUTES_ADVERTISED,
};

static bool is_wanted(const struct bgp_speaker *s, enum routes kind, const struct bgp_peer_info *p,
                      const struct bgp_path_info *path, struct ip_prefix prefix) {
    if (kind == ROUTES_ADVERTISED)
        return path->best && bgp_adj_out_find(s, p->id, prefix);
    return path->peer.index == p->id.index && (kind == ROUTES_RECEIVED || !path->rejected);
}

static uint32_t put_routes(struct ios_edit *e, const struct ios_rib *rib, enum routes kind,
                           const struct bgp_peer_info *p, enum bgp_family f, struct text *rows) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    bool asdot = ios_asdot(e->r);
    uint32_t count = 0;
    if (bgp_rib_begin(s, f, &it) != BGP_OK)
        return 0;
    while (bgp_rib_next_prefix(s, &it))
        while (bgp_rib_next_path(s, &it, &path)) {
            struct ios_table_row row = {
                .prefix = it.prefix, .path = &path, .network = true, .asdot = asdot};
            if (!is_wanted(s, kind, p, &path, it.prefix))
                continue;
            row.rib_failure = ios_is_rib_failure(e->r, rib, it.prefix, &path);
            ios_put_table_row(&row, rows);
            count++;
        }
    bgp_rib_end(&it);
    return count;
}

/* The default route a neighbour is sent without one in the table stands above it. */
static bool originates_default(const struct bgp_speaker *s, const struct bgp_peer_info *p,
                               enum bgp_family f) {
    const struct ip_prefix any = {.addr.family = f == BGP_IPV4_UNICAST ? IP_V4 : IP_V6};
    return p->config->options->default_originate[f] && bgp_adj_out_find(s, p->id, any);
}

static void put_route_rows(struct ios_edit *e, enum bgp_family f, bool with_default,
                           const struct text *rows, uint32_t count) {
    struct text *out = e->sink->out;
    if (with_default || count)
        ios_put_table_legend(e, f);
    if (with_default)
        text_printf(out, "Originating default network %s\n%s",
                    f == BGP_IPV4_UNICAST ? "0.0.0.0" : "::", count ? "\n" : "");
    if (count)
        ios_put_table_columns(e);
    text_put(out, text_str(rows), rows->size);
    text_printf(out, "\nTotal number of prefixes %u \n", count);
}

bool ios_show_neighbor_routes(struct ios_edit *e) {
    const char *what = ios_word(e->words, (uint16_t)(e->words->count - 1));
    enum bgp_family f = ios_show_family(e->words);
    struct text *out = e->sink->out;
    struct bgp_peer_info p;
    struct text rows;
    enum routes kind = strcmp(what, "routes") == 0            ? ROUTES_ACCEPTED
                       : strcmp(what, "received-routes") == 0 ? ROUTES_RECEIVED
                                                              : ROUTES_ADVERTISED;
    if (!ios_show_active(e) || !ios_show_peer(e, &p))
        return false;
    if (kind == ROUTES_RECEIVED && !p.config->options->soft_reconfiguration) {
        text_puts(out, "% Inbound soft reconfiguration not enabled on ");
        ios_put_addr(p.config->remote_addr, out);
        text_putc(out, '\n');
        return false;
    }
    struct arena *scratch = arena_new();
    struct ios_rib rib = {.count = 0};
    text_init(&rows);
    if (!scratch || !ios_rib_build(e->r, scratch, &rib))
        rib.count = 0;
    uint32_t count = put_routes(e, &rib, kind, &p, f, &rows);
    arena_free(scratch);
    put_route_rows(e, f,
                   kind == ROUTES_ADVERTISED && originates_default(e->sink->view->speaker, &p, f),
                   &rows, count);
    text_deinit(&rows);
    return false;
}
