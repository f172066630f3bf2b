/*
 * Own routes: configured ones and those the host adds and takes away at run time.
 *
 * Owns how a bgp_origin_config becomes a path (attributes, origin record) and the difference
 * between two configurations' lists. Leaves the decision between an own route and a learned one to
 * decide.c, and what is sent to export.c.
 *
 * Invariants: one own path per (prefix, source), of which aggregates are aggregate.c's; a route
 * given at run time stands until it is withdrawn or a configuration that had the same (prefix,
 * source) loses it. RFC 4271 9.4.
 */
#include "../base/arena.h"
#include "../base/text.h"
#include "aggregate.h"
#include "attr_decode.h"
#include "rib.h"

#include <string.h>

static bool origin_is_valid(const struct bgp_origin_config *o) {
    return ip_is_set(o->prefix.addr) && ip_prefix_is_masked(o->prefix) &&
           o->source > ROUTE_SOURCE_BGP && o->source < ROUTE_SOURCE_AGGREGATE &&
           (!o->attributes || bgp_attributes_valid(o->attributes));
}

static struct rib_origin *origin_at(const struct bgp_speaker *s, uint32_t origin) {
    return slab_at(&s->rib->origins, origin);
}

void rib_origin_free(struct bgp_speaker *s, uint32_t origin) {
    slab_free(&s->rib->origins, origin);
}

static bool remove_origin(struct bgp_speaker *s, struct ip_prefix prefix,
                          enum route_source source) {
    enum bgp_family f = rib_prefix_family(prefix);
    uint32_t entry = rib_entry_find(s, f, prefix);
    uint32_t path = entry ? rib_path_find(s, f, entry, 0, source, 0) : 0;
    if (path) {
        rib_path_remove(s, f, entry, path);
    }
    return path != 0;
}

/* IOS: the route-map of `network` and `redistribute`. A next hop it sets is not taken over: an own
 * route has its gateway or none. False: refused. */
static bool run_policy(struct bgp_speaker *s, const struct bgp_origin_config *o,
                       struct attr_values *values, uint32_t *weight, bool *ret_no_memory) {
    if (!o->policy) {
        return true;
    }
    const uint16_t policy = (uint16_t)(o->policy - 1);
    const struct policy_chain chain = {&policy, 1, true};
    struct policy_route r = {.prefix = o->prefix,
                             .attrs = *values,
                             .source = o->source,
                             .interface = o->interface,
                             .metric = o->metric,
                             .weight = *weight,
                             .tag = o->tag,
                             .arena = s->scratch};
    if (!policy_run(s->config, &chain, &r, NULL, ret_no_memory)) {
        return false;
    }
    *values = r.attrs;
    values->next_hop = o->gateway;
    values->link_local = (struct ip_addr){0};
    *weight = r.weight;
    return true;
}

/* The octets a text stands for, blanks between them passed over. False: it is none, or no memory.
 */
