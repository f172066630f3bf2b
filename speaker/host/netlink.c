/*
 * rtnetlink: encoding, decoding and the exchange with the kernel.
 *
 * Owns one socket and its reply buffer. Knows message formats only; what routes mean and when they
 * are written is fib.c's and resolver.c's.
 *
 * Replies are matched to requests by sequence number: request i of a batch has number base + i. A
 * reply that never comes (receive buffer overflow, ENOBUFS) leaves -1 in the batch's errors: the
 * caller must not assume either outcome.
 *
 * Of the requests that want an acknowledgement only the last one of a batch asks for it; the kernel
 * reports what fails without being asked, in order. So when the last one's answer is there and
 * nothing was lost, those before it that got none were carried out.
 *
 * Attributes are walked with the length checks of RTA_OK; what is too short is skipped.
 */
#include "netlink.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint8_t family_of(struct ip_addr a) {
    return a.family == IP_V6 ? AF_INET6 : AF_INET;
}

bool netlink_open(struct netlink *n) {
    struct sockaddr_nl at = {.nl_family = AF_NETLINK};
    socklen_t size = sizeof at;
    int one = 1;
    n->sequence = 1;
    n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (n->fd < 0)
        return false;
    setsockopt(n->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);
    if (bind(n->fd, (const struct sockaddr *)&at, size) != 0 ||
        getsockname(n->fd, (struct sockaddr *)&at, &size) != 0) {
        netlink_close(n);
        return false;
    }
    n->port = at.nl_pid;
    return true;
}

void netlink_close(struct netlink *n) {
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}

/* ---- encoding ---- */

void netlink_batch_init(struct netlink_batch *b) {
    b->size = 0;
    b->count = 0;
}

/* A request at the end of the batch; the body follows by put_bytes and put_attribute. */
static struct nlmsghdr *message_begin(struct netlink_batch *b, uint16_t type, uint16_t flags) {
    struct nlmsghdr *m = (struct nlmsghdr *)(void *)(b->data + b->size);
    memset(m, 0, sizeof *m);
    m->nlmsg_type = type;
    m->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    m->nlmsg_seq = b->count; /* base is added when sent */
    m->nlmsg_len = sizeof *m;
    return m;
}

static void put_bytes(struct nlmsghdr *m, const void *data, size_t size) {
    if (size)
        memcpy((char *)m + m->nlmsg_len, data, size);
    m->nlmsg_len += (uint32_t)NLMSG_ALIGN(size);
}

static void put_attribute(struct nlmsghdr *m, uint16_t type, const void *data, size_t size) {
    struct rtattr a = {.rta_len = (uint16_t)RTA_LENGTH(size), .rta_type = type};
    put_bytes(m, &a, sizeof a);
    put_bytes(m, data, size);
}

static uint32_t message_end(struct netlink_batch *b, const struct nlmsghdr *m) {
    b->size += NLMSG_ALIGN(m->nlmsg_len);
    return b->count++;
}

/* RTA_GATEWAY, or RTA_VIA for a gateway of the other family (RFC 8950; Linux 5.2). */
static void put_gateway(struct nlmsghdr *m, struct ip_prefix to, struct ip_addr gateway) {
    struct {
        uint16_t family;
        uint8_t address[16];
    } via = {.family = family_of(gateway)};
    if (!ip_is_set(gateway))
        return;
    memcpy(via.address, gateway.bytes, sizeof via.address);
    if (gateway.family != to.addr.family)
        put_attribute(m, RTA_VIA, &via, sizeof via.family + ip_size(gateway.family));
    else
        put_attribute(m, RTA_GATEWAY, gateway.bytes, ip_size(gateway.family));
}

