/*
 * Tunnels between hosts, and what leads into them.
 *
 * Owns: the tunnel devices of each host, their neighbours and forwarding entries, and the routes
 * with Felix's protocol number.
 * Leaves to others: what should be there (whoever calls lab_overlay_set), moving IPIP packets where
 * the kernel cannot (ipip_tun.c), the requests (link.c).
 *
 * A host's overlay is replaced as a whole: lists are kept sorted, the difference is written.
 * Indices and MAC addresses of devices are computed, so no host asks another one for them. Whether
 * the kernel has ipip devices is asked by making the first one; where it has none, all hosts of the
 * lab get a TUN device of the same name.
 *
 * A list is taken for written only when the kernel has acknowledged all of it.
 *
 * Removing a VXLAN device makes the kernel drop what leads into it, which is forgotten with it; a
 * tunl0 that is wanted no more goes down and stays, as Calico leaves it.
 */
#include "overlay.h"

#include "../../speaker/base/arena.h"
#include "ipip_tun.h"
#include "lab_internal.h"
#include "netns.h"

#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define LINK_MTU 1500u
#define VXLAN_VNI 4096u
#define VXLAN_PORT 4789u

static const struct {
    const char *name;
    uint32_t added_bytes;
} tunnels[LAB_TUNNELS] = {
    [LAB_TUNNEL_IPIP] = {"tunl0", 20},
    [LAB_TUNNEL_VXLAN4] = {"vxlan.calico", 50},
    [LAB_TUNNEL_VXLAN6] = {"vxlan-v6.calico", 70},
};

struct tunnel_device {
    uint32_t index; /* 0: not made */
    struct lab_tunnel_end end;
};

struct overlay {
    struct tunnel_device devices[LAB_TUNNELS];
    struct lab_overlay_route *routes; /* sorted; alloc_free */
    size_t route_count;
    struct lab_overlay_vtep *vteps; /* sorted; alloc_free */
    size_t vtep_count;
};

const char *lab_tunnel_name(enum lab_tunnel t) {
    return tunnels[t].name;
}

enum lab_ipip lab_ipip_used(const struct lab *lab) {
    return lab->ipip;
}

const char *overlay_device_name(const struct lab_node *n, uint32_t index) {
    for (int t = 0; n->overlay != NULL && t < LAB_TUNNELS; t++)
        if (index != 0 && n->overlay->devices[t].index == index)
            return tunnels[t].name;
    return NULL;
}

/* ---- sorted lists ---- */

static int compare_routes(const void *a, const void *b) {
    const struct lab_overlay_route *x = a, *y = b;
    int order = ip_prefix_compare(x->prefix, y->prefix);

    /* The metric is part of the kernel's key: with another one it is another route. */
    return order != 0 ? order : (x->metric > y->metric) - (x->metric < y->metric);
}

static int compare_vteps(const void *a, const void *b) {
    const struct lab_overlay_vtep *x = a, *y = b;

    return x->tunnel != y->tunnel ? (int)x->tunnel - (int)y->tunnel : ip_compare(x->addr, y->addr);
}

static bool same_route(const void *a, const void *b) {
    const struct lab_overlay_route *x = a, *y = b;

    return x->via == y->via && x->tunnel == y->tunnel && ip_equal(x->gateway, y->gateway);
}

static bool same_vtep(const void *a, const void *b) {
    const struct lab_overlay_vtep *x = a, *y = b;

    return x->host == y->host && ip_equal(x->outer, y->outer);
}

typedef int compare_fn(const void *a, const void *b);

static void *sorted_copy(const void *from, size_t count, size_t size, compare_fn *compare) {
    void *copy = alloc_zero(count + 1, size);

    if (copy != NULL && count > 0) {
        memcpy(copy, from, count * size);
        qsort(copy, count, size, compare);
    }
    return copy;
}

struct change {
    struct lab *lab;
    uint32_t host;
    struct overlay *o;
    struct netlink nl;
    struct diag_list *diags;
};

struct list_kind {
    size_t size;
    compare_fn *compare;
    bool (*same)(const void *a, const void *b);
    void (*queue)(struct change *c, const void *item, bool add);
};

