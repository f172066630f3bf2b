/*
 * The kernel's filter: which best paths become kernel routes, and through which device.
 *
 * Owns the reading of bgp_fib_config.filter over one route; who writes the kernel's table asks
 * here for each route, so the answer follows a new configuration at once. The chain itself is
 * run by policy.c.
 *
 * Calico: the policy is calico_kernel_programming; the device is BIRD's krt_tunnel.
 */
#include "bgp.h"

#include "../base/arena.h"
#include "speaker.h"

struct bgp_fib_decision bgp_fib_decide(const struct bgp_config *c, const struct bgp_fib_route *r) {
    const struct policy_chain *chain = &c->fib.filter[r->prefix.addr.family == IP_V6];
    struct bgp_fib_decision decision = {.install = true};
    bool no_memory = false;
    if (chain->count == 0)
        return decision;
    struct policy_route route = {
        .prefix = r->prefix,
        .attrs = {.next_hop = r->next_hop,
                  .local_pref = r->local_pref,
                  .has_local_pref = r->source == ROUTE_SOURCE_BGP},
        .source = r->source,
        .interface = "",
        .metric = UINT32_MAX,
        .external = r->external,
        .arena = arena_new(),
    };
    decision.install = route.arena && policy_run(c, chain, &route, NULL, &no_memory);
    decision.device = decision.install ? route.device : NULL;
    arena_free(route.arena);
    return decision;
}
