/*
 * What should be, at one moment: from manifests and IOS text to configurations and the oracle.
 *
 * A state is made as a whole and replaced as a whole; the old one lives until the new oracle has
 * been made, because who runs first keeps a neighbour's lock. Routers keep their own state across
 * (their running-config changes line by line), Calico's nodes are planned anew each time.
 */

#include "engine.h"

#include <stdlib.h>
#include <string.h>

void state_release(struct state *s) {
    if (!s)
        return;
    oracle_free(s->oracle);
    calico_plan_free(s->plan);
    calico_set_free(s->set);
    arena_free(s->arena);
}

const char *engine_node_name(const struct engine *e, uint32_t node) {
    return node < e->count ? e->nodes[node].name : "?";
}

uint32_t engine_node_find(const struct engine *e, const char *name) {
    return topology_find(e->scenario->topology, name);
}

/* ---- routers ---- */

static size_t router_interfaces(const struct topo_router *r, const struct topology *t,
                                struct ios_interface *list, size_t max) {
    size_t n = 0;
    for (size_t i = 0; i < r->attachment_count && n < max; i++) {
        const struct topo_attachment *a = &r->attachments[i];
        const struct topo_segment *s = &t->segments[a->segment];
        struct ip_addr addrs[2] = {a->addr4, a->addr6};
        uint8_t lengths[2] = {s->subnet4.length, s->subnet6.length};
        for (int f = 0; f < 2 && n < max; f++) {
            if (!ip_is_set(addrs[f]))
                continue;
            struct ios_interface *x = &list[n++];
            *x = (struct ios_interface){.addr = addrs[f], .length = lengths[f], .up = true};
            snprintf(x->name, sizeof x->name, "%s", a->interface);
        }
    }
    for (size_t i = 0; i < r->loopback_count && n < max; i++) {
        struct ios_interface *x = &list[n++];
        *x = (struct ios_interface){
            .addr = r->loopbacks[i].addr, .length = r->loopbacks[i].length, .up = true};
        snprintf(x->name, sizeof x->name, "Loopback%zu", i);
    }
    return n;
}

/* An attachment without an address takes the one its `interface` statement gives. */
static void take_ios_addresses(struct topo_router *r, const struct ios_router *ios) {
    struct ios_interface list[64];
    size_t n = ios_interfaces(ios, list, 64);
    for (size_t i = 0; i < r->attachment_count; i++) {
        struct topo_attachment *a = &r->attachments[i];
        for (size_t k = 0; k < n; k++) {
            if (strcmp(list[k].name, a->interface) != 0)
                continue;
            struct ip_addr *slot = list[k].addr.family == IP_V6 ? &a->addr6 : &a->addr4;
            if (!ip_is_set(*slot))
                *slot = list[k].addr;
        }
    }
}

static const char *router_file(const struct topo_router *r) {
    return r->config_path ? r->config_path : r->name;
}

static bool load_router(struct engine *e, uint32_t i, struct diag_list *diags) {
    struct topology *t = e->scenario->topology;
    struct topo_router *r = &t->routers[i];
    struct engine_router *er = &e->routers[i];
    struct ios_interface list[64];
    struct ios_env env = {r->name, list, router_interfaces(r, t, list, 64)};
    er->ios = ios_router_new(&env);
    if (!er->ios)
        return false;
    const char *file = router_file(r);
    if (r->config_text) {
        text_put(&er->text, r->config_text, r->config_size);
        if (!ios_load(er->ios, r->config_text, r->config_size, file, true, diags))
            return false;
    }
    take_ios_addresses(r, er->ios);
    env.interface_count = router_interfaces(r, t, list, 64);
    ios_router_set_env(er->ios, &env);
    return true;
}

/* ---- nodes of the oracle ---- */

static void add_attachment(const struct engine *e, struct oracle_node *n,
                           const struct topo_attachment *a) {
    const struct topology *t = e->scenario->topology;
    if (ip_is_set(a->addr4))
        n->addrs[n->addr_count++] = a->addr4;
    if (ip_is_set(a->addr6))
        n->addrs[n->addr_count++] = a->addr6;
    for (size_t s = 0; s < t->segment_count; s++) {
        if ((!e->routed && s != a->segment) || n->subnet_count + 2 > 8)
            continue;
        if (ip_is_set(t->segments[s].subnet4.addr))
            n->subnets[n->subnet_count++] = t->segments[s].subnet4;
        if (ip_is_set(t->segments[s].subnet6.addr))
            n->subnets[n->subnet_count++] = t->segments[s].subnet6;
    }
}