/* Queues what is in `b` and not so in `a` (`add`), or in `a` and not in `b` at all. */
static void queue_difference(struct change *c, const struct list_kind *k, const void *a,
                             size_t a_count, const void *b, size_t b_count, bool add) {
    const char *x = add ? b : a, *y = add ? a : b;
    size_t count = add ? b_count : a_count, others = add ? a_count : b_count, at = 0;

    for (size_t i = 0; i < count; i++) {
        const char *item = x + i * k->size;
        while (at < others && k->compare(y + at * k->size, item) < 0)
            at++;
        bool known = at < others && k->compare(y + at * k->size, item) == 0;
        if (!known || (add && !k->same(y + at * k->size, item)))
            k->queue(c, item, add);
    }
}

/* ---- routes and VTEPs ---- */

static void queue_route(struct change *c, const void *item, bool add) {
    const struct lab_overlay_route *r = item;
    const struct lab_node *n = &c->lab->nodes[c->host];
    struct link_route l = {
        .prefix = r->prefix, .metric = r->metric, .protocol = LAB_FELIX_PROTOCOL};

    switch (r->via) {
    case LAB_VIA_LINK:
        l.index = n->link_count > 0 ? n->links[0].index : LAB_LOOPBACK;
        l.gateway = fabric_next_hop(c->lab, r->gateway);
        break;
    case LAB_VIA_TUNNEL:
        l.index = c->o->devices[r->tunnel].index;
        l.gateway = r->gateway;
        break;
    case LAB_VIA_BLACKHOLE:
        l.blackhole = true;
        break;
    }
    if (add)
        link_add_route(&c->nl, &l);
    else
        link_delete_route(&c->nl, &l);
}

static void queue_vtep(struct change *c, const void *item, bool add) {
    const struct lab_overlay_vtep *v = item;
    uint32_t index = c->o->devices[v->tunnel].index;
    struct link_mac mac = fabric_vtep_mac(v->host, v->tunnel);

    if (add) {
        link_add_neighbour(&c->nl, index, v->addr, mac);
        link_add_forwarding(&c->nl, index, mac, v->outer);
    } else {
        link_delete_neighbour(&c->nl, index, v->addr);
        link_delete_forwarding(&c->nl, index, mac, v->outer);
    }
}

static const struct list_kind route_kind = {sizeof(struct lab_overlay_route), compare_routes,
                                            same_route, queue_route};
static const struct list_kind vtep_kind = {sizeof(struct lab_overlay_vtep), compare_vteps,
                                           same_vtep, queue_vtep};

/* What went with a device needs no request of its own, and comes again with the next one. */
static void forget_tunnel(struct overlay *o, enum lab_tunnel t) {
    size_t kept = 0;

    for (size_t i = 0; i < o->route_count; i++)
        if (o->routes[i].via != LAB_VIA_TUNNEL || o->routes[i].tunnel != t)
            o->routes[kept++] = o->routes[i];
    o->route_count = kept;
    kept = 0;
    for (size_t i = 0; i < o->vtep_count; i++)
        if (o->vteps[i].tunnel != t)
            o->vteps[kept++] = o->vteps[i];
    o->vtep_count = kept;
}

/* ---- devices ---- */

static bool flush(struct change *c) {
    bool ok = netlink_flush(&c->nl);

    if (!ok)
        lab_add_netlink_finding(c->diags, c->lab->nodes[c->host].name, &c->nl);
    c->nl.error = 0;
    return ok;
}

/* Does something inside the host; the calling thread is at home again afterwards. */
static bool add_tun(struct change *c, const struct lab_tunnel_end *end) {
    struct lab *lab = c->lab;
    int error = 0;

    if (lab->ipip_tun == NULL)
        lab->ipip_tun = ipip_tun_new();
    if (lab->ipip_tun == NULL || !netns_enter(lab->nodes[c->host].netns_fd) ||
        !ipip_tun_add(lab->ipip_tun, tunnels[LAB_TUNNEL_IPIP].name,
                      LAB_TUNNEL_FIRST + LAB_TUNNEL_IPIP, end->local))
        error = errno;
    if (!netns_enter(lab->home_fd) || error != 0) {
        lab_add_finding(c->diags, lab->nodes[c->host].name, "make tunl0 by a TUN device",
                        error == 0 ? errno : error,
                        "the kernel has no ipip device either: modprobe ipip, or modprobe tun");
        return false;
    }
    lab->ipip = LAB_IPIP_TUN;
    return true;
}

