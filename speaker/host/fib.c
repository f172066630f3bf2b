/*
 * Best paths into the kernel's table.
 *
 * Owns every route with our protocol number (RTPROT_BIRD, so that tools which know BIRD know us)
 * in the configured table: what is wanted, what the kernel has confirmed, and the difference, which
 * is written in batches, each with one acknowledgement. Resolution of next hops is resolver.c's.
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
#include "../base/slab.h"
#include "../base/table.h"
#include "../core/bgp.h"
#include "fib_target.h"
#include "host.h"
#include "log.h"
#include "monitor.h"
#include "resolver.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FIB_BUDGET 2048 /* routes written per turn */
#define FIB_RETRY_MS 100
#define KERNEL_METRIC_IPV6 1024u
#define CALICO_METRIC_BASE UINT32_C(2147483647)

/* `live` tells entries from free slab objects, whose first word is the slab's. */
struct fib_entry {
    struct ip_prefix prefix;
    struct ip_addr next_hop;        /* not set: blackhole */
    struct bgp_next_hop *next_hops; /* several that share the load, it among them; alloc_free */
    uint8_t next_hop_count;         /* 0: that one alone */
    uint32_t link;                  /* next_hop's */
    uint32_t local_pref;
    uint32_t dirty_next; /* slab index; with `dirty` */
    struct fib_target installed_as;
    bool live : 1;
    bool wanted : 1, learned : 1; /* learned: over BGP */
    bool installed : 1, doubtful : 1, refused : 1, dirty : 1;
    bool stale : 1;   /* left behind by an earlier life */
    bool waiting : 1; /* wanted, and there is no way to its next hop */
};

