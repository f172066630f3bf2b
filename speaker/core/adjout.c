/*
 * Update groups: sessions that are sent the same share one Adj-RIB-Out and one stream of messages.
 *
 * Owns which session belongs to which group, the filling of a new group and the calls sessions and
 * tables make. What a group has sent stands in adjout_slot.c, what is due in adjout_table.c,
 * encoding and pulling in adjout_stream.c, members that catch up with the table in adjout_walk.c,
 * what they take along from another group in adjout_held.c, and what a route becomes on its way out
 * in export.c.
 *
 * A new member waits until its group is filled, then walks over what the group has sent; from the
 * moment the walk begins the group's stream reaches it too. So late members cost the others
 * nothing, and every member follows the same numbering of messages.
 *
 * Invariants: a group lives as long as it has a member; a group without members on the stream has
 * nothing due, changes are put into its table at once; what memory was missing for is remembered
 * (refill, misplaced, stalled) and done again by adjout_work. RFC 4271 3.2, 9.2; 2918; 4724; 7313.
 */
#include "adjout.h"

#include "../base/arena.h"
#include "adjout_group.h"
#include "tally.h"

#include <assert.h>
#include <string.h>

bool adjout_new(struct bgp_speaker *s) {
    struct adjout *a = alloc_zero(1, sizeof *a);
    if (!a) {
        return false;
    }
    slab_init(&a->groups, sizeof(struct adjout_group), 4);
    slab_init(&a->members, sizeof(struct adjout_member), 16);
    slab_init(&a->catchups, sizeof(struct adjout_catchup), 16);
    slab_init(&a->said, sizeof(struct adjout_said), 64);
    slab_init(&a->pendings, sizeof(struct adjout_pending), 64);
    slab_init(&a->buckets, sizeof(struct adjout_bucket), 16);
    a->backlog_max = ADJOUT_BACKLOG_MAX;
    a->walk_max = ADJOUT_WALK_MAX;
    a->graves_max = ADJOUT_GRAVES_MAX;
    a->arena = arena_new();
    if (!a->arena) {
        alloc_free(a);
        return false;
    }
    s->adjout = a;
    return true;
}

uint32_t adjout_group_next(const struct bgp_speaker *s, uint32_t group) {
    const struct slab *slab = &s->adjout->groups;
    for (uint32_t i = group + 1; slab->page_count && i < slab->next_new; i++) {
        if (adjout_group_at(s, i)->used) {
            return i;
        }
    }
    return 0;
}

static bool sends_paths(const struct export_key *key) {
    return key->add_path[BGP_IPV4_UNICAST] || key->add_path[BGP_IPV6_UNICAST];
}

/* A group without members is none any more; its table is freed by adjout_sweep. */
static void group_retire(struct bgp_speaker *s, struct adjout_group *g) {
    struct adjout *a = s->adjout;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        heap_cancel(&s->timers, &g->mrai[f].timer.timer);
    }
    adjout_memo_drop(s, g);
    adjout_log_free(g);
    g->used = false;
    a->group_count--;
    a->add_path_groups -= sends_paths(&g->key);
    *(a->retired_last ? &adjout_group_at(s, a->retired_last)->retired : &a->retired_first) =
        g->index;
    a->retired_last = g->index;
}

bool adjout_sweep_pending(const struct bgp_speaker *s) {
    const struct adjout *a = s->adjout;
    return a->copying || a->dropped || a->retired_first || a->buried;
}

static uint32_t sweep_graves(struct bgp_speaker *s, uint32_t budget) {
    if (s->adjout->buried && budget > 0) {
        s->adjout->buried = false;
        for (uint32_t i = adjout_group_next(s, 0); i; i = adjout_group_next(s, i)) {
            budget = adjout_graves_sweep(s, adjout_group_at(s, i), budget);
        }
    }
    return budget;
}

