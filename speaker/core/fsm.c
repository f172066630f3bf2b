/*
 * The finite state machine (RFC 4271 8.2.2): one function that switches on the state, then on the
 * event, and appends actions. It cannot fail and touches nothing.
 *
 * Leaves to session.c: carrying actions out, validating OPENs (6.2) and collisions (6.8) before an
 * event is fed in. Leaves to peer.c: who may start, back-off, the connect retry timer.
 *
 * Departures from the letter of the RFC, all visible in fsm_golden.txt:
 *  - Idle ends by itself: a peer that may run is started again after a wait (8.1.1,
 *    AutomaticStart with IdleHoldTimer and DampPeerOscillations);
 *  - TcpConnectionFails in Connect, Active and OpenConfirm leads to Active and its retry timer, as
 *    in OpenSent, where the RFC goes to Idle;
 *  - a connection that the peer refuses (6/5, from a peer that is in Idle) has failed like one that
 *    it resets: in Idle we would refuse its calls in turn, and two that wait would never meet;
 *  - events that mean nothing in a state change nothing, instead of 5/0: only messages can be
 *    wrong (RFC 6608), timers of our own cannot.
 *
 * In Active with `open_delayed` a connection is up and our OPEN waits for the peer's (8.2.2,
 * DelayOpen); without it there is no connection.
 */
#include "fsm.h"

#include <assert.h>

static void act(struct fsm_step *r, enum fsm_action a) {
    assert(r->count < FSM_ACTIONS_MAX);
    r->actions[r->count++] = (uint8_t)a;
}

/* The session ends by our NOTIFICATION. */
static void end_with(struct fsm_step *r, enum fsm_action notify, enum fsm_action after) {
    bool established = r->next == BGP_ESTABLISHED;
    act(r, notify);
    if (established)
        act(r, FSM_ACT_LEAVE);
    act(r, FSM_ACT_CLOSE);
    if (after != FSM_ACT_NONE)
        act(r, after);
    r->next = BGP_IDLE;
}

/* The session ends by theirs: nothing is sent back (6.4). */
static void end_by_peer(struct fsm_step *r, enum fsm_action after) {
    if (r->next == BGP_ESTABLISHED)
        act(r, FSM_ACT_LEAVE);
    act(r, FSM_ACT_CLOSE);
    act(r, after);
    r->next = BGP_IDLE;
}

/* The peer takes no connection now; when it calls, it does. */
static void refused(struct fsm_step *r) {
    act(r, FSM_ACT_CLOSE);
    act(r, FSM_ACT_RETRY_START);
    r->next = BGP_ACTIVE;
}

static void in_idle(struct fsm_step *r, enum fsm_event event) {
    switch (event) {
    case FSM_START:
        act(r, FSM_ACT_CONNECT);
        r->next = BGP_CONNECT;
        break;
    case FSM_START_DELAYED:
        act(r, FSM_ACT_RETRY_START);
        r->next = BGP_ACTIVE;
        break;
    case FSM_START_PASSIVE:
        r->next = BGP_ACTIVE;
        break;
    default: /* Idle refuses and ignores everything else */
        break;
    }
}

static void in_connect(struct fsm_step *r, enum fsm_event event) {
    switch (event) {
    case FSM_STOP:
    case FSM_COLLISION_DUMP:
        act(r, FSM_ACT_ABORT);
        r->next = BGP_IDLE;
        break;
    case FSM_RETRY_EXPIRES: /* the attempt took too long: another one at once */
        act(r, FSM_ACT_ABORT);
        act(r, FSM_ACT_CONNECT);
        break;
    case FSM_TCP_UP:
        act(r, FSM_ACT_SEND_OPEN);
        act(r, FSM_ACT_OPEN_WAIT);
        r->next = BGP_OPEN_SENT;
        break;
    case FSM_TCP_DOWN:
        act(r, FSM_ACT_DROP);
        act(r, FSM_ACT_RETRY_START);
        r->next = BGP_ACTIVE;
        break;
    default: /* no message can arrive before the connection is up */
        break;
    }
}

