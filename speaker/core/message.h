#ifndef RIBCAGE_CORE_MESSAGE_H
#define RIBCAGE_CORE_MESSAGE_H

#include "../base/addr.h"
#include "../base/bytes.h"
#include "attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/*
 * The BGP-4 codec: bytes to structs and back, knowing nothing of peers, sessions or tables.
 *
 * Decode, validate, apply are three steps: the codec decodes and says what RFC 7606 makes of each
 * damage; session.c and rib_import.c apply. RFC 4271 4 and 6, 2918, 4486, 4724, 4760, 5492, 6286,
 * 6608, 6793, 7313, 7606, 7607, 7911, 8538, 8654, 8950, 9003, 9072, 9234, 9384, 9494, 9687.
 */

enum bgp_message_type {
    BGP_MSG_OPEN = 1,
    BGP_MSG_UPDATE = 2,
    BGP_MSG_NOTIFICATION = 3,
    BGP_MSG_KEEPALIVE = 4,
    BGP_MSG_ROUTE_REFRESH = 5,
};

/* What an error calls for: a NOTIFICATION. code 0: no error. */
struct bgp_error {
    uint8_t code, subcode;
    uint16_t size;
    uint8_t data[64]; /* cut to this */
};

enum bgp_error_code {
    BGP_ERR_HEADER = 1,
    BGP_ERR_OPEN = 2,
    BGP_ERR_UPDATE = 3,
    BGP_ERR_HOLD_TIMER = 4,
    BGP_ERR_FSM = 5,
    BGP_ERR_CEASE = 6,
    BGP_ERR_REFRESH = 7,
    BGP_ERR_SEND_HOLD = 8,
};
/* Subcodes: RFC 4271 4.5. */
enum bgp_header_error {
    BGP_HEADER_ERR_SYNC = 1,
    BGP_HEADER_ERR_LENGTH = 2,
    BGP_HEADER_ERR_TYPE = 3,
};
enum bgp_open_error {
    BGP_OPEN_ERR_UNSPECIFIC = 0,
    BGP_OPEN_ERR_VERSION = 1,
    BGP_OPEN_ERR_PEER_AS = 2,
    BGP_OPEN_ERR_IDENTIFIER = 3,
    BGP_OPEN_ERR_PARAMETER = 4,
    BGP_OPEN_ERR_AUTHENTICATION = 5, /* deprecated */
    BGP_OPEN_ERR_HOLD_TIME = 6,
    BGP_OPEN_ERR_CAPABILITY = 7, /* RFC 5492 */
    BGP_OPEN_ERR_ROLE = 11,      /* RFC 9234 */
};
enum bgp_update_error {
    BGP_UPDATE_ERR_LIST = 1, /* Malformed Attribute List */
    BGP_UPDATE_ERR_UNRECOGNIZED = 2,
    BGP_UPDATE_ERR_MISSING = 3,
    BGP_UPDATE_ERR_FLAGS = 4,
    BGP_UPDATE_ERR_LENGTH = 5,
    BGP_UPDATE_ERR_ORIGIN = 6,
    BGP_UPDATE_ERR_AS_LOOP = 7, /* deprecated */
    BGP_UPDATE_ERR_NEXT_HOP = 8,
    BGP_UPDATE_ERR_OPTIONAL = 9,
    BGP_UPDATE_ERR_NETWORK = 10, /* Invalid Network Field */
    BGP_UPDATE_ERR_AS_PATH = 11,
};
/* RFC 6608 */
enum bgp_fsm_error {
    BGP_FSM_ERR_OPEN_SENT = 1,
    BGP_FSM_ERR_OPEN_CONFIRM = 2,
    BGP_FSM_ERR_ESTABLISHED = 3,
};
/* RFC 7313 5 */
enum bgp_refresh_error { BGP_REFRESH_ERR_LENGTH = 1 };
enum bgp_cease {
    BGP_CEASE_PREFIX_LIMIT = 1,
    BGP_CEASE_SHUTDOWN = 2,
    BGP_CEASE_DECONFIGURED = 3,
    BGP_CEASE_RESET = 4,
    BGP_CEASE_REJECTED = 5,
    BGP_CEASE_CONFIG_CHANGE = 6,
    BGP_CEASE_COLLISION = 7,
    BGP_CEASE_OUT_OF_RESOURCES = 8,
    BGP_CEASE_HARD_RESET = 9,
    BGP_CEASE_BFD_DOWN = 10, /* RFC 9384 */
};
/* RFC words: "OPEN Message Error", "Bad Peer AS". "" when unknown. */
const char *bgp_error_name(uint8_t code);
const char *bgp_suberror_name(uint8_t code, uint8_t subcode);

/* ---- header ---- */

/* Looks at the first bytes of a stream: 0 = need more, > 0 = size of the whole message, which is
 * there or still arriving; on a bad header *ret_error is set and 0 returned. RFC 4271 6.1. */
