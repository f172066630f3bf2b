#ifndef RIBCAGE_CORE_CONN_H
#define RIBCAGE_CORE_CONN_H

#include "fsm.h"
#include "speaker.h"

/*
 * One TCP connection of a session, separate from the peer: during a collision (RFC 4271 6.8) a peer
 * has two. What only the handshake needs stands in `setup` and is freed once Established; buffers
 * exist only while something is in them.
 */

struct conn_setup {
    struct bgp_endpoint local, remote;
    uint32_t link;        /* bgp_conn_link */
    struct bgp_open open; /* the peer's, once received */
};

struct conn_buffer; /* conn.c */

struct conn {
    uint32_t setup;      /* slab index; 0 once Established: conn_setup(). First: see `generation` */
    uint32_t generation; /* 0: the place is free, which the slab must not write over */
    uint16_t peer;       /* 0: the peer is gone, only the output is left to be sent */
    uint8_t state;       /* enum bgp_state */
    bool incoming : 1;
    bool up : 1;
    bool closing : 1;     /* detached: ends when the output is sent */
    bool output_told : 1; /* BGP_EVENT_OUTPUT was pushed and not pulled empty since */
    bool open_delayed : 1;
    bool extended : 1;       /* RFC 8654 4: ours says that longer messages may come */
    uint16_t hold_time_s;    /* negotiated */
    uint16_t keepalive_s;    /* negotiated */
    uint16_t update_left;    /* bytes left of the UPDATE that is partly on the wire */
    uint16_t pulled_update;  /* of the last pull: bytes of that rest in front, … */
    uint16_t pulled_control; /* … then bytes of control messages; what follows is UPDATEs */
    struct heap_timer timer; /* the earliest of the deadlines below, or the only one */
    struct nanotime hold_deadline;
    struct nanotime keepalive_deadline;
    struct nanotime send_deadline; /* RFC 9687; never while nothing waits to be sent */
    struct conn_buffer *in, *out;
};
_Static_assert(sizeof(struct conn) <= 72, "a connection costs 72 bytes at most");

/* Its slab index: what its timer is named after. */
static inline uint32_t conn_index(const struct conn *c) {
    return timer_owner(&c->timer);
}

static inline struct bgp_conn_id conn_id(const struct conn *c) {
    return (struct bgp_conn_id){conn_index(c), c->generation};
}

/* Before it is Established. */
static inline struct conn_setup *conn_setup(const struct bgp_speaker *s, const struct conn *c) {
    return slab_at(&s->conn_setups, c->setup);
}

/* NULL: no memory. In state CONNECT (outgoing) or ACTIVE (incoming, up). */
struct conn *conn_new(struct bgp_speaker *s, struct peer *p, bool incoming);
/* NULL: stale or foreign. */
struct conn *conn_find(const struct bgp_speaker *s, struct bgp_conn_id id);
static inline struct conn *conn_at(const struct bgp_speaker *s, uint32_t index) {
    return index ? (struct conn *)slab_at(&s->conns, index) : NULL;
}

/* The session is Established over this connection: it is the peer's `conn`, its `setup` goes. */
void conn_seat(struct bgp_speaker *s, struct peer *p, struct conn *c);
/* … no more, though the connection may still be there. */
void conn_unseat(struct bgp_speaker *s, struct peer *p);

/* Queues a whole message; false: no memory, the session cannot go on. */
bool conn_send(struct bgp_speaker *s, struct conn *c, const uint8_t *message, size_t size);
/* The same, in front of everything but a message that is already partly on the wire. What was
 * queued behind is dropped: nothing follows a NOTIFICATION. */
bool conn_send_last(struct bgp_speaker *s, struct conn *c, const uint8_t *message, size_t size,
                    struct nanotime now);
/* Drops what is queued: the remote will read nothing any more. */
void conn_forget_output(struct conn *c);
/* Tells the caller once that there is output. */
void conn_output(struct bgp_speaker *s, struct conn *c);

/* Takes the connection away from its peer. Output that is queued is sent first, for a while. */
void conn_close(struct bgp_speaker *s, struct conn *c, struct nanotime now);
/* Takes it away and closes it with RST. */
void conn_abort(struct bgp_speaker *s, struct conn *c);
/* The transport is gone already. */
void conn_drop(struct bgp_speaker *s, struct conn *c);
/* A closing connection's time to send its output is over. */
void conn_linger_expired(struct bgp_speaker *s, struct conn *c);

#endif