static void in_active(struct fsm_step *r, enum fsm_event event) {
    switch (event) {
    case FSM_STOP:
        act(r, FSM_ACT_RETRY_STOP);
        act(r, FSM_ACT_ABORT);
        r->next = BGP_IDLE;
        break;
    case FSM_RETRY_EXPIRES:
        act(r, FSM_ACT_CONNECT);
        r->next = BGP_CONNECT;
        break;
    case FSM_TCP_UP:
    case FSM_DELAY_OPEN_EXPIRES:
        act(r, FSM_ACT_SEND_OPEN);
        act(r, FSM_ACT_OPEN_WAIT);
        r->next = BGP_OPEN_SENT;
        break;
    case FSM_TCP_UP_DELAYED:
        act(r, FSM_ACT_DELAY_OPEN);
        break;
    case FSM_TCP_DOWN:
        act(r, FSM_ACT_DROP);
        act(r, FSM_ACT_RETRY_START);
        break;
    case FSM_OPEN: /* event 20: with the delay open timer running */
        act(r, FSM_ACT_SEND_OPEN);
        act(r, FSM_ACT_NEGOTIATE);
        act(r, FSM_ACT_SEND_KEEPALIVE);
        r->next = BGP_OPEN_CONFIRM;
        break;
    case FSM_HEADER_ERROR:
    case FSM_OPEN_ERROR:
        end_with(r, FSM_ACT_NOTIFY, FSM_ACT_BACK_OFF);
        break;
    case FSM_COLLISION_DUMP:
        end_with(r, FSM_ACT_NOTIFY, FSM_ACT_NONE);
        break;
    case FSM_NOTIFICATION_MILD:
        end_by_peer(r, FSM_ACT_RESTART);
        break;
    case FSM_NOTIFICATION:
        end_by_peer(r, FSM_ACT_BACK_OFF);
        break;
    case FSM_REFUSED:
        refused(r);
        break;
    case FSM_KEEPALIVE:
    case FSM_UPDATE:
    case FSM_UPDATE_ERROR:
    case FSM_REFRESH:
    case FSM_REFRESH_ERROR:
        end_with(r, FSM_ACT_NOTIFY_FSM, FSM_ACT_BACK_OFF);
        break;
    default:
        break;
    }
}

static void in_open_sent(struct fsm_step *r, enum fsm_event event) {
    switch (event) {
    case FSM_STOP:
    case FSM_COLLISION_DUMP:
        end_with(r, FSM_ACT_NOTIFY, FSM_ACT_NONE);
        break;
    case FSM_HOLD_EXPIRES:
    case FSM_HEADER_ERROR:
    case FSM_OPEN_ERROR:
        end_with(r, FSM_ACT_NOTIFY, FSM_ACT_BACK_OFF);
        break;
    case FSM_TCP_DOWN:
        act(r, FSM_ACT_DROP);
        act(r, FSM_ACT_RETRY_START);
        r->next = BGP_ACTIVE;
        break;
    case FSM_OPEN:
        act(r, FSM_ACT_NEGOTIATE);
        act(r, FSM_ACT_SEND_KEEPALIVE);
        r->next = BGP_OPEN_CONFIRM;
        break;
    case FSM_NOTIFICATION_MILD:
        end_by_peer(r, FSM_ACT_RESTART);
        break;
    case FSM_NOTIFICATION:
        end_by_peer(r, FSM_ACT_BACK_OFF);
        break;
    case FSM_REFUSED:
        refused(r);
        break;
    case FSM_KEEPALIVE:
    case FSM_UPDATE:
    case FSM_UPDATE_ERROR:
    case FSM_REFRESH:
    case FSM_REFRESH_ERROR: /* RFC 6608 3: 5/1 */
        end_with(r, FSM_ACT_NOTIFY_FSM, FSM_ACT_BACK_OFF);
        break;
    default:
        break;
    }
}