size_t message_peek(const uint8_t *data, size_t size, enum bgp_message_type *ret_type,
                    struct bgp_error *ret_error);
/* The same for a receiver that announced extended messages (RFC 8654 4): UPDATE, NOTIFICATION and
 * ROUTE-REFRESH may have up to 65,535 octets. */
size_t message_peek_extended(const uint8_t *data, size_t size, enum bgp_message_type *ret_type,
                             struct bgp_error *ret_error);

/* ---- OPEN ---- */

struct bgp_gr_family {
    bool present : 1, forwarding : 1; /* in the capability; F bit */
};

/* RFC 7911 4, of the capability's sender. */
enum bgp_add_path {
    BGP_ADD_PATH_NONE = 0,
    BGP_ADD_PATH_RECEIVE = 1,
    BGP_ADD_PATH_SEND = 2,
    BGP_ADD_PATH_BOTH = 3,
};

/* What is in an OPEN, both to send and received. */
struct bgp_open {
    uint32_t asn; /* capability 65's when present, else the two-octet field */
    uint16_t hold_time_s;
    uint32_t router_id;    /* host order */
    bool has_capabilities; /* an optional parameter 2 was present */
    bool mp_present;       /* any multiprotocol capability: else IPv4 unicast is implied */
    bool families[BGP_FAMILIES];
    bool refresh, refresh_old, enhanced_refresh, as4;
    bool gr, gr_restarting, gr_notification; /* capability 64; R bit; N bit (8538) */
    uint16_t gr_time_s;
    struct bgp_gr_family gr_families[BGP_FAMILIES];
    bool extended_message;              /* capability 6, RFC 8654 */
    bool extended_next_hop;             /* 5: IPv4 unicast with IPv6 next hops, RFC 8950 */
    bool llgr;                          /* 71, RFC 9494 */
    uint16_t role;                      /* 9: enum bgp_role, unassigned ones too; none: absent */
    bool role_conflict;                 /* it came twice, with different values */
    uint8_t add_path[BGP_FAMILIES];     /* 69: enum bgp_add_path, what its sender can do */
    uint32_t llgr_time_s[BGP_FAMILIES]; /* stale time; 0: none */
    bool one_capability_per_parameter;  /* encode: IOS's style */
};

/* False: *ret_error is the NOTIFICATION it calls for (RFC 4271 6.2). */
bool open_decode(const uint8_t *body, size_t size, struct bgp_open *ret_open,
                 struct bgp_error *ret_error);
/* Whole message with header; returns its size, 0 if it does not fit. */
size_t open_encode(const struct bgp_open *o, uint8_t *out, size_t out_size);

/* ---- NOTIFICATION, KEEPALIVE, ROUTE-REFRESH ---- */

struct bgp_notification {
    uint8_t code, subcode;
    const uint8_t *data; /* inside the message */
    uint16_t size;
};
bool notification_decode(const uint8_t *body, size_t size, struct bgp_notification *ret_n);
size_t notification_encode(uint8_t code, uint8_t subcode, const uint8_t *data, size_t data_size,
                           uint8_t *out, size_t out_size);
/* What a Cease/Hard Reset carries (RFC 8538 3.1): the code and subcode that would have stood there,
 * and their data. False: none, or not a hard reset. */
bool notification_hard_reset(const struct bgp_notification *n, struct bgp_notification *ret_inner);
/* The shutdown text of a Cease 6/2 or 6/4 (RFC 9003), or of one inside a hard reset, escaped and
 * appended; false: none or damaged.
 */
bool notification_shutdown_text(const struct bgp_notification *n, struct text *out);
/* The same as it stands in the message: any octets, 1 to 255. */
bool notification_shutdown_octets(const struct bgp_notification *n, const uint8_t **ret_text,
                                  uint8_t *ret_size);
/* The other way: a text as the data of a Cease, at most 1 + 255 octets of UTF-8, cut between
 * characters. 0: NULL or "". */
uint16_t notification_shutdown_data(const char *text, uint8_t *out);
size_t keepalive_encode(uint8_t *out, size_t out_size);

/* RFC 7313 3 */
enum bgp_refresh_subtype {
    BGP_REFRESH_REQUEST = 0,
    BGP_REFRESH_BORR = 1,
    BGP_REFRESH_EORR = 2,
};
struct bgp_refresh {
    uint16_t afi;
    uint8_t subtype; /* enum bgp_refresh_subtype, or one that came later */
    uint8_t safi;
};
bool refresh_decode(const uint8_t *body, size_t size, struct bgp_refresh *ret_r,
                    struct bgp_error *ret_error);
size_t refresh_encode(const struct bgp_refresh *r, uint8_t *out, size_t out_size);
/* AFI/SAFI of our families; false for anything else. */
bool family_from_afi(uint16_t afi, uint8_t safi, enum bgp_family *ret_family);
uint16_t family_afi(enum bgp_family f);

