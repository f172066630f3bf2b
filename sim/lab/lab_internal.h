#ifndef RIBCAGE_LAB_INTERNAL_H
#define RIBCAGE_LAB_INTERNAL_H

#include "daemon.h"
#include "lab.h"
#include "link.h"
#include "netlink.h"
#include "overlay.h"

#include <signal.h>

/*
 * struct lab as the files of this folder see it. Everybody else includes lab.h.
 */

struct capture;
struct ipip_tun;
struct overlay;

#define LAB_LOG_BYTES_MAX (256u << 10)
#define LAB_LOG_EXTRA_BYTES_MAX (4u << 20)
#define LAB_ANSWER_BYTES_MAX (64u << 20)
#define LAB_HOSTS_MAX 20000u
#define LAB_BRIDGE_PORTS_MAX 1000u

/* Index of the first link in a host's namespace and in the fabric: chosen, so that nothing has to
 * be looked up. The two ranges are apart on purpose (see struct link_veth). */
#define LAB_TUNNEL_FIRST 8u /* tunnel devices, by enum lab_tunnel */
#define LAB_HOST_LINK_FIRST 16u
#define LAB_BRIDGE_FIRST 100u
#define LAB_FABRIC_LINK_FIRST 10000u
#define LAB_LINKS_PER_HOST_MAX 64u
#define LAB_LOOPBACK 1u

struct lab_link {
    const char *name; /* in the host */
    uint32_t segment;
    uint32_t index;        /* in the host's namespace */
    uint32_t fabric_index; /* in the fabric's */
    struct ip_addr addr4, addr6;
    uint8_t length4, length6;
    bool down; /* by a fault */
};

struct lab_block {
    uint32_t peer; /* UINT32_MAX: everybody */
    uint16_t port;
};

/* What runs a node in ribcage-speaker's place. */
struct daemon {
    const struct daemon_driver *driver; /* NULL: none */
    const struct daemon_root *root;
    pid_t pids[DAEMON_PROGRAMS_MAX]; /* 0: that one does not run */
    bool ending;                     /* one of them has ended by itself: `status` */
    int status;
};

struct speaker {
    struct daemon daemon;
    enum lab_exit_kind kind;
    int code;
    bool expected;
    pid_t pid; /* 0: none; of a daemon: one of its processes */
    int control_fd, log_fd;
    struct text out; /* requests not written yet */
    size_t out_sent;
    struct text in; /* an answer not complete yet */
    size_t in_scanned;
    struct text log;
    size_t log_bytes_max;
    uint64_t log_dropped; /* lines cut off at the front */
};

struct lab_node {
    const char *name;
    int netns_fd; /* -1: not made */
    struct lab_link *links;
    size_t link_count;
    struct ip_addr *locals; /* alloc_free */
    size_t local_count;
    struct ip_prefix *delivered; /* alloc_free */
    size_t delivered_count;
    bool forwarding;
    struct lab_block *blocks; /* alloc_free */
    size_t block_count;
    struct overlay *overlay; /* overlay.c; NULL: no tunnels were ever asked for */
    struct speaker speaker;
};

/* What lab_request_all is waiting for: ids first … first + count - 1. */
struct control_wait {
    uint64_t first;
    size_t count, remaining;
    const uint32_t *hosts;
    json_t **answers;
    bool *done;
};

struct lab {
    struct arena *arena;
    enum lab_fabric fabric;
    bool ipv6;
    bool clear_rp_filter; /* the kernel's default is not 0 */
    struct lab_segment *segments;
    size_t segment_count;
    struct lab_node *nodes;
    size_t node_count;
    int home_fd;   /* the supervisor's own namespace */
    int fabric_fd; /* bridges, or the router */
    struct netlink fabric_nl;
    struct scoreboard *board;
    size_t board_size;
    int board_fd, bell_fd, epoll_fd, signal_fd, null_fd;
    char speaker_path[512];
    uint64_t control_id_last;
    struct control_wait *waiting;
    size_t control_queued_bytes;
    pid_t exec_pid; /* a child that lab_exec waits for; 0: none */
    int exec_status;
    bool exec_done;
    bool child_ended, bell_rung; /* news for lab_wait */
    int signal_pending;          /* SIGINT, SIGTERM or SIGHUP not reported yet; 0: none */
    int signal_last;
    struct nanotime bell_last;
    struct capture *capture;
    struct ipip_tun *ipip_tun; /* NULL: no TUN device is served */
    enum lab_ipip ipip;
    uint16_t icmp_series; /* of the last probes: answers that come late are of another */
    int runtime_fd; /* files and sockets of daemons: a file system nobody else sees; -1: none yet */
    uint32_t release_deadline_ms; /* for the kernel to let go at the teardown */
};