/* With the ipip module every namespace has a tunl0 from its beginning. */
static uint32_t find_device(struct change *c, const char *name) {
    uint32_t index = netns_enter(c->lab->nodes[c->host].netns_fd) ? if_nametoindex(name) : 0;

    return netns_enter(c->lab->home_fd) ? index : 0;
}

/* The index of tunl0; 0 with a finding. */
static uint32_t make_ipip(struct change *c, const struct lab_tunnel_end *end) {
    uint32_t index = LAB_TUNNEL_FIRST + LAB_TUNNEL_IPIP;

    if (c->lab->ipip != LAB_IPIP_TUN) {
        int error;
        link_add_ipip(&c->nl, index, tunnels[LAB_TUNNEL_IPIP].name);
        (void)netlink_flush(&c->nl);
        error = c->nl.error;
        c->nl.error = 0;
        if (error == 0 || error == EEXIST) {
            c->lab->ipip = LAB_IPIP_KERNEL;
            return error == 0 ? index : find_device(c, tunnels[LAB_TUNNEL_IPIP].name);
        }
    }
    return add_tun(c, end) ? index : 0;
}

static uint32_t make_vxlan(struct change *c, enum lab_tunnel t, const struct lab_tunnel_end *end) {
    const struct lab_node *n = &c->lab->nodes[c->host];
    struct link_vxlan v = {.index = LAB_TUNNEL_FIRST + t,
                           .link = n->link_count > 0 ? n->links[0].index : 0,
                           .name = tunnels[t].name,
                           .mac = fabric_vtep_mac(c->host, t),
                           .vni = VXLAN_VNI,
                           .mtu = LINK_MTU - tunnels[t].added_bytes,
                           .port = VXLAN_PORT,
                           .local = end->local};

    link_add_vxlan(&c->nl, &v);
    return flush(c) ? v.index : 0;
}

static bool make_device(struct change *c, enum lab_tunnel t, const struct lab_tunnel_end *end) {
    struct tunnel_device *d = &c->o->devices[t];

    if (d->index == 0)
        d->index = t == LAB_TUNNEL_IPIP ? make_ipip(c, end) : make_vxlan(c, t, end);
    if (d->index == 0)
        return false;
    d->end = (struct lab_tunnel_end){.wanted = true, .local = end->local};
    link_configure(&c->nl, d->index, (struct link_settings){.silent6 = true, .forwarding = true});
    link_set_mtu(&c->nl, d->index, LINK_MTU - tunnels[t].added_bytes);
    link_set_up(&c->nl, d->index, true);
    return true;
}

static void drop_device(struct change *c, enum lab_tunnel t) {
    struct tunnel_device *d = &c->o->devices[t];

    if (t == LAB_TUNNEL_IPIP)
        link_set_up(&c->nl, d->index, false);
    else
        link_delete(&c->nl, d->index);
    forget_tunnel(c->o, t);
}

static void change_address(struct change *c, struct tunnel_device *d, struct ip_addr addr) {
    if (ip_equal(d->end.addr, addr))
        return;
    if (ip_is_set(d->end.addr))
        link_delete_addr(&c->nl, d->index, d->end.addr,
                         ip_bits((enum ip_family)d->end.addr.family));
    if (ip_is_set(addr))
        link_add_addr(&c->nl, d->index, addr, ip_bits((enum ip_family)addr.family));
    d->end.addr = addr;
}

static bool change_device(struct change *c, enum lab_tunnel t, const struct lab_tunnel_end *want) {
    struct tunnel_device *d = &c->o->devices[t];

    if (!want->wanted && d->index != 0) {
        change_address(c, d, (struct ip_addr){0});
        drop_device(c, t);
        d->end = (struct lab_tunnel_end){0};
    }
    if (!want->wanted)
        return true;
    if (!d->end.wanted && !make_device(c, t, want))
        return false;
    change_address(c, d, want->addr);
    return true;
}

