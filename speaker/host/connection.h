#ifndef RIBCAGE_HOST_CONNECTION_H
#define RIBCAGE_HOST_CONNECTION_H

#include "../core/bgp.h"
#include "loop.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* The inside of sockets.c, connection.c and departure.c. */

#define SOCKETS_READ_BYTES 65536
#define SOCKETS_CONNECTS_MAX 256 /* outgoing connects in flight */
#define SOCKETS_ACCEPTS_MAX 256  /* accepted per readiness */
#define CONNECTIONS_PER_PAGE 32

struct sockets;

enum connection_phase {
    CONNECTION_WAITING,    /* for its turn to connect; no descriptor */
    CONNECTION_CONNECTING, /* SYN sent */
    CONNECTION_UP,
};

/* One per session, idle ones too: nothing stands here that only a busy one needs. */
struct connection {
    struct loop_source source; /* first: the callback gets it back */
    struct bgp_conn_id id;     /* generation 0: the place is free */
    struct bgp_peer_id peer;
    uint8_t phase; /* enum connection_phase */
    bool ready;
    uint16_t write_errno; /* sending failed; reading will tell the end */
};
_Static_assert(sizeof(struct connection) <= 32, "a connection costs 32 bytes at most");

/* Places of connections, which never move; what they have in common. */
struct connection_page {
    struct sockets *owner;
    struct mrt_tap **taps; /* mrt_log.c's, by place, NULL before anything passed; or nobody logs */
    struct connection places[CONNECTIONS_PER_PAGE];
};

/* Connections in the order they were put on; those that have gone since are passed over. */
struct connection_list {
    struct bgp_conn_id *ids;
    uint32_t at, count, capacity;
};

struct departure; /* departure.h */
TAILQ_HEAD(departure_queue, departure);

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
    uint64_t listeners_opened;      /* so far */
    struct connection_page **pages; /* places by the speaker's index */
    uint32_t page_count;
    struct connection_list waiting, ready;
    bool ready_lost; /* there was no memory for the list: all are looked at */
    struct departure_queue leaving;
    size_t connecting, count;
    struct peer_key *keys; /* sorted by address */
    uint32_t key_count;
    struct range_key range_keys[BGP_LISTEN_RANGES_MAX];
    uint32_t range_key_count;
    uint8_t buffer[SOCKETS_READ_BYTES];
};

/* connection.c */
/* One that waits to be connected. */
void connection_start(struct sockets *s, struct bgp_conn_id id, struct bgp_peer_id peer);
/* Takes over an accepted descriptor, which is closed when it fails. */
bool connection_adopt(struct sockets *s, int fd, struct bgp_conn_id id);
/* The n-th place's; NULL: it is free. Places are below connection_places(). */
struct connection *connection_at(const struct sockets *s, uint32_t n);
static inline uint32_t connection_places(const struct sockets *s) {
    return s->page_count * CONNECTIONS_PER_PAGE;
}
/* Of a place that is not free. */
struct sockets *connection_owner(const struct connection *c);
/* Where mrt_log.c keeps what passed; NULL: nobody logs. */
struct mrt_tap **connection_tap(const struct connection *c);
struct connection *connection_find(const struct sockets *s, struct bgp_conn_id id);
/* Sets the options of its neighbour again: the configuration changed. */
void connection_refresh(struct connection *c);
/* Writes what those that are ready have to say, a bounded amount each. True: more is left. */
bool connections_flush(struct sockets *s);
void connection_ready(struct connection *c); /* it has something to say */
void connection_leave(struct connection *c);
void connection_drop(struct connection *c); /* at once, RST */
/* Calls those that wait for it, as many as may be under way. */
void connections_connect(struct sockets *s);
bool connections_may_connect(const struct sockets *s); /* would it call any? */
void connections_free(struct sockets *s);              /* the memory of places and lists */

/* sockets.c: takes the connections that have come in. */
void sockets_accept(struct sockets *s);
/* sockets.c: key, TTL, GTSM and so on of this neighbour. */
bool sockets_prepare(struct sockets *s, int fd, const struct bgp_neighbor *p,
                     struct ip_addr remote);
/* sockets.c: the link a connection's neighbour is on, as bgp_conn_link wants it; `local`: the name
 * of our end. Not known where no next hop can need it. */
union sockaddr_any;
uint32_t sockets_link(struct sockets *s, const union sockaddr_any *local,
                      const struct bgp_neighbor *p, struct ip_addr remote);

#endif
