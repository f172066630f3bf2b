#ifndef RIBCAGE_HOST_MONITOR_H
#define RIBCAGE_HOST_MONITOR_H

#include "../base/addr.h"
#include "../base/nanotime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;
struct monitor;

struct monitor_interface {
    uint32_t index;
    char name[16];
    bool up;
    bool running; /* and its other end too */
};
struct monitor_address {
    struct ip_addr addr;
    uint8_t length;
    uint32_t interface;
};

/* Reads interfaces and addresses and listens for changes. NULL with errno. */
struct monitor *monitor_new(struct host *h);
void monitor_free(struct monitor *m);
/* Acts on what has changed since: connected subnets to the speaker, interfaces to the router, next
 * hops asked for again. After each turn of the loop. */
void monitor_work(struct monitor *m);
/* So many kernel routes are about to be written (attention.h). */
void monitor_rush(struct monitor *m, uint32_t routes);
/* Looks at the kernel when it was not listened to for a while and the time has come. */
void monitor_advance(struct monitor *m, struct nanotime now);
struct nanotime monitor_next_deadline(const struct monitor *m);
/* The connected subnets again, to a speaker that is new. */
void monitor_tell_speaker(struct monitor *m);
size_t monitor_interfaces(const struct monitor *m, const struct monitor_interface **ret_list);
size_t monitor_addresses(const struct monitor *m, const struct monitor_address **ret_list);
/* Name of an interface, "" when unknown. */
const char *monitor_interface_name(const struct monitor *m, uint32_t index);

#endif