static void in_open_confirm(struct fsm_step *r, enum fsm_event event) {
    switch (event) {
    case FSM_STOP:
    case FSM_COLLISION_DUMP:
        end_with(r, FSM_ACT_NOTIFY, FSM_ACT_NONE);
        break;
    case FSM_HOLD_EXPIRES:
    case FSM_HEADER_ERROR:
        end_with(r, FSM_ACT_NOTIFY, FSM_ACT_BACK_OFF);
        break;
    case FSM_KEEPALIVE_EXPIRES:
        act(r, FSM_ACT_SEND_KEEPALIVE);
        break;
    case FSM_TCP_DOWN:
        act(r, FSM_ACT_DROP);
        act(r, FSM_ACT_RETRY_START);
        r->next = BGP_ACTIVE;
        break;
    case FSM_NOTIFICATION_MILD:
        end_by_peer(r, FSM_ACT_RESTART);
        break;
    case FSM_NOTIFICATION:
        end_by_peer(r, FSM_ACT_BACK_OFF);
        break;
    case FSM_REFUSED:
        refused(r);
        break;
    case FSM_KEEPALIVE:
        act(r, FSM_ACT_HOLD_RESTART);
        act(r, FSM_ACT_ESTABLISH);
        r->next = BGP_ESTABLISHED;
        break;
    case FSM_OPEN:
    case FSM_OPEN_ERROR:
    case FSM_UPDATE:
    case FSM_UPDATE_ERROR:
    case FSM_REFRESH:
    case FSM_REFRESH_ERROR: /* RFC 6608 3: 5/2 */
        end_with(r, FSM_ACT_NOTIFY_FSM, FSM_ACT_BACK_OFF);
        break;
    default:
        break;
    }
}

static void in_established(struct fsm_step *r, enum fsm_event event) {
    switch (event) {
    case FSM_STOP:
    case FSM_COLLISION_DUMP:
        end_with(r, FSM_ACT_NOTIFY, FSM_ACT_NONE);
        break;
    case FSM_HOLD_EXPIRES:
    case FSM_HEADER_ERROR:
    case FSM_UPDATE_ERROR:
    case FSM_REFRESH_ERROR:
        end_with(r, FSM_ACT_NOTIFY, FSM_ACT_BACK_OFF);
        break;
    case FSM_KEEPALIVE_EXPIRES:
        act(r, FSM_ACT_SEND_KEEPALIVE);
        break;
    case FSM_TCP_DOWN: /* RFC 4724 4.2: the routes may stay */
        act(r, FSM_ACT_LEAVE);
        act(r, FSM_ACT_DROP);
        act(r, FSM_ACT_RESTART);
        r->next = BGP_IDLE;
        break;
    case FSM_NOTIFICATION_MILD:
    case FSM_REFUSED:
        end_by_peer(r, FSM_ACT_RESTART);
        break;
    case FSM_NOTIFICATION:
        end_by_peer(r, FSM_ACT_BACK_OFF);
        break;
    case FSM_KEEPALIVE:
        act(r, FSM_ACT_HOLD_RESTART);
        break;
    case FSM_UPDATE:
    case FSM_REFRESH:
        act(r, FSM_ACT_HOLD_RESTART);
        act(r, FSM_ACT_APPLY);
        break;
    case FSM_OPEN:
    case FSM_OPEN_ERROR: /* RFC 6608 3: 5/3 */
        end_with(r, FSM_ACT_NOTIFY_FSM, FSM_ACT_BACK_OFF);
        break;
    default:
        break;
    }
}

struct fsm_step fsm_step(enum bgp_state state, enum fsm_event event) {
    struct fsm_step r = {.next = state};
    switch (state) {
    case BGP_IDLE:
        in_idle(&r, event);
        break;
    case BGP_CONNECT:
        in_connect(&r, event);
        break;
    case BGP_ACTIVE:
        in_active(&r, event);
        break;
    case BGP_OPEN_SENT:
        in_open_sent(&r, event);
        break;
    case BGP_OPEN_CONFIRM:
        in_open_confirm(&r, event);
        break;
    case BGP_ESTABLISHED:
        in_established(&r, event);
        break;
    }
    return r;
}

const char *fsm_event_name(enum fsm_event e) {
    static const char *const names[] = {
#define X(name, text, rfc) [name] = text,
        FSM_EVENTS(X)
#undef X
    };
    return names[e];
}

const char *fsm_action_name(enum fsm_action a) {
    static const char *const names[] = {
#define X(name, text) [name] = text,
        FSM_ACTIONS(X)
#undef X
    };
    return names[a];
}

const char *bgp_state_name(enum bgp_state s) {
    static const char *const names[BGP_STATES] = {
        [BGP_IDLE] = "Idle",
        [BGP_CONNECT] = "Connect",
        [BGP_ACTIVE] = "Active",
        [BGP_OPEN_SENT] = "OpenSent",
        [BGP_OPEN_CONFIRM] = "OpenConfirm",
        [BGP_ESTABLISHED] = "Established",
    };
    return names[s];
}
