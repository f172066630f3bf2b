/*
 * Log lines: what IOS writes when a session comes, goes, or is refused.
 *
 * Owns: wording and order of the lines of one event, and the timestamp as `service timestamps`
 * asks. Leaves: buffers and terminals to the host.
 *
 * IOS: a line about a session that was not established names the side (" active", " passive"); the
 * side is known from the NOTIFICATION that went before.
 */
#include "ios_log.h"
#include "ios_show.h"
#include "ios_terminal.h"
#include "ios_time.h"

#include "../base/arena.h"
#include "../core/message.h"

#include <string.h>

static const struct reason {
    const char *text; /* in ADJCHANGE, NBR_RESET and BGP_SESSION */
    bool reset;       /* NBR_RESET comes first */
} REASONS[] = {
    [BGP_DOWN_NONE] = {"", false},
    [BGP_DOWN_NOTIFICATION_SENT] = {"BGP Notification sent", true},
    [BGP_DOWN_NOTIFICATION_RECEIVED] = {"BGP Notification received", true},
    [BGP_DOWN_PEER_CLOSED] = {"Peer closed the session", true},
    [BGP_DOWN_CONNECT_FAILED] = {"Active open failed", false},
    [BGP_DOWN_COLLISION] = {"Error during connection collision", false},
    [BGP_DOWN_ADMIN_SHUTDOWN] = {"Admin. shutdown", true},
    [BGP_DOWN_ADMIN_RESET] = {"User reset", false},
    [BGP_DOWN_DECONFIGURED] = {"Neighbor deleted", false},
    [BGP_DOWN_CONFIG_CHANGE] = {"Capability changed", false},
    [BGP_DOWN_RR_CLIENT_CHANGE] = {"RR client config change", false},
    [BGP_DOWN_PREFIX_LIMIT] = {"BGP Notification sent", true},
    [BGP_DOWN_INTERFACE] = {"Interface flap", true},
    [BGP_DOWN_BFD] = {"BFD adjacency down", false},
    [BGP_DOWN_NO_ROUTE] = {"Route to peer lost", true},
    [BGP_DOWN_ROUTER_ID_CHANGE] = {"Router ID changed", false},
    [BGP_DOWN_CLUSTER_ID_CHANGE] = {"Cluster ID changed", false},
    [BGP_DOWN_CONFEDERATION_CHANGE] = {"Confederation identifier changed", false},
    [BGP_DOWN_REMOTE_AS_CHANGE] = {"Remote AS changed", false},
    [BGP_DOWN_LOCAL_AS_CHANGE] = {"Local AS change", false},
    [BGP_DOWN_SOURCE_CHANGE] = {"Update source change", false},
    [BGP_DOWN_MULTIHOP_CHANGE] = {"Multihop config change", false},
    [BGP_DOWN_FAMILIES_CHANGE] = {"Address family activated", false},
    [BGP_DOWN_CAPABILITY_CHANGE] = {"Capability changed", false},
};

static const struct {
    uint8_t code, subcode;
    const char *text;
} PHRASES[] = {
    {1, 1, "connection not synchronized"},
    {1, 2, "bad message length"},
    {1, 3, "bad message type"},
    {2, 1, "unsupported version"},
    {2, 2, "peer in wrong AS"},
    {2, 3, "BGP identifier wrong"},
    {2, 4, "unsupported optional parameter"},
    {2, 5, "authentication failure"},
    {2, 6, "unacceptable hold time"},
    {2, 7, "unsupported/disjoint capability"},
    {2, 8, "no supported AFI/SAFI"},
    {3, 1, "update malformed"},
    {3, 5, "attribute length error"},
    {3, 8, "invalid nexthop"},
    {3, 10, "illegal network"},
    {3, 11, "invalid or corrupt AS path"},
    {4, 0, "hold time expired"},
    {6, 1, "Maximum Number of Prefixes Reached"},
    {6, 2, "Administrative Shutdown"},
    {6, 3, "Peer De-configured"},
    {6, 4, "Administrative Reset"},
    {6, 5, "Connection Rejected"},
    {6, 6, "Other Configuration Change"},
    {6, 7, "Connection Collision Resolution"},
    {6, 8, "Out of Resources"},
};

