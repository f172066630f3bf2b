/*
 * From what should be to what runs: the lab's specification, the speakers' configurations, and the
 * difference when a step changed something.
 *
 * Linux names of a router's interfaces are eth0, eth1… in the order of the topology; the mock Cisco
 * calls them by their IOS names. Addresses of pods and loopbacks stand on lo.
 */

#include "engine.h"
#include "felix.h"

#include "../../speaker/config/config_json.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- the specification ---- */

static bool set_interface(const struct engine *e, const struct topo_attachment *a, size_t number,
                          struct lab_interface *i) {
    const struct topo_segment *s = &e->scenario->topology->segments[a->segment];
    *i = (struct lab_interface){
        .name = arena_printf(e->arena, "eth%zu", number),
        .segment = a->segment,
        .addr4 = a->addr4,
        .addr6 = a->addr6,
        .length4 = s->subnet4.length,
        .length6 = s->subnet6.length,
    };
    return i->name != NULL;
}

static bool node_spec(const struct engine *e, uint32_t i, struct lab_host *h, struct arena *arena) {
    const struct topo_node *n = &e->scenario->topology->nodes[i];
    const struct calico_plan_node *p = calico_plan_find(e->state->plan, n->name);
    size_t pods = p ? p->pod_count : 0, blocks = p ? p->block_count : 0;
    struct lab_interface *interface = arena_alloc(arena, sizeof *interface);
    struct lab_local *locals = arena_array(arena, pods + 1, sizeof *locals);
    struct ip_prefix *delivered = arena_array(arena, blocks + 1, sizeof *delivered);
    if (!interface || !locals || !delivered || !set_interface(e, &n->attachment, 0, interface))
        return false;
    for (size_t k = 0; k < pods; k++)
        locals[k].addr = p->pods[k].addr;
    for (size_t k = 0; k < blocks; k++)
        delivered[k] = p->blocks[k].prefix;
    *h = (struct lab_host){n->name, interface, 1, locals, pods, delivered, blocks, true};
    return true;
}

static bool router_spec(const struct engine *e, uint32_t i, struct lab_host *h,
                        struct arena *arena) {
    const struct topo_router *r = &e->scenario->topology->routers[i];
    struct lab_interface *list = arena_array(arena, r->attachment_count + 1, sizeof *list);
    struct lab_local *locals = arena_array(arena, r->loopback_count + 1, sizeof *locals);
    struct ip_prefix *delivered = arena_array(arena, r->loopback_count + 1, sizeof *delivered);
    if (!list || !locals || !delivered)
        return false;
    for (size_t k = 0; k < r->attachment_count; k++) {
        if (!set_interface(e, &r->attachments[k], k, &list[k]))
            return false;
    }
    for (size_t k = 0; k < r->loopback_count; k++) {
        locals[k].addr = r->loopbacks[k].addr;
        delivered[k] = ip_prefix_make(r->loopbacks[k].addr, r->loopbacks[k].length);
    }
    *h = (struct lab_host){r->name,           list,      r->attachment_count, locals,
                           r->loopback_count, delivered, r->loopback_count,   true};
    return true;
}

static bool host_spec(const struct engine *e, uint32_t i, struct lab_host *h, struct arena *arena) {
    return i < e->node_count ? node_spec(e, i, h, arena)
                             : router_spec(e, i - e->node_count, h, arena);
}

static void show_progress(void *context, const struct lab_progress *p) {
    record_live(context, "building %zu/%zu nodes", p->hosts_built, p->hosts_total);
}

static bool capture(struct engine *e, struct diag_list *diags) {
    return !e->scenario->capture || lab_capture_start(e->lab, NULL, diags);
}

/* ---- Felix's part ---- */

/* The number in the lab of each of the plan's nodes. */
static uint32_t *number_hosts(const struct engine *e, struct arena *arena) {
    const struct calico_plan *p = e->state->plan;
    uint32_t *hosts = arena_array(arena, p->node_count + 1, sizeof *hosts);
    for (size_t i = 0; hosts && i < p->node_count; i++)
        hosts[i] = UINT32_MAX;
    for (uint32_t i = 0; hosts && i < e->node_count; i++) {
        const struct calico_plan_node *n = calico_plan_find(p, e->nodes[i].name);
        if (n)
            hosts[n - p->nodes] = i;
    }
    return hosts;
}

bool network_overlay(const struct engine *e, uint32_t node, struct arena *arena,
                     struct lab_overlay *ret_overlay) {
    const struct calico_plan *p = e->state->plan;
    const struct calico_plan_node *n = calico_plan_find(p, e->nodes[node].name);
    *ret_overlay = (struct lab_overlay){0}; /* of a deleted Node: Felix takes everything away */
    if (!n || !felix_needed(p))
        return true;
    uint32_t *hosts = number_hosts(e, arena);
    return hosts && felix_overlay(p, n, hosts, arena, ret_overlay);
}

