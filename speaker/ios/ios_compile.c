/*
 * The running-config as a struct bgp_config.
 *
 * A neighbour is what its templates, its peer-group and its own lines say, in that order: each line
 * is applied over the ones before, so the most specific one stands.
 *
 * Owns: defaults of IOS, inheritance, the router id, which of the router's own routes are
 * announced. Leaves: policies to ios_policy.c, own routes to ios_rib.c, the rules that hold for any
 * configuration to bgp_config_check.
 */
#include "ios_options.h"
#include "ios_policy.h"

#include "../base/diag.h"
#include "../core/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct compile {
    struct ios_router *r;
    struct arena *arena;
    struct diag_list *diags;
    struct ios_policies policies;
    struct bgp_config *config;
    const struct ios_block *bgp;
    const struct ios_block *families[BGP_FAMILIES];
    struct subject *subjects; /* every neighbour line, sorted by its neighbour */
    uint32_t subject_count;
    bool no_memory;
};

/* A line about a neighbour or group. */
struct subject {
    const char *name;
    const struct ios_stmt *s;
    int family; /* -1: router level */
    uint32_t position;
};

static void note(struct compile *c, const struct ios_stmt *s, const char *id, const char *text,
                 const char *detail) {
    ios_policy_note(&c->policies, s, id, "%s%s", text, detail);
}

static uint32_t to_number(const char *word) {
    uint64_t n = 0;
    return text_to_u64(word, 0, UINT32_MAX, &n) ? (uint32_t)n : 0;
}

/* ---- lines by neighbour ---- */

static int compare_subjects(const void *a, const void *b) {
    const struct subject *x = a, *y = b;
    int by_name = strcmp(x->name, y->name);
    if (by_name)
        return by_name;
    return x->position < y->position ? -1 : x->position > y->position;
}

static uint32_t subjects_of(const struct ios_block *b, int family, struct subject *list,
                            uint32_t count) {
    for (uint32_t i = 0; b && i < b->count; i++) {
        const struct ios_stmt *s = b->items[i];
        if (!ios_stmt_is(s, 0, "neighbor"))
            continue;
        if (list)
            list[count] =
                (struct subject){.name = s->words[1], .s = s, .family = family, .position = count};
        count++;
    }
    return count;
}

static bool subjects_read(struct compile *c) {
    for (int pass = 0; pass < 2; pass++) {
        uint32_t count = subjects_of(c->bgp, -1, c->subjects, 0);
        for (int f = 0; f < BGP_FAMILIES; f++)
            count = subjects_of(c->families[f], f, c->subjects, count);
        if (pass == 0)
            c->subjects = arena_array(c->arena, count + 1, sizeof *c->subjects);
        if (!c->subjects)
            return false;
        c->subject_count = count;
    }
    qsort(c->subjects, c->subject_count, sizeof *c->subjects, compare_subjects);
    return true;
}