/* lab.c */
/* One finding: what could not be done, at which host (NULL: none), and what the kernel said. */
void lab_add_finding(struct diag_list *diags, const char *host, const char *what, int error,
                     const char *detail);
void lab_add_netlink_finding(struct diag_list *diags, const char *host, const struct netlink *nl);
/* Opens a socket inside a host, leaving the calling thread at home again. */
bool lab_open_netlink(struct lab *lab, uint32_t host, int protocol, struct netlink *ret_nl);

/* wait.c */
bool lab_watch(struct lab *lab, int fd, uint32_t kind, uint32_t host, bool writable);
void lab_unwatch(struct lab *lab, int fd);
/* Handles what is there; waits for something until the deadline when there is nothing. */
void lab_pump(struct lab *lab, struct nanotime deadline, int extra_fd, bool *ret_extra);

enum lab_watch_kind { LAB_WATCH_SIGNAL, LAB_WATCH_BELL, LAB_WATCH_CONTROL, LAB_WATCH_LOG };

/* process.c */
#define CHILD_FDS_MAX 8
struct child {
    int netns_fd;
    const char *path;
    char *const *argv;
    char *const *envp;      /* NULL: the supervisor's */
    int fds[CHILD_FDS_MAX]; /* become 0, 1, 2… */
    int fd_count;
    volatile int error; /* out */
};
/* The child's pid, or -1 with errno when it could not be made or could not execute. */
pid_t process_spawn(struct child *c);
/* Before a new one is started: reads the last words of the one before, forgets its connection. */
void process_forget(struct lab *lab, uint32_t host);
/* To all processes of a host's speaker. */
bool process_signal(const struct speaker *s, int signal);
void process_init(struct speaker *s);
void process_deinit(struct lab *lab, struct speaker *s);
void process_reap_all(struct lab *lab);
void process_read_log(struct lab *lab, uint32_t host);
void process_append_log(struct speaker *s, const char *data, size_t size);
/* SIGKILL to all and wait until every one is reaped. */
void process_kill_all(struct lab *lab);

/* daemon.c */
/* A request of CONTROL.md answered by the host's daemon; a new reference, NULL: no memory. */
json_t *daemon_request(struct lab *lab, uint32_t host, const json_t *request,
                       struct nanotime deadline);

/* control.c */
void control_read(struct lab *lab, uint32_t host);
void control_write(struct lab *lab, uint32_t host);
void control_close(struct lab *lab, uint32_t host);
/* Asks every speaker to leave with RST; returns when they have answered or the deadline is past. */
void control_abort_all(struct lab *lab, uint32_t deadline_ms);

/* fabric.c */
bool fabric_build(struct lab *lab, struct diag_list *diags);
bool fabric_add_host(struct lab *lab, uint32_t host, struct diag_list *diags);
bool fabric_set_link(struct lab *lab, uint32_t host, uint32_t link, bool up);
struct ip_addr fabric_gateway(uint8_t family);
/* What the fabric delivers to a host changed. */
bool fabric_deliver(struct lab *lab, uint32_t host, struct ip_prefix p, bool add);
/* The address of a host's VTEP on a VXLAN device; the same in every namespace. */
struct link_mac fabric_vtep_mac(uint32_t host, uint32_t device);
/* Another host's address as next hop on the link: itself, or the router of the routed fabric. */
struct ip_addr fabric_next_hop(const struct lab *lab, struct ip_addr host);

/* proc.c */
/* The figure of a line `KEY   123 kB`, in bytes; 0 when the line is another. */
uint64_t proc_kib_line(const char *line, const char *key);

/* sockets.c */
/* Ends what closed processes left behind (FIN-WAIT and the like), which would hold a namespace. */
void sockets_destroy_orphans(struct lab *lab);

/* capture.c */
void capture_stop(struct lab *lab);
/* A capture of frames that come into the fabric, non-blocking, of link type LINUX_SLL; the caller's
 * (pcap_close). NULL with the reason in `error` (PCAP_ERRBUF_SIZE octets). */
struct pcap *capture_open(struct lab *lab, const char *filter, int buffer_bytes, char error[256]);
/* Frames that passed its filter and found no room; 1 where the kernel does not say how many. */
uint64_t capture_lost(struct pcap *pcap);

/* overlay.c */
/* The tunnel whose device has this index in a host; NULL: none. */
const char *overlay_device_name(const struct lab_node *n, uint32_t index);
void overlay_stop(struct lab *lab);

#endif
