/*
 * Looking at peers and counters, and the operator's `clear`. Views only: nothing here is kept, and
 * the order is that of the configuration.
 */
#include "event.h"
#include "own_addr.h"
#include "peer.h"
#include "rib.h"

#include <string.h>

uint32_t bgp_peer_count(const struct bgp_speaker *s) {
    return s->peer_count;
}

/* A peer by id; NULL when it is not configured (any more). */
static struct peer *find(const struct bgp_speaker *s, struct bgp_peer_id id) {
    if (id.index == 0 || id.index >= s->peers.next_new)
        return NULL;
    struct peer *p = speaker_peer(s, id.index);
    bool live = p->config_index < s->peer_count && s->peer_order[p->config_index] == id.index;
    return live ? p : NULL;
}

/* When a deadline was set that is `interval_s` after an event; 0: there is none. */
static struct nanotime event_of(struct nanotime deadline, uint16_t interval_s) {
    uint64_t ns = interval_s * NANOS_PER_S;
    if (interval_s == 0 || nanotime_is_never(deadline) || deadline.ns < ns)
        return (struct nanotime){0};
    return (struct nanotime){deadline.ns - ns};
}

static void fill_session(const struct bgp_speaker *s, const struct peer *p,
                         struct bgp_peer_info *i) {
    i->incoming = p->incoming;
    const struct conn *c = conn_at(s, p->conn);
    i->conn = conn_id(c);
    i->last_read = event_of(c->hold_deadline, c->hold_time_s);
    i->last_write = event_of(c->keepalive_deadline, c->keepalive_s);
    i->local = (struct bgp_endpoint){own_addr_get(s, p->own_addr), p->own_port};
    i->remote = (struct bgp_endpoint){p->config->remote_addr, p->remote_port};
    i->hold_time_s = c->hold_time_s;
    i->keepalive_s = c->keepalive_s;
    i->as4 = p->as4;
    i->refresh = p->refresh;
    i->enhanced_refresh = p->enhanced_refresh;
    i->graceful_restart = p->open.gr;
    i->remote_restart_time_s = p->open.gr_time_s;
    for (int f = 0; f < BGP_FAMILIES; f++) {
        i->restart_families[f] = p->open.gr && p->open.gr_families[f].present;
        i->restart_preserved[f] = p->open.gr && p->open.gr_families[f].forwarding;
    }
    i->extended_messages = p->extended_messages;
    i->extended_next_hop = p->extended_next_hop;
    i->import_outdated = p->open.import_outdated;
    i->update_group = adjout_group_number(s, p);
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        i->families[f] = p->families[f];
        i->prefixes_sent[f] = adjout_count(s, p, (enum bgp_family)f);
        i->prefixes_best[f] = rib_best_count(s, p, (enum bgp_family)f);
    }
}

static void fill(const struct bgp_speaker *s, const struct peer *p, struct bgp_peer_info *i) {
    memset(i, 0, sizeof *i);
    i->id.index = p->index;
    i->config = p->config;
    i->state = (enum bgp_state)p->state;
    i->dynamic = p->dynamic;
    i->waiting_for_lock = p->waiting_for_lock;
    i->admin_down = p->config->shutdown || s->stopping;
    i->prefix_limit_down = p->prefix_limit_down;
    i->since = p->since;
    i->remote_id = p->remote_id;
    i->sent = p->sent;
    i->received = p->received;
    i->established_count = p->established_count;
    i->dropped_count = p->established_count - (p->conn != 0);
    i->last_reason = (enum bgp_down_reason)p->last_reason;
    i->last_code = p->last_code;
    i->last_subcode = p->last_subcode;
    i->last_sent = p->last_sent;
    const struct peer_history *h = peer_history(s, p);
    i->last_error = h->last_error ? h->last_error : "";
    i->last_reset = h->last_reset;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        i->prefixes_received[f] = rib_received_count(s, p, (enum bgp_family)f);
        i->prefixes_accepted[f] = rib_accepted_count(s, p, (enum bgp_family)f);
        i->path_ids[f] = p->add_path[f] & BGP_ADD_PATH_RECEIVE;
        i->import_policy_missing[f] = rib_policy_missing(s, p, &p->config->options->import[f]);
        i->export_policy_missing[f] = rib_policy_missing(s, p, &p->config->options->export[f]);
    }
    if (p->state == BGP_ESTABLISHED)
        fill_session(s, p, i);
}

bool bgp_peer_at(const struct bgp_speaker *s, uint32_t n, struct bgp_peer_info *ret_info) {
    if (n >= s->peer_count)
        return false;
    fill(s, speaker_peer(s, s->peer_order[n]), ret_info);
    return true;
}

bool bgp_peer_get(const struct bgp_speaker *s, struct bgp_peer_id id,
                  struct bgp_peer_info *ret_info) {
    const struct peer *p = find(s, id);
    if (p)
        fill(s, p, ret_info);
    return p != NULL;
}

