/*
 * Why a route passes or does not: a dry run of policy with a trace, in words.
 *
 * Owns the text of bgp_explain and nothing it talks about: import runs the checks of rib_import.c
 * and the peer's chain over what is held, export runs export.c over the best path, as for the
 * update group the peer is in or would be in. Changes nothing.
 *
 * Without soft reconfiguration a refused route is not held; then the chain is run on the prefix
 * alone, and the text says so.
 */
#include "../base/arena.h"
#include "../base/text.h"
#include "adjout.h"
#include "export.h"
#include "rib.h"

#include <string.h>

static const struct peer *find_peer(const struct bgp_speaker *s, struct bgp_peer_id id) {
    for (uint32_t i = 0; i < s->peer_count; i++) {
        if (s->peer_order[i] == id.index) {
            return speaker_peer(s, id.index);
        }
    }
    return NULL;
}

static void run_import(const struct bgp_speaker *s, const struct peer *p, struct policy_route *r,
                       struct text *out) {
    const struct policy_chain *chain = &p->config->options->import[rib_prefix_family(r->prefix)];
    bool no_memory = false;
    if (rib_policy_missing(s, p, chain)) {
        text_puts(out, "rejected: external session without import policy (RFC 8212)\n");
        return;
    }
    bool passes = policy_run(s->config, chain, r, out, &no_memory);
    text_puts(out, no_memory ? "out of memory\n" : passes ? "accepted\n" : "rejected\n");
}

static void explain_import(const struct bgp_speaker *s, const struct peer *p,
                           struct ip_prefix prefix, struct arena *arena, struct text *out) {
    enum bgp_family f = rib_prefix_family(prefix);
    uint32_t entry = rib_entry_find(s, f, prefix);
    uint32_t path = entry ? rib_path_find(s, f, entry, p->index, ROUTE_SOURCE_BGP, 0) : 0;
    struct policy_route r = {.prefix = prefix,
                             .source = ROUTE_SOURCE_BGP,
                             .interface = "",
                             .metric = UINT32_MAX,
                             .external = p->external,
                             .arena = arena};
    if (!path || rib_path_doomed(s, f, rib_path_at(s, path))) {
        text_printf(out, "no path from %s is held; policy is run on the prefix alone\n",
                    p->config->name);
        run_import(s, p, &r, out);
        return;
    }
    uint32_t raw = rib_side_get(&s->rib->raw, path);
    if (!raw) {
        text_puts(out, "run on the attributes as accepted (no soft reconfiguration)\n");
    }
    r.attrs = attr_get(&s->attrs, raw ? raw : rib_path_at(s, path)->attrs)->v;
    const char *obstacle = raw ? rib_import_obstacle(s, p, &r.attrs) : NULL;
    if (obstacle) {
        text_printf(out, "rejected: %s\n", obstacle);
        return;
    }
    if (raw && !rib_import_prepare(s, p, arena, &r.attrs)) {
        text_puts(out, "rejected: AS_PATH is too long\n");
        return;
    }
    run_import(s, p, &r, out);
}

static void explain_export(const struct bgp_speaker *s, const struct peer *p,
                           struct ip_prefix prefix, struct arena *arena, struct text *out) {
    enum bgp_family f = rib_prefix_family(prefix);
    uint32_t entry = rib_entry_find(s, f, prefix);
    struct export_key key;
    struct attr_values v;
    if (!entry || !rib_entry_at(s, f, entry)->best_attrs) {
        text_puts(out, "not sent: there is no best path\n");
        return;
    }
    struct adjout_route r = rib_entry_route(s, f, entry);
    if (r.source_peer == p->index) {
        text_puts(out, "not sent: the best path was learned from this peer\n");
        return;
    }
    export_key_make(s, p, &key);
    if (p->state != BGP_ESTABLISHED) {
        text_puts(out, "the session is not established; as it would be\n");
        memcpy(key.families, p->config->options->families, sizeof key.families);
        if (!ip_is_set(key.local_addr)) { /* its value does not decide, its family does */
            key.local_addr = p->config->remote_addr;
        }
    }
    switch (export_route(s, &key, p->config->options, &r, arena, out, &v)) {
    case EXPORT_SEND:
        text_puts(out, "sent\n");
        break;
    case EXPORT_WITHHOLD:
    case EXPORT_TOO_LONG:
        text_puts(out, "not sent\n");
        break;
    case EXPORT_NO_MEMORY:
        text_puts(out, "out of memory\n");
        break;
    }
}

enum bgp_status bgp_explain(const struct bgp_speaker *s, struct bgp_peer_id peer, bool import,
                            struct ip_prefix prefix, struct text *out) {
    const struct peer *p = find_peer(s, peer);
    if (!p) {
        return BGP_UNKNOWN;
    }
    if (!ip_is_set(prefix.addr) || !ip_prefix_is_masked(prefix)) {
        return BGP_INVALID;
    }
    struct arena *arena = arena_new();
    if (!arena) {
        return BGP_NO_MEMORY;
    }
    if (import) {
        explain_import(s, p, prefix, arena, out);
    } else {
        explain_export(s, p, prefix, arena, out);
    }
    arena_free(arena);
    return BGP_OK;
}
