#ifndef RIBCAGE_LAB_IPIP_TUN_H
#define RIBCAGE_LAB_IPIP_TUN_H

#include "../../speaker/base/addr.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * IPIP (RFC 2003) for kernels without an ipip device: TUN devices and a thread that puts what is
 * routed into them into packets of protocol 4 and takes such packets out again.
 */

struct ipip_tun;

#define IPIP_TUN_ENDS_MAX 20000u

/* Starts the thread. NULL with errno. */
struct ipip_tun *ipip_tun_new(void);
/* Ends the thread; the devices go with their descriptors. NULL is fine. */
void ipip_tun_free(struct ipip_tun *s);
/* Makes a TUN device in the calling thread's network namespace and serves it from now on. Packets
 * leave from `local` and are taken when sent to it. It is down, without address. False with errno;
 * nothing is left then. */
bool ipip_tun_add(struct ipip_tun *s, const char *name, uint32_t index, struct ip_addr local);

#endif
