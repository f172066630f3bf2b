/*
 * Clusters by chance, planned twice: by the planner, and by a reading of Calico's rules that is
 * short, slow and knows nothing of the planner: everything in texts and nested loops.
 */
#include "calico_test.h"

#include <stdlib.h>

#define NODES_MAX 7
#define PEERS_MAX 5
#define LINES_MAX 128
#define TEXT_MAX 160

static uint32_t seed = 1;
static uint32_t chance(uint32_t below) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* ---- a cluster ---- */

struct node {
    char addr[2][48]; /* "" none */
    uint32_t as_number, cluster, port;
    bool blue;
};

struct peer {
    uint32_t side;   /* 0 all (global), 1 one node, 2 nodeSelector blue, 3 nodeSelector all() */
    uint32_t node;   /* with 1 */
    uint32_t remote; /* 0 none, 1 peerSelector blue, 2 peerSelector all(), 3 peerIP */
    char addr[48];
    uint32_t port, as_number, local_as;
    bool manual;
};

struct cluster {
    struct node nodes[NODES_MAX];
    struct peer peers[PEERS_MAX];
    uint32_t node_count, peer_count, as_number, port;
    bool mesh;
};

static void any_node(struct node *n, uint32_t i) {
    static const uint32_t numbers[] = {0, 0, 64512, 65001};
    memset(n, 0, sizeof *n);
    if (chance(5))
        snprintf(n->addr[0], sizeof n->addr[0], "10.0.0.%u", (i * 37 + 5) % 200 + 1);
    if (!n->addr[0][0] || chance(3) == 0)
        snprintf(n->addr[1], sizeof n->addr[1], "fd00::%x", (i * 37 + 5) % 200 + 1);
    n->as_number = numbers[chance(4)];
    n->cluster = chance(4) == 0 ? 1 + chance(2) : 0;
    n->port = chance(4) == 0 ? 1179 + chance(2) : 0;
    n->blue = chance(2);
}

static void any_peer(const struct cluster *c, struct peer *p) {
    static const uint32_t numbers[] = {0, 64512, 64512, 65001};
    memset(p, 0, sizeof *p);
    p->side = chance(4);
    p->node = chance(c->node_count);
    p->remote = chance(4);
    p->manual = chance(5) == 0;
    if (p->remote != 3)
        return;
    const struct node *to = &c->nodes[chance(c->node_count)];
    const char *known = to->addr[0][0] && chance(2) ? to->addr[0] : to->addr[1];
    snprintf(p->addr, sizeof p->addr, "%s", known[0] && chance(4) ? known : "192.0.2.1");
    p->port = chance(3) == 0 ? 179 + 1000 * chance(2) : 0;
    p->as_number = numbers[chance(4)];
    p->local_as = chance(5) == 0 ? 65009 : 0;
}

static void any_cluster(struct cluster *c) {
    memset(c, 0, sizeof *c);
    c->node_count = 1 + chance(NODES_MAX);
    c->peer_count = chance(PEERS_MAX + 1);
    c->mesh = chance(2);
    c->as_number = chance(3) == 0 ? 65001 : 0;
    c->port = chance(4) == 0 ? 1179 : 0;
    for (uint32_t i = 0; i < c->node_count; i++)
        any_node(&c->nodes[i], i);
    for (uint32_t i = 0; i < c->peer_count; i++)
        any_peer(c, &c->peers[i]);
}

/* ---- as manifests ---- */

#define HEAD "apiVersion: projectcalico.org/v3\nkind: "

static void write_node(const struct cluster *c, uint32_t i, struct text *t) {
    const struct node *n = &c->nodes[i];
    text_printf(t, HEAD "Node\nmetadata: {name: n%u, labels: {colour: %s}}\nspec: {bgp: {", i,
                n->blue ? "blue" : "red");
    if (n->addr[0][0])
        text_printf(t, "ipv4Address: %s/16, ", n->addr[0]);
    if (n->addr[1][0])
        text_printf(t, "ipv6Address: '%s/64', ", n->addr[1]);
    if (n->as_number)
        text_printf(t, "asNumber: %u, ", n->as_number);
    if (n->cluster)
        text_printf(t, "routeReflectorClusterID: 1.0.0.%u", n->cluster);
    text_puts(t, "}}\n---\n");
    if (n->port)
        text_printf(t,
                    HEAD "BGPConfiguration\nmetadata: {name: node.n%u}\nspec: {listenPort: %u}"
                         "\n---\n",
                    i, n->port);
}

