/*
 * The routers that `plan --cisco FILE` adds: what they would have for sessions with the nodes, and
 * for plan --diff what they hand on.
 *
 * A router's address is the one its interface statements give, or else the peerIP of the manifests
 * that belongs to no node. What both sides would do is then the oracle's word.
 */
#include "cli.h"
#include "manifests.h"
#include "plan_verbs.h"

#include "../../speaker/ios/ios.h"
#include "../calico/plan.h"
#include "../check/oracle.h"
#include "../scenario/engine.h"

#include <stdio.h>
#include <string.h>

#define ADDRESSES_MAX (sizeof((struct oracle_node *)0)->addrs / sizeof(struct ip_addr))

static bool is_node_address(const struct calico_set *set, struct ip_addr a) {
    for (size_t i = 0; i < calico_node_count(set); i++) {
        const struct calico_node *n = calico_node_at(set, i);
        if (ip_equal(n->addr4, a) || ip_equal(n->addr6, a))
            return true;
    }
    return false;
}

/* The peerIP that is nobody's yet and whose AS is the router's. */
static struct ip_addr guess_address(const struct calico_set *set, const struct plan_routers *o,
                                    uint32_t as) {
    for (size_t i = 0; i < calico_peer_count(set); i++) {
        const struct calico_bgp_peer *p = calico_peer_at(set, i);
        bool taken = !p->has_peer_ip || is_node_address(set, p->peer_ip) || p->as_number != as;
        for (size_t k = 0; k < o->count; k++)
            taken |= plan_router_has(&o->nodes[k], p->peer_ip);
        if (!taken)
            return p->peer_ip;
    }
    return (struct ip_addr){0};
}

/* The AS number stands in the text; compiling needs an address first, which depends on the AS. */
static uint32_t router_as(struct ios_router *r) {
    struct ios_interface any = {
        .name = "GigabitEthernet0/0", .addr = ip4(0xC0000201), .length = 24, .up = true};
    struct ios_env env = {"router", &any, 1};
    ios_router_set_env(r, &env);
    const struct bgp_config *c = ios_bgp_config(r, NULL);
    return c ? c->local_as : 0;
}

bool plan_router_has(const struct oracle_node *router, struct ip_addr a) {
    for (size_t i = 0; i < router->addr_count; i++)
        if (ip_equal(router->addrs[i], a))
            return true;
    return false;
}

/* The addresses its text gives it, or the one that is guessed. */
static size_t find_interfaces(struct ios_router *r, const struct calico_set *set,
                              const struct plan_routers *o,
                              struct ios_interface list[ADDRESSES_MAX]) {
    size_t n = ios_interfaces(r, list, ADDRESSES_MAX);
    if (n)
        return n;
    list[0] = (struct ios_interface){.name = "GigabitEthernet0/0", .length = 24, .up = true};
    list[0].addr = guess_address(set, o, router_as(r));
    return ip_is_set(list[0].addr);
}

/* As the oracle sees it; everything in `arena`. */
static bool describe_router(struct ios_router *r, const struct ios_interface *list, size_t count,
                            struct arena *arena, struct diag_list *diags,
                            struct oracle_node *ret_node) {
    struct oracle_node x = {.name = arena_strdup(arena, ios_hostname(r)), .up = true};
    const struct bgp_config *c = ios_bgp_config(r, diags);
    x.config = c ? bgp_config_copy(arena, c) : NULL;
    for (size_t i = 0; i < count; i++) {
        x.addrs[x.addr_count++] = list[i].addr;
        x.subnets[x.subnet_count++] = ip_prefix_make(list[i].addr, list[i].length);
    }
    *ret_node = x;
    return x.name && (!c || x.config);
}

/* What a router is called whose text does not name it: its file, without folder and ending. */
static void name_of_file(const char *path, char *out, size_t size) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    snprintf(out, size, "%.*s", (int)strcspn(base, "."), base);
}

