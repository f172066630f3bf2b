/*
 * IPIP by TUN device, for kernels without one of their own.
 *
 * Owns: per end a TUN device, a raw socket for protocol 4, a netlink socket; one thread that moves
 * packets between them.
 * Leaves to others: addresses, MTU and routes of the devices (overlay.c).
 *
 * The outer destination of a packet is the gateway of the route that led into the device, as with
 * the kernel's tunl0, which has no fixed other end. A TUN device hands out the packet alone, so
 * the kernel is asked for that route once more: what is encapsulated follows the kernel's table at
 * every instant, whoever wrote it. A packet without such a route is dropped, as is one that finds
 * the socket's buffer full.
 *
 * All descriptors of an end are opened inside its namespace and belong to it for good; the thread
 * needs no setns. An end may be added while the thread runs: it is complete before epoll hears of
 * it. Ends go with the thread only.
 */
#include "ipip_tun.h"

#include "../../speaker/base/arena.h"
#include "netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_BYTES_MAX 65535u
#define PACKETS_AT_ONCE 64 /* of one end, before the others get their turn */
#define IP4_HEADER_BYTES 20u

struct tun_end {
    int tun_fd, raw_fd;
    uint32_t index;
    struct netlink routes;
    struct tun_end *next;
};

struct ipip_tun {
    int epoll_fd, stop_fd;
    pthread_t thread;
    struct tun_end *ends; /* the adding thread's; the serving one gets them by epoll */
    size_t count;
};

/* ---- moving packets ---- */

struct route_answer {
    uint32_t index;
    uint32_t gateway; /* network order; 0: none */
};

static void take_answer(void *context, const struct nlmsghdr *h) {
    struct route_answer *a = context;
    struct nlattr *tb[RTA_MAX + 1];

    if (nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(struct rtmsg), tb, RTA_MAX, NULL) < 0)
        return;
    a->index = tb[RTA_OIF] != NULL ? nla_get_u32(tb[RTA_OIF]) : 0;
    a->gateway = tb[RTA_GATEWAY] != NULL ? nla_get_u32(tb[RTA_GATEWAY]) : 0;
}

/* The gateway of the route to an inner destination, if that leads into this end; network order. */
static uint32_t outer_destination(struct tun_end *e, const uint8_t destination[4]) {
    struct rtmsg m = {.rtm_family = AF_INET, .rtm_dst_len = 32};
    struct request r = request_new(RTM_GETROUTE, 0, &m, sizeof(m));
    struct route_answer a = {0};

    request_put(&r, RTA_DST, destination, 4);
    if (netlink_dump(&e->routes, &r, take_answer, &a) != 0 || a.index != e->index)
        return 0;
    return a.gateway;
}

static void encapsulate(struct tun_end *e, uint8_t *buffer) {
    for (int i = 0; i < PACKETS_AT_ONCE; i++) {
        struct sockaddr_in to = {.sin_family = AF_INET};
        ssize_t got = read(e->tun_fd, buffer, PACKET_BYTES_MAX);
        if (got <= 0)
            return;
        if (got < (ssize_t)IP4_HEADER_BYTES || buffer[0] >> 4 != 4)
            continue;
        to.sin_addr.s_addr = outer_destination(e, buffer + 16);
        if (to.sin_addr.s_addr != 0)
            (void)sendto(e->raw_fd, buffer, (size_t)got, MSG_DONTWAIT | MSG_NOSIGNAL,
                         (const struct sockaddr *)&to, sizeof(to));
    }
}

static void decapsulate(struct tun_end *e, uint8_t *buffer) {
    for (int i = 0; i < PACKETS_AT_ONCE; i++) {
        ssize_t got = recv(e->raw_fd, buffer, PACKET_BYTES_MAX, MSG_DONTWAIT);
        size_t header = got <= 0 ? 0 : (size_t)(buffer[0] & 15) * 4, inner;
        if (got <= 0)
            return;
        if (header < IP4_HEADER_BYTES || (size_t)got < header + IP4_HEADER_BYTES)
            continue;
        inner = (size_t)got - header;
        if (buffer[header] >> 4 == 4)
            (void)!write(e->tun_fd, buffer + header, inner);
    }
}

