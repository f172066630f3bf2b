#ifndef RIBCAGE_CALICO_PLAN_BIRD_INTERNAL_H
#define RIBCAGE_CALICO_PLAN_BIRD_INTERNAL_H

#include "../../speaker/base/text.h"
#include "compile.h"

/* One file while it is written: plan_bird.c (frame, routes, sessions), plan_bird_filter.c
 * (BGPFilters), plan_bird_policy.c (Calico's own policies). */
struct bird {
    const struct plan_impl *impl;
    const struct calico_plan_node *node;
    const struct bgp_config *config; /* for the routes of the node's own */
    int family;
    struct arena *arena;
    struct text *out;
};

/* Metric and local preference are kept in step: the sum of the two. */
#define BIRD_PRIORITY_BASE 2147483647u

/* All BGPFilters with rules for the family, each a function per direction. */
void bird_filters(const struct bird *b);
/* One filter's functions in the family of `b`, used or not. */
void bird_filter_functions(const struct bird *b, const struct calico_bgp_filter *f);
/* "'bgp_NAME_importFilterV4'" with a long name shortened; `direction` 0 import, 1 export. */
void bird_filter_name(const struct bird *b, const struct calico_bgp_filter *f, int direction);
/* "64512:100" as BIRD's pair, "64512:1:2" as its triple. */
void bird_community(struct text *out, const char *text);
/* The attribute a community of this form stands in. */
const char *bird_community_list(const char *text);

/* Names of the two below: calico_sync_priority, calico_export_to_bgp_peers,
 * calico_kernel_programming. */
void bird_export_policy(const struct bird *b);
void bird_kernel_policy(const struct bird *b);

uint32_t bird_normal_priority(const struct bird *b);
const char *bird_prefix(struct ip_prefix p, char text[IP_PREFIX_TEXT_MAX]);

#endif
