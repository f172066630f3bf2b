/*
 * `ribcage doctor`: what this machine can do, before anything is built.
 *
 * Owns: probing of kernel features, reading of limits, the largest lab they allow, one finding for
 * each thing that is short, with its cure.
 * Leaves to others: whether to go on.
 *
 * Features are not looked up but tried, in a namespace of a child process that ends right after:
 * whether a module is built in, loadable or forbidden shows only so. Needed features that are
 * missing are errors, others notes.
 *
 * Costs are measured ones (bytes), of meshes up to 1,000 nodes and of reflectors with 500 to 4,000
 * clients: a namespace with its link and a speaker without sessions; an established session with
 * what both ends, their processes and the runner keep of it; a route in a Loc-RIB and in the
 * kernel's table.
 */
#include "../../speaker/base/text.h"
#include "lab_internal.h"
#include "netns.h"
#include "nft.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NODE_BYTES ((uint64_t)(340 + 640) << 10)
#define SESSION_BYTES ((uint64_t)11 << 10)
#define ROUTE_BYTES UINT64_C(700)
#define DESCRIPTORS_PER_HOST 4u
#define DESCRIPTORS_SPARE 64u
#define MEMORY_SPARE_BYTES ((uint64_t)512 << 20)

/* ---- features ---- */

static int try_link(const char *kind) {
    struct ifinfomsg i = {0};
    struct request r = request_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof(i));
    struct nlattr *info;
    struct netlink nl;
    int error;

    if (!netlink_open(&nl, NETLINK_ROUTE)) {
        request_free(&r);
        return errno;
    }
    request_put_text(&r, IFLA_IFNAME, "probe0");
    info = request_nest(&r, IFLA_LINKINFO);
    request_put_text(&r, IFLA_INFO_KIND, kind);
    if (strcmp(kind, "vrf") == 0 || strcmp(kind, "vxlan") == 0) {
        struct nlattr *data = request_nest(&r, IFLA_INFO_DATA);
        request_put_u32(&r, 1, 10); /* IFLA_VRF_TABLE, IFLA_VXLAN_ID */
        request_end(&r, data);
    }
    request_end(&r, info);
    netlink_queue(&nl, &r, (struct netlink_entry){.what = "probe"});
    (void)netlink_flush(&nl);
    error = nl.error;
    if (error == 0) {
        struct request gone = request_new(RTM_DELLINK, 0, &i, sizeof(i));
        request_put_text(&gone, IFLA_IFNAME, "probe0");
        netlink_queue(&nl, &gone, (struct netlink_entry){.what = "probe"});
        (void)netlink_flush(&nl);
    }
    netlink_close(&nl);
    return error;
}

static int try_qdisc(const char *kind) {
    bool clsact = strcmp(kind, "clsact") == 0;
    struct tcmsg t = {.tcm_ifindex = LAB_LOOPBACK,
                      .tcm_parent = clsact ? TC_H_CLSACT : TC_H_ROOT,
                      .tcm_handle = clsact ? TC_H_MAKE(TC_H_CLSACT, 0) : 0x10000};
    struct request r = request_new(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &t, sizeof(t));
    struct tc_netem_qopt options = {.limit = 1000};
    struct netlink nl;
    int error;

    if (!netlink_open(&nl, NETLINK_ROUTE)) {
        request_free(&r);
        return errno;
    }
    request_put_text(&r, TCA_KIND, kind);
    if (!clsact)
        request_put(&r, TCA_OPTIONS, &options, sizeof(options));
    netlink_queue(&nl, &r, (struct netlink_entry){.what = "probe"});
    (void)netlink_flush(&nl);
    error = nl.error;
    netlink_close(&nl);
    return error;
}

static int try_nftables(const char *unused) {
    struct netlink nl;
    int error;

    (void)unused;
    if (!netlink_open(&nl, NETLINK_NETFILTER))
        return errno;
    (void)nft_block(&nl, "probe", 179, NULL, 0);
    error = nl.error;
    netlink_close(&nl);
    return error;
}

