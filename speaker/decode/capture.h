#ifndef RIBCAGE_DECODE_CAPTURE_H
#define RIBCAGE_DECODE_CAPTURE_H

#include "decode.h"

/*
 * The BGP messages in a capture: packets in, messages out, connection by connection.
 *
 * Connections are those of port 179, and others whose first octets are a marker. How the messages
 * of one are read (AS size, path identifiers, extended messages, internal or not) is learned from
 * its two OPENs; until both have been seen it is as `how` says.
 */

#define CAPTURE_FLOWS_MAX                                                                          \
    16384 /* connections followed at a time; packets of others are ignored                         \
           */

struct capture_end_point {
    struct ip_addr addr;
    uint16_t port;
};

struct capture_item {
    uint64_t time_ns; /* since 1970, of the packet that made the message whole */
    struct capture_end_point from, to;
    bool lost; /* octets are missing before this message */
    const struct decode_message *message;
};
typedef void capture_fn(void *context, const struct capture_item *item);

struct capture;
struct capture *capture_new(const struct decode_options *how, capture_fn *each, void *context);
void capture_free(struct capture *c);
void capture_packet(struct capture *c, int link_type, uint64_t time_ns, const uint8_t *data,
                    size_t size);
/* No more packets: what waits behind gaps is read too. False: memory ran out, or there were more
 * connections than are followed; something may be missing. */
bool capture_finish(struct capture *c);

#endif
