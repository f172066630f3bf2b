/*
 * show ip bgp, show ip bgp PREFIX, show ip bgp summary: the table as IOS lays it out.
 *
 * Owns: the layouts of 15.7, byte by byte. Leaves: what is in the table to the core, read through
 * core/bgp.h only; neighbours to ios_show_neighbor.c.
 *
 * IOS counts a version per change of the table; here it is the number of networks + 1, which is
 * what a table has that was filled once. Memory figures are entries times IOS's sizes.
 */
#include "ios_show.h"
#include "ios_time.h"

#include "../base/hash.h"
#include "../core/attr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- small things ---- */

bool ios_show_active(struct ios_edit *e) {
    if (e->sink->view->speaker && ios_bgp_block(e->r))
        return true;
    text_puts(e->sink->out, "% BGP not active\n");
    return false;
}

enum bgp_family ios_show_family(const struct ios_words *w) {
    uint16_t end = ios_show_argument(w);
    for (uint16_t i = 0; i < end; i++)
        if (strcmp(ios_word(w, i), "ipv6") == 0)
            return BGP_IPV6_UNICAST;
    return BGP_IPV4_UNICAST;
}

uint16_t ios_show_argument(const struct ios_words *w) {
    uint16_t at = strcmp(ios_word(w, 1), "ip") == 0 ? 3 : 2;
    return (uint16_t)(strcmp(ios_word(w, (uint16_t)(at + 1)), "unicast") == 0 ? at + 2 : at);
}

void ios_put_addr(struct ip_addr a, struct text *out) {
    char text[IP_ADDR_TEXT_MAX];
    for (const char *c = ip_format(a, text); *c; c++)
        text_putc(out, *c >= 'a' && *c <= 'f' ? (char)(*c - 'a' + 'A') : *c);
}

void ios_put_network(struct ip_prefix p, struct text *out) {
    ios_put_addr(p.addr, out);
    if (p.addr.family != IP_V4 || p.length != ios_classful_length(p.addr))
        text_printf(out, "/%u", p.length);
}

void ios_put_communities(const struct ios_router *r, const uint32_t *list, uint32_t count,
                         struct text *out) {
    bool new_format = ios_block_first(r->root, "ip", "bgp-community", "new-format") != NULL;
    for (uint32_t i = 0; i < count; i++) {
        text_puts(out, i ? " " : "");
        if (list[i] >> 16 == 65535 || new_format)
            community_format(list[i], out);
        else
            text_printf(out, "%u", list[i]);
    }
}

uint32_t ios_table_version(const struct bgp_speaker *s, enum bgp_family f) {
    struct bgp_rib_iterator it;
    uint32_t count = 0;
    if (bgp_rib_begin(s, f, &it) != BGP_OK)
        return 1;
    while (bgp_rib_next_prefix(s, &it))
        count++;
    bgp_rib_end(&it);
    return count + 1;
}

uint32_t ios_message_count(const struct bgp_message_counts *c) {
    return c->opens + c->notifications + c->updates + c->keepalives + c->refreshes;
}

/* ---- the table ---- */

void ios_put_table_header(struct ios_edit *e, enum bgp_family f) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct text *out = e->sink->out;
    text_printf(out, "BGP table version is %u, local router ID is ", ios_table_version(s, f));
    ios_put_addr(bgp_config_of(s)->router_id, out);
    text_puts(out, "\n"
                   "Status codes: s suppressed, d damped, h history, * valid, > best, "
                   "i - internal, \n"
                   "              r RIB-failure, S Stale, m multipath, b backup-path, "
                   "f RT-Filter, \n"
                   "              x best-external, a additional-path, c RIB-compressed, \n"
                   "              t secondary path, \n"
                   "Origin codes: i - IGP, e - EGP, ? - incomplete\n"
                   "RPKI validation codes: V valid, I invalid, N Not found\n"
                   "\n"
                   "     Network          Next Hop            Metric LocPrf Weight Path\n");
}

