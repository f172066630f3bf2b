/*
 * AS_PATH on its way between ASes, as IOS's neighbour options have it: local-as, private ASes
 * removed, as-override. The second opinion on what core/export.c makes of a path.
 *
 * A path is taken apart into its ASes and put together again. RFC 4271 5.1.2; 6996 5; 7705 3.
 */
#include "oracle_internal.h"

static bool bird(const struct bgp_config *c) {
    return c->profile == BGP_PROFILE_CALICO || c->profile == BGP_PROFILE_FAST;
}

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

bool oracle_path_out(const struct bgp_config *c, const struct bgp_peer_config *p,
                     struct arena *arena, struct as_path *path) {
    uint32_t own[2] = {oracle_local_as(c, p), c->local_as};
    bool both = own[0] != own[1] && !p->local_as_replaces && !bird(c);
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
    bool added = p->local_as && p->local_as != c->local_as && !p->local_as_no_prepend && !bird(c);
    return !added || as_path_prepend(*path, &p->local_as, 1, arena, path);
}

bool oracle_path_loops(const struct bgp_config *c, const struct bgp_peer_config *p,
                       struct as_path path) {
    return as_path_count(path, c->local_as) > p->allow_local_as ||
           (p->local_as && as_path_count(path, p->local_as) > p->allow_local_as);
}
