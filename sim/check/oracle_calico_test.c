/*
 * Clusters by chance, from manifests to tables: planned, compiled, computed by the oracle, and run
 * by real cores over pipes; half of them once more after a change. Plan and oracle must agree on
 * every session between nodes, oracle and cores on every session and every best path with its
 * attributes.
 *
 * A network may have several stable outcomes, and then none is wrong: priorities are set by filters
 * only where no path can come back better than it left. Over a pipe nobody looks at passwords and
 * TTLs: clusters with such are not run. Changes leave AS numbers and addresses of sessions as they
 * are. ORACLE_CLUSTER=number runs one and shows its manifests.
 */
#include "../calico/calico_test.h"
#include "oracle_compare_fixture.h"

#include "../../speaker/core/pipe_test.h"

#define CLUSTERS 700
#define SETTLE_MS 60000
#define NODES_MAX 6
#define ROUTERS_MAX 2
#define PEERS_MAX 5
#define FILTERS 3

struct cluster {
    uint64_t rng;
    struct fixture *f;
    struct text t;
    uint32_t nodes, routers;
    uint32_t as_number; /* of the cluster, 0: none is given */
    bool plain;         /* one AS, no reflector, no router */
    bool locked;        /* passwords, ttlSecurity */
    bool ports;
    bool by_chance; /* which of two stanzas comes up may be a matter of time */
    bool steady;    /* no session is told other numbers or addresses by a change */
    struct calico_plan_options options;
    struct oracle_node all_hosts[2][NODES_MAX + ROUTERS_MAX + 1]; /* before a change, and after */
    struct oracle_node *hosts;
    struct bgp_origin_config origins[2 * ROUTERS_MAX][8];
    uint32_t origin_lists;
};

static uint32_t chance(struct cluster *c, uint32_t below) {
    return (uint32_t)rng_below(&c->rng, below);
}

