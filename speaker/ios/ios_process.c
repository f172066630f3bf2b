/*
 * The running-config as a struct bgp_config: what `router bgp` says of the process as a whole.
 *
 * Owns: the router id, best path rules, confederation, multipath, dampening, timers.
 */
#include "ios_compile.h"

#include "../base/diag.h"

#include <stdio.h>
#include <string.h>

static bool is_loopback(const struct ios_interface *i) {
    return strncmp(i->name, "Loopback", strlen("Loopback")) == 0;
}

/* The highest address of a loopback, else of any interface that is up. */
static struct ip_addr highest_address(const struct ios_interface *list, size_t count,
                                      bool loopbacks) {
    struct ip_addr best = {.family = IP_NONE};
    for (size_t i = 0; i < count; i++)
        if (list[i].up && list[i].addr.family == IP_V4 && is_loopback(&list[i]) == loopbacks &&
            ip4_to_u32(list[i].addr) > ip4_to_u32(best))
            best = list[i].addr;
    return best;
}

static void router_id(struct ios_compile *c) {
    const struct ios_stmt *s = ios_block_first(c->bgp, "bgp", "router-id", NULL);
    struct ip_addr *id = &c->config->router_id;
    if (s && (ip_parse(ios_stmt_word(s, 2), id) ||
              ios_interface_addr(c->r, ios_stmt_word(s, 3), IP_V4, id)))
        return;
    size_t own = ios_interfaces(c->r, NULL, 0), count = own + c->r->interface_count;
    struct ios_interface *list = arena_array(c->arena, count + 1, sizeof *list);
    if (!list) {
        c->no_memory = true;
        return;
    }
    ios_interfaces(c->r, list, own);
    if (c->r->interface_count)
        memcpy(list + own, c->r->interfaces, c->r->interface_count * sizeof *list);
    *id = highest_address(list, count, true);
    if (!ip_is_set(*id))
        *id = highest_address(list, count, false);
    if (!ip_is_set(*id) && c->diags)
        diag_add(c->diags, DIAG_ERROR, (struct diag_place){.file = c->r->file}, "ios-no-router-id",
                 "%%BGP-4-NORTRID: BGP could not pick a router-id. Please configure manually.");
}

static bool has(const struct ios_compile *c, const char *word1, const char *word2) {
    return ios_block_first(c->bgp, "bgp", word1, word2) != NULL;
}

static void timers_compile(struct ios_compile *c) {
    const struct ios_stmt *s = ios_block_first(c->bgp, "timers", "bgp", NULL);
    if (!s)
        return;
    c->config->hold_time_set = true;
    c->config->keepalive_s = (uint16_t)ios_number(ios_stmt_word(s, 2));
    c->config->hold_time_s = (uint16_t)ios_number(ios_stmt_word(s, 3));
    c->hold_time_min_s = (uint16_t)ios_number(ios_stmt_word(s, 4));
}

static void decision_compile(struct ios_compile *c) {
    struct bgp_config *g = c->config;
    const struct ios_stmt *s = ios_block_first(c->bgp, "bgp", "default", "local-preference");
    if (s)
        g->default_local_pref = ios_number(ios_stmt_word(s, 3));
    g->always_compare_med = has(c, "always-compare-med", NULL);
    g->deterministic_med = has(c, "deterministic-med", NULL);
    g->compare_router_id = has(c, "bestpath", "compare-routerid");
    for (uint32_t i = 0; i < c->bgp->count; i++) {
        s = c->bgp->items[i];
        if (!ios_stmt_is(s, 0, "bgp") || !ios_stmt_is(s, 1, "bestpath"))
            continue;
        g->med_missing_as_worst |=
            ios_stmt_is(s, 2, "med") && ios_stmt_has(s, 3, "missing-as-worst");
        g->as_path_ignore |= ios_stmt_is(s, 2, "as-path") && ios_stmt_is(s, 3, "ignore");
        g->multipath_as_path_relax |= ios_stmt_is(s, 3, "multipath-relax");
        g->igp_metric_ignore |= ios_stmt_is(s, 2, "igp-metric");
        g->med_confed |= ios_stmt_is(s, 2, "med") && ios_stmt_is(s, 3, "confed");
    }
}

