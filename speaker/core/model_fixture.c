/*
 * The model: RFC 4271 4.3 and 7606 read naively, routes in arrays, the best one by looking at all.
 *
 * Nothing here is fast and nothing is shared with the product but names of outcomes and families.
 */
#include "model_fixture.h"

#include "../base/hash.h"
#include "limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

/* Two or four octets as a number. */
static uint32_t number(const uint8_t *p, size_t octets) {
    uint32_t n = 0;
    for (size_t i = 0; i < octets; i++) {
        n = n << 8 | p[i];
    }
    return n;
}

struct attribute {
    uint8_t flags, code;
    const uint8_t *data;
    size_t size;
};

/* A path as segments that stay where they are. `continued`: the next one belongs to it. */
struct segment {
    uint8_t type;
    bool continued;
    size_t count, as_size;
    const uint8_t *asns;
};

struct path {
    struct segment segments[BGP_MESSAGE_SIZE_MAX / 2];
    size_t count;
};

struct reading {
    const struct model_session *s;
    struct model_update *u;
    bool seen[256];
    bool lost;    /* damage to the framing */
    bool foreign; /* MP_REACH of another family */
    bool other;   /* an attribute that is not MP_UNREACH */
    enum bgp_outcome next_hop_outcome;
    struct ip_addr next_hop;
    bool own_as, first_as_wrong, loop;
    struct path *path, *as4_path;
    bool has_as4_path, has_as4_aggregator;
    uint32_t aggregator; /* 0: none */
};

static void worsen(struct model_update *u, enum bgp_outcome o) {
    u->outcome = o > u->outcome ? o : u->outcome;
}

static bool list_sound(const uint8_t *data, size_t size, unsigned bits) {
    for (size_t at = 0; at < size; at += 1 + (data[at] + 7u) / 8) {
        if (data[at] > bits || (data[at] + 7u) / 8 > size - at - 1) {
            return false;
        }
    }
    return true;
}

/* RFC 7606 7.2, 7607. False: malformed. `types`: those from 1 that may be there. */
static bool path_read(const struct attribute *a, size_t as_size, uint8_t types,
                      struct path *ret_path) {
    size_t total = 0;
    ret_path->count = 0;
    for (size_t at = 0; at < a->size;) {
        if (a->size - at < 2) {
            return false;
        }
        struct segment s = {a->data[at], false, a->data[at + 1], as_size, a->data + at + 2};
        if (s.type < 1 || s.type > types || s.count == 0 || s.count * as_size > a->size - at - 2) {
            return false;
        }
        for (size_t i = 0; i < s.count; i++) {
            if (number(s.asns + i * as_size, as_size) == 0) {
                return false;
            }
        }
        ret_path->segments[ret_path->count++] = s;
        total += s.count;
        at += 2 + s.count * as_size;
    }
    return total <= BGP_AS_PATH_MAX;
}

/* RFC 4271 9.1.2.2 a, 5065 5.3. */
static size_t segment_length(const struct segment *s) {
    return s->type == 2 ? s->count : s->type == 1 ? 1u : 0u;
}

static size_t path_length(const struct path *p) {
    size_t length = 0;
    for (size_t i = 0; i < p->count; i++) {
        length += segment_length(&p->segments[i]);
    }
    return length;
}

/* RFC 6793 3: there are no confederation segments in AS4_PATH, or they are not read. */
static void path_drop_confederation(struct path *p) {
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (p->segments[i].type <= 2) {
            p->segments[kept++] = p->segments[i];
        }
    }
    p->count = kept;
}

/* RFC 6793 4.2.3: as much of the front of AS_PATH as makes AS4_PATH as long as it. */
static void path_merge(struct path *p, const struct path *as4) {
    size_t whole = path_length(p), rest = path_length(as4), kept = 0;
    if (rest == 0 || rest > whole) {
        return;
    }
    size_t wanted = whole - rest;
    for (; kept < p->count; kept++) {
        struct segment *s = &p->segments[kept];
        size_t length = segment_length(s);
        if (length > 0 && wanted == 0) {
            break;
        }
        if (length > wanted) { /* a sequence, for a set has a length of 1 */
            s->count = wanted;
            kept++;
            break;
        }
        wanted -= length;
    }
    p->count = kept;
    struct segment *last = kept > 0 ? &p->segments[kept - 1] : NULL;
    const struct segment *first = &as4->segments[0];
    if (last && last->type == 2 && first->type == 2 && last->count + first->count <= 255) {
        last->continued = true;
    }
    memcpy(p->segments + kept, as4->segments, as4->count * sizeof *as4->segments);
    p->count += as4->count;
}