static const char *any_of(struct cluster *c, const char *const *words, uint32_t count) {
    return words[chance(c, count)];
}
#define ANY(c, ...)                                                                                \
    any_of(c, (const char *const[]){__VA_ARGS__},                                                  \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* ---- manifests ---- */

#define HEAD "apiVersion: projectcalico.org/v3\nkind: "

static void say_ranges(struct cluster *c) {
    text_printf(&c->t, ", serviceClusterIPs: [{cidr: 10.96.0.0/12}, {cidr: 'fd96::/108'}]");
    text_printf(&c->t, ", serviceExternalIPs: [{cidr: %s}, {cidr: 198.51.101.7/32}]",
                ANY(c, "198.51.100.0/24", "198.51.100.0/22"));
    text_printf(&c->t, ", serviceLoadBalancerIPs: [{cidr: 203.0.113.0/24}, {cidr: 'fd97::/120'}]");
    if (chance(c, 3) == 0)
        text_puts(&c->t, ", serviceLoadBalancerAggregation: Disabled");
}

static void say_advertisements(struct cluster *c) {
    text_printf(&c->t, "communities: [{name: a, value: '64512:7'}, {name: b, value: '%s'}], ",
                ANY(c, "64512:1:2", "65535:65281", "65535:65282", "64512:1"));
    text_printf(&c->t, "prefixAdvertisements: [{cidr: %s, communities: [b, a, '1:%u']}, ",
                ANY(c, "10.244.0.0/16", "10.244.0.0/26", "0.0.0.0/0"), chance(c, 3));
    text_printf(&c->t, "{cidr: '%s', communities: ['1:2', a]}]",
                ANY(c, "fd10::/48", "10.244.0.0/16"));
}

static void say_configuration(struct cluster *c) {
    text_printf(&c->t, HEAD "BGPConfiguration\nmetadata: {name: default}\nspec: {");
    text_printf(&c->t, "nodeToNodeMeshEnabled: %s", chance(c, 2) ? "true" : "false");
    if (c->as_number)
        text_printf(&c->t, ", asNumber: %u", c->as_number);
    if (c->ports && chance(c, 2))
        text_puts(&c->t, ", listenPort: 1179");
    if (chance(c, 3) == 0)
        text_puts(&c->t, ", bindMode: NodeIP");
    if (chance(c, 2))
        text_printf(&c->t, ", programClusterRoutes: %s",
                    ANY(c, "Enabled", "Disabled", "EnabledIPIPOnly", "EnabledNoEncapOnly"));
    if (chance(c, 4) == 0)
        text_puts(&c->t, ", ipv4NormalRoutePriority: 512");
    if (chance(c, 2))
        say_ranges(c);
    if (chance(c, 2)) {
        text_puts(&c->t, ", ");
        say_advertisements(c);
    }
    text_puts(&c->t, "}\n---\n");
}

static void say_node(struct cluster *c, uint32_t i) {
    bool v6 = chance(c, 3) == 0;
    uint32_t host = (i * 37 + 5) % 200 + 1;
    text_printf(&c->t, HEAD "Node\nmetadata: {name: n%u, labels: {rack: %s, rr: '%s'}}\n", i,
                ANY(c, "a", "b"), ANY(c, "yes", "no"));
    text_puts(&c->t, "spec: {bgp: {");
    if (!v6 || chance(c, 3))
        text_printf(&c->t, "ipv4Address: 10.0.%u.%u/23, ", chance(c, 2), host);
    if (v6)
        text_printf(&c->t, "ipv6Address: 'fd00::%x/64', ", host);
    if (!c->plain && chance(c, 3) == 0)
        text_printf(&c->t, "asNumber: %s, ", ANY(c, "64512", "65001", "65002"));
    if (!c->plain && chance(c, 4) == 0)
        text_printf(&c->t, "routeReflectorClusterID: %s", ANY(c, "1.0.0.1", "1.0.0.2", "0.0.0.0"));
    text_puts(&c->t, "}}\n---\n");
    if (chance(c, 6))
        return;
    text_printf(&c->t, HEAD "BGPConfiguration\nmetadata: {name: node.n%u}\nspec: {", i);
    if (c->ports && chance(c, 2))
        text_printf(&c->t, "listenPort: %u", 1179 + chance(c, 2));
    else
        say_advertisements(c);
    text_puts(&c->t, "}\n---\n");
}

static void say_pools(struct cluster *c) {
    static const char *const cidrs[] = {"10.244.0.0/16", "10.250.0.0/16", "fd10::/48"};
    for (uint32_t i = 0; i < 3; i++) {
        if (i && chance(c, 3) == 0)
            continue;
        text_printf(&c->t, HEAD "IPPool\nmetadata: {name: pool%u}\nspec: {cidr: '%s'%s", i,
                    cidrs[i], i < 2 && chance(c, 6) == 0 ? ", blockSize: 32" : "");
        if (i < 2 && chance(c, 3) == 0)
            text_printf(&c->t, ", ipipMode: %s", ANY(c, "Always", "CrossSubnet"));
        else if (chance(c, 3) == 0)
            text_printf(&c->t, ", vxlanMode: %s", ANY(c, "Always", "CrossSubnet"));
        if (chance(c, 6) == 0)
            text_puts(&c->t, ", disableBGPExport: true");
        if (chance(c, 6) == 0)
            text_puts(&c->t, ", nodeSelector: \"rack == 'a'\"");
        text_puts(&c->t, "}\n---\n");
    }
}

static void say_services(struct cluster *c) {
    for (uint32_t i = 0; i < chance(c, 3); i++) {
        text_printf(&c->t,
                    "apiVersion: v1\nkind: Service\nmetadata: {name: s%u}\nspec: {type: "
                    "LoadBalancer, clusterIP: 10.96.0.%u, externalIPs: [198.51.101.7, "
                    "198.51.100.%u], externalTrafficPolicy: %s}\nstatus: {loadBalancer: {ingress: "
                    "[{ip: 203.0.113.%u}]}}\n---\n",
                    i, i + 1, i + 1, ANY(c, "Local", "Cluster"), i + 1);
        text_printf(&c->t,
                    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s%u-x, "
                    "labels: {kubernetes.io/service-name: s%u}}\naddressType: IPv4\nendpoints: "
                    "[{addresses: [10.244.0.1], nodeName: n%u, conditions: {ready: %s}}]\n---\n",
                    i, i, chance(c, c->nodes), ANY(c, "true", "true", "false"));
    }
}

/* ---- filters ---- */

static void say_operations(struct cluster *c) {
    text_puts(&c->t, ", operations: [");
    for (uint32_t k = 0; k <= chance(c, 2); k++) {
        uint32_t what = chance(c, c->plain ? 3 : 2);
        text_puts(&c->t, k ? ", " : "");
        if (what == 0)
            text_printf(&c->t, "{addCommunity: {value: '%s'}}",
                        ANY(c, "64512:7", "64512:1:2", "1:1", "65535:65281"));
        else if (what == 1)
            text_printf(&c->t, "{prependASPath: {prefix: [%s]}}",
                        ANY(c, "65009", "65009, 65008", "65010, 65010, 65010"));
        else
            text_printf(&c->t, "{setPriority: {value: %s}}", ANY(c, "100", "512", "2000"));
    }
    text_puts(&c->t, "]");
}

static void say_prefix(struct cluster *c, bool v6) {
    text_printf(&c->t, ", cidr: '%s', matchOperator: %s",
                v6 ? ANY(c, "fd10::/48", "::/0", "fd10::/122", "fd00::/64")
                   : ANY(c, "10.244.0.0/16", "10.244.0.0/26", "0.0.0.0/0", "10.0.0.0/24",
                         "10.244.0.64/26", "172.16.0.0/16", "10.96.0.0/12"),
                ANY(c, "In", "NotIn", "Equal", "NotEqual"));
    if (chance(c, 3) == 0)
        text_printf(&c->t, ", prefixLength: {%s}",
                    v6 ? ANY(c, "", "min: 122", "max: 127", "min: 122, max: 128")
                       : ANY(c, "", "min: 26", "max: 30", "min: 26, max: 32"));
}

static void say_rule(struct cluster *c, bool v6) {
    bool accept = chance(c, 3) > 0;
    text_printf(&c->t, "{action: %s", accept ? "Accept" : "Reject");
    if (chance(c, 4))
        say_prefix(c, v6);
    if (chance(c, 5) == 0)
        text_puts(&c->t, ", source: RemotePeers");
    if (chance(c, 6) == 0)
        text_printf(&c->t, ", interface: '%s'", ANY(c, "*", "cali*", "eth*", "tunl0"));
    if (chance(c, 6) == 0)
        text_printf(&c->t, ", peerType: %s", ANY(c, "eBGP", "iBGP"));
    if (chance(c, 6) == 0)
        text_printf(&c->t, ", communities: {values: ['%s']}", ANY(c, "64512:7", "64512:1:2"));
    if (chance(c, 8) == 0)
        text_printf(&c->t, ", asPathPrefix: [%s]",
                    ANY(c, "65001", "64512", "65100", "64512, 65100"));
    if (chance(c, 8) == 0)
        text_printf(&c->t, ", priority: %s", ANY(c, "1024", "2147483547", "512"));
    if (accept && chance(c, 2))
        say_operations(c);
    text_puts(&c->t, "}");
}

static void say_filters(struct cluster *c) {
    static const char *const lists[] = {"exportV4", "importV4", "exportV6", "importV6"};
    for (uint32_t i = 0; i < FILTERS; i++) {
        text_printf(&c->t, HEAD "BGPFilter\nmetadata: {name: f%u}\nspec:\n", i);
        for (uint32_t k = 0; k < 4; k++) {
            text_printf(&c->t, "  %s: [", lists[k]);
            for (uint32_t r = 0, count = chance(c, 3); r < count; r++) {
                text_puts(&c->t, r ? ", " : "");
                say_rule(c, k >= 2);
            }
            text_puts(&c->t, "]\n");
        }
        text_puts(&c->t, "---\n");
    }
}

/* ---- BGPPeers ---- */

static void say_side(struct cluster *c) {
    switch (chance(c, 4)) {
    case 0:
        text_printf(&c->t, "node: n%u, ", chance(c, c->nodes));
        break;
    case 1:
        text_printf(&c->t, "nodeSelector: \"%s\", ",
                    ANY(c, "rack == 'a'", "has(rr) && rr != 'yes'", "all()", "rr in {'yes'}"));
        break;
    default:
        break;
    }
}

static void say_address(struct cluster *c) {
    uint32_t host = (chance(c, c->nodes) * 37 + 5) % 200 + 1;
    bool v6 = chance(c, 4) == 0;
    if (c->routers && chance(c, 4))
        text_printf(&c->t, v6 ? "peerIP: 'fd00::ff0%u" : "peerIP: '192.0.2.%u",
                    1 + chance(c, c->routers));
    else
        text_printf(&c->t, v6 ? "peerIP: 'fd00::%x" : "peerIP: '10.0.0.%u", host);
    if (!v6 && c->ports && chance(c, 4) == 0) {
        text_printf(&c->t, ":%s", ANY(c, "179", "1179"));
        c->by_chance = true;
    }
    text_puts(&c->t, "', ");
    if (chance(c, 20))
        text_printf(&c->t, "asNumber: %s, ",
                    c->plain ? ANY(c, "64512", "64512", "65001")
                             : ANY(c, "64512", "65001", "65100"));
    if (!c->plain && chance(c, 6) == 0)
        text_puts(&c->t, "localASNumber: 65009, ");
    if (!v6 && chance(c, 6) == 0)
        text_printf(&c->t, "reachableBy: 10.0.0.%u, ", 250 + chance(c, 2));
    if (!c->plain && chance(c, 5) == 0)
        text_printf(&c->t, "numAllowedLocalASNumbers: %u, ", chance(c, 3));
}

static void say_fields(struct cluster *c) {
    if (chance(c, 4) == 0)
        text_printf(&c->t, "nextHopMode: %s, ", ANY(c, "Self", "Keep", "Auto"));
    else if (chance(c, 6) == 0)
        text_puts(&c->t, "keepOriginalNextHop: true, ");
    if (!c->steady && chance(c, 6) == 0)
        text_puts(&c->t, "sourceAddress: None, ");
    if (chance(c, 6) == 0)
        text_puts(&c->t, "reversePeering: Manual, ");
    if (c->locked && chance(c, 2))
        text_printf(&c->t, "password: {secretKeyRef: {name: %s, key: k}}, ", ANY(c, "s", "t", "u"));
    if (c->locked && chance(c, 3) == 0)
        text_printf(&c->t, "ttlSecurity: %u, ", 1 + chance(c, 3));
    if (chance(c, 2))
        text_printf(&c->t, "filters: [f%u%s]", chance(c, FILTERS), ANY(c, "", ", f0", ", f1"));
}

static void say_peers(struct cluster *c) {
    for (uint32_t i = 0, count = chance(c, PEERS_MAX + 1); i < count; i++) {
        text_printf(&c->t, HEAD "BGPPeer\nmetadata: {name: p%u}\nspec: {", i);
        say_side(c);
        switch (chance(c, c->steady ? 4 : 8)) {
        case 0:
            break; /* no remote side */
        case 1:
        case 2:
        case 3:
            text_printf(&c->t, "peerSelector: \"%s\", ",
                        ANY(c, "rr == 'yes'", "all()", "rack == 'b'", "!has(nothing)"));
            break;
        default:
            say_address(c);
        }
        say_fields(c);
        text_puts(&c->t, "}\n---\n");
    }
}

static void say_secrets(struct cluster *c) {
    text_puts(&c->t, "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: kube-system}\n"
                     "stringData: {k: one}\n---\n"
                     "apiVersion: v1\nkind: Secret\nmetadata: {name: t, namespace: kube-system}\n"
                     "stringData: {k: two}\n---\n");
}

static void any_cluster(struct cluster *c, uint64_t seed) {
    c->rng = seed;
    text_init(&c->t);
    c->plain = chance(c, 3) == 0;
    c->locked = chance(c, 5) == 0;
    c->steady = !c->locked && chance(c, 2);
    c->ports = !c->steady && chance(c, 3) == 0;
    c->nodes = 2 + chance(c, NODES_MAX - 1);
    c->routers = c->plain ? 0 : chance(c, ROUTERS_MAX + 1);
    c->as_number = !c->plain && chance(c, 3) == 0 ? 65001 : 0;
    c->options = (struct calico_plan_options){.pods_per_node = 1 + chance(c, 2),
                                              .router_id = chance(c, 2) ? "hash" : NULL};
    if (chance(c, 4) == 0)
        c->options.version = CALICO_VERSION(3, chance(c, 2) ? 28 : 31, 99);
    say_configuration(c);
    for (uint32_t i = 0; i < c->nodes; i++)
        say_node(c, i);
    say_pools(c);
    say_services(c);
    say_filters(c);
    say_secrets(c);
    say_peers(c);
}

/* ---- routers around ---- */

static void any_origins(struct cluster *c, struct bgp_config *b) {
    static const char *const prefixes[] = {"0.0.0.0/0",      "10.100.0.0/16",   "10.244.200.0/24",
                                           "172.16.0.0/16",  "198.51.100.0/25", "::/0",
                                           "fd10:0:0:1::/64"};
    struct bgp_origin_config *origins = c->origins[c->origin_lists++];
    b->origins = origins;
    for (uint32_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        struct bgp_origin_config *o = &origins[b->origin_count];
        if (chance(c, 2))
            continue;
        *o = (struct bgp_origin_config){.source = ROUTE_SOURCE_STATIC,
                                        .metric = UINT32_MAX,
                                        .med_set = chance(c, 3) == 0,
                                        .med = 10 * chance(c, 3)};
        assert_true(ip_prefix_parse(prefixes[i], &o->prefix));
        b->origin_count++;
    }
}

static void mirror(struct cluster *c, struct bgp_config *b, const struct calico_plan_node *n,
                   const struct calico_session *s) {
    struct bgp_peer_config *p = &b->peers[b->peer_count];
    for (uint32_t i = 0; i < b->peer_count; i++)
        if (ip_equal(b->peers[i].remote_addr, s->family ? n->node->addr6 : n->node->addr4))
            return;
    bgp_peer_config_init(p, BGP_PROFILE_FAST);
    snprintf(p->name, sizeof p->name, "%s-%u", n->node->name, s->family);
    p->remote_addr = s->family == BGP_IPV6_UNICAST ? n->node->addr6 : n->node->addr4;
    p->local_addr = s->neighbor;
    p->remote_as = s->local_as;
    p->families[s->family] = true;
    p->families[!s->family] = false;
    p->multihop = 64;
    p->remote_port = c->ports && chance(c, 2) ? 1179 : 0;
    p->rr_client = s->local_as == b->local_as && chance(c, 2);
    p->allow_local_as = chance(c, 4) == 0;
    p->send_communities = true;
    p->import[s->family].accept_by_default = p->export[s->family].accept_by_default = true;
    b->peer_count++;
}

static void any_router(struct cluster *c, uint32_t r) {
    struct oracle_node *x = &c->hosts[c->nodes + r];
    struct bgp_config *b = arena_alloc(c->f->arena, sizeof *b);
    bgp_config_init(b, BGP_PROFILE_FAST);
    *x = (struct oracle_node){
        .name = r ? "r1" : "r0", .config = b, .up = true, .default_route = true};
    assert_true(ip_parse(r ? "192.0.2.2" : "192.0.2.1", &x->addrs[0]) &&
                ip_parse(r ? "fd00::ff02" : "fd00::ff01", &x->addrs[1]));
    x->addr_count = x->subnet_count = 2;
    x->subnets[0] = ip_prefix_make(x->addrs[0], 32);
    x->subnets[1] = ip_prefix_make(x->addrs[1], 128);
    b->local_as = chance(c, 3) ? 65100 : chance(c, 2) ? 65001 : 64512;
    b->router_id = x->addrs[0];
    b->listen = true;
    b->peers = arena_array(c->f->arena, NODES_MAX * 2 + 1, sizeof *b->peers);
    for (uint32_t i = 0; i < c->nodes; i++) {
        const struct calico_plan_node *n = &c->f->plan->nodes[i];
        for (size_t k = 0; k < n->session_count; k++)
            if (ip_equal(n->sessions[k].neighbor, x->addrs[n->sessions[k].family]))
                mirror(c, b, n, &n->sessions[k]);
    }
    any_origins(c, b);
}

/* ---- the network ---- */

static void add_address(struct oracle_node *x, struct ip_addr a, uint8_t length) {
    if (!ip_is_set(a))
        return;
    x->addrs[x->addr_count++] = a;
    x->subnets[x->subnet_count++] = ip_prefix_make(a, length);
}

static void make_host(struct cluster *c, uint32_t i) {
    const struct calico_plan_node *n = &c->f->plan->nodes[i];
    struct oracle_node *x = &c->hosts[i];
    struct bgp_config *b = calico_compile(c->f->plan, n, BGP_PROFILE_FAST, c->f->arena);
    assert_non_null(b);
    const struct bgp_config *old = c->hosts == c->all_hosts[1] ? c->all_hosts[0][i].config : NULL;
    if (n->refused[0] || n->refused[1])
        assert_true(calico_compile_frozen(b, n, old, c->f->arena));
    *x =
        (struct oracle_node){.name = n->node->name, .config = b, .up = true, .default_route = true};
    add_address(x, n->node->addr4, n->node->length4);
    add_address(x, n->node->addr6, n->node->length6);
}

static void run_speakers(const struct oracle_input *in, struct pipe_world *w, uint64_t seed) {
    pipe_init(w, seed);
    for (uint32_t i = 0; i < in->node_count && in->nodes[i].config; i++) {
        const struct oracle_node *x = &in->nodes[i];
        uint32_t n = pipe_add(w, x->config, NULL);
        w->nodes[n].address_count = 0;
        for (size_t k = 0; k < x->addr_count; k++)
            pipe_address(w, n, x->addrs[k]);
        assert_int_equal(
            bgp_connected_set(w->nodes[n].speaker, x->subnets, x->subnet_count, w->now), BGP_OK);
    }
    pipe_run(w, SETTLE_MS);
}

/* Whoever routes for reachableBy speaks no BGP. */
static void make_gateway(struct cluster *c) {
    struct oracle_node *x = &c->hosts[c->nodes + c->routers];
    *x = (struct oracle_node){.name = "gateway", .up = true, .addr_count = 2};
    assert_true(ip_parse("10.0.0.250", &x->addrs[0]) && ip_parse("10.0.0.251", &x->addrs[1]));
}

/* ---- plan and oracle ---- */

static uint32_t index_of(const struct cluster *c, const char *name) {
    return (uint32_t)(calico_plan_find(c->f->plan, name) - c->f->plan->nodes);
}

static bool has_session(const struct oracle *o, uint32_t a, uint32_t b, enum bgp_family family) {
    const struct oracle_session *s = NULL;
    size_t n = oracle_sessions(o, &s);
    for (size_t i = 0; i < n; i++)
        if (s[i].transport == family &&
            ((s[i].a == a && s[i].b == b) || (s[i].a == b && s[i].b == a)))
            return true;
    return false;
}

static size_t compare_pairs(const struct cluster *c, const struct oracle *o, const char *what) {
    struct calico_pair *pairs;
    const struct oracle_session *s = NULL;
    size_t count = calico_pairs(c->f->plan, &pairs), planned = 0, computed = 0;
    for (size_t i = 0; i < count; i++) {
        if (!pairs[i].node_b)
            continue;
        bool up = has_session(o, index_of(c, pairs[i].node_a), index_of(c, pairs[i].node_b),
                              pairs[i].family);
        if (up != pairs[i].expected)
            fail_msg("%s: %s - %s, IPv%d: planned %d (%s), computed %d", what, pairs[i].node_a,
                     pairs[i].node_b, pairs[i].family ? 6 : 4, pairs[i].expected, pairs[i].why_not,
                     up);
        planned += pairs[i].expected;
    }
    count = oracle_sessions(o, &s);
    for (size_t i = 0; i < count; i++)
        computed += s[i].a < c->nodes && s[i].b < c->nodes;
    if (planned != computed)
        fail_msg("%s: %zu sessions planned, %zu computed", what, planned, computed);
    return planned;
}

struct tally {
    size_t pairs, sessions, routes, unstable;
};

static void compare_tables(struct oracle *o, const struct oracle_input *in,
                           const struct pipe_world *w, const char *what, struct tally *t) {
    t->sessions += compare_sessions(o, in, w, what);
    for (uint32_t i = 0; i < w->node_count; i++) {
        for (int f = 0; f < BGP_FAMILIES; f++)
            t->routes += compare_routes(o, in, w, i, (enum bgp_family)f, what);
        (void)compare_sent(o, in, w, i, what);
    }
}

static struct oracle *solve(struct oracle_input *in, const struct cluster *c,
                            const struct oracle *previous) {
    *in = (struct oracle_input){
        .nodes = c->hosts, .node_count = c->nodes + c->routers + 1, .previous = previous};
    struct oracle *o = oracle_new(in);
    assert_non_null(o);
    return o;
}

static bool is_stable(const struct oracle *o, struct tally *t) {
    const struct ip_prefix *unstable = NULL;
    bool stable = oracle_unstable(o, &unstable) == 0;
    t->unstable += !stable;
    return stable;
}

static void make_hosts(struct cluster *c, uint32_t at) {
    c->hosts = c->all_hosts[at];
    fixture_plan_with(c->f, &c->options);
    for (uint32_t i = 0; i < c->nodes; i++)
        make_host(c, i);
    for (uint32_t i = 0; i < c->routers; i++)
        any_router(c, i);
    make_gateway(c);
}

static void apply(struct cluster *c, bool show) {
    if (show)
        (void)fputs(text_str(&c->t), stdout);
    if (show)
        (void)fflush(stdout);
    fixture_must_apply(c->f, text_str(&c->t));
}

/* The mesh comes or goes, BGPPeers go and come, filters say something else. */
static void any_change(struct cluster *c) {
    text_clear(&c->t);
    for (uint32_t i = 0; i < PEERS_MAX; i++) {
        char name[8];
        snprintf(name, sizeof name, "p%u", i);
        if (chance(c, 3) == 0)
            (void)calico_remove(c->f->set, "BGPPeer", name);
    }
    if (chance(c, 2))
        say_configuration(c);
    if (chance(c, 2))
        say_filters(c);
    say_peers(c);
}

static void run_change(struct cluster *c, const struct oracle *before, struct pipe_world *w,
                       const char *what, bool show, struct tally *t) {
    struct oracle_input in;
    any_change(c);
    apply(c, show);
    make_hosts(c, 1);
    struct oracle *o = solve(&in, c, before);
    for (uint32_t i = 0; i < w->node_count; i++)
        assert_int_equal(bgp_configure(w->nodes[i].speaker, in.nodes[i].config, w->now), BGP_OK);
    pipe_run(w, SETTLE_MS);
    if (is_stable(o, t))
        compare_tables(o, &in, w, what, t);
    oracle_free(o);
}

static void run_cluster(uint64_t seed, bool show, struct tally *t) {
    static struct cluster c;
    static struct pipe_world w;
    struct oracle_input in;
    char what[64];
    void *fixture;
    memset(&c, 0, sizeof c);
    fixture_setup(&fixture);
    c.f = fixture;
    any_cluster(&c, seed);
    apply(&c, show);
    make_hosts(&c, 0);
    struct oracle *o = solve(&in, &c, NULL);
    snprintf(what, sizeof what, "cluster %lu", (unsigned long)seed);
    t->pairs += compare_pairs(&c, o, what);
    if (is_stable(o, t) && !c.locked && !c.by_chance) {
        run_speakers(&in, &w, seed);
        compare_tables(o, &in, &w, what, t);
        snprintf(what, sizeof what, "cluster %lu, changed", (unsigned long)seed);
        if (c.steady)
            run_change(&c, o, &w, what, show, t);
        pipe_free(&w);
    }
    oracle_free(o);
    text_deinit(&c.t);
    fixture_teardown(&fixture);
}

static void test_clusters(void **state) {
    struct tally t = {0};
    const char *one = getenv("ORACLE_CLUSTER");
    (void)state;
    for (uint64_t seed = 1; seed <= CLUSTERS; seed++)
        if (!one || strtoul(one, NULL, 10) == seed)
            run_cluster(seed, one != NULL, &t);
    print_message("%zu pairs, %zu ends of sessions, %zu routes, %zu unstable\n", t.pairs,
                  t.sessions, t.routes, t.unstable);
    if (one)
        return;
    assert_true(t.pairs > CLUSTERS * 3);
    assert_true(t.sessions > CLUSTERS * 8);
    assert_true(t.routes > CLUSTERS * 40);
    assert_true(t.unstable < CLUSTERS / 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_clusters)};
    return cmocka_run_group_tests_name("clusters by chance", tests, NULL, NULL);
}