static void put_flags(const struct ios_table_row *row, struct text *out) {
    const struct bgp_path_info *p = row->path;
    /* IOS: what policy refused is valid all the same, where it is shown at all. */
    bool valid = p->valid || p->rejected;
    char status = p->stale ? 'S' : row->rib_failure ? 'r' : valid ? '*' : ' ';
    bool internal = p->peer.index != 0 && !p->external;
    text_printf(out, " %c%c%c  ", status, p->best ? '>' : ' ', internal ? 'i' : ' ');
}

static struct ip_addr path_next_hop(const struct bgp_path_info *p, enum ip_family family) {
    struct ip_addr none = {.family = (uint8_t)family};
    return p->peer.index == 0 ? none : p->attrs->v.next_hop;
}

/* Text that is too long for its column stands alone on the line. */
static void put_column(const char *text, size_t width, size_t next_column, bool pad,
                       struct text *out) {
    text_puts(out, text);
    if (strlen(text) > width)
        text_printf(out, "\n%*s", (int)next_column, "");
    else if (pad)
        text_printf(out, "%*s", (int)(width - strlen(text)), "");
}

static void put_number(bool present, uint32_t value, int width, struct text *out) {
    if (present)
        text_printf(out, "%*u", width, value);
    else
        text_printf(out, "%*s", width, "");
}

static void put_path(const struct attr_values *v, struct text *out) {
    size_t before = out->size;
    as_path_format(v->as_path, out);
    if (out->size > before)
        text_putc(out, ' ');
    text_putc(out, v->origin == 0 ? 'i' : v->origin == 1 ? 'e' : '?');
}

void ios_put_table_row(const struct ios_table_row *row, struct text *out) {
    const struct attr_values *v = &row->path->attrs->v;
    struct text column;
    text_init(&column);
    put_flags(row, out);
    if (row->network)
        ios_put_network(row->prefix, &column);
    bool wide = column.size > 16;
    put_column(text_str(&column), 16, 22, true, out);
    text_puts(out, wide ? "" : " ");
    text_clear(&column);
    ios_put_addr(path_next_hop(row->path, (enum ip_family)row->prefix.addr.family), &column);
    put_column(text_str(&column), 15, 38, true, out);
    put_number(v->has_med, v->med, 11, out);
    put_number(v->has_local_pref && row->path->peer.index != 0 && !row->path->external,
               v->local_pref, 7, out);
    text_printf(out, "%7u ", row->path->weight);
    put_path(v, out);
    text_putc(out, '\n');
    text_deinit(&column);
}

bool ios_is_rib_failure(const struct ios_router *r, const struct ios_rib *rib, struct ip_prefix p,
                        const struct bgp_path_info *path) {
    return path->best && path->peer.index != 0 && ios_rib_beats_bgp(r, rib, p, path->external);
}

struct rows {
    const struct ios_router *router;
    const struct bgp_speaker *speaker;
    const struct ios_rib *rib;
    ios_wanted_fn *wanted;
    void *context;
};

static void put_prefix_rows(const struct rows *rows, struct bgp_rib_iterator *it,
                            struct text *out) {
    struct bgp_path_info path;
    bool first = true;
    while (bgp_rib_next_path(rows->speaker, it, &path)) {
        struct ios_table_row row = {.prefix = it->prefix, .path = &path, .network = first};
        if (path.rejected || !rows->wanted(rows->context, it->prefix, &path))
            continue;
        row.rib_failure = ios_is_rib_failure(rows->router, rows->rib, it->prefix, &path);
        ios_put_table_row(&row, out);
        first = false;
    }
}

void ios_show_rows(struct ios_edit *e, ios_wanted_fn *wanted, void *context) {
    enum bgp_family f = ios_show_family(e->words);
    struct bgp_rib_iterator it;
    struct ios_rib rib = {.count = 0};
    struct rows what = {e->r, e->sink->view->speaker, &rib, wanted, context};
    if (!ios_show_active(e))
        return;
    struct arena *scratch = arena_new();
    if (!scratch || !ios_rib_build(e->r, scratch, &rib) ||
        bgp_rib_begin(what.speaker, f, &it) != BGP_OK) {
        arena_free(scratch);
        return;
    }
    struct text rows;
    text_init(&rows);
    while (bgp_rib_next_prefix(what.speaker, &it))
        put_prefix_rows(&what, &it, &rows);
    if (rows.size)
        ios_put_table_header(e, f);
    text_put(e->sink->out, text_str(&rows), rows.size);
    text_deinit(&rows);
    bgp_rib_end(&it);
    arena_free(scratch);
}

