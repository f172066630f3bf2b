#ifndef RIBCAGE_HOST_CONNECTION_H
#define RIBCAGE_HOST_CONNECTION_H

#include "../core/bgp.h"
#include "loop.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* The inside of sockets.c and connection.c. */

#define SOCKETS_READ_BYTES 65536
#define SOCKETS_CONNECTS_MAX 256 /* outgoing connects in flight */
#define SOCKETS_ACCEPTS_MAX 256  /* accepted per readiness */
#define SOCKETS_LEAVE_MS 1000    /* to hear the remote close after our last word */
#define SOCKETS_TAIL_MAX (1 << 20)

struct sockets;

enum connection_phase {
    CONNECTION_WAITING,    /* for its turn to connect; no descriptor */
    CONNECTION_CONNECTING, /* SYN sent */
    CONNECTION_UP,
    CONNECTION_LEAVING, /* the speaker has let go: last bytes, FIN, the remote's FIN */
};

/* A session's OPEN and first KEEPALIVE come within these. */
#define CONNECTION_EARLY_READS 8

struct connection {
    struct loop_source source; /* first: the callback gets it back */
    struct sockets *owner;
    TAILQ_ENTRY(connection) link; /* waiting, ready or leaving queue */
    struct bgp_conn_id id;        /* dead while leaving */
    struct bgp_peer_id peer;
    enum connection_phase phase;
    bool ready;      /* on the ready queue */
    uint8_t reads;   /* so far, up to CONNECTION_EARLY_READS */
    int write_errno; /* sending failed; reading will tell the end */
    struct nanotime deadline;
    struct mrt_tap *tap; /* mrt_log.c's; NULL: nothing has passed yet, or nobody logs */
    uint8_t *tail;       /* leaving: what the kernel did not take yet */
    size_t tail_size, tail_at;
};
TAILQ_HEAD(connection_queue, connection);

/* Listener per family; fd -1: closed. */
struct listener {
    struct loop_source source; /* first */
    struct sockets *owner;
    struct ip_addr addr;
    uint16_t port;
};

struct peer_key { /* a password set on the listener */
    struct ip_addr addr;
    uint32_t peer; /* its place in the order of configuration */
    uint64_t hash;
};
struct range_key { /* … for a listen range */
    struct ip_prefix prefix;
    uint64_t hash;
};

struct sockets {
    struct host *host;
    struct listener listeners[2];
    int reserve_fd; /* given up for a moment when descriptors are out */
    struct connection **by_index;
    uint32_t by_index_size;
    struct connection_queue waiting, ready, leaving;
    size_t connecting, count;
    bool starting;         /* connection_next_waiting is at work */
    struct peer_key *keys; /* sorted by address */
    uint32_t key_count;
    struct range_key range_keys[BGP_LISTEN_RANGES_MAX];
    uint32_t range_key_count;
    uint8_t buffer[SOCKETS_READ_BYTES];
};

/* connection.c */
void connection_start(struct sockets *s, struct bgp_conn_id id, struct bgp_peer_id peer);
/* Takes over an accepted descriptor, which is closed when it fails. */
bool connection_adopt(struct sockets *s, int fd, struct bgp_conn_id id);
struct connection *connection_find(const struct sockets *s, struct bgp_conn_id id);
/* Sets the options of its neighbour again: the configuration changed. */
void connection_refresh(struct connection *c);
void connection_flush(struct connection *c, bool *ret_more);
void connection_ready(struct connection *c);
void connection_leave(struct connection *c);
void connection_drop(struct connection *c); /* at once, RST */
void connection_next_waiting(struct sockets *s);

/* sockets.c: takes the connections that have come in. */
void sockets_accept(struct sockets *s);
/* sockets.c: TTL, GTSM and so on of this neighbour. */
bool sockets_prepare(struct sockets *s, int fd, const struct bgp_neighbor *p, struct ip_addr remote,
                     bool md5);

#endif
