#ifndef RIBCAGE_BENCH_CLIENT_H
#define RIBCAGE_BENCH_CLIENT_H

#include "../base/addr.h"
#include "../base/nanotime.h"
#include "../core/limits.h"
#include "routes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One peer of the device under test: connects, opens the session, announces what it was given,
 * counts what it is told. IPv4 unicast with four-octet ASes, no other capability, no timers of its
 * own: who runs it says when keepalives are due.
 */

enum client_state {
    CLIENT_IDLE,
    CLIENT_CONNECTING,
    CLIENT_OPENING,    /* OPEN sent */
    CLIENT_CONFIRMING, /* theirs received, KEEPALIVE sent */
    CLIENT_ESTABLISHED,
};

#define CLIENT_READ_MAX ((size_t)256 * 1024)
struct client_buffer { /* one for all clients */
    uint8_t data[BGP_MESSAGE_SIZE_MAX + CLIENT_READ_MAX];
};

struct client {
    struct ip_addr local; /* and its BGP identifier */
    uint32_t as;
    int fd; /* -1: none */
    enum client_state state;
    struct nanotime retry_at; /* of CLIENT_IDLE */
    struct routes_held held;
    const uint8_t *out; /* UPDATEs, the caller's */
    size_t out_size, out_at;
    uint64_t messages, updates, octets; /* received since the load began */
    uint16_t partial_size;
    uint8_t partial[BGP_MESSAGE_SIZE_MAX]; /* the beginning of a message */
};

enum client_status {
    CLIENT_OK,
    CLIENT_LOST, /* the session or the connection is over; the descriptor is closed */
};

/* A connection to `remote` begins; the descriptor does not block. CLIENT_LOST: refused at once. */
enum client_status client_connect(struct client *c, struct ip_addr remote);
/* The descriptor is readable or, while connecting, writable. */
enum client_status client_ready(struct client *c, struct client_buffer *buffer);
/* Writes what is left of `out`, as much as the kernel takes. */
enum client_status client_write(struct client *c);
enum client_status client_keepalive(struct client *c);
/* Ends with RST, so that nothing lingers. */
void client_close(struct client *c);

/* Handles the whole messages in `data`, returns how many octets they have; SIZE_MAX: the session
 * ends. `reply` gets what must be said now (BGP_MESSAGE_SIZE_MAX octets). */
size_t client_take(struct client *c, const uint8_t *data, size_t size, uint8_t *reply,
                   size_t *ret_reply_size);
size_t client_open(const struct client *c, uint8_t *out, size_t out_size);

#endif
