/*
 * The kernel's view of TCP: sock_diag(7) inside each host.
 *
 * Owns: the dump of TCP sockets of both families; ending sockets nobody owns any more.
 * Leaves to others: what the set means (the session witness).
 *
 * An IPv4 connection on an IPv6 socket is reported as IPv4. Sockets appear in all states; the
 * reader chooses. The dump of a namespace is not a snapshot: a connection that is being made may
 * be seen at one end only.
 */
#include "../../speaker/base/arena.h"
#include "lab_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SOCK_DESTROY
#define SOCK_DESTROY 21
#endif

#define ORPHAN_STATES                                                                              \
    (1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | 1U << TCP_LAST_ACK | 1U << TCP_CLOSING |          \
     1U << TCP_ESTABLISHED | 1U << TCP_CLOSE_WAIT)
/* All but "bound and nothing more", for which the kernel walks another table. */
#define ALL_STATES 0x1ffeU

struct list {
    struct lab_socket *items;
    size_t count, capacity;
    uint32_t host;
    bool failed;
};

static struct ip_addr diag_addr(uint8_t family, const __be32 words[4]) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint8_t bytes[16];

    memcpy(bytes, words, sizeof(bytes));
    if (family == AF_INET)
        return ip4(ntohl(words[0]));
    if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
        return ip4(ntohl(words[3]));
    return ip6(bytes);
}

static bool make_room(struct list *l) {
    size_t capacity = l->capacity == 0 ? 256 : l->capacity * 2;
    struct lab_socket *grown;

    if (l->count < l->capacity)
        return true;
    grown = alloc_resize(l->items, capacity, sizeof(*grown));
    if (grown == NULL)
        return false;
    l->items = grown;
    l->capacity = capacity;
    return true;
}

static void take_socket(void *context, const struct nlmsghdr *m) {
    struct list *l = context;
    const struct inet_diag_msg *d = (const void *)((const char *)m + NLMSG_HDRLEN);

    if (m->nlmsg_len < NLMSG_LENGTH(sizeof(*d)))
        return;
    if (!make_room(l)) {
        l->failed = true;
        return;
    }
    l->items[l->count++] =
        (struct lab_socket){.host = l->host,
                            .local = diag_addr(d->idiag_family, d->id.idiag_src),
                            .remote = diag_addr(d->idiag_family, d->id.idiag_dst),
                            .local_port = ntohs(d->id.idiag_sport),
                            .remote_port = ntohs(d->id.idiag_dport),
                            .state = d->idiag_state};
}

static struct request dump_request(uint8_t family, uint32_t states) {
    struct inet_diag_req_v2 q = {
        .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = states};

    return request_new(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &q, sizeof(q));
}

static bool dump_both(struct netlink *nl, uint32_t states, netlink_each_fn *each, void *context) {
    static const uint8_t families[] = {AF_INET, AF_INET6};

    for (size_t i = 0; i < sizeof(families); i++) {
        struct request r = dump_request(families[i], states);
        int error = netlink_dump(nl, &r, each, context);
        /* A kernel without IPv6 has no such sockets. */
        if (error != 0 && error != -EINTR && !(error == -ENOENT && families[i] == AF_INET6))
            return false;
    }
    return true;
}

ssize_t lab_sockets(struct lab *lab, struct lab_socket **ret_sockets) {
    struct list l = {0};

    for (uint32_t h = 0; h < lab->node_count && !l.failed; h++) {
        struct netlink nl;
        l.host = h;
        if (!lab_open_netlink(lab, h, NETLINK_SOCK_DIAG, &nl)) {
            l.failed = true;
            break;
        }
        if (!dump_both(&nl, ALL_STATES, take_socket, &l))
            l.failed = true;
        netlink_close(&nl);
    }
    if (l.failed) {
        alloc_free(l.items);
        return -1;
    }
    *ret_sockets = l.items;
    return (ssize_t)l.count;
}

/* ---- what a dead process leaves ---- */

struct orphans {
    struct netlink nl; /* a second socket: the first one is in the middle of its dump */
};

static void destroy_socket(void *context, const struct nlmsghdr *m) {
    struct orphans *o = context;
    const struct inet_diag_msg *d = (const void *)((const char *)m + NLMSG_HDRLEN);
    struct inet_diag_req_v2 q = {.sdiag_protocol = IPPROTO_TCP};
    struct request r;

    if (m->nlmsg_len < NLMSG_LENGTH(sizeof(*d)))
        return;
    q.sdiag_family = d->idiag_family;
    q.idiag_states = 1U << d->idiag_state;
    q.id = d->id;
    r = request_new(SOCK_DESTROY, 0, &q, sizeof(q));
    netlink_queue(&o->nl, &r,
                  (struct netlink_entry){.what = "end a connection", .tolerated = ENOENT});
}

void sockets_destroy_orphans(struct lab *lab) {
    for (uint32_t h = 0; h < lab->node_count; h++) {
        struct netlink nl;
        struct orphans o;
        if (!lab_open_netlink(lab, h, NETLINK_SOCK_DIAG, &nl))
            continue;
        if (lab_open_netlink(lab, h, NETLINK_SOCK_DIAG, &o.nl)) {
            (void)dump_both(&nl, ORPHAN_STATES, destroy_socket, &o);
            (void)netlink_flush(&o.nl);
            netlink_close(&o.nl);
        }
        netlink_close(&nl);
    }
}
