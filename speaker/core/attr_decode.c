/*
 * Path attributes from the wire: one table row per attribute we know, one small function per row.
 *
 * A row's function gets a reader over exactly the attribute's value and answers with what RFC 7606
 * (and the RFCs of the attributes) make of it; the loop keeps the strongest answer. A function
 * writes into the update only when its attribute is sound. Unknown optional transitive attributes
 * are kept raw, with the Partial bit set for whoever they are passed on to (RFC 4271 5); unknown
 * optional non-transitive ones are dropped; an unknown well-known one resets the session (6.3).
 *
 * NEXT_HOP is judged at the end: where all prefixes are in MP_REACH it is ignored, damaged or not
 * (RFC 4760 3). AS4_PATH and AS4_AGGREGATOR are set aside and merged at the end, whatever order
 * they came in (RFC 6793 4.2.3, 6).
 *
 * RFC 4271 4.3, 5, 6.3; 7606 3-7; 1997; 4360; 4456; 6793; 7607; 8092; 9234 (OTC: length only).
 */
#include "attr_decode.h"

#include "../base/arena.h"
#include "framing.h"
#include "limits.h"

#include <assert.h>
#include <string.h>

#define ATTR_FLAGS_WELL_KNOWN ATTR_FLAG_TRANSITIVE
#define ATTR_FLAGS_OPTIONAL ATTR_FLAG_OPTIONAL
#define ATTR_FLAGS_TRANSITIVE (ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE)
#define ATTR_FLAGS_CLASS (ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE)

void update_worsen(struct bgp_update *u, enum bgp_outcome outcome, uint8_t code) {
    if (outcome > u->outcome) {
        u->outcome = outcome;
        u->worst_attribute = code;
        u->worst_at = NULL;
    }
}

void attr_blame(struct attr_decoder *d, enum bgp_outcome outcome, uint8_t code, const uint8_t *at) {
    bool worse = outcome > d->update->outcome;
    update_worsen(d->update, outcome, code);
    if (worse) {
        d->update->worst_at = at;
    }
}

void update_reset(struct bgp_update *u, uint8_t code, struct bgp_error error) {
    assert(error.code != 0);
    if (u->outcome != BGP_OUTCOME_SESSION_RESET) {
        u->error = error;
    }
    update_worsen(u, BGP_OUTCOME_SESSION_RESET, code);
}

/* Out of memory is our fault, not the peer's: Cease/Out of Resources (RFC 4486 4). */
static enum bgp_outcome attr_no_memory(struct attr_decoder *d) {
    update_reset(d->update, 0, framing_error(BGP_ERR_CEASE, BGP_CEASE_OUT_OF_RESOURCES, NULL, 0));
    return BGP_OUTCOME_SESSION_RESET;
}

/* ---- one function per attribute ---- */

static enum bgp_outcome attr_read_origin(struct attr_decoder *d, struct byte_reader *r) {
    uint8_t origin = bytes_u8(r);
    if (!bytes_ok(r) || bytes_left(r) > 0 || origin > 2) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    d->update->attrs.origin = origin;
    return BGP_OUTCOME_OK;
}

static enum bgp_outcome attr_read_as_path(struct attr_decoder *d, struct byte_reader *r) {
    enum as_path_confed confed = d->codec->external ? AS_PATH_CONFED_REFUSE : AS_PATH_CONFED_KEEP;
    struct as_path *path = &d->update->attrs.as_path;
    switch (as_path_decode(r, d->codec->as4, confed, d->scratch, path)) {
    case AS_PATH_OK:
        return BGP_OUTCOME_OK;
    case AS_PATH_MALFORMED:
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    case AS_PATH_NO_MEMORY:
        break;
    }
    return attr_no_memory(d);
}

static enum bgp_outcome attr_read_next_hop(struct attr_decoder *d, struct byte_reader *r) {
    uint32_t next_hop = bytes_u32(r);
    if (!bytes_ok(r) || bytes_left(r) > 0) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    d->update->attrs.next_hop = ip4(next_hop);
    return BGP_OUTCOME_OK;
}