uint64_t model_hash_segment(uint64_t hash, uint8_t type, size_t count) {
    return hash_mix(hash, (uint64_t)type << 8 | count);
}

uint64_t model_hash_as(uint64_t hash, uint32_t asn) {
    return hash_mix(hash, asn);
}

/* What the path, merged if need be, says. */
static void path_judge(struct reading *r) {
    struct model_route *v = &r->u->values;
    const struct path *p = r->path;
    uint32_t first = 0;
    size_t total = 0;
    v->path_hash = 1;
    v->path_length = (uint32_t)path_length(p);
    for (size_t i = 0; i < p->count; i++) {
        const struct segment *s = &p->segments[i];
        if (i == 0 || !s[-1].continued) {
            size_t count = s->count + (s->continued ? s[1].count : 0);
            v->path_hash = model_hash_segment(v->path_hash, s->type, count);
        }
        for (size_t k = 0; k < s->count; k++) {
            uint32_t asn = number(s->asns + k * s->as_size, s->as_size);
            first = i == 0 && k == 0 && s->type == 2 ? asn : first;
            v->path_hash = model_hash_as(v->path_hash, asn);
            r->own_as |= asn == r->s->local_as;
        }
        total += s->count;
    }
    r->first_as_wrong = r->s->first_as && first != r->s->first_as;
    if (total > BGP_AS_PATH_MAX) {
        worsen(r->u, BGP_OUTCOME_TREAT_AS_WITHDRAW);
    }
}

static enum bgp_outcome read_path(struct reading *r, const struct attribute *a) {
    bool sound = path_read(a, r->s->as4 ? 4 : 2, r->s->external ? 2 : 4, r->path);
    return sound ? BGP_OUTCOME_OK : BGP_OUTCOME_TREAT_AS_WITHDRAW;
}

static bool hop_sound(struct ip_addr a) {
    static const uint8_t zero[16], one[16] = {[15] = 1};
    if (a.family == IP_V4) {
        return a.bytes[0] != 0 && a.bytes[0] != 127 && a.bytes[0] < 224;
    }
    return a.bytes[0] != 0xFF && memcmp(a.bytes, zero, 16) != 0 && memcmp(a.bytes, one, 16) != 0;
}

static enum bgp_outcome read_words(struct reading *r, const struct attribute *a) {
    if (a->size == 0 || a->size % 4 != 0) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    for (size_t at = 0; at < a->size; at += 4) {
        uint32_t word = number(a->data + at, 4);
        if (a->code == ATTR_COMMUNITIES) {
            r->u->values.no_advertise |= word == UINT32_C(0xFFFFFF02);
            r->u->unsure |= word == UINT32_C(0xFFFF0000); /* GRACEFUL_SHUTDOWN */
        } else {
            r->loop |= word == r->s->router_id; /* cluster id */
        }
    }
    return BGP_OUTCOME_OK;
}

/* Family of an MP attribute: false when it is not one of the session's. */
static bool mp_family(const struct model_session *s, const uint8_t *data, bool *ret_ipv6) {
    uint32_t afi = number(data, 2);
    *ret_ipv6 = afi == 2;
    return (afi == 1 || afi == 2) && data[2] == 1 &&
           s->families[*ret_ipv6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST];
}

/* Where an IPv6 next hop begins: "::" before fe80::/10 stands for nothing. */
static const uint8_t *hop6(const uint8_t *data, size_t size) {
    bool first_is_empty = true;
    for (size_t i = 0; i < 16; i++) {
        first_is_empty = first_is_empty && data[i] == 0;
    }
    bool second_is_local = size == 32 && data[16] == 0xFE && data[17] / 64 == 2;
    return first_is_empty && second_is_local ? data + 16 : data;
}