static void put_hops(struct nlmsghdr *m, const struct netlink_route *r) {
    struct rtattr *all = (struct rtattr *)(void *)((char *)m + m->nlmsg_len);
    uint32_t start = m->nlmsg_len;
    put_attribute(m, RTA_MULTIPATH, NULL, 0);
    for (uint8_t i = 0; i < r->hop_count; i++) {
        const struct netlink_hop *h = &r->hops[i];
        struct rtnexthop hop = {.rtnh_flags = h->onlink ? RTNH_F_ONLINK : 0,
                                .rtnh_ifindex = (int)h->interface};
        struct rtnexthop *at = (struct rtnexthop *)(void *)((char *)m + m->nlmsg_len);
        put_bytes(m, &hop, sizeof hop);
        put_gateway(m, r->prefix, h->gateway);
        at->rtnh_len = (uint16_t)((char *)m + m->nlmsg_len - (char *)at);
    }
    all->rta_len = (uint16_t)(m->nlmsg_len - start);
}

uint32_t netlink_put_route(struct netlink_batch *b, uint16_t type, uint16_t flags,
                           const struct netlink_route *r) {
    struct nlmsghdr *m = message_begin(b, type, (uint16_t)(flags | NLM_F_ACK));
    struct rtmsg body = {
        .rtm_family = family_of(r->prefix.addr),
        .rtm_dst_len = r->prefix.length,
        .rtm_table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_UNSPEC,
        .rtm_protocol = r->protocol,
        .rtm_scope = type == RTM_DELROUTE ? RT_SCOPE_NOWHERE : RT_SCOPE_UNIVERSE,
        .rtm_type = r->type,
        .rtm_flags = r->hop.onlink ? RTNH_F_ONLINK : 0,
    };
    put_bytes(m, &body, sizeof body);
    put_attribute(m, RTA_DST, r->prefix.addr.bytes, ip_size(r->prefix.addr.family));
    if (r->table >= 256)
        put_attribute(m, RTA_TABLE, &r->table, sizeof r->table);
    if (r->metric)
        put_attribute(m, RTA_PRIORITY, &r->metric, sizeof r->metric);
    if (r->hop_count > 0) {
        put_hops(m, r);
    } else {
        put_gateway(m, r->prefix, r->hop.gateway);
        if (r->hop.interface)
            put_attribute(m, RTA_OIF, &r->hop.interface, sizeof r->hop.interface);
    }
    return message_end(b, m);
}

uint32_t netlink_put_lookup(struct netlink_batch *b, struct ip_addr a, uint32_t interface) {
    struct nlmsghdr *m = message_begin(b, RTM_GETROUTE, 0);
    struct rtmsg body = {
        .rtm_family = family_of(a),
        .rtm_dst_len = ip_bits(a.family),
        .rtm_flags = RTM_F_FIB_MATCH, /* the table's entry, with its protocol */
    };
    put_bytes(m, &body, sizeof body);
    put_attribute(m, RTA_DST, a.bytes, ip_size(a.family));
    if (interface)
        put_attribute(m, RTA_OIF, &interface, sizeof interface);
    return message_end(b, m);
}

/* ---- exchange ---- */

static bool send_all(struct netlink *n, const void *data, size_t size) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent;
    do
        sent = sendto(n->fd, data, size, 0, (const struct sockaddr *)&kernel, sizeof kernel);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)size;
}

static ssize_t receive(struct netlink *n, int flags) {
    ssize_t got;
    do
        got = recv(n->fd, n->reply, sizeof n->reply, flags);
    while (got < 0 && errno == EINTR);
    return got;
}

static int message_error(const struct nlmsghdr *m) {
    struct nlmsgerr error;
    if (m->nlmsg_len < NLMSG_LENGTH(sizeof error.error))
        return EBADMSG;
    memcpy(&error.error, (const char *)m + NLMSG_HDRLEN, sizeof error.error);
    return -error.error;
}

static void batch_reply(struct netlink_batch *b, uint32_t index, const struct nlmsghdr *m,
                        netlink_reply_fn *reply, void *context) {
    if (m->nlmsg_type == NLMSG_ERROR) {
        b->errors[index] = message_error(m);
        return;
    }
    b->errors[index] = 0;
    if (reply)
        reply(context, index, m);
}