static void write_peer(const struct peer *p, uint32_t i, struct text *t) {
    text_printf(t, HEAD "BGPPeer\nmetadata: {name: p%u}\nspec: {reversePeering: %s", i,
                p->manual ? "Manual" : "Auto");
    if (p->side == 1)
        text_printf(t, ", node: n%u", p->node);
    else if (p->side)
        text_printf(t, ", nodeSelector: \"%s\"", p->side == 2 ? "colour == 'blue'" : "all()");
    if (p->remote == 1 || p->remote == 2)
        text_printf(t, ", peerSelector: \"%s\"", p->remote == 1 ? "colour == 'blue'" : "all()");
    bool v6 = strchr(p->addr, ':') != NULL;
    if (p->remote == 3 && p->port)
        text_printf(t, v6 ? ", peerIP: '[%s]:%u'" : ", peerIP: '%s:%u'", p->addr, p->port);
    else if (p->remote == 3)
        text_printf(t, ", peerIP: '%s'", p->addr);
    if (p->as_number)
        text_printf(t, ", asNumber: %u", p->as_number);
    if (p->local_as)
        text_printf(t, ", localASNumber: %u", p->local_as);
    text_puts(t, "}\n---\n");
}

static void write_cluster(const struct cluster *c, struct text *t) {
    text_printf(t,
                HEAD "BGPConfiguration\nmetadata: {name: default}\nspec: "
                     "{nodeToNodeMeshEnabled: %s",
                c->mesh ? "true" : "false");
    if (c->as_number)
        text_printf(t, ", asNumber: %u", c->as_number);
    if (c->port)
        text_printf(t, ", listenPort: %u", c->port);
    text_puts(t, "}\n---\n");
    for (uint32_t i = 0; i < c->node_count; i++)
        write_node(c, i, t);
    for (uint32_t i = 0; i < c->peer_count; i++)
        write_peer(&c->peers[i], i, t);
}

/* ---- the other reading ---- */

struct line {
    char name[96], addr[48];
    uint32_t port, as_number, local_as, cluster;
    bool calico, known, reverse, global;
    uint32_t from; /* the peer */
};

struct lines {
    struct line items[LINES_MAX];
    size_t count;
};

static uint32_t as_of(const struct cluster *c, uint32_t i) {
    uint32_t global = c->as_number ? c->as_number : 64512;
    return c->nodes[i].as_number ? c->nodes[i].as_number : global;
}

static uint32_t port_of(const struct cluster *c, uint32_t i) {
    return c->nodes[i].port ? c->nodes[i].port : c->port;
}

static void name_line(struct line *l, const char *prefix) {
    char port[24] = "";
    if (l->port)
        snprintf(port, sizeof port, "_port_%u", l->port);
    snprintf(l->name, sizeof l->name, "%s%s%s", prefix, l->addr, port);
    for (char *at = l->name; *at; at++)
        if (*at == '.' || *at == ':')
            *at = '_';
}

static bool here(const struct cluster *c, const struct peer *p, uint32_t i) {
    return p->side == 1 ? p->node == i : p->side == 2 ? c->nodes[i].blue : true;
}

static bool is_address(const struct node *n, const char *addr) {
    return strcmp(n->addr[0], addr) == 0 || strcmp(n->addr[1], addr) == 0;
}

/* Is node i the far side, as the reverse pass sees it? */
static bool there(const struct cluster *c, const struct peer *p, uint32_t i) {
    uint32_t global = c->as_number ? c->as_number : 64512;
    if (p->remote == 1 || p->remote == 2)
        return p->remote == 2 || c->nodes[i].blue;
    if (!is_address(&c->nodes[i], p->addr) || as_of(c, i) != (p->as_number ? p->as_number : global))
        return false;
    if (!p->port)
        return true;
    uint32_t own = c->nodes[i].port;
    if (!own && !c->port)
        return p->port == 179;
    return (!own || own == p->port) && (!c->port || c->port == p->port);
}

