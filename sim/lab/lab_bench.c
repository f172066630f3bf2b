/*
 * How long a lab takes to build and to take down, by fabric and number of hosts.
 *
 *   lab_bench [HOSTS…]    default: 100 1000
 *
 * One line each: milliseconds, and microseconds per host. l2 with n hosts also writes n(n-1)
 * permanent neighbours, which is where its time goes above a few hundred hosts.
 *
 * The floor below the routed fabric is what the kernel takes for the same objects: namespaces, and
 * two batches of messages per host that were made beforehand.
 */
#include "lab_fixture.h"
#include "netns.h"

#include <fcntl.h>
#include <linux/netlink.h>

/* In functions that return no status. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, strerror(errno));   \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

#define FLOOR_FD_FIRST 1000 /* messages name namespaces by descriptor before they exist */

struct bench_case {
    uint32_t hosts;
    enum lab_fabric fabric;
};

/* ---- the floor ---- */

struct blob {
    uint8_t *data;
    size_t size;
};

/* What stands in the queue, its last message to be acknowledged; the queue is empty then. */
static struct blob take_queue(struct netlink *nl) {
    struct blob b = {malloc(nl->size), nl->size};
    size_t at = 0;
    struct nlmsghdr *h = NULL;

    MUST(b.data != NULL);
    memcpy(b.data, nl->queue, nl->size);
    for (; at < b.size; at += NLMSG_ALIGN(h->nlmsg_len))
        h = (struct nlmsghdr *)(void *)(b.data + at);
    if (h)
        h->nlmsg_flags |= NLM_F_ACK;
    nl->count = nl->size = 0;
    return b;
}

static struct link_mac mac_of(uint8_t kind, uint32_t host) {
    return (struct link_mac){{2, kind, 0, 0, (uint8_t)(host >> 8), (uint8_t)host}};
}

static struct blob fabric_messages(struct netlink *nl, uint32_t host) {
    uint32_t near = LAB_FABRIC_LINK_FIRST + host;
    char name[16];
    struct link_veth v = {.near_index = near,
                          .far_index = LAB_HOST_LINK_FIRST,
                          .near_name = name,
                          .far_name = "eth0",
                          .near_mac = mac_of(1, host),
                          .far_mac = mac_of(2, host),
                          .far_netns_fd = FLOOR_FD_FIRST + (int)host};
    struct link_route own = {.prefix = ip_prefix_make(host_addr4(host), 32), .index = near};
    struct link_route block = {.prefix = block4(host), .gateway = host_addr4(host), .index = near};

    snprintf(name, sizeof(name), "h%u.0", host);
    link_add_veth(nl, &v);
    link_configure(nl, near, (struct link_settings){.silent6 = true, .forwarding = true});
    link_set_up(nl, near, true);
    link_add_neighbour(nl, near, host_addr4(host), mac_of(2, host));
    link_add_route(nl, &own);
    link_add_route(nl, &block);
    return take_queue(nl);
}

static struct blob host_messages(struct netlink *nl, uint32_t host, struct ip_prefix subnet) {
    struct link_route out = {.prefix = subnet,
                             .gateway = fabric_gateway(IP_V4),
                             .index = LAB_HOST_LINK_FIRST,
                             .source = host_addr4(host)};

    link_set_up(nl, LAB_LOOPBACK, true);
    link_configure(nl, LAB_HOST_LINK_FIRST,
                   (struct link_settings){.silent6 = true, .forwarding = true});
    link_set_up(nl, LAB_HOST_LINK_FIRST, true);
    link_add_addr(nl, LAB_HOST_LINK_FIRST, host_addr4(host), 32);
    link_add_neighbour(nl, LAB_HOST_LINK_FIRST, out.gateway, mac_of(1, host));
    link_add_route(nl, &out);
    link_add_addr(nl, LAB_LOOPBACK, pod_addr4(host), 32);
    return take_queue(nl);
}

