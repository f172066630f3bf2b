/*
 * Bringing a configuration into force: the new one is compared with the old by peer name, and only
 * what changed is touched.
 *
 *   peer gone               Cease 6/3, routes withdrawn
 *   peer new                made, started when its neighbour's lock is free
 *   shutdown set, cleared   Cease 6/2; started
 *   identity changed        Cease 6/6, started again (config_diff.c says what counts)
 *   import policy changed   Adj-RIB-In run through it again, or ROUTE-REFRESH
 *   more paths are taken    ROUTE-REFRESH
 *   prefix limit changed    what is held is compared with it
 *   fall_over set           is there a route to the peer?
 *   export policy changed   another update group, the difference is sent
 *   decision, multipath     every prefix is decided again
 *   anything else           in force from the next session on: timers, description, passive
 *
 * Everything that can fail is done first, in `struct change`; after that nothing fails, so a
 * configuration comes into force as a whole or not at all. The old one lives until the tables have
 * seen the difference.
 */
#include "configure.h"

#include "../base/hash.h"
#include "config_diff.h"
#include "dampening.h"
#include "event.h"
#include "listen.h"
#include "peer.h"
#include "restart.h"
#include "scanner.h"
#include "session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct place {
    struct ip_addr addr;
    uint32_t entry;
};

struct change {
    struct arena *arena;                   /* of what stays */
    struct arena *scratch;                 /* of what is needed on the way */
    struct bgp_config *config;             /* without its peers */
    const struct bgp_neighbor **templates; /* of its listen ranges, in the arena */
    uint32_t configured;                   /* entries of configured peers, the first ones */
    uint64_t *digests, *old_digests;
    uint32_t count;                      /* entries: configured peers, dynamic ones that stay */
    const struct bgp_neighbor **entries; /* what each peer is told to be */
    struct peer_dynamic **dynamics;      /* owners of those; the old ones once in force */
    const struct bgp_neighbor **old;     /* … was told until now; NULL: made just now */
    uint16_t *order;                     /* peer index per entry */
    bool *made;                          /* … made for it just now */
    struct place *places;                /* entries by address, then in their order */
    uint32_t placed;
    uint16_t *by_address; /* room for the peers in that order */
};

/* ---- preparing ---- */

static bool name_equal(const void *context, uint32_t index, const void *key) {
    const struct bgp_speaker *s = context;
    return strcmp(speaker_peer(s, index)->config->name, key) == 0;
}

static uint64_t name_hash(const char *name) {
    return hash_bytes(name, strlen(name), 0);
}

/* The configured peers by name. */
static bool index_names(const struct bgp_speaker *s, struct table *ret_table) {
    if (!table_reserve(ret_table, s->configured))
        return false;
    for (uint32_t i = 0; i < s->configured; i++) {
        uint32_t index = s->peer_order[i];
        if (!table_insert(ret_table, name_hash(speaker_peer(s, index)->config->name), index))
            return false;
    }
    return true;
}

/* Finds the peer of every entry, or makes one. */
static bool match_peers(struct bgp_speaker *s, struct change *ch) {
    struct table names;
    table_init(&names);
    bool ok = index_names(s, &names);
    for (uint32_t i = 0; ok && i < ch->configured; i++) {
        const char *name = ch->entries[i]->name;
        uint32_t index = table_find(&names, name_hash(name), name_equal, s, name);
        ch->made[i] = index == 0;
        ch->order[i] = peer_index(index ? index : slab_alloc(&s->peers));
        ok = ch->order[i] != SLAB_NONE;
    }
    table_deinit(&names);
    return ok;
}

static int place_compare(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    int order = ip_compare(x->addr, y->addr);
    return order ? order : (x->entry > y->entry) - (x->entry < y->entry);
}

static void sort_addresses(struct change *ch) {
    for (uint32_t i = ch->placed; i < ch->count; i++)
        ch->places[i] = (struct place){ch->entries[i]->remote_addr, i};
    ch->placed = ch->count;
    qsort(ch->places, ch->placed, sizeof *ch->places, place_compare);
}

/* Is there an entry with this address, among those that are sorted? */
static bool entry_has(const struct change *ch, struct ip_addr a) {
    uint32_t low = 0, high = ch->placed;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ip_compare(ch->places[middle].addr, a) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ch->placed && ip_equal(ch->places[low].addr, a);
}

/* Dynamic peers stay where a range still has them and no peer is configured in their place. */
static bool keep_dynamic(struct bgp_speaker *s, struct change *ch) {
    for (uint32_t i = s->configured; i < s->peer_count; i++) {
        const struct peer *p = speaker_peer(s, s->peer_order[i]);
        struct ip_addr a = p->config->remote_addr;
        const struct bgp_listen_range *range = bgp_config_range_of(ch->config, a);
        if (!range || entry_has(ch, a) || ch->count == BGP_PEERS_MAX)
            continue;
        uint32_t at = (uint32_t)(range - ch->config->listen_ranges);
        struct peer_dynamic *d = listen_describe(ch->templates[at], at, a, p->config->remote_as);
        if (!d)
            return false;
        ch->order[ch->count] = p->index;
        ch->dynamics[ch->count] = d;
        ch->entries[ch->count++] = &d->config;
    }
    return true;
}

