/*
 * Which packets are answers to a probe: ours, whole, of this series. Everybody else's pings reach
 * the same socket.
 *
 * Packets come by sockets that carry any octets: a pair for IPv4, where a raw socket hands on the
 * IP header, too; UDP over the loopback of a namespace of our own for IPv6, where it does not.
 */
#include "icmp.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define SERIES 0x0102
#define INDEX UINT32_C(0x00030004)

struct packet {
    size_t size;
    uint8_t bytes[128];
};

struct seen {
    size_t count;
    uint32_t index;
    struct ip_addr from;
    const char *error;
};

static void take(void *context, uint32_t index, struct ip_addr from, const char *error) {
    struct seen *s = context;
    *s = (struct seen){s->count + 1, index, from, error};
}

/* ---- packets ---- */

static void put(struct packet *p, const void *bytes, size_t size) {
    memcpy(p->bytes + p->size, bytes, size);
    p->size += size;
}

/* Type, code, our index, our tag: the octets of a reply, or of a request as an error quotes it. */
static void put_echo(struct packet *p, uint8_t type) {
    const uint8_t head[8] = {type, 0, 0, 0, 0, 3, 0, 4}, series[2] = {1, 2};
    put(p, head, sizeof head);
    put(p, "ribcag", 6);
    put(p, series, sizeof series);
}

/* From 10.0.0.2 to 10.0.0.1. */
static void put_ip4(struct packet *p) {
    static const uint8_t head[20] = {0x45, [8] = 64, 1, [12] = 10, 0, 0, 2, 10, 0, 0, 1};
    put(p, head, sizeof head);
}

static void put_error(struct packet *p, uint8_t type, uint8_t code) {
    const uint8_t head[8] = {type, code};
    put(p, head, sizeof head);
}

static struct packet reply4(void) {
    struct packet p = {0};
    put_ip4(&p);
    put_echo(&p, 0);
    return p;
}

/* The router's header, the error, the header of what was sent, our request. */
static struct packet error4(uint8_t type, uint8_t code) {
    struct packet p = {0};
    put_ip4(&p);
    put_error(&p, type, code);
    put_ip4(&p);
    put_echo(&p, 8);
    return p;
}

static struct packet reply6(void) {
    struct packet p = {0};
    put_echo(&p, 129);
    return p;
}

static struct packet error6(uint8_t type, uint8_t code) {
    static const uint8_t head[40] = {0x60, [6] = 58, 64};
    struct packet p = {0};
    put_error(&p, type, code);
    put(&p, head, sizeof head);
    put_echo(&p, 128);
    return p;
}

/* ---- sockets ---- */

static int v4[2] = {-1, -1}, v6[2] = {-1, -1}; /* 0: read by icmp_receive; 1: written to */

static bool loopback_up(void) {
    struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &r) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static int open_sockets(void **state) {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t size = sizeof a;
    (void)state;
    if (unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWNET | CLONE_NEWUSER) != 0 ||
        !loopback_up() || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, v4) != 0)
        return -1;
    for (int i = 0; i < 2; i++)
        v6[i] = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return v6[0] >= 0 && v6[1] >= 0 && bind(v6[0], (struct sockaddr *)&a, size) == 0 &&
                   getsockname(v6[0], (struct sockaddr *)&a, &size) == 0 &&
                   connect(v6[1], (struct sockaddr *)&a, size) == 0
               ? 0
               : -1;
}

static int close_sockets(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        close(v4[i]);
        close(v6[i]);
    }
    return 0;
}

static struct seen heard(const int fds[2], const struct packet *p) {
    struct seen s = {0};
    assert_int_equal(send(fds[1], p->bytes, p->size, 0), p->size);
    icmp_receive(fds[0], SERIES, take, &s);
    return s;
}

/* ---- tests ---- */

/* Any octet of the tag, or the type, made another one: somebody else's. So is what is cut short.
 * `echo`: where the echo's own octets begin. */
