/*
 * AS_PATH on its way between ASes, as IOS's neighbour options have it: local-as, private ASes
 * removed, as-override. The second opinion on what core/export.c makes of a path.
 *
 * A path is taken apart into its ASes and put together again. RFC 4271 5.1.2; 6996 5; 7705 3.
 *
 * Confederations (RFC 5065): their segments stand in front of a path and never leave. Also what a
 * path and its communities say about borders: where it may have come from, where it may go.
 */
#include "oracle_internal.h"

static bool is_private(uint32_t as) {
    return (as >= 64512 && as <= 65534) || (as >= UINT32_C(4200000000) && as != UINT32_MAX);
}

/* What becomes of one AS on its way to a neighbour: 0: it is left out. */
struct rewrite {
    const struct bgp_peer_config *peer;
    uint32_t own;
    bool drop, replace; /* private ASes */
};

static uint32_t rewritten(const struct rewrite *w, uint32_t as) {
    bool private = is_private(as) && as != w->peer->remote_as;
    if (private && w->replace)
        return w->own;
    if (private && w->drop)
        return 0;
    return w->peer->as_override && as == w->peer->remote_as ? w->own : as;
}

/* IOS: the plain form empties a path of private ASes alone that has not the neighbour's. */
static bool plain_applies(const struct bgp_peer_config *p, struct as_path path) {
    uint32_t count;
    for (uint32_t at = 0; at < path.word_count; at += count + 1) {
        count = path.words[at] & 0xFFFF;
        for (uint32_t i = 1; i <= count; i++)
            if (!is_private(path.words[at + i]) || path.words[at + i] == p->remote_as)
                return false;
    }
    return true;
}

static bool rewrite_path(const struct rewrite *w, struct arena *arena, struct as_path *path) {
    uint32_t *words = arena_array(arena, (size_t)path->word_count + 1, sizeof *words);
    uint32_t used = 0, count;
    if (!words)
        return false;
    for (uint32_t at = 0; at < path->word_count; at += count + 1) {
        uint32_t head = used++, kept = 0;
        count = path->words[at] & 0xFFFF;
        for (uint32_t i = 1; i <= count; i++) {
            uint32_t as = rewritten(w, path->words[at + i]);
            if (as) {
                words[used++] = as;
                kept++;
            }
        }
        words[head] = (path->words[at] & ~UINT32_C(0xFFFF)) | kept;
        used -= kept == 0;
    }
    *path = (struct as_path){words, used};
    return true;
}

/* ---- confederations ---- */

#define SEGMENT_TYPE(head) ((head) >> 16)

static bool is_confed_segment(uint32_t head) {
    return SEGMENT_TYPE(head) == AS_CONFED_SEQUENCE || SEGMENT_TYPE(head) == AS_CONFED_SET;
}

/* Where the segments of the confederation end. */
static uint32_t confed_end(struct as_path path) {
    uint32_t at = 0;
    while (at < path.word_count && is_confed_segment(path.words[at]))
        at += 1 + (path.words[at] & 0xFFFF);
    return at;
}

bool oracle_path_within(const struct bgp_config *c, const struct bgp_peer_config *p,
                        struct arena *arena, struct as_path *path) {
    uint32_t *words = arena_array(arena, (size_t)path->word_count + 2, sizeof *words);
    bool joins = path->word_count && SEGMENT_TYPE(path->words[0]) == AS_CONFED_SEQUENCE &&
                 (path->words[0] & 0xFFFF) < 255;
    if (!words)
        return false;
    words[0] = joins ? path->words[0] + 1 : (uint32_t)AS_CONFED_SEQUENCE << 16 | 1;
    words[1] = oracle_local_as(c, p);
    for (uint32_t i = joins; i < path->word_count; i++)
        words[2 + i - joins] = path->words[i];
    *path = (struct as_path){words, path->word_count + 2 - joins};
    return true;
}

const char *oracle_path_begins_wrong(const struct bgp_config *c, const struct bgp_peer_config *p,
                                     struct as_path path) {
    if (oracle_confederate(c, p)) {
        bool right = path.word_count > 1 && SEGMENT_TYPE(path.words[0]) == AS_CONFED_SEQUENCE &&
                     path.words[1] == p->remote_as;
        return right ? NULL : "AS_PATH does not begin with the neighbor's member AS";
    }
    bool wrong = p->enforce_first_as && as_path_neighbor(path) != p->remote_as;
    return wrong ? "the first AS is not the neighbor's" : NULL;
}

/* IOS: paths that never left the confederation are compared with `bestpath med confed` only. */
bool oracle_med_comparable(const struct bgp_config *c, struct as_path a, struct as_path b) {
    bool inner_a = a.word_count && confed_end(a) == a.word_count;
    bool inner_b = b.word_count && confed_end(b) == b.word_count;
    if (c->always_compare_med)
        return true;
    if (c->profile == BGP_PROFILE_IOS && (inner_a || inner_b))
        return c->med_confed && inner_a && inner_b;
    return as_path_neighbor(a) == as_path_neighbor(b);
}

const char *oracle_community_stop(const struct attr_values *v, const struct oracle_end *e) {
    for (uint32_t i = 0; i < v->community_count; i++) {
        if (v->communities[i] == COMMUNITY_NO_ADVERTISE)
            return "community no-advertise";
        if ((e->outside && v->communities[i] == COMMUNITY_NO_EXPORT) ||
            (e->external && v->communities[i] == COMMUNITY_NO_EXPORT_SUBCONFED))
            return "community no-export";
    }
    return NULL;
}

/* ---- in and out ---- */

struct as_path oracle_path_outside(struct as_path path) {
    uint32_t inner = confed_end(path);
    return inner ? (struct as_path){path.words + inner, path.word_count - inner} : path;
}

bool oracle_path_out(const struct bgp_config *c, const struct bgp_peer_config *p,
                     struct arena *arena, struct as_path *path) {
    uint32_t own[2] = {oracle_local_as(c, p),
                       c->confederation_id ? c->confederation_id : c->local_as};
    *path = oracle_path_outside(*path);
    bool both = own[0] != own[1] && !p->local_as_replaces && !oracle_is_bird(c);
    bool everywhere = p->remove_private_as_all || p->remove_private_as_replace;
    if (p->remove_private_as && !everywhere && plain_applies(p, *path))
        *path = (struct as_path){.word_count = 0};
    if (everywhere || p->as_override) {
        const struct rewrite w = {
            .peer = p, .own = own[0], .drop = everywhere, .replace = p->remove_private_as_replace};
        if (!rewrite_path(&w, arena, path))
            return false;
    }
    return as_path_prepend(*path, own, both ? 2 : 1, arena, path);
}

bool oracle_path_in(const struct bgp_config *c, const struct bgp_peer_config *p,
                    struct arena *arena, struct as_path *path) {
    bool added =
        p->local_as && p->local_as != c->local_as && !p->local_as_no_prepend && !oracle_is_bird(c);
    return !added || as_path_prepend(*path, &p->local_as, 1, arena, path);
}

bool oracle_path_loops(const struct bgp_config *c, const struct bgp_peer_config *p,
                       struct as_path path) {
    return as_path_count(path, c->local_as) > p->allow_local_as ||
           (c->confederation_id && as_path_count(path, c->confederation_id) > p->allow_local_as) ||
           (p->local_as && as_path_count(path, p->local_as) > p->allow_local_as);
}