const struct bgp_neighbor *bgp_peer_config(const struct bgp_speaker *s, struct bgp_peer_id id) {
    const struct peer *p = find(s, id);
    return p ? p->config : NULL;
}

const struct bgp_neighbor *bgp_peer_config_at(const struct bgp_speaker *s, uint32_t n) {
    return n < s->configured ? speaker_peer(s, s->peer_order[n])->config : NULL;
}

const struct bgp_neighbor *bgp_peer_config_of_call(const struct bgp_speaker *s,
                                                   struct ip_addr remote, struct ip_addr local) {
    const struct peer *found = peer_by_address(s, remote);
    const struct peer *p = found;
    while (p && !ip_equal(p->config->options->local_addr, local))
        p = peer_next_by_address(s, p);
    if (p || found)
        return (p ? p : found)->config;
    const struct bgp_listen_range *range = bgp_config_range_of(s->config, remote);
    return range ? s->templates[range - s->config->listen_ranges] : NULL;
}

void bgp_counters_get(const struct bgp_speaker *s, struct bgp_counters *ret_counters) {
    struct bgp_counters c = {
        .established_count = s->established_count,
        .dropped_count = s->dropped_count,
        .updates_received = s->updates_received,
        .updates_sent = s->updates_sent,
        .established_first = s->established_first,
        .established_last = s->established_last,
        .update_last = s->update_last,
        .update_groups = adjout_group_count(s),
        .malformed_updates = s->malformed_updates,
        .routes_too_long = s->routes_too_long,
        .attr_sets = s->attrs.sets.used,
    };
    memcpy(c.sessions, s->sessions, sizeof c.sessions);
    rib_counters(s, &c);
    *ret_counters = c;
}

/* ---- what the tables ask of a session ---- */

void peer_output(struct bgp_speaker *s, struct peer *p) {
    if (p->conn)
        conn_output(s, conn_at(s, p->conn));
}

bool peer_request_refresh(struct bgp_speaker *s, struct peer *p, enum bgp_family f) {
    uint8_t message[BGP_HEADER_SIZE + 4];
    const struct bgp_refresh refresh = {.afi = family_afi(f), .safi = 1};
    if (!p->conn || !p->refresh || !p->families[f])
        return false;
    size_t size = refresh_encode(&refresh, message, sizeof message);
    if (!conn_send(s, conn_at(s, p->conn), message, size))
        return false;
    p->sent.refreshes++;
    return true;
}

bool peer_ask_again(struct bgp_speaker *s, struct peer *p, enum bgp_family f) {
    bool asked = peer_request_refresh(s, p, f);
    if (!asked && p->conn && p->families[f]) {
        p->open.import_outdated = true;
        event_log(s, p->index, BGP_LOG_IMPORT_OUTDATED, f, 0, p->config->remote_addr);
    }
    return asked;
}

/* ---- clear ---- */

static void clear_hard(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    static const struct session_cause cause = {
        .error = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_RESET},
        .reason = BGP_DOWN_ADMIN_RESET};
    if (p->started || p->prefix_limit_down)
        peer_reset(s, p, &cause, now);
}

/* RFC 9384 3. What cannot be forwarded to is not kept over a restart either. */
static void bfd_down(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    static const struct session_cause cause = {
        .error = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_BFD_DOWN}, .reason = BGP_DOWN_BFD};
    if (p->conn)
        peer_reset(s, p, &cause, now);
}

static void clear_peer(struct bgp_speaker *s, struct peer *p, enum bgp_clear how,
                       struct nanotime now) {
    if (how == BGP_CLEAR_HARD) {
        clear_hard(s, p, now);
        return;
    }
    if (how == BGP_CLEAR_BFD_DOWN) {
        bfd_down(s, p, now);
        return;
    }
    for (unsigned i = 0; p->conn && i < BGP_FAMILIES; i++) {
        enum bgp_family f = (enum bgp_family)i;
        if (!p->families[f])
            continue;
        if (how == BGP_CLEAR_SOFT_OUT)
            adjout_refresh(s, p, f);
        else if (p->config->options->soft_reconfiguration || !peer_ask_again(s, p, f))
            (void)rib_reimport(s, p);
    }
}

enum bgp_status bgp_clear(struct bgp_speaker *s, struct bgp_peer_id peer, enum bgp_clear how,
                          struct nanotime now) {
    if (peer.index) {
        struct peer *p = find(s, peer);
        if (!p)
            return BGP_UNKNOWN;
        clear_peer(s, p, how, now);
        return BGP_OK;
    }
    for (uint32_t i = 0; i < s->peer_count; i++)
        clear_peer(s, speaker_peer(s, s->peer_order[i]), how, now);
    return BGP_OK;
}
