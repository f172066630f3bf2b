#ifndef RIBCAGE_CALICO_COMPILE_H
#define RIBCAGE_CALICO_COMPILE_H

#include "plan_internal.h"

/*
 * One node's configuration while it is made:
 *
 *   compile.c           the whole: peers, chains
 *   compile_origins.c   the node's own routes: blocks, pods, subnets
 *   compile_services.c  routes for services
 *   compile_filter.c    BGPFilters
 *   compile_export.c    Calico's import and export policies
 *   compile_kernel.c    which routes the kernel gets
 *   compile_policy.c    what policies are put together from
 *   compile_frozen.c    what a node runs whose file BIRD refuses
 */

/* A route of metric m has the local preference CALICO_PRIORITY_BASE - m. */
#define CALICO_PRIORITY_BASE 2147483647u

struct compile_chains {
    const struct calico_bgp_filter *const *filters;
    size_t filter_count;
    enum bgp_family family;
    struct policy_chain import, export;
};

struct compiled_filter {
    const struct calico_bgp_filter *filter;
    int direction, family;
    uint16_t policy;
};

struct compile {
    const struct plan_impl *impl;
    const struct calico_plan_node *node;
    struct arena *arena;
    struct bgp_config *config;
    struct policy *policies;
    size_t policy_count, policy_capacity;
    struct compile_chains *chains;
    size_t chain_count, chain_capacity;
    struct compiled_filter *filters;
    size_t filter_count, filter_capacity;
    /* index + 1 of the built-in policies */
    uint16_t sync, import[BGP_FAMILIES], export[BGP_FAMILIES];
    const char *password_text; /* of the session before, and its key: most share one */
    const struct bgp_password *password;
    size_t origin_room;
    bool out_of_memory;
};

/* Each returns the index of a policy, made on first use. */
uint16_t compile_filter(struct compile *c, const struct calico_bgp_filter *f, int direction,
                        int family);
uint16_t compile_metric_sync(struct compile *c);
uint16_t compile_calico_import(struct compile *c, int family);
uint16_t compile_calico_export(struct compile *c, int family);

/* Whose prefixAdvertisements the node uses, and the value a community's name stands for there. */
const struct calico_bgp_configuration *compile_advertising(const struct compile *c);
const char *compile_community_value(const struct compile *c,
                                    const struct calico_bgp_configuration *from, const char *use);

uint32_t compile_normal_priority(const struct compile *c, int family);

/*
 * BIRD's protocol preferences as weights: a node's own static and direct routes stand above all, a
 * BGP route with a better metric than the normal one above those of local workloads, which stand
 * above the other BGP routes.
 */
#define CALICO_WEIGHT_OWN 1000
#define CALICO_WEIGHT_PREFERRED 200

/* compile_origins.c: room for one more, sorted later. */
struct bgp_origin_config *compile_origin(struct compile *c, struct ip_prefix prefix,
                                         enum route_source source, const char *interface);
void compile_origins(struct compile *c);
/* compile_services.c */
void compile_services(struct compile *c);
/* compile_kernel.c */
void compile_kernel_filter(struct compile *c);

/* ---- compile_policy.c ---- */

/* Zeroed memory of the configuration's arena; NULL marks the compilation as failed. */
void *compile_take(struct compile *c, size_t count, size_t size);
/* Room for one more of `size` bytes in an arena's array. */
bool compile_grow(struct compile *c, void **items, size_t count, size_t *capacity, size_t size);
uint16_t compile_add_policy(struct compile *c, const struct policy *p);
struct policy_match compile_prefix_match(struct compile *c, struct ip_prefix prefix, uint8_t min,
                                         uint8_t max, bool negate);
/* The prefix itself and all inside. */
struct policy_match compile_inside_match(struct compile *c, struct ip_prefix prefix);

/* The terms of a policy while it is made. */
struct compile_terms {
    struct compile *c;
    int family;
    struct policy_term *items;
    size_t count, capacity;
};
/* Each returns the term, valid until the next one; NULL marks the compilation as failed. */
struct policy_term *compile_term(struct compile_terms *e, const char *name,
                                 enum policy_verdict verdict);
struct policy_term *compile_term_matches(struct compile_terms *e, const char *name,
                                         enum policy_verdict verdict,
                                         const struct policy_match *matches, uint32_t count);
/* "what prefix": for all inside the prefix. */
struct policy_term *compile_prefix_term(struct compile_terms *e, const char *what,
                                        struct ip_prefix prefix, enum policy_verdict verdict);
uint16_t compile_policy_of(struct compile_terms *e, const char *name,
                           enum policy_verdict otherwise);

#endif
