/*
 * The running-config as a struct bgp_config: own routes and aggregates.
 *
 * Owns: which of the router's own routes are announced, and as what. Leaves: the routes themselves
 * to ios_rib.c.
 */
#include "ios_compile.h"

#include "../core/speaker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void origin_add(struct ios_compile *c, const struct ios_own_route *route, bool network,
                       uint32_t med, const struct ios_stmt *s) {
    struct bgp_config *g = c->config;
    if (g->origin_count >= BGP_ORIGINS_MAX)
        return;
    struct bgp_origin_config *o = &g->origins[g->origin_count++];
    *o = (struct bgp_origin_config){
        .prefix = route->prefix,
        .source = network || !route->connected ? ROUTE_SOURCE_STATIC : ROUTE_SOURCE_DIRECT,
        .metric = 0,
        .origin = network ? 0 : 2,
        .weight = 32768,
        .tag = route->tag,
        .med = med,
        .med_set = true,
    };
    snprintf(o->interface, sizeof o->interface, "%.15s", route->interface);
    o->policy = ios_compile_map(c, ios_stmt_after(s, 2, "route-map"));
}

static void network_compile(struct ios_compile *c, const struct ios_rib *rib,
                            const struct ios_stmt *s) {
    struct ip_prefix p;
    struct ip_addr a;
    uint8_t length;
    char text[IP_PREFIX_TEXT_MAX];
    if (ip_parse(ios_stmt_word(s, 1), &a) && ios_mask_length(ios_stmt_word(s, 3), &length))
        p = ip_prefix_make(a, length);
    else if (!ip_prefix_parse(ios_stmt_word(s, 1), &p))
        return;
    const struct ios_own_route *route = ios_rib_find(rib, p);
    if (ios_stmt_has(s, 2, "backdoor"))
        return; /* IOS: never announced; a learned route gets the distance of local ones */
    if (route)
        origin_add(c, route, true, 0, s);
    else
        ios_compile_note(c, s, "ios-network", "not announced, the router has no route for it: ",
                         ip_prefix_format(p, text));
}

/* IOS: default-metric is for what has no metric of its own to bring along; connected routes bring
 * 0. */
static uint32_t redistributed_med(const struct ios_block *af, const struct ios_stmt *s,
                                  bool connected) {
    const char *own = ios_stmt_after(s, 2, "metric");
    const struct ios_stmt *preset = ios_block_first(af, "default-metric", NULL, NULL);
    if (own || connected || !preset)
        return own ? ios_number(own) : 0;
    return ios_number(ios_stmt_word(preset, 1));
}

static void redistribute_compile(struct ios_compile *c, const struct ios_rib *rib,
                                 const struct ios_stmt *s, enum ip_family family) {
    bool connected = ios_stmt_is(s, 1, "connected");
    const struct ios_block *b = c->families[family == IP_V4 ? BGP_IPV4_UNICAST : BGP_IPV6_UNICAST];
    bool with_default = ios_block_first(b, "default-information", "originate", NULL) != NULL;
    uint32_t med = redistributed_med(b, s, connected);
    for (size_t i = 0; i < rib->count; i++) {
        const struct ios_own_route *route = &rib->routes[i];
        bool first = i == 0 || !ip_prefix_equal(rib->routes[i - 1].prefix, route->prefix);
        /* IOS: a redistributed static default needs default-information originate. */
        if (first && route->connected == connected && !route->local &&
            (route->prefix.length > 0 || with_default) && route->prefix.addr.family == family)
            origin_add(c, route, false, med, s);
    }
}

static int compare_origins(const void *a, const void *b) {
    const struct bgp_origin_config *x = a, *y = b;
    int by_prefix = ip_prefix_compare(x->prefix, y->prefix);
    if (by_prefix)
        return by_prefix;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return (int)x->origin - (int)y->origin;
}

static void origins_unique(struct bgp_config *g) {
    uint32_t kept = 0;
    qsort(g->origins, g->origin_count, sizeof *g->origins, compare_origins);
    for (uint32_t i = 0; i < g->origin_count; i++)
        if (kept == 0 ||
            ip_prefix_compare(g->origins[kept - 1].prefix, g->origins[i].prefix) != 0 ||
            g->origins[kept - 1].source != g->origins[i].source)
            g->origins[kept++] = g->origins[i];
    g->origin_count = kept;
}

/* ---- aggregates ---- */