/* All entries there will be, by address. */
static bool sort_entries(struct bgp_speaker *s, struct change *ch) {
    sort_addresses(ch);
    if (!keep_dynamic(s, ch))
        return false;
    sort_addresses(ch);
    return true;
}

/* The arrays of a change, as long as they may become. */
static bool make_entries(const struct bgp_speaker *s, struct change *ch,
                         const struct bgp_config *config) {
    size_t count = config->peer_count + (size_t)s->peer_count + 1;
    ch->order = alloc_zero(count, sizeof *ch->order);
    ch->by_address = alloc_zero(count, sizeof *ch->by_address);
    ch->made = arena_array(ch->scratch, count, sizeof *ch->made);
    ch->entries = arena_array(ch->scratch, count, sizeof *ch->entries);
    ch->old = arena_array(ch->scratch, count, sizeof *ch->old);
    ch->dynamics = arena_array(ch->scratch, count, sizeof *ch->dynamics);
    ch->places = arena_array(ch->scratch, count, sizeof *ch->places);
    ch->templates = arena_array(ch->arena, config->listen_range_count, sizeof *ch->templates);
    if (!ch->order || !ch->by_address || !ch->made || !ch->entries || !ch->old || !ch->dynamics ||
        !ch->places || !ch->templates)
        return false;
    ch->count = ch->configured = config->peer_count;
    return neighbors_make(ch->arena, config, ch->entries, ch->templates);
}

/* All but the peers. */
static struct bgp_config *copy_rest(struct arena *arena, const struct bgp_config *config) {
    struct bgp_config rest = *config;
    rest.peers = NULL;
    rest.peer_count = 0;
    return bgp_config_copy(arena, &rest);
}

static bool prepare(struct bgp_speaker *s, struct change *ch, const struct bgp_config *config) {
    ch->arena = arena_new();
    ch->scratch = arena_new();
    if (!ch->arena || !ch->scratch)
        return false;
    ch->config = copy_rest(ch->arena, config);
    if (!ch->config)
        return false;
    ch->digests = config_policy_digests(ch->config);
    ch->old_digests = s->config ? config_policy_digests(s->config) : NULL;
    return ch->digests && (ch->old_digests || !s->config) && make_entries(s, ch, config) &&
           match_peers(s, ch) && speaker_timers_reserve(s, 0) && sort_entries(s, ch);
}

static void give_up(struct bgp_speaker *s, struct change *ch) {
    for (uint32_t i = 0; ch->made && ch->order && i < ch->count; i++) {
        if (ch->made[i] && ch->order[i] != SLAB_NONE)
            slab_free(&s->peers, ch->order[i]);
    }
    for (uint32_t i = 0; ch->dynamics && i < ch->count; i++)
        alloc_free(ch->dynamics[i]);
    alloc_free(ch->by_address);
    alloc_free(ch->digests);
    alloc_free(ch->old_digests);
    alloc_free(ch->order);
    arena_free(ch->scratch);
    arena_free(ch->arena);
}

/* ---- putting into force ---- */

/* Peers that are not in the new configuration go, in the order of the old one. True: some did. */
static bool remove_peers(struct bgp_speaker *s, const struct change *ch, struct nanotime now) {
    bool any = false;
    for (uint32_t i = 0; i < ch->count; i++)
        speaker_peer(s, ch->order[i])->config_index = UINT16_MAX;
    for (uint32_t i = 0; i < s->peer_count; i++) {
        struct peer *p = speaker_peer(s, s->peer_order[i]);
        if (p->config_index != UINT16_MAX) {
            any = true;
            peer_address_changed(s, p->config->remote_addr);
            peer_remove(s, p, now);
        }
    }
    for (uint32_t i = 0; i < s->peer_count; i++) {
        struct peer *p = speaker_peer(s, s->peer_order[i]);
        if (p->config_index != UINT16_MAX)
            peer_free(s, p);
    }
    return any;
}

static void link_addresses(struct bgp_speaker *s, struct change *ch) {
    uint16_t *old = s->by_address;
    for (uint32_t i = 0; i < ch->placed; i++)
        ch->by_address[i] = ch->order[ch->places[i].entry];
    s->by_address = ch->by_address;
    s->address_count = ch->placed;
    ch->by_address = old;
}

