/*
 * The speaker's table as an MRT file: RFC 6396 4.3.
 *
 * The peer table has our own routes' entry first (address 0.0.0.0, our AS), then the configured
 * peers in their order. Paths come as they stand after import policy, those it refused left out.
 * The file is written under another name, synced and renamed.
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

struct table_writer {
    struct host *host;
    int fd;
    struct text pending;
    struct mrt_peer *peers;
    uint16_t *by_index; /* of a peer's id: its place in `peers` */
    uint32_t peer_count, index_count;
    struct mrt_entry *entries;
    uint32_t sequence;
    uint32_t time_s;
    struct nanotime now;
    const char *error;
};

static bool flush(struct table_writer *w, bool now) {
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
static bool collect_peers(struct table_writer *w) {
    const struct bgp_config *config = bgp_config_of(w->host->speaker);
    struct bgp_peer_info info;
    uint32_t count = 0;
    for (; bgp_peer_at(w->host->speaker, count, &info); count++)
        w->index_count = info.id.index >= w->index_count ? info.id.index + 1 : w->index_count;
    if (count >= UINT16_MAX)
        return false;
    w->peers = alloc_zero(count + 1, sizeof *w->peers);
    w->by_index = alloc_zero(w->index_count + 1, sizeof *w->by_index);
    w->entries = alloc_zero(BGP_PATHS_PER_PREFIX_MAX, sizeof *w->entries);
    if (!w->peers || !w->by_index || !w->entries)
        return false;
    w->peers[0] = (struct mrt_peer){ip4(0), config->local_as, ip4_to_u32(config->router_id)};
    for (uint32_t i = 0; i < count && bgp_peer_at(w->host->speaker, i, &info); i++) {
        w->peers[i + 1] =
            (struct mrt_peer){info.config->remote_addr, info.config->remote_as, info.remote_id};
        w->by_index[info.id.index] = (uint16_t)(i + 1);
    }
    w->peer_count = count + 1;
    return true;
}

static void put_prefix(struct table_writer *w, struct bgp_rib_iterator *it) {
    struct bgp_path_info p;
    uint16_t count = 0;
    while (count < BGP_PATHS_PER_PREFIX_MAX && bgp_rib_next_path(w->host->speaker, it, &p)) {
        if (p.rejected)
            continue;
        uint64_t age_s = nanotime_since(w->now, p.received) / NANOS_PER_S;
        uint16_t peer = p.peer.index < w->index_count ? w->by_index[p.peer.index] : 0;
        w->entries[count++] = (struct mrt_entry){
            .peer = peer, .time_s = w->time_s - (uint32_t)age_s, .attrs = &p.attrs->v};
    }
    if (count > 0)
        mrt_put_rib(&w->pending, w->time_s, w->sequence++, it->prefix, false, w->entries, count);
}

static void put_family(struct table_writer *w, enum bgp_family family) {
    struct bgp_rib_iterator it;
    if (bgp_rib_begin(w->host->speaker, family, &it) != BGP_OK) {
        w->error = "out of memory";
        return;
    }
    while (bgp_rib_next_prefix(w->host->speaker, &it) && flush(w, false))
        put_prefix(w, &it);
    bgp_rib_end(&it);
}

static void put_table(struct table_writer *w) {
    const struct bgp_config *config = bgp_config_of(w->host->speaker);
    if (!collect_peers(w)) {
        w->error = "out of memory";
        return;
    }
    mrt_put_peers(&w->pending, w->time_s, ip4_to_u32(config->router_id), config->hostname, w->peers,
                  (uint16_t)w->peer_count);
    for (int f = 0; f < BGP_FAMILIES && !w->error; f++)
        put_family(w, (enum bgp_family)f);
    flush(w, true);
}

static const char *finish(struct table_writer *w, const char *partial, const char *path) {
    if (!w->error && (fsync(w->fd) != 0 || rename(partial, path) != 0))
        w->error = strerror(errno);
    close(w->fd);
    if (w->error)
        unlink(partial);
    text_deinit(&w->pending);
    alloc_free(w->peers);
    alloc_free(w->by_index);
    alloc_free(w->entries);
    return w->error;
}

const char *mrt_table_write(struct host *h, const char *path, uint64_t *ret_prefixes) {
    char partial[PATH_MAX];
    struct table_writer w = {.host = h, .now = loop_now(), .time_s = (uint32_t)time(NULL)};
    if ((size_t)snprintf(partial, sizeof partial, "%s.partial", path) >= sizeof partial)
        return "path too long";
    w.fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (w.fd < 0)
        return strerror(errno);
    put_table(&w);
    const char *error = finish(&w, partial, path);
    *ret_prefixes = w.sequence;
    return error;
}
