#ifndef RIBCAGE_DECODE_H
#define RIBCAGE_DECODE_H

#include "../core/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct text;
struct json_out;

/*
 * BGP messages for readers: bytes to text for people and to JSON for machines.
 *
 * The judge is the speaker's own codec (core/message.h): what it calls malformed is malformed here,
 * with the same outcome. What it has no use for and a reader has (the order and flags of
 * attributes, the order of communities, capabilities by name) is read from the octets beside it.
 */

/* How messages are to be read: what the two sides of the session agreed on. */
struct decode_options {
    struct bgp_codec codec;
    bool extended; /* RFC 8654: messages of more than 4,096 octets */
};

/* Four-octet ASes, internal (no attribute is refused for where it comes from), both families. */
struct decode_options decode_defaults(void);

/* One path attribute as it stands in the message. */
struct decode_attr {
    uint8_t flags, code;
    bool repeated;       /* one with this code stands before it */
    uint16_t size;       /* of the value */
    const uint8_t *data; /* inside the message */
};

/* What is wrong with a message, in the words of RFC 7606 and RFC 4271 6. */
struct decode_error {
    enum bgp_outcome outcome; /* OK: nothing */
    uint8_t code, subcode;    /* of the NOTIFICATION that is or would once have been sent */
    uint8_t attr;             /* to blame, 0: none */
};

/* Pointers go into the message or the arena. */
struct decode_message {
    struct decode_options how;
    enum bgp_message_type type; /* 0: the header is bad, only `error` means something */
    size_t size;                /* with the header */
    const uint8_t *body;
    size_t body_size;
    struct decode_error error;
    const char *note; /* NULL, or what is wrong beside the codes: "truncated: …" */
    struct bgp_open open;
    struct bgp_notification notification;
    struct bgp_refresh refresh;
    struct bgp_update update;
    const struct decode_attr *attrs; /* of an UPDATE, in wire order, as far as they are framed */
    uint32_t attr_count;
    struct as_path
        as4_path; /* of an UPDATE: AS4_PATH as it stands there; empty: none, or unsound */
};

/* Reads one whole message: `size` octets, neither more nor less. Never fails otherwise than by
 * ret_message->error. */
void decode_message(const struct decode_options *how, const uint8_t *data, size_t size,
                    struct arena *arena, struct decode_message *ret_message);

/* Members of an object the caller has opened: "type", "length", …, "error". */
void decode_put_json(const struct decode_message *m, struct json_out *out);
/* Lines, each ending in a newline, the first one without indent. */
void decode_put_text(const struct decode_message *m, struct text *out);

/* ---- pieces, for those who print routes one by one ---- */

/* First attribute of this code, or NULL. */
const struct decode_attr *decode_attr_find(const struct decode_message *m, uint8_t code);
/* Is this attribute used: first of its code, sound, not discarded? */
bool decode_attr_used(const struct decode_message *m, const struct decode_attr *a);
/* Appends the family whose end of RIB it is (RFC 4724 2), ours or not; false: it is none. */
bool decode_end_of_rib(const struct decode_message *m, struct text *out);
/* "ipv4 unicast", "l2vpn evpn", "afi 7 safi 9". */
void decode_family_name(uint16_t afi, uint8_t safi, struct text *out);
/* The inverse for families that are ours. */
bool decode_family_find(const char *name, enum bgp_family *ret_family);
const char *decode_our_family(enum bgp_family f);
/* "keepalive", "route-refresh". */
const char *decode_type_name(enum bgp_message_type type);
/* "a.b.c.d" of a number in host order. */
void decode_put_id(uint32_t id, struct text *out);
/* An address of 4 or 16 octets. */
void decode_put_address(const uint8_t *data, size_t size, struct text *out);

#endif
