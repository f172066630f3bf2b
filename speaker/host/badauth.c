/*
 * Calls with a wrong TCP MD5 signature (RFC 2385).
 *
 * The kernel drops them without a word to the listener and counts them without saying whose they
 * were. So SYNs to the port we listen on are watched on a packet socket, and their signature is
 * computed once more. Only while a password is configured, and only SYNs, so that traffic costs
 * nothing.
 *
 * What arrives is not trusted: every length is checked against the packet's end.
 */
#include "badauth.h"

#include "../base/arena.h"
#include "../base/md5.h"
#include "../core/bgp.h"
#include "../core/limits.h"
#include "host.h"
#include "log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKETS_MAX 64 /* of one turn */
#define TCP_HEADER_MIN 20
#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_MD5 19
#define FLAG_SYN 0x02
#define FLAG_ACK 0x10

struct watch {
    struct loop_source source; /* first; fd -1: closed */
    struct badauth *owner;
};

struct badauth {
    struct host *host;
    struct watch v4, v6;
    uint16_t port; /* that is watched */
    bool refused;  /* the kernel does not let us watch; said once */
};

/* ---- packets ---- */

static uint16_t get16(const uint8_t *at) {
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* False: not a whole TCP segment over IPv4. */
static bool read_ip4(const uint8_t *p, size_t size, struct badauth_call *c) {
    size_t header = (size_t)(p[0] & 15) * 4, total = size >= 20 ? get16(p + 2) : 0;
    if (size < 20 || header < 20 || total > size || total < header + TCP_HEADER_MIN || p[9] != 6 ||
        (get16(p + 6) & 0x3fff) != 0)
        return false;
    c->from = ip4((uint32_t)get16(p + 12) << 16 | get16(p + 14));
    c->to = ip4((uint32_t)get16(p + 16) << 16 | get16(p + 18));
    c->tcp = p + header;
    c->tcp_size = total - header;
    return true;
}

static bool read_ip6(const uint8_t *p, size_t size, struct badauth_call *c) {
    size_t payload = size >= 40 ? get16(p + 4) : 0;
    if (size < 40 || payload > size - 40 || payload < TCP_HEADER_MIN || p[6] != 6)
        return false;
    c->from = c->to = (struct ip_addr){.family = IP_V6};
    memcpy(c->from.bytes, p + 8, 16);
    memcpy(c->to.bytes, p + 24, 16);
    c->tcp = p + 40;
    c->tcp_size = payload;
    return true;
}

bool badauth_read(const uint8_t *packet, size_t size, struct badauth_call *ret_call) {
    struct badauth_call c = {.tcp = NULL};
    unsigned version = size ? packet[0] >> 4 : 0;
    if (!(version == 4   ? read_ip4(packet, size, &c)
          : version == 6 ? read_ip6(packet, size, &c)
                         : false))
        return false;
    size_t header = (size_t)(c.tcp[12] >> 4) * 4;
    if (header < TCP_HEADER_MIN || header > c.tcp_size ||
        (c.tcp[13] & (FLAG_SYN | FLAG_ACK)) != FLAG_SYN)
        return false;
    c.from_port = get16(c.tcp);
    c.to_port = get16(c.tcp + 2);
    *ret_call = c;
    return true;
}

/* The signature among the options, or NULL. */
static const uint8_t *find_signature(const struct badauth_call *c) {
    size_t end = (size_t)(c->tcp[12] >> 4) * 4;
    for (size_t at = TCP_HEADER_MIN; at < end && c->tcp[at] != OPTION_END;) {
        if (c->tcp[at] == OPTION_NOP) {
            at++;
            continue;
        }
        size_t size = at + 1 < end ? c->tcp[at + 1] : 0;
        if (size < 2 || size > end - at)
            return NULL;
        if (c->tcp[at] == OPTION_MD5 && size == 2 + MD5_SIZE)
            return c->tcp + at + 2;
        at += size;
    }
    return NULL;
}

/* RFC 2385 2.0: pseudo-header, header without options and with checksum 0, data, password. */
static void sign(const struct badauth_call *c, const struct bgp_password *password,
                 uint8_t digest[MD5_SIZE]) {
    size_t header = (size_t)(c->tcp[12] >> 4) * 4;
    size_t addr_size = ip_bits((enum ip_family)c->from.family) / 8u;
    uint8_t fixed[TCP_HEADER_MIN];
    uint8_t tail4[] = {0, 6, (uint8_t)(c->tcp_size >> 8), (uint8_t)c->tcp_size};
    uint8_t tail6[] = {0, 0, (uint8_t)(c->tcp_size >> 8), (uint8_t)c->tcp_size, 0, 0, 0, 6};
    struct md5 m;
    memcpy(fixed, c->tcp, sizeof fixed);
    fixed[16] = fixed[17] = 0;
    md5_init(&m);
    md5_update(&m, c->from.bytes, addr_size);
    md5_update(&m, c->to.bytes, addr_size);
    if (c->from.family == IP_V4)
        md5_update(&m, tail4, sizeof tail4);
    else
        md5_update(&m, tail6, sizeof tail6);
    md5_update(&m, fixed, sizeof fixed);
    md5_update(&m, c->tcp + header, c->tcp_size - header);
    md5_update(&m, password->octets, password->size);
    md5_final(&m, digest);
}

enum badauth_verdict badauth_judge(const struct badauth_call *c,
                                   const struct bgp_password *password) {
    const uint8_t *signature = find_signature(c);
    uint8_t digest[MD5_SIZE];
    if (!signature)
        return BADAUTH_MISSING;
    sign(c, password, digest);
    return memcmp(signature, digest, MD5_SIZE) == 0 ? BADAUTH_RIGHT : BADAUTH_INVALID;
}

/* ---- watching ---- */

/* Who calls: the neighbour of that address, one with a password if there is one, or the template
 * of its range; NULL: nobody we know. */
static const struct bgp_neighbor *caller_of(const struct bgp_speaker *s, struct ip_addr from) {
    const struct bgp_neighbor *n, *found = NULL;
    for (uint32_t i = 0; (n = bgp_peer_config_at(s, i)); i++)
        if (ip_equal(n->remote_addr, from) && (!found || !bgp_neighbor_password(found)))
            found = n;
    return found ? found : bgp_peer_config_of_call(s, from, (struct ip_addr){0});
}

static void packet_take(struct badauth *b, const uint8_t *packet, size_t size) {
    struct badauth_call c;
    struct host *h = b->host;
    if (!h->speaker || !badauth_read(packet, size, &c) || c.to_port != b->port)
        return;
    const struct bgp_neighbor *n = caller_of(h->speaker, c.from);
    const struct bgp_password *password = n ? bgp_neighbor_password(n) : NULL;
    enum badauth_verdict v = password ? badauth_judge(&c, password) : BADAUTH_RIGHT;
    if (v == BADAUTH_INVALID || v == BADAUTH_MISSING)
        log_bad_signature(h->log, n->name, &c, v == BADAUTH_MISSING);
}

static void watch_ready(struct loop_source *source, uint32_t events) {
    struct watch *w = (struct watch *)source;
    uint8_t packet[2048];
    (void)events;
    for (int i = 0; i < PACKETS_MAX; i++) {
        ssize_t n = recv(source->fd, packet, sizeof packet, MSG_DONTWAIT);
        if (n <= 0)
            return;
        packet_take(w->owner, packet, (size_t)n);
    }
}

/* Calls to this port only; the packet begins with the IP header. */
static bool filter_set(int fd, bool v4, uint16_t port) {
    struct sock_filter code4[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 0, 8),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 6, 0),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, FLAG_SYN | FLAG_ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FLAG_SYN, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 2048),
    };
    struct sock_filter code6[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 0, 5),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 42),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 53),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, FLAG_SYN | FLAG_ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FLAG_SYN, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 2048),
    };
    struct sock_fprog program4 = {sizeof code4 / sizeof *code4, code4};
    struct sock_fprog program6 = {sizeof code6 / sizeof *code6, code6};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, v4 ? &program4 : &program6,
                      sizeof program4) == 0;
}