static int try_socket(const char *kind) {
    bool six = strcmp(kind, "ipv6") == 0;
    int fd = six ? socket(AF_INET6, SOCK_STREAM, 0) : socket(AF_PACKET, SOCK_RAW, 0);

    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static int try_tun(const char *unused) {
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), error = 0;

    (void)unused;
    if (fd < 0)
        return errno;
    if (ioctl(fd, TUNSETIFF, &r) != 0)
        error = errno;
    close(fd);
    return error;
}

static int try_md5(const char *unused) {
    struct tcp_md5sig m = {.tcpm_keylen = 1, .tcpm_key = "k"};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000001)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), error = 0;

    (void)unused;
    if (fd < 0)
        return errno;
    memcpy(&m.tcpm_addr, &a, sizeof(a));
    if (setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &m, sizeof(m)) != 0)
        error = errno;
    close(fd);
    return error;
}

enum need { NEED_ALWAYS, NEED_IPV6, NEED_PASSWORD, NEED_CAPTURE, NEED_NEVER };

static const struct feature {
    const char *name;
    int (*probe)(const char *name);
    enum need need;
    const char *use, *cure;
} features[] = {
    {"veth", try_link, NEED_ALWAYS, "links", "modprobe veth, or a kernel with CONFIG_VETH"},
    {"bridge", try_link, NEED_ALWAYS, "the l2 fabric",
     "modprobe bridge, or a kernel with CONFIG_BRIDGE"},
    {"nftables", try_nftables, NEED_NEVER, "the block-bgp fault",
     "modprobe nf_tables, or a kernel with CONFIG_NF_TABLES_INET"},
    {"clsact", try_qdisc, NEED_NEVER, "traffic control", "modprobe sch_ingress"},
    {"netem", try_qdisc, NEED_NEVER, "delay and loss", "modprobe sch_netem"},
    {"ipip", try_link, NEED_NEVER, "tunl0 of IPIP pools in the kernel; a TUN device serves instead",
     "modprobe ipip"},
    {"tun", try_tun, NEED_NEVER, "IPIP pools where the kernel has no ipip", "modprobe tun"},
    {"vxlan", try_link, NEED_NEVER, "VXLAN pools", "modprobe vxlan"},
    {"vrf", try_link, NEED_NEVER, "VRFs", "modprobe vrf"},
    {"dummy", try_link, NEED_NEVER, "dummy links", "modprobe dummy"},
    {"ipv6", try_socket, NEED_IPV6, "IPv6 sessions and routes",
     "boot without ipv6.disable=1, or use an IPv4-only topology"},
    {"tcp-md5", try_md5, NEED_PASSWORD, "BGP passwords",
     "a kernel with CONFIG_TCP_MD5SIG, or peers without password"},
    {"packet", try_socket, NEED_CAPTURE, "the wire witness",
     "modprobe af_packet, or switch the capture off"},
};
#define FEATURE_COUNT (sizeof(features) / sizeof(features[0]))

/* Runs in a child, in its own namespace; one errno per feature goes to `fd`. */
static int probe_child(int fd) {
    int errors[FEATURE_COUNT];

    for (size_t i = 0; i < FEATURE_COUNT; i++)
        errors[i] = features[i].probe(features[i].name);
    return write(fd, errors, sizeof(errors)) == (ssize_t)sizeof(errors) ? 0 : 1;
}

static int probe_body(int fd, void *argument) {
    (void)argument;
    return probe_child(fd);
}

/* False: no namespace could be made; a finding says why. */
static bool probe_features(int errors[FEATURE_COUNT], struct diag_list *diags) {
    struct supervisor_options o = {0};
    int fd, pidfd;
    pid_t pid = supervise(&o, probe_body, NULL, &fd, &pidfd, diags);
    ssize_t got;

    if (pid < 0)
        return false;
    do
        got = read(fd, errors, FEATURE_COUNT * sizeof(int));
    while (got < 0 && errno == EINTR);
    close(fd);
    close(pidfd);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return got == (ssize_t)(FEATURE_COUNT * sizeof(int));
}

