#ifndef RIBCAGE_HOST_HOST_H
#define RIBCAGE_HOST_HOST_H

#include "../base/arena.h"
#include "../base/diag.h"
#include "../core/bgp.h"
#include "loop.h"
#include "options.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One speaker in one network namespace: what its parts share.
 *
 *   options.c    the command line; host_load.c: from there to a configuration
 *   ctl.c        asks a running speaker; ctl_mrt.c: table dumps, ctl_print.c: its answers
 *   loop.c       epoll and deadlines
 *   sockets.c    listeners; connections to and from peers (connection.c, sockopt.c), those the
 *                speaker has let go (departure.c)
 *   accept.c     connections taken in, also when descriptors are out
 *   badauth.c    calls with a wrong TCP MD5 signature; tcp_state.c TCP's own figures
 *   netlink.c    rtnetlink messages; monitor.c: what changes in the kernel (attention.c: when)
 *   resolver.c   next hops through the kernel's table
 *   fib.c        best paths into the kernel's table; fib_target.c: where a route leads
 *   control.c    the line protocol; requests.c its operations, dump.c tables as JSON
 *   board.c      the scoreboard
 *   exec.c       show commands of BIRD; exec_route.c: `show route`
 *   router.c     the mock Cisco beside the speaker; vty.c its terminals,
 *                syslog.c its log's hosts
 *   log.c        log lines
 *   mrt_log.c    messages into an MRT file; mrt_table.c the table into another
 *   host.c       starts, feeds events to all of these, stops
 */

struct sockets;
struct badauth;
struct fib;
struct netlink;
struct resolver;
struct monitor;
struct control;
struct board;
struct log;
struct router;
struct mrt_log;

struct host {
    struct host_options options;
    struct nanotime configured; /* last configuration */
    struct loop loop;
    struct bgp_speaker *speaker; /* NULL: a router without BGP */
    uint64_t config_generation;
    bool recovering; /* kernel routes of an earlier life stay until the first best paths stand */
    struct nanotime started;
    struct sockets *sockets;
    struct badauth *badauth;
    struct netlink *netlink; /* requests; the monitor listens on its own */
    struct fib *fib;
    struct resolver *resolver;
    struct monitor *monitor;
    struct control *control;
    struct board *board;
    struct log *log;
    struct router *router; /* NULL: not IOS */
    struct mrt_log *mrt;   /* NULL: no file of messages */
    struct loop_source signals;
    int reserve_fd, operator_fd; /* accept.c */
    bool stopping;               /* SIGTERM, SIGINT or a stop request */
    bool abort;                  /* … without Cease */
    struct nanotime stop_deadline;
    bool worked;             /* this turn had something to do */
    bool trim_wanted;        /* much memory was freed: give it back soon */
    struct nanotime trim_at; /* when; 0: not wanted */
    int exit_status;
};

enum host_exit {
    HOST_EXIT_OK = 0,
    HOST_EXIT_CONFIG = 1,
    HOST_EXIT_USAGE = 2,
    HOST_EXIT_UNABLE = 4,
    HOST_EXIT_INTERNAL = 6,
};

/* Runs until told to stop; the exit status. */
int host_run(const struct host_options *options);

/* Takes the speaker's events off and acts on them. After every call that may change the speaker. */
void host_drain(struct host *h);
/* Puts a configuration in force (NULL: no BGP). False with a finding: the old one stays. */
bool host_configure(struct host *h, const struct bgp_config *config, struct diag_list *diags);
/* Orderly stop; `abort`: RST instead of Cease. */
void host_stop(struct host *h, const char *text, bool abort);

/* The configuration that the options name, put in force (or, with `check_only`, only checked).
 * False with findings. */
bool host_load(struct host *h, bool check_only, struct diag_list *diags);
/* The file once more, while running; what is refused leaves the old one in force. Said in the log.
 */
bool host_reload(struct host *h, struct diag_list *diags);

#endif