static struct ios_router *load_router(struct manifests *in, const char *path,
                                      const struct ios_env *env) {
    size_t size = 0;
    char *text = file_read(path, in->arena, in->diags, &size);
    struct ios_router *r = text ? ios_router_new(env) : NULL;
    struct diag_list *found = diag_list_new();
    bool loaded = r && found && ios_load(r, text, size, path, true, found);
    if (found) /* IOS refuses single lines and goes on */
        ios_findings(found, path, in->diags);
    diag_list_free(found);
    if (!loaded)
        ios_router_free(r);
    return loaded ? r : NULL;
}

static bool read_router(struct manifests *in, const struct calico_set *set, const char *path,
                        struct plan_routers *o) {
    char name[64];
    struct ios_env env = {name, NULL, 0};
    name_of_file(path, name, sizeof name);
    struct ios_router *r = load_router(in, path, &env);
    if (!r)
        return false;
    struct ios_interface list[ADDRESSES_MAX];
    env.interface_count = find_interfaces(r, set, o, list);
    env.interfaces = list;
    ios_router_set_env(r, &env);
    bool ok =
        describe_router(r, list, env.interface_count, in->arena, in->diags, &o->nodes[o->count]);
    o->count += ok;
    if (!env.interface_count)
        diag_add(
            in->diags, DIAG_WARNING, (struct diag_place){path, 0, 0}, "router-address",
            "no interface address, and no BGPPeer names an address that could be this router's");
    ios_router_free(r);
    return ok;
}

bool plan_routers_read(struct manifests *in, const struct calico_set *set,
                       const struct cli_options *opt, struct plan_routers *ret_routers) {
    struct plan_routers o = {.nodes =
                                 arena_array(in->arena, opt->cisco_count + 1, sizeof *o.nodes)};
    bool ok = o.nodes != NULL;
    for (size_t i = 0; o.nodes && i < opt->cisco_count; i++)
        ok = read_router(in, set, opt->cisco[i], &o) && ok;
    *ret_routers = o;
    return ok;
}

/* ---- both sides ---- */

struct both {
    struct oracle_node *nodes;
    size_t count;
};

static bool describe(const struct calico_plan *plan, const struct plan_routers *o,
                     struct arena *arena, struct both *b) {
    b->nodes = arena_array(arena, plan->node_count + o->count + 1, sizeof *b->nodes);
    for (size_t i = 0; b->nodes && i < plan->node_count; i++)
        if (!plan_oracle_node(plan, &plan->nodes[i], arena, &b->nodes[b->count++]))
            return false;
    for (size_t i = 0; b->nodes && i < o->count; i++)
        b->nodes[b->count++] = o->nodes[i];
    return b->nodes != NULL;
}

static void print_outside(const struct oracle *o, const struct both *b, size_t first_router,
                          struct text *out) {
    const struct oracle_session *s = NULL;
    const struct oracle_failure *f = NULL;
    size_t n = oracle_sessions(o, &s), failures = oracle_failures(o, &f), count = 0;
    text_puts(out, "\nSessions with the routers around\n");
    for (size_t i = 0; i < n; i++) {
        if (s[i].b < first_router)
            continue;
        char a[IP_ADDR_TEXT_MAX], c[IP_ADDR_TEXT_MAX];
        text_printf(out, "  %-24s %-16s - %-16s %-16s hold %u s\n", b->nodes[s[i].a].name,
                    ip_format(s[i].addr_a, a), b->nodes[s[i].b].name, ip_format(s[i].addr_b, c),
                    s[i].hold_time_s);
        count++;
    }
    text_printf(out, "  %zu with routers, %zu in all\n", count, n);
    for (size_t i = 0; i < failures; i++)
        text_printf(out, "  does not come up: %s %s: %s: %s\n", b->nodes[f[i].node].name,
                    b->nodes[f[i].node].config->peers[f[i].peer].name, f[i].cause, f[i].detail);
}