static enum bgp_outcome attr_read_med(struct attr_decoder *d, struct byte_reader *r) {
    uint32_t med = bytes_u32(r);
    if (!bytes_ok(r) || bytes_left(r) > 0) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    d->update->attrs.has_med = true;
    d->update->attrs.med = med;
    return BGP_OUTCOME_OK;
}

static enum bgp_outcome attr_read_local_pref(struct attr_decoder *d, struct byte_reader *r) {
    uint32_t local_pref = bytes_u32(r);
    if (!bytes_ok(r) || bytes_left(r) > 0) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    d->update->attrs.has_local_pref = true;
    d->update->attrs.local_pref = local_pref;
    return BGP_OUTCOME_OK;
}

static enum bgp_outcome attr_read_atomic(struct attr_decoder *d, struct byte_reader *r) {
    if (bytes_left(r) > 0) {
        return BGP_OUTCOME_DISCARD_ATTRIBUTE;
    }
    d->update->attrs.atomic_aggregate = true;
    return BGP_OUTCOME_OK;
}

static enum bgp_outcome attr_read_aggregator(struct attr_decoder *d, struct byte_reader *r) {
    uint32_t asn = d->codec->as4 ? bytes_u32(r) : bytes_u16(r);
    uint32_t id = bytes_u32(r);
    if (!bytes_ok(r) || bytes_left(r) > 0 || asn == 0) {
        return BGP_OUTCOME_DISCARD_ATTRIBUTE;
    }
    d->update->attrs.has_aggregator = true;
    d->update->attrs.aggregator_as = asn;
    d->update->attrs.aggregator_id = id;
    return BGP_OUTCOME_OK;
}

static enum bgp_outcome attr_read_originator_id(struct attr_decoder *d, struct byte_reader *r) {
    uint32_t id = bytes_u32(r);
    if (!bytes_ok(r) || bytes_left(r) > 0) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    d->update->attrs.has_originator_id = true;
    d->update->attrs.originator_id = id;
    return BGP_OUTCOME_OK;
}

/* A list of 32-bit words; NULL with *ret_outcome when it is none. */
static uint32_t *attr_read_words(struct attr_decoder *d, struct byte_reader *r, uint32_t *ret_count,
                                 enum bgp_outcome *ret_outcome) {
    size_t size = bytes_left(r);
    if (size == 0 || size % 4 != 0) {
        *ret_outcome = BGP_OUTCOME_TREAT_AS_WITHDRAW;
        return NULL;
    }
    uint32_t *words = arena_array(d->scratch, size / 4, sizeof *words);
    if (!words) {
        *ret_outcome = attr_no_memory(d);
        return NULL;
    }
    *ret_count = (uint32_t)(size / 4);
    for (uint32_t i = 0; i < *ret_count; i++) {
        words[i] = bytes_u32(r);
    }
    *ret_outcome = BGP_OUTCOME_OK;
    return words;
}

static enum bgp_outcome attr_read_cluster_list(struct attr_decoder *d, struct byte_reader *r) {
    enum bgp_outcome outcome;
    uint32_t count;
    uint32_t *words = attr_read_words(d, r, &count, &outcome);
    if (words) {
        d->update->attrs.cluster_list = words;
        d->update->attrs.cluster_count = count;
    }
    return outcome;
}

static enum bgp_outcome attr_read_communities(struct attr_decoder *d, struct byte_reader *r) {
    enum bgp_outcome outcome;
    uint32_t count;
    uint32_t *words = attr_read_words(d, r, &count, &outcome);
    if (words) {
        d->update->attrs.communities = words;
        d->update->attrs.community_count = community_sort(words, count);
    }
    return outcome;
}

static enum bgp_outcome attr_read_ext(struct attr_decoder *d, struct byte_reader *r) {
    size_t size = bytes_left(r);
    if (size == 0 || size % 8 != 0) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    uint64_t *list = arena_array(d->scratch, size / 8, sizeof *list);
    if (!list) {
        return attr_no_memory(d);
    }
    uint32_t count = (uint32_t)(size / 8);
    for (uint32_t i = 0; i < count; i++) {
        list[i] = bytes_u64(r);
    }
    d->update->attrs.ext_communities = list;
    d->update->attrs.ext_community_count = ext_community_sort(list, count);
    return BGP_OUTCOME_OK;
}