static void *serve(void *argument) {
    struct ipip_tun *s = argument;
    uint8_t *buffer = alloc_zero(1, PACKET_BYTES_MAX);
    bool stop = buffer == NULL;

    while (!stop) {
        struct epoll_event events[16];
        int n = epoll_wait(s->epoll_fd, events, 16, -1);
        if (n < 0 && errno != EINTR)
            break;
        for (int i = 0; i < n; i++) {
            struct tun_end *e = events[i].data.ptr;
            if (e == NULL) {
                stop = true;
            } else {
                encapsulate(e, buffer);
                decapsulate(e, buffer);
            }
        }
    }
    alloc_free(buffer);
    return NULL;
}

/* ---- ends ---- */

static void close_end(struct tun_end *e) {
    if (e->tun_fd >= 0)
        close(e->tun_fd);
    if (e->raw_fd >= 0)
        close(e->raw_fd);
    if (e->routes.fd >= 0)
        netlink_close(&e->routes);
    alloc_free(e);
}

static int open_tun(const char *name, uint32_t index) {
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    unsigned wanted = index;
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), error;

    if (fd < 0)
        return -1;
    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    if (ioctl(fd, TUNSETIFINDEX, &wanted) == 0 && ioctl(fd, TUNSETIFF, &r) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int open_raw(struct ip_addr local) {
    struct sockaddr_in a = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_IPIP), error;

    a.sin_addr.s_addr = htonl(ip4_to_u32(local));
    if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool watch(struct ipip_tun *s, int fd, struct tun_end *e) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = e};

    return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool ipip_tun_add(struct ipip_tun *s, const char *name, uint32_t index, struct ip_addr local) {
    struct tun_end *e;
    int error;

    if (s->count >= IPIP_TUN_ENDS_MAX) {
        errno = E2BIG;
        return false;
    }
    e = alloc_zero(1, sizeof(*e));
    if (e == NULL) {
        errno = ENOMEM;
        return false;
    }
    e->index = index;
    e->raw_fd = e->routes.fd = -1;
    e->tun_fd = open_tun(name, index);
    e->raw_fd = e->tun_fd < 0 ? -1 : open_raw(local);
    if (e->raw_fd < 0 || !netlink_open(&e->routes, NETLINK_ROUTE) || !watch(s, e->tun_fd, e)) {
        error = errno;
        close_end(e);
        errno = error;
        return false;
    }
    /* From here on the thread may be using it: it stays, whatever comes. */
    e->next = s->ends;
    s->ends = e;
    s->count++;
    return watch(s, e->raw_fd, e);
}

/* ---- the thread ---- */

/* Signals are the runner's own thread's. */
static bool start_thread(struct ipip_tun *s) {
    sigset_t all, before;
    bool ok;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ok = pthread_create(&s->thread, NULL, serve, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

struct ipip_tun *ipip_tun_new(void) {
    struct ipip_tun *s = alloc_zero(1, sizeof(*s));
    int error;

    if (s == NULL)
        return NULL;
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    s->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (s->epoll_fd >= 0 && s->stop_fd >= 0 && watch(s, s->stop_fd, NULL) && start_thread(s))
        return s;
    error = errno;
    if (s->epoll_fd >= 0)
        close(s->epoll_fd);
    if (s->stop_fd >= 0)
        close(s->stop_fd);
    alloc_free(s);
    errno = error;
    return NULL;
}

void ipip_tun_free(struct ipip_tun *s) {
    const uint64_t one = 1;

    if (s == NULL)
        return;
    if (write(s->stop_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
        pthread_join(s->thread, NULL);
    while (s->ends != NULL) {
        struct tun_end *e = s->ends;
        s->ends = e->next;
        close_end(e);
    }
    close(s->epoll_fd);
    close(s->stop_fd);
    alloc_free(s);
}