uint32_t adjout_sweep(struct bgp_speaker *s, uint32_t budget) {
    struct adjout *a = s->adjout;
    budget = sweep_graves(s, adjout_held_work(s, budget));
    while (budget > 0 && a->retired_first) {
        struct adjout_group *g = adjout_group_at(s, a->retired_first);
        budget = adjout_table_free(s, g, budget);
        if (budget > 0) {
            a->retired_first = g->retired;
            a->retired_last = g->retired ? a->retired_last : 0;
            slab_free(&a->groups, g->index);
        }
    }
    return budget;
}

void adjout_free(struct bgp_speaker *s) {
    struct adjout *a = s->adjout;
    if (!a) {
        return;
    }
    for (uint32_t i = adjout_group_next(s, 0); i; i = adjout_group_next(s, i)) {
        struct adjout_group *g = adjout_group_at(s, i);
        for (uint32_t m = g->members; m; m = adjout_member_at(s, m)->next) {
            adjout_catchup_free(s, adjout_member_at(s, m));
        }
        group_retire(s, g);
    }
    while (adjout_sweep_pending(s)) {
        (void)adjout_sweep(s, UINT32_MAX);
    }
    slab_deinit(&a->groups);
    slab_deinit(&a->members);
    slab_deinit(&a->catchups);
    slab_deinit(&a->said);
    slab_deinit(&a->pendings);
    slab_deinit(&a->buckets);
    arena_free(a->arena);
    alloc_free(a);
    s->adjout = NULL;
}

/* ---- groups ---- */

static void mrai_fired(struct bgp_speaker *s, struct call_timer *t, struct nanotime now) {
    uint32_t number = timer_owner(&t->timer); /* see group_new */
    struct adjout_group *g = adjout_group_at(s, number / BGP_FAMILIES);
    (void)now;
    if (g->announces[number % BGP_FAMILIES].count) {
        g->news = true;
        adjout_notify(s, false);
    }
}

/* The prefix `default-originate` stands for is in the table even without a path. */
static bool add_default(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f) {
    struct ip_prefix any = {0};
    any.addr.family = f == BGP_IPV4_UNICAST ? IP_V4 : IP_V6;
    uint32_t entry = rib_entry_make(s, f, any);
    if (!entry) {
        return false;
    }
    struct adjout_route r = rib_entry_route(s, f, entry);
    rib_entry_at(s, f, entry)->out_references++;
    if (g->key.add_path[f]) {
        adjout_group_paths(s, g, f, entry);
    } else {
        adjout_group_route(s, g, f, entry, &r);
    }
    rib_entry_at(s, f, entry)->out_references--;
    rib_entry_tidy(s, f, entry);
    return true;
}

static struct adjout_group *group_new(struct bgp_speaker *s, const struct export_key *key) {
    struct adjout *a = s->adjout;
    uint32_t timers = (a->group_count + 1) * BGP_FAMILIES;
    bool waits = key->mrai_ms[BGP_IPV4_UNICAST] || key->mrai_ms[BGP_IPV6_UNICAST];
    if (waits && a->timers_reserved < timers) {
        if (!speaker_timers_reserve(s, timers - a->timers_reserved)) {
            return NULL;
        }
        a->timers_reserved = timers;
    }
    uint32_t index = slab_alloc(&a->groups);
    if (!index) {
        return NULL;
    }
    struct adjout_group *g = adjout_group_at(s, index);
    g->index = index;
    g->number = ++a->next_number;
    g->key = *key;
    g->used = true;
    g->filling = true;
    g->fill_cursor = 1;
    g->log_first = g->log_end = 2; /* what is there before the first message has version 1 */
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        g->mrai[f].timer.timer.order = timer_order(index * BGP_FAMILIES + f, TIMER_CALL);
        g->mrai[f].timer.fired = mrai_fired;
    }
    table_init(&g->buckets);
    a->group_count++;
    a->add_path_groups += sends_paths(key);
    return g;
}

static struct adjout_group *group_find(struct bgp_speaker *s, const struct export_key *key) {
    for (uint32_t i = adjout_group_next(s, 0); i; i = adjout_group_next(s, i)) {
        struct adjout_group *g = adjout_group_at(s, i);
        if (export_key_equal(&g->key, key)) {
            return g;
        }
    }
    return NULL;
}

