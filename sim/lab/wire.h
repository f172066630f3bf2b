#ifndef RIBCAGE_LAB_WIRE_H
#define RIBCAGE_LAB_WIRE_H

#include "../../speaker/base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag_list;
struct lab;
struct lab_probe;

/*
 * How packets look between hosts: sizes and encapsulation, from frames captured in the fabric.
 */

enum wire_encapsulation { WIRE_PLAIN, WIRE_IPIP, WIRE_VXLAN, WIRE_ENCAPSULATIONS };
const char *wire_encapsulation_name(enum wire_encapsulation e); /* "no encapsulation", "IPIP"… */

/* An echo request, as it came by. */
struct wire_echo {
    struct ip_addr source, destination; /* of the request itself, the inner packet */
    enum wire_encapsulation encapsulation;
    uint32_t packet_bytes; /* the inner IP packet */
    uint32_t wire_bytes;   /* all behind the Ethernet header of the captured frame */
};

/* The echo request (ICMP, ICMPv6) in a frame of link type LINUX_SLL, plain, in IPIP (RFC 2003) or
 * in VXLAN (RFC 7348). `frame_bytes` is the frame's length before the capture cut it to `size`.
 * False: there is none, and *ret_echo is untouched. Any octets may come. */
bool wire_echo_decode(const uint8_t *data, size_t size, size_t frame_bytes,
                      struct wire_echo *ret_echo);

/* What the fabric saw of one probe; `seen` false: nothing. */
struct lab_wire {
    bool seen;
    struct wire_echo echo;
};
/* lab_ping, with a capture around it. `ret_wires` has `count` entries. False with a finding when
 * nothing could be captured; whether probes arrived is in the probes. `ret_lost`: frames that the
 * kernel had no room for; with any, a probe that was not seen may have been there. */
bool lab_ping_on_wire(struct lab *lab, struct lab_probe *probes, size_t count, uint32_t deadline_ms,
                      struct lab_wire *ret_wires, uint64_t *ret_lost, struct diag_list *diags);

#endif
