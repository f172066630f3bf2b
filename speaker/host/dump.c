/*
 * Tables as JSON, piece by piece, so that a million routes take no more memory than a thousand.
 *
 * Owns the walk, in slices of output and of prefixes looked at, so that sorting a million of them
 * stops nobody's timers: a dump that takes several turns shows each prefix at most once, as it was
 * when its turn came.
 */
#include "dump.h"

#include "../base/arena.h"
#include "../base/prefix_order.h"
#include "../base/text.h"
#include "../config/config_fields.h"
#include "../config/config_json.h"
#include "../core/attr.h"
#include "../core/decide.h"
#include "fib.h"
#include "host.h"
#include "monitor.h"
#include "mrt_table.h"
#include "netlink.h"
#include "requests.h"

#include <string.h>

#define MRT_PREFIXES 256u     /* written in one step */
#define ORDER_PREFIXES 16384u /* looked at in one step */

struct dump {
    struct host *host;
    struct dump_request request;
    int family;
    struct bgp_rib_order *order;    /* of `family`; NULL: not begun */
    struct prefix_order *fib_order; /* of the kernel's table; NULL: not begun */
    bool first;                     /* no comma yet */
    struct mrt_table *mrt;
    json_t *answer;
};

struct dump *dump_new(struct host *h, const struct dump_request *r) {
    struct dump *d = alloc_zero(1, sizeof *d);
    if (!d)
        return NULL;
    d->host = h;
    d->request = *r;
    d->first = true;
    return d;
}

struct dump *dump_mrt(struct mrt_table *table, json_t *answer) {
    struct dump *d = alloc_zero(1, sizeof *d);
    uint64_t unused;
    if (!d) {
        (void)mrt_table_end(table, &unused);
        return NULL;
    }
    d->mrt = table;
    d->answer = json_incref(answer);
    return d;
}

bool dump_is_silent(const struct dump *d) {
    return d->mrt != NULL;
}

void dump_free(struct dump *d) {
    if (!d)
        return;
    uint64_t unused;
    bgp_rib_order_free(d->order);
    if (d->mrt)
        (void)mrt_table_end(d->mrt, &unused);
    json_decref(d->answer);
    prefix_order_free(d->fib_order);
    alloc_free(d);
}

static void put_row(struct dump *d, struct text *out, json_t *row) {
    if (!row) {
        out->failed = true;
        return;
    }
    if (!d->first)
        text_putc(out, ',');
    d->first = false;
    request_put_json(out, row);
    json_decref(row);
}

static const char *peer_name(const struct dump *d, struct bgp_peer_id id) {
    const struct bgp_neighbor *p = id.index ? bgp_peer_config(d->host->speaker, id) : NULL;
    return p ? p->name : "";
}

/* RFC 7911: only a session with identifiers has them. */
static json_t *with_path_id(json_t *row, uint32_t path_id) {
    if (row && path_id)
        json_object_set_new(row, "path_id", json_integer(path_id));
    return row;
}

static void put_path(struct dump *d, struct text *out, struct ip_prefix prefix,
                     const struct bgp_path_info *p) {
    char text[IP_PREFIX_TEXT_MAX];
    json_t *attrs = attrs_to_json(&p->attrs->v);
    if (!attrs) {
        out->failed = true;
        return;
    }
    json_t *row = json_pack("{s:s, s:s, s:b, s:b, s:b, s:b, s:s, s:I, s:s, s:o}", "prefix",
                            ip_prefix_format(prefix, text), "peer", peer_name(d, p->peer), "best",
                            (int)p->best, "valid", (int)p->valid, "stale", (int)p->stale,
                            "rejected", (int)p->rejected, "source", config_source_words[p->source],
                            "weight", (json_int_t)p->weight, "step",
                            decide_step_name((enum decide_step)p->decision_step), "attrs", attrs);
    put_row(d, out, with_path_id(row, p->path_id));
}

static void put_sent(struct dump *d, struct text *out, struct ip_prefix prefix) {
    char text[IP_PREFIX_TEXT_MAX];
    struct bgp_adj_out sent = {0};
    while (bgp_adj_out_next(d->host->speaker, d->request.peer, prefix, &sent)) {
        json_t *row =
            json_pack("{s:s, s:s, s:o}", "prefix", ip_prefix_format(prefix, text), "peer",
                      peer_name(d, d->request.peer), "attrs", attrs_to_json(&sent.attrs->v));
        put_row(d, out, with_path_id(row, sent.path_id));
    }
}

static bool is_wanted(const struct dump_request *r, const struct bgp_path_info *path) {
    return (r->table != DUMP_LOC || path->best) && (r->table != DUMP_IN || path->peer.index) &&
           (!r->peer.index || path->peer.index == r->peer.index);
}