static void bind_peers(struct bgp_speaker *s, struct change *ch, struct nanotime now) {
    for (uint32_t i = 0; i < ch->count; i++) {
        struct peer *p = speaker_peer(s, ch->order[i]);
        struct peer_dynamic *old = listen_dynamic(p);
        if (ch->made[i]) {
            peer_init(s, p, ch->order[i], i, ch->entries[i], now);
            continue;
        }
        if (!ip_equal(p->config->remote_addr, ch->entries[i]->remote_addr)) {
            peer_address_changed(s, p->config->remote_addr);
            peer_address_changed(s, ch->entries[i]->remote_addr);
        }
        p->config_index = (uint16_t)i;
        p->config = ch->entries[i];
        p->dynamic = ch->dynamics[i] != NULL;
        ch->dynamics[i] = old; /* looked at until the tables have seen the difference */
    }
}

static void reset_for(struct bgp_speaker *s, struct peer *p, enum bgp_down_reason why,
                      struct nanotime now) {
    const struct session_cause cause = {
        .error = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_CONFIG_CHANGE}, .reason = why};
    peer_halt(s, p, &cause, now);
    p->no_capabilities = false;
}

static void shut_down(struct bgp_speaker *s, struct peer *p, const char *text,
                      struct nanotime now) {
    uint8_t data[1 + BGP_SHUTDOWN_TEXT_MAX];
    const struct session_cause cause = {
        .error = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_SHUTDOWN},
        .data = data,
        .data_size = notification_shutdown_data(text, data),
        .reason = BGP_DOWN_ADMIN_SHUTDOWN};
    peer_halt(s, p, &cause, now);
}

/* Sessions that cannot go on end while the peers still have their old configuration: what they
 * leave in the tables is taken away by the rules under which it came. */
static bool end_changed(struct bgp_speaker *s, const struct change *ch,
                        const struct bgp_config *old, struct nanotime now) {
    enum bgp_down_reason all = config_diff_resets_all(old, ch->config);
    bool endpoints = false;
    for (uint32_t i = 0; i < ch->count; i++) {
        struct peer *p = speaker_peer(s, ch->order[i]);
        const struct bgp_neighbor *y = ch->entries[i];
        if (ch->made[i])
            continue;
        enum bgp_down_reason why = config_diff_resets_peer(ch->config->profile, p->config, y);
        endpoints = endpoints || config_diff_endpoint(p->config, y);
        if (y->shutdown && !p->config->shutdown)
            shut_down(s, p, bgp_neighbor_shutdown_text(y), now);
        else if (all || why)
            reset_for(s, p, all ? all : why, now);
    }
    return endpoints;
}

/* Where something is held and kept from now on, the sweep finds what is missing, and asks. */
static void rerun_import(struct bgp_speaker *s, struct peer *p, bool was_kept) {
    bool is_kept = rib_reimport(s, p);
    for (unsigned i = 0; i < BGP_FAMILIES; i++) {
        enum bgp_family f = (enum bgp_family)i;
        if (!is_kept && was_kept) /* nothing is missing */
            (void)peer_request_refresh(s, p, f);
        else if (!is_kept || (!was_kept && rib_received_count(s, p, f) == 0))
            (void)peer_ask_again(s, p, f);
    }
}

/* What had no room under the old limit was not kept. */
static void ask_for_more_paths(struct bgp_speaker *s, struct peer *p,
                               const struct bgp_peer_options *was) {
    const struct bgp_peer_options *o = p->config->options;
    for (unsigned i = 0; i < BGP_FAMILIES; i++) {
        uint32_t now = o->add_path_receive_max[i], before = was->add_path_receive_max[i];
        bool more = (now ? now : BGP_ADD_PATH_IDS) > (before ? before : BGP_ADD_PATH_IDS);
        if (more && p->add_path[i] & BGP_ADD_PATH_RECEIVE)
            (void)peer_ask_again(s, p, (enum bgp_family)i);
    }
}

/* What does not end a session: policy, and who calls whom. */
static void apply_in_place(struct bgp_speaker *s, const struct change *ch,
                           const struct bgp_config *old, struct nanotime now) {
    for (uint32_t i = 0; i < ch->count; i++) {
        struct peer *p = speaker_peer(s, ch->order[i]);
        assert(ch->made[i] || ch->old[i]);
        if (!ch->made[i] && p->active &&
            ch->old[i]->options->passive != p->config->options->passive) {
            peer_stop_retry(s, p);
            peer_start_after_delay(s, p, now);
        }
        /* Also what a peer that restarts left behind (RFC 4724 4.2) goes by the new policy. */
        if (ch->made[i] || (p->state != BGP_ESTABLISHED && !p->routes))
            continue;
        nexthop_watch_peer(s, p);
        const struct config_side a = {old, ch->old_digests, ch->old[i]};
        const struct config_side b = {ch->config, ch->digests, p->config};
        if (config_diff_import(&a, &b))
            rerun_import(s, p, ch->old[i]->options->soft_reconfiguration);
        ask_for_more_paths(s, p, ch->old[i]->options);
        if (config_diff_export(&a, &b))
            adjout_regroup(s, p);
    }
}