static enum bgp_outcome attr_read_large(struct attr_decoder *d, struct byte_reader *r) {
    size_t size = bytes_left(r);
    if (size == 0 || size % 12 != 0) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    struct large_community *list = arena_array(d->scratch, size / 12, sizeof *list);
    if (!list) {
        return attr_no_memory(d);
    }
    uint32_t count = (uint32_t)(size / 12);
    for (uint32_t i = 0; i < count; i++) {
        list[i].global = bytes_u32(r);
        list[i].local1 = bytes_u32(r);
        list[i].local2 = bytes_u32(r);
    }
    d->update->attrs.large_communities = list;
    d->update->attrs.large_community_count = large_community_sort(list, count);
    return BGP_OUTCOME_OK;
}

/* RFC 6793 4.1: a NEW speaker must not send it; 6: damage costs the attribute only, and to be
 * without any AS is damage. */
static enum bgp_outcome attr_read_as4_path(struct attr_decoder *d, struct byte_reader *r) {
    if (d->codec->as4 || bytes_left(r) == 0) {
        return BGP_OUTCOME_DISCARD_ATTRIBUTE;
    }
    switch (as_path_decode(r, true, AS_PATH_CONFED_DROP, d->scratch, &d->as4_path)) {
    case AS_PATH_OK:
        d->has_as4_path = true;
        return BGP_OUTCOME_OK;
    case AS_PATH_MALFORMED:
        return BGP_OUTCOME_DISCARD_ATTRIBUTE;
    case AS_PATH_NO_MEMORY:
        break;
    }
    return attr_no_memory(d);
}

static enum bgp_outcome attr_read_as4_aggregator(struct attr_decoder *d, struct byte_reader *r) {
    uint32_t asn = bytes_u32(r);
    uint32_t id = bytes_u32(r);
    if (d->codec->as4 || !bytes_ok(r) || bytes_left(r) > 0 || asn == 0) {
        return BGP_OUTCOME_DISCARD_ATTRIBUTE;
    }
    d->has_as4_aggregator = true;
    d->as4_aggregator_as = asn;
    d->as4_aggregator_id = id;
    return BGP_OUTCOME_OK;
}

/* Keeps the current attribute raw, in order of codes. Too many: the rest is discarded. */
static enum bgp_outcome attr_keep(struct attr_decoder *d, uint8_t flags, uint8_t code,
                                  const struct byte_reader *value) {
    struct attr_values *v = &d->update->attrs;
    if (v->unknown_count == BGP_ATTRS_UNKNOWN_MAX) {
        return BGP_OUTCOME_DISCARD_ATTRIBUTE;
    }
    if (v->unknown_count % 8 == 0) {
        struct attr_unknown *list =
            arena_array(d->scratch, v->unknown_count + 8, sizeof *v->unknown);
        if (!list) {
            return attr_no_memory(d);
        }
        if (v->unknown_count > 0) {
            memcpy(list, v->unknown, v->unknown_count * sizeof *list);
        }
        v->unknown = list;
    }
    /* The list lives in scratch and is ours until the update is handed out. */
    struct attr_unknown *list = (struct attr_unknown *)(uintptr_t)v->unknown;
    uint32_t at = v->unknown_count++;
    for (; at > 0 && list[at - 1].code > code; at--) {
        list[at] = list[at - 1];
    }
    list[at] = (struct attr_unknown){
        .flags = flags, .code = code, .size = (uint16_t)value->size, .data = value->data};
    return BGP_OUTCOME_OK;
}

