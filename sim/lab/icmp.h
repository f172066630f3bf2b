#ifndef RIBCAGE_LAB_ICMP_H
#define RIBCAGE_LAB_ICMP_H

#include "../../speaker/base/addr.h"

#include <stdint.h>

/* Echo requests of both families over raw sockets, and what comes back for them. */

/* In the namespace of the calling thread. -1: errno. */
int icmp_open(uint8_t family);

struct icmp_request {
    struct ip_addr source, destination; /* of one family, that of the socket */
    uint32_t index;                     /* comes back with the answer */
};
/* `series`: answers to requests of another one are not taken. 0, or an errno. */
int icmp_send(int fd, uint16_t series, const struct icmp_request *q);
const char *icmp_errno_text(int error); /* static */

/* A reply (`error` NULL) from an address, or an ICMP error in static words (`from` not set). The
 * index is the sender's word: anyone's. */
typedef void icmp_take_fn(void *context, uint32_t index, struct ip_addr from, const char *error);
/* Everything the socket has, without waiting. */
void icmp_receive(int fd, uint16_t series, icmp_take_fn *take, void *context);

#endif
