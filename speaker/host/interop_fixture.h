#ifndef RIBCAGE_HOST_INTEROP_FIXTURE_H
#define RIBCAGE_HOST_INTEROP_FIXTURE_H

#include "../base/nanotime.h"
#include "../base/text.h"
#include "nodes_fixture.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Other BGP programs and our speaker, set up alike from one description.
 *
 * Node n announces two routes a family: a plain one, 10.(n+1).1.0/24 and fd0(n+1):1::/64, and a
 * rich one, 10.(n+1).2.0/24 and fd0(n+1):2::/64, with every attribute that can be set. IPv4 routes
 * travel in sessions over IPv4 and IPv6 routes in sessions over IPv6, as Calico has it.
 *
 * A route is compared as one line of text that names each attribute in a fixed order:
 *   origin=egp as_path=65001 65010 next_hop=10.0.0.2 med=70 local_pref=170 communities=…
 *   large=… originator=… clusters=… ext=rt:65077:100 aggregator=AS:id atomic unknown=213:cafe
 */

enum { V4, V6, FAMILIES };

enum interop_timers {
    TIMERS_CALICO, /* the template of Calico's BIRD, or as near as the program gets */
    TIMERS_FAST,
};

struct neighbor {
    int node;
    uint32_t as;
    bool passive; /* towards this neighbour we only wait */
    bool rr_client;
    bool add_path;        /* RFC 7911, both ways */
    const char *password; /* NULL: none */
};

struct setup {
    int node;
    uint32_t as;
    enum interop_timers timers;
    bool restarted;   /* comes back after a death: graceful restart */
    bool rich_only;   /* … without its plain routes */
    bool sources;     /* has the routes of interop_source_fixture.h itself: it passes none on */
    uint32_t last_id; /* of the router id 10.0.0.x; 0: the address's */
    struct neighbor neighbors[NODES_MAX];
    unsigned neighbor_count;
};

enum interop_ability {
    CAN_COLLIDE = 1,      /* has two connections with one neighbour, for a while */
    CAN_REFLECT = 2,      /* passes routes on, as a reflector, too */
    CAN_RESTART = 4,      /* comes back with its routes: RFC 4724 */
    CAN_SIGN_PASSIVE = 8, /* takes signed calls (RFC 2385) */
    CAN_HELP = 16,        /* keeps the routes of one that restarts: RFC 4724 */
};

struct program {
    const char *name;         /* folder below the peers */
    const char *title;        /* of its column */
    bool kernel;              /* writes routes into the kernel's table */
    unsigned lacks;           /* of enum interop_ability */
    bool local_pref_external; /* shows a LOCAL_PREF with routes from other AS */
    bool reflects_own;        /* sends its own routes to clients as if it had reflected them */
    bool no_path;             /* cannot set an AS_PATH of its own choice */
    bool keeps_routes;        /* does not send them again when asked */
    bool must_not_be_asked;   /* … but ends the session */
    bool claims_restart;      /* sets the R bit for two minutes after its start */
    bool hides_unknown;       /* does not show attributes that it does not know */
    const char *plain_med;    /* of its plain route, as in the line; NULL: none */
    void (*start)(const struct setup *s);
    /* Dies at once, as in a crash. */
    void (*kill)(int node);
    bool (*established)(int node, int family, int neighbor);
    /* Appends the best path to ret_route as one line; false: it has none. */
    bool (*route)(int node, const char *prefix, struct text *ret_route);
    /* Appends every path it has, a line each. */
    void (*paths)(int node, const char *prefix, struct text *out);
    /* Times that a session was established since it started. */
    uint64_t (*sessions)(int node, int family, int neighbor);
    /* Its plain route of a family, announced (as from the start) or taken back. */
    void (*announce)(int node, int family, bool present);
    /* Asks the neighbour for its routes again; NULL: it never does. */
    void (*refresh)(int node, int family, int neighbor);
    /* Ends the sessions with a neighbour; `revive` brings them back. */
    void (*reset)(int node, int neighbor);
    /* Has it try at once what it would try after seconds; NULL: it does so anyway. */
    void (*revive)(int node, int neighbor);
};

extern const struct program program_bird, program_bird2, program_frr, program_gobgp,
    program_openbgpd, program_exabgp;

/* ---- the peer programs ---- */

/* Absolute path of a file below the program's folder. */
const char *interop_path(const struct program *p, const char *file);
bool interop_present(const struct program *p);
/* A private /run and /var/tmp that are gone with this process, and the group that FRR wants.
 * False: the kernel forbids it, which has been said. */
bool interop_private_run(void);
/* Starts a program with its libraries; `slot` names it among those of its node. */
void interop_spawn(const struct program *p, int node, int slot, char *const argv[]);
void interop_kill(int node, int slot);
void interop_kill_all(void);
pid_t interop_pid(int node, int slot);
void interop_write(const char *path, const char *text);
/* Lines of a file in which both texts are. */
uint64_t interop_lines(const char *path, const char *first, const char *second);
/* A unix socket that a program of the node listens on; waits for it. */
int interop_connect(const char *path);

/* ---- our speaker ---- */

/* The configuration of our speaker for a setup, for free(). */
char *interop_config(const struct setup *s, const char *profile);
void interop_start(const struct setup *s, const char *profile);
/* As program.route, from Adj-RIB-In towards a neighbour's session of the family. */
bool interop_route(int node, const char *prefix, int neighbor, struct text *ret_route);
/* As program.paths, from there. */
void interop_paths(int node, const char *prefix, int neighbor, struct text *out);
bool interop_established(int node, int family, int neighbor);
/* A member of the answer to `peers` for one session, as a number. */
int64_t interop_peer_number(int node, int family, int neighbor, const char *member);

/* ---- lines of routes ---- */

/* An AS_PATH as programs print it: sets as "{1,2}". */
void interop_put_as_path(struct text *out, const char *printed);
void interop_put_lower(struct text *out, const char *text);

/* ---- names ---- */

/* Valid until the eighth call after. */
const char *interop_prefix(int node, int family, bool rich);
const char *interop_addr(int node, int family);

/* ---- waiting ---- */

struct nanotime interop_deadline(uint64_t ms);
/* A slice of waiting; false: `end` has passed. */
bool interop_wait(struct nanotime end);

#define UNTIL_MS(condition, ms)                                                                    \
    do {                                                                                           \
        struct nanotime until_end = interop_deadline(ms);                                          \
        while (!(condition))                                                                       \
            if (!interop_wait(until_end))                                                          \
                fail_msg("not within %d ms: %s", (int)(ms), #condition);                           \
    } while (0)
#define UNTIL(condition) UNTIL_MS(condition, NODES_DEADLINE_MS)

#endif
