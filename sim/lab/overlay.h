#ifndef RIBCAGE_LAB_OVERLAY_H
#define RIBCAGE_LAB_OVERLAY_H

#include "../../speaker/base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag_list;
struct lab;

/*
 * Tunnels between hosts and the routes into them: what Calico's Felix programs into a node's
 * kernel. Names, VNI, port and MTU are Felix's.
 *
 *   tunl0            IPIP (RFC 2003), adds 20 octets
 *   vxlan.calico     VXLAN (RFC 7348) over IPv4, VNI 4096, UDP 4789, adds 50
 *   vxlan-v6.calico  the same over IPv6, adds 70
 */

enum lab_tunnel { LAB_TUNNEL_IPIP, LAB_TUNNEL_VXLAN4, LAB_TUNNEL_VXLAN6, LAB_TUNNELS };

/* One host's end of a tunnel. */
struct lab_tunnel_end {
    bool wanted;
    struct ip_addr addr;  /* on the device; not set: none */
    struct ip_addr local; /* outer source: the host's own address, the same in every call */
};

enum lab_via {
    LAB_VIA_LINK, /* the host's first interface, unencapsulated */
    LAB_VIA_TUNNEL,
    LAB_VIA_BLACKHOLE,
};

struct lab_overlay_route {
    struct ip_prefix prefix;
    enum lab_via via;
    enum lab_tunnel tunnel; /* LAB_VIA_TUNNEL */
    struct ip_addr gateway; /* LINK: the other host; IPIP: its outer address; VXLAN: its VTEP */
    uint32_t metric;        /* Felix: the normal route priority */
};

/* The other end of a VXLAN tunnel: a neighbour entry (VTEP address to MAC) and a forwarding entry
 * (MAC to outer address). */
struct lab_overlay_vtep {
    enum lab_tunnel tunnel;
    uint32_t host;
    struct ip_addr addr, outer;
};

struct lab_overlay {
    struct lab_tunnel_end ends[LAB_TUNNELS];
    const struct lab_overlay_route *routes; /* unique by prefix */
    size_t route_count;
    const struct lab_overlay_vtep *vteps; /* unique by (tunnel, addr) */
    size_t vtep_count;
};

/*
 * Makes the host's tunnels, neighbours and routes those of `want` (borrowed) and nothing else: what
 * an earlier call made and `want` lacks goes. Routes carry Felix's protocol number, 80, and touch
 * nobody else's. False with a finding that names what the kernel refused or lacks; what was made
 * then stays for the next call or the teardown.
 */
bool lab_overlay_set(struct lab *lab, uint32_t host, const struct lab_overlay *want,
                     struct diag_list *diags);

/* What serves tunl0 in this lab: the kernel's ipip device or, where it has none, a TUN device and
 * a thread of the runner. */
enum lab_ipip { LAB_IPIP_UNUSED, LAB_IPIP_KERNEL, LAB_IPIP_TUN };
enum lab_ipip lab_ipip_used(const struct lab *lab);

#define LAB_FELIX_PROTOCOL 80 /* Felix's DeviceRouteProtocol */

const char *lab_tunnel_name(enum lab_tunnel t);

#endif
