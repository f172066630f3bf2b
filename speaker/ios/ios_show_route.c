/*
 * show ip route: the routing table as the router's other half sees it.
 *
 * Owns: which source wins a prefix (connected, then static by distance, then BGP), the grouping by
 * classful network that IOS prints, one route in detail. Leaves: routes of the router's own to
 * ios_rib.c, BGP's to the core.
 *
 * Invariants: the list is sorted by prefix; IPv4 only, as the command is.
 */
#include "ios_show.h"
#include "ios_time.h"

#include "../core/attr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct ip_prefix prefix;
    char code;                       /* C L S B */
    const struct ios_own_route *own; /* NULL: BGP's */
    uint8_t distance;
    uint32_t metric, neighbor_as;
    struct ip_addr gateway, from; /* not set: by interface */
    bool external;
    uint32_t as_hops;
    struct nanotime since;
};

struct route_table {
    struct entry *list;
    size_t count, capacity;
    struct arena *arena;
    struct ios_rib rib;
};

static const char ROUTE_CODES[] =
    "Codes: L - local, C - connected, S - static, R - RIP, M - mobile, B - BGP\n"
    "       D - EIGRP, EX - EIGRP external, O - OSPF, IA - OSPF inter area \n"
    "       N1 - OSPF NSSA external type 1, N2 - OSPF NSSA external type 2\n"
    "       E1 - OSPF external type 1, E2 - OSPF external type 2\n"
    "       i - IS-IS, su - IS-IS summary, L1 - IS-IS level-1, L2 - IS-IS level-2\n"
    "       ia - IS-IS inter area, * - candidate default, U - per-user static route\n"
    "       o - ODR, P - periodic downloaded static route, H - NHRP, l - LISP\n"
    "       a - application route\n"
    "       + - replicated route, % - next hop override, p - overrides from PfR\n"
    "\n";

/* ---- making the table ---- */

static void table_add(struct route_table *t, const struct entry *e) {
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 64;
        struct entry *list = arena_array(t->arena, capacity, sizeof *list);
        if (!list)
            return;
        if (t->count)
            memcpy(list, t->list, t->count * sizeof *list);
        t->list = list;
        t->capacity = capacity;
    }
    t->list[t->count++] = *e;
}

uint8_t ios_bgp_distance(const struct ios_router *r, uint16_t which) {
    static const uint8_t DEFAULTS[] = {20, 200, 200};
    const struct ios_block *blocks[] = {ios_af_block(r, BGP_IPV4_UNICAST), ios_bgp_block(r)};
    for (size_t i = 0; i < 2; i++) {
        const struct ios_stmt *s =
            blocks[i] ? ios_block_first(blocks[i], "distance", "bgp", NULL) : NULL;
        uint64_t n = 0;
        if (s && text_to_u64(ios_stmt_word(s, (uint16_t)(2 + which)), 1, 255, &n))
            return (uint8_t)n;
    }
    return DEFAULTS[which];
}

bool ios_rib_beats_bgp(const struct ios_router *r, const struct ios_rib *rib, struct ip_prefix p,
                       bool external) {
    const struct ios_own_route *own = ios_rib_find(rib, p);
    return own && (own->connected || own->distance < ios_bgp_distance(r, external ? 0 : 1));
}

/* Has BGP a best path that is better than the router's own route? */
static bool loses_to_bgp(struct ios_edit *e, const struct route_table *t, struct ip_prefix p) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    bool loses = false;
    if (!s || !bgp_rib_find(s, p, &it))
        return false;
    while (bgp_rib_next_path(s, &it, &path))
        loses |= path.best && path.peer.index != 0 &&
                 !ios_rib_beats_bgp(e->r, &t->rib, p, path.external);
    bgp_rib_end(&it);
    return loses;
}

static void add_own(struct ios_edit *e, struct route_table *t) {
    for (size_t i = 0; i < t->rib.count; i++) {
        const struct ios_own_route *o = &t->rib.routes[i];
        bool beaten = i > 0 && ip_prefix_equal(t->rib.routes[i - 1].prefix, o->prefix) &&
                      t->rib.routes[i - 1].distance < o->distance;
        beaten |= !o->connected && loses_to_bgp(e, t, o->prefix);
        if (o->prefix.addr.family != IP_V4 || beaten)
            continue;
        struct entry entry = {.prefix = o->prefix,
                              .code = o->local       ? 'L'
                                      : o->connected ? 'C'
                                                     : 'S',
                              .own = o,
                              .distance = o->distance,
                              .gateway = o->gateway};
        table_add(t, &entry);
    }
}