/* True: silence means success, once the last request's answer is there. */
static bool batch_number(struct netlink_batch *b, uint32_t base) {
    bool acknowledged = true;
    size_t at = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        struct nlmsghdr *m = (struct nlmsghdr *)(void *)(b->data + at);
        m->nlmsg_seq = base + i;
        at += NLMSG_ALIGN(m->nlmsg_len);
        b->errors[i] = -1;
        acknowledged = acknowledged && (m->nlmsg_flags & NLM_F_ACK);
        if (i + 1 < b->count)
            m->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
    }
    return acknowledged;
}

static void batch_silence(struct netlink_batch *b) {
    if (b->errors[b->count - 1] == -1)
        return;
    for (uint32_t i = 0; i < b->count; i++)
        if (b->errors[i] == -1)
            b->errors[i] = 0;
}

bool netlink_send(struct netlink *n, struct netlink_batch *b, netlink_reply_fn *reply,
                  void *context) {
    uint32_t base = n->sequence;
    if (b->count == 0)
        return true;
    n->sequence += b->count;
    bool silent = batch_number(b, base);
    if (!send_all(n, b->data, b->size))
        return false;
    for (;;) {
        ssize_t got = receive(n, MSG_DONTWAIT);
        if (got < 0 && errno == ENOBUFS) {
            silent = false; /* answers were lost: their -1 stays */
            continue;
        }
        if (got <= 0)
            break;
        unsigned left = (unsigned)got;
        for (struct nlmsghdr *m = (struct nlmsghdr *)(void *)n->reply; NLMSG_OK(m, left);
             m = NLMSG_NEXT(m, left))
            if (m->nlmsg_seq - base < b->count)
                batch_reply(b, m->nlmsg_seq - base, m, reply, context);
    }
    if (silent)
        batch_silence(b);
    return true;
}

/* One received chunk of a dump. True: there is more to come. */
static bool dump_chunk(struct netlink *n, size_t got, netlink_dump_fn *each, void *context,
                       int *ret_error) {
    unsigned left = (unsigned)got;
    for (struct nlmsghdr *m = (struct nlmsghdr *)(void *)n->reply; NLMSG_OK(m, left);
         m = NLMSG_NEXT(m, left)) {
        if (m->nlmsg_seq != n->sequence)
            continue;
        if (m->nlmsg_flags & NLM_F_DUMP_INTR)
            *ret_error = EAGAIN; /* the table changed under the dump */
        if (m->nlmsg_type == NLMSG_ERROR)
            *ret_error = message_error(m);
        if (m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR)
            return false;
        each(context, m);
    }
    return true;
}

bool netlink_dump(struct netlink *n, uint16_t type, uint8_t family, netlink_dump_fn *each,
                  void *context) {
    struct {
        struct nlmsghdr header;
        union {
            struct rtmsg route;
            struct ifaddrmsg address;
            struct ifinfomsg link;
        } body;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = type,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                   .nlmsg_seq = ++n->sequence},
        .body = {.route = {.rtm_family = family}},
    };
    int error = 0;
    ssize_t got = 0;
    if (!send_all(n, &request, sizeof request))
        return false;
    do
        got = receive(n, 0);
    while (got > 0 && dump_chunk(n, (size_t)got, each, context, &error));
    n->sequence++;
    if (got > 0 && error == 0)
        return true;
    errno = got > 0 ? error : errno;
    return false;
}

/* ---- decoding ---- */

/* The attributes behind a body of `body_size`, into a table by type; absent ones are NULL. */
static bool attributes(const struct nlmsghdr *m, size_t body_size, const struct rtattr **table,
                       uint16_t max) {
    if (m->nlmsg_len < NLMSG_LENGTH(body_size))
        return false;
    memset(table, 0, sizeof(*table) * (size_t)(max + 1));
    size_t left = m->nlmsg_len - NLMSG_SPACE(body_size);
    if (m->nlmsg_len < NLMSG_SPACE(body_size))
        left = 0;
    const char *at = (const char *)m + NLMSG_SPACE(body_size);
    while (left >= sizeof(struct rtattr)) {
        const struct rtattr *a = (const struct rtattr *)(const void *)at;
        if (a->rta_len < sizeof *a || a->rta_len > left)
            return true;
        if ((a->rta_type & NLA_TYPE_MASK) <= max)
            table[a->rta_type & NLA_TYPE_MASK] = a;
        size_t step = RTA_ALIGN(a->rta_len);
        if (step >= left)
            return true;
        at += step;
        left -= step;
    }
    return true;
}