static enum bgp_outcome read_mp_reach(struct reading *r, const struct attribute *a) {
    bool ipv6;
    if (a->size < 3) {
        return BGP_OUTCOME_SESSION_RESET;
    }
    if (!mp_family(r->s, a->data, &ipv6)) {
        r->foreign = true;
        return BGP_OUTCOME_OK;
    }
    if (a->size < 4) {
        return BGP_OUTCOME_SESSION_RESET;
    }
    size_t hop = a->data[3], head = 4 + hop + 1;
    bool possible = ipv6 ? hop == 16 || hop == 32 : hop == 4;
    if (!possible || head > a->size ||
        !list_sound(a->data + head, a->size - head, ipv6 ? 128 : 32)) {
        return BGP_OUTCOME_SESSION_RESET;
    }
    if (a->size > head) {
        struct model_list *l = &r->u->announced[r->u->announced_count++];
        *l = (struct model_list){.data = a->data + head, .size = a->size - head, .ipv6 = ipv6};
        l->next_hop = ipv6 ? ip6(hop6(a->data + 4, hop)) : ip4(number(a->data + 4, 4));
    }
    return BGP_OUTCOME_OK;
}

static enum bgp_outcome read_mp_unreach(struct reading *r, const struct attribute *a) {
    bool ipv6;
    if (a->size < 3) {
        return BGP_OUTCOME_SESSION_RESET;
    }
    if (!mp_family(r->s, a->data, &ipv6)) {
        return BGP_OUTCOME_OK;
    }
    if (!list_sound(a->data + 3, a->size - 3, ipv6 ? 128 : 32)) {
        return BGP_OUTCOME_SESSION_RESET;
    }
    if (a->size > 3) {
        r->u->withdrawn[r->u->withdrawn_count++] =
            (struct model_list){.data = a->data + 3, .size = a->size - 3, .ipv6 = ipv6};
    }
    return BGP_OUTCOME_OK;
}

static enum bgp_outcome read_numbers(struct reading *r, const struct attribute *a) {
    if (a->size != 4) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    if (a->code == ATTR_LOCAL_PREF) {
        r->u->values.local_pref = number(a->data, 4);
    } else if (a->code == ATTR_NEXT_HOP) {
        r->next_hop = ip4(number(a->data, 4));
    } else if (a->code == ATTR_ORIGINATOR_ID) {
        r->loop |= number(a->data, 4) == r->s->router_id;
    } else if (a->code == ATTR_OTC && number(a->data, 4) == 0) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    return BGP_OUTCOME_OK;
}

static enum bgp_outcome read_origin(struct reading *r, const struct attribute *a) {
    if (a->size != 1 || a->data[0] > 2) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    r->u->values.origin = a->data[0];
    return BGP_OUTCOME_OK;
}

static enum bgp_outcome read_aggregator(struct reading *r, const struct attribute *a) {
    size_t as_size = r->s->as4 ? 4 : 2;
    bool sound = a->size == as_size + 4 && number(a->data, as_size) != 0;
    r->aggregator = sound ? number(a->data, as_size) : 0;
    return sound ? BGP_OUTCOME_OK : BGP_OUTCOME_DISCARD_ATTRIBUTE;
}

static enum bgp_outcome read_empty(struct reading *r, const struct attribute *a) {
    (void)r;
    return a->size == 0 ? BGP_OUTCOME_OK : BGP_OUTCOME_DISCARD_ATTRIBUTE;
}

static enum bgp_outcome read_multiple(struct reading *r, const struct attribute *a) {
    size_t unit = a->code == ATTR_EXT_COMMUNITIES ? 8 : 12;
    (void)r;
    return a->size > 0 && a->size % unit == 0 ? BGP_OUTCOME_OK : BGP_OUTCOME_TREAT_AS_WITHDRAW;
}

/* RFC 6793 4.1, 6: not between NEW speakers; damaged, they are not read. */
static enum bgp_outcome read_as4_path(struct reading *r, const struct attribute *a) {
    r->has_as4_path = !r->s->as4 && a->size >= 6 && path_read(a, 4, 4, r->as4_path);
    path_drop_confederation(r->as4_path);
    return r->has_as4_path ? BGP_OUTCOME_OK : BGP_OUTCOME_DISCARD_ATTRIBUTE;
}

static enum bgp_outcome read_as4_aggregator(struct reading *r, const struct attribute *a) {
    r->has_as4_aggregator = !r->s->as4 && a->size == 8 && number(a->data, 4) != 0;
    return r->has_as4_aggregator ? BGP_OUTCOME_OK : BGP_OUTCOME_DISCARD_ATTRIBUTE;
}

