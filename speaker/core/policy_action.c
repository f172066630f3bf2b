/*
 * The actions of policy terms: what a route that matched is changed to.
 *
 * Owns the arithmetic (saturating, never wrapping) and the building of changed lists: communities
 * stay sorted and unique as attr.h wants them. Lists are never changed in place, for they may
 * belong to an interned set: a new one is made in the route's arena.
 *
 * Leaves to the caller what "self", "peer" and "keep" mean as a next hop: only the session knows.
 * RFC 1997, 8092; RFC 4271 5.1.4, 5.1.5.
 */
#include "policy_action.h"

#include "../base/arena.h"
#include "limits.h"
#include "speaker.h"

#include <string.h>

enum med_mode {
    MED_SET,
    MED_ADD,
    MED_SUBTRACT,
};

static void set_med(const struct policy_action *a, struct attr_values *v) {
    uint32_t med = v->has_med ? v->med : 0;
    if (a->mode == MED_ADD) {
        med = a->value > UINT32_MAX - med ? UINT32_MAX : med + a->value;
    } else if (a->mode == MED_SUBTRACT) {
        med = a->value > med ? 0 : med - a->value;
    } else {
        med = a->value;
    }
    v->med = med;
    v->has_med = true;
}

/* Puts `value` into a sorted list of unique ones that has room for it. */
static uint32_t insert_sorted(uint32_t *list, uint32_t count, uint32_t value) {
    uint32_t at = count;
    while (at > 0 && list[at - 1] > value) {
        at--;
    }
    if (at > 0 && list[at - 1] == value) {
        return count;
    }
    memmove(&list[at + 1], &list[at], (count - at) * sizeof *list);
    list[at] = value;
    return count + 1;
}

static bool add_communities(const struct policy_action *a, struct policy_route *r, bool keep_old) {
    struct attr_values *v = &r->attrs;
    uint32_t count = keep_old ? v->community_count : 0;
    r->too_long = (size_t)count + a->asn_count > BGP_COMMUNITIES_MAX;
    if (r->too_long) {
        return false;
    }
    uint32_t *list = arena_array(r->arena, (size_t)count + a->asn_count + 1, sizeof *list);
    if (!list) {
        return false;
    }
    if (count > 0) {
        memcpy(list, v->communities, count * sizeof *list);
    }
    for (uint32_t i = 0; i < a->asn_count; i++) {
        count = insert_sorted(list, count, a->asns[i]);
    }
    v->communities = count > 0 ? list : NULL;
    v->community_count = count;
    return true;
}

static bool delete_communities(const struct policy_action *a, struct policy_route *r) {
    struct attr_values *v = &r->attrs;
    uint32_t *list = arena_array(r->arena, (size_t)v->community_count + 1, sizeof *list);
    uint32_t kept = 0;
    if (!list) {
        return false;
    }
    for (uint32_t i = 0; i < v->community_count; i++) {
        bool deleted = false;
        for (uint32_t j = 0; j < a->asn_count && !deleted; j++) {
            deleted = a->asns[j] == v->communities[i];
        }
        if (!deleted) {
            list[kept++] = v->communities[i];
        }
    }
    v->communities = kept > 0 ? list : NULL;
    v->community_count = kept;
    return true;
}

static bool add_large_communities(const struct policy_action *a, struct policy_route *r) {
    struct attr_values *v = &r->attrs;
    uint32_t count = v->large_community_count;
    r->too_long = (size_t)count + a->large_community_count > BGP_COMMUNITIES_MAX;
    if (r->too_long) {
        return false;
    }
    struct large_community *list =
        arena_array(r->arena, (size_t)count + a->large_community_count + 1, sizeof *list);
    if (!list) {
        return false;
    }
    if (count > 0) {
        memcpy(list, v->large_communities, count * sizeof *list);
    }
    for (uint32_t i = 0; i < a->large_community_count; i++) {
        const struct large_community *c = &a->large_communities[i];
        uint32_t at = count;
        while (at > 0 && large_community_compare(&list[at - 1], c) > 0) {
            at--;
        }
        if (at > 0 && large_community_compare(&list[at - 1], c) == 0) {
            continue;
        }
        memmove(&list[at + 1], &list[at], (count - at) * sizeof *list);
        list[at] = *c;
        count++;
    }
    v->large_communities = count > 0 ? list : NULL;
    v->large_community_count = count;
    return true;
}

