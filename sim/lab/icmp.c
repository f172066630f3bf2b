/*
 * ICMP and ICMPv6 echo as probes send and hear it.
 *
 * Owns the octets of requests, replies and of the errors that quote a request; the words for what
 * went wrong. Leaves to others what is asked and what an answer means (probe.c, stream.c).
 *
 * Identifier and sequence number of a request are its index (32 bits), which replies and the
 * quotation in an ICMP error carry back (RFC 792, RFC 4443); a tag in the payload, with the number
 * of the series, keeps foreign and late packets out. The source address is chosen per packet
 * (IP_PKTINFO), so one socket serves all pods of a host.
 */
#include "icmp.h"

#include <errno.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define ICMP_BYTES 8u
#define IP6_BYTES 40u
#define TAG_BYTES 8u

struct reader {
    icmp_take_fn *take;
    void *context;
    uint8_t tag[TAG_BYTES];
};

static void make_tag(uint16_t series, uint8_t tag[TAG_BYTES]) {
    memcpy(tag, "ribcag", 6);
    tag[6] = (uint8_t)(series >> 8);
    tag[7] = (uint8_t)series;
}

/* ---- what came back ---- */

struct icmp_words {
    uint8_t family, type, code;
    const char *text;
};

static const struct icmp_words words[] = {
    {IP_V4, 3, 0, "network is unreachable"},
    {IP_V4, 3, 1, "no route to host"},
    {IP_V4, 3, 13, "administratively prohibited"},
    {IP_V4, 11, 0, "time to live exceeded"},
    {IP_V6, 1, 0, "network is unreachable"},
    {IP_V6, 1, 1, "administratively prohibited"},
    {IP_V6, 1, 3, "no route to host"},
    {IP_V6, 3, 0, "time to live exceeded"},
};

static const char *icmp_text(uint8_t family, uint8_t type, uint8_t code) {
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].family == family && words[i].type == type && words[i].code == code)
            return words[i].text;
    return "destination unreachable";
}

static uint32_t index_of(const uint8_t *icmp) {
    return (uint32_t)icmp[4] << 24 | (uint32_t)icmp[5] << 16 | (uint32_t)icmp[6] << 8 | icmp[7];
}

static bool is_ours(const struct reader *r, const uint8_t *icmp, size_t size) {
    return size >= ICMP_BYTES + sizeof(r->tag) &&
           memcmp(icmp + ICMP_BYTES, r->tag, sizeof(r->tag)) == 0;
}

static void take_ip4(const struct reader *r, const uint8_t *data, size_t size) {
    size_t head = size > 0 ? (size_t)(data[0] & 15) * 4 : 0, inner;
    const uint8_t *icmp = data + head;

    if (head < 20 || size < head + ICMP_BYTES)
        return;
    size -= head;
    if (icmp[0] == ICMP_ECHOREPLY && is_ours(r, icmp, size)) {
        r->take(r->context, index_of(icmp),
                ip4((uint32_t)data[12] << 24 | (uint32_t)data[13] << 16 | (uint32_t)data[14] << 8 |
                    data[15]),
                NULL);
        return;
    }
    if ((icmp[0] != ICMP_DEST_UNREACH && icmp[0] != ICMP_TIME_EXCEEDED) || size < ICMP_BYTES + 20)
        return;
    inner = (size_t)(icmp[ICMP_BYTES] & 15) * 4;
    if (inner >= 20 && size > ICMP_BYTES + inner &&
        is_ours(r, icmp + ICMP_BYTES + inner, size - ICMP_BYTES - inner))
        r->take(r->context, index_of(icmp + ICMP_BYTES + inner), (struct ip_addr){0},
                icmp_text(IP_V4, icmp[0], icmp[1]));
}

static void take_ip6(const struct reader *r, const uint8_t *icmp, size_t size,
                     struct ip_addr from) {
    const size_t quoted = ICMP_BYTES + IP6_BYTES;

    if (size < ICMP_BYTES)
        return;
    if (icmp[0] == ICMPV6_ECHO_REPLY && is_ours(r, icmp, size))
        r->take(r->context, index_of(icmp), from, NULL);
    else if ((icmp[0] == ICMPV6_DEST_UNREACH || icmp[0] == ICMPV6_TIME_EXCEED) && size > quoted &&
             is_ours(r, icmp + quoted, size - quoted))
        r->take(r->context, index_of(icmp + quoted), (struct ip_addr){0},
                icmp_text(IP_V6, icmp[0], icmp[1]));
}

