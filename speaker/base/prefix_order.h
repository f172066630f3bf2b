#ifndef RIBCAGE_BASE_PREFIX_ORDER_H
#define RIBCAGE_BASE_PREFIX_ORDER_H

#include "addr.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The prefixes of a table in order, in slices, while the table changes. The table is one whose
 * objects have indices from 1 on, as those of a slab. What is there all the time is given exactly
 * once, what comes or goes meanwhile at most once.
 */

struct prefix_order;

/* The prefix of an object; false: none that is wanted stands there. */
typedef bool prefix_order_at_fn(const void *context, uint32_t index, struct ip_prefix *ret_prefix);

/* What a table has. */
struct prefix_order_table {
    prefix_order_at_fn *at;
    const void *context;
    uint32_t end; /* indices are below */
};

enum prefix_order_status {
    PREFIX_ORDER_GIVEN,
    PREFIX_ORDER_MORE, /* the budget is used up, and more must be looked at first */
    PREFIX_ORDER_END,
};

/* At most `batch` prefixes, at least 1, are kept, and as often as that the table is looked through.
 * NULL: no memory. */
struct prefix_order *prefix_order_new(uint32_t batch);
void prefix_order_free(struct prefix_order *o); /* NULL is fine */
/* The next one. `*budget`: how many objects may still be looked at. */
enum prefix_order_status prefix_order_next(struct prefix_order *o,
                                           const struct prefix_order_table *t, uint32_t *budget,
                                           struct ip_prefix *ret_prefix);

#endif
