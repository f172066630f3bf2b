/*
 * A BGP peer that is as cheap as one can be: no tables, no timers, no queues.
 *
 * Owns one socket and the few bytes of a message that has not come whole. Replies of the opening
 * are so short that a new connection's send buffer has room for them; the announcements belong to
 * the caller and are written straight from there.
 *
 * RFC 4271 4, 5492, 6793.
 */
#include "client.h"

#include "../core/message.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOLD_TIME_S 3600 /* theirs decides */

/* ---- the connection ---- */

static struct sockaddr_in address_of(struct ip_addr a, uint16_t port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr = {.s_addr = htonl(ip4_to_u32(a))}};
}

void client_close(struct client *c) {
    const struct linger reset = {.l_onoff = 1};
    if (c->fd >= 0) {
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(c->fd);
    }
    c->fd = -1;
    c->state = CLIENT_IDLE;
    c->partial_size = 0;
}

static enum client_status lost(struct client *c) {
    client_close(c);
    return CLIENT_LOST;
}

enum client_status client_connect(struct client *c, struct ip_addr remote) {
    const struct sockaddr_in from = address_of(c->local, 0), to = address_of(remote, BGP_PORT);
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return CLIENT_LOST;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(c->fd, (const struct sockaddr *)&from, sizeof from) != 0)
        return lost(c);
    c->state = CLIENT_CONNECTING;
    if (connect(c->fd, (const struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        return lost(c);
    return CLIENT_OK;
}

static enum client_status say(struct client *c, const uint8_t *data, size_t size) {
    ssize_t sent = size ? send(c->fd, data, size, MSG_NOSIGNAL) : 0;
    return sent == (ssize_t)size ? CLIENT_OK : lost(c);
}

static enum client_status connected(struct client *c) {
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
        return lost(c);
    c->state = CLIENT_OPENING;
    return say(c, message, client_open(c, message, sizeof message));
}

enum client_status client_write(struct client *c) {
    while (c->out_at < c->out_size) {
        ssize_t sent = send(c->fd, c->out + c->out_at, c->out_size - c->out_at, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR ? CLIENT_OK : lost(c);
        c->out_at += (size_t)sent;
    }
    return CLIENT_OK;
}

enum client_status client_keepalive(struct client *c) {
    uint8_t message[BGP_HEADER_SIZE];
    if (c->state != CLIENT_ESTABLISHED || c->out_at < c->out_size)
        return CLIENT_OK; /* what is being written says that we live */
    return say(c, message, keepalive_encode(message, sizeof message));
}

enum client_status client_ready(struct client *c, struct client_buffer *buffer) {
    uint8_t reply[BGP_MESSAGE_SIZE_MAX];
    size_t reply_size = 0;
    if (c->state == CLIENT_CONNECTING)
        return connected(c);
    memcpy(buffer->data, c->partial, c->partial_size);
    ssize_t got = recv(c->fd, buffer->data + c->partial_size, CLIENT_READ_MAX, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return CLIENT_OK;
    if (got <= 0)
        return lost(c);
    size_t size = c->partial_size + (size_t)got;
    size_t taken = client_take(c, buffer->data, size, reply, &reply_size);
    if (taken == SIZE_MAX)
        return lost(c);
    c->octets += (size_t)got;
    c->partial_size = (uint16_t)(size - taken);
    memcpy(c->partial, buffer->data + taken, c->partial_size);
    return say(c, reply, reply_size);
}

/* ---- messages ---- */

size_t client_open(const struct client *c, uint8_t *out, size_t out_size) {
    const struct bgp_open open = {.asn = c->as,
                                  .hold_time_s = HOLD_TIME_S,
                                  .router_id = ip4_to_u32(c->local),
                                  .has_capabilities = true,
                                  .mp_present = true,
                                  .families = {[BGP_IPV4_UNICAST] = true},
                                  .as4 = true};
    return open_encode(&open, out, out_size);
}

/* False: the session is over. */
static bool take_one(struct client *c, enum bgp_message_type type, const uint8_t *body, size_t size,
                     uint8_t *reply, size_t *reply_size) {
    c->messages++;
    switch (type) {
    case BGP_MSG_OPEN:
        if (c->state != CLIENT_OPENING)
            return false;
        c->state = CLIENT_CONFIRMING;
        *reply_size += keepalive_encode(reply + *reply_size, BGP_MESSAGE_SIZE_MAX - *reply_size);
        return true;
    case BGP_MSG_KEEPALIVE:
        if (c->state == CLIENT_CONFIRMING)
            c->state = CLIENT_ESTABLISHED;
        return c->state == CLIENT_ESTABLISHED;
    case BGP_MSG_UPDATE:
        c->updates++;
        return c->state == CLIENT_ESTABLISHED && routes_held_update(&c->held, body, size);
    case BGP_MSG_ROUTE_REFRESH:
        return true;
    case BGP_MSG_NOTIFICATION:
        return false;
    }
    return false;
}

size_t client_take(struct client *c, const uint8_t *data, size_t size, uint8_t *reply,
                   size_t *ret_reply_size) {
    enum bgp_message_type type;
    struct bgp_error error = {.code = 0};
    size_t at = 0, length;
    *ret_reply_size = 0;
    while ((length = message_peek(data + at, size - at, &type, &error)) > 0 &&
           length <= size - at) {
        if (!take_one(c, type, data + at + BGP_HEADER_SIZE, length - BGP_HEADER_SIZE, reply,
                      ret_reply_size))
            return SIZE_MAX;
        at += length;
    }
    return error.code ? SIZE_MAX : at;
}
