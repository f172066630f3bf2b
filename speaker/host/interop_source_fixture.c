/*
 * A source of routes whose octets are written out: nothing of the speaker's encoder is in them.
 *
 * Owns the messages. What the other side says is read as far as it must be and not judged.
 */
#include "interop_source_fixture.h"

#include "interop_fixture.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HEADER 19
#define BGP_PORT 179
#define KEEPALIVE 4

struct message {
    uint8_t data[512];
    size_t size;
};

static void put_hex(struct message *m, const char *hex) {
    for (; *hex; hex += *hex == ' ' ? 1 : 2) {
        const char octet[3] = {hex[0], hex[1]};
        if (*hex == ' ')
            continue;
        assert_true(isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1]));
        assert_true(m->size < sizeof m->data);
        m->data[m->size++] = (uint8_t)strtoul(octet, NULL, 16);
    }
}

static void message_begin(struct message *m, uint8_t type) {
    memset(m->data, 0xff, 16);
    m->data[18] = type;
    m->size = HEADER;
}

static void message_end(struct message *m) {
    m->data[16] = (uint8_t)(m->size >> 8);
    m->data[17] = (uint8_t)m->size;
}

/* RFC 4271 4.2: version 4, My AS, hold time 240, identifier 10.0.0.n; capabilities multiprotocol
 * (RFC 4760) and four-octet AS (RFC 6793). */
static void put_open(struct message *m, int node, int family) {
    char hex[128];
    uint32_t as = SOURCE_AS(node);
    message_begin(m, 1);
    snprintf(hex, sizeof hex, "04 %04x 00f0 0a0000%02x 0e 02 0c 01 04 %04x 00 01 41 04 %08x", as,
             (unsigned)node + 1, family == V4 ? 1u : 2u, as);
    put_hex(m, hex);
    message_end(m);
}

/* Of the first source: each attribute as flags, type, length, value. */
static const char every_attribute[] =
    "40 01 01 02"                                               /* ORIGIN INCOMPLETE */
    " 40 02 14 02 02 0000fe35 fa56ea4d 01 02 0000fe4d 0000fe4e" /* AS_PATH */
    " 80 04 04 0000004d"                                        /* MED 77 */
    " 40 06 00"                                                 /* ATOMIC_AGGREGATE */
    " c0 07 08 fa56ea09 0a000909"                               /* AGGREGATOR */
    " c0 08 04 fe350001"                                        /* COMMUNITIES */
    " c0 10 08 0002fe3500000064"                                /* route target */
    " c0 20 0c 0000fe35 00000001 00000002"                      /* LARGE_COMMUNITY */
    " c0 d5 02 cafe";                                           /* nobody's, transitive */
static const char few_attributes[] = "40 01 01 00 40 02 0a 02 02 0000fe36 0000fe4d";

static void put_update(struct message *m, int node, int family) {
    char hex[128];
    message_begin(m, 2);
    size_t lengths = m->size;
    put_hex(m, "0000 0000");
    if (family == V6) { /* MP_REACH_NLRI first, as RFC 7606 5.1 has it */
        snprintf(hex, sizeof hex,
                 "80 0e 1e 0002 01 10 fd00000000000000000000000000%04x 00 40 fd09000000000000",
                 (unsigned)node + 1);
        put_hex(m, hex);
    }
    put_hex(m, node == SOURCE_NODE ? every_attribute : few_attributes);
    if (family == V4) {
        snprintf(hex, sizeof hex, "40 03 04 0a0000%02x", (unsigned)node + 1);
        put_hex(m, hex);
    }
    m->data[lengths + 2] = (uint8_t)((m->size - lengths - 4) >> 8);
    m->data[lengths + 3] = (uint8_t)(m->size - lengths - 4);
    if (family == V4)
        put_hex(m, "18 0a0900");
    message_end(m);
}

const char *source_prefix(int family) {
    return family == V4 ? "10.9.0.0/24" : "fd09::/64";
}

static int call(int node, int to, int family) {
    struct sockaddr_storage a = {0};
    struct sockaddr_in *a4 = (struct sockaddr_in *)&a;
    struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)&a;
    void *address = family == V4 ? (void *)&a4->sin_addr : (void *)&a6->sin6_addr;
    a.ss_family = family == V4 ? AF_INET : AF_INET6;
    *(family == V4 ? &a4->sin_port : &a6->sin6_port) = htons(BGP_PORT);
    assert_int_equal(inet_pton(a.ss_family, interop_addr(to, family), address), 1);
    nodes_enter(nodes.at[node].ns);
    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    nodes_enter(nodes.home_ns);
    assert_true(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&a, family == V4 ? sizeof *a4 : sizeof *a6) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Reads exactly this much; false: the connection ended, or nothing came for a second. */
static bool hear(int fd, uint8_t *out, size_t size) {
    for (size_t at = 0; at < size;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got = poll(&p, 1, 1000) == 1 ? recv(fd, out + at, size - at, 0) : 0;
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

/* Until a KEEPALIVE: the OPEN was taken. */
static bool hear_keepalive(int fd) {
    uint8_t m[4096];
    while (hear(fd, m, HEADER)) {
        size_t size = (size_t)m[16] << 8 | m[17];
        if (size < HEADER || size > sizeof m || !hear(fd, m + HEADER, size - HEADER))
            return false;
        if (m[18] == KEEPALIVE)
            return true;
    }
    return false;
}

static bool say(int fd, const struct message *m) {
    return send(fd, m->data, m->size, MSG_NOSIGNAL) == (ssize_t)m->size;
}

static int try_session(int node, int to, int family) {
    struct message open, update, keepalive;
    int fd = call(node, to, family);
    if (fd < 0)
        return -1;
    put_open(&open, node, family);
    put_update(&update, node, family);
    message_begin(&keepalive, KEEPALIVE);
    message_end(&keepalive);
    if (say(fd, &open) && hear_keepalive(fd) && say(fd, &keepalive) && say(fd, &update))
        return fd;
    close(fd);
    return -1;
}

int source_start(int node, int to, int family) {
    int fd;
    UNTIL((fd = try_session(node, to, family)) >= 0);
    return fd;
}