static const struct {
    uint8_t code, flags;
    bool internal;
    enum bgp_outcome (*read)(struct reading *r, const struct attribute *a);
} attributes[] = {
    {ATTR_ORIGIN, 0x40, false, read_origin},
    {ATTR_AS_PATH, 0x40, false, read_path},
    {ATTR_NEXT_HOP, 0x40, false, read_numbers},
    {ATTR_MED, 0x80, false, read_numbers},
    {ATTR_LOCAL_PREF, 0x40, true, read_numbers},
    {ATTR_ATOMIC_AGGREGATE, 0x40, false, read_empty},
    {ATTR_AGGREGATOR, 0xC0, false, read_aggregator},
    {ATTR_COMMUNITIES, 0xC0, false, read_words},
    {ATTR_ORIGINATOR_ID, 0x80, true, read_numbers},
    {ATTR_CLUSTER_LIST, 0x80, true, read_words},
    {ATTR_MP_REACH, 0x80, false, read_mp_reach},
    {ATTR_MP_UNREACH, 0x80, false, read_mp_unreach},
    {ATTR_EXT_COMMUNITIES, 0xC0, false, read_multiple},
    {ATTR_AS4_PATH, 0xC0, false, read_as4_path},
    {ATTR_AS4_AGGREGATOR, 0xC0, false, read_as4_aggregator},
    {ATTR_LARGE_COMMUNITIES, 0xC0, false, read_multiple},
    {ATTR_OTC, 0xC0, false, read_numbers},
};

static enum bgp_outcome read_known(struct reading *r, const struct attribute *a, size_t row) {
    bool flags_wrong = (a->flags & 0xC0) != attributes[row].flags;
    bool mp = a->code == ATTR_MP_REACH || a->code == ATTR_MP_UNREACH;
    if (flags_wrong && !mp) {
        return BGP_OUTCOME_TREAT_AS_WITHDRAW;
    }
    if (attributes[row].internal && r->s->external) {
        return BGP_OUTCOME_DISCARD_ATTRIBUTE;
    }
    enum bgp_outcome o = attributes[row].read(r, a);
    return flags_wrong && o < BGP_OUTCOME_TREAT_AS_WITHDRAW ? BGP_OUTCOME_TREAT_AS_WITHDRAW : o;
}

static void read_attribute(struct reading *r, const struct attribute *a) {
    r->other |= a->code != ATTR_MP_UNREACH;
    if (r->seen[a->code]) {
        bool mp = a->code == ATTR_MP_REACH || a->code == ATTR_MP_UNREACH;
        worsen(r->u, mp ? BGP_OUTCOME_SESSION_RESET : BGP_OUTCOME_DISCARD_ATTRIBUTE);
        return;
    }
    r->seen[a->code] = true;
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        if (attributes[i].code == a->code) {
            enum bgp_outcome o = read_known(r, a, i);
            if (a->code == ATTR_NEXT_HOP) {
                r->next_hop_outcome = o;
            } else {
                worsen(r->u, o);
            }
            return;
        }
    }
    if (!(a->flags & 0x80)) {
        worsen(r->u, BGP_OUTCOME_SESSION_RESET);
    }
}

static void read_attributes(struct reading *r, const uint8_t *data, size_t size) {
    for (size_t at = 0; at < size && r->u->outcome != BGP_OUTCOME_SESSION_RESET;) {
        size_t head = data[at] & 0x10 ? 4 : 3;
        if (size - at < head || number(data + at + 2, head - 2) > size - at - head) {
            r->lost = true;
            worsen(r->u, BGP_OUTCOME_TREAT_AS_WITHDRAW);
            return;
        }
        const struct attribute a = {.flags = data[at],
                                    .code = data[at + 1],
                                    .data = data + at + head,
                                    .size = number(data + at + 2, head - 2)};
        read_attribute(r, &a);
        at += head + a.size;
    }
}

/* What is to be said once all attributes are known. */
static void judge(struct reading *r, bool classic) {
    struct model_update *u = r->u;
    if (u->announced_count > 0) {
        bool whole =
            r->seen[ATTR_ORIGIN] && r->seen[ATTR_AS_PATH] && (!classic || r->seen[ATTR_NEXT_HOP]);
        worsen(u, whole ? BGP_OUTCOME_OK : BGP_OUTCOME_TREAT_AS_WITHDRAW);
    }
    if (classic || !r->seen[ATTR_MP_REACH]) {
        worsen(u, r->next_hop_outcome);
    }
    for (unsigned i = 0; i < u->announced_count; i++) {
        if (classic && i == 0) {
            u->announced[i].next_hop = r->next_hop;
        }
        if (u->announced[i].next_hop.family != 0 && !hop_sound(u->announced[i].next_hop)) {
            worsen(u, BGP_OUTCOME_TREAT_AS_WITHDRAW);
        }
    }
    /* RFC 6793 4.2.3: an OLD speaker that aggregated since made both stale. */
    bool stale = r->has_as4_aggregator && r->aggregator != 0 && r->aggregator != 23456;
    if (r->has_as4_path && !stale) {
        path_merge(r->path, r->as4_path);
    }
    path_judge(r);
    if (u->outcome == BGP_OUTCOME_TREAT_AS_WITHDRAW && u->announced_count == 0 && !r->foreign &&
        (u->withdrawn_count == 0 || r->lost)) {
        worsen(u, BGP_OUTCOME_SESSION_RESET);
    }
    u->values.usable = !r->own_as && !r->first_as_wrong && !r->loop;
}

