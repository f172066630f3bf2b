#ifndef RIBCAGE_LINK_H
#define RIBCAGE_LINK_H

#include "../../speaker/base/addr.h"

#include <stdbool.h>
#include <stdint.h>

struct netlink;

/*
 * Requests about links, addresses, routes and neighbours. Each is queued only: netlink_flush
 * sends. All act on the namespace their socket was opened in. False: a refusal is on record.
 */

#define LINK_GROUP 7u /* everything in a fabric: one request removes it all */

struct link_mac {
    uint8_t bytes[6];
};

struct link_veth {
    uint32_t near_index, far_index; /* different: equal ones delay the carrier by a second */
    const char *near_name, *far_name;
    struct link_mac near_mac, far_mac;
    uint32_t bridge; /* the near end becomes its port; 0: none */
    int far_netns_fd;
};

struct link_settings {
    bool silent6;    /* no IPv6 address generation: no DAD, MLD or router solicitation */
    bool forwarding; /* IPv4, for packets that come in by this link */
};

bool link_add_bridge(struct netlink *nl, uint32_t index, const char *name, struct link_mac mac);
bool link_add_veth(struct netlink *nl, const struct link_veth *v);
bool link_configure(struct netlink *nl, uint32_t index, struct link_settings s);
bool link_set_up(struct netlink *nl, uint32_t index, bool up);
bool link_delete_group(struct netlink *nl);

/* IPv6 addresses are usable at once (no duplicate address detection). */
bool link_add_addr(struct netlink *nl, uint32_t index, struct ip_addr a, uint8_t length);
bool link_delete_addr(struct netlink *nl, uint32_t index, struct ip_addr a, uint8_t length);

struct link_vxlan {
    uint32_t index, link; /* link: what carries the outer packets */
    const char *name;
    struct link_mac mac;
    uint32_t vni, mtu;
    uint16_t port;
    struct ip_addr local; /* outer source */
};
/* RFC 7348, without learning: link_add_forwarding says what is where. */
bool link_add_vxlan(struct netlink *nl, const struct link_vxlan *v);
bool link_add_ipip(struct netlink *nl, uint32_t index, const char *name);
bool link_set_mtu(struct netlink *nl, uint32_t index, uint32_t mtu);
bool link_delete(struct netlink *nl, uint32_t index);

struct link_route {
    struct ip_prefix prefix;
    struct ip_addr gateway; /* not set: on the link itself */
    struct ip_addr source;  /* preferred source (IPv4); not set: the kernel's choice */
    uint32_t index;
    uint32_t metric;  /* 0: the kernel's choice */
    uint8_t protocol; /* 0: RTPROT_STATIC */
    bool blackhole;   /* no gateway, no index */
};
/* A gateway is taken as being on the link, whatever the link's subnets are (RTNH_F_ONLINK). */
bool link_add_route(struct netlink *nl, const struct link_route *r);
bool link_delete_route(struct netlink *nl, const struct link_route *r);
/* Permanent: never probed, never expired, not counted against gc_thresh3. */
bool link_add_neighbour(struct netlink *nl, uint32_t index, struct ip_addr a, struct link_mac mac);
bool link_delete_neighbour(struct netlink *nl, uint32_t index, struct ip_addr a);
/* Frames to `mac` leave a VXLAN device for `outer`. */
bool link_add_forwarding(struct netlink *nl, uint32_t index, struct link_mac mac,
                         struct ip_addr outer);
bool link_delete_forwarding(struct netlink *nl, uint32_t index, struct link_mac mac,
                            struct ip_addr outer);

#endif
