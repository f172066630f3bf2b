#ifndef RIBCAGE_DECODE_PACKET_H
#define RIBCAGE_DECODE_PACKET_H

#include "../base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A TCP segment inside a captured packet. `data` points into the packet. */
struct packet_tcp {
    struct ip_addr from, to;
    uint16_t from_port, to_port;
    uint32_t sequence;
    bool syn, fin, rst;
    const uint8_t *data;
    size_t size;
};

/* Link types are libpcap's DLT_ numbers: Ethernet, raw IP, null and loop, both Linux cooked forms.
 * False: no whole TCP segment in there. */
bool packet_decode(int link_type, const uint8_t *data, size_t size, struct packet_tcp *ret_tcp);

#endif
