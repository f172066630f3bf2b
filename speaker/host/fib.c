/*
 * Best paths into the kernel's table.
 *
 * Owns every route with our protocol number (RTPROT_BIRD, so that tools which know BIRD know us)
 * in the configured table: what is wanted, what the kernel has confirmed, and the difference, which
 * is written in batches with an acknowledgement per route. Resolution of next hops is resolver.c's.
 *
 * An entry is wanted or not, installed or not, and dirty while the two may differ. A new route is
 * made with NLM_F_EXCL: what stands there is not ours and is left alone (the entry waits as
 * `refused` until foreign routes change). NLM_F_REPLACE is used only where our own route stands or
 * may stand (`doubtful`: an acknowledgement was lost, or the kernel may have dropped it).
 *
 * Only what the kernel has confirmed is counted and digested (scoreboard.h).
 *
 * What the kernel's filter (core/fib_filter.c) refuses is not wanted; it is asked anew at every
 * write, with the speaker's configuration of that moment.
 *
 * Calico: metric = 2147483647 - LOCAL_PREF for routes learned over BGP.
 */
#include "fib.h"

#include "../base/arena.h"
#include "../base/hash.h"
#include "../base/scoreboard.h"
#include "../base/slab.h"
#include "../base/table.h"
#include "../core/bgp.h"
#include "host.h"
#include "log.h"
#include "netlink.h"
#include "resolver.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FIB_BUDGET 2048 /* routes written per turn */
#define FIB_RETRY_MS 100
#define CALICO_METRIC_BASE UINT32_C(2147483647)

/* What stands in the kernel, or should. */
struct fib_target {
    struct ip_addr gateway; /* not set: blackhole */
    uint32_t interface;
    uint32_t metric;
    uint32_t table;
    bool onlink;
};

/* `live` tells entries from free slab objects, whose first word is the slab's. */
struct fib_entry {
    struct ip_prefix prefix;
    struct ip_addr next_hop; /* not set: blackhole */
    uint32_t local_pref;
    uint32_t dirty_next; /* slab index; with `dirty` */
    struct fib_target installed_as;
    bool live;
    bool wanted, external_source; /* external_source: learned over BGP */
    bool installed, doubtful, refused, dirty;
    bool stale; /* left behind by an earlier life */
};

struct fib {
    struct host *host;
    struct bgp_fib_config config;
    struct slab entries;
    struct table index;
    uint32_t dirty_head, dirty_tail;
    struct fib_counts counts;
    struct nanotime retry_at;
    struct netlink_batch batch;
    struct {
        uint32_t entry;
        enum { WRITE_ADD, WRITE_DELETE, WRITE_DELETE_OLD } what;
        struct fib_target target;
    } writes[NETLINK_BATCH_MAX];
};

static uint64_t prefix_hash(struct ip_prefix p) {
    return hash_bytes(&p, sizeof p, 0);
}

static struct fib_entry *entry_at(const struct fib *f, uint32_t index) {
    return slab_at(&f->entries, index);
}

static bool entry_equal(const void *context, uint32_t index, const void *key) {
    const struct ip_prefix *p = key;
    return ip_prefix_equal(entry_at(context, index)->prefix, *p);
}

struct fib *fib_new(struct host *h) {
    struct fib *f = alloc_zero(1, sizeof *f);
    if (!f)
        return NULL;
    f->host = h;
    f->retry_at = NANOTIME_NEVER;
    slab_init(&f->entries, sizeof(struct fib_entry), 32);
    table_init(&f->index);
    return f;
}

void fib_free(struct fib *f) {
    if (!f)
        return;
    table_deinit(&f->index);
    slab_deinit(&f->entries);
    alloc_free(f);
}

/* ---- entries ---- */

static uint32_t entry_find(const struct fib *f, struct ip_prefix p) {
    return table_find(&f->index, prefix_hash(p), entry_equal, f, &p);
}

static uint32_t entry_make(struct fib *f, struct ip_prefix p) {
    uint32_t index = entry_find(f, p);
    if (index)
        return index;
    index = slab_alloc(&f->entries);
    if (index != SLAB_NONE && !table_insert(&f->index, prefix_hash(p), index)) {
        slab_free(&f->entries, index);
        index = SLAB_NONE;
    }
    if (index == SLAB_NONE) {
        log_line(f->host->log, "no_memory", NULL, "kernel route");
        return SLAB_NONE;
    }
    struct fib_entry *e = entry_at(f, index);
    e->prefix = p;
    e->live = true;
    return index;
}