/* ---- filling ---- */

static void fill_begin(struct adjout_group *g) {
    g->filling = true;
    g->refill = false;
    g->fill_family = BGP_IPV4_UNICAST;
    g->fill_cursor = 1;
}

void adjout_group_failed(struct bgp_speaker *s, struct adjout_group *g) {
    struct bgp_event e = {.kind = BGP_EVENT_LOG};
    e.log.id = BGP_LOG_NO_MEMORY;
    event_push(s, &e);
    if (g->filling) {
        g->refill = true;
    } else {
        fill_begin(g);
    }
}

static void fill_end(struct bgp_speaker *s, struct adjout_group *g) {
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        bool wanted = g->key.default_originate[f] && g->key.families[f];
        if (wanted && !add_default(s, g, f)) {
            adjout_group_failed(s, g);
        }
        if (g->key.add_path[f]) {
            adjout_group_paths_gone(s, g, f);
        }
    }
    if (g->refill) {
        fill_begin(g);
        return;
    }
    g->filling = false;
    g->news = true;
}

static void fill_entry(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                       uint32_t entry) {
    struct rib_entry *e = rib_entry_at(s, f, entry);
    if (!(e->flags & RIB_ENTRY_USED)) {
        return;
    }
    if (e->flags & RIB_ENTRY_DIRTY) {
        e->flags |= RIB_ENTRY_FORCE; /* its decision tells this group too */
    } else if (g->key.families[f] && g->key.add_path[f]) {
        adjout_group_paths(s, g, f, entry);
    } else if (g->key.families[f] && (e->best_attrs || adjout_slot_used(g, f, entry))) {
        struct adjout_route r = rib_entry_route(s, f, entry);
        adjout_group_route(s, g, f, entry, &r);
    }
}

/* Returns what is left of the budget. */
static uint32_t group_fill(struct bgp_speaker *s, struct adjout_group *g, uint32_t budget) {
    for (; budget > 0; budget--) {
        const struct slab *slab = &s->rib->entries[g->fill_family];
        if (slab->page_count && g->fill_cursor < slab->next_new) {
            fill_entry(s, g, g->fill_family, g->fill_cursor++);
        } else if (g->fill_family == BGP_IPV4_UNICAST) {
            g->fill_family = BGP_IPV6_UNICAST;
            g->fill_cursor = 1;
        } else {
            fill_end(s, g);
            break;
        }
    }
    return budget;
}

static void regroup_misplaced(struct bgp_speaker *s) {
    s->adjout->misplaced = false;
    for (uint32_t i = 0; i < s->peer_count; i++) {
        struct peer *p = speaker_peer(s, s->peer_order[i]);
        if (p->group_member &&
            adjout_member_at(s, p->group_member)->flags & ADJOUT_MEMBER_MISPLACED) {
            adjout_regroup(s, p);
        }
    }
}

void adjout_work(struct bgp_speaker *s, uint32_t budget) {
    if (s->adjout->misplaced) {
        regroup_misplaced(s);
    }
    if (s->adjout->stalled) {
        s->adjout->stalled = false;
        adjout_notify(s, true);
    }
    for (uint32_t i = adjout_group_next(s, 0); i && budget > 0; i = adjout_group_next(s, i)) {
        struct adjout_group *g = adjout_group_at(s, i);
        if (g->filling) {
            budget = group_fill(s, g, budget);
        }
    }
    for (uint32_t i = adjout_group_next(s, 0); i; i = adjout_group_next(s, i)) {
        adjout_memo_drop(s, adjout_group_at(s, i));
    }
}

void adjout_reevaluate(struct bgp_speaker *s) {
    for (uint32_t i = adjout_group_next(s, 0); i; i = adjout_group_next(s, i)) {
        struct adjout_group *g = adjout_group_at(s, i);
        g->refill = g->filling;
        if (!g->filling) {
            fill_begin(g);
        }
    }
}

