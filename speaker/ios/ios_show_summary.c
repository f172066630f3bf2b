/*
 * show ip bgp summary: what the tables hold, and a row per neighbour.
 *
 * Owns: the layout of 15.7, the census of attributes (memory figures are entries times IOS's sizes
 * on 32 bits). Leaves: counting of changes to the core.
 */
#include "ios_show.h"
#include "ios_time.h"

#include "../base/hash.h"
#include "../core/attr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CENSUS_KINDS 5
#define IOS_SCAN_TIME_S 60 /* unless bgp scan-time */

struct census {
    uint32_t networks, paths, count, capacity;
    uint32_t shared_networks, shared_paths; /* multipath: the best path included */
    /* Attributes, reflection, AS path, communities, extended ones; 0: has none. */
    uint64_t *hashes[CENSUS_KINDS];
    uint64_t *best; /* attributes of best paths */
    uint32_t best_count;
};

static bool census_grow(struct census *c) {
    if (c->count < c->capacity)
        return true;
    uint32_t capacity = c->capacity ? c->capacity * 2 : 256;
    for (int i = 0; i < CENSUS_KINDS; i++) {
        uint64_t *list = alloc_resize(c->hashes[i], capacity, sizeof *list);
        if (!list)
            return false;
        c->hashes[i] = list;
    }
    uint64_t *best = alloc_resize(c->best, capacity, sizeof *best);
    if (!best)
        return false;
    c->best = best;
    c->capacity = capacity;
    return true;
}

static void census_path(struct census *c, const struct bgp_path_info *p) {
    const struct attr_values *v = &p->attrs->v;
    uint32_t n = c->count++;
    c->paths++;
    c->hashes[0][n] = p->attrs->id;
    c->hashes[1][n] = v->cluster_count
                          ? hash_bytes(v->cluster_list, v->cluster_count * sizeof *v->cluster_list,
                                       v->originator_id + UINT64_C(1))
                          : 0;
    c->hashes[2][n] =
        v->as_path.word_count
            ? hash_bytes(v->as_path.words, v->as_path.word_count * sizeof *v->as_path.words, 1)
            : 0;
    c->hashes[3][n] =
        v->community_count
            ? hash_bytes(v->communities, v->community_count * sizeof *v->communities, 1)
            : 0;
    c->hashes[4][n] =
        v->ext_community_count
            ? hash_bytes(v->ext_communities, v->ext_community_count * sizeof *v->ext_communities, 1)
            : 0;
    if (p->best)
        c->best[c->best_count++] = p->attrs->id;
}

static int compare_hashes(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* How many different values, 0 aside. */
static uint32_t distinct(uint64_t *list, uint32_t count) {
    uint32_t n = 0;
    if (count)
        qsort(list, count, sizeof *list, compare_hashes);
    for (uint32_t i = 0; i < count; i++)
        n += list[i] != 0 && (i == 0 || list[i] != list[i - 1]);
    return n;
}

static void census_take(const struct bgp_speaker *s, enum bgp_family f, struct census *c) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    if (bgp_rib_begin(s, f, &it) != BGP_OK)
        return;
    while (bgp_rib_next_prefix(s, &it)) {
        uint32_t shared = 0;
        c->networks++;
        while (bgp_rib_next_path(s, &it, &path)) {
            shared += path.multipath;
            if (census_grow(c))
                census_path(c, &path);
        }
        c->shared_networks += shared > 0;
        c->shared_paths += shared ? shared + 1 : 0;
    }
    bgp_rib_end(&it);
}

/* IOS 15.7's sizes of entries, 32 bit. */
static void put_memory(struct census *c, const struct bgp_table_tally *t, uint32_t scan_time_s,
                       struct text *out) {
    static const char *const OPTIONAL[] = {NULL, "rrinfo", "AS-PATH", "community",
                                           "extended community"};
    uint32_t attributes = distinct(c->hashes[0], c->count);
    uint32_t total = c->networks * 144 + c->paths * 84 + attributes * 160;
    text_printf(out, "%u network entries using %u bytes of memory\n", c->networks,
                c->networks * 144);
    text_printf(out, "%u path entries using %u bytes of memory\n", c->paths, c->paths * 84);
    if (c->shared_networks)
        text_printf(out, "%u multipath network entries and %u multipath paths\n",
                    c->shared_networks, c->shared_paths);
    text_printf(out, "%u/%u BGP path/bestpath attribute entries using %u bytes of memory\n",
                attributes, distinct(c->best, c->best_count), attributes * 160);
    for (int i = 1; i < CENSUS_KINDS; i++) {
        uint32_t n = distinct(c->hashes[i], c->count);
        total += n * 24;
        if (n)
            text_printf(out, "%u BGP %s entries using %u bytes of memory\n", n, OPTIONAL[i],
                        n * 24);
    }
    text_puts(out, "0 BGP route-map cache entries using 0 bytes of memory\n"
                   "0 BGP filter-list cache entries using 0 bytes of memory\n");
    text_printf(out, "BGP using %u total bytes of memory\n", total);
    text_printf(out, "BGP activity %u/%u prefixes, %u/%u paths, scan interval %u secs\n",
                t->prefixes_made, t->prefixes_gone, t->paths_made, t->paths_gone,
                scan_time_s ? scan_time_s : IOS_SCAN_TIME_S);
}

