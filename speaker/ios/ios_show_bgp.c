/*
 * show ip bgp: the table as IOS lays it out, and what all commands about it share.
 *
 * Owns: the layout of 15.7, byte by byte. Leaves: what is in the table to the core, read through
 * core/bgp.h only; one prefix to ios_show_prefix.c, the summary to ios_show_summary.c, neighbours
 * to ios_show_neighbor.c.
 */
#include "ios_show.h"

#include "../core/attr.h"

#include <stdio.h>
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
    struct bgp_table_tally t;
    return bgp_table_tally_get(s, f, &t) ? t.version : 1;
}

uint32_t ios_message_count(const struct bgp_message_counts *c) {
    return c->opens + c->notifications + c->updates + c->keepalives + c->refreshes;
}

/* ---- the table ---- */

void ios_put_table_legend(struct ios_edit *e, enum bgp_family f) {
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
                   "\n");
}

void ios_put_table_columns(struct ios_edit *e) {
    text_puts(e->sink->out,
              "     Network          Next Hop            Metric LocPrf Weight Path\n");
}

static void put_table_header(struct ios_edit *e, enum bgp_family f) {
    ios_put_table_legend(e, f);
    ios_put_table_columns(e);
}

static void put_flags(const struct ios_table_row *row, struct text *out) {
    const struct bgp_path_info *p = row->path;
    /* IOS: what policy refused is valid all the same, where it is shown at all. */
    bool valid = p->valid || p->rejected || p->damped;
    char status = p->suppressed ? 's' : p->stale ? 'S' : row->rib_failure ? 'r' : valid ? '*' : ' ';
    char rank = p->damped ? 'd' : p->best ? '>' : p->multipath ? 'm' : ' ';
    bool internal = p->peer.index != 0 && !p->external;
    text_printf(out, " %c%c%c  ", status, rank, internal ? 'i' : ' ');
}

struct ip_addr ios_path_next_hop(const struct bgp_path_info *p, enum ip_family family) {
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

static void put_path(const struct attr_values *v, bool dot, struct text *out) {
    size_t before = out->size;
    as_path_format(v->as_path, dot, out);
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
    ios_put_addr(ios_path_next_hop(row->path, (enum ip_family)row->prefix.addr.family), &column);
    put_column(text_str(&column), 15, 38, true, out);
    put_number(v->has_med, v->med, 11, out);
    put_number(v->has_local_pref && row->path->peer.index != 0 && !row->path->external,
               v->local_pref, 7, out);
    text_printf(out, "%7u ", row->path->weight);
    put_path(v, row->asdot, out);
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
    bool first = true, asdot = ios_asdot(rows->router);
    while (bgp_rib_next_path(rows->speaker, it, &path)) {
        struct ios_table_row row = {
            .prefix = it->prefix, .path = &path, .network = first, .asdot = asdot};
        if (path.rejected || !rows->wanted(rows->context, it->prefix, &path))
            continue;
        row.rib_failure = ios_is_rib_failure(rows->router, rows->rib, it->prefix, &path);
        ios_put_table_row(&row, out);
        first = false;
    }
}

static void show_rows(struct ios_edit *e, enum bgp_family f, ios_wanted_fn *wanted, void *context) {
    struct bgp_rib_iterator it;
    struct ios_rib rib = {.count = 0};
    struct rows what = {e->r, e->sink->view->speaker, &rib, wanted, context};
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
        put_table_header(e, f);
    text_put(e->sink->out, text_str(&rows), rows.size);
    text_deinit(&rows);
    bgp_rib_end(&it);
    arena_free(scratch);
}

void ios_show_rows(struct ios_edit *e, ios_wanted_fn *wanted, void *context) {
    if (ios_show_active(e))
        show_rows(e, ios_show_family(e->words), wanted, context);
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

bool ios_show_table_all(struct ios_edit *e) {
    static const char *const NAMES[] = {"IPv4 Unicast", "IPv6 Unicast"};
    bool any = false;
    if (!ios_show_active(e))
        return false;
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (!ios_af_block(e->r, (enum bgp_family)f))
            continue;
        text_printf(e->sink->out, "%sFor address family: %s\n\n", any ? "\n" : "", NAMES[f]);
        show_rows(e, (enum bgp_family)f, everything, NULL);
        any = true;
    }
    return false;
}
