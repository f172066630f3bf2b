/*
 * struct lab: building all of it or nothing, and taking it down.
 *
 * Owns: the memory of a lab, its descriptors, the order of building and unwinding, changes to a
 * host's addresses.
 * Leaves to others: links (fabric.c), processes (process.c), waiting (wait.c).
 *
 * lab_teardown is also the unwinding of a build that failed: every descriptor starts at -1 and
 * every part is released if it is there, in the reverse order of making. Whatever it could not
 * undo would end with the supervisor anyway; it exists so that a supervisor can report that all
 * is gone, and fail if it is not.
 *
 * "Gone" is the kernel's word: namespaces are destroyed later and in the background, in order. The
 * fabric's namespace has an id for every host namespace and the kernel withdraws the id when the
 * destruction of that namespace starts. When all ids are gone the fabric, joined to the
 * supervisor's own namespace by a veth pair, is let go; its link disappears after all that was let
 * go before it.
 */
#include "../../speaker/base/arena.h"
#include "lab_internal.h"
#include "netns.h"
#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ABORT_DEADLINE_MS 2000u
#define RELEASE_DEADLINE_MS 60000u
#define PROGRESS_EVERY 16u
#define SOCKET_TABLE_MIN 512u
#define CANARY_INDEX 9999u

struct nanotime lab_now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (struct nanotime){(uint64_t)t.tv_sec * NANOS_PER_S + (uint64_t)t.tv_nsec};
}

/* The limit behind an errno that says only that there is one. */
static const struct {
    int error;
    const char *cure;
} cures[] = {
    {EMFILE, " (raise the limit on open files: ulimit -n)"},
    {ENFILE, " (raise sysctl fs.file-max)"},
    {ENOSPC, " (raise sysctl user.max_net_namespaces)"},
    {EAGAIN, " (raise sysctl kernel.pid_max or ulimit -u)"},
};

static const char *cure_of(int error) {
    for (size_t i = 0; i < sizeof(cures) / sizeof(cures[0]); i++)
        if (cures[i].error == error)
            return cures[i].cure;
    return "";
}

void lab_add_finding(struct diag_list *diags, const char *host, const char *what, int error,
                     const char *detail) {
    bool more = detail != NULL && detail[0] != '\0';

    diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "lab", "%s%scannot %s: %s%s%s%s",
             host == NULL ? "" : host, host == NULL ? "" : ": ", what, strerror(error),
             more ? ": " : "", more ? detail : "", cure_of(error));
}

void lab_add_netlink_finding(struct diag_list *diags, const char *host, const struct netlink *nl) {
    lab_add_finding(diags, host, nl->error_what, nl->error, nl->error_text);
}

bool lab_open_netlink(struct lab *lab, uint32_t host, int protocol, struct netlink *ret_nl) {
    bool ok;

    if (!netns_enter(lab->nodes[host].netns_fd))
        return false;
    ok = netlink_open(ret_nl, protocol);
    return netns_enter(lab->home_fd) && ok;
}

/* ---- the plan as memory ---- */

static void *copy_array(const void *from, size_t count, size_t size) {
    void *copy = alloc_zero(count + 1, size);

    if (copy != NULL && count > 0)
        memcpy(copy, from, count * size);
    return copy;
}

static bool copy_lists(struct lab_node *n, const struct lab_host *h) {
    struct ip_addr *locals = alloc_zero(h->local_count + 1, sizeof(*locals));
    struct ip_prefix *delivered = copy_array(h->delivered, h->delivered_count, sizeof(*delivered));

    if (locals == NULL || delivered == NULL) {
        alloc_free(locals);
        alloc_free(delivered);
        return false;
    }
    for (size_t i = 0; i < h->local_count; i++)
        locals[i] = h->locals[i].addr;
    alloc_free(n->locals);
    alloc_free(n->delivered);
    n->locals = locals;
    n->delivered = delivered;
    n->local_count = h->local_count;
    n->delivered_count = h->delivered_count;
    return true;
}

