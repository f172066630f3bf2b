/*
 * Malformed UPDATEs (RFC 7606 6): what an operator needs to find who sends them.
 *
 * Owns a ring of the last ones, whole, and counts by peer and attribute. Nothing exists before the
 * first one. Both are bounded: the ring by BGP_MALFORMED_KEPT_MAX, the counts by
 * BGP_MALFORMED_COUNTS_MAX, behind which new pairs go uncounted here (the speaker's total goes on).
 *
 * Invariant: peers stand here by name, so that nothing points at one that is gone.
 */
#include "malformed.h"

#include <string.h>

struct kept {
    char peer[BGP_PEER_NAME_MAX];
    struct nanotime at;
    uint8_t attribute, outcome;
    uint32_t size;
    uint8_t *body; /* NULL: there was no memory for it */
};

struct malformed {
    struct kept ring[BGP_MALFORMED_KEPT_MAX];
    uint32_t noted; /* ever; the last one is at (noted - 1) % BGP_MALFORMED_KEPT_MAX */
    struct bgp_malformed_count *counts;
    uint32_t count;
    uint32_t open_peer; /* index of who sent the OPEN refused last */
    uint32_t open_size;
    uint8_t *open; /* NULL: none */
};

static void count_one(struct malformed *m, const struct peer *p, uint8_t attribute) {
    for (uint32_t i = 0; i < m->count; i++) {
        struct bgp_malformed_count *c = &m->counts[i];
        if (c->attribute == attribute && strcmp(c->peer, p->config->name) == 0) {
            c->count++;
            return;
        }
    }
    if (m->count == BGP_MALFORMED_COUNTS_MAX)
        return;
    struct bgp_malformed_count *grown =
        alloc_resize(m->counts, m->count + (size_t)1, sizeof *grown);
    if (!grown)
        return;
    m->counts = grown;
    struct bgp_malformed_count *c = &grown[m->count++];
    *c = (struct bgp_malformed_count){.attribute = attribute, .count = 1};
    memcpy(c->peer, p->config->name, strlen(p->config->name) + 1);
}

static struct malformed *malformed_make(struct bgp_speaker *s) {
    if (!s->malformed)
        s->malformed = alloc_zero(1, sizeof *s->malformed);
    return s->malformed;
}

void malformed_note(struct bgp_speaker *s, const struct peer *p, const struct bgp_update *u,
                    const uint8_t *body, size_t size, struct nanotime now) {
    struct malformed *m = malformed_make(s);
    if (!m)
        return;
    count_one(m, p, u->worst_attribute);
    struct kept *k = &m->ring[m->noted++ % BGP_MALFORMED_KEPT_MAX];
    alloc_free(k->body);
    k->body = alloc_zero(1, size + 1);
    k->size = k->body ? (uint32_t)size : 0;
    if (k->body && size)
        memcpy(k->body, body, size);
    memcpy(k->peer, p->config->name, strlen(p->config->name) + 1);
    k->at = now;
    k->attribute = u->worst_attribute;
    k->outcome = (uint8_t)u->outcome;
}

uint32_t malformed_number(const struct bgp_speaker *s) {
    return s->malformed ? s->malformed->noted : 0;
}

void malformed_note_open(struct bgp_speaker *s, const struct peer *p, const uint8_t *body,
                         size_t size) {
    struct malformed *m = malformed_make(s);
    if (!m)
        return;
    alloc_free(m->open);
    m->open = alloc_zero(1, size + 1);
    m->open_size = (uint32_t)size;
    m->open_peer = p->index;
    if (m->open && size)
        memcpy(m->open, body, size);
}

const uint8_t *bgp_refused_open(const struct bgp_speaker *s, struct bgp_peer_id peer,
                                uint32_t *ret_size) {
    const struct malformed *m = s->malformed;
    if (!m || !m->open || m->open_peer != peer.index)
        return NULL;
    *ret_size = m->open_size;
    return m->open;
}

void malformed_free(struct bgp_speaker *s) {
    struct malformed *m = s->malformed;
    for (uint32_t i = 0; m && i < BGP_MALFORMED_KEPT_MAX; i++)
        alloc_free(m->ring[i].body);
    if (m) {
        alloc_free(m->counts);
        alloc_free(m->open);
    }
    alloc_free(m);
    s->malformed = NULL;
}

bool bgp_malformed_at(const struct bgp_speaker *s, uint32_t n, struct bgp_malformed *ret) {
    const struct malformed *m = s->malformed;
    uint32_t kept = !m ? 0 : m->noted < BGP_MALFORMED_KEPT_MAX ? m->noted : BGP_MALFORMED_KEPT_MAX;
    if (n >= kept)
        return false;
    const struct kept *k = &m->ring[(m->noted - 1 - n) % BGP_MALFORMED_KEPT_MAX];
    *ret = (struct bgp_malformed){.number = m->noted - n,
                                  .peer = k->peer,
                                  .at = k->at,
                                  .attribute = k->attribute,
                                  .outcome = bgp_outcome_name((enum bgp_outcome)k->outcome),
                                  .body = k->body,
                                  .size = k->size};
    return true;
}

const struct bgp_malformed_count *bgp_malformed_counts(const struct bgp_speaker *s,
                                                       uint32_t *ret_count) {
    *ret_count = s->malformed ? s->malformed->count : 0;
    return s->malformed ? s->malformed->counts : NULL;
}