static void add_path(struct ios_edit *e, struct route_table *t, struct ip_prefix prefix,
                     const struct bgp_path_info *path) {
    const struct attr_values *v = &path->attrs->v;
    struct bgp_peer_info peer;
    struct entry new = {.prefix = prefix,
                        .code = 'B',
                        .distance = ios_bgp_distance(e->r, path->external ? 0 : 1),
                        .metric = v->has_med ? v->med : 0,
                        .neighbor_as = path->attrs->neighbor_as,
                        .gateway = v->next_hop,
                        .external = path->external,
                        .as_hops = path->attrs->as_path_length,
                        .since = path->received};
    if (bgp_peer_get(e->sink->view->speaker, path->peer, &peer))
        new.from = peer.config->remote_addr;
    table_add(t, &new);
}

static void add_bgp(struct ios_edit *e, struct route_table *t) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    if (!s || bgp_rib_begin(s, BGP_IPV4_UNICAST, &it) != BGP_OK)
        return;
    while (bgp_rib_next_prefix(s, &it))
        while (bgp_rib_next_path(s, &it, &path))
            if ((path.best || path.multipath) && path.peer.index != 0 &&
                !ios_rib_beats_bgp(e->r, &t->rib, it.prefix, path.external))
                add_path(e, t, it.prefix, &path);
    bgp_rib_end(&it);
}

static int compare_entries(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    int order = ip_prefix_compare(x->prefix, y->prefix);
    return order ? order : ip_compare(x->gateway, y->gateway);
}

static bool table_make(struct ios_edit *e, struct route_table *t) {
    *t = (struct route_table){.arena = arena_new()};
    if (!t->arena || !ios_rib_build(e->r, t->arena, &t->rib)) {
        arena_free(t->arena);
        return false;
    }
    add_own(e, t);
    add_bgp(e, t);
    if (t->count)
        qsort(t->list, t->count, sizeof *t->list, compare_entries);
    return true;
}

/* ---- the whole table ---- */

static struct ip_prefix classful_of(struct ip_prefix p) {
    return ip_prefix_make(p.addr, ios_classful_length(p.addr));
}

/* Is it a route to a part of its classful network? */
static bool is_subnet(const struct entry *e) {
    return e->prefix.length > ios_classful_length(e->prefix.addr);
}

struct net {
    struct ip_prefix prefix;
    size_t subnets, masks;
    bool divided; /* has subnets: a header stands above its routes */
};

/* The network that entry `from` begins; *ret_end is behind its last route. */
static struct net net_at(const struct route_table *t, size_t from, size_t *ret_end) {
    struct net n = {.prefix = classful_of(t->list[from].prefix)};
    bool seen[33] = {false};
    size_t i = from;
    for (; i < t->count && ip_prefix_equal(classful_of(t->list[i].prefix), n.prefix) &&
           t->list[i].prefix.length >= n.prefix.length;
         i++) {
        bool again = i > from && ip_prefix_equal(t->list[i - 1].prefix, t->list[i].prefix);
        n.subnets += !again;
        n.masks += !seen[t->list[i].prefix.length];
        seen[t->list[i].prefix.length] = true;
        n.divided |= is_subnet(&t->list[i]);
    }
    *ret_end = i > from ? i : from + 1;
    return n;
}

static void put_net(const struct net *n, uint8_t length, struct text *out) {
    char addr[IP_ADDR_TEXT_MAX];
    ip_format(n->prefix.addr, addr);
    if (n->masks > 1)
        text_printf(out, "      %s/%u is variably subnetted, %zu subnets, %zu masks\n", addr,
                    n->prefix.length, n->subnets, n->masks);
    else
        text_printf(out, "      %s/%u is subnetted, %zu subnets\n", addr, length, n->subnets);
}

static void put_target(const struct entry *e, struct nanotime now, struct text *out) {
    if (e->own && (e->own->connected || !ip_is_set(e->gateway))) {
        text_printf(out, " is directly connected, %s\n", e->own->interface);
        return;
    }
    text_printf(out, " [%u/%u] via ", e->distance, e->metric);
    ios_put_addr(e->gateway, out);
    if (!e->own) {
        text_puts(out, ", ");
        ios_time_age(nanotime_since(now, e->since), out);
    }
    text_putc(out, '\n');
}

/* Below a header routes are indented; with one mask for all they have no length. */
static void put_entry(const struct entry *e, const struct net *n, bool again, struct nanotime now,
                      struct text *out) {
    struct text head;
    char addr[IP_ADDR_TEXT_MAX];
    text_init(&head);
    text_printf(&head, "%c%-*s%s", e->code, n->divided ? 8 : 5, e->prefix.length == 0 ? "*" : "",
                ip_format(e->prefix.addr, addr));
    if (!n->divided || n->masks > 1)
        text_printf(&head, "/%u", e->prefix.length);
    if (again)
        text_printf(out, "%*s", (int)head.size, "");
    else
        text_puts(out, text_str(&head));
    put_target(e, now, out);
    text_deinit(&head);
}

