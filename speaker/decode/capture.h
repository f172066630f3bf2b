#ifndef RIBCAGE_DECODE_CAPTURE_H
#define RIBCAGE_DECODE_CAPTURE_H

#include "decode.h"

/*
 * The BGP messages in a capture: packets in, messages out, connection by connection.
 *
 * Connections are those of port 179, and others whose first octets are a marker. How the messages
 * of one are read (AS size, path identifiers, extended messages, internal or not) is learned from
 * its two OPENs. Until both have been seen it is as `how` says, as far as that fits: an UPDATE that
 * would be damaged, or would announce the default route twice, is read with AS numbers of two
 * octets, with path identifiers of a family, with IPv6 next hops of IPv4 prefixes or several of
 * these, if it is sound then, and so are those that follow it. One OPEN without a capability is
 * enough to know that the session does without.
 */

#define CAPTURE_FLOWS_MAX                                                                          \
    16384 /* followed at a time: further ones take the place of those that are over or have said   \
             nothing, else their packets are ignored */

struct capture_end_point {
    struct ip_addr addr;
    uint16_t port;
};

struct capture_item {
    uint64_t time_ns; /* since 1970, of the packet that made the message whole */
    struct capture_end_point from, to;
    bool lost;    /* octets are missing before this message */
    bool guessed; /* not as before, nor as an OPEN says: it is only sound as message->how has it */
    const struct decode_message *message;
};
typedef void capture_fn(void *context, const struct capture_item *item);

/* Packets, by what came of them. */
struct capture_counts {
    uint64_t packets;
    uint64_t unknown_link; /* of a link type that is not read here */
    int unknown_link_type; /* the last one of those */
    uint64_t other;        /* no TCP */
    uint64_t fragments, damaged;
    uint64_t cut; /* TCP segments that were not captured whole */
    uint64_t messages;
};

struct capture;
struct capture *capture_new(const struct decode_options *how, capture_fn *each, void *context);
void capture_free(struct capture *c);
void capture_packet(struct capture *c, int link_type, uint64_t time_ns, const uint8_t *data,
                    size_t size);
/* No more packets: what waits behind gaps is read too. False: memory ran out, or there were more
 * connections than are followed; something may be missing. */
bool capture_finish(struct capture *c);
struct capture_counts capture_counts(const struct capture *c);

#endif