/* What stands in the tables is looked at again. */
static void review_tables(struct bgp_speaker *s, const struct change *ch,
                          const struct bgp_config *old) {
    const struct bgp_config *c = s->config;
    bool blackholes = false;
    for (uint32_t i = 0; i < ch->count; i++) {
        const struct peer *p = speaker_peer(s, ch->order[i]);
        blackholes = blackholes || (!ch->made[i] && ch->old[i]->options->blackhole_accept !=
                                                        p->config->options->blackhole_accept);
    }
    if (blackholes || config_diff_decision(old, c))
        rib_decide_again(s, blackholes);
    /* Its metric may be made of LOCAL_PREF. */
    if (c->fib.install && (!old->fib.install || old->default_local_pref != c->default_local_pref))
        rib_fib_wanted(s);
}

static void take_globals(struct bgp_speaker *s, struct change *ch) {
    s->config_arena = ch->arena;
    s->config = ch->config;
    s->templates = ch->templates;
    s->configured = ch->configured;
    s->profile = profile_get(ch->config->profile);
    s->router_id = ip4_to_u32(ch->config->router_id);
    s->cluster_id = ch->config->cluster_id ? ch->config->cluster_id : s->router_id;
}

static void start_peers(struct bgp_speaker *s, struct nanotime now) {
    for (uint32_t i = 0; i < s->peer_count; i++)
        peer_try_start(s, speaker_peer(s, s->peer_order[i]), now);
}

/* Sessions that may go on by what they are, but not by what is known of them. */
static void judge_sessions(struct bgp_speaker *s, const struct change *ch, struct nanotime now) {
    for (uint32_t i = 0; i < ch->count; i++) {
        struct peer *p = speaker_peer(s, ch->order[i]);
        if (ch->made[i])
            continue;
        session_limits_changed(s, p, ch->old[i]->options, now);
        if (!ch->old[i]->options->fall_over)
            nexthop_judge_peer(s, p, now);
    }
}

static void note_old_peers(const struct bgp_speaker *s, const struct change *ch) {
    for (uint32_t i = 0; i < ch->count; i++)
        ch->old[i] = ch->made[i] ? NULL : speaker_peer(s, ch->order[i])->config;
}

static bool any_made(const struct change *ch) {
    bool any = false;
    for (uint32_t i = 0; i < ch->count; i++)
        any = any || ch->made[i];
    return any;
}

/* Nothing in here fails. */
static void put_into_force(struct bgp_speaker *s, struct change *ch, struct nanotime now) {
    struct bgp_config *old = s->config;
    struct arena *old_arena = s->config_arena;
    bool peers_changed =
        any_made(ch) || ch->config->listen_range_count || (old && old->listen_range_count);
    if (old) {
        peers_changed = remove_peers(s, ch, now) || peers_changed;
        peers_changed = end_changed(s, ch, old, now) || peers_changed;
    }
    note_old_peers(s, ch);
    take_globals(s, ch);
    bind_peers(s, ch, now);
    alloc_free(s->peer_order);
    s->peer_order = ch->order;
    s->peer_count = ch->count;
    link_addresses(s, ch);
    scanner_changed(s, now);
    dampening_changed(s);
    if (old) {
        apply_in_place(s, ch, old, now);
        rib_origins_changed(s, old, now);
        review_tables(s, ch, old);
    }
    if (peers_changed || !old || old->listen_port != s->config->listen_port ||
        old->listen != s->config->listen || !ip_equal(old->listen_addr4, s->config->listen_addr4) ||
        !ip_equal(old->listen_addr6, s->config->listen_addr6))
        event_push(s, &(struct bgp_event){.kind = BGP_EVENT_PEERS});
    start_peers(s, now);
    judge_sessions(s, ch, now);
    if (old) /* RFC 4724 4.1: who was waited for is gone, perhaps */
        restart_check_deferral(s, now);
    arena_free(old_arena);
    ch->order = NULL;
    ch->arena = NULL;
}

enum bgp_status configure_apply(struct bgp_speaker *s, const struct bgp_config *config,
                                struct nanotime now) {
    struct change ch = {0};
    rib_removed_finish(s, now); /* peers are numbered in 16 bits */
    if (!prepare(s, &ch, config)) {
        give_up(s, &ch);
        return BGP_NO_MEMORY;
    }
    put_into_force(s, &ch, now);
    give_up(s, &ch);
    return BGP_OK;
}

enum bgp_status bgp_configure(struct bgp_speaker *s, const struct bgp_config *config,
                              struct nanotime now) {
    if (s->stopping)
        return BGP_REFUSED;
    return configure_apply(s, config, now);
}
