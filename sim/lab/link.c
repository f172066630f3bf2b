/*
 * rtnetlink requests: bridges, veth pairs, tunnels, addresses, routes, neighbours.
 *
 * Owns: the attributes of each request.
 * Leaves to others: sending and refusals (netlink.c), which links there are (fabric.c).
 *
 * A veth pair is one request: the near end appears in the namespace of the socket, the far end in
 * the namespace of `far_netns_fd`, both with a chosen name, index and MAC address, so that nothing
 * has to be looked up afterwards and nothing is ever seen in a third namespace. The kernel cannot
 * bring the far end up in the same request. Address generation is switched off before a link goes
 * up: one link-local address and its multicasts per node cost the square of the nodes.
 *
 * Routes have RTNH_F_ONLINK, so that hosts with /32 addresses reach a gateway that is in none of
 * their subnets.
 */
#include "link.h"

#include "netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Values of IN6_ADDR_GEN_MODE_* and of the bridge's options; not all headers of libc have them. */
#define ADDR_GEN_MODE_NONE 1

static uint8_t address_family(const struct ip_addr *a) {
    return a->family == IP_V4 ? AF_INET : AF_INET6;
}

bool link_add_bridge(struct netlink *nl, uint32_t index, const char *name, struct link_mac mac) {
    struct ifinfomsg i = {.ifi_index = (int)index};
    struct request r = request_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof(i));
    struct nlattr *info, *data;

    request_put_text(&r, IFLA_IFNAME, name);
    request_put(&r, IFLA_ADDRESS, mac.bytes, sizeof(mac.bytes));
    request_put_u32(&r, IFLA_GROUP, LINK_GROUP);
    info = request_nest(&r, IFLA_LINKINFO);
    request_put_text(&r, IFLA_INFO_KIND, "bridge");
    data = request_nest(&r, IFLA_INFO_DATA);
    request_put_u32(&r, IFLA_BR_STP_STATE, 0);
    request_put_u8(&r, IFLA_BR_MCAST_SNOOPING, 0);
    request_end(&r, data);
    request_end(&r, info);
    return netlink_queue(nl, &r, (struct netlink_entry){.what = "make a bridge"});
}

bool link_add_veth(struct netlink *nl, const struct link_veth *v) {
    struct ifinfomsg near = {.ifi_index = (int)v->near_index};
    struct ifinfomsg far = {.ifi_index = (int)v->far_index};
    struct request r = request_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &near, sizeof(near));
    struct nlattr *info, *data, *peer;

    request_put_text(&r, IFLA_IFNAME, v->near_name);
    request_put(&r, IFLA_ADDRESS, v->near_mac.bytes, sizeof(v->near_mac.bytes));
    request_put_u32(&r, IFLA_GROUP, LINK_GROUP);
    if (v->bridge != 0)
        request_put_u32(&r, IFLA_MASTER, v->bridge);
    info = request_nest(&r, IFLA_LINKINFO);
    request_put_text(&r, IFLA_INFO_KIND, "veth");
    data = request_nest(&r, IFLA_INFO_DATA);
    peer = request_nest(&r, VETH_INFO_PEER);
    request_append(&r, &far, sizeof(far));
    request_put_text(&r, IFLA_IFNAME, v->far_name);
    request_put(&r, IFLA_ADDRESS, v->far_mac.bytes, sizeof(v->far_mac.bytes));
    request_put_u32(&r, IFLA_NET_NS_FD, (uint32_t)v->far_netns_fd);
    request_end(&r, peer);
    request_end(&r, data);
    request_end(&r, info);
    return netlink_queue(nl, &r, (struct netlink_entry){.what = "make a veth pair"});
}

bool link_configure(struct netlink *nl, uint32_t index, struct link_settings s) {
    struct ifinfomsg i = {.ifi_index = (int)index};
    struct request r = request_new(RTM_SETLINK, 0, &i, sizeof(i));
    struct nlattr *spec = request_nest(&r, IFLA_AF_SPEC);
    struct nlattr *family = request_nest(&r, AF_INET);
    struct nlattr *conf = request_nest(&r, IFLA_INET_CONF);

    request_put_u32(&r, IPV4_DEVCONF_FORWARDING, s.forwarding);
    request_put_u32(&r, IPV4_DEVCONF_RP_FILTER, 0);
    request_put_u32(&r, IPV4_DEVCONF_ACCEPT_REDIRECTS, 0);
    request_put_u32(&r, IPV4_DEVCONF_SEND_REDIRECTS, 0);
    request_put_u32(&r, IPV4_DEVCONF_PROXY_ARP, 0);
    request_end(&r, conf);
    request_end(&r, family);
    if (s.silent6) {
        family = request_nest(&r, AF_INET6);
        request_put_u8(&r, IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_MODE_NONE);
        request_end(&r, family);
    }
    request_end(&r, spec);
    return netlink_queue(nl, &r, (struct netlink_entry){.what = "configure a link"});
}

