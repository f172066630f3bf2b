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

/* `r` has no attributes yet. */
static void explain_path(const struct bgp_speaker *s, const struct peer *p, uint32_t path,
                         struct policy_route r, struct text *out) {
    uint32_t path_id = rib_side_get(&s->rib->ids, path);
    if (path_id) { /* RFC 7911 */
        text_printf(out, "path %u: ", path_id);
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
    if (raw && !rib_import_prepare(s, p, r.arena, &r.attrs)) {
        text_puts(out, "rejected: AS_PATH is too long\n");
        return;
    }
    run_import(s, p, &r, out);
}

static void explain_import(const struct bgp_speaker *s, const struct peer *p,
                           struct ip_prefix prefix, struct arena *arena, struct text *out) {
    enum bgp_family f = rib_prefix_family(prefix);
    uint32_t entry = rib_entry_find(s, f, prefix);
    bool held = false;
    struct policy_route r = {.prefix = prefix,
                             .source = ROUTE_SOURCE_BGP,
                             .interface = "",
                             .metric = UINT32_MAX,
                             .external = p->external,
                             .arena = arena};
    for (uint32_t i = entry ? rib_entry_at(s, f, entry)->paths : 0; i;
         i = rib_path_at(s, i)->next) {
        if (rib_path_at(s, i)->peer == p->index && !rib_path_doomed(s, f, rib_path_at(s, i))) {
            explain_path(s, p, i, r, out);
            held = true;
        }
    }
    if (!held) {
        text_printf(out, "no path from %s is held; policy is run on the prefix alone\n",
                    p->config->name);
        run_import(s, p, &r, out);
    }
}

/* Of a session that is not there: what it would be sent. */
static void make_key(const struct bgp_speaker *s, const struct peer *p, struct export_key *key) {
    export_key_make(s, p, key);
    if (p->state != BGP_ESTABLISHED) {
        memcpy(key->families, p->config->options->families, sizeof key->families);
        if (!ip_is_set(key->local_addr)) { /* its value does not decide, its family does */
            key->local_addr = p->config->remote_addr;
        }
    }
}

static void say_as_it_would_be(const struct peer *p, struct text *out) {
    if (p->state != BGP_ESTABLISHED) {
        text_puts(out, "the session is not established; as it would be\n");
    }
}

/* RFC 7911: what was said is about the best path alone. */
static void say_paths(const struct bgp_speaker *s, const struct peer *p, struct ip_prefix prefix,
                      struct text *out) {
    const struct bgp_peer_id id = {p->index};
    struct bgp_adj_out it = {0};
    uint32_t count = 0;
    if (p->state != BGP_ESTABLISHED ||
        !(p->add_path[rib_prefix_family(prefix)] & BGP_ADD_PATH_SEND)) {
        return;
    }
    while (bgp_adj_out_next(s, id, prefix, &it)) {
        count++;
    }
    text_printf(out, "path identifiers, %u paths of it are sent\n", count);
}

/* As the group's members are told it; but of a session that is not there ours may stand for it. */
static bool goes_to_its_next_hop(const struct bgp_speaker *s, const struct export_key *key,
                                 const struct peer *p, const struct adjout_route *r,
                                 const struct attr_values *v) {
    return export_spares(s, r->source_peer) && ip_equal(v->next_hop, p->config->remote_addr) &&
           !ip_equal(v->next_hop, key->local_addr);
}

static void explain_export(const struct bgp_speaker *s, const struct peer *p,
                           struct ip_prefix prefix, struct arena *arena, struct text *out) {
    enum bgp_family f = rib_prefix_family(prefix);
    uint32_t entry = rib_entry_find(s, f, prefix);
    struct adjout_route r = {.prefix = prefix};
    struct export_key key;
    struct attr_values v;
    enum export_result result;
    make_key(s, p, &key);
    if (entry) {
        r = rib_entry_route(s, f, entry);
    }
    if (prefix.length == 0 && key.default_originate[f] && key.families[f]) {
        say_as_it_would_be(p, out);
        text_puts(out, "default-originate stands in for what the table has\n");
        result = export_default(s, &key, f, arena, &v);
    } else if (!r.attrs) { /* also one that is about to be withdrawn */
        text_puts(out, "not sent: there is no best path\n");
        return;
    } else if (r.source_peer == p->index) {
        text_puts(out, "not sent: the best path was learned from this peer\n");
        return;
    } else {
        say_as_it_would_be(p, out);
        result = export_route(s, &key, p->config->options, &r, arena, out, &v);
        if (result == EXPORT_SEND && goes_to_its_next_hop(s, &key, p, &r, &v)) {
            text_puts(out, r.source_peer ? "not sent: the next hop is the neighbor's own address\n"
                                         : "not sent: the next hop is the neighbor's own address "
                                           "(RFC 4271 5.1.3)\n");
            result = EXPORT_WITHHOLD;
        }
    }
    switch (result) {
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
        say_paths(s, p, prefix, out);
    }
    arena_free(arena);
    return BGP_OK;
}
