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
    uint32_t sequence, acknowledgment;
    bool syn, ack, fin, rst;
    const uint8_t *data;
    size_t size;
    size_t missing; /* octets behind `data` that the capture left out (its snapshot length) */
};

enum packet_kind {
    PACKET_SEGMENT,
    PACKET_OTHER,    /* no TCP in there */
    PACKET_FRAGMENT, /* a part of an IP packet with TCP in it */
    PACKET_DAMAGED,  /* ends before TCP's header does, or that header cannot be */
};

/* Link types are those of link.h; PACKET_OTHER of any other. */
enum packet_kind packet_decode(int link_type, const uint8_t *data, size_t size,
                               struct packet_tcp *ret_tcp);

#endif