static void describe_node(const struct engine *e, const struct state *s, uint32_t i,
                          struct oracle_node *n) {
    const struct topology *t = e->scenario->topology;
    n->name = e->nodes[i].name;
    n->config = s->configs[i];
    n->up = e->nodes[i].up;
    n->incarnation = e->nodes[i].incarnation;
    if (i < t->node_count) {
        add_attachment(e, n, &t->nodes[i].attachment);
        return;
    }
    const struct topo_router *r = &t->routers[i - t->node_count];
    for (size_t k = 0; k < r->attachment_count && n->addr_count + 2 <= 8; k++)
        add_attachment(e, n, &r->attachments[k]);
    for (size_t k = 0; k < r->loopback_count && n->addr_count < 8; k++)
        n->addrs[n->addr_count++] = r->loopbacks[k].addr;
}

/* ---- making a state ---- */

/* A node whose file BIRD refuses keeps running what it ran, and hears of no change any more: the
 * plan's finding `frozen-configuration`. */
static bool freeze(const struct engine *e, struct bgp_config *c, uint32_t node,
                   const struct calico_plan_node *n, struct arena *arena) {
    const struct bgp_config *old = e->state ? e->state->configs[node] : NULL;
    return calico_compile_frozen(c, n, old, arena);
}

static struct bgp_config *compile_node(const struct engine *e, const struct state *s, uint32_t node,
                                       const struct calico_plan_node *n) {
    struct bgp_config *c = calico_compile(s->plan, n, e->scenario->profile, s->arena);
    bool refused = n->refused[BGP_IPV4_UNICAST] || n->refused[BGP_IPV6_UNICAST];
    return c && refused && !freeze(e, c, node, n, s->arena) ? NULL : c;
}

static bool compile_nodes(struct engine *e, struct state *s, struct diag_list *diags) {
    const struct topology *t = e->scenario->topology;
    for (uint32_t i = 0; i < t->node_count; i++) {
        const struct calico_plan_node *n = calico_plan_find(s->plan, t->nodes[i].name);
        if (!n)
            continue;
        s->configs[i] = compile_node(e, s, i, n);
        if (!s->configs[i] || !bgp_config_check(s->configs[i], t->nodes[i].name, diags))
            return false;
    }
    for (uint32_t i = 0; i < t->router_count; i++) {
        const struct bgp_config *c = ios_bgp_config(e->routers[i].ios, diags);
        s->configs[t->node_count + i] = c ? bgp_config_copy(s->arena, c) : NULL;
        if (c && !s->configs[t->node_count + i])
            return false;
    }
    bool ok = true;
    for (uint32_t i = 0; ok && i < t->router_count; i++)
        ok = state_expand_ranges(t, s, i);
    return ok;
}

static bool make_oracle(struct engine *e, struct state *s) {
    s->nodes = arena_array(s->arena, e->count + 1, sizeof *s->nodes);
    s->cuts = arena_array(s->arena, e->cut_count + 1, sizeof *s->cuts);
    if (!s->nodes || !s->cuts)
        return false;
    for (size_t i = 0; i < e->cut_count; i++)
        s->cuts[i] = e->cuts[i];
    for (uint32_t i = 0; i < e->count; i++)
        describe_node(e, s, i, &s->nodes[i]);
    uint8_t gateway6[16] = {0xfe, 0x80, [15] = 1};
    struct oracle_input in = {
        .nodes = s->nodes,
        .node_count = e->count,
        .cuts = s->cuts,
        .cut_count = e->cut_count,
        .routed_fabric = e->routed,
        .gateway4 = ip4(0xa9fe0101), /* 169.254.1.1 */
        .gateway6 = ip6(gateway6),
        .previous = e->state ? e->state->oracle : NULL,
    };
    s->oracle = oracle_new(&in);
    return s->oracle != NULL;
}

static uint32_t pods_of_node(void *context, const char *node) {
    const struct topology *t = ((struct engine *)context)->scenario->topology;
    uint32_t i = topology_find(t, node);
    return i < t->node_count ? t->nodes[i].pods : 0;
}

static const struct calico_label *labels_of_pods(void *context, const char *node,
                                                 size_t *ret_count) {
    const struct topology *t = ((struct engine *)context)->scenario->topology;
    uint32_t i = topology_find(t, node);
    *ret_count = i < t->node_count ? t->nodes[i].pod_label_count : 0;
    return *ret_count ? t->nodes[i].pod_labels : NULL;
}

static struct calico_plan_options plan_options(const struct scenario *s) {
    struct calico_plan_options o = {
        .pods_per_node = 1,
        .node_ip_interface = "eth0",
        .version = s->calico_version,
    };
    calico_environment_apply(&s->environment, &o);
    return o;
}