static bool read_hex(const char *text, struct arena *arena, struct byte_reader *ret) {
    size_t size = 0;
    uint8_t *data = arena_array(arena, strlen(text) / 2 + 1, 1);
    while (data && *text) {
        if (*text == ' ') {
            text++;
            continue;
        }
        int high = text_hex_digit(text[0]), low = high < 0 ? -1 : text_hex_digit(text[1]);
        if (low < 0) {
            return false;
        }
        data[size++] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    *ret = bytes_reader(data, size);
    return data != NULL;
}

/* What an UPDATE's decoder has nothing to say against. */
static bool read_attributes(const char *text, struct arena *arena, struct attr_values *values) {
    const struct bgp_codec codec = {.as4 = true};
    struct bgp_update u = {.attrs = *values};
    struct attr_decoder d = {.codec = &codec, .scratch = arena, .update = &u};
    struct byte_reader r;
    if (!read_hex(text, arena, &r)) {
        return false;
    }
    attr_decode(&d, &r);
    if (u.outcome != BGP_OUTCOME_OK || attr_decode_seen(&d, ATTR_NEXT_HOP) ||
        attr_decode_seen(&d, ATTR_MP_REACH) || attr_decode_seen(&d, ATTR_MP_UNREACH)) {
        return false;
    }
    *values = u.attrs;
    return true;
}

bool bgp_attributes_valid(const char *text) {
    struct arena *arena = arena_new();
    struct attr_values values = {0};
    bool valid = arena && read_attributes(text, arena, &values);
    arena_free(arena);
    return valid;
}

static bool put_origin(struct bgp_speaker *s, const struct bgp_origin_config *o,
                       struct nanotime now) {
    struct attr_values values = {
        .origin = o->origin, .has_med = o->med_set, .next_hop = o->gateway};
    values.med = o->med_set ? o->med : 0;
    if (o->attributes && !read_attributes(o->attributes, s->scratch, &values)) {
        return false;
    }
    struct rib_path_values v = {.weight = o->weight, .source = o->source};
    bool no_memory = false;
    if (!run_policy(s, o, &values, &v.weight, &no_memory)) {
        (void)remove_origin(s, o->prefix, o->source);
        return !no_memory;
    }
    v.attrs = attr_intern(&s->attrs, &values);
    if (!v.attrs) {
        return false;
    }
    v.origin = slab_alloc(&s->rib->origins);
    if (!v.origin) {
        attr_release(&s->attrs, v.attrs);
        return false;
    }
    struct rib_origin *record = origin_at(s, v.origin);
    memcpy(record->interface, o->interface, sizeof record->interface);
    record->interface[sizeof record->interface - 1] = 0;
    record->metric = o->metric;
    record->next_hop = o->next_hop;
    record->blackhole = o->blackhole_in_kernel;
    arena_reset(s->scratch);
    return rib_path_put(s, rib_prefix_family(o->prefix), o->prefix, &v, now);
}

enum bgp_status bgp_originate(struct bgp_speaker *s, const struct bgp_origin_config *o,
                              struct nanotime now) {
    if (!origin_is_valid(o)) {
        return BGP_INVALID;
    }
    return put_origin(s, o, now) ? BGP_OK : BGP_NO_MEMORY;
}

enum bgp_status bgp_withdraw(struct bgp_speaker *s, struct ip_prefix prefix,
                             enum route_source source, struct nanotime now) {
    (void)now;
    if (!ip_is_set(prefix.addr) || !ip_prefix_is_masked(prefix) || source <= ROUTE_SOURCE_BGP ||
        source >= ROUTE_SOURCE_AGGREGATE) {
        return BGP_INVALID;
    }
    return remove_origin(s, prefix, source) ? BGP_OK : BGP_UNKNOWN;
}

static int origin_order(const struct bgp_origin_config *a, const struct bgp_origin_config *b) {
    int order = ip_prefix_compare(a->prefix, b->prefix);
    return order ? order : (int)a->source - (int)b->source;
}

/* What a policy does to a route is not known by its index: with one, the route is made again. */
static bool origin_same(const struct bgp_origin_config *a, const struct bgp_origin_config *b) {
    return !a->policy && !b->policy &&
           strncmp(a->interface, b->interface, sizeof a->interface) == 0 &&
           a->metric == b->metric && a->origin == b->origin && a->weight == b->weight &&
           a->med_set == b->med_set && (!a->med_set || a->med == b->med) &&
           a->blackhole_in_kernel == b->blackhole_in_kernel && ip_equal(a->gateway, b->gateway) &&
           ip_equal(a->next_hop, b->next_hop) &&
           strcmp(a->attributes ? a->attributes : "", b->attributes ? b->attributes : "") == 0;
}

static void push_no_memory(struct bgp_speaker *s) {
    struct bgp_event e = {.kind = BGP_EVENT_LOG};
    e.log.id = BGP_LOG_NO_MEMORY;
    event_push(s, &e);
}

/* Is the origin in a list sorted as configurations are? */
static const struct bgp_origin_config *find_origin(const struct bgp_config *c,
                                                   const struct bgp_origin_config *o) {
    uint32_t low = 0, high = c ? c->origin_count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = origin_order(&c->origins[middle], o);
        /* Within one prefix the order of sources is not promised: look at the whole run. */
        if (order == 0) {
            return &c->origins[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (uint32_t i = low; c && i > 0 && ip_prefix_equal(c->origins[i - 1].prefix, o->prefix);
         i--) {
        if (c->origins[i - 1].source == o->source) {
            return &c->origins[i - 1];
        }
    }
    for (uint32_t i = low;
         c && i < c->origin_count && ip_prefix_equal(c->origins[i].prefix, o->prefix); i++) {
        if (c->origins[i].source == o->source) {
            return &c->origins[i];
        }
    }
    return NULL;
}

void rib_origins_changed(struct bgp_speaker *s, const struct bgp_config *old, struct nanotime now) {
    const struct bgp_config *c = s->config;
    bool no_memory = false;
    for (uint32_t i = 0; old && i < old->origin_count; i++) {
        if (!find_origin(c, &old->origins[i])) {
            (void)remove_origin(s, old->origins[i].prefix, old->origins[i].source);
        }
    }
    for (uint32_t i = 0; i < c->origin_count; i++) {
        const struct bgp_origin_config *was = find_origin(old, &c->origins[i]);
        if (was && origin_same(was, &c->origins[i])) {
            continue;
        }
        no_memory = !put_origin(s, &c->origins[i], now) || no_memory;
    }
    if (no_memory) {
        push_no_memory(s);
    }
    aggregates_changed(s, old);
}