bool adjout_has_work(const struct bgp_speaker *s) {
    if (s->adjout->misplaced || s->adjout->stalled) {
        return true;
    }
    for (uint32_t i = adjout_group_next(s, 0); i; i = adjout_group_next(s, i)) {
        if (adjout_group_at(s, i)->filling) {
            return true;
        }
    }
    return false;
}

void adjout_notify(struct bgp_speaker *s, bool all) {
    for (uint32_t i = adjout_group_next(s, 0); i; i = adjout_group_next(s, i)) {
        struct adjout_group *g = adjout_group_at(s, i);
        if (!g->news && !all) {
            continue;
        }
        g->news = false;
        for (uint32_t m = g->members; m; m = adjout_member_at(s, m)->next) {
            struct peer *p = speaker_peer(s, adjout_member_at(s, m)->peer);
            if (adjout_pending(s, p)) {
                peer_output(s, p);
            }
        }
    }
}

/* ---- members ---- */

static uint32_t count_own(const struct bgp_speaker *s, const struct adjout_group *g,
                          enum bgp_family f, uint32_t peer) {
    uint32_t count = 0;
    for (uint32_t i = 1; i < adjout_slot_limit(g, f); i++) {
        const struct adjout_said *said = adjout_said_of(s, g, f, i);
        count += said && said->attrs && !adjout_said_to(s, said, peer);
    }
    return count;
}

static void member_join(struct bgp_speaker *s, struct adjout_group *g, uint32_t member) {
    struct adjout_member *m = adjout_member_at(s, member);
    m->group = g->index;
    m->next = 0;
    m->prev = g->last_member;
    if (m->prev) {
        adjout_member_at(s, m->prev)->next = member;
    } else {
        g->members = member;
    }
    g->last_member = member;
    g->member_count++;
    g->waiting++;
    m->flags = ADJOUT_MEMBER_WAITING;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        m->own[f] = g->slot_count[f] ? count_own(s, g, f, m->peer) : 0;
    }
}

static void member_leave(struct bgp_speaker *s, uint32_t member) {
    struct adjout_member *m = adjout_member_at(s, member);
    struct adjout_group *g = adjout_group_at(s, m->group);
    if (m->flags & ADJOUT_MEMBER_WAITING) {
        g->waiting--;
    } else {
        tally_member_leaves(s, g, m->peer);
        adjout_member_unplace(s, g, m);
    }
    g->walking -= (m->flags & ADJOUT_MEMBER_WALKING) != 0;
    *(m->prev ? &adjout_member_at(s, m->prev)->next : &g->members) = m->next;
    *(m->next ? &adjout_member_at(s, m->next)->prev : &g->last_member) = m->prev;
    m->next = m->prev = 0;
    if (--g->member_count == 0) {
        group_retire(s, g);
    } else {
        (void)adjout_graves_sweep(s, g, s->adjout->graves_max);
    }
}

static struct adjout_group *group_for(struct bgp_speaker *s, const struct export_key *key) {
    struct adjout_group *g = group_find(s, key);
    return g ? g : group_new(s, key);
}

static void member_free(struct bgp_speaker *s, uint32_t member) {
    if (member) {
        adjout_catchup_free(s, adjout_member_at(s, member));
        slab_free(&s->adjout->members, member);
    }
}

/* One that will wait, and walk then; 0: no memory. */
static uint32_t member_new(struct bgp_speaker *s) {
    uint32_t member = slab_alloc(&s->adjout->members);
    if (member && !adjout_catchup_make(s, adjout_member_at(s, member))) {
        member_free(s, member);
        return 0;
    }
    return member;
}