static bool copy_host(struct lab *lab, uint32_t host, const struct lab_host *h,
                      uint32_t *fabric_index) {
    struct lab_node *n = &lab->nodes[host];

    n->name = arena_strdup(lab->arena, h->name);
    n->links = arena_array(lab->arena, h->interface_count + 1, sizeof(*n->links));
    n->link_count = h->interface_count;
    n->forwarding = h->forwarding;
    if (n->name == NULL || n->links == NULL || !copy_lists(n, h))
        return false;
    for (uint32_t i = 0; i < n->link_count; i++) {
        const struct lab_interface *from = &h->interfaces[i];
        n->links[i] = (struct lab_link){.name = arena_strdup(lab->arena, from->name),
                                        .segment = from->segment,
                                        .index = LAB_HOST_LINK_FIRST + i,
                                        .fabric_index = (*fabric_index)++,
                                        .addr4 = from->addr4,
                                        .addr6 = from->addr6,
                                        .length4 = from->length4,
                                        .length6 = from->length6};
        if (n->links[i].name == NULL)
            return false;
    }
    return true;
}

static bool copy_segments(struct lab *lab, const struct lab_spec *spec) {
    lab->segments = arena_array(lab->arena, spec->segment_count + 1, sizeof(*lab->segments));
    if (lab->segments == NULL)
        return false;
    for (size_t i = 0; i < spec->segment_count; i++) {
        lab->segments[i] = spec->segments[i];
        lab->segments[i].name = arena_strdup(lab->arena, spec->segments[i].name);
    }
    lab->segment_count = spec->segment_count;
    return true;
}

static bool copy_spec(struct lab *lab, const struct lab_spec *spec) {
    uint32_t fabric_index = LAB_FABRIC_LINK_FIRST;

    lab->fabric = spec->fabric;
    lab->ipv6 = spec->ipv6;
    lab->nodes = arena_array(lab->arena, spec->host_count + 1, sizeof(*lab->nodes));
    if (lab->nodes == NULL || !copy_segments(lab, spec))
        return false;
    for (uint32_t h = 0; h < spec->host_count; h++) {
        lab->nodes[h].netns_fd = -1;
        process_init(&lab->nodes[h].speaker);
    }
    lab->node_count = spec->host_count;
    for (uint32_t h = 0; h < spec->host_count; h++)
        if (!copy_host(lab, h, &spec->hosts[h], &fabric_index))
            return false;
    return true;
}

/* ---- limits that would make the build fail half-way ---- */

static bool check_host(const struct lab_spec *spec, const struct lab_host *h, size_t *ports,
                       struct diag_list *diags) {
    if (h->interface_count > LAB_LINKS_PER_HOST_MAX) {
        lab_add_finding(diags, h->name, "build", E2BIG, "more than 64 interfaces");
        return false;
    }
    for (size_t i = 0; i < h->interface_count; i++) {
        uint32_t s = h->interfaces[i].segment;
        if (s >= spec->segment_count) {
            lab_add_finding(diags, h->name, "build", EINVAL, "an interface on no segment");
            return false;
        }
        ports[s]++;
    }
    return true;
}

static bool check_spec(const struct lab_spec *spec, struct diag_list *diags) {
    size_t *ports = alloc_zero(spec->segment_count + 1, sizeof(*ports));
    bool ok = ports != NULL && spec->host_count <= LAB_HOSTS_MAX &&
              spec->segment_count <= CANARY_INDEX - LAB_BRIDGE_FIRST;

    if (!ok)
        lab_add_finding(diags, NULL, "build", ports == NULL ? ENOMEM : E2BIG,
                        "at most 20,000 hosts and 9,899 segments");
    for (size_t h = 0; ok && h < spec->host_count; h++)
        ok = check_host(spec, &spec->hosts[h], ports, diags);
    for (size_t s = 0; ok && spec->fabric == LAB_FABRIC_L2 && s < spec->segment_count; s++) {
        if (ports[s] <= LAB_BRIDGE_PORTS_MAX)
            continue;
        diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "lab-bridge-ports",
                 "segment %s has %zu hosts and a bridge takes %u: use the routed fabric",
                 spec->segments[s].name, ports[s], LAB_BRIDGE_PORTS_MAX);
        ok = false;
    }
    alloc_free(ports);
    return ok;
}

