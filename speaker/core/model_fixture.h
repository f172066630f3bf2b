#ifndef RIBCAGE_CORE_MODEL_FIXTURE_H
#define RIBCAGE_CORE_MODEL_FIXTURE_H

#include "../base/addr.h"
#include "message.h"

/*
 * A second opinion for tests and fuzzers: reads UPDATEs and keeps tables with code that shares
 * nothing with the speaker's decoder, tables and decision, in the plainest way that works. It knows
 * IPv4 and IPv6 unicast without path identifiers, messages of up to 4,096 octets, and of the
 * decision the steps up to ORIGIN; what it cannot judge makes it unsure, and then it says nothing.
 */

#define MODEL_SOURCES 4
#define MODEL_ROUTES_MAX 1024

/* A session as the model needs to know it. */
struct model_session {
    bool as4, external, families[BGP_FAMILIES];
    bool deny[BGP_FAMILIES];      /* nothing is let in */
    uint32_t first_as;            /* 0: not enforced */
    uint32_t local_as, router_id; /* the speaker's */
    struct ip_addr local_addr;    /* … on this session */
    bool observer;                /* what the speaker sent: everything is taken as it is */
};

struct model_route {
    struct ip_prefix prefix;
    bool usable, no_advertise;
    uint8_t origin;
    uint32_t local_pref;
    uint32_t path_length; /* RFC 4271 9.1.2.2 a */
    uint64_t path_hash;   /* of the AS_PATH, segment by segment: model_hash_segment */
};

struct model_table {
    struct model_route *routes;
    size_t count;
    bool overflow;
};

struct model_list {
    const uint8_t *data;
    size_t size;
    bool ipv6;
    struct ip_addr next_hop; /* announced ones */
};

struct model_update {
    enum bgp_outcome outcome;
    bool unsure;
    struct model_route values;
    struct model_list announced[2], withdrawn[2];
    unsigned announced_count, withdrawn_count;
};

/* From 1: a segment, then each AS in it. */
uint64_t model_hash_segment(uint64_t hash, uint8_t type, size_t count);
uint64_t model_hash_as(uint64_t hash, uint32_t asn);

/* A whole UPDATE with its header; the lists point into it. */
void model_read(const struct model_session *s, const uint8_t *message, size_t size,
                struct model_update *ret);
/* Nothing with a reset. */
void model_apply(struct model_table *t, const struct model_session *s,
                 const struct model_update *u);
void model_table_clear(struct model_table *t);
void model_table_free(struct model_table *t);
const struct model_route *model_find(const struct model_table *t, struct ip_prefix p);
/* Does an internal client that is sent all best routes hold `view`, when the speaker was told
 * MODEL_SOURCES `sources`? False: not about *ret_prefix. `own`: prefixes the speaker
 * announces itself. */
bool model_agrees(const struct model_table *sources, const struct model_table *view,
                  const struct ip_prefix *own, size_t own_count, struct ip_prefix *ret_prefix);

#endif
