/*
 * The kernel's routes: the main table of a host, by rtnetlink.
 *
 * Owns: the dump and its translation into struct lab_route, sorted.
 * Leaves to others: what should be in it (the oracle).
 *
 * A route with several next hops becomes one entry per next hop. Of the route types only unicast
 * and blackhole are reported (unreachable and prohibit count as blackhole); local, broadcast and
 * multicast routes live in other tables or are the kernel's own.
 */
#include "../../speaker/base/arena.h"
#include "lab_internal.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ATTEMPTS_MAX 20

struct list {
    const struct lab_node *node;
    struct lab_route *items;
    size_t count, capacity;
    bool failed;
};

static struct ip_addr attr_addr(uint8_t family, struct nlattr *a) {
    const uint8_t *b = a == NULL ? NULL : nla_data(a);

    if (b != NULL && family == AF_INET && nla_len(a) == 4)
        return ip4((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
    if (b != NULL && family == AF_INET6 && nla_len(a) == 16)
        return ip6(b);
    return (struct ip_addr){0};
}

/* RTA_VIA: an IPv4 route with an IPv6 gateway. */
static struct ip_addr gateway_of(uint8_t family, struct nlattr *gateway, struct nlattr *via) {
    const struct rtvia *v = via == NULL ? NULL : nla_data(via);

    if (gateway != NULL || v == NULL)
        return attr_addr(family, gateway);
    if (v->rtvia_family == AF_INET6 && nla_len(via) == (int)sizeof(*v) + 16)
        return ip6(v->rtvia_addr);
    return (struct ip_addr){0};
}

static void name_interface(const struct lab_node *n, uint32_t index, char name[16]) {
    for (size_t i = 0; i < n->link_count; i++)
        if (n->links[i].index == index)
            snprintf(name, 16, "%s", n->links[i].name);
    if (index == LAB_LOOPBACK)
        snprintf(name, 16, "lo");
    if (name[0] == '\0' && overlay_device_name(n, index) != NULL)
        snprintf(name, 16, "%s", overlay_device_name(n, index));
    if (index != 0 && name[0] == '\0')
        snprintf(name, 16, "#%u", index);
}

static void append(struct list *l, const struct lab_route *r) {
    if (l->count == l->capacity) {
        size_t capacity = l->capacity == 0 ? 64 : l->capacity * 2;
        struct lab_route *grown = alloc_resize(l->items, capacity, sizeof(*grown));
        if (grown == NULL) {
            l->failed = true;
            return;
        }
        l->items = grown;
        l->capacity = capacity;
    }
    l->items[l->count++] = *r;
}

static void take_nexthops(struct list *l, struct lab_route r, uint8_t family, struct nlattr *list) {
    struct rtnexthop *hop = nla_data(list);
    int left = nla_len(list);

    while (left >= (int)sizeof(*hop) && hop->rtnh_len >= sizeof(*hop) && hop->rtnh_len <= left) {
        struct nlattr *tb[RTA_MAX + 1];
        struct nlattr *first = (void *)(hop + 1);
        struct lab_route one = r;
        if (nla_parse(tb, RTA_MAX, first, hop->rtnh_len - (int)sizeof(*hop), NULL) == 0)
            one.gateway = gateway_of(family, tb[RTA_GATEWAY], tb[RTA_VIA]);
        name_interface(l->node, (uint32_t)hop->rtnh_ifindex, one.interface);
        append(l, &one);
        left -= (int)RTNH_ALIGN(hop->rtnh_len);
        hop = RTNH_NEXT(hop);
    }
}

static bool wanted(const struct rtmsg *m, struct nlattr *const *tb) {
    uint32_t table = tb[RTA_TABLE] != NULL ? nla_get_u32(tb[RTA_TABLE]) : m->rtm_table;

    return table == RT_TABLE_MAIN && (m->rtm_flags & RTM_F_CLONED) == 0 &&
           (m->rtm_type == RTN_UNICAST || m->rtm_type == RTN_BLACKHOLE ||
            m->rtm_type == RTN_UNREACHABLE || m->rtm_type == RTN_PROHIBIT);
}

static void take_route(void *context, const struct nlmsghdr *h) {
    struct list *l = context;
    const struct rtmsg *m = (const void *)((const char *)h + NLMSG_HDRLEN);
    struct nlattr *tb[RTA_MAX + 1];
    struct lab_route r = {0};

    if (nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(*m), tb, RTA_MAX, NULL) < 0 ||
        !wanted(m, tb))
        return;
    r.prefix.addr = attr_addr(m->rtm_family, tb[RTA_DST]);
    r.prefix.addr.family = m->rtm_family == AF_INET ? IP_V4 : IP_V6;
    r.prefix.length = m->rtm_dst_len;
    r.protocol = m->rtm_protocol;
    r.metric = tb[RTA_PRIORITY] != NULL ? nla_get_u32(tb[RTA_PRIORITY]) : 0;
    r.blackhole = m->rtm_type != RTN_UNICAST;
    if (tb[RTA_MULTIPATH] != NULL) {
        take_nexthops(l, r, m->rtm_family, tb[RTA_MULTIPATH]);
        return;
    }
    r.gateway = gateway_of(m->rtm_family, tb[RTA_GATEWAY], tb[RTA_VIA]);
    if (tb[RTA_OIF] != NULL && !r.blackhole)
        name_interface(l->node, nla_get_u32(tb[RTA_OIF]), r.interface);
    append(l, &r);
}

static int compare_routes(const void *a, const void *b) {
    const struct lab_route *x = a, *y = b;
    int order = ip_prefix_compare(x->prefix, y->prefix);

    if (order == 0 && x->metric != y->metric)
        order = x->metric < y->metric ? -1 : 1;
    return order != 0 ? order : ip_compare(x->gateway, y->gateway);
}

static int dump_family(struct netlink *nl, uint8_t family, struct list *l) {
    struct rtmsg m = {.rtm_family = family, .rtm_table = RT_TABLE_MAIN};
    size_t before = l->count;
    int error, attempts = 0;

    do {
        struct request r = request_new(RTM_GETROUTE, NLM_F_DUMP, &m, sizeof(m));
        l->count = before;
        error = netlink_dump(nl, &r, take_route, l);
    } while (error == -EINTR && ++attempts < ATTEMPTS_MAX); /* it changed under way */
    /* ENOENT: no table of this family yet. */
    return error == -ENOENT || error == -EOPNOTSUPP ? 0 : error;
}

ssize_t lab_routes(struct lab *lab, uint32_t host, struct lab_route **ret_routes) {
    const int on = 1;
    struct list l = {.node = &lab->nodes[host]};
    struct netlink nl;

    if (!lab_open_netlink(lab, host, NETLINK_ROUTE, &nl))
        return -1;
    /* The kernel then sends the table asked for only; without it the filter above does. */
    (void)setsockopt(nl.fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
    if (dump_family(&nl, AF_INET, &l) != 0 || dump_family(&nl, AF_INET6, &l) != 0)
        l.failed = true;
    netlink_close(&nl);
    if (l.failed) {
        alloc_free(l.items);
        return -1;
    }
    if (l.count > 1)
        qsort(l.items, l.count, sizeof(*l.items), compare_routes);
    *ret_routes = l.items;
    return (ssize_t)l.count;
}
