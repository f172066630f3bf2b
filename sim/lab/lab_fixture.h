#ifndef RIBCAGE_LAB_FIXTURE_H
#define RIBCAGE_LAB_FIXTURE_H

#include "lab_internal.h"
#include "step.h"

#include "../../speaker/base/arena.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * For the tests and the benchmark of this folder: networks of n hosts, and bodies that run inside
 * a supervisor. A body says what failed with CHECK and returns 1; cmocka's own asserts would jump
 * into a copy of the test runner.
 */

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

#define FIXTURE_DEADLINE_MS 60000u

struct network {
    struct lab_spec spec;
    struct lab_segment segment;
    struct lab_host *hosts;
    struct lab_interface *interfaces;
    struct lab_local *pods; /* two per host: IPv4, IPv6 */
    struct ip_prefix *blocks;
    char (*names)[16];
};

static inline struct ip_addr host_addr4(uint32_t host) {
    return ip4(UINT32_C(0x0a000000) + 256 * (host / 250) + host % 250 + 1);
}
static inline struct ip_addr host_addr6(uint32_t host) {
    uint8_t b[16] = {0xfd, 0x00, [13] = (uint8_t)(host >> 8), [14] = (uint8_t)host, [15] = 1};

    return ip6(b);
}
static inline struct ip_addr pod_addr4(uint32_t host) {
    return ip4(UINT32_C(0x0af40001) + 256 * host);
}
static inline struct ip_addr pod_addr6(uint32_t host) {
    uint8_t b[16] = {0xfd, 0x44, [5] = (uint8_t)(host >> 8), [6] = (uint8_t)host, [15] = 1};

    return ip6(b);
}
static inline struct ip_prefix block4(uint32_t host) {
    return ip_prefix_make(pod_addr4(host), 24);
}
static inline struct ip_prefix block6(uint32_t host) {
    return ip_prefix_make(pod_addr6(host), 64);
}

static inline void network_free(struct network *n) {
    free(n->hosts);
    free(n->interfaces);
    free(n->pods);
    free(n->blocks);
    free(n->names);
}

static inline void network_make(struct network *n, uint32_t count, enum lab_fabric fabric,
                                bool ipv6) {
    memset(n, 0, sizeof(*n));
    n->hosts = calloc(count, sizeof(*n->hosts));
    n->interfaces = calloc(count, sizeof(*n->interfaces));
    n->pods = calloc(2 * count, sizeof(*n->pods));
    n->blocks = calloc(2 * count, sizeof(*n->blocks));
    n->names = calloc(count, sizeof(*n->names));
    n->segment = (struct lab_segment){.name = "lan"};
    (void)ip_prefix_parse("10.0.0.0/16", &n->segment.subnet4);
    if (ipv6)
        (void)ip_prefix_parse("fd00::/64", &n->segment.subnet6);
    for (uint32_t h = 0; h < count; h++) {
        snprintf(n->names[h], sizeof(n->names[h]), "host-%u", h);
        n->interfaces[h] = (struct lab_interface){
            .name = "eth0", .addr4 = host_addr4(h), .length4 = 16, .length6 = 64};
        if (ipv6)
            n->interfaces[h].addr6 = host_addr6(h);
        n->pods[2 * h].addr = pod_addr4(h);
        n->pods[2 * h + 1].addr = pod_addr6(h);
        n->blocks[2 * h] = block4(h);
        n->blocks[2 * h + 1] = block6(h);
        n->hosts[h] = (struct lab_host){.name = n->names[h],
                                        .interfaces = &n->interfaces[h],
                                        .interface_count = 1,
                                        .locals = &n->pods[2 * h],
                                        .local_count = ipv6 ? 2 : 1,
                                        .delivered = &n->blocks[2 * h],
                                        .delivered_count = ipv6 ? 2 : 1,
                                        .forwarding = true};
    }
    n->spec = (struct lab_spec){.fabric = fabric,
                                .segments = &n->segment,
                                .segment_count = 1,
                                .hosts = n->hosts,
                                .host_count = count,
                                .ipv6 = ipv6};
}

static inline void print_findings(const struct diag_list *d) {
    struct text t;

    text_init(&t);
    diag_print(d, &t);
    fputs(text_str(&t), stderr);
    text_deinit(&t);
}

/* Runs `body` in a supervisor and returns its exit status (128 + signal). */
static inline int run_supervised(supervisor_body *body, void *argument) {
    struct supervisor_options o = {0};
    struct diag_list *d = diag_list_new();
    int fd = -1, pidfd = -1, status = -1;
    pid_t pid = supervise(&o, body, argument, &fd, &pidfd, d);

    print_findings(d);
    diag_list_free(d);
    if (pid < 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(fd);
    close(pidfd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline struct lab *build_network(const struct network *n) {
    struct diag_list *d = diag_list_new();
    struct lab *lab = lab_build(&n->spec, NULL, NULL, d);

    print_findings(d);
    diag_list_free(d);
    return lab;
}

/* Every host to every other; the addresses of hosts or of pods. Number that arrived. */
static inline size_t ping_all(struct lab *lab, uint32_t count, struct ip_addr (*addr)(uint32_t),
                              uint32_t deadline_ms) {
    struct lab_probe *p = calloc((size_t)count * count, sizeof(*p));
    size_t used = 0, arrived = 0;

    for (uint32_t a = 0; a < count; a++)
        for (uint32_t b = 0; b < count; b++)
            if (a != b)
                p[used++] = (struct lab_probe){
                    .from = a, .to = b, .source = addr(a), .destination = addr(b)};
    (void)lab_ping(lab, p, used, deadline_ms);
    for (size_t i = 0; i < used; i++)
        arrived += p[i].arrived;
    free(p);
    return arrived;
}

#endif