/* The filter stands before the socket is bound to a protocol: nothing unfiltered gets in. */
static bool watch_open(struct watch *w, bool v4) {
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(v4 ? ETH_P_IP : ETH_P_IPV6)};
    if (w->source.fd >= 0)
        return true;
    w->source.fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (w->source.fd >= 0 && filter_set(w->source.fd, v4, w->owner->port) &&
        bind(w->source.fd, (struct sockaddr *)&at, sizeof at) == 0 &&
        loop_add(&w->owner->host->loop, &w->source, EPOLLIN))
        return true;
    int error = errno;
    if (w->source.fd >= 0)
        close(w->source.fd);
    w->source.fd = -1;
    errno = error;
    return false;
}

static void watch_close(struct watch *w) {
    if (w->source.fd < 0)
        return;
    loop_remove(&w->owner->host->loop, &w->source);
    close(w->source.fd);
    w->source.fd = -1;
}

struct badauth *badauth_new(struct host *h) {
    struct badauth *b = alloc_zero(1, sizeof *b);
    if (!b)
        return NULL;
    b->host = h;
    b->v4 = (struct watch){.source = {.fd = -1, .ready = watch_ready}, .owner = b};
    b->v6 = b->v4;
    return b;
}

void badauth_free(struct badauth *b) {
    if (!b)
        return;
    watch_close(&b->v4);
    watch_close(&b->v6);
    alloc_free(b);
}

static bool has_password(const struct bgp_config *c) {
    bool any = false;
    for (uint32_t i = 0; c && i < c->peer_count; i++)
        any |= c->peers[i].password != NULL;
    for (uint32_t i = 0; c && i < c->listen_range_count; i++)
        any |= c->listen_ranges[i].peer.password != NULL;
    return any;
}

void badauth_configure(struct badauth *b, const struct bgp_config *c) {
    bool wanted = has_password(c);
    uint16_t port = c && c->listen_port ? c->listen_port : BGP_PORT;
    if (!wanted || port != b->port) {
        watch_close(&b->v4);
        watch_close(&b->v6);
    }
    b->port = port;
    if (!wanted)
        return;
    bool watching = watch_open(&b->v4, true) && watch_open(&b->v6, false);
    if (!watching && !b->refused)
        log_line(b->host->log, "signatures_unwatched", NULL, "%s", strerror(errno));
    b->refused |= !watching;
}
