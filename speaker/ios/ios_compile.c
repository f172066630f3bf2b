/*
 * The running-config as a struct bgp_config: its neighbours.
 *
 * A neighbour is what its templates, its peer-group and its own lines say, in that order: each line
 * is applied over the ones before, so the most specific one stands. A listen range is a neighbour
 * without an address.
 *
 * Owns: inheritance, what depends on internal or external. Leaves: the process to ios_process.c,
 * own routes and aggregates to ios_origin.c, policies to ios_policy.c, the rules that hold for any
 * configuration to bgp_config_check.
 */
#include "ios_compile.h"

#include "ios_options.h"

#include "../base/diag.h"
#include "../core/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line about a neighbour or group. */
struct ios_subject {
    const char *name;
    const struct ios_stmt *s;
    int family; /* -1: router level */
    uint32_t position;
};

void ios_compile_note(struct ios_compile *c, const struct ios_stmt *s, const char *id,
                      const char *text, const char *detail) {
    ios_policy_note(&c->policies, s, id, "%s%s", text, detail);
}

uint32_t ios_number(const char *word) {
    uint64_t n = 0;
    return text_to_u64(word, 0, UINT32_MAX, &n) ? (uint32_t)n : 0;
}

uint32_t ios_compile_map(struct ios_compile *c, const char *map) {
    uint16_t index =
        map ? ios_policy_use(&c->policies, IOS_POLICY_ROUTE_MAP, map, false) : IOS_NO_POLICY;
    return index == IOS_NO_POLICY ? 0 : index + UINT32_C(1);
}

/* ---- lines by neighbour ---- */

