#ifndef RIBCAGE_LAB_H
#define RIBCAGE_LAB_H

#include "../../speaker/base/addr.h"
#include "../../speaker/base/diag.h"
#include "../../speaker/base/nanotime.h"
#include "../../speaker/base/scoreboard.h"
#include "../../speaker/base/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The substrate: namespaces, links, addresses, fabric, speaker processes, faults, captures.
 *
 * A lab lives in a supervisor process that is PID 1 of its own PID namespace and has its own mount,
 * network and IPC namespaces (and user namespace when the caller is not root). When it ends, by
 * whatever cause, the kernel ends every process of the lab and releases every namespace: a dead lab
 * leaves nothing, by construction. Node namespaces are held by descriptors, not by names; every
 * veth pair is made in one request straight between its namespaces; nothing is ever made in the
 * host's.
 *
 *   supervise.c  making the supervisor, its death, user namespaces
 *   lab.c        struct lab: build and teardown
 *   fabric.c     what joins the hosts: bridges or a router
 *   netns.c      namespaces by descriptor, sysctls
 *   link.c       rtnetlink (libnl-3): veth, bridge, addresses, routes, neighbours
 *   nft.c        nf_tables: dropping TCP by port
 *   netlink.c    queues of netlink requests, dumps
 *   wait.c       the one place where a lab waits
 *   process.c    speakers: start, watch, stop; programs run for a moment
 *   control.c    requests to speakers
 *   daemon.c     nodes run by other BGP programs (daemon.h): files, sockets, the same requests
 *   daemon_locate.c  where such a program is on this machine
 *   bird.c       BIRD 1.6; bird_text.c what it says, as data
 *   fault.c      kill, stop, link down, block TCP 179; step.c fails a step of the build, for tests
 *   sockets.c    sock_diag: established TCP
 *   routes.c     the kernel's main table of a host
 *   capture.c    libpcap: OPEN messages on the wire
 *   frame.c      an OPEN in a captured frame
 *   probe.c      packets from pod to pod; stream.c: all the while; icmp.c: their form
 *   wire.c       the same, and the frames they travel in (wire.h)
 *   overlay.c    tunnels and the routes into them (overlay.h); ipip_tun.c: IPIP without a device
 *   host.c       what this machine can do (doctor)
 *   proc.c       what /proc says of processes: memory, CPU, about to end
 *   fidelity.c   was the host quiet enough (fidelity.h)
 */

/* ---- supervisor ---- */

struct supervisor_options {
    bool outlive_caller; /* `up`: not killed with the caller */
};
/*
 * Runs `body` as PID 1 of new namespaces, in a child; `fd` is one end of a socket pair whose other
 * end the caller gets. Returns the supervisor's pid as seen by the caller (and a pidfd), or -1 with
 * a finding that names what the kernel refused and what to do.
 */
typedef int supervisor_body(int fd, void *argument);
pid_t supervise(const struct supervisor_options *o, supervisor_body *body, void *argument,
                int *ret_fd, int *ret_pidfd, struct diag_list *diags);

/* ---- what to build ---- */

enum lab_fabric { LAB_FABRIC_L2, LAB_FABRIC_ROUTED };

struct lab_interface {
    const char *name; /* <= 15 characters, checked by topo */
    uint32_t segment;
    struct ip_addr addr4, addr6; /* not set: none */
    uint8_t length4, length6;    /* on an l2 segment; routed uses /32 and /128 */
};
struct lab_local { /* an address on lo: pods, loopbacks */
    struct ip_addr addr;
};
struct lab_host {
    const char *name;
    const struct lab_interface *interfaces;
    size_t interface_count;
    const struct lab_local *locals;
    size_t local_count;
    /* Routed fabric: what the fabric delivers to this host beside its own addresses, as an L2
     * network would by MAC address: its blocks. */
    const struct ip_prefix *delivered;
    size_t delivered_count;
    bool forwarding; /* routers and nodes: 1 */
};
struct lab_segment {
    const char *name;
    struct ip_prefix subnet4, subnet6;
};
struct lab_spec {
    enum lab_fabric fabric;
    const struct lab_segment *segments;
    size_t segment_count;
    const struct lab_host *hosts;
    size_t host_count;
    bool ipv6; /* false: links stay silent (address generation mode none) */
};

/* ---- the lab (called in the supervisor) ---- */

struct lab;

struct lab_progress { /* counts for the live line */
    size_t hosts_built, hosts_total, speakers_started;
};
/* All or nothing: an error unwinds what was built. NULL with findings. `progress` may be NULL; it
 * is called now and then. */
typedef void lab_progress_fn(void *context, const struct lab_progress *p);
struct lab *lab_build(const struct lab_spec *spec, lab_progress_fn *progress, void *context,
                      struct diag_list *diags);