static void entry_dirty(struct fib *f, uint32_t index) {
    struct fib_entry *e = entry_at(f, index);
    if (e->dirty)
        return;
    e->dirty = true;
    e->dirty_next = SLAB_NONE;
    if (f->dirty_tail)
        entry_at(f, f->dirty_tail)->dirty_next = index;
    else
        f->dirty_head = index;
    f->dirty_tail = index;
}

static void entry_release(struct fib *f, uint32_t index) {
    struct fib_entry *e = entry_at(f, index);
    if (e->wanted || e->installed || e->dirty || e->doubtful)
        return;
    e->live = false;
    table_remove(&f->index, prefix_hash(e->prefix), index);
    slab_free(&f->entries, index);
}

static uint64_t digest_of(const struct fib_entry *e) {
    return scoreboard_route_digest(&e->prefix, &e->installed_as.gateway);
}

static void entry_uninstalled(struct fib *f, struct fib_entry *e) {
    if (!e->installed)
        return;
    e->installed = false;
    f->counts.routes[e->prefix.addr.family == IP_V6]--;
    f->counts.digest -= digest_of(e);
    f->counts.last = loop_now();
}

static void entry_installed(struct fib *f, struct fib_entry *e, const struct fib_target *as) {
    entry_uninstalled(f, e);
    e->installed = true;
    e->doubtful = e->refused = e->stale = false;
    e->installed_as = *as;
    f->counts.routes[e->prefix.addr.family == IP_V6]++;
    f->counts.digest += digest_of(e);
    f->counts.last = loop_now();
}

/* Applies `each` to all live entries. */
static void entries_visit(struct fib *f, void (*each)(struct fib *f, uint32_t index, void *context),
                          void *context) {
    for (uint32_t i = 1; i < f->entries.next_new; i++)
        if (entry_at(f, i)->live)
            each(f, i, context);
}

/* ---- what is wanted ---- */

static bool installs(const struct fib *f) {
    return f->config.install && !f->host->options.no_fib;
}

void fib_route(struct fib *f, const struct bgp_fib_route *r) {
    bool own = r->source != ROUTE_SOURCE_BGP;
    bool wanted = installs(f) && !r->withdrawn && (r->blackhole || ip_is_set(r->next_hop));
    uint32_t index = wanted ? entry_make(f, r->prefix) : entry_find(f, r->prefix);
    if (index == SLAB_NONE)
        return;
    struct fib_entry *e = entry_at(f, index);
    e->wanted = wanted;
    e->refused = false;
    if (wanted) {
        e->stale = false;
        e->external_source = !own;
        e->next_hop = r->blackhole ? (struct ip_addr){0} : r->next_hop;
        e->local_pref = r->local_pref;
    }
    entry_dirty(f, index);
}

static uint32_t metric_of(const struct fib *f, const struct fib_entry *e) {
    if (!e->external_source || !f->config.metric_from_local_pref)
        return f->config.metric;
    return e->local_pref < CALICO_METRIC_BASE ? CALICO_METRIC_BASE - e->local_pref : 0;
}

/* Through a tunnel device the next hop is the tunnel's other end: always on the link. */
static bool into_tunnel(struct fib_entry *e, const char *device, struct fib_target *ret) {
    ret->interface = if_nametoindex(device);
    ret->gateway = e->next_hop;
    ret->onlink = true;
    if (ret->interface == 0)
        e->refused = true; /* asked again when the kernel's routes change */
    return ret->interface != 0;
}

static struct bgp_fib_decision decide(const struct fib *f, const struct fib_entry *e) {
    struct bgp_fib_route r = {
        .prefix = e->prefix,
        .next_hop = e->next_hop,
        .local_pref = e->local_pref,
        .source = e->external_source ? ROUTE_SOURCE_BGP : ROUTE_SOURCE_STATIC,
        .blackhole = !ip_is_set(e->next_hop),
    };
    if (!f->host->speaker)
        return (struct bgp_fib_decision){.install = true};
    return bgp_fib_decide(bgp_config_of(f->host->speaker), &r);
}

