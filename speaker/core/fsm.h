#ifndef RIBCAGE_CORE_FSM_H
#define RIBCAGE_CORE_FSM_H

#include "bgp.h"

#include <stdint.h>

/*
 * The finite state machine of RFC 4271 8 as a pure function: (state, event) to (state, actions).
 * It knows no peer, no connection and no clock; session.c feeds it and carries the actions out.
 *
 * One machine stands for one connection, or for the side of a peer that tries to make one; a peer
 * with an incoming connection beside its outgoing one runs two (8.2.1.1, 6.8).
 */

/* clang-format off */
#define FSM_EVENTS(X) /* name, text, event number of RFC 4271 8.1 */ \
    X(FSM_START, "start", 1) \
    X(FSM_START_DELAYED, "start-delayed", 6) \
    X(FSM_START_PASSIVE, "start-passive", 4) \
    X(FSM_STOP, "stop", 2) \
    X(FSM_RETRY_EXPIRES, "retry-expires", 9) \
    X(FSM_HOLD_EXPIRES, "hold-expires", 10) \
    X(FSM_KEEPALIVE_EXPIRES, "keepalive-expires", 11) \
    X(FSM_DELAY_OPEN_EXPIRES, "delay-open-expires", 12) \
    X(FSM_TCP_UP, "tcp-up", 16) \
    X(FSM_TCP_UP_DELAYED, "tcp-up-delayed", 17) \
    X(FSM_TCP_DOWN, "tcp-down", 18) \
    X(FSM_OPEN, "open", 19) \
    X(FSM_HEADER_ERROR, "header-error", 21) \
    X(FSM_OPEN_ERROR, "open-error", 22) \
    X(FSM_COLLISION_DUMP, "collision-dump", 23) \
    X(FSM_NOTIFICATION_MILD, "notification-mild", 24) \
    X(FSM_NOTIFICATION, "notification", 25) \
    X(FSM_REFUSED, "refused", 25) \
    X(FSM_KEEPALIVE, "keepalive", 26) \
    X(FSM_UPDATE, "update", 27) \
    X(FSM_UPDATE_ERROR, "update-error", 28) \
    X(FSM_REFRESH, "refresh", 0) \
    X(FSM_REFRESH_ERROR, "refresh-error", 0)

#define FSM_ACTIONS(X) \
    X(FSM_ACT_NONE, "none") \
    X(FSM_ACT_CONNECT, "connect")           /* ask for a TCP connection */ \
    X(FSM_ACT_RETRY_START, "retry-start")   /* arm the connect retry timer */ \
    X(FSM_ACT_RETRY_STOP, "retry-stop") \
    X(FSM_ACT_DELAY_OPEN, "delay-open")     /* arm the delay open timer */ \
    X(FSM_ACT_SEND_OPEN, "send-open") \
    X(FSM_ACT_OPEN_WAIT, "open-wait")       /* hold timer with its large value */ \
    X(FSM_ACT_NEGOTIATE, "negotiate")       /* take the peer's OPEN: hold and keepalive timers */ \
    X(FSM_ACT_SEND_KEEPALIVE, "send-keepalive") \
    X(FSM_ACT_HOLD_RESTART, "hold-restart") \
    X(FSM_ACT_ESTABLISH, "establish")       /* the tables learn of the session */ \
    X(FSM_ACT_APPLY, "apply")               /* hand the message to the tables */ \
    X(FSM_ACT_NOTIFY, "notify")             /* NOTIFICATION with the event's error */ \
    X(FSM_ACT_NOTIFY_FSM, "notify-fsm")     /* NOTIFICATION 5/x by state (RFC 6608) */ \
    X(FSM_ACT_LEAVE, "leave")               /* the tables forget the session */ \
    X(FSM_ACT_CLOSE, "close")               /* close when the output is sent */ \
    X(FSM_ACT_ABORT, "abort")               /* close at once */ \
    X(FSM_ACT_DROP, "drop")                 /* the transport is gone: forget the connection */ \
    X(FSM_ACT_RESTART, "restart")           /* start again after the connect delay */ \
    X(FSM_ACT_BACK_OFF, "back-off")         /* start again after the error wait */
/* clang-format on */

enum fsm_event {
#define X(name, text, rfc) name,
    FSM_EVENTS(X)
#undef X
};
#define FSM_EVENT_COUNT (FSM_REFRESH_ERROR + 1)

enum fsm_action {
#define X(name, text) name,
    FSM_ACTIONS(X)
#undef X
};

#define FSM_ACTIONS_MAX 6

struct fsm_step {
    enum bgp_state next;
    uint8_t count;
    uint8_t actions[FSM_ACTIONS_MAX]; /* enum fsm_action, in order */
};

/* Defined for every state and event. */
struct fsm_step fsm_step(enum bgp_state state, enum fsm_event event);

/* The words of fsm_golden.txt. */
const char *fsm_event_name(enum fsm_event e);
const char *fsm_action_name(enum fsm_action a);

#endif
