#ifndef RIBCAGE_HOST_BADAUTH_H
#define RIBCAGE_HOST_BADAUTH_H

#include "../base/addr.h"
#include "../core/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct badauth;
struct host;
struct bgp_config;

/* Watches for calls on the port we listen on that the kernel drops because of their RFC 2385
 * signature, which it tells nobody: they are logged. NULL: out of memory. */
struct badauth *badauth_new(struct host *h);
void badauth_free(struct badauth *b);
/* The passwords or the port changed; with no password there is nothing to watch. */
void badauth_configure(struct badauth *b, const struct bgp_config *c);

enum badauth_verdict {
    BADAUTH_OTHER, /* not a SYN in one piece */
    BADAUTH_RIGHT,
    BADAUTH_INVALID, /* signed with another password */
    BADAUTH_MISSING, /* not signed */
};
struct badauth_call {
    struct ip_addr from, to;
    uint16_t from_port, to_port;
    const uint8_t *tcp; /* header with options, into the packet */
    size_t tcp_size;
};
/* An IP packet as a call; false: it is none. */
bool badauth_read(const uint8_t *packet, size_t size, struct badauth_call *ret_call);
enum badauth_verdict badauth_judge(const struct badauth_call *c,
                                   const struct bgp_password *password);

#endif
