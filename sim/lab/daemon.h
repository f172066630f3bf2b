#ifndef RIBCAGE_DAEMON_H
#define RIBCAGE_DAEMON_H

#include "../../speaker/base/nanotime.h"
#include "../../speaker/base/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lab;
struct diag_list;

/*
 * Nodes run by other BGP programs than ribcage-speaker: BIRD today; the interface knows of none.
 *
 * A driver is a table of what differs between such programs: which processes a node needs, how they
 * are started, how a changed configuration is taken over, and how sessions and routes are asked
 * for in the program's own words. What is the same for all stands in daemon.c: finding the program
 * on this machine, files and sockets that vanish with the lab, starting inside the node's
 * namespace, waiting, and the requests of speaker/CONTROL.md, which the rest of `sim` uses with
 * every node. A daemon has no slot on the scoreboard and rings no bell: who waits for such a node
 * asks it again.
 *
 * Configurations are text in the daemon's own language, made by the planner; no driver translates.
 */

#define DAEMON_PROGRAMS_MAX 4
#define DAEMON_ARGUMENTS_MAX 16
#define DAEMON_PATH_MAX 512
#define DAEMON_ANSWER_BYTES_MAX (64u << 20)

/* One of the processes that together are a node's daemon. */
struct daemon_program {
    const char *name; /* "bird6": names its files and its control socket */
    const char *file; /* below the root of an unpacked package: "usr/sbin/bird6" */
};

/* Where things are for one process: paths as it sees them itself. */
struct daemon_place {
    const char *config, *control; /* the configuration's file; where it shall listen */
    bool restarting;              /* RFC 4724: routes in the kernel are still good */
};

/* A running node, as a driver asks it. */
struct daemon_talk {
    struct lab *lab;
    uint32_t host;
    struct nanotime deadline;
    const char *error; /* static text: why the last call failed */
};

enum daemon_table { DAEMON_LOC, DAEMON_IN, DAEMON_OUT };

struct daemon_route_query {
    enum daemon_table table;
    const char *prefix; /* NULL: all */
    const char *peer;   /* a session's name; NULL: all; always given with DAEMON_OUT */
    int family;         /* 4, 6, or 0: both */
};

struct daemon_driver {
    const char *name;  /* as in `--backend bird` */
    const char *title; /* for people */
    const struct daemon_program *programs;
    size_t program_count;
    /* Appends arguments behind the program's name; NULL-terminated, borrowed. */
    void (*arguments)(const struct daemon_place *place, const char **argv);
    /* The file of `program` has changed: take it over. False with an error appended to `ret_error`:
     * the old one stays in force. */
    bool (*reconfigure)(struct daemon_talk *t, size_t program, struct text *ret_error);
    /* Appends an object per configured session to `list`, as CONTROL.md's `peers` has them: name,
     * remote, remote_as, local_as, state, passive, waiting, hold_time_s, keepalive_s, remote_id,
     * last_error, last_reason; what the program does not say is left out. */
    bool (*sessions)(struct daemon_talk *t, json_t *list);
    /* Appends an object per route to `list`, as CONTROL.md's `rib` has them: prefix, peer, best,
     * source, attrs. */
    bool (*routes)(struct daemon_talk *t, const struct daemon_route_query *q, json_t *list);
    /* A command of the program's own command line tool; its output as that tool prints it. */
    bool (*command)(struct daemon_talk *t, const char *command, struct text *ret_output);
};

extern const struct daemon_driver daemon_bird; /* bird.c */

/* NULL: no such driver. */
const struct daemon_driver *daemon_driver_find(const char *name);
/* The names, for messages: "bird, …". */
const char *daemon_driver_names(void);

/* ---- where a program is ---- */

struct daemon_root {
    char programs[DAEMON_PROGRAMS_MAX][DAEMON_PATH_MAX];
    char libraries[DAEMON_PATH_MAX]; /* for LD_LIBRARY_PATH; "": the system's */
};
/*
 * Looks, in this order: `path` when given (a folder with an unpacked package, or the first program
 * itself with the others beside it), $RIBCAGE_PEERS/NAME, peers/NAME in build/ or beside this
 * program's own folder, and PATH. False with a finding that says where was looked.
 */
bool daemon_locate(const struct daemon_driver *d, const char *path, struct daemon_root *ret_root,
                   struct diag_list *diags);

/* ---- running ---- */

struct lab_daemon_spec {
    const struct daemon_driver *driver;       /* outlives the lab */
    const struct daemon_root *root;           /* outlives the lab */
    const char *configs[DAEMON_PROGRAMS_MAX]; /* one per program; NULL: that one is not run */
    bool restarting;
};
/* Starts the processes in the host's namespace; does not wait for them. From then on the lab's
 * functions about speakers (state, stop, log, faults, requests) are about them. */
bool lab_daemon_start(struct lab *lab, uint32_t host, const struct lab_daemon_spec *spec,
                      struct diag_list *diags);
/* New configurations; a NULL one is left as it is. False with findings: what the program says. */
bool lab_daemon_reconfigure(struct lab *lab, uint32_t host,
                            const char *const configs[DAEMON_PROGRAMS_MAX], uint32_t deadline_ms,
                            struct diag_list *diags);
/* NULL: the host's speaker is ribcage-speaker (or none has been started). Such a host has no slot
 * on the scoreboard. */
const struct daemon_driver *lab_daemon_driver(const struct lab *lab, uint32_t host);

/* ---- for drivers ---- */

bool daemon_runs(const struct daemon_talk *t, size_t program);
/* A connection to the control socket of `program`, retried until it listens. -1: t->error. Only
 * daemon_close ends it. */
int daemon_connect(struct daemon_talk *t, size_t program);
bool daemon_send(struct daemon_talk *t, int fd, const char *data, size_t size);
/* Reads on until `complete` says that `in` ends with an answer's end. */
typedef bool daemon_complete_fn(const struct text *in);
bool daemon_receive(struct daemon_talk *t, int fd, daemon_complete_fn *complete, struct text *in);
void daemon_close(int fd);

#endif
