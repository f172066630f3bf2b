/*
 * The speaker's table as an MRT file: RFC 6396 4.3, RFC 8050.
 *
 * The peer table has our own routes' entry first (address 0.0.0.0, our AS), then the configured
 * peers in their order, as it was at the beginning: paths of peers that came later are left out,
 * and a configuration that comes meanwhile ends it. Paths come as they stand after import policy,
 * those it refused left out; those with path identifiers in a record of their own. The file is
 * written under another name, synced and renamed; a file or link that stands under that name is
 * taken away, never written to: the folder may be one that others can write to.
 */
#include "mrt_table.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "../core/bgp.h"
#include "../core/limits.h"
#include "../decode/mrt.h"
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FLUSH_BYTES (1u << 20)

struct table_peer {
    uint16_t place;                     /* in `peers` */
    bool known, path_ids[BGP_FAMILIES]; /* as its session has it, in this step */
};

struct mrt_table {
    struct host *host;
    int fd;
    struct text pending;
    struct mrt_peer *peers;
    struct table_peer *by_index; /* of a peer's id; 0: our own routes */
    uint32_t peer_count, index_count;
    struct mrt_entry *entries;
    uint32_t sequence;
    uint32_t time_s;
    uint64_t generation; /* of the configuration */
    unsigned family;
    uint32_t at; /* of the walk */
    bool whole;
    const char *error;
    char path[PATH_MAX], partial[PATH_MAX];
};

static bool flush(struct mrt_table *w, bool now) {
    if (w->pending.failed)
        w->error = "out of memory";
    if (w->error || (!now && w->pending.size < FLUSH_BYTES))
        return !w->error;
    for (size_t at = 0; at < w->pending.size && !w->error;) {
        ssize_t n = write(w->fd, w->pending.data + at, w->pending.size - at);
        if (n < 0 && errno != EINTR)
            w->error = strerror(errno);
        at += n > 0 ? (size_t)n : 0;
    }
    text_clear(&w->pending);
    return !w->error;
}

/* Counts first, then fills in. */
static bool collect_peers(struct mrt_table *w) {
    const struct bgp_config *config = bgp_config_of(w->host->speaker);
    struct bgp_peer_info info;
    uint32_t count = 0;
    for (; bgp_peer_at(w->host->speaker, count, &info); count++)
        w->index_count = info.id.index >= w->index_count ? info.id.index + 1 : w->index_count;
    w->index_count = w->index_count ? w->index_count : 1;
    if (count >= UINT16_MAX)
        return false;
    w->peers = alloc_zero(count + 1, sizeof *w->peers);
    w->by_index = alloc_zero(w->index_count, sizeof *w->by_index);
    w->entries = alloc_zero(BGP_PATHS_PER_PREFIX_MAX, sizeof *w->entries);
    if (!w->peers || !w->by_index || !w->entries)
        return false;
    w->peers[0] = (struct mrt_peer){ip4(0), config->local_as, ip4_to_u32(config->router_id)};
    w->by_index[0].known = true;
    for (uint32_t i = 0; i < count && bgp_peer_at(w->host->speaker, i, &info); i++) {
        w->peers[i + 1] =
            (struct mrt_peer){info.config->remote_addr, info.config->remote_as, info.remote_id};
        w->by_index[info.id.index] = (struct table_peer){.place = (uint16_t)(i + 1), .known = true};
    }
    w->peer_count = count + 1;
    return true;
}

/* Does the number still stand for the peer of the table? One of a listen range may have gone, and
 * another have got it. */
static bool is_known(const struct mrt_table *w, struct bgp_peer_id id) {
    const struct table_peer *p = id.index < w->index_count ? &w->by_index[id.index] : NULL;
    if (!p || !p->known || id.index == 0)
        return p && p->known;
    const struct bgp_neighbor *n = bgp_peer_config(w->host->speaker, id);
    return n && ip_equal(n->remote_addr, w->peers[p->place].addr);
}

/* A session may be another one than when the table began, and have other identifiers. */
static void look_at_sessions(struct mrt_table *w) {
    struct bgp_peer_info info;
    for (uint32_t i = 1; i < w->index_count; i++)
        if (w->by_index[i].known && bgp_peer_get(w->host->speaker, (struct bgp_peer_id){i}, &info))
            memcpy(w->by_index[i].path_ids, info.path_ids, sizeof info.path_ids);
}