/* The route that should stand in the kernel now; false: none. */
static bool target_of(const struct fib *f, struct fib_entry *e, struct fib_target *ret) {
    if (!e->wanted)
        return false;
    struct bgp_fib_decision decision = decide(f, e);
    if (!decision.install)
        return false;
    *ret = (struct fib_target){
        .metric = metric_of(f, e),
        .table = f->config.table ? f->config.table : RT_TABLE_MAIN,
    };
    if (!ip_is_set(e->next_hop))
        return true;
    const struct resolver_route *hop = resolver_find(f->host->resolver, e->next_hop);
    if (!hop || !hop->reachable)
        return false;
    if (decision.device)
        return into_tunnel(e, decision.device, ret);
    ret->gateway = hop->gateway;
    ret->interface = hop->interface;
    ret->onlink = hop->onlink;
    return true;
}

static bool target_equal(const struct fib_target *a, const struct fib_target *b) {
    return ip_equal(a->gateway, b->gateway) && a->interface == b->interface &&
           a->metric == b->metric && a->table == b->table && a->onlink == b->onlink;
}

static void touch(struct fib *f, uint32_t index, void *context) {
    (void)context;
    entry_dirty(f, index);
}

static void unwant(struct fib *f, uint32_t index, void *context) {
    struct fib_entry *e = entry_at(f, index);
    (void)context;
    e->wanted = e->stale = false;
    entry_dirty(f, index);
}

void fib_configure(struct fib *f, const struct bgp_fib_config *c) {
    /* A filter's terms may have changed behind the same numbers. */
    bool filtered = c->filter[0].count || c->filter[1].count || f->config.filter[0].count ||
                    f->config.filter[1].count;
    if (!filtered && f->config.install == c->install && f->config.table == c->table &&
        f->config.metric == c->metric &&
        f->config.metric_from_local_pref == c->metric_from_local_pref)
        return;
    f->config = *c;
    entries_visit(f, installs(f) ? touch : unwant, NULL);
}

static void touch_changed(struct fib *f, uint32_t index, void *context) {
    struct fib_entry *e = entry_at(f, index);
    (void)context;
    if (!e->wanted || !ip_is_set(e->next_hop))
        return;
    const struct resolver_route *hop = resolver_find(f->host->resolver, e->next_hop);
    if (hop && hop->changed) {
        e->refused = false;
        entry_dirty(f, index);
    }
}

void fib_resolver_changed(struct fib *f) {
    entries_visit(f, touch_changed, NULL);
}

static void touch_refused(struct fib *f, uint32_t index, void *context) {
    struct fib_entry *e = entry_at(f, index);
    (void)context;
    if (e->refused) {
        e->refused = false;
        entry_dirty(f, index);
    }
}

void fib_retry(struct fib *f) {
    entries_visit(f, touch_refused, NULL);
}

/* ---- what the kernel may have lost ---- */

static void entry_doubt(struct fib *f, uint32_t index) {
    struct fib_entry *e = entry_at(f, index);
    if (!e->installed)
        return;
    entry_uninstalled(f, e);
    e->doubtful = true;
    entry_dirty(f, index);
}

static void doubt_interface(struct fib *f, uint32_t index, void *context) {
    if (entry_at(f, index)->installed_as.interface == *(const uint32_t *)context)
        entry_doubt(f, index);
}

void fib_interface_lost(struct fib *f, uint32_t interface) {
    entries_visit(f, doubt_interface, &interface);
}

void fib_prefix_lost(struct fib *f, struct ip_prefix prefix) {
    uint32_t index = entry_find(f, prefix);
    if (index)
        entry_doubt(f, index);
}

/* ---- writing ---- */

static struct netlink_route route_of(const struct fib_entry *e, const struct fib_target *t) {
    return (struct netlink_route){
        .prefix = e->prefix,
        .gateway = t->gateway,
        .interface = t->interface,
        .table = t->table,
        .metric = t->metric,
        .protocol = RTPROT_BIRD,
        .type = ip_is_set(t->gateway) ? RTN_UNICAST : RTN_BLACKHOLE,
        .onlink = t->onlink,
    };
}

