#ifndef RIBCAGE_HOST_TCP_STATE_H
#define RIBCAGE_HOST_TCP_STATE_H

#include <stdbool.h>

struct ios_tcp;

/* What the kernel says of a TCP connection (TCP_INFO). False with errno: nothing is written. */
bool tcp_state_read(int fd, struct ios_tcp *ret_tcp);

#endif