/* Calico has taken these manifests: what its plan comes to may be bad, but it is what happens. */
static struct calico_plan *plan_applied(const struct calico_set *set,
                                        const struct calico_plan_options *o,
                                        struct diag_list *diags) {
    struct diag_list *found = diag_list_new();
    struct calico_plan *plan = found ? calico_plan_new(set, o, found) : NULL;
    if (found)
        diag_append(diags, found, DIAG_WARNING, NULL);
    diag_list_free(found);
    return plan;
}

static struct state *state_make(struct engine *e, struct calico_set *set, struct diag_list *diags) {
    struct arena *arena = arena_new();
    struct state *s = arena ? arena_alloc(arena, sizeof *s) : NULL;
    if (!s) {
        arena_free(arena);
        calico_set_free(set);
        return NULL;
    }
    s->arena = arena;
    s->set = set;
    s->generation = e->state ? e->state->generation + 1 : 1;
    s->configs = arena_array(arena, e->count + 1, sizeof *s->configs);
    struct calico_plan_options o = plan_options(e->scenario);
    o.pods_of = pods_of_node;
    o.pod_labels = labels_of_pods;
    o.context = e;
    o.claims = e->claims;
    o.claim_count = e->claim_count;
    size_t errors = diag_error_count(diags);
    s->plan = plan_applied(set, &o, diags);
    if (s->plan && s->configs && diag_error_count(diags) == errors && compile_nodes(e, s, diags) &&
        make_oracle(e, s))
        return s;
    if (diag_error_count(diags) == errors)
        diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "no-memory", "out of memory");
    state_release(s);
    return NULL;
}

/* The other end hears this one even where it has no stanza for it and hangs up. */
static bool remember_caller(struct engine *e, const struct state *s, uint32_t node,
                            const struct bgp_peer_config *p) {
    uint32_t other = oracle_address_owner(s->oracle, p->remote_addr);
    const struct oracle_node *n = &s->nodes[node];
    bool ok = true;
    for (size_t i = 0; other != UINT32_MAX && ok && i < n->addr_count; i++) {
        if (n->addrs[i].family == p->remote_addr.family)
            ok = witness_add(&e->wire_known, other, n->addrs[i]);
    }
    return ok;
}

/* Every end that was ever configured may have sent an OPEN: the wire remembers. */
static bool remember_ends(struct engine *e, const struct state *s) {
    for (uint32_t i = 0; i < e->count; i++) {
        const struct bgp_config *c = s->configs[i];
        e->bgp_ports[c && c->listen_port ? c->listen_port : BGP_PORT] = true;
        for (uint32_t k = 0; c && k < c->peer_count; k++) {
            if (!witness_add(&e->wire_known, i, c->peers[k].remote_addr) ||
                !remember_caller(e, s, i, &c->peers[k]))
                return false;
        }
    }
    witness_sort(&e->wire_known);
    return true;
}

bool state_replace(struct engine *e, struct calico_set *set, struct diag_list *diags,
                   struct state **ret_old) {
    if (!set)
        set = calico_set_copy(e->state->set);
    struct state *next = set ? state_make(e, set, diags) : NULL;
    if (!next || !remember_ends(e, next)) {
        state_release(next);
        return false;
    }
    if (ret_old)
        *ret_old = e->state;
    else
        state_release(e->state);
    e->state = next;
    return true;
}

/* ---- the beginning ---- */

static bool name_nodes(struct engine *e) {
    const struct topology *t = e->scenario->topology;
    e->node_count = (uint32_t)t->node_count;
    e->router_count = (uint32_t)t->router_count;
    e->count = e->node_count + e->router_count;
    e->nodes = arena_array(e->arena, e->count + 1, sizeof *e->nodes);
    e->bgp_ports = arena_array(e->arena, UINT16_MAX + 1, sizeof *e->bgp_ports);
    if (!e->nodes || !e->bgp_ports)
        return false;
    for (uint32_t i = 0; i < e->count; i++) {
        e->nodes[i].name =
            i < e->node_count ? t->nodes[i].name : t->routers[i - e->node_count].name;
        e->nodes[i].up = true;
        e->nodes[i].incarnation = 1;
    }
    return true;
}

static bool start_manifests(struct engine *e, struct calico_set *set, struct diag_list *diags) {
    const struct scenario *s = e->scenario;
    struct yaml_document *documents = NULL;
    size_t count = 0;
    struct diag_list *found = diag_list_new();
    bool ok = found &&
              scenario_read_manifests(s, s->manifests, s->manifest_places, s->manifest_count,
                                      CALICO_TOOL_CALICOCTL, e->arena, found, &documents, &count) &&
              calico_apply(set, documents, count, true, found);
    ok = ok && calico_apply(set, s->inline_documents, s->inline_count, true, found);
    if (found) /* all of it is in force before anything runs: no mesh can go down too early */
        diag_append(diags, found, DIAG_ERROR, "mesh-off-first");
    diag_list_free(found);
    return ok;
}

