/*
 * Packets that arrive: ICMP and ICMPv6 echo between any addresses of the lab.
 *
 * Owns: one raw socket per source host and family, the matching of replies and of ICMP errors, the
 * words for what went wrong.
 * Leaves to others: which pairs should reach each other.
 *
 * The kernel of the other host answers. All probes go at once, in rounds ROUND_MS apart until all
 * have arrived or the deadline has come; within a round at most BURST probes are sent before
 * answers are read, so that no receive buffer overflows. Identifier and sequence number of a
 * request are its index (32 bits), which replies and the quotation in an ICMP error carry back
 * (RFC 792, RFC 4443); a tag in the payload keeps foreign packets out. The source
 * address is chosen per packet (IP_PKTINFO), so one socket serves all pods of a host.
 */
#include "../../speaker/base/arena.h"
#include "lab_internal.h"
#include "netns.h"

#include <errno.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define ROUND_MS 200u
#define BURST 128u
#define ICMP_BYTES 8u
#define IP6_BYTES 40u

static const uint8_t tag[8] = {'r', 'i', 'b', 'c', 'a', 'g', 'e', '1'};

struct source {
    int fd4, fd6; /* -1: not opened */
};

struct prober {
    struct lab *lab;
    struct lab_probe *probes;
    uint64_t *sent_ns;
    size_t count, left;
    struct source *sources; /* by host */
    struct pollfd *polls;   /* every open socket */
    size_t poll_count;
};

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