/* ---- descriptors ---- */

static bool open_signals(struct lab *lab) {
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    if (!step_ok() || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return false;
    lab->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return lab->signal_fd >= 0 && lab_watch(lab, lab->signal_fd, LAB_WATCH_SIGNAL, 0, false);
}

static bool open_board(struct lab *lab) {
    size_t slots = lab->node_count == 0 ? 1 : lab->node_count;

    lab->board_size = sizeof(struct scoreboard) + slots * sizeof(struct scoreboard_slot);
    lab->board_fd = step_ok() ? memfd_create("scoreboard", MFD_CLOEXEC) : -1;
    if (lab->board_fd < 0 || ftruncate(lab->board_fd, (off_t)lab->board_size) != 0)
        return false;
    lab->board = mmap(NULL, lab->board_size, PROT_READ | PROT_WRITE, MAP_SHARED, lab->board_fd, 0);
    if (lab->board == MAP_FAILED) {
        lab->board = NULL;
        return false;
    }
    lab->board->magic = SCOREBOARD_MAGIC;
    lab->board->version = SCOREBOARD_VERSION;
    lab->board->slot_count = (uint32_t)slots;
    lab->board->slot_size = sizeof(struct scoreboard_slot);
    atomic_store(&lab->board->bell_armed, 1);
    lab->bell_fd = step_ok() ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
    return lab->bell_fd >= 0 && lab_watch(lab, lab->bell_fd, LAB_WATCH_BELL, 0, false);
}

static bool find_speaker(struct lab *lab) {
    static const char name[] = "/ribcage-speaker";
    const char *chosen = getenv("RIBCAGE_SPEAKER");
    char *path = lab->speaker_path, *slash;
    ssize_t got;

    if (chosen != NULL && chosen[0] != '\0')
        return snprintf(path, sizeof(lab->speaker_path), "%s", chosen) <
               (int)sizeof(lab->speaker_path);
    got = readlink("/proc/self/exe", path, sizeof(lab->speaker_path) - sizeof(name));
    if (got <= 0)
        return false;
    path[got] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL)
        return false;
    memcpy(slash, name, sizeof(name));
    return true;
}

/*
 * A table of TCP connections for each host, instead of the machine's one. The dumps of lab_sockets
 * walk the whole table of a namespace, so with a shared one a full mesh of n hosts would cost n^3.
 * Best effort: older kernels have no such setting.
 */
static void own_socket_tables(const struct lab *lab) {
    char value[16];
    unsigned size = SOCKET_TABLE_MIN;

    while (size < 2 * lab->node_count)
        size *= 2;
    snprintf(value, sizeof(value), "%u", size);
    (void)netns_write_sysctl("net/ipv4/tcp_child_ehash_entries", value);
}

static bool open_descriptors(struct lab *lab, struct diag_list *diags) {
    char value[16] = "0";

    lab->home_fd = netns_open_current();
    lab->epoll_fd = lab->home_fd < 0 || !step_ok() ? -1 : epoll_create1(EPOLL_CLOEXEC);
    lab->null_fd = lab->epoll_fd < 0 || !step_ok() ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC);
    if (lab->null_fd < 0 || !open_signals(lab) || !open_board(lab) || !find_speaker(lab)) {
        lab_add_finding(diags, NULL, "open the lab's descriptors", errno, NULL);
        return false;
    }
    own_socket_tables(lab);
    lab->clear_rp_filter =
        netns_read_sysctl("net/ipv4/conf/all/rp_filter", value, sizeof(value)) && value[0] != '0';
    return true;
}