/* Stops every process (RST on their connections), removes links, waits until the kernel has let go.
 * Returns how many hosts' namespaces it has not let go within a minute: somebody from outside the
 * lab is in them still. Who that is cannot be seen from here (sim/cli/holders.c). */
size_t lab_teardown(struct lab *lab);
struct scoreboard_slot *lab_slot(const struct lab *lab, uint32_t host);
/* The host's network namespace; the lab's descriptor, not to be closed. */
int lab_host_netns(const struct lab *lab, uint32_t host);

/* Local addresses and delivered prefixes after the plan changed (pods, blocks). A change of
 * interfaces is refused. */
bool lab_update_host(struct lab *lab, uint32_t host, const struct lab_host *want,
                     struct diag_list *diags);

/* ---- speakers ---- */

struct lab_speaker_spec {
    const char *config; /* JSON (ios NULL) or NULL */
    size_t config_size;
    const char *ios; /* running-config text */
    size_t ios_size;
    const char *hostname;   /* IOS: until the text gives one; NULL */
    const char *interfaces; /* IOS: "eth0=GigabitEthernet0/0,…"; NULL */
    const char *profile;    /* NULL: the configuration's */
    const char *mrt_file;   /* absolute; messages go there too; NULL */
    bool restarting;        /* RFC 4724 */
    bool extra_log;         /* keep more log lines */
};
/* Starts ribcage-speaker in the host's namespace; does not wait for it. False with a finding. */
bool lab_speaker_start(struct lab *lab, uint32_t host, const struct lab_speaker_spec *spec,
                       struct diag_list *diags);
enum lab_exit_kind { LAB_RUNNING, LAB_EXITED, LAB_KILLED, LAB_NEVER_STARTED };
struct lab_speaker_state {
    enum lab_exit_kind kind;
    int code;      /* exit status or signal */
    bool expected; /* we stopped or killed it */
    pid_t pid;     /* in the lab's PID namespace */
};
struct lab_speaker_state lab_speaker_state(const struct lab *lab, uint32_t host);
/* SIGTERM (Cease) and wait up to `deadline_ms`. */
bool lab_speaker_stop(struct lab *lab, uint32_t host, uint32_t deadline_ms);
/* Its log, bounded; lines are numbered from the start of the run. */
const struct text *lab_speaker_log(const struct lab *lab, uint32_t host);
/* Lines cut off at its front: the number (from 0) of the first line kept. */
uint64_t lab_speaker_log_first(const struct lab *lab, uint32_t host);

/* A request of speaker/CONTROL.md; `request` is borrowed. NULL: no answer within the deadline or
 * the speaker is gone (then *ret_error, static text). A new reference otherwise. */
json_t *lab_request(struct lab *lab, uint32_t host, json_t *request, uint32_t deadline_ms,
                    const char **ret_error);
/* The same request to many at once, answers in the order of hosts (NULL entries for failures). */
void lab_request_all(struct lab *lab, const uint32_t *hosts, json_t *const *requests, size_t count,
                     uint32_t deadline_ms, json_t **ret_answers);

/* ---- waiting ----
 * Handles what speakers and children send, then sleeps until the scoreboard's bell rings, a child
 * ends, `extra_fd` (-1: none) is readable, or the deadline has come. */
enum lab_wake { LAB_WAKE_BELL, LAB_WAKE_CHILD, LAB_WAKE_FD, LAB_WAKE_DEADLINE, LAB_WAKE_SIGNAL };
enum lab_wake lab_wait(struct lab *lab, struct nanotime deadline, int extra_fd);
/* The last SIGINT, SIGTERM or SIGHUP that LAB_WAKE_SIGNAL reported; 0: none yet. */
int lab_signal(const struct lab *lab);
struct nanotime lab_now(void);

/* ---- faults ---- */

enum lab_fault {
    LAB_FAULT_KILL,   /* SIGKILL */
    LAB_FAULT_STOP,   /* SIGTERM: Cease */
    LAB_FAULT_FREEZE, /* SIGSTOP */
    LAB_FAULT_THAW,
    LAB_FAULT_LINK_DOWN,
    LAB_FAULT_LINK_UP,
    LAB_FAULT_BLOCK_BGP, /* drop TCP port 179 (or `port`) in both directions */
    LAB_FAULT_UNBLOCK_BGP,
};
/* `peer` UINT32_MAX: all of the host's traffic, else only with that host. */
bool lab_fault(struct lab *lab, enum lab_fault f, uint32_t host, uint32_t peer, uint16_t port,
               struct diag_list *diags);
/* SYNs to `port` that a block dropped at this host since it was set. */
uint64_t lab_blocked_syns(struct lab *lab, uint32_t host);

/* ---- witnesses ---- */

struct lab_socket {
    uint32_t host;
    struct ip_addr local, remote;
    uint16_t local_port, remote_port;
    uint8_t state; /* TCP_ESTABLISHED… */
};
/* All TCP sockets of all hosts, from sock_diag inside each namespace. The array is the
 * caller's (alloc_free). Returns the count or -1. */
