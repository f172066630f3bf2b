/*
 * What the router itself knows of the network: interfaces and static routes.
 *
 * Owns: the union of the surroundings' interfaces and those of the configuration, masks, classes,
 * and the routes that follow, which `network` and `redistribute` draw from. Leaves: BGP routes, and
 * whatever else the kernel may know.
 *
 * An interface of the configuration that is shut down gives no route; one of the surroundings that
 * is down neither.
 */
#include "ios_router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ios_mask_length(const char *mask, uint8_t *ret_length) {
    struct ip_addr a;
    if (!ip_parse(mask, &a) || a.family != IP_V4)
        return false;
    uint32_t bits = ip4_to_u32(a), inverse = ~bits;
    if (inverse & (inverse + 1))
        return false;
    *ret_length = (uint8_t)__builtin_popcount(bits);
    return true;
}

uint8_t ios_classful_length(struct ip_addr a) {
    if (ip_is_unspecified(a))
        return 0;
    if (a.bytes[0] < 128)
        return 8;
    if (a.bytes[0] < 192)
        return 16;
    return a.bytes[0] < 224 ? 24 : 32;
}

void ios_mask_format(uint8_t length, char text[IP_ADDR_TEXT_MAX]) {
    ip_format(ip4(length ? ~UINT32_C(0) << (32 - length) : 0), text);
}

/* ---- interfaces ---- */

static bool stmt_address(const struct ios_stmt *s, struct ip_addr *ret_addr, uint8_t *ret_length) {
    struct ip_prefix p;
    if (s->negated || !ios_stmt_is(s, 1, "address"))
        return false;
    if (ios_stmt_is(s, 0, "ip"))
        return s->count >= 4 && ip_parse(s->words[2], ret_addr) &&
               ios_mask_length(s->words[3], ret_length);
    if (!ios_stmt_is(s, 0, "ipv6") || ios_stmt_has(s, 3, "link-local") ||
        !ip_prefix_parse(ios_stmt_word(s, 2), &p))
        return false;
    *ret_addr = p.addr;
    *ret_length = p.length;
    return true;
}

static bool is_shutdown(const struct ios_block *b) {
    const struct ios_stmt *s = ios_block_first(b, "shutdown", NULL, NULL);
    return s && !s->negated;
}

size_t ios_interfaces(const struct ios_router *r, struct ios_interface *interfaces, size_t max) {
    size_t count = 0;
    for (uint32_t i = 0; i < r->root->count; i++) {
        const struct ios_stmt *s = r->root->items[i];
        if (!s->children || s->row->next != IOS_INTERFACE)
            continue;
        struct ios_interface one = {.up = !is_shutdown(s->children)};
        snprintf(one.name, sizeof one.name, "%s", ios_stmt_word(s, 1));
        for (uint32_t j = 0; j < s->children->count; j++) {
            if (!stmt_address(s->children->items[j], &one.addr, &one.length))
                continue;
            if (count < max)
                interfaces[count] = one;
            count++;
        }
    }
    return count;
}

bool ios_interface_addr(const struct ios_router *r, const char *name, enum ip_family family,
                        struct ip_addr *ret_addr) {
    for (uint32_t i = 0; i < r->root->count; i++) {
        const struct ios_stmt *s = r->root->items[i];
        uint8_t length;
        struct ip_addr a;
        if (!s->children || s->row->next != IOS_INTERFACE || !ios_stmt_is(s, 1, name))
            continue;
        for (uint32_t j = 0; j < s->children->count; j++)
            if (stmt_address(s->children->items[j], &a, &length) && a.family == family &&
                !ios_stmt_has(s->children->items[j], 3, "secondary")) {
                *ret_addr = a;
                return true;
            }
    }
    for (size_t i = 0; i < r->interface_count; i++)
        if (strcmp(r->interfaces[i].name, name) == 0 && r->interfaces[i].addr.family == family) {
            *ret_addr = r->interfaces[i].addr;
            return true;
        }
    return false;
}

/* ---- routes ---- */

struct build {
    struct ios_own_route *routes;
    size_t count, capacity;
};

static void build_add(struct build *b, const struct ios_own_route *route) {
    if (b->count < b->capacity)
        b->routes[b->count++] = *route;
}