static const char *errno_text(int error) {
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

static void note_reply(struct prober *p, uint32_t index, struct ip_addr from) {
    struct lab_probe *q;

    if (index >= p->count)
        return;
    q = &p->probes[index];
    if (q->arrived || !ip_equal(from, q->destination))
        return;
    q->arrived = true;
    q->rtt_ns = lab_now().ns - p->sent_ns[index];
    q->error = "";
    p->left--;
}

static void note_error(struct prober *p, uint32_t index, const char *text) {
    if (index < p->count && !p->probes[index].arrived)
        p->probes[index].error = text;
}

static uint32_t index_of(const uint8_t *icmp) {
    return (uint32_t)icmp[4] << 24 | (uint32_t)icmp[5] << 16 | (uint32_t)icmp[6] << 8 | icmp[7];
}

static bool is_ours(const uint8_t *icmp, size_t size) {
    return size >= ICMP_BYTES + sizeof(tag) && memcmp(icmp + ICMP_BYTES, tag, sizeof(tag)) == 0;
}

static void take_ip4(struct prober *p, const uint8_t *data, size_t size) {
    size_t head = size > 0 ? (size_t)(data[0] & 15) * 4 : 0, inner;
    const uint8_t *icmp = data + head;

    if (head < 20 || size < head + ICMP_BYTES)
        return;
    size -= head;
    if (icmp[0] == ICMP_ECHOREPLY && is_ours(icmp, size)) {
        note_reply(p, index_of(icmp),
                   ip4((uint32_t)data[12] << 24 | (uint32_t)data[13] << 16 |
                       (uint32_t)data[14] << 8 | data[15]));
        return;
    }
    if ((icmp[0] != ICMP_DEST_UNREACH && icmp[0] != ICMP_TIME_EXCEEDED) || size < ICMP_BYTES + 20)
        return;
    inner = (size_t)(icmp[ICMP_BYTES] & 15) * 4;
    if (inner >= 20 && size > ICMP_BYTES + inner &&
        is_ours(icmp + ICMP_BYTES + inner, size - ICMP_BYTES - inner))
        note_error(p, index_of(icmp + ICMP_BYTES + inner), icmp_text(IP_V4, icmp[0], icmp[1]));
}

static void take_ip6(struct prober *p, const uint8_t *icmp, size_t size, struct ip_addr from) {
    const size_t quoted = ICMP_BYTES + IP6_BYTES;

    if (size < ICMP_BYTES)
        return;
    if (icmp[0] == ICMPV6_ECHO_REPLY && is_ours(icmp, size))
        note_reply(p, index_of(icmp), from);
    else if ((icmp[0] == ICMPV6_DEST_UNREACH || icmp[0] == ICMPV6_TIME_EXCEED) && size > quoted &&
             is_ours(icmp + quoted, size - quoted))
        note_error(p, index_of(icmp + quoted), icmp_text(IP_V6, icmp[0], icmp[1]));
}

static void read_socket(struct prober *p, int fd) {
    uint8_t data[1500];
    struct sockaddr_in6 from = {0};
    socklen_t size = sizeof(from);
    ssize_t got;

    while ((got = recvfrom(fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from,
                           &size)) >= 0) {
        if (from.sin6_family == AF_INET6)
            take_ip6(p, data, (size_t)got, ip6(from.sin6_addr.s6_addr));
        else
            take_ip4(p, data, (size_t)got);
        size = sizeof(from);
    }
}

static void read_all(struct prober *p, int timeout_ms) {
    int ready = poll(p->polls, p->poll_count, timeout_ms);

    for (size_t i = 0; ready > 0 && i < p->poll_count; i++)
        if (p->polls[i].revents != 0)
            read_socket(p, p->polls[i].fd);
}

/* ---- sending ---- */

static int send_ip4(int fd, const struct lab_probe *q, const uint8_t *packet, size_t size) {
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct in_pktinfo info = {0};
    union {
        char bytes[CMSG_SPACE(sizeof(info))];
        struct cmsghdr align;
    } control = {0};
    struct iovec io = {.iov_base = (void *)(uintptr_t)packet, .iov_len = size};
    struct msghdr m = {.msg_name = &to,
                       .msg_namelen = sizeof(to),
                       .msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof(control.bytes)};

    memcpy(&to.sin_addr, q->destination.bytes, 4);
    memcpy(&info.ipi_spec_dst, q->source.bytes, 4);
    control.align.cmsg_level = IPPROTO_IP;
    control.align.cmsg_type = IP_PKTINFO;
    control.align.cmsg_len = CMSG_LEN(sizeof(info));
    memcpy(CMSG_DATA(&control.align), &info, sizeof(info));
    return sendmsg(fd, &m, 0) < 0 ? errno : 0;
}

static int send_ip6(int fd, const struct lab_probe *q, const uint8_t *packet, size_t size) {
    struct sockaddr_in6 to = {.sin6_family = AF_INET6};
    struct in6_pktinfo info = {0};
    union {
        char bytes[CMSG_SPACE(sizeof(info))];
        struct cmsghdr align;
    } control = {0};
    struct iovec io = {.iov_base = (void *)(uintptr_t)packet, .iov_len = size};
    struct msghdr m = {.msg_name = &to,
                       .msg_namelen = sizeof(to),
                       .msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof(control.bytes)};

    memcpy(&to.sin6_addr, q->destination.bytes, 16);
    memcpy(&info.ipi6_addr, q->source.bytes, 16);
    control.align.cmsg_level = IPPROTO_IPV6;
    control.align.cmsg_type = IPV6_PKTINFO;
    control.align.cmsg_len = CMSG_LEN(sizeof(info));
    memcpy(CMSG_DATA(&control.align), &info, sizeof(info));
    return sendmsg(fd, &m, 0) < 0 ? errno : 0;
}

static uint16_t checksum(const uint8_t *data, size_t size) {
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < size; i += 2)
        sum += (uint32_t)data[i] << 8 | data[i + 1];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void send_probe(struct prober *p, uint32_t index) {
    struct lab_probe *q = &p->probes[index];
    bool v4 = q->destination.family == IP_V4;
    const struct source *s = &p->sources[q->from];
    uint8_t packet[ICMP_BYTES + sizeof(tag)] = {v4 ? ICMP_ECHO : ICMPV6_ECHO_REQUEST};
    uint16_t sum;
    int error;

    for (int i = 0; i < 4; i++)
        packet[4 + i] = (uint8_t)(index >> (24 - 8 * i));
    memcpy(packet + ICMP_BYTES, tag, sizeof(tag));
    if (v4) { /* the kernel sums ICMPv6 by itself */
        sum = checksum(packet, sizeof(packet));
        packet[2] = (uint8_t)(sum >> 8);
        packet[3] = (uint8_t)sum;
    }
    q->attempts++;
    p->sent_ns[index] = lab_now().ns;
    error = v4 ? send_ip4(s->fd4, q, packet, sizeof(packet))
               : send_ip6(s->fd6, q, packet, sizeof(packet));
    if (error != 0)
        q->error = errno_text(error);
    else if (q->attempts == 1)
        q->error = "no answer";
}

/* ---- sockets ---- */

static bool open_source(struct prober *p, uint32_t host, bool v4) {
    int *slot = v4 ? &p->sources[host].fd4 : &p->sources[host].fd6;
    int fd = -1;

    if (*slot >= 0)
        return true;
    if (!netns_enter(p->lab->nodes[host].netns_fd))
        return false;
    fd = v4 ? socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP)
            : socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
    if (fd < 0)
        return false;
    *slot = fd;
    p->polls[p->poll_count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    return true;
}

static bool open_prober(struct prober *p) {
    size_t hosts = p->lab->node_count;
    bool ok = true;

    p->sources = alloc_zero(hosts + 1, sizeof(*p->sources));
    p->polls = alloc_zero(2 * hosts + 1, sizeof(*p->polls));
    p->sent_ns = alloc_zero(p->count + 1, sizeof(*p->sent_ns));
    if (p->sources == NULL || p->polls == NULL || p->sent_ns == NULL)
        return false;
    for (size_t h = 0; h < hosts; h++)
        p->sources[h] = (struct source){-1, -1};
    for (size_t i = 0; ok && i < p->count; i++) {
        struct lab_probe *q = &p->probes[i];
        q->arrived = false;
        q->attempts = 0;
        q->rtt_ns = 0;
        q->error = "not sent";
        ok = q->from < hosts && q->source.family == q->destination.family &&
             open_source(p, q->from, q->destination.family == IP_V4);
    }
    return netns_enter(p->lab->home_fd) && ok;
}

static void close_prober(struct prober *p) {
    for (size_t i = 0; i < p->poll_count; i++)
        close(p->polls[i].fd);
    alloc_free(p->sources);
    alloc_free(p->polls);
    alloc_free(p->sent_ns);
}

static void run_round(struct prober *p, struct nanotime end) {
    size_t burst = 0;

    for (uint32_t i = 0; i < p->count; i++) {
        if (p->probes[i].arrived)
            continue;
        send_probe(p, i);
        if (++burst % BURST == 0)
            read_all(p, 0);
    }
    while (p->left > 0 && nanotime_before(lab_now(), end)) {
        uint64_t left_ms = nanotime_since(end, lab_now()) / NANOS_PER_MS;
        read_all(p, (int)left_ms + 1);
    }
}

bool lab_ping(struct lab *lab, struct lab_probe *probes, size_t count, uint32_t deadline_ms) {
    struct nanotime deadline = nanotime_add_ms(lab_now(), deadline_ms);
    struct prober p = {.lab = lab, .probes = probes, .count = count, .left = count};
    bool ready = open_prober(&p);

    while (ready && p.left > 0) {
        struct nanotime end = nanotime_add_ms(lab_now(), ROUND_MS);
        run_round(&p, nanotime_before(end, deadline) ? end : deadline);
        if (!nanotime_before(lab_now(), deadline))
            break;
        lab_pump(lab, lab_now(), -1, NULL); /* logs and deaths do not wait */
    }
    close_prober(&p);
    return ready && p.left == 0;
}