/* The paths of a prefix with, or without, identifiers. */
static void put_paths(struct mrt_table *w, struct bgp_rib_iterator it, bool path_ids) {
    struct nanotime now = loop_now();
    struct bgp_path_info p;
    uint16_t count = 0;
    while (count < BGP_PATHS_PER_PREFIX_MAX && bgp_rib_next_path(w->host->speaker, &it, &p)) {
        if (p.rejected || !is_known(w, p.peer))
            continue;
        const struct table_peer *peer = &w->by_index[p.peer.index];
        if ((peer->path_ids[it.family] || p.path_id != 0) != path_ids)
            continue;
        uint64_t age_s = nanotime_since(now, p.received) / NANOS_PER_S;
        w->entries[count++] = (struct mrt_entry){.peer = peer->place,
                                                 .time_s = w->time_s - (uint32_t)age_s,
                                                 .path_id = p.path_id,
                                                 .attrs = &p.attrs->v};
    }
    if (count > 0)
        mrt_put_rib(&w->pending, w->time_s, w->sequence++, it.prefix, path_ids, w->entries, count);
}

bool mrt_table_step(struct mrt_table *w, uint32_t prefixes) {
    if (!w->error && (!w->host->speaker || w->generation != w->host->config_generation))
        w->error = "the configuration changed meanwhile";
    if (!w->error)
        look_at_sessions(w);
    for (; prefixes > 0 && !w->whole && flush(w, false); prefixes--) {
        struct bgp_rib_iterator it;
        enum bgp_status status =
            bgp_rib_walk(w->host->speaker, (enum bgp_family)w->family, &w->at, &it);
        if (status == BGP_OK) {
            put_paths(w, it, false);
            put_paths(w, it, true);
            bgp_rib_end(&it);
        } else if (status == BGP_NO_MEMORY) {
            w->error = "out of memory";
        } else {
            w->at = 0;
            w->whole = ++w->family == BGP_FAMILIES && flush(w, true);
        }
    }
    return !w->error && !w->whole;
}

const char *mrt_table_end(struct mrt_table *w, uint64_t *ret_prefixes) {
    const char *error = w->error;
    if (!error && !w->whole)
        error = "not finished";
    if (!error && (fsync(w->fd) != 0 || rename(w->partial, w->path) != 0))
        error = strerror(errno);
    if (w->fd >= 0)
        close(w->fd);
    if (error && w->fd >= 0)
        unlink(w->partial);
    *ret_prefixes = w->sequence;
    text_deinit(&w->pending);
    alloc_free(w->peers);
    alloc_free(w->by_index);
    alloc_free(w->entries);
    alloc_free(w);
    return error;
}

static const char *open_partial(struct mrt_table *w, const char *path) {
    int size = snprintf(w->partial, sizeof w->partial, "%s.partial", path);
    if (size < 0 || (size_t)size >= sizeof w->partial)
        return "path too long";
    memcpy(w->path, path, strlen(path) + 1);
    (void)unlink(w->partial); /* of one that was cut off here */
    w->fd = open(w->partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    return w->fd < 0 ? strerror(errno) : NULL;
}

struct mrt_table *mrt_table_begin(struct host *h, const char *path, const char **ret_error) {
    struct mrt_table *w = alloc_zero(1, sizeof *w);
    const struct bgp_config *config = bgp_config_of(h->speaker);
    uint64_t unused;
    *ret_error = "out of memory";
    if (!w)
        return NULL;
    w->host = h;
    w->fd = -1;
    w->time_s = (uint32_t)time(NULL);
    w->generation = h->config_generation;
    w->error = collect_peers(w) ? open_partial(w, path) : "out of memory";
    if (w->error) {
        *ret_error = mrt_table_end(w, &unused);
        return NULL;
    }
    mrt_put_peers(&w->pending, w->time_s, ip4_to_u32(config->router_id), config->hostname, w->peers,
                  (uint16_t)w->peer_count);
    return w;
}
