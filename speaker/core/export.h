#ifndef RIBCAGE_CORE_EXPORT_H
#define RIBCAGE_CORE_EXPORT_H

#include "speaker.h"

/*
 * What a route becomes on its way out, and whether it goes at all. A pure function of the route and
 * of the key: sessions with equal keys get the same routes with the same attributes (but each not
 * what it sent itself), so they share an update group.
 */

/* Everything that shapes what a session is sent. Made by export_key_make; compared as bytes. */
struct export_key {
    uint64_t chain_hash[BGP_FAMILIES]; /* content of the export policies and conditions */
    uint32_t local_as, speaker_as;
    uint32_t remote_as; /* only where what is sent depends on it */
    uint32_t cluster_id, router_id, default_local_pref;
    uint32_t mrai_ms[BGP_FAMILIES];
    uint32_t subnet; /* connected subnet of the peer + 1, with third-party next hops */
    struct ip_addr local_addr;
    struct ip_addr remote_addr; /* only where a policy makes it the next hop */
    bool families[BGP_FAMILIES];
    bool default_originate[BGP_FAMILIES];
    bool deny[BGP_FAMILIES];      /* RFC 8212 */
    bool by_prefix[BGP_FAMILIES]; /* the export policies look at prefixes */
    bool external, confed, rr_client, client_to_client, as4;
    bool send_communities, send_ext_communities, as_override, local_as_replaces, transparent;
    bool remove_private_as, remove_private_as_all, remove_private_as_replace;
    bool extended_messages, extended_next_hop; /* negotiated */
    bool graceful_shutdown, blackhole_no_export;
    uint8_t role;                    /* enum bgp_role, ours; to the outside only */
    uint32_t add_path[BGP_FAMILIES]; /* RFC 7911: paths per prefix at most; 0: not negotiated */
    uint8_t next_hop_mode;
};

/* Of a peer that is not Established: as its last session was negotiated. */
void export_key_make(const struct bgp_speaker *s, const struct peer *p, struct export_key *ret_key);
bool export_key_equal(const struct export_key *a, const struct export_key *b);

enum export_result {
    EXPORT_SEND,
    EXPORT_WITHHOLD,
    EXPORT_TOO_LONG, /* withheld: does not fit into a message (RFC 8654 4) */
    EXPORT_NO_MEMORY,
};

/* `r->attrs` is not 0; `peer` is any session's with this key. The result's arrays stand in `arena`
 * or in the route's own set. `trace` (NULL: none) gets the reason in words. Two rules are not here,
 * for they differ between the members of a group: "not back to where it came from", and
 * export_spares. */
enum export_result export_route(const struct bgp_speaker *s, const struct export_key *key,
                                const struct bgp_peer_options *peer, const struct adjout_route *r,
                                struct arena *arena, struct text *trace,
                                struct attr_values *ret_values);
/* Is what `source` (a peer; 0: ourselves) says withheld from a neighbour that is the next hop, as
 * sent? RFC 4271 5.1.3: of our own routes, always. BIRD: of all. */
bool export_spares(const struct bgp_speaker *s, uint32_t source);
/* So short that it fits into a message with any prefix. */
bool export_is_short(const struct attr_values *v);
/* What `neighbor default-originate` sends; withheld without a next hop of that family. */
enum export_result export_default(const struct bgp_speaker *s, const struct export_key *key,
                                  enum bgp_family f, struct arena *arena,
                                  struct attr_values *ret_values);

#endif