bool link_set_up(struct netlink *nl, uint32_t index, bool up) {
    struct ifinfomsg i = {
        .ifi_index = (int)index, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP};
    struct request r = request_new(RTM_SETLINK, 0, &i, sizeof(i));

    return netlink_queue(nl, &r, (struct netlink_entry){.what = "bring a link up or down"});
}

bool link_delete_group(struct netlink *nl) {
    struct ifinfomsg i = {0};
    struct request r = request_new(RTM_DELLINK, 0, &i, sizeof(i));

    request_put_u32(&r, IFLA_GROUP, LINK_GROUP);
    return netlink_queue(nl, &r,
                         (struct netlink_entry){.what = "remove links", .tolerated = ENODEV});
}

static struct request address_request(uint16_t type, uint16_t flags, uint32_t index,
                                      const struct ip_addr *a, uint8_t length) {
    struct ifaddrmsg m = {.ifa_family = address_family(a),
                          .ifa_prefixlen = length,
                          .ifa_flags = a->family == IP_V6 ? IFA_F_NODAD : 0,
                          .ifa_index = index};
    struct request r = request_new(type, flags, &m, sizeof(m));

    request_put_addr(&r, IFA_LOCAL, a);
    request_put_addr(&r, IFA_ADDRESS, a);
    return r;
}

bool link_add_addr(struct netlink *nl, uint32_t index, struct ip_addr a, uint8_t length) {
    struct request r =
        address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, &a, length);

    return netlink_queue(nl, &r, (struct netlink_entry){.what = "add an address"});
}

bool link_delete_addr(struct netlink *nl, uint32_t index, struct ip_addr a, uint8_t length) {
    struct request r = address_request(RTM_DELADDR, 0, index, &a, length);

    return netlink_queue(
        nl, &r, (struct netlink_entry){.what = "remove an address", .tolerated = EADDRNOTAVAIL});
}

bool link_add_vxlan(struct netlink *nl, const struct link_vxlan *v) {
    struct ifinfomsg i = {.ifi_index = (int)v->index};
    struct request r = request_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof(i));
    uint16_t port = htons(v->port);
    struct nlattr *info, *data;

    request_put_text(&r, IFLA_IFNAME, v->name);
    request_put(&r, IFLA_ADDRESS, v->mac.bytes, sizeof(v->mac.bytes));
    request_put_u32(&r, IFLA_MTU, v->mtu);
    info = request_nest(&r, IFLA_LINKINFO);
    request_put_text(&r, IFLA_INFO_KIND, "vxlan");
    data = request_nest(&r, IFLA_INFO_DATA);
    request_put_u32(&r, IFLA_VXLAN_ID, v->vni);
    request_put_u32(&r, IFLA_VXLAN_LINK, v->link);
    request_put_addr(&r, v->local.family == IP_V4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6,
                     &v->local);
    request_put_u8(&r, IFLA_VXLAN_LEARNING, 0);
    request_put(&r, IFLA_VXLAN_PORT, &port, sizeof(port));
    request_end(&r, data);
    request_end(&r, info);
    return netlink_queue(nl, &r, (struct netlink_entry){.what = "make a VXLAN device"});
}

bool link_add_ipip(struct netlink *nl, uint32_t index, const char *name) {
    struct ifinfomsg i = {.ifi_index = (int)index};
    struct request r = request_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof(i));
    struct nlattr *info;

    request_put_text(&r, IFLA_IFNAME, name);
    info = request_nest(&r, IFLA_LINKINFO);
    request_put_text(&r, IFLA_INFO_KIND, "ipip");
    request_end(&r, info);
    return netlink_queue(nl, &r, (struct netlink_entry){.what = "make an IPIP device"});
}

bool link_set_mtu(struct netlink *nl, uint32_t index, uint32_t mtu) {
    struct ifinfomsg i = {.ifi_index = (int)index};
    struct request r = request_new(RTM_SETLINK, 0, &i, sizeof(i));

    request_put_u32(&r, IFLA_MTU, mtu);
    return netlink_queue(nl, &r, (struct netlink_entry){.what = "set an MTU"});
}

