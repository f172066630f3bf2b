#ifndef RIBCAGE_CALICO_COMPILE_H
#define RIBCAGE_CALICO_COMPILE_H

#include "plan_internal.h"

/* One node's configuration while it is made; compile.c and compile_policy.c. */

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
    uint16_t sync[BGP_FAMILIES], export[BGP_FAMILIES]; /* index + 1 of the built-in policies */
    bool out_of_memory;
};

/* Each returns the index of a policy, made on first use. */
uint16_t compile_filter(struct compile *c, const struct calico_bgp_filter *f, int direction,
                        int family);
uint16_t compile_metric_sync(struct compile *c, int family);
uint16_t compile_calico_export(struct compile *c, int family);

/* Whose prefixAdvertisements the node uses, and the value a community's name stands for there. */
const struct calico_bgp_configuration *compile_advertising(const struct compile *c);
const char *compile_community_value(const struct compile *c,
                                    const struct calico_bgp_configuration *from, const char *use);

uint32_t compile_normal_priority(const struct compile *c, int family);

#endif
