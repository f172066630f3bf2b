#ifndef RIBCAGE_DECODE_MRT_H
#define RIBCAGE_DECODE_MRT_H

#include "decode.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * MRT records (RFC 6396, 8050): tables and messages in files, read and written.
 *
 * Records are handed over one at a time, whole, so this needs no file. Whatever lengths they claim,
 * memory stays within one record and one peer table.
 */

#define MRT_HEADER_SIZE 12
#define MRT_RECORD_MAX (64u << 20) /* larger bodies are passed over: nothing sane has them */

enum mrt_type {
    MRT_TABLE_DUMP = 12,
    MRT_TABLE_DUMP_V2 = 13,
    MRT_BGP4MP = 16,
    MRT_BGP4MP_ET = 17,
};

struct mrt_header {
    uint32_t time_s; /* since 1970 */
    uint16_t type, subtype;
    uint32_t size; /* of the body */
};
struct mrt_header mrt_header_decode(const uint8_t data[MRT_HEADER_SIZE]);
/* "TABLE_DUMP", "TABLE_DUMP2", "BGP4MP", "BGP4MP_ET": as line formats have them; NULL: unknown. */
const char *mrt_type_name(uint16_t type);

struct mrt_peer {
    struct ip_addr addr;
    uint32_t asn;
    uint32_t router_id; /* host order; 0 where the record has none */
};
#define MRT_NO_PEER UINT32_MAX

enum mrt_kind {
    MRT_ROUTE,   /* of a table: `message` is an UPDATE that would announce it */
    MRT_MESSAGE, /* seen on a session */
    MRT_STATE,   /* a session's state changed */
};

/* What a record holds, an item at a time. Valid during the call. */
struct mrt_item {
    enum mrt_kind kind;
    const char *type;      /* mrt_type_name */
    uint32_t time_s;       /* of a route: when it was learned */
    uint32_t dump_time_s;  /* of the record */
    bool has_microseconds; /* *_ET */
    uint32_t microseconds;
    struct mrt_peer peer;
    uint32_t peer_index; /* of a route: in the peer table; MRT_NO_PEER: the record has none */
    bool local;          /* sent, not received */
    const struct decode_message *message;
    uint16_t old_state, new_state; /* RFC 4271 8.2.2, from 1 = Idle */
};
typedef void mrt_fn(void *context, const struct mrt_item *item);

/* Is it a record of a table whose routes are no IPv4 or IPv6 unicast ones, or that is of no kind
 * known (RFC 6396 4.3.3, RFC 6397, RFC 8050 4)? Multicast routes are read as if they were unicast.
 */
bool mrt_is_foreign(const struct mrt_header *h, const uint8_t *body);

/* Keeps the last peer table seen, and scratch memory. */
struct mrt_reader;
struct mrt_reader *mrt_reader_new(void);
void mrt_reader_free(struct mrt_reader *r);
/* NULL, or what is wrong with the record; what was sound before the fault has been handed over. */
const char *mrt_read(struct mrt_reader *r, const struct mrt_header *h, const uint8_t *body,
                     mrt_fn *each, void *context);

/* ---- lines ---- */

/* TABLE_DUMP2|time|B|peer|as|prefix|as path|origin|next hop|local pref|med|communities|
 * AG or NAG|aggregator| and BGP4MP|time|A, W or STATE|…, a line a route. */
void mrt_put_lines(const struct mrt_item *item, struct text *out);
/* The same as a JSON object a message, with a newline. */
void mrt_put_json(const struct mrt_item *item, struct text *out);

/* ---- writing: appended to a text, whose `failed` tells of missing memory ---- */

struct mrt_clock {
    uint32_t time_s, microseconds;
};
/* TABLE_DUMP_V2 PEER_INDEX_TABLE; at most 65,535 peers. */
void mrt_put_peers(struct text *out, uint32_t time_s, uint32_t collector_id, const char *view,
                   const struct mrt_peer *peers, uint16_t count);

struct mrt_entry {
    uint16_t peer; /* index into the peer table */
    uint32_t time_s;
    uint32_t path_id;
    const struct attr_values *attrs;
};
/* RIB_IPV4_UNICAST, RIB_IPV6_UNICAST or, `add_path`, their forms of RFC 8050. Entries whose
 * attributes do not fit into 65,535 octets are left out. Returns how many were written. */
uint16_t mrt_put_rib(struct text *out, uint32_t time_s, uint32_t sequence, struct ip_prefix prefix,
                     bool add_path, const struct mrt_entry *entries, uint16_t count);

struct mrt_session {
    struct mrt_peer peer;
    uint32_t local_as;
    struct ip_addr local;
    bool as4;                    /* AS size of the messages */
    bool add_path[BGP_FAMILIES]; /* prefixes have path identifiers, in this direction */
};
/* BGP4MP_ET BGP4MP_MESSAGE and its kin; `sent`: the LOCAL ones. Of an UPDATE whose prefixes have
 * path identifiers those of RFC 8050: its readers have nothing else to know it by. */
void mrt_put_message(struct text *out, struct mrt_clock when, const struct mrt_session *s,
                     bool sent, const uint8_t *message, size_t size);
/* BGP4MP_ET BGP4MP_STATE_CHANGE_AS4; states from 1 = Idle. */
void mrt_put_state(struct text *out, struct mrt_clock when, const struct mrt_session *s,
                   uint16_t old_state, uint16_t new_state);

#endif