static void put_add(struct fib *f, uint32_t index, const struct fib_target *t, uint16_t flags) {
    struct netlink_route r = route_of(entry_at(f, index), t);
    uint32_t at = netlink_put_route(&f->batch, RTM_NEWROUTE, (uint16_t)(NLM_F_CREATE | flags), &r);
    f->writes[at].entry = index;
    f->writes[at].what = WRITE_ADD;
    f->writes[at].target = *t;
}

static void put_delete(struct fib *f, uint32_t index, const struct fib_target *t, bool old) {
    struct netlink_route r = route_of(entry_at(f, index), t);
    uint32_t at = netlink_put_route(&f->batch, RTM_DELROUTE, 0, &r);
    f->writes[at].entry = index;
    f->writes[at].what = old ? WRITE_DELETE_OLD : WRITE_DELETE;
    f->writes[at].target = *t;
}

/* Puts the requests that bring one entry up to date into the batch; at most two. */
static void entry_write(struct fib *f, uint32_t index) {
    struct fib_entry *e = entry_at(f, index);
    struct fib_target target;
    const struct fib_target *was = &e->installed_as;
    bool there = e->installed || e->doubtful;
    if (e->stale && !e->wanted)
        return;
    if (!target_of(f, e, &target)) {
        if (there)
            put_delete(f, index, was, false);
        return;
    }
    if (!there) {
        put_add(f, index, &target, NLM_F_EXCL);
    } else if (was->metric == target.metric && was->table == target.table) {
        if (e->doubtful || !target_equal(was, &target))
            put_add(f, index, &target, NLM_F_REPLACE);
    } else { /* metric and table are part of the kernel's key: make the new one, drop the old */
        struct fib_target old = *was;
        put_add(f, index, &target, NLM_F_EXCL);
        put_delete(f, index, &old, true);
    }
}

static bool is_absent(int error) {
    return error == 0 || error == ESRCH || error == ENOENT || error == ENODEV;
}

static void write_retry(struct fib *f, uint32_t index) {
    entry_at(f, index)->doubtful = true;
    entry_dirty(f, index);
    if (nanotime_is_never(f->retry_at))
        f->retry_at = nanotime_add_ms(loop_now(), FIB_RETRY_MS);
}

static void write_refused(struct fib *f, struct fib_entry *e, int error) {
    char text[IP_PREFIX_TEXT_MAX];
    e->refused = true;
    log_line(f->host->log, "route_refused", ip_prefix_format(e->prefix, text), "%s",
             error == EEXIST ? "a foreign route stands there" : strerror(error));
}

static void write_done(struct fib *f, uint32_t at, int error) {
    uint32_t index = f->writes[at].entry;
    struct fib_entry *e = entry_at(f, index);
    bool unknown = error == -1 || error == ENOBUFS || error == ENOMEM || error == EAGAIN;
    switch (f->writes[at].what) {
    case WRITE_ADD:
        if (error == 0) {
            entry_installed(f, e, &f->writes[at].target);
        } else if (unknown) {
            entry_uninstalled(f, e);
            e->installed_as = f->writes[at].target;
            write_retry(f, index);
        } else {
            entry_uninstalled(f, e);
            e->doubtful = false;
            write_refused(f, e, error);
        }
        break;
    case WRITE_DELETE:
        entry_uninstalled(f, e);
        e->doubtful = false;
        if (unknown)
            write_retry(f, index);
        else if (!is_absent(error))
            write_refused(f, e, error);
        break;
    case WRITE_DELETE_OLD:
        break; /* the new route stands; the old one is worse and goes with us at the latest */
    }
}

static void batch_send(struct fib *f) {
    uint32_t count = f->batch.count;
    if (count == 0)
        return;
    if (!netlink_send(f->host->netlink, &f->batch, NULL, NULL)) {
        log_line(f->host->log, "netlink_failed", NULL, "routes: %s", strerror(errno));
        for (uint32_t i = 0; i < count; i++)
            f->batch.errors[i] = ENOBUFS;
    }
    for (uint32_t i = 0; i < count; i++)
        write_done(f, i, f->batch.errors[i]);
    for (uint32_t i = 0; i < count; i++)
        if (entry_at(f, f->writes[i].entry)->live)
            entry_release(f, f->writes[i].entry);
    netlink_batch_init(&f->batch);
}