static const void *attribute_data(const struct rtattr *a) {
    return (const char *)a + RTA_LENGTH(0);
}

static uint32_t attribute_u32(const struct rtattr *a, uint32_t otherwise) {
    uint32_t value = otherwise;
    if (a && a->rta_len >= RTA_LENGTH(sizeof value))
        memcpy(&value, attribute_data(a), sizeof value);
    return value;
}

static struct ip_addr attribute_addr(const struct rtattr *a, uint8_t family) {
    struct ip_addr addr = {.family = family == AF_INET6 ? IP_V6 : IP_V4};
    size_t size = ip_size(addr.family);
    if (!a || a->rta_len < RTA_LENGTH(size))
        return (struct ip_addr){0};
    memcpy(addr.bytes, attribute_data(a), size);
    return addr;
}

/* RTA_GATEWAY, or RTA_VIA where the gateway is of the other family. */
static struct ip_addr attribute_gateway(const struct rtattr *gateway, const struct rtattr *via,
                                        uint8_t family) {
    uint16_t via_family = 0;
    if (gateway || !via || via->rta_len < RTA_LENGTH(sizeof via_family))
        return attribute_addr(gateway, family);
    struct ip_addr a = {0};
    memcpy(&via_family, attribute_data(via), sizeof via_family);
    size_t size = via_family == AF_INET6 ? 16 : 4;
    if ((via_family != AF_INET6 && via_family != AF_INET) ||
        via->rta_len < RTA_LENGTH(sizeof via_family + size))
        return a;
    a.family = via_family == AF_INET6 ? IP_V6 : IP_V4;
    memcpy(a.bytes, (const char *)attribute_data(via) + sizeof via_family, size);
    return a;
}

/* One element of RTA_MULTIPATH; false: damaged. */
static bool read_hop(const struct rtnexthop *from, size_t left, uint8_t family,
                     struct netlink_hop *ret_hop) {
    struct netlink_hop h = {0};
    if (left < sizeof *from || from->rtnh_len < sizeof *from || from->rtnh_len > left)
        return false;
    h.interface = (uint32_t)from->rtnh_ifindex;
    h.onlink = from->rtnh_flags & RTNH_F_ONLINK;
    left = from->rtnh_len - sizeof *from;
    /* RTA_NEXT casts constness away. */
    const char *at = (const char *)(from + 1);
    while (left >= sizeof(struct rtattr)) {
        const struct rtattr *a = (const void *)at;
        if (!RTA_OK(a, left))
            break;
        if (a->rta_type == RTA_GATEWAY)
            h.gateway = attribute_addr(a, family);
        else if (a->rta_type == RTA_VIA)
            h.gateway = attribute_gateway(NULL, a, family);
        size_t size = RTA_ALIGN(a->rta_len);
        at += size;
        left -= size < left ? size : left;
    }
    *ret_hop = h;
    return true;
}

static size_t read_hops(const struct rtattr *multipath, uint8_t family, struct netlink_hop *ret,
                        size_t max) {
    size_t count = 0, at = 0, size = multipath ? (size_t)RTA_PAYLOAD(multipath) : 0;
    while (at < size && count < max) {
        const struct rtnexthop *hop = (const void *)((const char *)attribute_data(multipath) + at);
        if (!read_hop(hop, size - at, family, &ret[count]))
            break;
        count++;
        at += (size_t)RTNH_ALIGN(hop->rtnh_len);
    }
    return count;
}

size_t netlink_parse_hops(const struct nlmsghdr *m, struct netlink_hop *ret_hops) {
    const struct rtattr *table[RTA_MAX + 1];
    struct rtmsg body;
    if (!attributes(m, sizeof body, table, RTA_MAX))
        return 0;
    memcpy(&body, (const char *)m + NLMSG_HDRLEN, sizeof body);
    return read_hops(table[RTA_MULTIPATH], body.rtm_family, ret_hops, NETLINK_HOPS_MAX);
}

