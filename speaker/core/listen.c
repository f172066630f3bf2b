/*
 * Listen ranges: neighbours that nobody configured one by one.
 *
 * A caller from a range gets a peer made from the range's template, passive, named after template
 * and address. It is a peer like any other while it has a connection, keeps routes over a restart
 * or waits out an error or a prefix limit; then it goes, memory and all. So the number of peers a
 * range may make at a time bounds what strangers can cost.
 *
 * Invariants: such peers stand behind the configured ones in speaker->peer_order, `config_index` is
 * their place there, and `peer->config` is part of their struct peer_dynamic. Nothing is freed
 * while a caller may still look at it: peers that became idle are remembered in speaker->sweep and
 * taken away when time is next advanced.
 */
#include "listen.h"

#include "event.h"
#include "peer.h"
#include "restart.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct peer_dynamic *listen_describe(const struct bgp_neighbor *template, uint32_t range,
                                     struct ip_addr a, uint32_t remote_as) {
    char name[BGP_PEER_NAME_MAX], text[IP_ADDR_TEXT_MAX];
    size_t size = strnlen(template->name, BGP_PEER_NAME_MAX - IP_ADDR_TEXT_MAX - 1);
    snprintf(name, sizeof name, "%.*s_%s", (int)size, template->name, ip_format(a, text));
    struct peer_dynamic *d =
        alloc_zero(1, offsetof(struct peer_dynamic, config) + neighbor_size(name));
    if (!d)
        return NULL;
    d->range = range;
    d->any_as = template->remote_as == 0;
    d->config = *template;
    d->config.remote_addr = a;
    if (d->any_as)
        d->config.remote_as = remote_as;
    memcpy(d->config.name, name, strlen(name));
    return d;
}

struct peer_dynamic *listen_dynamic(const struct peer *p) {
    uintptr_t config = (uintptr_t)p->config;
    return p->dynamic ? (struct peer_dynamic *)(config - offsetof(struct peer_dynamic, config))
                      : NULL;
}

static uint32_t range_count(const struct bgp_speaker *s, uint32_t range) {
    uint32_t count = 0;
    for (uint32_t i = s->configured; i < s->peer_count; i++)
        count += listen_dynamic(speaker_peer(s, s->peer_order[i]))->range == range;
    return count;
}

/* Room for one more peer everywhere; 0: no memory. */
static uint32_t make_room(struct bgp_speaker *s) {
    uint16_t *order = alloc_resize(s->peer_order, s->peer_count + (size_t)1, sizeof *order);
    if (!order)
        return 0;
    s->peer_order = order;
    uint16_t *sorted = alloc_resize(s->by_address, s->address_count + (size_t)1, sizeof *sorted);
    if (!sorted)
        return 0;
    s->by_address = sorted;
    uint32_t index = slab_alloc(&s->peers);
    if (index != SLAB_NONE && !speaker_timers_reserve(s, 0)) {
        slab_free(&s->peers, index);
        return 0;
    }
    return index;
}

struct peer *listen_peer_new(struct bgp_speaker *s, struct ip_addr a, struct nanotime now) {
    const struct bgp_listen_range *r = bgp_config_range_of(s->config, a);
    uint32_t limit = s->config->listen_limit;
    uint32_t range = r ? (uint32_t)(r - s->config->listen_ranges) : 0;
    if (!r || s->peer_count >= BGP_PEERS_MAX || (limit && s->peer_count - s->configured >= limit) ||
        (r->limit && range_count(s, range) >= r->limit))
        return NULL;
    struct peer_dynamic *d = listen_describe(s->templates[range], range, a, 0);
    uint32_t index = d ? make_room(s) : 0;
    if (!index) {
        alloc_free(d);
        event_log(s, 0, BGP_LOG_NO_MEMORY, 0, 0, a);
        return NULL;
    }
    struct peer *p = speaker_peer(s, index);
    p->dynamic = true;
    s->peer_order[s->peer_count] = peer_index(index);
    peer_init(s, p, index, s->peer_count, &d->config, now);
    s->peer_count++;
    peer_link_address(s, p);
    peer_try_start(s, p, now);
    peer_show(s, p, now); /* whose range is shut down stays idle, and goes again */
    return p;
}

static void take_away(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    peer_unlink_address(s, p);
    peer_remove(s, p, now);
    peer_free(s, p);
}

void listen_sweep(struct bgp_speaker *s, struct nanotime now) {
    uint32_t kept = s->configured;
    s->sweep = false;
    for (uint32_t i = kept; i < s->peer_count; i++) {
        struct peer *p = speaker_peer(s, s->peer_order[i]);
        if (peer_is_idle(p)) {
            take_away(s, p, now);
            continue;
        }
        p->config_index = (uint16_t)kept;
        s->peer_order[kept++] = p->index;
    }
    s->peer_count = kept;
    s->sweep = false; /* set again while they were halted */
}

uint32_t listen_remote_as(const struct peer *p, uint32_t asn) {
    const struct peer_dynamic *d = listen_dynamic(p);
    return d && d->any_as ? asn : p->config->remote_as;
}

void listen_learn_as(struct bgp_speaker *s, struct peer *p, uint32_t asn) {
    struct peer_dynamic *d = listen_dynamic(p);
    if (!d || d->config.remote_as == asn)
        return;
    restart_abandon(s, p);
    d->config.remote_as = asn;
}