static void exchange(int fd, struct blob b) {
    _Alignas(struct nlmsghdr) uint8_t answer[1024];
    const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)answer;
    struct nlmsgerr e;

    MUST(send(fd, b.data, b.size, 0) == (ssize_t)b.size);
    MUST(recv(fd, answer, sizeof(answer), 0) >= (ssize_t)NLMSG_LENGTH(sizeof(e)));
    memcpy(&e, answer + NLMSG_HDRLEN, sizeof(e));
    MUST(h->nlmsg_type == NLMSG_ERROR && e.error == 0);
}

static void floor_host(int home, int fabric, int wanted_fd, struct blob here, struct blob there) {
    MUST(netns_enter(home));
    int made = netns_create();
    int ns = made < 0 ? -1 : fcntl(made, F_DUPFD_CLOEXEC, wanted_fd);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    MUST(ns == wanted_fd && fd >= 0);
    close(made);
    exchange(fabric, here);
    exchange(fd, there);
    close(fd);
}

/* Nanoseconds for the hosts; they go with the process. */
static uint64_t floor_ns(const struct network *n, uint32_t hosts) {
    struct blob *here = calloc(hosts, sizeof(*here)), *there = calloc(hosts, sizeof(*there));
    struct netlink nl;
    int home = netns_open_current(), fabric = netns_create();

    MUST(here && there && home >= 0 && fabric >= 0 && netlink_open(&nl, NETLINK_ROUTE));
    link_set_up(&nl, LAB_LOOPBACK, true);
    MUST(netlink_flush(&nl));
    for (uint32_t h = 0; h < hosts; h++) {
        here[h] = fabric_messages(&nl, h);
        there[h] = host_messages(&nl, h, n->segment.subnet4);
    }
    struct nanotime start = lab_now();
    for (uint32_t h = 0; h < hosts; h++)
        floor_host(home, nl.fd, FLOOR_FD_FIRST + (int)h, here[h], there[h]);
    return nanotime_since(lab_now(), start);
}

static int floor_body(int fd, void *argument) {
    const uint32_t *hosts = argument;
    struct network n;
    uint64_t ns;

    (void)fd;
    network_make(&n, *hosts, LAB_FABRIC_ROUTED, false);
    ns = floor_ns(&n, *hosts);
    printf("floor  %5u hosts: build %7.1f ms (%6.1f us/host)\n", *hosts, (double)ns / 1e6,
           (double)ns / 1e3 / *hosts);
    fflush(stdout);
    return 0;
}

static int bench_body(int fd, void *argument) {
    const struct bench_case *c = argument;
    struct nanotime start, built, gone;
    struct network n;
    struct lab *lab;

    (void)fd;
    network_make(&n, c->hosts, c->fabric, false);
    start = lab_now();
    lab = build_network(&n);
    built = lab_now();
    CHECK(lab != NULL);
    lab_teardown(lab);
    gone = lab_now();
    printf("%-6s %5u hosts: build %7.1f ms (%6.1f us/host), teardown %7.1f ms\n",
           c->fabric == LAB_FABRIC_L2 ? "l2" : "routed", c->hosts,
           (double)nanotime_since(built, start) / 1e6,
           (double)nanotime_since(built, start) / 1e3 / c->hosts,
           (double)nanotime_since(gone, built) / 1e6);
    fflush(stdout);
    network_free(&n);
    return 0;
}

int main(int argc, char **argv) {
    static const uint32_t defaults[] = {100, 1000};
    int count = argc > 1 ? argc - 1 : 2;

    for (int i = 0; i < count; i++)
        for (int f = 0; f < 2; f++) {
            uint64_t hosts = defaults[i % 2];
            struct bench_case c = {.fabric = f == 0 ? LAB_FABRIC_L2 : LAB_FABRIC_ROUTED};
            if (argc > 1 && !text_to_u64(argv[i + 1], 2, LAB_HOSTS_MAX, &hosts))
                return 2;
            c.hosts = (uint32_t)hosts;
            if (run_supervised(bench_body, &c) != 0 ||
                (f == 1 && run_supervised(floor_body, &c.hosts) != 0))
                return 1;
        }
    return 0;
}