static bool aggregate_prefix(const struct ios_stmt *s, struct ip_prefix *ret_prefix) {
    struct ip_addr a;
    uint8_t length;
    if (!ip_parse(ios_stmt_word(s, 1), &a))
        return ip_prefix_parse(ios_stmt_word(s, 1), ret_prefix);
    if (!ios_mask_length(ios_stmt_word(s, 2), &length))
        return false;
    *ret_prefix = ip_prefix_make(a, length);
    return true;
}

static void aggregate_compile(struct ios_compile *c, const struct ios_stmt *s) {
    struct bgp_config *g = c->config;
    struct bgp_aggregate_config *a = &g->aggregates[g->aggregate_count];
    *a = (struct bgp_aggregate_config){.as_set = ios_stmt_has(s, 2, "as-set"),
                                       .summary_only = ios_stmt_has(s, 2, "summary-only")};
    if (!aggregate_prefix(s, &a->prefix))
        return;
    a->suppress_policy = ios_compile_map(c, ios_stmt_after(s, 2, "suppress-map"));
    a->attribute_policy = ios_compile_map(c, ios_stmt_after(s, 2, "attribute-map"));
    a->advertise_policy = ios_compile_map(c, ios_stmt_after(s, 2, "advertise-map"));
    g->aggregate_count++;
}

/* The same whatever order they were typed in, as in the running-config. */
static int compare_aggregates(const void *a, const void *b) {
    const struct bgp_aggregate_config *x = a, *y = b;
    return ip_prefix_compare(x->prefix, y->prefix);
}

/* ---- conditions ---- */

bool ios_own_route_accepted(struct ios_compile *c, enum bgp_family f, uint32_t policy) {
    struct ios_rib rib;
    const struct bgp_config config = {.policies = c->policies.list,
                                      .policy_count = c->policies.count};
    if (!policy || !ios_rib_build(c->r, c->arena, &rib)) {
        c->no_memory |= policy != 0;
        return false;
    }
    for (size_t i = 0; i < rib.count; i++) {
        const struct ios_own_route *route = &rib.routes[i];
        struct policy_route r = {.prefix = route->prefix,
                                 .source =
                                     route->connected ? ROUTE_SOURCE_DIRECT : ROUTE_SOURCE_STATIC,
                                 .interface = route->interface,
                                 .metric = 0,
                                 .tag = route->tag,
                                 .arena = c->arena};
        bool fits = route->prefix.addr.family == (f == BGP_IPV4_UNICAST ? IP_V4 : IP_V6);
        if (fits && !route->local && policy_accepts(&config, policy, &r))
            return true;
    }
    return false;
}

/* ---- entry ---- */

/* How many statements begin with `word`. */
static size_t count_of(const struct ios_compile *c, const char *word) {
    size_t count = 0;
    for (int f = 0; f < BGP_FAMILIES; f++)
        for (uint32_t i = 0; c->families[f] && i < c->families[f]->count; i++)
            count += ios_stmt_is(c->families[f]->items[i], 0, word);
    return count;
}

static void statement_compile(struct ios_compile *c, const struct ios_rib *rib,
                              const struct ios_stmt *s, enum ip_family family) {
    if (ios_stmt_is(s, 0, "network"))
        network_compile(c, rib, s);
    else if (ios_stmt_is(s, 0, "redistribute") && !(s->row->flags & ROW_IGNORED))
        redistribute_compile(c, rib, s, family);
    else if (ios_stmt_is(s, 0, "aggregate-address"))
        aggregate_compile(c, s);
}

void ios_origins_compile(struct ios_compile *c) {
    struct ios_rib rib;
    if (!ios_rib_build(c->r, c->arena, &rib)) {
        c->no_memory = true;
        return;
    }
    size_t origins = count_of(c, "network") + count_of(c, "redistribute") * rib.count;
    c->config->origins = arena_array(c->arena, origins + 1, sizeof *c->config->origins);
    c->config->aggregates =
        arena_array(c->arena, count_of(c, "aggregate-address") + 1, sizeof *c->config->aggregates);
    c->no_memory |= !c->config->origins || !c->config->aggregates;
    for (int f = 0; f < BGP_FAMILIES && !c->no_memory; f++) {
        const struct ios_block *b = c->families[f];
        for (uint32_t i = 0; b && i < b->count; i++)
            statement_compile(c, &rib, b->items[i], f == BGP_IPV4_UNICAST ? IP_V4 : IP_V6);
    }
    if (c->no_memory)
        return;
    origins_unique(c->config);
    qsort(c->config->aggregates, c->config->aggregate_count, sizeof *c->config->aggregates,
          compare_aggregates);
}