ssize_t lab_sockets(struct lab *lab, struct lab_socket **ret_sockets);

struct lab_route {
    struct ip_prefix prefix;
    struct ip_addr gateway; /* not set: connected or blackhole */
    char interface[16];
    uint32_t metric;
    uint8_t protocol; /* RTPROT_* */
    bool blackhole;
};
/* The main table of one host, sorted by prefix; the caller's (alloc_free). Count or -1. */
ssize_t lab_routes(struct lab *lab, uint32_t host, struct lab_route **ret_routes);

/* OPEN messages seen on the wire since the build: a capture in the fabric, with a filter that
 * keeps only segments of TCP, whatever their ports, that hold an OPEN; 64 MiB of buffer. */
bool lab_capture_start(struct lab *lab, const char *pcap_path, struct diag_list *diags);
struct lab_open {
    struct ip_addr from, to;
    uint32_t as; /* capability 65 or the field */
    uint32_t router_id;
    uint16_t hold_time_s;
    uint64_t count; /* times seen */
    struct nanotime last;
};
/* Distinct (from, to), sorted. Lost packets are reported: a witness that may have missed something
 * says so. */
ssize_t lab_capture_opens(struct lab *lab, struct lab_open **ret_opens, uint64_t *ret_lost);

/* Packets: one ICMP echo (or UDP, whatever needs no daemon) per pair, all at once, answered by the
 * other host's kernel; retried until the deadline. */
struct lab_probe {
    uint32_t from, to;
    struct ip_addr source, destination;
    bool arrived;      /* out: answer seen */
    uint32_t attempts; /* out */
    uint64_t rtt_ns;   /* out */
    const char *error; /* out: "no route to host", "no answer", "" */
};
bool lab_ping(struct lab *lab, struct lab_probe *probes, size_t count, uint32_t deadline_ms);

/* Packets all the while: one a flow each LAB_STREAM_INTERVAL_MS, to see what a change loses. */
#define LAB_STREAM_INTERVAL_MS 20u
#define LAB_FLOWS_MAX 1000u
struct lab_flow {
    uint32_t from, to;
    struct ip_addr source, destination;
    uint64_t sent, answered; /* out */
    uint64_t outage_ns;      /* out, at the end: the longest, 0 when nothing was lost */
};
struct lab_stream;
/* `flows` is the caller's and outlives the stream. NULL: errno. */
struct lab_stream *lab_stream_start(struct lab *lab, struct lab_flow *flows, size_t count);
/* Takes what came, and sends when it is time; never blocks. Returns when to call again. A round
 * that was missed is not made up for. */
struct nanotime lab_stream_tick(struct lab_stream *s);
/* Takes what came; false: not all answers are there yet. */
bool lab_stream_drained(struct lab_stream *s);
/* Fills in the flows' outages and frees it. */
void lab_stream_end(struct lab_stream *s);

/* A program in a host's namespace, argv only, with the caller's standard descriptors. Exit status.
 */
int lab_exec(struct lab *lab, uint32_t host, char *const argv[], int in, int out, int err);

/* ---- host ---- */

struct lab_needs {
    size_t hosts, sessions, routes, sockets_per_speaker_max;
    bool ipv6, password, capture, routed;
};
/* One thing a run needs and the host has or has not. */
struct lab_need {
    const char *what; /* "memory, MiB" */
    uint64_t needed, here;
    bool estimated; /* by what nodes, sessions and routes took elsewhere */
};
#define LAB_NEEDS_MAX 8
#define LAB_DESCRIPTORS_MAX 65536u /* to which the supervisor raises its limit where it may */
/* Counts without building anything; findings as below for what is short. Returns how many. */
size_t host_weigh(const struct lab_needs *needs, struct lab_need ret_list[LAB_NEEDS_MAX],
                  struct diag_list *diags);
/* `ribcage doctor`: what this machine offers, what is short, one line each, with the cure.
 * Appends findings: errors make a run impossible. */
void host_check(const struct lab_needs *needs, struct diag_list *diags, json_t *ret_facts);

/* Memory and CPU of a process of the lab, from /proc: PSS in bytes (0 if not readable); how long it
 * stood in the run queue (0 if the kernel does not count it). */
struct lab_usage {
    uint64_t pss_bytes, rss_bytes, cpu_ns, wait_ns;
};
struct lab_usage lab_speaker_usage(const struct lab *lab, uint32_t host);
/* When a process that /proc shows here began, in ticks of the clock (_SC_CLK_TCK) since the machine
 * did. False: there is none. */
bool lab_process_began(pid_t pid, uint64_t *ret_ticks);
/* Reaps what has ended, and waits for what has begun to end. True: a child has ended that lab_wait
 * has not reported yet. */
bool lab_await_exits(struct lab *lab, uint32_t deadline_ms);

#endif