static bool program_node(struct engine *e, uint32_t i, struct diag_list *diags) {
    struct lab_overlay overlay;
    struct arena *arena = arena_new();
    bool ok = arena && network_overlay(e, i, arena, &overlay) &&
              lab_overlay_set(e->lab, i, &overlay, diags);
    arena_free(arena);
    return ok;
}

/* Of all nodes: a node that comes or goes changes the others' tunnels, too. */
static bool program_nodes(struct engine *e, struct diag_list *diags) {
    enum lab_ipip before = lab_ipip_used(e->lab);
    bool ok = true;
    for (uint32_t i = 0; ok && i < e->node_count; i++)
        ok = program_node(e, i, diags);
    if (lab_ipip_used(e->lab) == LAB_IPIP_TUN && before != LAB_IPIP_TUN)
        diag_add(e->diags, DIAG_NOTE, (struct diag_place){0}, "ipip-by-tun",
                 "this kernel has no ipip device: tunl0 is a TUN device, and packets of protocol 4 "
                 "are made by the runner");
    return ok;
}

bool network_build(struct engine *e, struct diag_list *diags) {
    const struct topology *t = e->scenario->topology;
    struct lab_segment *segments = arena_array(e->arena, t->segment_count + 1, sizeof *segments);
    struct lab_host *hosts = arena_array(e->arena, e->count + 1, sizeof *hosts);
    if (!segments || !hosts)
        return false;
    for (size_t i = 0; i < t->segment_count; i++)
        segments[i] = (struct lab_segment){t->segments[i].name, t->segments[i].subnet4,
                                           t->segments[i].subnet6};
    for (uint32_t i = 0; i < e->count; i++) {
        if (!host_spec(e, i, &hosts[i], e->arena))
            return false;
    }
    struct lab_spec spec = {
        .fabric = e->routed ? LAB_FABRIC_ROUTED : LAB_FABRIC_L2,
        .segments = segments,
        .segment_count = t->segment_count,
        .hosts = hosts,
        .host_count = e->count,
        .ipv6 = e->ipv6,
    };
    e->lab = lab_build(&spec, show_progress, e, diags);
    return e->lab && capture(e, diags) && program_nodes(e, diags);
}

/* ---- speakers ---- */

static char *config_text(const struct bgp_config *c) {
    json_t *json = config_to_json(c);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

/* What the router calls the interfaces that are eth0, eth1… in its namespace. */
static const char *interface_names(const struct engine *e, uint32_t router) {
    const struct topo_router *r = &e->scenario->topology->routers[router];
    const char *names = NULL;
    for (size_t i = 0; i < r->attachment_count; i++)
        names = arena_printf(e->arena, "%s%seth%zu=%s", names ? names : "", names ? "," : "", i,
                             r->attachments[i].interface);
    return names;
}

bool network_start_one(struct engine *e, uint32_t node, bool restarting, struct diag_list *diags) {
    struct lab_speaker_spec spec = {.restarting = restarting};
    if (!e->state->configs[node] && node < e->node_count)
        return true; /* no BGP at this node */
    if (backend_runs(e, node))
        return backend_start(e, node, restarting, diags);
    char *text = NULL;
    if (e->mrt_directory)
        spec.mrt_file = arena_printf(e->arena, "%s/%s.mrt", e->mrt_directory, e->nodes[node].name);
    if (node >= e->node_count) {
        struct text *ios = &e->routers[node - e->node_count].text;
        spec.ios = text_str(ios);
        spec.ios_size = ios->size;
        spec.hostname = e->nodes[node].name;
        spec.interfaces = interface_names(e, node - e->node_count);
    } else {
        text = config_text(e->state->configs[node]);
        if (!text)
            return false;
        spec.config = text;
        spec.config_size = strlen(text);
    }
    bool ok = lab_speaker_start(e->lab, node, &spec, diags);
    free(text);
    return ok;
}

/* In Calico's mesh the end with the larger address text dials. Started in the order of that text,
 * every speaker finds those it dials listening already: no refused connection, no wait for a retry.
 */
struct starter {
    uint32_t node;
    char address[IP_ADDR_TEXT_MAX];
};

static int compare_starters(const void *a, const void *b) {
    const struct starter *x = a, *y = b;
    int d = strcmp(x->address, y->address);
    return d ? d : (x->node > y->node) - (x->node < y->node);
}

static struct starter *start_order(const struct engine *e) {
    struct starter *list = calloc(e->count + 1, sizeof *list);
    for (uint32_t i = 0; list && i < e->count; i++) {
        list[i].node = i;
        if (e->state->nodes[i].addr_count)
            ip_format(e->state->nodes[i].addrs[0], list[i].address);
    }
    if (list)
        qsort(list, e->count, sizeof *list, compare_starters);
    return list;
}

bool network_start(struct engine *e, struct diag_list *diags) {
    struct starter *order = start_order(e);
    bool ok = order != NULL;
    e->speakers_started = lab_now();
    for (uint32_t i = 0; ok && i < e->count; i++) {
        uint32_t node = order[i].node;
        ok = !e->nodes[node].up || network_start_one(e, node, false, diags);
        if (i % 16 == 0)
            record_live(e, "starting %u/%u speakers", i, e->count);
        engine_listen(e);
        ok = ok && !e->interrupted;
    }
    free(order);
    return ok;
}

/* ---- changes ---- */

static bool update_host(struct engine *e, uint32_t i, struct diag_list *diags) {
    struct arena *arena = arena_new();
    struct lab_host h;
    bool ok = arena && host_spec(e, i, &h, arena) && lab_update_host(e->lab, i, &h, diags);
    arena_free(arena);
    return ok;
}

static json_t *configure_request(const struct engine *e, uint32_t i) {
    json_t *config = config_to_json(e->state->configs[i]);
    return config ? json_pack("{s:s, s:o}", "op", "configure", "config", config) : NULL;
}

static void report_refusals(struct engine *e, const uint32_t *hosts, json_t **answers, size_t count,
                            struct diag_list *diags) {
    for (size_t i = 0; i < count; i++) {
        if (answers[i] && json_is_true(json_object_get(answers[i], "ok")))
            continue;
        const char *error = json_string_value(json_object_get(answers[i], "error"));
        diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "not-reconfigured",
                 "%s: the speaker did not take its new configuration: %s", e->nodes[hosts[i]].name,
                 error ? error : "no answer");
    }
}