/* The first line about `name`; subject_count when there is none. */
static uint32_t subject_first(const struct compile *c, const char *name) {
    uint32_t low = 0, high = c->subject_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (strcmp(c->subjects[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool subject_is(const struct compile *c, uint32_t at, const char *name) {
    return at < c->subject_count && strcmp(c->subjects[at].name, name) == 0;
}

/* ---- one neighbour ---- */

static const struct ios_block *template_block(const struct compile *c, const char *kind,
                                              const char *name) {
    const struct ios_stmt *s = ios_block_first(c->bgp, "template", kind, name);
    return s ? s->children : NULL;
}

#define INHERIT_DEPTH_MAX 8

/* A template's own inherited ones first. IOS: at most seven deep. */
static void apply_template(struct compile *c, struct ios_neighbor *n, const char *kind,
                           const char *name, int family, unsigned depth) {
    const struct ios_block *b = template_block(c, kind, name);
    if (!b) {
        note(c, NULL, "ios-undefined-template", "template is not defined: ", name);
        return;
    }
    for (uint32_t i = 0; depth < INHERIT_DEPTH_MAX && i < b->count; i++)
        if (ios_stmt_is(b->items[i], 0, "inherit"))
            apply_template(c, n, kind, ios_stmt_word(b->items[i], 2), family, depth + 1);
    for (uint32_t i = 0; i < b->count; i++)
        ios_option_apply(n, b->items[i], 0, family);
}

/* The lines of a neighbour or group, behind the templates it inherits. */
static void apply_lines(struct compile *c, struct ios_neighbor *n, const char *name) {
    uint32_t first = subject_first(c, name);
    for (uint32_t i = first; subject_is(c, i, name); i++) {
        const struct ios_stmt *s = c->subjects[i].s;
        if (ios_stmt_is(s, 2, "inherit"))
            apply_template(c, n, ios_stmt_word(s, 3), ios_stmt_word(s, 4), c->subjects[i].family,
                           0);
    }
    for (uint32_t i = first; subject_is(c, i, name); i++)
        ios_option_apply(n, c->subjects[i].s, 2, c->subjects[i].family);
}

static const char *group_of(const struct compile *c, const char *name) {
    for (uint32_t i = subject_first(c, name); subject_is(c, i, name); i++)
        if (ios_stmt_is(c->subjects[i].s, 2, "peer-group") && c->subjects[i].s->count == 4)
            return c->subjects[i].s->words[3];
    return NULL;
}

static void chain_add(struct compile *c, uint16_t *list, uint16_t *count, enum ios_policy_kind kind,
                      const char *name, bool out) {
    uint16_t index = name ? ios_policy_use(&c->policies, kind, name, out) : IOS_NO_POLICY;
    if (index != IOS_NO_POLICY)
        list[(*count)++] = index;
}

/* IOS: all lists must permit; the route-map comes first inbound and last outbound. */
static struct policy_chain chain_make(struct compile *c, const struct ios_filters *f, int family,
                                      bool out) {
    uint16_t *list = arena_array(c->arena, 4, sizeof *list), count = 0;
    if (!list) {
        c->no_memory = true;
        return (struct policy_chain){.accept_by_default = false};
    }
    enum ios_policy_kind prefix =
        family == BGP_IPV4_UNICAST ? IOS_POLICY_PREFIX_LIST : IOS_POLICY_PREFIX_LIST6;
    if (!out)
        chain_add(c, list, &count, IOS_POLICY_ROUTE_MAP, f->route_map, out);
    chain_add(c, list, &count, IOS_POLICY_FILTER_LIST, f->filter_list, out);
    chain_add(c, list, &count, prefix, f->prefix_list, out);
    chain_add(c, list, &count, IOS_POLICY_ACCESS_LIST, f->distribute_list, out);
    if (out)
        chain_add(c, list, &count, IOS_POLICY_ROUTE_MAP, f->route_map, out);
    return (struct policy_chain){.policies = list, .count = count, .accept_by_default = true};
}

static void neighbor_source(struct compile *c, struct ios_neighbor *n) {
    struct bgp_peer_config *p = n->peer;
    if (!n->update_source)
        return;
    if (!ios_interface_addr(c->r, n->update_source, (enum ip_family)p->remote_addr.family,
                            &p->local_addr))
        note(c, NULL, "ios-update-source",
             "update-source has no address of the neighbour's family: ", n->update_source);
}

/* What depends on internal or external is known only now. */
static void neighbor_finish(struct compile *c, struct ios_neighbor *n) {
    struct bgp_peer_config *p = n->peer;
    uint32_t own = p->local_as ? p->local_as : c->config->local_as;
    bool external = p->remote_as != own;
    if (p->rr_client && external) {
        note(c, NULL, "ios-rr-client",
             "route-reflector-client is for internal peers only: ", p->name);
        p->rr_client = false;
    }
    if (!external)
        p->multihop = 0; /* IOS: TTL 255 anyway */
    if (!n->interval_set)
        p->advertisement_interval_ms =
            external ? profile_get(BGP_PROFILE_IOS)->mrai_external_ms : 0;
    p->enforce_first_as = !ios_block_first(c->bgp, "bgp", "enforce-first-as", NULL);
    neighbor_source(c, n);
    for (int f = 0; f < BGP_FAMILIES; f++) {
        p->import[f] = chain_make(c, &n->in[f], f, false);
        p->export[f] = chain_make(c, &n->out[f], f, true);
    }
}

static void neighbor_compile(struct compile *c, const char *name, struct ip_addr addr) {
    struct bgp_peer_config *p = &c->config->peers[c->config->peer_count++];
    struct ios_neighbor n = {.peer = p};
    const char *group = group_of(c, name);
    bool graceful = ios_block_first(c->bgp, "bgp", "graceful-restart", NULL) != NULL;
    bgp_peer_config_init(p, BGP_PROFILE_IOS);
    memset(p->families, 0, sizeof p->families);
    snprintf(p->name, sizeof p->name, "%s", name);
    p->remote_addr = addr;
    p->send_communities = p->send_ext_communities = false;
    p->graceful_restart = graceful ? BGP_GR_FULL : BGP_GR_OFF;
    if (group)
        apply_lines(c, &n, group);
    /* Groups have no activate line; what was said of the group is not the member's activation. */
    memset(p->families, 0, sizeof p->families);
    apply_lines(c, &n, name);
    neighbor_finish(c, &n);
}

/* IOS orders neighbours by the raw bytes of their addresses. */
static int compare_peers(const void *a, const void *b) {
    const struct bgp_peer_config *x = a, *y = b;
    return memcmp(x->remote_addr.bytes, y->remote_addr.bytes, sizeof x->remote_addr.bytes);
}

static void neighbors_compile(struct compile *c) {
    const char *last = "";
    c->config->peers = arena_array(c->arena, c->subject_count + 1, sizeof *c->config->peers);
    if (!c->config->peers) {
        c->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < c->subject_count; i++) {
        const char *name = c->subjects[i].name;
        struct ip_addr addr;
        if (strcmp(name, last) == 0)
            continue;
        last = name;
        if (ip_parse(name, &addr) && ios_neighbor_known(c->bgp, name))
            neighbor_compile(c, name, addr);
    }
    qsort(c->config->peers, c->config->peer_count, sizeof *c->config->peers, compare_peers);
}

/* ---- the process ---- */

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

static void router_id(struct compile *c) {
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

static bool has(const struct compile *c, const char *word1, const char *word2) {
    return ios_block_first(c->bgp, "bgp", word1, word2) != NULL;
}

static void process_compile(struct compile *c) {
    struct bgp_config *g = c->config;
    const struct ios_stmt *s = ios_block_first(c->bgp, "bgp", "cluster-id", NULL);
    struct ip_addr cluster;
    router_id(c);
    if (s && ip_parse(ios_stmt_word(s, 2), &cluster))
        g->cluster_id = ip4_to_u32(cluster);
    s = ios_block_first(c->bgp, "timers", "bgp", NULL);
    if (s) {
        g->hold_time_set = true;
        g->keepalive_s = (uint16_t)to_number(ios_stmt_word(s, 2));
        g->hold_time_s = (uint16_t)to_number(ios_stmt_word(s, 3));
        if (s->count > 4 && to_number(s->words[4]) > 0)
            note(c, s, "ios-min-hold", "the minimum hold time is not enforced", "");
    }
    s = ios_block_first(c->bgp, "bgp", "default", "local-preference");
    if (s)
        g->default_local_pref = to_number(ios_stmt_word(s, 3));
    g->client_to_client_reflection = !has(c, "client-to-client", NULL);
    g->always_compare_med = has(c, "always-compare-med", NULL);
    g->deterministic_med = has(c, "deterministic-med", NULL);
    g->compare_router_id = has(c, "bestpath", "compare-routerid");
    g->med_missing_as_worst = has(c, "bestpath", "med");
    s = ios_block_first(c->bgp, "bgp", "log-neighbor-changes", NULL);
    g->log_neighbor_changes = !s || !s->negated;
}

/* ---- own routes ---- */

static void origin_add(struct compile *c, const struct ios_own_route *route, bool network,
                       const struct ios_stmt *s) {
    struct bgp_config *g = c->config;
    const char *metric = ios_stmt_after(s, 2, "metric");
    if (g->origin_count >= BGP_ORIGINS_MAX)
        return;
    struct bgp_origin_config *o = &g->origins[g->origin_count++];
    *o = (struct bgp_origin_config){
        .prefix = route->prefix,
        .source = network || !route->connected ? ROUTE_SOURCE_STATIC : ROUTE_SOURCE_DIRECT,
        .metric = 0,
        .origin = network ? 0 : 2,
        .weight = 32768,
        .med = metric ? to_number(metric) : 0,
        .med_set = true,
    };
    snprintf(o->interface, sizeof o->interface, "%.15s", route->interface);
    if (ios_stmt_has(s, 2, "route-map"))
        note(c, s, "ios-network-map", "the route-map on own routes is not applied: ",
             ios_stmt_after(s, 2, "route-map") ? ios_stmt_after(s, 2, "route-map") : "");
}

static void network_compile(struct compile *c, const struct ios_rib *rib,
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
    if (route)
        origin_add(c, route, true, s);
    else
        note(c, s, "ios-network",
             "not announced, the router has no route for it: ", ip_prefix_format(p, text));
}

static void redistribute_compile(struct compile *c, const struct ios_rib *rib,
                                 const struct ios_stmt *s, enum ip_family family) {
    bool connected = ios_stmt_is(s, 1, "connected");
    for (size_t i = 0; i < rib->count; i++) {
        const struct ios_own_route *route = &rib->routes[i];
        bool first = i == 0 || !ip_prefix_equal(rib->routes[i - 1].prefix, route->prefix);
        /* IOS: a redistributed static default needs default-information originate. */
        if (first && route->connected == connected && !route->local && route->prefix.length > 0 &&
            route->prefix.addr.family == family)
            origin_add(c, route, false, s);
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

static void origins_compile(struct compile *c) {
    struct ios_rib rib;
    size_t max = 1;
    if (!ios_rib_build(c->r, c->arena, &rib)) {
        c->no_memory = true;
        return;
    }
    for (int f = 0; f < BGP_FAMILIES; f++)
        for (uint32_t i = 0; c->families[f] && i < c->families[f]->count; i++)
            max += ios_stmt_is(c->families[f]->items[i], 0, "redistribute") ? rib.count : 1;
    c->config->origins = arena_array(c->arena, max, sizeof *c->config->origins);
    c->no_memory |= !c->config->origins;
    for (int f = 0; f < BGP_FAMILIES && !c->no_memory; f++) {
        const struct ios_block *b = c->families[f];
        for (uint32_t i = 0; b && i < b->count; i++) {
            if (ios_stmt_is(b->items[i], 0, "network"))
                network_compile(c, &rib, b->items[i]);
            else if (ios_stmt_is(b->items[i], 0, "redistribute") &&
                     !(b->items[i]->row->flags & ROW_IGNORED))
                redistribute_compile(c, &rib, b->items[i], f == BGP_IPV4_UNICAST ? IP_V4 : IP_V6);
        }
    }
    if (!c->no_memory)
        origins_unique(c->config);
}

/* ---- entry ---- */

static void compile_run(struct compile *c, uint32_t asn) {
    bgp_config_init(c->config, BGP_PROFILE_IOS);
    snprintf(c->config->hostname, sizeof c->config->hostname, "%.63s", ios_hostname(c->r));
    c->config->local_as = asn;
    process_compile(c);
    if (!subjects_read(c)) {
        c->no_memory = true;
        return;
    }
    neighbors_compile(c);
    origins_compile(c);
    c->config->policies = c->policies.list;
    c->config->policy_count = c->policies.count;
    c->no_memory |= c->policies.no_memory;
}

const struct bgp_config *ios_bgp_config(struct ios_router *r, struct diag_list *diags) {
    const struct ios_stmt *s = ios_block_first(r->root, "router", "bgp", NULL);
    struct compile c = {.r = r, .diags = diags, .bgp = ios_bgp_block(r)};
    uint32_t asn;
    if (!s || !c.bgp || !text_to_asn(ios_stmt_word(s, 2), &asn))
        return NULL;
    ios_router_changed(r);
    for (int f = 0; f < BGP_FAMILIES; f++)
        c.families[f] = ios_af_block(r, (enum bgp_family)f);
    r->compiled = c.arena = arena_new();
    c.config = c.arena ? arena_alloc(c.arena, sizeof *c.config) : NULL;
    c.policies = (struct ios_policies){.r = r, .arena = c.arena, .diags = diags};
    if (c.config)
        compile_run(&c, asn);
    if (!c.config || c.no_memory) {
        ios_router_changed(r);
        return NULL;
    }
    r->config = c.config;
    return r->config;
}