bool netlink_parse_route(const struct nlmsghdr *m, struct netlink_route *ret_route) {
    const struct rtattr *table[RTA_MAX + 1];
    struct rtmsg body;
    if ((m->nlmsg_type != RTM_NEWROUTE && m->nlmsg_type != RTM_DELROUTE) ||
        !attributes(m, sizeof body, table, RTA_MAX))
        return false;
    memcpy(&body, (const char *)m + NLMSG_HDRLEN, sizeof body);
    if ((body.rtm_family != AF_INET && body.rtm_family != AF_INET6) ||
        (body.rtm_flags & RTM_F_CLONED))
        return false;
    struct ip_addr any = {.family = body.rtm_family == AF_INET6 ? IP_V6 : IP_V4};
    struct ip_addr destination = attribute_addr(table[RTA_DST], body.rtm_family);
    *ret_route = (struct netlink_route){
        .prefix = {ip_is_set(destination) ? destination : any, body.rtm_dst_len},
        .hop = {.gateway = attribute_gateway(table[RTA_GATEWAY], table[RTA_VIA], body.rtm_family),
                .interface = attribute_u32(table[RTA_OIF], 0),
                .onlink = body.rtm_flags & RTNH_F_ONLINK},
        .table = attribute_u32(table[RTA_TABLE], body.rtm_table),
        .metric = attribute_u32(table[RTA_PRIORITY], 0),
        .protocol = body.rtm_protocol,
        .type = body.rtm_type,
        .scope = body.rtm_scope,
    };
    (void)read_hops(table[RTA_MULTIPATH], body.rtm_family, &ret_route->hop, 1);
    return true;
}

bool netlink_parse_address(const struct nlmsghdr *m, struct netlink_address *ret_address) {
    const struct rtattr *table[IFA_MAX + 1];
    struct ifaddrmsg body;
    if ((m->nlmsg_type != RTM_NEWADDR && m->nlmsg_type != RTM_DELADDR) ||
        !attributes(m, sizeof body, table, IFA_MAX))
        return false;
    memcpy(&body, (const char *)m + NLMSG_HDRLEN, sizeof body);
    if (body.ifa_family != AF_INET && body.ifa_family != AF_INET6)
        return false;
    /* On a point-to-point link IFA_ADDRESS is the other end; IFA_LOCAL is ours. */
    const struct rtattr *own = table[IFA_LOCAL] ? table[IFA_LOCAL] : table[IFA_ADDRESS];
    *ret_address = (struct netlink_address){
        .addr = attribute_addr(own, body.ifa_family),
        .length = body.ifa_prefixlen,
        .interface = body.ifa_index,
    };
    return ip_is_set(ret_address->addr);
}

bool netlink_parse_link(const struct nlmsghdr *m, struct netlink_link *ret_link) {
    const struct rtattr *table[IFLA_MAX + 1];
    struct ifinfomsg body;
    if ((m->nlmsg_type != RTM_NEWLINK && m->nlmsg_type != RTM_DELLINK) ||
        !attributes(m, sizeof body, table, IFLA_MAX))
        return false;
    memcpy(&body, (const char *)m + NLMSG_HDRLEN, sizeof body);
    *ret_link = (struct netlink_link){.index = (uint32_t)body.ifi_index,
                                      .up = (body.ifi_flags & IFF_UP) != 0,
                                      .running = (body.ifi_flags & IFF_UP) != 0 &&
                                                 (body.ifi_flags & IFF_RUNNING) != 0};
    const struct rtattr *name = table[IFLA_IFNAME];
    if (name && name->rta_len > RTA_LENGTH(0)) {
        size_t size = strnlen(attribute_data(name), RTA_PAYLOAD(name));
        memcpy(ret_link->name, attribute_data(name),
               size < sizeof ret_link->name ? size : sizeof ret_link->name - 1);
    }
    return true;
}