bool adjout_peer_up(struct bgp_speaker *s, struct peer *p) {
    struct export_key key;
    if (p->group_member) {
        adjout_peer_down(s, p);
    }
    export_key_make(s, p, &key);
    uint32_t member = member_new(s);
    struct adjout_group *g = member ? group_for(s, &key) : NULL;
    if (!g) {
        member_free(s, member);
        return false;
    }
    struct adjout_member *m = adjout_member_at(s, member);
    m->peer = p->index;
    p->group_member = peer_index(member);
    member_join(s, g, member);
    bool eor = s->profile->end_of_rib_always ||
               (p->open.gr && p->config->options->graceful_restart != BGP_GR_OFF);
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        if (p->families[f]) {
            m->masks |= adjout_mask(f, ADJOUT_MASK_ALL);
            m->masks |= (uint8_t)(eor ? adjout_mask(f, ADJOUT_MASK_EOR) : 0);
        }
    }
    if (adjout_pending(s, p)) {
        peer_output(s, p);
    }
    return true;
}

void adjout_peer_down(struct bgp_speaker *s, struct peer *p) {
    uint32_t member = p->group_member;
    if (!member) {
        return;
    }
    p->group_member = 0;
    member_leave(s, member);
    member_free(s, member);
}

void adjout_refresh(struct bgp_speaker *s, struct peer *p, enum bgp_family f) {
    if (!p->group_member || !p->families[f]) {
        return;
    }
    struct adjout_member *m = adjout_member_at(s, p->group_member);
    m->masks |= adjout_mask(f, ADJOUT_MASK_ALL);
    m->masks |= (uint8_t)(p->enhanced_refresh ? adjout_mask(f, ADJOUT_MASK_FRAME) : 0);
    if (m->flags & ADJOUT_MEMBER_WALKING) { /* what is under way is not enough */
        adjout_walk_begin(s, adjout_group_at(s, m->group), m);
    }
    peer_output(s, p); /* else the walk begins when it pulls */
}

/* Moves a member that has begun to be sent something; what it has in hand goes along. */
static bool member_pack(struct bgp_speaker *s, struct adjout_group *old, struct adjout_member *m) {
    bool sure = !(m->flags & ADJOUT_MEMBER_WALKING);
    struct adjout_catchup *c = adjout_catchup_make(s, m);
    struct adjout_held *held = c ? adjout_held_take(s, old, c->held) : NULL;
    if (!held || !adjout_member_keep_rest(old, m, c)) {
        adjout_held_drop(s, held);
        adjout_catchup_end(s, m);
        return false;
    }
    adjout_held_drop(s, c->held);
    c->held = held;
    c->base = sure ? m->position - 1 : 0;
    return true;
}

void adjout_regroup(struct bgp_speaker *s, struct peer *p) {
    struct export_key key;
    if (!p->group_member) {
        return;
    }
    uint32_t member = p->group_member;
    struct adjout_member *m = adjout_member_at(s, member);
    struct adjout_group *old = adjout_group_at(s, m->group);
    export_key_make(s, p, &key);
    m->flags &= (uint8_t)~ADJOUT_MEMBER_MISPLACED;
    if (export_key_equal(&old->key, &key)) {
        return;
    }
    struct adjout_group *g = group_for(s, &key);
    bool begun = !(m->flags & ADJOUT_MEMBER_WAITING);
    if (!g || (begun && !member_pack(s, old, m))) {
        if (g && g->member_count == 0) {
            group_retire(s, g);
        }
        m->flags |= ADJOUT_MEMBER_MISPLACED; /* no memory: stays, and adjout_work tries again */
        s->adjout->misplaced = true;
        return;
    }
    member_leave(s, member);
    member_join(s, g, member);
    peer_output(s, p);
}

/* ---- changes ---- */

/* The caller tidies the prefix afterwards. */
void adjout_entry_changed(struct bgp_speaker *s, enum bgp_family f, uint32_t entry,
                          const struct adjout_route *r) {
    rib_entry_at(s, f, entry)->out_references++; /* ours, while groups come and go */
    for (uint32_t i = adjout_group_next(s, 0); i; i = adjout_group_next(s, i)) {
        struct adjout_group *g = adjout_group_at(s, i);
        if (g->key.families[f] && !g->key.add_path[f]) {
            adjout_group_route(s, g, f, entry, r);
        }
    }
    rib_entry_at(s, f, entry)->out_references--;
}

