/*
 * What changes in the kernel: interfaces, addresses, routes that are not ours.
 *
 * Owns a netlink socket subscribed to changes and the lists of interfaces and addresses, which are
 * read anew (once per turn at most) whenever one of them changes. Routes are not kept: a change
 * makes next hops be asked for again and refused routes be tried again.
 *
 * Our own writes would come back as notifications, one per route. A socket filter drops them in
 * the kernel by the port they came from, so a million routes written cost no wake-up here, while a
 * route of ours that somebody else deletes is still seen.
 *
 * When the socket overflows (ENOBUFS), everything counts as changed. While nothing is listened to
 * (attention.c), digests of the lists, of foreign routes and of ours are kept, and what differs at
 * the next look counts as changed.
 */
#include "monitor.h"

#include "../base/arena.h"
#include "../base/hash.h"
#include "../base/scoreboard.h"
#include "attention.h"
#include "fib.h"
#include "host.h"
#include "log.h"
#include "netlink.h"
#include "resolver.h"
#include "router.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MONITOR_READ_BYTES 16384
#define MONITOR_READS_MAX 64

struct monitor {
    struct loop_source source; /* first */
    struct host *host;
    bool lists_changed, routes_changed;
    struct monitor_interface *interfaces;
    size_t interface_count;
    struct monitor_address *addresses;
    size_t address_count;
    struct ip_prefix *subnets; /* as last told */
    size_t subnet_count;
    bool failed; /* a list could not be read whole */
    struct attention attention;
    uint64_t lists_digest, foreign_digest; /* at the last look */
};

/* ---- the lists ---- */

/* One more element; NULL: out of memory. */
static void *list_grow(void *list, size_t count, size_t size) {
    if (count & (count - 1))
        return list;
    return alloc_resize(list, count ? count * 2 : 1, size);
}

static void on_link(void *context, const struct nlmsghdr *message) {
    struct monitor *m = context;
    struct netlink_link link;
    if (!netlink_parse_link(message, &link))
        return;
    struct monitor_interface *grown =
        list_grow(m->interfaces, m->interface_count, sizeof *m->interfaces);
    if (!grown) {
        m->failed = true;
        return;
    }
    m->interfaces = grown;
    struct monitor_interface *i = &m->interfaces[m->interface_count++];
    *i = (struct monitor_interface){.index = link.index, .up = link.up, .running = link.running};
    memcpy(i->name, link.name, sizeof i->name);
}

static void on_address(void *context, const struct nlmsghdr *message) {
    struct monitor *m = context;
    struct netlink_address a;
    if (!netlink_parse_address(message, &a))
        return;
    struct monitor_address *grown = list_grow(m->addresses, m->address_count, sizeof *m->addresses);
    if (!grown) {
        m->failed = true;
        return;
    }
    m->addresses = grown;
    m->addresses[m->address_count++] = (struct monitor_address){a.addr, a.length, a.interface};
}

static bool lists_read(struct monitor *m) {
    struct netlink *n = m->host->netlink;
    m->interface_count = m->address_count = 0;
    m->failed = false;
    if (!netlink_dump(n, RTM_GETLINK, AF_UNSPEC, on_link, m) ||
        !netlink_dump(n, RTM_GETADDR, AF_UNSPEC, on_address, m)) {
        if (errno != EAGAIN)
            return false;
        m->lists_changed = true; /* changed under our hands: again next turn */
    }
    return !m->failed;
}

static int subnet_compare(const void *a, const void *b) {
    const struct ip_prefix *x = a, *y = b;
    return ip_prefix_compare(*x, *y);
}

/* An interface that is not listed yet counts as running. */
static bool interface_runs(const struct monitor *m, uint32_t index) {
    for (size_t i = 0; i < m->interface_count; i++) {
        if (m->interfaces[i].index == index)
            return m->interfaces[i].running;
    }
    return true;
}