static void classic_list(const struct model_session *s, struct model_list *lists, unsigned *count,
                         const uint8_t *data, size_t size) {
    if (size > 0 && s->families[BGP_IPV4_UNICAST]) {
        lists[(*count)++] = (struct model_list){.data = data, .size = size};
    }
}

void model_read(const struct model_session *s, const uint8_t *message, size_t size,
                struct model_update *ret) {
    const uint8_t *body = message + BGP_HEADER_SIZE;
    size_t left = size - BGP_HEADER_SIZE;
    static struct path path, as4_path; /* too large to be cleared each time */
    struct reading r = {.s = s, .u = ret, .path = &path, .as4_path = &as4_path};
    path.count = as4_path.count = 0;
    *ret = (struct model_update){.values = {.local_pref = 100}};
    size_t withdrawn = left < 2 ? left : number(body, 2);
    size_t attrs = left < 4 + withdrawn ? left : number(body + 2 + withdrawn, 2);
    if (left < 4 + withdrawn + attrs || !list_sound(body + 2, withdrawn, 32) ||
        !list_sound(body + 4 + withdrawn + attrs, left - 4 - withdrawn - attrs, 32)) {
        ret->outcome = BGP_OUTCOME_SESSION_RESET;
        return;
    }
    classic_list(s, ret->withdrawn, &ret->withdrawn_count, body + 2, withdrawn);
    classic_list(s, ret->announced, &ret->announced_count, body + 4 + withdrawn + attrs,
                 left - 4 - withdrawn - attrs);
    bool classic = ret->announced_count > 0;
    read_attributes(&r, body + 4 + withdrawn, attrs);
    if (left > 4 && ret->outcome != BGP_OUTCOME_SESSION_RESET) {
        judge(&r, classic);
    }
}

/* ---- tables ---- */

static bool same_prefix(struct ip_prefix a, struct ip_prefix b) {
    return a.length == b.length && a.addr.family == b.addr.family &&
           memcmp(a.addr.bytes, b.addr.bytes, 16) == 0;
}

const struct model_route *model_find(const struct model_table *t, struct ip_prefix p) {
    for (size_t i = 0; i < t->count; i++) {
        if (same_prefix(t->routes[i].prefix, p)) {
            return &t->routes[i];
        }
    }
    return NULL;
}

static void route_drop(struct model_table *t, struct ip_prefix p) {
    struct model_route *r = (struct model_route *)(uintptr_t)model_find(t, p);
    if (r) {
        *r = t->routes[--t->count];
    }
}

static void route_put(struct model_table *t, const struct model_route *r) {
    route_drop(t, r->prefix);
    if (!t->routes) {
        t->routes = malloc(MODEL_ROUTES_MAX * sizeof *t->routes);
        assert(t->routes);
    }
    if (t->count == MODEL_ROUTES_MAX) {
        t->overflow = true;
        return;
    }
    t->routes[t->count++] = *r;
}

void model_table_clear(struct model_table *t) {
    t->count = 0;
    t->overflow = false;
}

void model_table_free(struct model_table *t) {
    free(t->routes);
    *t = (struct model_table){0};
}

/* RFC 4271 6.3: no unicast destination. */
static bool martian(struct ip_prefix p) {
    static const uint8_t zero[16], one[16] = {[15] = 1};
    const uint8_t *b = p.addr.bytes;
    if (p.addr.family == IP_V4) { /* a supernet of 0/8 or 127/8 is none */
        return (p.length >= 8 && (b[0] == 0 || b[0] == 127)) || b[0] >= 224;
    }
    return b[0] == 0xFF || (p.length >= 10 && b[0] == 0xFE && (b[1] & 0xC0) == 0x80) ||
           memcmp(b, one, 16) == 0 || (p.length == 128 && memcmp(b, zero, 16) == 0);
}