static bool everything(void *context, struct ip_prefix prefix, const struct bgp_path_info *p) {
    (void)context;
    (void)prefix;
    (void)p;
    return true;
}

bool ios_show_table(struct ios_edit *e) {
    ios_show_rows(e, everything, NULL);
    return false;
}

/* ---- one prefix ---- */

struct count {
    uint32_t available, best, total; /* best: number of the best path, 0: none */
};

static struct count paths_count(const struct bgp_speaker *s, struct ip_prefix p) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    struct count c = {.total = 0};
    if (!bgp_rib_find(s, p, &it))
        return c;
    while (bgp_rib_next_path(s, &it, &path)) {
        c.total++;
        c.available += !path.rejected;
        if (path.best)
            c.best = c.total;
    }
    bgp_rib_end(&it);
    return c;
}

/* Update groups that were told of the prefix, each once, in order. */
static void put_advertised(const struct bgp_speaker *s, struct ip_prefix p, struct text *out) {
    uint32_t last = 0;
    for (bool found = true; found;) {
        uint32_t next = UINT32_MAX;
        struct bgp_peer_info info;
        for (uint32_t n = 0; bgp_peer_at(s, n, &info); n++)
            if (info.update_group > last && info.update_group < next &&
                bgp_adj_out_find(s, info.id, p))
                next = info.update_group;
        found = next != UINT32_MAX;
        if (found && last == 0)
            text_puts(out, "  Advertised to update-groups:\n     ");
        if (found)
            text_printf(out, "%-10u", next);
        last = found ? next : last;
    }
    text_puts(out, last ? "\n" : "  Not advertised to any peer\n");
}

static void put_origin_line(const struct bgp_path_info *path, uint32_t default_local_pref,
                            struct text *out) {
    static const char *const ORIGINS[] = {"IGP", "EGP", "incomplete"};
    const struct attr_values *v = &path->attrs->v;
    text_printf(out, "      Origin %s", ORIGINS[v->origin < 3 ? v->origin : 2]);
    if (v->has_med)
        text_printf(out, ", metric %u", v->med);
    text_printf(out, ", localpref %u", v->has_local_pref ? v->local_pref : default_local_pref);
    if (path->weight)
        text_printf(out, ", weight %u", path->weight);
    if (path->valid)
        text_puts(out, ", valid");
    if (path->peer.index)
        text_puts(out, path->external ? ", external" : ", internal");
    else
        text_puts(out, v->origin == 0 ? ", sourced, local" : ", sourced");
    if (v->atomic_aggregate)
        text_puts(out, ", atomic-aggregate");
    text_puts(out, path->best ? ", best\n" : "\n");
}

static void put_reflection(const struct attr_values *v, struct text *out) {
    if (!v->has_originator_id && v->cluster_count == 0)
        return;
    text_puts(out, "      Originator: ");
    ios_put_addr(ip4(v->originator_id), out);
    text_puts(out, ", Cluster list: ");
    for (uint32_t i = 0; i < v->cluster_count; i++) {
        text_puts(out, i ? ", " : "");
        ios_put_addr(ip4(v->cluster_list[i]), out);
    }
    text_putc(out, '\n');
}

static void put_source_line(const struct bgp_path_info *path, const struct bgp_peer_info *peer,
                            struct ip_prefix p, struct text *out) {
    bool own = path->peer.index == 0;
    struct ip_addr none = {.family = p.addr.family};
    text_puts(out, "    ");
    ios_put_addr(path_next_hop(path, (enum ip_family)p.addr.family), out);
    if (!own && !path->valid && !path->rejected)
        text_puts(out, " (inaccessible)");
    text_puts(out, " from ");
    ios_put_addr(own || !peer ? none : peer->remote.addr, out);
    text_puts(out, " (");
    ios_put_addr(ip4(path->peer_router_id), out);
    text_puts(out, ")\n");
}