/* Which routes are asked for. */
struct wanted {
    const char *only;        /* "bgp", "static"…; "" all */
    struct ip_prefix longer; /* and what it contains, if set */
};

static bool is_wanted(const struct entry *e, const struct wanted *w) {
    static const struct {
        const char *word, *codes;
    } KINDS[] = {{"bgp", "B"}, {"connected", "C"}, {"static", "S"}, {"local", "L"}};
    if (ip_is_set(w->longer.addr) && !ip_prefix_contains(w->longer, e->prefix))
        return false;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (strcmp(w->only, KINDS[i].word) == 0)
            return strchr(KINDS[i].codes, e->code) != NULL;
    return true;
}

static void put_routes(const struct route_table *t, const struct wanted *wanted,
                       struct nanotime now, struct text *out) {
    size_t end;
    for (size_t from = 0; from < t->count; from = end) {
        struct net n = net_at(t, from, &end);
        bool headed = !n.divided;
        for (size_t i = from; i < end; i++) {
            const struct entry *e = &t->list[i];
            bool again = i > from && ip_prefix_equal(t->list[i - 1].prefix, e->prefix);
            if (!is_wanted(e, wanted))
                continue;
            if (!headed)
                put_net(&n, e->prefix.length, out);
            headed = true;
            put_entry(e, &n, again, now, out);
        }
    }
}

static void put_last_resort(const struct route_table *t, struct text *out) {
    const struct entry *e = t->count && t->list[0].prefix.length == 0 ? &t->list[0] : NULL;
    text_puts(out, "Gateway of last resort is ");
    if (!e)
        text_puts(out, "not set\n\n");
    else if (ip_is_set(e->gateway))
        ios_put_addr(e->gateway, out);
    else
        text_puts(out, "0.0.0.0");
    text_puts(out, e ? " to network 0.0.0.0\n\n" : "");
}

/* ---- one route ---- */

static const struct entry *longest(const struct route_table *t, struct ip_addr a, int length) {
    const struct entry *best = NULL;
    for (size_t i = 0; i < t->count; i++) {
        const struct entry *e = &t->list[i];
        bool fits = length >= 0 ? e->prefix.length == length && ip_equal(e->prefix.addr, a)
                                : ip_prefix_contains(e->prefix, ip_prefix_make(a, 32));
        /* IOS: the default route is not what is asked for. */
        if (fits && (length >= 0 || e->prefix.length > 0) &&
            (!best || e->prefix.length > best->prefix.length))
            best = e;
    }
    return best;
}

static void put_known_via(struct ios_edit *e, const struct entry *r, struct text *out) {
    if (r->own) {
        bool connected = r->own->connected;
        text_printf(out, "  Known via \"%s\", distance %u, metric 0%s\n",
                    connected ? "connected" : "static", connected ? 0 : r->distance,
                    connected ? " (connected, via interface)" : "");
        return;
    }
    text_puts(out, "  Known via \"bgp ");
    text_put_asn(out, bgp_config_of(e->sink->view->speaker)->local_as, ios_asdot(e->r));
    text_printf(out, "\", distance %u, metric %u%s\n", r->distance, r->metric,
                r->external ? "" : ", type internal");
    if (r->external)
        text_printf(out, "  Tag %u, type external\n", r->neighbor_as);
    text_puts(out, "  Last update from ");
    ios_put_addr(r->from, out);
    text_putc(out, ' ');
    ios_time_age(nanotime_since(e->sink->view->now, r->since), out);
    text_puts(out, " ago\n");
}

/* One of the ways there; the first one is used next. */
static void put_descriptor(struct ios_edit *e, const struct entry *r, bool first) {
    struct text *out = e->sink->out;
    text_puts(out, first ? "  * " : "    ");
    if (ip_is_set(r->gateway))
        ios_put_addr(r->gateway, out);
    else
        text_printf(out, "directly connected, via %s", r->own->interface);
    if (!r->own) {
        text_puts(out, ", from ");
        ios_put_addr(r->from, out);
        text_puts(out, ", ");
        ios_time_age(nanotime_since(e->sink->view->now, r->since), out);
        text_puts(out, " ago");
    }
    text_printf(out, "\n      Route metric is %u, traffic share count is 1\n", r->metric);
    if (!r->own)
        text_printf(out, "      AS Hops %u\n      MPLS label: none\n", r->as_hops);
}

