/*
 * An address for everything that is attached to a segment.
 *
 * Owns: handing out addresses in order, and the checks on those that were given. The first address
 * of a subnet (.1, ::1) is kept for the gateway: a router that names no address gets it, nodes
 * start at the second. Given addresses are taken first, so that counting never runs into them.
 * Leaves to others: reading (topo_read_*.c), addresses out of manifests (topo_set.c).
 *
 * Invariants: after topo_assign_addresses without findings every attachment has an address in each
 * family of its segment, inside the subnet, neither network nor broadcast, and no address twice.
 */

#include "topo_internal.h"

#include "../../speaker/base/arena.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    struct ip_addr *addr;
    const struct topo_segment *segment;
    enum ip_family family;
    const char *name;
    struct diag_place place;
    bool router;
};

struct slots {
    struct slot *items;
    size_t count;
};

static struct ip_prefix subnet_of(const struct topo_segment *s, enum ip_family family) {
    return family == IP_V4 ? s->subnet4 : s->subnet6;
}

static void add_attachment(struct slots *s, const struct topology *t, struct topo_attachment *a,
                           const char *name, struct diag_place place, bool router) {
    const struct topo_segment *segment = &t->segments[a->segment];
    if (ip_is_set(segment->subnet4.addr) || ip_is_set(a->addr4))
        s->items[s->count++] = (struct slot){&a->addr4, segment, IP_V4, name, place, router};
    if (ip_is_set(segment->subnet6.addr) || ip_is_set(a->addr6))
        s->items[s->count++] = (struct slot){&a->addr6, segment, IP_V6, name, place, router};
}

/* Routers first: the gateway's address is theirs. */
static bool collect(struct topo_reader *r, struct slots *ret_slots) {
    struct topology *t = r->topology;
    size_t most = t->node_count;
    for (size_t i = 0; i < t->router_count; i++)
        most += t->routers[i].attachment_count;
    ret_slots->count = 0;
    ret_slots->items = arena_array(r->arena, most * 2 + 1, sizeof(struct slot));
    if (!ret_slots->items) {
        r->failed = true;
        return false;
    }
    for (size_t i = 0; i < t->router_count; i++) {
        struct topo_router *router = &t->routers[i];
        for (size_t j = 0; j < router->attachment_count; j++)
            add_attachment(ret_slots, t, &router->attachments[j], router->name, router->place,
                           true);
    }
    for (size_t i = 0; i < t->node_count; i++)
        add_attachment(ret_slots, t, &t->nodes[i].attachment, t->nodes[i].name, t->nodes[i].place,
                       false);
    return true;
}

static int compare_addrs(const void *a, const void *b) {
    return ip_compare(*(const struct ip_addr *)a, *(const struct ip_addr *)b);
}

static bool is_usable(struct ip_prefix subnet, struct ip_addr a) {
    if (!ip_is_set(a) || !ip_prefix_contains_addr(subnet, a))
        return false;
    if (a.family == IP_V6 || subnet.length >= 31)
        return true;
    uint32_t host = ip4_to_u32(a) - ip4_to_u32(subnet.addr);
    return host != 0 && host != (uint32_t)((1ull << (32 - subnet.length)) - 1);
}

struct pool { /* the addresses that were given, sorted, and where counting stands per segment */
    const struct ip_addr *given;
    size_t given_count;
    uint64_t (*next)[2]; /* [segment][family]: offsets not handed out yet */
};

static bool is_given(const struct pool *p, struct ip_addr a) {
    return p->given_count &&
           bsearch(&a, p->given, p->given_count, sizeof(a), compare_addrs) != NULL;
}

static bool is_gateway_free(const struct pool *p, const uint64_t *next, struct ip_prefix subnet) {
    return next[0] < 2 && subnet.length < (subnet.addr.family == IP_V4 ? 31 : 127) &&
           !is_given(p, ip_offset(subnet.addr, 1));
}

static struct ip_addr next_address(struct pool *p, size_t segment, const struct slot *s) {
    struct ip_prefix subnet = subnet_of(s->segment, s->family);
    uint64_t *next = &p->next[segment][s->family == IP_V6];
    uint64_t start = subnet.length >= (s->family == IP_V4 ? 31 : 127) ? 0 : 2;
    if (s->router && is_gateway_free(p, next, subnet)) {
        *next = 2;
        return ip_offset(subnet.addr, 1);
    }
    if (*next < start)
        *next = start;
    for (;;) { /* ends with the subnet, after at most given_count refusals */
        struct ip_addr a = ip_offset(subnet.addr, (*next)++);
        if (!is_usable(subnet, a))
            return (struct ip_addr){0};
        if (!is_given(p, a))
            return a;
    }
}

