/*
 * Felix's routes, read back from the kernel.
 *
 * Owns: the comparison of what the plan wants of Felix at a node with what stands in its main table
 * under Felix's protocol number. BIRD's routes are expect_tables.c's.
 */

#include "engine.h"

#include "../../speaker/base/arena.h"

#include <stdlib.h>
#include <string.h>

#define ROUTES_NAMED_MAX 4

struct comparison {
    struct expectation *x;
    uint32_t node;
    size_t named;
    bool final;
};

static void name_route(struct comparison *c, const char *what, struct ip_prefix prefix) {
    char text[IP_PREFIX_TEXT_MAX];
    if (c->final && c->named++ < ROUTES_NAMED_MAX)
        reason_add(c->x, "%s: kernel %s Felix's route to %s", engine_node_name(c->x->e, c->node),
                   what, ip_prefix_format(prefix, text));
}

static int compare_routes(const void *a, const void *b) {
    const struct lab_overlay_route *x = a, *y = b;
    return ip_prefix_compare(x->prefix, y->prefix);
}

/* On the link the gateway is the other node, or the router of the routed fabric. */
static bool same_route(const struct engine *e, const struct lab_overlay_route *want,
                       const struct lab_route *have) {
    const char *device = want->via == LAB_VIA_TUNNEL ? lab_tunnel_name(want->tunnel) : "eth0";
    bool through_router = want->via == LAB_VIA_LINK && e->routed;
    if (want->metric && want->metric != have->metric)
        return false;
    if (want->via == LAB_VIA_BLACKHOLE || have->blackhole)
        return want->via == LAB_VIA_BLACKHOLE && have->blackhole;
    return strcmp(have->interface, device) == 0 &&
           (through_router || ip_equal(have->gateway, want->gateway));
}

/* Both sorted by prefix. */
static bool compare(struct comparison *c, const struct lab_overlay_route *want, size_t want_count,
                    const struct lab_route *have, size_t have_count) {
    size_t i = 0;
    bool same = true;
    for (size_t k = 0; k < have_count; k++) {
        if (have[k].protocol != LAB_FELIX_PROTOCOL)
            continue;
        for (; i < want_count && ip_prefix_compare(want[i].prefix, have[k].prefix) < 0; i++) {
            name_route(c, "has not", want[i].prefix);
            same = false;
        }
        bool known = i < want_count && ip_prefix_equal(want[i].prefix, have[k].prefix);
        if (!known || !same_route(c->x->e, &want[i], &have[k])) {
            name_route(c, known ? "differs at" : "still has", have[k].prefix);
            same = false;
        }
        i += known;
    }
    for (; i < want_count; i++) {
        name_route(c, "has not", want[i].prefix);
        same = false;
    }
    return same;
}

static bool compare_node(struct comparison *c, const struct lab_route *have, size_t count,
                         struct arena *arena) {
    struct lab_overlay o;
    if (!network_overlay(c->x->e, c->node, arena, &o))
        return false;
    struct lab_overlay_route *want = arena_array(arena, o.route_count + 1, sizeof *want);
    if (!want)
        return false;
    if (o.route_count) {
        memcpy(want, o.routes, o.route_count * sizeof *want);
        qsort(want, o.route_count, sizeof *want, compare_routes);
    }
    return compare(c, want, o.route_count, have, count);
}

bool felix_routes_match(struct expectation *x, uint32_t node, const struct lab_route *have,
                        size_t count, bool final) {
    struct comparison c = {.x = x, .node = node, .final = final};
    struct arena *arena = arena_new();
    bool same = arena && compare_node(&c, have, count, arena);
    arena_free(arena);
    return same;
}