static void build_interface(struct build *b, const struct ios_interface *i) {
    if (!i->up || !ip_is_set(i->addr))
        return;
    struct ios_own_route route = {.connected = true, .prefix = ip_prefix_make(i->addr, i->length)};
    memcpy(route.interface, i->name, sizeof route.interface);
    build_add(b, &route);
    if (i->length == ip_bits((enum ip_family)i->addr.family))
        return;
    route.prefix = ip_prefix_make(i->addr, ip_bits((enum ip_family)i->addr.family));
    route.local = true;
    build_add(b, &route);
}

/* ip route A M [IF] [NEXT HOP] [AD] …, ipv6 route P [IF] [NEXT HOP] [AD] … */
static void build_static(struct build *b, const struct ios_stmt *s) {
    struct ios_own_route route = {.distance = 1};
    bool v4 = ios_stmt_is(s, 0, "ip");
    uint16_t at = v4 ? 4 : 3;
    uint8_t length;
    struct ip_addr a;
    if (v4 && ip_parse(ios_stmt_word(s, 2), &a) && ios_mask_length(ios_stmt_word(s, 3), &length))
        route.prefix = ip_prefix_make(a, length);
    else if (v4 || !ip_prefix_parse(ios_stmt_word(s, 2), &route.prefix))
        return;
    if (!ip_parse(ios_stmt_word(s, at), &route.gateway))
        snprintf(route.interface, sizeof route.interface, "%s", ios_stmt_word(s, at++));
    if (ip_parse(ios_stmt_word(s, at), &route.gateway))
        at++;
    uint64_t n;
    for (; at < s->count; at++) {
        const char *word = s->words[at];
        bool named =
            strcmp(word, "tag") == 0 || strcmp(word, "name") == 0 || strcmp(word, "track") == 0;
        if (strcmp(word, "tag") == 0 && text_to_u64(ios_stmt_word(s, at + 1), 0, UINT32_MAX, &n))
            route.tag = (uint32_t)n;
        else if (!named && text_to_u64(word, 1, 255, &n))
            route.distance = (uint8_t)n;
        at += named;
    }
    build_add(b, &route);
}

static bool is_static(const struct ios_stmt *s) {
    return ios_stmt_is(s, 1, "route") && !s->negated && !(s->row->flags & ROW_IGNORED) &&
           (ios_stmt_is(s, 0, "ip") || ios_stmt_is(s, 0, "ipv6"));
}

/* Connected before static, then by distance, then as entered. */
static int route_compare(const void *a, const void *b) {
    const struct ios_own_route *x = a, *y = b;
    int by_prefix = ip_prefix_compare(x->prefix, y->prefix);
    if (by_prefix)
        return by_prefix;
    if (x->connected != y->connected)
        return x->connected ? -1 : 1;
    if (x->local != y->local)
        return x->local ? 1 : -1;
    return (int)x->distance - (int)y->distance;
}

bool ios_rib_build(const struct ios_router *r, struct arena *arena, struct ios_rib *ret_rib) {
    size_t own = ios_interfaces(r, NULL, 0);
    struct build b = {.capacity = 2 * (own + r->interface_count) + r->root->count};
    struct ios_interface *list = arena_array(arena, own + 1, sizeof *list);
    b.routes = arena_array(arena, b.capacity + 1, sizeof *b.routes);
    if (!list || !b.routes)
        return false;
    ios_interfaces(r, list, own);
    for (size_t i = 0; i < own; i++)
        build_interface(&b, &list[i]);
    for (size_t i = 0; i < r->interface_count; i++)
        build_interface(&b, &r->interfaces[i]);
    for (uint32_t i = 0; i < r->root->count; i++)
        if (is_static(r->root->items[i]))
            build_static(&b, r->root->items[i]);
    qsort(b.routes, b.count, sizeof *b.routes, route_compare);
    /* An interface both in the configuration and in the surroundings gives its routes once. */
    size_t kept = 0;
    for (size_t i = 0; i < b.count; i++)
        if (kept == 0 || route_compare(&b.routes[kept - 1], &b.routes[i]) != 0 ||
            !ip_equal(b.routes[kept - 1].gateway, b.routes[i].gateway))
            b.routes[kept++] = b.routes[i];
    *ret_rib = (struct ios_rib){.routes = b.routes, .count = kept};
    return true;
}

const struct ios_own_route *ios_rib_find(const struct ios_rib *rib, struct ip_prefix p) {
    size_t low = 0, high = rib->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ip_prefix_compare(rib->routes[middle].prefix, p) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rib->count && ip_prefix_equal(rib->routes[low].prefix, p) ? &rib->routes[low]
                                                                           : NULL;
}