/* A device whose settings may not all stand is configured again by the next call. */
static bool change_devices(struct change *c, const struct lab_overlay *want) {
    bool ok = true;

    for (int t = 0; ok && t < LAB_TUNNELS; t++)
        ok = change_device(c, (enum lab_tunnel)t, &want->ends[t]);
    ok = flush(c) && ok;
    for (int t = 0; t < LAB_TUNNELS; t++) {
        struct tunnel_device *d = &c->o->devices[t];
        if (!ok)
            d->end = (struct lab_tunnel_end){0};
        else if (!want->ends[t].wanted && t != LAB_TUNNEL_IPIP)
            d->index = 0;
    }
    return ok;
}

/* ---- the whole ---- */

static void replace_lists(struct overlay *o, struct lab_overlay_route *routes, size_t route_count,
                          struct lab_overlay_vtep *vteps, size_t vtep_count) {
    alloc_free(o->routes);
    alloc_free(o->vteps);
    o->routes = routes;
    o->route_count = route_count;
    o->vteps = vteps;
    o->vtep_count = vtep_count;
}

static bool change_lists(struct change *c, const struct lab_overlay *want) {
    struct overlay *o = c->o;
    size_t routes = want->route_count, vteps = want->vtep_count;
    struct lab_overlay_route *r = sorted_copy(want->routes, routes, sizeof(*r), compare_routes);
    struct lab_overlay_vtep *v = sorted_copy(want->vteps, vteps, sizeof(*v), compare_vteps);

    if (r == NULL || v == NULL) {
        alloc_free(r);
        alloc_free(v);
        lab_add_finding(c->diags, c->lab->nodes[c->host].name, "program routes", ENOMEM, NULL);
        return false;
    }
    queue_difference(c, &route_kind, o->routes, o->route_count, r, routes, false);
    queue_difference(c, &vtep_kind, o->vteps, o->vtep_count, v, vteps, false);
    queue_difference(c, &vtep_kind, o->vteps, o->vtep_count, v, vteps, true);
    queue_difference(c, &route_kind, o->routes, o->route_count, r, routes, true);
    if (flush(c)) {
        replace_lists(o, r, routes, v, vteps);
        return true;
    }
    /* Part of it may stand. The next call writes all of the difference again, which does no harm.
     */
    alloc_free(r);
    alloc_free(v);
    return false;
}

static bool is_empty(const struct lab_overlay *want) {
    bool any = want->route_count + want->vtep_count > 0;

    for (int t = 0; t < LAB_TUNNELS; t++)
        any = any || want->ends[t].wanted;
    return !any;
}

bool lab_overlay_set(struct lab *lab, uint32_t host, const struct lab_overlay *want,
                     struct diag_list *diags) {
    struct lab_node *n = &lab->nodes[host];
    struct change c = {.lab = lab, .host = host, .diags = diags};
    bool ok;

    if (n->overlay == NULL && is_empty(want))
        return true;
    if (n->overlay == NULL)
        n->overlay = alloc_zero(1, sizeof(*n->overlay));
    c.o = n->overlay;
    if (c.o == NULL || !lab_open_netlink(lab, host, NETLINK_ROUTE, &c.nl)) {
        lab_add_finding(diags, n->name, "program routes", c.o == NULL ? ENOMEM : errno, NULL);
        return false;
    }
    ok = change_devices(&c, want) && change_lists(&c, want);
    netlink_close(&c.nl);
    return ok;
}

void overlay_stop(struct lab *lab) {
    ipip_tun_free(lab->ipip_tun);
    lab->ipip_tun = NULL;
    for (size_t h = 0; h < lab->node_count; h++) {
        struct overlay *o = lab->nodes[h].overlay;
        if (o == NULL)
            continue;
        replace_lists(o, NULL, 0, NULL, 0);
        alloc_free(o);
        lab->nodes[h].overlay = NULL;
    }
}
