/*
 * The fabric: what joins the hosts.
 *
 * Owns: bridges (l2) or the router's routes (routed) in the fabric namespace; both ends of every
 * veth pair; addresses, routes and neighbours inside the hosts.
 * Leaves to others: the requests themselves (link.c), the order of building (lab.c).
 *
 * l2: one bridge per segment, no STP, no multicast snooping. All hosts of a segment know each
 * other's MAC addresses by permanent entries: those do not count against
 * net.ipv4.neigh.default.gc_thresh3, which is one table for the whole machine and else stalls a
 * full mesh from about 35 hosts on (and several small labs at once). MAC addresses and link
 * indices are computed, never looked up.
 *
 * routed: one router. A host has its address as /32 (/128) and all segments' subnets by
 * 169.254.1.1 (fe80::1) on its link, with a permanent entry for it; never a default route, so that
 * a prefix BGP did not bring is unreachable. The router has a route and a permanent entry for each
 * host's address, and a route for each prefix delivered to the host, as a switch delivers by MAC
 * address.
 *
 * A link taken down by a fault goes down at the fabric's end: the host loses its carrier, as when
 * a cable is pulled, and keeps its addresses and routes.
 */
#include "lab_internal.h"
#include "netns.h"
#include "step.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

enum mac_kind { MAC_HOST = 0x48, MAC_FABRIC = 0x46, MAC_BRIDGE = 0x42, MAC_VTEP = 0x56 };

static struct link_mac make_mac(enum mac_kind kind, uint32_t host, uint32_t link) {
    /* 02: locally administered, one station. */
    return (struct link_mac){{0x02, (uint8_t)kind, (uint8_t)(host >> 16), (uint8_t)(host >> 8),
                              (uint8_t)host, (uint8_t)link}};
}

struct ip_addr fabric_gateway(uint8_t family) {
    static const uint8_t gateway6[16] = {0xfe, 0x80, [15] = 1};

    return family == IP_V4 ? ip4(UINT32_C(0xa9fe0101)) : ip6(gateway6);
}

struct link_mac fabric_vtep_mac(uint32_t host, uint32_t device) {
    return make_mac(MAC_VTEP, host, device);
}

struct ip_addr fabric_next_hop(const struct lab *lab, struct ip_addr host) {
    return lab->fabric == LAB_FABRIC_ROUTED ? fabric_gateway(host.family) : host;
}

static struct ip_addr link_addr(const struct lab_link *l, uint8_t family) {
    return family == IP_V4 ? l->addr4 : l->addr6;
}

static struct ip_prefix whole(struct ip_addr a) {
    return ip_prefix_make(a, ip_bits((enum ip_family)a.family));
}

static bool write_sysctl(const char *path, const char *value) {
    return step_ok() && netns_write_sysctl(path, value);
}

/* ---- the fabric's side ---- */

static void build_bridges(struct lab *lab) {
    struct netlink *nl = &lab->fabric_nl;

    for (uint32_t s = 0; s < lab->segment_count; s++) {
        char name[16];
        snprintf(name, sizeof(name), "br%u", s);
        link_add_bridge(nl, LAB_BRIDGE_FIRST + s, name, make_mac(MAC_BRIDGE, s, 0));
        link_configure(nl, LAB_BRIDGE_FIRST + s, (struct link_settings){.silent6 = true});
        link_set_up(nl, LAB_BRIDGE_FIRST + s, true);
    }
}

/* The calling thread is in the fabric's namespace. */
static bool build_router(struct lab *lab, struct diag_list *diags) {
    /* The router's own address: where its ICMP errors come from. */
    link_add_addr(&lab->fabric_nl, LAB_LOOPBACK, fabric_gateway(IP_V4), 32);
    if (lab->ipv6 && !write_sysctl("net/ipv6/conf/all/forwarding", "1")) {
        lab_add_finding(diags, NULL, "switch on IPv6 forwarding in the router", errno, NULL);
        return false;
    }
    return true;
}

bool fabric_build(struct lab *lab, struct diag_list *diags) {
    lab->fabric_fd = netns_create();
    if (lab->fabric_fd < 0 || !netlink_open(&lab->fabric_nl, NETLINK_ROUTE)) {
        lab_add_finding(diags, NULL, "make the fabric's namespace", errno, NULL);
        return false;
    }
    if (lab->clear_rp_filter && !write_sysctl("net/ipv4/conf/all/rp_filter", "0")) {
        lab_add_finding(diags, NULL, "switch off rp_filter", errno, NULL);
        return false;
    }
    link_set_up(&lab->fabric_nl, LAB_LOOPBACK, true);
    if (lab->fabric == LAB_FABRIC_L2)
        build_bridges(lab);
    else if (!build_router(lab, diags))
        return false;
    if (!netlink_flush(&lab->fabric_nl)) {
        lab_add_netlink_finding(diags, NULL, &lab->fabric_nl);
        return false;
    }
    return true;
}

