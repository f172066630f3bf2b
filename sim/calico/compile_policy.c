/*
 * Owns what the policies of a node are put together from: growing lists in the configuration's
 * arena, terms and the commonest matches. What the policies say stands in compile_filter.c
 * (BGPFilters), compile_export.c (Calico's import and export) and compile_kernel.c (the kernel).
 */
#include "compile.h"

#include "../../speaker/base/arena.h"

#include <string.h>

void *compile_take(struct compile *c, size_t count, size_t size) {
    void *memory = arena_array(c->arena, count, size);
    if (!memory)
        c->out_of_memory = true;
    return memory;
}

/* Room for one more of `size` bytes in an arena's array. */
bool compile_grow(struct compile *c, void **items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : 8;
    void *larger = compile_take(c, wanted, size);
    if (!larger)
        return false;
    if (count)
        memcpy(larger, *items, count * size);
    *items = larger;
    *capacity = wanted;
    return true;
}

uint16_t compile_add_policy(struct compile *c, const struct policy *p) {
    void *items = c->policies;
    bool fits = c->policy_count < BGP_POLICIES_MAX;
    if (!fits ||
        !compile_grow(c, &items, c->policy_count, &c->policy_capacity, sizeof *c->policies)) {
        c->out_of_memory = true;
        return 0;
    }
    c->policies = items;
    c->policies[c->policy_count] = *p;
    return (uint16_t)c->policy_count++;
}

uint32_t compile_normal_priority(const struct compile *c, int family) {
    return family == FAMILY4 ? c->impl->global->normal_priority4
                             : c->impl->global->normal_priority6;
}

/* ---- matches ---- */

struct policy_match compile_prefix_match(struct compile *c, struct ip_prefix prefix, uint8_t min,
                                         uint8_t max, bool negate) {
    struct policy_prefix *p = compile_take(c, 1, sizeof *p);
    if (p)
        *p = (struct policy_prefix){prefix, min, max, false};
    return (struct policy_match){
        .kind = POLICY_MATCH_PREFIX, .negate = negate, .prefixes = p, .prefix_count = p != NULL};
}

struct policy_match compile_inside_match(struct compile *c, struct ip_prefix prefix) {
    return compile_prefix_match(c, prefix, prefix.length,
                                ip_bits((enum ip_family)prefix.addr.family), false);
}

/* ---- terms ---- */

struct policy_term *compile_term(struct compile_terms *e, const char *name,
                                 enum policy_verdict verdict) {
    void *items = e->items;
    if (!name || !compile_grow(e->c, &items, e->count, &e->capacity, sizeof *e->items)) {
        e->c->out_of_memory = true;
        return NULL;
    }
    e->items = items;
    e->items[e->count] = (struct policy_term){.name = name, .verdict = verdict};
    return &e->items[e->count++];
}

struct policy_term *compile_term_matches(struct compile_terms *e, const char *name,
                                         enum policy_verdict verdict,
                                         const struct policy_match *matches, uint32_t count) {
    struct policy_term *t = compile_term(e, name, verdict);
    struct policy_match *m = t ? compile_take(e->c, count, sizeof *m) : NULL;
    if (!m)
        return NULL;
    memcpy(m, matches, count * sizeof *m);
    t->matches = m;
    t->match_count = count;
    return t;
}

struct policy_term *compile_prefix_term(struct compile_terms *e, const char *what,
                                        struct ip_prefix prefix, enum policy_verdict verdict) {
    char text[IP_PREFIX_TEXT_MAX];
    struct policy_match m = compile_inside_match(e->c, prefix);
    return compile_term_matches(
        e, arena_printf(e->c->arena, "%s %s", what, ip_prefix_format(prefix, text)), verdict, &m,
        1);
}

uint16_t compile_policy_of(struct compile_terms *e, const char *name,
                           enum policy_verdict otherwise) {
    struct policy p = {
        .name = name, .terms = e->items, .term_count = (uint32_t)e->count, .otherwise = otherwise};
    return compile_add_policy(e->c, &p);
}
