/*
 * The prefixes of a table in order, in slices: base/prefix_order.c over the RIB's entries.
 *
 * Leaves what stands at a prefix to rib_dump.c and adjout.c.
 */
#include "rib.h"

#include "../base/prefix_order.h"

#include <assert.h>

struct bgp_rib_order {
    enum bgp_family family;
    struct prefix_order *order;
};

struct bgp_rib_order *bgp_rib_order_new(const struct bgp_speaker *s, enum bgp_family family,
                                        uint32_t batch) {
    uint32_t used = s->rib->entries[family].used + 1;
    struct bgp_rib_order *o = alloc_zero(1, sizeof *o);
    assert(batch > 0);
    if (!o) {
        return NULL;
    }
    o->family = family;
    o->order = prefix_order_new(used < batch ? used : batch);
    if (!o->order) {
        alloc_free(o);
        return NULL;
    }
    return o;
}

void bgp_rib_order_free(struct bgp_rib_order *o) {
    if (o) {
        prefix_order_free(o->order);
        alloc_free(o);
    }
}

struct entries {
    const struct bgp_speaker *s;
    enum bgp_family family;
};

static bool entry_prefix(const void *context, uint32_t index, struct ip_prefix *ret_prefix) {
    const struct entries *in = context;
    const struct rib_entry *e = rib_entry_at(in->s, in->family, index);
    bool shown = e->flags & RIB_ENTRY_USED && (e->paths || e->out_references);
    if (shown) {
        *ret_prefix = rib_entry_prefix(in->s, in->family, index);
    }
    return shown;
}

enum bgp_status bgp_rib_order_next(const struct bgp_speaker *s, struct bgp_rib_order *o,
                                   uint32_t *budget, struct ip_prefix *ret_prefix) {
    const struct slab *slab = &s->rib->entries[o->family];
    const struct entries entries = {s, o->family};
    const struct prefix_order_table table = {entry_prefix, &entries,
                                             slab->page_count ? slab->next_new : 0};
    switch (prefix_order_next(o->order, &table, budget, ret_prefix)) {
    case PREFIX_ORDER_GIVEN:
        return BGP_OK;
    case PREFIX_ORDER_MORE:
        return BGP_REFUSED;
    case PREFIX_ORDER_END:
        break;
    }
    return BGP_UNKNOWN;
}