static bool has_session(const struct oracle *o, uint32_t node, struct ip_addr neighbor) {
    const struct oracle_session *s = NULL;
    size_t n = oracle_sessions(o, &s);
    for (size_t i = 0; i < n; i++)
        if (s[i].a == node && ip_equal(s[i].addr_b, neighbor))
            return true;
    return false;
}

/* The nodes' sessions with neighbours outside that have none, whatever their stanzas. False: out of
 * memory. */
static bool list_failing(const struct oracle *o, const struct both *b,
                         const struct calico_plan *plan, struct arena *arena,
                         struct plan_around *around) {
    const struct oracle_failure *f = NULL;
    size_t n = oracle_failures(o, &f);
    around->failing = arena_array(arena, n + 1, sizeof *around->failing);
    for (size_t i = 0; around->failing && i < n; i++) {
        if (f[i].node >= plan->node_count)
            continue;
        const struct calico_node *node = plan->nodes[f[i].node].node;
        struct ip_addr remote = b->nodes[f[i].node].config->peers[f[i].peer].remote_addr;
        uint32_t owner = oracle_address_owner(o, remote);
        bool outside = owner == UINT32_MAX || owner >= plan->node_count;
        if (outside && !has_session(o, f[i].node, remote))
            around->failing[around->failing_count++] =
                (struct calico_failing){remote.family == IP_V6 ? node->addr6 : node->addr4, remote};
    }
    return around->failing != NULL;
}

/* ---- one router that reflects for all ---- */

static bool is_client(const struct oracle_session *s, const struct both *b) {
    const struct bgp_config *c = b->nodes[s->b].config;
    return c && s->peer_b < c->peer_count && c->peers[s->peer_b].rr_client;
}

/* Nodes whose only session is with a router that reflects for them. */
static void single_reflector(const struct oracle *o, const struct both *b,
                             const struct calico_plan *plan, struct manifests *in) {
    const struct oracle_session *s = NULL;
    size_t n = oracle_sessions(o, &s), count = 0, first = 0;
    uint32_t *sessions = arena_array(in->arena, b->count + 1, sizeof *sessions);
    for (size_t i = 0; sessions && i < n; i++) {
        sessions[s[i].a]++;
        sessions[s[i].b]++;
    }
    for (size_t i = 0; sessions && i < n; i++)
        if (s[i].a < plan->node_count && s[i].b >= plan->node_count && sessions[s[i].a] == 1 &&
            is_client(&s[i], b) && count++ == 0)
            first = i;
    if (!count)
        return;
    const char *node = b->nodes[s[first].a].name, *router = b->nodes[s[first].b].name;
    char pair[520];
    diag_add(in->diags, DIAG_WARNING, plan->nodes[s[first].a].node->place, "single-reflector",
             "%zu node%s on one route reflector (Node \"%s\" on %s): when it stops, their "
             "routes are gone",
             count, count == 1 ? " hangs" : "s hang", node, router);
    snprintf(pair, sizeof pair, "%s - %s", node, router);
    diag_about(in->diags, pair, NULL);
}

bool plan_routers(struct manifests *in, const struct calico_set *set,
                  const struct calico_plan *plan, const struct cli_options *opt,
                  struct plan_around *ret_around) {
    struct plan_routers o;
    struct both b = {NULL, 0};
    bool ok = plan_routers_read(in, set, opt, &o) && describe(plan, &o, in->arena, &b);
    struct oracle_input oi = {.nodes = b.nodes, .node_count = b.count};
    struct oracle *oracle = ok ? oracle_new(&oi) : NULL;
    ok = oracle && list_failing(oracle, &b, plan, in->arena, ret_around);
    if (ok) {
        print_outside(oracle, &b, plan->node_count, &ret_around->out);
        single_reflector(oracle, &b, plan, in);
    }
    oracle_free(oracle);
    return ok;
}