/* ---- head of a line ---- */

static void put_stamp(struct ios_router *r, const struct ios_view *view, struct text *out) {
    const struct ios_stmt *s = ios_block_first(r->root, "service", "timestamps", "log");
    const struct ios_stmt *numbers = ios_block_first(r->root, "service", "sequence-numbers", NULL);
    if (numbers && !numbers->negated)
        text_printf(out, "%06u: ", ++r->log_sequence);
    if (s && s->negated)
        return;
    if (s && ios_stmt_has(s, 3, "uptime")) {
        ios_time_age(nanotime_since(view->now, view->booted), out);
    } else {
        /* The clock is not set by NTP: IOS marks the time with a star. */
        text_putc(out, '*');
        ios_time_log(view->wall_ms, !s || ios_stmt_has(s, 3, "msec"),
                     s && ios_stmt_has(s, 3, "year"), out);
        if (s && ios_stmt_has(s, 3, "show-timezone"))
            text_puts(out, " UTC");
    }
    text_puts(out, ": ");
}

static void put_peer(const struct ios_log_peer *p, struct text *out) {
    text_puts(out, p->dynamic ? "*" : "");
    ios_put_addr(p->addr, out);
}

static const char *side(bool established, bool incoming) {
    return established ? "" : incoming ? " passive" : " active";
}

/* ---- events ---- */

static void log_up(struct ios_router *r, const struct ios_view *view, const struct ios_log_peer *p,
                   struct text *out) {
    put_stamp(r, view, out);
    text_puts(out, "%BGP-5-ADJCHANGE: neighbor ");
    put_peer(p, out);
    text_puts(out, " Up \n");
}

static void log_down(struct ios_router *r, const struct ios_view *view,
                     const struct ios_log_peer *p, const char *where, const char *reason,
                     struct text *out) {
    put_stamp(r, view, out);
    text_puts(out, "%BGP-5-ADJCHANGE: neighbor ");
    put_peer(p, out);
    text_printf(out, "%s Down %s\n", where, reason);
}

static void log_session(struct ios_router *r, const struct ios_view *view,
                        const struct ios_log_peer *p, const char *reason, struct text *out) {
    static const char *const NAMES[] = {"IPv4 Unicast", "IPv6 Unicast"};
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (!p->families[f])
            continue;
        put_stamp(r, view, out);
        text_puts(out, "%BGP_SESSION-5-ADJCHANGE: neighbor ");
        put_peer(p, out);
        text_printf(out, " %s topology base removed from session  %s\n", NAMES[f], reason);
    }
}

static void log_state(struct ios_router *r, const struct ios_view *view, const struct bgp_event *e,
                      const struct ios_log_peer *p, struct text *out) {
    if (e->state.new_state == BGP_ESTABLISHED) {
        log_up(r, view, p, out);
        return;
    }
    const struct ios_last_notified *last = &r->last_notified;
    bool was_up = e->state.old_state == BGP_ESTABLISHED;
    bool noted = last->peer == e->peer.index && e->peer.index != 0;
    if (e->state.reason == BGP_DOWN_NONE || e->state.reason == BGP_DOWN_CONNECT_FAILED ||
        (!was_up && (!noted || e->state.new_state != BGP_IDLE)))
        return;
    const struct reason *why = &REASONS[e->state.reason];
    const char *where = side(was_up, noted && last->incoming);
    if (why->reset) {
        put_stamp(r, view, out);
        text_puts(out, "%BGP-5-NBR_RESET: Neighbor ");
        put_peer(p, out);
        text_printf(out, "%s reset (%s)\n", where, why->text);
    }
    /* IOS: of a deleted neighbour the family goes first. */
    bool deleted = e->state.reason == BGP_DOWN_DECONFIGURED;
    if (was_up && deleted)
        log_session(r, view, p, why->text, out);
    log_down(r, view, p, where, why->text, out);
    if (was_up && !deleted && e->state.reason != BGP_DOWN_ADMIN_SHUTDOWN)
        log_session(r, view, p, why->text, out);
    r->last_notified.peer = 0;
}

