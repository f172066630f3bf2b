/*
 * Owns the way from paths to a plan and, where asked for, to what the oracle says of it; shared by
 * the verbs that only think and build nothing.
 */
#include "plan_verbs.h"

#include "manifests.h"

#include <string.h>

struct calico_plan_options plan_options(const struct cli_options *o) {
    return (struct calico_plan_options){
        .pods_per_node = 1, .node_ip_interface = "eth0", .version = o->calico_version};
}

static void add_address(struct oracle_node *x, struct ip_addr a, uint8_t length) {
    if (!ip_is_set(a))
        return;
    x->addrs[x->addr_count++] = a;
    x->subnets[x->subnet_count++] = ip_prefix_make(a, length);
}

bool plan_oracle_node(const struct calico_plan *plan, const struct calico_plan_node *n,
                      struct arena *arena, struct oracle_node *ret_node) {
    struct oracle_node x = {.name = n->node->name, .up = true};
    x.config = calico_compile(plan, n, BGP_PROFILE_CALICO, arena);
    add_address(&x, n->node->addr4, n->node->length4);
    add_address(&x, n->node->addr6, n->node->length6);
    *ret_node = x;
    return x.config != NULL;
}

bool planned_read(struct planned *p, const char *const *paths, size_t count,
                  const struct cli_options *o) {
    struct calico_plan_options options = plan_options(o);
    *p = (struct planned){.arena = arena_new(), .diags = diag_list_new(), .set = calico_set_new()};
    if (!p->arena || !p->diags || !p->set)
        return false;
    struct manifests in = {.arena = p->arena, .diags = p->diags};
    for (size_t i = 0; i < count; i++)
        manifests_read(&in, paths[i]);
    if (diag_error_count(p->diags) == 0 &&
        calico_apply(p->set, in.documents, in.count, true, p->diags))
        p->plan = calico_plan_new(p->set, &options, p->diags);
    return p->plan != NULL;
}

bool planned_oracle(struct planned *p) {
    p->nodes = arena_array(p->arena, p->plan->node_count + 1, sizeof *p->nodes);
    for (size_t i = 0; p->nodes && i < p->plan->node_count; i++)
        if (!plan_oracle_node(p->plan, &p->plan->nodes[i], p->arena, &p->nodes[i]))
            return false;
    struct oracle_input in = {.nodes = p->nodes, .node_count = p->plan->node_count};
    p->oracle = p->nodes ? oracle_new(&in) : NULL;
    return p->oracle != NULL;
}

void planned_release(struct planned *p) {
    oracle_free(p->oracle);
    calico_plan_free(p->plan);
    calico_set_free(p->set);
    diag_list_free(p->diags);
    arena_free(p->arena);
}