static void put_path_detail(struct ios_edit *e, const struct bgp_path_info *path,
                            struct ip_prefix p) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct text *out = e->sink->out;
    const struct attr_values *v = &path->attrs->v;
    struct bgp_peer_info peer;
    bool learned = path->peer.index && bgp_peer_get(s, path->peer, &peer);
    text_puts(out, "  Refresh Epoch 1\n  ");
    if (v->as_path.word_count)
        as_path_format(v->as_path, out);
    else
        text_puts(out, "Local");
    if (learned && peer.config->rr_client)
        text_puts(out, ", (Received from a RR-client)");
    if (learned && path->rejected)
        text_puts(out, ", (received-only)");
    else if (learned && peer.config->soft_reconfiguration)
        text_puts(out, ", (received & used)");
    text_putc(out, '\n');
    if (learned)
        peer.remote.addr = peer.config->remote_addr;
    put_source_line(path, learned ? &peer : NULL, p, out);
    put_origin_line(path, bgp_config_of(s)->default_local_pref, out);
    if (v->community_count) {
        text_puts(out, "      Community: ");
        ios_put_communities(e->r, v->communities, v->community_count, out);
        text_putc(out, '\n');
    }
    put_reflection(v, out);
    text_printf(out, "      rx pathid: 0, tx pathid: %s\n", path->best ? "0x0" : "0");
}

/* Is the best path one of a peer's, for a prefix the router has a better route to? */
static bool has_rib_failure(struct ios_edit *e, struct ip_prefix p) {
    struct arena *scratch = arena_new();
    struct ios_rib rib = {.count = 0};
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    bool failure = false;
    if (scratch && ios_rib_build(e->r, scratch, &rib) &&
        bgp_rib_find(e->sink->view->speaker, p, &it)) {
        while (bgp_rib_next_path(e->sink->view->speaker, &it, &path))
            failure |= ios_is_rib_failure(e->r, &rib, p, &path);
        bgp_rib_end(&it);
    }
    arena_free(scratch);
    return failure;
}

static void put_prefix(struct ios_edit *e, struct ip_prefix p) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct text *out = e->sink->out;
    struct count c = paths_count(s, p);
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    if (!bgp_rib_find(s, p, &it))
        return;
    text_puts(out, "BGP routing table entry for ");
    ios_put_addr(p.addr, out);
    text_printf(out, "/%u, version %u\n", p.length,
                ios_table_version(s, ios_show_family(e->words)));
    text_printf(out, "Paths: (%u available, ", c.available);
    if (c.best)
        text_printf(out, "best #%u, table default%s)\n", c.best,
                    has_rib_failure(e, p) ? ", RIB-failure(17)" : "");
    else
        text_puts(out, "no best path)\n");
    put_advertised(s, p, out);
    while (bgp_rib_next_path(s, &it, &path))
        put_path_detail(e, &path, p);
    bgp_rib_end(&it);
}

/* The prefix asked for: A/len, A MASK, or the longest one that contains A. */
static bool find_prefix(const struct bgp_speaker *s, const struct ios_words *w,
                        struct ip_prefix *ret) {
    uint16_t at = ios_show_argument(w);
    uint8_t length;
    struct ip_addr a;
    struct ip_prefix p;
    if (strchr(ios_word(w, at), '/')) {
        if (!ip_prefix_parse(ios_word(w, at), ret))
            return false;
        return paths_count(s, *ret).total > 0;
    }
    if (!ip_parse(ios_word(w, at), &a))
        return false;
    bool exact = ios_mask_length(ios_word(w, (uint16_t)(at + 1)), &length);
    for (unsigned n = ip_bits((enum ip_family)a.family) + 1u; n-- > 0;) {
        p = ip_prefix_make(a, (uint8_t)n);
        if ((!exact || n == length) && paths_count(s, p).total > 0) {
            *ret = p;
            return true;
        }
    }
    return false;
}

bool ios_show_prefix(struct ios_edit *e) {
    struct ip_prefix p;
    if (!ios_show_active(e))
        return false;
    if (find_prefix(e->sink->view->speaker, e->words, &p))
        put_prefix(e, p);
    else
        text_puts(e->sink->out, "% Network not in table\n");
    return false;
}

