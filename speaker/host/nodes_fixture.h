#ifndef RIBCAGE_HOST_NODES_FIXTURE_H
#define RIBCAGE_HOST_NODES_FIXTURE_H

#include "../base/nanotime.h"
#include "../base/scoreboard.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * For tests: a handful of network namespaces on one subnet, a speaker process in any of them.
 *
 * Node n is 10.0.0.(n+1)/24 and fd00::(n+1)/64 on its interface v0. Everything here fails the
 * running cmocka test when it does not work. One set of nodes at a time.
 */

#define NODES_MAX 8
#define NODES_DEADLINE_MS 60000
#define NODES_SLICE_MS 20 /* kernel counters and other programs ring no bell */

struct text;

struct node {
    int ns;
    int control; /* -1: not running */
    pid_t pid;   /* of its speaker; 0: not running */
};

struct nodes {
    struct node at[NODES_MAX];
    unsigned count;
    struct scoreboard *board;
    size_t board_size;
    int board_fd, bell_fd, home_ns, fabric_ns;
    const char *speaker; /* run instead of the test's own code, where memory is measured */
};
extern struct nodes nodes;

/* False: the kernel forbids network namespaces, which has been said. */
bool nodes_up(unsigned count);
/* Ends what still runs and gives the namespaces back. */
void nodes_down(void);

/* Speakers started from now on take the lab for one of so many nodes. */
void nodes_pretend(uint32_t slots);

/* For cmocka's groups and tests. Where the kernel forbids namespaces, tests skip. */
int nodes_group_up(unsigned count); /* always 0 */
int nodes_group_down(void **state);
int nodes_kill_all(void **state); /* after a test: what it left running */
bool nodes_forbidden(void);
#define SKIP_IF_FORBIDDEN()                                                                        \
    if (nodes_forbidden())                                                                         \
    skip()

/* ---- programs ---- */

/* Runs `ip` in a node; arguments end with NULL. */
void nodes_ip(int node, const char *first, ...) __attribute__((sentinel));
/* … between them, where there are more than two: n0, n1… are the nodes' ports of br0. */
void nodes_fabric_ip(const char *first, ...) __attribute__((sentinel));
/* What a program, found by PATH, prints in a node; its exit status. */
int nodes_capture(int node, char *const argv[], struct text *out);
/* Starts a program in a node, its output going to `log` (-1: nowhere). It dies with this one. */
pid_t nodes_spawn(int node, char *const argv[], int log);
/* In a new child: dies with its parent. */
void nodes_bind_to_parent(pid_t parent);
void nodes_enter(int ns);

/* ---- speakers ---- */

struct scoreboard_slot *nodes_slot(int node);
/* `kind` is the option that takes the configuration's descriptor: --config-fd or --ios-fd. */
void nodes_start(int node, const char *config, const char *kind);
/* … with more options of the command line, up to a NULL. */
void nodes_start_with(int node, const char *config, const char *kind, char *const more[]);
/* Ends a speaker by SIGTERM; its exit status. */
int nodes_stop(int node);
/* Ends one that may still run, by SIGKILL. */
void nodes_kill(int node);
/* One that has ended by itself and was reaped. */
void nodes_forget(int node);
/* The answer to one request, a line of text. Log events are passed over. */
void nodes_request(int node, const char *request, struct text *ret_answer);
/* … does it contain `expected`? */
bool nodes_ask(int node, const char *request, const char *expected);
/* … as JSON, for json_decref. */
json_t *nodes_request_json(int node, const char *request);

/* ---- waiting ---- */

typedef bool nodes_condition(int node, uint64_t value);

/* Until `holds`, which is asked at each ring of the scoreboard's bell and each NODES_SLICE_MS;
 * false when the deadline has passed. */
bool nodes_reached(nodes_condition *holds, int node, uint64_t value, uint64_t deadline_ms);
void nodes_wait(nodes_condition *holds, int node, uint64_t value, const char *what);
#define WAIT_FOR(condition, node, value) nodes_wait(condition, node, value, #condition)

bool established(int node, uint64_t value); /* sessions now */
bool dropped(int node, uint64_t value);     /* … ever lost */
bool fib_routes(int node, uint64_t value);  /* IPv4 */
bool loc_rib(int node, uint64_t value);     /* IPv4 */
bool running(int node, uint64_t value);     /* enum scoreboard_phase */

/* ---- the kernel ---- */

/* A file of the node's /proc/net. */
void nodes_read_proc(int node, const char *file, char *out, size_t size);
/* A counter of TcpExt. */
uint64_t nodes_tcp_counter(int node, const char *name);

#endif