/* ---- build ---- */

static struct lab *lab_new(void) {
    struct lab *lab = alloc_zero(1, sizeof(*lab));

    if (lab == NULL)
        return NULL;
    lab->arena = arena_new();
    if (lab->arena == NULL) {
        alloc_free(lab);
        return NULL;
    }
    lab->home_fd = lab->fabric_fd = lab->fabric_nl.fd = -1;
    lab->board_fd = lab->bell_fd = lab->epoll_fd = lab->signal_fd = lab->null_fd = -1;
    lab->runtime_fd = -1;
    lab->release_deadline_ms = RELEASE_DEADLINE_MS;
    return lab;
}

static bool build_hosts(struct lab *lab, lab_progress_fn *progress, void *context,
                        struct diag_list *diags) {
    struct lab_progress p = {.hosts_total = lab->node_count};

    for (uint32_t h = 0; h < lab->node_count; h++) {
        if (!fabric_add_host(lab, h, diags))
            return false;
        p.hosts_built = h + 1;
        if (progress != NULL && (p.hosts_built % PROGRESS_EVERY == 0 || h + 1 == lab->node_count))
            progress(context, &p);
    }
    return true;
}

struct lab *lab_build(const struct lab_spec *spec, lab_progress_fn *progress, void *context,
                      struct diag_list *diags) {
    struct lab *lab;
    bool ok;

    if (!check_spec(spec, diags))
        return NULL;
    lab = lab_new();
    if (lab == NULL || !copy_spec(lab, spec)) {
        lab_add_finding(diags, NULL, "build", ENOMEM, NULL);
        lab_teardown(lab);
        return NULL;
    }
    ok = open_descriptors(lab, diags) && fabric_build(lab, diags) &&
         build_hosts(lab, progress, context, diags);
    if (lab->home_fd >= 0 && !netns_enter(lab->home_fd) && ok) {
        lab_add_finding(diags, NULL, "return to the supervisor's namespace", errno, NULL);
        ok = false;
    }
    if (ok)
        return lab;
    lab_teardown(lab);
    return NULL;
}

/* ---- teardown ---- */

static void count_message(void *context, const struct nlmsghdr *m) {
    (void)m;
    ++*(size_t *)context;
}

/* Namespaces that the fabric's namespace still knows. */
static size_t count_known(struct netlink *nl) {
    struct rtgenmsg m = {.rtgen_family = AF_UNSPEC};
    size_t count;
    int error;

    do {
        struct request r = request_new(RTM_GETNSID, NLM_F_DUMP, &m, sizeof(m));
        count = 0;
        error = netlink_dump(nl, &r, count_message, &count);
    } while (error == -EINTR); /* it changed under way */
    return error == 0 ? count : 0;
}

/* Blocks until the kernel reports a change in the group or the deadline has come. */
static bool await_event(int fd, struct nanotime deadline) {
    char buffer[4096];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    uint64_t left_ms = nanotime_since(deadline, lab_now()) / NANOS_PER_MS;

    if (left_ms == 0 || poll(&p, 1, (int)left_ms) <= 0)
        return false;
    while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
        continue;
    return true;
}