const char *ios_log_phrase(uint8_t code, uint8_t subcode) {
    for (size_t i = 0; i < sizeof PHRASES / sizeof *PHRASES; i++)
        if (PHRASES[i].code == code && PHRASES[i].subcode == subcode)
            return PHRASES[i].text;
    const char *name = bgp_suberror_name(code, subcode);
    return *name ? name : bgp_error_name(code);
}

static void log_notified(struct ios_router *r, const struct ios_view *view,
                         const struct bgp_event *e, const struct ios_log_peer *p,
                         struct text *out) {
    bool up = e->notified.in_state == BGP_ESTABLISHED;
    uint16_t size = e->notified.size;
    r->last_notified = (struct ios_last_notified){
        .peer = e->peer.index, .incoming = e->notified.incoming, .established = up};
    put_stamp(r, view, out);
    text_printf(out, "%%BGP-3-NOTIFICATION: %s neighbor ",
                e->notified.sent ? "sent to" : "received from");
    put_peer(p, out);
    text_printf(out, "%s %u/%u (%s) %u bytes ", side(up, e->notified.incoming), e->notified.code,
                e->notified.subcode, ios_log_phrase(e->notified.code, e->notified.subcode), size);
    for (uint16_t i = 0; i < size && i < BGP_NOTIFICATION_DATA_MAX; i++)
        text_printf(out, "%s%02X", i && i % 4 == 0 ? " " : "", e->notified.data[i]);
    text_putc(out, '\n');
}

static void log_message(struct ios_router *r, const struct ios_view *view,
                        const struct ios_log_peer *p, const char *id, uint8_t type,
                        const uint8_t *body, uint32_t size, struct text *out) {
    put_stamp(r, view, out);
    text_printf(out, "%%BGP-%s: unsupported or mal-formatted message received from ", id);
    put_peer(p, out);
    text_puts(out, ": \n");
    ios_log_put_message(type, body, size, out);
}

/* IOS shows the OPEN it refused. */
static void log_notification(struct ios_router *r, const struct ios_view *view,
                             const struct bgp_event *e, const struct ios_log_peer *p,
                             struct text *out) {
    uint32_t size = 0;
    log_notified(r, view, e, p, out);
    if (!e->notified.sent || e->notified.code != BGP_ERR_OPEN)
        return;
    const uint8_t *open = bgp_refused_open(view->speaker, e->peer, &size);
    if (open)
        log_message(r, view, p, "4-MSGDUMP", BGP_MSG_OPEN, open, size, out);
}

static void log_prefixes(struct ios_router *r, const struct ios_view *view,
                         const struct bgp_event *e, const struct ios_log_peer *p,
                         struct text *out) {
    bool exceeded = e->log.id == BGP_LOG_PREFIX_EXCEEDED;
    put_stamp(r, view, out);
    text_printf(out, "%%BGP-%s: No. of prefix received from ",
                exceeded ? "3-MAXPFXEXCEED" : "4-MAXPFX");
    put_peer(p, out);
    text_printf(out,
                exceeded ? " (afi %u): %llu exceed limit %llu\n"
                         : " (afi %u) reaches %llu, max %llu\n",
                (unsigned)e->log.family, (unsigned long long)e->log.value1,
                (unsigned long long)e->log.value2);
}

/* The UPDATE an event is about; false: it is not kept any more. */
static bool malformed_find(const struct bgp_speaker *s, uint32_t number,
                           struct bgp_malformed *ret) {
    for (uint32_t n = 0; bgp_malformed_at(s, n, ret); n++)
        if (ret->number == number)
            return ret->body != NULL;
    return false;
}

static void log_malformed(struct ios_router *r, const struct ios_view *view,
                          const struct bgp_event *e, const struct ios_log_peer *p,
                          struct text *out) {
    struct bgp_malformed m;
    struct bgp_peer_info info;
    bool kept = malformed_find(view->speaker, e->log.number, &m);
    if (kept)
        log_message(r, view, p, "6-MSGDUMP_LIMIT", BGP_MSG_UPDATE, m.body, m.size, out);
    put_stamp(r, view, out);
    text_puts(out, "%BGP-6-MALFORMEDATTR: Malformed attribute in (BGP(0) Prefixes: ");
    if (kept && bgp_peer_get(view->speaker, e->peer, &info))
        ios_log_put_prefixes(&info, m.body, m.size, out);
    text_puts(out, ") received from ");
    put_peer(p, out);
    text_puts(out, ",\n");
}