static void put_prefix(struct dump *d, struct text *out, struct ip_prefix prefix) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    if (d->request.table == DUMP_OUT) {
        put_sent(d, out, prefix);
        return;
    }
    if (!bgp_rib_find(d->host->speaker, prefix, &it))
        return;
    while (bgp_rib_next_path(d->host->speaker, &it, &path))
        if (is_wanted(&d->request, &path))
            put_path(d, out, prefix, &path);
    bgp_rib_end(&it);
}

static void put_kernel(struct dump *d, struct text *out, const struct fib_view *v) {
    char prefix[IP_PREFIX_TEXT_MAX], gateway[IP_ADDR_TEXT_MAX];
    put_row(d, out,
            json_pack("{s:s, s:s, s:s, s:I, s:b}", "prefix", ip_prefix_format(v->prefix, prefix),
                      "gateway", ip_format(v->gateway, gateway), "interface",
                      monitor_interface_name(d->host->monitor, v->interface), "metric",
                      (json_int_t)v->metric, "blackhole", (int)v->blackhole));
}

static void put_kernel_routes(struct dump *d, struct text *out, struct ip_prefix prefix) {
    struct fib_view routes[NETLINK_HOPS_MAX];
    size_t count = fib_views(d->host->fib, prefix, routes);
    for (size_t i = 0; i < count; i++)
        put_kernel(d, out, &routes[i]);
}

/* One family of the kernel's table; false: finished. */
static bool fib_step(struct dump *d, struct text *out, size_t limit) {
    enum ip_family family = d->family == BGP_IPV6_UNICAST ? IP_V6 : IP_V4;
    enum prefix_order_status st = PREFIX_ORDER_GIVEN;
    uint32_t budget = ORDER_PREFIXES;
    struct ip_prefix prefix;
    if (d->request.one_prefix) {
        put_kernel_routes(d, out, d->request.prefix);
        return false;
    }
    if (!d->fib_order && !(d->fib_order = fib_order_new(d->host->fib, BGP_RIB_ORDER_BATCH))) {
        out->failed = true;
        return false;
    }
    while (st == PREFIX_ORDER_GIVEN && out->size < limit) {
        st = fib_order_next(d->host->fib, family, d->fib_order, &budget, &prefix);
        if (st == PREFIX_ORDER_GIVEN)
            put_kernel_routes(d, out, prefix);
    }
    if (st != PREFIX_ORDER_END)
        return true;
    prefix_order_free(d->fib_order);
    d->fib_order = NULL;
    return false;
}

/* One family of the speaker's tables; false: finished. */
static bool rib_step(struct dump *d, struct text *out, size_t limit) {
    const struct bgp_speaker *s = d->host->speaker;
    uint32_t budget = ORDER_PREFIXES;
    enum bgp_status st = BGP_UNKNOWN;
    struct ip_prefix prefix;
    if (d->request.one_prefix) {
        if (s)
            put_prefix(d, out, d->request.prefix);
        return false;
    }
    if (s && !d->order)
        d->order = bgp_rib_order_new(s, (enum bgp_family)d->family, BGP_RIB_ORDER_BATCH);
    out->failed |= s && !d->order;
    while (s && d->order && out->size < limit) {
        st = bgp_rib_order_next(s, d->order, &budget, &prefix);
        if (st != BGP_OK)
            break;
        put_prefix(d, out, prefix);
    }
    if (st == BGP_OK || st == BGP_REFUSED)
        return true;
    bgp_rib_order_free(d->order);
    d->order = NULL;
    return false;
}

/* False: the answer has been given. */
static bool mrt_step(struct dump *d, struct text *out) {
    uint64_t prefixes = 0;
    if (mrt_table_step(d->mrt, MRT_PREFIXES))
        return true;
    const char *error = mrt_table_end(d->mrt, &prefixes);
    d->mrt = NULL;
    json_object_set_new(d->answer, "ok", json_boolean(error == NULL));
    if (error)
        json_object_set_new(d->answer, "error", json_string(error));
    else
        json_object_set_new(d->answer, "prefixes", json_integer((json_int_t)prefixes));
    request_put_json(out, d->answer);
    text_putc(out, '\n');
    return false;
}

bool dump_step(struct dump *d, struct text *out, size_t bytes) {
    if (d->mrt)
        return mrt_step(d, out);
    size_t limit = out->size + bytes;
    for (; d->family < BGP_FAMILIES; d->family++) {
        if (!d->request.families[d->family])
            continue;
        bool more =
            d->request.table == DUMP_FIB ? fib_step(d, out, limit) : rib_step(d, out, limit);
        if (more)
            return true;
    }
    text_puts(out, "]}\n");
    return false;
}