/* Subnets of interfaces that are up and connected, without loopback and link-local ones; sorted. */
static struct ip_prefix *subnets_make(const struct monitor *m, size_t *ret_count) {
    struct ip_prefix *subnets = alloc_zero(m->address_count + 1, sizeof *subnets);
    size_t count = 0;
    for (size_t i = 0; subnets && i < m->address_count; i++) {
        const struct monitor_address *a = &m->addresses[i];
        if (!ip_is_loopback(a->addr) && !ip_is_link_local(a->addr) &&
            interface_runs(m, a->interface))
            subnets[count++] = ip_prefix_make(a->addr, a->length);
    }
    if (subnets)
        qsort(subnets, count, sizeof *subnets, subnet_compare);
    *ret_count = count;
    return subnets;
}

void monitor_tell_speaker(struct monitor *m) {
    if (m->host->speaker &&
        bgp_connected_set(m->host->speaker, m->subnets, m->subnet_count, loop_now()) != BGP_OK)
        log_line(m->host->log, "no_memory", NULL, "connected subnets");
}

static void subnets_update(struct monitor *m) {
    size_t count;
    struct ip_prefix *subnets = subnets_make(m, &count);
    if (!subnets)
        return;
    bool same = count == m->subnet_count &&
                (count == 0 || memcmp(subnets, m->subnets, count * sizeof *subnets) == 0);
    alloc_free(m->subnets);
    m->subnets = subnets;
    m->subnet_count = count;
    if (!same)
        monitor_tell_speaker(m);
}

/* ---- notifications ---- */

static void on_message(struct monitor *m, const struct nlmsghdr *message) {
    struct netlink_link link;
    struct netlink_address address;
    struct netlink_route route;
    if (netlink_parse_link(message, &link)) {
        m->lists_changed = true;
        if (!link.up || message->nlmsg_type == RTM_DELLINK)
            fib_interface_lost(m->host->fib, link.index);
    } else if (netlink_parse_address(message, &address)) {
        m->lists_changed = true;
        if (message->nlmsg_type == RTM_DELADDR)
            fib_interface_lost(m->host->fib, address.interface);
    } else if (netlink_parse_route(message, &route)) {
        m->routes_changed = true;
        if (message->nlmsg_type == RTM_DELROUTE && route.protocol == RTPROT_BIRD)
            fib_prefix_lost(m->host->fib, route.prefix);
    }
}

static void monitor_ready(struct loop_source *source, uint32_t events) {
    struct monitor *m = (struct monitor *)source;
    _Alignas(struct nlmsghdr) char buffer[MONITOR_READ_BYTES];
    (void)events;
    for (int i = 0; i < MONITOR_READS_MAX; i++) {
        ssize_t got = recv(source->fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got < 0 && errno == ENOBUFS) {
            m->lists_changed = m->routes_changed = true;
            continue;
        }
        if (got <= 0)
            return;
        unsigned left = (unsigned)got;
        for (struct nlmsghdr *message = (void *)buffer; NLMSG_OK(message, left);
             message = NLMSG_NEXT(message, left))
            on_message(m, message);
    }
}

void monitor_work(struct monitor *m) {
    if (m->lists_changed) {
        m->lists_changed = false;
        m->routes_changed = true;
        if (!lists_read(m))
            log_line(m->host->log, "netlink_failed", NULL, "interfaces: %s", strerror(errno));
        subnets_update(m);
        if (m->host->router)
            router_interfaces_changed(m->host->router);
    }
    if (m->routes_changed) {
        m->routes_changed = false;
        resolver_invalidate(m->host->resolver);
        fib_retry(m->host->fib);
    }
}

/* ---- looking instead of listening ---- */

/* What a dump of all routes comes to. */
struct look {
    const struct monitor *monitor;
    uint64_t foreign, ours; /* sums over the routes */
};

static void on_route(void *context, const struct nlmsghdr *message) {
    struct look *look = context;
    struct netlink_route r;
    uint64_t digest;
    if (!netlink_parse_route(message, &r))
        return;
    if (fib_is_ours(look->monitor->host->fib, message, &r, &digest)) {
        look->ours += digest;
        return;
    }
    digest = scoreboard_route_digest(&r.prefix, &r.hop.gateway);
    digest = hash_mix(digest, (uint64_t)r.hop.interface << 32 | r.table);
    look->foreign += hash_mix(digest, (uint64_t)r.metric << 32 | (uint32_t)r.protocol << 16 |
                                          (uint32_t)r.type << 8 | r.scope);
}