/* RFC 9234 5: only its form is judged here. It is carried as it came; what it means, otc.c says. */
static enum bgp_outcome attr_read_otc(struct attr_decoder *d, struct byte_reader *r) {
    struct byte_reader value = *r;
    uint32_t asn = bytes_u32(r);
    if (!bytes_ok(r) || bytes_left(r) > 0 || asn == 0) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    uint8_t flags = d->start[0] & (ATTR_FLAGS_CLASS | ATTR_FLAG_PARTIAL);
    return attr_keep(d, flags, ATTR_OTC, &value);
}

/* ---- the table ---- */

typedef enum bgp_outcome attr_read_fn(struct attr_decoder *d, struct byte_reader *r);

struct attr_row {
    attr_read_fn *read;
    uint8_t flags;      /* Optional and Transitive as they have to be */
    bool internal_only; /* from an external peer it is discarded unread */
};

#define ATTR_ROWS 36

static const struct attr_row attr_rows[ATTR_ROWS] = {
    [ATTR_ORIGIN] = {attr_read_origin, ATTR_FLAGS_WELL_KNOWN, false},
    [ATTR_AS_PATH] = {attr_read_as_path, ATTR_FLAGS_WELL_KNOWN, false},
    [ATTR_NEXT_HOP] = {attr_read_next_hop, ATTR_FLAGS_WELL_KNOWN, false},
    [ATTR_MED] = {attr_read_med, ATTR_FLAGS_OPTIONAL, false},
    [ATTR_LOCAL_PREF] = {attr_read_local_pref, ATTR_FLAGS_WELL_KNOWN, true},
    [ATTR_ATOMIC_AGGREGATE] = {attr_read_atomic, ATTR_FLAGS_WELL_KNOWN, false},
    [ATTR_AGGREGATOR] = {attr_read_aggregator, ATTR_FLAGS_TRANSITIVE, false},
    [ATTR_COMMUNITIES] = {attr_read_communities, ATTR_FLAGS_TRANSITIVE, false},
    [ATTR_ORIGINATOR_ID] = {attr_read_originator_id, ATTR_FLAGS_OPTIONAL, true},
    [ATTR_CLUSTER_LIST] = {attr_read_cluster_list, ATTR_FLAGS_OPTIONAL, true},
    [ATTR_MP_REACH] = {mp_reach_decode, ATTR_FLAGS_OPTIONAL, false},
    [ATTR_MP_UNREACH] = {mp_unreach_decode, ATTR_FLAGS_OPTIONAL, false},
    [ATTR_EXT_COMMUNITIES] = {attr_read_ext, ATTR_FLAGS_TRANSITIVE, false},
    [ATTR_AS4_PATH] = {attr_read_as4_path, ATTR_FLAGS_TRANSITIVE, false},
    [ATTR_AS4_AGGREGATOR] = {attr_read_as4_aggregator, ATTR_FLAGS_TRANSITIVE, false},
    [ATTR_LARGE_COMMUNITIES] = {attr_read_large, ATTR_FLAGS_TRANSITIVE, false},
    [ATTR_OTC] = {attr_read_otc, ATTR_FLAGS_TRANSITIVE, false},
};

bool attr_decode_seen(const struct attr_decoder *d, uint8_t code) {
    return d->seen[code / 32] >> code % 32 & 1;
}

static enum bgp_outcome attr_decode_unknown(struct attr_decoder *d, uint8_t flags, uint8_t code,
                                            const struct byte_reader *value) {
    if (!(flags & ATTR_FLAG_OPTIONAL)) {
        update_reset(
            d->update, code,
            framing_error(BGP_ERR_UPDATE, BGP_UPDATE_ERR_UNRECOGNIZED, d->start, d->start_size));
        return BGP_OUTCOME_SESSION_RESET;
    }
    if (!(flags & ATTR_FLAG_TRANSITIVE)) {
        return BGP_OUTCOME_OK;
    }
    return attr_keep(d, ATTR_FLAGS_TRANSITIVE | ATTR_FLAG_PARTIAL, code, value);
}