static bool is_needed(enum need n, const struct lab_needs *needs) {
    switch (n) {
    case NEED_ALWAYS:
        return true;
    case NEED_IPV6:
        return needs->ipv6;
    case NEED_PASSWORD:
        return needs->password;
    case NEED_CAPTURE:
        return needs->capture;
    case NEED_NEVER:
        return false;
    }
    return false;
}

static void check_features(const struct lab_needs *needs, struct diag_list *diags, json_t *facts) {
    json_t *list = json_object();
    int errors[FEATURE_COUNT];

    if (!probe_features(errors, diags)) {
        json_decref(list);
        return;
    }
    for (size_t i = 0; i < FEATURE_COUNT; i++) {
        const struct feature *f = &features[i];
        (void)json_object_set_new(list, f->name, json_boolean(errors[i] == 0));
        if (errors[i] != 0)
            diag_add(diags, is_needed(f->need, needs) ? DIAG_ERROR : DIAG_NOTE,
                     (struct diag_place){0}, "feature", "%s is missing (%s), needed for %s: %s",
                     f->name, strerror(errors[i]), f->use, f->cure);
    }
    (void)json_object_set_new(facts, "features", list);
}

/* ---- limits ---- */

static uint64_t read_number(const char *path) {
    char value[32] = "";

    return netns_read_sysctl(path, value, sizeof(value)) ? strtoull(value, NULL, 10) : 0;
}

static uint64_t available_memory(void) {
    FILE *f = fopen("/proc/meminfo", "re");
    char line[128];
    uint64_t bytes = 0;

    while (f != NULL && bytes == 0 && fgets(line, sizeof(line), f) != NULL)
        bytes = proc_kib_line(line, "MemAvailable:");
    if (f != NULL)
        fclose(f);
    return bytes;
}

struct host_limits {
    uint64_t memory_bytes, descriptors, pids, somaxconn, gc_thresh3, cpus;
    uint64_t nodes_max, sessions_max;
};

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static struct host_limits read_limits(void) {
    struct rlimit files = {0};
    struct host_limits l = {.memory_bytes = available_memory(),
                            .pids = read_number("kernel/pid_max"),
                            .somaxconn = read_number("net/core/somaxconn"),
                            .gc_thresh3 = read_number("net/ipv4/neigh/default/gc_thresh3")};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t usable = l.memory_bytes > MEMORY_SPARE_BYTES ? l.memory_bytes - MEMORY_SPARE_BYTES : 0;

    (void)getrlimit(RLIMIT_NOFILE, &files);
    l.descriptors = files.rlim_max;
    if (geteuid() == 0) /* the supervisor raises its own limit where it may */
        l.descriptors = most(l.descriptors, LAB_DESCRIPTORS_MAX);
    l.cpus = cpus > 0 ? (uint64_t)cpus : 1;
    l.nodes_max = least(usable / NODE_BYTES, LAB_HOSTS_MAX);
    l.nodes_max = least(l.nodes_max, l.pids > 300 ? l.pids - 300 : 0);
    if (l.descriptors > DESCRIPTORS_SPARE)
        l.nodes_max =
            least(l.nodes_max, (l.descriptors - DESCRIPTORS_SPARE) / DESCRIPTORS_PER_HOST);
    l.sessions_max = usable / SESSION_BYTES;
    return l;
}

static uint64_t memory_needed(const struct lab_needs *n) {
    return (uint64_t)n->hosts * NODE_BYTES + (uint64_t)n->sessions * SESSION_BYTES +
           (uint64_t)n->routes * ROUTE_BYTES + MEMORY_SPARE_BYTES;
}

static void check_memory(const struct lab_needs *n, const struct host_limits *l,
                         struct diag_list *diags) {
    uint64_t want = memory_needed(n);

    if (n->hosts > 0 && want > l->memory_bytes)
        diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "memory",
                 "about %llu MiB are needed and %llu MiB are free: use fewer nodes or route "
                 "reflectors, or free memory",
                 (unsigned long long)(want >> 20), (unsigned long long)(l->memory_bytes >> 20));
}