/* ---- summary ---- */

struct census {
    uint32_t networks, paths, count, capacity;
    uint64_t *hashes[4]; /* attributes, reflection, AS path, communities; 0: has none */
    uint64_t *best;      /* attributes of best paths */
    uint32_t best_count;
};

static bool census_grow(struct census *c) {
    if (c->count < c->capacity)
        return true;
    uint32_t capacity = c->capacity ? c->capacity * 2 : 256;
    for (int i = 0; i < 4; i++) {
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
        c->networks++;
        while (bgp_rib_next_path(s, &it, &path))
            if (census_grow(c))
                census_path(c, &path);
    }
    bgp_rib_end(&it);
}

/* IOS 15.7's sizes of entries, 32 bit. */
static void put_memory(struct census *c, struct text *out) {
    static const char *const OPTIONAL[] = {NULL, "rrinfo", "AS-PATH", "community"};
    uint32_t attributes = distinct(c->hashes[0], c->count);
    uint32_t total = c->networks * 144 + c->paths * 84 + attributes * 160;
    text_printf(out, "%u network entries using %u bytes of memory\n", c->networks,
                c->networks * 144);
    text_printf(out, "%u path entries using %u bytes of memory\n", c->paths, c->paths * 84);
    text_printf(out, "%u/%u BGP path/bestpath attribute entries using %u bytes of memory\n",
                attributes, distinct(c->best, c->best_count), attributes * 160);
    for (int i = 1; i < 4; i++) {
        uint32_t n = distinct(c->hashes[i], c->count);
        total += n * 24;
        if (n)
            text_printf(out, "%u BGP %s entries using %u bytes of memory\n", n, OPTIONAL[i],
                        n * 24);
    }
    text_puts(out, "0 BGP route-map cache entries using 0 bytes of memory\n"
                   "0 BGP filter-list cache entries using 0 bytes of memory\n");
    text_printf(out, "BGP using %u total bytes of memory\n", total);
    text_printf(out, "BGP activity %u/0 prefixes, %u/0 paths, scan interval 60 secs\n", c->networks,
                c->paths);
}

static const char *state_text(const struct bgp_peer_info *p) {
    static const char *const STATES[] = {"Idle",     "Active",      "Active",
                                         "OpenSent", "OpenConfirm", "Established"};
    if (p->admin_down)
        return "Idle (Admin)";
    return p->prefix_limit_down ? "Idle (PfxCt)" : STATES[p->state];
}

static void put_summary_row(const struct bgp_peer_info *p, enum bgp_family f, uint32_t version,
                            struct nanotime now, struct text *out) {
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
    if (p->established_count || up)
        ios_time_age(nanotime_since(now, p->since), &column);
    else
        text_puts(&column, "never");
    text_printf(out, "4 %12u %7u %7u %8u %4d %4d %-8s ", p->config->remote_as,
                ios_message_count(&p->received), ios_message_count(&p->sent), up ? version : 1, 0,
                0, text_str(&column));
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
    bool header = false;
    census_take(s, f, &c);
    text_puts(out, "BGP router identifier ");
    ios_put_addr(bgp_config_of(s)->router_id, out);
    text_printf(out, ", local AS number %u\n", bgp_config_of(s)->local_as);
    text_printf(out, "BGP table version is %u, main routing table version %u\n", c.networks + 1,
                c.networks + 1);
    if (c.networks)
        put_memory(&c, out);
    for (uint32_t n = 0; bgp_peer_at(s, n, &p); n++) {
        if (!p.config->families[f])
            continue;
        if (!header)
            text_puts(out, "\nNeighbor        V           AS MsgRcvd MsgSent   TblVer  InQ OutQ "
                           "Up/Down  State/PfxRcd\n");
        header = true;
        put_summary_row(&p, f, c.networks + 1, e->sink->view->now, out);
    }
    if (bgp_config_of(s)->listen_range_count)
        put_dynamic(e->r, s, out);
    for (int i = 0; i < 4; i++)
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
