#ifndef RIBCAGE_HOST_SOCKOPT_H
#define RIBCAGE_HOST_SOCKOPT_H

#include "../base/addr.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Socket addresses and the options BGP wants on its TCP sockets. All return false with errno. */

union sockaddr_any {
    struct sockaddr sa;
    struct sockaddr_storage storage;
};

socklen_t sockaddr_make(union sockaddr_any *out, struct ip_addr a, uint16_t port);
/* An IPv4-mapped IPv6 address becomes IPv4. */
struct ip_addr sockaddr_addr(const union sockaddr_any *s, uint16_t *ret_port);

/* The interface's index of an address that is one of a link; 0: it is not. */
uint32_t sockaddr_scope(const union sockaddr_any *s);

/* RFC 4271 5 says nothing of it, but every router sends BGP with precedence 6: CS6. */
bool sockopt_common(int fd, int family);
bool sockopt_ttl(int fd, int family, uint8_t ttl);
/* RFC 5082: segments with a lower TTL are dropped by the kernel. 0 accepts all. */
bool sockopt_ttl_min(int fd, int family, uint8_t ttl);
struct bgp_password;
/* RFC 2385; NULL removes the key. */
bool sockopt_md5(int fd, struct ip_addr remote, const struct bgp_password *key);
/* The same for all addresses of a prefix (Linux 4.13). */
bool sockopt_md5_prefix(int fd, struct ip_prefix remote, const struct bgp_password *key);
/*
 * close(), and the death of the process, will send RST and forget what is unsent. Else the kernel
 * goes on asking for an answer to the FIN, for minutes if the other end is gone too, and keeps the
 * namespace all the while.
 */
void sockopt_reset_on_close(int fd, bool reset);

#endif