static int compare_subjects(const void *a, const void *b) {
    const struct ios_subject *x = a, *y = b;
    int by_name = strcmp(x->name, y->name);
    if (by_name)
        return by_name;
    if (x->s->row != y->s->row)
        return x->s->row < y->s->row ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

static uint32_t subjects_of(const struct ios_block *b, int family, struct ios_subject *list,
                            uint32_t count) {
    for (uint32_t i = 0; b && i < b->count; i++) {
        const struct ios_stmt *s = b->items[i];
        if (!ios_stmt_is(s, 0, "neighbor"))
            continue;
        if (list)
            list[count] = (struct ios_subject){
                .name = s->words[1], .s = s, .family = family, .position = count};
        count++;
    }
    return count;
}

static bool subjects_read(struct ios_compile *c) {
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
static uint32_t subject_first(const struct ios_compile *c, const char *name) {
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

static bool subject_is(const struct ios_compile *c, uint32_t at, const char *name) {
    return at < c->subject_count && strcmp(c->subjects[at].name, name) == 0;
}

/* ---- one neighbour ---- */

static const struct ios_block *template_block(const struct ios_compile *c, const char *kind,
                                              const char *name) {
    const struct ios_stmt *s = ios_block_first(c->bgp, "template", kind, name);
    return s ? s->children : NULL;
}

#define INHERIT_DEPTH_MAX 8

/* The next `inherit` of a template behind *from; peer-policies by their sequence number, so that
 * the highest one stands last. NULL: no more. */
static const struct ios_stmt *next_inherited(const struct ios_block *b, uint32_t *from) {
    const struct ios_stmt *best = NULL;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct ios_stmt *s = b->items[i];
        uint32_t number = ios_number(ios_stmt_word(s, 3)) + 1;
        if (ios_stmt_is(s, 0, "inherit") && number > *from &&
            (!best || number < ios_number(ios_stmt_word(best, 3)) + 1))
            best = s;
    }
    *from = best ? ios_number(ios_stmt_word(best, 3)) + 1 : *from;
    return best;
}

/* The options of a template in the grammar's order, like those of a neighbour: what was typed first
 * does not show in the running-config. */
static void apply_block(struct ios_neighbor *n, const struct ios_block *b, int family) {
    const struct ios_stmt *last = NULL;
    for (uint32_t done = 0; done < b->count; done++) {
        const struct ios_stmt *next = NULL;
        bool passed = last == NULL;
        for (uint32_t i = 0; i < b->count; i++) {
            const struct ios_stmt *s = b->items[i];
            const struct ios_row *row = s->row;
            bool behind = !last || row > last->row || (row == last->row && passed);
            if (behind && (!next || row < next->row))
                next = s;
            passed = passed || (last && s == last);
        }
        if (next)
            ios_option_apply(n, next, 0, family);
        last = next ? next : last;
    }
}

/* A template's own inherited ones first. IOS: at most seven deep. */
static void apply_template(struct ios_compile *c, struct ios_neighbor *n, const char *kind,
                           const char *name, int family, unsigned depth) {
    const struct ios_block *b = template_block(c, kind, name);
    const struct ios_stmt *s;
    if (!b) {
        ios_compile_note(c, NULL, "ios-undefined-template", "template is not defined: ", name);
        return;
    }
    for (uint32_t from = 0; depth < INHERIT_DEPTH_MAX && (s = next_inherited(b, &from));)
        apply_template(c, n, kind, ios_stmt_word(s, 2), family, depth + 1);
    apply_block(n, b, family);
}

/* The lines of a neighbour or group, behind the templates it inherits. */
static void apply_lines(struct ios_compile *c, struct ios_neighbor *n, const char *name) {
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

static const char *group_of(const struct ios_compile *c, const char *name) {
    for (uint32_t i = subject_first(c, name); subject_is(c, i, name); i++)
        if (ios_stmt_is(c->subjects[i].s, 2, "peer-group") && c->subjects[i].s->count == 4)
            return c->subjects[i].s->words[3];
    return NULL;
}

static void chain_add(struct ios_compile *c, uint16_t *list, uint16_t *count,
                      enum ios_policy_kind kind, const char *name, bool out) {
    uint16_t index = name ? ios_policy_use(&c->policies, kind, name, out) : IOS_NO_POLICY;
    if (index != IOS_NO_POLICY)
        list[(*count)++] = index;
}

/* IOS: all lists must permit; the route-map comes first inbound and last outbound. */
static struct policy_chain chain_make(struct ios_compile *c, const struct ios_filters *f,
                                      int family, bool out) {
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

static void neighbor_source(struct ios_compile *c, struct ios_neighbor *n) {
    struct bgp_peer_config *p = n->peer;
    if (!n->update_source)
        return;
    if (!ios_interface_addr(c->r, n->update_source, n->family, &p->local_addr))
        ios_compile_note(
            c, NULL, "ios-update-source",
            "update-source has no address of the neighbour's family: ", n->update_source);
}

/* IOS: `bgp additional-paths select` of the family, as bits. */
static unsigned add_path_selected(const struct ios_compile *c, int family) {
    const struct ios_stmt *s =
        ios_block_first(c->families[family], "bgp", "additional-paths", "select");
    return !s ? 0
              : (ios_stmt_has(s, 3, "all") ? IOS_ADD_PATH_ALL : 0) |
                    (ios_stmt_has(s, 3, "best") ? IOS_ADD_PATH_BEST : 0);
}

/* The family says what may be offered, the neighbour's own line overrules it. What is not selected
 * is not advertised: then the best path goes alone, with an identifier. */
static void add_path_finish(struct ios_compile *c, struct ios_neighbor *n, int f) {
    struct bgp_peer_config *p = n->peer;
    const struct ios_add_path *a = &n->add_path[f];
    unsigned selected = add_path_selected(c, f);
    bool send = a->send, receive = a->receive;
    const struct ios_stmt *s;
    uint32_t at = 0;
    while (!a->said && (s = ios_block_next(c->families[f], "bgp", "additional-paths", NULL, &at))) {
        if (ios_stmt_is(s, 2, "select"))
            continue;
        send |= ios_stmt_has(s, 2, "send");
        receive |= ios_stmt_has(s, 2, "receive");
    }
    if (send && p->default_originate[f]) {
        ios_compile_note(
            c, NULL, "ios-add-path",
            "default-originate and sending additional paths exclude each other: ", p->name);
        send = false;
    }
    p->add_path_receive[f] = receive;
    if (!send)
        return;
    p->add_path_send[f] = a->all && selected & IOS_ADD_PATH_ALL     ? BGP_ADD_PATH_ALL
                          : a->best && selected & IOS_ADD_PATH_BEST ? a->best
                                                                    : 1;
}

/* IOS: the default route goes out while the route-map permits a route of the routing table; what
 * is connected or static is there as long as the configuration is. */
static void default_finish(struct ios_compile *c, struct ios_neighbor *n, int f) {
    if (!n->peer->default_originate[f] || !n->default_map[f])
        return;
    uint32_t map = ios_compile_map(c, n->default_map[f]);
    n->peer->default_policy[f] = ios_own_route_accepted(c, (enum bgp_family)f, map) ? 0 : map;
}

static void conditions_finish(struct ios_compile *c, struct ios_neighbor *n) {
    struct bgp_condition_config *list =
        n->advertise_count ? arena_array(c->arena, n->advertise_count, sizeof *list) : NULL;
    c->no_memory |= n->advertise_count && !list;
    for (uint32_t i = 0; list && i < n->advertise_count; i++) {
        const struct ios_advertise_map *a = &n->advertise[i];
        list[i] = (struct bgp_condition_config){.family = (enum bgp_family)a->family,
                                                .advertise_policy = ios_compile_map(c, a->map),
                                                .exist_policy = ios_compile_map(c, a->exist),
                                                .absent = a->absent};
    }
    n->peer->conditions = list;
    n->peer->condition_count = list ? n->advertise_count : 0;
    if (n->advertise_lost)
        ios_compile_note(c, n->advertise_lost, "ios-too-many",
                         "more than 32 advertise-maps, one has no effect: ", n->peer->name);
}

/* What depends on internal or external is known only now. */
static void neighbor_finish(struct ios_compile *c, struct ios_neighbor *n) {
    struct bgp_peer_config *p = n->peer;
    uint32_t own = p->local_as ? p->local_as : c->config->local_as;
    bool external = p->remote_as != own;
    if (p->rr_client && external) {
        ios_compile_note(c, NULL, "ios-rr-client",
                         "route-reflector-client is for internal peers only: ", p->name);
        p->rr_client = false;
    }
    if (!external)
        p->multihop = 0; /* IOS: TTL 255 anyway */
    for (int f = 0; f < BGP_FAMILIES; f++)
        if (!n->interval_set[f])
            p->advertisement_interval_ms[f] =
                external ? profile_get(BGP_PROFILE_IOS)->mrai_external_ms : 0;
    p->enforce_first_as = !ios_block_first(c->bgp, "bgp", "enforce-first-as", NULL);
    if (!p->hold_time_set)
        p->hold_time_min_s = c->hold_time_min_s;
    neighbor_source(c, n);
    for (int f = 0; f < BGP_FAMILIES; f++) {
        add_path_finish(c, n, f);
        p->import[f] = chain_make(c, &n->in[f], f, false);
        p->export[f] = chain_make(c, &n->out[f], f, true);
        p->unsuppress_policy[f] = ios_compile_map(c, n->unsuppress_map[f]);
        default_finish(c, n, f);
    }
    conditions_finish(c, n);
}

/* A neighbour that nothing was said of yet. */
static void neighbor_init(struct ios_compile *c, struct bgp_peer_config *p, const char *name) {
    const struct ios_stmt *graceful = ios_block_first(c->bgp, "bgp", "graceful-restart", NULL);
    const struct ios_stmt *restart =
        ios_block_first(c->bgp, "bgp", "graceful-restart", "restart-time");
    bgp_peer_config_init(p, BGP_PROFILE_IOS);
    memset(p->families, 0, sizeof p->families);
    snprintf(p->name, sizeof p->name, "%s", name);
    p->send_communities = p->send_ext_communities = false;
    p->graceful_restart = graceful ? BGP_GR_FULL : BGP_GR_OFF;
    p->restart_time_s = restart ? (uint16_t)ios_number(ios_stmt_word(restart, 3)) : 0;
}

static void neighbor_compile(struct ios_compile *c, const char *name, struct ip_addr addr) {
    struct bgp_peer_config *p = &c->config->peers[c->config->peer_count++];
    struct ios_neighbor n = {.peer = p, .arena = c->arena};
    const char *group = group_of(c, name);
    neighbor_init(c, p, name);
    p->remote_addr = addr;
    n.family = (enum ip_family)addr.family;
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

static void neighbors_compile(struct ios_compile *c) {
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

/* ---- listen ranges ---- */

/* IOS: a group is active for IPv4 unless `no bgp default ipv4-unicast`, and in every family where
 * something was said of it. */
static void group_activate(const struct ios_compile *c, const char *group,
                           struct bgp_peer_config *p) {
    p->families[BGP_IPV4_UNICAST] = !ios_block_first(c->bgp, "bgp", "default", "ipv4-unicast");
    for (uint32_t i = subject_first(c, group); subject_is(c, i, group); i++)
        if (c->subjects[i].family >= 0)
            p->families[c->subjects[i].family] = true;
}

static void range_compile(struct ios_compile *c, const struct ios_stmt *s) {
    struct bgp_listen_range *r = &c->config->listen_ranges[c->config->listen_range_count];
    const char *group = ios_stmt_after(s, 4, "peer-group");
    struct ios_neighbor n = {.peer = &r->peer, .arena = c->arena};
    *r = (struct bgp_listen_range){.limit = 0};
    if (!group || !ios_neighbor_is_group(c->bgp, group) ||
        !ip_prefix_parse(ios_stmt_word(s, 3), &r->prefix)) {
        ios_compile_note(c, s, "ios-listen-range",
                         "the range accepts nobody, its peer-group is "
                         "not defined: ",
                         group ? group : "none");
        return;
    }
    neighbor_init(c, &r->peer, group);
    apply_lines(c, &n, group);
    group_activate(c, group, &r->peer);
    if (r->peer.remote_as == 0) {
        ios_compile_note(c, s, "ios-listen-range",
                         "the range accepts nobody, its peer-group has no remote-as: ", group);
        return;
    }
    n.family = (enum ip_family)r->prefix.addr.family;
    const struct ios_stmt *as = ios_block_first(c->bgp, "neighbor", group, "remote-as");
    if (as && ios_stmt_has(as, 4, "alternate-as"))
        ios_compile_note(c, as, "ios-alternate-as",
                         "a listen range accepts its first AS only, group ", group);
    neighbor_finish(c, &n);
    c->config->listen_range_count++;
}

static void ranges_compile(struct ios_compile *c) {
    const struct ios_stmt *limit = ios_block_first(c->bgp, "bgp", "listen", "limit");
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->bgp->count; i++)
        count += ios_stmt_is(c->bgp->items[i], 1, "listen");
    c->config->listen_limit = limit ? ios_number(ios_stmt_word(limit, 3)) : 100;
    c->config->listen_ranges = arena_array(c->arena, count + 1, sizeof *c->config->listen_ranges);
    c->no_memory |= !c->config->listen_ranges;
    for (uint32_t i = 0; c->config->listen_ranges && i < c->bgp->count; i++) {
        const struct ios_stmt *s = c->bgp->items[i];
        if (ios_stmt_is(s, 0, "bgp") && ios_stmt_is(s, 1, "listen") && ios_stmt_is(s, 2, "range"))
            range_compile(c, s);
    }
}

/* ---- entry ---- */

static void compile_run(struct ios_compile *c, uint32_t asn) {
    bgp_config_init(c->config, BGP_PROFILE_IOS);
    snprintf(c->config->hostname, sizeof c->config->hostname, "%.63s", ios_hostname(c->r));
    c->config->local_as = asn;
    ios_process_compile(c);
    if (!subjects_read(c)) {
        c->no_memory = true;
        return;
    }
    neighbors_compile(c);
    ranges_compile(c);
    ios_origins_compile(c);
    c->config->policies = c->policies.list;
    c->config->policy_count = c->policies.count;
    c->no_memory |= c->policies.no_memory;
}

static const struct bgp_config *config_compile(struct ios_router *r, struct diag_list *diags) {
    const struct ios_stmt *s = ios_block_first(r->root, "router", "bgp", NULL);
    struct ios_compile c = {.r = r, .diags = diags, .bgp = ios_bgp_block(r)};
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

const struct bgp_config *ios_bgp_config(struct ios_router *r, struct diag_list *diags) {
    const struct bgp_config *config = config_compile(r, diags);
    r->changed = false;
    return config;
}
