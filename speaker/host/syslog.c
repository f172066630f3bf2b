/*
 * Syslog over UDP (RFC 3164, in IOS's form).
 *
 * Owns nothing between calls: a socket per datagram, as lines are rare. Leaves: which lines
 * go where, and their form, to speaker/ios/ios_syslog.c.
 */
#include "syslog.h"

#include "../ios/ios_syslog.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOGGING_HOSTS_MAX 16

static void send_to(struct ip_addr a, uint16_t port, const struct text *datagram) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is_v4 = a.family == IP_V4;
    memcpy(&v4.sin_addr, a.bytes, sizeof v4.sin_addr);
    memcpy(&v6.sin6_addr, a.bytes, sizeof v6.sin6_addr);
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, text_str(datagram), datagram->size, MSG_NOSIGNAL,
                 is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6,
                 is_v4 ? sizeof v4 : sizeof v6);
    close(fd);
}

void syslog_send(struct ios_router *r, const char *lines) {
    struct ip_addr addr;
    uint16_t port;
    struct text datagram;
    if (!ios_syslog_host(r, 0, &addr, &port))
        return;
    text_init(&datagram);
    for (const char *at = lines; *at;) {
        size_t size = strcspn(at, "\n");
        text_clear(&datagram);
        bool wanted = ios_syslog_line(r, at, size, &datagram);
        for (uint32_t n = 0; wanted && n < LOGGING_HOSTS_MAX; n++)
            if (ios_syslog_host(r, n, &addr, &port))
                send_to(addr, port, &datagram);
        at += size + (at[size] == '\n');
    }
    text_deinit(&datagram);
}