bool link_delete(struct netlink *nl, uint32_t index) {
    struct ifinfomsg i = {.ifi_index = (int)index};
    struct request r = request_new(RTM_DELLINK, 0, &i, sizeof(i));

    return netlink_queue(nl, &r,
                         (struct netlink_entry){.what = "remove a link", .tolerated = ENODEV});
}

static struct request route_request(uint16_t type, uint16_t flags, const struct link_route *route) {
    bool has_gateway = ip_is_set(route->gateway);
    bool host_scope = !has_gateway && !route->blackhole && route->prefix.addr.family == IP_V4;
    struct rtmsg m = {.rtm_family = address_family(&route->prefix.addr),
                      .rtm_dst_len = route->prefix.length,
                      .rtm_table = RT_TABLE_MAIN,
                      .rtm_protocol = route->protocol == 0 ? RTPROT_STATIC : route->protocol,
                      .rtm_scope = host_scope ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
                      .rtm_type = route->blackhole ? RTN_BLACKHOLE : RTN_UNICAST,
                      .rtm_flags = has_gateway ? RTNH_F_ONLINK : 0};
    struct request r = request_new(type, flags, &m, sizeof(m));

    if (route->prefix.length > 0)
        request_put_addr(&r, RTA_DST, &route->prefix.addr);
    if (!route->blackhole)
        request_put_u32(&r, RTA_OIF, route->index);
    if (has_gateway)
        request_put_addr(&r, RTA_GATEWAY, &route->gateway);
    if (route->metric != 0)
        request_put_u32(&r, RTA_PRIORITY, route->metric);
    if (ip_is_set(route->source))
        request_put_addr(&r, RTA_PREFSRC, &route->source);
    return r;
}

bool link_add_route(struct netlink *nl, const struct link_route *route) {
    struct request r = route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route);

    return netlink_queue(nl, &r, (struct netlink_entry){.what = "add a route"});
}

bool link_delete_route(struct netlink *nl, const struct link_route *route) {
    struct request r = route_request(RTM_DELROUTE, 0, route);

    return netlink_queue(nl, &r,
                         (struct netlink_entry){.what = "remove a route", .tolerated = ESRCH});
}

bool link_add_neighbour(struct netlink *nl, uint32_t index, struct ip_addr a, struct link_mac mac) {
    struct ndmsg m = {
        .ndm_family = address_family(&a), .ndm_ifindex = (int)index, .ndm_state = NUD_PERMANENT};
    struct request r = request_new(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &m, sizeof(m));

    request_put_addr(&r, NDA_DST, &a);
    request_put(&r, NDA_LLADDR, mac.bytes, sizeof(mac.bytes));
    return netlink_queue(nl, &r, (struct netlink_entry){.what = "add a neighbour"});
}

bool link_delete_neighbour(struct netlink *nl, uint32_t index, struct ip_addr a) {
    struct ndmsg m = {.ndm_family = address_family(&a), .ndm_ifindex = (int)index};
    struct request r = request_new(RTM_DELNEIGH, 0, &m, sizeof(m));

    request_put_addr(&r, NDA_DST, &a);
    return netlink_queue(nl, &r,
                         (struct netlink_entry){.what = "remove a neighbour", .tolerated = ENOENT});
}

static struct request forwarding_request(uint16_t type, uint16_t flags, uint32_t index,
                                         struct link_mac mac, struct ip_addr outer) {
    struct ndmsg m = {.ndm_family = AF_BRIDGE,
                      .ndm_ifindex = (int)index,
                      .ndm_state = NUD_PERMANENT,
                      .ndm_flags = NTF_SELF};
    struct request r = request_new(type, flags, &m, sizeof(m));

    request_put(&r, NDA_LLADDR, mac.bytes, sizeof(mac.bytes));
    request_put_addr(&r, NDA_DST, &outer);
    return r;
}

bool link_add_forwarding(struct netlink *nl, uint32_t index, struct link_mac mac,
                         struct ip_addr outer) {
    struct request r =
        forwarding_request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, index, mac, outer);

    return netlink_queue(nl, &r, (struct netlink_entry){.what = "add a forwarding entry"});
}

bool link_delete_forwarding(struct netlink *nl, uint32_t index, struct link_mac mac,
                            struct ip_addr outer) {
    struct request r = forwarding_request(RTM_DELNEIGH, 0, index, mac, outer);

    return netlink_queue(
        nl, &r, (struct netlink_entry){.what = "remove a forwarding entry", .tolerated = ENOENT});
}
