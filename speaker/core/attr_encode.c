/*
 * Path attributes to the wire, in ascending order of code (RFC 4271 5), MP_REACH left to update.c.
 *
 * One row per attribute says whether it is there and writes its value; unknown ones are woven in
 * between by code. Lengths take one octet where they can. Values are written as they stand: which
 * attributes a receiver may see (LOCAL_PREF, MED, communities…) is decided before, by whoever made
 * the values.
 *
 * Towards an OLD speaker (RFC 6793 4.2.2) AS numbers that need four octets become AS_TRANS, and
 * AS4_PATH and AS4_AGGREGATOR carry the truth, only when there is something to carry.
 */
#include "as_path.h"
#include "message.h"

#include <assert.h>

struct attr_writer_row {
    uint8_t code;
    uint8_t flags;
    bool (*present)(const struct attr_values *v, const struct attr_encoding *how);
    void (*put)(struct byte_writer *w, const struct attr_values *v,
                const struct attr_encoding *how);
};

static bool attr_always(const struct attr_values *v, const struct attr_encoding *how) {
    (void)v;
    (void)how;
    return true;
}

static void attr_put_origin(struct byte_writer *w, const struct attr_values *v,
                            const struct attr_encoding *how) {
    (void)how;
    bytes_put_u8(w, v->origin);
}

static void attr_put_as_path(struct byte_writer *w, const struct attr_values *v,
                             const struct attr_encoding *how) {
    as_path_put(w, v->as_path, how->as4);
}

static bool attr_has_next_hop(const struct attr_values *v, const struct attr_encoding *how) {
    return how->family == BGP_IPV4_UNICAST && v->next_hop.family == IP_V4;
}

static void attr_put_next_hop(struct byte_writer *w, const struct attr_values *v,
                              const struct attr_encoding *how) {
    (void)how;
    bytes_put_u32(w, ip4_to_u32(v->next_hop));
}

static bool attr_has_med(const struct attr_values *v, const struct attr_encoding *how) {
    (void)how;
    return v->has_med;
}

static void attr_put_med(struct byte_writer *w, const struct attr_values *v,
                         const struct attr_encoding *how) {
    (void)how;
    bytes_put_u32(w, v->med);
}

static bool attr_has_local_pref(const struct attr_values *v, const struct attr_encoding *how) {
    (void)how;
    return v->has_local_pref;
}

static void attr_put_local_pref(struct byte_writer *w, const struct attr_values *v,
                                const struct attr_encoding *how) {
    (void)how;
    bytes_put_u32(w, v->local_pref);
}

static bool attr_has_atomic(const struct attr_values *v, const struct attr_encoding *how) {
    (void)how;
    return v->atomic_aggregate;
}

static void attr_put_nothing(struct byte_writer *w, const struct attr_values *v,
                             const struct attr_encoding *how) {
    (void)w;
    (void)v;
    (void)how;
}

static bool attr_has_aggregator(const struct attr_values *v, const struct attr_encoding *how) {
    (void)how;
    return v->has_aggregator;
}

static void attr_put_aggregator(struct byte_writer *w, const struct attr_values *v,
                                const struct attr_encoding *how) {
    if (how->as4) {
        bytes_put_u32(w, v->aggregator_as);
    } else {
        bytes_put_u16(w, (uint16_t)(v->aggregator_as > UINT16_MAX ? AS_TRANS : v->aggregator_as));
    }
    bytes_put_u32(w, v->aggregator_id);
}

static void attr_put_words(struct byte_writer *w, const uint32_t *words, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        bytes_put_u32(w, words[i]);
    }
}

static bool attr_has_communities(const struct attr_values *v, const struct attr_encoding *how) {
    (void)how;
    return v->community_count > 0;
}

static void attr_put_communities(struct byte_writer *w, const struct attr_values *v,
                                 const struct attr_encoding *how) {
    (void)how;
    attr_put_words(w, v->communities, v->community_count);
}

static bool attr_has_originator_id(const struct attr_values *v, const struct attr_encoding *how) {
    (void)how;
    return v->has_originator_id;
}

static void attr_put_originator_id(struct byte_writer *w, const struct attr_values *v,
                                   const struct attr_encoding *how) {
    (void)how;
    bytes_put_u32(w, v->originator_id);
}

static bool attr_has_cluster_list(const struct attr_values *v, const struct attr_encoding *how) {
    (void)how;
    return v->cluster_count > 0;
}

static void attr_put_cluster_list(struct byte_writer *w, const struct attr_values *v,
                                  const struct attr_encoding *how) {
    (void)how;
    attr_put_words(w, v->cluster_list, v->cluster_count);
}

static bool attr_has_ext(const struct attr_values *v, const struct attr_encoding *how) {
    (void)how;
    return v->ext_community_count > 0;
}

static void attr_put_ext(struct byte_writer *w, const struct attr_values *v,
                         const struct attr_encoding *how) {
    (void)how;
    for (uint32_t i = 0; i < v->ext_community_count; i++) {
        bytes_put_u64(w, v->ext_communities[i]);
    }
}

static bool attr_has_as4_path(const struct attr_values *v, const struct attr_encoding *how) {
    return !how->as4 && as_path_needs_as4(v->as_path);
}

static void attr_put_as4_path(struct byte_writer *w, const struct attr_values *v,
                              const struct attr_encoding *how) {
    (void)how;
    as_path_put_as4(w, v->as_path);
}