/* ---- UPDATE ---- */

/* RFC 7606 2, weakest first, so that the strongest of several wins by comparison. */
enum bgp_outcome {
    BGP_OUTCOME_OK,
    BGP_OUTCOME_DISCARD_ATTRIBUTE,
    BGP_OUTCOME_TREAT_AS_WITHDRAW,
    BGP_OUTCOME_SESSION_RESET,
};
const char *bgp_outcome_name(enum bgp_outcome o); /* "ok", "discard", "withdraw", "session-reset" */

/* How this session's UPDATEs are to be read. */
struct bgp_codec {
    bool as4;                    /* both sides sent capability 65 */
    bool external;               /* eBGP: LOCAL_PREF, ORIGINATOR_ID, CLUSTER_LIST are discarded */
    bool families[BGP_FAMILIES]; /* negotiated */
    bool extended_next_hop;      /* RFC 8950: IPv4 prefixes in MP_REACH may have IPv6 next hops */
    bool add_path[BGP_FAMILIES]; /* RFC 7911: prefixes come with path identifiers */
};

/* A list of prefixes inside the message. IPv4 ones may come from two places. */
struct bgp_nlri {
    enum bgp_family family;
    bool add_path; /* RFC 7911: every prefix has its path identifier before it */
    const uint8_t *data;
    uint32_t size;
};

struct bgp_update {
    enum bgp_outcome outcome;
    struct bgp_error error;  /* with SESSION_RESET */
    uint8_t worst_attribute; /* code that led to the outcome, 0 if none */
    /* Where that attribute begins, the damaged one of several; NULL: it is missing, or wrong for
     * what the others say. */
    const uint8_t *worst_at;
    struct attr_values attrs; /* arrays live in the scratch arena; next_hop is the family's own */
    bool has_attrs;           /* any path attribute but MP_UNREACH was there */
    struct bgp_nlri withdrawn[2]; /* the classic field, MP_UNREACH */
    uint8_t withdrawn_count;
    struct bgp_nlri announced[2]; /* the classic field, MP_REACH */
    struct ip_addr next_hop[2];   /* of announced[i] */
    struct ip_addr link_local[2];
    uint8_t announced_count;
    bool end_of_rib;
    enum bgp_family end_of_rib_family;
    bool foreign_family; /* an AFI/SAFI that is not negotiated was ignored */
};

/* RFC 4271 6.3: could a packet be sent there at all? Our own addresses the caller knows. */
bool update_next_hop_usable(struct ip_addr next_hop);
/* Decodes a body. Never fails otherwise than by `outcome`. With TREAT_AS_WITHDRAW the prefixes of
 * announced[] are to be withdrawn. NLRI are validated: nlri_next on them cannot meet damage. */
void update_decode(const struct bgp_codec *codec, const uint8_t *body, size_t size,
                   struct arena *scratch, struct bgp_update *ret_update);
/* Walks a validated list; `at` starts at 0. False at the end. Host bits are masked. */
bool nlri_next(const struct bgp_nlri *n, uint32_t *at, struct ip_prefix *ret_prefix);
/* The same with the path identifiers (0 without), and with prefixes that are no unicast
 * destination (RFC 4271 6.3), which nlri_next passes over. */
bool nlri_next_path(const struct bgp_nlri *n, uint32_t *at, struct ip_prefix *ret_prefix,
                    uint32_t *ret_path_id);
/* Bytes a prefix takes. */
size_t nlri_size(struct ip_prefix p);
void nlri_put(struct byte_writer *w, struct ip_prefix p);

/* How attributes are to be written for a group of sessions. */
struct attr_encoding {
    bool as4;                 /* receiver is a NEW speaker; else AS_TRANS + AS4_PATH (6793 4.2.2) */
    enum bgp_family family;   /* IPv4: NEXT_HOP attribute, unless the next hop is IPv6 (RFC 8950);
                                 else MP_REACH by update_* below */
    bool extended;            /* RFC 8654: messages of up to 65,535 octets */
    const uint32_t *path_ids; /* RFC 7911: one for each prefix; NULL: not negotiated */
};
/* All attributes of `v` but MP_REACH, in ascending order of code; false if they do not fit. */
bool attr_encode(const struct attr_values *v, const struct attr_encoding *how,
                 struct byte_writer *w);

/*
 * One UPDATE with as many of `prefixes` as fit into `out_size` (and into a message), all of one
 * family, all with attributes `v` (NULL: withdraw them). Returns the number taken and the
 * message's size; 0 taken with size 0: the attributes alone are too large.
 */
size_t update_encode(const struct attr_values *v, const struct attr_encoding *how,
                     const struct ip_prefix *prefixes, size_t count, uint8_t *out, size_t out_size,
                     size_t *ret_size);
/* End-of-RIB (RFC 4724 2). */
size_t end_of_rib_encode(enum bgp_family family, uint8_t *out, size_t out_size);

#endif