void adjout_paths_changed(struct bgp_speaker *s, enum bgp_family f, uint32_t entry) {
    if (s->adjout->add_path_groups == 0) {
        return;
    }
    for (uint32_t i = adjout_group_next(s, 0); i; i = adjout_group_next(s, i)) {
        struct adjout_group *g = adjout_group_at(s, i);
        if (g->key.families[f] && g->key.add_path[f]) {
            adjout_group_paths(s, g, f, entry);
        }
    }
}

void adjout_path_gone(struct bgp_speaker *s, enum bgp_family f, uint32_t path) {
    rib_path_out_hold(s, f, path); /* ours, while groups let go of it */
    for (uint32_t i = adjout_group_next(s, 0); i; i = adjout_group_next(s, i)) {
        struct adjout_group *g = adjout_group_at(s, i);
        if (g->key.add_path[f]) {
            adjout_group_path_gone(s, g, f, path);
        }
    }
    rib_path_out_release(s, f, path);
}

/* ---- looking ---- */

uint32_t adjout_count(const struct bgp_speaker *s, const struct peer *p, enum bgp_family f) {
    if (!p->group_member) {
        return 0;
    }
    const struct adjout_member *m = adjout_member_at(s, p->group_member);
    return adjout_group_at(s, m->group)->slot_count[f] - m->own[f];
}

uint32_t adjout_group_count(const struct bgp_speaker *s) {
    return s->adjout->group_count;
}

uint32_t adjout_group_number(const struct bgp_speaker *s, const struct peer *p) {
    return p->group_member ? adjout_group_at(s, adjout_member_at(s, p->group_member)->group)->number
                           : 0;
}

static const struct attr_set *slot_shows(const struct bgp_speaker *s, const struct adjout_group *g,
                                         enum bgp_family f, uint32_t number, uint32_t peer) {
    uint32_t attrs = adjout_said_to(s, adjout_said_of(s, g, f, number), peer);
    return attrs ? attr_get(&s->attrs, attrs) : NULL;
}

/* The number after `at` that may have been sent of a prefix; 0: no more. */
static uint32_t number_after(const struct bgp_speaker *s, const struct adjout_group *g,
                             enum bgp_family f, uint32_t entry, uint32_t at) {
    const struct rib_entry *e = rib_entry_at(s, f, entry);
    uint32_t stand_in = e->length == 0 ? g->default_path[f] : 0;
    if (!g->key.add_path[f]) {
        return at ? 0 : entry;
    }
    if (at && at == stand_in) {
        return 0;
    }
    uint32_t next = at ? rib_path_at(s, at)->next : e->paths;
    return next ? next : stand_in;
}

bool bgp_adj_out_next(const struct bgp_speaker *s, struct bgp_peer_id peer, struct ip_prefix prefix,
                      struct bgp_adj_out *it) {
    enum bgp_family f = rib_prefix_family(prefix);
    if (peer.index == 0 || peer.index >= s->peers.next_new || it->at == UINT32_MAX) {
        return false;
    }
    const struct peer *p = speaker_peer(s, peer.index);
    uint32_t entry = p->group_member ? rib_entry_find(s, f, prefix) : 0;
    if (!entry) {
        return false;
    }
    const struct adjout_group *g = adjout_group_at(s, adjout_member_at(s, p->group_member)->group);
    it->attrs = NULL;
    for (uint32_t at = it->at; !it->attrs && (at = number_after(s, g, f, entry, at)) != 0;) {
        it->attrs = slot_shows(s, g, f, at, p->index);
        it->path_id = g->key.add_path[f] ? at : 0;
        it->at = at;
    }
    it->at = it->attrs ? it->at : UINT32_MAX;
    return it->attrs != NULL;
}

const struct attr_set *bgp_adj_out_find(const struct bgp_speaker *s, struct bgp_peer_id peer,
                                        struct ip_prefix prefix) {
    struct bgp_adj_out first = {0};
    return bgp_adj_out_next(s, peer, prefix, &first) ? first.attrs : NULL;
}