static void confederation_compile(struct ios_compile *c) {
    struct bgp_config *g = c->config;
    const struct ios_stmt *s = ios_block_first(c->bgp, "bgp", "confederation", "identifier");
    if (!s || !text_to_asn(ios_stmt_word(s, 3), &g->confederation_id))
        return;
    s = ios_block_first(c->bgp, "bgp", "confederation", "peers");
    uint32_t *members = s ? arena_array(c->arena, s->count, sizeof *members) : NULL;
    c->no_memory |= s && !members;
    for (uint16_t i = 3; members && i < s->count; i++)
        g->confederation_member_count +=
            text_to_asn(s->words[i], &members[g->confederation_member_count]);
    g->confederation_members = members;
}

static void multipath_compile(struct ios_compile *c) {
    struct bgp_config *g = c->config;
    for (int f = 0; f < BGP_FAMILIES; f++) {
        const struct ios_block *b = c->families[f];
        for (uint32_t i = 0; b && i < b->count; i++) {
            const struct ios_stmt *s = b->items[i];
            if (!ios_stmt_is(s, 0, "maximum-paths"))
                continue;
            bool ibgp = ios_stmt_is(s, 1, "ibgp"), eibgp = ios_stmt_is(s, 1, "eibgp");
            uint32_t *paths = ibgp    ? g->multipath_internal
                              : eibgp ? g->multipath_mixed
                                      : g->multipath_external;
            paths[f] = ios_number(ios_stmt_word(s, ibgp || eibgp ? 2 : 1));
        }
    }
}

/* IOS: without values those of RFC 2439's examples; a route-map gives its routes their own. */
static void dampening_compile(struct ios_compile *c) {
    struct bgp_config *g = c->config;
    struct bgp_dampening_config *list = arena_array(c->arena, BGP_FAMILIES, sizeof *list);
    c->no_memory |= !list;
    for (int f = 0; list && f < BGP_FAMILIES; f++) {
        const struct ios_stmt *s = ios_block_first(c->families[f], "bgp", "dampening", NULL);
        if (!s)
            continue;
        struct bgp_dampening_config *d = &list[g->dampening_count++];
        uint32_t half_life = ios_number(ios_stmt_word(s, 2));
        bool all = s->count > 5;
        *d = bgp_dampening_default;
        d->family = (enum bgp_family)f;
        d->policy = ios_compile_map(c, ios_stmt_after(s, 2, "route-map"));
        d->half_life_s = half_life ? half_life * 60 : d->half_life_s;
        /* IOS: four times the half-life. */
        d->suppress_max_s =
            all ? ios_number(ios_stmt_word(s, 5)) * 60 : UINT32_C(4) * d->half_life_s;
        d->reuse = all ? ios_number(ios_stmt_word(s, 3)) : d->reuse;
        d->suppress = all ? ios_number(ios_stmt_word(s, 4)) : d->suppress;
    }
    g->dampening = list;
}

void ios_process_compile(struct ios_compile *c) {
    struct bgp_config *g = c->config;
    const struct ios_stmt *s = ios_block_first(c->bgp, "bgp", "cluster-id", NULL);
    struct ip_addr cluster;
    router_id(c);
    if (s && ip_parse(ios_stmt_word(s, 2), &cluster))
        g->cluster_id = ip4_to_u32(cluster);
    g->client_to_client_reflection = !has(c, "client-to-client", NULL);
    s = ios_block_first(c->bgp, "bgp", "log-neighbor-changes", NULL);
    g->log_neighbor_changes = !s || !s->negated;
    timers_compile(c);
    decision_compile(c);
    confederation_compile(c);
    multipath_compile(c);
    dampening_compile(c);
    s = ios_block_first(c->bgp, "bgp", "scan-time", NULL);
    g->scan_time_s = s ? (uint16_t)ios_number(ios_stmt_word(s, 2)) : 0;
    s = ios_block_first(c->bgp, "bgp", "update-delay", NULL);
    g->update_delay_s = s ? (uint16_t)ios_number(ios_stmt_word(s, 2)) : 0;
    g->fast_external_fallover = !has(c, "fast-external-fallover", NULL);
}
