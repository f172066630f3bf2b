/*
 * The octets that a pool's mode adds to each packet.
 *
 * Pods of the pool ping each other, and each request is looked at in the fabric, between the
 * nodes: the packet as the pod made it, and what of the frame stands behind the Ethernet header.
 * Their difference is the figure; an answer proves that the other end took the packet out again.
 */

#include "engine.h"

#include "../lab/wire.h"

#include <stdlib.h>
#include <string.h>

#define PROBES_MAX 20000
#define PING_DEADLINE_MS 1000
#define PAIRS_NAMED_MAX 5

static const struct calico_ip_pool *find_pool(const struct engine *e, const char *name) {
    const struct calico_set *set = e->state->set;
    for (size_t i = 0; i < calico_pool_count(set); i++) {
        if (strcmp(calico_pool_at(set, i)->name, name) == 0)
            return calico_pool_at(set, i);
    }
    return NULL;
}

/* The first pod of a node in the pool; not set: none. */
static struct ip_addr pod_in(const struct engine *e, uint32_t node,
                             const struct calico_ip_pool *pool) {
    const struct calico_plan_node *n = calico_plan_find(e->state->plan, e->nodes[node].name);
    for (size_t i = 0; n && i < n->pod_count; i++) {
        if (ip_prefix_contains_addr(pool->cidr, n->pods[i].addr))
            return n->pods[i].addr;
    }
    return (struct ip_addr){0};
}

static bool asked(const struct engine *e, const char *name, uint32_t node) {
    return !name || engine_node_find(e, name) == node;
}

static size_t make_probes(const struct expectation *x, const struct calico_ip_pool *pool,
                          struct lab_probe *list) {
    const struct engine *e = x->e;
    size_t count = 0;
    for (uint32_t a = 0; a < e->node_count; a++) {
        for (uint32_t b = 0; asked(e, x->x->from, a) && b < e->node_count; b++) {
            struct lab_probe p = {.from = a,
                                  .to = b,
                                  .source = pod_in(e, a, pool),
                                  .destination = pod_in(e, b, pool)};
            if (a != b && asked(e, x->x->to, b) && ip_is_set(p.source) &&
                ip_is_set(p.destination) && count < PROBES_MAX)
                list[count++] = p;
        }
    }
    return count;
}

static uint32_t added(const struct lab_wire *w) {
    return w->echo.wire_bytes - w->echo.packet_bytes;
}

static void name_pair(struct expectation *x, const struct lab_probe *p, const struct lab_wire *w) {
    const char *from = engine_node_name(x->e, p->from), *to = engine_node_name(x->e, p->to);
    if (!p->arrived)
        reason_add(x, "%s -> %s: %s", from, to, p->error && *p->error ? p->error : "no answer");
    else if (!w->seen)
        reason_add(x, "%s -> %s: answered, but not seen on the wire", from, to);
    else
        reason_add(x, "%s -> %s: %u octets added (%s), %u expected", from, to, added(w),
                   wire_encapsulation_name(w->echo.encapsulation), x->x->bytes);
}

static const char *served_by(const struct engine *e, const struct lab_wire *w) {
    if (w->echo.encapsulation != WIRE_IPIP)
        return "";
    return lab_ipip_used(e->lab) == LAB_IPIP_TUN ? " (by a TUN device: this kernel has no ipip)"
                                                 : " (by the kernel)";
}

bool overhead_fits(struct expectation *x, const struct lab_probe *probes,
                   const struct lab_wire *wires, size_t count, uint64_t lost) {
    size_t bad = 0;
    if (lost)
        reason_add(x, "the capture lost %lu frames: not every packet can have been seen",
                   (unsigned long)lost);
    for (size_t i = 0; i < count; i++) {
        if (probes[i].arrived && wires[i].seen && added(&wires[i]) == x->x->bytes)
            continue;
        if (bad++ < PAIRS_NAMED_MAX)
            name_pair(x, &probes[i], &wires[i]);
    }
    if (bad > PAIRS_NAMED_MAX)
        reason_add(x, "%zu of %zu in all", bad, count);
    if (bad == 0)
        reason_add(x, "%zu packet%s of %u octets, %u on the wire: %u added, %s%s", count,
                   count == 1 ? "" : "s", wires[0].echo.packet_bytes, wires[0].echo.wire_bytes,
                   added(&wires[0]), wire_encapsulation_name(wires[0].echo.encapsulation),
                   served_by(x->e, &wires[0]));
    return bad == 0;
}

static bool measure(struct expectation *x, const struct calico_ip_pool *pool,
                    struct lab_probe *probes, struct lab_wire *wires) {
    size_t count = make_probes(x, pool, probes);
    struct diag_list *diags = diag_list_new();
    uint64_t lost = 0;
    bool ok = diags && count > 0 &&
              lab_ping_on_wire(x->e->lab, probes, count, PING_DEADLINE_MS, wires, &lost, diags);
    if (count == 0)
        reason_add(x, "nothing to measure: no two pods in IPPool \"%s\"", x->x->pool);
    else if (!ok)
        reason_add(x, "%s", diags && diag_count(diags) ? diag_at(diags, 0)->message : "no memory");
    diag_list_free(diags);
    x->hopeless = !ok;
    return ok && overhead_fits(x, probes, wires, count, lost);
}

bool expect_overhead(struct expectation *x, bool final) {
    const struct calico_ip_pool *pool = find_pool(x->e, x->x->pool);
    struct lab_probe *probes = calloc(PROBES_MAX, sizeof *probes);
    struct lab_wire *wires = calloc(PROBES_MAX, sizeof *wires);
    bool ok = pool && probes && wires && measure(x, pool, probes, wires);
    (void) final;
    if (!pool) {
        reason_add(x, "there is no IPPool \"%s\"", x->x->pool);
        x->hopeless = true;
    }
    free(probes);
    free(wires);
    return ok;
}