/* ---- whom an event is about ---- */

static bool remember(struct ios_router *r, uint32_t index, const struct ios_log_peer *p) {
    if (index >= r->log_peer_count) {
        size_t count = (size_t)index * 2 + 8;
        struct ios_log_peer *grown = alloc_resize(r->log_peers, count, sizeof *grown);
        if (!grown)
            return false;
        memset(grown + r->log_peer_count, 0, (count - r->log_peer_count) * sizeof *grown);
        r->log_peers = grown;
        r->log_peer_count = (uint32_t)count;
    }
    r->log_peers[index] = *p;
    return true;
}

/* A neighbour that was deleted is gone before its last lines are written: whoever came up is
 * remembered. False: nobody knows it. */
static bool peer_of(struct ios_router *r, const struct ios_view *view, const struct bgp_event *e,
                    struct ios_log_peer *ret_peer) {
    struct bgp_peer_info info;
    if (!view->speaker || !e->peer.index)
        return false;
    if (bgp_peer_get(view->speaker, e->peer, &info)) {
        *ret_peer =
            (struct ios_log_peer){.addr = info.config->remote_addr, .dynamic = info.dynamic};
        memcpy(ret_peer->families, info.config->options->families, sizeof ret_peer->families);
        bool up = e->kind == BGP_EVENT_STATE && e->state.new_state == BGP_ESTABLISHED;
        return !up || remember(r, e->peer.index, ret_peer);
    }
    if (e->peer.index >= r->log_peer_count)
        return false;
    *ret_peer = r->log_peers[e->peer.index];
    return ip_is_set(ret_peer->addr);
}

void ios_log_event(struct ios_router *r, const struct ios_view *view, const struct bgp_event *e,
                   struct text *out) {
    struct ios_log_peer peer;
    const struct ios_log_peer *p = &peer;
    if (!peer_of(r, view, e, &peer))
        return;
    /* IOS: maximum-prefix and malformed attributes are logged whatever log-neighbor-changes says.
     */
    bool changes = bgp_config_of(view->speaker)->log_neighbor_changes;
    if (e->kind == BGP_EVENT_STATE && changes)
        log_state(r, view, e, p, out);
    else if (e->kind == BGP_EVENT_NOTIFIED && changes)
        log_notification(r, view, e, p, out);
    else if (e->kind == BGP_EVENT_LOG &&
             (e->log.id == BGP_LOG_PREFIX_WARNING || e->log.id == BGP_LOG_PREFIX_EXCEEDED))
        log_prefixes(r, view, e, p, out);
    else if (e->kind == BGP_EVENT_LOG && e->log.id == BGP_LOG_MALFORMED_UPDATE)
        log_malformed(r, view, e, p, out);
}

/* ---- the router itself ---- */

void ios_log_configured(struct ios_router *r, const struct ios_view *view,
                        const struct ios_terminal *t) {
    put_stamp(r, view, &r->log);
    text_puts(&r->log, "%SYS-5-CONFIG_I: Configured from console by ");
    if (!t || strncmp(t->name, "con", 3) == 0)
        text_printf(&r->log, "%s\n", t && t->user[0] ? t->user : "console");
    else
        text_printf(&r->log, "%s%svty%s (%s)\n", t->user, t->user[0] ? " on " : "", t->name + 4,
                    t->remote);
}

void ios_configured(struct ios_router *r, const struct ios_view *view) {
    ios_log_configured(r, view, NULL);
}

void ios_take_log(struct ios_router *r, struct text *out) {
    text_put(out, text_str(&r->log), r->log.size);
    text_clear(&r->log);
}

void ios_log_bad_signature(struct ios_router *r, const struct ios_view *view, bool missing,
                           struct ip_addr from, uint16_t from_port, struct ip_addr to,
                           uint16_t to_port, struct text *out) {
    put_stamp(r, view, out);
    text_printf(out, "%%TCP-6-BADAUTH: %s MD5 digest from ", missing ? "No" : "Invalid");
    ios_put_addr(from, out);
    text_printf(out, "(%u) to ", from_port);
    ios_put_addr(to, out);
    text_printf(out, "(%u) tableid - 0\n", to_port);
}