static uint64_t lists_digest(const struct monitor *m) {
    uint64_t digest = 0;
    for (size_t i = 0; i < m->interface_count; i++)
        digest = hash_mix(digest, (uint64_t)m->interfaces[i].index << 1 | m->interfaces[i].up);
    for (size_t i = 0; i < m->address_count; i++) {
        const struct monitor_address *a = &m->addresses[i];
        digest = hash_bytes(&a->addr, sizeof a->addr, digest);
        digest = hash_mix(digest, (uint64_t)a->interface << 8 | a->length);
    }
    return digest;
}

/* Reads everything; what is not as at the last look counts as changed. */
static void look(struct monitor *m) {
    struct host *h = m->host;
    struct look look = {.monitor = m};
    bool lists = lists_read(m);
    bool routes = netlink_dump(h->netlink, RTM_GETROUTE, AF_UNSPEC, on_route, &look);
    uint64_t digest = lists_digest(m);
    if (!lists || digest != m->lists_digest)
        m->lists_changed = true;
    if (!routes || look.foreign != m->foreign_digest)
        m->routes_changed = true;
    if (routes && look.ours != fib_counts_get(h->fib).digest)
        fib_doubt_all(h->fib);
    m->lists_digest = digest;
    m->foreign_digest = look.foreign;
}

void monitor_rush(struct monitor *m, uint32_t routes) {
    if (attention_rush(&m->attention, routes) == ATTENTION_LOOK && !m->host->stopping)
        look(m);
}

void monitor_advance(struct monitor *m, struct nanotime now) {
    if (attention_advance(&m->attention, now) == ATTENTION_LOOK)
        look(m);
}

struct nanotime monitor_next_deadline(const struct monitor *m) {
    return attention_next_deadline(&m->attention);
}

/* ---- set-up ---- */

/* Drops what the request socket `port` caused. Loads are big-endian, netlink is not. */
static bool filter_attach(int fd, uint32_t port) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(port), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

static bool subscribe(struct monitor *m) {
    struct sockaddr_nl at = {.nl_family = AF_NETLINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    m->source.fd = fd;
    if (fd < 0 || !filter_attach(fd, m->host->netlink->port) ||
        bind(fd, (const struct sockaddr *)&at, sizeof at) != 0)
        return false;
    if (!attention_begin(&m->attention, m->host, fd))
        return false;
    return loop_add(&m->host->loop, &m->source, EPOLLIN);
}

struct monitor *monitor_new(struct host *h) {
    struct monitor *m = alloc_zero(1, sizeof *m);
    if (!m)
        return NULL;
    m->host = h;
    m->source = (struct loop_source){.fd = -1, .ready = monitor_ready};
    if (subscribe(m) && lists_read(m)) {
        subnets_update(m);
        if (!m->attention.paying)
            look(m);
        return m;
    }
    monitor_free(m);
    return NULL;
}

void monitor_free(struct monitor *m) {
    if (!m)
        return;
    if (m->source.fd >= 0) {
        loop_remove(&m->host->loop, &m->source);
        close(m->source.fd);
    }
    alloc_free(m->interfaces);
    alloc_free(m->addresses);
    alloc_free(m->subnets);
    alloc_free(m);
}

size_t monitor_interfaces(const struct monitor *m, const struct monitor_interface **ret_list) {
    *ret_list = m->interfaces;
    return m->interface_count;
}

size_t monitor_addresses(const struct monitor *m, const struct monitor_address **ret_list) {
    *ret_list = m->addresses;
    return m->address_count;
}

const char *monitor_interface_name(const struct monitor *m, uint32_t index) {
    for (size_t i = 0; i < m->interface_count; i++)
        if (m->interfaces[i].index == index)
            return m->interfaces[i].name;
    return "";
}
