/*
 * Names of families and messages, both ways.
 *
 * Ours are "ipv4 unicast" and "ipv6 unicast"; others only have to be recognised by a reader. IANA
 * "Address Family Numbers", "SAFI Namespace".
 */
#include "decode.h"

#include "../base/text.h"

#include <string.h>

static const struct {
    uint16_t number;
    const char *name;
} afis[] = {{1, "ipv4"}, {2, "ipv6"}, {25, "l2vpn"}, {16388, "bgp-ls"}},
  safis[] = {{1, "unicast"},        {2, "multicast"},   {4, "nlri-mpls"},  {5, "mcast-vpn"},
             {7, "encapsulation"},  {65, "vpls"},       {66, "mdt"},       {70, "evpn"},
             {71, "bgp-ls"},        {72, "bgp-ls-vpn"}, {73, "sr-policy"}, {85, "mup"},
             {128, "mpls-vpn"},     {132, "rtc"},       {133, "flow"},     {134, "flow-vpn"},
             {129, "multicast-vpn"}};

void decode_family_name(uint16_t afi, uint8_t safi, struct text *out) {
    const char *first = NULL, *second = NULL;
    for (size_t i = 0; i < sizeof afis / sizeof afis[0]; i++)
        if (afis[i].number == afi)
            first = afis[i].name;
    for (size_t i = 0; i < sizeof safis / sizeof safis[0]; i++)
        if (safis[i].number == safi)
            second = safis[i].name;
    if (first && second)
        text_printf(out, "%s %s", first, second);
    else
        text_printf(out, "afi %u safi %u", afi, safi);
}

static const char *const our_families[BGP_FAMILIES] = {
    [BGP_IPV4_UNICAST] = "ipv4 unicast",
    [BGP_IPV6_UNICAST] = "ipv6 unicast",
};

const char *decode_our_family(enum bgp_family f) {
    return our_families[f];
}

bool decode_family_find(const char *name, enum bgp_family *ret_family) {
    for (int f = 0; f < BGP_FAMILIES; f++) {
        if (strcmp(name, our_families[f]) == 0) {
            *ret_family = (enum bgp_family)f;
            return true;
        }
    }
    return false;
}

const char *decode_type_name(enum bgp_message_type type) {
    switch (type) {
    case BGP_MSG_OPEN:
        return "open";
    case BGP_MSG_UPDATE:
        return "update";
    case BGP_MSG_NOTIFICATION:
        return "notification";
    case BGP_MSG_KEEPALIVE:
        return "keepalive";
    case BGP_MSG_ROUTE_REFRESH:
        return "route-refresh";
    }
    return "unknown";
}