static bool pool_init(struct topo_reader *r, const struct slots *slots, struct pool *ret_pool) {
    struct ip_addr *given = arena_array(r->arena, slots->count + 1, sizeof(*given));
    ret_pool->next = arena_array(r->arena, r->topology->segment_count, sizeof(ret_pool->next[0]));
    if (!given || !ret_pool->next) {
        r->failed = true;
        return false;
    }
    size_t count = 0;
    for (size_t i = 0; i < slots->count; i++)
        if (ip_is_set(*slots->items[i].addr))
            given[count++] = *slots->items[i].addr;
    qsort(given, count, sizeof(*given), compare_addrs);
    ret_pool->given = given;
    ret_pool->given_count = count;
    return true;
}

static void check_slot(struct topo_reader *r, const struct slot *s) {
    char shown[IP_ADDR_TEXT_MAX], subnet_text[IP_PREFIX_TEXT_MAX];
    struct ip_prefix subnet = subnet_of(s->segment, s->family);
    if (!ip_is_set(subnet.addr))
        diag_add(r->diags, DIAG_ERROR, s->place, "address-outside-segment",
                 "%s: address %s, but segment \"%s\" has no subnet of that family", s->name,
                 ip_format(*s->addr, shown), s->segment->name);
    else if (ip_is_set(*s->addr) && !is_usable(subnet, *s->addr))
        diag_add(r->diags, DIAG_ERROR, s->place, "address-outside-segment",
                 "%s: %s is not a host address of segment \"%s\" (%s)", s->name,
                 ip_format(*s->addr, shown), s->segment->name,
                 ip_prefix_format(subnet, subnet_text));
}

static int compare_slots(const void *a, const void *b) {
    const struct slot *x = a, *y = b;
    int order = ip_compare(*x->addr, *y->addr);
    return order ? order : (x->place.line > y->place.line) - (x->place.line < y->place.line);
}

static void check_slots(struct topo_reader *r, struct slots *slots) {
    char shown[IP_ADDR_TEXT_MAX];
    for (size_t i = 0; i < slots->count; i++)
        check_slot(r, &slots->items[i]);
    if (slots->count)
        qsort(slots->items, slots->count, sizeof(struct slot), compare_slots);
    for (size_t i = 1; i < slots->count; i++) {
        const struct slot *a = &slots->items[i - 1], *b = &slots->items[i];
        if (ip_is_set(*b->addr) && ip_equal(*a->addr, *b->addr))
            diag_add(r->diags, DIAG_ERROR, b->place, "duplicate-address",
                     "%s: address %s is taken by %s (line %u)", b->name, ip_format(*b->addr, shown),
                     a->name, a->place.line);
    }
}

static void hand_out(struct topo_reader *r, struct slots *slots, struct pool *pool) {
    const struct topo_segment *full[2] = {NULL, NULL};
    for (size_t i = 0; i < slots->count; i++) {
        struct slot *s = &slots->items[i];
        if (ip_is_set(*s->addr))
            continue;
        *s->addr = next_address(pool, (size_t)(s->segment - r->topology->segments), s);
        if (ip_is_set(*s->addr) || full[s->family == IP_V6] == s->segment)
            continue;
        full[s->family == IP_V6] = s->segment;
        diag_add(r->diags, DIAG_ERROR, s->segment->place, "limit",
                 "segment \"%s\" has no address left for %s; make its %s subnet larger",
                 s->segment->name, s->name, s->family == IP_V4 ? "IPv4" : "IPv6");
    }
}

void topo_assign_addresses(struct topo_reader *r) {
    struct slots slots;
    struct pool pool;
    if (!collect(r, &slots) || !pool_init(r, &slots, &pool))
        return;
    hand_out(r, &slots, &pool);
    check_slots(r, &slots);
}

void topo_check_addresses(struct topo_reader *r) {
    struct slots slots;
    if (collect(r, &slots))
        check_slots(r, &slots);
}
