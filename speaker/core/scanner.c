/*
 * The scanner: conditions of advertisement, looked at each scan_time_s.
 *
 * Owns one record per question, which is a family and a policy, and the walk over the table that
 * answers all of them at once, within the budget. An answer that differs from the one before moves
 * sessions to another update group, because what a condition withholds is part of a group's key.
 *
 * IOS: conditions are met or not as of the last scan, however the table changes in between, and a
 * condition that no scan has seen yet withholds its routes.
 *
 * Invariants: a question is asked once, however many peers need the answer; while a walk is under
 * way the old answers stand; without questions there is no timer and no work.
 */
#include "scanner.h"

#include "../base/arena.h"
#include "../base/hash.h"
#include "rib.h"

#include <string.h>

#define SCAN_TIME_S 60 /* IOS: bgp scan-time */

enum answer {
    ANSWER_UNKNOWN,
    ANSWER_ABSENT,
    ANSWER_PRESENT,
};

struct question {
    enum bgp_family family;
    uint32_t policy; /* index + 1 */
    uint64_t name;   /* hash of the policy's: front ends number policies afresh each time */
    enum answer answer;
    bool found; /* by the walk that is under way */
};

struct scanner {
    struct call_timer timer; /* running: no walk is under way */
    bool walking, reserved;
    struct arena *arena; /* of one evaluation */
    enum bgp_family family;
    uint32_t cursor;
    uint32_t count;
    uint16_t scan_time_s; /* the timer was started for */
    struct question *list;
};

/* ---- asking ---- */

static const struct question *question_find(const struct scanner *c, enum bgp_family f,
                                            uint32_t policy) {
    for (uint32_t i = 0; c && i < c->count; i++) {
        if (c->list[i].family == f && c->list[i].policy == policy) {
            return &c->list[i];
        }
    }
    return NULL;
}

static enum answer answer_of(const struct bgp_speaker *s, enum bgp_family f, uint32_t policy) {
    const struct question *q = question_find(s->scanner, f, policy);
    return q ? q->answer : ANSWER_UNKNOWN;
}

bool scanner_condition_holds(const struct bgp_speaker *s, const struct bgp_condition_config *c) {
    return answer_of(s, c->family, c->exist_policy) == (c->absent ? ANSWER_ABSENT : ANSWER_PRESENT);
}

bool scanner_default_holds(const struct bgp_speaker *s, const struct bgp_peer_options *peer,
                           enum bgp_family f) {
    uint32_t policy = peer->default_policy[f];
    return !policy || answer_of(s, f, policy) == ANSWER_PRESENT;
}

/* ---- what is asked ---- */

struct collection {
    const struct bgp_config *config;
    const struct scanner *old;
    struct question *list;
    uint32_t count, capacity;
    bool failed;
};

static enum answer answer_before(const struct scanner *old, enum bgp_family f, uint64_t name) {
    for (uint32_t i = 0; i < old->count; i++) {
        if (old->list[i].family == f && old->list[i].name == name) {
            return old->list[i].answer;
        }
    }
    return ANSWER_UNKNOWN;
}

static void collect(struct collection *k, enum bgp_family f, uint32_t policy) {
    for (uint32_t i = 0; i < k->count; i++) {
        if (k->list[i].family == f && k->list[i].policy == policy) {
            return;
        }
    }
    if (!policy || policy > k->config->policy_count || k->failed) {
        return;
    }
    if (k->count == k->capacity) {
        uint32_t capacity = k->capacity ? k->capacity * 2 : 4;
        struct question *list = alloc_resize(k->list, capacity, sizeof *list);
        if (!list) {
            k->failed = true;
            return;
        }
        k->list = list;
        k->capacity = capacity;
    }
    const char *name = k->config->policies[policy - 1].name;
    uint64_t hash = hash_bytes(name, strlen(name), 0);
    k->list[k->count++] = (struct question){
        .family = f, .policy = policy, .name = hash, .answer = answer_before(k->old, f, hash)};
}

static void collect_peer(struct collection *k, const struct bgp_peer_options *p) {
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        if (p->default_originate[f]) {
            collect(k, f, p->default_policy[f]);
        }
    }
    for (uint32_t i = 0; i < p->condition_count; i++) {
        collect(k, p->conditions[i].family, p->conditions[i].exist_policy);
    }
}

/* Of peers that share their options the first one speaks for those behind it. */
static void collect_all(struct collection *k, const struct bgp_speaker *s) {
    const struct bgp_peer_options *last = NULL;
    for (uint32_t i = 0; i < s->configured; i++) {
        const struct bgp_peer_options *o = speaker_peer(s, s->peer_order[i])->config->options;
        if (o != last) {
            collect_peer(k, o);
        }
        last = o;
    }
    for (uint32_t i = 0; i < k->config->listen_range_count; i++) {
        collect_peer(k, &k->config->listen_ranges[i].peer.options);
    }
}

/* ---- the timer ---- */

