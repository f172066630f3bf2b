#ifndef RIBCAGE_DECODE_LINK_H
#define RIBCAGE_DECODE_LINK_H

#include "../base/bytes.h"

#include <stdbool.h>

/*
 * From the first octet of a captured frame to its IP header, by libpcap's DLT_ numbers: Ethernet
 * (bare, and as old Junos writes it), both Linux cooked forms, PPP, PPPoE, Cisco HDLC, Frame Relay,
 * null, loop and raw IP; VLAN tags and MPLS labels in between.
 */

/* Is this a link type that is read here? */
bool link_known(int link_type);
/* Leaves the reader before the IP header; false: no IP in there, or the frame is cut before it. */
bool link_enter(int link_type, struct byte_reader *r);

#endif