static bool load_routers(struct engine *e, struct diag_list *diags) {
    e->routers = arena_array(e->arena, e->router_count + 1, sizeof *e->routers);
    bool ok = e->routers != NULL;
    for (uint32_t i = 0; ok && i < e->router_count; i++) {
        struct diag_list *found = diag_list_new();
        text_init(&e->routers[i].text);
        ok = found && load_router(e, i, found);
        if (found)
            ios_findings(found, router_file(&e->scenario->topology->routers[i]), diags);
        diag_list_free(found);
    }
    return ok;
}

/* Segments that no router joins: on bridges their nodes would never hear of each other. */
static bool is_apart(const struct topology *t) {
    return t->router_count == 0 && t->segment_count > 1;
}

/* Auto: one bridge as long as it is comfortable, the routed fabric above, and where there are
 * several subnets but no router; never where an external session must be directly connected (TTL
 * 1), which a router between the ends would break. */
#define L2_HOSTS_MAX 200

static void choose_fabric(struct engine *e, struct diag_list *diags) {
    const struct topology *t = e->scenario->topology;
    e->routed =
        t->fabric == TOPO_FABRIC_ROUTED || (t->fabric == TOPO_FABRIC_AUTO && t->router_count == 0 &&
                                            (t->node_count > L2_HOSTS_MAX || is_apart(t)));
    if (!e->routed && is_apart(t))
        diag_add(diags, DIAG_WARNING, t->segments[1].place, "segments-apart",
                 "no router joins segment \"%s\" with \"%s\", and with fabric: l2 nothing else "
                 "does: their nodes do not reach each other; leave fabric out",
                 t->segments[1].name, t->segments[0].name);
    for (size_t i = 0; i < t->segment_count; i++)
        e->ipv6 |= ip_is_set(t->segments[i].subnet6.addr);
}

/* A scenario that only refuses manifests need not name a topology. */
static bool plan_only(struct engine *e, struct diag_list *diags) {
    struct calico_set *set = calico_set_new();
    struct calico_plan_options o = plan_options(e->scenario);
    bool ok = set && start_manifests(e, set, diags);
    struct calico_plan *plan = ok ? calico_plan_new(set, &o, diags) : NULL;
    calico_plan_free(plan);
    calico_set_free(set);
    return plan && diag_error_count(diags) == 0;
}

bool engine_prepare(struct engine *e, struct diag_list *diags) {
    if (!e->scenario->topology)
        return plan_only(e, diags);
    struct topology *t = e->scenario->topology;
    struct calico_set *set = calico_set_new();
    size_t errors = diag_error_count(diags);
    if (!set || !topology_add_nodes(t, set, diags) || !start_manifests(e, set, diags) ||
        !topology_take_addresses(t, set, e->arena, diags) || diag_error_count(diags) != errors) {
        calico_set_free(set);
        return false;
    }
    choose_fabric(e, diags);
    if (!name_nodes(e) || !load_routers(e, diags) || (e->weigh_first && !engine_may_fit(e, set))) {
        calico_set_free(set);
        return false;
    }
    return state_replace(e, set, diags, NULL);
}

void engine_release(struct engine *e) {
    state_release(e->state);
    e->state = NULL;
    for (uint32_t i = 0; e->routers && i < e->router_count; i++) {
        ios_router_free(e->routers[i].ios);
        text_deinit(&e->routers[i].text);
    }
    witness_free(&e->wire_known);
    diag_list_free(e->said);
    e->said = NULL;
}

struct ip_addr engine_probe_address(const struct engine *e, uint32_t node, enum bgp_family f) {
    uint8_t family = f == BGP_IPV6_UNICAST ? IP_V6 : IP_V4;
    const struct calico_plan_node *n =
        node < e->node_count ? calico_plan_find(e->state->plan, e->nodes[node].name) : NULL;
    for (size_t i = 0; n && i < n->pod_count; i++) {
        if (n->pods[i].addr.family == family)
            return n->pods[i].addr;
    }
    if (node < e->node_count)
        return (struct ip_addr){0};
    const struct oracle_node *r = &e->state->nodes[node];
    for (size_t i = 0; i < r->addr_count; i++) {
        if (r->addrs[i].family == family)
            return r->addrs[i];
    }
    return (struct ip_addr){0};
}
