/*
 * Socket addresses and options: the one place that knows both address families of the kernel.
 *
 * RFC 2385 (TCP_MD5SIG), RFC 5082 (IP_MINTTL, IPV6_MINHOPCOUNT). Values come from the callers, who
 * know the peer; nothing here is remembered.
 */
#include "sockopt.h"

#include "../core/config.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif

socklen_t sockaddr_make(union sockaddr_any *out, struct ip_addr a, uint16_t port) {
    memset(out, 0, sizeof *out);
    if (a.family == IP_V6) {
        struct sockaddr_in6 *s6 = (struct sockaddr_in6 *)&out->storage;
        s6->sin6_family = AF_INET6;
        s6->sin6_port = htons(port);
        memcpy(&s6->sin6_addr, a.bytes, 16);
        return sizeof *s6;
    }
    struct sockaddr_in *s4 = (struct sockaddr_in *)&out->storage;
    s4->sin_family = AF_INET;
    s4->sin_port = htons(port);
    memcpy(&s4->sin_addr, a.bytes, 4);
    return sizeof *s4;
}

struct ip_addr sockaddr_addr(const union sockaddr_any *s, uint16_t *ret_port) {
    struct ip_addr a = {0};
    if (s->sa.sa_family == AF_INET6) {
        const struct sockaddr_in6 *s6 = (const struct sockaddr_in6 *)&s->storage;
        a = ip6((const uint8_t *)&s6->sin6_addr);
        *ret_port = ntohs(s6->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&s6->sin6_addr)) {
            struct ip_addr v4 = {.family = IP_V4};
            memcpy(v4.bytes, a.bytes + 12, 4);
            return v4;
        }
    } else if (s->sa.sa_family == AF_INET) {
        const struct sockaddr_in *s4 = (const struct sockaddr_in *)&s->storage;
        a.family = IP_V4;
        memcpy(a.bytes, &s4->sin_addr, 4);
        *ret_port = ntohs(s4->sin_port);
    }
    return a;
}

uint32_t sockaddr_scope(const union sockaddr_any *s) {
    const struct sockaddr_in6 *s6 = (const struct sockaddr_in6 *)&s->storage;
    return s->sa.sa_family == AF_INET6 ? s6->sin6_scope_id : 0;
}

static bool set_int(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

bool sockopt_common(int fd, int family) {
    bool ok = set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (family == AF_INET6)
        return set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, IPTOS_PREC_INTERNETCONTROL) && ok;
    return set_int(fd, IPPROTO_IP, IP_TOS, IPTOS_PREC_INTERNETCONTROL) && ok;
}

bool sockopt_ttl(int fd, int family, uint8_t ttl) {
    return family == AF_INET6 ? set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl)
                              : set_int(fd, IPPROTO_IP, IP_TTL, ttl);
}

bool sockopt_ttl_min(int fd, int family, uint8_t ttl) {
    return family == AF_INET6 ? set_int(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, ttl)
                              : set_int(fd, IPPROTO_IP, IP_MINTTL, ttl);
}

static bool md5_set(int fd, int option, struct ip_prefix remote, const struct bgp_password *key) {
    struct tcp_md5sig md5 = {0};
    union sockaddr_any a;
    size_t size = key ? key->size : 0;
    if (size > TCP_MD5SIG_MAXKEYLEN) {
        errno = EINVAL;
        return false;
    }
    memcpy(&md5.tcpm_addr, &a, sockaddr_make(&a, remote.addr, 0));
    md5.tcpm_keylen = (uint16_t)size;
    if (key)
        memcpy(md5.tcpm_key, key->octets, size);
    if (option == TCP_MD5SIG_EXT) {
        md5.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
        md5.tcpm_prefixlen = remote.length;
    }
    return setsockopt(fd, IPPROTO_TCP, option, &md5, sizeof md5) == 0;
}

bool sockopt_md5(int fd, struct ip_addr remote, const struct bgp_password *key) {
    return md5_set(fd, TCP_MD5SIG, (struct ip_prefix){.addr = remote}, key);
}

bool sockopt_md5_prefix(int fd, struct ip_prefix remote, const struct bgp_password *key) {
    return md5_set(fd, TCP_MD5SIG_EXT, remote, key);
}

void sockopt_reset_on_close(int fd, bool reset) {
    struct linger linger = {.l_onoff = reset, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}