static void check_counts(const struct lab_needs *n, const struct host_limits *l,
                         struct diag_list *diags) {
    struct diag_place nowhere = {0};
    uint64_t files = (uint64_t)n->hosts * DESCRIPTORS_PER_HOST + DESCRIPTORS_SPARE;
    uint64_t each = n->sockets_per_speaker_max + DESCRIPTORS_SPARE;

    if (n->hosts > LAB_HOSTS_MAX)
        diag_add(diags, DIAG_ERROR, nowhere, "hosts", "%zu hosts, at most %u", n->hosts,
                 LAB_HOSTS_MAX);
    if (files > l->descriptors || each > l->descriptors)
        diag_add(diags, DIAG_ERROR, nowhere, "nofile",
                 "%llu open files are needed and %llu allowed: raise the hard limit of nofile "
                 "(/etc/security/limits.conf, ulimit -Hn)",
                 (unsigned long long)(files > each ? files : each),
                 (unsigned long long)l->descriptors);
    if (n->hosts + 300 > l->pids)
        diag_add(diags, DIAG_ERROR, nowhere, "pid-max",
                 "%zu processes are needed, kernel.pid_max is %llu: sysctl -w kernel.pid_max=%zu",
                 n->hosts + 300, (unsigned long long)l->pids, 2 * n->hosts + 600);
    if (n->sockets_per_speaker_max > l->somaxconn)
        diag_add(diags, DIAG_WARNING, nowhere, "somaxconn",
                 "%zu sessions per speaker and net.core.somaxconn is %llu: connections may be "
                 "retried at the start; sysctl -w net.core.somaxconn=4096",
                 n->sockets_per_speaker_max, (unsigned long long)l->somaxconn);
}

#define BRIDGE_PORTS_MAX 1023u

static uint64_t ephemeral_ports(void) {
    char range[64];
    uint64_t first = 0, last = 0;
    const char *at = range;

    if (!netns_read_sysctl("net/ipv4/ip_local_port_range", range, sizeof(range)) ||
        !text_read_u64(&at, &first))
        return 0;
    at += strspn(at, " \t");
    return text_read_u64(&at, &last) && last >= first ? last - first + 1 : 0;
}

size_t host_weigh(const struct lab_needs *n, struct lab_need ret_list[LAB_NEEDS_MAX],
                  struct diag_list *diags) {
    struct host_limits l = read_limits();
    const struct lab_need list[LAB_NEEDS_MAX] = {
        {"memory, MiB", memory_needed(n) >> 20, l.memory_bytes >> 20, true},
        {"processes", n->hosts + 300, l.pids, false},
        {"open files, supervisor", n->hosts * DESCRIPTORS_PER_HOST + DESCRIPTORS_SPARE,
         l.descriptors, false},
        {"open files, a speaker", n->sockets_per_speaker_max + DESCRIPTORS_SPARE, l.descriptors,
         false},
        {"ports, a speaker that dials all", n->sockets_per_speaker_max, ephemeral_ports(), false},
        {"waiting connections, a speaker", n->sockets_per_speaker_max, l.somaxconn, false},
        {"bridge ports", n->routed ? 0 : n->hosts, BRIDGE_PORTS_MAX, false},
    };

    check_memory(n, &l, diags);
    check_counts(n, &l, diags);
    memcpy(ret_list, list, sizeof(list));
    return 7;
}

void host_check(const struct lab_needs *needs, struct diag_list *diags, json_t *ret_facts) {
    struct host_limits l = read_limits();
    const struct {
        const char *name;
        uint64_t value;
    } facts[] = {
        {"cpus", l.cpus},           {"memory_available_bytes", l.memory_bytes},
        {"nofile", l.descriptors},  {"pid_max", l.pids},
        {"somaxconn", l.somaxconn}, {"gc_thresh3", l.gc_thresh3},
        {"nodes_max", l.nodes_max}, {"sessions_max", l.sessions_max},
    };

    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        (void)json_object_set_new(ret_facts, facts[i].name,
                                  json_integer((json_int_t)facts[i].value));
    check_features(needs, diags, ret_facts);
    check_memory(needs, &l, diags);
    check_counts(needs, &l, diags);
}