static void put_detail(struct ios_edit *e, const struct route_table *t, const struct entry *r) {
    struct text *out = e->sink->out;
    char prefix[IP_PREFIX_TEXT_MAX];
    text_printf(out, "Routing entry for %s\n", ip_prefix_format(r->prefix, prefix));
    put_known_via(e, r, out);
    text_puts(out, "  Routing Descriptor Blocks:\n");
    for (const struct entry *at = r;
         at < t->list + t->count && ip_prefix_equal(at->prefix, r->prefix); at++)
        put_descriptor(e, at, at == r);
}

/* A, A MASK, A/len at word 3. False: none was named. */
static bool wanted_prefix(const struct ios_words *w, struct ip_addr *ret_addr, int *ret_length) {
    struct ip_prefix p;
    uint8_t length;
    *ret_length = -1;
    if (strchr(ios_word(w, 3), '/') && ip_prefix_parse(ios_word(w, 3), &p)) {
        *ret_addr = p.addr;
        *ret_length = p.length;
        return true;
    }
    if (!ip_parse(ios_word(w, 3), ret_addr))
        return false;
    if (ios_mask_length(ios_word(w, 4), &length))
        *ret_length = length;
    return true;
}

static bool has_major(const struct route_table *t, struct ip_addr a) {
    struct ip_prefix major = ip_prefix_make(a, ios_classful_length(a));
    for (size_t i = 0; i < t->count; i++)
        if (ip_prefix_contains(major, t->list[i].prefix))
            return true;
    return false;
}

bool ios_show_route(struct ios_edit *e) {
    struct route_table t;
    struct ip_addr a;
    int length;
    bool longer =
        ios_words_after(e->words, 0, "longer-prefixes") != NULL ||
        strcmp(ios_word(e->words, (uint16_t)(e->words->count - 1)), "longer-prefixes") == 0;
    struct wanted wanted = {.only = ios_word(e->words, 3)};
    if (!table_make(e, &t))
        return false;
    bool named = wanted_prefix(e->words, &a, &length);
    if (named && !longer) {
        const struct entry *found = longest(&t, a, length);
        if (found)
            put_detail(e, &t, found);
        else
            text_printf(e->sink->out, "%% %s not in table\n",
                        has_major(&t, a) ? "Subnet" : "Network");
    } else {
        if (named)
            wanted.longer = ip_prefix_make(a, (uint8_t)(length < 0 ? 32 : length));
        text_puts(e->sink->out, ROUTE_CODES);
        put_last_resort(&t, e->sink->out);
        put_routes(&t, &wanted, e->sink->view->now, e->sink->out);
    }
    arena_free(t.arena);
    return false;
}

/* ---- show ip route summary ---- */

#define OVERHEAD_BYTES 68 /* of a route on IOSv */
#define ROUTE_BYTES 180

struct source {
    size_t networks, subnets;
};

static struct source source_count(const struct route_table *t, const char *codes, int external) {
    struct source n = {0, 0};
    for (size_t i = 0; i < t->count; i++) {
        const struct entry *e = &t->list[i];
        if (!strchr(codes, e->code) || (external >= 0 && e->external != (external == 1)))
            continue;
        if (is_subnet(e))
            n.subnets++;
        else
            n.networks++;
    }
    return n;
}

static void put_source(const char *name, struct source n, struct text *out) {
    size_t all = n.networks + n.subnets;
    text_printf(out, "%-15s %-11zu %-11zu %-11u %-11zu %zu\n", name, n.networks, n.subnets, 0u,
                all * OVERHEAD_BYTES, all * ROUTE_BYTES);
}

bool ios_show_route_summary(struct ios_edit *e) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct text *out = e->sink->out;
    struct route_table t;
    char name[24];
    if (!table_make(e, &t))
        return false;
    text_puts(out, "IP routing table name is default (0x0)\n"
                   "IP routing table maximum-paths is 32\n"
                   "Route Source    Networks    Subnets     Replicates  Overhead    Memory "
                   "(bytes)\n");
    put_source("connected", source_count(&t, "CL", -1), out);
    put_source("static", source_count(&t, "S", -1), out);
    if (s && ios_bgp_block(e->r)) {
        struct source external = source_count(&t, "B", 1), internal = source_count(&t, "B", 0);
        snprintf(name, sizeof name, "bgp %u", bgp_config_of(s)->local_as);
        put_source(name, source_count(&t, "B", -1), out);
        text_printf(out, "  External: %zu Internal: %zu Local: 0\n",
                    external.networks + external.subnets, internal.networks + internal.subnets);
    }
    put_source("Total", source_count(&t, "CLSB", -1), out);
    arena_free(t.arena);
    return false;
}