static bool taken(const struct lines *l, const struct line *line) {
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->items[i].addr, line->addr) == 0 &&
            (l->items[i].port ? l->items[i].port : 179) == (line->port ? line->port : 179))
            return true;
    return false;
}

static void add_line(struct lines *l, const struct lines *globals, const struct line *line) {
    if (!taken(l, line) && !(globals && taken(globals, line))) {
        assert_true(l->count < LINES_MAX);
        l->items[l->count++] = *line;
    }
}

static void add_node_line(const struct cluster *c, uint32_t peer, uint32_t j, int family,
                          bool reverse, struct lines *l, const struct lines *globals) {
    struct line line = {.port = port_of(c, j),
                        .as_number = as_of(c, j),
                        .cluster = c->nodes[j].cluster,
                        .known = true,
                        .reverse = reverse,
                        .global = !reverse && c->peers[peer].side == 0,
                        .from = peer};
    if (!c->nodes[j].addr[family][0])
        return;
    memcpy(line.addr, c->nodes[j].addr[family], sizeof line.addr);
    name_line(&line, line.global ? "Global_" : "Node_");
    add_line(l, globals, &line);
}

static void forward(const struct cluster *c, uint32_t peer, struct lines *l,
                    const struct lines *globals) {
    const struct peer *p = &c->peers[peer];
    uint32_t global = c->as_number ? c->as_number : 64512;
    for (uint32_t j = 0; j < c->node_count && p->remote != 0 && p->remote != 3; j++)
        for (int family = 0; family < 2; family++)
            if (there(c, p, j))
                add_node_line(c, peer, j, family, false, l, globals);
    if (p->remote != 3)
        return;
    struct line line = {.port = p->port,
                        .as_number = p->as_number,
                        .local_as = p->local_as,
                        .global = p->side == 0,
                        .from = peer};
    memcpy(line.addr, p->addr, sizeof line.addr);
    for (uint32_t j = 0; j < c->node_count; j++) {
        if (!is_address(&c->nodes[j], p->addr))
            continue;
        line.calico = true;
        if (!p->port && as_of(c, j) == (p->as_number ? p->as_number : global))
            line.port = port_of(c, j);
    }
    name_line(&line, line.global ? "Global_" : "Node_");
    add_line(l, globals, &line);
}

static void backward(const struct cluster *c, uint32_t peer, uint32_t i, struct lines *l,
                     const struct lines *globals) {
    const struct peer *p = &c->peers[peer];
    if (p->manual || !there(c, p, i))
        return;
    for (uint32_t j = 0; j < c->node_count; j++)
        for (int family = 0; family < 2; family++) {
            bool wanted = p->remote == 3   ? (strchr(p->addr, ':') != NULL) == (family == 1)
                          : p->remote == 0 ? family == 0
                                           : true;
            if (wanted && here(c, p, j))
                add_node_line(c, peer, j, family, true, l, globals);
        }
}

/* ---- a node's sessions in words ---- */

struct words {
    char items[LINES_MAX][TEXT_MAX];
    size_t count;
};

static int compare_words(const void *a, const void *b) {
    return strcmp(a, b);
}

static void say(struct words *w, const char *name, uint32_t as, uint32_t local, bool passive,
                uint32_t cluster, const char *from, bool reverse) {
    assert_true(w->count < LINES_MAX);
    snprintf(w->items[w->count++], TEXT_MAX, "%s %u/%u%s cluster %u by %s%s", name, as, local,
             passive ? " passive" : "", cluster, from, reverse ? " reverse" : "");
}

