/*
 * Owns which IPAM blocks and pods a node has. Calico's IPAM hands out blocks as pods come; a plan
 * needs the outcome to be the same each time, so it is a rule: a node gets one block of every
 * enabled, automatic workload pool that selects it and whose family it has, and which one follows
 * from the node's place in the order of creation. That place never changes, so nodes that come and
 * go move nobody else's block.
 *
 * Where the resources hold BlockAffinities, those say which node has which block, and nothing else
 * does. With USE_POD_CIDR the podCIDRs of a node stand for its blocks; IPAM gives out none then.
 *
 * Only where a pool has fewer blocks than that order has places does the place among the selected
 * nodes decide; nodes beyond the last block get none, which is a finding. Claims, the blocks a node
 * has been given besides, are the caller's to say.
 */
#include "plan_internal.h"

#include "selector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct member {
    uint32_t ordinal, node;
};

static bool gives_blocks(const struct calico_ip_pool *p) {
    return p->workload && !p->disabled && !p->manual;
}

static bool selects(const struct calico_ip_pool *p, const struct calico_node *n) {
    return ip_is_set(plan_addr(n, plan_family(p->cidr.addr))) &&
           (!p->node_selector || selector_matches(p->node_selector, n->labels, n->label_count));
}

static int compare_members(const void *a, const void *b) {
    uint32_t x = ((const struct member *)a)->ordinal, y = ((const struct member *)b)->ordinal;
    return x < y ? -1 : x > y;
}

static size_t pool_members(struct plan_build *b, const struct calico_ip_pool *pool,
                           struct member *members) {
    size_t count = 0;
    for (uint32_t i = 0; i < b->p->plan.node_count; i++)
        if (selects(pool, b->p->plan.nodes[i].node))
            members[count++] = (struct member){set_node_ordinal(b->set, i), i};
    qsort(members, count, sizeof *members, compare_members);
    return count;
}

static uint32_t pods_of(const struct plan_build *b, const struct calico_plan_node *n) {
    return b->p->pods_of ? b->p->pods_of(b->p->pods_context, n->node->name) : b->p->pods_per_node;
}

/* Pods take the addresses behind the block's first. A pod has one interface for both families. */
static void add_pods(const struct plan_build *b, struct calico_plan_node *n,
                     const struct calico_block *block, uint32_t pools_before) {
    bool single = block->prefix.length == ip_bits(block->prefix.addr.family);
    uint8_t host_bits = (uint8_t)(ip_bits(block->prefix.addr.family) - block->prefix.length);
    uint64_t room = single ? 1 : host_bits > 20 ? UINT32_MAX : (UINT64_C(1) << host_bits) - 1;
    uint32_t pods = pods_of(b, n);
    for (uint32_t i = 0; i < pods && i < room; i++) {
        struct calico_pod *pod = &n->pods[n->pod_count++];
        pod->addr = ip_offset(block->prefix.addr, single ? 0 : i + 1);
        snprintf(pod->interface, sizeof pod->interface, "cali%08x", pools_before * pods + i + 1);
    }
}

static void give_block(const struct plan_build *b, const struct calico_ip_pool *pool,
                       uint64_t index, uint32_t node) {
    struct calico_plan_node *n = &b->p->plan.nodes[node];
    struct calico_block *block = &n->blocks[n->block_count];
    uint32_t same_family = 0;
    /* Calico's IPAM gives a node its first block when its first pod comes. */
    if (!pods_of(b, n) || !ip_prefix_nth(pool->cidr, pool->block_size, index, &block->prefix))
        return;
    for (size_t i = 0; i < n->block_count; i++)
        same_family += n->blocks[i].prefix.addr.family == pool->cidr.addr.family;
    block->pool = pool;
    n->block_count++;
    add_pods(b, n, block, same_family);
}

static void share_out(struct plan_build *b, const struct calico_ip_pool *pool,
                      struct member *members) {
    size_t count = pool_members(b, pool, members);
    struct ip_prefix last;
    bool by_ordinal =
        count > 0 && ip_prefix_nth(pool->cidr, pool->block_size, members[count - 1].ordinal, &last);
    size_t without = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t index = by_ordinal ? members[i].ordinal : i;
        if (ip_prefix_nth(pool->cidr, pool->block_size, index, &last))
            give_block(b, pool, index, members[i].node);
        else
            without++;
    }
    if (without > 0)
        diag_add(b->diags, DIAG_WARNING, pool->place, "pool-exhausted",
                 "IPPool \"%s\": has no block left for %zu of %zu nodes", pool->name, without,
                 count);
}

const struct calico_ip_pool *calico_block_pool(const struct calico_set *set) {
    for (size_t i = 0; i < calico_pool_count(set); i++)
        if (gives_blocks(calico_pool_at(set, i)))
            return calico_pool_at(set, i);
    return NULL;
}

/* ---- claims ---- */

static struct calico_plan_node *claimant(const struct plan_build *b, const struct calico_claim *c) {
    const struct calico_plan_node *n = calico_plan_find(&b->p->plan, c->node);
    return n ? &b->p->plan.nodes[n - b->p->plan.nodes] : NULL;
}

/* How many blocks each node claims; NULL: none does, or out of memory. */
static size_t *count_claims(struct plan_build *b) {
    size_t *counts = b->p->claim_count
                         ? plan_array(b, b->scratch, b->p->plan.node_count + 1, sizeof *counts)
                         : NULL;
    for (size_t i = 0; counts && i < b->p->claim_count; i++) {
        const struct calico_plan_node *n = claimant(b, &b->p->claims[i]);
        if (n)
            counts[n - b->p->plan.nodes]++;
    }
    return counts;
}

