/*
 * Why a node has the route it has, or why it has none: the last hop that has it and the first that
 * does not, and the rule that stopped it there.
 *
 * Breadth-first from the node over its sessions until somebody has the prefix; the hop between that
 * one and the next is asked again, this time for words. Runs on a finished oracle only.
 */

#include "oracle_internal.h"

#include "../../speaker/base/text.h"

#include <string.h>

#define CHAIN_MAX 64

static const char *name_of(const struct oracle *o, uint32_t node) {
    return o->in.nodes[node].name;
}

static void explain_present(const struct oracle *o, uint32_t node, struct ip_prefix prefix,
                            struct text *out) {
    uint32_t chain[CHAIN_MAX], length = 0;
    for (uint32_t at = node; length < CHAIN_MAX; length++) {
        chain[length] = at;
        const struct oracle_route *r = oracle_find(o, at, prefix);
        if (!r || r->from_node == at) {
            length++;
            break;
        }
        at = r->from_node;
    }
    for (uint32_t i = length; i > 0; i--)
        text_printf(out, "%s%s", name_of(o, chain[i - 1]), i > 1 ? " -> " : "");
}

struct search {
    uint32_t *queue, *toward; /* toward[n]: the node one hop nearer to the asking one */
    uint32_t head, tail;
};

static bool search_init(struct oracle *o, struct search *s, uint32_t from) {
    size_t n = o->in.node_count;
    s->queue = arena_array(o->arena, n + 1, sizeof *s->queue);
    s->toward = arena_array(o->arena, n + 1, sizeof *s->toward);
    if (!s->queue || !s->toward)
        return false;
    memset(s->toward, 0xff, n * sizeof *s->toward);
    s->toward[from] = from;
    s->queue[s->tail++] = from;
    return true;
}

/* The nearest node that has the prefix, over sessions that are up; UINT32_MAX: nobody reachable. */
static uint32_t nearest_holder(const struct oracle *o, struct search *s, struct ip_prefix prefix) {
    while (s->head < s->tail) {
        uint32_t at = s->queue[s->head++];
        if (oracle_find(o, at, prefix))
            return at;
        const struct oracle_state *st = &o->states[at];
        for (uint32_t i = 0; i < st->end_count; i++) {
            uint32_t next = st->ends[i].neighbor;
            if (s->toward[next] != UINT32_MAX)
                continue;
            s->toward[next] = at;
            s->queue[s->tail++] = next;
        }
    }
    return UINT32_MAX;
}

/* Why holder `u` does not get the prefix to `v`. */
static void explain_hop(struct oracle *o, uint32_t u, uint32_t v, struct ip_prefix prefix,
                        struct text *out) {
    uint32_t index = oracle_prefix_index(o, prefix);
    const struct oracle_state *s = &o->states[u];
    const struct oracle_path *best = oracle_outcome_of(o, u, index)->best;
    for (uint32_t i = 0; i < s->end_count; i++) {
        const struct oracle_end *e = &s->ends[i];
        if (e->neighbor != v || !e->families[prefix.addr.family == IP_V6])
            continue;
        const char *rule = "";
        const struct attr_values *sent = oracle_export(o, u, e, best, prefix, &rule);
        if (!sent) {
            text_printf(out, "%s -> %s: not sent: %s", name_of(o, u), name_of(o, v), rule);
            return;
        }
        uint32_t far = o->states[v].by_config_peer[e->neighbor_peer];
        if (!far)
            continue;
        struct oracle_path *p = oracle_import(o, v, far - 1, sent, prefix, &rule);
        text_printf(out, "%s -> %s: %s: %s", name_of(o, u), name_of(o, v),
                    p ? "not usable" : "refused on import", rule);
        return;
    }
    text_printf(out, "%s -> %s: no session", name_of(o, u), name_of(o, v));
}

static void explain_unreachable(const struct oracle *o, uint32_t node, struct ip_prefix prefix,
                                struct text *out) {
    for (uint32_t i = 0; i < o->in.node_count; i++) {
        if (!oracle_find(o, i, prefix))
            continue;
        text_printf(out, "%s has it, but no chain of sessions leads from there to %s",
                    name_of(o, i), name_of(o, node));
        return;
    }
    text_puts(out, "nobody originates it");
}

void oracle_explain(struct oracle *o, uint32_t node, struct ip_prefix prefix, struct text *out) {
    if (oracle_find(o, node, prefix)) {
        explain_present(o, node, prefix, out);
        return;
    }
    struct search s = {0};
    if (!search_init(o, &s, node))
        return;
    uint32_t holder = nearest_holder(o, &s, prefix);
    if (holder == UINT32_MAX)
        explain_unreachable(o, node, prefix, out);
    else
        explain_hop(o, holder, s.toward[holder], prefix, out);
}

void oracle_follow(struct oracle *o, uint32_t node, uint32_t peer, struct ip_prefix prefix,
                   const struct oracle_tracer *on_export, const struct oracle_tracer *on_import,
                   struct oracle_passage *ret_passage) {
    struct oracle_passage p = {.export_rule = "", .import_rule = ""};
    const struct oracle_state *s = &o->states[node];
    uint32_t index = oracle_prefix_index(o, prefix), at = s->by_config_peer[peer];
    const struct oracle_end *e = at ? &s->ends[at - 1] : NULL;
    p.session = e != NULL;
    const struct oracle_path *best =
        index != UINT32_MAX ? oracle_outcome_of(o, node, index)->best : NULL;
    p.known = best != NULL;
    if (p.session && p.known) {
        p.neighbor = e->neighbor;
        o->tracer = on_export;
        const struct attr_values *sent = oracle_export(o, node, e, best, prefix, &p.export_rule);
        uint32_t far = o->states[e->neighbor].by_config_peer[e->neighbor_peer];
        p.sent = sent != NULL;
        o->tracer = on_import;
        struct oracle_path *path =
            sent && far ? oracle_import(o, e->neighbor, far - 1, sent, prefix, &p.import_rule)
                        : NULL;
        p.accepted = path != NULL;
        p.attrs = path ? path->attrs : NULL;
        o->tracer = NULL;
    }
    *ret_passage = p;
}