static const struct lab_link *link_towards(const struct lab_node *n, uint8_t family) {
    for (size_t i = 0; i < n->link_count; i++)
        if (ip_is_set(link_addr(&n->links[i], family)))
            return &n->links[i];
    return NULL;
}

static void queue_delivery(struct lab *lab, const struct lab_node *n, struct ip_prefix p,
                           bool add) {
    const struct lab_link *l = link_towards(n, p.addr.family);
    struct link_route r;

    if (l == NULL || l->down)
        return;
    r = (struct link_route){
        .prefix = p, .gateway = link_addr(l, p.addr.family), .index = l->fabric_index};
    if (add)
        link_add_route(&lab->fabric_nl, &r);
    else
        link_delete_route(&lab->fabric_nl, &r);
}

static void queue_router_address(struct lab *lab, const struct lab_link *l, uint32_t host,
                                 struct ip_addr a) {
    struct link_mac mac = make_mac(MAC_HOST, host, l->index - LAB_HOST_LINK_FIRST);
    struct link_route r = {.prefix = whole(a), .index = l->fabric_index};

    if (!ip_is_set(a))
        return;
    link_add_neighbour(&lab->fabric_nl, l->fabric_index, a, mac);
    link_add_route(&lab->fabric_nl, &r);
}

/* Everything the router knows about a host: at the start, and when its links come up again. */
static void queue_router_side(struct lab *lab, uint32_t host) {
    const struct lab_node *n = &lab->nodes[host];

    for (size_t i = 0; i < n->link_count; i++) {
        if (n->links[i].down)
            continue;
        queue_router_address(lab, &n->links[i], host, n->links[i].addr4);
        queue_router_address(lab, &n->links[i], host, n->links[i].addr6);
    }
    for (size_t i = 0; i < n->delivered_count; i++)
        queue_delivery(lab, n, n->delivered[i], true);
}

static void queue_pair(struct lab *lab, uint32_t host, uint32_t link) {
    const struct lab_node *n = &lab->nodes[host];
    const struct lab_link *l = &n->links[link];
    bool bridged = lab->fabric == LAB_FABRIC_L2;
    char name[16];
    struct link_veth v = {.near_index = l->fabric_index,
                          .far_index = l->index,
                          .near_name = name,
                          .far_name = l->name,
                          .near_mac = make_mac(MAC_FABRIC, host, link),
                          .far_mac = make_mac(MAC_HOST, host, link),
                          .bridge = bridged ? LAB_BRIDGE_FIRST + l->segment : 0,
                          .far_netns_fd = n->netns_fd};

    snprintf(name, sizeof(name), "h%u.%u", host, link);
    link_add_veth(&lab->fabric_nl, &v);
    link_configure(&lab->fabric_nl, l->fabric_index,
                   (struct link_settings){.silent6 = true, .forwarding = !bridged});
    link_set_up(&lab->fabric_nl, l->fabric_index, true);
}

/* ---- the host's side ---- */

static void queue_segment_neighbours(struct lab *lab, struct netlink *nl, uint32_t host,
                                     const struct lab_link *mine) {
    for (uint32_t h = 0; h < lab->node_count; h++) {
        const struct lab_node *n = &lab->nodes[h];
        for (uint32_t i = 0; h != host && i < n->link_count; i++) {
            const struct lab_link *l = &n->links[i];
            struct link_mac mac = make_mac(MAC_HOST, h, i);
            if (l->segment != mine->segment)
                continue;
            if (ip_is_set(l->addr4))
                link_add_neighbour(nl, mine->index, l->addr4, mac);
            if (ip_is_set(l->addr6))
                link_add_neighbour(nl, mine->index, l->addr6, mac);
        }
    }
}

static void queue_gateway(struct netlink *nl, const struct lab_link *l, uint32_t host,
                          struct ip_addr own, struct ip_prefix subnet) {
    struct link_mac mac = make_mac(MAC_FABRIC, host, l->index - LAB_HOST_LINK_FIRST);
    struct link_route r = {
        .prefix = subnet, .gateway = fabric_gateway(own.family), .index = l->index};

    if (own.family == IP_V4)
        r.source = own;
    link_add_neighbour(nl, l->index, r.gateway, mac);
    if (subnet.addr.family == own.family)
        link_add_route(nl, &r);
}