static bool attr_has_as4_aggregator(const struct attr_values *v, const struct attr_encoding *how) {
    return !how->as4 && v->has_aggregator && v->aggregator_as > UINT16_MAX;
}

static void attr_put_as4_aggregator(struct byte_writer *w, const struct attr_values *v,
                                    const struct attr_encoding *how) {
    (void)how;
    bytes_put_u32(w, v->aggregator_as);
    bytes_put_u32(w, v->aggregator_id);
}

static bool attr_has_large(const struct attr_values *v, const struct attr_encoding *how) {
    (void)how;
    return v->large_community_count > 0;
}

static void attr_put_large(struct byte_writer *w, const struct attr_values *v,
                           const struct attr_encoding *how) {
    (void)how;
    for (uint32_t i = 0; i < v->large_community_count; i++) {
        bytes_put_u32(w, v->large_communities[i].global);
        bytes_put_u32(w, v->large_communities[i].local1);
        bytes_put_u32(w, v->large_communities[i].local2);
    }
}

#define WELL_KNOWN ATTR_FLAG_TRANSITIVE
#define OPTIONAL ATTR_FLAG_OPTIONAL
#define TRANSITIVE (ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE)

static const struct attr_writer_row attr_writer_rows[] = {
    {ATTR_ORIGIN, WELL_KNOWN, attr_always, attr_put_origin},
    {ATTR_AS_PATH, WELL_KNOWN, attr_always, attr_put_as_path},
    {ATTR_NEXT_HOP, WELL_KNOWN, attr_has_next_hop, attr_put_next_hop},
    {ATTR_MED, OPTIONAL, attr_has_med, attr_put_med},
    {ATTR_LOCAL_PREF, WELL_KNOWN, attr_has_local_pref, attr_put_local_pref},
    {ATTR_ATOMIC_AGGREGATE, WELL_KNOWN, attr_has_atomic, attr_put_nothing},
    {ATTR_AGGREGATOR, TRANSITIVE, attr_has_aggregator, attr_put_aggregator},
    {ATTR_COMMUNITIES, TRANSITIVE, attr_has_communities, attr_put_communities},
    {ATTR_ORIGINATOR_ID, OPTIONAL, attr_has_originator_id, attr_put_originator_id},
    {ATTR_CLUSTER_LIST, OPTIONAL, attr_has_cluster_list, attr_put_cluster_list},
    {ATTR_EXT_COMMUNITIES, TRANSITIVE, attr_has_ext, attr_put_ext},
    {ATTR_AS4_PATH, TRANSITIVE, attr_has_as4_path, attr_put_as4_path},
    {ATTR_AS4_AGGREGATOR, TRANSITIVE, attr_has_as4_aggregator, attr_put_as4_aggregator},
    {ATTR_LARGE_COMMUNITIES, TRANSITIVE, attr_has_large, attr_put_large},
};
#define ATTR_WRITER_ROWS (sizeof attr_writer_rows / sizeof attr_writer_rows[0])

/* Flags, code and a one-octet length, corrected by attr_close if the value turns out longer. */
static size_t attr_open(struct byte_writer *w, uint8_t flags, uint8_t code) {
    size_t start = w->at;
    bytes_put_u8(w, flags);
    bytes_put_u8(w, code);
    bytes_put_u8(w, 0);
    return start;
}

static void attr_close(struct byte_writer *w, size_t start) {
    if (w->failed) {
        return;
    }
    size_t size = w->at - start - 3;
    if (size <= UINT8_MAX) {
        w->data[start + 2] = (uint8_t)size;
        return;
    }
    bytes_put_u8(w, 0);
    if (w->failed || size > UINT16_MAX) {
        w->failed = true;
        return;
    }
    for (size_t i = w->at - 1; i > start + 3; i--) {
        w->data[i] = w->data[i - 1];
    }
    w->data[start] |= ATTR_FLAG_EXTENDED;
    w->data[start + 2] = (uint8_t)(size >> 8);
    w->data[start + 3] = (uint8_t)size;
}

/* The unknown ones whose turn comes before `code`. */
static void attr_put_unknown(struct byte_writer *w, const struct attr_values *v, unsigned code,
                             uint32_t *next) {
    for (; *next < v->unknown_count && v->unknown[*next].code < code; (*next)++) {
        const struct attr_unknown *u = &v->unknown[*next];
        size_t start = attr_open(w, u->flags & (uint8_t)~ATTR_FLAG_EXTENDED, u->code);
        bytes_put(w, u->data, u->size);
        attr_close(w, start);
    }
}

bool attr_encode(const struct attr_values *v, const struct attr_encoding *how,
                 struct byte_writer *w) {
    if (how->family == BGP_IPV4_UNICAST && !ip_is_set(v->next_hop)) {
        return false;
    }
    uint32_t unknown = 0;
    for (size_t i = 0; i < ATTR_WRITER_ROWS; i++) {
        const struct attr_writer_row *row = &attr_writer_rows[i];
        attr_put_unknown(w, v, row->code, &unknown);
        if (row->present(v, how)) {
            size_t start = attr_open(w, row->flags, row->code);
            row->put(w, v, how);
            attr_close(w, start);
        }
    }
    attr_put_unknown(w, v, 256, &unknown);
    return !w->failed;
}