#define RECONFIGURE_DEADLINE_MS 30000

static bool texts_differ(const struct bgp_config *x, const struct bgp_config *y) {
    char *a = config_text(x), *b = config_text(y);
    bool differs = !a || !b || strcmp(a, b) != 0;
    free(a);
    free(b);
    return differs;
}

static bool same_chain(const struct policy_chain *a, const struct policy_chain *b) {
    return a->count == b->count && a->accept_by_default == b->accept_by_default &&
           (a->count == 0 || memcmp(a->policies, b->policies, a->count * sizeof *a->policies) == 0);
}

/* True: the same, octet by octet. False says nothing: what lies between members may differ. */
static bool same_peers(const struct bgp_config *x, const struct bgp_config *y) {
    bool same = x->peer_count == y->peer_count;
    for (uint32_t i = 0; same && i < x->peer_count; i++) {
        const struct bgp_peer_config *a = &x->peers[i], *b = &y->peers[i];
        same = memcmp(a, b, offsetof(struct bgp_peer_config, import)) == 0;
        for (int f = 0; f < BGP_FAMILIES; f++)
            same = same && same_chain(&a->import[f], &b->import[f]) &&
                   same_chain(&a->export[f], &b -> export[f]);
    }
    return same;
}

/* Only speakers whose configuration really differs hear of it. In a large mesh the peers are nearly
 * all of it: where they are the same, the text of the rest (policies too) decides. */
static bool configuration_differs(const struct state *old, const struct state *now, uint32_t i) {
    if (!old->configs[i] || !now->configs[i])
        return old->configs[i] != now->configs[i];
    struct bgp_config a = *old->configs[i], b = *now->configs[i];
    if (same_peers(&a, &b))
        a.peer_count = b.peer_count = 0;
    return texts_differ(&a, &b);
}

bool network_reconfigure(struct engine *e, const struct state *old, struct diag_list *diags) {
    size_t errors = diag_error_count(diags), count = 0;
    uint32_t *hosts = calloc(e->count + 1, sizeof *hosts);
    json_t **requests = calloc(e->count + 1, sizeof(json_t *));
    json_t **answers = calloc(e->count + 1, sizeof(json_t *));
    (void)program_nodes(e, diags); /* devices first: BIRD's routes may lead into them */
    for (uint32_t i = 0; hosts && requests && answers && i < e->node_count; i++) {
        if (!e->nodes[i].up || !configuration_differs(old, e->state, i) || !e->state->configs[i])
            continue;
        (void)update_host(e, i, diags);
        if (backend_runs(e, i)) {
            (void)backend_reconfigure(e, i, diags); /* findings decide */
            continue;
        }
        hosts[count] = i;
        requests[count] = configure_request(e, i);
        count += requests[count] != NULL;
    }
    if (count) {
        lab_request_all(e->lab, hosts, requests, count, RECONFIGURE_DEADLINE_MS, answers);
        report_refusals(e, hosts, answers, count, diags);
    }
    for (size_t i = 0; i < count; i++) {
        json_decref(requests[i]);
        json_decref(answers[i]);
    }
    free(hosts);
    free(requests);
    free(answers);
    return diag_error_count(diags) == errors;
}