static void assert_only_whole(const int fds[2], const struct packet *whole, size_t echo) {
    static const size_t tag = 8;
    for (size_t i = 0; i < 8; i++) {
        struct packet p = *whole;
        p.bytes[echo + tag + i] ^= 1;
        assert_int_equal(heard(fds, &p).count, 0);
    }
    for (size_t size = 0; size < whole->size; size++) {
        struct packet p = *whole;
        p.size = size;
        /* Behind a whole one: what that has left in memory is not this one's. */
        assert_int_equal(send(fds[1], whole->bytes, whole->size, 0), whole->size);
        assert_int_equal(heard(fds, &p).count, 1);
    }
}

static void test_replies(void **state) {
    struct packet p = reply4();
    (void)state;
    struct seen s = heard(v4, &p);
    assert_true(s.count == 1 && s.index == INDEX && ip_equal(s.from, ip4(0x0a000002)) && !s.error);
    assert_only_whole(v4, &p, 20);
    p.bytes[20] = 8; /* a request, as a host that pings us sends it */
    assert_int_equal(heard(v4, &p).count, 0);
    p = reply6();
    s = heard(v6, &p);
    assert_true(s.count == 1 && s.index == INDEX && !s.error);
    assert_true(ip_equal(s.from, ip6(in6addr_loopback.s6_addr)));
    assert_only_whole(v6, &p, 0);
    p.bytes[0] = 128;
    assert_int_equal(heard(v6, &p).count, 0);
}

static void test_errors(void **state) {
    struct packet p = error4(3, 1);
    (void)state;
    struct seen s = heard(v4, &p);
    assert_true(s.count == 1 && s.index == INDEX && !ip_is_set(s.from));
    assert_string_equal(s.error, "no route to host");
    assert_only_whole(v4, &p, 48);
    p = error4(11, 0);
    assert_string_equal(heard(v4, &p).error, "time to live exceeded");
    p = error4(5, 0); /* a redirect says nothing of the packet's fate */
    assert_int_equal(heard(v4, &p).count, 0);
    p = error6(1, 3);
    s = heard(v6, &p);
    assert_true(s.count == 1 && s.index == INDEX && !ip_is_set(s.from));
    assert_string_equal(s.error, "no route to host");
    assert_only_whole(v6, &p, 48);
    p = error6(2, 0); /* too big: none of ours is */
    assert_int_equal(heard(v6, &p).count, 0);
}

/* A header of `length` octets instead of the 20 at `at`: options, or one that cannot be. */
static void set_header(struct packet *p, size_t at, size_t length) {
    uint8_t rest[sizeof p->bytes];
    size_t size = p->size - at - 20;
    memcpy(rest, p->bytes + at + 20, size);
    memset(p->bytes + at + 20, 1, 40); /* no operation */
    p->bytes[at] = (uint8_t)(0x40 | length / 4);
    p->size = at + length;
    put(p, rest, size);
}

static void test_header_lengths(void **state) {
    static const size_t at[] = {0, 28};
    (void)state;
    for (int quoted = 0; quoted < 2; quoted++) {
        struct packet p = quoted ? error4(3, 1) : reply4();
        set_header(&p, at[quoted], 16);
        assert_int_equal(heard(v4, &p).count, 0);
        p = quoted ? error4(3, 1) : reply4();
        set_header(&p, at[quoted], 60);
        assert_int_equal(heard(v4, &p).count, 1);
        assert_only_whole(v4, &p, at[quoted] + 60);
    }
}

/* Nothing of several is left behind, nor is one taken twice. */
static void test_all_that_came(void **state) {
    struct packet ours = reply4(), late = reply4();
    struct seen s = {0};
    (void)state;
    late.bytes[35] = 1; /* of the series before */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send(v4[1], late.bytes, late.size, 0), late.size);
        assert_int_equal(send(v4[1], ours.bytes, ours.size, 0), ours.size);
    }
    icmp_receive(v4[0], SERIES, take, &s);
    assert_int_equal(s.count, 3);
    icmp_receive(v4[0], SERIES, take, &s);
    assert_int_equal(s.count, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_header_lengths),
        cmocka_unit_test(test_all_that_came),
    };
    return cmocka_run_group_tests(tests, open_sockets, close_sockets);
}