static void set_next_hop(struct policy_route *r, bool self, bool peer, bool keep) {
    r->next_hop_self = self;
    r->next_hop_peer = peer;
    r->next_hop_keep = keep;
}

/* Calico: the priority of a route not learned over BGP is its source's metric. */
static void local_pref_from_metric(const struct policy_action *a, struct policy_route *r) {
    if (r->source != ROUTE_SOURCE_BGP && r->metric != UINT32_MAX) {
        r->attrs.local_pref = r->metric > a->value ? 0 : a->value - r->metric;
        r->attrs.has_local_pref = true;
    }
}

/* Nothing to repeat is no error. */
static bool prepend_last_as(const struct policy_action *a, struct policy_route *r) {
    uint32_t last = as_path_neighbor(r->attrs.as_path);
    if (last == 0) {
        return true;
    }
    uint32_t *list = arena_array(r->arena, (size_t)a->value + 1, sizeof *list);
    for (uint32_t i = 0; list && i < a->value; i++) {
        list[i] = last;
    }
    r->too_long = !as_path_has_room(r->attrs.as_path, a->value);
    return list && !r->too_long &&
           as_path_prepend(r->attrs.as_path, list, a->value, r->arena, &r->attrs.as_path);
}

static bool run_action(const struct policy_action *a, struct policy_route *r) {
    switch (a->kind) {
    case POLICY_SET_LOCAL_PREF:
        r->attrs.local_pref = a->value;
        r->attrs.has_local_pref = true;
        return true;
    case POLICY_SET_MED:
        set_med(a, &r->attrs);
        return true;
    case POLICY_CLEAR_MED:
        r->attrs.has_med = false;
        r->attrs.med = 0;
        return true;
    case POLICY_SET_WEIGHT:
        r->weight = a->value;
        return true;
    case POLICY_SET_ORIGIN:
        r->attrs.origin = (uint8_t)a->value;
        return true;
    case POLICY_SET_NEXT_HOP:
        set_next_hop(r, false, false, true);
        r->attrs.next_hop = a->address;
        r->attrs.link_local = (struct ip_addr){0};
        return true;
    case POLICY_SET_NEXT_HOP_SELF:
        set_next_hop(r, true, false, false);
        return true;
    case POLICY_SET_NEXT_HOP_PEER:
        set_next_hop(r, false, true, false);
        return true;
    case POLICY_SET_NEXT_HOP_KEEP:
        set_next_hop(r, false, false, true);
        return true;
    case POLICY_PREPEND_AS_PATH:
        r->too_long = !as_path_has_room(r->attrs.as_path, a->asn_count);
        return !r->too_long && as_path_prepend(r->attrs.as_path, a->asns, a->asn_count, r->arena,
                                               &r->attrs.as_path);
    case POLICY_PREPEND_LAST_AS:
        return prepend_last_as(a, r);
    case POLICY_ADD_COMMUNITIES:
        return add_communities(a, r, true);
    case POLICY_SET_COMMUNITIES:
        return add_communities(a, r, false);
    case POLICY_DELETE_COMMUNITIES:
        return delete_communities(a, r);
    case POLICY_ADD_LARGE_COMMUNITIES:
        return add_large_communities(a, r);
    case POLICY_SET_TAG:
        r->tag = a->value;
        return true;
    case POLICY_SET_DEVICE:
        r->device = a->text;
        return true;
    case POLICY_LOCAL_PREF_FROM_METRIC:
        local_pref_from_metric(a, r);
        return true;
    case POLICY_SET_DAMPENING:
        r->dampening = a->asn_count == 4 ? a->asns : NULL;
        return true;
    }
    return true;
}

bool policy_actions_run(const struct policy_term *t, struct policy_route *r) {
    for (uint32_t i = 0; i < t->action_count; i++) {
        if (!run_action(&t->actions[i], r)) {
            return false;
        }
    }
    return true;
}