static void take_claims(struct plan_build *b) {
    for (size_t i = 0; i < b->p->claim_count; i++) {
        const struct calico_claim *c = &b->p->claims[i];
        struct calico_plan_node *n = claimant(b, c);
        for (size_t k = 0; n && k < calico_pool_count(b->set); k++) {
            const struct calico_ip_pool *pool = calico_pool_at(b->set, k);
            if (!gives_blocks(pool) || !ip_prefix_contains(pool->cidr, c->block))
                continue;
            n->blocks[n->block_count++] = (struct calico_block){c->block, pool};
            break;
        }
    }
}

/* ---- blocks that are known ---- */

/* The pool a block lies in; one of its own where there is none. */
static const struct calico_ip_pool *pool_around(struct plan_build *b, struct ip_prefix cidr) {
    for (size_t i = 0; i < calico_pool_count(b->set); i++)
        if (ip_prefix_contains(calico_pool_at(b->set, i)->cidr, cidr))
            return calico_pool_at(b->set, i);
    struct calico_ip_pool *own = plan_array(b, b->arena, 1, sizeof *own);
    if (own)
        *own = (struct calico_ip_pool){
            .name = "no pool", .cidr = cidr, .block_size = cidr.length, .workload = true};
    return own;
}

static void take_known(struct plan_build *b, struct calico_plan_node *n,
                       const struct ip_prefix *cidrs, size_t count) {
    uint32_t before[BGP_FAMILIES] = {0, 0};
    n->blocks = plan_array(b, b->arena, count + 1, sizeof *n->blocks);
    n->pods = plan_array(b, b->arena, count * pods_of(b, n) + 1, sizeof *n->pods);
    for (size_t i = 0; i < count && !b->out_of_memory; i++) {
        struct ip_prefix cidr = cidrs[i];
        const struct calico_ip_pool *pool = pool_around(b, cidr);
        int family = plan_family(cidr.addr);
        if (!pool || !ip_is_set(plan_addr(n->node, family)))
            continue;
        n->blocks[n->block_count] = (struct calico_block){cidr, pool};
        add_pods(b, n, &n->blocks[n->block_count++], before[family]++);
    }
}

static void take_pod_cidrs(struct plan_build *b) {
    for (size_t i = 0; i < b->p->plan.node_count; i++) {
        struct calico_plan_node *n = &b->p->plan.nodes[i];
        take_known(b, n, n->node->pod_cidrs, n->node->pod_cidr_count);
    }
}

static int compare_affinities(const void *a, const void *b) {
    const struct calico_block_affinity *x = *(const struct calico_block_affinity *const *)a,
                                       *y = *(const struct calico_block_affinity *const *)b;
    int c = strcmp(x->node, y->node);
    return c ? c : ip_prefix_compare(x->cidr, y->cidr);
}

/* Those that count, by node and prefix. */
static const struct calico_block_affinity **sorted_affinities(struct plan_build *b,
                                                              size_t *ret_count) {
    size_t all = calico_affinity_count(b->set), count = 0;
    const struct calico_block_affinity **sorted =
        plan_array(b, b->scratch, all + 1, sizeof(struct calico_block_affinity *));
    for (size_t i = 0; sorted && i < all; i++)
        if (calico_affinity_at(b->set, i)->confirmed)
            sorted[count++] = calico_affinity_at(b->set, i);
    if (sorted)
        qsort(sorted, count, sizeof(struct calico_block_affinity *), compare_affinities);
    *ret_count = count;
    return sorted;
}

/* Nodes and affinities are both in the order of names. */
static void take_affinities(struct plan_build *b) {
    size_t count, at = 0;
    const struct calico_block_affinity **sorted = sorted_affinities(b, &count);
    struct ip_prefix *cidrs = plan_array(b, b->scratch, count + 1, sizeof *cidrs);
    for (size_t i = 0; !b->out_of_memory && i < b->p->plan.node_count; i++) {
        struct calico_plan_node *n = &b->p->plan.nodes[i];
        size_t mine = 0;
        while (at < count && strcmp(sorted[at]->node, n->node->name) < 0)
            at++;
        while (at < count && strcmp(sorted[at]->node, n->node->name) == 0)
            cidrs[mine++] = sorted[at++]->cidr;
        take_known(b, n, cidrs, mine);
    }
}

/* ---- all ---- */

static void give_out(struct plan_build *b) {
    size_t pools = calico_pool_count(b->set), givers = 0;
    struct member *members = plan_array(b, b->scratch, b->p->plan.node_count + 1, sizeof *members);
    for (size_t i = 0; i < pools; i++)
        givers += gives_blocks(calico_pool_at(b->set, i));
    const size_t *claims = count_claims(b);
    for (size_t i = 0; !b->out_of_memory && i < b->p->plan.node_count; i++) {
        struct calico_plan_node *n = &b->p->plan.nodes[i];
        size_t room = givers + (claims ? claims[i] : 0);
        n->blocks = plan_array(b, b->arena, room + 1, sizeof *n->blocks);
        n->pods = plan_array(b, b->arena, givers * pods_of(b, n) + 1, sizeof *n->pods);
    }
    for (size_t i = 0; !b->out_of_memory && i < pools; i++)
        if (gives_blocks(calico_pool_at(b->set, i)))
            share_out(b, calico_pool_at(b->set, i), members);
    if (!b->out_of_memory)
        take_claims(b);
}

void plan_ipam(struct plan_build *b) {
    if (b->p->use_pod_cidr)
        take_pod_cidrs(b);
    else if (calico_affinity_count(b->set))
        take_affinities(b);
    else
        give_out(b);
}