/* What is dirty when the call begins is written once; what fails comes back after a pause. */
bool fib_work(struct fib *f) {
    struct nanotime now = loop_now();
    if (!nanotime_is_never(f->retry_at) && nanotime_before(now, f->retry_at))
        return false;
    f->retry_at = NANOTIME_NEVER;
    netlink_batch_init(&f->batch);
    for (int budget = FIB_BUDGET; budget > 0 && f->dirty_head; budget--) {
        uint32_t index = f->dirty_head;
        struct fib_entry *e = entry_at(f, index);
        uint32_t before = f->batch.count;
        f->dirty_head = e->dirty_next;
        if (!f->dirty_head)
            f->dirty_tail = SLAB_NONE;
        e->dirty = false;
        entry_write(f, index);
        if (f->batch.count == before)
            entry_release(f, index);
        if (f->batch.count + 2 > NETLINK_BATCH_MAX)
            batch_send(f);
        if (!nanotime_is_never(f->retry_at))
            break;
    }
    batch_send(f);
    return f->dirty_head && nanotime_is_never(f->retry_at);
}

struct nanotime fib_next_deadline(const struct fib *f) {
    return f->retry_at;
}

/* ---- beginning and end ---- */

static void on_stale_route(void *context, const struct nlmsghdr *m) {
    struct fib *f = context;
    struct netlink_route r;
    uint32_t table = f->config.table ? f->config.table : RT_TABLE_MAIN;
    if (!netlink_parse_route(m, &r) || r.protocol != RTPROT_BIRD || r.table != table)
        return;
    uint32_t index = entry_make(f, r.prefix);
    if (index == SLAB_NONE)
        return;
    struct fib_target as = {.gateway = r.gateway,
                            .interface = r.type == RTN_UNICAST ? r.interface : 0,
                            .metric = r.metric,
                            .table = r.table,
                            .onlink = r.onlink};
    entry_installed(f, entry_at(f, index), &as);
    entry_at(f, index)->stale = true;
}

static void unstale(struct fib *f, uint32_t index, void *context) {
    (void)context;
    if (entry_at(f, index)->stale) {
        entry_at(f, index)->stale = false;
        entry_dirty(f, index);
    }
}

void fib_sweep(struct fib *f) {
    entries_visit(f, unstale, NULL);
}

bool fib_adopt(struct fib *f, bool keep) {
    if (f->host->options.no_fib)
        return true;
    if (!netlink_dump(f->host->netlink, RTM_GETROUTE, AF_UNSPEC, on_stale_route, f) &&
        errno != EAGAIN)
        return false;
    if (!keep)
        fib_sweep(f);
    return true;
}

/* Each route gets one try: the namespace may be going away under us. */
void fib_remove_all(struct fib *f) {
    entries_visit(f, unwant, NULL);
    f->retry_at = NANOTIME_NEVER;
    while (fib_work(f))
        ;
}

/* ---- looking ---- */

struct fib_counts fib_counts_get(const struct fib *f) {
    return f->counts;
}

static int view_compare(const void *a, const void *b) {
    const struct fib_view *x = a, *y = b;
    return ip_prefix_compare(x->prefix, y->prefix);
}

bool fib_snapshot(const struct fib *f, enum ip_family family, struct fib_view **ret_routes,
                  size_t *ret_count) {
    struct fib_view *views = alloc_zero(f->counts.routes[family == IP_V6] + 1, sizeof *views);
    size_t count = 0;
    if (!views)
        return false;
    for (uint32_t i = 1; i < f->entries.next_new; i++) {
        const struct fib_entry *e = entry_at(f, i);
        if (!e->live || !e->installed || e->prefix.addr.family != family)
            continue;
        views[count++] =
            (struct fib_view){e->prefix, e->installed_as.gateway, e->installed_as.interface,
                              e->installed_as.metric, !ip_is_set(e->installed_as.gateway)};
    }
    qsort(views, count, sizeof *views, view_compare);
    *ret_routes = views;
    *ret_count = count;
    return true;
}