static enum bgp_outcome attr_decode_duplicate(struct attr_decoder *d, uint8_t code) {
    if (code != ATTR_MP_REACH && code != ATTR_MP_UNREACH) {
        return BGP_OUTCOME_DISCARD_ATTRIBUTE; /* RFC 7606 3 g: the first one counts */
    }
    update_reset(d->update, code, framing_error(BGP_ERR_UPDATE, BGP_UPDATE_ERR_LIST, NULL, 0));
    return BGP_OUTCOME_SESSION_RESET;
}

static enum bgp_outcome attr_decode_known(struct attr_decoder *d, const struct attr_row *row,
                                          uint8_t flags, struct byte_reader *value) {
    bool wrong_flags = (flags & ATTR_FLAGS_CLASS) != row->flags;
    bool is_mp = row->read == mp_reach_decode || row->read == mp_unreach_decode;
    if (wrong_flags && !is_mp) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW; /* RFC 7606 3 c */
    }
    if (row->internal_only && d->codec->external) {
        return BGP_OUTCOME_DISCARD_ATTRIBUTE; /* RFC 7606 7.5, 7.9, 7.10 */
    }
    /* Its prefixes are what is to be withdrawn: MP_* are read in any case. */
    enum bgp_outcome outcome = row->read(d, value);
    if (wrong_flags && outcome < BGP_OUTCOME_TREAT_AS_WITHDRAW) {
        outcome = BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    return outcome;
}

static void attr_decode_one(struct attr_decoder *d, uint8_t flags, uint8_t code,
                            struct byte_reader *value) {
    enum bgp_outcome outcome;
    if (code != ATTR_MP_UNREACH) {
        d->update->has_attrs = true;
    }
    if (attr_decode_seen(d, code)) {
        attr_blame(d, attr_decode_duplicate(d, code), code, d->start);
        return;
    }
    d->seen[code / 32] |= UINT32_C(1) << code % 32;
    if (code >= ATTR_ROWS || !attr_rows[code].read) {
        outcome = attr_decode_unknown(d, flags, code, value);
    } else {
        outcome = attr_decode_known(d, &attr_rows[code], flags, value);
    }
    if (code == ATTR_NEXT_HOP && outcome != BGP_OUTCOME_SESSION_RESET) {
        d->next_hop = outcome;
        d->next_hop_at = d->start;
        return;
    }
    attr_blame(d, outcome, code, d->start);
}

void attr_decode(struct attr_decoder *d, struct byte_reader *r) {
    while (bytes_left(r) > 0 && d->update->outcome != BGP_OUTCOME_SESSION_RESET) {
        d->start = r->data + r->at;
        size_t start = r->at;
        uint8_t flags = bytes_u8(r);
        uint8_t code = bytes_u8(r);
        size_t size = flags & ATTR_FLAG_EXTENDED ? bytes_u16(r) : bytes_u8(r);
        struct byte_reader value = bytes_view(r, size);
        if (!bytes_ok(r)) {
            /* RFC 7606 4: the length of the whole field still bounds the damage. */
            d->framing_lost = true;
            attr_blame(d, BGP_OUTCOME_TREAT_AS_WITHDRAW, code, d->start);
            return;
        }
        d->start_size = r->at - start;
        attr_decode_one(d, flags, code, &value);
    }
}

void attr_decode_merge_as4(struct attr_decoder *d) {
    struct attr_values *v = &d->update->attrs;
    if (v->has_aggregator && v->aggregator_as != AS_TRANS && d->has_as4_aggregator) {
        return; /* aggregated since by an OLD speaker: both are stale */
    }
    if (v->has_aggregator && d->has_as4_aggregator) {
        v->aggregator_as = d->as4_aggregator_as;
        v->aggregator_id = d->as4_aggregator_id;
    }
    if (!d->has_as4_path) {
        return;
    }
    switch (as_path_merge(v->as_path, d->as4_path, d->scratch, &v->as_path)) {
    case AS_PATH_OK:
        break;
    case AS_PATH_MALFORMED:
        update_worsen(d->update, BGP_OUTCOME_TREAT_AS_WITHDRAW, ATTR_AS4_PATH);
        break;
    case AS_PATH_NO_MEMORY:
        attr_no_memory(d);
        break;
    }
}
