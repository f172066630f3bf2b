#ifndef RIBCAGE_CORE_SESSION_H
#define RIBCAGE_CORE_SESSION_H

#include "conn.h"

/* What came with an event of the state machine. All members may be left zero. */
struct session_cause {
    struct bgp_error error; /* of the NOTIFICATION to send */
    const uint8_t *data;    /* its data where `error` is too small for it (RFC 9003), or NULL */
    uint16_t data_size;
    enum bgp_down_reason reason;
    const char *last_error; /* BIRD's words, static; NULL: by `error` */
    enum bgp_message_type type;
    const uint8_t *body; /* of the message, for FSM_ACT_APPLY */
    size_t size;
    bool keep_routes; /* RFC 4724 4.2: the peer restarts */
    bool hard_reset;  /* RFC 8538: it does not, whatever was announced */
};

/* Feeds one event to the machine of connection `c`, or of the peer's outgoing side when `c` is
 * NULL, and carries the actions out. `c` may be dead afterwards. `cause` may be NULL. */
void session_run(struct bgp_speaker *s, struct peer *p, struct conn *c, enum fsm_event event,
                 const struct session_cause *cause, struct nanotime now);
/* One whole message with a good header. `c` may be dead afterwards. */
void session_message(struct bgp_speaker *s, struct conn *c, enum bgp_message_type type,
                     const uint8_t *body, size_t size, struct nanotime now);
/* The stream is damaged. */
void session_header_error(struct bgp_speaker *s, struct conn *c, const struct bgp_error *error,
                          struct nanotime now);
/* After a configuration: a prefix limit below what is held ends an Established session at once
 * (RFC 4271 6.7, 8.1.2), or is said, as the peer's options have it now. */
void session_limits_changed(struct bgp_speaker *s, struct peer *p,
                            const struct bgp_peer_options *was, struct nanotime now);
/* The connection's timer fired. */
void session_timer(struct bgp_speaker *s, struct conn *c, struct nanotime now);

/* Moves the deadline of our next KEEPALIVE (RFC 4271 4.4), not the timer. */
void session_plan_keepalive(struct bgp_speaker *s, struct conn *c, struct nanotime now);
/* RFC 9687 4: something waits to be sent; how long may it? Only for Established connections. */
void session_plan_send_hold(struct bgp_speaker *s, struct conn *c, struct nanotime now);
/* Sets the connection's one timer to the first of its deadlines. */
void session_arm_earliest(struct bgp_speaker *s, struct conn *c);
/* A NOTIFICATION was sent or received: tells the caller and remembers it in the peer. */
void session_notified(struct bgp_speaker *s, struct peer *p, const struct conn *c, bool sent,
                      const struct bgp_notification *n);

/* session_open.c: our OPEN, and what we say to theirs (RFC 4271 6.2). */
void session_open_make(const struct bgp_speaker *s, const struct peer *p,
                       struct bgp_open *ret_open);
bool session_open_accept(const struct bgp_speaker *s, const struct peer *p,
                         const struct bgp_open *open, struct bgp_error *ret_error);
uint16_t session_hold_time(const struct bgp_speaker *s, const struct peer *p);
/* enum bgp_add_path: what is negotiated for a family, seen from our side. */
uint8_t session_add_path(const struct peer *p, const struct bgp_open *open, enum bgp_family f);
/* Is the peer in another member AS of our confederation? */
bool session_is_confed(const struct bgp_speaker *s, const struct peer *p);
uint32_t session_local_as(const struct bgp_speaker *s, const struct peer *p);

/* session_text.c: BIRD's words for how a session ended; static. */
const char *session_error_text(uint8_t code, uint8_t subcode, bool received);
const char *session_end_text(enum bgp_conn_end why);

#endif