static void queue_host_address(struct lab *lab, struct netlink *nl, uint32_t host,
                               const struct lab_link *l, uint8_t family) {
    struct ip_addr a = link_addr(l, family);
    uint8_t length = family == IP_V4 ? l->length4 : l->length6;

    if (!ip_is_set(a))
        return;
    if (lab->fabric == LAB_FABRIC_L2) {
        link_add_addr(nl, l->index, a, length);
        return;
    }
    link_add_addr(nl, l->index, a, ip_bits((enum ip_family)family));
    for (size_t i = 0; i < lab->segment_count; i++) {
        const struct lab_segment *s = &lab->segments[i];
        queue_gateway(nl, l, host, a, family == IP_V4 ? s->subnet4 : s->subnet6);
    }
}

static void queue_host_side(struct lab *lab, struct netlink *nl, uint32_t host) {
    const struct lab_node *n = &lab->nodes[host];
    bool routed = lab->fabric == LAB_FABRIC_ROUTED;
    struct link_settings s = {.silent6 = routed || !lab->ipv6, .forwarding = n->forwarding};

    link_set_up(nl, LAB_LOOPBACK, true);
    for (size_t i = 0; i < n->link_count; i++) {
        const struct lab_link *l = &n->links[i];
        link_configure(nl, l->index, s);
        link_set_up(nl, l->index, true);
        queue_host_address(lab, nl, host, l, IP_V4);
        queue_host_address(lab, nl, host, l, IP_V6);
        if (!routed)
            queue_segment_neighbours(lab, nl, host, l);
    }
    for (size_t i = 0; i < n->local_count; i++)
        link_add_addr(nl, LAB_LOOPBACK, n->locals[i], ip_bits((enum ip_family)n->locals[i].family));
}

/* The calling thread is in the host's namespace. */
static bool set_host_sysctls(struct lab *lab, const struct lab_node *n, struct diag_list *diags) {
    if (lab->clear_rp_filter && !write_sysctl("net/ipv4/conf/all/rp_filter", "0")) {
        lab_add_finding(diags, n->name, "switch off rp_filter", errno, NULL);
        return false;
    }
    if (lab->ipv6 && n->forwarding && !write_sysctl("net/ipv6/conf/all/forwarding", "1")) {
        lab_add_finding(diags, n->name, "switch on IPv6 forwarding", errno, NULL);
        return false;
    }
    return true;
}

bool fabric_add_host(struct lab *lab, uint32_t host, struct diag_list *diags) {
    struct lab_node *n = &lab->nodes[host];
    struct netlink nl;
    bool ok;

    /* From home, for that is where new namespaces take tcp_child_ehash_entries from. */
    n->netns_fd = netns_enter(lab->home_fd) ? netns_create() : -1;
    if (n->netns_fd < 0 || !netlink_open(&nl, NETLINK_ROUTE)) {
        lab_add_finding(diags, n->name, "make a network namespace", errno, NULL);
        return false;
    }
    ok = set_host_sysctls(lab, n, diags);
    for (uint32_t i = 0; ok && i < n->link_count; i++)
        queue_pair(lab, host, i);
    if (ok && lab->fabric == LAB_FABRIC_ROUTED)
        queue_router_side(lab, host);
    if (ok && !netlink_flush(&lab->fabric_nl)) {
        lab_add_netlink_finding(diags, n->name, &lab->fabric_nl);
        ok = false;
    }
    if (ok)
        queue_host_side(lab, &nl, host);
    if (ok && !netlink_flush(&nl)) {
        lab_add_netlink_finding(diags, n->name, &nl);
        ok = false;
    }
    netlink_close(&nl);
    return ok;
}

/* ---- changes ---- */

static bool flush_change(struct lab *lab) {
    bool ok = netlink_flush(&lab->fabric_nl);

    if (!ok)
        errno = lab->fabric_nl.error;
    lab->fabric_nl.error = 0;
    return ok;
}

bool fabric_set_link(struct lab *lab, uint32_t host, uint32_t link, bool up) {
    struct lab_link *l = &lab->nodes[host].links[link];

    l->down = !up;
    link_set_up(&lab->fabric_nl, l->fabric_index, up);
    if (up && lab->fabric == LAB_FABRIC_ROUTED)
        queue_router_side(lab, host);
    return flush_change(lab);
}

bool fabric_deliver(struct lab *lab, uint32_t host, struct ip_prefix p, bool add) {
    if (lab->fabric != LAB_FABRIC_ROUTED)
        return true;
    queue_delivery(lab, &lab->nodes[host], p, add);
    return flush_change(lab);
}