const char *ios_state_name(const struct bgp_peer_info *p) {
    static const char *const STATES[] = {"Idle",     "Active",      "Active",
                                         "OpenSent", "OpenConfirm", "Established"};
    /* IOS: between two tries it is idle; who only listens is active. */
    bool between = p->state == BGP_ACTIVE && !p->config->options->passive;
    return between ? "Idle" : STATES[p->state];
}

static const char *state_text(const struct bgp_peer_info *p) {
    if (p->admin_down)
        return "Idle (Admin)";
    return p->prefix_limit_down ? "Idle (PfxCt)" : ios_state_name(p);
}

void ios_put_summary_row(struct ios_edit *e, const struct bgp_peer_info *p, enum bgp_family f,
                         uint32_t version) {
    struct nanotime now = e->sink->view->now;
    struct text *out = e->sink->out;
    struct text column;
    bool up = p->state == BGP_ESTABLISHED;
    text_init(&column);
    text_puts(&column, p->dynamic ? "*" : "");
    ios_put_addr(p->config->remote_addr, &column);
    if (column.size > 15)
        text_printf(out, "%s\n%16s", text_str(&column), "");
    else
        text_printf(out, "%-15s ", text_str(&column));
    text_clear(&column);
    text_put_asn(&column, p->config->remote_as, ios_asdot(e->r));
    text_printf(out, "4 %12s ", text_str(&column));
    text_clear(&column);
    if (p->established_count || up)
        ios_time_age(nanotime_since(now, p->since), &column);
    else
        text_puts(&column, "never");
    text_printf(out, "%7u %7u %8u %4d %4d %-8s ", ios_message_count(&p->received),
                ios_message_count(&p->sent), up ? version : 1, 0, 0, text_str(&column));
    if (up)
        text_printf(out, "%8u\n", p->prefixes_accepted[f]);
    else
        text_printf(out, "%s\n", state_text(p));
    text_deinit(&column);
}

/* Neighbours that came by `bgp listen range`. */
static void put_dynamic(const struct ios_router *r, const struct bgp_speaker *s, struct text *out) {
    const struct bgp_config *c = bgp_config_of(s);
    const struct ios_block *bgp = ios_bgp_block(r);
    const struct ios_stmt *limit = ios_block_first(bgp, "bgp", "listen", "limit");
    struct bgp_peer_info p;
    uint32_t count = 0;
    for (uint32_t n = 0; bgp_peer_at(s, n, &p); n++)
        count += p.dynamic;
    text_printf(out,
                "* Dynamically created based on a listen range command\n"
                "Dynamically created neighbors: %u, Subnet ranges: %u\n",
                count, c->listen_range_count);
    for (uint32_t i = 0; i < bgp->count; i++) {
        const struct ios_stmt *range = bgp->items[i];
        if (ios_stmt_is(range, 1, "listen") && ios_stmt_is(range, 2, "range"))
            text_printf(out, "\nBGP peergroup %s listen range group members: \n  %s \n",
                        ios_stmt_word(range, 5), ios_stmt_word(range, 3));
    }
    text_printf(out, "\nTotal dynamically created neighbors: %u/(%s max), Subnet ranges: %u\n",
                count, limit ? ios_stmt_word(limit, 3) : "100", c->listen_range_count);
}

static void put_summary(struct ios_edit *e, enum bgp_family f) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct text *out = e->sink->out;
    struct census c = {.networks = 0};
    struct bgp_peer_info p;
    struct bgp_table_tally t = {.version = 1};
    bool header = false;
    census_take(s, f, &c);
    (void)bgp_table_tally_get(s, f, &t);
    text_puts(out, "BGP router identifier ");
    ios_put_addr(bgp_config_of(s)->router_id, out);
    text_puts(out, ", local AS number ");
    text_put_asn(out, bgp_config_of(s)->local_as, ios_asdot(e->r));
    text_printf(out, "\nBGP table version is %u, main routing table version %u\n", t.version,
                t.version);
    if (c.networks)
        put_memory(&c, &t, bgp_config_of(s)->scan_time_s, out);
    for (uint32_t n = 0; bgp_peer_at(s, n, &p); n++) {
        if (!p.config->options->families[f])
            continue;
        if (!header)
            text_puts(out, "\nNeighbor        V           AS MsgRcvd MsgSent   TblVer  InQ OutQ "
                           "Up/Down  State/PfxRcd\n");
        header = true;
        ios_put_summary_row(e, &p, f, t.version);
    }
    if (bgp_config_of(s)->listen_range_count)
        put_dynamic(e->r, s, out);
    for (int i = 0; i < CENSUS_KINDS; i++)
        alloc_free(c.hashes[i]);
    alloc_free(c.best);
}

bool ios_show_summary(struct ios_edit *e) {
    if (ios_show_active(e))
        put_summary(e, ios_show_family(e->words));
    return false;
}

bool ios_show_summary_all(struct ios_edit *e) {
    static const char *const NAMES[] = {"IPv4 Unicast", "IPv6 Unicast"};
    if (!ios_show_active(e))
        return false;
    bool any = false;
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (!ios_af_block(e->r, (enum bgp_family)f))
            continue;
        text_printf(e->sink->out, "%sFor address family: %s\n", any ? "\n" : "", NAMES[f]);
        put_summary(e, (enum bgp_family)f);
        any = true;
    }
    return false;
}