static void say_line(const struct cluster *c, uint32_t i, const struct line *l, struct words *w) {
    const struct node *me = &c->nodes[i];
    const char *mine = me->addr[strchr(l->addr, ':') != NULL];
    uint32_t local = l->local_as ? l->local_as : as_of(c, i);
    bool client = me->cluster && local == l->as_number &&
                  !(l->known && l->cluster && l->cluster == me->cluster);
    char from[16];
    snprintf(from, sizeof from, "p%u", l->from);
    if (mine[0] && strcmp(mine, l->addr) != 0)
        say(w, l->name, l->as_number, local, l->global && l->calico && strcmp(l->addr, mine) > 0,
            client ? me->cluster : 0, from, l->reverse);
}

static void read_cluster(const struct cluster *c, uint32_t i, struct words *w) {
    static struct lines globals, own;
    globals.count = own.count = w->count = 0;
    for (uint32_t p = 0; p < c->peer_count; p++)
        if (c->peers[p].side == 0)
            forward(c, p, &globals, NULL);
    for (uint32_t p = 0; p < c->peer_count; p++)
        if (c->peers[p].side != 0 && here(c, &c->peers[p], i))
            forward(c, p, &own, &globals);
    for (uint32_t p = 0; p < c->peer_count; p++)
        backward(c, p, i, &own, &globals);
    for (size_t k = 0; k < globals.count; k++)
        say_line(c, i, &globals.items[k], w);
    for (size_t k = 0; k < own.count; k++)
        say_line(c, i, &own.items[k], w);
    for (uint32_t j = 0; j < c->node_count && c->mesh && !c->nodes[i].cluster; j++)
        for (int family = 0; family < 2 && j != i && !c->nodes[j].cluster; family++) {
            const char *mine = c->nodes[i].addr[family], *other = c->nodes[j].addr[family];
            struct line l = {.port = 0};
            if (!mine[0] || !other[0])
                continue;
            snprintf(l.addr, sizeof l.addr, "%s", other);
            name_line(&l, "Mesh_");
            say(w, l.name, c->nodes[j].as_number ? c->nodes[j].as_number : as_of(c, i), as_of(c, i),
                strcmp(other, mine) > 0, 0, "", false);
        }
    qsort(w->items, w->count, TEXT_MAX, compare_words);
}

static void read_plan(const struct calico_plan_node *n, struct words *w) {
    w->count = 0;
    for (size_t i = 0; i < n->session_count; i++) {
        const struct calico_session *s = &n->sessions[i];
        say(w, s->name, s->peer_as, s->local_as, s->passive, s->cluster_id & 0xff, s->origin,
            s->reverse);
        if (i > 0 && s->family == s[-1].family)
            assert_true(strcmp(s[-1].name, s->name) < 0);
    }
    qsort(w->items, w->count, TEXT_MAX, compare_words);
}

static void compare(const struct cluster *c, const struct fixture *f, const struct text *manifests,
                    size_t *ret_sessions) {
    static struct words planned, wanted;
    for (uint32_t i = 0; i < c->node_count; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%u", i);
        read_plan(calico_plan_find(f->plan, name), &planned);
        read_cluster(c, i, &wanted);
        *ret_sessions += wanted.count;
        for (size_t k = 0; k < planned.count || k < wanted.count; k++) {
            const char *a = k < planned.count ? planned.items[k] : "(nothing)";
            const char *b = k < wanted.count ? wanted.items[k] : "(nothing)";
            if (strcmp(a, b) != 0)
                fail_msg("node %s: planned \"%s\", the rules say \"%s\"\n%s", name, a, b,
                         text_str(manifests));
        }
    }
}

static void test_random_clusters(void **state) {
    size_t sessions = 0, clusters = 3000;
    (void)state;
    for (size_t i = 0; i < clusters; i++) {
        struct cluster c;
        struct text t;
        void *fixture;
        fixture_setup(&fixture);
        struct fixture *f = fixture;
        any_cluster(&c);
        text_init(&t);
        write_cluster(&c, &t);
        fixture_must_apply(f, text_str(&t));
        fixture_plan(f);
        compare(&c, f, &t, &sessions);
        text_deinit(&t);
        fixture_teardown(&fixture);
    }
    assert_true(sessions > 5 * clusters);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_clusters)};
    return cmocka_run_group_tests_name("plan by chance", tests, NULL, NULL);
}