static int open_events(int group) {
    struct sockaddr_nl a = {.nl_family = AF_NETLINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd >= 0 && (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
                    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static size_t count_canary(struct netlink *nl) {
    struct ifinfomsg m = {.ifi_index = CANARY_INDEX};
    struct request r = request_new(RTM_GETLINK, 0, &m, sizeof(m));
    size_t count = 0;

    return netlink_dump(nl, &r, count_message, &count) == 0 ? count : 0;
}

/* Waits until the hosts' namespaces are being destroyed. Returns how many are not. */
static size_t await_hosts(struct lab *lab, struct nanotime deadline) {
    int ids = open_events(RTNLGRP_NSID);
    size_t left = 0;

    lab->fabric_nl.error = 0;
    if (ids < 0)
        return 0;
    do
        left = count_known(&lab->fabric_nl);
    while (left > 0 && await_event(ids, deadline));
    close(ids);
    return left;
}

static void release_fabric(struct lab *lab) {
    netlink_close(&lab->fabric_nl);
    if (lab->fabric_fd >= 0)
        close(lab->fabric_fd);
    lab->fabric_fd = -1;
}

/* Joins the fabric to home, lets it go, and waits until the kernel has taken the link away. */
static void await_fabric(struct lab *lab, struct nanotime deadline) {
    struct link_veth v = {.near_index = CANARY_INDEX,
                          .far_index = CANARY_INDEX + 1,
                          .near_name = "canary",
                          .far_name = "canary",
                          .near_mac = {{2, 0, 0, 0, 0, 1}},
                          .far_mac = {{2, 0, 0, 0, 0, 2}},
                          .far_netns_fd = lab->fabric_fd};
    struct netlink home;
    int links = open_events(RTNLGRP_LINK);

    if (!netlink_open(&home, NETLINK_ROUTE)) {
        release_fabric(lab);
    } else {
        link_add_veth(&home, &v);
        (void)netlink_flush(&home);
        release_fabric(lab);
        while (links >= 0 && count_canary(&home) > 0 && await_event(links, deadline))
            continue;
        netlink_close(&home);
    }
    if (links >= 0)
        close(links);
}

static size_t release_namespaces(struct lab *lab) {
    struct nanotime deadline = nanotime_add_ms(lab_now(), lab->release_deadline_ms);
    bool made = false;
    size_t held = 0;

    if (lab->fabric_nl.fd >= 0) {
        lab->fabric_nl.error = 0;
        lab->fabric_nl.count = lab->fabric_nl.size = 0;
        link_delete_group(&lab->fabric_nl);
        (void)netlink_flush(&lab->fabric_nl);
    }
    for (size_t h = 0; h < lab->node_count; h++) {
        made = made || lab->nodes[h].netns_fd >= 0;
        if (lab->nodes[h].netns_fd >= 0)
            close(lab->nodes[h].netns_fd);
        lab->nodes[h].netns_fd = -1;
    }
    if (made && lab->fabric_nl.fd >= 0 && netns_enter(lab->fabric_fd))
        held = await_hosts(lab, deadline);
    if (lab->home_fd >= 0 && netns_enter(lab->home_fd) && lab->fabric_fd >= 0)
        await_fabric(lab, deadline);
    else
        release_fabric(lab);
    return held;
}

static void close_descriptors(struct lab *lab) {
    int *fds[] = {&lab->home_fd,   &lab->board_fd, &lab->bell_fd,   &lab->epoll_fd,
                  &lab->signal_fd, &lab->null_fd,  &lab->runtime_fd};

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
    if (lab->board != NULL)
        munmap(lab->board, lab->board_size);
}

static void stop_processes(struct lab *lab) {
    bool any = false;

    for (size_t h = 0; h < lab->node_count; h++)
        any = any || lab->nodes[h].speaker.pid > 0;
    if (!any)
        return;
    control_abort_all(lab, ABORT_DEADLINE_MS);
    process_kill_all(lab);
    sockets_destroy_orphans(lab);
}

size_t lab_teardown(struct lab *lab) {
    size_t held;

    if (lab == NULL)
        return 0;
    capture_stop(lab);
    if (lab->epoll_fd >= 0)
        stop_processes(lab);
    overlay_stop(lab);
    /* A build that failed may have left the thread inside a host. */
    if (lab->home_fd >= 0)
        (void)netns_enter(lab->home_fd);
    held = release_namespaces(lab);
    for (size_t h = 0; h < lab->node_count; h++) {
        process_deinit(lab, &lab->nodes[h].speaker);
        alloc_free(lab->nodes[h].locals);
        alloc_free(lab->nodes[h].delivered);
        alloc_free(lab->nodes[h].blocks);
    }
    close_descriptors(lab);
    arena_free(lab->arena);
    alloc_free(lab);
    return held;
}

/* ---- looking and changing ---- */

int lab_host_netns(const struct lab *lab, uint32_t host) {
    return lab->nodes[host].netns_fd;
}

struct scoreboard_slot *lab_slot(const struct lab *lab, uint32_t host) {
    return &lab->board->slots[host];
}

static bool has_local(const struct lab_host *h, struct ip_addr a) {
    for (size_t i = 0; i < h->local_count; i++)
        if (ip_equal(h->locals[i].addr, a))
            return true;
    return false;
}

static bool had_local(const struct lab_node *n, struct ip_addr a) {
    for (size_t i = 0; i < n->local_count; i++)
        if (ip_equal(n->locals[i], a))
            return true;
    return false;
}

static bool in_prefixes(const struct ip_prefix *list, size_t count, struct ip_prefix p) {
    for (size_t i = 0; i < count; i++)
        if (ip_prefix_equal(list[i], p))
            return true;
    return false;
}

static void queue_locals(struct netlink *nl, const struct lab_node *n, const struct lab_host *h) {
    for (size_t i = 0; i < n->local_count; i++)
        if (!has_local(h, n->locals[i]))
            link_delete_addr(nl, LAB_LOOPBACK, n->locals[i],
                             ip_bits((enum ip_family)n->locals[i].family));
    for (size_t i = 0; i < h->local_count; i++)
        if (!had_local(n, h->locals[i].addr))
            link_add_addr(nl, LAB_LOOPBACK, h->locals[i].addr,
                          ip_bits((enum ip_family)h->locals[i].addr.family));
}

static bool update_delivered(struct lab *lab, uint32_t host, const struct lab_host *h) {
    const struct lab_node *n = &lab->nodes[host];

    for (size_t i = 0; i < n->delivered_count; i++)
        if (!in_prefixes(h->delivered, h->delivered_count, n->delivered[i]) &&
            !fabric_deliver(lab, host, n->delivered[i], false))
            return false;
    for (size_t i = 0; i < h->delivered_count; i++)
        if (!in_prefixes(n->delivered, n->delivered_count, h->delivered[i]) &&
            !fabric_deliver(lab, host, h->delivered[i], true))
            return false;
    return true;
}

static bool same_links(const struct lab_node *n, const struct lab_host *h) {
    bool same = n->link_count == h->interface_count;

    for (size_t i = 0; same && i < n->link_count; i++)
        same = n->links[i].segment == h->interfaces[i].segment &&
               ip_equal(n->links[i].addr4, h->interfaces[i].addr4) &&
               ip_equal(n->links[i].addr6, h->interfaces[i].addr6);
    return same;
}

bool lab_update_host(struct lab *lab, uint32_t host, const struct lab_host *want,
                     struct diag_list *diags) {
    struct lab_node *n = &lab->nodes[host];
    struct netlink nl;
    bool ok;

    if (!same_links(n, want)) {
        lab_add_finding(diags, n->name, "change addresses", EOPNOTSUPP,
                        "interfaces stay as they were built");
        return false;
    }
    if (!lab_open_netlink(lab, host, NETLINK_ROUTE, &nl)) {
        lab_add_finding(diags, n->name, "enter the namespace", errno, NULL);
        return false;
    }
    queue_locals(&nl, n, want);
    ok = netlink_flush(&nl);
    if (!ok)
        lab_add_netlink_finding(diags, n->name, &nl);
    netlink_close(&nl);
    if (ok && !update_delivered(lab, host, want)) {
        lab_add_finding(diags, n->name, "change what the fabric delivers", errno, NULL);
        ok = false;
    }
    if (ok && !copy_lists(n, want)) {
        lab_add_finding(diags, n->name, "change addresses", ENOMEM, NULL);
        ok = false;
    }
    return ok;
}