void icmp_receive(int fd, uint16_t series, icmp_take_fn *take, void *context) {
    struct reader r = {.take = take, .context = context};
    uint8_t data[1500];
    struct sockaddr_in6 from = {0};
    socklen_t size = sizeof(from);
    ssize_t got;

    make_tag(series, r.tag);
    while ((got = recvfrom(fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from,
                           &size)) >= 0) {
        if (from.sin6_family == AF_INET6)
            take_ip6(&r, data, (size_t)got, ip6(from.sin6_addr.s6_addr));
        else
            take_ip4(&r, data, (size_t)got);
        size = sizeof(from);
    }
}

/* ---- sending ---- */

const char *icmp_errno_text(int error) {
    switch (error) {
    case ENETUNREACH:
        return "network is unreachable";
    case EHOSTUNREACH:
        return "no route to host";
    case EINVAL:
        /* A blackhole route; or, for IPv4, a source address that is not the host's. */
        return "blackhole route, or the source address is not here";
    case EADDRNOTAVAIL:
        return "the source address is not here";
    case EPERM:
    case EACCES:
        return "dropped by a rule of this host";
    case ENETDOWN:
        return "network is down";
    default:
        return "cannot send";
    }
}

/* From which address a packet leaves: a control message of `level` and `type`. */
struct origin {
    int level, type;
    const void *info; /* struct in_pktinfo or in6_pktinfo */
    size_t info_size;
};

static int send_from(int fd, const struct origin *o, void *to, socklen_t to_size,
                     const uint8_t *packet, size_t size) {
    union {
        char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
        struct cmsghdr align;
    } control = {0};
    struct iovec io = {.iov_base = (void *)(uintptr_t)packet, .iov_len = size};
    struct msghdr m = {.msg_name = to,
                       .msg_namelen = to_size,
                       .msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = CMSG_SPACE(o->info_size)};

    control.align.cmsg_level = o->level;
    control.align.cmsg_type = o->type;
    control.align.cmsg_len = CMSG_LEN(o->info_size);
    memcpy(CMSG_DATA(&control.align), o->info, o->info_size);
    return sendmsg(fd, &m, 0) < 0 ? errno : 0;
}

static int send_ip4(int fd, const struct icmp_request *q, const uint8_t *packet, size_t size) {
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct in_pktinfo info = {0};

    memcpy(&to.sin_addr, q->destination.bytes, 4);
    memcpy(&info.ipi_spec_dst, q->source.bytes, 4);
    return send_from(fd, &(struct origin){IPPROTO_IP, IP_PKTINFO, &info, sizeof(info)}, &to,
                     sizeof(to), packet, size);
}

static int send_ip6(int fd, const struct icmp_request *q, const uint8_t *packet, size_t size) {
    struct sockaddr_in6 to = {.sin6_family = AF_INET6};
    struct in6_pktinfo info = {0};

    memcpy(&to.sin6_addr, q->destination.bytes, 16);
    memcpy(&info.ipi6_addr, q->source.bytes, 16);
    return send_from(fd, &(struct origin){IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info)}, &to,
                     sizeof(to), packet, size);
}

static uint16_t checksum(const uint8_t *data, size_t size) {
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < size; i += 2)
        sum += (uint32_t)data[i] << 8 | data[i + 1];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

int icmp_send(int fd, uint16_t series, const struct icmp_request *q) {
    bool v4 = q->destination.family == IP_V4;
    uint8_t packet[ICMP_BYTES + TAG_BYTES] = {v4 ? ICMP_ECHO : ICMPV6_ECHO_REQUEST};
    uint16_t sum;

    for (int i = 0; i < 4; i++)
        packet[4 + i] = (uint8_t)(q->index >> (24 - 8 * i));
    make_tag(series, packet + ICMP_BYTES);
    if (v4) { /* the kernel sums ICMPv6 by itself */
        sum = checksum(packet, sizeof(packet));
        packet[2] = (uint8_t)(sum >> 8);
        packet[3] = (uint8_t)sum;
    }
    return v4 ? send_ip4(fd, q, packet, sizeof(packet)) : send_ip6(fd, q, packet, sizeof(packet));
}

int icmp_open(uint8_t family) {
    return family == IP_V4 ? socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP)
                           : socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
}