static void fired(struct bgp_speaker *s, struct call_timer *t, struct nanotime now) {
    struct scanner *c = s->scanner;
    (void)t;
    (void)now;
    c->walking = true;
    c->family = BGP_IPV4_UNICAST;
    c->cursor = 1;
    for (uint32_t i = 0; i < c->count; i++) {
        c->list[i].found = false;
    }
}

static void wait(struct bgp_speaker *s, struct nanotime now) {
    uint64_t seconds = s->config->scan_time_s ? s->config->scan_time_s : SCAN_TIME_S;
    s->scanner->scan_time_s = s->config->scan_time_s;
    heap_set(&s->timers, &s->scanner->timer.timer, nanotime_add_ms(now, seconds * 1000));
}

static bool scanner_make(struct bgp_speaker *s) {
    s->scanner = s->scanner ? s->scanner : alloc_zero(1, sizeof *s->scanner);
    struct scanner *c = s->scanner;
    if (!c) {
        return false;
    }
    c->arena = c->arena ? c->arena : arena_new();
    c->reserved = c->reserved || speaker_timers_reserve(s, 1);
    if (!c->arena || !c->reserved) {
        return false;
    }
    c->timer.timer.order = timer_order(CALL_TIMER_SCANNER, TIMER_CALL);
    c->timer.fired = fired;
    return true;
}

static bool asks(const struct bgp_speaker *s) {
    const struct scanner none = {.count = 0};
    struct collection k = {.config = s->config, .old = &none};
    collect_all(&k, s);
    bool any = k.count > 0 || k.failed;
    alloc_free(k.list);
    return any;
}

void scanner_changed(struct bgp_speaker *s, struct nanotime now) {
    if (!s->scanner && !asks(s)) {
        return;
    }
    bool made = scanner_make(s);
    struct collection k = {.config = s->config, .old = s->scanner, .failed = !made};
    if (made) {
        collect_all(&k, s);
    }
    if (k.failed) { /* what is not asked for withholds its routes */
        struct bgp_event e = {.kind = BGP_EVENT_LOG};
        e.log.id = BGP_LOG_NO_MEMORY;
        event_push(s, &e);
    }
    struct scanner *c = s->scanner;
    if (!c) {
        return;
    }
    alloc_free(c->list);
    c->list = k.list;
    c->count = k.count;
    bool runs = heap_armed(&c->timer.timer) && c->scan_time_s == s->config->scan_time_s;
    c->walking = false;
    if (c->count == 0) {
        heap_cancel(&s->timers, &c->timer.timer);
    } else if (made && !runs) {
        wait(s, now);
    }
}

void scanner_free(struct bgp_speaker *s) {
    if (s->scanner) {
        heap_cancel(&s->timers, &s->scanner->timer.timer);
        arena_free(s->scanner->arena);
        alloc_free(s->scanner->list);
        alloc_free(s->scanner);
        s->scanner = NULL;
    }
}

/* ---- the walk ---- */

static void look_at(struct bgp_speaker *s, struct scanner *c, uint32_t entry) {
    const struct rib_entry *e = rib_entry_at(s, c->family, entry);
    if (!(e->flags & RIB_ENTRY_USED) || !e->best_attrs) {
        return;
    }
    const struct adjout_route best = rib_entry_route(s, c->family, entry);
    if (!best.attrs) { /* its session has ended */
        return;
    }
    for (uint32_t i = 0; i < c->count; i++) {
        struct question *q = &c->list[i];
        if (q->family != c->family || q->found) {
            continue;
        }
        struct policy_route r = {.prefix = best.prefix,
                                 .attrs = attr_get(&s->attrs, best.attrs)->v,
                                 .source = best.source,
                                 .interface = best.interface,
                                 .metric = best.metric,
                                 .arena = c->arena};
        q->found = policy_accepts(s->config, q->policy, &r);
    }
    arena_reset(c->arena);
}

static void walk_end(struct bgp_speaker *s, struct scanner *c, struct nanotime now) {
    bool changed = false;
    for (uint32_t i = 0; i < c->count; i++) {
        struct question *q = &c->list[i];
        enum answer answer = q->found ? ANSWER_PRESENT : ANSWER_ABSENT;
        changed = changed || q->answer != answer;
        q->answer = answer;
    }
    c->walking = false;
    wait(s, now);
    for (uint32_t i = 0; changed && i < s->peer_count; i++) {
        adjout_regroup(s, speaker_peer(s, s->peer_order[i]));
    }
}

uint32_t scanner_work(struct bgp_speaker *s, uint32_t budget, struct nanotime now) {
    struct scanner *c = s->scanner;
    while (c && c->walking && budget > 0) {
        const struct slab *slab = &s->rib->entries[c->family];
        if (slab->page_count && c->cursor < slab->next_new) {
            look_at(s, c, c->cursor++);
            budget--;
        } else if (c->family == BGP_IPV4_UNICAST) {
            c->family = BGP_IPV6_UNICAST;
            c->cursor = 1;
        } else {
            walk_end(s, c, now);
        }
    }
    return budget;
}

bool scanner_has_work(const struct bgp_speaker *s) {
    return s->scanner && s->scanner->walking;
}