static struct ip_prefix list_prefix(const struct model_list *l, size_t at) {
    struct ip_prefix p = {.addr.family = l->ipv6 ? IP_V6 : IP_V4, .length = l->data[at]};
    for (unsigned bit = 0; bit < p.length; bit++) {
        p.addr.bytes[bit / 8] |= (uint8_t)(l->data[at + 1 + bit / 8] & 0x80 >> bit % 8);
    }
    return p;
}

static bool hop_is_own(const struct model_session *s, struct ip_addr hop) {
    return ip_equal(hop, s->local_addr) || (s->external && ip_equal(hop, ip4(s->router_id)));
}

static void apply_list(struct model_table *t, const struct model_session *s,
                       const struct model_update *u, const struct model_list *l, bool announce) {
    struct model_route route = u->values;
    announce = announce && !s->deny[l->ipv6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST];
    route.usable = s->observer || (u->values.usable && !hop_is_own(s, l->next_hop));
    for (size_t at = 0; at < l->size; at += 1 + (l->data[at] + 7u) / 8) {
        route.prefix = list_prefix(l, at);
        assert(!s->observer || !martian(route.prefix));
        if (martian(route.prefix)) {
            continue;
        }
        if (announce) {
            route_put(t, &route);
        } else {
            route_drop(t, route.prefix);
        }
    }
}

void model_apply(struct model_table *t, const struct model_session *s,
                 const struct model_update *u) {
    if (u->outcome == BGP_OUTCOME_SESSION_RESET) {
        return;
    }
    for (unsigned i = 0; i < u->withdrawn_count; i++) {
        apply_list(t, s, u, &u->withdrawn[i], false);
    }
    for (unsigned i = 0; i < u->announced_count; i++) {
        apply_list(t, s, u, &u->announced[i], u->outcome < BGP_OUTCOME_TREAT_AS_WITHDRAW);
    }
}

/* ---- the decision, as far as it does not depend on a profile ---- */

/* Negative: `a` is better. */
static int compare(const struct model_route *a, const struct model_route *b) {
    if (a->local_pref != b->local_pref) {
        return a->local_pref > b->local_pref ? -1 : 1;
    }
    if (a->path_length != b->path_length) {
        return a->path_length < b->path_length ? -1 : 1;
    }
    return (int)a->origin - (int)b->origin;
}

/* Could the speaker have sent `held` (NULL: nothing) of this prefix? */
static bool prefix_agrees(const struct model_table *sources, struct ip_prefix p,
                          const struct model_route *held) {
    const struct model_route *best = NULL;
    bool fits = false;
    for (unsigned i = 0; i < MODEL_SOURCES; i++) {
        const struct model_route *r = model_find(&sources[i], p);
        if (r && r->usable && (!best || compare(r, best) < 0)) {
            best = r;
        }
    }
    if (!best) {
        return !held;
    }
    for (unsigned i = 0; i < MODEL_SOURCES; i++) {
        const struct model_route *r = model_find(&sources[i], p);
        if (!r || !r->usable || compare(r, best) != 0) {
            continue;
        }
        fits |= held ? !r->no_advertise && compare(r, held) == 0 && r->path_hash == held->path_hash
                     : r->no_advertise;
    }
    return fits;
}

static bool is_own(const struct ip_prefix *own, size_t count, struct ip_prefix p) {
    for (size_t i = 0; i < count; i++) {
        if (same_prefix(own[i], p)) {
            return true;
        }
    }
    return false;
}

bool model_agrees(const struct model_table *sources, const struct model_table *view,
                  const struct ip_prefix *own, size_t own_count, struct ip_prefix *ret_prefix) {
    bool overflow = view->overflow;
    for (unsigned i = 0; i < MODEL_SOURCES; i++) {
        overflow |= sources[i].overflow;
    }
    for (unsigned i = 0; !overflow && i <= MODEL_SOURCES; i++) {
        const struct model_table *t = i < MODEL_SOURCES ? &sources[i] : view;
        for (size_t j = 0; j < t->count; j++) {
            *ret_prefix = t->routes[j].prefix;
            if (!is_own(own, own_count, *ret_prefix) &&
                !prefix_agrees(sources, *ret_prefix, model_find(view, *ret_prefix))) {
                return false;
            }
        }
    }
    for (size_t i = 0; !overflow && i < own_count; i++) {
        *ret_prefix = own[i];
        if (!model_find(view, own[i])) {
            return false;
        }
    }
    return true;
}