struct fib {
    struct host *host;
    struct bgp_fib_config config;
    struct slab entries;
    struct table index;
    uint32_t dirty_head, dirty_tail, dirty_count;
    uint32_t waiting_count;
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

static void entry_clear(struct fib_entry *e) {
    alloc_free(e->next_hops);
    fib_target_free(&e->installed_as);
    e->live = false;
}

void fib_free(struct fib *f) {
    if (!f)
        return;
    for (uint32_t i = 1; i < f->entries.next_new; i++)
        if (entry_at(f, i)->live)
            entry_clear(entry_at(f, i));
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
    f->dirty_count++;
}

static void entry_waits(struct fib *f, struct fib_entry *e, bool waits) {
    if (e->waiting == waits)
        return;
    e->waiting = waits;
    f->waiting_count += waits ? 1u : UINT32_MAX;
}

static void entry_release(struct fib *f, uint32_t index) {
    struct fib_entry *e = entry_at(f, index);
    if (e->wanted || e->installed || e->dirty || e->doubtful)
        return;
    entry_waits(f, e, false);
    entry_clear(e);
    table_remove(&f->index, prefix_hash(e->prefix), index);
    slab_free(&f->entries, index);
}

static uint64_t digest_of(const struct fib_entry *e) {
    return fib_target_digest(&e->installed_as, e->prefix);
}

static void entry_uninstalled(struct fib *f, struct fib_entry *e) {
    if (!e->installed)
        return;
    e->installed = false;
    f->counts.routes[e->prefix.addr.family == IP_V6]--;
    f->counts.digest -= digest_of(e);
    f->counts.last = loop_now();
}

/* Takes `as` over. */
static void entry_remember(struct fib_entry *e, struct fib_target *as) {
    fib_target_free(&e->installed_as);
    e->installed_as = *as;
    *as = (struct fib_target){0};
}

static void entry_installed(struct fib *f, struct fib_entry *e, struct fib_target *as) {
    entry_uninstalled(f, e);
    e->installed = true;
    e->doubtful = e->refused = e->stale = false;
    entry_remember(e, as);
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

/* The next hops of several equal paths; without memory the best one's alone. */
static void set_next_hops(struct fib *f, struct fib_entry *e, const struct bgp_fib_route *r) {
    uint8_t count = ip_is_set(e->next_hop) && r->next_hop_count > 1 ? r->next_hop_count : 0;
    alloc_free(e->next_hops);
    e->next_hops = count ? alloc_zero(count, sizeof *e->next_hops) : NULL;
    e->next_hop_count = e->next_hops ? count : 0;
    if (e->next_hop_count)
        memcpy(e->next_hops, r->next_hops, count * sizeof *e->next_hops);
    else if (count)
        log_line(f->host->log, "no_memory", NULL, "next hops of a kernel route");
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
        e->learned = !own;
        e->next_hop = r->blackhole ? (struct ip_addr){0} : r->next_hop;
        e->link = r->link;
        e->local_pref = r->local_pref;
        set_next_hops(f, e, r);
    }
    entry_dirty(f, index);
}

static uint8_t next_hop_count(const struct fib_entry *e) {
    return e->next_hop_count ? e->next_hop_count : ip_is_set(e->next_hop);
}

static struct bgp_next_hop next_hop_at(const struct fib_entry *e, uint8_t i) {
    return e->next_hop_count ? e->next_hops[i] : (struct bgp_next_hop){e->next_hop, e->link};
}

static uint32_t metric_of(const struct fib *f, const struct fib_entry *e) {
    if (!e->learned || !f->config.metric_from_local_pref)
        return f->config.metric;
    return e->local_pref < CALICO_METRIC_BASE ? CALICO_METRIC_BASE - e->local_pref : 0;
}

/* What the configuration's filter says of the route by way of one of its next hops. */
static struct bgp_fib_decision decide(const struct fib *f, const struct fib_entry *e,
                                      struct ip_addr next_hop) {
    struct bgp_fib_route r = {
        .prefix = e->prefix,
        .next_hop = next_hop,
        .local_pref = e->local_pref,
        .source = e->learned ? ROUTE_SOURCE_BGP : ROUTE_SOURCE_STATIC,
        .blackhole = !ip_is_set(next_hop),
    };
    if (!f->host->speaker)
        return (struct bgp_fib_decision){.install = true};
    return bgp_fib_decide(bgp_config_of(f->host->speaker), &r);
}

/* Adds the way to one BGP next hop, if there is one. False: out of memory. */
static bool target_add(const struct fib *f, struct fib_entry *e, struct bgp_next_hop next_hop,
                       struct fib_target *t) {
    struct bgp_fib_decision decision = decide(f, e, next_hop.addr);
    const struct resolver_route *r = resolver_find(f->host->resolver, next_hop);
    if (!decision.install || !r || !r->reachable)
        return true;
    struct netlink_hop hop = {r->gateway, r->interface, r->onlink};
    /* Through a tunnel device the next hop is the tunnel's other end: always on the link. */
    if (decision.device)
        hop = (struct netlink_hop){next_hop.addr, if_nametoindex(decision.device), true};
    if (hop.interface == 0) {
        e->refused = true; /* asked again when the kernel's routes change */
        return true;
    }
    return fib_target_add(t, &hop);
}

/* The route that should stand in the kernel now, the caller's; false: none. */
static bool target_of(const struct fib *f, struct fib_entry *e, struct fib_target *ret) {
    uint8_t count = next_hop_count(e);
    struct fib_target t = {
        .metric = metric_of(f, e),
        .table = f->config.table ? f->config.table : RT_TABLE_MAIN,
    };
    if (!e->wanted)
        return false;
    if (count == 0 && !decide(f, e, e->next_hop).install)
        return false;
    for (uint8_t i = 0; i < count; i++)
        if (!target_add(f, e, next_hop_at(e, i), &t))
            log_line(f->host->log, "no_memory", NULL, "next hops of a kernel route");
    if (count > 0 && t.hop_count == 0)
        return false;
    *ret = t;
    return true;
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
    for (uint8_t i = 0; e->wanted && i < next_hop_count(e); i++) {
        const struct resolver_route *hop = resolver_find(f->host->resolver, next_hop_at(e, i));
        if (hop && hop->changed) {
            e->refused = false;
            entry_dirty(f, index);
        }
    }
}

bool fib_waits(const struct fib *f) {
    return f->waiting_count > 0;
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
    if (fib_target_uses(&entry_at(f, index)->installed_as, *(const uint32_t *)context))
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

static void doubt(struct fib *f, uint32_t index, void *context) {
    (void)context;
    entry_doubt(f, index);
}

void fib_doubt_all(struct fib *f) {
    entries_visit(f, doubt, NULL);
}

/* ---- writing ---- */

/* Takes `t` over. */
static void put_add(struct fib *f, uint32_t index, const struct fib_target *t, uint16_t flags) {
    struct netlink_route r = fib_target_route(t, entry_at(f, index)->prefix);
    uint32_t at = netlink_put_route(&f->batch, RTM_NEWROUTE, (uint16_t)(NLM_F_CREATE | flags), &r);
    f->writes[at].entry = index;
    f->writes[at].what = WRITE_ADD;
    f->writes[at].target = *t;
}

/* A route with several next hops is named by its prefix, metric and table alone: with one next hop
 * the kernel would take out that one (IPv6), with all of them it compares their order (IPv4). */
static void put_delete(struct fib *f, uint32_t index, const struct fib_target *t, bool old) {
    struct netlink_route r = fib_target_route(t, entry_at(f, index)->prefix);
    r.hop_count = 0;
    r.hops = NULL;
    uint32_t at = netlink_put_route(&f->batch, RTM_DELROUTE, 0, &r);
    f->writes[at].entry = index;
    f->writes[at].what = old ? WRITE_DELETE_OLD : WRITE_DELETE;
    f->writes[at].target = (struct fib_target){0};
}

/* Do both stand at the same place of the kernel's table? For IPv6 it takes no metric for 1024. */
static bool same_place(const struct fib_entry *e, const struct fib_target *a,
                       const struct fib_target *b) {
    uint32_t none = e->prefix.addr.family == IP_V6 ? KERNEL_METRIC_IPV6 : 0;
    return a->table == b->table && (a->metric ? a->metric : none) == (b->metric ? b->metric : none);
}

/* Puts the requests that bring one entry up to date into the batch; at most two. */
static void entry_write(struct fib *f, uint32_t index) {
    struct fib_entry *e = entry_at(f, index);
    struct fib_target target;
    const struct fib_target *was = &e->installed_as;
    bool there = e->installed || e->doubtful;
    if (e->stale && !e->wanted)
        return;
    bool found = target_of(f, e, &target);
    entry_waits(f, e, e->wanted && !found);
    if (!found) {
        if (there)
            put_delete(f, index, was, false);
        return;
    }
    if (!there) {
        put_add(f, index, &target, NLM_F_EXCL);
    } else if (same_place(e, was, &target)) {
        if (e->doubtful || !fib_target_equal(was, &target))
            put_add(f, index, &target, NLM_F_REPLACE);
        else
            fib_target_free(&target);
    } else { /* metric and table are part of the kernel's key: make the new one, drop the old */
        put_add(f, index, &target, NLM_F_EXCL);
        put_delete(f, index, was, true);
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
    e->refused = true;
    log_route_refused(f->host->log, e->prefix,
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
            entry_remember(e, &f->writes[at].target);
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
    for (uint32_t i = 0; i < count; i++) {
        write_done(f, i, f->batch.errors[i]);
        fib_target_free(&f->writes[i].target);
    }
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
    if (f->dirty_count)
        monitor_rush(f->host->monitor, f->dirty_count);
    netlink_batch_init(&f->batch);
    for (int budget = FIB_BUDGET; budget > 0 && f->dirty_head; budget--) {
        uint32_t index = f->dirty_head;
        struct fib_entry *e = entry_at(f, index);
        uint32_t before = f->batch.count;
        f->dirty_head = e->dirty_next;
        if (!f->dirty_head)
            f->dirty_tail = SLAB_NONE;
        e->dirty = false;
        f->dirty_count--;
        entry_write(f, index);
        if (f->batch.count == before)
            entry_release(f, index);
        if (!netlink_batch_has_room(&f->batch, 2))
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

static bool has_our_mark(const struct fib *f, const struct netlink_route *r) {
    uint32_t table = f->config.table ? f->config.table : RT_TABLE_MAIN;
    return r->protocol == RTPROT_BIRD && r->table == table;
}

bool fib_is_ours(const struct fib *f, const struct nlmsghdr *message, const struct netlink_route *r,
                 uint64_t *ret_digest) {
    struct fib_target as;
    if (!has_our_mark(f, r))
        return false;
    *ret_digest = 0;
    if (fib_target_read(message, r, &as)) {
        *ret_digest = fib_target_digest(&as, r->prefix);
        fib_target_free(&as);
    }
    return true;
}

static void on_stale_route(void *context, const struct nlmsghdr *m) {
    struct fib *f = context;
    struct netlink_route r;
    if (!netlink_parse_route(m, &r) || !has_our_mark(f, &r))
        return;
    struct fib_target as;
    uint32_t index = entry_make(f, r.prefix);
    if (index == SLAB_NONE)
        return;
    if (!fib_target_read(m, &r, &as)) {
        log_line(f->host->log, "no_memory", NULL, "kernel route");
        entry_release(f, index);
        return;
    }
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

bool fib_has_stale(const struct fib *f) {
    for (uint32_t i = 1; i < f->entries.next_new; i++)
        if (entry_at(f, i)->live && entry_at(f, i)->stale)
            return true;
    return false;
}

bool fib_adopt(struct fib *f) {
    return f->host->options.no_fib ||
           netlink_dump(f->host->netlink, RTM_GETROUTE, AF_UNSPEC, on_stale_route, f) ||
           errno == EAGAIN;
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
    return ip_compare(x->gateway, y->gateway);
}

static bool is_seen(const struct fib_entry *e, enum ip_family family) {
    return e->live && e->installed && e->prefix.addr.family == family;
}

size_t fib_views(const struct fib *f, struct ip_prefix prefix, struct fib_view *ret_routes) {
    uint32_t index = entry_find(f, prefix);
    const struct fib_entry *e = index ? entry_at(f, index) : NULL;
    if (!e || !is_seen(e, (enum ip_family)prefix.addr.family))
        return 0;
    const struct fib_target *t = &e->installed_as;
    const struct netlink_hop *hops = fib_target_hops(t);
    size_t count = t->hop_count ? t->hop_count : 1;
    for (size_t i = 0; i < count; i++)
        ret_routes[i] =
            (struct fib_view){.prefix = e->prefix,
                              .gateway = t->hop_count ? hops[i].gateway : (struct ip_addr){0},
                              .interface = t->hop_count ? hops[i].interface : 0,
                              .metric = t->metric,
                              .blackhole = t->hop_count == 0};
    qsort(ret_routes, count, sizeof *ret_routes, view_compare);
    return count;
}

struct prefix_order *fib_order_new(const struct fib *f, uint32_t batch) {
    uint32_t used = f->entries.used + 1;
    return prefix_order_new(used < batch ? used : batch);
}

struct seen {
    const struct fib *f;
    enum ip_family family;
};

static bool seen_prefix(const void *context, uint32_t index, struct ip_prefix *ret_prefix) {
    const struct seen *in = context;
    const struct fib_entry *e = entry_at(in->f, index);
    bool seen = is_seen(e, in->family);
    if (seen)
        *ret_prefix = e->prefix;
    return seen;
}

enum prefix_order_status fib_order_next(const struct fib *f, enum ip_family family,
                                        struct prefix_order *o, uint32_t *budget,
                                        struct ip_prefix *ret_prefix) {
    const struct seen seen = {f, family};
    const struct prefix_order_table table = {seen_prefix, &seen,
                                             f->entries.page_count ? f->entries.next_new : 0};
    return prefix_order_next(o, &table, budget, ret_prefix);
}
