/*
 * Owns the way from paths to a plan and, where asked for, to what the oracle says of it; shared by
 * the verbs that only think and build nothing.
 */
#include "plan_verbs.h"

#include "manifests.h"

#include <stdio.h>
#include <string.h>

#define OUTSIDE_MAX 256 /* neighbours outside the cluster that the oracle is given */

struct calico_plan_options plan_options(const struct cli_options *o) {
    struct calico_plan_options p = {
        .pods_per_node = 1, .node_ip_interface = "eth0", .version = o->calico_version};
    calico_environment_apply(&o->environment, &p);
    return p;
}

static void add_address(struct oracle_node *x, struct ip_addr a, uint8_t length) {
    if (!ip_is_set(a))
        return;
    x->addrs[x->addr_count++] = a;
    x->subnets[x->subnet_count++] = ip_prefix_make(a, length);
}

bool plan_oracle_node(const struct calico_plan *plan, const struct calico_plan_node *n,
                      struct arena *arena, struct oracle_node *ret_node) {
    /* How subnets are joined is not among the manifests; that they are is a matter of course. */
    struct oracle_node x = {.name = n->node->name, .up = true, .default_route = true};
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

/* ---- neighbours outside the cluster ---- */

struct outside {
    struct ip_addr addr;
    uint32_t as_number;
    uint32_t peers; /* stanzas that name it */
};

/* The answer to a stanza, as whoever runs the router has to write it. */
static void mirror(struct arena *arena, const struct calico_session *s,
                   const struct calico_plan_node *n, struct bgp_peer_config *p) {
    bgp_peer_config_init(p, BGP_PROFILE_CALICO);
    p->remote_addr = s->family == BGP_IPV6_UNICAST ? n->node->addr6 : n->node->addr4;
    p->local_addr = s->neighbor;
    p->remote_port = n->listen_port;
    p->remote_as = s->local_as;
    p->families[BGP_IPV4_UNICAST] = s->family == BGP_IPV4_UNICAST;
    p->families[BGP_IPV6_UNICAST] = s->family == BGP_IPV6_UNICAST;
    p->ttl_security_hops = s->ttl_security;
    p->multihop = s->multihop;
    p->send_communities = true;
    p->import[s->family].accept_by_default = p->export[s->family].accept_by_default = true;
    snprintf(p->name, sizeof p->name, "%s", n->node->name);
    p->password = s->password
                      ? bgp_password_new(arena, s->password, strnlen(s->password, BGP_PASSWORD_MAX))
                      : NULL;
}

static bool outside_node(struct planned *p, const struct outside *o, struct oracle_node *ret_node) {
    char text[IP_ADDR_TEXT_MAX];
    struct bgp_config *c = arena_alloc(p->arena, sizeof *c);
    struct oracle_node x = {.name = arena_strdup(p->arena, ip_format(o->addr, text)),
                            .up = true,
                            .default_route = true};
    if (!c || !x.name)
        return false;
    bgp_config_init(c, BGP_PROFILE_CALICO);
    c->local_as = o->as_number;
    c->router_id =
        o->addr.family == IP_V4 ? o->addr : ip4(UINT32_C(0xC0000200) + o->as_number % 256);
    c->peers = arena_array(p->arena, o->peers, sizeof *c->peers);
    for (size_t i = 0; c->peers && i < p->plan->node_count; i++) {
        const struct calico_plan_node *n = &p->plan->nodes[i];
        for (size_t k = 0; k < n->session_count; k++)
            if (!n->sessions[k].peer_node && ip_equal(n->sessions[k].neighbor, o->addr))
                mirror(p->arena, &n->sessions[k], n, &c->peers[c->peer_count++]);
    }
    add_address(&x, o->addr, ip_bits((enum ip_family)o->addr.family));
    x.config = c;
    *ret_node = x;
    return c->peers != NULL;
}

/* Is it a router whose configuration is there? */
static bool is_known(const struct planned *p, struct ip_addr a) {
    for (size_t i = 0; i < p->routers.count; i++)
        if (plan_router_has(&p->routers.nodes[i], a))
            return true;
    return false;
}

static bool note_outside(struct planned *p, struct outside *list, size_t *count) {
    for (size_t i = 0; i < p->plan->node_count; i++) {
        const struct calico_plan_node *n = &p->plan->nodes[i];
        for (size_t k = 0; k < n->session_count; k++) {
            const struct calico_session *s = &n->sessions[k];
            size_t at = 0;
            if (s->peer_node || s->kind == CALICO_LOCAL_WORKLOAD || is_known(p, s->neighbor))
                continue;
            while (at < *count && !ip_equal(list[at].addr, s->neighbor))
                at++;
            if (at == OUTSIDE_MAX)
                return false;
            if (at == *count)
                list[(*count)++] = (struct outside){.addr = s->neighbor, .as_number = s->peer_as};
            list[at].peers++;
        }
    }
    return true;
}

static bool is_refused(const struct calico_plan_node *n) {
    return n->refused[BGP_IPV4_UNICAST] || n->refused[BGP_IPV6_UNICAST];
}

/* What a node runs whose file is refused: the sessions of the state before. */
static bool freeze(struct planned *p, const struct planned *before, size_t i) {
    const struct calico_plan_node *n = &p->plan->nodes[i];
    const struct bgp_config *old = NULL;
    for (size_t k = 0; before && before->nodes && k < before->plan->node_count; k++)
        if (strcmp(before->nodes[k].name, n->node->name) == 0)
            old = before->nodes[k].config;
    struct bgp_config *c = arena_alloc(p->arena, sizeof *c);
    if (!c)
        return false;
    *c = *p->nodes[i].config;
    p->nodes[i].config = c;
    return calico_compile_frozen(c, n, old, p->arena);
}

bool planned_oracle(struct planned *p, const struct planned *before) {
    struct outside outside[OUTSIDE_MAX];
    size_t others = 0, count = p->plan->node_count, first = count + p->routers.count;
    (void)note_outside(p, outside, &others); /* those beyond have no session in the answer */
    p->nodes = arena_array(p->arena, first + others + 1, sizeof *p->nodes);
    for (size_t i = 0; p->nodes && i < p->routers.count; i++)
        p->nodes[count + i] = p->routers.nodes[i];
    for (size_t i = 0; p->nodes && i < count; i++)
        if (!plan_oracle_node(p->plan, &p->plan->nodes[i], p->arena, &p->nodes[i]) ||
            (is_refused(&p->plan->nodes[i]) && !freeze(p, before, i)))
            return false;
    for (size_t i = 0; p->nodes && i < others; i++)
        if (!outside_node(p, &outside[i], &p->nodes[first + i]))
            return false;
    struct oracle_input in = {.nodes = p->nodes, .node_count = first + others};
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
